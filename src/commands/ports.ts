import type { LogRequest, UndoRequest } from "../history/questions.ts"
import type { LogStatus } from "../log/event-log.ts"
import type { Sendable } from "../net/resp/message.ts"
import type { Reply } from "../net/resp/reply.ts"
import type { Slice } from "../projections/memory/slice.ts"
import type { ClientState } from "./client.ts"
import type { Decision } from "./decision.ts"
import type { Argv } from "./define.ts"
import type { Observer } from "./observation/observer.ts"
import type { Subscriptions } from "./pubsub/subscriptions.ts"
import type { ReplicationPort } from "./replication/port.ts"
import type { CommandTable } from "./table.ts"
import type { Tracking } from "./tracking/tracking.ts"

/** Memory of one connection in bytes, in the terms of CLIENT LIST. */
export interface ClientMemory {
  /** Requests not run yet, and room for more. */
  readonly query: number
  readonly queryFree: number
  /** Words of the request being put together. */
  readonly argv: number
  /** Commands queued by MULTI. */
  readonly multi: number
  /** Size of the reply buffer, the most that was in it lately, and what is in it. */
  readonly replyBuffer: number
  readonly replyPeak: number
  readonly replyUsed: number
  /** Replies beyond that buffer: how many pieces, how many bytes. */
  readonly outputPieces: number
  readonly output: number
  /** All of it, and what any connection takes. */
  readonly total: number
}

/** The connection that asked, as far as a control command may act on it. Implemented by the network. */
export interface ConnectionPort {
  readonly client: ClientState
  /** Bytes of replies waiting. */
  readonly outputBytes: number
  /** What the connection takes in detail. */
  memory(): ClientMemory
  /** File descriptor number, or -1. */
  readonly fd: number
  /** Nothing more is run or delivered: it is about to be closed. */
  readonly closing: boolean
  /** Closes after the replies so far have been sent. */
  closeAfterReply(): void
  /** Closes at once. */
  kill(): void
  /** CLIENT REPLY: "skip" leaves out the reply of the next command. */
  setReplyMode(mode: "on" | "off" | "skip"): void
  /** Whether the connection waits in a blocking command. */
  readonly blocked: boolean
  /** CLIENT UNBLOCK: ends the wait by time-out or by error; false when it was not waiting (in an unblockable way). */
  unblock(how: "timeout" | "error"): boolean
  /** The running command answers later, with `answer`: requests behind it wait. */
  awaitAnswer(): void
  /** Sends the reply of a command that answered `noReply` before. */
  answer(reply: Reply): void
  /** Sends bytes that are no reply to a request: a line of MONITOR. */
  push(bytes: Uint8Array): void
  /** Sends a message that was not asked for now, also where CLIENT REPLY silences replies. */
  deliver(message: Sendable): void
  /** Sends a part of the running command's answer, also where CLIENT REPLY silences replies: SUBSCRIBE and its like. */
  confirm(reply: Reply): void
  /** The request names no command: whether it shows that who sent it is not a client at all, and the connection was closed. */
  unmasks(argv: Argv): boolean
  /** From now on `owner` alone sends, and there are no replies: the connection of a replica. */
  handOver(owner: StreamOwner): StreamOutlet
}

/** Who sends on a connection that is no client's any more. */
export interface StreamOwner {
  /** The system took everything that had been sent. */
  drained(): void
  closed(): void
}

/** Where it sends. */
export interface StreamOutlet {
  /** Bytes that the system has not taken. */
  readonly waiting: number
  /** Sends the first `length` bytes, which may be used again at once. */
  send(bytes: Uint8Array, length: number): void
  destroy(): void
}

/** A connection's wait for an answer from outside of the executor. */
export interface OtherWait {
  /** Monotonic ms at which it ends by itself; Infinity for never. */
  readonly until: number
  /** Whether CLIENT UNBLOCK may end it. */
  readonly unblockable: boolean
  /** It ended in another way than by an answer. Whoever hears "timeout" or "error" answers; "gone" leaves nobody to. */
  readonly over: (how: "timeout" | "error" | "gone") => void
}

/** Waits for answers from outside of the executor. Implemented by the executor. */
export interface OtherWaitsPort {
  /** The connection waits from now on; requests behind this one stay where they are. */
  add(connection: ConnectionPort, wait: OtherWait): void
  /** The wait is over, because it is answered; false when it was over before. */
  remove(connection: ConnectionPort, wait: OtherWait): boolean
}

