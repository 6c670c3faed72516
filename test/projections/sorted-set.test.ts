import { describe, expect, it } from "vitest"
import * as Entry from "../../src/projections/entry.ts"
import { Keyspace } from "../../src/projections/keyspace.ts"
import { Slice } from "../../src/projections/memory/slice.ts"
import * as SortedSets from "../../src/projections/sorted-set-read.ts"
import { membersRemoved, membersScored, rangeRemoved } from "../../src/projections/sorted-set.ts"
import { forSeeds, type Random, scaled } from "../support/random.ts"

const key = Slice.latin1("z")

type Pair = readonly [member: string, score: number]

const inOrder = (model: ReadonlyMap<string, number>): Array<Pair> =>
  [...model].sort(([a, x], [b, y]) => x < y ? -1 : x > y ? 1 : a < b ? -1 : a > b ? 1 : 0)

const edges = [
  -0,
  0,
  127,
  -4097,
  2 ** 31,
  -(2 ** 53),
  2 ** 60,
  -(2 ** 63),
  2 ** 63,
  0.1,
  -2.5,
  1.7976931348623157e308,
  5e-324,
  1e21,
  123456.789,
  -1e-7,
  Infinity,
  -Infinity
]

const scoreOf = (random: Random): number => {
  const dice = random.fraction()
  if (dice < 0.5) return random.between(-3, 3)
  if (dice < 0.7) return random.pick(edges)
  if (dice < 0.85) return random.between(-1000, 1000) / 16
  return (random.fraction() - 0.5) * 10 ** random.between(-12, 25)
}

const memberOf = (random: Random): string => {
  const dice = random.fraction()
  if (dice < 0.6) return `${random.below(60)}`
  if (dice < 0.9) return `m${random.below(40)}`
  if (dice < 0.95) return "x".repeat(random.between(0, 20))
  return Buffer.from(random.bytes(random.below(8))).toString("latin1")
}

class World {
  readonly keyspace = new Keyspace(1, { k0: 5, k1: 6 })
  readonly db = this.keyspace.database(0)
  readonly model = new Map<string, number>()

  get entry(): number {
    return this.db.locate(key)
  }

  score(pairs: ReadonlyArray<Pair>): void {
    membersScored(this.db, key, pairs.map(([member]) => Slice.latin1(member)), pairs.map(([, score]) => score))
    for (const [member, score] of pairs) this.model.set(member, score)
  }

  remove(members: ReadonlyArray<string>): void {
    membersRemoved(this.db, key, members.map((member) => Slice.latin1(member)))
    for (const member of members) this.model.delete(member)
  }

  removeRange(start: number, stop: number): void {
    rangeRemoved(this.db, key, start, stop)
    for (const [member] of inOrder(this.model).slice(start, stop + 1)) this.model.delete(member)
  }

  all(reverse = false): Array<Pair> {
    const found: Array<Pair> = []
    const p = this.entry
    if (p === 0) return found
    SortedSets.eachRanked(this.db, p, 0, SortedSets.cardinality(this.db, p), reverse, (member, score) => {
      found.push([member.latin1(), score])
    })
    return found
  }

  check(random: Random): void {
    const { db } = this
    const expected = inOrder(this.model)
    expect(this.all()).toEqual(expected)
    const p = this.entry
    if (p === 0) return
    expect(this.all(true)).toEqual(expected.toReversed())
    expect(SortedSets.cardinality(db, p)).toBe(expected.length)
    const member = memberOf(random)
    expect(SortedSets.scoreOf(db, p, Slice.latin1(member))).toEqual(this.model.get(member))
    expect(SortedSets.rankOf(db, p, Slice.latin1(member))).toBe(expected.findIndex(([other]) => other === member))
    const score = random.chance(0.5) ? scoreOf(random) : random.pick(expected)[1]
    expect(SortedSets.countBelowScore(db, p, score, false)).toBe(expected.filter(([, s]) => s < score).length)
    expect(SortedSets.countBelowScore(db, p, score, true)).toBe(expected.filter(([, s]) => s <= score).length)
    const from = random.below(expected.length)
    const count = random.between(0, expected.length - from)
    const reverse = random.chance(0.5)
    const found: Array<Pair> = []
    SortedSets.eachRanked(db, p, from, count, reverse, (text, value) => void found.push([text.latin1(), value]))
    const part = expected.slice(from, from + count)
    expect(found).toEqual(reverse ? part.toReversed() : part)
  }

  encoding(): string | undefined {
    const p = this.entry
    return p === 0 ? undefined : Entry.encodings[Entry.encodingOf(this.db.arena, p)]
  }
}

