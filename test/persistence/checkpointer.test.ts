/** When checkpoints are made, and what is told about them. */
import { describe, expect, it } from "vitest"
import { Checkpointer, type CheckpointSettings } from "../../src/persistence/checkpointer.ts"
import { StartUp } from "../../src/persistence/start-up.ts"
import { stateDigest } from "../../src/projections/digest.ts"
import { Keyspace } from "../../src/projections/keyspace.ts"
import { CheckpointWorld } from "../support/checkpoint-world.ts"
import { Random } from "../support/random.ts"
import { SimDisk } from "../support/sim-disk.ts"

const never: CheckpointSettings = { rules: [], growthPercentage: 0, growthBytes: 0 }

/** A world with a checkpointer whose steps the test takes. */
const rig = (settings: Partial<CheckpointSettings> = {}) => {
  const disk = new SimDisk()
  const world = new CheckpointWorld(new Random(3), disk, { segmentBytes: 1 << 20 })
  const reports: Array<string> = []
  const state = { settings: { ...never, ...settings }, batchOpen: false, replaced: 0, saved: [] as Array<boolean> }
  const { clock, keyspace, log } = world
  const checkpointer: Checkpointer = new Checkpointer({
    keyspace,
    log,
    store: log.checkpoints,
    now: () => clock.now(),
    monotonic: () => clock.monotonic(),
    settings: () => state.settings,
    report: (message, failed) => reports.push(`${failed ? "! " : ""}${message}`),
    startedAt: clock.now(),
    batchOpen: () => state.batchOpen,
    replaced: () => state.replaced++,
    settled: () => state.saved.push(checkpointer.saved)
  })
  /** Steps until nothing is left to do. */
  const settle = (): void => {
    for (let waits = 0; waits < 20;) {
      if (checkpointer.step() === "again") waits = 0
      else waits++
      disk.runPending()
    }
  }
  const sequences = (): ReadonlyArray<number> => log.checkpoints.list().map(({ sequence }) => sequence)
  return { checkpointer, clock, disk, keyspace, log, reports, sequences, settle, state, world }
}

