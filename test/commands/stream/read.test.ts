import { describe, expect, it } from "vitest"
import { Harness } from "../../support/harness.ts"
import { transcript } from "../../support/transcript.ts"

const three = `
    XADD s 1-0 k1 v1
    XADD s 2-0 k2 v2
    XADD s 3-0 k3 v3`

describe("XRANGE and XREVRANGE", () => {
  it("answer what lies between two ids, which may be excluded or lack their sequence number", () => {
    expect(transcript(`${three}
      XRANGE s - +
      XRANGE s - + COUNT 2
      XRANGE s (1-0 3
      XRANGE s 2 2
      XREVRANGE s + - COUNT 1
      XREVRANGE s (3-0 1
      XRANGE s 3 1
      XRANGE s - + COUNT 0
      XRANGE s - + COUNT -1
      XRANGE none - +
      XLEN s
      XLEN none
    `)).toMatchInlineSnapshot(`
      "> XADD s 1-0 k1 v1
        #1 StreamEntryAdded key=s id=1-0 pairs=[k1 v1]
      "1-0"
      > XADD s 2-0 k2 v2
        #2 StreamEntryAdded key=s id=2-0 pairs=[k2 v2]
      "2-0"
      > XADD s 3-0 k3 v3
        #3 StreamEntryAdded key=s id=3-0 pairs=[k3 v3]
      "3-0"
      > XRANGE s - +
      [["1-0", ["k1", "v1"]], ["2-0", ["k2", "v2"]], ["3-0", ["k3", "v3"]]]
      > XRANGE s - + COUNT 2
      [["1-0", ["k1", "v1"]], ["2-0", ["k2", "v2"]]]
      > XRANGE s (1-0 3
      [["2-0", ["k2", "v2"]], ["3-0", ["k3", "v3"]]]
      > XRANGE s 2 2
      [["2-0", ["k2", "v2"]]]
      > XREVRANGE s + - COUNT 1
      [["3-0", ["k3", "v3"]]]
      > XREVRANGE s (3-0 1
      [["2-0", ["k2", "v2"]], ["1-0", ["k1", "v1"]]]
      > XRANGE s 3 1
      []
      > XRANGE s - + COUNT 0
      (nil array)
      > XRANGE s - + COUNT -1
      (nil array)
      > XRANGE none - +
      []
      > XLEN s
      (integer) 3
      > XLEN none
      (integer) 0"
    `)
  })

  it("refuse what is no range", () => {
    expect(transcript(`
      XRANGE s (- +
      XRANGE s - (0-0
      XRANGE s (18446744073709551615-18446744073709551615 +
      XRANGE s x +
      XRANGE s - + COUNT
      XRANGE s - + COUNT x
      XRANGE s - + LIMIT 1
      SET k v
      XRANGE k - +
      XREVRANGE k + -
      XLEN k
    `)).toMatchInlineSnapshot(`
      "> XRANGE s (- +
      (error) ERR Invalid stream ID specified as stream command argument
      > XRANGE s - (0-0
      (error) ERR invalid end ID for the interval
      > XRANGE s (18446744073709551615-18446744073709551615 +
      (error) ERR invalid start ID for the interval
      > XRANGE s x +
      (error) ERR Invalid stream ID specified as stream command argument
      > XRANGE s - + COUNT
      (error) ERR syntax error
      > XRANGE s - + COUNT x
      (error) ERR value is not an integer or out of range
      > XRANGE s - + LIMIT 1
      (error) ERR syntax error
      > SET k v
        #1 StringSet key=k value=v expireAt=null
      OK
      > XRANGE k - +
      (error) WRONGTYPE Operation against a key holding the wrong kind of value
      > XREVRANGE k + -
      (error) WRONGTYPE Operation against a key holding the wrong kind of value
      > XLEN k
      (error) WRONGTYPE Operation against a key holding the wrong kind of value"
    `)
  })
})

