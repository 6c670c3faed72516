/** Members of one set, or moved from one to another. */
import type { Reply } from "../../net/resp/reply.ts"
import * as Entry from "../../projections/entry.ts"
import type { Pointer } from "../../projections/memory/arena.ts"
import type { Slice } from "../../projections/memory/slice.ts"
import { cardinality, hasMember, hasMemberToChange } from "../../projections/set.ts"
import { expectType, readableOf, writableOf } from "../collections.ts"
import type { Decision } from "../decision.ts"
import { type Argv, defineCommand, firstKey, keyAtIndex } from "../define.ts"
import { memberAdded } from "../reused-events.ts"
import { distinctWords } from "../words.ts"

const { set } = Entry.Type

export const sadd = defineCommand({
  name: "SADD",
  since: "1.0.0",
  group: "set",
  summary: "Adds members to a set; answers how many are new.",
  complexity: "O(1) for each member.",
  syntax: "key member ...",
  history: [["2.4.0", "More than one `member`."]],
  arity: -3,
  flags: ["write", "denyoom", "fast"],
  keys: firstKey("RW", "insert"),
  decide: (d, argv) => {
    const key = argv.at(1)
    const p = writableOf(d, key, set)
    if (argv.length === 3) {
      const member = argv.at(2)
      if (p !== 0 && hasMemberToChange(d.db, p, member)) return 0
      d.emit(memberAdded(key, member))
      return 1
    }
    return addMany(d, key, p, argv)
  }
})

// Of its own: a function that makes another one takes memory for what that sees, each time it is called.
const addMany = (d: Decision, key: Slice, p: Pointer, argv: Argv): number => {
  const members = distinctWords(argv, 2, (member) => p === 0 || !hasMember(d.db, p, member))
  if (members.length > 0) d.emit({ _tag: "SetMembersAdded", key, members })
  return members.length
}

export const srem = defineCommand({
  name: "SREM",
  since: "1.0.0",
  group: "set",
  summary: "Removes members from a set; answers how many were there.",
  complexity: "O(1) for each member.",
  syntax: "key member ...",
  history: [["2.4.0", "More than one `member`."]],
  arity: -3,
  flags: ["write", "fast"],
  keys: firstKey("RW", "delete"),
  decide: (d, argv) => {
    const key = argv.at(1)
    const p = writableOf(d, key, set)
    if (p === 0) return 0
    const members = distinctWords(argv, 2, (member) => hasMember(d.db, p, member))
    if (members.length > 0) d.emit({ _tag: "SetMembersRemoved", key, members })
    return members.length
  }
})

export const scard = defineCommand({
  name: "SCARD",
  since: "1.0.0",
  group: "set",
  summary: "Counts the members of a set.",
  complexity: "O(1)",
  syntax: "key",
  arity: 2,
  flags: ["readonly", "fast"],
  keys: firstKey("RO"),
  decide: (d, argv) => {
    const p = readableOf(d, argv.at(1), set)
    return p === 0 ? 0 : cardinality(d.db, p)
  }
})

const isMember = (d: Decision, p: Pointer, member: Slice): number => p !== 0 && hasMember(d.db, p, member) ? 1 : 0

export const sismember = defineCommand({
  name: "SISMEMBER",
  since: "1.0.0",
  group: "set",
  summary: "Tells whether a set has a member.",
  complexity: "O(1)",
  syntax: "key member",
  arity: 3,
  flags: ["readonly", "fast"],
  keys: firstKey("RO"),
  decide: (d, argv) => isMember(d, readableOf(d, argv.at(1), set), argv.at(2))
})

export const smismember = defineCommand({
  name: "SMISMEMBER",
  since: "6.2.0",
  group: "set",
  summary: "Tells of each of several members whether a set has it.",
  complexity: "O(N) where N is the number of members asked for.",
  syntax: "key member ...",
  arity: -3,
  flags: ["readonly", "fast"],
  keys: firstKey("RO", "access"),
  decide: (d, argv) => {
    const p = readableOf(d, argv.at(1), set)
    const found: Array<number> = []
    for (let i = 2; i < argv.length; i++) found.push(isMember(d, p, argv.at(i)))
    return found
  }
})

export const smove = defineCommand({
  name: "SMOVE",
  since: "1.0.0",
  group: "set",
  summary: "Moves a member from one set to another.",
  complexity: "O(1)",
  syntax: "source destination member",
  arity: 4,
  flags: ["write", "fast"],
  keys: [...firstKey("RW", "access", "delete"), ...keyAtIndex(2, "RW", "insert")],
  decide: (d, argv): Reply => {
    const source = argv.at(1)
    const destination = argv.at(2)
    const member = argv.at(3)
    const p = d.lookup(source)
    // An absent source ends it before anybody asks what the destination is.
    if (p === 0) return 0
    const q = d.lookup(destination)
    expectType(d, p, set)
    expectType(d, q, set)
    if (!hasMember(d.db, p, member)) return 0
    if (p === q) return 1
    const known = q !== 0 && hasMember(d.db, q, member)
    d.emit({ _tag: "SetMembersRemoved", key: source, members: [member] })
    if (!known) d.emit({ _tag: "SetMembersAdded", key: destination, members: [member] })
    return 1
  }
})
