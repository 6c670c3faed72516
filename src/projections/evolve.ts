/**
 * The fold: what each event does to the keyspace. Total and silent: no clock, no randomness, no configuration, no reply.
 * The live path, start-up, replicas, history and tests all run this one function.
 */
import type { Event, EventOf, EventTag } from "../log/events/catalog.ts"
import type { Keyspace } from "./keyspace.ts"
import type { Slice } from "./memory/slice.ts"
import * as Strings from "./string.ts"

type Evolvers = { readonly [Tag in EventTag]: (keyspace: Keyspace, db: number, event: EventOf<Tag>) => void }

const evolvers: Evolvers = {
  StringSet: (keyspace, db, event) =>
    Strings.setString(keyspace.database(db), event.key, event.value, event.expireAt ?? 0),
  StringIncremented: (keyspace, db, event) => Strings.incremented(keyspace.database(db), event.key, event.value),
  StringFloatIncremented: (keyspace, db, event) =>
    Strings.floatIncremented(keyspace.database(db), event.key, event.value),
  StringAppended: (keyspace, db, event) => Strings.appended(keyspace.database(db), event.key, event.suffix),
  StringRangeSet: (keyspace, db, event) =>
    Strings.rangeSet(keyspace.database(db), event.key, event.offset, event.value),
  KeyDeleted: (keyspace, db, event) => void keyspace.database(db).delete(event.key),
  KeyExpired: (keyspace, db, event) => void keyspace.database(db).delete(event.key),
  KeyEvicted: (keyspace, db, event) => void keyspace.database(db).delete(event.key),
  KeyExpirySet: (keyspace, db, event) => {
    const database = keyspace.database(db)
    const p = database.locate(event.key)
    if (p !== 0) database.expireAt(p, event.expireAt)
  },
  KeyPersisted: (keyspace, db, event) => {
    const database = keyspace.database(db)
    const p = database.locate(event.key)
    if (p !== 0) database.expireAt(p, 0)
  },
  KeyRenamed: (keyspace, db, event) => {
    const database = keyspace.database(db)
    const p = database.locate(event.key)
    if (p === 0 || sameBytes(event.key, event.to)) return
    database.copyFrom(database, p, event.to)
    database.delete(event.key)
  },
  KeyCopied: (keyspace, db, event) => {
    const source = keyspace.database(db)
    const p = source.locate(event.key)
    if (p !== 0) keyspace.database(event.toDb).copyFrom(source, p, event.to)
  },
  KeyMoved: (keyspace, db, event) => {
    const source = keyspace.database(db)
    const p = source.locate(event.key)
    if (p === 0 || db === event.toDb) return
    keyspace.database(event.toDb).copyFrom(source, p, event.key)
    source.delete(event.key)
  },
  DatabaseFlushed: (keyspace, db) => keyspace.clearDatabase(db),
  KeyspaceFlushed: (keyspace) => keyspace.clear(),
  DatabasesSwapped: (keyspace, _db, event) => keyspace.swap(event.first, event.second)
}

const sameBytes = (a: Slice, b: Slice): boolean =>
  a.length === b.length && Buffer.compare(a.toBytes(), b.toBytes()) === 0

/** Folds one event of database `db` into the keyspace. */
export const evolve = (keyspace: Keyspace, db: number, event: Event): void => {
  if (event._tag === "StringSet") Strings.setString(keyspace.database(db), event.key, event.value, event.expireAt ?? 0)
  else if (event._tag === "StringIncremented") Strings.incremented(keyspace.database(db), event.key, event.value)
  else if (event._tag === "KeyEvicted") keyspace.database(db).delete(event.key)
  else (evolvers[event._tag] as (keyspace: Keyspace, db: number, event: Event) => void)(keyspace, db, event)
}
