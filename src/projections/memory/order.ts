import { type Arena, type Pointer, wordOf } from "./arena.ts"

/**
 * A B+tree in the arena over keys of three u32 words, compared word by word: a multiset without values.
 *
 * ```
 * leaf    776 bytes:   keys (u32), unused (u32), then up to 64 times a, b, c
 * inner   1268 bytes:  children (u32), unused (u32), then up to 63 times a, b, c, child, keys below the child
 * ```
 *
 * The key next to a child is the least key below it, always exactly: so the search for a key ends in a leaf that has it
 * if any has, equal keys included, and the least key of all is read from the root. All leaves are equally deep.
 */
export const header = 2
const leafStride = 3
export const innerStride = 5
export const childWord = 3
const countWord = 4
const leafCapacity = 64
const innerCapacity = 63
const leastElements = 16 // with fewer a node takes some from its neighbour or merges with it
/** Neighbours merge when together they have no more, so that the next insertion does not split them again. */
const mergeLimit = 56
/** What a full node on the right edge hands over when the new key is the greatest: ascending keys fill nodes to nine tenths. */
const ascendingShare = 6
/** Inner nodes have 16 children at least, but on the right edge: 2^32 nodes are far less deep. */
export const maxHeight = 16

const strideAt = (level: number): number => level === 0 ? leafStride : innerStride
const capacityAt = (level: number): number => level === 0 ? leafCapacity : innerCapacity

/** How many of `n` elements are less than the key, or, with `orEqual`, not greater. */
const position = (
  words: Uint32Array,
  first: number,
  stride: number,
  n: number,
  a: number,
  b: number,
  c: number,
  orEqual: boolean
): number => {
  let low = 0
  let high = n
  while (low < high) {
    const middle = (low + high) >>> 1
    const at = first + middle * stride
    let below: boolean
    if (words[at] !== a) below = words[at]! < a
    else if (words[at + 1] !== b) below = words[at + 1]! < b
    else if (words[at + 2] !== c) below = words[at + 2]! < c
    else below = orEqual
    if (below) low = middle + 1
    else high = middle
  }
  return low
}

/** Copies words inside one array; a short loop beats the call of `copyWithin`. */
const moveWords = (words: Uint32Array, to: number, from: number, length: number): void => {
  if (length > 48) words.copyWithin(to, from, from + length)
  else if (to < from) { for (let i = 0; i < length; i++) words[to + i] = words[from + i]! }
  else for (let i = length - 1; i >= 0; i--) words[to + i] = words[from + i]!
}

/** An ordered multiset of 96-bit keys: deadlines (high and low word) with key hashes, for one. Words are u32. */
export class Order {
  /** The number of keys, equal ones counted separately. */
  size = 0
  /** The bytes of all nodes. */
  tableBytes = 0
  /** The key that `first` found. */
  a = 0
  b = 0
  c = 0

  protected readonly arena: Arena
  protected root: Pointer = 0
  /** The root's level; leaves are at level 0. */
  protected height = 0
  /** The way of the last descent: the node of each level and the index of the child taken. */
  private readonly pathNode = new Uint32Array(maxHeight)
  private readonly pathIndex = new Uint8Array(maxHeight)
  private rightEdge = false
  /** Nodes for the splits of the insertion at hand, by level: all are there before anything changes. */
  private readonly reserved = new Uint32Array(maxHeight)

  constructor(arena: Arena) {
    this.arena = arena
  }

  /** Puts the least key into `a`, `b`, `c`; false when there is none. */
  first(): boolean {
    if (this.root === 0) return false
    const words = this.arena.words[this.root >>> 19]!
    const at = wordOf(this.root) + header
    this.a = words[at]!
    this.b = words[at + 1]!
    this.c = words[at + 2]!
    return true
  }

