/**
 * Streams: what their events do. Entries, groups and producers lie in structures of the database's arena
 * (memory/streams.ts), whatever the size of a stream. Reading them: stream-read.ts.
 */
import type { EventOf } from "../log/events/catalog.ts"
import { rootOf, written } from "./collection.ts"
import type { Database } from "./database.ts"
import * as Entry from "./entry.ts"
import { type Pointer, slabOf, wordOf } from "./memory/arena.ts"
import type { Slice } from "./memory/slice.ts"
import { Root } from "./memory/stream-entries.ts"
import { ConsumerWord } from "./memory/stream-group-parts.ts"
import { compareIds, StreamId } from "./memory/stream-id.ts"

const scratch = new StreamId()

/** The stream at a key; 0 when there is none. */
const streamAt = (db: Database, key: Slice): Pointer => {
  const p = db.locate(key)
  return p !== 0 && Entry.typeOf(db.arena, p) === Entry.Type.stream ? p : 0
}

/** The stream at a key, about to change; an empty one takes the place of anything else. */
const streamFor = (db: Database, key: Slice): Pointer => {
  let p = db.locate(key)
  if (p !== 0 && Entry.typeOf(db.arena, p) === Entry.Type.stream) {
    db.changing(p)
    return p
  }
  if (p !== 0) db.delete(key)
  p = db.create(key, Entry.Type.stream, Entry.Encoding.stream, 0, 0)
  db.arena.words[slabOf(p)]![wordOf(p) + 4] = db.structures.streams.create()
  return p
}

/** There is a stream. */
export const created = (db: Database, key: Slice): void => {
  if (streamAt(db, key) === 0) streamFor(db, key)
}

// ——— entries ———

/** An entry was added at the end. */
export const entryAdded = (db: Database, key: Slice, id: StreamId, pairs: ReadonlyArray<Slice>): void => {
  if (pairs.length < 2) return
  const p = streamFor(db, key)
  const { streamNodeBytes, streamNodeEntries } = db.limits
  db.structures.streams.entries.append(rootOf(db, p), id, pairs, streamNodeBytes, streamNodeEntries)
  written(db, p)
}

/** These entries are gone; `byClient`: the greatest id that was ever removed moves on. */
export const entriesRemoved = (db: Database, key: Slice, ids: ReadonlyArray<StreamId>, byClient: boolean): void => {
  const p = streamAt(db, key)
  if (p === 0) return
  db.changing(p)
  const root = rootOf(db, p)
  const { entries } = db.structures.streams
  for (let i = 0; i < ids.length; i++) {
    if (!entries.remove(root, ids[i]!) || !byClient) continue
    if (compareIds(ids[i]!, entries.idAt(root, Root.maxDeleted, scratch)) > 0) {
      entries.setIdAt(root, Root.maxDeleted, ids[i]!)
    }
  }
  written(db, p)
}

/** The first `count` entries are gone. */
export const trimmed = (db: Database, key: Slice, count: number): void => {
  const p = streamAt(db, key)
  if (p === 0) return
  db.changing(p)
  db.structures.streams.entries.removeFirst(rootOf(db, p), count)
  written(db, p)
}

/** What the stream knows besides its entries became this. */
export const idSet = (db: Database, { entriesAdded, key, lastId, maxDeletedId }: EventOf<"StreamIdSet">): void => {
  const p = streamFor(db, key)
  const root = rootOf(db, p)
  const { entries, groups } = db.structures.streams
  entries.setLastId(root, lastId)
  entries.setIdAt(root, Root.maxDeleted, maxDeletedId)
  groups.setInt64At(root, Root.added, entriesAdded)
  written(db, p)
}

/** A run of entries has its place. */
export const nodeRestored = (db: Database, key: Slice, id: StreamId, pack: Slice): void => {
  const p = streamFor(db, key)
  db.structures.streams.entries.restoreNode(rootOf(db, p), id, pack)
}

// ——— producers ———

