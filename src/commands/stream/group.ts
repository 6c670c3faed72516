/** XGROUP: consumer groups and their consumers. */
import type { Int64 } from "../../log/events/fields.ts"
import { ok, type Reply, ReplyError } from "../../net/resp/reply.ts"
import type { Pointer } from "../../projections/memory/arena.ts"
import type { Slice } from "../../projections/memory/slice.ts"
import { StreamId } from "../../projections/memory/stream-id.ts"
import * as Stream from "../../projections/stream-read.ts"
import { int64, isWord, shown } from "../arguments.ts"
import type { Decision } from "../decision.ts"
import { type Argv, defineCommand, defineContainer, keyAtIndex } from "../define.ts"
import { malformedSubcommand } from "../errors.ts"
import { help } from "../help.ts"
import { type Grouped, noGroupAt, writableStream } from "./access.ts"
import { idAt, isCharacter, looseId } from "./ids.ts"

const keyMustExist = new ReplyError(
  "ERR The XGROUP subcommand requires the key to exist. Note that for CREATE you may want to use the MKSTREAM option to " +
    "create an empty stream automatically."
)
const badEntriesRead = new ReplyError("ERR value for ENTRIESREAD must be positive or -1")
const busyGroup = new ReplyError("BUSYGROUP Consumer Group name already exists")
const dollar = 0x24

/** What may follow the id. */
interface Options {
  readonly makesStream: boolean
  /** Null: not known. */
  readonly entriesRead: Int64 | null
}

/** Reads the options after the id; MKSTREAM is one of CREATE only. */
const optionsOf = (argv: Argv, mayMake: boolean): Options => {
  let makesStream = false
  let entriesRead: Int64 | null = null
  for (let i = 5; i < argv.length; i++) {
    const option = argv.at(i)
    if (mayMake && isWord(option, "MKSTREAM")) makesStream = true
    else if (i + 1 < argv.length && isWord(option, "ENTRIESREAD")) {
      const value = int64(argv.at(++i))
      if (value < -1) throw badEntriesRead
      entriesRead = value === -1 ? null : value
    } else throw malformedSubcommand("XGROUP", shown(argv.at(1)))
  }
  return { makesStream, entriesRead }
}

const existing = (d: Decision, key: Slice): Pointer => {
  const p = writableStream(d, key)
  if (p === 0) throw keyMustExist
  return p
}

const existingGroup = (d: Decision, argv: Argv): Grouped => {
  const p = existing(d, argv.at(2))
  const group = Stream.findGroup(d.db, p, argv.at(3))
  if (group === 0) throw noGroupAt(argv.at(2), argv.at(3))
  return { p, group }
}

const create = (d: Decision, argv: Argv): Reply => {
  const { entriesRead, makesStream } = optionsOf(argv, true)
  const key = argv.at(2)
  const group = argv.at(3)
  const p = makesStream ? writableStream(d, key) : existing(d, key)
  if (argv.length > 8) throw malformedSubcommand("XGROUP", shown(argv.at(1)))
  const lastDelivered = new StreamId()
  if (!isCharacter(argv.at(4), dollar)) idAt(argv.at(4), lastDelivered)
  else if (p !== 0) Stream.lastId(d.db, p, lastDelivered)
  if (p === 0) d.emit({ _tag: "StreamCreated", key })
  else if (Stream.findGroup(d.db, p, group) !== 0) throw busyGroup
  d.emit({ _tag: "StreamGroupCreated", key, group, lastDelivered, entriesRead })
  return ok
}

const setId = (d: Decision, argv: Argv): Reply => {
  const { entriesRead } = optionsOf(argv, false)
  const { p } = existingGroup(d, argv)
  if (argv.length !== 5 && argv.length !== 7) throw malformedSubcommand("XGROUP", shown(argv.at(1)))
  const lastDelivered = new StreamId()
  if (isCharacter(argv.at(4), dollar)) Stream.lastId(d.db, p, lastDelivered)
  else looseId(argv.at(4), lastDelivered)
  d.emit({ _tag: "StreamGroupIdSet", key: argv.at(2), group: argv.at(3), lastDelivered, entriesRead })
  return ok
}

