/** `annals diff`: what is different between the data of two moments. */
import { movesDatabases } from "../history/frame-scan.ts"
import type { LogView } from "../history/log-view.ts"
import { pointOf } from "../history/past.ts"
import { dbOf } from "../log/event-log.ts"
import type { Event } from "../log/events/catalog.ts"
import { Slice } from "../projections/memory/slice.ts"
import { matchGlob } from "../projections/structures/glob.ts"
import { type Context, exitCodes } from "./context.ts"
import { difference, differenceJson, isSame, snapshot } from "./difference.ts"
import { literalOf, momentOf } from "./parse.ts"
import { isoTime, toJson } from "./printing.ts"
import { Progress } from "./progress.ts"
import { viewOf } from "./source.ts"
import type { Input } from "./spec.ts"
import type { diffSpec } from "./specs.ts"
import { stateAt } from "./state.ts"
import { eachKey } from "./values.ts"

/** Elements of one key that are shown unless more are asked for. */
const usualElements = 20

export const run = (context: Context, { options, words }: Input<typeof diffSpec.options>): number => {
  const view = viewOf(context, options.dir)
  const [first, second] = words.map((word) => pointOf(view, momentOf(word), context.now()))
  const before = stateAt(context, view, first!)
  const after = stateAt(context, view, second!)
  const pattern = options.match === undefined ? undefined : new Slice(literalOf(options.match))
  const from = Math.min(before.sequence, after.sequence) + 1
  const to = Math.max(before.sequence, after.sequence)
  let names = touched(context, view, from, to)
  if (names === undefined) {
    const all = names = new Map()
    for (const { keyspace } of [before, after]) {
      eachKey(keyspace, 0, (db, _, __, key) => void all.set(`${db} ${key.latin1()}`, { db, key: key.copy() }))
    }
  }
  const counts = { added: 0, removed: 0, changed: 0 }
  for (const { db, key } of names.values()) {
    if ((options.db !== undefined && options.db !== db) || (pattern !== undefined && !matchGlob(pattern, key))) continue
    const was = snapshot(before.keyspace, db, key, options.json)
    const is = snapshot(after.keyspace, db, key, options.json)
    if (isSame(was, is)) continue
    counts[was === undefined ? "added" : is === undefined ? "removed" : "changed"]++
    if (options.json) context.write(`${toJson(differenceJson(db, key, was, is))}\n`)
    else context.write(`${difference(db, key, was, is, options.elements ?? usualElements).join("\n")}\n`)
  }
  if (!options.json) {
    const { added, changed, removed } = counts
    context.write(
      `${added} added, ${removed} removed, ${changed} changed, from sequence ${before.sequence} `
        + `(${isoTime(before.time)}) to ${after.sequence} (${isoTime(after.time)})\n`
    )
  }
  before.dispose()
  after.dispose()
  return exitCodes.ok
}

type Names = Map<string, { readonly db: number; readonly key: Slice }>

/** The keys that batches name; undefined where databases were emptied or swapped: then it may be any. */
const touched = (context: Context, view: LogView, from: number, to: number): Names | undefined => {
  const names: Names = new Map()
  const add = (db: number, key: Slice | undefined): void => {
    if (key === undefined) return
    const name = `${db} ${key.latin1()}`
    if (!names.has(name)) names.set(name, { db, key: key.copy() })
  }
  const progress = new Progress(context, "reading", to - from + 1)
  for (const batch of from <= to ? view.batches({ from, to }) : []) {
    progress.at(batch.sequence - from)
    for (let i = 0; i < batch.events.length; i++) {
      const event = batch.events[i] as Event & { readonly key?: Slice; readonly to?: Slice; readonly toDb?: number }
      if (movesDatabases(event) && event._tag !== "KeyMoved") return undefined
      const db = dbOf(batch, i)
      add(db, event.key)
      add(event.toDb ?? db, event.to ?? (event.toDb === undefined ? undefined : event.key))
    }
  }
  progress.end()
  return names
}
