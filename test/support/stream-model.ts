/** Streams as plain data, random events on them, and what a database holds read into the same form. */
import type { Event } from "../../src/log/events/catalog.ts"
import * as Entry from "../../src/projections/entry.ts"
import type { Database } from "../../src/projections/keyspace.ts"
import type { Pointer } from "../../src/projections/memory/arena.ts"
import { Slice } from "../../src/projections/memory/slice.ts"
import { greatestId, leastId, parseId, StreamId } from "../../src/projections/memory/stream-id.ts"
import { PendingRange } from "../../src/projections/stream-pending.ts"
import * as Streams from "../../src/projections/stream-read.ts"
import type { Random } from "./random.ts"

interface Pending {
  /** "" for nobody, else the consumer's name with a letter before it. */
  owner: string
  time: number
  count: number | bigint
}

interface Group {
  last: string
  read: number | bigint | null
  consumers: Map<string, number>
  pending: Map<string, Pending>
}

interface Noted {
  iid: string
  id: string
  time: number
}

interface Producers {
  seconds: number
  most: number
  noted: number
  refused: number
  names: Map<string, Array<Noted>>
}

export interface Stream {
  entries: Map<string, ReadonlyArray<string>>
  last: string
  maxDeleted: string
  added: number | bigint
  groups: Map<string, Group>
  producers: Producers | undefined
}

export const slice = (text: string): Slice => Slice.latin1(text)

export const idOf = (text: string): StreamId => {
  const id = new StreamId()
  if (parseId(slice(text), id) !== 0) throw new Error(`no id: ${text}`)
  return id
}

/** The order of ids written as text. */
export const compare = (a: string, b: string): number => {
  const [aMs, aSeq] = a.split("-").map(BigInt) as [bigint, bigint]
  const [bMs, bSeq] = b.split("-").map(BigInt) as [bigint, bigint]
  return aMs === bMs ? aSeq < bSeq ? -1 : aSeq > bSeq ? 1 : 0 : aMs < bMs ? -1 : 1
}

const sorted = <T>(
  map: ReadonlyMap<string, T>,
  by = (a: string, b: string): number => a < b ? -1 : 1
): Array<[string, T]> => [...map].sort(([a], [b]) => by(a, b))

/** A stream as data that compares by content, in an order of its own. */
export const flat = (stream: Stream): unknown => ({
  ...stream,
  entries: [...stream.entries],
  groups: sorted(stream.groups).map(([name, group]) => [name, {
    ...group,
    consumers: sorted(group.consumers),
    pending: sorted(group.pending, compare)
  }]),
  producers: stream.producers === undefined
    ? undefined
    : { ...stream.producers, names: sorted(stream.producers.names) }
})

const greatest = 2n ** 64n - 1n

/** An id after another one. */
const after = (random: Random, last: string): string => {
  const [ms, seq] = last.split("-").map(BigInt) as [bigint, bigint]
  const dice = random.fraction()
  if (dice < 0.4 && seq < greatest) return `${ms}-${seq + 1n}`
  if (dice < 0.5 && seq < 2n ** 60n) return `${ms}-${seq + BigInt(random.between(1, 100_000))}`
  const far = random.chance(0.005) ? 2n ** BigInt(random.between(30, 62)) : BigInt(random.between(1, 20_000))
  if (ms + far >= greatest) return seq < greatest ? `${ms}-${seq + 1n}` : last
  return `${ms + far}-${random.chance(0.05) ? 2n ** BigInt(random.below(64)) : BigInt(random.below(3))}`
}

const text = (random: Random): string => {
  const dice = random.fraction()
  if (dice < 0.4) return `${random.between(-5000, 100_000)}`
  if (dice < 0.45) return random.pick(["9223372036854775807", "-9223372036854775808", "", "007", "-0"])
  const length = dice < 0.9 ? random.below(20) : random.below(300)
  return Buffer.from(random.bytes(length)).toString("latin1")
}

