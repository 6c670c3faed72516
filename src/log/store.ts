import { checkpointName } from "./checkpoint-file.ts"
import { usualSpacing } from "./checkpoint-keeping.ts"
import { CheckpointFiles, type StoreIdentity } from "./checkpoint-store.ts"
import { type Disk, DiskError } from "./disk.ts"
import { logCorrupt, logLocked } from "./errors.ts"
import type { EventLog, LogStatus } from "./event-log.ts"
import { type Epoch, readReplication, type ReplicationState } from "./lineage.ts"
import { type Manifest, manifestSteps, writeManifest } from "./manifest.ts"
import { finishPending, LogMirror } from "./mirror.ts"
import { BatchIterator, type Segments } from "./reader.ts"
import { type Recovered, recoverLog } from "./recovery.ts"
import type { SealedSegment } from "./rotation.ts"
import { hex, type SegmentHeader, segmentHeaderSize, segmentName } from "./segment.ts"
import { removeIncoming } from "./surgery.ts"
import { Upkeep } from "./upkeep.ts"
import { LogWriter } from "./writer.ts"

/** When a frame is fsynced: before its replies leave, once a second, or when the kernel likes. */
export type SyncPolicy = "always" | "everysec" | "no"

/** The two clocks the log reads. */
export interface LogClock {
  /** Unix milliseconds. */
  now(): number
  /** Milliseconds of a clock that never steps. */
  monotonic(): number
}

/** How a log is kept. */
export interface LogOptions {
  readonly policy: SyncPolicy
  /** Source of the store's and the replication id: 36 random bytes per call (16 for the first, 20 for the second). */
  readonly randomId: () => Uint8Array
  /** A segment is rotated when it would grow past this; default 64 MiB, 4 KiB to 2 GiB. */
  readonly segmentBytes?: number
  /** The footer of a full segment is written after the next has begun; default for segments above 4 MiB. */
  readonly footersLater?: boolean
  /** Bytes of log between two checkpoints that are kept for looking at the past; default 32 MiB, 0 for none. */
  readonly checkpointSpacing?: number
  /** After this long without a write a SYNC frame vouches for what was synced last; default 200. */
  readonly syncIdleMs?: number
  /** Seal the chain every so many milliseconds or bytes in addition to rotation; absent: only at rotation and close. */
  readonly chainInterval?: { readonly ms: number; readonly bytes: number }
  /** Called with one line whenever an operator should know: a torn tail was cut, writes stopped, writes go on. */
  readonly warn?: (message: string) => void
}

/** What opening the log found. */
export interface Recovery {
  readonly verdict: "new" | "clean" | "torn"
  /** Newest sequence after recovery. */
  readonly sequence: number
  /** Bytes cut from the tail, 0 when clean. */
  readonly tornBytes: number
  /** Where they were copied ("quarantine/…"), if any were. */
  readonly quarantine: string | undefined
  readonly segments: number
}

/** An open log: what `EventLog` offers, and what its owner has to do for it. */
export type OpenedLog = EventLog["Service"] & {
  /** Time passes: call about every 50 ms. Starts syncs, writes SYNC frames, retries after failures. */
  readonly tick: () => void
  /** Writes and syncs everything, seals, updates the manifest, gives the lock back. */
  readonly close: () => void
  /** Gives file handles and lock back without writing anything, as if the process had been killed. */
  readonly abandon: () => void
  readonly recovery: Recovery
  /** The checkpoints beside the log. */
  readonly checkpoints: CheckpointFiles
  /** Compression and retention of sealed segments. */
  readonly upkeep: Upkeep
  /** What replication does with the log. */
  readonly mirror: LogMirror
  /**
   * Called when an fsync has failed under `always`: the process has to end before any reply leaves. One listener.
   */
  readonly onFatal: (listener: (error: unknown) => void) => void
}

const smallestSegment = 4 << 10
const largestSegment = 2 ** 31
/** The footer of a segment of this size, a quarter of a megabyte, still takes less than the sync of its frames. */
const largestFooterAtOnce = 4 << 20
const baseName = (name: string): string => name.slice("log/".length)

