/**
 * The events of the most frequent commands, in objects that are used again: an event is written and folded before the
 * next command begins, and who needs it longer (a transaction) copies it. At a million writes a second new objects would
 * cost the collector a fortieth of the time and the caches more.
 */
import type { Event } from "../../log/events/catalog.ts"
import type { Int64 } from "../../log/events/fields.ts"
import { Slice } from "../../projections/memory/slice.ts"

interface StringSet {
  readonly _tag: "StringSet"
  key: Slice
  value: Slice
  expireAt: number | null
}

const blank = (): StringSet => ({ _tag: "StringSet", key: new Slice(), value: new Slice(), expireAt: null })

/** Of one command at most so many, one after the other. */
const pooled = Array.from({ length: 64 }, blank)
const counted: { readonly _tag: "StringIncremented"; key: Slice; value: Int64 } = {
  _tag: "StringIncremented",
  key: new Slice(),
  value: 0
}

/** The command's StringSet number `index`, counted from 0. */
export const stringSet = (index: number, key: Slice, value: Slice, expireAt: number | null): Event => {
  const event = pooled[index] ?? blank()
  event.key = key
  event.value = value
  event.expireAt = expireAt
  return event
}

/** The command's only StringIncremented. */
export const stringIncremented = (key: Slice, value: Int64): Event => {
  counted.key = key
  counted.value = value
  return counted
}
