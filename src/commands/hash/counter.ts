/** Numbers in fields. */
import { type Reply, ReplyError } from "../../net/resp/reply.ts"
import { parseInt64Slice, writeInt64 } from "../../projections/memory/integer.ts"
import { Slice } from "../../projections/memory/slice.ts"
import { add, formatLongDouble, isFinite, zero } from "../../projections/structures/long-double.ts"
import { int64 } from "../arguments.ts"
import { defineCommand, firstKey } from "../define.ts"
import { errors } from "../errors.ts"
import { addInt64 } from "../string/counter.ts"
import { longDouble } from "../string/float-counter.ts"
import { valueIn, writableHash } from "./access.ts"

const notInteger = new ReplyError("ERR hash value is not an integer")
const notFinite = new ReplyError("ERR value is NaN or Infinity")
const notFloat = new ReplyError("ERR hash value is not a float")

export const hincrby = defineCommand({
  name: "HINCRBY",
  since: "2.0.0",
  group: "hash",
  summary: "Adds an integer to the integer of a field; an absent field counts as zero.",
  complexity: "O(1)",
  syntax: "key field increment",
  arity: 4,
  flags: ["write", "denyoom", "fast"],
  keys: firstKey("RW", "access", "update"),
  decide: (d, argv): Reply => {
    const by = int64(argv.at(3))
    const key = argv.at(1)
    const field = argv.at(2)
    const text = valueIn(d, writableHash(d, key), field)
    const value = text === undefined ? 0 : parseInt64Slice(text)
    if (value === undefined) throw notInteger
    const sum = addInt64(value, by)
    if (sum === undefined) throw errors.overflow
    const digits = new Uint8Array(20)
    d.emit({ _tag: "HashFieldsUpdated", key, pairs: [field, new Slice(digits, 0, writeInt64(digits, 0, sum))] })
    return sum
  }
})

export const hincrbyfloat = defineCommand({
  name: "HINCRBYFLOAT",
  since: "2.6.0",
  group: "hash",
  summary: "Adds a decimal number to the number of a field; an absent field counts as zero.",
  complexity: "O(1)",
  syntax: "key field increment(double)",
  arity: 4,
  flags: ["write", "denyoom", "fast"],
  keys: firstKey("RW", "access", "update"),
  decide: (d, argv): Reply => {
    const by = longDouble(argv.at(3))
    if (!isFinite(by)) throw notFinite
    const key = argv.at(1)
    const field = argv.at(2)
    const text = valueIn(d, writableHash(d, key), field)
    const value = text === undefined ? zero : longDouble(text, notFloat)
    const sum = add(value, by)
    if (sum === undefined || !isFinite(sum)) throw errors.nanOrInfinity
    const result = Slice.latin1(formatLongDouble(sum))
    d.emit({ _tag: "HashFieldsUpdated", key, pairs: [field, result] })
    return result
  }
})
