/**
 * The fold: what each event does to the keyspace. Total and silent: no clock, no randomness, no configuration, no reply.
 * The live path, start-up, replicas, history and tests all run this one function.
 */
import type { Event, EventOf, EventTag } from "../log/events/catalog.ts"
import { restoreListNode, restoreSmall } from "./collection.ts"
import * as Hashes from "./hash.ts"
import type { Keyspace } from "./keyspace.ts"
import * as Lists from "./list.ts"
import type { Slice } from "./memory/slice.ts"
import * as Sets from "./set.ts"
import * as SortedSets from "./sorted-set.ts"
import * as Streams from "./stream.ts"
import { stringsCombined } from "./string-combine.ts"
import * as Strings from "./string.ts"

type Evolvers = { readonly [Tag in EventTag]: (keyspace: Keyspace, db: number, event: EventOf<Tag>) => void }

const evolvers: Evolvers = {
  StringSet: (keyspace, db, event) =>
    Strings.setString(keyspace.database(db), event.key, event.value, event.expireAt ?? 0),
  StringIncremented: (keyspace, db, event) => Strings.incremented(keyspace.database(db), event.key, event.value),
  StringFloatIncremented: (keyspace, db, event) =>
    Strings.floatIncremented(keyspace.database(db), event.key, event.value),
  StringAppended: (keyspace, db, event) => Strings.appended(keyspace.database(db), event.key, event.suffix),
  StringRangeSet: (keyspace, db, event) =>
    Strings.rangeSet(keyspace.database(db), event.key, event.offset, event.value),
  StringsCombined: (keyspace, db, event) =>
    stringsCombined(keyspace.database(db), event.key, event.operation, event.sources),
  StringSpliced: (keyspace, db, event) =>
    Strings.spliced(keyspace.database(db), event.key, event.offset, event.removed, event.value),
  CollectionRestored: (keyspace, db, { bytes, expireAt, key, shape }) =>
    restoreSmall(keyspace.database(db), key, shape, bytes, expireAt ?? 0),
  ListNodeRestored: (keyspace, db, { count, key, ordinal, pack }) =>
    restoreListNode(keyspace.database(db), key, ordinal, count, pack),
  ListPushed: (keyspace, db, event) => Lists.pushed(keyspace.database(db), event.key, event.side, event.elements),
  ListPopped: (keyspace, db, event) =>
    Lists.popped(keyspace.database(db), event.key, event.side, event.elements.length),
  ListElementSet: (keyspace, db, event) =>
    Lists.elementSet(keyspace.database(db), event.key, event.index, event.element),
  ListElementInserted: (keyspace, db, event) =>
    Lists.elementInserted(keyspace.database(db), event.key, event.index, event.element),
  ListElementsRemoved: (keyspace, db, event) => Lists.elementsRemoved(keyspace.database(db), event.key, event.indexes),
  ListTrimmed: (keyspace, db, event) => Lists.trimmed(keyspace.database(db), event.key, event.start, event.stop),
  SetMembersAdded: (keyspace, db, event) => Sets.membersAdded(keyspace.database(db), event.key, event.members),
  SetMembersRemoved: (keyspace, db, event) => Sets.membersRemoved(keyspace.database(db), event.key, event.members),
  HashFieldsSet: (keyspace, db, event) => Hashes.fieldsSet(keyspace.database(db), event.key, event.pairs),
  HashFieldsUpdated: (keyspace, db, event) => Hashes.fieldsUpdated(keyspace.database(db), event.key, event.pairs),
  HashFieldsDeleted: (keyspace, db, event) => Hashes.fieldsRemoved(keyspace.database(db), event.key, event.fields),
  HashFieldsExpired: (keyspace, db, event) => Hashes.fieldsRemoved(keyspace.database(db), event.key, event.fields),
  HashFieldsExpirySet: (keyspace, db, event) =>
    Hashes.fieldsExpireAt(keyspace.database(db), event.key, event.expireAt, event.fields),
  HashFieldsPersisted: (keyspace, db, event) =>
    Hashes.fieldsExpireAt(keyspace.database(db), event.key, 0, event.fields),
  SortedSetMembersScored: (keyspace, db, event) =>
    SortedSets.membersScored(keyspace.database(db), event.key, event.members, event.scores),
  SortedSetMembersRemoved: (keyspace, db, event) =>
    SortedSets.membersRemoved(keyspace.database(db), event.key, event.members),
  SortedSetRangeRemoved: (keyspace, db, event) =>
    SortedSets.rangeRemoved(keyspace.database(db), event.key, event.start, event.stop),
  StreamCreated: (keyspace, db, event) => Streams.created(keyspace.database(db), event.key),
  StreamEntryAdded: (keyspace, db, event) =>
    Streams.entryAdded(keyspace.database(db), event.key, event.id, event.pairs),
  StreamEntriesDeleted: (keyspace, db, event) =>
    Streams.entriesRemoved(keyspace.database(db), event.key, event.ids, true),
  StreamTrimmed: (keyspace, db, event) => Streams.trimmed(keyspace.database(db), event.key, event.count),
  StreamEntriesTrimmed: (keyspace, db, event) =>
    Streams.entriesRemoved(keyspace.database(db), event.key, event.ids, false),
  StreamIdSet: (keyspace, db, event) => Streams.idSet(keyspace.database(db), event),
  StreamConfigured: (keyspace, db, event) => Streams.configured(keyspace.database(db), event),
  StreamProducerNoted: (keyspace, db, event) => Streams.producerNoted(keyspace.database(db), event),
  StreamDuplicateRefused: (keyspace, db, event) => Streams.duplicateRefused(keyspace.database(db), event.key),
  StreamGroupCreated: (keyspace, db, event) => Streams.groupCreated(keyspace.database(db), event),
  StreamGroupIdSet: (keyspace, db, event) => Streams.groupIdSet(keyspace.database(db), event),
  StreamGroupDestroyed: (keyspace, db, event) => Streams.groupDestroyed(keyspace.database(db), event.key, event.group),
  StreamConsumerCreated: (keyspace, db, event) => Streams.consumerCreated(keyspace.database(db), event),
  StreamConsumerDeleted: (keyspace, db, event) =>
    Streams.consumerDeleted(keyspace.database(db), event.key, event.group, event.consumer),
  StreamEntriesDelivered: (keyspace, db, event) => Streams.entriesDelivered(keyspace.database(db), event),
  StreamEntriesClaimed: (keyspace, db, event) => Streams.entriesClaimed(keyspace.database(db), event),
  StreamEntriesAcknowledged: (keyspace, db, event) =>
    Streams.entriesAcknowledged(keyspace.database(db), event.key, event.group, event.ids),
  StreamEntriesReleased: (keyspace, db, event) => Streams.entriesReleased(keyspace.database(db), event),
  StreamNodeRestored: (keyspace, db, event) =>
    Streams.nodeRestored(keyspace.database(db), event.key, event.id, event.pack),
  StreamConsumerRestored: (keyspace, db, event) => Streams.consumerRestored(keyspace.database(db), event),
  StreamPendingRestored: (keyspace, db, event) => Streams.pendingRestored(keyspace.database(db), event),
  StreamProducersRestored: (keyspace, db, event) => Streams.producersRestored(keyspace.database(db), event),
  StreamProducerRestored: (keyspace, db, event) => Streams.producerRestored(keyspace.database(db), event),
  KeyDeleted: (keyspace, db, event) => void keyspace.database(db).delete(event.key),
  KeyExpired: (keyspace, db, event) => void keyspace.database(db).delete(event.key),
  KeyEvicted: (keyspace, db, event) => void keyspace.database(db).delete(event.key),
  KeyExpirySet: (keyspace, db, event) => {
    const database = keyspace.database(db)
    const p = database.locate(event.key)
    if (p !== 0) database.expireAt(p, event.expireAt)
  },
  KeyPersisted: (keyspace, db, event) => {
    const database = keyspace.database(db)
    const p = database.locate(event.key)
    if (p !== 0) database.expireAt(p, 0)
  },
  KeyRenamed: (keyspace, db, event) => {
    const database = keyspace.database(db)
    const p = database.locate(event.key)
    if (p === 0 || sameBytes(event.key, event.to)) return
    database.copyFrom(database, p, event.to, true)
    database.delete(event.key)
  },
  KeyCopied: (keyspace, db, event) => {
    const source = keyspace.database(db)
    const p = source.locate(event.key)
    if (p !== 0) keyspace.database(event.toDb).copyFrom(source, p, event.to)
  },
  KeyMoved: (keyspace, db, event) => {
    const source = keyspace.database(db)
    const p = source.locate(event.key)
    if (p === 0 || db === event.toDb) return
    keyspace.database(event.toDb).copyFrom(source, p, event.key)
    source.delete(event.key)
  },
  DatabaseFlushed: (keyspace, db) => keyspace.clearDatabase(db),
  KeyspaceFlushed: (keyspace) => keyspace.clear(),
  DatabasesSwapped: (keyspace, _db, event) => keyspace.swap(event.first, event.second)
}

