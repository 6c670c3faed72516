/** Sorted sets: a pack of members and scores in order, or a table of members and their order. */
import type { Database } from "./database.ts"
import type { Slice } from "./memory/slice.ts"

export const membersScored = (
  _db: Database,
  _key: Slice,
  _members: ReadonlyArray<Slice>,
  _scores: ReadonlyArray<number>
): void => {}
export const membersRemoved = (_db: Database, _key: Slice, _members: ReadonlyArray<Slice>): void => {}
export const rangeRemoved = (_db: Database, _key: Slice, _start: number, _stop: number): void => {}
