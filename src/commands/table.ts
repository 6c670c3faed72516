/** Every command by name. COMMAND, the documentation and admission read the same rows. */
import { commandNumber } from "../log/commands.ts"
import type { Histogram } from "../metrics/histogram.ts"
import type { Slice } from "../projections/memory/slice.ts"
import { bitmapCommands } from "./bitmap/index.ts"
import { connectionCommands } from "./connection/index.ts"
import type { Argv, Command, ContainerCommand, ControlCommand, DataCommand } from "./define.ts"
import { geoCommands } from "./geo/index.ts"
import { hashCommands } from "./hash/index.ts"
import { hyperLogLogCommands } from "./hyperloglog/index.ts"
import { keyCommands } from "./key/index.ts"
import { listCommands } from "./list/index.ts"
import { logCommands } from "./log/index.ts"
import { pubsubCommands } from "./pubsub/index.ts"
import { replicationCommands } from "./replication/index.ts"
import { serverCommands } from "./server/index.ts"
import { type KeyRange, rangeIn } from "./server/key-specs.ts"
import { setCommands } from "./set/index.ts"
import { sortedSetCommands } from "./sorted-set/index.ts"
import { streamCommands } from "./stream/index.ts"
import { stringCommands } from "./string/index.ts"
import { transactionCommands } from "./transaction/index.ts"

const immediateNames = new Set(["multi", "discard", "watch", "quit", "reset"])
const subscriberNames = new Set(
  "subscribe unsubscribe psubscribe punsubscribe ssubscribe sunsubscribe ping quit reset".split(" ")
)

/** A command ready to run, with the counters of INFO commandstats. */
export class Row {
  readonly command: Command
  /** Lower case; "client|kill" for a subcommand. */
  readonly name: string
  /** Number in the log's registry. */
  readonly number: number
  readonly arity: number
  readonly write: boolean
  readonly denyOom: boolean
  readonly noAuth: boolean
  /** Runs while the data is being loaded. */
  readonly whileLoading: boolean
  /** Runs on a replica whose link is down and that may not show old data. */
  readonly stale: boolean
  /** Held back by CLIENT PAUSE WRITE. */
  readonly mayReplicate: boolean
  /** Refused between MULTI and EXEC. */
  readonly noMulti: boolean
  /** Allowed to a connection of RESP2 that has subscribed to something. */
  readonly forSubscribers: boolean
  /** Runs at once between MULTI and EXEC, where others are queued. */
  readonly immediate: boolean
  /** O(1) or O(log N) by its declaration. */
  readonly fast: boolean
  /** Short enough to be timed together with its like; see the executor's observer. */
  readonly brief: boolean
  /** Not shown by MONITOR. */
  readonly skipMonitor: boolean
  readonly skipSlowlog: boolean
  /** Reads or changes keys. */
  readonly touchesKeys: boolean
  /** Takes all data of a database away, or of all. */
  readonly flushes: boolean
  /** Reads keys, as they are now, and changes none. */
  readonly reads: boolean
  /** Where its keys are, if one look at the number of words tells. */
  readonly keyRange: KeyRange | undefined
  readonly decide: DataCommand["decide"] | undefined
  readonly run: ControlCommand["run"] | undefined
  /** Of a container: its subcommands. */
  readonly subcommands: NameIndex | undefined
  calls = 0
  micros = 0
  rejected = 0
  failed = 0
  /** How long calls took, once one was timed and unless latency-tracking is off. */
  histogram: Histogram | undefined = undefined

  constructor(command: Command, container: ContainerCommand | undefined) {
    const own = command.name.toLowerCase()
    this.command = command
    this.name = container === undefined ? own : `${container.name.toLowerCase()}|${own}`
    this.number = commandNumber(this.name)
    this.arity = command.arity
    this.write = command.flags.includes("write")
    this.denyOom = command.flags.includes("denyoom")
    this.noAuth = command.flags.includes("no_auth")
    this.whileLoading = command.flags.includes("loading")
    this.stale = command.flags.includes("stale")
    this.mayReplicate = this.write || command.flags.includes("may_replicate")
    this.noMulti = command.flags.includes("no_multi")
    this.forSubscribers = subscriberNames.has(this.name)
    this.immediate = immediateNames.has(this.name)
    this.fast = command.flags.includes("fast")
    this.brief = (this.fast || briefNames.has(own)) && "decide" in command
    this.skipMonitor = command.flags.includes("skip_monitor") || command.flags.includes("admin")
    this.skipSlowlog = command.flags.includes("skip_slowlog")
    this.touchesKeys = this.mayReplicate || command.flags.includes("readonly")
    this.flushes = this.name === "flushall" || this.name === "flushdb"
    this.reads = command.flags.includes("readonly") && command.group !== "history"
    this.keyRange = rangeIn(command)
    this.decide = "decide" in command ? command.decide : undefined
    this.run = "run" in command ? command.run : undefined
    this.subcommands = "subcommands" in command
      ? new NameIndex(command.subcommands.map((sub) => new Row(sub, command)))
      : undefined
  }
}

