import * as Fc from "fast-check"
import { describe, expect, it } from "vitest"
import { alike, Words } from "../../src/commands/words.ts"
import { Slice } from "../../src/projections/memory/slice.ts"

/** Few distinct words, so that some come again, and more of them than are compared one by one. */
const names = Fc.array(Fc.integer({ min: 0, max: 30 }).map((n) => `word ${n}`), { maxLength: 60 })

describe("words of a request", () => {
  it("are found where they were first, however many there are", () => {
    Fc.assert(Fc.property(names, (given) => {
      const distinct = [...new Set(given)]
      const words = new Words()
      for (const name of given) {
        const word = Slice.latin1(name)
        const place = words.find(word)
        if (place < 0) words.add(word)
        expect(words.find(Slice.latin1(name))).toBe(distinct.indexOf(name))
      }
      expect(words.list.map((word) => word.latin1())).toEqual(distinct)
    }))
  })

  it("are known again", () => {
    Fc.assert(Fc.property(names, (given) => {
      const earlier = alike()
      expect(given.map((name) => earlier(Slice.latin1(name)))).toEqual(
        given.map((name, i) => given.indexOf(name) < i)
      )
    }))
  })
})
