/** Deadlines of single fields: setting them, taking them off, asking for them. */
import type { Reply } from "../../net/resp/reply.ts"
import { ReplyError } from "../../net/resp/reply.ts"
import * as Entry from "../../projections/entry.ts"
import type { Slice } from "../../projections/memory/slice.ts"
import { isWord } from "../arguments.ts"
import { readableOf, writableOf } from "../collections.ts"
import type { Decision } from "../decision.ts"
import { type Argv, type DataCommand, defineCommand, firstKey } from "../define.ts"
import { alike } from "../words.ts"
import { eachWord, fieldDeadline, fieldsFrom } from "./field-list.ts"
import { deadlineOfField } from "./reading.ts"

const { hash } = Entry.Type

/** Answers for a field. */
const noField = -2
const noDeadline = -1
const unmet = 0
const done = 1
const deleted = 2

const badCount = new ReplyError("ERR Parameter `numFields` should be greater than 0")

type Condition = "NX" | "XX" | "GT" | "LT"
const conditions: ReadonlyArray<Condition> = ["NX", "XX", "GT", "LT"]

/** Whether a field with this deadline, 0 for none, may get another. One that has none lives for ever. */
const allows = (condition: Condition | undefined, current: number, deadline: number): boolean => {
  switch (condition) {
    case undefined:
      return true
    case "NX":
      return current === 0
    case "XX":
      return current !== 0
    case "GT":
      return current !== 0 && deadline > current
    case "LT":
      return current === 0 || deadline < current
  }
}

const expire = (d: Decision, argv: Argv, unit: 1 | 1000, base: number): Reply => {
  const key = argv.at(1)
  const p = writableOf(d, key, hash)
  const deadline = fieldDeadline(d, argv.at(2), unit, base)
  const condition = conditions.find((name) => isWord(argv.at(3), name))
  const from = fieldsFrom(argv, condition === undefined ? 3 : 4, badCount)
  if (p === 0) return eachWord(argv, from, () => noField)
  const dies = deadline <= d.now
  const met: Array<Slice> = []
  const earlier = alike()
  const again = new Set<string>()
  const answers = eachWord(argv, from, (field) => {
    let current = deadlineOfField(d, p, field)
    if (current < 0) return noField
    // A field named twice is met the second time as the first time left it.
    const before = earlier(field) && again.has(field.latin1())
    if (before) {
      if (dies) return noField
      current = deadline
    }
    if (!allows(condition, current, deadline)) return unmet
    if (before) return done
    if (argv.length - from > 1) again.add(field.latin1())
    met.push(field)
    return dies ? deleted : done
  })
  if (met.length > 0) {
    if (dies) d.emit({ _tag: "HashFieldsDeleted", key, fields: met })
    else d.emit({ _tag: "HashFieldsExpirySet", key, expireAt: deadline, fields: met })
  }
  return answers
}

const expiring = (
  name: string,
  summary: string,
  time: string,
  unit: 1 | 1000,
  relative: boolean
): DataCommand =>
  defineCommand({
    name,
    since: "7.4.0",
    group: "hash",
    summary,
    complexity: "O(N) where N is the number of fields.",
    syntax: `key ${time} [condition: NX | XX | GT | LT] <fields: FIELDS numfields field ...>`,
    arity: -6,
    flags: ["write", "fast"],
    keys: firstKey("RW", "update"),
    decide: (d, argv) => expire(d, argv, unit, relative ? d.time : 0)
  })

export const hexpire = expiring("HEXPIRE", "Lets fields of a hash die after so many seconds.", "seconds", 1000, true)
export const hpexpire = expiring(
  "HPEXPIRE",
  "Lets fields of a hash die after so many milliseconds.",
  "milliseconds",
  1,
  true
)
export const hexpireat = expiring(
  "HEXPIREAT",
  "Lets fields of a hash die at a moment given in Unix seconds.",
  "unix-time-seconds",
  1000,
  false
)
export const hpexpireat = expiring(
  "HPEXPIREAT",
  "Lets fields of a hash die at a moment given in Unix milliseconds.",
  "unix-time-milliseconds",
  1,
  false
)

const asking = (
  name: string,
  summary: string,
  answer: (deadline: number, now: number) => number
): DataCommand =>
  defineCommand({
    name,
    since: "7.4.0",
    group: "hash",
    summary,
    complexity: "O(N) where N is the number of fields.",
    syntax: "key <fields: FIELDS numfields field ...>",
    arity: -5,
    flags: ["readonly", "fast"],
    keys: firstKey("RO", "access"),
    decide: (d, argv) => {
      const p = readableOf(d, argv.at(1), hash)
      const from = fieldsFrom(argv, 2)
      return eachWord(argv, from, (field) => {
        const deadline = p === 0 ? -1 : deadlineOfField(d, p, field)
        return deadline < 0 ? noField : deadline === 0 ? noDeadline : answer(deadline, d.now)
      })
    }
  })

// A second that has begun counts whole.
const seconds = (milliseconds: number): number => Math.ceil(milliseconds / 1000)

export const httl = asking(
  "HTTL",
  "Answers how many seconds fields of a hash have to live.",
  (deadline, now) => seconds(deadline - now)
)
export const hpttl = asking(
  "HPTTL",
  "Answers how many milliseconds fields of a hash have to live.",
  (deadline, now) => deadline - now
)
export const hexpiretime = asking(
  "HEXPIRETIME",
  "Answers when fields of a hash die, in Unix seconds.",
  (deadline) => seconds(deadline)
)
export const hpexpiretime = asking(
  "HPEXPIRETIME",
  "Answers when fields of a hash die, in Unix milliseconds.",
  (deadline) => deadline
)

export const hpersist = defineCommand({
  name: "HPERSIST",
  since: "7.4.0",
  group: "hash",
  summary: "Takes the deadlines off fields of a hash.",
  complexity: "O(N) where N is the number of fields.",
  syntax: "key <fields: FIELDS numfields field ...>",
  arity: -5,
  flags: ["write", "fast"],
  keys: firstKey("RW", "update"),
  decide: (d, argv) => {
    const key = argv.at(1)
    const p = writableOf(d, key, hash)
    const from = fieldsFrom(argv, 2)
    const met: Array<Slice> = []
    const earlier = alike()
    const answers = eachWord(argv, from, (field) => {
      const deadline = p === 0 ? -1 : deadlineOfField(d, p, field)
      if (deadline < 0) return noField
      if (deadline === 0 || earlier(field)) return noDeadline
      met.push(field)
      return done
    })
    if (met.length > 0) d.emit({ _tag: "HashFieldsPersisted", key, fields: met })
    return answers
  }
})
