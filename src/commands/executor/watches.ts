/**
 * Who watches which key. A watched key belongs to a database by number, not to its content: SWAPDB brings another
 * content under the same watch. Whether a client's watched keys have changed stands in `ClientState.watchDirty`.
 *
 * A key that was past its deadline when WATCH came, though nobody had buried it, counts as absent: its burial is no
 * change. This and what follows from it under FLUSHALL and SWAPDB was asked of redis-server 7.0.15.
 */
import type { Event } from "../../log/events/catalog.ts"
import { deadCount } from "../../projections/hash-fields.ts"
import { isGone } from "../../projections/hash-read.ts"
import type { Keyspace } from "../../projections/keyspace.ts"
import { Slice } from "../../projections/memory/slice.ts"
import { type TouchVisitor, visitTouched } from "../../projections/touched.ts"
import type { ClientState } from "../client.ts"

/** One key one client watches. */
interface Watch {
  readonly client: ClientState
  readonly db: number
  readonly name: string
  /** It was past its deadline when the watch began, or came to be so by SWAPDB. */
  dead: boolean
  /** Fields of the hash at the key that were dead when the watch began. */
  readonly deadFields: number
  /** Place among the watches of the key. */
  place: number
}

const bucketCount = 1024

/** A small hash of a key's length and last bytes: whether anybody watches a key like it is known without a string. */
const bucketOf = (key: Slice): number => {
  let hash = key.length
  const end = key.start + key.length
  for (let i = Math.max(key.start, end - 12); i < end; i++) hash = (Math.imul(hash, 31) + key.bytes[i]!) | 0
  return (hash ^ (hash >>> 13)) & (bucketCount - 1)
}

/** What a transaction that may be taken back did to watches, for taking that back too. */
interface Journal {
  readonly dirtied: Array<ClientState>
  readonly deaths: Array<{ readonly watch: Watch; readonly before: boolean }>
}

/** All watches of one server. */
export class Watches implements TouchVisitor {
  /** Watches in force. */
  size = 0
  private readonly keyspace: Keyspace
  private readonly byDb = new Map<number, Map<string, Array<Watch>>>()
  private readonly byClient = new Map<ClientState, Array<Watch>>()
  /** Watches per bucket of keys, all databases together. */
  private readonly buckets = new Uint32Array(bucketCount)
  private journal: Journal | undefined = undefined

  constructor(keyspace: Keyspace) {
    this.keyspace = keyspace
  }

  /** Begins a watch of the key in the client's database; `now` in Unix ms. */
  add(client: ClientState, key: Slice, now: number): void {
    if (client.watchDirty) return // its EXEC will fail anyway
    const { db } = client
    const name = key.latin1()
    let own = this.byClient.get(client)
    if (own === undefined) this.byClient.set(client, own = [])
    let keys = this.byDb.get(db)
    if (keys === undefined) this.byDb.set(db, keys = new Map())
    let watches = keys.get(name)
    if (watches === undefined) keys.set(name, watches = [])
    else if (
      own.length < watches.length
        ? own.some((watch) => watch.db === db && watch.name === name)
        : watches.some((watch) => watch.client === client)
    ) return
    const watch: Watch = {
      client,
      db,
      name,
      dead: this.stateOf(db, key, now) === "dead",
      deadFields: this.deadFields(db, key, now),
      place: watches.length
    }
    own.push(watch)
    watches.push(watch)
    this.buckets[bucketOf(key)]!++
    this.size++
    client.watchedKeys++
  }

  /** Ends all watches of a client. Whether they had seen a change stays noted. */
  release(client: ClientState): void {
    const own = this.byClient.get(client)
    if (own === undefined) return
    this.byClient.delete(client)
    for (const watch of own) {
      const keys = this.byDb.get(watch.db)!
      const watches = keys.get(watch.name)!
      const last = watches.pop()!
      if (last !== watch) {
        watches[watch.place] = last
        last.place = watch.place
      } else if (watches.length === 0) keys.delete(watch.name)
      this.buckets[bucketOf(Slice.latin1(watch.name))]!--
      this.size--
    }
    client.watchedKeys = 0
  }

