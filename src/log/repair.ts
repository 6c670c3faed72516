/**
 * After a failed fsync nothing says what the file holds beyond the durable mark, and syncing it again would prove
 * nothing. Its unsynced frames are written to a fresh segment, fsynced under a temporary name, renamed, the folder
 * fsynced. Only then is the old file, through a new handle, cut at the mark, sealed and given its footer. Between the
 * two the fresh segment's header says (flag 1) that the one before it still needs that, and recovery does it as well.
 */
import { createHash } from "node:crypto"
import { ActiveSegment, discardTemporary, IndexCatchUp, reopened } from "./active-segment.ts"
import { type Disk, DiskError, type DiskFile } from "./disk.ts"
import { encodeFooter } from "./footer.ts"
import { chainValue, digestOf, FrameCursor, readRetrying } from "./frame-cursor.ts"
import { FrameDecoder } from "./frame-decoder.ts"
import { buildFrame, FrameHeader, frameHeaderSize, frameType, readFrameHeader, writeFrameHeader } from "./frame.ts"
import { type SealedSegment, sealSize, summaryOf, writeSeal } from "./rotation.ts"
import { scanSegment } from "./scan.ts"
import { encodeSegmentHeader, sameBytes, type SegmentHeader, segmentHeaderSize, segmentName } from "./segment.ts"
import { type Sessions, sessionsBody } from "./session-record.ts"

/** Frames written but never synced can neither be read back nor are they in memory any more. */
export class CopyDiffers extends Error {
  override readonly name = "CopyDiffers"
  constructor(segment: string) {
    super(`frames of ${segment} that were not yet synced cannot be read back after a failed fsync`)
  }
}

/** What a repair leaves: the segment to go on with and, unless it is the same one anew, the old one cut at the mark. */
export interface Repaired {
  readonly next: ActiveSegment
  readonly cut: SealedSegment | undefined
}

/**
 * Writes the unsynced frames of a segment to a fresh one and gives it its name; the folder is the caller's to fsync.
 * Throws `DiskError` (try again) or `CopyDiffers` (hopeless). `renewed`: the epoch of what moves, where others have seen
 * it at other positions.
 */
export const moveUnsynced = (
  disk: Disk,
  segment: ActiveSegment,
  durableLsn: number,
  now: number,
  renewed?: { readonly number: number; readonly replicationId: Uint8Array }
): Repaired => {
  const mark = segmentHeaderSize + durableLsn - segment.header.lsn
  const { prefix, unsynced } = recall(segment, mark)
  const first = new FrameHeader()
  if (unsynced.length > 0) readFrameHeader(unsynced, 0, first)
  else first.sequence = segment.lastSequence + 1
  // Nothing with a sequence was synced: the fresh segment has the same name, and replaces the old one with all it had.
  if (first.sequence === segment.header.firstSequence) {
    return { next: replaceWhole(disk, segment, mark, unsynced), cut: undefined }
  }
  const header: SegmentHeader = {
    ...segment.header,
    epoch: renewed?.number ?? segment.epoch,
    replicationId: renewed?.replicationId ?? segment.replicationId,
    firstSequence: first.sequence,
    lsn: durableLsn + sealSize,
    created: now,
    chain: chainValue(chainBefore(segment, mark), prefix),
    afterCut: true
  }
  const parts: Array<Uint8Array> = [encodeSegmentHeader(header)]
  const sessions = sessionsBefore(segment, mark)
  let lag = 0
  if (sessions.size > 0) {
    const frame = new FrameHeader()
    frame.type = frameType.batches
    frame.sequence = header.firstSequence
    frame.time = first.time
    frame.epoch = header.epoch
    const bytes = buildFrame(frame, sessionsBody(sessions))
    parts.push(bytes)
    lag = bytes.length
  }
  for (let at = 0; at < unsynced.length;) {
    const frame = new FrameHeader()
    readFrameHeader(unsynced, at, frame)
    frame.lag = lag
    frame.epoch = header.epoch
    writeFrameHeader(unsynced.subarray(at, at + frame.length), frame)
    lag += frame.length
    at += frame.length
  }
  parts.push(unsynced)
  const next = reopen(publish(disk, segmentName(header.firstSequence), parts), header, segment)
  const cut: SealedSegment = {
    name: segment.name,
    header: segment.header,
    end: mark,
    bytes: mark,
    summary: { ...summaryOf(segment), lastSequence: header.firstSequence - 1, chain: header.chain }
  }
  return { next, cut }
}

