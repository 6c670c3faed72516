/**
 * A compressed segment, `log/<first sequence, 20 digits>.evz`: a sealed segment file folded block by block, from which
 * its bytes come back exactly, so that checksums, SEALs, chain and positions go on meaning what they meant. Little endian.
 *
 *     header, 160 bytes:
 *       0   8  magic 89 'E' 'V' 'Z' 0D 0A 1A 0A
 *       8   2  format version      10  2  oldest reader that understands it      12  4  header size
 *      16 128  the first 128 bytes of the segment, which are its header
 *     144  12  reserved           156  4  crc32 of bytes 0–155
 *     blocks, one after the other; one holds whole frames, unless a frame alone is larger than a block:
 *       0   4  'E' 'V' 'B' '1'      4  4  length of the zstd frame
 *       8   6  position in the segment of what it unfolds to     14  2  reserved
 *      16   4  length of that     20  4  crc32 of bytes 0–19 and of the zstd frame
 *      24      zstd frame
 *     table, per block    6  position in the segment    6  position in this file
 *     tail, 256 bytes:
 *       0 128  the last 128 bytes of the segment, which are the tail of its footer
 *     128  32  sha256 of the whole segment
 *     160   6  its length          166  6  where the table begins      172  4  number of blocks
 *     176   4  crc32 of the table  180 64  reserved                    244  4  crc32 of bytes 0–243
 *     248   8  magic 89 'E' 'V' 'Y' 0D 0A 1A 0A
 *
 * Any block can be read alone, header and footer tail without unfolding anything. The table is an accelerator: a walk
 * from block to block rebuilds it.
 */
import { crc32 } from "node:zlib"
import { get16, get32, get48, put16, put32, put48 } from "./frame.ts"
import { formatVersion, segmentHeaderSize } from "./segment.ts"

export const compressedHeaderSize = 160
export const blockHeaderSize = 24
export const compressedTailSize = 256
/** Of the footer: kept as it is at the end of both kinds of file. */
export const footerTailSize = 128
/**
 * What is folded as one block; fewer bytes where a frame ends. One costs a tenth of a millisecond to unfold, and with
 * less than this zstd's tables for small inputs serve: of twice as much a tenth more bytes were left, at twice the time.
 */
export const blockSize = 128 << 10

const headMagic = Buffer.from([0x89, 0x45, 0x56, 0x5a, 0x0d, 0x0a, 0x1a, 0x0a])
const tailMagic = Buffer.from([0x89, 0x45, 0x56, 0x59, 0x0d, 0x0a, 0x1a, 0x0a])
const blockMagic = Buffer.from([0x45, 0x56, 0x42, 0x31])
const headerAt = 16

/** Where a block stands in the segment and in the compressed file. */
export interface BlockEntry {
  readonly position: number
  readonly stored: number
}

/** What the tail of a compressed segment says. */
export interface CompressedTail {
  readonly footerTail: Uint8Array
  /** Of the whole segment. */
  readonly sha256: Uint8Array
  /** Length of the segment. */
  readonly size: number
  readonly tableAt: number
  readonly blocks: number
  readonly tableCrc: number
}

/** The head of a compressed segment around the first bytes of the segment. */
export const encodeCompressedHeader = (segmentHeader: Uint8Array): Uint8Array => {
  const bytes = new Uint8Array(compressedHeaderSize)
  bytes.set(headMagic, 0)
  put16(bytes, 8, formatVersion)
  put16(bytes, 10, formatVersion)
  put32(bytes, 12, compressedHeaderSize)
  bytes.set(segmentHeader.subarray(0, segmentHeaderSize), headerAt)
  put32(bytes, 156, crc32(bytes.subarray(0, 156)))
  return bytes
}

/** The segment's header in the head of a compressed one; a number is the version of reader it needs, a string what is wrong. */
export const decodeCompressedHeader = (bytes: Uint8Array): Uint8Array | number | string => {
  if (bytes.length < compressedHeaderSize) return `compressed segment header of ${bytes.length} bytes`
  if (Buffer.compare(bytes.subarray(0, 8), headMagic) !== 0) return "not a compressed segment"
  if (crc32(bytes.subarray(0, 156)) !== get32(bytes, 156)) return "compressed segment header checksum"
  const oldestReader = get16(bytes, 10)
  if (oldestReader > formatVersion) return oldestReader
  if (get32(bytes, 12) !== compressedHeaderSize) return "compressed segment header size"
  return bytes.slice(headerAt, headerAt + segmentHeaderSize)
}

