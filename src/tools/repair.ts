/**
 * `annals repair`: takes what a log has lost from another server of the same store, its primary or a replica, whichever
 * is damaged. The segments come over RESP, by LOG.SEGMENT; each has to fit the hashes by which the rest of the log vouches
 * for it before it takes the place of the damaged one, which goes to quarantine/.
 */
import { statSync } from "node:fs"
import * as Net from "node:net"
import { parseCommandLine } from "../config/command-line.ts"
import { ConfigInvalid } from "../config/errors.ts"
import { type Disk, DiskError, nodeDisk } from "../log/disk.ts"
import { LogCorrupt, LogFormatTooNew, LogLocked, logLocked } from "../log/errors.ts"
import { type Fault, findFaults, mend, NotTheSame } from "../log/segment-check.ts"
import { segmentName } from "../log/segment.ts"

const usage = `Usage: annals repair --dir DIR --from HOST:PORT [--user NAME]

Reads the whole log of the data directory DIR, whose server must not be running, and takes every segment that is damaged
or missing from another server of the same store: a replica of it, or its primary. A segment is taken only if it fits the
hashes of the rest of the log. Damaged files go to DIR/quarantine. The password, where one is needed, is read from the
environment variable REDISCLI_AUTH.

Exit codes: 0 the log is whole; 1 something is still damaged; 2 wrong usage; 3 it could not be done; 5 DIR is in use.
`

/** Where the words go. */
export interface RepairOutput {
  readonly out: (text: string) => void
  readonly err: (text: string) => void
}

/** The other server cannot be asked. */
class Unreachable extends Error {
  override readonly name = "Unreachable"
}

interface Request {
  readonly dir: string
  readonly host: string
  readonly port: number
  readonly user: string | undefined
}

/** Longest silence of the other server, ms. */
const silenceMs = 30_000

/** Runs the command with the words after its name; returns the exit code. */
export const repair = async (
  argv: ReadonlyArray<string>,
  environment: Readonly<Record<string, string | undefined>>,
  { err, out }: RepairOutput
): Promise<number> => {
  try {
    if (argv.includes("--help") || argv.includes("-h")) {
      out(usage)
      return 0
    }
    const request = readRequest(argv)
    const disk = nodeDisk(request.dir)
    const unlock = takeLock(disk)
    try {
      return await mendAll(disk, request, environment["REDISCLI_AUTH"], { err, out })
    } finally {
      unlock()
    }
  } catch (error) {
    if (error instanceof ConfigInvalid) {
      err(`annals repair: ${error.problem}\n${usage}`)
      return 2
    }
    if (error instanceof LogLocked || error instanceof LogFormatTooNew) {
      err(`${error.message}\n`)
      return error.exitCode
    }
    if (!(error instanceof DiskError || error instanceof Unreachable || error instanceof LogCorrupt)) throw error
    err(`annals repair: ${error.message}\n`)
    return 3
  }
}

const wrong = (problem: string): ConfigInvalid => new ConfigInvalid({ where: "command line", problem })

const readRequest = (argv: ReadonlyArray<string>): Request => {
  const { directives, file } = parseCommandLine(argv)
  if (file !== undefined) throw wrong(`'${file}' is not an option; options begin with --`)
  const values = new Map<string, string>()
  for (const { name, words } of directives) {
    if (name !== "dir" && name !== "from" && name !== "user") throw wrong(`unknown option '--${name}'`)
    if (words.length !== 1 || words[0] === "" || values.has(name)) throw wrong(`--${name} takes one value, once`)
    values.set(name, words[0]!)
  }
  const [dir, from] = [values.get("dir"), values.get("from")]
  if (dir === undefined || from === undefined) throw wrong(`--${dir === undefined ? "dir" : "from"} is missing`)
  if (statSync(dir, { throwIfNoEntry: false })?.isDirectory() !== true) throw wrong(`${dir} is not a directory`)
  const [, host, port] = /^(.+):(\d{1,5})$/.exec(from) ?? []
  if (host === undefined || Number(port) > 65_535) throw wrong(`--from takes HOST:PORT, not '${from}'`)
  return { dir, host, port: Number(port), user: values.get("user") }
}

const takeLock = (disk: Disk): () => void => {
  try {
    return disk.lock("LOCK")
  } catch (error) {
    if (error instanceof DiskError && error.code === "ELOCKED") throw logLocked(error.detail)
    throw error
  }
}

