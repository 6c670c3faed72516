import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { dirname, join } from "node:path"
import { crc32 } from "node:zlib"
import { afterAll, describe, expect, it } from "vitest"
import { nodeDisk } from "../../src/log/disk.ts"
import { type Gap, gapsIn } from "../../src/log/gaps.ts"
import { openLog } from "../../src/log/store.ts"
import { Slice } from "../../src/projections/memory/slice.ts"
import { salvage } from "../../src/tools/salvage.ts"
import { type FrameFacts, framesOf, headerOf, segmentHeaderBytes, segmentsOf } from "../support/frames.ts"
import { FakeClock, linesOf, outcomeOf, Writer } from "../support/log-writer.ts"
import { forSeeds, Random } from "../support/random.ts"
import { type SampleLog, sampleLog, smallSegments } from "../support/sample-log.ts"

const scratch = mkdtempSync(join(tmpdir(), "annals-salvage-"))
afterAll(() => rmSync(scratch, { recursive: true, force: true }))

let folders = 0
const newFolder = (): string => join(scratch, String(++folders))

type Files = Map<string, Uint8Array>

const filesOf = (sample: SampleLog): Files =>
  new Map(sample.disk.files().map((name) => [name, sample.disk.bytes(name).slice()]))

const store = (files: Files): string => {
  const folder = newFolder()
  for (const [name, bytes] of files) {
    mkdirSync(dirname(join(folder, name)), { recursive: true })
    writeFileSync(join(folder, name), bytes)
  }
  return folder
}

/** Every file below a folder with its bytes. */
const load = (folder: string): Files =>
  new Map(
    readdirSync(folder, { recursive: true, encoding: "utf8" }).sort()
      .filter((name) => statSync(join(folder, name)).isFile())
      .map((name) => [name, new Uint8Array(readFileSync(join(folder, name)))])
  )

/** A stretch of a segment made unreadable. */
interface Damage {
  readonly segment: string
  readonly from: number
  readonly to: number
}

interface Placed extends FrameFacts {
  readonly segment: string
  readonly lsn: number
}

/** Every frame of an undamaged log, from a second reader of the format. */
const allFrames = (files: Files): Array<Placed> =>
  segmentsOf([...files.keys()]).flatMap((segment) => {
    const bytes = files.get(segment)!
    const { lsn } = headerOf(bytes)
    return framesOf(bytes).map((frame) => ({ ...frame, segment, lsn: lsn + frame.position - segmentHeaderBytes }))
  })

const sequencesIn = (frame: Placed): number => frame.type === "BATCHES" ? frame.count : 0

/** What has to be missing when these stretches are lost. */
const expectedGaps = (
  frames: ReadonlyArray<Placed>,
  damages: ReadonlyArray<Damage>
): Array<Pick<Gap, "first" | "last" | "lsnFrom" | "lsnTo">> => {
  const gaps: Array<{ first: number; last: number; lsnFrom: number; lsnTo: number }> = []
  let open: { first: number; last: number; lsnFrom: number; lsnTo: number } | undefined
  for (const frame of frames) {
    const hit = damages.some(({ from, segment, to }) =>
      segment === frame.segment && from < frame.position + frame.length && to > frame.position
    )
    if (!hit) {
      if (open !== undefined && open.last >= open.first) gaps.push({ ...open, lsnTo: frame.lsn })
      open = undefined
      continue
    }
    open ??= { first: frame.sequence, last: frame.sequence - 1, lsnFrom: frame.lsn, lsnTo: frame.lsn }
    open.last = frame.sequence + sequencesIn(frame) - 1
    open.lsnTo = frame.lsn + frame.length
  }
  if (open !== undefined && open.last >= open.first) gaps.push(open)
  return gaps
}

const run = (...argv: Array<string>): { readonly code: number; readonly out: string; readonly err: string } => {
  let [out, err] = ["", ""]
  const code = salvage(argv, { out: (text) => out += text, err: (text) => err += text })
  return { code, out, err }
}

