/** Intersections, unions and differences of sets. */
import { Elements, type Reply, ReplyError } from "../../net/resp/reply.ts"
import * as Entry from "../../projections/entry.ts"
import type { Pointer } from "../../projections/memory/arena.ts"
import { Slice } from "../../projections/memory/slice.ts"
import { cardinality, eachMember, hasMember, isLargeSet } from "../../projections/set.ts"
import { int64, isWord } from "../arguments.ts"
import { numberOfKeys, readableOf, writableOf } from "../collections.ts"
import type { Decision } from "../decision.ts"
import { allKeys, type Argv, defineCommand, firstKey, keysFrom, numberedKeys } from "../define.ts"
import { errors } from "../errors.ts"

const { set } = Entry.Type

/** Entries of the keys from word `from` to before word `to`; 0 for absent ones. */
const sources = (d: Decision, argv: Argv, from: number, to: number, read: boolean): Array<Pointer> => {
  const found: Array<Pointer> = []
  for (let i = from; i < to; i++) found.push((read ? readableOf : writableOf)(d, argv.at(i), set))
  return found
}

type Visit = (member: Slice) => void

/** Visits what all sets have; `visit` answers false to end it. */
const intersect = (d: Decision, sets: ReadonlyArray<Pointer>, visit: (member: Slice) => boolean): void => {
  if (sets.includes(0)) return
  const { db } = d
  const [least, ...others] = sets.toSorted((a, b) => cardinality(db, a) - cardinality(db, b)) as [
    Pointer,
    ...Array<Pointer>
  ]
  let going = true
  eachMember(db, least, (member) => {
    if (going && others.every((other) => hasMember(db, other, member))) going = visit(member)
  })
}

/** Visits what the first set has and none of the others. */
const subtract = (d: Decision, sets: ReadonlyArray<Pointer>, visit: (member: Slice) => boolean): void => {
  const { db } = d
  const [first, ...rest] = sets as [Pointer, ...Array<Pointer>]
  if (first === 0) return
  const others = rest.filter((other) => other !== 0)
  if (others.includes(first)) return
  let going = true
  eachMember(db, first, (member) => {
    if (going && !others.some((other) => hasMember(db, other, member))) going = visit(member)
  })
}

/** Visits what any of the sets has, each member once. */
const unite = (d: Decision, sets: ReadonlyArray<Pointer>, visit: (member: Slice) => boolean): void => {
  const { db } = d
  const there = [...new Set(sets.filter((p) => p !== 0))]
  let going = true
  for (const [i, p] of there.entries()) {
    if (!going) return
    const before = there.slice(0, i)
    eachMember(db, p, (member) => {
      if (going && !before.some((other) => hasMember(db, other, member))) going = visit(member)
    })
  }
}

type Operation = (d: Decision, sets: ReadonlyArray<Pointer>, visit: (member: Slice) => boolean) => void

/**
 * The members that an operation leaves. Members of large sets are slices into them, those of small ones copies, because
 * their slice is used again, and so are all with `copied`.
 */
const gather = (d: Decision, operation: Operation, sets: ReadonlyArray<Pointer>, copied: boolean): Array<Slice> => {
  const found: Array<Slice> = []
  const stable = !copied && sets.every((p) => p === 0 || isLargeSet(d.db, p))
  operation(d, sets, (member) => {
    found.push(stable ? new Slice(member.bytes, member.start, member.length) : member.copy())
    return true
  })
  return found
}

const asSet = (members: ReadonlyArray<Slice>): Elements =>
  new Elements("set", members.length, (out) => {
    for (const { bytes, length, start } of members) out.bulk(bytes, start, length)
  })

const answering = (operation: Operation) => (d: Decision, argv: Argv): Reply =>
  asSet(gather(d, operation, sources(d, argv, 1, argv.length, true), false))

/** Puts the result in the place of whatever the destination held. */
const storing = (operation: Operation) => (d: Decision, argv: Argv): Reply => {
  const key = argv.at(1)
  const sets = sources(d, argv, 2, argv.length, false)
  const there = d.lookup(key) !== 0
  // The destination, which goes first, may be one of the sources.
  const members = gather(d, operation, sets, there)
  if (there) d.emit({ _tag: "KeyDeleted", key })
  if (members.length > 0) d.emit({ _tag: "SetMembersAdded", key, members })
  return members.length
}

