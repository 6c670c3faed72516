/** What changes with the role of a server, on real ones: waiting for replicas, handing over, chains, refusals. */
import { setTimeout as delay } from "node:timers/promises"
import { describe, expect, it } from "vitest"
import { plain, type RespClient } from "../support/resp-client.ts"
import { caughtUp, digests, Node, stopAfterEach, until } from "./servers.ts"

stopAfterEach()

describe("WAIT and WAITAOF", { timeout: 180_000 }, () => {
  it("answer how many replicas have what the connection wrote", async () => {
    const [primary, one, two] = await Promise.all([Node.start(), Node.start(), Node.start()])
    expect(await primary.ask("WAIT", "0", "1000")).toBe(0)
    expect(await primary.ask("WAIT", "1", "20")).toBe(0)
    await one.follow(primary)
    await two.follow(primary)
    await caughtUp(primary, one, two)
    const client = await primary.client()
    for (let i = 0; i < 20; i++) {
      const [, waited] = await client.pipeline([["SET", "a", `${i}`], ["WAIT", "2", "5000"]])
      expect(plain(waited!)).toBe(2)
      expect(await one.ask("GET", "a")).toBe(`${i}`)
      expect(await two.ask("GET", "a")).toBe(`${i}`)
    }
    expect(await primary.ask("SET", "b", "1")).toBe("OK")
    expect(await primary.ask("WAITAOF", "1", "2", "5000")).toEqual([1, 2])
    expect(await primary.ask("WAIT", "3", "50")).toBe(2)
    expect(await primary.ask("WAIT", "x", "50")).toBe("ERR value is not an integer or out of range")
    expect(await primary.ask("WAIT", "1", "-1")).toBe("ERR timeout is negative")
    expect(await primary.ask("WAITAOF", "2", "0", "0"))
      .toBe("ERR value is out of range, value must between 0 and 1")
    expect(await one.ask("WAIT", "1", "0")).toMatch(/^ERR WAIT cannot be used with replica instances/)
    const inside = await client.pipeline([["MULTI"], ["SET", "c", "1"], ["WAIT", "2", "0"], ["EXEC"]])
    expect(plain(inside.at(-1)!)).toEqual(["OK", 2])
    const id = await primary.ask("CLIENT", "ID")
    const waiting = primary.ask("WAIT", "3", "0")
    const other = await primary.server.client()
    await delay(200)
    await until("it waits", async () => plain(await other.command("CLIENT", "UNBLOCK", `${id}`)) === 1)
    expect(await waiting).toBe(2)
    await other.close()
  })
})

