/**
 * A small collection as one run of elements in somebody else's bytes: a value inside its entry, or a node of a list. A
 * pack has no header, it is the bytes from a start to an end. Elements have the encoding of Redis's listpacks (documented
 * in their specification), so that packs and listpacks are made of each other almost by copying:
 *
 * ```
 * 0xxxxxxx                    integer 0 to 127
 * 10xxxxxx bytes              text of up to 63 bytes
 * 110xxxxx x                  integer of 13 bits, two's complement
 * 1110xxxx x bytes            text of up to 4095 bytes
 * F0 x x x x bytes            text of any length, u32 little endian
 * F1 … F2 … F3 … F4 …         integer of 16, 24, 32, 64 bits, little endian, two's complement
 * then the backlen            length of the above, 7 bits a byte, the most significant first, all but the first byte marked
 * ```
 *
 * The encoding is canonical: text that is the decimal form of a 64-bit integer becomes the shortest integer, all else the
 * shortest text. So elements are equal exactly when their bytes are.
 */
import { parseInt64, writeInt64 } from "./integer.ts"
import { copyBytes, type Slice } from "./slice.ts"

/** Length of an element without its backlen. */
const bodySize = (bytes: Uint8Array, at: number): number => {
  const first = bytes[at]!
  if (first < 0x80) return 1
  if (first < 0xc0) return 1 + (first & 0x3f)
  if (first < 0xe0) return 2
  if (first < 0xf0) return 2 + ((first & 0x0f) << 8 | bytes[at + 1]!)
  switch (first) {
    case 0xf0:
      return 5 + textLength32(bytes, at)
    case 0xf1:
      return 3
    case 0xf2:
      return 4
    case 0xf3:
      return 5
    default:
      return 9
  }
}

const textLength32 = (bytes: Uint8Array, at: number): number =>
  (bytes[at + 1]! | bytes[at + 2]! << 8 | bytes[at + 3]! << 16 | bytes[at + 4]! << 24) >>> 0

const backlenSize = (body: number): number =>
  body < 128 ? 1 : body < 16_383 ? 2 : body < 2_097_151 ? 3 : body < 268_435_455 ? 4 : 5

const writeBacklen = (target: Uint8Array, at: number, body: number): number => {
  const size = backlenSize(body)
  for (let i = size - 1; i > 0; i--) {
    target[at + i] = (body & 0x7f) | 0x80
    body = Math.floor(body / 128)
  }
  target[at] = body
  return at + size
}

/** Length of the element at `at`, backlen included. */
export const sizeAt = (bytes: Uint8Array, at: number): number => {
  const first = bytes[at]!
  if (first < 0xc0) return first < 0x80 ? 2 : (first & 0x3f) + 2
  const body = bodySize(bytes, at)
  return body + backlenSize(body)
}

/** Where the element that ends at `at` begins. */
export const previous = (bytes: Uint8Array, at: number): number => {
  const last = bytes[at - 1]!
  if (last < 0x80) return at - 1 - last
  let body = 0
  let scale = 1
  let i = at - 1
  for (; bytes[i]! >= 0x80; i--) {
    body += (bytes[i]! & 0x7f) * scale
    scale *= 128
  }
  body += bytes[i]! * scale
  return i - body
}

/** Where the element `count` elements after the one at `at` begins. */
export const skip = (bytes: Uint8Array, at: number, count: number): number => {
  for (; count > 0; count--) at += sizeAt(bytes, at)
  return at
}

/** The number of elements between two places. */
export const countElements = (bytes: Uint8Array, at: number, end: number): number => {
  let count = 0
  for (; at < end; at += sizeAt(bytes, at)) count++
  return count
}

const integerBody = (value: number | bigint): number => {
  if (typeof value === "bigint") return 9
  if (value >= 0 && value < 128) return 1
  if (value >= -4096 && value < 4096) return 2
  if (value >= -32_768 && value < 32_768) return 3
  if (value >= -8_388_608 && value < 8_388_608) return 4
  return value >= -2_147_483_648 && value < 2_147_483_648 ? 5 : 9
}

const textBody = (length: number): number => length < 64 ? 1 + length : length < 4096 ? 2 + length : 5 + length

/** Bytes an integer takes as an element. */
export const encodedSizeOfInteger = (value: number | bigint): number => {
  const body = integerBody(value)
  return body + backlenSize(body)
}

