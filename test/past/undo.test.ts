/** LOG.UNDO: what batches of any kind changed is as before, one batch says so, and what was written since is not lost. */
import { describe, expect, it } from "vitest"
import { compensate } from "../../src/commands/executor/compensate.ts"
import type { UndoPlan } from "../../src/history/questions.ts"
import type { EventTag } from "../../src/log/events/catalog.ts"
import { compensationOf } from "../../src/net/compensation.ts"
import { ReplyError } from "../../src/net/resp/reply.ts"
import { stateDigest, stateDigestValue } from "../../src/projections/digest.ts"
import { Keyspace } from "../../src/projections/keyspace.ts"
import { Slice } from "../../src/projections/memory/slice.ts"
import { replay } from "../../src/projections/replay.ts"
import { CheckpointWorld } from "../support/checkpoint-world.ts"
import { Random } from "../support/random.ts"
import { SimDisk } from "../support/sim-disk.ts"
import { PastReader } from "./support.ts"

/** Carries out a plan as the server does; the reason why not, or undefined. */
const carryOut = (world: CheckpointWorld, plan: UndoPlan): string | undefined => {
  const { dbs, events } = compensationOf(world.keyspace, plan)
  if (events.length === 0) return undefined
  const row = world.executor.table.byName("LOG.UNDO")!
  const done = compensate(world.executor, world.log, world.connection.client, row, events, dbs)
  world.log.commit()
  return done instanceof ReplyError ? done.text : undefined
}

/** Takes batches back; the answer instead of a plan, or undefined. */
const undo = (world: CheckpointWorld, reader: PastReader, ...asked: Parameters<PastReader["undo"]>) => {
  const plan = reader.undo(...asked)
  return typeof plan === "string" ? plan : carryOut(world, plan)
}

/** A stream with a group and a consumer. */
const streamGroup = [
  "XADD k 1-0 a 1",
  "XADD k 2-0 a 2",
  "XADD k 3-0 a 3",
  "XGROUP CREATE k g 0",
  "XREADGROUP GROUP g c COUNT 2 STREAMS k >",
  "XACK k g 1-0"
]

/** Collections that are large, under names of the workload. */
const makeLarge = (world: CheckpointWorld, random: Random): void => {
  const db = random.below(2)
  world.run("SELECT", `${db}`)
  const many = (make: (i: number) => ReadonlyArray<string>) => Array.from({ length: 700 }, (_, i) => make(i)).flat()
  world.run("DEL", "c0", "c1", "c2", "h0", "x0")
  world.run("RPUSH", "c0", ...many((i) => [`element number ${i}`]))
  world.run("SADD", "c1", ...many((i) => [`m${i}`]))
  world.run("ZADD", "c2", ...many((i) => [`${i % 50}`, `m${i}`]))
  world.run("HSET", "h0", ...many((i) => [`f${i}`, `${i}`]))
  world.run("HPEXPIRE", "h0", "100000", "FIELDS", "2", "f1", "f2")
  for (let i = 0; i < 250; i++) world.run("XADD", "x0", `${i + 1}-0`, "a", `${i}`)
  world.run("XGROUP", "CREATE", "x0", "g0", "0")
  world.run("XREADGROUP", "GROUP", "g0", "c1", "COUNT", "150", "STREAMS", "x0", ">")
  world.log.commit()
}

const replayed = (world: CheckpointWorld): string => {
  const keyspace = new Keyspace(4, { k0: 9, k1: 9 })
  replay(keyspace, world.log.read(1))
  return stateDigest(keyspace)
}

