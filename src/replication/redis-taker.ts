/** Takes in what a Redis sends: its RDB file, set aside on disk until it is whole, and the requests it passes on. */
import type { Argv } from "../commands/define.ts"
import type { FollowTarget } from "../commands/replication/port.ts"
import type { Disk, DiskFile } from "../log/disk.ts"
import { DiskError } from "../log/disk.ts"
import type { EventLog } from "../log/event-log.ts"
import type { Event } from "../log/events/catalog.ts"
import type { Keyspace } from "../projections/keyspace.ts"
import { Slice } from "../projections/memory/slice.ts"
import { RdbWalk } from "../rdb/file-reader.ts"
import { Intake } from "../rdb/intake.ts"
import { isNamed, Refused, Relay } from "../rdb/relay.ts"

/** In the data directory: the file being received, and whom this server follows. */
const fileName = "incoming.rdb"
const noteName = "REDIS-PRIMARY"
const partialWord = "partial"
/** Milliseconds of loading between two looks at what else there is to do. */
const sliceMs = 2
/** Keys, or pieces of them, between two looks at the clock. */
const stepsPerLook = 16

/** What it needs of the server. */
export interface RedisTakerHost {
  readonly disk: Disk
  readonly keyspace: Keyspace
  readonly log: Pick<EventLog["Service"], "append" | "failure">
  readonly now: () => number
  readonly monotonic: () => number
  readonly seed: number
  /** Folds events of one database that the log has. */
  readonly fold: (time: number, db: number, events: ReadonlyArray<Event>, count: number) => void
  /** Told of events that are about to be folded by somebody else. */
  readonly noticing: (db: number, events: ReadonlyArray<Event>, count: number) => void
  /** The turn is to end with a commit; whoever waits for keys may go on. */
  readonly settle: () => void
  readonly publish: (channel: Slice, text: Slice, toShard: boolean) => void
  readonly warn: (text: string) => void
}

/** See the head of this file. */
export class RedisTaker {
  keys = 0
  /** From when the data here were dropped until all of the other's are here. */
  partial = false
  private readonly host: RedisTakerHost
  private relay: Relay
  private incoming: DiskFile | undefined = undefined
  private size = 0
  private readonly warned = new Set<string>()

  constructor(host: RedisTakerHost) {
    this.host = host
    this.relay = this.newRelay()
  }

  private newRelay(): Relay {
    const { keyspace, log, monotonic, now, noticing, seed } = this.host
    return new Relay({ keyspace, log, monotonic, now, seed, origin: "replica", source: "", noticing })
  }

  beginChunk(): void {
    this.relay.beginChunk()
  }

  /** What came is taken in. */
  taken(): void {
    this.host.settle()
  }

  get inTransaction(): boolean {
    return this.relay.inTransaction
  }

  /** The link is gone: what is not whole goes. */
  discard(): void {
    this.relay.forget()
    this.close()
  }

  private close(): void {
    const { incoming } = this
    if (incoming === undefined) return
    this.incoming = undefined
    incoming.close()
    try {
      this.host.disk.unlink(fileName)
    } catch (error) {
      if (!(error instanceof DiskError)) throw error // the next one takes its place
    }
  }

  /** The Redis that was followed when the server ended, and whether only a part of its data may be here. */
  get noted(): { readonly target: FollowTarget; readonly partial: boolean } | undefined {
    const { disk } = this.host
    if (!disk.exists(noteName)) return undefined
    const [host, port, state] = Buffer.from(disk.readFile(noteName)).toString("utf8").trim().split(" ")
    return host === undefined || port === undefined
      ? undefined
      : { target: { host, port: Number(port), delayMs: 0, until: undefined }, partial: state === partialWord }
  }

  /** Notes whom this server follows, durably; undefined for no Redis. Throws `DiskError`. */
  note(target: FollowTarget | undefined, partial = false): void {
    const { disk } = this.host
    if (target !== undefined) {
      const words = [target.host, target.port, ...partial ? [partialWord] : []]
      disk.writeFileAtomic(noteName, Buffer.from(`${words.join(" ")}\n`))
    } else if (disk.exists(noteName)) {
      disk.unlink(noteName)
      disk.syncFolder("")
    }
  }

  // ——— the file

  begin(): void {
    this.close()
    this.incoming = this.host.disk.open(fileName, "create")
    this.size = 0
  }

  file(bytes: Uint8Array, start: number, length: number): void {
    const written = this.incoming!.write(bytes, start, length, this.size)
    if (written < length) throw new DiskError("ENOSPC", "write", fileName, `${written} of ${length} bytes`)
    this.size += length
  }

  /**
   * Looks whether the file, all but its last `surplus` bytes, is whole; then puts what it holds in the place of all data, a
   * slice at a time. Throws `BadFile`; only before anything has changed unless the file makes no sense in spite of its
   * checksum. Throws `Refused` when the log cannot be written; the link's next beginning starts over.
   */
  *load(surplus: number): Generator<void, void> {
    const { host } = this
    const target = this.noted?.target
    const incoming = this.incoming!
    const size = this.size - surplus
    const source = {
      size: () => size,
      read: (into: Uint8Array, start: number, length: number, position: number): number =>
        incoming.read(into, start, Math.min(length, size - position), position)
    }
    yield* this.sliced(new RdbWalk(source, looking))
    this.relay = this.newRelay()
    this.relay.beginChunk()
    this.note(target, true)
    this.partial = true
    this.relay.run(emptyAll)
    const intake = new Intake({
      keyspace: host.keyspace,
      now: 0, // the other server says what is dead
      warn: host.warn,
      apply: (db, events) => {
        const failure = host.log.failure()
        if (failure !== undefined) throw new Refused(`the log cannot be written: ${failure.reason}`)
        const time = host.now()
        host.log.append(time, db, "replica", 0, undefined, events, events.length)
        host.fold(time, db, events, events.length)
      }
    })
    yield* this.sliced(new RdbWalk(source, intake))
    this.keys = intake.keys
    this.note(target)
    this.partial = false
    this.close()
  }

  private *sliced(walk: RdbWalk): Generator<void, void> {
    const { monotonic } = this.host
    let until = monotonic() + sliceMs
    let steps = 0
    for (const _ of walk.steps()) {
      if (++steps % stepsPerLook > 0 || monotonic() < until) continue
      yield
      until = monotonic() + sliceMs
    }
  }

  // ——— requests

  /** Whether the request asks how far this server is. */
  isAckWanted(argv: Argv): boolean {
    return argv.length >= 2 && isNamed(argv.at(0), "replconf") && isNamed(argv.at(1), "getack")
  }

  /** Runs a request. Throws `Refused`. */
  request(argv: Argv): void {
    const name = argv.at(0)
    if (argv.length === 3 && (isNamed(name, "publish") || isNamed(name, "spublish")) && !this.relay.inTransaction) {
      this.host.publish(argv.at(1), argv.at(2), name.length > "publish".length)
    } else if (isNamed(name, "function") || isNamed(name, "script")) this.leaveOut(name.latin1().toUpperCase())
    else if (!isNamed(name, "ping")) this.relay.run(argv)
  }

  private leaveOut(name: string): void {
    if (this.warned.has(name)) return
    this.warned.add(name)
    this.host.warn(`${name} of the Redis that is followed is left out: there is no scripting here`)
  }
}

const looking = { info() {}, sizes() {}, warn() {}, value() {} }

const flushAll = Slice.latin1("FLUSHALL")
const emptyAll: Argv = { length: 1, at: () => flushAll }
