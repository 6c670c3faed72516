/** Which keys were changed while somebody waits for an answer that must not be overtaken by them. */
import type { Event } from "../../log/events/catalog.ts"
import type { Slice } from "../../projections/memory/slice.ts"
import { isSweeping, type TouchVisitor, visitTouched } from "../../projections/touched.ts"

/** Names held at most, and bytes of them; with more, everything counts as changed. */
const mostNames = 1_000_000
const mostBytes = 64 << 20

/** Notes what is changed from its beginning on; `Transactions.watchWrites` begins and ends it. */
export class RecentWrites implements TouchVisitor {
  /** Whole databases were changed, or more keys than can be noted. */
  everything = false
  private readonly names = new Set<string>()
  private bytes = 0

  /** Forgets everything so far. */
  clear(): void {
    this.everything = false
    this.names.clear()
    this.bytes = 0
  }

  /** To be called for each event. */
  event(db: number, event: Event): void {
    if (this.everything) return
    if (isSweeping(event) || this.names.size > mostNames || this.bytes > mostBytes) {
      this.everything = true
      this.names.clear()
    } else visitTouched(db, event, this)
  }

  touch(db: number, key: Slice): void {
    const name = nameOf(db, key)
    if (this.names.has(name)) return
    this.names.add(name)
    this.bytes += name.length
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
