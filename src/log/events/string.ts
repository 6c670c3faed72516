import * as Schema from "effect/Schema"
import { BitOperation, Bytes, Count, Int64, Key, many, orNull, UnixMillis } from "./fields.ts"

/** What can happen to a string value. Payloads state outcomes: replaying them needs no clock, no randomness, no options. */
export const StringEvent = Schema.TaggedUnion({
  /** The key now holds this string and this deadline, whatever it held before. */
  StringSet: { key: Key, value: Bytes, expireAt: orNull(UnixMillis) },
  /** The integer at the key became `value`; the deadline stays. */
  StringIncremented: { key: Key, value: Int64 },
  /** The decimal number at the key became `value`, kept as text; the deadline stays. */
  StringFloatIncremented: { key: Key, value: Bytes },
  /** `suffix` was added at the end; an absent key counts as empty; the deadline stays. */
  StringAppended: { key: Key, suffix: Bytes },
  /** `value` overwrote the bytes from `offset` on, zero bytes filling any gap; the deadline stays. */
  StringRangeSet: { key: Key, offset: Count, value: Bytes },
  /**
   * The key now holds what `operation` made of the strings that `sources` held, bit by bit, as long as the longest, and no
   * deadline. An absent source counts as empty; the key may be among them. Like KeyCopied it names what it reads: a
   * bitmap of megabytes need not be written out to say how it came about.
   */
  StringsCombined: { key: Key, operation: BitOperation, sources: many(Key) },
  /**
   * `value` took the place of the `removed` bytes from `offset` on (of fewer where the string ends before), zero bytes
   * filling any gap; the deadline stays.
   */
  StringSpliced: { key: Key, offset: Count, removed: Count, value: Bytes }
})
export type StringEvent = typeof StringEvent.Type
