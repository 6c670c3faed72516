import { describe, expect, it } from "vitest"
import { Harness } from "../../support/harness.ts"
import { forSeeds } from "../../support/random.ts"
import { transcript } from "../../support/transcript.ts"

/** The bulk strings of a reply, in their order. */
const bulks = (reply: string): Array<string> => {
  const found: Array<string> = []
  for (let at = reply.indexOf("$"); at >= 0; at = reply.indexOf("$", at)) {
    const end = reply.indexOf("\r\n", at)
    const length = Number(reply.slice(at + 1, end))
    found.push(reply.slice(end + 2, end + 2 + length))
    at = end + 4 + length
  }
  return found
}

const keysOf = (harness: Harness, pattern: string): Array<string> => bulks(harness.run("KEYS", pattern)).sort()

const scanAll = (harness: Harness, ...options: ReadonlyArray<string>): Array<string> => {
  const found: Array<string> = []
  let cursor = "0"
  do {
    const [next, ...keys] = bulks(harness.run("SCAN", cursor, ...options))
    found.push(...keys)
    cursor = next!
  } while (cursor !== "0")
  return found
}

describe("KEYS", () => {
  it("finds what matches", () => {
    const harness = new Harness()
    for (const key of ["one", "two", "three", "four", "", "a*", "a\\b"]) harness.run("SET", key, "1")
    expect(keysOf(harness, "*")).toEqual(["", "a*", "a\\b", "four", "one", "three", "two"])
    expect(keysOf(harness, "t*")).toEqual(["three", "two"])
    expect(keysOf(harness, "[ft]*[er]")).toEqual(["four", "three"])
    expect(keysOf(harness, "???")).toEqual(["a\\b", "one", "two"])
    expect(keysOf(harness, "a\\*")).toEqual(["a*"])
    expect(keysOf(harness, "one")).toEqual(["one"])
    expect(keysOf(harness, "")).toEqual([""])
    expect(keysOf(harness, "none")).toEqual([])
  })

  it("passes over dead keys and records nothing", () => {
    expect(transcript(`SET a 1 PX 10
      SET b 1
      +10
      KEYS *
      KEYS a
      KEYS ?
      DBSIZE
      KEYS
      KEYS a b`)).toMatchInlineSnapshot(`
        "> SET a 1 PX 10
          #1 StringSet key=a value=1 expireAt=1700000000010
        OK
        > SET b 1
          #2 StringSet key=b value=1 expireAt=null
        OK
        > +10
        > KEYS *
        ["b"]
        > KEYS a
        []
        > KEYS ?
        ["b"]
        > DBSIZE
        (integer) 2
        > KEYS
        (error) ERR wrong number of arguments for 'keys' command
        > KEYS a b
        (error) ERR wrong number of arguments for 'keys' command"
      `)
  })

  it("goes through many keys", () => {
    const harness = new Harness()
    for (let i = 0; i < 5000; i++) harness.run("SET", `key:${i}`, "1")
    expect(new Set(keysOf(harness, "*")).size).toBe(5000)
    expect(keysOf(harness, "key:123?")).toEqual(Array.from({ length: 10 }, (_, i) => `key:123${i}`))
  })
})