const facts = { group: "stream", complexity: "O(1)" } as const
const options = "[ENTRIESREAD entries_read]"

export const xgroup = defineContainer({
  ...facts,
  name: "XGROUP",
  since: "5.0.0",
  summary: "Makes, changes and removes groups of consumers.",
  syntax: "",
  arity: -2,
  flags: [],
  subcommands: [
    defineCommand({
      ...facts,
      name: "CREATE",
      since: "5.0.0",
      summary: "Makes a group of consumers that begins after an entry.",
      syntax: `key groupname <id: id | new_id=$> [MKSTREAM] ${options}`,
      history: [["7.0.0", "The option `ENTRIESREAD`."]],
      arity: -5,
      flags: ["write", "denyoom"],
      keys: keyAtIndex(2, "RW", "insert"),
      decide: create
    }),
    defineCommand({
      ...facts,
      name: "CREATECONSUMER",
      since: "6.2.0",
      summary: "Makes a consumer of a group.",
      syntax: "key groupname consumername",
      arity: 5,
      flags: ["write", "denyoom"],
      keys: keyAtIndex(2, "RW", "insert"),
      decide: (d, argv) => {
        const { group } = existingGroup(d, argv)
        if (Stream.findConsumer(d.db, group, argv.at(4)) !== 0) return 0
        const [key, name, consumer] = [argv.at(2), argv.at(3), argv.at(4)]
        d.emit({ _tag: "StreamConsumerCreated", key, group: name, consumer, time: d.time })
        return 1
      }
    }),
    defineCommand({
      ...facts,
      name: "DELCONSUMER",
      since: "5.0.0",
      summary: "Removes a consumer of a group, with what is pending for it.",
      syntax: "key groupname consumername",
      arity: 5,
      flags: ["write"],
      keys: keyAtIndex(2, "RW", "delete"),
      decide: (d, argv) => {
        const { group } = existingGroup(d, argv)
        const consumer = Stream.findConsumer(d.db, group, argv.at(4))
        if (consumer === 0) return 0
        const pending = Stream.consumerPending(d.db, consumer)
        d.emit({ _tag: "StreamConsumerDeleted", key: argv.at(2), group: argv.at(3), consumer: argv.at(4) })
        return pending
      }
    }),
    defineCommand({
      ...facts,
      name: "DESTROY",
      since: "5.0.0",
      summary: "Removes a group of consumers.",
      complexity: "O(N) where N is the number of pending entries, which are freed in slices.",
      syntax: "key groupname",
      arity: 4,
      flags: ["write"],
      keys: keyAtIndex(2, "RW", "delete"),
      decide: (d, argv) => {
        const p = existing(d, argv.at(2))
        if (Stream.findGroup(d.db, p, argv.at(3)) === 0) return 0
        d.emit({ _tag: "StreamGroupDestroyed", key: argv.at(2), group: argv.at(3) })
        return 1
      }
    }),
    help("XGROUP", "stream", [
      [
        "CREATE <key> <groupname> <id|$> [option]",
        "Make a group of consumers. The options:",
        "* MKSTREAM",
        "  Make an empty stream if there is none.",
        "* ENTRIESREAD entries_read",
        "  Set how many entries the group has read (for internal use)."
      ],
      ["CREATECONSUMER <key> <groupname> <consumer>", "Make a consumer of a group."],
      ["DELCONSUMER <key> <groupname> <consumer>", "Remove a consumer of a group."],
      ["DESTROY <key> <groupname>", "Remove a group."],
      [
        "SETID <key> <groupname> <id|$> [ENTRIESREAD entries_read]",
        "Set after which entry a group goes on, and how many it has read."
      ]
    ]),
    defineCommand({
      ...facts,
      name: "SETID",
      since: "5.0.0",
      summary: "Sets after which entry a group goes on.",
      syntax: `key groupname <id: id | new_id=$> ${options}`,
      history: [["7.0.0", "The option `ENTRIESREAD`."]],
      arity: -5,
      flags: ["write"],
      keys: keyAtIndex(2, "RW", "update"),
      decide: setId
    })
  ]
})
