/**
 * The clients people use, against the real server: the npm packages redis and ioredis, and redis-cli in the modes an
 * operator types. They send what no test of ours would think of: HELLO, CLIENT SETINFO, INFO, COMMAND DOCS.
 */
import { Redis } from "ioredis"
import { type ChildProcess, spawn } from "node:child_process"
import { once } from "node:events"
import { stripVTControlCharacters } from "node:util"
import { BasicClientSideCache, createClient } from "redis"
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest"
import { dyingWithUs, isInstalled, type ServerProcess, startAnnals } from "../support/processes.ts"
import { plain } from "../support/resp-client.ts"
import { removeScratch, scratchDir, sleep } from "./oracle.ts"

let server: ServerProcess
beforeAll(async () => {
  server = await startAnnals()
})
afterAll(async () => {
  await server.stop()
  removeScratch()
})
afterEach(async () => {
  const client = await server.client()
  await client.command("FLUSHALL")
  await client.close()
})

/** Polls until `ask` gives something; errors meanwhile count as nothing yet. */
const eventually = async <T>(ask: () => Promise<T | undefined>, mostMs = 20_000): Promise<T> => {
  const until = performance.now() + mostMs
  for (;;) {
    let failure: unknown
    const found = await ask().catch((cause: unknown) => {
      failure = cause
      return undefined
    })
    if (found !== undefined) return found
    if (performance.now() > until) throw new Error(`not within ${mostMs} ms`, { cause: failure })
    await sleep(20)
  }
}

/** Runs `body` against a server of its own that `crash` kills and starts again on the same port and directory. */
const withCrash = async (body: (port: number, crash: () => Promise<void>) => Promise<void>): Promise<void> => {
  const dir = scratchDir("clients-crash")
  let own = await startAnnals({ dir })
  const { port } = own
  try {
    await body(port, async () => {
      await own.kill()
      own = await startAnnals({ dir, port })
    })
  } finally {
    await own.kill()
  }
}

for (const RESP of [2, 3] as const) {
  describe(`npm redis, RESP${RESP}`, () => {
    const connect = async (port = server.port) => {
      const client = createClient({
        RESP,
        socket: { host: "127.0.0.1", port, reconnectStrategy: () => 30 },
        name: `test-${RESP}`
      })
      client.on("error", () => {}) // While a server is down every attempt to reconnect is one.
      await client.connect()
      return client
    }

    it("reads and writes", async () => {
      const client = await connect()
      expect(await client.ping()).toBe("PONG")
      expect(await client.set("k", "värde")).toBe("OK")
      expect(await client.get("k")).toBe("värde")
      expect(await client.get("absent")).toBeNull()
      expect(await client.set("k", "x", { condition: "NX" })).toBeNull()
      expect(await client.set("k", "new", { GET: true })).toBe("värde")
      expect(await client.incrBy("n", 5)).toBe(5)
      expect(await client.incrByFloat("f", 1.5)).toBe("1.5")
      expect(await client.mSet({ a: "1", b: "2" })).toBe("OK")
      expect(await client.mGet(["a", "absent", "b"])).toEqual(["1", null, "2"])
      expect(await client.exists(["a", "b", "absent"])).toBe(2)
      expect(await client.rename("a", "c")).toBe("OK")
      expect(await client.copy("c", "d")).toBe(1)
      expect(await client.type("d")).toBe("string")
      expect(await client.del(["b", "c"])).toBe(2)
      await expect(client.incr("k")).rejects.toThrow("ERR value is not an integer or out of range")
      expect(await client.clientGetName()).toBe(`test-${RESP}`)
      expect(await client.configGet("appendfsync")).toEqual(expect.objectContaining({ appendfsync: "everysec" }))
      expect(await client.info("server")).toContain("redis_version:")
      client.destroy()
    })

    it("pipelines", async () => {
      const client = await connect()
      const replies = await Promise.all(Array.from({ length: 5000 }, (_, i) => client.set(`k${i}`, `${i}`)))
      expect(replies.every((reply) => reply === "OK")).toBe(true)
      const values = await Promise.all(Array.from({ length: 5000 }, (_, i) => client.get(`k${i}`)))
      expect(values).toEqual(Array.from({ length: 5000 }, (_, i) => `${i}`))
      client.destroy()
    })

    it("lets keys die", async () => {
      const client = await connect()
      await client.set("k", "v", { expiration: { type: "PX", value: 60 } })
      await client.set("stays", "v", { expiration: { type: "EX", value: 1000 } })
      expect(await client.expire("stays", 2000, "GT")).toBe(1)
      expect(await client.ttl("stays")).toBeGreaterThan(1000)
      await eventually(async () => (await client.dbSize()) === 1 ? true : undefined)
      expect(await client.get("k")).toBeNull()
      expect(await client.persist("stays")).toBe(1)
      expect(await client.ttl("stays")).toBe(-1)
      client.destroy()
    })

    it("iterates", async () => {
      const client = await connect()
      await client.mSet(Object.fromEntries(Array.from({ length: 1000 }, (_, i) => [`key:${i}`, "v"])))
      const found = new Set<string>()
      for await (const keys of client.scanIterator({ MATCH: "key:*7*", COUNT: 50 })) {
        for (const key of keys) found.add(key)
      }
      const expected = Array.from({ length: 1000 }, (_, i) => `key:${i}`).filter((key) => key.includes("7"))
      expect(found).toEqual(new Set(expected))
      client.destroy()
    })

    it("comes back after the server was killed and started again", async () => {
      await withCrash(async (port, crash) => {
        const client = await connect(port)
        await client.set("k", "before")
        await crash()
        expect(await eventually(() => client.get("k").then((value) => value ?? undefined))).toBe("before")
        expect(await client.set("k", "after")).toBe("OK")
        expect(await client.clientGetName()).toBe(`test-${RESP}`)
        client.destroy()
      })
    })
  })
}

