/**
 * What takes batches back: events that bring every key they changed to what it was before them, made from the data of
 * then. A key that was written since is a conflict. Where the batches exchanged databases, exchanging them back comes first.
 */
import type { Answering } from "../history/answers.ts"
import { foldingNames } from "../history/existence.ts"
import type { LogView } from "../history/log-view.ts"
import { disposeOf, ownSeed, timeOf } from "../history/past.ts"
import type { Question, UndoRequest } from "../history/questions.ts"
import type { Event } from "../log/events/catalog.ts"
import { encodeEvent } from "../log/events/codec.ts"
import { ByteWriter } from "../log/events/wire.ts"
import { MapReply } from "../net/resp/reply.ts"
import { type CheckpointSink, CheckpointWalk } from "../projections/checkpoint.ts"
import * as Entry from "../projections/entry.ts"
import { Keyspace } from "../projections/keyspace.ts"
import { Slice } from "../projections/memory/slice.ts"
import { ChangedKeys, TooManyKeys } from "./changed-keys.ts"
import { Conflicts } from "./conflicts.ts"
import type { Pasts } from "./pasts.ts"
import { encoded, silent } from "./replies.ts"

/** So many keys are folded from their own events; with more, all data is. */
const mostKeysFolded = 64
/** One batch has to hold the events. */
const mostBytes = 1 << 30
const batchesPerStep = 512
const entriesPerStep = 500
const bytesPerStep = 1 << 20
/** Shown by DRYRUN. */
const mostShown = 1000

const refused = (text: string) => ({ kind: "error", text: `ERR ${text}` }) as const

/** The answer to LOG.UNDO: a plan for the server to carry out, with DRYRUN what that would be, or why not. */
export function* undo(view: LogView, request: UndoRequest, question: Question, pasts: Pasts): Answering {
  const { db, from, key, to } = request
  view.sequenceAt({ kind: "sequence", sequence: from })
  view.sequenceAt({ kind: "sequence", sequence: to })
  const lost = view.gaps(from, to)[0]
  if (lost !== undefined) return refused(`sequences ${lost.first} to ${lost.last} were lost, and so what they changed`)
  const wantedName = key === undefined ? undefined : new Slice(key).latin1()
  const changed = new ChangedKeys(
    wantedName === undefined ? undefined : (own, name) => own === db && name.latin1() === wantedName
  )
  let looked = 0
  try {
    for (const batch of view.batches({ from, to })) {
      changed.add(batch)
      if (++looked % batchesPerStep === 0) yield 0
    }
  } catch (error) {
    if (error instanceof TooManyKeys) return refused(`${error.message}; undo fewer sequences at a time`)
    throw error
  }
  if (wantedName !== undefined) {
    if (changed.swaps.some((pair) => pair.includes(db))) {
      return refused("databases were exchanged among these sequences, which cannot be undone for one key")
    }
    if (changed.wasEmptied(db)) changed.touch(db, Slice.latin1(wantedName))
    changed.emptied.clear()
    changed.allEmptied = false
    changed.swaps.length = 0
  }
  const use = (keyspace: Keyspace): Answering => planned(view, request, question, changed, keyspace)
  if (changed.sweeping || changed.size > mostKeysFolded || view.beginsLater) {
    const point = { sequence: from - 1, time: timeOf(view, from - 1) }
    return yield* pasts.using(view, point, question.memory, ({ keyspace }) => use(keyspace))
  }
  const names = new Set([...changed.names.values()].flatMap((each) => [...each]))
  const wanted = [...names].map((name) => Slice.latin1(name).bytes)
  const keyspace = yield* silent(foldingNames(view, wanted, from, 0, ownSeed(view)))
  try {
    return yield* use(keyspace)
  } finally {
    disposeOf(keyspace)
  }
}