const sameBytes = (a: Slice, b: Slice): boolean =>
  a.length === b.length && Buffer.compare(a.toBytes(), b.toBytes()) === 0

/** Folds one event of database `db` into the keyspace. */
export const evolve = (keyspace: Keyspace, db: number, event: Event): void => {
  switch (event._tag) { // the frequent ones, spared a keyed load and a call that nobody can see through
    case "StringSet":
      return Strings.setString(keyspace.database(db), event.key, event.value, event.expireAt ?? 0)
    case "StringIncremented":
      return Strings.incremented(keyspace.database(db), event.key, event.value)
    case "StringRangeSet":
      return Strings.rangeSet(keyspace.database(db), event.key, event.offset, event.value)
    case "StringSpliced":
      return Strings.spliced(keyspace.database(db), event.key, event.offset, event.removed, event.value)
    case "ListPushed":
      return Lists.pushed(keyspace.database(db), event.key, event.side, event.elements)
    case "ListPopped":
      return Lists.popped(keyspace.database(db), event.key, event.side, event.elements.length)
    case "SetMembersAdded":
      return Sets.membersAdded(keyspace.database(db), event.key, event.members)
    case "HashFieldsSet":
      return Hashes.fieldsSet(keyspace.database(db), event.key, event.pairs)
    case "HashFieldsUpdated":
      return Hashes.fieldsUpdated(keyspace.database(db), event.key, event.pairs)
    case "SetMembersRemoved":
      return Sets.membersRemoved(keyspace.database(db), event.key, event.members)
    case "SortedSetMembersRemoved":
      return SortedSets.membersRemoved(keyspace.database(db), event.key, event.members)
    case "SortedSetMembersScored":
      return SortedSets.membersScored(keyspace.database(db), event.key, event.members, event.scores)
    case "StreamEntryAdded":
      return Streams.entryAdded(keyspace.database(db), event.key, event.id, event.pairs)
    case "StreamEntriesDelivered":
      return Streams.entriesDelivered(keyspace.database(db), event)
    case "StreamEntriesAcknowledged":
      return Streams.entriesAcknowledged(keyspace.database(db), event.key, event.group, event.ids)
    case "KeyEvicted":
      return void keyspace.database(db).delete(event.key)
    default:
      ;(evolvers[event._tag] as (keyspace: Keyspace, db: number, event: Event) => void)(keyspace, db, event)
  }
}
