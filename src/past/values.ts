/** Whole values as replies, within bounds. */
import { Double, MapReply, type Reply } from "../net/resp/reply.ts"
import * as Entry from "../projections/entry.ts"
import { eachField, liveCount } from "../projections/hash-read.ts"
import type { Database } from "../projections/keyspace.ts"
import { eachElement, listLength } from "../projections/list.ts"
import type { Pointer } from "../projections/memory/arena.ts"
import { Slice } from "../projections/memory/slice.ts"
import { StreamId } from "../projections/memory/stream-id.ts"
import { cardinality as membersOf, eachMember } from "../projections/set.ts"
import { cardinality as scoredOf, eachRanked } from "../projections/sorted-set-read.ts"
import { EntryRange, length as entriesOf } from "../projections/stream-read.ts"
import { readString } from "../projections/string.ts"

/** Bytes shown of one element, and elements of one value. */
const shownBytes = 1024
const shownElements = 100

const firstId = new StreamId()
const lastId = new StreamId().set(0xffff_ffff, 0xffff_ffff, 0xffff_ffff, 0xffff_ffff)
const range = new EntryRange()
const digits = new Uint8Array(24)
const text = new Slice()

/** Copies what is shown, and counts what is not. */
class Shown {
  cutBytes = 0

  slice(bytes: Slice): Slice {
    this.cutBytes += Math.max(0, bytes.length - shownBytes)
    return new Slice(bytes.bytes, bytes.start, Math.min(bytes.length, shownBytes)).copy()
  }
}

/** What an entry holds and how many elements that has. */
const contentOf = (db: Database, p: Pointer, now: number, shown: Shown): readonly [value: Reply, length: number] => {
  const list: Array<Reply> = []
  const pairs: Array<readonly [Reply, Reply]> = []
  switch (Entry.typeOf(db.arena, p)) {
    case Entry.Type.string: {
      const value = readString(db, p, text, digits)
      return [shown.slice(value), value.length]
    }
    case Entry.Type.list: {
      const length = listLength(db, p)
      eachElement(db, p, 0, Math.min(length, shownElements), false, (element) => list.push(shown.slice(element)) > 0)
      return [list, length]
    }
    case Entry.Type.set:
      eachMember(db, p, (member) => list.length < shownElements && list.push(shown.slice(member)) > 0)
      return [list, membersOf(db, p)]
    case Entry.Type.hash:
      eachField(db, p, now, (field, value) => {
        if (pairs.length < shownElements) pairs.push([shown.slice(field), shown.slice(value)])
      })
      return [new MapReply(pairs), liveCount(db, p, now)]
    case Entry.Type.zset: {
      const length = scoredOf(db, p)
      eachRanked(db, p, 0, Math.min(length, shownElements), false, (member, score) => {
        pairs.push([shown.slice(member), new Double(score)])
      })
      return [new MapReply(pairs), length]
    }
    default:
      range.start(db, p, firstId, lastId)
      while (pairs.length < shownElements && range.next()) {
        const fields: Array<readonly [Reply, Reply]> = []
        while (fields.length < shownElements && range.nextPair()) {
          fields.push([shown.slice(range.field), shown.slice(range.value)])
        }
        pairs.push([String(range.id), new MapReply(fields)])
      }
      return [new MapReply(pairs), entriesOf(db, p)]
  }
}

/**
 * The value of an entry at a time (Unix ms): `type`, `length` (bytes of a string, elements of a collection), `expire-at` (Unix ms or null) and
 * `value`, with `cut-bytes` and `left-out` where not all is shown. It points at nothing of the data.
 */
export const valueReply = (db: Database, p: Pointer, now: number): MapReply => {
  const shown = new Shown()
  const type = Entry.typeOf(db.arena, p)
  const [value, length] = contentOf(db, p, now, shown)
  const deadline = Entry.deadlineOf(db.arena, p)
  const pairs: Array<readonly [string, Reply]> = [
    ["type", Entry.types[type] ?? "unknown"],
    ["length", length],
    ["expire-at", deadline === 0 ? null : deadline],
    ["value", value]
  ]
  if (shown.cutBytes > 0) pairs.push(["cut-bytes", shown.cutBytes])
  if (type !== Entry.Type.string && length > shownElements) pairs.push(["left-out", length - shownElements])
  return new MapReply(pairs)
}
