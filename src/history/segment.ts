/** One segment of a log as those see it who only read: its file, whichever form that has by now, and what finds things in it. */
import type { BlockKeys } from "../log/block-keys.ts"
import { openCompressed } from "../log/compressed-file.ts"
import { type Disk, DiskError, type DiskFile } from "../log/disk.ts"
import { formatTooNew, logCorrupt } from "../log/errors.ts"
import type { Author } from "../log/event-log.ts"
import { codes } from "../log/events/catalog.ts"
import { WireError } from "../log/events/wire.ts"
import {
  blockKeysPosition,
  filterPosition,
  readBlockKeys,
  readFooter,
  readFooterTail,
  type SegmentSummary
} from "../log/footer.ts"
import { FrameCursor, readRetrying } from "../log/frame-cursor.ts"
import { FrameDecoder } from "../log/frame-decoder.ts"
import { frameType } from "../log/frame.ts"
import { type Gap, gapsOf } from "../log/gaps.ts"
import { type FilterBytes, hashKey, mayHoldOnDisk } from "../log/key-filter.ts"
import { movingTags, type SegmentDirectory } from "../log/segment-index.ts"
import {
  compressedName,
  decodeSegmentHeader,
  formatVersion,
  sameBytes,
  type SegmentHeader,
  segmentHeaderSize,
  segmentName
} from "../log/segment.ts"
import type { Sessions } from "../log/session-record.ts"
import { BlockIndex } from "./block-index.ts"
import { blocksWith } from "./raw-search.ts"

/** A block: frames from one position to another. */
export interface Block {
  readonly from: number
  readonly to: number
}

/** Events that empty or swap databases, or take a key to another one, by their numbers. */
const moving = Array.from(movingTags, (tag) => codes[tag])

/** What a footer says, but for its key filters, which are of megabytes. */
interface Facts extends SegmentDirectory {
  readonly counts: ReadonlyMap<number, number>
  readonly filterAt: number
  /** Where the keys of its blocks are, and the checksum of that; undefined in old footers. */
  readonly blockKeys: { readonly at: number; readonly length: number; readonly crc: number } | undefined
}

/** Neither form of the segment is there any more: retention has dropped it. */
export class SegmentGone extends Error {
  override readonly name = "SegmentGone"
}

/** A segment. Facts that cannot change are remembered; what takes memory may be forgotten and found anew. */
export class Segment {
  readonly first: number
  readonly header: SegmentHeader
  private readonly headerBytes: Uint8Array
  private readonly disk: Disk
  /** What its footer says, once it is sealed, and where its frames end then. */
  summary: SegmentSummary | undefined = undefined
  private framesEnd = 0
  /** The footer will not change any more. */
  private settled = false
  private facts: Facts | undefined = undefined
  /** Of the blocks between the entries of its footer. */
  private blockKeys: BlockKeys | undefined = undefined
  index: BlockIndex | undefined = undefined
  /** An index that is being made for later. */
  private growing: BlockIndex | undefined = undefined
  private gapsFound: ReadonlyArray<Gap> | undefined = undefined
  private definitions:
    | { readonly of: SegmentDirectory; readonly byRef: Map<number, Array<number>>; seen: number }
    | undefined
  private readonly authors = new Map<number, Sessions>()

  /**
   * `followed`: another segment has begun, see `refresh`. Throws `DiskError`, `SegmentGone`, `LogCorrupt` or
   * `LogFormatTooNew`.
   */
  constructor(disk: Disk, first: number, followed: boolean) {
    this.disk = disk
    this.first = first
    const file = this.open()
    try {
      this.headerBytes = headOf(file)
      const reading = decodeSegmentHeader(this.headerBytes)
      const name = segmentName(first)
      if (reading.kind === "newer") throw formatTooNew(name, reading.oldestReader, formatVersion)
      if (reading.kind === "bad" || reading.header.firstSequence !== first) {
        const reason = reading.kind === "bad" ? reading.reason : `the file begins with ${reading.header.firstSequence}`
        throw logCorrupt({ reason, segment: name, position: 0, lsn: 0, sequence: first, bytesLost: file.size() })
      }
      this.header = reading.header
      this.lookForFooter(file, followed)
    } finally {
      file.close()
    }
  }

