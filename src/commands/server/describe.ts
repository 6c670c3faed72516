/** A command's table row as COMMAND INFO and COMMAND DOCS answer it. */
import { MapReply, type Reply, SetReply, Status } from "../../net/resp/reply.ts"
import type { Command, Flag, KeySpec } from "../define.ts"
import type { Row } from "../table.ts"
import { categoriesOf } from "./categories.ts"
import { hasFixedKeys, legacyRange } from "./key-specs.ts"
import { type Argument, parseSyntax } from "./syntax.ts"

const words = (list: ReadonlyArray<string>): SetReply => new SetReply(list.map((text) => new Status(text)))

/** Flags in the order in which Redis prints them; it keeps "may_replicate" to itself. */
const flagOrder: ReadonlyArray<Flag | "movablekeys"> = [
  "write",
  "readonly",
  "denyoom",
  "admin",
  "pubsub",
  "noscript",
  "blocking",
  "loading",
  "stale",
  "skip_monitor",
  "skip_slowlog",
  "asking",
  "fast",
  "no_auth",
  "no_mandatory_keys",
  "no_async_loading",
  "no_multi",
  "allow_busy",
  "touches_arbitrary_keys",
  "movablekeys"
]

/** The flags that COMMAND INFO answers: the declared ones, and whether keys must be searched. */
const flagsOf = ({ flags, keys }: Command): ReadonlyArray<string> => {
  const all = new Set<string>(flags)
  if (keys !== undefined && !hasFixedKeys(keys)) all.add("movablekeys")
  return flagOrder.filter((flag) => all.has(flag))
}

const unknown = new MapReply([["type", "unknown"], ["spec", new MapReply([])]])

const beginSearch = (begin: KeySpec["begin"]): MapReply => {
  if (begin === "unknown") return unknown
  return "index" in begin
    ? new MapReply([["type", "index"], ["spec", new MapReply([["index", begin.index]])]])
    : new MapReply([
      ["type", "keyword"],
      ["spec", new MapReply([["keyword", begin.keyword], ["startfrom", begin.from]])]
    ])
}

const findKeys = (find: KeySpec["find"]): MapReply => {
  if (find === "unknown") return unknown
  return "last" in find
    ? new MapReply([
      ["type", "range"],
      ["spec", new MapReply([["lastkey", find.last], ["keystep", find.step], ["limit", find.limit]])]
    ])
    : new MapReply([
      ["type", "keynum"],
      [
        "spec",
        new MapReply([["keynumidx", find.keyNumberAt], ["firstkey", find.firstKey], ["keystep", find.step]])
      ]
    ])
}

const keySpec = (spec: KeySpec): MapReply =>
  new MapReply([
    ...(spec.notes === undefined ? [] : [["notes", spec.notes] as const]),
    ["flags", words(spec.flags)],
    ["begin_search", beginSearch(spec.begin)],
    ["find_keys", findKeys(spec.find)]
  ])

/** The ten fields of COMMAND INFO. */
export const commandInfo = ({ arity, command, name, subcommands }: Row): Reply => {
  const specs = command.keys ?? []
  return [
    name,
    arity,
    words(flagsOf(command)),
    ...legacyRange(specs),
    words(categoriesOf(command)),
    new SetReply(command.tips ?? []),
    new SetReply(specs.map(keySpec)),
    subcommands === undefined ? new SetReply([]) : subcommands.rows.map(commandInfo)
  ]
}

/**
 * Arguments as maps. Keys stand for the key specifications one after the other, as far as there are any, unless the
 * syntax says which.
 */
const argumentDocs = (list: ReadonlyArray<Argument>, command: Command, keys: { seen: number }): ReadonlyArray<Reply> =>
  list.map((argument) => {
    const { deprecatedSince, multiple, multipleToken, optional, since, token } = argument
    const pairs: Array<readonly [Reply, Reply]> = [["name", argument.name], ["type", argument.type]]
    const specs = command.keys?.length ?? 0
    if (argument.keySpec !== undefined || (argument.type === "key" && specs > 0)) {
      pairs.push(["key_spec_index", argument.keySpec ?? Math.min(keys.seen++, specs - 1)])
    }
    if (token !== undefined) pairs.push(["token", token])
    if (since !== undefined) pairs.push(["since", since])
    if (deprecatedSince !== undefined) pairs.push(["deprecated_since", deprecatedSince])
    const flags = [
      ...(optional === true ? ["optional"] : []),
      ...(multiple === true ? ["multiple"] : []),
      ...(multipleToken === true ? ["multiple_token"] : [])
    ]
    if (flags.length > 0) pairs.push(["flags", words(flags)])
    if (argument.arguments !== undefined) pairs.push(["arguments", argumentDocs(argument.arguments, command, keys)])
    return new MapReply(pairs)
  })

/** The documentation of a command, as a map of fields. */
export const commandDocs = ({ command, subcommands }: Row): MapReply => {
  const { complexity, deprecated, group, history, internal, since, summary } = command
  const pairs: Array<readonly [Reply, Reply]> = [["summary", summary], ["since", since], ["group", group]]
  if (complexity !== "") pairs.push(["complexity", complexity])
  if (deprecated !== undefined || internal === true) {
    pairs.push(["doc_flags", words(deprecated === undefined ? ["syscmd"] : ["deprecated"])])
  }
  if (deprecated !== undefined) {
    pairs.push(["deprecated_since", deprecated.since], ["replaced_by", deprecated.replacedBy])
  }
  if (history !== undefined && history.length > 0) pairs.push(["history", new SetReply(history.map((row) => [...row]))])
  const list = parseSyntax(command.syntax)
  if (list.length > 0) pairs.push(["arguments", argumentDocs(list, command, { seen: 0 })])
  if (subcommands !== undefined) {
    pairs.push(["subcommands", new MapReply(subcommands.rows.map((row) => [row.name, commandDocs(row)]))])
  }
  return new MapReply(pairs)
}
