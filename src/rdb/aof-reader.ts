/**
 * Reads append-only files of Redis: requests in the protocol of clients, between them lines that begin with `#` (times,
 * `#TS:<seconds>`), before them an RDB file in many.
 */
import { Arguments, Parsed, RequestParser } from "../net/resp/parser.ts"
import { BadFile, type ByteSource } from "./file-reader.ts"

/** Read at a time. */
const windowBytes = 1 << 20
/** A bulk string of Redis is not longer. */
const maxBulkBytes = 0x2000_0000
const star = 0x2a
const hash = 0x23
const newline = 10
/** A line that begins with `#` is not longer, the version of Redis that made it among it. */
const longestNote = 1024

/** Gets the requests of a file, one after the other. */
export class AofReader {
  readonly argv = new Arguments()
  private readonly source: ByteSource
  private readonly parser: RequestParser
  private bytes = new Uint8Array(windowBytes)
  /** Position of `bytes[0]` in the file. */
  private base: number
  private at = 0
  private end = 0

  constructor(source: ByteSource, position: number) {
    this.source = source
    this.base = position
    this.parser = new RequestParser(this.argv, { maxBulkBytes })
  }

  /** Where the next request begins, or the file ends. */
  get position(): number {
    return this.base + this.at
  }

  /**
   * Reads the next request into `argv`, whose words are valid until the next call; false at the end of the file.
   * @throws BadFile when something else stands there, or the request is not whole
   */
  next(): boolean {
    for (;;) {
      if (this.at === this.end && !this.more()) return false
      const first = this.bytes[this.at]!
      if (first === hash) this.passNote()
      else if (first !== star) throw new BadFile("no request begins here: the file is damaged", this.position)
      else return this.request()
    }
  }

  private request(): boolean {
    for (;;) {
      switch (this.parser.parse(this.bytes, this.at, this.end, true)) {
        case Parsed.request:
          this.at = this.parser.position
          return true
        case Parsed.empty:
          throw new BadFile("an empty request: the file is damaged", this.position)
        case Parsed.error:
          throw new BadFile(`no request begins here (${this.parser.error}): the file is damaged`, this.position)
      }
      if (!this.more()) throw truncated("the last request is not whole", this.position)
    }
  }

  private passNote(): void {
    for (;;) {
      const at = this.bytes.subarray(this.at, this.end).indexOf(newline)
      if (at >= 0) {
        this.at += at + 1
        return
      }
      if (this.end - this.at > longestNote) throw new BadFile("a note without an end", this.position)
      if (!this.more()) throw truncated("the last line is not whole", this.position)
    }
  }

  /** Reads on behind what is there; false at the end of the file. */
  private more(): boolean {
    const rest = this.end - this.at
    if (this.at > 0) {
      this.bytes.copyWithin(0, this.at, this.end)
      this.base += this.at
      this.at = 0
      this.end = rest
    }
    if (rest > this.bytes.length / 2) {
      const grown = new Uint8Array(2 * this.bytes.length)
      grown.set(this.bytes.subarray(0, rest))
      this.bytes = grown
    }
    const read = this.source.read(this.bytes, rest, this.bytes.length - rest, this.base + rest)
    this.end += read
    return read > 0
  }
}

/** The file ends too early; what is before `position` is whole. */
export const truncated = (problem: string, position: number): BadFile =>
  new BadFile(
    `${problem}: the file is cut short. To do without what comes from there on, cut a copy of it there `
      + `(redis-check-aof --fix does), and import that`,
    position
  )

/** A part of a multi-part file. */
export interface AofPart {
  readonly name: string
  readonly kind: "base" | "increment"
}

/** The parts a manifest names, in their order; throws an `Error` that says what is wrong with it. */
export const parseManifest = (text: string): ReadonlyArray<AofPart> => {
  const parts: Array<AofPart & { readonly sequence: number }> = []
  for (const [i, line] of text.split("\n").entries()) {
    if (line.trim() === "" || line.startsWith("#")) continue
    const found = /^file (?:"((?:[^"\\]|\\.)*)"|(\S+)) seq (\d+) type ([bhi])\s*$/.exec(line)
    if (found === null) throw new Error(`line ${i + 1} of the manifest makes no sense: ${line}`)
    const [, quoted, bare, sequence, type] = found
    const name = bare ?? quoted!.replace(/\\(["\\])/g, "$1")
    if (name.includes("/")) throw new Error(`line ${i + 1} of the manifest names a file elsewhere: ${name}`)
    if (type !== "h") parts.push({ name, kind: type === "b" ? "base" : "increment", sequence: Number(sequence) })
  }
  if (parts.filter(({ kind }) => kind === "base").length > 1) throw new Error("the manifest names two base files")
  const increments = parts.filter(({ kind }) => kind === "increment")
  if (increments.some((part, i) => i > 0 && part.sequence <= increments[i - 1]!.sequence)) {
    throw new Error("the increments in the manifest are not in order")
  }
  if (parts.length === 0) throw new Error("the manifest names no files")
  return [...parts.filter(({ kind }) => kind === "base"), ...increments]
}
