import type { ClientState } from "../commands/client.ts"
import type { Argv } from "../commands/define.ts"
import type { ClientMemory, ConnectionPort, StreamOutlet, StreamOwner } from "../commands/ports.ts"
import { endsCrossProtocol } from "./cross-protocol.ts"
import { outletFor } from "./handed-over.ts"
import { HeldReplies } from "./held-replies.ts"
import { outputHighWater, queryLimitOf, unauthenticatedOutputBytes, worthLookingAhead } from "./limits.ts"
import { Linger } from "./linger.ts"
import { outputLimitOf, OutputWatch, overOutputWarning } from "./output-limit.ts"
import { QueryBuffer } from "./query-buffer.ts"
import { ReplyMode } from "./reply-mode.ts"
import { ReplyBuffer } from "./resp/encoder.ts"
import type { Sendable } from "./resp/message.ts"
import { type Arguments, Parsed, RequestParser } from "./resp/parser.ts"
import { noReply, type Reply, ReplyError } from "./resp/reply.ts"
import { sendReplies } from "./sending.ts"
import { ends, type SessionHost, type Waiting } from "./session-host.ts"
import { clientMemory, ReplyPeak } from "./session-memory.ts"
import type { Outlet, Receiver } from "./transport.ts"

const spareBuffers: Array<ReplyBuffer> = []

/** One connection: bytes to requests to replies to bytes. */
export class Session implements ConnectionPort, Receiver {
  readonly client: ClientState
  readonly kind: "tcp" | "unix"
  isDirty = false
  readonly host: SessionHost
  private readonly transport: Outlet
  private readonly parser: RequestParser
  private out = new ReplyBuffer()
  private readonly held = new HeldReplies()
  private readonly replyPeak = new ReplyPeak()
  /** A request that is not whole, or requests that must wait. */
  private readonly pending = new QueryBuffer()
  private readonly replyMode = new ReplyMode()
  /** No further request runs: the connection closes once its replies have left. */
  closing = false
  private killed = false
  private ended = false
  private waiting: Waiting = "no"
  private reading = true
  /** The client has sent its last byte; it may still read. */
  private inputOver = false
  private readonly outputWatch = new OutputWatch()
  private linger: Linger | undefined = undefined
  /** Who sends here instead of replies: the connection is a replica's. */
  private owner: StreamOwner | undefined = undefined

  constructor(host: SessionHost, transport: Outlet, client: ClientState, kind: "tcp" | "unix") {
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
    const { executor } = this.host
    const { pending } = this
    executor.beginChunk()
    if (this.waiting !== "no") this.keep(bytes, 0, length)
    else if (pending.length === 0) this.processChunk(bytes, length)
    else {
      const held = pending.length
      const whole = pending.join(bytes, length)
      if (whole !== undefined) {
        pending.start = pending.end = 0
        this.processChunk(whole, held + length)
        if (pending.length === 0) this.forgetPending()
      } else if (this.keep(bytes, 0, length)) this.drain()
    }
    executor.endChunk()
  }

  /** The client sends nothing more. What it has asked is still answered, unless it would have to wait for that. */
  inputEnded(): void {
    this.inputOver = true
    this.closeAfterInput()
  }

  private closeAfterInput(): void {
    if (!this.inputOver || this.closing || this.ended) return
    const { others } = this.host.executor.waiters
    if (this.waiting === "no") this.closeAfterReply()
    else if (this.waiting === "paused" || (this.waiting === "answer" && !others.answers(this))) this.kill()
  }

  private processChunk(bytes: Uint8Array, length: number): void {
    const at = this.process(bytes, 0, length)
    if (at < length && !this.closing) this.keep(bytes, at, length)
  }

  /** Runs the requests in the pending bytes as far as they go. */
  private drain(): void {
    const { pending } = this
    pending.start = this.process(pending.bytes, pending.start, pending.end)
    if (pending.length === 0 || this.closing) this.forgetPending()
    else pending.shrink(this.parser.needed)
  }

  private forgetPending(): void {
    this.pending.clear()
    // Its words still point into what was pending, which may be large.
    this.host.argv.release()
    for (const argv of this.host.ahead) argv.release()
  }

  /** Runs requests from `at` on; returns where the first one begins that is not whole or has to wait. */
  private process(bytes: Uint8Array, at: number, end: number): number {
    const parser = this.parser
    while (at < end && !this.closing) {
      const ahead = this.processAhead(bytes, at, end)
      if (ahead !== at) {
        if (this.stopped) return ahead
        at = ahead
        continue
      }
      const parsed = parser.parse(bytes, at, end, this.client.authenticated)
      if (parsed === Parsed.request) {
        if (!this.runOne(this.host.argv)) return at
        at = parser.position
        if (this.stopped) return at
      } else if (parsed === Parsed.empty) at = parser.position
      else if (parsed === Parsed.error) {
        if (!this.replyMode.muted) {
          this.out.write(new ReplyError(`ERR Protocol error: ${parser.error}`), this.client.protocol)
        }
        this.closeAfterReply()
        return end
      } else return at
    }
    return at
  }

