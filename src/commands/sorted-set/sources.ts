/** The inputs of unions, intersections and differences: sorted sets, and sets, whose members all have score 1. */
import * as Entry from "../../projections/entry.ts"
import type { Pointer } from "../../projections/memory/arena.ts"
import { compareSlices, Slice } from "../../projections/memory/slice.ts"
import * as Sets from "../../projections/set.ts"
import * as SortedSets from "../../projections/sorted-set-read.ts"
import type { Decision } from "../decision.ts"
import { type Argv } from "../define.ts"
import { errors } from "../errors.ts"
import type { Scored } from "./access.ts"

const { set, zset } = Entry.Type

/** One input. */
export interface Source {
  /** Its entry; 0 for an absent key. */
  readonly p: Pointer
  readonly isSet: boolean
  readonly size: number
  /** Whether its members stay where they are while others are asked for. */
  readonly stable: boolean
  readonly weight: number
}

/** How the scores of one member are put together. COUNT adds up the weights alone. */
export type Aggregate = "SUM" | "MIN" | "MAX" | "COUNT"

/** The inputs named by `count` words from `from` on; other types are refused. */
export const sourcesOf = (d: Decision, argv: Argv, from: number, count: number): Array<Source> => {
  const sources: Array<Source> = []
  for (let i = 0; i < count; i++) {
    const p = d.counted(d.lookup(argv.at(from + i)), argv.at(from + i))
    const type = p === 0 ? zset : Entry.typeOf(d.db.arena, p)
    if (type !== zset && type !== set) throw errors.wrongType
    const isSet = type === set
    const size = p === 0 ? 0 : isSet ? Sets.cardinality(d.db, p) : SortedSets.cardinality(d.db, p)
    const stable = p !== 0 && (isSet ? Sets.isLargeSet(d.db, p) : SortedSets.isLargeSortedSet(d.db, p))
    sources.push({ p, isSet, size, stable, weight: 1 })
  }
  return sources
}

/** Visits the members of a source until `visit` answers false. */
const each = (d: Decision, source: Source, visit: (member: Slice, score: number) => boolean): void => {
  if (source.p === 0) return
  if (source.isSet) Sets.eachMember(d.db, source.p, (member) => visit(member, 1))
  else SortedSets.eachRanked(d.db, source.p, 0, source.size, false, visit)
}

/** The score a source gives a member; undefined when it has not got it. */
const scoreIn = (d: Decision, source: Source, member: Slice): number | undefined => {
  if (source.p === 0) return undefined
  if (source.isSet) return Sets.hasMember(d.db, source.p, member) ? 1 : undefined
  return SortedSets.scoreOf(d.db, source.p, member)
}

/** What a source counts for. */
const weighted = (source: Source, score: number, aggregate: Aggregate): number =>
  aggregate === "COUNT" ? source.weight : source.weight * score

/** Zero times infinity, and infinity less itself, make zero. */
const orZero = (value: number): number => Number.isNaN(value) ? 0 : value

const put = (sum: number, value: number, aggregate: Aggregate): number => {
  if (aggregate === "MIN") return value < sum ? value : sum
  if (aggregate === "MAX") return value > sum ? value : sum
  return orZero(sum + value)
}

/** Told of each member of a result; answers false to end it. */
export type Visit = (member: Slice, score: number, source: Source) => boolean

/** Visits the members of a result. */
export type Operation = (d: Decision, sources: ReadonlyArray<Source>, aggregate: Aggregate, visit: Visit) => void

/** The smallest first: sums of doubles depend on the order, which is that of Redis. */
const bySize = (sources: ReadonlyArray<Source>): Array<Source> => sources.toSorted((a, b) => a.size - b.size)

/** What all inputs have. */
export const intersection: Operation = (d, sources, aggregate, visit) => {
  const [least, ...others] = bySize(sources) as [Source, ...Array<Source>]
  each(d, least, (member, score) => {
    let value = orZero(weighted(least, score, aggregate))
    for (const other of others) {
      const found = other.p === least.p ? score : scoreIn(d, other, member)
      if (found === undefined) return true
      // Here zero times infinity spoils the sum, in unions it does not: so it is in Redis.
      value = put(value, weighted(other, found, aggregate), aggregate)
    }
    return visit(member, value, least)
  })
}

/** What any of the inputs has. */
export const union: Operation = (d, sources, aggregate, visit) => {
  const sorted = bySize(sources)
  let going = true
  for (let i = 0; i < sorted.length && going; i++) {
    const source = sorted[i]!
    each(d, source, (member, score) => {
      for (let j = 0; j < i; j++) if (scoreIn(d, sorted[j]!, member) !== undefined) return true
      let value = orZero(weighted(source, score, aggregate))
      for (let j = i + 1; j < sorted.length; j++) {
        const found = scoreIn(d, sorted[j]!, member)
        if (found !== undefined) value = put(value, orZero(weighted(sorted[j]!, found, aggregate)), aggregate)
      }
      return going = visit(member, value, source)
    })
  }
}

/** What the first input has and no other. */
export const difference: Operation = (d, sources, _aggregate, visit) => {
  const [first, ...others] = sources as [Source, ...Array<Source>]
  if (others.some((other) => other.p === first.p)) return
  each(d, first, (member, score) => {
    for (const other of others) if (scoreIn(d, other, member) !== undefined) return true
    return visit(member, score, first)
  })
}

/**
 * The members of a result and their scores, in no order. They stay valid until the command returns, and with `copied`
 * also while an earlier event of the command is folded.
 */
export const gather = (
  d: Decision,
  operation: Operation,
  sources: ReadonlyArray<Source>,
  aggregate: Aggregate,
  copied: boolean
): Scored => {
  const members: Array<Slice> = []
  const scores: Array<number> = []
  operation(d, sources, aggregate, (member, score, { stable }) => {
    members.push(stable && !copied ? new Slice(member.bytes, member.start, member.length) : member.copy())
    scores.push(score)
    return true
  })
  return { members, scores }
}

/** The same members in the order of a sorted set. */
export const inOrder = ({ members, scores }: Scored): Scored => {
  const places = members.map((_member, i) => i)
  places.sort((a, b) => {
    const first = scores[a]!
    const second = scores[b]!
    return first < second ? -1 : first > second ? 1 : compareSlices(members[a]!, members[b]!)
  })
  return { members: places.map((i) => members[i]!), scores: places.map((i) => scores[i]!) }
}
