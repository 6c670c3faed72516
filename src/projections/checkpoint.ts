/**
 * Saves all data exactly as it is after one batch, while writes go on, without a copy of it. The entries there at the
 * beginning are told from later ones by a mark in their headers, whose meaning alternates from one checkpoint to the
 * next: beginning flips the keyspace's mark, so that every entry is unsaved; entries made from then on carry the new
 * mark. A walk through each dict in the order of hashes saves what is unsaved, a slice at a time, and a write that is
 * about to change or remove an unsaved entry has it saved first (`Database.saver`). A database that is emptied leaves
 * its old arena to the walk. When the walk is over every entry carries the new mark, and the next one may begin.
 *
 * A walk that is given up goes on without saving: it still has to bring the marks in order.
 */
import type { DatabaseCount } from "../log/checkpoint-file.ts"
import type { Event } from "../log/events/catalog.ts"
import { LargeSaver } from "./checkpoint-large.ts"
import * as Entry from "./entry.ts"
import { type Database, type EntrySaver, highWordAt, type Keyspace, wordAt } from "./keyspace.ts"
import { type Arena, byteOf, type Pointer, slabOf } from "./memory/arena.ts"
import type { Dict } from "./memory/dict.ts"
import { fromWords, parseInt64, writeInt64 } from "./memory/integer.ts"
import { Slice } from "./memory/slice.ts"
import type { StreamWatcher } from "./memory/streams.ts"
import { embstrLimit } from "./string.ts"

/** Where the events of a checkpoint go. */
export interface CheckpointSink {
  /** Adds an event of a database; its slices are valid only during the call. */
  add(db: number, clock: number, event: Event): void
}

/** A longer string is saved in pieces of this size: events that set ranges, in whatever order. */
const pieceBytes = 256 << 10

/** Room in a slice: it ends with the segment in which the entries are used up, or wherever the bytes are. */
class Budget {
  entries = 0
  bytes = 0
}

/** One database's part of a walk. */
class Source implements EntrySaver {
  readonly number: number
  readonly arena: Arena
  readonly dict: Dict
  private readonly walk: CheckpointWalk
  private readonly database: Database
  private readonly mark: number
  private position = 0
  private done = false
  orphan = false
  /** Keeps reads that only bring memory nearer from being optimized away. */
  private approached = 0
  /** A long string of which only the pieces before `partialAt` are saved, and the last. */
  private partial: Pointer = 0
  private partialAt = 0
  private readonly large: LargeSaver

  constructor(walk: CheckpointWalk, database: Database, number: number, mark: number) {
    this.walk = walk
    this.database = database
    this.number = number
    this.arena = database.arena
    this.dict = database.dict
    this.mark = mark
    this.large = new LargeSaver(database.structures, number, mark, walk)
  }

  saveElement(root: Pointer, p: Pointer): void {
    this.large.saveElement(this.walk.sink, root, p)
  }

  keep(root: Pointer): boolean {
    return this.large.keep(root)
  }

  get streams(): StreamWatcher {
    return this.large.streams
  }

  keepGroup(root: Pointer, group: Pointer): boolean {
    return this.large.streams.keepGroup(root, group)
  }

  /** Saves an entry now, all of it, unless that was done. */
  save(p: Pointer): void {
    if (Entry.markOf(this.arena, p) === this.mark) return
    if (this.takeLarge(p)) {
      this.walk.savedBefore++
    } else if (this.walk.sink !== undefined) {
      this.walk.savedBefore++
      if (p === this.partial) { while (!this.piece(this.walk.sink)); }
      else this.put(this.walk.sink, p, Infinity)
    }
    this.marked(p)
  }

  /** Takes the entry's collection down if it is a large one: its elements are saved by and by. */
  private takeLarge(p: Pointer): boolean {
    if (!Entry.isLarge(Entry.encodingOf(this.arena, p))) return false
    this.large.take(this.arena, p, this.arena.words[slabOf(p)]![wordAt(p, 4)]!)
    return true
  }

  moved(p: Pointer, next: Pointer): void {
    if (p === this.partial) this.partial = next
  }

