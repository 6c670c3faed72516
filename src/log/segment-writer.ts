/**
 * Frames into segments: what writes, seals, rotates and moves on. When to do so, and what a failure means, is the
 * log writer's business (writer.ts).
 */
import { ActiveSegment, IndexCatchUp } from "./active-segment.ts"
import { type Disk, DiskError } from "./disk.ts"
import type { LogObserver } from "./event-log.ts"
import { FooterWriter } from "./footer-writer.ts"
import { FrameEncoder } from "./frame-encoder.ts"
import { buildFrame, countInBody, FrameHeader, frameType, paddedSize, writeFrameHeader } from "./frame.ts"
import { KeyFilter } from "./key-filter.ts"
import { type KnownOfOpen, openSegmentOf, type TellOpen } from "./open-segment.ts"
import { moveUnsynced } from "./repair.ts"
import { rotate, RotationPutOff, type SealedSegment, SyncFailed, writeSeal } from "./rotation.ts"
import { EventTally } from "./segment-index.ts"
import type { SegmentHeader } from "./segment.ts"
import type { LogClock } from "./store.ts"

/** A rotation that would have to sync more than this in one go has it synced in the background first. */
const calmSync = 1 << 20
/** A rotation, or a write, that failed is tried again after this long. */
export const retryEveryMs = 100

/** Frames of the segment that was found are looked at for so long at a time, and so many at most. */
const [catchUpMs, catchUpFrames] = [1, 1024]

/** What the writer needs from the log it belongs to. */
export interface WriterHooks {
  /** A segment has been sealed and the next one begun. */
  readonly rotated: (sealed: SealedSegment) => void
  /** The segment last reported as rotated is not as it was. */
  readonly resealed: (sealed: SealedSegment) => void
  /** The next segment is safely in its folder: time to write the manifest. */
  readonly published: () => void
  readonly warn: (message: string) => void
  /** The epoch that begins when frames have to move to other positions; undefined where no replica has seen any. */
  readonly epochAfter: (epoch: number) => { readonly number: number; readonly replicationId: Uint8Array } | undefined
  /** What stood behind `lsn` stands in a segment with this header now. */
  readonly moved: (header: SegmentHeader, lsn: number) => void
}

/** See `LogOptions`, defaults filled in. */
export interface WriterOptions {
  readonly segmentBytes: number
  readonly syncIdleMs: number
  readonly chainInterval: { readonly ms: number; readonly bytes: number } | undefined
  readonly footersLater: boolean
}

/** An asynchronous sync under way. */
export interface Sync {
  /** What it covers. */
  readonly lsn: number
  /** Monotonic ms of the first write it covers. */
  readonly since: number
}

/** Writes frames, SEALs and whole new segments; keeps what the footer will say. */
export abstract class SegmentWriter {
  segment: ActiveSegment
  /** Everything below is synced. */
  durable: number
  fsyncs = 0
  observer: LogObserver | undefined = undefined
  protected readonly disk: Disk
  protected readonly clock: LogClock
  protected readonly options: WriterOptions
  protected readonly hooks: WriterHooks
  protected readonly tail = new FrameEncoder()
  protected readonly tally = new EventTally()
  protected nextSequence: number
  lastTime: number
  /** A CONTROL record to precede the frame in hand. */
  protected clockStep: Uint8Array | undefined = undefined
  protected syncing: Sync | undefined = undefined
  protected lastWrite: number
  protected lastSeal: number
  /** Monotonic ms of the first write no sync covers yet. */
  protected unsyncedSince: number | undefined = undefined
  /** Lsn after the last frame that a SYNC would vouch for, and how far frames vouch already. */
  protected dataEnd: number
  protected vouched: number
  /** The frame in hand waits for a sync to finish. */
  protected held = false
  /**
   * Frames that had to wait: their replies were promised a position behind `from`, but other frames may have come in
   * between, so nothing between `from` and their true end counts before all of it does.
   */
  protected readonly waits: Array<{ readonly from: number; until: number }> = []
  protected rotateAfterSync = false
  protected rotationTried = -Infinity
  /** A segment cut after a failed fsync that still has to be sealed. */
  protected cut: SealedSegment | undefined = undefined
  protected folderSyncNeeded = false
  protected catchUp: IndexCatchUp | undefined
  /** Somebody asks where things are. */
  protected indexWanted = false
  /** Writes the footer of the segment before. */
  protected footer: FooterWriter | undefined = undefined
  /** Is told of the header of a segment that begins. */
  begun: ((header: SegmentHeader) => void) | undefined = undefined
  private readonly header = new FrameHeader()
  /** Session records that have to precede the frame in hand in a new segment. */
  private preamble: { readonly refs: ReadonlyArray<number>; readonly body: Uint8Array } | undefined = undefined