/** What producers added is remembered so from now on. */
export const configured = (db: Database, { durationSeconds, key, maxSize }: EventOf<"StreamConfigured">): void => {
  const p = streamFor(db, key)
  db.structures.streams.producers.configure(rootOf(db, p), durationSeconds, maxSize)
  written(db, p)
}

/** A producer has added an entry under a name. */
export const producerNoted = (db: Database, event: EventOf<"StreamProducerNoted">): void => {
  const p = streamAt(db, event.key)
  if (p === 0) return
  db.changing(p)
  db.structures.streams.producers.note(rootOf(db, p), event.producer, event.iid, event.id, event.time)
}

/** A producer sent again what it had added. */
export const duplicateRefused = (db: Database, key: Slice): void => {
  const p = streamAt(db, key)
  if (p === 0) return
  db.changing(p)
  db.structures.streams.producers.refuse(rootOf(db, p))
}

/** Settings and figures as a checkpoint has them. */
export const producersRestored = (db: Database, event: EventOf<"StreamProducersRestored">): void => {
  const p = streamFor(db, event.key)
  const { durationSeconds, duplicates, maxSize, noted } = event
  db.structures.streams.producers.restoreFigures(rootOf(db, p), durationSeconds, maxSize, noted, duplicates)
}

/** The names of a producer as a checkpoint has them. */
export const producerRestored = (db: Database, event: EventOf<"StreamProducerRestored">): void => {
  const p = streamFor(db, event.key)
  const { producers } = db.structures.streams
  const { ids, iids, producer, times } = event
  for (let i = 0; i < iids.length && i < ids.length && i < times.length; i++) {
    producers.restoreName(rootOf(db, p), producer, iids[i]!, ids[i]!, times[i]!)
  }
}

// ——— groups ———

/** The group of a stream that is about to change, made if there is none. */
const groupFor = (db: Database, p: Pointer, name: Slice): Pointer => {
  const { groups } = db.structures.streams
  const group = groups.findGroup(rootOf(db, p), name)
  return group === 0 ? groups.createGroup(rootOf(db, p), name) : group
}

/** The consumer of a group, made if there is none. */
const consumerFor = (db: Database, group: Pointer, name: Slice, seen: number, active: number): Pointer => {
  const { groups } = db.structures.streams
  const consumer = groups.findConsumer(group, name)
  return consumer === 0 ? groups.createConsumer(group, name, seen, active) : consumer
}

/** There is a group, which goes on after this entry. */
export const groupCreated = (db: Database, event: EventOf<"StreamGroupCreated">): void => {
  const p = streamFor(db, event.key)
  db.structures.streams.groups.setPosition(groupFor(db, p, event.group), event.lastDelivered, event.entriesRead)
  written(db, p)
}

/** Calls back with the group at a key, if it is there, after telling that it will change. */
const withGroup = (
  db: Database,
  key: Slice,
  name: Slice,
  change: (root: Pointer, group: Pointer) => void
): void => {
  const p = streamAt(db, key)
  if (p === 0) return
  db.changing(p)
  const root = rootOf(db, p)
  const group = db.structures.streams.groups.findGroup(root, name)
  if (group === 0) return
  change(root, group)
  written(db, p)
}

/** The group goes on after this entry. */
export const groupIdSet = (db: Database, event: EventOf<"StreamGroupIdSet">): void =>
  withGroup(db, event.key, event.group, (_root, group) => {
    db.structures.streams.groups.setPosition(group, event.lastDelivered, event.entriesRead)
  })

/** The group is gone. */
export const groupDestroyed = (db: Database, key: Slice, name: Slice): void =>
  withGroup(db, key, name, (root, group) => {
    db.structures.streams.groups.detachGroup(root, group)
    if (db.saver?.keepGroup(root, group) !== true) db.structures.releaseGroup(group)
  })

/** There is a consumer, seen first at this time. */
export const consumerCreated = (db: Database, event: EventOf<"StreamConsumerCreated">): void =>
  withGroup(db, event.key, event.group, (_root, group) => void consumerFor(db, group, event.consumer, event.time, -1))

