/** Running servers, and clients of them that misbehave, for the tests of limits. */
import { once } from "node:events"
import * as Net from "node:net"
import { setTimeout as delay } from "node:timers/promises"
import { afterEach } from "vitest"
import { type ServerProcess, startAnnals, type StartOptions } from "../support/processes.ts"
import { plain, type RespClient } from "../support/resp-client.ts"

const servers = new Set<ServerProcess>()
const sockets = new Set<Net.Socket>()

/** Starts a server that is stopped after the test, as are the sockets below. */
export const start = async (...args: ReadonlyArray<string>): Promise<ServerProcess> => startWith({ args })

/** Like `start`, with any options. */
export const startWith = async (options: StartOptions): Promise<ServerProcess> => {
  const server = await startAnnals(options)
  servers.add(server)
  return server
}

/** To be called once by every file that uses the functions of this one. */
export const stopAfterEach = (): void => {
  afterEach(async () => {
    for (const socket of sockets) socket.destroy()
    sockets.clear()
    await Promise.all([...servers].map((server) => server.stop()))
    servers.clear()
  })
}

/** Opens a connection whose answers nobody reads until `resume`; errors of it are of no interest. */
export const deaf = async (port: number): Promise<Net.Socket> => {
  const socket = Net.connect({ port, host: "127.0.0.1" })
  sockets.add(socket)
  socket.on("error", () => {})
  socket.pause()
  await once(socket, "connect")
  return socket
}

/** Resolves when the connection is gone, by whatever end. */
export const gone = (socket: Net.Socket): Promise<void> =>
  new Promise((resolve) => socket.closed ? resolve() : void socket.once("close", () => resolve()))

/** Everything that still comes until the server closes. */
export const readOut = async (socket: Net.Socket): Promise<Buffer> => {
  const chunks: Array<Buffer> = []
  socket.on("data", (chunk: Buffer) => chunks.push(chunk))
  socket.resume()
  await gone(socket)
  return Buffer.concat(chunks)
}

/** The reply to one request, errors as their text. */
export const ask = async (client: RespClient, ...words: ReadonlyArray<string>): Promise<unknown> => {
  const reply = plain(await client.command(...words))
  return reply instanceof Error ? reply.message : reply
}

/** Waits for something the server does in its own time; the deadline only bounds a failure. */
export const eventually = async (what: string, holds: () => Promise<boolean> | boolean): Promise<void> => {
  const deadline = performance.now() + 20_000
  while (!(await holds())) {
    if (performance.now() > deadline) throw new Error(`not within 20 s: ${what}`)
    await delay(5)
  }
}

/** A figure of INFO. */
export const info = async (client: RespClient, field: string): Promise<number> =>
  Number(new RegExp(`^${field}:(\\d+)`, "m").exec(String(await ask(client, "INFO", "everything")))?.[1])

/** How many connections the server has. */
export const connected = (client: RespClient): Promise<number> => info(client, "connected_clients")

/** Works on a connection of its own, one request after the other, until told to stop; gives how many were answered. */
export const busy = (client: RespClient, key: string): () => Promise<number> => {
  let going = true
  const work = (async () => {
    let done = 0
    while (going) {
      const reply = plain(await client.command("INCR", key))
      if (reply !== ++done) throw new Error(`INCR ${key} gave ${String(reply)} instead of ${done}`)
    }
    return done
  })()
  return () => {
    going = false
    return work
  }
}

/** Writes in pieces, at the speed the server takes them. */
export const writeSlowly = async (socket: Net.Socket, bytes: Uint8Array, piece = 64 * 1024): Promise<void> => {
  for (let at = 0; at < bytes.length && !socket.destroyed; at += piece) {
    if (socket.write(bytes.subarray(at, at + piece))) continue
    await new Promise<void>((resolve) => {
      socket.once("drain", resolve)
      socket.once("close", resolve)
    })
  }
}
