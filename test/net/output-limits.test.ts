/** client-output-buffer-limit as it is written, over sessions without sockets: whom it cuts, when, and what is left. */
import { describe, expect, it } from "vitest"
import { load } from "../../src/config/config.ts"
import { makeConfigPort, netSettings } from "../../src/net/config-port.ts"
import { type TestClient, World } from "./world.ts"

const mebibyte = 1024 * 1024

/** A world with the limits that configuration says, `first` at the start, and a value to ask for. */
const worldWith = async (...first: ReadonlyArray<string>) => {
  const configuration = load(first.length === 0 ? [] : ["--client-output-buffer-limit", ...first], {})
  const config = makeConfigPort(configuration)
  const world = new World(netSettings(configuration))
  const set = (value: string): void => {
    expect(config.set([["client-output-buffer-limit", value]], true)).toBeUndefined()
  }
  const writer = world.connect()
  writer.ask(["SET", "big", "b".repeat(mebibyte / 2)])
  await world.settle()
  expect(writer.replies()).toEqual(["OK"])
  /** A connection that reads nothing. */
  const deaf = (): TestClient => {
    const client = world.connect()
    client.outlet.room = 0
    return client
  }
  const monitor = (): TestClient => {
    const client = deaf()
    world.harness.executor.observer.watch(client.session, () => 0)
    return client
  }
  /** About so many bytes of replies, or of lines for whoever monitors. */
  const pileUp = async (client: TestClient, bytes: number): Promise<void> => {
    for (let sent = 0; sent < bytes && !client.outlet.destroyed; sent += mebibyte / 2) {
      if (client.state.monitoring) writer.ask(["ECHO", "x".repeat(mebibyte / 2)])
      else client.ask(["GET", "big"])
      await world.settle()
    }
    writer.outlet.bytes()
  }
  const pass = async (seconds: number): Promise<void> => {
    for (let i = 0; i < seconds; i++) {
      world.harness.now += 1000
      world.clients.sweep(0)
    }
    await world.settle()
  }
  const isCut = (client: TestClient): boolean => client.outlet.destroyed
  return { deaf, isCut, monitor, pass, pileUp, set, world, writer }
}

describe("forms of client-output-buffer-limit", () => {
  // What is piled up for a connection, MiB, the seconds that pass then, and whether it is cut.
  type Fate = readonly [who: "normal" | "monitor", size: number, seconds: number, cut: boolean]
  const forms: ReadonlyArray<readonly [value: string, fates: ReadonlyArray<Fate>]> = [
    ["normal 1mb 0 0", [["normal", 0.5, 100, false], ["normal", 1.5, 0, true], ["monitor", 1.5, 0, true]]],
    ["NORMAL 1048576 0 0 pubsub 0 0 0", [["normal", 1.5, 0, true], ["monitor", 1.5, 0, true]]],
    ["normal 0 1m 5", [["normal", 1.5, 4, false], ["normal", 1.5, 5, true], ["monitor", 1.5, 5, true]]],
    ["normal 2mb 1mb 3", [["normal", 1.5, 2, false], ["normal", 1.5, 3, true], ["normal", 3, 0, true]]],
    ["pubsub 1mb 0 0", [["normal", 4, 100, false], ["monitor", 0.5, 100, false], ["monitor", 1.5, 0, true]]],
    ["pubsub 0 1mb 10 normal 0 0 0", [["monitor", 2, 9, false], ["monitor", 2, 10, true], ["normal", 2, 100, false]]],
    ["replica 1 1 1", [["normal", 4, 100, false], ["monitor", 4, 100, false]]],
    ["slave 0 0 0 pubsub 0 0 0", [["normal", 6, 100, false], ["monitor", 6, 100, false]]]
  ]
  for (const [value, fates] of forms) {
    it(`"${value}", given at the start or set, cuts ${fates.filter(([, , , cut]) => cut).length} of ${fates.length}`, async () => {
      for (const atStart of [true, false]) {
        for (const [who, size, seconds, cut] of fates) {
          const { deaf, isCut, monitor, pass, pileUp, set, world, writer } = await worldWith(
            ...(atStart ? value.split(" ") : [])
          )
          if (!atStart) set(value)
          const client = who === "normal" ? deaf() : monitor()
          await pileUp(client, size * mebibyte)
          await pass(seconds)
          expect([who, size, seconds, isCut(client)]).toEqual([who, size, seconds, cut])
          expect(world.clients.count).toBe(cut ? 1 : 2)
          writer.ask(["PING"])
          await world.settle()
          expect(writer.replies().at(-1)).toBe("PONG")
        }
      }
    })
  }

  it("lifted and lowered again, count from then on", async () => {
    const { deaf, isCut, pass, pileUp, set } = await worldWith("normal", "0", "1mb", "5")
    const client = deaf()
    await pileUp(client, 1.5 * mebibyte)
    await pass(4)
    set("normal 0 0 0")
    await pass(100)
    expect(isCut(client)).toBe(false)
    set("normal 0 1mb 5")
    await pass(5) // the first look begins the time
    expect(isCut(client)).toBe(false)
    await pass(1)
    expect(isCut(client)).toBe(true)
  })
})

