/** Deadlines of fields. */
import { type Reply, ReplyError } from "../../net/resp/reply.ts"
import { fieldDeadline, hasField } from "../../projections/hash.ts"
import type { Pointer } from "../../projections/memory/arena.ts"
import type { Slice } from "../../projections/memory/slice.ts"
import { int64, isWord } from "../arguments.ts"
import type { Decision } from "../decision.ts"
import { type Argv, defineCommand, firstKey } from "../define.ts"
import { errors, invalidExpire } from "../errors.ts"
import { deadlineOf, Unit, unitOf } from "../string/expiry.ts"
import { distinctWords } from "../words.ts"
import { readableHash, valueIn, valuesOf, writableHash } from "./access.ts"

const noFieldsWord = new ReplyError("ERR Mandatory argument FIELDS is missing or not at the right position")
const badCount = new ReplyError("ERR Parameter `numFields` should be greater than 0")
const wrongCount = new ReplyError("ERR The `numfields` parameter must match the number of arguments")
const negative = new ReplyError("ERR invalid expire time, must be >= 0")

/** Reads "FIELDS numfields field ..." from word `at` to the end; `width` words for each field. Returns the first one's place. */
const fieldsAt = (argv: Argv, at: number, width = 1): number => {
  if (at >= argv.length || !isWord(argv.at(at), "FIELDS")) throw noFieldsWord
  let count: number | bigint
  try {
    count = at + 1 < argv.length ? int64(argv.at(at + 1)) : 0
  } catch {
    throw badCount
  }
  if (count < 1) throw badCount
  if (Number(count) * width !== argv.length - at - 2) throw wrongCount
  return at + 2
}

const words = (argv: Argv, from: number, step = 1): Array<Slice> => {
  const found: Array<Slice> = []
  for (let i = from; i < argv.length; i += step) found.push(argv.at(i))
  return found
}

const absent = -2

/** Emits what becomes of fields that get this deadline: they die at it, or at once when it is past. */
const expire = (d: Decision, key: Slice, deadline: number, fields: ReadonlyArray<Slice>): void => {
  if (fields.length === 0) return
  if (deadline <= d.now) d.emit({ _tag: "HashFieldsDeleted", key, fields })
  else d.emit({ _tag: "HashFieldsExpirySet", key, expireAt: deadline, fields })
}

const expiring = (unit: number) => (d: Decision, argv: Argv): Reply => {
  const key = argv.at(1)
  const given = int64(argv.at(2))
  if (given < 0) throw negative
  const seconds = unit === Unit.seconds || unit === Unit.atSeconds
  const ms = Number(given) * (seconds ? 1000 : 1) + (unit <= Unit.milliseconds ? d.now : 0)
  if (ms >= 2 ** 46) throw invalidExpire(d.commandName)
  let condition = ""
  let at = 3
  for (const word of ["NX", "XX", "GT", "LT"]) if (isWord(argv.at(3), word)) condition = word
  if (condition !== "") at = 4
  const first = fieldsAt(argv, at)
  const p = writableHash(d, key)
  const fields = words(argv, first)
  if (p === 0) return fields.map(() => absent)
  const chosen: Array<Slice> = []
  const seen = new Map<string, number>()
  const replies = fields.map((field) => {
    const name = field.latin1()
    // A field named twice is looked at as the first time has left it.
    const before = seen.get(name) ?? fieldDeadline(d.db, p, field, d.now)
    if (before < 0) return absent
    const refused = condition === "NX" && before !== 0 || condition === "XX" && before === 0 ||
      condition === "GT" && (before === 0 || ms <= before) || condition === "LT" && before !== 0 && ms >= before
    if (refused) return 0
    if (!seen.has(name)) chosen.push(field)
    seen.set(name, ms <= d.now ? -1 : ms)
    return ms <= d.now ? 2 : 1
  })
  expire(d, key, ms, chosen)
  return replies
}

const conditions = "[condition: NX | XX | GT | LT]"
const list = "<fields: FIELDS numfields field ...>"

const expireCommand = (name: string, unit: number, time: string, summary: string) =>
  defineCommand({
    name,
    since: "7.4.0",
    group: "hash",
    summary,
    complexity: "O(N) where N is the number of fields named.",
    syntax: `key ${time} ${conditions} ${list}`,
    arity: -6,
    flags: ["write", "denyoom", "fast"],
    keys: firstKey("RW", "update"),
    decide: expiring(unit)
  })

