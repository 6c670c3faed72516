/** Searching for members around a center. */
import { Elements, type ElementSink, type Reply } from "../../net/resp/reply.ts"
import type { Slice } from "../../projections/memory/slice.ts"
import { Place, placeOfScore } from "../../projections/structures/geohash.ts"
import type { Decision } from "../decision.ts"
import { type Argv, defineCommand, firstKey, keyAfterWord, keyAtIndex } from "../define.ts"
import { readableSortedSet } from "../sorted-set/access.ts"
import { digits, writeCoordinate } from "./decimals.ts"
import { type Matches, matchesOf } from "./matches.ts"
import { type Form, readSearch, type Search } from "./request.ts"

const place = new Place()

const answer = (matches: Matches, order: ReadonlyArray<number>, search: Search): Reply => {
  const { unit, withDistance, withPlace, withScore } = search
  const extras = Number(withDistance) + Number(withPlace) + Number(withScore)
  return new Elements("array", order.length, (out: ElementSink) => {
    for (let i = 0; i < order.length; i++) {
      const match = order[i]!
      const { bytes, length, start } = matches.members[match]!
      const score = matches.scores[match]!
      if (extras > 0) out.array(1 + extras)
      out.bulk(bytes, start, length)
      if (withDistance) out.bulk(digits, 0, matches.writeDistance(match, unit))
      if (withScore) out.integer(Math.trunc(score))
      if (withPlace) {
        placeOfScore(score, place)
        out.array(2)
        out.doubleBytes(digits, 0, writeCoordinate(place.longitude))
        out.doubleBytes(digits, 0, writeCoordinate(place.latitude))
      }
    }
  })
}

/** Puts the results in the place of whatever the destination held. */
const keep = (
  d: Decision,
  key: Slice,
  there: boolean,
  matches: Matches,
  order: ReadonlyArray<number>,
  search: Search
) => {
  const { keepDistances, unit } = search
  if (there) d.emit({ _tag: "KeyDeleted", key })
  if (order.length === 0) return 0
  const members = order.map((match) => matches.members[match]!)
  const scores = order.map((match) => keepDistances ? matches.distance(match) / unit : matches.scores[match]!)
  d.emit({ _tag: "SortedSetMembersScored", key, members, scores })
  return order.length
}

const searching = (form: Form) => (d: Decision, argv: Argv): Reply => {
  const p = readableSortedSet(d, argv.at(form.keyAt))
  const search = readSearch(d, argv, form, p)
  const { any, count, destination, order, shape } = search
  // The destination, which goes first, may be what is searched.
  const there = destination !== undefined && d.lookup(destination) !== 0
  if (shape === undefined) {
    if (destination === undefined) return []
    if (there) d.emit({ _tag: "KeyDeleted", key: destination })
    return 0
  }
  const matches = matchesOf(d, p, shape, any ? count : 0, there)
  const sorted = matches.inOrder(order, count === 0 ? matches.size : Math.min(count, matches.size))
  return destination === undefined
    ? answer(matches, sorted, search)
    : keep(d, destination, there, matches, sorted, search)
}

const group = "geo"
const complexity =
  "O(N+log(M)) where N is the number of members in the cells around the shape and M the number of those inside of it."

const shape = "<from: FROMMEMBER member | FROMLONLAT <longitude latitude>> " +
  "<by: <circle: BYRADIUS radius <unit: M | KM | FT | MI>> | <box: BYBOX width height <unit: M | KM | FT | MI>>> " +
  "[order: ASC | DESC] [count: COUNT count [ANY]]"
const units = "7.0.0"
const capitals = [units, "Names of units in capitals."] as const

export const geosearch = defineCommand({
  name: "GEOSEARCH",
  since: "6.2.0",
  group,
  summary: "Answers the members inside of a circle or a box.",
  complexity,
  syntax: `key ${shape} [WITHCOORD] [WITHDIST] [WITHHASH]`,
  history: [capitals],
  arity: -7,
  flags: ["readonly"],
  keys: firstKey("RO", "access"),
  decide: searching({ keyAt: 1, center: "options", keeps: "never" })
})

