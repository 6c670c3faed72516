/** PING, ECHO, SELECT, QUIT, RESET: the connection on its own. */
import { ok, pong, ReplyError, Status } from "../../net/resp/reply.ts"
import { parseInt64Slice } from "../../projections/memory/integer.ts"
import { defineControl } from "../define.ts"
import { errors, wrongArity } from "../errors.ts"

const resetDone = new Status("RESET")
const notInt32 = new ReplyError("ERR value is out of range, value must between -2147483648 and 2147483647")

export const ping = defineControl({
  name: "PING",
  since: "1.0.0",
  group: "connection",
  summary: "Answers PONG or the text given: shows that the connection works.",
  complexity: "O(1)",
  syntax: "[message]",
  arity: -1,
  flags: ["fast"],
  tips: ["request_policy:all_shards", "response_policy:all_succeeded"],
  run: ({ client }, argv) => {
    if (argv.length > 2) throw wrongArity("ping")
    // A client of RESP2 that has subscribed reads nothing but arrays.
    if (client.protocol === 2 && client.subscribed) return ["pong", argv.length === 1 ? "" : argv.at(1)]
    return argv.length === 1 ? pong : argv.at(1)
  }
})

export const echo = defineControl({
  name: "ECHO",
  since: "1.0.0",
  group: "connection",
  summary: "Answers the text given.",
  complexity: "O(1)",
  syntax: "message",
  arity: 2,
  flags: ["loading", "stale", "fast"],
  run: (_control, argv) => argv.at(1)
})

export const select = defineControl({
  name: "SELECT",
  since: "1.0.0",
  group: "connection",
  summary: "Chooses the database that the connection's commands apply to.",
  complexity: "O(1)",
  syntax: "index",
  arity: 2,
  flags: ["loading", "stale", "fast"],
  run: ({ client, d }, argv) => {
    const index = parseInt64Slice(argv.at(1))
    if (index === undefined) throw errors.notInteger
    if (index < -2_147_483_648 || index > 2_147_483_647) throw notInt32
    if (index < 0 || index >= d.keyspace.databases.length) throw errors.dbIndex
    client.db = Number(index)
    return ok
  }
})

export const quit = defineControl({
  name: "QUIT",
  since: "1.0.0",
  group: "connection",
  summary: "Closes the connection once its replies are sent.",
  complexity: "O(1)",
  syntax: "",
  arity: -1,
  flags: ["noscript", "loading", "stale", "fast", "no_auth", "allow_busy"],
  run: ({ connection }) => {
    connection.closeAfterReply()
    return ok
  }
})

export const reset = defineControl({
  name: "RESET",
  since: "6.2.0",
  group: "connection",
  summary: "Brings the connection back to the state it had when it was opened.",
  complexity: "O(1)",
  syntax: "",
  arity: 1,
  flags: ["noscript", "loading", "stale", "fast", "no_auth", "allow_busy"],
  run: ({ client, config, connection, observer, subscriptions, tracking, transactions }) => {
    transactions.discard(client)
    observer.unwatch(connection)
    subscriptions.forget(connection)
    tracking.disable(connection)
    client.multiOnError = "default"
    client.fieldsets = undefined
    client.db = 0
    client.protocol = 2
    client.name = ""
    client.user = "default"
    client.authenticated = config.get("requirepass") === ""
    client.noTouch = false
    client.noEvict = false
    client.changed()
    connection.setReplyMode("on")
    return resetDone
  }
})