describe("XREAD", () => {
  it("answers what comes after ids, of each stream that has anything", () => {
    expect(transcript(`${three}
      XADD t 5-0 f v
      XREAD STREAMS s 1
      XREAD COUNT 1 STREAMS s none t 0 0 0-0
      XREAD STREAMS s t 3-0 5-0
      XREAD STREAMS s $
      XREAD BLOCK 0 STREAMS s t 2-0 $
      XDEL s 3-0
      XREAD STREAMS s 2-0
    `)).toMatchInlineSnapshot(`
      "> XADD s 1-0 k1 v1
        #1 StreamEntryAdded key=s id=1-0 pairs=[k1 v1]
      "1-0"
      > XADD s 2-0 k2 v2
        #2 StreamEntryAdded key=s id=2-0 pairs=[k2 v2]
      "2-0"
      > XADD s 3-0 k3 v3
        #3 StreamEntryAdded key=s id=3-0 pairs=[k3 v3]
      "3-0"
      > XADD t 5-0 f v
        #4 StreamEntryAdded key=t id=5-0 pairs=[f v]
      "5-0"
      > XREAD STREAMS s 1
      [["s", [["2-0", ["k2", "v2"]], ["3-0", ["k3", "v3"]]]]]
      > XREAD COUNT 1 STREAMS s none t 0 0 0-0
      [["s", [["1-0", ["k1", "v1"]]]], ["t", [["5-0", ["f", "v"]]]]]
      > XREAD STREAMS s t 3-0 5-0
      (nil array)
      > XREAD STREAMS s $
      (nil array)
      > XREAD BLOCK 0 STREAMS s t 2-0 $
      [["s", [["3-0", ["k3", "v3"]]]]]
      > XDEL s 3-0
        #5 StreamEntriesDeleted key=s ids=[3-0]
      (integer) 1
      > XREAD STREAMS s 2-0
      (nil array)"
    `)
  })

  it("answers with + the last entry there is, whatever COUNT says", () => {
    expect(transcript(`${three}
      XADD s 3-18446744073709551615 k4 v4
      XREAD COUNT 3 STREAMS s +
      XDEL s 3-18446744073709551615
      XREAD STREAMS s +
      XADD t 1-0 f v
      XREAD STREAMS s t none + + +
      XDEL t 1-0
      XREAD STREAMS t +
      XREAD STREAMS none +
    `)).toMatchInlineSnapshot(`
      "> XADD s 1-0 k1 v1
        #1 StreamEntryAdded key=s id=1-0 pairs=[k1 v1]
      "1-0"
      > XADD s 2-0 k2 v2
        #2 StreamEntryAdded key=s id=2-0 pairs=[k2 v2]
      "2-0"
      > XADD s 3-0 k3 v3
        #3 StreamEntryAdded key=s id=3-0 pairs=[k3 v3]
      "3-0"
      > XADD s 3-18446744073709551615 k4 v4
        #4 StreamEntryAdded key=s id=3-18446744073709551615 pairs=[k4 v4]
      "3-18446744073709551615"
      > XREAD COUNT 3 STREAMS s +
      [["s", [["3-18446744073709551615", ["k4", "v4"]]]]]
      > XDEL s 3-18446744073709551615
        #5 StreamEntriesDeleted key=s ids=[3-18446744073709551615]
      (integer) 1
      > XREAD STREAMS s +
      [["s", [["3-0", ["k3", "v3"]]]]]
      > XADD t 1-0 f v
        #6 StreamEntryAdded key=t id=1-0 pairs=[f v]
      "1-0"
      > XREAD STREAMS s t none + + +
      [["s", [["3-0", ["k3", "v3"]]]], ["t", [["1-0", ["f", "v"]]]]]
      > XDEL t 1-0
        #7 StreamEntriesDeleted key=t ids=[1-0]
      (integer) 1
      > XREAD STREAMS t +
      (nil array)
      > XREAD STREAMS none +
      (nil array)"
    `)
  })

  it("answers with MAXCOUNT no more entries of all streams together", () => {
    expect(transcript(`${three}
      XADD t 5-0 f v
      XADD t 6-0 f v
      XREAD COUNT 2 MAXCOUNT 3 STREAMS s t 0 0
      XREAD MAXCOUNT 2 STREAMS s t 0 0
      XREAD COUNT 2 MAXCOUNT 2 STREAMS s 0
      XREAD COUNT 0 MAXCOUNT 4 STREAMS t s 0 0
    `)).toMatchInlineSnapshot(`
      "> XADD s 1-0 k1 v1
        #1 StreamEntryAdded key=s id=1-0 pairs=[k1 v1]
      "1-0"
      > XADD s 2-0 k2 v2
        #2 StreamEntryAdded key=s id=2-0 pairs=[k2 v2]
      "2-0"
      > XADD s 3-0 k3 v3
        #3 StreamEntryAdded key=s id=3-0 pairs=[k3 v3]
      "3-0"
      > XADD t 5-0 f v
        #4 StreamEntryAdded key=t id=5-0 pairs=[f v]
      "5-0"
      > XADD t 6-0 f v
        #5 StreamEntryAdded key=t id=6-0 pairs=[f v]
      "6-0"
      > XREAD COUNT 2 MAXCOUNT 3 STREAMS s t 0 0
      [["s", [["1-0", ["k1", "v1"]], ["2-0", ["k2", "v2"]]]], ["t", [["5-0", ["f", "v"]]]]]
      > XREAD MAXCOUNT 2 STREAMS s t 0 0
      [["s", [["1-0", ["k1", "v1"]], ["2-0", ["k2", "v2"]]]]]
      > XREAD COUNT 2 MAXCOUNT 2 STREAMS s 0
      [["s", [["1-0", ["k1", "v1"]], ["2-0", ["k2", "v2"]]]]]
      > XREAD COUNT 0 MAXCOUNT 4 STREAMS t s 0 0
      [["t", [["5-0", ["f", "v"]], ["6-0", ["f", "v"]]]], ["s", [["1-0", ["k1", "v1"]], ["2-0", ["k2", "v2"]]]]]"
    `)
  })

  it("answers with MAXSIZE about so many bytes, but one entry in any case", () => {
    const entry = "*2\r\n$3\r\n1-0\r\n*2\r\n$2\r\nk1\r\n$2\r\nv1\r\n".length
    expect(entry).toBe(33)
    expect(transcript(`${three}
      XREAD MAXSIZE 1 STREAMS s 0
      XREAD MAXSIZE 65 STREAMS s 0
      XREAD MAXSIZE 66 STREAMS s 0
      XREAD MAXSIZE 99 STREAMS s s 0 0
      XREAD MAXSIZE 66 MAXCOUNT 1 STREAMS s 0
      XREAD MAXSIZE 1 STREAMS s +
    `)).toMatchInlineSnapshot(`
      "> XADD s 1-0 k1 v1
        #1 StreamEntryAdded key=s id=1-0 pairs=[k1 v1]
      "1-0"
      > XADD s 2-0 k2 v2
        #2 StreamEntryAdded key=s id=2-0 pairs=[k2 v2]
      "2-0"
      > XADD s 3-0 k3 v3
        #3 StreamEntryAdded key=s id=3-0 pairs=[k3 v3]
      "3-0"
      > XREAD MAXSIZE 1 STREAMS s 0
      [["s", [["1-0", ["k1", "v1"]]]]]
      > XREAD MAXSIZE 65 STREAMS s 0
      [["s", [["1-0", ["k1", "v1"]]]]]
      > XREAD MAXSIZE 66 STREAMS s 0
      [["s", [["1-0", ["k1", "v1"]], ["2-0", ["k2", "v2"]]]]]
      > XREAD MAXSIZE 99 STREAMS s s 0 0
      [["s", [["1-0", ["k1", "v1"]], ["2-0", ["k2", "v2"]], ["3-0", ["k3", "v3"]]]]]
      > XREAD MAXSIZE 66 MAXCOUNT 1 STREAMS s 0
      [["s", [["1-0", ["k1", "v1"]]]]]
      > XREAD MAXSIZE 1 STREAMS s +
      [["s", [["3-0", ["k3", "v3"]]]]]"
    `)
  })

  it("answers a map in RESP3", () => {
    const harness = new Harness()
    harness.run("HELLO", "3")
    expect(transcript(
      `${three}
      XREAD STREAMS s 2
      XREAD STREAMS none 0
      XRANGE s 9 +`,
      { harness }
    )).toMatchInlineSnapshot(`
      "> XADD s 1-0 k1 v1
        #1 StreamEntryAdded key=s id=1-0 pairs=[k1 v1]
      "1-0"
      > XADD s 2-0 k2 v2
        #2 StreamEntryAdded key=s id=2-0 pairs=[k2 v2]
      "2-0"
      > XADD s 3-0 k3 v3
        #3 StreamEntryAdded key=s id=3-0 pairs=[k3 v3]
      "3-0"
      > XREAD STREAMS s 2
      [["s", [["3-0", ["k3", "v3"]]]]]
      > XREAD STREAMS none 0
      (nil array)
      > XRANGE s 9 +
      []"
    `)
  })

  it("refuses what makes no sense", () => {
    expect(transcript(`
      XREAD STREAMS s
      XREAD STREAMS s t 0
      XREAD COUNT x STREAMS s 0
      XREAD BLOCK x STREAMS s 0
      XREAD BLOCK -1 STREAMS s 0
      XREAD COUNT 50 MAXCOUNT 10 STREAMS s 0
      XREAD MAXCOUNT 0 STREAMS s 0
      XREAD MAXCOUNT -1 STREAMS s 0
      XREAD MAXSIZE 0 STREAMS s 0
      XREAD MAXSIZE -5 STREAMS s 0
      XREAD MAXCOUNT foo STREAMS s 0
      XREAD COUNT 2 CLAIM 10 STREAMS s 0-0
      XREAD NOACK STREAMS s 0
      XREAD GROUP g c STREAMS s 0
      XREAD STREAMS s >
      XREAD STREAMS s x
      XREAD BOGUS STREAMS s 0
      XREAD COUNT 1 BLOCK 1
      SET k v
      XREAD STREAMS k 0
    `)).toMatchInlineSnapshot(`
      "> XREAD STREAMS s
      (error) ERR wrong number of arguments for 'xread' command
      > XREAD STREAMS s t 0
      (error) ERR Unbalanced XREAD list of streams: for each stream key an ID or '$' must be specified.
      > XREAD COUNT x STREAMS s 0
      (error) ERR value is not an integer or out of range
      > XREAD BLOCK x STREAMS s 0
      (error) ERR timeout is not an integer or out of range
      > XREAD BLOCK -1 STREAMS s 0
      (error) ERR timeout is negative
      > XREAD COUNT 50 MAXCOUNT 10 STREAMS s 0
      (error) ERR MAXCOUNT must be greater than or equal to COUNT
      > XREAD MAXCOUNT 0 STREAMS s 0
      (error) ERR MAXCOUNT must be a positive integer
      > XREAD MAXCOUNT -1 STREAMS s 0
      (error) ERR MAXCOUNT must be a positive integer
      > XREAD MAXSIZE 0 STREAMS s 0
      (error) ERR MAXSIZE must be a positive integer
      > XREAD MAXSIZE -5 STREAMS s 0
      (error) ERR MAXSIZE must be a positive integer
      > XREAD MAXCOUNT foo STREAMS s 0
      (error) ERR value is not an integer or out of range
      > XREAD COUNT 2 CLAIM 10 STREAMS s 0-0
      (error) ERR The CLAIM option is only supported by XREADGROUP. You called XREAD instead.
      > XREAD NOACK STREAMS s 0
      (error) ERR The NOACK option is only supported by XREADGROUP. You called XREAD instead.
      > XREAD GROUP g c STREAMS s 0
      (error) ERR The GROUP option is only supported by XREADGROUP. You called XREAD instead.
      > XREAD STREAMS s >
      (error) ERR The > ID can be specified only when calling XREADGROUP using the GROUP <group> <consumer> option.
      > XREAD STREAMS s x
      (error) ERR Invalid stream ID specified as stream command argument
      > XREAD BOGUS STREAMS s 0
      (error) ERR syntax error
      > XREAD COUNT 1 BLOCK 1
      (error) ERR syntax error
      > SET k v
        #1 StringSet key=k value=v expireAt=null
      OK
      > XREAD STREAMS k 0
      (error) WRONGTYPE Operation against a key holding the wrong kind of value"
    `)
  })
})
