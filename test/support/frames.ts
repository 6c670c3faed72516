import * as zlib from "node:zlib"

/**
 * A second reader of segment files, written from the description of the format and nothing else, so that tests do not
 * take the log's own word for where frames begin.
 */

export const segmentHeaderBytes = 128
export const frameHeaderBytes = 40

export const frameTypes = { 1: "BATCHES", 3: "SYNC", 4: "SEAL", 5: "CONTROL", 6: "GAP" } as const
export type FrameType = typeof frameTypes[keyof typeof frameTypes]

export interface FrameFacts {
  /** Byte position in the segment file. */
  readonly position: number
  readonly length: number
  readonly type: FrameType
  readonly sequence: number
  readonly count: number
  readonly time: number
  /** Bytes between the durable mark at the time of writing and this frame. */
  readonly lag: number
}

/** The frame at a position, if a whole and undamaged one is there. */
export const frameAt = (bytes: Uint8Array, position: number): FrameFacts | undefined => {
  const b = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length)
  if (position + frameHeaderBytes > b.length || b.toString("latin1", position, position + 3) !== "EV1") return undefined
  if (zlib.crc32(b.subarray(position, position + 36)) !== b.readUInt32LE(position + 36)) return undefined
  const length = b.readUInt32LE(position + 4)
  const type = frameTypes[b[position + 3] as keyof typeof frameTypes] as FrameType | undefined
  if (type === undefined || length < frameHeaderBytes || length % 8 !== 0 || position + length > b.length) {
    return undefined
  }
  if (zlib.crc32(b.subarray(position + frameHeaderBytes, position + length)) !== b.readUInt32LE(position + 32)) {
    return undefined
  }
  let count = b.readUInt16LE(position + 14)
  if (count === 0xffff) {
    count = 0
    let scale = 1
    for (let at = position + frameHeaderBytes;; at++) {
      count += (b[at]! & 0x7f) * scale
      if (b[at]! < 0x80) break
      scale *= 128
    }
  }
  return {
    position,
    length,
    type,
    sequence: b.readUIntLE(position + 8, 6),
    count,
    time: b.readUIntLE(position + 16, 6),
    lag: b.readUInt32LE(position + 28) * 8
  }
}

/** Every whole frame from the first on, up to the first bad spot, the footer or the end. */
export const framesOf = (bytes: Uint8Array): Array<FrameFacts> => {
  const frames: Array<FrameFacts> = []
  for (let at = segmentHeaderBytes;;) {
    const frame = frameAt(bytes, at)
    if (frame === undefined) return frames
    frames.push(frame)
    at += frame.length
  }
}

/** Where the frames end: the length of the file, or where the footer begins. */
export const endOfFrames = (frames: ReadonlyArray<FrameFacts>): number => {
  const last = frames.at(-1)
  return last === undefined ? segmentHeaderBytes : last.position + last.length
}

/** Facts of a segment header. */
export const headerOf = (bytes: Uint8Array): { readonly sequence: number; readonly lsn: number } => {
  const b = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length)
  return { sequence: Number(b.readBigUInt64LE(56)), lsn: Number(b.readBigUInt64LE(64)) }
}

/** Names of the segment files on a disk, in order. */
export const segmentsOf = (files: ReadonlyArray<string>): Array<string> =>
  files.filter((name) => /^log\/\d{20}\.evl$/.test(name)).sort()
