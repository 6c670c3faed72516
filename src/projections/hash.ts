/** Hashes: a pack of fields and values, with deadlines if any has one, or a table of fields (hash-fields.ts). */
import {
  becomeLarge,
  createSmall,
  packCount,
  packHeader,
  rootOf,
  setPackCount,
  splice,
  valueLength,
  valueStart,
  written
} from "./collection.ts"
import type { Database } from "./database.ts"
import * as Entry from "./entry.ts"
import {
  dateField,
  deadlineOfField,
  earliestFieldDeadline,
  fieldBlockBytes,
  fieldOf,
  undateField,
  valueLengthOf,
  valueOf,
  writeField
} from "./hash-fields.ts"
import { setElementMark } from "./large.ts"
import { type Pointer, slabOf } from "./memory/arena.ts"
import * as Pack from "./memory/pack.ts"
import { copyBytes, Slice } from "./memory/slice.ts"

const { hashtable, listpack, listpackex } = Entry.Encoding
const needle = new Pack.Needle()
const valueNeedle = new Pack.Needle()
const fieldDigits = new Uint8Array(Pack.digitsBytes)
const valueDigits = new Uint8Array(Pack.digitsBytes)
const scratchField = new Slice()
const scratchValue = new Slice()
const one = new Slice()

// ——— reading ———

const isLarge = (db: Database, p: Pointer): boolean => Entry.encodingOf(db.arena, p) === hashtable

/** Elements of a pack per field. */
const strideOf = (encoding: number): number => encoding === listpackex ? 3 : 2

const bytesOf = (db: Database, p: Pointer): Uint8Array => db.arena.bytes[slabOf(p)]!

/** The number of fields, dead ones included. */
export const fieldCount = (db: Database, p: Pointer): number =>
  isLarge(db, p) ? db.structures.fields.open(rootOf(db, p)).size : packCount(bytesOf(db, p), valueStart(db, p))

/** Where a field stands in a small hash, in the slab's bytes; -1 when it does not. */
const findPacked = (db: Database, p: Pointer, field: Slice): number => {
  const start = valueStart(db, p)
  const stride = strideOf(Entry.encodingOf(db.arena, p))
  return Pack.find(bytesOf(db, p), start + packHeader, start + valueLength(db, p), needle.set(field), stride)
}

/** Where a field stands: its block in a large hash, else its place in the slab's bytes; -1 when it does not. */
const find = (db: Database, p: Pointer, field: Slice): number => {
  if (!isLarge(db, p)) return findPacked(db, p, field)
  const e = db.structures.fields.open(rootOf(db, p)).get(field.bytes, field.start, field.length)
  return e === 0 ? -1 : e
}

/** The deadline of the field at a place `find` gave; 0 for none. */
const deadlineAtPlace = (db: Database, p: Pointer, place: number): number => {
  const encoding = Entry.encodingOf(db.arena, p)
  if (encoding === hashtable) return deadlineOfField(db.arena, place)
  if (encoding !== listpackex) return 0
  const bytes = bytesOf(db, p)
  return Number(Pack.integerAt(bytes, Pack.skip(bytes, place, 2)))
}

/**
 * The value of a field at `now` (Unix ms): in `into`, which is pointed at the data or, for an integer, at `digits`.
 * Undefined when the hash has no such field, or it is dead.
 */
export const fieldValue = (
  db: Database,
  p: Pointer,
  field: Slice,
  now: number,
  into: Slice,
  digits: Uint8Array
): Slice | undefined => {
  const place = find(db, p, field)
  if (place < 0) return undefined
  const deadline = deadlineAtPlace(db, p, place)
  if (deadline !== 0 && deadline <= now) return undefined
  if (isLarge(db, p)) return valueOf(db.arena, place, into)
  const bytes = bytesOf(db, p)
  return Pack.textAt(bytes, place + Pack.sizeAt(bytes, place), into, digits)
}

/** Whether a hash has a live field. */
export const hasField = (db: Database, p: Pointer, field: Slice, now: number): boolean =>
  fieldDeadline(db, p, field, now) >= 0

/** The deadline of a live field, 0 for none; -1 when there is no such field. */
export const fieldDeadline = (db: Database, p: Pointer, field: Slice, now: number): number => {
  const place = find(db, p, field)
  if (place < 0) return -1
  const deadline = deadlineAtPlace(db, p, place)
  return deadline !== 0 && deadline <= now ? -1 : deadline
}

