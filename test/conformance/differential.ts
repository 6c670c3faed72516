/** Sends the same requests to both servers and compares what comes back, reply by reply, then the whole state. */
import { setTimeout as sleep } from "node:timers/promises"
import type { ServerProcess } from "../support/processes.ts"
import { ConnectionClosed, encodeRequest, parseReply, ReplyTimeout, type RespClient } from "../support/resp-client.ts"
import { type Line, printLine, printWord, type Step } from "./grammar.ts"
import type { Listeners } from "./listening.ts"
import { agree } from "./tolerances.ts"

export interface Servers {
  readonly redis: ServerProcess
  readonly annals: ServerProcess
}

/** The servers answered differently. */
export class Mismatch extends Error {
  override readonly name = "Mismatch"
}

interface Answer {
  readonly replies: ReadonlyArray<Buffer>
  /** Why fewer replies came than requests were sent. */
  readonly stopped: string | undefined
}

const bytes = (line: Line): Buffer => encodeRequest(line.map((word) => Buffer.from(word, "latin1")))

const ask = async (client: RespClient, lines: ReadonlyArray<Line>): Promise<Answer> => {
  try {
    return { replies: await client.raw(Buffer.concat(lines.map(bytes)), lines.length), stopped: undefined }
  } catch (cause) {
    if (cause instanceof ConnectionClosed) return { replies: cause.received, stopped: "the connection ended" }
    if (cause instanceof ReplyTimeout) return { replies: cause.received, stopped: "no further reply came" }
    throw cause
  }
}

const print = (reply: Buffer | undefined, stopped: string | undefined): string =>
  reply === undefined ? `(${stopped ?? "nothing"})` : printWord(reply.toString("latin1"))

/** Both ends of one sequence. */
class Session {
  requests = 0
  private readonly servers: Servers
  private readonly protocol: 2 | 3
  private readonly recent: Array<Line> = []
  private readonly kept: number
  private readonly listeners: Listeners | undefined
  /** What the open transaction has queued. */
  private queued: Array<Line> | undefined = undefined
  private redis!: RespClient
  private annals!: RespClient

  constructor(servers: Servers, protocol: 2 | 3, listeners: Listeners | undefined = undefined, kept = 12) {
    this.kept = kept
    this.listeners = listeners
    this.servers = servers
    this.protocol = protocol
  }

  async connect(): Promise<void> {
    const options = { timeoutMs: 15_000 }
    this.redis = await this.servers.redis.client(options)
    this.annals = await this.servers.annals.client(options)
    if (this.protocol === 3) await this.run([["HELLO", "3"]])
  }

  async close(): Promise<void> {
    await Promise.all([this.redis?.close(), this.annals?.close()])
  }

  /** Sends the requests in one pipeline to both; returns the replies when they agree. */
  async run(lines: ReadonlyArray<Line>): Promise<{ redis: ReadonlyArray<Buffer>; annals: ReadonlyArray<Buffer> }> {
    if (lines.length === 0) return { redis: [], annals: [] }
    const [redis, annals] = await Promise.all([ask(this.redis, lines), ask(this.annals, lines)])
    for (let i = 0; i < lines.length; i++) {
      const line = lines[i]!
      const [left, right] = [redis.replies[i], annals.replies[i]]
      const [nextLeft, nextRight] = [redis.replies[i + 1], annals.replies[i + 1]]
      const next = nextLeft === undefined || nextRight === undefined
        ? undefined
        : { redis: nextLeft, annals: nextRight }
      if (left === undefined && right === undefined) break
      if (
        left === undefined || right === undefined ||
        !agree({ line, redis: left, annals: right, next, queued: this.queued })
      ) {
        throw new Mismatch(
          `RESP${this.protocol}, request ${this.requests + 1}: ${printLine(line)}\n` +
            `  redis   ${print(left, redis.stopped)}\n  annals  ${print(right, annals.stopped)}\n` +
            `  before it:\n${this.recent.map((before) => `    ${printLine(before)}\n`).join("")}`
        )
      }
      this.requests++
      this.follow(line, left.toString("latin1"))
      this.recent.push(line)
      if (this.recent.length > this.kept) this.recent.shift()
    }
    const difference = await this.listeners?.difference(lines)
    if (difference !== undefined) throw new Mismatch(difference)
    return { redis: redis.replies, annals: annals.replies }
  }

