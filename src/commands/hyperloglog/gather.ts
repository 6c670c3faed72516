/** The union of the HyperLogLogs that a request names. */
import { Union } from "../../projections/structures/hyperloglog-union.ts"
import { isSparse } from "../../projections/structures/hyperloglog.ts"
import type { Decision } from "../decision.ts"
import type { Argv } from "../define.ts"
import { corrupted, sketchOf } from "./value.ts"

/** Unions are gathered in this one. */
export const union = new Union()

/** Gathers the HyperLogLogs at all keys of a request, absent ones counting as empty; whether one of them is dense. */
export const gather = (d: Decision, argv: Argv): boolean => {
  let dense = false
  union.clear()
  for (let i = 1; i < argv.length; i++) {
    const p = d.counted(d.lookup(argv.at(i)), argv.at(i))
    if (p === 0) continue
    const { bytes, length, start } = sketchOf(d, p)
    if (!isSparse(bytes, start)) dense = true
    if (!union.add(bytes, start, length)) throw corrupted
  }
  return dense
}
