import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { dirname, join } from "node:path"
import { expect } from "vitest"
import { nodeDisk } from "../../src/log/disk.ts"
import { type Gap, gapsIn } from "../../src/log/gaps.ts"
import { openLog } from "../../src/log/store.ts"
import { salvage } from "../../src/tools/salvage.ts"
import { type FrameFacts, framesOf, headerOf, segmentHeaderBytes, segmentsOf } from "../support/frames.ts"
import { FakeClock, linesOf, outcomeOf, Writer } from "../support/log-writer.ts"
import { Random } from "../support/random.ts"
import { type SampleLog, sampleLog, smallSegments } from "../support/sample-log.ts"

/** What the salvage tests share: logs to damage, and what has to hold after each salvage. Everything lies in here. */
export const scratch = mkdtempSync(join(tmpdir(), "annals-salvage-"))

/** Everything made here goes when the tests of a file are over. */
export const cleanUp = (): void => rmSync(scratch, { recursive: true, force: true })

let folders = 0
/** Path of a folder that does not exist yet. */
export const newFolder = (): string => join(scratch, String(++folders))

/** Bytes by name, relative to the data directory. */
export type Files = Map<string, Uint8Array>

/** Copies of a sample's files. */
export const filesOf = (sample: SampleLog): Files =>
  new Map(sample.disk.files().map((name) => [name, sample.disk.bytes(name).slice()]))

/** Writes files into a new folder. */
export const store = (files: Files): string => {
  const folder = newFolder()
  for (const [name, bytes] of files) {
    mkdirSync(dirname(join(folder, name)), { recursive: true })
    writeFileSync(join(folder, name), bytes)
  }
  return folder
}

/** Every file below a folder with its bytes. */
export const load = (folder: string): Files =>
  new Map(
    readdirSync(folder, { recursive: true, encoding: "utf8" }).sort()
      .filter((name) => statSync(join(folder, name)).isFile())
      .map((name) => [name, new Uint8Array(readFileSync(join(folder, name)))])
  )

/** A stretch of a segment made unreadable. */
export interface Damage {
  readonly segment: string
  readonly from: number
  readonly to: number
}

interface Placed extends FrameFacts {
  readonly segment: string
  readonly lsn: number
}

/** Every frame of an undamaged log, from a second reader of the format. */
export const allFrames = (files: Files): Array<Placed> =>
  segmentsOf([...files.keys()]).flatMap((segment) => {
    const bytes = files.get(segment)!
    const { lsn } = headerOf(bytes)
    return framesOf(bytes).map((frame) => ({ ...frame, segment, lsn: lsn + frame.position - segmentHeaderBytes }))
  })

const sequencesIn = (frame: Placed): number => frame.type === "BATCHES" ? frame.count : 0

/** What has to be missing when these stretches are lost. */
export const expectedGaps = (
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

/** `annals salvage` with these words. */
export const run = (...argv: Array<string>): { readonly code: number; readonly out: string; readonly err: string } => {
  let [out, err] = ["", ""]
  const code = salvage(argv, { out: (text) => out += text, err: (text) => err += text })
  return { code, out, err }
}

const authorOf = (line: string): string => /\[(.*?)\] ?/.exec(line)![1]!
export const withoutAuthor = (line: string): string => line.replace(/ \[.*?\](?= |$)/, "")

/** An author may be less known than before, never another. */
export const sameBatch = (found: string, written: string): boolean => {
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
export const check = (
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
export const changed = (before: Files, after: Files): Array<Damage> =>
  [...before].flatMap(([segment, bytes]) => {
    const now = after.get(segment)
    if (now === undefined) return [{ segment, from: 0, to: bytes.length }]
    const damages: Array<Damage> = []
    for (let at = 0; at < bytes.length; at++) if (bytes[at] !== now[at]) damages.push({ segment, from: at, to: at + 1 })
    return damages
  })

export const closed = sampleLog(31, { closed: true, bytes: 30_000, options: smallSegments })
export const killed = sampleLog(32, { closed: false, bytes: 30_000, options: smallSegments })

export const batchesOf = (sample: SampleLog, segment: string): Array<FrameFacts> =>
  framesOf(sample.disk.bytes(segment)).filter(({ count, type }) => type === "BATCHES" && count > 0)

/** Zeroes a stretch, or whatever `change` does to it. */
export const hurt = (
  files: Files,
  { from, segment, to }: Damage,
  change = (bytes: Uint8Array): void => void bytes.fill(0)
): void => change(files.get(segment)!.subarray(from, to))
