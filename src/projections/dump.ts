/**
 * One value in the format of RDB files, as DUMP answers it: what redis-server 7.0 reads. Small collections are listpacks
 * and intsets as they are, large ones element by element.
 *
 * ```
 * type (u8) · value · RDB version (u16 little endian) · CRC-64 of all before it (little endian)
 * length  00xxxxxx · 01xxxxxx x · 80 and 32 bits · 81 and 64 bits, big endian
 * string  a length and the bytes, or c0/c1/c2 and an integer of 8, 16, 32 bits
 * ```
 */
import { intsetHeader, packCount, packHeader, rootOf, valueLength, valueStart } from "./collection.ts"
import type { Database } from "./database.ts"
import { putStream } from "./dump-stream.ts"
import * as Entry from "./entry.ts"
import { earliestFieldDeadline } from "./hash-fields.ts"
import { eachField, liveCount } from "./hash-read.ts"
import { type Pointer, slabOf } from "./memory/arena.ts"
import * as Pack from "./memory/pack.ts"
import { Slice } from "./memory/slice.ts"
import { NotInRdb, RdbType, RdbWriter, version, versionWithDeadlines } from "./rdb-writer.ts"
import { cardinality as membersOf, eachMember } from "./set.ts"
import { cardinality, eachRanked } from "./sorted-set-read.ts"
import { integerOf, readString } from "./string.ts"

const putList = (out: RdbWriter, db: Database, p: Pointer): void => {
  out.type(RdbType.quicklist2)
  if (Entry.encodingOf(db.arena, p) === Entry.Encoding.listpack) {
    const bytes = db.arena.bytes[slabOf(p)]!
    const start = valueStart(db, p)
    out.length(1)
    out.length(2)
    out.listpack(bytes, start + packHeader, start + valueLength(db, p), packCount(bytes, start))
    return
  }
  const deque = db.structures.deque.open(rootOf(db, p))
  out.length(deque.nodes)
  for (let node = deque.firstNode(); node !== 0; node = deque.nextNode(node)) {
    out.length(2)
    out.listpack(deque.bytesOf(node), deque.startOf(node), deque.endOf(node), deque.countOf(node))
  }
}

const putSet = (out: RdbWriter, db: Database, p: Pointer): void => {
  if (Entry.encodingOf(db.arena, p) === Entry.Encoding.intset) {
    const bytes = db.arena.bytes[slabOf(p)]!
    const start = valueStart(db, p)
    const width = bytes[start]!
    const length = valueLength(db, p) - intsetHeader
    const head = Buffer.alloc(8)
    head.writeUInt32LE(width, 0)
    head.writeUInt32LE(length / width, 4)
    out.type(RdbType.intset)
    out.length(8 + length)
    out.raw(head, 0, 8)
    out.raw(bytes, start + intsetHeader, length)
    return
  }
  out.type(RdbType.set)
  out.length(membersOf(db, p))
  eachMember(db, p, (member) => out.string(member))
}

const putHash = (out: RdbWriter, db: Database, p: Pointer, now: number): number => {
  const earliest = earliestFieldDeadline(db.structures, p)
  if (earliest !== 0 && out.fieldDeadlines === "refused") throw new NotInRdb("fields of this hash have deadlines")
  const bytes = db.arena.bytes[slabOf(p)]!
  if (earliest === 0 && Entry.encodingOf(db.arena, p) === Entry.Encoding.listpack) {
    const start = valueStart(db, p)
    out.type(RdbType.hashListpack)
    out.listpack(bytes, start + packHeader, start + valueLength(db, p), 2 * packCount(bytes, start))
    return version
  }
  const dated = earliest !== 0 && out.fieldDeadlines === "kept"
  out.type(dated ? RdbType.hashWithDeadlines : RdbType.hash)
  if (dated) out.u64(earliest)
  out.length(liveCount(db, p, now))
  eachField(db, p, now, (field, value, deadline) => {
    // Counted from the earliest one, and one more, because 0 means none.
    if (dated) out.length(deadline === 0 ? 0 : deadline - earliest + 1)
    out.string(field)
    out.string(value)
  })
  return dated ? versionWithDeadlines : version
}

const putSortedSet = (out: RdbWriter, db: Database, p: Pointer): void => {
  if (Entry.encodingOf(db.arena, p) === Entry.Encoding.listpack) {
    const bytes = db.arena.bytes[slabOf(p)]!
    const start = valueStart(db, p)
    out.type(RdbType.zsetListpack)
    out.listpack(bytes, start + packHeader, start + valueLength(db, p), 2 * packCount(bytes, start))
    return
  }
  const count = cardinality(db, p)
  out.type(RdbType.zset2)
  out.length(count)
  eachRanked(db, p, 0, count, true, (member, score) => {
    out.string(member)
    out.f64(score)
  })
}

const digits = new Uint8Array(Pack.digitsBytes + 4)

/**
 * Writes the type, the key if `out` has one, and the value of an entry that is alive at `now` (Unix ms); answers the
 * lowest version of the format that has it.
 */
export const putValue = (out: RdbWriter, db: Database, p: Pointer, now: number): number => {
  switch (Entry.typeOf(db.arena, p)) {
    case Entry.Type.string:
      out.type(RdbType.string)
      if (Entry.encodingOf(db.arena, p) === Entry.Encoding.int) out.integer(integerOf(db, p))
      else out.string(readString(db, p, new Slice(), digits))
      break
    case Entry.Type.list:
      putList(out, db, p)
      break
    case Entry.Type.set:
      putSet(out, db, p)
      break
    case Entry.Type.hash:
      return putHash(out, db, p, now)
    case Entry.Type.zset:
      putSortedSet(out, db, p)
      break
    case Entry.Type.stream:
      out.type(RdbType.streamListpacks2)
      putStream(out, db, p)
      break
  }
  return version
}

/** The value of an entry at `now` (Unix ms), as DUMP answers it. */
export const dumpValue = (db: Database, p: Pointer, now: number): Uint8Array => {
  const out = new RdbWriter()
  return out.finish(putValue(out, db, p, now))
}
