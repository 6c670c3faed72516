/**
 * The laws of the log with a memory limit: evictions are batches of their own before the command, never more than needed,
 * and the fold of the log, evictions included, is the live data.
 */
import { describe, expect, it } from "vitest"
import { CommandExecutor } from "../../../src/commands/executor/executor.ts"
import { noMemoryLimit } from "../../../src/commands/memory-policy.ts"
import { type OpenedLog, openLog } from "../../../src/log/store.ts"
import { ReplyBuffer } from "../../../src/net/resp/encoder.ts"
import { stateDigest } from "../../../src/projections/digest.ts"
import { Keyspace } from "../../../src/projections/keyspace.ts"
import { replay } from "../../../src/projections/replay.ts"
import { argvOf, TestConnection } from "../../support/harness.ts"
import { FakeClock, logOptions } from "../../support/log-writer.ts"
import { forSeeds, type Random } from "../../support/random.ts"
import { SimDisk } from "../../support/sim-disk.ts"
import { randomRequest, workloadDatabases } from "../../support/workload.ts"
import { oom, policies } from "./memory.ts"

const tenacities = [0, 10, 100]

class World {
  readonly clock = new FakeClock()
  readonly keyspace: Keyspace
  readonly executor: CommandExecutor
  readonly log: OpenedLog
  readonly connection: TestConnection
  limit = 0
  policy: typeof policies[number] = "noeviction"
  unlimited = false
  evicted = 0
  refused = 0
  private readonly random: Random
  private readonly out = new ReplyBuffer()
  private origins: Array<string> = []
  private usedBefore = 0

  constructor(random: Random, disk: SimDisk) {
    this.random = random
    this.log = openLog(disk, this.clock, logOptions({ policy: "no", segmentBytes: 65_536 }))
    this.keyspace = new Keyspace(workloadDatabases, { k0: random.uint32(), k1: random.uint32() })
    this.executor = new CommandExecutor({
      keyspace: this.keyspace,
      now: () => this.clock.now(),
      monotonic: () => this.clock.monotonic(),
      seed: random.uint32(),
      log: {
        failure: () => this.log.failure(),
        append: (time, db, origin, command, author, events, count) => {
          this.origins.push(origin)
          if (origin === "evict") {
            this.evicted++
            expect(count).toBe(1)
            expect(events[0]).toMatchObject({ _tag: "KeyEvicted", policy: this.policy })
            // Never more than needed: before each eviction the data was over the limit.
            expect(this.keyspace.usedBytes).toBeGreaterThan(this.limit)
          }
          if (origin === "client") this.usedBefore = this.keyspace.usedBytes
          return this.log.append(time, db, origin, command, author, events, count)
        }
      }
    })
    this.connection = new TestConnection(1, this.clock.now())
    this.change()
  }

  /** Another limit, policy and patience. */
  change(): void {
    const { random } = this
    this.limit = random.chance(0.2) ? 0 : random.between(4000, 24_000)
    this.policy = random.pick(policies)
    const tenacity = random.pick(tenacities)
    this.unlimited = tenacity === 100
    this.executor.limitMemory({
      ...noMemoryLimit(),
      limit: this.limit,
      policy: this.policy,
      samples: random.pick([1, 5, 1000]),
      tenacity
    })
  }

  run(): void {
    const words = randomRequest(this.random, this.clock.now())
    if (this.random.chance(0.1)) this.connection.client.db = this.random.below(workloadDatabases)
    this.origins = []
    this.executor.beginChunk()
    this.executor.execute(this.connection, argvOf(words), this.out)
    this.executor.endChunk()
    const reply = Buffer.concat(this.out.take().map((chunk) => Buffer.from(chunk))).toString("latin1")
    const argv = argvOf(words)
    const named = this.executor.table.find(argv.at(0))!
    const row = named.subcommands?.find(argv.at(1)) ?? named
    if (reply === oom) {
      this.refused++
      expect(row.denyOom).toBe(true)
      expect(this.keyspace.usedBytes).toBeGreaterThan(this.limit)
      expect(this.origins).not.toContain("client")
    } else if (this.limit > 0 && row.denyOom && this.unlimited && this.origins.includes("client")) {
      // Whatever a command adds, it began within the limit.
      expect(this.usedBefore).toBeLessThanOrEqual(this.limit)
    }
    // The command's own batch is the last.
    if (this.origins.includes("client")) expect(this.origins.indexOf("client")).toBe(this.origins.length - 1)
  }
}

describe("laws with a memory limit", () => {
  it("the fold of the log is the live data, evictions included", () => {
    let evicted = 0
    let refused = 0
    forSeeds(8, (random) => {
      const disk = new SimDisk()
      const world = new World(random, disk)
      const other = new Keyspace(workloadDatabases, { k0: 3, k1: 5 })
      let folded = 0
      for (let turn = 0; turn < 900; turn++) {
        for (let left = random.between(1, 20); left > 0; left--) world.run()
        if (random.chance(0.3)) world.executor.relieveMemory(1)
        if (random.chance(0.3)) world.executor.expire(1)
        if (random.chance(0.1)) world.executor.compact(1)
        world.log.commit()
        world.clock.advance(random.below(random.chance(0.1) ? 5000 : 30))
        disk.runPending()
        if (random.chance(0.03)) world.change()
        if (random.chance(0.01)) {
          const { sequence } = replay(other, world.log.read(folded + 1))
          if (sequence > 0) folded = sequence
          expect(stateDigest(other)).toBe(stateDigest(world.keyspace))
        }
      }
      other.clear()
      replay(other, world.log.read(1))
      expect(stateDigest(other)).toBe(stateDigest(world.keyspace))
      world.log.close()
      evicted += world.evicted
      refused += world.refused
    })
    expect(evicted).toBeGreaterThan(1000)
    expect(refused).toBeGreaterThan(1000)
  })

  it("the same seed evicts the same keys", () => {
    const bytesOf = (seed: number): string => {
      let text = ""
      const disk = new SimDisk()
      forSeeds(1, (random) => {
        const world = new World(random, disk)
        for (let i = 0; i < 3000; i++) world.run()
        world.log.close()
      }, { only: seed })
      for (const name of disk.files()) {
        if (name.startsWith("log/")) text += Buffer.from(disk.bytes(name)).toString("latin1")
      }
      return text
    }
    expect(bytesOf(4)).toBe(bytesOf(4))
    expect(bytesOf(4)).not.toBe(bytesOf(5))
  })
})
