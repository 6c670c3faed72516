import { describe, expect, it } from "vitest"
import { cellsOf } from "../../../src/projections/structures/geohash-area.ts"
import { distanceOf } from "../../../src/projections/structures/geohash-distance.ts"
import { boundsOf, Measure, type Shape } from "../../../src/projections/structures/geohash-shape.ts"
import { arcSine, cosine, sine } from "../../../src/projections/structures/geohash-trigonometry.ts"
import {
  cellScore,
  columnOf,
  fullSteps,
  geohashText,
  latitudeLimit,
  longitudeLimit,
  Place,
  placeOfScore,
  rowOf,
  scoreOfPlace,
  southOf,
  westOf
} from "../../../src/projections/structures/geohash.ts"
import { forSeeds, Random, scaled } from "../../support/random.ts"

const within = (random: Random, limit: number): number => (2 * random.fraction() - 1) * limit

/** The definition, bit by bit. */
const interleaved = (longitude: number, latitude: number): bigint => {
  let bits = 0n
  let [west, east, south, north] = [-longitudeLimit, longitudeLimit, -latitudeLimit, latitudeLimit]
  for (let i = 0; i < fullSteps; i++) {
    const middle = (west + east) / 2
    const parallel = (south + north) / 2
    bits = bits << 2n | (longitude >= middle ? 2n : 0n) | (latitude >= parallel ? 1n : 0n)
    if (longitude >= middle) west = middle
    else east = middle
    if (latitude >= parallel) south = parallel
    else north = parallel
  }
  return bits
}

describe("numbers of places", () => {
  it("are those of halving the plane by turns", () => {
    const random = new Random(1)
    for (let i = 0; i < scaled(3000); i++) {
      const [longitude, latitude] = [within(random, longitudeLimit), within(random, latitudeLimit)]
      // Halving rounds otherwise than dividing does where a place lies next to the edge of a smallest cell.
      const difference = BigInt(scoreOfPlace(longitude, latitude)) ^ interleaved(longitude, latitude)
      if (difference !== 0n) {
        const column = (longitude + longitudeLimit) / 360 * 2 ** fullSteps
        const row = (latitude + latitudeLimit) / (2 * latitudeLimit) * 2 ** fullSteps
        expect(Math.min(...[column, row].map((at) => Math.abs(at - Math.round(at))))).toBeLessThan(1e-6)
      }
    }
  })

  it("decode to the middle of the cell that the place lies in, and encode to the same number again", () => {
    forSeeds(4, (random) => {
      const place = new Place()
      for (let i = 0; i < scaled(5000); i++) {
        const [longitude, latitude] = [within(random, longitudeLimit), within(random, latitudeLimit)]
        const score = scoreOfPlace(longitude, latitude)
        placeOfScore(score, place)
        expect(Math.abs(place.longitude - longitude)).toBeLessThanOrEqual(180 / 2 ** fullSteps * (1 + 1e-6))
        expect(Math.abs(place.latitude - latitude)).toBeLessThanOrEqual(latitudeLimit / 2 ** fullSteps * (1 + 1e-6))
        expect(scoreOfPlace(place.longitude, place.latitude)).toBe(score)
      }
    })
  })

  it("have a place whatever the number is", () => {
    const place = new Place()
    for (
      const score of [-1, -0.5, 0, 0.5, 2 ** 52, 2 ** 53, 2 ** 54, 2 ** 63, 2 ** 64, 1e300, Infinity, -Infinity, -1e19]
    ) {
      placeOfScore(score, place)
      expect(Math.abs(place.longitude)).toBeLessThanOrEqual(longitudeLimit)
      expect(Math.abs(place.latitude)).toBeLessThanOrEqual(latitudeLimit)
    }
  })

  it("lie between those of the cell's ends, at every size of cell", () => {
    forSeeds(2, (random) => {
      const ends = [longitudeLimit, -longitudeLimit]
      for (let i = 0; i < scaled(2000); i++) {
        const longitude = random.chance(0.1) ? random.pick(ends) : within(random, longitudeLimit)
        const latitude = random.chance(0.1) ? latitudeLimit : within(random, latitudeLimit)
        const score = scoreOfPlace(longitude, latitude)
        const steps = random.between(1, fullSteps - 1)
        const [column, row] = [columnOf(longitude, steps), rowOf(latitude, steps)]
        expect(cellScore(column, row, steps, false)).toBeLessThanOrEqual(score)
        expect(cellScore(column, row, steps, true)).toBeGreaterThan(score)
        expect(westOf(column, steps)).toBeLessThanOrEqual(longitude)
        expect(southOf(row, steps)).toBeLessThanOrEqual(latitude + 1e-9)
      }
    })
  })

  it("in letters are the geohashes of the public examples", () => {
    const text = (longitude: number, latitude: number): string => {
      const place = new Place()
      place.longitude = longitude
      place.latitude = latitude
      return geohashText(place)
    }
    // The eleventh letter would need bits that there are not.
    expect(text(-5.6, 42.6)).toBe("ezs42e44yx0")
    expect(text(10.40744, 57.64911)).toBe("u4pruydqqv0")
  })
})

