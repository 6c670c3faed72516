import { describe, expect, it } from "vitest"
import { transcript } from "../../support/transcript.ts"

const twoGroups = `
    XADD s 1-0 f v
    XADD s 2-0 f v
    XGROUP CREATE s g1 0
    XGROUP CREATE s g2 0
    XREADGROUP GROUP g1 c1 STREAMS s >
    XREADGROUP GROUP g2 c2 STREAMS s >`

describe("XDEL", () => {
  it("removes entries and counts those that were there", () => {
    expect(transcript(`
      XADD s 1-1 a 1
      XADD s 1-2 a 1
      XADD s 1-3 a 1
      XDEL s 1-1 1-3 1-1 2-1
      XRANGE s - +
      XDEL s x
      XDEL s 1-2
      EXISTS s
      XDEL s 1-2
      XDEL none 1-1
      SET k v
      XDEL k 1-1
    `)).toMatchInlineSnapshot(`
      "> XADD s 1-1 a 1
        #1 StreamEntryAdded key=s id=1-1 pairs=[a 1]
      "1-1"
      > XADD s 1-2 a 1
        #2 StreamEntryAdded key=s id=1-2 pairs=[a 1]
      "1-2"
      > XADD s 1-3 a 1
        #3 StreamEntryAdded key=s id=1-3 pairs=[a 1]
      "1-3"
      > XDEL s 1-1 1-3 1-1 2-1
        #4 StreamEntriesDeleted key=s ids=[1-1 1-3]
      (integer) 2
      > XRANGE s - +
      [["1-2", ["a", "1"]]]
      > XDEL s x
      (error) ERR Invalid stream ID specified as stream command argument
      > XDEL s 1-2
        #5 StreamEntriesDeleted key=s ids=[1-2]
      (integer) 1
      > EXISTS s
      (integer) 1
      > XDEL s 1-2
      (integer) 0
      > XDEL none 1-1
      (integer) 0
      > SET k v
        #6 StringSet key=k value=v expireAt=null
      OK
      > XDEL k 1-1
      (error) WRONGTYPE Operation against a key holding the wrong kind of value"
    `)
  })
})

