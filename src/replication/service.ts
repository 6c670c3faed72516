/** Replication as a part of the running server. */
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Schedule from "effect/Schedule"
import { randomBytes } from "node:crypto"
import { Executor } from "../commands/executor/service.ts"
import type { FollowTarget } from "../commands/replication/port.ts"
import { type Configuration, ServerConfig } from "../config/config.ts"
import { CheckpointStore } from "../log/checkpoint-store.ts"
import { commandName } from "../log/commands.ts"
import type { Disk } from "../log/disk.ts"
import { EventLog } from "../log/event-log.ts"
import { eachRun } from "../log/following-writer.ts"
import { LogReplication } from "../log/mirror.ts"
import { type Dial, dialTcp } from "./dial.ts"
import type { Loaded } from "./full-sync.ts"
import { RedisTaker } from "./redis-taker.ts"
import { Replication } from "./replication.ts"
import type { CheckpointState, UnderWay } from "./serving.ts"

/** The server's replication. */
export class Replicating extends Context.Service<Replicating, Replication>()("annals/replication/Replicating") {}

/** What replication asks of parts of the server that stand beside it. */
export class ReplicationParts extends Context.Service<ReplicationParts, {
  /** Commits what this turn appended, and lets replies leave. */
  readonly flush: () => void
  /** Runs something once what this turn appends is committed. */
  readonly afterCommit: (run: () => void) => void
  /** Makes sure that this turn ends with a commit. */
  readonly settle: () => void
  /** Makes memory anew from the log and the checkpoints, a slice at a time. */
  readonly reload: (loaded: Loaded | undefined) => Iterator<void, void>
  /** See `ReplicationHost`. */
  readonly checkpoint: (ask: boolean) => CheckpointState
  /** See `ServingHost`. */
  readonly underWay: () => UnderWay | undefined
  /** Shows a link among the connections. */
  readonly linked: (address: string, localAddress: string, close: () => void) => () => void
  readonly pauseWrites: () => void
  readonly unpause: () => void
  readonly port: number
  /** The data directory, for what is received and not yet taken in. */
  readonly disk: Disk
  /** How links are opened; over TCP unless told. */
  readonly dial?: Dial
}>()("annals/replication/ReplicationParts") {}

/** See `ReplicationSettings`: a few seconds' work to stream and fold. */
const wholeLogBytes = 64 << 20

/** How often time is looked at. */
const tick = "20 millis"

/** Whom the configuration says to follow. */
const configured = (config: Configuration): FollowTarget | undefined => {
  const [host, port] = config.get("replicaof").split(" ")
  return host === undefined || port === undefined
    ? undefined
    : { host, port: Number(port), delayMs: 0, until: undefined }
}

