/**
 * Eight megabytes at a time in other shapes than one value: very many words, very many requests, strings that grow,
 * requests that are never finished. Nobody else has to wait for more than a piece of them, and no memory stays.
 */
import { describe, expect, it } from "vitest"
import { encodeRequest, plain, RespClient } from "../support/resp-client.ts"
import { ask, busy, connected, deaf, eventually, info, readOut, start, stopAfterEach, writeSlowly } from "./live.ts"
import { World } from "./world.ts"

stopAfterEach()

const megabyte = 1024 * 1024
const piece = 256 * 1024

describe("a million", () => {
  it("words are one request", async () => {
    const server = await start()
    const [client, other] = [await server.client(), await server.client()]
    expect(await ask(client, "SET", "x", "1")).toBe("OK")
    const count = 1_000_000
    const wire = Buffer.from(`*${count + 1}\r\n$6\r\nEXISTS\r\n${"$1\r\nx\r\n".repeat(count)}`)
    const [reply] = await client.raw(wire, 1)
    expect(reply!.toString()).toBe(`:${count}\r\n`)
    expect(await info(other, "mem_clients_normal")).toBeLessThan(megabyte)
  })

  it("requests are answered in order, and others are served all the while", async () => {
    const server = await start()
    const other = await server.client()
    const count = 1_000_000
    const wire = Buffer.from("PING\r\nECHO x\r\n".repeat(count / 2))
    const socket = await deaf(server.port)
    const stop = busy(other, "n")
    const answered = readOut(socket)
    await writeSlowly(socket, wire)
    socket.end()
    const bytes = await answered
    // Each look of the server at the socket is at most one piece, and between two looks everybody has a turn.
    expect(await stop()).toBeGreaterThan(1)
    expect(bytes.equals(Buffer.from("+PONG\r\n$1\r\nx\r\n".repeat(count / 2)))).toBe(true)
    await eventually("one is left", async () => await connected(other) === 1)
    expect(await info(other, "mem_clients_normal")).toBeLessThan(megabyte)
  })

  it("requests in pieces hold nobody up for longer than a piece", async () => {
    const world = new World()
    const [greedy, other] = [world.connect(), world.connect()]
    const count = 300_000
    const wire = Buffer.from("INCR n\r\n".repeat(count))
    let turns = 0
    let most = 0
    let seen = 0
    for (let at = 0; at < wire.length; at += piece) {
      // As on sockets: one read of each connection that has something, then the end of the turn.
      greedy.receive(wire.subarray(at, at + piece))
      other.ask(["GET", "n"])
      await world.settle()
      const [n] = other.replies()
      most = Math.max(most, Number(n) - seen)
      seen = Number(n)
      turns++
      expect(greedy.outlet.bytes().length).toBeGreaterThan(0)
    }
    expect(seen).toBe(count)
    expect(turns).toBe(Math.ceil(wire.length / piece))
    expect(most).toBeLessThanOrEqual(Math.ceil(piece / "INCR n\r\n".length) + 1)
  })
})

describe("a string that grows", () => {
  it("is refused beyond proto-max-bulk-len, stays as it was, and the connection goes on", async () => {
    const server = await start("--proto-max-bulk-len", `${8 * megabyte}`)
    const [client, other] = [await server.client(), await server.client()]
    const stop = busy(await server.client(), "n")
    const tooLong = "ERR string exceeds maximum allowed size (proto-max-bulk-len)"
    const part = "v".repeat(megabyte)
    for (let i = 1; i <= 8; i++) expect(await ask(client, "APPEND", "k", part)).toBe(i * megabyte)
    for (const suffix of ["x", part]) expect(await ask(client, "APPEND", "k", suffix)).toBe(tooLong)
    for (const offset of [8 * megabyte, 7 * megabyte + 1, 2 ** 31, 2 ** 53]) {
      expect(await ask(client, "SETRANGE", "k", `${offset}`, part)).toBe(tooLong)
      expect(await ask(client, "SETRANGE", "absent", `${offset}`, part)).toBe(tooLong)
    }
    expect(await ask(client, "SETRANGE", "k", `${7 * megabyte}`, part)).toBe(8 * megabyte)
    expect(plain(await client.command("GET", "k"))).toBe("v".repeat(8 * megabyte))
    expect(await ask(client, "CONFIG", "SET", "proto-max-bulk-len", `${4 * megabyte}`)).toBe("OK")
    expect(await ask(client, "APPEND", "k", "")).toBe(tooLong)
    expect(await ask(client, "STRLEN", "k")).toBe(8 * megabyte)
    expect(await ask(client, "EXISTS", "absent")).toBe(0)
    expect(await stop()).toBeGreaterThan(0)
    // The limit is one of requests: what is in the log was within the limit of its time.
    const digest = await ask(other, "DEBUG", "DIGEST")
    expect(await ask(other, "DEBUG", "RELOAD")).toBe("OK")
    expect(await ask(other, "DEBUG", "DIGEST")).toBe(digest)
    expect(await ask(other, "STRLEN", "k")).toBe(8 * megabyte)
  })
})

