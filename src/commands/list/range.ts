/** Looking at the elements of a list, and changing them in place. */
import { Elements, ok, type Reply, ReplyError } from "../../net/resp/reply.ts"
import * as Entry from "../../projections/entry.ts"
import { eachElement, eachRun, elementAt, listLength } from "../../projections/list.ts"
import type { Pointer } from "../../projections/memory/arena.ts"
import { Slice } from "../../projections/memory/slice.ts"
import { int64, isWord } from "../arguments.ts"
import { natural, readableOf, writableOf } from "../collections.ts"
import type { Decision } from "../decision.ts"
import { defineCommand, firstKey } from "../define.ts"
import { errors } from "../errors.ts"
import { sameWord } from "../words.ts"

const { list } = Entry.Type

/** An index from the left, or when negative from the right, as a number from the left; it may lie outside. */
const indexIn = (arg: Slice, length: number): number => {
  const index = Number(int64(arg))
  return index < 0 ? length + index : index
}

export const llen = defineCommand({
  name: "LLEN",
  since: "1.0.0",
  group: "list",
  summary: "Counts the elements of a list.",
  complexity: "O(1)",
  syntax: "key",
  arity: 2,
  flags: ["readonly", "fast"],
  keys: firstKey("RO"),
  decide: (d, argv) => {
    const p = readableOf(d, argv.at(1), list)
    return p === 0 ? 0 : listLength(d.db, p)
  }
})

export const lindex = defineCommand({
  name: "LINDEX",
  since: "1.0.0",
  group: "list",
  summary: "Answers the element at an index of a list.",
  complexity: "O(N) where N is the number of nodes between the index and the nearer end.",
  syntax: "key index",
  arity: 3,
  flags: ["readonly"],
  keys: firstKey("RO", "access"),
  decide: (d, argv) => {
    const p = readableOf(d, argv.at(1), list)
    if (p === 0) return null
    const length = listLength(d.db, p)
    const index = indexIn(argv.at(2), length)
    return index >= 0 && index < length ? elementAt(d.db, p, index, new Slice()) : null
  }
})

/** The first and last index of a range, within the list; undefined when it is empty. */
const range = (start: Slice, stop: Slice, length: number): readonly [number, number] | undefined => {
  const first = Math.max(0, indexIn(start, length))
  const last = Math.min(length - 1, indexIn(stop, length))
  return first > last || first >= length ? undefined : [first, last]
}

export const lrange = defineCommand({
  name: "LRANGE",
  since: "1.0.0",
  group: "list",
  summary: "Answers a range of the elements of a list.",
  complexity: "O(S+N) where S is the distance of the range from the nearer end and N its length.",
  syntax: "key start stop",
  arity: 4,
  flags: ["readonly"],
  keys: firstKey("RO", "access"),
  decide: (d, argv): Reply => {
    int64(argv.at(2))
    int64(argv.at(3))
    const p = readableOf(d, argv.at(1), list)
    if (p === 0) return []
    const found = range(argv.at(2), argv.at(3), listLength(d.db, p))
    if (found === undefined) return []
    const [first, last] = found
    return new Elements(
      "array",
      last - first + 1,
      (out) => eachRun(d.db, p, first, last - first + 1, (bytes, at, count) => out.pack(bytes, at, count))
    )
  }
})

export const ltrim = defineCommand({
  name: "LTRIM",
  since: "1.0.0",
  group: "list",
  summary: "Removes all elements outside of a range.",
  complexity: "O(N) where N is the number of elements removed.",
  syntax: "key start stop",
  arity: 4,
  flags: ["write"],
  keys: firstKey("RW", "delete"),
  decide: (d, argv): Reply => {
    int64(argv.at(2))
    int64(argv.at(3))
    const key = argv.at(1)
    const p = writableOf(d, key, list)
    if (p === 0) return ok
    const length = listLength(d.db, p)
    const kept = range(argv.at(2), argv.at(3), length)
    if (kept === undefined) d.emit({ _tag: "KeyDeleted", key })
    else if (kept[0] > 0 || kept[1] < length - 1) d.emit({ _tag: "ListTrimmed", key, start: kept[0], stop: kept[1] })
    return ok
  }
})

export const lset = defineCommand({
  name: "LSET",
  since: "1.0.0",
  group: "list",
  summary: "Sets the element at an index of a list.",
  complexity: "O(N) where N is the number of nodes between the index and the nearer end.",
  syntax: "key index element",
  arity: 4,
  flags: ["write", "denyoom"],
  keys: firstKey("RW", "update"),
  decide: (d, argv): Reply => {
    const key = argv.at(1)
    const p = writableOf(d, key, list)
    if (p === 0) throw errors.noSuchKey
    const length = listLength(d.db, p)
    const index = indexIn(argv.at(2), length)
    if (index < 0 || index >= length) throw errors.outOfRange
    d.emit({ _tag: "ListElementSet", key, index, element: argv.at(3) })
    return ok
  }
})

