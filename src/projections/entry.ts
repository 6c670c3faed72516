/**
 * An entry of the keyspace: one block of the arena that holds a key, its header and, for strings, the value. All header
 * fields sit at fixed places, so a deadline, a clock or a frequency never makes an entry move.
 *
 * ```
 * word 0   deadline, high 21 bits (31…11) · type (10…7) · encoding (6…3) · spare (2…1) · checkpoint mark (0)
 * word 1   deadline, low 32 bits: Unix milliseconds, 0 = none
 * word 2   access clock: seconds in the low 24 bits · access frequency in the high 8 (see access.ts)
 * word 3   length of the key in bytes
 * word 4   length of the value, or for an integer its low 32 bits · large collections: root of their structure
 * byte 20  the key, then the value (an integer's high 32 bits stand at the next multiple of 4)
 * ```
 *
 * A small collection is a value of bytes like a string: see collection.ts. A large one has structures of its own in the
 * same arena; see large.ts.
 */
import { type Arena, byteOf, type Pointer, slabOf, wordOf } from "./memory/arena.ts"
import { Slice } from "./memory/slice.ts"

export const headerBytes = 20
export const keyLengthWord = 3

/** What a key holds; the numbers stand in entries and checkpoints. */
export const types = ["string", "list", "set", "zset", "hash", "stream"] as const
export const Type = { string: 0, list: 1, set: 2, zset: 3, hash: 4, stream: 5 } as const

/** How it is held, under the names OBJECT ENCODING answers; the numbers stand in entries and checkpoints. */
export const encodings = [
  "int",
  "embstr",
  "raw",
  "listpack",
  "intset",
  "listpackex",
  "hashtable",
  "quicklist",
  "skiplist",
  "stream"
] as const
export const Encoding = {
  int: 0,
  embstr: 1,
  raw: 2,
  listpack: 3,
  intset: 4,
  listpackex: 5,
  hashtable: 6,
  quicklist: 7,
  skiplist: 8,
  stream: 9
} as const

/** Whether a value of this encoding has structures of its own, whose root stands in word 4. */
export const isLarge = (encoding: number): boolean => encoding >= Encoding.hashtable

export const typeOf = (arena: Arena, p: Pointer): number => (arena.words[slabOf(p)]![wordOf(p)]! >>> 7) & 15

export const encodingOf = (arena: Arena, p: Pointer): number => (arena.words[slabOf(p)]![wordOf(p)]! >>> 3) & 15

const timedSmall = Type.hash << 7 | Encoding.listpackex << 3
const largeHash = Type.hash << 7 | Encoding.hashtable << 3

/** Whether the entry is a hash of a kind whose fields may have deadlines. */
export const mayHaveTimedFields = (arena: Arena, p: Pointer): boolean => {
  const kind = arena.words[slabOf(p)]![wordOf(p)]! & 0x7f8
  return kind === timedSmall || kind === largeHash
}

export const setTypeAndEncoding = (arena: Arena, p: Pointer, type: number, encoding: number): void => {
  const words = arena.words[slabOf(p)]!
  const at = wordOf(p)
  words[at] = (words[at]! & ~0x7f8) | (type << 7) | (encoding << 3)
}

/** Unix milliseconds; 0 when the entry has no deadline. */
export const deadlineOf = (arena: Arena, p: Pointer): number => {
  const words = arena.words[slabOf(p)]!
  const at = wordOf(p)
  return (words[at]! >>> 11) * 0x1_0000_0000 + words[at + 1]!
}

/** Whether the entry has a deadline at all: cheaper than asking which, and for most entries enough. */
export const hasDeadline = (arena: Arena, p: Pointer): boolean => {
  const words = arena.words[slabOf(p)]!
  const at = wordOf(p)
  return (words[at]! >>> 11 | words[at + 1]!) !== 0
}

export const setDeadline = (arena: Arena, p: Pointer, deadline: number): void => {
  const words = arena.words[slabOf(p)]!
  const at = wordOf(p)
  words[at] = (words[at]! & 0x7ff) | (Math.floor(deadline / 0x1_0000_0000) << 11)
  words[at + 1] = deadline >>> 0
}

/** Whether the entry's deadline has come at `now` (Unix ms). */
export const isDead = (arena: Arena, p: Pointer, now: number): boolean => {
  const deadline = deadlineOf(arena, p)
  return deadline !== 0 && deadline <= now
}

/** Seconds of the last access modulo 2^24 in the low bits, the access frequency in the high eight. */
export const clockOf = (arena: Arena, p: Pointer): number => arena.words[slabOf(p)]![wordOf(p) + 2]!

export const setClock = (arena: Arena, p: Pointer, clock: number): void => {
  arena.words[slabOf(p)]![wordOf(p) + 2] = clock
}

/** The entry was written at the time of this clock; how often it is accessed stays. */
export const setWritten = (arena: Arena, p: Pointer, clock: number): void => {
  const words = arena.words[slabOf(p)]!
  const at = wordOf(p) + 2
  words[at] = (words[at]! & ~0xff_ffff) | (clock & 0xff_ffff)
}

export const keyLengthOf = (arena: Arena, p: Pointer): number => arena.words[slabOf(p)]![wordOf(p) + 3]!

/** The key's bytes, in the arena: valid until the entry changes. */
export const keyOf = (arena: Arena, p: Pointer, into: Slice = new Slice()): Slice =>
  into.set(arena.bytes[slabOf(p)]!, byteOf(p) + headerBytes, keyLengthOf(arena, p))

/** 0 or 1: compared with the database's mark it says whether the running checkpoint has the entry already. */
export const markOf = (arena: Arena, p: Pointer): number => arena.words[slabOf(p)]![wordOf(p)]! & 1

export const setMark = (arena: Arena, p: Pointer, mark: number): void => {
  const words = arena.words[slabOf(p)]!
  const at = wordOf(p)
  words[at] = (words[at]! & ~1) | mark
}

/** Writes a new entry's header and key into a fresh block. */
export const writeHeader = (
  arena: Arena,
  p: Pointer,
  type: number,
  encoding: number,
  deadline: number,
  clock: number,
  keyLength: number,
  mark: number
): void => {
  const words = arena.words[slabOf(p)]!
  const at = wordOf(p)
  words[at] = (Math.floor(deadline / 0x1_0000_0000) << 11) | (type << 7) | (encoding << 3) | mark
  words[at + 1] = deadline >>> 0
  words[at + 2] = clock
  words[at + 3] = keyLength
}
