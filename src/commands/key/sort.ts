/** SORT: the elements of a list, a set or a sorted set in order, by themselves or by what other keys hold for them. */
import { type Reply, ReplyError } from "../../net/resp/reply.ts"
import * as Entry from "../../projections/entry.ts"
import { FoundField } from "../../projections/hash-read.ts"
import { eachElement, listLength } from "../../projections/list.ts"
import type { Pointer } from "../../projections/memory/arena.ts"
import { compareSlices, Slice } from "../../projections/memory/slice.ts"
import { eachMember } from "../../projections/set.ts"
import { cardinality, eachRanked } from "../../projections/sorted-set-read.ts"
import { wholeDouble } from "../arguments-double.ts"
import { int64, isWord } from "../arguments.ts"
import { bulks } from "../collections.ts"
import type { Decision } from "../decision.ts"
import { type Argv, defineCommand, firstKey, type FoundKey, unknownKeys } from "../define.ts"
import { errors } from "../errors.ts"

const notDouble = new ReplyError("ERR One or more scores can't be converted into double")

/** What a request asks for. */
interface Sorting {
  readonly by: Slice | undefined
  /** A BY without a star: all weigh the same. */
  readonly unsorted: boolean
  readonly gets: ReadonlyArray<Slice>
  readonly offset: number
  readonly count: number
  readonly descending: boolean
  readonly alphabetic: boolean
  readonly store: Slice | undefined
}

const readSorting = (argv: Argv, mayStore: boolean): Sorting => {
  let by: Slice | undefined
  let unsorted = false
  const gets: Array<Slice> = []
  let offset = 0
  let count = -1
  let descending = false
  let alphabetic = false
  let store: Slice | undefined
  for (let i = 2; i < argv.length; i++) {
    const option = argv.at(i)
    const left = argv.length - i - 1
    if (isWord(option, "ASC")) descending = false
    else if (isWord(option, "DESC")) descending = true
    else if (isWord(option, "ALPHA")) alphabetic = true
    else if (isWord(option, "LIMIT") && left >= 2) {
      offset = Number(int64(argv.at(i + 1)))
      count = Number(int64(argv.at(i + 2)))
      i += 2
    } else if (mayStore && isWord(option, "STORE") && left >= 1) store = argv.at(++i)
    else if (isWord(option, "BY") && left >= 1) {
      by = argv.at(++i)
      unsorted ||= indexOf(by, star) < 0 // once said it stands, whatever another BY says
    } else if (isWord(option, "GET") && left >= 1) gets.push(argv.at(++i))
    else throw errors.syntax
  }
  return { by, unsorted, gets, offset, count, descending, alphabetic, store }
}

const star = 42
const indexOf = ({ bytes, length, start }: Slice, byte: number): number => {
  for (let i = 0; i < length; i++) if (bytes[start + i] === byte) return i
  return -1
}

const digits = new Uint8Array(20)
const found = new FoundField()

/** What a pattern names for an element, copied; undefined when there is nothing of the right type. "#" names the element. */
const lookUp = (d: Decision, pattern: Slice, element: Slice): Slice | undefined => {
  if (pattern.length === 1 && pattern.bytes[pattern.start] === 35) return element
  const text = pattern.latin1()
  const at = text.indexOf("*")
  if (at < 0) return undefined
  // An arrow behind the star, with a field behind it, means a field of a hash.
  const arrow = text.indexOf("->", at + 1)
  const isField = arrow >= 0 && arrow + 2 < text.length
  const name = text.slice(0, at) + element.latin1() + text.slice(at + 1, isField ? arrow : undefined)
  const key = Slice.latin1(name)
  const p = d.counted(d.lookup(key), key)
  if (p === 0) return undefined
  const type = Entry.typeOf(d.db.arena, p)
  if (!isField) return type === Entry.Type.string ? d.text(p).copy() : undefined
  if (type !== Entry.Type.hash) return undefined
  if (!found.find(d.db, p, Slice.latin1(text.slice(arrow + 2)), d.now)) return undefined
  return found.value(new Slice(), digits).copy()
}

const elementsOf = (d: Decision, p: Pointer): Array<Slice> => {
  const found: Array<Slice> = []
  if (p === 0) return found
  const take = (element: Slice): boolean => found.push(element.copy()) > 0
  switch (Entry.typeOf(d.db.arena, p)) {
    case Entry.Type.list:
      eachElement(d.db, p, 0, listLength(d.db, p), false, take)
      break
    case Entry.Type.set:
      eachMember(d.db, p, take)
      break
    case Entry.Type.zset:
      eachRanked(d.db, p, 0, cardinality(d.db, p), false, take)
      break
    default:
      throw errors.wrongType
  }
  return found
}

/** One element and what it is sorted by. */
interface Keyed {
  readonly element: Slice
  readonly weight: number
  /** Undefined where BY names nothing for it. */
  readonly text: Slice | undefined
}

const compareTexts = (a: Slice | undefined, b: Slice | undefined): number => {
  if (a === undefined || b === undefined) return a === b ? 0 : a === undefined ? -1 : 1
  return compareSlices(a, b)
}