  /** Opens its file, compressed or not. Throws `SegmentGone`. */
  open(): DiskFile {
    // It may be compressed, and the original removed, between one look and the next.
    for (let tries = 0; tries < 3; tries++) {
      try {
        return this.disk.open(segmentName(this.first), "read")
      } catch (error) {
        if (!isMissing(error)) throw error
      }
      try {
        return openCompressed(this.disk, compressedName(this.first))
      } catch (error) {
        if (!isMissing(error)) throw error
      }
    }
    throw new SegmentGone(segmentName(this.first))
  }

  /**
   * Looks whether it has been sealed meanwhile; false when another file has taken its place. Only of a segment that was
   * `followed` by another before this look a footer is there to stay: where the next one cannot be begun, it goes on.
   */
  refresh(followed: boolean): boolean {
    if (this.settled) return true
    const file = this.open()
    try {
      if (!sameBytes(headOf(file), this.headerBytes)) return false
      this.lookForFooter(file, followed)
      return true
    } finally {
      file.close()
    }
  }

  private lookForFooter(file: DiskFile, followed: boolean): void {
    const tail = readFooterTail(file, file.size())
    const found = tail?.summary.firstSequence === this.first
    this.summary = found ? tail.summary : undefined
    this.framesEnd = found ? tail.start : 0
    this.settled = found && followed
    if (!this.settled) this.facts = this.blockKeys = undefined
  }

  /** Position after the last frame of a sealed segment. */
  get sealedEnd(): number {
    return this.framesEnd
  }

  /** Position of an lsn. */
  positionOf(lsn: number): number {
    return lsn - this.header.lsn + segmentHeaderSize
  }

  /** Bytes of memory that `forget` would give back. */
  get cachedBytes(): number {
    const facts = this.facts === undefined ? 0 : (this.facts.entries.length + this.facts.sessions.length) * 64
    return facts + (this.blockKeys?.bytes ?? 0) + (this.index?.bytes ?? 0) + (this.growing?.bytes ?? 0)
      + this.authors.size * 512
  }

  /** Forgets the keys of its blocks, which take most of the memory and are read again in a few milliseconds. */
  forgetKeys(): void {
    this.blockKeys = undefined
  }

  /** Forgets what can be found anew. */
  forget(): void {
    this.facts = undefined
    this.blockKeys = undefined
    this.index = undefined
    this.growing = undefined
    this.definitions = undefined
    this.authors.clear()
  }

  /** Where its blocks and its sessions are, up to `end`. */
  directory(file: DiskFile, end: number): SegmentDirectory {
    if (this.index === undefined) {
      const footer = this.footerFacts(file)
      if (footer !== undefined) return footer
    }
    const index = this.walk(file, end)
    return { entries: index.entries, sessions: index.sessions, complete: true }
  }

  /** Blocks that may hold events of a key, and with `moves` those that move databases, in order. */
  blocksOf(file: DiskFile, end: number, names: ReadonlyArray<Uint8Array>, moves: boolean): Array<Block> {
    const footer = this.index === undefined ? this.footerFacts(file) : undefined
    if (footer === undefined) {
      const index = this.walk(file, end)
      return this.indexed(index, end, names, moves)
    }
    const moved = moves && moving.some((number) => footer.counts.has(number))
    // Where they are is in no old footer.
    if (moved && footer.blockKeys === undefined) return this.indexed(this.walk(file, end), end, names, moves)
    // A disk that refuses its sync may take the footer away again, to have it written anew: then it excludes nothing.
    let there = true
    const read: FilterBytes = (offset, length) => {
      const bytes = new Uint8Array(length)
      there &&= readRetrying(file, bytes, 0, length, footer.filterAt + offset) === length
      return bytes
    }
    if (this.blockKeys === undefined) names = names.filter((name) => mayHoldOnDisk(read, name) || !there)
    if (names.length === 0 && !moved) return []
    const keys = this.keysOf(file, footer)
    if (keys === undefined) {
      return moved
        ? this.indexed(this.walk(file, end), end, names, moves)
        : blocksWith(file, blocksUpTo(footer, end), names)
    }
    return chosen(footer, keys, end, names, moved)
  }

