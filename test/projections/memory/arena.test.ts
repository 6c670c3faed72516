import fc from "fast-check"
import { describe, expect, it, vi } from "vitest"
import { Arena, ArenaFull, byteOf, type Pointer, slabOf, wordOf } from "../../../src/projections/memory/arena.ts"

const slab = 4 << 20
/** The slab every arena begins with and keeps. */
const first = 1 << 20
const free = 0
const draw = { maxLength: 300, minLength: 1, size: "max" } as const

/** Mostly small sizes, some in each doubling up to 1 MiB, a few huge ones. */
const size = fc.oneof(
  { weight: 60, arbitrary: fc.integer({ min: 1, max: 200 }) },
  { weight: 25, arbitrary: fc.integer({ min: 1, max: 8192 }) },
  { weight: 12, arbitrary: fc.integer({ min: 1, max: 1 << 20 }) },
  { weight: 2, arbitrary: fc.integer({ min: 1, max: 4 << 20 }) },
  { weight: 1, arbitrary: fc.integer({ min: 1, max: 100 << 20 }) }
)

/** What the model knows of a live block. The pattern is the block's number, in its first and last bytes. */
interface Block {
  readonly p: Pointer
  readonly size: number
  readonly mark: number
}

const edge = 600
const positions = function*(size: number): Generator<number> {
  for (let i = 0; i < Math.min(edge, size); i++) yield i
  for (let i = Math.max(edge, size - edge); i < size; i++) yield i
}
const fill = (arena: Arena, block: Block): void => {
  const bytes = arena.bytes[slabOf(block.p)]!
  for (const i of positions(arena.capacity(block.p))) bytes[byteOf(block.p) + i] = block.mark + i
}
const check = (arena: Arena, block: Block): void => {
  const bytes = arena.bytes[slabOf(block.p)]!
  for (const i of positions(arena.capacity(block.p))) {
    if (bytes[byteOf(block.p) + i] !== (block.mark + i & 255)) {
      throw new Error(`block ${block.p} was overwritten at ${i}`)
    }
  }
}

