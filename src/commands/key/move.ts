import { ok, type Reply } from "../../net/resp/reply.ts"
import { equalBytes, type Slice } from "../../projections/memory/slice.ts"
import { isWord } from "../arguments.ts"
import type { Decision } from "../decision.ts"
import { type Argv, defineCommand, firstKey, keyAtIndex } from "../define.ts"
import { errors } from "../errors.ts"
import { databaseIndex } from "./database.ts"

const sameKey = (a: Slice, b: Slice): boolean =>
  a.length === b.length && equalBytes(a.bytes, a.start, b.bytes, b.start, a.length)

/** Whether the key got its new name. Refuses when it does not exist; a key may get the name it has. */
const rename = (d: Decision, argv: Argv, onlyToFree: boolean): boolean => {
  const key = argv.at(1)
  const to = argv.at(2)
  if (d.lookup(key) === 0) throw errors.noSuchKey
  if (sameKey(key, to)) return !onlyToFree
  if (d.lookup(to) !== 0 && onlyToFree) return false
  d.emit({ _tag: "KeyRenamed", key, to })
  return true
}

export const renameAny = defineCommand({
  name: "RENAME",
  since: "1.0.0",
  group: "generic",
  summary: "Gives a key another name; what had that name is gone.",
  complexity: "O(1) for small values; a string is copied.",
  syntax: "key newkey",
  arity: 3,
  flags: ["write"],
  keys: [...keyAtIndex(1, "RW", "access", "delete"), ...keyAtIndex(2, "OW", "update")],
  decide: (d, argv) => {
    rename(d, argv, false)
    return ok
  }
})

export const renameToFree = defineCommand({
  name: "RENAMENX",
  since: "1.0.0",
  group: "generic",
  summary: "Gives a key another name, unless that name is taken.",
  complexity: "O(1) for small values; a string is copied.",
  syntax: "key newkey",
  history: [["3.2.0", "The same name twice is no error."]],
  arity: 3,
  flags: ["write", "fast"],
  keys: [...keyAtIndex(1, "RW", "access", "delete"), ...keyAtIndex(2, "OW", "insert")],
  decide: (d, argv) => rename(d, argv, true) ? 1 : 0
})

export const copy = defineCommand({
  name: "COPY",
  since: "6.2.0",
  group: "generic",
  summary: "Copies a value and its deadline to another name, in this database or another.",
  complexity: "O(N) where N is the number of elements of a collection; O(1) for small strings.",
  syntax: "source destination [DB destination-db] [REPLACE]",
  arity: -3,
  flags: ["write", "denyoom"],
  keys: [...keyAtIndex(1, "RO", "access"), ...keyAtIndex(2, "OW", "update")],
  decide: (d, argv): Reply => {
    const key = argv.at(1)
    const to = argv.at(2)
    let toDb = d.client.db
    let replace = false
    for (let i = 3; i < argv.length; i++) {
      const option = argv.at(i)
      if (isWord(option, "REPLACE")) replace = true
      else if (isWord(option, "DB") && i + 1 < argv.length) toDb = databaseIndex(d, argv.at(++i))
      else throw errors.syntax
    }
    if (toDb === d.client.db && sameKey(key, to)) throw errors.sameObject
    if (d.counted(d.lookup(key), key) === 0) return 0
    if (d.peekIn(toDb, to) !== 0 && !replace) return 0
    d.emit({ _tag: "KeyCopied", key, to, toDb })
    return 1
  }
})

export const move = defineCommand({
  name: "MOVE",
  since: "1.0.0",
  group: "generic",
  summary: "Moves a key to another database, unless it exists there.",
  complexity: "O(1) for small values; a string is copied.",
  syntax: "key db",
  arity: 3,
  flags: ["write", "fast"],
  keys: firstKey("RW", "access", "update"),
  decide: (d, argv): Reply => {
    const key = argv.at(1)
    const toDb = databaseIndex(d, argv.at(2))
    if (toDb === d.client.db) throw errors.sameObject
    if (d.lookup(key) === 0 || d.peekIn(toDb, key) !== 0) return 0
    d.emit({ _tag: "KeyMoved", key, toDb })
    return 1
  }
})
