/**
 * What is noticed about commands as they run: how long they take (INFO commandstats and latencystats, SLOWLOG, LATENCY)
 * and, when somebody asks, what they are (MONITOR).
 *
 * **How commands are timed.** Reading the clock costs 50 ns here, as much as a twentieth of a pipelined SET, so it is not
 * read for each. A command that may take long (anything not O(1) or O(log N) by its declaration, many or long arguments,
 * a long reply) is timed on its own. Short ones of the same name that follow each other within a chunk are timed as a
 * run of 1, 2, 4, 8, 16 of them, and where the chunk before was of the same command, of as many as it came to: so a mixed
 * pipeline is timed command by command, a uniform one every sixteenth time, and each command of a run counts with the
 * run's average. A run shorter than the thresholds proves that none of its commands was slow; one that passes them is
 * reported under its last command, whose name and client are those of all of them: a pause of the machine struck one of
 * the sixteen. While a threshold below a millisecond is set, every command is timed on its own.
 */
import { Histogram } from "../../metrics/histogram.ts"
import type { ClientState } from "../client.ts"
import type { Argv } from "../define.ts"
import type { ConnectionPort } from "../ports.ts"
import type { Row } from "../table.ts"
import { LatencyMonitor } from "./latency.ts"
import { monitorLine } from "./monitor.ts"
import { SlowLog } from "./slowlog.ts"

/** Most short commands timed together. */
export const longestRun = 16
/** A request with more words than this is timed on its own. */
export const manyWords = 32
/** As is one whose last word is longer than this. */
export const longWord = 64 * 1024

/** Configuration of what is noticed; plain fields, kept up with CONFIG SET. */
export interface ObserverSettings {
  /** Microseconds from which on a command is slow; negative: none is. */
  slowlogSlowerThan: number
  slowlogMaxLength: number
  /** Milliseconds; 0 turns the latency monitor off. */
  latencyThreshold: number
  latencyTracking: boolean
  /** Percentiles INFO latencystats shows, 0 to 100. */
  latencyPercentiles: ReadonlyArray<number>
}

/** See the head of this file. */
export class Observer {
  readonly slowlog = new SlowLog()
  readonly latency = new LatencyMonitor()
  /** Every command has to be looked at on its own: somebody monitors, or a threshold is very low. */
  attentive = false
  settings: ObserverSettings = {
    slowlogSlowerThan: 10_000,
    slowlogMaxLength: 128,
    latencyThreshold: 0,
    latencyTracking: true,
    latencyPercentiles: [50, 99, 99.9]
  }
  private slowMs = 10
  private readonly watchers = new Set<ConnectionPort>()
  private clock: () => number = () => 0

  configure(settings: ObserverSettings): void {
    this.settings = settings
    this.latency.thresholdMs = settings.latencyThreshold
    const slow = settings.slowlogSlowerThan < 0 ? Infinity : settings.slowlogSlowerThan / 1000
    this.slowMs = Math.min(slow, settings.latencyThreshold > 0 ? settings.latencyThreshold : Infinity)
    this.update()
  }

  private update(): void {
    this.attentive = this.watchers.size > 0 || this.slowMs < 1
  }

  /** Counts `count` commands of one row that took so long together; `argv` are the words of the last, if at hand. */
  record(row: Row, client: ClientState, argv: Argv | undefined, elapsedMs: number, count: number, nowMs: number): void {
    row.micros += elapsedMs * 1000
    if (this.settings.latencyTracking) (row.histogram ??= new Histogram()).record(elapsedMs * 1e6 / count, count)
    if (elapsedMs >= this.slowMs) this.slow(row, client, argv, elapsedMs, nowMs)
  }

  private slow(row: Row, client: ClientState, argv: Argv | undefined, elapsedMs: number, nowMs: number): void {
    this.latency.sample(row.fast ? "fast-command" : "command", elapsedMs, nowMs)
    const { slowlogMaxLength, slowlogSlowerThan } = this.settings
    const micros = elapsedMs * 1000
    if (row.skipSlowlog || slowlogSlowerThan < 0 || micros < slowlogSlowerThan || slowlogMaxLength === 0) return
    this.slowlog.add(row.name, argv, client, nowMs, micros, slowlogMaxLength)
  }

  // ——— MONITOR ———

  /** From now on the connection is shown every command. `clock` gives microseconds since 1970. */
  watch(connection: ConnectionPort, clock: () => number): void {
    this.clock = clock
    this.watchers.add(connection)
    connection.client.monitoring = true
    this.update()
  }

  /** The connection leaves monitoring, or is gone. */
  unwatch(connection: ConnectionPort): void {
    if (!this.watchers.delete(connection)) return
    connection.client.monitoring = false
    this.update()
  }

  get monitors(): number {
    return this.watchers.size
  }

  /** Shows a command that has run to those who monitor. */
  show(row: Row, client: ClientState, argv: Argv): void {
    if (this.watchers.size === 0 || row.skipMonitor) return
    const line = monitorLine(this.clock(), client, row.name, argv)
    for (const watcher of this.watchers) watcher.push(line)
  }
}
