/** The expiration options that SET, GETEX, MSETEX and INCREX share. */
import { parseInt64Slice } from "../../projections/memory/integer.ts"
import type { Slice } from "../../projections/memory/slice.ts"
import { isWord } from "../arguments.ts"
import type { Decision } from "../decision.ts"
import { errors, invalidExpire } from "../errors.ts"

/** How an expire time is given; 0 stands for not at all. */
export const Unit = { none: 0, seconds: 1, milliseconds: 2, atSeconds: 3, atMilliseconds: 4 } as const

/** The unit that an option word names, `Unit.none` for other words. */
export const unitOf = (option: Slice): number => {
  if (option.length === 2) {
    if (isWord(option, "EX")) return Unit.seconds
    if (isWord(option, "PX")) return Unit.milliseconds
  } else if (option.length === 4) {
    if (isWord(option, "EXAT")) return Unit.atSeconds
    if (isWord(option, "PXAT")) return Unit.atMilliseconds
  }
  return Unit.none
}

/**
 * The deadline in Unix milliseconds that an argument stands for. It refuses what is no integer, not positive, or leads
 * beyond 2^53 - 1 ms, the last moment an event can carry.
 */
export const deadlineOf = (d: Decision, unit: number, time: Slice): number => {
  const value = parseInt64Slice(time)
  if (value === undefined) throw errors.notInteger
  if (typeof value === "bigint" || value <= 0) throw invalidExpire(d.commandName)
  const milliseconds = unit === Unit.seconds || unit === Unit.atSeconds ? value * 1000 : value
  const deadline = unit <= Unit.milliseconds ? milliseconds + d.time : milliseconds
  if (deadline > Number.MAX_SAFE_INTEGER) throw invalidExpire(d.commandName)
  return deadline
}
