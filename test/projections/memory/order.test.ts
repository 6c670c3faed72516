import fc from "fast-check"
import { describe, expect, it } from "vitest"
import { Arena, ArenaFull } from "../../../src/projections/memory/arena.ts"
import { Order } from "../../../src/projections/memory/order.ts"

type Key = readonly [number, number, number]

const compare = (x: Key, y: Key): number => x[0] - y[0] || x[1] - y[1] || x[2] - y[2]

/** The number of model keys below (or, `orEqual`, not above) a key. */
const countIn = (model: ReadonlyArray<Key>, key: Key, orEqual: boolean): number => {
  let low = 0
  let high = model.length
  while (low < high) {
    const middle = (low + high) >>> 1
    if (compare(model[middle]!, key) < (orEqual ? 1 : 0)) low = middle + 1
    else high = middle
  }
  return low
}

const contents = (order: Order): Array<Key> => {
  const keys: Array<Key> = []
  order.each((a, b, c) => keys.push([a, b, c]))
  return keys
}

const sourceOf = (seed: number): (n: number) => number => {
  let state = seed | 1
  return (n) => {
    state ^= state << 13
    state ^= state >>> 17
    state ^= state << 5
    return Math.floor((state >>> 0) / 2 ** 32 * n)
  }
}

describe("order", () => {
  it("does what a sorted array does", () => {
    fc.assert(
      fc.property(
        fc.integer(),
        // Few distinct keys make duplicates across nodes, 2^32 make words whose top bit is set.
        fc.constantFrom(1, 2, 40, 5000, 2 ** 32),
        fc.constantFrom("random", "ascending", "descending"),
        fc.constantFrom("random", "least", "greatest", "absent"),
        (seed, distinct, inserts, removals) => {
          const random = sourceOf(seed)
          const arena = new Arena()
          const order = new Order(arena)
          const model: Array<Key> = []
          let turn = 0
          const nextKey = (): Key => {
            turn++
            if (inserts === "ascending") return [0xffff_fff0, turn, random(distinct)]
            if (inserts === "descending") return [7, 0xffff_ffff - turn, random(distinct)]
            return [random(Math.min(distinct, 3)), random(distinct), random(distinct)]
          }
          for (let step = 0; step < 8000; step++) {
            // Three phases: mostly growing, even, mostly shrinking.
            if (random(4) > Math.floor(step / 2700)) {
              const key = nextKey()
              order.insert(...key)
              model.splice(countIn(model, key, true), 0, key)
            } else {
              const index = removals === "least" ? 0 : removals === "greatest" ? model.length - 1 : random(model.length)
              const key = removals === "absent" && random(3) === 0 ? nextKey() : model[index] ?? nextKey()
              const at = countIn(model, key, true) - 1
              const found = at >= 0 && compare(model[at]!, key) === 0
              if (order.remove(...key) !== found) throw new Error(`remove ${key} said ${!found}`)
              if (found) model.splice(at, 1)
            }
            if (order.size !== model.length) throw new Error(`size ${order.size}, not ${model.length}`)
            if (order.first() !== (model.length > 0)) throw new Error("first")
            if (model.length > 0 && compare([order.a, order.b, order.c], model[0]!) !== 0) throw new Error("least key")
            if (step % 50 === 0) {
              const key = model[random(model.length)] ?? nextKey()
              expect(order.countBelow(...key)).toBe(countIn(model, key, false))
              const other = nextKey()
              expect(order.countBelow(...other)).toBe(countIn(model, other, false))
            }
            if (step % 1000 === 999) expect(contents(order)).toEqual(model)
          }
          for (const key of model) if (!order.remove(...key)) throw new Error(`${key} is missing`)
          expect(order.size).toBe(0)
          expect(arena.usedBytes).toBe(0)
        }
      ),
      { numRuns: 30 }
    )
  })

  it("fills its nodes when keys ascend, and half or better at random", () => {
    const arena = new Arena()
    const order = new Order(arena)
    for (let i = 0; i < 100_000; i++) order.insert(1, i, i)
    expect(arena.usedBytes / order.size).toBeLessThan(14.5)
    order.clear()
    expect(arena.usedBytes).toBe(0)
    const random = sourceOf(5)
    for (let i = 0; i < 100_000; i++) order.insert(random(2 ** 32), 0, 0)
    expect(arena.usedBytes / order.size).toBeLessThan(26)
    order.clear()
    expect(arena.usedBytes).toBe(0)
  })

  it("gives memory back while keys go", () => {
    const arena = new Arena()
    const order = new Order(arena)
    const keys = 100_000
    for (let i = 0; i < keys; i++) order.insert(0, i, 0)
    // All but every fiftieth: no node may stay nearly empty.
    for (let i = 0; i < keys; i++) if (i % 50 !== 0) expect(order.remove(0, i, 0)).toBe(true)
    expect(order.size).toBe(keys / 50)
    expect(arena.usedBytes / order.size).toBeLessThan(60)
    expect(contents(order)).toEqual(Array.from({ length: keys / 50 }, (_, i) => [0, i * 50, 0]))
  })

  it("changes nothing when an insertion finds the arena full", () => {
    for (const ascending of [true, false]) {
      const random = sourceOf(3)
      const arena = new Arena()
      const allocate = arena.allocate
      let left = 0
      arena.allocate = (size) => {
        if (left-- === 0) throw new ArenaFull("test")
        return allocate.call(arena, size)
      }
      const order = new Order(arena)
      const model: Array<Key> = []
      let refused = 0
      for (let i = 0; i < 8000; i++) {
        const key: Key = [0, ascending ? i : random(2 ** 32), 1]
        // First without any memory, then with room for one node, two, and so on.
        for (let nodes = 0;; nodes++) {
          left = nodes
          const used = arena.usedBytes
          try {
            order.insert(...key)
            break
          } catch (error) {
            expect(error).toBeInstanceOf(ArenaFull)
            expect(arena.usedBytes).toBe(used)
            if (refused++ % 40 === 0) expect(contents(order)).toEqual(model)
          }
        }
        model.splice(countIn(model, key, true), 0, key)
        if (order.size !== model.length) throw new Error("size")
      }
      expect(refused).toBeGreaterThan(100)
      expect(contents(order)).toEqual(model)
      for (const key of model) expect(order.remove(...key)).toBe(true)
      expect(arena.usedBytes).toBe(0)
    }
  })

  it("takes signed words for the unsigned ones with the same bits", () => {
    const order = new Order(new Arena())
    order.insert(-1, 0, 0)
    order.insert(1, -2, 3)
    order.insert(1, 2, 3)
    expect(contents(order)).toEqual([[1, 2, 3], [1, 0xffff_fffe, 3], [0xffff_ffff, 0, 0]])
    expect(order.remove(1, 0xffff_fffe, 3)).toBe(true)
    expect(order.remove(0xffff_ffff, 0, 0)).toBe(true)
    expect(order.remove(1, 2, 4)).toBe(false)
    expect(order.size).toBe(1)
  })
})
