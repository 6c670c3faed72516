import { CommandExecutor } from "../../../src/commands/executor/executor.ts"
import { LogUnavailable } from "../../../src/log/event-log.ts"
import { ReplyBuffer } from "../../../src/net/resp/encoder.ts"
import { Keyspace } from "../../../src/projections/keyspace.ts"
import { argvOf, TestConnection } from "../../support/harness.ts"

/** An executor whose wall clock and monotonic clock move apart: the second one by `tickMs` per look at it. */
export class Rig {
  now = 1_700_000_000_000
  monotonicNow = 0
  tickMs = 0
  /** How often the monotonic clock was read. */
  looks = 0
  failure: LogUnavailable | undefined = undefined
  readonly batches: Array<string> = []
  /** Called whenever the log gets a batch, before it is folded. */
  onAppend: (() => void) | undefined
  readonly keyspace: Keyspace
  readonly executor: CommandExecutor
  readonly connection: TestConnection
  readonly out = new ReplyBuffer()

  constructor() {
    this.keyspace = new Keyspace(16, { k0: 1, k1: 2 })
    this.executor = new CommandExecutor({
      keyspace: this.keyspace,
      now: () => this.now,
      monotonic: () => {
        this.looks++
        return this.monotonicNow += this.tickMs
      },
      seed: 1,
      log: {
        failure: () => this.failure,
        append: (_time, db, origin, _command, _author, events, count) => {
          const tags = events.slice(0, count).map((event) =>
            "key" in event ? `${event._tag} ${event.key.latin1()}` : event._tag
          )
          this.onAppend?.()
          return this.batches.push(`${origin} db${db} ${tags.join(", ")}`)
        }
      }
    })
    this.connection = new TestConnection(1, this.now)
  }

  /** Runs one request; undefined when clients are paused. */
  bytes(...words: ReadonlyArray<string>): Buffer | undefined {
    this.executor.beginChunk()
    const done = this.executor.execute(this.connection, argvOf(words), this.out)
    this.executor.endChunk()
    const reply = Buffer.concat(this.out.take().map((chunk) => Buffer.from(chunk)))
    return done ? reply : undefined
  }

  /** Like `bytes`, as text of one character per byte; "(paused)" when clients are. */
  run(...words: ReadonlyArray<string>): string {
    return this.bytes(...words)?.toString("latin1") ?? "(paused)"
  }

  /** The batches since the last call. */
  drain(): Array<string> {
    return this.batches.splice(0)
  }

  /** The log refuses writes. */
  breakLog(reason = "No space left on device"): void {
    this.failure = new LogUnavailable({ reason })
  }

  /** What CONFIG RESETSTAT and INFO commandstats count of one command. */
  counters(name: string): { calls: number; rejected: number; failed: number } {
    for (const row of this.executor.table.all()) {
      if (row.name === name) return { calls: row.calls, rejected: row.rejected, failed: row.failed }
    }
    throw new Error(`no command ${name}`)
  }
}
