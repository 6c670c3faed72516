/**
 * The consumer groups of a stream, in the arena:
 *
 * ```
 * group     in the stream's table of groups: 0 name length << 2 · 1–4 id delivered last · 5–6 entries read (high, low; all
 *           ones: not known) · 7 pending entries by id · 8 pending entries by time · 9 table of consumers ·
 *           10 pending entries that nobody has · 11 greatest time among those since there were none · name
 * consumer  in its group's table: 0 name length << 2 | mark · 1–2 last seen · 3–4 last active (high, low; all ones: never) ·
 *           5 its pending entries by id · name
 * pending   0 mark · 1–2 time of delivery as a score · 3–4 score of the id · 5–8 the id · 9 consumer, 0 for nobody · 10–11 deliveries (high, low)
 * ```
 *
 * A pending entry is one block in three orders: of its group by id and by time, and of its consumer by id. No block ever
 * moves. Words of an order or table are 0 until there is something in it.
 */
import { type Arena, byteOf, type Pointer, slabOf, wordOf } from "./arena.ts"
import type { HashSeed } from "./hash.ts"
import { fromWords, highWord, lowWord } from "./integer.ts"
import { RankedIds } from "./ranked-ids.ts"
import { copyBytes, equalBytes, type Slice } from "./slice.ts"
import { Root } from "./stream-entries.ts"
import { compareIds, StreamId } from "./stream-id.ts"
import { idAt } from "./stream-node.ts"
import { Table } from "./table.ts"

export const groupNameAt = 48
export const consumerNameAt = 24
export const pendingBytes = 48

export const GroupWord = {
  name: 0,
  lastDelivered: 1,
  read: 5,
  byId: 7,
  byTime: 8,
  consumers: 9,
  released: 10,
  releasedAt: 11
} as const
export const ConsumerWord = { name: 0, seen: 1, active: 3, byId: 5 } as const
export const PendingWord = { mark: 0, time: 1, score: 3, id: 5, consumer: 9, count: 10 } as const

const allOnes = 0xffff_ffff
const span = 0x1_0000_0000
const floats = new Float64Array(1)
const floatWords = new Uint32Array(floats.buffer)

/** Who is told before a consumer or a pending entry changes or goes. */
export interface GroupWatcher {
  consumerChanging(root: Pointer, group: Pointer, consumer: Pointer): void
  pendingChanging(root: Pointer, group: Pointer, pending: Pointer): void
}

/** See the head of this file. One per arena; methods take the root of a stream. */
export class GroupParts {
  /** The mark that new consumers and pending entries get. */
  mark = 0
  watcher: GroupWatcher | undefined = undefined
  readonly arena: Arena
  readonly groups: Table
  readonly consumers: Table
  readonly byId: RankedIds
  readonly byTime: RankedIds
  private readonly free: (p: Pointer) => void
  private readonly freeConsumer: (p: Pointer) => void
  /** What `findPending` found last, if that is still there: a command and the fold of its event look for the same. */
  private found: Pointer = 0
  private foundIn: Pointer = 0
  private readonly foundId = new StreamId()
  /** The group and the consumer looked up last, while they are there: most who ask mean these, command after command. */
  private lastGroup: Pointer = 0
  private lastGroupOf: Pointer = 0
  private lastConsumer: Pointer = 0
  private lastConsumerOf: Pointer = 0

  constructor(arena: Arena, seed: HashSeed) {
    this.arena = arena
    this.groups = new Table(arena, seed, groupNameAt)
    this.consumers = new Table(arena, seed, consumerNameAt)
    this.byId = new RankedIds(arena, PendingWord.score, PendingWord.id)
    this.byTime = new RankedIds(arena, PendingWord.time, PendingWord.id)
    this.free = (p) => arena.free(p)
    this.freeConsumer = (c) => {
      this.forgetConsumer()
      const order = this.get(c, ConsumerWord.byId)
      if (order !== 0) this.byId.release(order)
      arena.free(c)
    }
  }

  get(p: Pointer, word: number): number {
    return this.arena.words[slabOf(p)]![wordOf(p) + word]!
  }

  set(p: Pointer, word: number, value: number): void {
    this.arena.words[slabOf(p)]![wordOf(p) + word] = value
  }

  /** A number below 2^53 in two words, -1 for all ones. */
  numberAt(p: Pointer, word: number): number {
    const high = this.get(p, word)
    return high === allOnes ? -1 : high * span + this.get(p, word + 1)
  }

