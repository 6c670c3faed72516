import * as Schema from "effect/Schema"
import { KeyEvent } from "./key.ts"
import { StringEvent } from "./string.ts"
import { SystemEvent } from "./system.ts"

/** Everything that can happen to the data. */
export type Event = KeyEvent | StringEvent | SystemEvent
export type EventTag = Event["_tag"]
export type EventOf<Tag extends EventTag> = Extract<Event, { readonly _tag: Tag }>

/** The schema of each event by its tag. */
export const cases = { ...KeyEvent.cases, ...StringEvent.cases, ...SystemEvent.cases }
export const Event = Schema.Union([KeyEvent, StringEvent, SystemEvent])

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
  StringRangeSet: 0x24
} as const satisfies Record<EventTag, number>

/** Every tag, in the order of its number. */
export const tags = (Object.keys(codes) as Array<EventTag>).sort((a, b) => codes[a] - codes[b])
