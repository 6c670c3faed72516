/**
 * The events of the most frequent commands, in objects that are used again: an event is written and folded before the
 * next command begins, and who needs it longer (a transaction) copies it. New objects would take 60 to 300 bytes of the
 * heap a command: at a million commands a second the caches and the collector notice.
 */
import type { Event } from "../log/events/catalog.ts"
import type { Int64, ListSide } from "../log/events/fields.ts"
import { Slice } from "../projections/memory/slice.ts"
import { StreamId } from "../projections/memory/stream-id.ts"

interface StringSet {
  readonly _tag: "StringSet"
  key: Slice
  value: Slice
  expireAt: number | null
}

const none = new Slice()
const blank = (): StringSet => ({ _tag: "StringSet", key: none, value: none, expireAt: null })

/** Of one command at most so many, one after the other. */
const strings = Array.from({ length: 64 }, blank)
const counter = { _tag: "StringIncremented" as const, key: none, value: 0 as Int64 }
const suffixed = { _tag: "StringAppended" as const, key: none, suffix: none }
const push = { _tag: "ListPushed" as const, key: none, side: "left" as ListSide, elements: [none] }
const pop = { _tag: "ListPopped" as const, key: none, side: "left" as ListSide, elements: [none] }
const addition = { _tag: "SetMembersAdded" as const, key: none, members: [none] }
const fields = { _tag: "HashFieldsSet" as const, key: none, pairs: [none, none] }
const updated = { _tag: "HashFieldsUpdated" as const, key: none, pairs: [none, none] }
const scoring = { _tag: "SortedSetMembersScored" as const, key: none, members: [none], scores: [0.5] }
const entry = {
  _tag: "StreamEntryAdded" as const,
  key: none,
  id: new StreamId(),
  pairs: [none] as ReadonlyArray<Slice>
}

/** The command's StringSet number `index`, counted from 0. */
export const stringSet = (index: number, key: Slice, value: Slice, expireAt: number | null): Event => {
  const event = strings[index] ?? blank()
  event.key = key
  event.value = value
  event.expireAt = expireAt
  return event
}

/** The command's only StringIncremented. */
export const stringIncremented = (key: Slice, value: Int64): Event => {
  counter.key = key
  counter.value = value
  return counter
}

/** The command's only StringAppended. */
export const stringAppended = (key: Slice, suffix: Slice): Event => {
  suffixed.key = key
  suffixed.suffix = suffix
  return suffixed
}

/** The command's only ListPushed, of one element. */
export const elementPushed = (key: Slice, side: ListSide, element: Slice): Event => {
  push.key = key
  push.side = side
  push.elements[0] = element
  return push
}

/** The command's only ListPopped, of one element. */
export const elementPopped = (key: Slice, side: ListSide, element: Slice): Event => {
  pop.key = key
  pop.side = side
  pop.elements[0] = element
  return pop
}

/** The command's only SetMembersAdded, of one member. */
export const memberAdded = (key: Slice, member: Slice): Event => {
  addition.key = key
  addition.members[0] = member
  return addition
}

/** The command's only HashFieldsSet, of one field. */
export const fieldSet = (key: Slice, field: Slice, value: Slice): Event => {
  fields.key = key
  fields.pairs[0] = field
  fields.pairs[1] = value
  return fields
}

/** The command's only HashFieldsUpdated, of one field. */
export const fieldUpdated = (key: Slice, field: Slice, value: Slice): Event => {
  updated.key = key
  updated.pairs[0] = field
  updated.pairs[1] = value
  return updated
}

/** The command's only SortedSetMembersScored, of one member. */
export const memberScored = (key: Slice, member: Slice, score: number): Event => {
  scoring.key = key
  scoring.members[0] = member
  scoring.scores[0] = score
  return scoring
}

/** The command's only StreamEntryAdded. */
export const entryAdded = (key: Slice, id: StreamId, pairs: ReadonlyArray<Slice>): Event => {
  entry.key = key
  entry.id = id
  entry.pairs = pairs
  return entry
}
