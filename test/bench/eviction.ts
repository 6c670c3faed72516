/** At the memory limit: speed, how well the limit is kept, and how well the policy chooses. */
import { setTimeout as sleep } from "node:timers/promises"
import type { ServerProcess } from "../support/processes.ts"
import { Random } from "../support/random.ts"
import { encodeRequest, plain, type RespClient } from "../support/resp-client.ts"
import { fill, infoFields, infoNumber, integerReply, keyOf, redisBenchmark } from "./load.ts"
import { type EvictionScale, type Turn, withServer } from "./parts.ts"

const policies = ["allkeys-lru", "allkeys-lfu", "allkeys-random"] as const

/** Asks for used_memory every 20 ms until the returned function is called, which gives the highest value. */
const watchUsedMemory = (client: RespClient): () => Promise<number> => {
  let watching = true
  const highest = (async () => {
    let found = 0
    do {
      found = Math.max(found, infoNumber(await infoFields(client, "memory"), "used_memory"))
      await sleep(20)
    } while (watching)
    return found
  })()
  highest.catch(() => {}) // heard of when it is stopped
  return () => {
    watching = false
    return highest
  }
}

/** SETs and GETs of random keys, several times as many as fit. */
const timed = async (turn: Turn, server: ServerProcess, client: RespClient, policy: string): Promise<void> => {
  const { fill: count, limitBytes, range, requests, valueBytes } = turn.scale.eviction
  turn.note(`${policy}: filling beyond the limit`)
  await fill(server.port, count, valueBytes)
  if (infoNumber(await infoFields(client, "stats"), "evicted_keys") === 0) {
    throw new Error(`${count} values of ${valueBytes} bytes evicted nothing`)
  }
  const args = ["-r", `${range}`, "-d", `${valueBytes}`, "-c", "50", "-P", "16"]
  const name = `${policy}, values of ${valueBytes} B`
  turn.note(`${policy}: SET`)
  await redisBenchmark(server.port, ["-t", "set", ...args, "-n", `${Math.ceil(requests / 4)}`])
  const evicted = async () => infoNumber(await infoFields(client, "stats"), "evicted_keys")
  const evictedBefore = await evicted()
  const highest = watchUsedMemory(client)
  const set = await redisBenchmark(server.port, ["-t", "set", ...args, "-n", `${requests}`]).finally(highest)
  const used = await highest()
  if (await evicted() === evictedBefore) throw new Error("nothing was evicted while SET was timed")
  const held = await integerReply(client, "DBSIZE")
  turn.note(`${policy}: GET`)
  await redisBenchmark(server.port, ["-t", "get", ...args, "-n", `${Math.ceil(requests / 4)}`])
  const get = await redisBenchmark(server.port, ["-t", "get", ...args, "-n", `${requests}`])
  turn.record("eviction", `${name}: SET P=16`, "req/s", "higher", set.requestsPerSecond)
  turn.record("eviction", `${name}: SET P=16, p99.9`, "ms", "lower", set.p999)
  turn.record("eviction", `${name}: GET P=16`, "req/s", "higher", get.requestsPerSecond)
  turn.record("eviction", `${name}: highest used_memory`, "% of limit", "lower", 100 * used / limitBytes)
  turn.record("eviction", `${name}: keys held`, "keys", "higher", held)
}

/**
 * The share of hits, in percent, of a cache that is asked for a key and given it when it is missing. Which keys, is the
 * same for every server and repetition: rank r of n is asked for about as often as 1 / r says. TOUCH asks as GET does,
 * without the value's bytes. Counted is the second half, when the cache is full.
 */
const hitRatio = async (client: RespClient, scale: EvictionScale): Promise<number> => {
  const { accesses, traceKeys, traceValueBytes } = scale
  const random = new Random(1)
  const value = "x".repeat(traceValueBytes)
  const batch = 100
  let hits = 0
  let counted = 0
  for (let done = 0; done < accesses; done += batch) {
    const keys = Array.from({ length: batch }, () => keyOf(Math.floor(traceKeys ** random.fraction())))
    const found = await client.raw(Buffer.concat(keys.map((key) => encodeRequest(["TOUCH", key]))), batch)
    const missing = keys.filter((_, i) => found[i]!.toString() !== ":1\r\n")
    if (done >= accesses / 2) {
      counted += batch
      hits += batch - missing.length
    }
    const absent = [...new Set(missing)]
    const stored = await client.pipeline(absent.map((key) => ["SET", key, value]))
    const refused = stored.find((reply) => reply.type === "error")
    if (refused !== undefined) throw new Error(`SET answered ${String(plain(refused))}`)
  }
  return 100 * hits / counted
}

/** Every policy on a server of its own; the trace only where the policy looks at accesses. */
export const eviction = async (turn: Turn): Promise<void> => {
  for (const policy of policies) {
    await turn.attempt("eviction", () =>
      withServer(
        turn.start("everysec", {
          args: ["--maxmemory", `${turn.scale.eviction.limitBytes}`, "--maxmemory-policy", policy]
        }),
        async (server) => {
          const client = await server.client()
          try {
            await timed(turn, server, client, policy)
            if (policy === "allkeys-random") return
            turn.note(`${policy}: trace`)
            await client.command("FLUSHALL")
            turn.record(
              "eviction",
              `${policy}: hits of the trace`,
              "%",
              "higher",
              await hitRatio(client, turn.scale.eviction)
            )
          } finally {
            await client.close()
          }
        }
      ))
  }
}
