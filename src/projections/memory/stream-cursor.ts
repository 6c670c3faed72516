/** Reads the entries in the nodes of a stream (stream-node.ts), and examines packs from elsewhere. */
import { type Arena, byteOf, type Pointer, slabOf, wordOf } from "./arena.ts"
import * as Pack from "./pack.ts"
import { Slice } from "./slice.ts"
import { compareIds, StreamId } from "./stream-id.ts"
import { add, Flag, highOfSum, idAt, nodeHeader, Word } from "./stream-node.ts"

const noBytes = new Uint8Array(0)

/** Reads the entries of one node after another. */
export class EntryCursor {
  /** The entry it stands at, and how many fields that has. */
  readonly id = new StreamId()
  pairs = 0
  isDead = false
  /** The pair that `nextPair` has read; integers are written to bytes of this object. */
  readonly field = new Slice()
  readonly value = new Slice()
  /** Where the entry begins in the slab's bytes. */
  at = 0
  node: Pointer = 0
  private bytes: Uint8Array = noBytes
  private end = 0
  private entriesAt = 0
  private names = 0
  private readonly base = new StreamId()
  private sameNames = false
  /** The next element of the entry, how many there are with the last one, and pairs not read. */
  private element = 0
  private elements = 0
  private pairsLeft = 0
  private nameAt = 0
  private readonly digits = new Uint8Array(2 * Pack.digitsBytes)

  /** Goes to a node; `next` will read its first entry that may be there, `previous` its last one. */
  enter(arena: Arena, node: Pointer): this {
    const words = arena.words[slabOf(node)]!
    const at = wordOf(node)
    const start = byteOf(node)
    this.enterPack(
      arena.bytes[slabOf(node)]!,
      start + nodeHeader,
      start + words[at + Word.used]!,
      start + words[at + Word.entriesAt]!
    )
    this.node = node
    idAt(arena, node, Word.id, this.base)
    this.element = start + words[at + Word.firstAt]!
    return this
  }

  private enterPack(bytes: Uint8Array, start: number, end: number, entriesAt: number): void {
    this.bytes = bytes
    this.end = end
    this.entriesAt = entriesAt
    this.names = start
    this.element = entriesAt
    this.elements = 0
    this.at = end
  }

  /** Goes to a pack that is in no node. */
  enterLoose(bytes: Uint8Array, start: number, end: number, entriesAt: number, id: StreamId): this {
    this.enterPack(bytes, start, end, entriesAt)
    this.node = 0
    this.base.from(id)
    return this
  }

  /** Reads the next entry, removed ones too; false behind the last. */
  next(): boolean {
    const at = this.elements === 0 ? this.element : Pack.skip(this.bytes, this.element, this.elements)
    if (at >= this.end) {
      this.element = this.end
      this.elements = 0
      return false
    }
    this.read(at)
    return true
  }

  /** Where the next entry begins, in bytes of the slab. */
  after(): number {
    return Pack.skip(this.bytes, this.element, this.elements)
  }

  /** Goes before the entry that begins there, in bytes of the slab. */
  goTo(at: number): void {
    this.element = at
    this.elements = 0
  }

  /** Goes before the first entry whose id is not less than this one; false when there is none. */
  skipTo(id: StreamId): boolean {
    while (this.next()) {
      if (compareIds(this.id, id) < 0) continue
      this.goTo(this.at)
      return true
    }
    return false
  }

  /** Goes behind the last entry whose id is not greater than this one. */
  passTo(id: StreamId): void {
    this.at = this.end
    while (this.previous()) {
      if (compareIds(this.id, id) > 0) continue
      this.at = this.after()
      return
    }
  }

  /** Reads the entry before, removed ones too; false before the first. */
  previous(): boolean {
    if (this.at <= this.entriesAt) return false
    const { bytes } = this
    let at = Pack.previous(bytes, this.at)
    for (let left = Number(Pack.integerAt(bytes, at)); left > 0; left--) at = Pack.previous(bytes, at)
    this.read(at)
    return true
  }

  private read(at: number): void {
    const { base, bytes } = this
    this.at = at
    const flags = bytes[at]!
    let element = at + 2
    const ms = Pack.integerAt(bytes, element)
    element += Pack.sizeAt(bytes, element)
    const seq = Pack.integerAt(bytes, element)
    element += Pack.sizeAt(bytes, element)
    this.id.msLow = add(base.msHigh, base.msLow, ms)
    this.id.msHigh = highOfSum()
    this.id.seqLow = add(base.seqHigh, base.seqLow, seq)
    this.id.seqHigh = highOfSum()
    this.isDead = (flags & Flag.dead) !== 0
    this.sameNames = (flags & Flag.sameNames) !== 0
    if (this.sameNames) {
      this.pairs = Number(Pack.integerAt(bytes, this.names))
      this.nameAt = this.names + Pack.sizeAt(bytes, this.names)
      this.elements = this.pairs + 1
    } else {
      this.pairs = Number(Pack.integerAt(bytes, element))
      element += Pack.sizeAt(bytes, element)
      this.elements = 2 * this.pairs + 1
    }
    this.pairsLeft = this.pairs
    this.element = element
  }

