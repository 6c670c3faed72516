/** `annals step`: goes through the log batch by batch, forward and back, showing what each changed. */
import { briefly, envelopeOf, eventReply, inFull } from "../history/describe.ts"
import { foldNames } from "../history/existence.ts"
import type { LogView } from "../history/log-view.ts"
import { type Batch, dbOf } from "../log/event-log.ts"
import type { Event } from "../log/events/catalog.ts"
import { MapReply } from "../net/resp/reply.ts"
import { evolve } from "../projections/evolve.ts"
import type { Keyspace } from "../projections/keyspace.ts"
import { Slice } from "../projections/memory/slice.ts"
import { matchGlob } from "../projections/structures/glob.ts"
import { type Context, exitCodes } from "./context.ts"
import { difference, differenceJson, isSame, type Snapshot, snapshot } from "./difference.ts"
import { eventLine, headOf } from "./log-words.ts"
import { bytesOf, momentOf, wordsOf } from "./parse.ts"
import { bare, jsonOf, toJson } from "./printing.ts"
import { viewOf } from "./source.ts"
import type { Input } from "./spec.ts"
import type { stepSpec } from "./specs.ts"
import { stateAt } from "./state.ts"

/** Elements of one key that are shown. */
const shownElements = 20

const help = `n          the next batch (so does an empty line)
p          the batch before
go MOMENT  to a batch
find WHAT  the next batch with a key like this (as KEYS takes it)
break KEY  stop at this key, too; without a key: says which
c          on to the next batch that names one of these keys
q          ends
`

export const run = async (context: Context, { options, words }: Input<typeof stepSpec.options>): Promise<number> => {
  const view = viewOf(context, options.dir)
  const stepper = new Stepper(context, view, options.json)
  stepper.go(words[0] === undefined ? view.head : view.sequenceAt(momentOf(words[0]), context.now()))
  for await (const line of context.lines(options.json ? "" : "step> ")) {
    try {
      if (!stepper.obey(wordsOf(line) ?? [])) return exitCodes.ok
    } catch (error) {
      // A moment that is not there, or makes no sense, does not end it.
      context.write(`${(error as Error).message}\n`)
    }
  }
  return exitCodes.ok
}

type Touched = Map<string, { readonly db: number; readonly key: Slice; before?: Snapshot | undefined }>

class Stepper {
  private readonly context: Context
  private readonly view: LogView
  private readonly json: boolean
  private sequence = 0
  private readonly stops: Array<Uint8Array> = []

  constructor(context: Context, view: LogView, json: boolean) {
    this.context = context
    this.view = view
    this.json = json
  }

  /** Does what a line says; false: it is the end. */
  obey([name = "n", ...rest]: ReadonlyArray<string>): boolean {
    const { context, view } = this
    switch (name) {
      case "n":
      case "next":
        this.go(this.sequence + 1)
        return true
      case "p":
      case "prev":
        this.go(this.sequence - 1)
        return true
      case "go":
        this.go(view.sequenceAt(momentOf(rest[0] ?? ""), context.now()))
        return true
      case "find":
        this.find(rest[0] ?? "*")
        return true
      case "break":
        if (rest[0] !== undefined) this.stops.push(bytesOf(rest[0]))
        context.write(`stops at ${this.stops.map((key) => bare(key)).join(", ") || "nothing"}\n`)
        return true
      case "c":
        this.next()
        return true
      case "q":
      case "quit":
      case "exit":
        return false
      default:
        context.write(help)
        return true
    }
  }

  /** Shows a batch. */
  go(sequence: number): void {
    const { context, view } = this
    if (sequence < view.oldest || view.head < view.oldest) {
      context.write(`this is the beginning: ${view.oldest} is the oldest sequence\n`)
      return
    }
    if (sequence > view.head) {
      context.write(`this is the end: ${view.head} is the newest sequence\n`)
      return
    }
    this.sequence = sequence
    for (const batch of view.batches({ from: sequence, to: sequence })) return this.show(batch)
    for (const { first, last, reason } of view.gaps(sequence, sequence)) {
      context.write(`#${first} to #${last} are missing: ${reason}\n`)
    }
  }

  private find(pattern: string): void {
    const glob = new Slice(bytesOf(pattern))
    const named = (event: Event): boolean =>
      ("key" in event && matchGlob(glob, event.key)) || ("to" in event && matchGlob(glob, event.to))
    for (const { events, sequence } of this.view.batches({ from: this.sequence + 1 })) {
      if (events.some(named)) return this.go(sequence)
    }
    this.context.write("not found from here to the end\n")
  }

  private next(): void {
    if (this.stops.length === 0) {
      this.context.write("break KEY says first where to stop\n")
      return
    }
    for (const batch of this.view.naming(this.stops, { from: this.sequence + 1 })) {
      if (batch !== undefined) return this.go(batch.sequence)
    }
    this.context.write("none of these keys from here to the end\n")
  }

  private show(batch: Batch): void {
    const { context, json } = this
    const touched = touchedBy(batch)
    const keyspace = this.before(batch.sequence, [...touched.values()].map(({ key }) => key))
    for (const one of touched.values()) one.before = snapshot(keyspace, one.db, one.key, json)
    keyspace.turn.next(batch.time)
    for (let i = 0; i < batch.events.length; i++) evolve(keyspace, dbOf(batch, i), batch.events[i]!)
    const changes = [...touched.values()].flatMap(({ before, db, key }) => {
      const after = snapshot(keyspace, db, key, json)
      return isSame(before, after) ? [] : [{ before, after, db, key }]
    })
    if (json) {
      const events = batch.events.map((_, index) => eventReply(batch, index, inFull))
      const facts = jsonOf(new MapReply([...envelopeOf(batch), ["events", events]])) as object
      const changed = changes.map(({ after, before, db, key }) => differenceJson(db, key, before, after))
      context.write(`${toJson({ ...facts, changes: changed })}\n`)
      return
    }
    const lines = [headOf(batch), ...batch.events.map((_, i) => `  ${eventLine(batch, i, briefly(undefined))}`)]
    for (const { after, before, db, key } of changes) lines.push(...difference(db, key, before, after, shownElements))
    context.write(`${lines.join("\n")}\n`)
  }

  /** Data in which these keys are what they were before a batch. */
  private before(sequence: number, keys: ReadonlyArray<Slice>): Keyspace {
    const { context, view } = this
    if (!view.beginsLater) return foldNames(view, keys.map((key) => key.toBytes()), sequence)
    return stateAt(context, view, { sequence: sequence - 1, time: 0 }).keyspace
  }
}

/** The keys that a batch names, with their databases. */
const touchedBy = (batch: Batch): Touched => {
  const touched: Touched = new Map()
  const add = (db: number, key: Slice | undefined): void => {
    if (key !== undefined) touched.set(`${db} ${key.latin1()}`, { db, key: key.copy() })
  }
  batch.events.forEach((event, i) => {
    const { key, to, toDb } = event as Event & { readonly key?: Slice; readonly to?: Slice; readonly toDb?: number }
    const db = dbOf(batch, i)
    add(db, key)
    add(toDb ?? db, to ?? (toDb === undefined ? undefined : key))
  })
  return touched
}