  /** Whether a key the client watches, or a field of a hash at one, has died since, buried or not. */
  hasDied(client: ClientState, now: number): boolean {
    const own = this.byClient.get(client)
    if (own === undefined) return false
    for (const { db, dead, deadFields, name } of own) {
      if (dead) continue
      const key = Slice.latin1(name)
      if (this.stateOf(db, key, now) === "dead" || this.deadFields(db, key, now) > deadFields) return true
    }
    return false
  }

  private deadFields(db: number, key: Slice, now: number): number {
    const database = this.keyspace.database(db)
    const p = database.locate(key)
    return p === 0 ? 0 : deadCount(database.structures, p, now)
  }

  /** To be called before an event of database `db` is folded. */
  before(db: number, event: Event, now: number): void {
    switch (event._tag) {
      case "DatabaseFlushed":
        this.emptied(db, now)
        return
      case "KeyspaceFlushed":
        this.emptiedAll(now)
        return
      case "DatabasesSwapped":
        this.replaced(event.first, event.second, now)
        this.replaced(event.second, event.first, now)
        return
      // To Redis a stream is its entries: whoever watches one is not disturbed by its readers, nor by XSETID.
      case "StreamConsumerCreated":
      case "StreamConsumerDeleted":
      case "StreamEntriesAcknowledged":
      case "StreamEntriesClaimed":
      case "StreamEntriesDelivered":
      case "StreamEntriesReleased":
      case "StreamGroupCreated":
      case "StreamGroupDestroyed":
      case "StreamGroupIdSet":
      case "StreamIdSet":
        return
      default:
        visitTouched(db, event, this)
    }
  }

  /** Every database is about to lose what it holds. */
  emptiedAll(now: number): void {
    for (const db of this.byDb.keys()) this.emptied(db, now)
  }

  touch(db: number, key: Slice, removed: boolean): void {
    if (this.buckets[bucketOf(key)] === 0) return
    const watches = this.byDb.get(db)?.get(key.latin1())
    if (watches === undefined) return
    for (const watch of watches.slice()) { // a change ends watches
      if (watch.dead && removed) this.setDead(watch, false)
      else this.changed(watch.client)
    }
  }

  private emptied(db: number, now: number): void {
    this.each(db, (watch, key) => {
      if (this.stateOf(db, key, now) === "absent") return
      if (watch.dead) this.setDead(watch, false)
      else this.changed(watch.client)
    })
  }

  /** What database `other` holds comes under number `db`. */
  private replaced(db: number, other: number, now: number): void {
    this.each(db, (watch, key) => {
      const before = this.stateOf(db, key, now)
      const after = this.stateOf(other, key, now)
      if (before === "absent" && after === "absent") return
      if (watch.dead && after === "absent") this.setDead(watch, false)
      else if (watch.dead && after === "dead") return
      else if (!watch.dead && before === "absent" && after === "dead") this.setDead(watch, true)
      else this.changed(watch.client)
    })
  }

  private each(db: number, visit: (watch: Watch, key: Slice) => void): void {
    const keys = this.byDb.get(db)
    if (keys === undefined) return
    for (const [name, watches] of keys) {
      const key = Slice.latin1(name)
      for (const watch of watches.slice()) visit(watch, key)
    }
  }

  private stateOf(db: number, key: Slice, now: number): "absent" | "dead" | "alive" {
    const database = this.keyspace.database(db)
    const p = database.locate(key)
    return p === 0 ? "absent" : isGone(database, p, now) ? "dead" : "alive"
  }

  private setDead(watch: Watch, dead: boolean): void {
    this.journal?.deaths.push({ watch, before: watch.dead })
    watch.dead = dead
  }

  private changed(client: ClientState): void {
    if (client.watchDirty) return
    client.watchDirty = true
    if (this.journal === undefined) this.release(client) // nothing more to find out
    else this.journal.dirtied.push(client)
  }

  /** From now on changes are noted, until `commit` or `rollback`. */
  begin(): void {
    this.journal = { dirtied: [], deaths: [] }
  }

  /** What was noted stands. */
  commit(): void {
    const { journal } = this
    this.journal = undefined
    for (const client of journal?.dirtied ?? []) this.release(client)
  }

  /** What was noted has not happened. */
  rollback(): void {
    const { journal } = this
    this.journal = undefined
    if (journal === undefined) return
    for (const client of journal.dirtied) client.watchDirty = false
    for (const { before, watch } of journal.deaths.toReversed()) watch.dead = before
  }
}
