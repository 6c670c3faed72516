/** Counting with decimal numbers, computed as Redis does in the 80-bit format. */
import type { Pointer } from "../../projections/memory/arena.ts"
import { Slice } from "../../projections/memory/slice.ts"
import {
  add,
  formatLongDouble,
  type LongDouble,
  parseLongDouble,
  zero
} from "../../projections/structures/long-double.ts"
import type { Decision } from "../decision.ts"
import { defineCommand, firstKey } from "../define.ts"
import { errors } from "../errors.ts"

/** A decimal number in an argument or a value, or the refusal given. */
export const longDouble = (text: Slice, refusal = errors.notFloat): LongDouble => {
  const value = parseLongDouble(text.latin1())
  if (value === undefined) throw refusal
  return value
}

/** The decimal number at an entry, zero when it is absent. */
export const longDoubleAt = (d: Decision, p: Pointer): LongDouble => {
  if (p === 0) return zero
  d.expectString(p)
  return longDouble(d.text(p))
}

export const incrbyfloat = defineCommand({
  name: "INCRBYFLOAT",
  since: "2.6.0",
  group: "string",
  summary: "Adds a decimal number to the one at a key; an absent key counts as zero.",
  complexity: "O(1)",
  syntax: "key increment(double)",
  arity: 3,
  flags: ["write", "denyoom", "fast"],
  keys: firstKey("RW", "access", "update"),
  decide: (d, argv) => {
    const key = argv.at(1)
    const sum = add(longDoubleAt(d, d.lookup(key)), longDouble(argv.at(2)))
    if (sum === undefined) throw errors.nanOrInfinity
    const value = Slice.latin1(formatLongDouble(sum))
    d.emit({ _tag: "StringFloatIncremented", key, value })
    return value
  }
})
