/** What a salvage finds in a damaged data directory: segment files, whose they are, and where each belongs. */
import { isCompressed, salvageCompressed } from "../log/compressed-file.ts"
import { type Disk, DiskError, type DiskFile } from "../log/disk.ts"
import { formatTooNew } from "../log/errors.ts"
import { type Manifest, readManifest } from "../log/manifest.ts"
import {
  compressedName,
  compressedSequenceOf,
  decodeSegmentHeader,
  formatVersion,
  hex,
  type SegmentHeader,
  segmentHeaderSize,
  segmentName,
  sequenceOfName
} from "../log/segment.ts"

/** Disks lose whole blocks of this many bytes. */
const blockSize = 4096

/** A segment file, as far as it can be told. */
export interface Source {
  readonly name: string
  readonly size: number
  /** Undefined when it cannot be read; then `trouble` says why. */
  readonly header: SegmentHeader | undefined
  readonly trouble: string | undefined
  /** First sequence by the header; without one, by the name. */
  readonly first: number
  /** Lsn of the first frame, when the header or the manifest tells. */
  readonly lsn: number | undefined
  /** Nothing of it is taken: it belongs to another store. */
  readonly foreign: boolean
}

/** A data directory as found. */
export interface Sources {
  readonly manifest: Manifest | undefined
  /** Oldest first. */
  readonly segments: ReadonlyArray<Source>
  /** Undefined when neither a header nor a manifest can be read. */
  readonly storeId: Uint8Array | undefined
}

/** A file whose unreadable blocks read as zeros, which no checksum takes for anything. */
export const patient = (file: DiskFile): DiskFile => ({
  write: (bytes, start, length, position) => file.write(bytes, start, length, position),
  writeLater: (bytes, start, length, position, done) => file.writeLater(bytes, start, length, position, done),
  datasync: (done) => file.datasync(done),
  sync: () => file.sync(),
  size: () => file.size(),
  truncate: (size) => file.truncate(size),
  close: () => file.close(),
  read: (bytes, start, length, position) => {
    try {
      return file.read(bytes, start, length, position)
    } catch (error) {
      if (!isUnreadable(error)) throw error
    }
    const wanted = Math.max(0, Math.min(length, file.size() - position))
    for (let done = 0; done < wanted;) {
      const part = Math.min(wanted - done, blockSize - (position + done) % blockSize)
      try {
        file.read(bytes, start + done, part, position + done)
      } catch (error) {
        if (!isUnreadable(error)) throw error
        bytes.fill(0, start + done, start + done + part)
      }
      done += part
    }
    return wanted
  }
})

const isUnreadable = (error: unknown): boolean => error instanceof DiskError && error.code === "EIO"

/**
 * Looks at the manifest and at every segment's header. Throws `LogFormatTooNew` when one of them was written in a newer
 * format, `DiskError` when a file cannot be opened.
 */
export const findSources = (disk: Disk): Sources => {
  const reading = readManifest(disk)
  if (reading.kind === "newer") throw formatTooNew("MANIFEST", reading.oldestReader, formatVersion)
  const manifest = reading.kind === "manifest" ? reading.manifest : undefined
  const lsns = new Map<number, number>()
  if (manifest !== undefined) {
    for (const { first, lsn } of [...manifest.sealed, manifest.active]) lsns.set(first, lsn)
  }
  const found: Array<Source> = []
  for (const base of disk.list("log")) {
    const sequence = sequenceOfName(base)
    if (sequence !== undefined) found.push(lookAt(disk, segmentName(sequence), sequence, lsns.get(sequence)))
    const folded = compressedSequenceOf(base)
    if (folded !== undefined) found.push(lookAt(disk, compressedName(folded), folded, lsns.get(folded)))
  }
  const storeId = manifest?.storeId ?? mostFrequent(found)
  const segments = found.map((source) => {
    const own = source.header === undefined ? undefined : hex(source.header.storeId)
    return own === undefined || own === storeId
      ? source
      : { ...source, foreign: true, trouble: `it belongs to the store ${own}` }
  })
  // A copy under another name comes after the file that bears the right one.
  const misnamed = ({ first, name }: Source): number =>
    name === segmentName(first) ? 0 : name === compressedName(first) ? 1 : 2
  segments.sort((a, b) => a.first - b.first || misnamed(a) - misnamed(b))
  return { manifest, segments, storeId: storeId === undefined ? undefined : Buffer.from(storeId, "hex") }
}

/** Opens a segment file of either kind; what cannot be read of it reads as zeros. */
export const openPatiently = (disk: Disk, name: string): DiskFile => {
  const file = patient(disk.open(name, "read"))
  return isCompressed(name) ? patient(salvageCompressed(file, name)) : file
}

const lookAt = (disk: Disk, name: string, sequence: number, lsn: number | undefined): Source => {
  const file = openPatiently(disk, name)
  try {
    const size = file.size()
    const bytes = new Uint8Array(segmentHeaderSize)
    const reading = decodeSegmentHeader(bytes.subarray(0, file.read(bytes, 0, segmentHeaderSize, 0)))
    if (reading.kind === "newer") throw formatTooNew(name, reading.oldestReader, formatVersion)
    if (reading.kind === "bad") {
      return { name, size, header: undefined, trouble: reading.reason, first: sequence, lsn, foreign: false }
    }
    const { header } = reading
    return { name, size, header, trouble: undefined, first: header.firstSequence, lsn: header.lsn, foreign: false }
  } finally {
    file.close()
  }
}

/** The store most headers name; of several, the one found first. */
const mostFrequent = (found: ReadonlyArray<Source>): string | undefined => {
  const votes = new Map<string, number>()
  for (const { header } of found) {
    if (header === undefined) continue
    const id = hex(header.storeId)
    votes.set(id, (votes.get(id) ?? 0) + 1)
  }
  let best: string | undefined
  for (const [id, count] of votes) if (best === undefined || count > votes.get(best)!) best = id
  return best
}
