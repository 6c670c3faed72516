/**
 * Deaths of keys and of fields of hashes: met by a command, or found because their time has come. Each is an event of its
 * own, before whatever the command does.
 */
import type { Event } from "../../log/events/catalog.ts"
import type { Keyspace } from "../../projections/keyspace.ts"
import type { Slice } from "../../projections/memory/slice.ts"
import { deathOfFields, type Undertaker } from "./expiry.ts"
import type { View } from "./lookup.ts"

/** What burying needs of the executor. */
export interface BurialHost {
  readonly keyspace: Keyspace
  readonly view: () => View
  /** Whether a death may be recorded now: not while writes are held back or the log takes none. */
  readonly mayBury: () => boolean
  /** Whether somebody is to be told which fields die. */
  readonly namesFields: () => boolean
  /** Appends and folds one batch of one event. */
  readonly apply: (db: number, events: ReadonlyArray<Event>) => void
  /** Counts a key, or with more than 0 so many fields. */
  readonly expired: (fields: number) => void
}

/** See the head of this file. */
export class Burial implements Undertaker {
  private readonly host: BurialHost
  private readonly events: Array<Event> = []

  constructor(host: BurialHost) {
    this.host = host
  }

  /** Records that a key which was met past its deadline is gone; false when that may not be now. */
  meetKey(db: number, key: Slice): boolean {
    if (!this.host.mayBury()) return false
    this.events[0] = { _tag: "KeyExpired", key }
    this.host.apply(db, this.events)
    this.host.expired(0)
    return true
  }

  /** The same for fields of the hash at a key; of very many, some. */
  meetFields(db: number, key: Slice): boolean {
    const { host } = this
    if (!host.mayBury()) return false
    const death = deathOfFields(host.keyspace.database(db), key, host.view().now, host.namesFields())
    if (death === undefined) return false
    this.events[0] = death
    host.apply(db, this.events)
    host.expired(death._tag === "KeyExpired" ? 0 : death.fields.length)
    return true
  }

  /** Outside of any command. */
  key(db: number, key: Slice): boolean {
    this.host.keyspace.turn.next(this.host.view().now)
    return this.meetKey(db, key)
  }

  fields(db: number, key: Slice): boolean {
    this.host.keyspace.turn.next(this.host.view().now)
    return this.meetFields(db, key)
  }
}
