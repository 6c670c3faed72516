/** What the commands of lists, sets, hashes and sorted sets share. */
import { Elements, ReplyError } from "../net/resp/reply.ts"
import * as Entry from "../projections/entry.ts"
import type { Pointer } from "../projections/memory/arena.ts"
import { parseInt64Slice } from "../projections/memory/integer.ts"
import type { Slice } from "../projections/memory/slice.ts"
import { matchesEverything, matchGlob } from "../projections/structures/glob.ts"
import { parseLongDouble } from "../projections/structures/long-double.ts"
import { int64, isWord, word } from "./arguments.ts"
import type { Decision } from "./decision.ts"
import type { Argv } from "./define.ts"
import { errors } from "./errors.ts"
import { parseCursor } from "./key/iterate.ts"

/** Refuses an entry that holds another type than this number of entry.ts; 0, no entry, is fine. */
export const expectType = (d: Decision, p: Pointer, type: number): Pointer => {
  if (p !== 0 && Entry.typeOf(d.db.arena, p) !== type) throw errors.wrongType
  return p
}

/** The entry of a key that is read (a hit or a miss), 0 when absent; refuses other types. */
export const readableOf = (d: Decision, key: Slice, type: number): Pointer =>
  expectType(d, d.counted(d.lookup(key), key), type)

/** The entry of a key that is changed, 0 when absent; refuses other types. */
export const writableOf = (d: Decision, key: Slice, type: number): Pointer => expectType(d, d.lookup(key), type)

const noKeys = new ReplyError("ERR numkeys should be greater than 0")
const tooManyKeys = new ReplyError("ERR Number of keys can't be greater than number of args")

/** The number of keys that a request announces at `at`; they follow it, or it is refused as told. */
export const numberOfKeys = (argv: Argv, at: number, tooMany = tooManyKeys): number => {
  const count = parseInt64Slice(argv.at(at))
  if (count === undefined || count < 1) throw noKeys
  if (count > argv.length - at - 1) throw tooMany
  return Number(count)
}

const countRange = new ReplyError(
  "ERR value is out of range, value must between -9223372036854775807 and 9223372036854775807"
)

/** A count that may be negative, but has an opposite. */
export const signedCount = (arg: Slice): number => {
  const count = int64(arg)
  if (count === -(2n ** 63n)) throw countRange
  return Number(count)
}

/** An integer that must not be negative, or the refusal given. */
export const natural = (arg: Slice, refusal: ReplyError): number => {
  const value = parseInt64Slice(arg)
  if (value === undefined || value < 0) throw refusal
  return Number(value)
}

const notPositive = new ReplyError("ERR value is out of range, must be positive")

/** A count that must not be negative, in the words of LPOP and SPOP. */
export const positiveCount = (arg: Slice): number => natural(arg, notPositive)

const badLimit = new ReplyError("ERR LIMIT can't be negative")

/** The operand of LIMIT where it has but one: how many members to count at most, 0 for all. */
export const countLimit = (arg: Slice): number => natural(arg, badLimit)

const notAboveZero = new ReplyError("ERR count should be greater than 0")

/** A count above zero, in the words of LMPOP and ZMPOP. */
export const countAboveZero = (arg: Slice): number => {
  const count = natural(arg, notAboveZero)
  if (count === 0) throw notAboveZero
  return count
}

const badTimeout = new ReplyError("ERR timeout is not a float or out of range")
const negativeTimeout = new ReplyError("ERR timeout is negative")
const timeoutRange = new ReplyError("ERR timeout is out of range")

/** A time-out in seconds with fractions, in whole milliseconds; 0 for never. */
export const timeoutMs = (arg: Slice): number => {
  const seconds = parseLongDouble(arg.latin1())
  if (seconds === undefined) throw badTimeout
  const ms = Math.ceil(Number(seconds.mantissa) * 2 ** seconds.exponent * 1000)
  if (ms > Number.MAX_SAFE_INTEGER) throw timeoutRange
  if (ms < 0) throw negativeTimeout
  return ms
}

/** A reply of all these slices. */
export const bulks = (kind: "array" | "set", slices: ReadonlyArray<Slice>): Elements =>
  new Elements(kind, slices.length, (out) => {
    for (let i = 0; i < slices.length; i++) {
      const { bytes, length, start } = slices[i]!
      out.bulk(bytes, start, length)
    }
  })

const defaultCount = 10

/** What SSCAN, HSCAN and ZSCAN are asked: where to go on, which elements count, about how many. */
export interface ScanRequest {
  readonly cursor: number
  readonly count: number
  /** Undefined when every element counts. */
  readonly pattern: Slice | undefined
  readonly noValues: boolean
}

/** The cursor of SSCAN, HSCAN or ZSCAN; it is looked at before the key, and the options after that. */
export const scanCursor = (argv: Argv): number => {
  const cursor = parseCursor(argv.at(2))
  if (cursor === undefined) throw errors.invalidCursor
  return cursor
}

/** Reads "[MATCH pattern] [COUNT count]", and NOVALUES where it is allowed, from word 3 on. */
export const scanRequest = (argv: Argv, cursor: number, mayOmitValues = false): ScanRequest => {
  let count = defaultCount
  let pattern: Slice | undefined
  let noValues = false
  for (let i = 3; i < argv.length; i++) {
    const option = argv.at(i)
    if (mayOmitValues && isWord(option, "NOVALUES")) {
      noValues = true
      continue
    }
    if (i + 1 === argv.length) throw errors.syntax
    const value = argv.at(++i)
    const name = word(option)
    if (name === "COUNT") {
      count = Number(int64(value))
      if (count < 1) throw errors.syntax
    } else if (name === "MATCH") pattern = matchesEverything(value) ? undefined : value
    else throw errors.syntax
  }
  return { cursor, count, pattern, noValues }
}

/** Whether a scan wants this element. */
export const wanted = ({ pattern }: ScanRequest, element: Slice): boolean =>
  pattern === undefined || matchGlob(pattern, element)
