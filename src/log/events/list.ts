import * as Schema from "effect/Schema"
import { Bytes, Count, Key, ListSide, many } from "./fields.ts"

/**
 * What can happen to a list. Indexes count from 0 at the left, as the list is before the event. A list that loses its
 * last element is gone, and so is its key.
 */
export const ListEvent = Schema.TaggedUnion({
  /** These elements were pushed at one side, one after the other; an absent key counts as an empty list. */
  ListPushed: { key: Key, side: ListSide, elements: many(Bytes) },
  /** These elements left at one side, the outermost first. */
  ListPopped: { key: Key, side: ListSide, elements: many(Bytes) },
  /** The element at `index` became `element`. */
  ListElementSet: { key: Key, index: Count, element: Bytes },
  /** `element` was inserted and stands at `index` now. */
  ListElementInserted: { key: Key, index: Count, element: Bytes },
  /** The elements at these ascending indexes left; all were equal to `element`. */
  ListElementsRemoved: { key: Key, element: Bytes, indexes: many(Count) },
  /** Only the elements from `start` to `stop`, both included, remain. */
  ListTrimmed: { key: Key, start: Count, stop: Count }
})
export type ListEvent = typeof ListEvent.Type
