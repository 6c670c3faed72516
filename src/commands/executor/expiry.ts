import type { EventOf } from "../../log/events/catalog.ts"
import * as Entry from "../../projections/entry.ts"
import { deadCount, earliestFieldDeadline } from "../../projections/hash-fields.ts"
import { dueFields, fieldCount } from "../../projections/hash-read.ts"
import type { Database, Keyspace } from "../../projections/keyspace.ts"
import type { Pointer } from "../../projections/memory/arena.ts"
import type { Slice } from "../../projections/memory/slice.ts"

/** Keys buried between two looks at the clock. */
const stride = 64

/** The entry whose deadline comes first: (deadline, hash) stand in the order, the entry is found by its hash. */
export const firstDue = (database: Database, now: number): Pointer => {
  const order = database.deadlines
  if (!order.first()) return 0
  const deadline = order.a * 0x1_0000_0000 + order.b
  if (deadline > now) return 0
  return database.dict.eachWithHash(order.c, (p) => Entry.deadlineOf(database.arena, p) === deadline)
}

/** The hash with the field whose deadline comes first, if that is past; 0 when there is none. */
const firstDueHash = (database: Database, now: number): Pointer => {
  const order = database.fieldDeadlines
  if (!order.first()) return 0
  const deadline = order.a * 0x1_0000_0000 + order.b
  if (deadline > now) return 0
  const { arena, structures } = database
  return database.dict.eachWithHash(
    order.c,
    (p) => Entry.mayHaveTimedFields(arena, p) && earliestFieldDeadline(structures, p) === deadline
  )
}

/** Fields of a large hash buried at a time. */
const fieldsAtOnce = 64

/**
 * The event that buries fields of the hash at `key`, those that are due first; undefined when none is. A hash of very many
 * fields that are all dead dies as a whole, unless they are to be `named`: that takes no time.
 */
export const deathOfFields = (
  database: Database,
  key: Slice,
  now: number,
  named: boolean
): EventOf<"HashFieldsExpired"> | EventOf<"KeyExpired"> | undefined => {
  const p = database.locate(key)
  if (p === 0) return undefined
  const dead = deadCount(database.structures, p, now)
  if (dead === 0) return undefined
  if (!named && dead > fieldsAtOnce && dead === fieldCount(database, p)) return { _tag: "KeyExpired", key }
  return { _tag: "HashFieldsExpired", key, fields: dueFields(database, p, now, fieldsAtOnce) }
}

/** What `expireDue` does with what is due: false when it may not. The keys are copies. */
export interface Undertaker {
  readonly key: (db: number, key: Slice) => boolean
  /** Buries some of the fields of a hash that are due. */
  readonly fields: (db: number, key: Slice) => boolean
}

/**
 * Hands every key that is due to `bury`, and every hash with fields that are, earliest first in each database, until the
 * budget is used up or `bury` refuses. Returns whether the budget was used up.
 */
export const expireDue = (
  keyspace: Keyspace,
  now: number,
  monotonic: () => number,
  budgetMs: number,
  bury: Undertaker
): boolean => {
  const until = monotonic() + budgetMs
  let buried = 0
  for (let db = 0; db < keyspace.databases.length; db++) {
    const database = keyspace.databases[db]!
    for (;;) {
      const p = firstDue(database, now)
      if (p === 0) break
      // The key must outlive its entry: the log reads it while the fold frees the block.
      if (!bury.key(db, Entry.keyOf(database.arena, p).copy())) return false
      if (++buried % stride === 0 && monotonic() >= until) return true
    }
    for (;;) {
      const p = firstDueHash(database, now)
      if (p === 0) break
      if (!bury.fields(db, Entry.keyOf(database.arena, p).copy())) return false
      buried += stride >>> 2
      if (buried % stride < stride >>> 2 && monotonic() >= until) return true
    }
  }
  return false
}