export const hexpire = expireCommand("HEXPIRE", Unit.seconds, "seconds", "Lets fields die after so many seconds.")
export const hpexpire = expireCommand(
  "HPEXPIRE",
  Unit.milliseconds,
  "milliseconds",
  "Lets fields die after so many milliseconds."
)
export const hexpireat = expireCommand(
  "HEXPIREAT",
  Unit.atSeconds,
  "unix-time-seconds",
  "Lets fields die at a moment given in seconds since 1970."
)
export const hpexpireat = expireCommand(
  "HPEXPIREAT",
  Unit.atMilliseconds,
  "unix-time-milliseconds",
  "Lets fields die at a moment given in milliseconds since 1970."
)

/** What a deadline is answered as; -1 stands for none, -2 for no field. */
const asking = (show: (deadline: number, now: number) => number) => (d: Decision, argv: Argv): Reply => {
  const first = fieldsAt(argv, 2)
  const p = readableHash(d, argv.at(1))
  return words(argv, first).map((field) => {
    const deadline = p === 0 ? -1 : fieldDeadline(d.db, p, field, d.now)
    return deadline < 0 ? absent : deadline === 0 ? -1 : show(deadline, d.now)
  })
}

const askCommand = (name: string, summary: string, show: (deadline: number, now: number) => number) =>
  defineCommand({
    name,
    since: "7.4.0",
    group: "hash",
    summary,
    complexity: "O(N) where N is the number of fields named.",
    syntax: `key ${list}`,
    arity: -5,
    flags: ["readonly", "fast"],
    tips: name.endsWith("TTL") ? ["nondeterministic_output"] : [],
    keys: firstKey("RO", "access"),
    decide: asking(show)
  })

export const httl = askCommand(
  "HTTL",
  "Answers how many seconds fields have to live.",
  (deadline, now) => Math.floor((deadline - now + 999) / 1000)
)
export const hpttl = askCommand(
  "HPTTL",
  "Answers how many milliseconds fields have to live.",
  (deadline, now) => deadline - now
)
export const hexpiretime = askCommand(
  "HEXPIRETIME",
  "Answers when fields die, in seconds since 1970.",
  (deadline) => Math.floor((deadline + 999) / 1000)
)
export const hpexpiretime = askCommand(
  "HPEXPIRETIME",
  "Answers when fields die, in milliseconds since 1970.",
  (deadline) => deadline
)

export const hpersist = defineCommand({
  name: "HPERSIST",
  since: "7.4.0",
  group: "hash",
  summary: "Takes the deadlines of fields away.",
  complexity: "O(N) where N is the number of fields named.",
  syntax: `key ${list}`,
  arity: -5,
  flags: ["write", "fast"],
  keys: firstKey("RW", "update"),
  decide: (d, argv): Reply => {
    const first = fieldsAt(argv, 2)
    const key = argv.at(1)
    const p = writableHash(d, key)
    const dated = distinctWords(argv, first, (field) => p !== 0 && fieldDeadline(d.db, p, field, d.now) > 0)
    const left = new Set(dated.map((field) => field.latin1()))
    if (dated.length > 0) d.emit({ _tag: "HashFieldsPersisted", key, fields: dated })
    return words(argv, first).map((field) => {
      if (p === 0 || !hasField(d.db, p, field, d.now)) return absent
      return left.delete(field.latin1()) ? 1 : -1
    })
  }
})

/** What an expiration option of HGETEX or HSETEX asks for. */
interface Expiration {
  /** Unix ms; 0 when no deadline is given. */
  readonly deadline: number
  readonly persist: boolean
  readonly keep: boolean
  /** Where FIELDS should stand. */
  readonly next: number
}

const several = new ReplyError("ERR Only one of EX, PX, EXAT, PXAT or PERSIST arguments can be specified")
const severalOrKeep = new ReplyError("ERR Only one of EX, PX, EXAT, PXAT or KEEPTTL arguments can be specified")

const expirationAt = (d: Decision, argv: Argv, at: number, last: "PERSIST" | "KEEPTTL"): Expiration => {
  let deadline = 0
  let other = false
  let next = at
  while (next < argv.length && !isWord(argv.at(next), "FIELDS")) {
    const unit = unitOf(argv.at(next))
    const isLast = isWord(argv.at(next), last)
    if (unit === Unit.none && !isLast) break
    if (deadline !== 0 || other) throw last === "PERSIST" ? several : severalOrKeep
    if (isLast) other = true
    else {
      if (next + 1 >= argv.length) throw errors.syntax
      deadline = deadlineOf(d, unit, argv.at(++next))
    }
    next++
  }
  return { deadline, persist: other && last === "PERSIST", keep: other && last === "KEEPTTL", next }
}

