/** How long the log's writes and syncs take and how large its frames are: for the metrics and the latency monitor. */
import type { LatencyMonitor } from "../commands/observation/latency.ts"
import type { LogObserver } from "../log/event-log.ts"
import { Buckets } from "../metrics/buckets.ts"

const seconds = [0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5]

/** See the head of this file. */
export class LogTimings implements LogObserver {
  readonly frameBytes = new Buckets([64, 256, 1024, 4096, 16_384, 65_536, 262_144, 1_048_576, 4_194_304, 16_777_216])
  readonly writeSeconds = new Buckets(seconds)
  readonly syncSeconds = new Buckets(seconds)
  private readonly latency: LatencyMonitor
  private readonly now: () => number
  private readonly syncIsAwaited: () => boolean

  /** `now` is Unix ms; `syncIsAwaited` tells whether replies wait for syncs. */
  constructor(latency: LatencyMonitor, now: () => number, syncIsAwaited: () => boolean) {
    this.latency = latency
    this.now = now
    this.syncIsAwaited = syncIsAwaited
  }

  wrote(ms: number, bytes: number): void {
    this.frameBytes.record(bytes)
    this.writeSeconds.record(ms / 1000)
    if (this.latency.thresholdMs > 0) {
      this.latency.sample("aof-write", ms, this.now())
      this.latency.sample("aof-write-alone", ms, this.now())
    }
  }

  synced(ms: number): void {
    this.syncSeconds.record(ms / 1000)
    if (this.latency.thresholdMs > 0) {
      this.latency.sample(this.syncIsAwaited() ? "aof-fsync-always" : "aof-fsync", ms, this.now())
    }
  }
}