describe("undoing the last batches", () => {
  it("brings all data back, of every type, whatever the batches did", () => {
    const random = new Random(20_261_130)
    const tags = new Set<EventTag>()
    let undone = 0
    for (let round = 0; undone < 120; round++) {
      const world = new CheckpointWorld(random, new SimDisk())
      const reader = new PastReader(world.disk)
      if (round === 0) makeLarge(world, random)
      world.work(60)
      if (random.chance(0.5)) world.checkpoint()
      const points = [{ digest: stateDigest(world.keyspace), sequence: world.log.sequence() }]
      for (let i = 0; i < 12; i++) {
        world.work(random.pick([1, 4, 12, 60]))
        if (round === 0 && random.chance(0.2)) makeLarge(world, random)
        // Mostly to the last point; now and then further back, past earlier calls of LOG.UNDO.
        const back = random.chance(0.8) ? points.at(-1)! : random.pick(points)
        const [from, to] = [back.sequence + 1, world.log.sequence()]
        if (to < from) continue
        for (const batch of reader.directory.view().batches({ from, to })) {
          for (const event of batch.events) tags.add(event._tag)
        }
        const at = `seed ${random.seed}, round ${round}, sequences ${from} to ${to}`
        expect(undo(world, reader, from, to), at).toBe(undefined)
        expect(stateDigest(world.keyspace), at).toBe(back.digest)
        expect(world.log.sequence(), at).toBeLessThanOrEqual(to + 1)
        undone++
        if (random.chance(0.4)) world.work(8)
        else continue
        points.push({ digest: stateDigest(world.keyspace), sequence: world.log.sequence() })
      }
      expect(replayed(world), `seed ${random.seed}, round ${round}`).toBe(stateDigest(world.keyspace))
      world.log.close()
    }
    expect([...tags]).toEqual(expect.arrayContaining(["CollectionRestored", "StreamEntryAdded", "KeyRenamed"]))
  })

  it.each<[tag: EventTag, ...requests: ReadonlyArray<string>]>([
    ["ListElementInserted", "RPUSH k a b a", "LINSERT k BEFORE b x"],
    ["ListElementsRemoved", "RPUSH k a b a", "LREM k 0 a"],
    ["ListElementSet", "RPUSH k a b a", "LSET k 1 x"],
    ["ListTrimmed", "RPUSH k a b a", "LTRIM k 1 1"],
    ["ListPopped", "RPUSH k a", "LPOP k"],
    ["SetMembersRemoved", "SADD k a", "SREM k a"],
    ["HashFieldsDeleted", "HSET k f v g w", "HPEXPIRE k 90000 FIELDS 1 f", "HDEL k f"],
    ["HashFieldsPersisted", "HSET k f v", "HPEXPIRE k 90000 FIELDS 1 f", "HPERSIST k FIELDS 1 f"],
    ["SortedSetMembersRemoved", "ZADD k 1 a 2 b", "ZREM k a"],
    ["SortedSetRangeRemoved", "ZADD k 1 a 2 b 3 c", "ZREMRANGEBYRANK k 0 1"],
    ["StringsCombined", "SET k abc", "SET o abd", "BITOP XOR k k o"],
    ["StringFloatIncremented", "SET k 1.5 PX 90000", "INCRBYFLOAT k 2"],
    ["KeyPersisted", "SET k 1 PX 90000", "PERSIST k"],
    ["KeyExpirySet", "SET k 1", "PEXPIRE k 5"],
    ["KeyRenamed", "SET k 1", "SET o 2 PX 90000", "RENAME k o"],
    ["KeyCopied", "SET k 1 PX 90000", "SET o 2", "COPY k o REPLACE"],
    ["KeyMoved", "SET k 1 PX 90000", "MOVE k 3"],
    ["StreamTrimmed", "XADD k 1-0 a 1", "XADD k 2-0 a 2", "XTRIM k MAXLEN 1"],
    ["StreamEntriesDeleted", "XADD k 1-0 a 1", "XADD k 2-0 a 2", "XDEL k 1-0"],
    ["StreamEntriesTrimmed", ...streamGroup.slice(0, -1), "XACK k g 2-0", "XTRIM k MAXLEN 0 ACKED"],
    ["StreamIdSet", "XADD k 1-0 a 1", "XSETID k 9-9"],
    ["StreamGroupCreated", "XADD k 1-0 a 1", "XGROUP CREATE k h 0"],
    ["StreamGroupIdSet", ...streamGroup, "XGROUP SETID k g 1-0"],
    ["StreamGroupDestroyed", ...streamGroup, "XGROUP DESTROY k g"],
    ["StreamConsumerCreated", ...streamGroup, "XGROUP CREATECONSUMER k g d"],
    ["StreamConsumerDeleted", ...streamGroup, "XGROUP DELCONSUMER k g c"],
    ["StreamEntriesDelivered", ...streamGroup, "XREADGROUP GROUP g d STREAMS k >"],
    ["StreamEntriesAcknowledged", ...streamGroup, "XACK k g 2-0"],
    ["StreamEntriesClaimed", ...streamGroup, "XCLAIM k g d 0 2-0"],
    ["StreamEntriesReleased", ...streamGroup, "XNACK k g SILENT IDS 1 2-0"],
    ["StreamConfigured", "XADD k 1-0 a 1", "XCFGSET k IDMP-DURATION 50"],
    ["StreamProducerNoted", "XADD k IDMP p i * a 1", "XADD k IDMP p j * a 1"],
    ["StreamDuplicateRefused", "XADD k IDMP p i * a 1", "XADD k IDMP p i * a 1"]
  ])("takes back %s", (tag, ...requests) => {
    const world = new CheckpointWorld(new Random(6), new SimDisk())
    const reader = new PastReader(world.disk)
    for (const request of requests.slice(0, -1)) expect(world.run(...request.split(" "))).not.toMatch(/^-/)
    world.log.commit()
    const before = stateDigest(world.keyspace)
    const reply = world.run(...requests.at(-1)!.split(" "))
    world.log.commit()
    const head = world.log.sequence()
    const [batch] = [...reader.directory.view().batches({ from: head })]
    expect(batch!.events.map(({ _tag }) => _tag), reply).toContain(tag)
    expect(undo(world, reader, head)).toBe(undefined)
    expect(stateDigest(world.keyspace)).toBe(before)
    expect(replayed(world)).toBe(before)
    world.log.close()
  })

  it("takes back what took away large collections, and itself", () => {
    const world = new CheckpointWorld(new Random(6), new SimDisk())
    const reader = new PastReader(world.disk)
    makeLarge(world, new Random(6))
    const before = stateDigest(world.keyspace)
    world.run("DEL", "c0", "c1", "c2", "h0", "x0")
    world.log.commit()
    const deleted = stateDigest(world.keyspace)
    const states = [before, deleted, before, deleted]
    for (const state of states) {
      expect(undo(world, reader, world.log.sequence())).toBe(undefined)
      expect(stateDigest(world.keyspace)).toBe(state)
    }
    const undone = [...reader.directory.view().batches({ from: world.log.sequence() - 1 })][0]!
    const tags = new Set(undone.events.map(({ _tag }) => _tag))
    expect([...tags]).toEqual(expect.arrayContaining(["ListNodeRestored", "StreamNodeRestored", "SetMembersAdded"]))
    expect(replayed(world)).toBe(deleted)
  })

  it("brings one key back, and nothing else", () => {
    const random = new Random(8)
    let undone = 0
    for (let round = 0; undone < 30; round++) {
      const world = new CheckpointWorld(random, new SimDisk())
      const reader = new PastReader(world.disk)
      world.work(150)
      const before = world.log.sequence()
      world.work(10)
      const to = world.log.sequence()
      if (to <= before) continue
      const name = random.pick(["k1", "k2", "c1", "c2", "h1", "x1", "b1", "g1", "p1"])
      const db = random.below(4)
      const key = Slice.latin1(name)
      const others = (): string => {
        const copy = new Keyspace(4, { k0: 9, k1: 9 })
        replay(copy, world.log.read(1))
        copy.database(db).delete(key)
        return stateDigest(copy)
      }
      const rest = others()
      const refused = undo(world, reader, before + 1, to, { key: key.toBytes(), db })
      const at = `seed ${random.seed}, round ${round}, ${name} of ${db}`
      if (refused !== undefined) {
        expect(refused, at).toMatch(/^-ERR databases were exchanged/)
        continue
      }
      const then = new Keyspace(4, { k0: 9, k1: 9 })
      replay(then, world.log.read(1), before)
      const valueOf = (keyspace: Keyspace): string => {
        const database = keyspace.database(db)
        keyspace.turn.next(0)
        return stateDigestValue(database, database.locate(key))
      }
      expect(valueOf(world.keyspace), at).toBe(valueOf(then))
      expect(others(), at).toBe(rest)
      undone++
      world.log.close()
    }
  })
})

