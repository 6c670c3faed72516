import fc from "fast-check"
import { describe, expect, it } from "vitest"
import { Slice } from "../../../src/projections/memory/slice.ts"
import { isLiteral, matchesEverything, matchGlob, matchGlobAnyCase } from "../../../src/projections/structures/glob.ts"

const glob = (pattern: string, text: string): boolean => matchGlob(Slice.latin1(pattern), Slice.latin1(text))
const globAnyCase = (pattern: string, text: string): boolean =>
  matchGlobAnyCase(Slice.latin1(pattern), Slice.latin1(text))

// The model: the pattern as a list of "any run" and sets of allowed bytes, run as a nondeterministic automaton.

type Element = "run" | ((byte: number) => boolean)

const lowerCase = (byte: number): number => byte >= 65 && byte <= 90 ? byte + 32 : byte
const asChar = (byte: number): number => byte >= 128 ? byte - 256 : byte

const parse = (pattern: string, fold: boolean): Array<Element> => {
  const same = (a: number) => (b: number): boolean => fold ? lowerCase(a) === lowerCase(b) : a === b
  const elements: Array<Element> = []
  let rest = pattern
  while (rest !== "") {
    const [c] = rest
    if (c === "*") elements.push("run")
    else if (c === "?") elements.push(() => true)
    else if (c === "[") {
      let inner = rest.slice(1)
      const negated = inner.startsWith("^")
      if (negated) inner = inner.slice(1)
      const members: Array<(byte: number) => boolean> = []
      while (inner !== "" && !inner.startsWith("]")) {
        const escaped = /^\\([^])/.exec(inner)
        const range = /^([^])-([^])/.exec(inner)
        if (escaped !== null) {
          const code = escaped[1]!.charCodeAt(0)
          members.push((byte) => byte === code)
          inner = inner.slice(2)
        } else if (range !== null) {
          const ends = [range[1]!, range[2]!].map((end) => asChar(end.charCodeAt(0))).sort((a, b) => a - b)
          const [low, high] = fold ? ends.map(lowerCase) : ends
          members.push((byte) => {
            const value = fold ? lowerCase(asChar(byte)) : asChar(byte)
            return value >= low! && value <= high!
          })
          inner = inner.slice(3)
        } else {
          members.push(same(inner.charCodeAt(0)))
          inner = inner.slice(1)
        }
      }
      elements.push((byte) => members.some((member) => member(byte)) !== negated)
      rest = inner
    } else if (c === "\\" && rest.length > 1) {
      elements.push(same(rest.charCodeAt(1)))
      rest = rest.slice(1)
    } else elements.push(same(rest.charCodeAt(0)))
    rest = rest.slice(1)
  }
  return elements
}

const model = (pattern: string, text: string, fold = false): boolean => {
  if (text === "") return pattern === ""
  const elements = parse(pattern, fold)
  const closure = (states: Set<number>): Set<number> => {
    for (const state of states) if (elements[state] === "run") states.add(state + 1)
    return states
  }
  let states = closure(new Set([0]))
  for (const byte of Buffer.from(text, "latin1")) {
    const next = new Set<number>()
    for (const state of states) {
      const element = elements[state]
      if (element === "run") next.add(state)
      else if (element?.(byte)) next.add(state + 1)
    }
    states = closure(next)
  }
  return states.has(elements.length)
}

const from = (alphabet: string, maxLength: number) =>
  fc.array(fc.constantFrom(...alphabet), { maxLength }).map((chars) => chars.join(""))
const patterns = from("aabbC***??[[]]^--\\\\z\0\x80\xff", 12)
const texts = from("aabbcC-]^[*?\\z\0\x80\xff", 10)

describe("glob", () => {
  it("answers like the model on random patterns", () => {
    fc.assert(
      fc.property(patterns, fc.array(texts, { minLength: 1, maxLength: 30 }), (pattern, many) => {
        for (const text of many) {
          expect(glob(pattern, text), text).toBe(model(pattern, text))
          expect(globAnyCase(pattern, text), text).toBe(model(pattern, text, true))
        }
      }),
      { numRuns: 4000 }
    )
  })

  it("finds texts made to fit a pattern", () => {
    const piece = fc.constantFrom(["*", "xyz"], ["*", ""], ["?", "q"], ["[a-c]", "b"], ["\\*", "*"], ["[^z]", "y"], [
      "ab",
      "ab"
    ])
    fc.assert(
      fc.property(fc.array(piece, { minLength: 1, maxLength: 12 }), (pieces) => {
        const pattern = pieces.map(([part]) => part).join("")
        const text = pieces.map(([, part]) => part).join("")
        expect(glob(pattern, text)).toBe(text !== "")
      })
    )
  })

  it("reads only its slices", () => {
    const pattern = new Slice(Buffer.from("*xa[b-dx]*"), 2, 7) // a[b-dx]
    const text = new Slice(Buffer.from("aacb"), 1, 2)
    expect(matchGlob(pattern, text)).toBe(true)
    // The bracket beyond the end does not close the class.
    expect(matchGlob(new Slice(Buffer.from("[a]b"), 0, 2), new Slice(Buffer.from("ab"), 0, 1))).toBe(true)
    // The star beyond the end is not part of the pattern.
    expect(matchGlob(new Slice(Buffer.from("a*"), 0, 1), Slice.latin1("ab"))).toBe(false)
  })

  // As redis-server 7.0.15 answers.
  it.each<readonly [string, string, boolean]>([
    ["", "", true],
    ["*", "", false],
    ["**", "", false],
    ["", "a", false],
    ["a*", "a", true],
    ["a**", "a", true],
    ["*a", "ba", true],
    ["h[^e]llo", "hello", false],
    ["h[^e]llo", "hallo", true],
    ["h[b-a]llo", "hallo", true],
    ["[a-]", "b", false],
    ["[a-]", "]", true],
    ["[a-]", "^", true],
    ["[", "[", false],
    ["[^", "x", true],
    ["[abc", "b", true],
    ["[]a]", "a", false],
    ["[\\]]", "]", true],
    ["[\\", "\\", true],
    ["a\\", "a\\", true],
    ["\\*", "*", true],
    ["\\*", "x", false],
    ["[\x80-a]", "\0", true],
    ["[\x80-a]", "b", false],
    ["[a-\x80]", "\xff", true]
  ])("%j and %j: %j", (pattern, text, expected) => {
    expect(glob(pattern, text)).toBe(expected)
  })

  it("folds letters, but not those after a backslash in brackets", () => {
    expect(globAnyCase("MAX*[A-M]*", "maxmemory")).toBe(true)
    expect(globAnyCase("\\A", "a")).toBe(true)
    expect(globAnyCase("[\\A]", "a")).toBe(false)
    expect(glob("A", "a")).toBe(false)
  })

  it("takes no exponential time", () => {
    const text = "a".repeat(20_000)
    expect(glob("*a".repeat(500) + "*b", text)).toBe(false)
    expect(glob("*a".repeat(500), text)).toBe(true)
    expect(glob("*?".repeat(500) + "b", text)).toBe(false)
  })

  it("knows patterns that need no matching", () => {
    for (const text of ["", "abc", "a-b]", "\x80^"]) expect(isLiteral(Slice.latin1(text))).toBe(true)
    for (const text of ["a*", "?", "[a]", "\\a"]) expect(isLiteral(Slice.latin1(text))).toBe(false)
    expect(matchesEverything(Slice.latin1("*"))).toBe(true)
    expect(matchesEverything(Slice.latin1("**"))).toBe(false)
  })
})
