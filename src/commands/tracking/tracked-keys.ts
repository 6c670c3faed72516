/**
 * Which clients have read which keys, by the names of the keys: off the heap, about 45 bytes for a key of 16 bytes that
 * one client has read.
 *
 * An entry: u32 length of the key · u32 number of clients · the key · up to 3 bytes to align · for each client its id,
 * u32 low and u32 high, in ascending order.
 */
import { Arena, byteOf, type Pointer, slabOf, wordOf } from "../../projections/memory/arena.ts"
import { Dict } from "../../projections/memory/dict.ts"
import type { HashSeed } from "../../projections/memory/hash.ts"
import { copyBytes, Slice } from "../../projections/memory/slice.ts"

const headerBytes = 8
const idBytes = 8
const wordsRange = 0x1_0000_0000

/** Index, in words after the entry's first, of the first client. */
const idsAt = (keyLength: number): number => (headerBytes + keyLength + 3) >>> 2

/** See the head of this file. */
export class TrackedKeys {
  /** Clients of all keys together. */
  items = 0
  private readonly seed: HashSeed
  private readonly isGone: (id: number) => boolean
  private arena!: Arena
  private dict!: Dict
  private readonly key = new Slice()

  /** @param isGone whether a client is connected no more: nobody will ask for it again */
  constructor(seed: HashSeed, isGone: (id: number) => boolean) {
    this.seed = seed
    this.isGone = isGone
    this.clear()
  }

  /** Keys. */
  get size(): number {
    return this.dict.size
  }

  get usedBytes(): number {
    return this.arena.usedBytes
  }

  /** Forgets everything; what it took is given back at once. */
  clear(): void {
    const old = this.arena as Arena | undefined
    this.arena = new Arena()
    this.dict = new Dict(this.arena, this.seed, 0, headerBytes)
    this.items = 0
    while (old?.dismantle() === true);
  }

  /**
   * Notes that a client has read a key.
   * @throws ArenaFull and has then noted nothing
   */
  add(key: Slice, id: number): void {
    const { arena, dict } = this
    const { bytes, length, start } = key
    const hash = dict.hash(bytes, start, length)
    const p = dict.find(hash, bytes, start, length)
    if (p === 0) this.insert(hash, key, id)
    else {
      const words = arena.words[slabOf(p)]!
      const at = wordOf(p)
      if (placeOf(words, at + idsAt(length), words[at + 1]!, id) < 0) this.insertId(hash, p, key, id)
    }
  }

  private insert(hash: number, { bytes, length, start }: Slice, id: number): void {
    const { arena } = this
    const p = arena.allocate(4 * idsAt(length) + idBytes)
    const words = arena.words[slabOf(p)]!
    const at = wordOf(p)
    words[at] = length
    words[at + 1] = 1
    copyBytes(arena.bytes[slabOf(p)]!, byteOf(p) + headerBytes, bytes, start, length)
    writeId(words, at + idsAt(length), id)
    try {
      this.dict.insert(hash, p)
    } catch (full) {
      arena.free(p)
      throw full
    }
    this.items++
  }

  /** Puts another client among those of the entry at `p`. */
  private insertId(hash: number, p: Pointer, { length }: Slice, id: number): void {
    const q = this.withRoom(hash, p, length)
    const words = this.arena.words[slabOf(q)]!
    const at = wordOf(q)
    const ids = at + idsAt(length)
    const count = words[at + 1]!
    const place = ~placeOf(words, ids, count, id)
    words.copyWithin(ids + 2 * (place + 1), ids + 2 * place, ids + 2 * count)
    writeId(words, ids + 2 * place, id)
    words[at + 1] = count + 1
    this.items++
  }

  /**
   * Where the entry at `p` is once it has room for another client. It grows only if few of its clients are gone: however
   * many come and go that read a key which never changes, it does not grow for them.
   */
  private withRoom(hash: number, p: Pointer, keyLength: number): Pointer {
    const { arena } = this
    const full = arena.words[slabOf(p)]![wordOf(p) + 1]!
    const start = 4 * idsAt(keyLength)
    if (start + idBytes * (full + 1) <= arena.capacity(p)) return p
    const count = this.dropGone(p, keyLength)
    if (4 * count <= 3 * full) return p
    const q = arena.allocate(start + idBytes * (count > 2 ? count + 1 + (count >>> 1) : count + 1))
    const from = byteOf(p)
    arena.bytes[slabOf(q)]!.set(arena.bytes[slabOf(p)]!.subarray(from, from + start + idBytes * count), byteOf(q))
    this.dict.replace(hash, p, q)
    arena.free(p)
    return q
  }

  /** Forgets the clients of the entry at `p` that are gone; how many are left. */
  private dropGone(p: Pointer, keyLength: number): number {
    const words = this.arena.words[slabOf(p)]!
    const at = wordOf(p)
    const ids = at + idsAt(keyLength)
    const count = words[at + 1]!
    let left = 0
    for (let i = 0; i < count; i++) {
      const id = idAt(words, ids + 2 * i)
      if (!this.isGone(id)) writeId(words, ids + 2 * left++, id)
    }
    words[at + 1] = left
    this.items -= count - left
    return left
  }

  /** Forgets a key; `told` hears of each client that had read it. False when nobody had. */
  take(key: Slice, told: (id: number) => void): boolean {
    const { dict } = this
    const { bytes, length, start } = key
    const hash = dict.hash(bytes, start, length)
    const p = dict.find(hash, bytes, start, length)
    if (p === 0) return false
    this.remove(hash, p, told)
    return true
  }

  private remove(hash: number, p: Pointer, told: (id: number) => void): void {
    const { arena } = this
    const words = arena.words[slabOf(p)]!
    const at = wordOf(p)
    const count = words[at + 1]!
    const ids = at + idsAt(words[at]!)
    this.dict.remove(hash, p)
    this.items -= count
    for (let i = 0; i < count; i++) told(idAt(words, ids + 2 * i))
    arena.free(p)
  }

  /**
   * Forgets a key chosen at random.
   * @param random uniform u32 numbers
   * @param told hears of each client that had read it, and of the key, whose bytes are valid only then
   */
  takeAny(random: () => number, told: (id: number, key: Slice) => void): void {
    const { arena, dict, key } = this
    const p = dict.random(random)
    if (p === 0) return
    const length = arena.words[slabOf(p)]![wordOf(p)]!
    key.set(arena.bytes[slabOf(p)]!, byteOf(p) + headerBytes, length)
    this.remove(dict.hash(key.bytes, key.start, length), p, (id) => told(id, key))
  }
}

const idAt = (words: Uint32Array, at: number): number => words[at]! + wordsRange * words[at + 1]!

const writeId = (words: Uint32Array, at: number, id: number): void => {
  words[at] = id % wordsRange
  words[at + 1] = Math.floor(id / wordsRange)
}

/** Where a client stands among `count` of them; -1 - the place it belongs to when it is not there. */
const placeOf = (words: Uint32Array, ids: number, count: number, id: number): number => {
  let low = 0
  let high = count
  while (low < high) {
    const middle = (low + high) >>> 1
    const found = idAt(words, ids + 2 * middle)
    if (found === id) return middle
    if (found < id) low = middle + 1
    else high = middle
  }
  return ~low
}
