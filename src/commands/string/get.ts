/** Reading one string, with or without an effect on its key. */
import type { Reply } from "../../net/resp/reply.ts"
import type { Slice } from "../../projections/memory/slice.ts"
import { xxh3Hex } from "../../projections/structures/xxh3.ts"
import { isWord } from "../arguments.ts"
import { defineCommand, firstKey } from "../define.ts"
import { errors } from "../errors.ts"
import { deadlineOf, Unit, unitOf } from "./expiry.ts"
import { readable } from "./value.ts"

export const get = defineCommand({
  name: "GET",
  since: "1.0.0",
  group: "string",
  summary: "Answers the string a key holds.",
  complexity: "O(1)",
  syntax: "key",
  arity: 2,
  flags: ["readonly", "fast"],
  keys: firstKey("RO", "access"),
  decide: (d, argv) => {
    const p = readable(d, argv.at(1))
    return p === 0 ? null : d.text(p)
  }
})

export const getdel = defineCommand({
  name: "GETDEL",
  since: "6.2.0",
  group: "string",
  summary: "Answers the string a key holds and removes the key.",
  complexity: "O(1)",
  syntax: "key",
  arity: 2,
  flags: ["write", "fast"],
  keys: firstKey("RW", "access", "delete"),
  decide: (d, argv) => {
    const key = argv.at(1)
    const p = readable(d, key)
    if (p === 0) return null
    d.emit({ _tag: "KeyDeleted", key })
    return d.text(p)
  }
})

export const getex = defineCommand({
  name: "GETEX",
  since: "6.2.0",
  group: "string",
  summary: "Answers the string a key holds and sets or removes its deadline.",
  complexity: "O(1)",
  syntax:
    "key [expiration: EX seconds | PX milliseconds | EXAT unix-time-seconds | PXAT unix-time-milliseconds | PERSIST]",
  arity: -2,
  flags: ["write", "fast"],
  keys: [{
    flags: ["RW", "access", "update"],
    begin: { index: 1 },
    find: { last: 0, step: 1, limit: 0 },
    notes: "a change of the deadline counts as an update"
  }],
  decide: (d, argv) => {
    let persist = false
    let unit: number = Unit.none
    let time: Slice | undefined
    for (let i = 2; i < argv.length; i++) {
      const option = argv.at(i)
      const optionUnit = unitOf(option)
      if (optionUnit !== Unit.none) {
        if (persist || (unit !== Unit.none && unit !== optionUnit) || ++i === argv.length) throw errors.syntax
        unit = optionUnit
        time = argv.at(i)
      } else if (unit === Unit.none && isWord(option, "PERSIST")) persist = true
      else throw errors.syntax
    }
    const key = argv.at(1)
    const p = readable(d, key)
    if (p === 0) return null
    const before = d.deadline(p)
    if (time !== undefined) {
      const deadline = deadlineOf(d, unit, time)
      if (deadline <= d.now) d.emit({ _tag: "KeyDeleted", key })
      else if (deadline !== before) d.emit({ _tag: "KeyExpirySet", key, expireAt: deadline })
    } else if (persist && before !== 0) d.emit({ _tag: "KeyPersisted", key })
    return d.text(p)
  }
})

export const strlen = defineCommand({
  name: "STRLEN",
  since: "2.2.0",
  group: "string",
  summary: "Answers the length in bytes of the string a key holds.",
  complexity: "O(1)",
  syntax: "key",
  arity: 2,
  flags: ["readonly", "fast"],
  keys: firstKey("RO"),
  decide: (d, argv) => {
    const p = readable(d, argv.at(1))
    return p === 0 ? 0 : d.text(p).length
  }
})

export const digest = defineCommand({
  name: "DIGEST",
  since: "8.4.0",
  group: "string",
  summary: "Answers the 64-bit XXH3 hash of the string a key holds as 16 hexadecimal digits.",
  complexity: "O(N), N being the bytes of the string",
  syntax: "key",
  arity: 2,
  flags: ["readonly", "fast"],
  keys: firstKey("RO", "access"),
  decide: (d, argv): Reply => {
    const p = readable(d, argv.at(1))
    return p === 0 ? null : xxh3Hex(d.text(p))
  }
})