/**
 * Questions about the log, answered later: each sees every batch whose reply has left, and no write of this turn is
 * forgotten. Implemented by the network over history/.
 */
export interface LogQuestionsPort {
  /** LOG.HEAD. */
  head(connection: ConnectionPort): void
  /** All other questions. `blockMs`, of LOG.READ: how long to wait for something to read, 0 for ever; undefined: not at all. */
  ask(connection: ConnectionPort, request: Exclude<LogRequest, UndoRequest>, blockMs?: number): void
  /** LOG.UNDO: finds what takes the batches back, and does it unless keys were written meanwhile. */
  undo(connection: ConnectionPort, request: UndoRequest): void
}

/** All connections. Implemented by the network. */
export interface ClientsPort {
  readonly count: number
  readonly blockedCount: number
  readonly rejected: number
  readonly accepted: number
  /** In the order of their ids. */
  all(): Iterable<ConnectionPort>
  byId(id: number): ConnectionPort | undefined
  /** CLIENT PAUSE: until that Unix ms, writes only or everything. Extends, and only widens, a running pause. */
  pause(untilMs: number, mode: "write" | "all"): void
  unpause(): void
}

/** Reading and changing configuration. Implemented by config/, joined in main. */
export interface ConfigPort {
  /** Pairs of name and value whose names match a glob pattern (case-insensitive). */
  matching(pattern: string): ReadonlyArray<readonly [string, string]>
  get(name: string): string
  /** CONFIG REWRITE: brings the configuration file up to date; the reason when that failed. */
  rewrite(): string | undefined
  /** CONFIG SET: changes all of these parameters or none. `local`: the client is on this machine. Undefined when done. */
  set(pairs: ReadonlyArray<readonly [name: string, value: string]>, local: boolean): ConfigRefusal | undefined
}

/** Why CONFIG SET changed nothing; no reason means that the parameter is unknown. */
export interface ConfigRefusal {
  readonly name: string
  readonly reason: string | undefined
}

/** What BGSAVE and BGREWRITEAOF lead to: `other`, the other kind is under way. */
export type BackgroundAnswer = "started" | "scheduled" | "running" | "other"

/** Progress and results of checkpoints of one kind; seconds are -1 where there is nothing to tell. */
export interface CheckpointFigures {
  readonly inProgress: boolean
  /** Whether the last one succeeded; true before the first. */
  readonly ok: boolean
  readonly lastSeconds: number
  readonly currentSeconds: number
  readonly count: number
}

/** What INFO says about loading and checkpoints. */
export interface PersistenceStatus {
  /** Undefined once the data is loaded. Unix seconds, bytes, seconds. */
  readonly loading:
    | {
      readonly startedAt: number
      readonly totalBytes: number
      readonly loadedBytes: number
      readonly etaSeconds: number
    }
    | undefined
  /** Batches since the newest checkpoint. */
  readonly changesSinceLastSave: number
  /** Made by SAVE, BGSAVE and the `save` rules. */
  readonly save: CheckpointFigures
  /** Made by BGREWRITEAOF and because the log has grown. */
  readonly rewrite: CheckpointFigures & { readonly scheduled: boolean; readonly failuresInARow: number }
  readonly keysProcessed: number
  readonly keysTotal: number
  /** Keys that came from a checkpoint when the data was last loaded. */
  readonly keysLoaded: number
  /** Unix seconds. */
  readonly lastSaveAt: number
  /** Oldest first. */
  readonly checkpoints: ReadonlyArray<{ readonly sequence: number; readonly bytes: number; readonly created: number }>
}

/** Checkpoints. Implemented by persistence/, joined in main. */
export interface PersistencePort {
  /** SAVE: makes one before it returns; the reason why not, or undefined. */
  save(): string | undefined
  /** BGSAVE. */
  backgroundSave(schedule: boolean): BackgroundAnswer
  /** BGREWRITEAOF. */
  rewrite(): BackgroundAnswer
  /** BGSAVE CANCEL: gives up one under way, or one that is only wanted. */
  cancel(): "cancelled" | "unscheduled" | "none"
  /**
   * Before SHUTDOWN: makes the checkpoint that `save` asks for, or, where it is undefined, that the `save` rules imply.
   * False when it was to make one and could not.
   */
  beforeShutdown(save: boolean | undefined): boolean
  /** LASTSAVE: Unix seconds. */
  lastSave(): number
  /** DEBUG RELOAD and LOADAOF: makes a checkpoint if so told, and loads the data anew; the reason why not, or undefined. */
  reload(save: boolean): string | undefined
  status(): PersistenceStatus
}

