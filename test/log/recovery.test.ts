import * as zlib from "node:zlib"
import { describe, expect, it } from "vitest"
import { buildFrame, FrameHeader, frameType, gapBody } from "../../src/log/frame.ts"
import { openLog } from "../../src/log/store.ts"
import { framesOf, headerOf, segmentsOf } from "../support/frames.ts"
import { FakeClock, linesOf, logOptions, type Outcome, outcomeOf, Writer } from "../support/log-writer.ts"
import { Random } from "../support/random.ts"
import { sampleLog, sampleOptions, smallSegments, withFile, withoutManifest } from "../support/sample-log.ts"
import { SimDisk } from "../support/sim-disk.ts"

/** The table of verdicts, row by row, with what the user is told and what is touched. */

const everything = (disk: SimDisk): ReadonlyArray<unknown> => disk.files().map((name) => [name, disk.bytes(name)])

const opened = (outcome: Outcome) => {
  if (!("lines" in outcome)) throw new Error(`${outcome.verdict}: ${outcome.message}`)
  return outcome
}
const refused = (outcome: Outcome) => {
  if ("lines" in outcome) throw new Error(`opened as ${outcome.verdict} with ${outcome.lines.length} batches`)
  return outcome
}

/** A header with some bytes changed and its checksum made right. */
const withHeader = (bytes: Uint8Array, change: (header: Buffer) => void): Uint8Array => {
  const copy = Buffer.from(bytes)
  change(copy)
  copy.writeUInt32LE(zlib.crc32(copy.subarray(0, 124)), 124)
  return copy
}

const killed = sampleLog(41, { closed: false, bytes: 13_000, options: smallSegments })
const single = sampleLog(42, { closed: false, bytes: 9000 })

describe("opening a log", () => {
  it("where there is none makes one, and an empty one opens clean", () => {
    const disk = new SimDisk()
    const first = opened(outcomeOf(disk))
    expect(first).toMatchObject({ verdict: "new", lines: [] })
    expect(first.log).toMatchObject({ sequence: 0, tornBytes: 0, quarantine: undefined })
    expect(opened(outcomeOf(disk)).lines).toEqual([])
  })

  it("that was killed is clean when its frames are whole, and says where it stands", () => {
    const outcome = opened(outcomeOf(killed.disk.settled(), smallSegments))
    expect(outcome.verdict).toBe("clean")
    expect(outcome.lines).toEqual(killed.lines)
    expect(outcome.log.sequence).toBe(killed.lines.length)
    expect(outcome.log.segments).toBe(killed.sealed.length + 1)
  })

  it("fsyncs what it found before trusting it", () => {
    const disk = single.disk.settled()
    openLog(disk, new FakeClock(), sampleOptions).abandon()
    expect(disk.journal.some((call) => /(fsync|fdatasync) log\/.*\.evl/.test(call))).toBe(true)
    expect(disk.journal.some((call) => /syncFolder log/.test(call))).toBe(true)
  })

  it("is idempotent: opening again changes nothing", () => {
    const last = single.frames.at(-1)!
    const disk = withFile(single.disk, single.active, single.bytes.subarray(0, last.position + last.length - 3))
    const first = opened(outcomeOf(disk, sampleOptions))
    expect(first.verdict).toBe("torn")
    const files = disk.files()
    const second = opened(outcomeOf(disk, sampleOptions))
    expect(second.verdict).toBe("clean")
    expect(second.lines).toEqual(first.lines)
    const third = opened(outcomeOf(disk, sampleOptions))
    expect(third.lines).toEqual(first.lines)
    expect(disk.files()).toEqual(files)
  })

  it("counts torn bytes in its status", () => {
    const last = single.frames.at(-1)!
    const disk = withFile(single.disk, single.active, single.bytes.subarray(0, last.position + 21))
    const log = openLog(disk, new FakeClock(), sampleOptions)
    expect(log.status().tornBytes).toBe(21)
    expect(log.recovery).toMatchObject({ verdict: "torn", tornBytes: 21 })
    log.abandon()
  })

  it("takes later valid frames as witnesses: a bad frame with durable ones behind it is corrupt, without any manifest", () => {
    const base = withoutManifest(single.disk)
    const frames = single.frames.filter((frame) => frame.type === "BATCHES")
    const hit = frames[Math.floor(frames.length / 2)]!
    const bytes = single.bytes.slice()
    bytes.fill(0, hit.position, hit.position + hit.length)
    const outcome = refused(outcomeOf(withFile(base, single.active, bytes), sampleOptions))
    expect(outcome.verdict).toBe("corrupt")
  })
})

