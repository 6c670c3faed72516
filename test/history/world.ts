/** A log on a simulated disk, written by commands, to be read as it is. */
import type { ControlPorts } from "../../src/commands/executor/executor-ports.ts"
import { CommandExecutor } from "../../src/commands/executor/executor.ts"
import { type Batch, dbOf } from "../../src/log/event-log.ts"
import type { LogOptions, OpenedLog } from "../../src/log/store.ts"
import { openLog } from "../../src/log/store.ts"
import { ReplyBuffer } from "../../src/net/resp/encoder.ts"
import { Keyspace } from "../../src/projections/keyspace.ts"
import { replay } from "../../src/projections/replay.ts"
import { argvOf, TestConnection } from "../support/harness.ts"
import { FakeClock, logOptions } from "../support/log-writer.ts"
import type { Random } from "../support/random.ts"
import { SimDisk } from "../support/sim-disk.ts"
import { randomRequest, randomTransaction } from "../support/workload.ts"

/** A batch whose every byte is its own. */
export interface KeptBatch {
  readonly sequence: number
  readonly time: number
  readonly line: string
}

export class HistoryWorld {
  readonly disk = new SimDisk()
  readonly clock = new FakeClock()
  readonly options: LogOptions
  log: OpenedLog
  keyspace: Keyspace
  executor!: CommandExecutor
  connections: ReadonlyArray<TestConnection> = []
  private readonly out = new ReplyBuffer()
  private readonly scripts = new Map<TestConnection, Array<ReadonlyArray<string>>>()

  constructor(options: Partial<LogOptions> = {}) {
    this.options = logOptions({ policy: "no", segmentBytes: 16 << 10, ...options })
    this.log = openLog(this.disk, this.clock, this.options)
    this.keyspace = new Keyspace(4, { k0: 1, k1: 2 })
    this.begin()
  }

  private begin(): void {
    this.keyspace = new Keyspace(4, { k0: 1, k1: 2 })
    replay(this.keyspace, this.log.read(1))
    this.executor = new CommandExecutor({
      keyspace: this.keyspace,
      now: () => this.clock.now(),
      monotonic: () => this.clock.monotonic(),
      seed: 5,
      log: {
        failure: () => this.log.failure(),
        append: (time, db, origin, command, author, events, count, dbs) =>
          this.log.append(time, db, origin, command, author, events, count, dbs)
      }
    })
    this.executor.attach({} as ControlPorts)
    this.connections = Array.from({ length: 4 }, (_, i) => new TestConnection(i + 1, this.clock.now()))
    this.scripts.clear()
  }

  /** Runs one request; the reply as Latin-1 text. */
  run(connection: TestConnection, ...words: ReadonlyArray<string>): string {
    this.executor.beginChunk()
    this.executor.execute(connection, argvOf(words), this.out)
    this.executor.endChunk()
    return Buffer.concat(this.out.take().map((chunk) => Buffer.from(chunk))).toString("latin1")
  }

  /** Some random requests and transactions, then a frame. */
  turn(random: Random): void {
    for (let i = random.between(1, 12); i > 0; i--) {
      const connection = random.pick(this.connections)
      const script = this.scripts.get(connection) ?? []
      const words = script.shift() ?? (random.chance(0.1)
        ? ["SELECT", String(random.below(4))]
        : random.chance(0.03)
        ? ["FLUSHDB"]
        : random.chance(0.02)
        ? ["CLIENT", "MULTI-ON-ERROR", "CONTINUE"]
        : undefined) ??
        this.begins(connection, random) ?? randomRequest(random, this.clock.now())
      this.run(connection, ...words)
    }
    this.commit()
    this.clock.advance(random.below(40))
    if (random.chance(0.3)) this.executor.expire(1)
  }

  private begins(connection: TestConnection, random: Random): ReadonlyArray<string> | undefined {
    if (!random.chance(0.08)) return undefined
    const script = [...randomTransaction(random, this.clock.now())]
    this.scripts.set(connection, script)
    return script.shift()
  }

  commit(): void {
    this.log.commit()
    this.log.tick()
  }

  /** What a server that goes on tells a reader. */
  live(): { lsn: number; oldest: number } {
    return { lsn: this.log.lsn(), oldest: this.log.status().oldestSequence }
  }

  /** Ends the log as a killed server does, or in order, and opens it again. */
  restart(clean: boolean): void {
    if (clean) this.log.close()
    else this.log.abandon()
    this.log = openLog(this.disk, this.clock, this.options)
    this.begin()
  }
}

/** Every batch of a log with its events one by one, in order. */
export const eventsOf = (batches: Iterable<Batch>) => {
  const all: Array<{ sequence: number; index: number; db: number; tag: string }> = []
  for (const batch of batches) {
    batch.events.forEach((event, index) =>
      all.push({ sequence: batch.sequence, index, db: dbOf(batch, index), tag: event._tag })
    )
  }
  return all
}
