/**
 * Moves data of all types from a running redis-server to Annals and back by replication, under writes, and compares what
 * both hold, key by key: type, DEBUG DIGEST-VALUE, deadline. Prints what it took; ends with 1 at the first difference.
 *
 *   node test/bench/migration.ts                  1,000,000 keys
 *   node test/bench/migration.ts --keys 20000     the same, small
 */
import { setTimeout as sleep } from "node:timers/promises"
import { parseArgs } from "node:util"
import { type ServerProcess, startAnnals } from "../support/processes.ts"
import { startRedis } from "../support/redis-server.ts"
import { plain, type RespClient } from "../support/resp-client.ts"

type Request = ReadonlyArray<string>

const { values } = parseArgs({ options: { keys: { type: "string", default: "1000000" } } })
const keys = Number(values.keys)
const perBatch = 1000
const longestMs = 600_000
/** Writes go on for so long after the link is up. */
const underWritesMs = 3000
const client = (server: ServerProcess): Promise<RespClient> => server.client({ timeoutMs: longestMs })
const below = (n: number): number => Math.floor(Math.random() * n)

/** Key number `i`, of one of ten kinds. */
const nameOf = (i: number): string => `key:${i % 10}:${i}`

const create = (i: number): ReadonlyArray<Request> => {
  const key = nameOf(i)
  switch (i % 10) {
    case 4:
      return [["SET", key, `${i * 7919}`, "PX", `${100_000_000 + i}`]]
    case 5:
      return [["HSET", key, "name", `user ${i}`, "age", `${i % 90}`, "city", "Łódź", "score", `${i / 7}`]]
    case 6:
      return [["RPUSH", key, `${i}`, "second", "third", `${-i}`, "x".repeat(i % 50)]]
    case 7:
      return [i % 20 === 7 ? ["SADD", key, "1", `${i}`, "77"] : ["SADD", key, "red", `${i}`, "green"]]
    case 8:
      return [["ZADD", key, `${i / 3}`, "a", "-2", "b", "1e300", "c"], ["PEXPIRE", key, `${200_000_000 + i}`]]
    case 9:
      return i % 100 !== 9
        ? [i % 20 === 9 ? ["PFADD", key, `${i}`, "b", "c"] : ["SETBIT", key, `${i % 4000}`, "1"]]
        : [
          ["XADD", key, `${i}-1`, "field", "value", "n", `${i}`],
          ["XADD", key, `${i}-2`, "field", "other"],
          ["XGROUP", "CREATE", key, "group", "0"],
          ["XREADGROUP", "GROUP", "group", "alice", "COUNT", "1", "STREAMS", key, ">"]
        ]
    default:
      return [["SET", key, `value ${i} ${"v".repeat(i % 60)}`]]
  }
}

/** A change of key number `i`. */
const change = (i: number): ReadonlyArray<Request> => {
  const key = nameOf(i)
  if (below(50) === 0) return [["DEL", key]]
  switch (i % 10) {
    case 4:
      return [["SET", key, "0"], ["INCRBY", key, `${below(1000)}`], ["PEXPIRE", key, "300000000"]]
    case 5:
      return [["HSET", key, `field ${below(9)}`, `${below(1e9)}`], ["HDEL", key, "age"]]
    case 6:
      return [["RPUSH", key, `${below(1e9)}`], ["LPOP", key], ["LTRIM", key, "0", "9"]]
    case 7:
      return [["SADD", key, `${below(1e9)}`], ["SPOP", key]]
    case 8:
      return [["ZINCRBY", key, `${below(100)}`, "a"], ["ZREMRANGEBYRANK", key, "5", "-1"]]
    case 9:
      return i % 100 === 9 ? [["XADD", key, "*", "n", `${i}`]] : [["APPEND", key, "x"]]
    default:
      return [["MULTI"], ["SET", key, `new ${below(1e9)}`], ["APPEND", key, "!"], ["EXEC"]]
  }
}

const large = (): ReadonlyArray<Request> => {
  const members = Array.from({ length: Math.min(50_000, keys) }, (_, i) => `member:${i}`)
  return [
    ["SADD", "large:set", ...members],
    ["ZADD", "large:zset", ...members.flatMap((member, i) => [`${i * 3}`, member])],
    ["HSET", "large:hash", ...members.flatMap((member) => [member, "v"])],
    ["RPUSH", "large:list", ...members],
    ["SET", "large:string", "s".repeat(5_000_000)],
    ["SELECT", "3"],
    ["SET", "elsewhere", "1"],
    ["SELECT", "0"]
  ]
}

const fill = async (server: ServerProcess): Promise<void> => {
  const to = await client(server)
  for (let i = 0; i < keys; i += perBatch) {
    await to.pipeline(Array.from({ length: Math.min(perBatch, keys - i) }, (_, k) => create(i + k)).flat())
  }
  await to.pipeline(large())
  await to.close()
}

