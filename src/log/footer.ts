/**
 * Footer of a sealed segment: what spares reading all of it. It stands right after the last frame and never changes.
 *
 *     magic 89 'E' 'V' 'I' 0D 0A 1A 0A: no frame begins like that
 *     sparse index    4 entries, then per entry   6 time  6 sequence  6 position
 *     sessions        4 entries, then per entry   4 ref   6 position of the frame that defines it
 *     key filter      see key-filter.ts
 *     type counts     4 entries, then per entry   4 event number  6 events
 *     block keys      see block-keys.ts; none in footers that were written before there were any. Who does not know of
 *                     them reads over them: nothing before them says where the type counts end
 *     tail, 128 bytes:
 *       0 32  chain value at the end of the segment
 *      32 32  sha256 of the segment before its last SEAL
 *      64  6  first sequence      70 6 last sequence (first - 1: none)
 *      76  6  first time          82 6 last time, unix ms
 *      88  4  length of the footer, tail included
 *      92  4  offset of the sessions  96 4 of the key filter  100 4 of the type counts, from the footer's start
 *     104  2  version            106 2 flags: 1 sessions, keys and counts may be incomplete, 2 GAP frames
 *     108  4  offset of the block keys; 0: none
 *     112  4  crc32 of the footer before the tail
 *     116  4  crc32 of bytes 0–115 of the tail
 *     120  8  magic 89 'E' 'V' 'F' 0D 0A 1A 0A
 */
import { crc32 } from "node:zlib"
import { BlockKeys } from "./block-keys.ts"
import type { DiskFile } from "./disk.ts"
import { ByteReader, ByteWriter, WireError } from "./events/wire.ts"
import { readRetrying } from "./frame-cursor.ts"
import { get16, get32, get48, put16, put32, put48 } from "./frame.ts"
import { KeyFilter } from "./key-filter.ts"
import type { IndexEntry, SegmentDirectory, SegmentIndex, SessionEntry } from "./segment-index.ts"
import { formatVersion, segmentHeaderSize } from "./segment.ts"

const tailSize = 128
const headMagic = Buffer.from([0x89, 0x45, 0x56, 0x49, 0x0d, 0x0a, 0x1a, 0x0a])
const tailMagic = Buffer.from([0x89, 0x45, 0x56, 0x46, 0x0d, 0x0a, 0x1a, 0x0a])

/** The facts in a footer's tail: enough to open a log. */
export interface SegmentSummary {
  readonly chain: Uint8Array
  readonly sha256: Uint8Array
  readonly firstSequence: number
  /** `firstSequence - 1` when the segment holds no batch. */
  readonly lastSequence: number
  readonly firstTime: number
  readonly lastTime: number
  /** Whether there are GAP frames. */
  readonly gaps: boolean
}

/** A footer read in full. */
export interface Footer extends SegmentDirectory {
  readonly summary: SegmentSummary
  readonly filter: KeyFilter
  readonly counts: ReadonlyMap<number, number>
  /** See `readBlockKeys`; undefined in a footer without them. */
  readonly blockKeys: ReadBlockKeys | undefined
}

/** Keys of the blocks between the entries, and the checksum of the bytes they were read from. */
export interface ReadBlockKeys {
  readonly keys: BlockKeys
  readonly crc: number
}

/** Reads the block keys of a footer of so many entries; undefined when they are not understood. */
export const readBlockKeys = (bytes: Uint8Array, entries: number): ReadBlockKeys | undefined => {
  try {
    const keys = BlockKeys.decode(bytes)
    return keys?.length === entries ? { keys, crc: crc32(bytes) } : undefined
  } catch (error) {
    if (error instanceof WireError) return undefined
    throw error
  }
}

/** Whether bytes after the last frame are the beginning of a footer; "E" and "EV" may as well begin a frame. */
export const beginsFooter = (bytes: Uint8Array): boolean =>
  bytes.length > 2 && Buffer.compare(bytes.subarray(0, 8), headMagic.subarray(0, Math.min(8, bytes.length))) === 0

/** A footer about to be written: what stands before its tail, in parts that follow one another, and the tail to a crc32 of these. */
export interface FooterParts {
  readonly body: ReadonlyArray<Uint8Array>
  readonly tail: (bodyCrc: number) => Uint8Array
}

/**
 * The footer of a segment whose index is `index`. The megabytes of its filters are not copied. Uses up the index's key
 * filter.
 */
export const footerParts = (summary: SegmentSummary, index: SegmentIndex): FooterParts => {
  const head = new ByteWriter(18 * index.entries.length + 10 * index.sessions.length + 64)
  head.raw(headMagic, 0, 8)
  head.u32(index.entries.length)
  for (const { time, sequence, position } of index.entries) {
    head.u48(time)
    head.u48(sequence)
    head.u48(position)
  }
  const sessionsAt = head.length
  const sessions = [...index.sessions].sort((a, b) => a.position - b.position)
  head.u32(sessions.length)
  for (const { ref, position } of sessions) {
    head.u32(ref)
    head.u48(position)
  }
  const filter = index.filter.seal()
  const end = new ByteWriter(1024)
  const counts = index.typeCounts()
  end.u32(counts.length)
  for (const [number, count] of counts) {
    end.u32(number)
    end.u48(count)
  }
  const blockKeys = index.complete && index.blockKeys.length === index.entries.length ? index.blockKeys.encode() : []
  const filterAt = head.length
  const countsAt = filterAt + filter.length
  const blockKeysAt = countsAt + end.length
  const body = [head.toBytes(), filter, end.toBytes(), ...blockKeys]
  const tail = (bodyCrc: number): Uint8Array => {
    const bytes = new Uint8Array(tailSize)
    bytes.set(summary.chain, 0)
    bytes.set(summary.sha256, 32)
    put48(bytes, 64, summary.firstSequence)
    put48(bytes, 70, summary.lastSequence)
    put48(bytes, 76, summary.firstTime)
    put48(bytes, 82, summary.lastTime)
    put32(bytes, 88, body.reduce((sum, part) => sum + part.length, tailSize))
    put32(bytes, 92, sessionsAt)
    put32(bytes, 96, filterAt)
    put32(bytes, 100, countsAt)
    put16(bytes, 104, formatVersion)
    put16(bytes, 106, (index.complete ? 0 : 1) | (summary.gaps ? 2 : 0))
    put32(bytes, 108, blockKeys.length === 0 ? 0 : blockKeysAt)
    put32(bytes, 112, bodyCrc)
    put32(bytes, 116, crc32(bytes.subarray(0, 116)))
    bytes.set(tailMagic, 120)
    return bytes
  }
  return { body, tail }
}