  setNumberAt(p: Pointer, word: number, value: number): void {
    this.set(p, word, value < 0 ? allOnes : Math.floor(value / span))
    this.set(p, word + 1, value < 0 ? allOnes : value >>> 0)
  }

  int64At(p: Pointer, word: number): number | bigint {
    return fromWords(this.get(p, word), this.get(p, word + 1))
  }

  setInt64At(p: Pointer, word: number, value: number | bigint): void {
    this.set(p, word, highWord(value))
    this.set(p, word + 1, lowWord(value))
  }

  /** The name in a block. */
  private name(p: Pointer, at: number, into: Slice): Slice {
    return into.set(this.arena.bytes[slabOf(p)]!, byteOf(p) + at, this.get(p, 0) >>> 2)
  }

  groupName(group: Pointer, into: Slice): Slice {
    return this.name(group, groupNameAt, into)
  }

  consumerName(consumer: Pointer, into: Slice): Slice {
    return this.name(consumer, consumerNameAt, into)
  }

  protected named(name: Slice, at: number): Pointer {
    const p = this.arena.allocate(at + name.length)
    this.arena.words[slabOf(p)]!.fill(0, wordOf(p), wordOf(p) + (at >>> 2))
    this.set(p, 0, (name.length << 2 | this.mark) >>> 0)
    copyBytes(this.arena.bytes[slabOf(p)]!, byteOf(p) + at, name.bytes, name.start, name.length)
    return p
  }

  /** Whether this is the name in a block. */
  private isNamed(p: Pointer, at: number, { bytes, length, start }: Slice): boolean {
    const slab = slabOf(p)
    if (this.arena.words[slab]![wordOf(p)]! >>> 2 !== length) return false
    return equalBytes(this.arena.bytes[slab]!, byteOf(p) + at, bytes, start, length)
  }

  findGroup(root: Pointer, name: Slice): Pointer {
    const { lastGroup } = this
    if (lastGroup !== 0 && this.lastGroupOf === root && this.isNamed(lastGroup, groupNameAt, name)) return lastGroup
    const table = this.get(root, Root.groups)
    if (table === 0) return 0
    this.lastGroupOf = root
    return this.lastGroup = this.groups.open(table).get(name.bytes, name.start, name.length)
  }

  groupCount(root: Pointer): number {
    const table = this.get(root, Root.groups)
    return table === 0 ? 0 : this.groups.open(table).size
  }

  lastDelivered(group: Pointer, into: StreamId): StreamId {
    return idAt(this.arena, group, GroupWord.lastDelivered, into)
  }

  /** How many entries the group has read; null when it is not known. */
  entriesRead(group: Pointer): number | bigint | null {
    const read = this.int64At(group, GroupWord.read)
    return read === -1 ? null : read
  }

  findConsumer(group: Pointer, name: Slice): Pointer {
    const { lastConsumer } = this
    if (lastConsumer !== 0 && this.lastConsumerOf === group && this.isNamed(lastConsumer, consumerNameAt, name)) {
      return lastConsumer
    }
    const table = this.get(group, GroupWord.consumers)
    if (table === 0) return 0
    this.lastConsumerOf = group
    return this.lastConsumer = this.consumers.open(table).get(name.bytes, name.start, name.length)
  }

  consumerCount(group: Pointer): number {
    const table = this.get(group, GroupWord.consumers)
    return table === 0 ? 0 : this.consumers.open(table).size
  }

  /** How many entries a group has pending. */
  pendingCount(group: Pointer): number {
    return this.byId.open(this.get(group, GroupWord.byId)).size
  }

  /** How many of them a consumer has. */
  consumerPending(consumer: Pointer): number {
    return this.byId.open(this.get(consumer, ConsumerWord.byId)).size
  }

  /** How many consumers and pending entries a group has. */
  partCount(group: Pointer): number {
    return this.consumerCount(group) + this.pendingCount(group)
  }

  pendingId(p: Pointer, into: StreamId): StreamId {
    return idAt(this.arena, p, PendingWord.id, into)
  }

  /** Unix milliseconds. */
  pendingTime(p: Pointer): number {
    const words = this.arena.words[slabOf(p)]!
    const at = wordOf(p) + PendingWord.time
    floatWords[0] = words[at]!
    floatWords[1] = words[at + 1]!
    return floats[0]!
  }

