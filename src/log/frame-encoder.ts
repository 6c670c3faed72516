import {
  closeItem,
  databaseSwitch,
  metaDb,
  metaEvents,
  metaOrigin,
  metaSession,
  metaTime,
  varintSize
} from "./batch.ts"
import { type Author, numberOfOrigin, type Origin } from "./event-log.ts"
import type { Event } from "./events/catalog.ts"
import { encodeEvent } from "./events/codec.ts"
import { ByteWriter } from "./events/wire.ts"
import { countInBody, frameHeaderSize, paddedSize } from "./frame.ts"
import { writeSession } from "./session-record.ts"

/** The header's length has 32 bits. */
const largestFrame = 0xffff_ff00
/** A tail buffer above this is given back once its frame is written: one huge value must not hold memory for ever. */
const keptCapacity = 4 << 20
const startCapacity = 64 << 10

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
