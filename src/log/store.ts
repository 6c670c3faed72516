import type { Disk } from "./disk.ts"
import type { EventLog } from "./event-log.ts"

/** When a frame is fsynced: before its replies leave, once a second, or when the kernel likes. */
export type SyncPolicy = "always" | "everysec" | "no"

/** The two clocks the log reads. */
export interface LogClock {
  /** Unix milliseconds. */
  now(): number
  /** Milliseconds of a clock that never steps. */
  monotonic(): number
}

/** How a log is kept. */
export interface LogOptions {
  readonly policy: SyncPolicy
  /** Source of the store's and the replication id: 36 random bytes per call (16 for the first, 20 for the second). */
  readonly randomId: () => Uint8Array
  /** A segment is rotated when it would grow past this; default 64 MiB, 4 KiB to 2 GiB. */
  readonly segmentBytes?: number
  /** After this long without a write a SYNC frame vouches for what was synced last; default 200. */
  readonly syncIdleMs?: number
  /** Seal the chain every so many milliseconds or bytes in addition to rotation; absent: only at rotation and close. */
  readonly chainInterval?: { readonly ms: number; readonly bytes: number }
  /** Called with one line whenever an operator should know: a torn tail was cut, writes stopped, writes go on. */
  readonly warn?: (message: string) => void
}

/** What opening the log found. */
export interface Recovery {
  readonly verdict: "new" | "clean" | "torn"
  /** Newest sequence after recovery. */
  readonly sequence: number
  /** Bytes cut from the tail, 0 when clean. */
  readonly tornBytes: number
  /** Where they were copied ("quarantine/…"), if any were. */
  readonly quarantine: string | undefined
  readonly segments: number
}

/** An open log: what `EventLog` offers, and what its owner has to do for it. */
export type OpenedLog = EventLog["Service"] & {
  /** Time passes: call about every 50 ms. Starts syncs, writes SYNC frames, retries after failures. */
  readonly tick: () => void
  /** Writes and syncs everything, seals, updates the manifest, gives the lock back. */
  readonly close: () => void
  /** Gives file handles and lock back without writing anything, as if the process had been killed. */
  readonly abandon: () => void
  readonly recovery: Recovery
  /**
   * Called when an fsync has failed under `always`: the process has to end before any reply leaves. One listener.
   */
  readonly onFatal: (listener: (error: unknown) => void) => void
}

/**
 * Opens the log of a data directory, creating it if there is none, and recovers it. Synchronous.
 * Throws `LogCorrupt` (exit 3), `LogFormatTooNew` (4), `LogLocked` (5) or `DiskError`.
 */
export declare const openLog: (disk: Disk, clock: LogClock, options: LogOptions) => OpenedLog
