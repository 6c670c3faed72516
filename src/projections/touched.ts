/** Which keys an event changes: for whoever watches keys, or wants to know what they held before. */
import type { Event } from "../log/events/catalog.ts"
import type { Slice } from "./memory/slice.ts"

/** Told of each key that an event changes. */
export interface TouchVisitor {
  /** The key changes in database `db`; `removed` when it will be absent afterwards. */
  touch(db: number, key: Slice, removed: boolean): void
}

/** Whether the event changes databases as a whole, so that it names no keys. */
export const isSweeping = (event: Event): boolean =>
  event._tag === "DatabaseFlushed" || event._tag === "KeyspaceFlushed" || event._tag === "DatabasesSwapped"

/** Names every key that an event of database `db` changes; none for those that sweep over whole databases. */
export const visitTouched = (db: number, event: Event, visitor: TouchVisitor): void => {
  switch (event._tag) {
    case "KeyRenamed":
      visitor.touch(db, event.key, true)
      visitor.touch(db, event.to, false)
      return
    case "KeyCopied": // the source stays as it is
      visitor.touch(event.toDb, event.to, false)
      return
    case "KeyMoved":
      visitor.touch(db, event.key, true)
      visitor.touch(event.toDb, event.key, false)
      return
    case "KeyDeleted":
    case "KeyExpired":
    case "KeyEvicted":
      visitor.touch(db, event.key, true)
      return
    default:
      if ("key" in event) visitor.touch(db, event.key, false)
  }
}
