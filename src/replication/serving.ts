/**
 * How this server answers one that wants to follow it: from where the log goes on for it, what it has to give up first,
 * or all anew. Each replica then has a feed (feed.ts).
 */
import type { Gate } from "../commands/executor/gate.ts"
import type { ConnectionPort } from "../commands/ports.ts"
import type { CheckpointInfo } from "../log/checkpoint-store.ts"
import type { CheckpointWriter } from "../log/checkpoint-writer.ts"
import { DiskError } from "../log/disk.ts"
import type { FrameSource } from "../log/frame-source.ts"
import { GrowingBytes } from "../log/incoming-log.ts"
import type { LogMirror } from "../log/mirror.ts"
import { noReply, type Reply, ReplyError, Status } from "../net/resp/reply.ts"
import type { KeyCount } from "../projections/checkpoint-load.ts"
import { type Fed, Feed, type Feeds, type ReplicaName } from "./feed.ts"
import { type FollowRequest, parseFollow, printAnswer } from "./protocol.ts"
import { RedisFeed, type RedisFeedHost } from "./redis-feed.ts"

/** Whether a checkpoint is being made, and if not, how the last one went. */
export type CheckpointState = "busy" | "made" | "failed"

/** A checkpoint being made: how much it will hold, and its file as it grows. */
export interface UnderWay {
  readonly writer: CheckpointWriter
  readonly counts: ReadonlyArray<KeyCount>
}

/** What serving needs of the server. */
export interface ServingHost {
  readonly mirror: LogMirror
  readonly gate: Gate
  readonly feeds: Feeds
  readonly feedHost: RedisFeedHost
  /** Whether this server has all that its own primary has, where it follows one. */
  readonly connected: () => boolean
  /** See `ReplicationSettings`. */
  readonly wholeLogBytes: () => number
  /** Asks for a checkpoint, with `ask`; says how the last one went, or that one is under way. */
  readonly checkpoint: (ask: boolean) => CheckpointState
  /** The checkpoint being made, while its file can be read under the name it is written under. */
  readonly underWay: () => UnderWay | undefined
  readonly report: (text: string) => void
  readonly warn: (text: string) => void
}

const damagedRequest = new ReplyError("ERR the request is damaged: its checksum does not fit")
const notConnected = new ReplyError("NOMASTERLINK Can't SYNC while not connected with my master")

const rewindTo = (lsn: number): Reply => new Status(printAnswer({ kind: "rewind", lsn }).slice(1))

/** What replicas say of themselves with REPLCONF. */
const described = ["listening-port", "ip-address", "capa", "version", "rdb-only"]

/** See the head of this file. */
export class Serving {
  fullSyncs = 0
  partialSyncs = 0
  refusedPartialSyncs = 0
  private readonly host: ServingHost
  private readonly names = new WeakMap<ConnectionPort, Map<string, string>>()
  private readonly byConnection = new WeakMap<ConnectionPort, Fed>()
  /** Replicas that wait for a checkpoint of at least this sequence. */
  private readonly waiting = new Map<Fed, number>()
  /** Those of them that need not wait for the end of it: they take it as it is made. */
  private readonly takePieces = new WeakSet<Fed>()

  constructor(host: ServingHost) {
    this.host = host
  }

  /** REPLCONF: what a replica says of itself before it follows; false for what nobody knows. */
  describe(connection: ConnectionPort, option: string, value: string): boolean {
    if (!described.includes(option)) return false
    let names = this.names.get(connection)
    if (names === undefined) this.names.set(connection, names = new Map())
    // What it is capable of comes in several.
    names.set(option, option === "capa" ? `${names.get(option) ?? ""} ${value}` : value)
    return true
  }

  feedOf(connection: ConnectionPort): Fed | undefined {
    return this.byConnection.get(connection)
  }

