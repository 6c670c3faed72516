/** Sealed segments as recovery checks them: each against the next, by its footer or, without one, by its frames. */
import { ActiveSegment, IndexCatchUp } from "./active-segment.ts"
import { CompressedFile, isCompressed, openSegment } from "./compressed-file.ts"
import type { Disk, DiskFile } from "./disk.ts"
import { logCorrupt } from "./errors.ts"
import { encodeFooter, type FooterTail, readFooter, readFooterTail } from "./footer.ts"
import { chainValue, digestOf } from "./frame-cursor.ts"
import type { Epoch } from "./lineage.ts"
import type { Manifest } from "./manifest.ts"
import type { Found } from "./recovery-files.ts"
import { sealCut } from "./repair.ts"
import { type SealedSegment, sealSize, summaryOf } from "./rotation.ts"
import { type Scan, scanSegment } from "./scan.ts"
import { hex, sameBytes, segmentHeaderSize } from "./segment.ts"

/** What recovery is told. */
export interface RecoveryOptions {
  readonly segmentBytes: number
  /** 36 random bytes. */
  readonly randomId: () => Uint8Array
  /** Unix ms, for the header of a new segment. */
  readonly now: number
  readonly warn: (message: string) => void
  /** The log follows another server's: what its frames say of a disk is not about this one. */
  readonly foreign?: boolean
  /** Records of dropped segments may be another server's: only what checkpoints here cover may go on their account. */
  readonly shared?: boolean
  /** The newest epoch, where that is known. */
  readonly epoch?: Epoch | undefined
}

/** A segment's footer, checked in full or only by its tail. */
const footerOf = (file: DiskFile, size: number, whole: boolean): FooterTail | undefined => {
  const tail = readFooterTail(file, size)
  return tail === undefined || !whole || readFooter(file, size) !== undefined ? tail : undefined
}

/** What a compressed segment takes on disk. */
const storedSize = (file: DiskFile): { readonly stored?: number } =>
  file instanceof CompressedFile ? { stored: file.storedSize() } : {}

/** Checks one segment against the next; undefined when the next is an unused leftover and this one the last in truth. */
export const joinSealed = (
  disk: Disk,
  segment: Found,
  next: Found,
  manifest: Manifest | undefined,
  options: RecoveryOptions,
  repairs: Array<() => void>,
  whole: boolean
): SealedSegment | undefined => {
  const { name, header, size } = segment
  const file = openSegment(disk, name)
  try {
    const tail = footerOf(file, size, whole)
    const line = manifest?.sealed.find((entry) => entry.first === header.firstSequence)
    let sealed: SealedSegment
    if (tail !== undefined && tail.summary.firstSequence === header.firstSequence) {
      sealed = { name, header, end: tail.start, bytes: size, summary: tail.summary, ...storedSize(file) }
    } else if (isCompressed(name)) {
      throw logCorrupt({
        reason: "the footer is damaged",
        segment: name,
        position: 0,
        lsn: header.lsn,
        sequence: header.firstSequence,
        lastSequence: next.header.firstSequence - 1,
        timeBefore: header.created,
        timeAfter: next.header.created,
        bytesLost: size
      })
    } else {
      const rebuilt = withoutFooter(disk, file, segment, next, options, repairs)
      if (rebuilt === undefined) return undefined
      sealed = rebuilt
    }
    const { summary, end } = sealed
    const endLsn = header.lsn + end - segmentHeaderSize
    const damage = {
      segment: next.name,
      position: 0,
      lsn: endLsn,
      sequence: summary.lastSequence + 1,
      lastSequence: next.header.firstSequence - 1,
      timeBefore: summary.lastTime,
      timeAfter: next.header.created,
      bytesLost: Math.max(0, next.header.lsn - endLsn)
    }
    if (next.header.firstSequence !== summary.lastSequence + 1 || next.header.lsn !== endLsn) {
      const reason = `after ${name}, which ends with sequence ${summary.lastSequence}, lsn ${endLsn}, the log goes on `
        + `with sequence ${next.header.firstSequence}, lsn ${next.header.lsn}`
      throw logCorrupt({ ...damage, reason })
    }
    if (!sameBytes(next.header.chain, summary.chain) || (line !== undefined && line.chain !== hex(summary.chain))) {
      throw logCorrupt({ ...damage, reason: `the chain value does not continue that of ${name}` })
    }
    return sealed
  } finally {
    file.close()
  }
}

