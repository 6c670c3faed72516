import * as Schema from "effect/Schema"
import { CollectionEvent } from "./collection.ts"
import { HashEvent } from "./hash.ts"
import { KeyEvent } from "./key.ts"
import { ListEvent } from "./list.ts"
import { SetEvent } from "./set.ts"
import { SortedSetEvent } from "./sorted-set.ts"
import { StreamEvent } from "./stream.ts"
import { StringEvent } from "./string.ts"
import { SystemEvent } from "./system.ts"

/** Everything that can happen to the data. */
export type Event =
  | KeyEvent
  | StringEvent
  | ListEvent
  | SetEvent
  | HashEvent
  | SortedSetEvent
  | StreamEvent
  | CollectionEvent
  | SystemEvent
export type EventTag = Event["_tag"]
export type EventOf<Tag extends EventTag> = Extract<Event, { readonly _tag: Tag }>

/** The schema of each event by its tag. */
export const cases = {
  ...KeyEvent.cases,
  ...StringEvent.cases,
  ...ListEvent.cases,
  ...SetEvent.cases,
  ...HashEvent.cases,
  ...SortedSetEvent.cases,
  ...StreamEvent.cases,
  ...CollectionEvent.cases,
  ...SystemEvent.cases
}
export const Event = Schema.Union([
  KeyEvent,
  StringEvent,
  ListEvent,
  SetEvent,
  HashEvent,
  SortedSetEvent,
  StreamEvent,
  CollectionEvent,
  SystemEvent
])

/** Numbers on disk. Append only: a number, once released, never changes its meaning and is never used again. */
export const codes = {
  KeyDeleted: 0x01,
  KeyExpired: 0x02,
  KeyExpirySet: 0x03,
  KeyPersisted: 0x04,
  KeyRenamed: 0x05,
  KeyCopied: 0x06,
  KeyMoved: 0x07,
  KeyEvicted: 0x08,
  DatabaseFlushed: 0x10,
  KeyspaceFlushed: 0x11,
  DatabasesSwapped: 0x12,
  StringSet: 0x20,
  StringIncremented: 0x21,
  StringFloatIncremented: 0x22,
  StringAppended: 0x23,
  StringRangeSet: 0x24,
  StringSpliced: 0x25,
  StringsCombined: 0x26,
  CollectionRestored: 0x28,
  ListNodeRestored: 0x29,
  ListPushed: 0x30,
  ListPopped: 0x31,
  ListElementSet: 0x32,
  ListElementInserted: 0x33,
  ListElementsRemoved: 0x34,
  ListTrimmed: 0x35,
  SetMembersAdded: 0x40,
  SetMembersRemoved: 0x41,
  HashFieldsSet: 0x50,
  HashFieldsUpdated: 0x51,
  HashFieldsDeleted: 0x52,
  HashFieldsExpired: 0x53,
  HashFieldsExpirySet: 0x54,
  HashFieldsPersisted: 0x55,
  SortedSetMembersScored: 0x60,
  SortedSetMembersRemoved: 0x61,
  SortedSetRangeRemoved: 0x62,
  StreamEntryAdded: 0x70,
  StreamCreated: 0x71,
  StreamEntriesDeleted: 0x72,
  StreamTrimmed: 0x73,
  StreamEntriesTrimmed: 0x74,
  StreamIdSet: 0x75,
  StreamConfigured: 0x76,
  StreamProducerNoted: 0x77,
  StreamEntriesDelivered: 0x78,
  StreamEntriesAcknowledged: 0x79,
  StreamEntriesClaimed: 0x7a,
  StreamEntriesReleased: 0x7b,
  StreamGroupCreated: 0x7c,
  StreamGroupIdSet: 0x7d,
  StreamGroupDestroyed: 0x7e,
  StreamConsumerCreated: 0x7f,
  StreamConsumerDeleted: 0x80,
  StreamNodeRestored: 0x81,
  StreamConsumerRestored: 0x82,
  StreamPendingRestored: 0x83,
  StreamDuplicateRefused: 0x84,
  StreamProducersRestored: 0x85,
  StreamProducerRestored: 0x86
} as const satisfies Record<EventTag, number>

/** Every tag, in the order of its number. */
export const tags = (Object.keys(codes) as Array<EventTag>).sort((a, b) => codes[a] - codes[b])
