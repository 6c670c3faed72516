/** How much a reader of several streams may be given: COUNT for each of them, MAXCOUNT and MAXSIZE for all together. */
import type { Pointer } from "../../projections/memory/arena.ts"
import { idTextBytes, type StreamId, writeId } from "../../projections/memory/stream-id.ts"
import * as Stream from "../../projections/stream-read.ts"
import type { Decision } from "../decision.ts"

const single = new Stream.EntryRange()
const text = new Uint8Array(idTextBytes)

const digitsOf = (n: number): number => n < 10 ? 1 : n < 100 ? 2 : n < 1000 ? 3 : `${n}`.length
/** Bytes of a bulk string in a reply. */
const bulkBytes = (length: number): number => digitsOf(length) + length + 5
const arrayBytes = (length: number): number => digitsOf(length) + 3

/** Bytes of the entry that a range stands at in a reply: its id, and its fields and values. */
const entryBytes = (entry: Stream.EntryRange): number => {
  let bytes = arrayBytes(2) + bulkBytes(writeId(text, 0, entry.id)) + arrayBytes(2 * entry.pairs)
  while (entry.nextPair()) bytes += bulkBytes(entry.field.length) + bulkBytes(entry.value.length)
  return bytes
}

/** Counts down what may still be given. */
export class Allowance {
  private readonly perStream: number
  private total: number
  private bytes: number
  private inStream = 0
  private given = false

  /** Infinity for no limit. The first entry of all is given however large it is. */
  constructor(perStream: number, total: number, bytes: number) {
    this.perStream = perStream
    this.total = total
    this.bytes = bytes
  }

  /** Another stream begins. */
  next(): void {
    this.inStream = Math.min(this.perStream, this.total)
  }

  /** Whether anything may still be given of this stream. */
  get left(): boolean {
    return this.inStream > 0 && (this.bytes > 0 || !this.given)
  }

  /** Whether only the number of entries counts, so that they need not be looked at: then it is this. */
  get plainCount(): number | undefined {
    return this.bytes === Infinity ? this.inStream : undefined
  }

  /** Gives so many entries of a plain count. */
  take(count: number): void {
    this.inStream -= count
    this.total -= count
    if (count > 0) this.given = true
  }

  /** Whether this entry is given; then it is counted. */
  takesEntry(entry: Stream.EntryRange): boolean {
    if (this.inStream <= 0) return false
    if (this.bytes !== Infinity) {
      const bytes = entryBytes(entry)
      if (this.given && bytes > this.bytes) {
        this.bytes = 0
        return false
      }
      this.bytes -= bytes
    }
    this.take(1)
    return true
  }

  /** The same of an entry by its id, which may be there no longer. */
  takes(d: Decision, p: Pointer, id: StreamId): boolean {
    if (this.bytes === Infinity) {
      if (this.inStream <= 0) return false
      this.take(1)
      return true
    }
    if (single.start(d.db, p, id, id).next()) return this.takesEntry(single)
    if (this.inStream <= 0) return false
    this.take(1)
    return true
  }
}
