/**
 * The writing end of the log: batches gather in the tail buffer, `commit` makes them one frame and one write, syncs
 * follow the policy, segments rotate, and a failing disk is survived where that is possible.
 *
 * When a write fails, the batches of its frame are already part of memory. They are not taken back: the frame stays in
 * the tail buffer, `failure()` refuses further writes, `released()` stands still so that the replies wait, and `tick`
 * tries again until it is written. So an error reply never contradicts what memory holds, and none is sent for a write
 * that may still get into the log. The same holding back keeps the promise of `everysec` when an fsync takes long: once
 * two seconds of writes would be unsynced, frames wait in the tail until it has finished.
 *
 * When an fsync fails the kernel may have dropped the pages it could not write. Under `always` the process has to end.
 * Otherwise the descriptor is never synced again: what it may have lost is written to a fresh segment (repair.ts).
 */
import { ActiveSegment, IndexCatchUp } from "./active-segment.ts"
import { FrameEncoder } from "./batch.ts"
import { type Disk, DiskError } from "./disk.ts"
import { type Author, LogUnavailable, type Origin } from "./event-log.ts"
import type { Event } from "./events/catalog.ts"
import {
  buildFrame,
  clockStepBody,
  countInBody,
  frameFlag,
  FrameHeader,
  frameType,
  paddedSize,
  writeFrameHeader
} from "./frame.ts"
import { CopyDiffers, moveUnsynced, sealCut } from "./repair.ts"
import { rotate, RotationPutOff, type SealedSegment, SyncFailed, syncOrFail, writeSeal } from "./rotation.ts"
import { EventTally } from "./segment-index.ts"
import { segmentHeaderSize } from "./segment.ts"
import type { LogClock, SyncPolicy } from "./store.ts"

/** Within one turn the tail is written early when it passes this. */
const longestTail = 16 << 20
/** Writes stop short of two seconds unsynced, so that the bound holds with what a turn adds. */
const unsyncedLimitMs = 1900
const syncEveryMs = 1000
const retryEveryMs = 100
/** A rotation that would have to sync more than this in one go has it synced in the background first. */
const calmSync = 1 << 20
/** Index slices after a start-up: frames per tick. */
const catchUpFrames = 64
/** A clock that falls by more than this leaves a CONTROL record. */
const clockStepMs = 1000

/** What the writer needs from the log it belongs to. */
export interface WriterHooks {
  /** A segment has been sealed and the next one begun. */
  readonly rotated: (sealed: SealedSegment) => void
  /** The segment last reported as rotated is not as it was. */
  readonly resealed: (sealed: SealedSegment) => void
  /** The next segment is safely in its folder: time to write the manifest. */
  readonly published: () => void
  readonly warn: (message: string) => void
}

export interface WriterOptions {
  readonly segmentBytes: number
  readonly syncIdleMs: number
  readonly chainInterval: { readonly ms: number; readonly bytes: number } | undefined
}

interface Sync {
  /** What it covers. */
  readonly lsn: number
  /** Monotonic ms of the first write it covers. */
  readonly since: number
}

