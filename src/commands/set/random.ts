/** Random members of a set, and going through it a few at a time. */
import { Elements, type Reply } from "../../net/resp/reply.ts"
import * as Entry from "../../projections/entry.ts"
import type { Pointer } from "../../projections/memory/arena.ts"
import { Slice } from "../../projections/memory/slice.ts"
import {
  cardinality,
  eachMember,
  isLargeSet,
  memberAt,
  membersAtPlaces,
  memberTable,
  randomMemberToTake
} from "../../projections/set.ts"
import {
  bulks,
  positiveCount,
  readableOf,
  scanCursor,
  scanRequest,
  signedCount,
  wanted,
  writableOf
} from "../collections.ts"
import type { Decision } from "../decision.ts"
import { defineCommand, firstKey } from "../define.ts"
import { errors } from "../errors.ts"
import { distinctPlaces, randomBelow } from "../sampling.ts"

const { set } = Entry.Type

/** Slices of the members at ascending places of a small set, copied: they may be about to go. */
const copiesAt = (d: Decision, p: Pointer, places: ReadonlyArray<number>): Array<Slice> => {
  const found: Array<Slice> = []
  membersAtPlaces(d.db, p, places, (member) => found.push(member.copy()))
  return found
}

/** One random member. */
const randomMember = (d: Decision, p: Pointer): Slice =>
  isLargeSet(d.db, p)
    ? memberAt(d.db, memberTable(d.db, p).random(() => d.random()), new Slice())
    : copiesAt(d, p, [randomBelow(d, cardinality(d.db, p))])[0]!

/** `count` distinct random members of a large set, at most half of those it has: drawn until there are enough. */
const drawn = (d: Decision, p: Pointer, count: number): Array<Slice> => {
  const table = memberTable(d.db, p)
  const chosen = new Set<Pointer>()
  const random = (): number => d.random()
  while (chosen.size < count) chosen.add(table.random(random))
  return [...chosen].map((element) => memberAt(d.db, element, new Slice()))
}

/** `count` distinct random members, fewer than there are. */
const randomMembers = (d: Decision, p: Pointer, count: number): Array<Slice> => {
  const size = cardinality(d.db, p)
  if (!isLargeSet(d.db, p)) return copiesAt(d, p, distinctPlaces(d, size, count))
  if (2 * count <= size) return drawn(d, p, count)
  // Many of them: go through all, taking each with the probability that makes it come out right.
  const found: Array<Slice> = []
  let left = size
  memberTable(d.db, p).each((element) => {
    if (randomBelow(d, left--) < count - found.length) found.push(memberAt(d.db, element, new Slice()))
  })
  return found
}

const allMembers = (d: Decision, p: Pointer): Array<Slice> => {
  const found: Array<Slice> = []
  const stable = isLargeSet(d.db, p)
  eachMember(d.db, p, (member) => {
    found.push(stable ? new Slice(member.bytes, member.start, member.length) : member.copy())
  })
  return found
}

export const spop = defineCommand({
  name: "SPOP",
  since: "1.0.0",
  group: "set",
  summary: "Removes random members from a set and answers them.",
  complexity: "O(N) where N is the count, 1 unless given.",
  syntax: "key [count@3.2.0]",
  history: [["3.2.0", "The argument `count`."]],
  arity: -2,
  flags: ["write", "fast"],
  tips: ["nondeterministic_output"],
  keys: firstKey("RW", "access", "delete"),
  decide: (d, argv): Reply => {
    if (argv.length > 3) throw errors.syntax
    const key = argv.at(1)
    if (argv.length === 2) {
      const p = writableOf(d, key, set)
      if (p === 0) return null
      const member = isLargeSet(d.db, p)
        ? randomMemberToTake(d.db, p, () => d.random(), new Slice())
        : randomMember(d, p)
      d.emit({ _tag: "SetMembersRemoved", key, members: [member] })
      return member
    }
    const count = positiveCount(argv.at(2))
    const p = writableOf(d, key, set)
    if (p === 0 || count === 0) return bulks("set", [])
    const members = count >= cardinality(d.db, p) ? allMembers(d, p) : randomMembers(d, p, count)
    d.emit({ _tag: "SetMembersRemoved", key, members })
    return bulks("set", members)
  }
})

export const srandmember = defineCommand({
  name: "SRANDMEMBER",
  since: "1.0.0",
  group: "set",
  summary: "Answers random members of a set.",
  complexity: "O(N) where N is the size of the count, 1 unless given.",
  syntax: "key [count@2.6.0]",
  history: [["2.6.0", "The argument `count`."]],
  arity: -2,
  flags: ["readonly"],
  tips: ["nondeterministic_output"],
  keys: firstKey("RO", "access"),
  decide: (d, argv): Reply => {
    if (argv.length > 3) throw errors.syntax
    if (argv.length === 2) {
      const p = readableOf(d, argv.at(1), set)
      return p === 0 ? null : randomMember(d, p)
    }
    const count = signedCount(argv.at(2))
    const p = readableOf(d, argv.at(1), set)
    if (p === 0 || count === 0) return []
    const size = cardinality(d.db, p)
    if (count >= size) return allMembers(d, p)
    if (count > 0) return randomMembers(d, p, count)
    if (!isLargeSet(d.db, p)) {
      const all = allMembers(d, p)
      return new Elements("array", -count, (out) => {
        for (let i = 0; i < -count; i++) {
          const { bytes, length, start } = all[randomBelow(d, size)]!
          out.bulk(bytes, start, length)
        }
      })
    }
    const table = memberTable(d.db, p)
    const member = new Slice()
    return new Elements("array", -count, (out) => {
      for (let i = 0; i < -count; i++) {
        memberAt(d.db, table.random(() => d.random()), member)
        out.bulk(member.bytes, member.start, member.length)
      }
    })
  }
})

export const sscan = defineCommand({
  name: "SSCAN",
  since: "2.8.0",
  group: "set",
  summary: "Goes through the members of a set a few at a time.",
  complexity: "O(1) for every call, O(N) for going through all N members.",
  syntax: "key cursor [MATCH pattern] [COUNT count]",
  arity: -3,
  flags: ["readonly"],
  tips: ["nondeterministic_output"],
  keys: firstKey("RO", "access"),
  decide: (d, argv): Reply => {
    const cursor = scanCursor(argv)
    const p = readableOf(d, argv.at(1), set)
    if (p === 0) return ["0", []]
    const request = scanRequest(argv, cursor)
    const found: Array<Slice> = []
    if (!isLargeSet(d.db, p)) {
      eachMember(d.db, p, (member) => {
        if (wanted(request, member)) found.push(member.copy())
      })
      return ["0", found]
    }
    const { count } = request
    const member = new Slice()
    const next = memberTable(d.db, p).scanMany(cursor, count, count * 10, (element) => {
      if (wanted(request, memberAt(d.db, element, member))) {
        found.push(new Slice(member.bytes, member.start, member.length))
      }
    })
    return [String(next), found]
  }
})
