import { readdirSync, readFileSync } from "node:fs"
import { zstdCompressSync } from "node:zlib"
import { describe, expect, it } from "vitest"
import { commandName, commandNumber } from "../../src/log/commands.ts"
import type { Author } from "../../src/log/event-log.ts"
import { codes, type Event, type EventTag, tags } from "../../src/log/events/catalog.ts"
import { ByteWriter, WireError } from "../../src/log/events/wire.ts"
import { type Footer, readFooter } from "../../src/log/footer.ts"
import { FrameDecoder } from "../../src/log/frame-decoder.ts"
import { buildFrame, frameFlag, FrameHeader, frameHeaderSize, frameType } from "../../src/log/frame.ts"
import { type OpenedLog, openLog } from "../../src/log/store.ts"
import { Slice } from "../../src/projections/memory/slice.ts"
import { frameAt, frameHeaderBytes, framesOf, segmentsOf } from "../support/frames.ts"
import {
  collectionEvents,
  collectionGoldenLog,
  goldenEvents,
  goldenLog,
  streamEvents,
  streamGoldenLog
} from "../support/golden.ts"
import { author, FakeClock, linesOf, logOptions, peek } from "../support/log-writer.ts"
import { forSeeds } from "../support/random.ts"
import { SimDisk } from "../support/sim-disk.ts"

const set = (key: string | Uint8Array, value: string | Uint8Array): Event => ({
  _tag: "StringSet",
  key: typeof key === "string" ? Slice.latin1(key) : new Slice(key),
  value: typeof value === "string" ? Slice.latin1(value) : new Slice(value),
  expireAt: null
})

const start = (changed: Parameters<typeof logOptions>[0] = {}) => {
  const disk = new SimDisk()
  const clock = new FakeClock()
  const options = logOptions({ segmentBytes: 64 << 10, ...changed })
  const log = openLog(disk, clock, options)
  const put = (event: Event, by?: Author): number => log.append(clock.now(), 0, "client", 45, by, [event], 1)
  const frames = () => segmentsOf(disk.files()).flatMap((name) => framesOf(disk.bytes(name)))
  return { disk, clock, options, log, put, frames }
}

describe("golden files of format 1", () => {
  const folder = new URL("../golden/log-1/", import.meta.url)
  const golden = readdirSync(folder).filter((name) => name.endsWith(".evl"))
  const lines = JSON.parse(readFileSync(new URL("batches.json", folder), "utf8")) as Array<string>

  it("are what the log writes today, byte for byte", () => {
    const { files, lines: now } = goldenLog()
    expect([...files.keys()].map((name) => name.slice(4))).toEqual(golden)
    for (const [name, bytes] of files) {
      expect(Buffer.compare(bytes, readFileSync(new URL(name.slice(4), folder))), name).toBe(0)
    }
    expect(now).toEqual(lines)
  })

  it("hold an event of every type and a frame of every type, and replay to the same batches", () => {
    expect(new Set([...goldenEvents, ...collectionEvents, ...streamEvents].map((event) => event._tag))).toEqual(
      new Set(tags)
    )
    const disk = new SimDisk()
    disk.makeFolder("log")
    const types = new Set<string>()
    for (const name of golden) {
      const bytes = readFileSync(new URL(name, folder))
      disk.put(`log/${name}`, bytes)
      for (const frame of framesOf(bytes)) types.add(frame.type)
    }
    expect(types).toEqual(new Set(["BATCHES", "SYNC", "SEAL", "CONTROL", "GAP"]))
    const options = logOptions({ segmentBytes: 4096 })
    expect(peek(disk, (log) => linesOf(log), options)).toEqual(lines)
    expect(peek(disk, (log) => linesOf(log, 30), options)).toEqual(lines.slice(29))
  })

  it.each([
    ["collections", "log-3", collectionGoldenLog],
    ["streams", "log-4", streamGoldenLog]
  ])("hold every event about %s, as the log writes them today", (_what, name, write) => {
    const folderOf = new URL(`../golden/${name}/`, import.meta.url)
    const written = write()
    const disk = new SimDisk()
    disk.makeFolder("log")
    for (const [name, bytes] of written.files) {
      const kept = readFileSync(new URL(name.slice(4), folderOf))
      expect(Buffer.compare(bytes, kept), name).toBe(0)
      disk.put(name, kept)
    }
    expect(written.lines).toEqual(JSON.parse(readFileSync(new URL("batches.json", folderOf), "utf8")))
    expect(peek(disk, (log) => linesOf(log), logOptions({ segmentBytes: 1 << 16 }))).toEqual(written.lines)
  })
})