/** Goes on once the data before the batches is there. */
function* planned(
  view: LogView,
  request: UndoRequest,
  { protocol }: Question,
  changed: ChangedKeys,
  before: Keyspace
): Answering {
  const conflicts = new Conflicts(changed, before, request.dryRun ? mostShown : 1)
  if (!request.force) yield* conflicts.look(view, request.to)
  if (request.dryRun) return { kind: "reply", bytes: encoded(dryRun(request, changed, before, conflicts), protocol) }
  const [first] = conflicts.found
  if (first !== undefined) return { kind: "error", text: `CONFLICT ${first.text}; with FORCE it is overwritten` }
  const plan = new Plan(changed)
  yield* plan.list(before)
  const source = changed.sweeping ? before : selection(changed, before)
  const walk = new CheckpointWalk(source, plan)
  try {
    while (!walk.slice(entriesPerStep, bytesPerStep)) {
      if (plan.events.length > mostBytes) {
        return refused(`it takes more than ${mostBytes} bytes to restore the data; undo fewer sequences, or one KEY`)
      }
      yield 0
    }
  } finally {
    // The data may be asked for again: the marks of its entries have to be in order.
    walk.giveUp()
    while (!walk.slice(Infinity, Infinity));
    if (source !== before) disposeOf(source)
  }
  return {
    kind: "plan",
    plan: {
      swaps: changed.swaps.toReversed(),
      keys: plan.keys.bytes.slice(0, plan.keys.length),
      events: plan.events.bytes.slice(0, plan.events.length),
      restored: plan.restored
    }
  }
}

/** The changed keys alone, with what they held before. */
const selection = (changed: ChangedKeys, before: Keyspace): Keyspace => {
  const selected = new Keyspace(1, before.seed)
  for (const [slot, names] of changed.names) {
    for (const name of names) {
      const key = Slice.latin1(name)
      const database = before.database(slot)
      const p = database.locate(key)
      if (p !== 0) selected.database(slot).copyFrom(database, p, key)
    }
  }
  return selected
}

/** Gathers, encoded, the keys that have to be as they were and the events that make them so. */
class Plan implements CheckpointSink {
  /** varint twice the slot, one more if it was there before, then varint length and name of each. */
  readonly keys = new ByteWriter(4096)
  /** varint slot and event of each. */
  readonly events = new ByteWriter(4096)
  /** Keys that were there before. */
  restored = 0
  private readonly changed: ChangedKeys

  constructor(changed: ChangedKeys) {
    this.changed = changed
  }

  /** Lists the keys. */
  *list(before: Keyspace): Generator<number, void> {
    const { changed } = this
    for (const [slot, names] of changed.names) {
      const database = before.database(slot)
      for (const name of names) {
        const key = Slice.latin1(name)
        this.key(slot, key, database.locate(key) !== 0)
      }
    }
    for (let slot = 0; slot < before.databases.length; slot++) {
      if (!changed.wasEmptied(slot)) continue
      const { arena, dict } = before.databases[slot]!
      for (let position = 0; position >= 0;) {
        position = dict.walk(position, (p) => {
          const key = Entry.keyOf(arena, p)
          if (changed.has(slot, key.latin1())) return
          this.key(slot, key, true)
        })
        yield 0
      }
    }
  }

  private key(slot: number, key: Slice, existed: boolean): void {
    if (existed) this.restored++
    this.keys.varint(2 * slot + (existed ? 1 : 0))
    this.keys.blob(key)
  }

  add(slot: number, _clock: number, event: Event): void {
    const { changed } = this
    if (!changed.wasEmptied(slot) && !changed.has(slot, (event as { readonly key: Slice }).key.latin1())) return
    this.events.varint(slot)
    encodeEvent(this.events, event)
  }
}

/** What DRYRUN answers: the keys with what would happen to each, and how many there are. */
const dryRun = (
  { from, to }: UndoRequest,
  changed: ChangedKeys,
  before: Keyspace,
  { found }: Conflicts
): MapReply => {
  const keys: Array<MapReply> = []
  let restored = 0
  let removed = 0
  const show = (slot: number, name: string, existed: boolean): void => {
    if (existed) restored++
    else removed++
    if (keys.length === mostShown) return
    const conflict = found.find((other) => other.slot === slot && other.name === name)
    keys.push(
      new MapReply([
        ["db", slot],
        ["key", Slice.latin1(name)],
        ["action", existed ? "restore" : "remove"],
        ["written-since", conflict?.sequence ?? null]
      ])
    )
  }
  for (const [slot, names] of changed.names) {
    for (const name of names) show(slot, name, before.database(slot).locate(Slice.latin1(name)) !== 0)
  }
  before.databases.forEach(({ arena, dict }, slot) => {
    if (!changed.wasEmptied(slot)) return
    for (let position = 0; position >= 0;) {
      position = dict.walk(position, (p) => {
        const name = Entry.keyOf(arena, p).latin1()
        if (!changed.has(slot, name)) show(slot, name, true)
      })
    }
  })
  return new MapReply([
    ["from", from],
    ["to", to],
    ["restore", restored],
    ["remove", removed],
    ["swaps", changed.swaps.length],
    ["conflicts", found.map(({ text }) => text)],
    ["keys", keys]
  ])
}
