import { createHash } from "node:crypto"
import { readdirSync, readFileSync } from "node:fs"
import { describe, expect, it } from "vitest"
import { CompressedFile, openCompressed, openSegment } from "../../src/log/compressed-file.ts"
import { readBlockHeader } from "../../src/log/compressed-format.ts"
import { threadPool } from "../../src/log/compression.ts"
import { DiskError } from "../../src/log/disk.ts"
import { isDecodeError } from "../../src/log/frame-cursor.ts"
import { openLog } from "../../src/log/store.ts"
import { digest } from "../../src/projections/digest.ts"
import { Keyspace } from "../../src/projections/keyspace.ts"
import { Slice } from "../../src/projections/memory/slice.ts"
import { replay } from "../../src/projections/replay.ts"
import { atOnce, compressAll, compressDisk, segmentBytes } from "../support/compressing.ts"
import { framesOf } from "../support/frames.ts"
import { PowerCut } from "../support/log-life.ts"
import { FakeClock, linesOf, logOptions, outcomeOf, peek, Writer } from "../support/log-writer.ts"
import { Random, scaled } from "../support/random.ts"
import { sampleLog, smallSegments, withFile } from "../support/sample-log.ts"
import { SimDisk } from "../support/sim-disk.ts"

const endingWith = (disk: SimDisk, ending: string): Array<string> =>
  disk.files().filter((name) => name.endsWith(ending))

/** A log of small segments, some of them compressed. */
const compressedLog = async (seed: number, bytes = 24_000) => {
  const sample = sampleLog(seed, { closed: true, bytes, options: smallSegments })
  const disk = sample.disk.settled()
  disk.immediate = true
  const count = await compressDisk(disk, smallSegments)
  return { sample, disk: disk.settled(), count }
}

