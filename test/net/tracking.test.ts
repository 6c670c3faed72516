/** Client-side caching over sessions without sockets: what redis-server cannot show, or shows otherwise. */
import { describe, expect, it } from "vitest"
import { Slice } from "../../src/projections/memory/slice.ts"
import { StreamId } from "../../src/projections/memory/stream-id.ts"
import { type TestClient, World } from "./world.ts"

/** Connections of RESP3, the first of which track. */
const connected = (world: World, count: number, ...on: ReadonlyArray<ReadonlyArray<string>>): Array<TestClient> => {
  const clients = Array.from({ length: count }, () => world.connect())
  for (const [i, client] of clients.entries()) {
    client.state.protocol = 3
    if (i < on.length) client.ask(["CLIENT", "TRACKING", "ON", ...on[i]!])
  }
  return clients
}

const invalidate = (...keys: ReadonlyArray<string>): unknown => ["invalidate", keys]

/** What each has heard since the last time. */
const heard = async (world: World, clients: ReadonlyArray<TestClient>): Promise<ReadonlyArray<unknown>> => {
  await world.settle()
  return clients.map((client) => client.replies())
}

describe("a client that tracks", () => {
  it("hears after the reply to its own request, once for each time it has read", async () => {
    const world = new World()
    const [client] = connected(world, 1, [])
    client!.ask(["GET", "a"], ["SET", "a", "1"], ["SET", "a", "2"], ["ECHO", "next"])
    client!.ask(["MULTI"], ["GET", "a"], ["SET", "a", "3"], ["GET", "a"], ["DEL", "a"], ["EXEC"], ["ECHO", "last"])
    await world.settle()
    expect(client!.replies().slice(1)).toEqual([
      null,
      "OK",
      invalidate("a"),
      "OK",
      "next",
      ...Array.from({ length: 5 }, (_, i) => i === 0 ? "OK" : "QUEUED"),
      ["2", "OK", "3", 1],
      invalidate("a"),
      invalidate("a"),
      "last"
    ])
  })

  it("hears nothing of a transaction that is taken back", async () => {
    const world = new World()
    const clients = connected(world, 3, [], ["BCAST"])
    clients[0]!.ask(["MGET", "a", "b"])
    clients[2]!.ask(["CLIENT", "MULTI-ON-ERROR", "ABORT"], ["MULTI"], ["SET", "a", "1"], ["LPUSH", "a", "x"], ["EXEC"])
    const [reader, all] = await heard(world, clients)
    expect([reader, all]).toEqual([["OK", [null, null]], ["OK"]])
    clients[2]!.ask(["MULTI"], ["SET", "a", "1"], ["SET", "b", "1"], ["EXEC"])
    expect((await heard(world, clients)).slice(0, 2)).toEqual([[invalidate("a"), invalidate("b")], [
      invalidate("a", "b")
    ]])
  })

  it("with NOLOOP hears of what dies under its own request: that is nobody's doing", async () => {
    const world = new World()
    const clients = connected(world, 3, ["NOLOOP"], ["NOLOOP", "BCAST"])
    clients[0]!.ask(["SET", "a", "1", "PX", "10"], ["SET", "b", "1"], ["MGET", "a", "b"], ["SET", "b", "2"])
    clients[1]!.ask(["SET", "c", "2"])
    expect((await heard(world, clients)).slice(0, 2)).toEqual([
      ["OK", "OK", "OK", ["1", "1"], "OK"],
      ["OK", "OK", invalidate("a", "b")]
    ])
    world.harness.now += 10
    clients[0]!.ask(["SCAN", "0"])
    clients[1]!.ask(["GET", "a"], ["GET", "b"])
    const [reader, all] = await heard(world, clients)
    expect(reader).toEqual([["0", expect.any(Array)], invalidate("a")])
    expect(all).toEqual([null, "2", invalidate("a")])
  })

  it("hears of keys that are evicted, and of all when there is no telling which", async () => {
    const world = new World()
    const { executor, keyspace } = world.harness
    const clients = connected(world, 2, [], [])
    clients[0]!.ask(["SET", "a", "x".repeat(1000)], ["GET", "a"])
    await heard(world, clients)
    executor.limitMemory({ ...executor.view.memory, limit: keyspace.usedBytes - 1, policy: "allkeys-random" })
    clients[1]!.ask(["PING"])
    expect(await heard(world, clients)).toEqual([[invalidate("a")], ["PONG"]])
    executor.tracking.flushed()
    expect(await heard(world, clients)).toEqual([[["invalidate", null]], [["invalidate", null]]])
  })

  it("of a replica hears of what the primary has changed", async () => {
    const world = new World()
    const clients = connected(world, 2, [], ["BCAST"])
    clients[0]!.ask(["GET", "a"])
    await heard(world, clients)
    const { executor, now } = world.harness
    executor.fold(
      now,
      0,
      [{ _tag: "StringSet", key: Slice.latin1("a"), value: Slice.latin1("1"), expireAt: null }],
      1,
      "set"
    )
    executor.fold(now, 0, [{ _tag: "KeyspaceFlushed" }], 1, "flushall")
    const all = ["invalidate", null]
    expect(await heard(world, clients)).toEqual([[invalidate("a"), all], [all, invalidate("a")]])
  })

  it("is remembered for what it got by waiting", async () => {
    const world = new World()
    const clients = connected(world, 2, [])
    clients[0]!.ask(["XREAD", "BLOCK", "0", "STREAMS", "x", "$"])
    clients[1]!.ask(["XADD", "x", "1-0", "f", "v"])
    await heard(world, clients)
    clients[1]!.ask(["XADD", "x", "2-0", "f", "v"])
    expect((await heard(world, clients))[0]).toEqual([invalidate("x")])
  })

  it("on a replica hears at once of what comes after what it has waited for", async () => {
    const world = new World()
    const clients = connected(world, 1, [])
    const { executor, now } = world.harness
    clients[0]!.ask(["GET", "a"], ["XREAD", "BLOCK", "0", "STREAMS", "x", "$"])
    const [key, id, pairs] = [Slice.latin1("x"), new StreamId(0, 1, 0, 0), ["f", "v"].map((text) => Slice.latin1(text))]
    executor.fold(now, 0, [{ _tag: "StreamEntryAdded", key, id, pairs }], 1, "xadd")
    executor.folded()
    await heard(world, clients)
    executor.fold(now, 0, [{ _tag: "KeyDeleted", key: Slice.latin1("a") }], 1, "del")
    executor.folded()
    expect(await heard(world, clients)).toEqual([[invalidate("a")]])
  })

  it("says of one request only that its keys are tracked or not, if that waits or is refused too", async () => {
    const world = new World()
    const clients = connected(world, 2, ["OPTOUT"])
    const [reader, writer] = clients as [TestClient, TestClient]
    const waits = [["XREAD", "BLOCK", "0", "STREAMS", "x", "$"], ["BLPOP", "l", "0.01"]]
    for (const wait of waits) {
      reader.ask(["CLIENT", "CACHING", "NO"], wait, ["GET", "a"])
      writer.ask(["XADD", "x", "*", "f", "v"])
      world.harness.now += 20
      world.harness.executor.endWaits()
      await heard(world, clients)
      writer.ask(["SET", "a", "1"], ["XADD", "x", "*", "f", "v"])
      expect((await heard(world, clients))[0]).toEqual([invalidate("a")])
    }
    reader.ask(["CLIENT", "CACHING", "NO"], ["MULTI"], ["EXEC", "what"], ["GET", "a"])
    await heard(world, clients)
    writer.ask(["SET", "a", "2"])
    expect((await heard(world, clients))[0]).toEqual([invalidate("a")])
  })

  it("is told at once when the connection it redirects to is being closed, and which that is", async () => {
    const world = new World()
    const clients = connected(world, 2, [])
    const target = world.connect()
    target.state.protocol = 3
    const id = target.state.clientId
    clients[0]!.ask(["CLIENT", "TRACKING", "ON", "REDIRECT", `${id}`], ["GET", "a"])
    clients[1]!.ask(["CLIENT", "KILL", "ID", `${id}`], ["SET", "a", "1"])
    expect((await heard(world, clients))[0]).toEqual(["OK", "OK", null, ["tracking-redir-broken", id]])
  })

  it("in RESP2 redirects to a connection of either protocol what that can read", async () => {
    const world = new World()
    const clients = connected(world, 4)
    const [older, other, newer, writer] = clients as [TestClient, TestClient, TestClient, TestClient]
    older.state.protocol = 2
    older.ask(["SUBSCRIBE", "anything"])
    for (const [tracker, target] of [[other, older], [writer, newer]] as const) {
      tracker.ask(["CLIENT", "TRACKING", "ON", "REDIRECT", `${target.state.clientId}`], ["GET", "a"])
    }
    await heard(world, clients)
    writer.ask(["SET", "a", "1"], ["FLUSHALL"])
    await world.settle()
    expect(older.outlet.bytes().toString()).toBe(
      "*3\r\n$7\r\nmessage\r\n$20\r\n__redis__:invalidate\r\n*1\r\n$1\r\na\r\n"
        + "*3\r\n$7\r\nmessage\r\n$20\r\n__redis__:invalidate\r\n$-1\r\n"
    )
    expect(newer.outlet.bytes().toString()).toBe(
      ">2\r\n$10\r\ninvalidate\r\n*1\r\n$1\r\na\r\n>2\r\n$10\r\ninvalidate\r\n_\r\n"
    )
    expect(other.replies()).toEqual([])
  })
})

