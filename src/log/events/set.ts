import * as Schema from "effect/Schema"
import { Bytes, Key, many } from "./fields.ts"

/** What can happen to a set. A set that loses its last member is gone, and so is its key. */
export const SetEvent = Schema.TaggedUnion({
  /** These members are in the set now; an absent key counts as an empty set. */
  SetMembersAdded: { key: Key, members: many(Bytes) },
  /** These members left the set, whoever chose them (SREM, SPOP, SMOVE). */
  SetMembersRemoved: { key: Key, members: many(Bytes) }
})
export type SetEvent = typeof SetEvent.Type
