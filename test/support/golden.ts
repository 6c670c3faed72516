import { existsSync, mkdirSync, rmSync, writeFileSync } from "node:fs"
import { compressSegment, publishCompressed } from "../../src/log/compression.ts"
import type { Event } from "../../src/log/events/catalog.ts"
import { buildFrame, FrameHeader, frameType, gapBody } from "../../src/log/frame.ts"
import { recoverLog } from "../../src/log/recovery.ts"
import { type OpenedLog, openLog } from "../../src/log/store.ts"
import { Slice } from "../../src/projections/memory/slice.ts"
import { StreamId } from "../../src/projections/memory/stream-id.ts"
import { atOnce } from "./compressing.ts"
import { author, FakeClock, linesOf, logOptions, peek } from "./log-writer.ts"
import { SimDisk } from "./sim-disk.ts"

const bytes = (...texts: ReadonlyArray<string>): ReadonlyArray<Slice> => texts.map((text) => Slice.latin1(text))

/** One event of every type, by name, with values that show their encoding. Only ever added to, at the end. */
export const goldenEvents: ReadonlyArray<Event> = [
  { _tag: "StringSet", key: Slice.latin1("key:000000012345"), value: Slice.latin1("xxx"), expireAt: null },
  {
    _tag: "StringSet",
    key: Slice.latin1("session"),
    value: Slice.latin1("\0\xff binary \r\n"),
    expireAt: 1_790_000_060_000
  },
  { _tag: "StringIncremented", key: Slice.latin1("hits"), value: -1 },
  { _tag: "StringIncremented", key: Slice.latin1("wide"), value: 2n ** 63n - 1n },
  { _tag: "StringFloatIncremented", key: Slice.latin1("ratio"), value: Slice.latin1("3.14") },
  { _tag: "StringAppended", key: Slice.latin1("log"), suffix: Slice.latin1("line\n") },
  { _tag: "StringRangeSet", key: Slice.latin1("blob"), offset: 100_000, value: Slice.latin1("patch") },
  { _tag: "KeyDeleted", key: Slice.latin1("gone") },
  { _tag: "KeyExpired", key: Slice.latin1("") },
  { _tag: "KeyExpirySet", key: Slice.latin1("session"), expireAt: 1_790_000_120_000 },
  { _tag: "KeyPersisted", key: Slice.latin1("session") },
  { _tag: "KeyRenamed", key: Slice.latin1("from"), to: Slice.latin1("to") },
  { _tag: "KeyCopied", key: Slice.latin1("from"), to: Slice.latin1("copy"), toDb: 3 },
  { _tag: "KeyMoved", key: Slice.latin1("moved"), toDb: 15 },
  { _tag: "DatabasesSwapped", first: 0, second: 1 },
  { _tag: "DatabaseFlushed" },
  { _tag: "KeyspaceFlushed" },
  { _tag: "KeyEvicted", key: Slice.latin1("cold"), policy: "allkeys-lfu" },
  { _tag: "StringsCombined", key: Slice.latin1("both"), operation: "ANDOR", sources: bytes("monday", "tuesday", "") },
  {
    _tag: "StringSpliced",
    key: Slice.latin1("visitors"),
    offset: 18,
    removed: 300,
    value: Slice.latin1("\x80\x43\xff")
  }
]

