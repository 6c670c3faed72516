/** A large sorted set in a checkpoint while it changes: saved element by element, as it was at the beginning. */
import { describe, expect, it } from "vitest"
import { stateDigest } from "../../src/projections/digest.ts"
import { replay } from "../../src/projections/replay.ts"
import { CheckpointWorld } from "../support/checkpoint-world.ts"
import { forSeeds, type Random, scaled } from "../support/random.ts"
import { SimDisk } from "../support/sim-disk.ts"

const members = 3000

const fill = (world: CheckpointWorld, key: string, random: Random): void => {
  for (let i = 0; i < members; i += 50) {
    const pairs = Array.from({ length: 50 }, (_, j) => [`${random.between(-500, 500) / 4}`, `member${i + j}`])
    world.run("ZADD", key, ...pairs.flat())
  }
  world.log.commit()
}

const change = (world: CheckpointWorld, random: Random): void => {
  const member = `member${random.below(members + 200)}`
  const score = `${random.between(-500, 500) / 4}`
  const key = random.chance(0.8) ? "large" : "other"
  const dice = random.fraction()
  if (dice < 0.5) world.run("ZADD", key, score, member)
  else if (dice < 0.7) world.run("ZREM", key, member, `member${random.below(members)}`)
  else if (dice < 0.8) world.run("ZINCRBY", key, score, member)
  else if (dice < 0.88) world.run(random.pick(["ZPOPMIN", "ZPOPMAX"]), key, `${random.between(1, 5)}`)
  else if (dice < 0.93) world.run("ZREMRANGEBYRANK", key, `${random.below(200)}`, `${random.below(300)}`)
  else if (dice < 0.95) world.run("COPY", "large", "other", "REPLACE")
  else if (dice < 0.97) world.run("RENAME", "other", "large")
  else if (dice < 0.98) world.run("DEL", key)
  else world.run("ZUNIONSTORE", key, "2", "large", "other")
  world.log.commit()
}

describe("a checkpoint of a large sorted set that changes", () => {
  it("holds it as it was, and with the log after it gives the live one", () => {
    let meanwhile = 0
    forSeeds(scaled(4), (random) => {
      const world = new CheckpointWorld(random, new SimDisk(), { segmentBytes: 1 << 20 })
      fill(world, "large", random)
      if (random.chance(0.5)) fill(world, "other", random)
      if (random.chance(0.3)) world.run("PEXPIRE", "large", "100000000")
      for (let round = 0; round < 2; round++) {
        const running = world.begin(false)
        while (!running.walk.slice(1, random.pick([200, 1000, 4000]))) {
          for (let i = random.below(12); i > 0; i--) {
            change(world, random)
            meanwhile++
          }
        }
        const { sequence } = world.publish(running)
        const loaded = world.load(sequence, random.chance(0.5))
        expect(stateDigest(loaded)).toBe(running.digest)
        replay(loaded, world.log.read(sequence + 1))
        expect(stateDigest(loaded)).toBe(stateDigest(world.keyspace))
        for (let i = 0; i < 20; i++) change(world, random)
      }
      while (world.keyspace.reclaim());
    })
    expect(meanwhile).toBeGreaterThan(100)
  })
})
