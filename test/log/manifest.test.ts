import * as zlib from "node:zlib"
import { describe, expect, it } from "vitest"
import { openLog } from "../../src/log/store.ts"
import { framesOf, segmentsOf } from "../support/frames.ts"
import { FakeClock, outcomeOf, Writer } from "../support/log-writer.ts"
import { forSeeds, Random, scaled } from "../support/random.ts"
import { endOfFrames, sampleLog, smallSegments, withFile, withoutManifest } from "../support/sample-log.ts"
import type { SimDisk } from "../support/sim-disk.ts"

/** The manifest is an accelerator and a witness: without it nothing is lost, and a lie in it is not believed. */

type Line = Record<string, unknown>

const linesOfManifest = (disk: SimDisk): Array<Line> =>
  Buffer.from(disk.bytes("MANIFEST")).toString("utf8").trimEnd().split("\n").slice(0, -1).map((line) =>
    JSON.parse(line) as Line
  )

/** A manifest with a right checksum around whatever lines. */
const sealedManifest = (lines: ReadonlyArray<Line | string>): Uint8Array => {
  const text = lines.map((line) => (typeof line === "string" ? line : JSON.stringify(line)) + "\n").join("")
  const sum = zlib.crc32(text).toString(16).padStart(8, "0")
  return Buffer.from(`${text}{"crc32":"${sum}"}\n`)
}

const killed = sampleLog(31, { closed: false, bytes: 14_000, options: smallSegments })
const closed = sampleLog(32, { closed: true, bytes: 14_000, options: smallSegments })

const opensWhole = (disk: SimDisk, sample = killed, why = ""): void => {
  const outcome = outcomeOf(disk, smallSegments)
  if (!("lines" in outcome)) throw new Error(`${why}: ${outcome.message}`)
  expect(outcome.lines, why).toEqual(sample.lines)
}

