import { noReply } from "../../net/resp/reply.ts"
import { word } from "../arguments.ts"
import { defineControl } from "../define.ts"
import { errors } from "../errors.ts"
import { countAt, momentAt } from "./words.ts"

/** Keys that are shown unless more are asked for. */
const usualCount = 100

export const diff = defineControl({
  name: "LOG.DIFF",
  since: "7.4.0",
  group: "history",
  summary: "Answers which keys were added, removed and changed between two moments, with both values.",
  complexity:
    "O(N) where N is the number of batches between the moments and, where many keys were changed, the size of the data.",
  syntax: "moment1(string) moment2(string) [MATCH pattern] [COUNT count]",
  arity: -3,
  flags: ["readonly", "noscript", "no_multi"],
  categories: ["@dangerous"],
  run: ({ connection, questions }, argv) => {
    const from = momentAt(argv.at(1))
    const to = momentAt(argv.at(2))
    let match: Uint8Array | undefined
    let count = usualCount
    for (let i = 3; i < argv.length; i += 2) {
      const option = word(argv.at(i))
      if (i + 1 === argv.length) throw errors.syntax
      if (option === "MATCH") match = argv.at(i + 1).toBytes()
      else if (option === "COUNT") count = countAt(argv.at(i + 1))
      else throw errors.syntax
    }
    questions.ask(connection, { kind: "diff", from, to, match, count })
    return noReply
  }
})
