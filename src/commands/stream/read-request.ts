/** What XREAD and XREADGROUP are asked. */
import { ReplyError } from "../../net/resp/reply.ts"
import { parseInt64Slice } from "../../projections/memory/integer.ts"
import type { Slice } from "../../projections/memory/slice.ts"
import { int64, isWord } from "../arguments.ts"
import type { Argv } from "../define.ts"
import { errors } from "../errors.ts"

const badTimeout = new ReplyError("ERR timeout is not an integer or out of range")
const negativeTimeout = new ReplyError("ERR timeout is negative")
const timeoutRange = new ReplyError("ERR timeout is out of range")
const badIdle = new ReplyError("ERR min-idle-time is not an integer")
const negativeIdle = new ReplyError("ERR min-idle-time must be a positive integer")
const badMaxCount = new ReplyError("ERR MAXCOUNT must be a positive integer")
const badMaxSize = new ReplyError("ERR MAXSIZE must be a positive integer")
const maxCountBelowCount = new ReplyError("ERR MAXCOUNT must be greater than or equal to COUNT")
const missingGroup = new ReplyError("ERR Missing GROUP option for XREADGROUP")
const only = (option: string): ReplyError =>
  new ReplyError(`ERR The ${option} option is only supported by XREADGROUP. You called XREAD instead.`)
const onlyGroup = only("GROUP")
const onlyNoAck = only("NOACK")
const onlyClaim = only("CLAIM")
/** In these words for XREADGROUP, too. */
const unbalanced = new ReplyError(
  "ERR Unbalanced XREAD list of streams: for each stream key an ID or '$' must be specified."
)

/** BLOCK's operand: whole milliseconds, 0 for ever. `now`: Unix ms; the end must be a time. */
const blockMs = (arg: Slice, now: number): number => {
  const ms = parseInt64Slice(arg)
  if (ms === undefined) throw badTimeout
  if (ms < 0) throw negativeTimeout
  if (BigInt(ms) > 2n ** 63n - 1n - BigInt(now)) throw timeoutRange
  return Number(ms)
}

const minIdleMs = (arg: Slice): number => {
  const ms = parseInt64Slice(arg)
  if (ms === undefined) throw badIdle
  if (ms < 0) throw negativeIdle
  return Number(ms)
}

const aboveZero = (arg: Slice, refusal: ReplyError): number => {
  const value = int64(arg)
  if (value <= 0) throw refusal
  return Number(value)
}

/** A request to read streams; the keys stand from word `at` on, and after them as many ids. Filled anew for each request. */
export class ReadRequest {
  /** Most entries of each stream, 0 for all. */
  count = 0
  /** Most entries, and about the most bytes of the reply, of all streams together. */
  maxCount = Infinity
  maxSize = Infinity
  /** Undefined when it does not wait. */
  blockMs: number | undefined = undefined
  group: Slice | undefined = undefined
  consumer: Slice | undefined = undefined
  noAck = false
  claimMs: number | undefined = undefined
  at = 0
  streams = 0

  /** Becomes what these words ask; `grouped`: XREADGROUP. `now`: Unix ms. */
  read(argv: Argv, grouped: boolean, now: number): this {
    this.count = this.at = 0
    this.maxCount = this.maxSize = Infinity
    this.blockMs = this.claimMs = undefined
    this.group = this.consumer = undefined
    this.noAck = false
    for (let i = 1; this.at === 0;) {
      if (i >= argv.length) throw errors.syntax
      i += this.readOption(argv, i, grouped, now)
    }
    if (grouped && this.group === undefined) throw missingGroup
    if (this.maxCount < this.count) throw maxCountBelowCount
    return this
  }

  /** Reads the option at word `at`; returns how many words it takes. */
  private readOption(argv: Argv, at: number, grouped: boolean, now: number): number {
    const option = argv.at(at)
    const more = argv.length - 1 - at
    if (more > 1 && isWord(option, "GROUP")) {
      if (!grouped) throw onlyGroup
      this.group = argv.at(at + 1)
      this.consumer = argv.at(at + 2)
      return 3
    }
    if (more > 0) {
      const value = argv.at(at + 1)
      if (isWord(option, "STREAMS")) return this.readStreams(argv, at + 1)
      if (isWord(option, "COUNT")) {
        this.count = Math.max(0, Number(int64(value)))
        return 2
      }
      if (isWord(option, "BLOCK")) {
        this.blockMs = blockMs(value, now)
        return 2
      }
      if (isWord(option, "MAXCOUNT")) {
        this.maxCount = aboveZero(value, badMaxCount)
        return 2
      }
      if (isWord(option, "MAXSIZE")) {
        this.maxSize = aboveZero(value, badMaxSize)
        return 2
      }
      if (isWord(option, "CLAIM")) {
        if (!grouped) throw onlyClaim
        this.claimMs = minIdleMs(value)
        return 2
      }
    }
    if (!isWord(option, "NOACK")) throw errors.syntax
    if (!grouped) throw onlyNoAck
    this.noAck = true
    return 1
  }

  private readStreams(argv: Argv, at: number): number {
    const words = argv.length - at
    if (words % 2 !== 0) throw unbalanced
    this.at = at
    this.streams = words / 2
    return words
  }

  key(argv: Argv, i: number): Slice {
    return argv.at(this.at + i)
  }

  id(argv: Argv, i: number): Slice {
    return argv.at(this.at + this.streams + i)
  }
}
