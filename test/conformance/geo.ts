/**
 * Requests about places: few of them, so that distances are equal; around the poles, the date line, the equator and the
 * edges of cells; circles and boxes from nothing to more than the earth.
 */
import * as Fc from "fast-check"
import { join, many, maybe, one, type Row, row, say, word, type Words } from "./parts.ts"
import * as W from "./words.ts"

const key = Fc.oneof(
  { weight: 12, arbitrary: word("geo:1", "geo:2", "geo:3") },
  { weight: 1, arbitrary: word("string:1", "nokey") }
)

/** Members that are a center now and then, and those that never are one. */
const centers = Array.from({ length: 30 }, (_, i) => `m${i}`)
const polar = Array.from({ length: 8 }, (_, i) => `p${i}`)
const center = Fc.oneof(
  { weight: 20, arbitrary: word(...centers) },
  { weight: 1, arbitrary: word("", "7", "x".repeat(20), "\0\xff") }
)
const member = Fc.oneof({ weight: 5, arbitrary: center }, { weight: 1, arbitrary: word(...polar, "odd") })

const decimals = (limit: number, places: number): Fc.Arbitrary<string> =>
  Fc.integer({ min: -limit * 10 ** places, max: limit * 10 ** places }).map((n) => `${n / 10 ** places}`)

/** 180 itself is another thing: see geo.test.ts. */
const longitude = Fc.oneof(
  { weight: 5, arbitrary: word("0", "13.361389", "15.087269", "-0.0000001", "2.8125", "5.625", "-90", "45") },
  { weight: 5, arbitrary: word("179.9999", "-179.9999", "179.5", "-179.5", "-180", "178", "-178") },
  { weight: 4, arbitrary: decimals(179, 1) },
  { weight: 6, arbitrary: decimals(179, 6) },
  { weight: 4, arbitrary: decimals(2, 6) }
)

/** Around a center so near to a pole Redis overlooks members when the shape reaches over it: see geo.test.ts. */
const isOverlooked = (latitude: number): boolean =>
  Math.abs(latitude) > 84.3 || (Math.abs(latitude) > 78.7 && Math.abs(latitude) <= 80)
const latitude = Fc.oneof(
  { weight: 5, arbitrary: word("0", "38.115556", "37.502669", "-0.0000001", "0.0000001", "42.52556439", "66.5") },
  { weight: 3, arbitrary: word("84", "-84.25", "80.5", "-80.5", "78", "-66.1", "66", "-66") },
  { weight: 4, arbitrary: decimals(84, 1) },
  { weight: 6, arbitrary: decimals(84, 6) },
  { weight: 4, arbitrary: decimals(2, 6) }
).map((text) => isOverlooked(Number(text)) ? "-78.5" : text)
const polarLatitude = word("85", "-85", "85.05", "-85.05", "79.5", "-79.9", "-85.05112878", "85.0511287", "80")
const badNumber = word("abc", "", "181", "-90", "86", "nan", "inf", "1e300", "85.1", " 1", "0x10", "180.000001")
const place: Words = Fc.oneof(
  { weight: 20, arbitrary: say(longitude, latitude) },
  { weight: 1, arbitrary: say(badNumber, latitude) },
  { weight: 1, arbitrary: say(longitude, badNumber) }
)

const unit = Fc.oneof(
  { weight: 12, arbitrary: word("m", "km", "ft", "mi", "KM", "M") },
  { weight: 1, arbitrary: word("", "mm", "yd", "k") }
)
const length = Fc.oneof(
  { weight: 4, arbitrary: word("0", "1", "10", "0.5", "100", "157.2", "1000") },
  { weight: 4, arbitrary: word("200", "500", "1200", "2500", "5000", "10000", "20100", "30000") },
  { weight: 2, arbitrary: Fc.integer({ min: 1, max: 10_000_000 }).map(String) },
  { weight: 1, arbitrary: word("-1", "abc", "", "inf", "1e10", "nan", "1e300") }
)
const kilometres = Fc.oneof(
  { weight: 8, arbitrary: Fc.tuple(length, Fc.constant("km")) },
  { weight: 3, arbitrary: Fc.tuple(length, unit) }
)
const sides = Fc.oneof(
  { weight: 8, arbitrary: Fc.tuple(length, length, Fc.constant("km")) },
  { weight: 3, arbitrary: Fc.tuple(length, length, unit) }
)

