import type { Command } from "../define.ts"
import { getbit, setbit } from "./bit.ts"
import { bitop } from "./combine.ts"
import { bitfield, bitfieldReadOnly } from "./field.ts"
import { bitcount, bitpos } from "./range.ts"

/** The commands over strings as rows of bits. */
export const bitmapCommands: ReadonlyArray<Command> = [
  bitcount,
  bitfield,
  bitfieldReadOnly,
  bitop,
  bitpos,
  getbit,
  setbit
]
