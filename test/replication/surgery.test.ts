/** A log that is cut or replaced, and the power goes in between, at any call of the disk: a start goes on with it. */
import { describe, expect, it } from "vitest"
import { Random } from "../support/random.ts"
import type { SimDisk } from "../support/sim-disk.ts"
import { type SimServer, World } from "./world.ts"

/** Runs something on a server and returns what a power cut at each call of its disk would have left. */
const crashes = (server: SimServer, random: Random, run: () => void): Array<SimDisk> => {
  const found: Array<SimDisk> = []
  server.disk.onOperation = () => {
    found.push(server.disk.afterCrash(random))
  }
  run()
  server.disk.onOperation = () => {}
  return found
}

/** Starts a server on what is left of the disk: it must come up, follow, and end like its primary. */
const recovers = (world: World, server: SimServer, primary: SimServer, disk: SimDisk, what: string): void => {
  const before = server.disk
  server.crash(new Random(1), false)
  server.disk = disk
  try {
    server.open()
  } catch (cause) {
    throw new Error(what, { cause })
  }
  server.follow(primary)
  for (let i = 0; i < 50 && server.lsn !== primary.lsn; i++) world.pass(100)
  expect([server.sequence, server.digest], what).toEqual([primary.sequence, primary.digest])
  expect(server.log.status().chainHead, what).toBe(primary.log.status().chainHead)
  server.crash(new Random(1), false)
  server.disk = before
}

describe("the power goes while", () => {
  it("the end of a log is cut off, a few segments and a checkpoint of it", { timeout: 120_000 }, () => {
    const random = new Random(5)
    const world = new World()
    const [primary, old] = [world.server(), world.server()]
    old.work(random, 30)
    primary.follow(old)
    world.pass(200)
    primary.replication.lead()
    primary.work(random, 20)
    old.work(random, 40)
    old.checkpoint()
    while (old.log.status().segments < 5) {
      old.work(random, 20)
      world.pass(100)
    }
    expect(old.log.status().segments).toBeGreaterThan(3)
    const states = crashes(old, random, () => {
      old.follow(primary)
      world.pass(400)
    })
    expect(old.digest).toBe(primary.digest)
    expect(old.replication.status().setAsideBatches).toBeGreaterThan(0)
    expect(states.length).toBeGreaterThan(20)
    for (const [i, disk] of states.entries()) recovers(world, old, primary, disk, `call ${i} of ${states.length}`)
  })

  it("a received log takes the place of another", { timeout: 120_000 }, () => {
    const random = new Random(6)
    const world = new World()
    const [primary, other] = [world.server(), world.server()]
    primary.settings.wholeLogBytes = 0
    primary.work(random, 60)
    primary.checkpoint()
    primary.work(random, 20)
    other.work(random, 30)
    other.checkpoint()
    other.work(random, 10)
    const states = crashes(other, random, () => {
      other.follow(primary)
      world.pass(400)
    })
    expect(other.digest).toBe(primary.digest)
    expect(states.length).toBeGreaterThan(20)
    for (const [i, disk] of states.entries()) recovers(world, other, primary, disk, `call ${i} of ${states.length}`)
  })
})
