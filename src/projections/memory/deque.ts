/**
 * A large list: a chain of nodes, each a pack of some kilobytes, in the arena with all its state (deque-nodes.ts). One
 * object is pointed at one list after another.
 *
 * A node has room before its pack or after it, so that pushing and popping at the ends of a list moves nothing. Nodes that
 * are pushed to begin small and double up to the limit; nodes inside of the list have blocks as large as they need.
 */
import { type Arena, byteOf, type Pointer } from "./arena.ts"
import { blockLimit, DequeNodes, fitsNode, FreeAt, nodeHeader } from "./deque-nodes.ts"
import * as Pack from "./pack.ts"
import { copyBytes, type Slice } from "./slice.ts"

export { fitsNode }

const firstNodeBytes = 512
/** An element inserted between others makes room for more of them, for this share of the node. */
const insertShare = 3

/** See the head of this file. */
export class Deque extends DequeNodes {
  /** The element the cursor stands at: its node, its place in that slab's bytes, and those. */
  node: Pointer = 0
  at = 0
  bytes: Uint8Array = noBytes
  /** After `seek` and `nextPack`: how many elements of its node are not before the cursor. */
  ahead = 0
  /** Where the pack of the cursor's node begins and ends. */
  private low = 0
  private high = 0
  private readonly needle = new Pack.Needle()

  constructor(arena: Arena) {
    super(arena)
  }

  // ——— the ends ———

  pushLeft(element: Slice, fill: number): void {
    const { arena } = this
    const { bytes, length } = this.needle.set(element)
    let node = this.firstNode()
    if (node === 0) node = this.newEnd(true, fill)
    else {
      const words = arena.words[node >>> 19]!
      const at = (node & 0x7ffff) << 1
      const start = words[at + 2]!
      if (!fitsNode(words[at + 4]! + 1, words[at + 3]! - start + length, fill)) node = this.newEnd(true, fill)
      else {
        if (this.changing !== undefined) this.changing(node)
        if (start - nodeHeader < length) node = this.widen(node, length, true, fill)
      }
    }
    const words = arena.words[node >>> 19]!
    const at = (node & 0x7ffff) << 1
    const start = words[at + 2]! - length
    copyBytes(arena.bytes[node >>> 19]!, (at << 2) + start, bytes, 0, length)
    words[at + 2] = start
    words[at + 4] = words[at + 4]! + 1
    this.words[this.base + 2] = this.words[this.base + 2]! + 1
  }

  pushRight(element: Slice, fill: number): void {
    const { arena } = this
    const { bytes, length } = this.needle.set(element)
    let node = this.lastNode()
    if (node === 0) node = this.newEnd(false, fill)
    else {
      const words = arena.words[node >>> 19]!
      const at = (node & 0x7ffff) << 1
      const end = words[at + 3]!
      if (!fitsNode(words[at + 4]! + 1, end - words[at + 2]! + length, fill)) node = this.newEnd(false, fill)
      else {
        if (this.changing !== undefined) this.changing(node)
        if (arena.capacity(node) - end < length) node = this.widen(node, length, false, fill)
      }
    }
    const words = arena.words[node >>> 19]!
    const at = (node & 0x7ffff) << 1
    const end = words[at + 3]!
    copyBytes(arena.bytes[node >>> 19]!, (at << 2) + end, bytes, 0, length)
    words[at + 3] = end + length
    words[at + 4] = words[at + 4]! + 1
    this.words[this.base + 2] = this.words[this.base + 2]! + 1
  }

  /** Takes `count` elements, or all there are, off the left end. */
  popLeft(count: number): void {
    this.pop(count, true)
  }

  /** Takes `count` elements, or all there are, off the right end. */
  popRight(count: number): void {
    this.pop(count, false)
  }

