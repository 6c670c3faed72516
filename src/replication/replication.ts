/**
 * Replication of one server: whom it follows, who follows it, and what changes when that does. Joins feeds, follower and
 * log; implements what the commands ask for. Plain and without a clock of its own: `tick` is called again and again.
 */
import { errors } from "../commands/errors.ts"
import { type Gate, masterDown } from "../commands/executor/gate.ts"
import type { ConnectionPort, OtherWaitsPort } from "../commands/ports.ts"
import type {
  FailoverOptions,
  FollowTarget,
  ReplicationPort,
  ReplicationStatus,
  WantedReplicas
} from "../commands/replication/port.ts"
import type { CheckpointInfo } from "../log/checkpoint-store.ts"
import { DiskError } from "../log/disk.ts"
import type { FrameSource } from "../log/frame-source.ts"
import type { LogMirror, SetAside } from "../log/mirror.ts"
import { noReply, type Reply, ReplyError, Status } from "../net/resp/reply.ts"
import { Failover } from "./failover.ts"
import { Feed, Feeds } from "./feed.ts"
import type { FollowerHost } from "./follower-host.ts"
import { Follower } from "./follower.ts"
import { type FollowRequest, parseFollow, printAnswer } from "./protocol.ts"
import { Waits } from "./waits.ts"

/** What the configuration says at the moment. */
export interface ReplicationSettings {
  readonly timeoutMs: number
  readonly pingMs: number
  /** min-replicas-to-write and min-replicas-max-lag; 0 replicas for no such rule. */
  readonly minReplicas: number
  readonly maxLagMs: number
  /** Answer from old data while the link is down. */
  readonly serveStale: boolean
  /** A log up to this size is sent whole rather than a checkpoint and its end: the replica then has the history, too. */
  readonly wholeLogBytes: number
}

/** What replication needs of the server. */
export interface ReplicationHost extends Omit<FollowerHost, "mirror" | "setAside" | "changed"> {
  readonly mirror: LogMirror
  readonly replicationSettings: () => ReplicationSettings
  readonly later: (run: () => void) => void
  /** Commits what this turn appended, and lets replies leave. */
  readonly flush: () => void
  readonly gate: Gate
  /** Asks for a checkpoint; false when the last one failed and none is under way. */
  readonly checkpoint: (ask: boolean) => boolean
  /** Clients that wait in blocking commands are told that this is another server now. */
  readonly unblockAll: () => void
  /** Whom this server follows has changed; undefined for nobody. */
  readonly noted: (target: FollowTarget | undefined) => void
  readonly waits: OtherWaitsPort
  readonly waitClock: () => number
  readonly pauseWrites: () => void
  readonly unpause: () => void
}

/** Words under which REPLICATION keeps whom to follow. */
const printTarget = ({ delayMs, host, port, until }: FollowTarget): string =>
  [host, port, delayMs, until ?? "-"].join(" ")

const readTarget = (text: string): FollowTarget | undefined => {
  const [host, port, delay, until] = text.split(" ")
  if (host === undefined || port === undefined) return undefined
  return { host, port: Number(port), delayMs: Number(delay ?? 0), until: until === "-" ? undefined : Number(until) }
}

const damagedRequest = new ReplyError("ERR the request is damaged: its checksum does not fit")
const notConnected = new ReplyError("NOMASTERLINK Can't SYNC while not connected with my master")

const rewindTo = (lsn: number): Reply => new Status(printAnswer({ kind: "rewind", lsn }).slice(1))

/** See the head of this file. */
export class Replication implements ReplicationPort {
  readonly feeds: Feeds
  readonly follower: Follower
  private readonly waits: Waits
  private readonly handover: Failover
  private readonly host: ReplicationHost
  private readonly names = new WeakMap<ConnectionPort, Map<string, string>>()
  /** Replicas that wait for a checkpoint of at least this sequence. */
  private readonly waiting = new Map<Feed, number>()
  private readonly byConnection = new WeakMap<ConnectionPort, Feed>()
  private lastPing = 0
  private fullSyncs = 0
  private partialSyncs = 0
  private refusedPartialSyncs = 0
  private setAsideBatches = 0
  private setAsideBytes = 0

