/** Reads streams in the format of RDB files (see dump-stream.ts), those of Redis 5 and 7.2 too. */
import type { Event } from "../log/events/catalog.ts"
import { fromWords } from "./memory/integer.ts"
import * as Pack from "./memory/pack.ts"
import { Slice } from "./memory/slice.ts"
import { inspected, inspectPack } from "./memory/stream-cursor.ts"
import { compareIds, StreamId } from "./memory/stream-id.ts"
import { getIdBytes, idBytes } from "./memory/stream-node.ts"
import { BadData, type RdbReader } from "./rdb-reader.ts"
import { RdbType } from "./rdb-writer.ts"

interface PendingEntry {
  readonly id: StreamId
  readonly time: number
  readonly count: number | bigint
  /** The place of its consumer, counted from 1; 0 as long as it is not known. */
  owner: number
}

interface ConsumerValue {
  readonly name: Slice
  readonly seen: number
  readonly active: number | null
}

interface GroupValue {
  readonly name: Slice
  readonly lastDelivered: StreamId
  readonly entriesRead: number | bigint | null
  readonly pending: ReadonlyArray<PendingEntry>
  readonly consumers: ReadonlyArray<ConsumerValue>
}

/** A stream that was read; the slices stay valid. */
export interface StreamValue {
  readonly type: "stream"
  readonly nodes: ReadonlyArray<{ readonly id: StreamId; readonly pack: Slice }>
  readonly lastId: StreamId
  readonly maxDeletedId: StreamId
  readonly entriesAdded: number | bigint
  readonly groups: ReadonlyArray<GroupValue>
}

const idOf = (from: RdbReader): StreamId => {
  const [msHigh, msLow] = from.words64()
  const [seqHigh, seqLow] = from.words64()
  return new StreamId(msHigh, msLow, seqHigh, seqLow)
}

const rawId = (from: RdbReader): StreamId => {
  const { bytes, start } = from.raw(idBytes)
  return getIdBytes(bytes, start, new StreamId())
}

const integer = (from: RdbReader): number | bigint => fromWords(...from.words64())

/** Unix milliseconds; what is none counts as 0. */
const time = (from: RdbReader): number => {
  const value = from.i64()
  return value >= 0 && value <= Number.MAX_SAFE_INTEGER ? value : 0
}

/** What nodes held altogether: entries that are not removed, the first and last of them, and the last of either kind. */
class Held {
  live = 0
  readonly first = new StreamId()
  readonly last = new StreamId()
  readonly edge = new StreamId()
}

/** A node; undefined for one of which only removed entries are left, which XTRIM leaves behind in Redis. */
const nodeOf = (from: RdbReader, held: Held): { readonly id: StreamId; readonly pack: Slice } | undefined => {
  const key = from.string()
  if (key.length !== idBytes) throw new BadData("the id of a node is not as long as ids are")
  const id = getIdBytes(key.bytes, key.start, new StreamId())
  const { bytes, length, start } = from.string()
  const end = start + length - 1
  const view = Buffer.from(bytes.buffer, bytes.byteOffset + start, length)
  if (length < 11 || view.readUInt32LE(0) !== length || bytes[end] !== 0xff) throw new BadData("no listpack")
  let at = start + 6
  const counters: Array<number | bigint> = []
  for (let i = 0; i < 2; i++) {
    if (at >= end || !Pack.isInteger(bytes, at) || !Pack.isPack(bytes, at, at + Pack.sizeAt(bytes, at))) {
      throw new BadData("a node does not begin with two counters")
    }
    counters.push(Pack.integerAt(bytes, at))
    at += Pack.sizeAt(bytes, at)
  }
  if (!inspectPack(bytes, at, end, id)) throw new BadData("a node is damaged")
  if (counters[0] !== inspected.live || counters[1] !== inspected.dead) throw new BadData("a node counts wrong")
  if (inspected.live === 0) return undefined
  // The first pack may begin at 0-0, but no entry has that id.
  if (held.live > 0 && compareIds(id, held.edge) <= 0) throw new BadData("nodes are not in order")
  if (held.live === 0) held.first.from(inspected.firstId)
  held.live += inspected.live
  held.last.from(inspected.lastId)
  held.edge.from(inspected.edgeId)
  return { id, pack: new Slice(bytes, at, end - at) }
}