const count = Fc.oneof(
  { weight: 10, arbitrary: Fc.integer({ min: 1, max: 12 }).map(String) },
  { weight: 1, arbitrary: W.integer }
)
const counted = Fc.oneof(
  { weight: 3, arbitrary: say("COUNT", count) },
  { weight: 2, arbitrary: say("COUNT", count, "ANY") },
  { weight: 1, arbitrary: say("ANY") },
  { weight: 1, arbitrary: say("COUNT") }
)
const order = one(word("ASC", "DESC", "asc"))
const extras = many(0, 3, one(word("WITHDIST", "WITHCOORD", "WITHHASH", "withdist", "ANY", "BOGUS")))
const shown = many(0, 3, one(word("WITHDIST", "WITHCOORD", "WITHHASH")))
const usual = join(maybe(order), maybe(counted))

const from = Fc.oneof(
  { weight: 5, arbitrary: say("FROMMEMBER", center) },
  { weight: 8, arbitrary: join(say("FROMLONLAT"), place) },
  { weight: 1, arbitrary: many(0, 2, Fc.oneof(say("FROMMEMBER", center), say("FROMLONLAT", "1", "1"))) }
)
const area = Fc.oneof(
  { weight: 6, arbitrary: join(say("BYRADIUS"), kilometres) },
  { weight: 6, arbitrary: join(say("BYBOX"), sides) },
  { weight: 1, arbitrary: many(0, 2, Fc.oneof(say("BYRADIUS", "9", "km"), say("BYBOX", "9", "9", "km"))) }
)

/** Keeps places, in a key that is searched as well. */
const storing = maybe(say("STORE", word("geo:1", "geo:2", "geo:3")))

/** What is asked about places. */
export const geoRows = (): ReadonlyArray<Row> => {
  const added = Fc.oneof(
    { weight: 6, arbitrary: join(place, one(center)) },
    { weight: 1, arbitrary: say(longitude, polarLatitude, word(...polar)) }
  )
  const conditions = many(0, 2, one(word("NX", "XX", "CH", "nx")))
  const odd = word("0", "-1", "1.5", "18014398509481984", "1e17", "-inf", "3479099956230698")
  return [
    row(14, say("GEOADD", key), added, many(0, 6, added)),
    row(4, say("GEOADD", key), conditions, added, many(0, 3, added)),
    row(1, say("GEOADD", key), conditions, added, maybe(one(center))),
    row(2, say("ZADD", key, odd, "odd")),
    row(3, say("ZREM", key, member)),
    row(4, say("GEODIST", key, member, member), maybe(one(unit))),
    row(1, say("GEODIST", key, member, member, unit, unit)),
    row(3, say("GEOPOS", key), many(0, 4, one(member))),
    row(3, say("GEOHASH", key), many(0, 4, one(member))),
    row(12, say("GEOSEARCH", key), from, area, usual, shown),
    row(6, say("GEOSEARCH", key), area, from, shown),
    row(3, say("GEOSEARCH", key), from, usual, extras, area, extras),
    row(1, say("GEOSEARCH", key), from, area, say("STOREDIST")),
    row(5, say("GEORADIUS", key), place, kilometres, usual, shown),
    row(3, say("GEORADIUS", key), place, kilometres, extras, storing, usual),
    row(3, say("GEORADIUS_RO", key), place, kilometres, usual, maybe(storing), extras),
    row(5, say("GEORADIUSBYMEMBER", key, center), kilometres, usual, shown),
    row(2, say("GEORADIUSBYMEMBER", key, center), kilometres, storing, usual, extras),
    row(3, say("GEORADIUSBYMEMBER_RO", key, center), kilometres, usual, maybe(storing), extras),
    row(3, say("GEOSEARCHSTORE", key, key), from, area, usual),
    row(1, say("GEOSEARCHSTORE", key, key), from, extras, area, extras),
    row(2, say("ZRANGE", key, "0", "-1", "WITHSCORES"))
  ]
}

/** Where distances are kept: only as long as their last digits have been looked at with tolerance (tolerances.ts). */
export const distancesKey = "distances"

/** Requests that keep distances, each with what looks at them and what takes them away. */
export const distanceLines: Fc.Arbitrary<ReadonlyArray<ReadonlyArray<string>>> = Fc.oneof(
  join(say("GEORADIUS", key), place, kilometres, say("STOREDIST", distancesKey), usual),
  join(say("GEORADIUSBYMEMBER", key, center), kilometres, usual, say("STOREDIST", distancesKey)),
  join(say("GEOSEARCHSTORE", distancesKey, key), from, area, say("STOREDIST"), usual)
).map((line) => [line, ["ZRANGE", distancesKey, "0", "-1", "WITHSCORES"], ["DEL", distancesKey]])
