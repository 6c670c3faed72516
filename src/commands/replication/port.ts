/** What commands see of replication. Implemented by src/replication, joined in main. */
import type { Reply } from "../../net/resp/reply.ts"
import type { ConnectionPort } from "../ports.ts"

/** A replica connected to this server, as INFO and ROLE show it. */
export interface ReplicaStatus {
  readonly address: string
  readonly port: number
  /** In Redis's words: a full sync is being prepared, is under way, or the replica follows. */
  readonly state: "wait_bgsave" | "send_bulk" | "online"
  /** What it has said that it has. */
  readonly lsn: number
  /** Seconds since it last said so. */
  readonly lagSeconds: number
}

/** The primary this server follows. */
export interface PrimaryStatus {
  readonly host: string
  readonly port: number
  /** In Redis's words. */
  readonly state: "connect" | "connecting" | "handshake" | "sync" | "connected"
  /** Seconds since anything came, -1 when not connected. */
  readonly lastIoSeconds: number
  readonly downSeconds: number
  /** Position up to which the primary's stream was read. */
  readonly readLsn: number
  /** It is a Redis: that position is one in its stream, not in this server's log. */
  readonly foreign: boolean
  /** A full sync under way: bytes of its checkpoint. */
  readonly sync: { readonly totalBytes: number; readonly readBytes: number; readonly lastIoSeconds: number } | undefined
  /** How far the primary was when it last said so. */
  readonly primarySequence: number
  readonly delayMs: number
  /** Sequence at which it stops; undefined for none. */
  readonly until: number | undefined
}

/** What INFO and ROLE say. */
export interface ReplicationStatus {
  readonly primary: PrimaryStatus | undefined
  readonly replicas: ReadonlyArray<ReplicaStatus>
  /** Replicas close enough for min-replicas-to-write; undefined where none is asked for. */
  readonly goodReplicas: number | undefined
  readonly failover: "no-failover" | "waiting-for-sync" | "failover-in-progress"
  readonly epoch: number
  readonly replicationId: string
  /** Of the epoch before, and where it ended; forty zeros and -1 where there is none. */
  readonly secondId: string
  readonly secondLsn: number
  readonly lsn: number
  /** Position of the oldest byte a replica can resume from. */
  readonly oldestLsn: number
  readonly fullSyncs: number
  readonly partialSyncs: number
  readonly refusedPartialSyncs: number
  /** What was cut off or replaced since the start, because the primary did not have it. */
  readonly setAsideBatches: number
  readonly setAsideBytes: number
  readonly inputBytes: number
  readonly outputBytes: number
}

/** Whom to follow, and how. */
export interface FollowTarget {
  readonly host: string
  readonly port: number
  /** Milliseconds that this server stays behind. */
  readonly delayMs: number
  /** Sequence that it does not go beyond; undefined for none. */
  readonly until: number | undefined
}

/** FAILOVER's options. */
export interface FailoverOptions {
  readonly to: { readonly host: string; readonly port: number } | undefined
  readonly force: boolean
  /** 0 for none. */
  readonly timeoutMs: number
}

/** What WAIT and WAITAOF wait for. */
export interface WantedReplicas {
  readonly replicas: number
  /** 0 for no end. */
  readonly timeoutMs: number
  /** WAITAOF: on disk, and whether on this server's as well. */
  readonly durable: boolean
  readonly local: boolean
}

/** The orderly end of a server that others may follow. */
export interface LeavingPort {
  /**
   * Calls `done` once every replica has everything, or `shutdown-timeout` is over: at once where there are none. The
   * connection, if there is one, waits.
   */
  begin(done: () => void, connection?: ConnectionPort): void
  /** Goes on serving; false when no end is waited for. */
  abort(): boolean
}

/** Replication as commands may act on it. */
export interface ReplicationPort {
  readonly leaving: LeavingPort
  status(): ReplicationStatus
  /**
   * A piece of the segment that begins with a sequence, for a server of the same store that has lost it; null when there
   * is none.
   */
  segment(storeId: string, first: number, position: number): Reply
  /** REPLICAOF host port: `same` when it follows that server already. */
  follow(target: FollowTarget): "started" | "same" | { readonly refused: string }
  /** REPLICAOF NO ONE; the reason why not, or undefined. */
  lead(): string | undefined
  /** REPLCONF: what the replica at the other end says of itself; false for an option nobody knows. */
  describe(connection: ConnectionPort, option: string, value: string): boolean
  /** REPLCONF ACK … FACK; negative numbers for what was not said. */
  acknowledge(connection: ConnectionPort, lsn: number, durable: number): void
  /** LOG.FOLLOW: the connection's output belongs to the stream from now on. Any reply but `noReply` is a refusal. */
  serve(connection: ConnectionPort, words: ReadonlyArray<string>): Reply
  /** SYNC and PSYNC, of a Redis or its tools: the same, with all data as an RDB file and then commands. */
  sync(connection: ConnectionPort, psync: boolean): Reply
  /** WAIT and WAITAOF: the reply, or undefined when it comes later, which it does not unless `mayWait`. */
  wait(connection: ConnectionPort, wanted: WantedReplicas, mayWait: boolean): Reply | undefined
  /** FAILOVER; the reason why not, or undefined. */
  failover(options: FailoverOptions): string | undefined
  /** FAILOVER ABORT: false when none is under way. */
  abortFailover(): boolean
}
