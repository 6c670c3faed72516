/** Reading compressed segments: a file that shows the bytes of the segment it was made from, and the way to open either kind. */
import { createHash } from "node:crypto"
import { zstdDecompressSync } from "node:zlib"
import {
  type BlockEntry,
  blockHeaderSize,
  blockIntact,
  blockSize,
  compressedHeaderSize,
  type CompressedTail,
  compressedTailSize,
  decodeCompressedHeader,
  decodeTable,
  decodeTail,
  footerTailSize,
  readBlockHeader
} from "./compressed-format.ts"
import { type Disk, DiskError, type DiskFile } from "./disk.ts"
import { formatTooNew, logCorrupt } from "./errors.ts"
import { readRetrying } from "./frame-cursor.ts"
import { compressedSequenceOf, formatVersion, sameBytes, segmentHeaderSize } from "./segment.ts"

/** Where the blocks of a compressed segment are, and the parts of the segment that stand in it as they were. */
interface Layout {
  readonly header: Uint8Array
  readonly entries: ReadonlyArray<BlockEntry>
  readonly blocksEnd: number
  /** Length of the segment. */
  readonly size: number
  readonly footerTail: Uint8Array
  readonly sha256: Uint8Array | undefined
}

/**
 * A sealed segment read out of its compressed form: positions and lengths are those of the segment. Damage shows as
 * `DiskError` EIO, like a block the disk cannot read. Read-only.
 */
export class CompressedFile implements DiskFile {
  /** More than a block ahead would be unfolded for nothing when only a frame is wanted. */
  readonly readAhead = blockSize
  private readonly file: DiskFile
  private readonly name: string
  private readonly layout: Layout
  /** Block unfolded last. */
  private held: { readonly index: number; readonly bytes: Uint8Array } | undefined = undefined

  constructor(file: DiskFile, name: string, layout: Layout) {
    this.file = file
    this.name = name
    this.layout = layout
  }

  size(): number {
    return this.layout.size
  }

  /** Bytes it takes on disk. */
  storedSize(): number {
    return this.file.size()
  }

  /** Where each block begins, in the segment and in the file. */
  get blocks(): ReadonlyArray<BlockEntry> {
    return this.layout.entries
  }

  /** A block as stored, checked. Throws `DiskError` EIO when it is damaged. */
  folded(position: number, stored: number): Uint8Array {
    const { blocksEnd, entries } = this.layout
    const index = this.indexAt(position)
    return readFolded(this.file, this.name, position, stored, entries[index + 1]?.stored ?? blocksEnd)
  }

  /** SHA-256 of the segment as it was; undefined where damage has taken it. */
  get sha256(): Uint8Array | undefined {
    return this.layout.sha256
  }

  read(bytes: Uint8Array, start: number, length: number, position: number): number {
    const { entries, footerTail, header, size } = this.layout
    const wanted = Math.max(0, Math.min(length, size - position))
    const tailAt = size - footerTail.length
    for (let done = 0; done < wanted;) {
      const at = position + done
      let from: Uint8Array
      let base: number
      if (at < segmentHeaderSize) {
        from = header
        base = 0
      } else if (at >= tailAt) {
        from = footerTail
        base = tailAt
      } else {
        const index = this.indexAt(at)
        from = this.block(index, at)
        base = entries[index]!.position
      }
      const part = Math.min(wanted - done, base + from.length - at)
      if (part <= 0) throw this.damaged(`nothing holds byte ${at} of the segment`)
      bytes.set(from.subarray(at - base, at - base + part), start + done)
      done += part
    }
    return wanted
  }

  write(): number {
    throw new DiskError("EROFS", "write", this.name, "a compressed segment never changes")
  }

  writeLater(): void {
    this.write()
  }

  datasync(done: (error: DiskError | undefined) => void): void {
    this.file.datasync(done)
  }

  sync(): void {
    this.file.sync()
  }

  truncate(): void {
    throw new DiskError("EROFS", "truncate", this.name, "a compressed segment never changes")
  }

  close(): void {
    this.file.close()
  }

  /** The last block that begins at or before a position; -1 when there is none. */
  private indexAt(position: number): number {
    const { entries } = this.layout
    let low = 0
    let high = entries.length
    while (low < high) {
      const middle = (low + high) >>> 1
      if (entries[middle]!.position <= position) low = middle + 1
      else high = middle
    }
    return low - 1
  }

  private block(index: number, at: number): Uint8Array {
    if (this.held?.index === index) return this.held.bytes
    const { blocksEnd, entries } = this.layout
    const entry = entries[index]
    if (entry === undefined) throw this.damaged(`nothing holds byte ${at} of the segment`)
    const bytes = unfold(this.file, this.name, entry, entries[index + 1]?.stored ?? blocksEnd)
    this.held = { index, bytes }
    return bytes
  }

  private damaged(detail: string): DiskError {
    return new DiskError("EIO", "read", this.name, detail)
  }
}

/** A block's bytes as they were. Throws `DiskError` EIO when it is damaged. */
const unfold = (file: DiskFile, name: string, { position, stored }: BlockEntry, end: number): Uint8Array => {
  const folded = readFolded(file, name, position, stored, end)
  const { length } = readBlockHeader(folded, 0)!
  try {
    // One chunk for all of it: of many small ones most of the time would go into joining them.
    const options = { maxOutputLength: Math.max(1, length), chunkSize: Math.max(64, length) }
    const bytes = zstdDecompressSync(folded.subarray(blockHeaderSize), options)
    if (bytes.length === length) return bytes
  } catch {
    // Said below: the checksum fits, so somebody wrote it like that.
  }
  throw new DiskError("EIO", "read", name, `the block at byte ${stored} does not unfold`)
}