  /** Reads the next field and value of the entry; false after the last. */
  nextPair(): boolean {
    if (this.pairsLeft === 0) return false
    this.pairsLeft--
    const { bytes, digits } = this
    if (this.sameNames) {
      Pack.textAt(bytes, this.nameAt, this.field, digits)
      this.nameAt += Pack.sizeAt(bytes, this.nameAt)
      this.elements--
    } else {
      Pack.textAt(bytes, this.element, this.field, digits)
      this.element += Pack.sizeAt(bytes, this.element)
      this.elements -= 2
    }
    Pack.textAt(bytes, this.element, this.value, digits, Pack.digitsBytes)
    this.element += Pack.sizeAt(bytes, this.element)
    return true
  }

  /** Marks the entry as removed, in its bytes only. */
  bury(): void {
    this.bytes[this.at] = this.bytes[this.at]! | Flag.dead
  }
}

// ——— packs from elsewhere ———

/**
 * What `inspectPack` found: entries, those marked as removed, bytes of the names, the first and last entry that is not
 * removed and the last of either kind.
 */
export const inspected = {
  live: 0,
  dead: 0,
  namesLength: 0,
  firstId: new StreamId(),
  lastId: new StreamId(),
  edgeId: new StreamId()
}

const wanted = new EntryCursor()

/** Whether bytes are the pack of a node with this id; all of its entries may be removed. Safe for any bytes. */
export const inspectPack = (bytes: Uint8Array, start: number, end: number, id: StreamId): boolean => {
  const { edgeId, firstId, lastId } = inspected
  inspected.live = inspected.dead = 0
  if (start >= end || !Pack.isPack(bytes, start, end) || !Pack.isInteger(bytes, start)) return false
  const entriesAt = skipNames(bytes, start, end)
  if (entriesAt < 0) return false
  inspected.namesLength = entriesAt - start
  for (let at = entriesAt; at < end;) {
    const next = entryEnd(bytes, at, end, Number(Pack.integerAt(bytes, start)))
    if (next < 0) return false
    at = next
  }
  wanted.enterLoose(bytes, start, end, entriesAt, id)
  for (let first = true; wanted.next(); first = false) {
    const order = compareIds(wanted.id, first ? id : edgeId)
    if (first ? order < 0 || wanted.id.isZero : order <= 0) return false
    edgeId.from(wanted.id)
    if (wanted.isDead) {
      inspected.dead++
      continue
    }
    if (inspected.live++ === 0) firstId.from(wanted.id)
    lastId.from(wanted.id)
  }
  return true
}

/** The place after the names at the beginning of a pack; -1 when they are none. */
const skipNames = (bytes: Uint8Array, start: number, end: number): number => {
  const count = Pack.integerAt(bytes, start)
  if (typeof count !== "number" || count < 0) return -1
  let at = start + Pack.sizeAt(bytes, start)
  for (let left = count; left > 0; left--) {
    if (at >= end) return -1
    at += Pack.sizeAt(bytes, at)
  }
  return at < end && Pack.isInteger(bytes, at) && Pack.integerAt(bytes, at) === 0 ? at + Pack.sizeAt(bytes, at) : -1
}

/** The place after the entry at `at`; -1 when it is none. */
const entryEnd = (bytes: Uint8Array, at: number, end: number, names: number): number => {
  const flags = bytes[at]!
  if (flags > 3) return -1
  let elements = 1
  let count = names
  const same = (flags & Flag.sameNames) !== 0
  let next = at + 2
  for (let left = same ? 2 : 3; left > 0; left--) {
    if (next >= end || !Pack.isInteger(bytes, next)) return -1
    if (left === 1 && !same) count = Number(Pack.integerAt(bytes, next))
    next += Pack.sizeAt(bytes, next)
    elements++
  }
  if (count < 0) return -1
  for (let left = same ? count : 2 * count; left > 0; left--) {
    if (next >= end) return -1
    next += Pack.sizeAt(bytes, next)
    elements++
  }
  if (next >= end || !Pack.isInteger(bytes, next) || Pack.integerAt(bytes, next) !== elements) return -1
  return next + Pack.sizeAt(bytes, next)
}
