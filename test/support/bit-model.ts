/** Bits as an array of zeros and ones, the plainest way there is: the measure for what works on words. */
import type { BitOperation } from "../../src/projections/memory/bits.ts"

export type Bits = Array<number>

/** The bits of some bytes, the highest of the first byte first. */
export const bitsOf = (bytes: Uint8Array): Bits =>
  [...bytes].flatMap((byte) => Array.from({ length: 8 }, (_, i) => (byte >> (7 - i)) & 1))

/** Whole bytes of bits. */
export const bytesOf = (bits: Bits): Buffer =>
  Buffer.from(
    Array.from({ length: Math.ceil(bits.length / 8) }, (_, i) =>
      Array.from({ length: 8 }, (_, n) => bits[i * 8 + n] ?? 0).reduce((byte, bit) => byte * 2 + bit, 0))
  )

const sum = (bits: Bits): number => bits.reduce((total, bit) => total + bit, 0)

/** What an operation makes of one bit of each source. */
const combinedBit: Record<BitOperation, (bits: Bits) => boolean> = {
  AND: (bits) => sum(bits) === bits.length,
  OR: (bits) => sum(bits) > 0,
  XOR: (bits) => sum(bits) % 2 === 1,
  NOT: (bits) => sum(bits) === 0,
  DIFF: ([first, ...others]) => first === 1 && sum(others) === 0,
  DIFF1: ([first, ...others]) => first !== 1 && sum(others) > 0,
  ANDOR: ([first, ...others]) => first === 1 && sum(others) > 0,
  ONE: (bits) => sum(bits) === 1
}

/** BITOP. */
export const combined = (operation: BitOperation, sources: ReadonlyArray<Uint8Array>): Buffer => {
  const all = sources.map(bitsOf)
  const length = Math.max(0, ...all.map((bits) => bits.length))
  return bytesOf(
    Array.from({ length }, (_, i) => combinedBit[operation](all.map((bits) => bits[i] ?? 0)) ? 1 : 0)
  )
}