describe("XDELEX", () => {
  it("answers for each id what became of it", () => {
    expect(transcript(`
      XADD s 1-0 field1 value1
      XADD s 2-0 field2 value2
      XDELEX s KEEPREF IDS 2 1526919030474-55 1526919030474-56
      XDELEX s IDS 3 1-0 7-7 1-0
      XRANGE s - +
      XDELEX none IDS 2 1-1 2-2
      SET k v
      XDELEX k IDS 1 1-1
    `)).toMatchInlineSnapshot(`
      "> XADD s 1-0 field1 value1
        #1 StreamEntryAdded key=s id=1-0 pairs=[field1 value1]
      "1-0"
      > XADD s 2-0 field2 value2
        #2 StreamEntryAdded key=s id=2-0 pairs=[field2 value2]
      "2-0"
      > XDELEX s KEEPREF IDS 2 1526919030474-55 1526919030474-56
      [(integer) -1, (integer) -1]
      > XDELEX s IDS 3 1-0 7-7 1-0
        #3 StreamEntriesDeleted key=s ids=[1-0]
      [(integer) 1, (integer) -1, (integer) -1]
      > XRANGE s - +
      [["2-0", ["field2", "value2"]]]
      > XDELEX none IDS 2 1-1 2-2
      [(integer) -1, (integer) -1]
      > SET k v
        #4 StringSet key=k value=v expireAt=null
      OK
      > XDELEX k IDS 1 1-1
      (error) WRONGTYPE Operation against a key holding the wrong kind of value"
    `)
  })

  it("leaves with KEEPREF what is pending", () => {
    expect(transcript(`${twoGroups}
      XDELEX s KEEPREF IDS 2 1-0 2-0
      XPENDING s g1
    `)).toMatchInlineSnapshot(`
      "> XADD s 1-0 f v
        #1 StreamEntryAdded key=s id=1-0 pairs=[f v]
      "1-0"
      > XADD s 2-0 f v
        #2 StreamEntryAdded key=s id=2-0 pairs=[f v]
      "2-0"
      > XGROUP CREATE s g1 0
        #3 StreamGroupCreated key=s group=g1 lastDelivered=0-0 entriesRead=null
      OK
      > XGROUP CREATE s g2 0
        #4 StreamGroupCreated key=s group=g2 lastDelivered=0-0 entriesRead=null
      OK
      > XREADGROUP GROUP g1 c1 STREAMS s >
        #5 StreamEntriesDelivered key=s group=g1 consumer=c1 ids=[1-0 2-0] lastDelivered=2-0 entriesRead=2 time=1700000000000
      [["s", [["1-0", ["f", "v"]], ["2-0", ["f", "v"]]]]]
      > XREADGROUP GROUP g2 c2 STREAMS s >
        #6 StreamEntriesDelivered key=s group=g2 consumer=c2 ids=[1-0 2-0] lastDelivered=2-0 entriesRead=2 time=1700000000000
      [["s", [["1-0", ["f", "v"]], ["2-0", ["f", "v"]]]]]
      > XDELEX s KEEPREF IDS 2 1-0 2-0
        #7 StreamEntriesDeleted key=s ids=[1-0 2-0]
      [(integer) 1, (integer) 1]
      > XPENDING s g1
      [(integer) 2, "1-0", "2-0", [["c1", "2"]]]"
    `)
  })

  it("forgets with DELREF what is pending, also of entries that had gone before", () => {
    expect(transcript(`${twoGroups}
      XDEL s 1-0
      XDELEX s DELREF IDS 2 1-0 2-0
      XPENDING s g1
      XPENDING s g2
      XDELEX s DELREF IDS 1 1-0
    `)).toMatchInlineSnapshot(`
      "> XADD s 1-0 f v
        #1 StreamEntryAdded key=s id=1-0 pairs=[f v]
      "1-0"
      > XADD s 2-0 f v
        #2 StreamEntryAdded key=s id=2-0 pairs=[f v]
      "2-0"
      > XGROUP CREATE s g1 0
        #3 StreamGroupCreated key=s group=g1 lastDelivered=0-0 entriesRead=null
      OK
      > XGROUP CREATE s g2 0
        #4 StreamGroupCreated key=s group=g2 lastDelivered=0-0 entriesRead=null
      OK
      > XREADGROUP GROUP g1 c1 STREAMS s >
        #5 StreamEntriesDelivered key=s group=g1 consumer=c1 ids=[1-0 2-0] lastDelivered=2-0 entriesRead=2 time=1700000000000
      [["s", [["1-0", ["f", "v"]], ["2-0", ["f", "v"]]]]]
      > XREADGROUP GROUP g2 c2 STREAMS s >
        #6 StreamEntriesDelivered key=s group=g2 consumer=c2 ids=[1-0 2-0] lastDelivered=2-0 entriesRead=2 time=1700000000000
      [["s", [["1-0", ["f", "v"]], ["2-0", ["f", "v"]]]]]
      > XDEL s 1-0
        #7 StreamEntriesDeleted key=s ids=[1-0]
      (integer) 1
      > XDELEX s DELREF IDS 2 1-0 2-0
        #8 StreamEntriesAcknowledged key=s group=g1 ids=[1-0 2-0]
        #8 StreamEntriesAcknowledged key=s group=g2 ids=[1-0 2-0]
        #8 StreamEntriesDeleted key=s ids=[2-0]
      [(integer) -1, (integer) 1]
      > XPENDING s g1
      [(integer) 0, (nil), (nil), (nil array)]
      > XPENDING s g2
      [(integer) 0, (nil), (nil), (nil array)]
      > XDELEX s DELREF IDS 1 1-0
      [(integer) -1]"
    `)
  })

  it("removes with ACKED only what every group has read and acknowledged", () => {
    expect(transcript(`${twoGroups}
      XGROUP CREATE s g3 0
      XACK s g1 1-0 2-0
      XACK s g2 1-0 2-0
      XDELEX s ACKED IDS 2 1-0 2-0
      XREADGROUP GROUP g3 c3 STREAMS s >
      XACK s g3 1-0
      XDELEX s ACKED IDS 2 1-0 2-0
      XACK s g3 2-0
      XDELEX s ACKED IDS 1 2-0
    `)).toMatchInlineSnapshot(`
      "> XADD s 1-0 f v
        #1 StreamEntryAdded key=s id=1-0 pairs=[f v]
      "1-0"
      > XADD s 2-0 f v
        #2 StreamEntryAdded key=s id=2-0 pairs=[f v]
      "2-0"
      > XGROUP CREATE s g1 0
        #3 StreamGroupCreated key=s group=g1 lastDelivered=0-0 entriesRead=null
      OK
      > XGROUP CREATE s g2 0
        #4 StreamGroupCreated key=s group=g2 lastDelivered=0-0 entriesRead=null
      OK
      > XREADGROUP GROUP g1 c1 STREAMS s >
        #5 StreamEntriesDelivered key=s group=g1 consumer=c1 ids=[1-0 2-0] lastDelivered=2-0 entriesRead=2 time=1700000000000
      [["s", [["1-0", ["f", "v"]], ["2-0", ["f", "v"]]]]]
      > XREADGROUP GROUP g2 c2 STREAMS s >
        #6 StreamEntriesDelivered key=s group=g2 consumer=c2 ids=[1-0 2-0] lastDelivered=2-0 entriesRead=2 time=1700000000000
      [["s", [["1-0", ["f", "v"]], ["2-0", ["f", "v"]]]]]
      > XGROUP CREATE s g3 0
        #7 StreamGroupCreated key=s group=g3 lastDelivered=0-0 entriesRead=null
      OK
      > XACK s g1 1-0 2-0
        #8 StreamEntriesAcknowledged key=s group=g1 ids=[1-0 2-0]
      (integer) 2
      > XACK s g2 1-0 2-0
        #9 StreamEntriesAcknowledged key=s group=g2 ids=[1-0 2-0]
      (integer) 2
      > XDELEX s ACKED IDS 2 1-0 2-0
      [(integer) 2, (integer) 2]
      > XREADGROUP GROUP g3 c3 STREAMS s >
        #10 StreamEntriesDelivered key=s group=g3 consumer=c3 ids=[1-0 2-0] lastDelivered=2-0 entriesRead=2 time=1700000000000
      [["s", [["1-0", ["f", "v"]], ["2-0", ["f", "v"]]]]]
      > XACK s g3 1-0
        #11 StreamEntriesAcknowledged key=s group=g3 ids=[1-0]
      (integer) 1
      > XDELEX s ACKED IDS 2 1-0 2-0
        #12 StreamEntriesDeleted key=s ids=[1-0]
      [(integer) 1, (integer) 2]
      > XACK s g3 2-0
        #13 StreamEntriesAcknowledged key=s group=g3 ids=[2-0]
      (integer) 1
      > XDELEX s ACKED IDS 1 2-0
        #14 StreamEntriesDeleted key=s ids=[2-0]
      [(integer) 1]"
    `)
  })

  it("refuses what makes no sense", () => {
    expect(transcript(`
      XDELEX s DELREF
      XDELEX s IDS abc 1-1
      XDELEX s IDS 0 1-1
      XDELEX s IDS -5 1-1
      XDELEX s IDS 3 1-1 2-2
      XDELEX s IDS 1 1-1 2-2
      XDELEX s KEEPREF DELREF IDS 1 1-1
      XDELEX s KEEPREF ACKED BOGUS
      XDELEX s IDS 1 x
      XDELEX s IDS 1 1-1 ACKED
    `)).toMatchInlineSnapshot(`
      "> XDELEX s DELREF
      (error) ERR wrong number of arguments for 'xdelex' command
      > XDELEX s IDS abc 1-1
      (error) ERR Number of IDs must be a positive integer
      > XDELEX s IDS 0 1-1
      (error) ERR Number of IDs must be a positive integer
      > XDELEX s IDS -5 1-1
      (error) ERR Number of IDs must be a positive integer
      > XDELEX s IDS 3 1-1 2-2
      (error) ERR The \`numids\` parameter must match the number of arguments
      > XDELEX s IDS 1 1-1 2-2
      (error) ERR syntax error
      > XDELEX s KEEPREF DELREF IDS 1 1-1
      (error) ERR syntax error
      > XDELEX s KEEPREF ACKED BOGUS
      (error) ERR syntax error
      > XDELEX s IDS 1 x
      (error) ERR Invalid stream ID specified as stream command argument
      > XDELEX s IDS 1 1-1 ACKED
      [(integer) -1]"
    `)
  })
})

