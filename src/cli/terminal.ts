/** The process's own terminal and file system: the one place of the command line that touches either. */
import { existsSync, mkdirSync, readdirSync, rmSync, writeSync } from "node:fs"
import { dirname, join, resolve } from "node:path"
import { createInterface } from "node:readline"
import { nodeDisk } from "../log/disk.ts"
import { isFolder, isWithin, realPath } from "../tools/paths.ts"
import { type Context, Failed, OutputClosed, type Target, UsageError } from "./context.ts"

const pause = new Int32Array(new SharedArrayBuffer(4))
const sleep = (ms: number): void => void Atomics.wait(pause, 0, 0, ms)

/** Writes all of it now: what is piped into a slow reader must not gather in memory, and who has left must be noticed. */
const writeAll = (fd: number, bytes: Uint8Array): void => {
  for (let done = 0; done < bytes.length;) {
    try {
      done += writeSync(fd, bytes, done, bytes.length - done)
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException
      if (code === "EPIPE") throw new OutputClosed()
      if (code !== "EAGAIN" && code !== "EINTR") throw error
      sleep(1)
    }
  }
}

const bytesOf = (text: string | Uint8Array): Uint8Array => typeof text === "string" ? Buffer.from(text, "utf8") : text

const targetAt = (directory: string, source: string): Target => {
  if (existsSync(directory) && (!isFolder(directory) || readdirSync(directory).length > 0)) {
    throw new UsageError(`${directory} is there already, and it is not an empty directory`)
  }
  if (isWithin(directory, source)) throw new UsageError("--out may not lie inside --dir, which is never changed")
  const real = realPath(resolve(directory))
  const made = mkdirSync(real, { recursive: true, mode: 0o700 })
  const disk = nodeDisk(real)
  return {
    disk,
    complete: () => {
      for (const name of readdirSync(real)) if (name.endsWith(".partial")) rmSync(join(real, name), { recursive: true })
      disk.syncFolder("")
      if (made !== undefined) nodeDisk(dirname(made)).syncFolder("")
    },
    discard: () => {
      for (const name of readdirSync(real)) rmSync(join(real, name), { recursive: true, force: true })
      if (made !== undefined) rmSync(made, { recursive: true, force: true })
    }
  }
}

async function* linesOf(prompt: string): AsyncIterable<string> {
  const input = createInterface({ input: process.stdin, output: process.stdout, prompt, terminal: process.stdin.isTTY })
  input.prompt()
  for await (const line of input) {
    yield line
    input.prompt()
  }
}

/** What a subcommand of this process is run with. */
export const processContext = (): Context => ({
  write: (text) => writeAll(1, bytesOf(text)),
  warn: (text) => writeAll(2, bytesOf(text)),
  columns: process.stdout.isTTY ? process.stdout.columns : undefined,
  progressColumns: process.stderr.isTTY ? process.stderr.columns : undefined,
  now: () => Date.now(),
  sleep,
  stopped: () => false,
  source: (directory) => {
    if (!isFolder(directory)) throw new Failed(`${directory} is not a directory`)
    return nodeDisk(directory)
  },
  target: targetAt,
  lines: linesOf
})
