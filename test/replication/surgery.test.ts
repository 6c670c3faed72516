/** A log that is cut or replaced, and the power goes in between, at any call of the disk: a start goes on with it. */
import { describe, expect, it } from "vitest"
import { DiskError } from "../../src/log/disk.ts"
import { Status } from "../../src/net/resp/reply.ts"
import { printAnswer } from "../../src/replication/protocol.ts"
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

describe("a log that is to be cut", () => {
  it("is cut only where a frame begins: told of another place, a replica takes all anew", () => {
    const random = new Random(7)
    const world = new World()
    const [primary, replica] = [world.server(), world.server()]
    replica.follow(primary)
    const places = new Set([0])
    world.settle()
    replica.log.mirror.listen({
      frame: (_bytes, _length, lsn) => void places.add(lsn),
      segment: () => {},
      broken: () => {}
    })
    places.add(replica.lsn)
    const from = replica.lsn
    primary.work(random, 60)
    world.pass(200)
    expect(places.size).toBeGreaterThan(10)
    for (let lsn = from; lsn <= replica.lsn; lsn += 4) {
      expect(replica.log.mirror.reaches(lsn), `${lsn}`).toBe(places.has(lsn))
    }
    const { replication } = primary
    const serve = replication.serve.bind(replication)
    let told = 0
    replication.serve = (connection, words) =>
      ++told > 1 ? serve(connection, words) : new Status(printAnswer({ kind: "rewind", lsn: from + 8 }).slice(1))
    replica.crash(random, false)
    replica.open()
    primary.run("SET", "more", "1")
    primary.log.commit()
    world.pass(400)
    expect([told, replica.sequence, replica.digest]).toEqual([2, primary.sequence, primary.digest])
    replica.crash(random, true)
    replica.open()
    world.pass(400)
    expect([replica.sequence, replica.digest]).toEqual([primary.sequence, primary.digest])
  })

  it("takes along a checkpoint that is just being published", () => {
    const random = new Random(8)
    const world = new World()
    const [primary, old] = [world.server(), world.server()]
    old.work(random, 30)
    primary.follow(old)
    world.pass(200)
    primary.replication.lead()
    primary.work(random, 20)
    old.work(random, 40)
    const store = old.log.checkpoints
    const publishing = store.publishing.bind(store)
    store.publishing = function*(writer) {
      const steps = publishing(writer)
      steps.next()
      old.follow(primary)
      world.pass(400)
      return yield* steps
    }
    expect(() => old.checkpoint()).toThrow(DiskError)
    expect([old.sequence, old.digest]).toEqual([primary.sequence, primary.digest])
    expect(store.list()).toEqual([])
    old.crash(random, false)
    old.open()
    expect(old.digest).toBe(primary.digest)
  })

  it("ends the process when it cannot be noted that it is done, and a start goes on with it", () => {
    const random = new Random(9)
    const world = new World()
    const [primary, old] = [world.server(), world.server()]
    old.work(random, 30)
    primary.follow(old)
    world.pass(200)
    primary.replication.lead()
    primary.work(random, 20)
    old.work(random, 40)
    const died: Array<unknown> = []
    old.log.onFatal((error) => void died.push(error))
    // The first time says whom it follows, the second what is to be done, the third that it is done.
    const fault = old.disk.fail({ operation: "rename", file: /^REPLICATION/, code: "EIO", nth: 3 })
    old.follow(primary)
    for (let i = 0; i < 20 && fault.failed() === 0; i++) world.pass(20)
    expect([fault.failed(), died.length]).toEqual([1, 1])
    old.crash(random, false)
    old.open()
    world.pass(400)
    expect([old.sequence, old.digest]).toEqual([primary.sequence, primary.digest])
  })
})

describe("a server that is to follow", () => {
  it("stays what it is when its manifest cannot vouch for what it has", () => {
    const random = new Random(6)
    const world = new World()
    const [primary, other] = [world.server(), world.server()]
    primary.work(random, 10)
    other.work(random, 10)
    const fault = other.disk.fail({ operation: "rename", file: /MANIFEST/, times: Infinity })
    const target = { host: "sim", port: primary.name, delayMs: 0, until: undefined }
    expect(other.replication.follow(target)).toEqual({ refused: expect.stringContaining("MANIFEST") })
    expect([other.replication.follower.target, other.log.mirror.following]).toEqual([undefined, undefined])
    other.work(random, 1)
    fault.heal()
    other.follow(primary)
    world.pass(400)
    expect([other.sequence, other.digest]).toEqual([primary.sequence, primary.digest])
  })
})
