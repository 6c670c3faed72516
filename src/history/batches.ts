/** Batches of a segment from one sequence to another, oldest or newest first. */
import type { DiskFile } from "../log/disk.ts"
import type { Author, Batch } from "../log/event-log.ts"
import { FrameCursor, isDecodeError } from "../log/frame-cursor.ts"
import { FrameDecoder } from "../log/frame-decoder.ts"
import { frameFlag, frameType } from "../log/frame.ts"
import { type Gap, readGap } from "../log/gaps.ts"
import { FrameScan, type KeyVisitor } from "./frame-scan.ts"
import { type Block, blocksUpTo, type Segment } from "./segment.ts"

/** A segment and how much of it belongs to a view. */
export interface SegmentPart {
  readonly segment: Segment
  /** Position after the last frame. */
  readonly end: number
  /** The first sequence of the segment less one when it holds none. */
  readonly lastSequence: number
  /** Unix ms of its newest batch; 0 without one. */
  readonly lastTime: number
}

/** What is wanted of a log: sequences `from` to `to`, both included. */
export interface Range {
  readonly from: number
  readonly to: number
  /** Newest first. */
  readonly reverse?: boolean
  /** Is told of sequences that a salvage could not keep, where some lie in the range. */
  readonly onGap?: (gap: Gap) => void
}

const readAhead = 256 << 10
/** For blocks looked at one by one. */
const blockReadAhead = 128 << 10

/** Authors of a segment, looked up when they are asked for, for a decoder that begins in the midst of it. */
class LazySessions extends Map<number, Author> {
  position = 0
  private readonly part: SegmentPart
  private readonly file: DiskFile
  constructor(part: SegmentPart, file: DiskFile) {
    super()
    this.part = part
    this.file = file
  }
  override get(ref: number): Author | undefined {
    const known = super.get(ref)
    if (known !== undefined) return known
    const author = this.part.segment.authorOf(this.file, this.part.end, ref, this.position)
    this.set(ref, author)
    return author
  }
}

/** Runs `step`; what does not decode is damage of the segment at the frame in hand. */
export const checked = <T>(part: SegmentPart, cursor: FrameCursor, step: () => T): T => {
  try {
    return step()
  } catch (error) {
    if (!isDecodeError(error)) throw error
    throw damaged(part, cursor, `a batch does not decode: ${(error as Error).message}`)
  }
}

const damaged = (part: SegmentPart, cursor: FrameCursor, reason: string): Error =>
  part.segment.damage(
    { end: cursor.position, lastTime: cursor.header.time, nextSequence: cursor.header.sequence, reason },
    part.end
  )

/** Steps to the next frame before `to`; false at the end. What is no frame is damage. */
export const advance = (part: SegmentPart, cursor: FrameCursor, to: number): boolean => {
  if (cursor.next >= to) return false
  const step = cursor.advance()
  if (step === "bad") throw damaged(part, cursor, cursor.reason)
  return step === "frame"
}

/** Sequence after the last one of the frame in hand. */
const after = (part: SegmentPart, cursor: FrameCursor): number => {
  const count = cursor.sequences()
  if (count === undefined) throw damaged(part, cursor, "frame body does not decode")
  return cursor.header.sequence + count
}

/**
 * The batches of a range, oldest first. The batch object is the same at each step; its events, each an object of its own,
 * are good until the step after a batch that is the `last`.
 */
export function* forward(part: SegmentPart, file: DiskFile, range: Range): Generator<Batch, void> {
  const { segment } = part
  const { entries } = segment.directory(file, part.end)
  const entry = entries.findLast((other) => other.sequence <= range.from)
  const blocks = blocksUpTo({ entries }, part.end)
  const sessions = new LazySessions(part, file)
  const decoder = new FrameDecoder(sessions)
  const cursor = new FrameCursor(file, startOf(blocks, entry?.position), part.end, readAhead)
  while (advance(part, cursor, part.end)) {
    const { header } = cursor
    if (header.sequence > range.to) return
    noteGap(cursor, range)
    if (header.type !== frameType.batches || after(part, cursor) <= range.from) continue
    sessions.position = cursor.position
    checked(part, cursor, () => decoder.open(cursor.bytes, cursor.at, header))
    while (checked(part, cursor, () => decoder.next())) {
      const { batch } = decoder
      if (batch.sequence < range.from) continue
      if (batch.sequence > range.to) return
      yield batch
    }
  }
}

/** Where the walk for an entry begins: frames before the first entry belong to its block. */
const startOf = (blocks: ReadonlyArray<Block>, position: number | undefined): number => {
  const block = position === undefined ? blocks[0] : blocks.findLast(({ from }) => from <= position)
  return block?.from ?? 0
}

const noteGap = ({ at, bytes, header }: FrameCursor, { from, onGap, to }: Range): void => {
  if (header.type !== frameType.gap || onGap === undefined) return
  const gap = readGap(bytes, at, header)
  if (gap.last >= from && gap.first <= to) onGap(gap)
}

