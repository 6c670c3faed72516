/** The memory limit at work: evicts before a command where the data is over it, and in the background. */
import type { Keyspace } from "../../projections/keyspace.ts"
import { type MemorySettings, noMemoryLimit } from "../memory-policy.ts"
import { budgetOf, Evictor, type EvictorPorts, Relief } from "./eviction.ts"
import type { Statistics } from "./statistics.ts"

/** What the limit needs of the executor. */
export interface MemoryLimitPorts extends Omit<EvictorPorts, "settings"> {
  readonly statistics: Statistics
  /** Whether the server may write of its own accord. */
  readonly mayWrite: () => boolean
}

/** See the head of this file. */
export class MemoryLimit {
  readonly settings: MemorySettings = noMemoryLimit()
  /** Whether there is one. */
  active = false
  private budgetMs = 0
  private readonly keyspace: Keyspace
  private readonly ports: MemoryLimitPorts
  private readonly evictor: Evictor

  constructor(ports: MemoryLimitPorts) {
    this.ports = ports
    this.keyspace = ports.keyspace
    this.evictor = new Evictor({ ...ports, settings: this.settings })
  }

  /** Changes limit and policy; data over a new limit goes with the next commands, or in the background. */
  change(settings: Readonly<MemorySettings>): void {
    Object.assign(this.settings, settings)
    this.active = settings.limit > 0
    this.budgetMs = budgetOf(settings.tenacity)
  }

  /**
   * The data is over the limit: evicts until it is not. False when nothing may be evicted any more. Where events cannot
   * be recorded, or time is up, things go on as they are.
   */
  makeRoom(): boolean {
    this.ports.statistics.sampleMemory(this.keyspace.usedBytes)
    return !this.ports.mayWrite() || this.relieve(this.budgetMs) !== Relief.failed
  }

  /** Looks whether the data is over the limit and something can be done about it. */
  isOver(): boolean {
    const used = this.keyspace.usedBytes
    const { mayWrite, statistics } = this.ports
    statistics.sampleMemory(used)
    if (this.active && used > this.settings.limit) return mayWrite()
    statistics.exceeded.end()
    return false
  }

  /** Evicts for at most about so long; a `Relief`. */
  relieve(budgetMs: number): number {
    const relief = this.evictor.relieve(budgetMs)
    const { exceeded } = this.ports.statistics
    if (relief === Relief.done) exceeded.end()
    else exceeded.begin()
    return relief
  }
}
