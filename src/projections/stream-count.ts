/** Counting the entries of streams, and where their nodes end; see stream-read.ts. */
import { rootOf } from "./collection.ts"
import type { Database } from "./database.ts"
import type { Pointer } from "./memory/arena.ts"
import type { Slice } from "./memory/slice.ts"
import { EntryCursor } from "./memory/stream-cursor.ts"
import { Root } from "./memory/stream-entries.ts"
import { compareIds, StreamId } from "./memory/stream-id.ts"
import { nodeTakes, Word } from "./memory/stream-node.ts"

const cursor = new EntryCursor()
const edge = new StreamId()

/** The number of entries between two ids, both included, but at most `limit`. Nodes within the range are not read. */
export const countEntries = (db: Database, p: Pointer, from: StreamId, to: StreamId, limit: number): number => {
  const { entries } = db.structures.streams
  const root = rootOf(db, p)
  let node = entries.nodeFor(root, from)
  let partly = node !== 0
  if (!partly) node = entries.get(root, Root.first)
  let count = 0
  while (node !== 0 && count < limit) {
    const after = entries.nodeAfter(node)
    const bound = after === 0 ? entries.idAt(root, Root.lastId, edge) : entries.nodeId(after, edge)
    if (partly || compareIds(bound, to) > 0) {
      cursor.enter(entries.arena, node)
      if (partly) cursor.skipTo(from)
      while (count < limit && cursor.next()) {
        if (compareIds(cursor.id, to) > 0) return count
        if (!cursor.isDead) count++
      }
    } else count += entries.get(node, Word.live)
    partly = false
    node = after
  }
  return Math.min(count, limit)
}

/** Whether an entry of these fields and values would begin a node. */
export const opensNode = (db: Database, p: Pointer, pairs: ReadonlyArray<Slice>): boolean => {
  const { entries } = db.structures.streams
  const node = entries.get(rootOf(db, p), Root.last)
  if (node === 0) return true
  let bytes = 0
  for (let i = 0; i < pairs.length; i++) bytes += pairs[i]!.length
  return !nodeTakes(entries.arena, node, bytes, db.limits.streamNodeBytes, db.limits.streamNodeEntries)
}
