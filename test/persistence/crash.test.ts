/**
 * A checkpoint is interrupted at each call of the disk it makes, by a power cut or by an error: an older one stays
 * usable, nothing of the data is lost, what is half done is gone after the next start, and the next checkpoint succeeds.
 */
import { describe, expect, it } from "vitest"
import { openLog } from "../../src/log/store.ts"
import { CheckpointRun } from "../../src/persistence/checkpoint-run.ts"
import { hashKey, StartUp } from "../../src/persistence/start-up.ts"
import { stateDigest } from "../../src/projections/digest.ts"
import { Keyspace } from "../../src/projections/keyspace.ts"
import { replay } from "../../src/projections/replay.ts"
import { CheckpointWorld } from "../support/checkpoint-world.ts"
import { FakeClock, logOptions } from "../support/log-writer.ts"
import { forSeeds, Random } from "../support/random.ts"
import { type Operation, SimDisk } from "../support/sim-disk.ts"

const options = logOptions({ policy: "everysec", segmentBytes: 1 << 20 })

/** A store with two checkpoints, so that a third has an old one to remove. */
const prepared = (random: Random) => {
  const disk = new SimDisk()
  const world = new CheckpointWorld(random, disk, options)
  for (let i = 0; i < 2; i++) {
    world.work(60)
    world.checkpoint()
  }
  world.work(60)
  disk.runPending()
  return { disk, world }
}

/** Makes a checkpoint the way the server does, with writes in between. */
const makeOne = ({ disk, world }: ReturnType<typeof prepared>): CheckpointRun => {
  const run = new CheckpointRun({
    keyspace: world.keyspace,
    log: world.log,
    store: world.log.checkpoints,
    created: world.clock.now(),
    monotonic: () => world.clock.monotonic(),
    blocking: false
  })
  for (let i = 0; i < 10_000; i++) {
    const step = run.step()
    if (step === "done") return run
    if (step === "wait") disk.runPending()
    if (i < 3) world.work(5)
  }
  throw new Error("the checkpoint does not end")
}

/** Starts on what is left and checks it. Returns the sequences of the checkpoints there are. */
const recovered = (disk: SimDisk): ReadonlyArray<number> => {
  const warnings: Array<string> = []
  const log = openLog(disk, new FakeClock(), { ...options, warn: (message) => warnings.push(message) })
  try {
    const store = log.checkpoints
    const keyspace = new Keyspace(4, hashKey(store, () => ({ k0: 5, k1: 6 })))
    const startUp = new StartUp({ keyspace, log, store, warn: (message) => warnings.push(message) })
    startUp.run()
    const whole = new Keyspace(4, { k0: 1, k1: 2 })
    replay(whole, log.read(1))
    if (stateDigest(keyspace) !== stateDigest(whole)) throw new Error("the data is not the fold of the log")
    if (startUp.checkpoint === undefined) throw new Error("no checkpoint was used")
    const wrong = warnings.filter((warning) => !/^(torn tail|the manifest is (missing|damaged))/.test(warning))
    if (wrong.length > 0) throw new Error(wrong.join("; "))
    const left = disk.files().filter((name) => name.endsWith(".tmp"))
    if (left.length > 0) throw new Error(`left over: ${left.join()}`)
    return store.list().map(({ sequence }) => sequence)
  } finally {
    log.abandon()
  }
}

