/**
 * What a walk through a segment's frames tells: blocks of about 64 KiB with the keys that occur in each, where sessions are
 * defined, and which blocks empty or swap databases. Made for segments that have no footer yet, a damaged one, or one
 * without keys of blocks; goes on where it stopped as the segment grows.
 */
import { BlockKeys } from "../log/block-keys.ts"
import type { DiskFile } from "../log/disk.ts"
import { WireError } from "../log/events/wire.ts"
import { FrameCursor, isDecodeError } from "../log/frame-cursor.ts"
import { frameType } from "../log/frame.ts"
import { type Gap, readGap } from "../log/gaps.ts"
import { hashKey } from "../log/key-filter.ts"
import type { OpenSegment } from "../log/open-segment.ts"
import type { IndexEntry, SessionEntry } from "../log/segment-index.ts"
import { type SegmentHeader, segmentHeaderSize } from "../log/segment.ts"
import { FrameScan, type KeyVisitor } from "./frame-scan.ts"

/** A block begins with the first frame behind so many bytes or milliseconds; as in footers. */
const blockBytes = 64 << 10
const blockMs = 1000
const readAhead = 256 << 10

/** How the walk ended: at the end it was given, at a frame that is not whole, or at one that makes no sense. */
export type WalkEnd = "end" | "torn" | "bad"

/** The index of one segment. */
export class BlockIndex implements KeyVisitor {
  /** One per block: its first frame with batches. */
  readonly entries: Array<IndexEntry> = []
  readonly sessions: Array<SessionEntry> = []
  readonly gaps: Array<Gap> = []
  /** Of the blocks between the entries. */
  readonly keys = new BlockKeys()
  /** Position after the last frame walked, and the sequence and time after which the next one comes. */
  end = segmentHeaderSize
  nextSequence: number
  lastTime = 0
  /** What was wrong where the walk ended "bad" or "torn". */
  reason = ""

  private readonly scan = new FrameScan()

  /** Begins at the segment's first frame, or at the one that an entry names. */
  constructor(header: Pick<SegmentHeader, "firstSequence">, from?: IndexEntry) {
    this.nextSequence = from?.sequence ?? header.firstSequence
    if (from !== undefined) this.end = from.position
  }

  /** Bytes of memory. */
  get bytes(): number {
    return this.keys.bytes + (this.entries.length + this.sessions.length) * 64
  }

  /** Walks on up to `end`, at most about `budget` bytes; true when the walk is not over yet. Throws `DiskError`. */
  extend(file: DiskFile, end: number, budget = Infinity): WalkEnd | "more" {
    const cursor = new FrameCursor(file, this.end, end, readAhead)
    const enough = this.end + budget
    for (;;) {
      if (this.end >= enough && this.end < end) return "more"
      const step = cursor.advance()
      if (step === "end") return "end"
      if (step === "bad") {
        this.reason = cursor.reason
        return "torn"
      }
      try {
        this.frame(cursor)
      } catch (error) {
        if (!isDecodeError(error)) throw error
        this.reason = `a frame does not decode: ${(error as Error).message}`
        return "bad"
      }
      this.end = cursor.next
    }
  }

  /** Takes over what the log knows of the segment it writes, in place of what was found from there on. */
  adopt({ blocks, definitions, entries, keys, sessions }: OpenSegment): void {
    this.entries.length = blocks
    this.sessions.length = sessions
    this.keys.truncate(blocks)
    const behind = entries.length - 3
    for (let i = 0; i < behind; i += 3) {
      this.entries.push({ time: entries[i]!, sequence: entries[i + 1]!, position: entries[i + 2]! })
    }
    this.keys.paste(keys)
    for (let i = 0; i < definitions.length; i += 2) {
      this.sessions.push({ ref: definitions[i]!, position: definitions[i + 1]! })
    }
    this.lastTime = entries[behind]!
    this.nextSequence = entries[behind + 1]!
    this.end = entries[behind + 2]!
  }

  key(bytes: Uint8Array, start: number, length: number): void {
    this.keys.add(hashKey(bytes, start, length))
  }

  moves(): void {
    this.keys.moves()
  }

  private frame(cursor: FrameCursor): void {
    const { header, position } = cursor
    const count = cursor.sequences()
    if (count === undefined) throw new WireError("the number of its batches")
    if (header.sequence !== this.nextSequence) {
      throw new WireError(`sequence ${header.sequence} where ${this.nextSequence} should follow`)
    }
    if (header.type === frameType.gap) this.gaps.push(readGap(cursor.bytes, cursor.at, header))
    if (header.type === frameType.batches) {
      const last = this.entries.at(-1)
      // What the log has told about is complete: whatever comes behind it is another block.
      const due = last === undefined || !this.keys.open
        || position - last.position >= blockBytes || header.time - last.time >= blockMs
      if (count > 0 && due) {
        this.keys.begin()
        this.entries.push({ time: header.time, sequence: header.sequence, position })
      }
      const { scan } = this
      scan.open(cursor.bytes, cursor.at, header)
      while (scan.next()) scan.visit(this)
      if (count > 0) this.lastTime = scan.time
      for (const ref of scan.defined.keys()) this.sessions.push({ ref, position })
    }
    this.nextSequence += count
  }
}