  private pop(count: number, left: boolean): void {
    while (count > 0) {
      const node = left ? this.firstNode() : this.lastNode()
      if (node === 0) return
      const words = this.arena.words[node >>> 19]!
      const at = (node & 0x7ffff) << 1
      const held = words[at + 4]!
      if (this.changing !== undefined) this.changing(node)
      if (held <= count) {
        this.drop(node)
        count -= held
        continue
      }
      const bytes = this.arena.bytes[node >>> 19]!
      const base = at << 2
      if (left) words[at + 2] = Pack.skip(bytes, base + words[at + 2]!, count) - base
      else {
        let end = base + words[at + 3]!
        for (let i = 0; i < count; i++) end = Pack.previous(bytes, end)
        words[at + 3] = end - base
      }
      words[at + 4] = held - count
      this.words[this.base + 2] = this.words[this.base + 2]! - count
      const used = words[at + 3]! - words[at + 2]!
      if (4 * used < this.arena.capacity(node)) this.shrink(node)
      return
    }
  }

  /** Keeps only the elements from `start` to `stop`. */
  trim(start: number, stop: number): void {
    this.popRight(Math.max(0, this.length - 1 - stop))
    this.popLeft(start)
  }

  /** A node for pushes at an end of the list; it has room for the element in `needle`. */
  private newEnd(left: boolean, fill: number): Pointer {
    const wanted = nodeHeader + this.needle.length
    // A list that has filled nodes will fill this one as well.
    const usual = this.nodes > 0 ? Math.min(blockLimit(fill), 2 * firstNodeBytes) : firstNodeBytes
    const bytes = Math.max(wanted, usual)
    const full = left ? this.firstNode() : this.lastNode()
    const node = left ? this.newNode(bytes, 0, full) : this.newNode(bytes, full, 0)
    if (full !== 0) {
      // Nothing is pushed to it any more; where the number of elements is the limit, half its block may be free.
      this.touch(full)
      this.shrink(full)
    }
    if (left) {
      const at = this.arena.capacity(node)
      this.set(node, 2, at)
      this.set(node, 3, at)
    }
    return node
  }

  /** Makes room for `size` bytes before or after the pack of an end node: in its block, in a larger one or a new node. */
  private widen(node: Pointer, size: number, before: boolean, fill: number): Pointer {
    const start = this.get(node, 2)
    const used = this.get(node, 3) - start
    const capacity = this.arena.capacity(node)
    const need = nodeHeader + used + size
    const spare = capacity - need
    if (spare >= capacity >>> 2) {
      // Much of it is free on the other side: what is left over goes to both, more to where it is asked for.
      const to = before ? nodeHeader + size + Math.floor(spare * 3 / 4) : nodeHeader + Math.floor(spare / 4)
      const at = byteOf(node)
      this.bytesOf(node).copyWithin(at + to, at + start, at + start + used)
      this.set(node, 2, to)
      this.set(node, 3, to + used)
      return node
    }
    // In a queue about as long as a node, moving it to and fro for the little that is free would never end.
    if (spare >= 0 && 2 * capacity > blockLimit(fill)) return this.newEnd(before, fill)
    const bytes = Math.max(need, Math.min(blockLimit(fill), 2 * capacity))
    return this.replaceNode(node, bytes, before ? FreeAt.left : FreeAt.right)
  }

  // ——— the cursor ———

  /** Puts the cursor on the element at `index`; false when there is none. */
  seek(index: number): boolean {
    const { length } = this
    if (!(index >= 0 && index < length)) return false
    let node: Pointer
    if (index < length >>> 1) {
      node = this.firstNode()
      for (let held = this.countOf(node); index >= held; held = this.countOf(node)) {
        index -= held
        node = this.nextNode(node)
      }
    } else {
      node = this.lastNode()
      let before = length - this.countOf(node)
      while (index < before) {
        node = this.previousNode(node)
        before -= this.countOf(node)
      }
      index -= before
    }
    this.enter(node)
    const held = this.countOf(node)
    this.ahead = held - index
    if (index <= held >>> 1) this.at = Pack.skip(this.bytes, this.low, index)
    else {
      this.at = this.high
      for (let left = held - index; left > 0; left--) this.at = Pack.previous(this.bytes, this.at)
    }
    return true
  }

