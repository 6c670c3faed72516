/** What the options of LOG commands have in common. */
import { type Moment, parseMoment } from "../../history/moment.ts"
import { ReplyError } from "../../net/resp/reply.ts"
import type { Slice } from "../../projections/memory/slice.ts"
import { integer } from "../arguments.ts"

const notAMoment = new ReplyError(
  "ERR a moment is a sequence, @ and Unix milliseconds, or @ and a time of ISO 8601 such as @2026-11-22T21:51:23.5Z"
)
const countNotPositive = new ReplyError("ERR COUNT must be greater than 0")
const sequenceNotPositive = new ReplyError("ERR a sequence is an integer, 0 or greater")

/** A moment; refuses what is none. */
export const momentAt = (arg: Slice): Moment => {
  const moment = parseMoment(arg.latin1())
  if (moment === undefined) throw notAMoment
  return moment
}

/** A count above 0. */
export const countAt = (arg: Slice): number => {
  const count = integer(arg)
  if (count <= 0) throw countNotPositive
  return count
}

/** A sequence to begin with. */
export const sequenceAt = (arg: Slice): number => {
  const sequence = integer(arg)
  if (sequence < 0) throw sequenceNotPositive
  return sequence
}
