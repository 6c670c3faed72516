import { BlockKeys } from "./block-keys.ts"
import { type Disk, DiskError, type DiskFile } from "./disk.ts"
import { chainValue, FrameCursor, isDecodeError } from "./frame-cursor.ts"
import { FrameDecoder } from "./frame-decoder.ts"
import { frameType } from "./frame.ts"
import type { Scan } from "./scan.ts"
import { SegmentHash } from "./segment-hash.ts"
import { EventTally, SegmentIndex } from "./segment-index.ts"
import { encodeSegmentHeader, type SegmentHeader, segmentHeaderSize, segmentName } from "./segment.ts"
import { UnsyncedFrames } from "./unsynced.ts"

/** A write is split where the operating system would: its limit is just below 2 GiB. */
const largestWrite = 1 << 30

let segmentIds = 0
/** Numbers segments for `ActiveSegment.id`. */
export const newSegmentId = (): number => ++segmentIds

/** The segment frames are written to, with everything its footer will need. */
export class ActiveSegment {
  /** Never used twice in a process: authors remember in which segment they are recorded. */
  readonly id: number
  readonly name: string
  readonly header: SegmentHeader
  readonly segmentBytes: number
  file: DiskFile
  /** Rises when `file` becomes another file under the same name. */
  generation = 0
  /** Position after the last frame. */
  end: number
  /** SHA-256 of all bytes up to `end`. */
  readonly hash: SegmentHash
  readonly index: SegmentIndex
  /** Chain value and hash at the last SEAL. */
  chain: Uint8Array
  sha256: Uint8Array
  /** Position after the last SEAL. */
  sealedTo: number
  firstTime = 0
  lastTime = 0
  /** Newest sequence written; `firstSequence - 1` before the first. */
  lastSequence: number
  /** Frames not yet synced. */
  readonly kept = new UnsyncedFrames()
  /** Of what is written next; in an epoch that begins inside of a segment they are not those of its header. */
  epoch: number
  replicationId: Uint8Array
  /** Is told of every frame that was written, and the lsn after it. */
  tap: ((bytes: Uint8Array, length: number, lsn: number) => void) | undefined = undefined
  private cutNeeded = false

  constructor(file: DiskFile, header: SegmentHeader, segmentBytes: number, scan?: Scan, id = newSegmentId()) {
    this.id = id
    this.segmentBytes = segmentBytes
    this.file = file
    this.header = header
    this.name = segmentName(header.firstSequence)
    this.end = scan?.end ?? segmentHeaderSize
    this.hash = new SegmentHash(scan?.hash)
    if (scan === undefined) this.hash.update(encodeSegmentHeader(header))
    this.index = scan?.index ?? new SegmentIndex(segmentBytes)
    this.chain = scan?.chain ?? header.chain
    this.sha256 = scan?.sha256 ?? new Uint8Array(32)
    this.sealedTo = scan?.sealedTo ?? 0
    this.firstTime = scan?.firstTime ?? 0
    this.lastTime = scan?.lastTime ?? 0
    this.lastSequence = (scan?.nextSequence ?? header.firstSequence) - 1
    const epoch = scan?.epochs.at(-1)
    this.epoch = epoch?.number ?? header.epoch
    this.replicationId = epoch === undefined ? header.replicationId : Buffer.from(epoch.replicationId, "hex")
  }

  /** Lsn after the last frame. */
  get lsn(): number {
    return this.lsnAt(this.end)
  }

  lsnAt(position: number): number {
    return this.header.lsn + position - segmentHeaderSize
  }

  get hasBatches(): boolean {
    return this.lastSequence >= this.header.firstSequence
  }

  /** Appends one whole frame. When that fails the file is cut back to the last whole frame and `DiskError` thrown. */
  write(bytes: Uint8Array, length: number): void {
    this.put(bytes, length)
    this.hash.update(bytes, length)
    this.kept.add(this.lsn, bytes, length)
    this.end += length
    this.tap?.(bytes, length, this.lsn)
  }

