/** The memory limit and MEMORY, against redis-server: what is refused in which words, and the shape of what is told. */
import { describe, expect, it } from "vitest"
import type { TypedReply } from "../support/resp.ts"
import { bothServers, canCompare, redisTitle } from "./subject.ts"

const lines = (text: string): ReadonlyArray<ReadonlyArray<string>> =>
  text.trim().split("\n").map((line) => line.trim().split(" "))

/** Every written command that both servers know, and reads; over a limit of one byte. */
const overTheLimit = lines(`SET a 1
  GET k
  GET absent
  STRLEN k
  SETNX k 1
  SETNX new 1
  SETEX k 10 v
  PSETEX k 10 v
  GETSET k v
  GETEX k
  GETEX k EX 100
  GETRANGE k 0 1
  SUBSTR k 0 1
  APPEND k x
  SETRANGE k 1 x
  INCR n
  DECR n
  INCRBY n 2
  DECRBY n 2
  INCRBYFLOAT n 1.5
  MSET a 1 b 2
  MSETNX a 1 b 2
  MGET k n
  LCS k n
  EXISTS k n
  TYPE k
  TOUCH k
  TTL k
  EXPIRE k 100
  PEXPIRE k 100000
  EXPIREAT k 33177117420
  PERSIST k
  KEYS k*
  DBSIZE
  RENAME k k2
  RENAMENX k2 k
  COPY k c
  MOVE n 1
  SWAPDB 0 1
  SWAPDB 0 1
  OBJECT ENCODING k
  SET k
  SET k v bogus
  NOSUCH k
  SELECT 1
  GETDEL n
  SELECT 0
  PING
  ECHO x
  UNLINK k
  DEL k
  MULTI
  SET a 1
  GET a
  EXEC
  MULTI
  GET a
  DISCARD
  WATCH a
  UNWATCH
  MULTI
  EXEC
  FLUSHDB
  FLUSHALL
  SET a 1
  CONFIG SET maxmemory 0
  SET a 1
  GET a`)

// Not asked: the idle time of a key after LFU, where Redis reads its counter as a time; here both are kept.
const objects = lines(`SET k text
  CONFIG SET maxmemory-policy allkeys-lru
  OBJECT FREQ k
  OBJECT FREQ absent
  OBJECT IDLETIME k
  OBJECT IDLETIME absent
  CONFIG SET maxmemory-policy volatile-lfu
  OBJECT FREQ absent
  OBJECT IDLETIME k
  OBJECT IDLETIME absent
  SET f text
  OBJECT FREQ f
  CONFIG SET lfu-log-factor 0
  GET f
  OBJECT FREQ f
  GET f
  GET f
  OBJECT FREQ f
  SET f other
  OBJECT FREQ f
  APPEND f more
  OBJECT FREQ f
  OBJECT FREQ f
  TTL f
  TYPE f
  EXISTS f
  OBJECT ENCODING f
  MEMORY USAGE absent
  OBJECT FREQ f
  TOUCH f f
  OBJECT FREQ f
  EXPIRE f 1000
  OBJECT FREQ f
  RENAME f g
  OBJECT FREQ g
  CONFIG SET lfu-log-factor 1000000000
  GET g
  GET g
  GET g
  OBJECT FREQ g
  CONFIG SET maxmemory-policy volatile-ttl
  OBJECT FREQ g
  CONFIG SET maxmemory-policy noeviction
  OBJECT FREQ g
  CONFIG SET maxmemory-samples 0
  CONFIG SET maxmemory-eviction-tenacity 101
  CONFIG SET lfu-decay-time -1
  CONFIG SET maxmemory -1
  CONFIG SET maxmemory 5%
  CONFIG SET maxmemory 100mb
  CONFIG GET maxmemory
  CONFIG SET maxmemory 0
  MEMORY USAGE
  MEMORY USAGE g SAMPLES
  MEMORY USAGE g SAMPLES -1
  MEMORY USAGE g SAMPLES x
  MEMORY USAGE g 1
  MEMORY PURGE
  MEMORY PURGE x
  MEMORY NOSUCH
  MEMORY`)

/** Names and kinds of fields; numbers stand for their kind. */
const shape = (reply: TypedReply): unknown => {
  if (reply.type === "map") return reply.entries.map(([name, value]) => [shape(name), shape(value)])
  if (reply.type === "array") return reply.items.map(shape)
  if (reply.type === "bulk") {
    const text = reply.value.toString("latin1")
    return /^[\d.]+$/.test(text) ? "(number as text)" : text
  }
  return reply.type
}

describe.skipIf(!canCompare)(`memory against ${redisTitle}`, () => {
  const { clients, same } = bothServers()

  it("refuses over the limit what Redis refuses, in its words", () =>
    same([["SET", "k", "value"], ["SET", "n", "5"], ["CONFIG", "SET", "maxmemory", "1"], ...overTheLimit]))

  it("answers OBJECT FREQ and IDLETIME by policy, and counts the same accesses", () => same(objects))

  it("evicts everything, then refuses, under a policy that cannot make enough room", () =>
    same([
      ["SET", "a", "1", "EX", "1000"],
      ["SET", "b", "2"],
      ["CONFIG", "SET", "maxmemory-policy", "volatile-lru"],
      ["CONFIG", "SET", "maxmemory", "1"],
      ["SET", "c", "3"],
      ["EXISTS", "a", "b", "c"],
      ["CONFIG", "SET", "maxmemory-policy", "allkeys-random"],
      ["SET", "c", "3"],
      ["EXISTS", "a", "b", "c"],
      ["DBSIZE"],
      ["CONFIG", "SET", "maxmemory-policy", "noeviction", "maxmemory", "0"]
    ]))

  it.each([2, 3] as const)(
    "MEMORY STATS has the fields of Redis, in its order and kinds (RESP%i)",
    async (protocol) => {
      const shapes = await Promise.all(clients.map(async (client) => {
        await client.pipeline([["HELLO", protocol], ["FLUSHALL"], ["SET", "a", "1"], ["SELECT", "3"], [
          "SET",
          "b",
          "2"
        ]])
        const stats = await client.command("MEMORY", "STATS")
        await client.command("SELECT", "0")
        return shape(stats)
      }))
      expect(shapes[1]).toEqual(shapes[0])
    }
  )

  it("MEMORY USAGE is a number, DOCTOR and MALLOC-STATS are texts", async () => {
    for (const protocol of [2, 3]) {
      for (const words of [["MEMORY", "USAGE", "a"], ["MEMORY", "DOCTOR"], ["MEMORY", "MALLOC-STATS"]]) {
        const kinds = await Promise.all(clients.map(async (client) => {
          await client.command("HELLO", protocol)
          return (await client.command(...words)).type
        }))
        expect(kinds[1], words.join(" ")).toBe(kinds[0])
      }
    }
  })
})
