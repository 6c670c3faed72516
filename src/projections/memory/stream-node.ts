/**
 * The nodes of a stream: runs of up to some hundred entries, each a pack in a block of the arena.
 *
 * ```
 * words 0–6   mark · 1–2 the score of the id (ranked-ids.ts) · 3–6 the id
 * 7, 8        node before · node after
 * 9           bytes in use, these words included
 * 10, 11      entries · entries that are marked as removed
 * 12, 13      where the entries begin · a place before which all are marked as removed (bytes from the node's beginning)
 * pack        names: count, the names of the first entry's fields, 0
 *             entry: flags · milliseconds and sequence, both less the node's id ·
 *                    the values, if its names are the node's (flag 2), else their number and names and values in turn ·
 *                    how many elements these are
 * ```
 *
 * The elements and their order are those of the listpacks Redis keeps streams in, less the two counters before the names.
 * So a node has as many entries as one there, and dumps are made of nodes by copying. Flag 1 marks an entry as removed.
 */
import { type Arena, byteOf, type Pointer, slabOf, wordOf } from "./arena.ts"
import { toInt64 } from "./integer.ts"
import * as Pack from "./pack.ts"
import { scoreOfId } from "./ranked-ids.ts"
import { copyBytes, type Slice } from "./slice.ts"
import { StreamId } from "./stream-id.ts"

export const nodeHeader = 56
/** Bytes of an id in dumps. */
export const idBytes = 16

export const Word = {
  mark: 0,
  score: 1,
  id: 3,
  before: 7,
  after: 8,
  used: 9,
  live: 10,
  dead: 11,
  entriesAt: 12,
  firstAt: 13
} as const

/** Flags of an entry. */
export const Flag = { dead: 1, sameNames: 2 } as const

/** A node with more, as a listpack, gets no further entry, whatever the limits say: as in Redis. */
const mostNodeBytes = 1 << 30
/** Bytes of a listpack besides its elements: a header of six and a terminator. */
const listpackBytes = 7

const span = 0x1_0000_0000

// ——— ids as bytes and words ———

const floats = new Float64Array(1)
const floatWords = new Uint32Array(floats.buffer)

const putWord = (bytes: Uint8Array, at: number, word: number): void => {
  bytes[at] = word >>> 24
  bytes[at + 1] = word >>> 16
  bytes[at + 2] = word >>> 8
  bytes[at + 3] = word
}

const wordAt = (bytes: Uint8Array, at: number): number =>
  (bytes[at]! << 24 | bytes[at + 1]! << 16 | bytes[at + 2]! << 8 | bytes[at + 3]!) >>> 0

/** Writes an id as 16 bytes, big endian: their order is that of ids. */
export const putIdBytes = (bytes: Uint8Array, at: number, id: StreamId): void => {
  putWord(bytes, at, id.msHigh)
  putWord(bytes, at + 4, id.msLow)
  putWord(bytes, at + 8, id.seqHigh)
  putWord(bytes, at + 12, id.seqLow)
}

export const getIdBytes = (bytes: Uint8Array, at: number, into: StreamId): StreamId =>
  into.set(wordAt(bytes, at), wordAt(bytes, at + 4), wordAt(bytes, at + 8), wordAt(bytes, at + 12))

/** The id in four words of a block. */
export const idAt = (arena: Arena, p: Pointer, word: number, into: StreamId): StreamId => {
  const words = arena.words[slabOf(p)]!
  const at = wordOf(p) + word
  return into.set(words[at]!, words[at + 1]!, words[at + 2]!, words[at + 3]!)
}

export const setIdAt = (arena: Arena, p: Pointer, word: number, id: StreamId): void => {
  const words = arena.words[slabOf(p)]!
  const at = wordOf(p) + word
  words[at] = id.msHigh
  words[at + 1] = id.msLow
  words[at + 2] = id.seqHigh
  words[at + 3] = id.seqLow
}

/** Whether a node's id is greater than this one. */
export const isAfter = (arena: Arena, node: Pointer, id: StreamId): boolean => {
  const words = arena.words[slabOf(node)]!
  const at = wordOf(node) + Word.id
  if (words[at] !== id.msHigh) return words[at]! > id.msHigh
  if (words[at + 1] !== id.msLow) return words[at + 1]! > id.msLow
  if (words[at + 2] !== id.seqHigh) return words[at + 2]! > id.seqHigh
  return words[at + 3]! > id.seqLow
}

