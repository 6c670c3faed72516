/**
 * A full sync as the replica receives it: the bytes of a checkpoint, the header of the segment around it, and frames of
 * that segment up to the checkpoint's position. Until then everything waits beside the log, which stays as it is.
 */
import { CheckpointUnusable } from "../log/checkpoint-file.ts"
import { DiskError } from "../log/disk.ts"
import type { FrameHeader } from "../log/frame.ts"
import { sequencesOf } from "../log/frame.ts"
import type { IncomingLog } from "../log/incoming-log.ts"
import { decodeSegmentHeader, hex } from "../log/segment.ts"
import { type FollowAnswer, StreamDamaged } from "./protocol.ts"

/** Of a received checkpoint, checked in one turn. */
const framesPerSlice = 8

/** The answer that begins it. */
export type FullAnswer = FollowAnswer & { readonly kind: "full" }

/** See the head of this file. */
export class FullSync {
  readonly answer: FullAnswer
  readonly incoming: IncomingLog
  /** Bytes of the checkpoint so far. */
  read = 0
  /** Position of the received segment's end, and the sequence that comes next in it. */
  private lsn = -1
  private sequence = 0

  constructor(answer: FullAnswer, incoming: IncomingLog) {
    this.answer = answer
    this.incoming = incoming
    if (answer.bytes > 0) incoming.begin(answer.sequence)
  }

  checkpoint(bytes: Uint8Array, start: number, length: number): void {
    this.incoming.write(bytes, start, length)
    this.read += length
  }

  /**
   * All of the checkpoint was there: reads it back, some of it per turn, as long as it is `wanted`. `done` hears in the
   * end what is wrong with it, if anything. Throws `DiskError`.
   */
  check(later: (run: () => void) => void, wanted: () => boolean, done: (wrong: string | undefined) => void): void {
    this.incoming.finish()
    const check = this.incoming.check(this.answer.sequence)
    const step = (): void => {
      if (!wanted()) {
        check.return()
        done(undefined)
        return
      }
      let over = false
      try {
        for (let i = 0; i < framesPerSlice && !over; i++) over = check.next().done === true
      } catch (error) {
        if (!(error instanceof CheckpointUnusable || error instanceof DiskError)) throw error
        done(error.message)
        return
      }
      if (over) done(undefined)
      else later(step)
    }
    later(step)
  }

  /** The segment's header; true when nothing more is needed. Throws `StreamDamaged`, `DiskError`. */
  segment(bytes: Uint8Array): boolean {
    const reading = decodeSegmentHeader(bytes)
    if (reading.kind !== "header" || hex(reading.header.storeId) !== this.answer.storeId) {
      throw new StreamDamaged("a segment header that makes no sense")
    }
    if (this.lsn >= 0) throw new StreamDamaged("a second segment before the checkpoint's position")
    this.incoming.begin(undefined)
    this.incoming.write(bytes, 0, bytes.length)
    this.lsn = reading.header.lsn
    this.sequence = reading.header.firstSequence
    return this.lsn >= this.answer.lsn
  }

  /** A frame of it, whose checksums fit; true when nothing more is needed. Throws `StreamDamaged`, `DiskError`. */
  frame(bytes: Uint8Array, at: number, header: FrameHeader): boolean {
    if (this.lsn < 0 || header.sequence !== this.sequence) throw new StreamDamaged("a frame that is not expected")
    this.incoming.write(bytes, at, header.length)
    this.lsn += header.length
    this.sequence += sequencesOf(header, bytes, at)
    return this.lsn >= this.answer.lsn
  }

  /** Gives up. */
  discard(): void {
    this.incoming.discard()
  }
}
