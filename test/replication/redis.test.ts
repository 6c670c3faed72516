/** Real servers of both kinds: a redis-server follows Annals, Annals follows a redis-server, while both are written to. */
import { spawnSync } from "node:child_process"
import { readFileSync } from "node:fs"
import { join } from "node:path"
import { setTimeout as sleep } from "node:timers/promises"
import { afterAll, beforeAll, describe, expect, it } from "vitest"
import { streamRequests, valueRequest } from "../conformance/dumps.ts"
import { canCompare, redisTitle, startReference } from "../conformance/subject.ts"
import { isInstalled, type ServerProcess, startAnnals } from "../support/processes.ts"
import { Random, scaled } from "../support/random.ts"
import { plain, type RespClient } from "../support/resp-client.ts"
import { randomRequest, randomTransaction } from "../support/workload.ts"
import { until } from "./servers.ts"

const values = scaled(600)

/**
 * A Redis of 7.0 does not pass on that a BITFIELD made a string or made it longer, when all of it fails; distances that
 * are stored are computed anew by whoever follows, and need not be the same in their last digit.
 */
const isNotTheSame = (words: ReadonlyArray<string | Buffer>): boolean =>
  (words[0] === "BITFIELD" && words.includes("FAIL")) || words.includes("STOREDIST")

/** Deadlines far from now, or within what a test takes; none of single fields, which Redis 7.0 does not know. */
const workload = (random: Random): ReadonlyArray<ReadonlyArray<string | Buffer>> => {
  const now = Date.now() + 1e11
  const requests = random.chance(0.1) ? randomTransaction(random, now) : [randomRequest(random, now)]
  return requests.some((words) => /^(H(P?EXPIRE|SETEX|GETEX)|CLIENT)/i.test(String(words[0])) || isNotTheSame(words))
    ? []
    : requests
}

/** All types, some large. */
const fill = (random: Random): ReadonlyArray<ReadonlyArray<string | Buffer>> => {
  const members = Array.from({ length: 1500 }, (_, i) => `member:${i}:${random.uint32()}`)
  return [
    ...Array.from({ length: values }, (_, i) =>
      random.chance(0.03)
        ? streamRequests(random, `s${i}`)
        : [valueRequest(random, `k${i}`)]).flat(),
    ["SADD", "large:set", ...members],
    ["ZADD", "large:zset", ...members.flatMap((member) => [`${random.below(1e6)}`, member])],
    ["HSET", "large:hash", ...members.flatMap((member) => [member, "v"])],
    ["RPUSH", "large:list", ...members, "y".repeat(20_000), ...members],
    ["SET", "large:string", Buffer.from(random.bytes(600_000))],
    ["PEXPIRE", "k1", "100000000"]
  ]
}

