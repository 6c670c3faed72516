/** Whatever an event changes is among the keys `visitTouched` names; and `Undo` takes any run of events back. */
import { describe, expect, it } from "vitest"
import { type Event, type EventTag, tags } from "../../src/log/events/catalog.ts"
import { stateDigest, stateDigestValue } from "../../src/projections/digest.ts"
import * as Entry from "../../src/projections/entry.ts"
import { evolve } from "../../src/projections/evolve.ts"
import { earliestFieldDeadline } from "../../src/projections/hash-fields.ts"
import { Keyspace } from "../../src/projections/keyspace.ts"
import { Slice } from "../../src/projections/memory/slice.ts"
import { StreamId } from "../../src/projections/memory/stream-id.ts"
import { isSweeping, visitTouched } from "../../src/projections/touched.ts"
import { Undo } from "../../src/projections/undo.ts"
import { randomEvent } from "../support/events.ts"
import { forSeeds, type Random } from "../support/random.ts"

const databases = 4
const keys = ["a", "b", "c", "d", "e"]

/** One of few ids of stream entries. */
const idOf = (random: Random): StreamId => new StreamId(0, random.below(3), 0, random.below(3))

/** Kinds of events that work on one type of value: among all kinds they would hardly ever meet each other's work. */
const families = ["String", "List", "Set", "Hash", "SortedSet", "Stream"].map((type) =>
  tags.filter((tag) => tag.startsWith(type) || tag === "KeyExpirySet" || tag === "KeyPersisted")
)
const databaseFor = (random: Random, kinds: ReadonlyArray<EventTag>): number =>
  random.below(kinds === tags ? databases : 1)
const kindsOf = (random: Random): ReadonlyArray<EventTag> =>
  random.chance(0.5) ? random.pick([...families, families.at(-1)!]) : tags

/** An event about few keys and databases, with lengths and offsets that keep values small. */
const eventOf = (random: Random, kinds: ReadonlyArray<EventTag> = tags): Event => {
  const event: Record<string, unknown> = { ...randomEvent(random, random.pick(kinds)) }
  for (const name of Object.keys(event)) {
    if (name === "key" || name === "to") event[name] = Slice.latin1(random.pick(random.chance(0.6) ? ["a", "b"] : keys))
    else if (name === "toDb" || name === "first" || name === "second") event[name] = random.below(databases)
    else if (name === "group" || name === "consumer") event[name] = Slice.latin1(random.pick(["g", "h"]))
    else if (name === "offset") event[name] = random.below(40)
    else if (["index", "start", "ordinal"].includes(name)) event[name] = random.below(3)
    else if (name === "stop") event[name] = random.between(2, 5)
    else if (name === "indexes") event[name] = random.pick([[0], [1], [0, 2]])
    else if (name === "scores") event[name] = Array.from({ length: 4 }, () => random.below(4))
    else if (name === "shape") event[name] = Entry.Type.list << 4 | Entry.Encoding.listpack
    else if (name === "bytes") event[name] = Slice.latin1("\x02\0\0\0\x05\x01\x81a\x02")
    else if (name === "count") event[name] = 2
    else if (name === "pack") event[name] = Slice.latin1("\x05\x01\x81a\x02")
    else if (name === "ids") event[name] = Array.from({ length: random.below(4) }, () => idOf(random))
    else if (["counts", "owners", "times"].includes(name)) {
      event[name] = Array.from({ length: random.below(4) }, () => random.below(4))
    } else if (event[name] instanceof StreamId) event[name] = idOf(random)
    else if (Array.isArray(event[name])) {
      event[name] = Array.from(
        { length: random.pick([2, 4]) },
        () => Slice.latin1(random.pick(["1", "2", "a", "b", "c"]))
      )
    }
    else if (name === "expireAt" && event[name] !== null) event[name] = random.between(1, 5)
    else if (event[name] instanceof Slice) {
      event[name] = Slice.latin1(random.pick(["", "7", "-12", "1.5", "some text", "x".repeat(70)]))
    }
  }
  return event as unknown as Event
}

/** Value, deadline and encoding of every key, by "database key". */
const snapshot = (keyspace: Keyspace): Map<string, string> => {
  const found = new Map<string, string>()
  for (let db = 0; db < keyspace.databases.length; db++) {
    const database = keyspace.databases[db]!
    for (const key of keys) {
      const p = database.locate(Slice.latin1(key))
      if (p === 0) continue
      const { arena } = database
      found.set(
        `${db} ${key}`,
        `${stateDigestValue(database, p)} ${Entry.deadlineOf(arena, p)} ${Entry.encodingOf(arena, p)} ` +
          earliestFieldDeadline(database.structures, p)
      )
    }
  }
  return found
}

