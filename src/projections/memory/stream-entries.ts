/**
 * The entries of a stream: nodes (stream-node.ts) in a chain and in an order by their ids. All state lies in the arena:
 *
 * ```
 * root  0 order of nodes · 1 first node · 2 last node · 3 entries · 4–7 last id · 8–11 greatest removed id ·
 *       12–13 entries ever added (high, low) · 14 table of groups · 15 producers · 16 bytes of all nodes, in units of 8
 * ```
 *
 * Ids ascend, those of entries marked as removed among them, and none is beyond the last id. Roots and nodes never move, but a node that grows gets another block.
 */
import { type Arena, byteOf, type Pointer, slabOf, wordOf } from "./arena.ts"
import { RankedIds } from "./ranked-ids.ts"
import type { Slice } from "./slice.ts"
import { EntryCursor, inspected, inspectPack } from "./stream-cursor.ts"
import { compareIds, StreamId } from "./stream-id.ts"
import * as Node from "./stream-node.ts"
import { Places } from "./stream-places.ts"

const rootBytes = 72
/** Words of a root. */
export const Root = {
  order: 0,
  first: 1,
  last: 2,
  length: 3,
  lastId: 4,
  maxDeleted: 8,
  added: 12,
  groups: 14,
  producers: 15,
  nodeUnits: 16
} as const

const { Word } = Node
/** The first node of a stream begins with a block of this size, or what its first entry needs; it doubles up to `mostRoom`. */
const firstRoom = 256
const mostRoom = 4096

/** See the head of this file. One per arena; methods take the root of a stream. */
export class StreamEntries {
  /** The mark that new nodes get. */
  mark = 0
  /** Called with a node before its entries change or it goes, if there is anybody to be told. */
  changing: ((root: Pointer, node: Pointer) => void) | undefined = undefined
  readonly arena: Arena
  readonly order: RankedIds
  readonly cursor = new EntryCursor()
  private readonly scratch = new StreamId()
  private readonly places = new Places()

  constructor(arena: Arena) {
    this.arena = arena
    this.order = new RankedIds(arena, Word.score, Word.id)
  }

  /** Makes an empty stream. */
  create(): Pointer {
    const root = this.arena.allocate(rootBytes)
    this.arena.words[slabOf(root)]!.fill(0, wordOf(root), wordOf(root) + rootBytes / 4)
    return root
  }

  get(p: Pointer, word: number): number {
    return this.arena.words[slabOf(p)]![wordOf(p) + word]!
  }

  set(p: Pointer, word: number, value: number): void {
    this.arena.words[slabOf(p)]![wordOf(p) + word] = value
  }

  /** An id in four words of a block. */
  idAt(p: Pointer, word: number, into: StreamId): StreamId {
    return Node.idAt(this.arena, p, word, into)
  }

  setIdAt(p: Pointer, word: number, id: StreamId): void {
    Node.setIdAt(this.arena, p, word, id)
  }

  length(root: Pointer): number {
    return this.get(root, Root.length)
  }

  /** The id of a node, which its first entry had. */
  nodeId(node: Pointer, into: StreamId): StreamId {
    return this.idAt(node, Word.id, into)
  }

  nodeAfter(node: Pointer): Pointer {
    return this.get(node, Word.after)
  }

  nodeBefore(node: Pointer): Pointer {
    return this.get(node, Word.before)
  }

  /** The last node whose id is not greater than this one, 0 when there is none. */
  nodeFor(root: Pointer, id: StreamId): Pointer {
    // Most readers are at the end of a stream, or at its beginning: no search is needed there.
    const last = this.get(root, Root.last)
    if (last === 0 || !Node.isAfter(this.arena, last, id)) return last
    if (Node.isAfter(this.arena, this.get(root, Root.first), id)) return 0
    const order = this.get(root, Root.order)
    return order === 0 ? 0 : this.order.open(order).floor(id)
  }

