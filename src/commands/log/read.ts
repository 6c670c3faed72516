import type { ReadRequest } from "../../history/questions.ts"
import { codes, type EventTag } from "../../log/events/catalog.ts"
import { noReply, ReplyError } from "../../net/resp/reply.ts"
import { integerWithin, shown, word } from "../arguments.ts"
import { type Argv, defineControl } from "../define.ts"
import { errors } from "../errors.ts"
import { countAt, momentAt, sequenceAt } from "./words.ts"

const tags = new Map((Object.keys(codes) as Array<EventTag>).map((tag) => [tag.toUpperCase(), tag]))
const negativeTimeout = new ReplyError("ERR timeout is negative")
const badTimeout = new ReplyError("ERR timeout is not an integer or out of range")
const longestBlock = Number.MAX_SAFE_INTEGER

type Options = { -readonly [Name in keyof ReadRequest]: ReadRequest[Name] } & { blockMs: number | undefined }

/** Everything after the command's name; `databases`: how many there are. */
const optionsOf = (argv: Argv, databases: number): Options => {
  const types: Array<string> = []
  const options: Options = {
    kind: "read",
    from: -1,
    to: undefined,
    count: undefined,
    match: undefined,
    types,
    user: undefined,
    db: undefined,
    values: false,
    blockMs: undefined
  }
  for (let i = 1; i < argv.length; i++) {
    const option = word(argv.at(i))
    if (option === "VALUES") {
      options.values = true
      continue
    }
    if (++i === argv.length) throw errors.syntax
    const value = argv.at(i)
    switch (option) {
      case "FROM":
        options.from = sequenceAt(value)
        break
      case "TO":
        options.to = momentAt(value)
        break
      case "COUNT":
        options.count = countAt(value)
        break
      case "BLOCK":
        options.blockMs = integerWithin(value, -longestBlock, longestBlock, badTimeout)
        if (options.blockMs < 0) throw negativeTimeout
        break
      case "MATCH":
        options.match = value.toBytes()
        break
      case "USER":
        options.user = value.utf8()
        break
      case "DB":
        options.db = integerWithin(value, 0, databases - 1, errors.dbIndex)
        break
      case "TYPE": {
        const tag = tags.get(word(value))
        if (tag === undefined) throw new ReplyError(`ERR unknown event type '${shown(value)}'`)
        types.push(tag)
        // Any number of them may follow, as long as they are some.
        for (let more; i + 1 < argv.length; i++, types.push(more)) {
          more = tags.get(word(argv.at(i + 1)))
          if (more === undefined) break
        }
        break
      }
      default:
        throw errors.syntax
    }
  }
  if (options.from < 0) throw errors.syntax
  return options
}

export const read = defineControl({
  name: "LOG.READ",
  since: "7.4.0",
  group: "history",
  summary: "Answers the batches of the log from a sequence on, and waits for more if so told: a feed of changes.",
  complexity: "O(N) where N is the number of batches looked at.",
  syntax:
    "FROM sequence(integer) [TO moment] [COUNT count] [BLOCK milliseconds] [MATCH pattern] [TYPE event [event ...]] [USER username] [DB db] [VALUES]",
  arity: -3,
  flags: ["readonly", "noscript", "blocking", "no_multi"],
  categories: ["@dangerous"],
  run: ({ connection, d, questions }, argv) => {
    const { blockMs, ...request } = optionsOf(argv, d.keyspace.databases.length)
    questions.ask(connection, request, blockMs)
    return noReply
  }
})
