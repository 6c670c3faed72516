import { noReply } from "../../net/resp/reply.ts"
import { word } from "../arguments.ts"
import { defineControl } from "../define.ts"
import { errors } from "../errors.ts"
import { momentAt } from "./words.ts"

export const digest = defineControl({
  name: "LOG.DIGEST",
  since: "7.4.0",
  group: "history",
  summary:
    "Answers a fingerprint of all data, of now or of a moment of the past, that any fold of the same events has.",
  complexity: "O(N) where N is the size of the data and of the log since the checkpoint before the moment.",
  syntax: "[ASOF moment]",
  arity: -1,
  flags: ["readonly", "noscript", "no_multi"],
  categories: ["@dangerous"],
  run: ({ connection, questions }, argv) => {
    if (argv.length !== 1 && (argv.length !== 3 || word(argv.at(1)) !== "ASOF")) throw errors.syntax
    const moment = argv.length === 1 ? undefined : momentAt(argv.at(2))
    questions.ask(connection, { kind: "digest", moment })
    return noReply
  }
})