/** Visits the fields that live at `now`, dead ones too when it is -1. The slices are the same for all. */
export const eachField = (
  db: Database,
  p: Pointer,
  now: number,
  visit: (field: Slice, value: Slice, deadline: number) => void
): void => {
  const encoding = Entry.encodingOf(db.arena, p)
  if (encoding === hashtable) {
    db.structures.fields.open(rootOf(db, p)).each((e) => {
      const deadline = deadlineOfField(db.arena, e)
      if (deadline !== 0 && deadline <= now) return
      visit(fieldOf(db.arena, e, scratchField), valueOf(db.arena, e, scratchValue), deadline)
    })
    return
  }
  const bytes = bytesOf(db, p)
  const start = valueStart(db, p)
  const end = start + valueLength(db, p)
  for (let at = start + packHeader; at < end;) {
    const value = at + Pack.sizeAt(bytes, at)
    let next = value + Pack.sizeAt(bytes, value)
    let deadline = 0
    if (encoding === listpackex) {
      deadline = Number(Pack.integerAt(bytes, next))
      next += Pack.sizeAt(bytes, next)
    }
    if (deadline === 0 || deadline > now) {
      visit(
        Pack.textAt(bytes, at, scratchField, fieldDigits),
        Pack.textAt(bytes, value, scratchValue, valueDigits),
        deadline
      )
    }
    at = next
  }
}

/** Copies of up to `most` fields that are dead at `now`. */
export const deadFields = (db: Database, p: Pointer, now: number, most: number): Array<Slice> => {
  const dead: Array<Slice> = []
  const earliest = earliestFieldDeadline(db.structures, p)
  if (earliest === 0 || earliest > now) return dead
  if (isLarge(db, p)) {
    const order = db.structures.deadlines
    for (let rank = 0; rank < most && order.at(rank); rank++) {
      if (order.a * 0x1_0000_0000 + order.b > now) break
      dead.push(fieldOf(db.arena, order.c, one).copy())
    }
    return dead
  }
  eachField(db, p, -1, (field, _value, deadline) => {
    if (deadline !== 0 && deadline <= now && dead.length < most) dead.push(field.copy())
  })
  return dead
}

/** Whether any field of the hash has a deadline. */
export const hasFieldDeadlines = (db: Database, p: Pointer): boolean => earliestFieldDeadline(db.structures, p) !== 0

// ——— folding ———

const hashAt = (db: Database, key: Slice): Pointer => {
  const p = db.locate(key)
  return p !== 0 && Entry.typeOf(db.arena, p) === Entry.Type.hash ? p : 0
}

const put = (db: Database, key: Slice, pairs: ReadonlyArray<Slice>, keepDeadlines: boolean): void => {
  if (pairs.length < 2) return
  let p = db.locate(key)
  if (p !== 0 && Entry.typeOf(db.arena, p) !== Entry.Type.hash) {
    db.delete(key)
    p = 0
  }
  if (p === 0) {
    const room = Pack.encodedSize(pairs[0]!) + Pack.encodedSize(pairs[1]!)
    p = createSmall(db, key, Entry.Type.hash, listpack, packHeader + Math.min(1024, room))
    p = splice(db, key, p, 0, packHeader)
    setPackCount(bytesOf(db, p), valueStart(db, p), 0)
  }
  const before = earliestFieldDeadline(db.structures, p)
  for (let i = 0; i + 1 < pairs.length; i += 2) p = putOne(db, key, p, pairs[i]!, pairs[i + 1]!, keepDeadlines)
  written(db, p)
  if (before !== 0) db.indexFields(key, before, earliestFieldDeadline(db.structures, p))
}

/** These fields have these values now, and no deadlines. */
export const fieldsSet = (db: Database, key: Slice, pairs: ReadonlyArray<Slice>): void => put(db, key, pairs, false)

/** The values of these fields became these; their deadlines stay. */
export const fieldsUpdated = (db: Database, key: Slice, pairs: ReadonlyArray<Slice>): void => put(db, key, pairs, true)

