import { Schema } from "effect"

/**
 * Why a log cannot be opened or read. Each carries the exit code of the process and `message`, the full text for the
 * user: what is wrong, where, what it costs and what can be done.
 */

/** The log is damaged below the durable mark: data that was safe is not there any more. Nothing was changed. */
export class LogCorrupt extends Schema.TaggedError<LogCorrupt>()("LogCorrupt", {
  /** What is wrong, in a few words. */
  reason: Schema.String,
  /** Name of the segment file, or of the manifest. */
  segment: Schema.String,
  /** Byte position in the segment file. */
  position: Schema.Number,
  /** Byte position in the stream of frames. */
  lsn: Schema.Number,
  /** First sequence that cannot be read. */
  sequence: Schema.Number,
  /** Last sequence known to have existed, or undefined when nothing tells. */
  lastSequence: Schema.UndefinedOr(Schema.Number),
  /** Unix milliseconds of the last good frame before, and of the first good one after the damage, where known. */
  timeBefore: Schema.UndefinedOr(Schema.Number),
  timeAfter: Schema.UndefinedOr(Schema.Number),
  bytesLost: Schema.Number,
  message: Schema.String
}) {
  readonly exitCode = 3
}

/** Written by a newer version of the program, in a format this one does not know. Nothing was changed. */
export class LogFormatTooNew extends Schema.TaggedError<LogFormatTooNew>()("LogFormatTooNew", {
  segment: Schema.String,
  oldestReader: Schema.Number,
  supported: Schema.Number,
  message: Schema.String
}) {
  readonly exitCode = 4
}

/** Another living process has the data directory. */
export class LogLocked extends Schema.TaggedError<LogLocked>()("LogLocked", {
  owner: Schema.String,
  message: Schema.String
}) {
  readonly exitCode = 5
}
