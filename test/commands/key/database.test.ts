import { describe, expect, it } from "vitest"
import { Harness } from "../../support/harness.ts"
import { transcript } from "../../support/transcript.ts"

describe("SWAPDB", () => {
  it("lets databases change places", () => {
    const harness = new Harness()
    expect(transcript(
      `SET a 1 PX 1000
      SWAPDB 0 3
      EXISTS a
      SET b 2
      SWAPDB 3 0
      PTTL a
      EXISTS b
      SWAPDB 4 4`,
      { harness }
    )).toMatchInlineSnapshot(`
        "> SET a 1 PX 1000
          #1 StringSet key=a value=1 expireAt=1700000001000
        OK
        > SWAPDB 0 3
          #2 DatabasesSwapped first=0 second=3
        OK
        > EXISTS a
        (integer) 0
        > SET b 2
          #3 StringSet key=b value=2 expireAt=null
        OK
        > SWAPDB 3 0
          #4 DatabasesSwapped first=3 second=0
        OK
        > PTTL a
        (integer) 1000
        > EXISTS b
        (integer) 0
        > SWAPDB 4 4
        OK"
      `)
    harness.connection.client.db = 3
    expect(transcript("GET b", { harness })).toMatchInlineSnapshot(`
      "> GET b
      "2""
    `)
  })

  it("refuses", () => {
    expect(transcript(`SWAPDB x 1
      SWAPDB 1 x
      SWAPDB x y
      SWAPDB 99999999999 1
      SWAPDB 1 99999999999
      SWAPDB 0 16
      SWAPDB -1 0
      SWAPDB 1`)).toMatchInlineSnapshot(`
        "> SWAPDB x 1
        (error) ERR invalid first DB index
        > SWAPDB 1 x
        (error) ERR invalid second DB index
        > SWAPDB x y
        (error) ERR invalid first DB index
        > SWAPDB 99999999999 1
        (error) ERR invalid first DB index
        > SWAPDB 1 99999999999
        (error) ERR invalid second DB index
        > SWAPDB 0 16
        (error) ERR DB index is out of range
        > SWAPDB -1 0
        (error) ERR DB index is out of range
        > SWAPDB 1
        (error) ERR wrong number of arguments for 'swapdb' command"
      `)
  })
})

describe("DBSIZE", () => {
  it("counts keys, the dead ones too until somebody meets them", () => {
    expect(transcript(`DBSIZE
      SET a 1
      SET b 1 PX 10
      DBSIZE
      +10
      DBSIZE
      EXISTS b
      DBSIZE
      DBSIZE x`)).toMatchInlineSnapshot(`
        "> DBSIZE
        (integer) 0
        > SET a 1
          #1 StringSet key=a value=1 expireAt=null
        OK
        > SET b 1 PX 10
          #2 StringSet key=b value=1 expireAt=1700000000010
        OK
        > DBSIZE
        (integer) 2
        > +10
        > DBSIZE
        (integer) 2
        > EXISTS b
          #3 by expire KeyExpired key=b
        (integer) 0
        > DBSIZE
        (integer) 1
        > DBSIZE x
        (error) ERR wrong number of arguments for 'dbsize' command"
      `)
  })
})

describe("FLUSHDB and FLUSHALL", () => {
  it("empty one database or all", () => {
    const harness = new Harness()
    expect(transcript(
      `SET a 1
      COPY a a DB 1
      FLUSHDB
      DBSIZE
      FLUSHDB
      FLUSHALL
      FLUSHALL`,
      { harness }
    )).toMatchInlineSnapshot(`
        "> SET a 1
          #1 StringSet key=a value=1 expireAt=null
        OK
        > COPY a a DB 1
          #2 KeyCopied key=a to=a toDb=1
        (integer) 1
        > FLUSHDB
          #3 DatabaseFlushed
        OK
        > DBSIZE
        (integer) 0
        > FLUSHDB
        OK
        > FLUSHALL
          #4 KeyspaceFlushed
        OK
        > FLUSHALL
        OK"
      `)
    expect(harness.keyspace.databases.every((db) => db.size === 0)).toBe(true)
  })

  it("take SYNC and ASYNC", () => {
    expect(transcript(`SET a 1
      FLUSHDB async
      SET a 1
      FLUSHDB SYNC
      SET a 1
      FLUSHALL ASYNC
      SET a 1
      FLUSHALL sync`)).toMatchInlineSnapshot(`
        "> SET a 1
          #1 StringSet key=a value=1 expireAt=null
        OK
        > FLUSHDB async
          #2 DatabaseFlushed
        OK
        > SET a 1
          #3 StringSet key=a value=1 expireAt=null
        OK
        > FLUSHDB SYNC
          #4 DatabaseFlushed
        OK
        > SET a 1
          #5 StringSet key=a value=1 expireAt=null
        OK
        > FLUSHALL ASYNC
          #6 KeyspaceFlushed
        OK
        > SET a 1
          #7 StringSet key=a value=1 expireAt=null
        OK
        > FLUSHALL sync
          #8 KeyspaceFlushed
        OK"
      `)
  })

  it("refuse other words", () => {
    expect(transcript(`SET a 1
      FLUSHDB now
      FLUSHALL SYNC ASYNC
      FLUSHALL ASYNC 1
      DBSIZE`)).toMatchInlineSnapshot(`
        "> SET a 1
          #1 StringSet key=a value=1 expireAt=null
        OK
        > FLUSHDB now
        (error) ERR syntax error
        > FLUSHALL SYNC ASYNC
        (error) ERR syntax error
        > FLUSHALL ASYNC 1
        (error) ERR syntax error
        > DBSIZE
        (integer) 1"
      `)
  })
})
