/**
 * A large list: a chain of nodes, each a pack of some kilobytes, in the arena with all its state. One object is pointed
 * at one list after another.
 *
 * ```
 * root  first node · last node · elements · nodes
 * node  previous · next · start · end (of its pack, in bytes from the node's beginning) · elements · ordinal << 1 | mark · …
 * ```
 *
 * A node has room before its pack or after it, so that pushing and popping at the ends of a list moves nothing. Nodes that
 * are pushed to begin small and double up to the limit. The mark and the ordinal serve checkpoints: whoever has set
 * `changing` is told of a node before its elements change or go.
 */
import { type Arena, byteOf, type Pointer, slabOf, wordOf } from "./arena.ts"
import * as Pack from "./pack.ts"
import { copyBytes, type Slice } from "./slice.ts"

const rootBytes = 16
const nodeHeader = 24
const firstNodeBytes = 512
/** Elements of a node when their number is the limit take no more than this, unless one alone does. */
const countedBytes = 8192

/** Bytes of a node's block under a fill factor: -1 to -5 mean 4 to 64 KiB; a positive one limits the elements instead. */
const blockLimit = (fill: number): number => fill >= 0 ? countedBytes : 4096 << Math.min(4, Math.max(0, -fill - 1))

/** Whether `count` elements in `bytes` may be one node, or one small list. */
export const fitsNode = (count: number, bytes: number, fill: number): boolean =>
  bytes <= blockLimit(fill) - nodeHeader && (fill < 0 || count <= Math.max(1, fill))

/** See the head of this file. */
export class Deque {
  /** The list it is pointed at; 0 for none. */
  root: Pointer = 0
  /** The element the cursor stands at: its node, its place in that slab's bytes, and those. */
  node: Pointer = 0
  at = 0
  bytes: Uint8Array = noBytes
  /** The mark that new nodes get. */
  mark = 0
  /** Called with a node before it changes or goes. */
  changing: ((node: Pointer) => void) | undefined = undefined

  private readonly arena: Arena
  private words: Uint32Array = noWords
  private base = 0
  private readonly needle = new Pack.Needle()

  constructor(arena: Arena) {
    this.arena = arena
  }

  /** Makes an empty list and points at it. */
  create(): Pointer {
    const root = this.arena.allocate(rootBytes)
    this.arena.words[slabOf(root)]!.fill(0, wordOf(root), wordOf(root) + rootBytes / 4)
    return this.open(root).root
  }

  /** Points at the list whose root this is. */
  open(root: Pointer): this {
    this.root = root
    this.words = this.arena.words[slabOf(root)]!
    this.base = wordOf(root)
    return this
  }

  /** The number of elements. */
  get length(): number {
    return this.words[this.base + 2]!
  }

  get nodes(): number {
    return this.words[this.base + 3]!
  }

  firstNode(): Pointer {
    return this.words[this.base]!
  }

  lastNode(): Pointer {
    return this.words[this.base + 1]!
  }

  previousNode(node: Pointer): Pointer {
    return this.get(node, 0)
  }

  nextNode(node: Pointer): Pointer {
    return this.get(node, 1)
  }

  /** The bytes that a node's pack lies in, from `startOf` to `endOf`. */
  bytesOf(node: Pointer): Uint8Array {
    return this.arena.bytes[slabOf(node)]!
  }

  startOf(node: Pointer): number {
    return byteOf(node) + this.get(node, 2)
  }

  endOf(node: Pointer): number {
    return byteOf(node) + this.get(node, 3)
  }

  countOf(node: Pointer): number {
    return this.get(node, 4)
  }

  markOf(node: Pointer): number {
    return this.get(node, 5) & 1
  }

  setMark(node: Pointer, mark: number): void {
    this.set(node, 5, (this.get(node, 5) & ~1) | mark)
  }

  /** A node's place among the nodes there were when they were numbered. */
  ordinalOf(node: Pointer): number {
    return this.get(node, 5) >>> 1
  }

  /** Numbers the nodes from 0 on. */
  numberNodes(): void {
    let ordinal = 0
    for (let node = this.firstNode(); node !== 0; node = this.nextNode(node)) {
      this.set(node, 5, ordinal++ << 1 | this.markOf(node))
    }
  }

