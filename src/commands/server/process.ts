/** TIME and SHUTDOWN. */
import { noReply, ok, ReplyError } from "../../net/resp/reply.ts"
import { word } from "../arguments.ts"
import { defineControl } from "../define.ts"
import { errors } from "../errors.ts"

export const time = defineControl({
  name: "TIME",
  since: "2.6.0",
  group: "server",
  summary: "Answers the server's clock: seconds since 1970 and the microseconds beyond.",
  complexity: "O(1)",
  syntax: "",
  arity: 1,
  flags: ["loading", "stale", "fast"],
  tips: ["nondeterministic_output"],
  run: ({ server }) => {
    const micros = Math.floor(server.nowMicros())
    return [String(Math.floor(micros / 1_000_000)), String(micros % 1_000_000)]
  }
})

const noShutdown = new ReplyError("ERR No shutdown in progress.")
const cannotShutdown = new ReplyError("ERR Errors trying to SHUTDOWN. Check logs.")
const shutdownWords = ["SAVE", "NOSAVE", "NOW", "FORCE", "ABORT"]

export const shutdown = defineControl({
  name: "SHUTDOWN",
  since: "1.0.0",
  group: "server",
  summary: "Ends the server in good order.",
  complexity: "O(N) when it saves, N being the keys of all databases; else O(1)",
  syntax: "[NOSAVE | SAVE] [NOW@7.0.0] [FORCE@7.0.0] [ABORT@7.0.0]",
  history: [["7.0.0", "`NOW`, `FORCE`, `ABORT`."]],
  arity: -1,
  flags: ["admin", "noscript", "loading", "stale", "no_multi", "allow_busy"],
  run: ({ connection, server }, argv) => {
    const given = new Set<string>()
    for (let i = 1; i < argv.length; i++) {
      const option = word(argv.at(i))
      if (!shutdownWords.includes(option)) throw errors.syntax
      given.add(option)
    }
    const abort = given.has("ABORT")
    if ((abort && given.size > 1) || (given.has("SAVE") && given.has("NOSAVE"))) throw errors.syntax
    if (abort) {
      if (!server.abortShutdown()) throw noShutdown
      return ok
    }
    const save = given.has("SAVE") ? true : given.has("NOSAVE") ? false : undefined
    const options = { save, now: given.has("NOW"), force: given.has("FORCE") }
    if (!server.shutdown(options, connection)) throw cannotShutdown
    return noReply
  }
})
