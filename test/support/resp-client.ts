/**
 * A small RESP2/RESP3 client over node:net for tests. Raw mode gives the very bytes of each reply; parsed mode gives
 * typed replies. Requests may be pipelined freely: replies are handed out in order.
 */
import * as Net from "node:net"
import { encodeRequest, isPush, parseReply, replyEnd, type TypedReply, type Word } from "./resp.ts"

export { encodeRequest, parseReply, plain, RespSyntaxError, type TypedReply, type Word } from "./resp.ts"

/** The connection ended while replies were still owed; `received` are those of the same call that did arrive. */
export class ConnectionClosed extends Error {
  override readonly name = "ConnectionClosed"
  readonly received: ReadonlyArray<Buffer>

  constructor(received: ReadonlyArray<Buffer>, cause?: Error) {
    super(`connection closed after ${received.length} replies`, cause === undefined ? undefined : { cause })
    this.received = received
  }
}

/** No (further) reply within the time allowed; `received` are those of the same call that did arrive. */
export class ReplyTimeout extends Error {
  override readonly name = "ReplyTimeout"
  readonly received: ReadonlyArray<Buffer>

  constructor(received: ReadonlyArray<Buffer>, wanted: number, timeoutMs: number) {
    super(`${received.length} of ${wanted} replies within ${timeoutMs} ms`)
    this.received = received
  }
}

export interface ConnectOptions {
  readonly port?: number
  readonly host?: string
  /** A Unix socket instead of host and port. */
  readonly path?: string
  /** How long one call may wait for its replies; 30 s unless told. */
  readonly timeoutMs?: number
  /** Pushes (RESP3) count as replies instead of being collected in `pushes`. */
  readonly pushesAreReplies?: boolean
}

interface Waiter {
  readonly wanted: number
  readonly received: Array<Buffer>
  readonly resolve: (replies: Array<Buffer>) => void
  readonly reject: (cause: Error) => void
  timer: NodeJS.Timeout | undefined
}

export class RespClient {
  /** RESP3 pushes that arrived outside of any request. */
  readonly pushes: Array<TypedReply> = []
  private readonly socket: Net.Socket
  private readonly timeoutMs: number
  private readonly pushesAreReplies: boolean
  private readonly waiters: Array<Waiter> = []
  private chunks: Array<Buffer> = []
  private buffered = 0
  /** No reply can be whole before this many bytes are buffered. */
  private needed = 1
  private failure: Error | undefined
  private ended = false
  private readonly closedPromise: Promise<void>

  private constructor(socket: Net.Socket, options: ConnectOptions) {
    this.socket = socket
    this.timeoutMs = options.timeoutMs ?? 30_000
    this.pushesAreReplies = options.pushesAreReplies ?? false
    socket.setNoDelay(true)
    socket.on("data", (chunk: Buffer) => {
      this.chunks.push(chunk)
      this.buffered += chunk.length
      this.deliver()
    })
    socket.on("error", (cause) => {
      this.failure = cause
    })
    this.closedPromise = new Promise((resolve) => {
      socket.on("close", () => {
        this.ended = true
        for (const waiter of this.waiters.splice(0)) {
          clearTimeout(waiter.timer)
          waiter.reject(new ConnectionClosed(waiter.received, this.failure))
        }
        resolve()
      })
    })
  }

  /** Connects; rejects with the socket's error. */
  static connect(options: ConnectOptions): Promise<RespClient> {
    return new Promise((resolve, reject) => {
      const socket = options.path === undefined
        ? Net.connect({ port: options.port ?? 6379, host: options.host ?? "127.0.0.1" })
        : Net.connect({ path: options.path })
      socket.once("error", reject)
      socket.once("connect", () => {
        socket.off("error", reject)
        resolve(new RespClient(socket, options))
      })
    })
  }

  /** True once the connection is gone. */
  get closed(): boolean {
    return this.ended
  }

  /** Resolves when the connection is gone, whoever ended it. */
  whenClosed(): Promise<void> {
    return this.closedPromise
  }

