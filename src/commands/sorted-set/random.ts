/** Random members of a sorted set, and going through it a few at a time. */
import { formatDouble } from "../../net/resp/encoder.ts"
import { type Reply, ReplyError } from "../../net/resp/reply.ts"
import type { Pointer } from "../../projections/memory/arena.ts"
import { Slice } from "../../projections/memory/slice.ts"
import {
  cardinality,
  eachRanked,
  isLargeSortedSet,
  rankedOrder,
  scoredMember,
  scoredTable
} from "../../projections/sorted-set-read.ts"
import { isWord } from "../arguments.ts"
import { scanCursor, scanRequest, signedCount, wanted } from "../collections.ts"
import type { Decision } from "../decision.ts"
import { defineCommand, firstKey } from "../define.ts"
import { errors } from "../errors.ts"
import { distinctPlaces, randomBelow } from "../sampling.ts"
import { answer, answerScored, readableSortedSet, type Scored, scoredIn } from "./access.ts"

const outOfRange = new ReplyError("ERR value is out of range")

const all = (d: Decision, p: Pointer): Scored => scoredIn(d, p, { from: 0, count: cardinality(d.db, p) }, false, false)

/** The members of some ranks. */
const atRanks = (d: Decision, p: Pointer, ranks: Iterable<number>): Scored => {
  const found: Scored = { members: [], scores: [] }
  if (!isLargeSortedSet(d.db, p)) {
    const { members, scores } = all(d, p)
    for (const rank of ranks) {
      found.members.push(members[rank]!)
      found.scores.push(scores[rank]!)
    }
    return found
  }
  const order = rankedOrder(d.db, p)
  for (const rank of ranks) {
    const e = order.select(rank)
    found.members.push(scoredMember(d.db, e, new Slice()))
    found.scores.push(order.scoreAt(e))
  }
  return found
}

/** `count` distinct members, fewer than there are. */
const distinct = (d: Decision, p: Pointer, count: number): Scored => {
  const size = cardinality(d.db, p)
  if (3 * count >= size) return atRanks(d, p, distinctPlaces(d, size, count))
  const chosen = new Set<number>()
  while (chosen.size < count) chosen.add(randomBelow(d, size))
  return atRanks(d, p, chosen)
}

/** Visits `count` members, each drawn from all. */
const repeated = (d: Decision, p: Pointer, count: number, visit: (member: Slice, score: number) => void): void => {
  const size = cardinality(d.db, p)
  if (!isLargeSortedSet(d.db, p)) {
    const { members, scores } = all(d, p)
    for (let i = 0; i < count; i++) {
      const rank = randomBelow(d, size)
      visit(members[rank]!, scores[rank]!)
    }
    return
  }
  for (let i = 0; i < count; i++) eachRanked(d.db, p, randomBelow(d, size), 1, false, visit)
}

export const zrandmember = defineCommand({
  name: "ZRANDMEMBER",
  since: "6.2.0",
  group: "sorted-set",
  summary: "Answers random members of a sorted set.",
  complexity: "O(N) where N is the number of members answered.",
  syntax: "key [options: count [WITHSCORES]]",
  arity: -2,
  flags: ["readonly"],
  tips: ["nondeterministic_output"],
  keys: firstKey("RO", "access"),
  decide: (d, argv): Reply => {
    if (argv.length === 2) {
      const p = readableSortedSet(d, argv.at(1))
      return p === 0 ? null : atRanks(d, p, [randomBelow(d, cardinality(d.db, p))]).members[0]!
    }
    const count = signedCount(argv.at(2))
    const withScores = argv.length === 4
    if (argv.length > 4 || (withScores && !isWord(argv.at(3), "WITHSCORES"))) throw errors.syntax
    if (withScores && Math.abs(count) >= 2 ** 62) throw outOfRange
    const p = readableSortedSet(d, argv.at(1))
    if (p === 0 || count === 0) return []
    if (count < 0) return answer(d, -count, withScores, (visit) => repeated(d, p, -count, visit))
    return answerScored(d, count >= cardinality(d.db, p) ? all(d, p) : distinct(d, p, count), withScores)
  }
})

export const zscan = defineCommand({
  name: "ZSCAN",
  since: "2.8.0",
  group: "sorted-set",
  summary: "Goes through the members of a sorted set and their scores a few at a time.",
  complexity: "O(1) for every call, O(N) for going through all N members.",
  syntax: "key cursor [MATCH pattern] [COUNT count]",
  arity: -3,
  flags: ["readonly"],
  tips: ["nondeterministic_output"],
  keys: firstKey("RO", "access"),
  decide: (d, argv): Reply => {
    const cursor = scanCursor(argv)
    const p = readableSortedSet(d, argv.at(1))
    if (p === 0) return ["0", []]
    const request = scanRequest(argv, cursor)
    const found: Array<Reply> = []
    const { db } = d
    if (!isLargeSortedSet(db, p)) {
      eachRanked(db, p, 0, cardinality(db, p), false, (member, score) => {
        if (wanted(request, member)) found.push(member.copy(), formatDouble(score))
      })
      return ["0", found]
    }
    const { count } = request
    const next = scoredTable(db, p).scanMany(cursor, count, count * 10, (e) => {
      const member = scoredMember(db, e, new Slice())
      if (wanted(request, member)) found.push(member, formatDouble(db.structures.order.scoreAt(e)))
    })
    return [String(next), found]
  }
})
