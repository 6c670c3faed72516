/**
 * RESP2 and RESP3 as a client sees them, written apart from the server's own encoder so that tests do not check the
 * server against itself. `replyEnd` frames without building anything; `parseReply` keeps the type that stood on the wire.
 */

/** A reply with the type it had on the wire. `null` keeps which of the three spellings was used. */
export type TypedReply =
  | { readonly type: "status"; readonly value: string }
  | { readonly type: "error"; readonly value: string }
  | { readonly type: "integer"; readonly value: bigint }
  | { readonly type: "bulk"; readonly value: Buffer }
  | { readonly type: "null"; readonly form: "bulk" | "array" | "resp3" }
  | { readonly type: "array"; readonly items: ReadonlyArray<TypedReply> }
  | { readonly type: "map"; readonly entries: ReadonlyArray<readonly [TypedReply, TypedReply]> }
  | { readonly type: "set"; readonly items: ReadonlyArray<TypedReply> }
  | { readonly type: "push"; readonly items: ReadonlyArray<TypedReply> }
  | { readonly type: "double"; readonly text: string; readonly value: number }
  | { readonly type: "bool"; readonly value: boolean }
  | { readonly type: "bignumber"; readonly value: bigint }
  | { readonly type: "verbatim"; readonly format: string; readonly value: Buffer }

/** The bytes are not RESP: what stood where. */
export class RespSyntaxError extends Error {
  override readonly name = "RespSyntaxError"
}

const CR = 13
const LF = 10

/** Where the line starting at `start` ends (position of its CR), or -1 when its CRLF has not arrived. */
const lineEnd = (bytes: Buffer, start: number): number => {
  let at = bytes.indexOf(CR, start)
  while (at !== -1 && at + 1 < bytes.length && bytes[at + 1] !== LF) at = bytes.indexOf(CR, at + 1)
  return at === -1 || at + 1 >= bytes.length ? -1 : at
}

const lengthAt = (bytes: Buffer, start: number, end: number): number => {
  const text = bytes.toString("latin1", start, end)
  if (!/^-?\d+$/.test(text)) throw new RespSyntaxError(`length ${JSON.stringify(text)}`)
  return Number(text)
}

/**
 * The position after the reply that starts at `start`, or minus the number of bytes the buffer must at least hold
 * before asking again makes sense.
 */
export const replyEnd = (bytes: Buffer, start: number): number => {
  let at = start
  /** Values still to be read; aggregates add their elements. */
  let open = 1
  while (open > 0) {
    const cr = at < bytes.length ? lineEnd(bytes, at) : -1
    if (cr === -1) return -(Math.max(bytes.length, at) + 1)
    open--
    switch (bytes[at]) {
      case 0x2b: // +
      case 0x2d: // -
      case 0x3a: // :
      case 0x5f: // _
      case 0x2c: // ,
      case 0x23: // #
      case 0x28: // (
        at = cr + 2
        break
      case 0x24: // $
      case 0x3d: // =
      case 0x21: { // !
        const length = lengthAt(bytes, at + 1, cr)
        at = cr + 2
        if (length < 0) break
        at += length + 2
        if (at > bytes.length) return -at
        if (bytes[at - 2] !== CR || bytes[at - 1] !== LF) throw new RespSyntaxError(`bulk without CRLF at ${at - 2}`)
        break
      }
      case 0x2a: // *
      case 0x7e: // ~
      case 0x3e: { // >
        open += Math.max(0, lengthAt(bytes, at + 1, cr))
        at = cr + 2
        break
      }
      case 0x25: { // %
        open += 2 * lengthAt(bytes, at + 1, cr)
        at = cr + 2
        break
      }
      case 0x7c: { // | attributes: pairs in front of the value they belong to
        open += 2 * lengthAt(bytes, at + 1, cr) + 1
        at = cr + 2
        break
      }
      default:
        throw new RespSyntaxError(
          `type byte ${JSON.stringify(String.fromCharCode(bytes[at]!))} in ` +
            JSON.stringify(bytes.toString("latin1", at, Math.min(bytes.length, at + 60)))
        )
    }
  }
  return at
}