/** The index of the first element equal to this one; -1 when there is none. */
const indexOf = (d: Decision, p: Pointer, wanted: Slice): number => {
  let found = -1
  eachElement(d.db, p, 0, listLength(d.db, p), false, (element, index) => {
    if (sameWord(element, wanted)) found = index
    return found < 0
  })
  return found
}

export const linsert = defineCommand({
  name: "LINSERT",
  since: "2.2.0",
  group: "list",
  summary: "Inserts an element before or after another one.",
  complexity: "O(N) where N is the number of elements before that one.",
  syntax: "key <where: BEFORE | AFTER> pivot element",
  arity: 5,
  flags: ["write", "denyoom"],
  keys: firstKey("RW", "insert"),
  decide: (d, argv): Reply => {
    const key = argv.at(1)
    const after = isWord(argv.at(2), "AFTER")
    if (!after && !isWord(argv.at(2), "BEFORE")) throw errors.syntax
    const p = writableOf(d, key, list)
    if (p === 0) return 0
    const pivot = indexOf(d, p, argv.at(3))
    if (pivot < 0) return -1
    d.emit({ _tag: "ListElementInserted", key, index: after ? pivot + 1 : pivot, element: argv.at(4) })
    return listLength(d.db, p) + 1
  }
})

export const lrem = defineCommand({
  name: "LREM",
  since: "1.0.0",
  group: "list",
  summary: "Removes elements equal to one, all of them or so many from either end.",
  complexity: "O(N) where N is the length of the list.",
  syntax: "key count element",
  arity: 4,
  flags: ["write"],
  keys: firstKey("RW", "delete"),
  decide: (d, argv): Reply => {
    const count = Number(int64(argv.at(2)))
    const key = argv.at(1)
    const element = argv.at(3)
    const p = writableOf(d, key, list)
    if (p === 0) return 0
    const leftward = count < 0
    const most = count === 0 ? Infinity : Math.abs(count)
    const length = listLength(d.db, p)
    const indexes: Array<number> = []
    eachElement(d.db, p, leftward ? length - 1 : 0, length, leftward, (found, index) => {
      if (sameWord(found, element)) indexes.push(index)
      return indexes.length < most
    })
    if (leftward) indexes.reverse()
    if (indexes.length > 0) d.emit({ _tag: "ListElementsRemoved", key, element, indexes })
    return indexes.length
  }
})

const badRank = new ReplyError(
  "ERR RANK can't be zero: use 1 to start from the first match, 2 from the second ... or use negative to start from the end of the list"
)
const leastInt64 = -(2n ** 63n)
const negativeCount = new ReplyError("ERR COUNT can't be negative")
const negativeLength = new ReplyError("ERR MAXLEN can't be negative")

export const lpos = defineCommand({
  name: "LPOS",
  since: "6.0.6",
  group: "list",
  summary: "Answers at which indexes of a list an element stands.",
  complexity: "O(N) where N is the number of elements looked at.",
  syntax: "key element [RANK rank] [COUNT num-matches] [MAXLEN len]",
  arity: -3,
  flags: ["readonly"],
  keys: firstKey("RO", "access"),
  decide: (d, argv): Reply => {
    let rank = 1
    let count = -1
    let most = 0
    for (let i = 3; i < argv.length; i += 2) {
      const option = argv.at(i)
      if (i + 1 === argv.length) throw errors.syntax
      const value = argv.at(i + 1)
      if (isWord(option, "RANK")) {
        const given = int64(value)
        if (given === 0) throw badRank
        // The least integer has no opposite: with it Redis 7.0 finds the first match from the end.
        rank = given === leastInt64 ? -1 : Number(given)
      } else if (isWord(option, "COUNT")) {
        count = natural(value, negativeCount)
      } else if (isWord(option, "MAXLEN")) {
        most = natural(value, negativeLength)
      } else throw errors.syntax
    }
    const p = readableOf(d, argv.at(1), list)
    if (p === 0) return count < 0 ? null : []
    const length = listLength(d.db, p)
    const leftward = rank < 0
    const wanted = argv.at(2)
    const limit = count < 0 ? 1 : count === 0 ? Infinity : count
    let skipped = Math.abs(rank) - 1
    const found: Array<number> = []
    const looked = most === 0 ? length : Math.min(most, length)
    eachElement(d.db, p, leftward ? length - 1 : 0, looked, leftward, (element, index) => {
      if (sameWord(element, wanted)) {
        if (skipped > 0) skipped--
        else found.push(index)
      }
      return found.length < limit
    })
    return count < 0 ? found[0] ?? null : found
  }
})
