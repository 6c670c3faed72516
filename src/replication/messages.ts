/**
 * Published messages on their way to replicas. They are in no log: what a turn publishes is gathered and sent behind the
 * frame of that turn, so that nobody hears of a write before the replica has it. Who is not there misses them, as
 * subscribers do.
 *
 * A message as a record of the stream (protocol.ts):
 *
 *      0  4  'E' 'M' 'S' '1'       4  4  kind: 1 of a channel (PUBLISH), 2 of a shard channel (SPUBLISH)
 *      8  4  length of the channel            12  4  length of the text         16  8  when, unix ms
 *     24  4  crc32 of channel and text        28  4  crc32 of bytes 0–27        32     channel, text
 */
import { crc32 } from "node:zlib"
import type { PublishedTo } from "../commands/pubsub/subscriptions.ts"
import { get32, get64, put32, put64 } from "../log/frame.ts"
import { copyBytes, type Slice } from "../projections/memory/slice.ts"

/** Bytes before the channel. */
export const messageHeaderSize = 32

/** What waits while the disk takes nothing; what is published beyond that is not passed on. */
const mostWaiting = 16 << 20
/** Room that is kept from turn to turn. */
const idleBytes = 64 << 10

/** What the header of a record says. */
export interface MessageHeader {
  readonly to: PublishedTo
  readonly channelLength: number
  readonly textLength: number
  readonly time: number
  readonly sum: number
}

/** Reads the header of a record at `at`; undefined when its checksum does not fit. */
export const readMessageHeader = (bytes: Uint8Array, at: number): MessageHeader | undefined => {
  if (get32(bytes, at + 28) !== crc32(bytes.subarray(at, at + 28))) return undefined
  return {
    to: get32(bytes, at + 4) === 2 ? "shard" : "channel",
    channelLength: get32(bytes, at + 8),
    textLength: get32(bytes, at + 12),
    time: get64(bytes, at + 16),
    sum: get32(bytes, at + 24)
  }
}

/** What passing on needs of the server. */
export interface MessagesHost {
  /** Runs something once what this turn appends is committed. */
  readonly afterCommit: (run: () => void) => void
  /** Whether the log's file has all that was appended. */
  readonly written: () => boolean
  readonly now: () => number
  /** To each replica, in order. */
  readonly send: (bytes: Uint8Array, length: number) => void
  readonly warn: (text: string) => void
}

/** See the head of this file. */
export class Messages {
  private readonly host: MessagesHost
  private bytes = new Uint8Array(idleBytes)
  private length = 0
  private dropping = false

  constructor(host: MessagesHost) {
    this.host = host
  }

  /** Takes a message along. */
  add(to: PublishedTo, channel: Slice, text: Slice): void {
    const { afterCommit, now, warn } = this.host
    const at = this.length
    const end = at + messageHeaderSize + channel.length + text.length
    if (at > 0 && end > mostWaiting) {
      if (!this.dropping) warn("messages are not passed on to replicas while the log cannot be written")
      this.dropping = true
      return
    }
    if (end > this.bytes.length) this.grow(end)
    const { bytes } = this
    const body = at + messageHeaderSize
    copyBytes(bytes, body, channel.bytes, channel.start, channel.length)
    copyBytes(bytes, body + channel.length, text.bytes, text.start, text.length)
    bytes.set([0x45, 0x4d, 0x53, 0x31], at)
    put32(bytes, at + 4, to === "shard" ? 2 : 1)
    put32(bytes, at + 8, channel.length)
    put32(bytes, at + 12, text.length)
    put64(bytes, at + 16, now())
    put32(bytes, at + 24, crc32(bytes.subarray(body, end)))
    put32(bytes, at + 28, crc32(bytes.subarray(at, at + 28)))
    this.length = end
    if (at === 0) afterCommit(() => this.flush())
  }

  /** Sends what waits, unless a frame that belongs before it is still to be written: then this is to be called again. */
  flush(): void {
    const { bytes, host, length } = this
    if (length === 0 || !host.written()) return
    this.length = 0
    this.dropping = false
    host.send(bytes, length)
    if (bytes.length > mostWaiting) this.bytes = new Uint8Array(idleBytes)
  }

  private grow(needed: number): void {
    const grown = new Uint8Array(Math.max(needed, 2 * this.bytes.length))
    grown.set(this.bytes.subarray(0, this.length))
    this.bytes = grown
  }
}
