import { isWord } from "../commands/arguments.ts"
import type { ClientState } from "../commands/client.ts"
import type { CommandExecutor } from "../commands/executor/executor.ts"
import type { ConnectionPort } from "../commands/ports.ts"
import { type NetSettings, outputHighWater, unauthenticatedQueryBytes } from "./limits.ts"
import { ReplyBuffer } from "./resp/encoder.ts"
import { Arguments, Parsed, RequestParser } from "./resp/parser.ts"
import { noReply, type Reply, ReplyError } from "./resp/reply.ts"
import type { Receiver, Transport } from "./transport.ts"

/** What a session needs of the server around it. */
export interface SessionHost {
  readonly executor: CommandExecutor
  readonly settings: NetSettings
  readonly argv: Arguments
  /** The session has output or wants to close: `release` will be called at the end of this turn. */
  dirty(session: Session): void
  closed(session: Session): void
  /** The session waits for the end of CLIENT PAUSE. */
  postponed(session: Session): void
  warn(text: string): void
  now(): number
  countInput(bytes: number): void
  countOutput(bytes: number): void
}

/** Replies that may leave once the log has released `barrier`. */
interface Held {
  readonly buffer: ReplyBuffer
  readonly barrier: number
}

const spareBuffers: Array<ReplyBuffer> = []

/** One connection: bytes to requests to replies to bytes. */
export class Session implements ConnectionPort, Receiver {
  readonly client: ClientState
  readonly kind: "tcp" | "unix"
  isDirty = false

  private readonly host: SessionHost
  private readonly transport: Transport
  private readonly parser: RequestParser
  private out = new ReplyBuffer()
  /** Replies of earlier turns that the log has not released, oldest first. */
  private readonly held: Array<Held> = []
  private heldBytes = 0

  /** Bytes of a request that is not whole, or that must wait: `pending[pendingStart…pendingEnd)`. */
  private pending: Uint8Array = none
  private pendingStart = 0
  private pendingEnd = 0

  private replyMode: "on" | "off" | "skip" | "skipNext" = "on"
  private closing = false
  private ended = false
  /** Requests wait: clients are paused, or the running command answers later. */
  private waiting: "no" | "paused" | "answer" = "no"
  private reading = true
  private softLimitSince = 0

  constructor(host: SessionHost, transport: Transport, client: ClientState, kind: "tcp" | "unix") {
    this.host = host
    this.transport = transport
    this.client = client
    this.kind = kind
    this.parser = new RequestParser(host.argv, host.settings)
  }

  // ——— bytes in ———

  receive(bytes: Uint8Array, length: number): void {
    if (this.closing || this.ended) return
    this.host.countInput(length)
    const executor = this.host.executor
    executor.beginChunk()
    if (this.pendingEnd > this.pendingStart || this.waiting !== "no") {
      if (this.keep(bytes, 0, length)) this.drain()
    } else {
      const at = this.process(bytes, 0, length)
      if (at < length && !this.closing) this.keep(bytes, at, length)
    }
    executor.endChunk()
  }

  /** Runs the requests in the pending bytes as far as they go. */
  private drain(): void {
    if (this.waiting !== "no") return
    this.pendingStart = this.process(this.pending, this.pendingStart, this.pendingEnd)
    if (this.pendingStart === this.pendingEnd || this.closing) {
      this.pending = none
      this.pendingStart = this.pendingEnd = 0
    }
  }

  /** Runs requests from `at` on; returns where the first one begins that is not whole or has to wait. */
  private process(bytes: Uint8Array, at: number, end: number): number {
    const parser = this.parser
    while (at < end && !this.closing) {
      const parsed = parser.parse(bytes, at, end, this.client.authenticated)
      if (parsed === Parsed.request) {
        if (!this.request()) {
          this.wait("paused")
          this.host.postponed(this)
          return at
        }
        at = parser.position
        if (this.waiting !== "no") return at
        if (this.out.length > outputHighWater) this.slowDown()
      } else if (parsed === Parsed.empty) at = parser.position
      else if (parsed === Parsed.error) {
        this.out.write(new ReplyError(`ERR Protocol error: ${parser.error}`), this.client.protocol)
        this.closeAfterReply()
        return end
      } else return at
    }
    return at
  }