  /** The keys of the blocks, as the footer has them; undefined where it has none, or they cannot be read any more. */
  private keysOf(file: DiskFile, { blockKeys: place, entries }: Facts): BlockKeys | undefined {
    if (this.blockKeys !== undefined || place === undefined) return this.blockKeys
    const bytes = new Uint8Array(place.length)
    if (readRetrying(file, bytes, 0, bytes.length, place.at) !== bytes.length) return undefined
    const read = readBlockKeys(bytes, entries.length)
    return this.blockKeys = read?.crc === place.crc ? read.keys : undefined
  }

  private indexed(index: BlockIndex, end: number, names: ReadonlyArray<Uint8Array>, moves: boolean): Array<Block> {
    return chosen(index, index.keys, end, names, moves)
  }

  /** Whether databases are emptied or swapped in it, or keys move from one to another. */
  movesDatabases(file: DiskFile, end: number): boolean {
    if (this.index === undefined) {
      const footer = this.footerFacts(file)
      if (footer !== undefined) return moving.some((number) => footer.counts.has(number))
    }
    return this.walk(file, end).keys.moving.length > 0
  }

  /** Its index, extended up to `end`. Throws `LogCorrupt` when the frames do not go on until there. */
  walk(file: DiskFile, end: number): BlockIndex {
    const index = this.index ??= new BlockIndex(this.header)
    if (index.end < end && index.extend(file, end) !== "end") throw this.damage(index, end)
    return index
  }

  /** Its index, extended as far towards `end` as there are whole frames. Throws `LogCorrupt` where one makes no sense. */
  walkTo(file: DiskFile, end: number): BlockIndex {
    const index = this.index ??= new BlockIndex(this.header)
    if (index.end < end && index.extend(file, end) === "bad") throw this.damage(index, end)
    return index
  }

  /** Newest sequence and time of the frames before `end`, which lies before the end of what is indexed or sealed. */
  lastBefore(file: DiskFile, end: number): { readonly lastSequence: number; readonly lastTime: number } {
    const { entries } = this.directory(file, end)
    const entry = entries.findLast(({ position }) => position < end)
    const walk = new BlockIndex(this.header, entry)
    if (walk.extend(file, end) !== "end") throw this.damage(walk, end)
    return { lastSequence: walk.nextSequence - 1, lastTime: walk.lastTime }
  }

  /**
   * Makes a part of the index of a sealed segment, about `budget` bytes of it; true when it is there. What cannot be read
   * is left to whoever reads it: then there is none.
   */
  indexSome(budget: number): boolean {
    if (this.index !== undefined || this.summary === undefined) return true
    const growing = this.growing ??= new BlockIndex(this.header)
    const file = this.open()
    try {
      const step = growing.extend(file, this.framesEnd, budget)
      if (step === "more") return false
      this.growing = undefined
      if (step !== "end") return true
      this.index = growing
      this.facts = undefined
      return true
    } finally {
      file.close()
    }
  }

  /** Reads its footer for later; false where there is none to be read, or it is known already. */
  readFooter(): boolean {
    if (this.summary === undefined || this.index !== undefined || this.facts !== undefined) return false
    const file = this.open()
    try {
      return this.footerFacts(file) !== undefined
    } finally {
      file.close()
    }
  }

  /** Whether an index would tell more than its footer, which is of before there were keys of blocks. */
  get wantsIndex(): boolean {
    return this.index === undefined && this.facts !== undefined && this.facts.blockKeys === undefined
  }

  /** Its footer says that nothing was lost: most are not even opened for `gaps`. */
  get withoutGaps(): boolean {
    return this.summary?.gaps === false
  }

  /** Sequences that a salvage could not keep. */
  gaps(file: DiskFile, end: number): ReadonlyArray<Gap> {
    if (this.index !== undefined) return this.index.gaps
    if (this.summary === undefined) return this.walk(file, end).gaps
    return this.gapsFound ??= gapsOf(file, this.framesEnd)
  }

  /** A `LogCorrupt` that says that the frames end where the index does, before `until`. */
  damage(
    { end, lastTime, nextSequence, reason }: Pick<BlockIndex, "end" | "lastTime" | "nextSequence" | "reason">,
    until: number
  ): Error {
    return logCorrupt({
      reason,
      segment: segmentName(this.first),
      position: end,
      lsn: this.header.lsn + end - segmentHeaderSize,
      sequence: nextSequence,
      lastSequence: this.summary?.lastSequence,
      timeBefore: lastTime === 0 ? undefined : lastTime,
      timeAfter: this.summary?.lastTime,
      bytesLost: until - end
    })
  }

