/** Carries out what LOG.UNDO has found: the events of one batch that bring keys back to what they held before. */
import type { RecentWrites } from "../commands/executor/recent-writes.ts"
import type { UndoPlan } from "../history/questions.ts"
import type { Event } from "../log/events/catalog.ts"
import { decodeEvent } from "../log/events/codec.ts"
import { ByteReader } from "../log/events/wire.ts"
import type { Keyspace } from "../projections/keyspace.ts"

/** Events in order, each with its database. */
export interface Compensation {
  readonly events: ReadonlyArray<Event>
  readonly dbs: ReadonlyArray<number>
  /** Keys that are taken away and held nothing before. */
  readonly removed: number
  /** Keys that hold again what they held. */
  readonly restored: number
}

/** Where the database is now that will have a number once the plan's exchanges are made. */
const placesNow = ({ swaps }: UndoPlan): (db: number) => number => {
  const places = new Map<number, number>()
  const at = (db: number): number => places.get(db) ?? db
  for (const [first, second] of swaps) {
    const [a, b] = [at(first), at(second)]
    places.set(first, b)
    places.set(second, a)
  }
  return at
}

/** Whether one of the plan's keys was changed since it was made. */
export const isOvertaken = (plan: UndoPlan, writes: RecentWrites): boolean => {
  if (!writes.any) return false
  if (plan.swaps.length > 0 || writes.everything) return true
  const keys = new ByteReader(plan.keys)
  while (keys.offset < keys.end) {
    const db = keys.varint() >>> 1
    if (writes.has(db, keys.blob())) return true
  }
  return false
}

/** The batch that carries a plan out on the data as it is now. */
export const compensationOf = (keyspace: Keyspace, plan: UndoPlan): Compensation => {
  const events: Array<Event> = []
  const dbs: Array<number> = []
  const add = (db: number, event: Event): void => {
    events.push(event)
    dbs.push(db)
  }
  for (const [first, second] of plan.swaps) add(0, { _tag: "DatabasesSwapped", first, second })
  const placeNow = placesNow(plan)
  const keys = new ByteReader(plan.keys)
  let removed = 0
  while (keys.offset < keys.end) {
    const head = keys.varint()
    const db = head >>> 1
    const key = keys.blob()
    if (keyspace.database(placeNow(db)).locate(key) === 0) continue
    add(db, { _tag: "KeyDeleted", key })
    if ((head & 1) === 0) removed++
  }
  const restoring = new ByteReader(plan.events)
  while (restoring.offset < restoring.end) add(restoring.varint(), decodeEvent(restoring))
  return { events, dbs, removed, restored: plan.restored }
}
