/**
 * The log a salvage writes: the readable frames as they were, in segments that begin where those of the damaged log
 * did, with their SEALs, footers and chain made anew. Every frame says that all before it is durable, for the new
 * directory is complete only once everything in it is synced: damage to it later is never taken for a torn tail.
 */
import { ActiveSegment, createSegment, publishSegment } from "../log/active-segment.ts"
import { type Disk, DiskError, type DiskFile } from "../log/disk.ts"
import { type Author } from "../log/event-log.ts"
import { buildFrame, frameFlag, FrameHeader, frameType, writeFrameHeader } from "../log/frame.ts"
import { type Gap, gapFrame } from "../log/gaps.ts"
import type { Manifest } from "../log/manifest.ts"
import { sealCut } from "../log/repair.ts"
import { type SealedSegment, writeSeal } from "../log/rotation.ts"
import { scanSegment } from "../log/scan.ts"
import { hex, type SegmentHeader, segmentHeaderSize, segmentName } from "../log/segment.ts"
import { sessionsBody } from "../log/session-record.ts"
import type { Source } from "./salvage-sources.ts"

/** A write is split where the operating system would. */
const largestWrite = 1 << 30

/** What every segment of the new log has in common. */
export interface TargetFacts {
  readonly storeId: Uint8Array
  readonly replicationId: Uint8Array
  /** Lsn of the first frame. */
  readonly lsn: number
  /** Unix ms, for what the damaged log does not tell. */
  readonly now: number
}

/** Writes one segment after the other. Every member throws `DiskError` when the disk fails. */
export class SalvageTarget {
  private readonly disk: Disk
  private readonly facts: TargetFacts
  private readonly sealed: Array<SealedSegment> = []
  private header: SegmentHeader | undefined = undefined
  private file: DiskFile | undefined = undefined
  private end = segmentHeaderSize
  private source: Source | undefined = undefined
  /** After what is written. */
  private nextSequence = 0

  constructor(disk: Disk, facts: TargetFacts) {
    this.disk = disk
    this.facts = facts
    disk.makeFolder("log")
  }

  /** Segments written. */
  get segments(): number {
    return this.sealed.length + (this.header === undefined ? 0 : 1)
  }

  /**
   * Copies the frame in `bytes[0, header.length)` of `source`, its header rewritten in place, behind records of the
   * sessions in `missing`.
   */
  frame(
    source: Source,
    bytes: Uint8Array,
    header: FrameHeader,
    sequences: number,
    missing: ReadonlyMap<number, Author>
  ): void {
    const begun = this.header !== undefined && this.nextSequence > this.header.firstSequence
    if (this.header === undefined || (this.source !== source && begun)) {
      if (this.header !== undefined) this.seal()
      this.begin(header.sequence, source.header?.epoch ?? header.epoch, source.header?.created)
    }
    this.source = source
    if (missing.size > 0) {
      const sessions = new FrameHeader()
      sessions.type = frameType.batches
      sessions.sequence = header.sequence
      sessions.time = header.time
      sessions.epoch = header.epoch
      this.write(buildFrame(sessions, sessionsBody(new Map(missing))))
    }
    header.lag = 0
    writeFrameHeader(bytes, header)
    this.write(bytes.subarray(0, header.length))
    this.nextSequence = header.sequence + sequences
  }

  /** Writes a GAP behind what is there. */
  gap(gap: Gap): void {
    if (this.header === undefined) this.begin(gap.first, 1, undefined)
    this.write(gapFrame(gap, gap.timeBefore ?? gap.timeAfter ?? this.facts.now, this.header!.epoch))
    this.nextSequence = gap.last + 1
  }

  /** Completes the log, all of it synced, and returns its manifest. `nextSequence` is where an empty log goes on. */
  finish(nextSequence: number): Manifest {
    const { disk } = this
    if (this.header === undefined) this.begin(nextSequence, 1, undefined)
    const header = this.header!
    const file = this.file!
    const scan = scanSegment(file, header, this.end, this.end)
    const active = new ActiveSegment(file, header, this.end, scan)
    if (active.end !== this.end) throw new DiskError("EIO", "read", active.name, "what was written cannot be read back")
    if (active.end > segmentHeaderSize) writeSeal(active, active.lsn, frameFlag.cleanShutdown)
    file.sync()
    file.close()
    this.file = undefined
    disk.syncFolder("log")
    disk.syncFolder("")
    const base = (name: string): string => name.slice("log/".length)
    return {
      storeId: hex(header.storeId),
      replicationId: hex(header.replicationId),
      epoch: header.epoch,
      durableLsn: active.lsn,
      durableSequence: active.lastSequence,
      oldest: this.sealed[0]?.header.firstSequence ?? header.firstSequence,
      start: undefined,
      clean: true,
      sealed: this.sealed.map(({ end, header: { firstSequence: first, lsn }, name, summary }) => ({
        name: base(name),
        first,
        last: summary.lastSequence,
        lsn,
        end: lsn + end - segmentHeaderSize,
        chain: hex(summary.chain)
      })),
      checkpoints: [],
      active: { name: base(active.name), first: header.firstSequence, lsn: header.lsn }
    }
  }

  /** Gives the open file back. */
  close(): void {
    this.file?.close()
    this.file = undefined
  }

  private begin(firstSequence: number, epoch: number, created: number | undefined): void {
    const before = this.sealed.at(-1)
    const header: SegmentHeader = {
      storeId: this.facts.storeId,
      replicationId: this.facts.replicationId,
      epoch,
      firstSequence,
      lsn: before === undefined ? this.facts.lsn : before.header.lsn + before.end - segmentHeaderSize,
      created: created ?? this.facts.now,
      chain: before?.summary.chain ?? new Uint8Array(32),
      afterCut: false
    }
    this.header = header
    this.file = publishSegment(this.disk, header, createSegment(this.disk, header))
    this.end = segmentHeaderSize
    this.nextSequence = firstSequence
  }

  /** Completes the open segment; it is read back and checked on the way. */
  private seal(): void {
    const header = this.header!
    this.close()
    const summary = {
      chain: header.chain,
      sha256: header.chain,
      firstSequence: header.firstSequence,
      lastSequence: this.nextSequence - 1,
      firstTime: 0,
      lastTime: 0,
      gaps: false
    }
    const cut = { name: segmentName(header.firstSequence), header, end: this.end, bytes: this.end, summary }
    this.sealed.push(sealCut(this.disk, cut, this.end))
  }

  private write(bytes: Uint8Array): void {
    for (let done = 0; done < bytes.length;) {
      const part = Math.min(bytes.length - done, largestWrite)
      const written = this.file!.write(bytes, done, part, this.end + done)
      if (written < part) {
        const name = segmentName(this.header!.firstSequence)
        throw new DiskError("ENOSPC", "write", name, `${written} of ${part} bytes`)
      }
      done += part
    }
    this.end += bytes.length
  }
}
