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
  /** Hash of the word after the name, as a signed number, if it was computed ahead. */
  keyHash = 0
  isHashed = false
  private readonly slices: Array<Slice> = Array.from({ length: 64 }, () => new Slice())

  at(index: number): Slice {
    return this.slices[index]!
  }

  put(index: number, bytes: Uint8Array, start: number, length: number): void {
    const slice = this.slices[index]
    if (slice === undefined) this.slices[index] = new Slice(bytes, start, length)
    else slice.set(bytes, start, length)
  }

  /** Lets go of the buffers of this and earlier requests, and of the slices of an unusually long one. */
  release(): void {
    if (this.slices.length > pooledSlices) this.slices.length = pooledSlices
    for (let i = 0; i < this.slices.length; i++) this.slices[i]!.set(none, 0, 0)
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
  /** How far the line at hand has been searched for its end; -1 when a NUL hides the end for good. */
  searched = 0
  /** Length of the bulk string whose bytes are being awaited; -1 while its line is. */
  bulk = -1
}

/** A start and a length. */
const bytesPerWord = 16

/** Parser state of one connection. */
export class RequestParser {
  /** Position after what the last call consumed. */
  position = 0
  /** Text of the protocol error after `Parsed.error`. */
  error = ""
  /** Length of the whole request that the last call could not finish; 0 while unknown. */
  needed = 0
  private unfinished: Unfinished | undefined = undefined
  /** How far an unfinished inline request has been searched for its end. */
  private searched = 0
  private readonly argv: Arguments
  private readonly limits: ParserLimits

  constructor(argv: Arguments, limits: ParserLimits) {
    this.argv = argv
    this.limits = limits
  }

  /** Bytes it takes to remember the words of a request that is not whole. */
  get heldBytes(): number {
    return this.unfinished === undefined ? 0 : this.unfinished.starts.length * bytesPerWord
  }

  /** Parses one request from `start`. After `Parsed.more` the next call must see the same request's bytes at its start. */
  parse(bytes: Uint8Array, start: number, end: number, authenticated: boolean): number {
    if (this.unfinished !== undefined) return this.resume(bytes, start, end, authenticated)
    if (bytes[start] !== STAR) return this.inline(bytes, start, end)
    const at = this.whole(bytes, start, end, authenticated, this.argv)
    // Anything unusual (a sign, letters, a leading zero, a long number, a cut) goes the careful way, from the beginning.
    if (at < 0) return this.begin(bytes, start, end, authenticated)
    this.position = at
    return Parsed.request
  }

  /**
   * Parses the requests that lie whole in the bytes, one after the other, into `batch` and the positions after them into
   * `ends`. Stops at the first that is unusual in any way, without a trace of it, and returns how many there were.
   */
  ahead(bytes: Uint8Array, start: number, end: number, batch: ReadonlyArray<Arguments>, ends: Int32Array): number {
    if (this.unfinished !== undefined) return 0
    let at = start
    for (let i = 0; i < batch.length; i++) {
      if (at >= end || bytes[at] !== STAR) return i
      at = this.whole(bytes, at, end, true, batch[i]!)
      if (at < 0) return i
      ends[i] = at
    }
    return batch.length
  }

  /** The usual case: the position after a request that lies whole in the bytes, or -1. */
  private whole(bytes: Uint8Array, start: number, end: number, authenticated: boolean, argv: Arguments): number {
    let at = start + 1
    let count = 0
    let byte = 0
    while (at < end && (byte = bytes[at]!) >= 48 && byte <= 57 && count < 100_000) {
      count = count * 10 + byte - 48
      at++
    }
    if (byte !== CR || at + 1 >= end || bytes[start + 1] === 48 || at === start + 1) return -1
    if (count > unauthenticatedArguments && !authenticated) return -1
    at += 2
    for (let i = 0; i < count; i++) {
      if (at + 3 >= end || bytes[at] !== DOLLAR) return -1
      at++
      let length = bytes[at]! - 48
      if (length < 0 || length > 9) return -1
      at++
      while (at < end && (byte = bytes[at]!) !== CR) {
        if (byte < 48 || byte > 57 || length === 0 || length > 99_999_999) return -1
        length = length * 10 + byte - 48
        at++
      }
      const first = at + 2
      at = first + length + 2
      if (at > end || length > this.limits.maxBulkBytes || (length > unauthenticatedBulk && !authenticated)) return -1
      argv.put(i, bytes, first, length)
    }
    argv.length = count
    return at
  }

