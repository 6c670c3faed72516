/** What is published on a primary is heard on its replicas: in order, once, behind the writes it came after, or not at all. */
import { describe, expect, it } from "vitest"
import { Random } from "../support/random.ts"
import { type SimServer, World } from "./world.ts"

/** Publishes its number and the sequence of the last write before it, among writes. */
const talk = (server: SimServer, random: Random, from: number, count: number): void => {
  for (let i = from; i < from + count; i++) {
    for (let n = random.below(3); n > 0; n--) server.run("SET", `k${random.below(9)}`, "v".repeat(random.below(60)))
    server.run(random.chance(0.3) ? "SPUBLISH" : "PUBLISH", `c${i % 3}`, `${i} ${server.sequence}`)
    if (random.chance(0.4)) server.log.commit()
  }
  server.log.commit()
}

/** The numbers of the messages heard; each must come after the write it was published after. */
const numbers = (server: SimServer): ReadonlyArray<number> =>
  server.heard.map(([, , text, at]) => {
    const [number, sequence] = text.split(" ").map(Number)
    expect(at, text).toBeGreaterThanOrEqual(sequence!)
    return number!
  })

const upTo = (count: number): ReadonlyArray<number> => Array.from({ length: count }, (_, i) => i)

describe("messages", () => {
  it("reach replicas and their replicas, each once, in order, and none is in the log", () => {
    const world = new World()
    const [primary, replica, third] = [world.server(), world.server(), world.server()]
    const random = new Random(1)
    expect(primary.run("PUBLISH", "c", "nobody follows")).toBe(":0\r\n")
    replica.follow(primary)
    world.settle()
    third.follow(replica)
    world.pass(200)
    for (let i = 0; i < 200; i += 10) {
      world.piece = random.pick([1, 7, 33, 1 << 16])
      talk(primary, random, i, 10)
      world.settle()
    }
    world.pass(40)
    expect(numbers(replica)).toEqual(upTo(200))
    expect(third.heard).toEqual(replica.heard)
    expect(new Set(replica.heard.map(([to]) => to))).toEqual(new Set(["channel", "shard"]))
    expect(third.frames().equals(primary.frames())).toBe(true)
    expect(primary.frames().includes("EMS1")).toBe(false)
    // What a replica's own clients publish stays there.
    replica.run("PUBLISH", "c", "200 0")
    primary.run("MULTI")
    primary.run("SET", "a", "1")
    primary.run("PUBLISH", "c", `200 ${primary.sequence + 1}`)
    primary.run("EXEC")
    primary.log.commit()
    world.pass(40)
    expect(numbers(third).at(-1)).toBe(200)
    expect(third.heard.length).toBe(201)
  })

  it(
    "that are cut or damaged on their way are not heard; the others are, once and in order",
    { timeout: 180_000 },
    () => {
      const world = new World()
      const [primary, replica] = [world.server(), world.server()]
      const random = new Random(2)
      for (const { settings } of world.servers) Object.assign(settings, { timeoutMs: 1000, pingMs: 300 })
      replica.follow(primary)
      world.settle()
      const rounds = 1000
      for (let round = 0; round < rounds; round++) {
        for (const link of world.links) link.cut()
        const at = 100 + round % 500
        world.faults = [round % 2 === 0 ? { cutAt: at } : { flipAt: at }]
        world.piece = random.pick([1 << 16, 50])
        world.pass(140)
        talk(primary, random, 2 * round, 2)
        for (let more = 0; more < 20 && replica.lsn !== primary.lsn; more++) world.pass(140)
        expect(replica.sequence).toBe(primary.sequence)
      }
      expect(replica.digest).toBe(primary.digest)
      const heard = numbers(replica)
      for (let i = 1; i < heard.length; i++) expect(heard[i]).toBeGreaterThan(heard[i - 1]!)
      expect(heard.length).toBeGreaterThan(rounds / 2)
    }
  )

  it("wait for a replica that is behind, up to a limit, and for one that stays behind", () => {
    const world = new World()
    const [primary, replica, late] = [world.server(), world.server(), world.server()]
    replica.follow(primary)
    late.follow(primary, { delayMs: 1000 })
    world.pass(100)
    const link = world.links.find(({ owner }) => owner === replica)!
    link.reading = false
    for (let i = 0; i < 40; i++) {
      primary.run("SET", "k", "x".repeat(60_000))
      primary.log.commit()
      primary.run("PUBLISH", "c", `${i} ${primary.sequence}`)
      world.pass(20)
    }
    expect(link.waiting).toBeLessThan(1_300_000)
    expect(late.heard).toEqual([])
    link.reading = true
    world.pass(100)
    expect(numbers(replica)).toEqual(upTo(40))
    world.pass(1100)
    expect(numbers(late)).toEqual(upTo(40))
    link.reading = false
    for (let i = 40; i < 80; i++) {
      primary.run("SET", "k", "x".repeat(60_000))
      primary.log.commit()
      primary.run("PUBLISH", "c", `${i} ${primary.sequence} ${"x".repeat(50_000)}`)
      world.pass(20)
    }
    link.reading = true
    world.pass(2000)
    expect(primary.warnings.filter((text) => text.includes("it misses some"))).toHaveLength(2)
    const heard = numbers(replica)
    expect([heard.length < 80, heard.length > 40]).toEqual([true, true])
    expect(replica.digest).toBe(primary.digest)
  })

  it("that are published while the disk takes nothing wait for the write before them", () => {
    const world = new World()
    const [primary, replica] = [world.server(), world.server()]
    replica.follow(primary)
    world.settle()
    primary.disk.fail({ operation: "write", file: /log\/.*evl/, code: "ENOSPC", times: 20 })
    primary.run("SET", "a", "1")
    primary.run("PUBLISH", "c", `0 ${primary.sequence}`)
    primary.log.commit()
    world.pass(100)
    expect(replica.heard).toEqual([])
    world.pass(3000)
    expect(numbers(replica)).toEqual([0])
  })
})
