import { type Arena, ArenaFull, type Pointer, wordOf } from "./arena.ts"

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
export const fullMask = 2047
/** Of a dict's only segment, unless told otherwise. */
const usualLeastMask = 63
export const maxDepth = 21
const scratch = new Uint32Array(2 * (fullMask + 1))

/** Entries a segment may hold before it splits or doubles: 82 % of its slots. */
export const loadLimit = (mask: number): number => Math.floor(mask * 0.82)
/** Entries per segment of a prepared dict, at most: chance fills some of them more than others, and none should split. */
const filledTo = 1450
/** Buddies merge when together they hold no more than this: well below the load at which they split again. */
const mergeLimit = 1000
/** Removals look at the buddy only at every so many entries of the segment. */
export const mergeInterval = 32

/** Bytes of a dict's only segment while it is empty. */
export const emptyTableBytes = (usualLeastMask + 1) * 8

/** The tables of a dict, and how they grow and give memory back. */
export class Segments {
  /** The number of entries. */
  size = 0
  /** Slots of segments and of the directory moved since the dict was made: what reorganizing has cost so far. */
  movedSlots = 0

  protected readonly arena: Arena
  protected directory: Uint32Array = new Uint32Array(1)
  /** Global depth g. The directory's index is hash >>> 1 >>> (31 - g), which also holds for g = 0. */
  protected depth = 0
  protected shift = 31
  protected mask: number
  protected limit: number
  protected segments = 1
  /** Segments of a dict that is being prepared. */
  private readonly prepared: Array<Pointer> = []
  /** The mask of an only segment is never less. */
  protected readonly leastMask: number
  /** The number of segments of each local depth; the directory halves when none has the global depth. */
  protected readonly atDepth = new Uint32Array(maxDepth + 1)

  constructor(arena: Arena, leastMask = usualLeastMask) {
    this.arena = arena
    this.leastMask = this.mask = leastMask
    this.limit = loadLimit(leastMask)
  }

  /** Makes the first segment. */
  protected begin(): void {
    this.directory[0] = this.newSegment(this.leastMask, 0)
    this.atDepth[0] = 1
  }

  /**
   * Prepares an empty dict for `count` entries, so that they come in without a split. Makes up to `most` segments at a
   * time, to be called until it returns true; between the calls the dict stays empty. Without memory for it the dict stays
   * as it was.
   */
  prepareFor(count: number, most: number): boolean {
    const { prepared } = this
    if (this.size > 0 || this.directory.length > 1 || count <= 2 * filledTo) return true
    let depth = 1
    while (depth < maxDepth && count / 2 ** depth > filledTo) depth++
    try {
      for (let i = 0; i < most && prepared.length < 2 ** depth; i++) prepared.push(this.newSegment(fullMask, depth))
    } catch (error) {
      if (!(error instanceof ArenaFull)) throw error
      for (const segment of prepared.splice(0)) this.arena.free(segment)
      return true
    }
    if (prepared.length < 2 ** depth) return false
    this.arena.free(this.directory[0]!)
    this.directory = Uint32Array.from(prepared.splice(0))
    this.segments = this.directory.length
    this.mask = fullMask
    this.limit = loadLimit(fullMask)
    this.atDepth[0] = 0
    this.atDepth[depth] = this.segments
    this.setDepth(depth)
    return true
  }

  /** The bytes of the segments and the directory; entries are not counted. */
  get tableBytes(): number {
    return this.segments * (this.mask + 1) * 8 + this.directory.byteLength
  }

  /** The number of the directory's slots: a power of two, 1 while there is only one segment. */
  get directorySize(): number {
    return this.directory.length
  }

  protected home(hash: number): number {
    const i = hash & this.mask
    return i === 0 ? 1 : i
  }

  protected following(i: number): number {
    return i === this.mask ? 1 : i + 1
  }

  protected newSegment(mask: number, localDepth: number): Pointer {
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
  protected makeRoom(h: number, segment: Pointer): boolean {
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
  protected resize(mask: number): void {
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

  /** A removal must not fail for want of memory to save memory. */
  private shrink(mask: number): void {
    try {
      this.resize(mask)
    } catch (error) {
      if (!(error instanceof ArenaFull)) throw error
    }
  }

  /** Gives the entries with the next top bit set to a new segment. */
  private split(h: number, segment: Pointer, localDepth: number): void {
    const upper = this.newSegment(fullMask, localDepth + 1)
    if (localDepth === this.depth) {
      try {
        this.doubleDirectory()
      } catch (error) {
        this.arena.free(upper) // nothing has changed
        throw error
      }
    }
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
    const next = this.newDirectory(old.length * 2)
    for (let i = 0; i < next.length; i++) next[i] = old[i >>> 1]!
    this.movedSlots += next.length
    this.directory = next
    this.setDepth(this.depth + 1)
    this.dropDirectory(old)
  }

  /** Room for a directory of so many slots. */
  protected newDirectory(length: number): Uint32Array {
    return new Uint32Array(length)
  }

  /** A directory that is no longer used. */
  protected dropDirectory(_old: Uint32Array): void {}

  private setDepth(depth: number): void {
    this.depth = depth
    this.shift = 31 - depth
  }

  /** After a removal: shrinks the only segment, or merges the segment with its buddy as often as both are sparse. */
  protected giveBack(h: number, low: Pointer, left: number): void {
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
      while (mask > this.leastMask && left * 5 < mask) mask >>>= 1
      if (mask < this.mask) this.shrink(mask)
    }
  }

  private halveDirectory(): void {
    const old = this.directory
    const next = this.newDirectory(old.length >>> 1)
    for (let i = 0; i < next.length; i++) next[i] = old[2 * i]!
    this.movedSlots += next.length
    this.directory = next
    this.setDepth(this.depth - 1)
    this.dropDirectory(old)
  }
}
