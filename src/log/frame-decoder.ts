import {
  databaseSwitch,
  metaDb,
  metaEvents,
  metaExtension,
  metaOrigin,
  metaRecord,
  metaSession,
  metaTime
} from "./batch.ts"
import { type Author, type Batch, type Origin, origins } from "./event-log.ts"
import type { Event } from "./events/catalog.ts"
import { decodeEvent } from "./events/codec.ts"
import { ByteReader, WireError } from "./events/wire.ts"
import { countInBody, frameFlag, type FrameHeader, frameHeaderSize, unfoldBody } from "./frame.ts"
import { readSession, type Sessions } from "./session-record.ts"

/** Walks the batches of one frame after another, filling one reused batch. Damage throws `WireError`. */
export class FrameDecoder {
  /** Reused from step to step, its events array too. */
  readonly batch: Batch & { events: Array<Event> } = {
    sequence: 0,
    time: 0,
    db: 0,
    dbs: undefined,
    origin: "client",
    command: 0,
    author: undefined,
    events: [],
    last: false
  }
  /** Refs defined by the session records passed since the frame was opened. */
  readonly definedRefs: Array<number> = []
  private readonly sessions: Sessions
  private readonly lenient: boolean
  private reader = new ByteReader(new Uint8Array(0))
  private end = 0
  private left = 0
  private nextSequence = 0
  /** Database of each event of a batch of several, reused; and that of the events at hand. */
  private readonly dbs: Array<number> = []
  private db = 0

  /** `lenient`: a ref nobody defined is nobody, for whoever looks at a frame on its own. */
  constructor(sessions: Sessions, lenient = false) {
    this.sessions = sessions
    this.lenient = lenient
  }

  /** Starts on the BATCHES frame at `at`, checked before. */
  open(bytes: Uint8Array, at: number, header: FrameHeader): void {
    const start = at + frameHeaderSize
    if ((header.flags & frameFlag.zstd) !== 0) {
      this.reader = new ByteReader(unfoldBody(bytes.subarray(start, at + header.length)))
    } else if (this.reader.bytes !== bytes) {
      this.reader = new ByteReader(bytes, start, at + header.length)
    } else {
      this.reader.offset = start
      this.reader.end = at + header.length
    }
    this.end = this.reader.end
    this.left = header.count === countInBody ? this.reader.varint() : header.count
    this.nextSequence = header.sequence
    this.definedRefs.length = 0
    const batch = this.batch
    batch.time = header.time
    batch.db = 0
    batch.author = undefined
  }

  /** Steps to the next batch; false at the end of the frame. */
  next(): boolean {
    const from = this.reader
    const batch = this.batch
    for (;;) {
      from.end = this.end
      if (from.offset === this.end) return this.finished()
      const length = from.varint()
      if (length === 0) return this.finished()
      const itemEnd = from.offset + length
      if (itemEnd > this.end) throw new WireError(`item of ${length} bytes exceeds its frame at offset ${from.offset}`)
      from.end = itemEnd
      const meta = from.u8()
      if ((meta & metaRecord) !== 0) {
        if (meta !== metaRecord) throw new WireError(`unknown record ${meta} at offset ${from.offset}`)
        const [ref, author] = readSession(from)
        this.sessions.set(ref, author)
        this.definedRefs.push(ref)
        from.offset = itemEnd // a later version may have added fields
        continue
      }
      if (this.left-- <= 0) throw new WireError("more batches than the frame announces")
      if ((meta & metaSession) !== 0) batch.author = this.session(from.varint())
      if ((meta & metaTime) !== 0) batch.time += from.varint()
      if ((meta & metaDb) !== 0) batch.db = from.varint()
      batch.origin = (meta & metaOrigin) === 0 ? "client" : originOf(from.u8())
      batch.command = from.varint()
      const count = (meta & metaEvents) === 0 ? 1 : from.varint()
      if (count > length) throw new WireError(`${count} events in ${length} bytes`)
      if ((meta & metaExtension) !== 0) from.blob()
      const events = batch.events
      batch.dbs = undefined
      for (let i = 0; i < count; i++) {
        if (i > 0 && from.offset < itemEnd && from.bytes[from.offset] === databaseSwitch) this.switchDatabase(i)
        if (batch.dbs !== undefined) this.dbs[i] = this.db
        events[i] = decodeEvent(from)
      }
      if (events.length !== count) events.length = count
      if (batch.dbs !== undefined) this.dbs.length = count
      if (from.offset !== itemEnd) throw new WireError(`${itemEnd - from.offset} bytes left over in a batch`)
      batch.sequence = this.nextSequence++
      batch.last = this.left === 0
      return true
    }
  }

  /** Reads only the session records of the opened frame, passing over its batches by their lengths. */
  sessionsOnly(): void {
    const from = this.reader
    while (from.offset < this.end) {
      from.end = this.end
      const length = from.varint()
      if (length === 0) return
      const itemEnd = from.offset + length
      if (itemEnd > this.end) throw new WireError(`item of ${length} bytes exceeds its frame at offset ${from.offset}`)
      if (from.u8() === metaRecord) {
        const [ref, author] = readSession(from)
        this.sessions.set(ref, author)
        this.definedRefs.push(ref)
      }
      from.offset = itemEnd
    }
  }

  /** Reads the switch before event `index`. */
  private switchDatabase(index: number): void {
    const { batch, dbs, reader } = this
    if (batch.dbs === undefined) {
      for (let i = 0; i < index; i++) dbs[i] = batch.db
      batch.dbs = dbs
    }
    reader.u8()
    this.db = reader.varint()
  }

  private finished(): boolean {
    if (this.left !== 0) throw new WireError(`${this.left} batches fewer than the frame announces`)
    return false
  }

  private session(ref: number): Author | undefined {
    if (ref === 0) return undefined
    const author = this.sessions.get(ref)
    if (author === undefined && !this.lenient) throw new WireError(`session ${ref} was never defined in this segment`)
    return author
  }
}

const originOf = (index: number): Origin => {
  const origin = origins[index]
  if (origin === undefined) throw new WireError(`unknown origin ${index}`)
  return origin
}
