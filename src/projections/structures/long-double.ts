/**
 * The 80-bit extended floating-point numbers of x87 (C's `long double` on x86-64), computed exactly: a significand of 64
 * bits, exponents to ±16383, gradual underflow, rounding to nearest with ties to even. Redis adds decimals in this format
 * and prints them with 17 decimals, so whoever wants the same digits has to compute in it.
 */

const precision = 64
/** Power of two of the smallest subnormal. */
const minimumExponent = -16445
/** Every finite number is below two to this power. */
const maximumExponent = 16384
/** Longer texts are not numbers to Redis. */
const maximumTextLength = 5119

/** `mantissa` · 2^`exponent`, the mantissa having at most 64 bits; infinities have the exponent Infinity. Zero has no sign. */
export interface LongDouble {
  readonly mantissa: bigint
  readonly exponent: number
}

export const zero: LongDouble = { mantissa: 0n, exponent: 0 }
export const positiveInfinity: LongDouble = { mantissa: 1n, exponent: Infinity }
export const negativeInfinity: LongDouble = { mantissa: -1n, exponent: Infinity }
/** The largest finite number, LDBL_MAX. */
export const largest: LongDouble = { mantissa: (1n << 64n) - 1n, exponent: maximumExponent - precision }
/** -LDBL_MAX. */
export const smallest: LongDouble = { mantissa: -largest.mantissa, exponent: largest.exponent }

export const isFinite = (value: LongDouble): boolean => value.exponent !== Infinity
export const isNegative = (value: LongDouble): boolean => value.mantissa < 0n

const absolute = (value: bigint): bigint => value < 0n ? -value : value

const doubleView = new DataView(new ArrayBuffer(8))
const doubleLimit = 1n << 1000n

/** Bits of a positive integer, leading zeros not counted. */
const bitLength = (value: bigint): number => {
  if (value < doubleLimit) {
    doubleView.setFloat64(0, Number(value))
    const exponent = (doubleView.getUint16(0) >>> 4) - 1023
    // As a double the integer may have been rounded up to the next power of two.
    return value >> BigInt(exponent) === 0n ? exponent : exponent + 1
  }
  const hex = value.toString(16)
  return hex.length * 4 - (Math.clz32(parseInt(hex[0]!, 16)) - 28)
}

/**
 * The number nearest to `magnitude` · 2^`exponent` (and a little more when `inexact`), with the given sign. Beyond the
 * largest: an infinity. `inexact` needs a magnitude of at least 66 bits.
 */
const round = (magnitude: bigint, exponent: number, negative: boolean, inexact = false): LongDouble => {
  if (magnitude === 0n) return zero
  const excess = Math.max(bitLength(magnitude) - precision, minimumExponent - exponent)
  let kept = magnitude
  let power = exponent
  if (excess > 0) {
    const shift = BigInt(excess)
    kept = magnitude >> shift
    power += excess
    const rest = magnitude - (kept << shift)
    const half = 1n << (shift - 1n)
    if (rest > half || (rest === half && (inexact || (kept & 1n) === 1n))) kept++
    if (kept === 0n) return zero
  }
  if (bitLength(kept) + power > maximumExponent) return negative ? negativeInfinity : positiveInfinity
  return { mantissa: negative ? -kept : kept, exponent: power }
}

const decimalText = /^([+-]?)(?:(\d+)\.?(\d*)|\.(\d+))(?:e([+-]?\d+))?$/i
const hexadecimalText = /^([+-]?)0x(?:([0-9a-f]+)\.?([0-9a-f]*)|\.([0-9a-f]+))(?:p([+-]?\d+))?$/i
const infinityText = /^([+-]?)inf(?:inity)?$/i

/**
 * The number a text stands for: decimal or hexadecimal with or without an exponent, or an infinity, in C's notation and
 * nothing around it. Undefined for other texts, for NaN, and for what is too large to be finite or too small not to be 0.
 */
export const parseLongDouble = (text: string): LongDouble | undefined => {
  if (text.length === 0 || text.length > maximumTextLength) return undefined
  const decimal = decimalText.exec(text)
  if (decimal !== null) return fromDecimal(decimal)
  const hexadecimal = hexadecimalText.exec(text)
  if (hexadecimal !== null) return fromHexadecimal(hexadecimal)
  const infinity = infinityText.exec(text)
  return infinity === null ? undefined : infinity[1] === "-" ? negativeInfinity : positiveInfinity
}

