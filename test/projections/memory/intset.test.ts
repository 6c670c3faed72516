import { describe, expect, it } from "vitest"
import { toInt64 } from "../../../src/projections/memory/integer.ts"
import { integerAt, putInteger, search, widthFor } from "../../../src/projections/memory/intset.ts"
import { forSeeds, type Random } from "../../support/random.ts"

const range = (
  width: number
): readonly [bigint, bigint] => [-(1n << BigInt(8 * width - 1)), (1n << BigInt(8 * width - 1)) - 1n]

/** An integer that needs at most this width, often one at the edge of a width or next to it. */
const integer = (random: Random, width: number): bigint => {
  const [low, high] = range(width)
  if (random.chance(0.3)) {
    const [edge, other] = range(random.pick([2, 4, 8].filter((w) => w <= width)))
    const near = random.pick([edge, other, 0n, 2n ** 53n, -(2n ** 53n)]) + BigInt(random.between(-2, 2))
    return near < low ? low : near > high ? high : near
  }
  return BigInt.asIntN(8 * width, BigInt(random.uint32()) << 32n | BigInt(random.uint32())) >>
    BigInt(random.below(8 * width))
}

describe("intset", () => {
  it("finds every integer, and the place of every other", () => {
    forSeeds(3000, (random) => {
      const width = random.pick([2, 4, 8])
      const start = random.below(5)
      const set = new Set(Array.from({ length: random.below(60) }, () => integer(random, width)))
      const sorted = [...set].sort((a, b) => a < b ? -1 : 1)
      const bytes = new Uint8Array(start + sorted.length * width + 3).fill(0xa5)
      for (const [i, value] of sorted.entries()) putInteger(bytes, start + i * width, width, toInt64(value))
      for (const [i, value] of sorted.entries()) {
        expect(integerAt(bytes, start + i * width, width)).toBe(toInt64(value))
        expect(search(bytes, start, sorted.length, width, toInt64(value))).toBe(i)
      }
      expect([...bytes.subarray(start + sorted.length * width)]).toEqual([0xa5, 0xa5, 0xa5])
      for (let i = 0; i < 20; i++) {
        // Also integers too wide for this set are looked for.
        const wanted = integer(random, 8)
        const place = set.has(wanted) ? sorted.indexOf(wanted) : -1 - sorted.filter((value) => value < wanted).length
        expect(search(bytes, start, sorted.length, width, toInt64(wanted))).toBe(place)
      }
    })
  })

  it("has the bytes of a DataView, and the least width", () => {
    const bytes = new Uint8Array(8)
    const view = new DataView(bytes.buffer)
    forSeeds(20_000, (random) => {
      const value = integer(random, 8)
      const width = [2, 4, 8].find((w) => value >= range(w)[0] && value <= range(w)[1])!
      expect(widthFor(toInt64(value))).toBe(width)
      putInteger(bytes, 0, width, toInt64(value))
      const read = width === 2
        ? view.getInt16(0, true)
        : width === 4
        ? view.getInt32(0, true)
        : view.getBigInt64(0, true)
      expect(BigInt(read)).toBe(value)
    })
  })
})
