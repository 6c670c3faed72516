/**
 * What a replica and its primary say to each other. The replica connects like any client, over RESP: AUTH where it has to,
 * PING, `REPLCONF listening-port …`, and then
 *
 *     LOG.FOLLOW <store id> <lsn> <sequence> <lsn of its newest segment>:<crc32 of that segment's header> <epochs> <crc32>
 *
 * where epochs are `number:replication id:lsn`, joined by commas, and the crc32 is that of the words before, joined by
 * blanks: a damaged word must not look like another history. A replica with an empty log says `-` for its segment. The
 * primary answers with one line, its last word again a crc32:
 *
 *     +CONTINUE <lsn>                       the stream begins at the replica's end
 *     +REWIND <lsn>                         up to there both are the same: the replica cuts its log and asks again
 *     +FULL <bytes> <sequence> <lsn> <store id> <epochs> <keys>
 *                                           so many bytes of a checkpoint of this sequence (none when 0), then the stream
 *                                           from the beginning of a segment; the replica has the checkpoint's data at lsn.
 *                                           -1 bytes: it is still being made and comes as records of the stream. How
 *                                           many keys it holds is said as `database:keys`, joined by commas, `-` for none
 *
 * The stream consists of records of five kinds, told apart by their first two bytes: the headers of segments, 128 bytes,
 * as they stand in the files; frames; messages (messages.ts); pieces of a checkpoint that is being made, sent only to who
 * has said `REPLCONF capa pieces`, each behind 16 bytes:
 *
 *      0  4  'E' 'C' 'P' '1'      4  4  flags: 1 the last one      8  4  length of the piece      12  4  crc32 of bytes 0–11
 *
 * and signs of life, 48 bytes:
 *
 *      0  4  'E' 'K' 'A' '1'      4  4  flags: 1 the replica is asked to answer at once
 *      8  8  lsn of the stream here           16  8  lsn of the primary's end           24  8  its sequence
 *     32  8  its clock, unix ms               40  4  zeros                              44  4  crc32 of bytes 0–43
 *
 * The replica answers with `REPLCONF ACK <lsn it has> FACK <lsn it has synced>`, once a second, when asked, and after
 * what it has caught up with; nothing is replied to that.
 */
import { crc32 } from "node:zlib"
import type { PublishedTo } from "../commands/pubsub/subscriptions.ts"
import { get32, get64, put32, put64 } from "../log/frame.ts"
import { bodyIntact, FrameHeader, frameHeaderSize, readFrameHeader } from "../log/frame.ts"
import { type Epoch, parseEpochs, printEpochs } from "../log/lineage.ts"
import type { LogPosition } from "../log/mirror.ts"
import { segmentHeaderSize } from "../log/segment.ts"
import type { KeyCount } from "../projections/checkpoint-load.ts"
import { Slice } from "../projections/memory/slice.ts"
import { messageHeaderSize, readMessageHeader } from "./messages.ts"

/** The other side sent what makes no sense: damaged on its way, or not of this protocol. */
export class StreamDamaged extends Error {
  override readonly name = "StreamDamaged"
}

const sumOf = (words: ReadonlyArray<string>): string => crc32(words.join(" ")).toString(16).padStart(8, "0")

/** Words with their checksum as the last one. */
export const summed = (words: ReadonlyArray<string>): ReadonlyArray<string> => [...words, sumOf(words)]

/** The words before the checksum; undefined when it does not fit. */
const unsummed = (words: ReadonlyArray<string>): ReadonlyArray<string> | undefined => {
  const rest = words.slice(0, -1)
  return words.length > 0 && sumOf(rest) === words.at(-1) ? rest : undefined
}

const isId = (word: string | undefined): word is string => word !== undefined && /^[0-9a-f]{32}$/.test(word)
const count = (word: string | undefined): number =>
  word !== undefined && /^\d{1,16}$/.test(word) && Number.isSafeInteger(Number(word)) ? Number(word) : -1

/** What a replica says of its log. */
export interface FollowRequest {
  readonly storeId: string
  readonly lsn: number
  readonly sequence: number
  /** Undefined where the log is empty. */
  readonly segment: { readonly lsn: number; readonly sum: number } | undefined
  readonly epochs: ReadonlyArray<Epoch>
}

