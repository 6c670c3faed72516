/** DEBUG: what tests and operators in need reach for. Nothing here can crash the server or lose data. */
import { ok, type Reply, ReplyError, Status } from "../../net/resp/reply.ts"
import { digest, digestValue } from "../../projections/digest.ts"
import * as Entry from "../../projections/entry.ts"
import { largeBytes } from "../../projections/large-memory.ts"
import type { Pointer } from "../../projections/memory/arena.ts"
import { integerOf, stringLength } from "../../projections/string.ts"
import { shown, word } from "../arguments.ts"
import type { Decision } from "../decision.ts"
import { type Argv, defineControl } from "../define.ts"
import { errors, malformedSubcommand } from "../errors.ts"
import { helpLines } from "../help.ts"
import type { Control } from "../ports.ts"
import { populate } from "./debug-populate.ts"
import { protocolSample } from "./debug-protocol.ts"
import { isLocal } from "./local.ts"

const notAllowed = new ReplyError(
  "ERR DEBUG command not allowed. If the enable-debug-command option is set to \"local\", you can run it from a local " +
    "connection, otherwise you need to set this option in the configuration file, and then restart the server."
)

/** The number at the beginning of a text, as C reads it; 0 when there is none. */
const leadingNumber = (text: string): number => {
  const value = Number.parseFloat(text)
  return Number.isFinite(value) ? value : 0
}

/** Length a string would have in an RDB file, uncompressed: what Redis calls its serialized length. */
const serializedLength = (d: Decision, p: Pointer): number => {
  const { arena } = d.db
  // Of collections: their bytes in memory, which an RDB file would hold much alike.
  if (Entry.typeOf(arena, p) !== Entry.Type.string) return arena.capacity(p) + largeBytes(d.db, p, Infinity)
  if (Entry.encodingOf(arena, p) === Entry.Encoding.int) {
    const value = integerOf(d.db, p)
    const magnitude = value < 0 ? -Number(value) - 1 : Number(value)
    if (magnitude < 2 ** 7) return 2
    if (magnitude < 2 ** 15) return 3
    if (magnitude < 2 ** 31) return 5
  }
  const length = stringLength(d.db, p)
  return length + (length < 64 ? 1 : length < 16_384 ? 2 : 5)
}

const object = ({ d }: Control, argv: Argv): Reply => {
  const p = d.peek(argv.at(2))
  if (p === 0) throw errors.noSuchKey
  const { arena } = d.db
  const clock = Entry.clockOf(arena, p) & 0xff_ffff
  const idle = (Math.floor(d.now / 1000) - clock) & 0xff_ffff
  return new Status(
    `Value at:0x${p.toString(16)} refcount:1 encoding:${Entry.encodings[Entry.encodingOf(arena, p)]} ` +
      `serializedlength:${serializedLength(d, p)} lru:${clock} lru_seconds_idle:${idle}`
  )
}

const loaded = (failure: string | undefined): Reply =>
  failure === undefined ? ok : new ReplyError(`ERR Error trying to load the data: ${failure}`)

const reload = ({ server }: Control, argv: Argv): Reply => {
  let save = true
  for (let i = 2; i < argv.length; i++) {
    const option = word(argv.at(i))
    if (option === "NOSAVE") save = false
    else if (option === "MERGE" || option === "NOFLUSH") {
      throw new ReplyError(`ERR DEBUG RELOAD ${option} is refused: the data must stay the fold of the log`)
    } else throw new ReplyError("ERR DEBUG RELOAD only supports the MERGE, NOFLUSH and NOSAVE options.")
  }
  return loaded(server.persistence.reload(save))
}

/** A subcommand that is understood, and refused because there is nothing here it could act on. */
const refusal = (name: string, why: string) => (): Reply => {
  throw new ReplyError(`ERR DEBUG ${name} is refused: ${why}`)
}

const noCrash = "this server is not crashed on request"
const noListpack = "no value here is held as a listpack of Redis's"

/** A switch for Redis's own tests whose subject does not exist here: taking it changes nothing. */
const noEffect = (): Reply => ok

/** Words after the subcommand: at least, at most. */
type Sub = readonly [least: number, most: number, run: (control: Control, argv: Argv) => Reply]

const helpText = helpLines("DEBUG", [
  ["DIGEST", "Answer a hash of all data."],
  ["DIGEST-VALUE <key> [<key> ...]", "Answer a hash of the value at each key."],
  ["ERROR <string>", "Answer this error."],
  ["LOADAOF", "Replace the data by the newest checkpoint and the fold of the log after it."],
  ["OBJECT <key>", "Answer how the value at a key is held."],
  ["POPULATE <count> [<prefix>] [<size>]", "Create <count> string keys, <prefix>:0 and so on, that do not exist."],
  ["PROTOCOL <type>", "Answer a sample of this type of reply."],
  ["RELOAD [NOSAVE]", "Make a checkpoint and replace the data by it; with NOSAVE, by what a restart would load."],
  ["SET-ACTIVE-EXPIRE <0|1>", "Stop or resume removing dead keys that nobody asks for."],
  ["SLEEP <seconds>", "Stop everything for that long; decimals are allowed."]
])

