import { describe, expect, it } from "vitest"
import { stateDigest } from "../../../src/projections/digest.ts"
import { Keyspace } from "../../../src/projections/keyspace.ts"
import { Slice } from "../../../src/projections/memory/slice.ts"
import { setString } from "../../../src/projections/string.ts"
import { forSeeds } from "../../support/random.ts"

const mib = 1 << 20

/** The sum the meter must equal. */
const counted = (keyspace: Keyspace): number => keyspace.databases.reduce((sum, { arena }) => sum + arena.usedBytes, 0)

const compactAll = (keyspace: Keyspace): number => {
  let steps = 0
  let time = 0
  while (keyspace.compact(() => time++, 1)) if (++steps > 100_000) throw new Error("compaction does not end")
  return steps
}

describe("compaction", () => {
  it("moves entries and tables, changes nothing that can be seen, and gives memory back", () => {
    let steps = 0
    forSeeds(4, (random) => {
      const keyspace = new Keyspace(3, { k0: random.uint32(), k1: random.uint32() })
      const value = new Slice(random.bytes(40_000))
      const sizes = [20, 150, 700, 3000, 40_000]
      const put = (db: number, i: number): void => {
        keyspace.turn.next(1_700_000_000_000 + i)
        value.length = random.below(random.pick(sizes))
        const deadline = random.chance(0.2) ? 1_800_000_000_000 + random.below(1000) : 0
        setString(keyspace.database(db), Slice.latin1(`key:${i}`), value, deadline)
      }
      for (let i = 0; i < 12_000; i++) put(i % 3 === 0 ? 0 : 2, i)
      for (const share of [0.5, 0.8, 0.97]) {
        const full = keyspace.activeBytes
        for (let i = 0; i < 12_000; i++) {
          keyspace.turn.next(1_700_000_000_000)
          if (random.chance(share)) keyspace.database(i % 3 === 0 ? 0 : 2).delete(Slice.latin1(`key:${i}`))
        }
        const before = stateDigest(keyspace)
        const used = keyspace.usedBytes
        steps += compactAll(keyspace)
        expect(stateDigest(keyspace)).toBe(before)
        expect(keyspace.usedBytes).toBe(used)
        expect(counted(keyspace)).toBe(used)
        expect(keyspace.activeBytes).toBeLessThan(full)
        // What remains sparse is what two databases of many size classes may waste unnoticed.
        expect(keyspace.activeBytes).toBeLessThan(1.25 * used + 16 * mib)
        expect(keyspace.reservedBytes).toBeLessThan(1.3 * keyspace.activeBytes + 24 * mib)
        // Every key is found, can change and can go.
        for (let i = 0; i < 12_000; i += 5) {
          const db = keyspace.database(i % 3 === 0 ? 0 : 2)
          keyspace.turn.next(1_700_000_000_000)
          if (db.locate(Slice.latin1(`key:${i}`)) !== 0) put(i % 3 === 0 ? 0 : 2, i)
        }
      }
      for (let i = 0; i < 12_000; i++) {
        keyspace.turn.next(1_700_000_000_000)
        keyspace.database(i % 3 === 0 ? 0 : 2).delete(Slice.latin1(`key:${i}`))
      }
      expect(keyspace.databases.map(({ deadlines, size }) => size + deadlines.size)).toEqual([0, 0, 0])
      expect(counted(keyspace)).toBe(keyspace.usedBytes)
    })
    expect(steps).toBeGreaterThan(100)
  })

  it("leaves dense memory alone", () => {
    const keyspace = new Keyspace(1, { k0: 1, k1: 2 })
    for (let i = 0; i < 50_000; i++) {
      keyspace.turn.next(0)
      setString(keyspace.database(0), Slice.latin1(`key:${i}`), Slice.latin1("v".repeat(i % 300)), 0)
    }
    expect(compactAll(keyspace)).toBeLessThan(3)
  })

  it("ends when nothing can be moved: blocks that are neither entries nor tables stay where they are", () => {
    const keyspace = new Keyspace(1, { k0: 1, k1: 2 })
    const { arena } = keyspace.database(0)
    const blocks = Array.from({ length: 200_000 }, () => arena.allocate(100))
    const kept = blocks.filter((p, i) => {
      if (i % 100 === 0) return true
      arena.free(p)
      return false
    })
    for (const p of kept) arena.words[p >>> 19]![(p & 0x7ffff) << 1] = p
    compactAll(keyspace)
    expect(compactAll(keyspace)).toBe(0)
    for (const p of kept) expect(arena.words[p >>> 19]![(p & 0x7ffff) << 1]).toBe(p)
    // And the arena still works: what was free is used again.
    const reserved = arena.reservedBytes
    for (let i = 0; i < 190_000; i++) arena.allocate(100)
    expect(arena.reservedBytes).toBeLessThanOrEqual(reserved)
  })
})

describe("the meter", () => {
  it("is the sum over the databases through flushes, swaps and adoption", () => {
    forSeeds(3, (random) => {
      let keyspace = new Keyspace(4, { k0: 1, k1: 2 })
      const fill = (into: Keyspace, count: number): void => {
        for (let i = 0; i < count; i++) {
          into.turn.next(0)
          setString(
            into.database(random.below(5)),
            Slice.latin1(`k${random.below(500)}`),
            Slice.latin1("v".repeat(300)),
            0
          )
        }
      }
      for (let i = 0; i < 60; i++) {
        fill(keyspace, random.below(300))
        const dice = random.below(4)
        if (dice === 0) keyspace.clearDatabase(random.below(5))
        else if (dice === 1) keyspace.swap(random.below(5), random.below(5))
        else if (dice === 2) {
          const fresh = keyspace.blank()
          fill(fresh, 100)
          keyspace.adopt(fresh)
        } else keyspace.clear()
        expect(keyspace.usedBytes).toBe(counted(keyspace))
      }
      keyspace = keyspace.blank()
      expect(keyspace.usedBytes).toBe(counted(keyspace))
    })
  })
})
