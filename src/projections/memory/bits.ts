/**
 * Counting, finding and combining bits in runs of bytes. Bit 0 is the highest bit of the first byte, as in SETBIT. What
 * costs time in the length goes word by word or through the loops of bit-kernel.ts; where a run begins in its buffer makes
 * no difference.
 */
import { accumulator, areas, chunkBytes, loops, operandAt, repeatedAt, stepBytes } from "./bit-kernel.ts"
import { copyBytes, type Slice } from "./slice.ts"

/** Below this many bytes a loop of JavaScript is done before the other has its bytes copied. */
const shortBytes = 48

const onesOfByte = (byte: number): number => {
  const pairs = byte - ((byte >>> 1) & 0x55)
  const nibbles = (pairs & 0x33) + ((pairs >>> 2) & 0x33)
  return (nibbles + (nibbles >>> 4)) & 0x0f
}

const toSteps = (length: number): number => Math.ceil(length / stepBytes) * stepBytes

/** The ones in the bytes from `from` to before `to`. */
export const countOnes = (bytes: Uint8Array, from: number, to: number): number => {
  let count = 0
  if (to - from < shortBytes) {
    for (let i = from; i < to; i++) count += onesOfByte(bytes[i]!)
    return count
  }
  for (let at = from; at < to; at += chunkBytes) {
    const length = Math.min(chunkBytes, to - at)
    copyBytes(areas, 0, bytes, at, length)
    const steps = toSteps(length)
    if (steps > length) areas.fill(0, length, steps)
    count += loops.count(steps)
  }
  return count
}

/** The first of the bytes from `from` to before `to` that is not `byte` (0x00 or 0xff); `to` when all are. */
const firstOther = (bytes: Uint8Array, from: number, to: number, byte: number): number => {
  let at = from
  const aligned = from + (-(bytes.byteOffset + from) & 3)
  if (to - aligned >= shortBytes) {
    while (at < aligned) if (bytes[at++] !== byte) return at - 1
    const words = new Int32Array(bytes.buffer, bytes.byteOffset + aligned, (to - aligned) >>> 2)
    const word = byte === 0 ? 0 : -1
    let i = 0
    for (const last = words.length - 3; i < last; i += 4) {
      if (words[i] !== word || words[i + 1] !== word || words[i + 2] !== word || words[i + 3] !== word) break
    }
    at = aligned + i * 4
  }
  while (at < to && bytes[at] === byte) at++
  return at
}

/** Of a byte whose bits from `first` to 7 count, the place of the first one; 8 and more when there is none. */
const firstOne = (byte: number): number => Math.clz32(byte) - 24

/**
 * The place of the first bit that is `bit`, counted from bit 0 of the byte at `start`, among those from `from` to `to`,
 * both included; -1 when there is none.
 */
export const findBit = (bytes: Uint8Array, start: number, bit: number, from: number, to: number): number => {
  const byte = bit === 1 ? 0x00 : 0xff // a byte to go past; flipped by it, a byte has ones where the bits wanted are
  const firstByte = Math.floor(from / 8)
  const lastByte = Math.floor(to / 8)
  const lastMask = 0xff & (0xff << (7 - to % 8))
  let first = (bytes[start + firstByte]! ^ byte) & (0xff >>> (from % 8))
  if (firstByte === lastByte) first &= lastMask
  if (first !== 0) return firstByte * 8 + firstOne(first)
  if (firstByte === lastByte) return -1
  const at = firstOther(bytes, start + firstByte + 1, start + lastByte, byte) - start
  const found = (bytes[start + at]! ^ byte) & (at === lastByte ? lastMask : 0xff)
  return found === 0 ? -1 : at * 8 + firstOne(found)
}

/** The operations of BITOP, under the names Redis gives them. The index is the number on disk: append only. */
export const bitOperations = ["AND", "OR", "XOR", "NOT", "DIFF", "DIFF1", "ANDOR", "ONE"] as const
export type BitOperation = typeof bitOperations[number]

/** Puts the bytes of a source from `at` on into an area, zeros where it has no more. */
const fetch = (area: number, source: Slice | undefined, at: number, length: number): void => {
  const present = source === undefined ? 0 : Math.max(0, Math.min(length, source.length - at))
  if (present > 0) copyBytes(areas, area, source!.bytes, source!.start + at, present)
  if (present < length) areas.fill(0, area + present, area + length)
}

/** What is done with each operand after the first; NOT has none. */
const stepOf = {
  AND: loops.and,
  OR: loops.or,
  XOR: loops.xor,
  NOT: loops.or,
  DIFF: loops.without,
  DIFF1: loops.or,
  ANDOR: loops.or,
  ONE: loops.meet
} as const satisfies Record<BitOperation, (length: number) => void>

/**
 * Writes `length` bytes from `at` on: the first `count` of `sources`, combined bit by bit, those that are shorter ending in
 * zeros. The target may be one of the sources, at the same place.
 */
export const combineBits = (
  operation: BitOperation,
  sources: ReadonlyArray<Slice>,
  count: number,
  target: Uint8Array,
  at: number,
  length: number
): void => {
  // DIFF1 and ANDOR bring all others together first and meet the first source last.
  const firstIsLast = operation === "DIFF1" || operation === "ANDOR"
  const step = stepOf[operation]
  for (let from = 0; from < length; from += chunkBytes) {
    const part = Math.min(chunkBytes, length - from)
    const steps = toSteps(part)
    const begin = firstIsLast ? 1 : 0
    fetch(0, begin < count ? sources[begin] : undefined, from, part)
    if (operation === "ONE") areas.fill(0, repeatedAt, repeatedAt + part)
    for (let i = begin + 1; i < count; i++) {
      fetch(operandAt, sources[i], from, part)
      step(steps)
    }
    if (firstIsLast) {
      fetch(operandAt, sources[0], from, part)
      if (operation === "DIFF1") loops.without(steps)
      else loops.and(steps)
    } else if (operation === "NOT") loops.not(steps)
    else if (operation === "ONE") loops.withoutRepeated(steps)
    if (part === chunkBytes) target.set(accumulator, at + from)
    else copyBytes(target, at + from, accumulator, 0, part)
  }
}
