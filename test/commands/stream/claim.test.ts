import { describe, expect, it } from "vitest"
import { transcript } from "../../support/transcript.ts"

const read = `
    XADD s 1-0 f v1
    XADD s 2-0 f v2
    XADD s 3-0 f v3
    XGROUP CREATE s g 0
    XREADGROUP GROUP g c1 COUNT 2 STREAMS s >`

describe("XCLAIM", () => {
  it("gives what has been pending for long to another consumer", () => {
    expect(transcript(`${read}
      +100
      XCLAIM s g c2 200 1-0
      XCLAIM s g c2 100 1-0 3-0 9-9
      XCLAIM s g c2 0 2-0 JUSTID
      XCLAIM s g c3 0 1-0 IDLE 5000 RETRYCOUNT 7
      XCLAIM s g c3 0 2-0 TIME 1699999999000
      XCLAIM s g c3 0 3-0 FORCE LASTID 3-0
      XPENDING s g - + 10
      XDEL s 1-0
      XCLAIM s g c2 0 1-0 1-0
      XPENDING s g - + 10
    `)).toMatchInlineSnapshot(`
      "> XADD s 1-0 f v1
        #1 StreamEntryAdded key=s id=1-0 pairs=[f v1]
      "1-0"
      > XADD s 2-0 f v2
        #2 StreamEntryAdded key=s id=2-0 pairs=[f v2]
      "2-0"
      > XADD s 3-0 f v3
        #3 StreamEntryAdded key=s id=3-0 pairs=[f v3]
      "3-0"
      > XGROUP CREATE s g 0
        #4 StreamGroupCreated key=s group=g lastDelivered=0-0 entriesRead=null
      OK
      > XREADGROUP GROUP g c1 COUNT 2 STREAMS s >
        #5 StreamEntriesDelivered key=s group=g consumer=c1 ids=[1-0 2-0] lastDelivered=2-0 entriesRead=2 time=1700000000000
      [["s", [["1-0", ["f", "v1"]], ["2-0", ["f", "v2"]]]]]
      > +100
      > XCLAIM s g c2 200 1-0
      []
      > XCLAIM s g c2 100 1-0 3-0 9-9
        #6 StreamEntriesClaimed key=s group=g consumer=c2 ids=[1-0] counts=[2] deliveredAt=1700000000100 time=1700000000100
      [["1-0", ["f", "v1"]]]
      > XCLAIM s g c2 0 2-0 JUSTID
        #7 StreamEntriesClaimed key=s group=g consumer=c2 ids=[2-0] counts=[1] deliveredAt=1700000000100 time=1700000000100
      ["2-0"]
      > XCLAIM s g c3 0 1-0 IDLE 5000 RETRYCOUNT 7
        #8 StreamEntriesClaimed key=s group=g consumer=c3 ids=[1-0] counts=[7] deliveredAt=1699999995100 time=1700000000100
      [["1-0", ["f", "v1"]]]
      > XCLAIM s g c3 0 2-0 TIME 1699999999000
        #9 StreamEntriesClaimed key=s group=g consumer=c3 ids=[2-0] counts=[2] deliveredAt=1699999999000 time=1700000000100
      [["2-0", ["f", "v2"]]]
      > XCLAIM s g c3 0 3-0 FORCE LASTID 3-0
        #10 StreamGroupIdSet key=s group=g lastDelivered=3-0 entriesRead=2
        #10 StreamEntriesClaimed key=s group=g consumer=c3 ids=[3-0] counts=[2] deliveredAt=1700000000100 time=1700000000100
      [["3-0", ["f", "v3"]]]
      > XPENDING s g - + 10
      [["1-0", "c3", (integer) 5000, (integer) 7], ["2-0", "c3", (integer) 1100, (integer) 2], ["3-0", "c3", (integer) 0, (integer) 2]]
      > XDEL s 1-0
        #11 StreamEntriesDeleted key=s ids=[1-0]
      (integer) 1
      > XCLAIM s g c2 0 1-0 1-0
        #12 StreamEntriesAcknowledged key=s group=g ids=[1-0]
      []
      > XPENDING s g - + 10
      [["2-0", "c3", (integer) 1100, (integer) 2], ["3-0", "c3", (integer) 0, (integer) 2]]"
    `)
  })

  it("refuses what makes no sense", () => {
    expect(transcript(`${read}
      XCLAIM s g c x 1-0
      XCLAIM s g c 0 x
      XCLAIM s g c 0 1-0 IDLE x
      XCLAIM s g c 0 1-0 TIME x
      XCLAIM s g c 0 1-0 RETRYCOUNT x
      XCLAIM s g c 0 1-0 LASTID x
      XCLAIM s g c 0 1-0 BOGUS
      XCLAIM s none c 0 1-0
      XCLAIM none g c 0 1-0
      SET k v
      XCLAIM k g c 0 1-0
    `)).toMatchInlineSnapshot(`
      "> XADD s 1-0 f v1
        #1 StreamEntryAdded key=s id=1-0 pairs=[f v1]
      "1-0"
      > XADD s 2-0 f v2
        #2 StreamEntryAdded key=s id=2-0 pairs=[f v2]
      "2-0"
      > XADD s 3-0 f v3
        #3 StreamEntryAdded key=s id=3-0 pairs=[f v3]
      "3-0"
      > XGROUP CREATE s g 0
        #4 StreamGroupCreated key=s group=g lastDelivered=0-0 entriesRead=null
      OK
      > XREADGROUP GROUP g c1 COUNT 2 STREAMS s >
        #5 StreamEntriesDelivered key=s group=g consumer=c1 ids=[1-0 2-0] lastDelivered=2-0 entriesRead=2 time=1700000000000
      [["s", [["1-0", ["f", "v1"]], ["2-0", ["f", "v2"]]]]]
      > XCLAIM s g c x 1-0
      (error) ERR Invalid min-idle-time argument for XCLAIM
      > XCLAIM s g c 0 x
      (error) ERR Unrecognized XCLAIM option 'x'
      > XCLAIM s g c 0 1-0 IDLE x
      (error) ERR Invalid IDLE option argument for XCLAIM
      > XCLAIM s g c 0 1-0 TIME x
      (error) ERR Invalid TIME option argument for XCLAIM
      > XCLAIM s g c 0 1-0 RETRYCOUNT x
      (error) ERR Invalid RETRYCOUNT option argument for XCLAIM
      > XCLAIM s g c 0 1-0 LASTID x
      (error) ERR Invalid stream ID specified as stream command argument
      > XCLAIM s g c 0 1-0 BOGUS
      (error) ERR Unrecognized XCLAIM option 'BOGUS'
      > XCLAIM s none c 0 1-0
      (error) NOGROUP No such key 's' or consumer group 'none'
      > XCLAIM none g c 0 1-0
      (error) NOGROUP No such key 'none' or consumer group 'g'
      > SET k v
        #6 StringSet key=k value=v expireAt=null
      OK
      > XCLAIM k g c 0 1-0
      (error) WRONGTYPE Operation against a key holding the wrong kind of value"
    `)
  })
})

