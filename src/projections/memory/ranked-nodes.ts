/**
 * The tree below `Ranked` (ranked.ts): a B+tree over (score, member) whose whole state lies in the arena.
 *
 * ```
 * root   root node · height · elements · bytes of all nodes
 * node   elements (u32) · capacity (u32), then runs of so many words each:
 *        upper words of the scores · lower words · members' blocks, and in inner nodes: children · elements below them
 * ```
 *
 * Scores are kept as two words that compare as they do. The key next to a child is the least one below it, always exactly:
 * so it names a living member. Words of a kind stand together, because a search reads one kind and a rank sums up another:
 * a node is read in a few cache lines instead of twenty.
 */
import { type Arena, byteOf, type Pointer, slabOf, wordOf } from "./arena.ts"
import type { Slice } from "./slice.ts"

export const header = 2
const leafRuns = 3
export const innerRuns = 5
export const pointerRun = 2
export const childRun = 3
export const countRun = 4
/** 1016 bytes, a class of the arena's. */
export const leafCapacity = 84
/** 1268 bytes. All inner nodes have it, and all leaves but an only one `leafCapacity`: so little is read to find a word. */
export const innerCapacity = 63
/** All inner nodes but those at the edges have 16 children or more: 2^32 elements are far less deep. */
export const maxHeight = 16
const rootBytes = 16
export const rootAt = 0
export const heightAt = 1
export const sizeAt = 2
export const bytesAt = 3

/** The runs of a node at a level. */
export const runsAt = (level: number): number => level === 0 ? leafRuns : innerRuns

/** The score of the key that is looked for, as two words: in an array, as numbers this large would be boxed in fields. */
export const key = new Uint32Array(2)
const floats = new Float64Array(1)
const floatWords = new Uint32Array(floats.buffer)
const noBytes = new Uint8Array(0)

/** Copies words inside one array; the ranges may overlap. A short loop beats the call of `copyWithin`. */
export const moveWords = (words: Uint32Array, to: number, from: number, length: number): void => {
  if (length > 64) words.copyWithin(to, from, from + length)
  else if (to < from) { for (let i = 0; i < length; i++) words[to + i] = words[from + i]! }
  else for (let i = length - 1; i >= 0; i--) words[to + i] = words[from + i]!
}

/** Takes elements out of a node. */
export const close = (words: Uint32Array, base: number, runs: number, index: number, many: number): void => {
  const capacity = words[base + 1]!
  const left = words[base]! - many
  if (runs === leafRuns && many === 1) {
    // A leaf that loses one, by far the most frequent: one loop instead of three.
    let at = base + header + index
    for (const end = base + header + left; at < end; at++) {
      words[at] = words[at + 1]!
      words[at + capacity] = words[at + capacity + 1]!
      words[at + 2 * capacity] = words[at + 2 * capacity + 1]!
    }
    words[base] = left
    return
  }
  for (let run = 0, at = base + header + index; run < runs; run++, at += capacity) {
    moveWords(words, at, at + many, left - index)
  }
  words[base] = left
}

/** See the head of this file. */
export class RankedTree {
  /** The order it is pointed at; 0 for none. */
  handle: Pointer = 0
  protected readonly arena: Arena
  private readonly memberAt: number
  /** The member that is looked for: its block, or 0, and its bytes; a negative length stands for any member. */
  protected own: Pointer = 0
  private keyBytes: Uint8Array = noBytes
  private keyAt = 0
  private keyLength = -1
  /** The way to the place found last: the node of each level and the index in it. */
  protected readonly pathNode = new Uint32Array(maxHeight)
  protected readonly pathIndex = new Uint8Array(maxHeight)
  protected rightEdge = false
  protected leftEdge = false

  /** @param memberOffset where in its block a member begins */
  constructor(arena: Arena, memberOffset: number) {
    this.arena = arena
    this.memberAt = memberOffset
  }

