/**
 * How the tree of `Ranked` grows and shrinks (its nodes: ranked-nodes.ts). A full leaf shares with a neighbour before it is
 * split, so that leaves are about four fifths full whatever the order of insertion; at the edges, where keys may come in
 * ascending or descending order, it is split unevenly. Room is made first and the way looked for anew: that is rare, and
 * an insertion proper never meets a full leaf.
 */
import { type Pointer, slabOf, wordOf } from "./arena.ts"
import {
  childRun,
  close,
  countRun,
  header,
  heightAt,
  innerCapacity,
  key,
  leafCapacity,
  maxHeight,
  pointerRun,
  RankedTree,
  rootAt,
  runsAt
} from "./ranked-nodes.ts"

/** The capacity of an order's first leaf: most sets are small. A larger one replaces it while the leaf is the only one. */
const firstCapacity = 8
const growthLimit = 32
/** A full leaf shares with a neighbour that has room for as many. */
const sharedRoom = 6
/** What a split at the edge leaves to the node at the edge when keys come in order: the other stays nearly full. */
const edgeShare = 5
/** A node with fewer elements merges with a neighbour, if the two are few enough together. */
const mergeBelow = [42, 16]
const mergeLimit = [72, 54]
/** A node with fewer takes some from a neighbour that it cannot merge with. */
const least = [21, 16]

/** More elements than any node has. */
const noChild = 255

/** A leaf that members are taken off at the end of the order gives them up one by one until so few are left. */
const leastAtEdge = 8

const levelKind = (level: number): number => level === 0 ? 0 : 1

/** See the head of this file. */
export class RankedChanges extends RankedTree {
  /** Nodes for the splits at hand, by level: all are there before anything changes. */
  private readonly reserved = new Uint32Array(maxHeight)

  // ——— growing ———

  /**
   * Adds the element that the key is of; it is absent.
   * @throws ArenaFull and has then changed nothing
   */
  protected insertKey(p: Pointer): void {
    if (this.root === 0) this.setState(rootAt, this.newNode(0, firstCapacity))
    for (;;) {
      this.descend()
      const leaf = this.pathNode[0]!
      const words = this.arena.words[slabOf(leaf)]!
      const base = wordOf(leaf)
      const n = words[base]!
      const index = n === 0 ? 0 : this.position(words, base, true, this.rightEdge ? n - 1 : n >>> 1)
      const capacity = words[base + 1]!
      if (n === capacity) {
        this.makeRoom(leaf, index, n)
        continue
      }
      const at = base + header + index
      const lows = at + capacity
      const pointers = lows + capacity
      for (let i = n - index; i > 0; i--) {
        words[at + i] = words[at + i - 1]!
        words[lows + i] = words[lows + i - 1]!
        words[pointers + i] = words[pointers + i - 1]!
      }
      words[at] = key[0]!
      words[lows] = key[1]!
      words[pointers] = p
      words[base] = n + 1
      this.addCounts(1)
      // Only a key below all others comes before the first one of its leaf.
      if (index === 0) this.correctLeast(1)
      return
    }
  }

  private makeRoom(leaf: Pointer, index: number, n: number): void {
    if (n < leafCapacity) return this.growLeaf(leaf, n)
    const last = this.rightEdge && index === n
    const first = this.leftEdge && index === 0
    if (!last && !first && this.height > 0 && this.share()) return
    // From above, so that each node's parent has room.
    for (let level = Math.min(this.reserve() - 1, this.height); level > 0; level--) {
      const children = this.elements(this.pathNode[level]!)
      this.split(level, this.partOf(last, first, children))
    }
    this.split(0, this.partOf(last, first, n))
  }

  /** How many of the elements of a full node stay in it. */
  private partOf(last: boolean, first: boolean, n: number): number {
    return last ? n - edgeShare : first ? edgeShare : n >>> 1
  }

  /** Replaces the only leaf by a larger one. */
  private growLeaf(leaf: Pointer, n: number): void {
    const next = this.newNode(0, n < growthLimit ? 2 * n : leafCapacity)
    this.moveElements(leaf, 0, next, 0, n, 0)
    this.freeNode(leaf)
    this.setState(rootAt, next)
  }

  /** Evens the path's leaf out with the emptier one of its neighbours; false when neither has much room. */
  private share(): boolean {
    const parent = this.pathNode[1]!
    const index = this.pathIndex[1]!
    const left = this.elementsOf(parent, index - 1, 0)
    const right = this.elementsOf(parent, index + 1, 0)
    if (Math.min(left, right) > leafCapacity - sharedRoom) return false
    this.even(parent, left < right ? index - 1 : index, 0)
    return true
  }

