/** One connection's life, over a transport, a log and a clock that the test moves. */
import { describe, expect, it } from "vitest"
import { forSeeds, Random } from "../support/random.ts"
import { encodeRequest } from "../support/resp.ts"
import { cutAnywhere } from "./requests.ts"
import { World } from "./world.ts"

const mebibyte = 1024 * 1024

describe("requests", () => {
  it("answers the same however the bytes are cut", async () => {
    const seeds: Array<readonly [Random, number]> = []
    forSeeds(60, (random, seed) => seeds.push([random, seed]))
    for (const [random, seed] of seeds) {
      const requests = Array.from({ length: 1 + random.below(30) }, (_, i) => {
        const value = random.bytes(random.chance(0.1) ? random.below(200_000) : random.below(50))
        return random.pick([["ECHO", value], ["SET", `k${i % 3}`, value], ["GET", `k${i % 3}`], ["PING"], ["NOSUCH"]])
      })
      const wire = Buffer.concat(requests.map((words) => encodeRequest(words)))
      const answer = async (chunks: ReadonlyArray<Buffer>): Promise<Buffer> => {
        const world = new World()
        const client = world.connect()
        for (const chunk of chunks) {
          client.receive(chunk)
          if (random.chance(0.3)) await world.settle()
        }
        await world.settle()
        expect(client.session.memory().query).toBe(0)
        return client.outlet.bytes()
      }
      const whole = await answer([wire])
      const cut = await answer(cutAnywhere(random, wire, 20))
      expect(cut.equals(whole), `seed ${seed}`).toBe(true)
    }
  })

  it("copies linearly when 100 MB come in small chunks", async () => {
    const world = new World()
    const client = world.connect()
    const wire = encodeRequest(["ECHO", Buffer.alloc(100_000_000, 7)])
    const pending = client.session["pending"]
    let copied = 0
    let growths = 0
    let held = pending.bytes
    let heldBytes = 0
    for (let at = 0; at < wire.length; at += 8192) {
      client.receive(wire.subarray(at, Math.min(at + 8192, wire.length)))
      if (pending.bytes !== held) {
        if (pending.bytes.length > 0) copied += heldBytes
        growths++
        held = pending.bytes
      }
      heldBytes = pending.length
      // Never more room than twice what has come, whatever length was announced.
      if (held.length > 2 * (at + 8192) + 16_384) throw new Error(`${held.length} bytes of room at ${at}`)
    }
    await world.settle()
    expect(client.outlet.bytes().length).toBe(100_000_000 + "$100000000\r\n\r\n".length)
    expect(growths).toBeLessThan(20)
    expect(copied).toBeLessThan(2 * wire.length)
    expect(pending.bytes.length).toBe(0)
  })

  it("copies linearly when a request of 100,000 words comes in small chunks", async () => {
    const world = new World()
    const client = world.connect()
    const words = Array.from({ length: 100_000 }, (_, i) => `w${i}`)
    const wire = encodeRequest(["MSET", ...words])
    const pending = client.session["pending"]
    let copied = 0
    let held = pending.bytes
    let heldBytes = 0
    for (let at = 0; at < wire.length; at += 50) {
      client.receive(wire.subarray(at, Math.min(at + 50, wire.length)))
      if (pending.bytes !== held && pending.bytes.length > 0) copied += heldBytes
      held = pending.bytes
      heldBytes = pending.length
    }
    await world.settle()
    expect(client.replies()).toEqual(["OK"])
    expect(copied).toBeLessThan(2 * wire.length)
    client.ask(["GET", "w99998"], ["DBSIZE"])
    await world.settle()
    expect(client.replies()).toEqual(["w99999", 50_000])
  })

  it("keeps no big buffer for a small rest", async () => {
    const world = new World()
    const client = world.connect()
    const wire = Buffer.concat([encodeRequest(["ECHO", Buffer.alloc(mebibyte)]), Buffer.from("*1\r\n$4\r\nPI")])
    for (let at = 0; at < wire.length; at += 65_536) client.receive(wire.subarray(at, at + 65_536))
    await world.settle()
    expect(client.outlet.bytes().length).toBeGreaterThan(mebibyte)
    expect(client.session["pending"].bytes.length).toBeLessThan(100_000)
    client.receive("NG\r\n")
    await world.settle()
    expect(client.replies()).toEqual(["PONG"])
    expect(client.session["pending"].bytes.length).toBe(0)
  })

  it("sends the error of a protocol violation, then closes, and hears nothing more", async () => {
    const world = new World()
    const client = world.connect()
    client.ask(["SET", "k", "1"])
    client.receive("*1\r\n$x\r\n*1\r\n$4\r\nPING\r\n")
    client.ask(["SET", "k", "2"])
    await world.settle()
    expect(client.replies()).toEqual(["OK", "ERR Protocol error: invalid bulk length"])
    expect(client.outlet.ended).toBe(true)
    expect(world.harness.batches.length).toBe(1)
    expect(world.clients.count).toBe(0)
  })

  it("closes on POST and Host:, says so, and runs nothing of it", async () => {
    for (const line of ["POST / HTTP/1.1", "post", "Host: localhost", "HOST:"]) {
      const world = new World()
      const client = world.connect()
      client.receive(`${line}\r\nSET k v\r\n`)
      await world.settle()
      expect(client.outlet.destroyed).toBe(true)
      expect(client.outlet.bytes().length).toBe(0)
      expect(world.harness.batches.length).toBe(0)
      expect(world.warnings.length).toBe(1)
      expect(world.warnings[0]).toContain("SECURITY ATTACK")
    }
  })

  it("answers what a half-closed client has asked, then closes", async () => {
    const world = new World()
    const client = world.connect()
    client.receive("PING\r\nPING x\r\nPIN")
    client.session.inputEnded()
    await world.settle()
    expect(client.replies()).toEqual(["PONG", "x"])
    expect(client.outlet.destroyed).toBe(true)
    expect(world.clients.count).toBe(0)
  })

  it("closes after QUIT with its reply sent and nothing after it run", async () => {
    const world = new World()
    const client = world.connect()
    client.receive("SET a 1\r\nQUIT\r\nSET a 2\r\n")
    await world.settle()
    expect(client.replies()).toEqual(["OK", "OK"])
    expect(client.outlet.ended).toBe(true)
    expect(world.harness.run("GET", "a")).toBe("$1\r\n1\r\n")
  })
})

