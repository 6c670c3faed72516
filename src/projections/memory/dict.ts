import { type Arena, type Pointer, wordOf } from "./arena.ts"
import { hashBytes, type HashSeed } from "./hash.ts"

/**
 * Extendible hashing. A directory, indexed by the top bits of the hash, points to segments in the arena:
 *
 * ```
 * segment  2048 pairs of u32 = 16 KiB
 * pair 0   local depth, entries
 * pair i   hash, pointer to the entry (0: empty slot)
 * ```
 *
 * A segment is an open-addressed table: the home slot is the hash's low 11 bits (slot 1 for 0), probing is linear and
 * wraps to 1, deletion shifts back, so there are no tombstones. A full segment splits in two by one more top bit of the
 * hash, so no operation ever rehashes more than one segment; sparse buddies merge again. While there is only one
 * segment it may be smaller (64 to 2048 pairs).
 */
const fullMask = 2047
const leastMask = 63
const maxDepth = 21
const scratch = new Uint32Array(2 * (fullMask + 1))

/** Entries a segment may hold before it splits or doubles: 82 % of its slots. */
const loadLimit = (mask: number): number => Math.floor(mask * 0.82)
/** Buddies merge when together they hold no more than this: well below the load at which they split again. */
const mergeLimit = 1000
/** Removals look at the buddy only at every so many entries of the segment. */
const mergeInterval = 31

/**
 * A hash table of entries that live in the same arena. An entry's key length is the u32 word number `lengthWord` of the
 * entry, its key bytes begin at its byte `keyOffset`. Hashes are u32 numbers from `hash`.
 * Visitors must not change the dict they are called from.
 */
export class Dict {
  /** The number of entries. */
  size = 0
  /** Slots of segments and of the directory moved since the dict was made: what reorganizing has cost so far. */
  movedSlots = 0

  private readonly arena: Arena
  private readonly seed0: number
  private readonly seed1: number
  private readonly lengthWord: number
  private readonly keyOffset: number
  private directory = new Uint32Array(1)
  /** Global depth g. The directory's index is hash >>> 1 >>> (31 - g), which also holds for g = 0. */
  private depth = 0
  private shift = 31
  private mask = leastMask
  private limit = loadLimit(leastMask)
  private segments = 1
  /** The number of segments of each local depth; the directory halves when none has the global depth. */
  private readonly atDepth = new Uint32Array(maxDepth + 1)

  constructor(arena: Arena, seed: HashSeed, lengthWord: number, keyOffset: number) {
    this.arena = arena
    this.seed0 = seed.k0
    this.seed1 = seed.k1
    this.lengthWord = lengthWord
    this.keyOffset = keyOffset
    this.directory[0] = this.newSegment(leastMask, 0)
    this.atDepth[0] = 1
  }

  /** The hash of a key: a u32. */
  hash(bytes: Uint8Array, start: number, length: number): number {
    return hashBytes(this.seed0, this.seed1, bytes, start, length)
  }

  /** The bytes of the segments and the directory; entries are not counted. */
  get tableBytes(): number {
    return this.segments * (this.mask + 1) * 8 + this.directory.byteLength
  }

