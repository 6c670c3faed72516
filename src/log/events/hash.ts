import * as Schema from "effect/Schema"
import { Bytes, Key, many, UnixMillis } from "./fields.ts"

/**
 * What can happen to a hash. `pairs` are fields and values in turn. A hash that loses its last field is gone, and so is
 * its key.
 */
export const HashEvent = Schema.TaggedUnion({
  /** These fields have these values now, and no deadlines; an absent key counts as an empty hash. */
  HashFieldsSet: { key: Key, pairs: many(Bytes) },
  /** The values of these fields became these; the deadlines of fields stay. */
  HashFieldsUpdated: { key: Key, pairs: many(Bytes) },
  /** A client removed these fields. */
  HashFieldsDeleted: { key: Key, fields: many(Bytes) },
  /** The deadlines of these fields passed, and the fields are gone. */
  HashFieldsExpired: { key: Key, fields: many(Bytes) },
  /** These fields die at `expireAt`. */
  HashFieldsExpirySet: { key: Key, expireAt: UnixMillis, fields: many(Bytes) },
  /** These fields lost their deadlines. */
  HashFieldsPersisted: { key: Key, fields: many(Bytes) }
})
export type HashEvent = typeof HashEvent.Type