const sorted = (d: Decision, elements: ReadonlyArray<Slice>, by: Slice | undefined, sorting: Sorting): Array<Slice> => {
  const { alphabetic, descending } = sorting
  const keyed = elements.map((element): Keyed => {
    const text = by === undefined ? element : lookUp(d, by, element)
    return { element, text, weight: alphabetic || text === undefined ? 0 : wholeDouble(text) ?? Number.NaN }
  })
  // Only now, because Redis, too, has looked up what all are sorted by when it says that one of them is no number.
  if (keyed.some(({ weight }) => Number.isNaN(weight))) throw notDouble
  const sign = descending ? -1 : 1
  keyed.sort((a, b) => {
    const order = alphabetic
      ? compareTexts(a.text, b.text)
      : a.weight === b.weight
      ? compareSlices(a.element, b.element) // what weighs the same is in the order of its bytes
      : a.weight < b.weight
      ? -1
      : 1
    return sign * order
  })
  return keyed.map(({ element }) => element)
}

const run = (d: Decision, argv: Argv, mayStore: boolean): Reply => {
  const sorting = readSorting(argv, mayStore)
  const { by, gets, store, unsorted } = sorting
  const p = d.counted(d.lookup(argv.at(1)), argv.at(1))
  let elements = elementsOf(d, p)
  // A pattern without a star names the same for all: they stay as they are; a set only if nobody needs an order.
  const type = p === 0 ? -1 : Entry.typeOf(d.db.arena, p)
  if (unsorted && type === Entry.Type.set && store !== undefined) {
    elements = sorted(d, elements, undefined, { ...sorting, alphabetic: true })
  } else if (!unsorted) elements = sorted(d, elements, by, sorting)
  else if (type === Entry.Type.zset && sorting.descending) elements.reverse()
  const start = Math.min(Math.max(0, sorting.offset), elements.length)
  const stop = sorting.count < 0 ? elements.length : Math.min(elements.length, start + sorting.count)
  const chosen = elements.slice(start, Math.max(start, stop))
  const answers: ReadonlyArray<Slice | undefined> = gets.length === 0
    ? chosen
    : chosen.flatMap((element) => gets.map((pattern) => lookUp(d, pattern, element)))
  if (store === undefined) {
    return answers.some((value) => value === undefined)
      ? answers.map((value) => value ?? null)
      : bulks("array", answers as ReadonlyArray<Slice>)
  }
  if (d.lookup(store) !== 0) d.emit({ _tag: "KeyDeleted", key: store })
  if (answers.length > 0) {
    const list = answers.map((value) => value ?? nothing)
    d.emit({ _tag: "ListPushed", key: store, side: "right", elements: list })
  }
  return answers.length
}

const nothing = new Slice()

const source: FoundKey["flags"] = ["RO", "access"]

/** The last STORE counts that is not an operand of something else. */
const keysOf = (argv: Argv): ReadonlyArray<FoundKey> => {
  let target = 0
  for (let i = 2; i < argv.length; i++) {
    const option = argv.at(i)
    if (isWord(option, "LIMIT")) i += 2
    else if (isWord(option, "GET") || isWord(option, "BY")) i += 1
    else if (isWord(option, "STORE") && i + 1 < argv.length) target = i + 1
  }
  const keys: Array<FoundKey> = [{ key: argv.at(1), flags: source }]
  if (target !== 0) keys.push({ key: argv.at(target), flags: ["OW", "update"] })
  return keys
}

const described = {
  group: "generic",
  complexity: "O(N+M*log(M)) where N is the number of elements and M that of elements answered.",
  arity: -2,
  categories: ["@set", "@sortedset", "@list", "@dangerous", "-@keyspace"]
} as const

const patterns = "key [BY pattern(pattern#1)] [LIMIT <offset count>] [GET pattern(pattern#1)] ... " +
  "[order: ASC | DESC] [sorting=ALPHA]"
const note = "names come from patterns and elements"

export const sort = defineCommand({
  name: "SORT",
  since: "1.0.0",
  summary: "Sorts the elements of a list, a set or a sorted set, and answers or keeps them.",
  syntax: `${patterns} [STORE destination(key#2)]`,
  flags: ["write", "denyoom"],
  keys: [
    ...firstKey("RO", "access"),
    ...unknownKeys("RO", "access").map((spec) => ({ ...spec, notes: note })),
    ...unknownKeys("OW", "update").map((spec) => ({ ...spec, notes: "the destination may stand anywhere" }))
  ],
  findKeys: keysOf,
  ...described,
  decide: (d, argv) => run(d, argv, true)
})

export const sortReadOnly = defineCommand({
  name: "SORT_RO",
  since: "7.0.0",
  summary: "Sorts the elements of a list, a set or a sorted set, and answers them.",
  syntax: patterns,
  flags: ["readonly"],
  keys: [...firstKey("RO", "access"), ...unknownKeys("RO", "access").map((spec) => ({ ...spec, notes: note }))],
  findKeys: (argv) => [{ key: argv.at(1), flags: source }],
  ...described,
  decide: (d, argv) => run(d, argv, false)
})
