/** PFCOUNT: how many different elements were added to a HyperLogLog, or to several together. */
import type { Reply } from "../../net/resp/reply.ts"
import { Slice } from "../../projections/memory/slice.ts"
import { estimate } from "../../projections/structures/hyperloglog-estimate.ts"
import { histogramOf } from "../../projections/structures/hyperloglog-union.ts"
import {
  estimateByte,
  estimateLimit,
  isFresh,
  storedEstimate,
  writeEstimate
} from "../../projections/structures/hyperloglog.ts"
import type { Decision } from "../decision.ts"
import { allKeys, defineCommand } from "../define.ts"
import { gather, union } from "./gather.ts"
import { corrupted, sketchOf } from "./value.ts"

/** What C makes of an estimate beyond 64 bits. */
const beyond = -(2n ** 63n)

const answer = (count: number): Reply =>
  count <= Number.MAX_SAFE_INTEGER ? count : count < estimateLimit ? BigInt(count) : beyond

const newEstimate = new Uint8Array(8)
const newEstimateSlice = new Slice(newEstimate)

/**
 * Redis writes a new estimate into the value, which GET shows, and tells its replicas; so it is an event here too.
 * While nothing can be recorded the count is answered all the same, and the value stays as it is.
 */
const countOne = (d: Decision, key: Slice): Reply => {
  const p = d.counted(d.lookup(key), key)
  if (p === 0) return 0
  const { bytes, length, start } = sketchOf(d, p)
  if (isFresh(bytes, start)) return storedEstimate(bytes, start)
  const counts = histogramOf(bytes, start, length)
  if (counts === undefined) throw corrupted
  const count = estimate(counts)
  if (d.mayRecord()) {
    writeEstimate(newEstimate, 0, count)
    d.emit({ _tag: "StringRangeSet", key, offset: estimateByte, value: newEstimateSlice })
  }
  return answer(count)
}

export const pfcount = defineCommand({
  name: "PFCOUNT",
  since: "2.8.9",
  group: "hyperloglog",
  summary: "Answers about how many different elements were added to a HyperLogLog, or to several taken together.",
  complexity: "O(1) for one key that has not changed since it was counted, else O(N) with N keys, 16384 registers each",
  syntax: "key ...",
  arity: -2,
  flags: ["readonly"],
  keys: allKeys("RW", "access").map((spec) => ({ ...spec, notes: "RW because the count is kept in the value" })),
  decide: (d, argv) => {
    if (argv.length === 2) return countOne(d, argv.at(1))
    gather(d, argv)
    return answer(estimate(union.histogram()))
  }
})
