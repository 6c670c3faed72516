import { isWord } from "../commands/arguments.ts"
import type { Arguments } from "./resp/parser.ts"

/** A browser tricked into talking to the server sends POST or a Host: header first. */
export const isCrossProtocol = (argv: Arguments): boolean => {
  const first = argv.at(0)
  const letter = first.bytes[first.start]! | 0x20
  return letter === 112 ? isWord(first, "POST") : letter === 104 && isWord(first, "HOST:")
}

/** What the log says of such a request. */
export const crossProtocolWarning = (address: string): string =>
  `Possible SECURITY ATTACK: an HTTP request came in from ${address}; the connection is closed.`
