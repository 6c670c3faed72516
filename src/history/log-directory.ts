/**
 * The log of a data directory as those see it who only read: without its lock, without changing anything, whether a
 * server is writing to it or not. Segments may be begun, sealed, compressed and dropped meanwhile; a `LogView` is the log
 * as it was at one moment. What is learned about segments is kept for the views to come, up to a limit of memory.
 */
import { type Disk, DiskError, type DiskFile } from "../log/disk.ts"
import { LogCorrupt, logCorrupt, LogFormatTooNew } from "../log/errors.ts"
import { FrameCursor } from "../log/frame-cursor.ts"
import { type Manifest, readManifest } from "../log/manifest.ts"
import type { OpenSegment } from "../log/open-segment.ts"
import { sealSize } from "../log/rotation.ts"
import { compressedSequenceOf, hex, segmentHeaderSize, segmentName, sequenceOfName } from "../log/segment.ts"
import type { SegmentPart } from "./batches.ts"
import { BlockIndex } from "./block-index.ts"
import { LogView } from "./log-view.ts"
import { Segment, SegmentGone } from "./segment.ts"

/** What a running server says about its log, so that nothing is read that is not wholly written. */
export interface LiveHead {
  /** Position after the newest committed frame. */
  readonly lsn: number
  /** First sequence that retention has left. */
  readonly oldest: number
}

/** The index of the segment being written, as far as the log has told about it. */
interface Told {
  readonly id: number
  readonly lsn: number
  readonly index: BlockIndex
  blocks: number
}

/** Memory for what is known about segments, bytes. */
const defaultCacheBytes = 128 << 20
/** Of a segment, looked at in one go for its index. */
const pieceBytes = 2 << 20

/** The log of one data directory. */
export class LogDirectory {
  private readonly disk: Disk
  private readonly cacheBytes: number
  /** By first sequence; the most recently used last. */
  private readonly segments = new Map<number, Segment>()
  /** By the log itself. */
  private told: Told | undefined = undefined
  /** Sealed segments that were asked about and have no index yet. */
  private readonly unindexed = new Set<Segment>()
  /** Memory for what is known, bytes, altogether and of each. */
  private cachedBytes = 0
  private readonly accounted = new Map<Segment, number>()

  constructor(disk: Disk, cacheBytes = defaultCacheBytes) {
    this.disk = disk
    this.cacheBytes = cacheBytes
  }

  /**
   * The log as it is now. Without a live head it ends with the last whole frame. Throws `LogCorrupt`,
   * `LogFormatTooNew` or `DiskError`.
   */
  view(live?: LiveHead): LogView {
    for (let tries = 1;; tries++) {
      try {
        return this.look(live)
      } catch (error) {
        // Dropped between listing and opening: the next look does not list it.
        if (!(error instanceof SegmentGone) || tries === 10) throw error
        for (const [first, segment] of this.segments) this.remove(first, segment)
      }
    }
  }

  private look(live: LiveHead | undefined): LogView {
    const manifest = live === undefined ? this.manifest() : undefined
    const oldest = live?.oldest ?? manifest?.oldest ?? 1
    const firsts = [
      ...new Set(this.disk.list("log").flatMap((base) => sequenceOfName(base) ?? compressedSequenceOf(base) ?? []))
    ]
      .filter((first) => first >= oldest)
      .sort((a, b) => a - b)
    const known = this.segments
    const segments: Array<Segment> = []
    for (const first of firsts) {
      let segment = known.get(first)
      const followed = first !== firsts.at(-1)
      if (segment === undefined || !segment.refresh(followed)) segment = new Segment(this.disk, first, followed)
      if (live !== undefined && segment.header.lsn > live.lsn) break // begun since
      segments.push(segment)
    }
    // Those looked at before keep their order, by which they are forgotten.
    const present = new Set(segments)
    for (const [first, segment] of known) if (!present.has(segment)) this.remove(first, segment)
    for (const segment of segments) if (!known.has(segment.first)) known.set(segment.first, segment)
    const parts = segments.map((segment, i) => this.part(segment, segments[i + 1], live))
    if (manifest !== undefined) this.checkEnd(parts.at(-1), manifest)
    return new LogView(this.disk, parts, (used) => this.used(used))
  }

  private manifest(): Manifest | undefined {
    const reading = readManifest(this.disk)
    return reading.kind === "manifest" ? reading.manifest : undefined
  }

  /**
   * Throws `LogCorrupt` for a log that ends before what was safely on disk when its manifest was read: what it makes is
   * an older state, and nobody asked for that.
   */
  private checkEnd(last: SegmentPart | undefined, { active, durableLsn, durableSequence, storeId }: Manifest): void {
    const lsn = last === undefined ? 0 : last.segment.header.lsn + last.end - segmentHeaderSize
    if (lsn >= durableLsn || (last !== undefined && hex(last.segment.header.storeId) !== storeId)) return
    const now = this.manifest()
    if (now?.storeId !== storeId || now.durableLsn <= lsn) return // the server has cut or replaced it meanwhile
    throw logCorrupt({
      reason: `the log ends ${durableLsn - lsn} bytes before what was safely on disk`,
      segment: last === undefined ? `log/${active.name}` : segmentName(last.segment.first),
      position: last?.end ?? 0,
      lsn,
      sequence: (last?.lastSequence ?? 0) + 1,
      lastSequence: durableSequence,
      bytesLost: durableLsn - lsn
    })
  }

