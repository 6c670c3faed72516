/**
 * `annals salvage`: reads a damaged data directory, which it never changes, and writes all of it that is readable into a
 * new one, with a GAP wherever sequences are missing. Until the new directory is complete its MANIFEST is one that no
 * server starts on, and the log stands in a folder of its own; the last step moves it to its place.
 */
import { randomBytes } from "node:crypto"
import { closeSync, existsSync, fsyncSync, mkdirSync, openSync, readdirSync, realpathSync, rmSync } from "node:fs"
import { dirname, join, resolve } from "node:path"
import { parseCommandLine } from "../config/command-line.ts"
import { ConfigInvalid } from "../config/errors.ts"
import { type Disk, DiskError, nodeDisk } from "../log/disk.ts"
import { LogFormatTooNew, LogLocked, logLocked } from "../log/errors.ts"
import { describeGap } from "../log/gaps.ts"
import { writeManifest } from "../log/manifest.ts"
import { isFolder, isWithin } from "./paths.ts"
import { findSources } from "./salvage-sources.ts"
import { SalvageTarget } from "./salvage-target.ts"
import { Walk } from "./salvage-walk.ts"

const usage = `Usage: annals salvage --dir DIR --out NEWDIR

Writes everything readable of the damaged data directory DIR into the new data directory NEWDIR, which must be absent
or empty, and records what is missing as gaps. DIR is never changed; no server may be using it. A server started on
NEWDIR names the gaps and goes on with the next sequence.

Exit codes: 0 nothing is missing; 1 something is missing, the report says what; 2 wrong usage; 3 it could not be done,
NEWDIR is not complete; 4 written by a newer version; 5 DIR is in use.
`

/** Where the words go. */
export interface Output {
  readonly out: (text: string) => void
  readonly err: (text: string) => void
}

/** What a salvage has done. */
export interface SalvageResult {
  readonly walk: Walk
  readonly segments: number
}

const unfinished = "salvage.partial"

/** Runs the command with the words after its name; returns the exit code (see `usage`). */
export const salvage = (argv: ReadonlyArray<string>, { err, out }: Output): number => {
  try {
    if (argv.includes("--help") || argv.includes("-h")) {
      out(usage)
      return 0
    }
    const { dir, target } = readArguments(argv)
    const result = salvageDirectory(dir, target)
    out(report(dir, target, result))
    return result.walk.gaps.length === 0 ? 0 : 1
  } catch (error) {
    if (error instanceof ConfigInvalid) {
      err(`annals salvage: ${error.problem}\n${usage}`)
      return 2
    }
    if (error instanceof LogFormatTooNew || error instanceof LogLocked) {
      err(`${error.message}\n`)
      return error.exitCode
    }
    const failed = error instanceof DiskError || (error as NodeJS.ErrnoException).syscall !== undefined
    if (!failed) throw error
    err(`annals salvage: ${(error as Error).message}\n`)
    return 3
  }
}

const wrong = (problem: string): ConfigInvalid => new ConfigInvalid({ where: "command line", problem })

const readArguments = (argv: ReadonlyArray<string>): { readonly dir: string; readonly target: string } => {
  const { directives, file } = parseCommandLine(argv)
  if (file !== undefined) throw wrong(`'${file}' is not an option; options begin with --`)
  const values = new Map<string, string>()
  for (const { name, words } of directives) {
    if (name !== "dir" && name !== "out") throw wrong(`unknown option '--${name}'`)
    if (words.length !== 1 || words[0] === "" || values.has(name)) throw wrong(`--${name} takes one directory, once`)
    values.set(name, words[0]!)
  }
  const dir = values.get("dir")
  const target = values.get("out")
  if (dir === undefined || target === undefined) throw wrong(`--${dir === undefined ? "dir" : "out"} is missing`)
  if (!isFolder(dir)) throw wrong(`${dir} is not a directory`)
  if (existsSync(target) && (!isFolder(target) || readdirSync(target).length > 0)) {
    throw wrong(`${target} is there already, and it is not an empty directory`)
  }
  return { dir: realpathSync(dir), target: resolve(target) }
}

