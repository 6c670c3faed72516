/**
 * What keyspace notifications call the changes that commands make. Most names follow from the event in the log; where
 * several commands share an event, or one has a name of its own, the command decides.
 */
import type { Event } from "../../log/events/catalog.ts"
import { parseInt64Slice } from "../../projections/memory/integer.ts"
import { isWord, rest } from "../arguments.ts"
import type { Argv } from "../define.ts"
import type { Fields } from "./announcer.ts"

/** What a change of a value is called, by the command that made it. */
const byCommand = new Map<string, string>(
  [
    ["incrby", "incr decr incrby decrby"],
    ["setbit", "setbit bitfield"],
    ["set", "bitop"],
    ["pfadd", "pfadd pfmerge"],
    ["sortstore", "sort"],
    ["sinterstore", "sinterstore"],
    ["sunionstore", "sunionstore"],
    ["sdiffstore", "sdiffstore"],
    ["spop", "spop"],
    ["hincrby", "hincrby"],
    ["hincrbyfloat", "hincrbyfloat"],
    ["zincr", "zincrby"],
    ["zpopmin", "zpopmin bzpopmin"],
    ["zpopmax", "zpopmax bzpopmax"],
    ["zremrangebyrank", "zremrangebyrank"],
    ["zremrangebyscore", "zremrangebyscore"],
    ["zremrangebylex", "zremrangebylex"],
    ["zunionstore", "zunionstore"],
    ["zinterstore", "zinterstore"],
    ["zdiffstore", "zdiffstore"],
    ["zrangestore", "zrangestore"],
    ["geosearchstore", "geosearchstore"],
    ["georadiusstore", "georadius georadiusbymember"],
    ["restore", "restore"],
    ["xsetid", "xsetid"],
    ["xgroup-setid", "xgroup|setid"],
    // As in Redis: filling the database for a test is told by `new` only; that a count was remembered is not told at all.
    ["", "debug pfcount pfdebug silent"]
  ].flatMap(([name, commands]) => commands!.split(" ").map((command) => [command, name!] as const))
)

/** What it is called where no command has a name of its own for it. */
const byEvent: { readonly [Tag in Event["_tag"]]?: string } = {
  KeyDeleted: "del",
  KeyExpired: "expired",
  KeyEvicted: "evicted",
  KeyExpirySet: "expire",
  KeyPersisted: "persist",
  KeyCopied: "copy_to",
  StringSet: "set",
  StringsCombined: "set",
  StringIncremented: "incrby",
  StringFloatIncremented: "incrbyfloat",
  StringAppended: "append",
  StringRangeSet: "setrange",
  ListElementSet: "lset",
  ListElementInserted: "linsert",
  ListElementsRemoved: "lrem",
  ListTrimmed: "ltrim",
  SetMembersAdded: "sadd",
  SetMembersRemoved: "srem",
  HashFieldsSet: "hset",
  HashFieldsUpdated: "hset",
  HashFieldsDeleted: "hdel",
  HashFieldsExpired: "hexpired",
  HashFieldsExpirySet: "hexpire",
  HashFieldsPersisted: "hpersist",
  SortedSetMembersScored: "zadd",
  SortedSetMembersRemoved: "zrem",
  SortedSetRangeRemoved: "zremrangebyrank",
  StringSpliced: "setrange",
  StreamEntryAdded: "xadd",
  StreamEntriesDeleted: "xdel",
  StreamTrimmed: "xtrim",
  StreamEntriesTrimmed: "xtrim",
  StreamGroupCreated: "xgroup-create",
  StreamGroupDestroyed: "xgroup-destroy",
  StreamConsumerCreated: "xgroup-createconsumer",
  StreamConsumerDeleted: "xgroup-delconsumer",
  CollectionRestored: "restore"
}

/** The word of ZMPOP and BZMPOP after their keys. */
const endOf = (argv: Argv, count: number): string => {
  const keys = Number(parseInt64Slice(argv.at(count)) ?? 0)
  return isWord(argv.at(count + 1 + keys), "MIN") ? "zpopmin" : "zpopmax"
}

const zaddOptions = ["NX", "XX", "GT", "LT", "CH", "INCR"]

/** Whether ZADD adds to the score. */
const increments = (argv: Argv): boolean => {
  for (let i = 2; i < argv.length; i++) {
    const option = zaddOptions.find((name) => isWord(argv.at(i), name))
    if (option === undefined) return false
    if (option === "INCR") return true
  }
  return false
}

/**
 * What the change that `event` states is called; "" when it has no name. The command's name is in lower case. Where its
 * words are not known, a few changes have the name of what they are most like.
 */