describe("the soft limit and the clock", () => {
  it("begins anew whenever the client falls below it, however shortly", async () => {
    const { deaf, isCut, pass, pileUp, world } = await worldWith("normal", "0", "1mb", "5")
    const client = deaf()
    for (let round = 0; round < 5; round++) {
      await pileUp(client, 1.5 * mebibyte)
      await pass(4)
      client.outlet.drain(mebibyte)
      client.outlet.room = 0
      // Seen at the next look, which is the next reply or the next second.
      world.clients.sweep(0)
      client.outlet.drain(mebibyte / 2)
      client.outlet.room = 0
      await world.settle()
      expect(isCut(client)).toBe(false)
    }
    await pileUp(client, 1.5 * mebibyte)
    await pass(5)
    expect(isCut(client)).toBe(true)
  })

  it("neither cuts early nor forgets when the clock is set back", async () => {
    const { deaf, isCut, pass, pileUp, world } = await worldWith("normal", "0", "1mb", "5")
    const client = deaf()
    await pileUp(client, 1.5 * mebibyte)
    world.harness.now -= 3_600_000
    await pass(4)
    expect(isCut(client)).toBe(false)
    world.harness.now += 3_600_000
    await pass(1)
    expect(isCut(client)).toBe(true)
  })
})

describe("a client that is cut", () => {
  it("leaves nothing behind: not its replies, not its requests, not its transaction, not its keys watched", async () => {
    const { deaf, isCut, pileUp, world, writer } = await worldWith("normal", "2mb", "0", "0")
    const { executor } = world.harness
    const client = deaf()
    client.ask(["WATCH", "a", "b"], ["MULTI"], ["SET", "a", "x".repeat(100_000)])
    client.receive("*2\r\n$4\r\nECHO\r\n$1000000\r\nxxx")
    expect(client.session.memory().total).toBeGreaterThan(100_000)
    expect(executor.transactions.watches.size).toBe(2)
    await world.settle()
    const other = deaf()
    await pileUp(other, 4 * mebibyte)
    expect([isCut(client), isCut(other)]).toEqual([false, true])
    client.receive("x".repeat(999_997) + "\r\n")
    client.ask(["DISCARD"], ["WATCH", "a"], ...Array.from({ length: 8 }, () => ["GET", "big"]))
    client.receive("*2\r\n$4\r\nECHO\r\n$1000000\r\nxxx")
    await world.settle()
    expect(isCut(client)).toBe(true)
    for (const { session, state } of [client, other]) {
      expect([session.outputBytes, session.memory().query, session.memory().multi]).toEqual([0, 0, 0])
      expect(session.memory().total).toBeLessThan(64 * 1024)
      expect(state.transaction).toBeUndefined()
    }
    expect([executor.transactions.watches.size, executor.transactions.attentive, world.clients.count])
      .toEqual([0, false, 1])
    writer.ask(["GET", "a"])
    await world.settle()
    expect(writer.replies().at(-1)).toBeNull()
  })

  it("inside MULTI takes its queue along: none of it has happened", async () => {
    const { deaf, isCut, world, writer } = await worldWith("normal", "1mb", "0", "0")
    const client = deaf()
    client.ask(["GET", "big"], ["GET", "big"], ["MULTI"], ["SET", "a", "1"], ["SET", "b", "2"])
    client.ask(["GET", "big"], ["GET", "big"], ["EXISTS", "a"])
    await world.settle()
    expect(isCut(client)).toBe(true)
    client.ask(["EXEC"])
    writer.ask(["EXISTS", "a", "b"])
    await world.settle()
    expect(writer.replies().at(-1)).toBe(0)
  })

  it("while it waits in BLPOP is cut by what it is given; the element is gone, the others wait on", async () => {
    const { deaf, isCut, world, writer } = await worldWith("normal", "1mb", "0", "0")
    const client = deaf()
    client.ask(["BLPOP", "list", "0"])
    await world.settle()
    const next = world.connect()
    next.ask(["BLPOP", "list", "0"])
    await world.settle()
    writer.ask(["RPUSH", "list", "x".repeat(1.5 * mebibyte)])
    await world.settle()
    expect(isCut(client)).toBe(true)
    writer.ask(["EXISTS", "list"], ["RPUSH", "list", "y"], ["EXISTS", "list"])
    await world.settle()
    expect(next.replies()).toEqual([["list", "y"]])
    expect(writer.replies().slice(-3)).toEqual([0, 1, 0])
    expect(world.clients.blockedCount).toBe(0)
  })

  it("is none that asked for no replies, whatever it asks", async () => {
    const { deaf, isCut, pileUp, world } = await worldWith("normal", "1mb", "0", "0")
    const client = deaf()
    client.ask(["CLIENT", "REPLY", "OFF"])
    await pileUp(client, 10 * mebibyte)
    expect([isCut(client), client.session.outputBytes]).toEqual([false, 0])
    client.ask(["CLIENT", "REPLY", "SKIP"], ["GET", "big"], ["CLIENT", "REPLY", "ON"])
    client.outlet.drain()
    await world.settle()
    expect(client.replies()).toEqual(["OK"])
    client.outlet.room = 0
    await pileUp(client, 2 * mebibyte)
    expect(isCut(client)).toBe(true)
  })
})