describe("the keys remembered", () => {
  it("are forgotten a thousand a turn when there are too many, and all when nobody tracks", async () => {
    const world = new World()
    const clients = connected(world, 1, [])
    const { tracking } = world.harness.executor
    clients[0]!.ask(["MGET", ...Array.from({ length: 3000 }, (_, i) => `key ${i}`)])
    await heard(world, clients)
    tracking.limit = 500
    clients[0]!.ask(["PING"])
    world.turn.finish()
    expect(tracking.totalKeys).toBe(2000)
    await world.settle()
    expect([tracking.totalKeys, tracking.totalItems]).toEqual([500, 500])
    expect(new Set(clients[0]!.replies().map(String)).size).toBe(2501)
    clients[0]!.ask(["CLIENT", "TRACKING", "OFF"])
    await world.settle()
    expect([tracking.active, tracking.totalKeys, tracking.usedBytes]).toEqual([false, 0, 0])
  })

  it("do not grow in number when each turn brings more than a thousand", () => {
    const world = new World()
    const clients = connected(world, 1, [])
    const { tracking } = world.harness.executor
    tracking.limit = 500
    for (let turn = 0; turn < 30; turn++) {
      clients[0]!.ask(["MGET", ...Array.from({ length: 1500 }, (_, i) => `${turn}:${i}`)])
      world.turn.finish()
      expect(tracking.totalKeys).toBeLessThan(2500)
    }
  })

  it("under prefixes are told of once a turn, in order, and not before somebody asked", async () => {
    const world = new World()
    const clients = connected(world, 2, ["BCAST", "PREFIX", "a"])
    clients[1]!.ask(["SET", "b", "1"], ["CLIENT", "TRACKING", "ON", "BCAST", "PREFIX", "b", "PREFIX", "a"])
    clients[1]!.ask(["SET", "ab", "1"], ["SET", "bb", "1"], ["SET", "aa", "1"], ["SET", "ab", "2"], ["SET", "", "1"])
    expect(await heard(world, clients)).toEqual([
      ["OK", invalidate("aa", "ab")],
      [...Array.from({ length: 7 }, () => "OK"), invalidate("aa", "ab"), invalidate("bb")]
    ])
    clients[1]!.ask(["SET", "b", "1"])
    expect(await heard(world, clients)).toEqual([[], ["OK", invalidate("b")]])
  })
})
