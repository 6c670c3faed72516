/** The memory limit as commands and executor see it: its settings, and what they make of an entry's access clock. */
import type { EvictionPolicy } from "../log/events/fields.ts"

/** What happens at the limit: a policy of eviction, or refusal of commands that may take memory. */
export type MemoryPolicy = EvictionPolicy | "noeviction"

/** The settings of the memory limit; one object per server, changed in place when CONFIG SET changes them. */
export interface MemorySettings {
  /** Bytes that keys, values and tables may take (`maxmemory`); 0: no limit. */
  limit: number
  policy: MemoryPolicy
  /** Keys looked at per eviction (`maxmemory-samples`). */
  samples: number
  /** 0 to 100: how long a command may be held up by evictions (`maxmemory-eviction-tenacity`). */
  tenacity: number
  /** How slowly the frequency counter grows (`lfu-log-factor`). */
  lfuLogFactor: number
  /** Minutes without access that cost a key one count of its frequency (`lfu-decay-time`); 0: none do. */
  lfuDecayMinutes: number
}

/** The settings of a server that was told nothing: no limit. */
export const noMemoryLimit = (): MemorySettings => ({
  limit: 0,
  policy: "noeviction",
  samples: 5,
  tenacity: 10,
  lfuLogFactor: 10,
  lfuDecayMinutes: 1
})

/** What an access by a command does to the clock of the entry. */
export const Tracking = {
  /** Notes the time. */
  time: 0,
  /** Nothing: the client asked for that, or only writes count. */
  none: 1,
  /** Counts, and notes the time. */
  frequency: 2
} as const

/** How accesses are tracked under a policy. LRM (Redis 8.6) leaves the clock to the fold of writes. */
export const trackingOf = (policy: MemoryPolicy): number =>
  policy.endsWith("-lfu") ? Tracking.frequency : policy.endsWith("-lrm") ? Tracking.none : Tracking.time