/**
 * Opens the log of a data directory, creating it if there is none, and recovers it. Synchronous.
 * Throws `LogCorrupt` (exit 3), `LogFormatTooNew` (4), `LogLocked` (5), or `DiskError` when the disk fails otherwise.
 */
export const openLog = (disk: Disk, clock: LogClock, options: LogOptions): OpenedLog => {
  const unlock = takeLock(disk)
  try {
    return new SegmentedLog(disk, clock, options, unlock).service()
  } catch (error) {
    unlock()
    // A block that cannot be read, tried often enough, is lost like one whose checksum fails.
    if (error instanceof DiskError && error.operation === "read" && error.code === "EIO") {
      throw logCorrupt({
        reason: `the disk cannot read it (${error.message})`,
        segment: error.file,
        position: 0,
        lsn: 0,
        sequence: 1,
        bytesLost: 0
      })
    }
    throw error
  }
}

const takeLock = (disk: Disk): () => void => {
  try {
    return disk.lock("LOCK")
  } catch (error) {
    if (error instanceof DiskError && error.code === "ELOCKED") throw logLocked(error.detail)
    throw error
  }
}

/** Recovery, writer, reader and manifest put together. */
class SegmentedLog {
  private readonly disk: Disk
  private readonly unlock: () => void
  private readonly warn: (message: string) => void
  private readonly clock: LogClock
  private readonly options: LogOptions
  private readonly segmentBytes: number
  private recovered: Recovered
  private readonly sealed: Array<SealedSegment>
  private readonly segments: Segments
  private writer: LogWriter
  private readonly checkpoints: CheckpointFiles
  private readonly upkeep: Upkeep
  private readonly mirror: LogMirror
  private closed = false
  private manifestsWritten = 0
  /** A segment was begun or sealed since the manifest was written, and the steps of writing it anew. */
  private manifestDue = false
  private manifestWriting: Generator<void, boolean> | undefined = undefined

  constructor(disk: Disk, clock: LogClock, options: LogOptions, unlock: () => void) {
    this.disk = disk
    this.unlock = unlock
    this.warn = options.warn ?? (() => {})
    this.clock = clock
    this.options = options
    this.segmentBytes = Math.min(largestSegment, Math.max(smallestSegment, options.segmentBytes ?? 64 << 20))
    const state = readReplication(disk)
    if (state?.pending === undefined) removeIncoming(disk)
    else finishPending(disk, state.pending)
    this.recovered = this.recover(state)
    this.sealed = this.recovered.sealed
    this.segments = {
      sealed: () => this.sealed,
      active: () => this.writer.segment,
      oldest: () => this.start().firstSequence
    }
    this.writer = this.makeWriter(options.policy)
    this.checkpoints = new CheckpointFiles(
      disk,
      () => this.identity(),
      () => this.manifestSteps(),
      () => this.saveManifest(false),
      this.recovered.checkpoints,
      this.warn,
      () => ({ sequence: this.start().firstSequence, lsn: this.start().lsn }),
      options.checkpointSpacing ?? usualSpacing
    )
    this.upkeep = new Upkeep({
      disk,
      sealed: this.sealed,
      saveManifest: () => this.saveManifest(false),
      monotonic: () => clock.monotonic(),
      healthy: () => this.writer.unavailable === undefined,
      activeBytes: () => this.writer.segment.end,
      sequence: () => this.writer.sequence(),
      control: (body) => this.writer.control(body),
      durable: () => this.writer.durable,
      recorded: () => this.writer.following ? { drops: this.writer.drops, lsn: this.writer.segment.lsn } : undefined,
      sync: () => void this.writer.syncAll(false),
      warn: this.warn
    })
    this.mirror = new LogMirror({
      disk,
      writer: () => this.writer,
      segments: this.segments,
      checkpoints: () => this.checkpoints,
      reopen: (change) => this.reopen(change),
      randomId: () => options.randomId().slice(16, 36),
      now: () => clock.now(),
      saveManifest: () => this.saveManifest(false)
    }, state)
    this.mirror.reconcile(this.recovered.epochs)
    this.mirror.attach()
    this.upkeep.remove(this.recovered.leftovers, this.saveManifest(false))
    this.upkeep.settle()
    // A primary that ended in disorder may have lost what a replica has: whatever comes now is of another epoch.
    if (state !== undefined && state.following === undefined && !this.recovered.shutDown) {
      this.mirror.beginEpoch("the server was not shut down in order")
    }
  }

