import { describe, expect, it } from "vitest"
import {
  fromWords,
  highWord,
  lowWord,
  parseInt64,
  toInt64,
  writeInt64
} from "../../../src/projections/memory/integer.ts"
import { forSeeds, type Random } from "../../support/random.ts"

/** Integers of all lengths, and both neighbours of every power of ten and of two. */
const integer = (random: Random): bigint => {
  const sign = random.chance(0.5) ? 1n : -1n
  const near = BigInt(random.between(-1, 1))
  if (random.chance(0.3)) return sign * (10n ** BigInt(random.below(19)) + near)
  if (random.chance(0.3)) return BigInt.asIntN(64, sign * (1n << BigInt(random.below(64))) + near)
  const wide = BigInt(random.uint32()) << 32n | BigInt(random.uint32())
  return BigInt.asIntN(64, wide) >> BigInt(random.below(64))
}

describe("integers", () => {
  it("become text and words, and come back", () => {
    const out = new Uint8Array(40)
    forSeeds(50_000, (random) => {
      const wide = integer(random)
      const value = toInt64(wide)
      out.fill(1)
      const end = writeInt64(out, 5, value)
      expect(Buffer.from(out.subarray(5, end)).toString("latin1")).toBe(`${wide}`)
      expect(out[4]! + out[end]!).toBe(2)
      expect(parseInt64(out, 5, end - 5)).toBe(value)
      expect(fromWords(highWord(value), lowWord(value))).toBe(value)
    })
    expect(writeInt64(out, 0, -0)).toBe(1)
    expect(out[0]).toBe(48)
  })

  it("are read of canonical text only", () => {
    for (const text of ["", "-", "-0", "+1", "00", "01", "-01", " 1", "1 ", "1.0", "1e3", "9223372036854775808", "x"]) {
      const bytes = Buffer.from(text, "latin1")
      expect([text, parseInt64(bytes, 0, bytes.length)]).toEqual([text, undefined])
    }
  })
})
