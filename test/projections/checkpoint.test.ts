/** Checkpoints are exact at one sequence whatever happens while they are made. */
import { describe, expect, it } from "vitest"
import { CheckpointWalk } from "../../src/projections/checkpoint.ts"
import { digest, stateDigest } from "../../src/projections/digest.ts"
import * as Entry from "../../src/projections/entry.ts"
import { Keyspace } from "../../src/projections/keyspace.ts"
import { Slice } from "../../src/projections/memory/slice.ts"
import { replay } from "../../src/projections/replay.ts"
import { setString } from "../../src/projections/string.ts"
import { CheckpointWorld } from "../support/checkpoint-world.ts"
import { forSeeds, Random } from "../support/random.ts"
import { SimDisk } from "../support/sim-disk.ts"

/** Every entry carries the mark of its database and none has a saver: nothing of a checkpoint is left behind. */
const expectSettled = (keyspace: Keyspace): void => {
  for (const database of keyspace.databases) {
    expect(database.saver).toBeUndefined()
    expect(database.mark).toBe(keyspace.mark)
    for (let position = 0; position >= 0;) {
      position = database.dict.walk(position, (p) => {
        if (Entry.markOf(database.arena, p) !== keyspace.mark) throw new Error("an entry was left unmarked")
      })
    }
  }
}

/**
 * Encoding (of collections the type: one that is loaded is as small as it can be) and access clock of every key; reads
 * move the clocks, so they may be left out.
 */
const detailsOf = (keyspace: Keyspace, clocks = true): ReadonlyArray<string> =>
  keyspace.databases.flatMap((database, number) => {
    const found: Array<string> = []
    for (let position = 0; position >= 0;) {
      position = database.dict.walk(position, (p) => {
        const type = Entry.typeOf(database.arena, p)
        const encoding = type === Entry.Type.string
          ? Entry.encodings[Entry.encodingOf(database.arena, p)]
          : Entry.types[type]
        const clock = clocks ? Entry.clockOf(database.arena, p) : ""
        found.push(`${number} ${Entry.keyOf(database.arena, p).latin1()} ${encoding} ${clock}`)
      })
    }
    return found.toSorted()
  })

