/**
 * Follows a Redis: asks for all its data, an RDB file, which takes the place of what is here, and then runs what it
 * passes on. All of it becomes batches of this server's own log, of origin `replica`; so whoever follows this server, its
 * history and its checkpoints are what they are without this. Nothing dies here by itself meanwhile: the other server
 * says what is dead. Each link begins with all data.
 */
import type { Argv } from "../commands/define.ts"
import type { FollowTarget, PrimaryStatus } from "../commands/replication/port.ts"
import { DiskError } from "../log/disk.ts"
import { BadFile } from "../rdb/file-reader.ts"
import { Refused } from "../rdb/relay.ts"
import type { Dial, Link } from "./dial.ts"
import { type FollowerSettings, LinkEnded } from "./follower-host.ts"
import { StreamDamaged } from "./protocol.ts"
import { type RedisStreamHandler, RedisStreamReader } from "./redis-stream.ts"
import type { RedisTaker } from "./redis-taker.ts"

const [retryMs, longestRetryMs] = [200, 5000]
/** A link is not tried again sooner after something that will not be otherwise the next time either. */
const hopelessRetryMs = 30_000
const ackEveryMs = 1000

/** What it needs of the server. */
export interface RedisFollowerHost {
  readonly dial: Dial
  readonly monotonic: () => number
  readonly settings: () => FollowerSettings
  /** Takes in what comes. */
  readonly taker: RedisTaker
  readonly later: (run: () => void) => void
  readonly linked: (address: string, localAddress: string, close: () => void) => () => void
  /** The state of the link is another. */
  readonly changed: () => void
  readonly report: (text: string) => void
  readonly warn: (text: string) => void
}

type Asked = "auth" | "ping" | "port" | "address" | "capa" | "psync"

/** See the head of this file. */
export class RedisFollower implements RedisStreamHandler {
  target: FollowTarget | undefined = undefined
  state: PrimaryStatus["state"] = "connect"
  inputBytes = 0
  fullSyncs = 0
  private readonly host: RedisFollowerHost
  private link: Link | undefined = undefined
  private unlinked = (): void => {}
  private reader: RedisStreamReader
  private asked: Array<Asked> = []
  /** How many bytes of the other server's stream are here. */
  private offset = 0
  /** Bytes of a transaction that is not whole. */
  private pendingBytes = 0
  private fileBytes = 0
  private fileRead = 0
  private lastIo = 0
  private lastAck = 0
  private downSince: number
  private nextTry = 0
  private failures = 0
  private lastTrouble = ""
  private loading: Iterator<void, void> | undefined = undefined

  constructor(host: RedisFollowerHost) {
    this.host = host
    this.downSince = host.monotonic()
    this.reader = new RedisStreamReader(this)
  }

  /** What is here is but a part of the other server's data. */
  get catchingUp(): boolean {
    return this.target !== undefined && this.host.taker.partial
  }

  get status(): PrimaryStatus | undefined {
    const { host: { monotonic }, lastIo, state, target } = this
    if (target === undefined) return undefined
    const seconds = (since: number): number => Math.max(0, Math.floor((monotonic() - since) / 1000))
    const connected = state === "connected"
    return {
      host: target.host,
      port: target.port,
      state,
      lastIoSeconds: connected ? seconds(lastIo) : -1,
      downSeconds: connected ? 0 : seconds(this.downSince),
      readLsn: this.offset,
      foreign: true,
      sync: state !== "sync"
        ? undefined
        : { totalBytes: this.fileBytes, readBytes: this.fileRead, lastIoSeconds: seconds(lastIo) },
      primarySequence: 0,
      delayMs: 0,
      until: undefined
    }
  }

  /** Follows a server that was found to be a Redis. `partial`: what is here so far is but a part of its data. */
  start(target: FollowTarget, partial = false): void {
    this.stop()
    this.target = target
    this.host.taker.partial = partial
    this.downSince = this.host.monotonic()
    this.failures = 0
    this.nextTry = -Infinity
    this.tick()
  }

  /** Follows nobody any more. */
  stop(): void {
    if (this.target === undefined) return
    this.target = undefined
    this.end("this server does not follow any more")
  }

