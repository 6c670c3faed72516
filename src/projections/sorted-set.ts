/**
 * Sorted sets: a pack of members and scores in order (sorted-set-pack.ts), or a table of members and their order
 * (large.ts). A sorted set that has become large stays so.
 */
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
import { orderWord, scoredBytesAt } from "./large.ts"
import { byteOf, type Pointer, slabOf, wordOf } from "./memory/arena.ts"
import * as Pack from "./memory/pack.ts"
import { copyBytes, Slice } from "./memory/slice.ts"
import * as Small from "./sorted-set-pack.ts"
import { cardinality, isLargeSortedSet, rankedOrder, scoredRecall, scoredTable } from "./sorted-set-read.ts"

const needle = new Pack.Needle()
const digits = new Uint8Array(Pack.digitsBytes)
const scratch = new Slice()
const floats = new Float64Array(1)
const floatWords = new Uint32Array(floats.buffer)

// ——— scores ———

/** Each of these members has the score at the same place of `scores` now. */
export const membersScored = (
  db: Database,
  key: Slice,
  members: ReadonlyArray<Slice>,
  scores: ReadonlyArray<number>
): void => {
  if (members.length === 0) return
  let p = db.locate(key)
  if (p !== 0 && Entry.typeOf(db.arena, p) !== Entry.Type.zset) {
    db.delete(key)
    p = 0
  }
  if (p === 0) p = createFor(db, key, members.length)
  if (isLargeSortedSet(db, p)) {
    db.changing(p)
    for (let i = 0; i < members.length; i++) scoreLarge(db, p, members[i]!, scores[i]!)
  } else for (let i = 0; i < members.length; i++) p = score(db, key, p, members[i]!, scores[i]!)
  written(db, p)
}

const createFor = (db: Database, key: Slice, members: number): Pointer => {
  const made = createSmall(db, key, Entry.Type.zset, Entry.Encoding.listpack, packHeader)
  const p = splice(db, key, made, 0, packHeader)
  setPackCount(db.arena.bytes[slabOf(p)]!, valueStart(db, p), 0)
  return members > db.limits.sortedSetEntries ? toLarge(db, key, p, members) : p
}

const score = (db: Database, key: Slice, p: Pointer, member: Slice, value: number): Pointer => {
  if (isLargeSortedSet(db, p)) {
    scoreLarge(db, p, member, value)
    return p
  }
  const first = valueStart(db, p)
  const bytes = db.arena.bytes[slabOf(p)]!
  const start = first + packHeader
  const end = first + valueLength(db, p)
  const found = Pack.find(bytes, start, end, needle.set(member), 2)
  if (found >= 0) return rescore(db, key, p, found - first, member, value)
  const count = packCount(bytes, first)
  const { limits } = db
  if (member.length > limits.sortedSetBytes || count >= limits.sortedSetEntries) {
    const q = toLarge(db, key, p, count + 1)
    scoreLarge(db, q, member, value)
    return q
  }
  const place = Small.placeFor(bytes, start, end, value, member, -1) - first
  const q = splice(db, key, p, place, needle.length + Small.encodedScoreSize(value))
  writePair(db.arena.bytes[slabOf(q)]!, valueStart(db, q) + place, value)
  setPackCount(db.arena.bytes[slabOf(q)]!, valueStart(db, q), count + 1)
  return q
}

/** Writes the member in `needle` and its score. */
const writePair = (bytes: Uint8Array, at: number, value: number): void => {
  copyBytes(bytes, at, needle.bytes, 0, needle.length)
  Small.encodeScore(bytes, at + needle.length, value)
}

/** Gives the member in `needle`, which stands at `at` bytes into the value, another score and the place that goes with it. */
const rescore = (db: Database, key: Slice, p: Pointer, at: number, member: Slice, value: number): Pointer => {
  let first = valueStart(db, p)
  let bytes = db.arena.bytes[slabOf(p)]!
  const before = Small.pairSize(bytes, first + at)
  const size = needle.length + Small.encodedScoreSize(value)
  // Where it goes is found while all is whole, then room made for the longer or shorter score, then the others moved.
  const end = first + valueLength(db, p)
  let place = Small.placeFor(bytes, first + packHeader, end, value, member, first + at) - first
  if (place > at) place += size - before
  let q = p
  if (size > before) q = splice(db, key, p, at + before, size - before)
  else if (size < before) q = splice(db, key, p, at + size, size - before)
  else db.changing(p)
  first = valueStart(db, q)
  bytes = db.arena.bytes[slabOf(q)]!
  if (place > at) {
    bytes.copyWithin(first + at, first + at + size, first + place)
    place -= size
  } else if (place < at) bytes.copyWithin(first + place + size, first + place, first + at)
  writePair(bytes, first + place, value)
  return q
}

