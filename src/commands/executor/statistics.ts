import type { StatisticsPort } from "../ports.ts"
import type { CommandTable } from "../table.ts"

/** Counters of one server: what INFO stats, commandstats and errorstats show. */
export class Statistics implements StatisticsPort {
  commandsProcessed = 0
  keyspaceHits = 0
  keyspaceMisses = 0
  expiredKeys = 0
  evictedKeys = 0
  peakMemory = 0
  private readonly byCode = new Map<string, number>()
  private readonly table: CommandTable

  constructor(table: CommandTable) {
    this.table = table
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
      this.evictedKeys =
        0
    this.peakMemory = 0
    this.byCode.clear()
    for (const row of this.table.all()) {
      row.calls =
        row.micros =
        row.rejected =
        row.failed =
          0
    }
  }
}
