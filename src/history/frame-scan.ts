/**
 * Walks the batches of a frame without decoding what nobody asks for: of a batch of one event only its envelope and its
 * key are read, so that a search through a whole segment takes a fraction of the time of decoding it.
 */
import {
  databaseSwitch,
  metaDb,
  metaEvents,
  metaExtension,
  metaOrigin,
  metaRecord,
  metaSession,
  metaTime
} from "../log/batch.ts"
import { type Author, type Batch, type Origin, origins } from "../log/event-log.ts"
import { codes, type Event } from "../log/events/catalog.ts"
import { decodeEvent } from "../log/events/codec.ts"
import { ByteReader, WireError } from "../log/events/wire.ts"
import { countInBody, frameFlag, type FrameHeader, frameHeaderSize, unfoldBody } from "../log/frame.ts"
import { movingTags } from "../log/segment-index.ts"
import { readSession } from "../log/session-record.ts"
import type { Slice } from "../projections/memory/slice.ts"

/** Events whose key does not stand first or is not the only one; all others begin with theirs. */
const special = new Set<number>([codes.KeyRenamed, codes.KeyCopied, ...Array.from(movingTags, (tag) => codes[tag])])

/** Whether an event says where keys of whole databases went, or that of one went to another. */
export const movesDatabases = (event: Event): boolean => movingTags.has(event._tag)

/** Is told what the events of a batch name. */
export interface KeyVisitor {
  /** An event names this key. */
  key(bytes: Uint8Array, start: number, length: number): void
  /** An event empties or swaps databases, or moves a key to another one. */
  moves(): void
}

/** Walks the batches of one frame after another. Damage throws like every decoder of the log. */
export class FrameScan {
  sequence = 0
  time = 0
  private db = 0
  private ref = 0
  private origin: Origin = "client"
  private command = 0
  private count = 0
  private eventsAt = 0
  private itemEnd = 0
  private reader = new ByteReader(new Uint8Array(0))
  private end = 0
  private nextSequence = 0
  /** Sessions defined by this frame, as far as it has been walked. */
  readonly defined = new Map<number, Author>()

  /** Starts on the BATCHES frame at `at`, checked before. */
  open(bytes: Uint8Array, at: number, header: FrameHeader): void {
    const start = at + frameHeaderSize
    if ((header.flags & frameFlag.zstd) !== 0) {
      this.reader = new ByteReader(unfoldBody(bytes.subarray(start, at + header.length)))
    } else if (this.reader.bytes !== bytes) this.reader = new ByteReader(bytes, start, at + header.length)
    else {
      this.reader.offset = start
      this.reader.end = at + header.length
    }
    this.end = this.reader.end
    if (header.count === countInBody) this.reader.varint()
    this.itemEnd = this.reader.offset
    this.nextSequence = header.sequence
    this.time = header.time
    this.db = 0
    this.ref = 0
    if (this.defined.size > 0) this.defined.clear()
  }

  /** Steps to the next batch; false at the end of the frame. */
  next(): boolean {
    const from = this.reader
    for (;;) {
      from.offset = this.itemEnd
      from.end = this.end
      if (from.offset === this.end) return false
      const length = from.varint()
      if (length === 0) return false
      const itemEnd = this.itemEnd = from.offset + length
      if (itemEnd > this.end) throw new WireError(`item of ${length} bytes exceeds its frame at offset ${from.offset}`)
      from.end = itemEnd
      const meta = from.u8()
      if ((meta & metaRecord) !== 0) {
        const [ref, author] = readSession(from)
        this.defined.set(ref, author)
        continue
      }
      if ((meta & metaSession) !== 0) this.ref = from.varint()
      if ((meta & metaTime) !== 0) this.time += from.varint()
      if ((meta & metaDb) !== 0) this.db = from.varint()
      this.origin = (meta & metaOrigin) === 0 ? "client" : origins[from.u8()]!
      this.command = from.varint()
      this.count = (meta & metaEvents) === 0 ? 1 : from.varint()
      if ((meta & metaExtension) !== 0) from.blob()
      this.eventsAt = from.offset
      this.sequence = this.nextSequence++
      return true
    }
  }

  /** Names what the events of the batch in hand are about. */
  visit(visitor: KeyVisitor): void {
    const from = this.reader
    from.offset = this.eventsAt
    if (this.count === 1) {
      const number = from.varint()
      if (!special.has(number)) {
        const length = from.varint()
        if (from.offset + length > this.itemEnd) throw new WireError(`key of ${length} bytes exceeds its batch`)
        visitor.key(from.bytes, from.offset, length)
        return
      }
    }
    from.offset = this.eventsAt
    for (let i = 0; i < this.count; i++) {
      if (i > 0) this.switchDatabase()
      const event = decodeEvent(from) as Event & { readonly key?: Slice; readonly to?: Slice }
      if (movesDatabases(event)) visitor.moves()
      if (event.key !== undefined) visitor.key(event.key.bytes, event.key.start, event.key.length)
      if (event.to !== undefined) visitor.key(event.to.bytes, event.to.start, event.to.length)
    }
  }

  /** The batch in hand, an object of its own whose slices point into the frame. `authorOf` knows earlier sessions. */
  batch(authorOf: (ref: number) => Author | undefined): Batch {
    const from = this.reader
    from.offset = this.eventsAt
    const events: Array<Event> = []
    const dbs: Array<number> = []
    let db = this.db
    for (let i = 0; i < this.count; i++) {
      if (i > 0) db = this.switchDatabase() ?? db
      dbs.push(db)
      events.push(decodeEvent(from))
    }
    return {
      sequence: this.sequence,
      time: this.time,
      db: this.db,
      dbs: dbs.some((other) => other !== this.db) ? dbs : undefined,
      origin: this.origin,
      command: this.command,
      author: this.ref === 0 ? undefined : this.defined.get(this.ref) ?? authorOf(this.ref),
      events,
      last: this.itemEnd === this.end
    }
  }

  /** The database of the events that follow, where that changes between two. */
  private switchDatabase(): number | undefined {
    const from = this.reader
    if (from.offset >= this.itemEnd || from.bytes[from.offset] !== databaseSwitch) return undefined
    from.u8()
    return from.varint()
  }
}
