/** DELEX: deleting a key only when its string is, or is not, a given one. */
import { ReplyError } from "../../net/resp/reply.ts"
import { defineCommand, firstKey } from "../define.ts"
import { wrongArity } from "../errors.ts"
import { comparisonOf, Condition, meets } from "./condition.ts"
import { isString } from "./value.ts"

const stringNeeded = new ReplyError("ERR Key should be of string type if conditions are specified")
const invalidCondition = new ReplyError("ERR Invalid condition. Use IFEQ, IFNE, IFDEQ, or IFDNE")

export const delex = defineCommand({
  name: "DELEX",
  since: "8.4.0",
  group: "string",
  summary: "Removes a key, if a condition on its string or on the digest of its string is met.",
  complexity: "O(1) without a condition, else O(N), N being the bytes compared",
  syntax: "key [condition: IFEQ ifeq-value | IFNE ifne-value | IFDEQ ifdeq-digest | IFDNE ifdne-digest]",
  arity: -2,
  flags: ["write", "fast"],
  keys: firstKey("RW", "delete", "variable_flags"),
  findKeys: (argv) => [
    { key: argv.at(1), flags: argv.length > 2 ? ["RW", "access", "delete"] : ["RM", "delete"] }
  ],
  decide: (d, argv) => {
    if (argv.length !== 2 && argv.length !== 4) throw wrongArity(d.commandName)
    const key = argv.at(1)
    const p = d.lookup(key)
    if (p === 0) return 0
    if (argv.length === 4) {
      if (!isString(d, p)) throw stringNeeded
      const condition = comparisonOf(argv.at(2))
      if (condition === Condition.none) throw invalidCondition
      if (!meets(condition, d.text(p), argv.at(3))) return 0
    }
    d.emit({ _tag: "KeyDeleted", key })
    return 1
  }
})