describe("FAILOVER", { timeout: 180_000 }, () => {
  it("hands over to a replica that has everything", async () => {
    const [primary, replica] = await Promise.all([Node.start(), Node.start()])
    expect(await primary.ask("FAILOVER", "ABORT")).toBe("ERR No failover in progress.")
    expect(await primary.ask("FAILOVER")).toBe("ERR FAILOVER requires connected replicas.")
    await replica.follow(primary)
    await primary.ask("SET", "a", "1")
    await caughtUp(primary, replica)
    expect(await replica.ask("CONFIG", "GET", "replicaof")).toEqual(["replicaof", `127.0.0.1 ${primary.port}`])
    expect(await replica.ask("FAILOVER")).toBe("ERR FAILOVER is not valid when server is a replica.")
    expect(await primary.ask("FAILOVER", "TO", "127.0.0.1", "1")).toBe(
      "ERR FAILOVER target HOST and PORT is not a replica."
    )
    expect(await primary.ask("FAILOVER", "TIMEOUT", "0")).toBe("ERR FAILOVER timeout must be greater than 0")
    expect(await primary.ask("FAILOVER", "TO", "127.0.0.1", `${replica.port}`, "FORCE")).toBe(
      "ERR FAILOVER with force option requires both a timeout and target HOST and IP."
    )
    expect(await primary.ask("FAILOVER", "TO", "127.0.0.1", `${replica.port}`, "TIMEOUT", "5000")).toBe("OK")
    await until("the roles have changed", async () => {
      const [old, fresh] = [await primary.info(), await replica.info()]
      return old.role === "slave" && old.master_link_status === "up" && fresh.role === "master"
    })
    // The link is up first; that the handover is over is found by the next look at it.
    await until("the handover is over", async () => (await primary.info()).master_failover_state === "no-failover")
    expect(await replica.ask("SET", "b", "2")).toBe("OK")
    expect(await primary.ask("SET", "b", "3")).toMatch(/^READONLY/)
    await caughtUp(replica, primary)
    expect(await digests(primary)).toEqual(await digests(replica))
    expect((await primary.info()).replication_set_aside_batches).toBe("0")
    expect((await replica.info("stats")).sync_full).toBe("0")
  })

  it("is given up when nobody catches up in time, or when asked to", async () => {
    const [primary, replica] = await Promise.all([Node.start(), Node.start()])
    await replica.follow(primary, "DELAY", "600000")
    await until("it is connected", async () => (await primary.info()).connected_slaves === "1")
    await primary.ask("SET", "a", "1")
    expect(await primary.ask("FAILOVER", "TIMEOUT", "100")).toBe("OK")
    await until("it is over", async () => (await primary.info()).master_failover_state === "no-failover")
    expect(await primary.ask("SET", "a", "2")).toBe("OK")
    expect(await primary.ask("FAILOVER")).toBe("OK")
    expect(await primary.ask("FAILOVER")).toBe("ERR FAILOVER already in progress.")
    expect((await primary.info()).master_failover_state).toBe("waiting-for-sync")
    const refused = "ERR REPLICAOF not allowed while failing over."
    expect(await primary.ask("REPLICAOF", "NO", "ONE")).toBe(refused)
    expect(await primary.ask("REPLICAOF", "127.0.0.1", "1")).toBe(refused)
    expect(await primary.ask("FAILOVER", "ABORT")).toBe("OK")
    expect(await primary.ask("SET", "a", "3")).toBe("OK")
    expect((await primary.info()).role).toBe("master")
  })
})

/** A connection that hears of a channel, of a pattern and of a shard channel. */
const subscribe = async (node: Node): Promise<RespClient> => {
  const client = await node.server.client()
  for (const words of [["SUBSCRIBE", "news"], ["PSUBSCRIBE", "n*"], ["SSUBSCRIBE", "shard"]]) {
    await client.command(...words)
  }
  return client
}

