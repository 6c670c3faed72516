/** Waiting: CLIENT PAUSE, and commands that answer later. */
import { describe, expect, it } from "vitest"
import { LogUnavailable } from "../../src/log/event-log.ts"
import { noReply } from "../../src/net/resp/reply.ts"
import { World } from "./world.ts"

describe("CLIENT PAUSE", () => {
  it("WRITE holds writes back and what comes behind them on the same connection, not reads", async () => {
    const world = new World()
    const [a, b, c] = [world.connect(), world.connect(), world.connect()]
    c.receive("CLIENT PAUSE 1000 WRITE\r\n")
    a.receive("GET k\r\nSET k v\r\nGET k\r\n")
    b.receive("GET k\r\n")
    await world.settle()
    expect([a.replies(), b.replies(), c.replies()]).toEqual([[null], [null], ["OK"]])
    a.receive("PING late\r\n")
    await world.settle()
    expect(a.replies()).toEqual([])
    expect(world.harness.batches.length).toBe(0)
    world.harness.now += 999
    world.clients.checkPause()
    await world.settle()
    expect(a.replies()).toEqual([])
    world.harness.now += 1
    world.clients.checkPause()
    await world.settle()
    expect(a.replies()).toEqual(["OK", "v", "late"])
  })

  it("ALL holds everything back", async () => {
    const world = new World()
    const [a, b] = [world.connect(), world.connect()]
    a.receive("CLIENT PAUSE 1000\r\nPING\r\n")
    b.receive("PING\r\nGET k\r\n")
    await world.settle()
    expect([a.replies(), b.replies()]).toEqual([["OK"], []])
    world.harness.now += 1000
    world.clients.checkPause()
    await world.settle()
    expect([a.replies(), b.replies()]).toEqual([["PONG"], ["PONG", null]])
  })

  it("refuses at once what would be refused without it", async () => {
    const world = new World()
    const [a, b] = [world.connect(), world.connect()]
    world.harness.failure = new LogUnavailable({ reason: "no space left" })
    a.receive("CLIENT PAUSE 1000\r\n")
    b.receive("SET k v\r\nSET k\r\nGET k\r\n")
    await world.settle()
    expect(b.replies()).toEqual([
      "MISCONF Errors writing to the AOF file: no space left",
      "ERR wrong number of arguments for 'set' command"
    ])
    world.harness.now += 1000
    world.clients.checkPause()
    await world.settle()
    expect(b.replies()).toEqual([null])
  })

  it("UNPAUSE lets each held request run once, after the command that ended the pause", async () => {
    const world = new World()
    const [a, b, c] = [world.connect(), world.connect(), world.connect()]
    a.receive("CLIENT PAUSE 100000 WRITE\r\n")
    b.receive("INCR n\r\nINCR n\r\n")
    c.receive("INCR n\r\n")
    await world.settle()
    a.receive("CLIENT UNPAUSE\r\nINCR n\r\nPING\r\n")
    await world.settle()
    expect(a.replies()).toEqual(["OK", "OK", 1, "PONG"])
    expect(b.replies()).toEqual([2, 3])
    expect(c.replies()).toEqual([4])
    expect(world.harness.batches.map((batch) => batch.events.length)).toEqual([1, 1, 1, 1])
  })

  it("extends and widens a running pause, and never shortens it", async () => {
    const world = new World()
    const [a, b] = [world.connect(), world.connect()]
    a.receive("CLIENT PAUSE 1000 WRITE\r\nCLIENT PAUSE 500 ALL\r\n")
    b.receive("GET k\r\n")
    await world.settle()
    world.harness.now += 600
    world.clients.checkPause()
    await world.settle()
    expect(b.replies()).toEqual([])
    world.harness.now += 400
    world.clients.checkPause()
    await world.settle()
    expect(b.replies()).toEqual([null])
  })

  it("forgets the requests of a client that has gone", async () => {
    const world = new World()
    const [a, b, c] = [world.connect(), world.connect(), world.connect()]
    a.receive("CLIENT PAUSE 1000 WRITE\r\n")
    b.receive("SET k v\r\n")
    c.receive("SET k w\r\n")
    await world.settle()
    b.outlet.destroy()
    c.session.inputEnded()
    await world.settle()
    expect(world.clients.count).toBe(1)
    world.clients.unpause()
    await world.settle()
    expect(world.harness.batches.length).toBe(0)
  })

  it("can begin again before the held requests have run", async () => {
    const world = new World()
    const [a, b] = [world.connect(), world.connect()]
    a.receive("CLIENT PAUSE 1000 WRITE\r\n")
    b.receive("SET k v\r\nPING\r\n")
    await world.settle()
    a.receive("CLIENT UNPAUSE\r\nCLIENT PAUSE 1000 WRITE\r\n")
    await world.settle()
    expect(b.replies()).toEqual([])
    world.clients.unpause()
    await world.settle()
    expect(b.replies()).toEqual(["OK", "PONG"])
  })
})

describe("a command that answers later", () => {
  /** As a blocking command does it: the request is over, its answer is not there. */
  const waiting = async (mode: string) => {
    const world = new World()
    const client = world.connect()
    if (mode !== "") client.receive(`CLIENT REPLY ${mode}\r\n`)
    const { executor } = world.harness
    const execute = executor.execute.bind(executor)
    executor.execute = (connection, argv, out) => {
      if (argv.at(0).latin1() !== "WAIT-FOR-IT") return execute(connection, argv, out)
      client.session.awaitAnswer()
      return true
    }
    client.receive("WAIT-FOR-IT\r\nPING a\r\n")
    client.receive("PING b\r\n")
    await world.settle()
    return { world, client }
  }

  it("holds up what comes behind it, and only until its answer", async () => {
    const { client, world } = await waiting("")
    expect(client.replies()).toEqual([])
    expect(world.clients.blockedCount).toBe(1)
    client.session.answer("there it is")
    expect(world.clients.blockedCount).toBe(0)
    await world.settle()
    expect(client.replies()).toEqual(["there it is", "a", "b"])
    client.session.answer(noReply)
    await world.settle()
    expect(client.replies()).toEqual([])
  })

  it("keeps quiet where CLIENT REPLY says so", async () => {
    const skipping = await waiting("SKIP")
    skipping.client.session.answer("there it is")
    await skipping.world.settle()
    expect(skipping.client.replies()).toEqual(["a", "b"])
    const off = await waiting("OFF")
    off.client.session.answer("there it is")
    await off.world.settle()
    expect(off.client.replies()).toEqual([])
  })

  it("is given up when the client closes its side", async () => {
    const { client, world } = await waiting("")
    client.session.inputEnded()
    await world.settle()
    expect(world.clients.count).toBe(0)
    client.session.answer("too late")
    await world.settle()
    expect(client.outlet.bytes().length).toBe(0)
  })
})
