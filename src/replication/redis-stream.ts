/**
 * What a Redis sends to one that follows it, taken apart wherever it is split: lines of the conversation, the RDB file,
 * and requests. The file comes as `$<bytes>` and so many bytes, or as `$EOF:<40 characters>`, bytes, and the same 40
 * characters, after which nothing comes until the follower has said that it has the file.
 */
import { Arguments, Parsed, RequestParser } from "../net/resp/parser.ts"
import { StreamDamaged } from "./protocol.ts"

const markBytes = 40
const newline = 10
const longestLine = 64 << 10
const firstBytes = 64 << 10
const maxBulkBytes = 0x2000_0000

/** What is done with what comes. */
export interface RedisStreamHandler {
  /** A line; `reader.mode` says what follows. Empty lines are signs of life. */
  line(text: string): void
  /** Bytes of the file; at its end `fileEnd` is called, with how many of the bytes do not belong to it. */
  file(bytes: Uint8Array, start: number, length: number): void
  fileEnd(surplus: number): void
  /** A request, `bytes` long; its words are valid until this returns. */
  request(argv: Arguments, bytes: number): void
}

/** See the head of this file. */
export class RedisStreamReader {
  mode: "lines" | "file" | "stream" = "lines"
  /** What comes waits until `resume` is called without this. */
  paused = false
  private readonly handler: RedisStreamHandler
  private readonly argv = new Arguments()
  private readonly parser: RequestParser
  private bytes = Buffer.alloc(firstBytes)
  private start = 0
  private end = 0
  /** Bytes of the file that are to come; -1 where the mark ends it. */
  private left = 0
  private mark = Buffer.alloc(0)
  /** The last bytes of the file so far. */
  private tail = Buffer.alloc(0)

  constructor(handler: RedisStreamHandler) {
    this.handler = handler
    this.parser = new RequestParser(this.argv, { maxBulkBytes })
  }

  /** The line that announces a file was read: `$…` without its first character. */
  expectFile(words: string): number {
    this.mode = "file"
    this.tail = Buffer.alloc(0)
    if (words.startsWith("EOF:") && words.length === 4 + markBytes) {
      this.mark = Buffer.from(words.slice(4), "latin1")
      this.left = -1
      return 0
    }
    if (!/^\d{1,15}$/.test(words)) throw new StreamDamaged(`a file that is announced as '${words.slice(0, 60)}'`)
    this.left = Number(words)
    if (this.left === 0) throw new StreamDamaged("an empty file")
    return this.left
  }

  /** Takes bytes in. Throws `StreamDamaged`, and what the handler throws. */
  push(bytes: Uint8Array, length: number): void {
    if (this.end + length > this.bytes.length) {
      const waiting = this.end - this.start
      if (waiting + length > this.bytes.length) {
        const grown = Buffer.alloc(Math.max(waiting + length, 2 * this.bytes.length))
        this.bytes.copy(grown, 0, this.start, this.end)
        this.bytes = grown
      } else this.bytes.copyWithin(0, this.start, this.end)
      this.start = 0
      this.end = waiting
    }
    this.bytes.set(bytes.subarray(0, length), this.end)
    this.end += length
    this.resume()
  }

  /** Goes on with what waits. */
  resume(): void {
    while (this.start < this.end && !this.paused && this.step());
    if (this.start === this.end) this.start = this.end = 0
  }

  private step(): boolean {
    return this.mode === "lines" ? this.line() : this.mode === "file" ? this.file() : this.request()
  }

  private line(): boolean {
    const at = this.bytes.subarray(this.start, this.end).indexOf(newline)
    if (at < 0) {
      if (this.end - this.start > longestLine) throw new StreamDamaged("a line without an end")
      return false
    }
    const text = this.bytes.toString("latin1", this.start, this.start + at)
    this.start += at + 1
    this.handler.line(text.replace(/\r$/, ""))
    return true
  }

  private file(): boolean {
    const { bytes, start } = this
    const length = this.left < 0 ? this.end - start : Math.min(this.left, this.end - start)
    this.start += length
    this.handler.file(bytes, start, length)
    if (this.left >= 0) {
      this.left -= length
      if (this.left === 0) this.ended(0)
      return true
    }
    this.tail = Buffer.concat([this.tail, bytes.subarray(Math.max(start, start + length - markBytes), start + length)])
      .subarray(-markBytes)
    if (this.tail.equals(this.mark)) this.ended(markBytes)
    return true
  }

  private ended(surplus: number): void {
    this.mode = "stream"
    this.handler.fileEnd(surplus)
  }

  private request(): boolean {
    const { bytes, end, parser, start } = this
    if (bytes[start] === newline) { // a sign of life
      this.start++
      return true
    }
    switch (parser.parse(bytes, start, end, true)) {
      case Parsed.request:
        this.start = parser.position
        this.handler.request(this.argv, parser.position - start)
        return true
      case Parsed.more:
        return false
      case Parsed.empty:
        this.start = parser.position
        return true
      default:
        throw new StreamDamaged(`no request begins where one should: ${parser.error}`)
    }
  }
}