/** A block: `length` bytes of the segment at `position`, as the zstd frame `folded`. */
export const encodeBlockHeader = (position: number, length: number, folded: Uint8Array): Uint8Array => {
  const bytes = new Uint8Array(blockHeaderSize)
  bytes.set(blockMagic, 0)
  put32(bytes, 4, folded.length)
  put48(bytes, 8, position)
  put32(bytes, 16, length)
  put32(bytes, 20, crc32(folded, crc32(bytes.subarray(0, 20))))
  return bytes
}

/** A block as its header tells. */
export interface Block {
  readonly position: number
  readonly length: number
  /** Block header and zstd frame. */
  readonly storedLength: number
}

/** The header of a block at `at`; undefined when none begins there. Nothing says yet that it is intact. */
export const readBlockHeader = (bytes: Uint8Array, at: number): Block | undefined => {
  if (at + blockHeaderSize > bytes.length) return undefined
  for (let i = 0; i < 4; i++) if (bytes[at + i] !== blockMagic[i]) return undefined
  return {
    position: get48(bytes, at + 8),
    length: get32(bytes, at + 16),
    storedLength: blockHeaderSize + get32(bytes, at + 4)
  }
}

/** Whether the block in `bytes[at, at + storedLength)` has the checksum it states. */
export const blockIntact = (bytes: Uint8Array, at: number, storedLength: number): boolean =>
  crc32(bytes.subarray(at + blockHeaderSize, at + storedLength), crc32(bytes.subarray(at, at + 20)))
    === get32(bytes, at + 20)

/** Table and tail. */
export const encodeTableAndTail = (
  entries: ReadonlyArray<BlockEntry>,
  tableAt: number,
  size: number,
  sha256: Uint8Array,
  footerTail: Uint8Array
): Uint8Array => {
  const bytes = new Uint8Array(entries.length * 12 + compressedTailSize)
  entries.forEach(({ position, stored }, i) => {
    put48(bytes, i * 12, position)
    put48(bytes, i * 12 + 6, stored)
  })
  const tail = bytes.subarray(entries.length * 12)
  tail.set(footerTail, 0)
  tail.set(sha256, 128)
  put48(tail, 160, size)
  put48(tail, 166, tableAt)
  put32(tail, 172, entries.length)
  put32(tail, 176, crc32(bytes.subarray(0, entries.length * 12)))
  put32(tail, 244, crc32(tail.subarray(0, 244)))
  tail.set(tailMagic, 248)
  return bytes
}

/** The tail of a compressed segment of `fileSize` bytes; a string says what is wrong. */
export const decodeTail = (bytes: Uint8Array, fileSize: number): CompressedTail | string => {
  if (bytes.length < compressedTailSize) return "the compressed segment is cut short"
  if (Buffer.compare(bytes.subarray(248), tailMagic) !== 0) return "the compressed segment does not end as one"
  if (crc32(bytes.subarray(0, 244)) !== get32(bytes, 244)) return "compressed segment tail checksum"
  const tail: CompressedTail = {
    footerTail: bytes.slice(0, footerTailSize),
    sha256: bytes.slice(128, 160),
    size: get48(bytes, 160),
    tableAt: get48(bytes, 166),
    blocks: get32(bytes, 172),
    tableCrc: get32(bytes, 176)
  }
  const fits = tail.tableAt >= compressedHeaderSize && tail.size >= segmentHeaderSize + footerTailSize
    && tail.tableAt + tail.blocks * 12 + compressedTailSize === fileSize
  return fits ? tail : "compressed segment tail values"
}

/** The table, whose blocks follow one another without gap in both files; a string says what is wrong. */
export const decodeTable = (bytes: Uint8Array, tail: CompressedTail): ReadonlyArray<BlockEntry> | string => {
  if (crc32(bytes) !== tail.tableCrc) return "compressed segment table checksum"
  const entries: Array<BlockEntry> = []
  for (let i = 0; i < tail.blocks; i++) {
    entries.push({ position: get48(bytes, i * 12), stored: get48(bytes, i * 12 + 6) })
  }
  let before: BlockEntry = { position: segmentHeaderSize - 1, stored: compressedHeaderSize - 1 }
  for (const entry of entries) {
    if (entry.position <= before.position || entry.stored <= before.stored) return "compressed segment table order"
    before = entry
  }
  const ends = before.position < tail.size - footerTailSize && before.stored < tail.tableAt
  const first = entries[0]
  const begins = first === undefined || (first.position === segmentHeaderSize && first.stored === compressedHeaderSize)
  return begins && ends ? entries : "compressed segment table values"
}
