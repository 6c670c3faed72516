/** Copies of large collections: into the same structures, or those of another database. */
import * as Entry from "./entry.ts"
import { dateField, deadlineOfField } from "./hash-fields.ts"
import { orderWord, setElementMark, type Structures } from "./large.ts"
import { type Pointer, slabOf, wordOf } from "./memory/arena.ts"

/** A segment of a table has no more entries. */
const most = 2048
const pointers = new Uint32Array(most)
const hashes = new Uint32Array(most)
let gathered = 0
const gather = (p: Pointer, hash: number): void => {
  pointers[gathered] = p
  hashes[gathered++] = hash
}

const copyBlock = (source: Structures, p: Pointer, into: Structures): Pointer => {
  const words = source.arena.capacity(p) >>> 2
  const q = into.arena.allocate(words << 2)
  const at = wordOf(p)
  into.arena.words[slabOf(q)]!.set(source.arena.words[slabOf(p)]!.subarray(at, at + words), wordOf(q))
  setElementMark(into.arena, q, into.deque.mark)
  return q
}

const copyList = (source: Structures, root: Pointer, into: Structures, fill: number): Pointer => {
  const copy = into.deque.create()
  const from = source.deque
  // The two may be one and the same, so it is opened again for each.
  for (let node = from.open(root).firstNode(); node !== 0; node = from.open(root).nextNode(node)) {
    const bytes = source.arena.bytes[slabOf(node)]!
    const start = from.startOf(node)
    const end = from.endOf(node)
    into.deque.open(copy).appendPack(bytes, start, end, fill)
  }
  return copy
}

/**
 * Copies the large collection at `root` into other structures, or the same ones; returns the copy's root.
 * @param fill size of the nodes of lists, as in `Limits`
 */
export const copyLarge = (
  source: Structures,
  type: number,
  root: Pointer,
  into: Structures,
  fill: number
): Pointer => {
  if (root === 0) return 0
  if (type === Entry.Type.stream) return into.streams.copy(source.streams, root)
  if (type === Entry.Type.list) return copyList(source, root, into, fill)
  const copy = into.tableFor(type).create()
  const order = type === Entry.Type.zset ? into.order.create() : 0
  if (order !== 0) into.scored.setOwnerWord(copy, orderWord, order)
  into.tableFor(type).open(copy).presize(source.sizeOf(type, root))
  for (let position = 0; position >= 0;) {
    gathered = 0
    position = source.tableFor(type).open(root).walk(position, gather)
    const table = into.tableFor(type).open(copy)
    if (order !== 0) into.order.open(order)
    for (let i = 0; i < gathered; i++) {
      const p = copyBlock(source, pointers[i]!, into)
      table.insert(hashes[i]!, p)
      if (order !== 0) into.order.add(p)
      if (type === Entry.Type.hash) {
        const deadline = deadlineOfField(into.arena, p)
        if (deadline !== 0) dateField(into, copy, p, deadline)
      }
    }
  }
  return copy
}
