/** CLIENT LIST and CLIENT INFO: a connection as a line of name=value. */
import { ReplyError, Verbatim } from "../../net/resp/reply.ts"
import { parseInt64Slice } from "../../projections/memory/integer.ts"
import type { Slice } from "../../projections/memory/slice.ts"
import { isWord, shown, word } from "../arguments.ts"
import { defineControl } from "../define.ts"
import { errors } from "../errors.ts"
import type { ConnectionPort } from "../ports.ts"

/** The kinds of clients CLIENT LIST and CLIENT KILL know. No connection is a server's as yet. */
export type ClientType = "normal" | "master" | "replica" | "pubsub"

const typeNames: Readonly<Record<string, ClientType>> = {
  NORMAL: "normal",
  MASTER: "master",
  REPLICA: "replica",
  SLAVE: "replica",
  PUBSUB: "pubsub"
}

/** The type of that name, or the refusal. */
export const clientType = (arg: Slice): ClientType => {
  const type = typeNames[word(arg)]
  if (type === undefined) throw new ReplyError(`ERR Unknown client type '${shown(arg)}'`)
  return type
}

/** The kind of a connection. */
export const typeOf = ({ client }: ConnectionPort): ClientType =>
  client.role !== "client" ? client.role : client.subscribed ? "pubsub" : "normal"

const seconds = (ms: number): number => Math.max(0, Math.floor(ms / 1000))

const flags = ({ blocked, client }: ConnectionPort): string =>
  `${client.role === "replica" ? "S" : ""}${client.monitoring ? "O" : ""}${client.role === "master" ? "M" : ""}${
    client.subscribed ? "P" : ""
  }${client.transaction === undefined ? "" : "x"}${blocked ? "b" : ""}${client.tracking === undefined ? "" : "t"}${
    client.tracking?.broken === true ? "R" : ""
  }${client.tracking?.bcast === true ? "B" : ""}${client.watchDirty ? "d" : ""}${
    client.address.endsWith(":0") ? "U" : ""
  }${client.noEvict ? "e" : ""}${client.noTouch ? "T" : ""}` || "N"

/** One line of CLIENT LIST: the fields of Redis 7.0 in their order, then the library's name and version as since 7.2. */
export const describe = (connection: ConnectionPort, now: number): string => {
  const { client } = connection
  const memory = connection.memory()
  return [
    `id=${client.clientId}`,
    `addr=${client.address}`,
    `laddr=${client.localAddress}`,
    `fd=${connection.fd}`,
    `name=${client.name}`,
    `age=${seconds(now - client.connectedAt)}`,
    `idle=${seconds(now - client.lastActiveAt)}`,
    `flags=${flags(connection)}`,
    `db=${client.db}`,
    `sub=${client.channels} psub=${client.patterns} ssub=${client.shardChannels}`,
    `multi=${client.transaction?.requests.length ?? -1}`,
    `watch=${client.watchedKeys}`,
    `qbuf=${memory.query}`,
    `qbuf-free=${memory.queryFree}`,
    `argv-mem=${memory.argv}`,
    `multi-mem=${memory.multi}`,
    `rbs=${memory.replyBuffer}`,
    `rbp=${memory.replyPeak}`,
    `obl=${memory.replyUsed}`,
    `oll=${memory.outputPieces}`,
    `omem=${memory.output}`,
    `tot-mem=${memory.total}`,
    `events=${memory.output > 0 ? "rw" : "r"}`,
    `cmd=${client.lastCommand === "" ? "NULL" : client.lastCommand}`,
    `user=${client.user}`,
    `redir=${client.tracking?.redirect ?? -1}`,
    `resp=${client.protocol}`,
    `lib-name=${client.libraryName}`,
    `lib-ver=${client.libraryVersion}`
  ].join(" ")
}

const invalidId = new ReplyError("ERR Invalid client ID")

export const list = defineControl({
  name: "LIST",
  since: "2.4.0",
  group: "connection",
  summary: "Describes the open connections.",
  complexity: "O(N), N being the open connections",
  syntax: "[TYPE <NORMAL | MASTER | REPLICA | PUBSUB>@5.0.0] [ID <id: client-id ...>@6.2.0]",
  history: [
    ["2.8.12", "Field `id`."],
    ["5.0.0", "Option `TYPE`."],
    ["6.0.0", "Field `user`."],
    ["6.2.0", "Fields `argv-mem`, `tot-mem`, `laddr`, `redir`; option `ID`."],
    ["7.0.0", "Fields `resp`, `multi-mem`, `rbs`, `rbp`."],
    ["7.0.3", "Field `ssub`."]
  ],
  arity: -2,
  flags: ["admin", "noscript", "loading", "stale"],
  tips: ["nondeterministic_output"],
  run: ({ clients, d }, argv) => {
    let chosen: Iterable<ConnectionPort>
    if (argv.length === 2) chosen = clients.all()
    else if (argv.length === 4 && isWord(argv.at(2), "TYPE")) {
      const type = clientType(argv.at(3))
      chosen = [...clients.all()].filter((connection) => typeOf(connection) === type)
    } else if (argv.length > 3 && isWord(argv.at(2), "ID")) {
      const found: Array<ConnectionPort> = []
      for (let i = 3; i < argv.length; i++) {
        const id = parseInt64Slice(argv.at(i))
        if (id === undefined) throw invalidId
        const connection = clients.byId(Number(id))
        if (connection !== undefined) found.push(connection)
      }
      chosen = found
    } else throw errors.syntax
    let text = ""
    for (const connection of chosen) text += `${describe(connection, d.now)}\n`
    return new Verbatim(text)
  }
})

export const info = defineControl({
  name: "INFO",
  since: "6.2.0",
  group: "connection",
  summary: "Describes this connection.",
  complexity: "O(1)",
  syntax: "",
  arity: 2,
  flags: ["noscript", "loading", "stale"],
  tips: ["nondeterministic_output"],
  run: ({ connection, d }) => new Verbatim(`${describe(connection, d.now)}\n`)
})