/** The words of the request, after the command's name. `empty`: the log holds nothing worth keeping. */
export const printFollow = (position: LogPosition, empty: boolean): ReadonlyArray<string> =>
  summed([
    position.storeId,
    `${position.lsn}`,
    `${position.sequence}`,
    empty ? "-" : `${position.segmentLsn}:${position.segmentSum}`,
    printEpochs(position.epochs)
  ])

/** Reads the words of the request; undefined when they are damaged. */
export const parseFollow = (words: ReadonlyArray<string>): FollowRequest | undefined => {
  const [storeId, lsn, sequence, segment = "", epochs = ""] = unsummed(words) ?? []
  const place = /^(\d{1,16}):(\d{1,10})$/.exec(segment)
  const parsed = parseEpochs(epochs)
  if (!isId(storeId) || count(lsn) < 0 || count(sequence) < 0 || parsed === undefined) return undefined
  if (place === null && segment !== "-") return undefined
  return {
    storeId,
    lsn: count(lsn),
    sequence: count(sequence),
    segment: place === null ? undefined : { lsn: Number(place[1]), sum: Number(place[2]) },
    epochs: parsed
  }
}

/** What a primary answers to that. */
export type FollowAnswer =
  | { readonly kind: "continue"; readonly lsn: number }
  | { readonly kind: "rewind"; readonly lsn: number }
  | {
    readonly kind: "full"
    /** Of the checkpoint; 0 for none, -1 when it comes in pieces. */
    readonly bytes: number
    /** How many keys the databases hold; empty where that is not said. */
    readonly counts: ReadonlyArray<KeyCount>
    readonly sequence: number
    readonly lsn: number
    readonly storeId: string
    readonly epochs: ReadonlyArray<Epoch>
  }

const printCounts = (counts: ReadonlyArray<KeyCount>): string =>
  counts.map(({ keys, number }) => `${number}:${keys}`).join(",") || "-"

const parseCounts = (text: string): ReadonlyArray<KeyCount> =>
  text.split(",").flatMap((word) => {
    const [number, keys] = word.split(":").map(count)
    return number === undefined || keys === undefined || number < 0 || keys < 0 ? [] : [{ number, keys }]
  })

/** The answer as a line, without its end. */
export const printAnswer = (answer: FollowAnswer): string => {
  const words = answer.kind === "full"
    ? [
      "FULL",
      `${answer.bytes}`,
      `${answer.sequence}`,
      `${answer.lsn}`,
      answer.storeId,
      printEpochs(answer.epochs),
      printCounts(answer.counts)
    ]
    : [answer.kind.toUpperCase(), `${answer.lsn}`]
  return `+${summed(words).join(" ")}`
}

/** Reads such a line; undefined when it is none or damaged. */
export const parseAnswer = (line: string): FollowAnswer | undefined => {
  const words = line.startsWith("+") ? unsummed(line.slice(1).split(" ")) : undefined
  if (words === undefined) return undefined
  const place = count(words[1])
  if (place < 0 && words[1] !== "-1") return undefined
  if (words[0] === "CONTINUE" && words.length === 2 && place >= 0) return { kind: "continue", lsn: place }
  if (words[0] === "REWIND" && words.length === 2 && place >= 0) return { kind: "rewind", lsn: place }
  const [kind, , sequence, lsn, storeId, epochs = "", counts = "-"] = words
  const parsed = parseEpochs(epochs)
  if (kind !== "FULL" || !isId(storeId) || parsed === undefined) return undefined
  if (count(sequence) < 0 || count(lsn) < 0) return undefined
  return {
    kind: "full",
    bytes: place,
    sequence: count(sequence),
    lsn: count(lsn),
    storeId,
    epochs: parsed,
    counts: parseCounts(counts)
  }
}

/** A sign of life. */
export interface KeepAlive {
  /** The replica is asked to say at once how far it is. */
  readonly wantsAck: boolean
  /** Of the stream at this point. */
  readonly lsn: number
  /** Of the primary's log. */
  readonly end: number
  readonly sequence: number
  /** The primary's clock, unix ms. */
  readonly time: number
}

/** Bytes of a sign of life. */
export const keepAliveSize = 48

