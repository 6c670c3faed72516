/** Removing entries from streams: XDEL, XDELEX, and XACKDEL, which acknowledges them as well. */
import { type Reply, ReplyError } from "../../net/resp/reply.ts"
import type { Pointer } from "../../projections/memory/arena.ts"
import { parseInt64Slice } from "../../projections/memory/integer.ts"
import { compareIds, StreamId } from "../../projections/memory/stream-id.ts"
import { findPending, PendingRange } from "../../projections/stream-pending.ts"
import * as Stream from "../../projections/stream-read.ts"
import { isWord } from "../arguments.ts"
import type { Decision } from "../decision.ts"
import { type Argv, defineCommand, firstKey } from "../define.ts"
import { errors } from "../errors.ts"
import { writableStream } from "./access.ts"
import { idAt } from "./ids.ts"
import { forgetReferences, isReferenced, readReferences, type References } from "./references.ts"

/** Ids in order of arrival, each once. */
export class Ids {
  readonly list: Array<StreamId> = []
  private seen: Set<string> | undefined

  /** False when it was there. */
  add(id: StreamId): boolean {
    const { list } = this
    if (list.length === comparedOneByOne) this.seen = new Set(list.map((other) => other.toString()))
    if (this.seen === undefined) {
      for (const other of list) if (compareIds(other, id) === 0) return false
    } else {
      const text = id.toString()
      if (this.seen.has(text)) return false
      this.seen.add(text)
    }
    list.push(id)
    return true
  }
}

const comparedOneByOne = 12

/** The ids from word `at` on, up to `end`; refuses what is none. */
export const idsFrom = (argv: Argv, at: number, end = argv.length): ReadonlyArray<StreamId> => {
  const ids: Array<StreamId> = []
  for (let i = at; i < end; i++) ids.push(idAt(argv.at(i), new StreamId()))
  return ids
}

export const xdel = defineCommand({
  name: "XDEL",
  since: "5.0.0",
  group: "stream",
  summary: "Removes entries from a stream.",
  complexity: "O(log N) for each entry.",
  syntax: "key id ...",
  arity: -3,
  flags: ["write", "fast"],
  keys: firstKey("RW", "delete"),
  decide: (d, argv) => {
    const key = argv.at(1)
    const p = writableStream(d, key)
    if (p === 0) return 0
    const gone = new Ids()
    for (const id of idsFrom(argv, 2)) if (Stream.hasEntry(d.db, p, id)) gone.add(id)
    if (gone.list.length > 0) d.emit({ _tag: "StreamEntriesDeleted", key, ids: gone.list })
    return gone.list.length
  }
})

// ——— XDELEX, XACKDEL ———

const badCount = new ReplyError("ERR Number of IDs must be a positive integer")
const wrongCount = new ReplyError("ERR The `numids` parameter must match the number of arguments")
const missingIds = new ReplyError("ERR IDS option is required")

/** What becomes of an entry. */
const outcome = { absent: -1, deleted: 1, kept: 2 } as const

interface Deletion {
  readonly references: References
  readonly ids: ReadonlyArray<StreamId>
}

/** Reads "[KEEPREF | DELREF | ACKED] IDS numids id ..." from word `at` on, in any order. */
const deletionFrom = (argv: Argv, at: number): Deletion => {
  let references: References | undefined
  let ids: ReadonlyArray<StreamId> | undefined
  for (let i = at; i < argv.length;) {
    const given = references === undefined ? readReferences(argv.at(i)) : undefined
    if (given !== undefined) {
      references = given
      i++
    } else if (i + 1 < argv.length && isWord(argv.at(i), "IDS")) {
      const count = parseInt64Slice(argv.at(i + 1))
      if (count === undefined || count < 1) throw badCount
      if (count > argv.length - i - 2) throw wrongCount
      ids = idsFrom(argv, i + 2, i + 2 + Number(count))
      i += 2 + Number(count)
    } else throw errors.syntax
  }
  if (ids === undefined) throw missingIds
  return { references: references ?? "keep", ids }
}

/** `group`: where they have been acknowledged already, if anywhere. */
const remove = (
  d: Decision,
  argv: Argv,
  p: Pointer,
  ids: ReadonlyArray<StreamId>,
  references: References,
  group: Pointer = 0
): void => {
  const key = argv.at(1)
  if (references === "delete") forgetReferences(d, key, p, ids, group)
  const gone = ids.filter((id) => Stream.hasEntry(d.db, p, id))
  if (gone.length > 0) d.emit({ _tag: "StreamEntriesDeleted", key, ids: gone })
}

const condition = "[condition: KEEPREF | DELREF | ACKED]"

export const xdelex = defineCommand({
  name: "XDELEX",
  since: "8.2.0",
  group: "stream",
  summary: "Removes entries from a stream, and tells what is to become of them where they are pending.",
  complexity: "O(log N) for each entry and group.",
  syntax: `key ${condition} IDS <numids(integer) id ...>`,
  arity: -5,
  flags: ["write", "fast"],
  keys: firstKey("RW", "delete"),
  decide: (d, argv): Reply => {
    const { ids, references } = deletionFrom(argv, 2)
    const p = writableStream(d, argv.at(1))
    if (p === 0) return ids.map(() => outcome.absent)
    const groups = references === "acknowledged" ? Stream.groups(d.db, p) : []
    const gone = new Ids()
    const outcomes = ids.map((id) => {
      if (!Stream.hasEntry(d.db, p, id)) {
        if (references === "delete") gone.add(id)
        return outcome.absent
      }
      if (isReferenced(d, groups, id)) return outcome.kept
      return gone.add(id) ? outcome.deleted : outcome.absent
    })
    remove(d, argv, p, gone.list, references)
    return outcomes
  }
})

const pending = new PendingRange()

export const xackdel = defineCommand({
  name: "XACKDEL",
  since: "8.2.0",
  group: "stream",
  summary: "Acknowledges entries for a group and removes them from the stream.",
  complexity: "O(log N) for each entry and group.",
  syntax: `key group ${condition} IDS <numids(integer) id ...>`,
  arity: -6,
  flags: ["write", "fast"],
  keys: firstKey("RW", "update", "delete"),
  decide: (d, argv): Reply => {
    const { ids, references } = deletionFrom(argv, 3)
    const p = writableStream(d, argv.at(1))
    const group = p === 0 ? 0 : Stream.findGroup(d.db, p, argv.at(2))
    if (group === 0) return ids.map(() => outcome.absent)
    const groups = references === "acknowledged" ? Stream.groups(d.db, p) : []
    const acknowledged = new Ids()
    const gone: Array<StreamId> = []
    const outcomes = ids.map((id) => {
      if (!findPending(d.db, group, id, pending) || !acknowledged.add(id)) return outcome.absent
      if (Stream.hasEntry(d.db, p, id) && isReferenced(d, groups, id, group)) return outcome.kept
      gone.push(id)
      return outcome.deleted
    })
    if (acknowledged.list.length > 0) {
      d.emit({ _tag: "StreamEntriesAcknowledged", key: argv.at(1), group: argv.at(2), ids: acknowledged.list })
    }
    remove(d, argv, p, gone, references, group)
    return outcomes
  }
})
