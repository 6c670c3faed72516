/** FAILOVER: this primary hands over to one of its replicas. */
import { ok, type Reply, ReplyError } from "../../net/resp/reply.ts"
import { parseInt64Slice } from "../../projections/memory/integer.ts"
import type { Slice } from "../../projections/memory/slice.ts"
import { isWord } from "../arguments.ts"
import { type Argv, defineControl } from "../define.ts"
import { errors } from "../errors.ts"
import type { FailoverOptions } from "./port.ts"
import { insideTransaction } from "./role-change.ts"

const noFailover = new ReplyError("ERR No failover in progress.")
const badTimeout = new ReplyError("ERR FAILOVER timeout must be greater than 0")

const integer = (word: Slice): number => {
  const value = parseInt64Slice(word)
  if (value === undefined) throw errors.notInteger
  return Number(value)
}

const readOptions = (argv: Argv): FailoverOptions => {
  let timeoutMs = 0
  let to: FailoverOptions["to"]
  let force = false
  for (let i = 1; i < argv.length; i++) {
    if (isWord(argv.at(i), "TIMEOUT") && i + 1 < argv.length && timeoutMs === 0) {
      timeoutMs = integer(argv.at(++i))
      if (timeoutMs <= 0) throw badTimeout
    } else if (isWord(argv.at(i), "TO") && i + 2 < argv.length && to === undefined) {
      to = { host: argv.at(i + 1).utf8(), port: integer(argv.at(i + 2)) }
      i += 2
    } else if (isWord(argv.at(i), "FORCE") && !force) force = true
    else throw errors.syntax
  }
  return { to, force, timeoutMs }
}

export const failover = defineControl({
  name: "FAILOVER",
  since: "6.2.0",
  group: "server",
  summary: "Hands over to a replica once it has everything: that becomes the primary, and this server follows it.",
  complexity: "O(1)",
  syntax: "[TO <target: host port [FORCE]>] [ABORT] [TIMEOUT milliseconds]",
  arity: -1,
  flags: ["admin", "noscript", "stale"],
  run: ({ server: { replication }, transactions }, argv): Reply => {
    if (transactions.running) throw insideTransaction
    if (argv.length === 2 && isWord(argv.at(1), "ABORT")) {
      if (!replication.abortFailover()) throw noFailover
      return ok
    }
    const refused = replication.failover(readOptions(argv))
    return refused === undefined ? ok : new ReplyError(`ERR ${refused}`)
  }
})
