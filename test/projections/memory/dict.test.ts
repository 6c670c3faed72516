import fc from "fast-check"
import { describe, expect, it } from "vitest"
import { Arena, ArenaFull, byteOf, type Pointer, slabOf, wordOf } from "../../../src/projections/memory/arena.ts"
import { Dict, prefetchLimit } from "../../../src/projections/memory/dict.ts"

const keyOffset = 12
const lengthWord = 1
const emptyTable = 64 * 8 + 4

const sourceOf = (seed: number): () => number => {
  let state = seed | 1
  return () => {
    state ^= state << 13
    state ^= state >>> 17
    state ^= state << 5
    return state >>> 0
  }
}

/** Ways to place keys in hash space: as the keyed hash does, and shapes it would never produce. */
const shapes: Record<string, (hash: number) => number> = {
  keyed: (hash) => hash,
  "deep on one side": (hash) => ((hash & 7) === 0 ? hash : hash >>> 9) >>> 0,
  "few home slots": (hash) => (hash & ~0x7c0) >>> 0,
  "around the wrap": (hash) => (hash & ~2047 | 2040 + (hash & 15) & 2047) >>> 0,
  "many equal hashes": (hash) => (hash & 0xc0000007) >>> 0
}
/** Equal hashes cannot be split apart: that shape is for dicts of fewer keys than a segment has room for. */
const crowded = "many equal hashes"

/** A dict next to the Map it must agree with. Keys are latin1 strings of any bytes. */
class Pair {
  readonly arena = new Arena()
  readonly dict: Dict
  readonly model = new Map<string, Pointer>()
  readonly keyAt = new Map<Pointer, string>()
  readonly shape: (hash: number) => number
  constructor(shape: string, seed: number) {
    this.dict = new Dict(this.arena, { k0: seed >>> 0, k1: ~seed >>> 0 }, lengthWord, keyOffset)
    this.shape = shapes[shape]!
  }
  hash(key: Buffer): number {
    return this.shape(this.dict.hash(key, 0, key.length))
  }
  find(text: string): Pointer {
    // In the middle of a buffer, so that offsets matter.
    const key = Buffer.from(`<${text}>`, "latin1")
    const hash = this.shape(this.dict.hash(key, 1, key.length - 2))
    return this.dict.find(hash, key, 1, key.length - 2)
  }
  block(key: Buffer): Pointer {
    const p = this.arena.allocate(keyOffset + key.length)
    this.arena.words[slabOf(p)]![wordOf(p) + lengthWord] = key.length
    this.arena.bytes[slabOf(p)]!.set(key, byteOf(p) + keyOffset)
    return p
  }
  put(text: string): void {
    const key = Buffer.from(text, "latin1")
    const old = this.model.get(text)
    const next = this.block(key)
    if (old === undefined) this.dict.insert(this.hash(key), next)
    else {
      this.dict.replace(this.hash(key), old, next)
      this.keyAt.delete(old)
      this.arena.free(old)
    }
    this.model.set(text, next)
    this.keyAt.set(next, text)
  }
  remove(text: string): void {
    const p = this.model.get(text)
    if (p === undefined) return
    this.dict.remove(this.hash(Buffer.from(text, "latin1")), p)
    this.arena.free(p)
    this.model.delete(text)
    this.keyAt.delete(p)
  }
  verify(): void {
    expect(this.dict.size).toBe(this.model.size)
    for (const [text, p] of this.model) {
      if (this.find(text) !== p) throw new Error(`${JSON.stringify(text)} was not found`)
    }
  }
  clear(): void {
    for (const text of this.model.keys()) this.remove(text)
    expect(this.dict.size).toBe(0)
    expect(this.dict.tableBytes).toBe(emptyTable)
    this.dict.destroy()
    expect(this.arena.usedBytes).toBe(0)
  }
}

const shape = fc.constantFrom(...Object.keys(shapes))
const seed = fc.integer()

/** Key number n: number 0 is empty, others begin with a zero byte, have high bytes or are long. */
const keyOf = (n: number): string =>
  n === 0 ? "" : n % 7 === 0 ? `\0\xff\r\n${n}` : n % 101 === 0 ? "long".repeat(200) + n : `key:${n}`

