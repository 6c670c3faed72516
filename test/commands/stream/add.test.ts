import { describe, expect, it } from "vitest"
import { transcript } from "../../support/transcript.ts"

describe("XADD", () => {
  it("takes ids from the clock, as given, or with the next sequence number", () => {
    expect(transcript(`
      XADD s * name Sara surname OConnor
      XADD s * a 1
      +5
      XADD s * a 1
      XADD s 1700000000005-* a 1
      XADD s 1700000000006 a 1
      XADD s 1700000000006-* a 1
      XADD s 1800000000000-18446744073709551615 a 1
      XADD s * a 1
      XADD s 1800000000001-* a 1
      XLEN s
    `)).toMatchInlineSnapshot(`
      "> XADD s * name Sara surname OConnor
        #1 StreamEntryAdded key=s id=1700000000000-0 pairs=[name Sara surname OConnor]
      "1700000000000-0"
      > XADD s * a 1
        #2 StreamEntryAdded key=s id=1700000000000-1 pairs=[a 1]
      "1700000000000-1"
      > +5
      > XADD s * a 1
        #3 StreamEntryAdded key=s id=1700000000005-0 pairs=[a 1]
      "1700000000005-0"
      > XADD s 1700000000005-* a 1
        #4 StreamEntryAdded key=s id=1700000000005-1 pairs=[a 1]
      "1700000000005-1"
      > XADD s 1700000000006 a 1
        #5 StreamEntryAdded key=s id=1700000000006-0 pairs=[a 1]
      "1700000000006-0"
      > XADD s 1700000000006-* a 1
        #6 StreamEntryAdded key=s id=1700000000006-1 pairs=[a 1]
      "1700000000006-1"
      > XADD s 1800000000000-18446744073709551615 a 1
        #7 StreamEntryAdded key=s id=1800000000000-18446744073709551615 pairs=[a 1]
      "1800000000000-18446744073709551615"
      > XADD s * a 1
        #8 StreamEntryAdded key=s id=1800000000001-0 pairs=[a 1]
      "1800000000001-0"
      > XADD s 1800000000001-* a 1
        #9 StreamEntryAdded key=s id=1800000000001-1 pairs=[a 1]
      "1800000000001-1"
      > XLEN s
      (integer) 9"
    `)
  })

  it("refuses ids that do not go up, and what else is wrong, and makes nothing then", () => {
    expect(transcript(`
      XADD s 0-0 a 1
      XADD s 0-* a 1
      XADD s 0-1 a 1
      XADD s 0 a 1
      XADD s abc a 1
      XADD s 5-18446744073709551615 a 1
      XADD s 5-* a 1
      XADD s * a
      XADD s MAXLEN
      XADD s MAXLEN 1 MINID 1 * a 1
      XADD s MAXLEN -1 * a 1
      XADD s MAXLEN 1 LIMIT 1 * a 1
      XADD s KEEPREF ACKED * a 1
      XADD n 18446744073709551615-18446744073709551615 a 1
      XADD n * a 1
      SET k v
      XADD k * a 1
      XADD none NOMKSTREAM * a 1
      EXISTS none
    `)).toMatchInlineSnapshot(`
      "> XADD s 0-0 a 1
      (error) ERR The ID specified in XADD must be greater than 0-0
      > XADD s 0-* a 1
        #1 StreamEntryAdded key=s id=0-1 pairs=[a 1]
      "0-1"
      > XADD s 0-1 a 1
      (error) ERR The ID specified in XADD is equal or smaller than the target stream top item
      > XADD s 0 a 1
      (error) ERR The ID specified in XADD must be greater than 0-0
      > XADD s abc a 1
      (error) ERR Invalid stream ID specified as stream command argument
      > XADD s 5-18446744073709551615 a 1
        #2 StreamEntryAdded key=s id=5-18446744073709551615 pairs=[a 1]
      "5-18446744073709551615"
      > XADD s 5-* a 1
      (error) ERR The ID specified in XADD is equal or smaller than the target stream top item
      > XADD s * a
      (error) ERR wrong number of arguments for 'xadd' command
      > XADD s MAXLEN
      (error) ERR wrong number of arguments for 'xadd' command
      > XADD s MAXLEN 1 MINID 1 * a 1
      (error) ERR syntax error, MAXLEN and MINID options at the same time are not compatible
      > XADD s MAXLEN -1 * a 1
      (error) ERR The MAXLEN argument must be >= 0.
      > XADD s MAXLEN 1 LIMIT 1 * a 1
      (error) ERR syntax error, LIMIT cannot be used without the special ~ option
      > XADD s KEEPREF ACKED * a 1
      (error) ERR syntax error
      > XADD n 18446744073709551615-18446744073709551615 a 1
        #3 StreamEntryAdded key=n id=18446744073709551615-18446744073709551615 pairs=[a 1]
      "18446744073709551615-18446744073709551615"
      > XADD n * a 1
      (error) ERR The stream has exhausted the last possible ID, unable to add more items
      > SET k v
        #4 StringSet key=k value=v expireAt=null
      OK
      > XADD k * a 1
      (error) WRONGTYPE Operation against a key holding the wrong kind of value
      > XADD none NOMKSTREAM * a 1
      (nil)
      > EXISTS none
      (integer) 0"
    `)
  })

  it("trims, the new entry included, and what is left alone begins anew", () => {
    expect(transcript(`
      XADD s 1-1 a 1
      XADD s MAXLEN 2 2-1 a 1
      XADD s MAXLEN = 2 3-1 a 1
      XADD s MINID 3 4-1 a 1
      XADD s MINID 9 5-1 a 1
      XADD s MAXLEN 0 6-1 a 1
      XLEN s
      EXISTS s
      PEXPIRE s 1000
      +1000
      XADD s 1-1 a 1
    `)).toMatchInlineSnapshot(`
      "> XADD s 1-1 a 1
        #1 StreamEntryAdded key=s id=1-1 pairs=[a 1]
      "1-1"
      > XADD s MAXLEN 2 2-1 a 1
        #2 StreamEntryAdded key=s id=2-1 pairs=[a 1]
      "2-1"
      > XADD s MAXLEN = 2 3-1 a 1
        #3 StreamEntryAdded key=s id=3-1 pairs=[a 1]
        #3 StreamTrimmed key=s count=1
      "3-1"
      > XADD s MINID 3 4-1 a 1
        #4 StreamEntryAdded key=s id=4-1 pairs=[a 1]
        #4 StreamTrimmed key=s count=1
      "4-1"
      > XADD s MINID 9 5-1 a 1
        #5 StreamEntryAdded key=s id=5-1 pairs=[a 1]
        #5 StreamTrimmed key=s count=3
      "5-1"
      > XADD s MAXLEN 0 6-1 a 1
        #6 StreamEntryAdded key=s id=6-1 pairs=[a 1]
        #6 StreamTrimmed key=s count=1
      "6-1"
      > XLEN s
      (integer) 0
      > EXISTS s
      (integer) 1
      > PEXPIRE s 1000
        #7 KeyExpirySet key=s expireAt=1700000001000
      (integer) 1
      > +1000
      > XADD s 1-1 a 1
        #8 by expire KeyExpired key=s
        #9 StreamEntryAdded key=s id=1-1 pairs=[a 1]
      "1-1""
    `)
  })
})

