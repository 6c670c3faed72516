/** Many small lists and sets, and two large sets: what they take, and how fast two large ones are intersected. */
import * as Net from "node:net"
import { setTimeout as sleep } from "node:timers/promises"
import { encodeRequest } from "../support/resp-client.ts"
import { redisBenchmark } from "./load.ts"
import { label, type Turn, withServer } from "./parts.ts"
import { residentBytes } from "./servers.ts"

const perPipeline = 500
const elements = 10
/** Members of each of the two sets that are intersected; a third of them stand in both. */
const largeMembers = 100_000

/** Sends `count` requests whose replies are integers, over one connection, in pipelines. */
const send = (port: number, count: number, request: (i: number) => ReadonlyArray<string>): Promise<void> =>
  new Promise((resolve, reject) => {
    const socket = Net.connect({ port, host: "127.0.0.1", noDelay: true })
    let sent = 0
    let owed = 0
    const next = (): void => {
      if (sent === count) {
        socket.destroy()
        resolve()
        return
      }
      owed = Math.min(perPipeline, count - sent)
      socket.write(Buffer.concat(Array.from({ length: owed }, () => encodeRequest([...request(sent++)]))))
    }
    socket.once("connect", next)
    socket.once("error", reject)
    socket.on("data", (chunk) => {
      for (const byte of chunk) if (byte === 10) owed--
      if (chunk.includes("-")) reject(new Error(`answered ${chunk.toString("latin1").slice(0, 200)}`))
      if (owed === 0) next()
    })
  })

const numbers = (from: number): ReadonlyArray<string> => Array.from({ length: elements }, (_, n) => `${from + n}`)

/** Resident bytes per collection, in a server of its own. */
const memory = (
  turn: Turn,
  name: string,
  count: number,
  request: (i: number) => ReadonlyArray<string>
): Promise<void> =>
  withServer(turn.start("everysec"), async (server) => {
    const size = label(count).replace("keys", name)
    turn.note(`filling ${size}`)
    const empty = residentBytes(server.pid)
    await send(server.port, count, request)
    await sleep(1500)
    turn.record("collections", `RSS per key, ${size}`, "B", "lower", (residentBytes(server.pid) - empty) / count)
  })

const intersection = (turn: Turn): Promise<void> =>
  withServer(turn.start("everysec"), async (server) => {
    await send(server.port, largeMembers, (i) => ["SADD", "a", `member:${i}`])
    await send(server.port, largeMembers, (i) => ["SADD", "b", `member:${i * 3}`])
    turn.note("SINTER")
    const run = await redisBenchmark(server.port, ["-c", "4", "-n", "60", "SINTER", "a", "b"])
    turn.record("collections", "SINTER of two sets of 100 k", "req/s", "higher", run.requestsPerSecond)
  })

/** One turn of one server, with so many small collections of each kind. */
export const collections = async (turn: Turn, count: number): Promise<void> => {
  await memory(turn, "sets of 10 integers", count, (i) => ["SADD", `set:${i}`, ...numbers(i)])
  await memory(turn, "lists of 10", count, (i) => ["RPUSH", `list:${i}`, ...numbers(i)])
  await intersection(turn)
}
