/** Real servers: one follows another, whatever happens to either. */
import { readdirSync } from "node:fs"
import { join } from "node:path"
import { describe, expect, it } from "vitest"
import { plain } from "../support/resp-client.ts"
import { caughtUp, digests, Node, stopAfterEach, until } from "./servers.ts"

stopAfterEach()

describe("a replica", { timeout: 180_000 }, () => {
  it("gets what the primary has and what it writes from then on, and takes no writes", async () => {
    const [primary, replica] = await Promise.all([Node.start(), Node.start()])
    await primary.ask("MSET", "a", "1", "b", "2")
    expect(await replica.follow(primary)).toBe("OK")
    await caughtUp(primary, replica)
    expect(await replica.ask("GET", "b")).toBe("2")
    await primary.ask("RPUSH", "list", "x", "y")
    await caughtUp(primary, replica)
    expect(await replica.ask("LRANGE", "list", "0", "-1")).toEqual(["x", "y"])
    expect(await replica.ask("SET", "a", "2")).toBe("READONLY You can't write against a read only replica.")
    expect(await replica.ask("DEBUG", "POPULATE", "10")).toBe("READONLY You can't write against a read only replica.")
    expect(await replica.ask("BLPOP", "none", "1")).toBe("READONLY You can't write against a read only replica.")
    // What only reads may wait here, and what is asked about the log is answered from this one's own.
    const reader = await replica.server.client()
    const waiting = reader.command("XREAD", "BLOCK", "0", "STREAMS", "s", "$")
    await until("it waits", async () => String(await replica.ask("INFO", "clients")).includes("blocked_clients:1"))
    await primary.ask("XADD", "s", "1-1", "f", "v")
    expect(plain(await waiting)).toEqual([["s", [["1-1", ["f", "v"]]]]])
    await reader.close()
    for (const question of [["LOG.HISTORY", "list"], ["LOG.READ", "1"]]) {
      expect(await replica.ask(...question)).toEqual(await primary.ask(...question))
    }
    const [head, same] = [await primary.ask("LOG.HEAD"), await replica.ask("LOG.HEAD")] as Array<Array<unknown>>
    // What is synced is each server's own.
    expect(same!.toSpliced(5, 1)).toEqual(head!.toSpliced(5, 1))
    expect(await replica.ask("ROLE")).toEqual(["slave", "127.0.0.1", primary.port, "connected", expect.any(Number)])
    const [role, lsn, replicas] = await primary.ask("ROLE") as [string, number, Array<Array<string>>]
    expect([role, replicas.length, replicas[0]!.slice(0, 2)]).toEqual(["master", 1, ["127.0.0.1", `${replica.port}`]])
    expect(lsn).toBe(Number((await primary.info()).master_repl_offset))
    const [one, other] = await digests(primary, replica)
    expect(other).toBe(one)
    expect(await replica.follow(primary)).toBe("OK Already connected to specified master")
    const client = await primary.client()
    const [, , , refused] = await client.pipeline([
      ["MULTI"],
      ["SET", "a", "3"],
      ["REPLICAOF", "127.0.0.1", `${replica.port}`],
      ["EXEC"]
    ])
    expect(String(plain(refused!))).toMatch(/^OK,.*the role of a server cannot change inside a transaction/)
  })

  it("has everything when its primary ends in good order, however late it is", async () => {
    const [primary, replica] = await Promise.all([Node.start(), Node.start("--bind-source-addr", "127.0.0.2")])
    await replica.follow(primary)
    await primary.ask("SET", "a", "1")
    await caughtUp(primary, replica)
    const [, , [[address]]] = await primary.ask("ROLE") as [string, number, [[string]]]
    expect(address).toBe("127.0.0.2")
    const [sleeper, ending] = await Promise.all([replica.server.client(), primary.server.client()])
    const slept = sleeper.command("DEBUG", "SLEEP", "1.5")
    await primary.ask("SET", "a", "2")
    const ended = ending.command("SHUTDOWN")
    await until("it waits", async () => String(await primary.ask("INFO", "clients")).includes("blocked_clients:1"))
    expect(await primary.ask("SHUTDOWN", "ABORT")).toBe("OK")
    expect(plain(await ended)).toEqual(new Error("ERR Errors trying to SHUTDOWN. Check logs."))
    await primary.ask("SET", "a", "3")
    const [digest] = await digests(primary)
    await Promise.all([primary.stop(), ending.close()])
    expect(plain(await slept)).toBe("OK")
    await sleeper.close()
    expect(await digests(replica)).toEqual([digest])
  })

  it("resumes after kill -9 of either side, without a full sync", async () => {
    const [primary, replica] = await Promise.all([Node.start(), Node.start()])
    await replica.follow(primary)
    await primary.ask("SET", "a", "1")
    await caughtUp(primary, replica)
    await replica.kill()
    await primary.ask("SET", "b", "2")
    await replica.restart()
    await caughtUp(primary, replica)
    expect(await replica.ask("GET", "b")).toBe("2")
    await primary.ask("SET", "c", "3")
    await primary.kill()
    await until("the link is down", async () => (await replica.info()).master_link_status === "down")
    await primary.restart()
    await primary.ask("SET", "d", "4")
    await caughtUp(primary, replica)
    expect(await replica.ask("MGET", "a", "b", "c", "d")).toEqual(["1", "2", "3", "4"])
    const [one, other] = await digests(primary, replica)
    expect(other).toBe(one)
    const stats = await primary.info("stats")
    expect([stats.sync_full, stats.sync_partial_ok]).toEqual(["0", "1"])
    expect((await primary.info()).replication_epoch).toBe("3")
    expect((await replica.info()).master_replid).toBe((await primary.info()).master_replid)
  })

  it("becomes a primary, and the old one follows it, its own writes set aside", async () => {
    const [first, second] = await Promise.all([Node.start(), Node.start()])
    await second.follow(first)
    await first.ask("SET", "shared", "1")
    await caughtUp(first, second)
    expect(await second.ask("REPLICAOF", "NO", "ONE")).toBe("OK")
    await second.ask("SET", "new", "1")
    await first.ask("SET", "lost", "1")
    await first.ask("SET", "lost", "2")
    expect(await first.ask("LOG.HISTORY", "lost")).toHaveLength(2)
    const blocked = (await first.server.client()).command("BLPOP", "none", "0")
    const waits = (await first.server.client()).command("WAIT", "3", "0")
    await until("they wait", async () => String(await first.ask("INFO", "clients")).includes("blocked_clients:2"))
    await first.follow(second)
    for (const reply of [await blocked, await waits]) {
      expect(String(plain(reply))).toContain(
        "UNBLOCKED force unblock from blocking operation, instance state changed (master -> replica?)"
      )
    }
    await caughtUp(second, first)
    expect(await first.ask("MGET", "shared", "new", "lost")).toEqual(["1", "1", null])
    expect(await first.ask("LOG.HISTORY", "lost")).toEqual([])
    expect(await first.ask("LOG.HISTORY", "new")).toEqual(await second.ask("LOG.HISTORY", "new"))
    const info = await first.info()
    expect(info.replication_set_aside_batches).toBe("2")
    const folder = readdirSync(join(first.server.dir, "quarantine")).find((name) => name.startsWith("rewind-"))
    expect(readdirSync(join(first.server.dir, "quarantine", folder!))).toHaveLength(1)
    expect((await second.info("stats")).sync_full).toBe("0")
    const [one, other] = await digests(first, second)
    expect(other).toBe(one)
    await first.kill()
    await first.restart()
    await second.ask("SET", "after", "1")
    await caughtUp(second, first)
    expect(await first.ask("GET", "after")).toBe("1")
  })

  it("takes a checkpoint first where the log is long, and what it held before is set aside", async () => {
    const [primary, replica] = await Promise.all([Node.start(), Node.start()])
    await primary.ask("DEBUG", "POPULATE", "17", "key", "4000000")
    await replica.ask("SET", "own", "1")
    await replica.follow(primary)
    await primary.ask("SET", "during", "1")
    await caughtUp(primary, replica)
    await primary.ask("SET", "after", "1")
    await caughtUp(primary, replica)
    expect(await replica.ask("MGET", "own", "during", "after")).toEqual([null, "1", "1"])
    expect((await primary.info("stats")).sync_full).toBe("1")
    expect(replica.server.output()).toMatch(/full sync: a checkpoint of sequence/)
    expect((await replica.info()).replication_set_aside_batches).toBe("1")
    const [one, other] = await digests(primary, replica)
    expect(other).toBe(one)
    await replica.kill()
    await primary.ask("SET", "later", "1")
    await replica.restart()
    await caughtUp(primary, replica)
    expect(await digests(replica)).toEqual(await digests(primary))
    const stats = await primary.info("stats")
    expect([stats.sync_full, stats.sync_partial_ok]).toEqual(["1", "1"])
  })
})