  /** Bytes of all blocks of the list. */
  memory(): number {
    let sum = rootBytes
    for (let node = this.firstNode(); node !== 0; node = this.nextNode(node)) sum += this.arena.capacity(node)
    return sum
  }

  private get(node: Pointer, word: number): number {
    return this.arena.words[slabOf(node)]![wordOf(node) + word]!
  }

  private set(node: Pointer, word: number, value: number): void {
    this.arena.words[slabOf(node)]![wordOf(node) + word] = value
  }

  /** Tells of saved nodes too: whoever walks over the nodes must leave one before its block goes. */
  private touch(node: Pointer): void {
    if (this.changing !== undefined) this.changing(node)
  }

  private addLength(count: number): void {
    this.words[this.base + 2] = this.words[this.base + 2]! + count
  }

  // ——— the ends ———

  pushLeft(element: Slice, fill: number): void {
    const { needle } = this
    needle.set(element)
    let node = this.firstNode()
    if (node === 0 || !this.fits(node, needle.length, fill)) node = this.newEnd(0, node, fill)
    else this.touch(node)
    if (this.get(node, 2) - nodeHeader < needle.length) node = this.widen(node, needle.length, true, fill)
    const start = this.get(node, 2) - needle.length
    copyBytes(this.bytesOf(node), byteOf(node) + start, needle.bytes, 0, needle.length)
    this.set(node, 2, start)
    this.set(node, 4, this.get(node, 4) + 1)
    this.addLength(1)
  }

  pushRight(element: Slice, fill: number): void {
    const { needle } = this
    needle.set(element)
    let node = this.lastNode()
    if (node === 0 || !this.fits(node, needle.length, fill)) node = this.newEnd(node, 0, fill)
    else this.touch(node)
    if (this.arena.capacity(node) - this.get(node, 3) < needle.length) {
      node = this.widen(node, needle.length, false, fill)
    }
    const end = this.get(node, 3)
    copyBytes(this.bytesOf(node), byteOf(node) + end, needle.bytes, 0, needle.length)
    this.set(node, 3, end + needle.length)
    this.set(node, 4, this.get(node, 4) + 1)
    this.addLength(1)
  }

  /** Takes `count` elements, or all there are, off the left end. */
  popLeft(count: number): void {
    while (count > 0) {
      const node = this.firstNode()
      if (node === 0) return
      const held = this.countOf(node)
      this.touch(node)
      if (held <= count) {
        this.drop(node)
        count -= held
        continue
      }
      this.set(node, 2, Pack.skip(this.bytesOf(node), this.startOf(node), count) - byteOf(node))
      this.set(node, 4, held - count)
      this.addLength(-count)
      return
    }
  }

  /** Takes `count` elements, or all there are, off the right end. */
  popRight(count: number): void {
    while (count > 0) {
      const node = this.lastNode()
      if (node === 0) return
      const held = this.countOf(node)
      this.touch(node)
      if (held <= count) {
        this.drop(node)
        count -= held
        continue
      }
      const bytes = this.bytesOf(node)
      let end = this.endOf(node)
      for (let left = count; left > 0; left--) end = Pack.previous(bytes, end)
      this.set(node, 3, end - byteOf(node))
      this.set(node, 4, held - count)
      this.addLength(-count)
      return
    }
  }

  private fits(node: Pointer, size: number, fill: number): boolean {
    return fitsNode(this.countOf(node) + 1, this.get(node, 3) - this.get(node, 2) + size, fill)
  }

  /** A node for pushes, between two neighbours of which one is there at most; it fits the element in `needle`. */
  private newEnd(previous: Pointer, next: Pointer, fill: number): Pointer {
    const wanted = nodeHeader + this.needle.length
    // A list that has filled nodes will fill this one as well.
    const usual = previous !== 0 || next !== 0 ? Math.min(blockLimit(fill), 2 * firstNodeBytes) : firstNodeBytes
    const node = this.newNode(Math.max(wanted, usual), previous, next)
    const at = next === 0 ? nodeHeader : this.arena.capacity(node)
    this.set(node, 2, at)
    this.set(node, 3, at)
    return node
  }

  private newNode(bytes: number, previous: Pointer, next: Pointer): Pointer {
    const node = this.arena.allocate(bytes)
    const words = this.arena.words[slabOf(node)]!
    const at = wordOf(node)
    words[at + 2] = words[at + 3] = nodeHeader
    words[at + 4] = 0
    words[at + 5] = this.mark
    this.link(previous, node)
    this.link(node, next)
    this.words[this.base + 3] = this.nodes + 1
    return node
  }

