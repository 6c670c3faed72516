import { describe, expect, it } from "vitest"
import { wordAt } from "../../../src/projections/keyspace.ts"
import { slabOf } from "../../../src/projections/memory/arena.ts"
import { Slice } from "../../../src/projections/memory/slice.ts"
import { script, withList } from "./support.ts"

describe("GETRANGE and SUBSTR", () => {
  it("cut within the string", () => {
    expect(script(`
      SET a "Hello World"
      GETRANGE a 0 4
      GETRANGE a -5 -1
      GETRANGE a 0 -1
      GETRANGE a 6 1000
      GETRANGE a 20 30
      GETRANGE a 5 3
      GETRANGE a -1 -5
      GETRANGE a -100 1
      GETRANGE a -9223372036854775807 -9223372036854775808
      GETRANGE a -9223372036854775808 9223372036854775807
      SUBSTR a 0 0
      SET n -12345
      GETRANGE n 0 2
      SET e ""
      GETRANGE e 0 -1
      GETRANGE none 0 -1
      GETRANGE list 0 1
      GETRANGE list a 1
      SUBSTR none 0 b
    `)).toMatchInlineSnapshot(`
      "> SET a "Hello World"
        #1 StringSet key=a value=Hello World expireAt=null
      OK
      > GETRANGE a 0 4
      "Hello"
      > GETRANGE a -5 -1
      "World"
      > GETRANGE a 0 -1
      "Hello World"
      > GETRANGE a 6 1000
      "World"
      > GETRANGE a 20 30
      ""
      > GETRANGE a 5 3
      ""
      > GETRANGE a -1 -5
      ""
      > GETRANGE a -100 1
      "He"
      > GETRANGE a -9223372036854775807 -9223372036854775808
      ""
      > GETRANGE a -9223372036854775808 9223372036854775807
      "Hello World"
      > SUBSTR a 0 0
      "H"
      > SET n -12345
        #2 StringSet key=n value=-12345 expireAt=null
      OK
      > GETRANGE n 0 2
      "-12"
      > SET e ""
        #3 StringSet key=e value= expireAt=null
      OK
      > GETRANGE e 0 -1
      ""
      > GETRANGE none 0 -1
      ""
      > GETRANGE list 0 1
      (error) WRONGTYPE Operation against a key holding the wrong kind of value
      > GETRANGE list a 1
      (error) ERR value is not an integer or out of range
      > SUBSTR none 0 b
      (error) ERR value is not an integer or out of range"
    `)
  })
})

describe("SETRANGE", () => {
  it("overwrites, extends and fills gaps", () => {
    expect(script(`
      SET a "Hello World" EX 10
      SETRANGE a 6 Redis
      GET a
      SETRANGE a 10 sss
      SETRANGE b 3 x
      GET b
      SET n 1234
      SETRANGE n 1 9
      GET n
      SETRANGE n 2 ""
      SETRANGE none 5 ""
    `)).toMatchInlineSnapshot(`
      "> SET a "Hello World" EX 10
        #1 StringSet key=a value=Hello World expireAt=1700000010000
      OK
      > SETRANGE a 6 Redis
        #2 StringRangeSet key=a offset=6 value=Redis
      (integer) 11
      > GET a
      "Hello Redis"
      > SETRANGE a 10 sss
        #3 StringRangeSet key=a offset=10 value=sss
      (integer) 13
      > SETRANGE b 3 x
        #4 StringRangeSet key=b offset=3 value=x
      (integer) 4
      > GET b
      "\\x00\\x00\\x00x"
      > SET n 1234
        #5 StringSet key=n value=1234 expireAt=null
      OK
      > SETRANGE n 1 9
        #6 StringRangeSet key=n offset=1 value=9
      (integer) 4
      > GET n
      "1934"
      > SETRANGE n 2 ""
      (integer) 4
      > SETRANGE none 5 ""
      (integer) 0"
    `)
  })

  it("refuses in the order of Redis", () => {
    expect(script(`
      SETRANGE a -1 x
      SETRANGE a abc x
      SETRANGE list -1 x
      SETRANGE list 0 ""
      SETRANGE list 536870912 x
      SETRANGE none 536870912 ""
      SETRANGE none 536870912 x
      SETRANGE none 536870911 xy
      SETRANGE none 9223372036854775807 x
    `)).toMatchInlineSnapshot(`
      "> SETRANGE a -1 x
      (error) ERR offset is out of range
      > SETRANGE a abc x
      (error) ERR value is not an integer or out of range
      > SETRANGE list -1 x
      (error) ERR offset is out of range
      > SETRANGE list 0 ""
      (error) WRONGTYPE Operation against a key holding the wrong kind of value
      > SETRANGE list 536870912 x
      (error) WRONGTYPE Operation against a key holding the wrong kind of value
      > SETRANGE none 536870912 ""
      (integer) 0
      > SETRANGE none 536870912 x
      (error) ERR string exceeds maximum allowed size (proto-max-bulk-len)
      > SETRANGE none 536870911 xy
      (error) ERR string exceeds maximum allowed size (proto-max-bulk-len)
      > SETRANGE none 9223372036854775807 x
      (error) ERR string exceeds maximum allowed size (proto-max-bulk-len)"
    `)
  })
})

describe("APPEND", () => {
  it("adds at the end", () => {
    expect(script(`
      APPEND a Hello
      APPEND a " World"
      GET a
      APPEND a ""
      SET n 12 EX 10
      APPEND n 3
      GET n
      APPEND e ""
      GET e
      SET gone x PX 1
      +1
      APPEND gone y
      APPEND list x
    `)).toMatchInlineSnapshot(`
      "> APPEND a Hello
        #1 StringAppended key=a suffix=Hello
      (integer) 5
      > APPEND a " World"
        #2 StringAppended key=a suffix= World
      (integer) 11
      > GET a
      "Hello World"
      > APPEND a ""
        #3 StringAppended key=a suffix=
      (integer) 11
      > SET n 12 EX 10
        #4 StringSet key=n value=12 expireAt=1700000010000
      OK
      > APPEND n 3
        #5 StringAppended key=n suffix=3
      (integer) 3
      > GET n
      "123"
      > APPEND e ""
        #6 StringAppended key=e suffix=
      (integer) 0
      > GET e
      ""
      > SET gone x PX 1
        #7 StringSet key=gone value=x expireAt=1700000000001
      OK
      > +1
      > APPEND gone y
        #8 by expire KeyExpired key=gone
        #9 StringAppended key=gone suffix=y
      (integer) 1
      > APPEND list x
      (error) WRONGTYPE Operation against a key holding the wrong kind of value"
    `)
  })

  it("stops at 512 MiB", () => {
    const harness = withList()
    harness.run("SET", "a", "text")
    // Only the length counts here, so the entry claims one it has no bytes for.
    const db = harness.keyspace.database(0)
    const p = db.locate(Slice.latin1("a"))
    db.arena.words[slabOf(p)]![wordAt(p, 4)] = 512 * 1024 * 1024 - 1
    const refusal = "-ERR string exceeds maximum allowed size (proto-max-bulk-len)\r\n"
    expect(harness.run("STRLEN", "a")).toBe(":536870911\r\n")
    expect(harness.run("APPEND", "a", "xy")).toBe(refusal)
    expect(harness.run("SETRANGE", "a", "536870911", "xy")).toBe(refusal)
    expect(harness.run("APPEND", "a", "")).toBe(":536870911\r\n")
  })
})