/** The consumer is gone. */
export const consumerDeleted = (db: Database, key: Slice, group: Slice, consumer: Slice): void =>
  withGroup(db, key, group, (root, g) => {
    const c = db.structures.streams.groups.findConsumer(g, consumer)
    if (c !== 0) db.structures.streams.groups.deleteConsumer(root, g, c)
  })

/** A consumer was given new entries. */
export const entriesDelivered = (db: Database, event: EventOf<"StreamEntriesDelivered">): void => {
  const p = streamAt(db, event.key)
  if (p === 0) return
  db.changing(p)
  const root = rootOf(db, p)
  const { groups } = db.structures.streams
  const group = groups.findGroup(root, event.group)
  if (group === 0) return
  const { consumer: name, entriesRead, ids, lastDelivered, time } = event
  const consumer = consumerFor(db, group, name, time, time)
  groups.date(root, group, consumer, time, time)
  for (let i = 0; i < ids.length; i++) groups.assign(root, group, ids[i]!, consumer, time, 1)
  groups.setPosition(group, lastDelivered, entriesRead)
  written(db, p)
}

/** Entries are pending for a consumer, whoever had them. */
export const entriesClaimed = (db: Database, event: EventOf<"StreamEntriesClaimed">): void =>
  withGroup(db, event.key, event.group, (root, group) => {
    const { groups } = db.structures.streams
    const { consumer: name, counts, deliveredAt, ids, time } = event
    const consumer = consumerFor(db, group, name, time, time)
    groups.date(root, group, consumer, time, time)
    for (let i = 0; i < ids.length; i++) groups.assign(root, group, ids[i]!, consumer, deliveredAt, counts[i] ?? 1)
  })

/** Entries are pending no longer. */
export const entriesAcknowledged = (db: Database, key: Slice, name: Slice, ids: ReadonlyArray<StreamId>): void => {
  const p = streamAt(db, key)
  if (p === 0) return
  db.changing(p)
  const root = rootOf(db, p)
  const { groups } = db.structures.streams
  const group = groups.findGroup(root, name)
  if (group === 0) return
  for (let i = 0; i < ids.length; i++) groups.acknowledge(root, group, ids[i]!)
  written(db, p)
}

/** Entries are pending for nobody, whoever had them. */
export const entriesReleased = (db: Database, event: EventOf<"StreamEntriesReleased">): void =>
  withGroup(db, event.key, event.group, (root, group) => {
    const { counts, deliveredAt, ids } = event
    const { groups } = db.structures.streams
    for (let i = 0; i < ids.length; i++) groups.assign(root, group, ids[i]!, 0, deliveredAt, counts[i] ?? 1)
  })

/** A consumer as a checkpoint has it. */
export const consumerRestored = (db: Database, event: EventOf<"StreamConsumerRestored">): void => {
  const p = streamFor(db, event.key)
  const group = groupFor(db, p, event.group)
  const active = event.active ?? -1
  const consumer = consumerFor(db, group, event.consumer, event.seen, active)
  db.structures.streams.groups.date(rootOf(db, p), group, consumer, event.seen, active)
}

/** Pending entries as a checkpoint has them. */
export const pendingRestored = (db: Database, event: EventOf<"StreamPendingRestored">): void => {
  const p = streamFor(db, event.key)
  const group = groupFor(db, p, event.group)
  const { consumers, counts, ids, owners, times } = event
  const root = rootOf(db, p)
  for (let i = 0; i < ids.length; i++) {
    const name = consumers[(owners[i] ?? 0) - 1]
    const consumer = name === undefined ? 0 : consumerFor(db, group, name, 0, -1)
    db.structures.streams.groups.assign(root, group, ids[i]!, consumer, times[i] ?? 0, counts[i] ?? 1)
  }
}

/**
 * A consumer asked for entries. Like the access clock of a key this is no event, is not in any digest, and a restart
 * forgets what came after the last checkpoint.
 */
export const noteSeen = (db: Database, consumer: Pointer, now: number): void => {
  db.structures.streams.groups.setNumberAt(consumer, ConsumerWord.seen, now)
}
