/** Requests and pipelines of megabytes over real sockets: refused at their limit or answered whole; others are served. */
import { describe, expect, it } from "vitest"
import { encodeRequest, plain, RespClient } from "../support/resp-client.ts"
import { ask, busy, connected, deaf, eventually, info, readOut, start, stopAfterEach, writeSlowly } from "./live.ts"

stopAfterEach()

const megabyte = 1024 * 1024

describe("client-query-buffer-limit", () => {
  const sizes: ReadonlyArray<readonly [name: string, beginning: string]> = [
    ["a value", `*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$${8 * megabyte}\r\n`],
    ["a key", `*2\r\n$3\r\nGET\r\n$${8 * megabyte}\r\n`],
    ["arguments without end", "*1000000\r\n$4\r\nMGET\r\n"]
  ]
  for (const [name, beginning] of sizes) {
    it(`closes on ${name} beyond it, and takes one below it`, async () => {
      const server = await start("--client-query-buffer-limit", "4mb")
      const other = await server.client()
      const stop = busy(await server.client(), "n")
      const socket = await deaf(server.port)
      const filler = Buffer.from("$1\r\nx\r\n".repeat(megabyte))
      await writeSlowly(socket, Buffer.concat([Buffer.from(beginning), filler.subarray(0, 3 * megabyte)]))
      await eventually(
        "it has been read",
        async () => await info(other, "client_recent_max_input_buffer") > 2 * megabyte
      )
      expect(await connected(other)).toBe(3)
      await writeSlowly(socket, filler.subarray(3 * megabyte, 7 * megabyte))
      expect((await readOut(socket)).toString()).toBe("")
      await eventually("the log says so", () => server.output().includes("its unread requests passed 4194304 bytes"))
      await eventually("only the others are left", async () => await connected(other) === 2)
      expect(await info(other, "mem_clients_normal")).toBeLessThan(megabyte)
      expect(await stop()).toBeGreaterThan(0)
    })
  }
})

describe("proto-max-bulk-len", () => {
  it("refuses longer words before they come, and takes those of just this length", async () => {
    const server = await start("--proto-max-bulk-len", `${2 * megabyte}`)
    const client = await server.client()
    const stop = busy(await server.client(), "n")
    const value = "v".repeat(2 * megabyte)
    expect(await ask(client, "SET", "k", value)).toBe("OK")
    expect(await ask(client, "STRLEN", "k")).toBe(2 * megabyte)
    for (const words of [1, 2, 3]) {
      const one = await deaf(server.port)
      one.write(`PING\r\n*${words}\r\n${"$1\r\nx\r\n".repeat(words - 1)}$${2 * megabyte + 1}\r\n`)
      expect((await readOut(one)).toString()).toBe("+PONG\r\n-ERR Protocol error: invalid bulk length\r\n")
    }
    expect(await stop()).toBeGreaterThan(0)
  })
})

