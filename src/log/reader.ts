import type { ActiveSegment } from "./active-segment.ts"
import { openSegment } from "./compressed-file.ts"
import { type Disk, DiskError, type DiskFile } from "./disk.ts"
import { historyDropped, logCorrupt } from "./errors.ts"
import type { Batch } from "./event-log.ts"
import { readFooter } from "./footer.ts"
import { FrameCursor, isDecodeError } from "./frame-cursor.ts"
import { FrameDecoder } from "./frame-decoder.ts"
import { frameType } from "./frame.ts"
import type { SealedSegment } from "./rotation.ts"
import type { IndexEntry, SegmentDirectory } from "./segment-index.ts"
import { segmentHeaderSize } from "./segment.ts"
import type { Sessions } from "./session-record.ts"

/** The segments as they are at the moment of asking. */
export interface Segments {
  readonly sealed: () => ReadonlyArray<SealedSegment>
  readonly active: () => ActiveSegment
  /** First sequence there is. */
  readonly oldest: () => number
}

/** The last entry at or before a sequence; undefined when the segment has to be read from its start. */
export const entryBefore = (entries: ReadonlyArray<IndexEntry>, sequence: number): IndexEntry | undefined => {
  let low = 0
  let high = entries.length
  while (low < high) {
    const middle = (low + high) >>> 1
    if (entries[middle]!.sequence <= sequence) low = middle + 1
    else high = middle
  }
  return entries[low - 1]
}

/**
 * Walks committed batches in order, across segments and up to the live end, which may move meanwhile. Every frame is
 * checked; damage throws `LogCorrupt`, sequences that retention has dropped `HistoryDropped`. The batch and its slices are valid until the next step.
 */
export class BatchIterator implements IterableIterator<Batch> {
  private readonly disk: Disk
  private readonly segments: Segments
  /** The next sequence to hand out. */
  private wanted: number
  private file: DiskFile | undefined = undefined
  private cursor: FrameCursor | undefined = undefined
  private decoder = new FrameDecoder(new Map())
  /** Of the segment being read. */
  private segment: SealedSegment | ActiveSegment | undefined = undefined
  private generation = 0
  /** What the next frame has to begin with. */
  private expected = 0
  private inFrame = false
  private readonly result: { done: false; value: Batch } = { done: false, value: this.decoder.batch }

  constructor(disk: Disk, segments: Segments, fromSequence: number) {
    this.disk = disk
    this.segments = segments
    this.wanted = Math.max(1, fromSequence)
  }

  [Symbol.iterator](): this {
    return this
  }

  next(): IteratorResult<Batch> {
    try {
      for (;;) {
        if (this.inFrame) {
          if (this.decoder.next()) {
            const batch = this.decoder.batch
            if (batch.sequence < this.wanted) continue
            this.wanted = batch.sequence + 1
            return this.result
          }
          this.inFrame = false
        }
        if (!this.nextFrame()) return this.return()
      }
    } catch (error) {
      const wrong = this.cursor === undefined
        ? error
        : isDecodeError(error)
        ? this.damage(`a batch does not decode: ${(error as Error).message}`)
        : error instanceof DiskError && error.code === "EIO"
        ? this.damage(`the disk cannot read it (${error.message})`) // after several tries
        : error
      this.return()
      throw wrong
    }
  }

  return(): IteratorResult<Batch> {
    this.file?.close()
    this.file = undefined
    this.cursor = undefined
    this.inFrame = false
    return { done: true, value: undefined }
  }

  /** Steps to the next frame with batches that are wanted; false at the end of the log. */
  private nextFrame(): boolean {
    for (;;) {
      if (this.cursor === undefined && !this.openSegment()) return false
      const cursor = this.cursor!
      const step = cursor.advance()
      if (step === "end") {
        if (!this.further()) return false
        continue
      }
      if (step === "bad") throw this.damage(cursor.reason)
      const { header } = cursor
      const count = cursor.sequences()
      if (count === undefined) throw this.damage("frame body does not decode")
      if (header.sequence !== this.expected) {
        throw this.damage(`sequence ${header.sequence} where ${this.expected} should follow`)
      }
      this.expected += count
      if (header.type === frameType.gap) this.wanted = Math.max(this.wanted, this.expected)
      if (header.type !== frameType.batches) continue
      this.decoder.open(cursor.bytes, cursor.at, header)
      if (this.expected <= this.wanted) {
        this.decoder.sessionsOnly()
        continue
      }
      this.inFrame = true
      return true
    }
  }

