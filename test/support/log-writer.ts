import type { Disk } from "../../src/log/disk.ts"
import { type Author, type Batch, type Origin, origins } from "../../src/log/event-log.ts"
import type { Event } from "../../src/log/events/catalog.ts"
import { type LogClock, type LogOptions, type OpenedLog, openLog, type SyncPolicy } from "../../src/log/store.ts"
import { Slice } from "../../src/projections/memory/slice.ts"
import { plain, randomEvent } from "./events.ts"
import { Random } from "./random.ts"

/** A clock that moves only when told. */
export class FakeClock implements LogClock {
  wall: number
  mono: number
  constructor(wall = 1_790_000_000_000, mono = 1000) {
    this.wall = wall
    this.mono = mono
  }
  now(): number {
    return this.wall
  }
  monotonic(): number {
    return this.mono
  }
  advance(ms: number): void {
    this.wall += ms
    this.mono += ms
  }
}

/** Options of a small, reproducible log. */
export const logOptions = (changed: Partial<LogOptions> = {}): LogOptions => {
  const ids = new Random(77)
  return { policy: "everysec", segmentBytes: 4096, randomId: () => ids.bytes(36), ...changed }
}

/** An author no log has seen. */
export const author = (clientId: number, revision = 1): Author => ({
  clientId,
  address: `10.0.0.${clientId % 250}:${40_000 + clientId}`,
  localAddress: "10.0.0.1:6379",
  user: clientId % 3 === 0 ? "default" : `user-${clientId}`,
  name: revision === 1 ? "" : `worker ${revision}`,
  library: "client-lib 1.2",
  protocol: clientId % 2 === 0 ? 2 : 3,
  connectedAt: 1_780_000_000_000 + clientId,
  revision,
  logged: { segment: 0, revision: 0, ref: 0 }
})

/** A batch as one line of text, so that what was read compares with what was written. */
export const lineOf = (
  sequence: number,
  time: number,
  db: number,
  origin: Origin,
  command: number,
  by: Author | undefined,
  events: ReadonlyArray<Event>,
  dbs?: ReadonlyArray<number>
): string => {
  const who = by === undefined ? "-" : [
    by.clientId,
    by.address,
    by.localAddress,
    by.user,
    by.name,
    by.library,
    by.protocol,
    by.connectedAt
  ].join(" ")
  let text = `#${sequence} ${time} db${db} ${origin} c${command} [${who}]`
  for (let i = 0; i < events.length; i++) {
    const fields = events[i] as unknown as Record<string, unknown>
    if (dbs !== undefined) text += ` db${dbs[i]}`
    text += ` ${fields["_tag"]}`
    for (const name in fields) { // without the pairs of Object.entries: some tests make a million lines
      if (name === "_tag") continue
      const value = fields[name]
      if (value instanceof Slice) text += ` ${name}=${value.latin1()}`
      else text += ` ${name}=${String(plain(value))}`
    }
  }
  return text
}

/** The lines of everything a log holds from a sequence on. */
export const linesOf = (log: Pick<OpenedLog, "read">, from = 1): Array<string> => {
  const lines: Array<string> = []
  for (const batch of log.read(from)) lines.push(batchLine(batch))
  return lines
}

export const batchLine = (batch: Batch): string =>
  lineOf(batch.sequence, batch.time, batch.db, batch.origin, batch.command, batch.author, batch.events, batch.dbs)

/**
 * Somebody who writes to a log and remembers what was promised: every batch as it must be read back, and how far the log
 * has released and synced.
 */
export class Writer {
  log: OpenedLog
  readonly clock: FakeClock
  readonly random: Random
  /** Every batch appended, by sequence - 1. */
  readonly lines: Array<string> = []
  /** Monotonic time at which each batch was released; absent while it is not. */
  readonly releasedAt: Array<number> = []
  /** Newest sequence whose reply has left. */
  acked = 0
  /** The policy in force, and the newest sequence whose reply has left while it was `always`. */
  policy: SyncPolicy
  ackedAlways = 0
  /** Newest sequence that the log's durable position covers. */
  durable = 0
  /** What the log reported as a reason to end the process. */
  fatal: unknown
  private lastTime = 0
  private authors: Array<Author>
  private readonly commits: Array<{ lsn: number; sequence: number }> = []
  private readonly synced: Array<{ lsn: number; sequence: number }> = []
  private readonly scratch: Array<Event> = []
  /** Largest value written; small by default so that a segment holds many frames. */
  valueBytes = 40

  constructor(log: OpenedLog, clock: FakeClock, random: Random, policy: SyncPolicy = "everysec") {
    this.policy = policy
    this.clock = clock
    this.random = random
    this.log = log
    this.authors = []
    this.adopt(log)
  }

