import * as Schema from "effect/Schema"

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

/** Retention has dropped what was asked for. */
export class HistoryDropped extends Schema.TaggedError<HistoryDropped>()("HistoryDropped", {
  /** First sequence that was asked for, and first one there is. */
  from: Schema.Number,
  oldest: Schema.Number,
  message: Schema.String
}) {}

/** A `HistoryDropped` with the text the user sees. */
export const historyDropped = (from: number, oldest: number): HistoryDropped =>
  new HistoryDropped({
    from,
    oldest,
    message: `Sequences ${from} to ${oldest - 1} were dropped by history-retention; the log begins with ${oldest}.`
  })

/** What is known about a damage; see `LogCorrupt`. */
export interface Damage {
  readonly reason: string
  readonly segment: string
  readonly position: number
  readonly lsn: number
  readonly sequence: number
  readonly lastSequence?: number | undefined
  readonly timeBefore?: number | undefined
  readonly timeAfter?: number | undefined
  readonly bytesLost: number
}

const moment = (time: number | undefined): string =>
  time === undefined || time === 0 ? "an unknown time" : new Date(time).toISOString()

/** A `LogCorrupt` with the text the user sees. */
export const logCorrupt = (damage: Damage): LogCorrupt => {
  const { reason, segment, position, lsn, sequence, lastSequence, timeBefore, timeAfter, bytesLost } = damage
  const sequences = lastSequence === undefined || lastSequence < sequence
    ? `Sequences from ${sequence} on`
    : lastSequence === sequence
    ? `Sequence ${sequence}`
    : `Sequences ${sequence} to ${lastSequence}`
  return new LogCorrupt({
    reason,
    segment,
    position,
    lsn,
    sequence,
    lastSequence,
    timeBefore,
    timeAfter,
    bytesLost,
    message: `The log is damaged where it was safely on disk: ${reason}.
  segment ${segment}, byte ${position}, lsn ${lsn}; ${bytesLost} bytes cannot be trusted.
  ${sequences} cannot be read, written after ${moment(timeBefore)} and before ${moment(timeAfter)}.
Nothing was changed. To repair it:
  1. run "annals repair --dir DIR --from HOST:PORT", which takes this segment from a replica of this server or from its
     primary, or
  2. take the file from an archive or backup, or
  3. run "annals salvage --dir DIR --out NEWDIR", which writes all that is readable into a new data directory and
     records what is missing as a GAP.`
  })
}

/** A `LogFormatTooNew` with the text the user sees. */
export const formatTooNew = (file: string, oldestReader: number, supported: number): LogFormatTooNew =>
  new LogFormatTooNew({
    segment: file,
    oldestReader,
    supported,
    message: `${file} was written by a newer version of this program: it needs format ${oldestReader}, this version `
      + `reads up to ${supported}. Nothing was changed. Start the newer version.`
  })

/** A `LogLocked` with the text the user sees. */
export const logLocked = (owner: string): LogLocked =>
  new LogLocked({ owner, message: `The data directory is in use: its LOCK is ${owner}. Stop that server first.` })