  /** Makes a node for each full one on the path, from the leaf upwards, and one for a new root if all are full; returns how many. */
  private reserve(): number {
    const { height } = this
    let needed = 1
    while (needed <= height && this.elements(this.pathNode[needed]!) === innerCapacity) needed++
    if (needed > height) needed++
    let made = 0
    try {
      for (; made < needed; made++) this.reserved[made] = this.newNode(made, made === 0 ? leafCapacity : innerCapacity)
    } catch (error) {
      while (made > 0) this.freeNode(this.reserved[--made]!)
      throw error
    }
    return needed
  }

  /** Splits the path's node at a level, whose parent has room; the path follows the half that it led through. */
  private split(level: number, keep: number): void {
    const left = this.pathNode[level]!
    const right = this.reserved[level]!
    const size = this.size
    const moved = this.moveElements(left, keep, right, 0, this.elements(left) - keep, level)
    const above = level + 1
    if (level === this.height) {
      const root = this.reserved[above]!
      this.setState(rootAt, root)
      this.setState(heightAt, above)
      this.pathNode[above] = root
      this.pathIndex[above] = 0
      this.putChild(root, 0, left, size)
    }
    const parent = this.pathNode[above]!
    const index = this.pathIndex[above]!
    this.addCount(parent, index, -moved)
    this.putChild(parent, index + 1, right, moved)
    if (level > 0 && this.pathIndex[level]! >= keep) {
      this.pathNode[level] = right
      this.pathIndex[level] = this.pathIndex[level]! - keep
      this.pathIndex[above] = index + 1
    }
  }

  // ——— shrinking ———

  /**
   * Takes `many` elements from an index on out of the path's leaf, which has them.
   * @param atEdge the leaf is the first or the last one, and what is at the end of the order is taken
   */
  protected cut(index: number, many: number, atEdge = false): void {
    const leaf = this.pathNode[0]!
    const words = this.arena.words[slabOf(leaf)]!
    const empty = words[wordOf(leaf)] === many
    close(words, wordOf(leaf), runsAt(0), index, many)
    this.addCounts(-many)
    let level = 0
    if (empty) {
      level = this.dropEmpty()
      if (level < 0) return
    } else if (index === 0) this.correctLeast(1)
    if (atEdge && words[wordOf(leaf)]! >= leastAtEdge) return
    while (level < this.height && this.relieve(level)) level++
    for (let root = this.root; this.height > 0 && this.elements(root) === 1; root = this.root) {
      const at = this.arena.words[slabOf(root)]!
      this.setState(rootAt, at[wordOf(root) + header + childRun * innerCapacity]!)
      this.setState(heightAt, this.height - 1)
      this.freeNode(root)
    }
  }

  /** Frees the path's leaf and the nodes that are empty then. Returns the level of the first that is not, -1 for none. */
  private dropEmpty(): number {
    const { height } = this
    for (let level = 0;; level++) {
      this.freeNode(this.pathNode[level]!)
      if (level === height) {
        this.setState(rootAt, 0)
        this.setState(heightAt, 0)
        return -1
      }
      const index = this.pathIndex[level + 1]!
      this.cutChild(this.pathNode[level + 1]!, index)
      if (this.elements(this.pathNode[level + 1]!) === 0) continue
      if (index === 0) this.correctLeast(level + 2)
      return level + 1
    }
  }

  private cutChild(node: Pointer, index: number): void {
    close(this.arena.words[slabOf(node)]!, wordOf(node), runsAt(1), index, 1)
  }

  /**
   * If the path's node at a level has become rather empty, merges it with a neighbour or evens the two out.
   * @returns whether the node above must be looked at
   */
  private relieve(level: number): boolean {
    const node = this.pathNode[level]!
    const kind = levelKind(level)
    const n = this.elements(node)
    if (n >= mergeBelow[kind]!) return false
    const parent = this.pathNode[level + 1]!
    const children = this.elements(parent)
    if (children === 1) return true
    const index = this.pathIndex[level + 1]!
    const before = this.elementsOf(parent, index - 1, level)
    const after = this.elementsOf(parent, index + 1, level)
    const leftIndex = before < after ? index - 1 : index
    if (n + Math.min(before, after) <= mergeLimit[kind]!) {
      const left = this.childOf(parent, leftIndex)
      const right = this.childOf(parent, leftIndex + 1)
      const moved = this.moveElements(right, 0, left, this.elements(left), this.elements(right), level)
      this.freeNode(right)
      this.addCount(parent, leftIndex, moved)
      this.cutChild(parent, leftIndex + 1)
      return true
    }
    if (n < least[kind]!) this.even(parent, leftIndex, level)
    return false
  }