/** A segment that has a successor but no valid footer: its frames decide; if they are whole the footer is rebuilt. */
const withoutFooter = (
  disk: Disk,
  file: DiskFile,
  segment: Found,
  next: Found,
  options: RecoveryOptions,
  repairs: Array<() => void>
): SealedSegment | undefined => {
  const { name, header, size } = segment
  if (next.header.afterCut) return cutBefore(disk, file, segment, next, options, repairs)
  const scan = scanSegment(file, header, size, options.segmentBytes)
  const endLsn = header.lsn + scan.end - segmentHeaderSize
  if (next.size === segmentHeaderSize && endLsn > next.header.lsn) return undefined
  if (endLsn < next.header.lsn) {
    throw damaged(segment, scan, next.header.firstSequence - 1, next.header.created, "frames are missing at its end")
  }
  if (scan.sha256 === undefined || scan.sealedTo !== scan.end) {
    throw damaged(segment, scan, next.header.firstSequence - 1, next.header.created, "it was never sealed")
  }
  const active = new ActiveSegment(file, header, options.segmentBytes, scan)
  const summary = summaryOf(active)
  let bytes = size
  repairs.push(() => {
    const handle = disk.open(name, "write")
    try {
      active.file = handle
      const catchUp = new IndexCatchUp(active)
      catchUp.slice(Infinity)
      const footer = encodeFooter(summary, active.index)
      active.cut()
      active.put(footer, footer.length)
      handle.sync()
      bytes = active.end + footer.length
      options.warn(`the footer of ${name} was not whole; it is rebuilt from the frames, which are intact`)
    } finally {
      handle.close()
    }
  })
  return {
    name,
    header,
    end: scan.end,
    get bytes() {
      return bytes
    },
    summary
  }
}

/** The next segment took over after a failed fsync: this one counts up to there, and may still have to be cut. */
const cutBefore = (
  disk: Disk,
  file: DiskFile,
  segment: Found,
  next: Found,
  options: RecoveryOptions,
  repairs: Array<() => void>
): SealedSegment => {
  const { name, header } = segment
  const end = next.header.lsn - sealSize - header.lsn + segmentHeaderSize
  const scan = scanSegment(file, header, Math.max(segmentHeaderSize, Math.min(end, segment.size)), options.segmentBytes)
  const last = next.header.firstSequence - 1
  if (scan.end !== end || scan.nextSequence !== last + 1) {
    throw damaged(segment, scan, last, next.header.created, "frames are missing at its end")
  }
  const sha256 = digestOf(scan.hash)
  const chain = chainValue(scan.chain, sha256)
  if (!sameBytes(chain, next.header.chain)) {
    throw damaged(segment, scan, last, next.header.created, "its chain value is another")
  }
  const summary = { ...summaryOf(new ActiveSegment(file, header, options.segmentBytes, scan)), chain, sha256 }
  let whole: SealedSegment | undefined
  repairs.push(() => {
    whole = sealCut(disk, { name, header, end, bytes: end, summary }, options.segmentBytes)
    options.warn(`${name} was cut at lsn ${next.header.lsn - sealSize} after a failed fsync; it is sealed now`)
  })
  return {
    name,
    header,
    end: end + sealSize,
    get bytes() {
      return whole?.bytes ?? end
    },
    summary
  }
}

/** `LogCorrupt` for what a scan found. */
export const damaged = (
  segment: Found,
  scan: Scan,
  lastKnown: number | undefined,
  timeAfter: number | undefined,
  otherwise: string
): Error => {
  const { bad } = scan
  const position = bad?.position ?? scan.end
  const last = Math.max(bad?.lastSequence ?? 0, lastKnown ?? 0)
  return logCorrupt({
    reason: bad?.reason ?? otherwise,
    segment: segment.name,
    position,
    lsn: segment.header.lsn + position - segmentHeaderSize,
    sequence: scan.nextSequence,
    lastSequence: last >= scan.nextSequence ? last : undefined,
    timeBefore: scan.lastTime === 0 ? undefined : scan.lastTime,
    timeAfter: bad?.next?.time ?? timeAfter,
    bytesLost: Math.max(
      (bad?.next?.position ?? segment.size) - position,
      scan.mark - (segment.header.lsn + position - segmentHeaderSize)
    )
  })
}
