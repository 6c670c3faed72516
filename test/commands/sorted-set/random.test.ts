import { describe, expect, it } from "vitest"
import { Harness } from "../../support/harness.ts"
import { script, script3 } from "./support.ts"

describe("ZRANDMEMBER", () => {
  it("answers members that there are", () => {
    expect(script(`
      ZADD z 1 a 2 b
      ZRANDMEMBER z 5
      ZRANDMEMBER z 2 WITHSCORES
      ZRANDMEMBER z 0
      ZRANDMEMBER none
      ZRANDMEMBER none 3
      ZRANDMEMBER z x
      ZRANDMEMBER z 1 SCORES
      ZRANDMEMBER z 1 WITHSCORES x
      ZRANDMEMBER z -9223372036854775808
      ZRANDMEMBER z -4611686018427387904 WITHSCORES
      SET s 1
      ZRANDMEMBER s
    `)).toMatchInlineSnapshot(`
      "> ZADD z 1 a 2 b
        #1 SortedSetMembersScored key=z members=[a b] scores=[1 2]
      (integer) 2
      > ZRANDMEMBER z 5
      ["a", "b"]
      > ZRANDMEMBER z 2 WITHSCORES
      ["a", "1", "b", "2"]
      > ZRANDMEMBER z 0
      []
      > ZRANDMEMBER none
      (nil)
      > ZRANDMEMBER none 3
      []
      > ZRANDMEMBER z x
      (error) ERR value is not an integer or out of range
      > ZRANDMEMBER z 1 SCORES
      (error) ERR syntax error
      > ZRANDMEMBER z 1 WITHSCORES x
      (error) ERR syntax error
      > ZRANDMEMBER z -9223372036854775808
      (error) ERR value is out of range, value must between -9223372036854775807 and 9223372036854775807
      > ZRANDMEMBER z -4611686018427387904 WITHSCORES
      (error) ERR value is out of range
      > SET s 1
        #2 StringSet key=s value=1 expireAt=null
      OK
      > ZRANDMEMBER s
      (error) WRONGTYPE Operation against a key holding the wrong kind of value"
    `)
    expect(script3(`
      ZADD z 1 a 2 b
      ZRANDMEMBER z 5 WITHSCORES
    `)).toMatchInlineSnapshot(`
      "> ZADD z 1 a 2 b
        #1 SortedSetMembersScored key=z members=[a b] scores=[1 2]
      (integer) 2
      > ZRANDMEMBER z 5 WITHSCORES
      [["a", (double) 1], ["b", (double) 2]]"
    `)
  })

  it.each([2, 200])("draws every one of the members, and a count of distinct ones (%i members)", (limit) => {
    const harness = new Harness()
    harness.keyspace.limits.sortedSetEntries = limit
    for (let i = 0; i < 40; i++) harness.run("ZADD", "z", `${i}`, `m${i}`)
    const drawn = (...words: ReadonlyArray<string>): Array<string> =>
      [...harness.run("ZRANDMEMBER", "z", ...words).matchAll(/m\d+/g)].map(([member]) => member)
    const seen = new Set<string>()
    for (let i = 0; i < 600; i++) for (const member of drawn()) seen.add(member)
    expect(seen.size).toBe(40)
    for (const count of [1, 7, 20, 39, 40]) expect(new Set(drawn(`${count}`)).size).toBe(count)
    expect(drawn("100")).toHaveLength(40)
    expect(drawn("-100")).toHaveLength(100)
    expect(new Set(drawn("-600")).size).toBe(40)
  })
})

describe("ZSCAN", () => {
  it("answers members and scores", () => {
    expect(script(`
      ZADD z 1.5 aa 2 b
      ZSCAN z 0
      ZSCAN z 0 MATCH a* COUNT 1
      ZADD z 3 c
      ZSCAN z 0 MATCH c COUNT 100
      ZSCAN none 0
      ZSCAN z x
      ZSCAN z 0 COUNT 0
      ZSCAN z 0 MATCH
      SET s 1
      ZSCAN s 0
    `)).toMatchInlineSnapshot(`
      "> ZADD z 1.5 aa 2 b
        #1 SortedSetMembersScored key=z members=[aa b] scores=[1.5 2]
      (integer) 2
      > ZSCAN z 0
      ["0", ["aa", "1.5", "b", "2"]]
      > ZSCAN z 0 MATCH a* COUNT 1
      ["0", ["aa", "1.5"]]
      > ZADD z 3 c
        #2 SortedSetMembersScored key=z members=[c] scores=[3]
      (integer) 1
      > ZSCAN z 0 MATCH c COUNT 100
      ["0", ["c", "3"]]
      > ZSCAN none 0
      ["0", []]
      > ZSCAN z x
      (error) ERR invalid cursor
      > ZSCAN z 0 COUNT 0
      (error) ERR syntax error
      > ZSCAN z 0 MATCH
      (error) ERR syntax error
      > SET s 1
        #3 StringSet key=s value=1 expireAt=null
      OK
      > ZSCAN s 0
      (error) WRONGTYPE Operation against a key holding the wrong kind of value"
    `)
  })

  it("goes through a large sorted set page by page", () => {
    const harness = new Harness()
    for (let i = 0; i < 1000; i++) harness.run("ZADD", "z", `${i}`, `m${i}`)
    const seen = new Set<string>()
    let cursor = "0"
    let pages = 0
    do {
      const reply = harness.run("ZSCAN", "z", cursor, "COUNT", "50")
      cursor = /^\*2\r\n\$\d+\r\n(\d+)/.exec(reply)![1]!
      for (const [member] of reply.matchAll(/m\d+/g)) seen.add(member)
      pages++
    } while (cursor !== "0")
    expect(seen.size).toBe(1000)
    expect(pages).toBeGreaterThan(5)
  })
})
