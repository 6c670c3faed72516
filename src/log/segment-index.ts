/**
 * What the footer of a segment will say, gathered while the segment is open: where times and sequences are, where
 * sessions are defined, which keys occur, altogether and in each block, and how many events of each type.
 */
import type { Slice } from "../projections/memory/slice.ts"
import { BlockKeys } from "./block-keys.ts"
import { codes, type Event, type EventTag } from "./events/catalog.ts"
import { hashKey, KeyFilter } from "./key-filter.ts"

/** One entry of the sparse index per so many bytes or milliseconds, whichever comes first. */
const entryBytes = 64 << 10
const entryMs = 1000

/** One frame, found without reading those before it. */
export interface IndexEntry {
  readonly time: number
  readonly sequence: number
  /** In the segment file. */
  readonly position: number
}

/** A frame that defines this session. */
export interface SessionEntry {
  readonly ref: number
  readonly position: number
}

/** What a reader needs of a sealed segment's footer or an open segment's index. */
export interface SegmentDirectory {
  readonly entries: ReadonlyArray<IndexEntry>
  /** By position. */
  readonly sessions: ReadonlyArray<SessionEntry>
  /** False while part of the segment has not been looked at: sessions, keys and counts may be missing. */
  readonly complete: boolean
}

/** Events that empty or swap databases, or take a key to another one. */
export const movingTags: ReadonlySet<EventTag> = new Set<EventTag>([
  "DatabaseFlushed",
  "KeyspaceFlushed",
  "DatabasesSwapped",
  "KeyMoved"
])

/** The fields that name keys, per event. */
const keyFields = new Map<EventTag, ReadonlyArray<"key" | "to">>()
const fieldsOf = (event: Event): ReadonlyArray<"key" | "to"> => {
  let fields = keyFields.get(event._tag)
  if (fields === undefined) {
    fields = (["key", "to"] as const).filter((field) => field in event)
    keyFields.set(event._tag, fields)
  }
  return fields
}

/**
 * Event numbers and key hashes of the frame in hand. They count for a segment only once the frame is written to it,
 * for until then the frame may still move to the next one.
 */
export class EventTally {
  private numbers = new Uint16Array(256)
  private hashes = new Uint32Array(256)
  private events = 0
  private keys = 0
  private moving = false
  /** Notes one event. */
  add(event: Event): void {
    if (this.events === this.numbers.length) this.numbers = widened(this.numbers)
    switch (event._tag) { // the frequent ones, without a look at their fields
      case "StringSet":
        this.numbers[this.events++] = codes.StringSet
        return this.key(event.key)
      case "StringIncremented":
        this.numbers[this.events++] = codes.StringIncremented
        return this.key(event.key)
      case "StringRangeSet":
        this.numbers[this.events++] = codes.StringRangeSet
        return this.key(event.key)
      case "KeyDeleted":
        this.numbers[this.events++] = codes.KeyDeleted
        return this.key(event.key)
      case "KeyExpired":
        this.numbers[this.events++] = codes.KeyExpired
        return this.key(event.key)
      case "KeyEvicted":
        this.numbers[this.events++] = codes.KeyEvicted
        return this.key(event.key)
      case "ListPushed":
        this.numbers[this.events++] = codes.ListPushed
        return this.key(event.key)
      case "ListPopped":
        this.numbers[this.events++] = codes.ListPopped
        return this.key(event.key)
      case "SetMembersAdded":
        this.numbers[this.events++] = codes.SetMembersAdded
        return this.key(event.key)
      case "SetMembersRemoved":
        this.numbers[this.events++] = codes.SetMembersRemoved
        return this.key(event.key)
      case "HashFieldsSet":
        this.numbers[this.events++] = codes.HashFieldsSet
        return this.key(event.key)
      case "HashFieldsUpdated":
        this.numbers[this.events++] = codes.HashFieldsUpdated
        return this.key(event.key)
      case "SortedSetMembersScored":
        this.numbers[this.events++] = codes.SortedSetMembersScored
        return this.key(event.key)
      case "SortedSetMembersRemoved":
        this.numbers[this.events++] = codes.SortedSetMembersRemoved
        return this.key(event.key)
      case "StreamEntryAdded":
        this.numbers[this.events++] = codes.StreamEntryAdded
        return this.key(event.key)
      case "StreamEntriesDelivered":
        this.numbers[this.events++] = codes.StreamEntriesDelivered
        return this.key(event.key)
      case "StreamEntriesAcknowledged":
        this.numbers[this.events++] = codes.StreamEntriesAcknowledged
        return this.key(event.key)
    }
    this.numbers[this.events++] = codes[event._tag]
    if (movingTags.has(event._tag)) this.moving = true
    for (const field of fieldsOf(event)) this.key((event as unknown as Record<"key" | "to", Slice>)[field])
  }