/** One event of every type about lists, sets, hashes and sorted sets. Only ever added to, at the end. */
export const collectionEvents: ReadonlyArray<Event> = [
  { _tag: "ListPushed", key: Slice.latin1("queue"), side: "left", elements: bytes("job:1", "", "12") },
  { _tag: "ListPushed", key: Slice.latin1("queue"), side: "right", elements: bytes("\xff\0") },
  { _tag: "ListPopped", key: Slice.latin1("queue"), side: "right", elements: bytes("\xff\0") },
  { _tag: "ListElementSet", key: Slice.latin1("queue"), index: 300, element: Slice.latin1("x") },
  { _tag: "ListElementInserted", key: Slice.latin1("queue"), index: 0, element: Slice.latin1("y") },
  { _tag: "ListElementsRemoved", key: Slice.latin1("queue"), element: Slice.latin1("z"), indexes: [0, 7, 70_000] },
  { _tag: "ListTrimmed", key: Slice.latin1("queue"), start: 1, stop: 128 },
  { _tag: "SetMembersAdded", key: Slice.latin1("tags"), members: bytes("red", "7", "-1") },
  { _tag: "SetMembersRemoved", key: Slice.latin1("tags"), members: bytes("red") },
  { _tag: "HashFieldsSet", key: Slice.latin1("user:1"), pairs: bytes("name", "Ada", "born", "1815") },
  { _tag: "HashFieldsUpdated", key: Slice.latin1("user:1"), pairs: bytes("visits", "3") },
  { _tag: "HashFieldsDeleted", key: Slice.latin1("user:1"), fields: bytes("born") },
  { _tag: "HashFieldsExpired", key: Slice.latin1("user:1"), fields: bytes("token", "nonce") },
  {
    _tag: "HashFieldsExpirySet",
    key: Slice.latin1("user:1"),
    expireAt: 1_790_000_060_000,
    fields: bytes("token")
  },
  { _tag: "HashFieldsPersisted", key: Slice.latin1("user:1"), fields: bytes("name") },
  {
    _tag: "SortedSetMembersScored",
    key: Slice.latin1("board"),
    members: bytes("ada", "bob", "eve"),
    scores: [1.5, -Infinity, 0]
  },
  { _tag: "SortedSetMembersRemoved", key: Slice.latin1("board"), members: bytes("bob") },
  { _tag: "SortedSetRangeRemoved", key: Slice.latin1("board"), start: 0, stop: 200 },
  {
    _tag: "CollectionRestored",
    key: Slice.latin1("tags"),
    shape: 36,
    bytes: Slice.latin1("\x02\x01\0\x02\0"),
    expireAt: 1_790_000_060_000
  },
  { _tag: "ListNodeRestored", key: Slice.latin1("queue"), ordinal: 3, count: 1, pack: Slice.latin1("\x07\x01") }
]

const ids = (...texts: ReadonlyArray<string>): ReadonlyArray<StreamId> =>
  texts.map((text) => {
    const [ms, seq] = text.split("-").map(BigInt) as [bigint, bigint]
    return StreamId.of(ms, seq)
  })
const id = (text: string): StreamId => ids(text)[0]!

const orders = Slice.latin1("orders")
const group = Slice.latin1("packers")
const consumer = Slice.latin1("ada")

/** One event of every type about streams. Only ever added to, at the end. */
export const streamEvents: ReadonlyArray<Event> = [
  { _tag: "StreamEntryAdded", key: orders, id: id("1700000000000-0"), pairs: bytes("item", "lamp", "count", "2") },
  {
    _tag: "StreamEntryAdded",
    key: orders,
    id: id("18446744073709551615-18446744073709551615"),
    pairs: bytes("", "\xff")
  },
  { _tag: "StreamCreated", key: orders },
  { _tag: "StreamEntriesDeleted", key: orders, ids: ids("1700000000000-0", "9007199254740993-4294967296") },
  { _tag: "StreamTrimmed", key: orders, count: 100 },
  { _tag: "StreamEntriesTrimmed", key: orders, ids: ids("1700000000000-1") },
  {
    _tag: "StreamIdSet",
    key: orders,
    lastId: id("1700000000001-7"),
    entriesAdded: 300,
    maxDeletedId: id("1700000000000-0")
  },
  { _tag: "StreamConfigured", key: orders, durationSeconds: 86_400, maxSize: 10_000 },
  {
    _tag: "StreamProducerNoted",
    key: orders,
    producer: Slice.latin1("till-1"),
    iid: Slice.latin1("sale-9"),
    id: id("1700000000001-7"),
    time: 1_790_000_060_000
  },
  { _tag: "StreamDuplicateRefused", key: orders },
  { _tag: "StreamGroupCreated", key: orders, group, lastDelivered: id("0-0"), entriesRead: null },
  { _tag: "StreamGroupIdSet", key: orders, group, lastDelivered: id("1700000000000-0"), entriesRead: 2n ** 63n - 1n },
  { _tag: "StreamConsumerCreated", key: orders, group, consumer, time: 1_790_000_060_000 },
  {
    _tag: "StreamEntriesDelivered",
    key: orders,
    group,
    consumer,
    ids: ids("1700000000001-0", "1700000000001-1"),
    lastDelivered: id("1700000000001-1"),
    entriesRead: 2,
    time: 1_790_000_060_000
  },
  {
    _tag: "StreamEntriesClaimed",
    key: orders,
    group,
    consumer,
    ids: ids("1700000000001-0", "1700000000001-1"),
    counts: [2, 2n ** 63n - 1n],
    deliveredAt: 0,
    time: 1_790_000_061_000
  },
  { _tag: "StreamEntriesAcknowledged", key: orders, group, ids: ids("1700000000001-1") },
  { _tag: "StreamEntriesReleased", key: orders, group, ids: ids("1700000000001-0"), counts: [1], deliveredAt: 1 },
  { _tag: "StreamConsumerDeleted", key: orders, group, consumer },
  { _tag: "StreamGroupDestroyed", key: orders, group },
  {
    _tag: "StreamNodeRestored",
    key: orders,
    id: id("5-1"),
    pack: Slice.latin1("\x01\x01\x81f\x02\0\x01\x02\x01\0\x01\0\x01\x81v\x02\x04\x01")
  },
  {
    _tag: "StreamConsumerRestored",
    key: orders,
    group,
    consumer,
    seen: 1_790_000_060_000,
    active: 1_790_000_059_000
  },
  { _tag: "StreamConsumerRestored", key: orders, group, consumer: Slice.latin1(""), seen: 0, active: null },
  {
    _tag: "StreamPendingRestored",
    key: orders,
    group,
    consumers: [consumer],
    owners: [1, 0],
    ids: ids("5-1", "6-0"),
    times: [1_790_000_060_000, 1],
    counts: [1, 3]
  },
  {
    _tag: "StreamProducersRestored",
    key: orders,
    durationSeconds: 100,
    maxSize: 100,
    noted: 5,
    duplicates: 2
  },
  {
    _tag: "StreamProducerRestored",
    key: orders,
    producer: Slice.latin1("till-1"),
    iids: bytes("sale-8", "sale-9"),
    ids: ids("5-1", "6-0"),
    times: [1_790_000_059_000, 1_790_000_060_000]
  }
]

