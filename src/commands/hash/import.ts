/** HIMPORT: many hashes of the same fields, whose names a connection sends but once. */
import { ok, type Reply, ReplyError } from "../../net/resp/reply.ts"
import type { Slice } from "../../projections/memory/slice.ts"
import { shown } from "../arguments.ts"
import { defineCommand, defineContainer, keyAtIndex } from "../define.ts"
import { distinctWords } from "../words.ts"

const twice = new ReplyError("ERR duplicate field name in fieldset")
const wrongNumber = new ReplyError("ERR number of values must match the number of fields in the fieldset")

const prepare = defineCommand({
  name: "PREPARE",
  since: "8.10.0",
  group: "hash",
  summary: "Names a list of fields for later use by this connection.",
  complexity: "O(N) where N is the number of fields.",
  syntax: "fieldset-name field ...",
  arity: -4,
  flags: [],
  decide: (d, argv) => {
    const fields = distinctWords(argv, 3, () => true)
    if (fields.length < argv.length - 3) throw twice
    d.client.fieldsets.set(argv.at(2).latin1(), fields.map((field) => field.copy()))
    return ok
  }
})

const set = defineCommand({
  name: "SET",
  since: "8.10.0",
  group: "hash",
  summary: "Makes a hash of prepared fields and these values, in the place of what the key held.",
  complexity: "O(N) where N is the number of fields.",
  syntax: "key fieldset-name value ...",
  arity: -5,
  flags: ["write", "denyoom"],
  keys: keyAtIndex(2, "OW", "update"),
  decide: (d, argv): Reply => {
    const name = argv.at(3)
    const fields = d.client.fieldsets.get(name.latin1())
    if (fields === undefined) throw new ReplyError(`ERR no such fieldset '${shown(name)}'`)
    if (fields.length !== argv.length - 4) throw wrongNumber
    const key = argv.at(2)
    const pairs: Array<Slice> = []
    for (const [i, field] of fields.entries()) pairs.push(field, argv.at(4 + i))
    if (d.lookup(key) !== 0) d.emit({ _tag: "KeyDeleted", key })
    d.emit({ _tag: "HashFieldsSet", key, pairs })
    return ok
  }
})

const discard = defineCommand({
  name: "DISCARD",
  since: "8.10.0",
  group: "hash",
  summary: "Forgets one list of fields of this connection.",
  complexity: "O(1)",
  syntax: "fieldset-name",
  arity: 3,
  flags: [],
  decide: (d, argv) => d.client.fieldsets.delete(argv.at(2).latin1()) ? 1 : 0
})

const discardAll = defineCommand({
  name: "DISCARDALL",
  since: "8.10.0",
  group: "hash",
  summary: "Forgets all lists of fields of this connection.",
  complexity: "O(N) where N is the number of lists.",
  syntax: "",
  arity: 2,
  flags: [],
  decide: (d) => {
    const { size } = d.client.fieldsets
    d.client.fieldsets.clear()
    return size
  }
})

export const himport = defineContainer({
  name: "HIMPORT",
  since: "8.10.0",
  group: "hash",
  summary: "Makes many hashes of the same fields.",
  complexity: "That of the subcommand.",
  syntax: "",
  arity: -2,
  flags: [],
  subcommands: [discard, discardAll, prepare, set]
})
