/** Circles and boxes on the earth: where they lie, and which places are within them. */
import { degrees, distanceOf, earthRadius, radians } from "./geohash-distance.ts"
import { latitudeLimit, longitudeLimit } from "./geohash.ts"

/** Where places are searched: a circle or a box around a center; distances in metres, places in degrees. */
export interface Shape {
  readonly longitude: number
  readonly latitude: number
  readonly isBox: boolean
  /** Of a circle. */
  readonly radius: number
  /** Of a box. */
  readonly width: number
  readonly height: number
}

/** A rectangle of the plane, in degrees; it may reach over the ends of the plane. */
export interface Bounds {
  readonly west: number
  readonly east: number
  readonly south: number
  readonly north: number
}

const widened = 1 + 1e-9

/** Bounds that a shape surely keeps within; those of longitude may be infinite. */
export const boundsOf = (shape: Shape): Bounds => {
  const { height, isBox, latitude, longitude, radius, width } = shape
  const up = (isBox ? height / 2 : radius) / earthRadius * widened
  const south = latitude - degrees(up) - 1e-9
  const north = latitude + degrees(up) + 1e-9
  let aside: number
  if (isBox) {
    // It takes most degrees on its parallel next to a pole, as far as there are places.
    const outermost = Math.min(latitudeLimit, Math.max(-south, north))
    const angle = width / 4 / earthRadius * widened
    aside = angle < Math.PI / 2 ? 2 * Math.asin(Math.sin(angle) / Math.cos(radians(outermost))) : Infinity
  } else {
    const overPole = south <= -90 || north >= 90
    aside = overPole ? Infinity : Math.asin(Math.sin(up) / Math.cos(radians(latitude)))
  }
  // An arc sine beyond 1 is none: all longitudes.
  const most = aside >= 0 ? degrees(aside) * widened + 1e-9 : Infinity
  return { west: longitude - most, east: longitude + most, south, north }
}

/** The squared half chord that belongs to a distance in metres; infinite where no two places are so far from each other. */
const haversineOfDistance = (metres: number): number => {
  const angle = metres / (2 * earthRadius)
  return angle > Math.PI / 2 ? Infinity : Math.sin(angle) ** 2
}

/** How much a quick computation may be wrong, as a share of the result; it is wrong by some 2^-50. */
const quickError = 1e-13

/**
 * Tells which places are within a shape. Most are decided by the engine's quick sines; only where these might be wrong,
 * next to the edge, the distance is computed in full.
 */
export class Measure {
  private readonly shape: Shape
  private readonly longitude: number
  private readonly latitude: number
  private readonly cosine: number
  private readonly limit: number
  private readonly widthLimit: number
  private readonly bounds: Bounds
  /** The shape reaches over the end of the plane. */
  private readonly wraps: boolean
  /** Squared half chord between the center and the place `contains` was asked about last, nearly. */
  haversine = 0

  /** @param bounds what the shape surely keeps within */
  constructor(shape: Shape, bounds: Bounds) {
    this.shape = shape
    this.bounds = bounds
    this.wraps = !(bounds.west > -longitudeLimit && bounds.east < longitudeLimit)
    this.longitude = radians(shape.longitude)
    this.latitude = radians(shape.latitude)
    this.cosine = Math.cos(this.latitude)
    this.limit = haversineOfDistance(shape.radius)
    this.widthLimit = haversineOfDistance(shape.width / 2)
  }

  /** Whether a place is within the shape. */
  contains(longitude: number, latitude: number): boolean {
    const { bounds } = this
    if (latitude < bounds.south || latitude > bounds.north) return false
    if (!this.wraps && (longitude < bounds.west || longitude > bounds.east)) return false
    const angle = radians(latitude)
    const u = Math.sin((angle - this.latitude) / 2)
    const v = Math.sin((radians(longitude) - this.longitude) / 2)
    const cosine = Math.cos(angle)
    this.haversine = u * u + this.cosine * cosine * v * v
    const { shape } = this
    if (!shape.isBox) {
      const order = quickOrder(this.haversine, this.limit)
      return order === 0 ? !(this.distance(longitude, latitude) > shape.radius) : order < 0
    }
    if (earthRadius * Math.abs(this.latitude - angle) > shape.height / 2) return false
    // How wide the box is counts on the place's own parallel.
    const order = quickOrder(cosine * cosine * v * v, this.widthLimit)
    return order === 0 ? !(distanceOf(longitude, latitude, shape.longitude, latitude) > shape.width / 2) : order < 0
  }

  /** The distance of a place from the center in metres, exactly as `distanceOf` gives it. */
  distance(longitude: number, latitude: number): number {
    return distanceOf(this.shape.longitude, this.shape.latitude, longitude, latitude)
  }
}

/** Negative or positive where `a` is surely less or greater than `b`, though both were computed quickly; else 0. */
export const quickOrder = (a: number, b: number): number => {
  const margin = quickError * (a + b)
  return a < b - margin ? -1 : a > b + margin ? 1 : 0
}

/** The distance in metres that belongs to a `haversine` of a `Measure`, as nearly as that one is. */
export const quickDistance = (haversine: number): number =>
  2 * earthRadius * Math.asin(Math.sqrt(Math.min(1, haversine)))