describe("SCAN", () => {
  it("answers a cursor and keys", () => {
    expect(transcript(`SCAN 0
      SET a 1
      SCAN 0
      SCAN 0 MATCH a* COUNT 100 TYPE string
      SCAN 0 match b*
      SCAN 0 TYPE STRING
      SCAN 0 TYPE list
      SCAN 0 TYPE nonsense
      SCAN 0 MATCH b MATCH a
      SCAN ""
      SCAN +0
      SCAN 18446744073709551615`)).toMatchInlineSnapshot(`
        "> SCAN 0
        ["0", []]
        > SET a 1
          #1 StringSet key=a value=1 expireAt=null
        OK
        > SCAN 0
        ["0", ["a"]]
        > SCAN 0 MATCH a* COUNT 100 TYPE string
        ["0", ["a"]]
        > SCAN 0 match b*
        ["0", []]
        > SCAN 0 TYPE STRING
        ["0", ["a"]]
        > SCAN 0 TYPE list
        ["0", []]
        > SCAN 0 TYPE nonsense
        ["0", []]
        > SCAN 0 MATCH b MATCH a
        ["0", ["a"]]
        > SCAN ""
        ["0", ["a"]]
        > SCAN +0
        ["0", ["a"]]
        > SCAN 18446744073709551615
        ["0", []]"
      `)
  })

  it("refuses", () => {
    expect(transcript(`SCAN text
      SCAN " 0"
      SCAN 1a
      SCAN -
      SCAN 18446744073709551616
      SCAN 0 COUNT 0
      SCAN 0 COUNT -1
      SCAN 0 COUNT text
      SCAN 0 COUNT
      SCAN 0 MATCH
      SCAN 0 WHAT 1
      SCAN text WHAT
      SCAN`)).toMatchInlineSnapshot(`
        "> SCAN text
        (error) ERR invalid cursor
        > SCAN " 0"
        (error) ERR invalid cursor
        > SCAN 1a
        (error) ERR invalid cursor
        > SCAN -
        (error) ERR invalid cursor
        > SCAN 18446744073709551616
        (error) ERR invalid cursor
        > SCAN 0 COUNT 0
        (error) ERR syntax error
        > SCAN 0 COUNT -1
        (error) ERR syntax error
        > SCAN 0 COUNT text
        (error) ERR value is not an integer or out of range
        > SCAN 0 COUNT
        (error) ERR syntax error
        > SCAN 0 MATCH
        (error) ERR syntax error
        > SCAN 0 WHAT 1
        (error) ERR syntax error
        > SCAN text WHAT
        (error) ERR invalid cursor
        > SCAN
        (error) ERR wrong number of arguments for 'scan' command"
      `)
  })

  it("passes over dead keys and records nothing", () => {
    expect(transcript(`SET a 1 PX 10
      SET b 1
      +10
      SCAN 0
      DBSIZE`)).toMatchInlineSnapshot(`
        "> SET a 1 PX 10
          #1 StringSet key=a value=1 expireAt=1700000000010
        OK
        > SET b 1
          #2 StringSet key=b value=1 expireAt=null
        OK
        > +10
        > SCAN 0
        ["0", ["b"]]
        > DBSIZE
        (integer) 2"
      `)
  })

  it("returns every key once when nothing changes", () => {
    const harness = new Harness()
    const keys = Array.from({ length: 3000 }, (_, i) => `key:${i}`)
    for (const key of keys) harness.run("SET", key, "1")
    for (const count of ["1", "7", "10", "1000", "100000", "9223372036854775807"]) {
      expect(scanAll(harness, "COUNT", count).sort(), count).toEqual(keys.toSorted())
    }
    expect(scanAll(harness, "MATCH", "key:29?9").sort()).toEqual(keys.filter((key) => /^key:29.9$/.test(key)).sort())
  })

  it("returns about as many keys as asked for, in a bounded number of calls", () => {
    const harness = new Harness()
    for (let i = 0; i < 3000; i++) harness.run("SET", `key:${i}`, "1")
    let calls = 0
    let cursor = "0"
    do {
      const [next, ...keys] = bulks(harness.run("SCAN", cursor, "COUNT", "50"))
      expect(keys.length).toBeLessThan(50 + 64)
      cursor = next!
      calls++
    } while (cursor !== "0")
    expect(calls).toBeLessThanOrEqual(70)
  })

  it("returns a key that is there throughout, whatever else comes and goes", () => {
    forSeeds(12, (random) => {
      const harness = new Harness()
      const lasting = Array.from({ length: random.between(1, 1500) }, (_, i) => `lasting:${i}`)
      for (const key of lasting) harness.run("SET", key, "1")
      const passing = random.pick([10, 3000, 9000])
      const found = new Set<string>()
      let cursor = "0"
      do {
        for (let i = random.below(200); i > 0; i--) {
          const key = `passing:${random.below(passing)}`
          if (random.chance(0.6)) harness.run("SET", key, "1")
          else harness.run("DEL", key)
        }
        if (random.chance(0.02)) harness.run("DEL", ...Array.from({ length: passing }, (_, i) => `passing:${i}`))
        const [next, ...keys] = bulks(harness.run("SCAN", cursor, "COUNT", String(random.between(1, 100))))
        for (const key of keys) {
          if (key.startsWith("lasting:") && found.has(key)) throw new Error(`${key} twice`)
          found.add(key)
        }
        cursor = next!
      } while (cursor !== "0")
      for (const key of lasting) if (!found.has(key)) throw new Error(`${key} missing`)
    })
  })
})

describe("RANDOMKEY", () => {
  it("names a key, or none", () => {
    expect(transcript(`RANDOMKEY
      SET a 1
      RANDOMKEY
      SET b 1 PX 10
      DEL a
      +10
      RANDOMKEY
      RANDOMKEY x`)).toMatchInlineSnapshot(`
        "> RANDOMKEY
        (nil)
        > SET a 1
          #1 StringSet key=a value=1 expireAt=null
        OK
        > RANDOMKEY
        "a"
        > SET b 1 PX 10
          #2 StringSet key=b value=1 expireAt=1700000000010
        OK
        > DEL a
          #3 KeyDeleted key=a
        (integer) 1
        > +10
        > RANDOMKEY
        (nil)
        > RANDOMKEY x
        (error) ERR wrong number of arguments for 'randomkey' command"
      `)
  })

  it("reaches every key", () => {
    const harness = new Harness()
    for (let i = 0; i < 50; i++) harness.run("SET", `key:${i}`, "1")
    const drawn = new Set(Array.from({ length: 2000 }, () => harness.run("RANDOMKEY")))
    expect(drawn.size).toBe(50)
  })

  it("finds the one live key among thousands of dead ones", () => {
    const harness = new Harness()
    harness.run("SET", "live", "1")
    harness.run("SET", "live later", "1", "PX", "100")
    for (let i = 0; i < 8000; i++) harness.run("SET", `dead:${i}`, "1", "PX", String(1 + i % 10))
    harness.now += 10
    const batches = harness.batches.length
    const drawn = new Set(Array.from({ length: 200 }, () => bulks(harness.run("RANDOMKEY"))[0]))
    expect([...drawn].sort()).toEqual(["live", "live later"])
    harness.run("DEL", "live")
    harness.now += 90
    expect(harness.run("RANDOMKEY")).toBe("$-1\r\n")
    expect(harness.batches.length).toBe(batches + 1)
  })
})