  constructor(host: ReplicationHost) {
    this.host = host
    this.feeds = new Feeds({
      mirror: host.mirror,
      now: host.now,
      monotonic: host.monotonic,
      later: host.later,
      warn: host.warn,
      report: host.report,
      changed: () => this.review()
    })
    this.follower = new Follower({
      ...host,
      setAside: (what, why) => this.noteSetAside(what, why),
      changed: () => this.review()
    })
    this.waits = new Waits({
      waits: host.waits,
      waitClock: host.waitClock,
      later: host.later,
      end: () => host.mirror.end,
      durable: () => host.mirror.durable,
      having: (lsn, durable) => this.feeds.having(lsn, durable),
      hurry: (durable) => {
        this.feeds.sign(true)
        if (durable) host.mirror.sync()
      }
    })
    this.handover = new Failover({
      feeds: this.feeds,
      monotonic: host.monotonic,
      end: () => host.mirror.end,
      isReplica: () => host.gate.replica,
      pauseWrites: host.pauseWrites,
      flush: host.flush,
      unpause: host.unpause,
      follow: (target, force) => this.handOverTo(target, force),
      followed: () => this.follower.state === "connected",
      lead: () => this.lead(),
      report: host.report
    })
  }

  /** The data is loaded: goes on following whom it followed, or begins to follow whom the configuration names. */
  begin(configured: FollowTarget | undefined): void {
    const { mirror } = this.host
    const known = mirror.following === undefined ? undefined : readTarget(mirror.following)
    if (configured !== undefined && (known?.host !== configured.host || known.port !== configured.port)) {
      this.follow(configured)
    } else if (known !== undefined) {
      this.host.noted(known)
      this.becomeReplica()
      this.follower.start(known)
    }
    this.review()
  }

  // ——— roles

  follow(target: FollowTarget): "started" | "same" | { readonly refused: string } {
    const { host } = this
    const now = this.follower.target
    const { sequence } = host.mirror.position
    if (target.until !== undefined && sequence > target.until) {
      return { refused: `this server is at sequence ${sequence} already; begin with an empty directory` }
    }
    if (now !== undefined && printTarget(now) === printTarget(target)) return "same"
    try {
      host.flush()
      host.mirror.follow(printTarget(target))
    } catch (error) {
      if (!(error instanceof DiskError)) throw error
      return { refused: error.message }
    }
    host.noted(target)
    this.becomeReplica()
    this.follower.start(target)
    this.review()
    return "started"
  }

  /** Follows a replica of this server, which is to lead from where this log ends. */
  private handOverTo(target: FollowTarget, force: boolean): string | undefined {
    const { epochs, lsn } = this.host.mirror.position
    const answer = this.follow(target)
    if (typeof answer === "object") return answer.refused
    this.follower.handover = `${epochs.at(-1)!.replicationId}:${force ? "any" : lsn}`
    return undefined
  }

  /** The primary hands over: its log ends where it says, and so must this one. */
  private takeOver(value: string): boolean {
    const { gate, mirror } = this.host
    const { epochs, lsn } = mirror.position
    const [before, last] = [epochs.at(-2), epochs.at(-1)!]
    // It has, and was not heard.
    if (!gate.replica) return before !== undefined && value.startsWith(`${before.replicationId}:`)
    const here = value === `${last.replicationId}:${lsn}` || value === `${last.replicationId}:any`
    return here && this.lead() === undefined
  }

  private becomeReplica(): void {
    const { gate, unblockAll } = this.host
    if (gate.replica) return
    gate.replica = true
    this.feeds.endAll() // what they have may have to go
    unblockAll()
  }

  lead(): string | undefined {
    const { gate, mirror, report } = this.host
    if (!gate.replica) return undefined
    this.follower.stop()
    try {
      const epoch = mirror.lead("promoted")
      gate.replica = false
      this.host.noted(undefined)
      report(`this server is a primary now: epoch ${epoch.number} begins at lsn ${epoch.lsn}`)
    } catch (error) {
      if (!(error instanceof DiskError)) throw error
      const known = readTarget(mirror.following!)
      if (known !== undefined) this.follower.start(known)
      return error.message
    }
    this.review()
    return undefined
  }