/** Sine and cosine with 220 bits, from the power series. */
const bits = 220n
const fixed = (value: number): bigint => {
  const scaledUp = value * 2 ** 120 // exact: no argument here has more bits
  return BigInt(scaledUp) << (bits - 120n)
}
const series = (angle: bigint, first: bigint, from: bigint): bigint => {
  let sum = 0n
  let term = first
  for (let n = from; term !== 0n; n += 2n) {
    sum += term
    term = -((term * angle >> bits) * angle >> bits) / ((n + 1n) * (n + 2n))
  }
  return sum
}
const sineOf = (angle: bigint): bigint => series(angle, angle, 1n)
const cosineOf = (angle: bigint): bigint => series(angle, 1n << bits, 0n)
const asDouble = (value: bigint): number => Number(value) / 2 ** Number(bits)

describe("trigonometry", () => {
  it("rounds sines and cosines to the nearest double", () => {
    forSeeds(2, (random) => {
      for (let i = 0; i < scaled(500); i++) {
        const angle = within(random, Math.PI) * random.pick([1, 1, 0.5, 0.01, 1e-6])
        expect(sine(angle)).toBe(asDouble(sineOf(fixed(angle))))
        const latitude = within(random, 1.49)
        expect(cosine(latitude)).toBe(asDouble(cosineOf(fixed(latitude))))
      }
    })
  })

  it("rounds the sine of what is next to half a turn as well as others", () => {
    forSeeds(1, (random) => {
      for (let i = 0; i < 200; i++) {
        const angle = Math.PI - random.fraction() * 10 ** -random.between(1, 12)
        expect(sine(angle)).toBe(asDouble(sineOf(fixed(angle))))
      }
      expect(sine(Math.PI)).toBe(asDouble(sineOf(fixed(Math.PI))))
    })
  })

  it("rounds arc sines to the nearest double: the sine of no double beside it is nearer", () => {
    forSeeds(2, (random) => {
      for (let i = 0; i < scaled(300); i++) {
        const value = random.pick([
          random.fraction(),
          random.fraction() * 1e-6,
          1 - random.fraction() * 10 ** -random.between(1, 15)
        ])
        const found = arcSine(value)
        const unit = 2 ** (Math.floor(Math.log2(found)) - 53) // half of a unit in the last place
        const exact = fixed(value)
        expect(sineOf(fixed(found) - fixed(unit))).toBeLessThanOrEqual(exact)
        // Beyond a right angle sines fall again.
        if (found + unit < Math.PI / 2) expect(sineOf(fixed(found) + fixed(unit))).toBeGreaterThanOrEqual(exact)
      }
    })
    expect([arcSine(0), arcSine(1), arcSine(1.0000000000000002)]).toEqual([0, Math.PI / 2, NaN])
  })
})