const make = Effect.gen(function*() {
  const config = yield* ServerConfig
  const executor = yield* Executor
  const mirror = yield* LogReplication
  const log = yield* EventLog
  const store = yield* CheckpointStore
  const parts = yield* ReplicationParts
  const clock = yield* Clock.Clock
  const context = yield* Effect.context<never>()
  let ended = false
  const folded = (): void => {
    executor.folded()
    parts.settle()
  }
  const replication: Replication = new Replication({
    mirror,
    dial: parts.dial ?? dialTcp(() => config.get("bind-source-addr")),
    now: () => clock.currentTimeMillisUnsafe(),
    monotonic: () => Number(clock.monotonicTimeNanosUnsafe()) / 1e6,
    settings: () => ({
      timeoutMs: config.get("repl-timeout") * 1000,
      user: config.get("masteruser"),
      password: config.get("masterauth"),
      listeningPort: config.get("replica-announce-port") || parts.port,
      announceAddress: config.get("replica-announce-ip")
    }),
    replicationSettings: () => ({
      timeoutMs: config.get("repl-timeout") * 1000,
      pingMs: config.get("repl-ping-replica-period") * 1000,
      minReplicas: config.get("min-replicas-to-write"),
      maxLagMs: config.get("min-replicas-max-lag") * 1000,
      wholeLogBytes,
      shutdownMs: config.get("shutdown-timeout") * 1000,
      serveStale: config.get("replica-serve-stale-data")
    }),
    gate: executor.gate,
    fold: (batch) => {
      const command = commandName(batch.command) ?? ""
      eachRun(batch, (db, events, count) => executor.fold(batch.time, db, events, count, command))
    },
    folded,
    taker: new RedisTaker({
      disk: parts.disk,
      keyspace: executor.keyspace,
      log,
      now: () => clock.currentTimeMillisUnsafe(),
      monotonic: () => Number(clock.monotonicTimeNanosUnsafe()) / 1e6,
      seed: randomBytes(4).readUInt32LE(),
      fold: (time, db, events, count) => executor.fold(time, db, events, count, "restore"),
      noticing: (db, events, count) => {
        const { tracking, transactions: { watches }, view, waiters } = executor
        if (watches.size > 0) { for (let i = 0; i < count; i++) watches.before(db, events[i]!, view.now) }
        if (waiters.size > 0) waiters.touched(db, events, count)
        if (tracking.active) tracking.changed(db, events, count, undefined)
      },
      settle: folded,
      publish: (channel, text, toShard) => {
        if (toShard) executor.subscriptions.publishToShard(channel, text)
        else executor.subscriptions.publish(channel, text)
        if (executor.subscriptions.deferred) executor.subscriptions.flush()
      },
      warn: (text) => void Effect.runForkWith(context)(Effect.logWarning(text))
    }),
    forRedis: {
      keyspace: executor.keyspace,
      head: log.sequence,
      read: log.read,
      openCheckpoint: (info) => store.open(info.sequence),
      mark: () => randomBytes(20).toString("hex")
    },
    blank: (seed) =>
      executor.keyspace.databases.every(({ size }) => size === 0) ? executor.keyspace.blank(seed) : undefined,
    reload: (done, loaded) => {
      executor.loading = true
      const steps = parts.reload(loaded)
      const step = (): void => {
        if (ended) return // the log is being closed
        if (steps.next().done !== true) {
          setImmediate(step)
          return
        }
        executor.loading = false
        done()
      }
      setImmediate(step)
    },
    linked: parts.linked,
    later: (run) => void setImmediate(run),
    checkpoint: parts.checkpoint,
    underWay: parts.underWay,
    flush: parts.flush,
    afterCommit: parts.afterCommit,
    deliver: (to, channel, text) => {
      executor.beginChunk()
      if (to === "shard") executor.subscriptions.publishToShard(channel, text)
      else executor.subscriptions.publish(channel, text)
    },
    onPublish: (listener) => {
      executor.subscriptions.relay = listener
    },
    noted: (target) => config.note("replicaof", target === undefined ? "" : `${target.host} ${target.port}`),
    unblockAll: () => executor.waiters.unblockAll(),
    waits: executor.waiters.others,
    waitClock: () => executor.monotonic(),
    pauseWrites: parts.pauseWrites,
    unpause: parts.unpause,
    report: (text) => void Effect.runForkWith(context)(Effect.log(text)),
    warn: (text) => void Effect.runForkWith(context)(Effect.logWarning(text))
  }, configured(config))
  yield* Effect.addFinalizer(() =>
    Effect.sync(() => {
      ended = true
      replication.close()
    })
  )
  return replication
})

/** Needs the log and the executor; ends all links when the scope closes. */
export const layer = Layer.effect(Replicating, make)

/** Begins to follow, if somebody is followed, once the data is loaded; then looks at the time, for ever. */
export const run = Effect.gen(function*() {
  const replication = yield* Replicating
  replication.begin()
  yield* Effect.sync(() => replication.tick()).pipe(Effect.repeat(Schedule.spaced(tick)))
})
