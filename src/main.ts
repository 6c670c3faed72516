/**
 * The server: `annals server [file.conf] [--name value …]`. The only place where layers meet, read bottom-up:
 * configuration, disk, log, data folded from it, executor, network, and the ports that join them.
 */
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import * as Cause from "effect/Cause"
import * as Clock from "effect/Clock"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import * as Logger from "effect/Logger"
import { randomBytes } from "node:crypto"
import { mkdirSync } from "node:fs"
import { flushCompileCache } from "node:module"
import { machine, release, totalmem, type } from "node:os"
import { resolve } from "node:path"
import { compensate } from "./commands/executor/compensate.ts"
import { CommandExecutor } from "./commands/executor/executor.ts"
import { followLimits } from "./commands/executor/limits.ts"
import { followMemorySettings } from "./commands/executor/memory-settings.ts"
import { Executor } from "./commands/executor/service.ts"
import { type Configuration, ServerConfig } from "./config/config.ts"
import { fitClients } from "./config/descriptors.ts"
import { ConfigInvalid } from "./config/errors.ts"
import { yieldHelperThreads } from "./config/helper-threads.ts"
import { Messages } from "./config/messages.ts"
import { pidFile } from "./config/pid-file.ts"
import { version } from "./config/version.ts"
import * as Reader from "./history/reader.ts"
import { CheckpointStore } from "./log/checkpoint-store.ts"
import { nodeDisk } from "./log/disk.ts"
import { LogCorrupt, LogFormatTooNew, LogLocked } from "./log/errors.ts"
import * as EventLogLive from "./log/event-log-live.ts"
import { EventLog } from "./log/event-log.ts"
import * as UpkeepLive from "./log/upkeep-live.ts"
import { makeConfigPort, netSettings } from "./net/config-port.ts"
import * as Listener from "./net/listener.ts"
import { makeLogQuestions } from "./net/log-questions.ts"
import { LogTimings } from "./net/log-timings.ts"
import { configureObserver } from "./net/observation.ts"
import { makeServerPort, memoryOfProcess, Shutdown } from "./net/server.ts"
import * as Persistence from "./persistence/service.ts"
import { hashKey } from "./persistence/start-up.ts"
import { Keyspace } from "./projections/keyspace.ts"
import type { Loaded } from "./replication/full-sync.ts"
import * as Replication from "./replication/service.ts"

/** Clients switch features on by the Redis version they see. */
const redisVersion = "7.4.0"

const randomSeed = (): number => randomBytes(4).readUInt32LE()

/** The executor over empty data, which is loaded once the server listens. */
const executorLayer = Layer.effect(
  Executor,
  Effect.gen(function*() {
    const config = yield* ServerConfig
    const log = yield* EventLog
    const store = yield* CheckpointStore
    const recovery = yield* EventLogLive.LogRecovery
    const clock = yield* Clock.Clock
    if (recovery.tornBytes > 0) {
      yield* Effect.logWarning(
        `the last write was cut short: ${recovery.tornBytes} bytes that were never acknowledged as durable were moved to `
          + `${recovery.quarantine ?? "nowhere"}`
      )
    }
    const key = hashKey(store, () => ({ k0: randomSeed(), k1: randomSeed() }))
    const executor = new CommandExecutor({
      keyspace: new Keyspace(config.get("databases"), key),
      log,
      now: () => clock.currentTimeMillisUnsafe(),
      monotonic: () => performance.now(),
      seed: randomSeed()
    })
    executor.loading = true
    followMemorySettings(executor, config)
    followLimits(executor, config)
    return executor
  })
)

