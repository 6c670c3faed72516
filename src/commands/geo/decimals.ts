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

// ——— the same as bytes, for results of many ———

/** Room for one number. */
export const digits = new Uint8Array(64)

/** Writes a non-negative integer below 2^53 at `at`, with zeros before it up to `width` digits; returns the place after it. */
const writeInteger = (value: number, at: number, width: number): number => {
  let length = 1
  for (let bound = 10; length < width || bound <= value; bound *= 10) length++
  let rest = value
  for (let i = at + length - 1; i >= at; i--) {
    const quotient = Math.floor(rest / 10)
    digits[i] = 48 + rest - quotient * 10
    rest = quotient
  }
  return at + length
}

/** Writes a text into `digits`; returns how many bytes that took. */
export const writeText = (text: string): number => {
  for (let i = 0; i < text.length; i++) digits[i] = text.charCodeAt(i)
  return text.length
}

/** Writes so many ten-thousandths, an integer, into `digits`; returns how many bytes that took. */
export const writeTenThousandths = (count: number): number => {
  const whole = Math.floor(count / 10_000)
  const point = writeInteger(whole, 0, 1)
  digits[point] = 46
  return writeInteger(count - whole * 10_000, point + 1, 4)
}

/** Writes a coordinate as `seventeenDecimals` prints it into `digits`; returns how many bytes that took. */
export const writeCoordinate = (value: number): number => {
  const size = Math.abs(value)
  const whole = Math.floor(size)
  // The fraction in 2^-52: an integer for all places, whose coordinates are sums with numbers of whole degrees.
  const fraction = (size - whole) * 2 ** 52
  if (size >= 1000 || !Number.isInteger(fraction)) return writeText(seventeenDecimals(value))
  let at = 0
  if (value < 0) digits[at++] = 45
  at = writeInteger(whole, at, 1)
  digits[at++] = 46
  // Seventeen digits, five at a time: two halves of 26 bits are multiplied, what overflows are the digits.
  let high = Math.floor(fraction / half)
  let low = fraction - high * half
  for (let group = 0; group < 4; group++) {
    const scale = group < 3 ? 100_000 : 100
    low *= scale
    const carry = Math.floor(low / half)
    low -= carry * half
    high = high * scale + carry
    const found = Math.floor(high / half)
    high -= found * half
    at = writeInteger(found, at, group < 3 ? 5 : 2)
  }
  const rest = high * half + low
  // Rounding up may carry far, and a half goes to the even digit: both are rare enough for the long way.
  if (rest >= half * half / 2) {
    if (rest === half * half / 2 || digits[at - 1] === 57) return writeText(seventeenDecimals(value))
    digits[at - 1]!++
  }
  while (digits[at - 1] === 48) at--
  if (digits[at - 1] === 46) at--
  return at === 2 && digits[0] === 45 && digits[1] === 48 ? writeText("0") : at
}

const half = 2 ** 26
