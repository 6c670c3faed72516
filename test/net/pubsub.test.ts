/** Publish and subscribe over sessions without sockets. */
import { describe, expect, it } from "vitest"
import { World } from "./world.ts"

const only = (name: string): string =>
  `ERR Can't execute '${name}': only (P|S)SUBSCRIBE / (P|S)UNSUBSCRIBE / PING / QUIT / RESET are allowed in this context`

describe("a subscriber in RESP2", () => {
  it("is answered name by name, gets messages, and may ask little else", async () => {
    const world = new World()
    const [reader, writer] = [world.connect(), world.connect()]
    reader.ask(["SUBSCRIBE", "a", "b", "a"], ["PSUBSCRIBE", "a*", "?"], ["SSUBSCRIBE", "a"])
    writer.ask(["PUBLISH", "a", "1"], ["PUBLISH", "c", ""], ["SPUBLISH", "a", "3"], ["PUBLISH", "nobody", "4"])
    reader.ask(["PING"], ["PING", "x"], ["GET", "k"], ["CLIENT", "ID"], ["MULTI"], ["NOSUCH"], ["PING", "1", "2"])
    reader.ask(["UNSUBSCRIBE", "b", "z"], ["UNSUBSCRIBE"], ["PUNSUBSCRIBE"], ["SUNSUBSCRIBE"], ["GET", "k"])
    await world.settle()
    expect(reader.replies()).toEqual([
      ["subscribe", "a", 1],
      ["subscribe", "b", 2],
      ["subscribe", "a", 2],
      ["psubscribe", "a*", 3],
      ["psubscribe", "?", 4],
      ["ssubscribe", "a", 1],
      ["message", "a", "1"],
      ["pmessage", "a*", "a", "1"],
      ["pmessage", "?", "a", "1"],
      ["pmessage", "?", "c", ""],
      ["smessage", "a", "3"],
      ["pong", ""],
      ["pong", "x"],
      only("get"),
      only("client|id"),
      only("multi"),
      "ERR unknown command 'NOSUCH', with args beginning with: ",
      "ERR wrong number of arguments for 'ping' command",
      ["unsubscribe", "b", 3],
      ["unsubscribe", "z", 3],
      ["unsubscribe", "a", 2],
      ["punsubscribe", "a*", 1],
      ["punsubscribe", "?", 0],
      ["sunsubscribe", "a", 0],
      null
    ])
    expect(writer.replies()).toEqual([3, 1, 1, 0])
    expect(world.harness.batches).toEqual([])
  })

  it("answers with a null name where there was no subscription", async () => {
    const world = new World()
    const client = world.connect()
    client.ask(["UNSUBSCRIBE"], ["PUNSUBSCRIBE"], ["SUNSUBSCRIBE"], ["GET", "k"])
    await world.settle()
    expect(client.replies()).toEqual([
      ["unsubscribe", null, 0],
      ["punsubscribe", null, 0],
      ["sunsubscribe", null, 0],
      null
    ])
  })

  it("is an ordinary client again after RESET, and gone after QUIT", async () => {
    const world = new World()
    const [client, writer] = [world.connect(), world.connect()]
    client.ask(["SUBSCRIBE", "a"], ["PSUBSCRIBE", "*"], ["SSUBSCRIBE", "s"], ["RESET"], ["GET", "k"])
    await world.settle()
    writer.ask(["PUBLISH", "a", "1"], ["SPUBLISH", "s", "1"], ["PUBSUB", "NUMPAT"])
    await world.settle()
    expect(client.replies().slice(3)).toEqual(["RESET", null])
    expect(writer.replies()).toEqual([0, 0, 0])
    client.ask(["SUBSCRIBE", "a"], ["QUIT"])
    writer.ask(["PUBLISH", "a", "too late"])
    await world.settle()
    expect(client.replies()).toEqual([["subscribe", "a", 1], "OK"])
    expect(client.outlet.destroyed).toBe(true)
    writer.ask(["PUBLISH", "a", "1"], ["PUBSUB", "CHANNELS"])
    await world.settle()
    expect(writer.replies().slice(-2)).toEqual([0, []])
  })
})

