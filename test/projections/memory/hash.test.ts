import fc from "fast-check"
import { describe, expect, it } from "vitest"
import { hashBytes } from "../../../src/projections/memory/hash.ts"

/** HalfSipHash as its definition reads, with any numbers of rounds, on arrays of u32. */
const halfSipHash = (compression: number, finalization: number, key: Uint8Array, input: Uint8Array): number => {
  const word = (bytes: Uint8Array, at: number): number =>
    new DataView(bytes.buffer, bytes.byteOffset).getUint32(at, true)
  const rotate = (x: number, by: number): number => ((x << by) | (x >>> (32 - by))) >>> 0
  const v = Uint32Array.of(
    word(key, 0),
    word(key, 4),
    0x6c796765 ^ word(key, 0),
    0x74656462 ^ word(key, 4)
  )
  const mix = (a: number, b: number, by: number): void => {
    v[a] = v[a]! + v[b]!
    v[b] = rotate(v[b]!, by) ^ v[a]!
  }
  const rounds = (n: number): void => {
    for (let i = 0; i < n; i++) {
      mix(0, 1, 5)
      v[0] = rotate(v[0]!, 16)
      mix(2, 3, 8)
      mix(0, 3, 7)
      mix(2, 1, 13)
      v[2] = rotate(v[2]!, 16)
    }
  }
  const padded = new Uint8Array((input.length >>> 2) * 4 + 4)
  padded.set(input)
  padded[padded.length - 1] = input.length
  for (let at = 0; at < padded.length; at += 4) {
    const m = word(padded, at)
    v[3] = v[3]! ^ m
    rounds(compression)
    v[0] = v[0]! ^ m
  }
  v[2] = v[2]! ^ 0xff
  rounds(finalization)
  return (v[1]! ^ v[3]!) >>> 0
}

describe("hash", () => {
  it("has a model that gives the published results of HalfSipHash-2-4", () => {
    // The authors' vectors: key 00 … 07, inputs of 0, 1, 2 and 3 bytes 00, 01, 02; results as little-endian bytes.
    const key = Uint8Array.from({ length: 8 }, (_, i) => i)
    const results = [0, 1, 2, 3].map((length) => halfSipHash(2, 4, key, key.slice(0, length)))
    expect(results).toEqual([0x5b9f35a9, 0xb85a4727, 0x03a662fa, 0x04e7fe8a])
  })

  it("agrees with the model, wherever the bytes lie", () => {
    fc.assert(
      fc.property(
        fc.uint8Array({ minLength: 8, maxLength: 8 }),
        fc.uint8Array({ maxLength: 600 }),
        fc.nat(20),
        (key, input, start) => {
          const bytes = new Uint8Array(start + input.length + 9).fill(0xaa)
          bytes.set(input, start)
          const view = new DataView(key.buffer, key.byteOffset)
          const hash = hashBytes(view.getUint32(0, true), view.getUint32(4, true), bytes, start, input.length)
          expect(hash).toBe(halfSipHash(1, 3, key, input))
          expect(hash).toBe(hash >>> 0)
        }
      ),
      { numRuns: 3000 }
    )
  })

  it("spreads similar keys over both ends of the hash", () => {
    const keys = 1 << 16
    for (const shift of [0, 21]) {
      const hits = new Uint32Array(2048)
      for (let i = 0; i < keys; i++) {
        const key = Buffer.from(`key:${i}`)
        const slot = hashBytes(1, 2, key, 0, key.length) >>> shift & 2047
        hits[slot] = hits[slot]! + 1
      }
      // 32 to a slot on average, standard deviation 5.7.
      expect(Math.max(...hits)).toBeLessThan(32 + 7 * 5.7)
      expect(Math.min(...hits)).toBeGreaterThan(0)
    }
  })
})
