/**
 * The order of a large sorted set: a B+tree (ranked-nodes.ts, ranked-changes.ts) over scores and members.
 *
 * ```
 * member   block made by the owner: word 0 length << 2 | flags, words 1–2 the score (low word first), then the member
 * ```
 *
 * Members of equal score are in the order of their bytes, which are read only then. Scores may be infinite, never NaN.
 */
import { type Pointer, slabOf, wordOf } from "./arena.ts"
import { RankedChanges } from "./ranked-changes.ts"
import { childRun, header, innerCapacity, leafCapacity, maxHeight, pointerRun } from "./ranked-nodes.ts"
import type { Slice } from "./slice.ts"

const floats = new Float64Array(1)
const floatWords = new Uint32Array(floats.buffer)
/** Behind the last word of any slab. */
const nowhere = 0x3fff_ffff
const noWords = new Uint32Array(0)

/** See the head of this file. One per database is pointed at one order after another (`open`). */
export class Ranked extends RankedChanges {
  /** The member block the cursor stands at; 0 when it has run over an end, from where only `seek` brings it back. */
  current: Pointer = 0
  /** The pointers of the cursor's leaf, and the places there of the cursor, the first one and behind the last one. */
  private leafWords: Uint32Array = noWords
  private leafCapacity = 0
  private at = 0
  private firstAt = nowhere
  private endAt = 0
  /** The way to the cursor, which other uses of this object leave alone. */
  private readonly cursorNode = new Uint32Array(maxHeight)
  private readonly cursorIndex = new Uint8Array(maxHeight)
  private cursorHeight = 0
  /** Members of one leaf that were taken out and not visited yet. */
  private readonly gathered = new Uint32Array(leafCapacity)

  /** The score in a member's block. */
  scoreAt(p: Pointer): number {
    const words = this.arena.words[slabOf(p)]!
    const at = wordOf(p)
    floatWords[0] = words[at + 1]!
    floatWords[1] = words[at + 2]!
    return floats[0]!
  }

  /**
   * Adds a member, which is in no order yet.
   * @throws ArenaFull and has then changed nothing
   */
  add(p: Pointer): void {
    this.setKeyOf(p)
    this.insertKey(p)
  }

  /** Takes out a member that is in this order under the score in its block. */
  take(p: Pointer): void {
    this.setKeyOf(p)
    this.cut(this.findKey(), 1)
  }

  /** Like `take`, quicker for the first member and the last one. */
  takeOut(p: Pointer): void {
    if (this.root === 0) return this.take(p)
    if (this.first() === p) return this.cut(this.descendEdge(false), 1, true)
    const last = this.descendEdge(true)
    if (this.pointerIn(this.pathNode[0]!, last) === p) this.cut(last, 1, true)
    else this.take(p)
  }

  /** Notes the way to the first or the last member; returns its index in its leaf. The order is not empty. */
  private descendEdge(last: boolean): number {
    let node = this.root
    for (let level = this.height; level > 0; level--) {
      const words = this.arena.words[slabOf(node)]!
      const base = wordOf(node)
      const index = last ? words[base]! - 1 : 0
      this.pathNode[level] = node
      this.pathIndex[level] = index
      node = words[base + header + childRun * innerCapacity + index]!
    }
    this.pathNode[0] = node
    return last ? this.elements(node) - 1 : 0
  }

  /**
   * Puts the members at one end of the order, the outermost first, into `into`, as far as they are in one leaf.
   * @returns how many, at most `wanted`
   */
  outermost(last: boolean, wanted: number, into: Uint32Array): number {
    if (this.root === 0) return 0
    const index = this.descendEdge(last)
    const leaf = this.pathNode[0]!
    const many = Math.min(wanted, this.elements(leaf))
    for (let i = 0; i < many; i++) into[i] = this.pointerIn(leaf, last ? index - i : i)
    return many
  }

  /**
   * Gives a member of this order another score, in its block too. Cheaper than `take` and `add`, above all when the member
   * stays between its neighbours.
   * @throws ArenaFull and has then changed nothing
   */
  move(p: Pointer, score: number): void {
    this.setKeyOf(p)
    const index = this.findKey()
    this.setScore(score)
    if (!this.rescoreInPlace(index)) {
      // For a moment it is there twice, under two scores: should memory be lacking, the old place is still right.
      this.insertKey(p)
      this.setKeyOf(p)
      this.cut(this.findKey(), 1)
    }
    const words = this.arena.words[slabOf(p)]!
    const at = wordOf(p)
    floats[0] = score
    words[at + 1] = floatWords[0]!
    words[at + 2] = floatWords[1]!
  }

