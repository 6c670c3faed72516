/**
 * Whether a key was there when databases were emptied or swapped, which name no keys: told by the last event that named
 * it. Only after elements were taken out of a collection the events of its name, and of the names its value had before,
 * are folded to see whether anything was left.
 */
import { dbOf } from "../log/event-log.ts"
import type { Event } from "../log/events/catalog.ts"
import { evolve } from "../projections/evolve.ts"
import { Keyspace } from "../projections/keyspace.ts"
import type { HashSeed } from "../projections/memory/hash.ts"
import { equalBytes, Slice } from "../projections/memory/slice.ts"
import { movesDatabases } from "./frame-scan.ts"
import type { LogView } from "./log-view.ts"

/** Whether a name's key is there. */
type Presence =
  | "absent"
  | "present"
  /** Elements were taken out: it is there if some were left. */
  | "unless-empty"
  /** Retention has dropped the events that would tell. */
  | "unknown"

/** Something that changed what a name stands for in several databases at once. */
export interface Move {
  readonly sequence: number
  /** Place of the event in its batch. */
  readonly index: number
  /** Databases whose key of that name the event took away or changed, and the database each got it from, if any. */
  readonly touched: ReadonlyMap<number, number | undefined>
}

/** Whether a slice holds these bytes. */
export const isName = (slice: Slice | undefined, name: Uint8Array): boolean =>
  slice !== undefined && slice.length === name.length &&
  equalBytes(slice.bytes, slice.start, name, 0, name.length)

/** Events after which a collection may be empty, and gone. */
const taking = new Set<Event["_tag"]>([
  "ListPopped",
  "ListElementsRemoved",
  "ListTrimmed",
  "SetMembersRemoved",
  "HashFieldsDeleted",
  "HashFieldsExpired",
  "SortedSetMembersRemoved",
  "SortedSetRangeRemoved"
])
const ending = new Set<Event["_tag"]>(["KeyDeleted", "KeyExpired", "KeyEvicted"])

/** Everything up to a sequence that moved a name's key between databases or emptied them, oldest first. */
export function* movesOf(view: LogView, name: Uint8Array, to: number): Generator<undefined, Array<Move>> {
  const moves: Array<Move> = []
  const states = new Presences(view, name)
  for (const batch of view.naming([name], { to }, true)) {
    if (batch === undefined) {
      yield undefined
      continue
    }
    for (let index = 0; index < batch.events.length; index++) {
      const touched = states.apply(dbOf(batch, index), batch.events[index]!, batch.sequence, index)
      if (touched !== undefined && touched.size > 0) moves.push({ sequence: batch.sequence, index, touched })
    }
  }
  return moves
}

/** Presence of one name in every database. */
class Presences {
  private readonly view: LogView
  private readonly name: Uint8Array
  private readonly first: Presence
  private states = new Map<number, Presence>()

  constructor(view: LogView, name: Uint8Array) {
    this.view = view
    this.name = name
    this.first = view.beginsLater ? "unknown" : "absent"
  }

  private at(db: number): Presence {
    return this.states.get(db) ?? this.first
  }

  /** Whether the key was there before this event. What nobody can know counts as there. */
  private wasThere(db: number, sequence: number, index: number): boolean {
    const state = this.at(db)
    if (state === "unless-empty") return !this.view.beginsLater && this.folded(db, sequence, index)
    return state !== "absent"
  }

  /** Applies an event; the databases it touched where it emptied or swapped some or moved the key. */
  apply(db: number, event: Event, sequence: number, index: number): Map<number, number | undefined> | undefined {
    const { name, states } = this
    switch (event._tag) {
      case "DatabaseFlushed":
      case "KeyspaceFlushed": {
        const touched = new Map<number, number | undefined>()
        const dbs = event._tag === "DatabaseFlushed" ? [db] : this.databases()
        for (const each of dbs) if (this.wasThere(each, sequence, index)) touched.set(each, undefined)
        for (const each of dbs) states.set(each, "absent")
        return touched
      }
      case "DatabasesSwapped": {
        const { first, second } = event
        const touched = new Map<number, number | undefined>()
        const [inFirst, inSecond] = [first, second].map((each) => this.wasThere(each, sequence, index))
        if (first !== second && (inFirst! || inSecond!)) {
          touched.set(first, inSecond! ? second : undefined)
          touched.set(second, inFirst! ? first : undefined)
        }
        const before = this.at(first)
        states.set(first, this.at(second))
        states.set(second, before)
        return touched
      }
      case "KeyMoved":
        if (!isName(event.key, name)) return undefined
        states.set(db, "absent")
        states.set(event.toDb, "present")
        return new Map([[db, undefined], [event.toDb, db]])
      case "KeyRenamed":
        if (isName(event.key, name)) states.set(db, "absent")
        if (isName(event.to, name)) states.set(db, "present")
        return undefined
      case "KeyCopied":
        if (isName(event.to, name)) states.set(event.toDb, "present")
        return undefined
      default:
        if (!isName(event.key, name)) return undefined
        if (ending.has(event._tag)) states.set(db, "absent")
        else if (!taking.has(event._tag)) states.set(db, "present")
        else if (this.at(db) !== "unknown") states.set(db, "unless-empty")
        return undefined
    }
  }

