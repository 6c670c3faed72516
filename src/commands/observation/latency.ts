/** LATENCY's memory: for each kind of event the last moments at which it took longer than latency-monitor-threshold. */

/** Samples kept per kind, as in Redis: one per second at most. */
const samplesKept = 160
/** Kinds of events; names are constants of the program, but a bound costs nothing. */
const kindsKept = 64

/** What happened at one second. */
export interface LatencySample {
  /** Unix seconds. */
  readonly time: number
  /** The longest duration of that second, ms. */
  readonly ms: number
}

/** The samples of one kind of event. */
export class LatencySeries {
  /** Longest duration since the last reset, ms. */
  max = 0
  private ring: Array<LatencySample> = []

  add(time: number, ms: number): void {
    if (ms > this.max) this.max = ms
    const last = this.ring.at(-1)
    if (last?.time === time) {
      if (ms > last.ms) this.ring[this.ring.length - 1] = { time, ms }
      return
    }
    this.ring.push({ time, ms })
    if (this.ring.length > samplesKept) this.ring.shift()
  }

  /** Oldest first; never empty. */
  get samples(): ReadonlyArray<LatencySample> {
    return this.ring
  }
}

/** Average, mean deviation and so on of one kind, for LATENCY DOCTOR. */
export interface LatencyFigures {
  readonly count: number
  readonly average: number
  readonly deviation: number
  readonly minimum: number
  readonly maximum: number
  /** Seconds between samples. */
  readonly period: number
}

/** Figures over the samples kept. */
export const latencyFigures = ({ samples }: LatencySeries): LatencyFigures => {
  const count = samples.length
  const durations = samples.map(({ ms }) => ms)
  const average = durations.reduce((sum, ms) => sum + ms, 0) / count
  const deviation = durations.reduce((sum, ms) => sum + Math.abs(ms - average), 0) / count
  const span = samples.at(-1)!.time - samples[0]!.time
  return {
    count,
    average,
    deviation,
    minimum: Math.min(...durations),
    maximum: Math.max(...durations),
    period: count > 1 ? span / (count - 1) : 0
  }
}

/** See the head of this file. */
export class LatencyMonitor {
  /** latency-monitor-threshold, ms; 0 measures nothing. */
  thresholdMs = 0
  private readonly byKind = new Map<string, LatencySeries>()

  /** Notes that an event of some kind took so long, if that is long enough. `nowMs` is Unix ms. */
  sample(kind: string, ms: number, nowMs: number): void {
    if (this.thresholdMs === 0 || ms < this.thresholdMs) return
    let series = this.byKind.get(kind)
    if (series === undefined) {
      if (this.byKind.size >= kindsKept) return
      this.byKind.set(kind, series = new LatencySeries())
    }
    series.add(Math.floor(nowMs / 1000), Math.round(ms))
  }

  /** The samples of a kind; undefined when there are none. */
  series(kind: string): LatencySeries | undefined {
    return this.byKind.get(kind)
  }

  all(): Iterable<readonly [kind: string, series: LatencySeries]> {
    return this.byKind.entries()
  }

  /** Forgets these kinds, or all when none is named; returns how many there were. */
  reset(kinds: ReadonlyArray<string>): number {
    if (kinds.length > 0) return kinds.filter((kind) => this.byKind.delete(kind)).length
    const count = this.byKind.size
    this.byKind.clear()
    return count
  }
}
