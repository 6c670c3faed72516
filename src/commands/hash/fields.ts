/** Setting, reading and removing fields. */
import { ok, type Reply } from "../../net/resp/reply.ts"
import { Elements } from "../../net/resp/reply.ts"
import * as Entry from "../../projections/entry.ts"
import { eachField, liveCount } from "../../projections/hash-read.ts"
import type { Pointer } from "../../projections/memory/arena.ts"
import type { Slice } from "../../projections/memory/slice.ts"
import { rest } from "../arguments.ts"
import { readableOf, writableOf } from "../collections.ts"
import type { Decision } from "../decision.ts"
import { type Argv, defineCommand, firstKey } from "../define.ts"
import { wrongArity } from "../errors.ts"
import { alike, hasField, valueLengthOf, valueOf, valuesOf } from "./reading.ts"

const { hash } = Entry.Type

/** How many distinct fields among the words from 2 on, `step` apart, `take` counts. */
const countDistinct = (argv: Argv, step: number, take: (field: Slice) => boolean): number => {
  let count = 0
  for (let i = 2; i < argv.length; i += step) if (take(argv.at(i))) count++
  if (count < 2) return count
  const earlier = alike()
  count = 0
  for (let i = 2; i < argv.length; i += step) if (!earlier(argv.at(i)) && take(argv.at(i))) count++
  return count
}

/** Emits the fields and values of HSET and HMSET; returns how many of the fields are new. */
const setFields = (d: Decision, argv: Argv): number => {
  if (argv.length % 2 !== 0) throw wrongArity(d.commandName)
  const key = argv.at(1)
  const p = writableOf(d, key, hash)
  const added = argv.length === 4
    ? p === 0 || !hasField(d, p, argv.at(2)) ? 1 : 0
    : countDistinct(argv, 2, (field) => p === 0 || !hasField(d, p, field))
  d.emit({ _tag: "HashFieldsSet", key, pairs: rest(argv, 2) })
  return added
}

export const hset = defineCommand({
  name: "HSET",
  since: "2.0.0",
  group: "hash",
  summary: "Gives fields of a hash new values; answers how many of the fields are new.",
  complexity: "O(1) for each field.",
  syntax: "key <field value> ...",
  history: [["4.0.0", "More than one `field` and `value`."]],
  arity: -4,
  flags: ["write", "denyoom", "fast"],
  keys: firstKey("RW", "update"),
  decide: setFields
})

export const hmset = defineCommand({
  name: "HMSET",
  since: "2.0.0",
  group: "hash",
  summary: "Gives fields of a hash new values.",
  complexity: "O(N) where N is the number of fields.",
  syntax: "key <field value> ...",
  deprecated: { since: "4.0.0", replacedBy: "`HSET` with multiple field-value pairs" },
  arity: -4,
  flags: ["write", "denyoom", "fast"],
  keys: firstKey("RW", "update"),
  decide: (d, argv) => {
    setFields(d, argv)
    return ok
  }
})

export const hsetnx = defineCommand({
  name: "HSETNX",
  since: "2.0.0",
  group: "hash",
  summary: "Gives a field of a hash a value unless it has one.",
  complexity: "O(1)",
  syntax: "key field value",
  arity: 4,
  flags: ["write", "denyoom", "fast"],
  keys: firstKey("RW", "insert"),
  decide: (d, argv) => {
    const key = argv.at(1)
    const p = writableOf(d, key, hash)
    if (p !== 0 && hasField(d, p, argv.at(2))) return 0
    d.emit({ _tag: "HashFieldsSet", key, pairs: rest(argv, 2) })
    return 1
  }
})

export const hget = defineCommand({
  name: "HGET",
  since: "2.0.0",
  group: "hash",
  summary: "Answers the value of a field of a hash.",
  complexity: "O(1)",
  syntax: "key field",
  arity: 3,
  flags: ["readonly", "fast"],
  keys: firstKey("RO", "access"),
  decide: (d, argv) => {
    const p = readableOf(d, argv.at(1), hash)
    return p === 0 ? null : valueOf(d, p, argv.at(2))
  }
})

export const hmget = defineCommand({
  name: "HMGET",
  since: "2.0.0",
  group: "hash",
  summary: "Answers the values of fields of a hash.",
  complexity: "O(N) where N is the number of fields.",
  syntax: "key field ...",
  arity: -3,
  flags: ["readonly", "fast"],
  keys: firstKey("RO", "access"),
  decide: (d, argv) => valuesOf(d, readableOf(d, argv.at(1), hash), argv, 2)
})