export class LogWriter {
  segment: ActiveSegment
  policy: SyncPolicy
  /** Everything below is synced. */
  durable: number
  fsyncs = 0
  delayedFsyncs = 0
  unavailable: LogUnavailable | undefined = undefined
  private readonly disk: Disk
  private readonly clock: LogClock
  private readonly options: WriterOptions
  private readonly hooks: WriterHooks
  private readonly tail = new FrameEncoder()
  private readonly tally = new EventTally()
  private readonly header = new FrameHeader()
  private nextSequence: number
  private lastTime: number
  private lastClock: number
  private clockStep: Uint8Array | undefined = undefined
  /** Session records that have to precede the frame in hand in a new segment. */
  private preamble: { readonly refs: ReadonlyArray<number>; readonly body: Uint8Array } | undefined = undefined
  private syncing: Sync | undefined = undefined
  private lastSync: number
  private lastWrite: number
  private lastSeal: number
  /** Monotonic ms of the first write no sync covers yet. */
  private unsyncedSince: number | undefined = undefined
  /** Lsn after the last frame that a SYNC would vouch for, and how far frames vouch already. */
  private dataEnd: number
  private vouched: number
  /** The frame in hand waits for a sync to finish. */
  private held = false
  /**
   * Frames that had to wait: their replies were promised a position behind `from`, but other frames may have come in
   * between, so nothing between `from` and their true end counts before all of it does.
   */
  private readonly waits: Array<{ readonly from: number; until: number }> = []
  private rotateAfterSync = false
  private rotationTried = -Infinity
  private rewriteNeeded = false
  /** A segment cut after a failed fsync that still has to be sealed. */
  private cut: SealedSegment | undefined = undefined
  private folderSyncNeeded = false
  private lastTry = -Infinity
  private dead = false
  private catchUp: IndexCatchUp | undefined
  private released = (): void => {}
  private fatal: (error: unknown) => void = () => {}

  constructor(
    disk: Disk,
    clock: LogClock,
    policy: SyncPolicy,
    options: WriterOptions,
    hooks: WriterHooks,
    segment: ActiveSegment
  ) {
    this.disk = disk
    this.clock = clock
    this.policy = policy
    this.options = options
    this.hooks = hooks
    this.segment = segment
    this.durable = segment.lsn // recovery has synced what it found
    this.dataEnd = segment.lsn
    this.vouched = segment.lsn
    this.nextSequence = segment.lastSequence + 1
    this.lastTime = this.lastClock = segment.lastTime
    this.lastSync = this.lastWrite = this.lastSeal = clock.monotonic()
    this.tail.startSegment(segment.id)
    this.catchUp = segment.index.complete ? undefined : new IndexCatchUp(segment)
  }

  append(
    time: number,
    db: number,
    origin: Origin,
    command: number,
    author: Author | undefined,
    events: ReadonlyArray<Event>,
    count: number
  ): number {
    const tail = this.tail
    if (tail.out.length > longestTail) this.flushEarly()
    if (time < this.lastClock - clockStepMs) this.clockStep ??= clockStepBody(this.lastClock, time)
    this.lastClock = time
    if (time > this.lastTime) this.lastTime = time
    tail.append(this.lastTime, db, origin, command, author, events, count)
    for (let i = 0; i < count; i++) this.tally.add(events[i]!)
    return this.nextSequence++
  }

  commit(): void {
    if (this.tail.count === 0 || this.dead || this.unavailable !== undefined) return
    this.flush()
    if (this.policy === "always") this.startSync()
  }

  sequence(): number {
    return this.nextSequence - 1
  }

  /** Position after the newest committed frame, one still waiting in the tail included. */
  lsn(): number {
    const waiting = this.tail.count > 0 && (this.held || this.unavailable !== undefined)
    return this.segment.lsn + (waiting ? paddedSize(this.tail.out.length) : 0)
  }

  releasedLsn(): number {
    if (this.policy === "always") return this.durableLsn()
    const wait = this.waits.at(-1)
    return wait?.until === Infinity ? wait.from : this.segment.lsn
  }

  /** Everything below is synced; a frame that had to wait counts only when it is, wherever it came to stand. */
  durableLsn(): number {
    const { durable, waits } = this
    while (waits.length > 0 && waits[0]!.until <= durable) waits.shift()
    return waits.length > 0 ? Math.min(durable, waits[0]!.from) : durable
  }

  onReleased(listener: () => void): void {
    this.released = listener
  }

  onFatal(listener: (error: unknown) => void): void {
    this.fatal = listener
  }

  syncPending(): boolean {
    return this.syncing !== undefined
  }

  setPolicy(policy: SyncPolicy): void {
    if (policy === this.policy) return
    this.policy = policy
    if (this.dead || this.unavailable !== undefined) return
    if (this.unsyncedSince !== undefined) this.unsyncedSince = this.clock.monotonic()
    if (policy === "always" && this.segment.lsn > this.durable) this.startSync()
    else this.released()
  }

