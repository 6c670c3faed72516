import { type Reply, ReplyError } from "../../net/resp/reply.ts"
import type { Slice } from "../../projections/memory/slice.ts"
import { int64, isWord, shown } from "../arguments.ts"
import type { Decision } from "../decision.ts"
import { type Argv, defineCommand, firstKey } from "../define.ts"
import { invalidExpire } from "../errors.ts"

// Conditions on the deadline a key has already, as bits.
const absent = 1
const present = 2
const later = 4
const earlier = 8

const nxWithOthers = new ReplyError("ERR NX and XX, GT or LT options at the same time are not compatible")
const gtWithLt = new ReplyError("ERR GT and LT options at the same time are not compatible")

const conditionsOf = (argv: Argv): number => {
  let conditions = 0
  for (let i = 3; i < argv.length; i++) {
    const option = argv.at(i)
    if (isWord(option, "NX")) conditions |= absent
    else if (isWord(option, "XX")) conditions |= present
    else if (isWord(option, "GT")) conditions |= later
    else if (isWord(option, "LT")) conditions |= earlier
    else throw new ReplyError(`ERR Unsupported option ${shown(option)}`)
  }
  if ((conditions & absent) !== 0 && conditions !== absent) throw nxWithOthers
  if ((conditions & later) !== 0 && (conditions & earlier) !== 0) throw gtWithLt
  return conditions
}

const leastSeconds = -9_223_372_036_854_775n

/**
 * The deadline in Unix ms that an argument in units of `unit` ms from `base` on means; zero or less is long past. Refuses
 * what does not fit into 64 bits of milliseconds, as Redis does, and deadlines beyond 2^53 - 1 ms (the year 287396), which
 * Redis would take.
 */
const deadlineOf = (d: Decision, arg: Slice, unit: 1 | 1000, base: number): number => {
  const value = int64(arg)
  if (typeof value === "bigint") {
    if (value > 0n || (unit === 1000 && value < leastSeconds)) throw invalidExpire(d.commandName)
    return 0
  }
  const deadline = value * unit + base
  if (deadline > Number.MAX_SAFE_INTEGER) throw invalidExpire(d.commandName)
  return deadline
}

const expire = (d: Decision, argv: Argv, unit: 1 | 1000, base: number): Reply => {
  const conditions = argv.length > 3 ? conditionsOf(argv) : 0
  const deadline = deadlineOf(d, argv.at(2), unit, base)
  const key = argv.at(1)
  const p = d.lookup(key)
  if (p === 0) return 0
  if (conditions !== 0) {
    // A key without a deadline lives for ever: no deadline is later than that, every one is earlier.
    const current = d.deadline(p)
    if ((conditions & absent) !== 0 && current !== 0) return 0
    if ((conditions & present) !== 0 && current === 0) return 0
    if ((conditions & later) !== 0 && (current === 0 || deadline <= current)) return 0
    if ((conditions & earlier) !== 0 && current !== 0 && deadline >= current) return 0
  }
  if (deadline <= d.now) d.emit({ _tag: "KeyDeleted", key })
  else d.emit({ _tag: "KeyExpirySet", key, expireAt: deadline })
  return 1
}

export const expireSeconds = defineCommand({
  name: "EXPIRE",
  since: "1.0.0",
  group: "generic",
  summary: "Lets a key die after so many seconds; with none left it dies at once.",
  complexity: "O(1)",
  syntax: "key seconds [condition: NX | XX | GT | LT]@7.0.0",
  history: [["7.0.0", "Conditions `NX`, `XX`, `GT`, `LT`."]],
  arity: -3,
  flags: ["write", "fast"],
  keys: firstKey("RW", "update"),
  decide: (d, argv) => expire(d, argv, 1000, d.time)
})

export const expireMilliseconds = defineCommand({
  name: "PEXPIRE",
  since: "2.6.0",
  group: "generic",
  summary: "Lets a key die after so many milliseconds; with none left it dies at once.",
  complexity: "O(1)",
  syntax: "key milliseconds [condition: NX | XX | GT | LT]@7.0.0",
  history: [["7.0.0", "Conditions `NX`, `XX`, `GT`, `LT`."]],
  arity: -3,
  flags: ["write", "fast"],
  keys: firstKey("RW", "update"),
  decide: (d, argv) => expire(d, argv, 1, d.time)
})

export const expireAtSeconds = defineCommand({
  name: "EXPIREAT",
  since: "1.2.0",
  group: "generic",
  summary: "Lets a key die at a moment given in Unix seconds; at once when that has passed.",
  complexity: "O(1)",
  syntax: "key unix-time-seconds [condition: NX | XX | GT | LT]@7.0.0",
  history: [["7.0.0", "Conditions `NX`, `XX`, `GT`, `LT`."]],
  arity: -3,
  flags: ["write", "fast"],
  keys: firstKey("RW", "update"),
  decide: (d, argv) => expire(d, argv, 1000, 0)
})

export const expireAtMilliseconds = defineCommand({
  name: "PEXPIREAT",
  since: "2.6.0",
  group: "generic",
  summary: "Lets a key die at a moment given in Unix milliseconds; at once when that has passed.",
  complexity: "O(1)",
  syntax: "key unix-time-milliseconds [condition: NX | XX | GT | LT]@7.0.0",
  history: [["7.0.0", "Conditions `NX`, `XX`, `GT`, `LT`."]],
  arity: -3,
  flags: ["write", "fast"],
  keys: firstKey("RW", "update"),
  decide: (d, argv) => expire(d, argv, 1, 0)
})

export const persist = defineCommand({
  name: "PERSIST",
  since: "2.2.0",
  group: "generic",
  summary: "Takes the deadline off a key.",
  complexity: "O(1)",
  syntax: "key",
  arity: 2,
  flags: ["write", "fast"],
  keys: firstKey("RW", "update"),
  decide: (d, argv) => {
    const key = argv.at(1)
    const p = d.lookup(key)
    if (p === 0 || d.deadline(p) === 0) return 0
    d.emit({ _tag: "KeyPersisted", key })
    return 1
  }
})
