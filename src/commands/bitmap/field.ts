/** Integers of any number of bits within a string: BITFIELD and its form that only reads. */
import type { Int64 } from "../../log/events/fields.ts"
import { type Reply, ReplyError } from "../../net/resp/reply.ts"
import * as Entry from "../../projections/entry.ts"
import { parseInt64 } from "../../projections/memory/integer.ts"
import { Slice } from "../../projections/memory/slice.ts"
import { int64, isWord } from "../arguments.ts"
import type { Decision } from "../decision.ts"
import { type Argv, defineCommand, firstKey, type FoundKey } from "../define.ts"
import { errors } from "../errors.ts"
import { readable } from "../string/value.ts"
import { type FieldType, fitting, Overflow, readField, sumOf, writeField } from "./field-arithmetic.ts"
import { fieldOffset } from "./offset.ts"

const badType = new ReplyError(
  "ERR Invalid bitfield type. Use something like i16 u8. Note that u64 is not supported but i64 is."
)
const badOverflow = new ReplyError("ERR Invalid OVERFLOW type specified")
const readsOnly = new ReplyError("ERR BITFIELD_RO only supports the GET subcommand")

const Kind = { get: 0, set: 1, increment: 2 } as const

/** One operation of a request. */
class Operation implements FieldType {
  kind: number = Kind.get
  signed = false
  bits = 0
  offset = 0
  /** What to set, or to add. */
  operand: Int64 = 0
  overflow: number = Overflow.wrap
}

/** Those of the request at work, used again by the next. */
const operations: Array<Operation> = []
const keptOperations = 64

const [letterI, letterU] = [105, 117]

const readType = (arg: Slice, into: FieldType): void => {
  const letter = arg.length > 0 ? arg.bytes[arg.start] : undefined
  const bits = parseInt64(arg.bytes, arg.start + 1, arg.length - 1)
  const signed = letter === letterI
  if (!signed && letter !== letterU) throw badType
  if (typeof bits !== "number" || bits < 1 || bits > (signed ? 64 : 63)) throw badType
  into.signed = signed
  into.bits = bits
}

const overflowOf = (arg: Slice): number => {
  if (isWord(arg, "WRAP")) return Overflow.wrap
  if (isWord(arg, "SAT")) return Overflow.saturate
  if (isWord(arg, "FAIL")) return Overflow.fail
  throw badOverflow
}

/** Reads the operations of a request; returns how many there are. */
const readOperations = (d: Decision, argv: Argv): number => {
  let count = 0
  let overflow: number = Overflow.wrap
  for (let i = 2; i < argv.length;) {
    const name = argv.at(i)
    const after = argv.length - i - 1
    const kind = isWord(name, "GET") && after >= 2
      ? Kind.get
      : isWord(name, "SET") && after >= 3
      ? Kind.set
      : isWord(name, "INCRBY") && after >= 3
      ? Kind.increment
      : -1
    if (kind < 0) {
      if (!isWord(name, "OVERFLOW") || after < 1) throw errors.syntax
      overflow = overflowOf(argv.at(i + 1))
      i += 2
      continue
    }
    const operation = operations[count++] ??= new Operation()
    operation.kind = kind
    operation.overflow = overflow
    readType(argv.at(i + 1), operation)
    operation.offset = fieldOffset(d, argv.at(i + 2), operation.bits)
    if (kind !== Kind.get) operation.operand = int64(argv.at(i + 3))
    i += kind === Kind.get ? 3 : 4
  }
  return count
}

/** The string that the operations see: what the key holds, zeros behind it, and over it what was written so far. */
let text = new Slice()
const nothing = new Slice()
const written = new Map<number, number>()
const byteAt = (at: number): number =>
  (written.size > 0 ? written.get(at) : undefined) ?? (at < text.length ? text.bytes[text.start + at]! : 0)
const put = (at: number, byte: number): void => void written.set(at, byte)
/** An operation has given a field another value than it had, even if a later one gave it the old one again. */
let changed = false

const run = (operation: Operation): Int64 | null => {
  const before = readField(operation, operation.offset, byteAt)
  if (operation.kind === Kind.get) return before
  const sets = operation.kind === Kind.set
  const wanted = sets ? operation.operand : sumOf(before, operation.operand)
  const value = fitting(operation, wanted, operation.overflow, sets)
  if (value === undefined) return null
  changed ||= before !== value && BigInt(before) !== BigInt(value)
  writeField(operation, operation.offset, value, byteAt, put)
  return sets ? before : value as Int64
}

