/**
 * Ascending integers of one width (2, 4 or 8 bytes, little endian, two's complement) in somebody else's bytes, as Redis's
 * intset has them after its header. An integer is a number where that is exact, else a bigint; the two compare.
 */
import { toInt64 } from "./integer.ts"

/** The least width that holds an integer. */
export const widthFor = (value: number | bigint): number =>
  value >= -32_768 && value <= 32_767 ? 2 : value >= -2_147_483_648 && value <= 2_147_483_647 ? 4 : 8

/** The integer at a place. */
export const integerAt = (bytes: Uint8Array, at: number, width: number): number | bigint => {
  const low = bytes[at]! | bytes[at + 1]! << 8
  if (width === 2) return low << 16 >> 16
  const word = low | bytes[at + 2]! << 16 | bytes[at + 3]! << 24
  if (width === 4) return word
  const high = bytes[at + 4]! | bytes[at + 5]! << 8 | bytes[at + 6]! << 16 | bytes[at + 7]! << 24
  const value = high * 0x1_0000_0000 + (word >>> 0)
  return Number.isSafeInteger(value) ? value : toInt64(BigInt(high) << 32n | BigInt(word >>> 0))
}

/** Writes an integer that the width holds. */
export const putInteger = (bytes: Uint8Array, at: number, width: number, value: number | bigint): void => {
  const low = typeof value === "number" ? value >>> 0 : Number(BigInt.asUintN(32, value))
  bytes[at] = low & 0xff
  bytes[at + 1] = low >>> 8 & 0xff
  if (width === 2) return
  bytes[at + 2] = low >>> 16 & 0xff
  bytes[at + 3] = low >>> 24
  if (width === 4) return
  const high = typeof value === "number"
    ? Math.floor(value / 0x1_0000_0000) >>> 0
    : Number(BigInt.asUintN(32, value >> 32n))
  for (let i = 0; i < 4; i++) bytes[at + 4 + i] = high >>> (8 * i) & 0xff
}

/** The place of an integer among `count` from `start` on, by number from 0; -1 minus the place it would take when absent. */
export const search = (
  bytes: Uint8Array,
  start: number,
  count: number,
  width: number,
  value: number | bigint
): number => {
  let low = 0
  let high = count - 1
  while (low <= high) {
    const middle = (low + high) >>> 1
    const found = integerAt(bytes, start + middle * width, width)
    if (found === value) return middle
    if (found < value) low = middle + 1
    else high = middle - 1
  }
  return -1 - low
}