  /** Goes on with a newly opened log that holds the first `sequence` batches. */
  adopt(log: OpenedLog): void {
    this.log = log
    this.lines.length = log.sequence()
    this.lastTime = Number(/^#\d+ (\d+)/.exec(this.lines.at(-1) ?? "#0 0")![1])
    this.commits.length = 0
    this.synced.length = 0
    this.acked = this.durable = this.ackedAlways = log.sequence()
    this.releasedAt.length = this.acked
    this.authors = [1, 2, 3, 4].map((id) => author(id + this.random.below(200)))
    this.fatal = undefined
    log.onReleased(() => this.observe())
    log.onFatal((error) => this.fatal = error)
  }

  /** Appends one batch of this many events. */
  append(count = 1, make: (random: Random) => Event = (random) => this.event(random)): number {
    const { clock, random } = this
    this.scratch.length = 0
    for (let i = 0; i < count; i++) this.scratch.push(make(random))
    const origin = random.chance(0.8) ? "client" : random.pick(origins)
    const at = random.below(this.authors.length)
    if (random.chance(0.03)) {
      const old = this.authors[at]!
      this.authors[at] = Object.assign({}, old, { name: `renamed ${old.revision}`, revision: old.revision + 1 })
    }
    const by = random.chance(0.9) ? this.authors[at] : undefined
    const db = random.chance(0.9) ? 0 : random.below(16)
    const command = random.chance(0.9) ? 1 + random.below(200) : 0
    const other = new Random(this.lines.length) // apart from `random`, whose draws the tests count on
    const dbs = count > 1 && other.chance(0.3) ? mixedDbs(other, db, count) : undefined
    const sequence = this.log.append(clock.now(), db, origin, command, by, this.scratch, count, dbs)
    this.lastTime = Math.max(this.lastTime, clock.now())
    this.lines.push(lineOf(sequence, this.lastTime, db, origin, command, by, this.scratch, dbs))
    return sequence
  }

  private event(random: Random): Event {
    if (random.chance(0.3)) return randomSmallEvent(random)
    return {
      _tag: "StringSet",
      key: Slice.latin1(`key:${random.below(1000)}`),
      value: new Slice(random.bytes(random.below(this.valueBytes + 1))),
      expireAt: random.chance(0.2) ? this.clock.now() + random.below(100_000) : null
    }
  }

  /** Ends the turn. */
  commit(): void {
    const before = this.commits.at(-1)?.sequence ?? 0
    this.log.commit()
    const sequence = this.log.sequence()
    if (sequence > before) {
      this.commits.push({ lsn: this.log.lsn(), sequence })
    }
    this.observe()
  }

  /** CONFIG SET appendfsync. */
  setPolicy(policy: SyncPolicy): void {
    this.observe()
    this.policy = policy
    this.log.setPolicy(policy)
    this.observe()
  }

  tick(): void {
    this.log.tick()
    this.observe()
  }

  /** Notes what has been released and what is durable by now. */
  observe(): void {
    const released = this.log.released()
    while (this.commits.length > 0 && this.commits[0]!.lsn <= released) {
      const { sequence } = this.commits.shift()!
      for (let i = this.acked; i < sequence; i++) this.releasedAt[i] = this.clock.mono
      this.synced.push({ lsn: released, sequence }) // a frame that had to wait may stand further on than `lsn()` said
      this.acked = sequence
      if (this.policy === "always") this.ackedAlways = sequence
    }
    const durable = this.log.status().durableLsn
    while (this.synced.length > 0 && this.synced[0]!.lsn <= durable) this.durable = this.synced.shift()!.sequence
  }
}

/** Databases of the events of one batch, of which there are at least two; the first event is of `db`. */
export const mixedDbs = (random: Random, db: number, count: number): Array<number> => {
  const dbs = Array.from({ length: count }, () => random.chance(0.6) ? db : random.pick([0, 1, 15, 127, 128, 70_000]))
  dbs[0] = db
  if (dbs.every((other) => other === db)) dbs[count - 1] = db + 1
  return dbs
}

/** Any event but those with values too long for tiny segments. */
export const randomSmallEvent = (random: Random): Event => {
  for (;;) {
    const event = randomEvent(random)
    let bytes = 0
    for (const value of Object.values(event)) if (value instanceof Slice) bytes += value.length
    if (bytes <= 300) return event
  }
}

/** Opens a log, lets `use` look at it, and gives it back without writing anything. */
export const peek = <T>(disk: Disk, use: (log: OpenedLog) => T, options = logOptions(), clock = new FakeClock()): T => {
  const log = openLog(disk, clock, options)
  try {
    return use(log)
  } finally {
    log.abandon()
  }
}

/** What recovery makes of a disk: what it holds, or the error that refused it. Anything but a typed error is thrown on. */
export type Outcome =
  | { readonly verdict: "new" | "clean" | "torn"; readonly lines: Array<string>; readonly log: OpenedLog["recovery"] }
  | { readonly verdict: "corrupt" | "too new" | "locked"; readonly message: string; readonly error: unknown }

const refusals = { LogCorrupt: "corrupt", LogFormatTooNew: "too new", LogLocked: "locked" } as const

export const outcomeOf = (disk: Disk, options = logOptions(), clock = new FakeClock()): Outcome => {
  let log: OpenedLog | undefined
  try {
    log = openLog(disk, clock, options)
    const recovery = log.recovery
    return { verdict: recovery.verdict, lines: linesOf(log), log: recovery }
  } catch (error) {
    const tag = (error as { _tag?: string })._tag
    const verdict = tag === undefined ? undefined : refusals[tag as keyof typeof refusals]
    if (verdict === undefined) throw error
    return { verdict, message: (error as Error).message, error }
  } finally {
    log?.abandon()
  }
}
