/** The memory of one element between a command's decision and the fold of its events, which ask for it by the same slice. */
import type { Pointer } from "./memory/arena.ts"
import type { Slice } from "./memory/slice.ts"
import type { Table } from "./memory/table.ts"
import type { Turn } from "./turn.ts"

/**
 * The element of a large collection that was looked up last for a change. It is known again by the slice that named it, so
 * only slices that keep what they say until the turn ends may be given, and whoever changes the table must `forget`.
 */
export class Recall {
  /** The hash of the key that `locate` looked for last, as a signed number. */
  hash = 0
  private element: Pointer = 0
  private key: Slice | undefined = undefined
  private table: Table | undefined = undefined
  private root: Pointer = 0
  private turn = -1

  /** The element with this key, 0 when there is none. The table is open. */
  locate(turn: Turn, table: Table, key: Slice): Pointer {
    if (key === this.key && turn.number === this.turn && table.root === this.root && table === this.table) {
      return this.element
    }
    const { bytes, length, start } = key
    const hash = table.hash(bytes, start, length) | 0
    this.note(turn, table, key, hash, table.find(hash, bytes, start, length))
    return this.element
  }

  /** Like `locate`, by the fold that is about to change the element. */
  take(turn: Turn, table: Table, key: Slice): Pointer {
    const element = this.locate(turn, table, key)
    this.key = undefined
    return element
  }

  /** An element that was found otherwise; `key` is its key. The table is open. */
  note(turn: Turn, table: Table, key: Slice, hash: number, element: Pointer): void {
    this.hash = hash | 0
    this.element = element
    this.key = key
    this.table = table
    this.root = table.root
    this.turn = turn.number
  }

  /** The elements it knew of may have changed. */
  forget(): void {
    this.key = undefined
  }
}
