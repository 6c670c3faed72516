/**
 * Small sorted sets: a pack of member, score, member, score, … in the order of scores, then of members. A score is an
 * integer element where it is one of 64 bits, else the shortest text that reads back the same ("0.1", "1e+300", "-inf",
 * and "-0", which no integer is). Functions are over the bytes of a pack, from where its elements start to where they end.
 */
import { shortDecimal } from "./memory/decimal.ts"
import * as Pack from "./memory/pack.ts"
import { Slice } from "./memory/slice.ts"

const int64End = 2 ** 63
const text = new Slice()
const textBytes = new Uint8Array(32)
const digits = new Uint8Array(Pack.digitsBytes)
const scratch = new Slice()

const isInteger = (score: number): boolean =>
  Math.trunc(score) === score && score >= -int64End && score < int64End && (score !== 0 || 1 / score > 0)

/** Points `text` at a score that is no integer. */
const setText = (score: number): Slice => {
  const written = score === Infinity ? "inf" : score === -Infinity ? "-inf" : score === 0 ? "-0" : String(score)
  for (let i = 0; i < written.length; i++) textBytes[i] = written.charCodeAt(i)
  return text.set(textBytes, 0, written.length)
}

/** Bytes that a score takes as an element. */
export const encodedScoreSize = (score: number): number =>
  isInteger(score) ? Pack.encodedSizeOfInteger(score) : Pack.encodedSize(setText(score))

/** Writes a score as an element at `at`; returns the place after it. */
export const encodeScore = (target: Uint8Array, at: number, score: number): number =>
  isInteger(score) ? Pack.encodeInteger(target, at, score) : Pack.encode(target, at, setText(score))

const parse = (written: Slice): number => {
  const short = shortDecimal(written)
  if (short === short) return short
  const word = written.latin1()
  return word === "inf" ? Infinity : word === "-inf" ? -Infinity : Number(word)
}

/** The score that stands at `at`. */
export const scoreAt = (bytes: Uint8Array, at: number): number => {
  if (Pack.isInteger(bytes, at)) return Number(Pack.integerAt(bytes, at))
  return parse(Pack.textAt(bytes, at, scratch, digits))
}

/** Where the score of the member at `at` stands. */
export const scorePlace = (bytes: Uint8Array, at: number): number => at + Pack.sizeAt(bytes, at)

/** Bytes of the member at `at` and its score. */
export const pairSize = (bytes: Uint8Array, at: number): number => {
  const score = scorePlace(bytes, at)
  return score + Pack.sizeAt(bytes, score) - at
}

/** The member before the one at `at`, which is not the first. */
export const pairBefore = (bytes: Uint8Array, at: number): number => Pack.previous(bytes, Pack.previous(bytes, at))

/** Order of the member at `at` and a text: negative when it comes before. */
export const compareMember = (bytes: Uint8Array, at: number, member: Slice): number => {
  let from = bytes
  let start: number
  let length: number
  const first = bytes[at]!
  if (first >= 0x80 && first < 0xc0) {
    start = at + 1
    length = first & 0x3f
  } else {
    Pack.textAt(bytes, at, scratch, digits)
    from = scratch.bytes
    start = scratch.start
    length = scratch.length
  }
  const shorter = length < member.length ? length : member.length
  for (let i = 0; i < shorter; i++) {
    const d = from[start + i]! - member.bytes[member.start + i]!
    if (d !== 0) return d
  }
  return length - member.length
}

/** Where a member of this score goes among the others; the pair at `but`, if any, does not count. */
export const placeFor = (
  bytes: Uint8Array,
  start: number,
  end: number,
  score: number,
  member: Slice,
  but: number
): number => {
  let at = start
  while (at < end) {
    const scored = scorePlace(bytes, at)
    if (at !== but) {
      const other = scoreAt(bytes, scored)
      if (other > score || (other === score && compareMember(bytes, at, member) > 0)) return at
    }
    at = scored + Pack.sizeAt(bytes, scored)
  }
  return at
}

/** How many members have a lower score, or with `orEqual` a score that is not higher. */
export const countBelowScore = (
  bytes: Uint8Array,
  start: number,
  end: number,
  score: number,
  orEqual: boolean
): number => {
  let count = 0
  for (let at = start; at < end; count++) {
    const scored = scorePlace(bytes, at)
    const other = scoreAt(bytes, scored)
    if (orEqual ? other > score : other >= score) break
    at = scored + Pack.sizeAt(bytes, scored)
  }
  return count
}

/** How many members from the first on come before a text in the order of bytes, or with `orEqual` are not after it. */
export const countBelowMember = (
  bytes: Uint8Array,
  start: number,
  end: number,
  member: Slice,
  orEqual: boolean
): number => {
  let count = 0
  for (let at = start; at < end; count++) {
    const order = compareMember(bytes, at, member)
    if (orEqual ? order > 0 : order >= 0) break
    at += pairSize(bytes, at)
  }
  return count
}