  private marked(p: Pointer): void {
    if (p === this.partial) this.partial = 0
    Entry.setMark(this.arena, p, this.mark)
    this.walk.processed++
  }

  takeOver(): boolean {
    if (this.done) return false
    this.orphan = true
    if (this.walk.sink !== undefined) return true
    this.finish() // nobody wants what is in it any more
    return true
  }

  /** Saves unsaved entries until the budget is spent; true when none is left. */
  slice(budget: Budget): boolean {
    if (this.done) return true
    const { arena, mark, walk } = this
    const visit = (p: Pointer): void => {
      if (budget.bytes <= 0 || Entry.markOf(arena, p) === mark) return
      budget.entries--
      const { sink } = walk
      if (!this.takeLarge(p) && sink !== undefined) {
        if (p !== this.partial) budget.bytes -= this.put(sink, p, pieceBytes)
        while (p === this.partial) {
          if (budget.bytes <= 0) return
          budget.bytes -= pieceBytes
          if (this.piece(sink)) this.partial = 0
        }
      }
      this.marked(p)
    }
    while (budget.entries > 0) {
      budget.bytes = this.large.slice(walk.sink, budget.bytes)
      if (budget.bytes <= 0) break
      if (this.position < 0) {
        this.finish()
        return true
      }
      this.approached ^= this.dict.approach(this.position)
      const next = this.dict.walk(this.position, visit)
      if (budget.bytes <= 0) break // some of this segment may be left: it is gone through again
      budget.entries -= segmentCost
      this.position = next
    }
    return false
  }

  private finish(): void {
    this.done = true
    if (this.orphan) this.walk.keyspace.dispose(this.arena)
    else this.database.setSaver(undefined, this.mark)
  }

  /** Adds the events that make an entry; of a string longer than `most` only its last piece. Returns bytes added. */
  private put(sink: CheckpointSink, p: Pointer, most: number): number {
    const { arena, number } = this
    const clock = Entry.clockOf(arena, p)
    Entry.keyOf(arena, p, key)
    const deadline = Entry.deadlineOf(arena, p)
    const encoding = Entry.encodingOf(arena, p)
    if (encoding === Entry.Encoding.int && deadline === 0) {
      integer.value = integerAt(arena, p)
      sink.add(number, clock, integer)
      return key.length + 16
    }
    if (Entry.typeOf(arena, p) !== Entry.Type.string) {
      const slab = slabOf(p)
      const length = arena.words[slab]![wordAt(p, 4)]!
      small.bytes.set(arena.bytes[slab]!, byteOf(p) + Entry.headerBytes + key.length, length)
      small.shape = Entry.typeOf(arena, p) << 4 | encoding
      small.expireAt = deadline === 0 ? null : deadline
      sink.add(number, clock, small)
      return key.length + length + 16
    }
    if (encoding === Entry.Encoding.int) value.set(digits, 0, writeInt64(digits, 0, integerAt(arena, p)))
    else {
      const slab = slabOf(p)
      value.set(arena.bytes[slab]!, byteOf(p) + Entry.headerBytes + key.length, arena.words[slab]![wordAt(p, 4)]!)
    }
    const { length } = value
    const bytes = key.length + length + 16
    if (length > pieceBytes) {
      // Its last piece first: the string gets its full length, and its block is not moved again and again.
      this.putRange(sink, p, length - pieceBytes, pieceBytes)
      if (deadline !== 0) sink.add(number, clock, { _tag: "KeyExpirySet", key, expireAt: deadline })
      this.partial = p
      this.partialAt = 0
      if (most === Infinity) { while (!this.piece(sink)); }
      return pieceBytes
    }
    if (encoding === Entry.Encoding.int || isPlain(encoding)) {
      text.expireAt = deadline === 0 ? null : deadline
      sink.add(number, clock, text)
      return bytes
    }
    // Text that SET would hold otherwise: short but raw, or looking like an integer and yet not one.
    if (encoding === Entry.Encoding.raw) sink.add(number, clock, { _tag: "StringRangeSet", key, offset: 0, value })
    else sink.add(number, clock, { _tag: "StringFloatIncremented", key, value })
    if (deadline !== 0) sink.add(number, clock, { _tag: "KeyExpirySet", key, expireAt: deadline })
    return bytes
  }

