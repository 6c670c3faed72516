/**
 * The nodes of a large list (deque.ts), each a pack in a block of the arena:
 *
 * ```
 * root  first node · last node · elements · nodes
 * node  previous · next · start · end (of its pack, in bytes from the node's beginning) · elements · ordinal << 1 | mark · …
 * ```
 *
 * The mark and the ordinal serve checkpoints: whoever has set `changing` is told of a node before its elements change or
 * its block goes.
 */
import { type Arena, byteOf, type Pointer, slabOf, wordOf } from "./arena.ts"
import * as Pack from "./pack.ts"
import { copyBytes } from "./slice.ts"

const rootBytes = 16
export const nodeHeader = 24
/** Elements of a node when their number is the limit take no more than this, unless one alone does. */
const countedBytes = 8192
/** The node at an end of a list keeps a block of this size, and larger ones until three quarters are free: it is pushed to. */
const endBytes = 1024

/** Bytes of a node's block under a fill factor: -1 to -5 mean 4 to 64 KiB; a positive one limits the elements instead. */
export const blockLimit = (fill: number): number =>
  fill >= 0 ? countedBytes : 4096 << Math.min(4, Math.max(0, -fill - 1))

/** Whether `count` elements in `bytes` may be one node, or one small list. */
export const fitsNode = (count: number, bytes: number, fill: number): boolean =>
  bytes <= blockLimit(fill) - nodeHeader && (fill < 0 || count <= Math.max(1, fill))

/** Where the free bytes of a node's new block are. */
export const FreeAt = { left: 0, right: 1, both: 2 } as const

/** See the head of this file. Points at one list after another. */
export class DequeNodes {
  /** The list it is pointed at; 0 for none. */
  root: Pointer = 0
  /** The mark that new nodes get. */
  mark = 0
  /** Called with a node, marked or not, before its elements change or its block goes. */
  changing: ((node: Pointer) => void) | undefined = undefined

