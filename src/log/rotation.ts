/**
 * From one segment to the next: SEAL, fsync → footer, fsync → the next file, made beforehand under a temporary name with
 * its header fsynced, is renamed → directory fsync → manifest. Each step leaves the directory in a state that recovery
 * takes for either the old segment or the new one. Up to the rename a failure leaves the old segment in use. The footer
 * of a large segment is megabytes: it comes last, behind the back of the next segment (footer-writer.ts).
 */
import { ActiveSegment, createSegment, discardTemporary, publishSegment } from "./active-segment.ts"
import { type Disk, DiskError, type DiskFile } from "./disk.ts"
import { encodeFooter, type SegmentSummary } from "./footer.ts"
import { buildFrame, FrameHeader, frameHeaderSize, frameType, sealBody } from "./frame.ts"
import { type SegmentHeader, segmentName } from "./segment.ts"

/** A segment that is complete. */
export interface SealedSegment {
  readonly name: string
  readonly header: SegmentHeader
  /** Position after the last frame, where the footer begins. */
  readonly end: number
  readonly bytes: number
  /** Of the file on disk where it is a compressed one; `end`, `bytes` and all positions are those of the segment. */
  readonly stored?: number
  readonly summary: SegmentSummary
}

/** An fsync failed: what the file holds beyond the durable mark is not known any more. */
export class SyncFailed extends Error {
  override readonly name = "SyncFailed"
  override readonly cause: DiskError
  constructor(cause: DiskError) {
    super(cause.message)
    this.cause = cause
  }
}

/** The next segment cannot be had; the one in use goes on. */
export class RotationPutOff extends Error {
  override readonly name = "RotationPutOff"
  override readonly cause: DiskError
  constructor(cause: DiskError) {
    super(cause.message)
    this.cause = cause
  }
}

/** Blocking fsync, or fdatasync; a failure becomes `SyncFailed`. */
export const syncOrFail = (file: DiskFile, dataOnly = false): void => {
  try {
    file.sync(dataOnly)
  } catch (error) {
    throw error instanceof DiskError ? new SyncFailed(error) : error
  }
}

/** Length of a SEAL frame. */
export const sealSize = frameHeaderSize + 64

/** Writes a SEAL. Throws `DiskError`; then the segment is as before. */
export const writeSeal = (segment: ActiveSegment, durableLsn: number, flags: number): void => {
  const { sha256, chain } = segment.sealing()
  const header = new FrameHeader()
  header.type = frameType.seal
  header.sequence = segment.lastSequence + 1
  header.time = segment.lastTime
  header.flags = flags
  header.epoch = segment.epoch
  header.lag = segment.lsn - durableLsn
  const frame = buildFrame(header, sealBody(sha256, chain))
  segment.write(frame, frame.length)
  segment.sha256 = sha256
  segment.chain = chain
  segment.sealedTo = segment.end
}

/** Figures of a segment for its footer and the manifest. */
export const summaryOf = (segment: ActiveSegment): SegmentSummary => ({
  chain: segment.chain,
  sha256: segment.sha256,
  firstSequence: segment.header.firstSequence,
  lastSequence: segment.lastSequence,
  firstTime: segment.firstTime,
  lastTime: segment.lastTime,
  gaps: segment.index.gaps
})

/** What rotation reports on its way. */
export interface RotationSteps {
  /** Everything in the old segment is synced. */
  readonly synced: () => void
  /** The footer is left to the caller: the segment's file has to stay open. */
  readonly footerLater: boolean
}

/**
 * Seals a segment and begins the next. The folder is not fsynced yet, nor the manifest written: both are the caller's.
 * Throws `RotationPutOff` when the old segment stays in use, `SyncFailed` when it cannot be trusted any more.
 * `mirrored`: the header of the next one as another server has it; the SEAL is there already.
 */
export const rotate = (
  disk: Disk,
  segment: ActiveSegment,
  durableLsn: number,
  now: number,
  segmentBytes: number,
  steps: RotationSteps,
  mirrored?: SegmentHeader
): { readonly next: ActiveSegment; readonly sealed: SealedSegment } => {
  const header: SegmentHeader = mirrored ?? {
    ...segment.header,
    epoch: segment.epoch,
    replicationId: segment.replicationId,
    firstSequence: segment.lastSequence + 1,
    lsn: segment.lsn + sealSize,
    created: now,
    chain: segment.sealing().chain,
    afterCut: false
  }
  const temporary = `${segmentName(header.firstSequence)}.tmp`
  let file: DiskFile | undefined
  try {
    file = createSegment(disk, header)
    if (mirrored === undefined) writeSeal(segment, durableLsn, 0)
    syncOrFail(segment.file)
    steps.synced()
    let footerBytes = 0
    try {
      if (!steps.footerLater) {
        const footer = encodeFooter(summaryOf(segment), segment.index)
        segment.put(footer, footer.length)
        footerBytes = footer.length
        syncOrFail(segment.file)
      }
      file = publishSegment(disk, header, file)
    } catch (error) {
      if (!(error instanceof SyncFailed)) segment.cut()
      throw error
    }
    const sealed: SealedSegment = {
      name: segment.name,
      header: segment.header,
      end: segment.end,
      bytes: segment.end + footerBytes,
      summary: summaryOf(segment)
    }
    const next = new ActiveSegment(file, header, segmentBytes)
    next.lastTime = segment.lastTime
    return { next, sealed }
  } catch (error) {
    if (file !== undefined) {
      file.close()
      discardTemporary(disk, temporary)
    }
    throw error instanceof DiskError ? new RotationPutOff(error) : error
  }
}
