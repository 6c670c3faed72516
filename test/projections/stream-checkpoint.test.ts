/** Checkpoints of streams that change while they are made, part by part; what is saved comes back in any order. */
import { describe, expect, it } from "vitest"
import type { Event } from "../../src/log/events/catalog.ts"
import { decodeEvent, encodeEvent } from "../../src/log/events/codec.ts"
import { ByteReader, ByteWriter } from "../../src/log/events/wire.ts"
import { CheckpointWalk } from "../../src/projections/checkpoint.ts"
import { stateDigest } from "../../src/projections/digest.ts"
import { evolve } from "../../src/projections/evolve.ts"
import { Keyspace } from "../../src/projections/keyspace.ts"
import { leastId, StreamId } from "../../src/projections/memory/stream-id.ts"
import { forSeeds, type Random } from "../support/random.ts"
import { slice, StreamWorkload } from "../support/stream-model.ts"

const now = 1_700_000_000_000

const fold = (keyspace: Keyspace, event: Event): void => {
  keyspace.turn.next(now)
  evolve(keyspace, 0, event)
}

/** The event as it comes back from a file. */
const detached = (event: Event): Event => {
  const out = new ByteWriter()
  encodeEvent(out, event)
  return decodeEvent(new ByteReader(out.toBytes()))
}

const shuffled = (random: Random, events: ReadonlyArray<Event>): Array<Event> => {
  const mixed = [...events]
  for (let i = mixed.length - 1; i > 0; i--) {
    const j = random.below(i + 1)
    ;[mixed[i], mixed[j]] = [mixed[j]!, mixed[i]!]
  }
  // A deadline is one of a key that is there.
  const isDeadline = (event: Event): boolean => event._tag === "KeyExpirySet"
  return [...mixed.filter((event) => !isDeadline(event)), ...mixed.filter(isDeadline)]
}

const loaded = (random: Random, events: ReadonlyArray<Event>): Keyspace => {
  const keyspace = new Keyspace(2, { k0: random.uint32(), k1: 9 })
  keyspace.limits.streamNodeEntries = random.pick([1, 10, 100])
  for (const event of events) fold(keyspace, event)
  return keyspace
}

/** A group with much that is pending for a few consumers and for nobody. */
const busyGroup = (keyspace: Keyspace, name: string, count: number): void => {
  const key = slice(name)
  const group = slice("busy")
  const ids = Array.from({ length: count }, (_, i) => StreamId.of(1 + i, 0))
  fold(keyspace, { _tag: "StreamGroupCreated", key, group, lastDelivered: leastId, entriesRead: 0 })
  for (let i = 0; i < count; i += 500) {
    const some = ids.slice(i, i + 500)
    fold(keyspace, {
      _tag: "StreamEntriesDelivered",
      key,
      group,
      consumer: slice(`c${(i / 500) % 3}`),
      ids: some,
      lastDelivered: some.at(-1)!,
      entriesRead: i,
      time: now + i
    })
    const released = some.filter((_, n) => n % 7 === 0)
    const counts = released.map(() => 3)
    fold(keyspace, { _tag: "StreamEntriesReleased", key, group, ids: released, counts, deliveredAt: 1 + i })
  }
}

