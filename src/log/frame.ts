/**
 * A frame: one group commit, the unit that is written, checksummed and cut. All integers little endian.
 *
 *      0  3  'E' 'V' '1'
 *      3  1  type: 1 BATCHES, 3 SYNC, 4 SEAL, 5 CONTROL, 6 GAP
 *      4  4  length with header and padding, a multiple of 8
 *      8  6  sequence of the first batch; of the next one where the frame holds none
 *     14  2  number of batches; FFFF: the real number is a varint at the start of the body
 *     16  6  time of the first batch, unix ms
 *     22  2  flags: 1 the body is zstd (after the varint of its compressed length), 2 last frame of a clean shutdown
 *     24  4  epoch
 *     28  4  durable lag: this frame's position minus the highest position known to be synced, in 8-byte units
 *     32  4  crc32 of body and padding
 *     36  4  crc32 of bytes 0–35, so that a flipped length is never trusted
 *     40     body, then zeros up to a multiple of 8
 *
 * Bodies: BATCHES see batch.ts; SYNC empty; SEAL sha256 of the segment up to here (32), chain value (32);
 * CONTROL varint kind, then 1 CLOCK_STEP: varint time before, varint time after, 2 SEGMENT_DROPPED: see drop-record.ts,
 * 3 EPOCH: see lineage.ts;
 * GAP varint number of sequences missing, varint bytes lost, text why, then optionally details, see gaps.ts.
 */
import { crc32, zstdDecompressSync } from "node:zlib"
import { ByteReader, ByteWriter } from "./events/wire.ts"

export const frameHeaderSize = 40
export const frameType = { batches: 1, sync: 3, seal: 4, control: 5, gap: 6 } as const
export const frameFlag = { zstd: 1, cleanShutdown: 2 } as const
export const controlKind = { clockStep: 1, segmentDropped: 2, epoch: 3 } as const
/** In the count field: the number stands at the start of the body. */
export const countInBody = 0xffff
/** Most a compressed body may unfold to; a frame is closed long before. */
const unfoldedLimit = 0xffff_ffff

export const put16 = (bytes: Uint8Array, at: number, value: number): void => {
  bytes[at] = value & 0xff
  bytes[at + 1] = value >>> 8
}
export const put32 = (bytes: Uint8Array, at: number, value: number): void => {
  bytes[at] = value & 0xff
  bytes[at + 1] = (value >>> 8) & 0xff
  bytes[at + 2] = (value >>> 16) & 0xff
  bytes[at + 3] = value >>> 24
}
/** Unsigned, below 2^48. */
export const put48 = (bytes: Uint8Array, at: number, value: number): void => {
  put32(bytes, at, value >>> 0)
  put16(bytes, at + 4, Math.floor(value / 0x1_0000_0000))
}
/** Unsigned, below 2^53, in eight bytes. */
export const put64 = (bytes: Uint8Array, at: number, value: number): void => {
  put32(bytes, at, value >>> 0)
  put32(bytes, at + 4, Math.floor(value / 0x1_0000_0000))
}
export const get16 = (bytes: Uint8Array, at: number): number => bytes[at]! | (bytes[at + 1]! << 8)
export const get32 = (bytes: Uint8Array, at: number): number =>
  (bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24)) >>> 0
export const get48 = (bytes: Uint8Array, at: number): number => get32(bytes, at) + get16(bytes, at + 4) * 0x1_0000_0000
export const get64 = (bytes: Uint8Array, at: number): number => get32(bytes, at) + get32(bytes, at + 4) * 0x1_0000_0000

/** The header of a frame, read or to be written; one object is reused. */
export class FrameHeader {
  type = 0
  /** With header and padding, bytes. */
  length = 0
  sequence = 0
  /** As in the header; `countInBody` where the body tells. */
  count = 0
  time = 0
  flags = 0
  epoch = 0
  /** Bytes between the highest position known to be synced when it was written and this frame. */
  lag = 0
}

/** Size of a frame whose header and body take `length` bytes. */
export const paddedSize = (length: number): number => Math.ceil(length / 8) * 8