describe("the checkpointer", () => {
  it("makes one when it is asked to, and tells so", () => {
    const { checkpointer, log, reports, sequences, settle, world } = rig()
    world.work(100)
    settle()
    expect(sequences()).toEqual([])
    expect(checkpointer.backgroundSave(false)).toBe("started")
    expect(checkpointer.backgroundSave(true)).toBe("running")
    expect(checkpointer.save()).toBe("Background save already in progress")
    expect(checkpointer.status().save.inProgress).toBe(true)
    const asked = log.sequence()
    expect(checkpointer.status().changesSinceLastSave).toBe(asked)
    settle()
    expect(sequences()).toEqual([asked])
    expect(checkpointer.status()).toMatchObject({
      changesSinceLastSave: 0,
      save: { inProgress: false, ok: true, lastSeconds: 0, currentSeconds: -1, count: 1 },
      rewrite: { inProgress: false, count: 0, lastSeconds: -1 }
    })
    expect(reports.join()).toMatch(/^checkpoint of sequence \d+ \(requested\): \d+ keys/)
    world.work(10)
    expect(checkpointer.rewrite()).toBe("started")
    settle()
    expect(checkpointer.status()).toMatchObject({ save: { count: 1 }, rewrite: { count: 1, lastSeconds: 0 } })
  })

  it("makes one at a time, the other kind after it", () => {
    const { checkpointer, sequences, settle, world } = rig()
    world.work(100)
    checkpointer.rewrite()
    checkpointer.step()
    expect(checkpointer.status().rewrite.inProgress).toBe(true)
    expect(checkpointer.rewrite()).toBe("running")
    expect(checkpointer.backgroundSave(false)).toBe("other")
    expect(checkpointer.backgroundSave(true)).toBe("scheduled")
    world.work(10)
    settle()
    expect(sequences().length).toBe(2)
    expect(checkpointer.status()).toMatchObject({ save: { count: 1 }, rewrite: { count: 1, scheduled: false } })
    checkpointer.backgroundSave(false)
    checkpointer.step()
    expect(checkpointer.rewrite()).toBe("scheduled")
    expect(checkpointer.status().rewrite.scheduled).toBe(true)
    settle()
    expect(checkpointer.status()).toMatchObject({ save: { count: 2 }, rewrite: { count: 2 } })
  })

  it("gives one up, and the next is exact all the same", () => {
    const { checkpointer, disk, keyspace, reports, sequences, settle, world } = rig()
    world.work(200)
    expect(checkpointer.cancel()).toBe("none")
    checkpointer.backgroundSave(false)
    expect(checkpointer.cancel()).toBe("unscheduled")
    checkpointer.backgroundSave(false)
    checkpointer.step()
    expect(checkpointer.cancel()).toBe("cancelled")
    expect(reports.at(-1)).toMatch(/was cancelled/)
    expect(disk.files().filter((name) => name.endsWith(".tmp"))).toEqual([])
    world.work(20)
    settle()
    expect(sequences()).toEqual([])
    expect(checkpointer.status().save).toMatchObject({ ok: true, count: 0 })
    expect(checkpointer.save()).toBeUndefined()
    expect(stateDigest(world.load(sequences()[0]!))).toBe(stateDigest(keyspace))
  })

  it("obeys the save rules, counted from the last one or the start", () => {
    const { checkpointer, clock, log, sequences, settle, world } = rig({
      rules: [{ seconds: 60, changes: 5 }, { seconds: 300, changes: 1 }]
    })
    for (let i = 0; i < 4; i++) world.run("SET", "k", `${i}`)
    log.commit()
    clock.advance(299_000)
    settle()
    expect(sequences()).toEqual([])
    clock.advance(1000)
    settle()
    expect(sequences()).toEqual([4])
    for (let i = 0; i < 5; i++) world.run("SET", "k", `${i}`)
    log.commit()
    clock.advance(59_000)
    settle()
    expect(sequences()).toEqual([4])
    clock.advance(1000)
    settle()
    expect(sequences()).toEqual([4, 9])
    clock.advance(1_000_000)
    settle()
    expect(checkpointer.status().save.count).toBe(2)
  })

  it("makes one when the log has grown, in proportion to the last one", () => {
    const { checkpointer, log, sequences, settle, world } = rig({ growthPercentage: 100, growthBytes: 2000 })
    const write = (bytes: number): void => {
      world.run("SET", `key:${log.sequence()}`, "x".repeat(bytes))
      log.commit()
      settle()
    }
    write(1000)
    expect(sequences()).toEqual([])
    write(1000)
    expect(sequences()).toEqual([2])
    write(10_000)
    expect(sequences()).toEqual([2, 3])
    write(5000)
    expect(sequences()).toEqual([2, 3]) // less than the last one is large
    write(8000)
    expect(sequences()).toEqual([3, 5])
    expect(checkpointer.status()).toMatchObject({ save: { count: 0 }, rewrite: { count: 3 } })
  })

  it("reports a failure, keeps the older one and tries again after a while", () => {
    const { checkpointer, clock, disk, reports, sequences, settle, world } = rig({
      rules: [{ seconds: 1, changes: 1 }]
    })
    world.work(50)
    clock.advance(2000)
    settle()
    const [first] = sequences()
    world.work(50)
    const fault = disk.fail({ operation: "write", file: /^checkpoints/, times: Infinity, code: "ENOSPC" })
    clock.advance(2000)
    settle()
    expect(sequences()).toEqual([first])
    expect(checkpointer.status().save).toMatchObject({ ok: false, count: 1 })
    expect(reports.at(-1)).toMatch(/^! a checkpoint failed, the one before stays: .*ENOSPC/)
    expect(checkpointer.save()).toMatch(/ENOSPC/)
    expect(checkpointer.beforeShutdown(true)).toBe(false)
    const told = reports.length
    settle()
    expect(reports.length).toBe(told)
    fault.heal()
    clock.advance(5000)
    settle()
    expect(sequences().length).toBe(2)
    expect(checkpointer.status().save).toMatchObject({ ok: true, count: 2 })
  })

  it("makes a last one when the server ends, if there are rules or it is told to", () => {
    for (
      const [rules, told, expected] of [[1, undefined, 1], [0, undefined, 0], [0, true, 1], [1, false, 0]] as const
    ) {
      const { checkpointer, log, sequences, world } = rig({
        rules: rules === 1 ? [{ seconds: 3600, changes: 1 }] : []
      })
      world.work(30)
      expect(checkpointer.beforeShutdown(told)).toBe(true)
      checkpointer.close()
      expect(sequences().length, `${rules} rules, SAVE ${told}`).toBe(expected)
      if (expected === 1) expect(sequences()).toEqual([log.sequence()])
    }
    // A signal: nobody asked before.
    const { checkpointer, sequences, world } = rig({ rules: [{ seconds: 3600, changes: 1 }] })
    world.work(30)
    checkpointer.backgroundSave(false)
    checkpointer.step()
    checkpointer.close()
    expect(sequences().length).toBe(1)
  })

  it("reloads what it saved, but not inside a transaction", () => {
    const { checkpointer, keyspace, log, sequences, settle, state, world } = rig()
    world.work(200)
    checkpointer.rewrite()
    checkpointer.step()
    const before = stateDigest(keyspace)
    state.batchOpen = true
    expect(checkpointer.reload(true)).toMatch(/inside a transaction/)
    state.batchOpen = false
    expect(checkpointer.reload(true)).toBeUndefined()
    expect(stateDigest(keyspace)).toBe(before)
    expect(state.replaced).toBe(1)
    expect(checkpointer.status().keysLoaded).toBeGreaterThan(10)
    world.work(50)
    const live = stateDigest(keyspace)
    expect(checkpointer.reload(false)).toBeUndefined()
    expect(stateDigest(keyspace)).toBe(live)
    settle()
    expect(checkpointer.save()).toBeUndefined()
    expect(stateDigest(world.load(log.sequence()))).toBe(live)
    expect(sequences().at(-1)).toBe(log.sequence())
  })

  it("shows how far loading is, and makes nothing meanwhile", () => {
    const { checkpointer, keyspace, log, settle, world } = rig({ rules: [{ seconds: 1, changes: 1 }] })
    for (let i = 0; i < 3000; i++) world.run("SET", `key:${i}`, "x".repeat(1000))
    log.commit()
    world.checkpoint()
    for (let i = 0; i < 30_000; i++) world.run("SET", `key:${i % 3000}`, "y")
    log.commit()
    const startUp = new StartUp({
      keyspace: new Keyspace(4, { k0: 1, k1: 2 }),
      log,
      store: log.checkpoints,
      warn: () => {}
    })
    checkpointer.beginLoading(startUp)
    const seen: Array<number> = []
    for (let done = false; !done;) {
      done = startUp.slice()
      const { loading } = checkpointer.status()
      expect(loading!.totalBytes).toBeGreaterThan(3_000_000)
      seen.push(loading!.loadedBytes / loading!.totalBytes)
      expect(checkpointer.step()).toBe("wait")
    }
    expect(seen.length).toBeGreaterThan(3)
    expect(seen).toEqual(seen.toSorted((a, b) => a - b))
    expect(seen.at(-1)).toBe(1)
    checkpointer.endLoading()
    expect(checkpointer.status()).toMatchObject({ loading: undefined, keysLoaded: 3000 })
    settle()
    expect(keyspace.database(0).size).toBe(3000)
  })
})
