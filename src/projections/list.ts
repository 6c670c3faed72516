/** Lists: a small one is one pack, a large one a deque of packs (collection.ts, large.ts). */
import type { ListSide } from "../log/events/fields.ts"
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
import { type Pointer, slabOf } from "./memory/arena.ts"
import { type Deque, fitsNode } from "./memory/deque.ts"
import * as Pack from "./memory/pack.ts"
import { copyBytes, Slice } from "./memory/slice.ts"

const { listpack, quicklist } = Entry.Encoding
const needle = new Pack.Needle()
const digits = new Uint8Array(Pack.digitsBytes)
const scratch = new Slice()

// ——— reading ———

const isLarge = (db: Database, p: Pointer): boolean => Entry.encodingOf(db.arena, p) === quicklist

const dequeOf = (db: Database, p: Pointer): Deque => db.structures.deque.open(rootOf(db, p))

/** The number of elements. */
export const listLength = (db: Database, p: Pointer): number =>
  isLarge(db, p) ? dequeOf(db, p).length : packCount(db.arena.bytes[slabOf(p)]!, valueStart(db, p))

/** Where the element at `index` begins in the value of a small list, in the slab's bytes. */
const placeOf = (db: Database, p: Pointer, index: number): number => {
  const bytes = db.arena.bytes[slabOf(p)]!
  const start = valueStart(db, p)
  const count = packCount(bytes, start)
  if (index <= count >>> 1) return Pack.skip(bytes, start + packHeader, index)
  let at = start + valueLength(db, p)
  for (let left = count - index; left > 0; left--) at = Pack.previous(bytes, at)
  return at
}

/**
 * Visits `count` elements from `index` on, to the right or to the left, until `visit` answers false. All must be there.
 * The slice is the same for all of them, and an integer's text stands in scratch.
 */
export const eachElement = (
  db: Database,
  p: Pointer,
  index: number,
  count: number,
  leftward: boolean,
  visit: (element: Slice, index: number) => boolean
): void => {
  if (count <= 0) return
  const step = leftward ? -1 : 1
  if (isLarge(db, p)) {
    const deque = dequeOf(db, p)
    deque.seek(index)
    for (let left = count; left > 0; left--, index += step) {
      if (!visit(Pack.textAt(deque.bytes, deque.at, scratch, digits), index)) return
      if (left > 1 && !(leftward ? deque.previous() : deque.next())) return
    }
    return
  }
  const bytes = db.arena.bytes[slabOf(p)]!
  let at = placeOf(db, p, index)
  for (let left = count; left > 0; left--, index += step) {
    if (!visit(Pack.textAt(bytes, at, scratch, digits), index)) return
    if (left > 1) at = leftward ? Pack.previous(bytes, at) : at + Pack.sizeAt(bytes, at)
  }
}

/** Visits `count` elements from `index` on, to the right, in runs that lie side by side as packs. All must be there. */
export const eachRun = (
  db: Database,
  p: Pointer,
  index: number,
  count: number,
  visit: (bytes: Uint8Array, at: number, count: number) => void
): void => {
  if (count <= 0) return
  if (!isLarge(db, p)) return visit(db.arena.bytes[slabOf(p)]!, placeOf(db, p, index), count)
  const deque = dequeOf(db, p)
  deque.seek(index)
  for (let left = count;;) {
    const run = Math.min(left, deque.ahead)
    visit(deque.bytes, deque.at, run)
    left -= run
    if (left === 0 || !deque.nextPack()) return
  }
}

/** The element at an index that is there, in `into`; an integer's text stands in scratch until the next call of any reader. */
export const elementAt = (db: Database, p: Pointer, index: number, into: Slice): Slice => {
  if (!isLarge(db, p)) return Pack.textAt(db.arena.bytes[slabOf(p)]!, placeOf(db, p, index), into, digits)
  const deque = dequeOf(db, p)
  deque.seek(index)
  return Pack.textAt(deque.bytes, deque.at, into, digits)
}

/** Copies of `count` elements from one end, the outermost first. */
export const elementsFrom = (db: Database, p: Pointer, side: ListSide, count: number): Array<Slice> => {
  const elements: Array<Slice> = []
  const leftward = side === "right"
  eachElement(db, p, leftward ? listLength(db, p) - 1 : 0, count, leftward, (element) => {
    elements.push(element.copy())
    return true
  })
  return elements
}

