/** Requests as the protocol of Redis has them, one after the other, in one buffer. */
import { Slice } from "../projections/memory/slice.ts"

/** A word of a request. */
export type Word = string | number | Slice | Uint8Array

const startBytes = 16 << 10
/** A larger buffer is not kept. */
const keptBytes = 1 << 20

/** See the head of this file. */
export class RequestBytes {
  bytes = Buffer.allocUnsafe(startBytes)
  length = 0

  private need(n: number): void {
    if (this.length + n <= this.bytes.length) return
    const next = Buffer.allocUnsafe(Math.max(2 * this.bytes.length, this.length + n))
    this.bytes.copy(next, 0, 0, this.length)
    this.bytes = next
  }

  private text(text: string): void {
    this.need(text.length)
    this.length += this.bytes.write(text, this.length, "latin1")
  }

  /** Begins a request of so many words, which have to follow. */
  begin(words: number): void {
    this.text(`*${words}\r\n`)
  }

  word(word: Word): void {
    if (word instanceof Slice) this.run(word.bytes, word.start, word.length)
    else if (word instanceof Uint8Array) this.run(word, 0, word.length)
    else {
      const text = String(word)
      this.text(`$${text.length}\r\n${text}\r\n`)
    }
  }

  private run(bytes: Uint8Array, start: number, length: number): void {
    this.text(`$${length}\r\n`)
    this.need(length + 2)
    this.bytes.set(bytes.subarray(start, start + length), this.length)
    this.length += length
    this.text("\r\n")
  }

  /** A whole request; texts are of Latin-1. */
  request(...words: ReadonlyArray<Word>): void {
    this.begin(words.length)
    for (const word of words) this.word(word)
  }

  /** Forgets everything. */
  clear(): void {
    this.length = 0
    if (this.bytes.length > keptBytes) this.bytes = Buffer.allocUnsafe(startBytes)
  }
}
