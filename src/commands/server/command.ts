/** COMMAND: what the server can do, told from the table that runs it. */
import { MapReply, type Reply, ReplyError, SetReply, Status } from "../../net/resp/reply.ts"
import { Slice } from "../../projections/memory/slice.ts"
import { matchGlobAnyCase } from "../../projections/structures/glob.ts"
import { isWord } from "../arguments.ts"
import { type Argv, defineContainer, defineControl, type FoundKey } from "../define.ts"
import { errors } from "../errors.ts"
import { help } from "../help.ts"
import type { Control } from "../ports.ts"
import type { Row } from "../table.ts"
import { categoriesOf } from "./categories.ts"
import { commandDocs, commandInfo } from "./describe.ts"
import { keysOf } from "./key-specs.ts"

type Table = Control["table"]

/** The row of "get" or "config|get", in any case. */
const named = (table: Table, name: Slice): Row | undefined => {
  const [container, sub, ...more] = name.latin1().split("|")
  const row = table.byName(container!)
  if (sub === undefined) return row
  return more.length > 0 ? undefined : row?.subcommands?.byName(sub)
}

const facts = {
  group: "server",
  flags: ["loading", "stale"],
  categories: ["@connection"],
  syntax: ""
} as const
const unordered = ["nondeterministic_output_order"]

const count = defineControl({
  ...facts,
  name: "COUNT",
  since: "2.8.13",
  summary: "Answers how many commands there are.",
  complexity: "O(1)",
  arity: 2,
  run: ({ table }) => table.rows.length
})

const info = defineControl({
  ...facts,
  name: "INFO",
  since: "2.8.13",
  summary: "Describes commands for programs: arity, flags, categories, keys.",
  complexity: "O(N), N being the commands described",
  syntax: "[command-name ...]",
  history: [["7.0.0", "Without names, every command."]],
  arity: -2,
  tips: unordered,
  run: ({ table }, argv) => {
    if (argv.length === 2) return table.rows.map(commandInfo)
    const infos: Array<Reply> = []
    for (let i = 2; i < argv.length; i++) {
      const row = named(table, argv.at(i))
      infos.push(row === undefined ? null : commandInfo(row))
    }
    return infos
  }
})

const docs = defineControl({
  ...facts,
  name: "DOCS",
  since: "7.0.0",
  summary: "Describes commands for people: what they do, since when, at what cost, with which arguments.",
  complexity: "O(N), N being the commands described",
  syntax: "[command-name ...]",
  arity: -2,
  tips: unordered,
  run: ({ table }, argv) => {
    const rows = argv.length === 2 ? table.rows : namedRows(table, argv)
    return new MapReply(rows.map((row) => [row.name, commandDocs(row)]))
  }
})

const namedRows = (table: Table, argv: Argv): ReadonlyArray<Row> => {
  const rows: Array<Row> = []
  for (let i = 2; i < argv.length; i++) {
    const row = named(table, argv.at(i))
    if (row !== undefined) rows.push(row)
  }
  return rows
}

/** Which commands COMMAND LIST lists. */
const listFilter = (argv: Argv): (row: Row) => boolean => {
  if (argv.length === 2) return () => true
  if (argv.length !== 5 || !isWord(argv.at(2), "FILTERBY")) throw errors.syntax
  const value = argv.at(4)
  if (isWord(argv.at(3), "PATTERN")) return (row) => matchGlobAnyCase(value, Slice.latin1(row.name))
  if (isWord(argv.at(3), "ACLCAT")) {
    const category = `@${value.latin1().toLowerCase()}`
    return (row) => categoriesOf(row.command).includes(category)
  }
  // There are no modules, so none of them has a command.
  if (isWord(argv.at(3), "MODULE")) return () => false
  throw errors.syntax
}

const list = defineControl({
  ...facts,
  name: "LIST",
  since: "7.0.0",
  summary: "Lists the names of commands.",
  complexity: "O(N), N being all commands",
  syntax: "[FILTERBY <filterby: MODULE module-name | ACLCAT category | PATTERN pattern>]",
  arity: -2,
  tips: unordered,
  run: ({ table }, argv) => [...table.all()].filter(listFilter(argv)).map((row) => row.name)
})

const invalidCommand = new ReplyError("ERR Invalid command specified")
const noKeys = new ReplyError("ERR The command has no key arguments")
const invalidCount = new ReplyError("ERR Invalid number of arguments specified for command")
const invalidArguments = new ReplyError("ERR Invalid arguments specified for command")

/**
 * The keys of a request, subcommand included, in the order of the command's key specifications. Refuses, in the words of
 * COMMAND GETKEYS, what is no command, has no keys, or does not fit.
 */
export const requestKeys = (table: Table, request: Argv): ReadonlyArray<FoundKey> => {
  const row = table.requestRow(request)
  if (row === undefined) throw invalidCommand
  if ((row.command.keys ?? []).every(({ flags }) => flags.includes("not_key"))) throw noKeys
  const fits = row.arity > 0 ? request.length === row.arity : request.length >= -row.arity
  if (!fits) throw invalidCount
  const keys = keysOf(row.command, request, table) ?? []
  if (keys.length === 0 && !row.command.flags.includes("no_mandatory_keys")) throw invalidArguments
  return keys
}

/** The reply of COMMAND GETKEYSANDFLAGS for these keys. */
export const keysAndFlags = (keys: ReadonlyArray<FoundKey>): Reply =>
  keys.map(({ flags, key }) => [key, new SetReply(flags.map((flag) => new Status(flag)))])

/** The request that follows COMMAND GETKEYS. */
const quoted = (argv: Argv): Argv => ({ length: argv.length - 2, at: (index) => argv.at(index + 2) })

const keysComplexity = "O(N), N being the arguments"

const getKeys = defineControl({
  ...facts,
  name: "GETKEYS",
  since: "2.8.13",
  summary: "Answers the keys of a request.",
  complexity: keysComplexity,
  syntax: "command [arg ...]",
  arity: -4,
  run: ({ table }, argv) => requestKeys(table, quoted(argv)).map(({ key }) => key)
})

const getKeysAndFlags = defineControl({
  ...facts,
  name: "GETKEYSANDFLAGS",
  since: "7.0.0",
  summary: "Answers the keys of a request and what the command does to each.",
  complexity: keysComplexity,
  syntax: "command [arg ...]",
  arity: -4,
  run: ({ table }, argv) => keysAndFlags(requestKeys(table, quoted(argv)))
})

export const command = defineContainer({
  ...facts,
  name: "COMMAND",
  since: "2.8.13",
  summary: "Describes every command.",
  complexity: "O(N), N being all commands",
  arity: -1,
  tips: unordered,
  run: ({ table }) => table.rows.map(commandInfo),
  subcommands: [
    count,
    info,
    docs,
    list,
    getKeys,
    getKeysAndFlags,
    help("COMMAND", "server", [
      ["(no subcommand)", "Describe every command."],
      ["COUNT", "Answer how many commands there are."],
      ["DOCS [<command-name> ...]", "Describe commands for people; all when none is named."],
      ["GETKEYS <full-command>", "Answer the keys of a request."],
      ["GETKEYSANDFLAGS <full-command>", "Answer the keys of a request and what is done to each."],
      ["INFO [<command-name> ...]", "Describe commands for programs; all when none is named."],
      ["LIST [FILTERBY (ACLCAT|PATTERN|MODULE) <value>]", "List the names of commands."]
    ], { categories: ["@connection"] })
  ]
})