const authorOf = (line: string): string => /\[(.*?)\] ?/.exec(line)![1]!
const withoutAuthor = (line: string): string => line.replace(/ \[.*?\](?= |$)/, "")

/** An author may be less known than before, never another. */
const sameBatch = (found: string, written: string): boolean => {
  if (found === written) return true
  const [client, ...facts] = authorOf(found).split(" ")
  return withoutAuthor(found) === withoutAuthor(written) && facts[2] === ""
    && (client === "0" || client === authorOf(written).split(" ")[0])
}

interface Salvaged {
  readonly out: string
  readonly report: string
  readonly gaps: ReadonlyArray<Gap>
  /** Batches whose author is not exactly known. */
  readonly anonymous: number
}

/** Salvages a damaged log and checks everything that has to hold whatever the damage is. */
const check = (
  sample: SampleLog,
  damaged: Files,
  damages: ReadonlyArray<Damage>,
  how: { readonly corrupt?: boolean } = {}
): Salvaged => {
  const dir = store(damaged)
  const expected = expectedGaps(allFrames(filesOf(sample)), damages)
  if (how.corrupt !== false) {
    const outcome = outcomeOf(nodeDisk(dir), smallSegments)
    expect(outcome.verdict === "corrupt" || JSON.stringify(outcome.verdict)).toBe(true)
    expect((outcome as { message: string }).message).toContain("annals salvage")
  }
  const before = load(dir)
  const out = newFolder()
  const { code, err, out: report } = run("--dir", dir, "--out", out)
  expect(err).toBe("")
  expect(code, report).toBe(expected.length === 0 ? 0 : 1)
  expect(load(dir)).toEqual(before)
  expect(readdirSync(out).sort()).toEqual(["MANIFEST", "log"])

  const warnings: Array<string> = []
  const clock = new FakeClock(1_800_000_000_000)
  let log = openLog(nodeDisk(out), clock, { ...smallSegments, warn: (message) => void warnings.push(message) })
  expect(log.recovery.verdict).toBe("clean")
  const gaps = gapsIn(
    nodeDisk(out),
    segmentsOf([...load(out).keys()]).map((name) => ({
      name,
      end: framesOf(readFileSync(join(out, name))).reduce((end, { length }) => end + length, segmentHeaderBytes)
    }))
  )
  expect(gaps.map(({ first, last, lsnFrom, lsnTo }) => ({ first, last, lsnFrom, lsnTo }))).toEqual(expected)
  const warned = warnings.filter((message) => message.includes("gap"))
  expect(warned).toHaveLength(gaps.length)
  gaps.forEach(({ first, last }, i) => {
    for (const number of [first, last]) expect(warned[i]).toContain(String(number))
    expect(report).toContain(warned[i]!.slice("the log has a gap: ".length))
  })

  const missing = (sequence: number): boolean =>
    expected.some(({ first, last }) => sequence >= first && sequence <= last)
  const wanted = sample.lines.filter((_, i) => !missing(i + 1))
  const found = linesOf(log)
  expect(found.map((line) => withoutAuthor(line))).toEqual(wanted.map((line) => withoutAuthor(line)))
  let anonymous = 0
  found.forEach((line, i) => {
    if (!sameBatch(line, wanted[i]!)) throw new Error(`${line}\nwas\n${wanted[i]}`)
    if (line !== wanted[i]) anonymous++
  })
  expect(report.includes("no longer known who wrote them")).toBe(anonymous > 0)

  // The log goes on behind the last sequence, and what was salvaged stays, through rotations and restarts.
  expect(log.sequence()).toBe(sample.lines.length)
  const writer = new Writer(log, clock, new Random(5))
  for (let i = 0; i < 40; i++) {
    writer.append()
    writer.commit()
  }
  const more = writer.lines.slice(sample.lines.length)
  expect(more).toHaveLength(40)
  log.close()
  warnings.length = 0
  log = openLog(nodeDisk(out), clock, { ...smallSegments, warn: (message) => void warnings.push(message) })
  expect(log.recovery.verdict).toBe("clean")
  expect(linesOf(log)).toEqual([...found, ...more])
  expect(warnings).toEqual(warned)
  log.close()
  return { out, report, gaps, anonymous }
}

