import { describe, expect, it } from "vitest"
import { LogUnavailable } from "../../../src/log/event-log.ts"
import { Harness } from "../../support/harness.ts"
import { transcript } from "../../support/transcript.ts"
import { controlHarness } from "../server/ports.ts"

describe("PFADD", () => {
  it("makes, changes and leaves alone", () => {
    expect(transcript(`
      PFADD h
      PFADD h a
      PFADD h a
      PFADD h b c d
      PFADD h a b c d
      PFADD h
      OBJECT ENCODING h
      PFDEBUG DECODE h
      STRLEN h
    `)).toMatchInlineSnapshot(`
      "> PFADD h
        #1 StringRangeSet key=h offset=0 value=HYLL\\x01\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x80\\x7f\\xff
      (integer) 1
      > PFADD h a
        #2 StringSpliced key=h offset=16 removed=2 value=q\\xa6\\x84NW
      (integer) 1
      > PFADD h a
      (integer) 0
      > PFADD h b c d
        #3 StringSpliced key=h offset=16 removed=5 value=\\{\\x80Dv\\x80P\\xb1\\x84K\\xfb\\x80BZ
      (integer) 1
      > PFADD h a b c d
      (integer) 0
      > PFADD h
      (integer) 0
      > OBJECT ENCODING h
      "raw"
      > PFDEBUG DECODE h
      "Z:7292 v:1,1 Z:1143 v:1,1 Z:4274 v:2,1 Z:3068 v:1,1 Z:603"
      > STRLEN h
      (integer) 30"
    `)
  })

  it("says which registers of a dense one are others now, in few events", () => {
    expect(transcript(`
      PFADD h a
      PFDEBUG TODENSE h
      PFADD h b
      PFCOUNT h
      PFADD h c
      PFADD h d e f g h i j k l m n o p
      PFADD h b c d e f
      PFCOUNT h
    `)).toMatchInlineSnapshot(`
      "> PFADD h a
        #1 StringRangeSet key=h offset=0 value=HYLL\\x01\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x80q\\xa6\\x84NW
      (integer) 1
      > PFDEBUG TODENSE h
        #2 StringRangeSet key=h offset=0 value=HYLL\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x80\\x00\\x00… (49204 bytes)
      (integer) 1
      > PFADD h b
        #3 StringRangeSet key=h offset=11851 value=\\x01
      (integer) 1
      > PFCOUNT h
        #4 StringRangeSet key=h offset=8 value=\\x02\\x00\\x00\\x00\\x00\\x00\\x00\\x00
      (integer) 2
      > PFADD h c
        #5 StringRangeSet key=h offset=15 value=\\x80
        #5 StringRangeSet key=h offset=6343 value=\\x01
      (integer) 1
      > PFADD h d e f g h i j k l m n o p
        #6 StringRangeSet key=h offset=836 value=@\\x00
        #6 StringRangeSet key=h offset=1250 value=\\x10\\x00
        #6 StringRangeSet key=h offset=1354 value=\\xc0\\x00
        #6 StringRangeSet key=h offset=2963 value= \\x00
        #6 StringRangeSet key=h offset=3154 value=\\x01
        #6 StringRangeSet key=h offset=3302 value= \\x00
        #6 StringRangeSet key=h offset=5485 value=\\x01
        #6 StringRangeSet key=h offset=6299 value= \\x00
        #6 StringRangeSet key=h offset=6774 value=\\x04
        #6 StringRangeSet key=h offset=8986 value=\\x01
        #6 StringRangeSet key=h offset=9931 value=\\x00\\x01
        #6 StringRangeSet key=h offset=10619 value= \\x00
        #6 StringRangeSet key=h offset=11383 value=@\\x00
      (integer) 1
      > PFADD h b c d e f
      (integer) 0
      > PFCOUNT h
        #7 StringRangeSet key=h offset=8 value=\\x10\\x00\\x00\\x00\\x00\\x00\\x00\\x00
      (integer) 16"
    `)
  })

  it("keeps the deadline, and meets the dead", () => {
    expect(transcript(`
      PFADD h a
      PEXPIRE h 100
      PFADD h b
      PTTL h
      PFCOUNT h
      +100
      PFADD h c
      PTTL h
      PEXPIRE h 100
      +100
      PFCOUNT h
    `)).toMatchInlineSnapshot(`
      "> PFADD h a
        #1 StringRangeSet key=h offset=0 value=HYLL\\x01\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x80q\\xa6\\x84NW
      (integer) 1
      > PEXPIRE h 100
        #2 KeyExpirySet key=h expireAt=1700000000100
      (integer) 1
      > PFADD h b
        #3 StringSpliced key=h offset=19 removed=2 value=K\\xfb\\x80BZ
      (integer) 1
      > PTTL h
      (integer) 100
      > PFCOUNT h
        #4 StringRangeSet key=h offset=8 value=\\x02\\x00\\x00\\x00\\x00\\x00\\x00\\x00
      (integer) 2
      > +100
      > PFADD h c
        #5 by expire KeyExpired key=h
        #6 StringRangeSet key=h offset=0 value=HYLL\\x01\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x80\`\\xf3\\x80_\\x0a
      (integer) 1
      > PTTL h
      (integer) -1
      > PEXPIRE h 100
        #7 KeyExpirySet key=h expireAt=1700000000200
      (integer) 1
      > +100
      > PFCOUNT h
        #8 by expire KeyExpired key=h
      (integer) 0"
    `)
  })

  it("refuses what is none", () => {
    expect(transcript(`
      RPUSH list a
      PFADD list a
      SET text hello
      PFADD text a
      SET number 12345678901234567
      PFADD number a
      SET short "HYLL\\x01\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00"
      PFADD short a
      SET unknown "HYLL\\x02\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x7f\\xff"
      PFADD unknown a
      SET dense "HYLL\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x7f\\xff"
      PFADD dense a
      SET empty "HYLL\\x01\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00"
      PFADD empty a
      PFADD empty
      PFADD
    `)).toMatchInlineSnapshot(`
      "> RPUSH list a
        #1 ListPushed key=list side=right elements=[a]
      (integer) 1
      > PFADD list a
      (error) WRONGTYPE Operation against a key holding the wrong kind of value
      > SET text hello
        #2 StringSet key=text value=hello expireAt=null
      OK
      > PFADD text a
      (error) WRONGTYPE Key is not a valid HyperLogLog string value.
      > SET number 12345678901234567
        #3 StringSet key=number value=12345678901234567 expireAt=null
      OK
      > PFADD number a
      (error) WRONGTYPE Key is not a valid HyperLogLog string value.
      > SET short "HYLL\\x01\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00"
        #4 StringSet key=short value=HYLL\\x01\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00 expireAt=null
      OK
      > PFADD short a
      (error) WRONGTYPE Key is not a valid HyperLogLog string value.
      > SET unknown "HYLL\\x02\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x7f\\xff"
        #5 StringSet key=unknown value=HYLL\\x02\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x7f\\xff expireAt=null
      OK
      > PFADD unknown a
      (error) WRONGTYPE Key is not a valid HyperLogLog string value.
      > SET dense "HYLL\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x7f\\xff"
        #6 StringSet key=dense value=HYLL\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x7f\\xff expireAt=null
      OK
      > PFADD dense a
      (error) WRONGTYPE Key is not a valid HyperLogLog string value.
      > SET empty "HYLL\\x01\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00"
        #7 StringSet key=empty value=HYLL\\x01\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00 expireAt=null
      OK
      > PFADD empty a
      (error) INVALIDOBJ Corrupted HLL object detected
      > PFADD empty
      (integer) 0
      > PFADD
      (error) ERR wrong number of arguments for 'pfadd' command"
    `)
  })

  it("changes nothing when the runs end before one of its elements", () => {
    expect(transcript(`
      SET h "HYLL\\x01\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x5f\\xff"
      PFADD h a
      PFADD h d a
      GET h
      PFADD h d
    `)).toMatchInlineSnapshot(`
      "> SET h "HYLL\\x01\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x5f\\xff"
        #1 StringSet key=h value=HYLL\\x01\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00_\\xff expireAt=null
      OK
      > PFADD h a
      (error) INVALIDOBJ Corrupted HLL object detected
      > PFADD h d a
      (error) INVALIDOBJ Corrupted HLL object detected
      > GET h
      "HYLL\\x01\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00_\\xff"
      > PFADD h d
        #2 StringRangeSet key=h offset=15 value=\\x80
        #2 StringSpliced key=h offset=16 removed=2 value=\\{\\x80C\\x82
      (integer) 1"
    `)
  })

  it("becomes dense at the limit, in the middle of a request too", () => {
    const harness = new Harness()
    harness.executor.keyspace.limits.sparseHyperLogLogBytes = 24
    expect(transcript(
      `
      PFADD h a
      PFADD h b
      PFDEBUG ENCODING h
      PFADD h c
      PFDEBUG ENCODING h
      PFADD i a b c d e
      PFDEBUG ENCODING i
      PFCOUNT i
    `,
      { harness }
    )).toMatchInlineSnapshot(`
      "> PFADD h a
        #1 StringRangeSet key=h offset=0 value=HYLL\\x01\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x80q\\xa6\\x84NW
      (integer) 1
      > PFADD h b
        #2 StringSpliced key=h offset=19 removed=2 value=K\\xfb\\x80BZ
      (integer) 1
      > PFDEBUG ENCODING h
      sparse
      > PFADD h c
        #3 StringRangeSet key=h offset=0 value=HYLL\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x80\\x00\\x00… (49204 bytes)
      (integer) 1
      > PFDEBUG ENCODING h
      dense
      > PFADD i a b c d e
        #4 StringRangeSet key=i offset=0 value=HYLL\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x80\\x00\\x00… (49201 bytes)
      (integer) 1
      > PFDEBUG ENCODING i
      dense
      > PFCOUNT i
        #5 StringRangeSet key=i offset=8 value=\\x05\\x00\\x00\\x00\\x00\\x00\\x00\\x00
      (integer) 5"
    `)
  })
})