describe("a checkpoint", () => {
  it("holds the data of its sequence, and with the log after it gives the live data", () => {
    let checkpoints = 0
    let savedBefore = 0
    forSeeds(12, (random) => {
      const disk = new SimDisk()
      const world = new CheckpointWorld(random, disk)
      for (let round = 0; round < 12; round++) {
        world.work(random.below(120))
        const details = detailsOf(world.keyspace, false)
        const running = world.begin(random.chance(0.3))
        // Slices too small for the data at once, with writes in between.
        while (!running.walk.slice(1, random.pick([1, 200, 5000]))) {
          world.work(random.pick([0, 1, 5, 30]))
          if (random.chance(0.3)) disk.runPending()
        }
        disk.runPending()
        expectSettled(world.keyspace)
        const info = world.publish(running)
        checkpoints++
        savedBefore += running.walk.savedBefore
        world.work(random.below(40))
        const loaded = world.load(info.sequence, random.chance(0.5))
        expect(stateDigest(loaded)).toBe(running.digest)
        expect(detailsOf(loaded, false)).toEqual(details)
        replay(loaded, world.log.read(info.sequence + 1))
        expect(stateDigest(loaded)).toBe(stateDigest(world.keyspace))
        const whole = new Keyspace(4, { k0: 1, k1: 2 })
        replay(whole, world.log.read(1))
        expect(stateDigest(whole)).toBe(stateDigest(world.keyspace))
      }
      expect(world.log.checkpoints.list().length).toBe(2)
    })
    expect(checkpoints).toBe(144)
    expect(savedBefore).toBeGreaterThan(300)
  })

  it("keeps databases that are emptied, swapped or refilled while it is made", () => {
    const world = new CheckpointWorld(new Random(1), new SimDisk())
    for (let i = 0; i < 3000; i++) world.run("SET", `key:${i}`, `value ${i}`, ...i % 3 === 0 ? ["EX", "100"] : [])
    const running = world.begin(true)
    running.walk.slice(1, 20_000)
    world.run("FLUSHALL")
    for (let i = 0; i < 100; i++) world.run("SET", `key:${i}`, "after")
    world.run("SWAPDB", "0", "1")
    running.walk.slice(1, 20_000)
    world.run("FLUSHALL")
    while (!running.walk.slice(1, 20_000));
    expect(running.walk.processed).toBe(3000)
    const { sequence } = world.publish(running)
    expect(stateDigest(world.load(sequence))).toBe(running.digest)
    expect(world.keyspace.databases.map(({ size }) => size)).toEqual([0, 0, 0, 0])
    expectSettled(world.keyspace)
  })

  it("gives the memory of emptied databases back, whether it was finished or given up", () => {
    for (const giveUp of ["never", "before", "after"]) {
      const world = new CheckpointWorld(new Random(1), new SimDisk())
      const big = "x".repeat(10_000)
      for (let i = 0; i < 1000; i++) world.run("SET", `key:${i}`, big)
      const { arena } = world.keyspace.database(0)
      const { walk, writer } = world.begin(true)
      walk.slice(1, 20_000)
      if (giveUp === "before") walk.giveUp()
      world.run("FLUSHALL")
      if (giveUp === "after") walk.giveUp()
      while (!walk.slice(10, 1 << 20));
      while (world.keyspace.reclaim());
      expect(arena.bytes.length).toBe(0)
      expectSettled(world.keyspace)
      writer.discard()
    }
  })

  it("saves long strings in pieces, from the walk or all at once before a write", () => {
    const world = new CheckpointWorld(new Random(1), new SimDisk(), { segmentBytes: 1 << 20 })
    const long = Array.from({ length: 900_000 }, (_, i) => String.fromCharCode(i * 31 & 255)).join("")
    for (const key of ["a", "b", "c"]) world.run("SET", key, `${key}${long}`, "EX", "1000")
    world.run("SET", "d", "x".repeat(256 << 10))
    const running = world.begin(true)
    const before = detailsOf(world.keyspace)
    running.walk.slice(1, 100) // one piece of the first
    for (const key of ["b", "a"]) world.run("APPEND", key, "more")
    while (!running.walk.slice(1, 100));
    const { sequence } = world.publish(running)
    const loaded = world.load(sequence)
    expect(stateDigest(loaded)).toBe(running.digest)
    expect(detailsOf(loaded)).toEqual(before)
  })

  it("follows a long string that compaction moves between two of its pieces", () => {
    const world = new CheckpointWorld(new Random(1), new SimDisk(), { segmentBytes: 1 << 20 })
    for (let i = 0; i < 64; i++) world.run("SET", `key:${i}`, `${i}${"x".repeat(400_000)}`)
    for (let i = 0; i < 64; i++) if (i % 8 !== 3) world.run("DEL", `key:${i}`)
    const places = (): ReadonlyArray<number> => {
      const { dict } = world.keyspace.database(0)
      const found: Array<number> = []
      for (let position = 0; position >= 0;) position = dict.walk(position, (p) => void found.push(p))
      return found
    }
    const running = world.begin(true)
    const before = places()
    running.walk.slice(1, 100) // the last piece of the first string, and its first
    while (world.keyspace.compact(() => 0, 1));
    expect(places()).not.toEqual(before)
    while (!running.walk.slice(1, 100)) world.keyspace.compact(() => 0, 1)
    const { sequence } = world.publish(running)
    expect(running.walk.processed).toBe(8)
    expect(stateDigest(world.load(sequence))).toBe(running.digest)
  })

  it("leaves nothing of it in the way of the next one when it is given up", () => {
    forSeeds(6, (random) => {
      const world = new CheckpointWorld(random, new SimDisk())
      for (let round = 0; round < 8; round++) {
        world.work(60)
        const given = world.begin(true)
        for (let i = random.below(6); i > 0; i--) {
          given.walk.slice(1, 300)
          world.work(10)
        }
        given.walk.giveUp()
        given.writer.discard()
        while (!given.walk.slice(1, 300)) world.work(3)
        expectSettled(world.keyspace)
        const info = world.checkpoint()
        expect(stateDigest(world.load(info.sequence))).toBe(stateDigest(world.keyspace))
      }
      expect((world.disk as SimDisk).files().filter((name) => name.endsWith(".tmp"))).toEqual([])
    })
  })

  it("walks a bounded number of entries per slice", () => {
    const keyspace = new Keyspace(1, { k0: 7, k1: 9 })
    for (let i = 0; i < 200_000; i++) {
      keyspace.turn.next(0)
      setString(keyspace.database(0), Slice.latin1(`key:${i}`), Slice.latin1("v"), 0)
    }
    let added = 0
    const walk = new CheckpointWalk(keyspace, { add: () => void added++ })
    let most = 0
    for (let done = false; !done;) {
      const before = added
      done = walk.slice(500, 1 << 20)
      most = Math.max(most, added - before)
    }
    expect(added).toBe(200_000)
    // The segment in which the budget ends is finished.
    expect(most).toBeLessThan(500 + 2047)
    expect(digest(keyspace, 0)).toMatch(/^[0-9a-f]{40}$/)
  })
})
