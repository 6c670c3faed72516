/** Connections to a running server: who gets in, who is thrown out, and that nobody else notices. */
import * as Fs from "node:fs"
import * as Net from "node:net"
import * as Os from "node:os"
import * as Path from "node:path"
import { setTimeout as delay } from "node:timers/promises"
import { afterEach, describe, expect, it } from "vitest"
import {
  removeTemporaryDir,
  type ServerProcess,
  startAnnals,
  type StartOptions,
  temporaryDir
} from "../support/processes.ts"
import { encodeRequest, plain, RespClient } from "../support/resp-client.ts"

let servers: Array<ServerProcess> = []
const start = async (options: StartOptions = {}): Promise<ServerProcess> => {
  const server = await startAnnals(options)
  servers.push(server)
  return server
}
afterEach(async () => {
  await Promise.all(servers.map((server) => server.stop()))
  servers = []
  for (const dir of dirs.splice(0)) removeTemporaryDir(dir)
})

const dirs: Array<string> = []
const socketDir = (): string => {
  const dir = temporaryDir("socket")
  dirs.push(dir)
  return dir
}

/** Sends bytes on a connection of its own and gives everything answered until the server closes. */
const untilClosed = async (options: { port?: number; host?: string; path?: string }, bytes: string | Uint8Array) => {
  const client = await RespClient.connect(options)
  if (bytes.length > 0) client.send(bytes)
  return (await client.untilClosed()).toString("latin1")
}

const ask = async (client: RespClient, ...words: ReadonlyArray<string>): Promise<unknown> => {
  const reply = plain(await client.command(...words))
  return reply instanceof Error ? reply.message : reply
}

/** Waits for something the server does in its own time; the deadline only bounds a failure. */
const eventually = async (what: string, holds: () => Promise<boolean> | boolean): Promise<void> => {
  const deadline = performance.now() + 20_000
  while (!(await holds())) {
    if (performance.now() > deadline) throw new Error(`not within 20 s: ${what}`)
    await delay(10)
  }
}

const infoNumber = async (client: RespClient, field: string): Promise<number> =>
  Number(new RegExp(`^${field}:(\\d+)`, "m").exec(String(await ask(client, "INFO", "everything")))?.[1])

describe("before authentication", () => {
  it("little is taken in, little is answered, and nothing stays", async () => {
    const { port } = await start({ args: ["--requirepass", "secret"] })
    const words = (count: number, length: number) =>
      encodeRequest(Array.from({ length: count }, () => "x".repeat(length)))
    const noAuth = "-NOAUTH Authentication required.\r\n"
    const protocolError = (text: string) => `-ERR Protocol error: ${text}\r\n`
    expect(await untilClosed({ port }, words(11, 1))).toBe(protocolError("unauthenticated multibulk length"))
    expect(await untilClosed({ port }, words(1, 16_385))).toBe(protocolError("unauthenticated bulk length"))
    expect(await untilClosed({ port }, "*11\r\n")).toBe(protocolError("unauthenticated multibulk length"))
    expect(await untilClosed({ port }, "*1\r\n$16385\r\n")).toBe(protocolError("unauthenticated bulk length"))
    expect(await untilClosed({ port }, "*2\r\n$3\r\nGET\r\n$1\r\nk\r\nGET k\r\nQUIT\r\n")).toBe(
      `${noAuth}${noAuth}+OK\r\n`
    )

    // Requests that are never read as a whole.
    const filler = await RespClient.connect({ port })
    filler.send("x ".repeat(30_000))
    await untilClosed({ port }, "x".repeat(2_000_000))
    await filler.close()

    // Somebody who asks and asks and does not read (CVE-2025-21605).
    const socket = Net.connect({ port, host: "127.0.0.1" })
    const gone = new Promise<void>((resolve) => socket.on("close", () => resolve()))
    socket.on("error", () => {})
    socket.pause()
    const flood = Buffer.from("PING\r\n".repeat(20_000))
    let sent = 0
    const more = (): void => {
      while (!socket.destroyed && sent < 500) {
        sent++
        if (!socket.write(flood)) return void socket.once("drain", more)
      }
    }
    more()
    await gone

    const client = await RespClient.connect({ port })
    expect(await ask(client, "AUTH", "wrong")).toMatch(/^WRONGPASS/)
    expect(await ask(client, "AUTH", "secret")).toBe("OK")
    expect(await ask(client, "ECHO", "x".repeat(20_000))).toHaveLength(20_000)
    expect(await ask(client, "MSET", ..."abcdefghijklmnop")).toBe("OK")
    await eventually("only this client is left", async () => await infoNumber(client, "connected_clients") === 1)
    expect(await infoNumber(client, "used_memory_rss")).toBeLessThan(400_000_000)
    await client.close()
  })
})

/** Another address of this machine than the loopback ones. */
const outside = Object.values(Os.networkInterfaces()).flatMap((addresses) => addresses ?? [])
  .find((address) => !address.internal && address.family === "IPv4")?.address