/** The log, in the data directory the configuration names. */
const logSettingsLayer = Layer.effect(
  EventLogLive.LogSettings,
  Effect.gen(function*() {
    const config = yield* ServerConfig
    const directory = resolve(config.get("dir"))
    yield* Effect.try({
      try: () => mkdirSync(directory, { recursive: true, mode: 0o700 }),
      catch: (cause) =>
        new ConfigInvalid({ where: "dir", problem: `cannot use ${directory}: ${(cause as Error).message}` })
    })
    yield* beginMessages(config, directory)
    return {
      disk: nodeDisk(directory),
      options: {
        policy: config.get("appendfsync"),
        segmentBytes: config.get("log-segment-bytes"),
        checkpointSpacing: config.get("history-checkpoint-bytes"),
        syncIdleMs: config.get("log-sync-idle-ms"),
        randomId: () => randomBytes(36)
      },
      die: (error: unknown) => {
        messages.writeFailure(`the log could not be synced, ending before anything is acknowledged: ${String(error)}\n`)
        process.exit(1)
      }
    }
  })
)

const readerSettingsLayer = Layer.effect(
  Reader.ReaderSettings,
  Effect.map(ServerConfig, (config) => ({
    directory: resolve(config.get("dir")),
    meanwhile: () => import("./past/at-once.ts").then(({ answerInSteps }) => answerInSteps)
  }))
)

/** What upkeep of the log goes by. */
const upkeepSettingsLayer = Layer.effect(
  UpkeepLive.UpkeepSettings,
  Effect.gen(function*() {
    const config = yield* ServerConfig
    let before = performance.eventLoopUtilization()
    const load = (): number => {
      const now = performance.eventLoopUtilization()
      const { utilization } = performance.eventLoopUtilization(now, before)
      before = now
      return utilization
    }
    return { compression: () => config.get("log-compression"), retention: () => config.get("history-retention"), load }
  })
)

const netOptionsLayer = Layer.effect(
  Listener.NetOptions,
  Effect.gen(function*() {
    const config = yield* ServerConfig
    yield* fitClients(config)
    return {
      endpoints: {
        port: config.get("port"),
        addresses: config.get("bind").length === 0 ? ["*", "-::*"] : config.get("bind"),
        backlog: config.get("tcp-backlog"),
        unixSocket: config.get("unixsocket") === "" ? "" : resolve(config.get("unixsocket")),
        unixSocketMode: config.get("unixsocketperm")
      },
      settings: netSettings(config)
    }
  })
)

/** What replication asks of the network and of whoever makes memory from the log. */
const replicationPartsLayer = Layer.effect(
  Replication.ReplicationParts,
  Effect.gen(function*() {
    const { afterCommit, clients, flush, port, settle } = yield* Listener.Network
    const persistence = yield* Persistence.Checkpoints
    const reader = yield* Reader.Reader
    return {
      flush,
      afterCommit,
      settle,
      port,
      disk: nodeDisk(resolve((yield* ServerConfig).get("dir"))),
      linked: (address: string, localAddress: string, close: () => void) =>
        clients.welcome(address, localAddress, close),
      pauseWrites: () => clients.pause(Infinity, "write"),
      unpause: () => clients.unpause(),
      reload: (loaded: Loaded | undefined) => {
        reader.forget()
        return persistence.reloading(loaded)
      },
      checkpoint: (ask: boolean) => {
        if (ask) persistence.backgroundSave(true)
        return persistence.busy ? "busy" as const : persistence.saved ? "made" as const : "failed" as const
      },
      underWay: () => persistence.underWay
    }
  })
)

