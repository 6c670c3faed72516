import { describe, expect, it } from "vitest"
import { Harness } from "../../support/harness.ts"
import { showReply } from "../../support/transcript.ts"
import { controlHarness } from "../server/ports.ts"
import { script, script3 } from "./support.ts"

describe("ZPOPMIN, ZPOPMAX and ZMPOP", () => {
  it("pop the outermost members", () => {
    expect(script(`
      ZADD z 1 a 2 b 3 c 4 d
      ZPOPMIN z
      ZPOPMAX z 2
      ZPOPMIN z 0
      ZPOPMIN z 9
      EXISTS z
      ZPOPMIN z
      ZPOPMAX z 2
      ZADD small 1 a 2 b
      ZPOPMAX small 2
      ZADD z 1 a 2 b 3 c
      ZMPOP 2 none z MAX COUNT 2
      ZMPOP 1 none MIN
      ZMPOP 1 z MIN
    `)).toMatchInlineSnapshot(`
      "> ZADD z 1 a 2 b 3 c 4 d
        #1 SortedSetMembersScored key=z members=[a b c d] scores=[1 2 3 4]
      (integer) 4
      > ZPOPMIN z
        #2 SortedSetMembersRemoved key=z members=[a]
      ["a", "1"]
      > ZPOPMAX z 2
        #3 SortedSetMembersRemoved key=z members=[d c]
      ["d", "4", "c", "3"]
      > ZPOPMIN z 0
      []
      > ZPOPMIN z 9
        #4 SortedSetMembersRemoved key=z members=[b]
      ["b", "2"]
      > EXISTS z
      (integer) 0
      > ZPOPMIN z
      []
      > ZPOPMAX z 2
      []
      > ZADD small 1 a 2 b
        #5 SortedSetMembersScored key=small members=[a b] scores=[1 2]
      (integer) 2
      > ZPOPMAX small 2
        #6 SortedSetMembersRemoved key=small members=[b a]
      ["b", "2", "a", "1"]
      > ZADD z 1 a 2 b 3 c
        #7 SortedSetMembersScored key=z members=[a b c] scores=[1 2 3]
      (integer) 3
      > ZMPOP 2 none z MAX COUNT 2
        #8 SortedSetMembersRemoved key=z members=[c b]
      ["z", [["c", "3"], ["b", "2"]]]
      > ZMPOP 1 none MIN
      (nil array)
      > ZMPOP 1 z MIN
        #9 SortedSetMembersRemoved key=z members=[a]
      ["z", [["a", "1"]]]"
    `)
  })

  it("answer pairs in RESP3 when there is a count", () => {
    expect(script3(`
      ZADD z 1 a 2 b 3 c 4 d
      ZPOPMIN z
      ZPOPMIN z 1
      ZMPOP 1 z MIN COUNT 5
      ZPOPMIN z
      ZMPOP 1 z MIN
    `)).toMatchInlineSnapshot(`
      "> ZADD z 1 a 2 b 3 c 4 d
        #1 SortedSetMembersScored key=z members=[a b c d] scores=[1 2 3 4]
      (integer) 4
      > ZPOPMIN z
        #2 SortedSetMembersRemoved key=z members=[a]
      ["a", (double) 1]
      > ZPOPMIN z 1
        #3 SortedSetMembersRemoved key=z members=[b]
      [["b", (double) 2]]
      > ZMPOP 1 z MIN COUNT 5
        #4 SortedSetMembersRemoved key=z members=[c d]
      ["z", [["c", (double) 3], ["d", (double) 4]]]
      > ZPOPMIN z
      []
      > ZMPOP 1 z MIN
      (null)"
    `)
  })

  it("refuse what makes no sense", () => {
    expect(script(`
      ZPOPMIN z -1
      ZPOPMIN z a
      ZPOPMIN z 1 2
      ZMPOP 0 z MIN
      ZMPOP x z MIN
      ZMPOP 2 z MIN
      ZMPOP 1 z MIDDLE
      ZMPOP 1 z MIN COUNT 0
      ZMPOP 1 z MIN COUNT 1 COUNT 1
      SET s 1
      ZPOPMIN s
      ZMPOP 1 s MIN
    `)).toMatchInlineSnapshot(`
      "> ZPOPMIN z -1
      (error) ERR value is out of range, must be positive
      > ZPOPMIN z a
      (error) ERR value is out of range, must be positive
      > ZPOPMIN z 1 2
      (error) ERR syntax error
      > ZMPOP 0 z MIN
      (error) ERR numkeys should be greater than 0
      > ZMPOP x z MIN
      (error) ERR numkeys should be greater than 0
      > ZMPOP 2 z MIN
      (error) ERR syntax error
      > ZMPOP 1 z MIDDLE
      (error) ERR syntax error
      > ZMPOP 1 z MIN COUNT 0
      (error) ERR count should be greater than 0
      > ZMPOP 1 z MIN COUNT 1 COUNT 1
      (error) ERR syntax error
      > SET s 1
        #1 StringSet key=s value=1 expireAt=null
      OK
      > ZPOPMIN s
      (error) WRONGTYPE Operation against a key holding the wrong kind of value
      > ZMPOP 1 s MIN
      (error) WRONGTYPE Operation against a key holding the wrong kind of value"
    `)
  })
})

