/** SLOWLOG: the commands that took longer than slowlog-log-slower-than. */
import { ok, ReplyError } from "../../net/resp/reply.ts"
import { parseInt64Slice } from "../../projections/memory/integer.ts"
import { shown } from "../arguments.ts"
import { defineContainer, defineControl } from "../define.ts"
import { malformedSubcommand } from "../errors.ts"
import { help } from "../help.ts"

const flags = ["admin", "loading", "stale"] as const
const tips = ["request_policy:all_nodes", "nondeterministic_output"]
const badCount = new ReplyError("ERR count should be greater than or equal to -1")
const shownUnasked = 10

const get = defineControl({
  name: "GET",
  since: "2.2.12",
  group: "server",
  summary: "Answers the newest entries of the slow log.",
  complexity: "O(N) where N is the number of entries returned",
  syntax: "[count]",
  history: [["4.0.0", "Client address and name are part of an entry."]],
  arity: -2,
  flags,
  tips,
  run: ({ observer }, argv) => {
    if (argv.length > 3) throw malformedSubcommand("SLOWLOG", shown(argv.at(1)))
    const count = argv.length > 2 ? parseInt64Slice(argv.at(2)) : shownUnasked
    if (count === undefined || count < -1) throw badCount
    return observer.slowlog.newest(count === -1 ? Infinity : Number(count)).map((entry) => [
      entry.id,
      entry.time,
      entry.micros,
      entry.words,
      entry.address,
      entry.name
    ])
  }
})

const len = defineControl({
  name: "LEN",
  since: "2.2.12",
  group: "server",
  summary: "Answers the number of entries in the slow log.",
  complexity: "O(1)",
  syntax: "",
  arity: 2,
  flags,
  tips: ["request_policy:all_nodes", "response_policy:agg_sum", "nondeterministic_output"],
  run: ({ observer }) => observer.slowlog.length
})

const reset = defineControl({
  name: "RESET",
  since: "2.2.12",
  group: "server",
  summary: "Empties the slow log.",
  complexity: "O(N) where N is the number of entries in the slowlog",
  syntax: "",
  arity: 2,
  flags,
  tips: ["request_policy:all_nodes", "response_policy:all_succeeded"],
  run: ({ observer }) => {
    observer.slowlog.reset()
    return ok
  }
})

export const slowlog = defineContainer({
  name: "SLOWLOG",
  since: "2.2.12",
  group: "server",
  summary: "Commands about the slow log.",
  complexity: "Depends on subcommand.",
  syntax: "",
  arity: -2,
  flags: [],
  subcommands: [
    get,
    len,
    reset,
    help("SLOWLOG", "server", [
      [
        "GET [<count>]",
        "Answer the newest <count> entries (default: 10, -1: all), newest first. An entry is:",
        "id, Unix time, microseconds, arguments, client address, client name"
      ],
      ["LEN", "Answer the number of entries."],
      ["RESET", "Empty the slow log."]
    ], { since: "6.2.0" })
  ]
})
