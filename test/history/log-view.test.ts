/** Reading a log that others own: every batch as the log itself gives it, whatever form its segments have. */
import { describe, expect, it } from "vitest"
import { BeyondHead, Truncated } from "../../src/history/errors.ts"
import { type LiveHead, LogDirectory } from "../../src/history/log-directory.ts"
import type { LogView } from "../../src/history/log-view.ts"
import { type Disk, DiskError } from "../../src/log/disk.ts"
import { LogCorrupt } from "../../src/log/errors.ts"
import type { Gap } from "../../src/log/gaps.ts"
import { openLog } from "../../src/log/store.ts"
import { compressAll, compressDisk } from "../support/compressing.ts"
import { batchLine, FakeClock, linesOf, logOptions, peek, Writer } from "../support/log-writer.ts"
import { forSeeds, Random } from "../support/random.ts"
import { sampleLog, smallSegments } from "../support/sample-log.ts"
import { SimDisk } from "../support/sim-disk.ts"

const view = (disk: Disk, live?: LiveHead): LogView => new LogDirectory(readOnly(disk)).view(live)
const forwards = (log: LogView, from?: number, to?: number): Array<string> =>
  Array.from(log.batches({ ...from === undefined ? {} : { from }, ...to === undefined ? {} : { to } }), batchLine)
const backwards = (log: LogView, from = 1, to = log.head): Array<string> =>
  Array.from(log.batches({ from, to, reverse: true }), batchLine)

/** A disk on which only reading works, and nothing is locked. */
const readOnly = (disk: Disk): Disk => {
  const refuse = (operation: string) => (): never => {
    throw new DiskError("EROFS", operation, "")
  }
  return {
    open: (name, how) => how === "read" ? disk.open(name, how) : refuse("open")(),
    list: (folder) => disk.list(folder),
    exists: (name) => disk.exists(name),
    readFile: (name) => disk.readFile(name),
    rename: refuse("rename"),
    unlink: refuse("unlink"),
    makeFolder: refuse("makeFolder"),
    syncFolder: refuse("syncFolder"),
    lock: refuse("lock"),
    writeFileAtomic: refuse("writeFileAtomic")
  }
}

describe("a log at rest", () => {
  const cases = [
    { what: "closed", closed: true, compressed: false },
    { what: "left by a killed server", closed: false, compressed: false },
    { what: "closed and compressed", closed: true, compressed: true },
    { what: "left by a killed server and compressed", closed: false, compressed: true }
  ]
  it.each(cases)("is read in both directions from and to any sequence: $what", async ({ closed, compressed }) => {
    const { disk, lines } = sampleLog(closed ? 3 : 4, { closed, bytes: 60_000, options: smallSegments })
    disk.immediate = true
    if (compressed) expect(await compressDisk(disk, smallSegments)).toBeGreaterThan(3)
    const log = view(disk)
    expect(log.parts.length).toBeGreaterThan(6)
    expect([log.oldest, log.head]).toEqual([1, lines.length])
    expect(forwards(log)).toEqual(lines)
    expect(backwards(log)).toEqual(lines.toReversed())
    const random = new Random(9)
    for (let i = 0; i < 60; i++) {
      const from = random.between(1, lines.length)
      const to = random.chance(0.2) ? from : random.between(from, lines.length)
      expect(forwards(log, from, to)).toEqual(lines.slice(from - 1, to))
      expect(backwards(log, from, to)).toEqual(lines.slice(from - 1, to).reverse())
    }
    expect(forwards(log, log.head + 1)).toEqual([])
  })

  it("has nothing in an empty directory, and one line in a log of one batch", () => {
    const disk = new SimDisk()
    const empty = view(disk)
    expect([empty.oldest, empty.head, empty.headTime, forwards(empty)]).toEqual([1, 0, 0, []])
    const clock = new FakeClock()
    const writer = new Writer(openLog(disk, clock, logOptions()), clock, new Random(1))
    expect(view(disk).head).toBe(0)
    writer.append()
    writer.commit()
    const one = view(disk)
    expect([one.head, one.headTime, forwards(one)]).toEqual([1, clock.now(), writer.lines])
  })

  it("finds sequences by time, across segments and pauses", () => {
    forSeeds(3, (random) => {
      const disk = new SimDisk()
      const clock = new FakeClock()
      const writer = new Writer(openLog(disk, clock, logOptions({ policy: "no" })), clock, random)
      const times: Array<number> = []
      while (times.length < 600) {
        for (let i = random.between(1, 5); i > 0; i--) {
          writer.append()
          times.push(clock.now())
          clock.advance(random.below(3))
        }
        writer.commit()
        writer.tick()
        clock.advance(random.chance(0.05) ? random.below(5000) : random.below(4))
      }
      const log = view(disk)
      const first = times[0]!
      for (let i = 0; i < 400; i++) {
        const time = random.chance(0.5) ? random.pick(times) : random.between(first - 20, clock.now() + 20)
        const upTo = times.findLastIndex((other) => other <= time) + 1
        const after = times.findIndex((other) => other >= time)
        expect(log.sequenceAt({ kind: "time", time })).toBe(upTo)
        expect(log.sequenceFrom({ kind: "time", time })).toBe(after < 0 ? times.length + 1 : after + 1)
      }
    })
  })

  it("names the bound of moments beyond it", () => {
    const { disk, lines } = sampleLog(4, { closed: true, bytes: 20_000, options: smallSegments })
    const log = view(disk)
    const head = lines.length
    expect(log.sequenceAt({ kind: "sequence", sequence: 0 })).toBe(0)
    expect(log.sequenceAt({ kind: "sequence", sequence: head })).toBe(head)
    expect(log.sequenceFrom({ kind: "sequence", sequence: head + 1 })).toBe(head + 1)
    const beyond = `${head + 1} has not happened yet, the newest sequence is ${head}`
    expect(() => log.sequenceAt({ kind: "sequence", sequence: head + 1 })).toThrow(beyond)
    expect(() => log.sequenceFrom({ kind: "sequence", sequence: head + 2 })).toThrow(BeyondHead)
    expect(() => log.sequenceAt({ kind: "time", time: 5000 }, 4999)).toThrow(BeyondHead)
    expect(log.sequenceAt({ kind: "time", time: 5000 }, 5000)).toBe(0)
  })
})

