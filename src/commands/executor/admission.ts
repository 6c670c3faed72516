import type { LogUnavailable } from "../../log/event-log.ts"
import { ReplyError } from "../../net/resp/reply.ts"
import type { Slice } from "../../projections/memory/slice.ts"
import type { Argv } from "../define.ts"
import { refusalOf } from "./not-served.ts"

/** Redis shows at most this many characters of what it did not understand. */
const shown = 128

/** The beginning of a word as Redis prints it: a C string, at most so many bytes. */
const beginning = (word: Slice, limit: number): string => {
  let length = 0
  while (length < word.length && length < limit && word.bytes[word.start + length] !== 0) length++
  return Buffer.from(word.bytes.buffer, word.bytes.byteOffset + word.start, length).toString("latin1")
}

/**
 * "unknown command 'x', with args beginning with: 'a' 'b' ", cut where Redis cuts it; of commands that Redis has, why they
 * are not served.
 */
export const unknownCommand = (argv: Argv): ReplyError => {
  const name = beginning(argv.at(0), shown)
  const refusal = refusalOf(name)
  if (refusal !== undefined) return new ReplyError(refusal)
  let args = ""
  for (let i = 1; i < argv.length && args.length < shown; i++) {
    args += `'${beginning(argv.at(i), shown - args.length)}' `
  }
  return new ReplyError(
    `ERR unknown command '${name}', with args beginning with: ${args}`
  )
}

/** What a connection that monitors is told when it asks for data; the words are those of Redis 7.0. */
export const monitorOnly = new ReplyError("ERR Replica can't interact with the keyspace")

/** What a connection of RESP2 that has subscribed is told when it asks for anything else. */
export const notForSubscribers = (name: string): ReplyError =>
  new ReplyError(
    `ERR Can't execute '${name}': only (P|S)SUBSCRIBE / (P|S)UNSUBSCRIBE / PING / QUIT / RESET are allowed in this context`
  )

/** Writes are refused while the log cannot take them; the text says why. */
export const misconf = (failure: LogUnavailable): ReplyError =>
  new ReplyError(`MISCONF Errors writing to the AOF file: ${failure.reason}`)
