/**
 * Where in the nodes of streams readers have been: who reads on goes there at once, not through all entries of the node
 * before. Consumers of a group, and those who wait for what is new, always read on. Nothing depends on it but time; it is
 * small, and what is forgotten is searched for again.
 */
import type { Pointer } from "./arena.ts"
import { compareIds, StreamId } from "./stream-id.ts"

const slots = 64
/** Nodes are blocks of some hundred bytes up to some thousand: their neighbours get different slots. */
const slotOf = (node: Pointer): number => (node ^ node >>> 6 ^ node >>> 12) & (slots - 1)

/** See the head of this file. A place is in bytes from the beginning of its node. */
export class Places {
  private readonly nodes = new Uint32Array(slots)
  private readonly places = new Uint32Array(slots)
  private readonly ids = Array.from({ length: slots }, () => new StreamId())

  /** A place in a node that is not behind the first entry whose id is not less than this one; 0 when none is known. */
  before(node: Pointer, id: StreamId): number {
    const slot = slotOf(node)
    return this.nodes[slot] === node && compareIds(this.ids[slot]!, id) <= 0 ? this.places[slot]! : 0
  }

  /** The entry with this id, removed or not, begins there. */
  note(node: Pointer, id: StreamId, place: number): void {
    const slot = slotOf(node)
    this.nodes[slot] = node
    this.places[slot] = place
    this.ids[slot]!.from(id)
  }

  /** The node goes, or its end does: there may soon be something else at these places. */
  forget(node: Pointer): void {
    const slot = slotOf(node)
    if (this.nodes[slot] === node) this.nodes[slot] = 0
  }
}
