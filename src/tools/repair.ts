/**
 * `annals repair`: takes what a log has lost from another server of the same store, its primary or a replica, whichever
 * is damaged. The segments come over RESP, by LOG.SEGMENT; each has to fit the hashes by which the rest of the log vouches
 * for it before it takes the place of the damaged one, which goes to quarantine/.
 */
import * as Net from "node:net"
import { type Disk, DiskError } from "../log/disk.ts"
import { logLocked } from "../log/errors.ts"
import { type Fault, findFaults, mend, NotTheSame } from "../log/segment-check.ts"

/** The other server cannot be asked, or refuses. */
export class Unreachable extends Error {
  override readonly name = "Unreachable"
}

/** The server to take from. */
export interface Giver {
  readonly host: string
  readonly port: number
  readonly user: string | undefined
  readonly password: string | undefined
}

/** A segment that was damaged or missing: what was wrong with it, and why that is still so, if it is. */
export interface Outcome {
  readonly first: number
  readonly why: string
  /** Bytes that were taken. */
  readonly bytes: number
  /** Undefined once it is repaired. */
  readonly problem: string | undefined
}

/** Longest silence of the other server, ms. */
const silenceMs = 30_000

const takeLock = (disk: Disk): () => void => {
  try {
    return disk.lock("LOCK")
  } catch (error) {
    if (error instanceof DiskError && error.code === "ELOCKED") throw logLocked(error.detail)
    throw error
  }
}

/**
 * Repairs the log on a disk, which nobody may be using; `folder` gets the damaged files. What could not be repaired is as
 * it was. Throws `Unreachable`, `LogLocked`, `LogCorrupt` when even whose log it is cannot be told, and `DiskError`.
 */
export const repairLog = async (disk: Disk, giver: Giver, folder: string): Promise<ReadonlyArray<Outcome>> => {
  const unlock = takeLock(disk)
  try {
    const faults = findFaults(disk)
    return faults.length === 0 ? [] : await mendAll(disk, giver, folder, faults)
  } finally {
    unlock()
  }
}

const mendAll = async (
  disk: Disk,
  { host, password, port, user }: Giver,
  folder: string,
  faults: ReadonlyArray<Fault>
): Promise<ReadonlyArray<Outcome>> => {
  const asking = new Asking(host, port)
  const outcomes: Array<Outcome> = []
  try {
    await asking.open()
    if (password !== undefined) await asking.ask("AUTH", ...(user === undefined ? [] : [user]), password)
    // The one after it vouches for a segment: where that is damaged too, it comes first.
    for (const fault of faults.toReversed()) {
      const { first, why } = fault
      const bytes = await asking.segment(fault)
      const problem = bytes === undefined ? "the other server does not have it" : tryMend(disk, fault, bytes, folder)
      outcomes.unshift({ first, why, bytes: bytes?.length ?? 0, problem })
    }
  } finally {
    asking.close()
  }
  const still = new Map(findFaults(disk).map(({ first, why }) => [first, why]))
  return outcomes.map((outcome) => ({ ...outcome, problem: outcome.problem ?? still.get(outcome.first) }))
}

const tryMend = (disk: Disk, fault: Fault, bytes: Uint8Array, folder: string): string | undefined => {
  // What vouches for it may have been mended meanwhile.
  const now = findFaults(disk).find(({ first }) => first === fault.first) ?? fault
  try {
    mend(disk, now, bytes, folder)
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
