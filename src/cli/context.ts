/** What a subcommand is run with: where its words go, and which data it may look at. Tests stand in for the terminal. */
import type { Disk } from "../log/disk.ts"

/** The world as a subcommand sees it. */
export interface Context {
  /** Standard output: text as UTF-8, bytes as they are. Throws `OutputClosed` when nobody reads it any more. */
  readonly write: (text: string | Uint8Array) => void
  /** Standard error. */
  readonly warn: (text: string) => void
  /** Columns of the terminal that standard output is; undefined: it is none. */
  readonly columns: number | undefined
  /** Columns of the terminal that standard error is; undefined: it is none, and progress is not shown. */
  readonly progressColumns: number | undefined
  /** Unix milliseconds. */
  readonly now: () => number
  /** Waits so many milliseconds. */
  readonly sleep: (ms: number) => void
  /** Whether to stop following; a process is simply ended. */
  readonly stopped: () => boolean
  /** The data directory of that name, for reading only. Throws `Failed` when there is none. */
  readonly source: (directory: string) => Disk
  /** A new data directory, which must be absent or empty and not inside the other. Throws `UsageError` otherwise. */
  readonly target: (directory: string, source: string) => Target
  /** Lines of standard input, each after its prompt was written; ends with the input. */
  readonly lines: (prompt: string) => AsyncIterable<string>
}

/** A data directory to be written. */
export interface Target {
  readonly disk: Disk
  /** Everything in it is written: whatever was put aside meanwhile goes. */
  readonly complete: () => void
  /** It failed: the directory becomes as empty as it was. */
  readonly discard: () => void
}

/** Standard output was closed by its reader: no reason to say anything. */
export class OutputClosed extends Error {
  override readonly name = "OutputClosed"
}

/** The words on the command line make no sense; the message says which and why. Exit code 2. */
export class UsageError extends Error {
  override readonly name = "UsageError"
}

/** It could not be done, for a reason the user can understand. */
export class Failed extends Error {
  override readonly name = "Failed"
  readonly exitCode: number
  constructor(message: string, exitCode: number = exitCodes.failed) {
    super(message)
    this.exitCode = exitCode
  }
}

/** Exit codes of all subcommands. 3 to 5 are those of the server. */
export const exitCodes = {
  /** Done, and nothing is wrong. */
  ok: 0,
  /** It could not be done, or what was looked for is not there. */
  failed: 1,
  usage: 2,
  /** Bytes that were safely on disk are not what was written. */
  damaged: 3,
  newerFormat: 4,
  inUse: 5,
  /** Every checksum fits, but the log is not the one that was sealed: edited, or parts of it are missing or exchanged. */
  chain: 6,
  /** The last write was cut short; nothing that was safe is missing. */
  tornTail: 7,
  /** A checkpoint is damaged, or holds something else than the log says. */
  checkpoint: 8
} as const