/** Bytes a text takes as an element. */
export const encodedSize = (text: Slice): number => {
  const value = asInteger(text)
  if (value !== undefined) return encodedSizeOfInteger(value)
  const body = textBody(text.length)
  return body + backlenSize(body)
}

const asInteger = (text: Slice): number | bigint | undefined => {
  const { bytes, length, start } = text
  if (length === 0 || length > 20) return undefined
  const first = bytes[start]!
  return first > 57 || (first < 48 && first !== 45) ? undefined : parseInt64(bytes, start, length)
}

/** Writes an integer as an element at `at`; returns the place after it. */
export const encodeInteger = (target: Uint8Array, at: number, value: number | bigint): number => {
  const body = integerBody(value)
  target[at + body] = body
  if (body === 1) target[at] = Number(value)
  else if (body === 2) {
    const word = Number(value) & 0x1fff
    target[at] = 0xc0 | word >>> 8
    target[at + 1] = word & 0xff
  } else if (body < 9) {
    target[at] = 0xee + body
    let rest = Number(value)
    for (let i = 1; i < body; i++) {
      target[at + i] = rest & 0xff
      rest >>= 8
    }
  } else {
    target[at] = 0xf4
    let low: number
    let high: number
    if (typeof value === "number") {
      low = value >>> 0
      high = Math.floor(value / 0x1_0000_0000) >>> 0
    } else {
      low = Number(BigInt.asUintN(32, value))
      high = Number(BigInt.asUintN(32, value >> 32n))
    }
    for (let i = 0; i < 4; i++) {
      target[at + 1 + i] = low >>> (8 * i) & 0xff
      target[at + 5 + i] = high >>> (8 * i) & 0xff
    }
  }
  return at + body + 1
}

/** Writes a text as an element at `at`, where there is room for it; returns the place after it. */
export const encode = (target: Uint8Array, at: number, text: Slice): number => {
  const value = asInteger(text)
  if (value !== undefined) return encodeInteger(target, at, value)
  const { bytes, length, start } = text
  if (length < 64) {
    target[at] = 0x80 | length
    for (let i = 0; i < length; i++) target[at + 1 + i] = bytes[start + i]!
    target[at + 1 + length] = 1 + length
    return at + length + 2
  }
  let to = at
  if (length < 4096) {
    target[to++] = 0xe0 | length >>> 8
    target[to++] = length & 0xff
  } else {
    target[to++] = 0xf0
    for (let i = 0; i < 4; i++) target[to++] = length >>> (8 * i) & 0xff
  }
  copyBytes(target, to, bytes, start, length)
  to += length
  return writeBacklen(target, to, to - at)
}

/** An element to look for, encoded; used again and again. */
export class Needle {
  bytes: Uint8Array = new Uint8Array(128)
  length = 0

  set(text: Slice): this {
    if (text.length + 16 > this.bytes.length) this.bytes = new Uint8Array(2 * text.length + 16)
    this.length = encode(this.bytes, 0, text)
    if (this.bytes.length > 1 << 20 && this.length < 1 << 16) {
      const small = new Uint8Array(1 << 16)
      copyBytes(small, 0, this.bytes, 0, this.length)
      this.bytes = small
    }
    return this
  }
}

/** Whether the element at `at` is the needle. */
export const isAt = (bytes: Uint8Array, at: number, needle: Needle): boolean => {
  const { bytes: wanted, length } = needle
  for (let i = 0; i < length; i++) if (bytes[at + i] !== wanted[i]) return false
  return true
}

/** The first element equal to the needle among those `stride` elements apart from `at` on; -1 when there is none. */
export const find = (bytes: Uint8Array, at: number, end: number, needle: Needle, stride: number): number => {
  const first = needle.bytes[0]!
  // Names in a collection mostly begin alike: of a short text, whose first byte tells its length, the end is compared first.
  const probe = first >= 0x80 && first < 0xc0 ? needle.length - 2 : 0
  const probed = needle.bytes[probe]!
  while (at < end) {
    if (bytes[at] === first && bytes[at + probe] === probed && isAt(bytes, at, needle)) return at
    for (let i = 0; i < stride; i++) at += sizeAt(bytes, at)
  }
  return -1
}

/** Whether the element is held as an integer. */
export const isInteger = (bytes: Uint8Array, at: number): boolean => {
  const first = bytes[at]!
  return first < 0x80 || (first >= 0xc0 && first < 0xe0) || first > 0xf0
}

