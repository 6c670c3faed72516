/**
 * The history of keys as users see it: through redis-cli and clients of a real server, after kills, checkpoints and
 * compression, across segments, while the server goes on.
 */
import { execFileSync } from "node:child_process"
import { readdirSync } from "node:fs"
import { connect } from "node:net"
import { join } from "node:path"
import { afterAll, afterEach, describe, expect, it } from "vitest"
import { isInstalled, type ServerProcess, startAnnals } from "../support/processes.ts"
import { plain, type RespClient } from "../support/resp-client.ts"
import { removeScratch, scratchDir, sleep } from "./oracle.ts"

const servers = new Set<ServerProcess>()
afterEach(async () => {
  for (const server of servers) await server.kill()
  servers.clear()
})
afterAll(removeScratch)

const start = async (dir: string, args: ReadonlyArray<string> = []): Promise<ServerProcess> => {
  const server = await startAnnals({ dir, args: ["--log-segment-bytes", "65536", "--save", "", ...args] })
  servers.add(server)
  return server
}

const kill = async (server: ServerProcess): Promise<void> => {
  await server.kill()
  servers.delete(server)
}

type Fields = Record<string, unknown>

/** Names and values in turn, as a record. */
const record = (flat: unknown): Fields => {
  const list = flat as ReadonlyArray<unknown>
  return Object.fromEntries(Array.from({ length: list.length / 2 }, (_, i) => [String(list[2 * i]), list[2 * i + 1]]))
}

/** A reply as plain values, that of a refusal as its text. */
const ask = async (client: RespClient, ...words: ReadonlyArray<string>): Promise<unknown> => {
  const reply = plain(await client.command(...words))
  return reply instanceof Error ? reply.message : reply
}

const history = async (client: RespClient, ...words: ReadonlyArray<string>): Promise<ReadonlyArray<Fields>> =>
  ((await ask(client, "LOG.HISTORY", ...words)) as ReadonlyArray<unknown>).map((event) => {
    const fields = record(event)
    return { ...fields, change: record(fields["change"]) }
  })

/** Type, command, origin, name of the client and what changed. */
const brief = (events: ReadonlyArray<Fields>): ReadonlyArray<string> =>
  events.map((event) =>
    [event["type"], event["command"], event["origin"], event["client-name"], JSON.stringify(event["change"])].join(" ")
  )

const named = async (server: ServerProcess, name: string): Promise<RespClient> => {
  const client = await server.client()
  await client.command("CLIENT", "SETNAME", name)
  return client
}

/** Writes more than a segment holds. */
const fill = async (server: ServerProcess, prefix: string, count = 1500): Promise<void> => {
  const client = await server.client()
  const requests = Array.from({ length: count }, (_, i) => ["SET", `${prefix}:${i}`, `value ${i} `.repeat(10)])
  for (let i = 0; i < count; i += 100) await client.pipeline(requests.slice(i, i + 100))
  await client.close()
}

const until = async (what: string, met: () => boolean): Promise<void> => {
  for (let i = 0; i < 400 && !met(); i++) await sleep(50)
  if (!met()) throw new Error(`waited in vain until ${what}`)
}

const files = (dir: string, ending: string): number =>
  readdirSync(join(dir, "log")).filter((name) => name.endsWith(ending)).length

