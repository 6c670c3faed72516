/** Asking for scores, ranks and numbers of members. */
import { Double, nilArray, type Reply } from "../../net/resp/reply.ts"
import { cardinality, rankOf, scoreOf } from "../../projections/sorted-set-read.ts"
import { isWord } from "../arguments.ts"
import type { Decision } from "../decision.ts"
import { type Argv, defineCommand, firstKey } from "../define.ts"
import { errors, wrongArity } from "../errors.ts"
import { readableSortedSet } from "./access.ts"
import { memberRange, type Range, scoreRange } from "./ranges.ts"

export const zcard = defineCommand({
  name: "ZCARD",
  since: "1.2.0",
  group: "sorted-set",
  summary: "Counts the members of a sorted set.",
  complexity: "O(1)",
  syntax: "key",
  arity: 2,
  flags: ["readonly", "fast"],
  keys: firstKey("RO"),
  decide: (d, argv) => {
    const p = readableSortedSet(d, argv.at(1))
    return p === 0 ? 0 : cardinality(d.db, p)
  }
})

export const zscore = defineCommand({
  name: "ZSCORE",
  since: "1.2.0",
  group: "sorted-set",
  summary: "Answers the score of a member.",
  complexity: "O(1)",
  syntax: "key member",
  arity: 3,
  flags: ["readonly", "fast"],
  keys: firstKey("RO", "access"),
  decide: (d, argv) => {
    const p = readableSortedSet(d, argv.at(1))
    const score = p === 0 ? undefined : scoreOf(d.db, p, argv.at(2))
    return score === undefined ? null : new Double(score)
  }
})

export const zmscore = defineCommand({
  name: "ZMSCORE",
  since: "6.2.0",
  group: "sorted-set",
  summary: "Answers the scores of several members.",
  complexity: "O(N) where N is the number of members asked for.",
  syntax: "key member ...",
  arity: -3,
  flags: ["readonly", "fast"],
  keys: firstKey("RO", "access"),
  decide: (d, argv) => {
    const p = readableSortedSet(d, argv.at(1))
    const scores: Array<Reply> = []
    for (let i = 2; i < argv.length; i++) {
      const score = p === 0 ? undefined : scoreOf(d.db, p, argv.at(i))
      scores.push(score === undefined ? null : new Double(score))
    }
    return scores
  }
})

const rank = (reverse: boolean) => (d: Decision, argv: Argv): Reply => {
  if (argv.length > 4) throw wrongArity(d.commandName)
  const withScore = argv.length === 4
  if (withScore && !isWord(argv.at(3), "WITHSCORE")) throw errors.syntax
  const p = readableSortedSet(d, argv.at(1))
  const member = argv.at(2)
  const found = p === 0 ? -1 : rankOf(d.db, p, member)
  if (found < 0) return withScore ? nilArray : null
  const place = reverse ? cardinality(d.db, p) - 1 - found : found
  return withScore ? [place, new Double(scoreOf(d.db, p, member)!)] : place
}

const ranking = (reverse: boolean) => ({
  since: "2.0.0",
  group: "sorted-set",
  summary: `Answers how many members have a ${reverse ? "higher" : "lower"} score than this one.`,
  complexity: "O(log N) where N is the size of the sorted set.",
  syntax: "key member [WITHSCORE@7.2.0]",
  history: [["7.2.0", "The option `WITHSCORE`."]],
  arity: -3,
  flags: ["readonly", "fast"],
  keys: firstKey("RO", "access"),
  decide: rank(reverse)
} as const)

export const zrank = defineCommand({ name: "ZRANK", ...ranking(false) })
export const zrevrank = defineCommand({ name: "ZREVRANK", ...ranking(true) })

const count = (d: Decision, argv: Argv, range: Range): number => {
  const p = readableSortedSet(d, argv.at(1))
  return p === 0 ? 0 : range(d, p).count
}

export const zcount = defineCommand({
  name: "ZCOUNT",
  since: "2.0.0",
  group: "sorted-set",
  summary: "Counts the members with scores within a range.",
  complexity: "O(log N) where N is the size of the sorted set.",
  syntax: "key min(double) max(double)",
  arity: 4,
  flags: ["readonly", "fast"],
  keys: firstKey("RO", "access"),
  decide: (d, argv) => count(d, argv, scoreRange(argv.at(2), argv.at(3)))
})

export const zlexcount = defineCommand({
  name: "ZLEXCOUNT",
  since: "2.8.9",
  group: "sorted-set",
  summary: "Counts the members within a range of members, all scores being equal.",
  complexity: "O(log N) where N is the size of the sorted set.",
  syntax: "key min max",
  arity: 4,
  flags: ["readonly", "fast"],
  keys: firstKey("RO", "access"),
  decide: (d, argv) => count(d, argv, memberRange(argv.at(2), argv.at(3)))
})