/**
 * Commands that are not called fast by Redis, but are mostly short, and else have a long reply: PFCOUNT answers what it
 * counted before, and reading a stream takes its time for each entry that it answers.
 */
const briefNames: ReadonlySet<string> = new Set([
  "set",
  "setbit",
  "pfcount",
  "xrange",
  "xrevrange",
  "xread",
  "xreadgroup"
])

const bucketCount = 1024

interface Named {
  /** In capitals. */
  readonly name: Uint8Array
  readonly row: Row
}

/** Rows by name, in any case of letters, looked up by bytes without making a string. */
export class NameIndex {
  readonly rows: ReadonlyArray<Row>
  private readonly buckets: Array<Array<Named> | undefined>
  /** What was found last: pipelines are mostly of one command. */
  private last: Named | undefined = undefined

  constructor(rows: ReadonlyArray<Row>) {
    this.rows = rows
    this.buckets = Array.from({ length: bucketCount }, () => undefined)
    for (const row of rows) {
      const name = Buffer.from(row.command.name.toUpperCase(), "latin1")
      const bucket = foldedHash(name, 0, name.length)
      ;(this.buckets[bucket] ??= []).push({ name, row })
    }
  }

  find(name: Slice): Row | undefined {
    const { last } = this
    if (last !== undefined && last.name.length === name.length && equalFolded(last.name, name)) return last.row
    const bucket = this.buckets[foldedHash(name.bytes, name.start, name.length)]
    if (bucket === undefined) return undefined
    for (let i = 0; i < bucket.length; i++) {
      const entry = bucket[i]!
      if (entry.name.length === name.length && equalFolded(entry.name, name)) {
        this.last = entry
        return entry.row
      }
    }
    return undefined
  }

  /** By name in any case; for texts, not for the hot path. */
  byName(name: string): Row | undefined {
    return this.rows.find((row) => row.command.name.toUpperCase() === name.toUpperCase())
  }
}

/**
 * Of the length and four letters, which tell nearly all names apart. Letters differ from their capitals in one bit; for
 * other bytes clearing it only adds collisions.
 */
const foldedHash = (bytes: Uint8Array, start: number, length: number): number => {
  if (length === 0) return 0
  const last = start + length - 1
  let hash = Math.imul(length, 31) + (bytes[start]! & 0xdf)
  hash = Math.imul(hash, 31) + (bytes[start + (length >>> 1)]! & 0xdf)
  hash = Math.imul(hash, 31) + (bytes[start + (length >>> 2)]! & 0xdf)
  hash = Math.imul(hash, 31) + (bytes[last]! & 0xdf)
  return (hash ^ (hash >>> 10)) & (bucketCount - 1)
}

const equalFolded = (upper: Uint8Array, name: Slice): boolean => {
  for (let i = 0; i < name.length; i++) {
    const byte = name.bytes[name.start + i]!
    if ((byte >= 97 && byte <= 122 ? byte - 32 : byte) !== upper[i]) return false
  }
  return true
}

/** All commands, the order being that of their families. */
export const commands: ReadonlyArray<Command> = [
  ...stringCommands,
  ...bitmapCommands,
  ...listCommands,
  ...setCommands,
  ...hashCommands,
  ...sortedSetCommands,
  ...geoCommands,
  ...hyperLogLogCommands,
  ...streamCommands,
  ...keyCommands,
  ...transactionCommands,
  ...pubsubCommands,
  ...connectionCommands,
  ...serverCommands,
  ...logCommands,
  ...replicationCommands
]

/** The commands a server knows, with the counters of one server. */
export class CommandTable extends NameIndex {
  readonly commands: ReadonlyArray<Command>
  constructor(list: ReadonlyArray<Command> = commands) {
    super(list.map((command) => new Row(command, undefined)))
    this.commands = list
  }

  /** The row that would run a request. */
  requestRow(request: Argv): Row | undefined {
    const row = this.find(request.at(0))
    if (row?.subcommands === undefined || request.length < 2) return row
    return row.subcommands.find(request.at(1))
  }

  /** Every row, subcommands after their container. */
  *all(): Iterable<Row> {
    for (const row of this.rows) {
      yield row
      if (row.subcommands !== undefined) yield* row.subcommands.rows
    }
  }
}
