/** What large collections take besides their entry. */
import { rootOf } from "./collection.ts"
import type { Database } from "./database.ts"
import * as Entry from "./entry.ts"
import { fieldDeadlinesWord, orderWord } from "./large.ts"
import type { Pointer } from "./memory/arena.ts"

/**
 * Bytes of the structures of the large collection at an entry, 0 for other entries. Elements are taken to be as large as
 * the first `samples` of them are on average; tables and orders are counted exactly.
 */
export const largeBytes = (db: Database, p: Pointer, samples: number): number => {
  const { arena, structures } = db
  if (!Entry.isLarge(Entry.encodingOf(arena, p))) return 0
  const type = Entry.typeOf(arena, p)
  const root = rootOf(db, p)
  if (type === Entry.Type.list) return structures.deque.open(root).memory()
  if (type === Entry.Type.stream) return structures.streams.memory(root)
  const table = structures.tableOf(type, root)
  let bytes = 0
  let seen = 0
  for (let position = 0; position >= 0 && seen < samples;) {
    position = table.walk(position, (element) => {
      if (seen >= samples) return
      seen++
      bytes += arena.capacity(element)
    })
  }
  const elements = Math.round(bytes / seen * table.size)
  const order = type === Entry.Type.set
    ? 0
    : table.ownerWord(root, type === Entry.Type.zset ? orderWord : fieldDeadlinesWord)
  if (order === 0) return table.tableBytes + elements
  const stored = type === Entry.Type.zset ? structures.order : structures.deadlines
  return table.tableBytes + elements + stored.open(order).tableBytes
}
