import { describe, expect, it } from "vitest"
import type { Retention } from "../../src/config/value-lists.ts"
import { openSegment } from "../../src/log/compressed-file.ts"
import { type DroppedSegment, readDrop } from "../../src/log/drop-record.ts"
import { HistoryDropped } from "../../src/log/errors.ts"
import { FrameCursor } from "../../src/log/frame-cursor.ts"
import { frameType } from "../../src/log/frame.ts"
import { segmentsToDrop } from "../../src/log/retention.ts"
import type { SealedSegment } from "../../src/log/rotation.ts"
import { decodeSegmentHeader, hex } from "../../src/log/segment.ts"
import { type OpenedLog, openLog } from "../../src/log/store.ts"
import { compressAll, segmentBytes } from "../support/compressing.ts"
import { PowerCut } from "../support/log-life.ts"
import { FakeClock, linesOf, outcomeOf, peek, Writer } from "../support/log-writer.ts"
import { Random } from "../support/random.ts"
import { sampleLog, smallSegments, withFile, withoutManifest } from "../support/sample-log.ts"
import type { SimDisk } from "../support/sim-disk.ts"

const everything: Retention = { by: "sequences", count: 1 }
const later = new FakeClock().wall + 10 ** 9

const segmentsOf = (disk: SimDisk): Array<string> => disk.files().filter((name) => /\.ev[lz]$/.test(name))

/** Time passes until all is done. */
const settle = (log: OpenedLog, clock: FakeClock, disk: SimDisk): void => {
  for (let i = 0; i < 60; i++) {
    clock.advance(50)
    log.tick()
    disk.runPending()
  }
}

const opened = (seed: number, bytes = 24_000) => {
  const sample = sampleLog(seed, { closed: true, bytes, options: smallSegments })
  const disk = sample.disk.settled()
  const clock = new FakeClock()
  return { sample, disk, clock, log: openLog(disk, clock, smallSegments) }
}

/** Every record of a drop in a log, in order. */
const recordsIn = (disk: SimDisk): Array<DroppedSegment> =>
  segmentsOf(disk).flatMap((name) => {
    const file = openSegment(disk, name)
    const cursor = new FrameCursor(file, 128, file.size())
    const found: Array<DroppedSegment> = []
    while (cursor.advance() === "frame") {
      if (cursor.header.type !== frameType.control) continue
      const drop = readDrop(cursor.bytes, cursor.at, cursor.header)
      if (drop !== undefined) found.push(drop)
    }
    file.close()
    return found
  })

/** What is left of a log is its end, from a sequence on that a record vouches for; nothing else is missing. */
const checkRest = (disk: SimDisk, lines: ReadonlyArray<string>, what: string): number => {
  const oldest = peek(disk, (log) => log.status().oldestSequence, smallSegments)
  const rest = peek(disk, (log) => linesOf(log, oldest), smallSegments)
  expect(rest, what).toEqual(lines.slice(oldest - 1))
  if (oldest > 1) {
    const records = recordsIn(disk).filter(({ last }) => last === oldest - 1)
    expect(records.length, `${what}: a record of what came before ${oldest}`).toBeGreaterThan(0)
    const bytes = segmentBytes(disk, segmentsOf(disk)[0]!)
    const header = decodeSegmentHeader(bytes)
    expect(header.kind === "header" && hex(header.header.chain), what).toBe(hex(records[0]!.chain))
  }
  return oldest
}

describe("the choice", () => {
  const segment = (first: number, last: number, lastTime: number, bytes: number): SealedSegment => ({
    name: "",
    header: { ...({} as SealedSegment["header"]), firstSequence: first, created: lastTime },
    end: bytes,
    bytes,
    summary: { ...({} as SealedSegment["summary"]), lastSequence: last, lastTime }
  })
  const sealed = [1, 2, 3, 4, 5].map((i) => segment(i * 100 - 99, i * 100, i * 1000, 10))
  const facts = { sealed, activeBytes: 10, sequence: 550, covered: 10_000, now: 6000 }

  it("keeps what is young, recent or small enough, and always the newest sealed segment", () => {
    const count = (rule: Retention, changed = {}) => segmentsToDrop(rule, { ...facts, ...changed }).length
    expect(count({ by: "for-ever" })).toBe(0)
    expect(count({ by: "age", ms: 3500 })).toBe(2)
    expect(count({ by: "age", ms: 5000 })).toBe(0)
    expect(count({ by: "age", ms: 0 })).toBe(4)
    expect(count({ by: "bytes", bytes: 60 })).toBe(0)
    expect(count({ by: "bytes", bytes: 59 })).toBe(1)
    expect(count({ by: "bytes", bytes: 1 })).toBe(4)
    expect(count({ by: "sequences", count: 451 })).toBe(0)
    expect(count({ by: "sequences", count: 450 })).toBe(1)
    expect(count({ by: "sequences", count: 1 })).toBe(4)
  })

  it("goes no further than the checkpoints, and nowhere without one", () => {
    for (const [covered, count] of [[0, 0], [99, 0], [100, 1], [399, 3], [400, 4]] as const) {
      for (const rule of [everything, { by: "bytes", bytes: 1 }, { by: "age", ms: 1 }] as const) {
        expect(segmentsToDrop(rule, { ...facts, covered }).length).toBe(count)
      }
    }
  })
})

