/** Integers of 1 to 64 bits at any bit of a string: reading, limits, what becomes of sums that do not fit. */
import { fromWords, highWord, lowWord, toInt64 } from "../../projections/memory/integer.ts"

/** What a sum beyond the limits of a field becomes: its lowest bits, the limit, or nothing at all. */
export const Overflow = { wrap: 0, saturate: 1, fail: 2 } as const

/** An integer of at most 64 bits: signed ones of up to 64, unsigned ones of up to 63. */
export interface FieldType {
  signed: boolean
  bits: number
}

const limits = (of: (bits: number) => bigint): ReadonlyArray<number | bigint> =>
  Array.from({ length: 65 }, (_, bits) => bits === 0 ? 0 : toInt64(of(bits)))
const unsignedMaximum = limits((bits) => 2n ** BigInt(bits) - 1n)
const signedMaximum = limits((bits) => 2n ** BigInt(bits - 1) - 1n)
const signedMinimum = limits((bits) => -(2n ** BigInt(bits - 1)))

/** The value of a field from the bits read so far, the lowest `bits` of two words. */
const valueOf = ({ bits, signed }: FieldType, high: number, low: number): number | bigint => {
  if (bits <= 32) {
    if (signed) return low << (32 - bits) >> (32 - bits)
    return bits === 32 ? low >>> 0 : low & ((1 << bits) - 1)
  }
  const wide = bits - 32
  if (signed) return fromWords((high << (32 - wide) >> (32 - wide)) >>> 0, low >>> 0)
  return fromWords(high & ((1 << wide) - 1), low >>> 0)
}

/** The field at a bit, its bytes given by `byteAt`. */
export const readField = (type: FieldType, offset: number, byteAt: (at: number) => number): number | bigint => {
  let high = 0
  let low = 0
  let at = Math.floor(offset / 8)
  let skip = offset % 8
  for (let left = type.bits; left > 0; at++, skip = 0) {
    const take = Math.min(8 - skip, left)
    const part = (byteAt(at) >>> (8 - skip - take)) & (0xff >>> (8 - take))
    high = (high << take) | (low >>> (32 - take))
    low = (low << take) | part
    left -= take
  }
  return valueOf(type, high, low)
}

/** Puts the lowest bits of a value where a field is; `put` gets each byte as it is then. */
export const writeField = (
  { bits }: FieldType,
  offset: number,
  value: number | bigint,
  byteAt: (at: number) => number,
  put: (at: number, byte: number) => void
): void => {
  const high = highWord(value)
  const low = lowWord(value)
  let at = Math.floor(offset / 8)
  let skip = offset % 8
  for (let left = bits; left > 0; at++, skip = 0) {
    const take = Math.min(8 - skip, left)
    left -= take
    const word = left >= 32 ? high >>> (left - 32) : left === 0 ? low : (low >>> left) | (high << (32 - left))
    const mask = 0xff >>> (8 - take)
    const shift = 8 - skip - take
    put(at, (byteAt(at) & ~(mask << shift)) | ((word & mask) << shift))
  }
}

/** `value` as a field keeps it: its lowest bits, signed or not. */
export const wrapped = (type: FieldType, value: number | bigint): number | bigint =>
  valueOf(type, highWord(value), lowWord(value))

/** The exact sum; a bigint where it must be. */
export const sumOf = (a: number | bigint, b: number | bigint): number | bigint => {
  if (typeof a === "number" && typeof b === "number") {
    const sum = a + b
    if (Number.isSafeInteger(sum)) return sum
  }
  return BigInt(a) + BigInt(b)
}

/**
 * Redis looks whether a field has room by how far its limit is from the value, in 64 bits: a SET of a signed field to one
 * that is farther below the limit than that counts as being above it.
 */
const farBelow = (maximum: number | bigint, value: number | bigint): boolean =>
  typeof value === "bigint" && BigInt(maximum) - value >= 2n ** 63n

/**
 * What a field takes when it is to become `value`: undefined when that lies beyond its limits and must not.
 * @param sets it is given by SET: then a negative value is a very large one for an unsigned field
 */
export const fitting = (
  type: FieldType,
  value: number | bigint,
  overflow: number,
  sets: boolean
): number | bigint | undefined => {
  const { bits, signed } = type
  const maximum = (signed ? signedMaximum : unsignedMaximum)[bits]!
  const minimum = signed ? signedMinimum[bits]! : 0
  const over = value > maximum || (sets && (signed ? bits < 64 && farBelow(maximum, value) : value < 0))
  if (!over && value >= minimum) return value
  if (overflow === Overflow.fail) return undefined
  if (overflow === Overflow.saturate) return over ? maximum : minimum
  return wrapped(type, value)
}
