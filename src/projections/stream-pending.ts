/** Reading the pending entries of consumer groups; see stream-read.ts. */
import type { Database } from "./database.ts"
import type { Pointer } from "./memory/arena.ts"
import type { RankedIds } from "./memory/ranked-ids.ts"
import { ConsumerWord, type GroupParts, GroupWord, PendingWord } from "./memory/stream-group-parts.ts"
import { compareIds, greatestId, StreamId } from "./memory/stream-id.ts"

/** Pending entries, in one order or the other; one object is used for one range after another. */
export class PendingRange {
  /** Of the entry that `next` went to. */
  readonly id = new StreamId()
  /** Who has it; 0 for nobody. */
  consumer: Pointer = 0
  /** When it was delivered last, in Unix ms, and how often. */
  deliveredAt = 0
  deliveries: number | bigint = 0
  private readonly bound = new StreamId()
  private until = 0
  private parts!: GroupParts
  private order!: RankedIds
  private at: Pointer = 0

  /** Goes before the first entry of a group, or of its consumer `c`, from one id to another, both included. */
  start(db: Database, g: Pointer, c: Pointer, from: StreamId, to: StreamId): this {
    const { groups } = db.structures.streams
    this.parts = groups
    this.bound.from(to)
    this.until = Infinity
    const order = c === 0 ? groups.get(g, GroupWord.byId) : groups.get(c, ConsumerWord.byId)
    this.order = groups.byId.open(order)
    if (order === 0) {
      this.at = 0
      return this
    }
    this.at = this.order.seekFloor(from)
    if (this.at === 0) this.at = this.order.seek(0)
    else if (compareIds(groups.pendingId(this.at, this.id), from) < 0) this.at = this.order.next()
    return this
  }

  /** Goes before the entry that was delivered first; those delivered after `until` are left out. */
  startOldest(db: Database, g: Pointer, until: number): this {
    const { groups } = db.structures.streams
    this.parts = groups
    this.bound.from(greatestId)
    this.until = until
    const order = groups.get(g, GroupWord.byTime)
    this.order = groups.byTime.open(order)
    this.at = order === 0 ? 0 : this.order.seek(0)
    return this
  }

  /** Goes to the next entry; false when there is none. */
  next(): boolean {
    const { at } = this
    if (at === 0 || !this.read(at)) return false
    this.at = this.order.next()
    return true
  }

  private read(p: Pointer): boolean {
    const { parts } = this
    parts.pendingId(p, this.id)
    this.consumer = parts.get(p, PendingWord.consumer)
    this.deliveredAt = parts.pendingTime(p)
    this.deliveries = parts.int64At(p, PendingWord.count)
    if (compareIds(this.id, this.bound) <= 0 && this.deliveredAt <= this.until) return true
    this.at = 0
    return false
  }

  /** Goes to the entry of this id alone; false when the group does not have it pending. */
  find(db: Database, g: Pointer, id: StreamId): boolean {
    const { groups } = db.structures.streams
    this.parts = groups
    this.bound.from(id)
    this.until = Infinity
    const p = groups.findPending(g, id)
    this.at = 0
    return p !== 0 && this.read(p)
  }
}

/** Fills `into` with a group's pending entry of this id; false when there is none. */
export const findPending = (db: Database, g: Pointer, id: StreamId, into: PendingRange): boolean => into.find(db, g, id)

/** Puts the least id that a group has pending, or the greatest, into `into`; false when nothing is pending. */
export const pendingEdge = (db: Database, g: Pointer, last: boolean, into: StreamId): boolean => {
  const { groups } = db.structures.streams
  const order = groups.get(g, GroupWord.byId)
  if (order === 0) return false
  const ranked = groups.byId.open(order)
  if (ranked.size === 0) return false
  groups.pendingId(ranked.select(last ? ranked.size - 1 : 0), into)
  return true
}