  /** Puts the block `next`, which has the same score and member, in the place of `p`; both are readable. */
  replacePointer(p: Pointer, next: Pointer): void {
    this.setKeyOf(p)
    this.replaceInPlace(this.findKey(), next)
  }

  /** How many members come before this one. */
  rankOf(p: Pointer): number {
    this.setKeyOf(p)
    return this.countBelow(false)
  }

  /** How many members have a lower score, or with `orEqual` a score that is not higher. */
  countBelowScore(score: number, orEqual: boolean): number {
    this.setKeyScore(score)
    return this.countBelow(orEqual)
  }

  /**
   * How many members come before a text of a score, or with `orEqual` are not after it: when all have this score, a bound
   * in the order of bytes.
   */
  countBelowMember(score: number, member: Slice, orEqual: boolean): number {
    this.setKeyText(score, member)
    const count = this.countBelow(orEqual)
    this.forgetText()
    return count
  }

  /** The last member that is not after the key, 0 when there is none. */
  protected floorOfKey(): Pointer {
    const index = this.descendToKey()
    return index < 0 ? 0 : this.pointerIn(this.pathNode[0]!, index)
  }

  /** Points the cursor at the last member that is not after the key; returns it, 0 when there is none. */
  protected seekFloorOfKey(): Pointer {
    const index = this.descendToKey()
    if (index < 0) return this.leave()
    const { height } = this
    this.cursorHeight = height
    for (let level = 1; level <= height; level++) {
      this.cursorNode[level] = this.pathNode[level]!
      this.cursorIndex[level] = this.pathIndex[level]!
    }
    this.cursorNode[0] = this.pathNode[0]!
    this.enter(this.pathNode[0]!)
    this.at = this.firstAt + index
    return this.current = this.leafWords[this.at]!
  }

  /** Goes to the leaf where the key has its place; returns the index of the last member there that is not after it. */
  private descendToKey(): number {
    if (this.root === 0) return -1
    this.descend()
    const leaf = this.pathNode[0]!
    const words = this.arena.words[slabOf(leaf)]!
    const n = words[wordOf(leaf)]!
    return this.position(words, wordOf(leaf), true, this.rightEdge ? n - 1 : n >>> 1) - 1
  }

  /** The number of nodes. */
  nodes(): number {
    return this.root === 0 ? 0 : this.nodesBelow(this.root, this.height)
  }

  private nodesBelow(node: Pointer, level: number): number {
    if (level === 0) return 1
    let count = 1
    const words = this.arena.words[slabOf(node)]!
    const children = wordOf(node) + header + childRun * innerCapacity
    for (let i = words[wordOf(node)]! - 1; i >= 0; i--) count += this.nodesBelow(words[children + i]!, level - 1)
    return count
  }

  /** The first member, 0 when there is none. */
  first(): Pointer {
    const { root } = this
    // The least key of all stands in the root, whatever its level.
    return root === 0 ? 0 : this.pointerIn(root, 0)
  }

  /** The last member, 0 when there is none. */
  last(): Pointer {
    return this.select(this.size - 1)
  }

  /** The member of a rank, 0 when there are not so many. */
  select(rank: number): Pointer {
    if (!(rank >= 0 && rank < this.size)) return 0
    const leaf = this.findRank(rank, this.pathNode, this.pathIndex)
    const words = this.arena.words[slabOf(leaf)]!
    // The leaf's first words are left alone: they are another wait for memory.
    const capacity = this.height === 0 ? words[wordOf(leaf) + 1]! : leafCapacity
    return words[wordOf(leaf) + header + pointerRun * capacity + this.pathIndex[0]!]!
  }

  private pointerIn(node: Pointer, index: number): Pointer {
    const words = this.arena.words[slabOf(node)]!
    return words[wordOf(node) + header + pointerRun * words[wordOf(node) + 1]! + index]!
  }

  /** Points the cursor at the member of a rank; returns it, 0 when there is none. */
  seek(rank: number): Pointer {
    if (!(rank >= 0 && rank < this.size)) return this.leave()
    this.cursorHeight = this.height
    this.enter(this.findRank(rank, this.cursorNode, this.cursorIndex))
    this.at = this.firstAt + this.cursorIndex[0]!
    return this.current = this.leafWords[this.at]!
  }

