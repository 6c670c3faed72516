import { describe, expect, it } from "vitest"
import { type Event, tags } from "../../src/log/events/catalog.ts"
import { CheckpointWalk } from "../../src/projections/checkpoint.ts"
import { stateDigest } from "../../src/projections/digest.ts"
import { evolve } from "../../src/projections/evolve.ts"
import { type Database, Keyspace } from "../../src/projections/keyspace.ts"
import { greatestId, leastId, StreamId } from "../../src/projections/memory/stream-id.ts"
import { PendingRange } from "../../src/projections/stream-pending.ts"
import * as Streams from "../../src/projections/stream-read.ts"
import { randomEvent } from "../support/events.ts"
import { forSeeds, Random } from "../support/random.ts"
import {
  compare,
  flat,
  idOf,
  readStream,
  slice,
  type Stream,
  streamEntry,
  StreamWorkload
} from "../support/stream-model.ts"

const now = 1_700_000_000_000

const world = (random: Random): Keyspace => {
  const keyspace = new Keyspace(2, { k0: 1, k1: 2 })
  keyspace.limits.streamNodeEntries = random.pick([0, 1, 4, 100])
  keyspace.limits.streamNodeBytes = random.pick([0, 1, 200, 4096])
  return keyspace
}

const fold = (keyspace: Keyspace, event: Event, db = 0): void => {
  keyspace.turn.next(now)
  evolve(keyspace, db, event)
}

/** Ranges, single entries and nodes of a stream that was read whole. */
const checkReads = (db: Database, name: string, { entries, groups }: Stream, random: Random): void => {
  const p = streamEntry(db, name)
  const ids = [...entries.keys()]
  expect(Streams.length(db, p)).toBe(ids.length)
  const found = new StreamId()
  expect(Streams.firstEntryId(db, p, found) ? String(found) : undefined).toBe(ids[0])
  expect(Streams.lastEntryId(db, p, found) ? String(found) : undefined).toBe(ids.at(-1))
  const pickId = (): string => ids.length === 0 || random.chance(0.2) ? `${random.below(90_000)}-1` : random.pick(ids)
  const [from, to] = [pickId(), pickId()].sort(compare) as [string, string]
  const wanted = ids.filter((id) => compare(from, id) <= 0 && compare(id, to) <= 0)
  const range = new Streams.EntryRange()
  for (const reverse of [false, true]) {
    range.start(db, p, idOf(from), idOf(to), reverse)
    const seen: Array<string> = []
    while (range.next()) {
      seen.push(String(range.id))
      // Some pairs are read and some are not: the way to the next entry must not depend on it.
      for (let left = random.below(3); left > 0 && range.nextPair(); left--);
    }
    expect(reverse ? seen.reverse() : seen).toEqual(wanted)
  }
  const limit = random.below(wanted.length + 3)
  expect(Streams.countEntries(db, p, idOf(from), idOf(to), limit)).toBe(Math.min(limit, wanted.length))
  const one = pickId()
  expect(Streams.hasEntry(db, p, idOf(one))).toBe(entries.has(one))
  let live = 0
  let nodes = 0
  const node = new Streams.NodeRange().start(db, p)
  while (node.next()) {
    nodes++
    live += node.live
    expect(compare(String(node.lastId), ids[live - 1]!)).toBeGreaterThanOrEqual(0)
    if (live < ids.length) expect(compare(String(node.lastId), ids[live]!)).toBeLessThan(0)
  }
  expect(live).toBe(ids.length)
  expect(Streams.treeKeys(db, p)).toBe(nodes)
  expect(Streams.treeNodes(db, p)).toBeGreaterThan(nodes)
  for (const [groupName, { consumers, pending }] of groups) {
    const g = Streams.findGroup(db, p, slice(groupName))
    const all = [...pending].sort(([a], [b]) => compare(a, b))
    expect(Streams.pendingCount(db, g)).toBe(pending.size)
    expect(Streams.releasedCount(db, g)).toBe(all.filter(([, { owner }]) => owner === "").length)
    const held = new PendingRange()
    for (const consumer of consumers.keys()) {
      const c = Streams.findConsumer(db, g, slice(consumer))
      const own = all.filter(([, { owner }]) => owner === `=${consumer}`).map(([id]) => id)
      expect(Streams.consumerPending(db, c)).toBe(own.length)
      held.start(db, g, c, idOf(from), idOf(to))
      const seen: Array<string> = []
      while (held.next()) seen.push(String(held.id))
      expect(seen).toEqual(own.filter((id) => compare(from, id) <= 0 && compare(id, to) <= 0))
    }
    const until = all.length === 0 ? now : random.pick(all)[1].time
    held.startOldest(db, g, until)
    const oldest: Array<string> = []
    while (held.next()) oldest.push(String(held.id))
    expect(oldest).toEqual(
      all.filter(([, { time }]) => time <= until)
        .sort(([a, one], [b, other]) => one.time - other.time || compare(a, b)).map(([id]) => id)
    )
    for (const [id, { count }] of all.slice(0, 3)) {
      expect(Streams.findConsumer(db, g, slice("nobody"))).toBe(0)
      expect(held.find(db, g, idOf(id))).toBe(true)
      expect(held.deliveries).toBe(count)
    }
  }
}

