/**
 * The log as replication sees it: whose it is, up to where it is the same as another's, how a replica takes frames, and
 * how it gives up what its primary does not have. Synchronous and without a network; `src/replication` joins both ends.
 */
import * as Context from "effect/Context"
import { crc32 } from "node:zlib"
import type { ActiveSegment } from "./active-segment.ts"
import type { CheckpointFiles, CheckpointInfo } from "./checkpoint-store.ts"
import { openSegment } from "./compressed-file.ts"
import { type Disk, DiskError } from "./disk.ts"
import type { AppendedBatch } from "./following-writer.ts"
import { FrameSource } from "./frame-source.ts"
import type { FrameHeader } from "./frame.ts"
import { CheckpointBytes, IncomingLog } from "./incoming-log.ts"
import {
  commonEnd,
  type Epoch,
  epochBody,
  epochsBefore,
  firstEpoch,
  type Pending,
  type ReplicationState,
  writeReplication
} from "./lineage.ts"
import type { Segments } from "./reader.ts"
import { type SealedSegment, sealSize } from "./rotation.ts"
import { encodeSegmentHeader, hex, type SegmentHeader } from "./segment.ts"
import { fitsCut, incomingFolder, removeIncoming, replaceFiles, rewindFiles } from "./surgery.ts"
import type { LogWriter } from "./writer.ts"

/** What the mirror needs of the log it belongs to. */
export interface MirrorHost {
  readonly disk: Disk
  readonly writer: () => LogWriter
  readonly segments: Segments
  readonly checkpoints: () => CheckpointFiles
  /** Closes the log, has its files changed, recovers it; returns the epochs that begin in its newest segment. */
  readonly reopen: (change: () => void) => ReadonlyArray<Epoch>
  /** 20 random bytes. */
  readonly randomId: () => Uint8Array
  /** Unix ms, for names of folders. */
  readonly now: () => number
  /** Has the manifest vouch for what is durable; false when it could not be written. */
  readonly saveManifest: () => boolean
}

/** Where a log stands, as its owner tells another server. */
export interface LogPosition {
  readonly storeId: string
  readonly epochs: ReadonlyArray<Epoch>
  readonly lsn: number
  readonly sequence: number
  /** Lsn of the first frame of the newest segment, and the checksum of that segment's header. */
  readonly segmentLsn: number
  readonly segmentSum: number
}

/** What was cut off or replaced. */
export interface SetAside {
  readonly batches: number
  readonly bytes: number
  readonly folder: string
}

/** Hears of everything that is added to the log, right after it was written. */
export interface LogTap {
  /** A frame was written; `lsn` is the position behind it. The bytes are the log's, and valid until this returns. */
  readonly frame: (bytes: Uint8Array, length: number, lsn: number) => void
  /** A segment begins. */
  readonly segment: (header: Uint8Array) => void
  /** What was written before is not there any more, or elsewhere: readers have to begin anew. */
  readonly broken: () => void
}

/** Of a segment, given away at a time. */
const pieceBytes = 1 << 20

/** The epoch of a segment whose frames were moved behind a cut: it began with the SEAL that was not there yet. */
const epochOfMoved = ({ epoch, lsn, replicationId }: SegmentHeader): Epoch => ({
  number: epoch,
  replicationId: hex(replicationId),
  lsn: lsn - sealSize
})

/** See the head of this file. */
export class LogMirror {
  /** Oldest first; never empty. */
  epochs: ReadonlyArray<Epoch>
  /** Whom this server follows, as REPLICAOF was told; undefined for a primary. */
  following: string | undefined
  /** Whether the store ever had to do with replication. */
  private known: boolean
  private readonly host: MirrorHost
  private tap: LogTap | undefined = undefined

  constructor(host: MirrorHost, state: ReplicationState | undefined) {
    this.host = host
    this.known = state !== undefined
    this.following = state?.following
    const { segment } = host.writer()
    // A power cut may have taken the record of an epoch that was taken in from a primary and not synced yet.
    this.epochs = state === undefined
      ? [firstEpoch(host.segments.sealed()[0]?.header ?? segment.header)]
      : epochsBefore(state.epochs, segment.lsn)
  }

