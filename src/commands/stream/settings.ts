/** What a stream knows besides its entries and groups: XSETID, XCFGSET, XIDMPRECORD. */
import type { Int64 } from "../../log/events/fields.ts"
import { ok, ReplyError } from "../../net/resp/reply.ts"
import type { Slice } from "../../projections/memory/slice.ts"
import { compareIds, StreamId } from "../../projections/memory/stream-id.ts"
import * as Stream from "../../projections/stream-read.ts"
import { int64, isWord } from "../arguments.ts"
import { defineCommand, firstKey } from "../define.ts"
import { errors } from "../errors.ts"
import { writableStream } from "./access.ts"
import { noteProducer, usualIdempotency } from "./add.ts"
import { idAt } from "./ids.ts"

// ——— XSETID ———

const negativeAdded = new ReplyError("ERR entries_added must be positive")
const belowGivenDeleted = new ReplyError(
  "ERR The ID specified in XSETID is smaller than the provided max_deleted_entry_id"
)
const belowTop = new ReplyError("ERR The ID specified in XSETID is smaller than the target stream top item")
const fewerThanThere = new ReplyError(
  "ERR The entries_added specified in XSETID is smaller than the target stream length"
)

export const xsetid = defineCommand({
  name: "XSETID",
  since: "5.0.0",
  group: "stream",
  summary: "Sets the greatest id that a stream ever had. Meant for copying streams.",
  complexity: "O(1)",
  syntax: "key last-id [ENTRIESADDED entries_added@7.0.0] [MAXDELETEDID max_deleted_entry_id@7.0.0]",
  history: [["7.0.0", "The options `ENTRIESADDED` and `MAXDELETEDID`."]],
  arity: -3,
  flags: ["write", "denyoom", "fast"],
  keys: firstKey("RW", "update"),
  decide: (d, argv) => {
    const lastId = idAt(argv.at(2), new StreamId())
    let added: Int64 | undefined
    const deleted = new StreamId()
    for (let i = 3; i < argv.length; i += 2) {
      if (i + 1 === argv.length) throw errors.syntax
      if (isWord(argv.at(i), "ENTRIESADDED")) {
        added = int64(argv.at(i + 1))
        if (added < 0) throw negativeAdded
      } else if (isWord(argv.at(i), "MAXDELETEDID")) {
        idAt(argv.at(i + 1), deleted)
        if (compareIds(lastId, deleted) < 0) throw belowGivenDeleted
      } else throw errors.syntax
    }
    const key = argv.at(1)
    const p = writableStream(d, key)
    if (p === 0) throw errors.noSuchKey
    const maxDeletedId = Stream.maxDeletedId(d.db, p, new StreamId())
    const top = new StreamId()
    if (Stream.lastEntryId(d.db, p, top)) {
      if (compareIds(lastId, top) < 0) throw belowTop
      if (added !== undefined && Stream.length(d.db, p) > added) throw fewerThanThere
    }
    d.emit({
      _tag: "StreamIdSet",
      key,
      lastId,
      entriesAdded: added ?? Stream.entriesAdded(d.db, p),
      maxDeletedId: deleted.isZero ? maxDeletedId : deleted
    })
    return ok
  }
})

// ——— idempotency ———

const mostSeconds = 86_400
const mostNames = 10_000
const badDuration = new ReplyError(`ERR IDMP-DURATION must be between 1 and ${mostSeconds} seconds`)
const badMaxSize = new ReplyError(`ERR IDMP-MAXSIZE must be between 1 and ${mostNames} entries`)
const noParameter = new ReplyError("ERR At least one parameter must be specified")

/** An integer from 1 up to `most`, or the refusal given. */
const upTo = (arg: Slice, most: number, refusal: ReplyError): number => {
  const value = int64(arg)
  if (value < 1 || value > most) throw refusal
  return Number(value)
}

export const xcfgset = defineCommand({
  name: "XCFGSET",
  since: "8.6.0",
  group: "stream",
  summary: "Sets for how long, and how many of each producer, a stream remembers what was added by name.",
  complexity: "O(1); O(N) where that changes, N being what is remembered.",
  syntax: "key [IDMP-DURATION idmp-duration(integer)] [IDMP-MAXSIZE idmp-maxsize(integer)]",
  arity: -2,
  flags: ["write", "fast"],
  keys: firstKey("RW", "update"),
  decide: (d, argv) => {
    let durationSeconds: number | undefined
    let maxSize: number | undefined
    for (let i = 2; i < argv.length; i += 2) {
      if (i + 1 === argv.length) throw errors.syntax
      if (isWord(argv.at(i), "IDMP-DURATION")) durationSeconds = upTo(argv.at(i + 1), mostSeconds, badDuration)
      else if (isWord(argv.at(i), "IDMP-MAXSIZE")) maxSize = upTo(argv.at(i + 1), mostNames, badMaxSize)
      else throw errors.syntax
    }
    if (durationSeconds === undefined && maxSize === undefined) throw noParameter
    const key = argv.at(1)
    const p = writableStream(d, key)
    if (p === 0) throw errors.noSuchKey
    const before = Stream.producers(d.db, p)
    const { durationSeconds: seconds, maxSize: names } = before ?? usualIdempotency
    const next = { durationSeconds: durationSeconds ?? seconds, maxSize: maxSize ?? names }
    if (before === undefined || next.durationSeconds !== seconds || next.maxSize !== names) {
      d.emit({ _tag: "StreamConfigured", key, ...next })
    }
    return ok
  }
})

const noProducer = new ReplyError("ERR producer ID must be non-empty")
const noIid = new ReplyError("ERR idempotent ID must be non-empty")
const noEntry = new ReplyError("ERR No such message in stream")
const otherEntry = new ReplyError("ERR IID already exists for this producer with a different stream ID")

export const xidmprecord = defineCommand({
  name: "XIDMPRECORD",
  since: "8.8.0",
  group: "stream",
  summary: "Notes that an entry is what a producer added under a name. Meant for copying streams.",
  complexity: "O(1)",
  syntax: "key pid iid stream-id",
  arity: 5,
  flags: ["write", "denyoom", "fast"],
  keys: firstKey("RW", "update"),
  decide: (d, argv) => {
    const [key, producer, iid] = [argv.at(1), argv.at(2), argv.at(3)]
    const id = idAt(argv.at(4), new StreamId())
    if (producer.length === 0) throw noProducer
    if (iid.length === 0) throw noIid
    const p = writableStream(d, key)
    if (p === 0) throw errors.noSuchKey
    if (!Stream.hasEntry(d.db, p, id)) throw noEntry
    const noted = new StreamId()
    if (!Stream.findNoted(d.db, p, producer, iid, d.time, noted)) noteProducer(d, key, p, producer, iid, id)
    else if (compareIds(noted, id) !== 0) throw otherEntry
    return ok
  }
})