export const nameOf = (event: Event, command: string, argv: Argv | undefined): string => {
  switch (event._tag) {
    case "ListPushed":
      return byCommand.get(command) ?? (event.side === "left" ? "lpush" : "rpush")
    case "ListPopped":
      // A list that is turned round as a whole is stated as if it had been popped at its other end.
      if (argv !== undefined && moving.has(command)) return isPoppedLeft(command, argv) ? "lpop" : "rpop"
      return event.side === "left" ? "lpop" : "rpop"
    case "KeyDeleted":
    case "KeyExpired":
    case "KeyEvicted":
    case "HashFieldsExpired":
      return byEvent[event._tag]!
    case "SortedSetMembersScored":
      if (command === "zadd" && argv !== undefined && increments(argv)) return "zincr"
      break
    case "SortedSetMembersRemoved":
    case "SortedSetRangeRemoved":
      if (argv === undefined) break
      if (command === "zmpop") return endOf(argv, 1)
      if (command === "bzmpop") return endOf(argv, 2)
  }
  return byCommand.get(command) ?? byEvent[event._tag] ?? ""
}

/** Whether an event may take the last element of a collection, and the key with it. */
export const mayEmpty = (event: Event): boolean => {
  switch (event._tag) {
    case "ListPopped":
    case "ListElementsRemoved":
    case "ListTrimmed":
    case "SetMembersRemoved":
    case "HashFieldsDeleted":
    case "HashFieldsExpired":
    case "SortedSetMembersRemoved":
    case "SortedSetRangeRemoved":
      return true
    default:
      return false
  }
}

/** The fields that HSETEX names, each with its value behind it. */
export const fieldsOfHsetex = (argv: Argv): Fields => {
  let at = 2
  while (at < argv.length && !isWord(argv.at(at), "FIELDS")) at++
  return { list: rest(argv, at + 2), step: 2 }
}

/** The fields of a hash that an event concerns, as they were asked for. */
export const fieldsOf = (event: Event, command: string, argv: Argv | undefined): Fields | undefined => {
  switch (event._tag) {
    case "HashFieldsSet":
    case "HashFieldsUpdated":
      // HSETEX may state what it sets in two events.
      return command === "hsetex" && argv !== undefined ? fieldsOfHsetex(argv) : { list: event.pairs, step: 2 }
    case "HashFieldsDeleted":
    case "HashFieldsExpired":
    case "HashFieldsExpirySet":
    case "HashFieldsPersisted":
      return { list: event.fields, step: 1 }
    default:
      return undefined
  }
}

/** Of EXEC, which stands for all of its commands in a batch from a primary, no two events are known to be of one command. */
const eachOnItsOwn = new Set(["mset", "msetnx", "msetex", "exec"])

/** Whether a second event of the same name at the same key states another change, not more of the same. */
export const tellsEach = (command: string): boolean => eachOnItsOwn.has(command)

/** Commands that replace what is at a key, whatever it was. */
const overwriting = new Set(
  ("set setex psetex getset mset msetex bitop sort sinterstore sunionstore sdiffstore zunionstore zinterstore zdiffstore "
    + "zrangestore geosearchstore georadius georadiusbymember himport|set").split(" ")
)

/** Whether what was at the key before counts as overwritten. */
export const overwrites = (command: string): boolean => overwriting.has(command)

/** Commands that put elsewhere what they take: the target is told first. */
const moving = new Set("lmove blmove rpoplpush brpoplpush lmovem blmovem".split(" "))

/** Whether such a command takes elements at the left. */
const isPoppedLeft = (command: string, argv: Argv): boolean =>
  !command.endsWith("rpoplpush") && isWord(argv.at(3), "LEFT")

/** Whether the second of a command's two events is told before the first. */
export const isToldBackwards = (command: string, first: Event): boolean =>
  first._tag === "ListPopped" && moving.has(command)

/** Options of SET and MSETEX with a word of their own behind them. */
const withOperand = ["EX", "PX", "EXAT", "PXAT", "IFEQ", "IFNE", "IFDEQ", "IFDNE"]

/** Whether a SET or MSETEX left the deadline that a key had. */
export const keepsDeadline = (command: string, argv: Argv | undefined): boolean => {
  if (argv === undefined) return false
  if (command !== "set" && command !== "msetex") return false
  let i = command === "set" ? 3 : 2 + 2 * Number(parseInt64Slice(argv.at(1)) ?? 0)
  for (; i < argv.length; i++) {
    const option = argv.at(i)
    if (isWord(option, "KEEPTTL")) return true
    if (withOperand.some((name) => isWord(option, name))) i++
  }
  return false
}
