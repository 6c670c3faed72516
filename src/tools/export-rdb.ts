/** `annals export --rdb`: all data of a moment as an RDB file, out of a data directory that is not touched. */
import { closeSync, existsSync, fsyncSync, openSync, renameSync, rmSync, statSync, writeSync } from "node:fs"
import { dirname, resolve } from "node:path"
import { ConfigInvalid } from "../config/errors.ts"
import { LogDirectory } from "../history/log-directory.ts"
import type { Moment } from "../history/moment.ts"
import { pastAt, pointOf } from "../history/past.ts"
import { nodeDisk } from "../log/disk.ts"
import { RdbFileWriter, writeKeyspace } from "../rdb/file-writer.ts"
import type { ImportOutput } from "./import.ts"
import { isWithin } from "./paths.ts"

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

const wrong = (problem: string): ConfigInvalid => new ConfigInvalid({ where: "command line", problem })

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
  // What is there is replaced; a device or a directory must not be.
  if (existsSync(file) && !statSync(file).isFile()) throw wrong(`${file} is there already, and it is not a file`)
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
    if (complete) {
      renameSync(temporary, file)
      nodeDisk(dirname(resolve(file))).syncFolder("")
    } else rmSync(temporary, { force: true })
    state.value.dispose()
  }
}

const writeAll = (fd: number, bytes: Uint8Array): void => {
  for (let done = 0; done < bytes.length;) done += writeSync(fd, bytes, done)
}