if (outside === undefined) {
  console.warn("this machine has loopback addresses only: protected mode is not tested from outside")
}

describe("protected mode", () => {
  it.skipIf(outside === undefined)("keeps others out while there is no password", async () => {
    const socketPath = Path.join(socketDir(), "annals.sock")
    const { port } = await start({ args: ["--bind", "0.0.0.0", "--unixsocket", socketPath] })
    const from = { port, host: outside! }
    for (let i = 0; i < 3; i++) expect(await untilClosed(from, "")).toMatch(/^-DENIED .*\r\n$/)
    expect(await untilClosed({ port }, "PING\r\nQUIT\r\n")).toBe("+PONG\r\n+OK\r\n")
    expect(await untilClosed({ path: socketPath }, "PING\r\nQUIT\r\n")).toBe("+PONG\r\n+OK\r\n")
    const client = await RespClient.connect({ port })
    expect(await infoNumber(client, "rejected_connections")).toBe(3)
    await client.close()
  })

  it.skipIf(outside === undefined)("is lifted by a password, and by protected-mode no", async () => {
    const open = await start({ args: ["--bind", "0.0.0.0", "--protected-mode", "no"] })
    expect(await untilClosed({ port: open.port, host: outside! }, "PING\r\nQUIT\r\n")).toBe("+PONG\r\n+OK\r\n")
    const guarded = await start({ args: ["--bind", "0.0.0.0", "--requirepass", "secret"] })
    expect(await untilClosed({ port: guarded.port, host: outside! }, "PING\r\nAUTH secret\r\nPING\r\nQUIT\r\n")).toBe(
      "-NOAUTH Authentication required.\r\n+OK\r\n+PONG\r\n+OK\r\n"
    )
  })
})

