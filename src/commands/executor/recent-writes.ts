/** Which keys were changed while somebody waits for an answer that must not be overtaken by them. */
import type { Event } from "../../log/events/catalog.ts"
import type { Slice } from "../../projections/memory/slice.ts"
import { isSweeping, type TouchVisitor, visitTouched } from "../../projections/touched.ts"

/** Names held at most; with more, everything counts as changed. */
const mostNames = 1_000_000

/** Notes what is changed from its beginning on; `Transactions.watchWrites` begins and ends it. */
export class RecentWrites implements TouchVisitor {
  /** Whole databases were changed, or more keys than can be noted. */
  everything = false
  private readonly names = new Set<string>()

  /** Forgets everything so far. */
  clear(): void {
    this.everything = false
    this.names.clear()
  }

  /** To be called for each event. */
  event(db: number, event: Event): void {
    if (this.everything) return
    if (isSweeping(event) || this.names.size > mostNames) {
      this.everything = true
      this.names.clear()
    } else visitTouched(db, event, this)
  }

  touch(db: number, key: Slice): void {
    this.names.add(nameOf(db, key))
  }

  /** Whether anything was changed. */
  get any(): boolean {
    return this.everything || this.names.size > 0
  }

  /** Whether a key may have been. */
  has(db: number, key: Slice): boolean {
    return this.everything || this.names.has(nameOf(db, key))
  }
}

const nameOf = (db: number, key: Slice): string => `${db}:${key.latin1()}`
