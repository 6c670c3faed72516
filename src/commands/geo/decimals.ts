/** Numbers with a fixed count of decimals, as C prints them: exact, what lies in the middle goes to the even digit. */

const tie4 = 2 ** 5
const tie6 = 2 ** 7
const tie17 = 2 ** 18

/**
 * `tie` is a power of two that makes an odd integer of just those numbers that lie in the middle of two texts: a number
 * between n and n+1 ten-thousandths is an odd multiple of 2^-5, whatever n is.
 */
const fixed = (value: number, decimals: number, tie: number): string => {
  if (!(Math.abs(value) < 1e21)) return unusual(value, decimals)
  const text = value.toFixed(decimals) // the greater of two that are as near
  const inTheMiddle = value * tie
  if (!Number.isInteger(inTheMiddle) || inTheMiddle % 2 === 0) return text
  const isEven = (text.charCodeAt(text.length - 1) & 1) === 0
  if (isEven) return text
  const lower = BigInt(text.replace(/[-.]/g, "")) - 1n
  const digits = lower.toString().padStart(decimals + 1, "0")
  return `${value < 0 ? "-" : ""}${digits.slice(0, -decimals)}.${digits.slice(-decimals)}`
}

/** Integers beyond what `toFixed` writes out, infinities, and what C makes of 0/0. */
const unusual = (value: number, decimals: number): string =>
  Number.isNaN(value)
    ? "-nan"
    : Number.isFinite(value)
    ? `${BigInt(value)}.${"0".repeat(decimals)}`
    : value > 0
    ? "inf"
    : "-inf"

/** `%.4f`: distances. */
export const fourDecimals = (value: number): string => fixed(value, 4, tie4)
/** `%f`: coordinates in refusals. */
export const sixDecimals = (value: number): string => fixed(value, 6, tie6)

/** `%.17f` without zeros at the end: coordinates in replies. */
export const seventeenDecimals = (value: number): string => {
  const text = fixed(value, 17, tie17)
  let end = text.length
  while (text.charCodeAt(end - 1) === 48) end--
  if (text.charCodeAt(end - 1) === 46) end--
  return end === 2 && text.startsWith("-0") ? "0" : text.slice(0, end)
}
