/** Loading and checkpoints as parts of a running server: fibers that go on in slices, between which clients are served. */
import * as Cause from "effect/Cause"
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { Executor } from "../commands/executor/service.ts"
import { ServerConfig } from "../config/config.ts"
import { CheckpointStore } from "../log/checkpoint-store.ts"
import { DiskError } from "../log/disk.ts"
import { LogCorrupt, LogFormatTooNew } from "../log/errors.ts"
import { EventLog } from "../log/event-log.ts"
import { Checkpointer } from "./checkpointer.ts"
import { StartUp } from "./start-up.ts"

/** The server's checkpointer. */
export class Checkpoints extends Context.Service<Checkpoints, Checkpointer>()("annals/persistence/Checkpoints") {}

/** How long it sleeps while a checkpoint waits for the disk, and while there is nothing to do. */
const waitMs = 2
const idleMs = 20

const make = Effect.gen(function*() {
  const config = yield* ServerConfig
  const executor = yield* Executor
  const log = yield* EventLog
  const store = yield* CheckpointStore
  const clock = yield* Clock.Clock
  const context = yield* Effect.context<never>()
  const now = () => clock.currentTimeMillisUnsafe()
  const settled = (): void => {
    executor.saveFailed = !checkpointer.saved && config.get("save").length > 0
      && config.get("stop-writes-on-bgsave-error")
  }
  const checkpointer: Checkpointer = yield* Effect.acquireRelease(
    Effect.sync(() =>
      new Checkpointer({
        keyspace: executor.keyspace,
        log,
        store,
        now,
        monotonic: () => Number(clock.monotonicTimeNanosUnsafe()) / 1e6,
        startedAt: now(),
        batchOpen: () => executor.transactions.running,
        settled,
        replaced: () => {
          executor.transactions.watches.emptiedAll(executor.view.now)
          executor.tracking.flushed()
        },
        settings: () => ({
          rules: config.get("save"),
          growthPercentage: config.get("auto-aof-rewrite-percentage"),
          growthBytes: config.get("auto-aof-rewrite-min-size")
        }),
        report: (message, failed) =>
          void Effect.runForkWith(context)(failed ? Effect.logWarning(message) : Effect.log(message))
      })
    ),
    // The network is closed by now, the log is not.
    (checkpointer) => Effect.sync(() => checkpointer.close())
  )
  config.onChange(settled)
  return checkpointer
})

/** Needs the executor's keyspace and the log; makes the last checkpoint, if one is due, when the scope closes. */
export const layer = Layer.effect(Checkpoints, make)

const expected = (cause: unknown): LogCorrupt | LogFormatTooNew | DiskError => {
  if (cause instanceof LogCorrupt || cause instanceof LogFormatTooNew || cause instanceof DiskError) return cause
  throw cause
}

/**
 * Loads the data while the server answers that it does; afterwards commands run. Fails with `LogCorrupt` when it cannot
 * be had. Returns what was loaded.
 */
export const load = Effect.gen(function*() {
  const executor = yield* Executor
  const log = yield* EventLog
  const store = yield* CheckpointStore
  const checkpointer = yield* Checkpoints
  const clock = yield* Clock.Clock
  const context = yield* Effect.context<never>()
  const began = clock.monotonicTimeNanosUnsafe()
  const { keyspace } = executor
  const startUp = new StartUp({
    keyspace,
    log,
    store,
    warn: (message) => void Effect.runForkWith(context)(Effect.logWarning(message))
  })
  checkpointer.beginLoading(startUp)
  yield* Effect.try({ try: () => startUp.slice(), catch: expected }).pipe(
    Effect.tap((done) => done ? Effect.void : Effect.yieldNow),
    Effect.repeat({ until: (done) => done }),
    Effect.onInterrupt(() => Effect.sync(() => startUp.stop()))
  )
  const seconds = Number(clock.monotonicTimeNanosUnsafe() - began) / 1e9
  const { checkpoint, replayed } = startUp
  const keys = keyspace.databases.reduce((sum, database) => sum + database.size, 0)
  yield* Effect.log(
    `recovered to sequence ${replayed.sequence}: `
      + (checkpoint === undefined ? "" : `${startUp.keysLoaded} keys from the checkpoint of ${checkpoint.sequence}, `)
      + `${replayed.events} events folded in ${seconds.toFixed(2)} s, ${keys} keys`
  )
  checkpointer.endLoading()
  executor.loading = false
})

/** Makes checkpoints as they are asked for or become due, for ever. A defect ends the process: nobody would notice. */
export const run = Effect.gen(function*() {
  const checkpointer = yield* Checkpoints
  const step = Effect.suspend(() =>
    checkpointer.step() === "again"
      ? Effect.yieldNow
      : Effect.sleep(checkpointer.busy ? waitMs : idleMs)
  )
  yield* Effect.forever(step).pipe(
    Effect.onError((cause) =>
      Effect.sync(() => {
        if (Cause.hasInterruptsOnly(cause)) return
        queueMicrotask(() => {
          throw Cause.squash(cause)
        })
      })
    )
  )
})
