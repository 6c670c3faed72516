import { type Batch, dbOf } from "../log/event-log.ts"
import type { Event } from "../log/events/catalog.ts"
import { evolve } from "./evolve.ts"
import type { Keyspace } from "./keyspace.ts"
import { prefetchLimit } from "./memory/dict.ts"
import type { Slice } from "./memory/slice.ts"

/** What a replay folded. */
export interface Replayed {
  /** Sequence of the last batch folded; 0 when there was none. */
  readonly sequence: number
  readonly batches: number
  readonly events: number
}

/**
 * Folds batches, in order, into a keyspace, up to and including sequence `until`, as far as it is told at a time.
 * Start-up, DEBUG RELOAD, point-in-time and the tests of the laws all come through here.
 *
 * Batches of one event gather a few at a time before they are folded, so that their look-ups wait for memory together.
 */
export class Replay implements Replayed {
  sequence = 0
  batches = 0
  events = 0
  private readonly keyspace: Keyspace
  private readonly source: Iterator<Batch>
  private readonly until: number
  /** What has gathered: events, each a batch of its own, all of one database, and when they were. */
  private readonly held: Array<Event> = []
  private readonly times = new Float64Array(prefetchLimit)
  private readonly hashes = new Int32Array(prefetchLimit)
  private heldDb = 0
  private prefetched = 0

  constructor(keyspace: Keyspace, batches: Iterable<Batch>, until: number = Number.POSITIVE_INFINITY) {
    this.keyspace = keyspace
    this.source = batches[Symbol.iterator]()
    this.until = until
  }

  /** Folds until at least so many further events are folded; true when nothing is left. */
  slice(events: number): boolean {
    const enough = this.events + events
    const { held, source } = this
    while (this.events + held.length < enough) {
      const step = source.next()
      if (step.done === true) {
        this.settle()
        return true
      }
      const batch = step.value
      if (batch.sequence > this.until) {
        this.settle()
        this.stop()
        return true
      }
      if (batch.events.length === 1) {
        if (batch.db !== this.heldDb) this.settle()
        this.heldDb = batch.db
        this.times[held.length] = batch.time
        held.push(batch.events[0]!)
      } else {
        this.settle()
        this.fold(batch)
      }
      this.sequence = batch.sequence
      this.batches++
      if (batch.last || held.length === prefetchLimit) this.settle()
    }
    this.settle()
    return false
  }

  private fold(batch: Batch): void {
    const { keyspace } = this
    keyspace.turn.next(batch.time)
    for (let i = 0; i < batch.events.length; i++) evolve(keyspace, dbOf(batch, i), batch.events[i]!)
    this.events += batch.events.length
  }

  /** Folds what has gathered. */
  private settle(): void {
    const { hashes, held, heldDb, keyspace, times } = this
    const count = held.length
    if (count === 0) return
    const { dict } = keyspace.database(heldDb)
    for (let i = 0; i < count; i++) {
      const key = keyOf(held[i]!)
      hashes[i] = key === undefined ? 0 : dict.hash(key.bytes, key.start, key.length)
    }
    this.prefetched ^= dict.prefetch(hashes, count)
    const { turn } = keyspace
    for (let i = 0; i < count; i++) {
      const event = held[i]!
      turn.next(times[i]!)
      const key = keyOf(event)
      if (key !== undefined) {
        turn.knownKey = key
        turn.knownHash = hashes[i]!
      }
      evolve(keyspace, heldDb, event)
    }
    held.length = 0
    this.events += count
  }

  /** Gives back what the source holds open. */
  stop(): void {
    this.source.return?.()
  }
}

/** The key an event is about, if it is about one. */
const keyOf = (event: Event): Slice | undefined =>
  event._tag === "StringSet" ? event.key : (event as { readonly key?: Slice }).key

/** Folds batches into a keyspace in one go; see `Replay`. */
export const replay = (keyspace: Keyspace, batches: Iterable<Batch>, until?: number): Replayed => {
  const whole = new Replay(keyspace, batches, until)
  whole.slice(Number.POSITIVE_INFINITY)
  return whole
}
