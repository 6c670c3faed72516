/** XREADGROUP: entries of several streams for a consumer of a group, waiting for some if there are none. */
import { type ElementSink, nilArray, type Reply, ReplyError } from "../../net/resp/reply.ts"
import * as Entry from "../../projections/entry.ts"
import type { Pointer } from "../../projections/memory/arena.ts"
import type { Slice } from "../../projections/memory/slice.ts"
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

/** One stream of the request, and what is answered of it. */
class Source implements Reader, Part {
  key!: Slice
  p: Pointer = 0
  groupName!: Slice
  group: Pointer = 0
  consumerName!: Slice
  consumer: Pointer = 0
  /** Undefined for `>`. */
  after: StreamId | undefined = undefined
  progress!: Progress
  private readonly ownProgress: Progress = { lastDelivered: new StreamId(), entriesRead: null }
  private d!: Decision
  private fresh: ReadonlyArray<StreamId> = none
  private given: Given | undefined = undefined

  /** Becomes stream `i` of the request. */
  read(d: Decision, argv: Argv, request: ReadRequest, i: number, shared: Shared): this {
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
    this.d = d
    this.key = key
    this.p = p
    this.groupName = groupName
    this.group = group
    this.consumerName = request.consumer!
    this.consumer = 0
    this.fresh = none
    this.given = undefined
    this.readId(request.id(argv, i))
    this.progress = shared?.get(group) ?? this.startOf(d, group)
    shared?.set(group, this.progress)
    return this
  }

  private readId(id: Slice): void {
    this.after = undefined
    if (isCharacter(id, greater)) return
    if (isCharacter(id, dollar)) throw noDollar
    if (isCharacter(id, plus)) throw noPlus
    const after = idAt(id, new StreamId())
    // In Redis the greatest id is how it notes that there was a `>`.
    if (compareIds(after, greatestId) !== 0) this.after = after
  }

  private startOf(d: Decision, group: Pointer): Progress {
    const { ownProgress } = this
    Stream.lastDelivered(d.db, group, ownProgress.lastDelivered)
    ownProgress.entriesRead = Stream.entriesRead(d.db, group)
    return ownProgress
  }

  /** Finds what is answered; false when there is nothing. */
  find(request: ReadRequest, allowance: Allowance): boolean {
    const { after, d } = this
    if (after !== undefined) {
      this.given = pendingAgain(d, this, after, allowance)
      return true
    }
    if (request.claimMs === undefined) {
      this.fresh = this.freshEntries(request, allowance)
      return this.fresh.length > 0
    }
    const idle = idleEntries(d, this, request.claimMs, allowance)
    const ids = this.freshEntries(request, allowance)
    const zeros = ids.map(() => 0)
    this.given = {
      ids: [...idle.ids, ...ids],
      idle: [...idle.idle, ...zeros],
      deliveries: [...idle.deliveries, ...zeros]
    }
    return this.given.ids.length > 0
  }

  private freshEntries({ noAck }: ReadRequest, allowance: Allowance): ReadonlyArray<StreamId> {
    const { d, p, progress } = this
    return allowance.left && hasNew(d, p, progress) ? newEntries(d, this, progress, noAck, allowance) : none
  }

  /** Writes it, and forgets it: it may be long. */
  write(out: ElementSink): void {
    const { d, fresh, given, p } = this
    this.fresh = none
    this.given = undefined
    if (given !== undefined) {
      writeGiven(out, d, p, given)
      return
    }
    out.array(fresh.length)
    writeRange(out, d.db, p, fresh[0]!, greatestId, false, fresh.length)
  }
}

/** Where the groups of a request are that reads several streams: the same one may be among them twice. */
type Shared = Map<Pointer, Progress> | undefined

const none: ReadonlyArray<StreamId> = []

/** Those of the request at work, used again by the next: most read one stream, and ten thousand times a second. */
const kept: Array<Source> = []
const mostKept = 64
const request = new ReadRequest()

/** How long until something pending may be claimed, of all streams. */
const claimableIn = (d: Decision, sources: ReadonlyArray<Source>, minIdle: number): number => {
  let ms = Infinity
  for (const { group } of sources) ms = Math.min(ms, untilIdle(d, group, minIdle))
  return ms
}

const readGroup = (d: Decision, argv: Argv): Reply => {
  request.read(argv, true, d.time)
  const sources: Array<Source> = []
  const shared: Shared = request.streams > 1 ? new Map() : undefined
  for (let i = 0; i < request.streams; i++) {
    if (servedElsewhere(d, request.key(argv, i))) continue
    const source = i < mostKept ? kept[i] ??= new Source() : new Source()
    sources.push(source.read(d, argv, request, i, shared))
  }
  const allowance = allowanceOf(d, request)
  const parts: Array<Part> = []
  for (const source of sources) {
    const { consumerName, group, groupName, key } = source
    source.consumer = source.after === undefined
      ? askingConsumer(d, group, consumerName)
      : actingConsumer(d, key, groupName, group, consumerName)
    allowance.next()
    if (allowance.left && source.find(request, allowance)) parts.push(source)
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