describe("a subscriber in RESP3", () => {
  it("may ask anything, and gets pushes", async () => {
    const world = new World()
    const [reader, writer] = [world.connect(), world.connect()]
    reader.state.protocol = 3
    reader.ask(["SUBSCRIBE", "a"], ["SET", "k", "v"], ["PING"])
    writer.ask(["PUBLISH", "a", "1"])
    await world.settle()
    expect(reader.outlet.bytes().toString()).toBe(
      ">3\r\n$9\r\nsubscribe\r\n$1\r\na\r\n:1\r\n+OK\r\n+PONG\r\n>3\r\n$7\r\nmessage\r\n$1\r\na\r\n$1\r\n1\r\n"
    )
  })

  it("gets what its own commands cause after their replies, never inside that of EXEC", async () => {
    const world = new World()
    const client = world.connect()
    client.state.protocol = 3
    client.ask(["SUBSCRIBE", "a"], ["PUBLISH", "a", "1"], ["ECHO", "next"])
    client.ask(["MULTI"], ["PUBLISH", "a", "2"], ["SUBSCRIBE", "b"], ["PUBLISH", "b", "3"], ["SSUBSCRIBE", "s"], [
      "EXEC"
    ])
    await world.settle()
    expect(client.replies()).toEqual([
      ["subscribe", "a", 1],
      1,
      ["message", "a", "1"],
      "next",
      "OK",
      "QUEUED",
      "QUEUED",
      "QUEUED",
      "QUEUED",
      [1, ["subscribe", "b", 2], 1, new Error("ERR SSUBSCRIBE isn't allowed for a DENY BLOCKING client")],
      ["message", "a", "2"],
      ["message", "b", "3"]
    ])
  })

  it("gets messages while it waits in a blocking command", async () => {
    const world = new World()
    const [client, writer] = [world.connect(), world.connect()]
    client.state.protocol = 3
    client.ask(["SUBSCRIBE", "a"], ["BLPOP", "list", "0"])
    writer.ask(["PUBLISH", "a", "1"], ["RPUSH", "list", "x"])
    await world.settle()
    expect(client.replies()).toEqual([["subscribe", "a", 1], ["message", "a", "1"], ["list", "x"]])
  })
})

describe("CLIENT REPLY", () => {
  it("silences replies, not messages and the answers to SUBSCRIBE", async () => {
    const world = new World()
    const [client, writer] = [world.connect(), world.connect()]
    client.state.protocol = 3
    client.ask(["CLIENT", "REPLY", "OFF"], ["SUBSCRIBE", "a"], ["GET", "k"])
    writer.ask(["PUBLISH", "a", "1"])
    await world.settle()
    client.ask(["PUBLISH", "a", "2"], ["CLIENT", "REPLY", "ON"], ["PING"])
    await world.settle()
    expect(client.replies()).toEqual([
      ["subscribe", "a", 1],
      ["message", "a", "1"],
      ["message", "a", "2"],
      "OK",
      "PONG"
    ])
  })
})

describe("a message", () => {
  it("comes unchanged to clients of both protocols, whatever its size and however many come in one turn", async () => {
    const world = new World()
    const readers = [2, 3].flatMap((protocol) =>
      Array.from({ length: 3 }, () => {
        const reader = world.connect()
        reader.state.protocol = protocol as 2 | 3
        return reader
      })
    )
    for (const reader of readers) reader.ask(["SUBSCRIBE", "c"])
    await world.settle()
    for (const reader of readers) reader.replies()
    const writer = world.connect()
    const sizes = [0, 1, 9, 10, 16_300, 16_347, 16_348, 16_349, 16_384, 50_000, 262_100, 262_107, 262_144, 600_000]
    const texts = sizes.map((size) => String.fromCharCode(97 + size % 26).repeat(size))
    for (const many of [false, true]) {
      for (const text of texts) {
        const sent = many ? ["first", text, "between", text, text, "last"] : [text]
        writer.ask(...sent.map((part) => ["PUBLISH", "c", part]))
        await world.settle()
        for (const reader of readers) expect(reader.replies()).toEqual(sent.map((part) => ["message", "c", part]))
      }
    }
    // Buffers that were shared have not come to serve other replies.
    writer.ask(["SET", "k", texts.at(-1)!], ["GET", "k"], ["ECHO", "x".repeat(16_384)])
    await world.settle()
    expect(writer.replies().slice(-3)).toEqual(["OK", texts.at(-1), "x".repeat(16_384)])
  })

  it("waits with the replies of its subscriber for the sync of what was written before", async () => {
    const world = new World()
    world.log.always = true
    const [reader, writer] = [world.connect(), world.connect()]
    reader.ask(["SUBSCRIBE", "c"])
    await world.settle()
    writer.ask(["SET", "k", "v"], ["PUBLISH", "c", "k is set"])
    await world.settle()
    expect([reader.replies(), writer.replies()]).toEqual([[["subscribe", "c", 1]], []])
    await world.synced()
    expect([reader.replies(), writer.replies()]).toEqual([[["message", "c", "k is set"]], ["OK", 1]])
  })
})

