/** CLIENT TRACKING and what belongs to it; what tracking does is in tracking/. */
import { MapReply, ok, ReplyError, SetReply } from "../../net/resp/reply.ts"
import { compareSlices, Slice } from "../../projections/memory/slice.ts"
import { int64, isWord, shown, word } from "../arguments.ts"
import { type Argv, defineControl } from "../define.ts"
import { errors } from "../errors.ts"
import type { ClientsPort } from "../ports.ts"
import type { ClientTracking } from "../tracking/client-tracking.ts"

const own = ["noscript", "loading", "stale"] as const
const facts = { group: "connection", flags: own, complexity: "O(1)" } as const

const noRedirectTarget = new ReplyError("ERR The client ID you want redirect to does not exist")
const redirectTwice = new ReplyError("ERR A client can only redirect to a single other client")
const prefixNeedsBcast = new ReplyError("ERR PREFIX option requires BCAST mode to be enabled")
const otherMode = (what: string): ReplyError =>
  new ReplyError(
    `ERR You can't switch ${what} before disabling tracking for this client, and then re-enabling it with a different mode.`
  )
const otherBcast = otherMode("BCAST mode on/off")
const otherOpt = otherMode("OPTIN/OPTOUT mode")
const optWithBcast = new ReplyError("ERR OPTIN and OPTOUT are not compatible with BCAST")
const bothOpts = new ReplyError("ERR You can't specify both OPTIN mode and OPTOUT mode")
const cachingNeedsTracking = new ReplyError(
  "ERR CLIENT CACHING can be called only when the client is in tracking mode with OPTIN or OPTOUT mode enabled"
)
const cachingRefused = (answer: string, mode: string): ReplyError =>
  new ReplyError(`ERR CLIENT CACHING ${answer} is only valid when tracking is enabled in ${mode} mode.`)
const yesNeedsOptIn = cachingRefused("YES", "OPTIN")
const noNeedsOptOut = cachingRefused("NO", "OPTOUT")

const overlap = (prefix: Slice, other: string, prefixed: Slice): ReplyError =>
  new ReplyError(
    `ERR Prefix '${shown(prefix)}' overlaps with ${other} prefix '${shown(prefixed)}'. `
      + "Prefixes for a single client must not overlap."
  )

interface Options {
  readonly words: ReadonlySet<string>
  readonly prefixes: ReadonlyArray<Slice>
  readonly redirect: number
}

/** Reads the options as Redis does; refuses what it refuses while reading. */
const readOptions = (clients: ClientsPort, argv: Argv): Options => {
  const words = new Set<string>()
  const prefixes: Array<Slice> = []
  let redirect = 0
  for (let i = 3; i < argv.length; i++) {
    const option = word(argv.at(i))
    const more = i + 1 < argv.length
    if (option === "REDIRECT" && more) {
      if (redirect !== 0) throw redirectTwice
      const id = int64(argv.at(++i))
      if (typeof id !== "number" || clients.byId(id) === undefined) throw noRedirectTarget
      redirect = id
    } else if (option === "PREFIX" && more) prefixes.push(argv.at(++i))
    else if (!["BCAST", "OPTIN", "OPTOUT", "NOLOOP"].includes(option)) throw errors.syntax
    words.add(option)
  }
  return { words, prefixes, redirect }
}

/** Refuses modes that do not go together, or not with what is on already. */
const checkModes = ({ prefixes, words }: Options, before: ClientTracking | undefined): void => {
  const [bcast, optIn, optOut] = [words.has("BCAST"), words.has("OPTIN"), words.has("OPTOUT")]
  if (!bcast && prefixes.length > 0) throw prefixNeedsBcast
  if (before !== undefined && before.bcast !== bcast) throw otherBcast
  if (bcast && (optIn || optOut)) throw optWithBcast
  if (optIn && optOut) throw bothOpts
  if (before !== undefined && ((optIn && before.optOut) || (optOut && before.optIn))) throw otherOpt
}

