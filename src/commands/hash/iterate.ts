/** All fields of a hash, some of them, or a few at a time. */
import { Elements, type ElementSink, type Reply, ReplyError } from "../../net/resp/reply.ts"
import { rootOf } from "../../projections/collection.ts"
import * as Entry from "../../projections/entry.ts"
import { fieldOf, valueOf } from "../../projections/hash-fields.ts"
import { deadFields, eachField, fieldCount } from "../../projections/hash.ts"
import type { Pointer } from "../../projections/memory/arena.ts"
import { Slice } from "../../projections/memory/slice.ts"
import { isWord } from "../arguments.ts"
import { scanCursor, scanRequest, signedCount, wanted } from "../collections.ts"
import type { Decision } from "../decision.ts"
import { type Argv, defineCommand, firstKey } from "../define.ts"
import { errors } from "../errors.ts"
import { randomBelow } from "../sampling.ts"
import { readableHash } from "./access.ts"

/** The number of live fields. */
const liveFields = (d: Decision, p: Pointer): number =>
  fieldCount(d.db, p) - deadFields(d.db, p, d.now, Number.POSITIVE_INFINITY).length

const bulk = (out: ElementSink, { bytes, length, start }: Slice): void => out.bulk(bytes, start, length)

const all = (kind: "array" | "map", fields: boolean, values: boolean) => (d: Decision, argv: Argv): Reply => {
  const p = readableHash(d, argv.at(1))
  if (p === 0) return new Elements(kind, 0, () => {})
  return new Elements(kind, liveFields(d, p), (out) =>
    eachField(d.db, p, d.now, (field, value) => {
      if (fields) bulk(out, field)
      if (values) bulk(out, value)
    }))
}

const described = {
  since: "2.0.0",
  group: "hash",
  complexity: "O(N) where N is the number of fields.",
  syntax: "key",
  arity: 2,
  flags: ["readonly"],
  tips: ["nondeterministic_output_order"],
  keys: firstKey("RO", "access")
} as const

export const hgetall = defineCommand({
  name: "HGETALL",
  summary: "Answers all fields of a hash and their values.",
  ...described,
  decide: all("map", true, true)
})
export const hkeys = defineCommand({
  name: "HKEYS",
  summary: "Answers all fields of a hash.",
  ...described,
  decide: all("array", true, false)
})
export const hvals = defineCommand({
  name: "HVALS",
  summary: "Answers the values of all fields of a hash.",
  ...described,
  decide: all("array", false, true)
})

export const hlen = defineCommand({
  name: "HLEN",
  since: "2.0.0",
  group: "hash",
  summary: "Counts the fields of a hash.",
  complexity: "O(1)",
  syntax: "key",
  arity: 2,
  flags: ["readonly", "fast"],
  keys: firstKey("RO"),
  decide: (d, argv) => {
    const p = readableHash(d, argv.at(1))
    return p === 0 ? 0 : liveFields(d, p)
  }
})

/** A field and its value, copied or in the data; both stay as they are until the command returns. */
type Pair = readonly [field: Slice, value: Slice]

const isLarge = (d: Decision, p: Pointer): boolean => Entry.encodingOf(d.db.arena, p) === Entry.Encoding.hashtable

const copies = (d: Decision, p: Pointer): Array<Pair> => {
  const pairs: Array<Pair> = []
  eachField(d.db, p, d.now, (field, value) => pairs.push([field.copy(), value.copy()]))
  return pairs
}

const pairAt = (d: Decision, e: Pointer): Pair => [
  fieldOf(d.db.arena, e, new Slice()),
  valueOf(d.db.arena, e, new Slice())
]

/** `count` distinct pairs, all when there are no more; in no order. */
const distinct = (d: Decision, p: Pointer, count: number): Array<Pair> => {
  const size = liveFields(d, p)
  if (isLarge(d, p) && deadFields(d.db, p, d.now, 1).length === 0 && 3 * count < size) {
    const table = d.db.structures.fields.open(rootOf(d.db, p))
    const chosen = new Set<Pointer>()
    while (chosen.size < count) chosen.add(table.random(() => d.random()))
    return [...chosen].map((e) => pairAt(d, e))
  }
  const pairs = copies(d, p)
  if (count >= size) return pairs
  // The first places after as many swaps as are wanted.
  for (let i = 0; i < count; i++) {
    const j = i + randomBelow(d, size - i)
    const pair = pairs[i]!
    pairs[i] = pairs[j]!
    pairs[j] = pair
  }
  return pairs.slice(0, count)
}

