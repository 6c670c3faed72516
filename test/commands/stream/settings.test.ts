import { describe, expect, it } from "vitest"
import { transcript } from "../../support/transcript.ts"

describe("XCFGSET", () => {
  it("sets how long names of producers are remembered, and how many, and forgets them when that changes", () => {
    expect(transcript(`
      XADD s * field value
      XCFGSET s IDMP-DURATION 300
      XCFGSET s IDMP-MAXSIZE 1000
      XCFGSET s IDMP-DURATION 600 IDMP-MAXSIZE 500
      XADD s IDMP p a * f v
      XADD s IDMP p a * f v
      XCFGSET s IDMP-DURATION 600
      XADD s IDMP p a * f v
      XINFO STREAM s
      XCFGSET s IDMP-DURATION 1
      XADD s IDMP p a * f v
      XINFO STREAM s
    `)).toMatchInlineSnapshot(`
      "> XADD s * field value
        #1 StreamEntryAdded key=s id=1700000000000-0 pairs=[field value]
      "1700000000000-0"
      > XCFGSET s IDMP-DURATION 300
        #2 StreamConfigured key=s durationSeconds=300 maxSize=100
      OK
      > XCFGSET s IDMP-MAXSIZE 1000
        #3 StreamConfigured key=s durationSeconds=300 maxSize=1000
      OK
      > XCFGSET s IDMP-DURATION 600 IDMP-MAXSIZE 500
        #4 StreamConfigured key=s durationSeconds=600 maxSize=500
      OK
      > XADD s IDMP p a * f v
        #5 StreamEntryAdded key=s id=1700000000000-1 pairs=[f v]
        #5 StreamProducerNoted key=s producer=p iid=a id=1700000000000-1 time=1700000000000
      "1700000000000-1"
      > XADD s IDMP p a * f v
        #6 StreamDuplicateRefused key=s
      "1700000000000-1"
      > XCFGSET s IDMP-DURATION 600
      OK
      > XADD s IDMP p a * f v
        #7 StreamDuplicateRefused key=s
      "1700000000000-1"
      > XINFO STREAM s
      ["length", (integer) 2, "radix-tree-keys", (integer) 1, "radix-tree-nodes", (integer) 2, "last-generated-id", "1700000000000-1", "max-deleted-entry-id", "0-0", "entries-added", (integer) 2, "recorded-first-entry-id", "1700000000000-0", "idmp-duration", (integer) 600, "idmp-maxsize", (integer) 500, "pids-tracked", (integer) 1, "iids-tracked", (integer) 1, "iids-added", (integer) 1, "iids-duplicates", (integer) 2, "groups", (integer) 0, "first-entry", ["1700000000000-0", ["field", "value"]], "last-entry", ["1700000000000-1", ["f", "v"]]]
      > XCFGSET s IDMP-DURATION 1
        #8 StreamConfigured key=s durationSeconds=1 maxSize=500
      OK
      > XADD s IDMP p a * f v
        #9 StreamEntryAdded key=s id=1700000000000-2 pairs=[f v]
        #9 StreamProducerNoted key=s producer=p iid=a id=1700000000000-2 time=1700000000000
      "1700000000000-2"
      > XINFO STREAM s
      ["length", (integer) 3, "radix-tree-keys", (integer) 1, "radix-tree-nodes", (integer) 2, "last-generated-id", "1700000000000-2", "max-deleted-entry-id", "0-0", "entries-added", (integer) 3, "recorded-first-entry-id", "1700000000000-0", "idmp-duration", (integer) 1, "idmp-maxsize", (integer) 500, "pids-tracked", (integer) 1, "iids-tracked", (integer) 1, "iids-added", (integer) 2, "iids-duplicates", (integer) 2, "groups", (integer) 0, "first-entry", ["1700000000000-0", ["field", "value"]], "last-entry", ["1700000000000-2", ["f", "v"]]]"
    `)
  })

  it("refuses what is out of bounds, and streams that are not there", () => {
    expect(transcript(`
      XADD s * field value
      XCFGSET s
      XCFGSET s IDMP-DURATION
      XCFGSET s BOGUS 1
      XCFGSET s IDMP-DURATION 0
      XCFGSET s IDMP-DURATION 86401
      XCFGSET s IDMP-DURATION -99999999999999999
      XCFGSET s IDMP-MAXSIZE 0
      XCFGSET s IDMP-MAXSIZE 10001
      XCFGSET s IDMP-MAXSIZE 000
      XCFGSET s IDMP-DURATION A IDMP-MAXSIZE
      XCFGSET s IDMP-DURATION 86400 IDMP-MAXSIZE 10000
      XCFGSET none IDMP-DURATION 5
      SET k v
      XCFGSET k IDMP-DURATION 5
    `)).toMatchInlineSnapshot(`
      "> XADD s * field value
        #1 StreamEntryAdded key=s id=1700000000000-0 pairs=[field value]
      "1700000000000-0"
      > XCFGSET s
      (error) ERR At least one parameter must be specified
      > XCFGSET s IDMP-DURATION
      (error) ERR syntax error
      > XCFGSET s BOGUS 1
      (error) ERR syntax error
      > XCFGSET s IDMP-DURATION 0
      (error) ERR IDMP-DURATION must be between 1 and 86400 seconds
      > XCFGSET s IDMP-DURATION 86401
      (error) ERR IDMP-DURATION must be between 1 and 86400 seconds
      > XCFGSET s IDMP-DURATION -99999999999999999
      (error) ERR IDMP-DURATION must be between 1 and 86400 seconds
      > XCFGSET s IDMP-MAXSIZE 0
      (error) ERR IDMP-MAXSIZE must be between 1 and 10000 entries
      > XCFGSET s IDMP-MAXSIZE 10001
      (error) ERR IDMP-MAXSIZE must be between 1 and 10000 entries
      > XCFGSET s IDMP-MAXSIZE 000
      (error) ERR value is not an integer or out of range
      > XCFGSET s IDMP-DURATION A IDMP-MAXSIZE
      (error) ERR value is not an integer or out of range
      > XCFGSET s IDMP-DURATION 86400 IDMP-MAXSIZE 10000
        #2 StreamConfigured key=s durationSeconds=86400 maxSize=10000
      OK
      > XCFGSET none IDMP-DURATION 5
      (error) ERR no such key
      > SET k v
        #3 StringSet key=k value=v expireAt=null
      OK
      > XCFGSET k IDMP-DURATION 5
      (error) WRONGTYPE Operation against a key holding the wrong kind of value"
    `)
  })
})

