/** SLOWLOG's memory: the last commands that took long, as text, in a ring of bounded length. */
import type { ClientState } from "../client.ts"
import type { Argv } from "../define.ts"
import { isSecret, redacted } from "../redaction.ts"

/** Most words of a request that are kept, and most bytes of each; as in Redis. */
const keptWords = 32
const keptBytes = 128

/** One command that took long. */
export interface SlowEntry {
  readonly id: number
  /** Unix seconds. */
  readonly time: number
  readonly micros: number
  readonly words: ReadonlyArray<Uint8Array>
  readonly address: string
  readonly name: string
}

const text = (value: string): Uint8Array => Buffer.from(value, "latin1")

const shortened = (argv: Argv, index: number): Uint8Array => {
  const word = argv.at(index)
  if (word.length <= keptBytes) return word.toBytes()
  return Buffer.concat([
    word.bytes.subarray(word.start, word.start + keptBytes),
    text(`... (${word.length - keptBytes} more bytes)`)
  ])
}

/** The words of a request as the slow log keeps them: cut to a bounded size, without secrets. */
export const keptArguments = (name: string, argv: Argv): ReadonlyArray<Uint8Array> => {
  const words: Array<Uint8Array> = []
  const count = Math.min(argv.length, keptWords)
  for (let i = 0; i < count; i++) {
    if (i === keptWords - 1 && argv.length > keptWords) {
      words.push(text(`... (${argv.length - keptWords + 1} more arguments)`))
    } else words.push(isSecret(name, argv, i) ? text(redacted) : shortened(argv, i))
  }
  return words
}

/** What stands for arguments that had been overwritten by the next request when the time was taken. */
const lost = "... (arguments no longer at hand)"

/** See the head of this file. Newest last. */
export class SlowLog {
  private entries: Array<SlowEntry> = []
  private nextId = 0

  get length(): number {
    return this.entries.length
  }

  /** Adds a command; `argv` is undefined when only its name is still known. */
  add(
    name: string,
    argv: Argv | undefined,
    client: ClientState,
    timeMs: number,
    micros: number,
    limit: number
  ): void {
    this.entries.push({
      id: this.nextId++,
      time: Math.floor(timeMs / 1000),
      micros: Math.round(micros),
      words: argv === undefined ? [...name.split("|").map(text), text(lost)] : keptArguments(name, argv),
      address: client.address,
      name: client.name
    })
    if (this.entries.length > limit) this.entries = this.entries.slice(this.entries.length - limit)
  }

  /** The newest entries, newest first. */
  newest(count: number): ReadonlyArray<SlowEntry> {
    return count <= 0 ? [] : this.entries.slice(-count).reverse()
  }

  reset(): void {
    this.entries = []
  }
}
