/** XCLAIM and XAUTOCLAIM: pending entries change hands. */
import type { Int64 } from "../../log/events/fields.ts"
import { type Reply, ReplyError } from "../../net/resp/reply.ts"
import * as Entry from "../../projections/entry.ts"
import { parseInt64Slice } from "../../projections/memory/integer.ts"
import type { Slice } from "../../projections/memory/slice.ts"
import { compareIds, greatestId, StreamId } from "../../projections/memory/stream-id.ts"
import { findPending, PendingRange } from "../../projections/stream-pending.ts"
import * as Stream from "../../projections/stream-read.ts"
import { isWord, shown } from "../arguments.ts"
import { expectType } from "../collections.ts"
import type { Decision } from "../decision.ts"
import { type Argv, defineCommand, firstKey } from "../define.ts"
import { errors } from "../errors.ts"
import { askingConsumer, groupAt, groupOf } from "./access.ts"
import { Ids } from "./delete.ts"
import { idAt, isId, rangeStart } from "./ids.ts"
import { plusOne } from "./pending.ts"
import { chosenEntries } from "./reply.ts"

const invalid = (what: string, command: string): ReplyError =>
  new ReplyError(`ERR Invalid ${what} argument for ${command}`)
const badMinIdle = invalid("min-idle-time", "XCLAIM")
const badIdle = invalid("IDLE option", "XCLAIM")
const badTime = invalid("TIME option", "XCLAIM")
const badRetryCount = invalid("RETRYCOUNT option", "XCLAIM")
const badAutoMinIdle = invalid("min-idle-time", "XAUTOCLAIM")
const countTooHigh = new ReplyError(
  "ERR Insufficient memory, failed allocating transient memory, COUNT too high."
)
const badCount = new ReplyError("ERR COUNT must be > 0")

/** An integer of 64 bits as a number, or the refusal given. */
const numberAt = (arg: Slice, refusal: ReplyError): number => {
  const value = parseInt64Slice(arg)
  if (value === undefined) throw refusal
  return Number(value)
}

const pending = new PendingRange()

// ——— XCLAIM ———

/** What XCLAIM is asked besides the ids. */
interface Terms {
  /** Unix ms at which the entries count as delivered. */
  readonly deliveredAt: number
  readonly retryCount: Int64 | undefined
  readonly force: boolean
  readonly justIds: boolean
  readonly lastId: StreamId
}

const termsFrom = (argv: Argv, at: number, now: number): Terms => {
  let deliveredAt = now
  let retryCount: Int64 | undefined
  let force = false
  let justIds = false
  const lastId = new StreamId()
  for (let i = at; i < argv.length; i++) {
    const option = argv.at(i)
    const more = i + 1 < argv.length
    if (isWord(option, "FORCE")) force = true
    else if (isWord(option, "JUSTID")) justIds = true
    else if (more && isWord(option, "IDLE")) deliveredAt = now - numberAt(argv.at(++i), badIdle)
    else if (more && isWord(option, "TIME")) deliveredAt = numberAt(argv.at(++i), badTime)
    else if (more && isWord(option, "RETRYCOUNT")) {
      const value = parseInt64Slice(argv.at(++i))
      if (value === undefined) throw badRetryCount
      retryCount = value < 0 ? undefined : value
    } else if (more && isWord(option, "LASTID")) idAt(argv.at(++i), lastId)
    else throw new ReplyError(`ERR Unrecognized XCLAIM option '${shown(option)}'`)
  }
  // A time that cannot be is taken for now: clients reckon with clocks of their own.
  const possible = deliveredAt >= 0 && deliveredAt <= now
  return { deliveredAt: possible ? deliveredAt : now, retryCount, force, justIds, lastId }
}

/** Entries on their way to a consumer; the same id may be asked for more than once. */
class Claims {
  readonly ids: Array<StreamId> = []
  readonly counts: Array<Int64> = []
  /** Entries that are no longer there. */
  readonly lost = new Ids()
  private readonly places = new Map<string, number>()

  /** The place of an id that was claimed before; -1 when it was not. */
  find(id: StreamId): number {
    return this.ids.length === 0 ? -1 : this.places.get(id.toString()) ?? -1
  }

  add(id: StreamId, count: Int64): void {
    this.places.set(id.toString(), this.ids.length)
    this.ids.push(id)
    this.counts.push(count)
  }

  emit(d: Decision, key: Slice, group: Slice, consumer: Slice, deliveredAt: number): void {
    const { counts, ids, lost } = this
    if (lost.list.length > 0) d.emit({ _tag: "StreamEntriesAcknowledged", key, group, ids: lost.list })
    // A consumer that gets nothing does not come to be.
    if (ids.length === 0) return
    d.emit({ _tag: "StreamEntriesClaimed", key, group, consumer, ids, counts, deliveredAt, time: d.time })
  }
}

