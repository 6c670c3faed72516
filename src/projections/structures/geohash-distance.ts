/** Distances on a sphere by the haversine formula, in the roundings of C's doubles. */
import { arcSine, cosine, sine } from "./geohash-trigonometry.ts"

/** The radius of the earth in metres. */
export const earthRadius = 6372797.560856

const degree = Math.PI / 180

/** Degrees as an angle. */
export const radians = (degrees: number): number => degrees * degree
/** An angle in degrees. */
export const degrees = (angle: number): number => angle / degree

/** The distance of two places, given in degrees, in metres; every step rounded as Redis rounds it. */
export const distanceOf = (
  longitude1: number,
  latitude1: number,
  longitude2: number,
  latitude2: number
): number => {
  const first = radians(latitude1)
  const second = radians(latitude2)
  const v = sine((radians(longitude2) - radians(longitude1)) / 2)
  // On one meridian the angle between them is known already, and other digits come out.
  if (v === 0) return earthRadius * Math.abs(second - first)
  const u = sine((second - first) / 2)
  return distanceOfHaversine(u * u + cosine(first) * cosine(second) * v * v)
}

/** The distance in metres that belongs to a squared half chord, both on a sphere of radius 1. */
const distanceOfHaversine = (a: number): number => 2 * earthRadius * arcSine(Math.sqrt(a))

/** The squared half chord that belongs to a distance in metres; infinite where no two places are so far from each other. */
const haversineOfDistance = (metres: number): number => {
  const angle = metres / (2 * earthRadius)
  return angle > Math.PI / 2 ? Infinity : Math.sin(angle) ** 2
}

/** How much a quick computation may be wrong, as a share of the result; it is wrong by some 2^-50. */
const quickError = 1e-13

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
  /** Squared half chord between the center and the place `contains` was asked about last, nearly. */
  haversine = 0

  constructor(shape: Shape) {
    this.shape = shape
    this.longitude = radians(shape.longitude)
    this.latitude = radians(shape.latitude)
    this.cosine = Math.cos(this.latitude)
    this.limit = haversineOfDistance(shape.radius)
    this.widthLimit = haversineOfDistance(shape.width / 2)
  }

  /** Whether a place is within the shape. */
  contains(longitude: number, latitude: number): boolean {
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

/** The distance in metres that belongs to a `haversine` of a `Measure`, wrong by less than `quickDistanceError`. */
export const quickDistance = (haversine: number): number =>
  2 * earthRadius * Math.asin(Math.sqrt(Math.min(1, haversine)))
