/**
 * Ids of stream entries: two unsigned 64-bit integers, milliseconds and a sequence number, compared in this order. Each
 * is kept as two words, because neither a number nor, on a hot path, a bigint will do.
 */
import type { Slice } from "./slice.ts"

const wordSpan = 0x1_0000_0000
const topWord = 0xffff_ffff

/** An id. Reused like slices: whoever keeps one copies it. */
export class StreamId {
  msHigh: number
  msLow: number
  seqHigh: number
  seqLow: number

  /** @param msHigh all words are u32 */
  constructor(msHigh = 0, msLow = 0, seqHigh = 0, seqLow = 0) {
    this.msHigh = msHigh
    this.msLow = msLow
    this.seqHigh = seqHigh
    this.seqLow = seqLow
  }

  /** Takes these words and returns itself. */
  set(msHigh: number, msLow: number, seqHigh: number, seqLow: number): this {
    this.msHigh = msHigh
    this.msLow = msLow
    this.seqHigh = seqHigh
    this.seqLow = seqLow
    return this
  }

  /** Becomes equal to another id and returns itself. */
  from(other: StreamId): this {
    return this.set(other.msHigh, other.msLow, other.seqHigh, other.seqLow)
  }

  /** Takes two integers below 2^53 and returns itself. */
  fromNumbers(ms: number, seq: number): this {
    return this.set(Math.floor(ms / wordSpan), ms >>> 0, Math.floor(seq / wordSpan), seq >>> 0)
  }

  copy(): StreamId {
    return new StreamId(this.msHigh, this.msLow, this.seqHigh, this.seqLow)
  }

  /** Whether it is 0-0, which no entry has. */
  get isZero(): boolean {
    return (this.msHigh | this.msLow | this.seqHigh | this.seqLow) === 0
  }

  /** The milliseconds, rounded when they are 2^53 or more. */
  get ms(): number {
    return this.msHigh * wordSpan + this.msLow
  }

  /** `<ms>-<seq>`. Not for the hot path: there is `writeId`. */
  toString(): string {
    return `${wide(this.msHigh, this.msLow)}-${wide(this.seqHigh, this.seqLow)}`
  }

  static of(ms: number | bigint, seq: number | bigint): StreamId {
    const word = (value: number | bigint, shift: bigint): number => Number((BigInt(value) >> shift) & 0xffff_ffffn)
    return new StreamId(word(ms, 32n), word(ms, 0n), word(seq, 32n), word(seq, 0n))
  }
}

/** The least and the greatest id. Not to be changed. */
export const leastId = new StreamId()
export const greatestId = new StreamId(topWord, topWord, topWord, topWord)

const wide = (high: number, low: number): number | bigint =>
  high < 0x20_0000 ? high * wordSpan + low : (BigInt(high) << 32n) | BigInt(low)

/** Negative, zero or positive as `a` is less than, equal to or greater than `b`. */
export const compareIds = (a: StreamId, b: StreamId): number => {
  if (a.msHigh !== b.msHigh) return a.msHigh < b.msHigh ? -1 : 1
  if (a.msLow !== b.msLow) return a.msLow < b.msLow ? -1 : 1
  if (a.seqHigh !== b.seqHigh) return a.seqHigh < b.seqHigh ? -1 : 1
  return a.seqLow === b.seqLow ? 0 : a.seqLow < b.seqLow ? -1 : 1
}

/** Moves an id on to the next one; false, and nothing has changed, when it is the greatest. */
export const advance = (id: StreamId): boolean => {
  if (id.seqLow !== topWord) id.seqLow++
  else if (id.seqHigh !== topWord) id.set(id.msHigh, id.msLow, id.seqHigh + 1, 0)
  else if (id.msLow !== topWord) id.set(id.msHigh, id.msLow + 1, 0, 0)
  else if (id.msHigh !== topWord) id.set(id.msHigh + 1, 0, 0, 0)
  else return false
  return true
}

/** Moves an id back to the one before; false, and nothing has changed, when it is 0-0. */
export const retreat = (id: StreamId): boolean => {
  if (id.seqLow !== 0) id.seqLow--
  else if (id.seqHigh !== 0) id.set(id.msHigh, id.msLow, id.seqHigh - 1, topWord)
  else if (id.msLow !== 0) id.set(id.msHigh, id.msLow - 1, topWord, topWord)
  else if (id.msHigh !== 0) id.set(id.msHigh - 1, topWord, topWord, topWord)
  else return false
  return true
}

