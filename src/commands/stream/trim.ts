/** Making streams shorter: how XADD and XTRIM are told to, and which entries leave. */
import { ReplyError } from "../../net/resp/reply.ts"
import type { Pointer } from "../../projections/memory/arena.ts"
import type { Slice } from "../../projections/memory/slice.ts"
import { advance, compareIds, greatestId, leastId, StreamId } from "../../projections/memory/stream-id.ts"
import * as Stream from "../../projections/stream-read.ts"
import { int64, isWord } from "../arguments.ts"
import type { Decision } from "../decision.ts"
import { type Argv, defineCommand, firstKey } from "../define.ts"
import { errors } from "../errors.ts"
import { writableStream } from "./access.ts"
import { countBefore, idsBetween } from "./entries.ts"
import { idAt, isCharacter } from "./ids.ts"
import { forgetReferences, isReferenced, readReferences, type References } from "./references.ts"

const both = new ReplyError("ERR syntax error, MAXLEN and MINID options at the same time are not compatible")
const negativeLength = new ReplyError("ERR The MAXLEN argument must be >= 0.")
const negativeLimit = new ReplyError("ERR The LIMIT argument must be >= 0.")
const limitAlone = new ReplyError("ERR syntax error, LIMIT cannot be used without specifying a trimming strategy")
const limitExact = new ReplyError("ERR syntax error, LIMIT cannot be used without the special ~ option")
const noStrategy = new ReplyError("ERR syntax error, XTRIM must be called with a trimming strategy")

const tilde = 0x7e
const equals = 0x3d
/** So many nodes an approximate trimming looks at, unless it is told otherwise, and the least and most entries. */
const usualNodes = 100
const usualLimit = 10_000
const mostUsualLimit = 1_000_000

const nodes = new Stream.NodeRange()
const entries = new Stream.EntryRange()

/** How a stream is to be trimmed. One instance is filled anew for each request. */
export class Trimming {
  strategy: "none" | "length" | "id" = "none"
  /** Only whole nodes leave. */
  approximate = false
  /** Most entries that leave, 0 for any number. */
  limit = 0
  limited = false
  maxLength = 0
  readonly minId = new StreamId()
  references: References | undefined = undefined

  reset(): void {
    this.strategy = "none"
    this.approximate = false
    this.limit = 0
    this.limited = false
    this.references = undefined
  }

  /** Reads the option at word `at`; returns how many words it takes, 0 when it is no option about trimming. */
  read(argv: Argv, at: number): number {
    const option = argv.at(at)
    const more = argv.length - 1 - at
    if (more > 0 && isWord(option, "MAXLEN")) return this.readStrategy(argv, at, "length")
    if (more > 0 && isWord(option, "MINID")) return this.readStrategy(argv, at, "id")
    if (more > 0 && isWord(option, "LIMIT")) {
      this.limit = Number(int64(argv.at(at + 1)))
      if (this.limit < 0) throw negativeLimit
      this.limited = true
      return 2
    }
    const references = readReferences(option)
    if (references === undefined) return 0
    if (this.references !== undefined) throw errors.syntax
    this.references = references
    return 1
  }

  private readStrategy(argv: Argv, at: number, strategy: "length" | "id"): number {
    if (this.strategy !== "none") throw both
    const marked = at + 2 < argv.length &&
      (isCharacter(argv.at(at + 1), tilde) || isCharacter(argv.at(at + 1), equals))
    this.approximate = marked && isCharacter(argv.at(at + 1), tilde)
    const threshold = argv.at(marked ? at + 2 : at + 1)
    if (strategy === "id") idAt(threshold, this.minId)
    else {
      this.maxLength = Number(int64(threshold))
      if (this.maxLength < 0) throw negativeLength
    }
    this.strategy = strategy
    return marked ? 3 : 2
  }

  /** To be called when all options are read. `nodeEntries`: stream-node-max-entries. */
  check(nodeEntries: number): void {
    if (this.limit > 0 && this.strategy === "none") throw limitAlone
    if (this.limited) {
      if (!this.approximate) throw limitExact
    } else if (this.approximate) {
      this.limit = nodeEntries > 0 ? Math.min(usualNodes * nodeEntries, mostUsualLimit) : usualLimit
    }
  }
}

/** An entry that the command adds before it trims: it is not there yet, but counts. */
export interface Added {
  readonly id: StreamId
  readonly pairs: ReadonlyArray<Slice>
}

/**
 * Emits what makes the stream at `p` (0: none yet) as short as asked, when `added` is there. Returns how many entries leave.
 */
export const trim = (d: Decision, key: Slice, p: Pointer, trimming: Trimming, added?: Added): number => {
  if (trimming.strategy === "none") return 0
  if (trimming.references === "acknowledged" && p !== 0 && Stream.groupCount(d.db, p) > 0) {
    return trimAcknowledged(d, key, p, trimming, added)
  }
  const count = trimming.approximate ? wholeNodes(d, p, trimming, added) : exactly(d, p, trimming, added)
  if (count === 0) return 0
  if (trimming.references === "delete" && p !== 0) forgetFirst(d, key, p, count)
  d.emit({ _tag: "StreamTrimmed", key, count })
  return count
}