  /** The first node whose id is greater than this one, 0 when there is none. */
  nodeBeyond(root: Pointer, id: StreamId): Pointer {
    const node = this.nodeFor(root, id)
    return node === 0 ? this.get(root, Root.first) : this.nodeAfter(node)
  }

  /** Puts a cursor before the first entry of a node whose id is not less than this one. */
  enterAt(cursor: EntryCursor, node: Pointer, id: StreamId): void {
    cursor.enter(this.arena, node)
    const place = this.places.before(node, id)
    if (place > 0) cursor.goTo(byteOf(node) + place)
    if (cursor.skipTo(id)) this.places.note(node, cursor.id, cursor.at - byteOf(node))
  }

  /** Whether the cursor could be put on the entry with this id. */
  private seek(root: Pointer, id: StreamId): boolean {
    const node = this.nodeFor(root, id)
    if (node === 0) return false
    const { cursor } = this
    this.enterAt(cursor, node, id)
    return cursor.next() && compareIds(cursor.id, id) === 0 && !cursor.isDead
  }

  has(root: Pointer, id: StreamId): boolean {
    return this.seek(root, id)
  }

  /** Puts the id of the first entry, or the last one, into `into`; false when there is none. */
  edge(root: Pointer, last: boolean, into: StreamId): boolean {
    const node = this.get(root, last ? Root.last : Root.first)
    if (node === 0) return false
    const cursor = this.cursor.enter(this.arena, node)
    while (last ? cursor.previous() : cursor.next()) {
      if (cursor.isDead) continue
      into.from(cursor.id)
      return true
    }
    return false
  }

  /**
   * Sets the greatest id ever added. Removed entries beyond it are forgotten: what is added next would come before them.
   * Where an entry is beyond it, its id counts.
   */
  setLastId(root: Pointer, id: StreamId): void {
    this.setIdAt(root, Root.lastId, id)
    const node = this.get(root, Root.last)
    if (node === 0) return
    const cursor = this.cursor.enter(this.arena, node)
    if (!cursor.previous() || compareIds(cursor.id, id) <= 0) return
    if (this.changing !== undefined) this.changing(root, node)
    this.places.forget(node)
    do {
      if (!cursor.isDead) {
        this.setIdAt(root, Root.lastId, cursor.id)
        return
      }
      this.set(node, Word.used, cursor.at - byteOf(node))
      this.set(node, Word.dead, this.get(node, Word.dead) - 1)
    } while (cursor.previous() && compareIds(cursor.id, id) > 0)
  }

  // ——— adding ———

  /** Adds an entry if its id is greater than the last one's. The node limits shape memory only; 0 stands for none. */
  append(root: Pointer, id: StreamId, pairs: ReadonlyArray<Slice>, maxBytes: number, maxEntries: number): void {
    const { arena } = this
    const words = arena.words[slabOf(root)]!
    const at = wordOf(root)
    if (compareIds(id, this.idAt(root, Root.lastId, this.scratch)) <= 0) return
    const bytes = Node.bytesOf(pairs)
    const node = words[at + Root.last]!
    if (node !== 0 && Node.nodeTakes(arena, node, bytes, maxBytes, maxEntries)) {
      if (this.changing !== undefined) this.changing(root, node)
      const need = Node.append(arena, node, id, pairs, bytes)
      if (need > 0) Node.appendDraft(arena, need > arena.capacity(node) ? this.widen(root, node, need) : node)
    } else this.addNode(root, node, id, pairs)
    words[at + Root.length] = words[at + Root.length]! + 1
    this.setIdAt(root, Root.lastId, id)
    const low = words[at + Root.added + 1]!
    words[at + Root.added + 1] = low + 1
    if (low === 0xffff_ffff) words[at + Root.added] = words[at + Root.added]! + 1
  }