  private begin(bytes: Uint8Array, start: number, end: number, authenticated: boolean): number {
    // The words of the request before are overwritten by now.
    this.argv.length = 0
    this.unfinished = new Unfinished()
    return this.resume(bytes, start, end, authenticated)
  }

  private fail(text: string): number {
    this.error = text
    this.unfinished = undefined
    return Parsed.error
  }

  /**
   * Position of the CR that ends the line at `at`, once the byte after it is there too; `waitForLine` before,
   * `noLine` when not even a CR is in sight. What has been searched once is not searched again.
   */
  private lineEnd(state: Unfinished, bytes: Uint8Array, start: number, at: number, end: number): number {
    // A NUL hides what follows it from the reference implementation's search; so it does here.
    if (state.searched < 0) return noLine
    let i = Math.max(at, start + state.searched)
    while (i < end) {
      const byte = bytes[i]
      if (byte === CR) {
        state.searched = i - start
        return i + 1 < end ? i : waitForLine
      }
      if (byte === 0) {
        state.searched = -1
        return noLine
      }
      i++
    }
    state.searched = i - start
    return noLine
  }

  private resume(bytes: Uint8Array, start: number, end: number, authenticated: boolean): number {
    const state = this.unfinished!
    this.needed = 0
    if (state.expected < 0) {
      const cr = this.lineEnd(state, bytes, start, start, end)
      if (cr === noLine && end - start > lineLimit) return this.fail("too big mbulk count string")
      if (cr < 0) return Parsed.more
      const count = parseCount(bytes, start + 1, cr)
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
        const cr = this.lineEnd(state, bytes, start, at, end)
        if (cr === noLine && end - at > lineLimit) return this.fail("too big bulk count string")
        if (cr < 0) return Parsed.more
        if (bytes[at] !== DOLLAR) return this.fail(`expected '$', got '${String.fromCharCode(bytes[at]!)}'`)
        const length = parseCount(bytes, at + 1, cr)
        if (length === undefined || length < 0 || length > this.limits.maxBulkBytes) {
          return this.fail("invalid bulk length")
        }
        if (length > unauthenticatedBulk && !authenticated) return this.fail("unauthenticated bulk length")
        state.bulk = length
        state.cursor = cr + 2 - start
        at = cr + 2
      }
      if (end - at < state.bulk + 2) {
        if (state.starts.length + 1 === state.expected) this.needed = state.cursor + state.bulk + 2
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
    // One byte at a time: a line is short, and a search for a NUL that is not there would read the whole chunk.
    let lf = start + this.searched
    let byte = 1
    while (lf < end && (byte = bytes[lf]!) !== LF && byte !== 0) lf++
    this.needed = 0
    if (lf === end || byte === 0) {
      this.searched = lf - start
      return end - start > lineLimit ? this.fail("too big inline request") : Parsed.more
    }
    this.searched = 0
    this.position = lf + 1
    const words = splitWords(bytes.subarray(start, lf > start && bytes[lf - 1] === CR ? lf - 1 : lf))
    if (words === undefined) return this.fail("unbalanced quotes in request")
    if (words.length === 0) return Parsed.empty
    for (let i = 0; i < words.length; i++) this.argv.put(i, words[i]!.bytes, words[i]!.start, words[i]!.length)
    this.argv.length = words.length
    return Parsed.request
  }
}

const noLine = -1
const waitForLine = -2

/** A 64-bit decimal count as the protocol has it: an optional minus, no plus, no leading zeros, no spaces. */
const parseCount = (bytes: Uint8Array, start: number, end: number): number | undefined => {
  if (end - start > 20) return undefined
  const text = Buffer.from(bytes.buffer, bytes.byteOffset + start, end - start).toString("latin1")
  if (!/^(0|-?[1-9]\d*)$/.test(text)) return undefined
  const value = BigInt(text)
  return BigInt.asIntN(64, value) === value ? Number(value) : undefined
}