describe("distances", () => {
  it("are the same there and back, zero at home, and half of the equator at most", () => {
    forSeeds(2, (random) => {
      for (let i = 0; i < scaled(2000); i++) {
        const [a, b, c, d] = [within(random, 180), within(random, 85), within(random, 180), within(random, 85)]
        const metres = distanceOf(a, b, c, d)
        expect(distanceOf(c, d, a, b)).toBe(metres)
        expect(distanceOf(a, b, a, b)).toBe(0)
        expect(metres).toBeLessThanOrEqual(Math.PI * 6372797.560856)
      }
    })
  })

  it("decide quickly as they do in full, at the very edge of shapes too", () => {
    forSeeds(3, (random) => {
      for (let i = 0; i < scaled(2000); i++) {
        const [longitude, latitude] = [within(random, 180), within(random, latitudeLimit)]
        const far = random.pick([0.001, 1, 100])
        const there = Math.max(-180, Math.min(180, longitude + within(random, far)))
        const high = Math.max(-latitudeLimit, Math.min(latitudeLimit, latitude + within(random, far)))
        const metres = distanceOf(longitude, latitude, there, high)
        const near = metres * random.pick([1, 1 + Number.EPSILON, 1 - Number.EPSILON, 1 + 1e-12, 1 - 1e-12, 0.5, 2])
        const circle: Shape = { longitude, latitude, isBox: false, radius: near, width: 0, height: 0 }
        expect(new Measure(circle, boundsOf(circle)).contains(there, high)).toBe(metres <= near)
        const width = 2 * distanceOf(there, high, longitude, high) *
          random.pick([1, 1 + Number.EPSILON, 1 - Number.EPSILON])
        const height = 2 * distanceOf(there, high, there, latitude) * random.pick([1, 1, 1.5, 1 - Number.EPSILON])
        const box: Shape = { longitude, latitude, isBox: true, radius: 0, width, height }
        expect(new Measure(box, boundsOf(box)).contains(there, high)).toBe(
          distanceOf(there, high, longitude, high) <= width / 2 &&
            distanceOf(there, high, there, latitude) <= height / 2
        )
      }
    })
  })
})

/** A place anywhere, often at an end of the plane or next to it. */
const anyPlace = (random: Random): readonly [number, number] => {
  const longitude = random.chance(0.25)
    ? random.pick([180, -180, 179.99999, -179.9999, 179.5, 0])
    : within(random, longitudeLimit)
  const latitude = random.chance(0.3)
    ? random.pick([latitudeLimit, -latitudeLimit, 85.05, -85, 84.5, 79.9, -79.5])
    : within(random, latitudeLimit)
  return [longitude, latitude]
}

const anyShape = (random: Random): Shape => {
  const [longitude, latitude] = anyPlace(random)
  const length = (): number =>
    random.pick([0, 10, 5_000, 110_000, 300_000, 560_000, 625_000, 1_250_000, 3_000_000, 9_000_000, 2.1e7, 1e9]) *
    random.fraction()
  const isBox = random.chance(0.5)
  return isBox
    ? { longitude, latitude, isBox, radius: 0, width: length(), height: length() }
    : { longitude, latitude, isBox, radius: length(), width: 0, height: 0 }
}

describe("cells", () => {
  it("of a shape hold every place within it, over the poles and the date line too, and no cell comes twice", () => {
    forSeeds(4, (random) => {
      const place = new Place()
      let inside = 0
      for (let i = 0; i < scaled(1500); i++) {
        const shape = anyShape(random)
        const measure = new Measure(shape, boundsOf(shape))
        const { columns, rows, steps } = cellsOf(shape, boundsOf(shape))
        expect(columns.length).toBeLessThanOrEqual(100)
        expect(new Set(columns.map((column, n) => `${column} ${rows[n]}`)).size).toBe(columns.length)
        for (let n = 0; n < 40; n++) {
          // Half of the places near the center, for small shapes.
          const reach = Math.max(shape.radius, shape.width, shape.height) / 111_000 + 1e-5
          const [longitude, latitude] = random.chance(0.5) ? anyPlace(random) : [
            shape.longitude + within(random, Math.min(180, reach * 3)),
            shape.latitude + within(random, reach)
          ]
          const wrapped = longitude > 180 ? longitude - 360 : longitude < -180 ? longitude + 360 : longitude
          const score = scoreOfPlace(wrapped, Math.max(-latitudeLimit, Math.min(latitudeLimit, latitude)))
          placeOfScore(score, place)
          if (!measure.contains(place.longitude, place.latitude)) continue
          inside++
          const found = columns.filter((column, at) =>
            cellScore(column, rows[at]!, steps, false) <= score && score < cellScore(column, rows[at]!, steps, true)
          )
          if (found.length !== 1) throw new Error(`in ${found.length} cells: ${score} of ${JSON.stringify(shape)}`)
        }
      }
      expect(inside).toBeGreaterThan(5000)
    })
  })
})
