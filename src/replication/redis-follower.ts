/**
 * Follows a Redis: asks for all its data, an RDB file, which takes the place of what is here, and then runs what it
 * passes on. All of it becomes batches of this server's own log, of origin `replica`; so whoever follows this server, its
 * history and its checkpoints are what they are without this. Nothing dies here by itself meanwhile: the other server
 * says what is dead. Each link begins with all data.
 */
import type { Argv } from "../commands/define.ts"
import type { FollowTarget, PrimaryStatus } from "../commands/replication/port.ts"
import { BadFile } from "../rdb/file-reader.ts"
import { Refused } from "../rdb/relay.ts"
import { LinkEnded } from "./follower-host.ts"
import { ackEveryMs, Following, type FollowingHost } from "./following.ts"
import { StreamDamaged } from "./protocol.ts"
import { type RedisStreamHandler, RedisStreamReader } from "./redis-stream.ts"
import type { RedisTaker } from "./redis-taker.ts"

/** What it needs of the server. */
export interface RedisFollowerHost extends FollowingHost {
  /** Takes in what comes. */
  readonly taker: RedisTaker
  readonly later: (run: () => void) => void
  readonly report: (text: string) => void
}

/** See the head of this file. */
export class RedisFollower extends Following implements RedisStreamHandler {
  private readonly host: RedisFollowerHost
  private reader: RedisStreamReader
  /** How many bytes of the other server's stream are here. */
  private offset = 0
  /** Bytes of a transaction that is not whole. */
  private pendingBytes = 0
  private fileBytes = 0
  private fileRead = 0
  private loading: Iterator<void, void> | undefined = undefined

  constructor(host: RedisFollowerHost) {
    super(host, { whom: "Redis", retryMs: 200, longestRetryMs: 5000 })
    this.host = host
    this.reader = new RedisStreamReader(this)
  }

  /** What is here is but a part of the other server's data. */
  get catchingUp(): boolean {
    return this.target !== undefined && this.host.taker.partial
  }

  get status(): PrimaryStatus | undefined {
    const { linkStatus: status } = this
    if (status === undefined) return undefined
    const { syncIoSeconds: lastIoSeconds, ...link } = status
    return {
      ...link,
      readLsn: this.offset,
      foreign: true,
      sync: link.state !== "sync"
        ? undefined
        : { totalBytes: this.fileBytes, readBytes: this.fileRead, lastIoSeconds },
      primarySequence: 0,
      delayMs: 0,
      until: undefined
    }
  }

  /** Follows a server that was found to be a Redis. `partial`: what is here so far is but a part of its data. */
  start(target: FollowTarget, partial = false): void {
    this.stop()
    this.host.taker.partial = partial
    this.begin(target)
  }

  /** Follows nobody any more. */
  stop(): void {
    if (this.target === undefined) return
    this.target = undefined
    this.end()
  }

  /** Time passes. */
  tick(): void {
    const { host, target } = this
    if (target === undefined) return
    const now = host.monotonic()
    if (this.link === undefined) return this.connectWhenDue(target)
    if (this.loading !== undefined) {
      // However long it takes, the other server is not to think that nobody is there any more.
      if (now - this.lastAck >= ackEveryMs) {
        this.lastAck = now
        this.link.send(Buffer.from("\n"))
      }
      return
    }
    if (this.failWhenSilent(now)) return
    if (this.state === "connected" && now - this.lastAck >= ackEveryMs) this.acknowledge()
  }

  protected anew(): void {
    this.reader = new RedisStreamReader(this)
    this.pendingBytes = 0
  }

  protected take(bytes: Uint8Array, length: number): void {
    this.host.taker.beginChunk()
    this.reader.push(bytes, length)
  }

  protected knows(error: unknown): error is Error {
    return error instanceof BadFile || error instanceof Refused
  }

  protected override isHopeless(error: Error): boolean {
    return this.knows(error) || super.isHopeless(error)
  }

  protected settled(): void {
    this.host.taker.taken()
  }

  protected lost(): void {
    this.loading = undefined
    this.host.taker.discard()
  }

  // ——— the conversation

  protected introduced(): void {
    this.ask("replconf", "REPLCONF", "capa", "eof", "capa", "psync2")
  }

  line(text: string): void {
    if (text === "") return
    const kind = this.asked[0]
    if (kind === undefined) {
      // The file is announced.
      if (this.state !== "sync" || !text.startsWith("$")) throw new StreamDamaged("a reply that nobody asked for")
      this.fileBytes = this.reader.expectFile(text.slice(1))
      this.fileRead = 0
      this.host.taker.begin()
      return
    }
    this.asked.shift()
    if (kind === "follow") this.answered(text)
    else {
      // Old ones do not know what they are told; only who may not come in, or whose server is not ready, gives up.
      if (text.startsWith("-") && (kind === "auth" || kind === "ping")) {
        throw new LinkEnded(`it refuses ${kind}: ${text.slice(1)}`)
      }
      if (this.asked.length > 0) return
      this.ask("follow", "PSYNC", "?", "-1")
    }
  }

  private answered(text: string): void {
    const [word, id, offset] = text.split(" ")
    if (word === "+FULLRESYNC" && id !== undefined && /^\d{1,16}$/.test(offset ?? "")) {
      this.state = "sync"
      this.fullSyncs++
      this.offset = Number(offset)
      this.host.report(`full sync from the Redis ${this.target!.host}:${this.target!.port}`)
      return
    }
    throw new LinkEnded(`it refuses to be followed: ${text.replace(/^[-+]/, "")}`)
  }

  private up(): void {
    this.isUp("connected")
    this.acknowledge()
  }

  private acknowledge(): void {
    this.lastAck = this.host.monotonic()
    this.send(["REPLCONF", "ACK", `${this.offset}`])
  }

  // ——— the file

  file(bytes: Uint8Array, start: number, length: number): void {
    this.fileRead += length
    this.host.taker.file(bytes, start, length)
  }

  fileEnd(surplus: number): void {
    this.reader.paused = true
    this.link?.pause()
    const loading = this.host.taker.load(surplus)
    this.loading = loading
    let hidden = false
    const run = (): void => {
      if (this.loading !== loading) return
      this.guarded(() => {
        const step = loading.next()
        if (this.catchingUp !== hidden) {
          hidden = this.catchingUp
          this.host.changed()
        }
        if (step.done !== true) {
          this.host.later(run)
          return
        }
        this.loading = undefined
        this.lastIo = this.host.monotonic()
        this.host.report(`the full sync is complete: ${this.host.taker.keys} keys`)
        this.up()
        this.reader.paused = false
        this.host.taker.beginChunk()
        this.reader.resume()
        this.link?.resume()
      })
    }
    this.host.later(run)
  }

  // ——— the stream

  request(argv: Argv, bytes: number): void {
    this.pendingBytes += bytes
    const { taker } = this.host
    if (taker.isAckWanted(argv)) {
      if (!taker.inTransaction) this.settle()
      this.acknowledge()
      return
    }
    taker.request(argv)
    // A link that was lost goes on from the beginning of a transaction.
    if (!taker.inTransaction) this.settle()
  }

  private settle(): void {
    this.offset += this.pendingBytes
    this.pendingBytes = 0
  }
}
