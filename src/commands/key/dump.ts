/** Values as bytes in the format of RDB files, from and to servers of any kind. */
import { ok, type Reply, ReplyError } from "../../net/resp/reply.ts"
import { hasValidFooter, readDump } from "../../projections/dump-read.ts"
import { dumpValue } from "../../projections/dump.ts"
import { livingPart, restoringEvents } from "../../projections/restoring.ts"
import { int64, integer, isWord } from "../arguments.ts"
import type { Decision } from "../decision.ts"
import { type Argv, defineCommand, firstKey } from "../define.ts"
import { errors, invalidExpire } from "../errors.ts"

export const dump = defineCommand({
  name: "DUMP",
  since: "2.6.0",
  group: "generic",
  summary: "Answers the value of a key as bytes that RESTORE reads.",
  complexity: "O(N) where N is the size of the value.",
  syntax: "key",
  arity: 2,
  flags: ["readonly"],
  tips: ["nondeterministic_output"],
  keys: firstKey("RO", "access"),
  decide: (d, argv): Reply => {
    const p = d.counted(d.lookup(argv.at(1)), argv.at(1))
    return p === 0 ? null : dumpValue(d.db, p, d.now)
  }
})

const busy = new ReplyError("BUSYKEY Target key name already exists.")
const badTtl = new ReplyError("ERR Invalid TTL value, must be >= 0")
const badIdle = new ReplyError("ERR Invalid IDLETIME value, must be >= 0")
const badFrequency = new ReplyError("ERR Invalid FREQ value, must be >= 0 and <= 255")
const badFooter = new ReplyError("ERR DUMP payload version or checksum are wrong")
const badValue = new ReplyError("ERR Bad data format")

const decide = (d: Decision, argv: Argv): Reply => {
  let replace = false
  let absolute = false
  let idleSeconds = -1
  let frequency = -1
  for (let i = 4; i < argv.length; i++) {
    const option = argv.at(i)
    const more = i + 1 < argv.length
    if (isWord(option, "REPLACE")) replace = true
    else if (isWord(option, "ABSTTL")) absolute = true
    else if (isWord(option, "IDLETIME") && more && frequency < 0) {
      idleSeconds = integer(argv.at(++i))
      if (idleSeconds < 0) throw badIdle
    } else if (isWord(option, "FREQ") && more && idleSeconds < 0) {
      frequency = integer(argv.at(++i))
      if (frequency < 0 || frequency > 255) throw badFrequency
    } else throw errors.syntax
  }
  const key = argv.at(1)
  const there = d.lookup(key) !== 0
  if (there && !replace) throw busy
  const ttl = int64(argv.at(2))
  if (ttl < 0) throw badTtl
  const payload = argv.at(3)
  if (!hasValidFooter(payload)) throw badFooter
  const value = readDump(payload)
  if (value === undefined) throw badValue
  const expireAt = ttl === 0 ? 0 : Number(ttl) + (absolute ? 0 : d.time)
  if (expireAt > Number.MAX_SAFE_INTEGER) throw invalidExpire(d.commandName)
  if (there) d.emit({ _tag: "KeyDeleted", key })
  const alive = livingPart(value, d.now)
  if (alive === undefined || (expireAt !== 0 && expireAt <= d.now)) return ok
  for (const event of restoringEvents(key, alive)) d.emit(event)
  if (expireAt !== 0) d.emit({ _tag: "KeyExpirySet", key, expireAt })
  if (idleSeconds >= 0 || frequency >= 0) d.restoreAccess(key, idleSeconds, frequency)
  return ok
}

const described = {
  summary: "Makes a key of bytes that DUMP has answered.",
  complexity: "O(N) where N is the size of the value; O(N*log(N)) for sorted sets.",
  syntax: "key ttl serialized-value [REPLACE@3.0.0] [ABSTTL@5.0.0] [IDLETIME seconds@5.0.0] [FREQ frequency@5.0.0]",
  history: [["3.0.0", "Option `REPLACE`."], ["5.0.0", "Option `ABSTTL`."], ["5.0.0", "Options `IDLETIME` and `FREQ`."]],
  arity: -4,
  keys: firstKey("OW", "update"),
  decide
} as const

export const restore = defineCommand({
  name: "RESTORE",
  since: "2.6.0",
  group: "generic",
  flags: ["write", "denyoom"],
  categories: ["@dangerous"],
  ...described
})

export const restoreAsking = defineCommand({
  name: "RESTORE-ASKING",
  since: "3.0.0",
  group: "server",
  flags: ["write", "denyoom", "asking"],
  categories: ["@keyspace", "@dangerous"],
  internal: true,
  ...described
})