describe("XADD, what is trimmed and pending", () => {
  const pending = `
    XADD s 1-0 f v
    XADD s 2-0 f v
    XADD s 3-0 f v
    XGROUP CREATE s g 0
    XREADGROUP GROUP g c COUNT 2 STREAMS s >`

  it("stays pending with KEEPREF, which is usual, and does not with DELREF", () => {
    expect(transcript(`${pending}
      XADD s MAXLEN 3 KEEPREF 4-0 f v
      XPENDING s g
      XADD s DELREF MAXLEN 1 5-0 f v
      XPENDING s g
      XRANGE s - +
    `)).toMatchInlineSnapshot(`
      "> XADD s 1-0 f v
        #1 StreamEntryAdded key=s id=1-0 pairs=[f v]
      "1-0"
      > XADD s 2-0 f v
        #2 StreamEntryAdded key=s id=2-0 pairs=[f v]
      "2-0"
      > XADD s 3-0 f v
        #3 StreamEntryAdded key=s id=3-0 pairs=[f v]
      "3-0"
      > XGROUP CREATE s g 0
        #4 StreamGroupCreated key=s group=g lastDelivered=0-0 entriesRead=null
      OK
      > XREADGROUP GROUP g c COUNT 2 STREAMS s >
        #5 StreamEntriesDelivered key=s group=g consumer=c ids=[1-0 2-0] lastDelivered=2-0 entriesRead=2 time=1700000000000
      [["s", [["1-0", ["f", "v"]], ["2-0", ["f", "v"]]]]]
      > XADD s MAXLEN 3 KEEPREF 4-0 f v
        #6 StreamEntryAdded key=s id=4-0 pairs=[f v]
        #6 StreamTrimmed key=s count=1
      "4-0"
      > XPENDING s g
      [(integer) 2, "1-0", "2-0", [["c", "2"]]]
      > XADD s DELREF MAXLEN 1 5-0 f v
        #7 StreamEntryAdded key=s id=5-0 pairs=[f v]
        #7 StreamEntriesAcknowledged key=s group=g ids=[2-0]
        #7 StreamTrimmed key=s count=3
      "5-0"
      > XPENDING s g
      [(integer) 1, "1-0", "1-0", [["c", "1"]]]
      > XRANGE s - +
      [["5-0", ["f", "v"]]]"
    `)
  })

  it("stays with ACKED until every group has acknowledged it; the new entry counts", () => {
    expect(transcript(`${pending}
      XADD s MAXLEN = 1 ACKED 4-0 f v
      XACK s g 2-0
      XADD s MAXLEN = 1 ACKED 5-0 f v
      XRANGE s - +
      XREADGROUP GROUP g c STREAMS s >
      XACK s g 1-0 3-0 4-0 5-0
      XADD s MAXLEN = 1 ACKED 6-0 f v
      XRANGE s - +
      XGROUP SETID s g 9-0
      XADD s MAXLEN 0 ACKED 7-0 f v
      XLEN s
    `)).toMatchInlineSnapshot(`
      "> XADD s 1-0 f v
        #1 StreamEntryAdded key=s id=1-0 pairs=[f v]
      "1-0"
      > XADD s 2-0 f v
        #2 StreamEntryAdded key=s id=2-0 pairs=[f v]
      "2-0"
      > XADD s 3-0 f v
        #3 StreamEntryAdded key=s id=3-0 pairs=[f v]
      "3-0"
      > XGROUP CREATE s g 0
        #4 StreamGroupCreated key=s group=g lastDelivered=0-0 entriesRead=null
      OK
      > XREADGROUP GROUP g c COUNT 2 STREAMS s >
        #5 StreamEntriesDelivered key=s group=g consumer=c ids=[1-0 2-0] lastDelivered=2-0 entriesRead=2 time=1700000000000
      [["s", [["1-0", ["f", "v"]], ["2-0", ["f", "v"]]]]]
      > XADD s MAXLEN = 1 ACKED 4-0 f v
        #6 StreamEntryAdded key=s id=4-0 pairs=[f v]
      "4-0"
      > XACK s g 2-0
        #7 StreamEntriesAcknowledged key=s group=g ids=[2-0]
      (integer) 1
      > XADD s MAXLEN = 1 ACKED 5-0 f v
        #8 StreamEntryAdded key=s id=5-0 pairs=[f v]
        #8 StreamEntriesTrimmed key=s ids=[2-0]
      "5-0"
      > XRANGE s - +
      [["1-0", ["f", "v"]], ["3-0", ["f", "v"]], ["4-0", ["f", "v"]], ["5-0", ["f", "v"]]]
      > XREADGROUP GROUP g c STREAMS s >
        #9 StreamEntriesDelivered key=s group=g consumer=c ids=[3-0 4-0 5-0] lastDelivered=5-0 entriesRead=5 time=1700000000000
      [["s", [["3-0", ["f", "v"]], ["4-0", ["f", "v"]], ["5-0", ["f", "v"]]]]]
      > XACK s g 1-0 3-0 4-0 5-0
        #10 StreamEntriesAcknowledged key=s group=g ids=[1-0 3-0 4-0 5-0]
      (integer) 4
      > XADD s MAXLEN = 1 ACKED 6-0 f v
        #11 StreamEntryAdded key=s id=6-0 pairs=[f v]
        #11 StreamTrimmed key=s count=4
      "6-0"
      > XRANGE s - +
      [["6-0", ["f", "v"]]]
      > XGROUP SETID s g 9-0
        #12 StreamGroupIdSet key=s group=g lastDelivered=9-0 entriesRead=null
      OK
      > XADD s MAXLEN 0 ACKED 7-0 f v
        #13 StreamEntryAdded key=s id=7-0 pairs=[f v]
        #13 StreamTrimmed key=s count=2
      "7-0"
      > XLEN s
      (integer) 0"
    `)
  })

  it("needs no group: without one ACKED trims like KEEPREF", () => {
    expect(transcript(`
      XADD s 1-0 f v
      XADD s ACKED MAXLEN 1 2-0 f v
      XLEN s
    `)).toMatchInlineSnapshot(`
      "> XADD s 1-0 f v
        #1 StreamEntryAdded key=s id=1-0 pairs=[f v]
      "1-0"
      > XADD s ACKED MAXLEN 1 2-0 f v
        #2 StreamEntryAdded key=s id=2-0 pairs=[f v]
        #2 StreamTrimmed key=s count=1
      "2-0"
      > XLEN s
      (integer) 1"
    `)
  })
})