describe("eight megabytes", () => {
  it("in one value come back as they were, again and again, without staying in the connection", async () => {
    const server = await start()
    const [client, other] = [await server.client(), await server.client()]
    const stop = busy(await server.client(), "n")
    const bytes = Buffer.alloc(8 * megabyte, "0123456789abcdef\r\n\0")
    for (let i = 0; i < 5; i++) {
      bytes.writeUInt32LE(i, 1000)
      expect(plain(await client.command("SET", `k${i % 2}`, bytes))).toBe("OK")
      const [reply] = await client.raw(encodeRequest(["GET", `k${i % 2}`]), 1)
      expect(reply!.subarray(10, -2).equals(bytes)).toBe(true)
    }
    expect(await info(other, "mem_clients_normal")).toBeLessThan(megabyte)
    expect(await stop()).toBeGreaterThan(0)
  })

  for (const [what, length] of [["short", 60], ["longer", 600]] as const) {
    it(`of ${what} arguments are one request`, async () => {
      const server = await start()
      const [client, other] = [await server.client(), await server.client()]
      const stop = busy(await server.client(), "n")
      const count = Math.floor(8 * megabyte / (length + 12) / 2)
      const pairs = Array.from({ length: count }, (_, i) => [`k${i}`, "v".repeat(length)])
      expect(plain(await client.command("MSET", ...pairs.flat()))).toBe("OK")
      expect(await info(other, "log_sequence")).toBeGreaterThan(0)
      expect(await ask(client, "EXISTS", ...pairs.map(([key]) => key!))).toBe(count)
      const values = plain(await client.command("MGET", ...pairs.map(([key]) => key!))) as ReadonlyArray<string>
      expect([values.length, new Set(values)]).toEqual([count, new Set(["v".repeat(length)])])
      expect(await ask(client, "DEL", ...pairs.map(([key]) => key!))).toBe(count)
      expect(await info(other, "mem_clients_normal")).toBeLessThan(megabyte)
      expect(await stop()).toBeGreaterThan(0)
    })
  }

  it("of a pipeline are answered in order, while others are, however they are cut", async () => {
    const server = await start()
    const other = await server.client()
    const stop = busy(await server.client(), "n")
    const count = 200_000
    const wire = Buffer.concat(
      Array.from({ length: count }, (_, i) => Buffer.from(`*3\r\n$6\r\nINCRBY\r\n$5\r\ntotal\r\n$1\r\n${i % 10}\r\n`))
    )
    expect(wire.length).toBeGreaterThan(6 * megabyte)
    for (const piece of [1000, 64 * 1024 - 1, wire.length]) {
      expect(await ask(other, "SET", "total", "0")).toBe("OK")
      const client = await RespClient.connect({ port: server.port })
      const replies = client.take(count)
      for (let at = 0; at < wire.length; at += piece) client.send(wire.subarray(at, at + piece))
      let total = 0
      let wrong = 0
      for (const [i, reply] of (await replies).entries()) {
        total += i % 10
        if (reply.toString() !== `:${total}\r\n`) wrong++
      }
      expect(wrong).toBe(0)
      await client.close()
    }
    expect(await stop()).toBeGreaterThan(0)
  })

  it("queued by MULTI are bounded by client-query-buffer-limit, and forgotten by DISCARD", async () => {
    const server = await start("--client-query-buffer-limit", "4mb")
    const other = await server.client()
    const client = await server.client()
    const value = "v".repeat(megabyte)
    expect(await ask(client, "MULTI")).toBe("OK")
    for (let i = 0; i < 3; i++) expect(await ask(client, "SET", `k${i}`, value)).toBe("QUEUED")
    expect(await info(other, "mem_clients_normal")).toBeGreaterThan(3 * megabyte)
    expect(await ask(client, "DISCARD")).toBe("OK")
    expect(await info(other, "mem_clients_normal")).toBeLessThan(megabyte)
    const greedy = await deaf(server.port)
    await writeSlowly(
      greedy,
      Buffer.concat([
        Buffer.from("MULTI\r\n"),
        ...Array.from({ length: 8 }, () => encodeRequest(["SET", "k", value]))
      ])
    )
    await eventually("it does not hold more", async () => await info(other, "mem_clients_normal") < 6 * megabyte)
    expect(await ask(other, "DBSIZE")).toBe(0)
  })
})

describe("memory of a database that is emptied", () => {
  it("does not stay: SET and FLUSHALL in long pipelines", async () => {
    const server = await start("--save", "")
    const client = await server.client()
    for (let round = 0; round < 3; round++) {
      const replies = await client.pipeline(
        Array.from(
          { length: 4000 },
          (_, i) => i % 2 === 0 ? ["SET", `k${i}`, "v"] : [i % 4 === 1 ? "FLUSHALL" : "FLUSHDB"]
        )
      )
      expect(new Set(replies.map(plain))).toEqual(new Set(["OK"]))
      expect(await info(client, "used_memory_rss")).toBeLessThan(400 * megabyte)
    }
    expect(await ask(client, "DBSIZE")).toBe(0)
    expect(await info(client, "used_memory_peak")).toBeLessThan(200 * megabyte)
  })
})
