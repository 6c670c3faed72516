/**
 * The CONTROL record that says that a segment was dropped from the start of the log; written and synced before its file
 * is removed. Body behind the kind:
 *
 *     varint first sequence, varint last sequence | varint lsn of its first frame, varint lsn after its last
 *     | varint bytes on disk | sha256 in its last SEAL (32) | chain value at its end (32) | text why
 *
 * The chain value is the one the next segment begins with, so the chain that is left still hangs on what was dropped.
 */
import { ByteReader, ByteWriter, WireError } from "./events/wire.ts"
import { controlKind, type FrameHeader, frameHeaderSize } from "./frame.ts"

/** A segment that retention has dropped. */
export interface DroppedSegment {
  readonly first: number
  /** `first - 1` when it held no batch. */
  readonly last: number
  readonly lsn: number
  readonly endLsn: number
  /** On disk. */
  readonly bytes: number
  readonly sha256: Uint8Array
  readonly chain: Uint8Array
  readonly reason: string
}

/** Body of the CONTROL frame. */
export const dropBody = (dropped: DroppedSegment): Uint8Array => {
  const out = new ByteWriter(160)
  out.varint(controlKind.segmentDropped)
  out.varint(dropped.first)
  out.varint(dropped.last)
  out.varint(dropped.lsn)
  out.varint(dropped.endLsn)
  out.varint(dropped.bytes)
  out.raw(dropped.sha256, 0, 32)
  out.raw(dropped.chain, 0, 32)
  out.text(dropped.reason)
  return out.toBytes()
}

/** Reads the CONTROL frame at `at`, checked before; undefined when it is one of another kind, or makes no sense. */
export const readDrop = (bytes: Uint8Array, at: number, header: FrameHeader): DroppedSegment | undefined => {
  try {
    const from = new ByteReader(bytes, at + frameHeaderSize, at + header.length)
    if (from.varint() !== controlKind.segmentDropped) return undefined
    const [first, last, lsn, endLsn, stored] = [
      from.varint(),
      from.varint(),
      from.varint(),
      from.varint(),
      from.varint()
    ]
    const hashes = from.offset
    if (from.end - hashes < 64) return undefined
    const sha256 = bytes.slice(hashes, hashes + 32)
    const chain = bytes.slice(hashes + 32, hashes + 64)
    const reason = new ByteReader(bytes, hashes + 64, at + header.length).text()
    return { first: first!, last: last!, lsn: lsn!, endLsn: endLsn!, bytes: stored!, sha256, chain, reason }
  } catch (error) {
    if (error instanceof WireError) return undefined
    throw error
  }
}