describe("dropping", () => {
  it("records each segment, then removes it; the rest reads as before, and says what is gone", async () => {
    for (const compressed of [false, true]) {
      const { clock, disk, log, sample } = opened(1)
      disk.immediate = true
      if (compressed) await compressAll(log)
      const before = new Map(segmentsOf(disk).map((name) => [name, disk.bytes(name)]))
      const covered = Number(/\/0*(\d+)/.exec(sample.sealed.at(-2)!)![1]) + 1 // within the last but one
      const dropped = log.upkeep.retain(everything, covered, later)
      expect(dropped.length).toBe(sample.sealed.length - 2)
      expect(log.upkeep.retain(everything, covered, later)).toEqual([])
      settle(log, clock, disk)
      const oldest = dropped.at(-1)!.last + 1
      expect(log.status()).toMatchObject({ oldestSequence: oldest, segments: 3 })
      expect([...before.keys()].slice(dropped.length)).toEqual(segmentsOf(disk))
      for (const [i, name] of [...before.keys()].slice(0, dropped.length).entries()) {
        expect(dropped[i]!.bytes).toBe(before.get(name)!.length)
      }
      expect(recordsIn(disk)).toEqual(dropped)
      expect(linesOf(log, oldest)).toEqual(sample.lines.slice(oldest - 1))
      expect(() => linesOf(log, oldest - 1)).toThrow(HistoryDropped)
      expect(() => linesOf(log, 1)).toThrow(`Sequences 1 to ${oldest - 1} were dropped`)
      log.close()
      expect(checkRest(disk, sample.lines, "closed")).toBe(oldest)
      expect(peek(disk, ({ recovery }) => recovery.verdict, smallSegments)).toBe("clean")
    }
  })

  it("goes on while the log is written to, again and again", () => {
    const { clock, disk, log, sample } = opened(2, 8000)
    const writer = new Writer(log, clock, new Random(3))
    writer.lines.splice(0, writer.lines.length, ...sample.lines)
    writer.adopt(log)
    let oldest = 1
    for (let round = 0; round < 12; round++) {
      for (let i = 0; i < 25; i++) {
        writer.append(2)
        writer.commit()
        disk.runPending()
        clock.advance(20)
        writer.tick()
      }
      log.upkeep.retain({ by: "bytes", bytes: 16_000 }, log.sequence(), clock.now())
      settle(log, clock, disk)
      const status = log.status()
      expect(status.oldestSequence).toBeGreaterThanOrEqual(oldest)
      oldest = status.oldestSequence
      expect(status.bytes).toBeLessThan(24_000)
      expect(linesOf(log, oldest)).toEqual(writer.lines.slice(oldest - 1))
    }
    expect(oldest).toBeGreaterThan(100)
    log.close()
    expect(checkRest(disk, writer.lines, "closed")).toBe(oldest)
  })

  it("waits for the record to be synced, whatever the policy, and for the disk to be well", () => {
    const { disk, log, sample } = opened(4)
    log.setPolicy("no")
    const files = segmentsOf(disk)
    expect(log.upkeep.retain(everything, 10_000, later).length).toBe(sample.sealed.length - 1)
    expect(segmentsOf(disk)).toEqual(files)
    expect(disk.pending).toBe(1)
    log.tick()
    expect(segmentsOf(disk)).toEqual(files)
    expect(log.status().oldestSequence).toBe(1)
    disk.runPending()
    const fault = disk.fail({ operation: "write", file: /MANIFEST/, times: Infinity })
    log.tick()
    expect(segmentsOf(disk), "no manifest, no removal").toEqual(files)
    fault.heal()
    const clock = new FakeClock()
    settle(log, clock, disk)
    log.abandon()
    checkRest(disk, sample.lines, "abandoned")
  })
})