  /** What its footer says, where that is sound and covers everything. */
  private footerFacts(file: DiskFile): Facts | undefined {
    if (this.summary === undefined) return undefined
    if (this.facts === undefined) {
      const size = file.size()
      const footer = readFooter(file, size)
      if (footer?.complete !== true) return undefined
      const { blockKeys, complete, counts, entries, sessions } = footer
      const tail = readFooterTail(file, size)!
      const place = blockKeysPosition(tail)
      this.facts = {
        complete,
        counts,
        entries,
        sessions,
        filterAt: filterPosition(tail),
        blockKeys: blockKeys === undefined || place === undefined ? undefined : { ...place, crc: blockKeys.crc }
      }
      this.blockKeys = blockKeys?.keys
    }
    return this.facts
  }

  /** Who stands behind a ref at a position: the last definition before it. Throws `WireError` without one. */
  authorOf(file: DiskFile, end: number, ref: number, before: number): Author {
    const directory = this.directory(file, end)
    const { sessions } = directory
    let definitions = this.definitions
    if (definitions?.of.sessions !== sessions) {
      definitions = this.definitions = { of: directory, byRef: new Map(), seen: 0 }
    }
    for (; definitions.seen < sessions.length; definitions.seen++) {
      const { position, ref } = sessions[definitions.seen]!
      const positions = definitions.byRef.get(ref)
      if (positions === undefined) definitions.byRef.set(ref, [position])
      else positions.push(position)
    }
    const position = definitions.byRef.get(ref)?.findLast((position) => position < before)
    const author = position === undefined ? undefined : this.definedAt(file, end, position).get(ref)
    if (author === undefined) throw new WireError(`session ${ref} was never defined in this segment`)
    return author
  }

  private definedAt(file: DiskFile, end: number, position: number): Sessions {
    let sessions = this.authors.get(position)
    if (sessions !== undefined) return sessions
    sessions = new Map()
    const cursor = new FrameCursor(file, position, end, 4096)
    if (cursor.advance() !== "frame" || cursor.header.type !== frameType.batches) {
      throw new WireError(`no sessions are defined at byte ${position}`)
    }
    const decoder = new FrameDecoder(sessions)
    decoder.open(cursor.bytes, cursor.at, cursor.header)
    decoder.sessionsOnly()
    this.authors.set(position, sessions)
    return sessions
  }
}

const headOf = (file: DiskFile): Uint8Array => {
  const bytes = new Uint8Array(segmentHeaderSize)
  return bytes.subarray(0, readRetrying(file, bytes, 0, segmentHeaderSize, 0))
}

const isMissing = (error: unknown): boolean => error instanceof DiskError && error.code === "ENOENT"

/** The blocks up to `end` that may hold one of these keys and, with `moves`, those that move databases. */
const chosen = (
  directory: Pick<SegmentDirectory, "entries">,
  keys: BlockKeys,
  end: number,
  names: ReadonlyArray<Uint8Array>,
  moves: boolean
): Array<Block> => {
  const found = new Set(moves ? keys.moving : [])
  for (const name of names) for (const block of keys.blocksOf(hashKey(name, 0, name.length))) found.add(block)
  const blocks = blocksUpTo(directory, end)
  return [...found].sort((a, b) => a - b).flatMap((block) => blocks[block] ?? [])
}

/** All blocks of a directory that begin before `end`, the first one with what stands before its first entry. */
export const blocksUpTo = ({ entries }: Pick<SegmentDirectory, "entries">, end: number): Array<Block> => {
  const blocks: Array<Block> = []
  for (let i = 0; i < entries.length; i++) {
    const from = i === 0 ? segmentHeaderSize : entries[i]!.position
    if (from >= end) break
    blocks.push({ from, to: Math.min(end, entries[i + 1]?.position ?? end) })
  }
  if (blocks.length === 0 && end > segmentHeaderSize) blocks.push({ from: segmentHeaderSize, to: end })
  return blocks
}