  /** Takes in epochs found in the log that REPLICATION does not name yet: the process ended in between. */
  reconcile(found: ReadonlyArray<Epoch>): void {
    const { active, sealed } = this.host.segments
    const moved = [...sealed(), active()].flatMap(({ header }) => header.afterCut ? [epochOfMoved(header)] : [])
    const newer: Array<Epoch> = []
    for (const epoch of [...moved, ...found].sort((a, b) => a.number - b.number)) {
      if (epoch.number > (newer.at(-1) ?? this.epochs.at(-1)!).number) newer.push(epoch)
    }
    if (newer.length === 0) return
    this.epochs = [...this.epochs, ...newer]
    this.known = true
    this.save()
  }

  get position(): LogPosition {
    const writer = this.host.writer()
    const { header } = writer.segment
    return {
      storeId: hex(header.storeId),
      epochs: this.epochs,
      lsn: writer.segment.lsn,
      sequence: writer.sequence(),
      segmentLsn: header.lsn,
      segmentSum: crc32(encodeSegmentHeader(header))
    }
  }

  /** Whether replicas can have seen this log. */
  get shared(): boolean {
    return this.known
  }

  /** Lsn below which everything is synced. */
  get durable(): number {
    return this.host.writer().durableLsn()
  }

  /** Position behind everything appended, what the disk has not taken yet included. */
  get end(): number {
    return this.host.writer().lsn()
  }

  /** Whether the file has all that was appended: a full disk, or one that is slow to sync, lets a frame wait. */
  get allWritten(): boolean {
    return this.host.writer().allWritten
  }

  /** Begins to sync what is written, whatever the policy. */
  sync(): void {
    this.host.writer().syncAll(false)
  }

  /** Sets who hears of what is written; undefined for nobody. One listener. */
  listen(tap: LogTap | undefined): void {
    this.tap = tap
    this.attach()
  }

  /** To be called when the log was opened anew. */
  attach(): void {
    const { tap } = this
    const writer = this.host.writer()
    writer.following = this.following !== undefined
    writer.segment.tap = tap?.frame
    writer.begun = tap === undefined ? undefined : (header) => tap.segment(encodeSegmentHeader(header))
  }

  // ——— the primary's side

  /** Reads the log as bytes from a place another server named; undefined when there is no such place. */
  source(lsn: number, segmentLsn: number | undefined): FrameSource | undefined {
    const { disk, segments } = this.host
    return FrameSource.at(disk, segments, lsn, segmentLsn)
  }

  /** Lsn of the first frame there is. */
  get oldestLsn(): number {
    const { active, sealed } = this.host.segments
    return (sealed()[0] ?? active()).header.lsn
  }

  /** The segment that begins at a position, with the checksum of its header. */
  segmentAt(lsn: number): { readonly lsn: number; readonly sum: number } | undefined {
    const { active, sealed } = this.host.segments
    const segment = [...sealed(), active()].find(({ header }) => header.lsn === lsn)
    return segment === undefined ? undefined : { lsn, sum: crc32(encodeSegmentHeader(segment.header)) }
  }

  /**
   * A piece of the segment that begins with a sequence, its header and frames as they stood on disk, from a place in it;
   * nothing behind its end. Undefined when no segment begins there. Throws `DiskError`.
   */
  segmentBytes(first: number, position: number): Uint8Array | undefined {
    const { active, sealed } = this.host.segments
    const segment = [...sealed(), active()].find(({ header }) => header.firstSequence === first)
    if (segment === undefined) return undefined
    const piece = new Uint8Array(Math.min(pieceBytes, Math.max(0, segment.end - position)))
    const file = openSegment(this.host.disk, segment.name)
    try {
      return piece.subarray(0, piece.length === 0 ? 0 : file.read(piece, 0, piece.length, position))
    } finally {
      file.close()
    }
  }

  /** Where the segment that holds the byte before `lsn` begins, and the checksum of its header. */
  segmentAround(lsn: number): { readonly lsn: number; readonly sum: number } {
    const { header } = this.around(lsn)
    return { lsn: header.lsn, sum: crc32(encodeSegmentHeader(header)) }
  }

  private around(lsn: number): SealedSegment | ActiveSegment {
    const { active, sealed } = this.host.segments
    const all = [...sealed(), active()]
    return all.findLast(({ header }) => header.lsn < lsn) ?? all[0]!
  }