  /** Keeps up with what waits for EXEC. */
  private follow(line: Line, reply: string): void {
    if (reply === "+QUEUED\r\n") {
      this.queued?.push(line)
      return
    }
    switch (line[0]!.toUpperCase()) {
      case "MULTI":
        if (reply === "+OK\r\n") this.queued = []
        break
      case "DISCARD":
        if (reply === "+OK\r\n") this.queued = undefined
        break
      case "EXEC":
      case "RESET":
        this.queued = undefined
    }
  }

  /** Both must have ended the connection; then goes on with another. */
  async reconnect(): Promise<void> {
    await Promise.all([this.redis.whenClosed(), this.annals.whenClosed()])
    await this.connect()
  }

  /** A SCAN through all its cursors on each server; what they return, as sets, must be equal. */
  async scan(line: Line): Promise<void> {
    const iterate = async (client: RespClient): Promise<string> => {
      const found = new Set<string>()
      let cursor = "0"
      do {
        const [bulk] = await client.raw(bytes([line[0]!, cursor, ...line.slice(2)]), 1)
        const reply = parseReply(bulk!)
        if (reply.type === "error") return reply.value
        const [next, page] = reply.type === "array" ? reply.items : []
        if (next?.type !== "bulk" || page?.type !== "array") {
          throw new Mismatch(`SCAN answered ${print(bulk, undefined)}`)
        }
        cursor = next.value.toString("latin1")
        for (const item of page.items) {
          found.add(item.type === "bulk" ? item.value.toString("latin1") : `(${item.type})`)
        }
      } while (cursor !== "0")
      return [...found].toSorted().map(printWord).join(" ")
    }
    const [redis, annals] = await Promise.all([iterate(this.redis), iterate(this.annals)])
    this.requests++
    if (redis !== annals) {
      throw new Mismatch(`RESP${this.protocol}: ${printLine(line)}, iterated\n  redis   ${redis}\n  annals  ${annals}`)
    }
  }
}

const databases = Array.from({ length: 16 }, (_, db) => String(db))

/** Compares all there is: keys of every database, and each key's type, value, deadline and encoding. */
const compareState = async (servers: Servers): Promise<void> => {
  const session = new Session(servers, 2)
  await session.connect()
  try {
    const overview = databases.flatMap((db): ReadonlyArray<Line> => [["SELECT", db], ["DBSIZE"], ["KEYS", "*"]])
    const { redis } = await session.run(overview)
    const details = databases.flatMap((db, i): ReadonlyArray<Line> => {
      const keys = parseReply(redis[3 * i + 2]!)
      if (keys.type !== "array" || keys.items.length === 0) return []
      const names = keys.items.map((item) => item.type === "bulk" ? item.value.toString("latin1") : "").toSorted()
      return [
        ["SELECT", db],
        ...names.flatMap((key): ReadonlyArray<Line> => [
          ["TYPE", key],
          ["GET", key],
          ["PEXPIRETIME", key],
          ["OBJECT", "ENCODING", key],
          // Refused by both unless the test has enabled it.
          ["DEBUG", "DIGEST-VALUE", key],
          ...(key.startsWith("stream:") ? [["XINFO", "STREAM", key, "FULL", "COUNT", "0"]] : [])
        ])
      ]
    })
    await session.run(details)
  } catch (cause) {
    if (cause instanceof Mismatch) throw new Mismatch(`state at the end: ${cause.message}`)
    throw cause
  } finally {
    await session.close()
  }
}

/** Longer than any deadline the `dies` steps give, on both servers' clocks. */
const pastDeadlineMs = 4

/**
 * Runs one sequence from an empty keyspace. Resolves with the number of requests; throws `Mismatch`, also when listeners
 * were told different things of the keys.
 */
export const runSequence = async (
  servers: Servers,
  protocol: 2 | 3,
  steps: ReadonlyArray<Step>,
  listeners?: Listeners
): Promise<number> => {
  const session = new Session(servers, protocol, listeners)
  try {
    await session.connect()
    await session.run([["FLUSHALL"]])
    let pipeline: Array<Line> = []
    for (const step of steps) {
      if (step.kind === "lines") {
        pipeline.push(...step.lines)
        continue
      }
      await session.run(pipeline)
      pipeline = []
      switch (step.kind) {
        case "dies":
          await session.run(step.lines.slice(0, 1))
          await sleep(pastDeadlineMs)
          await session.run(step.lines.slice(1))
          break
        case "scan":
          await session.scan(step.lines[0]!)
          break
        case "quit":
          await session.run(step.lines)
          await session.reconnect()
          break
      }
    }
    await session.run(pipeline)
    await compareState(servers)
    return session.requests
  } finally {
    await session.close()
  }
}
