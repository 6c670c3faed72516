/** Replies of COMMAND INFO and COMMAND DOCS in a form that two servers can be compared by. */
import { ReplyBuffer } from "../../src/net/resp/encoder.ts"
import type { Reply } from "../../src/net/resp/reply.ts"
import { parseReply, type TypedReply } from "../support/resp-client.ts"

/** A reply as it would arrive over RESP3. */
export const sent = (reply: Reply): TypedReply => {
  const out = new ReplyBuffer()
  out.write(reply, 3)
  return parseReply(Buffer.concat(out.take()))
}

const text = (reply: TypedReply | undefined): string =>
  reply?.type === "bulk" ? reply.value.toString() : reply?.type === "status" ? reply.value : ""

const byName = (a: readonly [string, unknown], b: readonly [string, unknown]): number => a[0] < b[0] ? -1 : 1

/** Maps keep the order of their fields, sets and arrays stay apart, and so do simple and bulk strings. */
const shape = (reply: TypedReply): unknown => {
  switch (reply.type) {
    case "bulk":
      return text(reply)
    case "status":
      return `+${reply.value}`
    case "integer":
      return Number(reply.value)
    case "array":
      return reply.items.map(shape)
    case "set":
      return ["set", ...reply.items.map(shape)]
    case "map":
      return ["map", ...reply.entries.map(([field, value]) => [text(field), shape(value)])]
    default:
      return reply
  }
}

/** A note is worth comparing only by being there. */
const withoutNotes = (spec: TypedReply): unknown =>
  spec.type !== "map" ? shape(spec) : [
    "map",
    ...spec.entries.map(([field, value]) => [text(field), text(field) === "notes" ? "…" : shape(value)])
  ]

/** COMMAND INFO of several commands: their rows by name, those of subcommands too. Null for a name unknown. */
export const infoRows = (reply: TypedReply): ReadonlyMap<string, ReadonlyArray<unknown>> => {
  const rows = new Map<string, ReadonlyArray<unknown>>()
  const add = (info: TypedReply): string => {
    if (info.type !== "array") throw new Error(`not the description of a command: ${info.type}`)
    const [name, arity, flags, first, last, step, categories, tips, specs, subcommands] = info.items
    const subs = subcommands?.type === "array" || subcommands?.type === "set" ? subcommands.items : []
    rows.set(text(name), [
      ...[arity, flags, first, last, step, categories, tips].map((field) => shape(field!)),
      [specs!.type, ...specs!.type === "set" ? specs!.items.map(withoutNotes) : []],
      [subcommands!.type, ...subs.map(add).toSorted()],
      info.items.length
    ])
    return text(name)
  }
  if (reply.type === "array") reply.items.forEach(add)
  return rows
}

/** COMMAND DOCS of several commands, by name, those of subcommands too; sentences only as being there. */
export const docsRows = (reply: TypedReply): ReadonlyMap<string, ReadonlyArray<unknown>> => {
  const rows = new Map<string, ReadonlyArray<unknown>>()
  const field = (name: string, value: TypedReply): unknown => {
    if (name === "summary" || name === "complexity") return text(value) === "" ? "" : "…"
    if (name === "history" && value.type === "set") {
      return ["set", ...value.items.map((row) => row.type === "array" ? [row.items.length, shape(row.items[0]!)] : row)]
    }
    if (name === "subcommands") return value.type === "map" ? addAll(value).toSorted() : value.type
    return shape(value)
  }
  const addAll = (docs: TypedReply): ReadonlyArray<string> => {
    if (docs.type !== "map") throw new Error(`not the documentation of commands: ${docs.type}`)
    return docs.entries.map(([name, doc]) => {
      if (doc.type !== "map") throw new Error(`not the documentation of a command: ${doc.type}`)
      rows.set(text(name), doc.entries.map(([key, value]) => [text(key), field(text(key), value)]))
      return text(name)
    })
  }
  addAll(reply)
  return rows
}

/** One line a field, so that a difference shows where it is. */
export const printRows = (rows: Iterable<readonly [string, ReadonlyArray<unknown>]>): string =>
  [...rows].toSorted(byName).map(([name, fields]) =>
    `${name}\n${fields.map((value) => `  ${JSON.stringify(value)}\n`).join("")}`
  ).join("")

/** "7.0.15" as a number that can be compared. */
const versionNumber = (version: unknown): number =>
  String(version).split(".").reduce((sum, part) => sum * 1000 + Number(part), 0)
const newer = (version: unknown): boolean => versionNumber(version) > versionNumber("7.0.15")

type Pair = readonly [field: string, value: unknown]
const isMap = (value: unknown): value is readonly ["map", ...ReadonlyArray<Pair>] =>
  Array.isArray(value) && value[0] === "map"

/** Arguments without those that a version after 7.0 added. */
const olderArguments = (value: unknown): unknown => {
  if (!Array.isArray(value)) return value
  const kept = value.filter((argument) =>
    !(isMap(argument) && argument.some((pair) => pair[0] === "since" && newer(pair[1])))
  )
  return kept.map((argument) =>
    isMap(argument)
      ? argument.map((pair) => pair[0] === "arguments" ? ["arguments", olderArguments((pair as Pair)[1])] : pair)
      : argument
  )
}

/** The documentation of a command as it was in 7.0: without arguments, changes and deprecations of later versions. */
export const asOf70 = (fields: ReadonlyArray<unknown>): ReadonlyArray<unknown> => {
  const pairs = fields as ReadonlyArray<Pair>
  const deprecatedLater = pairs.some(([field, value]) => field === "deprecated_since" && newer(value))
  const dropped = deprecatedLater ? ["doc_flags", "deprecated_since", "replaced_by"] : []
  return pairs.filter(([field]) => !dropped.includes(field)).flatMap(([field, value]) => {
    if (field === "history" && Array.isArray(value)) {
      const rows = value.filter((row) => !(Array.isArray(row) && newer(row[1])))
      return rows.length > 1 ? [[field, rows]] : []
    }
    return [[field, field === "arguments" ? olderArguments(value) : value]]
  })
}
