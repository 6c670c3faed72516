/** Conditions on what a key holds, as SET and DELEX take them. */
import { ReplyError } from "../../net/resp/reply.ts"
import { equalBytes, type Slice } from "../../projections/memory/slice.ts"
import { xxh3Hex } from "../../projections/structures/xxh3.ts"
import { isWord } from "../arguments.ts"

/** The conditions, 0 for none. */
export const Condition = {
  none: 0,
  nx: 1,
  xx: 2,
  ifEqual: 3,
  ifNotEqual: 4,
  ifDigestEqual: 5,
  ifDigestNotEqual: 6
} as const

/** NX or XX, `Condition.none` for other words. */
export const existenceOf = (option: Slice): number => {
  if (option.length !== 2) return Condition.none
  if (isWord(option, "NX")) return Condition.nx
  return isWord(option, "XX") ? Condition.xx : Condition.none
}

/** IFEQ, IFNE, IFDEQ or IFDNE, each followed by what to compare with; `Condition.none` for other words. */
export const comparisonOf = (option: Slice): number => {
  if (option.length === 4) {
    if (isWord(option, "IFEQ")) return Condition.ifEqual
    if (isWord(option, "IFNE")) return Condition.ifNotEqual
  } else if (option.length === 5) {
    if (isWord(option, "IFDEQ")) return Condition.ifDigestEqual
    if (isWord(option, "IFDNE")) return Condition.ifDigestNotEqual
  }
  return Condition.none
}

const badDigest = new ReplyError("ERR must be exactly 16 hexadecimal characters")
const digestLength = 16

/** Whether a present string meets a comparison. A digest is compared in any case; only its length is checked. */
export const meets = (condition: number, current: Slice, match: Slice): boolean => {
  switch (condition) {
    case Condition.ifEqual:
      return sameText(current, match)
    case Condition.ifNotEqual:
      return !sameText(current, match)
    default: {
      if (match.length !== digestLength) throw badDigest
      const equal = xxh3Hex(current) === match.latin1().toLowerCase()
      return equal === (condition === Condition.ifDigestEqual)
    }
  }
}

/** Whether an absent key meets a condition: what it holds then differs from everything. */
export const absentMeets = (condition: number): boolean =>
  condition === Condition.none || condition === Condition.nx || condition === Condition.ifNotEqual
  || condition === Condition.ifDigestNotEqual

const sameText = (a: Slice, b: Slice): boolean =>
  a.length === b.length && equalBytes(a.bytes, a.start, b.bytes, b.start, a.length)