describe("XAUTOCLAIM", () => {
  it("gives what has been pending for long, a few at a time, and names what is no longer there", () => {
    expect(transcript(`${read}
      +100
      XAUTOCLAIM s g c2 200 0
      XAUTOCLAIM s g c2 100 0 COUNT 1
      XAUTOCLAIM s g c2 100 2-0 COUNT 1 JUSTID
      XDEL s 1-0
      XAUTOCLAIM s g c3 0 -
      XPENDING s g - + 10
    `)).toMatchInlineSnapshot(`
      "> XADD s 1-0 f v1
        #1 StreamEntryAdded key=s id=1-0 pairs=[f v1]
      "1-0"
      > XADD s 2-0 f v2
        #2 StreamEntryAdded key=s id=2-0 pairs=[f v2]
      "2-0"
      > XADD s 3-0 f v3
        #3 StreamEntryAdded key=s id=3-0 pairs=[f v3]
      "3-0"
      > XGROUP CREATE s g 0
        #4 StreamGroupCreated key=s group=g lastDelivered=0-0 entriesRead=null
      OK
      > XREADGROUP GROUP g c1 COUNT 2 STREAMS s >
        #5 StreamEntriesDelivered key=s group=g consumer=c1 ids=[1-0 2-0] lastDelivered=2-0 entriesRead=2 time=1700000000000
      [["s", [["1-0", ["f", "v1"]], ["2-0", ["f", "v2"]]]]]
      > +100
      > XAUTOCLAIM s g c2 200 0
      ["0-0", [], []]
      > XAUTOCLAIM s g c2 100 0 COUNT 1
        #6 StreamEntriesClaimed key=s group=g consumer=c2 ids=[1-0] counts=[2] deliveredAt=1700000000100 time=1700000000100
      ["2-0", [["1-0", ["f", "v1"]]], []]
      > XAUTOCLAIM s g c2 100 2-0 COUNT 1 JUSTID
        #7 StreamEntriesClaimed key=s group=g consumer=c2 ids=[2-0] counts=[1] deliveredAt=1700000000100 time=1700000000100
      ["0-0", ["2-0"], []]
      > XDEL s 1-0
        #8 StreamEntriesDeleted key=s ids=[1-0]
      (integer) 1
      > XAUTOCLAIM s g c3 0 -
        #9 StreamEntriesAcknowledged key=s group=g ids=[1-0]
        #9 StreamEntriesClaimed key=s group=g consumer=c3 ids=[2-0] counts=[2] deliveredAt=1700000000100 time=1700000000100
      ["0-0", [["2-0", ["f", "v2"]]], ["1-0"]]
      > XPENDING s g - + 10
      [["2-0", "c3", (integer) 0, (integer) 2]]"
    `)
  })

  it("refuses what makes no sense", () => {
    expect(transcript(`${read}
      XAUTOCLAIM s g c x 0
      XAUTOCLAIM s g c 0 x
      XAUTOCLAIM s g c 0 0 COUNT 0
      XAUTOCLAIM s g c 0 0 COUNT x
      XAUTOCLAIM s g c 0 0 COUNT 9223372036854775807
      XAUTOCLAIM s g c 0 0 BOGUS
      XAUTOCLAIM s none c 0 0
      XAUTOCLAIM none g c 0 0
      SET k v
      XAUTOCLAIM k g c 0 0
    `)).toMatchInlineSnapshot(`
      "> XADD s 1-0 f v1
        #1 StreamEntryAdded key=s id=1-0 pairs=[f v1]
      "1-0"
      > XADD s 2-0 f v2
        #2 StreamEntryAdded key=s id=2-0 pairs=[f v2]
      "2-0"
      > XADD s 3-0 f v3
        #3 StreamEntryAdded key=s id=3-0 pairs=[f v3]
      "3-0"
      > XGROUP CREATE s g 0
        #4 StreamGroupCreated key=s group=g lastDelivered=0-0 entriesRead=null
      OK
      > XREADGROUP GROUP g c1 COUNT 2 STREAMS s >
        #5 StreamEntriesDelivered key=s group=g consumer=c1 ids=[1-0 2-0] lastDelivered=2-0 entriesRead=2 time=1700000000000
      [["s", [["1-0", ["f", "v1"]], ["2-0", ["f", "v2"]]]]]
      > XAUTOCLAIM s g c x 0
      (error) ERR Invalid min-idle-time argument for XAUTOCLAIM
      > XAUTOCLAIM s g c 0 x
      (error) ERR Invalid stream ID specified as stream command argument
      > XAUTOCLAIM s g c 0 0 COUNT 0
      (error) ERR COUNT must be > 0
      > XAUTOCLAIM s g c 0 0 COUNT x
      (error) ERR COUNT must be > 0
      > XAUTOCLAIM s g c 0 0 COUNT 9223372036854775807
      (error) ERR COUNT must be > 0
      > XAUTOCLAIM s g c 0 0 BOGUS
      (error) ERR syntax error
      > XAUTOCLAIM s none c 0 0
      (error) NOGROUP No such key 's' or consumer group 'none'
      > XAUTOCLAIM none g c 0 0
      (error) NOGROUP No such key 'none' or consumer group 'g'
      > SET k v
        #6 StringSet key=k value=v expireAt=null
      OK
      > XAUTOCLAIM k g c 0 0
      (error) WRONGTYPE Operation against a key holding the wrong kind of value"
    `)
  })
})
