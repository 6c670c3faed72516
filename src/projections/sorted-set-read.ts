/** Sorted sets as commands read them: by member, by rank, by score and by the order of members. Ranks count from 0 at the lowest score. */
import { packCount, packHeader, rootOf, valueLength, valueStart } from "./collection.ts"
import type { Database } from "./database.ts"
import * as Entry from "./entry.ts"
import { elementLength, orderWord, scoredBytesAt } from "./large.ts"
import { byteOf, type Pointer, slabOf, wordOf } from "./memory/arena.ts"
import * as Pack from "./memory/pack.ts"
import type { Ranked } from "./memory/ranked.ts"
import { Slice } from "./memory/slice.ts"
import type { Table } from "./memory/table.ts"
import { Recall } from "./recall.ts"
import * as Small from "./sorted-set-pack.ts"

const needle = new Pack.Needle()
const digits = new Uint8Array(Pack.digitsBytes)
const scratch = new Slice()

/** Whether the sorted set has structures of its own. */
export const isLargeSortedSet = (db: Database, p: Pointer): boolean =>
  Entry.encodingOf(db.arena, p) === Entry.Encoding.skiplist

/** The members of a large sorted set by name. */
export const scoredTable = (db: Database, p: Pointer): Table => db.structures.scored.open(rootOf(db, p))

/** The members of a large sorted set in their order. */
export const rankedOrder = (db: Database, p: Pointer): Ranked =>
  db.structures.order.open(db.structures.scored.ownerWord(rootOf(db, p), orderWord))

/** Points `into` at the member of a block in a large sorted set. */
export const scoredMember = (db: Database, e: Pointer, into: Slice): Slice =>
  into.set(db.arena.bytes[slabOf(e)]!, byteOf(e) + scoredBytesAt, elementLength(db.arena, e))

/** The number of members. */
export const cardinality = (db: Database, p: Pointer): number =>
  isLargeSortedSet(db, p) ? scoredTable(db, p).size : packCount(db.arena.bytes[slabOf(p)]!, valueStart(db, p))

// ——— by member ———

/** Where a member stands in a small sorted set, in the slab's bytes; -1 when it does not. */
const findSmall = (db: Database, p: Pointer, member: Slice): number => {
  const start = valueStart(db, p)
  const end = start + valueLength(db, p)
  return Pack.find(db.arena.bytes[slabOf(p)]!, start + packHeader, end, needle.set(member), 2)
}

/** The member of a large sorted set that was looked up last for a change. */
export const scoredRecall = new Recall()

/** The block of a rank in the large sorted set at entry `p`; `into`, pointed at its member, is then found at once by the fold. */
export const locateRanked = (db: Database, p: Pointer, rank: number, into: Slice): Pointer => {
  const e = rankedOrder(db, p).select(rank)
  const table = scoredTable(db, p)
  scoredRecall.note(db.turn, table, scoredMember(db, e, into), table.hashAt(e), e)
  return e
}

/** The score of a member; undefined when it is not in the sorted set. */
export const scoreOf = (db: Database, p: Pointer, member: Slice): number | undefined => {
  if (isLargeSortedSet(db, p)) {
    const e = scoredTable(db, p).get(member.bytes, member.start, member.length)
    return e === 0 ? undefined : db.structures.order.scoreAt(e)
  }
  return scoreOfSmall(db, p, member)
}

const scoreOfSmall = (db: Database, p: Pointer, member: Slice): number | undefined => {
  const at = findSmall(db, p, member)
  const bytes = db.arena.bytes[slabOf(p)]!
  return at < 0 ? undefined : Small.scoreAt(bytes, Small.scorePlace(bytes, at))
}

/** Like `scoreOf`, for a command that is about to change this very member: where it stands is remembered for the fold. */
export const scoreToChange = (db: Database, p: Pointer, member: Slice): number | undefined => {
  if (!isLargeSortedSet(db, p)) return scoreOfSmall(db, p, member)
  const e = scoredRecall.locate(db.turn, scoredTable(db, p), member)
  return e === 0 ? undefined : db.structures.order.scoreAt(e)
}

/** The rank of a member; -1 when it is not in the sorted set. */
export const rankOf = (db: Database, p: Pointer, member: Slice): number => {
  if (isLargeSortedSet(db, p)) {
    const e = scoredTable(db, p).get(member.bytes, member.start, member.length)
    return e === 0 ? -1 : rankedOrder(db, p).rankOf(e)
  }
  const found = findSmall(db, p, member)
  if (found < 0) return -1
  const bytes = db.arena.bytes[slabOf(p)]!
  let rank = 0
  for (let at = valueStart(db, p) + packHeader; at < found; at += Small.pairSize(bytes, at)) rank++
  return rank
}

// ——— by score and by the order of members ———

/** How many members have a lower score, or with `orEqual` a score that is not higher. */
export const countBelowScore = (db: Database, p: Pointer, score: number, orEqual: boolean): number => {
  if (isLargeSortedSet(db, p)) {
    if (score === -Infinity && !orEqual) return 0
    const order = rankedOrder(db, p)
    return score === Infinity && orEqual ? order.size : order.countBelowScore(score, orEqual)
  }
  const start = valueStart(db, p)
  const bytes = db.arena.bytes[slabOf(p)]!
  return Small.countBelowScore(bytes, start + packHeader, start + valueLength(db, p), score, orEqual)
}

/**
 * How many members come before a text in the order of bytes, or with `orEqual` are not after it, given that all have the
 * same score. Where they have not, the answer means nothing, as in Redis.
 */
