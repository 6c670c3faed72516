/**
 * Compressing a sealed segment (format: compressed-format.ts). Up to the rename nothing depends on the new file:
 *
 *     temporary file written, block by block → fdatasync → read back, unfolded, SHA-256 compared
 *     → rename to .evz → folder fsync → manifest → the original is removed → folder fsync
 *
 * A crash leaves the original, or both, or the compressed one; recovery removes temporaries and, of both, the original
 * once the other has proved whole. Only a segment whose bytes are those its SEAL vouches for is compressed.
 */
import { createHash, type Hash } from "node:crypto"
import { constants, crc32, zstdCompress, zstdDecompress } from "node:zlib"
import { isCompressed, openCompressed } from "./compressed-file.ts"
import {
  type BlockEntry,
  blockHeaderSize,
  blockSize,
  encodeBlockHeader,
  encodeCompressedHeader,
  encodeTableAndTail,
  footerTailSize,
  readBlockHeader
} from "./compressed-format.ts"
import { type Disk, DiskError, type DiskFile } from "./disk.ts"
import { footerCrc, readFooterTail } from "./footer.ts"
import { digestOf, readRetrying } from "./frame-cursor.ts"
import { frameHeaderSize, get32 } from "./frame.ts"
import { type SealedSegment, sealSize } from "./rotation.ts"
import { compressedName, sameBytes, segmentHeaderSize } from "./segment.ts"

/** So much is written before it is synced: a sync of everything at once would hold up that of the log. */
const syncEvery = 1 << 20

/** What compressing needs besides a disk. */
export interface CompressionTools {
  /** zstd of a block. The bytes may be reused once it is done. */
  readonly fold: (bytes: Uint8Array) => Promise<Uint8Array>
  /** Its reverse; `length` is that of the result. */
  readonly unfold: (bytes: Uint8Array, length: number) => Promise<Uint8Array>
  /** Called after each block: leaves the machine to others. False: stop, the work is given up. */
  readonly pause: () => Promise<boolean>
}

/** The segment is not what was sealed, or not ready: it is left as it is. */
export class NotCompressed extends Error {
  override readonly name = "NotCompressed"
  /** Whether trying again makes no sense. */
  readonly final: boolean
  constructor(reason: string, final: boolean) {
    super(reason)
    this.final = final
  }
}

/** zstd on the thread pool, a block in one go. */
export const threadPool: Omit<CompressionTools, "pause"> = {
  fold: (bytes) =>
    new Promise((resolve, reject) => {
      const params = { [constants.ZSTD_c_compressionLevel]: 3 }
      // One chunk for the whole result: each further one is a trip to the pool and back.
      zstdCompress(
        bytes,
        { params, chunkSize: Math.max(1024, bytes.length + (bytes.length >>> 7) + 1024) },
        (error, folded) => error === null ? resolve(folded) : reject(error)
      )
    }),
  unfold: (bytes, length) =>
    new Promise((resolve, reject) => {
      zstdDecompress(bytes, { chunkSize: Math.max(1024, length + 64) }, (error, unfolded) =>
        error === null ? resolve(unfolded) : reject(error))
    })
}

/**
 * Writes the compressed form of a segment beside it under a temporary name, synced and verified; returns its size.
 * Nothing is left behind when it throws: `NotCompressed`, or `DiskError`.
 */
export const compressSegment = async (disk: Disk, segment: SealedSegment, tools: CompressionTools): Promise<number> => {
  const temporary = `${compressedName(segment.header.firstSequence)}.tmp`
  const source = disk.open(segment.name, "read")
  let created = false
  let done = false
  try {
    const size = source.size()
    if (isCompressed(segment.name)) throw new NotCompressed("it is compressed already", true)
    const footer = readFooterTail(source, size)
    if (size !== segment.bytes || footer?.start !== segment.end) {
      throw new NotCompressed("its footer is not complete", false)
    }
    const target = disk.open(temporary, "create")
    created = true
    let written: { readonly stored: number; readonly sha256: Uint8Array }
    try {
      written = await writeCompressed(source, target, size, segment, tools)
    } finally {
      target.close()
    }
    await verify(disk, temporary, size, written.sha256, tools)
    done = true
    return written.stored
  } finally {
    source.close()
    if (created && !done) discard(disk, temporary)
  }
}

/** Gives a compressed segment its name, durably. Throws `DiskError`; then recovery sorts out what is there. */
export const publishCompressed = (disk: Disk, firstSequence: number): string => {
  const name = compressedName(firstSequence)
  try {
    disk.rename(`${name}.tmp`, name)
  } catch (error) {
    discard(disk, `${name}.tmp`)
    throw error
  }
  disk.syncFolder("log")
  return name
}

/** Removes a temporary file, if that can be done; opening the log removes it otherwise. */
export const discard = (disk: Disk, name: string): void => {
  try {
    disk.unlink(name)
  } catch (error) {
    if (!(error instanceof DiskError)) throw error
  }
}

