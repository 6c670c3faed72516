/**
 * What a full sync brings, before it takes the place of the log: a checkpoint, and the segment around its position up to
 * there; or, where the primary's log is short, only that log. The checkpoint is checked as it comes and, where there is
 * no data here yet, loaded as well: when its last byte is here, little is left to do.
 */
import { checkpointHeaderSize, CheckpointUnusable } from "../log/checkpoint-file.ts"
import type { CheckpointReader } from "../log/checkpoint-reader.ts"
import { DiskError } from "../log/disk.ts"
import type { FrameHeader } from "../log/frame.ts"
import { sequencesOf } from "../log/frame.ts"
import type { IncomingLog } from "../log/incoming-log.ts"
import { decodeSegmentHeader, hex } from "../log/segment.ts"
import { CheckpointLoad } from "../projections/checkpoint-load.ts"
import type { Keyspace } from "../projections/keyspace.ts"
import type { HashSeed } from "../projections/memory/hash.ts"
import { type FollowAnswer, StreamDamaged } from "./protocol.ts"

/** Of a received checkpoint, gone through in one turn. */
const framesPerSlice = 8

/** The answer that begins it. */
export type FullAnswer = FollowAnswer & { readonly kind: "full" }

/** Data that a received checkpoint holds, loaded. */
export interface Loaded {
  readonly sequence: number
  readonly keyspace: Keyspace
}

/** See the head of this file. */
export class FullSync {
  readonly answer: FullAnswer
  readonly incoming: IncomingLog
  /** Bytes of the checkpoint so far. */
  read = 0
  private readonly blank: (seed: HashSeed) => Keyspace | undefined
  private reader: CheckpointReader | undefined = undefined
  private load: CheckpointLoad | undefined = undefined
  private keyspace: Keyspace | undefined = undefined
  private whole = false
  /** Position of the received segment's end, and the sequence that comes next in it. */
  private lsn = -1
  private sequence = 0

  /** `blank`: an empty keyspace to load the checkpoint into as it comes; undefined when it is to be loaded later. */
  constructor(answer: FullAnswer, incoming: IncomingLog, blank: (seed: HashSeed) => Keyspace | undefined) {
    this.answer = answer
    this.incoming = incoming
    this.blank = blank
    if (answer.bytes !== 0) incoming.begin(answer.sequence)
  }

  /** The checkpoint's data, where all of it is loaded. */
  get loaded(): Loaded | undefined {
    const { answer: { sequence }, keyspace, whole } = this
    return keyspace === undefined || !whole ? undefined : { sequence, keyspace }
  }

  /** Bytes of the checkpoint. Throws `DiskError`, `CheckpointUnusable`. */
  checkpoint(bytes: Uint8Array, start: number, length: number): void {
    this.incoming.write(bytes, start, length)
    this.read += length
    if (this.reader !== undefined || this.read >= checkpointHeaderSize) this.goOn()
  }

  /** Goes through some of what is here; false when more has to come first. */
  private goOn(): boolean {
    const reader = this.reader ??= this.open()
    for (let i = 0; i < framesPerSlice; i++) {
      if (this.whole || !reader.reaches(this.read)) return false
      if (this.load === undefined) this.whole = !reader.next()
      else {
        const { reading } = this.load
        this.whole = this.load.slice()
        if (!reading) return true // room was made: a slice's work
      }
    }
    return true
  }

  private open(): CheckpointReader {
    const { answer, incoming } = this
    const reader = incoming.reader(answer.bytes < 0 ? Infinity : answer.bytes)
    const { hashSeed, sequence, storeId } = reader.header
    if (sequence !== answer.sequence || hex(storeId) !== answer.storeId) {
      reader.close()
      throw new CheckpointUnusable("it is another than was announced")
    }
    const keyspace = this.keyspace = this.blank(hashSeed)
    if (keyspace !== undefined) this.load = new CheckpointLoad(keyspace, reader, answer.counts)
    return reader
  }

  /**
   * All of the checkpoint was there: goes through the rest of it, some per turn, as long as it is `wanted`. `done` hears
   * in the end what is wrong with it, if anything. Throws `DiskError`.
   */
  check(later: (run: () => void) => void, wanted: () => boolean, done: (wrong: string | undefined) => void): void {
    this.incoming.finish()
    const step = (): void => {
      try {
        if (wanted() && this.goOn()) {
          later(step)
          return
        }
      } catch (error) {
        if (!(error instanceof CheckpointUnusable || error instanceof DiskError)) throw error
        done(error.message)
        return
      }
      this.reader?.close()
      this.reader = undefined
      done(this.whole || !wanted() ? undefined : "it ends before its end record")
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
    this.reader?.close()
    this.reader = undefined
    this.incoming.discard()
  }
}
