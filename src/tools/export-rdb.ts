/** `annals export --rdb`: all data of a moment as an RDB file, out of a data directory that is not touched. */
import { closeSync, fsyncSync, openSync, renameSync, rmSync, writeSync } from "node:fs"
import { dirname, resolve } from "node:path"
import { parseCommandLine } from "../config/command-line.ts"
import { ConfigInvalid } from "../config/errors.ts"
import { BeyondHead, Truncated } from "../history/errors.ts"
import { LogDirectory } from "../history/log-directory.ts"
import { type Moment, parseMoment } from "../history/moment.ts"
import { pastAt, pointOf } from "../history/past.ts"
import { DiskError, nodeDisk } from "../log/disk.ts"
import { LogCorrupt, LogFormatTooNew } from "../log/errors.ts"
import { NotForRedis, RdbFileWriter, writeKeyspace } from "../rdb/file-writer.ts"
import type { ImportOutput } from "./import.ts"
import { isWithin } from "./paths.ts"

const usage = `Usage: annals export --rdb FILE [--dir DIR] [--at MOMENT] [--rdb-version 10|12]

Writes all data of the data directory DIR (default ./data) into the RDB file FILE, which redis-server 7.0 and later load
as their dump.rdb. DIR is not changed; a server may be using it. --at writes the data as they were then: a sequence (57),
Unix milliseconds (@1763848283500) or a time (@2026-11-22T21:51:23Z). Deadlines of single fields of hashes need version 12,
which redis-server 7.4 and later read. What producers have added to streams is left out.

Exit codes: 0 done; 1 it could not be done, and FILE is as it was; 2 wrong usage; 3 the log is damaged; 4 written by a
newer version.
`

/** What is to be written, and how. */
export interface RdbExport {
  readonly dir: string
  readonly file: string
  /** Undefined: as it is now. */
  readonly at: Moment | undefined
  readonly version: 10 | 12
  /** Unix ms. */
  readonly now: number
}

/** Runs the command with the words after its name; returns the exit code. */
export const exportRdbCommand = (argv: ReadonlyArray<string>, output: ImportOutput): number => {
  try {
    if (argv.includes("--help") || argv.includes("-h")) {
      output.out(usage)
      return 0
    }
    const wanted = readArguments(argv)
    const keys = exportRdb(wanted, output)
    output.out(`Wrote ${keys} keys to ${wanted.file}.\n`)
    return 0
  } catch (error) {
    if (error instanceof ConfigInvalid) {
      output.err(`annals export: ${error.problem}\n${usage}`)
      return 2
    }
    if (error instanceof LogCorrupt || error instanceof LogFormatTooNew) {
      output.err(`${error.message}\n`)
      return error.exitCode
    }
    const expected = error instanceof NotForRedis || error instanceof DiskError || error instanceof Truncated ||
      error instanceof BeyondHead || (error as NodeJS.ErrnoException).syscall !== undefined
    if (!expected) throw error
    output.err(`annals export: ${(error as Error).message}\n`)
    return 1
  }
}

const wrong = (problem: string): ConfigInvalid => new ConfigInvalid({ where: "command line", problem })

const readArguments = (argv: ReadonlyArray<string>): RdbExport => {
  const { directives, file: word } = parseCommandLine(argv)
  if (word !== undefined) throw wrong(`'${word}' is not an option; options begin with --`)
  const values = new Map<string, string>()
  for (const { name, words } of directives) {
    if (!["rdb", "dir", "at", "rdb-version"].includes(name)) throw wrong(`unknown option '--${name}'`)
    if (words.length !== 1 || words[0] === "" || values.has(name)) throw wrong(`--${name} takes one value, once`)
    values.set(name, words[0]!)
  }
  const file = values.get("rdb")
  if (file === undefined) throw wrong("--rdb is missing")
  const version = values.get("rdb-version") ?? "10"
  if (version !== "10" && version !== "12") throw wrong("--rdb-version takes 10 or 12")
  const moment = values.get("at")
  const at = moment === undefined ? undefined : parseMoment(moment)
  if (moment !== undefined && at === undefined) throw wrong(`'${moment}' is no moment`)
  return { dir: values.get("dir") ?? "./data", file, at, version: version === "10" ? 10 : 12, now: Date.now() }
}

/**
 * Writes the file, which appears under its name once it is whole and synced; answers how many keys are in it. Throws
 * `NotForRedis`, `ConfigInvalid`, what reading a log throws, and errors of the file system.
 */
export const exportRdb = (wanted: RdbExport, { err, progress }: ImportOutput): number => {
  const { at, dir, file, now, version } = wanted
  const disk = nodeDisk(dir)
  if (disk.list("log").length === 0) throw wrong(`${dir} holds no log; --dir names the data directory`)
  // The new name, not what a link there points to: that is what is replaced.
  if (isWithin(dirname(resolve(file)), dir)) throw wrong("--rdb may not lie inside --dir, which is never changed")
  const view = new LogDirectory(disk).view()
  const point = at === undefined ? { sequence: view.head, time: now } : pointOf(view, at, now)
  const states = pastAt(view, point, { warn: (message) => err(`note: ${message}\n`) })
  let state = states.next()
  for (; state.done !== true; state = states.next()) progress?.(state.value / 2)
  const { keyspace } = state.value
  const temporary = `${file}.partial`
  const fd = openSync(temporary, "w", 0o600)
  let complete = false
  try {
    const writer = new RdbFileWriter((bytes) => writeAll(fd, bytes), { created: point.time, version })
    const all = Math.max(1, keyspace.databases.reduce((sum, { size }) => sum + size, 0))
    for (const _ of writeKeyspace(writer, keyspace, point.time)) progress?.(0.5 + writer.keys / all / 2)
    writer.end()
    fsyncSync(fd)
    complete = true
    return writer.keys
  } finally {
    closeSync(fd)
    if (complete) renameSync(temporary, file)
    else rmSync(temporary, { force: true })
    state.value.dispose()
  }
}

const writeAll = (fd: number, bytes: Uint8Array): void => {
  for (let done = 0; done < bytes.length;) done += writeSync(fd, bytes, done)
}
