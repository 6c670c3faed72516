/**
 * The order of a large sorted set: a B+tree (stored-order.ts) over scores and members.
 *
 * ```
 * element  the score as two words that compare like it, then the pointer of the member's block
 * member   block made by the owner: word 0 length << 2 | flags, words 1–2 the score (low word first), then the member
 * ```
 *
 * Members of equal score are in the order of their bytes, which are read only then.
 */
import { type Arena, byteOf, type Pointer, slabOf, wordOf } from "./arena.ts"
import { childWord, countWord, header, innerStride, leafStride, maxHeight } from "./order.ts"
import type { Slice } from "./slice.ts"
import { StoredOrder } from "./stored-order.ts"

/** In place of a member: less or more than any member of the score, or the text of `probe`. */
const anyMember = 0
const probeMember = 0xffff_ffff

const floats = new Float64Array(1)
const floatWords = new Uint32Array(floats.buffer)

/** See the head of this file. */
export class Ranked extends StoredOrder {
  /** The member block the cursor stands at; 0 when it has run over an end. */
  current: Pointer = 0
  private readonly bytesAt: number
  private probe: Slice | undefined = undefined
  private high = 0
  private low = 0
  private readonly cursorNode = new Uint32Array(maxHeight)
  private readonly cursorIndex = new Int32Array(maxHeight)

  /** @param memberOffset where in its block a member begins */
  constructor(arena: Arena, memberOffset: number) {
    super(arena)
    this.bytesAt = memberOffset
  }

  protected override thirdBelow(element: Pointer, c: Pointer, orEqual: boolean): boolean {
    if (c === anyMember || element === c) return orEqual
    const { arena, bytesAt } = this
    const slab = slabOf(element)
    const bytes = arena.bytes[slab]!
    const length = arena.words[slab]![wordOf(element)]! >>> 2
    const at = byteOf(element) + bytesAt
    let other: Uint8Array
    let otherAt: number
    let otherLength: number
    if (c === probeMember) {
      const probe = this.probe!
      other = probe.bytes
      otherAt = probe.start
      otherLength = probe.length
    } else {
      const otherSlab = slabOf(c)
      other = arena.bytes[otherSlab]!
      otherAt = byteOf(c) + bytesAt
      otherLength = arena.words[otherSlab]![wordOf(c)]! >>> 2
    }
    const shorter = length < otherLength ? length : otherLength
    for (let i = 0; i < shorter; i++) {
      const d = bytes[at + i]! - other[otherAt + i]!
      if (d !== 0) return d < 0
    }
    return length === otherLength ? orEqual : length < otherLength
  }

  /** Two words that compare as the score does: -0 equals 0. */
  private setScore(score: number): void {
    floats[0] = score === 0 ? 0 : score
    const low = floatWords[0]!
    const high = floatWords[1]!
    if (high >>> 31 === 1) {
      this.high = ~high >>> 0
      this.low = ~low >>> 0
    } else {
      this.high = (high | 0x8000_0000) >>> 0
      this.low = low
    }
  }

  private setScoreOf(p: Pointer): void {
    this.setScore(this.scoreAt(p))
  }

  /** The score in a member's block. */
  scoreAt(p: Pointer): number {
    const words = this.arena.words[slabOf(p)]!
    const at = wordOf(p)
    floatWords[0] = words[at + 1]!
    floatWords[1] = words[at + 2]!
    return floats[0]!
  }

  /** Adds a member, which is in no order yet. */
  add(p: Pointer): void {
    this.setScoreOf(p)
    this.insert(this.high, this.low, p)
  }

  /** Takes out a member that is in this order under the score in its block. */
  take(p: Pointer): void {
    this.setScoreOf(p)
    this.remove(this.high, this.low, p)
  }

  /** How many members come before this one. */
  rankOf(p: Pointer): number {
    this.setScoreOf(p)
    return this.countBelow(this.high, this.low, p)
  }

  /** How many members have a lower score, or with `orEqual` a score that is not higher. */
  countBelowScore(score: number, orEqual: boolean): number {
    this.setScore(score)
    return this.countBelow(this.high, this.low, anyMember, orEqual)
  }

  /** How many members come before a text in the order of bytes, or with `orEqual` are not after it; all have this score. */
  countBelowMember(score: number, member: Slice, orEqual: boolean): number {
    this.setScore(score)
    this.probe = member
    const count = this.countBelow(this.high, this.low, probeMember, orEqual)
    this.probe = undefined
    return count
  }

  /** The member of a rank, 0 when there are not so many. */
  select(rank: number): Pointer {
    return this.at(rank) ? this.c : 0
  }

  /** Points the cursor at the member of a rank; returns it, 0 when there is none. */
  seek(rank: number): Pointer {
    if (!(rank >= 0 && rank < this.size)) return this.current = 0
    let node = this.root
    let left = rank
    for (let level = this.height; level > 0; level--) {
      const words = this.arena.words[slabOf(node)]!
      let at = wordOf(node) + header
      let index = 0
      for (; left >= words[at + countWord]!; at += innerStride) {
        left -= words[at + countWord]!
        index++
      }
      this.cursorNode[level] = node
      this.cursorIndex[level] = index
      node = words[at + childWord]!
    }
    this.cursorNode[0] = node
    this.cursorIndex[0] = left
    return this.look()
  }

  private look(): Pointer {
    const node = this.cursorNode[0]!
    const at = wordOf(node) + header + this.cursorIndex[0]! * leafStride
    return this.current = this.arena.words[slabOf(node)]![at + 2]!
  }

  /** Moves the cursor to the next member; returns it, 0 after the last. The order must not have changed since `seek`. */
  next(): Pointer {
    const index = this.cursorIndex[0]! + 1
    if (index < this.elements(this.cursorNode[0]!)) {
      this.cursorIndex[0] = index
      return this.look()
    }
    return this.step(1)
  }

  /** Moves the cursor to the member before; returns it, 0 before the first. */
  previous(): Pointer {
    const index = this.cursorIndex[0]! - 1
    if (index >= 0) {
      this.cursorIndex[0] = index
      return this.look()
    }
    return this.step(-1)
  }

  /** Moves the cursor into the leaf beside. */
  private step(by: 1 | -1): Pointer {
    let level = 1
    for (;; level++) {
      if (level > this.height) return this.current = 0
      const index = this.cursorIndex[level]! + by
      if (index < 0 || index >= this.elements(this.cursorNode[level]!)) continue
      this.cursorIndex[level] = index
      break
    }
    for (; level > 0; level--) {
      const node = this.cursorNode[level]!
      const at = wordOf(node) + header + this.cursorIndex[level]! * innerStride
      const child = this.arena.words[slabOf(node)]![at + childWord]!
      this.cursorNode[level - 1] = child
      this.cursorIndex[level - 1] = by > 0 ? 0 : this.elements(child) - 1
    }
    return this.look()
  }

  /** Takes out the members of ranks `from` to `from + count - 1`; `visit` is told of each once it is out. */
  takeRange(from: number, count: number, visit: (p: Pointer) => void): void {
    while (count > 0) {
      let found = 0
      const many = Math.min(count, gathered.length)
      for (let p = this.seek(from); p !== 0 && found < many; p = this.next()) gathered[found++] = p
      if (found === 0) return
      for (let i = 0; i < found; i++) {
        const p = gathered[i]!
        this.take(p)
        visit(p)
      }
      count -= found
    }
  }
}

const gathered = new Uint32Array(1024)
