/**
 * Small collections: values of bytes that follow their entry's key as a string's do, their length in word 4.
 *
 * ```
 * listpack    elements (u32), then a pack: list: elements · set: members · hash: field, value, … · sorted set: member, score, …
 * listpackex  fields (u32), then a pack of field, value, deadline (Unix ms, 0 for none), …
 * intset      bytes per integer (u8: 2, 4 or 8), then the integers in ascending order
 * ```
 *
 * A sorted set's pack is in the order of its scores. The number at the front is that of elements, members or fields.
 */
import type { Database } from "./database.ts"
import * as Entry from "./entry.ts"
import { earliestFieldDeadline } from "./hash-fields.ts"
import { byteOf, type Pointer, slabOf, wordOf } from "./memory/arena.ts"
import * as Pack from "./memory/pack.ts"
import { copyBytes, type Slice } from "./memory/slice.ts"

/** Bytes before the elements of a small collection that is no intset. */
export const packHeader = 4
/** Bytes before the integers of an intset. */
export const intsetHeader = 1

/** Where the value of an entry begins in its slab's bytes. */
export const valueStart = (db: Database, p: Pointer): number =>
  byteOf(p) + Entry.headerBytes + Entry.keyLengthOf(db.arena, p)

/** The length in bytes of the value of an entry whose collection is small. */
export const valueLength = (db: Database, p: Pointer): number => db.arena.words[slabOf(p)]![wordOf(p) + 4]!

export const setValueLength = (db: Database, p: Pointer, length: number): void => {
  db.arena.words[slabOf(p)]![wordOf(p) + 4] = length
}

/** The root of a large collection's structure. */
export const rootOf = (db: Database, p: Pointer): Pointer => db.arena.words[slabOf(p)]![wordOf(p) + 4]!

/** The number at the front of a pack's value. */
export const packCount = (bytes: Uint8Array, at: number): number =>
  (bytes[at]! | bytes[at + 1]! << 8 | bytes[at + 2]! << 16 | bytes[at + 3]! << 24) >>> 0

export const setPackCount = (bytes: Uint8Array, at: number, count: number): void => {
  bytes[at] = count & 0xff
  bytes[at + 1] = count >>> 8 & 0xff
  bytes[at + 2] = count >>> 16 & 0xff
  bytes[at + 3] = count >>> 24
}

/** A new entry for an absent key with a small, empty value of `type`, and room for `valueBytes` of it. */
export const createSmall = (
  db: Database,
  key: Slice,
  type: number,
  encoding: number,
  valueBytes: number
): Pointer => {
  const p = db.create(key, type, encoding, 0, valueBytes)
  setValueLength(db, p, 0)
  return p
}

/**
 * Opens a gap of `grow` bytes (or closes one, when negative) at `at` bytes into the value of a located entry, keeping
 * what is before and after. A closed gap ends where `at` + |grow| was. The value's length is set anew; the entry may move.
 */
export const splice = (db: Database, key: Slice, p: Pointer, at: number, grow: number): Pointer => {
  const length = valueLength(db, p)
  const next = length + grow
  if (grow > 0) {
    // Growing step by step must not copy each time: a value that is no longer tiny gets an eighth more than it needs.
    const need = Entry.headerBytes + key.length + next
    if (need > db.arena.capacity(p)) p = db.resize(key, p, next + (next > 256 ? next >>> 3 : 0), length)
    else db.changing(p)
    const bytes = db.arena.bytes[slabOf(p)]!
    const start = valueStart(db, p)
    bytes.copyWithin(start + at + grow, start + at, start + length)
    setValueLength(db, p, next)
    return p
  }
  db.changing(p)
  const bytes = db.arena.bytes[slabOf(p)]!
  const start = valueStart(db, p)
  bytes.copyWithin(start + at, start + at - grow, start + length)
  setValueLength(db, p, next)
  return db.resize(key, p, next, next)
}

/** The entry's value becomes the large collection at `root`, whatever it was: its bytes go. */
export const becomeLarge = (db: Database, key: Slice, p: Pointer, encoding: number, root: Pointer): Pointer => {
  const q = db.resize(key, p, 0, 0)
  Entry.setTypeAndEncoding(db.arena, q, Entry.typeOf(db.arena, q), encoding)
  db.arena.words[slabOf(q)]![wordOf(q) + 4] = root
  return q
}

/** Notes that the collection was written to now. */
export const written = (db: Database, p: Pointer): void => Entry.setWritten(db.arena, p, db.turn.clock)

/** Elements of a pack per element of the collection, by type and encoding; 0 where there is no such pack. */
const strideOf = (type: number, encoding: number): number => {
  const { listpack, listpackex } = Entry.Encoding
  const { hash, list, set, zset } = Entry.Type
  if (encoding === listpackex) return type === hash ? 3 : 0
  if (encoding !== listpack) return 0
  return type === list || type === set ? 1 : type === hash || type === zset ? 2 : 0
}

/** Whether bytes are the value of a small collection of this type and encoding that is not empty. */
const isSmallValue = (type: number, encoding: number, { bytes, length, start }: Slice): boolean => {
  if (type === Entry.Type.set && encoding === Entry.Encoding.intset) {
    const width = bytes[start]!
    return length > intsetHeader && (width === 2 || width === 4 || width === 8) && (length - intsetHeader) % width === 0
  }
  const stride = strideOf(type, encoding)
  if (stride === 0 || length <= packHeader || !Pack.isPack(bytes, start + packHeader, start + length)) return false
  if (Pack.countElements(bytes, start + packHeader, start + length) !== packCount(bytes, start) * stride) return false
  if (stride < 3) return true
  // The third of each is a deadline.
  for (let at = start + packHeader; at < start + length;) {
    at = Pack.skip(bytes, at, 2)
    if (!Pack.isInteger(bytes, at) || Pack.integerAt(bytes, at) < 0) return false
    at += Pack.sizeAt(bytes, at)
  }
  return true
}

/** A small collection comes back as the bytes it was; bytes that are none change nothing. */
export const restoreSmall = (db: Database, key: Slice, shape: number, bytes: Slice, deadline: number): void => {
  if (!isSmallValue(shape >>> 4, shape & 15, bytes)) return
  db.delete(key)
  const p = db.create(key, shape >>> 4, shape & 15, deadline, bytes.length)
  setValueLength(db, p, bytes.length)
  copyBytes(db.arena.bytes[slabOf(p)]!, valueStart(db, p), bytes.bytes, bytes.start, bytes.length)
  if ((shape & 15) === Entry.Encoding.listpackex) {
    db.indexFields(key, 0, earliestFieldDeadline(db.structures, p))
  }
}

/** A node of a large list comes back; the list comes to be with its first one. */
export const restoreListNode = (db: Database, key: Slice, ordinal: number, count: number, pack: Slice): void => {
  const end = pack.start + pack.length
  const sound = Pack.isPack(pack.bytes, pack.start, end) && Pack.countElements(pack.bytes, pack.start, end) === count
  if (!sound || count === 0) return
  let p = db.locate(key)
  if (p !== 0 && Entry.encodingOf(db.arena, p) !== Entry.Encoding.quicklist) {
    db.delete(key)
    p = 0
  }
  const { deque } = db.structures
  if (p === 0) {
    p = db.create(key, Entry.Type.list, Entry.Encoding.quicklist, 0, 0)
    db.arena.words[slabOf(p)]![wordOf(p) + 4] = deque.create()
  } else db.changing(p)
  deque.open(rootOf(db, p)).insertNodeByOrdinal(ordinal, pack.bytes, pack.start, end, count)
}
