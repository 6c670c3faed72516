import { describe, expect, it } from "vitest"
import { budgetOf } from "../../../src/commands/executor/eviction.ts"
import { noMemoryLimit } from "../../../src/commands/memory-policy.ts"
import { LogUnavailable } from "../../../src/log/event-log.ts"
import { stateDigest } from "../../../src/projections/digest.ts"
import { Harness } from "../../support/harness.ts"
import { Random } from "../../support/random.ts"
import { evictions, folded, keyOf, limit, oom, policies } from "./memory.ts"
import { Rig } from "./rig.ts"

const kib = 1024

/** Every way a value may lie in memory: requests that write key `i`. */
const values: Readonly<Record<string, (key: string, i: number) => ReadonlyArray<ReadonlyArray<string>>>> = {
  int: (key, i) => [["SET", key, `${i * 977}`]],
  embstr: (key, i) => [["SET", key, "e".repeat(i % 45)]],
  raw: (key, i) => [["SET", key, "r".repeat(45 + i % 400)]],
  appended: (key, i) => [["SET", key, "12"], ["APPEND", key, "a".repeat(i % 300)]],
  counted: (key, i) => [["INCRBY", key, `${i}`], ["INCRBYFLOAT", key, "0.5"]],
  ranged: (key, i) => [["SETRANGE", key, `${i % 500}`, "end"]],
  pages: (key, i) => [["SET", key, "p".repeat(1500 + 900 * (i % 7))]],
  copied: (
    key,
    i
  ) => [["SET", `${key}:from`, "c".repeat(i % 200)], ["COPY", `${key}:from`, key], ["DEL", `${key}:from`]]
}

describe("the memory limit, every policy with every kind of value", () => {
  for (const policy of policies) {
    for (const [kind, write] of Object.entries(values)) {
      it(`${policy}, ${kind}`, () => {
        const harness = new Harness()
        const { executor, keyspace } = harness
        const bytes = 40 * kib
        limit(harness, { limit: bytes, policy })
        let refused = 0
        let most = 0
        for (let i = 0; i < 1000; i++) {
          const key = `key:${i}`
          for (const words of write(key, i)) {
            const before = keyspace.usedBytes
            const seen = harness.batches.length
            const reply = harness.run(...words)
            const evicted = evictions(harness.batches.slice(seen))
            if (reply === oom) {
              refused++
              expect(before).toBeGreaterThan(bytes)
              // A refused command changed nothing; whether anything could be evicted is the policy's affair.
              expect(keyspace.usedBytes).toBeLessThanOrEqual(before)
            } else expect(reply.startsWith("-"), reply).toBe(false)
            // Within the limit nobody is evicted; over it, nobody more than needed.
            if (before <= bytes) expect(evicted).toEqual([])
            most = Math.max(most, keyspace.usedBytes - bytes)
          }
          if (policy.startsWith("volatile") && i % 3 > 0) harness.run("EXPIRE", key, `${100 + i}`)
          harness.now += 40
        }
        // One command, at most: its value, and a table twice as large while its entries move.
        expect(most).toBeLessThan(40 * kib)
        const all = evictions(harness.batches)
        for (const { command, events } of all) {
          expect(command).toBe(0)
          expect(events).toMatchObject([{ _tag: "KeyEvicted", policy }])
        }
        expect(executor.statistics.evictedKeys).toBe(all.length)
        if (policy === "noeviction") {
          expect(all).toEqual([])
          expect(refused).toBeGreaterThan(0)
          // Reads and deletions pass; what is deleted makes room.
          expect(harness.run("EXISTS", "key:0")).toBe(":1\r\n")
          expect(harness.run("GET", "nothing")).toBe("$-1\r\n")
          for (let i = 0; i < 1000; i++) expect(harness.run("DEL", `key:${i}`)).toMatch(/^:[01]/)
          expect(harness.run("SET", "a", "1")).toBe("+OK\r\n")
        } else if (policy.startsWith("allkeys")) {
          expect(refused).toBe(0)
          expect(all.length).toBeGreaterThan(10)
        } else expect(all.length).toBeGreaterThan(3)
        expect(folded(harness.batches)).toBe(stateDigest(keyspace))
      })
    }
  }
})

