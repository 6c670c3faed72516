import { type Arena, type Pointer, wordOf } from "./arena.ts"
import { hashBytes, type HashSeed } from "./hash.ts"
import { fullMask, maxDepth, mergeInterval, Segments } from "./segments.ts"

/** Most hashes `prefetch` takes at a time: a processor keeps about that many loads under way. */
export const prefetchLimit = 16
const entries = new Uint32Array(prefetchLimit)

/**
 * A hash table of entries that live in the same arena. An entry's key length is the u32 word number `lengthWord` of the
 * entry, its key bytes begin at its byte `keyOffset`. Hashes are u32 numbers from `hash`.
 * Visitors must not change the dict they are called from.
 */
export class Dict extends Segments {
  private readonly seed0: number
  private readonly seed1: number
  private readonly lengthWord: number
  private readonly keyOffset: number

  constructor(arena: Arena, seed: HashSeed, lengthWord: number, keyOffset: number, leastMask?: number) {
    super(arena, leastMask)
    // As signed numbers: larger ones would be objects, made anew for every call of the hash.
    this.seed0 = seed.k0 | 0
    this.seed1 = seed.k1 | 0
    this.lengthWord = lengthWord
    this.keyOffset = keyOffset
    this.begin()
  }

  /** The hash of a key: a u32. */
  hash(bytes: Uint8Array, start: number, length: number): number {
    return hashBytes(this.seed0, this.seed1, bytes, start, length)
  }

  /** The entry with this key, or 0. */
  find(hash: number, bytes: Uint8Array, start: number, length: number): Pointer {
    const slabs = this.arena.words
    const mask = this.mask
    const h = hash >>> 0
    const segment = this.directory[h >>> 1 >>> this.shift]!
    const table = slabs[segment >>> 19]!
    const base = (segment & 0x7ffff) << 1
    let i = h & mask
    if (i === 0) i = 1
    for (;;) {
      const at = base + (i << 1)
      const p = table[at + 1]!
      if (p === 0) return 0
      if (table[at] === h && slabs[p >>> 19]![((p & 0x7ffff) << 1) + this.lengthWord] === length) {
        const entry = this.arena.bytes[p >>> 19]!
        const key = ((p & 0x7ffff) << 3) + this.keyOffset
        let k = 0
        while (k < length && entry[key + k] === bytes[start + k]) k++
        if (k === length) return p
      }
      i = i === mask ? 1 : i + 1
    }
  }

  /**
   * Brings nearer what looking up the first `count` hashes will read. A look-up waits for memory twice, for its segment
   * and for its entry; done for several keys at once, all first waits overlap, then all second ones. The result means
   * nothing: keep it, so that the reads are not optimized away.
   */
  prefetch(hashes: Int32Array, count: number): number {
    const slabs = this.arena.words
    const { directory, mask, shift } = this
    let sum = 0
    for (let k = 0; k < count; k++) {
      const h = hashes[k]!
      const segment = directory[h >>> 1 >>> shift]!
      sum ^= slabs[segment >>> 19]![((segment & 0x7ffff) << 1) + ((h & mask) << 1)]!
    }
    // The table is full enough for many an entry to stand beside its home, and absent keys have none to wait for.
    for (let k = 0; k < count; k++) {
      const h = hashes[k]! >>> 0
      const segment = directory[h >>> 1 >>> shift]!
      const table = slabs[segment >>> 19]!
      const base = (segment & 0x7ffff) << 1
      let i = h & mask
      if (i === 0) i = 1
      let p = table[base + (i << 1) + 1]!
      while (p !== 0 && table[base + (i << 1)] !== h) {
        i = i === mask ? 1 : i + 1
        p = table[base + (i << 1) + 1]!
      }
      entries[k] = p
    }
    for (let k = 0; k < count; k++) {
      const p = entries[k]!
      const words = slabs[p >>> 19]!
      const at = (p & 0x7ffff) << 1
      // Small entries often lie across two cache lines.
      sum ^= (words[at] ?? 0) ^ (words[at + 8] ?? 0)
    }
    return sum
  }

