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

/** The distance in metres that belongs to a squared half chord on a sphere of radius 1. */
const distanceOfHaversine = (a: number): number => 2 * earthRadius * arcSine(Math.sqrt(a))
