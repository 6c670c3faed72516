/** Clients that do not read what they asked for: they go, in their own time; nobody else notices, and nothing stays. */
import { describe, expect, it } from "vitest"
import { plain } from "../support/resp-client.ts"
import { ask, busy, connected, deaf, eventually, gone, info, readOut, start, stopAfterEach } from "./live.ts"

stopAfterEach()

const megabyte = 1024 * 1024
const big = "v".repeat(megabyte)
const normal = (hard: string, soft = "0", seconds = "0") => [
  "--client-output-buffer-limit",
  `normal ${hard} ${soft} ${seconds}`
]

describe("client-output-buffer-limit", () => {
  for (const count of [1, 5]) {
    it(`cuts ${count} at the hard limit, gives the memory back, and others go on`, async () => {
      const server = await start(...normal("4mb"))
      const other = await server.client()
      expect(await ask(other, "SET", "big", big)).toBe("OK")
      const stop = busy(await server.client(), "n")
      const before = await info(other, "mem_clients_normal")
      const slow = await Promise.all(Array.from({ length: count }, () => deaf(server.port)))
      for (const socket of slow) socket.write("GET big\r\n".repeat(60))
      await eventually(
        "they are cut",
        () => (server.output().match(/over the output buffer limit/g) ?? []).length === count
      )
      await eventually("the others are left", async () => await connected(other) === 2)
      expect(await info(other, "mem_clients_normal")).toBeLessThan(before + megabyte)
      expect(await stop()).toBeGreaterThan(0)
      for (const socket of slow) expect((await readOut(socket)).length).toBeLessThan(60 * megabyte)
      expect(await ask(other, "STRLEN", "big")).toBe(megabyte)
    })
  }

  it("cuts whoever stays above the soft limit, not whoever reads meanwhile", async () => {
    // Neither the kernel's buffers nor the time allowed may decide: one reads everything, the other never anything.
    const server = await start(...normal("0", "1mb", "1"))
    const other = await server.client()
    expect(await ask(other, "SET", "big", big)).toBe("OK")
    const [slow, reader] = [await deaf(server.port), await deaf(server.port)]
    const request = "GET big\r\n"
    const replyLength = megabyte + `$${megabyte}\r\n\r\n`.length
    let got = 0
    let asked = 0
    reader.on("data", (chunk: Buffer) => {
      got += chunk.length
      if (got === asked * replyLength && !slow.destroyed) {
        asked++
        reader.write(request)
      }
    })
    reader.resume()
    slow.write(request.repeat(20))
    asked++
    reader.write(request)
    await eventually("the slow one is cut", () => server.output().includes("over the output buffer limit"))
    slow.resume()
    await gone(slow)
    await eventually("the reader has everything", () => got === asked * replyLength)
    expect(reader.destroyed).toBe(false)
    expect(asked).toBeGreaterThan(1)
    expect(server.output().match(/over the output buffer limit/g)).toHaveLength(1)
    expect(await connected(other)).toBe(2)
  })

  it("set while replies wait, applies to them", async () => {
    const server = await start(...normal("0"))
    const other = await server.client()
    expect(await ask(other, "SET", "big", big)).toBe("OK")
    const slow = await deaf(server.port)
    slow.write("GET big\r\n".repeat(20))
    await eventually("replies wait", async () => await info(other, "mem_clients_normal") > 8 * megabyte)
    expect(await connected(other)).toBe(2)
    expect(await ask(other, "CONFIG", "SET", "client-output-buffer-limit", "normal 4mb 0 0")).toBe("OK")
    await eventually("it is cut", async () => await connected(other) === 1)
    expect(await info(other, "mem_clients_normal")).toBeLessThan(megabyte)
  })

  it("without a limit, holds no more than the high-water mark, and answers everything in order once it is read", async () => {
    const server = await start(...normal("0"))
    const other = await server.client()
    expect(await ask(other, "SET", "big", big)).toBe("OK")
    const slow = await deaf(server.port)
    const count = 100
    for (let i = 0; i < count; i++) slow.write(`SETRANGE big 0 <${i}>\r\nGET big\r\n`)
    await eventually("replies wait", async () => await info(other, "mem_clients_normal") > 8 * megabyte)
    expect(await info(other, "mem_clients_normal")).toBeLessThan(40 * megabyte)
    slow.write("QUIT\r\n")
    const text = (await readOut(slow)).toString("latin1")
    expect([...text.matchAll(/\$1048576\r\n<(\d+)>/g)].map(([, i]) => Number(i)))
      .toEqual(Array.from({ length: count }, (_, i) => i))
    expect(text.endsWith("+OK\r\n")).toBe(true)
  })
})

