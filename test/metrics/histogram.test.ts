import * as Fc from "fast-check"
import { describe, expect, it } from "vitest"
import { highestEquivalent, Histogram } from "../../src/metrics/histogram.ts"

const durations = Fc.array(Fc.integer({ min: 1, max: 1_000_000_000 }), { minLength: 1, maxLength: 300 })

describe("Histogram", () => {
  it("reads back percentiles no lower than the truth and at most 0.8 % above it", () => {
    Fc.assert(
      Fc.property(durations, Fc.integer({ min: 1, max: 100 }), (nanos, percent) => {
        const histogram = new Histogram()
        for (const one of nanos) histogram.record(one)
        const sorted = nanos.toSorted((a, b) => a - b)
        const rank = Math.max(1, Math.floor(percent / 100 * nanos.length + 0.5))
        const truth = sorted[rank - 1]!
        const read = histogram.percentile(percent)
        expect(read).toBeGreaterThanOrEqual(truth)
        expect(read).toBeLessThanOrEqual(Math.ceil(truth * (1 + 1 / 127)))
        expect(read).toBe(highestEquivalent(truth))
      })
    )
  })

  it("adds up: cumulative counts grow to the count, the sum is the sum", () => {
    Fc.assert(
      Fc.property(durations, Fc.integer({ min: 1, max: 5 }), (nanos, times) => {
        const histogram = new Histogram()
        for (const one of nanos) histogram.record(one, times)
        const bounds = [1, 10, 1000, 65_536, 1_000_000, 1_000_000_000]
        const counts = histogram.cumulative(bounds)
        expect(counts.every((count, i) => i === 0 || count >= counts[i - 1]!)).toBe(true)
        expect(counts.at(-1)).toBe(nanos.length * times)
        counts.forEach((count, i) =>
          expect(count).toBe(times * nanos.filter((one) => one <= highestEquivalent(bounds[i]!)).length)
        )
        expect(histogram.sum).toBe(times * nanos.reduce((sum, one) => sum + one, 0))
      })
    )
  })

  it("counts what is out of range at its ends, and forgets", () => {
    const histogram = new Histogram()
    for (const nanos of [-5, 0, 0.3, 7e9, Infinity]) histogram.record(nanos)
    expect([histogram.percentile(50), histogram.percentile(100)]).toEqual([1, highestEquivalent(1_000_000_000)])
    histogram.clear()
    expect([histogram.count, histogram.percentile(50)]).toEqual([0, 0])
  })
})
