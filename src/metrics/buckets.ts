/** Values counted in a few buckets, as Prometheus's histograms are. */

/** See the head of this file. Counting allocates nothing. */
export class Buckets {
  /** Upper bounds, ascending; what is above the last counts in `count` only. */
  readonly bounds: ReadonlyArray<number>
  count = 0
  sum = 0
  private readonly counts: Float64Array

  constructor(bounds: ReadonlyArray<number>) {
    this.bounds = bounds
    this.counts = new Float64Array(bounds.length)
  }

  record(value: number): void {
    this.count++
    this.sum += value
    for (let i = 0; i < this.bounds.length; i++) {
      if (value <= this.bounds[i]!) {
        this.counts[i]!++
        return
      }
    }
  }

  /** How many values do not pass each bound. */
  cumulative(): ReadonlyArray<number> {
    let sum = 0
    return Array.from(this.counts, (count) => sum += count)
  }
}