const claim = (d: Decision, argv: Argv): Reply => {
  const key = argv.at(1)
  const groupName = argv.at(2)
  const { group, p } = groupOf(d, key, groupName)
  const minIdle = Math.max(0, numberAt(argv.at(4), badMinIdle))
  const wanted: Array<StreamId> = []
  let at = 5
  for (const id = new StreamId(); at < argv.length && isId(argv.at(at), id); at++) wanted.push(id.copy())
  const { deliveredAt, force, justIds, lastId, retryCount } = termsFrom(argv, at, d.time)
  if (compareIds(lastId, Stream.lastDelivered(d.db, group, new StreamId())) > 0) {
    const entriesRead = Stream.entriesRead(d.db, group)
    d.emit({ _tag: "StreamGroupIdSet", key, group: groupName, lastDelivered: lastId, entriesRead })
  }
  askingConsumer(d, group, argv.at(3))
  const claims = new Claims()
  const answered: Array<StreamId> = []
  for (const id of wanted) {
    const again = claims.find(id)
    if (!Stream.hasEntry(d.db, p, id)) {
      if (findPending(d.db, group, id, pending)) claims.lost.add(id)
      continue
    }
    const held = again >= 0 || findPending(d.db, group, id, pending)
    if (!held && !force) continue
    const since = again >= 0 ? deliveredAt : pending.deliveredAt
    if (held && minIdle > 0 && d.time - since < minIdle) continue
    const before = again >= 0 ? claims.counts[again]! : held ? pending.deliveries : 1
    const count = retryCount ?? (justIds ? before : plusOne(before))
    if (again >= 0) claims.counts[again] = count
    else claims.add(id, count)
    answered.push(id)
  }
  claims.emit(d, key, groupName, argv.at(3), deliveredAt)
  return chosenEntries(d.db, p, answered, justIds)
}

export const xclaim = defineCommand({
  name: "XCLAIM",
  since: "5.0.0",
  group: "stream",
  summary: "Gives pending entries of a group to a consumer, whoever had them.",
  complexity: "O(N*log M) where N is the number of ids and M that of pending entries.",
  syntax:
    "key group consumer min-idle-time id ... [IDLE ms] [TIME unix-time-milliseconds] [RETRYCOUNT count] [FORCE] " +
    "[JUSTID] [LASTID id]",
  arity: -6,
  flags: ["write", "fast"],
  tips: ["nondeterministic_output"],
  keys: firstKey("RW", "update"),
  decide: claim
})

// ——— XAUTOCLAIM ———

/** So many entries are claimed unless it is told otherwise, and for each up to so many are looked at. */
const usualCount = 100
const attempts = 10
/** The greatest COUNT: that many ids of 16 bytes. */
const mostCount = (2n ** 63n - 1n) / 16n
/** Beyond this Redis has no address space left for the ids of deleted entries it makes room for. */
const mostRoomFor = 2 ** 47 / 16

const autoClaim = (d: Decision, argv: Argv): Reply => {
  const key = argv.at(1)
  // Redis has looked for the key before it reads the rest: that is a miss even where the rest is refused.
  const found = d.counted(d.lookup(key), key)
  const minIdle = Math.max(0, numberAt(argv.at(4), badAutoMinIdle))
  const from = rangeStart(argv.at(5), new StreamId())
  let count = usualCount
  let justIds = false
  for (let i = 6; i < argv.length; i++) {
    if (i + 1 < argv.length && isWord(argv.at(i), "COUNT")) {
      const value = parseInt64Slice(argv.at(++i))
      if (value === undefined || value < 1 || BigInt(value) > mostCount) throw badCount
      count = Number(value)
    } else if (isWord(argv.at(i), "JUSTID")) justIds = true
    else throw errors.syntax
  }
  const groupName = argv.at(2)
  const { group, p } = groupAt(d, expectType(d, found, Entry.Type.stream), key, groupName)
  if (count > mostRoomFor) throw countTooHigh
  askingConsumer(d, group, argv.at(3))
  const claims = new Claims()
  let left = count
  pending.start(d.db, group, 0, from, greatestId)
  let more = true
  for (let tries = count * attempts; tries > 0 && left > 0; tries--) {
    more = pending.next()
    if (!more) break
    const id = pending.id.copy()
    if (!Stream.hasEntry(d.db, p, id)) {
      claims.lost.add(id)
      left--
    } else if (minIdle === 0 || d.time - pending.deliveredAt >= minIdle) {
      claims.add(id, justIds ? pending.deliveries : plusOne(pending.deliveries))
      left--
    }
  }
  const cursor = more && pending.next() ? pending.id.toString() : "0-0"
  claims.emit(d, key, groupName, argv.at(3), d.time)
  return [cursor, chosenEntries(d.db, p, claims.ids, justIds), claims.lost.list.map((id) => id.toString())]
}

export const xautoclaim = defineCommand({
  name: "XAUTOCLAIM",
  since: "6.2.0",
  group: "stream",
  summary: "Gives a consumer the entries of a group that have been pending for long, whoever had them.",
  complexity: "O(N) where N is ten times COUNT.",
  syntax: "key group consumer min-idle-time start(string) [COUNT count] [JUSTID]",
  history: [["7.0.0", "Answers the ids of entries that were pending and are no longer there."]],
  arity: -6,
  flags: ["write", "fast"],
  tips: ["nondeterministic_output"],
  keys: firstKey("RW", "delete"),
  decide: autoClaim
})