describe("BZPOPMIN, BZPOPMAX and BZMPOP", () => {
  it("take what is there at once", () => {
    expect(script(`
      ZADD z 1 a 2 b 3 c
      BZPOPMIN none z 0
      BZPOPMAX z 0.01
      BZMPOP 0 1 z MIN COUNT 3
      BZPOPMIN z -1
      BZPOPMIN z x
      BZMPOP x 1 z MIN
      SET s 1
      BZPOPMIN s z 1
    `)).toMatchInlineSnapshot(`
      "> ZADD z 1 a 2 b 3 c
        #1 SortedSetMembersScored key=z members=[a b c] scores=[1 2 3]
      (integer) 3
      > BZPOPMIN none z 0
        #2 SortedSetMembersRemoved key=z members=[a]
      ["z", "a", "1"]
      > BZPOPMAX z 0.01
        #3 SortedSetMembersRemoved key=z members=[c]
      ["z", "c", "3"]
      > BZMPOP 0 1 z MIN COUNT 3
        #4 SortedSetMembersRemoved key=z members=[b]
      ["z", [["b", "2"]]]
      > BZPOPMIN z -1
      (error) ERR timeout is negative
      > BZPOPMIN z x
      (error) ERR timeout is not a float or out of range
      > BZMPOP x 1 z MIN
      (error) ERR timeout is not a float or out of range
      > SET s 1
        #5 StringSet key=s value=1 expireAt=null
      OK
      > BZPOPMIN s z 1
      (error) WRONGTYPE Operation against a key holding the wrong kind of value"
    `)
  })

  it("wait for the first member that comes, in the order of arrival", () => {
    const harness = new Harness()
    const first = harness.connect(2)
    const second = harness.connect(3)
    harness.bytes(["BZPOPMAX", "one", "two", "0"], first)
    harness.bytes(["BZMPOP", "1.5", "2", "two", "three", "MIN", "COUNT", "2"], second)
    expect([first.blocked, second.blocked]).toEqual([true, true])
    harness.run("SET", "two", "text")
    expect(first.answers).toHaveLength(0)
    harness.run("DEL", "two")
    harness.run("ZADD", "two", "1", "a", "2", "b", "3", "c")
    expect(first.answers).toHaveLength(1)
    expect(second.answers).toHaveLength(1)
    expect(showReply(harness.run("ZRANGE", "two", "0", "-1"))[0]).toBe("[]")
    expect(harness.batches.slice(-2).map(({ events }) => events.map(({ _tag }) => _tag))).toEqual([
      ["SortedSetMembersRemoved"],
      ["SortedSetMembersRemoved"]
    ])
  })

  it("answers nothing when the time is over, and at once inside EXEC", () => {
    const { harness } = controlHarness()
    const waiting = harness.connect(2)
    harness.bytes(["BZPOPMIN", "z", "0.25"], waiting)
    harness.now += 249
    harness.executor.endWaits()
    expect(waiting.answers).toHaveLength(0)
    harness.now += 1
    harness.executor.endWaits()
    expect(waiting.answers).toHaveLength(1)
    harness.run("MULTI")
    harness.run("BZMPOP", "0", "1", "z", "MIN")
    harness.run("BZPOPMIN", "z", "0")
    expect(showReply(harness.run("EXEC"))[0]).toBe("[(nil array), (nil array)]")
  })
})
