/** Values as redis-cli prints them at a terminal, and as JSON. */
import { createHash } from "node:crypto"
import { formatDouble } from "../net/resp/encoder.ts"
import {
  Double,
  Elements,
  Encoded,
  MapReply,
  Push,
  type Reply,
  ReplyError,
  SetReply,
  Status,
  Verbatim
} from "../net/resp/reply.ts"
import { Slice } from "../projections/memory/slice.ts"

const escapes: Readonly<Record<number, string>> = {
  0x07: "\\a",
  0x08: "\\b",
  0x09: "\\t",
  0x0a: "\\n",
  0x0d: "\\r",
  0x22: "\\\"",
  0x5c: "\\\\"
}

const bytesOf = (value: Slice | Uint8Array): Uint8Array =>
  value instanceof Slice ? value.bytes.subarray(value.start, value.start + value.length) : value

/** Bytes in quotes, everything that is not printable ASCII escaped, as redis-cli does. */
export const quoted = (value: Slice | Uint8Array | string): string => {
  const bytes = typeof value === "string" ? Buffer.from(value, "utf8") : bytesOf(value)
  let text = "\""
  for (const byte of bytes) {
    text += escapes[byte]
      ?? (byte >= 0x20 && byte < 0x7f ? String.fromCharCode(byte) : `\\x${byte.toString(16).padStart(2, "0")}`)
  }
  return `${text}"`
}

/** Longer values are told apart by their length and hash. */
const longest = 4096
const shownBytes = 200

/** Bytes in quotes; of very many their beginning, how many they are, and a hash of them. */
export const abridged = (value: Slice): string => {
  if (value.length <= longest) return quoted(value)
  const hash = createHash("sha1").update(bytesOf(value)).digest("hex").slice(0, 16)
  return `${quoted(new Slice(value.bytes, value.start, shownBytes))}…(${value.length} bytes, SHA-1 ${hash}…)`
}

/** The same without quotes where nothing in it needs them: for keys and names in running text. */
export const bare = (value: Slice | Uint8Array | string): string => {
  const text = quoted(value)
  return /^"[^\s"\\]+"$/.test(text) ? text.slice(1, -1) : text
}

const utf8 = new TextDecoder("utf-8", { fatal: true })

/** Bytes as JSON: text where they are UTF-8, otherwise an object with their base64. */
export const jsonOfBytes = (value: Slice | Uint8Array): unknown => {
  const bytes = bytesOf(value)
  try {
    return utf8.decode(bytes)
  } catch {
    return { base64: Buffer.from(bytes).toString("base64") }
  }
}

/** The name of a pair as JSON wants it: bytes that are no UTF-8 keep one character per byte. */
const nameOf = (name: Reply): string => {
  if (name instanceof Slice || name instanceof Uint8Array) {
    const value = jsonOfBytes(name)
    return typeof value === "string" ? value : Buffer.from(bytesOf(name)).toString("latin1")
  }
  return String(name)
}

const numeric = (value: number): unknown => Number.isFinite(value) ? value : formatDouble(value)

/** A reply as a value for `toJson`. */
export const jsonOf = (reply: Reply): unknown => {
  if (reply === null || typeof reply === "boolean" || typeof reply === "string" || typeof reply === "number") {
    return reply
  }
  if (typeof reply === "bigint") return reply
  if (reply instanceof Slice || reply instanceof Uint8Array) return jsonOfBytes(reply)
  if (reply instanceof Double) return numeric(reply.value)
  if (reply instanceof Status) return reply.text
  if (reply instanceof ReplyError) return { error: reply.text }
  if (reply instanceof Verbatim) return reply.text
  if (reply instanceof MapReply) return Object.fromEntries(reply.pairs.map(([k, v]) => [nameOf(k), jsonOf(v)]))
  if (reply instanceof SetReply) return reply.members.map(jsonOf)
  if (reply instanceof Push) return reply.items.map(jsonOf)
  if (Array.isArray(reply)) return (reply as ReadonlyArray<Reply>).map(jsonOf)
  return null
}

/** One line of JSON; integers beyond 2^53 keep all their digits. */
export const toJson = (value: unknown): string => {
  const large: Array<string> = []
  const text = JSON.stringify(value, (_, field) => {
    if (typeof field !== "bigint") return field
    return Number.isSafeInteger(Number(field)) ? Number(field) : `\u0000${large.push(field.toString()) - 1}\u0000`
  })
  return large.length === 0 ? text : text.replace(/"\\u0000([0-9]+)\\u0000"/g, (_, at) => large[Number(at)]!)
}

/** A reply as redis-cli shows it at a terminal, ending with a line break. */
export const show = (reply: Reply, prefix = ""): string => {
  if (reply === null) return "(nil)\n"
  if (typeof reply === "boolean") return reply ? "(true)\n" : "(false)\n"
  if (typeof reply === "number" || typeof reply === "bigint") return `(integer) ${reply}\n`
  if (typeof reply === "string" || reply instanceof Slice || reply instanceof Uint8Array) return `${quoted(reply)}\n`
  if (reply instanceof Status) return `${reply.text}\n`
  if (reply instanceof ReplyError) return `(error) ${reply.text}\n`
  if (reply instanceof Double) return `(double) ${reply.text ?? formatDouble(reply.value)}\n`
  if (reply instanceof Verbatim) return `${reply.text}\n`
  if (reply instanceof MapReply) {
    return items(reply.pairs, prefix, "#", ([key, value], inner) => {
      const name = show(key, inner).trimEnd()
      return `${name} => ${show(value, `${inner}${" ".repeat(name.length + 4)}`)}`
    }, "(empty hash)\n")
  }
  if (reply instanceof SetReply) return items(reply.members, prefix, "~", show, "(empty set)\n")
  if (reply instanceof Push) return items(reply.items, prefix, ">", show, "(empty push)\n")
  if (reply instanceof Elements || reply instanceof Encoded) {
    throw new TypeError("an encoded reply has to be read first")
  }
  if (Array.isArray(reply)) return items(reply as ReadonlyArray<Reply>, prefix, ")", show, "(empty array)\n")
  return "(nil)\n"
}

const items = <A>(
  all: ReadonlyArray<A>,
  prefix: string,
  mark: string,
  one: (item: A, prefix: string) => string,
  none: string
): string => {
  if (all.length === 0) return none
  const width = String(all.length).length
  const inner = `${prefix}${" ".repeat(width + 2)}`
  return all.map((item, i) => `${i === 0 ? "" : prefix}${String(i + 1).padStart(width)}${mark} ${one(item, inner)}`)
    .join(
      ""
    )
}

/** A moment of the log for people, and as it may be typed behind an @. */
export const isoTime = (time: number): string => new Date(time).toISOString()

/** Bytes in the unit that suits them. */
export const inBytes = (bytes: number): string => {
  let size = bytes
  for (const unit of ["B", "KiB", "MiB", "GiB"]) {
    if (size < 1024) return `${unit === "B" ? size : size.toFixed(1)} ${unit}`
    size /= 1024
  }
  return `${size.toFixed(1)} TiB`
}
