/**
 * `annals import`: a new data directory out of files of Redis. Until it is complete its MANIFEST is one that no server
 * starts on, and what is written stands in a folder of its own; the last step moves it to its place.
 */
import { randomBytes } from "node:crypto"
import {
  closeSync,
  existsSync,
  fstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  readSync,
  rmSync
} from "node:fs"
import { basename, dirname, join, resolve } from "node:path"
import { ConfigInvalid } from "../config/errors.ts"
import { DiskError, nodeDisk } from "../log/disk.ts"
import { logLocked } from "../log/errors.ts"
import { parseManifest } from "../rdb/aof-reader.ts"
import { type Imported, ImportFailed, type ImportFile, importing } from "../rdb/import.ts"
import { isFolder } from "./paths.ts"

/** Files are looked for in what the server of Redis calls them. */
const manifestName = /\.manifest$/
const unfinished = "import.partial"
const notFinished = "annals import has not finished writing this directory\n"

/** Where the words go. */
export interface ImportOutput {
  readonly out: (text: string) => void
  readonly err: (text: string) => void
  /** Told how much of the files is done, 0 to 1. */
  readonly progress?: (part: number) => void
}

const wrong = (problem: string): ConfigInvalid => new ConfigInvalid({ where: "command line", problem })

/** The files a path stands for, in their order. Throws `ImportFailed`. */
export const partsOf = (path: string): ReadonlyArray<string> => {
  if (!existsSync(path)) throw new ImportFailed(`${path} does not exist`)
  let manifest = manifestName.test(path) ? path : undefined
  if (isFolder(path)) {
    const found = readdirSync(path).filter((name) => manifestName.test(name))
    if (found.length !== 1) {
      throw new ImportFailed(
        `${path} is a folder with ${found.length === 0 ? "no" : "more than one"} manifest of an append-only file`
      )
    }
    manifest = join(path, found[0]!)
  }
  if (manifest === undefined) return [path]
  try {
    return parseManifest(readFileSync(manifest, "utf8")).map(({ name }) => join(dirname(manifest), name))
  } catch (error) {
    throw new ImportFailed(`${manifest}: ${(error as Error).message}`)
  }
}

/** An open file of the system. */
class OpenFile implements ImportFile {
  readonly name: string
  private readonly fd: number
  private readonly bytes: number

  constructor(path: string) {
    this.name = path
    this.fd = openSync(path, "r")
    this.bytes = fstatSync(this.fd).size
  }

  size(): number {
    return this.bytes
  }

  read(into: Uint8Array, start: number, length: number, position: number): number {
    return readSync(this.fd, into, start, Math.min(length, Math.max(0, this.bytes - position)), position)
  }

  close(): void {
    closeSync(this.fd)
  }
}

/**
 * Imports what a path stands for into the data directory `target`, absent or empty, and says what came of it. Throws
 * `ConfigInvalid` when it is not, `LogLocked`, `ImportFailed`, or an error of the file system; then it is as it was.
 */
export const importPath = (path: string, target: string, { err, out, progress }: ImportOutput): Imported => {
  const dir = resolve(target)
  if (existsSync(dir) && (!isFolder(dir) || readdirSync(dir).length > 0)) {
    throw wrong(`${target} is there already, and it is not an empty directory`)
  }
  const files: Array<OpenFile> = []
  const began = performance.now()
  try {
    for (const part of partsOf(path)) files.push(new OpenFile(part))
    const bytes = files.reduce((sum, file) => sum + file.size(), 0)
    const imported = into(dir, files, (done) => progress?.(bytes === 0 ? 1 : done / bytes), err)
    out(report(path, target, imported, (performance.now() - began) / 1000))
    return imported
  } finally {
    for (const file of files) file.close()
  }
}

const into = (
  dir: string,
  files: ReadonlyArray<ImportFile>,
  progress: (done: number) => void,
  err: (text: string) => void
): Imported => {
  const made = mkdirSync(dir, { recursive: true, mode: 0o700 })
  const root = nodeDisk(dir)
  const release = locked(root)
  let complete = false
  try {
    root.writeFileAtomic("MANIFEST", Buffer.from(notFinished))
    root.makeFolder(unfinished)
    const steps = importing({
      disk: nodeDisk(join(dir, unfinished)),
      now: () => Date.now(),
      monotonic: () => performance.now(),
      randomId: () => randomBytes(36),
      seed: randomBytes(4).readUInt32LE(),
      warn: (text) => err(`note: ${text}\n`)
    }, files)
    let step = steps.next()
    for (; step.done !== true; step = steps.next()) progress(step.value)
    // The manifest last: with it the directory is one.
    const names = root.list(unfinished).filter((name) => name !== "LOCK" && name !== "MANIFEST")
    for (const name of [...names, "MANIFEST"]) root.rename(`${unfinished}/${name}`, name)
    root.syncFolder("")
    complete = true
    return step.value
  } finally {
    rmSync(join(dir, unfinished), { recursive: true, force: true })
    if (!complete) {
      for (const name of readdirSync(dir)) if (name !== "LOCK") rmSync(join(dir, name), { recursive: true })
    }
    release()
    if (!complete && made !== undefined) rmSync(made, { recursive: true, force: true })
    if (complete && made !== undefined) nodeDisk(dirname(made)).syncFolder("")
  }
}

const locked = (root: ReturnType<typeof nodeDisk>): () => void => {
  try {
    return root.lock("LOCK")
  } catch (error) {
    if (error instanceof DiskError && error.code === "ELOCKED") throw logLocked(error.detail)
    throw error
  }
}

const report = (path: string, target: string, imported: Imported, seconds: number): string => {
  const { dead, keys, redisVersion, requests, sequence } = imported
  const from = redisVersion === undefined ? "" : `, written by Redis ${redisVersion}`
  return [
    `Imported ${basename(path)}${from}, into ${target}: ${keys} keys in ${seconds.toFixed(1)} s.`,
    requests > 0 ? `${requests} requests were run.` : "",
    dead > 0 ? `${dead} keys were past their deadline and are left out.` : "",
    `The log has ${sequence} batches. Start the server: annals server --dir ${target}`
  ].filter((text) => text !== "").join("\n") + "\n"
}
