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
import type { ActiveSegment } from "./active-segment.ts"
import { type Disk, DiskError } from "./disk.ts"
import { type Author, LogUnavailable, type Origin } from "./event-log.ts"
import type { Event } from "./events/catalog.ts"
import { FollowingWriter } from "./following-writer.ts"
import { clockStepBody, frameFlag, frameType, paddedSize } from "./frame.ts"
import { CopyDiffers, sealCut } from "./repair.ts"
import { RotationPutOff, SyncFailed, syncOrFail } from "./rotation.ts"
import { retryEveryMs, type Sync, type WriterHooks, type WriterOptions } from "./segment-writer.ts"
import { segmentHeaderSize } from "./segment.ts"
import type { LogClock, SyncPolicy } from "./store.ts"

/** Within one turn the tail is written early when it passes this. */
const longestTail = 16 << 20
/** Writes stop short of two seconds unsynced, so that the bound holds with what a turn adds. */
const unsyncedLimitMs = 1900
const syncEveryMs = 1000
/** Turns that a patient caller's sync waits for more to write, at most. */
const mostTurnsPutOff = 4
/** Where syncs usually take longer they are done in the background; when one is tried again. */
const [longestInlineMs, inlineAgainMs] = [1, 2000]
/** A clock that falls by more than this leaves a CONTROL record. */
const clockStepMs = 1000

/** The writing end of the log; see the head of this file. */
export class LogWriter extends FollowingWriter {
  policy: SyncPolicy
  delayedFsyncs = 0
  unavailable: LogUnavailable | undefined = undefined
  private lastClock: number
  private lastSync: number
  private rewriteNeeded = false
  /** Whoever commits does so at the end of every turn that may start a sync; for how many turns it has waited. */
  private patient = false
  private putOff = 0
  /** Until then a sync may take long, and is left to another thread. */
  private notInlineBefore = -Infinity
  /** A running average. */
  private usualSyncMs = 0
  private lastTry = -Infinity
  private hasAppended = false
  private dead = false
  private released = (): void => {}
  private fatal = (_error: unknown): void => {}

  constructor(
    disk: Disk,
    clock: LogClock,
    policy: SyncPolicy,
    options: WriterOptions,
    hooks: WriterHooks,
    segment: ActiveSegment
  ) {
    super(disk, clock, options, hooks, segment)
    this.policy = policy
    this.lastClock = segment.lastTime
    this.lastSync = clock.monotonic()
  }

  append(
    time: number,
    db: number,
    origin: Origin,
    command: number,
    author: Author | undefined,
    events: ReadonlyArray<Event>,
    count: number,
    dbs?: ReadonlyArray<number>
  ): number {
    const tail = this.tail
    if (this.following) throw new Error("a log that follows another's is not written to by its owner")
    if (tail.out.length > longestTail) this.flushEarly()
    if (time < this.lastClock - clockStepMs) this.clockStep ??= clockStepBody(this.lastClock, time)
    this.lastClock = time
    this.hasAppended = true
    if (time > this.lastTime) this.lastTime = time
    tail.append(this.lastTime, db, origin, command, author, events, count, dbs)
    for (let i = 0; i < count; i++) this.tally.add(events[i]!)
    return this.nextSequence++
  }

  /** See `EventLog.commit`. */
  commit(patient = false): boolean {
    this.patient = patient
    const wrote = this.tail.count > 0 && !this.dead && this.unavailable === undefined
    if (wrote) this.flush()
    if (this.policy !== "always" || (!wrote && !patient)) return false
    if (patient && wrote && this.syncing === undefined && ++this.putOff < mostTurnsPutOff) return true
    this.putOff = 0
    if (patient && this.lastSync >= this.notInlineBefore) this.syncInline()
    else this.startSync()
    return false
  }

