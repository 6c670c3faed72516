/**
 * A thread that sets random keys of a filled range at a steady rate. What a stalled server could not take in time is not
 * made up for, but for a twentieth of a second's worth, so that a stall is followed by the usual load and no flood.
 * Ends when told to, after the last reply.
 */
import * as Net from "node:net"
import { parentPort, workerData } from "node:worker_threads"
import { setBatch, writeDigits } from "./load.ts"

export interface PacedLoad {
  readonly port: number
  /** The range of keys. */
  readonly keys: number
  /** SETs per second wanted. */
  readonly rate: number
}

/** What was answered, and in which time. */
export interface PacedReport {
  readonly writes: number
  readonly seconds: number
}

const { keys, port, rate } = workerData as PacedLoad
const connectionCount = 4
const mostAtOnce = Math.ceil(rate / 20)
const replyBytes = "+OK\r\n".length

interface Connection {
  readonly socket: Net.Socket
  /** Bytes of replies still to come. */
  owed: number
}

const batch = setBatch(mostAtOnce, "yyy")
let answered = 0
let stopping = false

const connect = (): Promise<Connection> =>
  new Promise((resolve, reject) => {
    const socket = Net.connect({ port, host: "127.0.0.1", noDelay: true })
    const connection: Connection = { socket, owed: 0 }
    socket.once("error", reject)
    socket.once("connect", () => resolve(connection))
    socket.on("data", (chunk) => {
      if (chunk.includes("-")) throw new Error(`SET answered ${JSON.stringify(chunk.toString("latin1").slice(0, 200))}`)
      connection.owed -= chunk.length
      answered += chunk.length / replyBytes
    })
    socket.once("close", () => {
      if (!stopping) throw new Error("the server closed the connection of the paced load")
      connection.owed = 0
    })
  })

const send = (connection: Connection, count: number): void => {
  const bytes = Buffer.from(batch.bytes.subarray(0, count * batch.stride))
  for (let i = 0; i < count; i++) writeDigits(bytes, i * batch.stride + batch.first, Math.floor(Math.random() * keys))
  connection.owed += count * replyBytes
  connection.socket.write(bytes)
}

const connections = await Promise.all(Array.from({ length: connectionCount }, connect))
const startedAt = performance.now()
let last = startedAt
let credit = 0
let turn = 0

const tick = (): void => {
  const now = performance.now()
  credit = Math.min(mostAtOnce, credit + rate * (now - last) / 1000)
  last = now
  if (stopping) {
    if (connections.some(({ owed }) => owed > 0)) {
      setTimeout(tick, 1)
      return
    }
    const report: PacedReport = { writes: Math.round(answered), seconds: (now - startedAt) / 1000 }
    for (const { socket } of connections) socket.destroy()
    parentPort!.postMessage(report)
    parentPort!.close()
    return
  }
  const connection = connections[turn++ % connectionCount]!
  const count = Math.floor(credit)
  // One that still owes a full load is given no more: the server is behind.
  if (count > 0 && connection.owed < mostAtOnce * replyBytes) {
    send(connection, count)
    credit -= count
  }
  setTimeout(tick, 1)
}

parentPort!.once("message", () => {
  stopping = true
})
tick()