describe("dict", () => {
  it("made as large as it will be takes entries in, each once, and does what a Map does from then on", () => {
    fc.assert(
      fc.property(shape, seed, fc.constantFrom(1, 2900, 5000, 20_000), (shape, seed, announced) => {
        const random = sourceOf(seed)
        const pair = new Pair(shape, seed)
        while (!pair.dict.prepareFor(announced, 3)) expect(pair.dict.size).toBe(0)
        const range = shape === crowded ? 1000 : 2 * announced // more than was said may come
        for (let i = 0; i < range; i++) {
          const text = keyOf(random() % range)
          const key = Buffer.from(text, "latin1")
          const p = pair.block(key)
          const isNew = !pair.model.has(text)
          expect(pair.dict.insertNew(pair.hash(key), p, key, 0, key.length)).toBe(isNew)
          if (!isNew) pair.arena.free(p)
          else {
            pair.model.set(text, p)
            pair.keyAt.set(p, text)
          }
        }
        pair.verify()
        for (let i = 0; i < range; i++) pair.remove(keyOf(random() % range))
        for (let i = 0; i < 200; i++) pair.put(keyOf(random() % range))
        pair.verify()
        if (shape === "keyed") pair.clear()
        else { // where hashes are not spread, tables made for them may stay without an entry, and so without a removal
          for (const text of pair.model.keys()) pair.remove(text)
          expect(pair.dict.size).toBe(0)
          pair.dict.destroy()
          expect(pair.arena.usedBytes).toBe(0)
        }
      }),
      { numRuns: 12 }
    )
  })

  it("does what a Map does", () => {
    fc.assert(
      fc.property(shape, seed, fc.constantFrom(30, 500, 1500, 12_000), (shape, seed, keys) => {
        const random = sourceOf(seed)
        const pair = new Pair(shape, seed)
        const range = shape === crowded ? Math.min(keys, 1000) : keys
        for (let step = 0; step < 40_000; step++) {
          const text = keyOf(random() % range)
          // Growing, even, shrinking, twice over.
          const phase = Math.floor(step / 40_000 * 6) % 3
          if (random() % 4 > phase) pair.put(text)
          else pair.remove(text)
          const asked = keyOf(random() % range)
          if (pair.find(asked) !== (pair.model.get(asked) ?? 0)) throw new Error(`find ${JSON.stringify(asked)}`)
          if (step % 8000 === 7999) pair.verify()
        }
        pair.clear()
      }),
      { numRuns: 26 }
    )
  })

  it("tells keys with the same hash apart", () => {
    const pair = new Pair("keyed", 1)
    const blocks = ["a", "b", "ab", ""].map((text) => pair.block(Buffer.from(text)))
    for (const hash of [0, 5, 2 ** 31, 2 ** 32 - 1]) {
      for (const p of blocks) pair.dict.insert(hash, p)
      expect(pair.dict.find(hash, Buffer.from("xaby"), 1, 2)).toBe(blocks[2])
      expect(pair.dict.find(hash | 0, Buffer.from("xaby"), 2, 1)).toBe(blocks[1])
      expect(pair.dict.find(hash, Buffer.from("c"), 0, 1)).toBe(0)
      expect(pair.dict.find(hash, Buffer.from("c"), 1, 0)).toBe(blocks[3])
      const seen: Array<Pointer> = []
      expect(pair.dict.eachWithHash(hash, (p) => seen.push(p) < 0)).toBe(0)
      expect(seen.toSorted()).toEqual(blocks.toSorted())
      expect(pair.dict.eachWithHash(hash, (p) => p === blocks[2])).toBe(blocks[2])
      expect(pair.dict.eachWithHash(hash ^ 1, () => true)).toBe(0)
      for (const p of blocks) pair.dict.remove(hash, p)
      expect(pair.dict.eachWithHash(hash, () => true)).toBe(0)
    }
    expect(() => pair.dict.remove(5, blocks[0]!)).toThrow("no entry")
    expect(() => pair.dict.replace(5, blocks[0]!, blocks[1]!)).toThrow("no entry")
  })

  it("holds 2046 keys that cannot be told apart by the directory, and refuses the next", () => {
    const pair = new Pair("keyed", 1)
    const blocks = Array.from({ length: 2046 }, () => pair.block(Buffer.from("x")))
    for (const [i, p] of blocks.entries()) pair.dict.insert(0xabcde800 + i, p)
    expect(() => pair.dict.insert(0xabcdeb00, 1)).toThrow("share the top 21 bits")
    for (const [i, p] of blocks.entries()) {
      expect(pair.dict.find(0xabcde800 + i, Buffer.from("x"), 0, 1)).toBe(p)
    }
    for (const [i, p] of blocks.entries()) pair.dict.remove(0xabcde800 + i, p)
    expect(pair.dict.tableBytes).toBe(emptyTable)
  })

  /** Between any two steps of an iteration the dict may grow and shrink by thousands; keys that stay are seen once, none twice. */
  const iterationLaw = (
    step: (dict: Dict, cursor: number, visit: (p: Pointer) => void) => number,
    done: number,
    upheaval: number
  ): void =>
    fc.assert(
      fc.property(shape, seed, fc.constantFrom(0, 10, 400, 6000), fc.nat(8), (shape, seed, stable, changes) => {
        const random = sourceOf(seed)
        const pair = new Pair(shape, seed)
        const range = shape === crowded ? Math.min(stable, 700) : stable
        const others = shape === crowded ? 700 : 8000
        for (let i = 0; i < range; i++) pair.put(`stable:${i}`)
        const seen = new Map<string, number>()
        const visit = (p: Pointer): void => {
          const text = pair.keyAt.get(p)
          if (text === undefined) throw new Error(`${p} is not an entry`)
          seen.set(text, (seen.get(text) ?? 0) + 1)
        }
        // Half of the runs begin with all keys, so that the tables shrink under the iteration, too.
        let phase = seed & 1
        if (phase === 1) { for (let i = 0; i < others; i++) pair.put(`other:${i}`) }
        let cursor = step(pair.dict, 0, visit)
        for (let turn = 1; cursor !== done; turn++) {
          if (random() % 16 < changes) {
            // A few changes; now and then, all the other keys come or go.
            if (turn % upheaval === 0 && phase < 12) {
              phase++
              for (let i = 0; i < others; i++) {
                if (phase % 2 === 1) pair.put(`other:${i}`)
                else pair.remove(`other:${i}`)
              }
            }
            for (let i = 0; i < 5; i++) {
              const text = `other:${random() % others}`
              if (random() % 2 === 0) pair.put(text)
              else pair.remove(text)
            }
          }
          const next = step(pair.dict, cursor, visit)
          if (next !== done && next <= cursor) throw new Error("the cursor must grow")
          cursor = next
        }
        for (let i = 0; i < range; i++) {
          if (seen.get(`stable:${i}`) !== 1) throw new Error(`stable:${i} seen ${seen.get(`stable:${i}`)} times`)
        }
        for (const [text, times] of seen) if (times > 1) throw new Error(`${text} seen ${times} times`)
        pair.clear()
      }),
      { numRuns: 25 }
    )

  it("scan visits what stays exactly once, whatever else comes and goes", () => {
    iterationLaw((dict, cursor, visit) => dict.scan(cursor, visit), 0, 40)
  })

  it("scanMany does so in larger steps", () => {
    iterationLaw((dict, cursor, visit) => dict.scanMany(cursor, 10, 100, visit), 0, 15)
  })

  it("walk does so by segments", () => {
    iterationLaw((dict, cursor, visit) => dict.walk(cursor, visit), -1, 1)
  })

  it("changes nothing when an insertion finds the arena full, and can always remove", () => {
    const pair = new Pair("keyed", 4)
    const allocate = pair.arena.allocate
    let refused = 0
    for (let i = 0; i < 20_000; i++) {
      const text = keyOf(i)
      const key = Buffer.from(text, "latin1")
      const p = pair.block(key)
      pair.arena.allocate = () => {
        throw new ArenaFull("test")
      }
      try {
        pair.dict.insert(pair.hash(key), p)
      } catch (error) {
        expect(error).toBeInstanceOf(ArenaFull)
        refused++
        expect(pair.dict.size).toBe(i)
        pair.verify()
        pair.arena.allocate = allocate
        pair.dict.insert(pair.hash(key), p)
      }
      pair.arena.allocate = allocate
      pair.model.set(text, p)
      pair.keyAt.set(p, text)
    }
    expect(refused).toBeGreaterThan(10)
    pair.verify()
    pair.arena.allocate = () => {
      throw new ArenaFull("test")
    }
    for (let i = 5; i < 20_000; i++) pair.remove(keyOf(i))
    pair.verify()
    pair.arena.allocate = allocate
    pair.put("one more")
    pair.clear()
  })

  it("prefetches without harm, present keys and absent ones", () => {
    const pair = new Pair("keyed", 8)
    const hashes = new Int32Array(prefetchLimit)
    for (let i = 0; i < 5000; i++) {
      hashes[i % prefetchLimit] = pair.hash(Buffer.from(keyOf(i), "latin1"))
      expect(typeof pair.dict.prefetch(hashes, 1 + i % prefetchLimit)).toBe("number")
      pair.put(keyOf(i))
    }
    pair.verify()
  })

  it("walks in the order of hash prefixes", () => {
    const pair = new Pair("keyed", 9)
    for (let i = 0; i < 20_000; i++) pair.put(keyOf(i))
    let steps = 0
    let seen = 0
    for (let position = 0; position !== -1; steps++) {
      const hashes: Array<number> = []
      const next = pair.dict.walk(position, (_p, hash) => hashes.push(hash))
      for (const hash of hashes) if (hash < position || (next !== -1 && hash >= next)) throw new Error(`${hash}`)
      seen += hashes.length
      position = next
    }
    expect(seen).toBe(20_000)
    expect(steps).toBeGreaterThan(11)
  })

  it("scans a small dict in one call", () => {
    for (let keys = 0; keys <= 50; keys++) {
      const pair = new Pair("keyed", keys * 77)
      for (let i = 0; i < keys; i++) pair.put(keyOf(i))
      const seen: Array<Pointer> = []
      expect(pair.dict.scanMany(0, Math.max(keys, 1), 1000, (p) => seen.push(p))).toBe(0)
      expect(seen.toSorted()).toEqual([...pair.model.values()].toSorted())
    }
  })

  it("stops a scan at the wanted number or the most steps", () => {
    const pair = new Pair("keyed", 3)
    for (let i = 0; i < 10_000; i++) pair.put(keyOf(i))
    let seen = 0
    expect(pair.dict.scanMany(0, 10, 1000, () => seen++)).not.toBe(0)
    expect(seen).toBeGreaterThanOrEqual(10)
    expect(seen).toBeLessThan(20)
    seen = 0
    expect(pair.dict.scanMany(0, 1e9, 8, () => seen++)).not.toBe(0)
    expect(seen).toBeLessThan(60)
    seen = 0
    expect(pair.dict.scanMany(0, 1e9, 1e9, () => seen++)).toBe(0)
    expect(seen).toBe(10_000)
  })

  it("draws every entry about equally often, also from segments of unequal depth", () => {
    for (const [shape, keys] of [["keyed", 1], ["keyed", 40], ["keyed", 2500], ["deep on one side", 4000]] as const) {
      const random = sourceOf(keys)
      const pair = new Pair(shape, 11)
      for (let i = 0; i < keys; i++) pair.put(keyOf(i))
      const times = new Map<Pointer, number>()
      for (let i = 0; i < keys * 100; i++) {
        const p = pair.dict.random(random)
        times.set(p, (times.get(p) ?? 0) + 1)
      }
      // 100 each on average, standard deviation 10.
      expect([...times.keys()].toSorted()).toEqual([...pair.model.values()].toSorted())
      expect(Math.min(...times.values())).toBeGreaterThanOrEqual(45)
      expect(Math.max(...times.values())).toBeLessThan(170)
    }
  })

  it("draws from a dict that was nearly emptied", () => {
    const pair = new Pair("deep on one side", 5)
    for (let i = 0; i < 20_000; i++) pair.put(keyOf(i))
    for (let i = 0; i < 20_000; i++) if (i % 9000 !== 1) pair.remove(keyOf(i))
    const random = sourceOf(3)
    const drawn = new Set<Pointer>()
    for (let i = 0; i < 500; i++) drawn.add(pair.dict.random(random))
    expect(drawn).toEqual(new Set(pair.model.values()))
    pair.clear()
    expect(new Pair("keyed", 1).dict.random(random)).toBe(0)
  })

  it("never moves more than one segment and the directory, on the way to 5 million entries and back", () => {
    const keys = 5_000_000
    const arena = new Arena()
    const dict = new Dict(arena, { k0: 1, k1: 2 }, 0, 4)
    const key = new Uint8Array(8)
    const number = new Uint32Array(key.buffer)
    let worst = 0
    let before = 0
    const note = (allowed: number): void => {
      const moved = dict.movedSlots - before
      before = dict.movedSlots
      if (moved > allowed) throw new Error(`${moved} slots moved at ${dict.size} entries`)
      if (moved > worst) worst = moved
    }
    for (let i = 0; i < keys; i++) {
      number[0] = i
      const hash = dict.hash(key, 0, 8)
      const p = arena.allocate(12)
      arena.words[slabOf(p)]![wordOf(p)] = 8
      arena.words[slabOf(p)]![wordOf(p) + 1] = i
      arena.words[slabOf(p)]![wordOf(p) + 2] = 0
      dict.insert(hash, p)
      note(2048 + dict.directorySize)
    }
    expect(dict.size).toBe(keys)
    expect(dict.tableBytes / keys).toBeLessThan(20)
    expect(worst).toBeGreaterThan(1000)
    for (let i = 0; i < keys; i++) {
      number[0] = i
      const hash = dict.hash(key, 0, 8)
      const p = dict.find(hash, key, 0, 8)
      if (p === 0) throw new Error(`${i} is missing`)
      const directory = dict.directorySize
      dict.remove(hash, p)
      arena.free(p)
      // One removal may merge a chain of buddies, each merge moving at most the entries that fit half a segment.
      note(4096 + directory)
    }
    expect(dict.tableBytes).toBe(emptyTable)
    expect(arena.usedBytes).toBe(emptyTable - 4)
  })
})
