/** Where members are, and how far from each other. */
import { Double, nilArray, type Reply } from "../../net/resp/reply.ts"
import { scoreOf } from "../../projections/sorted-set-read.ts"
import { distanceOf } from "../../projections/structures/geohash-distance.ts"
import { geohashText, Place, placeOfScore } from "../../projections/structures/geohash.ts"
import type { Decision } from "../decision.ts"
import { type Argv, defineCommand, firstKey } from "../define.ts"
import { errors } from "../errors.ts"
import { readableSortedSet } from "../sorted-set/access.ts"
import { metresOf } from "./arguments.ts"
import { fourDecimals, seventeenDecimals } from "./decimals.ts"

const place = new Place()
const other = new Place()

/** What `answer` makes of the place of each member named; `absent` for those that are not there. */
const ofEach = (d: Decision, argv: Argv, absent: Reply, answer: (place: Place) => Reply): Reply => {
  const p = readableSortedSet(d, argv.at(1))
  const answers: Array<Reply> = []
  for (let i = 2; i < argv.length; i++) {
    const score = p === 0 ? undefined : scoreOf(d.db, p, argv.at(i))
    answers.push(score === undefined ? absent : answer(placeOfScore(score, place)))
  }
  return answers
}

const coordinate = (value: number): Double => new Double(value, seventeenDecimals(value))

const reading = {
  since: "3.2.0",
  group: "geo",
  flags: ["readonly"],
  keys: firstKey("RO", "access")
} as const

export const geopos = defineCommand({
  name: "GEOPOS",
  summary: "Answers the longitudes and latitudes of members.",
  complexity: "O(1) for each member asked for.",
  syntax: "key member ...",
  arity: -2,
  ...reading,
  decide: (d, argv) =>
    ofEach(d, argv, nilArray, ({ latitude, longitude }) => [coordinate(longitude), coordinate(latitude)])
})

export const geohash = defineCommand({
  name: "GEOHASH",
  summary: "Answers the places of members as standard geohashes of eleven letters.",
  complexity: "O(1) for each member asked for.",
  syntax: "key member ...",
  arity: -2,
  ...reading,
  decide: (d, argv) => ofEach(d, argv, null, geohashText)
})

export const geodist = defineCommand({
  name: "GEODIST",
  summary: "Answers the distance between two members, in metres unless another unit is named.",
  complexity: "O(1)",
  syntax: "key member1 member2 [unit: M | KM | FT | MI]",
  arity: -4,
  ...reading,
  decide: (d, argv) => {
    if (argv.length > 5) throw errors.syntax
    const metres = argv.length === 5 ? metresOf(argv.at(4)) : 1
    const p = readableSortedSet(d, argv.at(1))
    if (p === 0) return null
    const first = scoreOf(d.db, p, argv.at(2))
    const second = scoreOf(d.db, p, argv.at(3))
    if (first === undefined || second === undefined) return null
    placeOfScore(first, place)
    placeOfScore(second, other)
    return fourDecimals(distanceOf(place.longitude, place.latitude, other.longitude, other.latitude) / metres)
  }
})
