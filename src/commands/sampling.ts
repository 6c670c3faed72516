/** Random choices of commands, all from the executor's seeded generator. */
import type { Decision } from "./decision.ts"

/** A uniform integer from 0 to `limit` - 1. */
export const randomBelow = (d: Decision, limit: number): number => Math.floor(d.random() / 0x1_0000_0000 * limit)

/** `count` distinct places out of `size`, ascending; each choice is equally likely. */
export const distinctPlaces = (d: Decision, size: number, count: number): Array<number> => {
  const places: Array<number> = []
  for (let place = 0; place < size && places.length < count; place++) {
    if (randomBelow(d, size - place) < count - places.length) places.push(place)
  }
  return places
}
