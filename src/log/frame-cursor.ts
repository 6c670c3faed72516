import { createHash, type Hash } from "node:crypto"
import { DiskError, type DiskFile } from "./disk.ts"
import { WireError } from "./events/wire.ts"
import { bodyIntact, FrameHeader, frameHeaderSize, isFrameMagic, readFrameHeader, sequencesOf } from "./frame.ts"

/** Read ahead, bytes. */
const chunk = 4 << 20
const readTries = 3

/** Reads, trying again when the disk fails; a count below `length` is the end of the file. */
export const readRetrying = (
  file: DiskFile,
  bytes: Uint8Array,
  start: number,
  length: number,
  position: number
): number => {
  for (let tries = 1;; tries++) {
    try {
      return file.read(bytes, start, length, position)
    } catch (error) {
      if (!(error instanceof DiskError) || tries === readTries) throw error
    }
  }
}

/**
 * Walks the frames of a segment file from one position to another, each checked against its checksums. The frame in
 * hand is `bytes[at, at + header.length)`; the buffer is reused.
 */
export class FrameCursor {
  readonly header = new FrameHeader()
  bytes = new Uint8Array(0)
  at = 0
  /** Of the frame in hand, in the file. */
  position: number
  /** Of the frame after it. */
  next: number
  /** Nothing from here on is looked at. */
  end: number
  /** Why the last `advance` said "bad". */
  reason = ""
  private file: DiskFile
  private readonly readAhead: number
  private base = 0
  private filled = 0

  constructor(file: DiskFile, start: number, end: number, readAhead = chunk) {
    this.file = file
    this.readAhead = readAhead
    this.position = start
    this.next = start
    this.end = end
  }

  /** Goes on with another handle of the same segment. */
  reopen(file: DiskFile): void {
    this.file = file
    this.filled = 0
  }

  /** Continues at a position. */
  seek(position: number): void {
    this.next = position
  }

  /** Steps to the next frame. A "bad" step may be repeated; lengths are checked before anything is allocated. */
  advance(): "frame" | "end" | "bad" {
    const position = this.next
    if (position === this.end) return "end"
    this.position = position
    if (this.end - position < frameHeaderSize) return this.bad("the file ends inside a frame header")
    if (!this.load(position, frameHeaderSize)) return this.bad("the file is shorter than it should be")
    const wrong = readFrameHeader(this.bytes, this.at, this.header)
    if (wrong !== undefined) return this.bad(wrong)
    const { length } = this.header
    if (length > this.end - position) return this.bad("the file ends inside a frame")
    if (!this.load(position, length)) return this.bad("the file is shorter than it should be")
    if (!bodyIntact(this.bytes, this.at, length)) return this.bad("frame body checksum")
    this.next = position + length
    return "frame"
  }

  /**
   * Whether the next frame stands in the first `available` bytes of a file that is still growing; true as well where
   * there is none, for `advance` to tell.
   */
  reaches(available: number): boolean {
    const { next } = this
    if (available - next < frameHeaderSize) return false
    if (!this.load(next, frameHeaderSize)) return true
    return readFrameHeader(this.bytes, this.at, this.header) !== undefined || this.header.length <= available - next
  }

  /** Sequences the frame in hand takes up, or undefined when its body does not tell. */
  sequences(): number | undefined {
    try {
      const count = sequencesOf(this.header, this.bytes, this.at)
      return Number.isSafeInteger(this.header.sequence + count) ? count : undefined
    } catch (error) {
      if (isDecodeError(error)) return undefined
      throw error
    }
  }

  /**
   * Looks from `from` on for the next whole frame whose sequence is at least `sequence`, at positions that are multiples
   * of 8. True when the frame in hand is one.
   */
  search(from: number, sequence: number): boolean {
    for (let position = Math.ceil(from / 8) * 8; position + frameHeaderSize <= this.end; position += 8) {
      if (!this.load(position, frameHeaderSize)) return false
      if (!isFrameMagic(this.bytes, this.at)) continue
      this.next = position
      if (this.advance() === "frame" && this.header.sequence >= sequence) return true
    }
    return false
  }

  private bad(reason: string): "bad" {
    this.reason = reason
    return "bad"
  }

  /** Makes `length` bytes of the file from `position` on available at `this.at`; false when the file ends before. */
  private load(position: number, length: number): boolean {
    const at = position - this.base
    if (at >= 0 && at + length <= this.filled) {
      this.at = at
      return true
    }
    if (length > this.bytes.length || this.bytes.length === 0) {
      const ahead = Math.min(this.readAhead, this.file.readAhead ?? Infinity, Math.max(64, this.end - position))
      this.bytes = new Uint8Array(Math.max(length, ahead))
    }
    this.base = position
    this.at = 0
    this.filled = 0
    this.filled = readRetrying(this.file, this.bytes, 0, Math.min(this.bytes.length, this.end - position), position)
    return this.filled >= length
  }
}

/** Whether an error says that bytes make no sense, as opposed to a mistake in the program. */
export const isDecodeError = (error: unknown): boolean =>
  error instanceof WireError || error instanceof RangeError
  || (error as { code?: unknown } | undefined)?.code?.toString().startsWith("ZSTD_") === true
  || (error as { code?: unknown } | undefined)?.code === "ERR_BUFFER_TOO_LARGE"

/** Adds a range of a file to a running hash; false when the file is shorter. */
export const hashRange = (file: DiskFile, from: number, to: number, hash: Hash): boolean => {
  const buffer = new Uint8Array(Math.min(1 << 20, Math.max(1, to - from)))
  for (let position = from; position < to;) {
    const n = readRetrying(file, buffer, 0, Math.min(buffer.length, to - position), position)
    if (n === 0) return false
    hash.update(buffer.subarray(0, n))
    position += n
  }
  return true
}

/** The chain value after a segment with this hash. */
export const chainValue = (previous: Uint8Array, sha256: Uint8Array): Uint8Array =>
  createHash("sha256").update(previous).update(sha256).digest()

/** SHA-256 of what a running hash has seen so far; the hash goes on. */
export const digestOf = (hash: Hash): Uint8Array => hash.copy().digest()
