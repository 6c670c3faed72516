/** Intersections, unions and differences of sets. */
import { Elements, type Reply } from "../../net/resp/reply.ts"
import * as Entry from "../../projections/entry.ts"
import type { Pointer } from "../../projections/memory/arena.ts"
import { Slice } from "../../projections/memory/slice.ts"
import { cardinality, eachMember, hasMember, isLargeSet } from "../../projections/set.ts"
import { isWord } from "../arguments.ts"
import { bulks, countLimit, numberOfKeys, readableOf } from "../collections.ts"
import type { Decision } from "../decision.ts"
import { allKeys, type Argv, defineCommand, firstKey, keysFrom, numberedKeys } from "../define.ts"
import { errors } from "../errors.ts"

const { set } = Entry.Type

/** Entries of the keys from word `from` to before word `to`; 0 for absent ones. */
const sources = (d: Decision, argv: Argv, from: number, to: number): Array<Pointer> => {
  const found: Array<Pointer> = []
  for (let i = from; i < to; i++) found.push(readableOf(d, argv.at(i), set))
  return found
}

/** Whether all of the sets, or any of them, have a member. */
const inAll = (d: Decision, sets: ReadonlyArray<Pointer>, member: Slice): boolean => {
  for (let i = 0; i < sets.length; i++) if (!hasMember(d.db, sets[i]!, member)) return false
  return true
}
const inAny = (d: Decision, sets: ReadonlyArray<Pointer>, member: Slice): boolean => {
  for (let i = 0; i < sets.length; i++) if (hasMember(d.db, sets[i]!, member)) return true
  return false
}

/** Visits members until `visit` answers false. */
type Operation = (d: Decision, sets: ReadonlyArray<Pointer>, visit: (member: Slice) => boolean) => void

/** What all sets have. */
const intersect: Operation = (d, sets, visit) => {
  if (sets.includes(0)) return
  const { db } = d
  const [least, ...others] = sets.toSorted((a, b) => cardinality(db, a) - cardinality(db, b)) as [
    Pointer,
    ...Array<Pointer>
  ]
  eachMember(db, least, (member) => !inAll(d, others, member) || visit(member))
}

/** What the first set has and none of the others. */
const subtract: Operation = (d, sets, visit) => {
  const [first, ...rest] = sets as [Pointer, ...Array<Pointer>]
  if (first === 0) return
  const others = rest.filter((other) => other !== 0)
  if (others.includes(first)) return
  eachMember(d.db, first, (member) => inAny(d, others, member) || visit(member))
}

/** What any of the sets has, each member once. */
const unite: Operation = (d, sets, visit) => {
  const there = [...new Set(sets.filter((p) => p !== 0))]
  let going = true
  for (let i = 0; i < there.length && going; i++) {
    const before = there.slice(0, i)
    eachMember(d.db, there[i]!, (member) => going = inAny(d, before, member) || visit(member))
  }
}

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

const answering = (operation: Operation) => (d: Decision, argv: Argv): Reply =>
  bulks("set", gather(d, operation, sources(d, argv, 1, argv.length), false))

/** Puts the result in the place of whatever the destination held. */
const storing = (operation: Operation) => (d: Decision, argv: Argv): Reply => {
  const key = argv.at(1)
  const sets = sources(d, argv, 2, argv.length)
  const there = d.lookup(key) !== 0
  // The destination, which goes first, may be one of the sources.
  const members = gather(d, operation, sets, there)
  if (there) d.emit({ _tag: "KeyDeleted", key })
  if (members.length > 0) d.emit({ _tag: "SetMembersAdded", key, members })
  return members.length
}

const counting = (operation: Operation) => (d: Decision, argv: Argv): Reply => {
  const keys = numberOfKeys(argv, 1)
  let limit = 0
  for (let i = 2 + keys; i < argv.length; i++) {
    if (!isWord(argv.at(i), "LIMIT") || i + 1 === argv.length) throw errors.syntax
    limit = countLimit(argv.at(++i))
  }
  const sets = sources(d, argv, 2, 2 + keys)
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
    if (p === 0) return bulks("set", [])
    return new Elements("set", cardinality(d.db, p), (out) => {
      eachMember(d.db, p, ({ bytes, length, start }) => out.bulk(bytes, start, length))
    })
  }
})
