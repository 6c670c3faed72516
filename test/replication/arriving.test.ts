/** A checkpoint that is sent while the primary still makes it, and loaded as it comes. */
import { describe, expect, it } from "vitest"
import { Random } from "../support/random.ts"
import { World } from "./world.ts"

describe("a replica", () => {
  it("takes a checkpoint as it is made, and loads it as it comes, where it has no data yet", () => {
    for (let seed = 0; seed < 12; seed++) {
      const random = new Random(seed)
      const world = new World()
      const [primary, replica] = [world.server(), world.server()]
      Object.assign(primary.settings, { wholeLogBytes: 0 })
      Object.assign(primary, { slowCheckpoints: true })
      primary.work(random, 600)
      for (let i = 0; i < 40; i++) primary.run("SET", `big:${i}`, "v".repeat(20_000))
      primary.log.commit()
      const had = seed % 3 === 0
      if (had) replica.run("SET", "own", "1")
      world.piece = 1 + random.below(90_000)
      if (seed % 4 === 1) world.faults.push({ cutAt: random.below(600_000) })
      if (seed % 4 === 2) world.faults.push({ flipAt: 400 + random.below(600_000) })
      replica.follow(primary)
      let asItWasMade = 0
      for (let i = 0; i < 200 && replica.replication.status().primary?.state !== "connected"; i++) {
        world.pass(20)
        if (primary.checkpointRun !== undefined) {
          asItWasMade += replica.replication.status().primary?.sync?.readBytes ?? 0
        }
        primary.work(random, 5)
      }
      world.pass(1000)
      expect([seed, replica.sequence, replica.digest]).toEqual([seed, primary.sequence, primary.digest])
      expect([seed, replica.loadedOnArrival]).toEqual([seed, had ? 0 : 1])
      expect(asItWasMade).toBeGreaterThan(10_000)
    }
  })

  it("gives up a checkpoint that the primary does not bring to its end, and takes the next", () => {
    const world = new World()
    const [primary, replica] = [world.server(), world.server()]
    Object.assign(primary.settings, { wholeLogBytes: 0 })
    Object.assign(primary, { slowCheckpoints: true })
    for (let i = 0; i < 40; i++) primary.run("SET", `big:${i}`, "v".repeat(20_000))
    primary.log.commit()
    replica.follow(primary)
    for (let i = 0; i < 100 && (replica.replication.status().primary?.sync?.readBytes ?? 0) === 0; i++) world.pass(20)
    expect(primary.checkpointRun).toBeDefined()
    primary.checkpointRun!.cancel()
    world.pass(20)
    expect(replica.replication.status().primary?.state).not.toBe("sync")
    expect(primary.warnings.some((text) => text.includes("cannot be served"))).toBe(true)
    world.pass(3000)
    expect([replica.sequence, replica.digest]).toEqual([primary.sequence, primary.digest])
  })
})
