import { parseInt64Slice } from "../projections/memory/integer.ts"
import type { Slice } from "../projections/memory/slice.ts"
import type { Argv } from "./define.ts"
import { errors } from "./errors.ts"

/** Whether an argument is this word, in any case. `word` is upper case ASCII. */
export const isWord = (arg: Slice, word: string): boolean => {
  if (arg.length !== word.length) return false
  for (let i = 0; i < word.length; i++) {
    const byte = arg.bytes[arg.start + i]!
    const upper = byte >= 97 && byte <= 122 ? byte - 32 : byte
    if (upper !== word.charCodeAt(i)) return false
  }
  return true
}

/** An argument as upper-case text, for comparing with several words. */
export const word = (arg: Slice): string => arg.latin1().toUpperCase()

/** A signed 64-bit integer; refuses with "value is not an integer or out of range". */
export const int64 = (arg: Slice): number | bigint => {
  const value = parseInt64Slice(arg)
  if (value === undefined) throw errors.notInteger
  return value
}

/** An integer that a double holds exactly (±2^53); what is beyond it is refused like text. */
export const integer = (arg: Slice): number => {
  const value = parseInt64Slice(arg)
  if (typeof value !== "number") throw errors.notInteger
  return value
}

/** An integer within bounds, or the refusal given. */
export const integerWithin = (arg: Slice, low: number, high: number, refusal = errors.notInteger): number => {
  const value = parseInt64Slice(arg)
  if (typeof value !== "number" || value < low || value > high) throw refusal
  return value
}

/** All arguments from `from` on, or to before `to`, as slices valid until the command returns. */
export const rest = (argv: Argv, from: number, to = argv.length): Array<Slice> => {
  const slices: Array<Slice> = []
  for (let i = from; i < to; i++) slices.push(argv.at(i))
  return slices
}

/** An argument as an error reply shows it: Latin-1, up to the first NUL, where a C string ends. */
export const shown = (arg: Slice): string => arg.latin1().split("\0", 1)[0]!
