/** The past as users see it: looked at, compared and brought back in a running server, which stays what it is. */
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest"
import { type ServerProcess, startAnnals } from "../support/processes.ts"
import { plain, type RespClient } from "../support/resp-client.ts"
import { removeScratch, scratchDir, sleep } from "./oracle.ts"

const dir = scratchDir("past")
let server: ServerProcess
let client: RespClient
const args = ["--log-segment-bytes", "65536", "--save", ""]
beforeAll(async () => {
  server = await startAnnals({ dir, args })
})
afterEach(() => client.close())
afterAll(async () => {
  await server.kill()
  removeScratch()
})

const ask = async (...words: ReadonlyArray<string>): Promise<unknown> => {
  const reply = plain(await client.command(...words))
  return reply instanceof Error ? reply.message : reply
}
const head = async (): Promise<string> => String((await ask("LOG.HEAD") as ReadonlyArray<unknown>)[1])
const digest = async (...words: ReadonlyArray<string>): Promise<unknown> =>
  (await ask("LOG.DIGEST", ...words) as ReadonlyArray<unknown>)[3]

describe("a running server", () => {
  it("answers commands as of then, to a pipeline in its place", async () => {
    client = await server.client()
    await ask("SET", "cart", "x", "PX", "60000")
    const first = await head()
    const then = Date.now()
    await sleep(5)
    await ask("RPUSH", "queue", "a", "b")
    await ask("DEL", "cart")
    expect(await ask("LOG.ASOF", first, "GET", "cart")).toBe("x")
    expect(await ask("LOG.ASOF", first, "PTTL", "cart")).toBe(60_000)
    expect(await ask("LOG.ASOF", `@${then}`, "DBSIZE")).toBe(1)
    expect(await ask("LOG.ASOF", await head(), "KEYS", "*")).toEqual(["queue"])
    const replies = await Promise.all([
      ask("SET", "p", "1"),
      ask("LOG.ASOF", String(Number(first) + 3), "GET", "p"),
      ask("GET", "p"),
      ask("LOG.ASOF", "1", "LLEN", "queue")
    ])
    expect(replies).toEqual(["OK", "1", "1", 0])
    expect(await ask("LOG.ASOF", "1", "SET", "a", "b")).toMatch(/^READONLY /)
    expect(await ask("LOG.ASOF", "99999", "GET", "p")).toMatch(/^BEYONDHEAD 99999 .* newest sequence is \d+$/)
    expect(await ask("MULTI")).toBe("OK")
    expect(await ask("LOG.ASOF", "1", "GET", "p")).toBe("ERR Command not allowed inside a transaction")
    expect(await ask("DISCARD")).toBe("OK")
  })

  it("undoes FLUSHALL, deadlines and other databases included, and remembers both", async () => {
    client = await server.client()
    await Promise.all(
      Array.from({ length: 1000 }, (_, i) => {
        const deadline = i % 2 === 0 ? ["PX", `${900_000 + i}`] : []
        return ask("SET", `key:${i}`, `${i}`, ...deadline)
      })
    )
    await ask("SELECT", "3")
    await ask("HSET", "h", "f", "v")
    await ask("SELECT", "0")
    const deadline = await ask("PEXPIRETIME", "key:500")
    const [before, sequence] = [await digest(), await head()]
    await ask("FLUSHALL")
    expect(await ask("DBSIZE")).toBe(0)
    const flushed = await head()
    const dry = await ask("LOG.UNDO", flushed, "DRYRUN") as ReadonlyArray<unknown>
    expect(dry.slice(0, 8)).toEqual(["from", Number(flushed), "to", Number(flushed), "restore", 1003, "remove", 0])
    expect(await ask("DBSIZE")).toBe(0)
    const done = await ask("LOG.UNDO", flushed)
    expect(done).toEqual(["sequence", Number(flushed) + 1, "restored", 1003, "removed", 0, "events", 1003])
    expect(await ask("PEXPIRETIME", "key:500")).toBe(deadline)
    expect(await digest()).toBe(before)
    expect(await digest("ASOF", sequence)).toBe(before)
    expect(await digest("ASOF", flushed)).not.toBe(before)
    const trail = JSON.stringify(await ask("LOG.HISTORY", "key:7"))
    expect(trail).toContain("\"KeyspaceFlushed\"")
    expect(trail).toContain("\"origin\",\"undo\",\"command\",\"log.undo\",\"user\",\"default\"")
  })

  it("undoes a transaction, not over what was written since, and serves who waits for what is back", async () => {
    client = await server.client()
    const other = await server.client()
    await ask("RPUSH", "jobs", "a")
    await ask("SET", "n", "1")
    await ask("MULTI")
    await ask("LPOP", "jobs")
    await ask("INCR", "n")
    await ask("EXEC")
    const sequence = await head()
    await ask("INCR", "n")
    const conflict = /^CONFLICT key 'n' of database 0 was written since, by sequence \d+; with FORCE it is overwritten$/
    expect(await ask("LOG.UNDO", sequence)).toMatch(conflict)
    const waits = other.command("BLPOP", "jobs", "10")
    await sleep(20)
    expect(await ask("LOG.UNDO", sequence, "KEY", "jobs")).toContain("restored")
    expect(plain(await waits)).toEqual(["jobs", "a"])
    expect(await ask("LOG.UNDO", sequence, "FORCE")).toContain("restored")
    expect(await ask("GET", "n")).toBe("1")
    expect(await ask("LRANGE", "jobs", "0", "-1")).toEqual(["a"])
    other.close()
  })

  it("undoes or refuses while others write, and what it does is what the log says", async () => {
    client = await server.client()
    const writers = await Promise.all(Array.from({ length: 3 }, () => server.client()))
    const until = Date.now() + 1200
    const outcomes = new Map<string, number>()
    const writing = writers.map(async (writer, i) => {
      for (let n = 0; Date.now() < until; n++) {
        await writer.command("RPUSH", `list:${(n + i) % 5}`, `${n}`)
        if (n % 9 === 0) await writer.command("RENAME", `list:${n % 5}`, `list:${(n + 1) % 5}`)
      }
    })
    for (let n = 0; Date.now() < until; n++) {
      const reply = await ask("LOG.UNDO", await head(), ...n % 4 === 0 ? ["FORCE"] : [])
      const kind = String(reply).split(/[ ,]/)[0]!
      outcomes.set(kind, (outcomes.get(kind) ?? 0) + 1)
    }
    await Promise.all(writing)
    for (const writer of writers) writer.close()
    expect([...outcomes.keys()].filter((kind) => !["sequence", "CONFLICT"].includes(kind))).toEqual([])
    expect(outcomes.get("sequence")).toBeGreaterThan(0)
    const lists = await Promise.all([0, 1, 2, 3, 4].map((i) => ask("LRANGE", `list:${i}`, "0", "-1")))
    const sequence = await head()
    expect(await Promise.all([0, 1, 2, 3, 4].map((i) => ask("LOG.ASOF", sequence, "LRANGE", `list:${i}`, "0", "-1"))))
      .toEqual(lists)
  })

  it("has the digest of its replica at every sequence", async () => {
    client = await server.client()
    const replica = await startAnnals({
      dir: scratchDir("past-replica"),
      args: ["--save", "", "--replicaof", "127.0.0.1", `${server.port}`]
    })
    try {
      const sequence = await head()
      const other = await replica.client()
      /** -1 while it is loading. */
      const headThere = async (): Promise<number> => {
        const reply = plain(await other.command("LOG.HEAD"))
        return reply instanceof Error ? -1 : Number((reply as ReadonlyArray<unknown>)[1])
      }
      while (await headThere() < Number(sequence)) await sleep(50)
      for (const at of [sequence, String(Number(sequence) - 5), "3"]) {
        const there = plain(await other.command("LOG.DIGEST", "ASOF", at)) as ReadonlyArray<unknown>
        if (there instanceof Error) expect(there.message).toMatch(/^TRUNCATED /) // it began with a checkpoint
        else expect(there[3]).toBe(await digest("ASOF", at))
        if (at === sequence) expect(there).not.toBeInstanceOf(Error)
      }
      const refused = plain(await other.command("LOG.UNDO", sequence))
      expect((refused as Error).message).toBe("READONLY You can't write against a read only replica.")
      other.close()
    } finally {
      await replica.kill()
    }
  })

  it("has the same past after a kill", async () => {
    client = await server.client()
    const sequence = await head()
    const before = await digest()
    await ask("SET", "late", "1")
    await server.kill()
    server = await startAnnals({ dir, args })
    client.close()
    client = await server.client()
    expect(await digest("ASOF", sequence)).toBe(before)
    expect(await ask("LOG.ASOF", sequence, "EXISTS", "late")).toBe(0)
  })
})
