/** Answers to questions about data of the past: of LOG.ASOF, LOG.DIGEST, LOG.DIFF and LOG.UNDO. */
import type { Answering, PastAnswering } from "../history/answers.ts"
import { foldingNames } from "../history/existence.ts"
import { lastValues } from "../history/last-values.ts"
import type { LogView } from "../history/log-view.ts"
import { disposeOf, ownSeed, type Point, pointOf } from "../history/past.ts"
import type { AsOfRequest, DigestRequest, Question } from "../history/questions.ts"
import { MapReply } from "../net/resp/reply.ts"
import type { Keyspace } from "../projections/keyspace.ts"
import { PastAsker } from "./ask-past.ts"
import { diff } from "./diff.ts"
import { Pasts } from "./pasts.ts"
import { encoded, silent } from "./replies.ts"
import { undo } from "./undo.ts"

/** A command about so many keys is answered from their own events; the more there are, the sooner all data is faster. */
const mostKeysFolded = 16

/** Keys of a database as they were, from their own events; undefined where these are not all there. */
function* folded(
  view: LogView,
  db: number,
  keys: ReadonlyArray<Uint8Array>,
  { sequence }: Point
): Generator<undefined, Keyspace | undefined> {
  const seed = ownSeed(view)
  const last = yield* lastValues(view, db, keys, sequence, seed)
  if (last !== undefined || view.beginsLater) return last
  return yield* foldingNames(view, keys, sequence + 1, 0, seed)
}

/** Answers such questions, and keeps data for the next ones. */
export class PastAnswers {
  private readonly pasts = new Pasts()
  private readonly asker = new PastAsker()

  /** See `PastAnswering`. */
  readonly answer: PastAnswering = (view, request, question) => {
    switch (request.kind) {
      case "asof":
        return this.asOf(view, request, question)
      case "digest":
        return this.digest(view, request, question)
      case "diff":
        return diff(view, request, question, this.pasts)
      case "undo":
        return undo(view, request, question, this.pasts)
    }
  }

  /** To be called every now and then; see `Pasts`. */
  forgetUnused(): void {
    this.pasts.forgetUnused()
  }

  private *asOf(view: LogView, request: AsOfRequest, { memory, now, protocol }: Question): Answering {
    const { asker } = this
    const { db, keys, words } = request
    const point = pointOf(view, request.moment, now)
    const options = { db, protocol }
    if (keys !== undefined && keys.length <= mostKeysFolded && !this.pasts.has(point)) {
      const keyspace = yield* silent(folded(view, db, keys, point))
      if (keyspace !== undefined) {
        const bytes = asker.ask({ keyspace, time: point.time }, words, options)
        disposeOf(keyspace)
        return { kind: "reply", bytes }
      }
    }
    const { time } = point
    return yield* this.pasts.using(view, point, memory, function*({ keyspace }) {
      yield 0
      return { kind: "reply", bytes: asker.ask({ keyspace, time }, words, options) }
    })
  }

  private *digest(view: LogView, { moment }: DigestRequest, { memory, now, protocol }: Question): Answering {
    const point: Point = moment === undefined
      ? { sequence: view.head, time: view.headTime }
      : pointOf(view, moment, now)
    const digest = yield* this.pasts.using(view, point, memory, (past) => silent(past.digest()))
    const reply = new MapReply([["sequence", point.sequence], ["digest", digest]])
    return { kind: "reply", bytes: encoded(reply, protocol) }
  }
}
