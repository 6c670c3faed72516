/** Batches with events of several databases: what EXEC with a SELECT inside leaves. */
import { readFileSync } from "node:fs"
import { describe, expect, it } from "vitest"
import type { ControlPorts } from "../../src/commands/executor/executor-ports.ts"
import { CommandExecutor } from "../../src/commands/executor/executor.ts"
import type { Event } from "../../src/log/events/catalog.ts"
import { WireError } from "../../src/log/events/wire.ts"
import { FrameDecoder } from "../../src/log/frame-decoder.ts"
import { FrameEncoder } from "../../src/log/frame-encoder.ts"
import { FrameHeader, frameHeaderSize, frameType } from "../../src/log/frame.ts"
import { memoryLog } from "../../src/log/memory-log.ts"
import { openLog } from "../../src/log/store.ts"
import { ReplyBuffer } from "../../src/net/resp/encoder.ts"
import { stateDigest } from "../../src/projections/digest.ts"
import { Keyspace } from "../../src/projections/keyspace.ts"
import { Slice } from "../../src/projections/memory/slice.ts"
import { replay } from "../../src/projections/replay.ts"
import { plain, randomEvent } from "../support/events.ts"
import { framesOf } from "../support/frames.ts"
import { mixedGoldenLog } from "../support/golden.ts"
import { argvOf, TestConnection } from "../support/harness.ts"
import { FakeClock, linesOf, logOptions, mixedDbs, peek } from "../support/log-writer.ts"
import { forSeeds } from "../support/random.ts"
import { SimDisk } from "../support/sim-disk.ts"

const deleted = (key: string): Event => ({ _tag: "KeyDeleted", key: Slice.latin1(key) })

/** Bytes of one frame's body, and what they are read back as. */
const body = (encoder: FrameEncoder): Uint8Array => encoder.out.bytes.slice(frameHeaderSize, encoder.out.length)

const decoderOf = (bytes: Uint8Array, count: number): FrameDecoder => {
  const frame = new Uint8Array(frameHeaderSize + bytes.length)
  frame.set(bytes, frameHeaderSize)
  const header = new FrameHeader()
  header.type = frameType.batches
  header.length = frame.length
  header.count = count
  header.sequence = 1
  const decoder = new FrameDecoder(new Map())
  decoder.open(frame, 0, header)
  return decoder
}

describe("a batch over several databases", () => {
  it("has a zero and the database before each event that is of another than the one before it", () => {
    const encoder = new FrameEncoder()
    const events = ["a", "b", "c", "d"].map(deleted)
    encoder.append(1000, 3, "client", 45, undefined, events, 4, [3, 3, 200, 3])
    encoder.append(1000, 3, "client", 45, undefined, events, 1)
    // length, meta (db, several events), db, command, count | KeyDeleted a, b | switch to 200 | c | switch to 3 | d
    expect(Buffer.from(body(encoder)).toString("hex").match(/../g)!.join(" ")).toBe(
      "15 14 03 2d 04 01 01 61 01 01 62 00 c8 01 01 01 63 00 03 01 01 64 " +
        "05 00 2d 01 01 61"
    )
    const decoder = decoderOf(body(encoder), 2)
    expect(decoder.next()).toBe(true)
    expect(decoder.batch).toMatchObject({ db: 3, dbs: [3, 3, 200, 3] })
    expect(decoder.next()).toBe(true)
    expect(decoder.batch).toMatchObject({ db: 3, dbs: undefined })
    expect(decoder.next()).toBe(false)
  })

  it("comes back as it went in, among others, whatever its events", () => {
    forSeeds(300, (random) => {
      const encoder = new FrameEncoder()
      const log = memoryLog()
      const batches = Array.from({ length: random.between(1, 6) }, () => {
        const count = random.between(2, 12)
        const events = Array.from({ length: count }, () => randomEvent(random))
        const db = random.below(4)
        return { events, db, dbs: random.chance(0.6) ? mixedDbs(random, db, count) : undefined }
      })
      for (const { db, dbs, events } of batches) {
        encoder.append(1000, db, "client", 1, undefined, events, events.length, dbs)
        log.append(1000, db, "client", 1, undefined, events, events.length, dbs)
      }
      log.commit()
      const decoder = decoderOf(body(encoder), batches.length)
      const inMemory = log.read(1)[Symbol.iterator]()
      for (const { db, dbs, events } of batches) {
        expect(decoder.next()).toBe(true)
        for (const batch of [decoder.batch, inMemory.next().value!]) {
          expect(batch.db).toBe(db)
          expect(batch.dbs).toEqual(dbs)
          expect(plain(batch.events)).toEqual(plain(events))
        }
      }
    })
  })

  it("is refused when a switch stands where no event follows, or is cut", () => {
    const read = (bytes: ReadonlyArray<number>): void => void decoderOf(Uint8Array.from(bytes), 1).next()
    expect(() => read([9, 16, 1, 1, 1, 1, 0x61, 0, 2, 0])).toThrow(WireError)
    expect(() => read([9, 16, 1, 2, 1, 1, 0x61, 0, 2])).toThrow(WireError)
    expect(() => read([8, 16, 1, 2, 1, 1, 0x61, 0, 0x80])).toThrow(WireError)
    // The first event's database stands in the envelope.
    expect(() => read([8, 16, 1, 1, 0, 2, 1, 1, 0x61])).toThrow(WireError)
  })

  it("is read from the golden files, which are what the log writes today", () => {
    const folder = new URL("../golden/log-2/", import.meta.url)
    const { files, lines } = mixedGoldenLog()
    const disk = new SimDisk()
    disk.makeFolder("log")
    for (const [name, bytes] of files) {
      const golden = readFileSync(new URL(name.slice(4), folder))
      expect(Buffer.compare(bytes, golden), name).toBe(0)
      disk.put(name, golden)
    }
    expect(lines).toEqual(JSON.parse(readFileSync(new URL("batches.json", folder), "utf8")))
    expect(peek(disk, (log) => linesOf(log), logOptions({ segmentBytes: 4096 }))).toEqual(lines)
  })
})