export const hdel = defineCommand({
  name: "HDEL",
  since: "2.0.0",
  group: "hash",
  summary: "Removes fields from a hash, and the hash with its last one; answers how many there were.",
  complexity: "O(N) where N is the number of fields.",
  syntax: "key field ...",
  history: [["2.4.0", "More than one `field`."]],
  arity: -3,
  flags: ["write", "fast"],
  keys: firstKey("RW", "delete"),
  decide: (d, argv) => {
    const key = argv.at(1)
    const p = writableOf(d, key, hash)
    if (p === 0) return 0
    const removed = countDistinct(argv, 1, (field) => hasField(d, p, field))
    if (removed === 0) return 0
    const fields: Array<Slice> = []
    const earlier = removed === argv.length - 2 ? undefined : alike()
    for (let i = 2; i < argv.length; i++) {
      const field = argv.at(i)
      if (earlier === undefined || (!earlier(field) && hasField(d, p, field))) fields.push(field)
    }
    d.emit({ _tag: "HashFieldsDeleted", key, fields })
    return removed
  }
})

export const hexists = defineCommand({
  name: "HEXISTS",
  since: "2.0.0",
  group: "hash",
  summary: "Tells whether a hash has a field.",
  complexity: "O(1)",
  syntax: "key field",
  arity: 3,
  flags: ["readonly", "fast"],
  keys: firstKey("RO"),
  decide: (d, argv) => {
    const p = readableOf(d, argv.at(1), hash)
    return p !== 0 && hasField(d, p, argv.at(2)) ? 1 : 0
  }
})

export const hlen = defineCommand({
  name: "HLEN",
  since: "2.0.0",
  group: "hash",
  summary: "Answers the number of fields of a hash.",
  complexity: "O(1)",
  syntax: "key",
  arity: 2,
  flags: ["readonly", "fast"],
  keys: firstKey("RO"),
  decide: (d, argv) => {
    const p = readableOf(d, argv.at(1), hash)
    return p === 0 ? 0 : liveCount(d.db, p, d.now)
  }
})

export const hstrlen = defineCommand({
  name: "HSTRLEN",
  since: "3.2.0",
  group: "hash",
  summary: "Answers the length of the value of a field of a hash.",
  complexity: "O(1)",
  syntax: "key field",
  arity: 3,
  flags: ["readonly", "fast"],
  keys: firstKey("RO"),
  decide: (d, argv) => {
    const p = readableOf(d, argv.at(1), hash)
    return p === 0 ? 0 : valueLengthOf(d, p, argv.at(2))
  }
})

/** Answers with something of every field. */
const everyField = (
  d: Decision,
  p: Pointer,
  kind: "array" | "map",
  write: (out: Parameters<Elements["write"]>[0], field: Slice, value: Slice) => void
): Reply => {
  if (p === 0) return new Elements(kind, 0, () => {})
  const { db, now } = d
  return new Elements(
    kind,
    liveCount(db, p, now),
    (out) => eachField(db, p, now, (field, value) => write(out, field, value))
  )
}

export const hgetall = defineCommand({
  name: "HGETALL",
  since: "2.0.0",
  group: "hash",
  summary: "Answers all fields of a hash and their values.",
  complexity: "O(N) where N is the number of fields.",
  syntax: "key",
  arity: 2,
  flags: ["readonly"],
  tips: ["nondeterministic_output_order"],
  keys: firstKey("RO", "access"),
  decide: (d, argv) =>
    everyField(d, readableOf(d, argv.at(1), hash), "map", (out, field, value) => {
      out.bulk(field.bytes, field.start, field.length)
      out.bulk(value.bytes, value.start, value.length)
    })
})

export const hkeys = defineCommand({
  name: "HKEYS",
  since: "2.0.0",
  group: "hash",
  summary: "Answers all fields of a hash.",
  complexity: "O(N) where N is the number of fields.",
  syntax: "key",
  arity: 2,
  flags: ["readonly"],
  tips: ["nondeterministic_output_order"],
  keys: firstKey("RO", "access"),
  decide: (d, argv) =>
    everyField(
      d,
      readableOf(d, argv.at(1), hash),
      "array",
      (out, { bytes, length, start }) => out.bulk(bytes, start, length)
    )
})

export const hvals = defineCommand({
  name: "HVALS",
  since: "2.0.0",
  group: "hash",
  summary: "Answers the values of all fields of a hash.",
  complexity: "O(N) where N is the number of fields.",
  syntax: "key",
  arity: 2,
  flags: ["readonly"],
  tips: ["nondeterministic_output_order"],
  keys: firstKey("RO", "access"),
  decide: (d, argv) =>
    everyField(
      d,
      readableOf(d, argv.at(1), hash),
      "array",
      (out, _field, { bytes, length, start }) => out.bulk(bytes, start, length)
    )
})