describe("a checkpoint interrupted", () => {
  it("by a power cut at any call leaves the older ones and all durable data", () => {
    let cuts = 0
    const during = new Set<string>()
    forSeeds(16, (random) => {
      const parts = prepared(random)
      const { disk, world } = parts
      const before = world.log.checkpoints.list().map(({ sequence }) => sequence)
      const durable = world.log.status().durableLsn
      const states: Array<{ readonly at: string; readonly disk: SimDisk }> = []
      disk.onOperation = (operation, name) => {
        if (name.startsWith("checkpoints") || name.startsWith("MANIFEST") || operation === "syncFolder") {
          states.push({ at: `${operation} ${name.replace(/\d+/, "N")}`, disk: disk.afterCrash(random) })
        }
      }
      const run = makeOne(parts)
      disk.onOperation = undefined
      expect(run.outcome).toMatchObject({ kind: "published" })
      states.push({ at: "after it", disk: disk.afterCrash(random) })
      for (const state of states) {
        cuts++
        during.add(state.at)
        let left: ReadonlyArray<number>
        try {
          left = recovered(state.disk)
        } catch (cause) {
          throw new Error(`${state.at}: ${(cause as Error).message}`, { cause })
        }
        // One that a start found is durable: the next start finds it too.
        expect(recovered(state.disk)).toEqual(left)
        expect(left.at(-1)).toBeGreaterThanOrEqual(before.at(-1)!)
      }
      expect(world.log.status().durableLsn).toBeGreaterThanOrEqual(durable)
      expect(recovered(disk.settled())).toEqual([before.at(-1), run.sequence])
    })
    console.log(`${cuts} power cuts during ${[...during].toSorted().join(", ")}`)
    expect(cuts).toBeGreaterThan(450)
    for (
      const step of [
        "write checkpoints/N.evs.tmp",
        "fdatasync checkpoints/N.evs.tmp",
        "rename checkpoints/N.evs.tmp",
        "syncFolder checkpoints",
        "write MANIFEST.tmp",
        "unlink checkpoints/N.evs",
        "after it"
      ]
    ) {
      expect(during).toContain(step)
    }
  })

  it("by kill -9 at any call leaves the older ones and all data", () => {
    let kills = 0
    for (let call = 1;; call++) {
      const parts = prepared(new Random(9))
      const { disk, world } = parts
      let count = 0
      disk.onOperation = (_operation, name) => {
        if (/^(checkpoints|MANIFEST)/.test(name) && ++count === call) throw new Error("killed")
      }
      try {
        makeOne(parts)
        break
      } catch (error) {
        if ((error as Error).message !== "killed") throw error
      }
      kills++
      disk.kill()
      const left = recovered(disk)
      expect(left.length).toBeGreaterThanOrEqual(2)
      const log = openLog(disk, new FakeClock(), options)
      expect(log.sequence()).toBe(world.log.sequence())
      log.abandon()
    }
    expect(kills).toBeGreaterThan(15)
  })

  it("by any failing call is reported and discarded, and the next one succeeds", () => {
    const calls: ReadonlyArray<readonly [Operation, RegExp, "fails" | "may succeed"]> = [
      ["open", /^checkpoints/, "fails"],
      ["write", /^checkpoints/, "fails"],
      ["fdatasync", /^checkpoints/, "fails"],
      ["read", /^checkpoints/, "may succeed"], // read again
      ["stat", /^checkpoints/, "fails"],
      ["rename", /^checkpoints/, "fails"],
      ["syncFolder", /^checkpoints/, "fails"],
      ["unlink", /^checkpoints/, "may succeed"], // an old one stays a little longer
      ["open", /^MANIFEST/, "may succeed"],
      ["fsync", /^MANIFEST/, "may succeed"],
      ["rename", /^MANIFEST/, "may succeed"]
    ]
    for (const [operation, file, verdict] of calls) {
      for (const code of ["EIO", "ENOSPC"]) {
        for (const nth of [1, 2]) {
          const parts = prepared(new Random(nth + 3))
          const { disk, world } = parts
          const fault = disk.fail({ operation, file, code, nth })
          let outcome: string
          try {
            outcome = makeOne(parts).outcome!.kind
          } catch (error) {
            outcome = (error as Error).name
          }
          if (verdict === "fails" && nth === 1) expect([outcome, operation]).not.toEqual(["published", operation])
          fault.heal()
          expect(recovered(disk.settled()).length).toBeGreaterThanOrEqual(2)
          world.work(20)
          expect(makeOne(parts).outcome).toMatchObject({ kind: "published" })
          expect(recovered(disk.settled()).at(-1)).toBe(world.log.checkpoints.newest())
        }
      }
    }
  })

  it("by a full disk leaves the space it took", () => {
    const parts = prepared(new Random(1))
    const { disk, world } = parts
    for (let i = 0; i < 60; i++) world.run("SET", `big:${i}`, "x".repeat(9000))
    world.log.commit()
    const used = disk.used()
    disk.capacity = used + 200_000
    expect(makeOne(parts).outcome).toMatchObject({ kind: "failed", reason: expect.stringMatching(/ENOSPC/) })
    expect(disk.files().filter((name) => name.endsWith(".tmp"))).toEqual([])
    expect(disk.used()).toBeLessThan(used + 60_000) // writes went on meanwhile
    disk.capacity = Number.POSITIVE_INFINITY
    world.clock.advance(1000)
    world.log.tick()
    expect(world.log.failure()).toBeUndefined()
    expect(makeOne(parts).outcome).toMatchObject({ kind: "published" })
  })
})