  private noteSetAside(what: SetAside, why: string): void {
    this.setAsideBatches += what.batches
    this.setAsideBytes += what.bytes
    this.host.warn(`${what.batches} batches, ${what.bytes} bytes of the log are set aside in ${what.folder}: ${why}`)
  }

  /** Brings what the executor is told up to date. */
  private review(): void {
    const { gate, replicationSettings } = this.host
    const { maxLagMs, minReplicas, serveStale } = replicationSettings()
    gate.tooFewReplicas = minReplicas > 0 && !gate.replica && this.feeds.good(maxLagMs) < minReplicas
    const { catchingUp, pinned, state } = this.follower
    gate.hidden = !gate.replica
      ? undefined
      : catchingUp
      ? errors.loading
      : serveStale || pinned || state === "connected"
      ? undefined
      : masterDown
  }

  /** Time passes. */
  tick(): void {
    const { monotonic, replicationSettings } = this.host
    const { pingMs, timeoutMs } = replicationSettings()
    this.follower.tick()
    this.waits.check()
    this.handover.tick()
    if (this.feeds.all.size > 0) {
      const now = monotonic()
      if (now - this.lastPing >= pingMs) {
        this.lastPing = now
        this.feeds.sign(false)
      }
      this.feeds.endSilent(timeoutMs)
      this.tendWaiting()
    }
    this.review()
  }

  // ——— replicas

  describe(connection: ConnectionPort, option: string, value: string): boolean {
    if (option === "failover") return this.takeOver(value)
    if (!["listening-port", "ip-address", "capa"].includes(option)) return false
    let names = this.names.get(connection)
    if (names === undefined) this.names.set(connection, names = new Map())
    names.set(option, value)
    return true
  }

  acknowledge(connection: ConnectionPort, lsn: number, durable: number): void {
    this.byConnection.get(connection)?.acknowledge(lsn, durable)
    this.waits.check()
    this.handover.tick()
    this.review()
  }

  serve(connection: ConnectionPort, words: ReadonlyArray<string>): Reply {
    const request = parseFollow(words)
    if (request === undefined) return damagedRequest
    const { gate, mirror } = this.host
    if (gate.replica && this.follower.state !== "connected") return notConnected
    try {
      if (!mirror.shared) mirror.beginEpoch("the first replica")
    } catch (error) {
      if (!(error instanceof DiskError)) throw error
      return new ReplyError(`ERR ${error.message}`)
    }
    return this.resume(connection, request) ?? this.sendAll(connection, request)
  }

  /** Continues where the replica's log ends, or says how much of it has to go; undefined when neither helps. */
  private resume(connection: ConnectionPort, request: FollowRequest): Reply | undefined {
    const { mirror } = this.host
    const { position } = mirror
    if (request.segment === undefined || request.storeId !== position.storeId) return undefined
    const common = mirror.commonWith(request.epochs, request.lsn)
    if (common === undefined || common < mirror.oldestLsn) return undefined
    // A replica of a replica may be ahead within the epoch: nothing was lost, this server will get there.
    const ahead = common < request.lsn && this.host.gate.replica && common === position.lsn
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
    const { mirror } = this.host
    if (request.segment !== undefined) this.refusedPartialSyncs++
    this.fullSyncs++
    const { lsn, sequence } = mirror.position
    const { wholeLogBytes } = this.host.replicationSettings()
    const feed = this.makeFeed(connection)
    if (mirror.oldestLsn === 0 && lsn <= wholeLogBytes) this.sendLog(feed)
    else {
      const newest = mirror.newestCheckpoint
      if (newest !== undefined && lsn - newest.lsn <= Math.max(wholeLogBytes, newest.bytes)) {
        this.sendCheckpoint(feed, newest)
      } else {
        this.host.checkpoint(true)
        this.waiting.set(feed, sequence)
      }
    }
    return noReply
  }

  private sendLog(feed: Feed): void {
    const { mirror } = this.host
    const { epochs, storeId } = mirror.position
    const lsn = mirror.oldestLsn
    const answer = printAnswer({ kind: "full", bytes: 0, sequence: 0, lsn, storeId, epochs })
    feed.start(answer, mirror.source(lsn, undefined), undefined)
  }