describe("compressed segments", () => {
  it("unfold to the bytes they were made from, and read like them from any sequence on", async () => {
    for (const seed of [1, 2, 3]) {
      const { count, disk, sample } = await compressedLog(seed)
      expect(count).toBe(sample.sealed.length - 1)
      const compressed = endingWith(disk, ".evz")
      expect(compressed.length).toBe(count)
      expect(endingWith(disk, ".evl").length).toBe(2)
      for (const name of compressed) {
        const original = sample.disk.bytes(name.replace(".evz", ".evl"))
        expect(Buffer.compare(segmentBytes(disk, name), original), name).toBe(0)
        expect(framesOf(segmentBytes(disk, name))).toEqual(framesOf(original))
      }
      peek(disk, (log) => {
        const status = log.status()
        expect(status.compressedSegments).toBe(count)
        expect(status.segments).toBe(sample.sealed.length + 1)
        expect(status.originalBytes).toBe(
          [...sample.sealed, sample.active].reduce((sum, name) => sum + sample.disk.bytes(name).length, 0)
        )
        expect(status.bytes).toBe(
          [...compressed, ...endingWith(disk, ".evl")].reduce((sum, name) => sum + disk.bytes(name).length, 0)
        )
        expect(status.bytes).toBeLessThan(status.originalBytes)
        for (let from = 1; from <= sample.lines.length; from += 7) {
          expect(linesOf(log, from)).toEqual(sample.lines.slice(from - 1))
        }
      }, smallSegments)
      expect(outcomeOf(disk, smallSegments)).toMatchObject({ verdict: "clean" })
    }
  })

  it("give the same state when replayed", async () => {
    const disk = new SimDisk()
    disk.immediate = true
    const clock = new FakeClock()
    const log = openLog(disk, clock, smallSegments)
    for (let i = 1; i <= 600; i++) {
      const key = Slice.latin1(`key:${i % 97}`)
      const value = Slice.latin1(`value ${i} `.repeat(1 + i % 9))
      log.append(clock.now(), 0, "client", 1, undefined, [{ _tag: "StringSet", key, value, expireAt: null }], 1)
      log.commit()
      await Promise.resolve()
    }
    const stateOf = (): string => {
      const keyspace = new Keyspace(16, { k0: 3, k1: 4 })
      expect(replay(keyspace, log.read(1)).sequence).toBe(600)
      return digest(keyspace, 0)
    }
    const before = stateOf()
    expect(await compressAll(log)).toBeGreaterThan(3)
    expect(stateOf()).toBe(before)
    log.abandon()
  })

  it("hold whole frames per block, and any range of bytes, whatever the sizes of frames", async () => {
    for (let seed = 1; seed <= scaled(3); seed++) {
      const random = new Random(seed)
      const disk = new SimDisk()
      disk.immediate = true
      const clock = new FakeClock()
      const options = logOptions({ segmentBytes: 2 << 20 })
      const writer = new Writer(openLog(disk, clock, options), clock, random)
      const set = (length: number) => (from: Random) => ({
        _tag: "StringSet" as const,
        key: Slice.latin1(`k${from.below(100)}`),
        value: new Slice(from.chance(0.5) ? new Uint8Array(length).fill(65) : from.bytes(length)),
        expireAt: null
      })
      while (writer.log.status().segments < 4) {
        writer.append(1, set(random.pick([10, 10, 3000, 100_000, 300_000, 700_000])))
        writer.commit()
        await Promise.resolve()
        clock.advance(200)
        writer.tick()
      }
      const before = writer.log.status()
      const originals = new Map(endingWith(disk, ".evl").map((name) => [name, disk.bytes(name)]))
      expect(await compressAll(writer.log, 1, { ...threadPool, pause: atOnce.pause })).toBe(2)
      expect(writer.log.status().originalBytes).toBe(before.originalBytes)
      for (const name of endingWith(disk, ".evz")) {
        const original = originals.get(name.replace(".evz", ".evl"))!
        const file = openSegment(disk, name) as CompressedFile
        expect(Buffer.compare(segmentBytes(disk, name), original)).toBe(0)
        const frames = framesOf(original)
        const starts = new Set(frames.map(({ position }) => position))
        const large = frames.filter(({ length }) => length > 256 << 10)
        for (const { position } of file.blocks) {
          const inside = large.some((frame) => position > frame.position && position < frame.position + frame.length)
          const behind = position >= frames.at(-1)!.position + frames.at(-1)!.length
          expect(starts.has(position) || inside || behind, `block at ${position}`).toBe(true)
        }
        for (let i = 0; i < 200; i++) {
          const from = random.below(original.length)
          const length = random.pick([1, 40, 128, 5000, 600_000])
          const bytes = new Uint8Array(length)
          const read = file.read(bytes, 0, length, from)
          expect(read).toBe(Math.min(length, original.length - from))
          expect(Buffer.compare(bytes.subarray(0, read), original.subarray(from, from + read))).toBe(0)
        }
        expect(file.read(new Uint8Array(10), 0, 10, original.length)).toBe(0)
        file.close()
      }
      expect(linesOf(writer.log)).toEqual(writer.lines)
      writer.log.close()
    }
  })

  it("are read by those who began with the original, and by those who come later", async () => {
    const sample = sampleLog(11, { closed: true, bytes: 24_000, options: smallSegments })
    const disk = sample.disk.settled()
    disk.immediate = true
    const log = openLog(disk, new FakeClock(), smallSegments)
    const reader = log.read(1)[Symbol.iterator]()
    const seen: Array<number> = []
    for (let i = 0; i < 5; i++) seen.push(reader.next().value!.sequence)
    await compressAll(log)
    for (let step = reader.next(); step.done !== true; step = reader.next()) seen.push(step.value.sequence)
    expect(seen).toEqual(sample.lines.map((_, i) => i + 1))
    expect(linesOf(log)).toEqual(sample.lines)
    log.abandon()
  })

  it("leave the newest as they are, one at least, and are made once", async () => {
    const sample = sampleLog(12, { closed: true, bytes: 30_000, options: smallSegments })
    const disk = sample.disk.settled()
    disk.immediate = true
    const log = openLog(disk, new FakeClock(), smallSegments)
    expect(await compressAll(log, 3)).toBe(sample.sealed.length - 3)
    expect(await compressAll(log, 3)).toBe(0)
    expect(await compressAll(log, 0)).toBe(2)
    expect(await compressAll(log, 0)).toBe(0)
    log.abandon()
  })
})

