import * as Pack from "../../projections/memory/pack.ts"
import { copyBytes, loopLimit, Slice } from "../../projections/memory/slice.ts"
import {
  Double,
  Elements,
  type ElementSink,
  Encoded,
  MapReply,
  nilArray,
  noReply,
  Push,
  type Reply,
  ReplyError,
  SetReply,
  Status,
  Verbatim
} from "./reply.ts"

const CR = 13
const LF = 10
const DOLLAR = 36
const STAR = 42
const COLON = 58
const COMMA = 44
const nullBulk = Buffer.from("$-1\r\n")
const nullArray = Buffer.from("*-1\r\n")
const null3 = Buffer.from("_\r\n")

/** The first byte of a text of less than `shortTexts` bytes in a pack, of which its length is taken. */
const shortText = 0x80
const shortTexts = 64
/** Bytes that such a text takes as a bulk string, at most. */
const shortBulkBytes = shortTexts + 7
const packedText = new Slice()
const packedDigits = new Uint8Array(Pack.digitsBytes)

/** First size of a chunk; idle connections hold none. */
export const chunkBytes = 16 * 1024
/** Size of the chunks after it. */
const bigChunkBytes = 256 * 1024

/**
 * Where replies are encoded: a chain of chunks, the last one open. Small replies share chunks; a reply of megabytes gets
 * a chunk of its exact size, so nothing is ever copied twice.
 */
export class ReplyBuffer implements ElementSink {
  /** Full chunks, oldest first. */
  readonly full: Array<Uint8Array> = []
  fullBytes = 0
  /** The open chunk and how much of it is used. */
  chunk: Uint8Array = none
  used = 0
  /** The open chunk is a message that other buffers hold too: it is full, and nobody may write to it. */
  private shared = false

  get length(): number {
    return this.fullBytes + this.used
  }

  /** Makes room for `n` bytes in the open chunk. */
  private room(n: number): void {
    if (this.chunk.length - this.used >= n) return
    if (this.shared) return this.unshare(n)
    if (this.used === 0) {
      this.chunk = n <= chunkBytes ? takeChunk() : Buffer.allocUnsafeSlow(n)
      return
    }
    this.full.push(this.used === this.chunk.length ? this.chunk : this.chunk.subarray(0, this.used))
    this.fullBytes += this.used
    this.chunk = n > bigChunkBytes ? Buffer.allocUnsafeSlow(n) : spareBig.pop() ?? Buffer.allocUnsafeSlow(bigChunkBytes)
    this.used = 0
  }

  /** Makes room after a shared message: a short one moves into a chunk of this buffer's own, a long one stays. */
  private unshare(n: number): void {
    const { chunk, used } = this
    this.shared = false
    this.used = 0
    this.chunk = none
    if (used + n <= chunkBytes) {
      this.room(used + n)
      copyBytes(this.chunk, 0, chunk, 0, used)
      this.used = used
    } else {
      this.full.push(chunk)
      this.fullBytes += used
      this.room(n)
    }
  }

  /**
   * Adds bytes from `sharedBytes`, which nobody will write to again: alone or long, they are not copied, however many
   * buffers get them.
   */
  share(bytes: Uint8Array): void {
    if (this.used > 0 || this.full.length > 0) {
      if (bytes.length < chunkBytes) return this.raw(bytes)
      this.seal()
    } else releaseChunk(this.chunk)
    this.chunk = bytes
    this.used = bytes.length
    this.shared = true
  }

  /** The open chunk counts as full. */
  private seal(): void {
    if (this.used === 0) return
    this.full.push(this.chunk.subarray(0, this.used))
    this.fullBytes += this.used
  }

  /** Empties the buffer; its chunk may serve another connection. */
  clear(): void {
    this.full.length = 0
    this.fullBytes = 0
    this.used = 0
    if (!this.shared) releaseChunk(this.chunk)
    this.shared = false
    this.chunk = none
  }

