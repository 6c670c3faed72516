/**
 * Durations counted in buckets: 128 to each power of two of nanoseconds, so a value read back is at most 0.8 % too high,
 * the resolution of the histograms Redis keeps (two significant digits, one nanosecond to one second). Counting costs a
 * few integer operations and allocates nothing.
 */

const subBits = 7
const subCount = 1 << subBits
/** Longer durations count as this one. */
const highest = 1_000_000_000
/** Below this each nanosecond has a bucket. */
const linear = subCount << 1

const indexOf = (nanos: number): number => {
  if (nanos < linear) return nanos
  const shift = 31 - Math.clz32(nanos) - subBits
  return (shift << subBits) + (nanos >>> shift)
}

/** The highest value that falls into the same bucket as `nanos`. */
export const highestEquivalent = (nanos: number): number => {
  if (nanos < linear) return nanos
  const shift = 31 - Math.clz32(nanos) - subBits
  return (((nanos >>> shift) + 1) << shift) - 1
}

const highestAt = (index: number): number => {
  if (index < linear) return index
  const shift = (index >>> subBits) - 1
  return ((index - (shift << subBits) + 1) << shift) - 1
}

const buckets = indexOf(highest) + 1

/** A count of durations by length. Takes 24 KiB. */
export class Histogram {
  /** How many durations were counted. */
  count = 0
  /** Their sum in nanoseconds. */
  sum = 0
  private readonly counts = new Float64Array(buckets)

  /** Counts `times` durations of `nanos` nanoseconds each; what is longer than a second counts as a second. */
  record(nanos: number, times = 1): void {
    this.counts[indexOf(nanos >= highest ? highest : nanos <= 1 ? 1 : Math.trunc(nanos))]! += times
    this.count += times
    this.sum += nanos * times
  }

  /** The duration in nanoseconds that `percent` (0 to 100) of those counted do not pass; 0 when there are none. */
  percentile(percent: number): number {
    const wanted = Math.max(1, Math.floor(Math.min(100, percent) / 100 * this.count + 0.5))
    if (this.count === 0) return 0
    let seen = 0
    for (let i = 0; i < buckets; i++) {
      seen += this.counts[i]!
      if (seen >= wanted) return highestAt(i)
    }
    return highestAt(buckets - 1)
  }

  /** How many durations do not pass each of these bounds (nanoseconds, ascending), counted by whole buckets. */
  cumulative(bounds: ReadonlyArray<number>): ReadonlyArray<number> {
    const found: Array<number> = []
    let seen = 0
    let at = 0
    for (const bound of bounds) {
      const last = Math.min(buckets - 1, indexOf(Math.min(bound, highest)))
      while (at <= last) seen += this.counts[at++]!
      found.push(bound >= highest ? this.count : seen)
    }
    return found
  }

  /** Forgets everything. */
  clear(): void {
    this.counts.fill(0)
    this.count = 0
    this.sum = 0
  }
}
