/** What XREADGROUP gives a consumer of one stream: what it has not acknowledged, what others let lie, what is new. */
import type { Int64 } from "../../log/events/fields.ts"
import type { ElementSink } from "../../net/resp/reply.ts"
import type { Pointer } from "../../projections/memory/arena.ts"
import type { Slice } from "../../projections/memory/slice.ts"
import { advance, compareIds, greatestId, StreamId } from "../../projections/memory/stream-id.ts"
import { PendingRange } from "../../projections/stream-pending.ts"
import * as Stream from "../../projections/stream-read.ts"
import type { Decision } from "../decision.ts"
import type { Allowance } from "./allowance.ts"
import { countersOf } from "./lag.ts"
import { idleMs, plusOne } from "./pending.ts"
import { writeOne } from "./reply.ts"

const pending = new PendingRange()
const entries = new Stream.EntryRange()

/** Who reads, and from where. */
export interface Reader {
  readonly key: Slice
  readonly p: Pointer
  readonly groupName: Slice
  readonly group: Pointer
  readonly consumerName: Slice
  /** 0 until it is looked for, and when it has just come to be. */
  readonly consumer: Pointer
}

/** Entries for a consumer, in this order. */
export interface Given {
  readonly ids: ReadonlyArray<StreamId>
  /** With CLAIM: for how many milliseconds each was with another, and how often it had been delivered; 0 for what is new. */
  readonly idle?: ReadonlyArray<number>
  readonly deliveries?: ReadonlyArray<Int64>
}

/** Writes entries; with CLAIM each with its idle time and deliveries. */
export const writeGiven = (out: ElementSink, d: Decision, p: Pointer, { deliveries, idle, ids }: Given): void => {
  out.array(ids.length)
  ids.forEach((id, i) => {
    writeOne(out, d.db, p, id, idle === undefined ? 2 : 4)
    if (idle === undefined) return
    out.reply(idle[i]!)
    out.reply(deliveries![i]!)
  })
}

/** What is pending for the consumer after `after`: it counts as delivered once more, unless it is no longer there. */
export const pendingAgain = (d: Decision, reader: Reader, after: StreamId, allowance: Allowance): Given => {
  const { consumer, consumerName, group, groupName, key, p } = reader
  const from = after.copy()
  const ids: Array<StreamId> = []
  if (consumer === 0 || !advance(from)) return { ids }
  const held: Array<StreamId> = []
  const counts: Array<Int64> = []
  pending.start(d.db, group, consumer, from, greatestId)
  while (pending.next() && allowance.takes(d, p, pending.id)) {
    const id = pending.id.copy()
    ids.push(id)
    if (!Stream.hasEntry(d.db, p, id)) continue
    held.push(id)
    counts.push(plusOne(pending.deliveries))
  }
  if (held.length > 0) {
    const time = d.time
    d.emit({
      _tag: "StreamEntriesClaimed",
      key,
      group: groupName,
      consumer: consumerName,
      ids: held,
      counts,
      deliveredAt: time,
      time
    })
  }
  return { ids }
}

/** What was pending for at least so long, whoever has it, longest first: it is the consumer's now. */
export const idleEntries = (d: Decision, reader: Reader, minIdle: number, allowance: Allowance): Required<Given> => {
  const { consumerName, group, groupName, key, p } = reader
  const ids: Array<StreamId> = []
  const idle: Array<number> = []
  const deliveries: Array<Int64> = []
  const lost: Array<StreamId> = []
  const time = d.time
  pending.startOldest(d.db, group, time - minIdle)
  while (allowance.left && pending.next()) {
    const id = pending.id.copy()
    if (!Stream.hasEntry(d.db, p, id)) lost.push(id)
    else if (allowance.takes(d, p, id)) {
      ids.push(id)
      idle.push(idleMs(d, pending))
      deliveries.push(pending.deliveries)
    }
  }
  if (lost.length > 0) d.emit({ _tag: "StreamEntriesAcknowledged", key, group: groupName, ids: lost })
  if (ids.length > 0) {
    const counts = deliveries.map(plusOne)
    d.emit({
      _tag: "StreamEntriesClaimed",
      key,
      group: groupName,
      consumer: consumerName,
      ids,
      counts,
      deliveredAt: time,
      time
    })
  }
  return { ids, idle, deliveries }
}

/** In how many milliseconds at the earliest something will have been pending that long; Infinity when nothing is pending. */
export const untilIdle = (d: Decision, group: Pointer, minIdle: number): number => {
  pending.startOldest(d.db, group, Infinity)
  return pending.next() ? Math.max(0, pending.deliveredAt + minIdle - d.time) : Infinity
}

/** Where a group is, while one request reads the same stream several times. */
export interface Progress {
  readonly lastDelivered: StreamId
  entriesRead: Int64 | null
}

/** What no consumer of the group was given yet: it is pending for this one now, unless it wants no acknowledgement. */
export const newEntries = (
  d: Decision,
  reader: Reader,
  progress: Progress,
  noAck: boolean,
  allowance: Allowance
): ReadonlyArray<StreamId> => {
  const { consumerName, groupName, key, p } = reader
  if (!advance(first.from(progress.lastDelivered))) return noIds
  const counters = countersOf(d.db, p)
  let read = progress.entriesRead
  let ids = noIds
  let last: StreamId | undefined
  entries.start(d.db, p, first, greatestId)
  while (allowance.left && entries.next() && allowance.takesEntry(entries)) {
    read = counters.afterReading(entries.id, read)
    last = entries.id.copy()
    // Mostly it is one: an array that is pushed to begins with room for seventeen.
    if (ids.length === 0) ids = [last]
    else ids.push(last)
  }
  if (last === undefined) return ids
  d.emit({
    _tag: "StreamEntriesDelivered",
    key,
    group: groupName,
    consumer: consumerName,
    ids: noAck ? [] : ids,
    lastDelivered: last,
    entriesRead: read,
    time: d.time
  })
  progress.lastDelivered.from(last)
  progress.entriesRead = read
  return ids
}

/** Whether the group has entries of the stream yet to give. */
export const hasNew = (d: Decision, p: Pointer, { lastDelivered }: Progress): boolean =>
  compareIds(Stream.lastId(d.db, p, end), lastDelivered) > 0

const end = new StreamId()
const first = new StreamId()
const noIds: Array<StreamId> = []
