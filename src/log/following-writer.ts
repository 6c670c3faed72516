/**
 * Frames that come from another server: checked, decoded and appended as they are, and segments begun where that server
 * began them. While a log follows another it writes no frame of its own, for then its positions would be others.
 */
import { type DroppedSegment, readDrop } from "./drop-record.ts"
import type { Batch } from "./event-log.ts"
import { isDecodeError } from "./frame-cursor.ts"
import { FrameDecoder } from "./frame-decoder.ts"
import { type FrameHeader, frameHeaderSize, frameType, sequencesOf } from "./frame.ts"
import { readEpoch } from "./lineage.ts"
import { RotationPutOff, sealSize, SyncFailed, syncOrFail } from "./rotation.ts"
import { SegmentWriter } from "./segment-writer.ts"
import { decodeSegmentHeader, sameBytes } from "./segment.ts"

/** What another server sent does not continue this log: it was damaged on its way, or the two have different histories. */
export class FrameRefused extends Error {
  override readonly name = "FrameRefused"
}

/** A batch of a frame that was appended; its events point into the frame. */
export type AppendedBatch = Pick<Batch, "time" | "db" | "dbs" | "events" | "origin" | "command" | "author">

/** See the head of this file. */
export abstract class FollowingWriter extends SegmentWriter {
  /** Frames come from another server only. */
  following = false
  /** What that server has dropped since this one began to follow. */
  readonly drops: Array<DroppedSegment> = []
  private decoder = new FrameDecoder(new Map(), true)

  /** The disk has lost what was written: the process has to end. */
  abstract die(error: unknown): void

  /** Blocking fsync of everything written. Throws `SyncFailed`. */
  protected syncWhole(): void {
    const { disk, segment, syncing } = this
    if (syncing !== undefined) {
      // The sync under way may take the error of this one: a second handle has its own view of what went wrong.
      const second = disk.open(segment.name, "write")
      try {
        syncOrFail(second)
      } finally {
        second.close()
      }
    }
    syncOrFail(segment.file)
  }

  /**
   * Appends the frame at `at`, whose checksums were found right, and returns its batches, good until the bytes change.
   * Throws `FrameRefused` when it does not continue the log or makes no sense, `DiskError` when it cannot be written; in
   * both cases the log is as before.
   */
  appendFrame(bytes: Uint8Array, at: number, header: FrameHeader): ReadonlyArray<AppendedBatch> {
    const { segment } = this
    if (header.sequence !== this.nextSequence) {
      throw new FrameRefused(`a frame of sequence ${header.sequence} where ${this.nextSequence} should follow`)
    }
    const batches: Array<AppendedBatch> = []
    const count = this.take(bytes, at, header, batches)
    const seal = header.type === frameType.seal ? this.sealIn(bytes, at, header) : undefined
    const epoch = header.type === frameType.control ? readEpoch(bytes, at, header) : undefined
    if (header.epoch !== (epoch?.number ?? segment.epoch)) {
      throw new FrameRefused(`a frame of epoch ${header.epoch} in epoch ${segment.epoch}`)
    }
    const drop = header.type === frameType.control ? readDrop(bytes, at, header) : undefined
    const position = segment.end
    const began = this.clock.monotonic()
    try {
      segment.write(bytes.subarray(at, at + header.length), header.length)
    } catch (error) {
      this.tally.forget()
      throw error
    }
    if (epoch !== undefined) {
      segment.epoch = epoch.number
      segment.replicationId = epoch.replicationId
    }
    this.wrote()
    this.observer?.wrote(this.lastWrite - began, header.length)
    this.dataEnd = segment.lsn
    if (header.type === frameType.gap) segment.index.gaps = true
    if (header.type === frameType.batches && count > 0) {
      if (segment.firstTime === 0) segment.firstTime = header.time
      segment.index.frame(header.time, header.sequence, position)
      this.lastTime = segment.lastTime = Math.max(this.lastTime, batches.at(-1)!.time)
    }
    if (header.type === frameType.batches) {
      for (const ref of this.decoder.definedRefs) segment.index.defines(ref, position)
      this.tally.settle(segment.index)
    }
    if (drop !== undefined) this.drops.push(drop)
    this.nextSequence += count
    segment.lastSequence = this.nextSequence - 1
    if (seal === undefined) return batches
    segment.sha256 = seal.sha256
    segment.chain = seal.chain
    segment.sealedTo = segment.end
    return batches
  }