  /** Everything encoded so far, as chunks to keep; the buffer is empty afterwards. */
  take(): Array<Uint8Array> {
    const chunks = this.full.slice()
    if (this.used > 0) chunks.push(this.chunk.subarray(0, this.used))
    this.full.length = 0
    this.fullBytes = 0
    this.chunk = none
    this.used = 0
    this.shared = false
    return chunks
  }

  raw(bytes: Uint8Array): void {
    const n = bytes.length
    this.room(n)
    if (n < loopLimit) copyBytes(this.chunk, this.used, bytes, 0, n)
    else this.chunk.set(bytes, this.used) // without the view of its source that copyBytes needs
    this.used += n
  }

  /** A type byte, a non-negative integer and CRLF. */
  private header(type: number, n: number): void {
    this.room(32)
    const out = this.chunk
    out[this.used++] = type
    this.used = writeDigits(out, this.used, n)
    out[this.used++] = CR
    out[this.used++] = LF
  }

  bulk(bytes: Uint8Array, start: number, length: number): void {
    this.room(length + 32)
    const out = this.chunk
    let at = this.used
    out[at++] = DOLLAR
    at = writeDigits(out, at, length)
    out[at++] = CR
    out[at++] = LF
    copyBytes(out, at, bytes, start, length)
    at += length
    out[at++] = CR
    out[at++] = LF
    this.used = at
  }

  /** Most elements are short texts: they are copied from pack to reply in one loop, without a call for each. */
  pack(bytes: Uint8Array, at: number, count: number): void {
    while (count > 0) {
      this.room(shortBulkBytes)
      const out = this.chunk
      const last = out.length - shortBulkBytes
      let to = this.used
      while (count > 0 && to <= last) {
        const length = bytes[at]! - shortText
        if (!(length >= 0 && length < shortTexts)) break
        out[to++] = DOLLAR
        if (length >= 10) out[to++] = 48 + (length * 205 >>> 11)
        out[to++] = 48 + length % 10
        out[to++] = CR
        out[to++] = LF
        for (const end = ++at + length; at < end; at++) out[to++] = bytes[at]!
        out[to++] = CR
        out[to++] = LF
        at++ // its backlen
        count--
      }
      this.used = to
      if (count === 0 || to > last) continue
      const text = Pack.textAt(bytes, at, packedText, packedDigits)
      this.bulk(text.bytes, text.start, text.length)
      at += Pack.sizeAt(bytes, at)
      count--
    }
  }

  integer(n: number): void {
    if (n >= 0 && n <= 0x7fff_ffff) this.header(COLON, n)
    else this.line(`:${n}`)
  }

  /** A line of Latin-1 text and CRLF. */
  line(text: string): void {
    this.raw(Buffer.from(`${text}\r\n`, "latin1"))
  }

  private aggregate(type: string, n: number): void {
    this.header(type.charCodeAt(0), n)
  }

  /** Encodes a reply for the connection's protocol (2 or 3). */
  write(reply: Reply, protocol: number): void {
    if (reply instanceof Slice) this.bulk(reply.bytes, reply.start, reply.length)
    else if (reply instanceof Status || reply instanceof ReplyError) this.raw(reply.encoded)
    else if (reply === null) this.raw(protocol === 3 ? null3 : nullBulk)
    else if (typeof reply === "number") this.integer(reply)
    else this.writeRare(reply, protocol)
  }

  array(length: number): void {
    this.header(STAR, length)
  }

  /** Another reply in the protocol of the one being written. */
  reply(reply: Reply): void {
    this.write(reply, this.protocol)
  }

  /** A double in the protocol of the reply being written. */
  double(value: number): void {
    this.doubleValue(value, this.protocol)
  }

