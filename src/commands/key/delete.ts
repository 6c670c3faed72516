import type { Reply } from "../../net/resp/reply.ts"
import type { Pointer } from "../../projections/memory/arena.ts"
import type { Decision } from "../decision.ts"
import { allKeys, type Argv, defineCommand } from "../define.ts"

/** Up to this many keys, duplicates are found by comparing each with all; beyond it by a set. */
const fewKeys = 16
const met = new Uint32Array(fewKeys)

/** Emits a deletion for each key that is there, once even when it is named twice. Returns how many there are. */
const deleteAll = (d: Decision, argv: Argv): number => {
  const many = argv.length - 1 > fewKeys ? new Set<Pointer>() : undefined
  let deleted = 0
  for (let i = 1; i < argv.length; i++) {
    const key = argv.at(i)
    const p = d.peek(key)
    if (p === 0) continue
    // The events are folded only after the command, so the second mention of a key still finds it.
    if (many === undefined) {
      let at = 0
      while (at < deleted && met[at] !== p) at++
      if (at < deleted) continue
      met[deleted] = p
    } else {
      if (many.has(p)) continue
      many.add(p)
    }
    deleted++
    d.emit({ _tag: "KeyDeleted", key })
  }
  return deleted
}

const decide = (d: Decision, argv: Argv): Reply => deleteAll(d, argv)

export const del = defineCommand({
  name: "DEL",
  since: "1.0.0",
  group: "generic",
  summary: "Deletes one or more keys.",
  complexity: "O(N) where N is the number of keys; a collection costs O(M) for its M elements.",
  syntax: "key ...",
  arity: -2,
  flags: ["write"],
  tips: ["request_policy:multi_shard", "response_policy:agg_sum"],
  keys: allKeys("RM", "delete"),
  decide
})

export const unlink = defineCommand({
  name: "UNLINK",
  since: "4.0.0",
  group: "generic",
  summary: "Deletes one or more keys; the memory of large values may be given back later.",
  complexity: "O(1) for each key, whatever it holds, and O(N) of later work for values of N allocations.",
  syntax: "key ...",
  arity: -2,
  flags: ["write", "fast"],
  tips: ["request_policy:multi_shard", "response_policy:agg_sum"],
  keys: allKeys("RM", "delete"),
  decide
})