  private recover(state: ReplicationState | undefined): Recovered {
    return recoverLog(this.disk, {
      segmentBytes: this.segmentBytes,
      randomId: this.options.randomId,
      now: this.clock.now(),
      warn: this.warn,
      foreign: state?.following !== undefined,
      shared: state !== undefined,
      epoch: state?.epochs.at(-1)
    })
  }

  private makeWriter(policy: SyncPolicy): LogWriter {
    const { segmentBytes } = this
    const { chainInterval, footersLater = segmentBytes > largestFooterAtOnce, syncIdleMs = 200 } = this.options
    return new LogWriter(
      this.disk,
      this.clock,
      policy,
      { segmentBytes, syncIdleMs, chainInterval, footersLater },
      {
        rotated: (sealed) => this.sealed.push(sealed),
        resealed: (sealed) => this.sealed.splice(-1, 1, sealed),
        published: () => {
          this.manifestDue = true
        },
        warn: this.warn,
        epochAfter: (epoch) => this.mirror.epochAfter(epoch),
        moved: (header, lsn) => this.mirror.moved(header, lsn)
      },
      this.recovered.active
    )
  }

  /** Closes the log, has its files changed and opens it anew. What fails in between ends the process: a start goes on with it. */
  private reopen(change: () => void): ReadonlyArray<Epoch> {
    const before = this.writer
    before.finishFooter()
    before.release()
    try {
      change()
      this.recovered = this.recover(readReplication(this.disk))
      this.sealed.splice(0, this.sealed.length, ...this.recovered.sealed)
      this.writer = this.makeWriter(before.policy)
      this.writer.succeed(before)
    } catch (error) {
      before.die(error)
      throw error
    }
    this.checkpoints.renew(this.recovered.checkpoints)
    this.upkeep.renew(this.recovered.leftovers)
    this.manifestWriting = undefined
    this.saveManifest(false)
    return this.recovered.epochs
  }

  private identity(): StoreIdentity {
    const { epoch, header, replicationId } = this.writer.segment
    return { storeId: header.storeId, replicationId, epoch }
  }

  /** Header of the oldest segment. */
  private start(): SegmentHeader {
    return (this.sealed[0] ?? this.writer.segment).header
  }

  service(): OpenedLog {
    const { recovered } = this
    return {
      append: (time, db, origin, command, author, events, count, dbs) =>
        this.writer.append(time, db, origin, command, author, events, count, dbs),
      commit: (patient) => this.writer.commit(patient),
      sequence: () => this.writer.sequence(),
      lsn: () => this.writer.lsn(),
      released: () => this.writer.releasedLsn(),
      onReleased: (listener) => this.writer.onReleased(listener),
      observe: (observer) => {
        this.writer.observer = observer
      },
      onFatal: (listener) => this.writer.onFatal(listener),
      failure: () => this.writer.unavailable,
      read: (from) => ({ [Symbol.iterator]: () => new BatchIterator(this.disk, this.segments, from) }),
      status: () => this.status(),
      openSegment: (known) => this.writer.openSegment(known),
      setPolicy: (policy) => this.writer.setPolicy(policy),
      sync: (blocking) => this.writer.syncAll(blocking),
      checkpoints: this.checkpoints,
      mirror: this.mirror,
      tick: () => {
        this.writer.tick()
        this.tendManifest()
        this.upkeep.tick()
      },
      upkeep: this.upkeep,
      close: () => this.close(),
      abandon: () => this.abandon(),
      recovery: {
        verdict: recovered.verdict,
        sequence: this.writer.sequence(),
        tornBytes: recovered.tornBytes,
        quarantine: recovered.quarantine,
        segments: this.sealed.length + 1
      }
    }
  }

