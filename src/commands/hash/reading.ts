/** Looking at single fields, for all commands of hashes. */
import type { Reply } from "../../net/resp/reply.ts"
import { FoundField } from "../../projections/hash-read.ts"
import type { Pointer } from "../../projections/memory/arena.ts"
import { digitsBytes } from "../../projections/memory/pack.ts"
import { Slice } from "../../projections/memory/slice.ts"
import type { Decision } from "../decision.ts"
import type { Argv } from "../define.ts"

const found = new FoundField()
const text = new Slice()
const digits = new Uint8Array(digitsBytes)

/** Whether the hash at `p` has a live field. */
export const hasField = (d: Decision, p: Pointer, field: Slice): boolean => found.find(d.db, p, field, d.now)

/** Like `hasField`, for a command that is about to set this very field. */
export const hasFieldToChange = (d: Decision, p: Pointer, field: Slice): boolean =>
  found.find(d.db, p, field, d.now, true)

/** The deadline of a live field (Unix ms), 0 for none; -1 when there is no such field. */
export const deadlineOfField = (d: Decision, p: Pointer, field: Slice): number =>
  found.find(d.db, p, field, d.now) ? found.deadline : -1

/** The value of a live field, null when there is none: valid until the next call, or the hash changes. */
export const valueOf = (d: Decision, p: Pointer, field: Slice): Slice | null =>
  found.find(d.db, p, field, d.now) ? found.value(text, digits) : null

/** Like `valueOf`, valid until the hash changes. */
export const lastingValueOf = (d: Decision, p: Pointer, field: Slice): Slice | null => {
  if (!found.find(d.db, p, field, d.now)) return null
  const value = found.value(new Slice(), digits)
  return value.bytes === digits ? value.copy() : value
}

/** The values of the fields from word `from` on, null for each that there is not. */
export const valuesOf = (d: Decision, p: Pointer, argv: Argv, from: number): Array<Reply> => {
  const values: Array<Reply> = []
  for (let i = from; i < argv.length; i++) values.push(p === 0 ? null : lastingValueOf(d, p, argv.at(i)))
  return values
}

/** Length in bytes of the value of a field, 0 when there is none. */
export const valueLengthOf = (d: Decision, p: Pointer, field: Slice): number =>
  found.find(d.db, p, field, d.now) ? found.valueLength : 0
