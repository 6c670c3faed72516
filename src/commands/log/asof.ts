import { noReply } from "../../net/resp/reply.ts"
import { type Argv, defineControl, unknownKeys } from "../define.ts"
import { keysOf, namesAllKeys } from "../server/key-specs.ts"
import { pastCommand } from "./inner.ts"
import { momentAt } from "./words.ts"

/** The command inside, as a request of its own. */
const inner = (argv: Argv): Argv => ({ length: argv.length - 2, at: (index) => argv.at(index + 2) })

export const asOf = defineControl({
  name: "LOG.ASOF",
  since: "7.4.0",
  group: "history",
  summary: "Answers a command that reads as it would have been answered at a moment of the past.",
  complexity:
    "That of the command, and O(N), N being the events of its keys or, where they cannot be told, those since the checkpoint before the moment.",
  syntax: "moment command [arg ...]",
  arity: -3,
  flags: ["readonly", "noscript", "no_multi"],
  keys: unknownKeys("RO", "access"),
  findKeys: (argv, table) => {
    const request = inner(argv)
    const row = table.requestRow(request)
    return row === undefined ? undefined : keysOf(row.command, request, table)
  },
  run: ({ client, connection, questions, table }, argv) => {
    const moment = momentAt(argv.at(1))
    const request = inner(argv)
    const { command } = pastCommand(table, request)
    const keys = namesAllKeys(command) ? keysOf(command, request, table) : undefined
    questions.ask(connection, {
      kind: "asof",
      db: client.db,
      moment,
      words: Array.from({ length: request.length }, (_, i) => request.at(i).toBytes()),
      keys: keys?.map(({ key }) => key.toBytes())
    })
    return noReply
  }
})
