/** A thread that opens many connections, each of which asks PING once, and closes them at once or all together. */
import * as Net from "node:net"
import { parentPort, workerData } from "node:worker_threads"

export interface ConnectionLoad {
  readonly port: number
  readonly connections: number
  /** So many are being opened at the same time: fewer than a server's backlog. */
  readonly atOnce: number
  /** Connections stay open until all are, then they are closed together. */
  readonly hold: boolean
}

/** Seconds from the first connection's beginning to the last one's answer. */
export interface ConnectionReport {
  readonly seconds: number
}

const { atOnce, connections, hold, port } = workerData as ConnectionLoad
const ping = Buffer.from("*1\r\n$4\r\nPING\r\n")
const held: Array<Net.Socket> = []

const one = (): Promise<void> =>
  new Promise((resolve, reject) => {
    const socket = Net.connect({ port, host: "127.0.0.1", noDelay: true })
    let answered = false
    socket.once("error", reject)
    socket.once("connect", () => socket.write(ping))
    socket.once("data", (chunk) => {
      const reply = chunk.toString("latin1")
      answered = reply === "+PONG\r\n"
      if (!answered) reject(new Error(`PING answered ${JSON.stringify(reply)}`))
      if (hold) {
        held.push(socket)
        resolve()
      } else socket.destroy()
    })
    socket.once("close", () => {
      if (answered) resolve()
      else reject(new Error("the server closed a connection"))
    })
  })

let begun = 0
const line = async (): Promise<void> => {
  while (begun < connections) {
    begun++
    await one()
  }
}

const startedAt = performance.now()
await Promise.all(Array.from({ length: atOnce }, line))
const report: ConnectionReport = { seconds: (performance.now() - startedAt) / 1000 }
for (const socket of held) socket.destroy()
parentPort!.postMessage(report)
parentPort!.close()
