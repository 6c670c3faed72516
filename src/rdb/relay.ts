/**
 * Runs requests that another server has run already, as its append-only file or its replication stream tells of them: on
 * data of this server, by an executor of their own, into the log. What is past its deadline stays until the other server
 * says that it is gone, for it has seen the request before that.
 */
import { ClientState } from "../commands/client.ts"
import type { Argv } from "../commands/define.ts"
import type { ControlPorts } from "../commands/executor/executor-ports.ts"
import { CommandExecutor } from "../commands/executor/executor.ts"
import type { LogPort } from "../commands/executor/log-port.ts"
import { SilentConnection } from "../commands/silent-connection.ts"
import type { EventLog, Origin } from "../log/event-log.ts"
import type { Event } from "../log/events/catalog.ts"
import { ReplyBuffer } from "../net/resp/encoder.ts"
import type { Keyspace } from "../projections/keyspace.ts"
import type { Slice } from "../projections/memory/slice.ts"
import { printable } from "./file-reader.ts"

/** What a relay works on. */
export interface RelayParts {
  readonly keyspace: Keyspace
  readonly log: Pick<EventLog["Service"], "append" | "failure">
  /** Unix ms. */
  readonly now: () => number
  readonly monotonic: () => number
  readonly seed: number
  readonly origin: Origin
  /** Where the requests come from: an address, the name of a file. */
  readonly source: string
  /** Told of events of one database before they are folded. */
  readonly noticing?: (db: number, events: ReadonlyArray<Event>, count: number) => void
}

/** A request was refused that the other server has run: both would differ from now on. */
export class Refused extends Error {
  override readonly name = "Refused"
}

/** What servers pass on besides writes; a count that was made is kept in a HyperLogLog. */
const accompanying = new Set(["select", "multi", "exec", "discard", "ping", "xgroup", "publish", "spublish", "pfcount"])
/** None of these commands acts on anything but data, so nothing is joined to their ports. */
const nobody = {} as ControlPorts

/** Longest part of an error reply that is of interest. */
const errorBytes = 500

/** See the head of this file. */
export class Relay {
  readonly client: ClientState
  private readonly executor: CommandExecutor
  private readonly connection: SilentConnection
  private readonly out = new ReplyBuffer()

  constructor({ keyspace, log, monotonic, noticing, now, origin, seed, source }: RelayParts) {
    this.client = new ClientState(0, source, "", now())
    this.client.authenticated = true
    this.client.noTouch = true
    this.connection = new SilentConnection(this.client)
    const port: LogPort = {
      failure: log.failure,
      append: (time, db, _origin, command, author, events, count, dbs) => {
        if (dbs === undefined) noticing?.(db, events, count)
        else for (let i = 0; i < count; i++) noticing?.(dbs[i]!, [events[i]!], 1)
        return log.append(time, db, origin, command, author, events, count, dbs)
      }
    }
    this.executor = new CommandExecutor({ keyspace, log: port, now, monotonic, seed, keepDead: true })
    this.executor.activeExpire = false
    this.executor.attach(nobody)
  }

  /** What came of a transaction so far is not to be run. */
  forget(): void {
    this.executor.transactions.forget(this.client)
  }

  /** A transaction was begun and not ended. */
  get inTransaction(): boolean {
    return this.client.transaction !== undefined
  }

  /** Between requests: the clock goes on. */
  beginChunk(): void {
    this.executor.beginChunk()
  }

  /** How many commands were answered by an error. */
  private get errors(): number {
    let sum = 0
    for (const [, count] of this.executor.statistics.errors()) sum += count
    return sum
  }

  /** Runs one. @throws Refused */
  run(argv: Argv): void {
    const { executor, out } = this
    const name = argv.at(0)
    if (argv.length === 2 && isNamed(name, "select")) this.makeRoomFor(argv.at(1))
    const row = executor.table.find(name)
    if (row !== undefined && !row.write && !accompanying.has(row.name)) {
      throw new Refused(`${describe(argv)}: it is no command that servers pass on`)
    }
    const before = row?.name === "exec" ? this.errors : -1
    out.clear()
    executor.execute(this.connection, argv, out)
    if (firstByte(out) === minus) throw new Refused(`${describe(argv)}: ${textOf(out)}`)
    if (before >= 0 && this.errors !== before) throw new Refused("a command of a transaction failed")
  }

  /** The other server may have more databases than are configured here. */
  private makeRoomFor(word: Slice): void {
    const number = Number(word.latin1())
    if (Number.isInteger(number) && number >= 0 && number <= mostDatabases) this.executor.keyspace.database(number)
  }
}

const mostDatabases = 0xffff
const minus = 0x2d

const firstByte = (out: ReplyBuffer): number => (out.full[0] ?? out.chunk)[0]!

const textOf = (out: ReplyBuffer): string => {
  const bytes = out.full[0] ?? out.chunk.subarray(0, out.used)
  return Buffer.from(bytes.subarray(1, errorBytes)).toString("utf8").split("\r\n")[0]!
}

/** Whether a word is this name, in lower case, whatever the case of its letters. */
export const isNamed = ({ bytes, length, start }: Slice, name: string): boolean => {
  if (length !== name.length) return false
  for (let i = 0; i < length; i++) if ((bytes[start + i]! | 0x20) !== name.charCodeAt(i)) return false
  return true
}

/** The first words of a request. */
const describe = (argv: Argv): string => {
  const words = Array.from({ length: Math.min(argv.length, 3) }, (_, i) => printable(argv.at(i)))
  return words.join(" ") + (argv.length > words.length ? " …" : "")
}
