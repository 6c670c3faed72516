/**
 * Hashes: a pack of fields and values, one of fields, values and deadlines once a field has had one, or a table of fields
 * (collection.ts, large.ts). When one becomes the next follows HSET and HEXPIRE of Redis; a hash never goes back by itself.
 */
import {
  becomeLarge,
  createSmall,
  packCount,
  packHeader,
  rootOf,
  setPackCount,
  setValueLength,
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
  packedDeadline,
  redateInPlace,
  undateField,
  valueLengthOf,
  valueOf,
  writeField
} from "./hash-fields.ts"
import { fieldRecall } from "./hash-read.ts"
import { type Pointer, slabOf, wordOf } from "./memory/arena.ts"
import * as Pack from "./memory/pack.ts"
import { copyBytes, Slice } from "./memory/slice.ts"

const { hashtable, listpack, listpackex } = Entry.Encoding
/** Bytes of "no deadline" in a pack. */
const noDeadlineBytes = Pack.encodedSizeOfInteger(0)

const fieldNeedle = new Pack.Needle()
const valueNeedle = new Pack.Needle()
const fieldText = new Slice()
const valueText = new Slice()
const fieldDigits = new Uint8Array(Pack.digitsBytes)
const valueDigits = new Uint8Array(Pack.digitsBytes)

const earliest = (db: Database, p: Pointer): number => earliestFieldDeadline(db.structures, p)

/** Elements of a field in a small hash's pack. */
const strideOf = (encoding: number): number => encoding === listpackex ? 3 : 2

/** The hash at a key; 0 when there is none. */
const hashAt = (db: Database, key: Slice): Pointer => {
  const p = db.locate(key)
  return p !== 0 && Entry.typeOf(db.arena, p) === Entry.Type.hash ? p : 0
}

// ——— setting fields ———

/** These fields have these values now, and no deadlines. */
export const fieldsSet = (db: Database, key: Slice, pairs: ReadonlyArray<Slice>): void => setAll(db, key, pairs, false)

/** The values of these fields became these; deadlines stay. */
export const fieldsUpdated = (db: Database, key: Slice, pairs: ReadonlyArray<Slice>): void =>
  setAll(db, key, pairs, true)

const setAll = (db: Database, key: Slice, pairs: ReadonlyArray<Slice>, keep: boolean): void => {
  if (pairs.length < 2) return
  let p = db.locate(key)
  if (p !== 0 && Entry.typeOf(db.arena, p) !== Entry.Type.hash) {
    db.delete(key)
    p = 0
  }
  let before = 0
  if (p === 0) p = createFor(db, key, pairs)
  else {
    db.changing(p)
    before = earliest(db, p)
  }
  for (let i = 0; i + 1 < pairs.length; i += 2) p = set(db, key, p, pairs[i]!, pairs[i + 1]!, keep)
  if (before !== 0) db.indexFields(key, before, earliest(db, p))
  written(db, p)
}

/** An empty hash of the kind that these fields and values will need, with room for them. */
const createFor = (db: Database, key: Slice, pairs: ReadonlyArray<Slice>): Pointer => {
  const { hashBytes, hashEntries } = db.limits
  const count = pairs.length >>> 1
  let room = packHeader
  for (let i = 0; i < pairs.length && count <= hashEntries; i++) {
    if (pairs[i]!.length > hashBytes) break
    room += Pack.encodedSize(pairs[i]!)
  }
  const p = createSmall(db, key, Entry.Type.hash, listpack, room)
  setPackCount(db.arena.bytes[slabOf(p)]!, valueStart(db, p), 0)
  setValueLength(db, p, packHeader)
  return count > hashEntries ? toTable(db, key, p, count) : p
}

