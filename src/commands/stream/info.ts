/** XINFO: streams, groups and consumers described. */
import { Elements, MapReply, type Reply } from "../../net/resp/reply.ts"
import type { Pointer } from "../../projections/memory/arena.ts"
import { Slice } from "../../projections/memory/slice.ts"
import { greatestId, leastId, StreamId } from "../../projections/memory/stream-id.ts"
import * as Stream from "../../projections/stream-read.ts"
import { int64, isWord, shown } from "../arguments.ts"
import type { Decision } from "../decision.ts"
import { type Argv, defineCommand, defineContainer, keyAtIndex } from "../define.ts"
import { errors, malformedSubcommand } from "../errors.ts"
import { help } from "../help.ts"
import { noGroupAt, readableStream } from "./access.ts"
import { usualIdempotency } from "./add.ts"
import { countersOf } from "./lag.ts"
import { firstPending } from "./pending.ts"
import { oneEntry, writeRange } from "./reply.ts"

type Pairs = ReadonlyArray<readonly [Reply, Reply]>

const described = (d: Decision, key: Slice): Pointer => {
  const p = readableStream(d, key)
  if (p === 0) throw errors.noSuchKey
  return p
}

const textOf = (id: StreamId): string => id.toString()
const groupNameOf = (d: Decision, group: Pointer): Slice => Stream.groupName(d.db, group, new Slice())
const consumerNameOf = (d: Decision, consumer: Pointer): Slice =>
  consumer === 0 ? new Slice() : Stream.consumerName(d.db, consumer, new Slice())

// ——— consumers and groups ———

const consumerInfo = (d: Decision, consumer: Pointer): Reply => {
  const active = Stream.activeAt(d.db, consumer)
  return new MapReply([
    ["name", consumerNameOf(d, consumer)],
    ["pending", Stream.consumerPending(d.db, consumer)],
    ["idle", Math.max(0, d.time - Stream.seenAt(d.db, consumer))],
    ["inactive", active < 0 ? -1 : Math.max(0, d.time - active)]
  ])
}

/** How far a group is: the id, the number of that entry, and how many come after it. */
const progress = (d: Decision, p: Pointer, group: Pointer): Pairs => {
  const id = Stream.lastDelivered(d.db, group, new StreamId())
  const read = Stream.entriesRead(d.db, group)
  return [
    ["last-delivered-id", textOf(id)],
    ["entries-read", read],
    ["lag", countersOf(d.db, p).lag(id, read)]
  ]
}

const groupInfo = (d: Decision, p: Pointer, group: Pointer): Reply =>
  new MapReply([
    ["name", groupNameOf(d, group)],
    ["consumers", Stream.consumerCount(d.db, group)],
    ["pending", Stream.pendingCount(d.db, group)],
    ...progress(d, p, group)
  ])

// ——— streams ———

const streamInfo = (d: Decision, p: Pointer): Pairs => {
  const first = new StreamId()
  Stream.firstEntryId(d.db, p, first)
  const producers = Stream.producers(d.db, p)
  const { durationSeconds, maxSize } = producers ?? usualIdempotency
  return [
    ["length", Stream.length(d.db, p)],
    ["radix-tree-keys", Stream.treeKeys(d.db, p)],
    ["radix-tree-nodes", Stream.treeNodes(d.db, p)],
    ["last-generated-id", textOf(Stream.lastId(d.db, p, new StreamId()))],
    ["max-deleted-entry-id", textOf(Stream.maxDeletedId(d.db, p, new StreamId()))],
    ["entries-added", Stream.entriesAdded(d.db, p)],
    ["recorded-first-entry-id", textOf(first)],
    ["idmp-duration", durationSeconds],
    ["idmp-maxsize", maxSize],
    ["pids-tracked", producers?.producers ?? 0],
    ["iids-tracked", producers?.tracked ?? 0],
    ["iids-added", producers?.added ?? 0],
    ["iids-duplicates", producers?.duplicates ?? 0]
  ]
}

/** The first entry of a stream, or the last one. */
const edge = (d: Decision, p: Pointer, last: boolean): Reply => {
  const id = new StreamId()
  const found = last ? Stream.lastEntryId(d.db, p, id) : Stream.firstEntryId(d.db, p, id)
  return found ? oneEntry(d.db, p, id) : null
}

const fullConsumer = (d: Decision, group: Pointer, consumer: Pointer, count: number): Reply =>
  new MapReply([
    ["name", consumerNameOf(d, consumer)],
    ["seen-time", Stream.seenAt(d.db, consumer)],
    ["active-time", Stream.activeAt(d.db, consumer)],
    ["pel-count", Stream.consumerPending(d.db, consumer)],
    [
      "pending",
      firstPending(d, group, consumer, count).map(({ deliveredAt, deliveries, id }) => [
        textOf(id),
        deliveredAt,
        deliveries
      ])
    ]
  ])