const check = (db: Database, { streams }: StreamWorkload, random: Random): void => {
  expect(db.size).toBe(streams.size)
  for (const [name, stream] of streams) {
    expect(flat(readStream(db, streamEntry(db, name)))).toEqual(flat(stream))
    checkReads(db, name, stream, random)
  }
}

describe("streams", () => {
  it("are what the events say, whatever the size of nodes, and leave no memory behind", () => {
    forSeeds(60, (random) => {
      const keyspace = world(random)
      const empty = keyspace.usedBytes
      const workload = new StreamWorkload(random, 2)
      for (let i = 0; i < 500; i++) {
        fold(keyspace, workload.step())
        if (i % 25 === 0) check(keyspace.database(0), workload, random)
      }
      check(keyspace.database(0), workload, random)
      for (const name of workload.streams.keys()) fold(keyspace, { _tag: "KeyDeleted", key: slice(name) })
      while (keyspace.reclaim());
      expect(keyspace.usedBytes).toBe(empty)
    })
  })

  it("are read on from where a reader was, whatever became of the node meanwhile", () => {
    forSeeds(20, (random) => {
      const keyspace = world(random)
      const db = keyspace.database(0)
      const workload = new StreamWorkload(random, 2)
      const range = new Streams.EntryRange()
      const readers = new Map<string, string>()
      for (let i = 0; i < 400; i++) {
        fold(keyspace, workload.step())
        for (const [name, { entries }] of workload.streams) {
          const ids = [...entries.keys()]
          const from = random.chance(0.3) && ids.length > 0 ? random.pick(ids) : readers.get(name) ?? "0-0"
          const wanted = ids.find((id) => compare(from, id) <= 0)
          range.start(db, streamEntry(db, name), idOf(from), greatestId)
          expect(range.next() ? String(range.id) : undefined).toBe(wanted)
          readers.set(name, wanted ?? from)
          if (!random.chance(0.02)) continue
          // The nodes of what comes next may lie where those of this stream did.
          fold(keyspace, { _tag: "KeyDeleted", key: slice(name) })
          workload.streams.delete(name)
          while (keyspace.reclaim());
        }
      }
    })
  })

  it("hold the same data under any limits", () => {
    forSeeds(20, (random, seed) => {
      const digests = [0, 1].map(() => {
        const keyspace = world(random)
        const workload = new StreamWorkload(new Random(seed), 2)
        for (let i = 0; i < 300; i++) fold(keyspace, workload.step())
        return stateDigest(keyspace)
      })
      expect(digests[1]).toBe(digests[0])
    })
  })

  it("are copied, renamed and moved whole, and each copy goes its own way", () => {
    forSeeds(20, (random) => {
      const keyspace = world(random)
      const empty = keyspace.usedBytes
      const workload = new StreamWorkload(random, 1)
      for (let i = 0; i < 300; i++) fold(keyspace, workload.step())
      const [here, there] = keyspace.databases as [Database, Database]
      const was = flat(readStream(here, streamEntry(here, "s0")))
      fold(keyspace, { _tag: "KeyCopied", key: slice("s0"), to: slice("copy"), toDb: 0 })
      fold(keyspace, { _tag: "KeyCopied", key: slice("s0"), to: slice("s0"), toDb: 1 })
      fold(keyspace, { _tag: "KeyRenamed", key: slice("copy"), to: slice("renamed") })
      for (let i = 0; i < 200; i++) fold(keyspace, workload.step())
      expect(flat(readStream(here, streamEntry(here, "s0")))).toEqual(flat(workload.streams.get("s0")!))
      expect(flat(readStream(here, streamEntry(here, "renamed")))).toEqual(was)
      expect(flat(readStream(there, streamEntry(there, "s0")))).toEqual(was)
      fold(keyspace, { _tag: "KeyMoved", key: slice("renamed"), toDb: 1 })
      expect(streamEntry(here, "renamed")).toBe(0)
      expect(flat(readStream(there, streamEntry(there, "renamed")))).toEqual(was)
      fold(keyspace, { _tag: "KeyspaceFlushed" })
      while (keyspace.reclaim());
      expect(keyspace.usedBytes).toBe(empty)
    })
  })

  it("take any event in any state, other types among them", () => {
    forSeeds(60, (random) => {
      const keyspace = world(random)
      const workload = new StreamWorkload(random, 2)
      const keys = ["s0", "s1", "absent"].map(slice)
      const names = ["g0", "c0", "p0"].map(slice)
      const kinds = tags.filter((tag) => /^(Stream|Key|StringSet|ListPushed)/.test(tag))
      for (let i = 0; i < 400; i++) {
        const event = random.chance(0.6) ? workload.step() : randomEvent(random, random.pick(kinds))
        const odd = event as unknown as Record<string, unknown>
        if ("key" in odd) odd["key"] = random.pick(keys)
        for (const name of ["group", "consumer", "producer"]) if (name in odd) odd[name] = random.pick(names)
        if ("toDb" in odd) odd["toDb"] = random.below(2)
        fold(keyspace, event)
      }
      for (const key of ["s0", "s1", "absent"]) {
        const p = streamEntry(keyspace.database(0), key)
        if (p !== 0) readStream(keyspace.database(0), p)
      }
      fold(keyspace, { _tag: "KeyspaceFlushed" })
    })
  })

  it("take ids in any order, and are saved as they are then", () => {
    forSeeds(60, (random) => {
      const keyspace = world(random)
      const empty = keyspace.usedBytes
      const kinds = tags.filter((tag) => tag.startsWith("Stream"))
      const names = ["a", "b"].map(slice)
      const few = (value: unknown): unknown =>
        value instanceof StreamId
          ? StreamId.of(random.below(12), random.below(2))
          : Array.isArray(value)
          ? value.map(few)
          : value
      for (let i = 0; i < 300; i++) {
        const event = randomEvent(random, random.chance(0.3) ? "StreamEntryAdded" : random.pick(kinds))
        const odd = event as unknown as Record<string, unknown>
        for (const name of ["key", "group", "consumer", "producer"]) if (name in odd) odd[name] = random.pick(names)
        for (const [name, value] of Object.entries(odd)) odd[name] = few(value)
        fold(keyspace, event)
      }
      const saved = new Keyspace(2, { k0: 3, k1: 4 })
      const walk = new CheckpointWalk(keyspace, { add: (_db, _clock, event) => fold(saved, event) })
      while (!walk.slice(1, 1000));
      expect(stateDigest(saved)).toBe(stateDigest(keyspace))
      for (const key of names) fold(keyspace, { _tag: "KeyDeleted", key })
      while (keyspace.reclaim());
      expect(keyspace.usedBytes).toBe(empty)
    })
  })

  it("forget removed entries beyond an id that was set back, and take them again", () => {
    const keyspace = new Keyspace(1, { k0: 1, k1: 2 })
    const key = slice("k")
    const add = (...ids: ReadonlyArray<string>): void => {
      for (const id of ids) {
        fold(keyspace, { _tag: "StreamEntryAdded", key, id: idOf(id), pairs: [slice("f"), slice(id)] })
      }
    }
    add("1-1", "2-1", "3-1", "4-1")
    fold(keyspace, { _tag: "StreamEntriesDeleted", key, ids: [idOf("3-1"), idOf("4-1")] })
    const maxDeletedId = idOf("4-1")
    fold(keyspace, { _tag: "StreamIdSet", key, lastId: idOf("2-1"), entriesAdded: 4, maxDeletedId })
    add("2-5", "3-1")
    const db = keyspace.database(0)
    const p = streamEntry(db, "k")
    expect([...readStream(db, p).entries.keys()]).toEqual(["1-1", "2-1", "2-5", "3-1"])
    for (const id of ["2-5", "3-1"]) {
      expect(Streams.hasEntry(db, p, idOf(id))).toBe(true)
      expect(Streams.countEntries(db, p, idOf(id), idOf(id), 9)).toBe(1)
    }
    fold(keyspace, { _tag: "StreamEntriesDeleted", key, ids: [idOf("3-1")] })
    expect([...readStream(db, p).entries.keys()]).toEqual(["1-1", "2-1", "2-5"])
  })

  it("give way to other types, and other types to them", () => {
    const keyspace = new Keyspace(1, { k0: 1, k1: 2 })
    const empty = keyspace.usedBytes
    const key = slice("k")
    const pairs = [slice("f"), slice("v")]
    fold(keyspace, { _tag: "StringSet", key, value: slice("text"), expireAt: null })
    fold(keyspace, { _tag: "StreamTrimmed", key, count: 1 })
    expect(streamEntry(keyspace.database(0), "k")).toBe(0)
    fold(keyspace, { _tag: "StreamEntryAdded", key, id: StreamId.of(5, 1), pairs })
    fold(keyspace, { _tag: "StreamEntryAdded", key, id: StreamId.of(5, 1), pairs })
    fold(keyspace, { _tag: "StreamEntryAdded", key, id: StreamId.of(4, 7), pairs })
    expect(Streams.length(keyspace.database(0), streamEntry(keyspace.database(0), "k"))).toBe(1)
    fold(keyspace, { _tag: "SetMembersAdded", key, members: [slice("m")] })
    expect(streamEntry(keyspace.database(0), "k")).toBe(0)
    fold(keyspace, { _tag: "KeyDeleted", key })
    expect(keyspace.usedBytes).toBe(empty)
  })

  it("are freed piece by piece, however many consumers or groups there are", () => {
    for (const many of ["consumers", "groups"]) {
      const keyspace = new Keyspace(1, { k0: 1, k1: 2 })
      const empty = keyspace.usedBytes
      const key = slice("k")
      fold(keyspace, { _tag: "StreamGroupCreated", key, group: slice("g"), lastDelivered: leastId, entriesRead: null })
      for (let i = 0; i < 10_000; i++) {
        const name = slice(`${i}`)
        fold(
          keyspace,
          many === "groups"
            ? { _tag: "StreamGroupCreated", key, group: name, lastDelivered: leastId, entriesRead: null }
            : { _tag: "StreamConsumerCreated", key, group: slice("g"), consumer: name, time: now }
        )
      }
      const full = keyspace.usedBytes
      if (many === "consumers") fold(keyspace, { _tag: "StreamGroupDestroyed", key, group: slice("g") })
      fold(keyspace, { _tag: "KeyDeleted", key })
      expect(keyspace.usedBytes).toBeGreaterThan(full * 0.9)
      while (keyspace.reclaim());
      expect(keyspace.usedBytes).toBe(empty)
    }
  })

  it("are freed piece by piece, however much is pending", () => {
    const keyspace = new Keyspace(1, { k0: 1, k1: 2 })
    const empty = keyspace.usedBytes
    const key = slice("k")
    const group = slice("g")
    const pairs = [slice("f"), slice("v")]
    const ids = Array.from({ length: 20_000 }, (_, i) => StreamId.of(1 + i, 0))
    for (const id of ids) fold(keyspace, { _tag: "StreamEntryAdded", key, id, pairs })
    for (const name of ["g", "h"]) {
      fold(keyspace, { _tag: "StreamGroupCreated", key, group: slice(name), lastDelivered: leastId, entriesRead: null })
      for (let i = 0; i < ids.length; i += 1000) {
        fold(keyspace, {
          _tag: "StreamEntriesDelivered",
          key,
          group: slice(name),
          consumer: slice(`c${i % 3}`),
          ids: ids.slice(i, i + 1000),
          lastDelivered: ids[i + 999]!,
          entriesRead: i + 1000,
          time: now
        })
      }
    }
    const full = keyspace.usedBytes
    fold(keyspace, { _tag: "StreamGroupDestroyed", key, group })
    fold(keyspace, { _tag: "KeyDeleted", key })
    expect(keyspace.usedBytes).toBeGreaterThan(full * 0.9)
    let steps = 0
    while (keyspace.reclaim()) steps++
    expect(steps).toBeGreaterThan(20)
    expect(keyspace.usedBytes).toBe(empty)
  })
})