  private addNode(root: Pointer, last: Pointer, id: StreamId, pairs: ReadonlyArray<Slice>): void {
    let room = firstRoom
    if (last !== 0) {
      const used = this.get(last, Word.used)
      // Entries of a stream are mostly alike: the new node will be about as large as this one, which gets no more of them.
      if (this.get(last, Word.live) > 1) room = Math.min(mostRoom, used + (used >>> 4))
      this.seal(root, last)
      last = this.get(root, Root.last)
    }
    const node = Node.makeNode(this.arena, id, pairs, this.mark, room)
    this.link(root, last, node)
  }

  /** Puts a node between this one, 0 for the first, and the one after it. */
  private link(root: Pointer, before: Pointer, node: Pointer): void {
    const after = before === 0 ? this.get(root, Root.first) : this.nodeAfter(before)
    let order = this.get(root, Root.order)
    if (order === 0) this.set(root, Root.order, order = this.order.create())
    this.order.open(order).add(node)
    this.join(root, before, node)
    this.join(root, node, after)
    this.count(root, node, 1)
  }

  private join(root: Pointer, before: Pointer, after: Pointer): void {
    if (before === 0) this.set(root, Root.first, after)
    else this.set(before, Word.after, after)
    if (after === 0) this.set(root, Root.last, before)
    else this.set(after, Word.before, before)
  }

  private count(root: Pointer, node: Pointer, by: 1 | -1): void {
    this.set(root, Root.nodeUnits, this.get(root, Root.nodeUnits) + by * (this.arena.capacity(node) >>> 3))
  }

  private widen(root: Pointer, node: Pointer, need: number): Pointer {
    const grown = this.arena.capacity(node)
    return this.replace(root, node, Math.max(need, grown < mostRoom / 2 ? 2 * grown : grown + (grown >>> 2)))
  }

  /** Nothing more is added to this node: it gets a block that fits. */
  private seal(root: Pointer, node: Pointer): void {
    const used = this.get(node, Word.used)
    if (this.arena.capacity(node) - used > used >>> 4) this.replace(root, node, used)
  }

  /** Moves a node to a block of `bytes`. */
  private replace(root: Pointer, node: Pointer, bytes: number): Pointer {
    const { arena } = this
    const next = arena.allocate(bytes)
    if (arena.capacity(next) === arena.capacity(node)) {
      arena.free(next)
      return node
    }
    const used = this.get(node, Word.used)
    const from = byteOf(node)
    arena.bytes[slabOf(next)]!.set(arena.bytes[slabOf(node)]!.subarray(from, from + used), byteOf(next))
    this.order.open(this.get(root, Root.order)).replacePointer(node, next)
    this.count(root, node, -1)
    this.count(root, next, 1)
    this.join(root, this.nodeBefore(node), next)
    this.join(root, next, this.nodeAfter(node))
    this.free(node)
    return next
  }

  // ——— removing ———

  /** Removes an entry; false when it is not there. */
  remove(root: Pointer, id: StreamId): boolean {
    if (!this.seek(root, id)) return false
    const { node } = this.cursor
    if (this.changing !== undefined) this.changing(root, node)
    if (this.get(node, Word.live) === 1) this.drop(root, node)
    else this.bury(node, this.cursor.at - byteOf(node) === this.get(node, Word.firstAt))
    this.set(root, Root.length, this.length(root) - 1)
    return true
  }

  /** Marks the cursor's entry as removed; `first`: all before it are. */
  private bury(node: Pointer, first: boolean): void {
    const { cursor } = this
    cursor.bury()
    this.set(node, Word.live, this.get(node, Word.live) - 1)
    this.set(node, Word.dead, this.get(node, Word.dead) + 1)
    if (first) this.set(node, Word.firstAt, cursor.after() - byteOf(node))
  }

  /** Removes the first `count` entries, or all there are. */
  removeFirst(root: Pointer, count: number): void {
    while (count > 0) {
      const node = this.get(root, Root.first)
      if (node === 0) return
      const live = this.get(node, Word.live)
      if (this.changing !== undefined) this.changing(root, node)
      const removed = Math.min(live, count)
      if (removed === live) this.drop(root, node)
      else {
        const cursor = this.cursor.enter(this.arena, node)
        for (let left = removed; left > 0 && cursor.next();) {
          if (cursor.isDead) continue
          this.bury(node, true)
          left--
        }
      }
      this.set(root, Root.length, this.length(root) - removed)
      count -= removed
    }
  }