  private enter(node: Pointer): void {
    this.node = node
    this.bytes = this.bytesOf(node)
    this.low = this.startOf(node)
    this.high = this.endOf(node)
  }

  /** Moves the cursor to the next element; false behind the last. The list must not have changed since `seek`. */
  next(): boolean {
    const { at, bytes } = this
    const next = at + Pack.sizeAt(bytes, at)
    this.at = next
    return next < this.high || this.nextPack()
  }

  /** Moves the cursor to the first element of the next node; false behind the last. */
  nextPack(): boolean {
    const node = this.nextNode(this.node)
    if (node === 0) return false
    this.enter(node)
    this.at = this.low
    this.ahead = this.countOf(node)
    return true
  }

  /** Moves the cursor to the element before; false before the first. The list must not have changed since `seek`. */
  previous(): boolean {
    if (this.at === this.low) {
      const node = this.previousNode(this.node)
      if (node === 0) return false
      this.enter(node)
      this.at = this.high
    }
    this.at = Pack.previous(this.bytes, this.at)
    return true
  }

  // ——— anywhere ———

  /** The element at `index` becomes this one. False when there is none. */
  replaceAt(index: number, element: Slice, fill: number): boolean {
    if (!this.seek(index)) return false
    const { at, needle, node } = this
    needle.set(element)
    const size = Pack.sizeAt(this.bytes, at)
    this.touch(node)
    if (size === needle.length) copyBytes(this.bytes, at, needle.bytes, 0, size)
    else if (this.countOf(node) === 1 || this.usedBy(node) - size + needle.length <= blockLimit(fill) - nodeHeader) {
      const now = this.splice(node, at - byteOf(node), size)
      if (needle.length < size) this.settle(now, fill)
    } else {
      this.cut(node, at, at + size, 1)
      this.insertAt(index, element, fill)
    }
    return true
  }

  /** Replaces `size` bytes at `at` bytes into a node by the element in `needle`; returns what the node is now. */
  private splice(node: Pointer, at: number, size: number): Pointer {
    const { length } = this.needle
    const grow = length - size
    const start = this.get(node, 2)
    let end = this.get(node, 3)
    if (grow > this.arena.capacity(node) - end) {
      const need = end - start + grow
      if (grow <= start - nodeHeader) {
        // There is room on the left: what stands before it moves there.
        const base = byteOf(node)
        this.bytesOf(node).copyWithin(base + start - grow, base + start, base + at)
        copyBytes(this.bytesOf(node), base + at - grow, this.needle.bytes, 0, length)
        this.set(node, 2, start - grow)
        return node
      }
      node = this.replaceNode(node, nodeHeader + need + (need >>> insertShare), FreeAt.right)
      at += nodeHeader - start
      end = this.get(node, 3)
    }
    const base = byteOf(node)
    const bytes = this.bytesOf(node)
    if (grow !== 0) bytes.copyWithin(base + at + length, base + at + size, base + end)
    copyBytes(bytes, base + at, this.needle.bytes, 0, length)
    this.set(node, 3, end + grow)
    return node
  }

  /** Inserts an element that will stand at `index`, which is at most the length. */
  insertAt(index: number, element: Slice, fill: number): void {
    if (index <= 0) return this.pushLeft(element, fill)
    if (index >= this.length) return this.pushRight(element, fill)
    this.seek(index)
    const { at, needle } = this
    let { node } = this
    const size = needle.set(element).length
    if (this.fits(node, size, fill)) {
      this.touch(node)
      return this.insertIn(node, at - byteOf(node))
    }
    const previous = this.previousNode(node)
    if (at === this.low) {
      if (previous === 0 || !this.fits(previous, size, fill)) {
        return this.insertIn(this.newNode(nodeHeader + size, previous, node), nodeHeader)
      }
      this.touch(previous)
      return this.insertIn(previous, this.get(previous, 3))
    }
    node = this.split(node, at)
    if (this.fits(node, size, fill)) return this.insertIn(node, this.get(node, 3))
    this.insertIn(this.newNode(nodeHeader + size, node, this.nextNode(node)), nodeHeader)
  }