/** A log with every kind of record and frame, the same bytes each time. */
export interface GoldenLog {
  /** Files by name. */
  readonly files: ReadonlyMap<string, Uint8Array>
  /** Every batch as a line of text. */
  readonly lines: ReadonlyArray<string>
}

/** Writes the golden log anew. */
export const goldenLog = (): GoldenLog => {
  const disk = new SimDisk()
  const clock = new FakeClock()
  const options = logOptions({ segmentBytes: 4096, chainInterval: { ms: 10_000, bytes: 1 << 20 } })
  const one = author(1)
  const two = author(2)
  let log = openLog(disk, clock, options)
  const pass = (ms: number): void => {
    for (let left = ms; left > 0; left -= 50) {
      clock.advance(50)
      log.tick()
      disk.runPending()
    }
  }
  const put = (event: Event, by = one, db = 0, origin: Parameters<OpenedLog["append"]>[2] = "client"): number =>
    log.append(clock.now(), db, origin, 45, by, [event], 1)

  for (const event of goldenEvents) put(event)
  log.commit()
  pass(1500) // synced, then vouched for by a SYNC frame
  put(goldenEvents[0]!, two, 2)
  clock.advance(3)
  log.append(clock.now(), 0, "expire", 0, undefined, goldenEvents.slice(0, 9), 9)
  log.append(clock.now(), 0, "script", 0, { ...one, name: "renamed", revision: 2 }, [], 0)
  for (const origin of ["evict", "replica", "import", "undo", "admin"] as const) put(goldenEvents[1]!, two, 15, origin)
  log.commit()
  clock.wall -= 60_000 // a CONTROL record
  put(goldenEvents[2]!)
  log.commit()
  pass(12_000) // a SEAL between rotations
  const long = Slice.latin1("value ".repeat(60))
  for (let i = 0; i < 12; i++) { // into the next segment
    put({ _tag: "StringSet", key: Slice.latin1(`big:${i}`), value: long, expireAt: null })
    log.commit()
  }
  put(goldenEvents[0]!)
  log.commit()
  pass(1500)
  log.close()

  // A GAP stands where a salvage found nothing to keep.
  const active = disk.files().filter((name) => name.endsWith(".evl")).sort().at(-1)!
  const gap = new FrameHeader()
  gap.type = frameType.gap
  gap.sequence = log.sequence() + 1
  gap.time = clock.now()
  gap.epoch = 1
  const frame = buildFrame(gap, gapBody(3, 4096, "salvaged"))
  disk.put(active, Buffer.concat([disk.bytes(active), frame]))
  log = openLog(disk, clock, options)
  put(goldenEvents[3]!)
  log.commit()
  log.close()

  log = openLog(disk, clock, options)
  const lines = linesOf(log)
  log.abandon()
  const files = new Map<string, Uint8Array>()
  for (const name of disk.files()) if (name.endsWith(".evl")) files.set(name, disk.bytes(name))
  return { files, lines }
}