const set = (db: Database, key: Slice, p: Pointer, field: Slice, value: Slice, keep: boolean): Pointer => {
  const encoding = Entry.encodingOf(db.arena, p)
  if (encoding === hashtable) return setLarge(db, p, field, value, keep)
  const { hashBytes, hashEntries } = db.limits
  if (field.length > hashBytes || value.length > hashBytes) {
    return setLarge(db, toTable(db, key, p, 0), field, value, keep)
  }
  const bytes = db.arena.bytes[slabOf(p)]!
  const start = valueStart(db, p)
  const length = valueLength(db, p)
  const at = Pack.find(bytes, start + packHeader, start + length, fieldNeedle.set(field), strideOf(encoding))
  if (at >= 0) return setValue(db, key, p, at + fieldNeedle.length - start, value, keep)
  if (packCount(bytes, start) >= hashEntries) return setLarge(db, toTable(db, key, p, 0), field, value, keep)
  return append(db, key, p, value)
}

/** Adds the field in `fieldNeedle` at the end of a small hash. */
const append = (db: Database, key: Slice, p: Pointer, value: Slice): Pointer => {
  valueNeedle.set(value)
  const timed = Entry.encodingOf(db.arena, p) === listpackex
  const length = valueLength(db, p)
  const q = splice(db, key, p, length, fieldNeedle.length + valueNeedle.length + (timed ? noDeadlineBytes : 0))
  const bytes = db.arena.bytes[slabOf(q)]!
  const start = valueStart(db, q)
  const at = start + length
  copyBytes(bytes, at, fieldNeedle.bytes, 0, fieldNeedle.length)
  copyBytes(bytes, at + fieldNeedle.length, valueNeedle.bytes, 0, valueNeedle.length)
  if (timed) Pack.encodeInteger(bytes, at + fieldNeedle.length + valueNeedle.length, 0)
  setPackCount(bytes, start, packCount(bytes, start) + 1)
  return q
}

/** Puts another value in the place of the one `at` bytes into a small hash. */
const setValue = (db: Database, key: Slice, p: Pointer, at: number, value: Slice, keep: boolean): Pointer => {
  valueNeedle.set(value)
  let q = replaceElement(db, key, p, at, valueNeedle.length)
  copyBytes(db.arena.bytes[slabOf(q)]!, valueStart(db, q) + at, valueNeedle.bytes, 0, valueNeedle.length)
  if (!keep && Entry.encodingOf(db.arena, q) === listpackex) q = setDeadline(db, key, q, at + valueNeedle.length, 0)
  return q
}

/** Makes the element `at` bytes into a small hash `size` bytes long; what is in it afterwards is the caller's to write. */
const replaceElement = (db: Database, key: Slice, p: Pointer, at: number, size: number): Pointer => {
  const before = Pack.sizeAt(db.arena.bytes[slabOf(p)]!, valueStart(db, p) + at)
  if (size !== before) return splice(db, key, p, at, size - before)
  db.changing(p)
  return p
}

const setDeadline = (db: Database, key: Slice, p: Pointer, at: number, deadline: number): Pointer => {
  if (packedDeadline(db.arena.bytes[slabOf(p)]!, valueStart(db, p) + at) === deadline) return p
  const q = replaceElement(db, key, p, at, Pack.encodedSizeOfInteger(deadline))
  Pack.encodeInteger(db.arena.bytes[slabOf(q)]!, valueStart(db, q) + at, deadline)
  return q
}

// ——— large hashes ———

const newBlock = (db: Database, field: Slice, value: Slice, deadline: number): Pointer => {
  const p = db.arena.allocate(fieldBlockBytes(field.length, value.length, deadline !== 0))
  writeField(db.arena, p, field, value, deadline, db.mark)
  return p
}