  /** Sends bytes as they are, expecting nothing. */
  send(bytes: Uint8Array | string): void {
    this.socket.write(bytes)
  }

  /** Raw mode: sends bytes and resolves with the bytes of the next `count` replies, one buffer each. */
  raw(bytes: Uint8Array | string, count: number): Promise<Array<Buffer>> {
    const replies = this.take(count)
    if (bytes.length > 0) this.socket.write(bytes)
    return replies
  }

  /** The bytes of the next `count` replies. */
  take(count: number): Promise<Array<Buffer>> {
    return new Promise((resolve, reject) => {
      if (count === 0) return resolve([])
      const waiter: Waiter = { wanted: count, received: [], resolve, reject, timer: undefined }
      waiter.timer = setTimeout(() => {
        const at = this.waiters.indexOf(waiter)
        if (at === -1) return
        // The stream can no longer be told apart into calls: end it rather than hand later replies to the wrong one.
        this.waiters.splice(at, 1)
        reject(new ReplyTimeout(waiter.received, count, this.timeoutMs))
        this.socket.destroy()
      }, this.timeoutMs)
      this.waiters.push(waiter)
      this.deliver()
      if (this.ended && this.waiters.includes(waiter)) {
        this.waiters.splice(this.waiters.indexOf(waiter), 1)
        clearTimeout(waiter.timer)
        reject(new ConnectionClosed(waiter.received, this.failure))
      }
    })
  }

  /** Sends one request and resolves with its typed reply. An error reply resolves too: it is a reply. */
  async command(...words: ReadonlyArray<Word>): Promise<TypedReply> {
    const [reply] = await this.raw(encodeRequest(words), 1)
    return parseReply(reply!)
  }

  /** Sends all requests at once and resolves with their typed replies, in order. */
  async pipeline(requests: ReadonlyArray<ReadonlyArray<Word>>): Promise<Array<TypedReply>> {
    const replies = await this.raw(Buffer.concat(requests.map(encodeRequest)), requests.length)
    return replies.map(parseReply)
  }

  /** The next reply or, with `pushesAreReplies`, push. */
  async next(): Promise<TypedReply> {
    const [reply] = await this.take(1)
    return parseReply(reply!)
  }

  /** All bytes not yet handed out, up to the end of the connection. */
  async untilClosed(): Promise<Buffer> {
    await this.closedPromise
    return Buffer.concat(this.chunks)
  }

  /** Half-closes: the server still answers what was sent. */
  end(): void {
    this.socket.end()
  }

  /** Closes at once. */
  async close(): Promise<void> {
    this.socket.destroy()
    await this.closedPromise
  }

  private deliver(): void {
    // Without a waiter bytes stay where they are: whoever calls next, or reads until the close, gets them.
    while (this.waiters.length > 0 && this.buffered >= this.needed) {
      const bytes = this.chunks.length === 1 ? this.chunks[0]! : Buffer.concat(this.chunks, this.buffered)
      let at = 0
      try {
        while (this.waiters.length > 0) {
          const end = replyEnd(bytes, at)
          if (end < 0) {
            this.needed = -end - at
            break
          }
          const reply = bytes.subarray(at, end)
          at = end
          this.needed = 1
          if (!this.pushesAreReplies && isPush(reply, 0)) {
            this.pushes.push(parseReply(reply))
            continue
          }
          const waiter = this.waiters[0]!
          waiter.received.push(reply)
          if (waiter.received.length < waiter.wanted) continue
          this.waiters.shift()
          clearTimeout(waiter.timer)
          waiter.resolve(waiter.received)
        }
      } catch (cause) {
        this.failure = cause as Error
        for (const waiter of this.waiters.splice(0)) {
          clearTimeout(waiter.timer)
          waiter.reject(this.failure)
        }
        this.socket.destroy()
      }
      this.buffered = bytes.length - at
      this.chunks = this.buffered === 0 ? [] : [bytes.subarray(at)]
      if (this.failure !== undefined) return
    }
  }
}
