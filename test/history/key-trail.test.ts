/** The history of a key, found through filters and blocks, against a plain look at every batch of the log. */
import { describe, expect, it } from "vitest"
import { foldNames } from "../../src/history/existence.ts"
import { keyTrail } from "../../src/history/key-trail.ts"
import { LogDirectory } from "../../src/history/log-directory.ts"
import { type Batch, dbOf } from "../../src/log/event-log.ts"
import { cases, type Event } from "../../src/log/events/catalog.ts"
import { stateDigest } from "../../src/projections/digest.ts"
import { evolve } from "../../src/projections/evolve.ts"
import { Keyspace } from "../../src/projections/keyspace.ts"
import { Slice } from "../../src/projections/memory/slice.ts"
import { compressAll } from "../support/compressing.ts"
import { forSeeds, scaled } from "../support/random.ts"
import { HistoryWorld } from "./world.ts"

/** One event and the databases whose key of one name it touched, each with the one the key came from, if any. */
interface Fact {
  readonly id: string
  readonly touched: Map<number, number | undefined>
}

/** What every event did to a name in each database, by folding the whole log and looking before each event. */
const factsOf = (batches: Iterable<Batch>, name: string): Array<Fact> => {
  const keyspace = new Keyspace(4, { k0: 9, k1: 9 })
  const key = Slice.latin1(name)
  const has = (db: number): boolean => keyspace.database(db).locate(key) !== 0
  const named = (slice: Slice): boolean => slice.latin1() === name
  const facts: Array<Fact> = []
  for (const batch of batches) {
    batch.events.forEach((event, index) => {
      const db = dbOf(batch, index)
      const touched = new Map<number, number | undefined>()
      if (event._tag === "DatabaseFlushed" && has(db)) touched.set(db, undefined)
      else if (event._tag === "KeyspaceFlushed") {
        for (let each = 0; each < keyspace.databases.length; each++) if (has(each)) touched.set(each, undefined)
      } else if (event._tag === "DatabasesSwapped") {
        const { first, second } = event
        if (first !== second && (has(first) || has(second))) {
          touched.set(first, has(second) ? second : undefined)
          touched.set(second, has(first) ? first : undefined)
        }
      } else if (event._tag === "KeyMoved") {
        if (named(event.key)) touched.set(db, undefined).set(event.toDb, db)
      } else if (event._tag === "KeyCopied") {
        if (named(event.to)) touched.set(event.toDb, undefined)
      } else if (event._tag === "KeyRenamed") {
        if (named(event.key) || named(event.to)) touched.set(db, undefined)
      } else if ("key" in event && named(event.key)) touched.set(db, undefined)
      if (touched.size > 0) facts.push({ id: `${batch.sequence}.${index} ${event._tag}`, touched })
      evolve(keyspace, db, event)
    })
  }
  return facts
}

/** The ids of the facts about one database's key, seen from the end. */
const trailOf = (facts: ReadonlyArray<Fact>, db: number): Array<string> => {
  const tracked = new Set([db])
  const ids: Array<string> = []
  for (const { id, touched } of facts.toReversed()) {
    const hit = [...tracked].filter((other) => touched.has(other))
    if (hit.length === 0) continue
    ids.push(id)
    for (const other of hit) {
      const source = touched.get(other)
      if (source !== undefined) tracked.add(source)
    }
  }
  return ids.reverse()
}

const found = (
  directory: LogDirectory,
  db: number,
  name: string,
  range: { from?: number; to?: number; reverse?: boolean } = {}
): Array<string> => {
  const ids: Array<string> = []
  for (const change of keyTrail(directory.view(), db, Buffer.from(name, "latin1"), range)) {
    if (change !== undefined) ids.push(`${change.batch.sequence}.${change.index} ${change.event._tag}`)
  }
  return ids
}

const sequenceIn = (id: string): number => Number.parseInt(id, 10)

const keysIn = (batches: Iterable<Batch>): Array<string> => {
  const names = new Set<string>()
  for (const batch of batches) {
    for (const event of batch.events as ReadonlyArray<Event & { key?: Slice; to?: Slice }>) {
      if (event.key !== undefined) names.add(event.key.latin1())
      if (event.to !== undefined) names.add(event.to.latin1())
    }
  }
  return [...names]
}

describe("events", () => {
  it("begin with their key, which is how it is found without decoding them", () => {
    for (const [tag, { fields }] of Object.entries(cases)) {
      const names = Object.keys(fields).filter((name) => name !== "_tag")
      if (names.includes("key")) expect([tag, names[0]]).toEqual([tag, "key"])
      if (names.includes("to")) expect(["KeyRenamed", "KeyCopied"]).toContain(tag)
    }
  })
})

