/**
 * Takes folded events back. Before an event is folded, `before` keeps what the keys it changes held, each once; a
 * database about to be emptied is put aside whole and an empty one stands in for it. `rollback` brings all of it back:
 * values, deadlines and their order, which database has which number. `commit` lets go of what was kept.
 *
 * A key is kept by the same deep copy that COPY makes, in an arena of its own, so every type of value can be kept.
 */
import type { Event } from "../log/events/catalog.ts"
import * as Entry from "./entry.ts"
import { Database, type Keyspace } from "./keyspace.ts"
import { Slice } from "./memory/slice.ts"
import { type TouchVisitor, visitTouched } from "./touched.ts"

/** What one database held: the names of the keys kept, each with its access clock; undefined when there was no such key. */
type Kept = Map<string, number | undefined>

/** A store that held no more keys than this is emptied key by key and used again: making one takes longer. */
const reusedKeys = 256
const spareStores = 4

/** Memory of one run of events at a time; see the head of this file. */
export class Undo implements TouchVisitor {
  private readonly keyspace: Keyspace
  /** The databases by number as they were. */
  private order: ReadonlyArray<Database> = []
  private readonly spare: Array<Database> = []
  private readonly kept = new Map<Database, { readonly keys: Kept; readonly values: Database }>()
  /** Empty databases by the full one each stands in for. */
  private readonly standIns = new Map<Database, Database>()

  constructor(keyspace: Keyspace) {
    this.keyspace = keyspace
  }

  /** From here on events can be taken back; `commit` or `rollback` ends it. */
  begin(): void {
    this.order = this.keyspace.databases.slice()
  }

  /** To be called before each event is folded. */
  before(db: number, event: Event): void {
    switch (event._tag) {
      case "DatabaseFlushed":
        this.putAside(db)
        return
      case "KeyspaceFlushed":
        for (let i = 0; i < this.keyspace.databases.length; i++) this.putAside(i)
        return
      case "DatabasesSwapped":
        return // `order` knows
      default:
        visitTouched(db, event, this)
    }
  }

  /** Keeps what a key holds now, unless that is done. */
  touch(db: number, key: Slice): void {
    const database = this.keyspace.database(db)
    if (!this.order.includes(database)) return // a stand-in: what it holds goes with it
    let kept = this.kept.get(database)
    if (kept === undefined) this.kept.set(database, kept = { keys: new Map(), values: this.store() })
    const name = key.latin1()
    if (kept.keys.has(name)) return
    const p = database.locate(key)
    kept.keys.set(name, p === 0 ? undefined : Entry.clockOf(database.arena, p))
    if (p !== 0) kept.values.copyFrom(database, p, key)
  }

  /** Where pre-images are kept: a database of no keyspace, whose memory counts for nothing. */
  private store(): Database {
    return this.spare.pop() ?? new Database(this.keyspace.seed, this.keyspace.turn, 0, this.keyspace.limits)
  }

  private putAside(db: number): void {
    const database = this.keyspace.database(db)
    if (database.size === 0 || !this.order.includes(database)) return
    const standIn = this.keyspace.standIn()
    this.standIns.set(database, standIn)
    this.keyspace.databases[db] = standIn
  }

  /** What was folded stands. Databases that were emptied are emptied in earnest and take over what came afterwards. */
  commit(): void {
    const { databases } = this.keyspace
    for (const [database, standIn] of this.standIns) {
      const number = databases.indexOf(standIn)
      databases[number] = database
      this.keyspace.clearDatabase(number)
      database.takeOver(standIn)
    }
    this.letGo()
  }

  /** Nothing of what was folded has happened. */
  rollback(): void {
    const { databases } = this.keyspace
    databases.splice(0, databases.length, ...this.order)
    for (const standIn of this.standIns.values()) discard(standIn)
    for (const [database, { keys, values }] of this.kept) {
      for (const [name, clock] of keys) {
        const key = Slice.latin1(name)
        if (clock === undefined) {
          database.delete(key)
          continue
        }
        database.copyFrom(values, values.locate(key), key)
        Entry.setClock(database.arena, database.locate(key), clock) // a copy counts as written now
      }
    }
    this.letGo()
  }

  private letGo(): void {
    for (const { keys, values } of this.kept.values()) {
      if (keys.size > reusedKeys || this.spare.length === spareStores) {
        discard(values)
        continue
      }
      for (const [name, clock] of keys) if (clock !== undefined) values.delete(Slice.latin1(name))
      this.spare.push(values)
    }
    this.kept.clear()
    this.order = []
    this.standIns.clear()
  }
}

/** Gives the memory of a database that nobody uses any more back at once. */
const discard = (database: Database): void => {
  const { arena } = database
  arena.unmeter()
  while (arena.dismantle());
}