  /** Time passes. */
  tick(): void {
    if (this.dead) return
    const now = this.clock.monotonic()
    if (this.catchUp !== undefined) this.continueCatchUp(catchUpFrames)
    if (this.unavailable !== undefined) {
      if (now - this.lastTry >= retryEveryMs) this.retry(now)
      return
    }
    if (this.syncing !== undefined) return
    if (this.held) {
      this.flush()
      if (!this.held) this.released()
    }
    const { segment } = this
    const unsynced = segment.lsn > this.durable
    if (this.policy === "always" && unsynced) this.startSync()
    else if (this.policy === "everysec" && unsynced && now - this.lastSync >= syncEveryMs) this.startSync()
    else if (
      this.policy !== "no" && !unsynced && this.dataEnd > this.vouched &&
      now - this.lastWrite >= this.options.syncIdleMs
    ) this.attemptQuietly(() => this.writeSmall(frameType.sync, new Uint8Array(0)))
    const chain = this.options.chainInterval
    if (chain !== undefined && segment.hasBatches && this.dataEnd > segment.lsnAt(segment.sealedTo)) {
      if (now - this.lastSeal >= chain.ms || segment.end - segment.sealedTo >= chain.bytes) {
        this.attemptQuietly(() => this.seal(0))
      }
    }
  }

  /** Writes what is left, seals and syncs; true when all of it is on disk. */
  close(): boolean {
    if (this.dead) return false
    try {
      if (this.unavailable !== undefined) this.retry(this.clock.monotonic())
      if (this.unavailable !== undefined) throw this.unavailable
      if (this.tail.count > 0) this.write(true)
      const { segment } = this
      if (segment.end > Math.max(segment.sealedTo, segmentHeaderSize)) this.seal(frameFlag.cleanShutdown)
      if (this.syncing !== undefined) {
        // The sync under way may take the error of this one: a second handle has its own view of what went wrong.
        const second = this.disk.open(segment.name, "write")
        try {
          syncOrFail(second)
        } finally {
          second.close()
        }
      }
      syncOrFail(segment.file)
      this.durable = segment.lsn
      return true
    } catch (error) {
      if (!(error instanceof DiskError || error instanceof SyncFailed || error instanceof LogUnavailable)) throw error
      this.hooks.warn(`the log could not be written to its end: ${(error as Error).message}`)
      return false
    } finally {
      this.release()
    }
  }

  /** Gives the file back. */
  release(): void {
    this.dead = true
    this.segment.file.close()
  }

  private flushEarly(): void {
    if (!this.dead && this.unavailable === undefined) this.flush()
  }

  /** Writes the frame in hand unless it has to wait. */
  private flush(): void {
    const now = this.clock.monotonic()
    if (this.policy === "everysec" && this.segment.lsn > this.durable) {
      const since = this.syncing?.since ?? this.unsyncedSince
      if (since !== undefined && now - since >= unsyncedLimitMs) {
        this.hold()
        this.startSync()
        return
      }
    }
    this.attempt(() => this.write(false))
  }

  /** Keeps the frame in hand until the sync under way has finished. */
  private hold(): void {
    if (!this.held) this.delayedFsyncs++
    this.held = true
    this.holdBack()
    if (this.tail.out.length > longestTail) {
      this.refuse("the disk takes too long to sync", undefined)
    }
  }

  /** The replies to what is in the tail wait until it is written and, under `always`, durable. */
  private holdBack(): void {
    this.durableLsn() // forgets those that are over
    if (this.waits.at(-1)?.until !== Infinity) this.waits.push({ from: this.segment.lsn, until: Infinity })
  }

  /** Runs something that writes no batches: a full disk may refuse it, the next write will find out. */
  private attemptQuietly(act: () => void): void {
    try {
      act()
    } catch (error) {
      this.lastWrite = this.lastSeal = this.clock.monotonic()
      if (!(error instanceof DiskError) || error.code === "EIO") this.failed(error)
    }
  }