  /** LOG.FOLLOW. */
  serve(connection: ConnectionPort, words: ReadonlyArray<string>): Reply {
    const request = parseFollow(words)
    if (request === undefined) return damagedRequest
    const { connected, gate, mirror } = this.host
    if (gate.replica && !connected()) return notConnected
    try {
      if (!mirror.shared) mirror.beginEpoch("the first replica")
      return this.resume(connection, request) ?? this.sendAll(connection, request)
    } catch (error) {
      if (!(error instanceof DiskError)) throw error
      this.byConnection.get(connection)?.end()
      return new ReplyError(`ERR ${error.message}`)
    }
  }

  /** Continues where the replica's log ends, or says how much of it has to go; undefined when neither helps. */
  private resume(connection: ConnectionPort, request: FollowRequest): Reply | undefined {
    const { gate, mirror } = this.host
    const { position } = mirror
    if (request.segment === undefined || request.storeId !== position.storeId) return undefined
    const common = mirror.commonWith(request.epochs, request.lsn)
    if (common === undefined || common < mirror.oldestLsn) return undefined
    // A replica of a replica may be ahead within the epoch: nothing was lost, this server will get there.
    const ahead = common < request.lsn && gate.replica && common === position.lsn
    if (ahead) return notConnected
    if (common < request.lsn) return rewindTo(common)
    const here = mirror.segmentAt(request.segment.lsn)
    if (here !== undefined && here.sum === request.segment.sum) {
      const source = mirror.source(request.lsn, request.segment.lsn)
      if (source !== undefined) {
        this.partialSyncs++
        this.startFeed(connection, printAnswer({ kind: "continue", lsn: request.lsn }), source)
        return noReply
      }
    }
    // It stands at the beginning of a segment that is another's: without that it gets the header of this one.
    return request.segment.lsn === common && mirror.segmentAround(common).lsn < common ? rewindTo(common) : undefined
  }

  private sendAll(connection: ConnectionPort, request: FollowRequest): Reply {
    const { checkpoint, mirror } = this.host
    if (request.segment !== undefined) this.refusedPartialSyncs++
    this.fullSyncs++
    const { lsn, sequence } = mirror.position
    const wholeLogBytes = this.host.wholeLogBytes()
    const feed = this.makeFeed(connection)
    if (mirror.oldestLsn === 0 && lsn <= wholeLogBytes) this.sendLog(feed)
    else {
      const newest = mirror.newestCheckpoint
      if (newest !== undefined && lsn - newest.lsn <= Math.max(wholeLogBytes, newest.bytes)) {
        this.sendCheckpoint(feed, newest)
      } else {
        checkpoint(true)
        this.waiting.set(feed, sequence)
        if (this.names.get(connection)?.get("capa")?.includes("pieces") === true) this.takePieces.add(feed)
      }
    }
    return noReply
  }

  private sendLog(feed: Feed): void {
    const { mirror } = this.host
    const { epochs, storeId } = mirror.position
    const lsn = mirror.oldestLsn
    const answer = printAnswer({ kind: "full", bytes: 0, counts: [], sequence: 0, lsn, storeId, epochs })
    feed.start(answer, mirror.source(lsn, undefined))
  }

  /** The checkpoint, then the log from the beginning of the segment around it. */
  private sendCheckpoint(feed: Feed, info: CheckpointInfo): void {
    const { mirror } = this.host
    const { epochs, storeId } = mirror.position
    const checkpoint = mirror.openCheckpoint(info)
    const { lsn, sequence } = info
    const { counts, size: bytes } = checkpoint
    const answer = printAnswer({ kind: "full", bytes, counts, sequence, lsn, storeId, epochs })
    feed.start(answer, mirror.source(mirror.segmentAround(lsn).lsn, undefined), checkpoint)
  }