  /** Adds the next piece of the string `partial`; true when that was all. */
  private piece(sink: CheckpointSink): boolean {
    const p = this.partial
    const last = this.arena.words[slabOf(p)]![wordAt(p, 4)]! - pieceBytes
    if (this.partialAt >= last) return true
    const length = Math.min(pieceBytes, last - this.partialAt)
    this.putRange(sink, p, this.partialAt, length)
    this.partialAt += length
    return this.partialAt >= last
  }

  private putRange(sink: CheckpointSink, p: Pointer, offset: number, length: number): void {
    const { arena, number } = this
    Entry.keyOf(arena, p, key)
    value.set(arena.bytes[slabOf(p)]!, byteOf(p) + Entry.headerBytes + key.length + offset, length)
    sink.add(number, Entry.clockOf(arena, p), { _tag: "StringRangeSet", key, offset, value })
  }
}

/** Going through a segment of a dict costs about as much as saving so many entries. */
const segmentCost = 32

const integerAt = (arena: Arena, p: Pointer): number | bigint => {
  const words = arena.words[slabOf(p)]!
  return fromWords(words[highWordAt(p, Entry.keyLengthOf(arena, p))]!, words[wordAt(p, 4)]!)
}

// One entry is put at a time: these are filled anew for each.
const key = new Slice()
const value = new Slice()
const digits = new Uint8Array(24)
const text = { _tag: "StringSet" as const, key, value, expireAt: null as number | null }
const small = {
  _tag: "CollectionRestored" as const,
  key,
  shape: 0,
  bytes: new Slice(),
  expireAt: null as number | null
}
const integer = { _tag: "StringIncremented" as const, key, value: 0 as number | bigint }

/** Whether SET of the text in `value` makes an entry of just this encoding. */
const isPlain = (encoding: number): boolean => {
  const { bytes, length, start } = value
  if (encoding !== (length <= embstrLimit ? Entry.Encoding.embstr : Entry.Encoding.raw)) return false
  const first = bytes[start]!
  if (length === 0 || length > 20 || (first !== 0x2d && (first < 0x30 || first > 0x39))) return true
  return parseInt64(bytes, start, length) === undefined
}

/** One pass over a keyspace for a checkpoint; see the head of this file. */
export class CheckpointWalk {
  readonly keyspace: Keyspace
  /** Undefined when the checkpoint was given up. */
  sink: CheckpointSink | undefined
  /** What there is to save. */
  readonly databases: ReadonlyArray<DatabaseCount>
  readonly total: number
  /** Entries saved, or passed over after it was given up. */
  processed = 0
  /** Of them, those saved because a write came first. */
  savedBefore = 0
  private readonly sources: Array<Source> = []
  private readonly budget = new Budget()

  /** Begins: what the keyspace holds now is what will be saved. None other may be under way. Between batches only. */
  constructor(keyspace: Keyspace, sink: CheckpointSink) {
    this.keyspace = keyspace
    this.sink = sink
    keyspace.mark ^= 1
    const databases: Array<DatabaseCount> = []
    let total = 0
    for (let number = 0; number < keyspace.databases.length; number++) {
      const database = keyspace.databases[number]!
      if (database.size === 0) {
        database.setSaver(undefined, keyspace.mark)
        continue
      }
      databases.push({ number, keys: database.size, deadlines: database.deadlines.size })
      total += database.size
      const source = new Source(this, database, number, keyspace.mark)
      database.setSaver(source, keyspace.mark)
      this.sources.push(source)
    }
    this.databases = databases
    this.total = total
  }

  /** Saves up to about so many entries and bytes; true when everything is saved. */
  slice(entries: number, bytes: number): boolean {
    const { budget, sources } = this
    budget.entries = entries
    budget.bytes = bytes
    while (sources.length > 0) {
      if (!sources[0]!.slice(budget)) return false
      sources.shift()
    }
    return true
  }

  /** Nothing more is saved. The walk must still go on to its end, for the sake of the marks. */
  giveUp(): void {
    this.sink = undefined
    for (const source of this.sources) if (source.orphan) source.takeOver()
  }
}