/** Cuts a segment whose unsynced frames live elsewhere by now, seals it and writes its footer, through a new handle. */
export const sealCut = (disk: Disk, cut: SealedSegment, segmentBytes: number): SealedSegment => {
  const { header, name } = cut
  const file = disk.open(name, "write")
  try {
    const scan = scanSegment(file, header, cut.end, segmentBytes)
    const segment = new ActiveSegment(file, header, segmentBytes, scan)
    if (segment.end !== cut.end) throw new DiskError("EIO", "read", name, "synced frames cannot be read")
    new IndexCatchUp(segment).slice(Infinity)
    segment.cut()
    writeSeal(segment, segment.lsn, 0)
    file.sync() // a footer vouches for what stands before it, so that has to be safe first
    const summary = summaryOf(segment)
    const footer = encodeFooter(summary, segment.index)
    segment.put(footer, footer.length)
    file.sync()
    return { name, header, end: segment.end, bytes: segment.end + footer.length, summary }
  } finally {
    file.close()
  }
}

/** All bytes of a segment as they were written: the hash of those before the mark, and those behind it. */
const recall = (
  segment: ActiveSegment,
  mark: number
): { readonly prefix: Uint8Array; readonly unsynced: Uint8Array } => {
  const hash = createHash("sha256")
  const buffer = new Uint8Array(Math.min(1 << 20, mark))
  for (let position = 0; position < mark;) {
    const length = Math.min(buffer.length, mark - position)
    if (readRetrying(segment.file, buffer, 0, length, position) < length) break
    hash.update(buffer.subarray(0, length))
    position += length
  }
  const prefix = digestOf(hash)
  const unsynced = new Uint8Array(segment.end - mark)
  readRetrying(segment.file, unsynced, 0, unsynced.length, mark)
  segment.kept.overlay(unsynced, segment.lsnAt(mark))
  if (!sameBytes(hash.update(unsynced).digest(), segment.hash.digest())) throw new CopyDiffers(segment.name)
  return { prefix, unsynced }
}

/** Chain value at the last SEAL before a position. */
const chainBefore = (segment: ActiveSegment, mark: number): Uint8Array => {
  let chain = segment.header.chain
  const cursor = new FrameCursor(segment.file, segmentHeaderSize, mark)
  while (cursor.advance() === "frame") {
    if (cursor.header.type !== frameType.seal) continue
    const at = cursor.at + frameHeaderSize + 32
    chain = cursor.bytes.slice(at, at + 32)
  }
  return chain
}

/** Every session defined before a position. */
const sessionsBefore = (segment: ActiveSegment, mark: number): Sessions => {
  const sessions: Sessions = new Map()
  const decoder = new FrameDecoder(sessions)
  const cursor = new FrameCursor(segment.file, segmentHeaderSize, mark)
  while (cursor.advance() === "frame") {
    if (cursor.header.type !== frameType.batches) continue
    decoder.open(cursor.bytes, cursor.at, cursor.header)
    decoder.sessionsOnly()
  }
  return sessions
}

const replaceWhole = (disk: Disk, segment: ActiveSegment, mark: number, unsynced: Uint8Array): ActiveSegment => {
  const synced = new Uint8Array(mark)
  readRetrying(segment.file, synced, 0, mark, 0)
  return reopen(publish(disk, segment.name, [synced, unsynced]), segment.header, segment)
}

/** Writes a file under a temporary name, fsyncs it and renames it. */
const publish = (disk: Disk, name: string, parts: ReadonlyArray<Uint8Array>): DiskFile => {
  const temporary = `${name}.tmp`
  const file = disk.open(temporary, "create")
  let position = 0
  try {
    for (const part of parts) {
      for (let done = 0; done < part.length;) {
        const length = Math.min(part.length - done, 1 << 24)
        const written = file.write(part, done, length, position)
        if (written < length) throw new DiskError("ENOSPC", "write", temporary, `${written} of ${length} bytes`)
        done += length
        position += length
      }
    }
    file.sync()
    disk.rename(temporary, name)
  } catch (error) {
    file.close()
    discardTemporary(disk, temporary)
    throw error
  }
  return reopened(disk, name, file)
}

/** The fresh file read back and checked, under the id of the old segment: sessions keep their refs. */
const reopen = (file: DiskFile, header: SegmentHeader, old: ActiveSegment): ActiveSegment => {
  const scan = scanSegment(file, header, file.size(), old.segmentBytes)
  const next = new ActiveSegment(file, header, old.segmentBytes, scan, old.id)
  if (next.lastSequence !== old.lastSequence) throw new CopyDiffers(next.name)
  next.lastTime = old.lastTime
  next.generation = old.generation + 1
  return next
}