  /** The number of the directory's slots: a power of two, 1 while there is only one segment. */
  get directorySize(): number {
    return this.directory.length
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
   * @throws ArenaFull
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
    if ((left & mergeInterval) === 0) this.giveBack(h, segment, left)
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

  private home(hash: number): number {
    const i = hash & this.mask
    return i === 0 ? 1 : i
  }

  private following(i: number): number {
    return i === this.mask ? 1 : i + 1
  }

  private slotOf(table: Uint32Array, base: number, h: number, p: Pointer): number {
    for (let i = this.home(h);; i = this.following(i)) {
      const found = table[base + 2 * i + 1]!
      if (found === p) return i
      if (found === 0) throw new Error(`dict: no entry ${p} with hash ${h}`)
    }
  }

  private newSegment(mask: number, localDepth: number): Pointer {
    const segment = this.arena.allocate((mask + 1) * 8)
    const base = wordOf(segment)
    const table = this.arena.words[segment >>> 19]!
    table.fill(0, base, base + 2 * (mask + 1))
    table[base] = localDepth
    return segment
  }

  /** Places an entry that is being moved into a segment known to have room. */
  private place(segment: Pointer, hash: number, p: Pointer): void {
    const table = this.arena.words[segment >>> 19]!
    const base = wordOf(segment)
    let i = this.home(hash)
    while (table[base + 2 * i + 1] !== 0) i = this.following(i)
    table[base + 2 * i] = hash
    table[base + 2 * i + 1] = p
    table[base + 1] = table[base + 1]! + 1
    this.movedSlots++
  }

  /** Whether it changed the tables; false when the segment is as deep as can be and is filled to the last slots instead. */
  private makeRoom(h: number, segment: Pointer): boolean {
    if (this.mask < fullMask) {
      this.resize(this.mask * 2 + 1)
      return true
    }
    const base = wordOf(segment)
    const table = this.arena.words[segment >>> 19]!
    const localDepth = table[base]!
    if (localDepth === maxDepth) {
      // At least one slot stays empty: it ends every probe.
      if (table[base + 1]! >= fullMask - 1) {
        throw new Error("dict: more than 2046 keys share the top 21 bits of their hash")
      }
      return false
    }
    this.split(h, segment, localDepth)
    return true
  }

  /** Moves the only segment to one of another size. */
  private resize(mask: number): void {
    const old = this.directory[0]!
    const oldMask = this.mask
    const segment = this.newSegment(mask, 0)
    this.mask = mask
    this.limit = loadLimit(mask)
    const table = this.arena.words[old >>> 19]!
    const base = wordOf(old)
    for (let i = 1; i <= oldMask; i++) {
      const p = table[base + 2 * i + 1]!
      if (p !== 0) this.place(segment, table[base + 2 * i]!, p)
    }
    this.arena.free(old)
    this.directory[0] = segment
  }

  private split(h: number, segment: Pointer, localDepth: number): void {
    const upper = this.newSegment(fullMask, localDepth + 1)
    if (localDepth === this.depth) this.doubleDirectory()
    const table = this.arena.words[segment >>> 19]!
    const base = wordOf(segment)
    const words = 2 * (fullMask + 1)
    scratch.set(table.subarray(base, base + words))
    table.fill(0, base, base + words)
    table[base] = localDepth + 1
    for (let at = 2; at < words; at += 2) {
      const p = scratch[at + 1]!
      if (p === 0) continue
      const hash = scratch[at]!
      this.place((hash >>> (31 - localDepth) & 1) === 0 ? segment : upper, hash, p)
    }
    // The upper half of the directory slots that led to the old segment.
    const span = 1 << (this.depth - localDepth)
    const first = (h >>> 1 >>> this.shift) & ~(span - 1)
    this.directory.fill(upper, first + (span >>> 1), first + span)
    this.segments++
    this.atDepth[localDepth] = this.atDepth[localDepth]! - 1
    this.atDepth[localDepth + 1] = this.atDepth[localDepth + 1]! + 2
  }

  private doubleDirectory(): void {
    const old = this.directory
    const next = new Uint32Array(old.length * 2)
    for (let i = 0; i < next.length; i++) next[i] = old[i >>> 1]!
    this.movedSlots += next.length
    this.directory = next
    this.setDepth(this.depth + 1)
  }

  private setDepth(depth: number): void {
    this.depth = depth
    this.shift = 31 - depth
  }

  /** After a removal: shrinks the only segment, or merges the segment with its buddy as often as both are sparse. */
  private giveBack(h: number, low: Pointer, left: number): void {
    while (left <= mergeLimit && this.depth > 0) {
      const localDepth = this.arena.words[low >>> 19]![wordOf(low)]!
      if (localDepth === 0) break
      const span = 1 << (this.depth - localDepth)
      const first = (h >>> 1 >>> this.shift) & ~(span - 1)
      const buddy = this.directory[first ^ span]!
      const table = this.arena.words[buddy >>> 19]!
      const base = wordOf(buddy)
      if (table[base] !== localDepth || left + table[base + 1]! > mergeLimit) break
      for (let i = 1; i <= fullMask; i++) {
        const p = table[base + 2 * i + 1]!
        if (p !== 0) this.place(low, table[base + 2 * i]!, p)
      }
      this.arena.free(buddy)
      const merged = this.arena.words[low >>> 19]!
      merged[wordOf(low)] = localDepth - 1
      left = merged[wordOf(low) + 1]!
      const start = first & ~(2 * span - 1)
      this.directory.fill(low, start, start + 2 * span)
      this.segments--
      this.atDepth[localDepth] = this.atDepth[localDepth]! - 2
      this.atDepth[localDepth - 1] = this.atDepth[localDepth - 1]! + 1
      while (this.depth > 0 && this.atDepth[this.depth] === 0) this.halveDirectory()
    }
    if (this.depth === 0) {
      let mask = this.mask
      while (mask > leastMask && left * 5 < mask) mask >>>= 1
      if (mask < this.mask) this.resize(mask)
    }
  }

  private halveDirectory(): void {
    const old = this.directory
    const next = new Uint32Array(old.length >>> 1)
    for (let i = 0; i < next.length; i++) next[i] = old[2 * i]!
    this.movedSlots += next.length
    this.directory = next
    this.setDepth(this.depth - 1)
  }
}
