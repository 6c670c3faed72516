/** DUMP and RESTORE between Annals and redis-server, both ways, for random values of every type and size. */
import { describe, expect, it } from "vitest"
import { Random, scaled } from "../support/random.ts"
import { plain, type RespClient } from "../support/resp-client.ts"
import { dumped, valueRequest } from "./dumps.ts"
import { bothServers, canCompare, redisTitle } from "./subject.ts"

const values = scaled(10_000)
const batch = 100

describe.skipIf(!canCompare)(`DUMP and RESTORE against ${redisTitle}`, () => {
  const { clients } = bothServers()

  const move = async (from: RespClient, to: RespClient, seed: number): Promise<void> => {
    const random = new Random(seed)
    for (let done = 0; done < values / 2; done += batch) {
      await Promise.all([from.command("FLUSHALL"), to.command("FLUSHALL")])
      const keys = Array.from({ length: batch }, (_, i) => `k${i}`)
      await from.pipeline(keys.map((key) => valueRequest(random, key)))
      const dumps = await from.pipeline(keys.map((key) => ["DUMP", key]))
      const restored = await to.pipeline(keys.map((key, i) => {
        const dump = dumps[i]!
        return ["RESTORE", key, "0", dump.type === "bulk" ? dump.value : ""]
      }))
      expect(restored.map(plain), `seed ${seed}`).toEqual(keys.map(() => "OK"))
      const digests = keys.map((key) => ["DEBUG", "DIGEST-VALUE", key])
      const [left, right] = await Promise.all([from.pipeline(digests), to.pipeline(digests)])
      expect(right.map(plain), `seed ${seed}`).toEqual(left.map(plain))
    }
  }

  const seed = (Math.random() * 0x7fffffff) | 0
  it("moves values from Redis to Annals", () => move(clients[0]!, clients[1]!, seed), 120_000)
  it("moves values from Annals to Redis", () => move(clients[1]!, clients[0]!, seed), 120_000)

  it("refuses what is damaged, in Redis's words", async () => {
    await Promise.all(clients.map((client) => client.command("FLUSHALL")))
    const redis = clients[0]!
    await redis.command("RPUSH", "l", "a", "b", "1")
    const bytes = await dumped(redis, "l")
    for (let i = 0; i < bytes.length; i++) {
      const damaged = Buffer.from(bytes)
      damaged[i]! ^= 1
      const replies = await Promise.all(clients.map((client) => client.command("RESTORE", "x", "0", damaged)))
      expect(plain(replies[1]!)).toEqual(plain(replies[0]!))
    }
  })

  it("keeps deadlines, idle times and frequencies as asked", async () => {
    for (const client of clients) {
      await client.command("FLUSHALL")
      await client.command("SET", "k", "v")
      const bytes = await dumped(client, "k")
      expect(await client.command("RESTORE", "k", "0", bytes)).toMatchObject({
        type: "error",
        value: expect.stringMatching(/^BUSYKEY /)
      })
      expect(plain(await client.command("RESTORE", "k", "100000", bytes, "REPLACE", "IDLETIME", "1000"))).toBe("OK")
      expect(Number(plain(await client.command("OBJECT", "IDLETIME", "k")))).toBeGreaterThanOrEqual(1000)
      expect(Number(plain(await client.command("PTTL", "k")))).toBeGreaterThan(90_000)
      expect(plain(await client.command("RESTORE", "k", "4102444800123", bytes, "REPLACE", "ABSTTL"))).toBe("OK")
      expect(plain(await client.command("PEXPIRETIME", "k"))).toBe(4102444800123)
      expect(plain(await client.command("RESTORE", "k", "1", bytes, "REPLACE", "ABSTTL"))).toBe("OK")
      expect(plain(await client.command("EXISTS", "k"))).toBe(0)
    }
  })
})
