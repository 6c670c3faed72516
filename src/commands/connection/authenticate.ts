/** AUTH and HELLO: proving who one is and choosing the protocol. There is one user, "default". */
import { createHash, timingSafeEqual } from "node:crypto"
import { MapReply, ok, ReplyError } from "../../net/resp/reply.ts"
import { parseInt64Slice } from "../../projections/memory/integer.ts"
import type { Slice } from "../../projections/memory/slice.ts"
import { isWord, shown } from "../arguments.ts"
import { defineControl } from "../define.ts"
import { errors } from "../errors.ts"
import type { Control } from "../ports.ts"
import { checkName } from "./name.ts"

const wrongPassword = new ReplyError("WRONGPASS invalid username-password pair or user is disabled.")
const noPassword = new ReplyError(
  "ERR AUTH <password> called without any password configured for the default user. Are you sure your configuration is correct?"
)
const unsupportedProtocol = new ReplyError("NOPROTO unsupported protocol version")
const protocolNotInteger = new ReplyError("ERR Protocol version is not an integer or out of range")
const helloNeedsAuth = new ReplyError(
  "NOAUTH HELLO must be called with the client already authenticated, otherwise the HELLO AUTH <user> <pass> option can be used to authenticate the client and select the RESP protocol version at the same time"
)

const digest = (bytes: Uint8Array): Uint8Array => createHash("sha256").update(bytes).digest()

/** Compares over hashes of equal length: the time it takes says nothing about the password, not even its length. */
const samePassword = (given: Slice, password: string): boolean =>
  timingSafeEqual(digest(given.toBytes()), digest(Buffer.from(password, "utf8")))

/** Makes the client that user or refuses. Without a configured password every one is right, as in Redis. */
const authenticate = ({ client, config }: Control, user: Slice, given: Slice): void => {
  const password = config.get("requirepass")
  const right = password === "" || samePassword(given, password)
  if (user.latin1() !== "default" || !right) throw wrongPassword
  client.authenticated = true
  client.user = "default"
  client.changed()
}

export const auth = defineControl({
  name: "AUTH",
  since: "1.0.0",
  group: "connection",
  summary: "Proves to the server who the client is.",
  complexity: "O(N), N being the passwords of the user",
  syntax: "[username@6.0.0] password",
  history: [["6.0.0", "A user name may stand before the password."]],
  arity: -2,
  flags: ["noscript", "loading", "stale", "fast", "no_auth", "allow_busy"],
  run: (control, argv) => {
    if (argv.length > 3) throw errors.syntax
    if (argv.length === 2) {
      const password = control.config.get("requirepass")
      if (password === "") throw noPassword
      if (!samePassword(argv.at(1), password)) throw wrongPassword
      control.client.authenticated = true
      control.client.user = "default"
      control.client.changed()
      return ok
    }
    authenticate(control, argv.at(1), argv.at(2))
    return ok
  }
})

const protocolOf = (arg: Slice): 2 | 3 => {
  const version = parseInt64Slice(arg)
  if (version === undefined) throw protocolNotInteger
  if (version !== 2 && version !== 3) throw unsupportedProtocol
  return version
}

export const hello = defineControl({
  name: "HELLO",
  since: "6.0.0",
  group: "connection",
  summary: "Greets the server, chooses the protocol and may authenticate and name the connection.",
  complexity: "O(1)",
  syntax: "[arguments: protover [AUTH <username password>] [SETNAME clientname]]",
  history: [["6.2.0", "The protocol version may be left out; then nothing changes."]],
  arity: -1,
  flags: ["noscript", "loading", "stale", "fast", "no_auth", "allow_busy"],
  run: (control, argv) => {
    const { client, server } = control
    const protocol = argv.length > 1 ? protocolOf(argv.at(1)) : client.protocol
    for (let i = 2; i < argv.length; i++) {
      const more = argv.length - 1 - i
      if (isWord(argv.at(i), "AUTH") && more >= 2) {
        authenticate(control, argv.at(i + 1), argv.at(i + 2))
        i += 2
      } else if (isWord(argv.at(i), "SETNAME") && more >= 1) {
        client.name = checkName(argv.at(i + 1))
        client.changed()
        i++
      } else throw new ReplyError(`ERR Syntax error in HELLO option '${shown(argv.at(i))}'`)
    }
    if (!client.authenticated) throw helloNeedsAuth
    if (client.protocol !== protocol) {
      client.protocol = protocol
      client.changed()
    }
    return new MapReply([
      // Clients take this word as a promise of Redis's commands; INFO says whose implementation it is.
      ["server", "redis"],
      ["version", server.redisVersion],
      ["proto", protocol],
      ["id", client.clientId],
      ["mode", "standalone"],
      ["role", "master"],
      ["modules", []]
    ])
  }
})
