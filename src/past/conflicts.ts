/** What was written after batches that are to be taken back, and would be lost by that. */
import type { LogView } from "../history/log-view.ts"
import { type Batch, dbOf } from "../log/event-log.ts"
import type { Event } from "../log/events/catalog.ts"
import type { Keyspace } from "../projections/keyspace.ts"
import { Slice } from "../projections/memory/slice.ts"
import { type TouchVisitor, visitTouched } from "../projections/touched.ts"
import type { ChangedKeys } from "./changed-keys.ts"

/** Keys looked for by their names; with more, all batches are gone through. */
const mostKeysNamed = 64
const batchesPerStep = 512

/** A later batch that changed the same. */
export interface Conflict {
  /** Database as it was numbered before the batches, and the key; -1 where it is about whole databases. */
  readonly slot: number
  readonly name: string
  /** Of the later batch. */
  readonly sequence: number
  readonly text: string
}

/** A key as messages show it: what is not printable in hexadecimal. */
export const shownName = (name: string): string =>
  name.replace(/[^\x20-\x7e]/g, (char) => `\\x${char.charCodeAt(0).toString(16).padStart(2, "0")}`)

/** See the head of this file. */
export class Conflicts implements TouchVisitor {
  readonly found: Array<Conflict> = []
  private readonly changed: ChangedKeys
  private readonly before: Keyspace
  private readonly most: number
  /** Slots that are exchanged back: whatever is written to them moves with them. */
  private readonly swapped: ReadonlySet<number>
  private sequence = 0

  /** `before`: the data before the batches. At most `most` are looked for. */
  constructor(changed: ChangedKeys, before: Keyspace, most: number) {
    this.changed = changed
    this.before = before
    this.most = most
    this.swapped = new Set(changed.swaps.flatMap((pair) => pair.map((db) => changed.slotOf(db))))
  }

  /** Looks through everything after a sequence. */
  *look(view: LogView, after: number): Generator<number, void> {
    const { changed } = this
    const range = { from: after + 1 }
    if (after >= view.head) return
    const few = !changed.sweeping && changed.swaps.length === 0 && changed.size <= mostKeysNamed
    const names = few ? [...new Set([...changed.names.values()].flatMap((each) => [...each]))] : []
    const batches = few
      ? view.naming(names.map((name) => Slice.latin1(name).bytes), range, true)
      : view.batches(range)
    let looked = 0
    for (const batch of batches) {
      if (batch !== undefined) this.meet(batch)
      if (this.found.length >= this.most) return
      if (batch === undefined || ++looked % batchesPerStep === 0) yield 0
    }
  }

  private meet(batch: Batch): void {
    this.sequence = batch.sequence
    for (let i = 0; i < batch.events.length; i++) {
      if (this.found.length < this.most) this.event(dbOf(batch, i), batch.events[i]!)
    }
  }

  private event(db: number, event: Event): void {
    const { before, changed } = this
    switch (event._tag) {
      case "DatabaseFlushed":
        if (this.concerned(changed.slotOf(db))) this.add(-1, "", `database ${db} was emptied`)
        return
      case "KeyspaceFlushed":
        if (before.databases.some((_, slot) => this.concerned(slot)) || changed.size > 0) {
          this.add(-1, "", "all databases were emptied")
        }
        return
      case "DatabasesSwapped":
        if ([event.first, event.second].some((each) => this.concerned(changed.slotOf(each)))) {
          this.add(-1, "", `databases ${event.first} and ${event.second} were exchanged`)
        }
        return
      default:
        visitTouched(db, event, this)
    }
  }

  /** Whether anything of a database is to be taken back. */
  private concerned(slot: number): boolean {
    const { changed } = this
    return this.swapped.has(slot) || changed.wasEmptied(slot) || (changed.names.get(slot)?.size ?? 0) > 0
  }

  touch(db: number, key: Slice): void {
    const { before, changed } = this
    const slot = changed.slotOf(db)
    const name = key.latin1()
    const meets = changed.has(slot, name) || this.swapped.has(slot) ||
      (changed.wasEmptied(slot) && before.database(slot).locate(key) !== 0)
    if (meets) this.add(slot, name, `key '${shownName(name)}' of database ${db} was written`)
  }

  private add(slot: number, name: string, what: string): void {
    const { sequence } = this
    if (this.found.some((other) => other.slot === slot && other.name === name && other.slot >= 0)) return
    this.found.push({ slot, name, sequence, text: `${what} since, by sequence ${sequence}` })
  }
}