describe("a frame", () => {
  it("takes at most 27 bytes per SET of a 16-byte key and a 3-byte value, besides its header", () => {
    const { log, put, frames } = start()
    const who = author(1)
    put(set("k", "v"), who)
    log.commit()
    for (const count of [50, 200, 800]) {
      for (let i = 0; i < count; i++) put(set(`key:${String(i).padStart(12, "0")}`, "xxx"), who)
      log.commit()
      const frame = frames().at(-1)!
      expect(frame.count).toBe(count)
      expect((frame.length - frameHeaderBytes) / count).toBeLessThanOrEqual(27)
    }
  })

  it("holds more batches than its header can count", () => {
    const { log, frames, disk, options } = start({ segmentBytes: 1 << 20 })
    const counts = [1, 0xfffe, 0xffff, 0x1_0000, 70_000]
    let sequence = 0
    for (const count of counts) {
      for (let i = 0; i < count; i++) {
        expect(log.append(1000 + i, 0, "client", 1, undefined, [], 0)).toBe(++sequence)
      }
      log.commit()
    }
    expect(frames().map((frame) => frame.count).filter((count) => count > 0)).toEqual(counts)
    let seen = 0
    for (const batch of log.read(1)) expect(batch.sequence).toBe(++seen)
    expect(seen).toBe(sequence)
    log.close()
    expect(peek(disk, (again) => again.sequence(), options)).toBe(sequence)
  })

  it("of more batches than that, refused once, is written whole afterwards", () => {
    const { log, clock, disk } = start({ segmentBytes: 1 << 20 })
    disk.fail({ operation: "write", file: /\.evl$/, short: 999 })
    for (let i = 0; i < 70_000; i++) log.append(1000, 0, "client", 1, undefined, [], 0)
    log.commit()
    expect(log.failure()).toBeDefined()
    expect(log.released()).toBeLessThan(log.lsn())
    clock.advance(150)
    log.tick()
    expect(log.failure()).toBeUndefined()
    let seen = 0
    for (const batch of log.read(1)) expect(batch.sequence).toBe(++seen)
    expect(seen).toBe(70_000)
  })

  it("holds values of any length, their length written in the fewest bytes", () => {
    const { log, put, frames } = start()
    const lengths = [
      0,
      1,
      90,
      95,
      96,
      97,
      98,
      99,
      100,
      101,
      102,
      110,
      120,
      127,
      128,
      16_000,
      16_383,
      16_384,
      70_000,
      2_200_000
    ]
    for (const length of lengths) {
      put(set("k", new Uint8Array(length).fill(length)))
      put({ _tag: "StringAppended", key: Slice.latin1("k"), suffix: new Slice(new Uint8Array(length).fill(7)) })
      log.commit()
    }
    const found: Array<number> = []
    for (const { events: [event] } of log.read(1)) {
      if (event?._tag === "StringSet") found.push(event.value.length)
      else if (event?._tag === "StringAppended") found.push(event.suffix.length)
    }
    expect(found).toEqual(lengths.flatMap((length) => [length, length]))
    for (const [i, frame] of frames().filter((each) => each.count > 0).entries()) {
      const one = 1 + 1 + 1 + 1 + 2 + (lengths[i]! < 128 ? 1 : lengths[i]! < 16_384 ? 2 : lengths[i]! < 2 ** 21 ? 3 : 4)
      const least = 2 * (one + lengths[i]!) + 1
      expect(frame.length - frameHeaderBytes).toBeGreaterThanOrEqual(least)
      expect(frame.length - frameHeaderBytes, `value of ${lengths[i]} bytes`).toBeLessThan(least + 16)
    }
  })

  it("is written early when a turn brings very much, without splitting a batch", () => {
    const { log, put, frames } = start({ segmentBytes: 256 << 20 })
    const value = new Uint8Array(3 << 20)
    for (let i = 0; i < 12; i++) put(set(`k${i}`, value))
    const early = frames().filter((frame) => frame.count > 0)
    expect(early.length).toBeGreaterThan(0)
    log.commit()
    let seen = 0
    for (const batch of log.read(1)) seen += batch.events.length
    expect(seen).toBe(12)
  })
})

