/** Keeps the data within the memory limit: who has to go, one event each, and for how long that may hold things up. */
import type { Event, EventOf } from "../../log/events/catalog.ts"
import type { EvictionPolicy } from "../../log/events/fields.ts"
import * as Entry from "../../projections/entry.ts"
import type { Keyspace } from "../../projections/keyspace.ts"
import { copyBytes, Slice } from "../../projections/memory/slice.ts"
import type { MemorySettings } from "../memory-policy.ts"
import { Candidates } from "./candidates.ts"
import { firstDue } from "./expiry.ts"

/** Evictions between two looks at the clock. */
const stride = 16

/** What making room came to. */
export const Relief = {
  /** The data is within the limit. */
  done: 0,
  /** It is not, but time is up: later goes on. */
  running: 1,
  /** It is not, and nothing that is left may be evicted. */
  failed: 2
} as const

/**
 * How long evictions may hold up a command, in milliseconds, by `maxmemory-eviction-tenacity`: up to 10 fifty
 * microseconds for each, from there on 15 % more for each, at 100 without end. As in Redis 7.
 */
export const budgetOf = (tenacity: number): number =>
  tenacity >= 100 ? Infinity : tenacity <= 10 ? 0.05 * tenacity : 0.5 * 1.15 ** (tenacity - 10)

/** What the evictor needs of the executor. */
export interface EvictorPorts {
  readonly keyspace: Keyspace
  readonly settings: MemorySettings
  /** A uniform u32. */
  readonly random: () => number
  /** Milliseconds. */
  readonly monotonic: () => number
  /** Unix milliseconds. */
  readonly now: () => number
  /** Records and folds the end of a key that is past its deadline. */
  readonly buryDead: (db: number, key: Slice) => void
  /** Records and folds one eviction. The event is used again for the next one; `hash` is that of its key. */
  readonly evict: (db: number, events: ReadonlyArray<Event>, key: Slice, hash: number) => void
}

/** Frees memory until the data is within the limit. */
export class Evictor {
  private readonly ports: EvictorPorts
  private readonly candidates: Candidates
  private readonly key = new Slice()
  private readonly keyBytes = new Uint8Array(512)
  private readonly event: { -readonly [Field in keyof EventOf<"KeyEvicted">]: EventOf<"KeyEvicted">[Field] } = {
    _tag: "KeyEvicted",
    key: this.key,
    policy: "allkeys-lru"
  }
  private readonly events: ReadonlyArray<Event> = [this.event]
  /** At this time, in unix milliseconds, no key was past its deadline: hardly any will be until it is later. */
  private noneDeadAt = -1

  constructor(ports: EvictorPorts) {
    this.ports = ports
    this.candidates = new Candidates(ports.keyspace, ports.settings, ports.random)
  }

  /** Evicts as long as the data is over the limit, for at most about `budgetMs`. Returns a `Relief`. */
  relieve(budgetMs: number): number {
    const { keyspace, monotonic, settings } = this.ports
    // The clock is first read when so many are gone: one eviction per command, the usual case, is spared it.
    let until = 0
    for (let freed = 1; keyspace.usedBytes > settings.limit; freed++) {
      // Collections that were let go already make room before any other key does; a piece of one takes about as long.
      if (keyspace.hasGarbage) {
        keyspace.sweep()
        freed = stride
      } else if (!this.buryOneDead() && !this.evictOne() && !this.buryOneBornDead()) return Relief.failed
      if (freed % stride !== 0) continue
      const now = monotonic()
      if (until === 0) until = now + budgetMs
      else if (now >= until) return keyspace.usedBytes > settings.limit ? Relief.running : Relief.done
    }
    return Relief.done
  }

  /** Keys past their deadline make room before any that lives. */
  private buryOneDead(): boolean {
    const now = this.ports.now()
    if (now === this.noneDeadAt) return false
    const { databases } = this.ports.keyspace
    for (let db = 0; db < databases.length; db++) {
      const database = databases[db]!
      if (database.deadlines.size === 0) continue
      const p = firstDue(database, now)
      if (p === 0) continue
      this.ports.buryDead(db, this.keep(Entry.keyOf(database.arena, p, this.key)))
      return true
    }
    this.noneDeadAt = now
    return false
  }

  /** The last resort: a key may have been written with a deadline that was past already. */
  private buryOneBornDead(): boolean {
    this.noneDeadAt = -1
    return this.buryOneDead()
  }

  private evictOne(): boolean {
    const { candidates, event, ports } = this
    if (!candidates.choose()) return false
    const { arena } = ports.keyspace.database(candidates.db)
    event.key = this.keep(Entry.keyOf(arena, candidates.pointer, this.key))
    event.policy = ports.settings.policy as EvictionPolicy
    ports.evict(candidates.db, this.events, event.key, candidates.hash)
    return true
  }

  /** The key, moved to where it outlives its entry: the log reads it while the fold frees the block. */
  private keep(key: Slice): Slice {
    if (key.length > this.keyBytes.length) return key.copy()
    copyBytes(this.keyBytes, 0, key.bytes, key.start, key.length)
    return key.set(this.keyBytes, 0, key.length)
  }
}
