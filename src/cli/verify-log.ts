/** The whole log checked: every segment, how they follow one another, and what the manifest says of them. */
import { isCompressed } from "../log/compressed-file.ts"
import { type Disk, DiskError, type DiskFile } from "../log/disk.ts"
import { formatTooNew, LogCorrupt } from "../log/errors.ts"
import { chainValue, readRetrying } from "../log/frame-cursor.ts"
import { type Manifest, readManifest } from "../log/manifest.ts"
import { checkAgainstManifest, type Found } from "../log/recovery-files.ts"
import { beginningOf } from "../log/recovery-start.ts"
import { sealSize } from "../log/rotation.ts"
import {
  compressedSequenceOf,
  decodeSegmentHeader,
  formatVersion,
  hex,
  sameBytes,
  segmentHeaderSize,
  segmentName,
  sequenceOfName
} from "../log/segment.ts"
import type { Context } from "./context.ts"
import { Progress } from "./progress.ts"
import { endVerdict, type Finding, type Head, openEither, SegmentCheck, type SegmentReport } from "./verify-segment.ts"

/** What the log turned out to be. */
export interface LogReport {
  readonly segments: ReadonlyArray<SegmentReport>
  readonly findings: ReadonlyArray<Finding>
  /** Every SEAL, oldest first, and the chain value with which the log begins. */
  readonly heads: ReadonlyArray<Head>
  /** Bytes that were read. */
  readonly bytes: number
  /** Newest sequence. */
  readonly sequence: number
  /** Worth knowing, but nothing is wrong. */
  readonly notes: ReadonlyArray<string>
  readonly manifest: Manifest | undefined
}

const nowhere = { file: "MANIFEST", offset: 0, lsn: 0, sequence: 1, last: undefined }

/** Checks everything. Throws `LogFormatTooNew` and `DiskError`. */
export const verifyLog = (context: Context, disk: Disk): LogReport => {
  const findings: Array<Finding> = []
  const notes: Array<string> = []
  const manifest = manifestOf(disk, findings, notes)
  const found = headersOf(disk, findings)
  for (const finding of orderOf(disk, found, manifest)) findings.push(finding)
  const total = found.reduce((sum, { size }) => sum + size, 0)
  const progress = new Progress(context, "verifying", total)
  const segments: Array<SegmentReport> = []
  const again = disk.exists("LOCK") ? () => context.sleep(20) : undefined
  let bytes = 0
  for (let i = 0; i < found.length; i++) {
    const { header } = found[i]!
    const next = found[i + 1]
    const end = next === undefined
      ? undefined
      : segmentHeaderSize + next.header.lsn - header.lsn - (next.header.afterCut ? sealSize : 0)
    const opened = openAgain(disk, header.firstSequence)
    if (opened === undefined) {
      notes.push(`${segmentName(header.firstSequence)} was dropped by history-retention meanwhile`)
      continue
    }
    try {
      const cut = next?.header.afterCut === true
      const before = bytes
      const place = { end, cut, footerDue: i >= found.length - 2 && manifest?.clean !== true }
      const check = new SegmentCheck(opened.file, opened.name, header, place)
      let report = check.run((done) => progress.at(before + done), again)
      bytes += opened.file.size()
      if (end === undefined) report = { ...report, finding: lastFinding(opened.file, report, manifest) }
      if (report.footer === "absent" && i < found.length - 1) {
        notes.push(`${opened.name} has no footer yet: the server writes it, everything it says stands in the frames`)
      }
      segments.push(report)
      if (report.finding !== undefined) findings.push(report.finding)
      else if (next !== undefined) { for (const finding of joined(report, next, manifest)) findings.push(finding) }
    } finally {
      opened.file.close()
    }
  }
  progress.end()
  const first = segments[0]
  const start = first === undefined ? [] : [{ sequence: first.header.firstSequence - 1, chain: first.header.chain }]
  return {
    segments,
    findings: findings.sort((a, b) => a.sequence - b.sequence || a.lsn - b.lsn),
    heads: [...start, ...segments.flatMap(({ heads }) => heads)],
    bytes,
    sequence: segments.at(-1)?.lastSequence ?? 0,
    notes,
    manifest
  }
}

const manifestOf = (disk: Disk, findings: Array<Finding>, notes: Array<string>): Manifest | undefined => {
  const reading = readManifest(disk)
  if (reading.kind === "newer") throw formatTooNew("MANIFEST", reading.oldestReader, formatVersion)
  const damaged = reading.kind === "manifest" ? reading.previous && disk.exists("MANIFEST") : reading.damaged
  if (damaged) findings.push({ ...nowhere, kind: "checksum", reason: "the manifest is damaged" })
  else if (reading.kind === "none" && disk.list("log").length > 0) {
    notes.push("there is no manifest: nothing vouches for what was safely on disk but the frames themselves")
  }
  return reading.kind === "manifest" ? reading.manifest : undefined
}

