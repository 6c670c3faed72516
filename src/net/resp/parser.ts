/**
 * Requests out of bytes: RESP arrays of bulk strings and inline lines. The common case, a request that lies whole in the
 * socket's chunk, is parsed in one pass into slices over that chunk. A request that the chunk cuts goes on where it
 * stopped when more bytes are there, however many pieces it comes in: nothing is read twice.
 */
import { Slice } from "../../projections/memory/slice.ts"
import { splitWords } from "./inline.ts"

/** Longest inline request and longest count line, in bytes. */
const lineLimit = 64 * 1024
const maxArguments = 0x7fff_ffff
/** Before authentication a request may have this many words of this many bytes. */
const unauthenticatedArguments = 10
const unauthenticatedBulk = 16_384
const pooledSlices = 4096

const CR = 13
const LF = 10
const DOLLAR = 36
const STAR = 42

/** The words of the request at hand. One instance serves all connections: a request runs before the next is parsed. */
export class Arguments {
  length = 0
  private readonly slices: Array<Slice> = Array.from({ length: 64 }, () => new Slice())

  at(index: number): Slice {
    return this.slices[index]!
  }

  put(index: number, bytes: Uint8Array, start: number, length: number): void {
    const slice = this.slices[index]
    if (slice === undefined) this.slices[index] = new Slice(bytes, start, length)
    else slice.set(bytes, start, length)
  }

  /** Lets go of the buffers, and of the slices of an unusually long request. */
  release(): void {
    if (this.slices.length > pooledSlices) this.slices.length = pooledSlices
    for (let i = 0; i < this.length; i++) this.slices[i]?.set(none, 0, 0)
    this.length = 0
  }
}
const none = new Uint8Array(0)

/** Limits that configuration may change while the server runs. */
export interface ParserLimits {
  /** proto-max-bulk-len, bytes. */
  readonly maxBulkBytes: number
}

/** What a call of `parse` found. */
export const Parsed = { request: 0, more: 1, error: 2, empty: 3 } as const

/** A request that goes on in the next chunk. Positions count from the request's first byte. */
class Unfinished {
  expected = -1
  readonly starts: Array<number> = []
  readonly lengths: Array<number> = []
  cursor = 0
  /** Length of the bulk string whose bytes are being awaited; -1 while its line is. */
  bulk = -1
}

/** Parser state of one connection. */
export class RequestParser {
  /** Position after what the last call consumed. */
  position = 0
  /** Text of the protocol error after `Parsed.error`. */
  error = ""
  /** At least this many bytes from the request's start make progress possible; 0 when unknown. */
  needed = 0
  private unfinished: Unfinished | undefined = undefined
  private readonly argv: Arguments
  private readonly limits: ParserLimits

  constructor(argv: Arguments, limits: ParserLimits) {
    this.argv = argv
    this.limits = limits
  }

  /** Parses one request from `start`. After `Parsed.more` the next call must see the same request's bytes at its start. */
  parse(bytes: Uint8Array, start: number, end: number, authenticated: boolean): number {
    if (this.unfinished !== undefined) return this.resume(bytes, start, end, authenticated)
    if (bytes[start] !== STAR) return this.inline(bytes, start, end)
    const argv = this.argv
    let at = start + 1
    let count = 0
    let byte = 0
    while (at < end && (byte = bytes[at]!) >= 48 && byte <= 57 && count < 100_000) {
      count = count * 10 + byte - 48
      at++
    }
    // Anything unusual (a sign, letters, a long number, a cut) goes the careful way, from the beginning.
    if (byte !== CR || at + 1 >= end || count === 0 || at === start + 1) {
      return this.begin(bytes, start, end, authenticated)
    }
    if (count > unauthenticatedArguments && !authenticated) return this.begin(bytes, start, end, authenticated)
    at += 2
    for (let i = 0; i < count; i++) {
      if (at + 3 >= end || bytes[at] !== DOLLAR) return this.begin(bytes, start, end, authenticated)
      at++
      let length = bytes[at]! - 48
      if (length < 0 || length > 9) return this.begin(bytes, start, end, authenticated)
      at++
      while (at < end && (byte = bytes[at]!) !== CR) {
        if (byte < 48 || byte > 57 || length === 0 || length > 99_999_999) {
          return this.begin(bytes, start, end, authenticated)
        }
        length = length * 10 + byte - 48
        at++
      }
      const first = at + 2
      at = first + length + 2
      if (at > end || length > this.limits.maxBulkBytes || (length > unauthenticatedBulk && !authenticated)) {
        return this.begin(bytes, start, end, authenticated)
      }
      argv.put(i, bytes, first, length)
    }
    argv.length = count
    this.position = at
    return Parsed.request
  }