describe("PFCOUNT", () => {
  it("keeps the count in the value, once, and counts several together without keeping anything", () => {
    expect(transcript(`
      PFCOUNT h
      PFADD h a b c
      PFCOUNT h
      PFCOUNT h
      PFADD i c d
      PFCOUNT h i nokey
      PFCOUNT nokey nokey
      RPUSH list a
      PFCOUNT list
      PFCOUNT h list
      SET text x
      PFCOUNT text
      PFCOUNT h text
      PFCOUNT
    `)).toMatchInlineSnapshot(`
      "> PFCOUNT h
      (integer) 0
      > PFADD h a b c
        #1 StringRangeSet key=h offset=0 value=HYLL\\x01\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x80\`\\xf3\\x8… (81 bytes)
      (integer) 1
      > PFCOUNT h
        #2 StringRangeSet key=h offset=8 value=\\x03\\x00\\x00\\x00\\x00\\x00\\x00\\x00
      (integer) 3
      > PFCOUNT h
      (integer) 3
      > PFADD i c d
        #3 StringRangeSet key=i offset=0 value=HYLL\\x01\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x80\\{\\x80Dv\\x80_\\x0a
      (integer) 1
      > PFCOUNT h i nokey
      (integer) 4
      > PFCOUNT nokey nokey
      (integer) 0
      > RPUSH list a
        #4 ListPushed key=list side=right elements=[a]
      (integer) 1
      > PFCOUNT list
      (error) WRONGTYPE Operation against a key holding the wrong kind of value
      > PFCOUNT h list
      (error) WRONGTYPE Operation against a key holding the wrong kind of value
      > SET text x
        #5 StringSet key=text value=x expireAt=null
      OK
      > PFCOUNT text
      (error) WRONGTYPE Key is not a valid HyperLogLog string value.
      > PFCOUNT h text
      (error) WRONGTYPE Key is not a valid HyperLogLog string value.
      > PFCOUNT
      (error) ERR wrong number of arguments for 'pfcount' command"
    `)
  })

  it("refuses runs that do not add up, unless the header has the answer", () => {
    expect(transcript(`
      SET h "HYLL\\x01\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x80\\x7f\\xfe"
      PFCOUNT h
      PFCOUNT h h
      SET h "HYLL\\x01\\x00\\x00\\x00\\x07\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x7f\\xfe"
      PFCOUNT h
      SET h "HYLL\\x01\\x00\\x00\\x00\\xff\\xff\\xff\\xff\\xff\\xff\\xff\\x7f\\x7f\\xfe"
      PFCOUNT h
    `)).toMatchInlineSnapshot(`
      "> SET h "HYLL\\x01\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x80\\x7f\\xfe"
        #1 StringSet key=h value=HYLL\\x01\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x80\\x7f\\xfe expireAt=null
      OK
      > PFCOUNT h
      (error) INVALIDOBJ Corrupted HLL object detected
      > PFCOUNT h h
      (error) INVALIDOBJ Corrupted HLL object detected
      > SET h "HYLL\\x01\\x00\\x00\\x00\\x07\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x7f\\xfe"
        #2 StringSet key=h value=HYLL\\x01\\x00\\x00\\x00\\x07\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x7f\\xfe expireAt=null
      OK
      > PFCOUNT h
      (integer) 7
      > SET h "HYLL\\x01\\x00\\x00\\x00\\xff\\xff\\xff\\xff\\xff\\xff\\xff\\x7f\\x7f\\xfe"
        #3 StringSet key=h value=HYLL\\x01\\x00\\x00\\x00\\xff\\xff\\xff\\xff\\xff\\xff\\xff\\x7f\\x7f\\xfe expireAt=null
      OK
      > PFCOUNT h
      (integer) 9223372036854775807"
    `)
  })

  it("answers without keeping the count while nothing may be recorded", () => {
    const harness = new Harness()
    harness.run("PFADD", "h", "a", "b")
    const before = harness.run("GET", "h")
    harness.failure = new LogUnavailable({ reason: "disk full" })
    expect(harness.run("PFCOUNT", "h")).toBe(":2\r\n")
    harness.failure = undefined
    harness.executor.pause = "write"
    expect(harness.run("PFCOUNT", "h")).toBe(":2\r\n")
    expect(harness.run("GET", "h")).toBe(before)
    harness.executor.pause = "none"
    expect(harness.run("PFCOUNT", "h")).toBe(":2\r\n")
    expect(harness.run("GET", "h")).not.toBe(before)
  })

  it("tells whoever watches the key that the value has changed", () => {
    expect(transcript(
      `
      PFADD h a
      WATCH h
      2: PFCOUNT h
      MULTI
      PING
      EXEC
      WATCH h
      2: PFCOUNT h
      MULTI
      PFADD h b
      PFCOUNT h
      PFADD h c d
      EXEC
    `,
      { harness: controlHarness().harness }
    )).toMatchInlineSnapshot(`
      "> PFADD h a
        #1 StringRangeSet key=h offset=0 value=HYLL\\x01\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x80q\\xa6\\x84NW
      (integer) 1
      > WATCH h
      OK
      > 2: PFCOUNT h
        #2 StringRangeSet key=h offset=8 value=\\x01\\x00\\x00\\x00\\x00\\x00\\x00\\x00
      (integer) 1
      > MULTI
      OK
      > PING
      QUEUED
      > EXEC
      (nil array)
      > WATCH h
      OK
      > 2: PFCOUNT h
      (integer) 1
      > MULTI
      OK
      > PFADD h b
      QUEUED
      > PFCOUNT h
      QUEUED
      > PFADD h c d
      QUEUED
      > EXEC
        #3 StringRangeSet key=h offset=15 value=\\x80
        #3 StringSpliced key=h offset=19 removed=2 value=K\\xfb\\x80BZ
        #3 StringRangeSet key=h offset=8 value=\\x02\\x00\\x00\\x00\\x00\\x00\\x00\\x00
        #3 StringRangeSet key=h offset=15 value=\\x80
        #3 StringSpliced key=h offset=16 removed=2 value=\\{\\x80Dv\\x80P\\xb1
      [(integer) 1, (integer) 2, (integer) 1]"
    `)
  })

  it("is right within three standard errors about a million elements, added a thousand at a time", () => {
    const harness = new Harness()
    for (let i = 0; i < 1000; i++) {
      harness.run("PFADD", "h", ...Array.from({ length: 1000 }, (_, n) => `element:${i * 1000 + n}`))
    }
    const found = Number(harness.run("PFCOUNT", "h").slice(1))
    expect(Math.abs(found - 1_000_000)).toBeLessThan(1_000_000 * 3 * 0.0081)
  })
})