describe("LOG.HISTORY", () => {
  it.runIf(isInstalled("redis-cli"))(
    "tells through redis-cli who set a key, that it expired, and who deleted it",
    async () => {
      const server = await start(scratchDir("history-cli"))
      const cli = (...words: ReadonlyArray<string>): string =>
        execFileSync("redis-cli", ["-p", `${server.port}`, ...words], { encoding: "utf8" })
      const script = (lines: ReadonlyArray<string>): string =>
        execFileSync("redis-cli", ["-p", `${server.port}`], { encoding: "utf8", input: `${lines.join("\n")}\n` })
      cli("SET", "cart:7", "x", "PX", "500")
      await sleep(700)
      script(["CLIENT SETNAME job9", "SET cart:7 y", "DEL cart:7"])
      const told = cli("--json", "-3", "LOG.HISTORY", "cart:7")
      const events = JSON.parse(told) as ReadonlyArray<Fields>
      expect(events.map((event) => [event["sequence"], event["event"], event["type"], event["db"]])).toEqual([
        [1, 0, "StringSet", 0],
        [2, 0, "KeyExpired", 0],
        [3, 0, "StringSet", 0],
        [4, 0, "KeyDeleted", 0]
      ])
      expect(events.map((event) => [event["command"], event["origin"], event["user"], event["client-name"]])).toEqual([
        ["set", "client", "default", ""],
        [null, "expire", null, null],
        ["set", "client", "default", "job9"],
        ["del", "client", "default", "job9"]
      ])
      const [first, expired, second, deleted] = events
      expect(first!["address"]).toMatch(/^127\.0\.0\.1:\d+$/)
      expect(second!["client-id"]).toBe(deleted!["client-id"])
      expect(second!["client-id"]).not.toBe(first!["client-id"])
      const set = first!["change"] as Fields
      expect(set["value"]).toBe("x")
      expect(set["expireAt"]).toBe((first!["time"] as number) + 500)
      expect(expired!["time"]).toBeGreaterThanOrEqual(set["expireAt"] as number)
      expect(second!["change"]).toEqual({ value: "y", expireAt: null })
      expect(deleted!["change"]).toEqual({})
      expect(cli("LOG.HISTORY", "cart:7", "COUNT", "1", "REV")).toContain("KeyDeleted")
      expect(cli("LOG.HISTORY", "nosuch").trim()).toBe("")
    }
  )

  it("is the same after kill -9, a checkpoint and compression, across segments, for every type", async () => {
    const dir = scratchDir("history-types")
    let server = await start(dir, ["--log-compression", "no"])
    const alice = await named(server, "alice")
    const bob = await named(server, "job9")
    await alice.command("HSET", "h", "f", "1", "g", "2")
    await bob.command("HSET", "h", "f", "3")
    await bob.command("HDEL", "h", "g")
    await alice.command("RPUSH", "l", "a", "b")
    await bob.command("LPUSH", "l", "c")
    await bob.command("LPOP", "l")
    await fill(server, "one")
    await alice.command("SADD", "s", "m", "n")
    await alice.command("ZADD", "z", "1.5", "m", "2", "n")
    await bob.command("SREM", "s", "m")
    await bob.command("ZREM", "z", "m")
    await bob.command("MULTI")
    await bob.command("SET", "t", "1")
    await bob.command("INCRBY", "t", "41")
    await bob.command("HSET", "h", "x", "y")
    await bob.command("EXEC")
    await fill(server, "two")
    await alice.command("RENAME", "t", "u")
    await alice.command("COPY", "u", "v")
    await alice.command("FLUSHALL")
    await alice.command("SET", "t", "new")
    const keys = ["h", "l", "s", "z", "t", "u", "v"]
    const told = async (from: ServerProcess): Promise<ReadonlyArray<ReadonlyArray<Fields>>> => {
      const client = await from.client()
      const all: Array<ReadonlyArray<Fields>> = []
      for (const key of keys) {
        const forward = await history(client, key)
        expect(await history(client, key, "REV")).toEqual(forward.toReversed())
        all.push(forward)
      }
      await client.close()
      return all
    }
    const first = await told(server)
    expect(Object.fromEntries(keys.map((key, i) => [key, brief(first[i]!)]))).toMatchInlineSnapshot(`
      {
        "h": [
          "HashFieldsSet hset client alice {"fields":["f","1","g","2"]}",
          "HashFieldsSet hset client job9 {"fields":["f","3"]}",
          "HashFieldsDeleted hdel client job9 {"fields":["g"]}",
          "HashFieldsSet exec client job9 {"fields":["x","y"]}",
          "KeyspaceFlushed flushall client alice {}",
        ],
        "l": [
          "ListPushed rpush client alice {"side":"right","elements":["a","b"]}",
          "ListPushed lpush client job9 {"side":"left","elements":["c"]}",
          "ListPopped lpop client job9 {"side":"left","elements":["c"]}",
          "KeyspaceFlushed flushall client alice {}",
        ],
        "s": [
          "SetMembersAdded sadd client alice {"members":["m","n"]}",
          "SetMembersRemoved srem client job9 {"members":["m"]}",
          "KeyspaceFlushed flushall client alice {}",
        ],
        "t": [
          "StringSet exec client job9 {"value":"1","expireAt":null}",
          "StringIncremented exec client job9 {"value":42}",
          "KeyRenamed rename client alice {"to":"u"}",
          "StringSet set client alice {"value":"new","expireAt":null}",
        ],
        "u": [
          "KeyRenamed rename client alice {"to":"u"}",
          "KeyspaceFlushed flushall client alice {}",
        ],
        "v": [
          "KeyCopied copy client alice {"to":"v","toDb":0}",
          "KeyspaceFlushed flushall client alice {}",
        ],
        "z": [
          "SortedSetMembersScored zadd client alice {"members":["m","1.5","n","2"]}",
          "SortedSetMembersRemoved zrem client job9 {"members":["m"]}",
          "KeyspaceFlushed flushall client alice {}",
        ],
      }
    `)
    // One EXEC is one batch.
    const inExec = first[4]!.slice(0, 2).map((event) => [event["sequence"], event["event"]])
    expect(inExec[0]![0]).toBe(inExec[1]![0])
    expect(inExec.map(([, index]) => index)).toEqual([0, 1])
    expect(files(dir, ".evl")).toBeGreaterThan(4)

    await kill(server)
    server = await start(dir, ["--log-compression", "no"])
    expect(await told(server)).toEqual(first)
    const client = await server.client()
    expect(await ask(client, "SAVE")).toBe("OK")
    expect(await told(server)).toEqual(first)
    await client.command("CONFIG", "SET", "log-compression", "yes")
    await until("segments are compressed", () => files(dir, ".evl") <= 3 && files(dir, ".tmp") === 0)
    expect(files(dir, ".evz")).toBeGreaterThan(1)
    expect(await told(server)).toEqual(first)
    await kill(server)
    server = await start(dir)
    expect(await told(server)).toEqual(first)
    expect(await server.stop()).toEqual({ code: 0, signal: null })
    servers.delete(server)
  })

  it("chooses by moment, count and field, and names the bound of what is not there", async () => {
    const server = await start(scratchDir("history-options"))
    const client = await server.client()
    for (let i = 1; i <= 20; i++) await client.command("HSET", "h", `f${i % 4}`, `${i}`)
    await client.command("HDEL", "h", "f1", "f2")
    await client.command("SET", "long", "x".repeat(5000))
    const sequences = async (...words: ReadonlyArray<string>): Promise<ReadonlyArray<unknown>> =>
      (await history(client, ...words)).map((event) => event["sequence"])
    expect(await sequences("h", "FROM", "5", "TO", "7")).toEqual([5, 6, 7])
    expect(await sequences("h", "FROM", "5", "COUNT", "2")).toEqual([5, 6])
    expect(await sequences("h", "REV", "COUNT", "2")).toEqual([21, 20])
    expect(await sequences("h", "FIELD", "f3")).toEqual([3, 7, 11, 15, 19])
    const field = await history(client, "h", "FIELD", "f1", "REV", "COUNT", "2")
    expect(field.map((event) => [event["type"], event["change"]])).toEqual([
      ["HashFieldsDeleted", { fields: ["f1"] }],
      ["HashFieldsSet", { fields: ["f1", "17"] }]
    ])
    const [, second] = await history(client, "h")
    expect(await sequences("h", "TO", `@${second!["time"]}`, "COUNT", "2")).toEqual([1, 2])
    const iso = new Date(second!["time"] as number).toISOString()
    expect(await sequences("h", "FROM", `@${iso}`, "COUNT", "1")).not.toEqual([])
    const [long] = await history(client, "long")
    expect(long!["change"]).toEqual({ value: "x".repeat(1024), expireAt: null, "cut-bytes": 3976 })
    expect(await ask(client, "LOG.HISTORY", "h", "TO", "23")).toBe(
      "BEYONDHEAD 23 has not happened yet, the newest sequence is 22"
    )
    expect(await ask(client, "LOG.HISTORY", "h", "TO", "@99999999999999")).toContain(
      "BEYONDHEAD @99999999999999 has not"
    )
    for (const words of [["FROM"], ["SIDEWAYS"], ["COUNT", "0"], ["FROM", "noon"], ["COUNT", "x"]]) {
      expect(String(await ask(client, "LOG.HISTORY", "h", ...words))).toMatch(/^ERR /)
    }
    await client.command("MULTI")
    expect(await ask(client, "LOG.HISTORY", "h")).toBe("ERR Command not allowed inside a transaction")
    expect(await ask(client, "EXEC")).toBe("EXECABORT Transaction discarded because of previous errors.")
  })

  it("answers in order within a pipeline, with the writes before it and none after it", async () => {
    const server = await start(scratchDir("history-pipeline"), ["--appendfsync", "always"])
    const client = await server.client()
    const requests: Array<ReadonlyArray<string>> = []
    for (let i = 1; i <= 30; i++) {
      requests.push(["SET", "k", `${i}`], ["LOG.HISTORY", "k", "REV", "COUNT", "1"], ["GET", "k"])
    }
    const replies = (await client.pipeline(requests)).map(plain)
    for (let i = 1; i <= 30; i++) {
      const [set, told, got] = replies.slice(3 * (i - 1), 3 * i)
      expect([set, got]).toEqual(["OK", `${i}`])
      const event = record((told as ReadonlyArray<unknown>)[0])
      expect(record(event["change"])["value"]).toBe(`${i}`)
    }
    const head = record(await ask(client, "LOG.HEAD"))
    expect(head["sequence"]).toBe(30)
    expect(head["lsn"]).toBe(head["durable-lsn"])
    expect(head["oldest-sequence"]).toBe(1)
    expect(String(head["chain-head"])).toMatch(/^[0-9a-f]{64}$/)
  })

  it("answers a client that has sent its last byte", async () => {
    const server = await start(scratchDir("history-half-closed"))
    const client = await server.client()
    await client.command("SET", "k", "v")
    const told = await new Promise<string>((resolve, reject) => {
      let text = ""
      const socket = connect({ port: server.port, allowHalfOpen: true }, () => socket.end("LOG.HISTORY k\r\nGET k\r\n"))
      socket.on("data", (bytes) => text += bytes.toString("latin1"))
      socket.on("end", () => resolve(text))
      socket.on("error", reject)
    })
    expect(told).toContain("StringSet")
    expect(told.endsWith("$1\r\nv\r\n")).toBe(true)
  })

  it("knows nothing of secrets", async () => {
    const server = await start(scratchDir("history-secrets"), ["--requirepass", "s3cret-word"])
    const client = await server.client()
    await client.command("AUTH", "s3cret-word")
    await client.command("CONFIG", "SET", "requirepass", "other-s3cret")
    await client.command("SET", "k", "v")
    const all = JSON.stringify([
      await ask(client, "LOG.READ", "FROM", "1", "VALUES"),
      await ask(client, "LOG.HISTORY", "k")
    ])
    expect(all).toContain("StringSet")
    expect(all).not.toContain("s3cret")
    const stranger = await server.client()
    expect(await ask(stranger, "LOG.HISTORY", "k")).toBe("NOAUTH Authentication required.")
  })
})