/** Writes until it is told to stop; resolves with how many requests were answered. */
const writing = (server: ServerProcess): () => Promise<number> => {
  let done = false
  const run = async (): Promise<number> => {
    const to = await client(server)
    let count = 0
    while (!done) {
      const requests = Array.from({ length: 50 }, () => change(below(keys))).flat()
      await to.pipeline(requests)
      count += requests.length
      await sleep(2)
    }
    await to.close()
    return count
  }
  const running = run()
  return () => {
    done = true
    return running
  }
}

const factsOf = async (from: RespClient, names: ReadonlyArray<string>): Promise<ReadonlyArray<string>> => {
  const replies = await from.pipeline(
    names.flatMap((key) => [["TYPE", key], ["DEBUG", "DIGEST-VALUE", key], ["PEXPIRETIME", key]])
  )
  return names.map((_, i) => replies.slice(3 * i, 3 * i + 3).map((reply) => String(plain(reply))).join(" "))
}

/** Goes through all keys of all databases; returns how many of each type are the same. Throws at a difference. */
const compare = async (one: ServerProcess, other: ServerProcess): Promise<ReadonlyMap<string, number>> => {
  const [left, right] = [await client(one), await client(other)]
  const counts = new Map<string, number>()
  for (let db = 0; db < 16; db++) {
    for (const each of [left, right]) await each.command("SELECT", `${db}`)
    const sizes = await Promise.all([left, right].map(async (each) => plain(await each.command("DBSIZE"))))
    if (sizes[0] !== sizes[1]) throw new Error(`database ${db} holds ${sizes.join(" and ")} keys`)
    const seen = new Set<string>() // SCAN may name a key twice
    for (let cursor = "0";;) {
      const [next, page] = plain(await left.command("SCAN", cursor, "COUNT", `${perBatch}`)) as [string, Array<string>]
      const names = page.filter((name) => !seen.has(name))
      for (const name of names) seen.add(name)
      const [ours, theirs] = await Promise.all([factsOf(left, names), factsOf(right, names)])
      for (const [i, name] of names.entries()) {
        if (ours[i] !== theirs[i]) throw new Error(`${name} in ${db} differs: ${ours[i]} and ${theirs[i]}`)
        const type = ours[i]!.split(" ", 1)[0]!
        counts.set(type, (counts.get(type) ?? 0) + 1)
      }
      cursor = next
      if (cursor === "0") break
    }
    if (seen.size !== sizes[0]) throw new Error(`SCAN found ${seen.size} of ${sizes[0]} keys in database ${db}`)
  }
  await Promise.all([left.close(), right.close()])
  return counts
}

const since = (began: number): string => `${((performance.now() - began) / 1000).toFixed(1)} s`

const expectOk = async (of: RespClient, ...words: Request): Promise<void> => {
  const reply = plain(await of.command(...words))
  if (reply !== "OK") throw new Error(`${words.join(" ")} answered ${String(reply)}`)
}

/** One move: `to` follows `from` under writes, both are compared, `to` leads. */
const move = async (title: string, from: ServerProcess, to: ServerProcess): Promise<void> => {
  const [source, target] = [await client(from), await client(to)]
  const stop = writing(from)
  const began = performance.now()
  await expectOk(target, "REPLICAOF", "127.0.0.1", `${from.port}`)
  const up = async (): Promise<boolean> =>
    String(plain(await target.command("INFO", "replication"))).includes("master_link_status:up")
  while (!await up()) {
    if (performance.now() - began > longestMs) throw new Error(`${title}: the link does not come up`)
    await sleep(20)
  }
  console.log(`${title}: the first copy took ${since(began)}`)
  await sleep(underWritesMs)
  const written = await stop()
  await source.command("SET", "last", "of all")
  const waited = performance.now()
  if (plain(await source.command("WAIT", "1", `${longestMs}`)) !== 1) throw new Error(`${title}: nobody follows`)
  console.log(`${title}: ${written} requests were answered meanwhile; the replica had all after ${since(waited)}`)
  const comparing = performance.now()
  const counts = await compare(from, to)
  const all = [...counts].toSorted().map(([type, count]) => `${count} ${type}`).join(", ")
  console.log(`${title}: the same are ${all}; compared in ${since(comparing)}`)
  await expectOk(target, "REPLICAOF", "NO", "ONE")
  await expectOk(target, "SET", "leads", title)
  await Promise.all([source.close(), target.close()])
}

const startRedisHere = async (): Promise<ServerProcess> => {
  const args = ["--save", "", "--repl-diskless-sync-delay", "0", "--client-output-buffer-limit", "replica 0 0 0"]
  const server = await startRedis({ args: [...args, "--enable-debug-command", "yes"] })
  if (server === undefined) throw new Error("redis-server is not installed")
  return server
}

const redis = await startRedisHere()
const annals = await startAnnals({ args: ["--databases", "16"] })
const filling = performance.now()
await fill(redis)
console.log(`${keys} keys were written in ${since(filling)}`)
await move("from redis-server to Annals", redis, annals)
await redis.stop()
const second = await startRedisHere()
await move("from Annals to redis-server", annals, second)
await Promise.all([annals.stop(), second.stop()])
