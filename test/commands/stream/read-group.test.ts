import { describe, expect, it } from "vitest"
import { transcript } from "../../support/transcript.ts"

const three = `
    XADD s 1-0 f v1
    XADD s 2-0 f v2
    XADD s 3-0 f v3
    XGROUP CREATE s g 0`

describe("XREADGROUP", () => {
  it("gives new entries once, and a consumer its own again", () => {
    expect(transcript(`${three}
      XREADGROUP GROUP g c1 COUNT 1 STREAMS s >
      XREADGROUP GROUP g c2 NOACK STREAMS s >
      XREADGROUP GROUP g c1 STREAMS s >
      +10
      XREADGROUP GROUP g c1 STREAMS s 0
      XREADGROUP GROUP g c1 STREAMS s 1-0
      XREADGROUP GROUP g c2 STREAMS s 0
      XPENDING s g - + 10
      XDEL s 1-0
      XREADGROUP GROUP g c1 STREAMS s 0
      XREADGROUP GROUP g c3 STREAMS s 0
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
      > XREADGROUP GROUP g c1 COUNT 1 STREAMS s >
        #5 StreamEntriesDelivered key=s group=g consumer=c1 ids=[1-0] lastDelivered=1-0 entriesRead=1 time=1700000000000
      [["s", [["1-0", ["f", "v1"]]]]]
      > XREADGROUP GROUP g c2 NOACK STREAMS s >
        #6 StreamEntriesDelivered key=s group=g consumer=c2 ids=[] lastDelivered=3-0 entriesRead=3 time=1700000000000
      [["s", [["2-0", ["f", "v2"]], ["3-0", ["f", "v3"]]]]]
      > XREADGROUP GROUP g c1 STREAMS s >
      (nil array)
      > +10
      > XREADGROUP GROUP g c1 STREAMS s 0
        #7 StreamEntriesClaimed key=s group=g consumer=c1 ids=[1-0] counts=[2] deliveredAt=1700000000010 time=1700000000010
      [["s", [["1-0", ["f", "v1"]]]]]
      > XREADGROUP GROUP g c1 STREAMS s 1-0
      [["s", []]]
      > XREADGROUP GROUP g c2 STREAMS s 0
      [["s", []]]
      > XPENDING s g - + 10
      [["1-0", "c1", (integer) 0, (integer) 2]]
      > XDEL s 1-0
        #8 StreamEntriesDeleted key=s ids=[1-0]
      (integer) 1
      > XREADGROUP GROUP g c1 STREAMS s 0
      [["s", [["1-0", (nil array)]]]]
      > XREADGROUP GROUP g c3 STREAMS s 0
        #9 StreamConsumerCreated key=s group=g consumer=c3 time=1700000000010
      [["s", []]]"
    `)
  })

  it("gives no more than MAXCOUNT and MAXSIZE say, of all streams together", () => {
    expect(transcript(`${three}
      XADD t 5-0 f v
      XGROUP CREATE t g 0
      XREADGROUP GROUP g c COUNT 2 MAXCOUNT 3 STREAMS s t > >
      XREADGROUP GROUP g c MAXSIZE 1 STREAMS t s > >
      XREADGROUP GROUP g c MAXCOUNT 2 STREAMS s t 0 0
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
      > XADD t 5-0 f v
        #5 StreamEntryAdded key=t id=5-0 pairs=[f v]
      "5-0"
      > XGROUP CREATE t g 0
        #6 StreamGroupCreated key=t group=g lastDelivered=0-0 entriesRead=null
      OK
      > XREADGROUP GROUP g c COUNT 2 MAXCOUNT 3 STREAMS s t > >
        #7 StreamEntriesDelivered key=s group=g consumer=c ids=[1-0 2-0] lastDelivered=2-0 entriesRead=2 time=1700000000000
        #7 StreamEntriesDelivered key=t group=g consumer=c ids=[5-0] lastDelivered=5-0 entriesRead=1 time=1700000000000
      [["s", [["1-0", ["f", "v1"]], ["2-0", ["f", "v2"]]]], ["t", [["5-0", ["f", "v"]]]]]
      > XREADGROUP GROUP g c MAXSIZE 1 STREAMS t s > >
        #8 StreamEntriesDelivered key=s group=g consumer=c ids=[3-0] lastDelivered=3-0 entriesRead=3 time=1700000000000
      [["s", [["3-0", ["f", "v3"]]]]]
      > XREADGROUP GROUP g c MAXCOUNT 2 STREAMS s t 0 0
        #9 StreamEntriesClaimed key=s group=g consumer=c ids=[1-0 2-0] counts=[2 2] deliveredAt=1700000000000 time=1700000000000
      [["s", [["1-0", ["f", "v1"]], ["2-0", ["f", "v2"]]]]]"
    `)
  })

  it("goes on where it was when one stream is named twice", () => {
    expect(transcript(`${three}
      XREADGROUP GROUP g c COUNT 1 STREAMS s s > >
      XREADGROUP GROUP g c STREAMS s s > 0
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
      > XREADGROUP GROUP g c COUNT 1 STREAMS s s > >
        #5 StreamEntriesDelivered key=s group=g consumer=c ids=[1-0] lastDelivered=1-0 entriesRead=1 time=1700000000000
        #5 StreamEntriesDelivered key=s group=g consumer=c ids=[2-0] lastDelivered=2-0 entriesRead=2 time=1700000000000
      [["s", [["1-0", ["f", "v1"]]]], ["s", [["2-0", ["f", "v2"]]]]]
      > XREADGROUP GROUP g c STREAMS s s > 0
        #6 StreamEntriesDelivered key=s group=g consumer=c ids=[3-0] lastDelivered=3-0 entriesRead=3 time=1700000000000
        #6 StreamEntriesClaimed key=s group=g consumer=c ids=[1-0 2-0] counts=[2 2] deliveredAt=1700000000000 time=1700000000000
      [["s", [["3-0", ["f", "v3"]]]], ["s", [["1-0", ["f", "v1"]], ["2-0", ["f", "v2"]]]]]"
    `)
  })

  it("refuses what makes no sense", () => {
    expect(transcript(`${three}
      XREADGROUP GROUP none c STREAMS s >
      XREADGROUP GROUP g c STREAMS none >
      XREADGROUP GROUP g c STREAMS s $
      XREADGROUP GROUP g c STREAMS s +
      XREADGROUP GROUP g c STREAMS s x
      XREADGROUP GROUP g c STREAMS s t >
      XREADGROUP COUNT 1 NOACK STREAMS s >
      XREADGROUP GROUP g CLAIM 50 c STREAMS s >
      XREADGROUP GROUP g c CLAIM x STREAMS s >
      XREADGROUP GROUP g c CLAIM -1 STREAMS s >
      XREADGROUP GROUP g c CLAIM -0 STREAMS s >
      XREADGROUP GROUP g c MAXCOUNT 0 STREAMS s >
      SET k v
      XREADGROUP GROUP g c STREAMS k >
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
      > XREADGROUP GROUP none c STREAMS s >
      (error) NOGROUP No such key 's' or consumer group 'none' in XREADGROUP with GROUP option
      > XREADGROUP GROUP g c STREAMS none >
      (error) NOGROUP No such key 'none' or consumer group 'g' in XREADGROUP with GROUP option
      > XREADGROUP GROUP g c STREAMS s $
      (error) ERR The $ ID is meaningless in the context of XREADGROUP: you want to read the history of this consumer by specifying a proper ID, or use the > ID to get new messages. The $ ID would just return an empty result set.
      > XREADGROUP GROUP g c STREAMS s +
      (error) ERR The + ID is meaningless in the context of XREADGROUP: you want to read the history of this consumer by specifying a proper ID, or use the > ID to get new messages. The + ID would just return an empty result set.
      > XREADGROUP GROUP g c STREAMS s x
      (error) ERR Invalid stream ID specified as stream command argument
      > XREADGROUP GROUP g c STREAMS s t >
      (error) ERR Unbalanced XREAD list of streams: for each stream key an ID or '$' must be specified.
      > XREADGROUP COUNT 1 NOACK STREAMS s >
      (error) ERR Missing GROUP option for XREADGROUP
      > XREADGROUP GROUP g CLAIM 50 c STREAMS s >
      (error) ERR syntax error
      > XREADGROUP GROUP g c CLAIM x STREAMS s >
      (error) ERR min-idle-time is not an integer
      > XREADGROUP GROUP g c CLAIM -1 STREAMS s >
      (error) ERR min-idle-time must be a positive integer
      > XREADGROUP GROUP g c CLAIM -0 STREAMS s >
      (error) ERR min-idle-time is not an integer
      > XREADGROUP GROUP g c MAXCOUNT 0 STREAMS s >
      (error) ERR MAXCOUNT must be a positive integer
      > SET k v
        #5 StringSet key=k value=v expireAt=null
      OK
      > XREADGROUP GROUP g c STREAMS k >
      (error) WRONGTYPE Operation against a key holding the wrong kind of value"
    `)
  })
})

describe("XREADGROUP with CLAIM", () => {
  it("gives first what has been pending for long, with its idle time and deliveries, then what is new", () => {
    expect(transcript(`${three}
      XREADGROUP GROUP g c1 COUNT 1 STREAMS s >
      +50
      XREADGROUP GROUP g c1 COUNT 1 STREAMS s >
      +50
      XREADGROUP GROUP g c2 CLAIM 101 STREAMS s >
      XREADGROUP GROUP g c2 CLAIM 100 STREAMS s >
      XREADGROUP GROUP g c2 CLAIM 50 STREAMS s >
      XREADGROUP GROUP g c3 CLAIM 0 COUNT 2 STREAMS s >
      XREADGROUP GROUP g c3 CLAIM 9223372036854775807 STREAMS s >
      XPENDING s g - + 10
      XREADGROUP GROUP g c2 CLAIM 1000 STREAMS s 0
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
      > XREADGROUP GROUP g c1 COUNT 1 STREAMS s >
        #5 StreamEntriesDelivered key=s group=g consumer=c1 ids=[1-0] lastDelivered=1-0 entriesRead=1 time=1700000000000
      [["s", [["1-0", ["f", "v1"]]]]]
      > +50
      > XREADGROUP GROUP g c1 COUNT 1 STREAMS s >
        #6 StreamEntriesDelivered key=s group=g consumer=c1 ids=[2-0] lastDelivered=2-0 entriesRead=2 time=1700000000050
      [["s", [["2-0", ["f", "v2"]]]]]
      > +50
      > XREADGROUP GROUP g c2 CLAIM 101 STREAMS s >
        #7 StreamEntriesDelivered key=s group=g consumer=c2 ids=[3-0] lastDelivered=3-0 entriesRead=3 time=1700000000100
      [["s", [["3-0", ["f", "v3"], (integer) 0, (integer) 0]]]]
      > XREADGROUP GROUP g c2 CLAIM 100 STREAMS s >
        #8 StreamEntriesClaimed key=s group=g consumer=c2 ids=[1-0] counts=[2] deliveredAt=1700000000100 time=1700000000100
      [["s", [["1-0", ["f", "v1"], (integer) 100, (integer) 1]]]]
      > XREADGROUP GROUP g c2 CLAIM 50 STREAMS s >
        #9 StreamEntriesClaimed key=s group=g consumer=c2 ids=[2-0] counts=[2] deliveredAt=1700000000100 time=1700000000100
      [["s", [["2-0", ["f", "v2"], (integer) 50, (integer) 1]]]]
      > XREADGROUP GROUP g c3 CLAIM 0 COUNT 2 STREAMS s >
        #10 StreamEntriesClaimed key=s group=g consumer=c3 ids=[1-0 2-0] counts=[3 3] deliveredAt=1700000000100 time=1700000000100
      [["s", [["1-0", ["f", "v1"], (integer) 0, (integer) 2], ["2-0", ["f", "v2"], (integer) 0, (integer) 2]]]]
      > XREADGROUP GROUP g c3 CLAIM 9223372036854775807 STREAMS s >
      (nil array)
      > XPENDING s g - + 10
      [["1-0", "c3", (integer) 0, (integer) 3], ["2-0", "c3", (integer) 0, (integer) 3], ["3-0", "c2", (integer) 0, (integer) 1]]
      > XREADGROUP GROUP g c2 CLAIM 1000 STREAMS s 0
        #11 StreamEntriesClaimed key=s group=g consumer=c2 ids=[3-0] counts=[2] deliveredAt=1700000000100 time=1700000000100
      [["s", [["3-0", ["f", "v3"]]]]]"
    `)
  })

  it("counts both within COUNT and MAXCOUNT, and acknowledges with NOACK only what is new", () => {
    expect(transcript(`${three}
      XREADGROUP GROUP g c1 COUNT 1 STREAMS s >
      +100
      XREADGROUP GROUP g c2 COUNT 2 CLAIM 50 STREAMS s >
      +100
      XREADGROUP GROUP g c2 MAXCOUNT 1 CLAIM 50 STREAMS s >
      XREADGROUP GROUP g c2 NOACK CLAIM 50 STREAMS s >
      XPENDING s g
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
      > XREADGROUP GROUP g c1 COUNT 1 STREAMS s >
        #5 StreamEntriesDelivered key=s group=g consumer=c1 ids=[1-0] lastDelivered=1-0 entriesRead=1 time=1700000000000
      [["s", [["1-0", ["f", "v1"]]]]]
      > +100
      > XREADGROUP GROUP g c2 COUNT 2 CLAIM 50 STREAMS s >
        #6 StreamEntriesClaimed key=s group=g consumer=c2 ids=[1-0] counts=[2] deliveredAt=1700000000100 time=1700000000100
        #6 StreamEntriesDelivered key=s group=g consumer=c2 ids=[2-0] lastDelivered=2-0 entriesRead=2 time=1700000000100
      [["s", [["1-0", ["f", "v1"], (integer) 100, (integer) 1], ["2-0", ["f", "v2"], (integer) 0, (integer) 0]]]]
      > +100
      > XREADGROUP GROUP g c2 MAXCOUNT 1 CLAIM 50 STREAMS s >
        #7 StreamEntriesClaimed key=s group=g consumer=c2 ids=[1-0] counts=[3] deliveredAt=1700000000200 time=1700000000200
      [["s", [["1-0", ["f", "v1"], (integer) 100, (integer) 2]]]]
      > XREADGROUP GROUP g c2 NOACK CLAIM 50 STREAMS s >
        #8 StreamEntriesClaimed key=s group=g consumer=c2 ids=[2-0] counts=[2] deliveredAt=1700000000200 time=1700000000200
        #8 StreamEntriesDelivered key=s group=g consumer=c2 ids=[] lastDelivered=3-0 entriesRead=3 time=1700000000200
      [["s", [["2-0", ["f", "v2"], (integer) 100, (integer) 1], ["3-0", ["f", "v3"], (integer) 0, (integer) 0]]]]
      > XPENDING s g
      [(integer) 2, "1-0", "2-0", [["c2", "2"]]]"
    `)
  })

  it("takes off the list what is no longer there", () => {
    expect(transcript(`${three}
      XREADGROUP GROUP g c1 STREAMS s >
      XTRIM s MAXLEN 0
      +100
      XREADGROUP GROUP g c2 CLAIM 50 STREAMS s >
      XPENDING s g
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
      > XREADGROUP GROUP g c1 STREAMS s >
        #5 StreamEntriesDelivered key=s group=g consumer=c1 ids=[1-0 2-0 3-0] lastDelivered=3-0 entriesRead=3 time=1700000000000
      [["s", [["1-0", ["f", "v1"]], ["2-0", ["f", "v2"]], ["3-0", ["f", "v3"]]]]]
      > XTRIM s MAXLEN 0
        #6 StreamTrimmed key=s count=3
      (integer) 3
      > +100
      > XREADGROUP GROUP g c2 CLAIM 50 STREAMS s >
        #7 StreamEntriesAcknowledged key=s group=g ids=[1-0 2-0 3-0]
      (nil array)
      > XPENDING s g
      [(integer) 0, (nil), (nil), (nil array)]"
    `)
  })

  it("gives twice what is pending and new again, since the group was set back", () => {
    expect(transcript(`
      XADD s 1-0 f v1
      XGROUP CREATE s g 0
      XREADGROUP GROUP g c1 STREAMS s >
      XREADGROUP GROUP g c2 CLAIM 0 STREAMS s >
      XGROUP SETID s g 0
      XREADGROUP GROUP g c2 CLAIM 0 STREAMS s >
      XREADGROUP GROUP g c2 CLAIM 0 STREAMS s >
    `)).toMatchInlineSnapshot(`
      "> XADD s 1-0 f v1
        #1 StreamEntryAdded key=s id=1-0 pairs=[f v1]
      "1-0"
      > XGROUP CREATE s g 0
        #2 StreamGroupCreated key=s group=g lastDelivered=0-0 entriesRead=null
      OK
      > XREADGROUP GROUP g c1 STREAMS s >
        #3 StreamEntriesDelivered key=s group=g consumer=c1 ids=[1-0] lastDelivered=1-0 entriesRead=1 time=1700000000000
      [["s", [["1-0", ["f", "v1"]]]]]
      > XREADGROUP GROUP g c2 CLAIM 0 STREAMS s >
        #4 StreamEntriesClaimed key=s group=g consumer=c2 ids=[1-0] counts=[2] deliveredAt=1700000000000 time=1700000000000
      [["s", [["1-0", ["f", "v1"], (integer) 0, (integer) 1]]]]
      > XGROUP SETID s g 0
        #5 StreamGroupIdSet key=s group=g lastDelivered=0-0 entriesRead=null
      OK
      > XREADGROUP GROUP g c2 CLAIM 0 STREAMS s >
        #6 StreamEntriesClaimed key=s group=g consumer=c2 ids=[1-0] counts=[3] deliveredAt=1700000000000 time=1700000000000
        #6 StreamEntriesDelivered key=s group=g consumer=c2 ids=[1-0] lastDelivered=1-0 entriesRead=1 time=1700000000000
      [["s", [["1-0", ["f", "v1"], (integer) 0, (integer) 2], ["1-0", ["f", "v1"], (integer) 0, (integer) 0]]]]
      > XREADGROUP GROUP g c2 CLAIM 0 STREAMS s >
        #7 StreamEntriesClaimed key=s group=g consumer=c2 ids=[1-0] counts=[2] deliveredAt=1700000000000 time=1700000000000
      [["s", [["1-0", ["f", "v1"], (integer) 0, (integer) 1]]]]"
    `)
  })

  it("takes no group or consumer for one of the same name that was there before, or that another stream has", () => {
    expect(transcript(`
      XADD s 1-0 f v
      XADD t 2-0 f v
      XGROUP CREATE s g 0
      XGROUP CREATE t g 0
      XREADGROUP GROUP g c STREAMS s >
      XREADGROUP GROUP g c STREAMS t >
      XACK s g 1-0
      XGROUP DELCONSUMER t g c
      XREADGROUP GROUP g c STREAMS t 0
      XGROUP DESTROY t g
      XREADGROUP GROUP g c STREAMS t >
      XGROUP CREATE t g 0
      XREADGROUP GROUP g c STREAMS t s > >
      RENAME t s
      XREADGROUP GROUP g c STREAMS s 0
      DEL s
      XREADGROUP GROUP g c STREAMS s >
    `)).toMatchInlineSnapshot(`
      "> XADD s 1-0 f v
        #1 StreamEntryAdded key=s id=1-0 pairs=[f v]
      "1-0"
      > XADD t 2-0 f v
        #2 StreamEntryAdded key=t id=2-0 pairs=[f v]
      "2-0"
      > XGROUP CREATE s g 0
        #3 StreamGroupCreated key=s group=g lastDelivered=0-0 entriesRead=null
      OK
      > XGROUP CREATE t g 0
        #4 StreamGroupCreated key=t group=g lastDelivered=0-0 entriesRead=null
      OK
      > XREADGROUP GROUP g c STREAMS s >
        #5 StreamEntriesDelivered key=s group=g consumer=c ids=[1-0] lastDelivered=1-0 entriesRead=1 time=1700000000000
      [["s", [["1-0", ["f", "v"]]]]]
      > XREADGROUP GROUP g c STREAMS t >
        #6 StreamEntriesDelivered key=t group=g consumer=c ids=[2-0] lastDelivered=2-0 entriesRead=1 time=1700000000000
      [["t", [["2-0", ["f", "v"]]]]]
      > XACK s g 1-0
        #7 StreamEntriesAcknowledged key=s group=g ids=[1-0]
      (integer) 1
      > XGROUP DELCONSUMER t g c
        #8 StreamConsumerDeleted key=t group=g consumer=c
      (integer) 1
      > XREADGROUP GROUP g c STREAMS t 0
        #9 StreamConsumerCreated key=t group=g consumer=c time=1700000000000
      [["t", []]]
      > XGROUP DESTROY t g
        #10 StreamGroupDestroyed key=t group=g
      (integer) 1
      > XREADGROUP GROUP g c STREAMS t >
      (error) NOGROUP No such key 't' or consumer group 'g' in XREADGROUP with GROUP option
      > XGROUP CREATE t g 0
        #11 StreamGroupCreated key=t group=g lastDelivered=0-0 entriesRead=null
      OK
      > XREADGROUP GROUP g c STREAMS t s > >
        #12 StreamEntriesDelivered key=t group=g consumer=c ids=[2-0] lastDelivered=2-0 entriesRead=1 time=1700000000000
      [["t", [["2-0", ["f", "v"]]]]]
      > RENAME t s
        #13 KeyRenamed key=t to=s
      OK
      > XREADGROUP GROUP g c STREAMS s 0
        #14 StreamEntriesClaimed key=s group=g consumer=c ids=[2-0] counts=[2] deliveredAt=1700000000000 time=1700000000000
      [["s", [["2-0", ["f", "v"]]]]]
      > DEL s
        #15 KeyDeleted key=s
      (integer) 1
      > XREADGROUP GROUP g c STREAMS s >
      (error) NOGROUP No such key 's' or consumer group 'g' in XREADGROUP with GROUP option"
    `)
  })
})
