/** Positions of bits as requests give them. */
import { ReplyError } from "../../net/resp/reply.ts"
import { parseInt64 } from "../../projections/memory/integer.ts"
import type { Slice } from "../../projections/memory/slice.ts"
import type { Decision } from "../decision.ts"

const badOffset = new ReplyError("ERR bit offset is not an integer or out of range")
const hash = 35

const checked = (d: Decision, offset: number | bigint | undefined): number => {
  if (typeof offset !== "number" || offset < 0 || offset / 8 >= d.stringLimit) throw badOffset
  return offset
}

/** The place of a bit, counted from the highest bit of the first byte. It lies within the longest string there may be. */
export const bitOffset = (d: Decision, arg: Slice): number => checked(d, parseInt64(arg.bytes, arg.start, arg.length))

/** Like `bitOffset`; after a `#`, it is a number of fields of `bits` bits. */
export const fieldOffset = (d: Decision, arg: Slice, bits: number): number => {
  if (arg.length === 0 || arg.bytes[arg.start] !== hash) return bitOffset(d, arg)
  const index = parseInt64(arg.bytes, arg.start + 1, arg.length - 1)
  if (index === undefined) throw badOffset
  // In Redis the product is one of 64 bits; whoever asks for such a field gets the one it comes round to there.
  const offset = Number(BigInt.asIntN(64, BigInt(index) * BigInt(bits)))
  return checked(d, typeof index === "number" && index >= 0 && index <= 0xffff_ffff ? index * bits : offset)
}