  /** Makes two nodes neighbours; 0 stands for the list's end. */
  private link(left: Pointer, right: Pointer): void {
    if (left === 0) this.words[this.base] = right
    else this.set(left, 1, right)
    if (right === 0) this.words[this.base + 1] = left
    else this.set(right, 0, left)
  }

  /** Frees a node with all its elements. */
  private drop(node: Pointer): void {
    this.addLength(-this.countOf(node))
    this.link(this.get(node, 0), this.get(node, 1))
    this.words[this.base + 3] = this.nodes - 1
    this.arena.free(node)
  }

  /** Makes room for `size` bytes before or after a node's pack, in its block or a larger one. */
  private widen(node: Pointer, size: number, before: boolean, fill: number): Pointer {
    const start = this.get(node, 2)
    const used = this.get(node, 3) - start
    const capacity = this.arena.capacity(node)
    const need = nodeHeader + used + size
    if (need <= capacity && capacity - need >= capacity >>> 2) {
      // Much of it is free on the other side: what is left over goes to both, more to where it is asked for.
      const spare = capacity - need
      const to = before ? nodeHeader + size + Math.floor(spare * 3 / 4) : nodeHeader + Math.floor(spare / 4)
      const at = byteOf(node)
      this.bytesOf(node).copyWithin(at + to, at + start, at + start + used)
      this.set(node, 2, to)
      this.set(node, 3, to + used)
      return node
    }
    const bytes = Math.max(need, Math.min(blockLimit(fill), 2 * capacity))
    return this.replaceNode(node, bytes, (room) => before ? room - used : nodeHeader)
  }

  /** Puts a node's pack into another block. */
  private replaceNode(node: Pointer, bytes: number, place: (capacity: number) => number): Pointer {
    const { arena } = this
    const start = this.get(node, 2)
    const used = this.get(node, 3) - start
    const next = arena.allocate(bytes)
    const to = place(arena.capacity(next))
    copyBytes(arena.bytes[slabOf(next)]!, byteOf(next) + to, this.bytesOf(node), byteOf(node) + start, used)
    const words = arena.words[slabOf(next)]!
    words[wordOf(next) + 2] = to
    words[wordOf(next) + 3] = to + used
    words[wordOf(next) + 4] = this.countOf(node)
    words[wordOf(next) + 5] = this.get(node, 5)
    this.link(this.get(node, 0), next)
    this.link(next, this.get(node, 1))
    arena.free(node)
    return next
  }

