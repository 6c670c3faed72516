/** Setting, reading and removing fields. */
import { Elements, type ElementSink, ok, type Reply } from "../../net/resp/reply.ts"
import * as Entry from "../../projections/entry.ts"
import { eachField, liveCount, packOfPairs } from "../../projections/hash-read.ts"
import type { Pointer } from "../../projections/memory/arena.ts"
import { Slice } from "../../projections/memory/slice.ts"
import { rest } from "../arguments.ts"
import { readableOf, writableOf } from "../collections.ts"
import type { Decision } from "../decision.ts"
import { type Argv, type DataCommand, defineCommand, firstKey } from "../define.ts"
import { wrongArity } from "../errors.ts"
import { fieldSet } from "../reused-events.ts"
import { distinctWords } from "../words.ts"
import { hasField, hasFieldToChange, valueLengthOf, valueOf, valuesOf } from "./reading.ts"

const { hash } = Entry.Type

/** Emits the fields and values of HSET and HMSET; returns how many of the fields are new. */
const setFields = (d: Decision, argv: Argv): number => {
  if (argv.length % 2 !== 0) throw wrongArity(d.commandName)
  const key = argv.at(1)
  const p = writableOf(d, key, hash)
  if (argv.length > 4) return setMany(d, key, p, argv)
  const added = p === 0 || !hasFieldToChange(d, p, argv.at(2)) ? 1 : 0
  d.emit(fieldSet(key, argv.at(2), argv.at(3)))
  return added
}

// Of its own: a function that makes another one takes memory for what that sees, each time it is called.
const setMany = (d: Decision, key: Slice, p: Pointer, argv: Argv): number => {
  const added = distinctWords(argv, 2, (field) => p === 0 || !hasField(d, p, field), 2).length
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
    if (p !== 0 && hasFieldToChange(d, p, argv.at(2))) return 0
    d.emit(fieldSet(key, argv.at(2), argv.at(3)))
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
    const fields = distinctWords(argv, 2, (field) => hasField(d, p, field))
    if (fields.length > 0) d.emit({ _tag: "HashFieldsDeleted", key, fields })
    return fields.length
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

const pairs = new Slice()

type Write = (out: ElementSink, field: Slice, value: Slice) => void

/** The commands that answer with something of every field. */
const listing = (name: string, what: string, kind: "array" | "map", write: Write): DataCommand =>
  defineCommand({
    name,
    since: "2.0.0",
    group: "hash",
    summary: `Answers ${what}.`,
    complexity: "O(N) where N is the number of fields.",
    syntax: "key",
    arity: 2,
    flags: ["readonly"],
    tips: ["nondeterministic_output_order"],
    keys: firstKey("RO", "access"),
    decide: (d, argv): Reply => {
      const { db, now } = d
      const p = readableOf(d, argv.at(1), hash)
      if (p === 0) return new Elements(kind, 0, () => {})
      return new Elements(
        kind,
        liveCount(db, p, now),
        (out) => {
          if (kind === "map" && packOfPairs(db, p, pairs)) out.pack(pairs.bytes, pairs.start, 2 * liveCount(db, p, now))
          else eachField(db, p, now, (field, value) => write(out, field, value))
        }
      )
    }
  })

const put = (out: ElementSink, { bytes, length, start }: Slice): void => out.bulk(bytes, start, length)

export const hgetall = listing("HGETALL", "all fields of a hash and their values", "map", (out, field, value) => {
  put(out, field)
  put(out, value)
})
export const hkeys = listing("HKEYS", "all fields of a hash", "array", (out, field) => put(out, field))
export const hvals = listing("HVALS", "the values of all fields of a hash", "array", (out, _, value) => put(out, value))
