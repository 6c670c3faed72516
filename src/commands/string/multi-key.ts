/** Many strings at once. */
import { ok, type Reply, ReplyError } from "../../net/resp/reply.ts"
import type { Slice } from "../../projections/memory/slice.ts"
import { integerWithin, isWord } from "../arguments.ts"
import type { Decision } from "../decision.ts"
import { allKeys, type Argv, defineCommand, keysWithValues, numberedKeys } from "../define.ts"
import { errors, wrongArity } from "../errors.ts"
import { stringSet } from "../reused-events.ts"
import { Condition, existenceOf } from "./condition.ts"
import { deadlineOf, Unit, unitOf } from "./expiry.ts"
import { isString } from "./value.ts"

export const mget = defineCommand({
  name: "MGET",
  since: "1.0.0",
  group: "string",
  summary: "Answers the strings that several keys hold, null where a key is absent or holds something else.",
  complexity: "O(N), N being the keys",
  syntax: "key ...",
  arity: -2,
  flags: ["readonly", "fast"],
  tips: ["request_policy:multi_shard"],
  keys: allKeys("RO", "access"),
  decide: (d, argv) => {
    const replies: Array<Reply> = []
    for (let i = 1; i < argv.length; i++) {
      const p = d.counted(d.lookup(argv.at(i)), argv.at(i))
      replies.push(p !== 0 && isString(d, p) ? d.text(p) : null)
    }
    return replies
  }
})

/** Whether any of the keys at `from`, `from` + 2, … before `to` is there. */
const anyPresent = (d: Decision, argv: Argv, from: number, to: number): boolean => {
  for (let i = from; i < to; i += 2) if (d.lookup(argv.at(i)) !== 0) return true
  return false
}

export const mset = defineCommand({
  name: "MSET",
  since: "1.0.1",
  group: "string",
  summary: "Makes several keys hold strings, all at once.",
  complexity: "O(N), N being the keys",
  syntax: "<key value> ...",
  arity: -3,
  flags: ["write", "denyoom"],
  tips: ["request_policy:multi_shard", "response_policy:all_succeeded"],
  keys: keysWithValues("OW", "update"),
  decide: (d, argv) => {
    if (argv.length % 2 === 0) throw wrongArity(d.commandName)
    for (let i = 1; i < argv.length; i += 2) {
      const key = argv.at(i)
      d.lookup(key)
      d.emit(stringSet(i >>> 1, key, argv.at(i + 1), null))
    }
    return ok
  }
})

export const msetnx = defineCommand({
  name: "MSETNX",
  since: "1.0.1",
  group: "string",
  summary: "Makes several keys hold strings if all of them are absent.",
  complexity: "O(N), N being the keys",
  syntax: "<key value> ...",
  arity: -3,
  flags: ["write", "denyoom"],
  tips: ["request_policy:multi_shard", "response_policy:agg_min"],
  keys: keysWithValues("OW", "insert"),
  decide: (d, argv) => {
    if (argv.length % 2 === 0) throw wrongArity(d.commandName)
    if (anyPresent(d, argv, 1, argv.length)) return 0
    for (let i = 1; i < argv.length; i += 2) {
      d.emit(stringSet(i >>> 1, argv.at(i), argv.at(i + 1), null))
    }
    return 1
  }
})

const invalidCount = new ReplyError("ERR invalid numkeys value")
const pairsMissing = new ReplyError("ERR wrong number of key-value pairs")

export const msetex = defineCommand({
  name: "MSETEX",
  since: "8.4.0",
  group: "string",
  summary: "Makes several keys hold strings with a deadline in common, if all of them or none of them are there.",
  complexity: "O(N), N being the keys",
  syntax: "numkeys <data: key value> ... [condition: NX | XX] "
    + "[expiration: EX seconds | PX milliseconds | EXAT unix-time-seconds | PXAT unix-time-milliseconds | KEEPTTL]",
  arity: -4,
  flags: ["write", "denyoom"],
  tips: ["request_policy:multi_shard", "response_policy:all_succeeded"],
  keys: numberedKeys(1, ["OW", "update"], 2),
  decide: (d, argv) => {
    const count = integerWithin(argv.at(1), 1, 0x7fff_ffff, invalidCount)
    const end = 2 + count * 2
    if (end > argv.length) throw pairsMissing
    let condition: number = Condition.none
    let keepDeadline = false
    let unit: number = Unit.none
    let time: Slice | undefined
    for (let i = end; i < argv.length; i++) {
      const option = argv.at(i)
      const existence = existenceOf(option)
      const optionUnit = unitOf(option)
      if (existence !== Condition.none) {
        if (condition !== Condition.none && condition !== existence) throw errors.syntax
        condition = existence
      } else if (optionUnit !== Unit.none) {
        if (keepDeadline || (unit !== Unit.none && unit !== optionUnit) || ++i === argv.length) throw errors.syntax
        unit = optionUnit
        time = argv.at(i)
      } else if (unit === Unit.none && isWord(option, "KEEPTTL")) keepDeadline = true
      else throw errors.syntax
    }
    const deadline = time === undefined ? 0 : deadlineOf(d, unit, time)
    if (condition === Condition.nx && anyPresent(d, argv, 2, end)) return 0
    if (condition === Condition.xx) {
      for (let i = 2; i < end; i += 2) if (d.lookup(argv.at(i)) === 0) return 0
    }
    for (let i = 2; i < end; i += 2) {
      const key = argv.at(i)
      const p = d.lookup(key)
      const expireAt = keepDeadline && p !== 0 ? d.deadline(p) : deadline
      d.emit({ _tag: "StringSet", key, value: argv.at(i + 1), expireAt: expireAt === 0 ? null : expireAt })
    }
    return 1
  }
})
