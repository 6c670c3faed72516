/** Bitmaps: single bits of one of some megabytes, counting and combining whole ones. */
import { randomBytes } from "node:crypto"
import * as Net from "node:net"
import { encodeRequest } from "../support/resp-client.ts"
import { redisBenchmark } from "./load.ts"
import { type Turn, withServer } from "./parts.ts"

const connections = 50
const pipeline = 16
const minus = 45
/** Bytes of the bitmap whose bits are set and read. */
const bitmapBytes = 4 << 20
/** Bitmaps that are combined, each of one bit for a million users. */
const days = 8
const dayBytes = 128 << 10
const numbered = (name: string, number: number): string => `${name}:${String(number).padStart(12, "0")}`

/**
 * Requests a second of pipelines of 16 over 50 connections, each pipeline one of those given, and each reply a digit. A
 * load of our own: redis-benchmark writes random numbers with leading zeros, which no command takes for an offset.
 */
const sendPipelines = (port: number, pipelines: ReadonlyArray<Uint8Array>, count: number): Promise<number> => {
  const replyBytes = pipeline * ":0\r\n".length
  let sent = 0
  const connection = (): Promise<void> =>
    new Promise((resolve, reject) => {
      let owed = 0
      const send = (): void => {
        if (sent === count) {
          socket.destroy()
          resolve()
          return
        }
        owed = replyBytes
        socket.write(pipelines[sent++ % pipelines.length]!)
      }
      const receive = (length: number, chunk: Uint8Array): boolean => {
        owed -= length
        if (chunk[0] === minus || owed < 0) {
          reject(new Error(`answered ${Buffer.from(chunk).toString("latin1", 0, 200)}`))
        }
        else if (owed === 0) send()
        return true
      }
      // One buffer for all that comes: with a new one for each reply this program would be slower than the servers.
      const onread = { buffer: Buffer.alloc(4096), callback: receive }
      const socket = Net.connect({ port, host: "127.0.0.1", noDelay: true, onread })
      socket.once("connect", send)
      socket.once("error", reject)
    })
  const began = performance.now()
  return Promise.all(Array.from({ length: connections }, connection))
    .then(() => count * pipeline / (performance.now() - began) * 1000)
}

/** Pipelines of a request about a bit of the bitmap, chosen anew for each. */
const aboutBits = (words: (offset: string) => ReadonlyArray<string>): ReadonlyArray<Uint8Array> =>
  Array.from(
    { length: 4096 },
    () =>
      Buffer.concat(Array.from({ length: pipeline }, () =>
        encodeRequest([...words(`${Math.floor(Math.random() * bitmapBytes * 8)}`)])))
  )

/** One turn of one server. */
export const bitmap = (turn: Turn): Promise<void> =>
  withServer(turn.start("everysec"), async (server) => {
    const client = await server.client()
    const fill = (key: string, bytes: number) => client.command("SET", key, randomBytes(bytes))
    await fill("bits", bitmapBytes)
    await fill("counted", 1 << 20)
    for (let day = 0; day < days; day++) await fill(numbered("day", day), dayBytes)
    const total = turn.scale.requests[pipeline]
    const bits = [
      ["SETBIT", aboutBits((offset) => ["SETBIT", "bits", offset, Math.random() < 0.5 ? "0" : "1"])],
      ["GETBIT", aboutBits((offset) => ["GETBIT", "bits", offset])]
    ] as const
    for (const [name, pipelines] of bits) {
      const title = `${name} at random, 4 MiB, P=${pipeline}`
      turn.note(title)
      await sendPipelines(server.port, pipelines, Math.ceil(total / pipeline / 4))
      const rate = await sendPipelines(server.port, pipelines, Math.ceil(total / pipeline))
      turn.record("bitmap", title, "req/s", "higher", rate)
    }
    const whole = [
      ["BITCOUNT of 1 MiB", 200, ["BITCOUNT", "counted"]],
      ["BITOP AND of two of 128 KiB", 50, [
        "BITOP",
        "AND",
        "result:__rand_int__",
        "day:__rand_int__",
        "day:__rand_int__"
      ]]
    ] as const
    for (const [name, cost, words] of whole) {
      const count = Math.ceil(total / cost)
      const args = ["-r", `${days}`, "-c", `${connections}`, "-P", `${pipeline}`]
      turn.note(name)
      await redisBenchmark(server.port, [...args, "-n", `${Math.ceil(count / 4)}`, ...words])
      const run = await redisBenchmark(server.port, [...args, "-n", `${count}`, ...words])
      turn.record("bitmap", `${name}, P=${pipeline}`, "req/s", "higher", run.requestsPerSecond)
    }
    await client.close()
  })