/** True when the reply that starts at `start` is a RESP3 push. */
export const isPush = (bytes: Buffer, start: number): boolean => bytes[start] === 0x3e

/** One whole reply, as `replyEnd` framed it. */
export const parseReply = (bytes: Buffer): TypedReply => {
  let at = 0
  const line = (): string => {
    const cr = lineEnd(bytes, at)
    if (cr === -1) throw new RespSyntaxError("reply is cut short")
    const text = bytes.toString("latin1", at, cr)
    at = cr + 2
    return text
  }
  const body = (length: number): Buffer => {
    const from = at
    at += length + 2
    return Buffer.from(bytes.subarray(from, from + length))
  }
  const items = (count: number): ReadonlyArray<TypedReply> => {
    const out: Array<TypedReply> = []
    for (let i = 0; i < count; i++) out.push(value())
    return out
  }
  const value = (): TypedReply => {
    const head = line()
    const rest = head.slice(1)
    switch (head[0]) {
      case "+":
        return { type: "status", value: rest }
      case "-":
        return { type: "error", value: rest }
      case "!":
        return { type: "error", value: body(Number(rest)).toString("latin1") }
      case ":":
        return { type: "integer", value: BigInt(rest) }
      case "$":
        return rest === "-1" ? { type: "null", form: "bulk" } : { type: "bulk", value: body(Number(rest)) }
      case "=": {
        const text = body(Number(rest))
        return { type: "verbatim", format: text.toString("latin1", 0, 3), value: text.subarray(4) }
      }
      case "*":
        return rest === "-1" ? { type: "null", form: "array" } : { type: "array", items: items(Number(rest)) }
      case "~":
        return { type: "set", items: items(Number(rest)) }
      case ">":
        return { type: "push", items: items(Number(rest)) }
      case "%": {
        const entries: Array<readonly [TypedReply, TypedReply]> = []
        for (let i = Number(rest); i > 0; i--) entries.push([value(), value()])
        return { type: "map", entries }
      }
      case "|":
        items(2 * Number(rest))
        return value()
      case "_":
        return { type: "null", form: "resp3" }
      case "#":
        return { type: "bool", value: rest === "t" }
      case "(":
        return { type: "bignumber", value: BigInt(rest) }
      case ",":
        return {
          type: "double",
          text: rest,
          value: rest === "inf" ? Infinity : rest === "-inf" ? -Infinity : Number(rest)
        }
      default:
        throw new RespSyntaxError(`type byte in ${JSON.stringify(head)}`)
    }
  }
  const reply = value()
  if (at !== bytes.length) throw new RespSyntaxError(`${bytes.length - at} bytes after the reply`)
  return reply
}

/** One word of a request: text goes out as UTF-8, numbers in decimal, bytes as they are. */
export type Word = string | number | bigint | Uint8Array

/** A request in the multibulk form. */
export const encodeRequest = (words: ReadonlyArray<Word>): Buffer => {
  const parts: Array<Uint8Array> = [Buffer.from(`*${words.length}\r\n`)]
  for (const word of words) {
    const bytes = word instanceof Uint8Array ? word : Buffer.from(String(word))
    parts.push(Buffer.from(`$${bytes.length}\r\n`), bytes, Buffer.from("\r\n"))
  }
  return Buffer.concat(parts)
}

/** The reply as plain JavaScript, for assertions that do not care about types: bytes become UTF-8 text, errors `Error`. */
export const plain = (reply: TypedReply): unknown => {
  switch (reply.type) {
    case "null":
      return null
    case "error":
      return new Error(reply.value)
    case "integer":
      return reply.value >= BigInt(Number.MIN_SAFE_INTEGER) && reply.value <= BigInt(Number.MAX_SAFE_INTEGER)
        ? Number(reply.value)
        : reply.value
    case "bulk":
    case "verbatim":
      return reply.value.toString()
    case "array":
    case "set":
    case "push":
      return reply.items.map(plain)
    case "map":
      return new Map(reply.entries.map(([key, value]) => [plain(key), plain(value)]))
    default:
      return reply.value
  }
}
