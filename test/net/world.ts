/** The network without sockets: real sessions, turns and executor over outlets, a log and a clock that the test moves. */
import { setImmediate as immediate } from "node:timers/promises"
import { ClientState } from "../../src/commands/client.ts"
import type { ConfigPort, LogQuestionsPort, ServerPort } from "../../src/commands/ports.ts"
import { LogUnavailable } from "../../src/log/event-log.ts"
import { Clients } from "../../src/net/clients.ts"
import type { NetSettings } from "../../src/net/limits.ts"
import { Arguments } from "../../src/net/resp/parser.ts"
import type { SessionHost } from "../../src/net/session-host.ts"
import { Session } from "../../src/net/session.ts"
import type { Outlet } from "../../src/net/transport.ts"
import { Turn, type TurnLog } from "../../src/net/turn.ts"
import { Harness } from "../support/harness.ts"
import { encodeRequest, parseReply, plain, replyEnd, type Word } from "../support/resp.ts"

/** A log that is as durable as the test says. */
export class TestLog implements TurnLog {
  /** Whether each commit waits for `sync`. */
  always = false
  failing = false
  commits = 0
  private end = 0
  private synced = 0
  private readonly harness: Harness
  constructor(harness: Harness) {
    this.harness = harness
  }
  sequence = (): number => this.harness.batches.length
  lsn = (): number => this.end
  released = (): number => this.synced
  failure = (): unknown => this.harness.failure
  commit = (): boolean => {
    this.commits++
    this.end = this.harness.batches.length * 100
    if (this.failing) this.harness.failure = new LogUnavailable({ reason: "no space left" })
    else if (!this.always && this.harness.failure === undefined) this.synced = this.end
    return false
  }
  /** Everything committed so far, or up to `lsn`, is durable. */
  sync(lsn = this.end): void {
    this.synced = lsn
  }
  /** The log can be written again. */
  recover(): void {
    this.failing = false
    this.harness.failure = undefined
    this.synced = this.end
  }
}

/** A connection's other end: takes as many bytes as it has room for. */
export class TestOutlet implements Outlet {
  readonly descriptor = 9
  /** Bytes it takes before the rest must wait. */
  room = Infinity
  paused = false
  ended = false
  destroyed = false
  private taken: Array<Buffer> = []
  private readonly queue: Array<Buffer> = []
  session!: Session

  get waiting(): number {
    return this.queue.reduce((sum, chunk) => sum + chunk.length, 0)
  }
  send(bytes: Uint8Array, length: number): boolean {
    this.sendKept(Buffer.from(bytes.subarray(0, length)))
    return this.queue.length === 0
  }
  sendKept(chunk: Uint8Array): void {
    if (this.ended || this.destroyed) return
    this.queue.push(Buffer.from(chunk))
    this.move()
  }
  private move(): void {
    while (this.queue.length > 0 && this.room > 0) {
      const first = this.queue.shift()!
      const part = first.subarray(0, Math.min(first.length, this.room))
      this.room -= part.length
      this.taken.push(part)
      if (part.length < first.length) this.queue.unshift(first.subarray(part.length))
    }
    if (this.queue.length === 0 && this.ended && !this.destroyed) this.destroy()
  }
  /** The client reads so many bytes. */
  drain(bytes = Infinity): void {
    const waited = this.queue.length > 0
    this.room += bytes
    this.move()
    if (waited && this.queue.length === 0 && !this.destroyed) this.session.drained()
  }
  pause(): void {
    this.paused = true
  }
  resume(): void {
    this.paused = false
  }
  end(): void {
    this.ended = true
    this.move()
  }
  destroy(): void {
    if (this.destroyed) return
    this.destroyed = true
    this.queue.length = 0
    setImmediate(() => this.session.closed())
  }
  /** The bytes the client has got since the last call. */
  bytes(): Buffer {
    const bytes = Buffer.concat(this.taken)
    this.taken = []
    return bytes
  }
}

