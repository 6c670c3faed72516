import { describe, expect, it } from "vitest"
import { openLog } from "../../src/log/store.ts"
import { segmentHeaderBytes } from "../support/frames.ts"
import { FakeClock, linesOf, logOptions, outcomeOf, Writer } from "../support/log-writer.ts"
import { forSeeds, Random } from "../support/random.ts"
import {
  endOfFrames,
  manifestMark,
  markOf,
  sampleLog,
  sampleOptions,
  sequenceAt,
  withFile,
  withoutManifest
} from "../support/sample-log.ts"
import { SimDisk } from "../support/sim-disk.ts"

/** The active segment cut at every byte, with the witness of the manifest and without it. */

describe("a log cut short", () => {
  it("has every kind of frame a server writes in the sample", () => {
    const sample = sampleLog(1, { closed: false, bytes: 9000 })
    expect(new Set(sample.frames.map((frame) => frame.type))).toEqual(new Set(["BATCHES", "SYNC", "SEAL", "CONTROL"]))
    expect(endOfFrames(sample.frames)).toBe(sample.bytes.length)
    expect(sequenceAt(sample.bytes, sample.frames, sample.bytes.length)).toBe(sample.lines.length)
    expect(sample.bytes.length).toBeGreaterThan(8600)
    const outcome = outcomeOf(sample.disk.settled(), sampleOptions)
    expect(outcome).toMatchObject({ verdict: "clean", lines: sample.lines })
  })

  for (const witness of ["with its manifest", "without a manifest"] as const) {
    for (const closed of [false, true]) {
      it(`${closed ? "closed cleanly" : "killed"}, ${witness}, at every byte`, () => {
        const sample = sampleLog(closed ? 3 : 2, { closed, bytes: 9000 })
        const base = witness === "with its manifest" ? sample.disk : withoutManifest(sample.disk)
        const fromManifest = manifestMark(base, sample.bytes)
        const seen = { clean: 0, torn: 0, corrupt: 0 }
        const end = endOfFrames(sample.frames)
        for (let length = 0; length < sample.bytes.length; length++) {
          const outcome = outcomeOf(withFile(base, sample.active, sample.bytes.subarray(0, length)), sampleOptions)
          const whole = sample.frames.filter((frame) => frame.position + frame.length <= length)
          const good = length < segmentHeaderBytes ? 0 : endOfFrames(whole)
          const mark = markOf(whole, fromManifest)
          const expected = good < mark ? "corrupt" : length === good ? "clean" : "torn"
          if (length > end && outcome.verdict === "clean") { // half a footer holds nothing that the frames do not
            expect("lines" in outcome && outcome.lines, `cut to ${length}`).toEqual(sample.lines)
            continue
          }
          const kept = good === 0 ? 0 : sequenceAt(sample.bytes, sample.frames, good)
          const right = outcome.verdict === expected && (!("lines" in outcome) || (outcome.lines.length === kept
            && outcome.lines.at(-1) === sample.lines[kept - 1] && outcome.log.tornBytes === length - good))
          if (!right) {
            const found = "lines" in outcome ? `${outcome.lines.length} batches` : outcome.message
            throw new Error(
              `cut to ${length}, good to ${good}, mark ${mark}: ${outcome.verdict} with ${found}, `
                + `not ${expected} with ${kept} batches`
            )
          }
          seen[expected]++
        }
        // Killed, the manifest dates from the start, and what was cut off took its witnesses along: all above is torn.
        if (closed && witness === "with its manifest") expect(seen).toMatchObject({ torn: 0 })
        else expect(seen.torn).toBeGreaterThan(8000)
        expect(seen.clean + seen.torn + seen.corrupt).toBeGreaterThan(8657)
      })
    }
  }

  it("keeps what it cut, byte for byte, in quarantine", () => {
    const sample = sampleLog(4, { closed: false, bytes: 6000 })
    const last = sample.frames.at(-1)!
    const disk = withFile(sample.disk, sample.active, sample.bytes.subarray(0, last.position + 17))
    const warnings: Array<string> = []
    const outcome = outcomeOf(disk, { ...sampleOptions, warn: (message) => void warnings.push(message) })
    if (!("lines" in outcome)) throw new Error(outcome.message)
    expect(outcome.log.tornBytes).toBe(17)
    expect(outcome.log.quarantine).toMatch(/^quarantine\/[0-9]{20}\.\d+\.torn$/)
    expect(disk.bytes(outcome.log.quarantine!)).toEqual(sample.bytes.slice(last.position, last.position + 17))
    forSeeds(20, (random) => {
      const kept = disk.afterCrash(random).bytes(outcome.log.quarantine!)
      expect(kept, "safe from a power cut").toEqual(sample.bytes.slice(last.position, last.position + 17))
    })
    expect(warnings.join("\n")).toContain("17")
    expect(disk.bytes(sample.active).subarray(0, last.position)).toEqual(sample.bytes.slice(0, last.position))
  })

  it("keeps a batch of many events whole or drops it whole, wherever it is cut", () => {
    const disk = new SimDisk()
    const clock = new FakeClock()
    const options = logOptions({ segmentBytes: 1 << 20 })
    const writer = new Writer(openLog(disk, clock, options), clock, new Random(5))
    writer.append()
    writer.commit()
    writer.append(30) // one EXEC
    writer.commit()
    const before = disk.bytes("log/00000000000000000001.evl")
    writer.append(25) // two more in one frame
    writer.append(25)
    writer.commit()
    writer.log.abandon()
    const base = disk.settled()
    const bytes = base.bytes("log/00000000000000000001.evl")
    const counts = new Map<number, number>()
    for (let length = segmentHeaderBytes; length <= bytes.length; length++) {
      const outcome = outcomeOf(withFile(base, "log/00000000000000000001.evl", bytes.subarray(0, length)), options)
      if (!("lines" in outcome)) throw new Error(outcome.message)
      expect(outcome.lines).toEqual(writer.lines.slice(0, outcome.lines.length))
      counts.set(outcome.lines.length, (counts.get(outcome.lines.length) ?? 0) + 1)
      if (length >= before.length) expect(outcome.lines.length).toBe(length < bytes.length ? 2 : 4)
    }
    expect([...counts.keys()]).toEqual([0, 1, 2, 4])
  })

  it("goes on after a torn tail: the next writes take the place of what was cut", () => {
    const sample = sampleLog(6, { closed: false, bytes: 5000 })
    for (let cut = 1; cut < sample.frames.at(-1)!.length; cut += 7) {
      const disk = withFile(sample.disk, sample.active, sample.bytes.subarray(0, sample.bytes.length - cut))
      const clock = new FakeClock(1_790_001_000_000)
      const writer = new Writer(openLog(disk, clock, sampleOptions), clock, new Random(cut))
      const kept = writer.log.sequence()
      writer.append(2)
      writer.commit()
      expect(linesOf(writer.log).slice(kept)).toEqual(writer.lines.slice(kept))
      writer.log.close()
      const outcome = outcomeOf(disk, sampleOptions, clock)
      expect("lines" in outcome && outcome.lines).toEqual([...sample.lines.slice(0, kept), ...writer.lines.slice(kept)])
    }
  })
})
