/** Strings: integers are kept as two words, text follows its key. */
import * as Entry from "./entry.ts"
import { type Database, highWordAt, integerBytes, wordAt } from "./keyspace.ts"
import { byteOf, type Pointer, sharedLimit, slabOf } from "./memory/arena.ts"
import { fromWords, highWord, lowWord, parseInt64, writeInt64 } from "./memory/integer.ts"
import { copyBytes, Slice } from "./memory/slice.ts"

/** Up to this many bytes OBJECT ENCODING says embstr, as in Redis. */
export const embstrLimit = 44

const encodingFor = (length: number): number => length <= embstrLimit ? Entry.Encoding.embstr : Entry.Encoding.raw

/** The key now holds `value`, whatever it held before. */
export const setString = (db: Database, key: Slice, value: Slice, deadline: number): void => {
  const integer = value.length <= 20 ? parseInt64(value.bytes, value.start, value.length) : undefined
  if (integer !== undefined) setInteger(db, key, integer, deadline)
  else setText(db, key, value, encodingFor(value.length), deadline)
}

/** The collection at `p` ends: a string comes in its place. */
const becomeString = (db: Database, p: Pointer): void => {
  db.changing(p)
  db.endValue(p)
}

/** In place of a deadline: the one the entry has, none for a new entry. */
const keepDeadline = -1

const setText = (db: Database, key: Slice, value: Slice, encoding: number, deadline: number): void => {
  let p = db.locate(key)
  if (p === 0) p = db.create(key, Entry.Type.string, encoding, Math.max(0, deadline), value.length)
  else {
    if (Entry.typeOf(db.arena, p) !== Entry.Type.string) becomeString(db, p)
    p = db.resize(key, p, value.length, 0)
    Entry.setTypeAndEncoding(db.arena, p, Entry.Type.string, encoding)
    Entry.setWritten(db.arena, p, db.turn.clock)
    if (deadline !== keepDeadline) db.expireAt(p, deadline)
  }
  const slab = slabOf(p)
  db.arena.words[slab]![wordAt(p, 4)] = value.length
  copyBytes(
    db.arena.bytes[slab]!,
    byteOf(p) + Entry.headerBytes + key.length,
    value.bytes,
    value.start,
    value.length
  )
}

const setInteger = (db: Database, key: Slice, value: number | bigint, deadline: number): void => {
  let p = db.locate(key)
  if (p === 0) p = db.create(key, Entry.Type.string, Entry.Encoding.int, Math.max(0, deadline), integerBytes)
  else {
    if (Entry.typeOf(db.arena, p) !== Entry.Type.string) becomeString(db, p)
    p = db.resize(key, p, integerBytes, 0)
    Entry.setTypeAndEncoding(db.arena, p, Entry.Type.string, Entry.Encoding.int)
    Entry.setWritten(db.arena, p, db.turn.clock)
    if (deadline !== keepDeadline) db.expireAt(p, deadline)
  }
  const words = db.arena.words[slabOf(p)]!
  words[wordAt(p, 4)] = lowWord(value)
  words[highWordAt(p, key.length)] = highWord(value)
}

/** The integer at the key became `value`; the deadline stays. */
export const incremented = (db: Database, key: Slice, value: number | bigint): void =>
  setInteger(db, key, value, keepDeadline)

/** The number at the key became `value`, kept as text even when it looks like an integer (as INCRBYFLOAT does in Redis). */
export const floatIncremented = (db: Database, key: Slice, value: Slice): void =>
  setText(db, key, value, encodingFor(value.length), keepDeadline)

/**
 * Makes the string at the key text of at least `length` bytes, zeros after what was there, and returns its entry. The
 * block grows by an eighth at a time, so that many small appends cost no more than one large one.
 */
const grow = (db: Database, key: Slice, length: number): Pointer => {
  let p = db.locate(key)
  let old = p
  let before = 0
  if (p === 0) {
    p = db.create(key, Entry.Type.string, Entry.Encoding.raw, 0, length)
    db.arena.words[slabOf(p)]![wordAt(p, 4)] = 0
  } else {
    if (Entry.typeOf(db.arena, p) !== Entry.Type.string) {
      becomeString(db, p)
      Entry.setTypeAndEncoding(db.arena, p, Entry.Type.string, Entry.Encoding.raw)
      db.arena.words[slabOf(p)]![wordAt(p, 4)] = 0
    } else if (Entry.encodingOf(db.arena, p) === Entry.Encoding.int) {
      const text = readString(db, p, new Slice(), new Uint8Array(24))
      setText(db, key, text, Entry.Encoding.raw, keepDeadline)
      p = old = db.locate(key)
    }
    db.changing(p)
    Entry.setWritten(db.arena, p, db.turn.clock)
    before = lengthOf(db, p)
    if (length > before) {
      const capacity = db.arena.capacity(p) - Entry.headerBytes - key.length
      if (length > capacity) p = db.resize(key, p, length + (length >>> 3), before)
    }
  }
  if (length > before) {
    const slab = slabOf(p)
    // A large block that is new holds zeros, which the system makes when they are first touched: a bitmap of 512 MiB with
    // one bit in it takes no longer to come about than a small one.
    if (p === old || db.arena.capacity(p) <= sharedLimit) {
      const at = byteOf(p) + Entry.headerBytes + key.length
      db.arena.bytes[slab]!.fill(0, at + before, at + length)
    }
    db.arena.words[slab]![wordAt(p, 4)] = length
  }
  Entry.setTypeAndEncoding(db.arena, p, Entry.Type.string, Entry.Encoding.raw)
  return p
}

