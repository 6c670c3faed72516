import { describe, expect, it } from "vitest"
import { transcript } from "../../support/transcript.ts"

const read = `
    XADD s 1-0 f v1
    XADD s 2-0 f v2
    XADD s 3-0 f v3
    XGROUP CREATE s g 0
    XREADGROUP GROUP g c1 COUNT 2 STREAMS s >`

describe("XNACK", () => {
  it("gives entries back: nobody has them, and their deliveries count less, as before, or no more", () => {
    expect(transcript(`${read}
      XREADGROUP GROUP g c2 STREAMS s >
      XNACK s g FAIL IDS 2 1-0 2-0
      XPENDING s g - + 10
      XPENDING s g - + 10 c1
      XNACK s g SILENT IDS 1 1-0
      XNACK s g SILENT IDS 1 1-0
      XNACK s g FATAL IDS 1 2-0
      XNACK s g FAIL IDS 1 3-0 RETRYCOUNT 5
      XPENDING s g - + 10
      XINFO GROUPS s
      XINFO CONSUMERS s g
      XINFO STREAM s FULL
      XGROUP DELCONSUMER s g c1
      XREADGROUP GROUP g c2 STREAMS s 0
      XNACK s g FAIL IDS 3 9-9 1-0 1-0
      XACK s g 1-0 2-0 3-0
      XNACK s g FAIL IDS 1 1-0
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
      > XREADGROUP GROUP g c2 STREAMS s >
        #6 StreamEntriesDelivered key=s group=g consumer=c2 ids=[3-0] lastDelivered=3-0 entriesRead=3 time=1700000000000
      [["s", [["3-0", ["f", "v3"]]]]]
      > XNACK s g FAIL IDS 2 1-0 2-0
        #7 StreamEntriesReleased key=s group=g ids=[1-0 2-0] counts=[1 1] deliveredAt=1
      (integer) 2
      > XPENDING s g - + 10
      [["1-0", "", (integer) -1, (integer) 1], ["2-0", "", (integer) -1, (integer) 1], ["3-0", "c2", (integer) 0, (integer) 1]]
      > XPENDING s g - + 10 c1
      []
      > XNACK s g SILENT IDS 1 1-0
        #8 StreamEntriesReleased key=s group=g ids=[1-0] counts=[0] deliveredAt=2
      (integer) 1
      > XNACK s g SILENT IDS 1 1-0
        #9 StreamEntriesReleased key=s group=g ids=[1-0] counts=[0] deliveredAt=3
      (integer) 1
      > XNACK s g FATAL IDS 1 2-0
        #10 StreamEntriesReleased key=s group=g ids=[2-0] counts=[9223372036854775807] deliveredAt=4
      (integer) 1
      > XNACK s g FAIL IDS 1 3-0 RETRYCOUNT 5
        #11 StreamEntriesReleased key=s group=g ids=[3-0] counts=[5] deliveredAt=5
      (integer) 1
      > XPENDING s g - + 10
      [["1-0", "", (integer) -1, (integer) 0], ["2-0", "", (integer) -1, (integer) 9223372036854775807], ["3-0", "", (integer) -1, (integer) 5]]
      > XINFO GROUPS s
      [["name", "g", "consumers", (integer) 2, "pending", (integer) 3, "last-delivered-id", "3-0", "entries-read", (integer) 3, "lag", (integer) 0]]
      > XINFO CONSUMERS s g
      [["name", "c1", "pending", (integer) 0, "idle", (integer) 0, "inactive", (integer) 0], ["name", "c2", "pending", (integer) 0, "idle", (integer) 0, "inactive", (integer) 0]]
      > XINFO STREAM s FULL
      ["length", (integer) 3, "radix-tree-keys", (integer) 1, "radix-tree-nodes", (integer) 2, "last-generated-id", "3-0", "max-deleted-entry-id", "0-0", "entries-added", (integer) 3, "recorded-first-entry-id", "1-0", "idmp-duration", (integer) 100, "idmp-maxsize", (integer) 100, "pids-tracked", (integer) 0, "iids-tracked", (integer) 0, "iids-added", (integer) 0, "iids-duplicates", (integer) 0, "entries", [["1-0", ["f", "v1"]], ["2-0", ["f", "v2"]], ["3-0", ["f", "v3"]]], "groups", [["name", "g", "last-delivered-id", "3-0", "entries-read", (integer) 3, "lag", (integer) 0, "pel-count", (integer) 3, "nacked-count", (integer) 3, "pending", [["1-0", "", (integer) 0, (integer) 0], ["2-0", "", (integer) 0, (integer) 9223372036854775807], ["3-0", "", (integer) 0, (integer) 5]], "consumers", [["name", "c1", "seen-time", (integer) 1700000000000, "active-time", (integer) 1700000000000, "pel-count", (integer) 0, "pending", []], ["name", "c2", "seen-time", (integer) 1700000000000, "active-time", (integer) 1700000000000, "pel-count", (integer) 0, "pending", []]]]]]
      > XGROUP DELCONSUMER s g c1
        #12 StreamConsumerDeleted key=s group=g consumer=c1
      (integer) 0
      > XREADGROUP GROUP g c2 STREAMS s 0
      [["s", []]]
      > XNACK s g FAIL IDS 3 9-9 1-0 1-0
        #13 StreamEntriesReleased key=s group=g ids=[1-0] counts=[0] deliveredAt=6
      (integer) 2
      > XACK s g 1-0 2-0 3-0
        #14 StreamEntriesAcknowledged key=s group=g ids=[1-0 2-0 3-0]
      (integer) 3
      > XNACK s g FAIL IDS 1 1-0
      (integer) 0"
    `)
  })

  it("makes entries pending that were not, with FORCE, if they are there", () => {
    expect(transcript(`
      XADD s 1-0 f v
      XADD s 2-0 f v
      XADD s 3-0 f v
      XGROUP CREATE s g 0
      XNACK s g FAIL IDS 1 1-0
      XNACK s g FAIL FORCE IDS 2 1-0 9-9
      XNACK s g SILENT RETRYCOUNT 5 IDS 1 2-0 FORCE
      XNACK s g FATAL IDS 1 3-0 FORCE
      XPENDING s g - + 10
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
      > XNACK s g FAIL IDS 1 1-0
      (integer) 0
      > XNACK s g FAIL FORCE IDS 2 1-0 9-9
        #5 StreamEntriesReleased key=s group=g ids=[1-0] counts=[0] deliveredAt=1
      (integer) 1
      > XNACK s g SILENT RETRYCOUNT 5 IDS 1 2-0 FORCE
        #6 StreamEntriesReleased key=s group=g ids=[2-0] counts=[5] deliveredAt=2
      (integer) 1
      > XNACK s g FATAL IDS 1 3-0 FORCE
        #7 StreamEntriesReleased key=s group=g ids=[3-0] counts=[9223372036854775807] deliveredAt=3
      (integer) 1
      > XPENDING s g - + 10
      [["1-0", "", (integer) -1, (integer) 0], ["2-0", "", (integer) -1, (integer) 5], ["3-0", "", (integer) -1, (integer) 9223372036854775807]]"
    `)
  })

  it("lets others claim them at once, in the order in which they were given back", () => {
    expect(transcript(`${read}
      XREADGROUP GROUP g c1 STREAMS s >
      XNACK s g FAIL IDS 3 3-0 1-0 2-0
      XNACK s g FAIL IDS 1 3-0
      XREADGROUP GROUP g c2 COUNT 1 CLAIM 99999 STREAMS s >
      XREADGROUP GROUP g c2 COUNT 1 CLAIM 99999 STREAMS s >
      XREADGROUP GROUP g c2 CLAIM 99999 STREAMS s >
      XNACK s g FAIL IDS 2 1-0 2-0
      XCLAIM s g c3 99999 1-0
      XAUTOCLAIM s g c3 99999 0
      XNACK s g FAIL IDS 2 1-0 3-0
      XDEL s 1-0
      XDEL s 3-0
      XCLAIM s g c2 0 1-0
      XAUTOCLAIM s g c2 0 0-0
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
      > XREADGROUP GROUP g c1 STREAMS s >
        #6 StreamEntriesDelivered key=s group=g consumer=c1 ids=[3-0] lastDelivered=3-0 entriesRead=3 time=1700000000000
      [["s", [["3-0", ["f", "v3"]]]]]
      > XNACK s g FAIL IDS 3 3-0 1-0 2-0
        #7 StreamEntriesReleased key=s group=g ids=[3-0] counts=[1] deliveredAt=1
        #7 StreamEntriesReleased key=s group=g ids=[1-0 2-0] counts=[1 1] deliveredAt=2
      (integer) 3
      > XNACK s g FAIL IDS 1 3-0
        #8 StreamEntriesReleased key=s group=g ids=[3-0] counts=[1] deliveredAt=3
      (integer) 1
      > XREADGROUP GROUP g c2 COUNT 1 CLAIM 99999 STREAMS s >
        #9 StreamEntriesClaimed key=s group=g consumer=c2 ids=[1-0] counts=[2] deliveredAt=1700000000000 time=1700000000000
      [["s", [["1-0", ["f", "v1"], (integer) -1, (integer) 1]]]]
      > XREADGROUP GROUP g c2 COUNT 1 CLAIM 99999 STREAMS s >
        #10 StreamEntriesClaimed key=s group=g consumer=c2 ids=[2-0] counts=[2] deliveredAt=1700000000000 time=1700000000000
      [["s", [["2-0", ["f", "v2"], (integer) -1, (integer) 1]]]]
      > XREADGROUP GROUP g c2 CLAIM 99999 STREAMS s >
        #11 StreamEntriesClaimed key=s group=g consumer=c2 ids=[3-0] counts=[2] deliveredAt=1700000000000 time=1700000000000
      [["s", [["3-0", ["f", "v3"], (integer) -1, (integer) 1]]]]
      > XNACK s g FAIL IDS 2 1-0 2-0
        #12 StreamEntriesReleased key=s group=g ids=[1-0 2-0] counts=[2 2] deliveredAt=1
      (integer) 2
      > XCLAIM s g c3 99999 1-0
        #13 StreamEntriesClaimed key=s group=g consumer=c3 ids=[1-0] counts=[3] deliveredAt=1700000000000 time=1700000000000
      [["1-0", ["f", "v1"]]]
      > XAUTOCLAIM s g c3 99999 0
        #14 StreamEntriesClaimed key=s group=g consumer=c3 ids=[2-0] counts=[3] deliveredAt=1700000000000 time=1700000000000
      ["0-0", [["2-0", ["f", "v2"]]], []]
      > XNACK s g FAIL IDS 2 1-0 3-0
        #15 StreamEntriesReleased key=s group=g ids=[1-0 3-0] counts=[3 2] deliveredAt=1
      (integer) 2
      > XDEL s 1-0
        #16 StreamEntriesDeleted key=s ids=[1-0]
      (integer) 1
      > XDEL s 3-0
        #17 StreamEntriesDeleted key=s ids=[3-0]
      (integer) 1
      > XCLAIM s g c2 0 1-0
        #18 StreamEntriesAcknowledged key=s group=g ids=[1-0]
      []
      > XAUTOCLAIM s g c2 0 0-0
        #19 StreamEntriesAcknowledged key=s group=g ids=[3-0]
        #19 StreamEntriesClaimed key=s group=g consumer=c2 ids=[2-0] counts=[4] deliveredAt=1700000000000 time=1700000000000
      ["0-0", [["2-0", ["f", "v2"]]], ["3-0"]]
      > XPENDING s g - + 10
      [["2-0", "c2", (integer) 0, (integer) 4]]"
    `)
  })

  it("releases an entry that is named twice where it is named last", () => {
    expect(transcript(`${read}
      XNACK s g SILENT IDS 4 2-0 1-0 2-0 9-9
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
      > XNACK s g SILENT IDS 4 2-0 1-0 2-0 9-9
        #6 StreamEntriesReleased key=s group=g ids=[1-0 2-0] counts=[0 0] deliveredAt=1
      (integer) 3"
    `)
  })

  it("refuses what makes no sense", () => {
    expect(transcript(`${read}
      XNACK s g SILENT IDS 1
      XNACK s g BADMODE IDS 1 1-0
      XNACK s g FAIL FATAL IDS 1 1-0
      XNACK s g FAIL BADOPT IDS 1 1-0
      XNACK s g FAIL IDS 1 1-0 2-0
      XNACK s g SILENT FORCE RETRYCOUNT 5
      XNACK s g SILENT IDS abc 1-0
      XNACK s g SILENT IDS 0 1-0
      XNACK s g SILENT IDS 2 1-0
      XNACK s g FAIL IDS 1 x
      XNACK s g FAIL IDS 1 1-0 RETRYCOUNT abc
      XNACK s g FAIL IDS 1 1-0 RETRYCOUNT -1
      XNACK s g FAIL IDS 1 1-0 RETRYCOUNT
      XNACK s none FAIL IDS 1 1-0
      XNACK none g FAIL IDS 1 1-0
      SET k v
      XNACK k g FAIL IDS 1 1-0
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
      > XNACK s g SILENT IDS 1
      (error) ERR wrong number of arguments for 'xnack' command
      > XNACK s g BADMODE IDS 1 1-0
      (error) ERR mode must be SILENT, FAIL, or FATAL
      > XNACK s g FAIL FATAL IDS 1 1-0
      (error) ERR Unrecognized XNACK option 'FATAL'
      > XNACK s g FAIL BADOPT IDS 1 1-0
      (error) ERR Unrecognized XNACK option 'BADOPT'
      > XNACK s g FAIL IDS 1 1-0 2-0
      (error) ERR Unrecognized XNACK option '2-0'
      > XNACK s g SILENT FORCE RETRYCOUNT 5
      (error) ERR syntax error, expected IDS keyword
      > XNACK s g SILENT IDS abc 1-0
      (error) ERR numids must be a positive integer
      > XNACK s g SILENT IDS 0 1-0
      (error) ERR numids must be a positive integer
      > XNACK s g SILENT IDS 2 1-0
      (error) ERR number of IDs doesn't match numids
      > XNACK s g FAIL IDS 1 x
      (error) ERR Invalid stream ID specified as stream command argument
      > XNACK s g FAIL IDS 1 1-0 RETRYCOUNT abc
      (error) ERR value is not an integer or out of range
      > XNACK s g FAIL IDS 1 1-0 RETRYCOUNT -1
      (error) ERR Invalid RETRYCOUNT value, must be >= 0
      > XNACK s g FAIL IDS 1 1-0 RETRYCOUNT
      (error) ERR Unrecognized XNACK option 'RETRYCOUNT'
      > XNACK s none FAIL IDS 1 1-0
      (error) NOGROUP No such key 's' or consumer group 'none'
      > XNACK none g FAIL IDS 1 1-0
      (error) NOGROUP No such key 'none' or consumer group 'g'
      > SET k v
        #6 StringSet key=k value=v expireAt=null
      OK
      > XNACK k g FAIL IDS 1 1-0
      (error) WRONGTYPE Operation against a key holding the wrong kind of value"
    `)
  })
})
