import type { StatisticsPort } from "../ports.ts"
import type { CommandTable } from "../table.ts"

/** How long the data has been over the memory limit. */
class ExceededTime {
  private readonly monotonic: () => number
  private since: number | undefined
  private endedMs = 0

  constructor(monotonic: () => number) {
    this.monotonic = monotonic
  }

  /** The data is over the limit, since now unless it was before. */
  begin(): void {
    this.since ??= this.monotonic()
  }

  /** It is within the limit. */
  end(): void {
    if (this.since === undefined) return
    this.endedMs += this.monotonic() - this.since
    this.since = undefined
  }

  get currentMs(): number {
    return this.since === undefined ? 0 : this.monotonic() - this.since
  }

  get totalMs(): number {
    return this.endedMs + this.currentMs
  }

  reset(): void {
    this.since = undefined
    this.endedMs = 0
  }
}

/** Counters of one server: what INFO stats, commandstats and errorstats show. */
export class Statistics implements StatisticsPort {
  commandsProcessed = 0
  keyspaceHits = 0
  keyspaceMisses = 0
  expiredKeys = 0
  /** Fields of hashes. */
  expiredFields = 0
  evictedKeys = 0
  peakMemory = 0
  readonly exceeded: ExceededTime
  /** Milliseconds spent burying keys in the background. */
  expireCycleMs = 0
  /** How often that ran out of time with keys still due. */
  expireCapReached = 0
  evictedClients = 0
  private readonly byCode = new Map<string, number>()
  private readonly table: CommandTable

  /** @param monotonic milliseconds */
  constructor(table: CommandTable, monotonic: () => number) {
    this.table = table
    this.exceeded = new ExceededTime(monotonic)
  }

  /** Notes how much memory the data takes now, for the peak. */
  sampleMemory(usedBytes: number): void {
    if (usedBytes > this.peakMemory) this.peakMemory = usedBytes
  }

  /** Counts a key whose time was over, or with more than 0 so many fields. */
  countDeath(fields: number): void {
    if (fields === 0) this.expiredKeys++
    else this.expiredFields += fields
  }

  *commands() {
    for (const row of this.table.all()) if (row.calls + row.rejected > 0) yield [row.name, row] as const
  }

  errors() {
    return this.byCode.entries()
  }

  /** Most codes counted: a program that sends ever new ones must not fill the memory. */
  private static readonly codeLimit = 128

  countError(code: string): void {
    const count = this.byCode.get(code)
    if (count !== undefined || this.byCode.size < Statistics.codeLimit) this.byCode.set(code, (count ?? 0) + 1)
  }

  /** CONFIG RESETSTAT. */
  reset(): void {
    this.commandsProcessed =
      this.keyspaceHits =
      this.keyspaceMisses =
      this.expiredKeys =
      this.expiredFields =
      this.evictedKeys =
        0
    this.expireCycleMs =
      this.expireCapReached =
      this.evictedClients =
        0
    this.exceeded.reset()
    this.byCode.clear()
    for (const row of this.table.all()) {
      row.calls =
        row.micros =
        row.rejected =
        row.failed =
          0
      row.histogram = undefined
    }
  }
}