/** A block as stored, checked against its checksum. Throws `DiskError` EIO when it is damaged. */
const readFolded = (file: DiskFile, name: string, position: number, stored: number, end: number): Uint8Array => {
  const bytes = new Uint8Array(end - stored)
  const read = readRetrying(file, bytes, 0, bytes.length, stored)
  const block = read === bytes.length ? readBlockHeader(bytes, 0) : undefined
  const intact = block !== undefined && block.storedLength <= bytes.length && block.position === position
    && blockIntact(bytes, 0, block.storedLength)
  if (!intact) throw new DiskError("EIO", "read", name, `checksum of the block at byte ${stored}`)
  return bytes.subarray(0, block.storedLength)
}

/** Reads table and tail: the layout, or what is wrong. */
const layoutOf = (file: DiskFile, header: Uint8Array): Layout | string => {
  const fileSize = file.size()
  const bytes = new Uint8Array(Math.min(fileSize, compressedTailSize))
  const read = readRetrying(file, bytes, 0, bytes.length, fileSize - bytes.length)
  const tail: CompressedTail | string = decodeTail(bytes.subarray(0, read), fileSize)
  if (typeof tail === "string") return tail
  const table = new Uint8Array(tail.blocks * 12)
  if (readRetrying(file, table, 0, table.length, tail.tableAt) !== table.length) return "the table cannot be read"
  const entries = decodeTable(table, tail)
  if (typeof entries === "string") return entries
  return { header, entries, blocksEnd: tail.tableAt, size: tail.size, footerTail: tail.footerTail, sha256: tail.sha256 }
}

/** Opens a sealed segment of either kind for reading. Throws `LogCorrupt`, `LogFormatTooNew` or `DiskError`. */
export const openSegment = (disk: Disk, name: string): DiskFile =>
  isCompressed(name) ? openCompressed(disk, name) : disk.open(name, "read")

/** Whether a segment file's name is that of a compressed one. */
export const isCompressed = (name: string): boolean =>
  compressedSequenceOf(name.slice(name.lastIndexOf("/") + 1)) !== undefined

/** Opens a compressed segment. Throws `LogCorrupt` when head, table or tail are damaged, `LogFormatTooNew`, `DiskError`. */
export const openCompressed = (disk: Disk, name: string): CompressedFile => {
  const file = disk.open(name, "read")
  try {
    const head = new Uint8Array(compressedHeaderSize)
    const header = decodeCompressedHeader(head.subarray(0, readRetrying(file, head, 0, head.length, 0)))
    if (typeof header === "number") throw formatTooNew(name, header, formatVersion)
    const layout = typeof header === "string" ? header : layoutOf(file, header)
    if (typeof layout === "string") {
      throw logCorrupt({
        reason: layout,
        segment: name,
        position: 0,
        lsn: 0,
        sequence: compressedSequenceOf(name.slice(name.lastIndexOf("/") + 1)) ?? 1,
        bytesLost: file.size()
      })
    }
    return new CompressedFile(file, name, layout)
  } catch (error) {
    file.close()
    throw error
  }
}

/**
 * Opens what is left of a compressed segment: where the table is damaged, the blocks that are whole are found one by
 * one. Never refuses; bytes that no block holds read as EIO. Takes over `file`.
 */
export const salvageCompressed = (file: DiskFile, name: string): CompressedFile => {
  const stored = new Uint8Array(file.size())
  const length = readRetrying(file, stored, 0, stored.length, 0)
  const header = decodeCompressedHeader(stored.subarray(0, Math.min(length, compressedHeaderSize)))
  const segmentHeader = header instanceof Uint8Array ? header : new Uint8Array(segmentHeaderSize)
  const layout = layoutOf(file, segmentHeader)
  if (typeof layout !== "string") return new CompressedFile(file, name, layout)
  const entries: Array<BlockEntry> = []
  let size = segmentHeaderSize
  let blocksEnd = compressedHeaderSize
  for (let at = compressedHeaderSize; at + blockHeaderSize <= length;) {
    const block = readBlockHeader(stored, at)
    const whole = block !== undefined && at + block.storedLength <= length &&
      blockIntact(stored, at, block.storedLength)
    if (!whole || block.position < size) {
      at++
      continue
    }
    entries.push({ position: block.position, stored: at })
    size = block.position + block.length
    at += block.storedLength
    blocksEnd = at
  }
  const tail = stored.subarray(Math.max(0, length - compressedTailSize), length)
  const known = decodeTail(tail, file.size())
  if (typeof known !== "string") size = Math.max(size + footerTailSize, known.size)
  return new CompressedFile(file, name, {
    header: segmentHeader,
    entries,
    blocksEnd,
    size,
    footerTail: typeof known === "string" ? new Uint8Array(0) : known.footerTail,
    sha256: undefined
  })
}

/** Whether a compressed segment unfolds to what was compressed, every byte, by its SHA-256. Reads and unfolds all of it. */
export const isWhole = (file: CompressedFile): boolean => {
  const hash = createHash("sha256")
  const buffer = new Uint8Array(blockSize)
  try {
    for (let position = 0; position < file.size();) {
      const read = file.read(buffer, 0, buffer.length, position)
      hash.update(buffer.subarray(0, read))
      position += read
    }
  } catch (error) {
    if (error instanceof DiskError && error.code === "EIO") return false
    throw error
  }
  return file.sha256 !== undefined && sameBytes(hash.digest(), file.sha256)
}
