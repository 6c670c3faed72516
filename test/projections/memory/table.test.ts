import { describe, expect, it } from "vitest"
import { Arena, ArenaFull, byteOf, type Pointer, slabOf, wordOf } from "../../../src/projections/memory/arena.ts"
import { copyBytes } from "../../../src/projections/memory/slice.ts"
import { Table } from "../../../src/projections/memory/table.ts"
import { forSeeds, Random } from "../../support/random.ts"

const offset = 4

const make = (arena: Arena, text: string | Buffer): Pointer => {
  const bytes = typeof text === "string" ? Buffer.from(text, "latin1") : text
  const p = arena.allocate(offset + bytes.length)
  arena.words[slabOf(p)]![wordOf(p)] = bytes.length << 2
  copyBytes(arena.bytes[slabOf(p)]!, byteOf(p) + offset, bytes, 0, bytes.length)
  return p
}
const textOf = (arena: Arena, p: Pointer): string => {
  const start = byteOf(p) + offset
  return Buffer.from(arena.bytes[slabOf(p)]!.subarray(start, start + (arena.words[slabOf(p)]![wordOf(p)]! >>> 2)))
    .toString("latin1")
}

/** `expect(found).toBe(wanted)`, whose cost of microseconds would outweigh millions of comparisons, where it would fail. */
const same = (found: boolean | string, wanted: boolean | string): void => {
  if (found !== wanted) expect(found).toBe(wanted)
}

class World {
  readonly arena = new Arena()
  readonly table = new Table(this.arena, { k0: 3, k1: 4 }, offset)
  readonly models = new Map<Pointer, Set<string>>()

  add(root: Pointer, text: string): void {
    const bytes = Buffer.from(text, "latin1")
    this.table.open(root)
    const hash = this.table.hash(bytes, 0, bytes.length)
    const found = this.table.find(hash, bytes, 0, bytes.length)
    const model = this.models.get(root)!
    same(found !== 0, model.has(text))
    if (found !== 0) return
    this.table.insert(hash, make(this.arena, text))
    model.add(text)
  }

  remove(root: Pointer, text: string): void {
    const bytes = Buffer.from(text, "latin1")
    this.table.open(root)
    const p = this.table.get(bytes, 0, bytes.length)
    const model = this.models.get(root)!
    same(p !== 0, model.has(text))
    if (p === 0) return
    same(textOf(this.arena, p), text)
    this.table.remove(this.table.hashAt(p), p)
    this.arena.free(p)
    model.delete(text)
  }

  check(root: Pointer): void {
    const seen = new Set<string>()
    this.table.open(root)
    const model = this.models.get(root)!
    expect(this.table.size).toBe(model.size)
    this.table.each((p) => {
      seen.add(textOf(this.arena, p))
    })
    expect(seen).toEqual(model)
  }

  release(root: Pointer, budget: number): void {
    let steps = 0
    while (!this.table.releaseStep(root, budget, (p) => this.arena.free(p))) steps++
    expect(steps).toBeLessThanOrEqual(this.models.get(root)!.size / budget + 1)
    this.models.delete(root)
  }
}

/** Members with numbers, whose bytes and hashes are made once: made anew each time, they would cost more than the table. */
class Numbered {
  private readonly world: World
  private readonly bytes: ReadonlyArray<Buffer>
  private readonly hashes: ReadonlyArray<number>
  private readonly present: Uint8Array

  constructor(world: World, count: number, prefix: string) {
    this.world = world
    this.bytes = Array.from({ length: count }, (_, i) => Buffer.from(`${prefix}${i}`, "latin1"))
    this.hashes = this.bytes.map((bytes) => world.table.hash(bytes, 0, bytes.length))
    this.present = new Uint8Array(count)
  }

  /** Where the member is in the open table. */
  private find(i: number): Pointer {
    const bytes = this.bytes[i]!
    const p = this.world.table.find(this.hashes[i]!, bytes, 0, bytes.length)
    same(p !== 0, this.present[i] === 1)
    return p
  }

  add(i: number): void {
    if (this.find(i) !== 0) return
    const { arena, table } = this.world
    table.insert(this.hashes[i]!, make(arena, this.bytes[i]!))
    this.present[i] = 1
  }

  remove(i: number): void {
    const p = this.find(i)
    if (p === 0) return
    const { arena, table } = this.world
    same(table.hashAt(p) === this.hashes[i], true)
    table.remove(this.hashes[i]!, p)
    arena.free(p)
    this.present[i] = 0
  }
}

