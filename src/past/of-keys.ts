/** What few keys held, from their own events, without putting all data together. */
import { foldingNames } from "../history/existence.ts"
import { lastValues } from "../history/last-values.ts"
import type { LogView } from "../history/log-view.ts"
import { disposeOf, ownSeed, type Point } from "../history/past.ts"
import type { Answer, AsOfRequest, Question } from "../history/questions.ts"
import type { Keyspace } from "../projections/keyspace.ts"
import type { PastAsker } from "./ask-past.ts"
import { silent } from "./replies.ts"

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

/** Answers LOG.ASOF of a command about few keys; undefined where it takes all data. */
export function* answerOfKeys(
  asker: PastAsker,
  view: LogView,
  { db, keys, words }: AsOfRequest,
  point: Point,
  { protocol }: Question
): Generator<number, Answer | undefined> {
  if (keys === undefined || keys.length > mostKeysFolded) return undefined
  const keyspace = yield* silent(folded(view, db, keys, point))
  if (keyspace === undefined) return undefined
  const bytes = asker.ask({ keyspace, time: point.time }, words, { db, protocol })
  disposeOf(keyspace)
  return { kind: "reply", bytes }
}