  /** The batches of a frame that is not appended. Throws `FrameRefused`. */
  decode(bytes: Uint8Array, at: number, header: FrameHeader): ReadonlyArray<AppendedBatch> {
    const batches: Array<AppendedBatch> = []
    this.take(bytes, at, header, batches)
    this.tally.forget()
    return batches
  }

  /** Decodes what the frame holds; returns how many sequences it takes up. */
  private take(bytes: Uint8Array, at: number, header: FrameHeader, batches: Array<AppendedBatch>): number {
    const { decoder, tally } = this
    try {
      const count = sequencesOf(header, bytes, at)
      if (header.type !== frameType.batches) return count
      decoder.open(bytes, at, header)
      while (decoder.next()) {
        const { author, command, db, dbs, events, origin, time } = decoder.batch
        for (const event of events) tally.add(event)
        batches.push({ time, db, dbs: dbs?.slice(), events: events.slice(), origin, command, author })
      }
      return count
    } catch (error) {
      tally.forget()
      if (!isDecodeError(error)) throw error
      throw new FrameRefused(`a frame that does not decode: ${(error as Error).message}`)
    }
  }

  private sealIn(bytes: Uint8Array, at: number, header: FrameHeader) {
    const seal = this.segment.sealing()
    const body = at + frameHeaderSize
    const same = header.length === sealSize && sameBytes(seal.sha256, bytes.subarray(body, body + 32))
      && sameBytes(seal.chain, bytes.subarray(body + 32, body + 64))
    if (!same) throw new FrameRefused("a SEAL that was made for other bytes than this segment's")
    return seal
  }

  /**
   * Begins the segment that begins here on the other server, its header being given. Throws `FrameRefused` when it does
   * not fit, `DiskError` when it cannot be had; then the log is as before.
   */
  beginSegment(bytes: Uint8Array): void {
    const { segment } = this
    const reading = decodeSegmentHeader(bytes)
    if (reading.kind !== "header") throw new FrameRefused("a segment header that makes no sense")
    const { header } = reading
    const fits = header.firstSequence === this.nextSequence && header.lsn === segment.lsn
      && sameBytes(header.storeId, segment.header.storeId) && sameBytes(header.chain, segment.chain)
      && segment.sealedTo === segment.end && segment.hasBatches
    if (!fits) {
      throw new FrameRefused(
        `a segment of sequence ${header.firstSequence}, lsn ${header.lsn}, that does not continue sequence `
          + `${this.nextSequence - 1}, lsn ${segment.lsn}`
      )
    }
    try {
      if (this.syncing !== undefined) this.syncWhole()
      this.rotateNow(0, header)
    } catch (error) {
      if (error instanceof SyncFailed) this.die(error.cause)
      throw error instanceof RotationPutOff || error instanceof SyncFailed ? error.cause : error
    }
    this.decoder = new FrameDecoder(new Map(), true)
  }
}

/** Calls back for each run of events of one database in a batch. */
export const eachRun = (
  batch: AppendedBatch,
  visit: (db: number, events: AppendedBatch["events"], count: number) => void
): void => {
  const { dbs, events } = batch
  if (dbs === undefined) {
    visit(batch.db, events, events.length)
    return
  }
  for (let from = 0; from < events.length;) {
    let to = from + 1
    while (to < events.length && dbs[to] === dbs[from]) to++
    visit(dbs[from]!, events.slice(from, to), to - from)
    from = to
  }
}