  /** Adds what was noted to an index, its keys to the block in hand of `blocks`, and starts again. */
  settle(index: SegmentIndex, blocks = index.blockKeys): void {
    for (let i = 0; i < this.events; i++) index.count(this.numbers[i]!)
    for (let i = 0; i < this.keys; i++) {
      const hash = this.hashes[i]!
      index.filter.add(hash)
      blocks.add(hash)
    }
    if (this.moving) blocks.moves()
    this.events = 0
    this.keys = 0
    this.moving = false
    if (this.numbers.length > 1 << 16) this.numbers = new Uint16Array(256)
    if (this.hashes.length > 1 << 16) this.hashes = new Uint32Array(256)
  }

  /** Forgets what was noted. */
  forget(): void {
    this.events = this.keys = 0
    this.moving = false
  }

  private key({ bytes, length, start }: Slice): void {
    const hash = hashKey(bytes, start, length)
    const { hashes, keys } = this
    // One key after another the same is usual for lists and the like; and the filter knows keys by their hashes only.
    if (keys > 0 && hashes[keys - 1] === hash >>> 0) return
    if (keys === hashes.length) this.hashes = widened(hashes)
    this.hashes[keys] = hash
    this.keys = keys + 1
  }
}

const widened = <A extends Uint16Array | Uint32Array>(array: A): A => {
  const next = new (array.constructor as new(length: number) => A)(array.length * 2)
  next.set(array)
  return next
}

/** The index of an open segment. */
export class SegmentIndex implements SegmentDirectory {
  readonly entries: Array<IndexEntry> = []
  readonly sessions: Array<SessionEntry> = []
  readonly filter: KeyFilter
  /** Keys of the blocks; while the index is not complete, of those that were begun since the log was opened. */
  blockKeys = new BlockKeys()
  /** Blocks that were there then. */
  private found = 0
  /** Events by number on disk. */
  readonly counts = new Map<number, number>()
  complete = true
  /** The segment holds GAP frames. */
  gaps = false
  private frequent = new Float64Array(256)

  constructor(segmentBytes: number) {
    this.filter = KeyFilter.forSegment(segmentBytes)
  }

  /** A frame with batches stands at `position`; its keys are added next. */
  frame(time: number, sequence: number, position: number): void {
    // What is written now and what was found stay apart.
    if (this.entries.length > this.found && !this.begins(time, position)) return
    this.entries.push({ time, sequence, position })
    this.blockKeys.begin()
  }

  /** A frame with batches was found at `position`, whose keys are not looked at yet. */
  foundFrame(time: number, sequence: number, position: number): void {
    this.complete = false
    if (!this.begins(time, position)) return
    this.entries.push({ time, sequence, position })
    this.found++
  }

  private begins(time: number, position: number): boolean {
    const last = this.entries.at(-1)
    return last === undefined || position - last.position >= entryBytes || time - last.time >= entryMs
  }

  /** Everything that was found has been looked at; `keys`: those of its blocks. */
  caughtUp(keys: BlockKeys): void {
    keys.append(this.blockKeys)
    this.blockKeys = keys
    this.complete = true
  }

  /** The frame at `position` defines these sessions. */
  defines(ref: number, position: number): void {
    this.sessions.push({ ref, position })
  }

  /** Gives the memory of the filters to the next segment: neither they nor what was made of them may be used any more. */
  recycle(): void {
    this.filter.recycle()
    this.blockKeys.recycle()
  }

  /** One event of this number. */
  count(number: number): void {
    if (number < 256) this.frequent[number]!++
    else this.counts.set(number, (this.counts.get(number) ?? 0) + 1)
  }

  /** Every number with its count, by number. */
  typeCounts(): Array<readonly [number: number, count: number]> {
    const all = [...this.counts]
    this.frequent.forEach((count, number) => {
      if (count > 0) all.push([number, count])
    })
    return all.sort((a, b) => a[0] - b[0])
  }
}