describe("the manifest", () => {
  it("has a sample worth the name: several segments sealed", () => {
    expect(killed.sealed.length).toBeGreaterThanOrEqual(3)
    opensWhole(killed.disk.settled())
    opensWhole(closed.disk.settled(), closed)
  })

  it("is rebuilt from the segments when it is missing, empty or unreadable", () => {
    for (const sample of [killed, closed]) {
      opensWhole(withoutManifest(sample.disk), sample, "both missing")
      for (const content of ["", "\n", "{}", "garbage", "\0\0\0\0", "[]\n[]\n", "null\n"]) {
        const disk = withoutManifest(sample.disk)
        disk.put("MANIFEST", Buffer.from(content))
        opensWhole(disk, sample, JSON.stringify(content))
        expect(linesOfManifest(disk).length, "written anew").toBeGreaterThan(2)
        opensWhole(withFile(sample.disk, "MANIFEST", Buffer.from(content)), sample, `${content}, with the previous one`)
      }
    }
  })

  it("cut at any byte is not believed, with the previous one and without", () => {
    const bytes = killed.disk.bytes("MANIFEST")
    for (let length = 0; length < bytes.length; length++) {
      opensWhole(withFile(killed.disk, "MANIFEST", bytes.subarray(0, length)), killed, `cut to ${length}`)
      if (length % 5 === 0) {
        opensWhole(
          withFile(withoutManifest(killed.disk), "MANIFEST", bytes.subarray(0, length)),
          killed,
          `alone, ${length}`
        )
      }
    }
  })

  it("of an earlier moment does no harm", () => {
    const disk = killed.disk.settled()
    const stale = killed.disk.bytes("MANIFEST.prev")
    opensWhole(withFile(disk, "MANIFEST", stale))
    const noPrevious = withFile(withFile(disk, "MANIFEST", stale), "MANIFEST.prev", undefined)
    opensWhole(noPrevious)
  })

  it("with a wrong checksum is not believed, whatever it says", () => {
    const lines = linesOfManifest(killed.disk)
    for (let i = 0; i < lines.length; i++) {
      const bytes = Buffer.from(sealedManifest(lines))
      bytes.write("0", bytes.length - 5 - (i % 4), "latin1")
      const same = Buffer.compare(bytes, sealedManifest(lines)) === 0
      if (!same) opensWhole(withFile(killed.disk, "MANIFEST", bytes), killed, `line ${i}`)
    }
  })

  it("that names files outside of its folder opens none of them", () => {
    const names = [
      "../MANIFEST",
      "../../etc/passwd",
      "/etc/passwd",
      "log/../../x",
      "..",
      "",
      "a\u0000b",
      "sub/00000000000000000001.evl",
      "..\\x"
    ]
    const lines = linesOfManifest(killed.disk)
    for (const name of names) {
      for (const field of ["segment", "active"]) {
        const forged = lines.map((line) => field in line ? { ...line, [field]: name } : line)
        const disk = withFile(killed.disk, "MANIFEST", sealedManifest(forged))
        const outcome = outcomeOf(disk, smallSegments)
        if ("lines" in outcome) expect(outcome.lines, JSON.stringify(name)).toEqual(killed.lines)
        else expect(outcome.verdict).toBe("corrupt")
        const opened = disk.journal.filter((call) => / (open|read|rename|unlink) /.test(call))
        for (const call of opened) {
          expect(call).not.toMatch(/passwd|\.\.|sub\//)
        }
      }
    }
  })

  it("that names a segment twice, out of order or one that is not there is not taken for the truth", () => {
    const lines = linesOfManifest(killed.disk)
    const sealed = lines.findIndex((line) => "segment" in line)
    const twice = [...lines.slice(0, sealed + 1), lines[sealed]!, ...lines.slice(sealed + 1)]
    const swapped = lines.slice()
    swapped[sealed] = lines[sealed + 1]!
    swapped[sealed + 1] = lines[sealed]!
    for (const forged of [twice, swapped]) opensWhole(withFile(killed.disk, "MANIFEST", sealedManifest(forged)))
    const ghost = { segment: "00000000000000000900.evl", first: 900, last: 950, lsn: 1, end: 2, chain: "00".repeat(32) }
    const phantom = [...lines.slice(0, -1), ghost, lines.at(-1)!]
    const outcome = outcomeOf(withFile(killed.disk, "MANIFEST", sealedManifest(phantom)), smallSegments)
    if ("lines" in outcome) expect(outcome.lines).toEqual(killed.lines)
    else expect(outcome.verdict).toBe("corrupt")
  })

  it("witnesses: a log shorter than it vouches for is corrupt, and says what is missing", () => {
    const bytes = closed.disk.bytes(closed.active)
    const frames = framesOf(bytes)
    const last = frames.filter((frame) => frame.type === "BATCHES").at(-1)!
    const outcome = outcomeOf(withFile(closed.disk, closed.active, bytes.subarray(0, last.position)), smallSegments)
    if ("lines" in outcome) throw new Error("opened")
    expect(outcome.verdict).toBe("corrupt")
    expect(outcome.error).toMatchObject({ exitCode: 3, sequence: last.sequence })
    expect(endOfFrames(frames)).toBeGreaterThan(last.position)
  })

  it("of a newer format is refused with exit code 4, and nothing is touched", () => {
    const lines = linesOfManifest(killed.disk)
    const newer = [{ ...lines[0]!, version: 9, oldestReader: 9 }, ...lines.slice(1)]
    const disk = withFile(killed.disk, "MANIFEST", sealedManifest(newer))
    const before = disk.files().map((name) => [name, disk.bytes(name)])
    const outcome = outcomeOf(disk, smallSegments)
    expect(outcome.verdict).toBe("too new")
    expect("error" in outcome && outcome.error).toMatchObject({ exitCode: 4 })
    expect(disk.files().map((name) => [name, disk.bytes(name)])).toEqual(before)
  })

  it("of another store beside our segments is refused, or replaced by what the segments say", () => {
    const lines = linesOfManifest(killed.disk)
    const other = [{ ...lines[0]!, storeId: "ab".repeat(16) }, ...lines.slice(1)]
    const outcome = outcomeOf(withFile(killed.disk, "MANIFEST", sealedManifest(other)), smallSegments)
    expect(outcome.verdict).toBe("corrupt")
  })

  it("with any fields of any kind leads to an opening or a typed refusal, nothing else", () => {
    const lines = linesOfManifest(killed.disk)
    const values = [null, -1, 1.5, 2 ** 60, 1e308, "", "x", [], {}, true, "00".repeat(16), "00".repeat(32), 0, 1]
    forSeeds(scaled(1500), (random) => {
      const forged = structuredClone(lines)
      for (let n = random.between(1, 3); n > 0; n--) {
        const line = random.pick(forged)
        const field = random.pick(Object.keys(line))
        if (random.chance(0.2)) delete line[field]
        else line[field] = random.pick(values)
      }
      const outcome = outcomeOf(withFile(killed.disk, "MANIFEST", sealedManifest(forged)), smallSegments)
      if ("lines" in outcome) expect(outcome.lines, JSON.stringify(forged)).toEqual(killed.lines)
    })
  })

  it("half replaced leaves a temporary that is removed", () => {
    for (const name of ["MANIFEST.tmp"]) {
      const disk = withFile(killed.disk, name, Buffer.from("half"))
      opensWhole(disk)
      expect(disk.files()).not.toContain(name)
    }
  })

  it("lists every sealed segment after a rotation, and is kept in step", () => {
    const disk = killed.disk.settled()
    const clock = new FakeClock(1_790_002_000_000)
    const writer = new Writer(openLog(disk, clock, smallSegments), clock, new Random(3))
    const before = segmentsOf(disk.files()).length
    for (let i = 0; i < 200 && segmentsOf(disk.files()).length < before + 2; i++) {
      writer.append(3)
      writer.commit()
      disk.runPending()
    }
    writer.log.close()
    const files = segmentsOf(disk.files()).map((name) => name.slice(4))
    const lines = linesOfManifest(disk)
    const named = lines.flatMap((line) => [line["segment"], line["active"]].filter((name) => name !== undefined))
    expect(named).toEqual(files)
  })
})