  /** Takes note of what the log says about the segment it writes. */
  adopt(open: OpenSegment): void {
    if (this.told?.id !== open.id) {
      this.told = undefined
      if (open.blocks > 0) return // the beginning was told to somebody else
      this.told = {
        id: open.id,
        lsn: open.lsn,
        index: new BlockIndex({ firstSequence: open.firstSequence }),
        blocks: 0
      }
    }
    if (this.told.blocks !== open.blocks) return
    this.told.index.adopt(open)
    this.told.blocks += open.keys.counts.length
  }

  /** A segment and how far it goes. */
  private part(segment: Segment, next: Segment | undefined, live: LiveHead | undefined): SegmentPart {
    const { summary } = segment
    const lastSequence = next === undefined ? undefined : next.first - 1
    if (summary !== undefined) {
      if (lastSequence !== undefined && summary.lastSequence !== lastSequence) {
        throw missing(segment, summary.lastSequence + 1, lastSequence)
      }
      const end = live === undefined
        ? segment.sealedEnd
        : Math.min(segment.sealedEnd, segment.positionOf(live.lsn))
      if (end === segment.sealedEnd) {
        return { segment, end, lastSequence: summary.lastSequence, lastTime: summary.lastTime }
      }
      return this.measured(segment, end)
    }
    if (next === undefined && this.told?.lsn === segment.header.lsn && live !== undefined) {
      segment.index = this.told.index
    }
    if (next === undefined) return this.measured(segment, live === undefined ? undefined : segment.positionOf(live.lsn))
    // Not sealed: after a failed fsync the next one says where this one ends (see repair.ts).
    const end = segment.positionOf(next.header.lsn) - (next.header.afterCut ? sealSize : 0)
    if ((segment.index?.end ?? 0) > end) segment.forget()
    const part = this.measured(segment, end)
    if (part.lastSequence !== lastSequence) throw missing(segment, part.lastSequence + 1, next.first - 1)
    return part
  }

  /** Walks a segment up to `limit`, or the last whole frame. */
  private measured(segment: Segment, limit: number | undefined): SegmentPart {
    const file = segment.open()
    try {
      const end = Math.min(file.size(), limit ?? Infinity)
      const index = segment.walkTo(file, end)
      if (index.end < end && wholeFrameBehind(file, index.end, end, index.nextSequence)) {
        // It may have been written while this looked.
        if (segment.walkTo(file, end).end === index.end) throw segment.damage(index, end)
      }
      if (index.end <= end) {
        return { segment, end: index.end, lastSequence: index.nextSequence - 1, lastTime: index.lastTime }
      }
      return { segment, end, ...segment.lastBefore(file, end) }
    } finally {
      file.close()
    }
  }

  /** A segment is in use: the memory of those that were not used for longest goes when there is too much. */
  private used(segment: Segment): void {
    const { segments } = this
    if (!segments.delete(segment.first)) return
    segments.set(segment.first, segment)
    if (segment.wantsIndex) this.unindexed.add(segment)
    this.account(segment)
    for (const all of [false, true]) {
      for (const other of segments.values()) {
        if (this.cachedBytes <= this.cacheBytes) return
        // Each look would walk them anew: the one being written, and those whose footers are still to come.
        if (other.summary === undefined || other === segment) continue
        if (all) other.forget()
        else other.forgetKeys()
        this.account(other)
      }
    }
  }

  /** Notes what a segment takes now. */
  private account(segment: Segment): void {
    const bytes = segment.cachedBytes
    this.cachedBytes += bytes - (this.accounted.get(segment) ?? 0)
    this.accounted.set(segment, bytes)
  }

  private remove(first: number, segment: Segment): void {
    this.segments.delete(first)
    this.cachedBytes -= this.accounted.get(segment) ?? 0
    this.accounted.delete(segment)
    this.unindexed.delete(segment)
  }

  /**
   * To be called while nobody asks anything: reads a footer, or makes a piece of an index of a segment that was asked about,
   * so that the next question finds the blocks that matter at once. False when there is nothing to do.
   */
  indexMore(): boolean {
    // More than half would push out what others need.
    if (this.cachedBytes > this.cacheBytes / 2) {
      this.unindexed.clear()
      return false
    }
    for (const segment of this.unindexed) {
      const made = this.inAdvance(
        segment,
        () => this.segments.get(segment.first) !== segment || segment.indexSome(pieceBytes)
      )
      if (made === false) return true
      this.unindexed.delete(segment)
      return true
    }
    for (const segment of [...this.segments.values()].reverse()) {
      if (this.inAdvance(segment, () => segment.readFooter()) === true) return true
    }
    return false
  }

  /** Does something for later, which may fail: whoever asks will hear of it. */
  private inAdvance(segment: Segment, work: () => boolean): boolean | undefined {
    try {
      return work()
    } catch (error) {
      const expected = error instanceof SegmentGone || error instanceof DiskError || error instanceof LogCorrupt
        || error instanceof LogFormatTooNew
      if (!expected) throw error
      return undefined
    } finally {
      if (this.segments.get(segment.first) === segment) this.account(segment)
    }
  }
}

const missing = (segment: Segment, from: number, to: number): Error =>
  logCorrupt({
    reason: from <= to ? `the log does not hold sequences ${from} to ${to}` : `sequence ${to + 1} comes twice`,
    segment: `log/${String(segment.first).padStart(20, "0")}`,
    position: 0,
    lsn: segment.header.lsn,
    sequence: Math.min(from, to + 1),
    lastSequence: to,
    bytesLost: 0
  })

/** Whether frames go on behind one that is not whole: then it is damage, not the end. */
const wholeFrameBehind = (file: DiskFile, from: number, end: number, sequence: number): boolean =>
  new FrameCursor(file, from, end).search(from + 8, sequence)
