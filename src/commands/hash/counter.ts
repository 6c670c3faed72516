/** Counting in a field of a hash. */
import { ReplyError } from "../../net/resp/reply.ts"
import * as Entry from "../../projections/entry.ts"
import { parseInt64Slice, writeInt64 } from "../../projections/memory/integer.ts"
import { Slice } from "../../projections/memory/slice.ts"
import { add, formatLongDouble, isFinite, zero } from "../../projections/structures/long-double.ts"
import { int64 } from "../arguments.ts"
import { writableOf } from "../collections.ts"
import type { Decision } from "../decision.ts"
import { defineCommand, firstKey } from "../define.ts"
import { errors } from "../errors.ts"
import { fieldSet, fieldUpdated } from "../reused-events.ts"
import { addInt64 } from "../string/counter.ts"
import { longDouble } from "../string/float-counter.ts"
import { valueOf } from "./reading.ts"

const { hash } = Entry.Type

/** The text of the sum, until the event is folded. */
const digits = new Uint8Array(20)
const written = new Slice()

const notInteger = new ReplyError("ERR hash value is not an integer")
const notFloat = new ReplyError("ERR hash value is not a float")
const infinite = new ReplyError("ERR value is NaN or Infinity")

/** A field that counts keeps its deadline; one that is dead and not buried yet begins anew. */
const emit = (d: Decision, key: Slice, field: Slice, value: Slice, there: boolean): void =>
  d.emit(there ? fieldUpdated(key, field, value) : fieldSet(key, field, value))

export const hincrby = defineCommand({
  name: "HINCRBY",
  since: "2.0.0",
  group: "hash",
  summary: "Adds an integer to the integer in a field of a hash; an absent field counts as zero.",
  complexity: "O(1)",
  syntax: "key field increment",
  arity: 4,
  flags: ["write", "denyoom", "fast"],
  keys: firstKey("RW", "access", "update"),
  decide: (d, argv) => {
    const by = int64(argv.at(3))
    const key = argv.at(1)
    const field = argv.at(2)
    const p = writableOf(d, key, hash)
    const text = p === 0 ? null : valueOf(d, p, field)
    const current = text === null ? 0 : parseInt64Slice(text)
    if (current === undefined) throw notInteger
    const sum = addInt64(current, by)
    if (sum === undefined) throw errors.overflow
    emit(d, key, field, written.set(digits, 0, writeInt64(digits, 0, sum)), text !== null)
    return sum
  }
})

export const hincrbyfloat = defineCommand({
  name: "HINCRBYFLOAT",
  since: "2.6.0",
  group: "hash",
  summary: "Adds a decimal number to the one in a field of a hash; an absent field counts as zero.",
  complexity: "O(1)",
  syntax: "key field increment(double)",
  arity: 4,
  flags: ["write", "denyoom", "fast"],
  keys: firstKey("RW", "access", "update"),
  decide: (d, argv) => {
    const by = longDouble(argv.at(3))
    if (!isFinite(by)) throw infinite
    const key = argv.at(1)
    const field = argv.at(2)
    const p = writableOf(d, key, hash)
    const text = p === 0 ? null : valueOf(d, p, field)
    const sum = add(text === null ? zero : longDouble(text, notFloat), by)
    if (sum === undefined) throw errors.nanOrInfinity
    const value = Slice.latin1(formatLongDouble(sum))
    emit(d, key, field, value, text !== null)
    return value
  }
})