describe("PFMERGE", () => {
  it("adds up, with what the destination holds", () => {
    expect(transcript(`
      PFADD a 1 2
      PFADD b 2 3
      PFMERGE all a b nokey
      PFDEBUG DECODE all
      PFCOUNT all
      PFMERGE all
      PFMERGE all
      PFADD c 4
      PFMERGE all c
      PFCOUNT all
      PFMERGE new
      PFDEBUG DECODE new
    `)).toMatchInlineSnapshot(`
      "> PFADD a 1 2
        #1 StringRangeSet key=a offset=0 value=HYLL\\x01\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x80]f\\x80^\\xa2\\x8cC\\xf3
      (integer) 1
      > PFADD b 2 3
        #2 StringRangeSet key=b offset=0 value=HYLL\\x01\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x80j\\xdc\\x80Q,\\x8cC\\xf3
      (integer) 1
      > PFMERGE all a b nokey
        #3 StringRangeSet key=all offset=0 value=HYLL\\x01\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x80]f\\x80Mt\\x80Q,\\x8cC\\xf3
      OK
      > PFDEBUG DECODE all
      "Z:7527 v:1,1 Z:3445 v:1,1 Z:4397 v:4,1 Z:1012"
      > PFCOUNT all
        #4 StringRangeSet key=all offset=8 value=\\x03\\x00\\x00\\x00\\x00\\x00\\x00\\x00
      (integer) 3
      > PFMERGE all
        #5 StringRangeSet key=all offset=15 value=\\x80
      OK
      > PFMERGE all
        #6 StringRangeSet key=all offset=15 value=\\x80
      OK
      > PFADD c 4
        #7 StringRangeSet key=c offset=0 value=HYLL\\x01\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x80A\\xee\\x84~\\x0f
      (integer) 1
      > PFMERGE all c
        #8 StringSpliced key=all offset=16 removed=2 value=A\\xee\\x84[v
      OK
      > PFCOUNT all
        #9 StringRangeSet key=all offset=8 value=\\x04\\x00\\x00\\x00\\x00\\x00\\x00\\x00
      (integer) 4
      > PFMERGE new
        #10 StringRangeSet key=new offset=0 value=HYLL\\x01\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x80\\x7f\\xff
      OK
      > PFDEBUG DECODE new
      "Z:16384""
    `)
  })

  it("is dense when one of them is", () => {
    expect(transcript(`
      PFADD a 1
      PFADD b 2
      PFDEBUG TODENSE b
      PFMERGE a b
      PFDEBUG ENCODING a
      PFCOUNT a
      PFADD c 3 4
      PFMERGE a c
      PFMERGE a c
      PFMERGE new b c
      PFCOUNT new
    `)).toMatchInlineSnapshot(`
      "> PFADD a 1
        #1 StringRangeSet key=a offset=0 value=HYLL\\x01\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x80]f\\x80b\\x97
      (integer) 1
      > PFADD b 2
        #2 StringRangeSet key=b offset=0 value=HYLL\\x01\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x80|\\x0a\\x8cC\\xf3
      (integer) 1
      > PFDEBUG TODENSE b
        #3 StringRangeSet key=b offset=0 value=HYLL\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x80\\x00\\x00… (49204 bytes)
      (integer) 1
      > PFMERGE a b
        #4 StringRangeSet key=a offset=0 value=HYLL\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x80\\x00\\x00… (49204 bytes)
      OK
      > PFDEBUG ENCODING a
      dense
      > PFCOUNT a
        #5 StringRangeSet key=a offset=8 value=\\x02\\x00\\x00\\x00\\x00\\x00\\x00\\x00
      (integer) 2
      > PFADD c 3 4
        #6 StringRangeSet key=c offset=0 value=HYLL\\x01\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x80A\\xee\\x84h\\xec\\x80U!
      (integer) 1
      > PFMERGE a c
        #7 StringRangeSet key=a offset=15 value=\\x80
        #7 StringRangeSet key=a offset=387 value=\\x08
        #7 StringRangeSet key=a offset=8245 value=@
      OK
      > PFMERGE a c
        #8 StringRangeSet key=a offset=15 value=\\x80
      OK
      > PFMERGE new b c
        #9 StringRangeSet key=new offset=0 value=HYLL\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x80\\x00\\x00… (49201 bytes)
      OK
      > PFCOUNT new
        #10 StringRangeSet key=new offset=8 value=\\x03\\x00\\x00\\x00\\x00\\x00\\x00\\x00
      (integer) 3"
    `)
  })

  it("refuses what is none, and then changes nothing", () => {
    expect(transcript(`
      PFADD a 1
      SET text x
      PFMERGE a text
      PFMERGE text a
      RPUSH list x
      PFMERGE a list
      SET h "HYLL\\x01\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x7f\\xfe"
      PFMERGE a h
      PFMERGE h a
    `)).toMatchInlineSnapshot(`
      "> PFADD a 1
        #1 StringRangeSet key=a offset=0 value=HYLL\\x01\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x80]f\\x80b\\x97
      (integer) 1
      > SET text x
        #2 StringSet key=text value=x expireAt=null
      OK
      > PFMERGE a text
      (error) WRONGTYPE Key is not a valid HyperLogLog string value.
      > PFMERGE text a
      (error) WRONGTYPE Key is not a valid HyperLogLog string value.
      > RPUSH list x
        #3 ListPushed key=list side=right elements=[x]
      (integer) 1
      > PFMERGE a list
      (error) WRONGTYPE Operation against a key holding the wrong kind of value
      > SET h "HYLL\\x01\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x7f\\xfe"
        #4 StringSet key=h value=HYLL\\x01\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x7f\\xfe expireAt=null
      OK
      > PFMERGE a h
      (error) INVALIDOBJ Corrupted HLL object detected
      > PFMERGE h a
      (error) INVALIDOBJ Corrupted HLL object detected"
    `)
  })
})

