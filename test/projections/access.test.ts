import { describe, expect, it } from "vitest"
import {
  accessed,
  coldnessByUse,
  frequency,
  freshClock,
  idleSeconds,
  initialFrequency
} from "../../src/projections/access.ts"
import { Arena } from "../../src/projections/memory/arena.ts"
import { Dict } from "../../src/projections/memory/dict.ts"
import { Order } from "../../src/projections/memory/order.ts"
import { forSeeds, Random } from "../support/random.ts"

const at = 1_700_000_000_000

describe("the access clock", () => {
  it("counts idle seconds across the wrap of its 24 bits", () => {
    expect(idleSeconds(freshClock(at), freshClock(at))).toBe(0)
    expect(idleSeconds(freshClock(at), freshClock(at + 999_000))).toBe(999)
    const wrap = (0xff_ffff - 3) * 1000
    expect(idleSeconds(freshClock(wrap), freshClock(wrap + 10_000))).toBe(10)
  })

  it("begins with a frequency that time takes away, a minute a count, or as configured", () => {
    const clock = freshClock(at)
    expect(frequency(clock, freshClock(at), 1)).toBe(initialFrequency)
    expect(frequency(clock, freshClock(at + 59_000), 1)).toBe(5)
    expect(frequency(clock, freshClock(at + 60_000), 1)).toBe(4)
    expect(frequency(clock, freshClock(at + 3_600_000), 1)).toBe(0)
    expect(frequency(clock, freshClock(at + 3_600_000), 30)).toBe(3)
    expect(frequency(clock, freshClock(at + 3_600_000), 0)).toBe(5)
  })

  it("makes coldness out of both: use counts first, time decides among equals", () => {
    const cold = (frequent: number, idle: number): number =>
      coldnessByUse((freshClock(at - idle * 1000) & 0xff_ffff) | (frequent << 24), freshClock(at), 0)
    const rising = [
      cold(255, 0),
      cold(255, 1),
      cold(255, 0xff_fffe),
      cold(7, 3),
      cold(6, 0),
      cold(0, 0),
      cold(0, 9_000_000)
    ]
    expect(rising).toEqual(rising.toSorted((a, b) => a - b))
    expect(new Set(rising).size).toBe(rising.length)
    for (const value of rising) expect(value).toBe(value | 0)
  })

  it("grows as Redis's table of hits and factors says", () => {
    const after = (hits: number, factor: number): number => {
      const random = new Random(hits + factor)
      let sum = 0
      const runs = hits > 10_000 ? 3 : 30
      for (let run = 0; run < runs; run++) {
        let clock = freshClock(at)
        for (let i = 0; i < hits; i++) clock = accessed(clock, freshClock(at), 1, factor, random.uint32())
        sum += clock >>> 24
      }
      return sum / runs
    }
    // Factor 0: every access counts. The others as redis.conf documents them, within their spread.
    expect(after(100, 0)).toBe(105)
    expect(after(1000, 0)).toBe(255)
    expect(Math.abs(after(100, 1) - 18)).toBeLessThan(3)
    expect(Math.abs(after(1000, 1) - 49)).toBeLessThan(5)
    expect(Math.abs(after(100, 10) - 10)).toBeLessThan(3)
    expect(Math.abs(after(1000, 10) - 18)).toBeLessThan(3)
    expect(Math.abs(after(100_000, 10) - 142)).toBeLessThan(8)
    expect(Math.abs(after(1000, 100) - 11)).toBeLessThan(3)
  })
})

describe("what sampling rests on", () => {
  it("an order finds its keys by rank", () => {
    forSeeds(5, (random) => {
      const order = new Order(new Arena())
      const keys: Array<number> = []
      for (let i = random.between(0, 5000); i > 0; i--) {
        const key = random.below(3000)
        keys.push(key)
        order.insert(0, key, key * 3)
        if (random.chance(0.3)) {
          const [gone] = keys.splice(random.below(keys.length), 1)
          order.remove(0, gone!, gone! * 3)
        }
      }
      keys.sort((a, b) => a - b)
      const found = keys.map((_, rank) => order.at(rank) ? order.b : -1)
      expect(found).toEqual(keys)
      expect([order.at(-1), order.at(keys.length), order.at(NaN)]).toEqual([false, false, false])
      order.clear()
      expect(order.tableBytes).toBe(0)
    })
  })

  it("a dict's sample has as many entries as asked for, each once, and all of them often enough", () => {
    const pointers = new Uint32Array(5)
    const hashes = new Uint32Array(5)
    for (const count of [0, 1, 3, 40, 9000]) {
      const arena = new Arena()
      const dict = new Dict(arena, { k0: 1, k1: 2 }, 0, 4)
      const seen = new Map<number, number>()
      for (let i = 0; i < count; i++) {
        const p = arena.allocate(8)
        const key = Buffer.from(`k${i}`)
        arena.words[p >>> 19]![(p & 0x7ffff) << 1] = key.length
        dict.insert(dict.hash(key, 0, key.length), p)
        seen.set(p, 0)
      }
      const random = new Random(count)
      const rounds = 20 * Math.max(1, count)
      for (let round = 0; round < rounds; round++) {
        const found = dict.sample(random.uint32(), 5, pointers, hashes)
        const sample = [...pointers.subarray(0, found)]
        expect(sample.length).toBe(Math.min(5, count))
        for (let i = 0; i < found; i++) expect(dict.holds(hashes[i]!, sample[i]!)).toBe(true)
        if (found > 0) {
          expect(dict.holds(hashes[0]! ^ 1, sample[0]!)).toBe(false)
          expect(dict.holds(hashes[0]!, sample[0]! + 1)).toBe(false)
        }
        expect(new Set(sample).size).toBe(sample.length)
        for (const p of sample) seen.set(p, seen.get(p)! + 1)
      }
      // Each is expected a hundred times: who is seen less than ten times would be safe from eviction.
      if (count > 5) expect(Math.min(...seen.values())).toBeGreaterThan(10)
      if (count > 5) expect(Math.max(...seen.values())).toBeLessThan(400)
    }
  })
})
