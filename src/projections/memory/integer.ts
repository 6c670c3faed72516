/** Signed 64-bit integers as text and as two words. An integer is a number where that is exact, else a bigint. */
import type { Slice } from "./slice.ts"

/** The one form an integer of up to 64 bits has here: a number where that is exact, a bigint otherwise. */
export const toInt64 = (value: bigint): number | bigint =>
  value >= -9007199254740991n && value <= 9007199254740991n ? Number(value) : value

/** The value of canonical decimal text (no leading zeros, no plus, no -0) of a signed 64-bit integer; else undefined. */
export const parseInt64 = (bytes: Uint8Array, start: number, length: number): number | bigint | undefined => {
  if (length === 0 || length > 20) return undefined
  let at = start
  const end = start + length
  const negative = bytes[at] === 45
  if (negative) at++
  const first = bytes[at]
  if (at === end || first === undefined) return undefined
  if (first === 48) return length === 1 ? 0 : undefined
  if (end - at > 15) return parseWide(bytes, start, length, negative)
  let value = 0
  while (at < end) {
    const digit = bytes[at++]! - 48
    if (digit < 0 || digit > 9) return undefined
    value = value * 10 + digit
  }
  return negative ? -value : value
}

const parseWide = (
  bytes: Uint8Array,
  start: number,
  length: number,
  negative: boolean
): number | bigint | undefined => {
  for (let i = start + (negative ? 1 : 0); i < start + length; i++) {
    const digit = bytes[i]! - 48
    if (digit < 0 || digit > 9) return undefined
  }
  const value = BigInt(Buffer.from(bytes.buffer, bytes.byteOffset + start, length).toString("latin1"))
  return BigInt.asIntN(64, value) === value ? toInt64(value) : undefined
}

export const parseInt64Slice = (slice: Slice): number | bigint | undefined =>
  parseInt64(slice.bytes, slice.start, slice.length)

/** From here on text is made by the engine; below, digit by digit in 31-bit arithmetic, without a string. */
const digitLimit = 1_000_000_000

/** Writes the decimal text at `at`, at most 20 bytes, and returns the position after it. */
export const writeInt64 = (out: Uint8Array, at: number, value: number | bigint): number => {
  if (typeof value === "number" && value < digitLimit && value > -digitLimit) {
    let rest = value | 0
    if (rest < 0) {
      out[at++] = 45
      rest = -rest
    }
    let end = at + 1
    for (let bound = 10; rest >= bound; bound *= 10) end++
    for (let i = end - 1; i > at; i--) {
      const tenth = (rest / 10) | 0
      out[i] = 48 + rest - tenth * 10
      rest = tenth
    }
    out[at] = 48 + rest
    return end
  }
  const text = value.toString()
  for (let i = 0; i < text.length; i++) out[at + i] = text.charCodeAt(i)
  return at + text.length
}

/** The low 32 bits of the two's complement form. */
export const lowWord = (value: number | bigint): number =>
  typeof value === "number" ? value >>> 0 : Number(BigInt.asUintN(32, value))

/** The high 32 bits of the two's complement form. */
export const highWord = (value: number | bigint): number =>
  typeof value === "number" ? Math.floor(value / 0x1_0000_0000) >>> 0 : Number(BigInt.asUintN(32, value >> 32n))

/** The integer of two words. */
export const fromWords = (high: number, low: number): number | bigint => {
  const signed = high | 0
  if (signed >= -0x20_0000 && signed < 0x20_0000) {
    const value = signed * 0x1_0000_0000 + low
    if (Number.isSafeInteger(value)) return value
  }
  return toInt64(BigInt.asIntN(64, (BigInt(high) << 32n) | BigInt(low)))
}
