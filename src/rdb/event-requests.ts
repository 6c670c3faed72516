/** For each event the command of Redis 7.0 that makes it happen, where there is one. */
import type { Event } from "../log/events/catalog.ts"
import { Slice } from "../projections/memory/slice.ts"
import type { StreamId } from "../projections/memory/stream-id.ts"
import type { RequestBytes, Word } from "./requests.ts"

/** Stands in a list for what is about to be removed from it: nobody holds anything like it. */
const tombstone = "annals:removed:5b1f0c3e9a7d4e62b8d1f3a06c27e594"

const scoreText = (score: number): string =>
  score === Infinity ? "inf" : score === -Infinity ? "-inf" : Object.is(score, -0) ? "-0" : String(score)

/** A request whose last words are of one list. */
const withSlices = (out: RequestBytes, rest: ReadonlyArray<Slice>, ...head: ReadonlyArray<Word>): void => {
  out.begin(head.length + rest.length)
  for (const word of head) out.word(word)
  for (const word of rest) out.word(word)
}

const withIds = (out: RequestBytes, ids: ReadonlyArray<StreamId>, ...head: ReadonlyArray<Word>): void => {
  out.begin(head.length + ids.length)
  for (const word of head) out.word(word)
  for (const id of ids) out.word(id.toString())
}

const readCount = (entriesRead: number | bigint | null): ReadonlyArray<Word> =>
  entriesRead === null ? [] : ["ENTRIESREAD", String(entriesRead)]

const claim = (
  out: RequestBytes,
  event: { readonly key: Slice; readonly group: Slice; readonly consumer: Slice },
  ids: ReadonlyArray<StreamId>,
  time: number,
  count: number | bigint
): void => {
  if (ids.length === 0) return
  const { consumer, group, key } = event
  out.begin(11 + ids.length)
  for (const word of ["XCLAIM", key, group, consumer, 0]) out.word(word)
  for (const id of ids) out.word(id.toString())
  for (const word of ["TIME", time, "RETRYCOUNT", String(count), "FORCE", "JUSTID"]) out.word(word)
}

const strings = (out: RequestBytes, event: Event): boolean => {
  switch (event._tag) {
    case "StringSet":
      if (event.expireAt === null) out.request("SET", event.key, event.value)
      else out.request("SET", event.key, event.value, "PXAT", event.expireAt)
      return true
    case "StringIncremented":
      out.request("SET", event.key, String(event.value), "KEEPTTL")
      return true
    case "StringFloatIncremented":
      out.request("SET", event.key, event.value, "KEEPTTL")
      return true
    case "StringAppended":
      out.request("APPEND", event.key, event.suffix)
      return true
    case "StringRangeSet":
      if (event.value.length === 0) return false
      out.request("SETRANGE", event.key, event.offset, event.value)
      return true
    case "StringsCombined":
      if (!["and", "or", "xor", "not"].includes(event.operation.toLowerCase())) return false
      withSlices(out, event.sources, "BITOP", event.operation, event.key)
      return true
    default:
      return false
  }
}

const keys = (out: RequestBytes, event: Event): boolean => {
  switch (event._tag) {
    case "KeyDeleted":
    case "KeyExpired":
    case "KeyEvicted":
      out.request("DEL", event.key)
      return true
    case "KeyExpirySet":
      out.request("PEXPIREAT", event.key, event.expireAt)
      return true
    case "KeyPersisted":
      out.request("PERSIST", event.key)
      return true
    case "KeyRenamed":
      out.request("RENAME", event.key, event.to)
      return true
    case "KeyCopied":
      out.request("COPY", event.key, event.to, "DB", event.toDb, "REPLACE")
      return true
    case "KeyMoved":
      out.request("MOVE", event.key, event.toDb)
      return true
    case "DatabaseFlushed":
      out.request("FLUSHDB")
      return true
    case "KeyspaceFlushed":
      out.request("FLUSHALL")
      return true
    case "DatabasesSwapped":
      out.request("SWAPDB", event.first, event.second)
      return true
    default:
      return false
  }
}

const lists = (out: RequestBytes, event: Event): boolean => {
  switch (event._tag) {
    case "ListPushed":
      withSlices(out, event.elements, event.side === "left" ? "LPUSH" : "RPUSH", event.key)
      return true
    case "ListPopped":
      out.request(event.side === "left" ? "LPOP" : "RPOP", event.key, event.elements.length)
      return true
    case "ListElementSet":
      out.request("LSET", event.key, event.index, event.element)
      return true
    case "ListElementsRemoved":
      for (const index of event.indexes) out.request("LSET", event.key, index, tombstone)
      out.request("LREM", event.key, 0, tombstone)
      return true
    case "ListTrimmed":
      out.request("LTRIM", event.key, event.start, event.stop)
      return true
    default:
      return false
  }
}

