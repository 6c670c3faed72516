/** "FIELDS numfields field …", as the commands about the deadlines of fields have it. */
import { type Reply, ReplyError } from "../../net/resp/reply.ts"
import { parseInt64Slice } from "../../projections/memory/integer.ts"
import type { Slice } from "../../projections/memory/slice.ts"
import { isWord } from "../arguments.ts"
import type { Decision } from "../decision.ts"
import type { Argv } from "../define.ts"
import { errors, invalidExpire } from "../errors.ts"

const noFields = new ReplyError("ERR Mandatory argument FIELDS is missing or not at the right position")
const notPositive = new ReplyError("ERR Number of fields must be a positive integer")
const mismatch = new ReplyError("ERR The `numfields` parameter must match the number of arguments")
const negative = new ReplyError("ERR invalid expire time, must be >= 0")

const mostFields = 2_147_483_647

/** Reads the list that begins at word `at` and goes to the end; returns where the first field stands. */
export const fieldsFrom = (argv: Argv, at: number, refusal = notPositive): number => {
  if (at + 1 >= argv.length || !isWord(argv.at(at), "FIELDS")) throw noFields
  const count = parseInt64Slice(argv.at(at + 1))
  if (count === undefined || count < 1 || count > mostFields) throw refusal
  if (count !== argv.length - at - 2) throw mismatch
  return at + 2
}

/** The list without its word: refused like one that stands in the wrong place. */
export const missingFields = noFields

/** The last deadline a field may have (Unix ms), as in Redis, which needs the bits above for other things. */
export const lastDeadline = 2 ** 46 - 1

/** The deadline that an argument in units of `unit` ms from `base` on means; refuses what is negative or too far away. */
export const fieldDeadline = (d: Decision, arg: Slice, unit: 1 | 1000, base: number): number => {
  const value = parseInt64Slice(arg)
  if (value === undefined) throw errors.notInteger
  if (value < 0) throw negative
  const deadline = Number(value) * unit + base
  if (deadline > lastDeadline) throw invalidExpire(d.commandName)
  return deadline
}

/** One answer for each field from word `from` on. */
export const eachWord = (argv: Argv, from: number, answer: (field: Slice) => Reply): Array<Reply> => {
  const answers: Array<Reply> = []
  for (let i = from; i < argv.length; i++) answers.push(answer(argv.at(i)))
  return answers
}