  /** Whether the entry at `p` has this hash; `p` may be any pointer, also one whose block is gone. */
  holds(hash: number, p: Pointer): boolean {
    const h = hash >>> 0
    const { mask } = this
    const segment = this.directory[h >>> 1 >>> this.shift]!
    const table = this.arena.words[segment >>> 19]!
    const base = wordOf(segment)
    let i = h & mask
    if (i === 0) i = 1
    for (;;) {
      const found = table[base + 2 * i + 1]!
      if (found === 0) return false
      if (found === p && table[base + 2 * i] === h) return true
      i = i === mask ? 1 : i + 1
    }
  }

  /** The first entry with this hash for which `visit` is true, or 0. */
  eachWithHash(hash: number, visit: (p: Pointer) => boolean): Pointer {
    const h = hash >>> 0
    const segment = this.directory[h >>> 1 >>> this.shift]!
    const table = this.arena.words[segment >>> 19]!
    const base = wordOf(segment)
    for (let i = this.home(h);; i = this.following(i)) {
      const p = table[base + 2 * i + 1]!
      if (p === 0) return 0
      if (table[base + 2 * i] === h && visit(p)) return p
    }
  }

  /**
   * Adds an entry; the caller knows that its key is absent.
   * @throws ArenaFull and has then changed nothing
   */
  insert(hash: number, p: Pointer): void {
    const h = hash >>> 0
    let segment = this.directory[h >>> 1 >>> this.shift]!
    let table = this.arena.words[segment >>> 19]!
    let base = (segment & 0x7ffff) << 1
    while (table[base + 1]! >= this.limit) {
      if (!this.makeRoom(h, segment)) break
      segment = this.directory[h >>> 1 >>> this.shift]!
      table = this.arena.words[segment >>> 19]!
      base = (segment & 0x7ffff) << 1
    }
    const mask = this.mask
    let i = h & mask
    if (i === 0) i = 1
    while (table[base + 2 * i + 1] !== 0) i = i === mask ? 1 : i + 1
    table[base + 2 * i] = h
    table[base + 2 * i + 1] = p
    table[base + 1] = table[base + 1]! + 1
    this.size++
  }

  /**
   * As `insert`, but looks in passing whether the key is there already: then it does nothing and returns false. Not for
   * a `Table`, whose state would not be saved.
   * @throws ArenaFull and has then changed nothing
   */
  insertNew(hash: number, p: Pointer, bytes: Uint8Array, start: number, length: number): boolean {
    const h = hash >>> 0
    const segment = this.directory[h >>> 1 >>> this.shift]!
    const slabs = this.arena.words
    const table = slabs[segment >>> 19]!
    const base = (segment & 0x7ffff) << 1
    const { lengthWord, mask } = this
    let at = base + 2 * (h & mask)
    if (at === base) at += 2
    const last = base + 2 * mask
    for (let found = table[at + 1]!; found !== 0; found = table[at + 1]!) {
      if (table[at] === h && slabs[found >>> 19]![((found & 0x7ffff) << 1) + lengthWord] === length) {
        if (this.find(h, bytes, start, length) !== 0) return false
      }
      at = at === last ? base + 2 : at + 2
    }
    if (table[base + 1]! >= this.limit) {
      this.insert(h, p)
      return true
    }
    table[at] = h
    table[at + 1] = p
    table[base + 1] = table[base + 1]! + 1
    this.size++
    return true
  }

  /** Puts the block `next`, which has the same key, in the place of `old`. */
  replace(hash: number, old: Pointer, next: Pointer): void {
    const h = hash >>> 0
    const segment = this.directory[h >>> 1 >>> this.shift]!
    const table = this.arena.words[segment >>> 19]!
    const base = wordOf(segment)
    table[base + 2 * this.slotOf(table, base, h, old) + 1] = next
  }

  /** Takes an entry out of the table. Its block is the caller's to free. */
  remove(hash: number, p: Pointer): void {
    const h = hash >>> 0
    const mask = this.mask
    const segment = this.directory[h >>> 1 >>> this.shift]!
    const table = this.arena.words[segment >>> 19]!
    const base = wordOf(segment)
    let gap = this.slotOf(table, base, h, p)
    for (let i = this.following(gap);; i = i === mask ? 1 : i + 1) {
      const moving = table[base + 2 * i + 1]!
      if (moving === 0) break
      const home = this.home(table[base + 2 * i]!)
      // An entry may close the gap unless its home lies behind the gap, on the way from there to the entry.
      if ((i >= home ? i - home : i - home + mask) < (i >= gap ? i - gap : i - gap + mask)) continue
      table[base + 2 * gap] = table[base + 2 * i]!
      table[base + 2 * gap + 1] = moving
      this.movedSlots++
      gap = i
    }
    table[base + 2 * gap + 1] = 0
    const left = table[base + 1]! - 1
    table[base + 1] = left
    this.size--
    if (left % mergeInterval === 0) this.giveBack(h, segment, left)
  }