  /**
   * Makes an empty order and points at it.
   * @throws ArenaFull
   */
  create(): Pointer {
    const handle = this.arena.allocate(rootBytes)
    this.arena.words[slabOf(handle)]!.fill(0, wordOf(handle), wordOf(handle) + rootBytes / 4)
    this.handle = handle
    return handle
  }

  /** Points at the order whose root this is. Nothing of it is kept outside of the arena. */
  open(handle: Pointer): this {
    this.handle = handle
    return this
  }

  /** The number of members. */
  get size(): number {
    return this.state(sizeAt)
  }

  /** The bytes of all nodes. */
  get tableBytes(): number {
    return this.state(bytesAt)
  }

  protected get root(): Pointer {
    return this.state(rootAt)
  }

  /** The root's level; leaves are at level 0. */
  protected get height(): number {
    return this.state(heightAt)
  }

  private state(word: number): number {
    const { handle } = this
    return handle === 0 ? 0 : this.arena.words[slabOf(handle)]![wordOf(handle) + word]!
  }

  protected setState(word: number, value: number): void {
    this.arena.words[slabOf(this.handle)]![wordOf(this.handle) + word] = value
  }

  // ——— keys ———

  protected setScoreWords(high: number, low: number): void {
    if (high >>> 31 === 0) {
      key[0] = high | 0x8000_0000
      key[1] = low
    } else if (high === 0x8000_0000 && low === 0) {
      key[0] = high // -0 equals 0
      key[1] = 0
    } else {
      key[0] = ~high
      key[1] = ~low
    }
  }

  protected setScore(score: number): void {
    floats[0] = score
    this.setScoreWords(floatWords[1]!, floatWords[0]!)
  }

  /** Looks for a member by its block and the score in it. */
  protected setKeyOf(p: Pointer): void {
    const words = this.arena.words[slabOf(p)]!
    const at = wordOf(p)
    this.own = p
    this.keyBytes = this.arena.bytes[slabOf(p)]!
    this.keyAt = byteOf(p) + this.memberAt
    this.keyLength = words[at]! >>> 2
    this.setScoreWords(words[at + 2]!, words[at + 1]!)
  }

  /** Looks for the bounds of a score. */
  protected setKeyScore(score: number): void {
    this.own = 0
    this.keyLength = -1
    this.setScore(score)
  }

  /** Looks for the place of a text among the members of a score. */
  protected setKeyText(score: number, text: Slice): void {
    this.own = 0
    this.keyBytes = text.bytes
    this.keyAt = text.start
    this.keyLength = text.length
    this.setScore(score)
  }

  /** Lets go of a text, which may lie in the buffer of a socket. */
  protected forgetText(): void {
    this.keyBytes = noBytes
    this.keyLength = -1
  }

  /** Whether a member of the same score comes before the key, or with `orEqual` not after it. */
  protected tiedBelow(element: Pointer, orEqual: boolean): boolean {
    const { keyAt, keyBytes, keyLength } = this
    if (element === this.own || keyLength < 0) return orEqual
    const slab = slabOf(element)
    const length = this.arena.words[slab]![wordOf(element)]! >>> 2
    const bytes = this.arena.bytes[slab]!
    const at = byteOf(element) + this.memberAt
    const shorter = length < keyLength ? length : keyLength
    for (let i = 0; i < shorter; i++) {
      const d = bytes[at + i]! - keyBytes[keyAt + i]!
      if (d !== 0) return d < 0
    }
    return length === keyLength ? orEqual : length < keyLength
  }

  /** Whether the element at `at`, a place in its node's first run, comes before the key, or with `orEqual` not after it. */
  protected isBelow(words: Uint32Array, at: number, capacity: number, orEqual: boolean): boolean {
    const high = words[at]!
    if (high !== key[0]!) return high < key[0]!
    const low = words[at + capacity]!
    return low === key[1]! ? this.tiedBelow(words[at + pointerRun * capacity]!, orEqual) : low < key[1]!
  }

