import * as Schema from "effect/Schema"
import { Bytes, Count, Key, many, Score } from "./fields.ts"

/** What can happen to a sorted set. One that loses its last member is gone, and so is its key. */
export const SortedSetEvent = Schema.TaggedUnion({
  /** Each of these members has the score at the same place of `scores` now; an absent key counts as an empty set. */
  SortedSetMembersScored: { key: Key, members: many(Bytes), scores: many(Score) },
  /** These members left the sorted set, whoever chose them. */
  SortedSetMembersRemoved: { key: Key, members: many(Bytes) },
  /** The members of ranks `start` to `stop`, both included and counted from 0 at the lowest score, left. */
  SortedSetRangeRemoved: { key: Key, start: Count, stop: Count }
})
export type SortedSetEvent = typeof SortedSetEvent.Type
