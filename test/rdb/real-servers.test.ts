/** Files of redis-server imported, and files written here loaded by it: all types, all databases, deadlines. */
import { readdirSync, readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { describe, expect, it } from "vitest"
import { digest } from "../../src/projections/digest.ts"
import type { Keyspace } from "../../src/projections/keyspace.ts"
import { parseManifest } from "../../src/rdb/aof-reader.ts"
import { RdbFileWriter, writeKeyspace } from "../../src/rdb/file-writer.ts"
import { streamRequests, valueRequest } from "../conformance/dumps.ts"
import { canCompare, redisTitle } from "../conformance/subject.ts"
import { Random, scaled } from "../support/random.ts"
import { startRedis } from "../support/redis-server.ts"
import { plain, type RespClient } from "../support/resp-client.ts"
import { bytesOf, imported, reopened } from "./support.ts"

const values = scaled(400)

/** Random requests of all kinds; some keys are written more than once, some die. */
const fill = async (redis: RespClient, random: Random): Promise<void> => {
  const requests: Array<Array<string | Buffer>> = []
  for (let i = 0; i < values; i++) {
    if (i % 100 === 0) requests.push(["SELECT", random.pick(["0", "0", "1", "15"])])
    const key = `k${random.below(values)}`
    if (random.chance(0.05)) requests.push(["DEL", key], ...streamRequests(random, key))
    else requests.push(["DEL", key], valueRequest(random, key))
    if (random.chance(0.1)) requests.push(["PEXPIRE", key, `${random.between(1_000_000, 2_000_000)}`])
    if (random.chance(0.02)) requests.push(["PEXPIRE", key, "1"])
  }
  const large = Array.from({ length: 1200 }, (_, i) => `member:${i}:${random.uint32()}`)
  requests.push(
    ["SADD", "large:set", ...large],
    ["ZADD", "large:zset", ...large.flatMap((member) => [`${random.fraction() * 1e9}`, member])],
    ["HSET", "large:hash", ...large.flatMap((member) => [member, "x".repeat(random.below(40))])],
    ["RPUSH", "large:list", ...large, "y".repeat(20_000), ...large],
    ["SET", "large:string", Buffer.from(random.bytes(300_000))]
  )
  await redis.pipeline(requests)
}

const toRdb = (keyspace: Keyspace): Buffer => {
  const chunks: Array<Buffer> = []
  const now = Date.now()
  const writer = new RdbFileWriter((bytes) => void chunks.push(Buffer.from(bytes)), { created: now })
  for (const _ of writeKeyspace(writer, keyspace, now));
  writer.end()
  return Buffer.concat(chunks)
}

describe.skipIf(!canCompare)(`files of ${redisTitle}`, () => {
  it("holds the same after RDB, AOF with and without preamble, and an RDB written here", async () => {
    const seed = (Math.random() * 0x7fffffff) | 0
    const redis = (await startRedis({
      args: ["--enable-debug-command", "local", "--appendonly", "yes", "--auto-aof-rewrite-percentage", "0"]
    }))!
    const client = await redis.client()
    const wanted = async (): Promise<unknown> => plain(await client.command("DEBUG", "DIGEST"))
    const appendOnly = join(redis.dir, "appendonlydir")
    const parts = () => {
      const manifest = readFileSync(
        join(appendOnly, readdirSync(appendOnly).find((name) => name.endsWith("manifest"))!)
      )
      return parseManifest(manifest.toString("utf8")).map(({ name }) =>
        bytesOf(readFileSync(join(appendOnly, name)), name)
      )
    }
    const check = async (files: ReadonlyArray<ReturnType<typeof bytesOf>>, what: string): Promise<Keyspace> => {
      const { disk } = imported(files)
      const { fromCheckpoint, fromLog } = reopened(disk)
      expect(digest(fromCheckpoint, Date.now()), `${what}, seed ${seed}`).toBe(await wanted())
      expect(digest(fromLog, Date.now()), `${what}, seed ${seed}`).toBe(await wanted())
      return fromCheckpoint
    }
    try {
      await fill(client, new Random(seed))
      await client.command("SAVE")
      const keyspace = await check([bytesOf(readFileSync(join(redis.dir, "dump.rdb")), "dump.rdb")], "RDB")
      await check(parts(), "requests only")

      writeFileSync(join(redis.dir, "dump.rdb"), toRdb(keyspace))
      const before = await wanted()
      await client.command("CONFIG", "SET", "appendonly", "no")
      expect(plain(await client.command("DEBUG", "RELOAD", "NOSAVE")), `seed ${seed}`).toBe("OK")
      expect(await wanted(), `an RDB written here, seed ${seed}`).toBe(before)

      await client.command("CONFIG", "SET", "appendonly", "yes") // writes a base file
      await fill(client, new Random(seed + 1))
      await client.pipeline([["MULTI"], ["SET", "a", "1"], ["SELECT", "3"], ["INCR", "a"], ["EXEC"]])
      while (
        !/aof_rewrite_in_progress:0[^]*aof_rewrite_scheduled:0/.test(String(plain(await client.command("INFO"))))
      ) {
        await new Promise((resolve) => setTimeout(resolve, 20))
      }
      await check(parts(), "base and increments")
    } finally {
      await client.close()
      await redis.stop()
    }
  }, 60_000)
})