  protected readonly arena: Arena
  protected words: Uint32Array = noWords
  protected base = 0
  /** The node that was inserted by ordinal last, and its list: the next one mostly goes near it. */
  private hint: Pointer = 0
  private hintRoot: Pointer = 0

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
    // The walk of a checkpoint gives them in order, but those saved before it came to them stand anywhere between.
    let before = this.hintRoot === this.root && this.hint !== 0 ? this.hint : this.lastNode()
    while (before !== 0 && this.ordinalOf(before) > ordinal) before = this.previousNode(before)
    let next = before === 0 ? this.firstNode() : this.nextNode(before)
    while (next !== 0 && this.ordinalOf(next) <= ordinal) {
      before = next
      next = this.nextNode(next)
    }
    const node = this.newNode(nodeHeader + end - start, before, next)
    this.set(node, 5, ordinal << 1 | this.mark)
    this.fillNode(node, bytes, start, end, count)
    this.hint = node
    this.hintRoot = this.root
  }

  /** Bytes of all elements, as one pack. */
  packBytes(): number {
    let sum = 0
    for (let node = this.firstNode(); node !== 0; node = this.nextNode(node)) sum += this.usedBy(node)
    return sum
  }

  /** Copies all elements as one pack to `at`; returns the place after it. */
  toPack(target: Uint8Array, at: number): number {
    for (let node = this.firstNode(); node !== 0; node = this.nextNode(node)) {
      const length = this.usedBy(node)
      copyBytes(target, at, this.bytesOf(node), this.startOf(node), length)
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

  // ——— for the deque ———

  protected get(node: Pointer, word: number): number {
    return this.arena.words[slabOf(node)]![wordOf(node) + word]!
  }

  protected set(node: Pointer, word: number, value: number): void {
    this.arena.words[slabOf(node)]![wordOf(node) + word] = value
  }

  /** Bytes of a node's pack. */
  protected usedBy(node: Pointer): number {
    return this.get(node, 3) - this.get(node, 2)
  }

  /** Tells of saved nodes too: whoever walks over the nodes must leave one before its block goes. */
  protected touch(node: Pointer): void {
    if (this.changing !== undefined) this.changing(node)
  }

  protected addLength(count: number): void {
    this.words[this.base + 2] = this.words[this.base + 2]! + count
  }

  /** Whether one more element of `size` bytes may be in a node. */
  protected fits(node: Pointer, size: number, fill: number): boolean {
    return fitsNode(this.countOf(node) + 1, this.usedBy(node) + size, fill)
  }

  /** An empty node between two neighbours, 0 for none, with all its room on the right. */
  protected newNode(bytes: number, previous: Pointer, next: Pointer): Pointer {
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
  protected drop(node: Pointer): void {
    this.addLength(-this.countOf(node))
    this.link(this.get(node, 0), this.get(node, 1))
    this.words[this.base + 3] = this.nodes - 1
    this.freeNode(node)
  }

  private freeNode(node: Pointer): void {
    if (node === this.hint) this.hint = 0
    this.arena.free(node)
  }

  /** Puts a node's pack into another block of `bytes`, and its free bytes where it says (`FreeAt`). */
  protected replaceNode(node: Pointer, bytes: number, freeAt: number): Pointer {
    const { arena } = this
    const start = this.get(node, 2)
    const used = this.get(node, 3) - start
    const next = arena.allocate(bytes)
    const spare = arena.capacity(next) - nodeHeader - used
    const to = nodeHeader + (freeAt === FreeAt.right ? 0 : freeAt === FreeAt.left ? spare : spare >>> 1)
    copyBytes(arena.bytes[slabOf(next)]!, byteOf(next) + to, this.bytesOf(node), byteOf(node) + start, used)
    const words = arena.words[slabOf(next)]!
    words[wordOf(next) + 2] = to
    words[wordOf(next) + 3] = to + used
    words[wordOf(next) + 4] = this.countOf(node)
    words[wordOf(next) + 5] = this.get(node, 5)
    this.link(this.get(node, 0), next)
    this.link(next, this.get(node, 1))
    this.freeNode(node)
    return next
  }

  /** Moves the elements from the place `at` on into a node of their own, behind this one; returns what this one is now. */
  protected split(node: Pointer, at: number): Pointer {
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
    return this.shrink(node)
  }

  /** Gives a node that was told of a smaller block where much of its own is free; returns what it is now. */
  protected shrink(node: Pointer): Pointer {
    const capacity = this.arena.capacity(node)
    const need = nodeHeader + this.usedBy(node)
    if (this.previousNode(node) === 0 || this.nextNode(node) === 0) {
      if (capacity <= endBytes || 4 * need > capacity) return node
      return this.replaceNode(node, Math.max(endBytes, 2 * need), FreeAt.both)
    }
    return capacity - need <= capacity >>> 2 ? node : this.replaceNode(node, need, FreeAt.right)
  }

  /**
   * Joins a node with those behind it as long as they are half a node together at most; returns the node that holds its
   * elements.
   */
  protected joinNext(node: Pointer, fill: number): Pointer {
    for (let next = this.nextNode(node); next !== 0; next = this.nextNode(node)) {
      const used = this.usedBy(node)
      const more = this.usedBy(next)
      const count = this.countOf(node) + this.countOf(next)
      if (2 * (used + more) > blockLimit(fill) || !fitsNode(count, used + more, fill)) break
      this.touch(node)
      this.touch(next)
      if (this.arena.capacity(node) - this.get(node, 3) < more) {
        node = this.replaceNode(node, nodeHeader + used + more + (used >>> 2), FreeAt.right)
      }
      const end = this.get(node, 3)
      copyBytes(this.bytesOf(node), byteOf(node) + end, this.bytesOf(next), this.startOf(next), more)
      this.set(node, 3, end + more)
      this.set(node, 4, count)
      this.addLength(this.countOf(next))
      this.drop(next)
    }
    return node
  }

  /** Joins a node that has lost elements, and was told of, with small neighbours, or gives it a smaller block. */
  protected settle(node: Pointer, fill: number): void {
    node = this.joinNext(node, fill)
    const previous = this.previousNode(node)
    if (previous !== 0) {
      const joined = this.joinNext(previous, fill)
      if (this.nextNode(joined) !== node) {
        this.shrink(joined)
        return
      }
    }
    this.shrink(node)
  }
}

const noWords = new Uint32Array(0)
