/** The files of a log as recovery finds them: segments with readable headers that belong together, and leftovers. */
import { type CompressedFile, isWhole, openCompressed, openSegment } from "./compressed-file.ts"
import type { Disk } from "./disk.ts"
import { type Damage, formatTooNew, LogCorrupt, logCorrupt } from "./errors.ts"
import { readRetrying } from "./frame-cursor.ts"
import type { Manifest } from "./manifest.ts"
import {
  compressedName,
  compressedSequenceOf,
  decodeSegmentHeader,
  formatVersion,
  hex,
  sameBytes,
  type SegmentHeader,
  segmentHeaderSize,
  segmentName,
  sequenceOfName
} from "./segment.ts"

/** A segment file with its header. */
export interface Found {
  readonly name: string
  readonly header: SegmentHeader
  /** Of the segment, also where the file is a compressed one. */
  readonly size: number
}

/** Names of segment files: of a segment there is one, or after an interruption also its compressed form. */
export interface SegmentFiles {
  readonly segments: ReadonlyArray<{ readonly name: string; readonly sequence: number }>
  /** The other file of segments that had two; to be removed once the log is known to be sound. */
  readonly superseded: ReadonlyArray<string>
}

/**
 * The segment files there are, oldest first. Of a segment that is there in both forms the compressed one counts when it
 * proves whole, by the hash taken of the original: then nothing but removing the original was left to do.
 */
export const segmentFiles = (disk: Disk): SegmentFiles => {
  const raw = new Set<number>()
  const compressed = new Set<number>()
  for (const base of disk.list("log")) {
    const sequence = sequenceOfName(base)
    if (sequence !== undefined) raw.add(sequence)
    const folded = compressedSequenceOf(base)
    if (folded !== undefined) compressed.add(folded)
  }
  const superseded: Array<string> = []
  const segments = [...new Set([...raw, ...compressed])].sort((a, b) => a - b).map((sequence) => {
    const [original, folded] = [segmentName(sequence), compressedName(sequence)]
    const both = raw.has(sequence) && compressed.has(sequence)
    const name = both ? (standsFor(disk, folded, original) ? folded : original) : raw.has(sequence) ? original : folded
    if (both) superseded.push(name === folded ? original : folded)
    return { name, sequence }
  })
  return { segments, superseded }
}

/** Whether a compressed segment is whole and was made from a file with the header of this original. */
const standsFor = (disk: Disk, compressed: string, original: string): boolean => {
  let file: CompressedFile
  try {
    file = openCompressed(disk, compressed)
  } catch (error) {
    if (error instanceof LogCorrupt) return false
    throw error
  }
  try {
    const raw = disk.open(original, "read")
    try {
      const headers = [file, raw].map((side) => {
        const bytes = new Uint8Array(segmentHeaderSize)
        return bytes.subarray(0, readRetrying(side, bytes, 0, segmentHeaderSize, 0))
      })
      return sameBytes(headers[0]!, headers[1]!) && file.size() === raw.size() && isWhole(file)
    } finally {
      raw.close()
    }
  } finally {
    file.close()
  }
}

/** Each of these segments with its header. */
export const findSegments = (disk: Disk, files: SegmentFiles): Array<Found> => {
  const found: Array<Found> = []
  for (const { name, sequence } of files.segments) {
    const file = openSegment(disk, name)
    try {
      const size = file.size()
      const bytes = new Uint8Array(segmentHeaderSize)
      const length = readRetrying(file, bytes, 0, segmentHeaderSize, 0)
      const reading = decodeSegmentHeader(bytes.subarray(0, length))
      if (reading.kind === "newer") throw formatTooNew(name, reading.oldestReader, formatVersion)
      const damage = { segment: name, position: 0, lsn: 0, sequence, bytesLost: size }
      if (reading.kind === "bad") throw logCorrupt({ ...damage, reason: reading.reason })
      if (reading.header.firstSequence !== sequence) {
        throw logCorrupt({ ...damage, reason: `the file says that it begins with ${reading.header.firstSequence}` })
      }
      found.push({ name, header: reading.header, size })
    } finally {
      file.close()
    }
  }
  const first = found[0]?.header
  for (const { name, header, size } of found) {
    if (!sameBytes(header.storeId, first!.storeId)) {
      const reason = `the segment belongs to the store ${hex(header.storeId)}, the first one to ${hex(first!.storeId)}`
      throw logCorrupt({ ...damageAt(name, header), reason, bytesLost: size })
    }
  }
  return found
}

const damageAt = (name: string, header: SegmentHeader): Omit<Damage, "reason" | "bytesLost"> => ({
  segment: name,
  position: 0,
  lsn: header.lsn,
  sequence: header.firstSequence
})

/** What the manifest calls sealed or active has to be there, and be what it was; but for what was dropped since. */
export const checkAgainstManifest = (found: ReadonlyArray<Found>, manifest: Manifest | undefined): void => {
  if (manifest === undefined) return
  const { sealed, active } = manifest
  const byFirst = new Map(found.map((segment) => [segment.header.firstSequence, segment]))
  for (const { first, lsn, last, end } of [...sealed, { ...active, last: undefined, end: manifest.durableLsn }]) {
    if (first < (found[0]?.header.firstSequence ?? 0)) continue
    const name = segmentName(first)
    const segment = byFirst.get(first)
    const damage = {
      segment: name,
      position: 0,
      lsn,
      sequence: first,
      lastSequence: last,
      bytesLost: Math.max(0, end - lsn)
    }
    if (segment === undefined) {
      throw logCorrupt({ ...damage, reason: "the manifest names this segment, but it is missing" })
    }
    if (hex(segment.header.storeId) !== manifest.storeId) {
      throw logCorrupt({
        ...damage,
        reason: `the segment belongs to another store than the manifest (${manifest.storeId})`
      })
    }
    if (segment.header.lsn !== lsn) {
      throw logCorrupt({
        ...damage,
        reason: `the segment begins at lsn ${segment.header.lsn}, in the manifest at ${lsn}`
      })
    }
  }
}

/** Leftovers of something that was interrupted; none of them was ever part of the log. */
export const removeTemporaries = (disk: Disk): void => {
  for (const folder of ["", "log", "checkpoints", "quarantine"]) {
    for (const base of disk.list(folder)) {
      if (base.endsWith(".tmp") && (folder !== "" || base.startsWith("MANIFEST"))) {
        disk.unlink(folder === "" ? base : `${folder}/${base}`)
      }
    }
  }
}
