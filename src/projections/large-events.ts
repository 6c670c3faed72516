/** The events that bring elements of large collections back. */
import type { Event } from "../log/events/catalog.ts"
import * as Entry from "./entry.ts"
import { deadlineOfField, fieldOf, valueOf } from "./hash-fields.ts"
import { elementLength, memberBytesAt, scoredBytesAt } from "./large.ts"
import { type Arena, byteOf, type Pointer, slabOf, wordOf } from "./memory/arena.ts"
import { Slice } from "./memory/slice.ts"

const scratch = new DataView(new ArrayBuffer(8))

/** The score in a sorted set's member block. */
export const scoreOf = (arena: Arena, p: Pointer): number => {
  const words = arena.words[slabOf(p)]!
  const at = wordOf(p)
  scratch.setUint32(0, words[at + 1]!, true)
  scratch.setUint32(4, words[at + 2]!, true)
  return scratch.getFloat64(0, true)
}

/** Elements of one collection on their way into an event. The slices in it point at the arena. */
export class ElementBatch {
  count = 0
  readonly slices: Array<Slice> = []
  readonly scores: Array<number> = []
  /** Of a hash: the deadlines of its fields, 0 for none. */
  readonly deadlines: Array<number> = []
  private readonly pool: Array<Slice> = []

  clear(): void {
    this.count = 0
    this.slices.length = 0
    this.scores.length = 0
    this.deadlines.length = 0
  }

  /** Adds an element; returns about how many bytes it will take. */
  add(arena: Arena, type: number, p: Pointer): number {
    this.count++
    const bytes = arena.bytes[slabOf(p)]!
    const length = elementLength(arena, p)
    if (type === Entry.Type.set) {
      this.slice(bytes, byteOf(p) + memberBytesAt, length)
      return length
    }
    if (type === Entry.Type.zset) {
      this.slice(bytes, byteOf(p) + scoredBytesAt, length)
      this.scores.push(scoreOf(arena, p))
      return length + 8
    }
    fieldOf(arena, p, this.take())
    const value = valueOf(arena, p, this.take())
    this.deadlines.push(deadlineOfField(arena, p))
    return length + value.length
  }

  private slice(bytes: Uint8Array, start: number, length: number): void {
    this.take().set(bytes, start, length)
  }

  /** The next slice of the batch. */
  private take(): Slice {
    const at = this.slices.length
    const slice = this.pool[at] ?? (this.pool[at] = new Slice())
    this.slices.push(slice)
    return slice
  }
}

/** Hands out the events that add the batch's elements to the collection at `key`. */
export const elementEvents = (batch: ElementBatch, type: number, key: Slice, add: (event: Event) => void): void => {
  const { deadlines, scores, slices } = batch
  if (type === Entry.Type.set) add({ _tag: "SetMembersAdded", key, members: slices })
  else if (type === Entry.Type.zset) add({ _tag: "SortedSetMembersScored", key, members: slices, scores })
  else {
    add({ _tag: "HashFieldsSet", key, pairs: slices })
    for (let i = 0; i < deadlines.length; i++) {
      const expireAt = deadlines[i]!
      if (expireAt !== 0) add({ _tag: "HashFieldsExpirySet", key, expireAt, fields: [slices[2 * i]!] })
    }
  }
}
