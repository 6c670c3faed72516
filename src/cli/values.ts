/** Entries of a keyspace one by one, and the elements of their values. Slices are good until the next step only. */
import { formatDouble } from "../net/resp/encoder.ts"
import * as Entry from "../projections/entry.ts"
import { eachFieldOfAll, isGone } from "../projections/hash-read.ts"
import type { Database, Keyspace } from "../projections/keyspace.ts"
import { eachElement, listLength } from "../projections/list.ts"
import type { Pointer } from "../projections/memory/arena.ts"
import { Slice } from "../projections/memory/slice.ts"
import { greatestId, leastId } from "../projections/memory/stream-id.ts"
import { eachMember } from "../projections/set.ts"
import { cardinality, eachRanked } from "../projections/sorted-set-read.ts"
import * as Streams from "../projections/stream-read.ts"
import { readString } from "../projections/string.ts"

export type TypeName = typeof Entry.types[number]

/** What type of value an entry has. */
export const typeOf = (db: Database, p: Pointer): TypeName => Entry.types[Entry.typeOf(db.arena, p)]!

/** Calls `visit` with every key that is there at a time (Unix ms; 0: whether or not its deadline has passed). */
export const eachKey = (
  keyspace: Keyspace,
  now: number,
  visit: (number: number, db: Database, p: Pointer, key: Slice) => void
): void => {
  const key = new Slice()
  for (let number = 0; number < keyspace.databases.length; number++) {
    const db = keyspace.databases[number]!
    for (let position = 0; position >= 0;) {
      position = db.dict.walk(position, (p) => {
        if (!isGone(db, p, now)) visit(number, db, p, Entry.keyOf(db.arena, p, key))
      })
    }
  }
}

/** The deadline of an entry, Unix ms; 0: it has none. */
export const deadlineOf = (db: Database, p: Pointer): number =>
  Entry.hasDeadline(db.arena, p) ? Entry.deadlineOf(db.arena, p) : 0

const digits = new Uint8Array(32)
const text = new Slice()

/** The value of a string. */
export const stringOf = (db: Database, p: Pointer): Slice => readString(db, p, text, digits)

/** An element of a collection: its name, and what belongs to it. */
export type ElementVisitor = (name: Slice, value: Slice | undefined, extra: number) => void

/**
 * The elements of a collection in its order: of a hash fields with values and deadlines (`extra`, 0: none), of a sorted set
 * members with scores (`extra`), of lists and sets elements alone. Streams have `eachEntry`.
 */
export const eachPart = (db: Database, p: Pointer, visit: ElementVisitor): void => {
  switch (typeOf(db, p)) {
    case "list":
      eachElement(db, p, 0, listLength(db, p), false, (element) => {
        visit(element, undefined, 0)
        return true
      })
      return
    case "set":
      eachMember(db, p, (member) => visit(member, undefined, 0))
      return
    case "hash":
      eachFieldOfAll(db, p, (field, value, deadline) => visit(field, value, deadline))
      return
    case "zset":
      eachRanked(db, p, 0, cardinality(db, p), false, (member, score) => visit(member, undefined, score))
      return
    default:
  }
}

/** The entries of a stream in order, each with its fields and values in turn. */
export const eachEntry = (
  db: Database,
  p: Pointer,
  visit: (id: string, pairs: ReadonlyArray<Slice>) => void
): void => {
  const range = new Streams.EntryRange()
  range.start(db, p, leastId, greatestId)
  while (range.next()) {
    const pairs: Array<Slice> = []
    while (range.nextPair()) pairs.push(range.field.copy(), range.value.copy())
    visit(String(range.id), pairs)
  }
}

/** A score as redis-cli shows it. */
export const scoreText = formatDouble