  /** Up to where this log and one with these epochs and this end are the same; undefined when nowhere. */
  commonWith(epochs: ReadonlyArray<Epoch>, end: number): number | undefined {
    return commonEnd(this.epochs, this.host.writer().segment.lsn, epochs, end)
  }

  /**
   * Begins an epoch, durably: nobody may hear of it before its record is safe. Throws `DiskError` when that cannot be
   * done; then the log is in its old epoch.
   */
  beginEpoch(why: string): Epoch {
    const writer = this.host.writer()
    writer.commit()
    const { segment } = writer
    const { epoch: before, lsn, replicationId } = segment
    const id = this.host.randomId()
    segment.epoch = before + 1
    segment.replicationId = id
    if (writer.control(epochBody(before + 1, id, why)) === undefined || !writer.syncAll(true)) {
      if (segment.lsn === lsn) {
        segment.epoch = before
        segment.replicationId = replicationId
      }
      throw new DiskError("EIO", "begin an epoch", "log", "the log takes nothing at the moment")
    }
    const epoch = { number: before + 1, replicationId: hex(id), lsn }
    this.epochs = [...this.epochs, epoch]
    this.known = true
    this.save()
    return epoch
  }

  /** Frames that replicas may have seen stand at other positions from here on. */
  moved(header: SegmentHeader, lsn: number): void {
    if (this.known) {
      this.epochs = [...this.epochs, { number: header.epoch, replicationId: hex(header.replicationId), lsn }]
      this.save()
    }
    this.tap?.broken()
    this.attach()
  }

  /** The epoch that frames get which have to move; undefined where nobody has seen them. */
  epochAfter(epoch: number): { readonly number: number; readonly replicationId: Uint8Array } | undefined {
    return this.known ? { number: epoch + 1, replicationId: this.host.randomId() } : undefined
  }

  /** The newest checkpoint. */
  get newestCheckpoint(): CheckpointInfo | undefined {
    return this.host.checkpoints().list().at(-1)
  }

  /** Opens a checkpoint for sending its bytes. Throws `DiskError`. */
  openCheckpoint(info: CheckpointInfo): CheckpointBytes {
    return new CheckpointBytes(this.host.disk, info)
  }

  // ——— the replica's side

  /** From now on the log follows another server's. Throws `DiskError`. */
  follow(source: string): void {
    const writer = this.host.writer()
    if (!writer.syncAll(true)) throw new DiskError("EIO", "sync", "log", "the log takes nothing at the moment")
    // What is durable now must not be taken for a torn tail later.
    if (!this.host.saveManifest()) {
      throw new DiskError("EIO", "write", "MANIFEST", "the disk takes nothing at the moment")
    }
    const before = this.following
    this.following = source
    this.known = true
    try {
      this.save()
    } catch (error) {
      this.following = before
      throw error
    }
    writer.following = true
  }

  /** The log is this server's own from now on, in a new epoch. Throws `DiskError`; then it follows as before. */
  lead(why: string): Epoch {
    const writer = this.host.writer()
    const source = this.following
    writer.following = false
    this.following = undefined
    try {
      return this.beginEpoch(why)
    } catch (error) {
      writer.following = source !== undefined
      this.following = source
      throw error
    }
  }

  /** See `FollowingWriter.appendFrame`. */
  appendFrame(bytes: Uint8Array, at: number, header: FrameHeader): ReadonlyArray<AppendedBatch> {
    const writer = this.host.writer()
    const { epoch, lsn } = writer.segment
    const batches = writer.appendFrame(bytes, at, header)
    const { segment } = writer
    if (segment.epoch !== epoch) {
      this.epochs = [...this.epochs, { number: segment.epoch, replicationId: hex(segment.replicationId), lsn }]
      this.save()
    }
    return batches
  }

  /**
   * Appends of a frame's batches those up to a sequence, in an epoch of this server's own: the frame as a whole would go
   * further. Following on later begins with giving them up for the frame.
   */
  appendPart(bytes: Uint8Array, at: number, header: FrameHeader, until: number): ReadonlyArray<AppendedBatch> {
    const writer = this.host.writer()
    const batches = writer.decode(bytes, at, header).slice(0, until - header.sequence + 1)
    writer.following = false
    try {
      this.beginEpoch(`pinned at sequence ${until}`)
      for (const { author, command, db, dbs, events, origin, time } of batches) {
        writer.append(time, db, origin, command, author, events, events.length, dbs)
      }
      writer.commit()
    } finally {
      writer.following = true
    }
    return batches
  }

