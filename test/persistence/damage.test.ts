/** Damaged, missing, foreign and untimely checkpoints: each is refused and reported, and the data is had another way. */
import { describe, expect, it } from "vitest"
import { CheckpointUnusable } from "../../src/log/checkpoint-file.ts"
import { CheckpointReader } from "../../src/log/checkpoint-reader.ts"
import type { Disk } from "../../src/log/disk.ts"
import { LogCorrupt } from "../../src/log/errors.ts"
import { openLog } from "../../src/log/store.ts"
import { hashKey, StartUp } from "../../src/persistence/start-up.ts"
import { CheckpointLoad } from "../../src/projections/checkpoint-load.ts"
import { stateDigest } from "../../src/projections/digest.ts"
import { Keyspace } from "../../src/projections/keyspace.ts"
import { CheckpointWorld } from "../support/checkpoint-world.ts"
import { framesOf } from "../support/frames.ts"
import { FakeClock, logOptions } from "../support/log-writer.ts"
import { forSeeds, Random } from "../support/random.ts"
import { SimDisk } from "../support/sim-disk.ts"

const options = logOptions({ policy: "no", segmentBytes: 4096 })

/** What a start on this disk comes to. */
const start = (disk: Disk) => {
  const warnings: Array<string> = []
  const log = openLog(disk, new FakeClock(), { ...options, warn: (message) => warnings.push(message) })
  try {
    const store = log.checkpoints
    const keyspace = new Keyspace(4, hashKey(store, () => ({ k0: 5, k1: 6 })))
    const startUp = new StartUp({ keyspace, log, store, warn: (message) => warnings.push(message) })
    startUp.run()
    return {
      digest: stateDigest(keyspace),
      used: startUp.checkpoint?.sequence,
      sequence: startUp.replayed.sequence,
      warnings,
      left: store.list().map(({ sequence }) => sequence)
    }
  } finally {
    log.abandon()
  }
}

/** A store with two checkpoints and log after them, closed. */
const sample = (random: Random, requests = 120) => {
  const world = new CheckpointWorld(random, new SimDisk(), options)
  world.work(requests)
  const older = world.checkpoint()
  world.work(requests)
  const newer = world.checkpoint()
  world.work(requests)
  world.log.close()
  const disk = world.disk as SimDisk
  const nameOf = (sequence: number): string => `checkpoints/${String(sequence).padStart(20, "0")}.evs`
  return {
    disk: disk.settled(),
    older: older.sequence,
    newer: newer.sequence,
    last: world.log.sequence(),
    digest: stateDigest(world.keyspace),
    olderName: nameOf(older.sequence),
    newerName: nameOf(newer.sequence)
  }
}

/** Loads bytes as a checkpoint file; the reason why they are refused, or undefined. */
const refusal = (bytes: Uint8Array): string | undefined => {
  const disk = new SimDisk()
  disk.put("checkpoints/x.evs", bytes)
  let reader: CheckpointReader | undefined
  try {
    reader = new CheckpointReader(disk, "x.evs")
    const load = new CheckpointLoad(new Keyspace(4, reader.header.hashSeed), reader)
    while (!load.slice());
    return undefined
  } catch (error) {
    if (!(error instanceof CheckpointUnusable)) throw error
    return error.message
  } finally {
    reader?.close()
  }
}

