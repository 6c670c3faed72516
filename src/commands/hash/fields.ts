/** Setting, getting and removing fields. */
import { ok, type Reply } from "../../net/resp/reply.ts"
import { hasField } from "../../projections/hash.ts"
import { rest } from "../arguments.ts"
import type { Decision } from "../decision.ts"
import { type Argv, defineCommand, firstKey } from "../define.ts"
import { wrongArity } from "../errors.ts"
import { distinctWords } from "../words.ts"
import { readableHash, valueIn, writableHash } from "./access.ts"

/** How many of the fields in pairs from word 2 on are new to the hash. */
const newFields = (d: Decision, argv: Argv, p: number): number => {
  if (argv.length === 4) return p !== 0 && hasField(d.db, p, argv.at(2), d.now) ? 0 : 1
  return distinctWords(argv, 2, (field) => p === 0 || !hasField(d.db, p, field, d.now), 2).length
}

const set = (d: Decision, argv: Argv): number => {
  if (argv.length % 2 === 1) throw wrongArity(d.commandName)
  const key = argv.at(1)
  const p = writableHash(d, key)
  const added = newFields(d, argv, p)
  d.emit({ _tag: "HashFieldsSet", key, pairs: argv.length === 4 ? [argv.at(2), argv.at(3)] : rest(argv, 2) })
  return added
}

export const hset = defineCommand({
  name: "HSET",
  since: "2.0.0",
  group: "hash",
  summary: "Sets fields of a hash; answers how many are new.",
  complexity: "O(1) for each field.",
  syntax: "key <field value> ...",
  history: [["4.0.0", "More than one `field` and `value`."]],
  arity: -4,
  flags: ["write", "denyoom", "fast"],
  keys: firstKey("RW", "update"),
  decide: set
})

export const hmset = defineCommand({
  name: "HMSET",
  since: "2.0.0",
  group: "hash",
  summary: "Sets fields of a hash.",
  complexity: "O(N) where N is the number of fields.",
  syntax: "key <field value> ...",
  deprecated: { since: "4.0.0", replacedBy: "`HSET` with multiple field-value pairs" },
  arity: -4,
  flags: ["write", "denyoom", "fast"],
  keys: firstKey("RW", "update"),
  decide: (d, argv) => {
    set(d, argv)
    return ok
  }
})

export const hsetnx = defineCommand({
  name: "HSETNX",
  since: "2.0.0",
  group: "hash",
  summary: "Sets a field of a hash unless it is there.",
  complexity: "O(1)",
  syntax: "key field value",
  arity: 4,
  flags: ["write", "denyoom", "fast"],
  keys: firstKey("RW", "insert"),
  decide: (d, argv) => {
    const key = argv.at(1)
    const p = writableHash(d, key)
    if (p !== 0 && hasField(d.db, p, argv.at(2), d.now)) return 0
    d.emit({ _tag: "HashFieldsSet", key, pairs: [argv.at(2), argv.at(3)] })
    return 1
  }
})

export const hget = defineCommand({
  name: "HGET",
  since: "2.0.0",
  group: "hash",
  summary: "Answers the value of a field.",
  complexity: "O(1)",
  syntax: "key field",
  arity: 3,
  flags: ["readonly", "fast"],
  keys: firstKey("RO", "access"),
  decide: (d, argv) => valueIn(d, readableHash(d, argv.at(1)), argv.at(2)) ?? null
})

export const hmget = defineCommand({
  name: "HMGET",
  since: "2.0.0",
  group: "hash",
  summary: "Answers the values of several fields.",
  complexity: "O(N) where N is the number of fields asked for.",
  syntax: "key field ...",
  arity: -3,
  flags: ["readonly", "fast"],
  keys: firstKey("RO", "access"),
  decide: (d, argv) => {
    const p = readableHash(d, argv.at(1))
    const values: Array<Reply> = []
    for (let i = 2; i < argv.length; i++) values.push(valueIn(d, p, argv.at(i)) ?? null)
    return values
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
    const p = readableHash(d, argv.at(1))
    return p !== 0 && hasField(d.db, p, argv.at(2), d.now) ? 1 : 0
  }
})

export const hstrlen = defineCommand({
  name: "HSTRLEN",
  since: "3.2.0",
  group: "hash",
  summary: "Answers the length of a field's value.",
  complexity: "O(1)",
  syntax: "key field",
  arity: 3,
  flags: ["readonly", "fast"],
  keys: firstKey("RO"),
  decide: (d, argv) => valueIn(d, readableHash(d, argv.at(1)), argv.at(2))?.length ?? 0
})

export const hdel = defineCommand({
  name: "HDEL",
  since: "2.0.0",
  group: "hash",
  summary: "Removes fields of a hash; answers how many were there.",
  complexity: "O(N) where N is the number of fields named.",
  syntax: "key field ...",
  history: [["2.4.0", "More than one `field`."]],
  arity: -3,
  flags: ["write", "fast"],
  keys: firstKey("RW", "delete"),
  decide: (d, argv) => {
    const key = argv.at(1)
    const p = writableHash(d, key)
    if (p === 0) return 0
    const fields = distinctWords(argv, 2, (field) => hasField(d.db, p, field, d.now))
    if (fields.length > 0) d.emit({ _tag: "HashFieldsDeleted", key, fields })
    return fields.length
  }
})