const putOne = (db: Database, key: Slice, p: Pointer, field: Slice, value: Slice, keepDeadline: boolean): Pointer => {
  if (isLarge(db, p)) return putLarge(db, p, field, value, keepDeadline)
  const { limits } = db
  if (field.length > limits.hashBytes || value.length > limits.hashBytes) {
    return putLarge(db, toTable(db, key, p), field, value, keepDeadline)
  }
  const dated = Entry.encodingOf(db.arena, p) === listpackex
  const at = findPacked(db, p, field)
  const start = valueStart(db, p)
  valueNeedle.set(value)
  if (at < 0) {
    const count = packCount(bytesOf(db, p), start)
    if (count >= limits.hashEntries) return putLarge(db, toTable(db, key, p), field, value, keepDeadline)
    const length = valueLength(db, p)
    const none = dated ? Pack.encodedSizeOfInteger(0) : 0
    const q = splice(db, key, p, length, needle.length + valueNeedle.length + none)
    const bytes = bytesOf(db, q)
    const first = valueStart(db, q)
    copyBytes(bytes, first + length, needle.bytes, 0, needle.length)
    copyBytes(bytes, first + length + needle.length, valueNeedle.bytes, 0, valueNeedle.length)
    if (dated) Pack.encodeInteger(bytes, first + length + needle.length + valueNeedle.length, 0)
    setPackCount(bytes, first, count + 1)
    return q
  }
  const valueAt = at + Pack.sizeAt(bytesOf(db, p), at) - start
  const q = replacePacked(db, key, p, valueAt, valueNeedle)
  return dated && !keepDeadline ? datePacked(db, key, q, valueAt + valueNeedle.length, 0) : q
}

/** Puts the needle in the place of the element at `at` bytes into the value. */
const replacePacked = (db: Database, key: Slice, p: Pointer, at: number, by: Pack.Needle): Pointer => {
  const grow = by.length - Pack.sizeAt(bytesOf(db, p), valueStart(db, p) + at)
  let q = p
  if (grow === 0) db.changing(p)
  else q = splice(db, key, p, at, grow)
  copyBytes(bytesOf(db, q), valueStart(db, q) + at, by.bytes, 0, by.length)
  return q
}

/** Sets the deadline that stands at `at` bytes into the value. */
const datePacked = (db: Database, key: Slice, p: Pointer, at: number, deadline: number): Pointer => {
  const before = Pack.sizeAt(bytesOf(db, p), valueStart(db, p) + at)
  const grow = Pack.encodedSizeOfInteger(deadline) - before
  let q = p
  if (grow === 0) db.changing(p)
  else q = splice(db, key, p, at, grow)
  Pack.encodeInteger(bytesOf(db, q), valueStart(db, q) + at, deadline)
  return q
}

const putLarge = (db: Database, p: Pointer, field: Slice, value: Slice, keepDeadline: boolean): Pointer => {
  db.changing(p)
  const { arena, structures } = db
  const root = rootOf(db, p)
  const table = structures.fields.open(root)
  const hash = table.hash(field.bytes, field.start, field.length)
  const e = table.find(hash, field.bytes, field.start, field.length)
  if (e === 0) {
    const made = arena.allocate(fieldBlockBytes(field.length, value.length, false))
    writeField(arena, made, field, value, 0, db.mark)
    table.insert(hash, made)
    return p
  }
  db.elementChanging(root, e)
  const deadline = deadlineOfField(arena, e)
  if (deadline === 0 && valueLengthOf(arena, e) === value.length) {
    const into = valueOf(arena, e, one)
    copyBytes(into.bytes, into.start, value.bytes, value.start, value.length)
    return p
  }
  replaceField(db, root, hash, e, value, keepDeadline ? deadline : 0)
  return p
}

/** Gives a field of a large hash a new value and deadline; its block may be another one afterwards. */
const replaceField = (db: Database, root: Pointer, hash: number, e: Pointer, value: Slice, deadline: number): void => {
  const { arena, structures } = db
  const before = deadlineOfField(arena, e)
  if (before !== 0) undateField(structures, root, e, before)
  const field = fieldOf(arena, e, new Slice())
  const made = arena.allocate(fieldBlockBytes(field.length, value.length, deadline !== 0))
  writeField(arena, made, field, value, deadline, db.mark)
  structures.fields.open(root).replace(hash, e, made)
  arena.free(e)
  if (deadline !== 0) dateField(structures, root, made, deadline)
}

const toTable = (db: Database, key: Slice, p: Pointer): Pointer => {
  const { arena, structures } = db
  const table = structures.fields
  const root = table.create()
  table.presize(fieldCount(db, p) + 1)
  eachField(db, p, -1, (field, value, deadline) => {
    const e = arena.allocate(fieldBlockBytes(field.length, value.length, deadline !== 0))
    writeField(arena, e, field, value, deadline, db.mark)
    table.insert(table.hash(field.bytes, field.start, field.length), e)
    if (deadline !== 0) dateField(structures, root, e, deadline)
  })
  return becomeLarge(db, key, p, hashtable, root)
}