  /**
   * How many elements of a node come before the key, or with `orEqual` not after it.
   * @param middle the element to compare first, of a node that is not empty
   */
  protected position(words: Uint32Array, base: number, orEqual: boolean, middle: number): number {
    const high = key[0]!
    const low = key[1]!
    const capacity = words[base + 1]!
    const first = base + header
    let from = 0
    let to = words[base]!
    while (from < to) {
      const at = first + middle
      const h = words[at]!
      let below = h < high
      if (h === high) {
        const l = words[at + capacity]!
        below = l === low ? this.tiedBelow(words[at + pointerRun * capacity]!, orEqual) : l < low
      }
      if (below) from = middle + 1
      else to = middle
      middle = (from + to) >>> 1
    }
    return from
  }

  // ——— reading ———

  protected elements(node: Pointer): number {
    return this.arena.words[slabOf(node)]![wordOf(node)]!
  }

  /** How many members come before the key, or with `orEqual` not after it. */
  protected countBelow(orEqual: boolean): number {
    let node = this.root
    if (node === 0) return 0
    let below = 0
    let total = this.size
    for (let level = this.height; level > 0; level--) {
      const words = this.arena.words[slabOf(node)]!
      const base = wordOf(node)
      const n = words[base]!
      const taken = Math.max(0, this.position(words, base, orEqual, n >>> 1) - 1)
      const counts = base + header + countRun * innerCapacity
      // The shorter of the two sums.
      if (taken * 2 <= n) { for (let i = 0; i < taken; i++) below += words[counts + i]! }
      else {
        below += total
        for (let i = taken; i < n; i++) below -= words[counts + i]!
      }
      total = words[counts + taken]!
      node = words[base + header + childRun * innerCapacity + taken]!
    }
    const words = this.arena.words[slabOf(node)]!
    return below + this.position(words, wordOf(node), orEqual, words[wordOf(node)]! >>> 1)
  }

  /** Notes the way to the element of a rank below `size`, node and index by level; returns its leaf. */
  protected findRank(rank: number, nodes: Uint32Array, indices: Uint8Array): Pointer {
    let node = this.root
    let left = rank
    let total = this.size
    for (let level = this.height; level > 0; level--) {
      const words = this.arena.words[slabOf(node)]!
      const base = wordOf(node)
      const counts = base + header + countRun * innerCapacity
      let index = 0
      if (left * 2 < total) { for (; left >= words[counts + index]!; index++) left -= words[counts + index]! }
      else {
        index = words[base]!
        do total -= words[counts + --index]!
        while (total > left)
        left -= total
      }
      nodes[level] = node
      indices[level] = index
      total = words[counts + index]!
      node = words[base + header + childRun * innerCapacity + index]!
    }
    nodes[0] = node
    indices[0] = left
    return node
  }

  /** Notes the way to the last element not after the key, and whether it leads along an edge. The order is not empty. */
  protected descend(): void {
    let node = this.root
    let rightEdge = true
    let leftEdge = true
    for (let level = this.height; level > 0; level--) {
      const words = this.arena.words[slabOf(node)]!
      const base = wordOf(node)
      const n = words[base]!
      // Keys that arrive in ascending order go along the right edge, with one comparison for each node.
      const index = Math.max(0, this.position(words, base, true, rightEdge ? n - 1 : n >>> 1) - 1)
      if (index < n - 1) rightEdge = false
      if (index > 0) leftEdge = false
      this.pathNode[level] = node
      this.pathIndex[level] = index
      node = words[base + header + childRun * innerCapacity + index]!
    }
    this.pathNode[0] = node
    this.rightEdge = rightEdge
    this.leftEdge = leftEdge
  }

