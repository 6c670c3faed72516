/** Messages to many connections: encoded once for each protocol that somebody speaks, then only copied or shared. */
import { copyBytes, type Slice } from "../../projections/memory/slice.ts"
import { sharedBytes, writeDigits } from "./encoder.ts"

/** The first words of a message and how many come after them. */
export interface MessageKind {
  readonly head: Uint8Array
}

/** A kind of message: its first word, and the number of its words. */
export const messageKind = (word: string, words: number): MessageKind => ({
  head: Buffer.from(`*${words}\r\n$${word.length}\r\n${word}\r\n`)
})

const push = 62 // >
/** A length's digits, type byte and line ends, at most. */
const overhead = 16

/** What is pushed to connections that did not ask for it now. The bytes are never written to again. */
export class Message {
  private readonly resp2: Uint8Array
  private resp3: Uint8Array | undefined = undefined

  constructor(kind: MessageKind, ...words: ReadonlyArray<Slice>) {
    this.resp2 = encode(kind.head, words)
  }

  /** As an array for RESP2, as a push for RESP3. */
  bytes(protocol: number): Uint8Array {
    if (protocol !== 3) return this.resp2
    if (this.resp3 === undefined) {
      const { length } = this.resp2
      this.resp3 = sharedBytes(length)
      copyBytes(this.resp3, 0, this.resp2, 0, length)
      this.resp3[0] = push
    }
    return this.resp3
  }
}

const encode = (head: Uint8Array, words: ReadonlyArray<Slice>): Uint8Array => {
  let length = head.length
  for (let i = 0; i < words.length; i++) length += words[i]!.length + overhead
  const room = sharedBytes(length)
  copyBytes(room, 0, head, 0, head.length)
  let at = head.length
  for (let i = 0; i < words.length; i++) {
    const word = words[i]!
    room[at++] = 36 // $
    at = writeDigits(room, at, word.length)
    room[at++] = 13
    room[at++] = 10
    copyBytes(room, at, word.bytes, word.start, word.length)
    at += word.length
    room[at++] = 13
    room[at++] = 10
  }
  return room.subarray(0, at)
}