describe("CLIENT REPLY", () => {
  const conversation = async (...requests: ReadonlyArray<string>): Promise<ReadonlyArray<unknown>> => {
    const world = new World()
    const apart = world.connect()
    for (const request of requests) {
      apart.receive(`${request}\r\n`)
      await world.settle()
    }
    const together = world.connect()
    together.receive(requests.map((request) => `${request}\r\n`).join(""))
    await world.settle()
    const replies = apart.replies()
    expect(together.replies()).toEqual(replies)
    return replies
  }

  it("OFF silences everything, its own reply too, until ON answers", async () => {
    expect(
      await conversation("PING a", "CLIENT REPLY OFF", "PING b", "NOSUCH", "SET", "PING c", "CLIENT REPLY ON", "PING d")
    )
      .toEqual(["a", "OK", "d"])
  })
  it("SKIP silences itself and the next command only", async () => {
    expect(await conversation("CLIENT REPLY SKIP", "PING a", "PING b")).toEqual(["b"])
    expect(await conversation("CLIENT REPLY SKIP", "NOSUCH", "PING b")).toEqual(["b"])
  })
  it("SKIP after SKIP goes on", async () => {
    expect(await conversation("CLIENT REPLY SKIP", "CLIENT REPLY SKIP", "PING a", "PING b")).toEqual(["b"])
  })
  it("ON and OFF win over a SKIP before them", async () => {
    expect(await conversation("CLIENT REPLY SKIP", "CLIENT REPLY ON", "PING a")).toEqual(["OK", "a"])
    expect(await conversation("CLIENT REPLY SKIP", "CLIENT REPLY OFF", "PING a", "PING b", "CLIENT REPLY ON"))
      .toEqual(["OK"])
  })
  it("SKIP while OFF changes nothing", async () => {
    expect(await conversation("CLIENT REPLY OFF", "CLIENT REPLY SKIP", "PING a", "PING b", "CLIENT REPLY ON", "PING c"))
      .toEqual(["OK", "c"])
  })
  it("silences the error of a protocol violation; the connection closes all the same", async () => {
    const world = new World()
    const client = world.connect()
    client.receive("CLIENT REPLY OFF\r\n*x\r\n")
    await world.settle()
    expect(client.outlet.bytes().length).toBe(0)
    expect(client.outlet.ended).toBe(true)
  })
  it("writes silently too", async () => {
    const world = new World()
    const client = world.connect()
    client.receive("CLIENT REPLY OFF\r\nSET k v\r\n")
    await world.settle()
    expect(world.log.commits).toBe(1)
    client.receive("CLIENT REPLY ON\r\nGET k\r\n")
    await world.settle()
    expect(client.replies()).toEqual(["OK", "v"])
  })
})

