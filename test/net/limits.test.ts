/** Limits of a connection: what it may send unread, leave unread, and how long it may say nothing. */
import { describe, expect, it } from "vitest"
import { outputHighWater, unauthenticatedOutputBytes } from "../../src/net/limits.ts"
import { encodeRequest } from "../support/resp.ts"
import { type TestClient, World } from "./world.ts"

const mebibyte = 1024 * 1024

const withValue = async (bytes: number): Promise<{ world: World; client: TestClient }> => {
  const world = new World()
  const client = world.connect()
  client.ask(["SET", "big", Buffer.alloc(bytes, 98)])
  await world.settle()
  expect(client.replies()).toEqual(["OK"])
  return { world, client }
}

describe("a client that does not read", () => {
  it("has its requests wait above the high-water mark, and answered in order when it reads again", async () => {
    const { client, world } = await withValue(mebibyte)
    client.outlet.room = 0
    const requests = Array.from({ length: 200 }, (_, i) => [["GET", "big"], ["ECHO", `${i}`]]).flat()
    client.ask(...requests)
    await world.settle()
    expect(client.session.outputBytes).toBeGreaterThan(outputHighWater)
    expect(client.session.outputBytes).toBeLessThan(outputHighWater + 2 * mebibyte)
    expect(client.outlet.paused).toBe(true)
    const replies: Array<unknown> = []
    let most = 0
    let rounds = 0
    for (; replies.length < 400 && rounds < 1000; rounds++) {
      client.outlet.drain(Infinity)
      client.outlet.room = 0
      await world.settle()
      most = Math.max(most, client.session.outputBytes)
      replies.push(...client.replies())
    }
    expect(most).toBeLessThan(outputHighWater + 2 * mebibyte)
    expect(replies.length).toBe(400)
    replies.forEach((reply, i) => {
      if (i % 2 === 1) expect(reply).toBe(`${(i - 1) / 2}`)
      else if ((reply as string).length !== mebibyte) throw new Error(`reply ${i}`)
    })
    expect(client.outlet.paused).toBe(false)
    expect(client.session.memory().query).toBe(0)
  })

  it("goes on at once when the kernel takes more than the high-water mark", async () => {
    const { client, world } = await withValue(mebibyte)
    client.ask(...Array.from({ length: 100 }, () => ["GET", "big"]))
    for (let i = 0; i < 20; i++) await world.settle()
    expect(client.replies().length).toBe(100)
    expect(client.outlet.paused).toBe(false)
    client.ask(["PING"])
    await world.settle()
    expect(client.replies()).toEqual(["PONG"])
  })

  it("is no longer read from when unread replies of many turns pile up, and is again once they have left", async () => {
    const { client, world } = await withValue(mebibyte)
    client.outlet.room = 0
    let turns = 0
    while (!client.outlet.paused && turns < 100) {
      client.ask(["GET", "big"])
      await world.settle()
      turns++
    }
    expect(turns).toBe(outputHighWater / mebibyte)
    client.outlet.drain(1000)
    await world.settle()
    expect(client.outlet.paused).toBe(true)
    client.outlet.drain()
    await world.settle()
    expect(client.outlet.paused).toBe(false)
    expect(client.replies().length).toBe(turns)
  })

  it("waits for held replies too", async () => {
    const { client, world } = await withValue(mebibyte)
    world.log.always = true
    client.ask(["SET", "k", "v"], ...Array.from({ length: 50 }, () => ["GET", "big"]))
    await world.settle()
    expect(client.outlet.paused).toBe(true)
    expect(client.replies()).toEqual([])
    await world.synced()
    await world.settle()
    expect(client.replies().length).toBe(51)
    expect(client.outlet.paused).toBe(false)
  })

  it("does not hold up others", async () => {
    const { client, world } = await withValue(mebibyte)
    client.outlet.room = 0
    client.ask(...Array.from({ length: 200 }, () => ["GET", "big"]))
    const other = world.connect()
    other.ask(["SET", "k", "v"])
    await world.settle()
    expect(other.replies()).toEqual(["OK"])
  })

  it("is closed at the hard limit", async () => {
    const { client, world } = await withValue(mebibyte)
    world.settings.outputLimit = { hard: 3 * mebibyte, soft: 0, softSeconds: 0 }
    client.outlet.room = 0
    client.ask(["GET", "big"], ["GET", "big"])
    await world.settle()
    expect(client.outlet.destroyed).toBe(false)
    client.ask(["GET", "big"], ["GET", "big"])
    await world.settle()
    expect(client.outlet.destroyed).toBe(true)
    expect(world.warnings.filter((text) => text.includes("output buffer limit")).length).toBe(1)
    expect(world.clients.count).toBe(0)
  })

  it("is closed when it stays above the soft limit too long, and only then", async () => {
    const { client, world } = await withValue(mebibyte)
    world.settings.outputLimit = { hard: 0, soft: mebibyte / 2, softSeconds: 10 }
    const pass = async (seconds: number) => {
      for (let i = 0; i < seconds; i++) {
        world.harness.now += 1000
        world.clients.sweep(0)
      }
      await world.settle()
    }
    client.outlet.room = 0
    client.ask(["GET", "big"])
    await world.settle()
    await pass(9)
    expect(client.outlet.destroyed).toBe(false)
    client.outlet.drain()
    client.outlet.room = 0
    client.ask(["GET", "big"])
    await world.settle()
    await pass(9)
    expect(client.outlet.destroyed).toBe(false)
    await pass(1)
    expect(client.outlet.destroyed).toBe(true)
  })

  it("is not waited for without end once it is being closed", async () => {
    const { client, world } = await withValue(mebibyte)
    client.outlet.room = 0
    client.ask(["GET", "big"], ["QUIT"])
    await world.settle()
    expect([client.outlet.ended, client.outlet.destroyed]).toEqual([true, false])
    for (let i = 0; i < 50; i++) {
      world.harness.now += 1000
      world.clients.sweep(0)
    }
    client.outlet.drain(1000)
    client.outlet.room = 0
    for (let i = 0; i < 60; i++) {
      world.harness.now += 1000
      world.clients.sweep(0)
    }
    expect(client.outlet.destroyed).toBe(false)
    world.harness.now += 2000
    world.clients.sweep(0)
    expect(client.outlet.destroyed).toBe(true)
  })
})

