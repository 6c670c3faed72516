/**
 * The laws everything rests on, under random workloads over all commands on strings, keys and databases:
 * the fold of the log is the live data; reading writes nothing; a batch is there whole or not at all; and the same seed
 * gives the same bytes.
 */
import { rmSync } from "node:fs"
import { afterAll, describe, expect, it } from "vitest"
import type { ControlPorts } from "../src/commands/executor/executor-ports.ts"
import { CommandExecutor } from "../src/commands/executor/executor.ts"
import { type Disk, nodeDisk } from "../src/log/disk.ts"
import type { LogOptions, OpenedLog } from "../src/log/store.ts"
import { openLog } from "../src/log/store.ts"
import { ReplyBuffer } from "../src/net/resp/encoder.ts"
import { stateDigest } from "../src/projections/digest.ts"
import { Keyspace } from "../src/projections/keyspace.ts"
import { replay } from "../src/projections/replay.ts"
import { argvOf, TestConnection } from "./support/harness.ts"
import { FakeClock, logOptions } from "./support/log-writer.ts"
import { temporaryDir } from "./support/processes.ts"
import { forSeeds, Random } from "./support/random.ts"
import { SimDisk } from "./support/sim-disk.ts"
import { randomRequest, randomTransaction, workloadDatabases } from "./support/workload.ts"

/** What one command appended. */
interface Appended {
  readonly origin: string
  readonly tags: ReadonlyArray<string>
}

/** An executor over a real log, driven by a seed. */
class World {
  readonly clock = new FakeClock()
  readonly random: Random
  readonly keyspace: Keyspace
  readonly executor: CommandExecutor
  readonly connections: ReadonlyArray<TestConnection>
  log: OpenedLog
  commands = 0
  private readonly out = new ReplyBuffer()
  /** Where the log is folded a second time; of another seed, so that nothing depends on how entries lie. */
  private readonly other = new Keyspace(workloadDatabases, { k0: 3, k1: 5 })
  /** Sequence up to which it is. */
  private folded = 0
  private readonly disk: Disk
  private readonly options: LogOptions
  private appended: Array<Appended> = []
  /** What connections go on with: the rest of a transaction. */
  private readonly scripts = new Map<TestConnection, Array<ReadonlyArray<string>>>()
  /** Transactions that were run, that were taken back, and batches over several databases. */
  readonly executed = { whole: 0, takenBack: 0, unchanged: 0 }
  mixed = 0

  constructor(random: Random, disk: Disk, options: Partial<LogOptions> = {}) {
    this.random = random
    this.disk = disk
    this.options = logOptions({ policy: "no", ...options })
    this.log = openLog(disk, this.clock, this.options)
    this.keyspace = new Keyspace(workloadDatabases, { k0: random.uint32(), k1: random.uint32() })
    replay(this.keyspace, this.log.read(1))
    this.executor = new CommandExecutor({
      keyspace: this.keyspace,
      now: () => this.clock.now(),
      monotonic: () => this.clock.monotonic(),
      seed: random.uint32(),
      log: {
        failure: () => this.log.failure(),
        append: (time, db, origin, command, author, events, count, dbs) => {
          this.appended.push({ origin, tags: events.slice(0, count).map((event) => event._tag) })
          if (dbs !== undefined) this.mixed++
          return this.log.append(time, db, origin, command, author, events, count, dbs)
        }
      }
    })
    this.executor.attach({} as ControlPorts) // none of the workload's commands asks for them
    this.connections = Array.from({ length: 4 }, (_, i) => new TestConnection(i + 1, this.clock.now()))
  }

