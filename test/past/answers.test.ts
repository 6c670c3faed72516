/** LOG.ASOF and LOG.DIGEST: the same answers from a key's own events and from all data, of any moment, in any order. */
import { describe, expect, it } from "vitest"
import { stateDigest } from "../../src/projections/digest.ts"
import * as Entry from "../../src/projections/entry.ts"
import type { Database } from "../../src/projections/keyspace.ts"
import { CheckpointWorld } from "../support/checkpoint-world.ts"
import { Random } from "../support/random.ts"
import { SimDisk } from "../support/sim-disk.ts"
import { PastReader } from "./support.ts"

/** Reads of one key whose replies have an order. */
const reads: ReadonlyArray<(key: string) => ReadonlyArray<string>> = [
  (key) => ["GET", key],
  (key) => ["STRLEN", key],
  (key) => ["GETRANGE", key, "1", "-2"],
  (key) => ["BITCOUNT", key],
  (key) => ["TYPE", key],
  (key) => ["PTTL", key],
  (key) => ["PEXPIRETIME", key],
  (key) => ["EXISTS", key],
  (key) => ["LRANGE", key, "0", "-1"],
  (key) => ["LLEN", key],
  (key) => ["SCARD", key],
  (key) => ["HLEN", key],
  (key) => ["ZRANGE", key, "0", "-1", "WITHSCORES"],
  (key) => ["XRANGE", key, "-", "+"],
  (key) => ["XINFO", "GROUPS", key],
  (key) => ["XPENDING", key, "g0"],
  (key) => ["PFCOUNT", key]
]
/** What shows a whole value, by its type. */
const whole: ReadonlyArray<(key: string) => ReadonlyArray<string>> = [
  (key) => ["GET", key],
  (key) => ["LRANGE", key, "0", "-1"],
  (key) => ["SMEMBERS", key],
  (key) => ["ZRANGE", key, "0", "-1", "WITHSCORES"],
  (key) => ["HGETALL", key],
  (key) => ["XRANGE", key, "-", "+"]
]

/** Name and type of the key at a place in a database. */
const keyAt = (db: Database, place: number) => {
  let name = ""
  let type = 0
  let seen = 0
  for (let position = 0; position >= 0;) {
    position = db.dict.walk(position, (p) => {
      if (seen++ !== place) return
      name = Entry.keyOf(db.arena, p).latin1()
      type = Entry.typeOf(db.arena, p)
    })
  }
  return { name, type }
}

const sorted = (reply: string): string => reply.split("\r\n").sort().join("\r\n")

describe("what a command would have answered", () => {
  it("is the same from the key's own events and from all data", () => {
    const random = new Random(20_261_129)
    let compared = 0
    const found = new Set<string>()
    for (let round = 0; compared < 900; round++) {
      const world = new CheckpointWorld(random, new SimDisk())
      for (let i = 0; i < 3; i++) {
        world.work(random.between(30, 120))
        if (random.chance(0.5)) world.checkpoint()
      }
      const reader = new PastReader(world.disk)
      const head = world.log.sequence()
      const sequences = Array.from({ length: 5 }, () => random.between(1, head)).sort((a, b) => a - b)
      for (const sequence of sequences) {
        for (let i = 0; i < 12; i++) {
          const db = random.below(4)
          const keys = world.keyspace.databases[db]!
          const position = random.below(keys.size + 1)
          const { name, type } = position < keys.size ? keyAt(keys, position) : { name: "k1", type: 0 }
          const request = (random.chance(0.5) ? whole[type]! : random.pick(reads))(name)
          const at = `seed ${random.seed}, round ${round}, sequence ${sequence}, db ${db}: ${request.join(" ")}`
          const byKeys = reader.asOf(sequence, request, { db })
          const rebuilt = reader.asOf(sequence, request, { db, byKeys: false })
          const same = ["SMEMBERS", "HGETALL"].includes(request[0]!) ? sorted : (reply: string) => reply
          expect(same(byKeys), at).toBe(same(rebuilt))
          if (!/^(-|:0|:-2|\*0|\*-1|\$-1|\+none)/.test(rebuilt)) found.add(request[0]!)
          compared++
        }
      }
      world.log.close()
    }
    expect([...found]).toEqual(
      expect.arrayContaining(["GET", "LRANGE", "SMEMBERS", "ZRANGE", "HGETALL", "XRANGE", "PTTL"])
    )
  })

  it("has the digest of then, whatever was asked before, within a bound of memory", () => {
    const random = new Random(4)
    const world = new CheckpointWorld(random, new SimDisk())
    const digests = new Map<number, string>()
    for (let i = 0; i < 30; i++) {
      world.work(8)
      digests.set(world.log.sequence(), stateDigest(world.keyspace))
      if (i % 12 === 11) world.checkpoint()
    }
    const reader = new PastReader(world.disk)
    reader.memory = 3 << 20
    for (let i = 0; i < 40; i++) {
      const sequence = random.pick([...digests.keys()])
      expect(reader.digest(sequence)).toBe(digests.get(sequence))
    }
    expect(reader.digest()).toBe(stateDigest(world.keyspace))
    reader.past.forgetUnused()
    reader.past.forgetUnused()
    expect(reader.digest(world.log.sequence())).toBe(stateDigest(world.keyspace))
    reader.memory = 1000
    reader.past.forgetUnused()
    reader.past.forgetUnused()
    expect(reader.ask({ kind: "digest", moment: undefined })).toBe(
      "-ERR the data of that moment takes more than 1000 bytes of memory, which is the limit history-memory"
    )
    expect(reader.asOf(world.log.sequence() + 1, ["DBSIZE"])).toMatch(
      /^-BEYONDHEAD \d+ has not happened yet, the newest sequence is \d+$/
    )
    world.log.close()
  })
})