describe("requests that are never finished", () => {
  const beginnings = {
    "a value": `*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$${16 * megabyte}\r\n`,
    "words": `*16000000\r\n$6\r\nEXISTS\r\n`
  }
  for (const [what, beginning] of Object.entries(beginnings)) {
    it(`(${what}) leave nothing when their clients go`, async () => {
      const server = await start()
      const other = await server.client()
      const stop = busy(await server.client(), "n")
      const filler = Buffer.from("$1\r\nx\r\n".repeat(8 * megabyte / 7))
      const rss: Array<number> = []
      for (let round = 0; round < 5; round++) {
        const sockets = await Promise.all([1, 2].map(() => deaf(server.port)))
        await Promise.all(sockets.map((socket) => writeSlowly(socket, Buffer.concat([Buffer.from(beginning), filler]))))
        await eventually("all has been read", async () => await info(other, "mem_clients_normal") > 2 * 7 * megabyte)
        expect(await connected(other)).toBe(4)
        // Counted is, too, what it takes to remember a million words: more than the words themselves.
        if (what === "words") expect(await info(other, "mem_clients_normal")).toBeGreaterThan(2 * 20 * megabyte)
        for (const socket of sockets.slice(1)) socket.destroy()
        sockets[0]!.end()
        sockets[0]!.resume()
        await eventually("they are gone", async () => await connected(other) === 2)
        expect(await info(other, "mem_clients_normal")).toBeLessThan(megabyte)
        rss.push(await info(other, "used_memory_rss"))
      }
      // The collector decides when memory is given back, but what the rounds take does not add up.
      expect(Math.max(...rss) - rss[0]!).toBeLessThan(256 * megabyte)
      expect(await stop()).toBeGreaterThan(0)
      expect(await ask(other, "EXISTS", "k")).toBe(0)
    })
  }
})

describe("eight megabytes of replies", () => {
  for (const protocol of [2, 3]) {
    it(`to one request go out as they are read, and are whole (RESP${protocol})`, async () => {
      const server = await start()
      const other = await server.client()
      const stop = busy(await server.client(), "n")
      const values = Array.from({ length: 8 }, (_, i) => String(i).repeat(megabyte))
      for (const [i, value] of values.entries()) expect(await ask(other, "SET", `k${i}`, value)).toBe("OK")
      const socket = await deaf(server.port)
      socket.write(`HELLO ${protocol}\r\n`)
      socket.write(encodeRequest(["MGET", ...values.map((_, i) => `k${i}`)]))
      await eventually("they wait", async () => await info(other, "mem_clients_normal") > megabyte)
      // Overwritten and deleted meanwhile: what was answered was answered.
      expect(await ask(other, "SET", "k0", "other")).toBe("OK")
      expect(await ask(other, "DEL", "k1", "k2")).toBe(2)
      expect(await ask(other, "SETRANGE", "k3", "0", "xxxx")).toBe(megabyte)
      socket.write("QUIT\r\n")
      const text = (await readOut(socket)).toString("latin1")
      const expected = `*8\r\n${values.map((value) => `$${megabyte}\r\n${value}\r\n`).join("")}+OK\r\n`
      expect(text.endsWith(expected)).toBe(true)
      expect(await info(other, "mem_clients_normal")).toBeLessThan(megabyte)
      expect(await stop()).toBeGreaterThan(0)
    })
  }

  it("to a client that is gone hold nothing", async () => {
    const server = await start()
    const other = await server.client()
    expect(await ask(other, "SET", "big", "v".repeat(megabyte))).toBe("OK")
    for (let round = 0; round < 5; round++) {
      const client = await RespClient.connect({ port: server.port })
      client.send("GET big\r\n".repeat(8))
      client.send("MULTI\r\n" + "GET big\r\n".repeat(8) + "EXEC\r\n")
      await client.close()
    }
    await eventually("they are gone", async () => await connected(other) === 1)
    expect(await info(other, "mem_clients_normal")).toBeLessThan(megabyte)
  })
})