  /** The checkpoint, then the log from the beginning of the segment around it. */
  private sendCheckpoint(feed: Feed, info: CheckpointInfo): void {
    const { mirror } = this.host
    const { epochs, storeId } = mirror.position
    const checkpoint = mirror.openCheckpoint(info)
    const { lsn, sequence } = info
    const answer = printAnswer({ kind: "full", bytes: checkpoint.size, sequence, lsn, storeId, epochs })
    feed.start(answer, mirror.source(mirror.segmentAround(lsn).lsn, undefined), checkpoint)
  }

  /** Replicas that wait for a checkpoint get it once there is one that is new enough. */
  private tendWaiting(): void {
    const { checkpoint, mirror } = this.host
    for (const [feed, sequence] of this.waiting) {
      const newest = mirror.newestCheckpoint
      if (feed.over) this.waiting.delete(feed)
      else if (newest !== undefined && newest.sequence >= sequence) {
        this.waiting.delete(feed)
        this.attempt(feed, () => this.sendCheckpoint(feed, newest))
      } else if (!checkpoint(false)) {
        this.waiting.delete(feed)
        this.host.warn("no checkpoint can be made for a replica that waits for one")
        feed.end()
      }
    }
  }

  private attempt(feed: Feed, run: () => void): void {
    try {
      run()
    } catch (error) {
      if (!(error instanceof DiskError)) throw error
      this.host.warn(`a replica cannot be served: ${error.message}`)
      feed.end()
    }
  }

  private startFeed(connection: ConnectionPort, answer: string, source: FrameSource): void {
    const feed = this.makeFeed(connection)
    feed.start(answer, source, undefined)
    this.host.report(`the replica ${feed.name.address}:${feed.name.port} follows from lsn ${source.lsn}`)
  }

  private makeFeed(connection: ConnectionPort): Feed {
    const names = this.names.get(connection)
    const address = names?.get("ip-address") ?? connection.client.address.replace(/:\d+$/, "")
    const feed = new Feed(this.feeds.host, this.feeds, { address, port: Number(names?.get("listening-port") ?? 0) })
    connection.client.role = "replica"
    this.byConnection.set(connection, feed)
    this.feeds.add(feed)
    feed.open(connection.handOver(feed))
    return feed
  }

  /** The server ends: nobody is followed, nobody follows; what the files say of that stays. */
  close(): void {
    this.follower.stop()
    this.feeds.endAll()
  }

  // ——— figures

  status(): ReplicationStatus {
    const { feeds, follower, host } = this
    const { mirror } = host
    const { epochs, lsn } = mirror.position
    const { maxLagMs, minReplicas } = host.replicationSettings()
    const before = epochs.at(-2)
    return {
      primary: follower.status,
      replicas: [...feeds.all].map((feed) => feed.status),
      goodReplicas: minReplicas > 0 && maxLagMs > 0 ? feeds.good(maxLagMs) : undefined,
      failover: this.handover.state,
      epoch: epochs.at(-1)!.number,
      replicationId: epochs.at(-1)!.replicationId,
      secondId: before?.replicationId ?? "0".repeat(40),
      secondLsn: before === undefined ? -1 : epochs.at(-1)!.lsn,
      lsn,
      oldestLsn: mirror.oldestLsn,
      fullSyncs: this.fullSyncs,
      partialSyncs: this.partialSyncs,
      refusedPartialSyncs: this.refusedPartialSyncs,
      setAsideBatches: this.setAsideBatches,
      setAsideBytes: this.setAsideBytes,
      inputBytes: follower.inputBytes,
      outputBytes: feeds.outputBytes
    }
  }

  wait(connection: ConnectionPort, wanted: WantedReplicas, mayWait: boolean): Reply | undefined {
    return this.waits.begin(connection, wanted, mayWait)
  }

  failover(options: FailoverOptions): string | undefined {
    const refused = this.handover.begin(options)
    this.handover.tick()
    return refused
  }

  abortFailover(): boolean {
    return this.handover.abort("as was asked")
  }
}