  /** Runs the request in `argv`. False when clients are paused: it must be run again later. */
  private request(): boolean {
    const { argv, executor } = this.host
    if (isCrossProtocol(argv)) {
      this.host.warn(
        `Possible SECURITY ATTACK: an HTTP request came in from ${this.client.address}; the connection is closed.`
      )
      this.kill()
      return true
    }
    const out = this.out
    const muted = this.replyMode === "off" || this.replyMode === "skip"
    if (!muted) {
      if (!executor.execute(this, argv, out)) return false
    } else {
      const wasOff = this.replyMode === "off"
      const sink = spareBuffers.pop() ?? new ReplyBuffer()
      const done = executor.execute(this, argv, sink)
      // CLIENT REPLY ON is the one command whose reply ends the silence.
      if (wasOff && this.replyMode === ("on" as string)) { for (const chunk of sink.take()) out.raw(chunk) }
      sink.clear()
      spareBuffers.push(sink)
      if (!done) return false
    }
    if (this.replyMode === "skip") this.replyMode = "on"
    else if (this.replyMode === "skipNext") this.replyMode = "skip"
    if (!this.isDirty && out.length > 0) this.markDirty()
    return true
  }

  /** Adds bytes to the pending ones; false when the query buffer limit closed the connection. */
  private keep(bytes: Uint8Array, start: number, end: number): boolean {
    const held = this.pendingEnd - this.pendingStart
    const size = held + end - start
    const limit = this.client.authenticated
      ? this.host.settings.queryBufferBytes
      : Math.min(unauthenticatedQueryBytes, this.host.settings.queryBufferBytes)
    if (size > limit) {
      this.host.warn(
        `Closing client ${this.client.clientId} (${this.client.address}): its unread requests passed ${limit} bytes.`
      )
      this.kill()
      return false
    }
    if (this.pendingEnd + end - start > this.pending.length) {
      // The parser knows how long the request at hand will be; doubling bounds what an empty promise can cost.
      const wanted = Math.max(size, Math.min(this.parser.needed, size * 2 + smallestPending))
      const room = wanted > this.pending.length ? wanted + smallestPending : this.pending.length
      const next = room === this.pending.length ? this.pending : Buffer.allocUnsafeSlow(room)
      if (held > 0) next.set(this.pending.subarray(this.pendingStart, this.pendingEnd))
      this.pending = next
      this.pendingStart = 0
      this.pendingEnd = held
    }
    this.pending.set(bytes.subarray(start, end), this.pendingEnd)
    this.pendingEnd += end - start
    if (this.waiting !== "no" && size > outputHighWater) this.slowDown()
    return true
  }

  private slowDown(): void {
    if (!this.reading) return
    this.reading = false
    this.transport.pause()
  }

  private speedUp(): void {
    if (this.reading || this.ended || this.waiting !== "no") return
    if (this.outputBytes > outputHighWater / 2) return
    this.reading = true
    this.transport.resume()
  }

  // ——— waiting ———

  private wait(why: "paused" | "answer"): void {
    this.waiting = why
  }

  /** CLIENT PAUSE is over: the postponed request runs. */
  resumeAfterPause(): void {
    if (this.waiting !== "paused") return
    this.continue()
  }

  private continue(): void {
    this.waiting = "no"
    if (this.ended || this.closing) return
    this.host.executor.beginChunk()
    this.drain()
    this.host.executor.endChunk()
    this.speedUp()
  }

  get blocked(): boolean {
    return this.waiting === "answer"
  }

  unblock(_how: "timeout" | "error"): boolean {
    return false
  }

  /** The running command will answer later: requests behind it wait. */
  awaitAnswer(): void {
    this.wait("answer")
  }

  answer(reply: Reply): void {
    if (this.ended) return
    if (reply !== noReply) {
      this.out.write(reply, this.client.protocol)
      this.markDirty()
    }
    if (this.waiting === "answer") this.continue()
  }

  // ——— bytes out ———

  get outputBytes(): number {
    return this.out.length + this.heldBytes + this.transport.waiting
  }

  get queryBytes(): number {
    return this.pendingEnd - this.pendingStart
  }