/** The server as a whole. Implemented where the layers meet. */
export interface ServerPort {
  readonly version: string
  readonly redisVersion: string
  readonly runId: string
  readonly pid: number
  readonly tcpPort: number
  readonly executable: string
  readonly configFile: string
  /** System, release and machine; and what the program runs on. */
  readonly os: string
  readonly runtime: string
  /** Bytes of memory the machine has. */
  readonly systemMemory: number
  /** Unix ms. */
  readonly startedAt: number
  /** Microseconds since 1970. */
  nowMicros(): number
  memory(): { readonly rss: number; readonly heapUsed: number; readonly heapTotal: number; readonly external: number }
  /** Seconds of processor time. */
  cpu(): { readonly user: number; readonly system: number }
  logStatus(): LogStatus
  traffic(): {
    readonly inputBytes: number
    /** How often a socket was read and written. */
    readonly reads: number
    readonly writes: number
    readonly outputBytes: number
    readonly instantaneousInputKbps: number
    readonly instantaneousOutputKbps: number
    readonly instantaneousOps: number
  }
  /** CONFIG RESETSTAT: sets the counters of the network back to zero. */
  resetTraffic(): void
  /**
   * Begins to end the server; false when the log has writes it cannot get to disk and `force` is not given. Unless `now` is
   * given, replicas get what they lack before, and the connection waits.
   */
  shutdown(options: ShutdownOptions, connection: ConnectionPort): boolean
  /** SHUTDOWN ABORT: false when none is under way. */
  abortShutdown(): boolean
  /** DEBUG SLEEP: stops everything for that long. */
  sleep(ms: number): void
  readonly persistence: PersistencePort
  readonly replication: ReplicationPort
  /** DEBUG SET-ACTIVE-EXPIRE. */
  setActiveExpire(on: boolean): void
  readonly activeExpire: boolean
}

/** SHUTDOWN's options. */
export interface ShutdownOptions {
  /** Whether to make a checkpoint; undefined: as the `save` rules say. */
  readonly save: boolean | undefined
  readonly now: boolean
  readonly force: boolean
}

/** Counters that only the executor knows. */
export interface StatisticsPort {
  readonly commandsProcessed: number
  readonly keyspaceHits: number
  readonly keyspaceMisses: number
  readonly expiredKeys: number
  readonly expiredFields: number
  readonly evictedKeys: number
  readonly peakMemory: number
  /** How long the data has been over the memory limit: at the moment without a break, and altogether. */
  readonly exceeded: { readonly currentMs: number; readonly totalMs: number }
  /** Milliseconds spent burying keys in the background, and how often that ran out of time. */
  readonly expireCycleMs: number
  readonly expireCapReached: number
  /** Clients closed because of maxmemory-clients. */
  readonly evictedClients: number
  /** Per command name: calls, microseconds, refused before running, failed while running. */
  commands(): Iterable<
    readonly [
      string,
      { readonly calls: number; readonly micros: number; readonly rejected: number; readonly failed: number }
    ]
  >
  /** Error replies by code. */
  errors(): Iterable<readonly [string, number]>
  /** CONFIG RESETSTAT. */
  reset(): void
}

/** Transactions of connections. Implemented by the executor. */
export interface TransactionsPort {
  /** MULTI. */
  begin(client: ClientState): void
  /** Ends the connection's transaction, if it has one, and its watches. */
  discard(client: ClientState): void
  /** Watches a key of the connection's database. */
  watch(client: ClientState, key: Slice): void
  /** Ends all watches of the connection and forgets what they saw. */
  unwatch(client: ClientState): void
  /** An EXEC is at work: its batch is not in the log yet. */
  readonly running: boolean
}

/** What a control command gets. */
export interface Control {
  readonly d: Decision
  readonly client: ClientState
  readonly connection: ConnectionPort
  readonly clients: ClientsPort
  readonly config: ConfigPort
  readonly server: ServerPort
  readonly statistics: StatisticsPort
  readonly observer: Observer
  readonly subscriptions: Subscriptions
  readonly tracking: Tracking
  readonly table: CommandTable
  readonly transactions: TransactionsPort
  readonly questions: LogQuestionsPort
}