/** Completes the frame in `bytes[0, header.length)`: its body stands at 40, header and both checksums are written here. */
export const writeFrameHeader = (bytes: Uint8Array, header: FrameHeader): void => {
  bytes[0] = 0x45
  bytes[1] = 0x56
  bytes[2] = 0x31
  bytes[3] = header.type
  put32(bytes, 4, header.length)
  put48(bytes, 8, header.sequence)
  put16(bytes, 14, header.count)
  put48(bytes, 16, header.time)
  put16(bytes, 22, header.flags)
  put32(bytes, 24, header.epoch)
  put32(bytes, 28, Math.min(0xffff_ffff, header.lag / 8))
  put32(bytes, 32, crc32(bytes.subarray(frameHeaderSize, header.length)))
  put32(bytes, 36, crc32(bytes.subarray(0, 36)))
}

/** Whether three bytes look like the start of a frame. */
export const isFrameMagic = (bytes: Uint8Array, at: number): boolean =>
  bytes[at] === 0x45 && bytes[at + 1] === 0x56 && bytes[at + 2] === 0x31

/** Reads and checks the 40 bytes at `at`; what is wrong, or undefined. The body is not looked at. */
export const readFrameHeader = (bytes: Uint8Array, at: number, into: FrameHeader): string | undefined => {
  if (!isFrameMagic(bytes, at)) return "no frame begins here"
  if (crc32(bytes.subarray(at, at + 36)) !== get32(bytes, at + 36)) return "frame header checksum"
  into.type = bytes[at + 3]!
  into.length = get32(bytes, at + 4)
  into.sequence = get48(bytes, at + 8)
  into.count = get16(bytes, at + 14)
  into.time = get48(bytes, at + 16)
  into.flags = get16(bytes, at + 22)
  into.epoch = get32(bytes, at + 24)
  into.lag = get32(bytes, at + 28) * 8
  if (into.length < frameHeaderSize || into.length % 8 !== 0) return "frame length"
  if (into.type === 0 || into.type === 2 || into.type > frameType.gap) return `unknown frame type ${into.type}`
  return undefined
}

/** Whether the body of the frame at `at`, all of it in `bytes`, has the checksum the header states. */
export const bodyIntact = (bytes: Uint8Array, at: number, length: number): boolean =>
  crc32(bytes.subarray(at + frameHeaderSize, at + length)) === get32(bytes, at + 32)

/** A whole frame around a small body. */
export const buildFrame = (header: FrameHeader, body: Uint8Array): Uint8Array => {
  header.length = paddedSize(frameHeaderSize + body.length)
  const bytes = new Uint8Array(header.length)
  bytes.set(body, frameHeaderSize)
  writeFrameHeader(bytes, header)
  return bytes
}

/** The body of a compressed frame, unfolded. Throws on damage, like every decoder here. */
export const unfoldBody = (body: Uint8Array): Uint8Array => {
  const reader = new ByteReader(body)
  const packed = reader.blob()
  return zstdDecompressSync(packed.bytes.subarray(packed.start, packed.start + packed.length), {
    maxOutputLength: Math.min(unfoldedLimit, Math.max(1 << 20, packed.length * 4096))
  })
}

/** How many sequences a frame takes up; `body` runs up to the padding's end. Throws `WireError` on damage. */
export const sequencesOf = (header: FrameHeader, bytes: Uint8Array, at: number): number => {
  if (header.type === frameType.gap) return new ByteReader(bytes, at + frameHeaderSize, at + header.length).varint()
  if (header.type !== frameType.batches) return 0
  if (header.count !== countInBody) return header.count
  if ((header.flags & frameFlag.zstd) === 0) {
    return new ByteReader(bytes, at + frameHeaderSize, at + header.length).varint()
  }
  return new ByteReader(unfoldBody(bytes.subarray(at + frameHeaderSize, at + header.length))).varint()
}

/** Body of a SEAL: the segment's hash up to it and the chain value. */
export const sealBody = (sha256: Uint8Array, chain: Uint8Array): Uint8Array => {
  const body = new Uint8Array(64)
  body.set(sha256, 0)
  body.set(chain, 32)
  return body
}

/** Body of the CONTROL record of a clock that stepped back; both times unix ms. */
export const clockStepBody = (before: number, after: number): Uint8Array => {
  const out = new ByteWriter(32)
  out.varint(controlKind.clockStep)
  out.varint(before)
  out.varint(Math.max(0, after))
  return out.toBytes()
}

/** Body of a GAP: sequences and bytes that are lost, and why. */
export const gapBody = (sequences: number, bytes: number, reason: string): Uint8Array => {
  const out = new ByteWriter(64)
  out.varint(sequences)
  out.varint(bytes)
  out.text(reason)
  return out.toBytes()
}