const pairsOf = (random: Random): Array<string> => {
  const fields = random.chance(0.6)
    ? ["temperature", "12"]
    : Array.from({ length: random.between(1, 4) }, () => text(random))
  return fields.flatMap((field) => [field, text(random)])
}

const some = (random: Random, from: Iterable<string>, most: number): Array<string> => {
  const all = [...from]
  const picked = new Set<string>()
  for (let left = random.between(1, most); left > 0 && all.length > 0; left--) picked.add(random.pick(all))
  if (random.chance(0.1)) picked.add(`${random.below(1000)}-${random.below(5)}`)
  return [...picked]
}

const group = (): Group => ({ last: "0-0", read: null, consumers: new Map(), pending: new Map() })
export const emptyStream = (): Stream => ({
  entries: new Map(),
  last: "0-0",
  maxDeleted: "0-0",
  added: 0,
  groups: new Map(),
  producers: undefined
})

const base = 1_700_000_000_000

/** Makes random events on the streams of some keys, and does what they say to plain data. */
export class StreamWorkload {
  readonly streams: Map<string, Stream>
  private readonly random: Random
  private readonly keys: number
  private now = base

  constructor(random: Random, keys: number, streams = new Map<string, Stream>()) {
    this.random = random
    this.keys = keys
    this.streams = streams
  }

  /** An event, done to the data already. */
  step(): Event {
    const { random } = this
    const name = `s${random.below(this.keys)}`
    const key = slice(name)
    this.now += random.below(30)
    const stream = this.streams.get(name)
    const dice = random.fraction()
    if (stream === undefined || dice < 0.4) return this.add(name, stream)
    if (dice < 0.5) return this.remove(key, stream)
    if (dice < 0.53) return this.head(key, stream)
    if (dice < 0.6) return this.produce(key, stream)
    return this.groupStep(key, stream)
  }

  private add(name: string, found: Stream | undefined): Event {
    const { random } = this
    const key = slice(name)
    let stream = found
    if (stream === undefined) this.streams.set(name, stream = emptyStream())
    if (random.chance(0.02)) return { _tag: "StreamCreated", key }
    const id = after(random, stream.last)
    const pairs = pairsOf(random)
    // The greatest id of all has no successor: then nothing is added.
    if (compare(id, stream.last) > 0) {
      stream.entries.set(id, pairs)
      stream.last = id
      stream.added = next(stream.added)
    }
    return { _tag: "StreamEntryAdded", key, id: idOf(id), pairs: pairs.map(slice) }
  }

  private remove(key: Slice, stream: Stream): Event {
    const { random } = this
    const ids = some(random, stream.entries.keys(), 5)
    if (random.chance(0.4)) {
      const count = random.chance(0.1) ? stream.entries.size + 1 : random.below(12)
      for (const id of [...stream.entries.keys()].slice(0, count)) stream.entries.delete(id)
      return { _tag: "StreamTrimmed", key, count }
    }
    const byClient = random.chance(0.7)
    for (const id of ids) {
      if (stream.entries.delete(id) && byClient && compare(id, stream.maxDeleted) > 0) stream.maxDeleted = id
    }
    return { _tag: byClient ? "StreamEntriesDeleted" : "StreamEntriesTrimmed", key, ids: ids.map(idOf) }
  }

  private head(key: Slice, stream: Stream): Event {
    const { random } = this
    if (random.chance(0.2)) stream.last = [...stream.entries.keys()].at(-1) ?? "7-0"
    stream.last = random.chance(0.5) ? stream.last : after(random, stream.last)
    stream.added = random.chance(0.05) ? 2n ** 62n : random.below(100_000)
    if (random.chance(0.3)) stream.maxDeleted = stream.last
    return {
      _tag: "StreamIdSet",
      key,
      lastId: idOf(stream.last),
      entriesAdded: stream.added,
      maxDeletedId: idOf(stream.maxDeleted)
    }
  }

