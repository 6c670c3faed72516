import { isWord } from "../commands/arguments.ts"
import type { Argv } from "../commands/define.ts"

/** A connection, as far as it has to be ended. */
interface Suspect {
  readonly client: { readonly address: string }
  readonly host: { readonly warn: (text: string) => void }
  kill(): void
}

/**
 * Whether a request that names no command comes from a browser tricked into talking to the server, which sends POST or a
 * Host: header first. Then the log tells of it, and the connection is closed.
 */
export const endsCrossProtocol = (argv: Argv, suspect: Suspect): boolean => {
  const first = argv.at(0)
  if (!isWord(first, "POST") && !isWord(first, "HOST:")) return false
  suspect.host.warn(
    `Possible SECURITY ATTACK: an HTTP request came in from ${suspect.client.address}; the connection is closed.`
  )
  suspect.kill()
  return true
}
