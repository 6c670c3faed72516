/**
 * The short way of a text from a checkpoint into memory. Nearly every key of a checkpoint is new, so there is one probe
 * for looking it up and putting it in, and bytes are copied by words.
 */
import * as Entry from "./entry.ts"
import type { Database } from "./keyspace.ts"
import { byteOf, slabOf, wordOf } from "./memory/arena.ts"
import { copyBytes } from "./memory/slice.ts"
import { embstrLimit } from "./string.ts"

/** Words of the arena are in the machine's order, those of a file little endian. */
const littleEndian = new Uint8Array(new Uint32Array([1]).buffer)[0] === 1

/**
 * Adds a key that holds text which does not look like an integer, without a deadline. `view` is over all of `bytes`.
 * False when the key is there already, or this machine cannot do it in this way: then nothing has changed.
 */
export const restoreText = (
  db: Database,
  bytes: Uint8Array,
  view: DataView,
  keyAt: number,
  keyLength: number,
  valueAt: number,
  valueLength: number
): boolean => {
  if (!littleEndian) return false
  const { arena, dict } = db
  const hash = dict.hash(bytes, keyAt, keyLength)
  const p = arena.allocate(Entry.headerBytes + keyLength + valueLength)
  const encoding = valueLength <= embstrLimit ? Entry.Encoding.embstr : Entry.Encoding.raw
  Entry.writeHeader(arena, p, Entry.Type.string, encoding, 0, db.turn.clock, keyLength, db.mark)
  const words = arena.words[slabOf(p)]!
  const head = wordOf(p)
  words[head + 4] = valueLength
  const whole = keyLength >>> 2
  const to = head + (Entry.headerBytes >>> 2)
  for (let i = 0; i < whole; i++) words[to + i] = view.getUint32(keyAt + 4 * i, true)
  const target = arena.bytes[slabOf(p)]!
  const body = byteOf(p) + Entry.headerBytes
  for (let i = whole << 2; i < keyLength; i++) target[body + i] = bytes[keyAt + i]!
  copyBytes(target, body + keyLength, bytes, valueAt, valueLength)
  if (dict.insertNew(hash, p, bytes, keyAt, keyLength)) return true
  arena.free(p)
  return false
}
