/**
 * GAP frames: what a salvage could not keep. The header's sequence is the first missing one; the body:
 *
 *     number of sequences missing | bytes lost | why, as text
 *     | 1 | lsn from + 1 | lsn to + 1 | time before | time after | number of places, each: segment | from | to | why
 *
 * Numbers are varints, texts UTF-8 with their length; 0 stands for a fact nobody knows. The second line may be absent:
 * padding, which is zeros, stands in its place.
 */
import { openSegment } from "./compressed-file.ts"
import type { Disk, DiskFile } from "./disk.ts"
import { ByteReader, ByteWriter } from "./events/wire.ts"
import { FrameCursor, isDecodeError } from "./frame-cursor.ts"
import { buildFrame, FrameHeader, frameHeaderSize, frameType, gapBody } from "./frame.ts"
import { segmentHeaderSize } from "./segment.ts"

const detailsVersion = 1

/** A stretch of a segment file that could not be read; both ends 0 when there was no file. */
export interface GapPlace {
  readonly segment: string
  /** Byte positions in the segment file. */
  readonly from: number
  readonly to: number
  readonly reason: string
}

/** Sequences a log does not hold any more. */
export interface Gap {
  readonly first: number
  readonly last: number
  readonly bytesLost: number
  readonly reason: string
  /** Position in the stream of frames as it was before the salvage. */
  readonly lsnFrom: number | undefined
  readonly lsnTo: number | undefined
  /** Unix ms of the batches before and after, where there are any. */
  readonly timeBefore: number | undefined
  readonly timeAfter: number | undefined
  readonly places: ReadonlyArray<GapPlace>
}

/** The GAP frame that states all of this. `time` is unix ms. */
export const gapFrame = (gap: Gap, time: number, epoch: number): Uint8Array => {
  const out = new ByteWriter(256)
  const head = gapBody(gap.last - gap.first + 1, gap.bytesLost, gap.reason)
  out.raw(head, 0, head.length)
  out.varint(detailsVersion)
  out.varint(gap.lsnFrom === undefined ? 0 : gap.lsnFrom + 1)
  out.varint(gap.lsnTo === undefined ? 0 : gap.lsnTo + 1)
  out.varint(gap.timeBefore ?? 0)
  out.varint(gap.timeAfter ?? 0)
  out.varint(gap.places.length)
  for (const { from, reason, segment, to } of gap.places) {
    out.text(segment)
    out.varint(from)
    out.varint(to)
    out.text(reason)
  }
  const header = new FrameHeader()
  header.type = frameType.gap
  header.sequence = gap.first
  header.time = time
  header.epoch = epoch
  return buildFrame(header, out.toBytes())
}

const known = (value: number): number | undefined => value === 0 ? undefined : value

/** Reads the GAP frame at `at`, checked before. Throws `WireError` on damage. */
export const readGap = (bytes: Uint8Array, at: number, header: FrameHeader): Gap => {
  const from = new ByteReader(bytes, at + frameHeaderSize, at + header.length)
  const sequences = from.varint()
  const bytesLost = from.varint()
  const reason = from.text()
  const gap: Gap = {
    first: header.sequence,
    last: header.sequence + sequences - 1,
    bytesLost,
    reason,
    lsnFrom: undefined,
    lsnTo: undefined,
    timeBefore: undefined,
    timeAfter: undefined,
    places: []
  }
  if (from.offset === from.end || from.varint() !== detailsVersion) return gap
  const [lsnFrom, lsnTo] = [from.varint(), from.varint()]
  const [timeBefore, timeAfter] = [from.varint(), from.varint()]
  const places: Array<GapPlace> = []
  for (let left = from.varint(); left > 0; left--) {
    places.push({ segment: from.text(), from: from.varint(), to: from.varint(), reason: from.text() })
  }
  return {
    ...gap,
    lsnFrom: lsnFrom === 0 ? undefined : lsnFrom - 1,
    lsnTo: lsnTo === 0 ? undefined : lsnTo - 1,
    timeBefore: known(timeBefore),
    timeAfter: known(timeAfter),
    places
  }
}

const moment = (time: number | undefined): string =>
  time === undefined ? "an unknown time" : new Date(time).toISOString()

/** A gap in one line, for an operator. */
export const describeGap = (gap: Gap): string => {
  const { bytesLost, first, last, lsnFrom, lsnTo, places, reason, timeAfter, timeBefore } = gap
  const sequences = last <= first ? `sequence ${first} is` : `sequences ${first} to ${last} are`
  const lsn = lsnFrom === undefined && lsnTo === undefined ? "" : `, lsn ${lsnFrom ?? "?"} to ${lsnTo ?? "?"}`
  const times = timeBefore === undefined && timeAfter === undefined
    ? ""
    : `, written between ${moment(timeBefore)} and ${moment(timeAfter)}`
  const where = places.map(({ from, reason, segment, to }) =>
    to === 0 ? `${segment}: ${reason}` : `${segment} bytes ${from} to ${to}: ${reason}`
  )
  return `${sequences} missing (${bytesLost} bytes${lsn}${times}; ${where.length === 0 ? reason : where.join("; ")})`
}

/** Every gap a segment states, up to `end`; frames that cannot be read end the search. Throws `DiskError`. */
export const gapsOf = (file: DiskFile, end: number): Array<Gap> => {
  const gaps: Array<Gap> = []
  const cursor = new FrameCursor(file, segmentHeaderSize, end)
  while (cursor.advance() === "frame") {
    if (cursor.header.type !== frameType.gap) continue
    try {
      gaps.push(readGap(cursor.bytes, cursor.at, cursor.header))
    } catch (error) {
      if (!isDecodeError(error)) throw error
      break
    }
  }
  return gaps
}

/** The gaps of these segments, oldest first. Throws `DiskError`. */
export const gapsIn = (
  disk: Disk,
  segments: ReadonlyArray<{ readonly name: string; readonly end: number }>
): Array<Gap> =>
  segments.flatMap(({ end, name }) => {
    const file = openSegment(disk, name)
    try {
      return gapsOf(file, end)
    } finally {
      file.close()
    }
  })
