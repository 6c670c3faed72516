/** What it takes to make a key of a value that was read in the format of RDB files. */
import type { Event } from "../log/events/catalog.ts"
import { streamEvents } from "./dump-read-stream.ts"
import type { DumpedValue } from "./dump-read.ts"
import type { Slice } from "./memory/slice.ts"

/** The events that make a value at an absent key, or add one more piece of it where it was read in pieces. */
export const restoringEvents = (key: Slice, value: DumpedValue): ReadonlyArray<Event> => {
  switch (value.type) {
    case "string":
      return [{ _tag: "StringSet", key, value: value.value, expireAt: null }]
    case "list":
      return [{ _tag: "ListPushed", key, side: "right", elements: value.elements }]
    case "set":
      return [{ _tag: "SetMembersAdded", key, members: value.elements }]
    case "zset":
      return [{ _tag: "SortedSetMembersScored", key, members: value.members, scores: value.scores }]
    case "stream":
      return streamEvents(key, value)
    case "hash": {
      const { deadlines, pairs } = value
      const dated = deadlines.flatMap((expireAt, i): ReadonlyArray<Event> =>
        expireAt === 0 ? [] : [{ _tag: "HashFieldsExpirySet", key, expireAt, fields: [pairs[2 * i]!] }]
      )
      return [{ _tag: "HashFieldsSet", key, pairs }, ...dated]
    }
  }
}

/** Fields that are dead already do not come back; undefined when none is left. */
export const livingPart = (value: DumpedValue, now: number): DumpedValue | undefined => {
  if (value.type !== "hash" || !value.deadlines.some((deadline) => deadline !== 0 && deadline <= now)) return value
  const kept = value.deadlines.map((deadline) => deadline === 0 || deadline > now)
  const pairs = value.pairs.filter((_, i) => kept[i >>> 1])
  return pairs.length === 0 ? undefined : { ...value, pairs, deadlines: value.deadlines.filter((_, i) => kept[i]) }
}
