/** Moving elements from one list to another, and popping from the first of several that has any. */
import type { ListSide } from "../../log/events/fields.ts"
import { nilArray, type Reply } from "../../net/resp/reply.ts"
import * as Entry from "../../projections/entry.ts"
import { elementsFrom, listLength } from "../../projections/list.ts"
import type { Slice } from "../../projections/memory/slice.ts"
import { isWord, rest } from "../arguments.ts"
import { countAboveZero, expectType, numberOfKeys, timeoutMs, writableOf } from "../collections.ts"
import type { Decision } from "../decision.ts"
import { type Argv, defineCommand, firstKey, keyAtIndex, keysBeforeLast, numberedKeys } from "../define.ts"
import { errors } from "../errors.ts"
import { servedElsewhere } from "../waiting.ts"
import { sameWord } from "../words.ts"

const { list } = Entry.Type

const sideOf = (arg: Slice): ListSide => {
  if (isWord(arg, "LEFT")) return "left"
  if (isWord(arg, "RIGHT")) return "right"
  throw errors.syntax
}

/** How elements are moved. */
interface Move {
  readonly source: Slice
  readonly destination: Slice
  readonly from: ListSide
  readonly to: ListSide
  /** At most so many, or with `exactly` that many or none. */
  readonly count: number
  readonly exactly: boolean
  /** Their order in the source stays; otherwise they are pushed one by one in the order they left. */
  readonly inOrder: boolean
}

/** The elements that were moved, in the order of the destination; undefined when there is nothing to move. */
const moveElements = (d: Decision, move: Move): ReadonlyArray<Slice> | undefined => {
  const { count, destination, exactly, from, inOrder, source, to } = move
  const p = servedElsewhere(d, source) ? 0 : writableOf(d, source, list)
  if (p === 0) return undefined
  const held = listLength(d.db, p)
  if (exactly && held < count) return undefined
  expectType(d, d.lookup(destination), list)
  const elements = elementsFrom(d.db, p, from, Math.min(count, held))
  // Pushed one after the other they end up in the order they left at the right, and turned round at the left.
  const turned = inOrder && (from === "right") !== (to === "left")
  const pushed = turned ? elements.toReversed() : elements
  if (elements.length === held && sameWord(source, destination)) {
    // A list that is turned round as a whole is never empty in between: it keeps its deadline.
    const side = to === "left" ? "right" : "left"
    d.emit({ _tag: "ListPushed", key: destination, side: to, elements: pushed })
    d.emit({ _tag: "ListPopped", key: source, side, elements: side === from ? elements : elements.toReversed() })
  } else {
    d.emit({ _tag: "ListPopped", key: source, side: from, elements })
    d.emit({ _tag: "ListPushed", key: destination, side: to, elements: pushed })
  }
  return to === "left" ? pushed.toReversed() : pushed
}

const one = (source: Slice, destination: Slice, from: ListSide, to: ListSide): Move => ({
  source,
  destination,
  from,
  to,
  count: 1,
  exactly: false,
  inOrder: false
})

const moveOne = (d: Decision, source: Slice, destination: Slice, from: ListSide, to: ListSide): Reply =>
  moveElements(d, one(source, destination, from, to))?.[0] ?? null

const twoKeys = [...firstKey("RW", "access", "delete"), ...keyAtIndex(2, "RW", "insert")]

export const lmove = defineCommand({
  name: "LMOVE",
  since: "6.2.0",
  group: "list",
  summary: "Takes an element off one list, adds it to another, and answers it.",
  complexity: "O(1)",
  syntax: "source destination <wherefrom: LEFT | RIGHT> <whereto: LEFT | RIGHT>",
  arity: 5,
  flags: ["write", "denyoom"],
  keys: twoKeys,
  decide: (d, argv) => {
    const from = sideOf(argv.at(3))
    const to = sideOf(argv.at(4))
    return moveOne(d, argv.at(1), argv.at(2), from, to)
  }
})