/** The two words of the unsigned integer that was parsed last. */
const parsed = new Uint32Array(2)

/** Reads decimal digits only, up to 2^64 - 1, into `parsed`; leading zeros are allowed. */
const parseUnsigned = (bytes: Uint8Array, start: number, end: number): boolean => {
  if (start === end) return false
  let high = 0
  let low = 0
  for (let at = start; at < end; at++) {
    const digit = bytes[at]! - 48
    if (digit < 0 || digit > 9) return false
    const next = low * 10 + digit
    low = next >>> 0
    high = high * 10 + Math.floor(next / wordSpan)
    if (high > topWord) return false
  }
  parsed[0] = high
  parsed[1] = low
  return true
}

/** What stands where the text names no sequence number. */
export const SequenceForm = { given: 0, missing: 1, star: 2 } as const

/**
 * Reads `<ms>`, `<ms>-<seq>` or `<ms>-*` into an id, with a sequence number of 0 where none is given. Returns one of
 * `SequenceForm`, or -1 when the text is none of these; it knows nothing of `-`, `+`, `$`, `>`, `*` and `(`.
 */
export const parseId = ({ bytes, length, start }: Slice, into: StreamId): number => {
  const end = start + length
  let dash = start
  while (dash < end && bytes[dash] !== 0x2d) dash++
  if (!parseUnsigned(bytes, start, dash)) return -1
  into.set(parsed[0]!, parsed[1]!, 0, 0)
  if (dash === end) return SequenceForm.missing
  if (dash + 2 === end && bytes[dash + 1] === 0x2a) return SequenceForm.star
  if (!parseUnsigned(bytes, dash + 1, end)) return -1
  into.seqHigh = parsed[0]!
  into.seqLow = parsed[1]!
  return SequenceForm.given
}

/** Most bytes the text of an id takes. */
export const idTextBytes = 41

const half = 100_000_000

/** Writes an integer below 2^31; returns the position after it. */
const writeSmall = (out: Uint8Array, at: number, value: number): number => {
  let end = at + 1
  for (let bound = 10; value >= bound; bound *= 10) end++
  for (let i = end - 1; i >= at; i--) {
    const tenth = (value / 10) | 0
    out[i] = 48 + value - tenth * 10
    value = tenth
  }
  return end
}

const writeUnsigned = (out: Uint8Array, at: number, high: number, low: number): number => {
  if (high === 0 && low < half) return writeSmall(out, at, low)
  if (high < 0x20_0000) {
    // Eight digits at a time fit into 31 bits, whose arithmetic is faster.
    const value = high * wordSpan + low
    const upper = Math.floor(value / half)
    let lower = value - upper * half
    const end = writeSmall(out, at, upper) + 8
    for (let i = end - 1; i >= end - 8; i--) {
      const tenth = (lower / 10) | 0
      out[i] = 48 + lower - tenth * 10
      lower = tenth
    }
    return end
  }
  const text = wide(high, low).toString()
  for (let i = 0; i < text.length; i++) out[at + i] = text.charCodeAt(i)
  return at + text.length
}

/** The milliseconds that were written last: one id after another often has the same. */
const written = new Uint8Array(idTextBytes)
let writtenHigh = 0
let writtenLow = 0
let writtenLength = writeSmall(written, 0, 0)

/** Writes `<ms>-<seq>` at `at`, at most `idTextBytes`, and returns the position after it. */
export const writeId = (out: Uint8Array, at: number, id: StreamId): number => {
  if (id.msLow !== writtenLow || id.msHigh !== writtenHigh) {
    writtenHigh = id.msHigh
    writtenLow = id.msLow
    writtenLength = writeUnsigned(written, 0, writtenHigh, writtenLow)
  }
  for (let i = 0; i < writtenLength; i++) out[at + i] = written[i]!
  const dash = at + writtenLength
  out[dash] = 0x2d
  return writeUnsigned(out, dash + 1, id.seqHigh, id.seqLow)
}