/** Something that happens to keys as a whole, or to the busy group. */
const upheaval = (random: Random): Event => {
  const key = slice(random.pick(["s0", "s1"]))
  const group = slice("busy")
  const id = (): StreamId => StreamId.of(random.between(1, 1200), 0)
  const ids = Array.from({ length: random.between(1, 5) }, id)
  const dice = random.fraction()
  if (dice < 0.5) return { _tag: "StreamEntriesAcknowledged", key, group, ids }
  if (dice < 0.8) {
    const consumer = slice(`c${random.below(5)}`)
    const counts = ids.map(() => random.below(9))
    return { _tag: "StreamEntriesClaimed", key, group, consumer, ids, counts, deliveredAt: now, time: now }
  }
  if (dice < 0.84) return { _tag: "StreamConsumerDeleted", key, group, consumer: slice(`c${random.below(5)}`) }
  if (dice < 0.88) return { _tag: "StreamGroupDestroyed", key, group }
  if (dice < 0.91) return { _tag: "KeyExpirySet", key, expireAt: now + random.below(99) }
  if (dice < 0.94) return { _tag: "KeyRenamed", key, to: slice(random.pick(["s0", "s1", "other"])) }
  if (dice < 0.97) return { _tag: "KeyCopied", key, to: slice("copy"), toDb: 0 }
  if (dice < 0.99) return { _tag: "KeyDeleted", key }
  return random.chance(0.2)
    ? { _tag: "DatabaseFlushed" }
    : { _tag: "StringSet", key, value: slice("x"), expireAt: null }
}

describe("checkpoints of streams", () => {
  it("hold them as they were, whatever happens meanwhile, in pieces of any order", () => {
    let changes = 0
    forSeeds(8, (random) => {
      const keyspace = new Keyspace(2, { k0: 1, k1: 2 })
      keyspace.limits.streamNodeEntries = random.pick([2, 10])
      const empty = keyspace.usedBytes
      const workload = new StreamWorkload(random, 2)
      for (let i = 0; i < 1000; i++) fold(keyspace, workload.step())
      for (const name of ["s0", "s1"]) if (random.chance(0.8)) busyGroup(keyspace, name, 1000)
      for (let round = 0; round < 3; round++) {
        const saved: Array<Event> = []
        const walk = new CheckpointWalk(keyspace, { add: (_db, _clock, event) => void saved.push(detached(event)) })
        const digest = stateDigest(keyspace)
        const tail: Array<Event> = []
        const givesUp = random.chance(0.1)
        let slices = 0
        while (!walk.slice(1, 1000)) {
          if (givesUp && slices === 3) walk.giveUp()
          slices++
          for (let left = random.below(6); left > 0; left--) {
            const event = random.chance(0.7) ? workload.step() : upheaval(random)
            tail.push(detached(event))
            fold(keyspace, event)
            if (random.chance(0.1)) keyspace.reclaim()
          }
        }
        changes += tail.length
        if (givesUp) continue
        for (const events of [saved, shuffled(random, saved)]) {
          const again = loaded(random, events)
          expect(stateDigest(again)).toBe(digest)
          for (const event of tail) fold(again, event)
          expect(stateDigest(again)).toBe(stateDigest(keyspace))
        }
      }
      fold(keyspace, { _tag: "KeyspaceFlushed" })
      while (keyspace.reclaim());
      expect(keyspace.usedBytes).toBe(empty)
    })
    expect(changes).toBeGreaterThan(500)
  })

  it("save little before a write to a large stream", () => {
    const keyspace = new Keyspace(1, { k0: 1, k1: 2 })
    const key = slice("k")
    const pairs = [slice("f"), slice("value")]
    for (let i = 1; i <= 20_000; i++) fold(keyspace, { _tag: "StreamEntryAdded", key, id: StreamId.of(i, 0), pairs })
    busyGroup(keyspace, "k", 20_000)
    let bytes = 0
    const walk = new CheckpointWalk(keyspace, {
      add: (_db, _clock, event) => {
        const out = new ByteWriter()
        encodeEvent(out, event)
        bytes += out.length
      }
    })
    fold(keyspace, { _tag: "StreamEntryAdded", key, id: StreamId.of(30_000, 0), pairs })
    fold(keyspace, { _tag: "StreamEntriesDeleted", key, ids: [StreamId.of(7, 0)] })
    fold(keyspace, { _tag: "StreamEntriesAcknowledged", key, group: slice("busy"), ids: [StreamId.of(9, 0)] })
    expect(bytes).toBeGreaterThan(1000)
    expect(bytes).toBeLessThan(5000)
    while (!walk.slice(100, 10_000));
    expect(bytes).toBeGreaterThan(300_000)
  })
})
