import type { Slice } from "./slice.ts"

/** Powers of ten that a double holds exactly. */
const powers = [1, 10, 100, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16]

/**
 * The double nearest to a text of a few digits, perhaps with a minus sign and a point; NaN for any other text. Digits and
 * power of ten are exact, so that one division rounds once and no string need be made.
 */
export const shortDecimal = ({ bytes, length, start }: Slice): number => {
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
  // Below this limit every step was exact.
  if (digits === 0 || value >= 1e15) return Number.NaN
  if (point >= 0) value /= powers[end - 1 - point]!
  return negative ? -value : value
}
