/** Keys of a request, found by the key specifications of its command. */
import { parseInt64Slice } from "../../projections/memory/integer.ts"
import { isWord } from "../arguments.ts"
import type { Argv, Command, FoundKey, KeySpec } from "../define.ts"
import type { CommandTable } from "../table.ts"

/** A keyword may be missing, so that its specification finds nothing; a position may not. */
const absent = Symbol("no such keyword")

const beginOf = ({ begin }: KeySpec, argv: Argv): number | typeof absent | undefined => {
  if (begin === "unknown") return undefined
  if ("index" in begin) return begin.index < argv.length ? begin.index : undefined
  // A negative start counts from the end, and the search then goes backwards. No keys can follow the last word.
  const step = begin.from < 0 ? -1 : 1
  const last = argv.length - 2
  for (let i = begin.from < 0 ? Math.min(argv.length + begin.from, last) : begin.from; i > 0 && i <= last; i += step) {
    if (isWord(argv.at(i), begin.keyword)) return i + 1
  }
  return absent
}

/** Undefined when the request does not fit. */
const rangeOf = ({ find }: KeySpec, begin: number, argv: Argv): KeyRange | undefined => {
  if (find === "unknown") return undefined
  if ("keyNumberAt" in find) {
    const at = begin + find.keyNumberAt
    const count = at < argv.length ? parseInt64Slice(argv.at(at)) : undefined
    if (typeof count !== "number" || count < 1) return undefined
    const first = begin + find.firstKey
    return { first, last: first + (count - 1) * find.step, step: find.step }
  }
  if (find.last >= 0) return { first: begin, last: begin + find.last, step: find.step }
  const last = find.limit <= 1
    ? argv.length + find.last
    : begin + Math.floor((argv.length - begin) / find.limit) + find.last
  return last < begin ? undefined : { first: begin, last, step: find.step }
}

const bySpecs = (specs: ReadonlyArray<KeySpec>, argv: Argv): ReadonlyArray<FoundKey> | undefined => {
  const found: Array<FoundKey> = []
  for (const spec of specs) {
    // Channels of sharded publish and subscribe look like keys to a cluster, and are none.
    if (spec.flags.includes("not_key")) continue
    const begin = beginOf(spec, argv)
    if (begin === absent) continue
    const range = begin === undefined ? undefined : rangeOf(spec, begin, argv)
    if (range === undefined || range.last >= argv.length) return undefined
    for (let i = range.first; i <= range.last; i += range.step) found.push({ key: argv.at(i), flags: spec.flags })
  }
  return found
}

/** The keys of a request, in the order of the specifications; undefined when its words do not fit the command. */
export const keysOf = (command: Command, argv: Argv, table: CommandTable): ReadonlyArray<FoundKey> | undefined =>
  command.findKeys === undefined ? bySpecs(command.keys ?? [], argv) : command.findKeys(argv, table)

/** Whether the keys that can be found are all there are: none comes from data, none may be left out. */
export const namesAllKeys = ({ keys = [] }: Command): boolean =>
  keys.length > 0 &&
  keys.every(({ begin, find, flags }) => begin !== "unknown" && find !== "unknown" && !flags.includes("incomplete"))

/** Positions of keys: the first, the last, which counts from the end when negative, and the step between. */
export interface KeyRange {
  readonly first: number
  readonly last: number
  readonly step: number
}

/** Where the keys of a command's requests are, if its specifications make that one range; undefined when they do not. */
export const rangeIn = ({ findKeys, keys }: Command): KeyRange | undefined => {
  if (findKeys !== undefined || keys?.length !== 1) return undefined
  const { begin, find, flags } = keys[0]!
  if (flags.includes("not_key") || begin === "unknown" || find === "unknown") return undefined
  if (!("index" in begin) || !("last" in find) || find.limit > 1) return undefined
  return { first: begin.index, last: find.last >= 0 ? begin.index + find.last : find.last, step: find.step }
}

/** Whether the positions of the keys follow from the number of arguments alone (else the command is "movablekeys"). */
export const hasFixedKeys = (specs: ReadonlyArray<KeySpec>): boolean =>
  specs.every(({ begin, find }) => begin !== "unknown" && find !== "unknown" && "index" in begin && "last" in find)

/**
 * First key, last key and step as COMMAND INFO gave them before there were specifications. Several ranges without a gap
 * between them count as one.
 */
export const legacyRange = (specs: ReadonlyArray<KeySpec>): readonly [first: number, last: number, step: number] => {
  let first = 0
  let end = 0
  for (const { begin, find } of specs) {
    if (begin === "unknown" || find === "unknown" || !("index" in begin) || !("last" in find)) continue
    const last = find.last >= 0 ? begin.index + find.last : find.last
    if (specs.length === 1) return [begin.index, last, find.step]
    if (find.step !== 1 || (first !== 0 && begin.index !== end + 1)) continue
    if (first === 0) first = begin.index
    end = last
  }
  return first === 0 ? [0, 0, 0] : [first, end, 1]
}
