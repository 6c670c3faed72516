/** Parts that random requests are made of: words, and rows of them with how often they come. */
import * as Fc from "fast-check"

export type Words = Fc.Arbitrary<ReadonlyArray<string>>
export const word = (...choices: ReadonlyArray<string>): Fc.Arbitrary<string> => Fc.constantFrom(...choices)
export const say = (...words: ReadonlyArray<string | Fc.Arbitrary<string>>): Words =>
  Fc.tuple(...words.map((part) => typeof part === "string" ? Fc.constant(part) : part))
export const join = (...parts: ReadonlyArray<Words>): Words => Fc.tuple(...parts).map((all) => all.flat())
export const many = (minLength: number, maxLength: number, words: Words): Words =>
  Fc.array(words, { minLength, maxLength }).map((all) => all.flat())
export const one = (part: Fc.Arbitrary<string>): Words => part.map((text) => [text])
export const maybe = (words: Words): Words => many(0, 1, words)

/** One kind of request. */
export type Row = { readonly weight: number; readonly arbitrary: Words }
export const row = (weight: number, ...parts: ReadonlyArray<Words>): Row => ({ weight, arbitrary: join(...parts) })