describe("an EXEC that the end of the log cuts", () => {
  const request = [
    "MULTI",
    "SET a taken",
    "SELECT 1",
    "SET a given",
    "INCR count",
    "SWAPDB 1 2",
    "GET dies",
    "RENAME b c",
    "SELECT 0",
    "MOVE c 3",
    "DEL other",
    "SELECT 2",
    "APPEND a more",
    "EXEC"
  ]

  it("is there whole or not at all, at every byte", () => {
    const disk = new SimDisk()
    const clock = new FakeClock()
    const options = logOptions({ policy: "no", segmentBytes: 1 << 16 })
    const log = openLog(disk, clock, options)
    const keyspace = new Keyspace(4, { k0: 1, k1: 2 })
    const executor = new CommandExecutor({
      keyspace,
      log,
      now: () => clock.now(),
      monotonic: () => clock.monotonic(),
      seed: 1
    })
    executor.attach({} as ControlPorts) // transactions and SELECT ask for none of them
    const connection = new TestConnection(1, clock.now())
    const run = (...lines: ReadonlyArray<string>): void => {
      for (const line of lines) {
        executor.beginChunk()
        executor.execute(connection, argvOf(line.split(" ")), new ReplyBuffer())
      }
      log.commit()
    }
    const name = (): string => disk.files().find((file) => file.endsWith(".evl"))!
    run(
      "SET a 1",
      "SET other 1",
      "SET c 9",
      "SELECT 2",
      "SET b 2",
      "SET dies 1 PX 50",
      "SELECT 1",
      "SET a 5",
      "SELECT 0"
    )
    clock.advance(100)
    const before = { digest: stateDigest(keyspace), length: disk.bytes(name()).length, sequence: log.sequence() }
    run(...request)
    const after = { digest: stateDigest(keyspace), length: disk.bytes(name()).length, sequence: log.sequence() }
    expect(after.sequence).toBe(before.sequence + 1)
    expect(after.digest).not.toBe(before.digest)
    expect([...log.read(after.sequence)][0]!.events.map((event) => event._tag)).toEqual([
      "StringSet",
      "StringSet",
      "StringIncremented",
      "DatabasesSwapped",
      "KeyExpired",
      "KeyRenamed",
      "KeyMoved",
      "KeyDeleted",
      "StringAppended"
    ])
    const bytes = disk.bytes(name())
    expect(framesOf(bytes).at(-1)!.count).toBe(1)
    for (let length = before.length; length <= after.length; length++) {
      const cut = new SimDisk()
      cut.put(name(), bytes.slice(0, length))
      peek(
        cut,
        (again) => {
          const other = new Keyspace(4, { k0: 3, k1: 5 })
          const { sequence } = replay(other, again.read(1))
          const expected = length === after.length ? after : before
          expect(sequence, `cut to ${length} bytes`).toBe(expected.sequence)
          expect(stateDigest(other), `cut to ${length} bytes`).toBe(expected.digest)
        },
        options,
        clock
      )
    }
  })
})
