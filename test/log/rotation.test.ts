import { describe, expect, it } from "vitest"
import { openLog, type SyncPolicy } from "../../src/log/store.ts"
import { Slice } from "../../src/projections/memory/slice.ts"
import { endOfFrames, framesOf, headerOf, segmentHeaderBytes, segmentsOf } from "../support/frames.ts"
import { FakeClock, linesOf, logOptions, outcomeOf, Writer } from "../support/log-writer.ts"
import { forSeeds, Random, scaled } from "../support/random.ts"
import { SimDisk } from "../support/sim-disk.ts"

/** Segments of a few kilobytes, so that rotation is the rule and not the exception. */

const start = (segmentBytes: number, policy: SyncPolicy = "everysec", seed = 1) => {
  const disk = new SimDisk()
  const clock = new FakeClock()
  const options = logOptions({ policy, segmentBytes })
  const writer = new Writer(openLog(disk, clock, options), clock, new Random(seed))
  return { disk, clock, options, writer }
}

const set = (bytes: number) => (random: Random) => ({
  _tag: "StringSet" as const,
  key: Slice.latin1(`k${random.below(100)}`),
  value: new Slice(random.bytes(bytes)),
  expireAt: null
})

/** Sequences and stream positions of all segments fit together without gap or overlap; frames end where footers begin. */
const checkSeams = (disk: SimDisk): void => {
  const segments = segmentsOf(disk.files())
  let sequence = 1
  let lsn: number | undefined
  for (const [i, name] of segments.entries()) {
    const bytes = disk.bytes(name)
    const header = headerOf(bytes)
    expect(header.sequence, name).toBe(sequence)
    expect(name).toBe(`log/${String(sequence).padStart(20, "0")}.evl`)
    if (lsn !== undefined) expect(header.lsn, name).toBe(lsn)
    const frames = framesOf(bytes)
    for (const frame of frames) {
      expect(frame.sequence).toBe(sequence)
      if (frame.type === "BATCHES") sequence += frame.count
    }
    lsn = header.lsn + endOfFrames(frames) - segmentHeaderBytes
    if (i < segments.length - 1) {
      expect(frames.at(-1)!.type, `${name} ends sealed`).toBe("SEAL")
      expect(bytes.length, `${name} has a footer`).toBeGreaterThan(endOfFrames(frames) + 128)
    }
  }
}