// ——— folding ———

/** The entry of a list at the key, 0 when there is none. */
const listAt = (db: Database, key: Slice): Pointer => {
  const p = db.locate(key)
  return p !== 0 && Entry.typeOf(db.arena, p) === Entry.Type.list ? p : 0
}

/** These elements were pushed at one side. */
export const pushed = (db: Database, key: Slice, side: ListSide, elements: ReadonlyArray<Slice>): void => {
  if (elements.length === 0) return
  let p = db.locate(key)
  if (p !== 0 && Entry.typeOf(db.arena, p) !== Entry.Type.list) {
    db.delete(key)
    p = 0
  }
  if (p === 0) {
    p = createSmall(db, key, Entry.Type.list, listpack, packHeader + Math.min(1024, Pack.encodedSize(elements[0]!)))
    p = splice(db, key, p, 0, packHeader)
    setPackCount(db.arena.bytes[slabOf(p)]!, valueStart(db, p), 0)
  }
  for (let i = 0; i < elements.length; i++) p = push(db, key, p, side, elements[i]!)
  written(db, p)
}

const push = (db: Database, key: Slice, p: Pointer, side: ListSide, element: Slice): Pointer => {
  const fill = db.limits.listFill
  if (isLarge(db, p)) {
    db.changing(p)
    const deque = dequeOf(db, p)
    if (side === "left") deque.pushLeft(element, fill)
    else deque.pushRight(element, fill)
    return p
  }
  needle.set(element)
  const length = valueLength(db, p)
  const count = packCount(db.arena.bytes[slabOf(p)]!, valueStart(db, p))
  if (!fitsNode(count + 1, length - packHeader + needle.length, fill)) {
    return push(db, key, toDeque(db, key, p), side, element)
  }
  return insertPacked(db, key, p, side === "left" ? packHeader : length, count)
}

/** Puts the element in `needle` at `at` bytes into the value of a small list of `count` elements. */
const insertPacked = (db: Database, key: Slice, p: Pointer, at: number, count: number): Pointer => {
  const q = splice(db, key, p, at, needle.length)
  const bytes = db.arena.bytes[slabOf(q)]!
  const start = valueStart(db, q)
  copyBytes(bytes, start + at, needle.bytes, 0, needle.length)
  setPackCount(bytes, start, count + 1)
  return q
}

const toDeque = (db: Database, key: Slice, p: Pointer): Pointer => {
  const { deque } = db.structures
  const root = deque.create()
  const start = valueStart(db, p)
  const end = start + valueLength(db, p)
  deque.appendPack(db.arena.bytes[slabOf(p)]!, start + packHeader, end, db.limits.listFill)
  return becomeLarge(db, key, p, quicklist, root)
}

/** A large list that has become so short that it is better off small again: half of what makes one large. */
const settle = (db: Database, key: Slice, p: Pointer): void => {
  if (!isLarge(db, p)) {
    if (packCount(db.arena.bytes[slabOf(p)]!, valueStart(db, p)) === 0) db.delete(key)
    else written(db, p)
    return
  }
  const deque = dequeOf(db, p)
  if (deque.length === 0) {
    db.delete(key)
    return
  }
  written(db, p)
  if (deque.nodes > 1) return
  const bytes = deque.packBytes()
  if (!fitsNode(2 * deque.length, 2 * bytes, db.limits.listFill)) return
  const pack = new Uint8Array(packHeader + bytes)
  setPackCount(pack, 0, deque.length)
  deque.toPack(pack, packHeader)
  db.changing(p)
  db.releaseLarge(p)
  Entry.setTypeAndEncoding(db.arena, p, Entry.Type.list, listpack)
  const q = splice(db, key, p, 0, pack.length)
  copyBytes(db.arena.bytes[slabOf(q)]!, valueStart(db, q), pack, 0, pack.length)
}

