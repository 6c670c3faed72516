import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { afterAll, describe, expect, it } from "vitest"
import { type Disk, DiskError, nodeDisk } from "../../src/log/disk.ts"
import { openLog } from "../../src/log/store.ts"
import { Slice } from "../../src/projections/memory/slice.ts"
import { findSources } from "../../src/tools/salvage-sources.ts"
import { Walk } from "../../src/tools/salvage-walk.ts"
import { framesOf, segmentHeaderBytes, segmentsOf } from "../support/frames.ts"
import { FakeClock, outcomeOf, Writer } from "../support/log-writer.ts"
import { forSeeds, Random } from "../support/random.ts"
import { sampleLog, smallSegments } from "../support/sample-log.ts"

import {
  allFrames,
  batchesOf,
  changed,
  check,
  cleanUp,
  closed,
  expectedGaps,
  filesOf,
  hurt,
  killed,
  load,
  newFolder,
  run,
  sameBatch,
  store,
  withoutAuthor
} from "./salvage-support.ts"

afterAll(cleanUp)

describe("annals salvage", () => {
  const middle = closed.sealed[3]!

  it("loses nothing of a log without damage", () => {
    for (const sample of [closed, killed]) {
      const { anonymous, report } = check(sample, filesOf(sample), [], { corrupt: false })
      expect(anonymous).toBe(0)
      expect(report).toContain("Nothing is missing.")
    }
  })

  it("leaves out the one frame in which a bit is flipped, in its body or its header", () => {
    const frame = batchesOf(closed, middle)[2]!
    for (const at of [frame.position + 44, frame.position + 5, frame.position + 10, frame.position]) {
      const files = filesOf(closed)
      files.get(middle)![at]! ^= 16
      const damage = { segment: middle, from: at, to: at + 1 }
      const { gaps } = check(closed, files, [damage])
      expect(gaps).toMatchObject([{
        places: [{ segment: middle, from: frame.position, to: frame.position + frame.length }],
        bytesLost: frame.length
      }])
      const gap = gaps[0]!
      const timeOf = (sequence: number): number => Number(/^#\d+ (\d+)/.exec(closed.lines[sequence - 1]!)![1])
      expect(gap.timeBefore).toBe(timeOf(gap.first - 1))
      expect(gap.timeAfter).toBe(timeOf(gap.last + 1))
      expect(gap.reason).not.toBe("")
    }
  })

  it("finds the frames behind a zeroed block", () => {
    for (const [sample, segment] of [[closed, middle], [killed, killed.sealed[2]!], [killed, killed.active]] as const) {
      const from = batchesOf(sample, segment)[1]!.position + 20
      const damage = { segment, from, to: from + 512 }
      const files = filesOf(sample)
      hurt(files, damage)
      check(sample, files, [damage])
    }
  })

  it("names a segment that is missing: in the middle, the first, the last", () => {
    for (const segment of [middle, closed.sealed[0]!, closed.active]) {
      for (const manifest of segment === closed.active ? [true] : [true, false]) {
        const files = filesOf(closed)
        const damage = { segment, from: 0, to: files.get(segment)!.length }
        files.delete(segment)
        if (!manifest) {
          files.delete("MANIFEST")
          files.delete("MANIFEST.prev")
        }
        // Without a manifest nothing but a hole tells a server of a missing segment.
        const corrupt = manifest || segment === middle
        const { gaps } = check(closed, files, [damage], { corrupt })
        expect(gaps[0]!.places).toMatchObject([{ segment, from: 0, to: 0, reason: "the segment is missing" }])
      }
    }
  })

  it("reads a segment whose header is damaged", () => {
    for (const segment of [closed.sealed[0]!, middle, closed.active]) {
      const files = filesOf(closed)
      hurt(files, { segment, from: 0, to: segmentHeaderBytes })
      expect(check(closed, files, []).report).toContain("no batch is missing")
    }
  })

  it("states what a tail held that was safely on disk: overwritten, or cut off", () => {
    const frames = batchesOf(closed, closed.active)
    const last = frames.at(-1)!
    const cut = filesOf(closed)
    cut.set(closed.active, cut.get(closed.active)!.slice(0, last.position + 9))
    check(closed, cut, [{ segment: closed.active, from: last.position + 9, to: Infinity }])
    for (const position of [last.position, last.position + 50]) {
      const files = filesOf(closed)
      const damage = { segment: closed.active, from: position, to: Infinity }
      hurt(files, damage)
      check(closed, files, [damage])
    }
    const body = { segment: closed.active, from: last.position + 41, to: last.position + 42 }
    const files = filesOf(closed)
    hurt(files, body, (bytes) => void (bytes[0]! ^= 1))
    check(closed, files, [body])
  })

  it("a tail that was never safely on disk is cut as a server would, and is no gap", () => {
    const last = killed.frames.at(-1)!
    const files = filesOf(killed)
    files.set(killed.active, killed.bytes.slice(0, last.position + last.length - 3))
    const dir = store(files)
    const out = newFolder()
    const { code, out: report } = run("--dir", dir, "--out", out)
    expect(code, report).toBe(0)
    expect(report).toContain("no batch is missing")
    const salvaged = outcomeOf(nodeDisk(out), smallSegments)
    const served = outcomeOf(nodeDisk(dir), smallSegments)
    expect(served.verdict).toBe("torn")
    expect(salvaged).toMatchObject({ verdict: "clean", lines: (served as { lines: Array<string> }).lines })
  })

  it("copes with several damages at once, of any kind", () => {
    forSeeds(80, (random) => {
      const sample = random.chance(0.5) ? closed : killed
      const files = filesOf(sample)
      const original = filesOf(sample)
      let whole = true
      for (let n = random.between(2, 5); n > 0; n--) {
        const segment = random.pick(sample.sealed)
        const bytes = files.get(segment)
        if (bytes === undefined) continue
        const frames = framesOf(original.get(segment)!)
        const from = segmentHeaderBytes + random.below(frames.at(-1)!.position - segmentHeaderBytes)
        const kind = random.below(5)
        if (kind === 0 && whole) {
          files.delete(segment)
          whole = false
        } else if (kind === 1) hurt(files, { segment, from: 0, to: segmentHeaderBytes })
        else if (kind === 2) {
          hurt(files, { segment, from, to: from + 1 }, (part) => void (part[0]! ^= 1 << random.below(8)))
        } else {
          const to = Math.min(bytes.length, from + random.pick([64, 512, 1024]))
          hurt(files, { segment, from, to }, kind === 3 ? undefined : (part) => random.fill(part, 0, part.length))
        }
      }
      const real = changed(original, files)
      check(sample, files, real, { corrupt: real.length > 0 })
    })
  })

  it("gives true batches, gaps for the others and a clean start, whatever was cut, moved, doubled or mixed up", () => {
    forSeeds(100, (random) => {
      const sample = random.chance(0.5) ? closed : killed
      const files = filesOf(sample)
      const names = [...sample.sealed, sample.active]
      const any = (): Buffer => Buffer.from(sample.disk.bytes(random.pick(names)))
      for (let n = random.between(1, 3); n > 0; n--) {
        const name = random.pick(names)
        const bytes = Buffer.from(files.get(name)!)
        const at = random.below(bytes.length)
        const length = random.between(1, 1500)
        const other = any()
        const [from, to] = [random.below(other.length / 512) * 512, random.below(bytes.length / 512) * 512]
        const kind = random.below(7)
        if (kind === 0) files.set(name, bytes.subarray(0, at))
        else if (kind === 1) files.set(name, Buffer.concat([bytes.subarray(0, at), bytes.subarray(at + length)]))
        else if (kind === 2) files.set(name, Buffer.concat([bytes.subarray(0, at), bytes.subarray(at / 2)]))
        else if (kind === 3) {
          other.copy(bytes, to, from, from + 512)
          files.set(name, bytes)
        } else if (kind === 4) files.set(name, other)
        else if (kind === 5) files.set("log/00000000000000000999.evl", other)
        else files.set(name, Buffer.concat([bytes, bytes.subarray(segmentHeaderBytes)]))
      }
      const manifest = random.chance(0.7)
      if (!manifest) files.delete("MANIFEST")
      const dir = store(files)
      const before = load(dir)
      const out = newFolder()
      const { code, out: report } = run("--dir", dir, "--out", out)
      expect(code === 0 || code === 1).toBe(true)
      expect(load(dir)).toEqual(before)
      const outcome = outcomeOf(nodeDisk(out), smallSegments)
      if (!("lines" in outcome)) throw new Error(outcome.message)
      expect(outcome.verdict).toBe("clean")
      let last = 0
      for (const line of outcome.lines) {
        const sequence = Number(/^#(\d+)/.exec(line)![1])
        expect(sequence).toBeGreaterThan(last)
        last = sequence
        const written = sample.lines[sequence - 1]!
        if (!sameBatch(line, written)) throw new Error(`${line}\nwas\n${written}`)
      }
      const { sequence } = outcome.log
      expect(sequence).toBeLessThanOrEqual(sample.lines.length)
      if (manifest && sample === closed) expect(sequence).toBe(sample.lines.length)
      const missing = [...report.matchAll(/^Missing: sequences? (\d+)(?: to (\d+))?/gm)]
        .reduce((sum, [, first, until]) => sum + Number(until ?? first) - Number(first) + 1, 0)
      expect(outcome.lines.length + missing).toBe(sequence)
      expect(code).toBe(missing === 0 ? 0 : 1)
      rmSync(dir, { recursive: true })
      rmSync(out, { recursive: true })
    })
  })

  it("goes round blocks the disk cannot read", () => {
    const [from, to] = [4096, 8192]
    const log = sampleLog(34, { closed: true, bytes: 12_000 })
    const failing: Disk = Object.assign(Object.create(log.disk), {
      open: (name: string, how: "read") => {
        const file = log.disk.open(name, how)
        if (name !== log.active) return file
        return Object.assign(Object.create(file), {
          read: (bytes: Uint8Array, start: number, length: number, position: number) => {
            if (position < to && position + length > from) throw new DiskError("EIO", "read", name)
            return file.read(bytes, start, length, position)
          }
        })
      }
    })
    const walk = new Walk(failing, findSources(failing))
    const kept: Array<number> = []
    walk.run({
      frame: (_source, _bytes, header, sequences) => {
        for (let i = 0; i < sequences; i++) kept.push(header.sequence + i)
      },
      gap: () => {}
    })
    const lost = expectedGaps(allFrames(filesOf(log)), [{ segment: log.active, from, to }])
    expect(walk.gaps).toMatchObject(lost)
    expect(kept).toHaveLength(log.lines.length - (lost[0]!.last - lost[0]!.first + 1))
  })

  it("takes nothing inside a value for a frame", () => {
    const dir = newFolder()
    mkdirSync(dir)
    const clock = new FakeClock()
    const options = { ...smallSegments, segmentBytes: 64 << 10 }
    const writer = new Writer(openLog(nodeDisk(dir), clock, options), clock, new Random(8))
    const foreign = filesOf(closed).get(closed.sealed[1]!)!
    for (let i = 0; i < 30; i++) {
      const value = i === 1 ? foreign : new Uint8Array(20)
      writer.append(1, () => ({ _tag: "StringSet", key: Slice.latin1("k"), value: new Slice(value), expireAt: null }))
      writer.commit()
    }
    writer.log.close()
    const [name] = segmentsOf([...load(dir).keys()])
    const bytes = new Uint8Array(readFileSync(join(dir, name!)))
    const frame = framesOf(bytes).filter(({ type }) => type === "BATCHES")[1]!
    bytes[frame.position + 100]! ^= 1
    writeFileSync(join(dir, name!), bytes)
    const out = newFolder()
    expect(run("--dir", dir, "--out", out).code).toBe(1)
    const salvaged = outcomeOf(nodeDisk(out), options)
    expect(salvaged).toMatchObject({ verdict: "clean" })
    const lines = (salvaged as { lines: Array<string> }).lines
    expect(lines.map(withoutAuthor)).toEqual(writer.lines.filter((_, i) => i !== 1).map(withoutAuthor))
  })

  it("leaves an author unnamed whose record is lost", () => {
    const first = framesOf(closed.disk.bytes(middle)).find(({ type }) => type === "BATCHES")
    const files = filesOf(closed)
    const damage = { segment: middle, from: first!.position + 44, to: first!.position + 45 }
    hurt(files, damage, (bytes) => void (bytes[0]! ^= 1))
    expect(check(closed, files, [damage]).anonymous).toBeGreaterThan(0)
  })

  it("keeps the gaps of an earlier salvage", () => {
    const files = filesOf(closed)
    const frame = batchesOf(closed, middle)[1]!
    const damage = { segment: middle, from: frame.position + 41, to: frame.position + 42 }
    hurt(files, damage, (bytes) => void (bytes[0]! ^= 1))
    const once = check(closed, files, [damage])
    const again = newFolder()
    const { code, out } = run("--dir", once.out, "--out", again)
    expect(code).toBe(0)
    expect(out).toContain("Missing since an earlier salvage: ")
    const warnings: Array<string> = []
    const read = (folder: string) =>
      outcomeOf(nodeDisk(folder), { ...smallSegments, warn: (message) => void warnings.push(message) })
    expect((read(again) as { lines: unknown }).lines).toEqual((read(once.out) as { lines: unknown }).lines)
    expect(warnings).toHaveLength(2)
    expect(warnings[0]).toBe(warnings[1])
  })

  it("takes nothing from a segment of another store", () => {
    const foreign = sampleLog(33, {
      closed: true,
      bytes: 9000,
      options: { ...smallSegments, randomId: () => new Uint8Array(36).fill(9) }
    })
    const files = filesOf(closed)
    const whole = { segment: middle, from: 0, to: files.get(middle)!.length }
    files.set(middle, foreign.disk.bytes(foreign.sealed[0]!))
    expect(check(closed, files, [whole]).report).toContain("belongs to the store 0909")
  })
})