  /**
   * Syncs while everything else waits, which on a quick disk is over before another thread has taken the work up: on one
   * processor the requests of fifty clients took a fifth longer with it, and one in a hundred 4 ms.
   */
  private syncInline(): void {
    const { segment } = this
    if (this.syncing !== undefined || this.dead || this.unavailable !== undefined || segment.lsn <= this.durable) return
    const began = this.lastSync = this.clock.monotonic()
    this.attempt(() => syncOrFail(segment.file, true))
    if (this.unavailable !== undefined) return
    const took = this.clock.monotonic() - began
    this.observer?.synced(took)
    this.synced(segment.lsn)
    // A single pause, of the machine as likely as of the disk, proves nothing.
    this.usualSyncMs += (Math.min(took, 4 * longestInlineMs) - this.usualSyncMs) / 16
    if (this.usualSyncMs <= longestInlineMs) return
    this.usualSyncMs = 0
    this.notInlineBefore = began + inlineAgainMs
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

  /** Takes over who listens to the writer before, and its figures. */
  succeed({ delayedFsyncs, fatal, fsyncs, observer, released }: LogWriter): void {
    Object.assign(this, { delayedFsyncs, fatal, fsyncs, observer, released })
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

  /** See `EventLog.sync`. */
  syncAll(blocking: boolean): boolean {
    this.commit()
    const { segment } = this
    if (this.dead || this.unavailable !== undefined || this.tail.count > 0) return false
    if (segment.lsn <= this.durable) return true
    if (!blocking) {
      this.startSync()
      return false
    }
    this.attempt(() => {
      this.syncWhole()
      this.synced(segment.lsn)
    })
    this.released()
    return segment.lsn <= this.durable
  }

  /**
   * Writes a CONTROL record and returns the lsn behind it: it is durable once `durable` has got there. Undefined when
   * it could not be written.
   */
  control(body: Uint8Array): number | undefined {
    if (this.dead || this.unavailable !== undefined || this.held || this.following) return undefined
    let behind: number | undefined
    this.attemptQuietly(() => {
      this.writeSmall(frameType.control, body)
      this.dataEnd = behind = this.segment.lsn
    })
    return behind
  }

  /** Time passes. */
  tick(): void {
    if (this.dead) return
    const now = this.clock.monotonic()
    // Until something is written no footer can be due: a server that loads its data has better things to do.
    if (this.catchUp !== undefined && (this.hasAppended || this.indexWanted)) this.catchUpABit()
    this.prepareNext(now)
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
      !this.following && this.policy !== "no" && !unsynced && this.dataEnd > this.vouched &&
      now - this.lastWrite >= this.options.syncIdleMs
    ) this.attemptQuietly(() => this.writeSmall(frameType.sync, new Uint8Array(0)))
    const chain = this.options.chainInterval
    if (
      chain !== undefined && !this.following && segment.hasBatches && this.dataEnd > segment.lsnAt(segment.sealedTo)
    ) {
      if (now - this.lastSeal >= chain.ms || segment.end - segment.sealedTo >= chain.bytes) {
        this.attemptQuietly(() => this.seal(0))
      }
    }
  }

  /** Writes what is left, seals and syncs; true when all of it is on disk. */
  close(): boolean {
    if (this.dead) return false
    this.finishFooter()
    try {
      if (this.unavailable !== undefined) this.retry(this.clock.monotonic())
      if (this.unavailable !== undefined) throw this.unavailable
      if (this.tail.count > 0) this.write(true)
      const { segment } = this
      if (!this.following && segment.end > Math.max(segment.sealedTo, segmentHeaderSize)) {
        this.seal(frameFlag.cleanShutdown)
      }
      this.syncWhole()
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
    this.footer?.close()
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
  protected hold(): void {
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
    // What a replica may have lost is fetched again at the next start: moved, it would stand at other positions.
    if (lost && (this.policy === "always" || this.following)) {
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

  /** The log cannot be had any more, or not be trusted: the process has to end. */
  die(error: unknown): void {
    this.dead = true
    this.unavailable = new LogUnavailable({ reason: (error as Error).message, cause: error })
    this.fatal(error)
  }

  private retry(now: number): void {
    this.lastTry = now
    if (this.syncing !== undefined && (this.held || this.rewriteNeeded)) return
    this.held = false
    let writing = false
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
      writing = true
      if (this.tail.count > 0) this.write(false)
    } catch (error) {
      if (error instanceof CopyDiffers) {
        this.die(error)
        return
      }
      const cause = error instanceof SyncFailed || error instanceof RotationPutOff ? error.cause : error
      if (!(cause instanceof DiskError)) throw error
      if (writing && (error instanceof SyncFailed || (cause.code === "EIO" && cause.operation === "write"))) {
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

  protected startSync(): void {
    const { segment } = this
    if (this.syncing !== undefined || this.dead || this.unavailable !== undefined || segment.lsn <= this.durable) return
    const now = this.clock.monotonic()
    const sync: Sync = { lsn: segment.lsn, since: this.unsyncedSince ?? now }
    this.syncing = sync
    this.lastSync = now
    this.unsyncedSince = undefined // the next write is the first this sync does not cover
    segment.file.datasync((error) => {
      if (error === undefined) this.observer?.synced(this.clock.monotonic() - now)
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
    const due = !this.following && segment.hasBatches && segment.end >= options.segmentBytes && this.policy === "always"
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
    // Who now gets a reply may have more to write at once: a patient caller's next sync takes that along.
    if (this.policy === "always" && !this.patient) this.startSync()
    this.released()
  }
}
