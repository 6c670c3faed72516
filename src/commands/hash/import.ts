/**
 * HIMPORT: hashes of the same fields, whose names are sent once. A fieldset belongs to the connection that prepared it
 * and goes with it, or with RESET. Redis holds hashes made like this in an encoding of their own; here they are hashes
 * like any other.
 */
import { ok, type Reply, ReplyError } from "../../net/resp/reply.ts"
import * as Entry from "../../projections/entry.ts"
import type { Slice } from "../../projections/memory/slice.ts"
import { rest } from "../arguments.ts"
import { type ClientState, Fieldsets } from "../client.ts"
import { writableOf } from "../collections.ts"
import { defineCommand, defineContainer, defineControl, keyAtIndex } from "../define.ts"
import { alike } from "../words.ts"

const duplicate = new ReplyError("ERR duplicate field name in fieldset")
const noFieldset = new ReplyError("ERR no such fieldset")
const wrongCount = new ReplyError("ERR value count does not match fieldset field count")

const fieldsetsOf = (client: ClientState): Fieldsets => client.fieldsets ?? (client.fieldsets = new Fieldsets())

const prepare = defineControl({
  name: "PREPARE",
  since: "8.10.0",
  group: "hash",
  summary: "Names a list of fields for the hashes this connection is about to import.",
  complexity: "O(N) where N is the number of fields.",
  syntax: "fieldset-name field ...",
  arity: -4,
  flags: [],
  run: ({ client }, argv): Reply => {
    const earlier = alike()
    const fields = rest(argv, 3)
    if (fields.some((field) => earlier(field))) throw duplicate
    fieldsetsOf(client).set(argv.at(2).latin1(), fields.map((field) => field.copy()))
    return ok
  }
})

const set = defineCommand({
  name: "SET",
  since: "8.10.0",
  group: "hash",
  summary: "Makes a hash of the fields of a fieldset and these values, in the place of any hash at the key.",
  complexity: "O(N) where N is the number of fields.",
  syntax: "key fieldset-name value ...",
  arity: -5,
  flags: ["write", "denyoom"],
  keys: keyAtIndex(2, "OW", "update"),
  decide: (d, argv) => {
    const key = argv.at(2)
    const p = writableOf(d, key, Entry.Type.hash)
    const fields = d.client.fieldsets?.get(argv.at(3).latin1())
    if (fields === undefined) throw noFieldset
    if (fields.length !== argv.length - 4) throw wrongCount
    const pairs: Array<Slice> = []
    for (let i = 0; i < fields.length; i++) pairs.push(fields[i]!, argv.at(i + 4))
    if (p !== 0) d.emit({ _tag: "KeyDeleted", key })
    d.emit({ _tag: "HashFieldsSet", key, pairs })
    return ok
  }
})

const discard = defineControl({
  name: "DISCARD",
  since: "8.10.0",
  group: "hash",
  summary: "Forgets a fieldset of this connection.",
  complexity: "O(N) where N is the number of fields.",
  syntax: "fieldset-name",
  arity: 3,
  flags: [],
  run: ({ client }, argv) => client.fieldsets?.delete(argv.at(2).latin1()) === true ? 1 : 0
})

const discardAll = defineControl({
  name: "DISCARDALL",
  since: "8.10.0",
  group: "hash",
  summary: "Forgets all fieldsets of this connection.",
  complexity: "O(N) where N is the number of fieldsets.",
  syntax: "",
  arity: 2,
  flags: [],
  run: ({ client }) => {
    const count = client.fieldsets?.size ?? 0
    client.fieldsets = undefined
    return count
  }
})

export const himport = defineContainer({
  name: "HIMPORT",
  since: "8.10.0",
  group: "hash",
  summary: "Commands for importing many hashes of the same fields.",
  complexity: "That of the subcommand.",
  syntax: "",
  arity: -2,
  flags: [],
  subcommands: [discard, discardAll, prepare, set]
})