describe("npm redis with a cache of its own", () => {
  it("asks once for what does not change, and hears what others change", async () => {
    const cache = new BasicClientSideCache({ ttl: 0, maxEntries: 100, evictPolicy: "LRU" })
    const reader = createClient({ socket: { port: server.port }, RESP: 3, clientSideCache: cache })
    const writer = createClient({ socket: { port: server.port } })
    await Promise.all([reader.connect(), writer.connect()])
    try {
      await writer.set("a", "1")
      for (let i = 0; i < 5; i++) expect(await reader.get("a")).toBe("1")
      expect([cache.stats().missCount, cache.stats().hitCount]).toEqual([1, 4])
      await writer.set("a", "2")
      await eventually(async () => await reader.get("a") === "2" ? true : undefined)
      await writer.hSet("h", { f: "v" })
      expect({ ...await reader.hGetAll("h") }).toEqual({ f: "v" })
      await writer.flushAll()
      await eventually(async () => await reader.get("a") === null ? true : undefined)
      expect({ ...await reader.hGetAll("h") }).toEqual({})
      expect(cache.stats().missCount).toBeLessThan(20)
    } finally {
      reader.destroy()
      writer.destroy()
    }
  })
})

describe("ioredis", () => {
  const connect = (port = server.port): Redis => {
    const client = new Redis({ port, host: "127.0.0.1", connectionName: "io", retryStrategy: () => 30 })
    client.on("error", () => {})
    return client
  }

  it("reads and writes", async () => {
    const client = connect()
    expect(await client.ping()).toBe("PONG")
    expect(await client.set("k", "v", "EX", 100)).toBe("OK")
    expect(await client.get("k")).toBe("v")
    expect(await client.getBuffer("k")).toEqual(Buffer.from("v"))
    const bytes = Buffer.from(Array.from({ length: 256 }, (_, i) => i))
    await client.set("bytes", bytes)
    expect(await client.getBuffer("bytes")).toEqual(bytes)
    expect(await client.mget("k", "absent")).toEqual(["v", null])
    expect(await client.ttl("k")).toBeGreaterThan(0)
    expect(await client.client("GETNAME")).toBe("io")
    await expect(client.call("NOSUCH", "x")).rejects.toThrow("ERR unknown command 'NOSUCH'")
    await expect(client.incr("k")).rejects.toThrow("ERR value is not an integer")
    await client.select(3)
    expect(await client.get("k")).toBeNull()
    expect(await client.dbsize()).toBe(0)
    client.disconnect()
  })

  it("pipelines", async () => {
    const client = connect()
    const pipeline = client.pipeline()
    for (let i = 0; i < 3000; i++) pipeline.set(`k${i}`, i).incr(`k${i}`)
    pipeline.incr("text").append("text", "!").incr("text")
    const results = (await pipeline.exec())!
    expect(results.length).toBe(6003)
    expect(results.slice(0, 6000).every(([error], i) => error === null && results[i]![1] !== null)).toBe(true)
    expect(results[5999]).toEqual([null, 3000])
    expect(results[6002]![0]).toMatchObject({ message: "ERR value is not an integer or out of range" })
    client.disconnect()
  })

  it("lets keys die", async () => {
    const client = connect()
    await client.psetex("k", 50, "v")
    await eventually(async () => (await client.dbsize()) === 0 ? true : undefined)
    expect(await client.get("k")).toBeNull()
    client.disconnect()
  })

  it("iterates", async () => {
    const client = connect()
    await client.mset(new Map(Array.from({ length: 1000 }, (_, i) => [`key:${i}`, "v"])))
    const found = new Set<string>()
    for await (const keys of client.scanStream({ match: "key:*", count: 100 })) {
      for (const key of keys as Array<string>) found.add(key)
    }
    expect(found.size).toBe(1000)
    client.disconnect()
  })

  it("comes back after the server was killed and started again, with its database and name", async () => {
    await withCrash(async (port, crash) => {
      const client = connect(port)
      await client.select(2)
      await client.set("k", "before")
      const again = new Promise<void>((resolve) => {
        client.once("close", () => client.once("ready", () => resolve()))
      })
      await crash()
      await again
      expect(await client.get("k")).toBe("before")
      expect(await client.client("GETNAME")).toBe("io")
      expect(await client.set("k", "after")).toBe("OK")
      client.disconnect()
    })
  })
})