describe("sorted sets", () => {
  it("hold what a model holds, small and large", () => {
    let larger = 0
    forSeeds(scaled(20), (random) => {
      const world = new World()
      world.db.limits.sortedSetEntries = random.pick([0, 1, 5, 16, 64, 500])
      world.db.limits.sortedSetBytes = random.pick([0, 3, 12, 64])
      const calm = random.chance(0.5)
      for (let step = 0; step < 150; step++) {
        world.keyspace.turn.next(1)
        const dice = random.fraction()
        if (dice < 0.6) {
          const pairs = new Map(
            Array.from({ length: random.between(1, calm ? 2 : 12) }, () => [memberOf(random), scoreOf(random)])
          )
          world.score([...pairs])
        } else if (dice < 0.9) {
          world.remove(Array.from({ length: random.between(1, calm ? 2 : 20) }, () => memberOf(random)))
        } else {
          const start = random.below(world.model.size + 2)
          world.removeRange(start, start + random.below(calm ? 3 : 30))
        }
        world.check(random)
        if (world.encoding() === "skiplist") larger++
      }
    })
    expect(larger).toBeGreaterThan(300)
  })

  it("become large by their number or by one long member, and stay large", () => {
    const world = new World()
    world.db.limits.sortedSetEntries = 3
    world.db.limits.sortedSetBytes = 4
    world.score([["a", 1], ["b", 2]])
    world.score([["c", 3]])
    expect(world.encoding()).toBe("listpack")
    world.score([["c", 4]])
    expect(world.encoding()).toBe("listpack")
    world.score([["d", 5]])
    expect(world.encoding()).toBe("skiplist")
    world.remove(["a", "b", "c"])
    expect(world.encoding()).toBe("skiplist")
    expect(world.all()).toEqual([["d", 5]])
    world.remove(["d"])
    expect(world.encoding()).toBeUndefined()
    world.score([["four", 1]])
    expect(world.encoding()).toBe("listpack")
    world.score([["fives", 1]])
    expect(world.encoding()).toBe("skiplist")
    expect(world.all()).toEqual([["fives", 1], ["four", 1]])
  })

  it("keep every double exactly, in both forms", () => {
    for (const limit of [128, 0]) {
      forSeeds(scaled(20), (random) => {
        const world = new World()
        world.db.limits.sortedSetEntries = limit
        const words = new DataView(new ArrayBuffer(8))
        for (let i = 0; i < 100; i++) {
          words.setUint32(0, random.uint32())
          words.setUint32(4, random.uint32())
          const score = i < edges.length ? edges[i]! : words.getFloat64(0)
          if (!Number.isNaN(score)) world.score([[`m${i}`, score]])
        }
        const p = world.entry
        for (const [member, score] of world.model) {
          expect(SortedSets.scoreOf(world.db, p, Slice.latin1(member))).toBe(score)
        }
      })
    }
  })

  it("give all memory back", () => {
    const world = new World()
    world.db.limits.sortedSetEntries = 8
    const before = world.db.arena.usedBytes
    for (let round = 0; round < 3; round++) {
      for (let i = 0; i < 5000; i++) {
        world.keyspace.turn.next(1)
        membersScored(world.db, key, [Slice.latin1(`member${i}`)], [i % 100])
      }
      for (let i = 0; i < 5000; i += 2) {
        world.keyspace.turn.next(1)
        membersRemoved(world.db, key, [Slice.latin1(`member${i}`)])
      }
      if (round === 1) world.db.delete(key)
      else rangeRemoved(world.db, key, 0, 5000)
      while (world.db.structures.sweep(100));
      expect(world.db.arena.usedBytes).toBe(before)
    }
  })

  it("take the place of what is no sorted set, and leave it alone when told to remove", () => {
    const world = new World()
    world.db.create(key, Entry.Type.string, Entry.Encoding.raw, 0, 3)
    membersRemoved(world.db, key, [Slice.latin1("a")])
    rangeRemoved(world.db, key, 0, 5)
    expect(Entry.typeOf(world.db.arena, world.entry)).toBe(Entry.Type.string)
    world.score([["a", 1]])
    expect(world.all()).toEqual([["a", 1]])
    rangeRemoved(world.db, key, 1, 5)
    expect(world.all()).toEqual([["a", 1]])
    rangeRemoved(world.db, key, 0, 5)
    expect(world.entry).toBe(0)
    membersRemoved(world.db, key, [Slice.latin1("a")])
    expect(world.entry).toBe(0)
  })
})
