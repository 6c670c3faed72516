/** Publish and subscribe as the npm packages redis and ioredis do it, in both protocols, across a crash of the server. */
import { Redis } from "ioredis"
import { createClient } from "redis"
import { afterAll, beforeAll, describe, expect, it } from "vitest"
import { type ServerProcess, startAnnals } from "../support/processes.ts"
import { removeScratch, scratchDir, sleep } from "./oracle.ts"

let server: ServerProcess
beforeAll(async () => {
  server = await startAnnals()
})
afterAll(async () => {
  await server.stop()
  removeScratch()
})

/** Waits until so many messages have come; the deadline only bounds a failure. */
const arrived = async (messages: ReadonlyArray<unknown>, count: number): Promise<void> => {
  for (const until = performance.now() + 20_000; messages.length < count;) {
    if (performance.now() > until) throw new Error(`${messages.length} of ${count} messages within 20 s`)
    await sleep(5)
  }
}

for (const RESP of [2, 3] as const) {
  describe(`npm redis, RESP${RESP}`, () => {
    const connect = async (port = server.port) => {
      const client = createClient({ RESP, socket: { host: "127.0.0.1", port, reconnectStrategy: () => 30 } })
      client.on("error", () => {}) // While a server is down every attempt to reconnect is one.
      await client.connect()
      return client
    }

    it("subscribes to channels, patterns and shard channels, and gets what is published there", async () => {
      const [reader, writer] = [await connect(), await connect()]
      const got: Array<ReadonlyArray<string>> = []
      const listen = (text: string, channel: string): void => void got.push([channel, text])
      await reader.subscribe(["a", "b"], listen)
      await reader.pSubscribe("news.*", listen)
      await reader.sSubscribe("shard", listen)
      expect(await writer.publish("a", "1")).toBe(1)
      expect(await writer.publish("news.1", "värld")).toBe(1)
      expect(await writer.sPublish("shard", "3")).toBe(1)
      expect(await writer.publish("nobody", "4")).toBe(0)
      await arrived(got, 3)
      expect(got).toEqual([["a", "1"], ["news.1", "värld"], ["shard", "3"]])
      expect((await writer.pubSubChannels()).toSorted()).toEqual(["a", "b"])
      expect(await writer.pubSubNumPat()).toBe(1)
      await reader.unsubscribe("a")
      expect(await writer.publish("a", "5")).toBe(0)
      await reader.unsubscribe()
      await reader.pUnsubscribe()
      await reader.sUnsubscribe()
      expect(await reader.get("k")).toBeNull()
      reader.destroy()
      writer.destroy()
    })

    it("gets thousands of messages in their order", async () => {
      const [reader, writer] = [await connect(), await connect()]
      const got: Array<string> = []
      await reader.subscribe("numbers", (text) => void got.push(text))
      const wanted = Array.from({ length: 5000 }, (_, i) => `${i}`)
      await Promise.all(wanted.map((text) => writer.publish("numbers", text)))
      await arrived(got, wanted.length)
      expect(got).toEqual(wanted)
      reader.destroy()
      writer.destroy()
    })

    it("subscribes again when the server was killed and has come back", async () => {
      const dir = scratchDir(`subscribers-${RESP}`)
      let own = await startAnnals({ dir })
      const { port } = own
      try {
        const [reader, writer] = [await connect(port), await connect(port)]
        const got: Array<string> = []
        await reader.subscribe("c", (text) => void got.push(text))
        await writer.publish("c", "before")
        await arrived(got, 1)
        await own.kill()
        own = await startAnnals({ dir, port })
        while (await writer.publish("c", "after").catch(() => 0) === 0) await sleep(20)
        await arrived(got, 2)
        expect(got).toEqual(["before", "after"])
        reader.destroy()
        writer.destroy()
      } finally {
        await own.kill()
      }
    })
  })
}

describe.each([2, 3] as const)("ioredis, RESP%i", (protocol) => {
  it("subscribes, gets messages, and is an ordinary client again afterwards", async () => {
    const [reader, writer] = [new Redis(server.port, { protocol }), new Redis(server.port)]
    const got: Array<ReadonlyArray<string>> = []
    reader.on("message", (channel, text) => got.push([channel, text]))
    reader.on("pmessage", (pattern, channel, text) => got.push([pattern, channel, text]))
    reader.on("smessage", (channel, text) => got.push(["shard", channel, text]))
    expect(await reader.subscribe("a", "b")).toBe(2)
    expect(await reader.psubscribe("n*")).toBe(3)
    expect(await reader.ssubscribe("s")).toBe(1)
    if (protocol === 2) await expect(reader.get("k")).rejects.toThrow("subscriber mode")
    else expect(await reader.get("k")).toBeNull()
    expect(await writer.publish("b", "1")).toBe(1)
    expect(await writer.publish("n1", "2")).toBe(1)
    expect(await writer.spublish("s", "3")).toBe(1)
    expect(await writer.pubsub("NUMSUB", "a", "b", "c")).toEqual(["a", 1, "b", 1, "c", 0])
    await arrived(got, 3)
    expect(got).toEqual([["b", "1"], ["n*", "n1", "2"], ["shard", "s", "3"]])
    expect(await reader.unsubscribe("a", "b")).toBe(1)
    expect(await reader.punsubscribe("n*")).toBe(0)
    await reader.sunsubscribe("s")
    expect(await reader.ping()).toBe("PONG")
    reader.disconnect()
    writer.disconnect()
  })
})
