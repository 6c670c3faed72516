import { Status } from "../../net/resp/reply.ts"
import { typeOf, types } from "../../projections/entry.ts"
import { allKeys, defineCommand, firstKey } from "../define.ts"

const typeReplies = types.map((name) => new Status(name))
const none = new Status("none")

export const exists = defineCommand({
  name: "EXISTS",
  since: "1.0.0",
  group: "generic",
  summary: "Counts how many of the keys exist; a key named twice counts twice.",
  complexity: "O(N) where N is the number of keys.",
  syntax: "key ...",
  history: [["3.0.3", "More than one key."]],
  arity: -2,
  flags: ["readonly", "fast"],
  tips: ["request_policy:multi_shard", "response_policy:agg_sum"],
  keys: allKeys("RO"),
  decide: (d, argv) => {
    let found = 0
    for (let i = 1; i < argv.length; i++) if (d.counted(d.peek(argv.at(i)), argv.at(i)) !== 0) found++
    return found
  }
})

export const touch = defineCommand({
  name: "TOUCH",
  since: "3.2.1",
  group: "generic",
  summary: "Marks keys as accessed now and counts how many of them exist.",
  complexity: "O(N) where N is the number of keys.",
  syntax: "key ...",
  arity: -2,
  flags: ["readonly", "fast"],
  tips: ["request_policy:multi_shard", "response_policy:agg_sum"],
  keys: allKeys("RO"),
  decide: (d, argv) => {
    let found = 0
    for (let i = 1; i < argv.length; i++) if (d.counted(d.touch(argv.at(i)), argv.at(i)) !== 0) found++
    return found
  }
})

export const type = defineCommand({
  name: "TYPE",
  since: "1.0.0",
  group: "generic",
  summary: "Tells the type of the value at a key.",
  complexity: "O(1)",
  syntax: "key",
  arity: 2,
  flags: ["readonly", "fast"],
  keys: firstKey("RO"),
  decide: (d, argv) => {
    const p = d.counted(d.peek(argv.at(1)), argv.at(1))
    return p === 0 ? none : typeReplies[typeOf(d.db.arena, p)]!
  }
})
