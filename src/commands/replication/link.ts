/** What other servers say: replicas by REPLCONF about themselves and by LOG.FOLLOW, and a log that is being repaired. */
import { noReply, ok, type Reply, ReplyError } from "../../net/resp/reply.ts"
import { parseInt64Slice } from "../../projections/memory/integer.ts"
import { isWord } from "../arguments.ts"
import { type Argv, defineControl } from "../define.ts"
import { errors } from "../errors.ts"

const position = (argv: Argv, index: number): number => {
  const value = index < argv.length ? parseInt64Slice(argv.at(index)) : undefined
  return value === undefined || value < 0 || value > Number.MAX_SAFE_INTEGER ? -1 : Number(value)
}

export const replconf = defineControl({
  name: "REPLCONF",
  since: "3.0.0",
  group: "server",
  summary: "What a replica tells its primary: where it listens, and how far it is.",
  complexity: "O(1)",
  syntax: "",
  arity: -1,
  flags: ["admin", "noscript", "loading", "stale", "allow_busy"],
  internal: true,
  run: ({ connection, server: { replication } }, argv): Reply => {
    if (argv.length % 2 === 0) throw errors.syntax
    for (let i = 1; i < argv.length; i += 2) {
      if (isWord(argv.at(i), "ACK")) {
        const durable = i + 3 < argv.length && isWord(argv.at(i + 2), "FACK") ? position(argv, i + 3) : -1
        replication.acknowledge(connection, position(argv, i + 1), durable)
        return noReply
      }
      const option = argv.at(i).latin1()
      if (!replication.describe(connection, option.toLowerCase(), argv.at(i + 1).latin1())) {
        return new ReplyError(`ERR Unrecognized REPLCONF option: ${option}`)
      }
    }
    return ok
  }
})

const inMulti = new ReplyError("ERR LOG.FOLLOW is not allowed in a transaction")

export const logFollow = defineControl({
  name: "LOG.FOLLOW",
  since: "7.0.0",
  group: "server",
  summary: "What a replica asks of its primary: the log from where its own ends, for as long as the connection lasts.",
  complexity: "",
  syntax: "store-id lsn sequence segment epochs checksum",
  arity: 7,
  flags: ["admin", "noscript", "stale", "no_multi"],
  internal: true,
  run: ({ client, connection, server: { replication } }, argv): Reply => {
    if (client.transaction !== undefined) throw inMulti
    const words: Array<string> = []
    for (let i = 1; i < argv.length; i++) words.push(argv.at(i).latin1())
    return replication.serve(connection, words)
  }
})

export const logSegment = defineControl({
  name: "LOG.SEGMENT",
  since: "7.0.0",
  group: "server",
  summary: "What `annals repair` asks of a server of the same store: a piece of a segment that its log has lost.",
  complexity: "",
  syntax: "store-id sequence position",
  arity: 4,
  flags: ["admin", "noscript", "stale"],
  internal: true,
  run: ({ server: { replication } }, argv): Reply => {
    const [first, at] = [position(argv, 2), position(argv, 3)]
    if (first < 0 || at < 0) throw errors.notInteger
    return replication.segment(argv.at(1).latin1(), first, at)
  }
})
