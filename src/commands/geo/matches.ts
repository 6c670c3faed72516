/** Finding the members within a shape, and bringing them into an order. */
import type { Pointer } from "../../projections/memory/arena.ts"
import { Slice } from "../../projections/memory/slice.ts"
import { countBelowScore, eachRanked, isLargeSortedSet } from "../../projections/sorted-set-read.ts"
import { cellsOf } from "../../projections/structures/geohash-area.ts"
import { Measure, quickDistance, quickOrder, type Shape } from "../../projections/structures/geohash-distance.ts"
import { cellScore, Place, placeOfScore } from "../../projections/structures/geohash.ts"
import type { Decision } from "../decision.ts"
import { fourDecimals } from "./decimals.ts"
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

  constructor(shape: Shape) {
    this.measure = new Measure(shape)
  }

  get size(): number {
    return this.members.length
  }

  /** Adds a member when it is within the shape. With `stable` it need not be copied. */
  consider(member: Slice, score: number, stable: boolean): void {
    const { measure } = this
    placeOfScore(score, place)
    if (!measure.contains(place.longitude, place.latitude)) return
    this.members.push(stable ? new Slice(member.bytes, member.start, member.length) : member.copy())
    this.scores.push(score)
    this.haversines.push(measure.haversine)
  }

  /** The distance of a match from the center, in metres. */
  distance(match: number): number {
    const known = this.distances[match]
    if (known !== undefined) return known
    placeOfScore(this.scores[match]!, place)
    return this.distances[match] = this.measure.distance(place.longitude, place.latitude)
  }

  /** The same as text, in a unit of so many metres. */
  distanceText(match: number, unit: number): string {
    const quick = quickDistance(this.haversines[match]!) / unit
    const last = quick * 10_000
    // What is printed depends on the last bits only where the digit behind the last one is about a half.
    const isSure = Math.abs(last - Math.floor(last) - 0.5) > 0.01 && this.haversines[match]! < 0.99
    return fourDecimals(isSure ? quick : this.distance(match) / unit)
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
    const all = Array.from({ length: this.size }, (_, match) => match)
    if (order === "none") return wanted < all.length ? all.slice(0, wanted) : all
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
  const matches = new Matches(shape)
  const stable = !copied && isLargeSortedSet(d.db, p)
  const { columns, rows, steps } = cellsOf(shape)
  const visit = (member: Slice, score: number): boolean => {
    matches.consider(member, score, stable)
    return limit === 0 || matches.size < limit
  }
  for (let i = 0; i < columns.length; i++) {
    const from = countBelowScore(d.db, p, cellScore(columns[i]!, rows[i]!, steps, false), false)
    const to = countBelowScore(d.db, p, cellScore(columns[i]!, rows[i]!, steps, true), false)
    eachRanked(d.db, p, from, to - from, false, visit)
    if (limit !== 0 && matches.size >= limit) break
  }
  return matches
}