  get fd(): number {
    return this.transport.descriptor
  }

  private markDirty(): void {
    if (this.isDirty) return
    this.isDirty = true
    this.host.dirty(this)
  }

  /** End of the turn: the replies leave, or wait until the log has released `barrier`. Returns whether some wait. */
  release(released: number, barrier: number): boolean {
    this.isDirty = false
    if (this.ended) return false
    if (this.out.length > 0) {
      if (barrier > released || this.held.length > 0) {
        this.held.push({ buffer: this.out, barrier })
        this.heldBytes += this.out.length
        this.out = spareBuffers.pop() ?? new ReplyBuffer()
      } else this.send(this.out)
    }
    if (this.overLimit()) return false
    if (this.held.length > 0) return true
    if (this.closing) this.finish()
    return false
  }

  /** The log has released everything up to `released`. Returns whether replies still wait. */
  releaseHeld(released: number): boolean {
    while (this.held.length > 0 && this.held[0]!.barrier <= released) {
      const { buffer } = this.held.shift()!
      this.heldBytes -= buffer.length
      this.send(buffer)
      spareBuffers.push(buffer)
    }
    if (this.held.length > 0) return true
    if (this.closing && !this.isDirty) this.finish()
    else this.speedUp()
    return false
  }

  private send(buffer: ReplyBuffer): void {
    this.host.countOutput(buffer.length)
    if (buffer.full.length === 0) {
      this.transport.send(buffer.chunk, buffer.used)
      buffer.clear()
    } else {
      for (const chunk of buffer.take()) {
        if (this.transport.waiting === 0) this.transport.send(chunk, chunk.length)
        else this.transport.sendKept(chunk)
      }
    }
    if (this.transport.waiting > outputHighWater) this.slowDown()
  }

  drained(): void {
    this.softLimitSince = 0
    this.speedUp()
  }

  /** Applies client-output-buffer-limit; true when it closed the connection. */
  private overLimit(): boolean {
    const { hard, soft, softSeconds } = this.host.settings.outputLimit
    if (hard === 0 && soft === 0) return false
    const bytes = this.outputBytes
    if (soft === 0 || bytes <= soft) this.softLimitSince = 0
    else if (this.softLimitSince === 0) this.softLimitSince = this.host.now()
    const tooLong = this.softLimitSince !== 0 && this.host.now() - this.softLimitSince >= softSeconds * 1000
    if ((hard === 0 || bytes <= hard) && !tooLong) return false
    this.host.warn(
      `Closing client ${this.client.clientId} (${this.client.address}): ${bytes} bytes of replies wait, over the output buffer limit.`
    )
    this.kill()
    return true
  }

  /** Looks at limits that time decides; called every second. */
  sweep(now: number, idleTimeoutSeconds: number): void {
    if (idleTimeoutSeconds > 0 && this.waiting === "no" && now - this.client.lastActiveAt > idleTimeoutSeconds * 1000) {
      this.kill()
    } else if (this.outputBytes > 0) this.overLimit()
  }

  // ——— the end ———

  setReplyMode(mode: "on" | "off" | "skip"): void {
    this.replyMode = mode === "skip" ? (this.replyMode === "off" ? "off" : "skipNext") : mode
  }

  closeAfterReply(): void {
    this.closing = true
    this.markDirty()
  }

  /** Closes gracefully now, with what has been sent. */
  private finish(): void {
    this.transport.end()
  }

  kill(): void {
    this.closing = true
    this.transport.destroy()
  }

  closed(): void {
    if (this.ended) return
    this.ended = true
    this.out.clear()
    this.held.length = 0
    this.heldBytes = 0
    this.pending = none
    this.pendingStart = this.pendingEnd = 0
    this.host.closed(this)
  }
}

const none = new Uint8Array(0)
const smallestPending = 4096

/** A browser tricked into talking to the server sends POST or a Host: header first. */
const isCrossProtocol = (argv: Arguments): boolean => {
  const first = argv.at(0)
  const letter = first.bytes[first.start]! | 0x20
  return letter === 112 ? isWord(first, "POST") : letter === 104 && isWord(first, "HOST:")
}
