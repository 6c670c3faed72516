/** Takes what an RDB file holds into a log and the data folded from it: a key is a batch, a large one is several. */
import type { Event } from "../log/events/catalog.ts"
import * as Access from "../projections/access.ts"
import type { DumpedValue } from "../projections/dump-read.ts"
import * as Entry from "../projections/entry.ts"
import type { Keyspace } from "../projections/keyspace.ts"
import type { Slice } from "../projections/memory/slice.ts"
import { BadData } from "../projections/rdb-reader.ts"
import { livingPart, restoringEvents } from "../projections/restoring.ts"
import type { KeyFacts, RdbVisitor } from "./file-reader.ts"

/** Where the events go. */
export interface IntakeHost {
  readonly keyspace: Keyspace
  /** Appends a batch of a database and folds it. */
  readonly apply: (db: number, events: ReadonlyArray<Event>) => void
  /** Keys whose deadline is not later are left out (Unix ms); 0 leaves none out. */
  readonly now: number
  readonly warn: (text: string) => void
}

/** A visitor of one file; the databases of its keys are empty before. */
export class Intake implements RdbVisitor {
  readonly facts = new Map<string, string>()
  keys = 0
  /** Keys that were past their deadline. */
  dead = 0
  /** Of what the file says there are. */
  expected = 0
  private readonly host: IntakeHost
  /** What came of the key at hand was left out so far. */
  private absent = true

  constructor(host: IntakeHost) {
    this.host = host
  }

  info(name: string, value: string): void {
    this.facts.set(name, value)
  }

  sizes(_db: number, keys: number): void {
    this.expected += keys
  }

  warn(text: string): void {
    this.host.warn(text)
  }

  value(db: number, key: Slice, piece: DumpedValue, facts: KeyFacts, first: boolean, last: boolean): void {
    const { host } = this
    const { expireAt } = facts
    if (first) this.absent = true
    if (expireAt !== 0 && expireAt <= host.now) {
      if (last) this.dead++
      return
    }
    if (first && host.keyspace.database(db).locate(key) !== 0) throw new BadData("the key is there twice")
    const alive = livingPart(piece, host.now)
    const events: Array<Event> = alive === undefined ? [] : [...restoringEvents(key, alive)]
    if (alive !== undefined) this.absent = false
    if (last && !this.absent && expireAt !== 0) events.push({ _tag: "KeyExpirySet", key, expireAt })
    if (events.length > 0) host.apply(db, events)
    if (!last) return
    if (this.absent) this.dead++
    else {
      this.keys++
      this.settleAccess(db, key, facts)
    }
  }

  private settleAccess(db: number, key: Slice, { frequency, idleSeconds }: KeyFacts): void {
    if (frequency < 0 && idleSeconds < 0) return
    const database = this.host.keyspace.database(db)
    const p = database.locate(key)
    if (p === 0) return
    const { arena } = database
    Entry.setClock(arena, p, Access.accessedBefore(Entry.clockOf(arena, p), idleSeconds, frequency))
  }
}
