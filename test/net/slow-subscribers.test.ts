/** Subscribers that do not read: cut at the limits of their class, asynchronously, without harm to anybody else. */
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest"
import { type ServerProcess, startAnnals } from "../support/processes.ts"
import { encodeRequest, plain, type RespClient } from "../support/resp-client.ts"
import { ask, busy, connected, deaf, eventually, gone, info, stopAfterEach } from "./live.ts"

stopAfterEach()

let server: ServerProcess
let cutBefore = 0
beforeAll(async () => {
  server = await startAnnals()
})
afterAll(() => server?.stop())

const clients: Array<RespClient> = []
const client = async (): Promise<RespClient> => {
  const opened = await server.client({ pushesAreReplies: true })
  clients.push(opened)
  return opened
}
afterEach(async () => {
  await Promise.all(clients.splice(0).map((opened) => opened.close()))
})

/** Sets the limits of subscribers, waits until nobody of the last test is left, and connects. */
const limit = async (value: string): Promise<RespClient> => {
  const other = await client()
  await eventually("the last test is over", async () => await connected(other) === 1)
  expect(await ask(other, "CONFIG", "SET", "client-output-buffer-limit", `pubsub ${value}`)).toBe("OK")
  cutBefore = cutSoFar()
  return other
}
const cutSoFar = (): number => (server.output().match(/over the output buffer limit/g) ?? []).length
const cuts = (): number => cutSoFar() - cutBefore

const megabyte = 1024 * 1024
const kinds = [
  ["channel", "SUBSCRIBE c", "PUBLISH"],
  ["pattern", "PSUBSCRIBE c*", "PUBLISH"],
  ["shard channel", "SSUBSCRIBE c", "SPUBLISH"]
] as const