describe("LOG.READ", () => {
  const batchesOf = (reply: unknown): { readonly next: number; readonly batches: ReadonlyArray<Fields> } => {
    const { batches, next } = record(reply)
    return { next: next as number, batches: (batches as ReadonlyArray<unknown>).map(record) }
  }
  const read = async (client: RespClient, ...words: ReadonlyArray<string>) =>
    batchesOf(await ask(client, "LOG.READ", ...words))

  it("gives every batch once, resumed anywhere, across segments and a kill", async () => {
    const dir = scratchDir("feed")
    let server = await start(dir)
    await fill(server, "a")
    const client = await server.client()
    await client.command("MULTI")
    for (let i = 0; i < 5; i++) await client.command("SET", `m${i}`, "1")
    await client.command("EXEC")
    await kill(server)
    server = await start(dir)
    await fill(server, "b", 600)
    const reader = await server.client()
    const seen: Array<unknown> = []
    let from = 1
    for (let count = 1;; count = (count * 7) % 251) {
      const { batches, next } = await read(reader, "FROM", `${from}`, "COUNT", `${count}`)
      expect(batches.length).toBeLessThanOrEqual(count)
      seen.push(...batches.map((batch) => batch["sequence"]))
      if (batches.length === 0) break
      from = next
    }
    expect(seen).toEqual(Array.from({ length: 2101 }, (_, i) => i + 1))
    const exec = (await read(reader, "FROM", "1501", "COUNT", "1")).batches[0]!
    expect(exec["command"]).toBe("exec")
    expect((exec["events"] as ReadonlyArray<unknown>).map((event) => record(event)["key"])).toEqual([
      "m0",
      "m1",
      "m2",
      "m3",
      "m4"
    ])
  })

  it("filters by key, type, user and database, and shows values when told", async () => {
    const server = await start(scratchDir("feed-filters"))
    const client = await named(server, "feeder")
    await client.command("SET", "user:1", "a")
    await client.command("HSET", "user:2", "f", "v")
    await client.command("SELECT", "3")
    await client.command("SET", "user:1", "b")
    await client.command("DEL", "user:1")
    await client.command("MSET", "other", "1", "user:9", "2")
    const sequences = async (...words: ReadonlyArray<string>): Promise<ReadonlyArray<unknown>> =>
      (await read(client, "FROM", "1", ...words)).batches.map((batch) => batch["sequence"])
    expect(await sequences()).toEqual([1, 2, 3, 4, 5])
    expect(await sequences("MATCH", "user:*")).toEqual([1, 2, 3, 4, 5])
    expect(await sequences("MATCH", "oth?r")).toEqual([5])
    expect(await sequences("TYPE", "StringSet", "keydeleted")).toEqual([1, 3, 4, 5])
    expect(await sequences("TYPE", "HashFieldsSet", "DB", "0")).toEqual([2])
    expect(await sequences("DB", "3")).toEqual([3, 4, 5])
    expect(await sequences("USER", "default")).toEqual([1, 2, 3, 4, 5])
    expect(await sequences("USER", "nobody")).toEqual([])
    expect(await sequences("TO", "2")).toEqual([1, 2])
    const [whole] = (await read(client, "FROM", "1", "MATCH", "other", "VALUES")).batches
    expect((whole!["events"] as ReadonlyArray<unknown>).map((event) => {
      const { change, key } = record(event)
      return [key, record(change)["value"]]
    })).toEqual([["other", "1"], ["user:9", "2"]])
    expect(await ask(client, "LOG.READ", "FROM", "7")).toBe(
      "BEYONDHEAD 7 has not happened yet, the newest sequence is 5"
    )
    expect(await ask(client, "LOG.READ", "FROM", "1", "TYPE", "Nothing")).toBe("ERR unknown event type 'Nothing'")
    expect(await ask(client, "LOG.READ", "COUNT", "1")).toBe("ERR syntax error")
    expect(await ask(client, "LOG.READ", "FROM", "1", "DB", "16")).toBe("ERR DB index is out of range")
    expect(await ask(client, "LOG.READ", "FROM", "1", "BLOCK", "-1")).toBe("ERR timeout is negative")
  })

  it("follows the tail, woken by what is committed, and ends by time, CLIENT UNBLOCK or the end of the connection", async () => {
    const server = await start(scratchDir("feed-block"))
    const [reader, writer] = [await server.client(), await server.client()]
    const id = String(await ask(reader, "CLIENT", "ID"))
    await writer.command("SET", "a", "1")
    expect((await read(reader, "FROM", "1", "BLOCK", "0")).batches.length).toBe(1)
    const began = performance.now()
    expect(await read(reader, "FROM", "2", "BLOCK", "150")).toEqual({ next: 2, batches: [] })
    expect(performance.now() - began).toBeGreaterThan(140)
    const waiting = read(reader, "FROM", "2", "BLOCK", "0", "MATCH", "b*")
    await sleep(100)
    for (let i = 0; i < 10; i++) await writer.command("SET", "a", `${i}`)
    await sleep(50)
    const before = performance.now()
    await writer.command("SET", "b1", "x")
    const { batches, next } = await waiting
    expect(performance.now() - before).toBeLessThan(2000)
    expect([batches.map((batch) => batch["sequence"]), next]).toEqual([[12], 13])
    for (const how of ["TIMEOUT", "ERROR"]) {
      const blocked = ask(reader, "LOG.READ", "FROM", "13", "BLOCK", "0")
      await sleep(100)
      expect(await ask(writer, "CLIENT", "UNBLOCK", id, how)).toBe(1)
      const answer = await blocked
      if (how === "ERROR") expect(answer).toBe("UNBLOCKED client unblocked via CLIENT UNBLOCK")
      else expect(batchesOf(answer)).toEqual({ next: 13, batches: [] })
    }
    const gone = await server.client()
    void gone.command("LOG.READ", "FROM", "13", "BLOCK", "0").catch(() => {})
    await sleep(50)
    await gone.close()
    await writer.command("SET", "after", "1")
    expect(await ask(writer, "PING")).toBe("PONG")
    // A feed that follows sees every batch once, while others write.
    const feed: Array<unknown> = []
    const following = (async () => {
      for (let from = 14; feed.length < 400;) {
        const more = await read(reader, "FROM", `${from}`, "BLOCK", "5000")
        feed.push(...more.batches.map((batch) => batch["sequence"]))
        from = more.next
      }
    })()
    for (let i = 0; i < 400; i += 20) {
      await writer.pipeline(Array.from({ length: 20 }, (_, j) => ["SET", `f${i + j}`, "v"]))
    }
    await following
    expect(feed).toEqual(Array.from({ length: 400 }, (_, i) => i + 14))
    expect(await server.stop()).toEqual({ code: 0, signal: null })
    servers.delete(server)
  })

  it("tells a reader that retention has overtaken where the log begins", async () => {
    const server = await start(scratchDir("feed-truncated"), ["--history-retention", "200kb"])
    const client = await server.client()
    await fill(server, "a", 6000)
    await ask(client, "BGREWRITEAOF")
    const oldest = async (): Promise<number> => Number(record(await ask(client, "LOG.HEAD"))["oldest-sequence"])
    for (let i = 0; i < 200 && await oldest() === 1; i++) await sleep(50)
    const begins = await oldest()
    expect(begins).toBeGreaterThan(1)
    const text = `TRUNCATED 1 was dropped by history-retention, the oldest sequence is ${begins}`
    expect(await ask(client, "LOG.READ", "FROM", "1")).toBe(text)
    expect(await ask(client, "LOG.READ", "FROM", "1", "BLOCK", "0")).toBe(text)
    expect(await ask(client, "LOG.HISTORY", "a:1", "FROM", "1")).toBe(text)
    expect((await read(client, "FROM", `${begins}`, "COUNT", "1")).batches[0]!["sequence"]).toBe(begins)
    expect(await history(client, "a:5999")).toHaveLength(1)
  })
})

describe("the commands", () => {
  it("show in COMMAND with their group, categories and keys", async () => {
    const server = await start(scratchDir("history-command"))
    const client = await server.client()
    expect(await ask(client, "COMMAND", "LIST", "FILTERBY", "ACLCAT", "history")).toEqual([
      "log.head",
      "log.history",
      "log.read",
      "log.asof",
      "log.digest",
      "log.diff",
      "log.undo"
    ])
    const docs = record(record(await ask(client, "COMMAND", "DOCS", "log.history"))["log.history"])
    expect(docs["group"]).toBe("history")
    expect(await ask(client, "COMMAND", "GETKEYS", "LOG.HISTORY", "k", "REV")).toEqual(["k"])
  })
})
