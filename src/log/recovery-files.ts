/** The files of a log as recovery finds them: segments with readable headers that belong together, and leftovers. */
import type { Disk } from "./disk.ts"
import { type Damage, formatTooNew, logCorrupt } from "./errors.ts"
import { readRetrying } from "./frame-cursor.ts"
import type { Manifest } from "./manifest.ts"
import {
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
  readonly size: number
}

/** Every segment with its header. */
export const findSegments = (disk: Disk): Array<Found> => {
  const found: Array<Found> = []
  for (const base of disk.list("log")) {
    const sequence = sequenceOfName(base)
    if (sequence === undefined) continue
    const name = segmentName(sequence)
    const file = disk.open(name, "read")
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

/** What the manifest calls sealed or active has to be there, and be what it was. */
export const checkAgainstManifest = (found: ReadonlyArray<Found>, manifest: Manifest | undefined): void => {
  if (manifest === undefined) return
  const { sealed, active } = manifest
  const byFirst = new Map(found.map((segment) => [segment.header.firstSequence, segment]))
  for (const { first, lsn, last, end } of [...sealed, { ...active, last: undefined, end: manifest.durableLsn }]) {
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