  /** Points the cursor at the first member whose score is not lower; returns it, 0 when there is none. */
  seekScore(score: number): Pointer {
    let node = this.root
    if (node === 0) return this.leave()
    this.setKeyScore(score)
    this.cursorHeight = this.height
    for (let level = this.height; level > 0; level--) {
      const words = this.arena.words[slabOf(node)]!
      const base = wordOf(node)
      const index = Math.max(0, this.position(words, base, false, words[base]! >>> 1) - 1)
      this.cursorNode[level] = node
      this.cursorIndex[level] = index
      node = words[base + header + childRun * innerCapacity + index]!
    }
    this.cursorNode[0] = node
    this.enter(node)
    const words = this.leafWords
    this.at = this.firstAt + this.position(words, wordOf(node), false, words[wordOf(node)]! >>> 1)
    if (this.at < this.endAt) return this.current = words[this.at]!
    this.current = words[--this.at]!
    return this.next()
  }

  /** The score of the member that the cursor stands at; read without its block. */
  get currentScore(): number {
    const { at, leafCapacity, leafWords } = this
    const high = leafWords[at - 2 * leafCapacity]!
    const low = leafWords[at - leafCapacity]!
    const isPositive = high >>> 31 === 1
    floatWords[1] = isPositive ? high ^ 0x8000_0000 : ~high
    floatWords[0] = isPositive ? low : ~low
    return floats[0]!
  }

  /** Moves the cursor to the next member; returns it, 0 after the last. Its order must not have changed since `seek`. */
  next(): Pointer {
    const at = this.at + 1
    if (at >= this.endAt) return this.step(1)
    this.at = at
    return this.current = this.leafWords[at]!
  }

  /** Moves the cursor to the member before; returns it, 0 before the first. */
  previous(): Pointer {
    const at = this.at - 1
    if (at < this.firstAt) return this.step(-1)
    this.at = at
    return this.current = this.leafWords[at]!
  }

  private enter(leaf: Pointer): void {
    const words = this.arena.words[slabOf(leaf)]!
    this.leafWords = words
    this.leafCapacity = words[wordOf(leaf) + 1]!
    this.firstAt = wordOf(leaf) + header + pointerRun * this.leafCapacity
    this.endAt = this.firstAt + words[wordOf(leaf)]!
  }

  /** The cursor stands nowhere: both ways lead to `step`. */
  private leave(): Pointer {
    this.endAt = 0
    this.firstAt = nowhere
    return this.current = 0
  }

  /** Moves the cursor into the leaf beside. */
  private step(by: 1 | -1): Pointer {
    const { cursorHeight, cursorIndex, cursorNode } = this
    let level = 1
    for (;; level++) {
      if (this.current === 0 || level > cursorHeight) return this.leave()
      const index = cursorIndex[level]! + by
      if (index < 0 || index >= this.elements(cursorNode[level]!)) continue
      cursorIndex[level] = index
      break
    }
    for (; level > 0; level--) {
      const node = cursorNode[level]!
      const words = this.arena.words[slabOf(node)]!
      const at = wordOf(node) + header + childRun * innerCapacity
      const child = words[at + cursorIndex[level]!]!
      cursorNode[level - 1] = child
      cursorIndex[level - 1] = by > 0 ? 0 : this.elements(child) - 1
    }
    this.enter(cursorNode[0]!)
    this.at = by > 0 ? this.firstAt : this.endAt - 1
    return this.current = this.leafWords[this.at]!
  }

  /**
   * Takes out the members of ranks `from` to `from + count - 1`, leaf by leaf; `visit` is told of each once it is out and
   * may free its block. It must not take out ranges of any order itself.
   */
  takeRange(from: number, count: number, visit: (p: Pointer) => void): void {
    const { gathered, handle } = this
    while (count > 0 && from >= 0 && from < this.size) {
      const leaf = this.findRank(from, this.pathNode, this.pathIndex)
      const index = this.pathIndex[0]!
      const many = Math.min(count, this.elements(leaf) - index)
      for (let i = 0; i < many; i++) gathered[i] = this.pointerIn(leaf, index + i)
      this.cut(index, many)
      for (let i = 0; i < many; i++) visit(gathered[i]!)
      count -= many
      this.open(handle)
    }
  }

  /**
   * Frees nodes that held about `budget` members, or more by what is left of one. Once begun, the order is of no other
   * use. True when all of it, the root included, is gone. Members' blocks are the owner's.
   */
  releaseStep(handle: Pointer, budget: number): boolean {
    this.open(handle)
    while (this.root !== 0 && budget > 0) budget -= this.freeLastLeaf()
    if (this.root !== 0) return false
    this.arena.free(handle)
    this.handle = 0
    return true
  }

  /** Frees the whole order at once; members' blocks are the owner's. */
  release(handle: Pointer): void {
    this.releaseStep(handle, Infinity)
  }
}
