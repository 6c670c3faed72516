/**
 * A client that knows what a server may have forgotten: nothing it has acknowledged. Each worker has a connection and
 * keys of its own and sends requests in an order it remembers; whatever a restarted server holds of them must be what a
 * prefix of these requests leaves, and reach at least to the last reply.
 */
import { cpSync } from "node:fs"
import { type Disk, nodeDisk } from "../../src/log/disk.ts"
import { openLog, type Recovery } from "../../src/log/store.ts"
import { StartUp } from "../../src/persistence/start-up.ts"
import { digest } from "../../src/projections/digest.ts"
import { Keyspace } from "../../src/projections/keyspace.ts"
import { replay } from "../../src/projections/replay.ts"
import { removeTemporaryDir, type ServerProcess, temporaryDir } from "../support/processes.ts"
import type { Random } from "../support/random.ts"
import { ConnectionClosed, encodeRequest, parseReply, plain, type RespClient } from "../support/resp-client.ts"

/** How a worker sends: requests per pipeline, and bytes of padding written along with them. */
export interface Load {
  readonly depth: number
  readonly padding: number
  /** Each pipeline is one transaction, over two databases. */
  readonly transaction?: boolean
}

/** One connection's worth of requests, of which the server acknowledges some. */
export class Worker {
  readonly id: number
  /** INCRs sent, and the last value answered. */
  private sent = 0
  private acked = 0
  /** Counter value at each MSET sent, oldest first, and how many of these MSETs were answered. */
  private readonly marks: Array<number> = [0]
  private ackedMark = 0
  /** How many of the marks were appended to the history, sent and answered. */
  private ackedHistory = 0
  /** Marks of pipelines that were transactions, with how many INCRs each held. */
  private readonly transactions = new Map<number, number>()
  /** Requests answered in all lives of the server. */
  acknowledged = 0

  constructor(id: number) {
    this.id = id
  }

  private get keys() {
    const { id } = this
    return {
      counter: `counter:${id}`,
      left: `left:${id}`,
      right: `right:${id}`,
      history: `history:${id}`,
      mirror: `mirror:${id}`
    }
  }

  /** Sends until the connection ends. */
  async run(client: RespClient, load: Load): Promise<void> {
    const { counter, history, left, mirror, right } = this.keys
    for (;;) {
      const requests: Array<Buffer> = []
      for (let i = 0; i < load.depth; i++) requests.push(encodeRequest(["INCR", counter]))
      this.sent += load.depth
      const mark = this.sent
      this.marks.push(mark)
      requests.push(encodeRequest(["MSET", left, mark, right, mark, `pad:${this.id}`, "x".repeat(load.padding)]))
      requests.push(encodeRequest(["APPEND", history, `${mark},`]))
      if (load.transaction === true) {
        this.transactions.set(mark, load.depth)
        requests.unshift(encodeRequest(["MULTI"]))
        requests.push(...[["SELECT", 1], ["SET", mirror, mark], ["SELECT", 0], ["EXEC"]].map(encodeRequest))
      }
      let replies: ReadonlyArray<Buffer>
      let ended = false
      try {
        replies = await client.raw(Buffer.concat(requests), requests.length)
      } catch (cause) {
        if (!(cause instanceof ConnectionClosed)) throw cause
        replies = cause.received
        ended = true
      }
      if (load.transaction === true) this.takeTransaction(replies, requests.length, load.depth, mark)
      else this.take(replies, load.depth, mark)
      if (ended) return
    }
  }

  /** Only the reply to EXEC acknowledges anything. */
  private takeTransaction(replies: ReadonlyArray<Buffer>, requests: number, depth: number, mark: number): void {
    if (replies.length < requests) return
    const values = plain(parseReply(replies.at(-1)!))
    const counts = Array.from({ length: depth }, (_, i) => mark - depth + i + 1)
    const [, appended] = Array.isArray(values) ? values.slice(depth) : []
    const expected = [...counts, "OK", appended, "OK", "OK", "OK"]
    if (JSON.stringify(values) !== JSON.stringify(expected) || typeof appended !== "number") {
      throw new Error(`EXEC answered ${JSON.stringify(values)} for ${JSON.stringify(expected)}`)
    }
    this.acknowledged += replies.length
    this.acked = this.ackedMark = this.ackedHistory = mark
  }

  private take(replies: ReadonlyArray<Buffer>, depth: number, mark: number): void {
    this.acknowledged += replies.length
    for (let i = 0; i < replies.length; i++) {
      const reply = replies[i]!.toString("latin1")
      if (i < depth) {
        const expected = `:${mark - depth + i + 1}\r\n`
        if (reply !== expected) {
          throw new Error(`INCR answered ${JSON.stringify(reply)} for ${JSON.stringify(expected)}`)
        }
        this.acked = mark - depth + i + 1
      } else if (i === depth) {
        if (reply !== "+OK\r\n") throw new Error(`MSET answered ${JSON.stringify(reply)}`)
        this.ackedMark = mark
      } else {
        if (!/^:\d+\r\n$/.test(reply)) throw new Error(`APPEND answered ${JSON.stringify(reply)}`)
        this.ackedHistory = mark
      }
    }
  }

