/** REPLICAOF and SLAVEOF: whom this server follows. */
import { ok, type Reply, ReplyError, Status } from "../../net/resp/reply.ts"
import { parseInt64Slice } from "../../projections/memory/integer.ts"
import { isWord } from "../arguments.ts"
import { type Argv, type ControlCommand, defineControl, type Flag } from "../define.ts"
import { errors } from "../errors.ts"
import type { Control } from "../ports.ts"
import { insideTransaction } from "./role-change.ts"

const invalidPort = new ReplyError("ERR Invalid master port")
const badSequence = new ReplyError("ERR sequence is not an integer or out of range")
const badDelay = new ReplyError("ERR delay is not an integer or out of range")
const failingOver = new ReplyError("ERR REPLICAOF not allowed while failing over.")
const alreadyConnected = new Status("OK Already connected to specified master")

const readPort = (argv: Argv): number => {
  const port = parseInt64Slice(argv.at(2))
  if (port === undefined || port < 0 || port > 65_535) throw invalidPort
  return Number(port)
}

const count = (argv: Argv, index: number, refusal: ReplyError): number => {
  const value = parseInt64Slice(argv.at(index))
  if (value === undefined || value < 0 || value > Number.MAX_SAFE_INTEGER) throw refusal
  return Number(value)
}

const run = ({ server: { replication }, transactions }: Control, argv: Argv): Reply => {
  if (transactions.running) throw insideTransaction
  if (replication.status().failover !== "no-failover") throw failingOver
  if (argv.length === 3 && isWord(argv.at(1), "NO") && isWord(argv.at(2), "ONE")) {
    const refused = replication.lead()
    return refused === undefined ? ok : new ReplyError(`ERR ${refused}`)
  }
  const port = readPort(argv)
  let delayMs = 0
  let until: number | undefined
  for (let i = 3; i < argv.length; i += 2) {
    if (i + 1 >= argv.length) throw errors.syntax
    if (isWord(argv.at(i), "DELAY")) delayMs = count(argv, i + 1, badDelay)
    else if (isWord(argv.at(i), "AT")) until = count(argv, i + 1, badSequence)
    else throw errors.syntax
  }
  const answer = replication.follow({ host: argv.at(1).utf8(), port, delayMs, until })
  if (answer === "started") return ok
  return answer === "same" ? alreadyConnected : new ReplyError(`ERR ${answer.refused}`)
}

const flags: ReadonlyArray<Flag> = ["admin", "noscript", "stale", "no_async_loading"]
const syntax = "<args: <host-port: host port [DELAY milliseconds] [AT sequence]> | <no-one: NO ONE>>"
const complexity = "O(1)"

export const replicaof: ControlCommand = defineControl({
  name: "REPLICAOF",
  since: "5.0.0",
  group: "server",
  summary: "Follows another server, as it is, some time behind or up to a sequence; with NO ONE becomes a primary.",
  complexity,
  syntax,
  arity: -3,
  flags,
  run
})

export const slaveof: ControlCommand = defineControl({
  name: "SLAVEOF",
  since: "1.0.0",
  group: "server",
  summary: "The older name of REPLICAOF.",
  complexity,
  syntax,
  arity: -3,
  flags,
  deprecated: { since: "5.0.0", replacedBy: "`REPLICAOF`" },
  run
})