describe("table", () => {
  it("does what a set does, many of them side by side, and leaves nothing behind", () => {
    forSeeds(60, (random) => {
      const world = new World()
      const roots = Array.from({ length: random.between(1, 6) }, () => {
        const root = world.table.create()
        world.models.set(root, new Set())
        return root
      })
      const range = random.pick([4, 60, 700, 5000, 20_000])
      for (const phase of [0.8, 0.5, 0.15]) {
        for (let i = 0; i < range * 1.5; i++) {
          const root = random.pick(roots)
          const text = `member:${random.below(range)}`
          if (random.chance(phase)) world.add(root, text)
          else world.remove(root, text)
        }
        for (const root of roots) world.check(root)
      }
      for (const root of roots) world.release(root, random.pick([1, 50, 10_000]))
      expect(world.arena.usedBytes).toBe(0)
    })
  })

  it("shrinks to its smallest size when it is emptied", () => {
    const world = new World()
    const root = world.table.create()
    const empty = world.arena.usedBytes
    world.models.set(root, new Set())
    for (let i = 0; i < 50_000; i++) world.add(root, `m${i}`)
    expect(world.table.tableBytes).toBeGreaterThan(400_000)
    for (let i = 0; i < 50_000; i++) world.remove(root, `m${i}`)
    expect(world.arena.usedBytes).toBeLessThanOrEqual(empty + 1024)
    world.release(root, 10)
    expect(world.arena.usedBytes).toBe(0)
  })

  it("scans what is there throughout exactly once, while others come and go", () => {
    forSeeds(30, (random) => {
      const world = new World()
      const root = world.table.create()
      world.models.set(root, new Set())
      const staying = random.pick([10, 300, 4000])
      for (let i = 0; i < staying; i++) world.add(root, `stay:${i}`)
      const passing = new Numbered(world, 3 * staying, "pass:")
      const seen = new Map<string, number>()
      let cursor = 0
      let step = 0
      do {
        world.table.open(root)
        cursor = world.table.scanMany(cursor, random.between(1, 50), 5, (p) => {
          const text = textOf(world.arena, p)
          seen.set(text, (seen.get(text) ?? 0) + 1)
        })
        const busy = step++ % 40 < 20
        for (let i = 0; i < staying / 10; i++) {
          if (busy) passing.add(random.below(3 * staying))
          else passing.remove(random.below(3 * staying))
        }
      } while (cursor !== 0)
      for (let i = 0; i < staying; i++) expect(seen.get(`stay:${i}`)).toBe(1)
    })
  })

  it("draws every member about equally often, in sparse tables too", () => {
    const world = new World()
    const root = world.table.create()
    world.models.set(root, new Set())
    for (let i = 0; i < 3000; i++) world.add(root, `m${i}`)
    for (let i = 100; i < 3000; i++) world.remove(root, `m${i}`)
    const counts = new Map<Pointer, number>()
    const random = new Random(7)
    for (let i = 0; i < 20_000; i++) {
      const p = world.table.random(() => random.uint32())
      counts.set(p, (counts.get(p) ?? 0) + 1)
    }
    expect(counts.size).toBe(100)
    const square = [...counts.values()].reduce((sum, n) => sum + (n - 200) ** 2 / 200, 0)
    expect(square).toBeLessThan(160) // 99 degrees of freedom: one run in ten thousand is above
  })

  it("grows to half a million members without ever moving more than a segment at once", () => {
    const world = new World()
    const root = world.table.create()
    const { arena, table } = world
    let worst = 0
    for (let i = 0; i < 500_000; i++) {
      const before = table.movedSlots
      const p = make(arena, `${i}`)
      table.insert(table.hashAt(p), p)
      worst = Math.max(worst, table.movedSlots - before)
    }
    expect(table.open(root).size).toBe(500_000)
    expect(worst).toBeLessThan(4096)
    world.models.set(root, new Set(Array.from({ length: 500_000 }, (_, i) => `${i}`)))
    world.release(root, 1000)
    expect(arena.usedBytes).toBe(0)
  })
})

describe("a table that finds no memory", () => {
  it("is as it was before, and goes on when there is some", () => {
    const world = new World()
    const root = world.table.create()
    world.models.set(root, new Set())
    const { arena } = world
    const allocate = arena.allocate.bind(arena)
    const random = new Random(3)
    let refused = 0
    // Members are small; what is larger are tables and directories.
    let refusing = false
    arena.allocate = (size: number): Pointer => {
      if (refusing && size > 64) throw new ArenaFull("refused")
      return allocate(size)
    }
    for (let i = 0; i < 30_000; i++) {
      refusing = random.chance(0.5)
      const p = make(arena, `m${i}`)
      try {
        world.table.open(root).insert(world.table.hashAt(p), p)
        world.models.get(root)!.add(`m${i}`)
      } catch (error) {
        expect(error).toBeInstanceOf(ArenaFull)
        refused++
        arena.free(p)
      }
      if (i % 500 === 0) {
        world.table.root = 0 // what counts is what the arena says
        world.table.open(root)
      }
    }
    refusing = false
    expect(refused).toBeGreaterThan(5)
    world.check(root)
    world.release(root, 1000)
    expect(arena.usedBytes).toBe(0)
  })
})