  private produce(key: Slice, stream: Stream): Event {
    const { now, random } = this
    const { producers } = stream
    if (random.chance(0.1)) {
      const seconds = random.pick([0, 1, 100])
      const most = random.pick([0, 1, 3, 100])
      const counted = producers ?? { noted: 0, refused: 0 }
      stream.producers = { ...counted, seconds, most, names: new Map() }
      return { _tag: "StreamConfigured", key, durationSeconds: seconds, maxSize: most }
    }
    if (random.chance(0.1)) {
      if (producers !== undefined) producers.refused++
      return { _tag: "StreamDuplicateRefused", key }
    }
    const producer = `p${random.below(5)}`
    const iid = `i${random.below(20)}`
    const id = stream.last
    if (producers !== undefined) note(producers, producer, { iid, id, time: now })
    return { _tag: "StreamProducerNoted", key, producer: slice(producer), iid: slice(iid), id: idOf(id), time: now }
  }

  private groupStep(key: Slice, stream: Stream): Event {
    const { now, random } = this
    const name = `g${random.below(3)}`
    const group_ = slice(name)
    const group = stream.groups.get(name)
    const lastDelivered = random.chance(0.5) ? stream.last : after(random, "5-0")
    const entriesRead = random.chance(0.3) ? null : random.chance(0.05) ? 2n ** 60n : random.below(1000)
    const dice = random.fraction()
    if (group === undefined || dice < 0.03) {
      const made = group ?? newGroup()
      Object.assign(made, { last: lastDelivered, read: entriesRead })
      stream.groups.set(name, made)
      return { _tag: "StreamGroupCreated", key, group: group_, lastDelivered: idOf(lastDelivered), entriesRead }
    }
    if (dice < 0.05) {
      Object.assign(group, { last: lastDelivered, read: entriesRead })
      return { _tag: "StreamGroupIdSet", key, group: group_, lastDelivered: idOf(lastDelivered), entriesRead }
    }
    if (dice < 0.06) {
      stream.groups.delete(name)
      return { _tag: "StreamGroupDestroyed", key, group: group_ }
    }
    const named = `c${random.below(4)}`
    const consumer = slice(named)
    if (dice < 0.1) {
      if (!group.consumers.has(named)) group.consumers.set(named, -1)
      return { _tag: "StreamConsumerCreated", key, group: group_, consumer, time: now }
    }
    if (dice < 0.14) {
      if (group.consumers.delete(named)) {
        for (const [id, { owner }] of group.pending) if (owner === `=${named}`) group.pending.delete(id)
      }
      return { _tag: "StreamConsumerDeleted", key, group: group_, consumer }
    }
    const delivering = dice < 0.5
    const ids = delivering
      ? some(random, stream.entries.keys(), 6)
      : some(random, group.pending.size === 0 ? stream.entries.keys() : group.pending.keys(), 6)
    if (delivering) {
      for (const id of ids) group.pending.set(id, { owner: `=${named}`, time: now, count: 1 })
      Object.assign(group, { last: lastDelivered, read: entriesRead })
      group.consumers.set(named, now)
      return {
        _tag: "StreamEntriesDelivered",
        key,
        group: group_,
        consumer,
        ids: ids.map(idOf),
        lastDelivered: idOf(lastDelivered),
        entriesRead,
        time: now
      }
    }
    if (dice < 0.8) {
      for (const id of ids) group.pending.delete(id)
      return { _tag: "StreamEntriesAcknowledged", key, group: group_, ids: ids.map(idOf) }
    }
    const counts = ids.map(() => random.chance(0.1) ? 2n ** 63n - 1n : random.below(9))
    const released = dice > 0.9
    const deliveredAt = released ? random.between(1, 50) : random.chance(0.1) ? 0 : now - random.below(500)
    for (const [i, id] of ids.entries()) {
      group.pending.set(id, { owner: released ? "" : `=${named}`, time: deliveredAt, count: counts[i]! })
    }
    if (released) {
      return { _tag: "StreamEntriesReleased", key, group: group_, ids: ids.map(idOf), counts, deliveredAt }
    }
    group.consumers.set(named, now)
    return {
      _tag: "StreamEntriesClaimed",
      key,
      group: group_,
      consumer,
      ids: ids.map(idOf),
      counts,
      deliveredAt,
      time: now
    }
  }
}