  constructor(disk: Disk, clock: LogClock, options: WriterOptions, hooks: WriterHooks, segment: ActiveSegment) {
    this.disk = disk
    this.clock = clock
    this.options = options
    this.hooks = hooks
    this.segment = segment
    this.durable = segment.lsn // recovery has synced what it found
    this.dataEnd = segment.lsn
    this.vouched = segment.lsn
    this.nextSequence = segment.lastSequence + 1
    this.lastTime = segment.lastTime
    this.lastWrite = this.lastSeal = clock.monotonic()
    this.tail.startSegment(segment.id)
    this.catchUp = segment.index.complete ? undefined : new IndexCatchUp(segment)
  }

  /** Whether the folder is known to hold the segment in use, so that the manifest may name it. */
  get published(): boolean {
    return !this.folderSyncNeeded
  }

  /** Whether the file has all that was appended. */
  get allWritten(): boolean {
    return this.tail.count === 0
  }

  /** Keeps the frame in hand until the sync under way has finished. */
  protected abstract hold(): void
  /** Starts an asynchronous sync of everything written, unless one is under way. */
  protected abstract startSync(): void

  /** Goes on in a fresh segment with what the failing one may have lost. */
  protected moveOn(): void {
    this.finishFooter()
    const old = this.segment
    const renewed = this.hooks.epochAfter(old.epoch)
    const { next, cut } = moveUnsynced(this.disk, old, this.durable, this.clock.now(), renewed)
    old.file.close()
    this.segment = next
    next.tap = old.tap
    if (cut !== undefined) this.hooks.moved(next.header, this.durable)
    this.dataEnd = next.lsn
    this.catchUp = next.index.complete ? undefined : new IndexCatchUp(next)
    if (cut === undefined) return
    this.cut = cut
    this.hooks.rotated(cut)
  }

  /** Writes the frame in hand, beginning a new segment where it is due. `now` forbids to wait for a sync. */
  protected write(now: boolean): void {
    const tail = this.tail
    const length = paddedSize(tail.out.length + 8)
    if (this.rotationDue(length, now)) this.rotateNow(length)
    if (this.held && !now && this.syncing !== undefined) return
    if (this.clockStep !== undefined) {
      this.writeSmall(frameType.control, this.clockStep)
      this.clockStep = undefined
    }
    if (this.preamble !== undefined) {
      const position = this.segment.end
      this.writeSmall(frameType.batches, this.preamble.body)
      for (const ref of this.preamble.refs) this.segment.index.defines(ref, position)
      this.preamble = undefined
    }
    const { segment, header } = this
    header.type = frameType.batches
    header.length = tail.finish()
    header.sequence = this.nextSequence - tail.count
    header.count = Math.min(tail.count, countInBody)
    header.time = tail.baseTime
    header.flags = 0
    header.epoch = segment.epoch
    header.lag = segment.lsn - this.durable
    writeFrameHeader(tail.out.bytes, header)
    const position = segment.end
    const began = this.clock.monotonic()
    try {
      segment.write(tail.out.bytes, header.length)
    } catch (error) {
      tail.reopen() // more may follow until it is written
      throw error
    }
    this.wrote()
    this.observer?.wrote(this.lastWrite - began, header.length)
    segment.lastSequence = this.nextSequence - 1
    segment.lastTime = this.lastTime
    if (segment.firstTime === 0) segment.firstTime = tail.baseTime
    segment.index.frame(tail.baseTime, header.sequence, position)
    for (const ref of tail.defined) segment.index.defines(ref, position)
    this.tally.settle(segment.index)
    tail.clear()
    this.held = false
    this.dataEnd = segment.lsn
    const wait = this.waits.at(-1)
    if (wait?.until === Infinity) wait.until = segment.lsn
  }

  /** Whether a new segment has to begin before a frame of this length; may put the frame on hold instead. */
  protected rotationDue(length: number, now: boolean): boolean {
    const { segment, options } = this
    if (!segment.hasBatches || segment.end + length <= options.segmentBytes) return false
    const fits = segment.end + length <= 2 * options.segmentBytes
    if (this.syncing !== undefined) {
      // A blocking fsync could swallow the error of the one under way.
      if (fits || now) return false
      this.hold()
      return false
    }
    if (fits && !now && segment.lsn - this.durable > calmSync) {
      this.rotateAfterSync = true
      this.startSync()
      return false
    }
    return !fits || this.clock.monotonic() - this.rotationTried >= retryEveryMs
  }

