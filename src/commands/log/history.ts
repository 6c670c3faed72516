import type { Moment } from "../../history/moment.ts"
import { noReply } from "../../net/resp/reply.ts"
import { word } from "../arguments.ts"
import { type Argv, defineControl, firstKey } from "../define.ts"
import { errors } from "../errors.ts"
import { countAt, momentAt } from "./words.ts"

/** The options after the key. */
const optionsOf = (argv: Argv) => {
  let from: Moment | undefined
  let to: Moment | undefined
  let count: number | undefined
  let field: Uint8Array | undefined
  let reverse = false
  for (let i = 2; i < argv.length; i++) {
    const option = word(argv.at(i))
    if (option === "REV") {
      reverse = true
      continue
    }
    if (++i === argv.length) throw errors.syntax
    const value = argv.at(i)
    if (option === "FROM") from = momentAt(value)
    else if (option === "TO") to = momentAt(value)
    else if (option === "COUNT") count = countAt(value)
    else if (option === "FIELD") field = value.toBytes()
    else throw errors.syntax
  }
  return { from, to, count, field, reverse }
}

export const history = defineControl({
  name: "LOG.HISTORY",
  since: "7.4.0",
  group: "history",
  summary: "Answers every event that touched a key: when, what, by whom and why.",
  complexity:
    "O(N) where N is the number of events of the key, besides a look at the index of each segment of the log.",
  syntax: "key [FROM moment] [TO moment] [COUNT count] [REV] [FIELD field]",
  arity: -2,
  flags: ["readonly", "noscript", "no_multi"],
  keys: firstKey("RO", "access"),
  run: ({ client, connection, questions }, argv) => {
    const options = optionsOf(argv)
    questions.ask(connection, { kind: "history", db: client.db, key: argv.at(1).toBytes(), ...options })
    return noReply
  }
})
