/**
 * Data of past moments, kept for the next question about them or a later one, within a bound of memory. One is made or
 * used at a time: who comes while another is at it waits.
 */
import { waiting } from "../history/answers.ts"
import type { LogView } from "../history/log-view.ts"
import { checkpointsOf, Past, pastAt, type PastOptions, type Point } from "../history/past.ts"
import { silent } from "./replies.ts"

/** A checkpoint in between is loaded rather than so many batches folded. */
const ratherFold = 500_000

/** See the head of this file. */
export class Pasts {
  /** The most recently used last. */
  private readonly kept: Array<Past> = []
  private busy = false
  private used = false

  /** Whether the data of just this point is at hand. */
  has({ sequence }: Point): boolean {
    return !this.busy && this.kept.some((past) => past.sequence === sequence)
  }

  /**
   * Runs `use` with the data as of a point, which is nobody else's until it is through. `limit`: bytes of memory for all
   * that is kept. Throws like `pastAt`.
   */
  *using<T>(
    view: LogView,
    point: Point,
    limit: number,
    use: (past: Past) => Generator<number, T>
  ): Generator<number, T> {
    while (this.busy) yield waiting
    this.busy = this.used = true
    try {
      const past = yield* this.at(view, point, limit)
      return yield* use(past)
    } finally {
      this.busy = false
    }
  }

  private *at(view: LogView, point: Point, limit: number): Generator<number, Past> {
    const nearest = this.nearest(view, point)
    let past = nearest
    if (past === undefined) {
      this.shrink(limit)
      const options: PastOptions = { limitBytes: limit, onGrowth: (bytes) => this.shrink(limit - bytes) }
      past = yield* silent(pastAt(view, point, options))
    } else {
      // Not among those that are kept until it is whole again.
      this.kept.splice(this.kept.indexOf(past), 1)
      let done = false
      try {
        yield* silent(past.forward(view, point))
        done = true
      } finally {
        if (!done) past.dispose()
      }
    }
    this.kept.push(past)
    return past
  }

  /** The one to go on from; undefined when it is better to begin anew. */
  private nearest(view: LogView, { sequence }: Point): Past | undefined {
    let best: Past | undefined
    for (const past of this.kept) {
      if (past.sequence <= sequence && (best === undefined || past.sequence > best.sequence)) best = past
    }
    if (best === undefined || sequence - best.sequence <= ratherFold) return best
    const from = best.sequence
    return checkpointsOf(view).some((other) => other > from && other <= sequence) ? undefined : best
  }

  /** Gives up what was not used for longest until what is kept takes no more than `limit` bytes. */
  private shrink(limit: number): void {
    let bytes = this.kept.reduce((sum, { keyspace }) => sum + keyspace.usedBytes, 0)
    while (bytes > limit && this.kept.length > 0) {
      const past = this.kept.shift()!
      bytes -= past.keyspace.usedBytes
      past.dispose()
    }
  }

  /** To be called every now and then: gives everything up when nothing was used since the last call. */
  forgetUnused(): void {
    if (!this.used && !this.busy) this.shrink(-1)
    this.used = false
  }
}
