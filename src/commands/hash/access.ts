/** Finding a hash, its dead fields buried first. */
import * as Entry from "../../projections/entry.ts"
import { fieldValue } from "../../projections/hash.ts"
import type { Pointer } from "../../projections/memory/arena.ts"
import { Slice } from "../../projections/memory/slice.ts"
import { readableOf, writableOf } from "../collections.ts"
import type { Decision } from "../decision.ts"

const { hash } = Entry.Type

/** The hash at a key that is read, 0 when absent; refuses other types. Fields past their deadline are recorded as gone. */
export const readableHash = (d: Decision, key: Slice): Pointer => d.withoutDeadFields(key, readableOf(d, key, hash))

/** The hash at a key that is changed, 0 when absent; refuses other types. Fields past their deadline are recorded as gone. */
export const writableHash = (d: Decision, key: Slice): Pointer => d.withoutDeadFields(key, writableOf(d, key, hash))

/** The value of a field, valid until the command returns; undefined when there is none. */
export const valueIn = (d: Decision, p: Pointer, field: Slice): Slice | undefined =>
  p === 0 ? undefined : fieldValue(d.db, p, field, d.now, new Slice(), new Uint8Array(20))

/** The values of fields, null for those that are absent; valid like that of `valueIn`. */
export const valuesOf = (d: Decision, p: Pointer, fields: ReadonlyArray<Slice>): Array<Slice | null> =>
  fields.map((field) => valueIn(d, p, field) ?? null)