  /** Gives two neighbouring children of a node, which are at `level`, the same number of elements. */
  private even(parent: Pointer, leftIndex: number, level: number): void {
    const left = this.childOf(parent, leftIndex)
    const right = this.childOf(parent, leftIndex + 1)
    const leftCount = this.elements(left)
    const half = (leftCount + this.elements(right)) >>> 1
    const moved = leftCount < half
      ? this.moveElements(right, 0, left, leftCount, half - leftCount, level)
      : -this.moveElements(left, half, right, 0, leftCount - half, level)
    this.addCount(parent, leftIndex, moved)
    this.addCount(parent, leftIndex + 1, -moved)
    this.copyLeast(parent, leftIndex + 1)
  }

  /** The elements of a child at `level`, `noChild` beyond the ends. Those of a leaf stand in its parent. */
  private elementsOf(node: Pointer, index: number, level: number): number {
    const words = this.arena.words[slabOf(node)]!
    const base = wordOf(node)
    if (index < 0 || index >= words[base]!) return noChild
    return level === 0
      ? words[base + header + countRun * innerCapacity + index]!
      : this.elements(this.childOf(node, index))
  }

  private childOf(node: Pointer, index: number): Pointer {
    const words = this.arena.words[slabOf(node)]!
    return words[wordOf(node) + header + childRun * innerCapacity + index]!
  }

  private addCount(node: Pointer, index: number, many: number): void {
    const words = this.arena.words[slabOf(node)]!
    const at = wordOf(node) + header + countRun * innerCapacity + index
    words[at] = words[at]! + many
  }

  /** Frees the last leaf and the nodes above it that are empty then; returns how many elements it had. */
  protected freeLastLeaf(): number {
    const { height } = this
    let node = this.root
    for (let level = height; level > 0; level--) {
      this.pathNode[level] = node
      node = this.childOf(node, this.elements(node) - 1)
    }
    const count = this.elements(node)
    this.freeNode(node)
    for (let level = 1; level <= height; level++) {
      const parent = this.pathNode[level]!
      const words = this.arena.words[slabOf(parent)]!
      const left = words[wordOf(parent)]! - 1
      words[wordOf(parent)] = left
      if (left > 0) return count
      this.freeNode(parent)
    }
    this.setState(rootAt, 0)
    return count
  }

  // ——— changing in place ———

  /**
   * Gives the path's element, at an index of its leaf, the score of the key if it keeps its place with it.
   * @returns false when it does not, or that cannot be seen from the leaf; nothing has changed then
   */
  protected rescoreInPlace(index: number): boolean {
    const leaf = this.pathNode[0]!
    const words = this.arena.words[slabOf(leaf)]!
    const base = wordOf(leaf)
    const n = words[base]!
    const capacity = words[base + 1]!
    const at = base + header + index
    const same = words[at] === key[0]! && words[at + capacity] === key[1]!
    if (same) return true
    const rising = words[at]! < key[0]! || (words[at] === key[0]! && words[at + capacity]! < key[1]!)
    // On the side from which the score moves away, nothing changes.
    if (rising) {
      if (index + 1 < n) {
        if (this.isBelow(words, at + 1, capacity, false)) return false
      } else if (!this.staysLast()) return false
    } else if (index > 0) {
      if (!this.isBelow(words, at - 1, capacity, false)) return false
    } else if (!this.leftEdge) return false
    words[at] = key[0]!
    words[at + capacity] = key[1]!
    if (index === 0) this.correctLeast(1)
    return true
  }

  /** Whether the key is below all that comes after the path's leaf, as far as its parent shows. */
  private staysLast(): boolean {
    if (this.rightEdge) return true
    const parent = this.pathNode[1]!
    const words = this.arena.words[slabOf(parent)]!
    const base = wordOf(parent)
    const next = this.pathIndex[1]! + 1
    return next < words[base]! && !this.isBelow(words, base + header + next, words[base + 1]!, false)
  }

  /** Puts another block of the same key in the place of the path's element. */
  protected replaceInPlace(index: number, next: Pointer): void {
    const leaf = this.pathNode[0]!
    const words = this.arena.words[slabOf(leaf)]!
    words[wordOf(leaf) + header + pointerRun * words[wordOf(leaf) + 1]! + index] = next
    if (index === 0) this.correctLeast(1)
  }
}
