/** SAVE, BGSAVE, BGREWRITEAOF, LASTSAVE: a checkpoint takes the place of both the RDB file and the rewritten AOF. */
import { ok, ReplyError, Status } from "../../net/resp/reply.ts"
import { word } from "../arguments.ts"
import { defineControl } from "../define.ts"
import { errors } from "../errors.ts"

const saveRunning = new ReplyError("ERR Background save already in progress")
const rewriteRunning = new ReplyError("ERR Background append only file rewriting already in progress")
const otherRunning = new ReplyError(
  "ERR Another child process is active (AOF?): can't BGSAVE right now. Use BGSAVE SCHEDULE in order to schedule a "
    + "BGSAVE whenever possible."
)
const nothingToCancel = new ReplyError("ERR Background saving is currently not in progress or scheduled")

export const save = defineControl({
  name: "SAVE",
  since: "1.0.0",
  group: "server",
  summary: "Makes a checkpoint of all data before it answers; everybody else waits.",
  complexity: "O(N) where N is the total number of keys in all databases",
  syntax: "",
  arity: 1,
  flags: ["admin", "noscript", "no_async_loading", "no_multi"],
  run: ({ server: { persistence } }) => {
    const refused = persistence.save()
    return refused === undefined ? ok : new ReplyError(`ERR ${refused}`)
  }
})

export const bgsave = defineControl({
  name: "BGSAVE",
  since: "1.0.0",
  group: "server",
  summary: "Makes a checkpoint of all data while commands go on; with CANCEL, as in Valkey, gives one up.",
  complexity: "O(1)",
  syntax: "[SCHEDULE@3.2.2]",
  history: [["3.2.2", "`SCHEDULE`."]],
  arity: -1,
  flags: ["admin", "noscript", "no_async_loading"],
  run: ({ server: { persistence }, transactions }, argv) => {
    const option = argv.length === 1 ? "" : word(argv.at(1))
    if (argv.length > 2 || !["", "SCHEDULE", "CANCEL"].includes(option)) throw errors.syntax
    if (option === "CANCEL") {
      const done = persistence.cancel()
      if (done === "none") throw nothingToCancel
      return new Status(
        done === "cancelled" ? "Background saving cancelled" : "Scheduled background saving cancelled"
      )
    }
    switch (persistence.backgroundSave(option === "SCHEDULE")) {
      case "running":
        throw saveRunning
      case "other":
        throw otherRunning
      case "scheduled":
        return new Status("Background saving scheduled")
      case "started":
        return new Status(`Background saving ${transactions.running ? "scheduled" : "started"}`)
    }
  }
})

export const bgrewriteaof = defineControl({
  name: "BGREWRITEAOF",
  since: "1.0.0",
  group: "server",
  summary: "Makes a checkpoint while commands go on; what of the log it covers may then go, if retention allows it.",
  complexity: "O(1)",
  syntax: "",
  arity: 1,
  flags: ["admin", "noscript", "no_async_loading"],
  run: ({ server: { persistence }, transactions }) => {
    const answer = persistence.rewrite()
    if (answer === "running") throw rewriteRunning
    const starts = answer === "started" && !transactions.running
    return new Status(`Background append only file rewriting ${starts ? "started" : "scheduled"}`)
  }
})

export const lastsave = defineControl({
  name: "LASTSAVE",
  since: "1.0.0",
  group: "server",
  summary: "Answers when the newest checkpoint was made, in Unix seconds.",
  complexity: "O(1)",
  syntax: "",
  arity: 1,
  flags: ["loading", "stale", "fast"],
  categories: ["@admin", "@dangerous"],
  tips: ["nondeterministic_output"],
  run: ({ server: { persistence } }) => persistence.lastSave()
})
