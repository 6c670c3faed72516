/**
 * Batches inside the body of a BATCHES frame: a run of items, ended by the frame's padding (a zero byte) or its end.
 *
 *     batch    length | meta | [session ref] [ms since the previous batch] [db] [origin] | command
 *                     | [number of events] [extension length, extension] | events
 *     session  length | 80   | ref, client id, address, local address, user, name, library, protocol, connected ms
 *
 * Lengths and numbers are varints, texts UTF-8 with their length, `meta`, 80 and origin are bytes. Bits of meta: 1 the
 * session changed, 2 the time changed, 4 the db changed, 8 the origin is not a client, 16 more or less than one event,
 * 32 an extension to skip. Session (ref 0: nobody), time (from the frame's header) and db (0) carry over inside a frame
 * and start afresh in each, so any frame decodes alone. A session record defines or redefines a ref until the end of
 * the segment. An event is its number and its fields (events/codec.ts).
 *
 * A batch with events of several databases (EXEC with a SELECT inside) has between two events of different databases a
 * switch: 0, which is no event's number, and the db of those that follow, up to the next switch or the end of the batch.
 * The envelope's db is that of the first event, and it is the one that carries over to the next batch. A switch is not
 * counted among the events. It is no extension, because a reader that skips it would fold events into the wrong database;
 * one that does not know it stops at an event without a number.
 */
import { type Author, type Batch, numberOfOrigin, type Origin, origins } from "./event-log.ts"
import type { Event } from "./events/catalog.ts"
import { decodeEvent, encodeEvent } from "./events/codec.ts"
import { ByteReader, ByteWriter, WireError } from "./events/wire.ts"
import { countInBody, frameFlag, type FrameHeader, frameHeaderSize, paddedSize, unfoldBody } from "./frame.ts"

export const metaSession = 1
export const metaTime = 2
/** Bits of a batch's meta byte that checkpoints write too; see the head of this file. */
export const metaDb = 4
export const metaOrigin = 8
export const metaEvents = 16
export const metaExtension = 32
export const metaRecord = 0x80

/** Stands where an event's number would: what follows is of another database. */
export const databaseSwitch = 0

/** The header's length has 32 bits. */
const largestFrame = 0xffff_ff00
/** A tail buffer above this is given back once its frame is written: one huge value must not hold memory for ever. */
const keptCapacity = 4 << 20
const startCapacity = 64 << 10

/** Bytes a varint takes. */
export const varintSize = (value: number): number => {
  let size = 1
  while (value > 0x7f) {
    value = value > 0x7fff_ffff ? Math.floor(value / 128) : value >>> 7
    size++
  }
  return size
}

/** Room to reserve for the length of a batch; only a guess, corrected afterwards, but a copy of 512 MiB is spared. */
const lengthHint = (events: ReadonlyArray<Event>, count: number): number => {
  if (count === 1) {
    const event = events[0]!
    if (event._tag !== "StringSet") return 1
    const bytes = event.key.length + event.value.length + 8
    return bytes < 0x80 ? 1 : varintSize(bytes)
  }
  let total = 8
  for (let i = 0; i < count && i < 8; i++) {
    const event = events[i]!
    total += event._tag === "StringSet" ? event.key.length + event.value.length + 4 : 24
  }
  return varintSize(total)
}

/** Gathers batches in the tail buffer until they become a frame. Allocates nothing per batch. */
export class FrameEncoder {
  /** Header room, then the body so far. */
  out = new ByteWriter(startCapacity)
  /** Batches in the body. */
  count = 0
  /** Time of the first batch. */
  baseTime = 0
  /** Authors whose refs this frame uses, with repeats: a frame that moves to a fresh segment takes them along. */
  readonly authors: Array<Author> = []
  /** Refs defined in this frame. */
  readonly defined: Array<number> = []
  private time = 0
  private db = 0
  private ref = 0
  private author: Author | undefined = undefined
  private segment = 0
  private nextRef = 1
  private prefix = 0
  private padding = 0

  constructor() {
    this.out.length = frameHeaderSize
  }

  /** From now on session records go to this segment. `id` is never used twice in a process. */
  startSegment(id: number): void {
    this.segment = id
    this.nextRef = 1
  }

  /**
   * The frame in hand goes to a fresh segment instead: returns a body defining every session it uses, to be written
   * before it, or undefined when it uses none.
   */
  moveToSegment(id: number): { readonly refs: ReadonlyArray<number>; readonly body: Uint8Array } | undefined {
    this.segment = id // refs go on counting: those in the frame keep their meaning
    if (this.authors.length === 0) return undefined
    const body = new ByteWriter(1024)
    const refs = new Set<number>()
    for (const author of this.authors) {
      author.logged.segment = id
      if (refs.has(author.logged.ref)) continue // a later revision is defined inside the frame
      refs.add(author.logged.ref)
      writeSession(body, author.logged.ref, author)
    }
    return { refs: [...refs], body: body.toBytes() }
  }

  /** Pads the frame and returns its length; `clear` or `reopen` follows. A count too large for the header goes first. */
  finish(): number {
    const out = this.out
    if (this.count >= countInBody) {
      const body = out.length - frameHeaderSize
      this.prefix = varintSize(this.count)
      out.need(this.prefix)
      out.bytes.copyWithin(frameHeaderSize + this.prefix, frameHeaderSize, out.length)
      out.length = frameHeaderSize
      out.varint(this.count)
      out.length += body
    }
    const length = paddedSize(out.length)
    this.padding = length - out.length
    for (let i = 0; i < this.padding; i++) out.u8(0)
    return length
  }

