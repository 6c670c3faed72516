import * as Entry from "../../projections/entry.ts"
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

/**
 * Hands every key that is due to `bury`, earliest first in each database, until the budget is used up.
 * Returns whether keys that are due remain.
 */
export const expireDue = (
  keyspace: Keyspace,
  now: number,
  monotonic: () => number,
  budgetMs: number,
  bury: (db: number, key: Slice) => void
): boolean => {
  const until = monotonic() + budgetMs
  let buried = 0
  for (let db = 0; db < keyspace.databases.length; db++) {
    const database = keyspace.databases[db]!
    for (;;) {
      const p = firstDue(database, now)
      if (p === 0) break
      // The key must outlive its entry: the log reads it while the fold frees the block.
      bury(db, Entry.keyOf(database.arena, p).copy())
      if (++buried % stride === 0 && monotonic() >= until) return true
    }
  }
  return false
}
