/**
 * A segment file: header, frames, and once it is sealed a footer (footer.ts). Its name is `log/<first sequence, 20
 * digits>.evl`. The header, 128 bytes, little endian:
 *
 *      0  8  magic 89 'E' 'V' 'L' 0D 0A 1A 0A: damaged by anything that thinks it is text
 *      8  2  format version            10  2  oldest reader that understands it    12  4  header size
 *     16 16  store id (uuid)           32 20  replication id                       52  4  epoch
 *     56  8  first sequence            64  8  lsn of the first frame               72  8  created, unix ms
 *     80 32  chain value at the end of the previous segment (zeros for the first)
 *    112  4  flags: 1 the previous segment was cut after a failed fsync; its SEAL and footer may be missing
 *    116  8  reserved                124  4  crc32 of bytes 0–123
 *
 * The lsn counts the bytes of all frames ever written: headers and footers of segments are not part of that stream.
 */
import { crc32 } from "node:zlib"
import { get16, get32, get64, put16, put32, put64 } from "./frame.ts"

export const segmentHeaderSize = 128
/** Version this program writes, and the newest it reads. */
export const formatVersion = 1
const magic = [0x89, 0x45, 0x56, 0x4c, 0x0d, 0x0a, 0x1a, 0x0a]

export interface SegmentHeader {
  readonly storeId: Uint8Array
  readonly replicationId: Uint8Array
  readonly epoch: number
  readonly firstSequence: number
  /** Lsn of the first frame. */
  readonly lsn: number
  /** Unix milliseconds. */
  readonly created: number
  /** Chain value at the end of the previous segment. */
  readonly chain: Uint8Array
  /** The previous segment was cut where this one begins, before the SEAL that this one counts as part of it. */
  readonly afterCut: boolean
}

/** Name of the segment that begins with a sequence. */
export const segmentName = (firstSequence: number): string => `log/${String(firstSequence).padStart(20, "0")}.evl`

/** Name of the compressed form of the segment that begins with a sequence. */
export const compressedName = (firstSequence: number): string => `log/${String(firstSequence).padStart(20, "0")}.evz`

/** First sequence in a segment's base name; undefined for any other file, compressed segments included. */
export const sequenceOfName = (base: string): number | undefined => sequenceIn(base, ".evl")

/** First sequence in a compressed segment's base name; undefined for any other file. */
export const compressedSequenceOf = (base: string): number | undefined => sequenceIn(base, ".evz")

const sequenceIn = (base: string, ending: string): number | undefined => {
  const match = base.endsWith(ending) ? /^([0-9]{20})\.ev.$/.exec(base) : null
  const sequence = match === null ? 0 : Number(match[1])
  return sequence >= 1 && sequence <= Number.MAX_SAFE_INTEGER ? sequence : undefined
}

export const encodeSegmentHeader = (header: SegmentHeader): Uint8Array => {
  const bytes = new Uint8Array(segmentHeaderSize)
  bytes.set(magic, 0)
  put16(bytes, 8, formatVersion)
  put16(bytes, 10, formatVersion)
  put32(bytes, 12, segmentHeaderSize)
  bytes.set(header.storeId, 16)
  bytes.set(header.replicationId, 32)
  put32(bytes, 52, header.epoch)
  put64(bytes, 56, header.firstSequence)
  put64(bytes, 64, header.lsn)
  put64(bytes, 72, header.created)
  bytes.set(header.chain, 80)
  put32(bytes, 112, header.afterCut ? 1 : 0)
  put32(bytes, 124, crc32(bytes.subarray(0, 124)))
  return bytes
}

/** What a header says: itself, that a newer program is needed, or what is wrong with it. */
export type HeaderReading =
  | { readonly kind: "header"; readonly header: SegmentHeader }
  | { readonly kind: "newer"; readonly oldestReader: number }
  | { readonly kind: "bad"; readonly reason: string }

export const decodeSegmentHeader = (bytes: Uint8Array): HeaderReading => {
  const bad = (reason: string): HeaderReading => ({ kind: "bad", reason })
  if (bytes.length < segmentHeaderSize) return bad(`segment header of ${bytes.length} bytes`)
  if (magic.some((byte, i) => bytes[i] !== byte)) return bad("not a segment file")
  if (crc32(bytes.subarray(0, 124)) !== get32(bytes, 124)) return bad("segment header checksum")
  const oldestReader = get16(bytes, 10)
  if (oldestReader > formatVersion) return { kind: "newer", oldestReader }
  if (get32(bytes, 12) !== segmentHeaderSize) return bad("segment header size")
  const header: SegmentHeader = {
    storeId: bytes.slice(16, 32),
    replicationId: bytes.slice(32, 52),
    epoch: get32(bytes, 52),
    firstSequence: get64(bytes, 56),
    lsn: get64(bytes, 64),
    created: get64(bytes, 72),
    chain: bytes.slice(80, 112),
    afterCut: (get32(bytes, 112) & 1) !== 0
  }
  const sane = Number.isSafeInteger(header.firstSequence) && Number.isSafeInteger(header.lsn) && header.lsn % 8 === 0
    && header.firstSequence >= 1
  return sane ? { kind: "header", header } : bad("segment header values")
}

/** Bytes as lower-case hexadecimal. */
export const hex = (bytes: Uint8Array): string =>
  Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString("hex")

export const sameBytes = (a: Uint8Array, b: Uint8Array): boolean => Buffer.compare(a, b) === 0
