import { ok, type Reply, ReplyError } from "../../net/resp/reply.ts"
import { parseInt64Slice } from "../../projections/memory/integer.ts"
import type { Slice } from "../../projections/memory/slice.ts"
import { isWord } from "../arguments.ts"
import type { Decision } from "../decision.ts"
import { type Argv, defineCommand } from "../define.ts"
import { errors } from "../errors.ts"

const notInt32 = new ReplyError("ERR value is out of range, value must between -2147483648 and 2147483647")
const invalidFirst = new ReplyError("ERR invalid first DB index")
const invalidSecond = new ReplyError("ERR invalid second DB index")

const isInt32 = (value: number | bigint): value is number => typeof value === "number" && (value | 0) === value

/** The number of a database that exists; refuses with the three texts Redis has for what is not. */
export const databaseIndex = (d: Decision, arg: Slice): number => {
  const value = parseInt64Slice(arg)
  if (value === undefined) throw errors.notInteger
  if (!isInt32(value)) throw notInt32
  if (value < 0 || value >= d.keyspace.databases.length) throw errors.dbIndex
  return value
}

const int32 = (arg: Slice, refusal: ReplyError): number => {
  const value = parseInt64Slice(arg)
  if (value === undefined || !isInt32(value)) throw refusal
  return value
}

export const swapDb = defineCommand({
  name: "SWAPDB",
  since: "4.0.0",
  group: "server",
  summary: "Lets two databases change places.",
  complexity: "O(N) where N is the number of clients watching or waiting for keys of the two.",
  syntax: "index1 index2",
  arity: 3,
  flags: ["write", "fast"],
  categories: ["@keyspace", "@dangerous"],
  decide: (d, argv) => {
    const first = int32(argv.at(1), invalidFirst)
    const second = int32(argv.at(2), invalidSecond)
    const count = d.keyspace.databases.length
    if (first < 0 || first >= count || second < 0 || second >= count) throw errors.dbIndex
    if (first !== second) d.emit({ _tag: "DatabasesSwapped", first, second })
    return ok
  }
})

export const dbSize = defineCommand({
  name: "DBSIZE",
  since: "1.0.0",
  group: "server",
  summary: "Counts the keys of the database, including dead ones that nobody has met since their deadline.",
  complexity: "O(1)",
  syntax: "",
  arity: 1,
  flags: ["readonly", "fast"],
  tips: ["request_policy:all_shards", "response_policy:agg_sum"],
  categories: ["@keyspace"],
  decide: (d) => d.db.size
})

/** SYNC and ASYNC mean the same here: emptying drops the memory as a whole, however many keys there were. */
const expectFlushMode = (argv: Argv): void => {
  if (argv.length === 1) return
  if (argv.length > 2 || !(isWord(argv.at(1), "ASYNC") || isWord(argv.at(1), "SYNC"))) throw errors.syntax
}

export const flushDb = defineCommand({
  name: "FLUSHDB",
  since: "1.0.0",
  group: "server",
  summary: "Removes all keys of the database.",
  complexity: "O(1)",
  syntax: "[async: ASYNC@4.0.0 | SYNC@6.2.0]",
  history: [["4.0.0", "`ASYNC`."], ["6.2.0", "`SYNC`."]],
  arity: -1,
  flags: ["write"],
  tips: ["request_policy:all_shards", "response_policy:all_succeeded"],
  categories: ["@keyspace", "@dangerous"],
  decide: (d, argv): Reply => {
    expectFlushMode(argv)
    if (d.db.size > 0) d.emit({ _tag: "DatabaseFlushed" })
    return ok
  }
})

export const flushAll = defineCommand({
  name: "FLUSHALL",
  since: "1.0.0",
  group: "server",
  summary: "Removes all keys of all databases.",
  complexity: "O(N) where N is the number of databases.",
  syntax: "[async: ASYNC@4.0.0 | SYNC@6.2.0]",
  history: [["4.0.0", "`ASYNC`."], ["6.2.0", "`SYNC`."]],
  arity: -1,
  flags: ["write"],
  tips: ["request_policy:all_shards", "response_policy:all_succeeded"],
  categories: ["@keyspace", "@dangerous"],
  decide: (d, argv): Reply => {
    expectFlushMode(argv)
    if (d.keyspace.databases.some((db) => db.size > 0)) d.emit({ _tag: "KeyspaceFlushed" })
    return ok
  }
})
