/** WAIT and WAITAOF: how many replicas have what this connection wrote, and whose disks have it. */
import { noReply, type Reply, ReplyError } from "../../net/resp/reply.ts"
import { parseInt64Slice } from "../../projections/memory/integer.ts"
import type { Slice } from "../../projections/memory/slice.ts"
import { defineControl } from "../define.ts"
import { errors } from "../errors.ts"
import type { Control } from "../ports.ts"

const onReplica = (command: string, more: string): ReplyError =>
  new ReplyError(`ERR ${command} cannot be used with replica instances. Please also note that ${more}`)
const waitOnReplica = onReplica(
  "WAIT",
  "since Redis 4.0 if a replica is configured to be writable (which is not the default) writes to replicas are just "
    + "local and are not propagated."
)
const waitAofOnReplica = onReplica("WAITAOF", "writes to replicas are just local and are not propagated.")
const badTimeout = new ReplyError("ERR timeout is not an integer or out of range")
const negativeTimeout = new ReplyError("ERR timeout is negative")
const notPositive = new ReplyError("ERR value is out of range, must be positive")
const notZeroOrOne = new ReplyError("ERR value is out of range, value must between 0 and 1")

const integer = (word: Slice): number => {
  const value = parseInt64Slice(word)
  if (value === undefined) throw errors.notInteger
  return Number(value)
}

const timeout = (word: Slice): number => {
  const value = parseInt64Slice(word)
  if (value === undefined) throw badTimeout
  if (value < 0) throw negativeTimeout
  return Number(value)
}

const isReplica = ({ server }: Control): boolean => server.replication.status().primary !== undefined

export const wait = defineControl({
  name: "WAIT",
  since: "3.0.0",
  group: "generic",
  summary: "Waits until so many replicas have what this connection wrote; answers how many do.",
  complexity: "O(1)",
  syntax: "numreplicas timeout(integer)",
  arity: 3,
  flags: ["noscript"],
  categories: ["@connection", "-@keyspace"],
  tips: ["request_policy:all_shards", "response_policy:agg_min"],
  run: (control, argv): Reply => {
    if (isReplica(control)) throw waitOnReplica
    const wanted = { replicas: integer(argv.at(1)), timeoutMs: timeout(argv.at(2)), durable: false, local: false }
    const { connection, server: { replication }, transactions } = control
    return replication.wait(connection, wanted, !transactions.running) ?? noReply
  }
})

export const waitaof = defineControl({
  name: "WAITAOF",
  since: "7.2.0",
  group: "generic",
  summary: "Waits until what this connection wrote is on the disks of this server and so many replicas; answers which.",
  complexity: "O(1)",
  syntax: "numlocal numreplicas timeout(integer)",
  arity: 4,
  flags: ["noscript"],
  categories: ["@connection", "-@keyspace"],
  tips: ["request_policy:all_shards", "response_policy:agg_min"],
  run: (control, argv): Reply => {
    const local = integer(argv.at(1))
    if (local < 0 || local > 1) throw notZeroOrOne
    const replicas = integer(argv.at(2))
    if (replicas < 0) throw notPositive
    const timeoutMs = timeout(argv.at(3))
    if (isReplica(control)) throw waitAofOnReplica
    const { connection, server: { replication }, transactions } = control
    const wanted = { replicas, timeoutMs, durable: true, local: local === 1 }
    return replication.wait(connection, wanted, !transactions.running) ?? noReply
  }
})
