/** Random fields of a hash, and going through it a few at a time. */
import { Elements, type Reply, ReplyError } from "../../net/resp/reply.ts"
import * as Entry from "../../projections/entry.ts"
import { eachField, isLargeHash, liveCount, randomBlock, scanBlocks, visitBlock } from "../../projections/hash-read.ts"
import type { Pointer } from "../../projections/memory/arena.ts"
import { Slice } from "../../projections/memory/slice.ts"
import { isWord } from "../arguments.ts"
import { readableOf, scanCursor, scanRequest, signedCount, wanted } from "../collections.ts"
import type { Decision } from "../decision.ts"
import { defineCommand, firstKey } from "../define.ts"
import { errors } from "../errors.ts"
import { distinctPlaces, randomBelow } from "../sampling.ts"

const { hash } = Entry.Type
const outOfRange = new ReplyError("ERR value is out of range")

/** A field and its value, which stay valid until the hash changes. */
type Pair = readonly [field: Slice, value: Slice]

/** All fields that are alive. Those of a large hash are slices of it, those of a small one copies. */
const livePairs = (d: Decision, p: Pointer): Array<Pair> => {
  const pairs: Array<Pair> = []
  const stable = isLargeHash(d.db, p)
  const keep = (slice: Slice): Slice => stable ? new Slice(slice.bytes, slice.start, slice.length) : slice.copy()
  eachField(d.db, p, d.now, (field, value) => pairs.push([keep(field), keep(value)]))
  return pairs
}

/** So often a random field of a large hash is drawn again because it is dead. */
const highestTries = 100

/** Random fields of a large hash, one after the other. */
const drawer = (d: Decision, p: Pointer): () => Pair => {
  const random = (): number => d.random()
  let all: Array<Pair> | undefined
  let pair: Pair | undefined
  const take = (field: Slice, value: Slice, deadline: number): void => {
    if (deadline !== 0 && deadline <= d.now) return
    pair = [new Slice(field.bytes, field.start, field.length), new Slice(value.bytes, value.start, value.length)]
  }
  return () => {
    pair = undefined
    for (let i = 0; i < highestTries && all === undefined && pair === undefined; i++) {
      visitBlock(d.db, randomBlock(d.db, p, random), take)
    }
    if (pair !== undefined) return pair
    all ??= livePairs(d, p) // nearly all are dead and not buried yet
    return all[randomBelow(d, all.length)]!
  }
}

/** `count` distinct random fields, fewer than there are. */
const distinctPairs = (d: Decision, p: Pointer, count: number, size: number): Array<Pair> => {
  if (!isLargeHash(d.db, p) || 2 * count > size) {
    const all = livePairs(d, p)
    return distinctPlaces(d, size, count).map((place) => all[place]!)
  }
  const draw = drawer(d, p)
  const chosen = new Map<string, Pair>()
  while (chosen.size < count) {
    const pair = draw()
    const name = pair[0].latin1()
    if (!chosen.has(name)) chosen.set(name, pair)
  }
  return [...chosen.values()]
}

/** Draws random fields, each from all of them. */
const anyPair = (d: Decision, p: Pointer): () => Pair => {
  if (isLargeHash(d.db, p)) return drawer(d, p)
  const all = livePairs(d, p)
  return () => all[randomBelow(d, all.length)]!
}

/** An array of `count` fields, with their values in RESP3 as pairs. No object is made for each: there may be very many. */
const answer = (d: Decision, count: number, withValues: boolean, next: () => Pair): Elements => {
  const nested = withValues && d.client.protocol === 3
  return new Elements("array", withValues && !nested ? 2 * count : count, (out) => {
    for (let i = 0; i < count; i++) {
      const [field, value] = next()
      if (nested) out.array(2)
      out.bulk(field.bytes, field.start, field.length)
      if (withValues) out.bulk(value.bytes, value.start, value.length)
    }
  })
}

export const hrandfield = defineCommand({
  name: "HRANDFIELD",
  since: "6.2.0",
  group: "hash",
  summary: "Answers random fields of a hash, with their values on request.",
  complexity: "O(N) where N is the number of fields answered.",
  syntax: "key [options: count [WITHVALUES]]",
  arity: -2,
  flags: ["readonly"],
  tips: ["nondeterministic_output"],
  keys: firstKey("RO", "access"),
  decide: (d, argv): Reply => {
    if (argv.length === 2) {
      const p = readableOf(d, argv.at(1), hash)
      return p === 0 ? null : anyPair(d, p)()[0]
    }
    const count = signedCount(argv.at(2))
    const withValues = argv.length === 4 && isWord(argv.at(3), "WITHVALUES")
    if (argv.length > 3 && !withValues) throw errors.syntax
    if (withValues && Math.abs(count) >= 2 ** 62) throw outOfRange
    const p = readableOf(d, argv.at(1), hash)
    if (p === 0 || count === 0) return []
    const size = liveCount(d.db, p, d.now)
    if (count < 0) return answer(d, -count, withValues, anyPair(d, p))
    const pairs = count >= size ? livePairs(d, p) : distinctPairs(d, p, count, size)
    let at = 0
    return answer(d, pairs.length, withValues, () => pairs[at++]!)
  }
})

export const hscan = defineCommand({
  name: "HSCAN",
  since: "2.8.0",
  group: "hash",
  summary: "Goes through the fields of a hash and their values a few at a time.",
  complexity: "O(1) for every call, O(N) for going through all N fields.",
  syntax: "key cursor [MATCH pattern] [COUNT count] [NOVALUES]@7.4.0",
  history: [["7.4.0", "Option `NOVALUES`."]],
  arity: -3,
  flags: ["readonly"],
  tips: ["nondeterministic_output"],
  keys: firstKey("RO", "access"),
  decide: (d, argv): Reply => {
    const cursor = scanCursor(argv)
    const p = readableOf(d, argv.at(1), hash)
    if (p === 0) return ["0", []]
    const request = scanRequest(argv, cursor, true)
    const found: Array<Slice> = []
    const stable = isLargeHash(d.db, p)
    const keep = (slice: Slice): void => {
      found.push(stable ? new Slice(slice.bytes, slice.start, slice.length) : slice.copy())
    }
    const visit = (field: Slice, value: Slice, deadline: number): void => {
      if ((deadline !== 0 && deadline <= d.now) || !wanted(request, field)) return
      keep(field)
      if (!request.noValues) keep(value)
    }
    if (!stable) {
      eachField(d.db, p, d.now, visit)
      return ["0", found]
    }
    const { count } = request
    const next = scanBlocks(d.db, p, cursor, count, count * 10, (block) => visitBlock(d.db, block, visit))
    return [String(next), found]
  }
})
