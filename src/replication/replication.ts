/**
 * Replication of one server: whom it follows, who follows it, and what changes when that does. Joins feeds, follower and
 * log; implements what the commands ask for. Plain and without a clock of its own: `tick` is called again and again.
 */
import { errors } from "../commands/errors.ts"
import { type Gate, masterDown } from "../commands/executor/gate.ts"
import type { ConnectionPort, OtherWaitsPort } from "../commands/ports.ts"
import type { PublishedTo } from "../commands/pubsub/subscriptions.ts"
import type {
  FailoverOptions,
  FollowTarget,
  ReplicationPort,
  ReplicationStatus,
  WantedReplicas
} from "../commands/replication/port.ts"
import { DiskError } from "../log/disk.ts"
import { LogCorrupt } from "../log/errors.ts"
import type { LogMirror, SetAside } from "../log/mirror.ts"
import { type Reply, ReplyError } from "../net/resp/reply.ts"
import type { Slice } from "../projections/memory/slice.ts"
import { Failover } from "./failover.ts"
import { Feeds } from "./feed.ts"
import type { FollowerHost } from "./follower-host.ts"
import { Follower } from "./follower.ts"
import { Leaving } from "./leaving.ts"
import { Messages } from "./messages.ts"
import type { RedisFeedHost } from "./redis-feed.ts"
import { RedisFollower } from "./redis-follower.ts"
import type { RedisTaker } from "./redis-taker.ts"
import { type CheckpointState, Serving, type UnderWay } from "./serving.ts"
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
  /** How long the end of the server waits for replicas. */
  readonly shutdownMs: number
}

/** What replication needs of the server. */
export interface ReplicationHost
  extends Omit<FollowerHost, "mirror" | "setAside" | "changed" | "publish" | "foundRedis">
{
  readonly taker: RedisTaker
  readonly forRedis: Pick<RedisFeedHost, "keyspace" | "head" | "read" | "openCheckpoint" | "mark">
  readonly mirror: LogMirror
  readonly replicationSettings: () => ReplicationSettings
  readonly later: (run: () => void) => void
  /** Runs something once what this turn appends is committed. */
  readonly afterCommit: (run: () => void) => void
  /** A message for the subscribers of this server. */
  readonly deliver: (to: PublishedTo, channel: Slice, text: Slice) => void
  /** Sets who is told what clients publish. */
  readonly onPublish: (listener: ((to: PublishedTo, channel: Slice, text: Slice) => void) | undefined) => void
  /** Commits what this turn appended, and lets replies leave. */
  readonly flush: () => void
  readonly gate: Gate
  /** Asks for a checkpoint, with `ask`; says how the last one went, or that one is under way. */
  readonly checkpoint: (ask: boolean) => CheckpointState
  /** The checkpoint being made, while its file can be read under the name it is written under. */
  readonly underWay: () => UnderWay | undefined
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
  // From the end: nobody has looked yet whether what is called a host can be one.
  const [, host, port, delay, until] = /^([^]*) (\d+) (\d+) (-|\d+)$/.exec(text) ?? []
  if (host === undefined) return undefined
  return { host, port: Number(port), delayMs: Number(delay), until: until === "-" ? undefined : Number(until) }
}

const otherStore = new ReplyError("ERR the log of this server is of another store")

/** See the head of this file. */
export class Replication implements ReplicationPort {
  readonly feeds: Feeds
  readonly follower: Follower
  /** Where the server that is followed is a Redis. */
  readonly redis: RedisFollower
  readonly leaving: Leaving
  private readonly waits: Waits
  private readonly handover: Failover
  private readonly host: ReplicationHost
  private readonly serving: Serving
  private readonly messages: Messages
  /** Whom the configuration says to follow, until that is so. */
  private wanted: FollowTarget | undefined
  private lastPing = 0
  private setAsideBatches = 0
  private setAsideBytes = 0

