/**
 * Servers that crash, lose what was not synced, are promoted and follow each other in any order: whoever is followed in
 * the end, everybody comes to have its log and its data, what differed is set aside, and nobody loses without saying so.
 */
import { describe, expect, it } from "vitest"
import { Random } from "../support/random.ts"
import { type SimServer, World } from "./world.ts"

/** Three servers and random events; returns what happened, for the message of a failure. */
const live = (seed: number, steps: number): void => {
  const random = new Random(seed)
  const world = new World()
  const servers = [0, 1, 2].map(() => world.server({ policy: random.pick(["always", "everysec", "no"]) }))
  for (const { settings } of servers) {
    Object.assign(settings, { timeoutMs: 2000, pingMs: 300, wholeLogBytes: random.pick([0, 20_000, 1 << 20]) })
  }
  const story: Array<string> = []
  const tell = (what: string): void => void story.push(what)
  const isReplica = (server: SimServer): boolean => server.executor.gate.replica
  try {
    for (let i = 0; i < steps; i++) {
      const dice = random.fraction()
      const server = random.pick(servers)
      world.piece = random.pick([1 << 16, 500, 64])
      if (dice < 0.4) {
        const primaries = servers.filter((one) => one.alive && !isReplica(one) && one.executor.pause === "none")
        if (primaries.length > 0) random.pick(primaries).work(random, random.between(1, 12))
      } else if (dice < 0.6) world.pass(random.pick([20, 100, 400, 1200]))
      else if (dice < 0.7) { for (let n = random.below(30); n > 0; n--) world.step() }
      else if (dice < 0.78) {
        const target = random.pick(servers)
        if (server.alive && target !== server && !server.executor.loading) {
          tell(`${server.name} follows ${target.name}`)
          if (!server.follow(target)) tell("not now")
        }
      } else if (dice < 0.83) {
        if (server.alive && !server.executor.loading) {
          tell(`${server.name} leads`)
          server.replication.lead()
        }
      } else if (dice < 0.93) {
        if (server.alive) {
          const power = random.chance(0.5)
          tell(`${server.name} ${power ? "loses power" : "is killed"} at ${server.lsn}`)
          server.crash(random, power)
        } else {
          server.open()
          tell(`${server.name} starts at ${server.lsn}`)
        }
      } else if (dice < 0.96) { for (const link of world.links) link.cut() }
      else if (server.alive && server.sequence > 0) server.checkpoint()
    }
    // Everything heals, and all follow one.
    for (const server of servers) if (!server.alive) server.open()
    const primary = random.pick(servers)
    world.pass(200)
    for (let i = 0; isReplica(primary) && i < 50; i++) {
      primary.replication.lead()
      world.pass(100)
    }
    tell(`all follow ${primary.name} at ${primary.lsn}`)
    for (const server of servers) while (server !== primary && !server.follow(primary)) world.pass(100)
    for (let round = 0; round < 3; round++) {
      primary.work(random, 5)
      for (let i = 0; i < 100 && servers.some((server) => server.lsn !== primary.lsn); i++) world.pass(200)
      world.settle()
      for (const server of servers) {
        expect(server.sequence).toBe(primary.sequence)
        expect(server.digest).toBe(primary.digest)
        expect(server.log.status().chainHead).toBe(primary.log.status().chainHead)
      }
    }
    // And it is what is on the disks.
    for (const server of servers) {
      const { digest, sequence } = server
      server.crash(random, false)
      server.open()
      expect([server.sequence, server.digest]).toEqual([sequence, digest])
    }
  } catch (cause) {
    throw new Error(`seed ${seed}: ${story.join("; ")}`, { cause })
  }
}

describe("servers", () => {
  it("agree in the end, whatever happened", { timeout: 180_000 }, () => {
    for (let seed = 1; seed <= 50; seed++) live(seed, 120)
  })
})