describe("interrupted dropping", () => {
  it("is finished at the next start, whichever call a power cut comes before", async () => {
    const sample = sampleLog(21, { closed: true, bytes: 20_000, options: smallSegments })
    const run = async (disk: SimDisk, compress: boolean): Promise<void> => {
      const clock = new FakeClock()
      const log = openLog(disk, clock, smallSegments)
      if (compress) await compressAll(log, 2)
      log.upkeep.retain(everything, 10_000, later)
      settle(log, clock, disk)
      log.close()
    }
    const random = new Random(5)
    let states = 0
    let finished = 0
    for (const compress of [false, true]) {
      const probe = sample.disk.settled()
      probe.immediate = compress
      await run(probe, compress)
      const calls = probe.calls
      for (let at = 1; at <= calls; at++) {
        const disk = sample.disk.settled()
        disk.immediate = compress
        disk.onOperation = (_operation, _name, call) => {
          if (call >= at) throw new PowerCut(`power cut at call ${at}`)
        }
        await run(disk, compress).catch((error: unknown) => {
          if (!(error instanceof PowerCut)) throw error
        })
        for (let variant = 0; variant < 3; variant++) {
          const after = disk.afterCrash(random)
          const outcome = peek(after, ({ recovery }) => recovery, smallSegments)
          expect(outcome.sequence, `call ${at}`).toBe(sample.lines.length)
          expect(["clean", "torn"], `call ${at}`).toContain(outcome.verdict)
          const oldest = checkRest(after, sample.lines, `call ${at}\n${disk.history(10)}`)
          if (oldest > 1) {
            finished++
            // Begun is finished: nothing that a record says was dropped is still there.
            expect(recordsIn(after).every(({ last }) => last < oldest), `call ${at}`).toBe(true)
            expect(Number(/(\d+)\.ev/.exec(segmentsOf(after)[0]!)![1])).toBe(oldest)
          }
          states++
        }
      }
    }
    expect(states).toBeGreaterThan(400)
    expect(finished).toBeGreaterThan(50)
  })

  it("by calls that fail loses nothing, and is taken up again", () => {
    for (const operation of ["write", "fdatasync", "fsync", "rename", "syncFolder", "unlink", "open"] as const) {
      for (const code of ["EIO", "ENOSPC"]) {
        for (let nth = 1; nth <= 3; nth++) {
          const what = `${operation} ${nth} ${code}`
          const { clock, disk, log, sample } = opened(22)
          disk.fail({ operation, nth, code })
          log.upkeep.retain(everything, 10_000, later)
          settle(log, clock, disk)
          for (let i = 0; i < 5; i++) {
            log.upkeep.retain(everything, 10_000, later)
            settle(log, clock, disk)
          }
          expect(log.status().oldestSequence, what).toBeGreaterThan(1)
          log.close()
          disk.runPending()
          checkRest(disk, sample.lines, what)
        }
      }
    }
  })
})

describe("a log that begins later", () => {
  const shortened = (seed: number) => {
    const { clock, disk, log, sample } = opened(seed)
    const covered = Number(/\/0*(\d+)/.exec(sample.sealed.at(-2)!)![1]) + 1
    log.upkeep.retain(everything, covered, later)
    settle(log, clock, disk)
    log.close()
    return { disk: disk.settled(), sample }
  }

  it("is clean with a record that vouches for it: the manifest's or, without that, the log's own", () => {
    const { disk, sample } = shortened(31)
    const oldest = checkRest(disk.settled(), sample.lines, "as it was")
    expect(oldest).toBeGreaterThan(1)
    expect(checkRest(withoutManifest(disk), sample.lines, "without manifest")).toBe(oldest)
    const stale = withFile(disk, "MANIFEST", undefined) // MANIFEST.prev still names what was dropped
    expect(checkRest(stale, sample.lines, "with the manifest before")).toBe(oldest)
    const oldWitness = disk.settled()
    for (const name of ["MANIFEST", "MANIFEST.prev"]) {
      oldWitness.remove(name)
      oldWitness.put(name, sample.disk.bytes("MANIFEST"))
    }
    // That manifest knows an older durable mark, and segments that are not there any more.
    expect(checkRest(oldWitness, sample.lines, "with a manifest from before the drop")).toBe(oldest)
  })

  it("is corrupt when more is missing than was recorded", () => {
    const { disk } = shortened(32)
    const [first] = segmentsOf(disk)
    for (const state of [withFile(disk, first!, undefined), withFile(withoutManifest(disk), first!, undefined)]) {
      expect(outcomeOf(state, smallSegments)).toMatchObject({ verdict: "corrupt" })
    }
    const whole = sampleLog(33, { closed: true, bytes: 24_000, options: smallSegments })
    for (const state of [whole.disk, withoutManifest(whole.disk)]) {
      const outcome = outcomeOf(withFile(state, whole.sealed[0]!, undefined), smallSegments)
      expect(outcome.verdict).toBe("corrupt")
      expect("message" in outcome && outcome.message).toMatch(/missing|no record says/)
    }
  })
})