const badLimit = new ReplyError("ERR LIMIT can't be negative")

const counting = (operation: Operation) => (d: Decision, argv: Argv): Reply => {
  const keys = numberOfKeys(argv, 1)
  let limit = 0
  for (let i = 2 + keys; i < argv.length; i++) {
    if (!isWord(argv.at(i), "LIMIT") || i + 1 === argv.length) throw errors.syntax
    let given: number | bigint
    try {
      given = int64(argv.at(++i))
    } catch {
      throw badLimit
    }
    if (given < 0) throw badLimit
    limit = Number(given)
  }
  const sets = sources(d, argv, 2, 2 + keys, true)
  let count = 0
  operation(d, sets, () => ++count !== limit)
  return count
}

const order = ["nondeterministic_output_order"]
const several = "O(N*M) at worst, N being the members of the smallest set and M the number of sets."
const total = "O(N) where N is the number of all members."

/** What the three operations are called in summaries. */
const ofAll = "the members that all sets have"
const ofAny = "the members that any of the sets has"
const ofFirst = "the members of the first set that no other has"

const reading = (operation: Operation, members: string, complexity: string) => ({
  since: "1.0.0",
  group: "set",
  summary: `Answers ${members}.`,
  complexity,
  syntax: "key ...",
  arity: -2,
  flags: ["readonly"],
  tips: order,
  keys: allKeys("RO", "access"),
  decide: answering(operation)
} as const)

export const sinter = defineCommand({ name: "SINTER", ...reading(intersect, ofAll, several) })
export const sunion = defineCommand({ name: "SUNION", ...reading(unite, ofAny, total) })
export const sdiff = defineCommand({ name: "SDIFF", ...reading(subtract, ofFirst, total) })

const keeping = (operation: Operation, members: string, complexity: string, first: "RW" | "OW") => ({
  since: "1.0.0",
  group: "set",
  summary: `Keeps ${members} in a set of their own.`,
  complexity,
  syntax: "destination key ...",
  arity: -3,
  flags: ["write", "denyoom"],
  keys: [...firstKey(first, "update"), ...keysFrom(2, "RO", "access")],
  decide: storing(operation)
} as const)

export const sinterstore = defineCommand({ name: "SINTERSTORE", ...keeping(intersect, ofAll, several, "RW") })
export const sunionstore = defineCommand({ name: "SUNIONSTORE", ...keeping(unite, ofAny, total, "OW") })
export const sdiffstore = defineCommand({ name: "SDIFFSTORE", ...keeping(subtract, ofFirst, total, "OW") })

const counted = (operation: Operation, members: string, complexity: string) => ({
  group: "set",
  summary: `Counts ${members}.`,
  complexity,
  syntax: "numkeys key ... [LIMIT limit]",
  arity: -3,
  flags: ["readonly"],
  keys: numberedKeys(1, ["RO", "access"]),
  decide: counting(operation)
} as const)

export const sintercard = defineCommand({
  name: "SINTERCARD",
  since: "7.0.0",
  ...counted(intersect, ofAll, several)
})
export const sunioncard = defineCommand({ name: "SUNIONCARD", since: "8.10.0", ...counted(unite, ofAny, total) })
export const sdiffcard = defineCommand({ name: "SDIFFCARD", since: "8.10.0", ...counted(subtract, ofFirst, total) })

export const smembers = defineCommand({
  name: "SMEMBERS",
  since: "1.0.0",
  group: "set",
  summary: "Answers all members of a set.",
  complexity: "O(N) where N is the number of members.",
  syntax: "key",
  arity: 2,
  flags: ["readonly"],
  tips: order,
  keys: firstKey("RO", "access"),
  decide: (d, argv): Reply => {
    const p = readableOf(d, argv.at(1), set)
    if (p === 0) return asSet([])
    return new Elements("set", cardinality(d.db, p), (out) => {
      const write: Visit = ({ bytes, length, start }) => out.bulk(bytes, start, length)
      eachMember(d.db, p, write)
    })
  }
})