/** Fills a harness with keys k0 … of 100 bytes each, a second apart. */
const filled = (count: number, deadlines = false): Harness => {
  const harness = new Harness()
  for (let i = 0; i < count; i++) {
    harness.run("SET", `k${i}`, "v".repeat(100), ...deadlines ? ["EX", `${100_000 - i}`] : [])
    harness.now += 1000
  }
  return harness
}

describe("who goes", () => {
  it("one eviction before the command that needs room, as its own batch", () => {
    const harness = filled(1000)
    limit(harness, { limit: harness.keyspace.usedBytes, policy: "allkeys-lru" })
    harness.run("SET", "new", "v")
    const before = harness.batches.length
    harness.run("SET", "newer", "v".repeat(20))
    const batches = harness.batches.slice(before)
    expect(batches.map(({ origin, events }) => [origin, events.map(({ _tag }) => _tag)])).toEqual([
      ["evict", ["KeyEvicted"]],
      ["client", ["StringSet"]]
    ])
    expect(batches[0]!.sequence + 1).toBe(batches[1]!.sequence)
  })

  it("a command that reads finds the data within the limit too", () => {
    const harness = filled(100)
    const bytes = harness.keyspace.usedBytes - 1000
    limit(harness, { limit: bytes, policy: "allkeys-random" })
    harness.run("PING")
    expect(evictions(harness.batches).length).toBe(8)
    expect(harness.keyspace.usedBytes).toBeLessThanOrEqual(bytes)
  })

  it("volatile-ttl evicts in the exact order of deadlines, over all databases", () => {
    const harness = new Harness()
    const random = new Random(3)
    const deadlines: Array<number> = []
    for (let i = 0; i < 500; i++) {
      harness.connection.client.db = i % 5
      const deadline = harness.now + random.between(10_000, 10_000_000)
      deadlines.push(deadline)
      harness.run("SET", `t${deadline}`, "v".repeat(50), "PXAT", `${deadline}`)
      harness.run("SET", `forever${i}`, "v".repeat(50))
    }
    limit(harness, { limit: 1, policy: "volatile-ttl" })
    expect(harness.run("SET", "a", "b")).toBe(oom)
    expect(evictions(harness.batches).map((batch) => Number(keyOf(batch).slice(1))))
      .toEqual(deadlines.toSorted((a, b) => a - b))
    for (const database of harness.keyspace.databases.slice(0, 5)) expect(database.size).toBe(100)
  })

  it("volatile policies leave keys without a deadline alone and refuse when only those are left", () => {
    for (const policy of ["volatile-lru", "volatile-lfu", "volatile-lrm", "volatile-random", "volatile-ttl"] as const) {
      const harness = filled(50)
      for (let i = 0; i < 3; i++) harness.run("EXPIRE", `k${10 * i}`, "1000")
      limit(harness, { limit: 1, policy })
      expect(harness.run("SET", "a", "b"), policy).toBe(oom)
      expect(evictions(harness.batches).map(keyOf).sort()).toEqual(["k0", "k10", "k20"])
      expect(harness.run("GET", "k1")).toContain("vvv")
    }
  })

  it("keys past their deadline go first, and as expired", () => {
    const harness = filled(20)
    harness.run("PEXPIRE", "k7", "500")
    harness.run("PEXPIRE", "k9", "400")
    harness.now += 600
    limit(harness, { limit: harness.keyspace.usedBytes - 200, policy: "allkeys-lru" })
    const before = harness.batches.length
    harness.run("PING")
    expect(harness.batches.slice(before).map((batch) => [batch.origin, keyOf(batch)])).toEqual([
      ["expire", "k9"],
      ["expire", "k7"]
    ])
    expect(harness.executor.statistics.evictedKeys).toBe(0)
  })

  it("LRU spares what was read, LRM does not, LFU spares what is read often", () => {
    const survivors = (policy: "allkeys-lru" | "allkeys-lrm" | "allkeys-lfu"): ReadonlyArray<number> => {
      const harness = new Harness()
      limit(harness, { limit: 0, policy })
      for (let i = 0; i < 1000; i++) harness.run("SET", `k${i}`, "v".repeat(100))
      // The first hundred are read a lot, long ago; the second hundred once, lately; the third written again.
      for (let round = 0; round < 50; round++) for (let i = 0; i < 100; i++) harness.run("GET", `k${i}`)
      harness.now += 50_000
      for (let i = 100; i < 200; i++) harness.run("GET", `k${i}`)
      for (let i = 200; i < 300; i++) harness.run("EXPIRE", `k${i}`, "100000")
      limit(harness, { limit: harness.keyspace.usedBytes / 2, policy })
      harness.run("PING")
      const left = (from: number): number => {
        let count = 0
        for (let i = from; i < from + 100; i++) if (harness.run("EXISTS", `k${i}`) === ":1\r\n") count++
        return count
      }
      return [left(0), left(100), left(200)]
    }
    const lru = survivors("allkeys-lru")
    expect(lru[0]).toBeLessThan(80)
    expect(lru.slice(1)).toEqual([100, 100])
    const lrm = survivors("allkeys-lrm")
    expect(lrm[0]).toBeLessThan(80)
    expect(lrm[1]).toBeLessThan(80)
    expect(lrm[2]).toBe(100)
    const lfu = survivors("allkeys-lfu")
    expect(lfu[0]).toBe(100)
  })

  it("the size of a database decides how often it is sampled, not its number", () => {
    const harness = new Harness()
    for (let i = 0; i < 3000; i++) {
      harness.connection.client.db = i % 3 === 0 ? 3 : 9
      harness.run("SET", `k${i}`, "v".repeat(64))
    }
    limit(harness, { limit: harness.keyspace.usedBytes / 2, policy: "allkeys-random" })
    harness.run("PING")
    const gone = evictions(harness.batches)
    const small = gone.filter(({ db }) => db === 3).length
    expect(small / gone.length).toBeGreaterThan(0.28)
    expect(small / gone.length).toBeLessThan(0.38)
  })
})

