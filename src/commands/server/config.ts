/** CONFIG: reading and changing parameters while the server runs. */
import { MapReply, ok, ReplyError } from "../../net/resp/reply.ts"
import { defineContainer, defineControl } from "../define.ts"
import { errors } from "../errors.ts"
import { help } from "../help.ts"
import { isLocal } from "./local.ts"

const flags = ["admin", "noscript", "loading", "stale"] as const

const get = defineControl({
  name: "GET",
  since: "2.0.0",
  group: "server",
  summary: "Answers the parameters whose names match a pattern, with their values.",
  complexity: "O(N), N being the parameters named",
  syntax: "<parameter> ...",
  history: [["7.0.0", "More than one pattern."]],
  arity: -3,
  flags,
  run: ({ config }, argv) => {
    const found = new Map<string, readonly [string, string]>()
    for (let i = 2; i < argv.length; i++) {
      for (const pair of config.matching(argv.at(i).utf8())) {
        const name = pair[0].toLowerCase()
        if (!found.has(name)) found.set(name, pair)
      }
    }
    return new MapReply([...found.values()])
  }
})

const set = defineControl({
  name: "SET",
  since: "2.0.0",
  group: "server",
  summary: "Changes parameters, all of them or none.",
  complexity: "O(N), N being the parameters named",
  syntax: "<parameter value> ...",
  history: [["7.0.0", "More than one parameter at once."]],
  arity: -4,
  flags,
  tips: ["request_policy:all_nodes", "response_policy:all_succeeded"],
  run: ({ client, config }, argv) => {
    if (argv.length % 2 !== 0) throw errors.syntax
    const pairs: Array<readonly [string, string]> = []
    for (let i = 2; i < argv.length; i += 2) pairs.push([argv.at(i).utf8(), argv.at(i + 1).utf8()])
    const refusal = config.set(pairs, isLocal(client))
    if (refusal === undefined) return ok
    throw new ReplyError(
      refusal.reason === undefined
        ? `ERR Unknown option or number of arguments for CONFIG SET - '${refusal.name}'`
        : `ERR CONFIG SET failed (possibly related to argument '${refusal.name}') - ${refusal.reason}`
    )
  }
})

const resetStat = defineControl({
  name: "RESETSTAT",
  since: "2.0.0",
  group: "server",
  summary: "Sets the counters that INFO shows back to zero.",
  complexity: "O(1)",
  syntax: "",
  arity: 2,
  flags,
  run: ({ server, statistics }) => {
    statistics.reset()
    server.resetTraffic()
    return ok
  }
})

const noFile = new ReplyError("ERR The server is running without a config file")

const rewrite = defineControl({
  name: "REWRITE",
  since: "2.8.0",
  group: "server",
  summary: "Writes the parameters as they stand into the configuration file.",
  complexity: "O(1)",
  syntax: "",
  arity: 2,
  flags,
  run: ({ config, server }) => {
    if (server.configFile === "") throw noFile
    const failure = config.rewrite()
    if (failure !== undefined) throw new ReplyError(`ERR Rewriting config file: ${failure}`)
    return ok
  }
})

export const config = defineContainer({
  name: "CONFIG",
  since: "2.0.0",
  group: "server",
  summary: "Commands about the server's configuration.",
  complexity: "That of the subcommand.",
  syntax: "",
  arity: -2,
  flags: [],
  subcommands: [
    get,
    set,
    resetStat,
    rewrite,
    help("CONFIG", "server", [
      ["GET <pattern> [<pattern> ...]", "Answer the parameters that match a glob-style pattern."],
      ["SET <parameter> <value> [<parameter> <value> ...]", "Change parameters, all of them or none."],
      ["RESETSTAT", "Set the counters that INFO shows back to zero."],
      ["REWRITE", "Write the parameters as they stand into the configuration file."]
    ])
  ]
})
