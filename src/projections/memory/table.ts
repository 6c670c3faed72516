/**
 * The hash table of a large collection: a dict whose whole state lies in the arena, because there may be a million of
 * them. One object is pointed at one table after another.
 *
 * ```
 * root       size · global depth · mask · segments · directory (0: only one segment) · the only segment · 4 words of the owner
 * directory  segments of each local depth (22 words), then a slot per prefix of the hash
 * ```
 *
 * Elements are blocks of the same arena, made and freed by the owner: word 0 is the length of the key << 2 | two flags of
 * the owner's, the key's bytes begin at a fixed place.
 */
import { type Arena, byteOf, type Pointer, slabOf, wordOf } from "./arena.ts"
import { Dict } from "./dict.ts"
import type { HashSeed } from "./hash.ts"
import { fullMask, loadLimit, maxDepth } from "./segments.ts"

/** A table begins with a segment of so many pairs less one. */
const leastTableMask = 7
const ownerAt = 6
const rootBytes = 40
const depthWords = maxDepth + 1

/** See the head of this file. */
export class Table extends Dict {
  /** The table it is pointed at; 0 for none. */
  root: Pointer = 0
  private readonly one = new Uint32Array(1)
  private directoryAt: Pointer = 0
  /** A directory that is being filled. */
  private nextDirectory: Pointer = 0
  private readonly bytesAt: number

  /** @param keyOffset where in an element's block its key begins */
  constructor(arena: Arena, seed: HashSeed, keyOffset: number) {
    super(arena, seed, 0, keyOffset, leastTableMask)
    this.bytesAt = keyOffset
    this.directory = this.one
  }

  protected override begin(): void {} // tables begin with `create`

  /** Makes an empty table and points at it. */
  create(): Pointer {
    const root = this.arena.allocate(rootBytes)
    try {
      this.mask = leastTableMask
      this.one[0] = this.newSegment(leastTableMask, 0)
    } catch (error) {
      this.root = 0
      this.arena.free(root)
      throw error
    }
    const words = this.arena.words[slabOf(root)]!
    words.fill(0, wordOf(root), wordOf(root) + rootBytes / 4)
    words[wordOf(root) + 2] = leastTableMask
    words[wordOf(root) + 3] = 1
    words[wordOf(root) + 5] = this.one[0]
    this.root = 0
    this.open(root)
    return root
  }

  /** Points at the table whose root this is. */
  open(root: Pointer): this {
    if (root === this.root) return this
    const words = this.arena.words[slabOf(root)]!
    const at = wordOf(root)
    this.root = root
    this.size = words[at]!
    this.depth = words[at + 1]!
    this.shift = 31 - this.depth
    this.mask = words[at + 2]!
    this.limit = loadLimit(this.mask)
    this.segments = words[at + 3]!
    this.directoryAt = words[at + 4]!
    if (this.directoryAt === 0) {
      this.one[0] = words[at + 5]!
      this.directory = this.one
      this.atDepth.fill(0)
      this.atDepth[0] = 1
    } else {
      const first = wordOf(this.directoryAt)
      const from = this.arena.words[slabOf(this.directoryAt)]!
      this.directory = from.subarray(first + depthWords, first + depthWords + 2 ** this.depth)
      for (let i = 0; i < depthWords; i++) this.atDepth[i] = from[first + i]!
    }
    return this
  }

  private save(): void {
    const words = this.arena.words[slabOf(this.root)]!
    const at = wordOf(this.root)
    words[at] = this.size
    if (words[at + 2] === this.mask && words[at + 3] === this.segments && words[at + 5] === this.directory[0]) return
    words[at + 1] = this.depth
    words[at + 2] = this.mask
    words[at + 3] = this.segments
    words[at + 4] = this.directoryAt
    words[at + 5] = this.directory[0]!
    if (this.directoryAt === 0) return
    const first = wordOf(this.directoryAt)
    const to = this.arena.words[slabOf(this.directoryAt)]!
    for (let i = 0; i < depthWords; i++) to[first + i] = this.atDepth[i]!
  }

  override insert(hash: number, p: Pointer): void {
    super.insert(hash, p)
    this.save()
  }

  override remove(hash: number, p: Pointer): void {
    super.remove(hash, p)
    this.save()
  }

  protected override newDirectory(length: number): Uint32Array {
    if (length === 1) return this.one
    // It shrinks in place: a removal must not fail for want of memory.
    if (length < this.directory.length) return this.directory.subarray(0, length)
    const p = this.nextDirectory = this.arena.allocate((depthWords + length) * 4)
    const first = wordOf(p) + depthWords
    return this.arena.words[slabOf(p)]!.subarray(first, first + length)
  }

