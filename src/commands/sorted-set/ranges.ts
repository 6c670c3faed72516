/** Ranges of scores, of members and of ranks: how requests write them, and which ranks they are in a sorted set. */
import { ReplyError } from "../../net/resp/reply.ts"
import type { Pointer } from "../../projections/memory/arena.ts"
import { Slice } from "../../projections/memory/slice.ts"
import { cardinality, countBelowMember, countBelowScore } from "../../projections/sorted-set-read.ts"
import { looseDouble } from "../arguments-double.ts"
import { int64 } from "../arguments.ts"
import type { Decision } from "../decision.ts"

/** The ranks of a sorted set's members within a range, from the lowest score on: `count` of them, from `from` on. */
export interface Span {
  readonly from: number
  readonly count: number
}

/** A range as it was asked for: tells which ranks of the sorted set at an entry it is. */
export type Range = (d: Decision, p: Pointer) => Span

const span = (from: number, to: number): Span => ({ from, count: Math.max(0, to - from) })

const badScore = new ReplyError("ERR min or max is not a float")

/** Reads "5", "(5" (not 5 itself), "-inf". */
const scoreBound = (arg: Slice): { readonly score: number; readonly exclusive: boolean } => {
  const exclusive = arg.length > 0 && arg.bytes[arg.start] === 40
  const score = looseDouble(exclusive ? new Slice(arg.bytes, arg.start + 1, arg.length - 1) : arg)
  if (score === undefined) throw badScore
  return { score, exclusive }
}

/** The scores from `min` to `max`. */
export const scoreRange = (min: Slice, max: Slice): Range => {
  const least = scoreBound(min)
  const greatest = scoreBound(max)
  return (d, p) => {
    const from = countBelowScore(d.db, p, least.score, least.exclusive)
    return span(from, countBelowScore(d.db, p, greatest.score, !greatest.exclusive))
  }
}

const badMember = new ReplyError("ERR min or max not valid string range item")

/** Where a range of members ends: at a text, or nowhere. */
type MemberBound = "least" | "greatest" | { readonly member: Slice; readonly exclusive: boolean }

/** Reads "-", "+", "[text" or "(text". */
const memberBound = (arg: Slice): MemberBound => {
  const first = arg.length === 0 ? 0 : arg.bytes[arg.start]
  if (first === 40 || first === 91) {
    return { member: new Slice(arg.bytes, arg.start + 1, arg.length - 1), exclusive: first === 40 }
  }
  if (arg.length === 1 && first === 45) return "least"
  if (arg.length === 1 && first === 43) return "greatest"
  throw badMember
}

const below = (d: Decision, p: Pointer, bound: MemberBound, inclusive: boolean): number => {
  if (bound === "least") return 0
  if (bound === "greatest") return cardinality(d.db, p)
  return countBelowMember(d.db, p, bound.member, bound.exclusive !== inclusive)
}

/** The members from `min` to `max` in the order of bytes, all having the same score. */
export const memberRange = (min: Slice, max: Slice): Range => {
  const least = memberBound(min)
  const greatest = memberBound(max)
  return (d, p) => span(below(d, p, least, false), below(d, p, greatest, true))
}

/** The ranks from `start` to `stop`, both included, negative ones from the end; with `reverse` from the highest score on. */
export const rankRange = (start: Slice, stop: Slice, reverse: boolean): Range => {
  const first = Number(int64(start))
  const last = Number(int64(stop))
  return (d, p) => {
    const size = cardinality(d.db, p)
    const from = Math.max(0, first < 0 ? first + size : first)
    const to = Math.min(size, (last < 0 ? last + size : last) + 1)
    if (from >= to) return { from: 0, count: 0 }
    return reverse ? { from: size - to, count: to - from } : { from, count: to - from }
  }
}

/** What LIMIT leaves of a range: `count` of them (all when negative) after the first `offset` in the order asked for. */
export const limited = ({ count, from }: Span, offset: number, limit: number, reverse: boolean): Span => {
  if (offset < 0 || offset >= count) return { from, count: 0 }
  const left = limit < 0 ? count - offset : Math.min(limit, count - offset)
  return { from: reverse ? from + count - offset - left : from + offset, count: left }
}
