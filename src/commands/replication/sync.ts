/** SYNC and PSYNC: how a Redis, and its tools, ask for all data and what happens from then on. */
import { type Reply, ReplyError } from "../../net/resp/reply.ts"
import { parseInt64Slice } from "../../projections/memory/integer.ts"
import { defineControl, type Flag } from "../define.ts"
import { errors } from "../errors.ts"

const flags: ReadonlyArray<Flag> = ["admin", "noscript", "no_async_loading", "no_multi"]
const inMulti = new ReplyError("ERR Command not allowed inside a transaction")

export const sync = defineControl({
  name: "SYNC",
  since: "1.0.0",
  group: "server",
  summary: "What an old replica, or a tool, of Redis asks: all data as an RDB file, and then commands.",
  complexity: "",
  syntax: "",
  arity: 1,
  flags,
  run: ({ client, connection, server: { replication } }): Reply => {
    if (client.transaction !== undefined) throw inMulti
    return replication.sync(connection, false)
  }
})

export const psync = defineControl({
  name: "PSYNC",
  since: "2.8.0",
  group: "server",
  summary: "What a replica of Redis asks: it is always answered with all data, and then commands.",
  complexity: "",
  syntax: "replicationid offset",
  arity: -3,
  flags,
  run: ({ client, connection, server: { replication } }, argv): Reply => {
    if (client.transaction !== undefined) throw inMulti
    if (parseInt64Slice(argv.at(2)) === undefined) throw errors.notInteger
    return replication.sync(connection, true)
  }
})