describe("rotation", () => {
  it("under load keeps every batch in order, whatever policy, sizes and moments (50 runs)", () => {
    forSeeds(scaled(50), (random, seed) => {
      const policy = random.pick<SyncPolicy>(["always", "everysec", "no"])
      const { clock, disk, options, writer } = start(random.pick([4096, 4096, 5000, 8192]), policy, seed)
      for (let i = 0; i < 150; i++) {
        const batches = random.between(1, 6)
        for (let n = 0; n < batches; n++) writer.append(random.chance(0.2) ? 5 : 1)
        writer.commit()
        if (random.chance(0.3)) {
          clock.advance(random.below(80))
          writer.tick()
        }
        if (random.chance(0.6)) disk.runPending(random.between(1, 2))
        writer.observe()
        expect(writer.log.failure()).toBeUndefined()
      }
      expect(linesOf(writer.log)).toEqual(writer.lines)
      const from = random.between(1, writer.lines.length)
      expect(linesOf(writer.log, from)).toEqual(writer.lines.slice(from - 1))
      const killed = disk.settled()
      disk.runPending()
      writer.log.close()
      disk.runPending()
      for (const state of [killed, disk]) {
        checkSeams(state)
        expect(segmentsOf(state.files()).length).toBeGreaterThan(3)
        const outcome = outcomeOf(state, options)
        if (!("lines" in outcome)) throw new Error(outcome.message)
        expect(outcome.lines).toEqual(writer.lines)
        expect(outcome.verdict).toBe("clean")
      }
      expect(disk.files().filter((name) => name.endsWith(".tmp"))).toEqual([])
    })
  })

  it("with one frame per segment", () => {
    const { disk, options, writer } = start(4096)
    for (let i = 0; i < 30; i++) {
      writer.append(1, set(3500))
      writer.commit()
      disk.runPending()
    }
    expect(segmentsOf(disk.files()).length).toBeGreaterThanOrEqual(29)
    writer.log.close()
    checkSeams(disk)
    const outcome = outcomeOf(disk, options)
    expect("lines" in outcome && outcome.lines).toEqual(writer.lines)
  })

  it("gives a frame larger than a segment a segment of its own, never splitting it", () => {
    const { disk, options, writer } = start(4096)
    for (let i = 0; i < 12; i++) {
      writer.append(1, set(i % 3 === 1 ? 50_000 : 100))
      if (i % 4 === 0) writer.append(3)
      writer.commit()
      disk.runPending()
    }
    writer.log.close()
    checkSeams(disk)
    const outcome = outcomeOf(disk, options)
    expect("lines" in outcome && outcome.lines).toEqual(writer.lines)
    const sizes = segmentsOf(disk.files()).map((name) =>
      framesOf(disk.bytes(name)).filter((f) => f.type === "BATCHES" && f.count > 0).length
    )
    expect(Math.max(...segmentsOf(disk.files()).map((name) => disk.bytes(name).length))).toBeGreaterThan(50_000)
    expect(sizes.reduce((a, b) => a + b)).toBe(12)
  })

  it("makes the next file durable before anything is in it: header synced, then renamed, then the folder", () => {
    const { disk, writer } = start(4096)
    const at = disk.journal.length
    while (segmentsOf(disk.files()).length < 2) {
      writer.append(1, set(300))
      writer.commit()
      disk.runPending()
    }
    const calls = disk.journal.slice(at).join("\n")
    const next = segmentsOf(disk.files())[1]!
    const rename = calls.indexOf(` to ${next}`)
    const temporary = /rename (log\/\S+)/.exec(calls.slice(calls.lastIndexOf("\n", rename)))![1]!
    const synced = calls.indexOf(`sync ${temporary}`)
    expect(synced, "synced under its temporary name").toBeGreaterThan(-1)
    expect(synced).toBeLessThan(rename)
    const folder = calls.indexOf("syncFolder log", rename)
    const write = calls.indexOf(`write ${next}`, rename)
    expect(folder).toBeGreaterThan(rename)
    if (write >= 0) expect(folder).toBeLessThan(write)
  })

  it("reads a sealed segment's session and key facts on its own: any segment decodes without those before it", () => {
    const { disk, writer, options } = start(4096)
    for (let i = 0; i < 200; i++) {
      writer.append(1)
      writer.commit()
      disk.runPending()
    }
    writer.log.close()
    const log = openLog(disk, new FakeClock(), options)
    for (const name of segmentsOf(disk.files())) {
      const from = headerOf(disk.bytes(name)).sequence
      if (from > writer.lines.length) continue
      for (const batch of log.read(from)) {
        expect(batch.sequence).toBe(from)
        expect(`${batch.author?.clientId ?? "-"}`).toBe(/\[(\d+|-)/.exec(writer.lines[from - 1]!)![1])
        break
      }
    }
    log.abandon()
  })

  it("uses an empty next segment again instead of leaving a hole", () => {
    const { disk, options, writer, clock } = start(4096)
    while (segmentsOf(disk.files()).length < 3) {
      writer.append(1, set(200))
      writer.commit()
      disk.runPending()
    }
    writer.log.abandon()
    const names = segmentsOf(disk.files())
    const last = names.at(-1)!
    disk.kill()
    const settled = disk.settled()
    settled.put(last, settled.bytes(last).subarray(0, segmentHeaderBytes)) // cut right behind its header
    const outcome = outcomeOf(settled.settled(), options)
    const kept = headerOf(disk.bytes(last)).sequence - 1
    if (!("lines" in outcome)) throw new Error(outcome.message)
    expect(outcome.lines).toEqual(writer.lines.slice(0, kept))
    const again = new Writer(openLog(settled, clock, options), clock, new Random(2))
    again.append(1)
    again.commit()
    expect(segmentsOf(settled.files())).toEqual(names)
    again.log.close()
    checkSeams(settled)
  })
})
