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
 * Folds batches, in order, into a keyspace, up to and including sequence `until`. Start-up, DEBUG RELOAD, point-in-time
 * and the tests of the laws all come through here.
 */
export const replay = (
  keyspace: Keyspace,
  batches: Iterable<Batch>,
  until: number = Number.POSITIVE_INFINITY
): Replayed => {
  let sequence = 0
  let count = 0
  let events = 0
  for (const batch of batches) {
    if (batch.sequence > until) break
    keyspace.turn.next(batch.time)
    for (let i = 0; i < batch.events.length; i++) evolve(keyspace, dbOf(batch, i), batch.events[i]!)
    sequence = batch.sequence
    count++
    events += batch.events.length
  }
  return { sequence, batches: count, events }
}
