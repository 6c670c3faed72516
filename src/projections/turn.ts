import { freshClock } from "./access.ts"
import type { Slice } from "./memory/slice.ts"

/**
 * The command or batch at work, shared by the databases of a keyspace. Whoever starts one calls `next`: memories of
 * slices end there, and entries touched from then on carry its time.
 */
export class Turn {
  number = 0
  /** The access clock of entries that are new at the batch's time. */
  clock = freshClock(0)
  /** Of the batch, Unix ms. */
  private timeMs = 0

  /**
   * A key whose hash is known already, and that hash, as a signed number like all hashes that are handed on here: half of
   * the unsigned ones would each take an object on the heap.
   */
  knownKey: Slice | undefined = undefined
  knownHash = 0

  next(timeMs: number): void {
    this.number++
    this.knownKey = undefined
    if (timeMs === this.timeMs) return
    this.timeMs = timeMs
    this.clock = freshClock(timeMs)
  }
}