describe("a log that is being written", () => {
  it("is read up to the last whole frame, and with a live head up to there", async () => {
    await Promise.all([1, 2, 3].map(async (seed) => {
      const random = new Random(seed)
      const disk = new SimDisk()
      disk.immediate = true
      const clock = new FakeClock()
      const writer = new Writer(openLog(disk, clock, logOptions()), clock, random)
      const directory = new LogDirectory(readOnly(disk))
      const heads: Array<{ live: LiveHead; count: number }> = []
      for (let turn = 0; turn < 400; turn++) {
        for (let i = random.between(1, 4); i > 0; i--) writer.append(random.chance(0.2) ? 3 : 1)
        if (random.chance(0.9)) writer.commit()
        clock.advance(random.below(400))
        writer.tick()
        if (random.chance(0.02)) await compressAll(writer.log, 1)
        const lsn = writer.log.released()
        if (lsn === writer.log.lsn() && random.chance(0.9)) {
          writer.commit()
          if (writer.log.released() === writer.log.lsn()) {
            heads.push({ live: { lsn: writer.log.lsn(), oldest: 1 }, count: writer.log.sequence() })
          }
        }
        if (!random.chance(0.2)) continue
        const log = directory.view()
        expect(forwards(log, Math.max(1, log.head - 40))).toEqual(
          writer.lines.slice(Math.max(0, log.head - 41), log.head)
        )
        if (heads.length === 0) continue
        const { count, live } = random.pick(heads)
        const earlier = directory.view(live)
        expect([seed, turn, earlier.head]).toEqual([seed, turn, count])
        const from = random.between(1, count)
        expect(forwards(earlier, from)).toEqual(writer.lines.slice(from - 1, count))
        expect(backwards(earlier, from)).toEqual(writer.lines.slice(from - 1, count).reverse())
        expect(earlier.headTime).toBe(Number(/^#\d+ (\d+)/.exec(writer.lines[count - 1]!)![1]))
      }
      while (writer.log.released() < writer.log.lsn()) {
        clock.advance(1000)
        writer.tick()
        await Promise.resolve()
      }
      writer.commit()
      expect(forwards(directory.view({ lsn: writer.log.lsn(), oldest: 1 }))).toEqual(writer.lines)
      expect(directory.view().parts.length).toBeGreaterThan(5)
    }))
  })

  it("goes on being read while the segments looked at are compressed, and says when they are dropped", async () => {
    const { disk, lines } = sampleLog(7, { closed: false, bytes: 40_000, options: smallSegments })
    disk.immediate = true
    const directory = new LogDirectory(readOnly(disk))
    const log = directory.view()
    expect(await compressDisk(disk, smallSegments)).toBeGreaterThan(3)
    expect(forwards(log)).toEqual(lines)
    const [first, second] = log.parts
    disk.remove(`log/${String(first!.segment.first).padStart(20, "0")}.evz`)
    const caught = (): unknown => {
      try {
        forwards(log)
        return undefined
      } catch (error) {
        return error
      }
    }
    expect(caught()).toBeInstanceOf(Truncated)
    expect((caught() as Truncated).oldest).toBe(second!.segment.first)
    const after = directory.view({ lsn: Number.MAX_SAFE_INTEGER, oldest: second!.segment.first })
    expect(after.oldest).toBe(second!.segment.first)
    expect(forwards(after)).toEqual(lines.slice(after.oldest - 1))
    for (const sequence of [0, 1, after.oldest - 1]) {
      const text = `${sequence} was dropped by history-retention, the oldest sequence is ${after.oldest}`
      expect(() => after.sequenceAt({ kind: "sequence", sequence })).toThrow(text)
      expect(() => after.sequenceFrom({ kind: "sequence", sequence })).toThrow(Truncated)
    }
    expect(() => after.sequenceFrom({ kind: "time", time: 1 })).toThrow(Truncated)
    expect(() => after.sequenceAt({ kind: "time", time: 1 })).toThrow(Truncated)
  })

  it("ends before a frame that is half written, wherever it is cut", () => {
    const { active, bytes, disk, frames, lines } = sampleLog(5, { closed: false, bytes: 9000 })
    const before = lines.length -
      frames.filter((frame) => frame.type === "BATCHES").reduce((n, { count }) => n + count, 0)
    for (const frame of frames.slice(-6)) {
      for (const cut of [1, 39, 41, frame.length - 1]) {
        const torn = disk.settled()
        torn.remove(active)
        torn.put(active, bytes.slice(0, frame.position + Math.min(cut, frame.length - 1)))
        const whole = frames.filter((other) => other.position < frame.position && other.type === "BATCHES")
        const head = before + whole.reduce((n, { count }) => n + count, 0)
        const log = view(torn)
        expect(log.head).toBe(head)
        expect(forwards(log)).toEqual(lines.slice(0, head))
      }
    }
  })

  it("names damage that lies before whole frames", () => {
    const { active, disk, frames } = sampleLog(5, { closed: false, bytes: 9000 })
    const frame = frames.filter(({ type }) => type === "BATCHES").at(-4)!
    const broken = disk.settled()
    broken.flip(active, frame.position + 45, 3)
    expect(() => view(broken)).toThrow(LogCorrupt)
    const sealed = sampleLog(5, { closed: true, bytes: 30_000, options: smallSegments })
    const second = sealed.disk.settled()
    second.flip(sealed.sealed[1]!, 400, 3)
    const log = view(second)
    expect(log.head).toBe(sealed.lines.length)
    expect(() => forwards(log)).toThrow(LogCorrupt)
    expect(() => backwards(log)).toThrow(LogCorrupt)
    const time = log.parts[1]!.lastTime - 1
    expect(() => log.sequenceAt({ kind: "time", time })).toThrow(LogCorrupt)
    const lacking = sealed.disk.settled()
    lacking.remove(sealed.sealed[2]!)
    expect(() => view(lacking)).toThrow(/does not hold sequences/)
  })

  it("does not need footers, nor whole ones", () => {
    const { disk, lines, sealed } = sampleLog(5, { closed: true, bytes: 30_000, options: smallSegments })
    const broken = disk.settled()
    broken.flip(sealed[1]!, broken.bytes(sealed[1]!).length - 200, 1) // before its tail
    broken.flip(sealed[2]!, broken.bytes(sealed[2]!).length - 60, 1)
    const log = view(broken)
    expect(forwards(log)).toEqual(lines)
    expect(backwards(log)).toEqual(lines.toReversed())
  })

  it("tells of gaps that a salvage left", () => {
    const { disk } = sampleLog(5, { closed: true, bytes: 10_000, options: smallSegments })
    const gaps: Array<Gap> = []
    expect(forwards(view(disk)).length).toBeGreaterThan(10)
    for (const _ of view(disk).batches({ onGap: (gap) => gaps.push(gap) }));
    expect(gaps).toEqual([])
  })

  it("reads what a log reads that was opened by its owner", () => {
    const { disk } = sampleLog(11, { closed: false, bytes: 30_000, options: smallSegments })
    const own = peek(disk, (log) => linesOf(log), smallSegments)
    expect(forwards(view(disk))).toEqual(own)
  })
})

describe("a segment whose successor could not be begun", () => {
  it("goes on being read, by those too who saw it with a footer", () => {
    const disk = new SimDisk()
    const clock = new FakeClock()
    const writer = new Writer(openLog(disk, clock, logOptions({ policy: "no" })), clock, new Random(2))
    const directory = new LogDirectory(readOnly(disk))
    const turn = (): void => {
      for (let i = 0; i < 4; i++) writer.append(2)
      writer.commit()
      clock.advance(50)
      writer.tick()
    }
    const fault = disk.fail({ operation: "rename", file: /log\/.*\.tmp$/, times: 3 })
    let looks = 0
    disk.onOperation = (operation, name) => {
      if (operation !== "rename" || !name.endsWith(".tmp") || !name.startsWith("log/")) return
      const seen = directory.view()
      if (seen.parts.at(-1)!.segment.summary !== undefined) looks++
    }
    while (fault.failed() < 3) {
      turn()
      clock.advance(2000)
    }
    expect(looks).toBeGreaterThan(0)
    for (let i = 0; i < 40; i++) {
      turn()
      for (const live of [{ lsn: writer.log.lsn(), oldest: 1 }, undefined]) {
        expect(forwards(directory.view(live))).toEqual(writer.lines)
      }
    }
    expect(directory.view().parts.length).toBeGreaterThan(2)
  })
})
