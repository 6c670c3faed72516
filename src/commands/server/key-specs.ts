/** Keys of a request, found by the key specifications of its command. */
import { parseInt64Slice } from "../../projections/integer.ts"
import type { Slice } from "../../projections/memory/slice.ts"
import { isWord } from "../arguments.ts"
import type { Argv, Command, KeySpec } from "../define.ts"

/** A key and what the command does to it. */
export interface FoundKey {
  readonly key: Slice
  readonly flags: KeySpec["flags"]
}

const beginOf = (spec: KeySpec, argv: Argv): number | undefined => {
  const { begin } = spec
  if ("index" in begin) return begin.index < argv.length ? begin.index : undefined
  // A negative start counts from the end, and the search then goes backwards.
  const step = begin.from < 0 ? -1 : 1
  for (let i = begin.from < 0 ? argv.length + begin.from : begin.from; i > 0 && i < argv.length; i += step) {
    if (isWord(argv.at(i), begin.keyword)) return i + 1 < argv.length ? i + 1 : undefined
  }
  return undefined
}

/** Positions of the first and the last key and the step between; undefined when the request does not fit. */
const rangeOf = (spec: KeySpec, begin: number, argv: Argv): readonly [number, number, number] | undefined => {
  const { find } = spec
  if ("keyNumberAt" in find) {
    const at = begin + find.keyNumberAt
    const count = at < argv.length ? parseInt64Slice(argv.at(at)) : undefined
    if (typeof count !== "number" || count < 0) return undefined
    const first = begin + find.firstKey
    return [first, first + (count - 1) * find.step, find.step]
  }
  if (find.last >= 0) return [begin, begin + find.last, find.step]
  const last = find.limit <= 1
    ? argv.length + find.last
    : begin + Math.floor((argv.length - begin) / find.limit) + find.last
  return [begin, last, find.step]
}

/** The keys of a request; undefined when its words do not fit the specifications. */
export const keysOf = (command: Command, argv: Argv): ReadonlyArray<FoundKey> | undefined => {
  const found: Array<FoundKey> = []
  for (const spec of command.keys ?? []) {
    if (spec.flags.includes("not_key")) continue
    const begin = beginOf(spec, argv)
    if (begin === undefined) continue
    const range = rangeOf(spec, begin, argv)
    if (range === undefined || range[1] >= argv.length) return undefined
    for (let i = range[0]; i <= range[1]; i += range[2]) found.push({ key: argv.at(i), flags: spec.flags })
  }
  return found
}

/** First key, last key and step as COMMAND INFO gave them before there were specifications. */
export const legacyRange = (specs: ReadonlyArray<KeySpec>): readonly [first: number, last: number, step: number] => {
  const [only] = specs
  if (specs.length === 1 && only !== undefined && "index" in only.begin && "last" in only.find) {
    const { last, step } = only.find
    return [only.begin.index, last >= 0 ? only.begin.index + last : last, step]
  }
  // Several ranges without a gap between them count as one.
  let first = 0
  let end = 0
  for (const { begin, find } of specs) {
    if (!("index" in begin) || !("last" in find) || find.step !== 1 || find.last < 0) continue
    if (end !== 0 && begin.index !== end + 1) continue
    if (first === 0) first = begin.index
    end = begin.index + find.last
  }
  return first === 0 ? [0, 0, 0] : [first, end, 1]
}
