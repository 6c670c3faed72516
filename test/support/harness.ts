import { ClientState } from "../../src/commands/client.ts"
import type { ControlPorts } from "../../src/commands/executor/executor-ports.ts"
import { CommandExecutor } from "../../src/commands/executor/executor.ts"
import type {
  ClientMemory,
  ClientsPort,
  ConfigPort,
  ConnectionPort,
  LogQuestionsPort,
  ServerPort,
  StreamOutlet
} from "../../src/commands/ports.ts"
import type { LogUnavailable, Origin } from "../../src/log/event-log.ts"
import type { Event } from "../../src/log/events/catalog.ts"
import { ReplyBuffer } from "../../src/net/resp/encoder.ts"
import type { Sendable } from "../../src/net/resp/message.ts"
import type { Reply } from "../../src/net/resp/reply.ts"
import { Keyspace } from "../../src/projections/keyspace.ts"
import { Slice } from "../../src/projections/memory/slice.ts"
import { StreamId } from "../../src/projections/memory/stream-id.ts"

/** A batch as a test sees it: the events are copies, safe to keep. */
export interface SeenBatch {
  readonly sequence: number
  readonly time: number
  readonly db: number
  /** Database of each event, where there are several. */
  readonly dbs: ReadonlyArray<number> | undefined
  readonly origin: Origin
  readonly command: number
  readonly events: ReadonlyArray<Event>
}

const copyField = (value: unknown): unknown =>
  Array.isArray(value)
    ? value.map(copyField)
    : value instanceof Slice || value instanceof StreamId
    ? value.copy()
    : value

const copyEvent = (event: Event): Event =>
  Object.fromEntries(Object.entries(event).map(([name, value]) => [name, copyField(value)])) as unknown as Event

/** A request's words over their own buffers. */
export const argvOf = (words: ReadonlyArray<string | Uint8Array>) => {
  const slices = words.map((word) => typeof word === "string" ? Slice.latin1(word) : new Slice(word))
  return { length: slices.length, at: (index: number) => slices[index]! }
}

/** A connection that exists only in a test. */
export class TestConnection implements ConnectionPort {
  readonly client: ClientState
  outputBytes = 0
  queryBytes = 0
  fd = 8
  closing = false
  killed = false
  replyMode: "on" | "off" | "skip" = "on"
  blocked = false
  readonly answers: Array<Reply> = []
  readonly pushed: Array<string> = []
  constructor(id: number, now: number) {
    this.client = new ClientState(id, `127.0.0.1:${50_000 + id}`, "127.0.0.1:6379", now)
    this.client.authenticated = true
  }
  memory(): ClientMemory {
    return {
      query: this.queryBytes,
      queryFree: 0,
      argv: 0,
      multi: this.client.transaction?.bytes ?? 0,
      replyBuffer: 0,
      replyPeak: 0,
      replyUsed: 0,
      outputPieces: this.outputBytes > 0 ? 1 : 0,
      output: this.outputBytes,
      total: this.queryBytes + this.outputBytes + (this.client.transaction?.bytes ?? 0)
    }
  }
  closeAfterReply(): void {
    this.closing = true
  }
  kill(): void {
    this.killed = true
  }
  setReplyMode(mode: "on" | "off" | "skip"): void {
    this.replyMode = mode
  }
  unblock(): boolean {
    return false
  }
  awaitAnswer(): void {
    this.blocked = true
  }
  push(bytes: Uint8Array): void {
    this.pushed.push(Buffer.from(bytes).toString("latin1"))
  }
  deliver(message: Sendable): void {
    this.push(message.bytes(this.client.protocol))
  }
  unmasks(): boolean {
    return false
  }

  confirm(reply: Reply): void {
    const out = new ReplyBuffer()
    out.write(reply, this.client.protocol)
    this.push(Buffer.concat(out.take()))
  }
  handOver(): StreamOutlet {
    throw new Error("nothing to hand over")
  }
  answer(reply: Reply): void {
    this.answers.push(reply)
  }
}

/** Where a test stands in for the rest of the server. */
export interface HarnessOptions {
  readonly databases?: number
  readonly clients?: ClientsPort
  readonly config?: ConfigPort
  readonly server?: ServerPort
}

/** An executor with a clock the test moves, a log in an array and one connection, without runtime, disk or network. */
export class Harness {
  now = 1_700_000_000_000
  failure: LogUnavailable | undefined = undefined
  readonly batches: Array<SeenBatch> = []
  readonly keyspace: Keyspace
  readonly executor: CommandExecutor
  readonly connection: TestConnection
  private readonly out = new ReplyBuffer()
  /** What was asked about the log; nobody answers. */
  readonly asked: Array<unknown> = []
  private readonly questions: LogQuestionsPort = {
    head: (connection) => this.later(connection, { kind: "head" }),
    ask: (connection, request, blockMs) => this.later(connection, { ...request, blockMs }),
    undo: (connection, request) => this.later(connection, request)
  }

  private later(connection: ConnectionPort, asked: unknown): void {
    this.asked.push(asked)
    connection.awaitAnswer()
  }

  constructor(options: HarnessOptions = {}) {
    this.keyspace = new Keyspace(options.databases ?? 16, { k0: 1, k1: 2 })
    this.executor = new CommandExecutor({
      keyspace: this.keyspace,
      now: () => this.now,
      monotonic: () => this.now,
      seed: 1,
      log: {
        failure: () => this.failure,
        append: (time, db, origin, command, _author, events, count, dbs) => {
          const sequence = this.batches.length + 1
          const copies = events.slice(0, count).map(copyEvent)
          this.batches.push({ sequence, time, db, dbs: dbs?.slice(), origin, command, events: copies })
          return sequence
        }
      }
    })
    this.connection = new TestConnection(1, this.now)
    if (options.clients !== undefined && options.config !== undefined && options.server !== undefined) {
      const ports: ControlPorts = {
        clients: options.clients,
        config: options.config,
        server: options.server,
        questions: this.questions
      }
      this.executor.attach(ports)
    }
  }

  /** Runs one request and returns the bytes of its reply; undefined when clients are paused. */
  bytes(words: ReadonlyArray<string | Uint8Array>, connection: TestConnection = this.connection): Buffer | undefined {
    this.executor.beginChunk()
    const done = this.executor.execute(connection, argvOf(words), this.out)
    this.executor.endChunk()
    const reply = Buffer.concat(this.out.take().map((chunk) => Buffer.from(chunk)))
    return done ? reply : undefined
  }

  /** Another connection. */
  connect(id: number): TestConnection {
    return new TestConnection(id, this.now)
  }

  /** Like `bytes`, as Latin-1 text. */
  run(...words: ReadonlyArray<string | Uint8Array>): string {
    const reply = this.bytes(words)
    return reply === undefined ? "(paused)" : reply.toString("latin1")
  }
}
