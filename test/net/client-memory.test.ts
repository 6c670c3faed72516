/** maxmemory-clients over real sockets: whatever makes a connection large counts, and the largest go first. */
import type { Socket } from "node:net"
import { describe, expect, it } from "vitest"
import { encodeRequest, type RespClient } from "../support/resp-client.ts"
import { ask, busy, connected, deaf, eventually, gone, info, start, stopAfterEach, writeSlowly } from "./live.ts"

stopAfterEach()

const megabyte = 1024 * 1024

/** A connection with so many bytes of a request that is not whole. */
const halfRequest = async (port: number, bytes: number): Promise<Socket> => {
  const socket = await deaf(port)
  socket.write(`*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$${32 * megabyte}\r\n`)
  await writeSlowly(socket, Buffer.alloc(bytes, "v"))
  return socket
}

const total = async (client: RespClient): Promise<number> => await info(client, "mem_clients_normal")

/** The figure of a connection in CLIENT LIST. */
const figure = async (client: RespClient, socket: Socket, name: string): Promise<number> => {
  const { port } = socket.address() as { port: number }
  const line = String(await ask(client, "CLIENT", "LIST")).split("\n").find((one) => one.includes(`127.0.0.1:${port} `))
  return Number(new RegExp(` ${name}=(\\d+)`).exec(line ?? "")?.[1])
}

describe("maxmemory-clients", () => {
  for (
    const [sizes, limit, stay] of [
      [[1, 1, 8], "8mb", [0, 1]],
      [[6, 3, 1, 1], "10mb", [1, 2, 3]]
    ] as const
  ) {
    it(`${limit} for requests of ${sizes.join(", ")} MB closes the largest first`, async () => {
      const server = await start()
      const other = await server.client()
      const sum = sizes.reduce((a, b) => a + b, 0)
      const sockets = await Promise.all(sizes.map((size) => halfRequest(server.port, size * megabyte)))
      await eventually("all has been read", async () => await total(other) >= sum * megabyte)
      expect(await connected(other)).toBe(sizes.length + 1)
      const ends = sockets.map(gone)
      for (const socket of sockets) socket.resume()
      expect(await ask(other, "CONFIG", "SET", "maxmemory-clients", limit)).toBe("OK")
      await Promise.all(ends.filter((_, i) => !(stay as ReadonlyArray<number>).includes(i)))
      await eventually("the rest fits", async () => await connected(other) === stay.length + 1)
      expect(await info(other, "evicted_clients")).toBe(sizes.length - stay.length)
      for (const i of stay) expect(sockets[i]!.destroyed).toBe(false)
      expect(await total(other)).toBeLessThan(parseInt(limit) * megabyte)
    })
  }

  it("in percent of maxmemory, follows both, and is none without a limit of the data", async () => {
    const server = await start("--maxmemory-clients", "10%")
    const other = await server.client()
    const [small, large] = [await halfRequest(server.port, 2 * megabyte), await halfRequest(server.port, 5 * megabyte)]
    await eventually("all has been read", async () => await total(other) >= 7 * megabyte)
    expect(await ask(other, "CONFIG", "SET", "maxmemory", "200mb")).toBe("OK")
    await eventually("both fit", async () => await info(other, "maxmemory") === 200 * megabyte)
    expect(await connected(other)).toBe(3)
    large.resume()
    expect(await ask(other, "CONFIG", "SET", "maxmemory", "60mb")).toBe("OK")
    await gone(large)
    small.resume()
    expect(await ask(other, "CONFIG", "SET", "maxmemory-clients", "2%")).toBe("OK")
    await gone(small)
    expect(await info(other, "evicted_clients")).toBe(2)
    expect(await ask(other, "CONFIG", "GET", "maxmemory-clients")).toEqual(["maxmemory-clients", "2%"])
  })

  it("spares CLIENT NO-EVICT, as long as it stands", async () => {
    const server = await start()
    const other = await server.client()
    // It would go as well, once nobody larger is left.
    expect(await ask(other, "CLIENT", "NO-EVICT", "ON")).toBe("OK")
    const [spared, evicted] = [await deaf(server.port), await halfRequest(server.port, 2 * megabyte)]
    spared.write("CLIENT NO-EVICT ON\r\n*2\r\n$4\r\nECHO\r\n$8000000\r\n")
    await writeSlowly(spared, Buffer.alloc(6 * megabyte, "x"))
    await eventually("all has been read", async () => await total(other) >= 8 * megabyte)
    evicted.resume()
    expect(await ask(other, "CONFIG", "SET", "maxmemory-clients", "1mb")).toBe("OK")
    await gone(evicted)
    expect(await info(other, "evicted_clients")).toBe(1)
    expect(await figure(other, spared, "tot-mem")).toBeGreaterThan(6 * megabyte)
    // What it asks is answered, however large it is; then it is one like all others.
    spared.write(
      Buffer.concat([Buffer.alloc(8_000_000 - 6 * megabyte, "x"), Buffer.from("\r\nCLIENT NO-EVICT OFF\r\n")])
    )
    const ended = gone(spared)
    await eventually("its replies wait", async () => await connected(other) === 1)
    spared.resume()
    await ended
    expect(await info(other, "evicted_clients")).toBe(2)
  })

  for (const what of ["replies", "a transaction"] as const) {
    it(`counts ${what}`, async () => {
      const server = await start("--client-output-buffer-limit", "normal 0 0 0")
      const other = await server.client()
      const stop = busy(await server.client(), "n")
      expect(await ask(other, "SET", "big", "v".repeat(megabyte))).toBe("OK")
      const socket = await deaf(server.port)
      const requests = what === "replies"
        ? Array.from({ length: 20 }, () => ["GET", "big"])
        : [["MULTI"], ...Array.from({ length: 8 }, () => ["SET", "k", "v".repeat(megabyte)])]
      await writeSlowly(socket, Buffer.concat(requests.map(encodeRequest)))
      const name = what === "replies" ? "omem" : "multi-mem"
      await eventually("they are there", async () => await figure(other, socket, name) > 6 * megabyte)
      expect(await ask(other, "CONFIG", "SET", "maxmemory-clients", "4mb")).toBe("OK")
      await eventually("it is closed", async () => await connected(other) === 2)
      expect(await total(other)).toBeLessThan(megabyte)
      expect(await info(other, "evicted_clients")).toBe(1)
      expect(await ask(other, "EXISTS", "k")).toBe(0)
      expect(await stop()).toBeGreaterThan(0)
    })
  }
})
