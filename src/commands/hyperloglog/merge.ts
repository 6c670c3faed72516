/** PFMERGE: one HyperLogLog that counts what several do together. */
import { ok } from "../../net/resp/reply.ts"
import { isSparse, registerCount } from "../../projections/structures/hyperloglog.ts"
import { defineCommand, firstKey, keysFrom } from "../define.ts"
import { denseChanges } from "./changes.ts"
import { draft } from "./draft.ts"
import { gather, union } from "./gather.ts"
import { sketchOf } from "./value.ts"

/** Register by register from the first, as Redis does: the order shapes the runs. */
const mergeIntoSparse = (limit: number): void => {
  for (let register = 0; register < registerCount; register++) {
    const rank = union.register(register)
    if (rank > 0) draft.raise(register, rank, limit, true)
  }
}

export const pfmerge = defineCommand({
  name: "PFMERGE",
  since: "2.8.9",
  group: "hyperloglog",
  summary: "Makes a HyperLogLog count what several count together; what the destination holds already counts as well.",
  complexity: "O(N), N being the HyperLogLogs, of 16384 registers each",
  syntax: "destkey sourcekey ...",
  arity: -2,
  flags: ["write", "denyoom"],
  keys: [...firstKey("RW", "access", "insert"), ...keysFrom(2, "RO", "access")],
  decide: (d, argv) => {
    const key = argv.at(1)
    const dense = gather(d, argv)
    const p = d.lookup(key)
    const value = p === 0 ? undefined : sketchOf(d, p)
    // The destination is in the union too: its registers are all there is to write.
    if (value !== undefined && !isSparse(value.bytes, value.start)) {
      union.writeDense(draft.dense)
      denseChanges.become(value, draft.dense)
      denseChanges.emit(d, key, value)
      return ok
    }
    if (value === undefined) draft.begin()
    else draft.load(value)
    if (dense) draft.becomeDense()
    else mergeIntoSparse(d.db.limits.sparseHyperLogLogBytes)
    if (draft.isDense) union.writeDense(draft.dense)
    draft.emit(d, key)
    return ok
  }
})
