import * as Schema from "effect/Schema"
import { Bytes, Count, Key, orNull, UnixMillis } from "./fields.ts"

/**
 * How checkpoints hold collections, besides the events of their types: small ones as the bytes they are in memory, large
 * lists node by node. Their pieces may come in any order.
 */
export const CollectionEvent = Schema.TaggedUnion({
  /**
   * The key now holds a collection that is one run of bytes, whatever it held before. `shape` is its type and encoding as
   * numbers of entry.ts: type * 16 + encoding. `bytes` are those of the entry's value.
   */
  CollectionRestored: { key: Key, shape: Count, bytes: Bytes, expireAt: orNull(UnixMillis) },
  /** The list at the key has this run of `count` elements as its node number `ordinal`, among those it has got so far. */
  ListNodeRestored: { key: Key, ordinal: Count, count: Count, pack: Bytes }
})
export type CollectionEvent = typeof CollectionEvent.Type
