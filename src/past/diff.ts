/** What is different between two moments: keys added, removed and changed, with both values. */
import type { Answering } from "../history/answers.ts"
import { foldingNames } from "../history/existence.ts"
import type { LogView } from "../history/log-view.ts"
import { disposeOf, ownSeed, type Point, pointOf } from "../history/past.ts"
import type { DiffRequest, Question } from "../history/questions.ts"
import { Encoded, MapReply, type Reply } from "../net/resp/reply.ts"
import { stateDigestValue } from "../projections/digest.ts"
import * as Entry from "../projections/entry.ts"
import { isGone } from "../projections/hash-read.ts"
import type { Database, Keyspace } from "../projections/keyspace.ts"
import { Slice } from "../projections/memory/slice.ts"
import { matchGlob } from "../projections/structures/glob.ts"
import { ChangedKeys, TooManyKeys } from "./changed-keys.ts"
import type { Pasts } from "./pasts.ts"
import { encoded, silent } from "./replies.ts"
import { valueReply } from "./values.ts"

/** So many keys are folded from their own events; with more, all data is. */
const mostKeysFolded = 64
const batchesPerStep = 512
const keysPerStep = 64
/** What is held of the first moment while the second is put together, bytes. */
const mostHeld = 512 << 20
/** This part of `history-memory` may be shown in a reply. */
const shownPart = 1 / 8

/** A key as it was: a fingerprint of its value, and that as a reply. */
interface Held {
  readonly digest: string
  readonly bytes: Uint8Array
}

const refused = (text: string) => ({ kind: "error", text: `ERR ${text}` }) as const

/** The answer to LOG.DIFF. */
export function* diff(view: LogView, request: DiffRequest, question: Question, pasts: Pasts): Answering {
  const first = pointOf(view, request.from, question.now)
  const second = pointOf(view, request.to, question.now)
  if (second.sequence < first.sequence || second.time < first.time) {
    return refused("the second moment lies before the first")
  }
  const lost = view.gaps(first.sequence + 1, second.sequence)[0]
  if (lost !== undefined) return refused(`sequences ${lost.first} to ${lost.last} were lost, and so what they changed`)
  const pattern = request.match === undefined ? undefined : new Slice(request.match)
  const wants = (key: Slice): boolean => pattern === undefined || matchGlob(pattern, key)
  const changed = new ChangedKeys((_, key) => wants(key), false)
  let looked = 0
  try {
    for (const batch of view.batches({ from: first.sequence + 1, to: second.sequence })) {
      changed.add(batch)
      if (++looked % batchesPerStep === 0) yield 0
    }
  } catch (error) {
    if (error instanceof TooManyKeys) return refused(`${error.message}; narrow it with MATCH`)
    throw error
  }
  const before = new Map<number, Map<string, Held>>()
  const held = yield* at(
    view,
    first,
    changed,
    question,
    pasts,
    (keyspace) => hold(keyspace, first.time, changed, wants, before, question.protocol)
  )
  if (!held) return refused("too much was changed to compare; narrow it with MATCH")
  return yield* at(
    view,
    second,
    changed,
    question,
    pasts,
    (keyspace) => compare(keyspace, { first, second }, request, changed, wants, before, question)
  )
}

/** Runs `use` on the data of a point, or as much of it as matters. */
function* at<T>(
  view: LogView,
  point: Point,
  changed: ChangedKeys,
  { memory }: Question,
  pasts: Pasts,
  use: (keyspace: Keyspace) => Generator<number, T>
): Generator<number, T> {
  if (changed.sweeping || changed.size > mostKeysFolded || view.beginsLater) {
    return yield* pasts.using(view, point, memory, ({ keyspace }) => use(keyspace))
  }
  const names = new Set([...changed.names.values()].flatMap((each) => [...each]))
  const wanted = [...names].map((name) => Slice.latin1(name).bytes)
  const keyspace = yield* silent(foldingNames(view, wanted, point.sequence + 1, 0, ownSeed(view)))
  try {
    return yield* use(keyspace)
  } finally {
    disposeOf(keyspace)
  }
}