  findPending(group: Pointer, id: StreamId): Pointer {
    if (this.foundIn === group && compareIds(this.foundId, id) === 0) return this.found
    const order = this.get(group, GroupWord.byId)
    if (order === 0) return 0
    const p = this.byId.open(order).floor(id)
    if (p === 0) return 0
    const words = this.arena.words[slabOf(p)]!
    const at = wordOf(p) + PendingWord.id
    const same = words[at + 3] === id.seqLow && words[at + 2] === id.seqHigh && words[at + 1] === id.msLow
    if (!same || words[at] !== id.msHigh) return 0
    this.found = p
    this.foundIn = group
    this.foundId.from(id)
    return p
  }

  /** To be called before a pending entry is freed. */
  protected forgetFound(): void {
    this.foundIn = 0
  }

  /** To be called before a consumer is freed. */
  protected forgetConsumer(): void {
    this.lastConsumer = 0
  }

  /** All groups of a stream, in no order. */
  listGroups(root: Pointer): Array<Pointer> {
    return listed(this.groups, this.get(root, Root.groups))
  }

  /** All consumers of a group, in no order. */
  listConsumers(group: Pointer): Array<Pointer> {
    return listed(this.consumers, this.get(group, GroupWord.consumers))
  }

  /** Bytes of all groups; what pending entries take is counted exactly. */
  memory(root: Pointer): number {
    const table = this.get(root, Root.groups)
    if (table === 0) return 0
    let bytes = this.groups.open(table).tableBytes
    for (const group of this.listGroups(root)) {
      bytes += this.arena.capacity(group) + this.pendingCount(group) * pendingBytes + this.byId.tableBytes
      bytes += this.byTime.open(this.get(group, GroupWord.byTime)).tableBytes
      const consumers = this.get(group, GroupWord.consumers)
      if (consumers === 0) continue
      bytes += this.consumers.open(consumers).tableBytes
      for (const consumer of this.listConsumers(group)) {
        this.byId.open(this.get(consumer, ConsumerWord.byId))
        bytes += this.arena.capacity(consumer) + this.byId.tableBytes
      }
    }
    return bytes
  }

  /** Frees about `budget` parts of a detached group; true when all of it is gone. */
  releaseGroupStep(group: Pointer, budget: number): boolean {
    if (!this.emptyStep(group, budget)) return false
    this.arena.free(group)
    return true
  }

  /** Frees about `budget` parts of a group; true when nothing is left but its block. */
  private emptyStep(group: Pointer, budget: number): boolean {
    const consumers = this.get(group, GroupWord.consumers)
    if (consumers !== 0) {
      if (this.consumers.releaseStep(consumers, budget, this.freeConsumer)) this.set(group, GroupWord.consumers, 0)
      return false
    }
    const byTime = this.get(group, GroupWord.byTime)
    if (byTime !== 0) {
      if (this.byTime.releaseStep(byTime, budget)) this.set(group, GroupWord.byTime, 0)
      return false
    }
    const byId = this.get(group, GroupWord.byId)
    if (byId === 0) return true
    this.forgetFound()
    const order = this.byId.open(byId)
    const many = Math.min(order.size, Math.max(budget, 1))
    // Only ranks are looked at: the blocks, which the orders freed before still named, may go.
    order.takeRange(order.size - many, many, this.free)
    if (order.size > 0) return false
    order.release(byId)
    this.set(group, GroupWord.byId, 0)
    return true
  }

  /** Frees about `budget` parts of the groups of a stream that is let go; true when all of them are gone. */
  releaseStep(root: Pointer, budget: number): boolean {
    const table = this.get(root, Root.groups)
    if (table === 0) return true
    let group: Pointer = 0
    for (let position = 0; position >= 0 && group === 0;) {
      position = this.groups.open(table).walk(position, (p) => {
        group = p
      })
    }
    if (group === 0) {
      if (this.groups.releaseStep(table, budget, this.free)) this.set(root, Root.groups, 0)
    } else if (this.emptyStep(group, budget)) {
      this.detachGroup(root, group) // by its name, which must be there for that
      this.arena.free(group)
    }
    return false
  }

  /** Takes a group out of its stream; it is then to be released. */
  detachGroup(root: Pointer, group: Pointer): void {
    this.lastGroup = 0
    const table = this.groups.open(this.get(root, Root.groups))
    table.remove(table.hashAt(group), group)
  }
}

const listed = (table: Table, root: Pointer): Array<Pointer> => {
  const found: Array<Pointer> = []
  if (root !== 0) table.open(root).each((p) => found.push(p))
  return found
}
