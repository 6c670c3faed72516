/**
 * What commands ask of hashes. Fields past their deadlines count as absent, whether or not their deaths have been
 * recorded; `now` is Unix milliseconds throughout.
 */
import { packCount, packHeader, rootOf, valueLength, valueStart } from "./collection.ts"
import type { Database } from "./database.ts"
import * as Entry from "./entry.ts"
import { deadCount, deadlineOfField, deadlinesOf, fieldOf, packedDeadline, valueOf } from "./hash-fields.ts"
import { type Pointer, slabOf } from "./memory/arena.ts"
import * as Pack from "./memory/pack.ts"
import { Slice } from "./memory/slice.ts"
import { Recall } from "./recall.ts"

const { hashtable, listpackex } = Entry.Encoding
const needle = new Pack.Needle()
const fieldText = new Slice()
const valueText = new Slice()
const fieldDigits = new Uint8Array(Pack.digitsBytes)
const valueDigits = new Uint8Array(Pack.digitsBytes)

/** Whether the hash has structures of its own; the slices of its fields and values then stay where they are. */
export const isLargeHash = (db: Database, p: Pointer): boolean => Entry.encodingOf(db.arena, p) === hashtable

/** The number of fields, dead ones included. */
export const fieldCount = (db: Database, p: Pointer): number =>
  isLargeHash(db, p)
    ? db.structures.fields.open(rootOf(db, p)).size
    : packCount(db.arena.bytes[slabOf(p)]!, valueStart(db, p))

/** The number of fields that are alive. */
export const liveCount = (db: Database, p: Pointer, now: number): number => {
  const count = fieldCount(db, p)
  return Entry.mayHaveTimedFields(db.arena, p) ? count - deadCount(db.structures, p, now) : count
}

/** Whether an entry of any type is dead: past its deadline, or a hash all of whose fields are. */
export const isGone = (db: Database, p: Pointer, now: number): boolean =>
  Entry.isDead(db.arena, p, now) || (Entry.mayHaveTimedFields(db.arena, p) && liveCount(db, p, now) === 0)

/** The field of a large hash that was looked up last for a change. */
export const fieldRecall = new Recall()

/** A field that was looked up, until the hash changes or another one is looked up. */
export class FoundField {
  /** Unix milliseconds, 0 for none. */
  deadline = 0
  private bytes: Uint8Array = fieldDigits
  /** Of a packed value its element, of another its bytes. */
  private at = 0
  private length = -1

  /** Looks a field up; false when it is absent or dead. `toChange`: the fold of this command will ask for it again. */
  find(db: Database, p: Pointer, field: Slice, now: number, toChange = false): boolean {
    return this.seek(db, p, field, toChange) && (this.deadline === 0 || this.deadline > now)
  }

  private seek(db: Database, p: Pointer, field: Slice, toChange: boolean): boolean {
    const { arena } = db
    const encoding = Entry.encodingOf(arena, p)
    this.deadline = 0
    if (encoding === hashtable) {
      const table = db.structures.fields.open(rootOf(db, p))
      const block = toChange
        ? fieldRecall.locate(db.turn, table, field)
        : table.get(field.bytes, field.start, field.length)
      if (block === 0) return false
      this.deadline = deadlineOfField(arena, block)
      valueOf(arena, block, valueText)
      this.bytes = valueText.bytes
      this.at = valueText.start
      this.length = valueText.length
      return true
    }
    // A longer field was never put into a pack, or the limit has changed since.
    const bytes = arena.bytes[slabOf(p)]!
    const start = valueStart(db, p)
    const end = start + valueLength(db, p)
    const at = Pack.find(bytes, start + packHeader, end, needle.set(field), encoding === listpackex ? 3 : 2)
    if (at < 0) return false
    this.bytes = bytes
    this.at = at + needle.length
    this.length = -1
    if (encoding === listpackex) this.deadline = packedDeadline(bytes, this.at + Pack.sizeAt(bytes, this.at))
    return true
  }