/** All keys of a database that may be different, by name; of one that was emptied all it holds besides. */
function* candidates(
  database: Database,
  db: number,
  changed: ChangedKeys,
  wants: (key: Slice) => boolean
): Generator<string, void> {
  const names = changed.names.get(db)
  if (names !== undefined) yield* names
  if (!changed.wasEmptied(db)) return
  const found: Array<string> = []
  for (let position = 0; position >= 0;) {
    position = database.dict.walk(position, (p) => {
      const key = Entry.keyOf(database.arena, p)
      if (wants(key) && names?.has(key.latin1()) !== true) found.push(key.latin1())
    })
    yield* found
    found.length = 0
  }
}

/** Notes what the keys held at the first moment. False when that is too much. */
function* hold(
  keyspace: Keyspace,
  now: number,
  changed: ChangedKeys,
  wants: (key: Slice) => boolean,
  into: Map<number, Map<string, Held>>,
  protocol: number
): Generator<number, boolean> {
  let bytes = 0
  let seen = 0
  for (let db = 0; db < keyspace.databases.length; db++) {
    const database = keyspace.databases[db]!
    const held = new Map<string, Held>()
    into.set(db, held)
    for (const name of candidates(database, db, changed, wants)) {
      if (++seen % keysPerStep === 0) yield 0
      const p = database.locate(Slice.latin1(name))
      if (p === 0 || isGone(database, p, now)) continue
      const one = { digest: stateDigestValue(database, p), bytes: encoded(valueReply(database, p, now), protocol) }
      held.set(name, one)
      bytes += name.length + one.bytes.length + 200
      if (bytes > mostHeld) return false
    }
  }
  return true
}

/** Compares the second moment with what was noted. */
function* compare(
  keyspace: Keyspace,
  { first, second }: { readonly first: Point; readonly second: Point },
  { count }: DiffRequest,
  changed: ChangedKeys,
  wants: (key: Slice) => boolean,
  before: ReadonlyMap<number, ReadonlyMap<string, Held>>,
  { memory, protocol }: Question
): Answering {
  const totals = { added: 0, removed: 0, changed: 0 }
  const shown: Array<Reply> = []
  const numbers = new Set([...before.keys(), ...keyspace.databases.keys()])
  let seen = 0
  let shownBytes = 0
  for (const db of [...numbers].sort((a, b) => a - b)) {
    const database = keyspace.database(db)
    const held = before.get(db)
    const names = new Set([...candidates(database, db, changed, wants), ...held?.keys() ?? []])
    for (const name of [...names].sort()) {
      if (++seen % keysPerStep === 0) yield 0
      const old = held?.get(name)
      const found = database.locate(Slice.latin1(name))
      const p = found === 0 || isGone(database, found, second.time) ? 0 : found
      if (p === 0 && old === undefined) continue
      if (p !== 0 && old !== undefined && stateDigestValue(database, p) === old.digest) continue
      const what = old === undefined ? "added" : p === 0 ? "removed" : "changed"
      totals[what]++
      if (shown.length >= count) continue
      const after = p === 0 ? undefined : encoded(valueReply(database, p, second.time), protocol)
      shownBytes += name.length + (old?.bytes.length ?? 0) + (after?.length ?? 0)
      if (shownBytes > memory * shownPart) {
        return refused("the reply would be too large; ask for a smaller COUNT, or narrow it with MATCH")
      }
      shown.push(
        new MapReply([
          ["db", db],
          ["key", Slice.latin1(name)],
          ["difference", what],
          ["before", old === undefined ? null : new Encoded(old.bytes)],
          ["after", after === undefined ? null : new Encoded(after)]
        ])
      )
    }
  }
  const reply = new MapReply([
    ["from", first.sequence],
    ["to", second.sequence],
    ["added", totals.added],
    ["removed", totals.removed],
    ["changed", totals.changed],
    ["keys", shown]
  ])
  return { kind: "reply", bytes: encoded(reply, protocol) }
}