  /** A double in the protocol of the reply being written, whose text is given. */
  doubleBytes(bytes: Uint8Array, start: number, length: number): void {
    if (this.protocol !== 3) {
      this.bulk(bytes, start, length)
      return
    }
    this.room(length + 3)
    const out = this.chunk
    let at = this.used
    out[at++] = COMMA
    copyBytes(out, at, bytes, start, length)
    at += length
    out[at++] = CR
    out[at++] = LF
    this.used = at
  }

  private doubleValue(value: number, protocol: number): void {
    // Most scores are small numbers of something, which need no string.
    if (value > 0 && value <= 0x7fff_ffff && value === (value | 0)) {
      if (protocol === 3) return this.header(COMMA, value | 0)
      this.header(DOLLAR, digitsOf(value | 0))
      this.digits(value | 0)
    } else this.doubleText(formatDouble(value), protocol)
  }

  /** The digits of a non-negative int32, and CRLF. */
  private digits(n: number): void {
    this.room(16)
    const out = this.chunk
    const at = writeDigits(out, this.used, n)
    out[at] = CR
    out[at + 1] = LF
    this.used = at + 2
  }

  /** The text of a double: ASCII, at most 32 bytes. */
  private doubleText(text: string, protocol: number): void {
    const { length } = text
    if (protocol !== 3) this.header(DOLLAR, length)
    this.room(40)
    const out = this.chunk
    let at = this.used
    if (protocol === 3) out[at++] = COMMA
    for (let i = 0; i < length; i++) out[at++] = text.charCodeAt(i)
    out[at++] = CR
    out[at++] = LF
    this.used = at
  }

  private protocol = 2

  private elements({ count, kind, write }: Elements, protocol: number): void {
    if (kind === "array" || protocol !== 3) this.header(STAR, kind === "map" ? 2 * count : count)
    else this.aggregate(kind === "map" ? "%" : "~", count)
    this.protocol = protocol
    write(this, protocol)
  }

  private writeRare(reply: Reply, protocol: number): void {
    if (reply instanceof Elements) this.elements(reply, protocol)
    else if (Array.isArray(reply)) {
      this.header(STAR, reply.length)
      for (let i = 0; i < reply.length; i++) this.write(reply[i] as Reply, protocol)
    } else if (typeof reply === "bigint") this.line(`:${reply}`)
    else if (typeof reply === "string") {
      const bytes = Buffer.from(reply, "utf8")
      this.bulk(bytes, 0, bytes.length)
    } else if (reply instanceof Uint8Array) this.bulk(reply, 0, reply.length)
    else if (typeof reply === "boolean") this.line(protocol === 3 ? (reply ? "#t" : "#f") : (reply ? ":1" : ":0"))
    else if (reply instanceof MapReply) {
      this.aggregate(protocol === 3 ? "%" : "*", protocol === 3 ? reply.pairs.length : reply.pairs.length * 2)
      for (const [key, value] of reply.pairs) {
        this.write(key, protocol)
        this.write(value, protocol)
      }
    } else if (reply instanceof SetReply) {
      this.aggregate(protocol === 3 ? "~" : "*", reply.members.length)
      for (const member of reply.members) this.write(member, protocol)
    } else if (reply instanceof Push) {
      this.aggregate(protocol === 3 ? ">" : "*", reply.items.length)
      for (const item of reply.items) this.write(item, protocol)
    } else if (reply instanceof Double) {
      if (reply.text === undefined) this.doubleValue(reply.value, protocol)
      else if (protocol === 3) this.line(`,${reply.text}`)
      else this.writeRare(reply.text, protocol)
    } else if (reply instanceof Verbatim) {
      this.verbatim(reply, protocol)
    } else if (reply instanceof Encoded) {
      if (isLasting(reply.bytes, reply.bytes.length)) this.share(reply.bytes)
      else this.raw(reply.bytes)
    } else if (reply === nilArray) this.raw(protocol === 3 ? null3 : nullArray)
    else if (reply !== noReply) throw new TypeError("not a reply")
  }