  /**
   * One step of a cursor through hash space, ordered by the hash's low 11 bits and then its top 21: visits the entries of
   * one home slot in one segment. Because the order depends on hashes only, an entry present throughout is visited
   * exactly once, whatever is inserted, removed, split or merged between the steps.
   * @param cursor 0 to begin, or what the last step returned
   * @returns the next cursor, 0 when all was visited
   */
  scan(cursor: number, visit: (p: Pointer, hash: number) => void): number {
    let low = cursor >>> 21
    const prefix = cursor & 0x1fffff
    const segment = this.directory[prefix >>> (maxDepth - this.depth)]!
    const table = this.arena.words[segment >>> 19]!
    const base = wordOf(segment)
    for (let i = this.home(low);; i = this.following(i)) {
      const p = table[base + 2 * i + 1]!
      if (p === 0) break
      const hash = table[base + 2 * i]!
      if ((hash & fullMask) === low && hash >>> 11 >= prefix) visit(p, hash)
    }
    const localDepth = table[base]!
    if (localDepth > 0) {
      const end = ((prefix >>> (maxDepth - localDepth)) + 1) << (maxDepth - localDepth)
      if (end <= 0x1fffff) return (low << 21 | end) >>> 0
      return low === fullMask ? 0 : (low + 1 << 21) >>> 0
    }
    // One segment holds everything: go straight to the next low bits that an entry has.
    while (++low <= fullMask) {
      for (let i = this.home(low);; i = this.following(i)) {
        if (table[base + 2 * i + 1] === 0) break
        if ((table[base + 2 * i]! & fullMask) === low) return (low << 21) >>> 0
      }
    }
    return 0
  }

  /** Steps until `wanted` entries were visited, `maxSteps` steps were made or all is done. Returns the next cursor, 0 when done. */
  scanMany(cursor: number, wanted: number, maxSteps: number, visit: (p: Pointer, hash: number) => void): number {
    let visited = 0
    const counting = (p: Pointer, hash: number): void => {
      visited++
      visit(p, hash)
    }
    let next = cursor
    for (let step = 0; step < maxSteps; step++) {
      next = this.scan(next, counting)
      if (next === 0 || visited >= wanted) break
    }
    return next
  }

  /**
   * A random entry, 0 when there is none. Each is equally likely: a segment counts only when the draw hits the first of
   * its directory slots, a slot only when it is taken. Hashes far from uniform could make that miss for ever: after many
   * misses the entry after a random place is taken instead, which is only roughly fair.
   * @param r uniform u32 numbers
   */
  random(r: () => number): Pointer {
    if (this.size === 0) return 0
    const attempts = Math.min(20_000, 256 * this.directory.length / this.segments)
    for (let attempt = 0; attempt < attempts; attempt++) {
      const draw = r()
      const index = draw >>> 1 >>> this.shift
      const segment = this.directory[index]!
      const slot = draw & this.mask
      if (slot === 0 || (index > 0 && this.directory[index - 1] === segment)) continue
      const p = this.arena.words[segment >>> 19]![wordOf(segment) + 2 * slot + 1]!
      if (p !== 0) return p
    }
    let index = r() >>> 1 >>> this.shift
    let slot = Math.max(1, r() & this.mask)
    for (;;) {
      const segment = this.directory[index]!
      const table = this.arena.words[segment >>> 19]!
      const base = wordOf(segment)
      // Once around the segment; an empty one hands over to its neighbour.
      for (let n = 0; n < this.mask; n++) {
        const p = table[base + 2 * slot + 1]!
        if (p !== 0) return p
        slot = this.following(slot)
      }
      index = (index + 1) & (this.directory.length - 1)
    }
  }

