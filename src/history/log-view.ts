/** The log as it was at one moment: where it begins and ends, moments made sequences, and its batches in either direction. */
import { type Disk, DiskError, type DiskFile } from "../log/disk.ts"
import { logCorrupt } from "../log/errors.ts"
import type { Batch } from "../log/event-log.ts"
import { FrameCursor } from "../log/frame-cursor.ts"
import { frameType } from "../log/frame.ts"
import type { Gap } from "../log/gaps.ts"
import { segmentName } from "../log/segment.ts"
import { advance, backward, checked, forward, naming, type Range, type SegmentPart } from "./batches.ts"
import { beyondHead, truncated } from "./errors.ts"
import { FrameScan } from "./frame-scan.ts"
import type { Moment } from "./moment.ts"
import { type Segment, SegmentGone } from "./segment.ts"

/** A part of the log; where `to` or `from` is absent, up to its end or from its beginning. */
export type PartialRange = Partial<Range>

/**
 * One look at a log. All of it stays readable as it was, whatever the server goes on to do, but for segments that
 * retention drops meanwhile: those throw `Truncated`. Damage throws `LogCorrupt`.
 */
export class LogView {
  /** Oldest first. */
  readonly parts: ReadonlyArray<SegmentPart>
  /** First sequence there is, or would be. */
  readonly oldest: number
  /** Newest sequence; `oldest - 1` without any. */
  readonly head: number
  /** Unix ms of the newest batch; 0 without any. */
  readonly headTime: number
  /** The data directory, for its checkpoints. */
  readonly disk: Disk
  private readonly used: (segment: Segment) => void

  constructor(disk: Disk, parts: ReadonlyArray<SegmentPart>, used: (segment: Segment) => void) {
    this.disk = disk
    this.parts = parts
    this.used = used
    this.oldest = parts[0]?.segment.first ?? 1
    this.head = parts.at(-1)?.lastSequence ?? 0
    this.headTime = parts.findLast((part) => part.lastTime > 0)?.lastTime ?? 0
  }

  /** Whether retention has dropped the beginning. */
  get beginsLater(): boolean {
    return this.oldest > 1
  }

  /** The first sequence at or after a moment, `head + 1` when there is none. Throws `Truncated` or `BeyondHead`. */
  sequenceFrom(moment: Moment): number {
    if (moment.kind === "time") {
      const sequence = this.newestAt(moment.time - 1) + 1
      if (sequence === this.oldest && this.beginsLater && this.firstTime() > moment.time) {
        throw truncated(moment, this.oldest)
      }
      return sequence
    }
    if (moment.sequence < this.oldest && this.beginsLater) throw truncated(moment, this.oldest)
    if (moment.sequence > this.head + 1) throw beyondHead(moment, this.head)
    return Math.max(1, moment.sequence)
  }

  /**
   * The last sequence at or before a moment; 0 for the empty beginning. Throws `Truncated`, and `BeyondHead` for a
   * sequence after the newest or, when `now` (Unix ms) is given, a time after it.
   */
  sequenceAt(moment: Moment, now = Infinity): number {
    if (moment.kind === "time") {
      if (moment.time > now) throw beyondHead(moment, this.head)
      const sequence = this.newestAt(moment.time)
      if (sequence < this.oldest && this.beginsLater) throw truncated(moment, this.oldest)
      return sequence
    }
    if (moment.sequence > this.head) throw beyondHead(moment, this.head)
    if (moment.sequence < this.oldest && this.beginsLater) throw truncated(moment, this.oldest)
    return moment.sequence
  }

  /** The newest sequence whose time is at most `time`; `oldest - 1` when there is none. */
  private newestAt(time: number): number {
    const at = this.parts.findIndex((part) => part.lastTime > time)
    const part = this.parts[at]
    if (part === undefined) return this.head
    return this.reading(part, (file) => {
      const { entries } = part.segment.directory(file, part.end)
      let sequence = part.segment.first - 1
      const block = entries.findLastIndex((entry) => entry.time <= time)
      if (block < 0) return sequence
      const cursor = new FrameCursor(file, entries[block]!.position, part.end, 128 << 10)
      const scan = new FrameScan()
      while (advance(part, cursor, part.end)) {
        if (cursor.header.type !== frameType.batches) continue
        if (cursor.header.time > time) break
        checked(part, cursor, () => {
          scan.open(cursor.bytes, cursor.at, cursor.header)
          while (scan.next() && scan.time <= time) sequence = scan.sequence
        })
      }
      return sequence
    })
  }

