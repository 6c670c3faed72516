/** Members by rank, by score or by the order of members. */
import { type Reply, ReplyError } from "../../net/resp/reply.ts"
import { eachRanked } from "../../projections/sorted-set-read.ts"
import { int64, isWord } from "../arguments.ts"
import type { Decision } from "../decision.ts"
import { type Argv, defineCommand, firstKey, keyAtIndex } from "../define.ts"
import { errors } from "../errors.ts"
import { answer, readableSortedSet, scoredIn } from "./access.ts"
import { limited, memberRange, type Range, rankRange, scoreRange } from "./ranges.ts"

const limitNeedsRange = new ReplyError(
  "ERR syntax error, LIMIT is only supported in combination with either BYSCORE or BYLEX"
)
const noScores = new ReplyError("ERR syntax error, WITHSCORES not supported in combination with BYLEX")

type By = "rank" | "score" | "member"

/** What a range command asks for. */
interface Request {
  readonly range: Range
  readonly reverse: boolean
  readonly offset: number
  readonly limit: number
  readonly withScores: boolean
}

/**
 * Reads "min max [options]" from word `at` on.
 * @param by what the command says the range is of; undefined when the options do, and then they say the direction too
 */
const requestOf = (argv: Argv, at: number, by: By | undefined, reverse: boolean, storing: boolean): Request => {
  const free = by === undefined
  let withScores = false
  let offset = 0
  let limit = -1
  for (let i = at + 2; i < argv.length; i++) {
    const option = argv.at(i)
    if (!storing && isWord(option, "WITHSCORES")) withScores = true
    else if (isWord(option, "LIMIT") && i + 2 < argv.length) {
      offset = Number(int64(argv.at(++i)))
      limit = Number(int64(argv.at(++i)))
    } else if (free && !reverse && isWord(option, "REV")) reverse = true
    else if (free && by === undefined && isWord(option, "BYSCORE")) by = "score"
    else if (free && by === undefined && isWord(option, "BYLEX")) by = "member"
    else throw errors.syntax
  }
  by ??= "rank"
  if (limit !== -1 && by === "rank") throw limitNeedsRange
  if (withScores && by === "member") throw noScores
  const turned = reverse && by !== "rank"
  const first = argv.at(turned ? at + 1 : at)
  const last = argv.at(turned ? at : at + 1)
  const range = by === "rank"
    ? rankRange(first, last, reverse)
    : by === "score"
    ? scoreRange(first, last)
    : memberRange(first, last)
  return { range, reverse, offset: by === "rank" ? 0 : offset, limit, withScores }
}

const read = (by: By | undefined, reverse: boolean) => (d: Decision, argv: Argv): Reply => {
  const request = requestOf(argv, 2, by, reverse, false)
  const p = readableSortedSet(d, argv.at(1))
  if (p === 0) return []
  const { count, from } = limited(request.range(d, p), request.offset, request.limit, request.reverse)
  return answer(d, count, request.withScores, (visit) => eachRanked(d.db, p, from, count, request.reverse, visit))
}

const reading = {
  group: "sorted-set",
  complexity: "O(log N + M) where N is the size of the sorted set and M the number of members answered.",
  arity: -4,
  flags: ["readonly"],
  keys: firstKey("RO", "access")
} as const

export const zrange = defineCommand({
  name: "ZRANGE",
  since: "1.2.0",
  summary: "Answers the members within a range of ranks, of scores or of members.",
  syntax:
    "key start(string) stop(string) [sortby: BYSCORE | BYLEX]@6.2.0 [REV@6.2.0] [LIMIT <offset count>@6.2.0] [WITHSCORES]",
  history: [["6.2.0", "The options `REV`, `BYSCORE`, `BYLEX` and `LIMIT`."]],
  ...reading,
  decide: read(undefined, false)
})
export const zrevrange = defineCommand({
  name: "ZREVRANGE",
  since: "1.2.0",
  summary: "Answers the members within a range of ranks that are counted from the highest score.",
  syntax: "key start stop [WITHSCORES]",
  deprecated: { since: "6.2.0", replacedBy: "`ZRANGE` with the `REV` argument" },
  ...reading,
  decide: read("rank", true)
})
export const zrangebyscore = defineCommand({
  name: "ZRANGEBYSCORE",
  since: "1.0.5",
  summary: "Answers the members with scores within a range.",
  syntax: "key min(double) max(double) [WITHSCORES@2.0.0] [LIMIT <offset count>]",
  history: [["2.0.0", "The option `WITHSCORES`."]],
  deprecated: { since: "6.2.0", replacedBy: "`ZRANGE` with the `BYSCORE` argument" },
  ...reading,
  decide: read("score", false)
})
export const zrevrangebyscore = defineCommand({
  name: "ZREVRANGEBYSCORE",
  since: "2.2.0",
  summary: "Answers the members with scores within a range, the highest score first.",
  syntax: "key max(double) min(double) [WITHSCORES] [LIMIT <offset count>]",
  history: [["2.1.6", "`min` and `max` can be exclusive."]],
  deprecated: { since: "6.2.0", replacedBy: "`ZRANGE` with the `REV` and `BYSCORE` arguments" },
  ...reading,
  decide: read("score", true)
})
export const zrangebylex = defineCommand({
  name: "ZRANGEBYLEX",
  since: "2.8.9",
  summary: "Answers the members within a range of members, all scores being equal.",
  syntax: "key min max [LIMIT <offset count>]",
  deprecated: { since: "6.2.0", replacedBy: "`ZRANGE` with the `BYLEX` argument" },
  ...reading,
  decide: read("member", false)
})
export const zrevrangebylex = defineCommand({
  name: "ZREVRANGEBYLEX",
  since: "2.8.9",
  summary: "Answers the members within a range of members, the last one first, all scores being equal.",
  syntax: "key max min [LIMIT <offset count>]",
  deprecated: { since: "6.2.0", replacedBy: "`ZRANGE` with the `REV` and `BYLEX` arguments" },
  ...reading,
  decide: read("member", true)
})

export const zrangestore = defineCommand({
  name: "ZRANGESTORE",
  since: "6.2.0",
  group: "sorted-set",
  summary: "Keeps the members within a range of ranks, of scores or of members in a sorted set of their own.",
  complexity: "O(log N + M) where N is the size of the sorted set and M the number of members kept.",
  syntax: "dst src min max [sortby: BYSCORE | BYLEX] [REV] [LIMIT <offset count>]",
  arity: -5,
  flags: ["write", "denyoom"],
  keys: [...firstKey("OW", "update"), ...keyAtIndex(2, "RO", "access")],
  decide: (d, argv) => {
    const { limit, offset, range, reverse } = requestOf(argv, 3, undefined, false, true)
    const key = argv.at(1)
    const p = readableSortedSet(d, argv.at(2))
    const there = d.lookup(key) !== 0
    // The destination, which goes first, may be the source.
    const found = p === 0
      ? { members: [], scores: [] }
      : scoredIn(d, p, limited(range(d, p), offset, limit, reverse), false, there)
    if (there) d.emit({ _tag: "KeyDeleted", key })
    if (found.members.length > 0) d.emit({ _tag: "SortedSetMembersScored", key, ...found })
    return found.members.length
  }
})