describe("XIDMPRECORD", () => {
  it("notes what a producer added, once", () => {
    expect(transcript(`
      XADD s 1-1 f v
      XADD s 1-2 f v
      XIDMPRECORD s p1 req-1 1-1
      XIDMPRECORD s p1 req-1 1-1
      XADD s IDMP p1 req-1 * f v2
      XIDMPRECORD s p1 req-1 1-2
      XIDMPRECORD s p2 req-1 1-2
      XLEN s
    `)).toMatchInlineSnapshot(`
      "> XADD s 1-1 f v
        #1 StreamEntryAdded key=s id=1-1 pairs=[f v]
      "1-1"
      > XADD s 1-2 f v
        #2 StreamEntryAdded key=s id=1-2 pairs=[f v]
      "1-2"
      > XIDMPRECORD s p1 req-1 1-1
        #3 StreamConfigured key=s durationSeconds=100 maxSize=100
        #3 StreamProducerNoted key=s producer=p1 iid=req-1 id=1-1 time=1700000000000
      OK
      > XIDMPRECORD s p1 req-1 1-1
      OK
      > XADD s IDMP p1 req-1 * f v2
        #4 StreamDuplicateRefused key=s
      "1-1"
      > XIDMPRECORD s p1 req-1 1-2
      (error) ERR IID already exists for this producer with a different stream ID
      > XIDMPRECORD s p2 req-1 1-2
        #5 StreamProducerNoted key=s producer=p2 iid=req-1 id=1-2 time=1700000000000
      OK
      > XLEN s
      (integer) 2"
    `)
  })

  it("refuses entries that are not there, and names that are none", () => {
    expect(transcript(`
      XADD s 1-1 f v
      XIDMPRECORD s p1 i1 999-999
      XIDMPRECORD s "" i1 1-1
      XIDMPRECORD s p1 "" 1-1
      XIDMPRECORD s p1 i1 bad
      XIDMPRECORD s p1 i1 1-
      XIDMPRECORD s p1 i1
      XIDMPRECORD none p1 i1 1-1
      SET k v
      XIDMPRECORD k p1 i1 1-1
    `)).toMatchInlineSnapshot(`
      "> XADD s 1-1 f v
        #1 StreamEntryAdded key=s id=1-1 pairs=[f v]
      "1-1"
      > XIDMPRECORD s p1 i1 999-999
      (error) ERR No such message in stream
      > XIDMPRECORD s "" i1 1-1
      (error) ERR producer ID must be non-empty
      > XIDMPRECORD s p1 "" 1-1
      (error) ERR idempotent ID must be non-empty
      > XIDMPRECORD s p1 i1 bad
      (error) ERR Invalid stream ID specified as stream command argument
      > XIDMPRECORD s p1 i1 1-
      (error) ERR Invalid stream ID specified as stream command argument
      > XIDMPRECORD s p1 i1
      (error) ERR wrong number of arguments for 'xidmprecord' command
      > XIDMPRECORD none p1 i1 1-1
      (error) ERR no such key
      > SET k v
        #2 StringSet key=k value=v expireAt=null
      OK
      > XIDMPRECORD k p1 i1 1-1
      (error) WRONGTYPE Operation against a key holding the wrong kind of value"
    `)
  })
})