  /** The checkpoint that is being made, as it is, then the log as after a whole one. */
  private sendGrowing(feed: Feed, { counts, writer }: UnderWay): void {
    const { mirror } = this.host
    const { epochs, storeId } = mirror.position
    const { lsn, sequence } = writer.header
    const answer = printAnswer({ kind: "full", bytes: -1, counts, sequence, lsn, storeId, epochs })
    feed.start(answer, mirror.source(mirror.segmentAround(lsn).lsn, undefined), new GrowingBytes(writer))
  }

  /** Replicas that wait for a checkpoint get it once there is one that is new enough, or as it is made. */
  tend(): void {
    const { checkpoint, feeds, mirror } = this.host
    for (const feed of feeds.all) if (feed instanceof Feed) feed.pump()
    const underWay = this.host.underWay()
    for (const [feed, sequence] of this.waiting) {
      const newest = mirror.newestCheckpoint
      const growing = underWay !== undefined && underWay.writer.header.sequence >= sequence
      if (growing && feed instanceof Feed && !feed.over && this.takePieces.has(feed)) {
        this.waiting.delete(feed)
        this.attempt(feed, () => this.sendGrowing(feed, underWay))
        continue
      }
      if (feed.over) this.waiting.delete(feed)
      else if (newest !== undefined && newest.sequence >= sequence) {
        this.waiting.delete(feed)
        this.attempt(feed, () => this.begin(feed, newest))
      } else if (checkpoint(false) === "failed") {
        this.waiting.delete(feed)
        this.host.warn("no checkpoint can be made for a replica that waits for one")
        feed.end()
      } else if (checkpoint(false) === "made") checkpoint(true) // that one had been begun before the replica came
    }
  }

  private begin(feed: Fed, info: CheckpointInfo): void {
    if (feed instanceof RedisFeed) feed.start(info, this.host.mirror.position.epochs.at(-1)!.replicationId)
    else if (feed instanceof Feed) this.sendCheckpoint(feed, info)
  }

  private attempt(feed: Fed, run: () => void): void {
    try {
      run()
    } catch (error) {
      if (!(error instanceof DiskError)) throw error
      this.host.warn(`a replica cannot be served: ${error.message}`)
      feed.end()
    }
  }

  /** SYNC and PSYNC: always all data, as they are now or become while the checkpoint for it is made. */
  sync(connection: ConnectionPort, psync: boolean): Reply {
    const { checkpoint, connected, feedHost, feeds, gate, mirror } = this.host
    if (gate.replica && !connected()) return notConnected
    this.fullSyncs++
    const knowsEof = this.names.get(connection)?.get("capa")?.includes("eof") === true
    const feed = new RedisFeed(feedHost, feeds, this.nameOf(connection), { psync, knowsEof })
    this.register(connection, feed)
    const sequence = feedHost.head()
    const newest = mirror.newestCheckpoint
    if (newest !== undefined && newest.sequence >= sequence) this.attempt(feed, () => this.begin(feed, newest))
    else {
      checkpoint(true)
      this.waiting.set(feed, sequence)
    }
    return noReply
  }

  private startFeed(connection: ConnectionPort, answer: string, source: FrameSource): void {
    const feed = this.makeFeed(connection)
    feed.start(answer, source)
    this.host.report(`the replica ${feed.name.address}:${feed.name.port} follows from lsn ${source.lsn}`)
  }

  private makeFeed(connection: ConnectionPort): Feed {
    const { feeds } = this.host
    const feed = new Feed(feeds.host, feeds, this.nameOf(connection))
    this.register(connection, feed)
    return feed
  }

  private nameOf(connection: ConnectionPort): ReplicaName {
    const names = this.names.get(connection)
    const address = names?.get("ip-address") ?? connection.client.address.replace(/:\d+$/, "")
    return { address, port: Number(names?.get("listening-port") ?? 0) }
  }

  private register(connection: ConnectionPort, feed: Fed): void {
    connection.client.role = "replica"
    this.byConnection.set(connection, feed)
    this.host.feeds.add(feed)
    feed.open(connection.handOver(feed))
  }
}
