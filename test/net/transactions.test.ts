/** Transactions through real sessions: chunks, limits, pauses, failing disks, connections that end. */
import { describe, expect, it } from "vitest"
import { LogUnavailable } from "../../src/log/event-log.ts"
import { encodeRequest } from "../support/resp.ts"
import { World } from "./world.ts"

const queue = (count: number): Array<string> => Array.from({ length: count }, () => "QUEUED")

describe("a transaction of a session", () => {
  it("keeps its words when the chunk they came in is used again", async () => {
    const world = new World()
    const client = world.connect()
    const chunk = Buffer.concat([["MULTI"], ["SET", "key", "value"], ["APPEND", "key", "!"]].map(encodeRequest))
    client.receive(chunk)
    chunk.fill(0x58)
    client.ask(["EXEC"], ["GET", "key"])
    await world.settle()
    expect(client.replies()).toEqual(["OK", ...queue(2), ["OK", 6], "value!"])
  })

  it("is the same wherever its bytes are cut", async () => {
    const requests = [["WATCH", "a"], ["MULTI"], ["SET", "a", "some value"], ["SELECT", "3"], ["INCR", "n"], ["EXEC"]]
    const bytes = Buffer.concat(requests.map(encodeRequest))
    for (let cut = 1; cut < bytes.length; cut++) {
      const world = new World()
      const client = world.connect()
      client.receive(Buffer.from(bytes.subarray(0, cut)))
      await world.settle()
      client.receive(Buffer.from(bytes.subarray(cut)))
      await world.settle()
      expect(client.replies(), `cut at ${cut}`).toEqual(["OK", "OK", ...queue(3), ["OK", "OK", 1]])
      expect(world.harness.batches.map(({ db, dbs }) => ({ db, dbs }))).toEqual([{ db: 0, dbs: [0, 3] }])
    }
  })

  it("runs over a database so large that pipelines are parsed ahead", async () => {
    const world = new World()
    const client = world.connect()
    for (let i = 0; i < 30_000; i += 1000) {
      client.ask(["MSET", ...Array.from({ length: 1000 }, (_, n) => [`k${i + n}`, `v${i + n}`]).flat()])
    }
    client.replies()
    const keys = Array.from({ length: 200 }, (_, i) => `k${i * 131}`)
    client.ask(["MULTI"], ...keys.map((key) => ["GET", key]), ["SELECT", "1"], ["GET", "k0"], ["EXEC"])
    await world.settle()
    const values = keys.map((key) => key.replace("k", "v"))
    expect(client.replies().slice(-1)).toEqual([[...values, "OK", null]])
  })

  it("ends with its connection, and so do its watches", async () => {
    const world = new World()
    const client = world.connect()
    const { transactions } = world.harness.executor
    client.ask(["WATCH", "a", "b"], ["MULTI"], ["SET", "a", "1"])
    await world.settle()
    expect(transactions.watches.size).toBe(2)
    client.outlet.destroy()
    await world.settle()
    expect(transactions.watches.size).toBe(0)
    expect(transactions.attentive).toBe(false)
    expect(world.harness.batches).toEqual([])
  })

  it("may not queue more than client-query-buffer-limit", async () => {
    const world = new World()
    world.harness.executor.transactions.queueBytes = 100_000
    const client = world.connect()
    const other = world.connect()
    client.ask(["MULTI"], ["SET", "a", "x".repeat(60_000)])
    other.ask(["MULTI"], ["SET", "b", "x".repeat(60_000)], ["EXEC"])
    client.ask(["SET", "c", "x".repeat(60_000)], ["EXEC"])
    await world.settle()
    expect(client.replies()).toEqual([
      "OK",
      "QUEUED",
      "ERR the transaction's requests exceed client-query-buffer-limit"
    ])
    expect(client.outlet.ended).toBe(true)
    expect(other.replies()).toEqual(["OK", "QUEUED", ["OK"]])
  })

  it("with writes waits for the end of CLIENT PAUSE WRITE, one of reads does not, nor buries dead keys", async () => {
    const world = new World()
    const [writer, reader, operator] = [world.connect(), world.connect(), world.connect()]
    writer.ask(["SET", "dead", "1", "PX", "5"], ["SET", "alive", "1"], ["MULTI"], ["INCR", "alive"])
    reader.ask(["MULTI"], ["GET", "dead"], ["GET", "alive"])
    await world.settle()
    world.harness.now += 10
    operator.ask(["CLIENT", "PAUSE", "1000", "WRITE"])
    writer.ask(["EXEC"])
    reader.ask(["EXEC"])
    await world.settle()
    expect(reader.replies()).toEqual(["OK", ...queue(2), [null, "1"]])
    expect(writer.replies()).toEqual(["OK", "OK", "OK", "QUEUED"])
    expect(world.harness.batches.length).toBe(2)
    operator.ask(["CLIENT", "UNPAUSE"])
    await world.settle()
    expect(writer.replies()).toEqual([[2]])
  })

  it("with a pause inside buries what it meets all the same, for it writes on", async () => {
    const world = new World()
    const client = world.connect()
    client.ask(["SET", "k", "5", "PX", "5"])
    await world.settle()
    world.harness.now += 10
    client.ask(["MULTI"], ["CLIENT", "PAUSE", "10", "WRITE"], ["INCR", "k"], ["TTL", "k"], ["EXEC"])
    await world.settle()
    expect(client.replies().slice(-1)).toEqual([["OK", 1, -1]])
    expect(world.harness.batches.at(-1)!.events.map((event) => event._tag)).toEqual(["KeyExpired", "StringIncremented"])
  })

  it("with writes is given up when the log takes none; one of reads runs", async () => {
    const world = new World()
    const [writer, reader, later] = [world.connect(), world.connect(), world.connect()]
    writer.ask(["SET", "k", "5"], ["MULTI"], ["INCR", "k"])
    reader.ask(["MULTI"], ["GET", "k"])
    await world.settle()
    world.harness.failure = new LogUnavailable({ reason: "no space left" })
    writer.ask(["EXEC"], ["EXEC"], ["GET", "k"])
    reader.ask(["EXEC"])
    later.ask(["MULTI"], ["SET", "k", "6"], ["EXEC"])
    await world.settle()
    expect(writer.replies().slice(-3)).toEqual([
      "EXECABORT Transaction discarded because of: MISCONF Errors writing to the AOF file: no space left",
      "ERR EXEC without MULTI",
      "5"
    ])
    expect(reader.replies()).toEqual(["OK", "QUEUED", ["5"]])
    expect(later.replies()).toEqual([
      "OK",
      "MISCONF Errors writing to the AOF file: no space left",
      "EXECABORT Transaction discarded because of previous errors."
    ])
  })

  it("asks for a password before, and loses what it had when one is demanded of it again", async () => {
    const world = new World()
    world.password = "secret"
    const client = world.connect(false)
    client.ask(["MULTI"], ["EXEC"], ["WATCH", "a"], ["AUTH", "secret"], ["MULTI"], ["SET", "a", "1"], ["RESET"], [
      "EXEC"
    ])
    await world.settle()
    expect(client.replies()).toEqual([
      "NOAUTH Authentication required.",
      "EXECABORT Transaction discarded because of: NOAUTH Authentication required.",
      "NOAUTH Authentication required.",
      "OK",
      "OK",
      "QUEUED",
      "RESET",
      "EXECABORT Transaction discarded because of: NOAUTH Authentication required."
    ])
  })

  it("answers what CLIENT REPLY leaves of it", async () => {
    const world = new World()
    const client = world.connect()
    client.ask(["MULTI"], ["INCR", "a"], ["CLIENT", "REPLY", "SKIP"], ["EXEC"], ["PING"], ["PING"])
    client.ask(["CLIENT", "REPLY", "OFF"], ["MULTI"], ["INCR", "a"], ["EXEC"], ["CLIENT", "REPLY", "ON"], ["GET", "a"])
    await world.settle()
    expect(client.replies().slice(-2)).toEqual(["OK", "2"])
  })

  it("is whole although it closes its own connection, or that of one who watches", async () => {
    const world = new World()
    const [client, other, third] = [world.connect(), world.connect(), world.connect()]
    other.ask(["WATCH", "a"], ["MULTI"])
    client.ask(
      ["MULTI"],
      ["SET", "a", "1"],
      ["CLIENT", "KILL", "ID", String(other.state.clientId)],
      ["CLIENT", "KILL", "ID", String(client.state.clientId), "SKIPME", "NO"],
      ["SET", "b", "1"],
      ["EXEC"],
      ["SET", "c", "1"]
    )
    await world.settle()
    expect(client.replies().slice(-1)).toEqual([["OK", 1, 1, "OK"]])
    third.ask(["EXISTS", "a", "b"], ["EXISTS", "c"])
    await world.settle()
    expect(third.replies()).toEqual([2, 0])
    expect(world.harness.batches.length).toBe(1)
    expect(world.harness.executor.transactions.watches.size).toBe(0)
  })
})
