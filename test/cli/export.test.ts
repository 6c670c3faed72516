/** What is exported makes the same data elsewhere. */
import { spawnSync } from "node:child_process"
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterAll, describe, expect, it } from "vitest"
import { eachKey, eachPart, typeOf } from "../../src/cli/values.ts"
import { digest } from "../../src/projections/digest.ts"
import { isInstalled } from "../support/processes.ts"
import { startRedis } from "../support/redis-server.ts"
import { plain } from "../support/resp-client.ts"
import { live } from "./lives.ts"
import { Desk } from "./world.ts"

const year = 365 * 24 * 3_600_000
const scratch = mkdtempSync(join(tmpdir(), "annals-export-"))
afterAll(() => rmSync(scratch, { recursive: true }))

/** A workload as redis-server 7.0 can have it: without deadlines of fields, and without -0 in small sorted sets. */
const plainLife = async (seed: number) => {
  const lived = await live(seed, { requests: 900, blind: true, ahead: 20 * year })
  const { keyspace } = lived.world
  const dated: Array<{ readonly db: number; readonly key: string }> = []
  eachKey(keyspace, 0, (db, database, p, key) => {
    let has = false
    const type = typeOf(database, p)
    if (type === "hash") eachPart(database, p, (_, __, deadline) => void (has ||= deadline !== 0))
    if (type === "zset") eachPart(database, p, (_, __, score) => void (has ||= Object.is(score, -0)))
    if (has) dated.push({ db, key: key.latin1() })
  })
  for (const { db, key } of dated) {
    lived.world.connection.client.db = db
    lived.world.run("DEL", key)
  }
  // Larger than one command of an export, and than small encodings.
  lived.world.connection.client.db = 3
  const numbers = Array.from({ length: 700 }, (_, i) => String(i))
  lived.world.run("RPUSH", "long list", ...numbers)
  lived.world.run("SADD", "large set", ...numbers.map((n) => `m${n}`))
  lived.world.run("HSET", "large hash", ...numbers.flatMap((n) => [`f${n}`, n]))
  lived.world.run(
    "ZADD",
    "large zset",
    "inf",
    "most",
    "-inf",
    "least",
    ...numbers.flatMap((n) => [`${Number(n) / 8}`, n])
  )
  lived.world.log.commit()
  return lived
}

describe("annals export", () => {
  it.skipIf(!isInstalled("redis-server"))(
    "--format resp makes the same data in redis-server, by redis-cli --pipe",
    async () => {
      const { disk, world } = await plainLife(51)
      const desk = new Desk()
      desk.now = world.clock.now()
      desk.disks.set("data", disk)
      const { bytes } = await desk.run("export --dir data --format resp")
      const redis = (await startRedis({ args: ["--enable-debug-command", "local"] }))!
      try {
        const piped = spawnSync("redis-cli", ["-p", String(redis.port), "--pipe"], { input: bytes, encoding: "utf8" })
        expect(piped.stdout).toContain("errors: 0,")
        const client = await redis.client()
        const types = new Map<string, number>()
        eachKey(world.keyspace, desk.now, (_, database, p) => {
          const type = typeOf(database, p)
          types.set(type, (types.get(type) ?? 0) + 1)
        })
        expect([...types.keys()].sort()).toEqual(["hash", "list", "set", "stream", "string", "zset"])
        expect(plain(await client.command("DEBUG", "DIGEST"))).toBe(digest(world.keyspace, desk.now))
        await client.close()
      } finally {
        await redis.stop()
      }
    },
    60_000
  )

  it("writes RDB files, which import makes into a data directory again", async () => {
    const desk = new Desk()
    const { processContext } = await import("../../src/cli/terminal.ts")
    const { runSubcommand } = await import("../../src/cli/run.ts")
    const { subcommands } = await import("../../src/cli/table.ts")
    const said: Array<string> = []
    const context = {
      ...processContext(),
      write: (text: string | Uint8Array) => void said.push(Buffer.from(text as string).toString())
    }
    const errors: Array<string> = []
    const run = (name: string, ...words: ReadonlyArray<string>): Promise<number> =>
      runSubcommand(subcommands.find(({ spec }) => spec.name === name)!, words, {
        ...context,
        warn: (text) => void errors.push(text)
      })
    const aof = join(scratch, "appendonly.aof")
    const { writeFileSync } = await import("node:fs")
    writeFileSync(aof, "*3\r\n$3\r\nSET\r\n$1\r\na\r\n$1\r\n1\r\n")
    const dir = join(scratch, "data")
    expect(await run("import", aof, "--dir", dir, "--json")).toBe(0)
    expect(JSON.parse(said.pop()!)).toMatchObject({ dir, keys: 1, requests: 1 })
    const rdb = join(scratch, "dump.rdb")
    expect(await run("export", "--dir", dir, "--rdb", rdb, "--json")).toBe(0)
    expect(JSON.parse(said.pop()!)).toEqual({ file: rdb, keys: 1, "rdb-version": 10 })
    expect(await run("import", rdb, "--dir", join(scratch, "again"))).toBe(0)
    expect(said.pop()).toContain("1 keys")
    expect(await run("at", "--dir", join(scratch, "again"), "--raw", "1", "GET", "a")).toBe(0)
    expect(said.pop()).toBe("1\n")
    expect(await run("export", "--dir", dir, "--rdb", rdb, "--match", "a*")).toBe(2)
    expect(await run("export", "--dir", dir, "--rdb-version", "12")).toBe(2)
    expect(await run("import", join(scratch, "nothing"), "--dir", join(scratch, "new"))).toBe(1)
    expect(await run("import", rdb, "--dir", dir)).toBe(2)
    expect(errors).toHaveLength(4)
    expect(desk.disks.size).toBe(0)
  })
})
