/** CLIENT: the connection's own facts, and what operators do to connections. */
import { noReply, ok, ReplyError } from "../../net/resp/reply.ts"
import { parseInt64Slice } from "../../projections/memory/integer.ts"
import { int64, isWord, shown } from "../arguments.ts"
import { type ControlCommand, defineContainer, defineControl } from "../define.ts"
import { errors, malformedSubcommand } from "../errors.ts"
import { help } from "../help.ts"
import { kill } from "./client-kill.ts"
import { info, list } from "./client-list.ts"
import { caching, getRedir, tracking, trackingInfo } from "./client-tracking.ts"
import { checkName, isPlain } from "./name.ts"

const facts = { group: "connection", complexity: "O(1)" } as const
const own = ["noscript", "loading", "stale"] as const
const operator = ["admin", "noscript", "loading", "stale"] as const

const id = defineControl({
  ...facts,
  name: "ID",
  since: "5.0.0",
  summary: "Answers the connection's number.",
  syntax: "",
  arity: 2,
  flags: own,
  run: ({ client }) => client.clientId
})

const getName = defineControl({
  ...facts,
  name: "GETNAME",
  since: "2.6.9",
  summary: "Answers the connection's name.",
  syntax: "",
  arity: 2,
  flags: own,
  run: ({ client }) => client.name === "" ? null : client.name
})

const setName = defineControl({
  ...facts,
  name: "SETNAME",
  since: "2.6.9",
  summary: "Names the connection.",
  syntax: "connection-name",
  arity: 3,
  flags: own,
  run: ({ client }, argv) => {
    client.name = checkName(argv.at(2))
    client.changed()
    return ok
  }
})

const setInfo = defineControl({
  ...facts,
  name: "SETINFO",
  since: "7.2.0",
  summary: "Tells the server the name or the version of the client's library.",
  syntax: "<attr: LIB-NAME libname | LIB-VER libver>",
  arity: 4,
  flags: own,
  run: ({ client }, argv) => {
    const what = argv.at(2)
    const value = argv.at(3)
    const isName = isWord(what, "LIB-NAME")
    if (!isName && !isWord(what, "LIB-VER")) throw new ReplyError(`ERR Unrecognized option '${shown(what)}'`)
    if (!isPlain(value)) {
      throw new ReplyError(
        `ERR ${isName ? "lib-name" : "lib-ver"} cannot contain spaces, newlines or special characters.`
      )
    }
    if (isName) client.libraryName = value.latin1()
    else client.libraryVersion = value.latin1()
    client.changed()
    return ok
  }
})

const reply = defineControl({
  ...facts,
  name: "REPLY",
  since: "3.2.0",
  summary: "Tells the server whether to answer this connection.",
  syntax: "<ON | OFF | SKIP>",
  arity: 3,
  flags: own,
  run: ({ connection }, argv) => {
    const mode = argv.at(2)
    if (isWord(mode, "ON")) {
      connection.setReplyMode("on")
      return ok
    }
    if (isWord(mode, "OFF")) connection.setReplyMode("off")
    else if (isWord(mode, "SKIP")) connection.setReplyMode("skip")
    else throw errors.syntax
    return noReply
  }
})

/** An option that is ON or OFF. */
const flag = (
  row: Pick<ControlCommand, "name" | "since" | "summary" | "flags">,
  field: "noEvict" | "noTouch"
): ControlCommand =>
  defineControl({
    ...facts,
    ...row,
    syntax: "<enabled: ON | OFF>",
    arity: 3,
    run: ({ client }, argv) => {
      const on = isWord(argv.at(2), "ON")
      if (!on && !isWord(argv.at(2), "OFF")) throw errors.syntax
      client[field] = on
      return ok
    }
  })

const noEvict = flag({
  name: "NO-EVICT",
  since: "7.0.0",
  summary: "Exempts the connection from being closed to free memory.",
  flags: operator
}, "noEvict")

const noTouch = flag({
  name: "NO-TOUCH",
  since: "7.2.0",
  summary: "Keeps the connection's commands from counting as accesses to keys.",
  flags: own
}, "noTouch")

const multiOnError = defineControl({
  ...facts,
  name: "MULTI-ON-ERROR",
  since: "7.4.0",
  summary: "Chooses whether a command that fails inside EXEC takes back what the others did, from the next MULTI on.",
  syntax: "<ABORT | CONTINUE | DEFAULT>",
  arity: 3,
  flags: own,
  run: ({ client }, argv) => {
    const mode = argv.at(2)
    if (isWord(mode, "ABORT")) client.multiOnError = "abort"
    else if (isWord(mode, "CONTINUE")) client.multiOnError = "continue"
    else if (isWord(mode, "DEFAULT")) client.multiOnError = "default"
    else throw errors.syntax
    return ok
  }
})

const badReason = new ReplyError("ERR CLIENT UNBLOCK reason should be TIMEOUT or ERROR")

const unblock = defineControl({
  name: "UNBLOCK",
  since: "5.0.0",
  group: "connection",
  summary: "Ends the wait of a connection in a blocking command.",
  complexity: "O(log N), N being the open connections",
  syntax: "client-id [TIMEOUT | ERROR]",
  arity: -3,
  flags: operator,
  run: ({ clients }, argv) => {
    if (argv.length > 4) throw malformedSubcommand("CLIENT", shown(argv.at(1)))
    const asError = argv.length === 4 && isWord(argv.at(3), "ERROR")
    if (argv.length === 4 && !asError && !isWord(argv.at(3), "TIMEOUT")) throw badReason
    const id = int64(argv.at(2))
    const target = typeof id === "number" ? clients.byId(id) : undefined
    return target !== undefined && target.blocked && target.unblock(asError ? "error" : "timeout") ? 1 : 0
  }
})