  /** The way to the element that the key is of; returns its index in its leaf. */
  protected findKey(): number {
    if (this.root === 0) throw new Error(`ranked: no member ${this.own}`)
    this.descend()
    const leaf = this.pathNode[0]!
    const words = this.arena.words[slabOf(leaf)]!
    const base = wordOf(leaf)
    const index = this.position(words, base, true, words[base]! >>> 1) - 1
    if (index < 0 || words[base + header + pointerRun * words[base + 1]! + index] !== this.own) {
      throw new Error(`ranked: no member ${this.own}`)
    }
    return index
  }

  // ——— nodes ———

  protected newNode(level: number, capacity: number): Pointer {
    const node = this.arena.allocate((header + capacity * runsAt(level)) * 4)
    const words = this.arena.words[slabOf(node)]!
    words[wordOf(node)] = 0
    words[wordOf(node) + 1] = capacity
    this.setState(bytesAt, this.tableBytes + this.arena.capacity(node))
    return node
  }

  protected freeNode(node: Pointer): void {
    this.setState(bytesAt, this.tableBytes - this.arena.capacity(node))
    this.arena.free(node)
  }

  /** Moves elements from one node into a gap it makes in another. Returns the number of members in or below them. */
  protected moveElements(
    from: Pointer,
    start: number,
    to: Pointer,
    index: number,
    many: number,
    level: number
  ): number {
    const source = this.arena.words[slabOf(from)]!
    const target = this.arena.words[slabOf(to)]!
    const out = wordOf(from)
    const into = wordOf(to)
    const sourceCapacity = source[out + 1]!
    const targetCapacity = target[into + 1]!
    const n = target[into]!
    const runs = runsAt(level)
    let members = many
    for (let run = 0; run < runs; run++) {
      const a = out + header + run * sourceCapacity + start
      const b = into + header + run * targetCapacity + index
      moveWords(target, b + many, b, n - index)
      if (run === countRun) members = 0
      for (let i = 0; i < many; i++) {
        target[b + i] = source[a + i]!
        if (run === countRun) members += source[a + i]!
      }
    }
    target[into] = n + many
    close(source, out, runs, start, many)
    return members
  }

  /** Enters a child, whose least key is its own first one, into an inner node that has room. */
  protected putChild(node: Pointer, index: number, child: Pointer, members: number): void {
    const words = this.arena.words[slabOf(node)]!
    const base = wordOf(node)
    const n = words[base]!
    const capacity = innerCapacity
    const at = base + header + index
    for (let run = 0; run < innerRuns; run++) {
      moveWords(words, at + run * capacity + 1, at + run * capacity, n - index)
    }
    words[at + childRun * capacity] = child
    words[at + countRun * capacity] = members
    words[base] = n + 1
    this.copyLeast(node, index)
  }

  /** Copies the first key of a child next to it. */
  protected copyLeast(node: Pointer, index: number): void {
    const words = this.arena.words[slabOf(node)]!
    const capacity = words[wordOf(node) + 1]!
    const at = wordOf(node) + header + index
    const child = words[at + childRun * capacity]!
    const from = this.arena.words[slabOf(child)]!
    const first = wordOf(child) + header
    const step = from[wordOf(child) + 1]!
    for (let run = 0; run <= pointerRun; run++) words[at + run * capacity] = from[first + run * step]!
  }

  /** The first key of the path's node below this level has changed: enters it as far up as it is the least. */
  protected correctLeast(level: number): void {
    for (const { height } = this; level <= height; level++) {
      this.copyLeast(this.pathNode[level]!, this.pathIndex[level]!)
      if (this.pathIndex[level] !== 0) return
    }
  }

  /** Adds to the counts along the path, and to the size. */
  protected addCounts(many: number): void {
    for (let level = this.height; level > 0; level--) {
      const node = this.pathNode[level]!
      const words = this.arena.words[slabOf(node)]!
      const at = wordOf(node) + header + countRun * innerCapacity + this.pathIndex[level]!
      words[at] = words[at]! + many
    }
    this.setState(sizeAt, this.size + many)
  }
}