  /**
   * Adds a key, which may be there already.
   * @throws ArenaFull and has then changed nothing
   */
  insert(a: number, b: number, c: number): void {
    a >>>= 0
    b >>>= 0
    c >>>= 0
    if (this.root === 0) {
      this.root = this.newNode(0)
      this.put(this.root, 0, 0, a, b, c, 0, 0)
      this.size = 1
      return
    }
    const leaf = this.descend(a, b, c)
    if (this.elements(leaf) === leafCapacity) this.reserve()
    this.size++
    for (let level = this.height; level > 0; level--) {
      const node = this.pathNode[level]!
      const words = this.arena.words[node >>> 19]!
      const at = wordOf(node) + header + this.pathIndex[level]! * innerStride
      words[at + countWord] = words[at + countWord]! + 1
      // Only a key below all others comes to a child whose least key is greater.
      if (position(words, at, innerStride, 1, a, b, c, true) === 0) {
        words[at] = a
        words[at + 1] = b
        words[at + 2] = c
      }
    }
    const words = this.arena.words[leaf >>> 19]!
    const n = words[wordOf(leaf)]!
    const index = position(words, wordOf(leaf) + header, leafStride, n, a, b, c, true)
    if (n < leafCapacity) {
      this.put(leaf, 0, index, a, b, c, 0, 0)
      return
    }
    const keep = this.rightEdge && index === n ? n - ascendingShare : n >>> 1
    const right = this.reserved[0]!
    this.moveElements(leaf, keep, right, 0, n - keep, 0)
    if (index <= keep) this.put(leaf, 0, index, a, b, c, 0, 0)
    else this.put(right, 0, index - keep, a, b, c, 0, 0)
    this.addChild(1, right, this.elements(right))
  }

  /** Takes out one key equal to this one; false when there is none. */
  remove(a: number, b: number, c: number): boolean {
    a >>>= 0
    b >>>= 0
    c >>>= 0
    if (this.root === 0) return false
    const leaf = this.descend(a, b, c)
    const words = this.arena.words[leaf >>> 19]!
    const first = wordOf(leaf) + header
    const n = words[wordOf(leaf)]!
    const index = position(words, first, leafStride, n, a, b, c, true) - 1
    if (index < 0) return false
    const at = first + index * leafStride
    if (words[at] !== a || words[at + 1] !== b || words[at + 2] !== c) return false
    this.cut(leaf, 0, index)
    this.size--
    for (let level = 1; level <= this.height; level++) {
      const node = this.pathNode[level]!
      const count = wordOf(node) + header + this.pathIndex[level]! * innerStride + countWord
      const inner = this.arena.words[node >>> 19]!
      inner[count] = inner[count]! - 1
    }
    if (index === 0 && n > 1) this.correctLeast(1, words[first]!, words[first + 1]!, words[first + 2]!)
    for (let level = 0; level < this.height; level++) {
      if (this.elements(this.pathNode[level]!) >= leastElements) break
      this.relieve(level)
    }
    while (this.height > 0 && this.elements(this.root) === 1) {
      const old = this.root
      this.root = this.arena.words[old >>> 19]![wordOf(old) + header + childWord]!
      this.height--
      this.freeNode(old)
    }
    if (this.size === 0) this.clear()
    return true
  }

  /** How many keys are less than this one, or with `orEqual` not greater. */
  countBelow(a: number, b: number, c: number, orEqual = false): number {
    a >>>= 0
    b >>>= 0
    c >>>= 0
    let below = 0
    let node = this.root
    if (node === 0) return 0
    for (let level = this.height; level > 0; level--) {
      const words = this.arena.words[node >>> 19]!
      const first = wordOf(node) + header
      const taken = Math.max(0, position(words, first, innerStride, words[wordOf(node)]!, a, b, c, orEqual) - 1)
      for (let i = 0; i < taken; i++) below += words[first + i * innerStride + countWord]!
      node = words[first + taken * innerStride + childWord]!
    }
    const words = this.arena.words[node >>> 19]!
    return below + position(words, wordOf(node) + header, leafStride, words[wordOf(node)]!, a, b, c, orEqual)
  }

  /** Puts the key of that rank (0 to `size` - 1, in order) into `a`, `b`, `c`; false when there are not so many. */
  at(rank: number): boolean {
    if (!(rank >= 0 && rank < this.size)) return false
    let node = this.root
    let left = rank
    for (let level = this.height; level > 0; level--) {
      const words = this.arena.words[node >>> 19]!
      let at = wordOf(node) + header
      for (; left >= words[at + countWord]!; at += innerStride) left -= words[at + countWord]!
      node = words[at + childWord]!
    }
    const words = this.arena.words[node >>> 19]!
    const at = wordOf(node) + header + left * leafStride
    this.a = words[at]!
    this.b = words[at + 1]!
    this.c = words[at + 2]!
    return true
  }