export const countBelowMember = (db: Database, p: Pointer, member: Slice, orEqual: boolean): number => {
  if (isLargeSortedSet(db, p)) {
    const order = rankedOrder(db, p)
    return order.countBelowMember(order.scoreAt(order.select(0)), member, orEqual)
  }
  const start = valueStart(db, p)
  const bytes = db.arena.bytes[slabOf(p)]!
  return Small.countBelowMember(bytes, start + packHeader, start + valueLength(db, p), member, orEqual)
}

/**
 * Visits the members whose scores are not below `from` and below `to`, in their order, until the visitor answers false. It
 * is told of those alone whose score `wanted` was true of just before, perhaps of some at once: others are not even read in
 * a large sorted set. The slice is the same for all of them; that of a small sorted set may stand in scratch. Neither
 * function may ask for anything else by rank or score.
 */
export const eachScored = (
  db: Database,
  p: Pointer,
  from: number,
  to: number,
  wanted: (score: number) => boolean,
  visit: (member: Slice) => boolean
): void => {
  if (!isLargeSortedSet(db, p)) {
    eachScoredSmall(db, p, from, to, wanted, visit)
    return
  }
  const order = rankedOrder(db, p)
  const slabs = db.arena.words
  const pointers = spare.pop() ?? new Uint32Array(chunk)
  let e = order.seekScore(from)
  for (let going = true; going;) {
    let found = 0
    // As in eachRanked: members lie all over memory, and the waits for them overlap.
    for (; found < readAhead && e !== 0; e = order.next()) {
      const score = order.currentScore
      if (score >= to) e = 0
      else if (wanted(score)) {
        pointers[found++] = e
        fetched ^= slabs[slabOf(e)]![wordOf(e)]!
      }
      if (e === 0) break
    }
    going = e !== 0
    for (let i = 0; i < found; i++) {
      if (visit(scoredMember(db, pointers[i]!, scratch))) continue
      going = false
      break
    }
  }
  spare.push(pointers)
}

/** So many at once: a visitor that wants no more has then asked for few in vain. */
const readAhead = 16

const eachScoredSmall = (
  db: Database,
  p: Pointer,
  from: number,
  to: number,
  wanted: (score: number) => boolean,
  visit: (member: Slice) => boolean
): void => {
  const bytes = db.arena.bytes[slabOf(p)]!
  const end = valueStart(db, p) + valueLength(db, p)
  for (let at = valueStart(db, p) + packHeader; at < end;) {
    const scored = Small.scorePlace(bytes, at)
    const score = Small.scoreAt(bytes, scored)
    if (score >= to) return
    if (score >= from && wanted(score) && !visit(Pack.textAt(bytes, at, scratch, digits))) return
    at = scored + Pack.sizeAt(bytes, scored)
  }
}

// ——— by rank ———

/**
 * Visits the members of ranks `from` to `from + count - 1`, all of which there are, in their order or from the last to
 * the first, until the visitor answers false. The slice is the same for all of them; that of a small sorted set may stand in
 * scratch. The visitor must not ask for anything else by rank.
 */
export const eachRanked = (
  db: Database,
  p: Pointer,
  from: number,
  count: number,
  reverse: boolean,
  visit: (member: Slice, score: number) => unknown
): void => {
  if (count <= 0) return
  if (!isLargeSortedSet(db, p)) {
    eachSmall(db, p, from, count, reverse, visit)
    return
  }
  const order = rankedOrder(db, p)
  const slabs = db.arena.words
  const pointers = spare.pop() ?? new Uint32Array(chunk)
  let e = order.seek(reverse ? from + count - 1 : from)
  for (let left = count; left > 0 && e !== 0;) {
    const many = Math.min(chunk, left)
    let found = 0
    // Members lie all over memory: read one after the other without anything in between, the waits for it overlap.
    for (; found < many && e !== 0; e = reverse ? order.previous() : order.next()) {
      pointers[found++] = e
      fetched ^= slabs[slabOf(e)]![wordOf(e)]!
    }
    left -= found
    for (let i = 0; i < found; i++) {
      if (visit(scoredMember(db, pointers[i]!, scratch), order.scoreAt(pointers[i]!)) !== false) continue
      left = 0
      break
    }
  }
  spare.push(pointers)
}

const chunk = 64
/** Room for pointers, for each visit within another one. */
const spare: Array<Uint32Array> = []
/** Means nothing; keeps the reads from being optimized away. */
let fetched = 0

const eachSmall = (
  db: Database,
  p: Pointer,
  from: number,
  count: number,
  reverse: boolean,
  visit: (member: Slice, score: number) => unknown
): void => {
  const bytes = db.arena.bytes[slabOf(p)]!
  const start = valueStart(db, p) + packHeader
  const first = reverse ? from + count - 1 : from
  const size = packCount(bytes, start - packHeader)
  let at = start
  if (2 * first <= size) at = Pack.skip(bytes, start, 2 * first)
  else {
    at = valueStart(db, p) + valueLength(db, p)
    for (let i = size; i > first; i--) at = Small.pairBefore(bytes, at)
  }
  for (let i = 0; i < count; i++) {
    const scored = Small.scorePlace(bytes, at)
    if (visit(Pack.textAt(bytes, at, scratch, digits), Small.scoreAt(bytes, scored)) === false) return
    if (!reverse) at = scored + Pack.sizeAt(bytes, scored)
    else if (i + 1 < count) at = Small.pairBefore(bytes, at)
  }
}