/** The same, newest first; each batch is an object of its own, its events are good until the next step. */
export function* backward(part: SegmentPart, file: DiskFile, range: Range): Generator<Batch, void> {
  const blocks = blocksUpTo(part.segment.directory(file, part.end), part.end)
  const cursor = new FrameCursor(file, 0, part.end, blockReadAhead)
  const batches: Array<Batch> = []
  for (const block of blocks.toReversed()) {
    const positions = framesOf(part, cursor, block, range)
    for (const position of positions.reverse()) {
      cursor.seek(position)
      if (!advance(part, cursor, block.to)) continue
      noteGap(cursor, range)
      const { header } = cursor
      if (header.type !== frameType.batches) continue
      const sessions = new LazySessions(part, file)
      sessions.position = position
      const decoder = new FrameDecoder(sessions)
      checked(part, cursor, () => decoder.open(cursor.bytes, cursor.at, header))
      batches.length = 0
      while (checked(part, cursor, () => decoder.next())) {
        const { batch } = decoder
        if (batch.sequence < range.from || batch.sequence > range.to) continue
        batches.push({ ...batch, events: batch.events.slice(), dbs: batch.dbs?.slice() })
      }
      yield* batches.toReversed()
    }
    if (positions.length > 0 && cursor.header.sequence <= range.from) return
  }
}

/** Positions of the frames of a block that have to do with a range, and suit. */
const framesOf = (
  part: SegmentPart,
  cursor: FrameCursor,
  block: Block,
  range: Range,
  suits: () => boolean = () => true
): Array<number> => {
  const positions: Array<number> = []
  cursor.end = block.to // nothing behind it is read
  cursor.seek(block.from)
  while (advance(part, cursor, block.to) && cursor.header.sequence <= range.to) {
    if (after(part, cursor) > range.from && suits()) positions.push(cursor.position)
  }
  return positions
}

/** Tells batches that name one of some keys, or move databases, from all others. */
class Wanted implements KeyVisitor {
  found = false
  private readonly names: ReadonlyArray<Uint8Array>
  private readonly alsoMoves: boolean
  constructor(names: ReadonlyArray<Uint8Array>, alsoMoves: boolean) {
    this.names = names
    this.alsoMoves = alsoMoves
  }
  key(bytes: Uint8Array, start: number, length: number): void {
    for (const name of this.names) {
      if (name.length !== length) continue
      let i = length - 1 // where keys differ, their ends mostly do
      while (i >= 0 && name[i] === bytes[start + i]) i--
      if (i < 0) this.found = true
    }
  }
  moves(): void {
    if (this.alsoMoves) this.found = true
  }
}

/** Whether the frame in hand can hold one of some names: events hold them as they are, unless the frame is compressed. */
const mayName = ({ at, bytes, header }: FrameCursor, names: ReadonlyArray<Buffer>): boolean => {
  if ((header.flags & frameFlag.zstd) !== 0) return true
  const frame = Buffer.from(bytes.buffer, bytes.byteOffset + at, header.length)
  return names.some((name) => frame.includes(name))
}

/**
 * The batches of a range that name one of these keys in any database, and with `moves` those that empty or swap databases
 * or take keys to others. Each is an object of its own, good until the next step. Between blocks comes undefined: a
 * place to do something else.
 */
export function* naming(
  part: SegmentPart,
  file: DiskFile,
  range: Range,
  names: ReadonlyArray<Uint8Array>,
  moves: boolean
): Generator<Batch | undefined, void> {
  const { segment } = part
  const blocks = segment.blocksOf(file, part.end, names, moves)
  const scan = new FrameScan()
  const cursor = new FrameCursor(file, 0, part.end, blockReadAhead)
  const wanted = new Wanted(names, moves)
  const raw = names.map((name) => Buffer.from(name))
  const authorOf = (ref: number): Author => segment.authorOf(file, part.end, ref, cursor.position)
  const matches: Array<Batch> = []
  /** Gathers what matches in the frame in hand. */
  const look = (): void => {
    matches.length = 0
    scan.open(cursor.bytes, cursor.at, cursor.header)
    while (scan.next()) {
      if (scan.sequence < range.from || scan.sequence > range.to) continue
      wanted.found = false
      scan.visit(wanted)
      if (wanted.found) matches.push(scan.batch(authorOf))
    }
  }
  const moving = moves && segment.movesDatabases(file, part.end)
  const suits = (): boolean => cursor.header.type === frameType.batches && (moving || mayName(cursor, raw))
  yield undefined
  for (const block of range.reverse === true ? blocks.toReversed() : blocks) {
    const positions = framesOf(part, cursor, block, range, suits)
    if (range.reverse === true) positions.reverse()
    for (const position of positions) {
      cursor.seek(position)
      if (!advance(part, cursor, block.to)) continue
      checked(part, cursor, look)
      yield* range.reverse === true ? matches.toReversed() : matches
    }
    yield undefined
  }
}
