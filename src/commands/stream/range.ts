/** Reading streams by id, and their length. */
import { Elements, nilArray, type Reply } from "../../net/resp/reply.ts"
import { StreamId } from "../../projections/memory/stream-id.ts"
import * as Stream from "../../projections/stream-read.ts"
import { int64, isWord } from "../arguments.ts"
import type { Decision } from "../decision.ts"
import { type Argv, defineCommand, firstKey } from "../define.ts"
import { errors } from "../errors.ts"
import { readableStream } from "./access.ts"
import { rangeEnd, rangeStart } from "./ids.ts"
import { writeRange } from "./reply.ts"

export const xlen = defineCommand({
  name: "XLEN",
  since: "5.0.0",
  group: "stream",
  summary: "Counts the entries of a stream.",
  complexity: "O(1)",
  syntax: "key",
  arity: 2,
  flags: ["readonly", "fast"],
  keys: firstKey("RO"),
  decide: (d, argv) => {
    const p = readableStream(d, argv.at(1))
    return p === 0 ? 0 : Stream.length(d.db, p)
  }
})

/** "[COUNT count] ..."; Infinity when there is none. */
const countFrom = (argv: Argv, at: number): number => {
  let count = Infinity
  for (let i = at; i < argv.length; i += 2) {
    if (!isWord(argv.at(i), "COUNT") || i + 1 === argv.length) throw errors.syntax
    count = Math.max(0, Number(int64(argv.at(i + 1))))
  }
  return count
}

const first = new StreamId()
const last = new StreamId()

const range = (reverse: boolean) => (d: Decision, argv: Argv): Reply => {
  rangeStart(argv.at(reverse ? 3 : 2), first)
  rangeEnd(argv.at(reverse ? 2 : 3), last)
  const limit = argv.length === 4 ? Infinity : countFrom(argv, 4)
  const p = readableStream(d, argv.at(1))
  if (p === 0) return []
  if (limit === 0) return nilArray
  const count = Stream.countEntries(d.db, p, first, last, limit)
  return new Elements("array", count, (out) => writeRange(out, d.db, p, first, last, reverse, count))
}

const described = (reverse: boolean) => ({
  since: "5.0.0",
  group: "stream",
  summary: `Answers the entries of a range of ids${reverse ? ", the last one first" : ""}.`,
  complexity: "O(N) where N is the number of entries answered.",
  syntax: reverse ? "key end(string) start(string) [COUNT count]" : "key start(string) end(string) [COUNT count]",
  history: [["6.2.0", "Bounds may be excluded."]],
  arity: -4,
  flags: ["readonly"],
  keys: firstKey("RO", "access"),
  decide: range(reverse)
} as const)

export const xrange = defineCommand({ name: "XRANGE", ...described(false) })
export const xrevrange = defineCommand({ name: "XREVRANGE", ...described(true) })