  /** Compares with what a server holds after a restart, and goes on from there. Throws with what is wrong. */
  async check(client: RespClient): Promise<void> {
    const { counter, history, left, mirror, right } = this.keys
    const requests = [["MGET", counter, left, right], ["GET", history], ["SELECT", 1], ["GET", mirror], ["SELECT", 0]]
    const replies = (await client.pipeline(requests)).map(plain)
    const [values, written, , mirrored] = replies as [Array<string | null>, string | null, string, string | null]
    const [count, first, second] = values.map((value) => Number(value ?? 0)) as [number, number, number]
    const wrong = (what: string): never => {
      throw new Error(
        `worker ${this.id}: ${what}: counter ${count} (acknowledged ${this.acked}, sent ${this.sent}), ` +
          `pair ${first} and ${second} (acknowledged ${this.ackedMark}), history …${(written ?? "").slice(-40)} ` +
          `(acknowledged ${this.ackedHistory})`
      )
    }
    if (count < this.acked) wrong("acknowledged increments are lost")
    if (count > this.sent) wrong("more increments than were sent")
    if (first !== second) wrong("half of a pair")
    if (first < this.ackedMark) wrong("an acknowledged pair is lost")
    const reached = this.marks.filter((mark) => mark <= count)
    const newest = reached.at(-1)!
    const withoutNewest = newest === count && count > 0 ? reached.at(-2) : undefined
    if (first !== newest && first !== withoutNewest) wrong("not a prefix: the pair is older than the counter")
    const appended = (written ?? "").split(",").filter((word) => word !== "").map(Number)
    const last = appended.at(-1) ?? 0
    if (last < this.ackedHistory) wrong("an acknowledged append is lost")
    const whole = this.marks.slice(1, this.marks.indexOf(last) + 1)
    if (appended.join() !== whole.join()) wrong("the history has gaps")
    if (last !== first && !(first === newest && last === (reached.at(-2) ?? 0))) wrong("not a prefix: history and pair")
    if (last !== first && first !== count) wrong("not a prefix: history and counter")
    const newestTransaction = [...this.transactions.keys()].filter((mark) => mark <= last).at(-1) ?? 0
    if (Number(mirrored ?? 0) !== newestTransaction) wrong(`half of a transaction: ${mirrored} in the other database`)
    for (const [mark, depth] of this.transactions) {
      if (count > mark - depth && count < mark) wrong(`half of the transaction up to ${mark}`)
      if (mark > last) this.transactions.delete(mark)
    }
    // The next life goes on from what is there; what was lost was never acknowledged.
    this.marks.splice(this.marks.indexOf(last) + 1)
    this.sent = this.acked = count
    this.ackedMark = first
    this.ackedHistory = last
  }
}

/** What the log in a directory folds to, without any server. */
export interface Folded {
  readonly recovery: Recovery
  readonly digest: string
}

const clock = { now: () => Date.now(), monotonic: () => performance.now() }

/**
 * Opens a log with code of this process and folds it, from a checkpoint where it begins later. The directory must not be
 * in use; a torn tail is cut there.
 */
export const fold = (disk: Disk): Folded => {
  const log = openLog(disk, clock, { policy: "no", randomId: () => new Uint8Array(36) })
  try {
    const keyspace = new Keyspace(16, { k0: 11, k1: 13 })
    if (log.status().oldestSequence === 1) replay(keyspace, log.read(1))
    else new StartUp({ keyspace, log, store: log.checkpoints, warn: () => {} }).run()
    return { recovery: log.recovery, digest: digest(keyspace, Date.now()) }
  } finally {
    log.abandon()
  }
}

/** As `fold`, on a copy: the directory stays as it is. */
export const foldCopy = (dir: string): Folded => {
  const copy = temporaryDir("fold")
  try {
    cpSync(dir, copy, { recursive: true })
    return fold(nodeDisk(copy))
  } finally {
    removeTemporaryDir(copy)
  }
}

/** The sequence a server says at start-up that it has recovered. */
export const recoveredSequence = (server: ServerProcess): number => {
  const found = /recovered to sequence (\d+)/.exec(server.output())
  if (found === null) throw new Error(`no recovered sequence in:\n${server.output()}`)
  return Number(found[1])
}

/** The digest a server computes of its own data. */
export const serverDigest = async (client: RespClient): Promise<string> =>
  String(plain(await client.command("DEBUG", "DIGEST")))

/** Waits; milliseconds. */
export const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms))

/** A random wait, short ones more often. */
export const randomDelay = (random: Random, mostMs: number): number => mostMs * random.fraction() ** 2

const scratch = new Set<string>()

/** A temporary directory that `removeScratch` removes: worker processes of the test runner end without a last word. */
export const scratchDir = (purpose: string): string => {
  const dir = temporaryDir(purpose)
  scratch.add(dir)
  return dir
}

/** Removes what `scratchDir` made. */
export const removeScratch = (): void => {
  for (const dir of scratch) removeTemporaryDir(dir)
  scratch.clear()
}
