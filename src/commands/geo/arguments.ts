/** Coordinates, distances and units as requests write them. */
import { ReplyError } from "../../net/resp/reply.ts"
import type { Slice } from "../../projections/memory/slice.ts"
import { latitudeLimit, longitudeLimit, type Place } from "../../projections/structures/geohash.ts"
import { double } from "../arguments-double.ts"
import { isWord } from "../arguments.ts"
import { sixDecimals } from "./decimals.ts"

const unknownUnit = new ReplyError("ERR unsupported unit provided. please use M, KM, FT, MI")

/** How many metres a unit has. */
export const metresOf = (unit: Slice): number => {
  if (isWord(unit, "M")) return 1
  if (isWord(unit, "KM")) return 1000
  if (isWord(unit, "FT")) return 0.3048
  if (isWord(unit, "MI")) return 1609.34
  throw unknownUnit
}

/** Reads a longitude and a latitude; refuses those that have no place in the index. */
export const readPlace = (longitude: Slice, latitude: Slice, into: Place): void => {
  into.longitude = double(longitude)
  into.latitude = double(latitude)
  if (Math.abs(into.longitude) <= longitudeLimit && Math.abs(into.latitude) <= latitudeLimit) return
  throw new ReplyError(
    `ERR invalid longitude,latitude pair ${sixDecimals(into.longitude)},${sixDecimals(into.latitude)}`
  )
}
