/** HGETDEL, HGETEX, HSETEX: reading or setting fields and what becomes of them, in one go. */
import { type Reply, ReplyError } from "../../net/resp/reply.ts"
import * as Entry from "../../projections/entry.ts"
import type { Pointer } from "../../projections/memory/arena.ts"
import { parseInt64Slice } from "../../projections/memory/integer.ts"
import type { Slice } from "../../projections/memory/slice.ts"
import { isWord, rest, shown } from "../arguments.ts"
import { writableOf } from "../collections.ts"
import type { Decision } from "../decision.ts"
import { type Argv, defineCommand, firstKey } from "../define.ts"
import { wrongArity } from "../errors.ts"
import { Unit, unitOf } from "../string/expiry.ts"
import { alike, distinctWords } from "../words.ts"
import { eachWord, fieldDeadline, fieldsFrom, missingFields } from "./field-list.ts"
import { deadlineOfField, hasField, lastingValueOf } from "./reading.ts"

const { hash } = Entry.Type

const expiration = "EX seconds | PX milliseconds | EXAT unix-time-seconds | PXAT unix-time-milliseconds"

/** The deadline that an option of a unit of string/expiry.ts gives. */
const deadlineFor = (d: Decision, unit: number, time: Slice): number =>
  fieldDeadline(
    d,
    time,
    unit === Unit.seconds || unit === Unit.atSeconds ? 1000 : 1,
    unit === Unit.seconds || unit === Unit.milliseconds ? d.time : 0
  )

export const hgetdel = defineCommand({
  name: "HGETDEL",
  since: "8.0.0",
  group: "hash",
  summary: "Answers the values of fields of a hash and removes the fields.",
  complexity: "O(N) where N is the number of fields.",
  syntax: "key <fields: FIELDS numfields field ...>",
  arity: -5,
  flags: ["write", "fast"],
  keys: firstKey("RW", "access", "delete"),
  decide: (d, argv) => {
    const key = argv.at(1)
    const p = writableOf(d, key, hash)
    const from = fieldsFrom(argv, 2)
    const fields: Array<Slice> = []
    const earlier = alike()
    const values = eachWord(argv, from, (field) => {
      const value = p === 0 || earlier(field) ? null : lastingValueOf(d, p, field)
      if (value !== null) fields.push(field)
      return value
    })
    if (fields.length > 0) d.emit({ _tag: "HashFieldsDeleted", key, fields })
    return values
  }
})

/** What HGETEX does to the fields it finds. */
const afterReading = (d: Decision, key: Slice, p: Pointer, fields: Array<Slice>, deadline: number): void => {
  if (deadline === 0) {
    const timed = fields.filter((field) => deadlineOfField(d, p, field) > 0)
    if (timed.length > 0) d.emit({ _tag: "HashFieldsPersisted", key, fields: timed })
  } else if (fields.length > 0) {
    if (deadline <= d.now) d.emit({ _tag: "HashFieldsDeleted", key, fields })
    else d.emit({ _tag: "HashFieldsExpirySet", key, expireAt: deadline, fields })
  }
}

export const hgetex = defineCommand({
  name: "HGETEX",
  since: "8.0.0",
  group: "hash",
  summary: "Answers the values of fields of a hash and sets the fields' deadlines or takes them off.",
  complexity: "O(N) where N is the number of fields.",
  syntax: `key [expiration: ${expiration} | PERSIST] <fields: FIELDS numfields field ...>`,
  arity: -5,
  flags: ["write", "fast"],
  keys: firstKey("RW", "access", "update"),
  decide: (d, argv) => {
    const key = argv.at(1)
    const p = writableOf(d, key, hash)
    const option = argv.at(2)
    const unit = unitOf(option)
    const persist = isWord(option, "PERSIST")
    const deadline = unit === Unit.none ? 0 : deadlineFor(d, unit, argv.at(3))
    const from = fieldsFrom(argv, unit !== Unit.none ? 4 : persist ? 3 : 2)
    const there: Array<Slice> = []
    const earlier = alike()
    // With a deadline that has passed a field is gone when it is asked for again.
    const dies = unit !== Unit.none && deadline <= d.now
    const values = eachWord(argv, from, (field) => {
      const before = earlier(field)
      const value = p === 0 || (before && dies) ? null : lastingValueOf(d, p, field)
      if (value !== null && !before) there.push(field)
      return value
    })
    if (unit !== Unit.none) afterReading(d, key, p, there, Math.max(1, deadline))
    else if (persist) afterReading(d, key, p, there, 0)
    return values
  }
})