/** The same in one piece. */
export const encodeFooter = (summary: SegmentSummary, index: SegmentIndex): Uint8Array => {
  const { body, tail } = footerParts(summary, index)
  return Buffer.concat([...body, tail(body.reduce((crc, part) => crc32(part, crc), 0))])
}

/** A footer's tail and where the footer begins, which is where the frames end. */
export interface FooterTail {
  readonly summary: SegmentSummary
  readonly start: number
  readonly bytes: Uint8Array
}

/** Reads the tail at the end of a segment file of `size` bytes; undefined when no valid one is there. */
export const readFooterTail = (file: DiskFile, size: number): FooterTail | undefined => {
  if (size < segmentHeaderSize + tailSize) return undefined
  const bytes = new Uint8Array(tailSize)
  if (readRetrying(file, bytes, 0, tailSize, size - tailSize) !== tailSize) return undefined
  if (Buffer.compare(bytes.subarray(120), tailMagic) !== 0) return undefined
  if (crc32(bytes.subarray(0, 116)) !== get32(bytes, 116)) return undefined
  const length = get32(bytes, 88)
  const start = size - length
  if (length < tailSize + 8 || start < segmentHeaderSize || start % 8 !== 0) return undefined
  const summary: SegmentSummary = {
    chain: bytes.slice(0, 32),
    sha256: bytes.slice(32, 64),
    firstSequence: get48(bytes, 64),
    lastSequence: get48(bytes, 70),
    firstTime: get48(bytes, 76),
    lastTime: get48(bytes, 82),
    gaps: (get16(bytes, 106) & 2) !== 0
  }
  return { summary, start, bytes }
}

/** Where the key filter stands in the segment. */
export const filterPosition = ({ bytes, start }: FooterTail): number => start + get32(bytes, 96)

/** Where the block keys stand in the segment, and how long they are; undefined where there are none. */
export const blockKeysPosition = ({ bytes, start }: FooterTail): { at: number; length: number } | undefined => {
  const offset = get32(bytes, 108)
  const length = get32(bytes, 88) - tailSize - offset
  return offset === 0 || length < 0 ? undefined : { at: start + offset, length }
}

/** The checksum a footer's tail states for what stands before it. */
export const footerCrc = (tail: Uint8Array): number => get32(tail, 112)

/** Reads a whole footer; undefined when there is none or it is damaged: it can be rebuilt from the frames. */
export const readFooter = (file: DiskFile, size: number): Footer | undefined => {
  const tail = readFooterTail(file, size)
  if (tail === undefined) return undefined
  const bytes = new Uint8Array(size - tailSize - tail.start)
  if (readRetrying(file, bytes, 0, bytes.length, tail.start) !== bytes.length) return undefined
  if (crc32(bytes) !== get32(tail.bytes, 112)) return undefined
  try {
    return parseFooter(tail, bytes)
  } catch (error) {
    if (error instanceof WireError) return undefined
    throw error
  }
}

const parseFooter = (tail: FooterTail, bytes: Uint8Array): Footer => {
  const section = (at: number, entrySize: number): [ByteReader, number] => {
    const reader = new ByteReader(bytes, Math.min(at, bytes.length))
    const count = reader.u32()
    if (count * entrySize > bytes.length - reader.offset) throw new WireError("footer section size")
    return [reader, count]
  }
  const entries: Array<IndexEntry> = []
  const [index, frames] = section(8, 18)
  for (let i = 0; i < frames; i++) entries.push({ time: index.u48(), sequence: index.u48(), position: index.u48() })
  const sessions: Array<SessionEntry> = []
  const [refs, definitions] = section(get32(tail.bytes, 92), 10)
  for (let i = 0; i < definitions; i++) sessions.push({ ref: refs.u32(), position: refs.u48() })
  const counts = new Map<number, number>()
  const [numbers, types] = section(get32(tail.bytes, 100), 10)
  for (let i = 0; i < types; i++) counts.set(numbers.u32(), numbers.u48())
  const filter = bytes.subarray(get32(tail.bytes, 96), get32(tail.bytes, 100))
  KeyFilter.check(filter)
  const blockKeysAt = get32(tail.bytes, 108)
  const blockKeys = blockKeysAt === 0 ? undefined : bytes.subarray(Math.min(blockKeysAt, bytes.length))
  return {
    summary: tail.summary,
    entries,
    sessions,
    counts,
    // Of megabytes each: most readers want neither.
    get filter() {
      return KeyFilter.read(filter)
    },
    get blockKeys() {
      return blockKeys === undefined ? undefined : readBlockKeys(blockKeys, entries.length)
    },
    complete: (get16(tail.bytes, 106) & 1) === 0
  }
}