const exactly = (
  d: Decision,
  p: Pointer,
  { maxLength, minId, strategy }: Trimming,
  added: Added | undefined
): number => {
  if (strategy === "length") return Math.max(0, lengthWith(d, p, added) - maxLength)
  const before = p === 0 ? 0 : countBefore(d.db, p, minId)
  return before + (added !== undefined && compareIds(added.id, minId) < 0 ? 1 : 0)
}

/** Names the nodes of a stream, as they are when `added` is there, until `visit` answers false. */
const eachNode = (
  d: Decision,
  p: Pointer,
  added: Added | undefined,
  visit: (live: number, lastId: StreamId) => boolean
): void => {
  const opens = added !== undefined && (p === 0 || Stream.opensNode(d.db, p, added.pairs))
  if (p !== 0) {
    nodes.start(d.db, p)
    for (let rest = Stream.treeKeys(d.db, p); nodes.next(); rest--) {
      const joined = rest === 1 && added !== undefined && !opens
      if (!(joined ? visit(nodes.live + 1, added.id) : visit(nodes.live, nodes.lastId))) return
    }
  }
  if (opens) visit(1, added.id)
}

/** Whether an approximate trimming reaches over a whole node. `left`: entries of the stream now; `gone`: those that leave. */
const reachesOver = (
  { limit, maxLength, minId, strategy }: Trimming,
  live: number,
  lastId: StreamId,
  left: number,
  gone: number
): boolean => {
  if (limit > 0 && gone + live > limit) return false
  return strategy === "length" ? left > maxLength && left - live >= maxLength : compareIds(lastId, minId) < 0
}

const lengthWith = (d: Decision, p: Pointer, added: Added | undefined): number =>
  (p === 0 ? 0 : Stream.length(d.db, p)) + (added === undefined ? 0 : 1)

const wholeNodes = (d: Decision, p: Pointer, trimming: Trimming, added: Added | undefined): number => {
  let left = lengthWith(d, p, added)
  let gone = 0
  eachNode(d, p, added, (live, lastId) => {
    if (!reachesOver(trimming, live, lastId, left, gone)) return false
    left -= live
    gone += live
    return true
  })
  return gone
}

/** The first `count` entries are pending nowhere any more. */
const forgetFirst = (d: Decision, key: Slice, p: Pointer, count: number): void =>
  forgetReferences(d, key, p, idsBetween(d.db, p, leastId, greatestId, count))

/** Only what every group has read and acknowledged leaves: entries before it may stay, also in a node that is reached over. */
const trimAcknowledged = (
  d: Decision,
  key: Slice,
  p: Pointer,
  trimming: Trimming,
  added: Added | undefined
): number => {
  const { approximate, maxLength, minId, strategy } = trimming
  const groups = Stream.groups(d.db, p)
  let left = lengthWith(d, p, added)
  const gone: Array<StreamId> = []
  let stays = false
  let isPrefix = true
  const meet = (id: StreamId): void => {
    if (isReferenced(d, groups, id)) stays = true
    else {
      if (stays) isPrefix = false
      gone.push(id.copy())
      left--
    }
  }
  if (approximate) {
    const from = new StreamId()
    eachNode(d, p, added, (live, lastId) => {
      if (!reachesOver(trimming, live, lastId, left, gone.length)) return false
      for (const id of idsBetween(d.db, p, from, lastId)) meet(id)
      if (lastId === added?.id) meet(lastId)
      advance(from.from(lastId))
      return true
    })
  } else {
    const goesOn = (id: StreamId): boolean => strategy === "length" ? left > maxLength : compareIds(id, minId) < 0
    entries.start(d.db, p, leastId, greatestId)
    while (entries.next() && goesOn(entries.id)) meet(entries.id)
    if (added !== undefined && goesOn(added.id)) meet(added.id)
  }
  if (gone.length === 0) return 0
  if (isPrefix) d.emit({ _tag: "StreamTrimmed", key, count: gone.length })
  else d.emit({ _tag: "StreamEntriesTrimmed", key, ids: gone })
  return gone.length
}

/** The arguments about trimming, for the documentation. */
export const trimSyntax =
  "<strategy: MAXLEN | MINID@6.2.0> [operator: equal== | approximately=~] threshold [LIMIT count@6.2.0]"

const request = new Trimming()

export const xtrim = defineCommand({
  name: "XTRIM",
  since: "5.0.0",
  group: "stream",
  summary: "Removes the oldest entries of a stream.",
  complexity: "O(N) where N is the number of entries that leave; nodes that leave as a whole cost little.",
  syntax: `key <trim: ${trimSyntax} [condition: KEEPREF | DELREF | ACKED]@8.2.0>`,
  history: [
    ["6.2.0", "The strategy `MINID` and the option `LIMIT`."],
    ["8.2.0", "The options `KEEPREF`, `DELREF` and `ACKED`."]
  ],
  arity: -4,
  flags: ["write"],
  tips: ["nondeterministic_output"],
  keys: firstKey("RW", "delete"),
  decide: (d, argv) => {
    request.reset()
    for (let i = 2; i < argv.length;) {
      const words = request.read(argv, i)
      if (words === 0) throw errors.syntax
      i += words
    }
    if (request.strategy === "none") throw request.limit > 0 ? limitAlone : noStrategy
    request.check(d.db.limits.streamNodeEntries)
    const key = argv.at(1)
    const p = writableStream(d, key)
    return p === 0 ? 0 : trim(d, key, p, request)
  }
})
