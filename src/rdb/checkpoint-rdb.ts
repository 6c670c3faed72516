/**
 * An RDB file out of a checkpoint, that is, of the data as it was after one batch, while the server goes on. Strings and
 * small collections are written as they come; what a checkpoint holds in pieces, in any order, is put together in memory
 * of its own first and written at the end.
 */
import { CheckpointBatch } from "../log/checkpoint-batch.ts"
import { CheckpointUnusable } from "../log/checkpoint-file.ts"
import type { CheckpointReader } from "../log/checkpoint-reader.ts"
import type { Event } from "../log/events/catalog.ts"
import { decodeEvent } from "../log/events/codec.ts"
import { ByteReader, WireError } from "../log/events/wire.ts"
import { evolve } from "../projections/evolve.ts"
import { Keyspace } from "../projections/keyspace.ts"
import { Slice } from "../projections/memory/slice.ts"
import type { RdbFileWriter } from "./file-writer.ts"

/** A longer string comes in pieces (see ../projections/checkpoint.ts). */
const longestWhole = 256 << 10
/** Events between two steps. */
const eventsPerStep = 256

/** See the head of this file. */
export class CheckpointRdb {
  private readonly reader: CheckpointReader
  private readonly writer: RdbFileWriter
  private readonly now: number
  private readonly scratch: Keyspace
  /** The key at hand, all of which has come, and its database; written as soon as another one comes. */
  private readonly key = new Slice()
  private db = -1
  private wire = new ByteReader(new Uint8Array(0))
  private readonly head = new CheckpointBatch()

  /** `now` (Unix ms): what is dead by then is left out. */
  constructor(reader: CheckpointReader, writer: RdbFileWriter, now: number) {
    this.reader = reader
    this.writer = writer
    this.now = now
    this.scratch = new Keyspace(1, reader.header.hashSeed)
  }

  /**
   * Writes the file. A step is some fraction of a millisecond's work, or one large collection. Throws `NotForRedis`, and
   * `CheckpointUnusable` when the checkpoint is damaged.
   */
  *steps(): Generator<void, void> {
    const { reader, scratch, writer } = this
    for (const { deadlines, keys, number } of reader.countsAhead()) writer.database(number, keys, deadlines)
    try {
      while (reader.next()) {
        this.wire = new ByteReader(reader.bytes)
        this.wire.offset = reader.bodyStart
        for (let left = reader.batches; left > 0; left--) yield* this.batch()
        yield
      }
    } catch (error) {
      if (error instanceof WireError) throw new CheckpointUnusable(`it does not decode: ${error.message}`)
      throw error
    }
    this.settle()
    for (let number = 0; number < scratch.databases.length; number++) {
      const db = scratch.databases[number]!
      if (db.size > 0) writer.database(number)
      for (let position = 0; position >= 0;) {
        position = db.dict.walk(position, (p) => writer.entry(db, p, this.now))
        yield
      }
    }
    writer.end()
  }

  /** Gives back what it holds. */
  close(): void {
    this.reader.close()
    this.scratch.clear()
    while (this.scratch.reclaim());
  }

  private *batch(): Generator<void, void> {
    const { head, reader, wire } = this
    head.open(wire, reader.bodyEnd)
    const { count, db } = head
    for (let i = 1; i <= count; i++) {
      this.event(db, decodeEvent(wire))
      if (i % eventsPerStep === 0) yield
    }
    // Its deadline may follow in the next batch, where the bytes that it points into are others.
    if (this.db >= 0) this.key.set(this.key.toBytes(), 0, this.key.length)
    head.close(wire)
  }

  private event(db: number, event: Event): void {
    const { key, scratch } = this
    if (!("key" in event)) throw new WireError(`an event ${event._tag} in a checkpoint`)
    const same = this.db === db && isSame(key, event.key)
    if (!same) this.settle()
    const { turn } = scratch
    turn.next(this.now)
    const whole = !same && isWhole(event) && scratch.database(db).locate(event.key) === 0
    evolve(scratch, db, event)
    // A deadline follows its value.
    if (whole || (same && event._tag === "KeyExpirySet")) {
      this.db = db
      key.set(event.key.bytes, event.key.start, event.key.length)
    } else if (same) this.db = -1
  }

  /** Writes the key at hand, if there is one. */
  private settle(): void {
    const { db: number, key, scratch, writer } = this
    if (number < 0) return
    this.db = -1
    const db = scratch.database(number)
    scratch.turn.number++
    const p = db.locate(key)
    if (p === 0) return
    writer.database(number)
    writer.entry(db, p, this.now)
    db.delete(key)
  }
}

/** Whether an event makes all of a key, but for its deadline. */
const isWhole = (event: Event): boolean =>
  event._tag === "StringSet" || event._tag === "StringIncremented" || event._tag === "StringFloatIncremented"
  || event._tag === "CollectionRestored"
  || (event._tag === "StringRangeSet" && event.offset === 0 && event.value.length <= longestWhole)

const isSame = (a: Slice, b: Slice): boolean => {
  if (a.length !== b.length) return false
  for (let i = 0; i < a.length; i++) if (a.bytes[a.start + i] !== b.bytes[b.start + i]) return false
  return true
}
