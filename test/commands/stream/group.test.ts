import { describe, expect, it } from "vitest"
import { transcript } from "../../support/transcript.ts"

describe("XGROUP", () => {
  it("makes groups that begin after an id, or after the last entry", () => {
    expect(transcript(`
      XADD s 1-0 f v
      XGROUP CREATE s g 0
      XGROUP CREATE s h $
      XGROUP CREATE s i 1-0 ENTRIESREAD 1
      XGROUP CREATE s g 0
      XGROUP CREATE none g $
      XGROUP CREATE new g $ MKSTREAM
      XLEN new
      XINFO GROUPS s
    `)).toMatchInlineSnapshot(`
      "> XADD s 1-0 f v
        #1 StreamEntryAdded key=s id=1-0 pairs=[f v]
      "1-0"
      > XGROUP CREATE s g 0
        #2 StreamGroupCreated key=s group=g lastDelivered=0-0 entriesRead=null
      OK
      > XGROUP CREATE s h $
        #3 StreamGroupCreated key=s group=h lastDelivered=1-0 entriesRead=null
      OK
      > XGROUP CREATE s i 1-0 ENTRIESREAD 1
        #4 StreamGroupCreated key=s group=i lastDelivered=1-0 entriesRead=1
      OK
      > XGROUP CREATE s g 0
      (error) BUSYGROUP Consumer Group name already exists
      > XGROUP CREATE none g $
      (error) ERR The XGROUP subcommand requires the key to exist. Note that for CREATE you may want to use the MKSTREAM option to create an empty stream automatically.
      > XGROUP CREATE new g $ MKSTREAM
        #5 StreamCreated key=new
        #5 StreamGroupCreated key=new group=g lastDelivered=0-0 entriesRead=null
      OK
      > XLEN new
      (integer) 0
      > XINFO GROUPS s
      [["name", "g", "consumers", (integer) 0, "pending", (integer) 0, "last-delivered-id", "0-0", "entries-read", (nil), "lag", (integer) 1], ["name", "h", "consumers", (integer) 0, "pending", (integer) 0, "last-delivered-id", "1-0", "entries-read", (nil), "lag", (integer) 0], ["name", "i", "consumers", (integer) 0, "pending", (integer) 0, "last-delivered-id", "1-0", "entries-read", (integer) 1, "lag", (integer) 0]]"
    `)
  })

  it("makes and removes consumers, sets where a group is, and removes groups", () => {
    expect(transcript(`
      XADD s 1-0 f v
      XADD s 2-0 f v
      XGROUP CREATE s g 0
      XGROUP CREATECONSUMER s g c
      XGROUP CREATECONSUMER s g c
      XREADGROUP GROUP g c COUNT 1 STREAMS s >
      XGROUP SETID s g $
      XGROUP SETID s g 0 ENTRIESREAD 0
      XGROUP SETID s g - ENTRIESREAD -1
      XGROUP DELCONSUMER s g c
      XGROUP DELCONSUMER s g c
      XGROUP DESTROY s g
      XGROUP DESTROY s g
    `)).toMatchInlineSnapshot(`
      "> XADD s 1-0 f v
        #1 StreamEntryAdded key=s id=1-0 pairs=[f v]
      "1-0"
      > XADD s 2-0 f v
        #2 StreamEntryAdded key=s id=2-0 pairs=[f v]
      "2-0"
      > XGROUP CREATE s g 0
        #3 StreamGroupCreated key=s group=g lastDelivered=0-0 entriesRead=null
      OK
      > XGROUP CREATECONSUMER s g c
        #4 StreamConsumerCreated key=s group=g consumer=c time=1700000000000
      (integer) 1
      > XGROUP CREATECONSUMER s g c
      (integer) 0
      > XREADGROUP GROUP g c COUNT 1 STREAMS s >
        #5 StreamEntriesDelivered key=s group=g consumer=c ids=[1-0] lastDelivered=1-0 entriesRead=1 time=1700000000000
      [["s", [["1-0", ["f", "v"]]]]]
      > XGROUP SETID s g $
        #6 StreamGroupIdSet key=s group=g lastDelivered=2-0 entriesRead=null
      OK
      > XGROUP SETID s g 0 ENTRIESREAD 0
        #7 StreamGroupIdSet key=s group=g lastDelivered=0-0 entriesRead=0
      OK
      > XGROUP SETID s g - ENTRIESREAD -1
        #8 StreamGroupIdSet key=s group=g lastDelivered=0-0 entriesRead=null
      OK
      > XGROUP DELCONSUMER s g c
        #9 StreamConsumerDeleted key=s group=g consumer=c
      (integer) 1
      > XGROUP DELCONSUMER s g c
      (integer) 0
      > XGROUP DESTROY s g
        #10 StreamGroupDestroyed key=s group=g
      (integer) 1
      > XGROUP DESTROY s g
      (integer) 0"
    `)
  })

  it("refuses what makes no sense", () => {
    expect(transcript(`
      XADD s 1-0 f v
      XGROUP CREATE s g x
      XGROUP CREATE s g 0 ENTRIESREAD -2
      XGROUP CREATE s g 0 BOGUS
      XGROUP SETID s g 0
      XGROUP CREATECONSUMER s g c
      XGROUP DELCONSUMER s g c
      XGROUP DESTROY none g
      XGROUP SETID none g 0
      XGROUP BOGUS s g
      SET k v
      XGROUP CREATE k g 0
      XGROUP CREATE k g 0 MKSTREAM
      XGROUP DESTROY k g
    `)).toMatchInlineSnapshot(`
      "> XADD s 1-0 f v
        #1 StreamEntryAdded key=s id=1-0 pairs=[f v]
      "1-0"
      > XGROUP CREATE s g x
      (error) ERR Invalid stream ID specified as stream command argument
      > XGROUP CREATE s g 0 ENTRIESREAD -2
      (error) ERR value for ENTRIESREAD must be positive or -1
      > XGROUP CREATE s g 0 BOGUS
      (error) ERR unknown subcommand or wrong number of arguments for 'CREATE'. Try XGROUP HELP.
      > XGROUP SETID s g 0
      (error) NOGROUP No such consumer group 'g' for key name 's'
      > XGROUP CREATECONSUMER s g c
      (error) NOGROUP No such consumer group 'g' for key name 's'
      > XGROUP DELCONSUMER s g c
      (error) NOGROUP No such consumer group 'g' for key name 's'
      > XGROUP DESTROY none g
      (error) ERR The XGROUP subcommand requires the key to exist. Note that for CREATE you may want to use the MKSTREAM option to create an empty stream automatically.
      > XGROUP SETID none g 0
      (error) ERR The XGROUP subcommand requires the key to exist. Note that for CREATE you may want to use the MKSTREAM option to create an empty stream automatically.
      > XGROUP BOGUS s g
      (error) ERR unknown subcommand 'BOGUS'. Try XGROUP HELP.
      > SET k v
        #2 StringSet key=k value=v expireAt=null
      OK
      > XGROUP CREATE k g 0
      (error) WRONGTYPE Operation against a key holding the wrong kind of value
      > XGROUP CREATE k g 0 MKSTREAM
      (error) WRONGTYPE Operation against a key holding the wrong kind of value
      > XGROUP DESTROY k g
      (error) WRONGTYPE Operation against a key holding the wrong kind of value"
    `)
  })
})

