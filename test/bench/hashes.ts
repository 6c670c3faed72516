/** Hashes: whole ones read, what many small ones and one large one take, and whom the end of a large one holds up. */
import * as Net from "node:net"
import { setTimeout as sleep } from "node:timers/promises"
import { encodeRequest } from "../support/resp-client.ts"
import { integerReply, probeWhile, redisBenchmark, writeDigits } from "./load.ts"
import { label, type Turn, withServer } from "./parts.ts"
import { residentBytes } from "./servers.ts"

const places = "0".repeat(12)

/** Sends the request `count` times, its twelve zeros counted up each time, in pipelines of 500. All must add fields. */
const fillWith = async (port: number, count: number, words: ReadonlyArray<string>): Promise<void> => {
  const one = encodeRequest(words)
  const numberAt = one.indexOf(places)
  let next = 0
  const connection = (): Promise<void> =>
    new Promise((resolve, reject) => {
      const bytes = Buffer.concat(Array.from({ length: 500 }, () => one))
      const socket = Net.connect({ port, host: "127.0.0.1", noDelay: true })
      let owed = 0
      const send = (): void => {
        const size = owed = Math.min(500, count - next)
        if (size === 0) {
          socket.destroy()
          resolve()
          return
        }
        for (let i = 0; i < size; i++) writeDigits(bytes, i * one.length + numberAt, next++)
        socket.write(bytes.subarray(0, size * one.length))
      }
      socket.once("connect", send)
      socket.once("error", reject)
      socket.once("close", () => reject(new Error("the server closed the connection while it was filled")))
      socket.on("data", (chunk) => {
        if (chunk.includes("-")) reject(new Error(`${words[0]} answered ${chunk.toString("latin1").slice(0, 200)}`))
        for (const byte of chunk) if (byte === 10) owed--
        if (owed === 0) send()
      })
    })
  await Promise.all(Array.from({ length: 4 }, connection))
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
    await fillWith(port, readCount, ["HSET", `hash:${places}`, ...pairs])
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
    await fillWith(port, hashes, ["HSET", `user:${places}`, ...fields])
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
    await fillWith(port, fields, ["HSET", "large", `field:${places}`, "value"])
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
