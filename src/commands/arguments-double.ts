/** Doubles as requests write them: what C's strtod reads, hexadecimal forms and infinities included. */
import { shortDecimal } from "../projections/memory/decimal.ts"
import type { Slice } from "../projections/memory/slice.ts"
import { errors } from "./errors.ts"

const decimal = /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i
const infinite = /^[+-]?inf(inity)?$/i
const hexadecimal = /^([+-]?)0x([0-9a-f]*)\.?([0-9a-f]*)(?:p([+-]?\d+))?$/i

/**
 * The number that a text is, all of it; undefined when it is none or NaN. What is too great for a double is infinite, what
 * is too small zero.
 */
const readText = (text: string): number | undefined => {
  if (decimal.test(text)) return Number(text)
  if (infinite.test(text)) return text.startsWith("-") ? -Infinity : Infinity
  const hex = hexadecimal.exec(text)
  if (hex === null) return undefined
  const [, sign, whole = "", fraction = "", exponent = "0"] = hex
  if (whole.length + fraction.length === 0) return undefined
  const value = Number(BigInt(`0x${whole}${fraction}`)) * 2 ** (Number(exponent) - 4 * fraction.length)
  return sign === "-" ? -value : value
}

/** What "inf", "+inf" and "-inf" stand for, the usual ends of ranges; 0 for any other text. */
const signedInfinity = ({ bytes, length, start }: Slice): number => {
  if (length !== 3 && length !== 4) return 0
  const at = start + length - 3
  if (bytes[at] !== 105 || bytes[at + 1] !== 110 || bytes[at + 2] !== 102) return 0
  if (length === 3 || bytes[start] === 43) return Infinity
  return bytes[start] === 45 ? -Infinity : 0
}

/** A double; other text, NaN and what a double cannot hold (1e400, 1e-400) are refused. */
export const double = (arg: Slice, refusal = errors.notFloat): number => {
  const short = shortDecimal(arg)
  if (short === short) return short
  const text = arg.latin1()
  const value = readText(text)
  if (value === undefined || Number.isNaN(value)) throw refusal
  if (isOutOfRange(value, text)) throw refusal
  return value
}

/** Whether a double cannot hold what stands in a text whose value is this. */
const isOutOfRange = (value: number, text: string): boolean =>
  Number.isFinite(value)
    ? value === 0 && /[1-9a-f]/i.test(text.replace(/^[+-]?0x|[ep].*$/gi, ""))
    : !infinite.test(text)

/** What C sees of a text as a number: blanks before it are skipped, a NUL ends it. */
const textInC = (arg: Slice): string => arg.latin1().split("\0", 1)[0]!.replace(/^[ \t-\r]+/, "")

/**
 * The number at the front of a C string, which must be all of it: blanks may stand before it, an empty text is zero, what
 * follows a NUL does not count. Undefined when it is none or NaN.
 */
export const looseDouble = (arg: Slice): number | undefined => {
  const short = shortDecimal(arg)
  if (short === short) return short
  const infinity = signedInfinity(arg)
  if (infinity !== 0) return infinity
  // Blanks alone are none.
  return arg.length === 0 || arg.bytes[arg.start] === 0 ? 0 : readText(textInC(arg))
}

const leastNormal = 2 ** -1022

/** Like `looseDouble`, but undefined too for what a double cannot hold in full precision (1e400, 1e-310): ERANGE in C. */
export const wholeDouble = (arg: Slice): number | undefined => {
  const value = looseDouble(arg)
  if (value === undefined) return undefined
  const magnitude = Math.abs(value)
  if (magnitude >= leastNormal && magnitude < Infinity) return value
  const isSubnormal = magnitude > 0 && magnitude < leastNormal
  return isSubnormal || isOutOfRange(value, textInC(arg)) ? undefined : value
}