describe("client-output-buffer-limit of subscribers", () => {
  for (const [kind, request, publish] of kinds) {
    for (const protocol of [2, 3]) {
      for (const [size, hard] of [[1000, "2mb"], [100_000, "4mb"]] as const) {
        it(`cuts a subscriber of a ${kind} in RESP${protocol} at ${hard}, messages of ${size} bytes`, async () => {
          const [other, reader] = [await limit(`${hard} 0 0`), await client()]
          await reader.command("HELLO", `${protocol}`)
          reader.send(`${request}\r\n`)
          await reader.next()
          const slow = await deaf(server.port)
          slow.write(`HELLO ${protocol}\r\n${request}\r\n`)
          await eventually("both subscribe", async () => await info(other, "pubsub_clients") === 2)
          await ask(other, "DEL", "n")
          const stop = busy(await client(), "n")
          const text = "v".repeat(size)
          let sent = 0
          let receivers = 2
          while (receivers === 2) {
            receivers = Number(await ask(other, publish, "c", text))
            sent++
            // It reads along, so that it never has much to come.
            const [last] = (await reader.take(1)).slice(-1)
            expect(last!.length).toBeGreaterThan(size)
          }
          expect(receivers).toBe(1)
          await gone(slow.resume())
          await eventually("two are left besides the busy one", async () => await connected(other) === 3)
          expect(sent * size).toBeGreaterThan(2 * megabyte)
          expect(cuts()).toBe(1)
          expect(await info(other, "mem_clients_normal")).toBeLessThan(megabyte)
          expect(await stop()).toBeGreaterThan(0)
          expect(reader.closed).toBe(false)
        })
      }
    }
  }

  for (const protocol of [2, 3]) {
    it(`cuts whoever stays above the soft limit, in RESP${protocol}`, async () => {
      const other = await limit("0 1mb 1")
      const slow = await deaf(server.port)
      slow.write(`HELLO ${protocol}\r\nSUBSCRIBE c\r\n`)
      await eventually("it subscribes", async () => await info(other, "pubsub_clients") === 1)
      for (let i = 0; i < 12; i++) expect(await ask(other, "PUBLISH", "c", "v".repeat(megabyte))).toBe(1)
      await eventually("it is cut", async () => await connected(other) === 1)
      expect(cuts()).toBe(1)
    })
  }

  it("does not cut one that reads what came, however much that is together", async () => {
    const [other, reader] = [await limit("2mb 1mb 1"), await client()]
    reader.send("SUBSCRIBE c\r\n")
    await reader.next()
    for (let i = 0; i < 60; i++) {
      expect(await ask(other, "PUBLISH", "c", `${i}`.padEnd(megabyte / 2))).toBe(1)
      expect(plain(await reader.next())).toEqual(["message", "c", `${i}`.padEnd(megabyte / 2)])
    }
    expect(cuts()).toBe(0)
  })

  it("set while messages wait, applies to them", async () => {
    const other = await limit("0 0 0")
    const slow = await deaf(server.port)
    slow.write("SUBSCRIBE c\r\n")
    await eventually("it subscribes", async () => await info(other, "pubsub_clients") === 1)
    for (let i = 0; i < 20; i++) expect(await ask(other, "PUBLISH", "c", "v".repeat(megabyte))).toBe(1)
    expect(await info(other, "mem_clients_normal")).toBeGreaterThan(8 * megabyte)
    expect(await ask(other, "CONFIG", "SET", "client-output-buffer-limit", "pubsub 4mb 0 0")).toBe("OK")
    await eventually("it is cut", async () => await connected(other) === 1)
    expect(await info(other, "mem_clients_normal")).toBeLessThan(megabyte)
  })

  it("counts many slow ones one by one, while a fast one gets everything", async () => {
    const [other, reader] = [await limit("1mb 0 0"), await client()]
    reader.send("SUBSCRIBE c\r\n")
    await reader.next()
    const slow = await Promise.all(Array.from({ length: 10 }, () => deaf(server.port)))
    for (const socket of slow) socket.write("SUBSCRIBE c\r\n")
    await eventually("all subscribe", async () => await info(other, "pubsub_clients") === 11)
    let sent = 0
    let seen = 0
    while (await connected(other) > 2) {
      await ask(other, "PUBLISH", "c", `${sent++}`.padEnd(100_000))
      expect(plain(await reader.next())).toEqual(["message", "c", `${seen++}`.padEnd(100_000)])
    }
    expect(await ask(other, "PUBSUB", "NUMSUB", "c")).toEqual(["c", 1])
    expect(await info(other, "mem_clients_normal")).toBeLessThan(megabyte)
  })

  it("holds a long message once, however many do not read it", async () => {
    const other = await limit("0 0 0")
    const slow = await Promise.all(Array.from({ length: 40 }, () => deaf(server.port)))
    for (const socket of slow) socket.write("SUBSCRIBE c\r\n")
    await eventually("all subscribe", async () => await info(other, "pubsub_clients") === 40)
    const before = await info(other, "used_memory_rss")
    for (const size of [10 * megabyte, ...Array.from({ length: 20 }, () => megabyte / 5)]) {
      expect(await ask(other, "PUBLISH", "c", "v".repeat(size))).toBe(40)
    }
    expect(await info(other, "mem_clients_normal")).toBeGreaterThan(400 * megabyte)
    expect(await info(other, "used_memory_rss") - before).toBeLessThan(200 * megabyte)
    for (const socket of slow) socket.destroy()
  })

  it("leaves a transaction whole whose client is cut by messages meanwhile", async () => {
    const other = await limit("1mb 0 0")
    const slow = await deaf(server.port)
    const requests = [
      "HELLO 3",
      "SUBSCRIBE c",
      "MULTI",
      "INCR before",
      ...Array.from({ length: 60 }, () => `PUBLISH c ${"v".repeat(400_000)}`),
      "INCR after",
      "EXEC"
    ]
    slow.write(Buffer.concat(requests.map((line) => encodeRequest(line.split(" ")))))
    await eventually("it is cut", () => cuts() === 1)
    await eventually("it is gone", async () => await connected(other) === 1)
    expect(plain(await other.command("MGET", "before", "after"))).toEqual(["1", "1"])
  })
})
