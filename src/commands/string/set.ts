/** SET and the older commands that do a part of it. */
import { ok, type Reply } from "../../net/resp/reply.ts"
import type { Slice } from "../../projections/memory/slice.ts"
import { isWord } from "../arguments.ts"
import type { Decision } from "../decision.ts"
import { type Argv, defineCommand, firstKey } from "../define.ts"
import { errors } from "../errors.ts"
import { stringSet } from "../reused-events.ts"
import { absentMeets, comparisonOf, Condition, existenceOf, meets } from "./condition.ts"
import { deadlineOf, Unit, unitOf } from "./expiry.ts"
import { readable } from "./value.ts"

/** Whether a SET answers or compares what was there. A guess by words alone: the request need not make sense. */
const readsOldValue = (argv: Argv): boolean => {
  for (let i = 3; i < argv.length; i++) {
    if (["GET", "IFEQ", "IFNE", "IFDEQ", "IFDNE"].some((option) => isWord(argv.at(i), option))) return true
  }
  return false
}

export const set = defineCommand({
  name: "SET",
  since: "1.0.0",
  group: "string",
  summary: "Makes a key hold a string, whatever it held before, if a condition is met; with or without a deadline.",
  complexity: "O(1)",
  syntax: "key value [condition: NX | XX | IFEQ ifeq-value@8.4.0 | IFNE ifne-value@8.4.0 | IFDEQ ifdeq-digest@8.4.0 | "
    + "IFDNE ifdne-digest@8.4.0]@2.6.12 [GET@6.2.0] [expiration: EX seconds@2.6.12 | PX milliseconds@2.6.12 | "
    + "EXAT unix-time-seconds@6.2.0 | PXAT unix-time-milliseconds@6.2.0 | KEEPTTL@6.0.0]",
  history: [
    ["2.6.12", "`EX`, `PX`, `NX`, `XX`."],
    ["6.0.0", "`KEEPTTL`."],
    ["6.2.0", "`GET`, `EXAT`, `PXAT`."],
    ["7.0.0", "`NX` together with `GET`."],
    ["8.4.0", "`IFEQ`, `IFNE`, `IFDEQ`, `IFDNE`."]
  ],
  arity: -3,
  flags: ["write", "denyoom"],
  keys: [{
    flags: ["RW", "access", "update", "variable_flags"],
    begin: { index: 1 },
    find: { last: 0, step: 1, limit: 0 },
    notes: "with GET or a comparison the old value is read, else only overwritten"
  }],
  findKeys: (argv) => [{ key: argv.at(1), flags: readsOldValue(argv) ? ["RW", "access", "update"] : ["OW", "update"] }],
  decide: (d, argv) => {
    if (argv.length > 3) return setWithOptions(d, argv)
    const key = argv.at(1)
    d.lookup(key)
    d.emit(stringSet(0, key, argv.at(2), null))
    return ok
  }
})

const setWithOptions = (d: Decision, argv: Argv): Reply => {
  let condition: number = Condition.none
  let match: Slice | undefined
  let get = false
  let keepDeadline = false
  let unit: number = Unit.none
  let time: Slice | undefined
  for (let i = 3; i < argv.length; i++) {
    const option = argv.at(i)
    const next = i + 1 < argv.length ? argv.at(i + 1) : undefined
    const existence = existenceOf(option)
    const comparison = comparisonOf(option)
    const optionUnit = unitOf(option)
    if (existence !== Condition.none && (condition === Condition.none || condition === existence)) condition = existence
    else if (
      comparison !== Condition.none && next !== undefined
      && (condition === Condition.none || condition === comparison)
    ) {
      condition = comparison
      match = next
      i++
    } else if (
      optionUnit !== Unit.none && next !== undefined && !keepDeadline && (unit === Unit.none || unit === optionUnit)
    ) {
      unit = optionUnit
      time = next
      i++
    } else if (isWord(option, "GET")) get = true
    else if (unit === Unit.none && isWord(option, "KEEPTTL")) keepDeadline = true
    else throw errors.syntax
  }
  const deadline = time === undefined ? 0 : deadlineOf(d, unit, time)

  const key = argv.at(1)
  const p = d.lookup(key)
  let old: Slice | null = null
  if (get) d.counted(p, key)
  if (p !== 0 && (get || match !== undefined)) {
    d.expectString(p)
    old = d.text(p)
  }
  const met = p === 0
    ? absentMeets(condition)
    : match !== undefined
    ? meets(condition, old!, match)
    : condition !== Condition.nx
  if (!met) return get ? old : null
  const kept = keepDeadline && p !== 0 ? d.deadline(p) : deadline
  d.emit(stringSet(0, key, argv.at(2), kept === 0 ? null : kept))
  return get ? old : ok
}

export const setnx = defineCommand({
  name: "SETNX",
  since: "1.0.0",
  group: "string",
  summary: "Makes an absent key hold a string; a present one stays as it is.",
  complexity: "O(1)",
  syntax: "key value",
  arity: 3,
  flags: ["write", "denyoom", "fast"],
  keys: firstKey("OW", "insert"),
  decide: (d, argv) => {
    const key = argv.at(1)
    if (d.lookup(key) !== 0) return 0
    d.emit(stringSet(0, key, argv.at(2), null))
    return 1
  }
})

const setExpiring = (d: Decision, argv: Argv, unit: number): Reply => {
  const key = argv.at(1)
  const expireAt = deadlineOf(d, unit, argv.at(2))
  d.lookup(key)
  d.emit(stringSet(0, key, argv.at(3), expireAt))
  return ok
}

export const setex = defineCommand({
  name: "SETEX",
  since: "2.0.0",
  group: "string",
  summary: "Makes a key hold a string for so many seconds.",
  complexity: "O(1)",
  syntax: "key seconds value",
  arity: 4,
  flags: ["write", "denyoom"],
  keys: firstKey("OW", "update"),
  decide: (d, argv) => setExpiring(d, argv, Unit.seconds)
})

export const psetex = defineCommand({
  name: "PSETEX",
  since: "2.6.0",
  group: "string",
  summary: "Makes a key hold a string for so many milliseconds.",
  complexity: "O(1)",
  syntax: "key milliseconds value",
  arity: 4,
  flags: ["write", "denyoom"],
  keys: firstKey("OW", "update"),
  decide: (d, argv) => setExpiring(d, argv, Unit.milliseconds)
})

export const getset = defineCommand({
  name: "GETSET",
  since: "1.0.0",
  group: "string",
  summary: "Makes a key hold a string and answers the one it held before.",
  complexity: "O(1)",
  syntax: "key value",
  arity: 3,
  flags: ["write", "denyoom", "fast"],
  keys: firstKey("RW", "access", "update"),
  deprecated: { since: "6.2.0", replacedBy: "`SET` with the `!GET` argument" },
  decide: (d, argv) => {
    const key = argv.at(1)
    const p = readable(d, key)
    d.emit(stringSet(0, key, argv.at(2), null))
    return p === 0 ? null : d.text(p)
  }
})