const writeCompressed = async (
  source: DiskFile,
  target: DiskFile,
  size: number,
  segment: SealedSegment,
  tools: CompressionTools
): Promise<{ readonly stored: number; readonly sha256: Uint8Array }> => {
  let stored = 0
  let synced = 0
  const put = async (bytes: Uint8Array): Promise<void> => {
    await new Promise<void>((resolve, reject) =>
      target.writeLater(bytes, 0, bytes.length, stored, (error) => error === undefined ? resolve() : reject(error))
    )
    stored += bytes.length
  }
  const hash = new SealCheck(segment)
  const buffer = new Uint8Array(blockSize)
  take(source, buffer, segmentHeaderSize, 0, segment.name)
  hash.update(buffer.subarray(0, segmentHeaderSize))
  await put(encodeCompressedHeader(buffer))
  const entries: Array<BlockEntry> = []
  const blocksEnd = size - footerTailSize
  let nextFrame = segmentHeaderSize
  for (let position = segmentHeaderSize; position < blocksEnd;) {
    const inFrames = position < segment.end
    const room = Math.min(blockSize, (inFrames ? segment.end : blocksEnd) - position)
    take(source, buffer, room, position, segment.name)
    let length = room
    if (inFrames) {
      const cut = lastBoundary(buffer, room, nextFrame - position)
      length = cut.length
      nextFrame = position + cut.nextFrame
    }
    const bytes = buffer.subarray(0, length)
    hash.update(bytes)
    const folded = await tools.fold(bytes)
    entries.push({ position, stored })
    const block = new Uint8Array(blockHeaderSize + folded.length)
    block.set(encodeBlockHeader(position, length, folded), 0)
    block.set(folded, blockHeaderSize)
    await put(block)
    position += length
    if (stored - synced >= syncEvery) {
      await datasync(target)
      synced = stored
    }
    if (!await tools.pause()) throw new NotCompressed("it was interrupted", false)
  }
  take(source, buffer, footerTailSize, blocksEnd, segment.name)
  const footerTail = buffer.slice(0, footerTailSize)
  hash.update(footerTail)
  const sha256 = hash.finish(footerTail)
  await put(encodeTableAndTail(entries, stored, size, sha256, footerTail))
  await datasync(target)
  return { stored, sha256 }
}

/** SHA-256 of a segment in passing, held against that in its SEAL, and the footer's checksum against its tail. */
class SealCheck {
  private readonly segment: SealedSegment
  private readonly hash: Hash = createHash("sha256")
  private position = 0
  private sealed: Uint8Array | undefined = undefined
  private footer = 0

  constructor(segment: SealedSegment) {
    this.segment = segment
  }

  update(bytes: Uint8Array): void {
    const sealAt = this.segment.end - sealSize - this.position
    const inFooter = this.position >= this.segment.end && this.position < this.segment.bytes - footerTailSize
    if (inFooter) this.footer = crc32(bytes, this.footer)
    this.position += bytes.length
    if (this.sealed === undefined && sealAt <= bytes.length) {
      this.hash.update(bytes.subarray(0, sealAt))
      this.sealed = digestOf(this.hash)
      this.hash.update(bytes.subarray(sealAt))
    } else this.hash.update(bytes)
  }

  /** The hash of everything. Throws `NotCompressed` when the segment is not what was sealed. */
  finish(footerTail: Uint8Array): Uint8Array {
    if (this.footer !== footerCrc(footerTail)) throw new NotCompressed("its footer is damaged", true)
    if (this.sealed === undefined || !sameBytes(this.sealed, this.segment.summary.sha256)) {
      throw new NotCompressed("its bytes are not those that were sealed: it is damaged", true)
    }
    return this.hash.digest()
  }
}

/**
 * How many of the `length` bytes end with a frame, where the first frame that begins here stands at `at`; all of them
 * when no frame ends here. `nextFrame` is where the frame after them begins. Lengths are taken on trust: the SEAL tells in
 * the end whether they were right.
 */
const lastBoundary = (
  bytes: Uint8Array,
  length: number,
  at: number
): { readonly length: number; readonly nextFrame: number } => {
  let last = 0
  while (at <= length) {
    last = at
    const frame = at + 8 <= length ? get32(bytes, at + 4) : 0
    if (frame < frameHeaderSize) break
    at += frame
  }
  return last > 0 ? { length: last, nextFrame: last } : { length, nextFrame: Math.max(at, length) }
}

/** Reads back what was written and compares what it unfolds to. */
const verify = async (
  disk: Disk,
  name: string,
  size: number,
  sha256: Uint8Array,
  tools: CompressionTools
): Promise<void> => {
  const file = openCompressed(disk, name)
  try {
    const hash = createHash("sha256")
    const ends = new Uint8Array(segmentHeaderSize)
    hash.update(ends.subarray(0, file.read(ends, 0, segmentHeaderSize, 0)))
    for (const { position, stored } of file.blocks) {
      const folded = file.folded(position, stored)
      const bytes = await tools.unfold(folded.subarray(blockHeaderSize), readBlockHeader(folded, 0)!.length)
      hash.update(bytes)
      if (!await tools.pause()) throw new NotCompressed("it was interrupted", false)
    }
    hash.update(ends.subarray(0, file.read(ends, 0, footerTailSize, size - footerTailSize)))
    if (file.size() !== size || !sameBytes(hash.digest(), sha256)) {
      throw new DiskError("EIO", "read", name, "what was compressed does not unfold to what it was")
    }
  } finally {
    file.close()
  }
}

const take = (file: DiskFile, bytes: Uint8Array, length: number, position: number, name: string): void => {
  if (readRetrying(file, bytes, 0, length, position) !== length) {
    throw new DiskError("EIO", "read", name, "the file is shorter than it should be")
  }
}

const datasync = (file: DiskFile): Promise<void> =>
  new Promise((resolve, reject) => file.datasync((error) => error === undefined ? resolve() : reject(error)))
