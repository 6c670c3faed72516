/**
 * Everything that touched one key. The key is the name in one database as that is numbered at the end of the range; where
 * SWAPDB or MOVE brought it from another one, its trail there counts too. Events that empty or swap databases name no
 * keys: they count when the key was there.
 */
import { type Batch, dbOf } from "../log/event-log.ts"
import type { Event } from "../log/events/catalog.ts"
import { isName, type Move, movesOf } from "./existence.ts"
import type { LogView, PartialRange } from "./log-view.ts"

/** One event of a key's history. */
export interface KeyChange {
  readonly batch: Batch
  /** Place of the event in its batch. */
  readonly index: number
  readonly event: Event
  /** Database of the event. */
  readonly db: number
}

/** From which databases a name's events count, before some point of the log. */
interface Boundary {
  readonly sequence: number
  readonly index: number
  readonly before: ReadonlySet<number>
}

const isAfter = (a: { readonly sequence: number; readonly index: number }, sequence: number, index: number): boolean =>
  a.sequence > sequence || (a.sequence === sequence && a.index > index)

/**
 * The history of key `name` of database `db`, oldest or with `reverse` newest first. Each is good until the next step;
 * undefined comes in between, where the caller may do something else.
 */
export function* keyTrail(
  view: LogView,
  db: number,
  name: Uint8Array,
  range: PartialRange = {}
): Generator<KeyChange | undefined, void> {
  const to = range.to ?? view.head
  const moves = view.movesDatabases(to) ? yield* movesOf(view, name, to) : []
  const { boundaries, counted } = follow(db, moves)
  const atEnd: ReadonlySet<number> = new Set([db])
  for (const batch of view.naming([name], { ...range, to }, moves.length > 0)) {
    if (batch === undefined) {
      yield undefined
      continue
    }
    const indexes = batch.events.map((_, index) => index)
    for (const index of range.reverse === true ? indexes.reverse() : indexes) {
      const event = batch.events[index]!
      const own = dbOf(batch, index)
      const { sequence } = batch
      const dbs = boundaries.length === 0 ? atEnd : trackedAt(boundaries, sequence, index) ?? atEnd
      if (touches(event, name, own, dbs) || counted.has(`${sequence}.${index}`)) yield { batch, index, event, db: own }
    }
  }
}

/** Goes back through the moves: which of them count, and which databases do before each. */
const follow = (
  db: number,
  moves: ReadonlyArray<Move>
): { readonly boundaries: ReadonlyArray<Boundary>; readonly counted: ReadonlySet<string> } => {
  let tracked: ReadonlySet<number> = new Set([db])
  const boundaries: Array<Boundary> = []
  const counted = new Set<string>()
  for (const { index, sequence, touched } of moves.toReversed()) {
    const hit = [...tracked].filter((other) => touched.has(other))
    if (hit.length === 0) continue
    counted.add(`${sequence}.${index}`)
    const sources = hit.flatMap((other) => touched.get(other) ?? []).filter((source) => !tracked.has(source))
    if (sources.length === 0) continue
    tracked = new Set([...tracked, ...sources])
    boundaries.push({ sequence, index, before: tracked })
  }
  return { boundaries: boundaries.reverse(), counted }
}

/** What counts at an event, by the first boundary at or after it; undefined when there is none. */
const trackedAt = (
  boundaries: ReadonlyArray<Boundary>,
  sequence: number,
  index: number
): ReadonlySet<number> | undefined => {
  let low = 0
  let high = boundaries.length
  while (low < high) {
    const middle = (low + high) >>> 1
    if (isAfter(boundaries[middle]!, sequence, index)) high = middle
    else low = middle + 1
  }
  return boundaries[low]?.before
}

/** Whether an event names the key in one of the databases that count. */
const touches = (event: Event, name: Uint8Array, db: number, dbs: ReadonlySet<number>): boolean => {
  switch (event._tag) {
    case "DatabaseFlushed":
    case "KeyspaceFlushed":
    case "DatabasesSwapped":
    case "KeyMoved": // among those that are counted
      return false
    case "KeyRenamed":
      return dbs.has(db) && (isName(event.key, name) || isName(event.to, name))
    case "KeyCopied": // the source stays as it is
      return dbs.has(event.toDb) && isName(event.to, name)
    default:
      return dbs.has(db) && isName(event.key, name)
  }
}