const overlaps = (a: Slice, b: Slice): boolean => {
  const length = Math.min(a.length, b.length)
  return compareSlices(new Slice(a.bytes, a.start, length), new Slice(b.bytes, b.start, length)) === 0
}

/** Refuses prefixes such that one key would be told of twice. */
const checkPrefixes = (prefixes: ReadonlyArray<Slice>, before: ClientTracking | undefined): void => {
  const existing = before?.prefixes.map((name) => Slice.latin1(name)) ?? []
  for (const [i, prefix] of prefixes.entries()) {
    const old = existing.find((other) => overlaps(prefix, other))
    if (old !== undefined) throw overlap(prefix, "an existing", old)
    const other = prefixes.slice(i + 1).find((later) => overlaps(prefix, later))
    if (other !== undefined) throw overlap(prefix, "another provided", other)
  }
}

export const tracking = defineControl({
  ...facts,
  name: "TRACKING",
  since: "6.0.0",
  summary: "Has the server tell this connection, or another one, when keys it has read change.",
  complexity: "O(1); with PREFIX O(N*(N+M)), N being the prefixes given, M those there were",
  syntax: "<status: ON | OFF> [REDIRECT client-id] [PREFIX prefix] ... [BCAST] [OPTIN] [OPTOUT] [NOLOOP]",
  arity: -3,
  run: ({ client, clients, connection, tracking }, argv) => {
    const options = readOptions(clients, argv)
    if (isWord(argv.at(2), "OFF")) {
      tracking.disable(connection)
      return ok
    }
    if (!isWord(argv.at(2), "ON")) throw errors.syntax
    checkModes(options, client.tracking)
    checkPrefixes(options.prefixes, client.tracking)
    const { prefixes, redirect, words } = options
    tracking.enable(connection, {
      bcast: words.has("BCAST"),
      optIn: words.has("OPTIN"),
      optOut: words.has("OPTOUT"),
      noLoop: words.has("NOLOOP"),
      redirect,
      prefixes: prefixes.map((prefix) => prefix.latin1())
    })
    return ok
  }
})

export const caching = defineControl({
  ...facts,
  name: "CACHING",
  since: "6.0.0",
  summary: "Says whether the keys of the next command, or of the transaction, are tracked (OPTIN: YES, OPTOUT: NO).",
  syntax: "<mode: YES | NO>",
  arity: 3,
  run: ({ client: { tracking } }, argv) => {
    if (tracking === undefined) throw cachingNeedsTracking
    if (isWord(argv.at(2), "YES")) {
      if (!tracking.optIn) throw yesNeedsOptIn
    } else if (isWord(argv.at(2), "NO")) {
      if (!tracking.optOut) throw noNeedsOptOut
    } else throw errors.syntax
    tracking.caching = true
    return ok
  }
})

export const getRedir = defineControl({
  ...facts,
  name: "GETREDIR",
  since: "6.0.0",
  summary: "Answers which connection is told instead of this one: 0 for none, -1 when tracking is off.",
  syntax: "",
  arity: 2,
  run: ({ client }) => client.tracking?.redirect ?? -1
})

const flagsOf = (tracking: ClientTracking): Array<string> => {
  const flags = ["on"]
  if (tracking.bcast) flags.push("bcast")
  if (tracking.optIn) flags.push("optin", ...tracking.caching ? ["caching-yes"] : [])
  if (tracking.optOut) flags.push("optout", ...tracking.caching ? ["caching-no"] : [])
  if (tracking.noLoop) flags.push("noloop")
  if (tracking.broken) flags.push("broken_redirect")
  return flags
}

export const trackingInfo = defineControl({
  ...facts,
  name: "TRACKINGINFO",
  since: "6.2.0",
  summary: "Describes how this connection tracks.",
  syntax: "",
  arity: 2,
  run: ({ client: { tracking } }) =>
    new MapReply([
      ["flags", new SetReply(tracking === undefined ? ["off"] : flagsOf(tracking))],
      ["redirect", tracking?.redirect ?? -1],
      ["prefixes", tracking?.prefixes.map((prefix) => Slice.latin1(prefix)) ?? []]
    ])
})