  /** No further request may run now. */
  private stopped = false

  /** Runs a request and notes whether more may follow. False when it has to be run again later. */
  private runOne(argv: Arguments): boolean {
    if (!this.request(argv)) {
      this.waiting = "paused"
      this.host.postponed(this)
      this.stopped = true
      return false
    }
    this.stopped = this.closing || this.waiting !== "no"
      || (this.out.length > unauthenticatedOutputBytes && this.overwhelmed())
    return true
  }

  /**
   * A pipeline over a large database: several requests are parsed before the first runs, so that their look-ups wait for
   * memory together. Returns the position after the requests that ran; `at` when there was nothing to gain.
   */
  private processAhead(bytes: Uint8Array, at: number, end: number): number {
    const { client, host } = this
    if (end - at < worthLookingAhead || !client.authenticated || !host.executor.anticipation.isWorthwhile(client.db)) {
      return at
    }
    const count = this.parser.ahead(bytes, at, end, host.ahead, ends)
    if (count < 2) return at
    host.executor.anticipation.ready(client.db, host.ahead, count)
    for (let i = 0; i < count; i++) {
      if (!this.runOne(host.ahead[i]!)) return at
      at = ends[i]!
      if (this.stopped) return at
    }
    return at
  }

  /** Runs the request in `argv`. False when clients are paused: it must be run again later. */
  private request(argv: Arguments): boolean {
    const { executor } = this.host
    const out = this.out
    if (this.replyMode.muted) {
      const sink = spareBuffers.pop() ?? new ReplyBuffer()
      const done = executor.execute(this, argv, sink)
      // CLIENT REPLY ON is the one command whose reply ends the silence.
      if (this.replyMode.on) { for (const chunk of sink.take()) out.raw(chunk) }
      sink.clear()
      spareBuffers.push(sink)
      if (!done) return false
    } else if (!executor.execute(this, argv, out)) return false
    if (!this.replyMode.on && this.waiting !== "answer") this.replyMode.next()
    if (!this.isDirty && out.length > 0) this.markDirty()
    return true
  }

  unmasks(argv: Argv): boolean {
    return endsCrossProtocol(argv, this)
  }

  /** Adds bytes to the pending ones; false when the query buffer limit closed the connection. */
  private keep(bytes: Uint8Array, start: number, end: number): boolean {
    const size = this.pending.length + end - start
    const { client, host } = this
    client.lastActiveAt = host.executor.view.now
    const limit = queryLimitOf(client, host.settings)
    if (size > limit) {
      host.warn(`Closing client ${client.clientId} (${client.address}): its unread requests passed ${limit} bytes.`)
      this.kill()
      return false
    }
    this.pending.append(bytes, start, end, this.parser.needed)
    if (this.waiting !== "no" && size > outputHighWater) this.slowDown()
    return true
  }

  /** Looks at what has been answered in this turn; true when no further request may run now. */
  private overwhelmed(): boolean {
    const bytes = this.outputBytes
    if (this.overUnauthenticatedLimit(bytes)) return true
    if (bytes <= outputHighWater) return false
    this.waiting = "output"
    this.slowDown()
    return true
  }

  private slowDown(): void {
    if (!this.reading) return
    this.reading = false
    this.transport.pause()
  }

  /** Goes on with what the client has sent, now or in the socket, if enough of the replies has left. */
  private speedUp(): void {
    if (this.closing || this.ended || this.outputBytes > outputHighWater / 2) return
    if (this.waiting === "output") this.resumeLater()
    else if (this.waiting === "no" && !this.reading) {
      this.reading = true
      this.transport.resume()
    }
  }

  // ——— waiting ———
  private resumeLater(): void {
    this.waiting = "resuming"
    this.host.later(this)
  }

  /** The turn after the wait was over: the requests that came meanwhile run. */
  resume(): void {
    if (this.waiting !== "resuming") return
    this.waiting = "no"
    if (this.ended || this.closing) return
    this.host.executor.beginChunk()
    this.drain()
    this.host.executor.endChunk()
    this.speedUp()
    this.closeAfterInput()
  }

  /** CLIENT PAUSE is over: the postponed request runs soon. */
  resumeAfterPause(): void {
    if (this.waiting === "paused") this.resumeLater()
  }

  get blocked(): boolean {
    return this.waiting === "answer"
  }

  unblock(how: "timeout" | "error"): boolean {
    return this.host.executor.waiters.unblock(this, how)
  }

  awaitAnswer(): void {
    this.waiting = "answer"
  }

  answer(reply: Reply): void {
    if (this.ended) return
    if (reply !== noReply && !this.replyMode.muted) this.confirm(reply)
    if (this.waiting !== "answer") return
    this.client.tracking?.answered()
    this.replyMode.next()
    this.resumeLater()
  }

  push(bytes: Uint8Array): void {
    if (this.ended || this.killed || this.replyMode.muted) return
    this.out.raw(bytes)
    this.pushed()
  }

