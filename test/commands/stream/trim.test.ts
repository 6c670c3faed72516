import { describe, expect, it } from "vitest"
import { Harness } from "../../support/harness.ts"
import { transcript } from "../../support/transcript.ts"

/** The transcript of a script where the nodes of streams have two entries. */
const smallNodes = (text: string): string => {
  const harness = new Harness()
  harness.keyspace.limits.streamNodeEntries = 2
  return transcript(text, { harness })
}

const five = `
    XADD s 1-0 f v
    XADD s 2-0 f v
    XADD s 3-0 f v
    XADD s 4-0 f v
    XADD s 5-0 f v`
const allRead = `${five}
    XGROUP CREATE s g 0
    XREADGROUP GROUP g c STREAMS s >`

describe("XTRIM", () => {
  it("removes the oldest, exactly or whole nodes of them, no more than LIMIT says", () => {
    expect(smallNodes(`${five}
      XTRIM s MAXLEN ~ 4
      XTRIM s MAXLEN ~ 0 LIMIT 1
      XTRIM s MAXLEN ~ 3 LIMIT 2
      XTRIM s MINID ~ 4
      XTRIM s MINID = 4
      XTRIM s MAXLEN 1
      XTRIM s MAXLEN 0
      XTRIM s MAXLEN 0
      XTRIM none MAXLEN 0
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
      > XADD s 4-0 f v
        #4 StreamEntryAdded key=s id=4-0 pairs=[f v]
      "4-0"
      > XADD s 5-0 f v
        #5 StreamEntryAdded key=s id=5-0 pairs=[f v]
      "5-0"
      > XTRIM s MAXLEN ~ 4
      (integer) 0
      > XTRIM s MAXLEN ~ 0 LIMIT 1
      (integer) 0
      > XTRIM s MAXLEN ~ 3 LIMIT 2
        #6 StreamTrimmed key=s count=2
      (integer) 2
      > XTRIM s MINID ~ 4
      (integer) 0
      > XTRIM s MINID = 4
        #7 StreamTrimmed key=s count=1
      (integer) 1
      > XTRIM s MAXLEN 1
        #8 StreamTrimmed key=s count=1
      (integer) 1
      > XTRIM s MAXLEN 0
        #9 StreamTrimmed key=s count=1
      (integer) 1
      > XTRIM s MAXLEN 0
      (integer) 0
      > XTRIM none MAXLEN 0
      (integer) 0"
    `)
  })

  it("refuses what makes no sense", () => {
    expect(transcript(`
      XTRIM s MAXLEN
      XTRIM s MAXLEN x
      XTRIM s MAXLEN -1
      XTRIM s MINID x
      XTRIM s MAXLEN 1 MINID 1
      XTRIM s MAXLEN 1 LIMIT 1
      XTRIM s LIMIT 1 ACKED
      XTRIM s KEEPREF ACKED
      XTRIM s MAXLEN ~ 1 LIMIT -1
      XTRIM s MAXLEN ~ 1 DELREF KEEPREF
      XTRIM s MAXLEN 1 BOGUS
      SET k v
      XTRIM k MAXLEN 1
    `)).toMatchInlineSnapshot(`
      "> XTRIM s MAXLEN
      (error) ERR wrong number of arguments for 'xtrim' command
      > XTRIM s MAXLEN x
      (error) ERR value is not an integer or out of range
      > XTRIM s MAXLEN -1
      (error) ERR The MAXLEN argument must be >= 0.
      > XTRIM s MINID x
      (error) ERR Invalid stream ID specified as stream command argument
      > XTRIM s MAXLEN 1 MINID 1
      (error) ERR syntax error, MAXLEN and MINID options at the same time are not compatible
      > XTRIM s MAXLEN 1 LIMIT 1
      (error) ERR syntax error, LIMIT cannot be used without the special ~ option
      > XTRIM s LIMIT 1 ACKED
      (error) ERR syntax error, LIMIT cannot be used without specifying a trimming strategy
      > XTRIM s KEEPREF ACKED
      (error) ERR syntax error
      > XTRIM s MAXLEN ~ 1 LIMIT -1
      (error) ERR The LIMIT argument must be >= 0.
      > XTRIM s MAXLEN ~ 1 DELREF KEEPREF
      (error) ERR syntax error
      > XTRIM s MAXLEN 1 BOGUS
      (error) ERR syntax error
      > SET k v
        #1 StringSet key=k value=v expireAt=null
      OK
      > XTRIM k MAXLEN 1
      (error) WRONGTYPE Operation against a key holding the wrong kind of value"
    `)
  })

  it("leaves with KEEPREF what is pending, and forgets it with DELREF", () => {
    expect(smallNodes(`${allRead}
      XTRIM s MAXLEN 4 KEEPREF
      XPENDING s g
      XTRIM s MINID ~ 4-0 DELREF
      XTRIM s MINID ~ 5-0 DELREF
      XPENDING s g
      XTRIM s MINID ~ 6-0 DELREF
      XPENDING s g
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
      > XADD s 4-0 f v
        #4 StreamEntryAdded key=s id=4-0 pairs=[f v]
      "4-0"
      > XADD s 5-0 f v
        #5 StreamEntryAdded key=s id=5-0 pairs=[f v]
      "5-0"
      > XGROUP CREATE s g 0
        #6 StreamGroupCreated key=s group=g lastDelivered=0-0 entriesRead=null
      OK
      > XREADGROUP GROUP g c STREAMS s >
        #7 StreamEntriesDelivered key=s group=g consumer=c ids=[1-0 2-0 3-0 4-0 5-0] lastDelivered=5-0 entriesRead=5 time=1700000000000
      [["s", [["1-0", ["f", "v"]], ["2-0", ["f", "v"]], ["3-0", ["f", "v"]], ["4-0", ["f", "v"]], ["5-0", ["f", "v"]]]]]
      > XTRIM s MAXLEN 4 KEEPREF
        #8 StreamTrimmed key=s count=1
      (integer) 1
      > XPENDING s g
      [(integer) 5, "1-0", "5-0", [["c", "5"]]]
      > XTRIM s MINID ~ 4-0 DELREF
        #9 StreamEntriesAcknowledged key=s group=g ids=[2-0]
        #9 StreamTrimmed key=s count=1
      (integer) 1
      > XTRIM s MINID ~ 5-0 DELREF
        #10 StreamEntriesAcknowledged key=s group=g ids=[3-0 4-0]
        #10 StreamTrimmed key=s count=2
      (integer) 2
      > XPENDING s g
      [(integer) 2, "1-0", "5-0", [["c", "2"]]]
      > XTRIM s MINID ~ 6-0 DELREF
        #11 StreamEntriesAcknowledged key=s group=g ids=[5-0]
        #11 StreamTrimmed key=s count=1
      (integer) 1
      > XPENDING s g
      [(integer) 1, "1-0", "1-0", [["c", "1"]]]"
    `)
  })

  it("removes with ACKED what is acknowledged, also of nodes that hold other entries", () => {
    expect(smallNodes(`${allRead}
      XACK s g 1-0 2-0 4-0
      XTRIM s MINID ~ 6-0 ACKED
      XRANGE s - +
      XTRIM s MAXLEN 0 ACKED
      XACK s g 5-0
      XTRIM s MAXLEN 1 ACKED
      XTRIM s MAXLEN 0 ACKED
      XACK s g 3-0
      XTRIM s MAXLEN ~ 0 ACKED
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
      > XADD s 4-0 f v
        #4 StreamEntryAdded key=s id=4-0 pairs=[f v]
      "4-0"
      > XADD s 5-0 f v
        #5 StreamEntryAdded key=s id=5-0 pairs=[f v]
      "5-0"
      > XGROUP CREATE s g 0
        #6 StreamGroupCreated key=s group=g lastDelivered=0-0 entriesRead=null
      OK
      > XREADGROUP GROUP g c STREAMS s >
        #7 StreamEntriesDelivered key=s group=g consumer=c ids=[1-0 2-0 3-0 4-0 5-0] lastDelivered=5-0 entriesRead=5 time=1700000000000
      [["s", [["1-0", ["f", "v"]], ["2-0", ["f", "v"]], ["3-0", ["f", "v"]], ["4-0", ["f", "v"]], ["5-0", ["f", "v"]]]]]
      > XACK s g 1-0 2-0 4-0
        #8 StreamEntriesAcknowledged key=s group=g ids=[1-0 2-0 4-0]
      (integer) 3
      > XTRIM s MINID ~ 6-0 ACKED
        #9 StreamEntriesTrimmed key=s ids=[1-0 2-0 4-0]
      (integer) 3
      > XRANGE s - +
      [["3-0", ["f", "v"]], ["5-0", ["f", "v"]]]
      > XTRIM s MAXLEN 0 ACKED
      (integer) 0
      > XACK s g 5-0
        #10 StreamEntriesAcknowledged key=s group=g ids=[5-0]
      (integer) 1
      > XTRIM s MAXLEN 1 ACKED
        #11 StreamEntriesTrimmed key=s ids=[5-0]
      (integer) 1
      > XTRIM s MAXLEN 0 ACKED
      (integer) 0
      > XACK s g 3-0
        #12 StreamEntriesAcknowledged key=s group=g ids=[3-0]
      (integer) 1
      > XTRIM s MAXLEN ~ 0 ACKED
        #13 StreamTrimmed key=s count=1
      (integer) 1"
    `)
  })

  it("leaves with ACKED what a group has not read, and no more than LIMIT says", () => {
    expect(smallNodes(`${allRead}
      XACK s g 1-0 2-0 3-0 4-0 5-0
      XGROUP CREATE s other 3-0
      XTRIM s MAXLEN ~ 0 LIMIT 3 ACKED
      XTRIM s MAXLEN 0 ACKED
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
      > XADD s 4-0 f v
        #4 StreamEntryAdded key=s id=4-0 pairs=[f v]
      "4-0"
      > XADD s 5-0 f v
        #5 StreamEntryAdded key=s id=5-0 pairs=[f v]
      "5-0"
      > XGROUP CREATE s g 0
        #6 StreamGroupCreated key=s group=g lastDelivered=0-0 entriesRead=null
      OK
      > XREADGROUP GROUP g c STREAMS s >
        #7 StreamEntriesDelivered key=s group=g consumer=c ids=[1-0 2-0 3-0 4-0 5-0] lastDelivered=5-0 entriesRead=5 time=1700000000000
      [["s", [["1-0", ["f", "v"]], ["2-0", ["f", "v"]], ["3-0", ["f", "v"]], ["4-0", ["f", "v"]], ["5-0", ["f", "v"]]]]]
      > XACK s g 1-0 2-0 3-0 4-0 5-0
        #8 StreamEntriesAcknowledged key=s group=g ids=[1-0 2-0 3-0 4-0 5-0]
      (integer) 5
      > XGROUP CREATE s other 3-0
        #9 StreamGroupCreated key=s group=other lastDelivered=3-0 entriesRead=null
      OK
      > XTRIM s MAXLEN ~ 0 LIMIT 3 ACKED
        #10 StreamTrimmed key=s count=2
      (integer) 2
      > XTRIM s MAXLEN 0 ACKED
        #11 StreamTrimmed key=s count=1
      (integer) 1
      > XRANGE s - +
      [["4-0", ["f", "v"]], ["5-0", ["f", "v"]]]"
    `)
  })
})