/** So many elements left at one side. */
export const popped = (db: Database, key: Slice, side: ListSide, count: number): void => {
  const p = listAt(db, key)
  if (p === 0 || count === 0) return
  if (isLarge(db, p)) {
    db.changing(p)
    const deque = dequeOf(db, p)
    if (side === "left") deque.popLeft(count)
    else deque.popRight(count)
    return settle(db, key, p)
  }
  const held = listLength(db, p)
  const gone = Math.min(count, held)
  removePacked(db, key, p, side === "left" ? 0 : held - gone, gone)
}

/** Takes `count` elements from `index` on out of a small list. */
const removePacked = (db: Database, key: Slice, p: Pointer, index: number, count: number): void => {
  const held = listLength(db, p)
  const bytes = db.arena.bytes[slabOf(p)]!
  const at = placeOf(db, p, index)
  const end = index + count === held ? valueStart(db, p) + valueLength(db, p) : Pack.skip(bytes, at, count)
  const q = splice(db, key, p, at - valueStart(db, p), at - end)
  setPackCount(db.arena.bytes[slabOf(q)]!, valueStart(db, q), held - count)
  settle(db, key, q)
}

/** The element at `index` became this one. */
export const elementSet = (db: Database, key: Slice, index: number, element: Slice): void => {
  const p = listAt(db, key)
  if (p === 0 || index >= listLength(db, p)) return
  const fill = db.limits.listFill
  if (isLarge(db, p)) {
    db.changing(p)
    dequeOf(db, p).replaceAt(index, element, fill)
    return settle(db, key, p)
  }
  needle.set(element)
  const bytes = db.arena.bytes[slabOf(p)]!
  const at = placeOf(db, p, index)
  const size = Pack.sizeAt(bytes, at)
  const count = listLength(db, p)
  if (!fitsNode(count, valueLength(db, p) - packHeader - size + needle.length, fill)) {
    const q = toDeque(db, key, p)
    dequeOf(db, q).replaceAt(index, element, fill)
    return written(db, q)
  }
  const offset = at - valueStart(db, p)
  const q = splice(db, key, p, offset, needle.length - size)
  copyBytes(db.arena.bytes[slabOf(q)]!, valueStart(db, q) + offset, needle.bytes, 0, needle.length)
  written(db, q)
}

/** An element was inserted and stands at `index` now. */
export const elementInserted = (db: Database, key: Slice, index: number, element: Slice): void => {
  const p = listAt(db, key)
  if (p === 0) return
  const fill = db.limits.listFill
  if (isLarge(db, p)) {
    db.changing(p)
    dequeOf(db, p).insertAt(index, element, fill)
    return written(db, p)
  }
  needle.set(element)
  const count = listLength(db, p)
  if (!fitsNode(count + 1, valueLength(db, p) - packHeader + needle.length, fill)) {
    const q = toDeque(db, key, p)
    dequeOf(db, q).insertAt(index, element, fill)
    return written(db, q)
  }
  const at = placeOf(db, p, Math.min(index, count)) - valueStart(db, p)
  written(db, insertPacked(db, key, p, at, count))
}

/** The elements at these ascending indexes left. */
export const elementsRemoved = (db: Database, key: Slice, indexes: ReadonlyArray<number>): void => {
  let p = listAt(db, key)
  if (p === 0 || indexes.length === 0) return
  if (isLarge(db, p)) {
    db.changing(p)
    dequeOf(db, p).removeAll(indexes, db.limits.listFill)
    return settle(db, key, p)
  }
  for (let i = indexes.length - 1; i >= 0 && p !== 0; i--) {
    if (indexes[i]! < listLength(db, p)) removePacked(db, key, p, indexes[i]!, 1)
    p = listAt(db, key)
  }
}

/** Only the elements from `start` to `stop` remain. */
export const trimmed = (db: Database, key: Slice, start: number, stop: number): void => {
  const p = listAt(db, key)
  if (p === 0) return
  if (isLarge(db, p)) {
    db.changing(p)
    dequeOf(db, p).trim(start, stop)
    return settle(db, key, p)
  }
  const length = listLength(db, p)
  if (stop + 1 < length) removePacked(db, key, p, stop + 1, length - stop - 1)
  const q = listAt(db, key)
  if (q !== 0 && start > 0) removePacked(db, key, q, 0, Math.min(start, listLength(db, q)))
}
