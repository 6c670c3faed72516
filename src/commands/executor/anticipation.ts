import type { Keyspace } from "../../projections/keyspace.ts"
import { prefetchLimit } from "../../projections/memory/dict.ts"
import type { Slice } from "../../projections/memory/slice.ts"

/** A database of up to so many keys stays in the processor's caches. */
const cachedKeys = 20_000

/** A request parsed ahead; `keyHash` is set to the hash of its second word, or -1. */
export interface ComingRequest {
  readonly length: number
  keyHash: number
  at(i: number): Slice
}

/** Readies look-ups of requests that are yet to run, so that they wait for memory together. */
export class Anticipation {
  private readonly keyspace: Keyspace
  private readonly hashes = new Int32Array(prefetchLimit)
  private prefetched = 0

  constructor(keyspace: Keyspace) {
    this.keyspace = keyspace
  }

  /** Whether a database is so large that its look-ups wait for memory, and so worth anticipating. */
  isWorthwhile(db: number): boolean {
    return this.keyspace.database(db).size > cachedKeys
  }

  /**
   * Readies what the next requests of a pipeline will look up, assuming that the word after a request's name is its key.
   * A guess that is wrong costs a little time and nothing else.
   */
  ready(db: number, requests: ReadonlyArray<ComingRequest>, count: number): void {
    const { dict } = this.keyspace.database(db)
    for (let i = 0; i < count; i++) {
      const request = requests[i]!
      if (request.length < 2) {
        request.keyHash = -1
        this.hashes[i] = 0
        continue
      }
      const key = request.at(1)
      this.hashes[i] = request.keyHash = dict.hash(key.bytes, key.start, key.length)
    }
    this.prefetched ^= dict.prefetch(this.hashes, count)
  }
}
