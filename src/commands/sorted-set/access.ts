/** Finding sorted sets, and answering with their members. */
import { Elements, type ElementSink } from "../../net/resp/reply.ts"
import * as Entry from "../../projections/entry.ts"
import type { Pointer } from "../../projections/memory/arena.ts"
import { Slice } from "../../projections/memory/slice.ts"
import { eachRanked, isLargeSortedSet } from "../../projections/sorted-set-read.ts"
import { readableOf, writableOf } from "../collections.ts"
import type { Decision } from "../decision.ts"
import type { Span } from "./ranges.ts"

const { zset } = Entry.Type

/** The sorted set at a key that is read, 0 when absent; refuses other types. */
export const readableSortedSet = (d: Decision, key: Slice): Pointer => readableOf(d, key, zset)

/** The sorted set at a key that is changed, 0 when absent; refuses other types. */
export const writableSortedSet = (d: Decision, key: Slice): Pointer => writableOf(d, key, zset)

/** Members and their scores, in an order. */
export interface Scored {
  readonly members: Array<Slice>
  readonly scores: Array<number>
}

/**
 * The members of a span and their scores. They stay valid until the command returns, and with `copied` also while an
 * earlier event of the command is folded.
 */
export const scoredIn = (d: Decision, p: Pointer, { count, from }: Span, reverse: boolean, copied: boolean): Scored => {
  const members: Array<Slice> = []
  const scores: Array<number> = []
  const stable = !copied && isLargeSortedSet(d.db, p)
  eachRanked(d.db, p, from, count, reverse, (member, score) => {
    members.push(stable ? new Slice(member.bytes, member.start, member.length) : member.copy())
    scores.push(score)
  })
  return { members, scores }
}

/**
 * An array of members: with scores an array of pairs in RESP3, and in RESP2 member, score, member, score, …
 * @param each hands out `count` members
 */
export const answer = (
  d: Decision,
  count: number,
  withScores: boolean,
  each: (visit: (member: Slice, score: number) => void) => void
): Elements => {
  const nested = withScores && d.client.protocol === 3
  return new Elements(
    "array",
    withScores && !nested ? 2 * count : count,
    (out: ElementSink) =>
      each(({ bytes, length, start }, score) => {
        if (nested) out.array(2)
        out.bulk(bytes, start, length)
        if (withScores) out.double(score)
      })
  )
}

/** The same for members that were gathered. */
export const answerScored = (d: Decision, { members, scores }: Scored, withScores: boolean): Elements =>
  answer(d, members.length, withScores, (visit) => {
    for (let i = 0; i < members.length; i++) visit(members[i]!, scores[i]!)
  })
