/** XACK and XNACK: consumers are done with entries, or give them back. */
import type { Int64 } from "../../log/events/fields.ts"
import { type Reply, ReplyError } from "../../net/resp/reply.ts"
import { parseInt64Slice } from "../../projections/memory/integer.ts"
import { compareIds, StreamId } from "../../projections/memory/stream-id.ts"
import { findPending, PendingRange } from "../../projections/stream-pending.ts"
import * as Stream from "../../projections/stream-read.ts"
import { int64, isWord, shown } from "../arguments.ts"
import type { Decision } from "../decision.ts"
import { type Argv, defineCommand, firstKey } from "../define.ts"
import { groupOf, readableStream } from "./access.ts"
import { Ids, idsFrom } from "./delete.ts"
import { idAt } from "./ids.ts"

const pending = new PendingRange()

const acknowledge = (d: Decision, argv: Argv): Reply => {
  const key = argv.at(1)
  const p = readableStream(d, key)
  const group = p === 0 ? 0 : Stream.findGroup(d.db, p, argv.at(2))
  if (group === 0) return 0
  if (argv.length === 4) {
    const id = idAt(argv.at(3), new StreamId())
    if (!findPending(d.db, group, id, pending)) return 0
    d.emit({ _tag: "StreamEntriesAcknowledged", key, group: argv.at(2), ids: [id] })
    return 1
  }
  const done = new Ids()
  for (const id of idsFrom(argv, 3)) if (findPending(d.db, group, id, pending)) done.add(id)
  if (done.list.length > 0) d.emit({ _tag: "StreamEntriesAcknowledged", key, group: argv.at(2), ids: done.list })
  return done.list.length
}

export const xack = defineCommand({
  name: "XACK",
  since: "5.0.0",
  group: "stream",
  summary: "Tells that entries are done with: they are pending no longer. Answers how many were.",
  complexity: "O(log N) for each id, N being the number of pending entries.",
  syntax: "key group id ...",
  arity: -4,
  flags: ["write", "fast"],
  keys: firstKey("RW", "update"),
  decide: acknowledge
})

// ——— XNACK ———

const badMode = new ReplyError("ERR mode must be SILENT, FAIL, or FATAL")
const badCount = new ReplyError("ERR numids must be a positive integer")
const wrongCount = new ReplyError("ERR number of IDs doesn't match numids")
const missingIds = new ReplyError("ERR syntax error, expected IDS keyword")
const negativeRetryCount = new ReplyError("ERR Invalid RETRYCOUNT value, must be >= 0")

/** The greatest number of deliveries: that of what nobody should try again. */
const mostDeliveries = 2n ** 63n - 1n

type Mode = "silent" | "fail" | "fatal"

const modeOf = (argv: Argv): Mode => {
  const word = argv.at(3)
  if (isWord(word, "SILENT")) return "silent"
  if (isWord(word, "FAIL")) return "fail"
  if (isWord(word, "FATAL")) return "fatal"
  throw badMode
}

interface Release {
  readonly mode: Mode
  readonly ids: ReadonlyArray<StreamId>
  readonly retryCount: Int64 | undefined
  readonly force: boolean
}

const releaseOf = (argv: Argv): Release => {
  const mode = modeOf(argv)
  let ids: ReadonlyArray<StreamId> | undefined
  let retryCount: Int64 | undefined
  let force = false
  for (let i = 4; i < argv.length;) {
    const option = argv.at(i)
    const more = i + 1 < argv.length
    if (ids === undefined && more && isWord(option, "IDS")) {
      const count = parseInt64Slice(argv.at(i + 1))
      if (count === undefined || count < 1) throw badCount
      if (count > argv.length - i - 2) throw wrongCount
      ids = idsFrom(argv, i + 2, i + 2 + Number(count))
      i += 2 + Number(count)
    } else if (more && isWord(option, "RETRYCOUNT")) {
      retryCount = int64(argv.at(i + 1))
      if (retryCount < 0) throw negativeRetryCount
      i += 2
    } else if (isWord(option, "FORCE")) {
      force = true
      i++
    } else throw new ReplyError(`ERR Unrecognized XNACK option '${shown(option)}'`)
  }
  if (ids === undefined) throw missingIds
  return { mode, ids, retryCount, force }
}

/** The deliveries of an entry that is released; `before` is undefined for one that was not pending. */
const deliveriesAfter = ({ mode, retryCount }: Release, before: Int64 | undefined): Int64 => {
  if (retryCount !== undefined) return retryCount
  if (mode === "fatal") return mostDeliveries
  if (before === undefined || mode === "fail") return before ?? 0
  return typeof before === "number" ? Math.max(0, before - 1) : before - 1n
}

/** An entry that is released, and its place among those. */
interface Released {
  readonly id: StreamId
  readonly count: Int64
}

const release = (d: Decision, argv: Argv): Reply => {
  const request = releaseOf(argv)
  const { group, p } = groupOf(d, argv.at(1), argv.at(2))
  // In the order of their release: who is named again goes to the end.
  const released = new Map<string, Released>()
  let done = 0
  for (const id of request.ids) {
    const text = id.toString()
    let before = released.get(text)?.count
    if (before === undefined) {
      if (findPending(d.db, group, id, pending)) before = pending.deliveries
      else if (!request.force || !Stream.hasEntry(d.db, p, id)) continue
    } else released.delete(text)
    released.set(text, { id, count: deliveriesAfter(request, before) })
    done++
  }
  emitReleased(d, argv, [...released.values()], Stream.nextRelease(d.db, group))
  return done
}

/**
 * Entries are taken again in the order in which they were released. That is an order of times and ids: so ids that go up
 * share an event, and its number in the place of a time; where one is lower than the one before, the next number begins.
 */
const emitReleased = (d: Decision, argv: Argv, released: ReadonlyArray<Released>, first: number): void => {
  let deliveredAt = first
  for (let from = 0; from < released.length; deliveredAt++) {
    let end = from + 1
    while (end < released.length && compareIds(released[end - 1]!.id, released[end]!.id) < 0) end++
    const run = released.slice(from, end)
    d.emit({
      _tag: "StreamEntriesReleased",
      key: argv.at(1),
      group: argv.at(2),
      ids: run.map(({ id }) => id),
      counts: run.map(({ count }) => count),
      deliveredAt
    })
    from = end
  }
}

export const xnack = defineCommand({
  name: "XNACK",
  since: "8.8.0",
  group: "stream",
  summary: "Gives pending entries back: nobody has them, and whoever claims entries next gets them first.",
  complexity: "O(log N) for each id, N being the number of pending entries.",
  syntax: "key group <mode: SILENT | FAIL | FATAL> IDS <numids(integer) id ...> [RETRYCOUNT count] [FORCE]",
  arity: -7,
  flags: ["write", "fast"],
  keys: firstKey("RW", "update"),
  decide: release
})
