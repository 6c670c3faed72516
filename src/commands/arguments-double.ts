/** Doubles as requests write them: what C's strtod reads, hexadecimal forms and infinities included. */
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

/** Powers of ten that a double holds exactly. */
const powers = [1, 10, 100, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16]

/**
 * A text of a few digits, perhaps with a sign and a point: integer and power of ten are exact, so that their quotient is
 * the double nearest to it and no string need be made. NaN for any other text.
 */
const shortDecimal = ({ bytes, length, start }: Slice): number => {
  if (length === 0 || length > 17) return Number.NaN
  const end = start + length
  const negative = bytes[start] === 45
  let value = 0
  let digits = 0
  let point = -1
  for (let at = negative ? start + 1 : start; at < end; at++) {
    const byte = bytes[at]!
    if (byte >= 48 && byte <= 57) {
      value = value * 10 + byte - 48
      digits++
    } else if (byte === 46 && point < 0) point = at
    else return Number.NaN
  }
  if (digits === 0 || digits > 15) return Number.NaN
  if (point >= 0) value /= powers[end - 1 - point]!
  return negative ? -value : value
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
  if (!Number.isFinite(value) && !infinite.test(text)) throw refusal
  if (value === 0 && /[1-9a-f]/i.test(text.replace(/^[+-]?0x|[ep].*$/gi, ""))) throw refusal
  return value
}

/**
 * The number at the front of a C string, which must be all of it: blanks may stand before it, an empty text is zero, what
 * follows a NUL does not count. Undefined when it is none or NaN.
 */
export const looseDouble = (arg: Slice): number | undefined => {
  const short = shortDecimal(arg)
  if (short === short) return short
  const infinity = signedInfinity(arg)
  if (infinity !== 0) return infinity
  const text = arg.latin1().split("\0", 1)[0]!
  return text === "" ? 0 : readText(text.replace(/^[ \t-\r]+/, ""))
}