/** The integer of an element for which `isInteger` is true. */
export const integerAt = (bytes: Uint8Array, at: number): number | bigint => {
  const first = bytes[at]!
  if (first < 0x80) return first
  if (first < 0xe0) return ((first & 0x1f) << 8 | bytes[at + 1]!) << 19 >> 19
  switch (first) {
    case 0xf1:
      return (bytes[at + 1]! | bytes[at + 2]! << 8) << 16 >> 16
    case 0xf2:
      return (bytes[at + 1]! | bytes[at + 2]! << 8 | bytes[at + 3]! << 16) << 8 >> 8
    case 0xf3:
      return bytes[at + 1]! | bytes[at + 2]! << 8 | bytes[at + 3]! << 16 | bytes[at + 4]! << 24
  }
  const low = (bytes[at + 1]! | bytes[at + 2]! << 8 | bytes[at + 3]! << 16 | bytes[at + 4]! << 24) >>> 0
  const high = bytes[at + 5]! | bytes[at + 6]! << 8 | bytes[at + 7]! << 16 | bytes[at + 8]! << 24
  const value = high * 0x1_0000_0000 + low
  return Number.isSafeInteger(value) ? value : BigInt(high) << 32n | BigInt(low)
}

/** Bytes that the text of one integer may take. */
export const digitsBytes = 20

/**
 * The text of an element: `into` is pointed at the pack, or for an integer at `digits`, where its text is written from
 * `digitsAt` on (at most `digitsBytes`).
 */
export const textAt = (bytes: Uint8Array, at: number, into: Slice, digits: Uint8Array, digitsAt = 0): Slice => {
  const first = bytes[at]!
  if (first >= 0x80 && first < 0xc0) return into.set(bytes, at + 1, first & 0x3f)
  if (first >= 0xe0 && first < 0xf0) return into.set(bytes, at + 2, (first & 0x0f) << 8 | bytes[at + 1]!)
  if (first === 0xf0) return into.set(bytes, at + 5, textLength32(bytes, at))
  return into.set(digits, digitsAt, writeInt64(digits, digitsAt, integerAt(bytes, at)) - digitsAt)
}

const scratch = new Uint8Array(digitsBytes)

/** Order of an element's text and another one by unsigned bytes, the shorter first where one begins with the other. */
export const compareAt = (bytes: Uint8Array, at: number, text: Slice): number => {
  const first = bytes[at]!
  let length: number
  if (first >= 0x80 && first < 0xc0) {
    length = first & 0x3f
    at++
  } else if (first >= 0xe0 && first < 0xf0) {
    length = (first & 0x0f) << 8 | bytes[at + 1]!
    at += 2
  } else if (first === 0xf0) {
    length = textLength32(bytes, at)
    at += 5
  } else {
    length = writeInt64(scratch, 0, integerAt(bytes, at))
    bytes = scratch
    at = 0
  }
  const n = Math.min(length, text.length)
  for (let i = 0; i < n; i++) {
    const difference = bytes[at + i]! - text.bytes[text.start + i]!
    if (difference !== 0) return difference
  }
  return length - text.length
}

/** Length in bytes of an element's text. */
export const lengthOfText = (bytes: Uint8Array, at: number): number => {
  const first = bytes[at]!
  if (first >= 0x80 && first < 0xc0) return first & 0x3f
  if (first >= 0xe0 && first < 0xf0) return (first & 0x0f) << 8 | bytes[at + 1]!
  if (first === 0xf0) return textLength32(bytes, at)
  return writeInt64(scratch, 0, integerAt(bytes, at))
}

/**
 * Whether the bytes from `at` to `end` are whole elements, readable in both directions. Safe for any bytes. It does not ask
 * whether each element is in its shortest form, which those that others have encoded need not be.
 */
export const isPack = (bytes: Uint8Array, at: number, end: number): boolean => {
  while (at < end) {
    const first = bytes[at]!
    if (first > 0xf4 || at + (first === 0xf0 ? 5 : first >= 0xe0 && first < 0xf0 ? 2 : 1) > end) return false
    const body = bodySize(bytes, at)
    const next = at + body + backlenSize(body)
    if (next > end) return false
    writeBacklen(scratch, 0, body)
    for (let i = backlenSize(body) - 1; i >= 0; i--) if (bytes[at + body + i] !== scratch[i]) return false
    at = next
  }
  return at === end
}
