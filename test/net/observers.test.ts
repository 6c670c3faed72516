/** Connections that monitor, and connections that take too much, over sessions without sockets. */
import { describe, expect, it } from "vitest"
import { World } from "./world.ts"

const megabyte = 1024 * 1024

describe("MONITOR", () => {
  it("shows each command once to everybody who monitors, and to nobody afterwards", async () => {
    const world = new World()
    const [first, second, other] = [world.connect(), world.connect(), world.connect()]
    world.harness.executor.observer.watch(first.session, () => 1_700_000_000_123_456)
    world.harness.executor.observer.watch(second.session, () => 1_700_000_000_123_456)
    other.ask(["SET", "a", "1"], ["GET", "a"])
    await world.settle()
    const lines = ["SET\" \"a\" \"1", "GET\" \"a"].map((text) =>
      `1700000000.123456 [0 ${other.state.address}] "${text}"`
    )
    expect([first.replies(), second.replies(), other.replies()]).toEqual([lines, lines, ["OK", "1"]])
    first.ask(["RESET"])
    second.session.kill()
    await world.settle()
    first.replies()
    other.ask(["GET", "a"])
    await world.settle()
    expect([first.replies(), second.replies()]).toEqual([[], []])
    expect(world.harness.executor.observer.monitors).toBe(0)
    expect(world.harness.executor.observer.attentive).toBe(false)
  })

  it("closes one that does not read at the limit of subscribers, and nobody else", async () => {
    const world = new World()
    world.settings.pubsubLimit = { hard: megabyte, soft: 0, softSeconds: 0 }
    const [watcher, other] = [world.connect(), world.connect()]
    world.harness.executor.observer.watch(watcher.session, () => 0)
    watcher.outlet.room = 0
    let sent = 0
    while (!watcher.outlet.destroyed && sent < 100) {
      other.ask(["SET", "a", "v".repeat(60_000)])
      await world.settle()
      sent++
    }
    expect(sent).toBe(18)
    expect(world.warnings).toEqual([expect.stringMatching(/output buffer limit/)])
    expect(other.outlet.destroyed).toBe(false)
    expect(other.replies()).toEqual(Array.from({ length: sent }, () => "OK"))
    expect(watcher.session.outputBytes).toBe(0)
    expect(world.harness.executor.observer.monitors).toBe(0)
  })

  it("bounds what one turn can pile up", async () => {
    const world = new World()
    const [watcher, other] = [world.connect(), world.connect()]
    world.harness.executor.observer.watch(watcher.session, () => 0)
    const big = "v".repeat(4 * megabyte)
    other.ask(...Array.from({ length: 12 }, () => ["SET", "a", big]))
    expect(watcher.outlet.destroyed).toBe(true)
    await world.settle()
    expect(other.replies().length).toBe(12)
  })
})

describe("maxmemory-clients", () => {
  /** Connections with so many megabytes of a request that is not whole. */
  const holding = (world: World, ...sizes: ReadonlyArray<number>) =>
    sizes.map((megabytes) => {
      const client = world.connect()
      if (megabytes > 0) client.receive(`*3\r\n$3\r\nSET\r\n$1\r\na\r\n$${100 * megabyte}\r\n`)
      for (let i = 0; i < megabytes; i++) client.receive(Buffer.alloc(megabyte))
      return client
    })
  const destroyed = (clients: ReturnType<typeof holding>) => clients.map(({ outlet }) => outlet.destroyed)

  it("closes the largest first, as many as it takes", async () => {
    const world = new World()
    const clients = holding(world, 0, 8, 2, 16, 1)
    const bytes = clients.map(({ session }) => session.memory().total)
    const total = bytes.reduce((sum, one) => sum + one, 0)
    world.clients.enforceMemory(0, () => {})
    world.clients.enforceMemory(total, () => {})
    expect(destroyed(clients)).toEqual([false, false, false, false, false])
    const warnings: Array<string> = []
    world.clients.enforceMemory(total - bytes[3]! - 1, (text) => warnings.push(text))
    expect(destroyed(clients)).toEqual([false, true, false, true, false])
    expect(warnings.length).toBe(2)
    expect(world.harness.executor.statistics.evictedClients).toBe(2)
    await world.settle()
    world.clients.enforceMemory(total, () => {})
    expect(world.clients.count).toBe(3)
  })

  it("spares those with CLIENT NO-EVICT, and counts replies that wait", () => {
    const world = new World()
    const [spared, other] = holding(world, 8, 0) as [ReturnType<World["connect"]>, ReturnType<World["connect"]>]
    spared.state.noEvict = true
    other.outlet.room = 0
    other.ask(["SET", "a", "v".repeat(megabyte)], ["GET", "a"], ["GET", "a"])
    expect(other.session.memory().total).toBeGreaterThan(2 * megabyte)
    world.clients.enforceMemory(megabyte, () => {})
    expect([spared.outlet.destroyed, other.outlet.destroyed]).toEqual([false, true])
  })
})