  /**
   * Puts up to `wanted` entries that stand one after another from a random place on, and their hashes, into `pointers`
   * and `hashes`. Cheaper than so many calls of `random`, and, since neighbours have nothing in common but their hashes,
   * nearly as good a sample.
   * @param draw a uniform u32
   * @returns how many there are: fewer than wanted only when the dict has no more
   */
  sample(draw: number, wanted: number, pointers: Uint32Array, hashes: Uint32Array): number {
    const { depth, directory, mask } = this
    const count = Math.min(wanted, this.size)
    let found = 0
    let slot = Math.max(1, draw & mask)
    for (let index = draw >>> 1 >>> this.shift; found < count;) {
      const segment = directory[index]!
      const table = this.arena.words[segment >>> 19]!
      const base = wordOf(segment)
      for (let n = 0; n < mask && found < count; n++) {
        const p = table[base + 2 * slot + 1]!
        if (p !== 0) {
          pointers[found] = p
          hashes[found++] = table[base + 2 * slot]!
        }
        slot = slot === mask ? 1 : slot + 1
      }
      // The first directory slot of the next segment.
      const span = 1 << (depth - table[base]!)
      index = ((index & ~(span - 1)) + span) & (directory.length - 1)
    }
    return found
  }

  /**
   * Visits the entries of the segment at `position` whose hashes are not below it. Walking from 0 goes through the whole
   * dict in the order of hash prefixes; splits and merges between calls do not disturb it: an entry present throughout is
   * visited exactly once, one inserted behind the position not at all.
   * @returns the next position (a u32; all hashes below it were visited), -1 when done
   */
  walk(position: number, visit: (p: Pointer, hash: number) => void): number {
    const segment = this.directory[position >>> 1 >>> this.shift]!
    const table = this.arena.words[segment >>> 19]!
    const base = wordOf(segment)
    for (let i = 1; i <= this.mask; i++) {
      const p = table[base + 2 * i + 1]!
      const hash = table[base + 2 * i]!
      if (p !== 0 && hash >= position) visit(p, hash)
    }
    const span = 2 ** (32 - table[base]!)
    const end = (Math.floor(position / span) + 1) * span
    return end >= 2 ** 32 ? -1 : end
  }

  /**
   * Brings nearer what a walk over the segment at `position` will read of its entries, all of them at the same time. The
   * result means nothing: keep it, so that the reads are not optimized away.
   */
  approach(position: number): number {
    const slabs = this.arena.words
    const segment = this.directory[position >>> 1 >>> this.shift]!
    const table = slabs[segment >>> 19]!
    const last = wordOf(segment) + 2 * this.mask
    let sum = 0
    for (let at = wordOf(segment) + 2; at <= last; at += 2) {
      const p = table[at + 1]!
      const words = slabs[p >>> 19]!
      const entry = (p & 0x7ffff) << 1
      sum ^= (words[entry] ?? 0) ^ (words[entry + 8] ?? 0)
    }
    return sum
  }

  /** Frees the tables, not the entries. The dict must not be used after. */
  destroy(): void {
    let last = 0
    for (const segment of this.directory) {
      if (segment !== last) this.arena.free(segment)
      last = segment
    }
    this.directory = new Uint32Array(0)
    this.segments = 0
    this.size = 0
  }

  /** Moves a segment elsewhere. False when the block at `p`, of whatever content, is none of this dict's. */
  moveSegment(p: Pointer): boolean {
    const bytes = 8 * (this.mask + 1)
    if (this.arena.capacity(p) < bytes) return false
    const old = this.arena.words[p >>> 19]!
    const from = wordOf(p)
    // Whatever the block is: it is a segment if the directory says so at a place its entries' hashes name.
    let index = this.directory.length === 1 ? 0 : -1
    for (let i = 1; i <= this.mask && index < 0; i++) {
      if (old[from + 2 * i + 1] !== 0) index = old[from + 2 * i]! >>> 1 >>> this.shift
    }
    if (index < 0 || this.directory[index] !== p) return false
    const next = this.arena.allocate(bytes)
    const words = this.arena.words[next >>> 19]!
    words.set(old.subarray(from, from + 2 * (this.mask + 1)), wordOf(next))
    const span = 1 << (this.depth - old[from]!)
    const first = index & ~(span - 1)
    this.directory.fill(next, first, first + span)
    this.arena.free(p)
    return true
  }

  private slotOf(table: Uint32Array, base: number, h: number, p: Pointer): number {
    for (let i = this.home(h);; i = this.following(i)) {
      const found = table[base + 2 * i + 1]!
      if (found === p) return i
      if (found === 0) throw new Error(`dict: no entry ${p} with hash ${h}`)
    }
  }
}
