import { describe, expect, it } from "vitest"
import { openLog } from "../../src/log/store.ts"
import { StartUp } from "../../src/persistence/start-up.ts"
import { stateDigest } from "../../src/projections/digest.ts"
import { Keyspace } from "../../src/projections/keyspace.ts"
import { CheckpointWorld } from "../support/checkpoint-world.ts"
import { compressAll } from "../support/compressing.ts"
import { FakeClock, logOptions } from "../support/log-writer.ts"
import { Random, scaled } from "../support/random.ts"
import { SimDisk } from "../support/sim-disk.ts"
import { Desk, fingerprint } from "./world.ts"

/** The digest of what a server holds that was started on a disk, and what it said. */
const served = (
  disk: SimDisk
): { readonly digest: string; readonly sequence: number; readonly warnings: Array<string> } => {
  const warnings: Array<string> = []
  const warn = (message: string): void => void warnings.push(message)
  const log = openLog(disk, new FakeClock(), { ...logOptions({ policy: "no" }), warn })
  const keyspace = new Keyspace(16, { k0: 1, k1: 2 })
  new StartUp({ keyspace, log, store: log.checkpoints, warn }).run()
  const sequence = log.sequence()
  log.abandon()
  return { digest: stateDigest(keyspace), sequence, warnings }
}

/** A log of a random workload with the digest after every request; segments are compressed and checkpoints made meanwhile. */
const workload = async (seed: number, requests: number) => {
  const disk = new SimDisk()
  disk.immediate = true
  const world = new CheckpointWorld(new Random(seed), disk, {
    segmentBytes: 8192,
    chainInterval: { ms: 400, bytes: 3000 }
  })
  const digests = new Map<number, string>([[0, stateDigest(world.keyspace)]])
  const times = new Map<number, number>()
  for (let i = 0; i < requests; i++) {
    const before = world.log.sequence()
    world.work(1)
    world.log.tick()
    const sequence = world.log.sequence()
    if (sequence > before) {
      digests.set(sequence, stateDigest(world.keyspace))
      times.set(sequence, world.log.status().time)
    }
    if (i % 400 === 399) world.checkpoint()
    if (i % 300 === 299) await compressAll(world.log)
  }
  return { world, disk, digests, times }
}

describe("annals restore", () => {
  it("makes a directory whose server holds what was there, at any sequence of a random workload", async () => {
    const { digests, disk, times, world } = await workload(7, 1500)
    const desk = new Desk()
    desk.now = world.clock.now()
    desk.disks.set("data", disk)
    const before = fingerprint(disk)
    const random = new Random(11)
    const all = [...digests.keys()]
    const chosen = new Set([0, 1, all.at(-1)!, ...Array.from({ length: scaled(110) }, () => random.pick(all))])
    let number = 0
    for (const sequence of chosen) {
      const out = `out-${number++}`
      const { code, err } = await desk.run(`restore --dir data --to ${sequence} --out ${out}`)
      expect(`${err} ${code}`, `sequence ${sequence}`).toBe(" 0")
      const target = desk.disks.get(out)!
      expect((await desk.run(`verify --dir ${out} --folds`)).code, `sequence ${sequence}`).toBe(0)
      expect(served(target), `sequence ${sequence}`).toEqual({ digest: digests.get(sequence), sequence, warnings: [] })
      desk.disks.delete(out)
    }
    // A moment is the last batch at or before it.
    const [sequence, time] = [...times].at(700)!
    const last = Math.max(...[...times].filter(([, other]) => other === time).map(([other]) => other), sequence)
    await desk.run(`restore --dir data --to @${time} --out by-time`)
    expect(served(desk.disks.get("by-time")!).digest).toBe(digests.get(last))
    expect(fingerprint(disk)).toBe(before)
  })
})
