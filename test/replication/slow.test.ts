/** Replicas that do not read, come twice, or come when the log has moved on without them; and what they leave to the primary. */
import { describe, expect, it } from "vitest"
import { noMemoryLimit } from "../../src/commands/memory-policy.ts"
import { ReplyBuffer } from "../../src/net/resp/encoder.ts"
import { compressAll } from "../support/compressing.ts"
import { argvOf, TestConnection } from "../support/harness.ts"
import { Random } from "../support/random.ts"
import { SimServer, World } from "./world.ts"

const limits = { ...noMemoryLimit(), policy: "allkeys-random" } as const

describe("a replica", () => {
  it("that does not read costs the primary a bounded amount of memory, and gets all from disk later", () => {
    const world = new World()
    const [primary, replica] = [world.server({ segmentBytes: 1 << 20 }), world.server({ segmentBytes: 1 << 20 })]
    replica.follow(primary)
    world.settle()
    const [link] = world.links
    let most = 0
    for (let round = 0; round < 5; round++) {
      link!.reading = false
      for (let i = 0; i < 60; i++) {
        primary.run("SET", `k${i}`, "x".repeat(50_000))
        primary.log.commit()
        world.step()
        most = Math.max(most, link!.waiting)
      }
      link!.reading = true
      world.settle()
      expect([replica.sequence, replica.digest]).toEqual([primary.sequence, primary.digest])
    }
    expect(primary.lsn).toBeGreaterThan(15_000_000)
    expect(most).toBeGreaterThan(1_000_000)
    expect(most).toBeLessThan(1_200_000)
    primary.run("SET", "after", "1")
    primary.log.commit()
    world.settle()
    expect(replica.sequence).toBe(primary.sequence)
    expect(primary.replication.status().fullSyncs).toBe(1)
  })

  it("that is silent for repl-timeout is given up, and comes again", () => {
    const world = new World()
    const [primary, replica] = [world.server(), world.server()]
    primary.settings.timeoutMs = 3000
    replica.follow(primary)
    world.settle()
    const [link] = world.links
    link!.reading = false
    link!.silent = true
    world.pass(4000)
    expect([link!.open, primary.replication.status().replicas.length]).toEqual([false, 1])
    primary.work(new Random(1), 10)
    world.pass(100)
    expect([replica.sequence, replica.digest]).toEqual([primary.sequence, primary.digest])
  })

  it("is heard whatever clients are told to wait for", () => {
    const { executor } = new World().server()
    executor.pause = "all"
    const connection = new TestConnection(9, 0)
    const ping = (): boolean => executor.execute(connection, argvOf(["PING"]), new ReplyBuffer())
    expect(ping()).toBe(false)
    connection.client.role = "replica"
    expect(ping()).toBe(true)
  })

  it("may take longer for a full sync than repl-timeout", () => {
    const world = new World()
    const [primary, replica] = [world.server(), world.server()]
    Object.assign(primary.settings, { timeoutMs: 1500, wholeLogBytes: 0 })
    primary.work(new Random(2), 60)
    primary.checkpoint()
    replica.follow(primary)
    world.piece = 64
    for (let i = 0; i < 20; i++) world.step()
    const [link] = world.links
    link!.reading = false
    world.pass(4000)
    expect([link!.open, replica.replication.status().primary?.state]).toEqual([true, "sync"])
    link!.reading = true
    world.pass(100)
    expect([replica.sequence, replica.digest]).toEqual([primary.sequence, primary.digest])
    expect([primary.replication.status().fullSyncs, world.dials]).toEqual([1, 1])
  })

  it("gets a checkpoint that is new enough, also when another was being made as it came", () => {
    const world = new World()
    const [primary, replica] = [world.server(), world.server()]
    primary.settings.wholeLogBytes = 0
    primary.work(new Random(3), 30)
    let stale = true
    primary.checkpoint = function() { // what is made first was begun before the replica came
      if (!stale) SimServer.prototype.checkpoint.call(this)
      stale = false
    }
    replica.follow(primary)
    world.settle()
    expect(primary.replication.status().replicas[0]?.state).toBe("wait_bgsave")
    expect(primary.replication.feeds.having(0, false)).toBe(0)
    primary.work(new Random(4), 5)
    world.pass(200)
    expect([replica.sequence, replica.digest]).toEqual([primary.sequence, primary.digest])
  })

  it("that stays behind shows what a full sync brought as soon as only what comes too early is missing", () => {
    const world = new World()
    const [primary, replica] = [world.server(), world.server()]
    primary.settings.wholeLogBytes = 0
    primary.work(new Random(5), 30)
    primary.checkpoint()
    const { digest, sequence } = primary
    world.clock.advance(2000)
    primary.run("SET", "early", "1")
    primary.log.commit()
    replica.follow(primary, { delayMs: 1000 })
    world.settle()
    expect([replica.sequence, replica.digest]).toEqual([sequence, digest])
    expect([replica.executor.gate.hidden, replica.replication.status().primary?.state]).toEqual([
      undefined,
      "connected"
    ])
    world.pass(1000)
    expect(replica.digest).toBe(primary.digest)
  })

  it("that comes when the log does not reach back any more takes a checkpoint", () => {
    const world = new World()
    const [primary, replica] = [world.server(), world.server()]
    const random = new Random(4)
    replica.follow(primary)
    primary.work(random, 40)
    world.pass(200)
    replica.crash(random, false)
    primary.work(random, 400)
    primary.checkpoint()
    primary.work(random, 40)
    primary.checkpoint()
    const dropped = primary.log.upkeep.retain(
      { by: "sequences", count: 1 },
      primary.log.checkpoints.covered(),
      world.clock.now()
    )
    expect(dropped.length).toBeGreaterThan(0)
    for (let i = 0; i < 20; i++) world.pass(100)
    expect(primary.log.mirror.oldestLsn).toBeGreaterThan(replica.lsn)
    replica.open()
    world.pass(400)
    expect([replica.sequence, replica.digest]).toEqual([primary.sequence, primary.digest])
    const { fullSyncs, refusedPartialSyncs } = primary.replication.status()
    expect([fullSyncs, refusedPartialSyncs]).toEqual([2, 1])
    // What the primary drops goes here too, once a checkpoint covers it, and not before.
    primary.work(random, 200)
    primary.checkpoint()
    primary.work(random, 10)
    primary.checkpoint()
    const rule = { by: "sequences", count: 1 } as const
    expect(primary.log.upkeep.retain(rule, primary.log.checkpoints.covered(), world.clock.now()).length)
      .toBeGreaterThan(0)
    world.pass(500)
    replica.crash(random, false)
    replica.open()
    expect(replica.digest).toBe(primary.digest)
    expect(replica.log.upkeep.retain(rule, replica.log.checkpoints.covered(), world.clock.now())).toEqual([])
    primary.work(random, 200)
    primary.checkpoint()
    primary.work(random, 10)
    primary.checkpoint()
    expect(primary.log.upkeep.retain(rule, primary.log.checkpoints.covered(), world.clock.now()).length)
      .toBeGreaterThan(0)
    world.pass(500)
    const oldest = replica.log.mirror.oldestLsn
    replica.checkpoint()
    primary.work(random, 10)
    world.pass(100)
    replica.checkpoint()
    replica.log.upkeep.retain(rule, replica.log.checkpoints.covered(), world.clock.now())
    world.pass(500)
    expect(replica.log.mirror.oldestLsn).toBeGreaterThan(oldest)
    replica.crash(random, true)
    replica.open()
    world.pass(400)
    expect([replica.sequence, replica.digest]).toEqual([primary.sequence, primary.digest])
  })

  it("takes a checkpoint only where the log does not reach back to its end, again and again", () => {
    const world = new World()
    const [primary, replica] = [world.server(), world.server()]
    const random = new Random(14)
    replica.follow(primary)
    world.settle()
    let full = 0
    for (let round = 0; round < 20; round++) {
      primary.work(random, 20)
      world.pass(100)
      replica.crash(random, random.chance(0.5))
      for (let i = random.between(2, 3); i > 0; i--) {
        primary.work(random, 50)
        primary.checkpoint()
      }
      const rule = { by: "sequences", count: random.pick([1, 1_000_000]) } as const
      primary.log.upkeep.retain(rule, primary.log.checkpoints.covered(), world.clock.now())
      world.pass(300)
      replica.open()
      if (primary.log.mirror.oldestLsn > replica.lsn) full++
      world.pass(600)
      expect([replica.sequence, replica.digest], `round ${round}`).toEqual([primary.sequence, primary.digest])
    }
    expect(full).toBeGreaterThan(3)
    expect(full).toBeLessThan(17)
    expect(primary.replication.status().fullSyncs).toBe(1 + full)
  })

  it("follows through compressed segments", async () => {
    const world = new World()
    const [primary, replica] = [world.server(), world.server()]
    primary.disk.immediate = true
    const work = (seed: number): void => {
      for (let i = 0; i < 120; i++) {
        primary.run("SET", `k${seed + i}`, `${i}`.repeat(150))
        primary.log.commit()
        if (i % 10 === 0) world.pass(1100)
      }
    }
    work(8)
    expect(await compressAll(primary.log)).toBeGreaterThan(5)
    replica.follow(primary)
    world.settle()
    expect([replica.sequence, replica.digest]).toEqual([primary.sequence, primary.digest])
    expect(replica.frames().equals(primary.frames())).toBe(true)
    // And gives up what the other has not, from within one.
    replica.replication.lead()
    replica.work(new Random(9), 10)
    work(30)
    expect(await compressAll(primary.log)).toBeGreaterThan(5)
    while (!primary.follow(replica)) world.pass(100)
    world.pass(400)
    expect([primary.sequence, primary.digest]).toEqual([replica.sequence, replica.digest])
    expect(primary.replication.status().setAsideBatches).toBeGreaterThan(100)
  })

  it("gives up what its primary had to write elsewhere after a failed sync", () => {
    const world = new World()
    const [primary, replica] = [world.server(), world.server()]
    const random = new Random(12)
    replica.follow(primary)
    primary.work(random, 30)
    world.pass(1200)
    for (let round = 0; round < 5; round++) {
      primary.work(random, 5)
      world.settle()
      primary.disk.fail({ operation: "fdatasync", file: /\.evl$/ })
      for (let i = 0; i < 100 && replica.lsn !== primary.lsn || i < 20; i++) {
        world.pass(200)
        if (primary.log.failure() === undefined) primary.run("INCR", "n")
        primary.log.commit()
      }
      world.pass(1500)
      expect(primary.log.failure()).toBe(undefined)
      expect([replica.sequence, replica.digest]).toEqual([primary.sequence, primary.digest])
      expect(replica.frames().equals(primary.frames())).toBe(true)
    }
    expect(primary.replication.status().epoch).toBeGreaterThan(3)
    expect(primary.replication.status().fullSyncs).toBe(1)
    primary.crash(random, false)
    primary.open()
    replica.crash(random, true)
    replica.open()
    world.pass(1000)
    expect([replica.sequence, replica.digest]).toEqual([primary.sequence, primary.digest])
  })

  it("whose disk is full waits until it is not, and misses nothing", () => {
    const world = new World()
    const [primary, replica] = [world.server(), world.server()]
    const random = new Random(13)
    replica.follow(primary)
    world.settle()
    for (let nth = 1; nth < 12; nth++) {
      replica.disk.fail({ operation: "write", file: /log\/.*evl/, code: "ENOSPC", nth, times: 3 })
      primary.work(random, 20)
      if (nth % 3 === 0) primary.log.mirror.beginEpoch("for the test")
      world.pass(300)
      for (let i = 0; i < 60 && replica.lsn !== primary.lsn; i++) world.pass(300)
      expect([replica.sequence, replica.digest], `${nth}`).toEqual([primary.sequence, primary.digest])
      expect(replica.log.status().chainHead).toBe(primary.log.status().chainHead)
    }
    expect(primary.replication.status().fullSyncs).toBe(1)
    const { digest } = replica
    replica.crash(random, false)
    replica.open()
    expect(replica.digest).toBe(digest)
  })

  it("that is too slow is made the primary all the same with FAILOVER … FORCE, and what it did not have is set aside", () => {
    const world = new World()
    const [primary, replica] = [world.server(), world.server()]
    replica.follow(primary)
    primary.work(new Random(21), 20)
    world.pass(100)
    const { digest, sequence } = replica
    world.links[0]!.reading = false
    primary.work(new Random(22), 10)
    const lost = primary.sequence - sequence
    const { address, port } = primary.replication.status().replicas[0]!
    const to = { host: address, port }
    expect(primary.replication.failover({ to, force: true, timeoutMs: 500 })).toBe(undefined)
    world.pass(400)
    expect([primary.replication.status().failover, primary.executor.pause]).toEqual(["waiting-for-sync", "write"])
    expect(replica.executor.gate.replica).toBe(true)
    world.pass(1000)
    expect([replica.executor.gate.replica, primary.executor.gate.replica]).toEqual([false, true])
    expect([primary.replication.status().failover, primary.executor.pause]).toEqual(["no-failover", "none"])
    expect([primary.sequence, primary.digest]).toEqual([sequence, digest])
    expect(primary.replication.status().setAsideBatches).toBe(lost)
    replica.work(new Random(23), 10)
    world.pass(100)
    expect([primary.sequence, primary.digest]).toEqual([replica.sequence, replica.digest])
    expect(replica.replication.status().fullSyncs).toBe(0)
  })

  it("that lags is waited for by FAILOVER without the others being asked again and again", () => {
    const world = new World()
    const primary = world.server()
    const [late, ...others] = [world.server(), world.server(), world.server()]
    late!.follow(primary, { delayMs: 60_000 })
    for (const replica of others) replica.follow(primary)
    world.pass(200)
    const name = primary.replication.status().replicas.find(({ port }) => port === late!.name)!
    primary.run("SET", "a", "1")
    primary.log.commit()
    world.pass(100)
    const to = { host: name.address, port: name.port }
    const before = primary.replication.status().outputBytes
    expect(primary.replication.failover({ to, force: false, timeoutMs: 0 })).toBe(undefined)
    world.pass(400)
    expect(primary.replication.status().failover).toBe("waiting-for-sync")
    // One sign of life for each of three replicas in each of twenty turns, and the first ones.
    expect(primary.replication.status().outputBytes - before).toBeLessThanOrEqual(48 * 3 * 21)
    expect(primary.replication.abortFailover()).toBe(true)
    expect(others.map(({ digest }) => digest)).toEqual([primary.digest, primary.digest])
  })

  it("that takes over has what was written after CLIENT UNPAUSE, too", () => {
    const world = new World()
    const [primary, replica] = [world.server(), world.server()]
    replica.follow(primary)
    primary.work(new Random(25), 20)
    world.pass(1200)
    primary.run("SET", "before", "1")
    expect(primary.replication.failover({ to: undefined, force: false, timeoutMs: 0 })).toBe(undefined)
    primary.executor.pause = "none"
    for (let i = 0; i < 100 && !primary.executor.gate.replica; i++) {
      primary.run("SET", "after", `${i}`) // as this turn's work, which is not committed yet
      if (i > 20) primary.log.commit()
      world.step()
      if (i > 50) world.pass(20)
    }
    world.pass(1000)
    expect([primary.executor.gate.replica, replica.executor.gate.replica]).toEqual([true, false])
    expect(primary.replication.status().setAsideBatches).toBe(0)
    expect([primary.sequence, primary.digest]).toEqual([replica.sequence, replica.digest])
  })

  it("starts again whatever the host is called that it was told to follow", () => {
    const world = new World()
    const [primary, replica] = [world.server(), world.server()]
    replica.follow(primary, { host: "not a host" })
    replica.crash(new Random(24), false)
    replica.open()
    expect(replica.replication.status().primary).toMatchObject({ host: "not a host", port: primary.name, delayMs: 0 })
  })

  it("that stays behind for longer than repl-timeout keeps its link", () => {
    const world = new World()
    const [primary, replica] = [world.server(), world.server()]
    Object.assign(primary.settings, { pingMs: 200 })
    Object.assign(replica.settings, { timeoutMs: 1000 })
    replica.follow(primary, { delayMs: 3000 })
    world.pass(200)
    for (let i = 0; i < 3; i++) {
      primary.run("SET", "a", `${i}`)
      primary.log.commit()
      world.pass(2900)
      expect(replica.sequence).toBe(i)
      world.pass(300)
      expect(replica.sequence).toBe(i + 1)
    }
    expect([world.dials, replica.replication.status().primary?.state]).toEqual([1, "connected"])
    expect(replica.digest).toBe(primary.digest)
  })

  it("evicts and buries nothing by itself", () => {
    const world = new World()
    const [primary, replica] = [world.server(), world.server()]
    for (const { executor } of [primary, replica]) {
      executor.limitMemory({ ...limits, limit: executor.keyspace.usedBytes + 200_000 })
    }
    replica.follow(primary)
    world.settle()
    for (let i = 0; i < 2000; i++) {
      primary.run("SET", `k${i}`, "x".repeat(200), ...(i % 3 === 0 ? ["PX", "500"] : []))
      if (i % 10 === 0) {
        primary.log.commit()
        world.step()
        replica.executor.beginChunk()
        replica.executor.expire(10)
        replica.executor.relieveMemory(10)
        replica.run("GET", `k${i - 5}`)
      }
      if (i % 100 === 0) world.clock.advance(200)
    }
    primary.log.commit()
    world.settle()
    expect(primary.executor.statistics.evictedKeys).toBeGreaterThan(100)
    expect(primary.executor.statistics.expiredKeys).toBeGreaterThan(100)
    expect([replica.executor.statistics.evictedKeys, replica.executor.statistics.expiredKeys]).toEqual([0, 0])
    expect([replica.sequence, replica.digest]).toEqual([primary.sequence, primary.digest])
  })
})