const badCount = new ReplyError("ERR invalid number of fields")
const noTime = new ReplyError("ERR missing expire time")
const oneCondition = new ReplyError("ERR Only one of FXX or FNX arguments can be specified")
const oneExpiration = new ReplyError("ERR Only one of EX, PX, EXAT, PXAT or KEEPTTL arguments can be specified")

interface SetOptions {
  readonly condition: "FNX" | "FXX" | undefined
  readonly keep: boolean
  /** Unix ms; -1 for none. */
  readonly deadline: number
  /** Where the first field stands. */
  readonly from: number
}

const setOptions = (d: Decision, argv: Argv): SetOptions => {
  let condition: "FNX" | "FXX" | undefined
  let keep = false
  let deadline = -1
  for (let i = 2; i < argv.length; i++) {
    const option = argv.at(i)
    const unit = unitOf(option)
    if (isWord(option, "FIELDS")) {
      if (i + 3 >= argv.length) throw wrongArity(d.commandName)
      const count = parseInt64Slice(argv.at(i + 1))
      if (count === undefined || count < 1 || count > 2_147_483_647) throw badCount
      if (argv.length - i - 2 !== 2 * Number(count)) throw wrongArity(d.commandName)
      return { condition, keep, deadline, from: i + 2 }
    }
    if (unit !== Unit.none) {
      if (keep || deadline >= 0) throw oneExpiration
      if (i + 1 >= argv.length) throw noTime
      deadline = deadlineFor(d, unit, argv.at(++i))
    } else if (isWord(option, "KEEPTTL")) {
      if (keep || deadline >= 0) throw oneExpiration
      keep = true
    } else if (isWord(option, "FNX") || isWord(option, "FXX")) {
      if (condition !== undefined) throw oneCondition
      condition = isWord(option, "FNX") ? "FNX" : "FXX"
    } else throw new ReplyError(`ERR unknown argument: ${shown(option)}`)
  }
  throw missingFields
}

/** Sets fields, those that are alive keeping their deadlines. */
const setKeeping = (d: Decision, key: Slice, p: Pointer, pairs: ReadonlyArray<Slice>): void => {
  const alive: Array<Slice> = []
  const others: Array<Slice> = []
  for (let i = 0; i < pairs.length; i += 2) {
    const kind = p !== 0 && hasField(d, p, pairs[i]!) ? alive : others
    kind.push(pairs[i]!, pairs[i + 1]!)
  }
  if (alive.length > 0) d.emit({ _tag: "HashFieldsUpdated", key, pairs: alive })
  if (others.length > 0) d.emit({ _tag: "HashFieldsSet", key, pairs: others })
}

export const hsetex = defineCommand({
  name: "HSETEX",
  since: "8.0.0",
  group: "hash",
  summary: "Gives fields of a hash new values and deadlines, if all or none of them are there when that is asked.",
  complexity: "O(N) where N is the number of fields.",
  syntax:
    `key [condition: FNX | FXX] [expiration: ${expiration} | KEEPTTL] <fields: FIELDS numfields <field value> ...>`,
  arity: -6,
  flags: ["write", "denyoom", "fast"],
  keys: firstKey("RW", "update"),
  decide: (d, argv): Reply => {
    const { condition, deadline, from, keep } = setOptions(d, argv)
    const key = argv.at(1)
    const p = writableOf(d, key, hash)
    const fields = distinctWords(argv, from, () => true, 2)
    if (condition !== undefined) {
      const wanted = condition === "FXX"
      for (const field of fields) if ((p !== 0 && hasField(d, p, field)) !== wanted) return 0
    }
    if (deadline >= 0 && deadline <= d.now) {
      const there = fields.filter((field) => p !== 0 && hasField(d, p, field))
      if (there.length > 0) d.emit({ _tag: "HashFieldsDeleted", key, fields: there })
      return 1
    }
    const pairs = rest(argv, from)
    if (keep) setKeeping(d, key, p, pairs)
    else d.emit({ _tag: "HashFieldsSet", key, pairs })
    if (deadline >= 0) d.emit({ _tag: "HashFieldsExpirySet", key, expireAt: deadline, fields })
    return 1
  }
})
