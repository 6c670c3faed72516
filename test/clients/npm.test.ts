/** Transactions and messages as the npm packages redis and ioredis send and take them, also across kill -9 of the server. */
import { Redis } from "ioredis"
import { createClient } from "redis"
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest"
import { removeScratch, scratchDir, sleep } from "../process/oracle.ts"
import { type ServerProcess, startAnnals } from "../support/processes.ts"

const dir = scratchDir("npm-clients")
let server: ServerProcess
beforeAll(async () => {
  server = await startAnnals({ dir })
})
beforeEach(async () => {
  const client = await server.client()
  await client.command("FLUSHALL")
  await client.close()
})
afterAll(async () => {
  await server.stop()
  removeScratch()
})

const crash = async (): Promise<void> => {
  const { port } = server
  await server.kill()
  server = await startAnnals({ dir, port })
}

/** Waits until what was gathered has that many items. */
const gathered = async <T>(items: ReadonlyArray<T>, count: number): Promise<ReadonlyArray<T>> => {
  for (let i = 0; items.length < count && i < 1000; i++) await sleep(10)
  return items
}

/** Publishes until somebody hears it. */
const published = async (publish: () => Promise<number>): Promise<void> => {
  for (let i = 0; i < 1000 && await publish().catch(() => 0) === 0; i++) await sleep(10)
}

describe.each([2, 3] as const)("npm redis, RESP%i", (RESP) => {
  const connect = async () => {
    const client = createClient({ RESP, socket: { host: "127.0.0.1", port: server.port, reconnectStrategy: () => 30 } })
    client.on("error", () => {}) // While a server is down every attempt to reconnect is one.
    await client.connect()
    return client
  }

  it("runs transactions, and gives up one whose keys were changed", async () => {
    const client = await connect()
    expect(await client.multi().set("a", "1").incr("a").get("a").exec()).toEqual(["OK", 2, "2"])
    const watching = await connect()
    await watching.watch("a")
    await client.set("a", "10")
    await expect(watching.multi().set("a", "3").exec()).rejects.toThrow("watched keys")
    expect(await client.get("a")).toBe("10")
    for (const one of [client, watching]) one.destroy()
  })

  it("subscribes to channels, patterns and what happens to keys, and does so again after a crash", async () => {
    const [client, subscriber] = [await connect(), await connect()]
    const heard: Array<string> = []
    await client.configSet("notify-keyspace-events", "Ex")
    await subscriber.subscribe("news", (message, channel) => heard.push(`${channel} ${message}`))
    await subscriber.pSubscribe("__keyevent@*", (message, channel) => heard.push(`${channel} ${message}`))
    await subscriber.sSubscribe("shard", (message, channel) => heard.push(`${channel} ${message}`))
    expect(await client.publish("news", "hello")).toBe(1)
    expect(await client.sPublish("shard", "there")).toBe(1)
    await client.set("k", "v", { expiration: { type: "PX", value: 20 } })
    expect(await gathered(heard, 3)).toEqual(["news hello", "shard there", "__keyevent@0__:expired k"])
    await crash()
    await published(() => client.publish("news", "again"))
    expect((await gathered(heard, 4)).at(3)).toBe("news again")
    for (const one of [client, subscriber]) one.destroy()
  })
})

describe("ioredis", () => {
  const connect = (): Redis => {
    const client = new Redis({ port: server.port, host: "127.0.0.1", retryStrategy: () => 30 })
    client.on("error", () => {})
    return client
  }

  it("runs transactions, and gives up one whose keys were changed", async () => {
    const [client, watching] = [connect(), connect()]
    expect(await client.multi().set("a", "1").incr("a").get("a").exec()).toEqual([[null, "OK"], [null, 2], [null, "2"]])
    await watching.watch("a")
    await client.set("a", "10")
    expect(await watching.multi().set("a", "3").exec()).toBeNull()
    expect(await client.get("a")).toBe("10")
    for (const one of [client, watching]) one.disconnect()
  })

  it("subscribes to channels, patterns and what happens to keys, and does so again after a crash", async () => {
    const [client, subscriber] = [connect(), connect()]
    const heard: Array<string> = []
    await client.config("SET", "notify-keyspace-events", "Kx")
    subscriber.on("message", (channel, message) => heard.push(`${channel} ${message}`))
    subscriber.on("pmessage", (_pattern, channel, message) => heard.push(`${channel} ${message}`))
    expect(await subscriber.subscribe("news")).toBe(1)
    expect(await subscriber.psubscribe("__keyspace@*")).toBe(2)
    expect(await client.publish("news", "hello")).toBe(1)
    await client.psetex("k", 20, "v")
    expect(await gathered(heard, 2)).toEqual(["news hello", "__keyspace@0__:k expired"])
    await crash()
    await published(() => client.publish("news", "again"))
    expect((await gathered(heard, 3)).at(2)).toBe("news again")
    for (const one of [client, subscriber]) one.disconnect()
  })
})