/** How many entries a group has read that goes on after `id`, of a stream that has lost none; null when that is not known. */
const estimatedRead = (id: StreamId, { first, live }: Held, lastId: StreamId): number | null => {
  if (live === 0) return 0
  const toLast = compareIds(id, lastId)
  if (toLast === 0) return live
  if (toLast > 0) return null
  const toFirst = compareIds(id, first)
  return toFirst < 0 ? 0 : toFirst === 0 ? 1 : null
}

const groupOf = (from: RdbReader, type: number, held: Held, streamLast: StreamId): GroupValue => {
  const name = from.string()
  const lastDelivered = idOf(from)
  let entriesRead: number | bigint | null
  if (type === RdbType.streamListpacks) entriesRead = estimatedRead(lastDelivered, held, streamLast)
  else {
    const read = integer(from)
    entriesRead = read === -1 ? null : read
  }
  const pending = new Map<string, PendingEntry>()
  for (let left = from.count(); left > 0; left--) {
    const id = rawId(from)
    const entry = { id, time: time(from), count: integer(from), owner: 0 }
    if (pending.has(String(id))) throw new BadData("an entry is pending twice")
    pending.set(String(id), entry)
  }
  const consumers: Array<ConsumerValue> = []
  const names = new Set<string>()
  for (let left = from.count(); left > 0; left--) {
    const consumer = from.string()
    if (names.has(consumer.latin1())) throw new BadData("a consumer is there twice")
    names.add(consumer.latin1())
    const seen = time(from)
    const active = type === RdbType.streamListpacks3 ? from.i64() : -1
    consumers.push({ name: consumer, seen, active: active >= 0 && Number.isSafeInteger(active) ? active : null })
    for (let entries = from.count(); entries > 0; entries--) {
      const entry = pending.get(String(rawId(from)))
      if (entry === undefined || entry.owner !== 0) {
        throw new BadData("a consumer has what is not pending, or not its own")
      }
      entry.owner = consumers.length
    }
  }
  if ([...pending.values()].some(({ owner }) => owner === 0)) throw new BadData("a pending entry is nobody's")
  return { name, lastDelivered, entriesRead, pending: [...pending.values()], consumers }
}

/** Reads a stream whose type's number was read already. @throws BadData */
export const readStream = (from: RdbReader, type: number): StreamValue => {
  const held = new Held()
  const nodes: Array<{ readonly id: StreamId; readonly pack: Slice }> = []
  for (let left = from.count(); left > 0; left--) {
    const node = nodeOf(from, held)
    if (node !== undefined) nodes.push(node)
  }
  if (from.length() !== held.live) throw new BadData("the number of entries is wrong")
  const lastId = idOf(from)
  if (compareIds(held.last, lastId) > 0) throw new BadData("an entry is beyond the last id")
  let maxDeletedId = new StreamId()
  let entriesAdded: number | bigint = held.live
  if (type !== RdbType.streamListpacks) {
    idOf(from) // the first id, which the entries tell
    maxDeletedId = idOf(from)
    entriesAdded = integer(from)
  }
  const groups: Array<GroupValue> = []
  const names = new Set<string>()
  for (let left = from.count(); left > 0; left--) {
    const group = groupOf(from, type, held, lastId)
    if (names.has(group.name.latin1())) throw new BadData("a group is there twice")
    names.add(group.name.latin1())
    groups.push(group)
  }
  return { type: "stream", nodes, lastId, maxDeletedId, entriesAdded, groups }
}

/** The events that make a stream at an absent key. The last id comes after the nodes: it may be less than that of removed entries. */
export const streamEvents = (key: Slice, value: StreamValue): ReadonlyArray<Event> => {
  const { entriesAdded, groups, lastId, maxDeletedId, nodes } = value
  const events: Array<Event> = nodes.map(({ id, pack }) => ({ _tag: "StreamNodeRestored", key, id, pack }))
  events.push({ _tag: "StreamIdSet", key, lastId, entriesAdded, maxDeletedId })
  for (const { consumers, entriesRead, lastDelivered, name: group, pending } of groups) {
    events.push({ _tag: "StreamGroupCreated", key, group, lastDelivered, entriesRead })
    for (const { active, name: consumer, seen } of consumers) {
      events.push({ _tag: "StreamConsumerRestored", key, group, consumer, seen, active })
    }
    if (pending.length === 0) continue
    events.push({
      _tag: "StreamPendingRestored",
      key,
      group,
      consumers: consumers.map(({ name }) => name),
      owners: pending.map(({ owner }) => owner),
      ids: pending.map(({ id }) => id),
      times: pending.map((entry) => entry.time),
      counts: pending.map(({ count }) => count)
    })
  }
  return events
}