  /** Unix ms of the oldest batch; 0 without any. */
  private firstTime(): number {
    const part = this.parts.find((part) => part.lastTime > 0)
    if (part === undefined) return 0
    return this.reading(part, (file) => part.segment.directory(file, part.end).entries[0]?.time ?? 0)
  }

  /**
   * The batches of a range, oldest first or with `reverse` newest first, as `log.read` gives them: one batch's object and
   * events are good until the next step only. The caller either goes to the end or calls `return`.
   */
  *batches(range: PartialRange = {}): Generator<Batch, void> {
    const whole = this.whole(range)
    for (const part of this.partsOf(whole)) {
      const file = this.open(part)
      try {
        yield* whole.reverse === true ? backward(part, file, whole) : forward(part, file, whole)
      } catch (error) {
        throw asDamage(part, error)
      } finally {
        file.close()
      }
    }
  }

  /**
   * The batches of a range that name one of these keys, in whichever database, and with `moves` also those that empty
   * or swap databases or take a key to another one. Undefined comes in between, where the caller may do something else.
   */
  *naming(
    names: ReadonlyArray<Uint8Array>,
    range: PartialRange = {},
    moves = false
  ): Generator<Batch | undefined, void> {
    const whole = this.whole(range)
    for (const part of this.partsOf(whole)) {
      const file = this.open(part)
      try {
        yield* naming(part, file, whole, names, moves)
        this.used(part.segment)
      } catch (error) {
        throw asDamage(part, error)
      } finally {
        file.close()
      }
    }
  }

  /** Whether anything up to a sequence empties or swaps databases or takes keys to others; may say so in vain. */
  movesDatabases(to = this.head): boolean {
    return this.parts.some((part) =>
      part.segment.first <= to && this.reading(part, (file) => part.segment.movesDatabases(file, part.end))
    )
  }

  /** Sequences that a salvage could not keep, as far as they touch a range, oldest first. */
  gaps(from: number, to: number): Array<Gap> {
    return this.parts
      .filter((part) => part.segment.first <= to && part.lastSequence >= from)
      .flatMap((part) =>
        part.segment.withoutGaps ? [] : this.reading(part, (file) => part.segment.gaps(file, part.end))
      )
      .filter((gap) => gap.last >= from && gap.first <= to)
  }

  private whole(range: PartialRange): Range {
    return { ...range, from: Math.max(range.from ?? 1, this.oldest), to: Math.min(range.to ?? this.head, this.head) }
  }

  /** The segments of a range, in its order. */
  private partsOf({ from, reverse, to }: Range): ReadonlyArray<SegmentPart> {
    const parts = this.parts.filter((part) => part.segment.first <= to && part.lastSequence >= from)
    return reverse === true ? parts.reverse() : parts
  }

  /** Opens a segment. Throws `Truncated` when it has been dropped since. */
  open(part: SegmentPart): DiskFile {
    try {
      return part.segment.open()
    } catch (error) {
      if (!(error instanceof SegmentGone)) throw error
      const { first } = part.segment
      const next = this.parts.find((other) => other.segment.first > first)
      throw truncated({ kind: "sequence", sequence: first }, next?.segment.first ?? part.lastSequence + 1)
    }
  }

  private reading<T>(part: SegmentPart, use: (file: DiskFile) => T): T {
    const file = this.open(part)
    try {
      return use(file)
    } finally {
      file.close()
      this.used(part.segment)
    }
  }
}

/** What a disk cannot read, tried often enough, is damage like any other. */
const asDamage = ({ lastSequence, segment }: SegmentPart, error: unknown): unknown => {
  if (!(error instanceof DiskError) || error.code !== "EIO") return error
  return logCorrupt({
    reason: `the disk cannot read it (${error.message})`,
    segment: segmentName(segment.first),
    position: 0,
    lsn: segment.header.lsn,
    sequence: segment.first,
    lastSequence,
    bytesLost: 0
  })
}