/** Every segment with a readable header, oldest first. */
const headersOf = (disk: Disk, findings: Array<Finding>): Array<Found> => {
  const firsts = new Set(disk.list("log").flatMap((base) => sequenceOfName(base) ?? compressedSequenceOf(base) ?? []))
  const found: Array<Found> = []
  for (const first of [...firsts].sort((a, b) => a - b)) {
    const bad = (kind: Finding["kind"], reason: string, name: string): void =>
      void findings.push({ ...nowhere, kind, reason, file: name, sequence: first })
    let opened: { readonly file: DiskFile; readonly name: string } | undefined
    try {
      opened = openAgain(disk, first)
    } catch (error) {
      if (!(error instanceof LogCorrupt)) throw error
      bad("checksum", error.reason, error.segment)
    }
    if (opened === undefined) continue
    const { file, name } = opened
    try {
      const bytes = new Uint8Array(segmentHeaderSize)
      const length = readRetrying(file, bytes, 0, segmentHeaderSize, 0)
      const reading = decodeSegmentHeader(bytes.subarray(0, length))
      if (reading.kind === "newer") throw formatTooNew(name, reading.oldestReader, formatVersion)
      if (reading.kind === "bad") bad("checksum", reading.reason, name)
      else if (reading.header.firstSequence !== first) {
        bad("chain", `the file says that it begins with sequence ${reading.header.firstSequence}`, name)
      } else found.push({ name, header: reading.header, size: file.size() })
    } catch (error) {
      if (!(error instanceof DiskError) || error.code !== "EIO") throw error
      bad("checksum", `the disk cannot read it (${error.message})`, name)
    } finally {
      file.close()
    }
  }
  return found
}

/** Opens a segment, in whichever form it is by now; undefined when it is gone. */
const openAgain = (disk: Disk, first: number): { readonly file: DiskFile; readonly name: string } | undefined => {
  for (let tries = 0; tries < 3; tries++) {
    try {
      return openEither(disk, first)
    } catch (error) {
      if (!(error instanceof DiskError) || error.code !== "ENOENT") throw error
    }
  }
  return undefined
}

/** Whether the segments are those of one store, begin where they should, and are those of the manifest. */
const orderOf = (disk: Disk, found: Array<Found>, manifest: Manifest | undefined): Array<Finding> => {
  const findings: Array<Finding> = []
  const first = found[0]
  const newest = found.at(-1)
  if (newest !== undefined && isCompressed(newest.name)) {
    const reason = "the segments after it are missing: the newest ones are never compressed"
    const { firstSequence, lsn } = newest.header
    findings.push({
      kind: "chain",
      reason,
      file: newest.name,
      offset: 0,
      lsn,
      sequence: firstSequence,
      last: undefined
    })
  }
  for (const { header, name } of found) {
    if (sameBytes(header.storeId, first!.header.storeId)) continue
    const reason = `it belongs to the store ${hex(header.storeId)}, the first one to ${hex(first!.header.storeId)}`
    findings.push({ ...nowhere, kind: "chain", reason, file: name, sequence: header.firstSequence, offset: 0 })
  }
  for (const check of [() => void beginningOf(disk, found, manifest), () => checkAgainstManifest(found, manifest)]) {
    try {
      check()
    } catch (error) {
      if (!(error instanceof LogCorrupt)) throw error
      const { lastSequence, lsn, position, reason, segment, sequence } = error
      findings.push({ kind: "chain", reason, file: segment, offset: position, lsn, sequence, last: lastSequence })
    }
  }
  return findings
}

/** How a sound segment and the next one fit together. */
const joined = (report: SegmentReport, next: Found, manifest: Manifest | undefined): Array<Finding> => {
  const { chain, end, file, header, lastSequence, sha256 } = report
  const cut = next.header.afterCut
  const endChain = cut && report.sealedTo !== end ? chainValue(chain, sha256) : chain
  const at = { file: next.name, offset: 0, lsn: next.header.lsn, sequence: lastSequence + 1 }
  if (next.header.firstSequence !== lastSequence + 1) {
    const last = next.header.firstSequence - 1
    const reason = last > lastSequence
      ? `sequences ${lastSequence + 1} to ${last} are missing between ${file} and this one`
      : `it begins with sequence ${next.header.firstSequence}, which ${file} holds already`
    return [{ ...at, kind: "chain", reason, last: last > lastSequence ? last : undefined }]
  }
  if (!sameBytes(next.header.chain, endChain)) {
    return [{ ...at, kind: "chain", reason: `the chain value does not continue that of ${file}`, last: undefined }]
  }
  const line = manifest?.sealed.find((entry) => entry.first === header.firstSequence)
  if (line === undefined || line.chain === hex(endChain)) return []
  const reason = "the manifest knows another chain value"
  return [{ ...at, kind: "chain", reason, file, sequence: header.firstSequence, last: lastSequence }]
}

/** What is wrong with the end of the log. */
const lastFinding = (file: DiskFile, report: SegmentReport, manifest: Manifest | undefined): Finding | undefined => {
  const durable = manifest?.durableLsn ?? 0
  if (report.finding !== undefined) return endVerdict(file, report, durable)
  const { end, file: name, header, lastSequence, mark } = report
  const lsn = header.lsn + end - segmentHeaderSize
  const safe = Math.max(mark, durable)
  if (lsn >= safe) return undefined
  const reason = `the log ends ${safe - lsn} bytes before what was safely on disk`
  const last = manifest === undefined || manifest.durableSequence <= lastSequence ? undefined : manifest.durableSequence
  return { kind: "chain", reason, file: name, offset: end, lsn, sequence: lastSequence + 1, last }
}
