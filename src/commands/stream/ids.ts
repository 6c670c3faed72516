/** Ids of stream entries in requests and replies. */
import { ReplyError } from "../../net/resp/reply.ts"
import { Slice } from "../../projections/memory/slice.ts"
import {
  advance,
  greatestId,
  idTextBytes,
  leastId,
  parseId,
  retreat,
  SequenceForm,
  StreamId,
  writeId
} from "../../projections/memory/stream-id.ts"
import { shown } from "../arguments.ts"

/** What is said of a text that is no id where one must stand. */
export const invalidId = new ReplyError("ERR Invalid stream ID specified as stream command argument")
const invalidStart = new ReplyError("ERR invalid start ID for the interval")
const invalidEnd = new ReplyError("ERR invalid end ID for the interval")

const { given, missing, star } = SequenceForm
/** Longer texts are no ids, whatever they say. */
const longest = 127
const dash = 0x2d
const plus = 0x2b
const parenthesis = 0x28

/** Whether an argument is this one character. */
export const isCharacter = ({ bytes, length, start }: Slice, code: number): boolean =>
  length === 1 && bytes[start] === code

const wrap = 1n << 64n
const canonical = /^-?[1-9]\d*$/
const loose = /^[ \t\n\v\f\r]*([+-]?)(\d+)$/

/**
 * An unsigned 64-bit integer as C reads it where Redis does: blanks, a sign and zeros may come first, and what is negative
 * counts down from 2^64, unless it is written plainly and fits 64 bits with a sign.
 */
const looseUnsigned = (text: string): bigint | undefined => {
  if (canonical.test(text) && text[0] === "-" && BigInt(text) >= -(wrap >> 1n)) return undefined
  const parts = loose.exec(text)
  if (parts === null) return undefined
  const size = BigInt(parts[2]!)
  if (size >= wrap) return undefined
  return parts[1] === "-" ? BigInt.asUintN(64, -size) : size
}

/** Reads what the quick way refuses; returns one of `SequenceForm`, or -1. */
const parseLoosely = (arg: Slice, into: StreamId): number => {
  const text = shown(arg)
  const at = text.indexOf("-")
  const ms = looseUnsigned(at < 0 ? text : text.slice(0, at))
  if (ms === undefined) return -1
  const rest = text.slice(at + 1)
  const seq = at < 0 || rest === "*" ? 0n : looseUnsigned(rest)
  if (seq === undefined) return -1
  into.from(StreamId.of(ms, seq))
  return at < 0 ? missing : rest === "*" ? star : given
}

/** Reads an id that may end in `-*`; returns one of `SequenceForm`, or -1. */
export const parseAnyId = (arg: Slice, into: StreamId): number => {
  if (arg.length > longest) return -1
  const form = parseId(arg, into)
  return form < 0 ? parseLoosely(arg, into) : form
}

/** Whether an argument is an id; without a sequence number it is that of 0. */
export const isId = (arg: Slice, into: StreamId): boolean => {
  const form = parseAnyId(arg, into)
  return form === given || form === missing
}

/** Reads an id: without a sequence number that of 0. Refuses what is none. */
export const idAt = (arg: Slice, into: StreamId): StreamId => {
  if (!isId(arg, into)) throw invalidId
  return into
}

/** Like `idAt`, where `-` and `+` stand for the least and the greatest id. */
export const looseId = (arg: Slice, into: StreamId): StreamId => {
  if (isCharacter(arg, dash)) return into.from(leastId)
  if (isCharacter(arg, plus)) return into.from(greatestId)
  return idAt(arg, into)
}

const inner = new Slice()

/** Reads one end of a range; returns whether it is excluded. Without a sequence number it is `sequence`'s. */
const readEnd = (arg: Slice, into: StreamId, sequence: StreamId): boolean => {
  const excluded = arg.length > 1 && arg.bytes[arg.start] === parenthesis
  if (!excluded && isCharacter(arg, dash)) into.from(leastId)
  else if (!excluded && isCharacter(arg, plus)) into.from(greatestId)
  else {
    const form = parseAnyId(excluded ? inner.set(arg.bytes, arg.start + 1, arg.length - 1) : arg, into)
    if (form !== given && form !== missing) throw invalidId
    if (form === missing) into.set(into.msHigh, into.msLow, sequence.seqHigh, sequence.seqLow)
  }
  return excluded
}

/** The first id of a range, which `(` excludes. */
export const rangeStart = (arg: Slice, into: StreamId): StreamId => {
  if (readEnd(arg, into, leastId) && !advance(into)) throw invalidStart
  return into
}

/** The last id of a range, which `(` excludes. */
export const rangeEnd = (arg: Slice, into: StreamId): StreamId => {
  if (readEnd(arg, into, greatestId) && !retreat(into)) throw invalidEnd
  return into
}

const text = new Uint8Array(idTextBytes)
const textSlice = new Slice()

/** The text of an id, until the next one is asked for: good as the whole reply of a command. */
export const idText = (id: StreamId): Slice => textSlice.set(text, 0, writeId(text, 0, id))
