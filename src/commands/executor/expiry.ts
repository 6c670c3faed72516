import * as Entry from "../../projections/entry.ts"
import { earliestFieldDeadline } from "../../projections/hash-fields.ts"
import { deadFields } from "../../projections/hash.ts"
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

/** The hash whose fields die first, if that is due; 0 when none is. */
const firstHashDue = (database: Database, now: number): Pointer => {
  const order = database.fieldDeadlines
  if (!order.first()) return 0
  const deadline = order.a * 0x1_0000_0000 + order.b
  if (deadline > now) return 0
  const { arena, structures } = database
  return database.dict.eachWithHash(
    order.c,
    (p) => Entry.typeOf(arena, p) === Entry.Type.hash && earliestFieldDeadline(structures, p) === deadline
  )
}

/** Most fields of one hash that die in one batch. */
const fieldsPerBatch = 256

/** What `expireDue` does with what is due. Both are told of copies. */
export interface Undertaker {
  readonly key: (db: number, key: Slice) => boolean
  readonly fields: (db: number, key: Slice, fields: ReadonlyArray<Slice>) => boolean
}

/**
 * Hands every key and every field of a hash that is due to `bury`, earliest first in each database, until the budget is
 * used up or `bury` refuses. Returns whether the budget was used up.
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
      const p = firstHashDue(database, now)
      if (p === 0) break
      const fields = deadFields(database, p, now, fieldsPerBatch)
      if (!bury.fields(db, Entry.keyOf(database.arena, p).copy(), fields)) return false
      buried += fields.length
      if (monotonic() >= until) return true
    }
  }
  return false
}
