/** Entries of streams in replies, written straight from memory. */
import { Elements, type ElementSink, nilArray } from "../../net/resp/reply.ts"
import type { Database } from "../../projections/keyspace.ts"
import type { Pointer } from "../../projections/memory/arena.ts"
import { idTextBytes, type StreamId, writeId } from "../../projections/memory/stream-id.ts"
import { EntryRange } from "../../projections/stream-read.ts"

const text = new Uint8Array(idTextBytes)
const range = new EntryRange()

/** Writes an id. */
export const writeIdText = (out: ElementSink, id: StreamId): void => out.bulk(text, 0, writeId(text, 0, id))

/** Writes the fields and values of the entry that `range` stands at. */
const writePairs = (out: ElementSink): void => {
  out.array(2 * range.pairs)
  while (range.nextPair()) {
    const { field, value } = range
    out.bulk(field.bytes, field.start, field.length)
    out.bulk(value.bytes, value.start, value.length)
  }
}

/** Writes up to `count` entries of a range, each as its id and its fields and values. */
export const writeRange = (
  out: ElementSink,
  db: Database,
  p: Pointer,
  from: StreamId,
  to: StreamId,
  reverse: boolean,
  count: number
): void => {
  range.start(db, p, from, to, reverse)
  for (let left = count; left > 0 && range.next(); left--) {
    out.array(2)
    writeIdText(out, range.id)
    writePairs(out)
  }
}

/** Writes the id of an entry, and its fields and values, or a null when it is no longer there. */
const writeParts = (out: ElementSink, db: Database, p: Pointer, id: StreamId): void => {
  writeIdText(out, id)
  if (range.start(db, p, id, id).next()) writePairs(out)
  else out.reply(nilArray)
}

/** Writes one entry as the first two of so many parts. */
export const writeOne = (out: ElementSink, db: Database, p: Pointer, id: StreamId, parts = 2): void => {
  out.array(parts)
  writeParts(out, db, p, id)
}

/** A reply of one entry. */
export const oneEntry = (db: Database, p: Pointer, id: StreamId): Elements =>
  new Elements("array", 2, (out) => writeParts(out, db, p, id))

/** A reply of entries by their ids, in this order; `justIds`: of the ids alone. */
export const chosenEntries = (db: Database, p: Pointer, ids: ReadonlyArray<StreamId>, justIds: boolean): Elements =>
  new Elements("array", ids.length, (out) => {
    for (const id of ids) {
      if (justIds) writeIdText(out, id)
      else writeOne(out, db, p, id)
    }
  })
