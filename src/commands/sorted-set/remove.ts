/** Taking members out: by name, by rank, by score or by the order of members. */
import { scoreToChange } from "../../projections/sorted-set-read.ts"
import type { Decision } from "../decision.ts"
import { type Argv, defineCommand, firstKey } from "../define.ts"
import { distinctWords } from "../words.ts"
import { writableSortedSet } from "./access.ts"
import { memberRange, type Range, rankRange, scoreRange } from "./ranges.ts"

export const zrem = defineCommand({
  name: "ZREM",
  since: "1.2.0",
  group: "sorted-set",
  summary: "Takes members out of a sorted set; answers how many were there.",
  complexity: "O(log N) for each member, N being the size of the sorted set.",
  syntax: "key member ...",
  history: [["2.4.0", "More than one member."]],
  arity: -3,
  flags: ["write", "fast"],
  keys: firstKey("RW", "delete"),
  decide: (d, argv) => {
    const key = argv.at(1)
    const p = writableSortedSet(d, key)
    if (p === 0) return 0
    if (argv.length === 3) {
      const member = argv.at(2)
      if (scoreToChange(d.db, p, member) === undefined) return 0
      d.emit({ _tag: "SortedSetMembersRemoved", key, members: [member] })
      return 1
    }
    const members = distinctWords(argv, 2, (member) => scoreToChange(d.db, p, member) !== undefined)
    if (members.length > 0) d.emit({ _tag: "SortedSetMembersRemoved", key, members })
    return members.length
  }
})

const removing = (rangeOf: (argv: Argv) => Range) => (d: Decision, argv: Argv): number => {
  const range = rangeOf(argv)
  const key = argv.at(1)
  const p = writableSortedSet(d, key)
  if (p === 0) return 0
  const { count, from } = range(d, p)
  if (count > 0) d.emit({ _tag: "SortedSetRangeRemoved", key, start: from, stop: from + count - 1 })
  return count
}

const described = {
  group: "sorted-set",
  complexity: "O(log N + M) where N is the size of the sorted set and M the number of members taken out.",
  arity: 4,
  flags: ["write"],
  keys: firstKey("RW", "delete")
} as const

export const zremrangebyrank = defineCommand({
  name: "ZREMRANGEBYRANK",
  since: "2.0.0",
  summary: "Takes out the members within a range of ranks; answers how many.",
  syntax: "key start stop",
  ...described,
  decide: removing((argv) => rankRange(argv.at(2), argv.at(3), false))
})
export const zremrangebyscore = defineCommand({
  name: "ZREMRANGEBYSCORE",
  since: "1.2.0",
  summary: "Takes out the members with scores within a range; answers how many.",
  syntax: "key min(double) max(double)",
  ...described,
  decide: removing((argv) => scoreRange(argv.at(2), argv.at(3)))
})
export const zremrangebylex = defineCommand({
  name: "ZREMRANGEBYLEX",
  since: "2.8.9",
  summary: "Takes out the members within a range of members, all scores being equal; answers how many.",
  syntax: "key min max",
  ...described,
  decide: removing((argv) => memberRange(argv.at(2), argv.at(3)))
})