const mendAll = async (
  disk: Disk,
  { host, port, user }: Request,
  password: string | undefined,
  { err, out }: RepairOutput
): Promise<number> => {
  const faults = findFaults(disk)
  for (const { first, why } of faults) out(`Damaged: ${segmentName(first)}: ${why}\n`)
  if (faults.length === 0) {
    out("Nothing is damaged.\n")
    return 0
  }
  const asking = new Asking(host, port)
  let left = 0
  try {
    await asking.open()
    if (password !== undefined && password !== "") {
      await asking.ask("AUTH", ...(user === undefined ? [] : [user]), password)
    }
    const to = `quarantine/repair-${Date.now()}`
    // The one after it vouches for a segment: where that is damaged too, it comes first.
    for (const fault of faults.toReversed()) {
      const bytes = await asking.segment(fault)
      const problem = bytes === undefined ? "the other server does not have it" : tryMend(disk, fault, bytes, to)
      if (problem === undefined) {
        out(`Repaired: ${segmentName(fault.first)}, ${bytes!.length} bytes from ${host}:${port}\n`)
      } else {
        left++
        err(`Not repaired: ${segmentName(fault.first)}: ${problem}\n`)
      }
    }
  } finally {
    asking.close()
  }
  if (left > 0) return 1
  const still = findFaults(disk)
  for (const { first, why } of still) err(`Still damaged: ${segmentName(first)}: ${why}\n`)
  return still.length === 0 ? 0 : 1
}

const tryMend = (disk: Disk, fault: Fault, bytes: Uint8Array, to: string): string | undefined => {
  // What vouches for it may have been mended meanwhile.
  const now = findFaults(disk).find(({ first }) => first === fault.first) ?? fault
  try {
    mend(disk, now, bytes, to)
    return undefined
  } catch (error) {
    if (!(error instanceof NotTheSame)) throw error
    return error.message
  }
}

/** A connection that asks one question after the other. */
class Asking {
  private readonly socket: Net.Socket
  private readonly where: string
  private received: Buffer = Buffer.alloc(0)
  private failure: Error | undefined = undefined
  private wake = (): void => {}

  constructor(host: string, port: number) {
    this.where = `${host}:${port}`
    this.socket = Net.connect({ host, port, noDelay: true })
    this.socket.setTimeout(silenceMs, () => void this.socket.destroy(new Error("it does not answer")))
    this.socket.on("data", (chunk: Buffer) => {
      this.received = Buffer.concat([this.received, chunk])
      this.wake()
    })
    const ended = (error?: Error): void => {
      this.failure ??= new Unreachable(`${this.where}: ${error?.message ?? "it closed the connection"}`)
      this.wake()
    }
    this.socket.on("error", ended)
    this.socket.on("close", () => ended())
  }

  open(): Promise<void> {
    return this.until(() => !this.socket.connecting || undefined, "connect").then(() => {})
  }

  /** The reply's bytes, undefined for nil. Throws `Unreachable`, also for an error reply. */
  async ask(...words: ReadonlyArray<string>): Promise<Buffer | undefined> {
    const parts = words.map((word) => `$${Buffer.byteLength(word)}\r\n${word}\r\n`)
    this.socket.write(`*${words.length}\r\n${parts.join("")}`)
    const line = await this.until(() => {
      const end = this.received.indexOf("\r\n")
      if (end < 0) return undefined
      const text = this.received.toString("latin1", 0, end)
      this.received = this.received.subarray(end + 2)
      return text
    })
    if (line.startsWith("-")) throw new Unreachable(`${this.where}: ${line.slice(1)}`)
    if (!line.startsWith("$")) return Buffer.from(line.slice(1), "latin1")
    const length = Number(line.slice(1))
    if (length < 0) return undefined
    return this.until(() => {
      if (this.received.length < length + 2) return undefined
      const bytes = this.received.subarray(0, length)
      this.received = this.received.subarray(length + 2)
      return bytes
    })
  }

  /** All of a segment; undefined when the other server has none that begins there. */
  async segment({ first, storeId }: Fault): Promise<Uint8Array | undefined> {
    const pieces: Array<Buffer> = []
    for (let position = 0;;) {
      const piece = await this.ask("LOG.SEGMENT", storeId, `${first}`, `${position}`)
      if (piece === undefined) return undefined
      if (piece.length === 0) return Buffer.concat(pieces)
      pieces.push(piece)
      position += piece.length
    }
  }

  close(): void {
    this.socket.destroy()
  }

  private async until<A>(look: () => A | undefined, event?: "connect"): Promise<A> {
    for (;;) {
      const found = this.failure === undefined ? look() : undefined
      if (found !== undefined) return found
      if (this.failure !== undefined) throw this.failure
      await new Promise<void>((resolve) => {
        this.wake = resolve
        if (event !== undefined) this.socket.once(event, resolve)
      })
    }
  }
}