/** Hands the control commands what they act on. */
const portsLayer = Layer.effectDiscard(Effect.gen(function*() {
  const config = yield* ServerConfig
  const executor = yield* Executor
  const log = yield* EventLog
  const network = yield* Listener.Network
  const shutdown = yield* Shutdown
  const persistence = yield* Persistence.Checkpoints
  const replication = yield* Replication.Replicating
  const clock = yield* Clock.Clock
  config.onChange((name) => {
    if (name === "appendfsync") log.setPolicy(config.get("appendfsync"))
    configureTransactions()
    executor.notifications.configure(config.get("notify-keyspace-events"))
  })
  const configureTransactions = (): void => {
    executor.transactions.abortByDefault = config.get("multi-on-error") === "abort"
    executor.transactions.queueBytes = config.get("client-query-buffer-limit")
  }
  configureTransactions()
  executor.notifications.configure(config.get("notify-keyspace-events"))
  const server = makeServerPort({
    identity: {
      version,
      redisVersion,
      runId: randomBytes(20).toString("hex"),
      pid: process.pid,
      executable: process.argv[1] ?? "",
      configFile: config.file === "" ? "" : resolve(config.file),
      os: `${type()} ${release()} ${machine()}`,
      runtime: `node ${process.version}`,
      systemMemory: totalmem(),
      startedAt: clock.currentTimeMillisUnsafe()
    },
    executor,
    log,
    persistence,
    replication,
    traffic: network.traffic,
    resetTraffic: network.resetTraffic,
    tcpPort: network.port,
    nowMicros: () => Number(clock.currentTimeNanosUnsafe() / 1000n),
    flush: network.flush,
    stop: shutdown.begin,
    memoryUsage: memoryOfProcess(),
    cpuUsage: () => {
      const { system, user } = process.cpuUsage()
      return { user: user / 1e6, system: system / 1e6 }
    }
  })
  configureObserver(executor.observer, config)
  const timings = new LogTimings(
    executor.observer.latency,
    () => clock.currentTimeMillisUnsafe(),
    () => config.get("appendfsync") === "always"
  )
  log.observe(timings)
  const questions = makeLogQuestions({
    reader: yield* Reader.Reader,
    waits: executor.waiters.others,
    log,
    afterCommit: network.afterCommit,
    onProgress: network.onProgress,
    now: () => clock.currentTimeMillisUnsafe(),
    monotonic: () => performance.now(),
    memory: () => config.get("history-memory"),
    keyspace: executor.keyspace,
    watchWrites: () => executor.transactions.watchWrites(),
    compensate: (client, { dbs, events }) =>
      compensate(executor, log, client, executor.table.byName("LOG.UNDO")!, events, dbs),
    countError: (code) => executor.statistics.countError(code)
  })
  executor.attach({ clients: network.clients, config: makeConfigPort(config), server, questions })
  const metricsPort = config.get("metrics-port")
  if (metricsPort > 0) {
    // Loaded only here: most servers are started without it.
    const { serveMetrics } = yield* Effect.promise(() => import("./net/metrics.ts"))
    const addresses = config.get("metrics-bind")
    yield* serveMetrics({
      port: metricsPort,
      addresses,
      source: {
        clients: network.clients,
        observer: executor.observer,
        server,
        statistics: executor.statistics,
        table: executor.table,
        keyspace: executor.keyspace,
        memoryLimit: () => config.get("maxmemory"),
        maxClients: () => config.get("maxclients"),
        timings
      },
      notReady: () => executor.loading ? "the data is being loaded" : log.failure()?.reason
    })
    yield* Effect.log(`metrics at http://${addresses.join(" and ")}:${metricsPort}/metrics`)
  }
}))

/** Loads the data while the server answers that it does; from then on it is in service, and makes checkpoints. */
const serve = Effect.gen(function*() {
  const config = yield* ServerConfig
  const network = yield* Listener.Network
  yield* Persistence.load
  yield* Effect.log(`ready to accept connections: ${describeEndpoints(config, network.port)}`)
  yieldHelperThreads() // loading needs what they compile
  flushCompileCache() // now, not at exit: a server that is killed should start fast too
  yield* Effect.all([Persistence.run, Replication.run], { concurrency: "unbounded", discard: true })
})

/** A signal came: the replicas get what they lack, unless another signal comes meanwhile. */
const leave = Effect.gen(function*() {
  const replication = yield* Replication.Replicating
  yield* Effect.callback<void>((resume) => {
    const timer = setInterval(() => replication.tick(), 20)
    const done = (): void => {
      clearInterval(timer)
      resume(Effect.void)
    }
    for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, done)
    replication.leaving.begin(done)
  })
})

const describeEndpoints = (config: Configuration, port: number): string => {
  const where: Array<string> = []
  if (port > 0) where.push(`port ${port} on ${config.get("bind").join(" ") || "all addresses"}`)
  if (config.get("unixsocket") !== "") where.push(config.get("unixsocket"))
  return `${where.join(", ")}; data in ${resolve(config.get("dir"))}, appendfsync ${config.get("appendfsync")}`
}

const messages = new Messages()

