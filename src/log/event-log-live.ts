/** The log over segment files, as a layer: opened with the scope, ticking in a fiber, closed with the scope. */
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Schedule from "effect/Schedule"
import { CheckpointStore } from "./checkpoint-store.ts"
import type { Disk } from "./disk.ts"
import { DiskError } from "./disk.ts"
import { LogCorrupt, LogFormatTooNew, LogLocked } from "./errors.ts"
import { EventLog } from "./event-log.ts"
import { LogReplication } from "./mirror.ts"
import { type LogOptions, openLog, type Recovery } from "./store.ts"
import { LogUpkeep } from "./upkeep-live.ts"

/** What the layer is told; made from the configuration. */
export class LogSettings extends Context.Service<LogSettings, {
  readonly disk: Disk
  readonly options: Omit<LogOptions, "warn">
  /** Ends the process at once: an fsync failed and no reply that depends on it may leave. */
  readonly die: (error: unknown) => void
}>()("annals/log/LogSettings") {}

/** What opening found; for the line an operator reads at start-up. */
export class LogRecovery extends Context.Service<LogRecovery, Recovery>()("annals/log/LogRecovery") {}

const expected = (cause: unknown): LogCorrupt | LogFormatTooNew | LogLocked | DiskError => {
  if (
    cause instanceof LogCorrupt || cause instanceof LogFormatTooNew || cause instanceof LogLocked
    || cause instanceof DiskError
  ) return cause
  throw cause
}

const make = Effect.gen(function*() {
  const { die, disk, options } = yield* LogSettings
  const clock = yield* Clock.Clock
  const context = yield* Effect.context<never>()
  const warn = (message: string): void => void Effect.runForkWith(context)(Effect.logWarning(message))
  const log = yield* Effect.acquireRelease(
    Effect.try({
      try: () =>
        openLog(disk, {
          now: () => clock.currentTimeMillisUnsafe(),
          monotonic: () => Number(clock.monotonicTimeNanosUnsafe()) / 1e6
        }, { ...options, warn }),
      catch: expected
    }),
    (opened) => Effect.sync(() => opened.close())
  )
  log.onFatal(die)
  // A fiber that merely fails tells nobody: a log that no longer syncs must not go on acknowledging.
  const tick = Effect.sync(() => {
    try {
      log.tick()
    } catch (error) {
      die(error)
    }
  })
  yield* tick.pipe(Effect.repeat(Schedule.spaced("50 millis")), Effect.forkScoped)
  return Context.make(EventLog, EventLog.of(log)).pipe(
    Context.add(LogRecovery, log.recovery),
    Context.add(CheckpointStore, log.checkpoints),
    Context.add(LogUpkeep, log.upkeep),
    Context.add(LogReplication, log.mirror)
  )
})

/** Opens the log of a data directory; fails with `LogCorrupt`, `LogFormatTooNew`, `LogLocked` or `DiskError`. */
export const layer = Layer.effectContext(make)