  /** Visits all keys in order. The visitor must not change the tree. */
  each(visit: (a: number, b: number, c: number) => void): void {
    if (this.root !== 0) this.eachBelow(this.root, this.height, visit)
  }

  /** Takes out all keys and frees all nodes. */
  clear(): void {
    if (this.root !== 0) this.freeBelow(this.root, this.height)
    this.root = this.height = this.size = 0
  }

  protected elements(node: Pointer): number {
    return this.arena.words[node >>> 19]![wordOf(node)]!
  }

  private newNode(level: number): Pointer {
    const node = this.arena.allocate((header + capacityAt(level) * strideAt(level)) * 4)
    this.arena.words[node >>> 19]![wordOf(node)] = 0
    this.tableBytes += this.arena.capacity(node)
    return node
  }

  protected freeNode(node: Pointer): void {
    this.tableBytes -= this.arena.capacity(node)
    this.arena.free(node)
  }

  /** Makes a node for each full one on the path, from the leaf upwards, and one for a new root if all are full. */
  private reserve(): void {
    let needed = 0
    while (needed <= this.height && this.elements(this.pathNode[needed]!) === capacityAt(needed)) needed++
    if (needed > this.height) needed++
    let made = 0
    try {
      for (; made < needed; made++) this.reserved[made] = this.newNode(made)
    } catch (error) {
      while (made > 0) this.freeNode(this.reserved[--made]!)
      throw error
    }
  }

  /** Goes to the last leaf whose least key is not greater (or the first leaf), noting the path. */
  private descend(a: number, b: number, c: number): Pointer {
    let node = this.root
    let rightEdge = true
    for (let level = this.height; level > 0; level--) {
      const words = this.arena.words[node >>> 19]!
      const first = wordOf(node) + header
      const n = words[wordOf(node)]!
      const index = Math.max(0, position(words, first, innerStride, n, a, b, c, true) - 1)
      this.pathNode[level] = node
      this.pathIndex[level] = index
      if (index < n - 1) rightEdge = false
      node = words[first + index * innerStride + childWord]!
    }
    this.pathNode[0] = node
    this.rightEdge = rightEdge
    return node
  }

  /** Inserts an element into a node that has room. */
  private put(
    node: Pointer,
    level: number,
    index: number,
    a: number,
    b: number,
    c: number,
    child: Pointer,
    count: number
  ): void {
    const stride = strideAt(level)
    const words = this.arena.words[node >>> 19]!
    const base = wordOf(node)
    const n = words[base]!
    const at = base + header + index * stride
    moveWords(words, at + stride, at, (n - index) * stride)
    words[at] = a
    words[at + 1] = b
    words[at + 2] = c
    if (level > 0) {
      words[at + childWord] = child
      words[at + countWord] = count
    }
    words[base] = n + 1
  }

  private cut(node: Pointer, level: number, index: number): void {
    const stride = strideAt(level)
    const words = this.arena.words[node >>> 19]!
    const base = wordOf(node)
    const n = words[base]! - 1
    const at = base + header + index * stride
    moveWords(words, at, at + stride, (n - index) * stride)
    words[base] = n
  }

  /** Moves elements from one node into a gap it makes in another. Returns the number of keys in or below them. */
  private moveElements(from: Pointer, start: number, to: Pointer, index: number, many: number, level: number): number {
    const stride = strideAt(level)
    const source = this.arena.words[from >>> 19]!
    const target = this.arena.words[to >>> 19]!
    const out = wordOf(from) + header + start * stride
    const into = wordOf(to) + header + index * stride
    const sourceCount = source[wordOf(from)]!
    const targetCount = target[wordOf(to)]!
    const length = many * stride
    moveWords(target, into + length, into, (targetCount - index) * stride)
    for (let i = 0; i < length; i++) target[into + i] = source[out + i]!
    let keys = many
    if (level > 0) {
      keys = 0
      for (let i = countWord; i < length; i += innerStride) keys += target[into + i]!
    }
    moveWords(source, out, out + length, (sourceCount - start - many) * stride)
    source[wordOf(from)] = sourceCount - many
    target[wordOf(to)] = targetCount + many
    return keys
  }