describe("a damaged checkpoint", () => {
  it("is refused whichever bit is flipped and wherever it is cut", () => {
    let flips = 0
    forSeeds(4, (random) => {
      const { disk, newerName } = sample(random, 25)
      const bytes = disk.bytes(newerName)
      expect(refusal(bytes)).toBeUndefined()
      // Every bit of the header, of the first frame's header and of the end record; elsewhere any.
      const flip = (position: number, bit: number): void => {
        bytes[position]! ^= 1 << bit
        flips++
        if (refusal(bytes) === undefined) throw new Error(`bit ${bit} of byte ${position} flipped, and it was loaded`)
        bytes[position]! ^= 1 << bit
      }
      for (let position = 0; position < bytes.length; position++) {
        if (position > 168 && position < bytes.length - 120) continue
        for (let bit = 0; bit < 8; bit++) flip(position, bit)
      }
      for (let i = 0; i < 400; i++) flip(random.below(bytes.length), random.below(8))
      for (let i = 0; i < 250; i++) {
        const length = random.below(bytes.length)
        if (refusal(bytes.slice(0, length)) === undefined) throw new Error(`cut at ${length}, and it was loaded`)
      }
      expect(refusal(Buffer.concat([bytes, new Uint8Array(8)]))).toContain("bytes after its end")
    })
    expect(flips).toBeGreaterThan(10_000)
  })

  it("is refused when frames are missing, doubled or in another order", () => {
    const world = new CheckpointWorld(new Random(4), new SimDisk(), { segmentBytes: 1 << 20 })
    for (let i = 0; i < 60; i++) world.run("SET", `key:${i}`, `${i}`.repeat(5000))
    world.log.commit()
    const { sequence } = world.checkpoint()
    const bytes = (world.disk as SimDisk).bytes(`checkpoints/${String(sequence).padStart(20, "0")}.evs`)
    const header = bytes.slice(0, 128)
    const frames = framesOf(bytes).map(({ length, position }) => bytes.slice(position, position + length))
    const end = frames.pop()!
    expect(frames.length).toBeGreaterThan(2)
    expect(refusal(Buffer.concat([header, ...frames, end]))).toBeUndefined()
    for (let i = 0; i < frames.length; i++) {
      expect(refusal(Buffer.concat([header, ...frames.toSpliced(i, 1), end]))).toContain("frames where")
      expect(refusal(Buffer.concat([header, ...frames.toSpliced(i, 0, frames[i]!), end]))).toContain("frames where")
      const other = (i + 1) % frames.length
      const swapped = frames.with(i, frames[other]!).with(other, frames[i]!)
      expect(refusal(Buffer.concat([header, ...swapped, end]))).toContain("SHA-256")
      expect(refusal(Buffer.concat([header, ...frames.with(i, frames[other]!), end]))).toContain("SHA-256")
    }
    expect(refusal(Buffer.concat([header, ...frames]))).toContain("before its end record")
    expect(refusal(Buffer.concat([header, end]))).toContain("frames where")
  })

  it("makes a start use the one before and a longer replay, says so, and is put aside", () => {
    forSeeds(40, (random) => {
      const { digest, disk, last, newer, newerName, older, olderName } = sample(random)
      expect(start(disk)).toMatchObject({ digest, used: newer, sequence: last, warnings: [], left: [older, newer] })
      const damage = (name: string): void => {
        const bytes = disk.bytes(name)
        if (random.chance(0.3)) disk.put(name, bytes.slice(0, random.below(bytes.length)))
        else disk.flip(name, random.below(bytes.length), random.below(8))
      }
      damage(newerName)
      const second = start(disk)
      expect(second).toMatchObject({ digest, used: older, sequence: last, left: [older] })
      expect(second.warnings.join()).toMatch(/cannot be used|passed over/)
      damage(olderName)
      expect(start(disk)).toMatchObject({ digest, used: undefined, sequence: last, left: [] })
      expect(start(disk)).toMatchObject({ digest, warnings: [] })
    })
  })
})

describe("a start", () => {
  it("does without checkpoints that are missing, whatever the manifest says", () => {
    const { digest, disk, newerName, older, olderName } = sample(new Random(2))
    disk.remove(newerName)
    const first = start(disk)
    expect(first).toMatchObject({ digest, used: older, left: [older] })
    expect(first.warnings.join()).toContain("of the manifest is missing")
    disk.remove(olderName)
    expect(start(disk)).toMatchObject({ digest, used: undefined, left: [] })
  })

  it("finds checkpoints that no manifest names", () => {
    const { digest, disk, newer, older } = sample(new Random(3))
    disk.remove("MANIFEST")
    disk.remove("MANIFEST.prev")
    expect(start(disk)).toMatchObject({ digest, used: newer, left: [older, newer] })
  })

  it("refuses a checkpoint of another store and one that is ahead of the log", () => {
    const { digest, disk, newer, newerName, older } = sample(new Random(4))
    const foreign = sample(new Random(5))
    disk.put("checkpoints/00000000000000009999.evs", foreign.disk.bytes(foreign.newerName))
    const misnamed = start(disk)
    expect(misnamed).toMatchObject({ digest, used: newer, left: [older, newer] })
    expect(misnamed.warnings.join()).toMatch(/ahead of the log|says that it is of sequence/)
    const other = new SimDisk()
    const short = new CheckpointWorld(new Random(4), other, options)
    short.work(5)
    short.log.close()
    other.put(newerName, disk.bytes(newerName))
    const ahead = start(other)
    expect(ahead).toMatchObject({ digest: stateDigest(short.keyspace), used: undefined })
    expect(ahead.warnings.join()).toContain("ahead of the log")
  })

  it("ends with exit code 3 and a clear text when neither checkpoint nor log reaches back to the beginning", () => {
    const { digest, disk, newer, newerName, older, olderName } = sample(new Random(6), 400)
    // Retention drops what the older checkpoint covers.
    const clock = new FakeClock()
    const log = openLog(disk, clock, options)
    expect(log.upkeep.retain({ by: "sequences", count: 1 }, older, clock.now()).length).toBeGreaterThan(0)
    for (let i = 0; i < 10; i++) {
      clock.advance(100)
      log.tick()
      disk.runPending()
    }
    log.close()
    expect(log.status().oldestSequence).toBeGreaterThan(1)
    expect(start(disk)).toMatchObject({ digest, used: newer })
    disk.flip(newerName, 200, 3)
    const untouched = disk.settled()
    expect(start(disk)).toMatchObject({ digest, used: older })
    untouched.flip(olderName, 300, 1)
    const files = untouched.files()
    let refused: unknown
    try {
      start(untouched)
    } catch (error) {
      refused = error
    }
    expect(refused).toBeInstanceOf(LogCorrupt)
    expect((refused as LogCorrupt).exitCode).toBe(3)
    expect((refused as LogCorrupt).message).toMatch(
      new RegExp(`no checkpoint covers what came before.*of ${newer}: .*checksum.*of ${older}: .*checksum`, "s")
    )
    // Nothing was changed: both files are where they were.
    expect(untouched.files().filter((name) => name.startsWith("checkpoints/"))).toEqual(
      files.filter((name) => name.startsWith("checkpoints/"))
    )
  })
})