describe("arena", () => {
  it("keeps blocks apart and accounts for every byte", () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.boolean(), size, fc.nat()), draw), (steps) => {
        const arena = new Arena()
        const live: Array<Block> = []
        let used = 0
        let mark = 0
        for (const [grow, size, pick] of steps) {
          if (grow || live.length === 0) {
            const block = { p: arena.allocate(size), size, mark: mark++ * 31 }
            const capacity = arena.capacity(block.p)
            expect(block.p).toBeGreaterThan(free)
            expect(capacity).toBeGreaterThanOrEqual(size)
            expect(capacity).toBeLessThanOrEqual(Math.max(size + 7, size * 1.125 + 8))
            expect(byteOf(block.p) + capacity).toBeLessThanOrEqual(arena.bytes[slabOf(block.p)]!.length)
            used += capacity
            fill(arena, block)
            live.push(block)
          } else {
            const index = pick % live.length
            const block = live[index]!
            check(arena, block)
            used -= arena.capacity(block.p)
            arena.free(block.p)
            live[index] = live.at(-1)!
            live.pop()
          }
          expect(arena.usedBytes).toBe(used)
          expect(arena.reservedBytes).toBeGreaterThanOrEqual(used)
        }
        for (const block of live) check(arena, block)
        for (const block of live) arena.free(block.p)
        expect(arena.usedBytes).toBe(0)
        expect(arena.reservedBytes).toBeLessThanOrEqual(first + slab)
      }),
      { numRuns: 60 }
    )
  })

  it("keeps hundreds of thousands of small blocks apart while they come and go", () => {
    fc.assert(
      fc.property(fc.integer(), fc.integer({ min: 1, max: 2000 }), (seed, largest) => {
        let state = seed | 1
        const random = (n: number): number => {
          state ^= state << 13
          state ^= state >>> 17
          state ^= state << 5
          return (state >>> 0) % n
        }
        const arena = new Arena()
        const live: Array<Pointer> = []
        const owner = new Map<Pointer, number>()
        let used = 0
        const drop = (index: number): void => {
          const p = live[index]!
          const words = arena.words[slabOf(p)]!
          const last = wordOf(p) + (arena.capacity(p) >>> 2) - 1
          if (words[wordOf(p)] !== owner.get(p) || words[last] !== owner.get(p)) {
            throw new Error(`block ${p} was overwritten`)
          }
          used -= arena.capacity(p)
          owner.delete(p)
          arena.free(p)
          live[index] = live.at(-1)!
          live.pop()
        }
        for (let step = 0; step < 60_000; step++) {
          // Three phases: mostly growing, even, mostly shrinking.
          if (live.length === 0 || random(4) > Math.floor(step / 20_000)) {
            const p = arena.allocate(1 + random(largest))
            if (owner.has(p)) throw new Error(`block ${p} was handed out twice`)
            owner.set(p, step)
            const words = arena.words[slabOf(p)]!
            words[wordOf(p)] = step
            words[wordOf(p) + (arena.capacity(p) >>> 2) - 1] = step
            used += arena.capacity(p)
            live.push(p)
          } else drop(random(live.length))
        }
        expect(arena.usedBytes).toBe(used)
        while (live.length > 0) drop(live.length - 1)
        expect(arena.usedBytes).toBe(0)
        expect(arena.reservedBytes).toBeLessThanOrEqual(first + slab)
      }),
      { numRuns: 12 }
    )
  })

  it("has a class within an eighth of every size and finds room for each", () => {
    const arena = new Arena()
    const blocks: Array<Pointer> = []
    for (let size = 1; size <= (1 << 20) + 100; size += size < 3000 ? 1 : Math.ceil(size / 64)) {
      for (let copy = 0; copy < 3; copy++) {
        const p = arena.allocate(size)
        expect(arena.capacity(p)).toBeGreaterThanOrEqual(size)
        expect(arena.capacity(p)).toBeLessThanOrEqual(size <= 1024 ? size + 7 : Math.ceil(size * 1.125))
        blocks.push(p)
      }
    }
    expect(arena.capacity(arena.allocate(16384))).toBe(16384)
    expect(new Set(blocks).size).toBe(blocks.length)
  })

  it("reserves little more than is used", () => {
    for (const size of [24, 100, 1000, 1300, 9000, 70_000, 600_000, 1 << 20]) {
      const arena = new Arena()
      for (let used = 0; used < 64 << 20; used += size) arena.allocate(size)
      expect((arena.reservedBytes - first) / arena.usedBytes).toBeLessThan(1.2)
    }
  })

  it("gives slabs back but one, and uses their indices again", () => {
    const arena = new Arena()
    const blocks = Array.from({ length: 10_000 }, () => arena.allocate(4096))
    expect(arena.reservedBytes).toBe(first + 10 * slab)
    for (const p of blocks) arena.free(p)
    expect(arena.reservedBytes).toBe(first + slab)
    for (let i = 0; i < 10_000; i++) arena.allocate(4096)
    expect(arena.bytes.length).toBe(12)
  })

  it("gives what is free back to the system region by region", () => {
    const arena = new Arena()
    const region = 64 << 20
    const blocks = Array.from({ length: 3 * region / 65_536 }, () => arena.allocate(65_536))
    expect(arena.giveBack()).toBe(false)
    const full = arena.residentBytes
    for (const p of blocks) arena.free(p)
    expect(arena.residentBytes).toBe(full)
    const left: Array<number> = []
    while (arena.giveBack()) left.push(arena.residentBytes)
    expect(left.map((bytes, i) => (left[i - 1] ?? full) - bytes)).toMatchInlineSnapshot(`
      [
        67108864,
        67108864,
        62914560,
      ]
    `)
    expect(arena.residentBytes).toBeLessThanOrEqual(region)
    const again = Array.from({ length: 100 }, () => arena.allocate(65_536))
    expect(arena.giveBack()).toBe(false)
    for (const p of again) arena.free(p)
    expect([arena.giveBack(), arena.giveBack()]).toEqual([true, false])
  })

  it("makes several regions at once when it outgrows the first, for the collector sets out at each", () => {
    const made: Array<number> = []
    const construct = (target: typeof ArrayBuffer, words: [number]): ArrayBuffer => {
      const buffer = new target(...words)
      made.push(buffer.byteLength)
      return buffer
    }
    vi.stubGlobal("ArrayBuffer", new Proxy(ArrayBuffer, { construct }))
    try {
      const arena = new Arena()
      const grow = (to: number): number => {
        while (arena.usedBytes < to) arena.allocate(1 << 20)
        return made.length
      }
      const region = 64 << 20
      expect(grow(3 << 20)).toBe(1)
      expect(grow(12 << 20)).toBe(5)
      expect(made).toEqual([slab, region, region, region, region])
      expect(grow(250 << 20)).toBe(5)
      expect(grow(280 << 20)).toBe(6)
      expect(arena.giveBack()).toBe(false)
      while (arena.dismantle());
    } finally {
      vi.unstubAllGlobals()
    }
  })

  it("uses the gaps in full pages before it reserves more", () => {
    for (const size of [16, 1000, 20_000, 300_000]) {
      const arena = new Arena()
      const blocks = Array.from({ length: Math.floor((20 << 20) / size) }, () => arena.allocate(size))
      const reserved = arena.reservedBytes
      for (let i = 0; i < blocks.length; i += 2) arena.free(blocks[i]!)
      for (let i = 0; i < blocks.length; i += 2) blocks[i] = arena.allocate(size)
      expect(arena.reservedBytes).toBe(reserved)
      expect(new Set(blocks).size).toBe(blocks.length)
    }
  })

  it("hands emptied pages to other classes", () => {
    const arena = new Arena()
    for (const size of [16, 1000, 5000, 40_000, 1 << 20, 16]) {
      const blocks = Array.from({ length: Math.floor((16 << 20) / size) }, () => arena.allocate(size))
      expect(arena.reservedBytes).toBeLessThanOrEqual(6 * slab)
      for (const p of blocks) arena.free(p)
    }
    expect(arena.reservedBytes).toBe(first + slab)
  })

  it("gives a block over 1 MiB its own slab, as long as it needs to be", () => {
    const arena = new Arena()
    const p = arena.allocate((9 << 20) + 3)
    expect(byteOf(p)).toBe(0)
    expect(arena.capacity(p)).toBe((9 << 20) + 8)
    expect(arena.bytes[slabOf(p)]!.length).toBe((9 << 20) + 8)
    const q = arena.allocate(10)
    expect(slabOf(q)).not.toBe(slabOf(p))
    const view = arena.bytes[slabOf(p)]!
    arena.free(p)
    expect(view.length).toBe(0)
    expect(arena.reservedBytes).toBe(slab)
    expect(slabOf(arena.allocate(2 << 20))).toBe(slabOf(p))
  })

  it("refuses what it cannot have and stays usable", () => {
    const arena = new Arena()
    expect(() => arena.allocate(2 ** 53)).toThrow(ArenaFull)
    expect(() => arena.allocate(0)).toThrow(RangeError)
    expect(arena.usedBytes).toBe(0)
    expect(arena.reservedBytes).toBe(0)
    const p = arena.allocate(1)
    expect(() => arena.free(p + (1 << 19))).toThrow("is not a block")
    arena.free(p)
    expect(() => arena.free(p)).toThrow("is not a block")
  })

  it("throws when all slab indices are used up, and goes on after one is free", () => {
    const arena = new Arena()
    const blocks: Array<Pointer> = []
    // Never written to, so that the machine does not have to find 8 GiB.
    for (let i = 1; i < 8192; i++) blocks.push(arena.allocate((1 << 20) + 1))
    expect(blocks.at(-1)).toBe(8191 * 2 ** 19)
    expect(slabOf(blocks.at(-1)!)).toBe(8191)
    expect(() => arena.allocate(2 << 20)).toThrow(ArenaFull)
    expect(() => arena.allocate(1)).toThrow(ArenaFull)
    arena.free(blocks[8000]!)
    // The last slabs hold pointers above 2^31.
    const small = Array.from({ length: 5000 }, () => arena.allocate(24))
    expect(slabOf(small[4999]!)).toBe(8001)
    expect(arena.capacity(small[4999]!)).toBe(24)
    for (const p of small) arena.free(p)
    for (const [i, p] of blocks.entries()) if (i !== 8000) arena.free(p)
    expect(arena.usedBytes).toBe(0)
    expect(arena.reservedBytes).toBe(slab)
  })
})