describe("PFDEBUG", () => {
  it("shows and changes the encoding", () => {
    expect(transcript(`
      PFADD h a
      PFCOUNT h
      PFDEBUG ENCODING h
      pfdebug decode h
      PFDEBUG TODENSE h
      PFDEBUG TODENSE h
      PFDEBUG DECODE h
      PFDEBUG ENCODING h
      PFCOUNT h
      PFDEBUG NOSUCH h
      PFDEBUG ENCODING nokey
      PFDEBUG NOSUCH nokey
      SET text x
      PFDEBUG ENCODING text
      SET h "HYLL\\x01\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x7f\\xfe"
      PFDEBUG TODENSE h
      PFDEBUG GETREG h
      PFDEBUG ENCODING
    `)).toMatchInlineSnapshot(`
      "> PFADD h a
        #1 StringRangeSet key=h offset=0 value=HYLL\\x01\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x80q\\xa6\\x84NW
      (integer) 1
      > PFCOUNT h
        #2 StringRangeSet key=h offset=8 value=\\x01\\x00\\x00\\x00\\x00\\x00\\x00\\x00
      (integer) 1
      > PFDEBUG ENCODING h
      sparse
      > pfdebug decode h
      "Z:12711 v:2,1 Z:3672"
      > PFDEBUG TODENSE h
        #3 StringRangeSet key=h offset=0 value=HYLL\\x00\\x00\\x00\\x00\\x01\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00… (49204 bytes)
      (integer) 1
      > PFDEBUG TODENSE h
      (integer) 0
      > PFDEBUG DECODE h
      (error) ERR HLL encoding is not sparse
      > PFDEBUG ENCODING h
      dense
      > PFCOUNT h
      (integer) 1
      > PFDEBUG NOSUCH h
      (error) ERR Unknown PFDEBUG subcommand 'NOSUCH'
      > PFDEBUG ENCODING nokey
      (error) ERR The specified key does not exist
      > PFDEBUG NOSUCH nokey
      (error) ERR The specified key does not exist
      > SET text x
        #4 StringSet key=text value=x expireAt=null
      OK
      > PFDEBUG ENCODING text
      (error) WRONGTYPE Key is not a valid HyperLogLog string value.
      > SET h "HYLL\\x01\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x7f\\xfe"
        #5 StringSet key=h value=HYLL\\x01\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x7f\\xfe expireAt=null
      OK
      > PFDEBUG TODENSE h
      (error) INVALIDOBJ Corrupted HLL object detected
      > PFDEBUG GETREG h
      (error) INVALIDOBJ Corrupted HLL object detected
      > PFDEBUG ENCODING
      (error) ERR wrong number of arguments for 'pfdebug' command"
    `)
  })

  it("lists the registers, and makes the value dense for it", () => {
    const harness = new Harness()
    harness.run("PFADD", "h", "a")
    const registers = harness.run("PFDEBUG", "GETREG", "h").split("\r\n")
    expect(registers[0]).toBe("*16384")
    expect(registers.flatMap((line, i) => i > 0 && line !== ":0" && line !== "" ? [[i - 1, line]] : []))
      .toEqual([[12_711, ":2"]])
    expect(harness.run("PFDEBUG", "ENCODING", "h")).toBe("+dense\r\n")
    expect(harness.run("PFDEBUG", "GETREG", "h").split("\r\n")).toEqual(registers)
  })

  it("chooses how registers are merged, with the same result", () => {
    expect(transcript(`
      PFADD a 1 2 3
      PFADD b 4 5 6
      PFDEBUG TODENSE a
      PFDEBUG TODENSE b
      PFDEBUG SIMD OFF
      PFCOUNT a b
      PFMERGE off a b
      PFDEBUG SIMD on
      PFCOUNT a b
      PFMERGE off a b
      PFDEBUG SIMD maybe
    `)).toMatchInlineSnapshot(`
      "> PFADD a 1 2 3
        #1 StringRangeSet key=a offset=0 value=HYLL\\x01\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x80]f\\x80Mt\\x80Q,\\x8cC\\xf3
      (integer) 1
      > PFADD b 4 5 6
        #2 StringRangeSet key=b offset=0 value=HYLL\\x01\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x80A\\xee\\x84H#\\x80r\\xc6\\x84C"
      (integer) 1
      > PFDEBUG TODENSE a
        #3 StringRangeSet key=a offset=0 value=HYLL\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x80\\x00\\x00… (49201 bytes)
      (integer) 1
      > PFDEBUG TODENSE b
        #4 StringRangeSet key=b offset=0 value=HYLL\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x80\\x00\\x00… (49204 bytes)
      (integer) 1
      > PFDEBUG SIMD OFF
      disabled
      > PFCOUNT a b
      (integer) 6
      > PFMERGE off a b
        #5 StringRangeSet key=off offset=0 value=HYLL\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x80\\x00\\x00… (49201 bytes)
      OK
      > PFDEBUG SIMD on
      enabled
      > PFCOUNT a b
      (integer) 6
      > PFMERGE off a b
        #6 StringRangeSet key=off offset=15 value=\\x80
      OK
      > PFDEBUG SIMD maybe
      (error) ERR Argument must be ON or OFF"
    `)
  })
})

describe("PFSELFTEST", () => {
  it("finds that all is well", () => {
    expect(transcript("PFSELFTEST")).toMatchInlineSnapshot(`
      "> PFSELFTEST
      OK"
    `)
  })
})