export const rpoplpush = defineCommand({
  name: "RPOPLPUSH",
  since: "1.2.0",
  group: "list",
  summary: "Takes the last element off one list, adds it in front of another, and answers it.",
  complexity: "O(1)",
  syntax: "source destination",
  deprecated: { since: "6.2.0", replacedBy: "`LMOVE` with the `RIGHT` and `LEFT` arguments" },
  arity: 3,
  flags: ["write", "denyoom"],
  keys: twoKeys,
  decide: (d, argv) => moveOne(d, argv.at(1), argv.at(2), "right", "left")
})

/** Waits for something to move. */
const waitFor = (d: Decision, source: Slice, timeout: number, nothing: Reply): Reply =>
  d.wait({ keys: [source], type: list, timeoutMs: timeout, nothing })

export const blmove = defineCommand({
  name: "BLMOVE",
  since: "6.2.0",
  group: "list",
  summary: "Takes an element off one list, adds it to another, and answers it; waits for one if there is none.",
  complexity: "O(1)",
  syntax: "source destination <wherefrom: LEFT | RIGHT> <whereto: LEFT | RIGHT> timeout",
  arity: 6,
  flags: ["write", "denyoom", "noscript", "blocking"],
  keys: twoKeys,
  decide: (d, argv) => {
    const from = sideOf(argv.at(3))
    const to = sideOf(argv.at(4))
    const timeout = timeoutMs(argv.at(5))
    const moved = moveOne(d, argv.at(1), argv.at(2), from, to)
    return moved ?? waitFor(d, argv.at(1), timeout, null)
  }
})

export const brpoplpush = defineCommand({
  name: "BRPOPLPUSH",
  since: "2.2.0",
  group: "list",
  summary:
    "Takes the last element off one list, adds it in front of another, and answers it; waits for one if there is none.",
  complexity: "O(1)",
  syntax: "source destination timeout",
  history: [["6.0.0", "The time-out may have a fraction."]],
  deprecated: { since: "6.2.0", replacedBy: "`BLMOVE` with the `RIGHT` and `LEFT` arguments" },
  arity: 4,
  flags: ["write", "denyoom", "noscript", "blocking"],
  keys: twoKeys,
  decide: (d, argv) => {
    const timeout = timeoutMs(argv.at(3))
    const moved = moveOne(d, argv.at(1), argv.at(2), "right", "left")
    return moved ?? waitFor(d, argv.at(1), timeout, null)
  }
})

/** Reads LMOVEM's way of moving from word `at` on. */
const manyFrom = (argv: Argv, at: number): Move => {
  const from = sideOf(argv.at(3))
  const to = sideOf(argv.at(4))
  const move = one(argv.at(1), argv.at(2), from, to)
  if (argv.length === at) return move
  if (argv.length !== at + 3) throw errors.syntax
  const exactly = isWord(argv.at(at), "EXACTLY")
  if (!exactly && !isWord(argv.at(at), "COUNT")) throw errors.syntax
  const count = countAboveZero(argv.at(at + 1))
  const inOrder = isWord(argv.at(at + 2), "BULK")
  if (!inOrder && !isWord(argv.at(at + 2), "OBO")) throw errors.syntax
  return { ...move, count, exactly, inOrder }
}

const howMany = "[how-many: <selector: COUNT count | EXACTLY exactly> <ordering: OBO | BULK>]"

export const lmovem = defineCommand({
  name: "LMOVEM",
  since: "8.10.0",
  group: "list",
  summary: "Moves several elements from one list to another and answers them in the order they have there.",
  complexity: "O(N) where N is the number of elements moved.",
  syntax: `source destination <wherefrom: LEFT | RIGHT> <whereto: LEFT | RIGHT> ${howMany}`,
  arity: -5,
  flags: ["write", "denyoom"],
  keys: twoKeys,
  decide: (d, argv): Reply => moveElements(d, manyFrom(argv, 5)) ?? nilArray
})

export const blmovem = defineCommand({
  name: "BLMOVEM",
  since: "8.10.0",
  group: "list",
  summary: "Moves several elements from one list to another and answers them; waits until there are enough.",
  complexity: "O(N) where N is the number of elements moved.",
  syntax: `source destination <wherefrom: LEFT | RIGHT> <whereto: LEFT | RIGHT> timeout ${howMany}`,
  arity: -6,
  flags: ["write", "denyoom", "blocking"],
  keys: twoKeys,
  decide: (d, argv): Reply => {
    const move = manyFrom(argv, 6)
    const timeout = timeoutMs(argv.at(5))
    return moveElements(d, move) ?? waitFor(d, argv.at(1), timeout, nilArray)
  }
})

