/** Answers to questions about data of the past: of LOG.ASOF, LOG.DIGEST, LOG.DIFF and LOG.UNDO. */
import type { Answering, PastAnswering } from "../history/answers.ts"
import type { LogView } from "../history/log-view.ts"
import { type Point, pointOf } from "../history/past.ts"
import type { AsOfRequest, DigestRequest, Question } from "../history/questions.ts"
import { MapReply } from "../net/resp/reply.ts"
import { PastAsker } from "./ask-past.ts"
import { diff } from "./diff.ts"
import { answerOfKeys } from "./of-keys.ts"
import { Pasts } from "./pasts.ts"
import { encoded, silent } from "./replies.ts"
import { undo } from "./undo.ts"

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

  private *asOf(view: LogView, request: AsOfRequest, question: Question): Answering {
    const { memory, now, protocol } = question
    const { asker } = this
    const { db, words } = request
    const point = pointOf(view, request.moment, now)
    if (!this.pasts.has(point)) {
      const answer = yield* answerOfKeys(asker, view, request, point, question)
      if (answer !== undefined) return answer
    }
    const { time } = point
    return yield* this.pasts.using(view, point, memory, function*({ keyspace }) {
      yield 0
      return { kind: "reply", bytes: asker.ask({ keyspace, time }, words, { db, protocol }) }
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
