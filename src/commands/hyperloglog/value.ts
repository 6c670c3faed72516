/** Finding the HyperLogLog a key holds, and the refusals of this family. */
import { ReplyError } from "../../net/resp/reply.ts"
import type { Pointer } from "../../projections/memory/arena.ts"
import type { Slice } from "../../projections/memory/slice.ts"
import { isHyperLogLog } from "../../projections/structures/hyperloglog.ts"
import type { Decision } from "../decision.ts"

const notHyperLogLog = new ReplyError("WRONGTYPE Key is not a valid HyperLogLog string value.")
/** The runs of a sparse HyperLogLog do not add up. */
export const corrupted = new ReplyError("INVALIDOBJ Corrupted HLL object detected")

/** The HyperLogLog of a live entry, in the arena; refuses other types and strings that are none. */
export const sketchOf = (d: Decision, p: Pointer): Slice => {
  d.expectString(p)
  const value = d.text(p)
  if (!isHyperLogLog(value)) throw notHyperLogLog
  return value
}