  /** Runs one request and checks what it may have appended. */
  run(connection: TestConnection, words: ReadonlyArray<string>): string {
    this.appended = []
    this.commands++
    this.executor.beginChunk()
    this.executor.execute(connection, argvOf(words), this.out)
    this.executor.endChunk()
    const reply = Buffer.concat(this.out.take().map((chunk) => Buffer.from(chunk))).toString("latin1")
    const own = this.appended.filter(({ origin }) => origin === "client")
    const others = this.appended.filter(({ origin }) => origin !== "client")
    const isExec = words[0] === "EXEC"
    if (isExec && reply.startsWith("*-1")) this.executed.unchanged++
    else if (isExec && reply.startsWith("-EXECABORT Transaction rolled back")) this.executed.takenBack++
    else if (isExec && own.length > 0) this.executed.whole++
    const argv = argvOf(words)
    const named = this.executor.table.find(argv.at(0))!
    const row = named.subcommands?.find(argv.at(1)) ?? named
    // PFCOUNT keeps its count in the value, as Redis does: the only reading command that changes something.
    const writes = isExec || words[0] === "PFCOUNT" || row.write
    const wrong = isExec && others.length > 0
      ? "a batch beside that of EXEC"
      : others.some(({ origin, tags }) => origin !== "expire" || !/^(KeyExpired|HashFieldsExpired)$/.test(tags.join()))
      ? "a batch of another origin that is not one expired key or fields of one hash"
      : own.length > 1
      ? "more than one batch"
      : own.length === 1 && this.appended.at(-1) !== own[0]
      ? "a key expired after the command's own batch"
      : own.length === 1 && (own[0]!.tags.length === 0 || !writes)
      ? "a batch without events, or one of a reading command"
      : own.length === 1 && reply.startsWith("-")
      ? "a batch of a refused command"
      : undefined
    if (wrong !== undefined) {
      throw new Error(`${wrong}: ${JSON.stringify(words)} answered ${reply}, ${JSON.stringify(this.appended)}`)
    }
    return reply
  }

  /** One turn of the event loop: some requests of some connections, then one frame. */
  turn(): void {
    const { clock, random } = this
    for (let left = random.between(1, random.chance(0.1) ? 60 : 12); left > 0; left--) {
      const connection = random.pick(this.connections)
      if (random.chance(0.1)) connection.client.db = random.below(workloadDatabases)
      if (random.chance(0.01)) {
        connection.client.name = `name-${random.below(9)}`
        connection.client.changed()
      }
      this.run(connection, this.nextRequest(connection))
    }
    if (random.chance(0.3)) this.executor.expire(1)
    this.log.commit()
    if (random.chance(0.5)) clock.advance(random.below(40))
    if (random.chance(0.02)) clock.advance(random.below(3000))
    if (random.chance(0.01)) clock.wall -= random.below(5000)
    if (random.chance(0.2)) this.log.tick()
  }

  /** The next request of a connection's transaction, or a request on its own. */
  private nextRequest(connection: TestConnection): ReadonlyArray<string> {
    const { clock, random } = this
    const script = this.scripts.get(connection)
    if (script !== undefined && script.length > 0) return script.shift()!
    if (!random.chance(0.08)) return randomRequest(random, clock.now())
    const [first, ...rest] = randomTransaction(random, clock.now())
    this.scripts.set(connection, rest)
    return first!
  }

  /** The data as the log alone gives it, from its beginning. */
  replayed(until?: number): string {
    this.other.clear()
    this.folded = 0
    return this.replayedOn(until)
  }

  /** The same, from where the log was folded to the last time: what lies before is folded once, not at each look. */
  replayedOn(until?: number): string {
    const { sequence } = replay(this.other, this.log.read(this.folded + 1), until)
    if (sequence > 0) this.folded = sequence
    return stateDigest(this.other)
  }

  /** The process ends and another one opens the directory. */
  reopen(): void {
    this.log.close()
    this.log = openLog(this.disk, this.clock, this.options)
    for (const { client } of this.connections) client.logged = { segment: -1, revision: -1, ref: 0 }
  }
}

/** A transaction over three databases. */
const transfer = (turn: number): Array<Array<string>> => [
  ["MULTI"],
  ["SET", "pair0", `taken ${turn}`],
  ["SELECT", "1"],
  ["SET", "pair0", `given ${turn}`],
  ["INCR", "transfers"],
  ["SWAPDB", "1", "2"],
  ["SELECT", "0"],
  ["DEL", "pair1"],
  ["EXEC"]
]

const logBytes = (disk: SimDisk): Map<string, string> =>
  new Map(
    disk.files().filter((name) => name.startsWith("log/"))
      .map((name) => [name, Buffer.from(disk.bytes(name)).toString("latin1")])
  )

const real = temporaryDir("laws")
afterAll(() => rmSync(real, { recursive: true, force: true }))