/** What parsing makes of a rounded number that was not zero: neither overflow nor underflow may hide it. */
const inRange = (value: LongDouble): LongDouble | undefined =>
  value.mantissa === 0n || !isFinite(value) ? undefined : value

const fromDecimal = (parts: RegExpExecArray): LongDouble | undefined => {
  const fraction = parts[3] ?? parts[4] ?? ""
  const digits = ((parts[2] ?? "") + fraction).replace(/^0+/, "")
  if (digits === "") return zero
  const scale = Number(parts[5] ?? "0") - fraction.length
  // The number has this many digits before the point (or minus that many zeros after it).
  const magnitude = digits.length + scale
  if (magnitude > 4933 || magnitude < -4960) return undefined
  const negative = parts[1] === "-"
  const value = BigInt(digits)
  if (scale >= 0) return inRange(round(value * powerOfTen(scale), 0, negative))
  const divisor = powerOfTen(-scale)
  const shift = Math.max(0, precision + 2 + bitLength(divisor) - bitLength(value))
  const dividend = value << BigInt(shift)
  const quotient = dividend / divisor
  return inRange(round(quotient, -shift, negative, quotient * divisor !== dividend))
}

const fromHexadecimal = (parts: RegExpExecArray): LongDouble | undefined => {
  const fraction = parts[3] ?? parts[4] ?? ""
  const value = BigInt(`0x${(parts[2] ?? "") + fraction}`)
  if (value === 0n) return zero
  const exponent = Number(parts[5] ?? "0") - fraction.length * 4
  const magnitude = bitLength(value) + exponent
  if (magnitude > maximumExponent || magnitude < minimumExponent - 1) return undefined
  return inRange(round(value, exponent, parts[1] === "-"))
}

const smallPowersOfTen = Array.from({ length: 64 }, (_, i) => 10n ** BigInt(i))
const powerOfTen = (exponent: number): bigint => smallPowersOfTen[exponent] ?? 10n ** BigInt(exponent)

/** The sum, rounded once. Undefined when it is not a finite number. */
export const add = (a: LongDouble, b: LongDouble): LongDouble | undefined => {
  if (!isFinite(a) || !isFinite(b)) return undefined
  const exponent = Math.min(a.exponent, b.exponent)
  const sum = align(a, exponent) + align(b, exponent)
  const value = round(absolute(sum), exponent, sum < 0n)
  return isFinite(value) ? value : undefined
}

/** The difference a - b, rounded once. Undefined when it is not a finite number. */
export const subtract = (a: LongDouble, b: LongDouble): LongDouble | undefined =>
  add(a, { mantissa: -b.mantissa, exponent: b.exponent })

const align = (value: LongDouble, exponent: number): bigint => value.mantissa << BigInt(value.exponent - exponent)

/** Negative, zero or positive, as a is less than, equal to or greater than b. */
export const compare = (a: LongDouble, b: LongDouble): number => {
  if (!isFinite(a) || !isFinite(b)) return infiniteSign(a) - infiniteSign(b)
  const exponent = Math.min(a.exponent, b.exponent)
  const difference = align(a, exponent) - align(b, exponent)
  return difference < 0n ? -1 : difference > 0n ? 1 : 0
}

const infiniteSign = (value: LongDouble): number => isFinite(value) ? 0 : isNegative(value) ? -1 : 1

const decimals = 17
const decimalScale = 10n ** BigInt(decimals)

/** A finite number rounded to 17 decimals (ties to even), without trailing zeros, point or minus sign of zero. */
export const formatLongDouble = (value: LongDouble): string => {
  const magnitude = absolute(value.mantissa)
  const sign = value.mantissa < 0n ? "-" : ""
  if (value.exponent >= 0) return sign + (magnitude << BigInt(value.exponent)).toString()
  const shift = BigInt(-value.exponent)
  const exact = magnitude * decimalScale
  let scaled = exact >> shift
  const rest = exact - (scaled << shift)
  const half = 1n << (shift - 1n)
  if (rest > half || (rest === half && (scaled & 1n) === 1n)) scaled++
  if (scaled === 0n) return "0"
  const digits = scaled.toString().padStart(decimals + 1, "0")
  const point = digits.length - decimals
  let end = digits.length
  while (end > point && digits.charCodeAt(end - 1) === 48) end--
  return sign + digits.slice(0, point) + (end === point ? "" : `.${digits.slice(point, end)}`)
}
