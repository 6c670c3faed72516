/** Replies out of the bytes that a command has answered, RESP2 or RESP3, whole. */
import { Double, MapReply, Push, type Reply, ReplyError, SetReply, Status, Verbatim } from "../net/resp/reply.ts"
import { Slice } from "../projections/memory/slice.ts"

/** The first reply in some bytes. */
export const readReply = (bytes: Uint8Array): Reply => new Reader(bytes).reply()

class Reader {
  private readonly bytes: Buffer
  private at = 0
  constructor(bytes: Uint8Array) {
    this.bytes = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length)
  }

  private line(): string {
    const end = this.bytes.indexOf("\r\n", this.at, "latin1")
    if (end < 0) throw new RangeError("a reply without an end")
    const line = this.bytes.toString("latin1", this.at, end)
    this.at = end + 2
    return line
  }

  private bulk(length: number): Slice {
    const slice = new Slice(this.bytes, this.at, length)
    this.at += length + 2
    return slice
  }

  private many(count: number): Array<Reply> {
    return Array.from({ length: count }, () => this.reply())
  }

  reply(): Reply {
    const line = this.line()
    const rest = line.slice(1)
    switch (line[0]) {
      case "+":
        return new Status(rest)
      case "-":
        return new ReplyError(rest)
      case ":": {
        const value = Number(rest)
        return Number.isSafeInteger(value) ? value : BigInt(rest)
      }
      case "(":
        return BigInt(rest)
      case "$":
        return rest === "-1" ? null : this.bulk(Number(rest))
      case "=": {
        const text = this.bulk(Number(rest)).utf8()
        return new Verbatim(text.slice(4), text.slice(0, 3))
      }
      case "*":
        return rest === "-1" ? null : this.many(Number(rest))
      case "~":
        return new SetReply(this.many(Number(rest)))
      case ">":
        return new Push(this.many(Number(rest)))
      case "%":
        return new MapReply(Array.from({ length: Number(rest) }, () => [this.reply(), this.reply()] as const))
      case "_":
        return null
      case "#":
        return rest === "t"
      case ",":
        return new Double(rest === "inf" ? Infinity : rest === "-inf" ? -Infinity : Number(rest), rest)
      default:
        throw new RangeError(`a reply that begins with '${line[0]}'`)
    }
  }
}
