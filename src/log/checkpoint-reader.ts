/** Reads a checkpoint file frame by frame, trusting nothing: checksums, order, completeness, the store it belongs to. */
import { createHash } from "node:crypto"
import {
  type CheckpointEnd,
  checkpointFolder,
  type CheckpointHeader,
  checkpointHeaderSize,
  checkpointName,
  CheckpointUnusable,
  type DatabaseCount,
  decodeCheckpointEnd,
  decodeCheckpointHeader
} from "./checkpoint-file.ts"
import { type Disk, DiskError, type DiskFile } from "./disk.ts"
import { ByteReader } from "./events/wire.ts"
import { FrameCursor, isDecodeError, readRetrying } from "./frame-cursor.ts"
import { frameHeaderSize, frameType } from "./frame.ts"
import { sameBytes } from "./segment.ts"

/** Read at a time: about half a millisecond's work to check. */
const readAhead = 512 << 10

/** An end record is not expected to be longer: more than two hundred databases fit. */
const longestEnd = 4 << 10

/** Damage and disk errors that no repetition heals become `CheckpointUnusable`. */
const unusable = (error: unknown): unknown =>
  error instanceof DiskError
    ? new CheckpointUnusable(`the disk cannot read it (${error.message})`, false)
    : isDecodeError(error)
    ? new CheckpointUnusable(`it does not decode: ${(error as Error).message}`)
    : error

/** Walks the frames of one checkpoint. All members but `close` throw `CheckpointUnusable`. */
export class CheckpointReader {
  readonly header: CheckpointHeader
  /** Bytes of the file. */
  readonly size: number
  /** The end record, once `next` has answered false. */
  end: CheckpointEnd | undefined
  /** The frame in hand stands in `bytes` from `bodyStart` to `bodyEnd`, padding included; valid until the next step. */
  bytes = new Uint8Array(0)
  bodyStart = 0
  bodyEnd = 0
  /** Batches in the frame in hand. */
  batches = 0
  private readonly file: DiskFile
  private readonly cursor: FrameCursor
  private readonly hash = createHash("sha256")
  private frames = 0

  /**
   * Opens a file of the folder by its base name and reads its header. `size` is what a file will have that is still being
   * written, Infinity where nobody knows yet; see `reaches`.
   */
  constructor(disk: Disk, base: string, folder = checkpointFolder, size?: number) {
    const name = `${folder}/${base}`
    try {
      this.file = disk.open(name, "read")
    } catch (error) {
      throw unusable(error)
    }
    try {
      this.size = size ?? this.file.size()
      const bytes = new Uint8Array(checkpointHeaderSize)
      const length = readRetrying(this.file, bytes, 0, checkpointHeaderSize, 0)
      this.header = decodeCheckpointHeader(bytes.subarray(0, length))
      this.hash.update(bytes)
    } catch (error) {
      this.file.close()
      throw unusable(error)
    }
    this.cursor = new FrameCursor(this.file, checkpointHeaderSize, this.size, readAhead)
  }

  /** Whether `next` needs no more than the first `available` bytes of a file that is still being written. */
  reaches(available: number): boolean {
    try {
      return this.end !== undefined || this.cursor.reaches(available)
    } catch (error) {
      throw unusable(error)
    }
  }

  /** How much of the file was passed, bytes. */
  get position(): number {
    return this.cursor.next
  }

  /**
   * What the end record says the databases hold, before anything is read; nothing of it is certain until `next` has got
   * there. Empty when it is not found.
   */
  countsAhead(): ReadonlyArray<DatabaseCount> {
    const from = Math.max(checkpointHeaderSize, this.size - longestEnd)
    for (let position = this.size - frameHeaderSize & ~7; position >= from; position -= 8) {
      const cursor = new FrameCursor(this.file, position, this.size, longestEnd)
      try {
        if (cursor.advance() !== "frame" || cursor.next !== this.size) continue
        const body = cursor.at + frameHeaderSize
        return decodeCheckpointEnd(new ByteReader(cursor.bytes, body, cursor.at + cursor.header.length))?.databases ??
          []
      } catch (error) {
        if (!(error instanceof DiskError || isDecodeError(error))) throw error
      }
    }
    return []
  }

  /** Steps to the next frame of events; false when the end record was reached and everything before it fits it. */
  next(): boolean {
    if (this.end !== undefined) return false
    const { cursor } = this
    try {
      const step = cursor.advance()
      if (step === "end") throw new CheckpointUnusable("it ends before its end record")
      if (step === "bad") throw new CheckpointUnusable(`${cursor.reason} at byte ${cursor.position}`)
      const { header: frame } = cursor
      if (frame.type === frameType.control) {
        this.finish()
        return false
      }
      if (frame.type !== frameType.batches || frame.sequence !== this.header.sequence) {
        throw new CheckpointUnusable(`a frame that is not of this checkpoint at byte ${cursor.position}`)
      }
      this.hash.update(cursor.bytes.subarray(cursor.at, cursor.at + frame.length))
      this.frames++
      this.batches = frame.count
      this.bytes = cursor.bytes
      this.bodyStart = cursor.at + frameHeaderSize
      this.bodyEnd = cursor.at + frame.length
      return true
    } catch (error) {
      throw unusable(error)
    }
  }

  private finish(): void {
    const { cursor } = this
    const end = decodeCheckpointEnd(
      new ByteReader(cursor.bytes, cursor.at + frameHeaderSize, cursor.at + cursor.header.length)
    )
    if (end === undefined || cursor.header.sequence !== this.header.sequence) {
      throw new CheckpointUnusable(`a record that is not its end at byte ${cursor.position}`)
    }
    if (this.size !== Infinity && cursor.next !== this.size) {
      throw new CheckpointUnusable(`${this.size - cursor.next} bytes after its end`)
    }
    if (end.frames !== this.frames) {
      throw new CheckpointUnusable(`${this.frames} frames where ${end.frames} were written`)
    }
    if (!sameBytes(this.hash.digest(), end.sha256)) throw new CheckpointUnusable("its SHA-256 differs")
    this.end = end
  }

  close(): void {
    this.file.close()
  }
}

/** Reads the header of a checkpoint. Throws `CheckpointUnusable`. */
export const readCheckpointHeader = (disk: Disk, sequence: number): CheckpointHeader => {
  const reader = new CheckpointReader(disk, checkpointName(sequence))
  reader.close()
  return reader.header
}
