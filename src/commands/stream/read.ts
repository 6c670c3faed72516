/** XREAD: entries of several streams after given ids, waiting for some if there are none. */
import { Elements, type ElementSink, nilArray, type Reply, ReplyError } from "../../net/resp/reply.ts"
import * as Entry from "../../projections/entry.ts"
import type { Pointer } from "../../projections/memory/arena.ts"
import { Slice } from "../../projections/memory/slice.ts"
import { advance, greatestId, StreamId } from "../../projections/memory/stream-id.ts"
import * as Stream from "../../projections/stream-read.ts"
import { rest } from "../arguments.ts"
import type { Decision } from "../decision.ts"
import { type Argv, defineCommand, keysAfterWord } from "../define.ts"
import { servedElsewhere } from "../waiting.ts"
import { readableStream } from "./access.ts"
import { Allowance } from "./allowance.ts"
import { idAt, isCharacter } from "./ids.ts"
import { ReadRequest } from "./read-request.ts"
import { writeRange } from "./reply.ts"

const entries = new Stream.EntryRange()
const dollar = 0x24
const plus = 0x2b
const greater = 0x3e
const onlyForGroups = new ReplyError(
  "ERR The > ID can be specified only when calling XREADGROUP using the GROUP <group> <consumer> option."
)

/** Without COUNT, what ends a wait is answered up to so many entries. */
const waitingCount = 1000

/** The limits of a request. */
export const allowanceOf = (d: Decision, { count, maxCount, maxSize }: ReadRequest): Allowance => {
  const usual = d.served === undefined ? Infinity : waitingCount
  return new Allowance(count === 0 ? usual : count, maxCount, maxSize)
}

/** What is answered of one stream. */
export interface Part {
  readonly key: Slice
  write(out: ElementSink): void
}

/** The reply of these parts: pairs of key and entries. */
export const answerParts = (d: Decision, parts: ReadonlyArray<Part>): Reply =>
  new Elements(d.client.protocol === 3 ? "map" : "array", parts.length, (out, protocol) => {
    for (const part of parts) {
      const { bytes, length, start } = part.key
      if (protocol !== 3) out.array(2)
      out.bulk(bytes, start, length)
      part.write(out)
    }
  })

/** A stream to read, and the id after which to begin; `last`: its last entry alone. */
interface Source {
  readonly key: Slice
  readonly p: Pointer
  readonly after: StreamId
  readonly last: boolean
}

const sourceOf = (d: Decision, key: Slice, id: Slice): Source => {
  const p = readableStream(d, key)
  const after = new StreamId()
  if (isCharacter(id, greater)) throw onlyForGroups
  const last = isCharacter(id, plus)
  if (isCharacter(id, dollar)) {
    if (p !== 0) Stream.lastId(d.db, p, after)
  } else if (!last) idAt(id, after)
  return { key, p, after, last: last && p !== 0 && Stream.length(d.db, p) > 0 }
}

/** The part of a stream from an id on; undefined when it has nothing there, or nothing may be given any more. */
const partOf = (d: Decision, { after, key, last, p }: Source, allowance: Allowance): Part | undefined => {
  d.counted(p, key) // for the second time: Redis looks again when all keys were found to be streams
  if (p === 0 || !allowance.left) return undefined
  const from = after.copy()
  if (last) Stream.lastEntryId(d.db, p, from)
  else if (!advance(from)) return undefined
  let count = allowance.plainCount
  if (count === undefined) {
    count = 0
    entries.start(d.db, p, from, greatestId)
    while (entries.next() && allowance.takesEntry(entries)) count++
  } else {
    count = Stream.countEntries(d.db, p, from, greatestId, count)
    allowance.take(count)
  }
  if (count === 0) return undefined
  const many = count
  const write = (out: ElementSink): void => {
    out.array(many)
    writeRange(out, d.db, p, from, greatestId, false, many)
  }
  return { key, write }
}

/** The request with the ids that `$` and `+` stand for, so that what comes while it waits is found. */
const resolved = (argv: Argv, request: ReadRequest, sources: ReadonlyArray<Source>): Argv => {
  const from = request.at + request.streams
  const ids = sources.map(({ after }) => Slice.latin1(after.toString()))
  return { length: argv.length, at: (index) => index < from ? argv.at(index) : ids[index - from]! }
}

const request = new ReadRequest()

const read = (d: Decision, argv: Argv): Reply => {
  request.read(argv, false, d.time)
  const sources: Array<Source> = []
  for (let i = 0; i < request.streams; i++) {
    const key = request.key(argv, i)
    if (!servedElsewhere(d, key)) sources.push(sourceOf(d, key, request.id(argv, i)))
  }
  const allowance = allowanceOf(d, request)
  const parts: Array<Part> = []
  for (const source of sources) {
    allowance.next()
    const part = partOf(d, source, allowance)
    if (part !== undefined) parts.push(part)
  }
  if (parts.length > 0) return answerParts(d, parts)
  if (request.blockMs === undefined) return nilArray
  return d.wait({
    keys: rest(argv, request.at, request.at + request.streams),
    type: Entry.Type.stream,
    timeoutMs: request.blockMs,
    nothing: nilArray,
    argv: d.served === undefined ? resolved(argv, request, sources) : argv
  })
}

export const limitsSyntax = "[COUNT count] [MAXCOUNT maxcount(integer)]@8.10.0 [MAXSIZE maxsize(integer)]@8.10.0 " +
  "[BLOCK milliseconds]"

export const xread = defineCommand({
  name: "XREAD",
  since: "5.0.0",
  group: "stream",
  summary: "Answers the entries of several streams that come after given ids; waits for some if it is told to.",
  complexity: "For each stream O(N) where N is the number of entries answered.",
  syntax: `${limitsSyntax} STREAMS <streams: key ... id ...>`,
  history: [["8.10.0", "The options `MAXCOUNT` and `MAXSIZE`."]],
  arity: -4,
  flags: ["readonly", "blocking"],
  keys: keysAfterWord("STREAMS", 1, "RO", "access"),
  decide: read
})
