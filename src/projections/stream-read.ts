/**
 * Reading streams. `p` is the entry of a key that holds a stream, `g` a group, `c` a consumer; ids are put into the object
 * that is given and that is returned. Slices, and the places of ranges, are valid until the next event is folded.
 */
import { rootOf } from "./collection.ts"
import type { Database } from "./database.ts"
import { type Pointer } from "./memory/arena.ts"
import { compareSlices, Slice } from "./memory/slice.ts"
import { EntryCursor } from "./memory/stream-cursor.ts"
import { Root, type StreamEntries } from "./memory/stream-entries.ts"
import { ConsumerWord, type GroupParts, GroupWord } from "./memory/stream-group-parts.ts"
import { compareIds, StreamId } from "./memory/stream-id.ts"
import { nodeTakes, Word } from "./memory/stream-node.ts"
import type { ProducerFigures } from "./memory/stream-producers.ts"

export { noteSeen } from "./stream.ts"

const entriesOf = (db: Database): StreamEntries => db.structures.streams.entries
const groupsOf = (db: Database): GroupParts => db.structures.streams.groups

/** The number of entries. */
export const length = (db: Database, p: Pointer): number => entriesOf(db).length(rootOf(db, p))

/** The greatest id ever added; 0-0 for none. */
export const lastId = (db: Database, p: Pointer, into: StreamId): StreamId =>
  entriesOf(db).idAt(rootOf(db, p), Root.lastId, into)

/** The greatest id that a client ever removed; 0-0 for none. */
export const maxDeletedId = (db: Database, p: Pointer, into: StreamId): StreamId =>
  entriesOf(db).idAt(rootOf(db, p), Root.maxDeleted, into)

/** How many entries were ever added. */
export const entriesAdded = (db: Database, p: Pointer): number | bigint =>
  groupsOf(db).int64At(rootOf(db, p), Root.added)

/** Puts the id of the first entry into `into`; false when there is none. */
export const firstEntryId = (db: Database, p: Pointer, into: StreamId): boolean =>
  entriesOf(db).edge(rootOf(db, p), false, into)

/** Puts the id of the last entry that is still there into `into`; false when there is none. */
export const lastEntryId = (db: Database, p: Pointer, into: StreamId): boolean =>
  entriesOf(db).edge(rootOf(db, p), true, into)

export const hasEntry = (db: Database, p: Pointer, id: StreamId): boolean => entriesOf(db).has(rootOf(db, p), id)

/** The number of nodes that hold the entries. */
export const treeKeys = (db: Database, p: Pointer): number => {
  const { entries } = db.structures.streams
  const order = entries.get(rootOf(db, p), Root.order)
  return order === 0 ? 0 : entries.order.open(order).size
}

/** The number of nodes, those of their index included. */
export const treeNodes = (db: Database, p: Pointer): number => {
  const { entries } = db.structures.streams
  const order = entries.get(rootOf(db, p), Root.order)
  return order === 0 ? 1 : entries.order.open(order).size + Math.max(1, entries.order.nodes())
}

/** Entries between two ids; one object is used for one range after another. */
export class EntryRange {
  private readonly cursor = new EntryCursor()
  private readonly bound = new StreamId()
  private entries!: StreamEntries
  private node: Pointer = 0
  private reverse = false

  /** Of the entry that `next` went to. */
  get id(): StreamId {
    return this.cursor.id
  }

  /** How many fields it has. */
  get pairs(): number {
    return this.cursor.pairs
  }

  /** The pair that `nextPair` went to. */
  get field(): Slice {
    return this.cursor.field
  }

  get value(): Slice {
    return this.cursor.value
  }

  /** Goes before the first entry of the range, or with `reverse` behind its last. Both bounds are included. */
  start(db: Database, p: Pointer, from: StreamId, to: StreamId, reverse = false): this {
    const root = rootOf(db, p)
    const { cursor } = this
    this.entries = entriesOf(db)
    this.reverse = reverse
    this.bound.from(reverse ? from : to)
    const start = reverse ? to : from
    this.node = this.entries.nodeFor(root, start)
    if (this.node === 0 && !reverse) this.node = this.entries.get(root, Root.first)
    if (this.node === 0) return this
    if (reverse) cursor.enter(this.entries.arena, this.node).passTo(start)
    else this.entries.enterAt(cursor, this.node, start)
    return this
  }

  /** Goes to the next entry; false when there is none in the range. */
  next(): boolean {
    const { cursor, entries, reverse } = this
    while (this.node !== 0) {
      while (reverse ? cursor.previous() : cursor.next()) {
        const order = compareIds(cursor.id, this.bound)
        if (reverse ? order < 0 : order > 0) {
          this.node = 0
          return false
        }
        if (!cursor.isDead) return true
      }
      this.node = reverse ? entries.nodeBefore(this.node) : entries.nodeAfter(this.node)
      if (this.node !== 0) cursor.enter(entries.arena, this.node)
    }
    return false
  }

  /** Goes to the next field and value of the entry; false behind the last. */
  nextPair(): boolean {
    return this.cursor.nextPair()
  }
}

const counting = new EntryCursor()
const edge = new StreamId()