  /** Databases that may hold the key. */
  private databases(): Array<number> {
    // Of those that no event has mentioned nothing is known either, and nobody asks about most of them.
    return this.first === "absent" ? [...this.states.keys()] : [...new Set([...this.states.keys(), ...usual])]
  }

  /** Whether the key was there, by folding everything that made it. */
  private folded(db: number, sequence: number, index: number): boolean {
    const keyspace = foldNames(this.view, [this.name], sequence, index)
    return keyspace.database(db).locate(new Slice(this.name)) !== 0
  }
}

const usual = Array.from({ length: 16 }, (_, db) => db)

/**
 * Some names and every name that a value of theirs was renamed, copied or combined from up to a sequence, and theirs in
 * turn; `known` has them as Latin-1 text. In steps.
 */
export function* namesBehind(
  view: LogView,
  names: ReadonlyArray<Uint8Array>,
  sequence: number
): Generator<undefined, { readonly all: ReadonlyArray<Uint8Array>; readonly known: ReadonlySet<string> }> {
  const all = [...names]
  const known = new Set(names.map(textOf))
  for (let at = 0; at < all.length; at++) {
    const name = all[at]!
    for (const batch of view.naming([name], { to: sequence })) {
      if (batch === undefined) yield undefined
      for (const event of batch?.events ?? []) {
        for (const source of sourcesOf(event, name)) {
          const text = source.latin1()
          if (known.has(text)) continue
          known.add(text)
          all.push(source.toBytes())
        }
      }
    }
  }
  return { all, known }
}

/** Whether an event has to be folded for what some names (as Latin-1 text) hold. */
export const mattersTo = (event: Event, known: ReadonlySet<string>): boolean =>
  movesDatabases(event) || concerns(event, known)

/**
 * A keyspace that holds some names, in every database, as they were before event `index` of batch `sequence`: made of
 * their own events and those of the names from which their values came. Holds nothing of a time that retention has dropped.
 */
export const foldNames = (
  view: LogView,
  names: ReadonlyArray<Uint8Array>,
  sequence: number,
  index = 0
): Keyspace => {
  const steps = foldingNames(view, names, sequence, index)
  for (;;) {
    const step = steps.next()
    if (step.done === true) return step.value
  }
}

/** The same in steps. `seed`: the key of its hashes. */
export function* foldingNames(
  view: LogView,
  names: ReadonlyArray<Uint8Array>,
  sequence: number,
  index = 0,
  seed: HashSeed = { k0: 0, k1: 0 }
): Generator<undefined, Keyspace> {
  const { all, known } = yield* namesBehind(view, names, sequence)
  const keyspace = new Keyspace(1, seed)
  for (const batch of view.naming(all, { to: sequence }, true)) {
    if (batch === undefined) {
      yield undefined
      continue
    }
    keyspace.turn.next(batch.time)
    for (let i = 0; i < batch.events.length; i++) {
      if (batch.sequence === sequence && i >= index) break
      const event = batch.events[i]!
      if (mattersTo(event, known)) evolve(keyspace, dbOf(batch, i), event)
    }
  }
  return keyspace
}

/** Keys from which an event takes what it puts at a name. */
const sourcesOf = (event: Event, name: Uint8Array): ReadonlyArray<Slice> => {
  if (event._tag === "KeyRenamed" || event._tag === "KeyCopied") return isName(event.to, name) ? [event.key] : []
  return "sources" in event && isName(event.key, name) ? event.sources : []
}

const textOf = (bytes: Uint8Array): string => new Slice(bytes).latin1()

const concerns = (event: Event, names: ReadonlySet<string>): boolean =>
  ("key" in event && names.has(event.key.latin1())) || ("to" in event && names.has(event.to.latin1()))