export const encodeKeepAlive = ({ end, lsn, sequence, time, wantsAck }: KeepAlive): Uint8Array => {
  const bytes = new Uint8Array(keepAliveSize)
  bytes.set([0x45, 0x4b, 0x41, 0x31])
  put32(bytes, 4, wantsAck ? 1 : 0)
  put64(bytes, 8, lsn)
  put64(bytes, 16, end)
  put64(bytes, 24, sequence)
  put64(bytes, 32, time)
  put32(bytes, 44, crc32(bytes.subarray(0, 44)))
  return bytes
}

/** Bytes before a piece of a checkpoint. */
export const pieceHeaderSize = 16

/** Writes what stands before a piece of so many bytes to the beginning of `into`. */
export const writePieceHeader = (into: Uint8Array, length: number, last: boolean): void => {
  into.set([0x45, 0x43, 0x50, 0x31])
  put32(into, 4, last ? 1 : 0)
  put32(into, 8, length)
  put32(into, 12, crc32(into.subarray(0, 12)))
}

/** What the replica does with what comes. Any of these may throw; the reader is not used any more then. */
export interface StreamHandler {
  /** A line of the conversation before the stream. What follows is read as what `reader.mode` says then. */
  line(text: string): void
  /** Bytes of a checkpoint. */
  checkpoint(bytes: Uint8Array, start: number, length: number): void
  /** All bytes of the checkpoint were there. */
  checkpointEnd(): void
  segment(header: Uint8Array): void
  /** A whole frame whose checksums fit. False: not now, it is offered again by the next `resume`. */
  frame(bytes: Uint8Array, at: number, header: FrameHeader): boolean
  /** A published message whose checksums fit. False as with frames. */
  message(to: PublishedTo, channel: Slice, text: Slice, time: number): boolean
  keepAlive(sign: KeepAlive): void
}

/** No line of the conversation is longer: a list of some ten thousand epochs fits. */
const longestLine = 1 << 20

/** Room for what waits; what a very long frame needed is given back after it. */
const [idleBytes, largestIdle] = [64 << 10, 4 << 20]

/** Takes the bytes of a link apart, wherever they are split. */
export class StreamReader {
  mode: "lines" | "stream" = "lines"
  /** Bytes of a checkpoint, or of a piece of it, that come before the stream. */
  checkpointLeft = 0
  /** A checkpoint comes in pieces, of which more are to come after this one. */
  inPieces = false
  /** What comes waits until `resume` is called without this. */
  paused = false
  private readonly handler: StreamHandler
  private readonly header = new FrameHeader()
  private readonly channel = new Slice()
  private readonly text = new Slice()
  private bytes = new Uint8Array(idleBytes)
  private start = 0
  private end = 0

  constructor(handler: StreamHandler) {
    this.handler = handler
  }

  /** Bytes that wait. */
  get waiting(): number {
    return this.end - this.start
  }

  /** Takes bytes in. Throws `StreamDamaged`, and what the handler throws. */
  push(bytes: Uint8Array, length: number): void {
    let from = 0
    if (this.checkpointLeft > 0 && this.waiting === 0 && !this.paused) from = this.pass(bytes, 0, length)
    if (from === length) return
    this.append(bytes, from, length)
    this.resume()
  }

  /** Goes on with what waits. */
  resume(): void {
    while (this.waiting > 0 && !this.paused && this.step());
    if (this.start !== this.end) return
    this.start = this.end = 0
    if (this.bytes.length > largestIdle) this.bytes = new Uint8Array(idleBytes)
  }

  private pass(bytes: Uint8Array, start: number, end: number): number {
    const length = Math.min(this.checkpointLeft, end - start)
    this.handler.checkpoint(bytes, start, length)
    this.checkpointLeft -= length
    if (this.checkpointLeft === 0 && !this.inPieces) this.handler.checkpointEnd()
    return start + length
  }

  private append(bytes: Uint8Array, from: number, to: number): void {
    const length = to - from
    if (this.end + length > this.bytes.length) {
      const waiting = this.waiting
      if (waiting + length > this.bytes.length) this.grow(waiting + length)
      else this.bytes.copyWithin(0, this.start, this.end)
      this.start = 0
      this.end = waiting
    }
    this.bytes.set(bytes.subarray(from, to), this.end)
    this.end += length
  }

  private grow(needed: number): void {
    const grown = new Uint8Array(Math.max(needed, 2 * this.bytes.length))
    grown.set(this.bytes.subarray(this.start, this.end))
    this.bytes = grown
  }