describe("query buffer", () => {
  it("closes above client-query-buffer-limit", async () => {
    const world = new World()
    world.settings.queryBufferBytes = mebibyte
    const [client, other] = [world.connect(), world.connect()]
    const request = encodeRequest(["SET", "k", Buffer.alloc(2 * mebibyte)])
    for (let at = 0; at < request.length && !client.outlet.destroyed; at += 65_536) {
      client.receive(request.subarray(at, at + 65_536))
    }
    await world.settle()
    expect(client.outlet.destroyed).toBe(true)
    expect(world.warnings[0]).toContain("unread requests")
    expect(world.clients.count).toBe(1)
    other.receive(encodeRequest(["SET", "k", Buffer.alloc(mebibyte - 100)]))
    await world.settle()
    expect(other.replies()).toEqual(["OK"])
  })

  it("closes above 1 MB before authentication, whatever the limit", async () => {
    const world = new World()
    const client = world.connect(false)
    // Words of the largest size allowed; the request as a whole is never finished.
    client.receive("*10\r\n")
    const word = `$16384\r\n${"x".repeat(16_384)}\r\n`
    for (let i = 0; i < 9; i++) client.receive(word)
    await world.settle()
    expect(client.outlet.destroyed).toBe(false)
    client.receive(Buffer.alloc(16 * 1024, 120))
    for (let i = 0; i < 100 && !client.outlet.destroyed && !client.outlet.ended; i++) {
      client.receive(Buffer.alloc(64 * 1024, 120))
    }
    await world.settle()
    expect(client.outlet.destroyed).toBe(true)
    // The same in a wait: the limit counts everything unread.
    world.password = "secret"
    const paused = world.connect(false)
    world.clients.pause(world.harness.now + 10_000, "all")
    paused.receive("AUTH secret\r\n")
    for (let i = 0; i < 17; i++) paused.receive(Buffer.alloc(64 * 1024, 120))
    await world.settle()
    expect(paused.outlet.destroyed).toBe(true)
  })

  it("refuses eleven words and words of 16385 bytes before authentication, not after", async () => {
    for (const words of [Array.from({ length: 11 }, () => "x"), ["x".repeat(16_385)]]) {
      const world = new World()
      world.password = "secret"
      const client = world.connect(false)
      client.ask(words)
      await world.settle()
      expect(client.replies()[0]).toMatch(/^ERR Protocol error: unauthenticated (multi)?bulk length$/)
      expect(client.outlet.ended).toBe(true)
      const friend = world.connect(false)
      friend.ask(["AUTH", "secret"], ["ECHO", "x".repeat(16_385)], ["EXISTS", ...Array.from({ length: 11 }, () => "k")])
      await world.settle()
      expect(friend.replies()).toEqual(["OK", "x".repeat(16_385), 0])
    }
  })

  it("bounds the replies to somebody who has not authenticated", async () => {
    const world = new World()
    const client = world.connect(false)
    client.outlet.room = 0
    let most = 0
    for (let i = 0; i < 100 && !client.outlet.destroyed; i++) {
      client.receive("PING\r\n".repeat(10_000))
      most = Math.max(most, client.session.outputBytes)
      await world.settle()
    }
    expect(client.outlet.destroyed).toBe(true)
    expect(most).toBeLessThan(2 * unauthenticatedOutputBytes)
    const reading = world.connect(false)
    for (let i = 0; i < 100; i++) {
      reading.receive("PING\r\n".repeat(1000))
      await world.settle()
    }
    expect(reading.replies().length).toBe(100_000)
    expect(reading.outlet.destroyed).toBe(false)
  })
})

describe("timeout", () => {
  it("closes clients that are silent, and none that send or read", async () => {
    const { client: reading, world } = await withValue(mebibyte)
    const [silent, half, sending] = [world.connect(), world.connect(), world.connect()]
    half.receive("*2\r\n$4\r\nECHO\r\n$10")
    sending.receive("*2\r\n$4\r\nECHO\r\n$1000\r\n")
    reading.outlet.room = 0
    reading.ask(["GET", "big"])
    await world.settle()
    for (let second = 1; second <= 12; second++) {
      world.harness.now += 1000
      if (second === 6) {
        sending.receive("x")
        reading.outlet.drain()
      }
      world.clients.sweep(10)
    }
    await world.settle()
    const gone = [silent, half, sending, reading].map((client) => client.outlet.destroyed)
    expect(gone).toEqual([true, true, false, false])
    expect(world.clients.count).toBe(2)
  })

  it("spares clients that wait for the server", async () => {
    const world = new World()
    const client = world.connect()
    world.clients.pause(world.harness.now + 60_000, "all")
    client.ask(["PING"])
    await world.settle()
    world.harness.now += 30_000
    world.clients.sweep(10)
    expect(client.outlet.destroyed).toBe(false)
  })
})