  deliver(message: Sendable): void {
    if (this.ended || this.closing) return
    this.out.share(message.bytes(this.client.protocol))
    this.pushed()
  }

  private pushed(): void {
    this.markDirty()
    // Within one turn, too, what nobody reads must not grow without end.
    if (this.out.length > outputHighWater) this.overLimit(this.outputBytes)
  }

  confirm(reply: Reply): void {
    if (this.ended || this.closing) return
    this.out.write(reply, this.client.protocol)
    this.markDirty()
  }

  // ——— bytes out ———
  get outputBytes(): number {
    return this.out.length + this.held.bytes + this.transport.waiting
  }

  memory(): ClientMemory {
    const { client, held, out, parser, pending, replyPeak, transport } = this
    return clientMemory(pending, parser.heldBytes, out, held, transport.waiting, client, replyPeak)
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
    if (this.ended || this.killed) return false
    if (this.out.length > 0) {
      this.replyPeak.note(this.out.length)
      if (barrier > released || this.held.bytes > 0) {
        this.held.hold(this.out, barrier)
        this.out = spareBuffers.pop() ?? new ReplyBuffer()
      } else this.send(this.out)
    }
    return this.afterSending()
  }

  /** The log has released everything up to `released`. Returns whether replies still wait. */
  releaseHeld(released: number): boolean {
    if (this.ended || this.killed) return false
    for (let buffer = this.held.next(released); buffer !== undefined; buffer = this.held.next(released)) {
      this.send(buffer)
      spareBuffers.push(buffer)
    }
    return this.afterSending()
  }

  private afterSending(): boolean {
    const bytes = this.outputBytes
    if (bytes > 0 ? this.overLimit(bytes) : this.outputWatch.drained()) return false
    if (this.closing) {
      if (this.held.pieces === 0 && !this.isDirty) this.finish()
    } else if (bytes > outputHighWater && this.owner === undefined) this.slowDown()
    else if (!this.reading) this.speedUp()
    return this.held.bytes > 0
  }

  private send(buffer: ReplyBuffer): void {
    this.host.countOutput(buffer.length)
    sendReplies(this.transport, buffer)
  }

  handOver(owner: StreamOwner): StreamOutlet {
    this.owner = owner
    if (this.out.length > 0) this.send(this.out)
    return outletFor(this, this.transport, this.host)
  }

  drained(): void {
    this.outputWatch.drained()
    this.owner?.drained()
    this.client.lastActiveAt = this.host.now()
    this.speedUp()
  }

  /** Applies client-output-buffer-limit to `bytes` of waiting replies; true when it closed the connection. */
  private overLimit(bytes: number): boolean {
    if (this.owner !== undefined) return false // it sends no more than the system takes, and a little
    if (this.overUnauthenticatedLimit(bytes)) return true
    if (!this.outputWatch.over(bytes, outputLimitOf(this.client, this.host.settings), this.host.now)) return false
    this.closeOverOutput(bytes)
    return true
  }

  /** Somebody without a password must not make the server hold replies that nobody reads. */
  private overUnauthenticatedLimit(bytes: number): boolean {
    if (this.client.authenticated || bytes <= unauthenticatedOutputBytes) return false
    this.closeOverOutput(bytes)
    return true
  }

  private closeOverOutput(bytes: number): void {
    if (this.killed) return
    this.host.warn(overOutputWarning(this.client, bytes))
    this.kill()
  }

  /** Looks at limits that time decides; called every second. */
  sweep(now: number, idleTimeoutSeconds: number): void {
    if (this.killed || this.ended) return
    this.replyPeak.sweep()
    if (this.linger !== undefined) {
      if (this.linger.over(now, this.outputBytes)) this.kill()
      return
    }
    const { client: { subscribed }, owner, waiting } = this
    const mayTimeOut = (waiting === "no" || waiting === "output") && !subscribed && owner === undefined
    if (idleTimeoutSeconds > 0 && mayTimeOut && now - this.client.lastActiveAt > idleTimeoutSeconds * 1000) this.kill()
    else this.overLimit(this.outputBytes)
  }

  // ——— the end ———
  setReplyMode(mode: "on" | "off" | "skip"): void {
    this.replyMode.set(mode)
  }

  closeAfterReply(): void {
    this.closing = true
    this.markDirty()
  }

  /** Closes once what has been sent has left. */
  private finish(): void {
    this.linger ??= new Linger(this.host.now(), this.outputBytes)
    this.transport.end()
  }

  kill(): void {
    this.closing = true
    this.killed = true
    this.host.executor.waiters.forget(this) // at once: what comes now must not go to a connection that cannot get it
    this.transport.destroy()
  }

  closed(): void {
    if (this.ended) return
    this.ended = true
    for (const kept of [this.out, this.held, this.pending]) kept.clear()
    const { executor } = this.host
    executor.observer.unwatch(this)
    executor.subscriptions.forget(this)
    executor.waiters.forget(this)
    this.host.closed(this)
    this.owner?.closed()
  }
}