describe("without a limit, several that do not read", () => {
  it("are held back one by one, hold up nobody, and leave nothing when they go", async () => {
    const server = await start(...normal("0"))
    const other = await server.client()
    expect(await ask(other, "SET", "big", big)).toBe("OK")
    const stop = busy(await server.client(), "n")
    const slow = await Promise.all([1, 2, 3].map(() => deaf(server.port)))
    for (const socket of slow) socket.write("GET big\r\n".repeat(100))
    await eventually("all are held back", async () => await info(other, "mem_clients_normal") > 3 * 20 * megabyte)
    expect(await info(other, "mem_clients_normal")).toBeLessThan(3 * 40 * megabyte)
    expect(await connected(other)).toBe(5)
    // One goes, one is killed, one reads everything.
    slow[0]!.destroy()
    const list = String(await ask(other, "CLIENT", "LIST")).split("\n")
    const port = (slow[1]!.address() as { port: number }).port
    expect(list.some((line) => line.includes(`addr=127.0.0.1:${port} `))).toBe(true)
    expect(await ask(other, "CLIENT", "KILL", "ADDR", `127.0.0.1:${port}`)).toBe(1)
    slow[2]!.write("QUIT\r\n")
    expect((await readOut(slow[2]!)).length).toBe(100 * (megabyte + 12) + 5)
    await eventually("their memory is back", async () => await info(other, "mem_clients_normal") < megabyte)
    expect(await connected(other)).toBe(2)
    expect(await stop()).toBeGreaterThan(0)
    expect(server.output()).not.toContain("over the output buffer limit")
  })
})

describe("EXEC of a client that is cut", () => {
  for (const hard of ["1mb", "4mb"]) {
    it(`is done as a whole, and stays done (${hard})`, async () => {
      const server = await start(...normal(hard))
      const other = await server.client()
      expect(await ask(other, "SET", "big", big)).toBe("OK")
      const slow = await deaf(server.port)
      const requests = [
        "MULTI",
        "INCR before",
        ...Array.from({ length: 40 }, () => "GET big"),
        "INCR after",
        "EXEC",
        // What comes behind it is not asked by anybody any more.
        "INCR never"
      ]
      slow.write(requests.map((line) => `${line}\r\n`).join(""))
      await eventually("the log says so", () => server.output().includes("over the output buffer limit"))
      await eventually("it is cut", async () => await connected(other) === 1)
      expect(plain(await other.command("MGET", "before", "after", "never"))).toEqual(["1", "1", null])
      const digest = await ask(other, "DEBUG", "DIGEST")
      expect(await ask(other, "DEBUG", "RELOAD")).toBe("OK")
      expect(await ask(other, "DEBUG", "DIGEST")).toBe(digest)
    })
  }
})

describe("MONITOR that nobody reads", () => {
  const limits = [
    ["hard limit of subscribers", "pubsub 2mb 0 0"],
    ["soft limit of subscribers", "pubsub 0 1mb 1"],
    ["limit of everybody, where there is one", "normal 2mb 0 0 pubsub 0 0 0"]
  ] as const
  for (const [kind, value] of limits) {
    it(`is cut at the ${kind}; those who are watched, and those who read, go on`, async () => {
      const server = await start("--client-output-buffer-limit", value)
      const [watched, reader] = [await server.client(), await server.client()]
      expect(await ask(reader, "MONITOR")).toBe("OK")
      const slow = await Promise.all([deaf(server.port), deaf(server.port)])
      for (const socket of slow) socket.write("MONITOR\r\n")
      await eventually(
        "all watch",
        async () => String(await ask(watched, "CLIENT", "LIST")).split("flags=O").length === 4
      )
      let sent = 0
      await eventually("the deaf ones are cut", async () => {
        expect(await ask(watched, "SET", "k", "v".repeat(100_000))).toBe("OK")
        sent++
        return await connected(watched) === 2
      })
      expect(await ask(watched, "ECHO", "the last one")).toBe("the last one")
      let seen = 0
      for (;;) {
        const line = String(plain(await reader.next()))
        if (/ "SET" "k" "v{100000}"$/.test(line)) seen++
        if (line.endsWith("\"ECHO\" \"the last one\"")) break
      }
      expect(seen).toBe(sent)
      expect(reader.closed).toBe(false)
      expect(await info(watched, "mem_clients_normal")).toBeLessThan(megabyte)
      await eventually(
        "the log says so",
        () => (server.output().match(/over the output buffer limit/g) ?? []).length === 2
      )
    })
  }
})