  private verbatim(reply: Verbatim, protocol: number): void {
    if (protocol !== 3) {
      this.writeRare(reply.text, protocol)
      return
    }
    const bytes = Buffer.from(`${reply.format}:${reply.text}`, "utf8")
    this.line(`=${bytes.length}`)
    this.raw(bytes)
    this.line("")
  }
}

const none = new Uint8Array(0)

/** Chunks of idle connections, ready for the next reply. */
const spare: Array<Uint8Array> = []
const spareLimit = 1024
const takeChunk = (): Uint8Array => spare.pop() ?? Buffer.allocUnsafeSlow(chunkBytes)
const releaseChunk = (chunk: Uint8Array): void => {
  if (chunk.length === chunkBytes && spare.length < spareLimit) spare.push(chunk)
  else if (chunk.length === bigChunkBytes && spareBig.length < spareBigLimit) spareBig.push(chunk)
}
/** Large replies come in turns: making such chunks anew each time costs more than filling them. */
const spareBig: Array<Uint8Array> = []
const spareBigLimit = 50

const isRecyclable = ({ buffer: { byteLength } }: Uint8Array): boolean =>
  byteLength === chunkBytes || byteLength === bigChunkBytes

/** A chunk that `take` gave is not needed any more: its memory serves another reply. */
export const recycleChunk = (chunk: Uint8Array): void => {
  if (isRecyclable(chunk)) releaseChunk(Buffer.from(chunk.buffer as ArrayBuffer))
}

/** Whether `length` bytes at the beginning of a chunk are long, and nobody will write to them. */
export const isLasting = (chunk: Uint8Array, length: number): boolean => length >= chunkBytes && !isRecyclable(chunk)

/**
 * Bytes for a message that many buffers may hold. Never of a size by which `recycleChunk` would take them for a chunk of
 * one buffer alone.
 */
export const sharedBytes = (length: number): Uint8Array =>
  length === chunkBytes || length === bigChunkBytes
    ? Buffer.allocUnsafeSlow(length + 1).subarray(0, length)
    : Buffer.allocUnsafe(length)

/** How many digits a non-negative int32 has. */
const digitsOf = (n: number): number => {
  if (n >= 10_000_000) return n < 100_000_000 ? 8 : n < 1_000_000_000 ? 9 : 10
  return n < 10 ? 1 : n < 100 ? 2 : n < 1000 ? 3 : n < 10_000 ? 4 : n < 100_000 ? 5 : n < 1_000_000 ? 6 : 7
}

/** Writes a non-negative int32 in decimal; returns the position after it. */
export const writeDigits = (out: Uint8Array, at: number, n: number): number => {
  if (n < 10) {
    out[at] = 48 + n
    return at + 1
  }
  const digits = digitsOf(n)
  let i = at + digits
  while (i > at) {
    const q = (n / 10) | 0
    out[--i] = 48 + n - q * 10
    n = q
  }
  return at + digits
}

/** A double as Redis prints it: the shortest text that reads back the same; inf, -inf, nan. */
export const formatDouble = (value: number): string => {
  if (Number.isNaN(value)) return "nan"
  if (value === Infinity) return "inf"
  if (value === -Infinity) return "-inf"
  if (value === 0) return Object.is(value, -0) ? "-0" : "0"
  // Here JavaScript writes what %g would; beyond it begins with exponents later.
  const size = Math.abs(value)
  if (size >= 1e-4 && size < 1e17) return `${value}`
  return formatG17(value)
}

/** JavaScript's shortest digits with an exponent as C's %g writes it: at least two digits wide. */
const formatG17 = (value: number): string => {
  const [mantissa, exponentText] = value.toExponential().split("e") as [string, string]
  const exponent = Number(exponentText)
  return `${mantissa}e${exponent < 0 ? "-" : "+"}${String(Math.abs(exponent)).padStart(2, "0")}`
}
