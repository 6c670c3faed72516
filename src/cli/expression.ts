/** Expressions about data: a command that reads, and what its answer is compared with: `GET bal < 0`. */
import { pastCommand } from "../commands/log/inner.ts"
import { keysOf, namesAllKeys } from "../commands/server/key-specs.ts"
import { CommandTable } from "../commands/table.ts"
import type { Reply } from "../net/resp/reply.ts"
import { Double, MapReply, ReplyError, SetReply, Status } from "../net/resp/reply.ts"
import { argvOf, PastAsker, type PastData } from "../past/ask-past.ts"
import { Slice } from "../projections/memory/slice.ts"
import { Failed, UsageError } from "./context.ts"
import { bytesOf, wordsOf } from "./parse.ts"
import { quoted } from "./printing.ts"
import { readReply } from "./resp-read.ts"

const operators = ["<=", ">=", "!=", "==", "<", ">", "="] as const
type Operator = typeof operators[number]

/** Something that is true or false of the data of a moment. */
export class Expression {
  readonly text: string
  private readonly words: ReadonlyArray<Uint8Array>
  private readonly operator: Operator | undefined
  private readonly wanted: string
  private readonly db: number
  private readonly table = new CommandTable()
  private readonly asker = new PastAsker(1, this.table)

  /** Throws `UsageError`. */
  constructor(text: string, db: number) {
    this.text = text
    this.db = db
    const words = wordsOf(text)
    if (words === undefined) throw new UsageError(`the quotes of '${text}' do not match`)
    const at = words.findLastIndex((word) => (operators as ReadonlyArray<string>).includes(word))
    if (at === 0 || (at > 0 && at !== words.length - 2) || words.length === 0) {
      throw new UsageError(
        `'${text}' is no expression: write a command, and perhaps an operator (< <= > >= = !=) and one value behind it`
      )
    }
    this.operator = at < 0 ? undefined : words[at] as Operator
    this.wanted = at < 0 ? "" : words[at + 1]!
    this.words = words.slice(0, at < 0 ? undefined : at).map(bytesOf)
    try {
      pastCommand(this.table, argvOf(this.words))
    } catch (error) {
      if (error instanceof ReplyError) throw new UsageError(error.text)
      throw error
    }
  }

  /** The keys that its command reads; undefined where nobody can tell. */
  keys(): ReadonlyArray<Uint8Array> | undefined {
    const argv = argvOf(this.words)
    const { command } = pastCommand(this.table, argv)
    const found = namesAllKeys(command) ? keysOf(command, argv, this.table) : undefined
    return found === undefined || found.length === 0 ? undefined : found.map(({ key }) => key.toBytes())
  }

  /** What the command answers. Throws `Failed` when that is an error. */
  answer(data: PastData): Reply {
    const reply = readReply(this.asker.ask(data, this.words, { db: this.db, protocol: 2 }))
    // A key of another type than the command is for, at some moment, is no reason to give up.
    if (reply instanceof ReplyError && reply.code !== "WRONGTYPE") throw new Failed(reply.text)
    return reply
  }

  /** Whether it is true, given the answer: without an operator, of anything but nil, 0, "" and nothing at all. */
  holds(reply: Reply): boolean {
    if (reply instanceof ReplyError) return false
    const text = textOf(reply)
    if (this.operator === undefined) return text !== undefined && text !== "" && text !== "0"
    const { wanted } = this
    if (wanted === "nil") {
      return this.operator === "!="
        ? text !== undefined
        : isEqual(this.operator) && text === undefined
    }
    if (text === undefined) return this.operator === "!="
    const order = compare(text, wanted)
    switch (this.operator) {
      case "<":
        return order < 0
      case "<=":
        return order <= 0
      case ">":
        return order > 0
      case ">=":
        return order >= 0
      case "!=":
        return order !== 0
      default:
        return order === 0
    }
  }
}

const isEqual = (operator: Operator): boolean => operator === "=" || operator === "=="

/** An answer as one text; undefined for nil. Of several, how many there are. */
const textOf = (reply: Reply): string | undefined => {
  if (reply === null) return undefined
  if (reply instanceof Slice) return reply.utf8()
  if (reply instanceof Status) return reply.text
  if (reply instanceof Double) return reply.text ?? String(reply.value)
  if (reply instanceof MapReply) return String(reply.pairs.length)
  if (reply instanceof SetReply) return String(reply.members.length)
  if (Array.isArray(reply)) return String(reply.length)
  return String(reply)
}

const numeral = /^[+-]?([0-9]+(\.[0-9]*)?|\.[0-9]+)([eE][+-]?[0-9]+)?$/
const integral = /^[+-]?[0-9]+$/

/** Numbers by their value, anything else as text. */
const compare = (a: string, b: string): number => {
  if (integral.test(a) && integral.test(b)) {
    const [x, y] = [BigInt(a), BigInt(b)]
    return x < y ? -1 : x > y ? 1 : 0
  }
  if (numeral.test(a) && numeral.test(b)) return Number(a) - Number(b)
  return a < b ? -1 : a > b ? 1 : 0
}

/** An answer in one line, for reports. */
export const brief = (reply: Reply): string => {
  if (reply === null) return "(nil)"
  if (reply instanceof Slice) return quoted(reply)
  if (reply instanceof ReplyError) return `(error) ${reply.text}`
  if (Array.isArray(reply)) return `(${reply.length} elements)`
  return textOf(reply) ?? ""
}
