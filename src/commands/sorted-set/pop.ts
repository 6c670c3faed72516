/** Popping the members with the lowest or the highest scores, of one sorted set or the first of several that has any. */
import { Double, nilArray, type Reply } from "../../net/resp/reply.ts"
import * as Entry from "../../projections/entry.ts"
import type { Pointer } from "../../projections/memory/arena.ts"
import { Slice } from "../../projections/memory/slice.ts"
import { cardinality, isLargeSortedSet, locateRanked } from "../../projections/sorted-set-read.ts"
import { isWord, rest } from "../arguments.ts"
import { countAboveZero, numberOfKeys, positiveCount, timeoutMs } from "../collections.ts"
import type { Decision } from "../decision.ts"
import { type Argv, defineCommand, firstKey, keysBeforeLast, numberedKeys } from "../define.ts"
import { errors } from "../errors.ts"
import { servedElsewhere } from "../waiting.ts"
import { answerScored, type Scored, scoredIn, writableSortedSet } from "./access.ts"

const { zset } = Entry.Type

type End = "min" | "max"

/** Pops up to `count` members of the sorted set at an entry, the outermost first. */
const popped = (d: Decision, key: Slice, p: Pointer, end: End, count: number): Scored => {
  const size = cardinality(d.db, p)
  const many = Math.min(count, size)
  const found = many === 1 && isLargeSortedSet(d.db, p)
    ? outermost(d, p, end === "min" ? 0 : size - 1)
    // In a small one members follow each other: with the first that goes the others move.
    : scoredIn(d, p, { from: end === "min" ? 0 : size - many, count: many }, end === "max", false)
  d.emit({ _tag: "SortedSetMembersRemoved", key, members: found.members })
  return found
}

const outermost = (d: Decision, p: Pointer, rank: number): Scored => {
  const member = new Slice()
  const e = locateRanked(d.db, p, rank, member)
  return { members: [member], scores: [d.db.structures.order.scoreAt(e)] }
}

const pop = (end: End) => (d: Decision, argv: Argv): Reply => {
  if (argv.length > 3) throw errors.syntax
  const key = argv.at(1)
  const counted = argv.length === 3
  const count = counted ? positiveCount(argv.at(2)) : 1
  const p = writableSortedSet(d, key)
  if (p === 0 || count === 0) return []
  const found = popped(d, key, p, end, count)
  return counted ? answerScored(d, found, true) : [found.members[0]!, new Double(found.scores[0]!)]
}

const popping = (end: End) => ({
  since: "5.0.0",
  group: "sorted-set",
  summary: `Removes the members with the ${end === "min" ? "lowest" : "highest"} scores and answers them.`,
  complexity: "O(M*log N) where N is the size of the sorted set and M the number of members removed.",
  syntax: "key [count]",
  arity: -2,
  flags: ["write", "fast"],
  keys: firstKey("RW", "access", "delete"),
  decide: pop(end)
} as const)

export const zpopmin = defineCommand({ name: "ZPOPMIN", ...popping("min") })
export const zpopmax = defineCommand({ name: "ZPOPMAX", ...popping("max") })

// ——— the first of several sorted sets ———

/** Key and members popped from the first sorted set that has any; undefined when none has. */
const popFirst = (
  d: Decision,
  keys: ReadonlyArray<Slice>,
  end: End,
  count: number
): { readonly key: Slice; readonly found: Scored } | undefined => {
  for (const key of keys) {
    if (servedElsewhere(d, key)) continue
    const p = writableSortedSet(d, key)
    if (p !== 0) return { key, found: popped(d, key, p, end, count) }
  }
  return undefined
}

const blockingPop = (end: End) => (d: Decision, argv: Argv): Reply => {
  const timeout = timeoutMs(argv.at(argv.length - 1))
  const keys = rest(argv, 1, argv.length - 1)
  const first = popFirst(d, keys, end, 1)
  if (first === undefined) return d.wait({ keys, type: zset, timeoutMs: timeout, nothing: nilArray })
  return [first.key, first.found.members[0]!, new Double(first.found.scores[0]!)]
}

const blocking = (end: End) => ({
  since: "5.0.0",
  group: "sorted-set",
  summary:
    `Removes the member with the ${end === "min" ? "lowest" : "highest"} score from the first sorted set that has ` +
    "any; waits for one if none has.",
  complexity: "O(log N) where N is the size of the sorted set.",
  syntax: "key ... timeout",
  history: [["6.0.0", "The time-out may have a fraction."]],
  arity: -3,
  flags: ["write", "noscript", "blocking", "fast"],
  keys: keysBeforeLast(1, "RW", "access", "delete"),
  decide: blockingPop(end)
} as const)

export const bzpopmin = defineCommand({ name: "BZPOPMIN", ...blocking("min") })
export const bzpopmax = defineCommand({ name: "BZPOPMAX", ...blocking("max") })

/** Reads "numkeys key ... MIN | MAX [COUNT count]" from word `at` on. */
const severalKeys = (argv: Argv, at: number) => {
  const where = at + 1 + numberOfKeys(argv, at, errors.syntax)
  if (where >= argv.length) throw errors.syntax
  const end: End | undefined = isWord(argv.at(where), "MIN") ? "min" : isWord(argv.at(where), "MAX") ? "max" : undefined
  if (end === undefined) throw errors.syntax
  let count = 0
  for (let i = where + 1; i < argv.length; i += 2) {
    if (count > 0 || !isWord(argv.at(i), "COUNT") || i + 1 === argv.length) throw errors.syntax
    count = countAboveZero(argv.at(i + 1))
  }
  return { keys: rest(argv, at + 1, where), end, count: Math.max(1, count) }
}

const manyAnswer = (key: Slice, { members, scores }: Scored): Reply => [
  key,
  members.map((member, i) => [member, new Double(scores[i]!)])
]

const manyPopped = (d: Decision, keys: ReadonlyArray<Slice>, end: End, count: number): Reply | undefined => {
  const first = popFirst(d, keys, end, count)
  return first === undefined ? undefined : manyAnswer(first.key, first.found)
}

export const zmpop = defineCommand({
  name: "ZMPOP",
  since: "7.0.0",
  group: "sorted-set",
  summary: "Removes members with the lowest or the highest scores from the first of several sorted sets that has any.",
  complexity:
    "O(K + M*log N) where K is the number of keys, N the size of the sorted set and M the number of members removed.",
  syntax: "numkeys key ... <where: MIN | MAX> [COUNT count]",
  arity: -4,
  flags: ["write"],
  keys: numberedKeys(1, ["RW", "access", "delete"]),
  decide: (d, argv): Reply => {
    const { count, end, keys } = severalKeys(argv, 1)
    return manyPopped(d, keys, end, count) ?? nilArray
  }
})

export const bzmpop = defineCommand({
  name: "BZMPOP",
  since: "7.0.0",
  group: "sorted-set",
  summary: "Removes members from the first of several sorted sets that has any, as ZMPOP does; waits if none has.",
  complexity:
    "O(K + M*log N) where K is the number of keys, N the size of the sorted set and M the number of members removed.",
  syntax: "timeout numkeys key ... <where: MIN | MAX> [COUNT count]",
  arity: -5,
  flags: ["write", "blocking"],
  keys: numberedKeys(2, ["RW", "access", "delete"]),
  decide: (d, argv): Reply => {
    const { count, end, keys } = severalKeys(argv, 2)
    const timeout = timeoutMs(argv.at(1))
    return manyPopped(d, keys, end, count) ?? d.wait({ keys, type: zset, timeoutMs: timeout, nothing: nilArray })
  }
})
