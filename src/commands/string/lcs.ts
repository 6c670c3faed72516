/** LCS: the longest common subsequence of two strings. */
import { MapReply, type Reply, ReplyError } from "../../net/resp/reply.ts"
import { Slice } from "../../projections/memory/slice.ts"
import { int64, isWord } from "../arguments.ts"
import type { Decision } from "../decision.ts"
import { defineCommand } from "../define.ts"
import { errors } from "../errors.ts"
import { isString } from "./value.ts"

const stringsNeeded = new ReplyError("ERR The specified keys must contain string values")
const lengthAndIndexes = new ReplyError("ERR If you want both the length and indexes, please just use IDX.")
const tooMuchMemory = new ReplyError(
  "ERR Insufficient memory, transient memory for LCS exceeds proto-max-bulk-len"
)
/** Redis counts four bytes for every cell of the table and refuses tables beyond its largest string. */
const cellBytes = 4

const empty = new Slice()

/**
 * Cell (i, j), at i · (|b| + 1) + j, is the length of the longest common subsequence of the first i bytes of `a` and the
 * first j of `b`. Tables of the size allowed hold no length beyond 16 bits.
 */
const fullTable = (a: Slice, b: Slice): Uint16Array => {
  const width = b.length + 1
  const table = new Uint16Array((a.length + 1) * width)
  for (let i = 1; i <= a.length; i++) fillRow(a.bytes[a.start + i - 1]!, b, table, (i - 1) * width, i * width)
  return table
}

const fillRow = (byte: number, b: Slice, table: Uint16Array, above: number, row: number): void => {
  for (let j = 1; j <= b.length; j++) {
    if (b.bytes[b.start + j - 1] === byte) table[row + j] = table[above + j - 1]! + 1
    else {
      const left = table[row + j - 1]!
      const up = table[above + j]!
      table[row + j] = left > up ? left : up
    }
  }
}

/** The length alone needs two rows. */
const lengthOnly = (a: Slice, b: Slice): number => {
  const width = b.length + 1
  const rows = new Uint16Array(2 * width)
  let above = 0
  for (let i = 0; i < a.length; i++) {
    const row = width - above
    fillRow(a.bytes[a.start + i]!, b, rows, above, row)
    above = row
  }
  return rows[above + b.length]!
}

/** Walks the table back from its end; at a tie the second string gives way. Calls `visit` for each byte in common. */
const walk = (a: Slice, b: Slice, table: Uint16Array, visit: (i: number, j: number) => void): void => {
  const width = b.length + 1
  let i = a.length
  let j = b.length
  while (i > 0 && j > 0) {
    if (a.bytes[a.start + i - 1] === b.bytes[b.start + j - 1]) visit(--i, --j)
    else if (table[(i - 1) * width + j]! > table[i * width + j - 1]!) i--
    else j--
  }
}

const subsequence = (a: Slice, b: Slice, table: Uint16Array): Uint8Array => {
  let at = table[table.length - 1]!
  const bytes = new Uint8Array(at)
  walk(a, b, table, (i) => void (bytes[--at] = a.bytes[a.start + i]!))
  return bytes
}

/** The runs in common from the last to the first, as [[from, to] in a, [from, to] in b], with their length if wanted. */
const matches = (a: Slice, b: Slice, table: Uint16Array, minimum: number, withLength: boolean): Array<Reply> => {
  const runs: Array<Reply> = []
  let fromA = -1
  let fromB = -1
  let length = 0
  const close = (): void => {
    if (length > 0 && length >= minimum) {
      const run: Array<Reply> = [[fromA, fromA + length - 1], [fromB, fromB + length - 1]]
      if (withLength) run.push(length)
      runs.push(run)
    }
  }
  walk(a, b, table, (i, j) => {
    if (i === fromA - 1 && j === fromB - 1) length++
    else {
      close()
      length = 1
    }
    fromA = i
    fromB = j
  })
  close()
  return runs
}

const operand = (d: Decision, key: Slice): Slice => {
  const p = d.counted(d.lookup(key), key)
  if (p === 0) return empty
  if (!isString(d, p)) throw stringsNeeded
  return d.text(p)
}

export const lcs = defineCommand({
  name: "LCS",
  since: "7.0.0",
  group: "string",
  summary: "Answers the longest common subsequence of two strings, its length, or where its parts lie.",
  complexity: "O(N*M), N and M being the lengths of the two strings",
  syntax: "key1 key2 [LEN] [IDX] [MINMATCHLEN len] [WITHMATCHLEN]",
  arity: -3,
  flags: ["readonly"],
  keys: [{ flags: ["RO", "access"], begin: { index: 1 }, find: { last: 1, step: 1, limit: 0 } }],
  decide: (d, argv) => {
    const a = operand(d, argv.at(1))
    const b = operand(d, argv.at(2))
    let length = false
    let indexes = false
    let minimum = 0
    let withLength = false
    for (let i = 3; i < argv.length; i++) {
      const option = argv.at(i)
      if (isWord(option, "LEN")) length = true
      else if (isWord(option, "IDX")) indexes = true
      else if (isWord(option, "WITHMATCHLEN")) withLength = true
      else if (isWord(option, "MINMATCHLEN") && i + 1 < argv.length) minimum = Number(int64(argv.at(++i)))
      else throw errors.syntax
    }
    if (length && indexes) throw lengthAndIndexes
    if ((a.length + 1) * (b.length + 1) * cellBytes > d.stringLimit) throw tooMuchMemory
    if (length) return lengthOnly(a, b)
    const table = fullTable(a, b)
    if (!indexes) return subsequence(a, b, table)
    return new MapReply([
      ["matches", matches(a, b, table, minimum, withLength)],
      ["len", table[table.length - 1]!]
    ])
  }
})
