/** INCREX: counting within bounds, with a say in the key's deadline. */
import { Double, type Reply, ReplyError } from "../../net/resp/reply.ts"
import type { Pointer } from "../../projections/memory/arena.ts"
import { toInt64 } from "../../projections/memory/integer.ts"
import { parseInt64Slice } from "../../projections/memory/integer.ts"
import { Slice } from "../../projections/memory/slice.ts"
import {
  add,
  compare,
  formatLongDouble,
  isFinite,
  isNegative,
  largest,
  type LongDouble,
  smallest,
  subtract,
  zero
} from "../../projections/structures/long-double.ts"
import { isWord } from "../arguments.ts"
import type { Decision } from "../decision.ts"
import { type Argv, defineCommand, firstKey } from "../define.ts"
import { errors } from "../errors.ts"
import { deadlineOf, Unit, unitOf } from "./expiry.ts"
import { longDouble, longDoubleAt } from "./float-counter.ts"

const refusals = {
  increment: new ReplyError("ERR Increment is not an integer or out of range"),
  floatIncrement: new ReplyError("ERR Increment is not a valid float"),
  infiniteIncrement: new ReplyError("ERR BYFLOAT increment cannot be Infinity"),
  lower: new ReplyError("ERR LBOUND is not an integer or out of range"),
  floatLower: new ReplyError("ERR LBOUND is not a valid float"),
  upper: new ReplyError("ERR UBOUND is not an integer or out of range"),
  floatUpper: new ReplyError("ERR UBOUND is not a valid float"),
  crossed: new ReplyError("ERR LBOUND can't be greater than UBOUND"),
  expirationNeeded: new ReplyError("ERR ENX flag requires an expiration"),
  infiniteValue: new ReplyError("ERR value cannot be Infinity"),
  appliedOverflow: new ReplyError("ERR applied increment would overflow"),
  appliedInfinity: new ReplyError("ERR applied increment would be Infinity")
} as const

const minimum = -(2n ** 63n)
const maximum = 2n ** 63n - 1n

interface Options {
  readonly float: boolean
  readonly by: Slice | undefined
  readonly lower: Slice | undefined
  readonly upper: Slice | undefined
  readonly saturate: boolean
  readonly persist: boolean
  readonly onlyWithoutDeadline: boolean
  readonly unit: number
  readonly time: Slice | undefined
}

/** Reads the options, in any order and each at most once. */
const parse = (argv: Argv): Options => {
  let float = false
  let by: Slice | undefined
  let lower: Slice | undefined
  let upper: Slice | undefined
  let saturate = false
  let persist = false
  let onlyWithoutDeadline = false
  let unit: number = Unit.none
  let time: Slice | undefined
  for (let i = 2; i < argv.length; i++) {
    const option = argv.at(i)
    const next = i + 1 < argv.length ? argv.at(i + 1) : undefined
    if (!saturate && isWord(option, "SATURATE")) saturate = true
    else if (!persist && unit === Unit.none && !onlyWithoutDeadline && isWord(option, "PERSIST")) persist = true
    else if (!onlyWithoutDeadline && !persist && isWord(option, "ENX")) onlyWithoutDeadline = true
    else {
      if (next === undefined) throw errors.syntax
      i++
      const optionUnit = unitOf(option)
      if (optionUnit !== Unit.none && unit === Unit.none && !persist) {
        unit = optionUnit
        time = next
      } else if (by === undefined && (isWord(option, "BYINT") || isWord(option, "BYFLOAT"))) {
        float = isWord(option, "BYFLOAT")
        by = next
      } else if (lower === undefined && isWord(option, "LBOUND")) lower = next
      else if (upper === undefined && isWord(option, "UBOUND")) upper = next
      else throw errors.syntax
    }
  }
  return { float, by, lower, upper, saturate, persist, onlyWithoutDeadline, unit, time }
}

/** What an increment comes to: the key's new value, or undefined when a bound keeps the old one. */
interface Outcome {
  readonly value: bigint | LongDouble | undefined
  readonly reply: Reply
}

const bigInteger = (text: Slice | undefined, absent: bigint, refusal: ReplyError): bigint => {
  if (text === undefined) return absent
  const value = parseInt64Slice(text)
  if (value === undefined) throw refusal
  return BigInt(value)
}