describe("a running server", () => {
  it("closes on HTTP requests and says so in its log", async () => {
    const server = await start()
    const { port } = server
    for (const text of ["POST / HTTP/1.1\r\nHost: localhost\r\n\r\n", "Host: localhost\r\n", "post\r\n"]) {
      expect(await untilClosed({ port }, `${text}SET k v\r\n`)).toBe("")
    }
    await eventually("three lines in the log", () => server.output().match(/SECURITY ATTACK/g)?.length === 3)
    expect(server.output()).toContain("127.0.0.1:")
    // GET is a command of ours, so that line alone closes nothing.
    expect(await untilClosed({ port }, "GET / HTTP/1.1\r\nQUIT\r\n")).toMatch(
      /^-ERR wrong number of arguments.*\r\n\+OK\r\n$/
    )
    expect(await untilClosed({ port }, "EXISTS k\r\nQUIT\r\n")).toBe(":0\r\n+OK\r\n")
  })

  it("understands what is typed into telnet, byte by byte", async () => {
    const { port } = await start()
    const client = await RespClient.connect({ port })
    for (const byte of Buffer.from("set greeting \"hello world\"\r\nget greeting\r\n\r\nquit\r\n")) {
      client.send(Buffer.of(byte))
      await delay(0)
    }
    expect((await client.untilClosed()).toString()).toBe("+OK\r\n$11\r\nhello world\r\n+OK\r\n")
  })

  it("answers a client that has closed its sending side", async () => {
    const { port } = await start()
    const client = await RespClient.connect({ port })
    client.send("SET k v\r\nGET k\r\n")
    client.end()
    expect((await client.untilClosed()).toString()).toBe("+OK\r\n$1\r\nv\r\n")
  })

  it("takes 8 MB in small pieces and gives them back, while others go on", async () => {
    const { port } = await start()
    const [slow, other] = [await RespClient.connect({ port }), await RespClient.connect({ port })]
    const value = Buffer.alloc(8_000_000, 113)
    const wire = encodeRequest(["SET", "big", value])
    for (let at = 0; at < wire.length; at += 10_000) {
      slow.send(wire.subarray(at, at + 10_000))
      if (at % 1_000_000 === 0) expect(await ask(other, "INCR", "n")).toBe(at / 1_000_000 + 1)
    }
    expect(plain((await slow.take(1)).map((bytes) => ({ type: "bulk", value: bytes }) as const)[0]!)).toBe("+OK\r\n")
    const pipeline = await slow.pipeline(Array.from({ length: 20 }, () => ["GET", "big"]))
    expect(pipeline.every((reply) => reply.type === "bulk" && reply.value.equals(value))).toBe(true)
    await Promise.all([slow.close(), other.close()])
  })

  it("closes idle and half-open clients after the timeout, and no others", async () => {
    const { port } = await start({ args: ["--timeout", "1"] })
    const [idle, half, busy] = await Promise.all([1, 2, 3].map(() => RespClient.connect({ port })))
    half!.send("*2\r\n$4\r\nECHO\r\n$100\r\nabc")
    let closed = 0
    for (const client of [idle!, half!]) void client.whenClosed().then(() => closed++)
    await eventually("both are closed", async () => {
      expect(await ask(busy!, "PING")).toBe("PONG")
      return closed === 2
    })
    expect(busy!.closed).toBe(false)
    await busy!.close()
  })

  it("turns away whoever comes beyond maxclients, and nobody else", async () => {
    const { port } = await start({ args: ["--maxclients", "50"] })
    const first = await RespClient.connect({ port })
    await eventually("the probe of the start is gone", async () => await infoNumber(first, "connected_clients") === 1)
    const inside = [first, ...await Promise.all(Array.from({ length: 49 }, () => RespClient.connect({ port })))]
    for (const client of inside) expect(await ask(client, "PING")).toBe("PONG")
    const flood = await Promise.all(Array.from({ length: 500 }, () => untilClosed({ port }, "")))
    expect(new Set(flood)).toEqual(new Set(["-ERR max number of clients reached\r\n"]))
    expect(await infoNumber(first, "rejected_connections")).toBe(500)
    for (const client of inside) expect(await ask(client, "PING")).toBe("PONG")
    await Promise.all(inside.slice(40).map((client) => client.close()))
    await eventually("ten have left", async () => await infoNumber(first, "connected_clients") === 40)
    const late = await Promise.all(Array.from({ length: 10 }, () => RespClient.connect({ port })))
    for (const client of late) expect(await ask(client, "PING")).toBe("PONG")
    expect(await untilClosed({ port }, "")).toBe("-ERR max number of clients reached\r\n")
    await Promise.all([...inside, ...late].map((client) => client.close()))
  })

  it("serves its clients without an error through storms of connections", async () => {
    const { port } = await start()
    const clients = await Promise.all(Array.from({ length: 4 }, () => RespClient.connect({ port })))
    let storming = true
    const workers = clients.map(async (client, i) => {
      let done = 0
      while (storming) {
        const replies = await client.pipeline(Array.from({ length: 10 }, () => ["INCR", `n${i}`]))
        for (const reply of replies) expect(plain(reply)).toBe(++done)
      }
      return done
    })
    /** Connects, perhaps sends something whole or not, and goes: politely, abruptly or by a reset. */
    const visit = (i: number): Promise<void> =>
      new Promise((resolve) => {
        const socket = Net.connect({ port, host: "127.0.0.1" }, () => {
          if (i % 4 === 1) socket.write("*2\r\n$3\r\nGET\r\n$10")
          if (i % 4 === 2) socket.write("PING\r\n".repeat(1000))
          if (i % 4 === 3) socket.write("SET storm 1\r\nGET storm\r\n")
          if (i % 3 === 0) socket.end()
          else if (i % 3 === 1) socket.destroy()
          else socket.resetAndDestroy()
        })
        socket.on("error", () => {})
        socket.on("close", () => resolve())
        socket.resume()
      })
    for (let round = 0; round < 40; round++) {
      await Promise.all(Array.from({ length: 50 }, (_, i) => visit(round * 50 + i)))
    }
    storming = false
    const done = await Promise.all(workers)
    for (const [i, count] of done.entries()) {
      expect(count).toBeGreaterThan(0)
      expect(await ask(clients[0]!, "GET", `n${i}`)).toBe(`${count}`)
    }
    await eventually("the visitors are gone", async () => await infoNumber(clients[0]!, "connected_clients") === 4)
    await Promise.all(clients.map((client) => client.close()))
  })

  it("closes a client whose unread replies pass client-output-buffer-limit", async () => {
    const server = await start({ args: ["--client-output-buffer-limit", "normal", "2mb", "0", "0"] })
    const { port } = server
    const other = await RespClient.connect({ port })
    expect(plain(await other.command("SET", "big", Buffer.alloc(1_000_000)))).toBe("OK")
    const socket = Net.connect({ port, host: "127.0.0.1" })
    const gone = new Promise<void>((resolve) => socket.on("close", () => resolve()))
    socket.on("error", () => {})
    socket.pause()
    socket.write("GET big\r\n".repeat(200))
    await eventually("the limit is in the log", () => server.output().includes("output buffer limit"))
    socket.resume()
    await gone
    expect(await ask(other, "PING")).toBe("PONG")
    await other.close()
  })
})

describe("the Unix socket", () => {
  it("is opened with its mode, replaces a stale one, and is gone after the end", async () => {
    const path = Path.join(socketDir(), "annals.sock")
    const args = ["--unixsocket", path, "--unixsocketperm", "700"]
    const first = await start({ args })
    expect(Fs.statSync(path).mode & 0o777).toBe(0o700)
    const client = await RespClient.connect({ path })
    expect(await ask(client, "SET", "k", "v")).toBe("OK")
    expect(String(await ask(client, "CLIENT", "LIST"))).toContain(path)
    await first.kill()
    dirs.push(first.dir)
    expect(Fs.existsSync(path)).toBe(true)
    const second = await start({ args, dir: first.dir })
    expect(await untilClosed({ path }, "GET k\r\nQUIT\r\n")).toBe("$1\r\nv\r\n+OK\r\n")
    await second.stop()
    expect(Fs.existsSync(path)).toBe(false)
  })
})
