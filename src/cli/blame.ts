/** `annals blame`: for every element of a key's value, the batch that put it there. */
import type { LogView } from "../history/log-view.ts"
import { commandName } from "../log/commands.ts"
import type { Batch } from "../log/event-log.ts"
import { dbOf } from "../log/event-log.ts"
import type { Database } from "../projections/keyspace.ts"
import type { Pointer } from "../projections/memory/arena.ts"
import { Slice } from "../projections/memory/slice.ts"
import { type Context, exitCodes, Failed } from "./context.ts"
import { Credits, type Mark } from "./credits.ts"
import { literalOf } from "./parse.ts"
import { bare, isoTime, jsonOfBytes, quoted, toJson } from "./printing.ts"
import { openSource } from "./source.ts"
import type { Input } from "./spec.ts"
import type { blameSpec } from "./specs.ts"
import { stateAt } from "./state.ts"
import { eachEntry, eachPart, scoreText, stringOf, typeOf } from "./values.ts"
import { namesOf, only, startOf } from "./when.ts"

/** Of a string that is longer, so much is shown. */
const shownBytes = 200

export const run = (context: Context, { options, words }: Input<typeof blameSpec.options>): number => {
  const view = openSource(context, options.dir).directory.view()
  const to = options.to === undefined ? view.head : view.sequenceAt(options.to, context.now())
  const number = options.db ?? 0
  const name = literalOf(words[0]!)
  const { credits, database, p } = view.beginsLater
    ? fromCheckpoint(context, view, name, number, to)
    : fromBeginning(context, view, name, number, to)
  if (p === 0) throw new Failed(`${bare(name)} is not there after sequence ${to}, in database ${number}`)
  tell(context, options.json, database, p, (element) => credits.of(number, new Slice(name).latin1(), element))
  return exitCodes.ok
}

interface Found {
  readonly credits: Credits
  readonly database: Database
  readonly p: Pointer
}

/** Follows the key and whatever its value came from through the whole log. */
const fromBeginning = (context: Context, view: LogView, name: Uint8Array, db: number, to: number): Found => {
  const past = startOf(context, view, undefined)
  const { known } = namesOf(view, [name], to)
  const credits = new Credits(known)
  for (const batch of only(view, past, [name], 1, to)) credit(credits, batch)
  const database = past.keyspace.database(db)
  return { credits, database, p: database.locate(new Slice(name)) }
}

/** Where the beginning was dropped: the value is that of the data, and what the log tells of it is told. */
const fromCheckpoint = (context: Context, view: LogView, name: Uint8Array, db: number, to: number): Found => {
  const { all, known } = namesOf(view, [name], to)
  const credits = new Credits(known)
  for (const batch of view.naming(all, { to }, true)) if (batch !== undefined) credit(credits, batch)
  credits.forgetPlaces()
  const past = stateAt(context, view, { sequence: to, time: 0 })
  const database = past.keyspace.database(db)
  return { credits, database, p: database.locate(new Slice(name)) }
}

const credit = (credits: Credits, batch: Batch): void => {
  const { author, command, origin, sequence, time } = batch
  const mark: Mark = {
    sequence,
    time,
    origin,
    command: command === 0 ? null : commandName(command) ?? `command ${command}`,
    user: author?.user ?? null,
    address: author?.address ?? null,
    client: author?.name ?? null
  }
  batch.events.forEach((event, index) => credits.apply(dbOf(batch, index), event, mark))
}

/** Every element with its mark; `element` is what `Credits` knows it by. */
const tell = (
  context: Context,
  json: boolean,
  db: Database,
  p: Pointer,
  markOf: (element: string | number | undefined) => Mark | undefined
): void => {
  const type = typeOf(db, p)
  const rows: Array<{ readonly mark: Mark | undefined; readonly text: string }> = []
  const row = (mark: Mark | undefined, text: string, facts: Record<string, unknown>): void => {
    if (json) context.write(`${toJson({ type, ...facts, ...(mark ?? { sequence: null }) })}\n`)
    else rows.push({ mark, text })
  }
  if (type === "string") {
    const value = stringOf(db, p)
    const cut = value.length > shownBytes
      ? `${quoted(new Slice(value.bytes, value.start, shownBytes))}…`
      : quoted(value)
    row(markOf(undefined), cut, json ? { value: jsonOfBytes(value) } : {})
  } else if (type === "stream") {
    eachEntry(db, p, (id, pairs) => {
      row(markOf(id), `${id} ${pairs.map((pair) => quoted(pair)).join(" ")}`, { id, fields: pairs.map(jsonOfBytes) })
    })
  } else {
    let place = 0
    eachPart(db, p, (name, value, extra) => {
      const own = jsonOfBytes(name)
      if (type === "list") row(markOf(place++), quoted(name), { index: place - 1, element: own })
      else if (type === "hash") {
        row(markOf(name.latin1()), `${quoted(name)} ${quoted(value!)}`, { field: own, value: jsonOfBytes(value!) })
      } else if (type === "zset") {
        const score = Number.isFinite(extra) ? extra : scoreText(extra)
        row(markOf(name.latin1()), `${quoted(name)} ${scoreText(extra)}`, { member: own, score })
      } else row(markOf(name.latin1()), quoted(name), { member: own })
    })
  }
  const heads = rows.map(({ mark }) => mark === undefined ? unknown : headOf(mark))
  const widths = [0, 1, 2, 3].map((column) => Math.max(0, ...heads.map((head) => head[column]!.length)))
  rows.forEach(({ text }, i) => {
    context.write(`${heads[i]!.map((cell, column) => cell.padEnd(widths[column]!)).join("  ").trimEnd()}  ${text}\n`)
  })
}

const unknown = ["?", "before the log begins", "", ""]

const headOf = ({ address, client, command, origin, sequence, time, user }: Mark): ReadonlyArray<string> => [
  `#${sequence}`,
  isoTime(time),
  origin === "client" ? command ?? "" : `${origin}${command === null ? "" : ` ${command}`}`,
  user === null ? "" : `${bare(user)}@${address === "" ? "?" : address}${client === "" ? "" : ` ${bare(client!)}`}`
]