export const hgetex = defineCommand({
  name: "HGETEX",
  since: "8.0.0",
  group: "hash",
  summary: "Answers the values of fields and sets or removes their deadlines.",
  complexity: "O(N) where N is the number of fields named.",
  syntax:
    `key [expiration: EX seconds | PX milliseconds | EXAT unix-time-seconds | PXAT unix-time-milliseconds | PERSIST] ${list}`,
  arity: -5,
  flags: ["write", "fast"],
  keys: firstKey("RW", "update", "access"),
  decide: (d, argv): Reply => {
    const { deadline, next, persist } = expirationAt(d, argv, 2, "PERSIST")
    const first = fieldsAt(argv, next)
    const key = argv.at(1)
    const p = writableHash(d, key)
    const values = valuesOf(d, p, words(argv, first))
    if (p === 0 || (deadline === 0 && !persist)) return values
    const fields = distinctWords(argv, first, (field) => {
      const before = fieldDeadline(d.db, p, field, d.now)
      return persist ? before > 0 : before >= 0
    })
    if (persist && fields.length > 0) d.emit({ _tag: "HashFieldsPersisted", key, fields })
    if (!persist) expire(d, key, deadline, fields)
    return values
  }
})

export const hgetdel = defineCommand({
  name: "HGETDEL",
  since: "8.0.0",
  group: "hash",
  summary: "Answers the values of fields and removes them.",
  complexity: "O(N) where N is the number of fields named.",
  syntax: `key ${list}`,
  arity: -5,
  flags: ["write", "fast"],
  keys: firstKey("RW", "access", "delete"),
  decide: (d, argv): Reply => {
    const first = fieldsAt(argv, 2)
    const key = argv.at(1)
    const p = writableHash(d, key)
    const values = valuesOf(d, p, words(argv, first))
    if (p === 0) return values
    const fields = distinctWords(argv, first, (field) => hasField(d.db, p, field, d.now))
    if (fields.length > 0) d.emit({ _tag: "HashFieldsDeleted", key, fields })
    return values
  }
})

const anyThere = (d: Decision, p: Pointer, fields: ReadonlyArray<Slice>): boolean =>
  p !== 0 && fields.some((field) => valueIn(d, p, field) !== undefined)
const allThere = (d: Decision, p: Pointer, fields: ReadonlyArray<Slice>): boolean =>
  p !== 0 && fields.every((field) => valueIn(d, p, field) !== undefined)

export const hsetex = defineCommand({
  name: "HSETEX",
  since: "8.0.0",
  group: "hash",
  summary: "Sets fields with a deadline, or only if none or all of them are there.",
  complexity: "O(N) where N is the number of fields.",
  syntax: "key [condition: FNX | FXX] [expiration: EX seconds | PX milliseconds | EXAT unix-time-seconds | " +
    "PXAT unix-time-milliseconds | KEEPTTL] <fields: FIELDS numfields <data: field value> ...>",
  arity: -6,
  flags: ["write", "denyoom", "fast"],
  keys: firstKey("RW", "update"),
  decide: (d, argv): Reply => {
    let at = 2
    const onlyNew = isWord(argv.at(at), "FNX")
    const onlyOld = isWord(argv.at(at), "FXX")
    if (onlyNew || onlyOld) at++
    const { deadline, keep, next } = expirationAt(d, argv, at, "KEEPTTL")
    const first = fieldsAt(argv, next, 2)
    const key = argv.at(1)
    const p = writableHash(d, key)
    const fields = words(argv, first, 2)
    if (onlyNew && anyThere(d, p, fields) || onlyOld && !allThere(d, p, fields)) return 0
    const pairs = words(argv, first)
    const distinct = distinctWords(argv, first, () => true, 2)
    if (deadline !== 0 && deadline <= d.now) {
      const there = distinct.filter((field) => p !== 0 && hasField(d.db, p, field, d.now))
      if (there.length > 0) d.emit({ _tag: "HashFieldsDeleted", key, fields: there })
      return 1
    }
    if (keep) d.emit({ _tag: "HashFieldsUpdated", key, pairs })
    else d.emit({ _tag: "HashFieldsSet", key, pairs })
    if (deadline !== 0) d.emit({ _tag: "HashFieldsExpirySet", key, expireAt: deadline, fields: distinct })
    return 1
  }
})
