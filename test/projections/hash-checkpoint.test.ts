/** Checkpoints of a large hash that changes while they are made, field by field. */
import { expect, it } from "vitest"
import { stateDigest } from "../../src/projections/digest.ts"
import { replay } from "../../src/projections/replay.ts"
import { CheckpointWorld } from "../support/checkpoint-world.ts"
import { forSeeds, type Random } from "../support/random.ts"
import { SimDisk } from "../support/sim-disk.ts"

const fieldCount = 6000

/** A change of the hash, of some of its fields, or of its key. */
const change = (world: CheckpointWorld, random: Random): void => {
  const key = random.chance(0.97) ? "h" : "other"
  const fields = Array.from({ length: random.between(1, 4) }, () => `f${random.below(fieldCount)}`)
  const dice = random.fraction()
  if (dice < 0.3) world.run("HSET", key, ...fields.flatMap((field) => [field, `${random.below(1e9)}`]))
  else if (dice < 0.4) world.run("HSET", key, ...fields.flatMap((field) => [field, "longer".repeat(random.below(40))]))
  else if (dice < 0.55) world.run("HDEL", key, ...fields)
  else if (dice < 0.65) world.run("HINCRBY", key, `n${random.below(50)}`, "1")
  else if (dice < 0.8) {
    world.run("HPEXPIRE", key, `${random.between(0, 500)}`, "FIELDS", `${fields.length}`, ...fields)
  } else if (dice < 0.9) world.run("HPERSIST", key, "FIELDS", `${fields.length}`, ...fields)
  else if (dice < 0.95) world.clock.advance(random.below(20))
  else if (dice < 0.97) {
    world.run("RENAME", "h", "other")
    world.run("RENAME", "other", "h")
  } else if (dice < 0.98) world.run("COPY", "h", "copy", "REPLACE")
  else if (dice < 0.985) world.run("DEL", "copy")
  else world.executor.expire(1)
}

it("a large hash is in its checkpoint as it was, deadlines of fields included", () => {
  forSeeds(6, (random) => {
    const disk = new SimDisk()
    const world = new CheckpointWorld(random, disk, { segmentBytes: 1 << 20 })
    for (let i = 0; i < fieldCount; i += 500) {
      const fields = Array.from({ length: 500 }, (_, n) => `f${i + n}`)
      world.run("HSET", "h", ...fields.flatMap((field) => [field, `value of ${field}`]))
      if (i % 1000 === 0) world.run("HPEXPIRE", "h", `${random.between(50, 5000)}`, "FIELDS", "500", ...fields)
    }
    for (let round = 0; round < 3; round++) {
      for (let i = 0; i < 100; i++) change(world, random)
      world.log.commit()
      const running = world.begin(random.chance(0.3))
      let slices = 0
      // Now and then the hash goes altogether before it is saved.
      const doomed = random.chance(0.2) ? random.below(4) : -1
      while (!running.walk.slice(1, 2000)) {
        for (let i = random.below(40); i > 0; i--) change(world, random)
        if (slices++ === doomed) world.run(random.pick(["DEL", "SET"]), "h", "x")
        world.log.commit()
        disk.runPending()
      }
      expect(slices).toBeGreaterThan(round === 0 ? 3 : 0)
      const { sequence } = world.publish(running)
      const loaded = world.load(sequence, random.chance(0.5))
      expect(stateDigest(loaded)).toBe(running.digest)
      replay(loaded, world.log.read(sequence + 1))
      expect(stateDigest(loaded)).toBe(stateDigest(world.keyspace))
      for (const [number, { fieldDeadlines }] of world.keyspace.databases.entries()) {
        expect(loaded.database(number).fieldDeadlines.size).toBe(fieldDeadlines.size)
      }
    }
  })
})
