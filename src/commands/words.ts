/** Words of a request compared with each other. */
import { compareSlices, type Slice } from "../projections/memory/slice.ts"
import type { Argv } from "./define.ts"

/** Whether two words are the same bytes. */
export const sameWord = (a: Slice, b: Slice): boolean => a.length === b.length && compareSlices(a, b) === 0

/** More words than this are found through a table of strings instead of one by one. */
const comparedOneByOne = 12

/** Distinct words, in the order in which they were added. */
export class Words {
  readonly list: Array<Slice> = []
  private places: Map<string, number> | undefined

  /** The place of a word in the list; -1 when it is not there. */
  find(word: Slice): number {
    if (this.places !== undefined) return this.places.get(word.latin1()) ?? -1
    const { list } = this
    for (let i = 0; i < list.length; i++) if (sameWord(list[i]!, word)) return i
    return -1
  }

  /** Adds a word that is not there. */
  add(word: Slice): void {
    const { list } = this
    if (list.length === comparedOneByOne) this.places = new Map(list.map((other, i) => [other.latin1(), i]))
    this.places?.set(word.latin1(), list.length)
    list.push(word)
  }
}

/** A function that tells whether it was called with the same bytes before. */
export const alike = (): (word: Slice) => boolean => {
  const words = new Words()
  return (word) => {
    if (words.find(word) >= 0) return true
    words.add(word)
    return false
  }
}

/** The distinct words from `from` on, each `step` apart, for which `take` is true, in their order. */
export const distinctWords = (argv: Argv, from: number, take: (word: Slice) => boolean, step = 1): Array<Slice> => {
  const words = new Words()
  for (let i = from; i < argv.length; i += step) {
    const word = argv.at(i)
    if (take(word) && words.find(word) < 0) words.add(word)
  }
  return words.list
}
