import { afterAll, describe, expect, it } from "vitest"
import { removeTemporaryDir, startAnnals, temporaryDir } from "../support/processes.ts"
import { plain } from "../support/resp.ts"

const dir = temporaryDir("memory")
afterAll(() => removeTemporaryDir(dir))

describe("a server with a memory limit", () => {
  it("stays within it, shrinks when told to, and has the same data after a restart", async () => {
    const limit = 2 * 1024 * 1024
    const args = ["--maxmemory", "2mb", "--maxmemory-policy", "allkeys-lru"]
    let server = await startAnnals({ dir, args })
    let client = await server.client()
    const info = async (field: string): Promise<number> => {
      const text = String(plain(await client.command("INFO", "everything")))
      return Number(new RegExp(`^${field}:(\\d+)`, "m").exec(text)?.[1])
    }
    for (let batch = 0; batch < 30; batch++) {
      const replies = await client.pipeline(
        Array.from({ length: 1000 }, (_, i) => ["SET", `key:${batch * 1000 + i}`, "v".repeat(50 + (i % 7) * 40)])
      )
      expect(new Set(replies.map(plain))).toEqual(new Set(["OK"]))
      expect(await info("used_memory")).toBeLessThanOrEqual(limit)
    }
    expect(await info("evicted_keys")).toBeGreaterThan(10_000)
    expect(await info("maxmemory")).toBe(limit)
    await client.command("CONFIG", "SET", "maxmemory", "1mb")
    while (await info("used_memory") > limit / 2) await client.command("PING")
    await client.command("CONFIG", "SET", "maxmemory-policy", "noeviction", "maxmemory", "1")
    expect(await client.command("SET", "a", "b")).toEqual({
      type: "error",
      value: "OOM command not allowed when used memory > 'maxmemory'."
    })
    const digest = plain(await client.command("DEBUG", "DIGEST"))
    const keys = plain(await client.command("DBSIZE"))
    await client.close()
    await server.stop()

    server = await startAnnals({ dir, args: ["--maxmemory", "100mb"] })
    client = await server.client()
    expect(plain(await client.command("DBSIZE"))).toEqual(keys)
    expect(plain(await client.command("DEBUG", "DIGEST"))).toEqual(digest)
    await client.close()
    await server.stop()
  })
})
