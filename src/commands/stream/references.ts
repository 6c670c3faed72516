/** What consumer groups hold of entries that leave a stream: KEEPREF, DELREF and ACKED. */
import type { Pointer } from "../../projections/memory/arena.ts"
import { Slice } from "../../projections/memory/slice.ts"
import { compareIds, StreamId } from "../../projections/memory/stream-id.ts"
import { findPending, PendingRange } from "../../projections/stream-pending.ts"
import * as Stream from "../../projections/stream-read.ts"
import { isWord } from "../arguments.ts"
import type { Decision } from "../decision.ts"

/**
 * An entry that leaves stays pending where it was ("keep"), is pending nowhere any more ("delete"), or leaves only when
 * every group has read and acknowledged it ("acknowledged").
 */
export type References = "keep" | "delete" | "acknowledged"

/** The option, if a word is one. */
export const readReferences = (word: Slice): References | undefined =>
  isWord(word, "KEEPREF")
    ? "keep"
    : isWord(word, "DELREF")
    ? "delete"
    : isWord(word, "ACKED")
    ? "acknowledged"
    : undefined

const delivered = new StreamId()
const pending = new PendingRange()

/** Whether one of these groups has yet to read an entry or to acknowledge it; `but`: this one is about to acknowledge it. */
export const isReferenced = (d: Decision, groups: ReadonlyArray<Pointer>, id: StreamId, but: Pointer = 0): boolean => {
  for (const group of groups) {
    if (compareIds(id, Stream.lastDelivered(d.db, group, delivered)) > 0) return true
    if (group !== but && findPending(d.db, group, id, pending)) return true
  }
  return false
}

/** These entries are pending nowhere any more; `but`: this group has just acknowledged them. */
export const forgetReferences = (
  d: Decision,
  key: Slice,
  p: Pointer,
  ids: ReadonlyArray<StreamId>,
  but: Pointer = 0
): void => {
  for (const group of Stream.groups(d.db, p)) {
    if (group === but) continue
    const held = ids.filter((id) => findPending(d.db, group, id, pending))
    if (held.length === 0) continue
    d.emit({ _tag: "StreamEntriesAcknowledged", key, group: Stream.groupName(d.db, group, new Slice()), ids: held })
  }
}