describe("decoding", () => {
  const open = (body: Uint8Array, count: number, flags = 0): FrameDecoder => {
    const header = new FrameHeader()
    header.type = frameType.batches
    header.sequence = 1
    header.count = count
    header.time = 1000
    header.flags = flags
    const bytes = buildFrame(header, body)
    const decoder = new FrameDecoder(new Map())
    decoder.open(bytes, 0, header)
    return decoder
  }
  const deleted = (meta: number, before: ReadonlyArray<number>): Uint8Array => {
    const item = [meta, 45, ...before, codes.KeyDeleted, 1, 0x6b]
    return Uint8Array.from([item.length, ...item])
  }

  it("passes over an extension of a later version", () => {
    const decoder = open(deleted(32, [3, 9, 9, 9]), 1)
    expect(decoder.next()).toBe(true)
    expect(decoder.batch.events[0]).toMatchObject({ _tag: "KeyDeleted" })
    expect(decoder.next()).toBe(false)
  })

  it("reads a compressed body", () => {
    const { disk, log, put, options } = start()
    put(set("first", "1"))
    log.commit()
    log.close()
    const plain = Buffer.concat(Array.from({ length: 50 }, () => deleted(0, [])))
    const packed = zstdCompressSync(plain)
    const body = new ByteWriter()
    body.blob(new Slice(packed))
    const header = new FrameHeader()
    Object.assign(header, {
      type: frameType.batches,
      sequence: 2,
      count: 50,
      time: 2e12,
      flags: frameFlag.zstd,
      epoch: 1
    })
    const name = segmentsOf(disk.files()).at(-1)!
    disk.put(name, Buffer.concat([disk.bytes(name), buildFrame(header, body.toBytes())]))
    const lines = peek(disk, (again) => linesOf(again), options)
    expect(lines.length).toBe(51)
    expect(lines[50]).toBe("#51 2000000000000 db0 client c45 [-] KeyDeleted key=k")
  })

  it("refuses what makes no sense, whatever the bytes, without allocating for it", () => {
    expect(() => open(deleted(0, []), 2).next() && open(deleted(0, []), 0).next()).toThrow(WireError)
    forSeeds(3000, (random) => {
      const decoder = open(random.bytes(random.between(1, 60)), random.below(4))
      try {
        while (decoder.next());
      } catch (error) {
        if (!(error instanceof WireError)) throw error
      }
    })
  })
})