const badMode = new ReplyError("ERR CLIENT PAUSE mode must be WRITE or ALL")
const badTimeout = new ReplyError("ERR timeout is not an integer or out of range")
const negativeTimeout = new ReplyError("ERR timeout is negative")

const pause = defineControl({
  ...facts,
  name: "PAUSE",
  since: "2.9.50",
  summary: "Holds back the commands of clients, or only those that write, for some milliseconds.",
  syntax: "timeout(integer) [mode: WRITE | ALL]@6.2.0",
  history: [["6.2.0", "A mode: `WRITE` holds back writes only."]],
  arity: -3,
  flags: operator,
  run: ({ clients, d }, argv) => {
    if (argv.length > 4) throw malformedSubcommand("CLIENT", shown(argv.at(1)))
    const writes = argv.length === 4 && isWord(argv.at(3), "WRITE")
    if (argv.length === 4 && !writes && !isWord(argv.at(3), "ALL")) throw badMode
    const timeout = parseInt64Slice(argv.at(2))
    if (timeout === undefined) throw badTimeout
    if (timeout < 0) throw negativeTimeout
    clients.pause(d.now + Number(timeout), writes ? "write" : "all")
    return ok
  }
})

const unpause = defineControl({
  name: "UNPAUSE",
  since: "6.2.0",
  group: "connection",
  summary: "Lets clients that were held back go on.",
  complexity: "O(N), N being the clients held back",
  syntax: "",
  arity: 2,
  flags: operator,
  run: ({ clients }) => {
    clients.unpause()
    return ok
  }
})

export const client = defineContainer({
  name: "CLIENT",
  since: "2.4.0",
  group: "connection",
  summary: "Commands about client connections.",
  complexity: "That of the subcommand.",
  syntax: "",
  arity: -2,
  flags: [],
  subcommands: [
    id,
    getName,
    setName,
    setInfo,
    info,
    list,
    kill,
    reply,
    noEvict,
    noTouch,
    multiOnError,
    unblock,
    pause,
    unpause,
    tracking,
    caching,
    getRedir,
    trackingInfo,
    help("CLIENT", "connection", [
      [
        "CACHING (YES|NO)",
        "Track the keys of the next command, or of the transaction (YES, with OPTIN), or do not (NO, with OPTOUT)."
      ],
      ["GETNAME", "Answer this connection's name."],
      ["GETREDIR", "Answer which connection is told instead of this one: 0 for none, -1 when tracking is off."],
      ["ID", "Answer this connection's number."],
      ["INFO", "Describe this connection in the format of LIST."],
      ["KILL <ip:port>", "Close the connection from that address."],
      [
        "KILL <option> <value> [<option> <value> [...]]",
        "Close all connections that fit every option:",
        "* ADDR (<ip:port>|<unixsocket>:0)",
        "  the address they come from",
        "* LADDR (<ip:port>|<unixsocket>:0)",
        "  the local address they are connected to",
        "* TYPE (NORMAL|MASTER|REPLICA|PUBSUB)",
        "  the kind of client",
        "* USER <username>",
        "  the user they authenticated as",
        "* ID <client-id>",
        "  the connection's number",
        "* MAXAGE <seconds>",
        "  open for at least that long",
        "* SKIPME (YES|NO)",
        "  leave this connection open (default: yes)"
      ],
      [
        "LIST [options ...]",
        "Describe the connections, one a line. Options:",
        "* TYPE (NORMAL|MASTER|REPLICA|PUBSUB)",
        "  only this kind of client",
        "* ID <client-id> [<client-id> ...]",
        "  only these connections"
      ],
      [
        "MULTI-ON-ERROR (ABORT|CONTINUE|DEFAULT)",
        "Choose what a command failing inside EXEC does to the others: take them back, leave them, or what the",
        "parameter multi-on-error says."
      ],
      ["NO-EVICT (ON|OFF)", "Exempt this connection from being closed to free memory."],
      ["NO-TOUCH (ON|OFF)", "Keep this connection's commands from counting as accesses to keys."],
      ["PAUSE <timeout> [WRITE|ALL]", "Hold back all clients, or only their writes, for <timeout> milliseconds."],
      ["REPLY (ON|OFF|SKIP)", "Choose whether this connection is answered."],
      ["SETINFO (LIB-NAME <name>|LIB-VER <version>)", "Tell the library this client uses."],
      ["SETNAME <name>", "Name this connection."],
      [
        "TRACKING (ON|OFF) [REDIRECT <id>] [BCAST] [PREFIX <prefix> [...]] [OPTIN] [OPTOUT] [NOLOOP]",
        "Be told when keys that this connection has read change. Options:",
        "* REDIRECT <id>",
        "  tell that connection instead",
        "* BCAST",
        "  tell of all keys, or of those with a PREFIX, read or not",
        "* OPTIN, OPTOUT",
        "  follow CLIENT CACHING",
        "* NOLOOP",
        "  leave out what this connection changes itself"
      ],
      ["TRACKINGINFO", "Describe how this connection tracks."],
      ["UNBLOCK <clientid> [TIMEOUT|ERROR]", "End the wait of a client in a blocking command."],
      ["UNPAUSE", "End a running pause."]
    ])
  ]
})