// ——— the first of several lists ———

/** Key and elements popped from the first list that has any; undefined when none has. */
const popFirst = (
  d: Decision,
  keys: ReadonlyArray<Slice>,
  side: ListSide,
  count: number
): readonly [Slice, ReadonlyArray<Slice>] | undefined => {
  for (const key of keys) {
    if (servedElsewhere(d, key)) continue
    const p = writableOf(d, key, list)
    if (p === 0) continue
    const elements = elementsFrom(d.db, p, side, Math.min(count, listLength(d.db, p)))
    d.emit({ _tag: "ListPopped", key, side, elements })
    return [key, elements]
  }
  return undefined
}

const blockingPop = (side: ListSide) => (d: Decision, argv: Argv): Reply => {
  const timeout = timeoutMs(argv.at(argv.length - 1))
  const keys = rest(argv, 1, argv.length - 1)
  const popped = popFirst(d, keys, side, 1)
  return popped === undefined
    ? d.wait({ keys, type: list, timeoutMs: timeout, nothing: nilArray })
    : [popped[0], popped[1][0]!]
}

const blocking = (side: ListSide) => ({
  since: "2.0.0",
  group: "list",
  summary: `Pops an element at the ${side} end of the first list that has any; waits for one if none has.`,
  complexity: "O(N) where N is the number of keys.",
  syntax: "key ... timeout",
  history: [["6.0.0", "The time-out may have a fraction."]],
  arity: -3,
  flags: ["write", "noscript", "blocking"],
  keys: keysBeforeLast(1, "RW", "access", "delete"),
  decide: blockingPop(side)
} as const)

export const blpop = defineCommand({ name: "BLPOP", ...blocking("left") })
export const brpop = defineCommand({ name: "BRPOP", ...blocking("right") })

/** Reads "numkeys key ... LEFT | RIGHT [COUNT count]" from word `at` on. */
const manyKeys = (argv: Argv, at: number) => {
  const number = numberOfKeys(argv, at, errors.syntax)
  const where = at + 1 + number
  if (where >= argv.length) throw errors.syntax
  const side = sideOf(argv.at(where))
  let count = 0
  for (let i = where + 1; i < argv.length; i += 2) {
    if (count > 0 || !isWord(argv.at(i), "COUNT") || i + 1 === argv.length) throw errors.syntax
    count = countAboveZero(argv.at(i + 1))
  }
  return { keys: rest(argv, at + 1, where), side, count: Math.max(1, count) }
}

export const lmpop = defineCommand({
  name: "LMPOP",
  since: "7.0.0",
  group: "list",
  summary: "Pops elements from the first of several lists that has any.",
  complexity: "O(N+M) where N is the number of keys and M that of elements.",
  syntax: "numkeys key ... <where: LEFT | RIGHT> [COUNT count]",
  arity: -4,
  flags: ["write"],
  keys: numberedKeys(1, ["RW", "access", "delete"]),
  decide: (d, argv): Reply => {
    const { count, keys, side } = manyKeys(argv, 1)
    return popFirst(d, keys, side, count) ?? nilArray
  }
})

export const blmpop = defineCommand({
  name: "BLMPOP",
  since: "7.0.0",
  group: "list",
  summary: "Pops elements from the first of several lists that has any; waits if none has.",
  complexity: "O(N+M) where N is the number of keys and M that of elements.",
  syntax: "timeout numkeys key ... <where: LEFT | RIGHT> [COUNT count]",
  arity: -5,
  flags: ["write", "blocking"],
  keys: numberedKeys(2, ["RW", "access", "delete"]),
  decide: (d, argv): Reply => {
    const { count, keys, side } = manyKeys(argv, 2)
    const timeout = timeoutMs(argv.at(1))
    return popFirst(d, keys, side, count) ?? d.wait({ keys, type: list, timeoutMs: timeout, nothing: nilArray })
  }
})