  /** Inserts the element in `needle` at `at` bytes into a node. */
  private insertIn(node: Pointer, at: number): void {
    node = this.splice(node, at, 0)
    this.set(node, 4, this.countOf(node) + 1)
    this.addLength(1)
  }

  /** Takes out `count` elements, or all there are, from `index` on. */
  removeRange(index: number, count: number, fill: number): void {
    if (!(count > 0) || !this.seek(index)) return
    let { at, node } = this
    /** The nodes that lost some of their elements: the first and the last. */
    let first: Pointer = 0
    let last: Pointer = 0
    while (count > 0 && node !== 0) {
      const next = this.nextNode(node)
      const held = this.countOf(node)
      this.touch(node)
      if (at === this.startOf(node) && held <= count) {
        count -= held
        this.drop(node)
      } else {
        const bytes = this.bytesOf(node)
        const end = this.endOf(node)
        let removed = 0
        let to = at
        for (; to < end && removed < count; removed++) to += Pack.sizeAt(bytes, to)
        this.cut(node, at, to, removed)
        count -= removed
        if (first === 0) first = node
        else last = node
      }
      node = next
      at = node === 0 ? 0 : this.startOf(node)
    }
    if (last !== 0) this.shrink(this.joinNext(last, fill))
    if (first !== 0) this.settle(first, fill)
  }

  /** Takes out the elements at these ascending indexes, in one pass. */
  removeAll(indexes: ReadonlyArray<number>, fill: number): void {
    let node = this.firstNode()
    let before = 0
    let i = 0
    while (node !== 0 && i < indexes.length) {
      const held = this.countOf(node)
      const next = this.nextNode(node)
      if (indexes[i]! < before + held) {
        this.touch(node)
        i = this.thin(node, before, indexes, i)
        if (this.countOf(node) === 0) this.drop(node)
        else this.shrink(node)
      }
      before += held
      node = next
    }
    for (node = this.firstNode(); node !== 0; node = this.nextNode(node)) node = this.joinNext(node, fill)
  }

  /** Takes those of the indexes out that lie in a node whose first element has index `before`; returns the next one's place. */
  private thin(node: Pointer, before: number, indexes: ReadonlyArray<number>, i: number): number {
    const bytes = this.bytesOf(node)
    const end = this.endOf(node)
    const held = this.countOf(node)
    const first = i
    let to = this.startOf(node)
    let at = to
    /** What is kept between two that are not moves at once. */
    let kept = at
    for (let index = before; i < indexes.length && indexes[i]! < before + held; i++) {
      at = Pack.skip(bytes, at, indexes[i]! - index)
      to = this.moveDown(bytes, to, kept, at)
      at += Pack.sizeAt(bytes, at)
      kept = at
      index = indexes[i]! + 1
    }
    to = this.moveDown(bytes, to, kept, end)
    this.set(node, 3, to - byteOf(node))
    this.set(node, 4, held - (i - first))
    this.addLength(first - i)
    return i
  }

  /** Copies the bytes from `from` to `end` to a place before them; returns the place after the copy. */
  private moveDown(bytes: Uint8Array, to: number, from: number, end: number): number {
    if (to !== from && end > from) {
      if (end - from > 64) bytes.copyWithin(to, from, end)
      else for (let i = from; i < end; i++) bytes[to + i - from] = bytes[i]!
    }
    return to + end - from
  }

  /** Closes the gap between two places of a node, where `count` elements were, from the side that has less to move. */
  private cut(node: Pointer, from: number, to: number, count: number): void {
    const bytes = this.bytesOf(node)
    const start = this.startOf(node)
    const end = this.endOf(node)
    if (from - start < end - to) {
      bytes.copyWithin(start + to - from, start, from)
      this.set(node, 2, start + to - from - byteOf(node))
    } else {
      bytes.copyWithin(from, to, end)
      this.set(node, 3, end - (to - from) - byteOf(node))
    }
    this.set(node, 4, this.countOf(node) - count)
    this.addLength(-count)
  }
}

const noBytes = new Uint8Array(0)