  private status(): LogStatus {
    const { writer } = this
    let bytes = writer.segment.end
    let originalBytes = bytes
    let compressedSegments = 0
    for (const segment of this.sealed) {
      bytes += segment.stored ?? segment.bytes
      originalBytes += segment.bytes
      if (segment.stored !== undefined) compressedSegments++
    }
    return {
      sequence: writer.sequence(),
      time: writer.lastTime,
      lsn: writer.lsn(),
      durableLsn: writer.durableLsn(),
      oldestSequence: this.start().firstSequence,
      segments: this.sealed.length + 1,
      bytes,
      originalBytes,
      compressedSegments,
      tornBytes: this.recovered.tornBytes,
      chainHead: hex(writer.segment.chain),
      lastWriteOk: writer.unavailable === undefined,
      fsyncs: writer.fsyncs,
      fsyncPending: writer.syncPending(),
      delayedFsyncs: writer.delayedFsyncs
    }
  }

  /** The old manifest stays when this fails (false): it is true, only less up to date. */
  private saveManifest(clean: boolean): boolean {
    try {
      writeManifest(this.disk, this.manifest(clean))
      this.manifestsWritten++
      return true
    } catch (error) {
      return this.notSaved(error)
    }
  }

  /** What the end of a segment changed goes into the manifest a step at a time: that turn has waited long enough. */
  private tendManifest(): void {
    if (this.manifestDue && this.manifestWriting === undefined && this.writer.published) {
      this.manifestDue = false
      this.manifestWriting = this.manifestSteps()
    }
    if (this.manifestWriting?.next().done === true) this.manifestWriting = undefined
  }

  /** The same in steps. True also when another one was written in between: it knew what this one would have said. */
  private *manifestSteps(): Generator<void, boolean> {
    const before = this.manifestsWritten
    try {
      yield* manifestSteps(this.disk, this.manifest(false), () => this.manifestsWritten === before)
      this.manifestsWritten++
      return true
    } catch (error) {
      return this.notSaved(error)
    }
  }

  private notSaved(error: unknown): false {
    if (!(error instanceof DiskError)) throw error
    this.warn(`the manifest could not be written, the one before stays: ${error.message}`)
    return false
  }

  private manifest(clean: boolean): Manifest {
    const { segment, durable } = this.writer
    const { header } = segment
    const start = this.start()
    return {
      storeId: hex(header.storeId),
      replicationId: hex(segment.replicationId),
      epoch: segment.epoch,
      durableLsn: durable,
      durableSequence: durable === segment.lsn ? segment.lastSequence : header.firstSequence - 1,
      oldest: start.firstSequence,
      start: start.firstSequence === 1 ? undefined : { chain: hex(start.chain), lsn: start.lsn },
      clean,
      sealed: this.sealed.map(({ name, header, summary, end }) => ({
        name: baseName(name),
        first: header.firstSequence,
        last: summary.lastSequence,
        lsn: header.lsn,
        end: header.lsn + end - segmentHeaderSize,
        chain: hex(summary.chain)
      })),
      checkpoints: this.checkpoints.list().map((info) => ({ name: checkpointName(info.sequence), ...info })),
      active: { name: baseName(segmentName(header.firstSequence)), first: header.firstSequence, lsn: header.lsn }
    }
  }

  private close(): void {
    if (this.closed) return
    this.closed = true
    this.upkeep.close()
    try {
      if (this.writer.close()) this.saveManifest(true)
    } finally {
      this.unlock()
    }
  }

  private abandon(): void {
    if (this.closed) return
    this.closed = true
    this.upkeep.close()
    this.writer.release()
    this.unlock()
  }
}