const hasCli = isInstalled("redis-cli")

describe.skipIf(!hasCli)("redis-cli", () => {
  interface Run {
    readonly code: number | null
    readonly output: string
  }

  const begin = (args: ReadonlyArray<string>, launcher: ReadonlyArray<string> = []): ChildProcess => {
    const words = dyingWithUs([...launcher, "redis-cli", "-p", `${server.port}`, ...args])
    return spawn(words[0]!, words.slice(1), { stdio: ["pipe", "pipe", "pipe"] })
  }

  const finish = async (child: ChildProcess): Promise<Run> => {
    let output = ""
    child.stdout!.on("data", (chunk: Buffer) => output += chunk.toString())
    child.stderr!.on("data", (chunk: Buffer) => output += chunk.toString())
    const hung = setTimeout(() => child.kill("SIGKILL"), 60_000)
    const [code] = await once(child, "close") as [number | null]
    clearTimeout(hung)
    return { code, output }
  }

  const cli = (...args: ReadonlyArray<string>): Promise<Run> => {
    const child = begin(args)
    child.stdin!.end()
    return finish(child)
  }

  it("runs commands in RESP2 and RESP3", async () => {
    expect(await cli("PING")).toEqual({ code: 0, output: "PONG\n" })
    expect((await cli("SET", "k", "a b")).output).toBe("OK\n")
    expect((await cli("--no-raw", "GET", "k")).output).toBe("\"a b\"\n")
    expect((await cli("--no-raw", "GET", "absent")).output).toBe("(nil)\n")
    expect((await cli("--no-raw", "INCR", "n")).output).toBe("(integer) 1\n")
    expect((await cli("-3", "--no-raw", "MGET", "k", "absent")).output).toBe("1) \"a b\"\n2) (nil)\n")
    expect((await cli("-3", "HELLO")).output).toMatch(/proto 3\n/)
    expect((await cli("-n", "5", "DBSIZE")).output).toBe("0\n")
    expect((await cli("--json", "-3", "GET", "k")).output).toContain("\"a b\"")
    expect((await cli("NOSUCH")).output).toContain("ERR unknown command 'NOSUCH'")
    expect((await cli("-e", "INCR", "k")).code).not.toBe(0)
  })

  it("reads commands from standard input", async () => {
    const child = begin([])
    child.stdin!.end("SET a 1\nINCR a\n\nGET \"a\"\nSELECT 3\nDBSIZE\n")
    expect(await finish(child)).toEqual({ code: 0, output: "OK\n2\n2\nOK\n0\n" })
  })

  it.skipIf(!isInstalled("script"))("knows every command's arguments at a terminal", async () => {
    // There it asks COMMAND DOCS first; without an answer it falls back to what it was built with.
    const words = dyingWithUs(["script", "-qec", `redis-cli -p ${server.port}`, "/dev/null"])
    const child = spawn(words[0]!, words.slice(1), {
      stdio: ["pipe", "pipe", "pipe"],
      env: { ...process.env, TERM: "dumb" }
    })
    const done = finish(child)
    child.stdin!.write("help delex\nset k v\nget k\nexit\n")
    const { output } = await done
    expect(stripVTControlCharacters(output)).toContain("DELEX key [IFEQ ")
    expect(output).toContain("\"v\"")
  })

  it("scans keys, big ones and those that take memory", async () => {
    const client = await server.client()
    await client.pipeline(Array.from({ length: 500 }, (_, i) => ["SET", `key:${i}`, "x".repeat(i + 1)]))
    await client.close()
    const keys = (await cli("--scan")).output.trim().split("\n")
    expect(new Set(keys)).toEqual(new Set(Array.from({ length: 500 }, (_, i) => `key:${i}`)))
    const some = (await cli("--scan", "--pattern", "key:1?")).output.trim().split("\n")
    expect(some.toSorted()).toEqual(Array.from({ length: 10 }, (_, i) => `key:1${i}`))
    const big = await cli("--bigkeys")
    expect(big.code).toBe(0)
    expect(big.output).toContain("Sampled 500 keys in the keyspace!")
    expect(big.output).toContain("Biggest string found '\"key:499\"' has 500 bytes")
    expect(big.output).toContain(`500 strings with ${500 * 501 / 2} bytes (100.00% of keys`)
    const memory = await cli("--memkeys")
    expect(memory.code).toBe(0)
    expect(memory.output).toContain("Sampled 500 keys in the keyspace!")
    expect(Number(/500 strings with (\d+) bytes/.exec(memory.output)![1])).toBeGreaterThan(500 * 501 / 2)
    expect(Number(/Biggest string found .* has (\d+) bytes/.exec(memory.output)![1])).toBeGreaterThanOrEqual(500)
  })

  it("finds the biggest of every type", async () => {
    const client = await server.client()
    const numbers = Array.from({ length: 300 }, (_, i) => `${i}`)
    await client.pipeline([
      ["FLUSHALL"],
      ["SET", "text", "hello"],
      ["RPUSH", "list", ...numbers],
      ["SADD", "set", ...numbers, "x"],
      ["HSET", "hash", ...numbers.flatMap((n) => [n, n])],
      ["ZADD", "zset", ...numbers.flatMap((n) => [n, n])]
    ])
    await client.close()
    const { code, output } = await cli("--bigkeys")
    expect(code).toBe(0)
    expect(output).toContain("Biggest   list found '\"list\"' has 300 items")
    expect(output).toContain("Biggest    set found '\"set\"' has 301 members")
    expect(output).toContain("Biggest   hash found '\"hash\"' has 300 fields")
    expect(output).toContain("Biggest   zset found '\"zset\"' has 300 members")
    const memory = await cli("--memkeys")
    expect(memory.code).toBe(0)
    for (const type of ["list", "set", "hash", "zset"]) {
      expect(Number(new RegExp(`Biggest +${type} found .* has (\\d+) bytes`).exec(memory.output)![1])).toBeGreaterThan(
        300
      )
    }
  })

  it("measures latency", async () => {
    // Without a terminal it prints one line after the interval: minimum, maximum, average, samples.
    const { code, output } = await cli("--latency", "-i", "0.5", "--raw")
    expect(code).toBe(0)
    expect(output).toMatch(/^\d+ \d+ \d+\.\d+ \d+\s*$/)
  })

  it.skipIf(!isInstalled("stdbuf"))("shows statistics continuously", async () => {
    const child = begin(["--stat", "-i", "0.1"], ["stdbuf", "-oL"])
    const done = finish(child)
    let lines = ""
    child.stdout!.on("data", (chunk: Buffer) => {
      lines += chunk.toString()
      if (lines.split("\n").length > 6) child.kill("SIGKILL")
    })
    const { output } = await done
    const rows = output.split("\n").filter((line) => /^\d/.test(line))
    expect(output).toContain("keys       mem      clients blocked requests            connections")
    expect(rows.length).toBeGreaterThanOrEqual(3)
    for (const row of rows.slice(0, 3)) {
      expect(row).toMatch(/^\d+\s+[\d.]+[BKMG]\s+[1-9]\d*\s+0\s+\d+ \(\+\d+\)\s+\d+\s*$/)
    }
  })

  /** Changes parameters for one test; a reply other than OK fails it. */
  const configured = async (settings: Readonly<Record<string, string>>, body: () => Promise<void>): Promise<void> => {
    const client = await server.client()
    const before = plain(await client.command("CONFIG", "GET", ...Object.keys(settings))) as Array<string>
    expect(plain(await client.command("CONFIG", "SET", ...Object.entries(settings).flat()))).toBe("OK")
    try {
      await body()
    } finally {
      expect(plain(await client.command("CONFIG", "SET", ...before))).toBe("OK")
      await client.close()
    }
  }

  it("finds the keys asked for most", async () => {
    // With a factor of 0 every access counts, beginning with the 5 that a new key has.
    await configured({ "maxmemory-policy": "allkeys-lfu", "lfu-log-factor": "0" }, async () => {
      const client = await server.client()
      await client.pipeline(Array.from({ length: 40 }, (_, i) => ["SET", `key:${i}`, "v"]))
      await client.pipeline(Array.from({ length: 100 }, () => ["GET", "key:7"]))
      await client.pipeline(Array.from({ length: 50 }, () => ["GET", "key:31"]))
      await client.close()
      const { code, output } = await cli("--hotkeys")
      expect(code).toBe(0)
      const summary = output.slice(output.indexOf("-------- summary -------"))
      expect(summary).toContain("Sampled 40 keys in the keyspace!")
      const found = [...summary.matchAll(/hot key found with counter: (\d+)\tkeyname: "([^"]*)"/g)]
      expect(found.length).toBe(16)
      expect(found.slice(0, 2).map(([, counter, key]) => [key, counter])).toEqual([["key:7", "105"], ["key:31", "55"]])
      expect(found.slice(2).every(([, counter]) => counter === "5")).toBe(true)
    })
  })

  it("says that hot keys need a policy that counts", async () => {
    const client = await server.client()
    await client.command("SET", "k", "v")
    await client.close()
    const { code, output } = await cli("--hotkeys")
    expect(code).not.toBe(0)
    expect(output).toContain("An LFU maxmemory policy is not selected")
  })

  it.skipIf(!isInstalled("stdbuf"))("simulates a cache at the memory limit", async () => {
    const client = await server.client()
    const number = async (section: string, field: string): Promise<number> => {
      const text = String(plain(await client.command("INFO", section)))
      return Number(new RegExp(`^${field}:(\\d+)`, "m").exec(text)![1])
    }
    const limit = await number("memory", "used_memory") + 200_000
    const evictedBefore = await number("stats", "evicted_keys")
    await configured({ maxmemory: `${limit}`, "maxmemory-policy": "allkeys-lru" }, async () => {
      const child = begin(["--lru-test", "10000"], ["stdbuf", "-oL"])
      const done = finish(child)
      let lines = ""
      child.stdout!.on("data", (chunk: Buffer) => {
        lines += chunk.toString()
        if (lines.split("\n").length > 2) child.kill("SIGKILL")
      })
      const { output } = await done
      const rows = [...output.matchAll(/^(\d+) Gets\/sec \| Hits: (\d+) \([\d.]+%\) \| Misses: (\d+) \([\d.]+%\)$/gm)]
      expect(rows.length).toBeGreaterThanOrEqual(2)
      for (const [, gets, hits, misses] of rows) expect(Number(hits) + Number(misses)).toBe(Number(gets))
      // Eight of ten accesses go to two of ten keys there: with room for a part of them most are found.
      const [, gets, hits, misses] = rows[1]!.map(Number) as [number, number, number, number]
      expect(hits / gets).toBeGreaterThan(0.5)
      expect(misses).toBeGreaterThan(0)
      expect(await number("stats", "evicted_keys")).toBeGreaterThan(evictedBefore)
      expect(await number("memory", "used_memory")).toBeLessThan(limit + 100_000)
    })
    await client.close()
  })

  it("pipes a million commands", async () => {
    const count = 1_000_000
    const child = begin(["--pipe"])
    const done = finish(child)
    const chunk = 20_000
    for (let i = 0; i < count; i += chunk) {
      const requests: Array<string> = []
      for (let n = i; n < i + chunk; n++) {
        const key = `key:${n}`
        requests.push(`*3\r\n$3\r\nSET\r\n$${key.length}\r\n${key}\r\n$5\r\nvalue\r\n`)
      }
      if (!child.stdin!.write(requests.join(""))) await once(child.stdin!, "drain")
    }
    child.stdin!.end()
    const { code, output } = await done
    expect(code).toBe(0)
    expect(output).toContain(`errors: 0, replies: ${count}`)
    const client = await server.client()
    expect(plain(await client.command("DBSIZE"))).toBe(count)
    expect(plain(await client.command("GET", "key:999999"))).toBe("value")
    await client.close()
  })
})
