import * as Schema from "effect/Schema"
import { Count } from "./fields.ts"

/** Facts about no single key. */
export const SystemEvent = Schema.TaggedUnion({
  /** The batch's database was emptied. */
  DatabaseFlushed: {},
  /** Every database was emptied. */
  KeyspaceFlushed: {},
  /** Two databases changed places. */
  DatabasesSwapped: { first: Count, second: Count }
})
export type SystemEvent = typeof SystemEvent.Type