const read = `
    XADD s 1-0 f v1
    XADD s 2-0 f v2
    XADD s 3-0 f v3
    XGROUP CREATE s g 0
    XREADGROUP GROUP g c1 COUNT 2 STREAMS s >`

describe("XINFO", () => {
  it("describes streams, groups and consumers", () => {
    expect(transcript(`${read}
      +100
      XREADGROUP GROUP g c2 STREAMS s >
      XGROUP CREATECONSUMER s g c3
      +50
      XINFO GROUPS s
      XINFO CONSUMERS s g
      XINFO STREAM s FULL COUNT 1
      XDEL s 2-0
      XINFO GROUPS s
      XGROUP SETID s g 1-0
      XINFO GROUPS s
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
      > XREADGROUP GROUP g c2 STREAMS s >
        #6 StreamEntriesDelivered key=s group=g consumer=c2 ids=[3-0] lastDelivered=3-0 entriesRead=3 time=1700000000100
      [["s", [["3-0", ["f", "v3"]]]]]
      > XGROUP CREATECONSUMER s g c3
        #7 StreamConsumerCreated key=s group=g consumer=c3 time=1700000000100
      (integer) 1
      > +50
      > XINFO GROUPS s
      [["name", "g", "consumers", (integer) 3, "pending", (integer) 3, "last-delivered-id", "3-0", "entries-read", (integer) 3, "lag", (integer) 0]]
      > XINFO CONSUMERS s g
      [["name", "c1", "pending", (integer) 2, "idle", (integer) 150, "inactive", (integer) 150], ["name", "c2", "pending", (integer) 1, "idle", (integer) 50, "inactive", (integer) 50], ["name", "c3", "pending", (integer) 0, "idle", (integer) 50, "inactive", (integer) -1]]
      > XINFO STREAM s FULL COUNT 1
      ["length", (integer) 3, "radix-tree-keys", (integer) 1, "radix-tree-nodes", (integer) 2, "last-generated-id", "3-0", "max-deleted-entry-id", "0-0", "entries-added", (integer) 3, "recorded-first-entry-id", "1-0", "idmp-duration", (integer) 100, "idmp-maxsize", (integer) 100, "pids-tracked", (integer) 0, "iids-tracked", (integer) 0, "iids-added", (integer) 0, "iids-duplicates", (integer) 0, "entries", [["1-0", ["f", "v1"]]], "groups", [["name", "g", "last-delivered-id", "3-0", "entries-read", (integer) 3, "lag", (integer) 0, "pel-count", (integer) 3, "nacked-count", (integer) 0, "pending", [["1-0", "c1", (integer) 1700000000000, (integer) 1]], "consumers", [["name", "c1", "seen-time", (integer) 1700000000000, "active-time", (integer) 1700000000000, "pel-count", (integer) 2, "pending", [["1-0", (integer) 1700000000000, (integer) 1]]], ["name", "c2", "seen-time", (integer) 1700000000100, "active-time", (integer) 1700000000100, "pel-count", (integer) 1, "pending", [["3-0", (integer) 1700000000100, (integer) 1]]], ["name", "c3", "seen-time", (integer) 1700000000100, "active-time", (integer) -1, "pel-count", (integer) 0, "pending", []]]]]]
      > XDEL s 2-0
        #8 StreamEntriesDeleted key=s ids=[2-0]
      (integer) 1
      > XINFO GROUPS s
      [["name", "g", "consumers", (integer) 3, "pending", (integer) 3, "last-delivered-id", "3-0", "entries-read", (integer) 3, "lag", (integer) 0]]
      > XGROUP SETID s g 1-0
        #9 StreamGroupIdSet key=s group=g lastDelivered=1-0 entriesRead=null
      OK
      > XINFO GROUPS s
      [["name", "g", "consumers", (integer) 3, "pending", (integer) 3, "last-delivered-id", "1-0", "entries-read", (nil), "lag", (nil)]]"
    `)
  })

  it("refuses what is not there", () => {
    expect(transcript(`
      XADD s 1-0 f v
      XINFO STREAM none
      XINFO GROUPS none
      XINFO CONSUMERS none g
      XINFO CONSUMERS s g
      XINFO STREAM s BOGUS
      XINFO STREAM s FULL COUNT
      XINFO STREAM s FULL COUNT x
      XINFO BOGUS s
      SET k v
      XINFO STREAM k
    `)).toMatchInlineSnapshot(`
      "> XADD s 1-0 f v
        #1 StreamEntryAdded key=s id=1-0 pairs=[f v]
      "1-0"
      > XINFO STREAM none
      (error) ERR no such key
      > XINFO GROUPS none
      (error) ERR no such key
      > XINFO CONSUMERS none g
      (error) ERR no such key
      > XINFO CONSUMERS s g
      (error) NOGROUP No such consumer group 'g' for key name 's'
      > XINFO STREAM s BOGUS
      (error) ERR unknown subcommand or wrong number of arguments for 'STREAM'. Try XINFO HELP.
      > XINFO STREAM s FULL COUNT
      (error) ERR unknown subcommand or wrong number of arguments for 'STREAM'. Try XINFO HELP.
      > XINFO STREAM s FULL COUNT x
      (error) ERR value is not an integer or out of range
      > XINFO BOGUS s
      (error) ERR unknown subcommand 'BOGUS'. Try XINFO HELP.
      > SET k v
        #2 StringSet key=k value=v expireAt=null
      OK
      > XINFO STREAM k
      (error) WRONGTYPE Operation against a key holding the wrong kind of value"
    `)
  })
})

describe("XPENDING", () => {
  it("tells what was given and not acknowledged, of a group, a consumer, a range, or that has been idle", () => {
    expect(transcript(`${read}
      +100
      XREADGROUP GROUP g c2 STREAMS s >
      XPENDING s g
      XPENDING s g - + 10
      XPENDING s g (1-0 + 1
      XPENDING s g - + 10 c2
      XPENDING s g - + 10 nobody
      XPENDING s g IDLE 50 - + 10
      XPENDING s g IDLE 50 - + 10 c2
      XPENDING s g - + 0
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
      > XREADGROUP GROUP g c2 STREAMS s >
        #6 StreamEntriesDelivered key=s group=g consumer=c2 ids=[3-0] lastDelivered=3-0 entriesRead=3 time=1700000000100
      [["s", [["3-0", ["f", "v3"]]]]]
      > XPENDING s g
      [(integer) 3, "1-0", "3-0", [["c1", "2"], ["c2", "1"]]]
      > XPENDING s g - + 10
      [["1-0", "c1", (integer) 100, (integer) 1], ["2-0", "c1", (integer) 100, (integer) 1], ["3-0", "c2", (integer) 0, (integer) 1]]
      > XPENDING s g (1-0 + 1
      [["2-0", "c1", (integer) 100, (integer) 1]]
      > XPENDING s g - + 10 c2
      [["3-0", "c2", (integer) 0, (integer) 1]]
      > XPENDING s g - + 10 nobody
      []
      > XPENDING s g IDLE 50 - + 10
      [["1-0", "c1", (integer) 100, (integer) 1], ["2-0", "c1", (integer) 100, (integer) 1]]
      > XPENDING s g IDLE 50 - + 10 c2
      []
      > XPENDING s g - + 0
      []"
    `)
  })

  it("refuses what makes no sense", () => {
    expect(transcript(`${read}
      XPENDING s g -
      XPENDING s g - +
      XPENDING s g - + x
      XPENDING s g IDLE x - + 10
      XPENDING s g IDLE 1 - +
      XPENDING s none
      XPENDING none g
      SET k v
      XPENDING k g
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
      > XPENDING s g -
      (error) ERR syntax error
      > XPENDING s g - +
      (error) ERR syntax error
      > XPENDING s g - + x
      (error) ERR value is not an integer or out of range
      > XPENDING s g IDLE x - + 10
      (error) ERR value is not an integer or out of range
      > XPENDING s g IDLE 1 - +
      (error) ERR syntax error
      > XPENDING s none
      (error) NOGROUP No such key 's' or consumer group 'none'
      > XPENDING none g
      (error) NOGROUP No such key 'none' or consumer group 'g'
      > SET k v
        #6 StringSet key=k value=v expireAt=null
      OK
      > XPENDING k g
      (error) WRONGTYPE Operation against a key holding the wrong kind of value"
    `)
  })
})

describe("XACK", () => {
  it("takes off what was given", () => {
    expect(transcript(`${read}
      XACK s g 1-0
      XACK s g 1-0 2-0 2-0 9-9
      XACK s g 1-0 2-0
      XACK s none 1-0
      XACK none g 1-0
      XACK s g 1-0 x
      XPENDING s g
      SET k v
      XACK k g 1-0
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
      > XACK s g 1-0
        #6 StreamEntriesAcknowledged key=s group=g ids=[1-0]
      (integer) 1
      > XACK s g 1-0 2-0 2-0 9-9
        #7 StreamEntriesAcknowledged key=s group=g ids=[2-0]
      (integer) 1
      > XACK s g 1-0 2-0
      (integer) 0
      > XACK s none 1-0
      (integer) 0
      > XACK none g 1-0
      (integer) 0
      > XACK s g 1-0 x
      (error) ERR Invalid stream ID specified as stream command argument
      > XPENDING s g
      [(integer) 0, (nil), (nil), (nil array)]
      > SET k v
        #8 StringSet key=k value=v expireAt=null
      OK
      > XACK k g 1-0
      (error) WRONGTYPE Operation against a key holding the wrong kind of value"
    `)
  })
})