/** How many entries a range has, both bounds included; no more than `limit` are counted. */
export const countEntries = (db: Database, p: Pointer, from: StreamId, to: StreamId, limit: number): number => {
  const entries = entriesOf(db)
  const root = rootOf(db, p)
  let node = entries.nodeFor(root, from)
  let count = 0
  let inside = node !== 0 && compareIds(entries.nodeId(node, edge), from) < 0
  if (node === 0) node = entries.get(root, Root.first)
  const toEnd = compareIds(to, entries.idAt(root, Root.lastId, edge)) >= 0
  for (; node !== 0 && count < limit; node = entries.nodeAfter(node)) {
    const after = entries.nodeAfter(node)
    if (!inside && (toEnd || (after !== 0 && compareIds(entries.nodeId(after, edge), to) <= 0))) {
      count += entries.get(node, Word.live)
      continue
    }
    if (inside) entries.enterAt(counting, node, from)
    else counting.enter(entries.arena, node)
    inside = false
    while (count < limit && counting.next()) {
      if (compareIds(counting.id, to) > 0) return count
      if (!counting.isDead) count++
    }
  }
  return Math.min(count, limit)
}

/** Whether an entry of these fields and values would begin a new node. */
export const opensNode = (db: Database, p: Pointer, pairs: ReadonlyArray<Slice>): boolean => {
  const node = entriesOf(db).get(rootOf(db, p), Root.last)
  if (node === 0) return true
  let bytes = 0
  for (let i = 0; i < pairs.length; i++) bytes += pairs[i]!.length
  return !nodeTakes(db.arena, node, bytes, db.limits.streamNodeBytes, db.limits.streamNodeEntries)
}

/** The nodes of a stream from the first on, for trimming by whole ones. */
export class NodeRange {
  /** Entries, and entries marked as removed, in the node that `next` went to, and the id of its last one of either kind. */
  live = 0
  dead = 0
  readonly lastId = new StreamId()
  private readonly cursor = new EntryCursor()
  private entries!: StreamEntries
  private node: Pointer = 0

  start(db: Database, p: Pointer): this {
    this.entries = entriesOf(db)
    this.node = this.entries.get(rootOf(db, p), Root.first)
    return this
  }

  next(): boolean {
    const { cursor, entries, node } = this
    if (node === 0) return false
    this.live = entries.get(node, Word.live)
    this.dead = entries.get(node, Word.dead)
    cursor.enter(entries.arena, node).previous()
    this.lastId.from(cursor.id)
    this.node = entries.nodeAfter(node)
    return true
  }
}

// ——— groups ———

const name = new Slice()
const other = new Slice()

/** The group of this name; 0 when there is none. */
export const findGroup = (db: Database, p: Pointer, group: Slice): Pointer =>
  groupsOf(db).findGroup(rootOf(db, p), group)

export const groupCount = (db: Database, p: Pointer): number => groupsOf(db).groupCount(rootOf(db, p))

/** All groups, in the order of the bytes of their names. */
export const groups = (db: Database, p: Pointer): Array<Pointer> => {
  const parts = groupsOf(db)
  return parts.listGroups(rootOf(db, p)).sort((a, b) =>
    compareSlices(parts.groupName(a, name), parts.groupName(b, other))
  )
}

export const groupName = (db: Database, g: Pointer, into: Slice): Slice => groupsOf(db).groupName(g, into)

/** The entry after which the group goes on. */
export const lastDelivered = (db: Database, g: Pointer, into: StreamId): StreamId => groupsOf(db).lastDelivered(g, into)

/** How many entries the group has read; null when that is not known. */
export const entriesRead = (db: Database, g: Pointer): number | bigint | null => groupsOf(db).entriesRead(g)

/** How many entries the group has pending. */
export const pendingCount = (db: Database, g: Pointer): number => groupsOf(db).pendingCount(g)

/** How many of them nobody has. */
export const releasedCount = (db: Database, g: Pointer): number => groupsOf(db).get(g, GroupWord.released)

/** A number for the next entry that is released: in its time of delivery it puts it behind those released before. */
export const nextRelease = (db: Database, g: Pointer): number => groupsOf(db).get(g, GroupWord.releasedAt) + 1

export const consumerCount = (db: Database, g: Pointer): number => groupsOf(db).consumerCount(g)

/** The consumer of this name; 0 when there is none. */
export const findConsumer = (db: Database, g: Pointer, consumer: Slice): Pointer =>
  groupsOf(db).findConsumer(g, consumer)

/** All consumers of a group, in the order of the bytes of their names. */
export const consumers = (db: Database, g: Pointer): Array<Pointer> => {
  const parts = groupsOf(db)
  return parts.listConsumers(g).sort((a, b) => compareSlices(parts.consumerName(a, name), parts.consumerName(b, other)))
}

export const consumerName = (db: Database, c: Pointer, into: Slice): Slice => groupsOf(db).consumerName(c, into)

/** When the consumer last asked for entries, in Unix ms. */
export const seenAt = (db: Database, c: Pointer): number => groupsOf(db).numberAt(c, ConsumerWord.seen)

/** When it last got some; -1 for never. */
export const activeAt = (db: Database, c: Pointer): number => groupsOf(db).numberAt(c, ConsumerWord.active)

/** How many entries it has pending. */
export const consumerPending = (db: Database, c: Pointer): number => groupsOf(db).consumerPending(c)

// ——— producers ———

/** What the stream knows of its producers; undefined when nothing was ever configured. */
export const producers = (db: Database, p: Pointer): ProducerFigures | undefined =>
  db.structures.streams.producers.figures(rootOf(db, p))

/** The entry that a producer has added under a name, into `into`; false when none is remembered at `now` (Unix ms). */
export const findNoted = (
  db: Database,
  p: Pointer,
  producer: Slice,
  iid: Slice,
  now: number,
  into: StreamId
): boolean => db.structures.streams.producers.find(rootOf(db, p), producer, iid, now, into)
