/**
 * The glob patterns of KEYS, SCAN, CONFIG GET, PSUBSCRIBE and ACL rules, byte for byte as Redis reads them:
 *
 * ```
 * *        any bytes, also none     ?        any one byte
 * [a-z0]   one of these             [^…]     one that is not among them
 * \x       x itself, in and out of brackets; a lone one at the very end stands for itself
 * ```
 *
 * Redis's reading of the unusual, kept: an unclosed bracket ends where the pattern ends (`[^` is any byte, `[` none);
 * `[a-]` is a range from a to the bracket; a range may stand backwards; ranges compare signed bytes (those from 0x80 on
 * come before NUL); and an empty text is matched by the empty pattern only, not even by `*`.
 *
 * Matching goes back only to the last `*` met: what earlier ones took can never need to change, because a longer take
 * leaves the rest less text. The cost is at most the product of both lengths, never exponential.
 */
import type { Slice } from "../memory/slice.ts"

const star = 42 // *
const question = 63 // ?
const open = 91 // [
const backslash = 92 // \
const close = 93 // ]
const caret = 94 // ^
const dash = 45 // -

const lower = (byte: number): number => byte >= 65 && byte <= 90 ? byte + 32 : byte

/** A byte as the signed char by which Redis compares the ends of a range. */
const signed = (byte: number): number => (byte << 24) >> 24

// What `matchOne` found, beside its answer: where the pattern goes on. A field instead of an allocated pair.
let following = 0

/** Whether `byte` fits the pattern's element at `at`, which is not a star; sets `following`. */
const matchOne = (pattern: Uint8Array, at: number, end: number, byte: number, fold: boolean): boolean => {
  const element = pattern[at]!
  if (element === question) {
    following = at + 1
    return true
  }
  if (element === open) return matchClass(pattern, at + 1, end, byte, fold)
  if (element === backslash && at + 1 < end) at++
  following = at + 1
  const wanted = pattern[at]!
  return wanted === byte || (fold && lower(wanted) === lower(byte))
}

/** Whether `byte` is in the class whose content begins at `at`, after the bracket. */
const matchClass = (pattern: Uint8Array, at: number, end: number, byte: number, fold: boolean): boolean => {
  const negated = at < end && pattern[at] === caret
  if (negated) at++
  let found = false
  while (at < end) {
    const first = pattern[at]!
    if (first === backslash && at + 1 < end) {
      // After a backslash letters count as they are, also where the rest folds them: so Redis has it.
      if (pattern[at + 1] === byte) found = true
      at += 2
    } else if (first === close) {
      at++
      break
    } else if (at + 2 < end && pattern[at + 1] === dash) {
      if (inRange(first, pattern[at + 2]!, byte, fold)) found = true
      at += 3
    } else {
      if (first === byte || (fold && lower(first) === lower(byte))) found = true
      at++
    }
  }
  following = at
  return found !== negated
}

const inRange = (first: number, last: number, byte: number, fold: boolean): boolean => {
  let low = signed(first)
  let high = signed(last)
  if (low > high) {
    const swap = low
    low = high
    high = swap
  }
  let value = signed(byte)
  if (fold) {
    low = lower(low)
    high = lower(high)
    value = lower(value)
  }
  return value >= low && value <= high
}

const match = (pattern: Slice, text: Slice, fold: boolean): boolean => {
  const p = pattern.bytes
  const t = text.bytes
  const end = pattern.start + pattern.length
  const textEnd = text.start + text.length
  if (text.length === 0) return pattern.length === 0
  let at = pattern.start
  let read = text.start
  // Where to go on when what follows the last star does not fit: one byte further into the text.
  let afterStar = -1
  let taken = 0
  while (read < textEnd) {
    if (at < end && p[at] === star) {
      do at++
      while (at < end && p[at] === star)
      if (at === end) return true
      afterStar = at
      taken = read
    } else if (at < end && matchOne(p, at, end, t[read]!, fold)) {
      at = following
      read++
    } else {
      if (afterStar < 0) return false
      at = afterStar
      read = ++taken
    }
  }
  while (at < end && p[at] === star) at++
  return at === end
}

/** Whether the whole text matches the pattern. */
export const matchGlob = (pattern: Slice, text: Slice): boolean => match(pattern, text, false)

/** The same, ASCII letters in any case. */
export const matchGlobAnyCase = (pattern: Slice, text: Slice): boolean => match(pattern, text, true)

/** Whether the pattern matches every text but the empty one, and by Redis's KEYS and SCAN is taken to match that too. */
export const matchesEverything = (pattern: Slice): boolean =>
  pattern.length === 1 && pattern.bytes[pattern.start] === star

/** Whether the pattern has no special byte: it matches itself and nothing else. */
export const isLiteral = (pattern: Slice): boolean => {
  for (let i = 0; i < pattern.length; i++) {
    const byte = pattern.bytes[pattern.start + i]!
    if (byte === star || byte === question || byte === open || byte === backslash) return false
  }
  return true
}
