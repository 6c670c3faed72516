/** Counting with 64-bit integers. */
import type { Int64 } from "../../log/events/fields.ts"
import { type Reply, ReplyError } from "../../net/resp/reply.ts"
import { toInt64 } from "../../projections/memory/integer.ts"
import type { Slice } from "../../projections/memory/slice.ts"
import { int64 } from "../arguments.ts"
import type { Decision } from "../decision.ts"
import { defineCommand, firstKey } from "../define.ts"
import { errors } from "../errors.ts"
import { stringIncremented } from "../reused-events.ts"

const decrementOverflow = new ReplyError("ERR decrement would overflow")
const minimum = -(2n ** 63n)

/** The sum of two signed 64-bit integers, undefined when it is none. */
export const addInt64 = (a: Int64, b: Int64): Int64 | undefined => {
  if (typeof a === "number" && typeof b === "number") {
    const sum = a + b
    if (Number.isSafeInteger(sum)) return sum
  }
  const sum = BigInt(a) + BigInt(b)
  return BigInt.asIntN(64, sum) === sum ? toInt64(sum) : undefined
}

const increment = (d: Decision, key: Slice, by: Int64): Reply => {
  const value = addInt64(d.integer(key) ?? 0, by)
  if (value === undefined) throw errors.overflow
  d.emit(stringIncremented(key, value))
  return value
}

export const incr = defineCommand({
  name: "INCR",
  since: "1.0.0",
  group: "string",
  summary: "Adds one to the integer at a key; an absent key counts as zero.",
  complexity: "O(1)",
  syntax: "key",
  arity: 2,
  flags: ["write", "denyoom", "fast"],
  keys: firstKey("RW", "access", "update"),
  decide: (d, argv) => increment(d, argv.at(1), 1)
})

export const decr = defineCommand({
  name: "DECR",
  since: "1.0.0",
  group: "string",
  summary: "Takes one from the integer at a key; an absent key counts as zero.",
  complexity: "O(1)",
  syntax: "key",
  arity: 2,
  flags: ["write", "denyoom", "fast"],
  keys: firstKey("RW", "access", "update"),
  decide: (d, argv) => increment(d, argv.at(1), -1)
})

export const incrby = defineCommand({
  name: "INCRBY",
  since: "1.0.0",
  group: "string",
  summary: "Adds an integer to the integer at a key; an absent key counts as zero.",
  complexity: "O(1)",
  syntax: "key increment",
  arity: 3,
  flags: ["write", "denyoom", "fast"],
  keys: firstKey("RW", "access", "update"),
  decide: (d, argv) => increment(d, argv.at(1), int64(argv.at(2)))
})

export const decrby = defineCommand({
  name: "DECRBY",
  since: "1.0.0",
  group: "string",
  summary: "Takes an integer from the integer at a key; an absent key counts as zero.",
  complexity: "O(1)",
  syntax: "key decrement",
  arity: 3,
  flags: ["write", "denyoom", "fast"],
  keys: firstKey("RW", "access", "update"),
  decide: (d, argv) => {
    const by = int64(argv.at(2))
    if (by === minimum) throw decrementOverflow
    return increment(d, argv.at(1), typeof by === "number" ? -by : toInt64(-by))
  }
})
