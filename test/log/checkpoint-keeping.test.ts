import { describe, expect, it } from "vitest"
import { LogDirectory } from "../../src/history/log-directory.ts"
import { keyspaceAsOf } from "../../src/history/past.ts"
import { checkpointsToKeep, neededFrom } from "../../src/log/checkpoint-keeping.ts"
import { stateDigest } from "../../src/projections/digest.ts"
import { CheckpointWorld } from "../support/checkpoint-world.ts"
import { drain } from "../support/drain.ts"
import { Random } from "../support/random.ts"
import { SimDisk } from "../support/sim-disk.ts"

const start = { sequence: 1, lsn: 0 }
const made = (...lsns: ReadonlyArray<number>) => lsns.map((lsn) => ({ sequence: lsn * 10, lsn, bytes: 30 }))
const lsnsOf = (kept: ReadonlyArray<{ readonly lsn: number }>) => kept.map(({ lsn }) => lsn)

describe("checkpoints that stay", () => {
  it("are the newest two, and older ones with enough log between them", () => {
    expect(lsnsOf(checkpointsToKeep(made(10, 20), start, 50))).toEqual([10, 20])
    expect(lsnsOf(checkpointsToKeep(made(10, 60, 90, 100, 130, 140), start, 50))).toEqual([60, 130, 140])
    expect(lsnsOf(checkpointsToKeep(made(10, 60, 90, 120, 130, 140), start, 50))).toEqual([60, 120, 130, 140])
    expect(lsnsOf(checkpointsToKeep(made(10, 60, 120, 130), start, 0))).toEqual([120, 130])
  })

  it("take no more than the log", () => {
    expect(lsnsOf(checkpointsToKeep(made(10, 29, 30, 50, 60, 95, 96), start, 1))).toEqual([30, 60, 95, 96])
  })

  it("are those from which the log goes on, where its beginning was dropped", () => {
    const beginning = { sequence: 301, lsn: 30 }
    expect(lsnsOf(checkpointsToKeep(made(20, 29, 31, 40, 90, 95, 96), beginning, 50))).toEqual([31, 90, 95, 96])
  })

  it("do not keep the log from being dropped", () => {
    expect(neededFrom(made(10, 60, 120, 130))).toBe(1200)
    expect(neededFrom(made(10))).toBe(100)
    expect(neededFrom([])).toBe(0)
  })
})

describe("a log with many checkpoints", () => {
  it("has the data of any moment from the nearest of them, also after a restart", () => {
    const disk = new SimDisk()
    const world = new CheckpointWorld(new Random(12), disk, { checkpointSpacing: 8192 })
    const digests = new Map<number, string>()
    for (let i = 0; i < 14; i++) {
      world.work(60)
      digests.set(world.log.sequence(), stateDigest(world.keyspace))
      world.checkpoint()
    }
    const kept = world.log.checkpoints.list().map(({ sequence }) => sequence)
    expect(kept.length).toBeGreaterThan(3)
    expect(kept.length).toBeLessThan(10)
    const view = new LogDirectory(disk).view()
    for (const [sequence, digest] of digests) {
      expect(drain(drain(keyspaceAsOf(view, { kind: "sequence", sequence })).digest())).toBe(digest)
    }
    world.log.close()
    const again = new CheckpointWorld(new Random(12), disk, { checkpointSpacing: 8192 })
    expect(again.log.checkpoints.list().map(({ sequence }) => sequence)).toEqual(kept)
    expect(again.log.checkpoints.covered()).toBe(0)
    again.log.checkpoints.confirm(kept.at(-1)!)
    expect(again.log.checkpoints.covered()).toBe(kept.at(-2))
    again.log.close()
  })
})
