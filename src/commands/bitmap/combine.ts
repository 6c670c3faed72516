/** Whole strings combined. */
import { ReplyError } from "../../net/resp/reply.ts"
import { type BitOperation, bitOperations } from "../../projections/memory/bits.ts"
import type { Slice } from "../../projections/memory/slice.ts"
import { stringLength } from "../../projections/string.ts"
import { isWord, rest } from "../arguments.ts"
import { defineCommand, keyAtIndex, keysFrom } from "../define.ts"
import { errors } from "../errors.ts"
import { readable } from "../string/value.ts"

const operationOf = (arg: Slice): BitOperation => {
  for (let i = 0; i < bitOperations.length; i++) if (isWord(arg, bitOperations[i]!)) return bitOperations[i]!
  throw errors.syntax
}

const oneSource = new ReplyError("ERR BITOP NOT must be called with a single source key.")
const sourceMissing = (operation: BitOperation): ReplyError =>
  new ReplyError(`ERR BITOP ${operation} must be called with at least two source keys.`)

export const bitop = defineCommand({
  name: "BITOP",
  since: "2.6.0",
  group: "bitmap",
  summary: "Combines strings bit by bit and makes a key hold the result, which is as long as the longest.",
  complexity: "O(N), N being the bytes of all strings",
  syntax: "<operation: AND | OR | XOR | NOT | DIFF | DIFF1 | ANDOR | ONE> destkey key ...",
  history: [["8.2.0", "`DIFF`, `DIFF1`, `ANDOR`, `ONE`."]],
  arity: -4,
  flags: ["write", "denyoom"],
  keys: [...keyAtIndex(2, "OW", "update"), ...keysFrom(3, "RO", "access")],
  decide: (d, argv) => {
    const operation = operationOf(argv.at(1))
    if (operation === "NOT" && argv.length !== 4) throw oneSource
    if ((operation === "DIFF" || operation === "DIFF1" || operation === "ANDOR") && argv.length < 5) {
      throw sourceMissing(operation)
    }
    let length = 0
    for (let i = 3; i < argv.length; i++) {
      const p = readable(d, argv.at(i))
      if (p !== 0) length = Math.max(length, stringLength(d.db, p))
    }
    const key = argv.at(2)
    const present = d.lookup(key) !== 0
    if (length > 0) d.emit({ _tag: "StringsCombined", key, operation, sources: rest(argv, 3) })
    else if (present) d.emit({ _tag: "KeyDeleted", key })
    return length
  }
})