describe("replies and the log", () => {
  it("commits once per turn, for all connections", async () => {
    const world = new World()
    const clients = Array.from({ length: 5 }, () => world.connect())
    for (const client of clients) client.ask(["INCR", "n"], ["INCR", "n"])
    await world.settle()
    expect(world.log.commits).toBe(1)
    expect(clients.flatMap((client) => client.replies())).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10])
  })

  it("under always holds replies until the sync they need, in order, over pipelines", async () => {
    const world = new World()
    world.log.always = true
    const [a, b, c] = [world.connect(), world.connect(), world.connect()]
    a.ask(["INCR", "n"], ["INCR", "n"])
    await world.settle()
    const first = world.log.lsn()
    b.ask(["INCR", "n"], ["GET", "n"])
    a.ask(["GET", "n"])
    await world.settle()
    c.ask(["GET", "n"])
    await world.settle()
    for (const client of [a, b, c]) expect(client.replies()).toEqual([])
    await world.synced(first)
    expect(a.replies()).toEqual([1, 2])
    expect([b.replies(), c.replies()]).toEqual([[], []])
    await world.synced()
    expect([a.replies(), b.replies(), c.replies()]).toEqual([["3"], [3, "3"], ["3"]])
    a.ask(["GET", "n"])
    await world.settle()
    expect(a.replies()).toEqual(["3"])
  })

  it("under always never lets a later reply overtake a held one", async () => {
    const world = new World()
    world.log.always = true
    const random = new Random(3)
    const clients = Array.from({ length: 8 }, () => world.connect())
    const expected = clients.map((): Array<unknown> => [])
    const seen = clients.map((): Array<unknown> => [])
    const barriers: Array<number> = []
    for (let step = 0; step < 300; step++) {
      const i = random.below(clients.length)
      if (random.chance(0.5)) {
        clients[i]!.ask(["SET", `k${i}`, `${step}`])
        expected[i]!.push("OK")
      } else {
        clients[i]!.ask(["ECHO", `${step}`])
        expected[i]!.push(`${step}`)
      }
      if (random.chance(0.4)) {
        await world.settle()
        barriers.push(world.log.lsn())
      }
      if (random.chance(0.2) && barriers.length > 0) {
        await world.synced(Math.max(world.log.released(), random.pick(barriers)))
      }
      clients.forEach((client, at) => seen[at]!.push(...client.replies()))
      seen.forEach((replies, at) => expect(replies).toEqual(expected[at]!.slice(0, replies.length)))
    }
    await world.settle()
    await world.synced()
    clients.forEach((client, at) => seen[at]!.push(...client.replies()))
    expect(seen).toEqual(expected)
  })

  it("closes only after the held replies have left", async () => {
    const world = new World()
    world.log.always = true
    const client = world.connect()
    client.receive("SET k v\r\nQUIT\r\n")
    await world.settle()
    expect(client.outlet.ended).toBe(false)
    await world.synced()
    expect(client.replies()).toEqual(["OK", "OK"])
    expect(client.outlet.ended).toBe(true)
  })

  it("drops held replies of a connection that is gone", async () => {
    const world = new World()
    world.log.always = true
    const [client, other] = [world.connect(), world.connect()]
    client.ask(["SET", "k", "v"])
    other.ask(["SET", "l", "v"])
    await world.settle()
    client.outlet.destroy()
    await world.settle()
    await world.synced()
    expect(client.outlet.bytes().length).toBe(0)
    expect(other.replies()).toEqual(["OK"])
    expect(client.session.outputBytes).toBe(0)
  })

  it("holds the replies of writes while the log fails; reads go on, writes are refused", async () => {
    const world = new World()
    const [writer, reader] = [world.connect(), world.connect()]
    world.log.failing = true
    writer.ask(["SET", "k", "v"])
    await world.settle()
    expect(writer.replies()).toEqual([])
    reader.ask(["GET", "k"], ["SET", "k", "w"])
    await world.settle()
    const [value, refusal] = reader.replies()
    expect(value).toBe("v")
    expect(refusal).toMatch(/^MISCONF /)
    writer.ask(["GET", "k"])
    await world.settle()
    expect(writer.replies()).toEqual([])
    world.log.recover()
    world.turn.released()
    await world.settle()
    expect(writer.replies()).toEqual(["OK", "v"])
    writer.ask(["SET", "k", "x"])
    await world.settle()
    expect(writer.replies()).toEqual(["OK"])
  })
})