/** Writes the mark into word 0 of a block, an id into four words and its score into two. */
export const putIdMember = (
  arena: Arena,
  p: Pointer,
  id: StreamId,
  mark: number,
  scoreWord: number,
  idWord: number
): void => {
  const words = arena.words[slabOf(p)]!
  const at = wordOf(p)
  words[at] = mark
  floats[0] = scoreOfId(id)
  words[at + scoreWord] = floatWords[0]!
  words[at + scoreWord + 1] = floatWords[1]!
  setIdAt(arena, p, idWord, id)
}

/** The difference of two integers of two words each, as a signed 64-bit integer. */
const difference = (aHigh: number, aLow: number, bHigh: number, bLow: number): number | bigint => {
  const high = aHigh - bHigh
  if (high > -0x10_0000 && high < 0x10_0000) return high * span + aLow - bLow
  return toInt64(BigInt.asIntN(64, (BigInt(high) << 32n) + BigInt(aLow) - BigInt(bLow)))
}

/** The high word of the last sum. */
let sumHigh = 0
export const highOfSum = (): number => sumHigh

/** The low word of an integer in two words and a signed 64-bit one. */
export const add = (high: number, low: number, by: number | bigint): number => {
  if (typeof by === "number") {
    const sum = low + (by >>> 0)
    const more = by >= 0 && by < span ? 0 : Math.floor(by / span)
    sumHigh = (high + more + (sum >= span ? 1 : 0)) >>> 0
    return sum >>> 0
  }
  const sum = BigInt.asUintN(64, (BigInt(high) << 32n) + BigInt(low) + by)
  sumHigh = Number(sum >> 32n)
  return Number(sum & 0xffff_ffffn)
}

// ——— making entries ———

/** What is about to be appended. */
let draft = new Uint8Array(4096)

const makeRoom = (need: number): void => {
  if (need > draft.length) draft = new Uint8Array(2 * need)
  else if (draft.length > 1 << 20 && need < 1 << 16) draft = new Uint8Array(1 << 16)
}

const base = new StreamId()

const hasNames = (bytes: Uint8Array, at: number, pairs: ReadonlyArray<Slice>): boolean => {
  if (Pack.integerAt(bytes, at) !== pairs.length >>> 1) return false
  at += Pack.sizeAt(bytes, at)
  for (let i = 0; i + 1 < pairs.length; i += 2) {
    if (Pack.compareAt(bytes, at, pairs[i]!) !== 0) return false
    at += Pack.sizeAt(bytes, at)
  }
  return true
}

/** Most bytes an entry takes whose names and values are so many and have so many bytes. */
const entryBound = (words: number, bytes: number): number => 64 + bytes + 11 * words

/** Writes an entry at `at`, where there is room for it; returns the place after it. The node's id is in `base`. */
const writeEntry = (
  out: Uint8Array,
  at: number,
  id: StreamId,
  pairs: ReadonlyArray<Slice>,
  same: boolean
): number => {
  const count = pairs.length >>> 1
  out[at++] = same ? Flag.sameNames : 0
  out[at++] = 1
  at = Pack.encodeInteger(out, at, difference(id.msHigh, id.msLow, base.msHigh, base.msLow))
  at = Pack.encodeInteger(out, at, difference(id.seqHigh, id.seqLow, base.seqHigh, base.seqLow))
  if (!same) at = Pack.encodeInteger(out, at, count)
  for (let i = same ? 1 : 0; i < 2 * count; i += same ? 2 : 1) at = Pack.encode(out, at, pairs[i]!)
  return Pack.encodeInteger(out, at, same ? count + 3 : 2 * count + 4)
}

/** Whether a node takes one more entry whose names and values have so many bytes. 0 stands for no limit. */
export const nodeTakes = (
  arena: Arena,
  node: Pointer,
  bytes: number,
  maxBytes: number,
  maxEntries: number
): boolean => {
  const words = arena.words[slabOf(node)]!
  const at = wordOf(node)
  const live = words[at + Word.live]!
  const dead = words[at + Word.dead]!
  const most = maxBytes === 0 || maxBytes > mostNodeBytes ? mostNodeBytes : maxBytes
  if (listpackOf(words[at + Word.used]!, live, dead) + bytes >= most) return false
  return maxEntries === 0 || live + dead < maxEntries
}