  /** Begins a new segment; throws `DiskError` only when the one in use may not grow by `length` more bytes. */
  protected rotateNow(length: number, mirrored?: SegmentHeader): void {
    const { disk, segment, options } = this
    this.rotationTried = this.clock.monotonic()
    if (this.catchUp !== undefined) this.continueCatchUp(Infinity)
    this.finishFooter()
    let result: ReturnType<typeof rotate>
    try {
      result = rotate(disk, segment, this.durable, this.clock.now(), options.segmentBytes, {
        synced: () => this.synced(segment.lsn),
        footerLater: options.footersLater
      }, mirrored)
    } catch (error) {
      if (
        mirrored === undefined && error instanceof RotationPutOff && segment.end + length <= 2 * options.segmentBytes
      ) {
        this.hooks.warn(`no next segment, the one in use goes on: ${error.message}`)
        return
      }
      throw error
    }
    this.rotationTried = -Infinity
    this.segment = result.next
    this.segment.tap = segment.tap
    this.begun?.(result.next.header)
    if (!options.footersLater) segment.file.close()
    if (this.tail.count > 0) this.preamble = this.tail.moveToSegment(result.next.id)
    else this.tail.startSegment(result.next.id)
    this.dataEnd = this.vouched = result.next.lsn
    this.lastSeal = this.clock.monotonic()
    this.folderSyncNeeded = true
    this.hooks.rotated(result.sealed)
    if (options.footersLater) {
      this.footer = new FooterWriter(disk, segment, { warn: this.hooks.warn, whole: this.hooks.resealed })
    } else segment.index.recycle()
    try {
      disk.syncFolder("log")
      this.folderSyncNeeded = false
    } catch (error) {
      throw error instanceof DiskError ? new SyncFailed(error) : error
    }
    this.hooks.published()
  }

  /** The footer of the segment before is completed now: the segment in use is about to be the one before. */
  finishFooter(): void {
    this.footer?.finish()
    this.footer = undefined
  }

  /** What is left of the segment before, and, once the one in use is half full, what the next needs: a little at a time. */
  protected prepareNext(now: number): void {
    this.footer?.step(now)
    if (this.footer?.done === true) this.footer = undefined
    const { options: { segmentBytes }, segment } = this
    if (segment.end > segmentBytes >>> 1) KeyFilter.prepare(segmentBytes)
  }

  /** See `TellOpen`. */
  openSegment(known: KnownOfOpen | undefined): ReturnType<TellOpen> {
    this.indexWanted = true
    this.catchUpABit()
    return openSegmentOf(this.segment, known)
  }

  /** Looks at a millisecond's worth of what was there when the log was opened. */
  protected catchUpABit(): void {
    const until = this.clock.monotonic() + catchUpMs
    for (let i = 0; i < catchUpFrames && this.catchUp !== undefined && this.clock.monotonic() < until; i++) {
      this.continueCatchUp(1)
    }
  }

  protected continueCatchUp(frames: number): void {
    try {
      if (this.catchUp!.slice(frames)) this.catchUp = undefined
    } catch (error) {
      if (!(error instanceof DiskError)) throw error
      this.catchUp = undefined // the footer will say that it is incomplete
    }
  }

  /** Notes that the segment has grown: what was synced does not cover it yet. */
  protected wrote(): void {
    this.lastWrite = this.clock.monotonic()
    this.unsyncedSince ??= this.lastWrite
    this.vouched = Math.max(this.vouched, this.durable)
  }

  protected writeSmall(type: number, body: Uint8Array): void {
    const { segment } = this
    const header = new FrameHeader()
    header.type = type
    header.sequence = this.nextSequence - this.tail.count
    header.time = Math.max(segment.lastTime, this.tail.count > 0 ? this.tail.baseTime : 0)
    header.epoch = segment.epoch
    header.lag = segment.lsn - this.durable
    const frame = buildFrame(header, body)
    segment.write(frame, frame.length)
    this.wrote()
  }

  protected seal(flags: number): void {
    writeSeal(this.segment, this.durable, flags)
    this.lastSeal = this.clock.monotonic()
    this.wrote()
    this.dataEnd = this.segment.lsn
  }

  protected synced(lsn: number): void {
    this.fsyncs++
    if (lsn <= this.durable) return
    this.durable = lsn
    this.segment.kept.release(lsn)
    if (lsn === this.segment.lsn) this.unsyncedSince = undefined
  }
}
