import { createHash, type Hash } from "node:crypto"
import type { DiskFile } from "./disk.ts"
import { type DroppedSegment, readDrop } from "./drop-record.ts"
import { chainValue, digestOf, FrameCursor, hashRange, isDecodeError } from "./frame-cursor.ts"
import { FrameDecoder } from "./frame-decoder.ts"
import { frameFlag, frameHeaderSize, frameType } from "./frame.ts"
import { type Epoch, readEpoch } from "./lineage.ts"
import { SegmentIndex } from "./segment-index.ts"
import { hex, sameBytes, type SegmentHeader, segmentHeaderSize } from "./segment.ts"

/** Where a segment stops making sense. */
export interface BadSpot {
  readonly position: number
  readonly reason: string
  /** Damage no power cut can cause, whatever the durable mark says. */
  readonly tampered: boolean
  /** First and last whole frame found behind it: bytes, sequence and time. */
  readonly next: { readonly position: number; readonly sequence: number; readonly time: number } | undefined
  /** Last sequence found behind it. */
  readonly lastSequence: number | undefined
}

/** Everything one pass over the frames of a segment tells. */
export interface Scan {
  /** Position after the last good frame. */
  end: number
  nextSequence: number
  /** Unix ms, 0 without batches. */
  firstTime: number
  lastTime: number
  /** Highest lsn that frames, those behind a bad spot included, say was synced. */
  mark: number
  /** Chain value and hash at the last SEAL; the header's chain value and nothing before the first. */
  chain: Uint8Array
  sha256: Uint8Array | undefined
  /** Position after the last SEAL; 0 without one. */
  sealedTo: number
  /** The last frame is the SEAL of a clean shutdown. */
  clean: boolean
  /** SHA-256 so far of all bytes up to `end`. */
  hash: Hash
  index: SegmentIndex
  /** Records of segments dropped from the start of the log. */
  dropped: Array<DroppedSegment>
  /** Epochs that begin in this segment. */
  epochs: Array<Epoch>
  bad: BadSpot | undefined
}

/** Reads every frame of a segment up to `end` (the file's size, or where the footer begins). Never changes anything. */
export const scanSegment = (file: DiskFile, header: SegmentHeader, end: number, segmentBytes: number): Scan => {
  const cursor = new FrameCursor(file, segmentHeaderSize, end)
  const scan: Scan = {
    end: segmentHeaderSize,
    nextSequence: header.firstSequence,
    firstTime: 0,
    lastTime: 0,
    mark: 0,
    chain: header.chain,
    sha256: undefined,
    sealedTo: 0,
    clean: false,
    hash: createHash("sha256"),
    index: new SegmentIndex(segmentBytes),
    dropped: [],
    epochs: [],
    bad: undefined
  }
  let hashed = 0
  let lastBatches = 0
  const hashTo = (position: number): void => {
    hashRange(file, hashed, position, scan.hash)
    hashed = position
  }
  for (;;) {
    const step = cursor.advance()
    if (step === "end") break
    const frame = cursor.header
    const count = step === "frame" ? cursor.sequences() : undefined
    let reason = step === "bad" ? cursor.reason : undefined
    let tampered = false
    if (reason === undefined && count === undefined) reason = "frame body does not decode"
    if (reason === undefined && frame.sequence !== scan.nextSequence) {
      reason = `sequence ${frame.sequence} where ${scan.nextSequence} should follow`
    }
    if (reason === undefined && frame.type === frameType.seal) {
      hashTo(cursor.position)
      const body = cursor.at + frameHeaderSize
      const sha256 = digestOf(scan.hash)
      const chain = chainValue(scan.chain, sha256)
      const intact = frame.length === frameHeaderSize + 64
        && sameBytes(sha256, cursor.bytes.subarray(body, body + 32))
        && sameBytes(chain, cursor.bytes.subarray(body + 32, body + 64))
      if (intact) {
        scan.sha256 = sha256
        scan.chain = chain
        scan.sealedTo = cursor.next
      } else {
        // A SEAL that fits the chain but not the bytes was written for others; one that does not fit came from elsewhere.
        reason = "the bytes before a SEAL are not those it sealed"
        tampered = fitsChain(cursor, scan.chain)
      }
    }
    if (reason !== undefined) {
      scan.bad = lookBehind(cursor, cursor.position, header, scan, reason, tampered)
      break
    }
    if (frame.type === frameType.batches && count! > 0) {
      scan.index.foundFrame(frame.time, frame.sequence, cursor.position)
      if (scan.firstTime === 0) scan.firstTime = frame.time
      lastBatches = cursor.position
    }
    if (frame.type === frameType.gap) scan.index.gaps = true
    if (frame.type === frameType.control) {
      const dropped = readDrop(cursor.bytes, cursor.at, frame)
      if (dropped !== undefined) scan.dropped.push(dropped)
      const epoch = readEpoch(cursor.bytes, cursor.at, frame)
      if (epoch !== undefined) {
        const lsn = header.lsn + cursor.position - segmentHeaderSize
        scan.epochs.push({ number: epoch.number, replicationId: hex(epoch.replicationId), lsn })
      }
    }
    scan.mark = Math.max(scan.mark, markOf(cursor, header))
    scan.clean = frame.type === frameType.seal && (frame.flags & frameFlag.cleanShutdown) !== 0
    scan.nextSequence += count!
    scan.end = cursor.next
  }
  hashTo(scan.end)
  if (lastBatches > 0) scan.lastTime = lastTimeOf(new FrameCursor(file, lastBatches, scan.end))
  return scan
}