/** Turns a small hash into a large one with room for `expected` fields. */
const toTable = (db: Database, key: Slice, p: Pointer, expected: number): Pointer => {
  const { structures } = db
  const table = structures.fields
  const timed = Entry.encodingOf(db.arena, p) === listpackex
  const bytes = db.arena.bytes[slabOf(p)]!
  const start = valueStart(db, p)
  const end = start + valueLength(db, p)
  const root = table.create()
  table.presize(Math.max(expected, packCount(bytes, start)))
  for (let at = start + packHeader; at < end;) {
    const field = Pack.textAt(bytes, at, fieldText, fieldDigits)
    at += Pack.sizeAt(bytes, at)
    const value = Pack.textAt(bytes, at, valueText, valueDigits)
    at += Pack.sizeAt(bytes, at)
    let deadline = 0
    if (timed) {
      deadline = packedDeadline(bytes, at)
      at += Pack.sizeAt(bytes, at)
    }
    const block = newBlock(db, field, value, deadline)
    table.insert(table.hash(field.bytes, field.start, field.length), block)
    if (deadline !== 0) dateField(structures, root, block, deadline)
  }
  return becomeLarge(db, key, p, hashtable, root)
}

const setLarge = (db: Database, p: Pointer, field: Slice, value: Slice, keep: boolean): Pointer => {
  const { arena, structures } = db
  const root = rootOf(db, p)
  const table = structures.fields.open(root)
  const old = fieldRecall.take(db.turn, table, field)
  const { hash } = fieldRecall
  if (old === 0) {
    table.insert(hash, newBlock(db, field, value, 0))
    return p
  }
  db.elementChanging(root, old)
  const before = deadlineOfField(arena, old)
  const deadline = keep ? before : 0
  const need = fieldBlockBytes(field.length, value.length, deadline !== 0)
  const capacity = arena.capacity(old)
  if (need <= capacity && (need > capacity >>> 1 || capacity <= 64)) {
    if (before !== 0 && !keep) undateField(structures, root, old, before)
    const slab = slabOf(old)
    arena.words[slab]![wordOf(old) + 1] = value.length
    valueOf(arena, old, valueText)
    copyBytes(valueText.bytes, valueText.start, value.bytes, value.start, value.length)
    if (before !== 0) redateInPlace(arena, old, deadline)
    return p
  }
  replaceBlock(db, root, hash, old, newBlock(db, field, value, deadline), before, deadline)
  return p
}

/** Puts the block `next` of the same field in the place of `old`, which goes. The table is open. */
const replaceBlock = (
  db: Database,
  root: Pointer,
  hash: number,
  old: Pointer,
  next: Pointer,
  before: number,
  deadline: number
): void => {
  const { arena, structures } = db
  structures.fields.replace(hash, old, next)
  if (before !== 0) undateField(structures, root, old, before)
  if (deadline !== 0) dateField(structures, root, next, deadline)
  arena.free(old)
}

// ——— removing fields ———

/** These fields are gone; with the last one, the hash. */
export const fieldsRemoved = (db: Database, key: Slice, fields: ReadonlyArray<Slice>): void => {
  let p = hashAt(db, key)
  if (p === 0) return
  db.changing(p)
  const before = earliest(db, p)
  let left: number
  if (Entry.encodingOf(db.arena, p) === hashtable) {
    for (let i = 0; i < fields.length; i++) removeLarge(db, rootOf(db, p), fields[i]!)
    left = db.structures.fields.open(rootOf(db, p)).size
  } else {
    for (let i = 0; i < fields.length; i++) p = removeSmall(db, key, p, fields[i]!)
    left = packCount(db.arena.bytes[slabOf(p)]!, valueStart(db, p))
  }
  if (before !== 0) db.indexFields(key, before, earliest(db, p))
  if (left === 0) db.delete(key)
  else written(db, p)
}

const removeSmall = (db: Database, key: Slice, p: Pointer, field: Slice): Pointer => {
  const bytes = db.arena.bytes[slabOf(p)]!
  const start = valueStart(db, p)
  const stride = strideOf(Entry.encodingOf(db.arena, p))
  const at = Pack.find(bytes, start + packHeader, start + valueLength(db, p), fieldNeedle.set(field), stride)
  if (at < 0) return p
  db.changing(p)
  setPackCount(bytes, start, packCount(bytes, start) - 1)
  return splice(db, key, p, at - start, at - Pack.skip(bytes, at, stride))
}

