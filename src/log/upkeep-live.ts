/** Compression and retention of sealed segments as fibers beside the log. */
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Schedule from "effect/Schedule"
import type { Retention } from "../config/value-lists.ts"
import { CheckpointStore } from "./checkpoint-store.ts"
import { threadPool } from "./compression.ts"
import { DiskError } from "./disk.ts"
import type { Upkeep } from "./upkeep.ts"

/** The upkeep of the open log; the log's layer provides it. */
export class LogUpkeep extends Context.Service<LogUpkeep, Upkeep>()("annals/log/LogUpkeep") {}

/** What upkeep asks anew each time, so that CONFIG SET takes effect. */
export class UpkeepSettings extends Context.Service<UpkeepSettings, {
  /** Whether sealed segments are compressed. */
  readonly compression: () => boolean
  /** How much history is kept. */
  readonly retention: () => Retention
  /** How busy the server's own thread has been since the last call, 0 to 1. */
  readonly load: () => number
}>()("annals/log/UpkeepSettings") {}

/**
 * The newest segments stay as they are: replicas that lag a little and readers of the latest history find them without
 * unfolding, and under a burst of writes the work is put off by as much.
 */
const rawSegments = 2
/**
 * After each block the compressor rests for so many times as long as it worked: a processor that clients keep busy is
 * left to them but for a twentieth, an idle one is used. Under a load that lasts, what is to be compressed piles up.
 */
const restFactor = { idle: 1, busy: 19 }
const busyLoad = 0.3
const longestRestMs = 2000
/** A disk that failed is left alone for so long. */
const afterFailureMs = 60_000
/** Age is measured as often. */
const retentionEvery = "10 seconds"

const make = Effect.gen(function*() {
  const upkeep = yield* LogUpkeep
  const settings = yield* UpkeepSettings
  const clock = yield* Clock.Clock
  const context = yield* Effect.context<never>()
  const monotonic = (): number => Number(clock.monotonicTimeNanosUnsafe()) / 1e6
  let stopping = false
  let notBefore = -Infinity
  const compressAll = Effect.gen(function*() {
    while (!stopping && settings.compression() && monotonic() >= notBefore) {
      let began = monotonic()
      const pause = async (): Promise<boolean> => {
        const factor = settings.load() > busyLoad ? restFactor.busy : restFactor.idle
        const rest = Math.min(longestRestMs, (monotonic() - began) * factor)
        await Effect.runPromiseWith(context)(Effect.sleep(rest))
        began = monotonic()
        return !stopping && settings.compression()
      }
      // Not interruptible: it notices by itself at the next block, and cleans up.
      const done = yield* Effect.tryPromise({
        try: () => upkeep.compress(rawSegments, { ...threadPool, pause }),
        catch: (cause) => cause
      }).pipe(Effect.uninterruptible)
      if (done === undefined) return
    }
  }).pipe(Effect.catch((cause) => {
    if (!(cause instanceof DiskError)) return Effect.die(cause)
    notBefore = monotonic() + afterFailureMs
    return Effect.logWarning(`a segment could not be compressed, it stays as it is: ${cause.message}`)
  }))
  yield* compressAll.pipe(
    Effect.catchDefect((defect) => Effect.logError(`compression of segments has stopped: ${String(defect)}`)),
    Effect.repeat(Schedule.spaced("1 second")),
    Effect.forkScoped
  )
  const store = yield* CheckpointStore
  const retain = Effect.suspend(() => {
    const dropped = stopping
      ? []
      : upkeep.retain(settings.retention(), store.covered(), clock.currentTimeMillisUnsafe())
    const [first, last] = [dropped[0], dropped.at(-1)]
    if (first === undefined || last === undefined) return Effect.void
    const bytes = dropped.reduce((sum, segment) => sum + segment.bytes, 0)
    return Effect.log(
      `history-retention drops sequences ${first.first} to ${last.last}, ${bytes} bytes in ${dropped.length} segments: `
        + first.reason
    )
  })
  store.onCheckpoint(() => void Effect.runForkWith(context)(retain))
  yield* retain.pipe(Effect.repeat(Schedule.spaced(retentionEvery)), Effect.forkScoped)
  yield* Effect.addFinalizer(() => Effect.sync(() => stopping = true)) // runs before the fiber is interrupted
})

/** Looks after the sealed segments of the log for as long as the scope is open. */
export const layer = Layer.effectDiscard(make)
