/**
 * The log as a stream of bytes, for replicas: the header of each segment, then its frames, as they stand on disk or, of
 * compressed segments, stood there. Nothing is looked at on the way: whoever gets the bytes checks them.
 */
import { openSegment } from "./compressed-file.ts"
import type { Disk, DiskFile } from "./disk.ts"
import type { Segments } from "./reader.ts"
import { encodeSegmentHeader, type SegmentHeader, segmentHeaderSize } from "./segment.ts"

/** The log does not hold the bytes that would come next: retention has dropped them. */
export class BytesDropped extends Error {
  override readonly name = "BytesDropped"
}

/** See the head of this file. */
export class FrameSource {
  /** Position of the next byte of a frame. */
  lsn: number
  private readonly disk: Disk
  private readonly segments: Segments
  private file: DiskFile | undefined = undefined
  /** First sequence of the segment being read. */
  private first = 0
  private header: SegmentHeader | undefined = undefined
  /** Bytes of the header that were handed out. */
  private headerDone: number

  /**
   * Begins at `lsn`, in the segment that begins at `segmentLsn` and whose header the reader has, or, where that is
   * undefined, with the header of the segment that begins there. Undefined when there is no such place.
   */
  static at(
    disk: Disk,
    segments: Segments,
    lsn: number,
    segmentLsn: number | undefined
  ): FrameSource | undefined {
    const begin = segmentLsn ?? lsn
    const all = [...segments.sealed(), segments.active()]
    const segment = all.find(({ header }) => header.lsn === begin)
    if (segment === undefined || lsn > begin + segment.end - segmentHeaderSize) return undefined
    return new FrameSource(disk, segments, lsn, segment.header, segmentLsn !== undefined)
  }

  private constructor(disk: Disk, segments: Segments, lsn: number, header: SegmentHeader, known: boolean) {
    this.disk = disk
    this.segments = segments
    this.lsn = lsn
    this.header = header
    this.first = header.firstSequence
    this.headerDone = known ? segmentHeaderSize : 0
  }

  /** Fills `into` with what comes next; returns how many bytes, 0 at the live end. Throws `DiskError`, `BytesDropped`. */
  read(into: Uint8Array): number {
    for (;;) {
      const { header } = this
      if (header === undefined) return 0
      if (this.headerDone < segmentHeaderSize) {
        const rest = encodeSegmentHeader(header).subarray(this.headerDone, this.headerDone + into.length)
        into.set(rest)
        this.headerDone += rest.length
        return rest.length
      }
      const active = this.segments.active()
      const segment = active.header.firstSequence === this.first
        ? active
        : this.segments.sealed().find((sealed) => sealed.header.firstSequence === this.first)
      if (segment === undefined) throw new BytesDropped(`the segment of sequence ${this.first} is gone`)
      const left = segment.header.lsn + segment.end - segmentHeaderSize - this.lsn
      if (left > 0) {
        this.file ??= openSegment(this.disk, segment.name)
        const position = segmentHeaderSize + this.lsn - segment.header.lsn
        const n = this.file.read(into, 0, Math.min(left, into.length), position)
        if (n === 0) throw new BytesDropped(`${segment.name} is shorter than it should be`)
        this.lsn += n
        return n
      }
      if (segment === active || !this.nextSegment()) return 0
    }
  }

  /** Whether everything there is has been read. */
  atEnd(): boolean {
    const { header } = this.segments.active()
    return this.headerDone === segmentHeaderSize && this.first === header.firstSequence
      && this.lsn === header.lsn + this.segments.active().end - segmentHeaderSize
  }

  /** Goes on to the next segment; false when it does not begin here yet: the end of this one is still being written. */
  private nextSegment(): boolean {
    const sealed = this.segments.sealed()
    const at = sealed.findIndex(({ header }) => header.firstSequence === this.first)
    const { header } = sealed[at + 1] ?? this.segments.active()
    if (header.lsn !== this.lsn) return false
    this.close()
    this.header = header
    this.first = header.firstSequence
    this.headerDone = 0
    return true
  }

  /** Gives the file back. */
  close(): void {
    this.file?.close()
    this.file = undefined
  }
}
