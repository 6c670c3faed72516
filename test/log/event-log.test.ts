import { describe, expect, it } from "@effect/vitest"
import { Effect, Exit, Layer, Scope } from "effect"
import { TestClock } from "effect/testing"
import { LogLocked } from "../../src/log/errors.ts"
import * as EventLogLive from "../../src/log/event-log-live.ts"
import { EventLog } from "../../src/log/event-log.ts"
import type { SyncPolicy } from "../../src/log/store.ts"
import { Slice } from "../../src/projections/memory/slice.ts"
import { FakeClock, linesOf, logOptions, outcomeOf } from "../support/log-writer.ts"
import { SimDisk } from "../support/sim-disk.ts"

/** The layer: opened and closed with its scope, its fiber keeping time. */

const start = (disk: SimDisk, policy: SyncPolicy = "everysec") => {
  const fatal: Array<unknown> = []
  const settings = Layer.succeed(EventLogLive.LogSettings, {
    disk,
    options: logOptions({ policy }),
    die: (error) => void fatal.push(error)
  })
  return { fatal, layer: EventLogLive.layer.pipe(Layer.provide(settings)) }
}

const put = (log: EventLog["Service"], key: string): void => {
  log.append(1000, 0, "client", 1, undefined, [{ _tag: "KeyDeleted", key: Slice.latin1(key) }], 1)
  log.commit()
}

describe("EventLog as a layer", () => {
  it.effect("is sealed and unlocked when its scope closes", () =>
    Effect.gen(function*() {
      const disk = new SimDisk()
      const scope = yield* Scope.make()
      const context = yield* Layer.build(start(disk).layer).pipe(Scope.provide(scope))
      const log = yield* Effect.provide(EventLog, context)
      put(log, "a")
      expect(linesOf(log).length).toBe(1)
      const second = yield* Effect.exit(Effect.scoped(Layer.build(start(disk).layer)))
      expect(Exit.isFailure(second) && String(second.cause)).toContain("LogLocked")
      yield* Scope.close(scope, Exit.void)
      const outcome = outcomeOf(disk, logOptions(), new FakeClock())
      expect(outcome).toMatchObject({ verdict: "clean", log: { sequence: 1, tornBytes: 0 } })
      expect(new LogLocked({ owner: "", message: "" }).exitCode).toBe(5)
    }))

  it.effect("syncs once a second, by the clock it is given", () =>
    Effect.scoped(Effect.gen(function*() {
      const disk = new SimDisk()
      const log = yield* Effect.provide(EventLog, yield* Layer.build(start(disk).layer))
      put(log, "a")
      expect(disk.pending).toBe(0)
      yield* TestClock.adjust("1100 millis")
      expect(disk.pending).toBe(1)
      expect(log.status().fsyncPending).toBe(true)
      disk.runPending()
      expect(log.status().durableLsn).toBe(log.lsn())
    })))

  it.effect("tells its owner to end when an fsync fails under always", () =>
    Effect.scoped(Effect.gen(function*() {
      const disk = new SimDisk()
      const { fatal, layer } = start(disk, "always")
      const log = yield* Effect.provide(EventLog, yield* Layer.build(layer))
      disk.fail({ operation: "fdatasync" })
      put(log, "a")
      disk.runPending()
      expect(fatal.length).toBe(1)
      expect(log.failure()).toBeDefined()
      expect(log.released()).toBeLessThan(log.lsn())
    })))

  it.effect("reports what it found", () =>
    Effect.scoped(Effect.gen(function*() {
      const recovery = yield* Effect.provide(EventLogLive.LogRecovery, yield* Layer.build(start(new SimDisk()).layer))
      expect(recovery).toMatchObject({ verdict: "new", sequence: 0, tornBytes: 0, segments: 1 })
    })))
})