describe.skipIf(!canCompare)(`${redisTitle} and Annals`, { timeout: 60_000 }, () => {
  const seed = (Math.random() * 0x7fffffff) | 0
  const random = new Random(seed)
  let redis: ServerProcess
  let annals: ServerProcess
  let toRedis: RespClient
  let toAnnals: RespClient
  beforeAll(async () => {
    ;[redis, annals] = await Promise.all([startReference(), startAnnals({ args: ["--databases", "16"] })])
    toRedis = await redis.client()
    toAnnals = await annals.client()
    await toRedis.command("CONFIG", "SET", "repl-diskless-sync-delay", "0")
  })
  afterAll(async () => {
    await Promise.all([toRedis.close(), toAnnals.close()])
    await Promise.all([redis.stop(), annals.stop()])
  })

  const ask = async (client: RespClient, ...words: ReadonlyArray<string>): Promise<unknown> =>
    plain(await client.command(...words))

  /** What both have said of late. */
  const logs = (): string => `${annals.output().slice(-2000)}\n${redis.output().slice(-2000)}`

  /** Writes until `done`, on a connection of its own. */
  const writing = async (server: ServerProcess, done: () => boolean): Promise<void> => {
    const client = await server.client()
    try {
      while (!done()) {
        await client.pipeline(Array.from({ length: 20 }, () => workload(random)).flat())
        await sleep(5)
      }
    } finally {
      await client.close()
    }
  }

  const during = async (server: ServerProcess, work: () => Promise<void>): Promise<void> => {
    let done = false
    const writer = writing(server, () => done)
    try {
      await work()
    } finally {
      done = true
      await writer
    }
  }

  const sameButForZeros = async (db: number, key: string): Promise<boolean> => {
    const [left, right] = await Promise.all([toRedis, toAnnals].map(async (client) => {
      await client.command("SELECT", `${db}`)
      const scored = await ask(client, "ZRANGE", key, "0", "-1", "WITHSCORES") as Array<string>
      await client.command("SELECT", "0")
      // Redis 7.0 writes more digits than are needed.
      const number = (text: string): string => text.endsWith("inf") ? text : `${Number(text) + 0}`
      return scored.flatMap((word, i) => i % 2 === 0 ? [`${word}=${number(scored[i + 1]!)}`] : [])
    }))
    return left!.toSorted().join() === right!.toSorted().join()
  }

  /** Keys that are not the same in both. */
  const differences = async (): Promise<string> => {
    const lines: Array<string> = []
    for (let db = 0; db < 16; db++) {
      const found = await Promise.all([toRedis, toAnnals].map(async (client) => {
        await client.command("SELECT", `${db}`)
        const keys = (await ask(client, "KEYS", "*") as Array<string>).toSorted()
        const replies = await client.pipeline(
          keys.flatMap((key) => [["TYPE", key], ["DEBUG", "DIGEST-VALUE", key], ["PEXPIRETIME", key]])
        )
        const facts = replies.map((reply) => String(plain(reply)))
        return new Map(keys.map((key, i) => [key, facts.slice(3 * i, 3 * i + 3).join(" ")]))
      }))
      await Promise.all([toRedis.command("SELECT", "0"), toAnnals.command("SELECT", "0")])
      for (const key of new Set(found.flatMap((facts) => [...facts.keys()]))) {
        const [left, right] = found.map((facts) => facts.get(key) ?? "absent")
        // A small sorted set of Redis has no room for the sign of a score of zero.
        if (left?.startsWith("zset") && right?.startsWith("zset") && await sameButForZeros(db, key)) continue
        if (left !== right) lines.push(`${JSON.stringify(key)} in ${db}: redis ${left}, annals ${right}`)
      }
    }
    return lines.join("\n")
  }

  const equal = async (writable: RespClient): Promise<void> => {
    await writable.command("SET", "last", "of all") // the workload may have emptied everything
    const same = async (): Promise<boolean> => {
      const both = await Promise.all([ask(toRedis, "DEBUG", "DIGEST"), ask(toAnnals, "DEBUG", "DIGEST")])
      expect(both[0]).not.toBe("0".repeat(40))
      return both[0] === both[1]
    }
    let different = "?"
    for (let tries = 1; different !== "" && !await same(); tries++) {
      await sleep(300)
      different = await differences()
      if (tries === 10 && different !== "") expect.fail(`seed ${seed}: ${different}\n${logs()}`)
    }
  }

  const linkUp = async (client: RespClient): Promise<void> => {
    const up = async (): Promise<boolean> => String(await ask(client, "INFO", "replication")).includes("link_status:up")
    await until("the link is up", up).catch((error: Error) => expect.fail(`${error.message}, seed ${seed}\n${logs()}`))
  }

  it("a redis-server follows, and redis-cli --rdb makes a file", async () => {
    await toAnnals.pipeline(fill(random))
    await during(annals, async () => {
      expect(await ask(toRedis, "REPLICAOF", "127.0.0.1", `${annals.port}`)).toBe("OK")
      await linkUp(toRedis)
      await sleep(300)
    })
    await equal(toAnnals)
    await toAnnals.command("SET", "waited", "for")
    expect(await ask(toAnnals, "WAIT", "1", "5000")).toBe(1)
    expect(await ask(toRedis, "GET", "waited")).toBe("for")
    expect(await ask(toAnnals, "INFO", "replication")).toContain(`port=${redis.port},state=online`)
    if (isInstalled("redis-cli")) {
      const file = join(redis.dir, "backup.rdb")
      const { status } = spawnSync("redis-cli", ["-p", `${annals.port}`, "--rdb", file], { timeout: 20_000 })
      expect(status).toBe(0)
      expect(readFileSync(file).subarray(0, 9).toString()).toBe("REDIS0010")
      expect(spawnSync("redis-check-rdb", [file]).status).toBe(0)
    }
    expect(await ask(toRedis, "REPLICAOF", "NO", "ONE")).toBe("OK")
  })

  it("Annals follows a redis-server, does so again after the link was lost, and leads when it is told to", async () => {
    await toRedis.pipeline(fill(random))
    await toAnnals.command("SET", "of its own", "before")
    await during(redis, async () => {
      expect(await ask(toAnnals, "REPLICAOF", "127.0.0.1", `${redis.port}`)).toBe("OK")
      await linkUp(toAnnals)
      await sleep(300)
    })
    await equal(toRedis)
    expect(await ask(toAnnals, "EXISTS", "of its own")).toBe(0)
    expect(String(await ask(toAnnals, "SET", "a", "b"))).toContain(
      "READONLY You can't write against a read only replica."
    )
    await during(redis, async () => {
      await toRedis.command("CLIENT", "KILL", "TYPE", "REPLICA")
      await sleep(300)
      await linkUp(toAnnals)
    })
    await equal(toRedis)
    await toRedis.command("SET", "waited", "for")
    expect(await ask(toRedis, "WAIT", "1", "5000")).toBe(1)
    expect(await ask(toAnnals, "REPLICAOF", "NO", "ONE")).toBe("OK")
    expect(await ask(toAnnals, "SET", "a", "b")).toBe("OK")
    expect(await ask(toAnnals, "ROLE")).toEqual(["master", expect.any(Number), []])
  })
})
