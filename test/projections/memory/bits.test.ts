import { describe, expect, it } from "vitest"
import { chunkBytes } from "../../../src/projections/memory/bit-kernel.ts"
import { bitOperations, combineBits, countOnes, findBit } from "../../../src/projections/memory/bits.ts"
import { Slice } from "../../../src/projections/memory/slice.ts"
import { bitsOf, combined } from "../../support/bit-model.ts"
import { forSeeds, type Random, scaled } from "../../support/random.ts"

const lengths = [0, 1, 2, 7, 31, 47, 48, 49, 63, 64, 65, 127, 128, 129, 200, 1000]
/** What takes several chunks; too much for the model, so it is compared with the sum of short parts. */
const longLengths = [chunkBytes - 1, chunkBytes, chunkBytes + 1, chunkBytes + 65, 2 * chunkBytes + 3]
const partBytes = 1000

/** Random bytes, or mostly equal ones with few others, beginning anywhere in their buffer. */
const run = (random: Random, length: number): Slice => {
  const before = random.below(9)
  const bytes = random.chance(0.5) ? random.bytes(length) : new Uint8Array(length).fill(random.pick([0x00, 0xff]))
  for (let i = random.below(3); i > 0 && length > 0; i--) bytes[random.below(length)] = random.below(256)
  const backing = random.bytes(before + length + random.below(9))
  backing.set(bytes, before)
  return new Slice(backing, before, length)
}
const anyLength = (random: Random): number => random.pick(lengths)

describe("loops over bits", () => {
  it("count the ones of any part of any bytes", () => {
    forSeeds(scaled(2000), (random) => {
      const { bytes, length, start } = run(random, anyLength(random))
      const from = random.below(length + 1)
      const to = random.between(from, length)
      const expected = bitsOf(bytes.subarray(start + from, start + to)).reduce((sum, bit) => sum + bit, 0)
      expect(countOnes(bytes, start + from, start + to)).toBe(expected)
    })
  })

  it("count in many chunks what they count in short parts", () => {
    forSeeds(scaled(50), (random) => {
      const { bytes, length, start } = run(random, random.pick(longLengths))
      let sum = 0
      for (let at = 0; at < length; at += partBytes) {
        sum += countOnes(bytes, start + at, start + Math.min(at + partBytes, length))
      }
      expect(countOnes(bytes, start, start + length)).toBe(sum)
    })
  })

  it("combine in many chunks what they combine in short parts", () => {
    forSeeds(scaled(100), (random) => {
      const operation = random.pick(bitOperations)
      const sources = Array.from({ length: random.between(1, 4) }, () => run(random, random.pick(longLengths)))
      const length = Math.max(...sources.map((source) => source.length))
      const whole = new Uint8Array(length + 3)
      combineBits(operation, sources, sources.length, whole, 3, length)
      const parts = new Uint8Array(length + 3)
      for (let at = 0; at < length; at += partBytes) {
        const piece = Math.min(partBytes, length - at)
        const here = sources.map(({ bytes, length: all, start }) =>
          new Slice(bytes, start + Math.min(at, all), Math.max(0, Math.min(piece, all - at)))
        )
        combineBits(operation, here, here.length, parts, at + 3, piece)
      }
      expect(Buffer.compare(whole, parts)).toBe(0)
    })
  })

  it("count more ones than 32 bits of bytes could at once", () => {
    const bytes = new Uint8Array(5 * chunkBytes + 77).fill(0xff)
    expect(countOnes(bytes, 3, bytes.length)).toBe((bytes.length - 3) * 8)
  })

  it("find the first bit of a kind between any two places", () => {
    forSeeds(scaled(2000), (random) => {
      const { bytes, length, start } = run(random, Math.max(1, anyLength(random)))
      const bits = bitsOf(bytes.subarray(start, start + length))
      const bit = random.below(2)
      const from = random.below(bits.length)
      const to = random.between(from, bits.length - 1)
      const found = bits.indexOf(bit, from)
      expect(findBit(bytes, start, bit, from, to), `bit ${bit} from ${from} to ${to}`)
        .toBe(found > to ? -1 : found)
    })
  })

  for (const operation of bitOperations) {
    it(`combine with ${operation}, whatever the lengths and places of the sources`, () => {
      forSeeds(scaled(150), (random) => {
        const sources = Array.from({ length: random.below(6) }, () => run(random, anyLength(random)))
        if (sources.length > 0 && random.chance(0.3)) sources.push(random.pick(sources))
        const length = Math.max(0, ...sources.map((source) => source.length))
        const at = random.below(9)
        const target = random.bytes(at + length + 9)
        const expected = Buffer.from(target)
        combined(operation, sources.map((source) => source.toBytes())).copy(expected, at)
        combineBits(operation, [...sources, run(random, 7)], sources.length, target, at, length)
        expect(Buffer.compare(target, expected)).toBe(0)
      })
    })
  }

  it("combine into one of the sources", () => {
    forSeeds(scaled(150), (random) => {
      const operation = random.pick(bitOperations)
      const others = Array.from({ length: random.below(3) }, () => run(random, anyLength(random)))
      const own = run(random, anyLength(random))
      const length = Math.max(own.length, ...others.map((source) => source.length))
      const target = new Uint8Array(length + 5)
      target.set(own.toBytes(), 5)
      const sources = [...others, new Slice(target, 5, own.length)]
      if (random.chance(0.3)) sources.reverse()
      const expected = combined(operation, sources.map((source) => source.toBytes()))
      combineBits(operation, sources, sources.length, target, 5, length)
      expect(Buffer.compare(target.subarray(5), expected)).toBe(0)
    })
  })
})
