/** MONITOR: shows a connection every command that runs from now on. RESET, QUIT or closing it ends that. */
import { ok } from "../../net/resp/reply.ts"
import { defineControl } from "../define.ts"

export const monitor = defineControl({
  name: "MONITOR",
  since: "1.0.0",
  group: "server",
  summary: "Shows this connection every command the server runs.",
  complexity: "",
  syntax: "",
  arity: 1,
  flags: ["admin", "noscript", "loading", "stale"],
  run: ({ connection, observer, server }) => {
    observer.watch(connection, () => server.nowMicros())
    return ok
  }
})
