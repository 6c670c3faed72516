/**
 * How far consumer groups have read, as Redis estimates it: a group counts what it has read as long as nothing was deleted
 * ahead of it, and otherwise knows its place only at the ends of the stream.
 */
import type { Int64 } from "../../log/events/fields.ts"
import type { Database } from "../../projections/keyspace.ts"
import type { Pointer } from "../../projections/memory/arena.ts"
import { toInt64 } from "../../projections/memory/integer.ts"
import { compareIds, StreamId } from "../../projections/memory/stream-id.ts"
import * as Stream from "../../projections/stream-read.ts"

/** The sum of two integers, within 64 bits. */
const plus = (a: Int64, b: Int64): Int64 => {
  if (typeof a === "number" && typeof b === "number") {
    const sum = a + b
    if (Number.isSafeInteger(sum)) return sum
  }
  return toInt64(BigInt.asIntN(64, BigInt(a) + BigInt(b)))
}

const negative = (a: Int64): Int64 => typeof a === "number" ? 0 - a : toInt64(BigInt.asIntN(64, -a))

/** What a stream counts. One instance, pointed at each stream in turn. */
class Counters {
  private readonly last = new StreamId()
  private readonly deleted = new StreamId()
  private length = 0
  private added: Int64 = 0
  private db!: Database
  private p: Pointer = 0
  private readonly firstId = new StreamId()
  private knowsFirst = false

  at(db: Database, p: Pointer): this {
    Stream.lastId(db, p, this.last)
    Stream.maxDeletedId(db, p, this.deleted)
    this.length = Stream.length(db, p)
    this.added = Stream.entriesAdded(db, p)
    this.db = db
    this.p = p
    this.knowsFirst = false
    return this
  }

  /** The first entry's id, 0-0 where there is none: looked up only where it matters, which is seldom. */
  private get first(): StreamId {
    if (!this.knowsFirst && !Stream.firstEntryId(this.db, this.p, this.firstId)) this.firstId.set(0, 0, 0, 0)
    this.knowsFirst = true
    return this.firstId
  }

  /** Whether entries from this id on were deleted, other than before the first one that is there. */
  private hasGapsFrom(id: StreamId): boolean {
    if (this.length === 0 || this.deleted.isZero || compareIds(this.first, this.deleted) > 0) return false
    return compareIds(id, this.deleted) <= 0
  }

  /** How many entries were ever added up to this id; null where nobody knows. */
  private countUpTo(id: StreamId): Int64 | null {
    if (this.added === 0) return 0
    const fromEnd = compareIds(id, this.last)
    if (fromEnd === 0 || (this.length === 0 && fromEnd < 0)) return this.added
    if (fromEnd > 0) return null
    if (!this.deleted.isZero && compareIds(this.deleted, this.first) >= 0) return null
    const fromStart = compareIds(id, this.first)
    if (fromStart > 0) return null
    return plus(this.added, (fromStart < 0 ? 0 : 1) - this.length)
  }

  /** The count of a group that has now read the entry `id`. */
  afterReading(id: StreamId, read: Int64 | null): Int64 | null {
    if (read !== null && !this.hasGapsFrom(id)) return plus(read, 1)
    return this.added === 0 ? read : this.countUpTo(id)
  }

  /** How many entries a group has yet to read; null where nobody knows. */
  lag(lastDelivered: StreamId, read: Int64 | null): Int64 | null {
    if (this.added === 0) return 0
    const known = read !== null && !this.hasGapsFrom(lastDelivered) ? read : this.countUpTo(lastDelivered)
    return known === null ? null : plus(this.added, negative(known))
  }
}

const counters = new Counters()

/** The counters of the stream at `p`, until those of another are asked for or it changes. */
export const countersOf = (db: Database, p: Pointer): Counters => counters.at(db, p)
