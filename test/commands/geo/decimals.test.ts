import { describe, expect, it } from "vitest"
import {
  digits,
  fourDecimals,
  seventeenDecimals,
  sixDecimals,
  writeCoordinate,
  writeTenThousandths
} from "../../../src/commands/geo/decimals.ts"
import { Place, placeOfScore } from "../../../src/projections/structures/geohash.ts"
import { forSeeds, Random, scaled } from "../../support/random.ts"

/** A double times a power of ten, rounded to the nearest integer, halves to the even one: with integers alone. */
const rounded = (value: number, decimals: number): bigint => {
  const scaledUp = BigInt(value * 2 ** 90) * 10n ** BigInt(decimals) // exact for what is tested here
  const one = 1n << 90n
  const floor = scaledUp >> 90n
  const rest = scaledUp - floor * one
  return rest * 2n > one || (rest * 2n === one && (floor & 1n) === 1n) ? floor + 1n : floor
}

const fixed = (value: number, decimals: number): string => {
  const text = rounded(Math.abs(value), decimals).toString().padStart(decimals + 1, "0")
  return `${value < 0 ? "-" : ""}${text.slice(0, -decimals)}.${text.slice(-decimals)}`
}

const written = (length: number): string => Buffer.from(digits.subarray(0, length)).toString("latin1")

describe("decimals", () => {
  it("are rounded as C rounds them, halves to the even digit", () => {
    expect([0.03125, 0.09375, 1.00005, -0.03125].map(fourDecimals)).toEqual(["0.0312", "0.0938", "1.0001", "-0.0312"])
    expect([0.0078125, 0.0234375, 180.0000006].map(sixDecimals)).toEqual(["0.007812", "0.023438", "180.000001"])
    expect([1e22, Infinity, -Infinity, NaN].map(fourDecimals)).toEqual([
      "10000000000000000000000.0000",
      "inf",
      "-inf",
      "-nan"
    ])
    expect([180, 0, -0.0, 1e-20, -1e-20, 0.5].map(seventeenDecimals)).toEqual(["180", "0", "0", "0", "0", "0.5"])
    forSeeds(3, (random) => {
      for (let i = 0; i < scaled(2000); i++) {
        const value = random.chance(0.5) ? random.between(-1e6, 1e6) / 64 : (random.fraction() - 0.5) * 1000
        expect(fourDecimals(value)).toBe(fixed(value, 4))
        expect(sixDecimals(value)).toBe(fixed(value, 6))
      }
    })
  })

  it("of coordinates are the same in bytes", () => {
    forSeeds(3, (random) => {
      const place = new Place()
      for (let i = 0; i < scaled(4000); i++) {
        placeOfScore(Math.floor(random.fraction() * 2 ** 52), place)
        for (const value of [place.longitude, place.latitude]) {
          const text = fixed(value, 17).replace(/\.?0+$/, "")
          expect(seventeenDecimals(value)).toBe(text)
          expect(written(writeCoordinate(value))).toBe(text)
        }
      }
    })
    for (
      const value of [180, -180, 0, -0, 0.5, -0.25, 85.05112878, 1e-17, 5e-324, 1e6, 0.1, 0.99999999999999989, 2 ** -18]
    ) {
      expect(written(writeCoordinate(value))).toBe(seventeenDecimals(value))
    }
  })

  it("of distances are the same in bytes", () => {
    const random = new Random(5)
    for (let i = 0; i < 3000; i++) {
      const count = Math.floor(random.fraction() * 10 ** random.between(1, 12))
      expect(written(writeTenThousandths(count))).toBe(fixed(count / 10_000, 4))
    }
  })
})
