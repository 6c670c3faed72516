/** A command's table row as COMMAND INFO and COMMAND DOCS answer it. */
import { MapReply, type Reply, SetReply, Status } from "../../net/resp/reply.ts"
import type { Command, KeySpec } from "../define.ts"
import type { Row } from "../table.ts"
import { categoriesOf } from "./categories.ts"
import { legacyRange } from "./key-specs.ts"
import { type Argument, parseSyntax } from "./syntax.ts"

const words = (list: ReadonlyArray<string>): SetReply => new SetReply(list.map((text) => new Status(text)))

const beginSearch = (begin: KeySpec["begin"]): MapReply =>
  "index" in begin
    ? new MapReply([["type", "index"], ["spec", new MapReply([["index", begin.index]])]])
    : new MapReply([
      ["type", "keyword"],
      ["spec", new MapReply([["keyword", begin.keyword], ["startfrom", begin.from]])]
    ])

const findKeys = (find: KeySpec["find"]): MapReply =>
  "last" in find
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
    words(command.flags),
    ...legacyRange(specs),
    words(categoriesOf(command)),
    new SetReply(command.tips ?? []),
    new SetReply(specs.map(keySpec)),
    subcommands === undefined ? new SetReply([]) : subcommands.rows.map(commandInfo)
  ]
}

/** Which key specification each key argument stands for: one after the other, as far as there are any. */
const argumentDocs = (list: ReadonlyArray<Argument>, command: Command, keys: { seen: number }): ReadonlyArray<Reply> =>
  list.map((argument) => {
    const pairs: Array<readonly [Reply, Reply]> = [["name", argument.name], ["type", argument.type]]
    if (argument.type === "key" && command.keys !== undefined) {
      pairs.push(["key_spec_index", Math.min(keys.seen++, command.keys.length - 1)])
    }
    if (argument.token !== undefined) pairs.push(["token", argument.token])
    const flags = [...(argument.optional ? ["optional"] : []), ...(argument.multiple ? ["multiple"] : [])]
    if (flags.length > 0) pairs.push(["flags", words(flags)])
    if (argument.arguments !== undefined) pairs.push(["arguments", argumentDocs(argument.arguments, command, keys)])
    return new MapReply(pairs)
  })

/** The documentation of a command, as a map of fields. */
export const commandDocs = ({ command, subcommands }: Row): MapReply => {
  const pairs: Array<readonly [Reply, Reply]> = [
    ["summary", command.summary],
    ["since", command.since],
    ["group", command.group],
    ["complexity", command.complexity]
  ]
  if (command.deprecated !== undefined) {
    pairs.push(
      ["doc_flags", words(["deprecated"])],
      ["deprecated_since", command.deprecated.since],
      ["replaced_by", command.deprecated.replacedBy]
    )
  }
  const list = parseSyntax(command.syntax)
  if (list.length > 0) pairs.push(["arguments", argumentDocs(list, command, { seen: 0 })])
  if (subcommands !== undefined) {
    pairs.push(["subcommands", new MapReply(subcommands.rows.map((row) => [row.name, commandDocs(row)]))])
  }
  return new MapReply(pairs)
}