const countIntegers = (options: Options): (d: Decision, p: Pointer, key: Slice) => Outcome => {
  const by = bigInteger(options.by, 1n, refusals.increment)
  const lower = bigInteger(options.lower, minimum, refusals.lower)
  const upper = bigInteger(options.upper, maximum, refusals.upper)
  if (lower > upper) throw refusals.crossed
  return (d, _p, key) => {
    const current = BigInt(d.integer(key) ?? 0)
    const sum = current + by
    const value = sum < lower ? lower : sum > upper ? upper : sum
    if (value !== sum && !options.saturate) return { value: undefined, reply: [toInt64(current), 0] }
    const applied = value - current
    if (BigInt.asIntN(64, applied) !== applied) throw refusals.appliedOverflow
    return { value, reply: [toInt64(value), toInt64(applied)] }
  }
}

const double = (value: LongDouble): Double => {
  const text = formatLongDouble(value)
  return new Double(Number(text), text)
}

const countFloats = (options: Options): (d: Decision, p: Pointer, key: Slice) => Outcome => {
  const by = longDouble(options.by!, refusals.floatIncrement)
  if (!isFinite(by)) throw refusals.infiniteIncrement
  const lower = options.lower === undefined ? smallest : longDouble(options.lower, refusals.floatLower)
  const upper = options.upper === undefined ? largest : longDouble(options.upper, refusals.floatUpper)
  if (compare(lower, upper) > 0) throw refusals.crossed
  return (d, p) => {
    const current = longDoubleAt(d, p)
    if (!isFinite(current)) throw refusals.infiniteValue
    // A sum beyond every finite number lies beyond the bound in its direction, even an infinite one.
    const sum = add(current, by)
    const target = sum ?? (isNegative(by) ? smallest : largest)
    const value = compare(target, lower) < 0 ? lower : compare(target, upper) > 0 ? upper : target
    if ((sum === undefined || value !== sum) && !options.saturate) {
      return { value: undefined, reply: [double(current), double(zero)] }
    }
    const applied = subtract(value, current)
    if (applied === undefined) throw refusals.appliedInfinity
    return { value, reply: [double(value), double(applied)] }
  }
}

export const increx = defineCommand({
  name: "INCREX",
  since: "8.8.0",
  group: "string",
  summary:
    "Adds to the number at a key if the sum stays within bounds, or as far as they allow, and sets its deadline.",
  complexity: "O(1)",
  syntax: "key [increment: BYFLOAT increment(double) | BYINT increment] [LBOUND lowerbound(double)] "
    + "[UBOUND upperbound(double)] [SATURATE] [expiration: EX seconds | PX milliseconds | EXAT unix-time-seconds | "
    + "PXAT unix-time-milliseconds | PERSIST] [ENX]",
  arity: -2,
  flags: ["write", "denyoom", "fast"],
  keys: firstKey("RW", "access", "update"),
  decide: (d, argv) => {
    const options = parse(argv)
    const count = options.float ? countFloats(options) : countIntegers(options)
    if (options.onlyWithoutDeadline && options.time === undefined) throw refusals.expirationNeeded
    const deadline = options.time === undefined ? 0 : deadlineOf(d, options.unit, options.time)

    const key = argv.at(1)
    const p = d.lookup(key)
    const { value, reply } = count(d, p, key)
    if (value === undefined) return reply
    const before = p === 0 ? 0 : d.deadline(p)
    const expires = deadline !== 0 && !(options.onlyWithoutDeadline && before !== 0)
    if (expires && deadline <= d.now) {
      if (p !== 0) d.emit({ _tag: "KeyDeleted", key })
      return reply
    }
    if (typeof value === "bigint") d.emit({ _tag: "StringIncremented", key, value: toInt64(value) })
    else d.emit({ _tag: "StringFloatIncremented", key, value: Slice.latin1(formatLongDouble(value)) })
    if (expires && deadline !== before) d.emit({ _tag: "KeyExpirySet", key, expireAt: deadline })
    else if (options.persist && before !== 0) d.emit({ _tag: "KeyPersisted", key })
    return reply
  }
})
