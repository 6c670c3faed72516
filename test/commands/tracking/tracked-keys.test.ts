import { expect, it } from "vitest"
import { TrackedKeys } from "../../../src/commands/tracking/tracked-keys.ts"
import { Slice } from "../../../src/projections/memory/slice.ts"
import { Random } from "../../support/random.ts"

it("remembers each client of each key once, as a map of sets does", () => {
  const seed = (Math.random() * 0x7fff_ffff) | 0
  const random = new Random(seed)
  const table = new TrackedKeys({ k0: seed, k1: 2 }, () => false)
  const model = new Map<string, Set<number>>()
  const ids = Array.from({ length: 300 }, (_, i) => i % 3 === 0 ? 2 ** 40 + random.below(1000) : 1 + random.below(2000))
  const names = Array.from({ length: 200 }, (_, i) => "k".repeat(i % 7 === 0 ? 3000 : i % 11) + i)
  const taken = (told: ReadonlyArray<number>, name: string): void => {
    expect(told, `seed ${seed}`).toEqual([...model.get(name) ?? []].toSorted((a, b) => a - b))
    model.delete(name)
  }
  for (let i = 0; i < 16_000; i++) {
    const name = random.pick(names)
    const draw = random.below(400)
    if (draw > 2) {
      const id = random.pick(ids)
      table.add(Slice.latin1(name), id)
      model.set(name, (model.get(name) ?? new Set()).add(id))
    } else if (draw > 0) {
      const told: Array<number> = []
      expect(table.take(Slice.latin1(name), (id) => told.push(id))).toBe(model.has(name))
      taken(told, name)
    } else {
      const told: Array<number> = []
      let found = ""
      table.takeAny(() => random.uint32(), (id, key) => {
        told.push(id)
        found = key.latin1()
      })
      taken(told, found)
    }
    if (i === 12_000) {
      table.clear()
      model.clear()
    }
    expect(table.size).toBe(model.size)
  }
  expect(table.items, `seed ${seed}`).toBe([...model.values()].reduce((sum, { size }) => sum + size, 0))
  for (const name of names) table.take(Slice.latin1(name), () => {})
  expect([table.size, table.items]).toEqual([0, 0])
})

it("keeps no more of the clients that are gone than of those that are there", () => {
  const there = new Set<number>()
  const table = new TrackedKeys({ k0: 1, k1: 2 }, (id) => !there.has(id))
  const key = Slice.latin1("never changed")
  let most = 0
  for (let id = 1; id <= 20_000; id++) {
    there.add(id)
    if (id % 20 !== 0) there.delete(id - 10) // of twenty one stays
    table.add(key, id)
    most = Math.max(most, table.items - 2 * there.size)
  }
  expect(most).toBeLessThan(16)
  const told: Array<number> = []
  table.take(key, (id) => told.push(id))
  expect(told.filter((id) => there.has(id))).toEqual([...there])
  expect([table.size, table.items]).toEqual([0, 0])
})