  protected override dropDirectory(): void {
    const next = this.nextDirectory
    this.nextDirectory = 0
    if (next === 0 && this.directory.length > 1) return
    if (this.directoryAt !== 0) this.arena.free(this.directoryAt)
    this.directoryAt = next
  }

  /** Makes room for so many entries in an empty table, as far as one segment goes: spares growing step by step. */
  presize(count: number): void {
    if (this.size > 0) return
    let mask = this.mask
    while (mask < 2047 && loadLimit(mask) < count) mask = mask * 2 + 1
    if (mask === this.mask) return
    this.resize(mask)
    this.save()
  }

  /** One of the owner's words in a table's root, 0 to 3. */
  ownerWord(root: Pointer, i: number): number {
    return this.arena.words[slabOf(root)]![wordOf(root) + ownerAt + i]!
  }

  setOwnerWord(root: Pointer, i: number, value: number): void {
    this.arena.words[slabOf(root)]![wordOf(root) + ownerAt + i] = value
  }

  /** The bytes of root, directory and segments. */
  override get tableBytes(): number {
    const directory = this.directoryAt === 0 ? 0 : this.arena.capacity(this.directoryAt)
    return rootBytes + directory + this.segments * (this.mask + 1) * 8
  }

  /** The element with this key, or 0. */
  get(bytes: Uint8Array, start: number, length: number): Pointer {
    return this.find(this.hash(bytes, start, length) | 0, bytes, start, length)
  }

  override find(hash: number, bytes: Uint8Array, start: number, length: number): Pointer {
    const slabs = this.arena.words
    const { bytesAt, mask } = this
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
      if (table[at] === h && slabs[p >>> 19]![(p & 0x7ffff) << 1]! >>> 2 === length) {
        const element = this.arena.bytes[p >>> 19]!
        const key = ((p & 0x7ffff) << 3) + bytesAt
        let k = 0
        while (k < length && element[key + k] === bytes[start + k]) k++
        if (k === length) return p
      }
      i = i === mask ? 1 : i + 1
    }
  }

  /** The hash of an element's key. */
  hashAt(p: Pointer): number {
    const slab = slabOf(p)
    return this.hash(this.arena.bytes[slab]!, byteOf(p) + this.bytesAt, this.arena.words[slab]![wordOf(p)]! >>> 2)
  }

  /**
   * Visits every element, in the order of hashes, until a visitor answers false. It must not change the table, but may look
   * into others: this object points at them meanwhile.
   */
  each(visit: (p: Pointer) => unknown): void {
    const { root } = this
    const pointers = spare.pop() ?? new Uint32Array(fullMask + 1)
    let count = 0
    const gather = (p: Pointer): void => {
      pointers[count++] = p
    }
    for (let position = 0; position >= 0;) {
      count = 0
      position = this.open(root).walk(position, gather)
      for (let i = 0; i < count; i++) {
        if (visit(pointers[i]!) !== false) continue
        position = -1
        break
      }
    }
    spare.push(pointers)
  }

  /**
   * Frees about `budget` elements, or more by what is left of a segment, and the segments they stood in. Once begun, the
   * table is of no other use. True when all of it, the root included, is gone.
   */
  releaseStep(root: Pointer, budget: number, free: (p: Pointer) => void): boolean {
    this.open(root)
    const { arena, directory } = this
    // The owner's words serve to remember how far it got.
    let index = this.ownerWord(root, 3) === releasing ? this.ownerWord(root, 2) : 0
    while (index < directory.length && budget > 0) {
      const segment = directory[index]!
      const table = arena.words[slabOf(segment)]!
      const base = wordOf(segment)
      const span = 1 << (this.depth - table[base]!)
      budget -= table[base + 1]!
      for (let i = 1; i <= this.mask; i++) {
        const p = table[base + 2 * i + 1]!
        if (p !== 0) free(p)
      }
      arena.free(segment)
      index += span
    }
    this.setOwnerWord(root, 2, index)
    this.setOwnerWord(root, 3, releasing)
    if (index < directory.length) return false
    if (this.directoryAt !== 0) arena.free(this.directoryAt)
    arena.free(root)
    this.root = 0
    return true
  }
}

/** Room for the elements of a segment; as many as walks are nested. */
const spare: Array<Uint32Array> = []

/** In owner word 3: the table is being released, and word 2 says up to which slot of the directory. */
const releasing = 0xffff_ffff