describe("a log damaged below its durable mark", () => {
  const frames = framesOf(single.bytes).filter((frame) => frame.type === "BATCHES")
  const hit = frames[5]!
  const bytes = single.bytes.slice()
  bytes[hit.position + 45]! ^= 4
  const disk = withFile(single.disk, single.active, bytes)
  const before = everything(disk)
  const outcome = refused(outcomeOf(disk, sampleOptions))

  it("is refused with exit code 3 and exact facts", () => {
    expect(outcome.verdict).toBe("corrupt")
    expect(outcome.error).toMatchObject({
      _tag: "LogCorrupt",
      exitCode: 3,
      position: hit.position,
      lsn: headerOf(bytes).lsn + hit.position - 128,
      sequence: hit.sequence
    })
    const error = outcome.error as { segment: string; bytesLost: number; timeBefore?: number; timeAfter?: number }
    expect(error.segment).toContain("00000000000000000001.evl")
    expect(error.bytesLost).toBeGreaterThan(0)
    expect(error.timeBefore).toBeLessThanOrEqual(error.timeAfter!)
  })

  it("tells segment, position, sequence, times and the three repairs", () => {
    const text = outcome.message
    expect(text).toContain("00000000000000000001.evl")
    expect(text).toContain(String(hit.sequence))
    expect(text).toContain(String(headerOf(bytes).lsn + hit.position - 128))
    expect(text).toMatch(/\d{4}-\d\d-\d\d/)
    expect(text).toMatch(/replica/i)
    expect(text).toMatch(/archive/i)
    expect(text).toMatch(/annals salvage/)
    expect(text).toMatch(/GAP/)
  })

  it("is left exactly as it was", () => {
    expect(everything(disk)).toEqual(before)
    expect(disk.files().some((name) => name.startsWith("quarantine/"))).toBe(false)
  })

  it("gives its lock back, so that a repair can take it", () => {
    disk.lock("LOCK")()
  })
})

describe("segments that do not belong together", () => {
  const segments = segmentsOf(killed.disk.files())
  const second = segments[1]!
  const refusedAs = (disk: SimDisk) => {
    const outcome = refused(outcomeOf(disk, smallSegments))
    expect(outcome.verdict).toBe("corrupt")
    return outcome
  }

  it("a hole is corrupt and names the missing sequences", () => {
    const outcome = refusedAs(withFile(killed.disk, second, undefined))
    expect(outcome.error).toMatchObject({ sequence: headerOf(killed.disk.bytes(second)).sequence })
    refusedAs(withFile(withoutManifest(killed.disk), second, undefined))
  })

  it("another store's id is corrupt, in any segment, with the manifest and without", () => {
    for (const base of [killed.disk, withoutManifest(killed.disk)]) {
      for (const name of segments.slice(1)) {
        const bytes = withHeader(killed.disk.bytes(name), (header) => header.fill(0xee, 16, 32))
        refusedAs(withFile(base, name, bytes))
      }
    }
    refusedAs(
      withFile(killed.disk, segments[0]!, withHeader(killed.disk.bytes(segments[0]!), (h) => h.fill(0xee, 16, 32)))
    )
  })

  it("a chain value that does not continue the segment before is corrupt", () => {
    for (const name of segments.slice(1)) {
      const bytes = withHeader(killed.disk.bytes(name), (header) => header.fill(0xdd, 80, 112))
      refusedAs(withFile(killed.disk, name, bytes))
      refusedAs(withFile(withoutManifest(killed.disk), name, bytes))
    }
  })

  it("a first sequence or stream position that does not follow is corrupt", () => {
    for (const name of segments.slice(1)) {
      const bytes = killed.disk.bytes(name)
      const lsn = headerOf(bytes).lsn
      refusedAs(withFile(killed.disk, name, withHeader(bytes, (h) => h.writeBigUInt64LE(BigInt(lsn + 8), 64))))
      refusedAs(withFile(killed.disk, name, withHeader(bytes, (h) => h.writeBigUInt64LE(1n, 56))))
    }
  })

  it("the first segment missing, without a manifest that says retention took it, is corrupt", () => {
    refusedAs(withFile(killed.disk, segments[0]!, undefined))
  })
})

describe("a newer format", () => {
  it("in any segment is refused with exit code 4, touching nothing", () => {
    for (const name of segmentsOf(killed.disk.files())) {
      const bytes = withHeader(killed.disk.bytes(name), (header) => {
        header.writeUInt16LE(7, 8)
        header.writeUInt16LE(7, 10)
      })
      const disk = withFile(killed.disk, name, bytes)
      const before = everything(disk)
      const outcome = refused(outcomeOf(disk, smallSegments))
      expect(outcome.verdict).toBe("too new")
      expect(outcome.error).toMatchObject({ _tag: "LogFormatTooNew", exitCode: 4, oldestReader: 7 })
      expect(outcome.message).toMatch(/newer|version/i)
      expect(everything(disk)).toEqual(before)
    }
  })

  it("that older readers may read is read", () => {
    const options = logOptions({ segmentBytes: 64 * 1024 })
    const sample = sampleLog(43, { closed: false, bytes: 4000, options }) // without a SEAL, which covers the header too
    const bytes = withHeader(sample.bytes, (header) => header.writeUInt16LE(2, 8))
    expect(opened(outcomeOf(withFile(sample.disk, sample.active, bytes), options)).lines).toEqual(sample.lines)
  })
})

