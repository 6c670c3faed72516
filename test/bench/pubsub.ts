/** PUBLISH to many subscribers: one publisher, one message at a time and in pipelines; messages that arrive a second. */
import * as Net from "node:net"
import { encodeRequest } from "../support/resp-client.ts"
import { type Turn, withServer } from "./parts.ts"

const subscribers = 1000
const text = "v".repeat(32)
const message = Buffer.from(`*3\r\n$7\r\nmessage\r\n$1\r\nc\r\n$${text.length}\r\n${text}\r\n`)
const confirmation = Buffer.from("*3\r\n$9\r\nsubscribe\r\n$1\r\nc\r\n:1\r\n")
const request = encodeRequest(["PUBLISH", "c", text])

/** Counts what comes to all subscribers together; nothing is made of the bytes. */
class Arrivals {
  private bytes = 0
  private wanted = 0
  private resolve: () => void = () => {}
  readonly buffer = Buffer.alloc(64 * 1024)
  /** One socket's bytes; they are read into `buffer`. */
  add = (length: number): boolean => {
    this.bytes += length
    if (this.bytes >= this.wanted) this.resolve()
    return true
  }
  /** Resolves when so many more bytes have come. */
  more(bytes: number): Promise<void> {
    this.wanted += bytes
    return new Promise((resolve) => {
      this.resolve = resolve
      if (this.bytes >= this.wanted) resolve()
    })
  }
}

const connect = (port: number, options: Partial<Net.NetConnectOpts> = {}): Promise<Net.Socket> =>
  new Promise((resolve, reject) => {
    const socket = Net.connect({ ...options, port, host: "127.0.0.1", noDelay: true } as Net.NetConnectOpts)
    socket.once("error", reject)
    socket.once("connect", () => resolve(socket))
  })

/** One turn of one server. */
export const pubsub = (turn: Turn): Promise<void> =>
  withServer(turn.start("everysec"), async (server) => {
    const arrivals = new Arrivals()
    const sockets: Array<Net.Socket> = []
    for (let i = 0; i < subscribers; i++) {
      const socket = await connect(server.port, { onread: { buffer: arrivals.buffer, callback: arrivals.add } })
      socket.write("SUBSCRIBE c\r\n")
      sockets.push(socket)
    }
    await arrivals.more(subscribers * confirmation.length)
    const publisher = await connect(server.port)
    publisher.resume()
    sockets.push(publisher)
    for (const pipeline of [1, 16] as const) {
      turn.note(`PUBLISH to ${subscribers} P=${pipeline}`)
      const batch = Buffer.concat(Array.from({ length: pipeline }, () => request))
      const run = async (times: number): Promise<number> => {
        const began = performance.now()
        for (let i = 0; i < times; i++) {
          const all = arrivals.more(subscribers * message.length * pipeline)
          publisher.write(batch)
          await all
        }
        return times * pipeline * subscribers / (performance.now() - began) * 1000
      }
      const times = Math.ceil(turn.scale.requests[pipeline] / 600 / pipeline)
      await run(Math.ceil(times / 4))
      turn.record("pubsub", `PUBLISH to ${subscribers}, P=${pipeline}`, "messages/s", "higher", await run(times))
    }
    for (const socket of sockets) socket.destroy()
  })
