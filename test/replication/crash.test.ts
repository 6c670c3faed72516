/** kill -9 of either side at random moments, under load: the replica resumes, and both hold the same. */
import { setTimeout as delay } from "node:timers/promises"
import { describe, expect, it } from "vitest"
import { Random } from "../support/random.ts"
import { encodeRequest } from "../support/resp-client.ts"
import { caughtUp, digests, Node, stopAfterEach } from "./servers.ts"

stopAfterEach()

/** Writes in pipelines until it is told to stop or the connection is gone. */
const load = (node: Node, seed: number): { readonly stop: () => Promise<void> } => {
  let stopped = false
  const random = new Random(seed)
  const running = (async () => {
    const client = await node.server.client()
    try {
      while (!stopped) {
        const requests: Array<Buffer> = []
        for (let i = 0; i < 50; i++) {
          requests.push(encodeRequest(random.pick([
            ["SET", `k${random.below(2000)}`, "x".repeat(random.below(200))],
            ["INCR", `n${random.below(100)}`],
            ["RPUSH", `l${random.below(50)}`, `${i}`],
            ["LPOP", `l${random.below(50)}`],
            ["SADD", `s${random.below(50)}`, `${random.below(100)}`],
            ["HSET", `h${random.below(50)}`, `f${random.below(20)}`, `${i}`],
            ["ZADD", `z${random.below(50)}`, `${random.below(1000)}`, `m${random.below(50)}`],
            ["SET", `e${random.below(100)}`, "1", "PX", `${random.between(1, 200)}`]
          ])))
        }
        await client.raw(Buffer.concat(requests), requests.length)
      }
    } catch {
      // It was killed.
    } finally {
      await client.close()
    }
  })()
  return {
    stop: () => {
      stopped = true
      return running
    }
  }
}

describe("kill -9", { timeout: 180_000 }, () => {
  it("of either side, again and again, costs no full sync and no difference", async () => {
    const random = new Random(11)
    const args = ["--log-segment-bytes", "16384"]
    const [primary, replica] = await Promise.all([Node.start(...args), Node.start(...args)])
    await replica.follow(primary)
    await caughtUp(primary, replica)
    for (let round = 0; round < 4; round++) {
      const writing = load(primary, round)
      await delay(random.between(10, 400))
      const victims = random.pick([[primary], [replica], [primary, replica]])
      await Promise.all(victims.map((victim) => victim.kill()))
      await writing.stop()
      await Promise.all(victims.map((victim) => victim.restart()))
      await caughtUp(primary, replica)
      const [one, other] = await digests(primary, replica)
      expect(other, `round ${round}`).toBe(one)
      const stats = await primary.info("stats")
      if (victims.includes(primary)) expect(stats.sync_full).toBe("0")
      expect((await replica.info()).replication_set_aside_batches).toBe("0")
    }
    // The replica is gone, much is written, and both have to start again.
    await replica.kill()
    for (let i = 0; i < 10; i++) await primary.ask("DEBUG", "POPULATE", "20", `big${i}`, "50000")
    await primary.kill()
    await Promise.all([primary.restart(), replica.restart()])
    await caughtUp(primary, replica)
    expect(await digests(replica)).toEqual(await digests(primary))
    const { sync_full, sync_partial_ok } = await primary.info("stats")
    expect([sync_full, sync_partial_ok]).toEqual(["0", "1"])
    expect(Number((await primary.info("eventlog")).log_segments)).toBeGreaterThan(3)
  })
})