describe("leftovers of an interrupted rotation", () => {
  it("a temporary segment is removed, or used, and never read", () => {
    const next = `log/${String(killed.lines.length + 1).padStart(20, "0")}.evl`
    for (const content of [new Uint8Array(0), new Uint8Array(128), killed.disk.bytes(killed.active)]) {
      const disk = withFile(killed.disk, `${next}.tmp`, content)
      expect(opened(outcomeOf(disk, smallSegments)).lines).toEqual(killed.lines)
    }
  })

  it("half a footer, cut at any byte, is cut off and the segment goes on", () => {
    const name = killed.sealed.at(-1)!
    const whole = killed.disk.bytes(name)
    const end = framesOf(whole).at(-1)!
    const from = end.position + end.length
    const base = withFile(withoutManifest(killed.disk), killed.active, undefined)
    const sequence = headerOf(killed.bytes).sequence - 1
    for (let length = from; length < whole.length; length += 3) {
      const disk = withFile(base, name, whole.subarray(0, length))
      const outcome = opened(outcomeOf(disk, smallSegments))
      expect(outcome.lines.length, `cut to ${length}`).toBe(sequence)
      const clock = new FakeClock(1_790_003_000_000)
      const writer = new Writer(openLog(disk, clock, smallSegments), clock, new Random(length))
      writer.append(2)
      writer.commit()
      writer.log.close()
      expect(opened(outcomeOf(disk, smallSegments)).lines.length).toBe(sequence + 1)
    }
  })
})

describe("a GAP that a repair has left", () => {
  const missing = 3
  const withGap = (() => {
    const base = sampleLog(44, { closed: false, bytes: 3000 })
    const header = new FrameHeader()
    header.type = frameType.gap
    header.sequence = base.lines.length + 1
    header.time = base.frames.at(-1)!.time
    header.epoch = 1
    const gap = buildFrame(header, gapBody(missing, 512, "block 7 could not be read"))
    const disk = withFile(base.disk, base.active, Buffer.concat([base.bytes, gap]))
    return { base, disk, gap }
  })()

  it("is counted in the sequence and skipped by reading", () => {
    const { base } = withGap
    const disk = withGap.disk.settled()
    const clock = new FakeClock(1_790_004_000_000)
    const log = openLog(disk, clock, sampleOptions)
    const last = base.lines.length
    expect(log.sequence()).toBe(last + missing)
    expect(log.append(clock.now(), 0, "admin", 0, undefined, [{ _tag: "DatabaseFlushed" }], 1)).toBe(last + missing + 1)
    log.commit()
    const all = [...base.lines, `#${last + missing + 1} ${clock.now()} db0 admin c0 [-] DatabaseFlushed`]
    expect(linesOf(log)).toEqual(all)
    for (const from of [last, last + 1, last + 2, last + missing + 1]) {
      expect(linesOf(log, from), `from ${from}`).toEqual(all.slice(Math.min(from, last + 1) - 1))
    }
    log.close()
    expect(opened(outcomeOf(disk, sampleOptions)).lines).toEqual(all)
  })

  it("flipped in any bit is a torn tail like any other last frame", () => {
    const { base, disk, gap } = withGap
    const bytes = disk.bytes(base.active)
    for (let at = base.bytes.length; at < base.bytes.length + gap.length; at++) {
      const bit = at % 8
      bytes[at]! ^= 1 << bit
      const outcome = opened(outcomeOf(withFile(disk, base.active, bytes), sampleOptions))
      bytes[at]! ^= 1 << bit
      expect(outcome.verdict, `byte ${at}`).toBe("torn")
      expect(outcome.lines).toEqual(base.lines)
    }
  })
})

describe("reading", () => {
  it("from any sequence gives the rest, from beyond the end nothing", () => {
    const log = openLog(killed.disk.settled(), new FakeClock(), smallSegments)
    for (let from = 1; from <= killed.lines.length + 2; from += 3) {
      let count = 0
      for (const batch of log.read(from)) expect(batch.sequence).toBe(from + count++)
      expect(count).toBe(Math.max(0, killed.lines.length - from + 1))
    }
    log.abandon()
  })

  it("two readers at once do not disturb each other", () => {
    const log = openLog(killed.disk.settled(), new FakeClock(), smallSegments)
    const a = log.read(1)[Symbol.iterator]()
    const b = log.read(5)[Symbol.iterator]()
    for (let i = 0; i < 30; i++) {
      expect(a.next().value?.sequence).toBe(1 + i)
      expect(b.next().value?.sequence).toBe(5 + i)
    }
    log.abandon()
  })

  it("while writing sees what was committed before it got there", () => {
    const disk = new SimDisk()
    const clock = new FakeClock()
    const writer = new Writer(openLog(disk, clock, logOptions()), clock, new Random(6))
    for (let i = 0; i < 40; i++) {
      writer.append(1)
      writer.commit()
    }
    let seen = 0
    for (const batch of writer.log.read(1)) {
      expect(batch.sequence).toBe(++seen)
      if (seen <= 60) {
        writer.append(1)
        writer.commit()
        disk.runPending()
      }
    }
    expect(seen).toBeGreaterThanOrEqual(40)
    writer.log.abandon()
  })
})