/** A client of the test. */
export class TestClient {
  readonly outlet: TestOutlet
  readonly session: Session
  readonly state: ClientState
  constructor(outlet: TestOutlet, session: Session, state: ClientState) {
    this.outlet = outlet
    this.session = session
    this.state = state
  }
  /** Bytes arrive. */
  receive(bytes: Uint8Array | string): void {
    const buffer = typeof bytes === "string" ? Buffer.from(bytes, "latin1") : bytes
    this.session.receive(buffer, buffer.length)
  }
  /** Requests arrive in one chunk. */
  ask(...requests: ReadonlyArray<ReadonlyArray<Word>>): void {
    this.receive(Buffer.concat(requests.map(encodeRequest)))
  }
  /** The replies that have come since the last call, as plain values; errors as their text. */
  replies(): Array<unknown> {
    const bytes = this.outlet.bytes()
    const replies: Array<unknown> = []
    for (let at = 0; at < bytes.length;) {
      const end = replyEnd(bytes, at)
      const value = plain(parseReply(bytes.subarray(at, end)))
      replies.push(value instanceof Error ? value.message : value)
      at = end
    }
    return replies
  }
}

export type Mutable<A> = { -readonly [Name in keyof A]: A[Name] }

export class World {
  readonly harness = new Harness()
  readonly log = new TestLog(this.harness)
  settings: Mutable<NetSettings> = {
    maxBulkBytes: 512 * 1024 * 1024,
    maxClients: 10_000,
    idleTimeoutSeconds: 0,
    tcpKeepaliveSeconds: 300,
    queryBufferBytes: 1024 * 1024 * 1024,
    clientsBytes: 0,
    outputLimit: { hard: 0, soft: 0, softSeconds: 0 },
    pubsubLimit: { hard: 32 * 1024 * 1024, soft: 8 * 1024 * 1024, softSeconds: 60 },
    protectedMode: true,
    passwordRequired: false
  }
  readonly warnings: Array<string> = []
  readonly clients: Clients
  readonly turn: Turn
  readonly host: SessionHost
  password = ""

  /** @param settings in place of the usual ones: an object that somebody else may change */
  constructor(settings?: NetSettings) {
    if (settings !== undefined) this.settings = settings
    const now = () => this.harness.now
    const { executor } = this.harness
    this.clients = new Clients(executor, now)
    this.turn = new Turn(this.log, () => executor.tracking.endTurn())
    this.host = {
      executor,
      settings: this.settings,
      argv: new Arguments(),
      ahead: Array.from({ length: 4 }, () => new Arguments()),
      dirty: (session) => this.turn.add(session),
      closed: (session) => {
        this.clients.remove(session)
        this.turn.forget(session)
      },
      postponed: (session) => this.clients.postpone(session),
      later: (session) => this.turn.later(session),
      warn: (text) => this.warnings.push(text),
      now,
      countInput: () => this.turn.schedule(),
      countOutput: () => {}
    }
    const config = { get: (name: string) => name === "requirepass" ? this.password : "" } as ConfigPort
    executor.attach({ clients: this.clients, config, server: {} as ServerPort, questions: {} as LogQuestionsPort })
  }

  connect(authenticated = true): TestClient {
    const id = this.clients.takeId()
    const state = new ClientState(id, `127.0.0.1:${40_000 + id}`, "127.0.0.1:6379", this.harness.now)
    state.authenticated = authenticated
    const outlet = new TestOutlet()
    const session = new Session(this.host, outlet, state, "tcp")
    outlet.session = session
    this.clients.add(session)
    return new TestClient(outlet, session, state)
  }

  /** Lets the turn end, and the ones that follow from it. */
  async settle(): Promise<void> {
    for (let i = 0; i < 4; i++) await immediate()
  }

  /** The log's sync has finished. */
  async synced(lsn?: number): Promise<void> {
    this.log.sync(lsn)
    this.turn.released()
    await this.settle()
  }
}