  private drop(root: Pointer, node: Pointer): void {
    this.order.open(this.get(root, Root.order)).take(node)
    this.join(root, this.nodeBefore(node), this.nodeAfter(node))
    this.count(root, node, -1)
    this.free(node)
  }

  private free(node: Pointer): void {
    this.places.forget(node)
    this.arena.free(node)
  }

  // ——— whole nodes ———

  /**
   * A node of this pack comes to be at its place; false when the pack is none or holds removed entries only, or its entries
   * are not apart from others.
   */
  restoreNode(root: Pointer, id: StreamId, pack: Slice): boolean {
    const { bytes, length, start } = pack
    if (!inspectPack(bytes, start, start + length, id)) return false
    const { dead, edgeId, live, namesLength } = inspected
    if (live === 0) return false
    const before = this.nodeFor(root, id)
    const after = before === 0 ? this.get(root, Root.first) : this.nodeAfter(before)
    if (after !== 0 && compareIds(edgeId, this.nodeId(after, this.scratch)) >= 0) return false
    if (before !== 0) {
      const cursor = this.cursor.enter(this.arena, before)
      if (!cursor.previous() || compareIds(cursor.id, id) >= 0) return false
    }
    const node = Node.nodeOf(this.arena, id, bytes, start, length, namesLength, live, dead, this.mark, 0)
    this.link(root, before, node)
    this.set(root, Root.length, this.length(root) + live)
    if (compareIds(edgeId, this.idAt(root, Root.lastId, this.scratch)) > 0) this.setIdAt(root, Root.lastId, edgeId)
    return true
  }

  /** Copies a node of `source`, which may be this. */
  copyNode(source: StreamEntries, node: Pointer, root: Pointer): void {
    const bytes = source.arena.bytes[slabOf(node)]!
    const start = byteOf(node) + Node.nodeHeader
    const used = source.get(node, Word.used)
    const id = source.nodeId(node, this.scratch)
    const live = source.get(node, Word.live)
    const names = source.get(node, Word.entriesAt) - Node.nodeHeader
    const dead = source.get(node, Word.dead)
    const length = used - Node.nodeHeader
    const copy = Node.nodeOf(this.arena, id, bytes, start, length, names, live, dead, this.mark, 0)
    this.set(copy, Word.firstAt, source.get(node, Word.firstAt))
    this.link(root, this.get(root, Root.last), copy)
    this.set(root, Root.length, this.length(root) + live)
  }

  /** The pack of a node. */
  packOf(node: Pointer, into: Slice): Slice {
    const start = byteOf(node) + Node.nodeHeader
    return into.set(this.arena.bytes[slabOf(node)]!, start, byteOf(node) + this.get(node, Word.used) - start)
  }

  /** Bytes of the nodes and their order. */
  memory(root: Pointer): number {
    const order = this.get(root, Root.order)
    return rootBytes + 8 * this.get(root, Root.nodeUnits) + (order === 0 ? 0 : this.order.open(order).tableBytes)
  }

  /** Frees nodes with about `budget` entries; true when all nodes and their order are gone. The root stays. */
  releaseStep(root: Pointer, budget: number): boolean {
    const order = this.get(root, Root.order)
    if (order !== 0) {
      if (this.order.releaseStep(order, budget)) this.set(root, Root.order, 0)
      return false
    }
    for (let node = this.get(root, Root.first); node !== 0; node = this.get(root, Root.first)) {
      if (budget <= 0) return false
      budget -= 1 + (this.get(node, Word.live) >>> 4)
      this.set(root, Root.first, this.nodeAfter(node))
      this.free(node)
    }
    return true
  }
}
