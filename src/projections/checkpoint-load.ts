/**
 * Loads a checkpoint: the events of its frames through the fold, the most frequent ones without making objects of them.
 * The entries come in the order of their hashes, so that under the same hash key neighbours in the file become neighbours
 * in memory.
 */
import { CheckpointBatch } from "../log/checkpoint-batch.ts"
import { CheckpointUnusable, clocksExtension, type DatabaseCount } from "../log/checkpoint-file.ts"
import type { CheckpointReader } from "../log/checkpoint-reader.ts"
import { codes } from "../log/events/catalog.ts"
import { decodeEvent } from "../log/events/codec.ts"
import { ByteReader, WireError } from "../log/events/wire.ts"
import { get32 } from "../log/frame.ts"
import { evolve } from "./evolve.ts"
import type { Database, Keyspace } from "./keyspace.ts"
import { Slice } from "./memory/slice.ts"
import { restoreText } from "./restore-text.ts"
import { incremented, setString } from "./string.ts"

/** A key takes so many bytes of a checkpoint at least: its event and its access clock. */
const leastKeyBytes = 8
/** Tables made per slice: 4 MiB. */
const segmentsPerSlice = 256

/** How many keys a database will hold. */
export type KeyCount = Pick<DatabaseCount, "number" | "keys">

/** One checkpoint on its way into an empty keyspace. */
export class CheckpointLoad {
  events = 0
  private readonly keyspace: Keyspace
  private readonly reader: CheckpointReader
  private wire = new ByteReader(new Uint8Array(0))
  private readonly head = new CheckpointBatch()
  private view = new DataView(new ArrayBuffer(0))
  private counts: ReadonlyArray<KeyCount> | undefined = undefined
  private prepared = false

  /** `counts`: what the databases will hold, where the end of the file is not there yet to tell. */
  constructor(keyspace: Keyspace, reader: CheckpointReader, counts?: ReadonlyArray<KeyCount>) {
    this.keyspace = keyspace
    this.reader = reader
    this.counts = counts
  }

  /** Whether `slice` reads the next frame. */
  get reading(): boolean {
    return this.prepared
  }

  /**
   * Folds the next frame, about a millisecond's work; true when all of it is loaded and is what was saved. Throws
   * `CheckpointUnusable`; what the keyspace then holds is to be thrown away.
   */
  slice(): boolean {
    const { reader } = this
    try {
      if (!this.prepared) {
        this.prepare()
        return false
      }
      if (!reader.next()) {
        this.check()
        return true
      }
      if (this.wire.bytes !== reader.bytes) {
        const { buffer, byteLength, byteOffset } = reader.bytes
        this.wire = new ByteReader(reader.bytes)
        this.view = new DataView(buffer, byteOffset, byteLength)
      }
      this.wire.offset = reader.bodyStart
      for (let left = reader.batches; left > 0; left--) this.batch()
      return false
    } catch (error) {
      if (error instanceof WireError) throw new CheckpointUnusable(`it does not decode: ${error.message}`)
      throw error
    }
  }

  /** Makes some of the room the keys will need, as far as a file of this size can hold as many as it says. */
  private prepare(): void {
    const { keyspace, reader } = this
    this.counts ??= reader.countsAhead()
    const most = reader.size / leastKeyBytes
    for (const { keys, number } of this.counts) {
      const sane = number < keyspace.databases.length && keys <= most
      if (sane && !keyspace.database(number).dict.prepareFor(keys, segmentsPerSlice)) return
    }
    this.prepared = true
  }

  private batch(): void {
    const { head, reader, wire } = this
    head.open(wire, reader.bodyEnd)
    const { count, db, extension } = head
    const known = extension !== undefined && extension.length === 1 + 4 * count
      && extension.bytes[extension.start] === clocksExtension
    this.fold(db, count, known ? extension.start + 1 : -1)
    this.events += count
    head.close(wire)
  }

  /** Folds the events ahead; the access clocks of their entries stand at `clocks`, -1 when there are none. */
  private fold(number: number, count: number, clocks: number): void {
    const { keyspace, wire } = this
    const db: Database = keyspace.database(number)
    const { turn } = keyspace
    const { bytes } = wire
    turn.next(this.reader.header.created)
    for (let i = 0; i < count; i++) {
      turn.number++ // the same slice names one key after another
      if (clocks >= 0) turn.clock = get32(bytes, clocks + 4 * i)
      const start = wire.offset
      if (bytes[start] === codes.StringSet && this.restored(db, start + 1)) continue
      const code = wire.varint()
      if (code === codes.StringSet) {
        this.point(key)
        this.point(value)
        setString(db, key, value, wire.u8() === 0 ? 0 : wire.varint())
      } else if (code === codes.StringIncremented) {
        this.point(key)
        incremented(db, key, wire.int64())
      } else {
        wire.offset = start
        evolve(keyspace, number, decodeEvent(wire))
      }
    }
  }

  /**
   * Takes the StringSet whose fields begin at `at` in, if it is a usual one: lengths of one or two bytes, no deadline,
   * nothing that could be an integer, a key not seen before. Otherwise nothing has happened.
   */
  private restored(db: Database, at: number): boolean {
    const { wire } = this
    const { bytes, end } = wire
    let keyLength = bytes[at++]!
    if (keyLength > 0x7f) {
      const high = bytes[at++]!
      if (high > 0x7f) return false
      keyLength += (high << 7) - 0x80
    }
    const keyAt = at
    at += keyLength
    if (at >= end) return false
    let valueLength = bytes[at++]!
    if (valueLength > 0x7f) {
      const high = bytes[at++]!
      if (high > 0x7f) return false
      valueLength += (high << 7) - 0x80
    }
    const after = at + valueLength
    if (after >= end || bytes[after] !== 0) return false // the byte after the value says whether a deadline follows
    const first = bytes[at]!
    if (valueLength <= 20 && (first === 0x2d || (first >= 0x30 && first <= 0x39))) return false
    if (!restoreText(db, bytes, this.view, keyAt, keyLength, at, valueLength)) return false
    wire.offset = after + 1
    return true
  }

  private point(into: Slice): void {
    const { wire } = this
    const length = wire.varint()
    const at = wire.offset
    if (at + length > wire.end) throw new WireError(`${length} bytes expected at offset ${at}`)
    wire.offset = at + length
    into.set(wire.bytes, at, length)
  }

  /** The end record counts what the keyspace should hold now. */
  private check(): void {
    const { databases, events } = this.reader.end!
    if (events !== this.events) throw new CheckpointUnusable(`${this.events} events where ${events} were written`)
    const counts = new Map(databases.map((count) => [count.number, count]))
    for (let number = 0; number < this.keyspace.databases.length; number++) {
      const database = this.keyspace.databases[number]!
      const { deadlines, keys } = counts.get(number) ?? { deadlines: 0, keys: 0 }
      if (database.size !== keys || database.deadlines.size !== deadlines) {
        throw new CheckpointUnusable(
          `database ${number} has ${database.size} keys, ${database.deadlines.size} with a deadline, where ${keys} and `
            + `${deadlines} were saved`
        )
      }
      counts.delete(number)
    }
    for (const [number, { keys }] of counts) {
      if (keys > 0) throw new CheckpointUnusable(`database ${number} is missing`)
    }
  }
}

const key = new Slice()
const value = new Slice()
