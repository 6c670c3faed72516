/** Words of a request compared with each other. */
import { compareSlices, type Slice } from "../projections/memory/slice.ts"
import type { Argv } from "./define.ts"

/** Up to so many words are compared with each other; more go through a set of strings. */
const comparedPairwise = 12

/** Whether two words are the same bytes. */
export const sameWord = (a: Slice, b: Slice): boolean => a.length === b.length && compareSlices(a, b) === 0

/** The distinct words from `from` on, each `step` apart, for which `take` is true, in their order. */
export const distinctWords = (argv: Argv, from: number, take: (word: Slice) => boolean, step = 1): Array<Slice> => {
  const found: Array<Slice> = []
  const seen = argv.length - from > comparedPairwise * step ? new Set<string>() : undefined
  for (let i = from; i < argv.length; i += step) {
    const word = argv.at(i)
    if (seen !== undefined) {
      const text = word.latin1()
      if (seen.has(text)) continue
      seen.add(text)
    } else if (found.some((other) => sameWord(other, word))) continue
    if (take(word)) found.push(word)
  }
  return found
}
