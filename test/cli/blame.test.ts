/** Elements against a model in which each value is used once, so that it says itself which batch it came with. */
import { describe, expect, it } from "vitest"
import { stateDigest } from "../../src/projections/digest.ts"
import { HistoryWorld } from "../history/world.ts"
import { CheckpointWorld } from "../support/checkpoint-world.ts"
import { forSeeds, Random, scaled } from "../support/random.ts"
import { SimDisk } from "../support/sim-disk.ts"
import { Desk, fingerprint } from "./world.ts"

describe("annals blame", () => {
  it("is right for every element, whatever was done to its key, its name and its database", async () => {
    const seeds: Array<readonly [Random, number]> = []
    forSeeds(scaled(6), (random, seed) => void seeds.push([random, seed]))
    for (const [random, seed] of seeds) {
      const world = new HistoryWorld()
      const [connection] = world.connections
      const came = new Map<string, number>()
      let next = 0
      const fresh = (): string => `${++next}`
      const run = (...words: ReadonlyArray<string>): void => {
        const from = next
        const before = world.log.sequence()
        world.run(connection!, ...words)
        if (world.log.sequence() > before) {
          for (const word of words) if (Number(word) > 0 && !came.has(word)) came.set(word, world.log.sequence())
        }
        expect(next).toBe(from)
        world.commit()
      }
      const index = (): string => String(random.between(-4, 4))
      for (let i = 0; i < 120; i++) {
        const name = random.pick(["a", "a", "b"])
        const other = random.pick(["a", "b"])
        const [list, hash, zset] = [`l${name}`, `h${name}`, `z${name}`]
        const request = random.pick<() => ReadonlyArray<string>>([
          () => [random.pick(["LPUSH", "RPUSH"]), list, ...Array.from({ length: random.between(1, 4) }, fresh)],
          () => ["LSET", list, index(), fresh()],
          () => ["LINSERT", list, random.pick(["BEFORE", "AFTER"]), String(random.between(1, next + 1)), fresh()],
          () => [random.pick(["LPOP", "RPOP"]), list],
          () => ["LREM", list, "0", String(random.between(1, next + 1))],
          () => ["LTRIM", list, "0", String(random.between(2, 12))],
          () => ["HSET", hash, `f${random.below(6)}`, fresh()],
          () => ["HDEL", hash, `f${random.below(6)}`],
          () => ["ZADD", zset, fresh(), `m${random.below(6)}`],
          () => ["ZREMRANGEBYRANK", zset, "0", "0"],
          () => ["RENAME", random.pick([list, hash, zset]), `${random.pick(["l", "h", "z"])}${other}`],
          () => ["COPY", random.pick([list, hash, zset]), `${random.pick(["l", "h", "z"])}${other}`, "REPLACE"],
          () => ["SWAPDB", "0", "1"],
          () => ["MOVE", list, random.pick(["0", "1"])],
          () => ["SELECT", random.pick(["0", "1"])],
          () => ["DEL", random.pick([list, hash, zset])]
        ])()
        run(...request)
      }
      const desk = new Desk()
      desk.now = world.clock.now()
      desk.disks.set("data", world.disk)
      const before = fingerprint(world.disk)
      for (const db of [0, 1]) {
        for (const key of ["la", "lb", "ha", "hb", "za", "zb"]) {
          for (const row of await desk.json(`blame ${key} --db ${db} --dir data`)) {
            const value = row.type === "list" ? row.element : row.type === "hash" ? row.value : String(row.score)
            expect(row.sequence, `seed ${seed}, db ${db}, ${key}: ${JSON.stringify(row)}`).toBe(came.get(value))
          }
        }
      }
      expect(fingerprint(world.disk)).toBe(before)
    }
  })
})

describe("a log whose beginning retention has dropped", () => {
  it("is verified, blamed, asked and restored as far as it goes", async () => {
    const disk = new SimDisk()
    disk.immediate = true
    const world = new CheckpointWorld(new Random(77), disk, { segmentBytes: 4096 })
    const fill = (until: number): void => {
      while (world.log.sequence() < until) {
        world.run("SET", `filler${world.log.sequence()}`, "y".repeat(100))
        world.log.commit()
      }
    }
    world.run("HSET", "user", "name", "ann", "mail", "a@b")
    world.run("RPUSH", "list", "x")
    fill(100)
    world.checkpoint()
    const middle = world.log.sequence()
    world.run("HSET", "user", "mail", "c@d")
    world.run("RPUSH", "list", "y")
    world.run("SET", "bal", "-1")
    const digest = stateDigest(world.keyspace)
    const at = world.log.sequence()
    fill(200)
    const dropped = world.log.upkeep.retain({ by: "sequences", count: 1 }, middle, world.clock.now())
    expect(dropped.length).toBeGreaterThan(0)
    for (let i = 0; i < 60; i++) {
      world.clock.advance(50)
      world.log.tick()
      disk.runPending()
    }
    world.log.close()
    const desk = new Desk()
    desk.now = world.clock.now() + 1000
    desk.disks.set("data", disk)
    const before = fingerprint(disk)
    expect((await desk.run("verify --dir data --folds")).out).toContain("was made of is not in the log any more")
    const rows = await desk.json("blame user --dir data")
    expect(rows.map(({ field, sequence }) => [field, sequence])).toEqual([["name", null], ["mail", middle + 1]])
    expect((await desk.run("blame list --dir data")).out).toContain("before the log begins")
    expect((await desk.json(["when", "GET bal < 0", "--dir", "data"]))[0]).toMatchObject({ found: true, sequence: at })
    desk.typed = ["q"]
    expect((await desk.run(`step ${middle + 1} --dir data`)).out).toContain("~ \"mail\": \"a@b\" → \"c@d\"")
    expect((await desk.run("history user --from 1 --dir data")).err).toContain("was dropped by history-retention")
    expect((await desk.run("restore --dir data --to 50 --out o")).code).toBe(1)
    expect((await desk.run(`restore --dir data --to ${at} --out o`)).code).toBe(0)
    expect((await desk.run("verify --dir o --folds")).code).toBe(0)
    const { openLog } = await import("../../src/log/store.ts")
    const { StartUp } = await import("../../src/persistence/start-up.ts")
    const { Keyspace } = await import("../../src/projections/keyspace.ts")
    const log = openLog(desk.disks.get("o")!, world.clock, world.options)
    const keyspace = new Keyspace(16, { k0: 3, k1: 4 })
    new StartUp({ keyspace, log, store: log.checkpoints, warn: (text) => expect.fail(text) }).run()
    expect(stateDigest(keyspace)).toBe(digest)
    log.close()
    expect(fingerprint(disk)).toBe(before)
  })
})
