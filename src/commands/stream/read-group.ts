/** XREADGROUP: entries of several streams for a consumer of a group, waiting for some if there are none. */
import { type ElementSink, nilArray, type Reply, ReplyError } from "../../net/resp/reply.ts"
import * as Entry from "../../projections/entry.ts"
import type { Pointer } from "../../projections/memory/arena.ts"
import { compareIds, greatestId, StreamId } from "../../projections/memory/stream-id.ts"
import * as Stream from "../../projections/stream-read.ts"
import { rest, shown } from "../arguments.ts"
import type { Decision } from "../decision.ts"
import { type Argv, defineCommand, keysAfterWord } from "../define.ts"
import { servedElsewhere } from "../waiting.ts"
import { actingConsumer, askingConsumer, readableStream } from "./access.ts"
import type { Allowance } from "./allowance.ts"
import {
  type Given,
  hasNew,
  idleEntries,
  newEntries,
  pendingAgain,
  type Progress,
  type Reader,
  untilIdle,
  writeGiven
} from "./group-read.ts"
import { idAt, isCharacter } from "./ids.ts"
import { ReadRequest } from "./read-request.ts"
import { allowanceOf, answerParts, limitsSyntax, type Part } from "./read.ts"
import { writeRange } from "./reply.ts"

const dollar = 0x24
const plus = 0x2b
const greater = 0x3e
const meaningless = (id: string): ReplyError =>
  new ReplyError(
    `ERR The ${id} ID is meaningless in the context of XREADGROUP: you want to read the history of this consumer by ` +
      `specifying a proper ID, or use the > ID to get new messages. The ${id} ID would just return an empty result set.`
  )
const noDollar = meaningless("$")
const noPlus = meaningless("+")
const groupGone = new ReplyError("NOGROUP the consumer group this client was blocked on no longer exists")
const keyGone = new ReplyError("UNBLOCKED the stream key no longer exists")

/** One stream of the request; `after` is undefined for `>`. */
interface Source {
  readonly reader: Reader
  readonly after: StreamId | undefined
  readonly progress: Progress
}

/** Where the groups of a request are that reads several streams: the same one may be among them twice. */
type Shared = Map<Pointer, Progress> | undefined

const sourceOf = (d: Decision, argv: Argv, request: ReadRequest, i: number, shared: Shared): Source => {
  const key = request.key(argv, i)
  const groupName = request.group!
  const p = readableStream(d, key)
  const group = p === 0 ? 0 : Stream.findGroup(d.db, p, groupName)
  if (group === 0) {
    if (d.served !== undefined) throw groupGone
    throw new ReplyError(
      `NOGROUP No such key '${shown(key)}' or consumer group '${shown(groupName)}' in XREADGROUP with GROUP option`
    )
  }
  const id = request.id(argv, i)
  if (isCharacter(id, dollar)) throw noDollar
  if (isCharacter(id, plus)) throw noPlus
  let after: StreamId | undefined
  if (!isCharacter(id, greater)) {
    after = idAt(id, new StreamId())
    // In Redis the greatest id is how it notes that there was a `>`.
    if (compareIds(after, greatestId) === 0) after = undefined
  }
  const progress = shared?.get(group) ?? {
    lastDelivered: Stream.lastDelivered(d.db, group, new StreamId()),
    entriesRead: Stream.entriesRead(d.db, group)
  }
  shared?.set(group, progress)
  return { reader: { key, p, groupName, group, consumerName: request.consumer!, consumer: 0 }, after, progress }
}

/** What is answered of one stream; undefined when there is nothing. */
const partOf = (d: Decision, source: Source, request: ReadRequest, allowance: Allowance): Part | undefined => {
  const { after, reader } = source
  const { key, p } = reader
  if (after !== undefined) return givenPart(d, reader, pendingAgain(d, reader, after, allowance))
  if (request.claimMs !== undefined) {
    const idle = idleEntries(d, reader, request.claimMs, allowance)
    const ids = freshEntries(d, source, request, allowance)
    const zeros = ids.map(() => 0)
    const given: Given = {
      ids: [...idle.ids, ...ids],
      idle: [...idle.idle, ...zeros],
      deliveries: [...idle.deliveries, ...zeros]
    }
    return given.ids.length === 0 ? undefined : givenPart(d, reader, given)
  }
  const ids = freshEntries(d, source, request, allowance)
  if (ids.length === 0) return undefined
  const write = (out: ElementSink): void => {
    out.array(ids.length)
    writeRange(out, d.db, p, ids[0]!, greatestId, false, ids.length)
  }
  return { key, write }
}

const givenPart = (d: Decision, { key, p }: Reader, given: Given): Part => ({
  key,
  write: (out) => writeGiven(out, d, p, given)
})

const freshEntries = (
  d: Decision,
  { progress, reader }: Source,
  { noAck }: ReadRequest,
  allowance: Allowance
): ReadonlyArray<StreamId> =>
  allowance.left && hasNew(d, reader.p, progress) ? newEntries(d, reader, progress, noAck, allowance) : none

const none: ReadonlyArray<StreamId> = []

/** How long until something pending may be claimed, of all streams. */
const claimableIn = (d: Decision, sources: ReadonlyArray<Source>, minIdle: number): number => {
  let ms = Infinity
  for (const { reader } of sources) ms = Math.min(ms, untilIdle(d, reader.group, minIdle))
  return ms
}

const readGroup = (d: Decision, argv: Argv): Reply => {
  const request = new ReadRequest(argv, true, d.time)
  const sources: Array<Source> = []
  const shared: Shared = request.streams > 1 ? new Map() : undefined
  for (let i = 0; i < request.streams; i++) {
    if (!servedElsewhere(d, request.key(argv, i))) sources.push(sourceOf(d, argv, request, i, shared))
  }
  const allowance = allowanceOf(d, request)
  const parts: Array<Part> = []
  for (const source of sources) {
    const { reader } = source
    const { consumerName, group, groupName, key } = reader
    reader.consumer = source.after === undefined
      ? askingConsumer(d, group, consumerName)
      : actingConsumer(d, key, groupName, group, consumerName)
    allowance.next()
    if (!allowance.left) continue
    const part = partOf(d, source, request, allowance)
    if (part !== undefined) parts.push(part)
  }
  if (parts.length > 0) return answerParts(d, parts)
  if (request.blockMs === undefined) return nilArray
  const { claimMs } = request
  return d.wait({
    keys: rest(argv, request.at, request.at + request.streams),
    type: Entry.Type.stream,
    timeoutMs: request.blockMs,
    nothing: nilArray,
    lost: keyGone,
    ...(claimMs === undefined
      ? { alike: request.group!.latin1() }
      : { claimMs: claimableIn(d, sources, claimMs) })
  })
}

export const xreadgroup = defineCommand({
  name: "XREADGROUP",
  since: "5.0.0",
  group: "stream",
  summary:
    "Gives a consumer of a group new entries of several streams, or again what it has not acknowledged; waits if it is told to.",
  complexity: "For each stream O(N*log M) where N is the number of entries given and M that of pending ones.",
  syntax: `GROUP <group consumer> ${limitsSyntax} [CLAIM min-idle-time(integer)]@8.4.0 [NOACK] ` +
    "STREAMS <streams: key ... id ...>",
  history: [["8.4.0", "The option `CLAIM`."], ["8.10.0", "The options `MAXCOUNT` and `MAXSIZE`."]],
  arity: -7,
  flags: ["write", "blocking"],
  keys: keysAfterWord("STREAMS", 4, "RO", "access"),
  decide: readGroup
})
