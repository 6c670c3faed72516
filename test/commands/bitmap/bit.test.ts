import { describe, expect, it } from "vitest"
import { Harness } from "../../support/harness.ts"
import { script } from "./support.ts"

describe("SETBIT and GETBIT", () => {
  it("change and read single bits, the highest of the first byte being bit 0", () => {
    expect(script(`
      SETBIT a 7 1
      SETBIT a 0 1
      GETBIT a 0
      GETBIT a 1
      GETBIT a 100000
      GET a
      SETBIT a 7 0
      SETBIT a 30 1
      GET a
      PEXPIRE a 1000
      SETBIT a 3 1
      PTTL a
      +1000
      SETBIT a 3 1
      GETBIT none 5
    `)).toMatchInlineSnapshot(`
      "> SETBIT a 7 1
        #2 StringRangeSet key=a offset=0 value=\\x01
      (integer) 0
      > SETBIT a 0 1
        #3 StringRangeSet key=a offset=0 value=\\x81
      (integer) 0
      > GETBIT a 0
      (integer) 1
      > GETBIT a 1
      (integer) 0
      > GETBIT a 100000
      (integer) 0
      > GET a
      "\\x81"
      > SETBIT a 7 0
        #4 StringRangeSet key=a offset=0 value=\\x80
      (integer) 1
      > SETBIT a 30 1
        #5 StringRangeSet key=a offset=3 value=\\x02
      (integer) 0
      > GET a
      "\\x80\\x00\\x00\\x02"
      > PEXPIRE a 1000
        #6 KeyExpirySet key=a expireAt=1700000001000
      (integer) 1
      > SETBIT a 3 1
        #7 StringRangeSet key=a offset=0 value=\\x90
      (integer) 0
      > PTTL a
      (integer) 1000
      > +1000
      > SETBIT a 3 1
        #8 by expire KeyExpired key=a
        #9 StringRangeSet key=a offset=0 value=\\x10
      (integer) 0
      > GETBIT none 5
      (integer) 0"
    `)
  })

  it("write nothing where nothing changes, but make keys, make them longer and make them raw", () => {
    expect(script(`
      SETBIT a 9 0
      SETBIT a 9 0
      SETBIT a 3 0
      SETBIT a 16 0
      STRLEN a
      SET n 123
      OBJECT ENCODING n
      SETBIT n 0 0
      OBJECT ENCODING n
      SETBIT n 0 0
      GET n
      SET e hello
      OBJECT ENCODING e
      SETBIT e 1 1
      OBJECT ENCODING e
      SET n -42
      GETBIT n 2
      SETBIT n 23 1
      GET n
    `)).toMatchInlineSnapshot(`
      "> SETBIT a 9 0
        #2 StringRangeSet key=a offset=1 value=\\x00
      (integer) 0
      > SETBIT a 9 0
      (integer) 0
      > SETBIT a 3 0
      (integer) 0
      > SETBIT a 16 0
        #3 StringRangeSet key=a offset=2 value=\\x00
      (integer) 0
      > STRLEN a
      (integer) 3
      > SET n 123
        #4 StringSet key=n value=123 expireAt=null
      OK
      > OBJECT ENCODING n
      "int"
      > SETBIT n 0 0
        #5 StringRangeSet key=n offset=0 value=1
      (integer) 0
      > OBJECT ENCODING n
      "raw"
      > SETBIT n 0 0
      (integer) 0
      > GET n
      "123"
      > SET e hello
        #6 StringSet key=e value=hello expireAt=null
      OK
      > OBJECT ENCODING e
      "embstr"
      > SETBIT e 1 1
        #7 StringRangeSet key=e offset=0 value=h
      (integer) 1
      > OBJECT ENCODING e
      "raw"
      > SET n -42
        #8 StringSet key=n value=-42 expireAt=null
      OK
      > GETBIT n 2
      (integer) 1
      > SETBIT n 23 1
        #9 StringRangeSet key=n offset=2 value=3
      (integer) 0
      > GET n
      "-43""
    `)
  })

  it("refuse offsets and bits that are none, and other types", () => {
    expect(script(`
      SETBIT a -1 1
      SETBIT a 4294967296 1
      SETBIT a x 2
      SETBIT a 0 2
      SETBIT a 0 -1
      SETBIT a 0 x
      SETBIT a 0
      SETBIT list 0 1
      SETBIT list x 1
      GETBIT a -1
      GETBIT list 0
      GETBIT a 4294967296
      EXISTS a
    `)).toMatchInlineSnapshot(`
      "> SETBIT a -1 1
      (error) ERR bit offset is not an integer or out of range
      > SETBIT a 4294967296 1
      (error) ERR bit offset is not an integer or out of range
      > SETBIT a x 2
      (error) ERR bit offset is not an integer or out of range
      > SETBIT a 0 2
      (error) ERR bit is not an integer or out of range
      > SETBIT a 0 -1
      (error) ERR bit is not an integer or out of range
      > SETBIT a 0 x
      (error) ERR bit is not an integer or out of range
      > SETBIT a 0
      (error) ERR wrong number of arguments for 'setbit' command
      > SETBIT list 0 1
      (error) WRONGTYPE Operation against a key holding the wrong kind of value
      > SETBIT list x 1
      (error) ERR bit offset is not an integer or out of range
      > GETBIT a -1
      (error) ERR bit offset is not an integer or out of range
      > GETBIT list 0
      (error) WRONGTYPE Operation against a key holding the wrong kind of value
      > GETBIT a 4294967296
      (error) ERR bit offset is not an integer or out of range
      > EXISTS a
      (integer) 0"
    `)
  })

  it("make a bitmap of 512 MiB out of one event of one byte, at once", () => {
    const harness = new Harness()
    const began = performance.now()
    expect(harness.run("SETBIT", "k", "4294967295", "1")).toBe(":0\r\n")
    expect(performance.now() - began).toBeLessThan(100) // writing its zeros alone takes longer than this
    expect(harness.run("SETBIT", "k", "4294967295", "1")).toBe(":1\r\n")
    expect(harness.run("STRLEN", "k")).toBe(":536870912\r\n")
    expect(harness.run("GETBIT", "k", "4294967294")).toBe(":0\r\n")
    expect(harness.batches.map((batch) => batch.events.length)).toEqual([1])
    expect(harness.run("DEL", "k")).toBe(":1\r\n")
  })

  it("find zeros where a string grows into memory that held something else", () => {
    const harness = new Harness()
    const long = "\xff".repeat(3 << 20)
    harness.run("SET", "k", long)
    harness.run("SET", "k", "\xff".repeat(2 << 20)) // in the same block
    harness.run("SETBIT", "k", `${(3 << 23) - 1}`, "1")
    expect(harness.run("BITCOUNT", "k")).toBe(`:${(2 << 23) + 1}\r\n`)
    harness.run("SETBIT", "k", `${(8 << 23) - 1}`, "1")
    expect(harness.run("BITCOUNT", "k")).toBe(`:${(2 << 23) + 2}\r\n`)
  })

  it("take the limit of proto-max-bulk-len", () => {
    const harness = new Harness()
    harness.executor.view.stringLimit = 1 << 20
    expect(harness.run("SETBIT", "k", `${(1 << 23) - 1}`, "1")).toBe(":0\r\n")
    expect(harness.run("SETBIT", "k", `${1 << 23}`, "1")).toMatch(/^-ERR bit offset/)
    expect(harness.run("GETBIT", "k", `${1 << 23}`)).toMatch(/^-ERR bit offset/)
    expect(harness.run("BITFIELD", "k", "GET", "u8", "#1048576")).toMatch(/^-ERR bit offset/)
  })
})
