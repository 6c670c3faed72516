/** The choice of who is evicted, where keys are drawn for several evictions at once. */
import { describe, expect, it } from "vitest"
import type { MemoryPolicy } from "../../../src/commands/memory-policy.ts"
import { noMemoryLimit } from "../../../src/commands/memory-policy.ts"
import { Rig } from "./rig.ts"

const value = "v".repeat(100)

/** Sets a limit that the data is `bytes` over. */
const over = (rig: Rig, bytes: number, policy: MemoryPolicy): void =>
  rig.executor.limitMemory({
    ...noMemoryLimit(),
    limit: rig.keyspace.usedBytes - bytes,
    policy,
    samples: 10,
    tenacity: 100
  })

/** The keys evicted since the last call. */
const evicted = (rig: Rig): Array<string> =>
  rig.drain().filter((batch) => batch.startsWith("evict")).map((batch) => batch.split(" ").at(-1)!)

const fill = (rig: Rig, count: number, ...options: ReadonlyArray<string>): void => {
  for (let i = 0; i < count; i++) rig.run("SET", `k${i}`, value, ...options)
  rig.drain()
}

describe("keys drawn ahead", () => {
  it("chance spares nobody and favours nobody", () => {
    for (const policy of ["allkeys-random", "volatile-random"] as const) {
      const rig = new Rig()
      const keys = 600
      fill(rig, keys, ...policy === "volatile-random" ? ["EX", "100000"] : [])
      const times = new Map<string, number>()
      for (let round = 0; round < 400; round++) {
        over(rig, 3000, policy)
        rig.run("PING")
        const gone = evicted(rig)
        expect(gone.length).toBeGreaterThan(10)
        expect(new Set(gone).size).toBe(gone.length)
        rig.executor.limitMemory(noMemoryLimit())
        for (const key of gone) {
          times.set(key, (times.get(key) ?? 0) + 1)
          rig.run("SET", key, value, ...policy === "volatile-random" ? ["EX", "100000"] : [])
        }
      }
      const all = [...times.values()]
      const mean = all.reduce((sum, n) => sum + n, 0) / keys
      expect(mean).toBeGreaterThan(8)
      expect(all.length).toBeGreaterThan(0.98 * keys)
      expect(Math.max(...all)).toBeLessThan(5 * mean)
    }
  })

  it("who is used after having been drawn is spared", () => {
    for (const policy of ["allkeys-lru", "allkeys-lfu", "volatile-lru"] as const) {
      const rig = new Rig()
      rig.executor.limitMemory({ ...noMemoryLimit(), policy })
      fill(rig, 40, "EX", "100000")
      rig.now += 100_000
      // All forty are drawn for the first eviction, and the coldest of them are in the pool.
      over(rig, 1, policy)
      rig.run("PING")
      expect(evicted(rig).length).toBe(1)
      rig.now += 1000
      for (let i = 0; i < 20; i++) for (let n = 0; n < 3; n++) rig.run("GET", `k${i}`)
      rig.drain()
      over(rig, 1500, policy)
      rig.run("PING")
      const gone = evicted(rig)
      expect(gone.length).toBeGreaterThan(5)
      for (const key of gone) expect(Number(key.slice(1)), policy).toBeGreaterThan(19)
    }
  })

  it("what is drawn may be gone, or be another key's, when its turn comes", () => {
    for (const policy of ["allkeys-random", "allkeys-lru", "allkeys-lfu", "volatile-random", "volatile-lru"] as const) {
      const rig = new Rig()
      fill(rig, 100, "EX", "100000")
      over(rig, 1, policy)
      rig.run("PING")
      expect(evicted(rig).length).toBe(1)
      for (let i = 0; i < 100; i++) rig.run("RENAME", `k${i}`, `renamed${i}`)
      rig.connection.client.db = 3
      for (let i = 0; i < 10; i++) rig.run("SET", `other${i}`, value, "EX", "100000")
      rig.run("SWAPDB", "0", "3")
      over(rig, 3000, policy)
      rig.run("PING")
      expect(evicted(rig).length).toBeGreaterThan(5)
      // Where most keys were there is nothing any more.
      rig.run("FLUSHDB")
      rig.connection.client.db = 0
      rig.executor.limitMemory(noMemoryLimit())
      for (let i = 0; i < 10; i++) rig.run("SET", `other${i}`, value, "EX", "100000")
      rig.drain()
      over(rig, 300, policy)
      rig.run("PING")
      const gone = evicted(rig)
      expect(gone.length).toBeGreaterThan(1)
      for (const key of gone) expect(key).toMatch(/^other/)
      expect(rig.keyspace.usedBytes).toBeLessThanOrEqual(rig.executor.view.memory.limit)
    }
  })

  it("of few keys with a deadline among many without, volatile policies find every one", () => {
    for (const policy of ["volatile-random", "volatile-lru", "volatile-lfu", "volatile-lrm"] as const) {
      const rig = new Rig()
      fill(rig, 500)
      for (let i = 0; i < 500; i += 70) rig.run("EXPIRE", `k${i}`, "1000")
      rig.drain()
      rig.executor.limitMemory({ ...noMemoryLimit(), limit: 1, policy, tenacity: 100 })
      expect(rig.run("SET", "a", "b")).toContain("OOM")
      expect(evicted(rig).sort(), policy).toEqual([0, 70, 140, 210, 280, 350, 420, 490].map((i) => `k${i}`).sort())
    }
  })

  it("a key that is written dead makes room at once, whatever the policy", () => {
    for (const policy of ["noeviction", "volatile-lru", "allkeys-lru"] as const) {
      const rig = new Rig()
      fill(rig, 20)
      over(rig, -200, policy)
      rig.run("SET", "dead", value, "PXAT", `${rig.now - 5}`)
      rig.drain()
      over(rig, 1, policy)
      rig.run("PING")
      expect(rig.drain(), policy).toEqual(["expire db0 KeyExpired dead"])
      expect(rig.run("SET", "a", "b")).toBe("+OK\r\n")
    }
  })
})