  private begin(bytes: Uint8Array, start: number, end: number, authenticated: boolean): number {
    this.unfinished = new Unfinished()
    return this.resume(bytes, start, end, authenticated)
  }

  private fail(text: string): number {
    this.error = text
    this.unfinished = undefined
    return Parsed.error
  }

  /** Position of the CR that ends the line at `at`, once the byte after it is there too; -1 before. */
  private lineEnd(bytes: Uint8Array, at: number, end: number): number {
    // A NUL hides what follows it from the reference implementation's search; so it does here.
    for (let i = at; i + 1 < end; i++) {
      const byte = bytes[i]
      if (byte === CR) return i
      if (byte === 0) return -1
    }
    return -1
  }

  private resume(bytes: Uint8Array, start: number, end: number, authenticated: boolean): number {
    const state = this.unfinished!
    const seen = bytes.length === end ? bytes : bytes.subarray(0, end)
    this.needed = 0
    if (state.expected < 0) {
      const cr = this.lineEnd(seen, start, end)
      if (cr < 0) return end - start > lineLimit ? this.fail("too big mbulk count string") : Parsed.more
      const count = parseCount(seen, start + 1, cr)
      if (count === undefined || count > maxArguments) return this.fail("invalid multibulk length")
      if (count > unauthenticatedArguments && !authenticated) return this.fail("unauthenticated multibulk length")
      if (count <= 0) {
        this.unfinished = undefined
        this.position = cr + 2
        return Parsed.empty
      }
      state.expected = count
      state.cursor = cr + 2 - start
    }
    while (state.starts.length < state.expected) {
      let at = start + state.cursor
      if (state.bulk < 0) {
        if (at >= end) return Parsed.more
        const cr = this.lineEnd(seen, at, end)
        if (cr < 0) return end - at > lineLimit ? this.fail("too big bulk count string") : Parsed.more
        if (seen[at] !== DOLLAR) return this.fail(`expected '$', got '${printableByte(seen[at]!)}'`)
        const length = parseCount(seen, at + 1, cr)
        if (length === undefined || length < 0 || length > this.limits.maxBulkBytes) {
          return this.fail("invalid bulk length")
        }
        if (length > unauthenticatedBulk && !authenticated) return this.fail("unauthenticated bulk length")
        state.bulk = length
        state.cursor = cr + 2 - start
        at = cr + 2
      }
      if (end - at < state.bulk + 2) {
        this.needed = state.cursor + state.bulk + 2
        return Parsed.more
      }
      state.starts.push(state.cursor)
      state.lengths.push(state.bulk)
      state.cursor += state.bulk + 2
      state.bulk = -1
    }
    const argv = this.argv
    for (let i = 0; i < state.expected; i++) argv.put(i, bytes, start + state.starts[i]!, state.lengths[i]!)
    argv.length = state.expected
    this.position = start + state.cursor
    this.unfinished = undefined
    return Parsed.request
  }

  private inline(bytes: Uint8Array, start: number, end: number): number {
    const seen = bytes.length === end ? bytes : bytes.subarray(0, end)
    const lf = seen.indexOf(LF, start)
    const nul = seen.indexOf(0, start)
    if (lf < 0 || (nul >= 0 && nul < lf)) {
      return end - start > lineLimit ? this.fail("too big inline request") : Parsed.more
    }
    const words = splitWords(seen.subarray(start, lf > start && seen[lf - 1] === CR ? lf - 1 : lf))
    this.position = lf + 1
    if (words === undefined) return this.fail("unbalanced quotes in request")
    if (words.length === 0) return Parsed.empty
    for (let i = 0; i < words.length; i++) this.argv.put(i, words[i]!.bytes, 0, words[i]!.length)
    this.argv.length = words.length
    return Parsed.request
  }
}

const printableByte = (byte: number): string => String.fromCharCode(byte)

/** A decimal count with optional minus, strict: no plus, no leading zeros, no spaces. */
const parseCount = (bytes: Uint8Array, start: number, end: number): number | undefined => {
  const text = Buffer.from(bytes.buffer, bytes.byteOffset + start, end - start).toString("latin1")
  return /^(0|-?[1-9]\d{0,15})$/.test(text) ? Number(text) : undefined
}