const collections = (out: RequestBytes, event: Event): boolean => {
  switch (event._tag) {
    case "SetMembersAdded":
      withSlices(out, event.members, "SADD", event.key)
      return true
    case "SetMembersRemoved":
      withSlices(out, event.members, "SREM", event.key)
      return true
    case "HashFieldsSet":
    case "HashFieldsUpdated":
      withSlices(out, event.pairs, "HSET", event.key)
      return true
    case "HashFieldsDeleted":
    case "HashFieldsExpired":
      withSlices(out, event.fields, "HDEL", event.key)
      return true
    case "HashFieldsExpirySet":
    case "HashFieldsPersisted":
      return true
    case "SortedSetMembersScored":
      out.begin(2 + 2 * event.members.length)
      out.word("ZADD")
      out.word(event.key)
      for (let i = 0; i < event.members.length; i++) {
        out.word(scoreText(event.scores[i]!))
        out.word(event.members[i]!)
      }
      return true
    case "SortedSetMembersRemoved":
      withSlices(out, event.members, "ZREM", event.key)
      return true
    case "SortedSetRangeRemoved":
      out.request("ZREMRANGEBYRANK", event.key, event.start, event.stop)
      return true
    default:
      return false
  }
}

/** `length` of the stream before the event. */
const streams = (out: RequestBytes, event: Event, length: number): boolean => {
  switch (event._tag) {
    case "StreamCreated":
      // No command makes an empty one; a group that goes again leaves it behind.
      out.request("XGROUP", "CREATE", event.key, tombstone, "0", "MKSTREAM")
      out.request("XGROUP", "DESTROY", event.key, tombstone)
      return true
    case "StreamEntryAdded":
      withSlices(out, event.pairs, "XADD", event.key, event.id.toString())
      return true
    case "StreamEntriesDeleted":
    case "StreamEntriesTrimmed":
      withIds(out, event.ids, "XDEL", event.key)
      return true
    case "StreamTrimmed":
      out.request("XTRIM", event.key, "MAXLEN", "=", Math.max(0, length - event.count))
      return true
    case "StreamIdSet": {
      const { entriesAdded, key, lastId, maxDeletedId } = event
      const rest = ["ENTRIESADDED", String(entriesAdded), "MAXDELETEDID", maxDeletedId.toString()]
      out.request("XSETID", key, lastId.toString(), ...rest)
      return true
    }
    case "StreamConfigured":
    case "StreamProducerNoted":
    case "StreamDuplicateRefused":
    case "StreamProducersRestored":
    case "StreamProducerRestored":
      return true
    default:
      return groups(out, event)
  }
}

const groups = (out: RequestBytes, event: Event): boolean => {
  switch (event._tag) {
    case "StreamGroupCreated":
    case "StreamGroupIdSet": {
      const { entriesRead, group, key, lastDelivered } = event
      const verb = event._tag === "StreamGroupCreated" ? "CREATE" : "SETID"
      out.request("XGROUP", verb, key, group, lastDelivered.toString(), ...readCount(entriesRead))
      return true
    }
    case "StreamGroupDestroyed":
      out.request("XGROUP", "DESTROY", event.key, event.group)
      return true
    case "StreamConsumerCreated":
      out.request("XGROUP", "CREATECONSUMER", event.key, event.group, event.consumer)
      return true
    case "StreamConsumerDeleted":
      out.request("XGROUP", "DELCONSUMER", event.key, event.group, event.consumer)
      return true
    case "StreamEntriesDelivered": {
      const { entriesRead, group, key, lastDelivered } = event
      claim(out, event, event.ids, event.time, 1)
      out.request("XGROUP", "SETID", key, group, lastDelivered.toString(), ...readCount(entriesRead))
      return true
    }
    case "StreamEntriesAcknowledged":
      withIds(out, event.ids, "XACK", event.key, event.group)
      return true
    case "StreamEntriesClaimed": {
      const { counts, deliveredAt, ids } = event
      for (let from = 0; from < ids.length;) {
        let to = from + 1
        while (to < ids.length && counts[to] === counts[from]) to++
        claim(out, event, ids.slice(from, to), deliveredAt, counts[from]!)
        from = to
      }
      return true
    }
    default:
      return false
  }
}

/**
 * Adds the requests for an event; false where there are none that do it. `length` is that of the stream before the event,
 * where it is one that makes a stream shorter.
 */
export const putDirect = (out: RequestBytes, event: Event, length: number): boolean => {
  const tag = event._tag
  if (tag.startsWith("String")) return strings(out, event)
  if (tag.startsWith("Stream")) return streams(out, event, length)
  if (tag.startsWith("ListN")) return false // a node of a checkpoint
  if (tag.startsWith("List")) return lists(out, event)
  if (tag.startsWith("Key") || tag.startsWith("Database")) return keys(out, event)
  return collections(out, event)
}