describe("replicas", { timeout: 180_000 }, () => {
  it("have replicas of their own, which outlive them", async () => {
    const [first, second, third] = await Promise.all([Node.start(), Node.start(), Node.start()])
    await second.follow(first)
    await caughtUp(first, second)
    await third.follow(second)
    await first.ask("MSET", "a", "1", "b", "2")
    await caughtUp(first, second, third)
    expect(await digests(third)).toEqual(await digests(first))
    const clients = await Promise.all([second, third].map(subscribe))
    await (await first.client()).pipeline([["SET", "m", "1"], ["PUBLISH", "news", "hello"], [
      "SPUBLISH",
      "shard",
      "there"
    ]])
    for (const client of clients) {
      expect([plain(await client.next()), plain(await client.next()), plain(await client.next())]).toEqual([
        ["message", "news", "hello"],
        ["pmessage", "n*", "news", "hello"],
        ["smessage", "shard", "there"]
      ])
      await client.close()
    }
    await second.ask("REPLICAOF", "NO", "ONE")
    await second.ask("SET", "c", "3")
    await caughtUp(second, third)
    expect(await third.ask("GET", "c")).toBe("3")
    await third.kill()
    await second.ask("SET", "d", "4")
    await third.restart()
    await caughtUp(second, third)
    await first.follow(third)
    await caughtUp(third, first)
    expect(await digests(first)).toEqual(await digests(second))
    expect((await second.info("stats")).sync_full).toBe("1")
    expect((await third.info("stats")).sync_full).toBe("0")
  })

  it("may be needed for a write, and hide what they have while the primary is gone", async () => {
    const [primary, replica] = await Promise.all([Node.start("--min-replicas-to-write", "1"), Node.start()])
    const refused = "NOREPLICAS Not enough good replicas to write."
    expect(await primary.ask("SET", "a", "1")).toBe(refused)
    await replica.follow(primary)
    await until("writes are taken", async () => await primary.ask("SET", "a", "1") === "OK")
    expect((await primary.info()).min_slaves_good_slaves).toBe("1")
    await caughtUp(primary, replica)
    expect(await replica.ask("CONFIG", "SET", "replica-serve-stale-data", "no")).toBe("OK")
    expect(await replica.ask("GET", "a")).toBe("1")
    await primary.kill()
    await until("data is hidden", async () => (await replica.ask("GET", "a")) !== "1")
    expect(await replica.ask("GET", "a"))
      .toBe("MASTERDOWN Link with MASTER is down and replica-serve-stale-data is set to 'no'.")
    expect((await replica.info()).master_link_status).toBe("down")
    await primary.restart()
    await until("data is shown", async () => (await replica.ask("GET", "a")) === "1")
    await replica.kill()
    await until("writes are refused", async () => await primary.ask("SET", "a", "1") === refused)
  })

  it("hide dead keys and leave it to the primary to bury them, are seen as connections, and stay behind when told to", async () => {
    const [primary, replica] = await Promise.all([Node.start(), Node.start()])
    await replica.follow(primary)
    await primary.ask("DEBUG", "SET-ACTIVE-EXPIRE", "0")
    await primary.ask("SET", "a", "1", "PX", "50")
    await primary.ask("HSET", "h", "f", "1", "g", "2")
    await primary.ask("HPEXPIRE", "h", "50", "FIELDS", "1", "f")
    await caughtUp(primary, replica)
    await delay(60)
    expect(await replica.ask("GET", "a")).toBe(null)
    expect(await replica.ask("EXISTS", "a")).toBe(0)
    expect(await replica.ask("HGETALL", "h")).toEqual(["g", "2"])
    expect(await replica.ask("DBSIZE")).toBe(2)
    const [one, other] = await digests(primary, replica)
    expect(other).toBe(one)
    await primary.ask("GET", "a")
    await caughtUp(primary, replica)
    expect(await replica.ask("DBSIZE")).toBe(1)
    // Links are seen among the connections, and closed like them.
    expect(await primary.ask("CLIENT", "LIST", "TYPE", "replica")).toMatch(
      /^id=\d+ addr=127[^\n]* flags=S [^\n]*cmd=replconf [^\n]*\n$/
    )
    expect(await primary.ask("CLIENT", "LIST", "TYPE", "normal")).not.toMatch(/flags=S/)
    expect(await replica.ask("CLIENT", "LIST", "TYPE", "master"))
      .toMatch(new RegExp(`^id=\\d+ addr=127.0.0.1:${primary.port} [^\n]* flags=M [^\n]*\n$`))
    expect(await replica.ask("CLIENT", "KILL", "TYPE", "master")).toBe(1)
    await until("it is connected again", async () => (await primary.info("stats")).sync_partial_ok === "1")
    expect(await primary.ask("CLIENT", "KILL", "TYPE", "replica")).toBe(1)
    await until("it is connected again", async () => (await primary.info("stats")).sync_partial_ok === "2")
    await caughtUp(primary, replica)
    // And a replica stays behind as long as it is told, and follows at once when it is told otherwise.
    expect(await replica.follow(primary, "DELAY", "1000")).toBe("OK")
    await until("it is connected", async () => (await replica.info()).master_link_status === "up")
    await primary.ask("SET", "a", "2")
    const written = performance.now()
    await delay(300)
    expect(await replica.ask("GET", "a")).toBe(null)
    await until("the delay is over", async () => (await replica.ask("GET", "a")) === "2")
    expect(performance.now() - written).toBeGreaterThan(900)
    await primary.ask("SET", "a", "3")
    await delay(100)
    await replica.follow(primary)
    await caughtUp(primary, replica)
    expect(await replica.ask("GET", "a")).toBe("3")
    expect((await primary.info("stats")).sync_full).toBe("1")
  })

  it("give a password", async () => {
    const primary = await Node.start("--requirepass", "secret")
    const replica = await Node.start()
    expect(await primary.ask("AUTH", "secret")).toBe("OK")
    await primary.ask("SET", "a", "1")
    await replica.follow(primary)
    await until("it is refused", async () => replica.server.output().includes("NOAUTH"))
    expect(await replica.ask("CONFIG", "SET", "masterauth", "secret")).toBe("OK")
    await caughtUp(primary, replica)
    expect(await replica.ask("GET", "a")).toBe("1")
  })
})
