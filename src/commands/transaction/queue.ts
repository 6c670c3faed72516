/** What a connection has asked for between MULTI and EXEC. */
import { copyBytes, Slice } from "../../projections/memory/slice.ts"
import type { Argv } from "../define.ts"
import type { Row } from "../table.ts"

const firstChunkBytes = 512
const largestChunkBytes = 64 * 1024

/** A request that waits for EXEC, its words copied: they outlive the socket's chunk. */
export class QueuedRequest implements Argv {
  readonly row: Row
  /** The buffer that all words lie in. */
  readonly bytes: Uint8Array
  private readonly words: ReadonlyArray<Slice>

  constructor(row: Row, bytes: Uint8Array, words: ReadonlyArray<Slice>) {
    this.row = row
    this.bytes = bytes
    this.words = words
  }

  get length(): number {
    return this.words.length
  }

  at(index: number): Slice {
    return this.words[index]!
  }
}

/** A copy of a request with a buffer of its own. */
export const copyRequest = (row: Row, argv: Argv): QueuedRequest => {
  let length = 0
  for (let i = 0; i < argv.length; i++) length += argv.at(i).length
  const bytes = new Uint8Array(length)
  return new QueuedRequest(row, bytes, copyWords(argv, bytes, 0))
}

/** Copies the words of a request into `bytes`, from `at` on. */
const copyWords = (argv: Argv, bytes: Uint8Array, at: number): Array<Slice> => {
  const words: Array<Slice> = []
  for (let i = 0; i < argv.length; i++) {
    const word = argv.at(i)
    copyBytes(bytes, at, word.bytes, word.start, word.length)
    words.push(new Slice(bytes, at, word.length))
    at += word.length
  }
  return words
}

/** An open transaction of one connection. */
export class Transaction {
  readonly requests: Array<QueuedRequest> = []
  /** Bytes of the queued words; CLIENT LIST's multi-mem, and counted toward client-query-buffer-limit. */
  bytes = 0
  /** A request was refused instead of queued: EXEC will answer EXECABORT. */
  refused = false
  /** Whether one failing command takes everything back (`multi-on-error abort`), as it was when MULTI came. */
  readonly rollsBack: boolean
  /** What the queued commands are, together: EXEC is refused where one of them would be. */
  writes = false
  deniesOom = false
  mayReplicate = false

  private first: Uint8Array | undefined = undefined
  private chunk: Uint8Array = none
  private used = 0

  constructor(rollsBack: boolean) {
    this.rollsBack = rollsBack
  }

  /** Copies a request to the end of the queue. */
  add(row: Row, argv: Argv): void {
    const count = argv.length
    let length = 0
    for (let i = 0; i < count; i++) length += argv.at(i).length
    const bytes = this.room(length)
    const words = copyWords(argv, bytes, this.used)
    this.used += length
    this.bytes += length
    this.requests.push(new QueuedRequest(row, bytes, words))
    this.writes ||= row.write
    this.deniesOom ||= row.denyOom
    this.mayReplicate ||= row.mayReplicate
  }

  /** Nobody looks at the words any more. */
  release(): void {
    if (this.first !== undefined && spareChunks.length < mostSpareChunks) spareChunks.push(this.first)
    this.first = undefined
    this.chunk = none
  }

  /** A chunk with that much room after `used`; short requests share one. */
  private room(length: number): Uint8Array {
    if (this.chunk.length - this.used >= length) return this.chunk
    this.used = 0
    if (this.first === undefined && length <= firstChunkBytes) {
      return this.chunk = this.first = spareChunks.pop() ?? Buffer.allocUnsafeSlow(firstChunkBytes)
    }
    const usual = Math.min(Math.max(firstChunkBytes, this.chunk.length * 2), largestChunkBytes)
    this.chunk = Buffer.allocUnsafeSlow(Math.max(usual, length))
    return this.chunk
  }
}

const none = new Uint8Array(0)

/** First chunks of transactions that are over: most need no other, and making one costs more than filling it. */
const spareChunks: Array<Uint8Array> = []
const mostSpareChunks = 256