  /** Runs something that writes; a failure becomes the state of the log. */
  private attempt(act: () => void): void {
    try {
      act()
    } catch (error) {
      this.failed(error)
    }
  }

  private failed(error: unknown): void {
    const cause = error instanceof SyncFailed || error instanceof RotationPutOff ? error.cause : error
    if (!(cause instanceof DiskError)) throw error
    const lost = error instanceof SyncFailed || (cause.code === "EIO" && cause.operation === "write")
    if (lost && this.policy === "always") {
      this.die(cause)
      return
    }
    if (lost) this.rewriteNeeded = true
    this.lastTry = lost ? -Infinity : this.clock.monotonic()
    if (this.tail.count > 0) this.holdBack()
    this.refuse(cause.message, cause)
  }

  private refuse(reason: string, cause: unknown): void {
    if (this.unavailable === undefined) this.hooks.warn(`writes are refused until the log can be written: ${reason}`)
    this.unavailable = new LogUnavailable({ reason, cause })
  }

  private die(error: unknown): void {
    this.dead = true
    this.unavailable = new LogUnavailable({ reason: (error as Error).message, cause: error })
    this.fatal(error)
  }

  private retry(now: number): void {
    this.lastTry = now
    if (this.syncing !== undefined && (this.held || this.rewriteNeeded)) return
    this.held = false
    try {
      if (this.rewriteNeeded) {
        this.moveOn()
        this.rewriteNeeded = false
        this.folderSyncNeeded = true
      }
      if (this.folderSyncNeeded) {
        this.disk.syncFolder("log")
        this.folderSyncNeeded = false
        this.synced(this.segment.lsn)
        if (this.cut === undefined) this.hooks.published()
      }
      if (this.cut !== undefined) {
        this.hooks.resealed(sealCut(this.disk, this.cut, this.options.segmentBytes))
        this.cut = undefined
        this.hooks.published()
      }
      if (this.tail.count > 0) this.write(false)
    } catch (error) {
      if (error instanceof CopyDiffers) {
        this.die(error)
        return
      }
      const cause = error instanceof SyncFailed || error instanceof RotationPutOff ? error.cause : error
      if (!(cause instanceof DiskError)) throw error
      if (error instanceof SyncFailed || (cause.code === "EIO" && cause.operation === "write")) {
        if (this.policy === "always") {
          this.die(cause)
          return
        }
        this.rewriteNeeded = true
      }
      this.refuse(cause.message, cause)
      return
    }
    this.unavailable = undefined
    this.hooks.warn("the log can be written again")
    if (this.policy === "always") this.startSync()
    this.released()
  }

  /** Goes on in a fresh segment with what the failing one may have lost. */
  private moveOn(): void {
    const old = this.segment
    const { next, cut } = moveUnsynced(this.disk, old, this.durable, this.clock.now())
    old.file.close()
    this.segment = next
    this.dataEnd = next.lsn
    this.catchUp = next.index.complete ? undefined : new IndexCatchUp(next)
    if (cut === undefined) return
    this.cut = cut
    this.hooks.rotated(cut)
  }

