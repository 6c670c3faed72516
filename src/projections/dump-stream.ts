/**
 * A stream in the format of RDB files, as redis-server 7.0 writes and reads it:
 *
 * ```
 * nodes (the id in 16 bytes, a listpack) · entries · last id · first id · greatest removed id · entries ever added · groups
 * group     name · id delivered last · entries read · pending (the id in 16 bytes, time, deliveries) · consumers
 * consumer  name · last seen · the ids of its pending entries, 16 bytes each
 * ```
 *
 * There it has no place for what producers have added and for when consumers were active, which are left out; and every
 * pending entry must be somebody's there: those that nobody has are put down to a consumer without a name.
 */
import { rootOf } from "./collection.ts"
import type { Database } from "./database.ts"
import { type Pointer } from "./memory/arena.ts"
import { highWord, lowWord } from "./memory/integer.ts"
import * as Pack from "./memory/pack.ts"
import { Slice } from "./memory/slice.ts"
import { Root } from "./memory/stream-entries.ts"
import { GroupWord } from "./memory/stream-group-parts.ts"
import { greatestId, leastId, StreamId } from "./memory/stream-id.ts"
import { idBytes, putIdBytes, Word } from "./memory/stream-node.ts"
import type { RdbWriter } from "./rdb-writer.ts"
import { PendingRange } from "./stream-pending.ts"
import * as Streams from "./stream-read.ts"

const id = new StreamId()
const raw = new Uint8Array(idBytes)
const counters = new Uint8Array(32)
const text = new Slice()
const pack = new Slice()
const pending = new PendingRange()

const putId = (out: RdbWriter, from: StreamId): void => {
  out.length64(from.msHigh, from.msLow)
  out.length64(from.seqHigh, from.seqLow)
}

const putRawId = (out: RdbWriter, from: StreamId): void => {
  putIdBytes(raw, 0, from)
  out.raw(raw, 0, idBytes)
}

const putNodes = (out: RdbWriter, db: Database, p: Pointer): void => {
  const { entries } = db.structures.streams
  out.length(Streams.treeKeys(db, p))
  for (let node = entries.get(rootOf(db, p), Root.first); node !== 0; node = entries.nodeAfter(node)) {
    out.length(idBytes)
    putRawId(out, entries.nodeId(node, id))
    entries.packOf(node, pack)
    const end = pack.start + pack.length
    let at = Pack.encodeInteger(counters, 0, entries.get(node, Word.live))
    at = Pack.encodeInteger(counters, at, entries.get(node, Word.dead))
    out.listpack(pack.bytes, pack.start, end, 2 + Pack.countElements(pack.bytes, pack.start, end), counters, at)
  }
}

const putConsumer = (out: RdbWriter, db: Database, g: Pointer, c: Pointer): void => {
  out.string(Streams.consumerName(db, c, text))
  out.u64(Streams.seenAt(db, c))
  out.length(Streams.consumerPending(db, c))
  pending.start(db, g, c, leastId, greatestId)
  while (pending.next()) putRawId(out, pending.id)
}

/** The consumer without a name, who has what nobody has. */
const putNobody = (out: RdbWriter, db: Database, g: Pointer): void => {
  const { groups } = db.structures.streams
  const named = groups.findConsumer(g, nobody)
  out.string(nobody)
  out.u64(named === 0 ? 0 : Streams.seenAt(db, named))
  out.length(Streams.releasedCount(db, g) + (named === 0 ? 0 : Streams.consumerPending(db, named)))
  pending.start(db, g, 0, leastId, greatestId)
  while (pending.next()) if (pending.consumer === 0 || pending.consumer === named) putRawId(out, pending.id)
}

const nobody = new Slice()

const putGroup = (out: RdbWriter, db: Database, g: Pointer): void => {
  const { groups } = db.structures.streams
  out.string(groups.groupName(g, text))
  putId(out, groups.lastDelivered(g, id))
  out.length64(groups.get(g, GroupWord.read), groups.get(g, GroupWord.read + 1))
  out.length(groups.pendingCount(g))
  pending.start(db, g, 0, leastId, greatestId)
  while (pending.next()) {
    putRawId(out, pending.id)
    out.u64(pending.deliveredAt)
    out.length64(highWord(pending.deliveries), lowWord(pending.deliveries))
  }
  const consumers = Streams.consumers(db, g)
  const released = Streams.releasedCount(db, g) > 0
  const hasNameless = groups.findConsumer(g, nobody) !== 0
  out.length(consumers.length + (released && !hasNameless ? 1 : 0))
  if (released) putNobody(out, db, g)
  for (const c of consumers) {
    if (released && groups.consumerName(c, text).length === 0) continue
    putConsumer(out, db, g, c)
  }
}

/** Writes the stream of an entry, without the number of its type. */
export const putStream = (out: RdbWriter, db: Database, p: Pointer): void => {
  const { entries } = db.structures.streams
  const root = rootOf(db, p)
  putNodes(out, db, p)
  out.length(Streams.length(db, p))
  putId(out, Streams.lastId(db, p, id))
  putId(out, Streams.firstEntryId(db, p, id) ? id : leastId)
  putId(out, Streams.maxDeletedId(db, p, id))
  out.length64(entries.get(root, Root.added), entries.get(root, Root.added + 1))
  const groups = Streams.groups(db, p)
  out.length(groups.length)
  for (const g of groups) putGroup(out, db, g)
}
