/**
 * The blocks of fields in large hashes, and the deadlines of fields in hashes of any size.
 *
 * ```
 * field block  word 0 length of the field << 2 | has a deadline << 1 | mark · word 1 length of the value
 *              byte 8 the field, the value; with a deadline: at the next multiple of 4 its low and its high word
 * ```
 *
 * A large hash with deadlines keeps them in an order of its own (owner word 1 of its table), whose keys are the deadline's
 * words and the field's block. A database knows of each hash only the earliest one (`Database.fieldDeadlines`).
 */
import * as Entry from "./entry.ts"
import { fieldBytesAt, fieldDeadlinesWord, type Structures } from "./large.ts"
import { type Arena, byteOf, type Pointer, slabOf, wordOf } from "./memory/arena.ts"
import * as Pack from "./memory/pack.ts"
import { copyBytes, type Slice } from "./memory/slice.ts"
import type { StoredOrder } from "./memory/stored-order.ts"

const highOf = (deadline: number): number => Math.floor(deadline / 0x1_0000_0000)

const hasDeadline = (arena: Arena, e: Pointer): boolean => (arena.words[slabOf(e)]![wordOf(e)]! & 2) !== 0

export const fieldLengthOf = (arena: Arena, e: Pointer): number => arena.words[slabOf(e)]![wordOf(e)]! >>> 2

export const valueLengthOf = (arena: Arena, e: Pointer): number => arena.words[slabOf(e)]![wordOf(e) + 1]!

/** Index of the words of a field's deadline. */
const deadlineAt = (arena: Arena, e: Pointer): number =>
  (byteOf(e) + fieldBytesAt + fieldLengthOf(arena, e) + valueLengthOf(arena, e) + 3) >>> 2

/** Unix ms; 0 when the field has no deadline. */
export const deadlineOfField = (arena: Arena, e: Pointer): number => {
  if (!hasDeadline(arena, e)) return 0
  const words = arena.words[slabOf(e)]!
  const at = deadlineAt(arena, e)
  return words[at + 1]! * 0x1_0000_0000 + words[at]!
}

export const fieldOf = (arena: Arena, e: Pointer, into: Slice): Slice =>
  into.set(arena.bytes[slabOf(e)]!, byteOf(e) + fieldBytesAt, fieldLengthOf(arena, e))

export const valueOf = (arena: Arena, e: Pointer, into: Slice): Slice =>
  into.set(arena.bytes[slabOf(e)]!, byteOf(e) + fieldBytesAt + fieldLengthOf(arena, e), valueLengthOf(arena, e))

/** Bytes of a block. */
export const fieldBlockBytes = (field: number, value: number, dated: boolean): number =>
  dated ? ((fieldBytesAt + field + value + 3) & ~3) + 8 : fieldBytesAt + field + value

/** Writes a whole block. */
export const writeField = (
  arena: Arena,
  e: Pointer,
  field: Slice,
  value: Slice,
  deadline: number,
  mark: number
): void => {
  const slab = slabOf(e)
  const words = arena.words[slab]!
  const at = wordOf(e)
  words[at] = field.length << 2 | mark
  words[at + 1] = value.length
  const bytes = arena.bytes[slab]!
  const first = byteOf(e) + fieldBytesAt
  copyBytes(bytes, first, field.bytes, field.start, field.length)
  copyBytes(bytes, first + field.length, value.bytes, value.start, value.length)
  if (deadline !== 0) redateInPlace(arena, e, deadline)
}

/** Writes a deadline into a block, or with 0 takes it away; there is room for it, and the lengths stand already. */
export const redateInPlace = (arena: Arena, e: Pointer, deadline: number): void => {
  const words = arena.words[slabOf(e)]!
  const at = wordOf(e)
  if (deadline === 0) {
    words[at] = words[at]! & ~2
    return
  }
  words[at] = words[at]! | 2
  const end = deadlineAt(arena, e)
  words[end] = deadline >>> 0
  words[end + 1] = highOf(deadline)
}

/** Enters a field's deadline into the order of its hash. */
export const dateField = (structures: Structures, root: Pointer, e: Pointer, deadline: number): void => {
  const { deadlines, fields } = structures
  let order = fields.ownerWord(root, fieldDeadlinesWord)
  if (order === 0) {
    order = deadlines.create()
    fields.setOwnerWord(root, fieldDeadlinesWord, order)
  }
  deadlines.open(order).insert(highOf(deadline), deadline >>> 0, e)
}

/** Takes a field's deadline out of the order of its hash; an order that is empty then is given back. */
export const undateField = (structures: Structures, root: Pointer, e: Pointer, deadline: number): void => {
  const { deadlines, fields } = structures
  const order = fields.ownerWord(root, fieldDeadlinesWord)
  if (order === 0) return
  deadlines.open(order).remove(highOf(deadline), deadline >>> 0, e)
  if (deadlines.size > 0) return
  deadlines.releaseStep(order, 1)
  fields.setOwnerWord(root, fieldDeadlinesWord, 0)
}

/** The order of the deadlines of a large hash's fields; undefined when none has one. */
export const deadlinesOf = (structures: Structures, p: Pointer): StoredOrder | undefined => {
  const { arena } = structures
  const root = arena.words[slabOf(p)]![wordOf(p) + 4]!
  const order = root === 0 ? 0 : structures.fields.ownerWord(root, fieldDeadlinesWord)
  return order === 0 ? undefined : structures.deadlines.open(order)
}

/** The deadline that stands at `at` in a pack. */
export const packedDeadline = (bytes: Uint8Array, at: number): number => Number(Pack.integerAt(bytes, at))

/** Visits the deadlines of the fields of a small hash that has room for them, 0 for none. */
const eachPackedDeadline = (arena: Arena, p: Pointer, visit: (deadline: number) => void): void => {
  if (Entry.encodingOf(arena, p) !== Entry.Encoding.listpackex) return
  const bytes = arena.bytes[slabOf(p)]!
  const start = byteOf(p) + Entry.headerBytes + Entry.keyLengthOf(arena, p)
  const end = start + arena.words[slabOf(p)]![wordOf(p) + 4]!
  for (let at = start + 4; at < end; at += Pack.sizeAt(bytes, at)) {
    at = Pack.skip(bytes, at, 2)
    visit(packedDeadline(bytes, at))
  }
}

/** The earliest deadline of the fields of the hash at entry `p`, Unix ms; 0 when none has one. */
export const earliestFieldDeadline = (structures: Structures, p: Pointer): number => {
  const { arena } = structures
  if (Entry.encodingOf(arena, p) === Entry.Encoding.hashtable) {
    const order = deadlinesOf(structures, p)
    return order?.first() === true ? order.a * 0x1_0000_0000 + order.b : 0
  }
  return earliestPacked(arena, p)
}

const earliestPacked = (arena: Arena, p: Pointer): number => {
  let earliest = 0
  eachPackedDeadline(arena, p, (deadline) => {
    if (deadline !== 0 && (earliest === 0 || deadline < earliest)) earliest = deadline
  })
  return earliest
}

/** How many fields of a hash are dead at `now` (Unix ms). */
export const deadCount = (structures: Structures, p: Pointer, now: number): number => {
  const { arena } = structures
  if (Entry.encodingOf(arena, p) === Entry.Encoding.hashtable) {
    const order = deadlinesOf(structures, p)
    return order === undefined ? 0 : order.countBelow(highOf(now + 1), (now + 1) >>> 0, 0)
  }
  let dead = 0
  eachPackedDeadline(arena, p, (deadline) => {
    if (deadline !== 0 && deadline <= now) dead++
  })
  return dead
}