const newGroup = group

const next = (count: number | bigint): number | bigint => typeof count === "bigint" ? count + 1n : count + 1

const note = (producers: Producers, producer: string, noted: Noted): void => {
  producers.noted++
  const dead = ({ time }: Noted): boolean => noted.time - time >= 1000 * producers.seconds
  for (const [name, list] of producers.names) if (dead(list.at(-1)!)) producers.names.delete(name)
  const list = (producers.names.get(producer) ?? []).filter(({ iid }) => iid !== noted.iid)
  list.push(noted)
  while (list.length > 0 && (list.length > producers.most || dead(list[0]!))) list.shift()
  if (list.length === 0) producers.names.delete(producer)
  else producers.names.set(producer, list)
}

// ——— reading a database ———

const range = new Streams.EntryRange()
const pending = new PendingRange()

const readGroup = (db: Database, g: Pointer): Group => {
  const names = new Map(Streams.consumers(db, g).map((c) => [c, Streams.consumerName(db, c, new Slice()).latin1()]))
  const held = new Map<string, Pending>()
  pending.start(db, g, 0, leastId, greatestId)
  while (pending.next()) {
    const { consumer, deliveredAt: time, deliveries: count } = pending
    held.set(String(pending.id), { owner: consumer === 0 ? "" : `=${names.get(consumer)!}`, time, count })
  }
  return {
    last: String(Streams.lastDelivered(db, g, new StreamId())),
    read: Streams.entriesRead(db, g),
    consumers: new Map([...names].map(([c, name]) => [name, Streams.activeAt(db, c)])),
    pending: held
  }
}

const readProducers = (db: Database, p: Pointer): Producers | undefined => {
  const figures = Streams.producers(db, p)
  if (figures === undefined) return undefined
  const root = db.arena.words[p >>> 19]![((p & 0x7ffff) << 1) + 4]!
  const { producers } = db.structures.streams
  const names = new Map<string, Array<Noted>>()
  let tracked = 0
  for (const producer of producers.list(root)) {
    const list: Array<Noted> = []
    producers.eachName(producer, (iid, id, time) => list.push({ iid: iid.latin1(), id: String(id), time }))
    names.set(producers.producerName(producer, new Slice()).latin1(), list)
    tracked += list.length
  }
  if (tracked !== figures.tracked || names.size !== figures.producers) throw new Error("producers are counted wrong")
  const { added, duplicates, durationSeconds: seconds, maxSize: most } = figures
  return { seconds, most, noted: Number(added), refused: Number(duplicates), names }
}

/** The stream of an entry as plain data. */
export const readStream = (db: Database, p: Pointer): Stream => {
  const entries = new Map<string, ReadonlyArray<string>>()
  range.start(db, p, leastId, greatestId)
  while (range.next()) {
    const pairs: Array<string> = []
    while (range.nextPair()) pairs.push(range.field.latin1(), range.value.latin1())
    entries.set(String(range.id), pairs)
  }
  return {
    entries,
    last: String(Streams.lastId(db, p, new StreamId())),
    maxDeleted: String(Streams.maxDeletedId(db, p, new StreamId())),
    added: Streams.entriesAdded(db, p),
    groups: new Map(
      Streams.groups(db, p).map((g) => [Streams.groupName(db, g, new Slice()).latin1(), readGroup(db, g)])
    ),
    producers: readProducers(db, p)
  }
}

/** The entry of a key that holds a stream; 0 when there is none. */
export const streamEntry = (db: Database, name: string): Pointer => {
  const key = slice(name)
  const p = db.dict.find(db.dict.hash(key.bytes, 0, key.length), key.bytes, 0, key.length)
  return p !== 0 && Entry.typeOf(db.arena, p) === Entry.Type.stream ? p : 0
}