/** The bytes in which files differ from what they were: a block may have been zeros before. */
const changed = (before: Files, after: Files): Array<Damage> =>
  [...before].flatMap(([segment, bytes]) => {
    const now = after.get(segment)
    if (now === undefined) return [{ segment, from: 0, to: bytes.length }]
    const damages: Array<Damage> = []
    for (let at = 0; at < bytes.length; at++) if (bytes[at] !== now[at]) damages.push({ segment, from: at, to: at + 1 })
    return damages
  })

const closed = sampleLog(31, { closed: true, bytes: 30_000, options: smallSegments })
const killed = sampleLog(32, { closed: false, bytes: 30_000, options: smallSegments })

const batchesOf = (sample: SampleLog, segment: string): Array<FrameFacts> =>
  framesOf(sample.disk.bytes(segment)).filter(({ count, type }) => type === "BATCHES" && count > 0)

/** Zeroes a stretch, or whatever `change` does to it. */
const hurt = (
  files: Files,
  { from, segment, to }: Damage,
  change = (bytes: Uint8Array): void => void bytes.fill(0)
): void => change(files.get(segment)!.subarray(from, to))

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
    forSeeds(150, (random) => {
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

describe("the command line of annals salvage", () => {
  it("refuses wrong usage with 2 and touches nothing", () => {
    const dir = store(filesOf(closed))
    const before = load(dir)
    const file = join(scratch, "file")
    writeFileSync(file, "")
    for (
      const argv of [
        [],
        ["--dir", dir],
        ["--out", newFolder()],
        ["--dir", join(scratch, "nowhere"), "--out", newFolder()],
        ["--dir", dir, "--out", dir],
        ["--dir", dir, "--out", join(dir, "salvaged")],
        ["--dir", dir, "--out", file],
        ["--dir", dir, "--out", scratch],
        ["--dir", dir, "--out"],
        ["--dir", dir, "--out", newFolder(), "--force"],
        [dir, newFolder()]
      ]
    ) {
      const { code, err } = run(...argv)
      expect(code, argv.join(" ")).toBe(2)
      expect(err).toContain("Usage: annals salvage")
    }
    const empty = newFolder()
    mkdirSync(empty)
    expect(run("--dir", empty, "--out", newFolder()).err).toContain("holds no log")
    expect(load(dir)).toEqual(before)
  })

  it("prints its help, and takes = as a server does", () => {
    expect(run("--help")).toMatchObject({ code: 0, err: "" })
    const out = newFolder()
    mkdirSync(out)
    expect(run(`--dir=${store(filesOf(closed))}`, `--out=${out}`).code).toBe(0)
  })

  it("says 5 while a server uses the directory", () => {
    const dir = store(filesOf(closed))
    const log = openLog(nodeDisk(dir), new FakeClock(), smallSegments)
    const out = newFolder()
    const { code, err } = run("--dir", dir, "--out", out)
    log.abandon()
    expect(code).toBe(5)
    expect(err).toContain("in use")
    expect(existsSync(out)).toBe(false)
  })

  it("says 4 to a newer format", () => {
    const files = filesOf(closed)
    const bytes = Buffer.from(files.get(closed.sealed[1]!)!)
    bytes.writeUInt16LE(2, 8)
    bytes.writeUInt16LE(2, 10)
    bytes.writeUInt32LE(crc32(bytes.subarray(0, 124)), 124)
    files.set(closed.sealed[1]!, bytes)
    const out = newFolder()
    const { code, err } = run("--dir", store(files), "--out", out)
    expect(code).toBe(4)
    expect(err).toContain("newer version")
    expect(existsSync(out)).toBe(false)
  })
})
