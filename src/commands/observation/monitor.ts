/** The line MONITOR shows of a command. */
import type { ClientState } from "../client.ts"
import type { Argv } from "../define.ts"
import { isSecret, redacted } from "../redaction.ts"

const escapes: Readonly<Record<number, string>> = {
  7: "\\a",
  8: "\\b",
  9: "\\t",
  10: "\\n",
  13: "\\r",
  34: "\\\"",
  92: "\\\\"
}

/** Bytes between double quotes: printable ASCII as it is, the rest escaped as in C. */
export const quoted = (bytes: Uint8Array, start: number, length: number): string => {
  let text = "\""
  for (let i = start; i < start + length; i++) {
    const byte = bytes[i]!
    const escape = escapes[byte]
    if (escape !== undefined) text += escape
    else if (byte >= 32 && byte < 127) text += String.fromCharCode(byte)
    else text += `\\x${byte.toString(16).padStart(2, "0")}`
  }
  return `${text}"`
}

/** Where a command came from as the line names it: "unix:" and the path for a Unix socket. */
const origin = ({ address }: ClientState): string => address.startsWith("/") ? `unix:${address.slice(0, -2)}` : address

/** `1339518083.107412 [0 127.0.0.1:60866] "keys" "*"` as a simple string. `micros` counts from 1970. */
export const monitorLine = (micros: number, client: ClientState, name: string, argv: Argv): Uint8Array => {
  const seconds = Math.floor(micros / 1_000_000)
  const fraction = String(Math.floor(micros % 1_000_000)).padStart(6, "0")
  let text = `+${seconds}.${fraction} [${client.db} ${origin(client)}]`
  for (let i = 0; i < argv.length; i++) {
    const word = argv.at(i)
    text += isSecret(name, argv, i) ? ` "${redacted}"` : ` ${quoted(word.bytes, word.start, word.length)}`
  }
  return Buffer.from(`${text}\r\n`, "latin1")
}