  /** Undoes `finish`: the frame could not be written and may still grow. */
  reopen(): void {
    const out = this.out
    out.length -= this.padding
    if (this.prefix > 0) {
      out.bytes.copyWithin(frameHeaderSize, frameHeaderSize + this.prefix, out.length)
      out.length -= this.prefix
    }
    this.prefix = this.padding = 0
  }

  /** Copies one batch into the body. `time` never falls. Throws `RangeError` when a frame cannot hold it. */
  append(
    time: number,
    db: number,
    origin: Origin,
    command: number,
    author: Author | undefined,
    events: ReadonlyArray<Event>,
    count: number,
    dbs?: ReadonlyArray<number>
  ): void {
    const out = this.out
    const { time: timeBefore, db: dbBefore, ref: refBefore, author: authorBefore } = this
    let meta = 0
    let elapsed = 0
    if (this.count === 0) {
      this.baseTime = time
      this.time = time
      this.db = 0
      this.ref = 0
      this.author = undefined
    } else if (time !== this.time) {
      elapsed = time - this.time
      this.time = time
      meta = metaTime
    }
    if (author !== this.author || (author !== undefined && author.logged.revision !== author.revision)) {
      this.ref = author === undefined ? 0 : this.refOf(author)
      this.author = author
      meta |= metaSession
    }
    if (db !== this.db) meta |= metaDb
    if (origin !== "client") meta |= metaOrigin
    if (count !== 1) meta |= metaEvents

    const at = out.length
    const reserved = lengthHint(events, count)
    out.need(reserved + 48)
    out.length += reserved
    out.bytes[out.length++] = meta
    if ((meta & metaSession) !== 0) out.varint(this.ref)
    if ((meta & metaTime) !== 0) out.varint(elapsed)
    if ((meta & metaDb) !== 0) {
      this.db = db
      out.varint(db)
    }
    if ((meta & metaOrigin) !== 0) out.u8(numberOfOrigin(origin))
    out.varint(command)
    if ((meta & metaEvents) !== 0) out.varint(count)
    if (dbs === undefined) { for (let i = 0; i < count; i++) encodeEvent(out, events[i]!) }
    else writeMixed(out, events, count, dbs)
    closeItem(out, at, reserved)
    if (out.length > largestFrame) {
      out.length = at
      this.time = timeBefore
      this.db = dbBefore
      this.ref = refBefore
      this.author = authorBefore
      throw new RangeError("a batch does not fit into a frame of 4 GiB")
    }
    this.count++
  }

  /** Forgets the frame: it is written. */
  clear(): void {
    if (this.out.bytes.length > keptCapacity) this.out = new ByteWriter(startCapacity)
    this.out.length = frameHeaderSize
    this.prefix = this.padding = 0
    this.count = 0
    this.authors.length = 0
    this.defined.length = 0
  }

  private refOf(author: Author): number {
    const { authors } = this
    const logged = author.logged
    // Between two of its batches there may be one of nobody, an eviction: that is no reason to note it again.
    if (authors[authors.length - 1] !== author) authors.push(author)
    if (logged.segment !== this.segment || logged.revision !== author.revision) {
      if (logged.segment !== this.segment) logged.ref = this.nextRef++
      logged.segment = this.segment
      logged.revision = author.revision
      this.defined.push(logged.ref)
      writeSession(this.out, logged.ref, author)
    }
    return logged.ref
  }
}

/** Writes events of several databases, a switch before each that is of another than the one before it. */
const writeMixed = (out: ByteWriter, events: ReadonlyArray<Event>, count: number, dbs: ReadonlyArray<number>): void => {
  let db = dbs[0]!
  for (let i = 0; i < count; i++) {
    if (dbs[i] !== db) {
      db = dbs[i]!
      out.u8(databaseSwitch)
      out.varint(db)
    }
    encodeEvent(out, events[i]!)
  }
}

/** Writes the length of the item begun at `at`, moving its content when the room reserved for it does not fit. */
export const closeItem = (out: ByteWriter, at: number, reserved: number): void => {
  const length = out.length - at - reserved
  const size = length < 0x80 ? 1 : varintSize(length)
  if (size !== reserved) {
    out.need(size)
    out.bytes.copyWithin(at + size, at + reserved, out.length)
  }
  out.length = at
  out.varint(length)
  out.length = at + size + length
}

/** A body that defines these sessions, for a frame without batches. */
export const sessionsBody = (sessions: Sessions): Uint8Array => {
  const body = new ByteWriter(1024)
  for (const [ref, author] of sessions) writeSession(body, ref, author)
  return body.toBytes()
}

const writeSession = (out: ByteWriter, ref: number, author: Author): void => {
  const at = out.length
  out.need(2)
  out.length++
  out.u8(metaRecord)
  out.varint(ref)
  out.varint(author.clientId)
  out.text(author.address)
  out.text(author.localAddress)
  out.text(author.user)
  out.text(author.name)
  out.text(author.library)
  out.varint(author.protocol)
  out.varint(author.connectedAt)
  closeItem(out, at, 1)
}

/** Reads a session record behind its meta byte: the ref it defines, and who that is. */
export const readSession = (from: ByteReader): [ref: number, author: Author] => [
  from.varint(),
  {
    clientId: from.varint(),
    address: from.text(),
    localAddress: from.text(),
    user: from.text(),
    name: from.text(),
    library: from.text(),
    protocol: from.varint(),
    connectedAt: from.varint(),
    revision: 0,
    logged: { segment: 0, revision: -1, ref: 0 }
  }
]

/** The sessions of one segment, by ref. */
export type Sessions = Map<number, Author>

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
