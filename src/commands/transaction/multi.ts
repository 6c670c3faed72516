/** MULTI, EXEC, DISCARD: requests that run together. */
import { ok, ReplyError } from "../../net/resp/reply.ts"
import { defineControl } from "../define.ts"

const nested = new ReplyError("ERR MULTI calls can not be nested")
const execWithoutMulti = new ReplyError("ERR EXEC without MULTI")
const discardWithoutMulti = new ReplyError("ERR DISCARD without MULTI")

export const multi = defineControl({
  name: "MULTI",
  since: "1.2.0",
  group: "transactions",
  summary: "Begins a transaction: the requests that follow wait for EXEC.",
  complexity: "O(1)",
  syntax: "",
  arity: 1,
  flags: ["noscript", "loading", "stale", "fast", "allow_busy"],
  run: ({ client, transactions }) => {
    if (client.transaction !== undefined) throw nested
    transactions.begin(client)
    return ok
  }
})

export const exec = defineControl({
  name: "EXEC",
  since: "1.2.0",
  group: "transactions",
  summary: "Runs the requests of a transaction, unless a watched key was changed; they become one batch of the log.",
  complexity: "Depends on commands in the transaction",
  syntax: "",
  arity: 1,
  flags: ["noscript", "loading", "stale", "skip_slowlog"],
  // Inside MULTI the executor takes EXEC itself: it encodes each reply before the next command runs.
  run: () => {
    throw execWithoutMulti
  }
})

export const discard = defineControl({
  name: "DISCARD",
  since: "2.0.0",
  group: "transactions",
  summary: "Ends a transaction without running its requests.",
  complexity: "O(N), when N is the number of queued commands",
  syntax: "",
  arity: 1,
  flags: ["noscript", "loading", "stale", "fast", "allow_busy"],
  run: ({ client, transactions }) => {
    if (client.transaction === undefined) throw discardWithoutMulti
    transactions.discard(client)
    return ok
  }
})
