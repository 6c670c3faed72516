/** Links that are cut, split and damaged: nothing is applied twice or half, and both logs end the same. */
import { describe, expect, it } from "vitest"
import { Random } from "../support/random.ts"
import { type Fault, type SimServer, World } from "./world.ts"

/** A primary with some history over a few segments, and a replica that has seen none of it. */
const pair = (seed: number, requests: number): { world: World; primary: SimServer; replica: SimServer } => {
  const world = new World()
  const [primary, replica] = [world.server(), world.server()]
  primary.work(new Random(seed), requests)
  return { world, primary, replica }
}

const expectSame = (primary: SimServer, replica: SimServer, what: string): void => {
  expect(replica.sequence, what).toBe(primary.sequence)
  expect(replica.frames().equals(primary.frames()), what).toBe(true)
  expect(replica.digest, what).toBe(primary.digest)
  // Each batch once, in order, from wherever the log was made anew.
  const from = replica.folded[0] ?? 1
  expect(replica.folded, what).toEqual(Array.from({ length: replica.folded.length }, (_, i) => from + i))
  expect(replica.log.status().chainHead, what).toBe(primary.log.status().chainHead)
}

describe("a link", () => {
  it("brings the whole log, and then every frame", () => {
    const { primary, replica, world } = pair(1, 300)
    replica.follow(primary)
    world.settle()
    expectSame(primary, replica, "the past")
    for (let i = 0; i < 20; i++) {
      primary.work(new Random(i), 10)
      world.settle()
      expectSame(primary, replica, `the present, ${i}`)
    }
  })

  /** Runs an exchange under a fault of the first link; more is written meanwhile and afterwards. */
  const exchange = (seed: number, fault: Fault, piece: number): void => {
    const { primary, replica, world } = pair(seed, 40)
    const what = `seed ${seed}, ${JSON.stringify(fault)}, pieces of ${piece}`
    world.faults = [fault]
    world.piece = piece
    for (const { settings } of world.servers) Object.assign(settings, { timeoutMs: 1000, pingMs: 300 })
    replica.follow(primary)
    world.settle()
    primary.work(new Random(seed + 1), 10)
    world.settle()
    primary.work(new Random(seed + 2), 5)
    world.pass(200)
    for (let more = 0; more < 20 && replica.lsn !== primary.lsn; more++) world.pass(140)
    expectSame(primary, replica, what)
  }

  const length = ((): number => {
    const { primary, replica, world } = pair(7, 40)
    replica.follow(primary)
    world.settle()
    primary.work(new Random(8), 10)
    world.settle()
    return world.links[0]!.passed
  })()

  it("may be cut anywhere in the first exchange, and damaged anywhere", { timeout: 120_000 }, () => {
    for (let at = 0; at <= length; at += 61) {
      exchange(7, { cutAt: at }, 1 << 16)
      exchange(7, { flipAt: at + 11 }, 1 << 16)
    }
  })

  it("may bring its bytes in pieces of any size", () => {
    for (const piece of [1, 2, 3, 7, 39, 40, 41, 127, 128, 129, 1000]) exchange(7, {}, piece)
  })

  /**
   * The same two servers lose their link again and again, each time at another byte of what is exchanged when it comes up
   * again: the answers, frames of all kinds, the ends and the headers of segments, signs of life.
   */
  const again = (rounds: number, fault: (at: number) => Fault): void => {
    const { primary, replica, world } = pair(3, 20)
    for (const { settings } of world.servers) Object.assign(settings, { timeoutMs: 1000, pingMs: 300 })
    replica.follow(primary)
    world.settle()
    const random = new Random(9)
    for (let round = 0; round < rounds; round++) {
      for (const link of world.links) link.cut()
      for (let i = random.below(4); i >= 0; i--) {
        if (random.chance(0.1)) primary.work(random, 1)
        else primary.run("SET", `k${random.below(9)}`, "v".repeat(random.below(30)))
        if (random.chance(0.7)) primary.log.commit()
      }
      primary.log.commit()
      const what = fault(round % 700)
      world.faults = [what]
      world.piece = random.pick([1 << 16, 100, 13])
      world.pass(140)
      for (let more = 0; more < 20 && replica.lsn !== primary.lsn; more++) world.pass(140)
      expect(replica.sequence, `round ${round}, ${JSON.stringify(what)}`).toBe(primary.sequence)
      if (round % 200 === 0) expectSame(primary, replica, `round ${round}`)
    }
    expectSame(primary, replica, "the end")
    const { fullSyncs } = primary.replication.status()
    expect(fullSyncs).toBe(1)
  }

  it("may stall, be reset at one end only, fall silent, and come twice", { timeout: 60_000 }, () => {
    const { primary, replica, world } = pair(4, 20)
    for (const { settings } of world.servers) Object.assign(settings, { timeoutMs: 1000, pingMs: 300 })
    replica.follow(primary)
    world.settle()
    const random = new Random(10)
    let twice = 0
    for (let round = 0; round < 200; round++) {
      const link = world.links.at(-1)
      const what = random.pick(["stall", "reset", "silent", "half-open", "slow"])
      if (link !== undefined) {
        if (what === "stall") link.reading = false
        else if (what === "reset") link.events.closed("reset") // the primary does not hear of it
        else if (what !== "slow") link.silent = true
        if (what === "half-open") link.reading = false
      }
      world.piece = what === "slow" ? 1 : random.pick([1 << 16, 100])
      primary.work(random, 3)
      for (let i = random.below(80); i > 0; i--) {
        world.step()
        twice = Math.max(twice, primary.replication.feeds.all.size)
      }
      world.pass(random.pick([20, 200, 1300]))
      twice = Math.max(twice, primary.replication.feeds.all.size)
      for (const one of world.links) Object.assign(one, { reading: true, silent: false })
      for (let more = 0; more < 30 && replica.lsn !== primary.lsn; more++) world.pass(140)
      expect(replica.sequence, `round ${round}, ${what}`).toBe(primary.sequence)
    }
    expectSame(primary, replica, "the end")
    expect(twice).toBeGreaterThan(1)
    world.pass(3000)
    expect(primary.replication.feeds.all.size).toBe(1)
    expect(primary.replication.status().fullSyncs).toBe(1)
  })

  it("may be cut at any byte when it comes up again", { timeout: 120_000 }, () => {
    again(6000, (cutAt) => ({ cutAt }))
  })

  it("may damage any byte when it comes up again: the frame is not applied, and asked for again", {
    timeout: 120_000
  }, () => {
    again(5000, (flipAt) => ({ flipAt }))
  })
})