/** The messages' level and file; relative names of files count from the data directory, where Redis changes to. */
const beginMessages = (config: Configuration, directory: string) =>
  Effect.gen(function*() {
    messages.level = config.get("loglevel")
    config.onChange((name) => void (name === "loglevel" && (messages.level = config.get("loglevel"))))
    const file = config.get("logfile")
    yield* Effect.try({
      try: () => messages.sendTo(file === "" ? "" : resolve(directory, file)),
      catch: (cause) =>
        new ConfigInvalid({ where: "logfile", problem: `cannot write ${file}: ${(cause as Error).message}` })
    })
    for (const warning of config.warnings) yield* Effect.logWarning(warning)
    const pid = config.get("pidfile")
    yield* pidFile(pid === "" ? "" : resolve(directory, pid), process.pid)
  })

/** One line per message: time, level, text. */
const loggerLayer = Logger.layer([
  Logger.make(({ date, logLevel, message }) => {
    const text = (Array.isArray(message) ? message : [message]).map(String).join(" ")
    messages.write(date, logLevel.toLowerCase(), text)
  })
])

/** Runs until SHUTDOWN or a signal; leaving the scope closes the network, then the log. */
const server = (argv: ReadonlyArray<string>) =>
  Effect.gen(function*() {
    const stop = yield* Deferred.make<void>()
    const shutdownLayer = Layer.succeed(Shutdown, {
      begin: () => void Effect.runFork(Deferred.succeed(stop, undefined))
    })
    const base = ServerConfig.layer(argv, process.env)
    const log = EventLogLive.layer.pipe(Layer.provide(logSettingsLayer))
    const live = portsLayer.pipe(
      Layer.provideMerge(Replication.layer.pipe(Layer.provide(replicationPartsLayer))),
      Layer.provideMerge(Listener.layer.pipe(Layer.provide(netOptionsLayer))),
      Layer.provideMerge(Reader.layer.pipe(Layer.provide(readerSettingsLayer))),
      Layer.provideMerge(Persistence.layer),
      Layer.provideMerge(UpkeepLive.layer.pipe(Layer.provide(upkeepSettingsLayer))),
      Layer.provideMerge(executorLayer),
      Layer.provideMerge(log),
      Layer.provideMerge(shutdownLayer),
      Layer.provideMerge(base)
    )
    yield* Effect.log(`Annals ${version} is starting, process ${process.pid}`)
    yield* Effect.scoped(Effect.gen(function*() {
      const services = yield* Layer.build(live)
      yield* Effect.raceFirst(Effect.provideContext(serve, services), Deferred.await(stop)).pipe(
        Effect.onInterrupt(() => Effect.provideContext(leave, services))
      )
      yield* Effect.log("shutting down")
    }))
    yield* Effect.log("the log is sealed; goodbye")
  }).pipe(Effect.provide(loggerLayer))

/** Exit codes: 0 a clean end, 1 a failure, 2 wrong usage, 3 damaged log, 4 newer format, 5 directory in use. */
const exitCode = (exit: Exit.Exit<unknown, unknown>): number => {
  if (Exit.isSuccess(exit) || Cause.hasInterruptsOnly(exit.cause)) return 0
  const error = Cause.squash(exit.cause)
  messages.writeFailure(`${error instanceof Error ? error.message : String(error)}\n`)
  if (error instanceof ConfigInvalid) return 2
  if (error instanceof LogCorrupt || error instanceof LogFormatTooNew || error instanceof LogLocked) {
    return error.exitCode
  }
  if (error instanceof Error && !("_tag" in error) && error.stack !== undefined) {
    messages.writeFailure(`${error.stack}\n`)
  }
  return 1
}

const main = async (argv: ReadonlyArray<string>): Promise<void> => {
  if (argv[0] === "server") {
    NodeRuntime.runMain(server(argv.slice(1)), {
      disableErrorReporting: true,
      teardown: (exit, onExit) => onExit(exitCode(exit))
    })
    return
  }
  // bin/annals goes there directly: nothing of the server is needed.
  const cli = await import("./cli/main.ts")
  await cli.main(argv)
}

await main(process.argv.slice(2))
