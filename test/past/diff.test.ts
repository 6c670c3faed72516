/** LOG.DIFF: the keys that differ between two moments are those that a comparison of all data finds. */
import { describe, expect, it } from "vitest"
import type { DiffRequest } from "../../src/history/questions.ts"
import { stateDigestValue } from "../../src/projections/digest.ts"
import * as Entry from "../../src/projections/entry.ts"
import { isGone } from "../../src/projections/hash-read.ts"
import { Keyspace } from "../../src/projections/keyspace.ts"
import { replay } from "../../src/projections/replay.ts"
import { CheckpointWorld } from "../support/checkpoint-world.ts"
import { Random } from "../support/random.ts"
import { SimDisk } from "../support/sim-disk.ts"
import { showReply } from "../support/transcript.ts"
import { PastReader } from "./support.ts"

const diff = (reader: PastReader, from: number, to: number, changed: Partial<DiffRequest> = {}): string => {
  reader.protocol = 3
  const [first, second] = [from, to].map((sequence) => ({ kind: "sequence", sequence } as const))
  return reader.ask({ kind: "diff", from: first!, to: second!, match: undefined, count: 1e6, ...changed })
}

/** Digest of every key that is alive at a sequence, by database and name. */
const all = (world: CheckpointWorld, sequence: number): Map<string, string> => {
  const keyspace = new Keyspace(4, { k0: 3, k1: 4 })
  let time = 0
  for (const batch of world.log.read(Math.max(1, sequence))) {
    time = batch.time
    break
  }
  replay(keyspace, world.log.read(1), sequence)
  const found = new Map<string, string>()
  keyspace.databases.forEach((database, db) => {
    for (let position = 0; position >= 0;) {
      position = database.dict.walk(position, (p) => {
        if (isGone(database, p, time)) return
        found.set(`${db} ${Entry.keyOf(database.arena, p).latin1()}`, stateDigestValue(database, p))
      })
    }
  })
  return found
}

/** Database, key and kind of each difference in a reply of RESP3. */
const listed = (reply: string): Array<string> =>
  [...reply.matchAll(
    /\$2\r\ndb\r\n:(\d+)\r\n\$3\r\nkey\r\n\$\d+\r\n(.+)\r\n\$10\r\ndifference\r\n\$\d+\r\n(\w+)\r\n/g
  )].map(([, db, key, what]) => `${db} ${key} ${what}`)

describe("what differs between two moments", () => {
  it("is what differs between all data of them", () => {
    const random = new Random(20_261_131)
    let compared = 0
    for (let round = 0; compared < 60; round++) {
      const world = new CheckpointWorld(random, new SimDisk())
      world.work(200)
      world.checkpoint()
      world.work(100)
      const reader = new PastReader(world.disk)
      const head = world.log.sequence()
      for (let i = 0; i < 6; i++) {
        const from = random.between(1, head)
        const to = Math.min(head, from + random.pick([0, 1, 5, 200]))
        const [first, second] = [all(world, from), all(world, to)]
        const expected: Array<string> = []
        for (const [key, digest] of second) {
          if (!first.has(key)) expected.push(`${key} added`)
          else if (first.get(key) !== digest) expected.push(`${key} changed`)
        }
        for (const key of first.keys()) if (!second.has(key)) expected.push(`${key} removed`)
        // Keys whose deadline passes are gone without an event until somebody meets them.
        const reply = diff(reader, from, to)
        const silent = expected.filter((line) => !listed(reply).includes(line))
        const at = `seed ${random.seed}, round ${round}, ${from} to ${to}`
        expect(silent.filter((line) => !line.endsWith("removed")), at).toEqual([])
        expect(listed(reply).filter((line) => !expected.includes(line)), at).toEqual([])
        compared++
      }
      world.log.close()
    }
  })

  it("is shown with both values", () => {
    const world = new CheckpointWorld(new Random(1), new SimDisk())
    world.run("SET", "a", "1", "PX", "5000")
    world.run("ZADD", "z", "1.5", "m")
    world.run("SET", "gone", "x")
    world.run("SET", "a", "2")
    world.run("ZADD", "z", "2", "n")
    world.run("DEL", "gone")
    world.run("XADD", "s", "5-1", "f", "v")
    world.log.commit()
    const reader = new PastReader(world.disk)
    const time = world.clock.now() + 5000
    expect(showReply(diff(reader, 3, 7))[0].replaceAll(String(time), "<deadline>")).toMatchInlineSnapshot(
      `"{"from", (integer) 3, "to", (integer) 7, "added", (integer) 1, "removed", (integer) 1, "changed", (integer) 2, "keys", [{"db", (integer) 0, "key", "a", "difference", "changed", "before", {"type", "string", "length", (integer) 1, "expire-at", (integer) <deadline>, "value", "1"}, "after", {"type", "string", "length", (integer) 1, "expire-at", (null), "value", "2"}}, {"db", (integer) 0, "key", "gone", "difference", "removed", "before", {"type", "string", "length", (integer) 1, "expire-at", (null), "value", "x"}, "after", (null)}, {"db", (integer) 0, "key", "s", "difference", "added", "before", (null), "after", {"type", "stream", "length", (integer) 1, "expire-at", (null), "value", {"5-1", {"f", "v"}}}}, {"db", (integer) 0, "key", "z", "difference", "changed", "before", {"type", "zset", "length", (integer) 1, "expire-at", (null), "value", {"m", (double) 1.5}}, "after", {"type", "zset", "length", (integer) 2, "expire-at", (null), "value", {"m", (double) 1.5, "n", (double) 2}}}]}"`
    )
    expect(listed(diff(reader, 3, 7, { match: Buffer.from("[az]") }))).toEqual(["0 a changed", "0 z changed"])
    const bounded = diff(reader, 0, 7, { count: 1 })
    expect(bounded).toContain("added\r\n:3\r\n")
    expect(listed(bounded)).toEqual(["0 a added"])
    expect(diff(reader, 7, 3)).toBe("-ERR the second moment lies before the first")
    expect(diff(reader, 3, 8)).toMatch(/^-BEYONDHEAD /)
  })

  it("is refused where the reply would take too much of history-memory, whatever COUNT is", () => {
    const world = new CheckpointWorld(new Random(3), new SimDisk())
    for (let n = 0; n < 20; n++) {
      world.run("HSET", `h${n}`, ...Array.from({ length: 10 }, (_, f) => [`f${f}`, "x".repeat(1000)]).flat())
    }
    world.log.commit()
    const reader = new PastReader(world.disk)
    expect(listed(diff(reader, 0, 20))).toHaveLength(20)
    reader.memory = 1 << 20
    expect(diff(reader, 0, 20)).toMatch(/^-ERR the reply would be too large; /)
    expect(listed(diff(reader, 0, 20, { count: 5 }))).toHaveLength(5)
  })
})
