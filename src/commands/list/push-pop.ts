/** Pushing and popping at the ends of one list. */
import type { ListSide } from "../../log/events/fields.ts"
import { nilArray, type Reply } from "../../net/resp/reply.ts"
import * as Entry from "../../projections/entry.ts"
import { elementAt, elementsFrom, listLength } from "../../projections/list.ts"
import { Slice } from "../../projections/memory/slice.ts"
import { rest } from "../arguments.ts"
import { positiveCount, writableOf } from "../collections.ts"
import type { Decision } from "../decision.ts"
import { type Argv, defineCommand, firstKey } from "../define.ts"
import { wrongArity } from "../errors.ts"
import { elementPopped, elementPushed } from "../reused-events.ts"

const { list } = Entry.Type

const push = (side: ListSide, onlyExisting: boolean) => (d: Decision, argv: Argv): Reply => {
  const key = argv.at(1)
  const p = writableOf(d, key, list)
  if (p === 0 && onlyExisting) return 0
  if (argv.length === 3) d.emit(elementPushed(key, side, argv.at(2)))
  else d.emit({ _tag: "ListPushed", key, side, elements: rest(argv, 2) })
  return (p === 0 ? 0 : listLength(d.db, p)) + argv.length - 2
}

const described = (side: ListSide, onlyExisting: boolean) => ({
  group: "list",
  summary: `Adds elements at the ${side} end of a list${onlyExisting ? ", if there is one" : ""}; answers its length.`,
  complexity: "O(1) for each element.",
  syntax: "key element ...",
  arity: -3,
  flags: ["write", "denyoom", "fast"],
  keys: firstKey("RW", "insert"),
  decide: push(side, onlyExisting)
} as const)

export const lpush = defineCommand({
  name: "LPUSH",
  since: "1.0.0",
  history: [["2.4.0", "More than one `element`."]],
  ...described("left", false)
})
export const rpush = defineCommand({
  name: "RPUSH",
  since: "1.0.0",
  history: [["2.4.0", "More than one `element`."]],
  ...described("right", false)
})
export const lpushx = defineCommand({
  name: "LPUSHX",
  since: "2.2.0",
  history: [["4.0.0", "More than one `element`."]],
  ...described("left", true)
})
export const rpushx = defineCommand({
  name: "RPUSHX",
  since: "2.2.0",
  history: [["4.0.0", "More than one `element`."]],
  ...described("right", true)
})

const popped = new Slice()

const pop = (side: ListSide) => (d: Decision, argv: Argv): Reply => {
  if (argv.length > 3) throw wrongArity(d.commandName)
  const key = argv.at(1)
  if (argv.length === 2) {
    const p = writableOf(d, key, list)
    if (p === 0) return null
    const element = elementAt(d.db, p, side === "left" ? 0 : listLength(d.db, p) - 1, popped)
    d.emit(elementPopped(key, side, element))
    return element
  }
  const count = positiveCount(argv.at(2))
  const p = writableOf(d, key, list)
  if (p === 0) return nilArray
  if (count === 0) return []
  const elements = elementsFrom(d.db, p, side, Math.min(count, listLength(d.db, p)))
  d.emit({ _tag: "ListPopped", key, side, elements })
  return elements
}

const popping = (side: ListSide) => ({
  since: "1.0.0",
  group: "list",
  summary: `Removes elements at the ${side} end of a list and answers them.`,
  complexity: "O(N) where N is the number of elements.",
  syntax: "key [count@6.2.0]",
  history: [["6.2.0", "The argument `count`."]],
  arity: -2,
  flags: ["write", "fast"],
  keys: firstKey("RW", "access", "delete"),
  decide: pop(side)
} as const)

export const lpop = defineCommand({ name: "LPOP", ...popping("left") })
export const rpop = defineCommand({ name: "RPOP", ...popping("right") })
