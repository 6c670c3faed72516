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
export interface Sendable {
  /** As a connection of that protocol gets it; nothing when it has no way to get it. */
  bytes(protocol: number): Uint8Array
}

/** A message of a channel. */
export class Message implements Sendable {
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

const nothing = new Uint8Array(0)
const pushHead = ">2\r\n$10\r\ninvalidate\r\n"
/** What a connection of RESP2 reads in its place: a message of the channel `__redis__:invalidate`. */
const messageHead = "*3\r\n$7\r\nmessage\r\n$20\r\n__redis__:invalidate\r\n"
const oneKey = Buffer.from(`${pushHead}*1\r\n`)

/** Tells a client that keys it may hold copies of have changed. */
export class Invalidation implements Sendable {
  private readonly push: Uint8Array
  private message: Uint8Array | undefined = undefined
  /** What follows the head for RESP2, where that differs. */
  private readonly bare: Uint8Array | undefined
  /** The same for a connection that another one has named to be told. */
  readonly redirected: Sendable

  constructor(push: Uint8Array, bare?: Uint8Array) {
    this.push = push
    this.bare = bare
    this.redirected = { bytes: (protocol) => protocol === 3 ? push : this.message ??= this.asMessage() }
  }

  /** RESP2 has no way to tell a client of something it has not asked for. */
  bytes(protocol: number): Uint8Array {
    return protocol === 3 ? this.push : nothing
  }

  private asMessage(): Uint8Array {
    const rest = this.bare ?? this.push.subarray(pushHead.length)
    const bytes = sharedBytes(messageHead.length + rest.length)
    bytes.set(Buffer.from(messageHead))
    bytes.set(rest, messageHead.length)
    return bytes
  }
}

/** These keys have changed. */
export const invalidation = (keys: ReadonlyArray<Slice>): Invalidation =>
  new Invalidation(encode(keys.length === 1 ? oneKey : Buffer.from(`${pushHead}*${keys.length}\r\n`), keys))

/** All keys there may be have changed. */
export const allInvalid = new Invalidation(Buffer.from(`${pushHead}_\r\n`), Buffer.from("$-1\r\n"))

/** The connection with this id, which was to be told of changes, is gone: who named it has to know. */
export const redirectBroken = (id: number): Sendable => {
  const bytes = Buffer.from(`>2\r\n$21\r\ntracking-redir-broken\r\n:${id}\r\n`)
  return { bytes: (protocol) => protocol === 3 ? bytes : nothing }
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