/** `suffix` was added at the end. */
export const appended = (db: Database, key: Slice, suffix: Slice): void => {
  const p = db.locate(key)
  // SET-like when the key is absent: Redis tries an integer encoding then, and only then.
  if (p === 0 || Entry.typeOf(db.arena, p) !== Entry.Type.string) setString(db, key, suffix, 0)
  else rangeSet(db, key, stringLength(db, p), suffix)
}

/** `value` overwrote the bytes from `offset` on. */
export const rangeSet = (db: Database, key: Slice, offset: number, value: Slice): void => {
  const p = grow(db, key, offset + value.length)
  copyBytes(
    db.arena.bytes[slabOf(p)]!,
    byteOf(p) + Entry.headerBytes + key.length + offset,
    value.bytes,
    value.start,
    value.length
  )
}

/** The key holds raw text of `length` bytes and no deadline; the first `keep` bytes are those it had, others anything. */
export const makeRoom = (db: Database, key: Slice, length: number, keep: number): Pointer => {
  let p = db.locate(key)
  if (p === 0) p = db.create(key, Entry.Type.string, Entry.Encoding.raw, 0, length)
  else {
    if (Entry.typeOf(db.arena, p) !== Entry.Type.string) becomeString(db, p)
    p = db.resize(key, p, length, keep)
    Entry.setTypeAndEncoding(db.arena, p, Entry.Type.string, Entry.Encoding.raw)
    Entry.setWritten(db.arena, p, db.turn.clock)
    db.expireAt(p, 0)
  }
  db.arena.words[slabOf(p)]![wordAt(p, 4)] = length
  return p
}

/** `value` took the place of the `removed` bytes from `offset` on, or of those that were there. */
export const spliced = (db: Database, key: Slice, offset: number, removed: number, value: Slice): void => {
  const before = db.locate(key)
  const length = before !== 0 && Entry.typeOf(db.arena, before) === Entry.Type.string ? stringLength(db, before) : 0
  const tail = Math.min(offset + removed, length) // what follows it moves
  const moved = offset < length ? length - tail : 0
  const next = offset + value.length + moved
  const p = grow(db, key, Math.max(length, next))
  const slab = slabOf(p)
  const bytes = db.arena.bytes[slab]!
  const at = byteOf(p) + Entry.headerBytes + key.length
  if (moved > 0 && value.length !== removed) bytes.copyWithin(at + offset + value.length, at + tail, at + length)
  copyBytes(bytes, at + offset, value.bytes, value.start, value.length)
  db.arena.words[slab]![wordAt(p, 4)] = next
}

const lengthOf = (db: Database, p: Pointer): number => db.arena.words[slabOf(p)]![wordAt(p, 4)]!

/** The integer of an entry whose encoding is int. */
export const integerOf = (db: Database, p: Pointer): number | bigint => {
  const words = db.arena.words[slabOf(p)]!
  return fromWords(words[highWordAt(p, Entry.keyLengthOf(db.arena, p))]!, words[wordAt(p, 4)]!)
}

/** Length in bytes of the string an entry holds, as text. */
export const stringLength = (db: Database, p: Pointer): number =>
  Entry.encodingOf(db.arena, p) === Entry.Encoding.int ? integerOf(db, p).toString().length : lengthOf(db, p)

/**
 * The string an entry holds: `into` is pointed at the arena, valid until the entry changes, or for an integer at
 * `digits` (24 bytes from `at` on), where its text is written.
 */
export const readString = (db: Database, p: Pointer, into: Slice, digits: Uint8Array, at = 0): Slice => {
  if (Entry.encodingOf(db.arena, p) === Entry.Encoding.int) {
    return into.set(digits, at, writeInt64(digits, at, integerOf(db, p)) - at)
  }
  const slab = slabOf(p)
  const words = db.arena.words[slab]!
  return into.set(
    db.arena.bytes[slab]!,
    byteOf(p) + Entry.headerBytes + words[wordAt(p, 3)]!,
    words[wordAt(p, 4)]!
  )
}