export const geosearchstore = defineCommand({
  name: "GEOSEARCHSTORE",
  since: "6.2.0",
  group,
  summary: "Keeps the members inside of a circle or a box in a sorted set of their own.",
  complexity,
  syntax: `destination source ${shape} [STOREDIST]`,
  history: [capitals],
  arity: -8,
  flags: ["write", "denyoom"],
  keys: [...firstKey("OW", "update"), ...keyAtIndex(2, "RO", "access")],
  decide: searching({ keyAt: 2, center: "options", keeps: "always" })
})

const anyCount = "[count: COUNT count [ANY@6.2.0]]"
const circle = (count: string) =>
  `radius <unit: M | KM | FT | MI> [WITHCOORD] [WITHDIST] [WITHHASH] ${count} [order: ASC | DESC]`
const kept = "[STORE key] [STOREDIST key]"
const anyOption = ["6.2.0", "The option `ANY` of `COUNT`."] as const
const replaced = (replacedBy: string) => ({ deprecated: { since: "6.2.0", replacedBy } })
const keepKeys = (from: number) => [
  ...firstKey("RO", "access"),
  ...keyAfterWord("STORE", from, "OW", "update"),
  ...keyAfterWord("STOREDIST", from, "OW", "update")
]

export const georadius = defineCommand({
  name: "GEORADIUS",
  since: "3.2.0",
  group,
  summary: "Answers or keeps the members within a distance of a place.",
  complexity,
  syntax: `key longitude latitude ${circle(anyCount)} ${kept}`,
  history: [anyOption, capitals],
  ...replaced("`GEOSEARCH` and `GEOSEARCHSTORE` with the `BYRADIUS` argument"),
  arity: -6,
  flags: ["write", "denyoom"],
  keys: keepKeys(6),
  decide: searching({ keyAt: 1, center: "place", keeps: "option" })
})

export const georadiusReadOnly = defineCommand({
  name: "GEORADIUS_RO",
  since: "3.2.10",
  group,
  summary: "Answers the members within a distance of a place.",
  complexity,
  syntax: `key longitude latitude ${circle(anyCount)}`,
  history: [anyOption],
  ...replaced("`GEOSEARCH` with the `BYRADIUS` argument"),
  arity: -6,
  flags: ["readonly"],
  keys: firstKey("RO", "access"),
  decide: searching({ keyAt: 1, center: "place", keeps: "never" })
})

export const georadiusbymember = defineCommand({
  name: "GEORADIUSBYMEMBER",
  since: "3.2.0",
  group,
  summary: "Answers or keeps the members within a distance of one of them.",
  complexity,
  syntax: `key member ${circle("[count: COUNT count [ANY]]")} ${kept}`,
  history: [capitals],
  ...replaced("`GEOSEARCH` and `GEOSEARCHSTORE` with the `BYRADIUS` and `FROMMEMBER` arguments"),
  arity: -5,
  flags: ["write", "denyoom"],
  keys: keepKeys(5),
  decide: searching({ keyAt: 1, center: "member", keeps: "option" })
})

export const georadiusbymemberReadOnly = defineCommand({
  name: "GEORADIUSBYMEMBER_RO",
  since: "3.2.10",
  group,
  summary: "Answers the members within a distance of one of them.",
  complexity,
  syntax: `key member ${circle("[count: COUNT count [ANY]]")}`,
  ...replaced("`GEOSEARCH` with the `BYRADIUS` and `FROMMEMBER` arguments"),
  arity: -5,
  flags: ["readonly"],
  keys: firstKey("RO", "access"),
  decide: searching({ keyAt: 1, center: "member", keeps: "never" })
})
