/** Answers to questions about a log: encoded replies, made in steps between which other questions have their turn. */
import { DiskError } from "../log/disk.ts"
import { LogCorrupt, LogFormatTooNew } from "../log/errors.ts"
import { type Batch, dbOf } from "../log/event-log.ts"
import type { Event } from "../log/events/catalog.ts"
import type { Gap } from "../log/gaps.ts"
import { ReplyBuffer } from "../net/resp/encoder.ts"
import { MapReply, type Reply } from "../net/resp/reply.ts"
import { Slice } from "../projections/memory/slice.ts"
import { matchGlob } from "../projections/structures/glob.ts"
import { briefly, changeReply, concernsField, envelopeOf, eventReply, inFull } from "./describe.ts"
import { BeyondHead, PastTooLarge, Truncated } from "./errors.ts"
import { keyTrail } from "./key-trail.ts"
import type { LogDirectory } from "./log-directory.ts"
import type { LogView } from "./log-view.ts"
import type { Answer, HistoryRequest, LogRequest, PastRequest, Question, ReadRequest } from "./questions.ts"

/** Steps of an answer; each tells how many bytes of it there are, or `waiting`. */
export type Answering = Generator<number, Answer>
/** A step that did nothing: another question has to be answered first. */
export const waiting = -1
/** Answers questions about data of the past; what it throws becomes an error reply. */
export type PastAnswering = (view: LogView, request: PastRequest, question: Question) => Answering

/** A reply to LOG.READ ends with the batch that takes it past this. */
const readBytes = 16 << 20
/** A reply to LOG.HISTORY may not be larger. */
const historyBytes = 256 << 20
/** Batches looked at in one step. */
const batchesPerStep = 256

/** Items of a reply, encoded one by one because what they point at does not last. */
class Items {
  count = 0
  private readonly body = new ReplyBuffer()
  private readonly protocol: number
  constructor(protocol: number) {
    this.protocol = protocol
  }

  get bytes(): number {
    return this.body.length
  }

  add(item: Reply): void {
    this.body.write(item, this.protocol)
    this.count++
  }

  /** The whole reply: what `head` writes, and the items as an array. */
  take(head?: (out: ReplyBuffer) => void): Uint8Array {
    const out = new ReplyBuffer()
    head?.(out)
    out.array(this.count)
    const bytes = new Uint8Array(out.length + this.body.length) // in memory of its own, which goes to another thread
    let at = 0
    for (const chunk of [...out.take(), ...this.body.take()]) {
      bytes.set(chunk, at)
      at += chunk.length
    }
    return bytes
  }
}

/** Answers a question; `past` those about data of the past. Errors that a user may meet become error replies. */
export function* answer(directory: LogDirectory, question: Question, past?: PastAnswering): Answering {
  const { request } = question
  try {
    for (let tries = 1;; tries++) {
      try {
        const view = directory.view(question.live)
        if (request.kind === "history") return yield* history(view, request, question)
        if (request.kind === "read") return yield* read(view, request, question)
        return yield* past!(view, request, question)
      } catch (error) {
        // Retention has dropped something since the question was asked: who asked for no beginning gets what there is.
        if (!(error instanceof Truncated) || namesMoment(request) || tries === 5) throw error
      }
    }
  } catch (error) {
    if (error instanceof Truncated) return { kind: "error", text: `TRUNCATED ${error.message}` }
    if (error instanceof BeyondHead) return { kind: "error", text: `BEYONDHEAD ${error.message}` }
    if (error instanceof PastTooLarge) {
      return { kind: "error", text: `ERR ${error.message}, which is the limit history-memory` }
    }
    if (error instanceof LogCorrupt) {
      const { position, reason, segment } = error
      return { kind: "error", text: `ERR the log is damaged in ${segment} at byte ${position}: ${reason}` }
    }
    if (error instanceof DiskError) return { kind: "error", text: `ERR the log cannot be read: ${error.message}` }
    if (error instanceof LogFormatTooNew) return { kind: "error", text: `ERR ${error.message}` }
    throw error
  }
}

/** Whether a question is about a beginning, or a moment, that is named. */
const namesMoment = (request: LogRequest): boolean =>
  "moment" in request ? request.moment !== undefined : request.kind === "undo" || request.from !== undefined

const gapReply = ({ first, last, reason }: Gap): MapReply =>
  new MapReply([["sequence", first], ["type", "Gap"], ["last-sequence", last], ["reason", reason]])