describe("laws", () => {
  it("the live data is the fold of the log, at random points of random workloads", () => {
    let commands = 0
    let points = 0
    forSeeds(6, (random) => {
      const disk = new SimDisk()
      const world = new World(random, disk, { segmentBytes: random.pick([4096, 16_384, 262_144]) })
      while (world.commands < 21_000) {
        world.turn()
        disk.runPending()
        if (random.chance(0.009)) {
          points++
          expect(world.replayedOn()).toBe(stateDigest(world.keyspace))
        }
        if (random.chance(0.002)) world.reopen()
      }
      expect(world.replayed()).toBe(stateDigest(world.keyspace))
      expect(world.executor.statistics.expiredKeys).toBeGreaterThan(100)
      expect(world.executed.whole).toBeGreaterThan(100)
      expect(world.executed.takenBack).toBeGreaterThan(10)
      expect(world.executed.unchanged).toBeGreaterThan(10)
      expect(world.mixed).toBeGreaterThan(20)
      commands += world.commands
    })
    expect(commands).toBeGreaterThan(100_000)
    expect(points).toBeGreaterThan(50)
  })

  it("holds on a real directory with tiny segments, across reopenings", () => {
    const random = new Random(77)
    const world = new World(random, nodeDisk(real), { segmentBytes: 4096 })
    while (world.commands < 12_000) {
      world.turn()
      if (random.chance(0.004)) {
        const before = stateDigest(world.keyspace)
        world.reopen()
        expect(world.replayed()).toBe(before)
      }
    }
    const live = stateDigest(world.keyspace)
    world.log.close()
    const again = new World(new Random(78), nodeDisk(real), { segmentBytes: 4096 })
    expect(again.log.recovery.verdict).toBe("clean")
    expect(again.log.status().segments).toBeGreaterThan(20)
    expect(stateDigest(again.keyspace)).toBe(live)
    again.log.close()
  })

  it("gives any past sequence: each prefix of the log folds to the data of its moment", () => {
    forSeeds(4, (random) => {
      const world = new World(random, new SimDisk())
      const moments: Array<readonly [number, string]> = []
      while (world.commands < 4000) {
        world.turn()
        if (random.chance(0.05)) moments.push([world.log.sequence(), stateDigest(world.keyspace)])
      }
      for (const [i, [sequence, digest]] of moments.entries()) {
        expect(i % 4 === 0 ? world.replayed(sequence) : world.replayedOn(sequence)).toBe(digest)
      }
    })
  })

  it("writes the same bytes for the same seed", () => {
    const bytesOf = (seed: number): Map<string, string> => {
      const disk = new SimDisk()
      const world = new World(new Random(seed), disk)
      while (world.commands < 3000) {
        world.turn()
        disk.runPending()
      }
      world.log.close()
      return logBytes(disk)
    }
    for (const seed of [1, 2, 3]) expect(bytesOf(seed)).toEqual(bytesOf(seed))
    expect(bytesOf(1)).not.toEqual(bytesOf(2))
  })

  it("keeps every batch whole or leaves it out, wherever the log is cut", () => {
    forSeeds(3, (random) => {
      const disk = new SimDisk()
      const world = new World(random, disk, { segmentBytes: 1 << 16 })
      const [connection] = world.connections as [TestConnection]
      /** Digest after each batch. */
      const after = [stateDigest(world.keyspace)]
      const run = (...words: Array<string>): void => {
        world.run(connection, words)
        after[world.log.sequence()] = stateDigest(world.keyspace)
      }
      for (let turn = 0; turn < 12; turn++) {
        for (let i = random.between(1, 3); i > 0; i--) {
          run("MSET", ...Array.from({ length: 5 }, (_, n) => [`pair${n}`, `${turn}.${i}`]).flat())
          if (random.chance(0.3)) run("DEL", "pair0", "pair1", "pair2")
        }
        if (turn % 3 === 0) {
          for (const request of transfer(turn)) run(...request)
        }
        world.log.commit()
      }
      const name = disk.files().find((file) => file.endsWith(".evl"))!
      const bytes = disk.bytes(name)
      const seen = new Set<number>()
      const fresh = new Keyspace(workloadDatabases, { k0: 3, k1: 5 })
      for (let length = 128; length <= bytes.length; length += length < bytes.length - 600 ? 23 : 1) {
        const cut = new SimDisk()
        cut.put(name, bytes.slice(0, length))
        const log = openLog(cut, world.clock, logOptions({ policy: "no", segmentBytes: 1 << 16 }))
        fresh.clear()
        const { sequence } = replay(fresh, log.read(1))
        seen.add(sequence)
        if (stateDigest(fresh) !== after[sequence]) {
          throw new Error(`cut at byte ${length}: the data is not that of sequence ${sequence}`)
        }
        log.abandon()
      }
      // Every turn was one frame: so many states, and no others.
      expect(seen.size).toBe(13)
    })
  })
})