/** These fields are no longer in the hash. */
export const fieldsRemoved = (db: Database, key: Slice, fields: ReadonlyArray<Slice>): void => {
  let p = hashAt(db, key)
  if (p === 0) return
  const before = earliestFieldDeadline(db.structures, p)
  for (let i = 0; i < fields.length; i++) p = removeOne(db, key, p, fields[i]!)
  if (before !== 0) db.indexFields(key, before, earliestFieldDeadline(db.structures, p))
  if (fieldCount(db, p) === 0) db.delete(key)
  else written(db, p)
}

const removeOne = (db: Database, key: Slice, p: Pointer, field: Slice): Pointer => {
  if (!isLarge(db, p)) {
    const at = findPacked(db, p, field)
    if (at < 0) return p
    const bytes = bytesOf(db, p)
    const start = valueStart(db, p)
    const count = packCount(bytes, start)
    const end = Pack.skip(bytes, at, strideOf(Entry.encodingOf(db.arena, p)))
    const q = splice(db, key, p, at - start, at - end)
    setPackCount(bytesOf(db, q), valueStart(db, q), count - 1)
    return q
  }
  db.changing(p)
  const { arena, structures } = db
  const root = rootOf(db, p)
  const table = structures.fields.open(root)
  const hash = table.hash(field.bytes, field.start, field.length)
  const e = table.find(hash, field.bytes, field.start, field.length)
  if (e === 0) return p
  db.elementChanging(root, e)
  const deadline = deadlineOfField(arena, e)
  if (deadline !== 0) undateField(structures, root, e, deadline)
  structures.fields.open(root).remove(hash, e)
  arena.free(e)
  return p
}

/** These fields die at `deadline`, or with 0 no longer. */
export const fieldsExpireAt = (db: Database, key: Slice, deadline: number, fields: ReadonlyArray<Slice>): void => {
  let p = hashAt(db, key)
  if (p === 0) return
  const before = earliestFieldDeadline(db.structures, p)
  if (Entry.encodingOf(db.arena, p) === listpack && deadline !== 0) p = makeRoomForDeadlines(db, key, p)
  for (let i = 0; i < fields.length; i++) p = dateOne(db, key, p, fields[i]!, deadline)
  written(db, p)
  db.indexFields(key, before, earliestFieldDeadline(db.structures, p))
}

/** A pack of fields and values becomes one of fields, values and deadlines. */
const makeRoomForDeadlines = (db: Database, key: Slice, p: Pointer): Pointer => {
  const start = valueStart(db, p)
  const count = packCount(bytesOf(db, p), start)
  const old = bytesOf(db, p).slice(start, start + valueLength(db, p))
  const none = Pack.encodedSizeOfInteger(0)
  const q = splice(db, key, p, old.length, count * none)
  const bytes = bytesOf(db, q)
  let to = valueStart(db, q) + packHeader
  for (let at = packHeader; at < old.length;) {
    const next = Pack.skip(old, at, 2)
    copyBytes(bytes, to, old, at, next - at)
    to = Pack.encodeInteger(bytes, to + next - at, 0)
    at = next
  }
  Entry.setTypeAndEncoding(db.arena, q, Entry.Type.hash, listpackex)
  return q
}

const dateOne = (db: Database, key: Slice, p: Pointer, field: Slice, deadline: number): Pointer => {
  const encoding = Entry.encodingOf(db.arena, p)
  if (encoding !== hashtable) {
    const at = findPacked(db, p, field)
    if (at < 0 || encoding === listpack) return p
    return datePacked(db, key, p, Pack.skip(bytesOf(db, p), at, 2) - valueStart(db, p), deadline)
  }
  db.changing(p)
  const root = rootOf(db, p)
  const table = db.structures.fields.open(root)
  const hash = table.hash(field.bytes, field.start, field.length)
  const e = table.find(hash, field.bytes, field.start, field.length)
  if (e === 0 || deadlineOfField(db.arena, e) === deadline) return p
  db.elementChanging(root, e)
  setElementMark(db.arena, e, db.mark)
  replaceField(db, root, hash, e, valueOf(db.arena, e, new Slice()), deadline)
  return p
}