describe("how long it takes", () => {
  it("a lower limit is reached in slices, in the background", () => {
    const rig = new Rig()
    const { executor, keyspace } = rig
    for (let i = 0; i < 2000; i++) rig.run("SET", `k${i}`, "v".repeat(100))
    rig.drain()
    rig.tickMs = 1
    executor.limitMemory({ ...noMemoryLimit(), limit: keyspace.usedBytes / 2, policy: "allkeys-lru" })
    // A command is held up for one slice only, and still runs: eviction is under way.
    expect(rig.run("SET", "a", "b")).toBe("+OK\r\n")
    const batches = rig.drain()
    expect(batches.length).toBe(33)
    expect(batches.at(-1)).toBe("client db0 StringSet a")
    expect(executor.statistics.exceeded.currentMs).toBeGreaterThan(0)
    let slices = 0
    for (; executor.relieveMemory(3); slices++) {
      expect(rig.drain().length).toBe(64)
      expect(keyspace.usedBytes).toBeGreaterThan(executor.view.memory.limit)
    }
    expect(slices).toBeGreaterThan(10)
    expect(keyspace.usedBytes).toBeLessThanOrEqual(executor.view.memory.limit)
    expect(executor.statistics.exceeded.currentMs).toBe(0)
    expect(executor.statistics.exceeded.totalMs).toBeGreaterThan(60)
    expect(executor.statistics.peakMemory).toBeGreaterThan(1.9 * executor.view.memory.limit)
  })

  it("the tenacity is that of Redis: 50 µs a step up to 10, 15 % more a step above, at 100 no end", () => {
    expect([0, 1, 10, 11, 50, 99, 100].map((tenacity) => budgetOf(tenacity).toFixed(3)))
      .toEqual(["0.000", "0.050", "0.500", "0.575", "133.932", "126205.359", "Infinity"])
  })

  it("nothing is evicted while clients are paused or the log takes nothing, and nobody is told of memory then", () => {
    const harness = filled(10)
    limit(harness, { limit: 1, policy: "allkeys-lru" })
    harness.executor.pause = "write"
    expect(harness.run("GET", "k1")).toContain("vvv")
    expect(harness.executor.relieveMemory(1)).toBe(false)
    expect(evictions(harness.batches)).toEqual([])
    harness.executor.pause = "none"
    harness.failure = new LogUnavailable({ reason: "No space left on device" })
    expect(harness.run("SET", "a", "b")).toMatch(/^-MISCONF/)
    expect(harness.run("GET", "k1")).toContain("vvv")
    expect(harness.executor.relieveMemory(1)).toBe(false)
    expect(evictions(harness.batches)).toEqual([])
    harness.failure = undefined
    expect(harness.run("GET", "k1")).toBe("$-1\r\n")
    expect(evictions(harness.batches).length).toBe(10)
  })
})
