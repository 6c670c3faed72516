import * as fc from "fast-check"
import { describe, expect, it } from "vitest"
import { script, script3, withList } from "./support.ts"

describe("LCS", () => {
  it("answers the subsequence, its length or its parts", () => {
    const commands = `
      MSET a ohmytext b mynewtext
      LCS a b
      LCS a b LEN
      LCS a b IDX
      LCS a b IDX MINMATCHLEN 4
      LCS a b IDX MINMATCHLEN 4 WITHMATCHLEN
      LCS a b IDX MINMATCHLEN -5 WITHMATCHLEN
      LCS a b LEN MINMATCHLEN 9
      LCS a none
      LCS none none LEN
      LCS none a IDX
      MSET a 12345 b 91345
      LCS a b
      LCS a a IDX WITHMATCHLEN
    `
    expect(script(commands)).toMatchInlineSnapshot(`
      "> MSET a ohmytext b mynewtext
        #1 StringSet key=a value=ohmytext expireAt=null
        #1 StringSet key=b value=mynewtext expireAt=null
      OK
      > LCS a b
      "mytext"
      > LCS a b LEN
      (integer) 6
      > LCS a b IDX
      ["matches", [[[(integer) 4, (integer) 7], [(integer) 5, (integer) 8]], [[(integer) 2, (integer) 3], [(integer) 0, (integer) 1]]], "len", (integer) 6]
      > LCS a b IDX MINMATCHLEN 4
      ["matches", [[[(integer) 4, (integer) 7], [(integer) 5, (integer) 8]]], "len", (integer) 6]
      > LCS a b IDX MINMATCHLEN 4 WITHMATCHLEN
      ["matches", [[[(integer) 4, (integer) 7], [(integer) 5, (integer) 8], (integer) 4]], "len", (integer) 6]
      > LCS a b IDX MINMATCHLEN -5 WITHMATCHLEN
      ["matches", [[[(integer) 4, (integer) 7], [(integer) 5, (integer) 8], (integer) 4], [[(integer) 2, (integer) 3], [(integer) 0, (integer) 1], (integer) 2]], "len", (integer) 6]
      > LCS a b LEN MINMATCHLEN 9
      (integer) 6
      > LCS a none
      ""
      > LCS none none LEN
      (integer) 0
      > LCS none a IDX
      ["matches", [], "len", (integer) 0]
      > MSET a 12345 b 91345
        #2 StringSet key=a value=12345 expireAt=null
        #2 StringSet key=b value=91345 expireAt=null
      OK
      > LCS a b
      "1345"
      > LCS a a IDX WITHMATCHLEN
      ["matches", [[[(integer) 0, (integer) 4], [(integer) 0, (integer) 4], (integer) 5]], "len", (integer) 5]"
    `)
    expect(script3(commands)).toMatchInlineSnapshot(`
      "> MSET a ohmytext b mynewtext
        #1 StringSet key=a value=ohmytext expireAt=null
        #1 StringSet key=b value=mynewtext expireAt=null
      OK
      > LCS a b
      "mytext"
      > LCS a b LEN
      (integer) 6
      > LCS a b IDX
      {"matches", [[[(integer) 4, (integer) 7], [(integer) 5, (integer) 8]], [[(integer) 2, (integer) 3], [(integer) 0, (integer) 1]]], "len", (integer) 6}
      > LCS a b IDX MINMATCHLEN 4
      {"matches", [[[(integer) 4, (integer) 7], [(integer) 5, (integer) 8]]], "len", (integer) 6}
      > LCS a b IDX MINMATCHLEN 4 WITHMATCHLEN
      {"matches", [[[(integer) 4, (integer) 7], [(integer) 5, (integer) 8], (integer) 4]], "len", (integer) 6}
      > LCS a b IDX MINMATCHLEN -5 WITHMATCHLEN
      {"matches", [[[(integer) 4, (integer) 7], [(integer) 5, (integer) 8], (integer) 4], [[(integer) 2, (integer) 3], [(integer) 0, (integer) 1], (integer) 2]], "len", (integer) 6}
      > LCS a b LEN MINMATCHLEN 9
      (integer) 6
      > LCS a none
      ""
      > LCS none none LEN
      (integer) 0
      > LCS none a IDX
      {"matches", [], "len", (integer) 0}
      > MSET a 12345 b 91345
        #2 StringSet key=a value=12345 expireAt=null
        #2 StringSet key=b value=91345 expireAt=null
      OK
      > LCS a b
      "1345"
      > LCS a a IDX WITHMATCHLEN
      {"matches", [[[(integer) 0, (integer) 4], [(integer) 0, (integer) 4], (integer) 5]], "len", (integer) 5}"
    `)
  })

  it("refuses", () => {
    expect(script(`
      MSET a x b y
      LCS a list
      LCS list a WHAT
      LCS a b WHAT
      LCS a b LEN IDX
      LCS a b LEN IDX WHAT
      LCS a b MINMATCHLEN
      LCS a b MINMATCHLEN x
    `)).toMatchInlineSnapshot(`
      "> MSET a x b y
        #1 StringSet key=a value=x expireAt=null
        #1 StringSet key=b value=y expireAt=null
      OK
      > LCS a list
      (error) ERR The specified keys must contain string values
      > LCS list a WHAT
      (error) ERR The specified keys must contain string values
      > LCS a b WHAT
      (error) ERR syntax error
      > LCS a b LEN IDX
      (error) ERR If you want both the length and indexes, please just use IDX.
      > LCS a b LEN IDX WHAT
      (error) ERR syntax error
      > LCS a b MINMATCHLEN
      (error) ERR syntax error
      > LCS a b MINMATCHLEN x
      (error) ERR value is not an integer or out of range"
    `)
    const harness = withList()
    harness.run("MSET", "a", "x".repeat(20_000), "b", "y".repeat(20_000))
    expect(harness.run("LCS", "a", "b", "LEN")).toBe(
      "-ERR Insufficient memory, transient memory for LCS exceeds proto-max-bulk-len\r\n"
    )
  })

  it("finds a longest one, and its parts spell it", () => {
    const text = fc.string({ unit: fc.constantFrom("a", "b", "c"), maxLength: 12 })
    /** Length by trying every subsequence of the first. */
    const longest = (a: string, b: string): number => {
      if (a === "" || b === "") return 0
      if (a[0] === b[0]) return 1 + longest(a.slice(1), b.slice(1))
      return Math.max(longest(a.slice(1), b), longest(a, b.slice(1)))
    }
    const harness = withList()
    fc.assert(
      fc.property(text, text, (a, b) => {
        harness.run("MSET", "a", a, "b", b)
        const length = longest(a, b)
        expect(harness.run("LCS", "a", "b", "LEN")).toBe(`:${length}\r\n`)
        const common = harness.run("LCS", "a", "b").split("\r\n")[1]!
        expect(common).toHaveLength(length)
        const numbers = [...harness.run("LCS", "a", "b", "IDX").matchAll(/:(\d+)/g)].map((found) => Number(found[1]))
        expect(numbers.pop()).toBe(length)
        let spelled = ""
        for (let i = 0; i < numbers.length; i += 4) {
          const part = a.slice(numbers[i]!, numbers[i + 1]! + 1)
          expect(b.slice(numbers[i + 2]!, numbers[i + 3]! + 1)).toBe(part)
          spelled = part + spelled
        }
        expect(spelled).toBe(common)
      }),
      { numRuns: 150 }
    )
  })
})
