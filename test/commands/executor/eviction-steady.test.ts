/** Long loads at the limit: memory does not creep, and the better policies keep the better keys. */
import { describe, expect, it } from "vitest"
import { noMemoryLimit } from "../../../src/commands/memory-policy.ts"
import type { MemoryPolicy } from "../../../src/commands/memory-policy.ts"
import { Random } from "../../support/random.ts"
import { Rig } from "./rig.ts"

const mib = 1 << 20

describe("a steady load at the limit", () => {
  for (const policy of ["allkeys-lru", "allkeys-random"] as const) {
    it(`does not creep while the data is replaced ten times over by other sizes (${policy})`, () => {
      const rig = new Rig()
      const limit = 8 * mib
      rig.executor.limitMemory({ ...noMemoryLimit(), limit, policy })
      const { arena } = rig.keyspace.database(0)
      const random = new Random(5)
      let key = 0
      let worst = 0
      for (const size of [200, 1700, 300, 12_000, 300, 150, 5000, 400, 900, 300]) {
        for (let written = 0; written < limit;) {
          const length = random.between(size >> 1, size)
          rig.run("SET", `key:${key++}`, "v".repeat(length))
          written += length + 60
          if (key % 200 === 0) {
            rig.now += 20
            rig.drain()
            rig.executor.compact(1)
            worst = Math.max(worst, rig.keyspace.usedBytes)
          }
        }
        // One command over the limit at most; what the machine holds for it stays near it, size after size.
        expect(worst).toBeLessThan(limit + 40_000)
        expect(arena.reservedBytes).toBeLessThan(2.2 * limit + 12 * mib)
      }
      for (let i = 0; rig.executor.compact(1); i++) expect(i).toBeLessThan(10_000)
      expect(arena.activeBytes).toBeLessThan(1.2 * limit + 4 * mib)
      expect(arena.reservedBytes).toBeLessThan(1.5 * limit + 8 * mib)
    })
  }
})

/** Keys of a cache that is asked for some keys more than for others, and drifts: hits in percent. */
const hitRatio = (policy: MemoryPolicy, capacity: number, samples = 5): number => {
  const rig = new Rig()
  const random = new Random(11)
  const universe = 2000
  const weights = new Float64Array(universe)
  let sum = 0
  for (let i = 0; i < universe; i++) weights[i] = sum += 1 / (i + 1) ** 0.9
  const draw = (drift: number): string => {
    const x = random.fraction() * sum
    let low = 0
    let high = universe - 1
    while (low < high) {
      const middle = (low + high) >> 1
      if (weights[middle]! < x) low = middle + 1
      else high = middle
    }
    return `k${(low * 997 + drift) % universe}`
  }
  const value = "v".repeat(200)
  for (let i = 0; i < capacity; i++) rig.run("SET", `fill${i}`, value)
  rig.executor.limitMemory({ ...noMemoryLimit(), limit: rig.keyspace.usedBytes, policy, samples })
  let hits = 0
  const requests = 12_000
  for (let i = 0; i < 2 * requests; i++) {
    const key = draw(Math.floor(i / 6000) * 300)
    if (rig.run("GET", key) !== "$-1\r\n") { if (i >= requests) hits++ }
    else rig.run("SET", key, value)
    rig.now += 20
    if (i % 100 === 0) rig.drain()
  }
  return 100 * hits / requests
}

describe("the quality of the choice", () => {
  it("LRU and LFU keep clearly more of what is wanted than random choice, and more samples help", () => {
    const random = hitRatio("allkeys-random", 300)
    const lru = hitRatio("allkeys-lru", 300)
    const lfu = hitRatio("allkeys-lfu", 300)
    expect(lru).toBeGreaterThan(random + 3)
    expect(lfu).toBeGreaterThan(random + 3)
    expect(hitRatio("allkeys-lru", 300, 1)).toBeLessThan(lru + 0.5)
    expect(hitRatio("allkeys-lru", 300, 20)).toBeGreaterThan(lru - 0.5)
  })
})
