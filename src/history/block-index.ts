/**
 * What a walk through a segment's frames tells: blocks of about 64 KiB with the keys that occur in each, as small Bloom
 * filters, where sessions are defined, and which blocks empty or swap databases. Made for segments that have no footer
 * yet, or a damaged one, and for sealed ones that are asked about again and again; goes on where it stopped as the
 * segment grows.
 */
import type { DiskFile } from "../log/disk.ts"
import { WireError } from "../log/events/wire.ts"
import { FrameCursor, isDecodeError } from "../log/frame-cursor.ts"
import { frameType } from "../log/frame.ts"
import { type Gap, readGap } from "../log/gaps.ts"
import { hashKey } from "../log/key-filter.ts"
import type { IndexEntry, SessionEntry } from "../log/segment-index.ts"
import { type SegmentHeader, segmentHeaderSize } from "../log/segment.ts"
import { FrameScan, type KeyVisitor } from "./frame-scan.ts"

/** A block begins with the first frame behind so many bytes or milliseconds; as in footers. */
const blockBytes = 64 << 10
const blockMs = 1000
const bitsPerKey = 12
const probes = 4
const readAhead = 256 << 10

/** How the walk ended: at the end it was given, at a frame that is not whole, or at one that makes no sense. */
export type WalkEnd = "end" | "torn" | "bad"

const secondHash = (hash: number): number => Math.imul(hash ^ (hash >>> 15), 0x85eb_ca6b) | 1

/** The index of one segment. */
export class BlockIndex implements KeyVisitor {
  /** One per block: its first frame with batches. */
  readonly entries: Array<IndexEntry> = []
  readonly sessions: Array<SessionEntry> = []
  readonly gaps: Array<Gap> = []
  /** Blocks, by their place in `entries`, in which databases are emptied or swapped, or keys change databases. */
  readonly moving: Array<number> = []
  /** Position after the last frame walked, and the sequence and time after which the next one comes. */
  end = segmentHeaderSize
  nextSequence: number
  lastTime = 0
  /** What was wrong where the walk ended "bad" or "torn". */
  reason = ""

  /** Filters of the blocks that are complete, one behind the other, and where each begins. */
  private words = new Uint32Array(1024)
  private used = 0
  private readonly starts: Array<number> = [0]
  /** Hashes of the keys in the block that is not complete. */
  private hashes = new Int32Array(4096)
  private hashCount = 0
  private readonly scan = new FrameScan()

  /** Begins at the segment's first frame, or at the one that an entry names. */
  constructor(header: SegmentHeader, from?: IndexEntry) {
    this.nextSequence = from?.sequence ?? header.firstSequence
    if (from !== undefined) this.end = from.position
  }

  /** Bytes of memory. */
  get bytes(): number {
    return this.words.byteLength + this.hashes.byteLength + (this.entries.length + this.sessions.length) * 64
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

  /** Blocks that may hold events of a key; those left out do not. */
  blocksOf(key: Uint8Array, start = 0, length = key.length): Array<number> {
    const hash = hashKey(key, start, length)
    const step = secondHash(hash)
    const { starts, words } = this
    const found: Array<number> = []
    const complete = starts.length - 1
    for (let block = 0; block < complete; block++) {
      const from = starts[block]!
      if (mayHold(words, from, starts[block + 1]! - from, hash, step)) found.push(block)
    }
    if (complete < this.entries.length && this.hashes.subarray(0, this.hashCount).includes(hash)) found.push(complete)
    return found
  }

  key(bytes: Uint8Array, start: number, length: number): void {
    if (this.hashCount === this.hashes.length) {
      const wider = new Int32Array(this.hashes.length * 2)
      wider.set(this.hashes)
      this.hashes = wider
    }
    this.hashes[this.hashCount++] = hashKey(bytes, start, length)
  }

  moves(): void {
    const block = this.entries.length - 1
    if (this.moving.at(-1) !== block) this.moving.push(block)
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
      if (
        count > 0 &&
        (last === undefined || position - last.position >= blockBytes || header.time - last.time >= blockMs)
      ) {
        this.completeBlock()
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

  /** Makes a filter out of the hashes of the block that ends here. */
  private completeBlock(): void {
    if (this.entries.length === 0) return
    const { hashCount, hashes } = this
    let size = 1
    while (size * 32 < hashCount * bitsPerKey) size *= 2
    if (this.used + size > this.words.length) {
      const wider = new Uint32Array(Math.max(this.words.length * 2, this.used + size))
      wider.set(this.words)
      this.words = wider
    }
    const { words, used } = this
    const mask = size * 32 - 1
    for (let i = 0; i < hashCount; i++) {
      const hash = hashes[i]!
      const step = secondHash(hash)
      for (let probe = 0, bit = hash; probe < probes; probe++, bit += step) {
        const at = used + ((bit & mask) >>> 5)
        words[at] = words[at]! | (1 << (bit & 31))
      }
    }
    this.used += size
    this.starts.push(this.used)
    this.hashCount = 0
    if (hashes.length > 1 << 16) this.hashes = new Int32Array(4096)
  }
}

const mayHold = (words: Uint32Array, from: number, size: number, hash: number, step: number): boolean => {
  const mask = size * 32 - 1
  for (let probe = 0, bit = hash; probe < probes; probe++, bit += step) {
    if ((words[from + ((bit & mask) >>> 5)]! & (1 << (bit & 31))) === 0) return false
  }
  return true
}
