/** Counting and finding bits in a part of a string. */
import { ReplyError } from "../../net/resp/reply.ts"
import { countOnes, findBit } from "../../projections/memory/bits.ts"
import type { Slice } from "../../projections/memory/slice.ts"
import { int64, isWord } from "../arguments.ts"
import { defineCommand, firstKey } from "../define.ts"
import { errors } from "../errors.ts"
import { readable } from "../string/value.ts"

/** Whether the word says that positions are those of bits, not of bytes. */
const countsBits = (unit: Slice): boolean => {
  if (isWord(unit, "BIT")) return true
  if (isWord(unit, "BYTE")) return false
  throw errors.syntax
}

/** A position counted from the end when negative, and never before the start. */
const position = (index: number | bigint, length: number): number =>
  Math.max(0, Number(index) < 0 ? Number(index) + length : Number(index))

/** The ones among the bits from `from` to `to`, both included, counted from the start of the text. */
const onesBetween = (text: Slice, from: number, to: number): number => {
  const { bytes, start } = text
  const first = start + Math.floor(from / 8)
  const last = start + Math.floor(to / 8)
  let count = countOnes(bytes, first, last + 1)
  // The bits of the outer bytes that do not belong to the range.
  for (let byte = bytes[first]! & ~(0xff >>> (from % 8)); byte !== 0; byte &= byte - 1) count--
  for (let byte = bytes[last]! & (0x7f >>> (to % 8)); byte !== 0; byte &= byte - 1) count--
  return count
}

export const bitcount = defineCommand({
  name: "BITCOUNT",
  since: "2.6.0",
  group: "bitmap",
  summary: "Counts the ones in the string at a key, or in the part of it between two positions.",
  complexity: "O(N), N being the bytes looked at",
  syntax: "key [index: start end [index_unit: BYTE | BIT]@7.0.0]",
  history: [["7.0.0", "`BYTE` and `BIT`."]],
  arity: -2,
  flags: ["readonly"],
  keys: firstKey("RO", "access"),
  decide: (d, argv) => {
    // As in 7.0, of an absent key the other words are not looked at.
    const p = readable(d, argv.at(1))
    if (p === 0) return 0
    const text = d.text(p)
    if (argv.length === 2) return countOnes(text.bytes, text.start, text.start + text.length)
    if (argv.length !== 4 && argv.length !== 5) throw errors.syntax
    const first = int64(argv.at(2))
    const last = int64(argv.at(3))
    if (first < 0 && last < 0 && first > last) return 0
    const inBits = argv.length === 5 && countsBits(argv.at(4))
    const total = inBits ? text.length * 8 : text.length
    const from = position(first, total)
    const to = Math.min(position(last, total), total - 1)
    if (from > to) return 0
    return inBits
      ? onesBetween(text, from, to)
      : countOnes(text.bytes, text.start + from, text.start + to + 1)
  }
})

const badBit = new ReplyError("ERR The bit argument must be 1 or 0.")

export const bitpos = defineCommand({
  name: "BITPOS",
  since: "2.8.7",
  group: "bitmap",
  summary: "Answers where the first one, or the first zero, stands in the string at a key or in a part of it.",
  complexity: "O(N), N being the bytes looked at",
  syntax: "key bit [index: start [end_index: end [index_unit: BYTE | BIT]@7.0.0]]",
  history: [["7.0.0", "`BYTE` and `BIT`."]],
  arity: -3,
  flags: ["readonly"],
  keys: firstKey("RO", "access"),
  decide: (d, argv) => {
    const bit = int64(argv.at(2))
    if (bit !== 0 && bit !== 1) throw badBit
    const p = readable(d, argv.at(1))
    // An absent key is zeros without an end.
    if (p === 0) return bit === 0 ? 0 : -1
    const text = d.text(p)
    if (argv.length > 6) throw errors.syntax
    const first = argv.length > 3 ? int64(argv.at(3)) : 0
    const inBits = argv.length === 6 && countsBits(argv.at(5))
    const total = inBits ? text.length * 8 : text.length
    const last = argv.length > 4 ? int64(argv.at(4)) : total - 1
    const from = position(first, total)
    const to = Math.min(position(last, total), total - 1)
    if (from > to) return -1
    const found = inBits
      ? findBit(text.bytes, text.start, bit, from, to)
      : findBit(text.bytes, text.start, bit, from * 8, to * 8 + 7)
    // Who names no end looks for a zero behind the end of the string, too.
    return found < 0 && bit === 0 && argv.length < 5 ? text.length * 8 : found
  }
})
