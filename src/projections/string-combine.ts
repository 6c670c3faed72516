/** Strings combined bit by bit, where the result is to be. */
import * as Entry from "./entry.ts"
import type { Database } from "./keyspace.ts"
import { byteOf, type Pointer, slabOf } from "./memory/arena.ts"
import { type BitOperation, combineBits } from "./memory/bits.ts"
import { Slice } from "./memory/slice.ts"
import { makeRoom, readString } from "./string.ts"

/** The strings to combine, and the entries of those that lie in the arena; used again, for most have few. */
const operands: Array<Slice> = []
const places: Array<Pointer> = []
const keptOperands = 64
const noBytes = new Uint8Array(0)

/** Points an operand at the string of a key; at nothing when that holds none. */
const find = (db: Database, key: Slice, at: number): Slice => {
  const operand = (operands[at] ??= new Slice(noBytes)).set(noBytes, 0, 0)
  const p = db.locate(key)
  places[at] = 0
  if (p === 0 || Entry.typeOf(db.arena, p) !== Entry.Type.string) return operand
  if (Entry.encodingOf(db.arena, p) === Entry.Encoding.int) return readString(db, p, operand, new Uint8Array(24))
  places[at] = p
  return readString(db, p, operand, noBytes)
}

/**
 * The key holds what the operation makes of the strings at `sources`, and no deadline; it is gone when all of them are
 * empty. It may be one of the sources.
 */
export const stringsCombined = (
  db: Database,
  key: Slice,
  operation: BitOperation,
  sources: ReadonlyArray<Slice>
): void => {
  const count = sources.length
  let length = 0
  for (let i = 0; i < count; i++) length = Math.max(length, find(db, sources[i]!, i).length)
  if (length === 0) db.delete(key)
  else {
    const before = db.locate(key)
    // What the key holds, if it is a source, stays until a piece of the result takes the place of that same piece.
    let keep = 0
    for (let i = 0; i < count; i++) if (before !== 0 && places[i] === before) keep = operands[i]!.length
    const p = makeRoom(db, key, length, keep)
    const bytes = db.arena.bytes[slabOf(p)]!
    const at = byteOf(p) + Entry.headerBytes + key.length
    for (let i = 0; i < count; i++) if (keep > 0 && places[i] === before) operands[i]!.set(bytes, at, keep)
    combineBits(operation, operands, count, bytes, at, length)
  }
  for (let i = 0; i < count; i++) operands[i]!.set(noBytes, 0, 0)
  if (count > keptOperands) operands.length = places.length = keptOperands
}