  /** Writes `offset` bytes behind the last frame without making it part of the segment's frames (the footer). */
  put(bytes: Uint8Array, length: number, offset = 0): void {
    if (this.cutNeeded) this.cut()
    try {
      for (let done = 0; done < length;) {
        const part = Math.min(length - done, largestWrite)
        const written = this.file.write(bytes, done, part, this.end + offset + done)
        // The errno of a short write is hidden; almost always the disk is full.
        if (written < part) throw new DiskError("ENOSPC", "write", this.name, `${written} of ${part} bytes`)
        done += part
      }
    } catch (error) {
      this.cutNeeded = true
      try {
        this.cut()
      } catch {
        // Tried again before the next write, which may not go behind the remains of this one.
      }
      throw error
    }
  }

  /** Removes whatever stands behind the last frame. */
  cut(): void {
    this.cutNeeded = true
    this.file.truncate(this.end)
    this.cutNeeded = false
  }

  /** Hash of all bytes so far and the chain value a SEAL here would state. */
  sealing(): { readonly sha256: Uint8Array; readonly chain: Uint8Array } {
    const sha256 = this.hash.digest()
    return { sha256, chain: chainValue(this.chain, sha256) }
  }
}

/** Creates a segment under a temporary name, its header fsynced; `publishSegment` gives it its own. */
export const createSegment = (disk: Disk, header: SegmentHeader): DiskFile => {
  const temporary = `${segmentName(header.firstSequence)}.tmp`
  const bytes = encodeSegmentHeader(header)
  const file = disk.open(temporary, "create")
  try {
    const written = file.write(bytes, 0, bytes.length, 0)
    if (written !== bytes.length) {
      throw new DiskError("ENOSPC", "write", temporary, `${written} of ${bytes.length} bytes`)
    }
    file.sync()
    return file
  } catch (error) {
    file.close()
    discardTemporary(disk, temporary)
    throw error
  }
}

/** Removes a temporary file; that it cannot be removed is no reason to stop: opening the log removes it. */
export const discardTemporary = (disk: Disk, temporary: string): void => {
  try {
    disk.unlink(temporary)
  } catch {
    // See above.
  }
}

/** Gives a created segment its name and returns its file. The caller still has to fsync the folder. */
export const publishSegment = (disk: Disk, header: SegmentHeader, file: DiskFile): DiskFile => {
  const name = segmentName(header.firstSequence)
  disk.rename(`${name}.tmp`, name)
  return reopened(disk, name, file)
}

/** A handle that reports errors under the file's new name; the old one serves as well if no other can be had. */
export const reopened = (disk: Disk, name: string, file: DiskFile): DiskFile => {
  try {
    const again = disk.open(name, "write")
    file.close()
    return again
  } catch {
    return file
  }
}

/**
 * Looks at the batches of a segment that was open when the log was closed, so that its footer covers them: after a
 * start-up, in slices, so as not to delay it.
 */
export class IndexCatchUp {
  private readonly cursor: FrameCursor
  private readonly decoder: FrameDecoder
  private readonly segment: ActiveSegment
  private readonly tally = new EventTally()
  private readonly keys = new BlockKeys()

  constructor(segment: ActiveSegment) {
    this.segment = segment
    this.cursor = new FrameCursor(segment.file, segmentHeaderSize, segment.end)
    this.decoder = new FrameDecoder(new Map())
  }

  /** Does `frames` more frames; true when nothing is left to do. Throws `DiskError`. */
  slice(frames: number): boolean {
    const { cursor, decoder, keys, segment, tally } = this
    for (let i = 0; i < frames; i++) {
      const step = cursor.advance()
      if (step === "bad") return true // the index stays marked as incomplete
      if (step === "end") {
        segment.index.sessions.sort((a, b) => a.position - b.position)
        segment.index.caughtUp(keys)
        return true
      }
      if (cursor.header.type !== frameType.batches) continue
      if (segment.index.entries[keys.length]?.position === cursor.position) keys.begin()
      try {
        decoder.open(cursor.bytes, cursor.at, cursor.header)
        while (decoder.next()) for (const event of decoder.batch.events) tally.add(event)
      } catch (error) {
        if (isDecodeError(error)) return true
        throw error
      }
      tally.settle(segment.index, keys)
      for (const ref of decoder.definedRefs) segment.index.defines(ref, cursor.position)
    }
    return false
  }
}