  /** Time passes. */
  tick(): void {
    const { host, target } = this
    if (target === undefined) return
    const now = host.monotonic()
    if (this.link === undefined) {
      if (now >= this.nextTry) this.connect(target)
      return
    }
    if (this.loading !== undefined) {
      // However long it takes, the other server is not to think that nobody is there any more.
      if (now - this.lastAck >= ackEveryMs) {
        this.lastAck = now
        this.link.send(Buffer.from("\n"))
      }
      return
    }
    if (now - this.lastIo > host.settings().timeoutMs) {
      this.fail(this.state === "connected" ? "nothing came for too long" : "it does not answer")
    } else if (this.state === "connected" && now - this.lastAck >= ackEveryMs) this.acknowledge()
  }

  private connect(target: FollowTarget): void {
    this.state = "connecting"
    this.lastIo = this.host.monotonic()
    this.reader = new RedisStreamReader(this)
    this.asked = []
    this.pendingBytes = 0
    const link: Link = this.host.dial(target.host, target.port, {
      connected: () => this.link === link && this.introduce(),
      received: (bytes, length) => {
        if (this.link !== link) return
        this.lastIo = this.host.monotonic()
        this.inputBytes += length
        this.guarded(() => {
          this.host.taker.beginChunk()
          this.reader.push(bytes, length)
        })
      },
      closed: (reason) => {
        if (this.link !== link) return
        this.link = undefined
        this.trouble(reason)
        this.down()
      }
    })
    this.link = link
  }

  private guarded(run: () => void): void {
    try {
      run()
    } catch (error) {
      const known = error instanceof StreamDamaged || error instanceof LinkEnded || error instanceof DiskError
        || error instanceof BadFile || error instanceof Refused
      if (!known) throw error
      this.fail(
        error.message,
        error instanceof Refused || error instanceof BadFile ||
          (error instanceof LinkEnded && error.hopeless)
      )
    }
    this.host.taker.taken()
  }

  private fail(reason: string, hopeless = false): void {
    this.trouble(reason)
    this.end(reason)
    if (hopeless) this.nextTry = this.host.monotonic() + hopelessRetryMs
  }

  private trouble(reason: string): void {
    if (this.target === undefined || (this.lastTrouble === reason && this.state !== "connected")) return
    this.lastTrouble = reason
    this.host.warn(`the link to the Redis ${this.target.host}:${this.target.port} is down: ${reason}`)
  }

  private end(_reason: string): void {
    const { link } = this
    this.link = undefined
    link?.close()
    this.down()
  }

  private down(): void {
    const now = this.host.monotonic()
    this.unlinked()
    this.unlinked = () => {}
    if (this.state === "connected") this.downSince = now
    this.state = "connect"
    this.loading = undefined
    this.host.taker.discard()
    this.nextTry = now + Math.min(longestRetryMs, retryMs * 2 ** Math.min(10, this.failures))
    this.failures++
    this.host.changed()
  }

  // ——— the conversation

  private send(words: ReadonlyArray<string>): void {
    const parts = words.map((word) => `$${Buffer.byteLength(word)}\r\n${word}\r\n`)
    this.link?.send(Buffer.from(`*${words.length}\r\n${parts.join("")}`))
  }

  private ask(kind: Asked, ...words: ReadonlyArray<string>): void {
    this.asked.push(kind)
    this.send(words)
  }

  private introduce(): void {
    const { announceAddress, listeningPort, password, user } = this.host.settings()
    const { host, port } = this.target!
    this.unlinked = this.host.linked(`${host}:${port}`, this.link!.localAddress, () => this.fail("it was closed here"))
    this.lastIo = this.host.monotonic()
    this.state = "handshake"
    if (password !== "") this.ask("auth", "AUTH", ...(user === "" ? [] : [user]), password)
    this.ask("ping", "PING")
    this.ask("port", "REPLCONF", "listening-port", `${listeningPort}`)
    if (announceAddress !== "") this.ask("address", "REPLCONF", "ip-address", announceAddress)
    this.ask("capa", "REPLCONF", "capa", "eof", "capa", "psync2")
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
    if (kind === "psync") this.answered(text)
    else {
      // Old ones do not know what they are told; only who may not come in, or whose server is not ready, gives up.
      if (text.startsWith("-") && (kind === "auth" || kind === "ping")) {
        throw new LinkEnded(`it refuses ${kind}: ${text.slice(1)}`)
      }
      if (this.asked.length > 0) return
      this.ask("psync", "PSYNC", "?", "-1")
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
    this.state = "connected"
    this.failures = 0
    this.lastTrouble = ""
    this.host.changed()
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