  /** One line, record or piece of a checkpoint; false when more bytes are needed, or the handler has to wait. */
  private step(): boolean {
    if (this.checkpointLeft > 0) {
      this.start = this.pass(this.bytes, this.start, this.end)
      return true
    }
    if (this.mode === "lines") return this.line()
    const first = this.bytes[this.start]!
    if (first === 0x89) return this.segment()
    if (first !== 0x45) throw new StreamDamaged(`byte ${first} where a record should begin`)
    if (this.waiting < 2) return false
    const second = this.bytes[this.start + 1]
    if (second === 0x43) return this.piece()
    return second === 0x4b ? this.keepAlive() : second === 0x4d ? this.message() : this.frame()
  }

  private line(): boolean {
    const at = this.bytes.subarray(this.start, this.end).indexOf(10)
    if (at < 0) {
      if (this.waiting > longestLine) throw new StreamDamaged("a line without an end")
      return false
    }
    const text = Buffer.from(this.bytes.subarray(this.start, this.start + at)).toString("latin1")
    this.start += at + 1
    this.handler.line(text.replace(/\r$/, ""))
    return true
  }

  private segment(): boolean {
    if (this.waiting < segmentHeaderSize) return false
    const header = this.bytes.slice(this.start, this.start + segmentHeaderSize)
    this.start += segmentHeaderSize
    this.handler.segment(header)
    return true
  }

  private keepAlive(): boolean {
    if (this.waiting < keepAliveSize) return false
    const { bytes, start } = this
    if (crc32(bytes.subarray(start, start + 44)) !== get32(bytes, start + 44)) {
      throw new StreamDamaged("a sign of life with a wrong checksum")
    }
    this.start += keepAliveSize
    this.handler.keepAlive({
      wantsAck: (get32(bytes, start + 4) & 1) !== 0,
      lsn: get64(bytes, start + 8),
      end: get64(bytes, start + 16),
      sequence: get64(bytes, start + 24),
      time: get64(bytes, start + 32)
    })
    return true
  }

  /** What stands before a piece of a checkpoint. */
  private piece(): boolean {
    if (this.waiting < pieceHeaderSize) return false
    const { bytes, start } = this
    const intact = crc32(bytes.subarray(start, start + 12)) === get32(bytes, start + 12)
    if (!intact || !this.inPieces) throw new StreamDamaged("a piece of a checkpoint that nobody expects")
    this.start += pieceHeaderSize
    this.inPieces = (get32(bytes, start + 4) & 1) === 0
    this.checkpointLeft = get32(bytes, start + 8)
    if (this.checkpointLeft === 0 && !this.inPieces) this.handler.checkpointEnd()
    return true
  }

  private message(): boolean {
    if (this.waiting < messageHeaderSize) return false
    const header = readMessageHeader(this.bytes, this.start)
    if (header === undefined) throw new StreamDamaged("a message with a wrong header")
    const { channelLength, sum, textLength, time, to } = header
    const length = messageHeaderSize + channelLength + textLength
    if (!this.whole(length)) return false
    const { bytes, channel, start, text } = this
    const body = start + messageHeaderSize
    if (crc32(bytes.subarray(body, start + length)) !== sum) throw new StreamDamaged("a message with a wrong checksum")
    channel.set(bytes, body, channelLength)
    text.set(bytes, body + channelLength, textLength)
    if (!this.handler.message(to, channel, text, time)) return false
    this.start += length
    return true
  }

  /** Whether a record of this length is here; makes room for it where it is not. */
  private whole(length: number): boolean {
    if (this.waiting >= length) return true
    if (length > this.bytes.length) {
      this.grow(length)
      this.end -= this.start
      this.start = 0
    }
    return false
  }

  private frame(): boolean {
    if (this.waiting < frameHeaderSize) return false
    const { bytes, header, start } = this
    const wrong = readFrameHeader(bytes, start, header)
    if (wrong !== undefined) throw new StreamDamaged(wrong)
    if (!this.whole(header.length)) return false
    if (!bodyIntact(bytes, start, header.length)) throw new StreamDamaged("frame body checksum")
    if (!this.handler.frame(bytes, start, header)) return false
    this.start += header.length
    return true
  }
}