function* history(view: LogView, request: HistoryRequest, { now, protocol }: Question): Answering {
  const { db, field, key, reverse } = request
  const from = request.from === undefined ? view.oldest : view.sequenceFrom(request.from)
  const to = request.to === undefined ? view.head : view.sequenceAt(request.to, now)
  const count = request.count ?? Infinity
  const items = new Items(protocol)
  const detail = briefly(field)
  const gaps = view.gaps(from, to).sort((a, b) => reverse ? b.first - a.first : a.first - b.first)
  const addGaps = (until: number): void => {
    while (items.count < count && gaps.length > 0 && (reverse ? gaps[0]!.first > until : gaps[0]!.first < until)) {
      items.add(gapReply(gaps.shift()!))
    }
  }
  if (count > 0) {
    for (const change of keyTrail(view, db, key, { from, to, reverse })) {
      if (change === undefined) {
        yield items.bytes
        continue
      }
      const { batch, event, index } = change
      if (field !== undefined && !concernsField(event, field)) continue
      addGaps(batch.sequence)
      if (items.count >= count) break
      items.add(changeReply(batch, index, key, detail))
      if (items.count >= count) break
      if (items.bytes > historyBytes) {
        return { kind: "error", text: "ERR the history is too long for one reply; ask for less with FROM, TO or COUNT" }
      }
    }
    addGaps(reverse ? -Infinity : Infinity)
  }
  return { kind: "reply", bytes: items.take() }
}

function* read(view: LogView, request: ReadRequest, { protocol }: Question): Answering {
  const from = view.sequenceFrom({ kind: "sequence", sequence: request.from })
  const to = upTo(view, request)
  const count = request.count ?? Infinity
  const items = new Items(protocol)
  const wants = filterOf(request)
  const detail = request.values ? inFull : undefined
  let next = Math.max(from, Math.min(view.head, to) + 1)
  let looked = 0
  const gaps = view.gaps(from, to)
  const addGaps = (until: number): void => {
    while (items.count < count && gaps.length > 0 && gaps[0]!.first < until) items.add(gapReply(gaps.shift()!))
  }
  for (const batch of view.batches({ from, to })) {
    if (items.count >= count || items.bytes >= readBytes) {
      next = Math.min(batch.sequence, gaps[0]?.first ?? Infinity)
      break
    }
    addGaps(batch.sequence)
    if (wants(batch)) items.add(batchReply(batch, detail))
    if (++looked % batchesPerStep === 0) yield items.bytes
  }
  if (next > view.head) addGaps(Infinity)
  const bytes = items.take((out) => {
    if (protocol === 3) out.line("%2")
    else out.array(4)
    out.write("next", protocol)
    out.write(next, protocol)
    out.write("batches", protocol)
  })
  const nothing = items.count === 0 && count > 0 && next > view.head && to > view.head
  return { kind: "reply", bytes, next: nothing ? next : undefined }
}

/** The last sequence that is wanted; one that has not happened is a bound like any other. */
const upTo = (view: LogView, { to }: ReadRequest): number => {
  if (to === undefined) return Infinity
  if (to.kind === "sequence") return to.sequence
  return to.time > view.headTime ? Infinity : view.sequenceAt(to)
}

const batchReply = (batch: Batch, detail: typeof inFull | undefined): MapReply =>
  new MapReply([
    ...envelopeOf(batch),
    ["events", batch.events.map((_, index) => eventReply(batch, index, detail))]
  ])

/** Whether a batch is wanted: it is of the user, and one of its events is of the database, the type and such a key. */
export const filterOf = ({ db, match, types, user }: ReadRequest): (batch: Batch) => boolean => {
  const wanted = new Set<string>(types)
  const pattern = match === undefined ? undefined : new Slice(match)
  const byEvent = db !== undefined || wanted.size > 0 || pattern !== undefined
  const suits = (event: Event, own: number): boolean =>
    (db === undefined || own === db || ("toDb" in event && event.toDb === db)) &&
    (wanted.size === 0 || wanted.has(event._tag)) &&
    (pattern === undefined || ("key" in event && matchGlob(pattern, event.key)) ||
      ("to" in event && matchGlob(pattern, event.to)))
  return (batch) => {
    if (user !== undefined && batch.author?.user !== user) return false
    return !byEvent || batch.events.some((event, index) => suits(event, dbOf(batch, index)))
  }
}