describe("XSETID", () => {
  it("sets the greatest id there was, what was added and what was deleted", () => {
    expect(transcript(`
      XADD s 1-1 a 1
      XSETID s 5-5
      XADD s 5-5 a 1
      XSETID s 9-9 ENTRIESADDED 100 MAXDELETEDID 8-8
      XINFO STREAM s
      XSETID s 0-1
      XSETID s 9-9 ENTRIESADDED 0
      XSETID s 9-9 ENTRIESADDED -1
      XSETID s 9-9 MAXDELETEDID 10-1
      XSETID s 9-9 ENTRIESADDED
      XSETID s 9-9 BOGUS 1
      XSETID none 9-9
      SET k v
      XSETID k 9-9
    `)).toMatchInlineSnapshot(`
      "> XADD s 1-1 a 1
        #1 StreamEntryAdded key=s id=1-1 pairs=[a 1]
      "1-1"
      > XSETID s 5-5
        #2 StreamIdSet key=s lastId=5-5 entriesAdded=1 maxDeletedId=0-0
      OK
      > XADD s 5-5 a 1
      (error) ERR The ID specified in XADD is equal or smaller than the target stream top item
      > XSETID s 9-9 ENTRIESADDED 100 MAXDELETEDID 8-8
        #3 StreamIdSet key=s lastId=9-9 entriesAdded=100 maxDeletedId=8-8
      OK
      > XINFO STREAM s
      ["length", (integer) 1, "radix-tree-keys", (integer) 1, "radix-tree-nodes", (integer) 2, "last-generated-id", "9-9", "max-deleted-entry-id", "8-8", "entries-added", (integer) 100, "recorded-first-entry-id", "1-1", "idmp-duration", (integer) 100, "idmp-maxsize", (integer) 100, "pids-tracked", (integer) 0, "iids-tracked", (integer) 0, "iids-added", (integer) 0, "iids-duplicates", (integer) 0, "groups", (integer) 0, "first-entry", ["1-1", ["a", "1"]], "last-entry", ["1-1", ["a", "1"]]]
      > XSETID s 0-1
      (error) ERR The ID specified in XSETID is smaller than the target stream top item
      > XSETID s 9-9 ENTRIESADDED 0
      (error) ERR The entries_added specified in XSETID is smaller than the target stream length
      > XSETID s 9-9 ENTRIESADDED -1
      (error) ERR entries_added must be positive
      > XSETID s 9-9 MAXDELETEDID 10-1
      (error) ERR The ID specified in XSETID is smaller than the provided max_deleted_entry_id
      > XSETID s 9-9 ENTRIESADDED
      (error) ERR syntax error
      > XSETID s 9-9 BOGUS 1
      (error) ERR syntax error
      > XSETID none 9-9
      (error) ERR no such key
      > SET k v
        #4 StringSet key=k value=v expireAt=null
      OK
      > XSETID k 9-9
      (error) WRONGTYPE Operation against a key holding the wrong kind of value"
    `)
  })
})
