import * as Schema from "effect/Schema"
import { Bytes, Count, Int64, Key, many, orNull, StreamId, UnixMillis } from "./fields.ts"

/**
 * What can happen to a stream. A stream that loses its last entry stays. Ids are in no particular order where nothing is
 * said of it.
 *
 * The events that say how something is now (StreamIdSet, StreamConfigured, StreamGroupCreated and those that end in
 * Restored) make the stream, and the group, if there is none: checkpoints hold a stream in these, in any order.
 */
export const StreamEvent = Schema.TaggedUnion({
  /** There is an empty stream now, if there was none. */
  StreamCreated: { key: Key },
  /** An entry was added at the end; an absent key counts as an empty stream. `pairs` are fields and values in turn. */
  StreamEntryAdded: { key: Key, id: StreamId, pairs: many(Bytes) },
  /** A client removed these entries: the greatest id that was ever removed moves on. Pending entries stay pending. */
  StreamEntriesDeleted: { key: Key, ids: many(StreamId) },
  /** The first `count` entries left, because the stream was to be shorter. */
  StreamTrimmed: { key: Key, count: Count },
  /** These entries left because the stream was to be shorter, while others before them were to stay. */
  StreamEntriesTrimmed: { key: Key, ids: many(StreamId) },
  /** The greatest id ever added, the number of entries ever added and the greatest id ever removed are these now. */
  StreamIdSet: { key: Key, lastId: StreamId, entriesAdded: Int64, maxDeletedId: StreamId },
  /**
   * What producers have added is remembered for `durationSeconds`, the last `maxSize` for each; what was remembered so far
   * is forgotten.
   */
  StreamConfigured: { key: Key, durationSeconds: Count, maxSize: Count },
  /** The entry `id` is what this producer added under the name `iid`, at this time. */
  StreamProducerNoted: { key: Key, producer: Bytes, iid: Bytes, id: StreamId, time: UnixMillis },
  /** A producer sent again what it had added already: nothing was added, and that is counted. */
  StreamDuplicateRefused: { key: Key },
  /** The group begins after this entry, of which number the group has read so many, null if that is not known. */
  StreamGroupCreated: { key: Key, group: Bytes, lastDelivered: StreamId, entriesRead: orNull(Int64) },
  /** The group goes on after this entry. */
  StreamGroupIdSet: { key: Key, group: Bytes, lastDelivered: StreamId, entriesRead: orNull(Int64) },
  /** The group is gone with its consumers and pending entries. */
  StreamGroupDestroyed: { key: Key, group: Bytes },
  /** The group has this consumer now, first seen at `time`. */
  StreamConsumerCreated: { key: Key, group: Bytes, consumer: Bytes, time: UnixMillis },
  /** The consumer is gone with its pending entries. */
  StreamConsumerDeleted: { key: Key, group: Bytes, consumer: Bytes },
  /**
   * The consumer was given new entries, and the group goes on after `lastDelivered`. The entries `ids` are pending now,
   * delivered once; none of them if the client wanted no acknowledgement.
   */
  StreamEntriesDelivered: {
    key: Key,
    group: Bytes,
    consumer: Bytes,
    ids: many(StreamId),
    lastDelivered: StreamId,
    entriesRead: orNull(Int64),
    time: UnixMillis
  },
  /**
   * These entries are pending for this consumer now, whoever had them, as of `deliveredAt`; each was delivered as often as
   * the number at the same place of `counts` says. The consumer was active at `time`.
   */
  StreamEntriesClaimed: {
    key: Key,
    group: Bytes,
    consumer: Bytes,
    ids: many(StreamId),
    counts: many(Int64),
    deliveredAt: UnixMillis,
    time: UnixMillis
  },
  /** These entries are pending no longer. */
  StreamEntriesAcknowledged: { key: Key, group: Bytes, ids: many(StreamId) },
  /** These entries are pending for nobody, whoever had them; times and counts as in StreamEntriesClaimed. */
  StreamEntriesReleased: {
    key: Key,
    group: Bytes,
    ids: many(StreamId),
    counts: many(Int64),
    deliveredAt: UnixMillis
  },
  /**
   * The stream has this run of entries whose first id was `id`, at their place among the others; the layout of `pack` is
   * that of stream-node.ts. What the stream knows besides its entries does not change, but for a last id that is less.
   */
  StreamNodeRestored: { key: Key, id: StreamId, pack: Bytes },
  /** The consumer was last seen and last active at these times. */
  StreamConsumerRestored: {
    key: Key,
    group: Bytes,
    consumer: Bytes,
    seen: UnixMillis,
    active: orNull(UnixMillis)
  },
  /**
   * These entries are pending, each for one of `consumers`: the number at the same place of `owners` counts them from 1, and
   * is 0 where nobody has it.
   */
  StreamPendingRestored: {
    key: Key,
    group: Bytes,
    consumers: many(Bytes),
    owners: many(Count),
    ids: many(StreamId),
    times: many(UnixMillis),
    counts: many(Int64)
  },
  /** What producers have added is remembered so; they noted and sent again so many in all. Nothing is forgotten. */
  StreamProducersRestored: {
    key: Key,
    durationSeconds: Count,
    maxSize: Count,
    noted: Int64,
    duplicates: Int64
  },
  /** Of this producer these entries are remembered, under the names and with the times at the same places. */
  StreamProducerRestored: {
    key: Key,
    producer: Bytes,
    iids: many(Bytes),
    ids: many(StreamId),
    times: many(UnixMillis)
  }
})
export type StreamEvent = typeof StreamEvent.Type
