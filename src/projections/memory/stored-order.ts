/**
 * An order (order.ts) whose whole state lies in the arena, because there may be a million of them. One object is pointed
 * at one order after another.
 *
 * ```
 * root  root node · height · elements · bytes of all nodes
 * ```
 */
import { type Pointer, slabOf, wordOf } from "./arena.ts"
import { childWord, header, innerStride, maxHeight, Order } from "./order.ts"

const rootBytes = 16

/** See the head of this file. */
export class StoredOrder extends Order {
  /** The order it is pointed at; 0 for none. */
  handle: Pointer = 0
  private readonly way = new Uint32Array(maxHeight)

  /** Makes an empty order and points at it. */
  create(): Pointer {
    const handle = this.arena.allocate(rootBytes)
    this.arena.words[slabOf(handle)]!.fill(0, wordOf(handle), wordOf(handle) + rootBytes / 4)
    this.handle = 0
    this.open(handle)
    return handle
  }

  /** Points at the order whose root this is. */
  open(handle: Pointer): this {
    if (handle === this.handle) return this
    const words = this.arena.words[slabOf(handle)]!
    const at = wordOf(handle)
    this.handle = handle
    this.root = words[at]!
    this.height = words[at + 1]!
    this.size = words[at + 2]!
    this.tableBytes = words[at + 3]!
    return this
  }

  private save(): void {
    const words = this.arena.words[slabOf(this.handle)]!
    const at = wordOf(this.handle)
    words[at] = this.root
    words[at + 1] = this.height
    words[at + 2] = this.size
    words[at + 3] = this.tableBytes
  }

  override insert(a: number, b: number, c: number): void {
    super.insert(a, b, c)
    this.save()
  }

  override remove(a: number, b: number, c: number): boolean {
    const removed = super.remove(a, b, c)
    this.save()
    return removed
  }

  /**
   * Frees nodes that held about `budget` members, or more by what is left of one. Once begun, the order is of no other
   * use. True when all of it, the root included, is gone. Members' blocks are the owner's.
   */
  releaseStep(handle: Pointer, budget: number): boolean {
    this.open(handle)
    while (this.root !== 0 && budget > 0) budget -= this.freeLastLeaf()
    this.size = 0
    this.save()
    if (this.root !== 0) return false
    this.arena.free(handle)
    this.handle = 0
    return true
  }

  /** Frees the last leaf and the nodes above it that are empty then; returns how many elements it had. */
  private freeLastLeaf(): number {
    let node = this.root
    for (let level = this.height; level > 0; level--) {
      this.way[level] = node
      const at = wordOf(node) + header + (this.elements(node) - 1) * innerStride
      node = this.arena.words[slabOf(node)]![at + childWord]!
    }
    const count = this.elements(node)
    this.freeNode(node)
    for (let level = 1; level <= this.height; level++) {
      const parent = this.way[level]!
      const words = this.arena.words[slabOf(parent)]!
      const left = words[wordOf(parent)]! - 1
      words[wordOf(parent)] = left
      if (left > 0) return count
      this.freeNode(parent)
    }
    this.root = 0
    return count
  }
}
