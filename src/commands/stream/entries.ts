/** Counting and listing the entries of a stream. */
import type { Database } from "../../projections/keyspace.ts"
import type { Pointer } from "../../projections/memory/arena.ts"
import { leastId, retreat, StreamId } from "../../projections/memory/stream-id.ts"
import * as Stream from "../../projections/stream-read.ts"

const range = new Stream.EntryRange()

/** The ids of up to `count` entries of a range. */
export const idsBetween = (
  db: Database,
  p: Pointer,
  from: StreamId,
  to: StreamId,
  count = Infinity
): Array<StreamId> => {
  const ids: Array<StreamId> = []
  range.start(db, p, from, to)
  while (ids.length < count && range.next()) ids.push(range.id.copy())
  return ids
}

const before = new StreamId()

/** How many entries have a lower id. */
export const countBefore = (db: Database, p: Pointer, id: StreamId): number =>
  retreat(before.from(id)) ? Stream.countEntries(db, p, leastId, before, Infinity) : 0