  /** Enters `right`, split off the path's node below this level, after that node; splits upwards as far as needed. */
  private addChild(level: number, right: Pointer, keys: number): void {
    for (;; level++) {
      const key = this.arena.words[right >>> 19]!
      const k = wordOf(right) + header
      if (level > this.height) {
        const left = this.root
        const words = this.arena.words[left >>> 19]!
        const at = wordOf(left) + header
        this.root = this.reserved[level]!
        this.height = level
        this.put(this.root, level, 0, words[at]!, words[at + 1]!, words[at + 2]!, left, this.size - keys)
        this.put(this.root, level, 1, key[k]!, key[k + 1]!, key[k + 2]!, right, keys)
        return
      }
      const node = this.pathNode[level]!
      const index = this.pathIndex[level]! + 1
      const words = this.arena.words[node >>> 19]!
      const count = wordOf(node) + header + (index - 1) * innerStride + countWord
      words[count] = words[count]! - keys
      const n = words[wordOf(node)]!
      if (n < innerCapacity) {
        this.put(node, level, index, key[k]!, key[k + 1]!, key[k + 2]!, right, keys)
        return
      }
      const keep = this.rightEdge && index === n ? n - ascendingShare : n >>> 1
      const other = this.reserved[level]!
      let moved = this.moveElements(node, keep, other, 0, n - keep, level)
      if (index <= keep) this.put(node, level, index, key[k]!, key[k + 1]!, key[k + 2]!, right, keys)
      else {
        this.put(other, level, index - keep, key[k]!, key[k + 1]!, key[k + 2]!, right, keys)
        moved += keys
      }
      right = other
      keys = moved
    }
  }

  /** The least key below the path's child at this level has changed: enters it as far up as it is the least. */
  private correctLeast(level: number, a: number, b: number, c: number): void {
    for (; level <= this.height; level++) {
      const node = this.pathNode[level]!
      const words = this.arena.words[node >>> 19]!
      const at = wordOf(node) + header + this.pathIndex[level]! * innerStride
      words[at] = a
      words[at + 1] = b
      words[at + 2] = c
      if (this.pathIndex[level] !== 0) return
    }
  }

  /** Merges the path's node at this level with a neighbour, or evens the two out. */
  private relieve(level: number): void {
    const parent = this.pathNode[level + 1]!
    const words = this.arena.words[parent >>> 19]!
    const leftIndex = Math.max(0, this.pathIndex[level + 1]! - 1)
    const at = wordOf(parent) + header + leftIndex * innerStride
    const next = at + innerStride
    const left = words[at + childWord]!
    const right = words[next + childWord]!
    const leftCount = this.elements(left)
    const rightCount = this.elements(right)
    let moved: number
    if (leftCount + rightCount <= mergeLimit) {
      moved = this.moveElements(right, 0, left, leftCount, rightCount, level)
      this.freeNode(right)
      words[at + countWord] = words[at + countWord]! + moved
      this.cut(parent, level + 1, leftIndex + 1)
      return
    }
    const half = (leftCount + rightCount) >>> 1
    if (leftCount < half) moved = this.moveElements(right, 0, left, leftCount, half - leftCount, level)
    else moved = -this.moveElements(left, half, right, 0, leftCount - half, level)
    words[at + countWord] = words[at + countWord]! + moved
    words[next + countWord] = words[next + countWord]! - moved
    const key = this.arena.words[right >>> 19]!
    const k = wordOf(right) + header
    words[next] = key[k]!
    words[next + 1] = key[k + 1]!
    words[next + 2] = key[k + 2]!
  }

  private eachBelow(node: Pointer, level: number, visit: (a: number, b: number, c: number) => void): void {
    const words = this.arena.words[node >>> 19]!
    const stride = strideAt(level)
    let at = wordOf(node) + header
    for (let n = words[wordOf(node)]!; n > 0; n--, at += stride) {
      if (level > 0) this.eachBelow(words[at + childWord]!, level - 1, visit)
      else visit(words[at]!, words[at + 1]!, words[at + 2]!)
    }
  }

  private freeBelow(node: Pointer, level: number): void {
    if (level > 0) {
      const words = this.arena.words[node >>> 19]!
      let at = wordOf(node) + header + childWord
      for (let n = words[wordOf(node)]!; n > 0; n--, at += innerStride) this.freeBelow(words[at]!, level - 1)
    }
    this.freeNode(node)
  }
}