  // ——— anywhere ———

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
    this.node = node
    this.bytes = this.bytesOf(node)
    const held = this.countOf(node)
    if (index <= held >>> 1) this.at = Pack.skip(this.bytes, this.startOf(node), index)
    else {
      this.at = this.endOf(node)
      for (let left = held - index; left > 0; left--) this.at = Pack.previous(this.bytes, this.at)
    }
    return true
  }

  /** Moves the cursor to the next element; false behind the last. The list must not have changed since `seek`. */
  next(): boolean {
    this.at += Pack.sizeAt(this.bytes, this.at)
    if (this.at < this.endOf(this.node)) return true
    this.node = this.nextNode(this.node)
    if (this.node === 0) return false
    this.bytes = this.bytesOf(this.node)
    this.at = this.startOf(this.node)
    return true
  }

  /** Moves the cursor to the element before; false before the first. */
  previous(): boolean {
    if (this.at === this.startOf(this.node)) {
      this.node = this.previousNode(this.node)
      if (this.node === 0) return false
      this.bytes = this.bytesOf(this.node)
      this.at = this.endOf(this.node)
    }
    this.at = Pack.previous(this.bytes, this.at)
    return true
  }

  /** The element at `index` becomes this one. False when there is none. */
  replaceAt(index: number, element: Slice, fill: number): boolean {
    if (!this.seek(index)) return false
    const { at, needle, node } = this
    needle.set(element)
    const size = Pack.sizeAt(this.bytes, at)
    this.touch(node)
    if (size === needle.length) copyBytes(this.bytes, at, needle.bytes, 0, size)
    else if (
      this.countOf(node) === 1 || this.get(node, 3) - this.get(node, 2) - size + needle.length <= blockLimit(fill)
    ) {
      this.splice(node, at - byteOf(node), size)
    } else {
      this.cut(node, at, at + size, 1)
      this.insertAt(index, element, fill)
    }
    return true
  }

  /** Replaces `size` bytes at `at` bytes into a node by the element in `needle`. */
  private splice(node: Pointer, at: number, size: number): Pointer {
    const grow = this.needle.length - size
    if (grow > this.arena.capacity(node) - this.get(node, 3)) {
      const used = this.get(node, 3) - this.get(node, 2)
      const offset = at - this.get(node, 2)
      node = this.replaceNode(node, nodeHeader + used + grow + 64, () => nodeHeader)
      at = nodeHeader + offset
    }
    const base = byteOf(node)
    const bytes = this.bytesOf(node)
    const end = this.get(node, 3)
    bytes.copyWithin(base + at + size + grow, base + at + size, base + end)
    copyBytes(bytes, base + at, this.needle.bytes, 0, this.needle.length)
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
    needle.set(element)
    if (!this.fits(node, needle.length, fill)) {
      const previous = this.previousNode(node)
      const first = at === this.startOf(node)
      if (first && previous !== 0 && this.fits(previous, needle.length, fill)) {
        node = previous
        this.touch(node)
        return this.grown(this.splice(node, this.get(node, 3), 0))
      }
      if (first) node = this.newNode(nodeHeader + needle.length, previous, node)
      else {
        this.split(node, at)
        if (!this.fits(node, needle.length, fill)) {
          node = this.newNode(nodeHeader + needle.length, node, this.nextNode(node))
        } else {
          this.touch(node)
          return this.grown(this.splice(node, this.get(node, 3), 0))
        }
      }
      return this.grown(this.splice(node, nodeHeader, 0))
    }
    this.touch(node)
    this.grown(this.splice(node, at - byteOf(node), 0))
  }

  /** Counts an element that was put into a node. */
  private grown(node: Pointer): void {
    this.set(node, 4, this.countOf(node) + 1)
    this.addLength(1)
  }

  /** Moves the elements from the place `at` on into a node of their own, behind this one. */
  private split(node: Pointer, at: number): void {
    this.touch(node)
    const bytes = this.bytesOf(node)
    const end = this.endOf(node)
    const moved = Pack.countElements(bytes, at, end)
    const right = this.newNode(nodeHeader + end - at, node, this.nextNode(node))
    copyBytes(this.bytesOf(right), byteOf(right) + nodeHeader, bytes, at, end - at)
    this.set(right, 3, nodeHeader + end - at)
    this.set(right, 4, moved)
    this.set(node, 3, at - byteOf(node))
    this.set(node, 4, this.countOf(node) - moved)
  }

  /** Takes out `count` elements from `index` on. */
  removeRange(index: number, count: number, fill: number): void {
    while (count > 0 && this.seek(index)) {
      const { at, bytes, node } = this
      const end = this.endOf(node)
      let held = 0
      let to = at
      while (to < end && held < count) {
        to += Pack.sizeAt(bytes, to)
        held++
      }
      this.touch(node)
      if (held === this.countOf(node)) this.drop(node)
      else {
        this.cut(node, at, to, held)
        this.mergeAround(node, fill)
      }
      count -= held
    }
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
      }
      before += held
      node = next
    }
    for (node = this.firstNode(); node !== 0; node = this.nextNode(node)) node = this.mergeAround(node, fill)
  }

  /** Takes those of the indexes out that lie in a node whose first element has index `before`; returns the next one's place. */
  private thin(node: Pointer, before: number, indexes: ReadonlyArray<number>, i: number): number {
    const bytes = this.bytesOf(node)
    const end = this.endOf(node)
    const held = this.countOf(node)
    let to = this.startOf(node)
    let removed = 0
    for (let at = to, index = before; at < end; index++) {
      const size = Pack.sizeAt(bytes, at)
      if (i < indexes.length && indexes[i] === index) {
        i++
        removed++
      } else {
        if (to !== at) bytes.copyWithin(to, at, at + size)
        to += size
      }
      at += size
    }
    this.set(node, 3, to - byteOf(node))
    this.set(node, 4, held - removed)
    this.addLength(-removed)
    return i
  }

  /** Keeps only the elements from `start` to `stop`. */
  trim(start: number, stop: number): void {
    this.popRight(Math.max(0, this.length - 1 - stop))
    this.popLeft(start)
  }

  /** Closes the gap between two places of a node with `count` elements. */
  private cut(node: Pointer, from: number, to: number, count: number): void {
    const bytes = this.bytesOf(node)
    bytes.copyWithin(from, to, this.endOf(node))
    this.set(node, 3, this.get(node, 3) - (to - from))
    this.set(node, 4, this.countOf(node) - count)
    this.addLength(-count)
  }

  /** Joins a node with the one behind it if both together are half a node at most; returns the node that holds its elements. */
  private mergeAround(node: Pointer, fill: number): Pointer {
    const next = this.nextNode(node)
    if (next === 0) return node
    const used = this.get(node, 3) - this.get(node, 2)
    const more = this.get(next, 3) - this.get(next, 2)
    if (2 * (used + more) > blockLimit(fill) || !fitsNode(this.countOf(node) + this.countOf(next), used + more, fill)) {
      return node
    }
    this.touch(node)
    this.touch(next)
    if (this.arena.capacity(node) - this.get(node, 3) < more) {
      node = this.replaceNode(node, nodeHeader + used + more, () => nodeHeader)
    }
    const end = this.get(node, 3)
    copyBytes(this.bytesOf(node), byteOf(node) + end, this.bytesOf(next), this.startOf(next), more)
    this.set(node, 3, end + more)
    this.set(node, 4, this.countOf(node) + this.countOf(next))
    this.addLength(this.countOf(next))
    this.drop(next)
    return node
  }

  // ——— whole packs ———

  /** Adds the elements of a pack at the right end. */
  appendPack(bytes: Uint8Array, start: number, end: number, fill: number): void {
    for (let at = start; at < end;) {
      const from = at
      let count = 0
      do {
        at += Pack.sizeAt(bytes, at)
        count++
      } while (at < end && fitsNode(count + 1, at + Pack.sizeAt(bytes, at) - from, fill))
      const node = this.newNode(nodeHeader + at - from, this.lastNode(), 0)
      this.fillNode(node, bytes, from, at, count)
    }
  }

  private fillNode(node: Pointer, bytes: Uint8Array, start: number, end: number, count: number): void {
    copyBytes(this.bytesOf(node), byteOf(node) + nodeHeader, bytes, start, end - start)
    this.set(node, 3, nodeHeader + end - start)
    this.set(node, 4, count)
    this.addLength(count)
  }

  /** Puts a node of `count` elements among those numbered so far; they may come in any order. */
  insertNodeByOrdinal(ordinal: number, bytes: Uint8Array, start: number, end: number, count: number): void {
    let before = this.lastNode()
    while (before !== 0 && this.ordinalOf(before) > ordinal) before = this.previousNode(before)
    const next = before === 0 ? this.firstNode() : this.nextNode(before)
    const node = this.newNode(nodeHeader + end - start, before, next)
    this.set(node, 5, ordinal << 1 | this.mark)
    this.fillNode(node, bytes, start, end, count)
  }

  /** Bytes of all elements, as one pack. */
  packBytes(): number {
    let sum = 0
    for (let node = this.firstNode(); node !== 0; node = this.nextNode(node)) {
      sum += this.endOf(node) - this.startOf(node)
    }
    return sum
  }

  /** Copies all elements as one pack to `at`; returns the place after it. */
  toPack(target: Uint8Array, at: number): number {
    for (let node = this.firstNode(); node !== 0; node = this.nextNode(node)) {
      const start = this.startOf(node)
      const length = this.endOf(node) - start
      copyBytes(target, at, this.bytesOf(node), start, length)
      at += length
    }
    return at
  }

  /** Frees nodes with about `budget` elements; true when all of it, the root included, is gone. */
  releaseStep(root: Pointer, budget: number): boolean {
    this.open(root)
    while (budget > 0) {
      const node = this.firstNode()
      if (node === 0) {
        this.arena.free(root)
        this.root = 0
        return true
      }
      budget -= 1 + (this.countOf(node) >>> 4)
      this.drop(node)
    }
    return false
  }
}

const noBytes = new Uint8Array(0)
const noWords = new Uint32Array(0)
