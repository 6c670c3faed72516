/** WATCH and UNWATCH: a transaction that runs only if nobody has changed some keys meanwhile. */
import { ok, ReplyError } from "../../net/resp/reply.ts"
import { allKeys, defineControl } from "../define.ts"

const insideMulti = new ReplyError("ERR WATCH inside MULTI is not allowed")

export const watch = defineControl({
  name: "WATCH",
  since: "2.2.0",
  group: "transactions",
  summary: "Makes the connection's next EXEC do nothing if one of the keys has changed by then.",
  complexity: "O(1) for every key.",
  syntax: "key [key ...]",
  arity: -2,
  flags: ["noscript", "loading", "stale", "fast", "allow_busy"],
  keys: allKeys("RO"),
  run: ({ client, transactions }, argv) => {
    if (client.transaction !== undefined) throw insideMulti
    for (let i = 1; i < argv.length; i++) transactions.watch(client, argv.at(i))
    return ok
  }
})

export const unwatch = defineControl({
  name: "UNWATCH",
  since: "2.2.0",
  group: "transactions",
  summary: "Forgets every key the connection watches.",
  complexity: "O(1)",
  syntax: "",
  arity: 1,
  flags: ["noscript", "loading", "stale", "fast", "allow_busy"],
  run: ({ client, transactions }) => {
    transactions.unwatch(client)
    return ok
  }
})
