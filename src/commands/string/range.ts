/** Parts of a string: reading, overwriting, adding at the end. */
import { type Reply, ReplyError } from "../../net/resp/reply.ts"
import { Slice } from "../../projections/memory/slice.ts"
import { int64 } from "../arguments.ts"
import type { Decision } from "../decision.ts"
import { type Argv, defineCommand, firstKey } from "../define.ts"
import { errors } from "../errors.ts"
import { stringAppended } from "../reused-events.ts"
import { readable } from "./value.ts"

/** No string grows beyond this many bytes, whatever `proto-max-bulk-len` says. */
export const maximumStringBytes = 512 * 1024 * 1024

const badOffset = new ReplyError("ERR offset is out of range")
const empty = new Slice()

/** A position in a text of `length` bytes: counted from the end when negative, never before the start. */
const position = (index: number | bigint, length: number): number =>
  Math.max(0, Number(index) < 0 ? Number(index) + length : Number(index))

const substring = (d: Decision, argv: Argv): Reply => {
  const first = int64(argv.at(2))
  const last = int64(argv.at(3))
  const p = readable(d, argv.at(1))
  if (p === 0) return empty
  const text = d.text(p)
  if (first < 0 && last < 0 && first > last) return empty
  const from = position(first, text.length)
  const to = Math.min(position(last, text.length), text.length - 1)
  return from > to ? empty : text.set(text.bytes, text.start + from, to - from + 1)
}

const substringComplexity = "O(N), N being the bytes answered"

export const getrange = defineCommand({
  name: "GETRANGE",
  since: "2.4.0",
  group: "string",
  summary: "Answers the part of a key's string between two positions; negative ones count from its end.",
  complexity: substringComplexity,
  syntax: "key start end",
  arity: 4,
  flags: ["readonly"],
  keys: firstKey("RO", "access"),
  decide: substring
})

export const substr = defineCommand({
  name: "SUBSTR",
  since: "1.0.0",
  group: "string",
  summary: "Answers the part of a key's string between two positions; the former name of GETRANGE.",
  complexity: substringComplexity,
  syntax: "key start end",
  arity: 4,
  flags: ["readonly"],
  keys: firstKey("RO", "access"),
  deprecated: { since: "2.0.0", replacedBy: "`GETRANGE`" },
  decide: substring
})

export const setrange = defineCommand({
  name: "SETRANGE",
  since: "2.2.0",
  group: "string",
  summary: "Overwrites a key's string from a position on; zero bytes fill the gap when it lies behind the end.",
  complexity: "O(N), N being the bytes written, or those of the whole string when it has to move to a larger place",
  syntax: "key offset value",
  arity: 4,
  flags: ["write", "denyoom"],
  keys: firstKey("RW", "update"),
  decide: (d, argv) => {
    const key = argv.at(1)
    const offset = int64(argv.at(2))
    const value = argv.at(3)
    if (offset < 0) throw badOffset
    const p = d.lookup(key)
    if (p !== 0) d.expectString(p)
    const length = p === 0 ? 0 : d.text(p).length
    if (value.length === 0) return length
    if (typeof offset === "bigint" || offset + value.length > d.stringLimit) throw errors.stringTooLong
    d.emit({ _tag: "StringRangeSet", key, offset, value })
    return Math.max(length, offset + value.length)
  }
})

export const append = defineCommand({
  name: "APPEND",
  since: "2.0.0",
  group: "string",
  summary: "Adds bytes at the end of a key's string; an absent key counts as empty.",
  complexity: "O(N), N being the bytes added, or those of the whole string when it has to move to a larger place",
  syntax: "key value",
  arity: 3,
  flags: ["write", "denyoom", "fast"],
  keys: firstKey("RW", "insert"),
  decide: (d, argv) => {
    const key = argv.at(1)
    const suffix = argv.at(2)
    const p = d.lookup(key)
    if (p !== 0) d.expectString(p)
    const length = (p === 0 ? 0 : d.text(p).length) + suffix.length
    // An absent key takes what came, as in Redis: no word is longer than the limit it met when it arrived.
    if (p !== 0 && length > d.stringLimit) throw errors.stringTooLong
    d.emit(stringAppended(key, suffix))
    return length
  }
})
