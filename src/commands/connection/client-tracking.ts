/**
 * CLIENT TRACKING and what belongs to it. The server keeps no record of what clients have read, so switching tracking on
 * is refused, after the checks Redis makes; switching it off, and the questions about it, are answered as in Redis.
 */
import { MapReply, ok, ReplyError, SetReply } from "../../net/resp/reply.ts"
import { int64, isWord, word } from "../arguments.ts"
import { type Argv, defineControl } from "../define.ts"
import { errors } from "../errors.ts"
import type { ClientsPort } from "../ports.ts"

const own = ["noscript", "loading", "stale"] as const
const facts = { group: "connection", flags: own, complexity: "O(1)" } as const

const unsupported = new ReplyError("ERR client-side caching is not supported by this server: tracking stays off")
const noRedirectTarget = new ReplyError("ERR The client ID you want redirect to does not exist")
const prefixNeedsBcast = new ReplyError("ERR PREFIX option requires BCAST mode to be enabled")
const optWithBcast = new ReplyError("ERR OPTIN and OPTOUT are not compatible with BCAST")
const bothOpts = new ReplyError("ERR You can't specify both OPTIN mode and OPTOUT mode")
const redirectTwice = new ReplyError("ERR A client can only redirect to a single other client")
const cachingNeedsTracking = new ReplyError(
  "ERR CLIENT CACHING can be called only when the client is in tracking mode with OPTIN or OPTOUT mode enabled"
)

/** Reads the options as Redis does; refuses what it refuses while reading. */
const readOptions = (clients: ClientsPort, argv: Argv): ReadonlySet<string> => {
  const given = new Set<string>()
  for (let i = 3; i < argv.length; i++) {
    const option = word(argv.at(i))
    const more = i + 1 < argv.length
    if (option === "REDIRECT" && more) {
      if (given.has(option)) throw redirectTwice
      const id = int64(argv.at(++i))
      if (typeof id !== "number" || clients.byId(id) === undefined) throw noRedirectTarget
    } else if (option === "PREFIX" && more) i++
    else if (!["BCAST", "OPTIN", "OPTOUT", "NOLOOP"].includes(option)) throw errors.syntax
    given.add(option)
  }
  return given
}

export const tracking = defineControl({
  ...facts,
  name: "TRACKING",
  since: "6.0.0",
  summary: "Would tell the client when keys it has read change; only OFF is possible.",
  complexity: "O(1)",
  syntax: "<status: ON | OFF> [REDIRECT client-id] [PREFIX prefix] ... [BCAST] [OPTIN] [OPTOUT] [NOLOOP]",
  arity: -3,
  run: ({ clients }, argv) => {
    const given = readOptions(clients, argv)
    if (isWord(argv.at(2), "OFF")) return ok
    if (!isWord(argv.at(2), "ON")) throw errors.syntax
    if (!given.has("BCAST") && given.has("PREFIX")) throw prefixNeedsBcast
    if (given.has("OPTIN") && given.has("OPTOUT")) throw bothOpts
    if (given.has("BCAST") && (given.has("OPTIN") || given.has("OPTOUT"))) throw optWithBcast
    throw unsupported
  }
})

export const caching = defineControl({
  ...facts,
  name: "CACHING",
  since: "6.0.0",
  summary: "Refused: tracking is never on.",
  syntax: "<mode: YES | NO>",
  arity: 3,
  run: () => {
    throw cachingNeedsTracking
  }
})

export const getRedir = defineControl({
  ...facts,
  name: "GETREDIR",
  since: "6.0.0",
  summary: "Answers -1: tracking is off.",
  syntax: "",
  arity: 2,
  run: () => -1
})

export const trackingInfo = defineControl({
  ...facts,
  name: "TRACKINGINFO",
  since: "6.2.0",
  summary: "Answers that tracking is off.",
  syntax: "",
  arity: 2,
  run: () => new MapReply([["flags", new SetReply(["off"])], ["redirect", -1], ["prefixes", []]])
})
