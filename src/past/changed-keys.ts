/** Which keys a range of batches changed: by name, and of databases that were emptied whatever was in them. */
import type { Batch } from "../log/event-log.ts"
import { dbOf } from "../log/event-log.ts"
import type { Event } from "../log/events/catalog.ts"
import type { Slice } from "../projections/memory/slice.ts"
import { type TouchVisitor, visitTouched } from "../projections/touched.ts"

/** Keys noted at most: their names are held in memory. */
const mostKeys = 4_000_000

/** More keys were changed than can be noted. */
export class TooManyKeys extends Error {
  override readonly name = "TooManyKeys"
}

/**
 * See the head of this file. Databases are named as they were numbered before the first batch (`slots`): what SWAPDB
 * exchanges is followed to its new number.
 */
export class ChangedKeys implements TouchVisitor {
  /** Names, Latin-1, by slot. */
  readonly names = new Map<number, Set<string>>()
  /** Keys among them. */
  size = 0
  /** Slots that were emptied. */
  readonly emptied = new Set<number>()
  /** All of them were. */
  allEmptied = false
  /** Databases exchanged, in order, by their numbers. */
  readonly swaps: Array<readonly [first: number, second: number]> = []
  private readonly slots = new Map<number, number>()
  private readonly wanted: ((db: number, key: Slice) => boolean) | undefined
  private readonly follow: boolean

  /**
   * `wanted`: of which keys, by the number of their database, note is taken. Without `follow` databases keep their
   * numbers, and those that are exchanged count as emptied.
   */
  constructor(wanted?: (db: number, key: Slice) => boolean, follow = true) {
    this.wanted = wanted
    this.follow = follow
  }

  /** Takes note of what a batch changed. Throws `TooManyKeys`. */
  add(batch: Batch): void {
    for (let i = 0; i < batch.events.length; i++) this.event(dbOf(batch, i), batch.events[i]!)
  }

  private event(db: number, event: Event): void {
    switch (event._tag) {
      case "DatabaseFlushed":
        this.emptied.add(this.slotOf(db))
        return
      case "KeyspaceFlushed":
        this.allEmptied = true
        return
      case "DatabasesSwapped":
        this.swap(event.first, event.second)
        return
      default:
        visitTouched(db, event, this)
    }
  }

  private swap(first: number, second: number): void {
    if (first === second) return
    if (!this.follow) {
      this.emptied.add(first)
      this.emptied.add(second)
      return
    }
    const [a, b] = [this.slotOf(first), this.slotOf(second)]
    this.slots.set(first, b)
    this.slots.set(second, a)
    this.swaps.push([first, second])
  }

  touch(db: number, key: Slice): void {
    if (this.wanted !== undefined && !this.wanted(db, key)) return
    const slot = this.slotOf(db)
    let names = this.names.get(slot)
    if (names === undefined) this.names.set(slot, names = new Set())
    const name = key.latin1()
    if (names.has(name)) return
    if (this.size++ === mostKeys) throw new TooManyKeys(`more than ${mostKeys} keys were changed`)
    names.add(name)
  }

  /** The number that the database of this number had before the first batch. */
  slotOf(db: number): number {
    return this.slots.get(db) ?? db
  }

  /** Whether the database of a slot was emptied. */
  wasEmptied(slot: number): boolean {
    return this.allEmptied || this.emptied.has(slot)
  }

  /** Whether any database was. */
  get sweeping(): boolean {
    return this.allEmptied || this.emptied.size > 0
  }

  /** Whether a key is noted by its name. */
  has(slot: number, name: string): boolean {
    return this.names.get(slot)?.has(name) === true
  }
}