  /**
   * Points `into` at the value, valid until the hash changes, or when it is held as an integer at `digits`, where its
   * text is written.
   */
  value(into: Slice, digits: Uint8Array, digitsAt = 0): Slice {
    return this.length < 0
      ? Pack.textAt(this.bytes, this.at, into, digits, digitsAt)
      : into.set(this.bytes, this.at, this.length)
  }

  /** Length of the value in bytes. */
  get valueLength(): number {
    return this.length < 0 ? Pack.lengthOfText(this.bytes, this.at) : this.length
  }
}

/** Told of a field; the slices are used again for the next one. */
export type FieldVisitor = (field: Slice, value: Slice, deadline: number) => void

/** Visits a field of a large hash, by its block. */
export const visitBlock = (db: Database, block: Pointer, visit: FieldVisitor): void => {
  const { arena } = db
  visit(fieldOf(arena, block, fieldText), valueOf(arena, block, valueText), deadlineOfField(arena, block))
}

/** Points `into` at the pack of fields and values of a hash that is small and has no deadlines; false for others. */
export const packOfPairs = (db: Database, p: Pointer, into: Slice): boolean => {
  if (Entry.encodingOf(db.arena, p) !== Entry.Encoding.listpack) return false
  into.set(db.arena.bytes[slabOf(p)]!, valueStart(db, p) + packHeader, valueLength(db, p) - packHeader)
  return true
}

/** Visits all fields, dead ones included. */
export const eachFieldOfAll = (db: Database, p: Pointer, visit: FieldVisitor): void => {
  if (isLargeHash(db, p)) {
    db.structures.fields.open(rootOf(db, p)).each((block) => visitBlock(db, block, visit))
    return
  }
  const timed = Entry.encodingOf(db.arena, p) === listpackex
  const bytes = db.arena.bytes[slabOf(p)]!
  const start = valueStart(db, p)
  const end = start + valueLength(db, p)
  for (let at = start + packHeader; at < end;) {
    Pack.textAt(bytes, at, fieldText, fieldDigits)
    at += Pack.sizeAt(bytes, at)
    Pack.textAt(bytes, at, valueText, valueDigits)
    at += Pack.sizeAt(bytes, at)
    let deadline = 0
    if (timed) {
      deadline = packedDeadline(bytes, at)
      at += Pack.sizeAt(bytes, at)
    }
    visit(fieldText, valueText, deadline)
  }
}

/** Visits the fields that are alive. */
export const eachField = (db: Database, p: Pointer, now: number, visit: FieldVisitor): void => {
  if (!Entry.mayHaveTimedFields(db.arena, p)) {
    eachFieldOfAll(db, p, visit)
    return
  }
  eachFieldOfAll(db, p, (field, value, deadline) => {
    if (deadline === 0 || deadline > now) visit(field, value, deadline)
  })
}

/** The blocks of a large hash a scan meets; returns the next cursor, 0 when it is over. */
export const scanBlocks = (
  db: Database,
  p: Pointer,
  cursor: number,
  count: number,
  maxSteps: number,
  visit: (block: Pointer) => void
): number => db.structures.fields.open(rootOf(db, p)).scanMany(cursor, count, maxSteps, visit)

/** A random field's block in a large hash that has fields. */
export const randomBlock = (db: Database, p: Pointer, random: () => number): Pointer =>
  db.structures.fields.open(rootOf(db, p)).random(random)

/** Copies of fields that are dead at `now`: of a small hash all, of a large one up to `most`, the earliest first. */
export const dueFields = (db: Database, p: Pointer, now: number, most: number): Array<Slice> => {
  const due: Array<Slice> = []
  if (!isLargeHash(db, p)) {
    eachFieldOfAll(db, p, (field, _value, deadline) => {
      if (deadline !== 0 && deadline <= now) due.push(field.copy())
    })
    return due
  }
  const order = deadlinesOf(db.structures, p)
  if (order === undefined) return due
  for (let rank = 0; rank < most && order.at(rank); rank++) {
    if (order.a * 0x1_0000_0000 + order.b > now) break
    due.push(fieldOf(db.arena, order.c, fieldText).copy())
  }
  return due
}