/** Time of the last batch of the frame ahead. */
const lastTimeOf = (cursor: FrameCursor): number => {
  if (cursor.advance() !== "frame") return 0
  const decoder = new FrameDecoder(new Map(), true)
  try {
    decoder.open(cursor.bytes, cursor.at, cursor.header)
    while (decoder.next());
  } catch (error) {
    if (!isDecodeError(error)) throw error // whoever reads the batches will report it
  }
  return decoder.batch.time
}

/** What a frame says was synced when it was written, as lsn; 0 when the lag did not fit its field. */
const markOf = (cursor: FrameCursor, header: SegmentHeader): number =>
  cursor.header.lag >= 0xffff_ffff * 8 ? 0 : header.lsn + cursor.position - segmentHeaderSize - cursor.header.lag

/** Whether the SEAL in hand continues this chain value. */
const fitsChain = (cursor: FrameCursor, before: Uint8Array): boolean => {
  const body = cursor.at + frameHeaderSize
  if (cursor.header.length !== frameHeaderSize + 64) return false
  const chain = chainValue(before, cursor.bytes.subarray(body, body + 32))
  return sameBytes(chain, cursor.bytes.subarray(body + 32, body + 64))
}

/**
 * Whether a frame behind a bad spot can be one of this segment. After a power cut a block that was never written may
 * show what it held in another file's life: the last frames of the segment before carry the same next sequence.
 */
const belongs = (cursor: FrameCursor, header: SegmentHeader, scan: Scan): boolean => {
  const { header: frame } = cursor
  if (frame.lag > cursor.position - segmentHeaderSize && frame.lag < 0xffff_ffff * 8) return false
  if (frame.time < scan.lastTime || frame.epoch < header.epoch) return false
  if (frame.type === frameType.seal) return fitsChain(cursor, scan.chain)
  return frame.sequence > header.firstSequence || (cursor.sequences() ?? 0) > 0
}

/** Frames behind a bad spot still tell how far the log had been synced: that makes damage out of a torn tail. */
const lookBehind = (
  cursor: FrameCursor,
  position: number,
  header: SegmentHeader,
  scan: Scan,
  reason: string,
  tampered: boolean
): BadSpot => {
  let next: BadSpot["next"]
  let lastSequence: number | undefined
  let from = position + 8
  while (cursor.search(from, scan.nextSequence)) {
    from = cursor.next
    if (!belongs(cursor, header, scan)) continue
    const { sequence, time } = cursor.header
    next ??= { position: cursor.position, sequence, time }
    scan.mark = Math.max(scan.mark, markOf(cursor, header))
    lastSequence = Math.max(lastSequence ?? 0, sequence + (cursor.sequences() ?? 0) - 1)
  }
  return { position, reason, tampered, next, lastSequence }
}

/** The verdict on the end of the log, as a table: where the first bad frame is, where the log ends, what was durable. */
export const verdictOf = (badLsn: number | undefined, endLsn: number, mark: number): "clean" | "torn" | "corrupt" => {
  if (badLsn === undefined) return endLsn >= mark ? "clean" : "corrupt"
  return badLsn >= mark ? "torn" : "corrupt"
}