const filled = (random: Random, kinds: ReadonlyArray<EventTag> = kindsOf(random)): Keyspace => {
  const keyspace = new Keyspace(databases, { k0: random.uint32(), k1: random.uint32() })
  for (let i = random.below(60); i > 0; i--) {
    const event = eventOf(random, kinds)
    keyspace.turn.next(1000)
    if (!isSweeping(event)) evolve(keyspace, databaseFor(random, kinds), event)
  }
  return keyspace
}

describe("touched keys", () => {
  it("are all that an event changes, and removed ones are gone", () => {
    const seen = new Set<string>()
    forSeeds(5000, (random) => {
      const kinds = kindsOf(random)
      const keyspace = filled(random, kinds)
      // Events that need others before them would hardly ever meet those by chance.
      const dated = random.chance(0.03)
      const event: Event = dated
        ? { _tag: "HashFieldsPersisted", key: Slice.latin1("a"), fields: [Slice.latin1("f")] }
        : eventOf(random, kinds)
      if (isSweeping(event)) return
      const db = databaseFor(random, kinds)
      if (dated) {
        const key = Slice.latin1("a")
        const fields = [Slice.latin1("f")]
        keyspace.turn.next(1500)
        evolve(keyspace, db, { _tag: "HashFieldsSet", key, pairs: [...fields, Slice.latin1("v")] })
        evolve(keyspace, db, { _tag: "HashFieldsExpirySet", key, fields, expireAt: 1 })
      }
      const before = snapshot(keyspace)
      const touched = new Map<string, boolean>()
      visitTouched(db, event, { touch: (at, key, removed) => void touched.set(`${at} ${key.latin1()}`, removed) })
      keyspace.turn.next(2000)
      evolve(keyspace, db, event)
      const after = snapshot(keyspace)
      for (const place of new Set([...before.keys(), ...after.keys()])) {
        if (before.get(place) === after.get(place)) continue
        seen.add(event._tag)
        expect(touched.has(place), `${event._tag} changed ${place}`).toBe(true)
        if (touched.get(place) === true) expect(after.has(place), `${event._tag} removed ${place}`).toBe(false)
      }
    })
    expect(seen).toEqual(new Set(tags.filter((tag) => !isSweeping({ _tag: tag } as Event))))
  })
})

describe("undo", () => {
  it("brings back what any events changed, deadlines in their order, and clocks", () => {
    forSeeds(1000, (random) => {
      const keyspace = filled(random)
      const stateOf = () => ({
        digest: stateDigest(keyspace),
        keys: snapshot(keyspace),
        deadlines: keyspace.databases.map(({ deadlines }) => {
          const found: Array<string> = []
          deadlines.each((a, b, c) => found.push(`${a} ${b} ${c}`))
          return found
        }),
        clocks: keyspace.databases.map((database) =>
          keys.map((key) => {
            const p = database.locate(Slice.latin1(key))
            return p === 0 ? undefined : Entry.clockOf(database.arena, p)
          })
        ),
        databases: keyspace.databases.slice()
      })
      const before = stateOf()
      const undo = new Undo(keyspace)
      undo.begin()
      keyspace.turn.next(900_000)
      for (let i = random.between(1, 12); i > 0; i--) {
        const event = eventOf(random)
        const db = random.below(databases)
        undo.before(db, event)
        evolve(keyspace, db, event)
      }
      undo.rollback()
      keyspace.turn.next(900_001)
      const after = stateOf()
      expect(after).toEqual(before)
      expect(after.databases.every((database, i) => database === before.databases[i])).toBe(true)
    })
  })

  it("that is let go of leaves what the events alone leave, in the same databases", () => {
    forSeeds(500, (random) => {
      const plain = filled(random)
      const undo = new Undo(plain)
      undo.begin()
      const databasesBefore = new Set(plain.databases)
      const twin = new Keyspace(databases, { k0: 1, k1: 2 })
      for (const [db, database] of plain.databases.entries()) {
        for (const key of keys) {
          const p = database.locate(Slice.latin1(key))
          if (p !== 0) twin.database(db).copyFrom(database, p, Slice.latin1(key))
        }
      }
      plain.turn.next(3000)
      twin.turn.next(3000)
      for (let i = random.between(1, 12); i > 0; i--) {
        const event = eventOf(random)
        // Of checkpoints only: it speaks of nodes by number, and those of a copied list have none.
        if (event._tag === "ListNodeRestored") continue
        const db = random.below(databases)
        undo.before(db, event)
        evolve(plain, db, event)
        evolve(twin, db, event)
      }
      undo.commit()
      plain.turn.next(4000)
      expect(stateDigest(plain)).toBe(stateDigest(twin))
      expect(new Set(plain.databases)).toEqual(databasesBefore)
      expect(plain.usedBytes).toBe(plain.databases.reduce((sum, { arena }) => sum + arena.usedBytes, 0))
    })
  })
})
