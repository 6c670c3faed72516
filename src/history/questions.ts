/** What may be asked of a log, as plain data: it goes from the thread that serves clients to the one that reads. */
import type { OpenSegment } from "../log/open-segment.ts"
import type { LiveHead } from "./log-directory.ts"
import type { Moment } from "./moment.ts"

/** What LOG.HISTORY asks for. */
export interface HistoryRequest {
  readonly kind: "history"
  readonly db: number
  readonly key: Uint8Array
  readonly from: Moment | undefined
  readonly to: Moment | undefined
  /** At most so many events. */
  readonly count: number | undefined
  /** Newest first. */
  readonly reverse: boolean
  /** Only what concerns this field, member or element. */
  readonly field: Uint8Array | undefined
}

/** What LOG.READ asks for. */
export interface ReadRequest {
  readonly kind: "read"
  readonly from: number
  readonly to: Moment | undefined
  /** At most so many batches. */
  readonly count: number | undefined
  /** Keys that a batch must name one of. */
  readonly match: Uint8Array | undefined
  /** Types one of which a batch must have; none: any. */
  readonly types: ReadonlyArray<string>
  readonly user: string | undefined
  readonly db: number | undefined
  /** With what was written, not only where. */
  readonly values: boolean
}

/** What LOG.ASOF asks for: the answer of a command that reads. */
export interface AsOfRequest {
  readonly kind: "asof"
  readonly db: number
  readonly moment: Moment
  /** The command inside, its name first. */
  readonly words: ReadonlyArray<Uint8Array>
  /** The keys it looks at; undefined when they cannot be told. */
  readonly keys: ReadonlyArray<Uint8Array> | undefined
}

/** What LOG.DIGEST asks for; without a moment of the newest data. */
export interface DigestRequest {
  readonly kind: "digest"
  readonly moment: Moment | undefined
}

/** What LOG.DIFF asks for: keys that are different between two moments. */
export interface DiffRequest {
  readonly kind: "diff"
  readonly from: Moment
  readonly to: Moment
  /** Keys that matter. */
  readonly match: Uint8Array | undefined
  /** At most so many keys are shown. */
  readonly count: number
}

/** What LOG.UNDO asks for: how to take batches back. */
export interface UndoRequest {
  readonly kind: "undo"
  readonly from: number
  readonly to: number
  /** Only what they did to this key of database `db`. */
  readonly key: Uint8Array | undefined
  readonly db: number
  /** Only tell. */
  readonly dryRun: boolean
  /** Whatever was written since is lost. */
  readonly force: boolean
}

/** A question about data of the past. */
export type PastRequest = AsOfRequest | DigestRequest | DiffRequest | UndoRequest

/** Whatever is asked by a command. */
export type LogRequest = HistoryRequest | ReadRequest | PastRequest

/** Whether a question is about data of the past. */
export const isAboutPast = (request: LogRequest): request is PastRequest =>
  request.kind !== "history" && request.kind !== "read"

/** Whether a question is about few keys: the blocks that hold them are all there is to read. */
export const isSmall = (request: LogRequest): boolean =>
  request.kind === "history" || (request.kind === "asof" && request.keys?.length === 1)

/** A request with what is needed to answer it. */
export interface Question {
  /** Tells answers apart. */
  readonly id: number
  readonly request: LogRequest
  readonly live: LiveHead
  /** What the log knows about the segment it writes, since it was asked before. */
  readonly open?: OpenSegment | undefined
  /** Of the connection that the reply is encoded for. */
  readonly protocol: number
  /** Unix ms. */
  readonly now: number
  /** Bytes that data of the past may take (`history-memory`). */
  readonly memory: number
}

/** What the reading thread is started with. */
export interface ReaderData {
  /** The data directory. */
  readonly directory: string
}

/** What the reading thread is told: a question, or that nobody waits for the answer any more. */
export type ToReader = Question | { readonly cancelled: number }

/** How batches are taken back, for the thread that writes. Databases are named by the numbers they had before. */
export interface UndoPlan {
  /** Databases to exchange first, in this order. */
  readonly swaps: ReadonlyArray<readonly [first: number, second: number]>
  /**
   * Keys that were changed, whose values go: each as a varint, twice the database and one more if it held something
   * before, then varint length and name.
   */
  readonly keys: Uint8Array
  /** What brings back what they held, each as varint database and encoded event. */
  readonly events: Uint8Array
  /** How many keys held something before. */
  readonly restored: number
}

/** An answer. */
export type Answer =
  | {
    readonly kind: "reply"
    /** Encoded. */
    readonly bytes: Uint8Array
    /** Of LOG.READ that found nothing: where to go on. */
    readonly next?: number | undefined
  }
  | { readonly kind: "plan"; readonly plan: UndoPlan }
  /** The text of an error reply. */
  | { readonly kind: "error"; readonly text: string }

/** What the reading thread says. */
export interface FromReader {
  readonly id: number
  readonly answer: Answer
}