  /** Writes the frame in hand, beginning a new segment where it is due. `now` forbids to wait for a sync. */
  private write(now: boolean): void {
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
    header.epoch = segment.header.epoch
    header.lag = segment.lsn - this.durable
    writeFrameHeader(tail.out.bytes, header)
    const position = segment.end
    try {
      segment.write(tail.out.bytes, header.length)
    } catch (error) {
      tail.reopen() // more may follow until it is written
      throw error
    }
    this.wrote()
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
  private rotationDue(length: number, now: boolean): boolean {
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
  private rotateNow(length: number): void {
    const { disk, segment, options } = this
    this.rotationTried = this.clock.monotonic()
    if (this.catchUp !== undefined) this.continueCatchUp(Infinity)
    let result: ReturnType<typeof rotate>
    try {
      result = rotate(disk, segment, this.durable, this.clock.now(), options.segmentBytes, {
        synced: () => this.synced(segment.lsn)
      })
    } catch (error) {
      if (error instanceof RotationPutOff && segment.end + length <= 2 * options.segmentBytes) {
        this.hooks.warn(`no next segment, the one in use goes on: ${error.message}`)
        return
      }
      throw error
    }
    this.rotationTried = -Infinity
    this.segment = result.next
    segment.file.close()
    if (this.tail.count > 0) this.preamble = this.tail.moveToSegment(result.next.id)
    else this.tail.startSegment(result.next.id)
    this.dataEnd = this.vouched = result.next.lsn
    this.lastSeal = this.clock.monotonic()
    this.folderSyncNeeded = true
    this.hooks.rotated(result.sealed)
    try {
      disk.syncFolder("log")
      this.folderSyncNeeded = false
    } catch (error) {
      throw error instanceof DiskError ? new SyncFailed(error) : error
    }
    this.hooks.published()
  }

  private continueCatchUp(frames: number): void {
    try {
      if (this.catchUp!.slice(frames)) this.catchUp = undefined
    } catch (error) {
      if (!(error instanceof DiskError)) throw error
      this.catchUp = undefined // the footer will say that it is incomplete
    }
  }

  /** Notes that the segment has grown: what was synced does not cover it yet. */
  private wrote(): void {
    this.lastWrite = this.clock.monotonic()
    this.unsyncedSince ??= this.lastWrite
    this.vouched = Math.max(this.vouched, this.durable)
  }

  private writeSmall(type: number, body: Uint8Array): void {
    const { segment } = this
    const header = new FrameHeader()
    header.type = type
    header.sequence = this.nextSequence - this.tail.count
    header.time = Math.max(segment.lastTime, this.tail.count > 0 ? this.tail.baseTime : 0)
    header.epoch = segment.header.epoch
    header.lag = segment.lsn - this.durable
    const frame = buildFrame(header, body)
    segment.write(frame, frame.length)
    this.wrote()
  }

  private seal(flags: number): void {
    writeSeal(this.segment, this.durable, flags)
    this.lastSeal = this.clock.monotonic()
    this.wrote()
    this.dataEnd = this.segment.lsn
  }

  private startSync(): void {
    const { segment } = this
    if (this.syncing !== undefined || this.dead || this.unavailable !== undefined || segment.lsn <= this.durable) return
    const now = this.clock.monotonic()
    const sync: Sync = { lsn: segment.lsn, since: this.unsyncedSince ?? now }
    this.syncing = sync
    this.lastSync = now
    this.unsyncedSince = undefined // the next write is the first this sync does not cover
    segment.file.datasync((error) => {
      if (this.syncing === sync) this.finishSync(sync, error)
    })
  }

  private finishSync(sync: Sync, error: DiskError | undefined): void {
    this.syncing = undefined
    if (this.dead) return
    if (error !== undefined) {
      this.failed(new SyncFailed(error))
      return
    }
    this.synced(sync.lsn)
    if (this.unavailable !== undefined && !this.held) {
      this.released()
      return
    }
    const { segment, options } = this
    const due = segment.hasBatches && segment.end >= options.segmentBytes && this.policy === "always"
    if ((this.rotateAfterSync || due) && this.clock.monotonic() - this.rotationTried >= retryEveryMs) {
      this.attempt(() => this.rotateNow(0))
    }
    this.rotateAfterSync = false
    if (this.held && !this.dead) {
      this.held = false
      const refused = this.unavailable
      this.unavailable = undefined
      if (this.tail.count > 0) this.flush()
      if (refused !== undefined && this.unavailable === undefined) this.hooks.warn("the log can be written again")
    }
    if (this.policy === "always") this.startSync()
    this.released()
  }

  private synced(lsn: number): void {
    this.fsyncs++
    if (lsn <= this.durable) return
    this.durable = lsn
    this.segment.kept.release(lsn)
    if (lsn === this.segment.lsn) this.unsyncedSince = undefined
  }
}