describe("the history of a key", () => {
  it("is what a look at every batch gives, over all commands, transactions, swaps and flushes", async () => {
    const worlds: Array<HistoryWorld> = []
    forSeeds(scaled(2), (random) => {
      const world = new HistoryWorld()
      world.disk.immediate = true
      for (let turn = 0; turn < 350; turn++) {
        world.turn(random)
        if (random.chance(0.004)) world.restart(random.chance(0.5))
      }
      worlds.push(world)
    })
    for (const world of worlds) await compressAll(world.log, 2)
    forSeeds(worlds.length, (random, seed) => {
      const world = worlds[seed - 1]!
      const names = [...keysIn(world.log.read(1)), "never"]
      expect(names.length).toBeGreaterThan(20)
      const directory = new LogDirectory(world.disk, random.chance(0.5) ? 0 : undefined)
      expect(directory.view().parts.length).toBeGreaterThan(5)
      let events = 0
      for (const name of names) {
        if (random.chance(0.7) && name !== "never") continue
        const facts = factsOf(world.log.read(1), name)
        const db = random.below(4)
        const all = trailOf(facts, db)
        events += all.length
        expect([name, db, found(directory, db, name)]).toEqual([name, db, all])
        expect(found(directory, db, name, { reverse: true })).toEqual(all.toReversed())
        const head = world.log.sequence()
        const to = random.between(1, head)
        const from = random.between(1, to)
        const upTo = trailOf(facts.filter(({ id }) => sequenceIn(id) <= to), db)
        const within = upTo.filter((id) => sequenceIn(id) >= from)
        expect(found(directory, db, name, { from, to })).toEqual(within)
        expect(found(directory, db, name, { from, to, reverse: true })).toEqual(within.toReversed())
      }
      expect(events).toBeGreaterThan(100)
    })
  })

  it("is the same for names shorter or longer than any, and for keys that are parts of others", () => {
    const world = new HistoryWorld()
    const [client] = world.connections
    const names = ["", "a", "ab", "abc", "b", "k".repeat(5000), "\0", "\0\0", "EV1"]
    for (let round = 0; round < 40; round++) {
      for (const name of names) world.run(client!, "SET", name, `${name.slice(0, 10)} ${round}`)
      world.commit()
    }
    const directory = new LogDirectory(world.disk)
    for (const name of names) {
      const facts = factsOf(world.log.read(1), name)
      expect(facts.length).toBe(40)
      expect(found(directory, 0, name)).toEqual(facts.map(({ id }) => id))
    }
  })

  it("says who and what, in the order of what happened", () => {
    const world = new HistoryWorld()
    const [alice, bob] = world.connections
    world.run(alice!, "SET", "cart:7", "x", "PX", "500")
    world.commit()
    world.clock.advance(600)
    world.executor.beginChunk()
    world.executor.expire(5)
    world.commit()
    bob!.client.name = "job9"
    bob!.client.changed()
    world.run(bob!, "SET", "cart:7", "y")
    world.run(bob!, "DEL", "cart:7")
    world.commit()
    const trail = [...keyTrail(new LogDirectory(world.disk).view(), 0, Buffer.from("cart:7"))].flatMap((change) =>
      change === undefined
        ? []
        : [[change.event._tag, change.batch.origin, change.batch.author?.clientId, change.batch.author?.name]]
    )
    expect(trail).toEqual([
      ["StringSet", "client", 1, ""],
      ["KeyExpired", "expire", undefined, undefined],
      ["StringSet", "client", 2, "job9"],
      ["KeyDeleted", "client", 2, "job9"]
    ])
  })

  it("folds names to what they held at any moment, wherever their values came from", () => {
    forSeeds(scaled(3), (random) => {
      const world = new HistoryWorld()
      for (let turn = 0; turn < 150; turn++) world.turn(random)
      const names = keysIn(world.log.read(1))
      const view = new LogDirectory(world.disk).view()
      for (let i = 0; i < 12; i++) {
        const name = random.pick(names)
        const until = random.between(1, world.log.sequence())
        const whole = new Keyspace(4, { k0: 1, k1: 1 })
        for (const batch of world.log.read(1)) {
          if (batch.sequence >= until) break
          batch.events.forEach((event, index) => evolve(whole, dbOf(batch, index), event))
        }
        const folded = foldNames(view, [Buffer.from(name, "latin1")], until)
        // Whatever else is there counts for nothing.
        for (const keyspace of [whole, folded]) {
          for (const database of keyspace.databases) {
            for (const other of names) if (other !== name) database.delete(Slice.latin1(other))
          }
        }
        expect([name, until, stateDigest(folded)]).toEqual([name, until, stateDigest(whole)])
      }
    })
  })

  it("of a log whose beginning was dropped shows a flush unless later events say that the key was gone", () => {
    const world = new HistoryWorld()
    const [client] = world.connections
    for (const key of ["early", "gone"]) world.run(client!, "SET", key, "x")
    for (let i = 0; i < 900; i++) {
      world.run(client!, "SET", `fill:${i}`, "some value")
      if (i % 20 === 0) world.commit()
    }
    world.commit()
    const late = world.log.sequence() + 1
    world.run(client!, "DEL", "gone")
    world.run(client!, "FLUSHALL")
    world.commit()
    const directory = new LogDirectory(world.disk)
    const second = directory.view().parts[1]!.segment.first
    expect(second).toBeGreaterThan(2)
    const trail = (key: string, oldest: number): Array<string> =>
      [...keyTrail(directory.view({ lsn: Number.MAX_SAFE_INTEGER, oldest }), 0, Buffer.from(key))].flatMap((change) =>
        change === undefined ? [] : [`${change.batch.sequence} ${change.event._tag}`]
      )
    expect(trail("early", 1)).toEqual(["1 StringSet", `${late + 1} KeyspaceFlushed`])
    expect(trail("early", second)).toEqual([`${late + 1} KeyspaceFlushed`])
    expect(trail("gone", second)).toEqual([`${late} KeyDeleted`])
    expect(trail("never", 1)).toEqual([])
    expect(trail("never", second)).toEqual([`${late + 1} KeyspaceFlushed`])
  })
})
