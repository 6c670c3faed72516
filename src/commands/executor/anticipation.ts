import * as Entry from "../../projections/entry.ts"
import type { Database, Keyspace } from "../../projections/keyspace.ts"
import { orderWord } from "../../projections/large.ts"
import { type Pointer, slabOf, wordOf } from "../../projections/memory/arena.ts"
import { prefetchLimit } from "../../projections/memory/dict.ts"
import type { Slice } from "../../projections/memory/slice.ts"
import type { Table } from "../../projections/memory/table.ts"

/** So many keys, or elements of a collection, stay in the processor's caches. */
const cachedKeys = 20_000

/** A request parsed ahead; `keyHash` is set to the hash of its second word, a signed number, if it has one. */
export interface ComingRequest {
  readonly length: number
  keyHash: number
  isHashed: boolean
  at(i: number): Slice
}

/** Readies look-ups of requests that are yet to run, so that they wait for memory together. */
export class Anticipation {
  private readonly keyspace: Keyspace
  private readonly hashes = new Int32Array(prefetchLimit)
  private readonly elementHashes = new Int32Array(prefetchLimit)
  private readonly members = new Uint32Array(prefetchLimit)
  private prefetched = 0

  constructor(keyspace: Keyspace) {
    this.keyspace = keyspace
  }

  /** Whether a database, or the collection used last, is so large that look-ups wait for memory, and so worth anticipating. */
  isWorthwhile(db: number): boolean {
    const database = this.keyspace.database(db)
    return database.size > cachedKeys || isVast(database, database.lastLocated)
  }

  /**
   * Readies what the next requests of a pipeline will look up, assuming that the word after a request's name is its key,
   * and that elements are asked for in the collection used last. A guess that is wrong costs a little time and nothing
   * else.
   */
  ready(db: number, requests: ReadonlyArray<ComingRequest>, count: number): void {
    const database = this.keyspace.database(db)
    const { dict, lastLocated } = database
    const manyKeys = database.size > cachedKeys
    const vast = isVast(database, lastLocated)
    const isSortedSet = vast && Entry.typeOf(database.arena, lastLocated) === Entry.Type.zset
    let others = 0
    let elements = 0
    let pops = 0
    let popsLast = false
    for (let i = 0; i < count; i++) {
      const request = requests[i]!
      request.isHashed = false
      this.hashes[i] = 0
      if (request.length < 2) continue
      const key = request.at(1)
      if ((vast || !manyKeys) && database.isRemembered(key)) {
        this.hashes[i] = request.keyHash = database.lastHash
        request.isHashed = true
        const at = vast ? elementAt(request, isSortedSet) : 0
        if (at === 0) {
          if (isSortedSet && isPop(request)) {
            pops++
            popsLast = isMaximum(request)
          }
          continue
        }
        const element = request.at(at)
        this.elementHashes[elements++] = dict.hash(element.bytes, element.start, element.length)
      } else if (manyKeys) {
        others++
        this.hashes[i] = request.keyHash = dict.hash(key.bytes, key.start, key.length) | 0
        request.isHashed = true
      }
    }
    if (others > 0) this.prefetched ^= dict.prefetch(this.hashes, count)
    if (pops > 0) elements = this.outermost(database, lastLocated, popsLast, pops)
    if (elements > 0) this.prefetched ^= tableOf(database, lastLocated).prefetch(this.elementHashes, elements)
  }

  /** Reads the members that so many pops will take from a sorted set; the number of hashes of theirs. */
  private outermost(database: Database, p: Pointer, last: boolean, pops: number): number {
    const { arena, structures } = database
    const table = tableOf(database, p)
    const many = structures.order.open(table.ownerWord(table.root, orderWord)).outermost(last, pops, this.members)
    // All waits for the members overlap, and their hashes follow.
    for (let i = 0; i < many; i++) this.prefetched ^= arena.words[slabOf(this.members[i]!)]![wordOf(this.members[i]!)]!
    for (let i = 0; i < many; i++) this.elementHashes[i] = table.hashAt(this.members[i]!)
    return many
  }
}

/** Whether the entry at `p`, which may be 0, is a collection with a table that the caches do not hold. */
const isVast = ({ arena }: Database, p: Pointer): boolean => {
  if (p === 0) return false
  const encoding = Entry.encodingOf(arena, p)
  if (encoding !== Entry.Encoding.hashtable && encoding !== Entry.Encoding.skiplist) return false
  const root = arena.words[slabOf(p)]![wordOf(p) + 4]!
  return arena.words[slabOf(root)]![wordOf(root)]! > cachedKeys
}

/** The table of a large set, hash or sorted set. All tables and the dict of keys have the same hash. */
const tableOf = ({ arena, structures }: Database, p: Pointer): Table => {
  const type = Entry.typeOf(arena, p)
  const { fields, members, scored } = structures
  const table = type === Entry.Type.set ? members : type === Entry.Type.hash ? fields : scored
  return table.open(arena.words[slabOf(p)]![wordOf(p) + 4]!)
}

/** Which word of a request names an element; 0 for none. A score precedes it in ZADD, an increment in ZINCRBY. */
const elementAt = (request: ComingRequest, isSortedSet: boolean): number => {
  if (request.length < 3) return 0
  if (!isSortedSet || request.length === 3) return 2
  const { length } = request.at(0)
  return request.length === 4 && (length === 4 || length === 7) ? 3 : 0
}

/** Whether a request on a sorted set, of two words, is ZPOPMIN or ZPOPMAX. */
const isPop = (request: ComingRequest): boolean => request.length === 2 && request.at(0).length === 7

/** Whether it is ZPOPMAX. */
const isMaximum = (request: ComingRequest): boolean => {
  const { bytes, length, start } = request.at(0)
  return (bytes[start + length - 1]! & 0xdf) === 0x58
}