describe("the footer of a sealed segment", () => {
  const footers = (disk: SimDisk): Array<Footer> =>
    segmentsOf(disk.files()).flatMap((name) => {
      const file = disk.open(name, "read")
      const footer = readFooter(file, file.size())
      file.close()
      return footer === undefined ? [] : [footer]
    })
  const fill = (log: OpenedLog, from: number, to: number): void => {
    for (let i = from; i < to; i++) {
      log.append(1000 + i * 10, 0, "client", 45, author(i % 6), [set(`key:${i}`, "v".repeat(60))], 1)
      if (i % 5 === 4) log.commit()
    }
    log.commit()
  }
  const check = (disk: SimDisk, total: number): void => {
    const all = footers(disk)
    expect(all.length).toBeGreaterThan(3)
    let next = 1
    for (const { complete, counts, entries, filter, sessions, summary } of all) {
      expect(complete).toBe(true)
      expect(summary.firstSequence).toBe(next)
      next = summary.lastSequence + 1
      expect([...counts]).toEqual([[codes.StringSet satisfies number, next - summary.firstSequence]])
      let strangers = 0
      for (let i = 0; i < total; i++) {
        const key = Buffer.from(`key:${i}`)
        const here = i + 1 >= summary.firstSequence && i + 1 < next
        const may = filter.mayHold(key, 0, key.length)
        if (here) expect(may, `key ${i}`).toBe(true)
        else if (may) strangers++
      }
      expect(strangers, "false alarms").toBeLessThan(total * 0.05)
      expect(entries[0]!.sequence).toBe(summary.firstSequence)
      expect(sessions.length).toBeGreaterThanOrEqual(1)
      expect(summary.firstTime).toBe(1000 + (summary.firstSequence - 1) * 10)
      expect(summary.lastTime).toBe(1000 + (next - 2) * 10)
    }
  }

  it("says which keys, sessions and event types it holds", () => {
    const { disk, log } = start({ segmentBytes: 8192 })
    fill(log, 0, 700)
    check(disk, 700)
  })

  it("covers what was written before a restart too", () => {
    const { clock, disk, log, options } = start({ segmentBytes: 8192 })
    fill(log, 0, 40)
    log.close()
    let again = openLog(disk, clock, options)
    fill(again, 40, 60)
    again.abandon()
    again = openLog(disk, clock, options)
    for (let i = 0; i < 3; i++) again.tick()
    fill(again, 60, 700)
    check(disk, 700)
  })
})

describe("sessions", () => {
  it("are recorded once per segment, and every segment can be read alone", () => {
    const { disk, log, options } = start({ segmentBytes: 4096 })
    const authors = [1, 2, 3].map((id) => author(id))
    for (let i = 0; i < 300; i++) {
      log.append(1000, 0, "client", 1, authors[i % 3], [set(`key:${i}`, "value")], 1)
      if (i % 4 === 3) log.commit()
    }
    log.commit()
    const names = segmentsOf(disk.files())
    expect(names.length).toBeGreaterThan(2)
    for (const name of names) {
      const text = Buffer.from(disk.bytes(name)).toString("latin1")
      for (const { address } of authors) {
        const times = text.split(address).length - 1
        expect(times, `${address} in ${name}`).toBeGreaterThanOrEqual(1)
        expect(times).toBeLessThanOrEqual(2) // twice where the frame that began the segment brought it along
      }
    }
    const lines = linesOf(log)
    log.close()
    for (let from = 1; from <= 300; from += 13) {
      expect(peek(disk, (again) => linesOf(again, from), options)).toEqual(lines.slice(from - 1))
    }
  })
})

describe("command numbers", () => {
  it("name each command once, and the most frequent writes in one byte", () => {
    expect(commandNumber("no such command")).toBe(0)
    expect(commandName(0)).toBeUndefined()
    const seen = new Set<string>()
    for (let number = 1; commandName(number) !== undefined; number++) {
      const name = commandName(number)!
      expect(commandNumber(name)).toBe(number)
      seen.add(name)
    }
    expect(seen.size).toBeGreaterThan(550)
    for (const name of ["set", "incr", "del", "lpush", "sadd", "hset"]) expect(commandNumber(name)).toBeGreaterThan(0)
    for (const name of ["set", "incr", "del", "expire"]) expect(commandNumber(name)).toBeLessThan(128)
  })
})

it("frames stand where the layout says", () => {
  const { disk, log, put } = start()
  put(set("key", "value"))
  log.commit()
  const bytes = disk.bytes(segmentsOf(disk.files())[0]!)
  expect(frameAt(bytes, 128)).toMatchObject({ type: "BATCHES", sequence: 1, count: 1, lag: 0 })
  expect(frameHeaderSize).toBe(frameHeaderBytes)
  const tag: EventTag = "StringSet"
  const body = [15, 0, 45, codes[tag], 3, ...Buffer.from("key"), 5, ...Buffer.from("value"), 0]
  body[0] = body.length - 1
  expect([...bytes.subarray(168, 168 + body.length)]).toEqual(body)
})