  constructor(host: ReplicationHost, configured?: FollowTarget) {
    this.host = host
    this.wanted = configured
    // From the first command on: who follows takes no writes, also before the link is tried.
    host.gate.replica = configured !== undefined || host.mirror.following !== undefined
      || host.taker.noted !== undefined
    // As in Redis, what is published on a replica is heard on that one only.
    const published = (to: PublishedTo, channel: Slice, text: Slice): void => {
      if (!host.gate.replica) this.messages.add(to, channel, text)
    }
    const feedHost: RedisFeedHost = {
      ...host.forRedis,
      mirror: host.mirror,
      now: host.now,
      monotonic: host.monotonic,
      later: host.later,
      warn: host.warn,
      report: host.report,
      changed: () => this.review(),
      listened: (any) => host.onPublish(any ? published : undefined),
      follows: () => host.gate.replica && this.redis.target === undefined
    }
    this.feeds = new Feeds(feedHost)
    this.messages = new Messages({
      ...host,
      written: () => host.mirror.allWritten,
      send: (bytes, length) => this.feeds.messages(bytes, length)
    })
    this.follower = new Follower({
      ...host,
      publish: (to, channel, text) => {
        host.deliver(to, channel, text)
        if (this.feeds.all.size > 0) this.messages.add(to, channel, text)
      },
      setAside: (what, why) => this.noteSetAside(what, why),
      foundRedis: (target) => this.followRedis(target),
      changed: () => this.review()
    })
    this.redis = new RedisFollower({ ...host, changed: () => this.review() })
    this.serving = new Serving({
      ...host,
      feeds: this.feeds,
      feedHost,
      connected: () => this.followed.state === "connected",
      wholeLogBytes: () => host.replicationSettings().wholeLogBytes
    })
    this.waits = new Waits({
      waits: host.waits,
      waitClock: host.waitClock,
      afterCommit: host.afterCommit,
      end: () => host.mirror.end,
      durable: () => host.mirror.durable,
      having: (lsn, durable) => this.feeds.having(lsn, durable),
      hurry: (durable) => {
        this.feeds.sign(true)
        if (durable) host.mirror.sync()
      }
    })
    const shutdownMs = () => host.replicationSettings().shutdownMs
    this.leaving = new Leaving({ ...host, feeds: this.feeds, shutdownMs })
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
  begin(): void {
    const { mirror } = this.host
    const { wanted } = this
    const known = mirror.following === undefined ? undefined : readTarget(mirror.following)
    if (wanted !== undefined && (known?.host !== wanted.host || known.port !== wanted.port)) this.followWanted(wanted)
    else if (known !== undefined) {
      this.wanted = undefined
      this.host.noted(known)
      this.follower.start(known)
    } else {
      const redis = this.host.taker.noted
      if (redis !== undefined) {
        this.host.noted(redis.target)
        this.redis.start(redis.target, redis.partial)
      }
    }
    this.review()
  }

  private followWanted(target: FollowTarget): void {
    const answer = this.follow(target)
    if (typeof answer === "object") this.host.warn(`it cannot follow ${target.host}:${target.port}: ${answer.refused}`)
  }

  // ——— roles

  follow(target: FollowTarget): "started" | "same" | { readonly refused: string } {
    const { host } = this
    const now = this.followed.target
    const { sequence } = host.mirror.position
    if (target.until !== undefined && sequence > target.until) {
      return { refused: `this server is at sequence ${sequence} already; begin with an empty directory` }
    }
    if (now !== undefined && printTarget(now) === printTarget(target)) return "same"
    try {
      host.flush()
      host.mirror.follow(printTarget(target))
      host.taker.note(undefined)
    } catch (error) {
      if (!(error instanceof DiskError)) throw error
      return { refused: error.message }
    }
    this.redis.stop()
    host.noted(target)
    this.wanted = undefined
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

  /** Whoever keeps the link. */
  private get followed(): Follower | RedisFollower {
    return this.redis.target === undefined ? this.follower : this.redis
  }

  /** It is a Redis: what it passes on is written to this server's own log, in an epoch of its own. */
  private followRedis(target: FollowTarget): void {
    const { mirror, taker, warn } = this.host
    this.follower.stop()
    if (target.delayMs > 0 || target.until !== undefined) {
      warn(`${target.host}:${target.port} is a Redis, which is not followed with DELAY or AT`)
      return
    }
    try {
      // In this order: whatever is cut short in between, a start finds that this server follows.
      taker.note(target)
      mirror.lead("it follows a Redis")
    } catch (error) {
      if (!(error instanceof DiskError)) throw error
      warn(`${target.host}:${target.port} cannot be followed: ${error.message}`)
      this.follower.start(target)
      return
    }
    this.redis.start(target)
    this.review()
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
    const redis = this.redis.target
    if (this.redis.catchingUp) return "not all of the Redis's data is here: wait, or begin with an empty directory"
    this.follower.stop()
    this.redis.stop()
    try {
      const epoch = mirror.lead("promoted")
      this.host.taker.note(undefined)
      gate.replica = false
      this.wanted = undefined
      this.host.noted(undefined)
      report(`this server is a primary now: epoch ${epoch.number} begins at lsn ${epoch.lsn}`)
    } catch (error) {
      if (!(error instanceof DiskError)) throw error
      const known = mirror.following === undefined ? undefined : readTarget(mirror.following)
      if (known !== undefined) this.follower.start(known)
      else if (redis !== undefined) this.redis.start(redis)
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
    const { catchingUp, state } = this.followed
    const { pinned } = this.follower
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
    if (this.wanted !== undefined) this.followWanted(this.wanted)
    this.follower.tick()
    this.redis.tick()
    this.waits.check()
    this.handover.tick()
    this.leaving.tick()
    this.messages.flush()
    if (this.feeds.all.size > 0) {
      const now = monotonic()
      if (now - this.lastPing >= pingMs) {
        this.lastPing = now
        this.feeds.sign(false)
      }
      this.feeds.endSilent(timeoutMs)
      this.serving.tend()
    }
    this.review()
  }

  // ——— replicas

  describe(connection: ConnectionPort, option: string, value: string): boolean {
    return option === "failover" ? this.takeOver(value) : this.serving.describe(connection, option, value)
  }

  acknowledge(connection: ConnectionPort, lsn: number, durable: number): void {
    this.serving.feedOf(connection)?.acknowledge(lsn, durable)
    this.waits.check()
    this.handover.look()
    this.leaving.look()
    this.review()
  }

  serve(connection: ConnectionPort, words: ReadonlyArray<string>): Reply {
    return this.serving.serve(connection, words)
  }

  segment(storeId: string, first: number, position: number): Reply {
    const { mirror } = this.host
    if (storeId !== mirror.position.storeId) return otherStore
    try {
      return mirror.segmentBytes(first, position) ?? null
    } catch (error) {
      if (!(error instanceof DiskError || error instanceof LogCorrupt)) throw error
      return new ReplyError(`ERR that segment cannot be read here either: ${error.message.split("\n", 1)[0]}`)
    }
  }

  sync(connection: ConnectionPort, psync: boolean): Reply {
    return this.serving.sync(connection, psync)
  }

  /** The server ends: nobody is followed, nobody follows; what the files say of that stays. */
  close(): void {
    this.follower.stop()
    this.redis.stop()
    this.feeds.endAll()
  }

  // ——— figures

  status(): ReplicationStatus {
    const { feeds, follower, host, serving: { fullSyncs, partialSyncs, refusedPartialSyncs } } = this
    const { mirror } = host
    const { epochs, lsn } = mirror.position
    const { maxLagMs, minReplicas } = host.replicationSettings()
    const before = epochs.at(-2)
    return {
      primary: this.followed.status,
      replicas: [...feeds.all].map((feed) => feed.status),
      goodReplicas: minReplicas > 0 && maxLagMs > 0 ? feeds.good(maxLagMs) : undefined,
      failover: this.handover.state,
      epoch: epochs.at(-1)!.number,
      replicationId: epochs.at(-1)!.replicationId,
      secondId: before?.replicationId ?? "0".repeat(40),
      secondLsn: before === undefined ? -1 : epochs.at(-1)!.lsn,
      lsn,
      oldestLsn: mirror.oldestLsn,
      fullSyncs,
      partialSyncs,
      refusedPartialSyncs,
      setAsideBatches: this.setAsideBatches,
      setAsideBytes: this.setAsideBytes,
      inputBytes: follower.inputBytes + this.redis.inputBytes,
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