const removeLarge = (db: Database, root: Pointer, field: Slice): void => {
  const { arena, structures } = db
  const table = structures.fields.open(root)
  const old = fieldRecall.take(db.turn, table, field)
  const { hash } = fieldRecall
  if (old === 0) return
  db.elementChanging(root, old)
  const deadline = deadlineOfField(arena, old)
  table.remove(hash, old)
  if (deadline !== 0) undateField(structures, root, old, deadline)
  arena.free(old)
}

// ——— deadlines ———

/** These fields die at `deadline` (Unix ms), or with 0 have no deadline any more. */
export const fieldsExpireAt = (db: Database, key: Slice, deadline: number, fields: ReadonlyArray<Slice>): void => {
  let p = hashAt(db, key)
  if (p === 0) return
  db.changing(p)
  const before = earliest(db, p)
  if (Entry.encodingOf(db.arena, p) === hashtable) {
    for (let i = 0; i < fields.length; i++) expireLarge(db, rootOf(db, p), fields[i]!, deadline)
  } else for (let i = 0; i < fields.length; i++) p = expireSmall(db, key, p, fields[i]!, deadline)
  db.indexFields(key, before, earliest(db, p))
  written(db, p)
}

const expireSmall = (db: Database, key: Slice, p: Pointer, field: Slice, deadline: number): Pointer => {
  const encoding = Entry.encodingOf(db.arena, p)
  if (encoding === listpack && deadline === 0) return p
  const bytes = db.arena.bytes[slabOf(p)]!
  const start = valueStart(db, p)
  const end = start + valueLength(db, p)
  let at = Pack.find(bytes, start + packHeader, end, fieldNeedle.set(field), strideOf(encoding))
  if (at < 0) return p
  if (encoding === listpack) {
    const q = toTimed(db, key, p)
    return expireSmall(db, key, q, field, deadline)
  }
  at = Pack.skip(bytes, at, 2)
  return setDeadline(db, key, p, at - start, deadline)
}

/** Gives every field of a small hash room for a deadline. */
const toTimed = (db: Database, key: Slice, p: Pointer): Pointer => {
  const length = valueLength(db, p)
  const start = valueStart(db, p)
  const old = db.arena.bytes[slabOf(p)]!.slice(start, start + length)
  const next = length + packCount(old, 0) * noDeadlineBytes
  const q = db.resize(key, p, next, packHeader)
  Entry.setTypeAndEncoding(db.arena, q, Entry.Type.hash, listpackex)
  setValueLength(db, q, next)
  const bytes = db.arena.bytes[slabOf(q)]!
  let to = valueStart(db, q) + packHeader
  for (let at = packHeader; at < length;) {
    const size = Pack.skip(old, at, 2) - at
    copyBytes(bytes, to, old, at, size)
    to = Pack.encodeInteger(bytes, to + size, 0)
    at += size
  }
  return q
}

const expireLarge = (db: Database, root: Pointer, field: Slice, deadline: number): void => {
  const { arena, structures } = db
  const table = structures.fields.open(root)
  const old = fieldRecall.take(db.turn, table, field)
  const { hash } = fieldRecall
  if (old === 0) return
  const before = deadlineOfField(arena, old)
  if (before === deadline) return
  db.elementChanging(root, old)
  if (fieldBlockBytes(field.length, valueLengthOf(arena, old), deadline !== 0) <= arena.capacity(old)) {
    if (before !== 0) undateField(structures, root, old, before)
    redateInPlace(arena, old, deadline)
    if (deadline !== 0) dateField(structures, root, old, deadline)
    return
  }
  const next = newBlock(db, field, valueOf(arena, old, valueText), deadline)
  replaceBlock(db, root, hash, old, next, before, deadline)
}
