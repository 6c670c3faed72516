import * as Schema from "effect/Schema"
import { type Moment, printMoment } from "./moment.ts"

/** What was asked for lies before the oldest that retention has kept. */
export class Truncated extends Schema.TaggedError<Truncated>()("Truncated", {
  /** The moment as it was written. */
  asked: Schema.String,
  /** First sequence there is. */
  oldest: Schema.Number,
  message: Schema.String
}) {}

/** What was asked for has not happened yet. */
export class BeyondHead extends Schema.TaggedError<BeyondHead>()("BeyondHead", {
  asked: Schema.String,
  /** Newest sequence. */
  head: Schema.Number,
  message: Schema.String
}) {}

/** A `Truncated` with the text the user sees. */
export const truncated = (asked: Moment, oldest: number): Truncated =>
  new Truncated({
    asked: printMoment(asked),
    oldest,
    message: `${printMoment(asked)} was dropped by history-retention, the oldest sequence is ${oldest}`
  })

/** A `Truncated` of a moment whose events are there, but not the data they changed. */
export const withoutBeginning = (asked: Moment, oldest: number, checkpoint: number | undefined): Truncated =>
  new Truncated({
    asked: printMoment(asked),
    oldest: checkpoint ?? oldest,
    message: `the data of ${printMoment(asked)} cannot be had: the log begins with sequence ${oldest} and `
      + (checkpoint === undefined
        ? "there is no checkpoint to begin with"
        : `the oldest checkpoint is of sequence ${checkpoint}`)
  })

/** The data of a moment takes more memory than it may. */
export class PastTooLarge extends Schema.TaggedError<PastTooLarge>()("PastTooLarge", {
  /** Bytes that were allowed. */
  limit: Schema.Number,
  message: Schema.String
}) {}

/** A `BeyondHead` with the text the user sees. */
export const beyondHead = (asked: Moment, head: number): BeyondHead =>
  new BeyondHead({
    asked: printMoment(asked),
    head,
    message: `${printMoment(asked)} has not happened yet, the newest sequence is ${head}`
  })
