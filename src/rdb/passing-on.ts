/**
 * The batches of the log as requests for a Redis that follows: what happened becomes a command that makes it happen there.
 * A few events have none in Redis 7.0, or would need to know what is before them: then the key is sent as it is now in
 * memory, which may be ahead of the batch, and what the log says of it up to where memory is passes.
 *
 * Deadlines of single fields of hashes, which Redis 7.0 does not know, are not sent; when they have passed, the fields are
 * deleted there, as keys are.
 */
import { type Batch, dbOf } from "../log/event-log.ts"
import type { Event } from "../log/events/catalog.ts"
import { putValue } from "../projections/dump.ts"
import * as Entry from "../projections/entry.ts"
import type { Keyspace } from "../projections/keyspace.ts"
import { Slice } from "../projections/memory/slice.ts"
import { RdbWriter } from "../projections/rdb-writer.ts"
import { length as streamLength } from "../projections/stream-read.ts"
import { isSweeping, visitTouched } from "../projections/touched.ts"
import { putDirect } from "./event-requests.ts"
import type { RequestBytes } from "./requests.ts"

/** What is dead stays until the log says so: at this time, Unix ms, nothing is. */
const atOnce = 0

/** One stream of requests, from one batch on. */
export class PassingOn {
  readonly out: RequestBytes
  private readonly keyspace: Keyspace
  private db = -1
  /** Keys that were sent as they were after a later batch, by database and key; and the latest of these batches. */
  private readonly ahead = new Map<string, number>()
  private latest = 0
  /** Lengths of streams that have been trimmed. */
  private readonly lengths = new Map<string, number>()
  /** The batch at hand, and what memory holds. */
  private sequence = 0
  private head = 0
  private touched: Array<{ readonly db: number; readonly key: Slice }> = []
  private readonly visitor = {
    touch: (db: number, key: Slice): void => void this.touched.push({ db, key })
  }

  constructor(out: RequestBytes, keyspace: Keyspace) {
    this.out = out
    this.keyspace = keyspace
  }

  /** Adds the requests of a batch; memory holds everything up to the batch `head`. */
  batch(batch: Batch, head: number): void {
    const { events, sequence } = batch
    const { out } = this
    if (sequence > this.latest && this.ahead.size > 0) this.ahead.clear()
    this.sequence = sequence
    this.head = head
    const several = events.length > 1
    const before = out.length
    if (several) out.request("MULTI")
    const after = out.length
    for (let i = 0; i < events.length; i++) this.event(dbOf(batch, i), events[i]!)
    if (!several) return
    if (out.length === after) out.length = before
    else out.request("EXEC")
  }

  private event(db: number, event: Event): void {
    if (isSweeping(event)) {
      this.sweep(db, event)
      return
    }
    this.touched = []
    visitTouched(db, event, this.visitor)
    if (this.ahead.size > 0 && this.isAhead(db, event)) {
      // The one key it is about is as it should be already; others have to be made like it.
      if (this.touched.length === 1 && this.wasSentLater(this.touched[0]!.db, this.touched[0]!.key)) return
      this.sendTouched()
      return
    }
    const length = this.lengthBefore(db, event)
    if (length === undefined) {
      this.sendTouched()
      return
    }
    this.select(db)
    if (!putDirect(this.out, event, length)) this.sendTouched()
  }

  private select(db: number): void {
    if (db === this.db) return
    this.db = db
    this.out.request("SELECT", db)
  }

  /** Whether a key was sent as it was after the batch at hand or a later one. */
  private wasSentLater(db: number, key: Slice): boolean {
    const until = this.ahead.get(idOf(db, key))
    return until !== undefined && until >= this.sequence
  }

  /** Whether the event changes or reads a key that was sent as it was later. */
  private isAhead(db: number, event: Event): boolean {
    if (this.touched.some(({ db, key }) => this.wasSentLater(db, key))) return true
    if (event._tag === "KeyCopied") return this.wasSentLater(db, event.key)
    return event._tag === "StringsCombined" && event.sources.some((key) => this.wasSentLater(db, key))
  }

  private sendTouched(): void {
    for (const { db, key } of this.touched) this.send(db, key)
  }

  /** Sends a key as it is in memory. */
  private send(db: number, key: Slice): void {
    const { head, keyspace, out } = this
    const database = keyspace.database(db)
    keyspace.turn.number++ // a memory of a look-up in another turn is not to be trusted
    const p = database.locate(key)
    const id = idOf(db, key)
    this.lengths.delete(id)
    this.select(db)
    if (p === 0) out.request("DEL", key)
    else {
      const value = new RdbWriter()
      value.fieldDeadlines = "left out"
      const payload = value.finish(putValue(value, database, p, atOnce))
      out.request("RESTORE", key, Entry.deadlineOf(database.arena, p), payload, "REPLACE", "ABSTTL")
      if (Entry.typeOf(database.arena, p) === Entry.Type.stream) this.lengths.set(id, streamLength(database, p))
    }
    // Memory is ahead of this event by the others of its batch at least.
    this.ahead.set(id, head)
    this.latest = Math.max(this.latest, head, this.sequence)
  }

  /** What empties or exchanges databases; keys that were sent as they were later must stay so. */
  private sweep(db: number, event: Event): void {
    this.select(db)
    putDirect(this.out, event, 0)
    this.lengths.clear()
    for (const [id, until] of Array.from(this.ahead)) {
      if (until < this.sequence) continue
      const { db, key } = keyOf(id)
      this.send(db, key)
      // What an exchange took there is of a later time, too.
      if (event._tag !== "DatabasesSwapped") continue
      if (db === event.first) this.send(event.second, key)
      else if (db === event.second) this.send(event.first, key)
    }
  }

  /** Keeps count of how long streams are; the length before the event, 0 where it does not matter, undefined where it is not known. */
  private lengthBefore(db: number, event: Event): number | undefined {
    if (this.lengths.size === 0 && event._tag !== "StreamTrimmed") return 0
    for (const { db, key } of this.touched) {
      if (!event._tag.startsWith("Stream")) this.lengths.delete(idOf(db, key))
    }
    if (!("key" in event)) return 0
    const id = idOf(db, event.key)
    const length = this.lengths.get(id)
    if (length === undefined) return event._tag === "StreamTrimmed" ? undefined : 0
    if (event._tag === "StreamEntryAdded") this.lengths.set(id, length + 1)
    else if (event._tag === "StreamEntriesDeleted" || event._tag === "StreamEntriesTrimmed") {
      this.lengths.set(id, length - event.ids.length)
    } else if (event._tag === "StreamTrimmed") this.lengths.set(id, length - event.count)
    return length
  }
}

const idOf = (db: number, key: Slice): string => `${db}:${key.latin1()}`

const keyOf = (id: string): { readonly db: number; readonly key: Slice } => {
  const colon = id.indexOf(":")
  return { db: Number(id.slice(0, colon)), key: Slice.latin1(id.slice(colon + 1)) }
}