/** `count` pairs, each drawn from all. */
const repeated = (d: Decision, p: Pointer, count: number, visit: (pair: Pair) => void): void => {
  if (isLarge(d, p) && deadFields(d.db, p, d.now, 1).length === 0) {
    const table = d.db.structures.fields.open(rootOf(d.db, p))
    for (let i = 0; i < count; i++) visit(pairAt(d, table.random(() => d.random())))
    return
  }
  const pairs = copies(d, p)
  for (let i = 0; i < count; i++) visit(pairs[randomBelow(d, pairs.length)]!)
}

const outOfRange = new ReplyError("ERR value is out of range")

/** Pairs as arrays of two in RESP3, one after the other in RESP2; without values just the fields. */
const answer = (
  count: number,
  withValues: boolean,
  protocol: number,
  each: (visit: (pair: Pair) => void) => void
): Elements => {
  const nested = withValues && protocol === 3
  return new Elements("array", withValues && !nested ? 2 * count : count, (out) =>
    each(([field, value]) => {
      if (nested) out.array(2)
      bulk(out, field)
      if (withValues) bulk(out, value)
    }))
}

export const hrandfield = defineCommand({
  name: "HRANDFIELD",
  since: "6.2.0",
  group: "hash",
  summary: "Answers random fields of a hash.",
  complexity: "O(N) where N is the number of fields answered.",
  syntax: "key [options: count [WITHVALUES]]",
  arity: -2,
  flags: ["readonly"],
  tips: ["nondeterministic_output"],
  keys: firstKey("RO", "access"),
  decide: (d, argv): Reply => {
    if (argv.length === 2) {
      const p = readableHash(d, argv.at(1))
      return p === 0 ? null : distinct(d, p, 1)[0]![0]
    }
    const count = signedCount(argv.at(2))
    const withValues = argv.length === 4
    if (argv.length > 4 || (withValues && !isWord(argv.at(3), "WITHVALUES"))) throw errors.syntax
    if (withValues && Math.abs(count) >= 2 ** 62) throw outOfRange
    const p = readableHash(d, argv.at(1))
    if (p === 0 || count === 0) return []
    const { protocol } = d.client
    if (count < 0) return answer(-count, withValues, protocol, (visit) => repeated(d, p, -count, visit))
    const pairs = distinct(d, p, count)
    return answer(pairs.length, withValues, protocol, (visit) => pairs.forEach(visit))
  }
})

export const hscan = defineCommand({
  name: "HSCAN",
  since: "2.8.0",
  group: "hash",
  summary: "Goes through the fields of a hash a few at a time.",
  complexity: "O(1) for every call, O(N) for going through all N fields.",
  syntax: "key cursor [MATCH pattern] [COUNT count] [NOVALUES@7.4.0]",
  arity: -3,
  flags: ["readonly"],
  tips: ["nondeterministic_output"],
  keys: firstKey("RO", "access"),
  decide: (d, argv): Reply => {
    const cursor = scanCursor(argv)
    const p = readableHash(d, argv.at(1))
    if (p === 0) return ["0", []]
    const request = scanRequest(argv, cursor, true)
    const found: Array<Slice> = []
    const take = (field: Slice, value: Slice): void => {
      if (!wanted(request, field)) return
      found.push(field)
      if (!request.noValues) found.push(value)
    }
    if (!isLarge(d, p)) {
      for (const [field, value] of copies(d, p)) take(field, value)
      return ["0", found]
    }
    const dead = new Set(deadFields(d.db, p, d.now, Number.POSITIVE_INFINITY).map((field) => field.latin1()))
    const { count } = request
    const next = d.db.structures.fields.open(rootOf(d.db, p)).scanMany(cursor, count, count * 10, (e) => {
      const [field, value] = pairAt(d, e)
      if (dead.size === 0 || !dead.has(field.latin1())) take(field, value)
    })
    return [String(next), found]
  }
})
