import { type Batch, dbOf } from "../log/event-log.ts"
import { evolve } from "./evolve.ts"
import type { Keyspace } from "./keyspace.ts"

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
 */
export class Replay implements Replayed {
  sequence = 0
  batches = 0
  events = 0
  private readonly keyspace: Keyspace
  private readonly source: Iterator<Batch>
  private readonly until: number

  constructor(keyspace: Keyspace, batches: Iterable<Batch>, until: number = Number.POSITIVE_INFINITY) {
    this.keyspace = keyspace
    this.source = batches[Symbol.iterator]()
    this.until = until
  }

  /** Folds until at least so many further events are folded; true when nothing is left. */
  slice(events: number): boolean {
    const enough = this.events + events
    const { keyspace, source } = this
    while (this.events < enough) {
      const step = source.next()
      if (step.done === true) return true
      const batch = step.value
      if (batch.sequence > this.until) {
        this.stop()
        return true
      }
      keyspace.turn.next(batch.time)
      for (let i = 0; i < batch.events.length; i++) evolve(keyspace, dbOf(batch, i), batch.events[i]!)
      this.sequence = batch.sequence
      this.batches++
      this.events += batch.events.length
    }
    return false
  }

  /** Gives back what the source holds open. */
  stop(): void {
    this.source.return?.()
  }
}

/** Folds batches into a keyspace in one go; see `Replay`. */
export const replay = (keyspace: Keyspace, batches: Iterable<Batch>, until?: number): Replayed => {
  const whole = new Replay(keyspace, batches, until)
  whole.slice(Number.POSITIVE_INFINITY)
  return whole
}
