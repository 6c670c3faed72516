/** MONITOR: shows a connection every command that runs from now on. RESET, QUIT or closing it ends that. */
import { noReply, ok, ReplyError } from "../../net/resp/reply.ts"
import { defineControl } from "../define.ts"

const insideExec = new ReplyError("ERR MONITOR isn't allowed for DENY BLOCKING client")

export const monitor = defineControl({
  name: "MONITOR",
  since: "1.0.0",
  group: "server",
  summary: "Shows this connection every command the server runs.",
  complexity: "",
  syntax: "",
  arity: 1,
  flags: ["admin", "noscript", "loading", "stale"],
  run: ({ client, connection, observer, server }) => {
    if (client.transaction !== undefined) throw insideExec
    // Redis says nothing to a connection that asks again.
    if (client.monitoring) return noReply
    observer.watch(connection, () => server.nowMicros())
    return ok
  }
})
