/** Unions, intersections and differences. */
import { type Reply, ReplyError } from "../../net/resp/reply.ts"
import { double } from "../arguments-double.ts"
import { int64, isWord } from "../arguments.ts"
import { countLimit } from "../collections.ts"
import type { Decision } from "../decision.ts"
import { type Argv, defineCommand, firstKey, type KeySpec, numberedKeys } from "../define.ts"
import { errors } from "../errors.ts"
import { answerScored } from "./access.ts"
import {
  type Aggregate,
  difference,
  gather,
  inOrder,
  intersection,
  type Operation,
  type Source,
  sourcesOf,
  union
} from "./sources.ts"

const badWeight = new ReplyError("ERR weight value is not a float")
const aggregates: ReadonlyArray<Aggregate> = ["SUM", "MIN", "MAX", "COUNT"]

/** What is allowed after the keys. */
interface Allowed {
  readonly weights: boolean
  readonly scores: boolean
  readonly limit: boolean
}

/** The inputs and options of one command. */
interface Request {
  readonly sources: ReadonlyArray<Source>
  readonly aggregate: Aggregate
  readonly withScores: boolean
  /** Members to count at most, 0 for all. */
  readonly limit: number
}

/** Reads "numkeys key ... [options]" from word `at` on. What keys hold is looked at before the options are, as in Redis. */
const requestOf = (d: Decision, argv: Argv, at: number, allowed: Allowed): Request => {
  const count = Number(int64(argv.at(at)))
  if (count < 1) throw new ReplyError(`ERR at least 1 input key is needed for '${d.commandName}' command`)
  if (count > argv.length - at - 1) throw errors.syntax
  let sources: ReadonlyArray<Source> = sourcesOf(d, argv, at + 1, count)
  let aggregate: Aggregate = "SUM"
  let withScores = false
  let limit = 0
  for (let i = at + 1 + count; i < argv.length; i++) {
    const option = argv.at(i)
    const left = argv.length - i - 1
    if (allowed.weights && left >= count && isWord(option, "WEIGHTS")) {
      const first = i + 1
      sources = sources.map((source, j) => ({ ...source, weight: double(argv.at(first + j), badWeight) }))
      i += count
    } else if (allowed.weights && left >= 1 && isWord(option, "AGGREGATE")) {
      const word = argv.at(++i)
      const named = aggregates.find((name) => isWord(word, name))
      if (named === undefined) throw errors.syntax
      aggregate = named
    } else if (allowed.scores && isWord(option, "WITHSCORES")) withScores = true
    else if (allowed.limit && left >= 1 && isWord(option, "LIMIT")) limit = countLimit(argv.at(++i))
    else throw errors.syntax
  }
  return { sources, aggregate, withScores, limit }
}

const answering = (operation: Operation) => (d: Decision, argv: Argv): Reply => {
  const weights = operation !== difference
  const { aggregate, sources, withScores } = requestOf(d, argv, 1, { weights, scores: true, limit: false })
  return answerScored(d, inOrder(gather(d, operation, sources, aggregate, false)), withScores)
}

/** Puts the result in the place of whatever the destination held. */
const storing = (operation: Operation) => (d: Decision, argv: Argv): Reply => {
  const weights = operation !== difference
  const { aggregate, sources } = requestOf(d, argv, 2, { weights, scores: false, limit: false })
  const key = argv.at(1)
  const there = d.lookup(key) !== 0
  // The destination, which goes first, may be one of the inputs.
  const found = gather(d, operation, sources, aggregate, there)
  if (there) d.emit({ _tag: "KeyDeleted", key })
  if (found.members.length > 0) d.emit({ _tag: "SortedSetMembersScored", key, ...found })
  return found.members.length
}

const several =
  "O(N*K) + O(M*log M) at worst, N being the members of the smallest input, K the number of inputs and M " +
  "the members of the result."
const total =
  "O(N*K) + O(M*log M) where N is the number of all members, K that of inputs and M that of the result's members."
const combined = "numkeys key ... [WEIGHTS weight ...] [AGGREGATE <aggregate: SUM | MIN | MAX | COUNT@8.8.0>]"
const history = [["8.8.0", "`AGGREGATE COUNT`."]] as const

const reading = {
  since: "6.2.0",
  group: "sorted-set",
  arity: -3,
  flags: ["readonly"],
  keys: numberedKeys(1, ["RO", "access"])
} as const

const storeKeys: ReadonlyArray<KeySpec> = [...firstKey("OW", "update"), ...numberedKeys(2, ["RO", "access"])]

const keeping = { group: "sorted-set", arity: -4, flags: ["write", "denyoom"], keys: storeKeys } as const

export const zunion = defineCommand({
  name: "ZUNION",
  summary: "Answers the members that any of the sorted sets has, their scores put together.",
  complexity: total,
  syntax: `${combined} [WITHSCORES]`,
  history,
  ...reading,
  decide: answering(union)
})
export const zinter = defineCommand({
  name: "ZINTER",
  summary: "Answers the members that all sorted sets have, their scores put together.",
  complexity: several,
  syntax: `${combined} [WITHSCORES]`,
  history,
  ...reading,
  decide: answering(intersection)
})
export const zdiff = defineCommand({
  name: "ZDIFF",
  summary: "Answers the members of the first sorted set that no other has.",
  complexity: total,
  syntax: "numkeys key ... [WITHSCORES]",
  ...reading,
  decide: answering(difference)
})

export const zunionstore = defineCommand({
  name: "ZUNIONSTORE",
  since: "2.0.0",
  summary: "Keeps the members that any of the sorted sets has in a sorted set of their own.",
  complexity: total,
  syntax: `destination ${combined}`,
  history,
  ...keeping,
  decide: storing(union)
})
export const zinterstore = defineCommand({
  name: "ZINTERSTORE",
  since: "2.0.0",
  summary: "Keeps the members that all sorted sets have in a sorted set of their own.",
  complexity: several,
  syntax: `destination ${combined}`,
  history,
  ...keeping,
  decide: storing(intersection)
})
export const zdiffstore = defineCommand({
  name: "ZDIFFSTORE",
  since: "6.2.0",
  summary: "Keeps the members of the first sorted set that no other has in a sorted set of their own.",
  complexity: total,
  syntax: "destination numkeys key ...",
  ...keeping,
  decide: storing(difference)
})

export const zintercard = defineCommand({
  name: "ZINTERCARD",
  summary: "Counts the members that all sorted sets have.",
  complexity: "O(N*K) at worst, N being the members of the smallest input and K the number of inputs.",
  syntax: "numkeys key ... [LIMIT limit]",
  ...reading,
  since: "7.0.0",
  decide: (d, argv): Reply => {
    const { limit, sources } = requestOf(d, argv, 1, { weights: false, scores: false, limit: true })
    let count = 0
    intersection(d, sources, "COUNT", () => ++count !== limit)
    return count
  }
})
