/**
 * What following a server has in common, whichever kind it is: whom, the link, when it is tried again, what is said when
 * it is lost, and the beginning of the conversation. Without a clock of its own: `tick` is called again and again.
 */
import type { FollowTarget, PrimaryStatus } from "../commands/replication/port.ts"
import { DiskError } from "../log/disk.ts"
import type { Dial, Link } from "./dial.ts"
import { type FollowerSettings, LinkEnded } from "./follower-host.ts"
import { StreamDamaged } from "./protocol.ts"

/** The other side hears at least as often how far this server is. */
export const ackEveryMs = 1000
/** A link is not tried again sooner after something that will not be otherwise the next time either. */
const hopelessRetryMs = 30_000

/** What the link needs of the server. */
export interface FollowingHost {
  readonly dial: Dial
  /** Milliseconds of a clock that never steps. */
  readonly monotonic: () => number
  readonly settings: () => FollowerSettings
  /** The link is up: it is shown among the connections until the function returned is called. */
  readonly linked: (address: string, localAddress: string, close: () => void) => () => void
  /** The state of the link is another. */
  readonly changed: () => void
  readonly warn: (text: string) => void
}

/** How it is spoken of, and when it is tried again: the later the more often it failed. */
export interface Manner {
  readonly whom: string
  readonly retryMs: number
  readonly longestRetryMs: number
}

/** See the head of this file. */
export abstract class Following {
  target: FollowTarget | undefined = undefined
  state: PrimaryStatus["state"] = "connect"
  inputBytes = 0
  fullSyncs = 0
  protected link: Link | undefined = undefined
  /** Requests whose replies are awaited before the stream begins, oldest first. */
  protected asked: Array<"auth" | "ping" | "replconf" | "follow"> = []
  protected lastIo = 0
  protected lastAck = 0
  private readonly outside: FollowingHost
  private readonly manner: Manner
  private unlinked = (): void => {}
  private downSince: number
  private nextTry = 0
  private failures = 0
  private lastTrouble = ""

  constructor(host: FollowingHost, manner: Manner) {
    this.outside = host
    this.manner = manner
    this.downSince = host.monotonic()
  }

  /** A link is about to be opened: what is known of the last one is of no use. */
  protected abstract anew(): void
  /** Takes bytes in. May throw what `knows` knows. */
  protected abstract take(bytes: Uint8Array, length: number): void
  /** Says the rest of what comes before the stream. */
  protected abstract introduced(): void
  /** The link is gone: what was under way is given up. */
  protected abstract lost(): void
  /** Whether an error says that the other side makes no sense, or that the disk fails. */
  protected abstract knows(error: unknown): error is Error
  /** Whether it will not be otherwise the next time either. */
  protected isHopeless(error: Error): boolean {
    return error instanceof LinkEnded && error.hopeless
  }

  /** All that came at a time was taken in, or the link was given up over it. */
  protected abstract settled(): void
  abstract tick(): void

  /** Follows a server from now on. */
  protected begin(target: FollowTarget): void {
    this.target = target
    this.downSince = this.outside.monotonic()
    this.failures = 0
    this.nextTry = -Infinity
    this.tick()
  }

  /** Ends the link; it is tried again as long as somebody is followed. */
  protected end(): void {
    const { link } = this
    this.link = undefined
    link?.close()
    this.down()
  }

  /** Opens the link once it is time. */
  protected connectWhenDue(target: FollowTarget): void {
    const { dial, monotonic } = this.outside
    if (monotonic() < this.nextTry) return
    this.state = "connecting"
    this.lastIo = monotonic()
    this.asked = []
    this.anew()
    const link: Link = dial(target.host, target.port, {
      connected: () => this.link === link && this.introduce(),
      received: (bytes, length) => {
        if (this.link !== link) return
        this.lastIo = monotonic()
        this.inputBytes += length
        this.guarded(() => this.take(bytes, length))
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

  /** Gives the link up when nothing has come for too long; whether it did. */
  protected failWhenSilent(now: number): boolean {
    if (now - this.lastIo <= this.outside.settings().timeoutMs) return false
    this.fail(this.state === "connected" ? "nothing came for too long" : "it does not answer")
    return true
  }

  /** Runs what may find that the other side makes no sense, or that the disk fails. */
  protected guarded(run: () => void): void {
    try {
      run()
    } catch (error) {
      const known = error instanceof StreamDamaged || error instanceof LinkEnded || error instanceof DiskError
      if (!known && !this.knows(error)) throw error
      this.fail(error.message)
      if (this.isHopeless(error)) this.nextTry = this.outside.monotonic() + hopelessRetryMs
    }
    this.settled()
  }

  protected fail(reason: string): void {
    this.trouble(reason)
    this.end()
  }

  /** Says once what is wrong, not at each attempt. */
  private trouble(reason: string): void {
    const { lastTrouble, manner, outside, state, target } = this
    if (target === undefined || (lastTrouble === reason && state !== "connected")) return
    this.lastTrouble = reason
    outside.warn(`the link to the ${manner.whom} ${target.host}:${target.port} is down: ${reason}`)
  }

  private down(): void {
    const { manner: { longestRetryMs, retryMs }, outside } = this
    const now = outside.monotonic()
    this.unlinked()
    this.unlinked = () => {}
    if (this.state === "connected") this.downSince = now
    this.state = "connect"
    this.lost()
    this.nextTry = now + Math.min(longestRetryMs, retryMs * 2 ** Math.min(10, this.failures))
    this.failures++
    outside.changed()
  }

  /** The stream has begun. */
  protected isUp(state: "sync" | "connected"): void {
    this.state = state
    this.failures = 0
    this.lastTrouble = ""
    this.outside.changed()
  }

  /** What is known of the link whoever is followed; undefined for nobody. */
  protected get linkStatus() {
    const { lastIo, outside: { monotonic }, state, target } = this
    if (target === undefined) return undefined
    const seconds = (since: number): number => Math.max(0, Math.floor((monotonic() - since) / 1000))
    const connected = state === "connected"
    return {
      host: target.host,
      port: target.port,
      state,
      lastIoSeconds: connected ? seconds(lastIo) : -1,
      downSeconds: connected ? 0 : seconds(this.downSince),
      syncIoSeconds: seconds(lastIo)
    }
  }

  // ——— the conversation before the stream

  protected ask(kind: (typeof this.asked)[number], ...words: ReadonlyArray<string>): void {
    this.asked.push(kind)
    this.send(words)
  }

  protected send(words: ReadonlyArray<string>): void {
    const parts = words.map((word) => `$${Buffer.byteLength(word)}\r\n${word}\r\n`)
    this.link?.send(Buffer.from(`*${words.length}\r\n${parts.join("")}`))
  }

  private introduce(): void {
    const { linked, monotonic, settings } = this.outside
    const { announceAddress, listeningPort, password, user } = settings()
    const { host, port } = this.target!
    this.unlinked = linked(`${host}:${port}`, this.link!.localAddress, () => this.fail("it was closed here"))
    this.lastIo = monotonic()
    this.state = "handshake"
    if (password !== "") this.ask("auth", "AUTH", ...(user === "" ? [] : [user]), password)
    this.ask("ping", "PING")
    this.ask("replconf", "REPLCONF", "listening-port", `${listeningPort}`)
    if (announceAddress !== "") this.ask("replconf", "REPLCONF", "ip-address", announceAddress)
    this.introduced()
  }
}