describe("limits of subscribers", () => {
  const limit = 64 * 1024

  it("close one that does not read, and nobody else; then it is no subscriber any more", async () => {
    const world = new World()
    world.settings.pubsubLimit = { hard: limit, soft: 0, softSeconds: 0 }
    const [slow, reader, writer] = [world.connect(), world.connect(), world.connect()]
    for (const client of [slow, reader]) client.ask(["SUBSCRIBE", "c"])
    slow.outlet.room = 0
    const replies: Array<unknown> = []
    for (let i = 0; i < 10; i++) {
      writer.ask(["PUBLISH", "c", "v".repeat(10_000)])
      await world.settle()
      replies.push(...writer.replies())
    }
    expect(slow.outlet.destroyed).toBe(true)
    expect(replies).toEqual([2, 2, 2, 2, 2, 2, 2, 1, 1, 1])
    expect(reader.replies()).toHaveLength(11)
    expect(world.warnings).toEqual([expect.stringMatching(/output buffer limit/)])
    expect(slow.session.outputBytes).toBe(0)
  })

  it("apply to subscribers only: normal clients, and those that have unsubscribed, have the other limit", async () => {
    const world = new World()
    world.settings.pubsubLimit = { hard: limit, soft: 0, softSeconds: 0 }
    const client = world.connect()
    client.ask(["SUBSCRIBE", "c"], ["UNSUBSCRIBE"], ["ECHO", "v".repeat(2 * limit)])
    client.outlet.room = 0
    await world.settle()
    expect(client.outlet.destroyed).toBe(false)
  })

  it("close one that stays above the soft limit for too long", async () => {
    const world = new World()
    world.settings.pubsubLimit = { hard: 0, soft: limit, softSeconds: 60 }
    const [slow, writer] = [world.connect(), world.connect()]
    slow.ask(["SUBSCRIBE", "c"])
    slow.outlet.room = 0
    writer.ask(["PUBLISH", "c", "v".repeat(2 * limit)])
    await world.settle()
    for (const seconds of [0, 59]) {
      world.harness.now += seconds * 1000
      world.clients.sweep(0)
      expect(slow.outlet.destroyed).toBe(false)
    }
    world.harness.now += 1000
    world.clients.sweep(0)
    expect(slow.outlet.destroyed).toBe(true)
  })

  it("bound what one turn can pile up", async () => {
    const world = new World()
    const [slow, writer] = [world.connect(), world.connect()]
    slow.ask(["SUBSCRIBE", "c"])
    writer.ask(...Array.from({ length: 12 }, () => ["PUBLISH", "c", "v".repeat(4 * 1024 * 1024)]))
    expect(slow.outlet.destroyed).toBe(true)
    await world.settle()
    expect(writer.replies()).toHaveLength(12)
  })

  it("of idle time do not apply to subscribers", async () => {
    const world = new World()
    const [reader, other] = [world.connect(), world.connect()]
    reader.ask(["SUBSCRIBE", "c"])
    other.ask(["PING"])
    await world.settle()
    world.harness.now += 10_000
    world.clients.sweep(5)
    await world.settle()
    expect([reader.outlet.destroyed, other.outlet.destroyed]).toEqual([false, true])
  })
})
