import { noReply } from "../../net/resp/reply.ts"
import { defineControl } from "../define.ts"

export const head = defineControl({
  name: "LOG.HEAD",
  since: "7.4.0",
  group: "history",
  summary: "Answers where the log ends and where it begins: newest and oldest sequence, lsn, time, chain value.",
  complexity: "O(1)",
  syntax: "",
  arity: 1,
  flags: ["noscript", "no_multi", "fast"],
  run: ({ connection, questions }) => {
    questions.head(connection)
    return noReply
  }
})
