/**
 * What keys held at a moment, from their newest events backwards to one that leaves no question: a key that was set or
 * deleted lately needs a look at the end of the log only, however long its history is.
 */
import { dbOf } from "../log/event-log.ts"
import type { Event } from "../log/events/catalog.ts"
import { decodeEvent, encodeEvent } from "../log/events/codec.ts"
import { ByteReader, ByteWriter } from "../log/events/wire.ts"
import { evolve } from "../projections/evolve.ts"
import { Keyspace } from "../projections/keyspace.ts"
import type { HashSeed } from "../projections/memory/hash.ts"
import { isName } from "./existence.ts"
import type { LogView } from "./log-view.ts"
import { disposeOf } from "./past.ts"

/** Events of one key that are held until the one before them is found. */
const mostBytes = 64 << 20

/** What an event says of a key that did not change since. */
type Meaning =
  /** Nothing. */
  | "other"
  /** It changed the value that was there. */
  | "changed"
  /** It says all of it. */
  | "set"
  | "absent"
  /** The value came from another key or database. */
  | "elsewhere"

const meaningOf = (event: Event, own: number, db: number, name: Uint8Array): Meaning => {
  switch (event._tag) {
    case "KeyspaceFlushed":
      return "absent"
    case "DatabaseFlushed":
      return own === db ? "absent" : "other"
    case "DatabasesSwapped":
      return event.first === db || event.second === db ? "elsewhere" : "other"
    case "KeyMoved":
      if (!isName(event.key, name)) return "other"
      return event.toDb === db ? "elsewhere" : own === db ? "absent" : "other"
    case "KeyCopied":
      return event.toDb === db && isName(event.to, name) ? "elsewhere" : "other"
    case "KeyRenamed":
      if (own !== db) return "other"
      return isName(event.to, name) ? "elsewhere" : isName(event.key, name) ? "absent" : "other"
  }
  if (own !== db || !isName(event.key, name)) return "other"
  switch (event._tag) {
    case "KeyDeleted":
    case "KeyExpired":
    case "KeyEvicted":
      return "absent"
    case "StringSet":
    case "CollectionRestored":
      return "set"
    case "StringsCombined":
      return "elsewhere"
    default:
      return "changed"
  }
}

/**
 * A keyspace that holds keys of a database as they were after batch `sequence`; undefined where one's value came from
 * elsewhere, its events are too many to hold, or retention has dropped those that would tell.
 */
export function* lastValues(
  view: LogView,
  db: number,
  names: ReadonlyArray<Uint8Array>,
  sequence: number,
  seed: HashSeed
): Generator<undefined, Keyspace | undefined> {
  const keyspace = new Keyspace(1, seed)
  for (const name of names) {
    const events = yield* trailOf(view, db, name, sequence)
    if (events === undefined) {
      disposeOf(keyspace)
      return undefined
    }
    for (const { bytes, time } of events.reverse()) {
      keyspace.turn.next(time)
      evolve(keyspace, db, decodeEvent(new ByteReader(bytes)))
    }
  }
  return keyspace
}

/** The events that made a key what it was, newest first, copied. */
function* trailOf(
  view: LogView,
  db: number,
  name: Uint8Array,
  sequence: number
): Generator<undefined, Array<{ readonly time: number; readonly bytes: Uint8Array }> | undefined> {
  const found: Array<{ readonly time: number; readonly bytes: Uint8Array }> = []
  const out = new ByteWriter(256)
  let held = 0
  for (const batch of view.naming([name], { to: sequence, reverse: true }, true)) {
    if (batch === undefined) {
      yield undefined
      continue
    }
    for (let i = batch.events.length - 1; i >= 0; i--) {
      const event = batch.events[i]!
      const meaning = meaningOf(event, dbOf(batch, i), db, name)
      if (meaning === "other") continue
      if (meaning === "absent") return found
      if (meaning === "elsewhere") return undefined
      out.length = 0
      encodeEvent(out, event)
      found.push({ time: batch.time, bytes: out.bytes.slice(0, out.length) })
      if (meaning === "set") return found
      held += out.length + 100
      if (held > mostBytes) return undefined
    }
  }
  return view.beginsLater ? undefined : found
}