const fullGroup = (d: Decision, p: Pointer, group: Pointer, count: number): Reply =>
  new MapReply([
    ["name", groupNameOf(d, group)],
    ...progress(d, p, group),
    ["pel-count", Stream.pendingCount(d.db, group)],
    ["nacked-count", Stream.releasedCount(d.db, group)],
    [
      "pending",
      firstPending(d, group, 0, count).map(({ consumer, deliveredAt, deliveries, id }) => [
        textOf(id),
        consumerNameOf(d, consumer),
        consumer === 0 ? 0 : deliveredAt,
        deliveries
      ])
    ],
    ["consumers", Stream.consumers(d.db, group).map((consumer) => fullConsumer(d, group, consumer, count))]
  ])

/** What FULL shows of each list unless COUNT says otherwise. */
const usualCount = 10

/** FULL's count, Infinity for everything; undefined without FULL. */
const fullCount = (argv: Argv): number | undefined => {
  if (argv.length === 3) return undefined
  const fits = (argv.length === 4 || argv.length === 6) && isWord(argv.at(3), "FULL") &&
    (argv.length === 4 || isWord(argv.at(4), "COUNT"))
  if (!fits) throw malformedSubcommand("XINFO", shown(argv.at(1)))
  const count = argv.length === 4 ? usualCount : Number(int64(argv.at(5)))
  return count < 0 ? usualCount : count === 0 ? Infinity : count
}

const stream = (d: Decision, argv: Argv): Reply => {
  const p = described(d, argv.at(2))
  const count = fullCount(argv)
  const pairs = streamInfo(d, p)
  if (count === undefined) {
    return new MapReply([
      ...pairs,
      ["groups", Stream.groupCount(d.db, p)],
      ["first-entry", edge(d, p, false)],
      ["last-entry", edge(d, p, true)]
    ])
  }
  const shownEntries = Math.min(count, Stream.length(d.db, p))
  return new MapReply([
    ...pairs,
    [
      "entries",
      new Elements(
        "array",
        shownEntries,
        (out) => writeRange(out, d.db, p, leastId, greatestId, false, shownEntries)
      )
    ],
    ["groups", Stream.groups(d.db, p).map((group) => fullGroup(d, p, group, count))]
  ])
}

const facts = { since: "5.0.0", group: "stream", flags: ["readonly"], keys: keyAtIndex(2, "RO", "access") } as const

export const xinfo = defineContainer({
  name: "XINFO",
  since: "5.0.0",
  group: "stream",
  summary: "Describes streams, their groups and consumers.",
  complexity: "O(1)",
  syntax: "",
  arity: -2,
  flags: [],
  subcommands: [
    defineCommand({
      ...facts,
      name: "CONSUMERS",
      summary: "Describes the consumers of a group.",
      complexity: "O(N) where N is the number of consumers.",
      syntax: "key groupname",
      history: [["7.2.0", "The field `inactive`; `idle` counts from the last time the consumer asked for entries."]],
      arity: 4,
      tips: ["nondeterministic_output"],
      decide: (d, argv): Reply => {
        const p = described(d, argv.at(2))
        const group = Stream.findGroup(d.db, p, argv.at(3))
        if (group === 0) throw noGroupAt(argv.at(2), argv.at(3))
        return Stream.consumers(d.db, group).map((consumer) => consumerInfo(d, consumer))
      }
    }),
    defineCommand({
      ...facts,
      name: "GROUPS",
      summary: "Describes the groups of a stream.",
      complexity: "O(N) where N is the number of groups.",
      syntax: "key",
      history: [["7.0.0", "The fields `entries-read` and `lag`."]],
      arity: 3,
      decide: (d, argv): Reply => {
        const p = described(d, argv.at(2))
        return Stream.groups(d.db, p).map((group) => groupInfo(d, p, group))
      }
    }),
    help("XINFO", "stream", [
      ["CONSUMERS <key> <groupname>", "Describe the consumers of a group."],
      ["GROUPS <key>", "Describe the groups of a stream."],
      ["STREAM <key> [FULL [COUNT <count>]", "Describe a stream, with its entries, groups and consumers if FULL."]
    ]),
    defineCommand({
      ...facts,
      name: "STREAM",
      summary: "Describes a stream.",
      complexity: "O(1); with FULL O(N) where N is what is shown.",
      syntax: "key [FULL <full: [COUNT count]>]",
      history: [
        ["6.0.0", "The option `FULL`."],
        [
          "7.0.0",
          "The fields `max-deleted-entry-id`, `entries-added`, `recorded-first-entry-id`, `entries-read` and `lag`."
        ],
        ["7.2.0", "The field `active-time`; `seen-time` is the last time the consumer asked for entries."],
        ["8.6.0", "What is remembered of producers."],
        ["8.8.0", "The field `nacked-count`."]
      ],
      arity: -3,
      decide: stream
    })
  ]
})
