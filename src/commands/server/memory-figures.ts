/** The accounts of memory that INFO and MEMORY show. */
import { emptyTableBytes } from "../../projections/memory/segments.ts"
import type { Control } from "../ports.ts"

/**
 * Figures in bytes unless said otherwise. All that counts towards `maxmemory` is `used`: blocks of keys, values, tables
 * and deadlines. used ≤ active ≤ resident; the difference is room that freed blocks left.
 */
export interface MemoryFigures {
  readonly used: number
  readonly peak: number
  /** The tables of empty databases. */
  readonly startup: number
  /** Tables of keys and of deadlines, the empty ones included. */
  readonly overhead: number
  readonly keys: number
  /** Pages in use for blocks. */
  readonly active: number
  /** Memory taken for data and not given back to the system. */
  readonly resident: number
  /** The whole process. */
  readonly rss: number
  readonly heapUsed: number
  readonly heapTotal: number
  readonly external: number
  /** What the connections hold; no part of `used`. */
  readonly clients: number
}

/** The figures now. */
export const memoryFigures = ({ clients, d, server, statistics }: Control): MemoryFigures => {
  const { keyspace } = d
  let overhead = 0
  let keys = 0
  for (const { deadlines, dict } of keyspace.databases) {
    overhead += dict.tableBytes + deadlines.tableBytes
    keys += dict.size
  }
  let clientBytes = 0
  for (const connection of clients.all()) clientBytes += connection.memory().total
  const used = keyspace.usedBytes
  return {
    ...server.memory(),
    used,
    peak: Math.max(used, statistics.peakMemory),
    startup: keyspace.databases.length * emptyTableBytes,
    overhead,
    keys,
    active: keyspace.activeBytes,
    resident: keyspace.residentBytes,
    clients: clientBytes
  }
}

/** a / b; 0 where there is nothing to compare with. */
export const share = (a: number, b: number): number => b === 0 ? 0 : a / b
