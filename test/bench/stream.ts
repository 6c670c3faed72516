/** One stream of millions of small entries: adding and reading them, its memory, and a consumer group at work. */
import * as Net from "node:net"
import { setTimeout as sleep } from "node:timers/promises"
import { encodeRequest } from "../support/resp-client.ts"
import { integerReply, redisBenchmark } from "./load.ts"
import { label, type Turn, withServer } from "./parts.ts"
import { residentBytes } from "./servers.ts"

const key = "stream"
const group = "workers"
const connections = 50
const pipeline = 16
const add = ["XADD", key, "*", "field", "value1"]
/** An id as `XADD *` makes it. */
const idPattern = /\d{13}-\d+/g

/**
 * Entries a second that the consumers of a group read and acknowledge: each of 50 connections is a consumer that asks 16
 * times for one entry in a pipeline, and acknowledges in the next what it was given.
 */
const consume = (port: number, count: number): Promise<number> => {
  let left = count
  const consumer = (name: string): Promise<void> =>
    new Promise((resolve, reject) => {
      const read = encodeRequest(["XREADGROUP", "GROUP", group, name, "COUNT", "1", "STREAMS", key, ">"])
      const reads = Buffer.concat(Array.from({ length: pipeline }, () => read))
      let ids: Array<string> = []
      let received = ""
      const send = (): void => {
        if (left <= 0) {
          socket.destroy()
          resolve()
          return
        }
        left -= pipeline
        socket.write(reads)
      }
      const receive = (length: number, chunk: Uint8Array): boolean => {
        received += Buffer.from(chunk.buffer, chunk.byteOffset, length).toString("latin1")
        if (received.startsWith("-")) reject(new Error(`answered ${received.slice(0, 200)}`))
        if (ids.length > 0) {
          if (received.length < pipeline * ":1\r\n".length) return true
          if (received !== ":1\r\n".repeat(pipeline)) {
            reject(new Error(`acknowledging answered ${received.slice(0, 200)}`))
          }
          ids = []
          received = ""
          send()
          return true
        }
        const found = received.match(idPattern) ?? []
        // The last reply is whole once its value is there.
        if (found.length < pipeline || !received.endsWith("value1\r\n")) return true
        ids = found
        received = ""
        socket.write(Buffer.concat(ids.map((id) => encodeRequest(["XACK", key, group, id]))))
        return true
      }
      const onread = { buffer: Buffer.alloc(16_384), callback: receive }
      const socket = Net.connect({ port, host: "127.0.0.1", noDelay: true, onread })
      socket.once("connect", send)
      socket.once("error", reject)
    })
  const began = performance.now()
  return Promise.all(Array.from({ length: connections }, (_, i) => consumer(`consumer:${i}`)))
    .then(() => count / (performance.now() - began) * 1000)
}

/** One turn of one server. */
export const stream = (turn: Turn, entries: number): Promise<void> =>
  withServer(turn.start("everysec"), async (server) => {
    const size = label(entries).replace("keys", "entries")
    const client = await server.client()
    const empty = residentBytes(server.pid)
    turn.note(`filling a stream of ${size}`)
    const args = ["-c", `${connections}`, "-P", "64", "-n", `${entries}`]
    await redisBenchmark(server.port, [...args, ...add])
    const present = await integerReply(client, "XLEN", key)
    if (present !== entries) throw new Error(`${entries} entries were added, XLEN says ${present}`)
    await sleep(1500)
    const full = residentBytes(server.pid)
    turn.record("stream", `RSS per entry, ${size}`, "B", "lower", (full - empty) / entries)
    const requests: ReadonlyArray<readonly [title: string, cost: number, words: ReadonlyArray<string>]> = [
      ["XADD", 1, add],
      ["XRANGE of 100", 20, ["XRANGE", key, "-", "+", "COUNT", "100"]],
      ["XREVRANGE of 1", 2, ["XREVRANGE", key, "+", "-", "COUNT", "1"]]
    ]
    for (const [title, cost, words] of requests) {
      const count = Math.ceil(turn.scale.requests[pipeline] / cost)
      const load = ["-c", `${connections}`, "-P", `${pipeline}`]
      turn.note(title)
      await redisBenchmark(server.port, [...load, "-n", `${Math.ceil(count / 4)}`, ...words])
      const run = await redisBenchmark(server.port, [...load, "-n", `${count}`, ...words])
      turn.record("stream", `${title} P=${pipeline}, ${size}`, "req/s", "higher", run.requestsPerSecond)
    }
    const count = Math.min(entries, turn.scale.requests[pipeline]) / 2
    await client.command("XGROUP", "CREATE", key, group, "0")
    turn.note("a consumer group")
    await consume(server.port, Math.ceil(count / 4))
    const rate = await consume(server.port, count)
    turn.record("stream", `XREADGROUP of 1 and XACK, P=${pipeline}, ${size}`, "entries/s", "higher", rate)
    await client.close()
  })