/** A log with batches over several databases, the same bytes each time. */
export const mixedGoldenLog = (): GoldenLog => {
  const disk = new SimDisk()
  const clock = new FakeClock()
  const options = logOptions({ segmentBytes: 4096 })
  const log = openLog(disk, clock, options)
  const who = author(1)
  const [set, dated, counted] = goldenEvents as [Event, Event, Event]
  const put = (events: ReadonlyArray<Event>, dbs: ReadonlyArray<number>): number =>
    log.append(clock.now(), dbs[0]!, "client", 300, who, events, events.length, dbs.length > 1 ? dbs : undefined)
  put([set], [0])
  put([set, dated], [0, 1])
  put([counted, set, dated, counted], [7, 7, 300, 7])
  clock.advance(5)
  put([set], [7])
  log.commit()
  put([set, counted, set], [0, 15, 0])
  log.commit()
  log.close()
  const files = new Map<string, Uint8Array>()
  for (const name of disk.files()) if (name.endsWith(".evl")) files.set(name, disk.bytes(name))
  return { files, lines: peek(disk, (again) => linesOf(again), options) }
}

/** A log with an event of every type about collections, the same bytes each time. */
export const collectionGoldenLog = (): GoldenLog => plainGoldenLog(collectionEvents)

/** A log with an event of every type about streams, the same bytes each time. */
export const streamGoldenLog = (): GoldenLog => plainGoldenLog(streamEvents)

/** A log of these events, each in a batch of its own and then all in one. */
const plainGoldenLog = (events: ReadonlyArray<Event>): GoldenLog => {
  const disk = new SimDisk()
  const clock = new FakeClock()
  const options = logOptions({ segmentBytes: 1 << 16 })
  const log = openLog(disk, clock, options)
  for (const event of events) log.append(clock.now(), 0, "client", 300, author(1), [event], 1)
  log.append(clock.now(), 3, "client", 300, author(1), events, events.length)
  log.commit()
  log.close()
  const files = new Map<string, Uint8Array>()
  for (const name of disk.files()) if (name.endsWith(".evl")) files.set(name, disk.bytes(name))
  return { files, lines: peek(disk, (again) => linesOf(again), options) }
}

/** Writes the golden files; run by hand when the format gains something: `node test/support/golden.ts`. */
const main = async (): Promise<void> => {
  for (
    const [number, { files, lines }] of [
      [1, goldenLog()],
      [2, mixedGoldenLog()],
      [3, collectionGoldenLog()],
      [4, streamGoldenLog()]
    ] as const
  ) {
    const folder = new URL(`../golden/log-${number}/`, import.meta.url)
    rmSync(folder, { recursive: true, force: true })
    mkdirSync(folder, { recursive: true })
    for (const [name, bytes] of files) writeFileSync(new URL(name.slice("log/".length), folder), bytes)
    writeFileSync(new URL("batches.json", folder), `${JSON.stringify(lines, null, 1)}\n`)
  }
  // The vocabulary of events grows, the format of compressed segments does not: what once was written has to stay.
  const compressed = new URL("../golden/log-1-compressed/", import.meta.url)
  if (existsSync(compressed)) return
  const { files, lines } = goldenLog()
  const disk = new SimDisk()
  disk.immediate = true
  for (const [name, bytes] of files) disk.put(name, bytes)
  const options = { segmentBytes: 4096, randomId: () => new Uint8Array(36), now: 0, warn: () => {} }
  const oldest = recoverLog(disk, options).sealed[0]!
  await compressSegment(disk, oldest, atOnce)
  publishCompressed(disk, oldest.header.firstSequence)
  disk.unlink(oldest.name)
  mkdirSync(compressed, { recursive: true })
  for (const name of disk.files()) {
    if (name.startsWith("log/")) writeFileSync(new URL(name.slice("log/".length), compressed), disk.bytes(name))
  }
  writeFileSync(new URL("batches.json", compressed), `${JSON.stringify(lines, null, 1)}\n`)
}
if (import.meta.main) await main()
