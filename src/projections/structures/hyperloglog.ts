/**
 * A HyperLogLog: how many different elements a set has, give or take 0.81 %, in at most 12 KiB (Flajolet, Fusy, Gandouet,
 * Meunier 2007; with a hash of 64 bits, Heule, Nunkesser, Hall 2013). It is an ordinary string, laid out byte for byte as
 * Redis stores it, so that GET, SET, DUMP and RESTORE carry it from one server to the other.
 *
 * ```
 * byte 0    "HYLL"
 * byte 4    encoding: 0 dense, 1 sparse
 * byte 5    three bytes without a meaning
 * byte 8    the estimate made last, u64, little-endian; its highest bit set: out of date
 * byte 16   dense: 16384 registers of 6 bits, the lowest bits first, 12288 bytes
 *           sparse: runs of registers, see hyperloglog-sparse.ts
 * ```
 *
 * An element's hash chooses a register by its lowest 14 bits; the zeros that follow in the other 50, and one, are its
 * rank (1 to 51). A register holds the highest rank it has met.
 */
import type { Slice } from "../memory/slice.ts"

export const headerBytes = 16
export const registerCount = 16384
/** Length of a dense value, header included. */
export const denseBytes = headerBytes + registerCount / 4 * 3
/** The highest rank an element can have; a dense register can hold more, 63, if somebody writes that into the string. */
export const maximumRank = 51

/** Where the encoding stands in the header. */
export const encodingByte = 4
export const Encoding = { dense: 0, sparse: 1 } as const
/** Where the last estimate stands in the header: eight bytes. */
export const estimateByte = 8
/** The byte whose highest bit says that the estimate is out of date. */
export const staleByte = 15
export const staleBit = 0x80

/** Whether a string has the header of a HyperLogLog and, when that is dense, its length. The runs are not looked at. */
export const isHyperLogLog = ({ bytes, length, start }: Slice): boolean =>
  length >= headerBytes && bytes[start] === 0x48 && bytes[start + 1] === 0x59 && bytes[start + 2] === 0x4c &&
  bytes[start + 3] === 0x4c &&
  (bytes[start + encodingByte] === Encoding.sparse ||
    (bytes[start + encodingByte] === Encoding.dense && length === denseBytes))

/** Whether the value that begins at `start` is sparse. */
export const isSparse = (bytes: Uint8Array, start: number): boolean => bytes[start + encodingByte] === Encoding.sparse

/** Whether the estimate in the header of the value at `start` may be answered as it stands. */
export const isFresh = (bytes: Uint8Array, start: number): boolean => (bytes[start + staleByte]! & staleBit) === 0

/** The estimate in a header that is fresh; a bigint beyond 2^53. */
export const storedEstimate = (bytes: Uint8Array, start: number): number | bigint => {
  const low = wordAt(bytes, start + estimateByte)
  const high = wordAt(bytes, start + estimateByte + 4)
  return high < 0x20_0000 ? high * 0x1_0000_0000 + low : BigInt(high) << 32n | BigInt(low)
}

const wordAt = (bytes: Uint8Array, at: number): number =>
  (bytes[at]! | bytes[at + 1]! << 8 | bytes[at + 2]! << 16 | bytes[at + 3]! << 24) >>> 0

/** Writes an estimate (an integer below 2^63 in a double), or the answer to one beyond, which is never fresh. */
export const writeEstimate = (bytes: Uint8Array, at: number, estimate: number): void => {
  const beyond = estimate >= estimateLimit
  writeWord(bytes, at, beyond ? 0 : estimate % 0x1_0000_0000)
  writeWord(bytes, at + 4, beyond ? 0x8000_0000 : Math.floor(estimate / 0x1_0000_0000))
}

const writeWord = (bytes: Uint8Array, at: number, word: number): void => {
  bytes[at] = word
  bytes[at + 1] = word >>> 8
  bytes[at + 2] = word >>> 16
  bytes[at + 3] = word >>> 24
}

/** Registers that nobody could have filled by adding elements have estimates that no 64-bit integer holds. */
export const estimateLimit = 2 ** 63

/** The header of a HyperLogLog without elements, its estimate out of date. */
export const writeHeader = (bytes: Uint8Array, encoding: number): void => {
  bytes.fill(0, 0, headerBytes)
  bytes[0] = 0x48
  bytes[1] = 0x59
  bytes[2] = 0x4c
  bytes[3] = 0x4c
  bytes[encodingByte] = encoding
  bytes[staleByte] = staleBit
}

// ——— dense registers ———

/** Where the first bit of a register stands, counted in bytes from the beginning of a dense value. */
export const byteOfRegister = (register: number): number => headerBytes + (register * 6 >>> 3)

/** A register of the dense value at `start`. */
export const registerAt = (bytes: Uint8Array, start: number, register: number): number => {
  const at = start + byteOfRegister(register)
  const shift = register * 6 & 7
  // The last register ends with the last byte: what is read behind it is shifted out.
  return (bytes[at]! | (shift > 2 ? bytes[at + 1]! << 8 : 0)) >>> shift & 63
}

/** Sets a register of the dense value at `start`. */
export const setRegister = (bytes: Uint8Array, start: number, register: number, rank: number): void => {
  const at = start + byteOfRegister(register)
  const shift = register * 6 & 7
  bytes[at] = (bytes[at]! & ~(63 << shift)) | rank << shift
  if (shift > 2) bytes[at + 1] = (bytes[at + 1]! & ~(63 >>> 8 - shift)) | rank >>> 8 - shift
}
