/**
 * Sets: ascending integers, a pack of members, or a table of them (collection.ts, large.ts). What SADD of Redis does when
 * to convert from one to the next is done here too; a set never goes back by itself.
 */
import {
  becomeLarge,
  createSmall,
  intsetHeader,
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
import { memberBytesAt } from "./large.ts"
import { byteOf, type Pointer, slabOf, wordOf } from "./memory/arena.ts"
import { parseInt64, writeInt64 } from "./memory/integer.ts"
import * as Intset from "./memory/intset.ts"
import * as Pack from "./memory/pack.ts"
import { copyBytes, Slice } from "./memory/slice.ts"
import type { Table } from "./memory/table.ts"
import { Recall } from "./recall.ts"

const { hashtable, intset, listpack } = Entry.Encoding
const needle = new Pack.Needle()
const digits = new Uint8Array(Pack.digitsBytes)
const scratch = new Slice()

const integerOf = (member: Slice): number | bigint | undefined => parseInt64(member.bytes, member.start, member.length)

// ——— reading ———

/** The number of members. */
export const cardinality = (db: Database, p: Pointer): number => {
  const encoding = Entry.encodingOf(db.arena, p)
  if (encoding === hashtable) return memberTable(db, p).size
  const bytes = db.arena.bytes[slabOf(p)]!
  const start = valueStart(db, p)
  return encoding === listpack ? packCount(bytes, start) : (valueLength(db, p) - intsetHeader) / bytes[start]!
}

/** Whether a set has this member. */
export const hasMember = (db: Database, p: Pointer, member: Slice): boolean => {
  const encoding = Entry.encodingOf(db.arena, p)
  if (encoding === hashtable) {
    return memberTable(db, p).get(member.bytes, member.start, member.length) !== 0
  }
  const bytes = db.arena.bytes[slabOf(p)]!
  const start = valueStart(db, p)
  if (encoding === listpack) return findPacked(db, p, member) >= 0
  const value = integerOf(member)
  const width = bytes[start]!
  return value !== undefined && Intset.widthFor(value) <= width &&
    Intset.search(bytes, start + intsetHeader, cardinality(db, p), width, value) >= 0
}

/** The member of a large set that was looked up last for a change. */
const recall = new Recall()

/** Like `hasMember`, for a command that is about to change this very member: where it stands is remembered for the fold. */
export const hasMemberToChange = (db: Database, p: Pointer, member: Slice): boolean =>
  isLargeSet(db, p) ? recall.locate(db.turn, memberTable(db, p), member) !== 0 : hasMember(db, p, member)

/** Where a member stands in the pack of a small set, in the slab's bytes; -1 when it does not. */
const findPacked = (db: Database, p: Pointer, member: Slice): number => {
  const start = valueStart(db, p)
  const end = start + valueLength(db, p)
  return Pack.find(db.arena.bytes[slabOf(p)]!, start + packHeader, end, needle.set(member), 1)
}

/** Points `into` at a member's block in a large set. */
export const memberAt = (db: Database, p: Pointer, into: Slice): Slice => {
  const slab = slabOf(p)
  return into.set(db.arena.bytes[slab]!, byteOf(p) + memberBytesAt, db.arena.words[slab]![wordOf(p)]! >>> 2)
}

/** A random member of a large set, `into` being pointed at it; the fold of its removal then finds it at once. */
export const randomMemberToTake = (db: Database, p: Pointer, random: () => number, into: Slice): Slice => {
  const table = memberTable(db, p)
  const element = table.random(random)
  recall.note(db.turn, table, memberAt(db, element, into), table.hashAt(element), element)
  return into
}

/** The members of a large set. */
export const memberTable = (db: Database, p: Pointer): Table => db.structures.members.open(rootOf(db, p))

/**
 * Visits all members, in no order, until a visitor answers false. The slice is the same for all of them, and an integer's
 * text stands in scratch.
 */
export const eachMember = (db: Database, p: Pointer, visit: (member: Slice) => unknown): void => {
  const encoding = Entry.encodingOf(db.arena, p)
  if (encoding === hashtable) {
    memberTable(db, p).each((element) => visit(memberAt(db, element, scratch)))
    return
  }
  const bytes = db.arena.bytes[slabOf(p)]!
  const start = valueStart(db, p)
  const end = start + valueLength(db, p)
  if (encoding === listpack) {
    for (let at = start + packHeader; at < end; at += Pack.sizeAt(bytes, at)) {
      if (visit(Pack.textAt(bytes, at, scratch, digits)) === false) return
    }
    return
  }
  const width = bytes[start]!
  for (let at = start + intsetHeader; at < end; at += width) {
    const length = writeInt64(digits, 0, Intset.integerAt(bytes, at, width))
    if (visit(scratch.set(digits, 0, length)) === false) return
  }
}

/** Visits the members of a small set at these ascending places; see `eachMember`. */
export const membersAtPlaces = (
  db: Database,
  p: Pointer,
  places: ReadonlyArray<number>,
  visit: (member: Slice) => void
): void => {
  let place = 0
  let next = 0
  eachMember(db, p, (member) => {
    if (places[next] === place++) {
      visit(member)
      next++
    }
    return next < places.length
  })
}

/** Whether the set has structures of its own. */
export const isLargeSet = (db: Database, p: Pointer): boolean => Entry.encodingOf(db.arena, p) === hashtable

// ——— folding ———

/** These members are in the set now. */
export const membersAdded = (db: Database, key: Slice, members: ReadonlyArray<Slice>): void => {
  if (members.length === 0) return
  let p = db.locate(key)
  if (p !== 0 && Entry.typeOf(db.arena, p) !== Entry.Type.set) {
    db.delete(key)
    p = 0
  }
  if (p === 0) p = createFor(db, key, members)
  for (let i = 0; i < members.length; i++) p = add(db, key, p, members[i]!)
  written(db, p)
}

const createFor = (db: Database, key: Slice, members: ReadonlyArray<Slice>): Pointer => {
  const { limits } = db
  if (members.length <= limits.intsetEntries && integerOf(members[0]!) !== undefined) {
    const p = createSmall(db, key, Entry.Type.set, intset, intsetHeader + 2)
    return startIntset(db, key, p)
  }
  const p = createSmall(db, key, Entry.Type.set, listpack, packHeader + Math.min(1024, Pack.encodedSize(members[0]!)))
  startPack(db, key, p)
  return members.length <= limits.setEntries ? p : toTable(db, key, p, members.length)
}

const startIntset = (db: Database, key: Slice, p: Pointer): Pointer => {
  const q = splice(db, key, p, 0, intsetHeader)
  db.arena.bytes[slabOf(q)]![valueStart(db, q)] = 2
  return q
}

const startPack = (db: Database, key: Slice, p: Pointer): Pointer => {
  const q = splice(db, key, p, 0, packHeader)
  setPackCount(db.arena.bytes[slabOf(q)]!, valueStart(db, q), 0)
  return q
}

const add = (db: Database, key: Slice, p: Pointer, member: Slice): Pointer => {
  const encoding = Entry.encodingOf(db.arena, p)
  if (encoding === hashtable) return addToTable(db, p, member)
  if (encoding === intset) return addToIntset(db, key, p, member)
  if (findPacked(db, p, member) >= 0) return p
  const start = valueStart(db, p)
  const count = packCount(db.arena.bytes[slabOf(p)]!, start)
  const { limits } = db
  if (member.length > limits.setBytes || count >= limits.setEntries) {
    return addToTable(db, toTable(db, key, p, count + 1), member)
  }
  const length = valueLength(db, p)
  const q = splice(db, key, p, length, needle.length)
  const bytes = db.arena.bytes[slabOf(q)]!
  const at = valueStart(db, q)
  copyBytes(bytes, at + length, needle.bytes, 0, needle.length)
  setPackCount(bytes, at, count + 1)
  return q
}

const addToTable = (db: Database, p: Pointer, member: Slice): Pointer => {
  db.changing(p)
  const table = memberTable(db, p)
  if (recall.take(db.turn, table, member) === 0) table.insert(recall.hash, newMember(db, member))
  return p
}

const newMember = (db: Database, member: Slice): Pointer => {
  const { arena } = db
  const p = arena.allocate(memberBytesAt + member.length)
  const slab = slabOf(p)
  arena.words[slab]![wordOf(p)] = member.length << 2 | db.mark
  copyBytes(arena.bytes[slab]!, byteOf(p) + memberBytesAt, member.bytes, member.start, member.length)
  return p
}

const addToIntset = (db: Database, key: Slice, p: Pointer, member: Slice): Pointer => {
  const value = integerOf(member)
  const { limits } = db
  const count = cardinality(db, p)
  if (value === undefined) {
    const small = count < limits.setEntries && member.length <= limits.setBytes
    return add(db, key, small ? toPack(db, key, p) : toTable(db, key, p, count + 1), member)
  }
  let bytes = db.arena.bytes[slabOf(p)]!
  let start = valueStart(db, p)
  const width = bytes[start]!
  const wanted = Intset.widthFor(value)
  const place = wanted > width
    ? value < 0 ? -1 : -1 - count
    : Intset.search(bytes, start + intsetHeader, count, width, value)
  if (place >= 0) return p
  const before = -1 - place
  let q: Pointer
  if (wanted > width) {
    q = splice(db, key, p, valueLength(db, p), (count + 1) * wanted - count * width)
    bytes = db.arena.bytes[slabOf(q)]!
    start = valueStart(db, q) + intsetHeader
    // From the last one on: each moves up, into what is free or was read.
    for (let i = count - 1; i >= 0; i--) {
      const moved = Intset.integerAt(bytes, start + i * width, width)
      Intset.putInteger(bytes, start + (i + (before === 0 ? 1 : 0)) * wanted, wanted, moved)
    }
    bytes[start - intsetHeader] = wanted
    Intset.putInteger(bytes, start + before * wanted, wanted, value)
  } else {
    q = splice(db, key, p, intsetHeader + before * width, width)
    Intset.putInteger(
      db.arena.bytes[slabOf(q)]!,
      valueStart(db, q) + intsetHeader + before * width,
      width,
      value
    )
  }
  return count + 1 > limits.intsetEntries ? toTable(db, key, q, count + 1) : q
}

/** Copies of all members of a small set. */
const copies = (db: Database, p: Pointer): Array<Slice> => {
  const members: Array<Slice> = []
  eachMember(db, p, (member) => members.push(member.copy()))
  return members
}

const toPack = (db: Database, key: Slice, p: Pointer): Pointer => {
  const members = copies(db, p)
  let size = packHeader
  for (const member of members) size += Pack.encodedSize(member)
  let q = splice(db, key, p, 0, -valueLength(db, p))
  q = splice(db, key, q, 0, size)
  const bytes = db.arena.bytes[slabOf(q)]!
  let at = valueStart(db, q)
  setPackCount(bytes, at, members.length)
  at += packHeader
  for (const member of members) at = Pack.encode(bytes, at, member)
  Entry.setTypeAndEncoding(db.arena, q, Entry.Type.set, listpack)
  return q
}

const toTable = (db: Database, key: Slice, p: Pointer, count: number): Pointer => {
  const members = copies(db, p)
  const table = db.structures.members
  const root = table.create()
  table.presize(count)
  for (const member of members) {
    table.insert(table.hash(member.bytes, member.start, member.length), newMember(db, member))
  }
  return becomeLarge(db, key, p, hashtable, root)
}

/** These members are no longer in the set. */
export const membersRemoved = (db: Database, key: Slice, members: ReadonlyArray<Slice>): void => {
  let p = db.locate(key)
  if (p === 0 || Entry.typeOf(db.arena, p) !== Entry.Type.set) return
  for (let i = 0; i < members.length; i++) p = remove(db, key, p, members[i]!)
  if (cardinality(db, p) === 0) db.delete(key)
  else written(db, p)
}

const remove = (db: Database, key: Slice, p: Pointer, member: Slice): Pointer => {
  const encoding = Entry.encodingOf(db.arena, p)
  if (encoding === hashtable) {
    db.changing(p)
    const table = memberTable(db, p)
    const element = recall.take(db.turn, table, member)
    if (element === 0) return p
    db.elementChanging(table.root, element)
    table.remove(recall.hash, element)
    db.arena.free(element)
    return p
  }
  const first = valueStart(db, p)
  if (encoding === listpack) {
    const at = findPacked(db, p, member)
    if (at < 0) return p
    const pack = db.arena.bytes[slabOf(p)]!
    const count = packCount(pack, first)
    const q = splice(db, key, p, at - first, -Pack.sizeAt(pack, at))
    setPackCount(db.arena.bytes[slabOf(q)]!, valueStart(db, q), count - 1)
    return q
  }
  const value = integerOf(member)
  const integers = db.arena.bytes[slabOf(p)]!
  const width = integers[first]!
  if (value === undefined || Intset.widthFor(value) > width) return p
  const place = Intset.search(integers, first + intsetHeader, cardinality(db, p), width, value)
  return place < 0 ? p : splice(db, key, p, intsetHeader + place * width, -width)
}
