/** Finding the members within a shape, and bringing them into an order. */
import type { Pointer } from "../../projections/memory/arena.ts"
import { Slice } from "../../projections/memory/slice.ts"
import { eachScored, isLargeSortedSet } from "../../projections/sorted-set-read.ts"
import { cellsOf } from "../../projections/structures/geohash-area.ts"
import { boundsOf, Measure, quickDistance, quickOrder, type Shape } from "../../projections/structures/geohash-shape.ts"
import { cellScore, Place, placeOfScore } from "../../projections/structures/geohash.ts"
import type { Decision } from "../decision.ts"
import { fourDecimals, writeTenThousandths, writeText } from "./decimals.ts"
import { sortFirst } from "./partial-sort.ts"
import type { Search } from "./request.ts"

const place = new Place()

/** Members within a shape. A match is a number: its place among all that were found. */
export class Matches {
  readonly members: Array<Slice> = []
  readonly scores: Array<number> = []
  /** Squared half chords, nearly. */
  private readonly haversines: Array<number> = []
  /** Distances in metres that were computed in full. */
  private readonly distances: Array<number> = []
  private readonly measure: Measure

  constructor(measure: Measure) {
    this.measure = measure
  }

  get size(): number {
    return this.members.length
  }

  /** Whether a place of this score is within the shape; if so it is noted, and its member has to be added. */
  wants(score: number): boolean {
    const { measure } = this
    placeOfScore(score, place)
    if (!measure.contains(place.longitude, place.latitude)) return false
    this.scores.push(score)
    this.haversines.push(measure.haversine)
    return true
  }

  /** The distance of a match from the center, in metres. */
  distance(match: number): number {
    const known = this.distances[match]
    if (known !== undefined) return known
    placeOfScore(this.scores[match]!, place)
    return this.distances[match] = this.measure.distance(place.longitude, place.latitude)
  }

  /** Writes the same with four decimals, in a unit of so many metres, into `digits`; returns how many bytes that took. */
  writeDistance(match: number, unit: number): number {
    const haversine = this.haversines[match]!
    const count = quickDistance(haversine) / unit * 10_000
    const nearest = Math.round(count)
    // What is printed depends on the last bits only where the digit behind the last one is about a half.
    const isSure = Math.abs(count - nearest) < 0.49 && haversine < 0.99
    return isSure ? writeTenThousandths(nearest) : writeText(fourDecimals(this.distance(match) / unit))
  }

  private readonly nearer = (a: number, b: number): number => {
    const quick = quickOrder(this.haversines[a]!, this.haversines[b]!)
    if (quick !== 0 || this.scores[a] === this.scores[b]) return quick
    const difference = this.distance(a) - this.distance(b)
    return difference < 0 ? -1 : difference > 0 ? 1 : 0
  }

  private readonly farther = (a: number, b: number): number => this.nearer(b, a)

  /** The first `wanted` matches in an order; without one as they were found. */
  inOrder(order: Search["order"], wanted: number): Array<number> {
    const all: Array<number> = []
    for (let match = 0, end = order === "none" ? wanted : this.size; match < end; match++) all.push(match)
    if (order === "none") return all
    const compare = order === "ascending" ? this.nearer : this.farther
    // All are sorted with equals kept in their order, some are not: so it is in Redis.
    if (wanted === all.length) return all.sort(compare)
    sortFirst(all, wanted, compare)
    return all.slice(0, wanted)
  }
}

/**
 * The members of a sorted set within a shape, or the first `limit` of them that are met (0 for all). They stay valid until
 * the command returns, and with `copied` also while an earlier event of the command is folded.
 */
export const matchesOf = (d: Decision, p: Pointer, shape: Shape, limit: number, copied: boolean): Matches => {
  const bounds = boundsOf(shape)
  const measure = new Measure(shape, bounds)
  const matches = new Matches(measure)
  const stable = !copied && isLargeSortedSet(d.db, p)
  const wanted = (score: number): boolean => matches.wants(score)
  const visit = (member: Slice): boolean => {
    matches.members.push(stable ? new Slice(member.bytes, member.start, member.length) : member.copy())
    return limit === 0 || matches.size < limit
  }
  const { columns, rows, steps } = cellsOf(shape, bounds)
  for (let i = 0; i < columns.length; i++) {
    const from = cellScore(columns[i]!, rows[i]!, steps, false)
    eachScored(d.db, p, from, cellScore(columns[i]!, rows[i]!, steps, true), wanted, visit)
    if (limit !== 0 && matches.size >= limit) break
  }
  return matches
}