describe("XACKDEL", () => {
  it("acknowledges entries and removes them", () => {
    expect(transcript(`
      XADD s 1-0 field1 value1
      XADD s 2-0 field2 value2
      XGROUP CREATE s g 0
      XREADGROUP GROUP g consumer1 COUNT 2 STREAMS s >
      XACKDEL s g KEEPREF IDS 2 1-0 2-0
      XPENDING s g
      XRANGE s - +
      XACKDEL s g IDS 1 1-0
      XACKDEL s none IDS 1 1-0
      XACKDEL none g IDS 2 1-0 2-0
      SET k v
      XACKDEL k g IDS 1 1-0
    `)).toMatchInlineSnapshot(`
      "> XADD s 1-0 field1 value1
        #1 StreamEntryAdded key=s id=1-0 pairs=[field1 value1]
      "1-0"
      > XADD s 2-0 field2 value2
        #2 StreamEntryAdded key=s id=2-0 pairs=[field2 value2]
      "2-0"
      > XGROUP CREATE s g 0
        #3 StreamGroupCreated key=s group=g lastDelivered=0-0 entriesRead=null
      OK
      > XREADGROUP GROUP g consumer1 COUNT 2 STREAMS s >
        #4 StreamEntriesDelivered key=s group=g consumer=consumer1 ids=[1-0 2-0] lastDelivered=2-0 entriesRead=2 time=1700000000000
      [["s", [["1-0", ["field1", "value1"]], ["2-0", ["field2", "value2"]]]]]
      > XACKDEL s g KEEPREF IDS 2 1-0 2-0
        #5 StreamEntriesAcknowledged key=s group=g ids=[1-0 2-0]
        #5 StreamEntriesDeleted key=s ids=[1-0 2-0]
      [(integer) 1, (integer) 1]
      > XPENDING s g
      [(integer) 0, (nil), (nil), (nil array)]
      > XRANGE s - +
      []
      > XACKDEL s g IDS 1 1-0
      [(integer) -1]
      > XACKDEL s none IDS 1 1-0
      [(integer) -1]
      > XACKDEL none g IDS 2 1-0 2-0
      [(integer) -1, (integer) -1]
      > SET k v
        #6 StringSet key=k value=v expireAt=null
      OK
      > XACKDEL k g IDS 1 1-0
      (error) WRONGTYPE Operation against a key holding the wrong kind of value"
    `)
  })

  it("leaves with KEEPREF, and forgets with DELREF, what is pending in other groups", () => {
    expect(transcript(`${twoGroups}
      XACKDEL s g1 KEEPREF IDS 1 1-0
      XACKDEL s g1 DELREF IDS 1 2-0
      XPENDING s g2
      XACKDEL s g2 DELREF IDS 1 1-0
    `)).toMatchInlineSnapshot(`
      "> XADD s 1-0 f v
        #1 StreamEntryAdded key=s id=1-0 pairs=[f v]
      "1-0"
      > XADD s 2-0 f v
        #2 StreamEntryAdded key=s id=2-0 pairs=[f v]
      "2-0"
      > XGROUP CREATE s g1 0
        #3 StreamGroupCreated key=s group=g1 lastDelivered=0-0 entriesRead=null
      OK
      > XGROUP CREATE s g2 0
        #4 StreamGroupCreated key=s group=g2 lastDelivered=0-0 entriesRead=null
      OK
      > XREADGROUP GROUP g1 c1 STREAMS s >
        #5 StreamEntriesDelivered key=s group=g1 consumer=c1 ids=[1-0 2-0] lastDelivered=2-0 entriesRead=2 time=1700000000000
      [["s", [["1-0", ["f", "v"]], ["2-0", ["f", "v"]]]]]
      > XREADGROUP GROUP g2 c2 STREAMS s >
        #6 StreamEntriesDelivered key=s group=g2 consumer=c2 ids=[1-0 2-0] lastDelivered=2-0 entriesRead=2 time=1700000000000
      [["s", [["1-0", ["f", "v"]], ["2-0", ["f", "v"]]]]]
      > XACKDEL s g1 KEEPREF IDS 1 1-0
        #7 StreamEntriesAcknowledged key=s group=g1 ids=[1-0]
        #7 StreamEntriesDeleted key=s ids=[1-0]
      [(integer) 1]
      > XACKDEL s g1 DELREF IDS 1 2-0
        #8 StreamEntriesAcknowledged key=s group=g1 ids=[2-0]
        #8 StreamEntriesAcknowledged key=s group=g2 ids=[2-0]
        #8 StreamEntriesDeleted key=s ids=[2-0]
      [(integer) 1]
      > XPENDING s g2
      [(integer) 1, "1-0", "1-0", [["c2", "1"]]]
      > XACKDEL s g2 DELREF IDS 1 1-0
        #9 StreamEntriesAcknowledged key=s group=g2 ids=[1-0]
      [(integer) 1]"
    `)
  })

  it("acknowledges with ACKED in any case, and removes with the last group", () => {
    expect(transcript(`${twoGroups}
      XACKDEL s g1 ACKED IDS 2 1-0 2-0
      XPENDING s g1
      XLEN s
      XACKDEL s g2 ACKED IDS 3 1-0 1-0 2-0
      XLEN s
    `)).toMatchInlineSnapshot(`
      "> XADD s 1-0 f v
        #1 StreamEntryAdded key=s id=1-0 pairs=[f v]
      "1-0"
      > XADD s 2-0 f v
        #2 StreamEntryAdded key=s id=2-0 pairs=[f v]
      "2-0"
      > XGROUP CREATE s g1 0
        #3 StreamGroupCreated key=s group=g1 lastDelivered=0-0 entriesRead=null
      OK
      > XGROUP CREATE s g2 0
        #4 StreamGroupCreated key=s group=g2 lastDelivered=0-0 entriesRead=null
      OK
      > XREADGROUP GROUP g1 c1 STREAMS s >
        #5 StreamEntriesDelivered key=s group=g1 consumer=c1 ids=[1-0 2-0] lastDelivered=2-0 entriesRead=2 time=1700000000000
      [["s", [["1-0", ["f", "v"]], ["2-0", ["f", "v"]]]]]
      > XREADGROUP GROUP g2 c2 STREAMS s >
        #6 StreamEntriesDelivered key=s group=g2 consumer=c2 ids=[1-0 2-0] lastDelivered=2-0 entriesRead=2 time=1700000000000
      [["s", [["1-0", ["f", "v"]], ["2-0", ["f", "v"]]]]]
      > XACKDEL s g1 ACKED IDS 2 1-0 2-0
        #7 StreamEntriesAcknowledged key=s group=g1 ids=[1-0 2-0]
      [(integer) 2, (integer) 2]
      > XPENDING s g1
      [(integer) 0, (nil), (nil), (nil array)]
      > XLEN s
      (integer) 2
      > XACKDEL s g2 ACKED IDS 3 1-0 1-0 2-0
        #8 StreamEntriesAcknowledged key=s group=g2 ids=[1-0 2-0]
        #8 StreamEntriesDeleted key=s ids=[1-0 2-0]
      [(integer) 1, (integer) -1, (integer) 1]
      > XLEN s
      (integer) 0"
    `)
  })
})