/**
 * Salvages the data directory `dir` into `target`, absent or empty. Throws `LogFormatTooNew`, `LogLocked`,
 * `ConfigInvalid` when the directories make no sense, `DiskError` or a file system error when the disk fails; then the
 * target is as empty as it was.
 */
export const salvageDirectory = (dir: string, target: string): SalvageResult => {
  if (isWithin(target, dir)) throw wrong("--out may not lie inside --dir, which is never changed")
  const disk = nodeDisk(dir)
  const unlock = lockSource(disk)
  try {
    const sources = findSources(disk)
    if (sources.segments.length === 0 && sources.manifest === undefined) throw wrong(`${dir} holds no log`)
    const created = mkdirSync(target, { recursive: true, mode: 0o700 })
    const root = nodeDisk(target)
    const release = takeLock(root)
    let complete = false
    try {
      root.writeFileAtomic("MANIFEST", Buffer.from("annals salvage has not finished writing this directory\n"))
      root.makeFolder(unfinished)
      const result = copyLog(disk, nodeDisk(join(target, unfinished)), root, sources)
      complete = true
      return result
    } finally {
      if (complete) rmSync(join(target, unfinished), { recursive: true })
      else clear(target)
      release()
      syncPath(target)
      if (created !== undefined) syncPath(dirname(created))
    }
  } finally {
    unlock()
  }
}

const copyLog = (from: Disk, to: Disk, root: Disk, sources: ReturnType<typeof findSources>): SalvageResult => {
  const walk = new Walk(from, sources)
  const target = new SalvageTarget(to, {
    storeId: sources.storeId ?? randomBytes(16),
    // The stream of frames is another one from here on: nobody who followed the old one may go on with it.
    replicationId: randomBytes(20),
    lsn: walk.firstLsn,
    now: Date.now()
  })
  try {
    walk.run(target)
    const manifest = target.finish(walk.next)
    writeManifest(root, manifest)
    root.rename(`${unfinished}/log`, "log")
    root.syncFolder("")
    return { walk, segments: target.segments }
  } finally {
    target.close()
  }
}

const takeLock = (disk: Disk): () => void => {
  try {
    return disk.lock("LOCK")
  } catch (error) {
    if (error instanceof DiskError && error.code === "ELOCKED") throw logLocked(error.detail)
    throw error
  }
}

/** On a file system mounted read-only, as one does with a failing disk, there is nobody to lock out. */
const lockSource = (disk: Disk): () => void => {
  try {
    return takeLock(disk)
  } catch (error) {
    if (error instanceof DiskError && error.code === "EROFS") return () => {}
    throw error
  }
}

/** Removes what was begun, so that the next try finds the directory empty. */
const clear = (target: string): void => {
  for (const name of [unfinished, "log", "MANIFEST", "MANIFEST.prev", "MANIFEST.tmp"]) {
    rmSync(join(target, name), { recursive: true, force: true })
  }
}

const syncPath = (path: string): void => {
  const fd = openSync(path, "r")
  try {
    fsyncSync(fd)
  } finally {
    closeSync(fd)
  }
}

/** What the user reads in the end. */
export const report = (dir: string, target: string, { segments, walk }: SalvageResult): string => {
  const { anonymous, batches, events, gaps, next, notes, oldGaps, oldest } = walk
  const lines = [
    `Salvaged ${dir} into ${target}.`,
    `Kept ${batches} batches with ${events} events, in ${segments} segments; the log holds sequences ${oldest} to `
    + `${next - 1} and goes on with ${next}.`
  ]
  for (const gap of gaps) lines.push(`Missing: ${describeGap(gap)}`)
  if (gaps.length === 0) lines.push("Nothing is missing.")
  for (const gap of oldGaps) lines.push(`Missing since an earlier salvage: ${describeGap(gap)}`)
  if (anonymous > 0) lines.push(`Of ${anonymous} batches it is no longer known who wrote them.`)
  for (const { from, reason, segment, to } of notes) {
    lines.push(`Damaged, but no batch is missing for it: ${segment} bytes ${from} to ${to}: ${reason}`)
  }
  return `${lines.join("\n")}\n`
}