const subcommands: Readonly<Record<string, Sub>> = {
  "SLEEP": [1, 1, ({ server }, argv) => {
    server.sleep(Math.max(0, leadingNumber(argv.at(2).latin1()) * 1000))
    return ok
  }],
  "SET-ACTIVE-EXPIRE": [1, 1, ({ server }, argv) => {
    server.setActiveExpire(Math.trunc(leadingNumber(argv.at(2).latin1())) !== 0)
    return ok
  }],
  "DIGEST": [0, 0, ({ d }) => new Status(digest(d.keyspace, d.now))],
  "DIGEST-VALUE": [0, Infinity, ({ d }, argv) => {
    const digests: Array<Reply> = []
    for (let i = 2; i < argv.length; i++) digests.push(new Status(digestValue(d.db, d.peek(argv.at(i)), d.now)))
    return digests
  }],
  "OBJECT": [1, 1, object],
  "RELOAD": [0, Infinity, reload],
  "LOADAOF": [0, 0, ({ server }) => loaded(server.persistence.reload(false))],
  "POPULATE": [1, 3, populate],
  "PROTOCOL": [1, 1, protocolSample],
  "ERROR": [1, 1, (_control, argv) => new ReplyError(argv.at(2).latin1())],
  "STRINGMATCH-LEN": [2, 2, refusal("STRINGMATCH-LEN", "patterns are tested by this server's own tests")],
  "CHANGE-REPL-ID": [0, 0, refusal("CHANGE-REPL-ID", "the replication id names the log and stays with it")],
  "JMAP": [0, Infinity, refusal("JMAP", "there is no Java here")],
  "SEGFAULT": [0, 0, refusal("SEGFAULT", noCrash)],
  "PANIC": [0, 0, refusal("PANIC", noCrash)],
  "ASSERT": [0, 0, refusal("ASSERT", noCrash)],
  "OOM": [0, 0, refusal("OOM", noCrash)],
  "RESTART": [0, 1, refusal("RESTART", "a service manager restarts the server")],
  "CRASH-AND-RECOVER": [0, 1, refusal("CRASH-AND-RECOVER", noCrash)],
  "LEAK": [1, 1, refusal("LEAK", "no memory is lost on request")],
  "LISTPACK": [1, 1, refusal("LISTPACK", noListpack)],
  "ZIPLIST": [1, 1, refusal("ZIPLIST", noListpack)],
  "QUICKLIST": [1, 2, refusal("QUICKLIST", "no value here is held as a quicklist of Redis's")],
  "HTSTATS": [1, 2, refusal("HTSTATS", "keys are not held in chained hash tables; see MEMORY STATS")],
  "HTSTATS-KEY": [1, 2, refusal("HTSTATS-KEY", "values are not held in chained hash tables; see MEMORY USAGE")],
  "SDSLEN": [1, 1, refusal("SDSLEN", "there are no C strings here; see MEMORY USAGE")],
  "MALLCTL": [1, 2, refusal("MALLCTL", "the allocator is not jemalloc")],
  "MALLCTL-STR": [1, 2, refusal("MALLCTL-STR", "the allocator is not jemalloc")],
  "REPLICATE": [1, Infinity, refusal("REPLICATE", "it would make replicas differ from the log")],
  "CONFIG-REWRITE-FORCE-ALL": [0, 0, refusal("CONFIG-REWRITE-FORCE-ALL", "CONFIG REWRITE writes what was changed")],
  "QUICKLIST-PACKED-THRESHOLD": [1, 1, noEffect],
  "SET-DISABLE-DENY-SCRIPTS": [1, 1, noEffect],
  "SET-SKIP-CHECKSUM-VALIDATION": [1, 1, refusal("SET-SKIP-CHECKSUM-VALIDATION", "checksums are always looked at")],
  "AOF-FLUSH-SLEEP": [1, 1, noEffect],
  "PAUSE-CRON": [1, 1, noEffect],
  "DICT-RESIZING": [1, 1, noEffect],
  "REPLYBUFFER": [2, 2, noEffect],
  "HELP": [0, 0, () => helpText]
}

export const debug = defineControl({
  name: "DEBUG",
  since: "1.0.0",
  group: "server",
  summary: "Commands for tests and for finding faults.",
  complexity: "That of the subcommand.",
  syntax: "",
  internal: true,
  arity: -2,
  flags: ["admin", "noscript", "loading", "stale"],
  run: (control, argv) => {
    const allowed = control.config.get("enable-debug-command")
    if (allowed === "no" || (allowed === "local" && !isLocal(control.client))) throw notAllowed
    const name = word(argv.at(1))
    const sub = Object.hasOwn(subcommands, name) ? subcommands[name] : undefined
    const given = argv.length - 2
    if (sub === undefined || given < sub[0] || given > sub[1]) {
      throw malformedSubcommand("DEBUG", shown(argv.at(1)).slice(0, 128))
    }
    return sub[2](control, argv)
  }
})
