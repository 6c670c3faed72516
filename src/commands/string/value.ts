/** Finding the string a key holds. */
import * as Entry from "../../projections/entry.ts"
import type { Pointer } from "../../projections/memory/arena.ts"
import type { Slice } from "../../projections/memory/slice.ts"
import type { Decision } from "../decision.ts"

/** Whether an entry holds a string. */
export const isString = (d: Decision, p: Pointer): boolean => Entry.typeOf(d.db.arena, p) === Entry.Type.string

/** The entry of a key that is read (a hit or a miss), 0 when absent; refuses what is no string. */
export const readable = (d: Decision, key: Slice): Pointer => {
  const p = d.counted(d.lookup(key), key)
  if (p !== 0) d.expectString(p)
  return p
}
