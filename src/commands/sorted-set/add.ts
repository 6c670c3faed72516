/** Giving members scores. */
import { Double, type Reply, ReplyError } from "../../net/resp/reply.ts"
import type { Pointer } from "../../projections/memory/arena.ts"
import type { Slice } from "../../projections/memory/slice.ts"
import { scoreToChange } from "../../projections/sorted-set-read.ts"
import { double } from "../arguments-double.ts"
import { isWord } from "../arguments.ts"
import type { Decision } from "../decision.ts"
import { type Argv, defineCommand, firstKey } from "../define.ts"
import { errors } from "../errors.ts"
import { memberScored } from "../reused-events.ts"
import { Words } from "../words.ts"
import { writableSortedSet } from "./access.ts"

const bothConditions = new ReplyError("ERR XX and NX options at the same time are not compatible")
const bothComparisons = new ReplyError("ERR GT, LT, and/or NX options at the same time are not compatible")
const onePair = new ReplyError("ERR INCR option supports a single increment-element pair")
const notNumber = new ReplyError("ERR resulting score is not a number (NaN)")

/** The options of ZADD, and those GEOADD has of them. */
export interface Options {
  readonly onlyNew: boolean
  readonly onlyExisting: boolean
  readonly onlyGreater: boolean
  readonly onlyLess: boolean
  /** Count changed members too. */
  readonly changes: boolean
  readonly increment: boolean
  /** Where the pairs of score and member begin. */
  readonly at: number
}

/** No options. */
export const plain: Options = {
  onlyNew: false,
  onlyExisting: false,
  onlyGreater: false,
  onlyLess: false,
  changes: false,
  increment: false,
  at: 2
}

const words = ["NX", "XX", "GT", "LT", "CH", "INCR"] as const

const optionsOf = (argv: Argv): Options => {
  // By far the most frequent: one pair whose score begins with no letter, so that no option is meant.
  if (argv.length === 4 && argv.at(2).length > 0 && argv.at(2).bytes[argv.at(2).start]! < 65) return plain
  return optionsIn(argv)
}

const optionsIn = (argv: Argv): Options => {
  const given = new Set<string>()
  let at = 2
  for (; at < argv.length; at++) {
    const word = words.find((option) => isWord(argv.at(at), option))
    if (word === undefined) break
    given.add(word)
  }
  if (at === argv.length || (argv.length - at) % 2 !== 0) throw errors.syntax
  const options = {
    onlyNew: given.has("NX"),
    onlyExisting: given.has("XX"),
    onlyGreater: given.has("GT"),
    onlyLess: given.has("LT"),
    changes: given.has("CH"),
    increment: given.has("INCR"),
    at
  }
  if (options.onlyNew && options.onlyExisting) throw bothConditions
  if (Number(options.onlyNew) + Number(options.onlyGreater) + Number(options.onlyLess) > 1) throw bothComparisons
  if (options.increment && argv.length - at > 2) throw onePair
  return options
}

/** The score that a member gets when it is given `value`; undefined when it stays as it is, or stays out. */
const outcome = (options: Options, current: number | undefined, value: number): number | undefined => {
  if (current === undefined) return options.onlyExisting ? undefined : value
  if (options.onlyNew) return undefined
  const next = options.increment ? current + value : value
  if (Number.isNaN(next)) throw notNumber
  return (options.onlyGreater && next <= current) || (options.onlyLess && next >= current) ? undefined : next
}

/** Gives one member a score; answers what ZADD does. */
export const scoreOne = (
  d: Decision,
  key: Slice,
  p: Pointer,
  member: Slice,
  value: number,
  options: Options
): Reply => {
  const current = p === 0 ? undefined : scoreToChange(d.db, p, member)
  const next = outcome(options, current, value)
  if (next !== undefined && next !== current) d.emit(memberScored(key, member, next))
  if (options.increment) return next === undefined ? null : new Double(next)
  if (next === undefined || next === current) return 0
  return current === undefined || options.changes ? 1 : 0
}

/**
 * Gives many members scores; answers what ZADD does.
 * @param width words from one member to the next, the member being the last of them
 */
export const scoreMany = (
  d: Decision,
  argv: Argv,
  key: Slice,
  p: Pointer,
  values: ReadonlyArray<number>,
  options: Options,
  width = 2
): number => {
  const members = new Words()
  const scores: Array<number> = []
  let added = 0
  let changed = 0
  for (let i = 0; i < values.length; i++) {
    const member = argv.at(options.at + width * (i + 1) - 1)
    const place = members.find(member)
    const current = place >= 0 ? scores[place] : p === 0 ? undefined : scoreToChange(d.db, p, member)
    const next = outcome(options, current, values[i]!)
    if (next === undefined || next === current) continue
    if (current === undefined) added++
    else changed++
    if (place >= 0) scores[place] = next
    else {
      members.add(member)
      scores.push(next)
    }
  }
  if (scores.length > 0) d.emit({ _tag: "SortedSetMembersScored", key, members: members.list, scores })
  return options.changes ? added + changed : added
}

export const zadd = defineCommand({
  name: "ZADD",
  since: "1.2.0",
  group: "sorted-set",
  summary: "Gives members of a sorted set scores, adding those that are not there; answers how many are new.",
  complexity: "O(log N) for each member, N being the size of the sorted set.",
  syntax:
    "key [condition: NX | XX]@3.0.2 [comparison: GT | LT]@6.2.0 [change=CH@3.0.2] [increment=INCR@3.0.2] <score member> ...",
  history: [
    ["2.4.0", "More than one member."],
    ["3.0.2", "The options `XX`, `NX`, `CH` and `INCR`."],
    ["6.2.0", "The options `GT` and `LT`."]
  ],
  arity: -4,
  flags: ["write", "denyoom", "fast"],
  keys: firstKey("RW", "update"),
  decide: (d, argv) => {
    const options = optionsOf(argv)
    const key = argv.at(1)
    if (argv.length - options.at === 2) {
      const value = double(argv.at(options.at))
      return scoreOne(d, key, writableSortedSet(d, key), argv.at(options.at + 1), value, options)
    }
    const values: Array<number> = []
    for (let i = options.at; i < argv.length; i += 2) values.push(double(argv.at(i)))
    return scoreMany(d, argv, key, writableSortedSet(d, key), values, options)
  }
})

const incrementing: Options = { ...plain, increment: true }

export const zincrby = defineCommand({
  name: "ZINCRBY",
  since: "1.2.0",
  group: "sorted-set",
  summary: "Adds a number to the score of a member, an absent one counting as zero; answers the new score.",
  complexity: "O(log N) where N is the size of the sorted set.",
  syntax: "key increment member",
  arity: 4,
  flags: ["write", "denyoom", "fast"],
  keys: firstKey("RW", "access", "update"),
  decide: (d, argv) => {
    optionsOf(argv) // an option of ZADD in the place of the increment is taken for one, and then a word is missing
    const value = double(argv.at(2))
    const key = argv.at(1)
    return scoreOne(d, key, writableSortedSet(d, key), argv.at(3), value, incrementing)
  }
})