  /** At the end of what was known of a segment: more of it, the next one, or false when there is nothing more. */
  private further(): boolean {
    const cursor = this.cursor!
    const active = this.segments.active()
    const first = this.segment!.header.firstSequence
    const isActive = active.header.firstSequence === first
    const end = isActive ? active.end : this.sealedFrom(first)?.end ?? cursor.end
    if (isActive && active.generation !== this.generation) {
      this.file!.close()
      this.file = this.disk.open(active.name, "read")
      this.generation = active.generation
      cursor.reopen(this.file)
    }
    if (end > cursor.end) {
      cursor.end = end
      return true
    }
    if (isActive) return false
    const sealed = this.sealedFrom(first)
    if (sealed !== undefined && this.expected !== sealed.summary.lastSequence + 1) {
      throw this.damage(`the segment ends with sequence ${this.expected - 1}`)
    }
    this.return()
    this.wanted = Math.max(this.wanted, this.expected)
    return true
  }

  private sealedFrom(first: number): SealedSegment | undefined {
    return this.segments.sealed().find((segment) => segment.header.firstSequence === first)
  }

  /** Opens the segment that holds the wanted sequence, at a frame as near before it as the index allows. */
  private openSegment(): boolean {
    const active = this.segments.active()
    const sealed = this.segments.sealed()
    if (this.wanted < this.segments.oldest()) throw historyDropped(this.wanted, this.segments.oldest())
    let low = 0
    let high = sealed.length
    while (low < high) {
      const middle = (low + high) >>> 1
      if (sealed[middle]!.summary.lastSequence < this.wanted) low = middle + 1
      else high = middle
    }
    const segment = sealed[low] ?? active
    if (segment === active && this.wanted > active.lastSequence) return false
    const file = openSegment(this.disk, segment.name)
    this.file = file
    this.segment = segment
    this.generation = segment === active ? active.generation : 0
    const sessions: Sessions = new Map()
    this.decoder = new FrameDecoder(sessions)
    this.result.value = this.decoder.batch
    this.expected = segment.header.firstSequence
    const cursor = new FrameCursor(file, segmentHeaderSize, segment.end)
    this.cursor = cursor
    if (this.wanted <= segment.header.firstSequence) return true
    const directory: SegmentDirectory | undefined = segment === active ? active.index : readFooter(file, file.size())
    const entry = directory?.complete === true ? entryBefore(directory.entries, this.wanted) : undefined
    if (entry === undefined || entry.position >= segment.end) return true
    if (this.loadSessions(cursor, directory!, entry.position)) {
      this.expected = entry.sequence
      cursor.seek(entry.position)
    } else cursor.seek(segmentHeaderSize)
    return true
  }

  /** Reads the definitions before `position`; false when the index leads nowhere, so that all has to be read. */
  private loadSessions(cursor: FrameCursor, directory: SegmentDirectory, position: number): boolean {
    let done = 0
    for (const session of directory.sessions) {
      if (session.position >= position) break
      if (session.position === done) continue
      done = session.position
      if (done < segmentHeaderSize || done % 8 !== 0 || done >= cursor.end) return false
      cursor.seek(done)
      if (cursor.advance() !== "frame" || cursor.header.type !== frameType.batches) return false
      this.decoder.open(cursor.bytes, cursor.at, cursor.header)
      this.decoder.sessionsOnly()
    }
    return true
  }

  private damage(reason: string): Error {
    const { position, end } = this.cursor!
    const { header, name } = this.segment!
    const sealed = this.sealedFrom(header.firstSequence)
    return logCorrupt({
      reason,
      segment: name,
      position,
      lsn: header.lsn + position - segmentHeaderSize,
      sequence: Math.max(this.wanted, this.expected),
      lastSequence: sealed?.summary.lastSequence,
      timeBefore: this.decoder.batch.time === 0 ? undefined : this.decoder.batch.time,
      timeAfter: sealed?.summary.lastTime,
      bytesLost: end - position
    })
  }
}