const scoreLarge = (db: Database, p: Pointer, member: Slice, value: number): void => {
  const root = rootOf(db, p)
  const table = scoredTable(db, p)
  const e = scoredRecall.take(db.turn, table, member)
  if (e === 0) {
    const made = newMember(db, member, value)
    table.insert(scoredRecall.hash, made)
    rankedOrder(db, p).add(made)
    return
  }
  db.elementChanging(root, e)
  const order = rankedOrder(db, p)
  order.take(e)
  setScore(db, e, value)
  order.add(e)
}

const setScore = (db: Database, e: Pointer, value: number): void => {
  const words = db.arena.words[slabOf(e)]!
  const at = wordOf(e)
  floats[0] = value
  words[at + 1] = floatWords[0]!
  words[at + 2] = floatWords[1]!
}

const newMember = (db: Database, member: Slice, value: number): Pointer => {
  const { arena } = db
  const e = arena.allocate(scoredBytesAt + member.length)
  arena.words[slabOf(e)]![wordOf(e)] = member.length << 2 | db.mark
  setScore(db, e, value)
  copyBytes(arena.bytes[slabOf(e)]!, byteOf(e) + scoredBytesAt, member.bytes, member.start, member.length)
  return e
}

const toLarge = (db: Database, key: Slice, p: Pointer, count: number): Pointer => {
  const { order, scored } = db.structures
  const root = scored.create()
  scored.presize(count)
  scored.setOwnerWord(root, orderWord, order.create())
  const bytes = db.arena.bytes[slabOf(p)]!
  const end = valueStart(db, p) + valueLength(db, p)
  for (let at = valueStart(db, p) + packHeader; at < end; at += Small.pairSize(bytes, at)) {
    const value = Small.scoreAt(bytes, Small.scorePlace(bytes, at))
    const member = Pack.textAt(bytes, at, scratch, digits)
    const e = newMember(db, member, value)
    scored.insert(scored.hash(member.bytes, member.start, member.length), e)
    order.add(e)
  }
  return becomeLarge(db, key, p, Entry.Encoding.skiplist, root)
}

// ——— removal ———

/** These members are no longer in the sorted set. */
export const membersRemoved = (db: Database, key: Slice, members: ReadonlyArray<Slice>): void => {
  let p = db.locate(key)
  if (p === 0 || Entry.typeOf(db.arena, p) !== Entry.Type.zset) return
  if (isLargeSortedSet(db, p)) {
    db.changing(p)
    for (let i = 0; i < members.length; i++) removeLarge(db, p, members[i]!)
  } else for (let i = 0; i < members.length; i++) p = removeSmall(db, key, p, members[i]!)
  ended(db, key, p)
}

/** The sorted set lost members: with its last one it goes. */
const ended = (db: Database, key: Slice, p: Pointer): void => {
  if (cardinality(db, p) === 0) db.delete(key)
  else written(db, p)
}

const removeLarge = (db: Database, p: Pointer, member: Slice): void => {
  const root = rootOf(db, p)
  const table = scoredTable(db, p)
  const e = scoredRecall.take(db.turn, table, member)
  if (e === 0) return
  db.elementChanging(root, e)
  table.remove(scoredRecall.hash, e)
  rankedOrder(db, p).takeOut(e)
  db.arena.free(e)
}

const removeSmall = (db: Database, key: Slice, p: Pointer, member: Slice): Pointer => {
  const first = valueStart(db, p)
  const bytes = db.arena.bytes[slabOf(p)]!
  const at = Pack.find(bytes, first + packHeader, first + valueLength(db, p), needle.set(member), 2)
  return at < 0 ? p : cut(db, key, p, at, Small.pairSize(bytes, at), 1)
}

/** Takes `size` bytes, which are `many` members, out of a small sorted set, `at` being a place in the slab's bytes. */
const cut = (db: Database, key: Slice, p: Pointer, at: number, size: number, many: number): Pointer => {
  const first = valueStart(db, p)
  const count = packCount(db.arena.bytes[slabOf(p)]!, first)
  const q = splice(db, key, p, at - first, -size)
  setPackCount(db.arena.bytes[slabOf(q)]!, valueStart(db, q), count - many)
  return q
}

/** The members of ranks `start` to `stop`, both included, are no longer in the sorted set. */
export const rangeRemoved = (db: Database, key: Slice, start: number, stop: number): void => {
  const p = db.locate(key)
  if (p === 0 || Entry.typeOf(db.arena, p) !== Entry.Type.zset) return
  const many = Math.min(stop, cardinality(db, p) - 1) - start + 1
  if (many <= 0) return
  if (isLargeSortedSet(db, p)) {
    db.changing(p)
    scoredRecall.forget()
    const root = rootOf(db, p)
    const table = scoredTable(db, p)
    rankedOrder(db, p).takeRange(start, many, (e) => {
      db.elementChanging(root, e)
      table.remove(table.hashAt(e), e)
      db.arena.free(e)
    })
    ended(db, key, p)
    return
  }
  const bytes = db.arena.bytes[slabOf(p)]!
  const from = Pack.skip(bytes, valueStart(db, p) + packHeader, 2 * start)
  ended(db, key, cut(db, key, p, from, Pack.skip(bytes, from, 2 * many) - from, many))
}
