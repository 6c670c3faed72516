/** A segment cut after one batch: its frames up to there as they were, the last one made shorter where need be. */
import { metaRecord } from "../log/batch.ts"
import { DiskError, type DiskFile } from "../log/disk.ts"
import { ByteReader, ByteWriter } from "../log/events/wire.ts"
import { FrameCursor } from "../log/frame-cursor.ts"
import {
  buildFrame,
  countInBody,
  frameFlag,
  FrameHeader,
  frameHeaderSize,
  frameType,
  unfoldBody
} from "../log/frame.ts"
import { segmentHeaderSize } from "../log/segment.ts"
import { Failed } from "./context.ts"

/** Read and written at a time. */
const pieceBytes = 4 << 20

/** Writes all of some bytes. Throws `DiskError`. */
export const writeAll = (file: DiskFile, bytes: Uint8Array, position: number, name: string): void => {
  for (let done = 0; done < bytes.length;) {
    const part = Math.min(bytes.length - done, 1 << 30)
    const written = file.write(bytes, done, part, position + done)
    if (written < part) throw new DiskError("ENOSPC", "write", name, `${written} of ${part} bytes`)
    done += part
  }
}

/** Copies the first `length` bytes of a file. */
export const copyBytes = (
  from: DiskFile,
  to: DiskFile,
  length: number,
  name: string,
  progress: (bytes: number) => void
): void => {
  const buffer = new Uint8Array(Math.min(pieceBytes, Math.max(1, length)))
  for (let position = 0; position < length;) {
    const read = from.read(buffer, 0, Math.min(buffer.length, length - position), position)
    if (read === 0) throw new DiskError("EIO", "read", name, "the file is shorter than it was")
    writeAll(to, buffer.subarray(0, read), position, name)
    position += read
    progress(read)
  }
}

/** Where a segment has to be cut to end with a sequence. */
export interface Cut {
  /** Bytes that stay as they are. */
  readonly whole: number
  /** The frame that follows them instead of the one that is there. */
  readonly frame: Uint8Array | undefined
}

/** Looks for the end of batch `sequence`. Throws `Failed` where there is none such. */
export const cutAfter = (file: DiskFile, end: number, sequence: number): Cut => {
  const cursor = new FrameCursor(file, segmentHeaderSize, end)
  while (cursor.advance() === "frame") {
    const { header } = cursor
    const count = cursor.sequences() ?? 0
    if (count === 0 || header.sequence + count <= sequence) continue
    if (header.type === frameType.gap && header.sequence <= sequence && header.sequence + count - 1 !== sequence) {
      throw new Failed(
        `sequence ${sequence} is missing since a salvage: ${header.sequence - 1} is the last one before the gap`
      )
    }
    if (header.sequence + count - 1 === sequence) return { whole: cursor.next, frame: undefined }
    return { whole: cursor.position, frame: shortened(cursor, sequence - header.sequence + 1) }
  }
  throw new Failed(`the segment does not hold sequence ${sequence}: 'annals verify' says what is wrong with it`)
}

/** The frame in hand with its first `batches` batches only. */
const shortened = ({ at, bytes, header }: FrameCursor, batches: number): Uint8Array => {
  const body = bytes.subarray(at + frameHeaderSize, at + header.length)
  const from = new ByteReader((header.flags & frameFlag.zstd) === 0 ? body : unfoldBody(body))
  if (header.count === countInBody) from.varint()
  const start = from.offset
  for (let left = batches; left > 0;) {
    const length = from.varint()
    const itemEnd = from.offset + length
    if ((from.u8() & metaRecord) === 0) left--
    from.offset = itemEnd
  }
  const items = from.bytes.subarray(start, from.offset)
  const own = new FrameHeader()
  own.type = header.type
  own.sequence = header.sequence
  own.count = Math.min(batches, countInBody)
  own.time = header.time
  own.epoch = header.epoch
  own.lag = header.lag
  if (batches < countInBody) return buildFrame(own, items)
  const counted = new ByteWriter(items.length + 8)
  counted.varint(batches)
  counted.raw(items, 0, items.length)
  return buildFrame(own, counted.toBytes())
}