/** Emits what was written, an event for each row of adjacent bytes. */
const emitWritten = (d: Decision, key: Slice): void => {
  const places = [...written.keys()].sort((a, b) => a - b)
  const bytes = Uint8Array.from(places, (at) => written.get(at)!)
  for (let from = 0; from < places.length;) {
    let to = from + 1
    while (to < places.length && places[to] === places[to - 1]! + 1) to++
    d.emit({ _tag: "StringRangeSet", key, offset: places[from]!, value: new Slice(bytes, from, to - from) })
    from = to
  }
}

/** Runs the operations on the string of a key that they write to. */
const write = (d: Decision, key: Slice, count: number): Array<Reply> => {
  const p = d.lookup(key)
  if (p !== 0) d.expectString(p)
  text = p === 0 ? nothing : d.text(p)
  const replies: Array<Reply> = []
  let last = 0
  for (let i = 0; i < count; i++) {
    const operation = operations[i]!
    replies.push(run(operation))
    if (operation.kind !== Kind.get) last = Math.max(last, Math.floor((operation.offset + operation.bits - 1) / 8))
  }
  const visible = written.size > 0 && (changed || p === 0 || last >= text.length)
  // The string reaches to the end of every field that was to be written, even where nothing was because it did not fit.
  const grows = last >= text.length && !written.has(last)
  const raw = p !== 0 && Entry.encodingOf(d.db.arena, p) === Entry.Encoding.raw
  if (grows || (written.size === 0 && !raw)) put(last, byteAt(last))
  if (changed || !raw || last >= text.length) emitWritten(d, key)
  if (!visible) d.keepQuiet()
  return replies
}

const read = (d: Decision, key: Slice, count: number): Array<Reply> => {
  const p = readable(d, key)
  text = p === 0 ? nothing : d.text(p)
  const replies: Array<Reply> = []
  for (let i = 0; i < count; i++) replies.push(run(operations[i]!))
  return replies
}

const decide = (d: Decision, argv: Argv, mayWrite: boolean): Reply => {
  const count = readOperations(d, argv)
  let writes = false
  for (let i = 0; i < count; i++) writes ||= operations[i]!.kind !== Kind.get
  if (writes && !mayWrite) throw readsOnly
  const replies = writes ? write(d, argv.at(1), count) : read(d, argv.at(1), count)
  text = nothing
  changed = false
  written.clear()
  if (operations.length > keptOperations) operations.length = keptOperations
  return replies
}

/** A request that only gets reads; any other, sensible or not, is taken for one that writes. */
const findKeys = (argv: Argv): ReadonlyArray<FoundKey> => {
  const key = argv.at(1)
  for (let i = 2; i < argv.length;) {
    if (isWord(argv.at(i), "GET") && i + 2 < argv.length) i += 3
    else if (isWord(argv.at(i), "OVERFLOW") && i + 1 < argv.length) i += 2
    else return [{ key, flags: ["RW", "access", "update"] }]
  }
  return [{ key, flags: ["RO", "access"] }]
}

export const bitfield = defineCommand({
  name: "BITFIELD",
  since: "3.2.0",
  group: "bitmap",
  summary: "Reads, sets and adds to integers of any number of bits within the string at a key.",
  complexity: "O(1) for each operation",
  syntax: "key [operation: GET <encoding offset> | <write: [OVERFLOW <WRAP | SAT | FAIL>] "
    + "<write_operation: SET <encoding offset value(integer)> | INCRBY <encoding offset increment>>>] ...",
  arity: -2,
  flags: ["write", "denyoom"],
  keys: [{
    flags: ["RW", "access", "update", "variable_flags"],
    begin: { index: 1 },
    find: { last: 0, step: 1, limit: 0 },
    notes: "a request of GET alone only reads"
  }],
  findKeys,
  decide: (d, argv) => decide(d, argv, true)
})

export const bitfieldReadOnly = defineCommand({
  name: "BITFIELD_RO",
  since: "6.0.0",
  group: "bitmap",
  summary: "Reads integers of any number of bits within the string at a key.",
  complexity: "O(1) for each operation",
  syntax: "key [GET <encoding offset>] ...",
  arity: -2,
  flags: ["readonly", "fast"],
  keys: firstKey("RO", "access"),
  decide: (d, argv) => decide(d, argv, false)
})
