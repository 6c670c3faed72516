import * as Context from "effect/Context"
import * as Schema from "effect/Schema"
import type { Event } from "./events/catalog.ts"
import type { TellOpen } from "./open-segment.ts"

/** Who wrote a batch: one record per connection and segment on disk. `revision` rises when any of the facts changes. */
export interface Author {
  readonly clientId: number
  readonly address: string
  readonly localAddress: string
  readonly user: string
  readonly name: string
  readonly library: string
  readonly protocol: number
  /** Unix milliseconds. */
  readonly connectedAt: number
  readonly revision: number
  /** Scratch of the log: where this author's record stands in the open segment. Nobody else touches it. */
  logged: { segment: number; revision: number; ref: number }
}

/** What caused a batch. */
export const origins = ["client", "expire", "evict", "script", "replica", "import", "undo", "admin"] as const
export type Origin = typeof origins[number]

const evictOrigin = origins.indexOf("evict")

/** An origin's number on disk. Evictions, at the memory limit as frequent as clients' batches, are spared the search. */
export const numberOfOrigin = (origin: Origin): number => origin === "evict" ? evictOrigin : origins.indexOf(origin)

/** One atomic unit: everything one command, one EXEC or one script changed, or one background change. */
export interface Batch {
  /** 1, 2, 3 … without gaps. */
  sequence: number
  /** Unix milliseconds, never falling. */
  time: number
  /** Database the events apply to; where they are of several, that of the first. */
  db: number
  /** Where the events are of several databases (a SELECT inside EXEC): the database of each. */
  dbs: ReadonlyArray<number> | undefined
  origin: Origin
  /** Number of the command in the registry; 0 when no command caused it. */
  command: number
  author: Author | undefined
  events: ReadonlyArray<Event>
  /** The step after this batch overwrites the bytes that its events, and those of the batches before it, point into. */
  last: boolean
}

/** Database of one event of a batch, by its place. */
export const dbOf = (batch: Batch, index: number): number => batch.dbs === undefined ? batch.db : batch.dbs[index]!

/** Why the log cannot take writes right now. */
export class LogUnavailable extends Schema.TaggedError<LogUnavailable>()("LogUnavailable", {
  reason: Schema.String,
  cause: Schema.optional(Schema.Defect())
}) {}

/** Is told what the disk does for the log; called from within it, so it must be quick and must not call the log. */
export interface LogObserver {
  /** A frame of so many bytes was written in so many milliseconds. */
  readonly wrote: (ms: number, bytes: number) => void
  /** A sync has finished that took so many milliseconds. */
  readonly synced: (ms: number) => void
}

/** Figures for INFO; bytes unless said otherwise. */
export interface LogStatus {
  readonly sequence: number
  /** Unix ms of the newest batch; 0 before the first. */
  readonly time: number
  readonly lsn: number
  readonly durableLsn: number
  readonly oldestSequence: number
  readonly segments: number
  /** On disk. */
  readonly bytes: number
  /** What they would take if no segment were compressed. */
  readonly originalBytes: number
  readonly compressedSegments: number
  readonly tornBytes: number
  /** Hex of the chain value at the last SEAL. */
  readonly chainHead: string
  readonly lastWriteOk: boolean
  readonly fsyncs: number
  readonly fsyncPending: boolean
  readonly delayedFsyncs: number
}

/**
 * The log as the rest of the program sees it: batches go in, are committed in groups and become durable; batches come
 * out in order. No path, file or descriptor appears here, so the same interface fits segment files, memory and one day
 * a replicated log. Hot-path members are plain functions: `append` copies bytes, `commit` is one write per event-loop turn.
 */
export class EventLog extends Context.Service<EventLog, {
  /**
   * Copies one batch into the open group and returns its sequence. Call only while `failure()` is undefined. `dbs`, for
   * events of several databases, says which each is of, and `db` is that of the first.
   */
  readonly append: (
    time: number,
    db: number,
    origin: Origin,
    command: number,
    author: Author | undefined,
    events: ReadonlyArray<Event>,
    count: number,
    dbs?: ReadonlyArray<number>
  ) => number
  /**
   * Ends the turn: what was appended becomes one frame and is written. Under `always` a sync starts, which a `patient`
   * caller leaves until a turn brings nothing more to write, a few turns at most: so the requests of many clients share
   * it. True: the sync has been put off, commit again at the end of the next turn.
   */
  readonly commit: (patient?: boolean) => boolean
  /** Sequence of the newest batch appended; 0 before the first. */
  readonly sequence: () => number
  /** Position after the newest committed frame. */
  readonly lsn: () => number
  /** Replies to what was appended up to now may leave once `released() >= lsn()` as it is after the next commit. */
  readonly released: () => number
  /** Called after `released()` has grown outside of `commit` (a sync has finished). One listener. */
  readonly onReleased: (listener: () => void) => void
  /** Sets who is told what the disk does. One observer. */
  readonly observe: (observer: LogObserver) => void
  /** Why writes are refused, or undefined. */
  readonly failure: () => LogUnavailable | undefined
  /**
   * Every batch from `sequence` on that is committed, in order. The batch object is reused per step; its events, each an
   * object of its own, are good until the step after a batch that is the `last`.
   * Throws `HistoryDropped` when the log begins later.
   */
  readonly read: (fromSequence: number) => Iterable<Batch>
  readonly status: () => LogStatus
  /** What has come to be known about where things are in the newest part of the log, for who reads it elsewhere. */
  readonly openSegment: TellOpen
  /**
   * Makes everything appended so far durable whatever the policy: `blocking`, now, and answers whether it is; otherwise
   * it only starts to, and whether it is shows when asked again.
   */
  readonly sync: (blocking: boolean) => boolean
  /** Changes the sync policy while running (CONFIG SET appendfsync). */
  readonly setPolicy: (policy: "always" | "everysec" | "no") => void
}>()("annals/log/EventLog") {}
