/** Hashes: whole ones read, what many small ones and one large one take, and whom the end of a large one holds up. */
import { setTimeout as sleep } from "node:timers/promises"
import { encodeRequest } from "../support/resp-client.ts"
import { fillWith, integerReply, probeWhile, redisBenchmark, writeDigits } from "./load.ts"
import { label, type Turn, withServer } from "./parts.ts"
import { residentBytes } from "./servers.ts"

const places = "0".repeat(12)

/** Sets these fields and values in a hash, `count` times, the twelve zeros counted up each time. All must be new fields. */
const fillHashes = (port: number, count: number, key: string, pairs: ReadonlyArray<string>): Promise<void> => {
  const request = encodeRequest(["HSET", key, ...pairs])
  const numberAt = request.indexOf(places)
  return fillWith(
    port,
    count,
    request,
    `:${pairs.length / 2}\r\n`,
    (bytes, at, number) => writeDigits(bytes, at + numberAt, number)
  )
}

/** Times a request of redis-benchmark without and with a pipeline. */
const time = async (
  turn: Turn,
  port: number,
  title: string,
  cost: number,
  range: number,
  words: ReadonlyArray<string>
): Promise<void> => {
  for (const pipeline of [1, 16] as const) {
    await turn.attempt("hash", async () => {
      const count = Math.ceil(turn.scale.requests[pipeline] / cost)
      const args = ["-r", `${range}`, "-c", "50", "-P", `${pipeline}`]
      turn.note(`${title} P=${pipeline}`)
      await redisBenchmark(port, [...args, "-n", `${Math.ceil(count / 4)}`, ...words])
      const run = await redisBenchmark(port, [...args, "-n", `${count}`, ...words])
      turn.record("hash", `${title} P=${pipeline}`, "req/s", "higher", run.requestsPerSecond)
    })
  }
}

const readCount = 10_000

/** Hashes of fifty fields. */
const readWhole = async (turn: Turn): Promise<void> =>
  withServer(turn.start("everysec"), async ({ port }) => {
    const pairs = Array.from({ length: 50 }, (_, i) => [`field:${i}`, `value of ${i}`]).flat()
    await fillHashes(port, readCount, `hash:${places}`, pairs)
    await time(turn, port, "HGETALL of 50 fields", 10, readCount, ["HGETALL", "hash:__rand_int__"])
    await time(turn, port, "HGET, 50 fields", 1, readCount, ["HGET", "hash:__rand_int__", "field:25"])
    await time(turn, port, "HINCRBY, 50 fields", 1, readCount, ["HINCRBY", "hash:__rand_int__", "count", "1"])
  })

/** Many hashes of five fields. */
const small = async (turn: Turn, hashes: number): Promise<void> =>
  withServer(turn.start("everysec"), async ({ pid, port }) => {
    const size = label(hashes).replace("keys", "hashes of 5 fields")
    const empty = residentBytes(pid)
    turn.note(`filling ${size}`)
    const fields = ["name", "ada", "city", "london", "age", "36", "id", places, "score", "17.5"]
    await fillHashes(port, hashes, `user:${places}`, fields)
    await sleep(1500)
    turn.record("hash", `RSS per hash, ${size}`, "B", "lower", (residentBytes(pid) - empty) / hashes)
  })

/** One hash of many fields: reading and writing it, its memory, its end. */
const large = async (turn: Turn, fields: number): Promise<void> =>
  withServer(turn.start("everysec"), async (server) => {
    const { pid, port } = server
    const size = label(fields).replace("keys", "fields")
    const empty = residentBytes(pid)
    turn.note(`filling a hash of ${size}`)
    const began = performance.now()
    await fillHashes(port, fields, "large", [`field:${places}`, "value"])
    const perSecond = fields / (performance.now() - began) * 1000
    turn.record("hash", `HSET of new fields, ${size}`, "req/s", "higher", perSecond)
    const client = await server.client()
    const present = await integerReply(client, "HLEN", "large")
    if (present !== fields) throw new Error(`${fields} fields were set, HLEN says ${present}`)
    await sleep(1500)
    turn.record("hash", `RSS per field, ${size}`, "B", "lower", (residentBytes(pid) - empty) / fields)
    await time(turn, port, `HGET, ${size}`, 2, fields, ["HGET", "large", "field:__rand_int__"])
    await time(turn, port, `HSET, ${size}`, 2, fields, ["HSET", "large", "field:__rand_int__", "other"])
    turn.note("deleting it")
    await client.command("SET", `key:${places}`, "x")
    const deleter = await server.client()
    let deleted = 0
    const deletion = sleep(200).then(() => deleter.command("UNLINK", "large")).then(() => {
      deleted = performance.now()
    })
    // The probe goes on for a while: what was let go is freed in the background.
    const latencies = await probeWhile(client, 1, () => deleted === 0 || performance.now() < deleted + 2000)
    await deletion
    turn.record("hash", `worst latency while it is unlinked, ${size}`, "ms", "lower", latencies.at(-1)!)
    await Promise.all([client.close(), deleter.close()])
  })

/** One turn of one server; a fifth as many small hashes as the large one has fields. */
export const hashes = async (turn: Turn, fields: number): Promise<void> => {
  await readWhole(turn)
  await small(turn, Math.ceil(fields / 5))
  await large(turn, fields)
}
