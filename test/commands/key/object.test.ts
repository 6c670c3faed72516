import { describe, expect, it } from "vitest"
import { noMemoryLimit } from "../../../src/commands/memory-policy.ts"
import { Harness } from "../../support/harness.ts"
import { transcript } from "../../support/transcript.ts"

describe("OBJECT", () => {
  it("ENCODING tells how a string is held", () => {
    expect(transcript(`SET i 12
      OBJECT ENCODING i
      SET min -9223372036854775808
      OBJECT ENCODING min
      SET beyond 9223372036854775808
      OBJECT ENCODING beyond
      SET short ${"x".repeat(44)}
      object encoding short
      SET long ${"x".repeat(45)}
      OBJECT ENCODING long
      APPEND i 3
      OBJECT ENCODING i
      COPY i copied
      OBJECT ENCODING copied
      OBJECT ENCODING missing`)).toMatchInlineSnapshot(`
        "> SET i 12
          #1 StringSet key=i value=12 expireAt=null
        OK
        > OBJECT ENCODING i
        "int"
        > SET min -9223372036854775808
          #2 StringSet key=min value=-9223372036854775808 expireAt=null
        OK
        > OBJECT ENCODING min
        "int"
        > SET beyond 9223372036854775808
          #3 StringSet key=beyond value=9223372036854775808 expireAt=null
        OK
        > OBJECT ENCODING beyond
        "embstr"
        > SET short xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx
          #4 StringSet key=short value=xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx expireAt=null
        OK
        > object encoding short
        "embstr"
        > SET long xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx
          #5 StringSet key=long value=xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx expireAt=null
        OK
        > OBJECT ENCODING long
        "raw"
        > APPEND i 3
          #6 StringAppended key=i suffix=3
        (integer) 3
        > OBJECT ENCODING i
        "raw"
        > COPY i copied
          #7 KeyCopied key=i to=copied toDb=0
        (integer) 1
        > OBJECT ENCODING copied
        "raw"
        > OBJECT ENCODING missing
        (nil)"
      `)
  })

  it("REFCOUNT counts small integers as shared", () => {
    expect(transcript(`SET a 0
      OBJECT REFCOUNT a
      SET a 9999
      OBJECT REFCOUNT a
      INCR a
      OBJECT REFCOUNT a
      SET a -1
      OBJECT REFCOUNT a
      SET a text
      OBJECT REFCOUNT a
      SET a 1
      APPEND a 0
      OBJECT REFCOUNT a
      OBJECT REFCOUNT missing`)).toMatchInlineSnapshot(`
        "> SET a 0
          #1 StringSet key=a value=0 expireAt=null
        OK
        > OBJECT REFCOUNT a
        (integer) 2147483647
        > SET a 9999
          #2 StringSet key=a value=9999 expireAt=null
        OK
        > OBJECT REFCOUNT a
        (integer) 2147483647
        > INCR a
          #3 StringIncremented key=a value=10000
        (integer) 10000
        > OBJECT REFCOUNT a
        (integer) 1
        > SET a -1
          #4 StringSet key=a value=-1 expireAt=null
        OK
        > OBJECT REFCOUNT a
        (integer) 1
        > SET a text
          #5 StringSet key=a value=text expireAt=null
        OK
        > OBJECT REFCOUNT a
        (integer) 1
        > SET a 1
          #6 StringSet key=a value=1 expireAt=null
        OK
        > APPEND a 0
          #7 StringAppended key=a suffix=0
        (integer) 2
        > OBJECT REFCOUNT a
        (integer) 1
        > OBJECT REFCOUNT missing
        (nil)"
      `)
  })

  it("IDLETIME is the time since the last access, in seconds", () => {
    expect(transcript(`SET a 1
      +999
      OBJECT IDLETIME a
      +1
      OBJECT IDLETIME a
      +3600000
      OBJECT IDLETIME a
      GET a
      OBJECT IDLETIME a
      OBJECT IDLETIME missing`)).toMatchInlineSnapshot(`
        "> SET a 1
          #1 StringSet key=a value=1 expireAt=null
        OK
        > +999
        > OBJECT IDLETIME a
        (integer) 0
        > +1
        > OBJECT IDLETIME a
        (integer) 1
        > +3600000
        > OBJECT IDLETIME a
        (integer) 3601
        > GET a
        "1"
        > OBJECT IDLETIME a
        (integer) 0
        > OBJECT IDLETIME missing
        (nil)"
      `)
  })

  it("FREQ needs a policy that counts", () => {
    expect(transcript(`SET a 1
      OBJECT FREQ a
      OBJECT FREQ missing`)).toMatchInlineSnapshot(`
        "> SET a 1
          #1 StringSet key=a value=1 expireAt=null
        OK
        > OBJECT FREQ a
        (error) ERR An LFU maxmemory policy is not selected, access frequency not tracked. Please note that when switching between policies at runtime LRU and LFU data will take some time to adjust.
        > OBJECT FREQ missing
        (nil)"
      `)
  })

  it("FREQ counts and IDLETIME is refused under LFU; reads do not count under LRM or for a client with NO-TOUCH", () => {
    const harness = new Harness()
    const ask = (...words: ReadonlyArray<string>): string => harness.run(...words).trim()
    harness.executor.limitMemory({ ...noMemoryLimit(), policy: "allkeys-lfu", lfuLogFactor: 0 })
    harness.run("SET", "a", "x")
    expect(ask("OBJECT", "FREQ", "a")).toBe(":5")
    for (let i = 0; i < 10; i++) harness.run("GET", "a")
    harness.run("APPEND", "a", "y")
    expect(ask("OBJECT", "FREQ", "a")).toBe(":16")
    expect(ask("OBJECT", "IDLETIME", "a")).toMatch(/^-ERR An LFU maxmemory policy is selected, idle time not tracked/)
    harness.now += 4 * 60_000
    expect(ask("OBJECT", "FREQ", "a")).toBe(":12")
    harness.connection.client.noTouch = true
    harness.run("GET", "a")
    expect(ask("OBJECT", "FREQ", "a")).toBe(":12")
    harness.run("TOUCH", "a")
    expect(ask("OBJECT", "FREQ", "a")).toBe(":13")
    harness.connection.client.noTouch = false
    harness.executor.limitMemory({ ...noMemoryLimit(), policy: "volatile-lrm" })
    harness.now += 7000
    harness.run("GET", "a")
    expect(ask("OBJECT", "IDLETIME", "a")).toBe(":7")
    harness.run("EXPIRE", "a", "100")
    expect(ask("OBJECT", "IDLETIME", "a")).toBe(":0")
    harness.now += 3000
    harness.run("APPEND", "a", "z")
    harness.now += 1000
    expect(ask("OBJECT", "IDLETIME", "a")).toBe(":1")
    // LRU again: reads count.
    harness.executor.limitMemory(noMemoryLimit())
    harness.run("GET", "a")
    expect(ask("OBJECT", "IDLETIME", "a")).toBe(":0")
    expect(ask("OBJECT", "FREQ", "a")).toMatch(/^-ERR An LFU maxmemory policy is not selected/)
  })

  it("takes dead keys for absent", () => {
    expect(transcript(`SET a 1 PX 10
      +10
      OBJECT ENCODING a`)).toMatchInlineSnapshot(`
        "> SET a 1 PX 10
          #1 StringSet key=a value=1 expireAt=1700000000010
        OK
        > +10
        > OBJECT ENCODING a
          #2 by expire KeyExpired key=a
        (nil)"
      `)
  })

  it("HELP, and what it refuses", () => {
    expect(transcript(`OBJECT HELP
      OBJECT HELP me
      OBJECT WHAT a
      OBJECT
      OBJECT FREQ
      OBJECT ENCODING a b`)).toMatchInlineSnapshot(`
        "> OBJECT HELP
        [OBJECT <subcommand> [<arg> [value] [opt] ...]. Subcommands are:, ENCODING <key>,     Return the kind of internal representation used in order to store the value,     associated with a <key>., FREQ <key>,     Return the access frequency index of the <key>. The returned integer is,     proportional to the logarithm of the recent access frequency of the key., IDLETIME <key>,     Return the idle time of the <key>, that is the approximated number of,     seconds elapsed since the last access to the key., REFCOUNT <key>,     Return the number of references of the value associated with the specified,     <key>., HELP,     Prints this help.]
        > OBJECT HELP me
        (error) ERR wrong number of arguments for 'object|help' command
        > OBJECT WHAT a
        (error) ERR unknown subcommand 'WHAT'. Try OBJECT HELP.
        > OBJECT
        (error) ERR wrong number of arguments for 'object' command
        > OBJECT FREQ
        (error) ERR wrong number of arguments for 'object|freq' command
        > OBJECT ENCODING a b
        (error) ERR wrong number of arguments for 'object|encoding' command"
      `)
  })
})