/** Bytes of a node as a listpack. */
const listpackOf = (used: number, live: number, dead: number): number =>
  listpackBytes + Pack.encodedSizeOfInteger(live) + Pack.encodedSizeOfInteger(dead) + used - nodeHeader

/** Bytes of names and values together. */
export const bytesOf = (pairs: ReadonlyArray<Slice>): number => {
  let bytes = 0
  for (let i = 0; i < pairs.length; i++) bytes += pairs[i]!.length
  return bytes
}

/** A node with one entry, in a block of at least `room` bytes. It has no neighbours. */
export const makeNode = (
  arena: Arena,
  id: StreamId,
  pairs: ReadonlyArray<Slice>,
  mark: number,
  room: number
): Pointer => {
  const more = entryBound(pairs.length, bytesOf(pairs))
  makeRoom(more)
  const count = pairs.length >>> 1
  let at = Pack.encodeInteger(draft, 0, count)
  for (let i = 0; i < count; i++) {
    if (at + pairs[2 * i]!.length + 32 > draft.length) enlarge()
    at = Pack.encode(draft, at, pairs[2 * i]!)
  }
  at = Pack.encodeInteger(draft, at, 0)
  const names = at
  while (at + more > draft.length) enlarge()
  base.from(id)
  at = writeEntry(draft, at, id, pairs, true)
  return nodeOf(arena, id, draft, 0, at, names, 1, 0, mark, room)
}

const enlarge = (): void => {
  const next = new Uint8Array(2 * draft.length)
  next.set(draft)
  draft = next
}

/** A node of a pack that is known to be sound. */
export const nodeOf = (
  arena: Arena,
  id: StreamId,
  bytes: Uint8Array,
  start: number,
  length: number,
  namesLength: number,
  live: number,
  dead: number,
  mark: number,
  room: number
): Pointer => {
  const node = arena.allocate(Math.max(room, nodeHeader + length))
  putIdMember(arena, node, id, mark, Word.score, Word.id)
  const words = arena.words[slabOf(node)]!
  const at = wordOf(node)
  words[at + Word.before] = words[at + Word.after] = 0
  words[at + Word.used] = nodeHeader + length
  words[at + Word.live] = live
  words[at + Word.dead] = dead
  words[at + Word.entriesAt] = words[at + Word.firstAt] = nodeHeader + namesLength
  copyBytes(arena.bytes[slabOf(node)]!, byteOf(node) + nodeHeader, bytes, start, length)
  return node
}

/**
 * Appends an entry, whose names and values have so many bytes, to a node whose block has room for it. Returns 0 when that
 * is done; the bytes the node would use when its block may be too small: then `appendDraft` appends the entry to the node
 * in a larger one.
 */
export const append = (
  arena: Arena,
  node: Pointer,
  id: StreamId,
  pairs: ReadonlyArray<Slice>,
  bytes: number
): number => {
  const words = arena.words[slabOf(node)]!
  const block = arena.bytes[slabOf(node)]!
  const at = wordOf(node)
  const used = words[at + Word.used]!
  base.set(words[at + Word.id]!, words[at + Word.id + 1]!, words[at + Word.id + 2]!, words[at + Word.id + 3]!)
  const start = byteOf(node)
  const same = hasNames(block, start + nodeHeader, pairs)
  const bound = entryBound(pairs.length, bytes)
  if (used + bound <= arena.capacity(node)) {
    words[at + Word.used] = writeEntry(block, start + used, id, pairs, same) - start
    words[at + Word.live] = words[at + Word.live]! + 1
    return 0
  }
  makeRoom(bound)
  drafted = writeEntry(draft, 0, id, pairs, same)
  return used + drafted
}

/** Bytes of the entry in `draft`. */
let drafted = 0

/** See `append`. */
export const appendDraft = (arena: Arena, node: Pointer): void => {
  const words = arena.words[slabOf(node)]!
  const at = wordOf(node)
  const used = words[at + Word.used]!
  copyBytes(arena.bytes[slabOf(node)]!, byteOf(node) + used, draft, 0, drafted)
  words[at + Word.used] = used + drafted
  words[at + Word.live] = words[at + Word.live]! + 1
}