describe("what was written since", () => {
  const world = new CheckpointWorld(new Random(3), new SimDisk())
  const reader = new PastReader(world.disk)
  const run = (...words: ReadonlyArray<string>): number => {
    world.run(...words)
    world.log.commit()
    return world.log.sequence()
  }
  run("MSET", "a", "1", "b", "2")
  const changed = run("MSET", "a", "3", "b", "4")
  const later = run("APPEND", "b", "\r\n")
  run("SET", "c", "5")

  it("is a conflict that names the key and the batch, and stands", () => {
    expect(reader.undo(changed)).toBe(
      `-CONFLICT key 'b' of database 0 was written since, by sequence ${later}; with FORCE it is overwritten`
    )
    expect(world.run("GET", "b")).toBe("$3\r\n4\r\n\r\n")
  })

  it("is no conflict for another key, nor when it is undone with it", () => {
    expect(undo(world, reader, changed, changed, { key: Buffer.from("a") })).toBe(undefined)
    expect(world.run("MGET", "a", "b")).toBe("*2\r\n$1\r\n1\r\n$3\r\n4\r\n\r\n")
    expect(undo(world, reader, world.log.sequence())).toBe(undefined)
    expect(world.run("MGET", "a", "b")).toBe("*2\r\n$1\r\n3\r\n$3\r\n4\r\n\r\n")
    expect(undo(world, reader, later)).toBe(undefined)
    expect(world.run("MGET", "a", "b", "c")).toBe("*3\r\n$1\r\n3\r\n$1\r\n4\r\n$1\r\n5\r\n")
  })

  it("is shown by DRYRUN, which does nothing, and overwritten with FORCE", () => {
    const sequence = world.log.sequence()
    const shown = reader.undo(changed, later, { dryRun: true }) as string
    expect(shown).toContain("key 'b' of database 0 was written since")
    expect(shown).toMatch(/\$7\r\nrestore\r\n:2\r\n\$6\r\nremove\r\n:0\r\n/)
    expect(world.log.sequence()).toBe(sequence)
    expect(undo(world, reader, changed, later, { force: true })).toBe(undefined)
    expect(world.run("MGET", "a", "b", "c")).toBe("*3\r\n$1\r\n1\r\n$1\r\n2\r\n$1\r\n5\r\n")
    const [batch] = [...reader.directory.view().batches({ from: sequence + 1 })]
    expect([batch!.origin, batch!.events.length]).toEqual(["undo", 4])
  })

  it("is a database emptied or exchanged, too", () => {
    const set = run("SET", "d", "1")
    const flushed = run("FLUSHDB")
    expect(reader.undo(set)).toContain(`-CONFLICT database 0 was emptied since, by sequence ${flushed}`)
    run("SET", "e", "1")
    const swapped = run("SWAPDB", "0", "1")
    expect(reader.undo(flushed)).toContain("-CONFLICT databases 0 and 1 were exchanged since")
    run("SET", "f", "1")
    expect(reader.undo(swapped)).toContain("-CONFLICT key 'f' of database 0 was written since")
    expect(reader.undo(swapped, swapped, { key: Buffer.from("e") })).toMatch(/^-ERR databases were exchanged/)
  })

  it("is asked about what there is", () => {
    expect(reader.undo(1, 99)).toMatch(/^-BEYONDHEAD 99 has not happened yet/)
  })
})

describe("FLUSHALL", () => {
  it("of a thousand keys is undone with their deadlines", () => {
    const world = new CheckpointWorld(new Random(9), new SimDisk())
    const reader = new PastReader(world.disk)
    for (let i = 0; i < 1000; i++) {
      if (i % 3 === 0) world.run("SET", `k${i}`, `v${i}`, "PX", `${100_000 + i}`)
      else if (i % 3 === 1) world.run("RPUSH", `k${i}`, "a", "b")
      else world.run("HSET", `k${i}`, "f", "1")
    }
    world.log.commit()
    const before = stateDigest(world.keyspace)
    const deadline = world.run("PEXPIRETIME", "k300")
    world.clock.advance(5000)
    world.run("FLUSHALL")
    world.log.commit()
    world.run("SET", "new", "1")
    world.log.commit()
    expect(undo(world, reader, world.log.sequence() - 1)).toBe(undefined)
    expect(world.run("PEXPIRETIME", "k300")).toBe(deadline)
    expect(world.run("GET", "new")).toBe("$1\r\n1\r\n")
    world.run("DEL", "new")
    world.log.commit()
    expect(stateDigest(world.keyspace)).toBe(before)
    expect(replayed(world)).toBe(before)
  })
})
