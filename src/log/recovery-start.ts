/**
 * Where a log begins. One whose first segment is not that of sequence 1 has lost its beginning to retention or to damage,
 * and only a record of the drop tells which: the manifest's, or a CONTROL record further on in the log itself.
 */
import { openSegment } from "./compressed-file.ts"
import type { Disk } from "./disk.ts"
import { type DroppedSegment, readDrop } from "./drop-record.ts"
import { logCorrupt } from "./errors.ts"
import { FrameCursor } from "./frame-cursor.ts"
import { frameType } from "./frame.ts"
import type { Manifest } from "./manifest.ts"
import type { Found } from "./recovery-files.ts"
import type { SealedSegment } from "./rotation.ts"
import { hex, sameBytes, segmentHeaderSize } from "./segment.ts"

/** The segments that count, and those that were dropped but are still there. */
export interface Beginning {
  readonly found: Array<Found>
  readonly dropped: ReadonlyArray<string>
}

/** Throws `LogCorrupt` when segments are missing at the start that nobody dropped. */
export const beginningOf = (disk: Disk, all: Array<Found>, manifest: Manifest | undefined): Beginning => {
  const oldest = manifest?.oldest ?? 1
  const begin = all.findIndex(({ header }) => header.firstSequence === oldest)
  const vouched = begin >= 0 && manifest?.start !== undefined && hex(all[begin]!.header.chain) === manifest.start.chain
  const found = vouched ? all.slice(begin) : all
  const dropped = vouched ? all.slice(0, begin).map(({ name }) => name) : []
  const first = found[0]
  if (first === undefined || vouched || first.header.firstSequence === 1) return { found, dropped }
  const { header, name } = first
  // A log that a salvage began later says so in its manifest, and has no chain value from before.
  if (manifest !== undefined && manifest.start === undefined && oldest === header.firstSequence) {
    return { found, dropped }
  }
  if (recordBefore(disk, found)) return { found, dropped }
  throw logCorrupt({
    reason:
      `the log begins with sequence ${header.firstSequence}, and no record says that what came before was dropped`,
    segment: name,
    position: 0,
    lsn: 0,
    sequence: 1,
    lastSequence: header.firstSequence - 1,
    timeAfter: header.created,
    bytesLost: header.lsn
  })
}

/** Whether the log holds the record of dropping the segment right before its first. Reads from the newest segment on. */
const recordBefore = (disk: Disk, found: ReadonlyArray<Found>): boolean => {
  const { header } = found[0]!
  for (const { name, size } of found.toReversed()) {
    const file = openSegment(disk, name)
    try {
      const cursor = new FrameCursor(file, segmentHeaderSize, size)
      while (cursor.advance() === "frame") { // what follows the frames is a footer, or will be reported later
        if (cursor.header.type !== frameType.control) continue
        const drop = readDrop(cursor.bytes, cursor.at, cursor.header)
        if (drop === undefined || drop.last + 1 !== header.firstSequence || drop.endLsn !== header.lsn) continue
        if (sameBytes(drop.chain, header.chain)) return true
      }
    } finally {
      file.close()
    }
  }
  return false
}

/** How many of the oldest sealed segments these records say were dropped, of those that end with `covered` at the latest. */
export const alreadyDropped = (
  sealed: ReadonlyArray<SealedSegment>,
  records: ReadonlyArray<DroppedSegment>,
  covered: number
): number => {
  let count = 0
  const matches = ({ header, summary }: SealedSegment) => (drop: DroppedSegment): boolean =>
    drop.first === header.firstSequence && drop.last === summary.lastSequence && sameBytes(drop.chain, summary.chain)
  const goes = (segment: SealedSegment): boolean =>
    segment.summary.lastSequence <= covered && records.some(matches(segment))
  while (count < sealed.length && goes(sealed[count]!)) count++
  return count
}
