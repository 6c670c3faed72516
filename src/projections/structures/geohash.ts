/**
 * Places on the earth as numbers of 52 bits (Morton, "A computer oriented geodetic data base", 1966; geohashes are the same
 * numbers written in letters): the plane of longitudes and latitudes is halved 26 times in each direction, and the bits
 * that tell which half are laid by turns, longitude first. Places near each other have mostly numbers near each other,
 * so a sorted set whose scores are such numbers is an index of places.
 *
 * ```
 * bit     51 50 49 48 …  1  0        columns count from longitude -180° to the east,
 *         c  r  c  r  …  c  r        rows from latitude -85.05112878° to the north
 * ```
 *
 * At the upper end of a range itself, longitude 180° say, the column is one beyond the last: bit 53, and 52 for a row.
 */

/** Latitudes beyond this one, where the square map of Mercator's projection ends, have no number. */
export const latitudeLimit = 85.05112878
export const longitudeLimit = 180
/** How often the plane is halved in each direction. */
export const fullSteps = 26

const longitudes = 2 * longitudeLimit
const latitudes = 2 * latitudeLimit
const word = 0x1_0000_0000

/** Spreads the lower 16 bits of a number: bit n goes to 2n. */
const spread = (value: number): number => {
  let bits = value & 0xffff
  bits = (bits | bits << 8) & 0x00ff_00ff
  bits = (bits | bits << 4) & 0x0f0f_0f0f
  bits = (bits | bits << 2) & 0x3333_3333
  return (bits | bits << 1) & 0x5555_5555
}

/** Gathers every second bit: bit 2n goes to n. */
const gather = (value: number): number => {
  let bits = value & 0x5555_5555
  bits = (bits | bits >>> 1) & 0x3333_3333
  bits = (bits | bits >>> 2) & 0x0f0f_0f0f
  bits = (bits | bits >>> 4) & 0x00ff_00ff
  return (bits | bits >>> 8) & 0xffff
}

const lowWord = (column: number, row: number): number => (spread(column) << 1 | spread(row)) >>> 0
const highWord = (column: number, row: number): number => (spread(column >>> 16) << 1 | spread(row >>> 16)) >>> 0

/** The column of a longitude when the plane has been halved so often. */
export const columnOf = (longitude: number, steps: number): number =>
  (longitude - -longitudeLimit) / longitudes * 2 ** steps >>> 0
/** The row of a latitude. */
export const rowOf = (latitude: number, steps: number): number =>
  (latitude - -latitudeLimit) / latitudes * 2 ** steps >>> 0

/** The longitude at which a column begins. */
export const westOf = (column: number, steps: number): number => -longitudeLimit + column / 2 ** steps * longitudes
/** The latitude at which a row begins. */
export const southOf = (row: number, steps: number): number => -latitudeLimit + row / 2 ** steps * latitudes

/** The number of a place, whose coordinates must be within their limits. */
export const scoreOfPlace = (longitude: number, latitude: number): number => {
  const column = columnOf(longitude, fullSteps)
  const row = rowOf(latitude, fullSteps)
  return highWord(column, row) * word + lowWord(column, row)
}

/**
 * The number that the first place of a cell would have, or with `after` the first one behind the cell: all places of the
 * cell lie between the two. What no double holds is rounded as the scores are.
 */
export const cellScore = (column: number, row: number, steps: number, after: boolean): number =>
  (highWord(column, row) * word + (lowWord(column, row) + (after ? 1 : 0))) * 4 ** (fullSteps - steps)

/** A place, in degrees; filled again and again. */
export class Place {
  longitude = 0
  latitude = 0
}

const int64 = 2 ** 63
const uint64 = 2 ** 64

/** A double as the 64 bits that x86 makes of it in C; of a score below zero or beyond 2^64 nobody promises anything. */
const unsigned64 = (score: number): number => {
  const whole = Math.trunc(score)
  if (whole >= 0) return whole < uint64 ? whole : 0
  return whole >= -int64 ? uint64 + whole : int64
}

/** The middle of the smallest cell that a number stands for. Any score has one, also one that is no place's. */
export const placeOfScore = (score: number, into: Place): Place => {
  let high: number
  let low: number
  if (score >= 0 && score < 2 ** 53) {
    high = score / word >>> 0
    low = score - high * word >>> 0
  } else {
    const bits = score < 0 && score > -int64 ? BigInt.asUintN(64, BigInt(Math.trunc(score))) : BigInt(unsigned64(score))
    high = Number(bits >> 32n)
    low = Number(bits & 0xffff_ffffn)
  }
  const column = (gather(high >>> 1) << 16 | gather(low >>> 1)) >>> 0
  const row = (gather(high) << 16 | gather(low)) >>> 0
  // The next one is counted in 32 bits too.
  const longitude = (westOf(column, fullSteps) + westOf(column + 1 >>> 0, fullSteps)) / 2
  const latitude = (southOf(row, fullSteps) + southOf(row + 1 >>> 0, fullSteps)) / 2
  into.longitude = Math.min(longitudeLimit, Math.max(-longitudeLimit, longitude))
  into.latitude = Math.min(latitudeLimit, Math.max(-latitudeLimit, latitude))
  return into
}

const letters = "0123456789bcdefghjkmnpqrstuvwxyz"
/** Where each letter's five bits begin; the last two bits would be the eleventh letter's, which is always the first one. */
const shifts = [15, 10, 5, 0, 27, 22, 17, 12, 7, 2]

/** The standard geohash of a place in eleven letters. Its latitudes go from -90° to 90°, so its bits are not the score's. */
export const geohashText = ({ latitude, longitude }: Place): string => {
  const column = columnOf(longitude, fullSteps)
  const row = (latitude + 90) / 180 * 2 ** fullSteps >>> 0
  const high = highWord(column, row)
  const low = lowWord(column, row)
  let text = ""
  for (let i = 0; i < shifts.length; i++) text += letters[(i < 4 ? high : low) >>> shifts[i]! & 31]
  return `${text}${letters[0]}`
}
