/**
 * A checkpoint file: the data as it was after one batch, in the vocabulary and the frames of the log. Its name is
 * `checkpoints/<sequence, 20 digits>.evs`. The header, 128 bytes, little endian:
 *
 *      0  8  magic 89 'E' 'V' 'S' 0D 0A 1A 0A
 *      8  2  format version            10  2  oldest reader that understands it    12  4  header size
 *     16 16  store id                  32 20  replication id                       52  4  epoch
 *     56  8  sequence of the last batch in it      64  8  lsn after that batch     72  8  created, unix ms
 *     80 32  chain value at the last SEAL before that batch
 *    112  4  112+4  key of the hash whose order the entries have: loading is fast under the same key
 *    120  4  reserved                 124  4  crc32 of bytes 0–123
 *
 * BATCHES frames (frame.ts, batch.ts) follow, then one CONTROL frame, the end record, which must be the last bytes:
 *
 *     varint kind (2) | frames | events | databases, each: number, keys, keys with a deadline
 *     32 bytes SHA-256 of everything before the end record
 *
 * The events of a frame may be folded in any order relative to those of other frames. A batch's extension, when there
 * is one, begins with a kind: 1 the access clocks of the entries its events made, one u32 per event.
 */
import { crc32 } from "node:zlib"
import { ByteReader, ByteWriter } from "./events/wire.ts"
import { get16, get32, get64, put16, put32, put64 } from "./frame.ts"
import { formatVersion } from "./segment.ts"

export const checkpointFolder = "checkpoints"
export const checkpointHeaderSize = 128
/** CONTROL kind of the end record. */
export const checkpointEnd = 2
/** Kind of a batch extension: access clocks. */
export const clocksExtension = 1
const magic = [0x89, 0x45, 0x56, 0x53, 0x0d, 0x0a, 0x1a, 0x0a]

/** What a checkpoint says about itself. */
export interface CheckpointHeader {
  readonly storeId: Uint8Array
  readonly replicationId: Uint8Array
  readonly epoch: number
  /** The last batch in it; 0 for an empty log. */
  readonly sequence: number
  /** Lsn of the first frame after that batch. */
  readonly lsn: number
  /** Unix milliseconds. */
  readonly created: number
  readonly chain: Uint8Array
  /** Key of the hash whose order the entries have. */
  readonly hashSeed: { readonly k0: number; readonly k1: number }
}

/** How much one database holds. */
export interface DatabaseCount {
  readonly number: number
  readonly keys: number
  readonly deadlines: number
}

/** What the end record says. */
export interface CheckpointEnd {
  readonly frames: number
  readonly events: number
  readonly databases: ReadonlyArray<DatabaseCount>
  readonly sha256: Uint8Array
}

/** A checkpoint cannot be used: it is damaged, or not of this store. Nothing was changed. */
export class CheckpointUnusable extends Error {
  override readonly name = "CheckpointUnusable"
  /** Whether the file itself is at fault for good, as against a disk that cannot be read or a newer format. */
  readonly damaged: boolean
  constructor(message: string, damaged = true) {
    super(message)
    this.damaged = damaged
  }
}

/** Base name of the checkpoint of a sequence. */
export const checkpointName = (sequence: number): string => `${String(sequence).padStart(20, "0")}.evs`

/** Sequence in a checkpoint's base name; undefined for any other file. */
export const sequenceOfCheckpoint = (base: string): number | undefined => {
  const match = /^([0-9]{20})\.evs$/.exec(base)
  const sequence = match === null ? Number.NaN : Number(match[1])
  return Number.isSafeInteger(sequence) ? sequence : undefined
}

/** The 128 bytes of a header. */
export const encodeCheckpointHeader = (header: CheckpointHeader): Uint8Array => {
  const bytes = new Uint8Array(checkpointHeaderSize)
  bytes.set(magic, 0)
  put16(bytes, 8, formatVersion)
  put16(bytes, 10, formatVersion)
  put32(bytes, 12, checkpointHeaderSize)
  bytes.set(header.storeId, 16)
  bytes.set(header.replicationId, 32)
  put32(bytes, 52, header.epoch)
  put64(bytes, 56, header.sequence)
  put64(bytes, 64, header.lsn)
  put64(bytes, 72, header.created)
  bytes.set(header.chain, 80)
  put32(bytes, 112, header.hashSeed.k0)
  put32(bytes, 116, header.hashSeed.k1)
  put32(bytes, 124, crc32(bytes.subarray(0, 124)))
  return bytes
}

/** Reads a header; throws `CheckpointUnusable` with what is wrong. */
export const decodeCheckpointHeader = (bytes: Uint8Array): CheckpointHeader => {
  if (bytes.length < checkpointHeaderSize) throw new CheckpointUnusable(`a header of ${bytes.length} bytes`)
  if (magic.some((byte, i) => bytes[i] !== byte)) throw new CheckpointUnusable("not a checkpoint file")
  if (crc32(bytes.subarray(0, 124)) !== get32(bytes, 124)) throw new CheckpointUnusable("header checksum")
  const oldestReader = get16(bytes, 10)
  if (oldestReader > formatVersion) {
    throw new CheckpointUnusable(`it needs format ${oldestReader}, this program reads up to ${formatVersion}`, false)
  }
  const header: CheckpointHeader = {
    storeId: bytes.slice(16, 32),
    replicationId: bytes.slice(32, 52),
    epoch: get32(bytes, 52),
    sequence: get64(bytes, 56),
    lsn: get64(bytes, 64),
    created: get64(bytes, 72),
    chain: bytes.slice(80, 112),
    hashSeed: { k0: get32(bytes, 112), k1: get32(bytes, 116) }
  }
  const sane = get32(bytes, 12) === checkpointHeaderSize && Number.isSafeInteger(header.sequence)
    && Number.isSafeInteger(header.lsn)
  if (!sane) throw new CheckpointUnusable("header values")
  return header
}

/** Body of the end record. */
export const encodeCheckpointEnd = (end: CheckpointEnd): Uint8Array => {
  const out = new ByteWriter(256)
  out.varint(checkpointEnd)
  out.varint(end.frames)
  out.varint(end.events)
  out.varint(end.databases.length)
  for (const { deadlines, keys, number } of end.databases) {
    out.varint(number)
    out.varint(keys)
    out.varint(deadlines)
  }
  out.raw(end.sha256, 0, 32)
  return out.toBytes()
}

/** Reads an end record, whose checksum was right; throws `WireError` when it makes no sense. */
export const decodeCheckpointEnd = (from: ByteReader): CheckpointEnd | undefined => {
  if (from.varint() !== checkpointEnd) return undefined
  const frames = from.varint()
  const events = from.varint()
  const databases: Array<DatabaseCount> = []
  for (let left = from.varint(); left > 0; left--) {
    databases.push({ number: from.varint(), keys: from.varint(), deadlines: from.varint() })
  }
  const sha256 = new Uint8Array(32)
  for (let i = 0; i < 32; i++) sha256[i] = from.u8()
  return { frames, events, databases, sha256 }
}