describe("interrupted compression", () => {
  it("leaves one valid copy of every segment, whichever call a power cut comes before", async () => {
    const sample = sampleLog(21, { closed: true, bytes: 20_000, options: smallSegments })
    const probe = sample.disk.settled()
    probe.immediate = true
    const opened = openLog(probe, new FakeClock(), smallSegments)
    const from = probe.calls
    expect(await compressAll(opened)).toBeGreaterThan(1)
    const to = probe.calls
    opened.abandon()
    const random = new Random(99)
    let states = 0
    for (let at = from + 1; at <= to; at++) {
      const disk = sample.disk.settled()
      disk.immediate = true
      const log = openLog(disk, new FakeClock(), smallSegments)
      disk.onOperation = (_operation, _name, call) => {
        if (call >= at) throw new PowerCut(`power cut at call ${at}`)
      }
      await expect(compressAll(log), `call ${at}`).rejects.toThrow(PowerCut)
      for (let variant = 0; variant < 4; variant++) {
        const after = disk.afterCrash(random)
        const outcome = outcomeOf(after, smallSegments)
        if (!("lines" in outcome)) throw new Error(`call ${at}: ${outcome.message}\n${disk.history(20)}`)
        expect(outcome.verdict, `call ${at}`).toBe("clean")
        expect(outcome.lines, `call ${at}`).toEqual(sample.lines)
        expect(after.files().filter((name) => name.endsWith(".tmp"))).toEqual([])
        const firsts = after.files().filter((name) => /\.ev[lz]$/.test(name)).map((name) => name.slice(0, -4))
        expect(new Set(firsts).size, `one file per segment, call ${at}`).toBe(firsts.length)
        expect(firsts.length).toBe(sample.sealed.length + 1)
        states++
      }
    }
    expect(states).toBeGreaterThan(200)
  })

  it("leaves everything as it was when a call of the disk fails, and succeeds when asked again", async () => {
    const sample = sampleLog(22, { closed: true, bytes: 20_000, options: smallSegments })
    for (const operation of ["open", "write", "read", "fdatasync", "stat", "rename", "syncFolder", "unlink"] as const) {
      for (const code of ["EIO", "ENOSPC"]) {
        for (let nth = 1; nth <= 6; nth++) {
          const disk = sample.disk.settled()
          disk.immediate = true
          const clock = new FakeClock()
          const log = openLog(disk, clock, smallSegments)
          const fault = disk.fail({ operation, file: /^log\//, nth, code, times: operation === "read" ? 3 : 1 })
          const failed = await compressAll(log).then(() => undefined, (error: unknown) => error)
          const what = `${operation} ${nth} ${code}`
          if (failed !== undefined) expect(failed, what).toBeInstanceOf(DiskError)
          fault.heal()
          expect(linesOf(log), what).toEqual(sample.lines)
          expect(disk.files().filter((name) => name.endsWith(".tmp")), what).toEqual([])
          await compressAll(log)
          for (let i = 0; i < 30; i++) {
            clock.advance(50)
            log.tick()
          }
          expect(endingWith(disk, ".evz").length, what).toBe(sample.sealed.length - 1)
          expect(endingWith(disk, ".evl").length, what).toBe(2)
          log.close()
          expect(outcomeOf(disk, smallSegments), what).toMatchObject({ verdict: "clean", lines: sample.lines })
        }
      }
    }
  })

  it("stops at the next block when the log is closed or refuses writes, and removes what it had", async () => {
    const sample = sampleLog(23, { closed: true, bytes: 20_000, options: smallSegments })
    for (const how of ["closed", "interrupted"] as const) {
      const disk = sample.disk.settled()
      disk.immediate = true
      const log = openLog(disk, new FakeClock(), smallSegments)
      const pause = (): Promise<boolean> => {
        if (how === "closed") log.close()
        return Promise.resolve(how === "closed")
      }
      expect(await log.upkeep.compress(1, { ...atOnce, pause })).toBeUndefined()
      expect(disk.files().filter((name) => /evz/.test(name))).toEqual([])
      log.close()
      expect(outcomeOf(disk, smallSegments)).toMatchObject({ verdict: "clean", lines: sample.lines })
    }
  })
})

describe("damage", () => {
  it("of a segment is noticed before it is compressed, which leaves it as it is", async () => {
    const sample = sampleLog(31, { closed: true, bytes: 20_000, options: smallSegments })
    const disk = sample.disk.settled()
    disk.immediate = true
    const warnings: Array<string> = []
    const log = openLog(disk, new FakeClock(), { ...smallSegments, warn: (message) => void warnings.push(message) })
    disk.flip(sample.sealed[0]!, 600, 3)
    expect(await log.upkeep.compress(1, atOnce)).toBeUndefined()
    expect(warnings.join()).toContain(`${sample.sealed[0]} is not compressed: its bytes are not those that were sealed`)
    expect(disk.files()).toContain(sample.sealed[0])
    expect((await log.upkeep.compress(1, atOnce))!.segment).toBe(sample.sealed[1]!.replace(".evl", ".evz"))
    log.abandon()
  })

  it("of any byte of a compressed segment is corrupt, and names the segment", async () => {
    const { disk } = await compressedLog(32, 20_000)
    const name = endingWith(disk, ".evz")[0]!
    const bytes = disk.bytes(name)
    const random = new Random(4)
    for (let at = 0; at < bytes.length; at++) {
      const damaged = bytes.slice()
      damaged[at]! ^= 1 << random.below(8)
      const outcome = outcomeOf(withFile(disk, name, damaged), smallSegments)
      const what = `byte ${at} of ${bytes.length}`
      expect(outcome.verdict, what).toBe("corrupt")
      expect("message" in outcome && outcome.message, what).toContain(name)
    }
  })

  it("by cutting it short anywhere, or taking it away, is corrupt", async () => {
    const { disk } = await compressedLog(33, 20_000)
    const name = endingWith(disk, ".evz")[1]!
    const bytes = disk.bytes(name)
    for (let length = 0; length < bytes.length; length += 3) {
      const outcome = outcomeOf(withFile(disk, name, bytes.slice(0, length)), smallSegments)
      expect(outcome.verdict, `${length} bytes`).toBe("corrupt")
      expect("message" in outcome && outcome.message).toContain(name)
    }
    expect(outcomeOf(withFile(disk, name, undefined), smallSegments).verdict).toBe("corrupt")
  })

  it("of the compressed form beside an original that is still there costs nothing", async () => {
    const { disk, sample } = await compressedLog(34, 20_000)
    const name = endingWith(disk, ".evz")[0]!
    const original = name.replace(".evz", ".evl")
    const whole = disk.bytes(name)
    for (const at of [0, 20, 200, whole.length - 300, whole.length - 1]) {
      const damaged = whole.slice()
      damaged[at]! ^= 16
      const both = withFile(disk, name, damaged)
      both.put(original, sample.disk.bytes(original))
      expect(outcomeOf(both, smallSegments)).toMatchObject({ verdict: "clean", lines: sample.lines })
      expect(both.files()).toContain(original)
      expect(both.files()).not.toContain(name)
    }
    const both = withFile(disk, name, whole)
    both.put(original, sample.disk.bytes(original))
    expect(outcomeOf(both, smallSegments)).toMatchObject({ verdict: "clean", lines: sample.lines })
    expect(both.files()).not.toContain(original)
  })

  it("reads as an error of the disk, never as wrong bytes", async () => {
    const { disk } = await compressedLog(35, 20_000)
    const name = endingWith(disk, ".evz")[0]!
    const whole = segmentBytes(disk, name)
    const stored = disk.bytes(name)
    const at = openCompressed(disk, name).blocks[0]!.stored
    expect(readBlockHeader(stored, at)!.position).toBe(128)
    for (let bit = 0; bit < 8 * 100; bit++) {
      const damaged = disk.settled()
      damaged.flip(name, at + (bit >> 3), bit & 7)
      try {
        expect(Buffer.compare(segmentBytes(damaged, name), whole)).toBe(0)
        expect.unreachable("a flipped bit went unnoticed")
      } catch (error) {
        if (isDecodeError(error) || !(error instanceof DiskError)) throw error
        expect(error).toMatchObject({ code: "EIO", file: name })
      }
    }
  })
})

describe("the format", () => {
  it("of a released version is read for ever", () => {
    const folder = new URL("../golden/log-1-compressed/", import.meta.url)
    const disk = new SimDisk()
    for (const name of readdirSync(folder).filter((base) => /\.ev[lz]$/.test(base))) {
      disk.put(`log/${name}`, new Uint8Array(readFileSync(new URL(name, folder))))
    }
    const lines = JSON.parse(readFileSync(new URL("batches.json", folder), "utf8")) as Array<string>
    const [name] = endingWith(disk, ".evz")
    const file = openCompressed(disk, name!)
    const sha256 = createHash("sha256").update(segmentBytes(disk, name!)).digest()
    expect(Buffer.compare(file.sha256!, sha256)).toBe(0)
    file.close()
    expect(lines.length).toBeGreaterThan(30)
    expect(outcomeOf(disk)).toMatchObject({ verdict: "clean", lines })
  })
})
