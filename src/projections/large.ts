/**
 * The structures that hold the large collections of one database, all in its arena. What an entry's word 4 names:
 *
 * ```
 * list         root of a deque
 * set          root of a table of members      (member block: word 0 length << 2 | flags, then the bytes)
 * hash         root of a table of fields       (field blocks: see hash-fields.ts), whose owner word 1 is the root of the
 *              order of their deadlines
 * stream       root of a stream                (memory/streams.ts)
 * sorted set   root of a table of members      (member block: word 0 as above, words 1–2 the score, then the bytes)
 *              whose owner word 0 is the root of their order
 * ```
 *
 * Bit 0 of the flags, and the flag of a deque's node, is the checkpoint mark of the element (see checkpoint.ts). Nobody
 * but its owner names a root or an element, and none of them ever moves.
 */
import * as Entry from "./entry.ts"
import type { Arena, Pointer } from "./memory/arena.ts"
import { slabOf, wordOf } from "./memory/arena.ts"
import { Deque } from "./memory/deque.ts"
import type { HashSeed } from "./memory/hash.ts"
import { Ranked } from "./memory/ranked.ts"
import { StoredOrder } from "./memory/stored-order.ts"
import { Streams } from "./memory/streams.ts"
import { Table } from "./memory/table.ts"

/** Where the key of an element begins in its block, by what the element is. */
export const memberBytesAt = 4
export const fieldBytesAt = 8
export const scoredBytesAt = 12

/** Owner words of a table's root: the order of a sorted set; that of the deadlines of a hash's fields, 0 for none. */
export const orderWord = 0
export const fieldDeadlinesWord = 1

/** A collection that was let go and is freed piece by piece. */
interface Garbage {
  readonly type: number
  readonly root: Pointer
}

/** The type of garbage that is a group of a stream. */
const groupGarbage = -1

/** A collection of no more elements than this is freed at once. */
const freedAtOnce = 64

/** The length of an element's key, from its block. */
export const elementLength = (arena: Arena, p: Pointer): number => arena.words[slabOf(p)]![wordOf(p)]! >>> 2

/** The checkpoint mark of an element. */
export const elementMark = (arena: Arena, p: Pointer): number => arena.words[slabOf(p)]![wordOf(p)]! & 1

export const setElementMark = (arena: Arena, p: Pointer, mark: number): void => {
  const words = arena.words[slabOf(p)]!
  const at = wordOf(p)
  words[at] = (words[at]! & ~1) | mark
}

/** See the head of this file. One per arena; the tables and the like in it are pointed at one collection after another. */
export class Structures {
  readonly arena: Arena
  readonly members: Table
  readonly fields: Table
  readonly scored: Table
  readonly order: Ranked
  readonly deque: Deque
  /** Deadlines of the fields of large hashes. */
  readonly deadlines: StoredOrder
  readonly streams: Streams
  private readonly garbage: Array<Garbage> = []
  private readonly freeElement: (p: Pointer) => void

  constructor(arena: Arena, seed: HashSeed, mark: number) {
    this.arena = arena
    this.members = new Table(arena, seed, memberBytesAt)
    this.fields = new Table(arena, seed, fieldBytesAt)
    this.scored = new Table(arena, seed, scoredBytesAt)
    this.order = new Ranked(arena, scoredBytesAt)
    this.deque = new Deque(arena)
    this.deadlines = new StoredOrder(arena)
    this.streams = new Streams(arena, seed, mark)
    this.deque.mark = mark
    this.freeElement = (p) => arena.free(p)
  }

  /** What tables of sets, hashes or sorted sets are seen through. */
  tableFor(type: number): Table {
    return type === Entry.Type.set ? this.members : type === Entry.Type.hash ? this.fields : this.scored
  }

  /** The table of a set, a hash or a sorted set. */
  tableOf(type: number, root: Pointer): Table {
    return this.tableFor(type).open(root)
  }

  /** The number of elements of a large collection; of a stream, about how much there is to free, if that is little. */
  sizeOf(type: number, root: Pointer): number {
    if (type === Entry.Type.stream) return this.streams.size(root, freedAtOnce)
    return type === Entry.Type.list ? this.deque.open(root).length : this.tableOf(type, root).size
  }

  /** Gives a collection's memory back, of a large one piece by piece: `sweep` does it. */
  release(type: number, root: Pointer): void {
    if (this.sizeOf(type, root) > freedAtOnce) this.garbage.push({ type, root })
    else while (this.releaseSome(type, root, freedAtOnce) >= 0);
  }

  /** Gives the memory of a stream's group back that was taken out of it, of a large one piece by piece. */
  releaseGroup(group: Pointer): void {
    if (this.streams.groups.partCount(group) > freedAtOnce) this.garbage.push({ type: groupGarbage, root: group })
    else while (this.releaseSome(groupGarbage, group, freedAtOnce) >= 0);
  }

  /** Whether something that was let go is not freed yet. */
  get hasGarbage(): boolean {
    return this.garbage.length > 0
  }

  /** Frees up to about `budget` elements of what was let go; false when nothing is left to free. */
  sweep(budget: number): boolean {
    while (budget > 0) {
      const last = this.garbage.at(-1)
      if (last === undefined) return false
      const left = this.releaseSome(last.type, last.root, budget)
      if (left < 0) this.garbage.pop()
      budget = left < 0 ? budget - freedAtOnce : left
    }
    return this.garbage.length > 0
  }

  /** Frees up to about `budget` elements of one collection; negative when all of it is gone. */
  private releaseSome(type: number, root: Pointer, budget: number): number {
    if (type === Entry.Type.list) return this.deque.releaseStep(root, budget) ? -1 : 0
    if (type === Entry.Type.stream) return this.streams.releaseStep(root, budget) ? -1 : 0
    if (type === groupGarbage) return this.streams.groups.releaseGroupStep(root, budget) ? -1 : 0
    const table = this.tableOf(type, root)
    if (type !== Entry.Type.set) {
      const word = type === Entry.Type.zset ? orderWord : fieldDeadlinesWord
      const order = table.ownerWord(root, word)
      if (order !== 0) {
        if ((type === Entry.Type.zset ? this.order : this.deadlines).releaseStep(order, budget)) {
          table.setOwnerWord(root, word, 0)
        }
        return 0
      }
    }
    return table.releaseStep(root, budget, this.freeElement) ? -1 : 0
  }
}