  /** See `FollowingWriter.beginSegment`. */
  beginSegment(bytes: Uint8Array): void {
    const writer = this.host.writer()
    const { epoch } = writer.segment
    writer.beginSegment(bytes)
    const { header } = writer.segment
    if (header.epoch === epoch) return
    this.epochs = [
      ...this.epochs,
      header.afterCut
        ? epochOfMoved(header)
        : { number: header.epoch, replicationId: hex(header.replicationId), lsn: header.lsn }
    ]
    this.save()
  }

  /**
   * Whether the log can go back to a position: a frame begins there, and the data of it can still be had here, from the
   * log's beginning or from a checkpoint before it. Throws `DiskError`.
   */
  reaches(lsn: number): boolean {
    const { checkpoints, disk } = this.host
    const known = this.oldestLsn === 0 ||
      (lsn >= this.oldestLsn && checkpoints().list().some((info) => info.lsn <= lsn))
    return known && fitsCut(disk, this.around(lsn), lsn)
  }

  /** Cuts the log at a position; what stood behind it goes to quarantine/. Memory is ahead of the log afterwards. */
  rewind(lsn: number): SetAside {
    const before = this.position
    const to = this.folder("rewind")
    this.carryOut({ kind: "rewind", lsn, to }, epochsBefore(this.epochs, lsn))
    const { lsn: end, sequence } = this.position
    return { batches: before.sequence - sequence, bytes: before.lsn - end, folder: to }
  }

  /** Begins to receive a log that will take the place of this one. */
  receive(): IncomingLog {
    const { disk } = this.host
    disk.makeFolder(incomingFolder)
    disk.syncFolder("")
    removeIncoming(disk)
    return new IncomingLog(disk)
  }

  /** Puts a received log with these epochs in the place of this one, which goes to quarantine/. */
  replace(incoming: IncomingLog, epochs: ReadonlyArray<Epoch>): SetAside {
    const { lsn, sequence } = this.position
    incoming.finish()
    const to = this.folder("replaced")
    this.carryOut({ kind: "replace", to, checkpoint: incoming.checkpoint }, epochs)
    return { batches: sequence, bytes: lsn, folder: to }
  }

  /** A folder that nothing was put into yet. */
  private folder(what: string): string {
    const { disk, now } = this.host
    const name = `quarantine/${what}-${now()}`
    for (let n = 1;; n++) {
      const numbered = n === 1 ? name : `${name}-${n}`
      if (!disk.exists(numbered)) return numbered
    }
  }

  private carryOut(pending: Pending, epochs: ReadonlyArray<Epoch>): void {
    this.tap?.broken()
    this.host.writer().syncAll(true) // no reply may go on waiting for a position that is about to go
    writeReplication(this.host.disk, { epochs, following: this.following, pending })
    const found = this.host.reopen(() => finishPending(this.host.disk, pending))
    // Those that begin further on will come with the frames.
    const { header } = this.host.writer().segment
    this.epochs = epochs.filter(({ number }, index) => index === 0 || number <= header.epoch)
    try {
      this.save()
      this.reconcile(found)
    } catch (error) {
      // REPLICATION says that it is still to be done, and memory is not the log's any more: a start puts both right.
      this.host.writer().die(error)
      throw error
    }
    this.attach()
  }

  private save(): void {
    const { epochs, following } = this
    writeReplication(this.host.disk, { epochs, following, pending: undefined })
  }
}

/** Does, or does to its end, what REPLICATION says is to be done before the log is opened. */
export const finishPending = (disk: Disk, pending: Pending): void => {
  if (pending.kind === "rewind") rewindFiles(disk, pending.lsn, pending.to)
  else replaceFiles(disk, pending.to, pending.checkpoint)
}

/** The open log's part in replication, as a service. */
export class LogReplication extends Context.Service<LogReplication, LogMirror>()("annals/log/LogReplication") {}
