/** DUMP and RESTORE between Annals and redis-server, both ways, for random values of every type and size. */
import { afterAll, beforeAll, describe, expect, it } from "vitest"
import { type ServerProcess, startAnnals } from "../support/processes.ts"
import { Random, scaled } from "../support/random.ts"
import { startRedis } from "../support/redis-server.ts"
import { plain, type RespClient } from "../support/resp-client.ts"
import { canCompare, redisTitle } from "./subject.ts"

const values = scaled(10_000)
const batch = 100

const text = (random: Random): Buffer => {
  const dice = random.fraction()
  if (dice < 0.4) return Buffer.from(`${random.between(-100_000, 100_000)}`)
  if (dice < 0.5) {
    return Buffer.from(`${random.pick([2 ** 31, -(2 ** 31) - 1, 2 ** 53 - 1, "9223372036854775807", "007"])}`)
  }
  if (dice < 0.8) return Buffer.from(random.bytes(random.below(40)))
  // Long and dull, so that Redis compresses it.
  if (dice < 0.98) return Buffer.from("abcabd".repeat(random.between(5, 60)))
  return Buffer.from(random.bytes(random.pick([64, 5000, 20_000])))
}
const several = (random: Random): Array<Buffer> =>
  Array.from({ length: random.chance(0.1) ? random.between(100, 700) : random.between(1, 12) }, () => text(random))

const request = (random: Random, key: string): Array<string | Buffer> => {
  const score = () => `${random.pick([random.between(-50, 50), random.fraction() * 1e6, "inf", "-inf", "1e-300"])}`
  switch (random.below(6)) {
    case 0:
      return ["SET", key, text(random)]
    case 1:
      return ["RPUSH", key, ...several(random)]
    case 2:
      return ["SADD", key, ...several(random)]
    case 3:
      return [
        "SADD",
        key,
        ...Array.from({ length: random.between(1, 700) }, () => `${random.between(-70_000, 70_000)}`)
      ]
    case 4:
      return ["HSET", key, ...several(random).flatMap((field) => [field, text(random)])]
    default:
      return ["ZADD", key, ...several(random).flatMap((member) => [score(), member])]
  }
}

describe.skipIf(!canCompare)(`DUMP and RESTORE against ${redisTitle}`, () => {
  let servers: ReadonlyArray<ServerProcess>
  let redis: RespClient
  let annals: RespClient

  beforeAll(async () => {
    const args = ["--enable-debug-command", "yes"]
    servers = [(await startRedis({ args }))!, await startAnnals({ args })]
    ;[redis, annals] = await Promise.all(servers.map((server) => server.client())) as [RespClient, RespClient]
  })
  afterAll(async () => {
    await Promise.all([redis?.close(), annals?.close()])
    await Promise.all(servers?.map((server) => server.stop()) ?? [])
  })

  const move = async (from: RespClient, to: RespClient, seed: number): Promise<void> => {
    const random = new Random(seed)
    for (let done = 0; done < values / 2; done += batch) {
      await Promise.all([from.command("FLUSHALL"), to.command("FLUSHALL")])
      const keys = Array.from({ length: batch }, (_, i) => `k${i}`)
      await from.pipeline(keys.map((key) => request(random, key)))
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
  it("moves values from Redis to Annals", () => move(redis, annals, seed), 120_000)
  it("moves values from Annals to Redis", () => move(annals, redis, seed), 120_000)

  it("refuses what is damaged, in Redis's words", async () => {
    await Promise.all([redis, annals].map((client) => client.command("FLUSHALL")))
    await redis.command("RPUSH", "l", "a", "b", "1")
    const dump = await redis.command("DUMP", "l")
    const bytes = dump.type === "bulk" ? dump.value : Buffer.alloc(0)
    for (let i = 0; i < bytes.length; i++) {
      const damaged = Buffer.from(bytes)
      damaged[i]! ^= 1
      const replies = await Promise.all([redis, annals].map((client) => client.command("RESTORE", "x", "0", damaged)))
      expect(plain(replies[1]!)).toEqual(plain(replies[0]!))
    }
  })

  it("keeps deadlines, idle times and frequencies as asked", async () => {
    for (const client of [redis, annals]) {
      await client.command("FLUSHALL")
      await client.command("SET", "k", "v")
      const dump = await client.command("DUMP", "k")
      const bytes = dump.type === "bulk" ? dump.value : Buffer.alloc(0)
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
