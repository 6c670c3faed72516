/** Batches and events as replies: maps of names and values that read alike in redis-cli and in programs. */
import { commandName } from "../log/commands.ts"
import { type Batch, dbOf } from "../log/event-log.ts"
import type { Event, EventTag } from "../log/events/catalog.ts"
import { Double, MapReply, type Reply } from "../net/resp/reply.ts"
import * as Entry from "../projections/entry.ts"
import { Slice } from "../projections/memory/slice.ts"
import { StreamId } from "../projections/memory/stream-id.ts"
import { isName } from "./existence.ts"

type Pair = readonly [string, Reply]

/** How much of an event is shown. */
export interface Detail {
  /** Bytes of one value; what is longer is cut. */
  readonly valueBytes: number
  /** Elements of one event; those beyond are left out. */
  readonly elements: number
  /** Only this field, member or element. */
  readonly only: Uint8Array | undefined
}

/** What fits on a screen. */
export const briefly = (only: Uint8Array | undefined): Detail => ({ valueBytes: 1024, elements: 100, only })
/** All of it. */
export const inFull: Detail = { valueBytes: Infinity, elements: Infinity, only: undefined }

/** Who and what caused a batch, and when. */
export const envelopeOf = ({ author, command, origin, sequence, time }: Batch): ReadonlyArray<Pair> => [
  ["sequence", sequence],
  ["time", time],
  ["origin", origin],
  ["command", command === 0 ? null : commandName(command) ?? `command ${command}`],
  ["user", author === undefined ? null : author.user],
  ["client-id", author === undefined ? null : author.clientId],
  ["address", author === undefined ? null : author.address],
  ["client-name", author === undefined ? null : author.name]
]

/** An event of a batch, in LOG.READ. `detail` undefined: only its type and the keys it names. */
export const eventReply = (batch: Batch, index: number, detail: Detail | undefined): MapReply => {
  const event = batch.events[index]! as Event & { readonly key?: Slice }
  const own: Array<Pair> = [["type", event._tag], ["db", dbOf(batch, index)]]
  if (event.key !== undefined) own.push(["key", event.key])
  if (detail !== undefined) own.push(["change", changeOf(event, detail)])
  else if ("to" in event) own.push(["to", event.to])
  return new MapReply(own)
}

/** An event of a key's history: what caused it, and what it changed. */
export const changeReply = (batch: Batch, index: number, key: Uint8Array, detail: Detail): MapReply => {
  const event = batch.events[index]! as Event & { readonly key?: Slice }
  const [sequence, time, ...cause] = envelopeOf(batch)
  return new MapReply([
    sequence!,
    ["event", index],
    time!,
    ["type", event._tag],
    ["db", dbOf(batch, index)],
    ...cause,
    // Under another name than the one asked for: it was renamed or copied from there.
    ...event.key === undefined || isName(event.key, key) ? [] : [["key", event.key] as Pair],
    ["change", changeOf(event, detail)]
  ])
}

/** Fields that hold several elements, or fields and values in turn. */
const listed = new Set(["elements", "members", "fields", "sources", "indexes"])

/** What an event says besides its type and key. */
const changeOf = (event: Event, detail: Detail): MapReply => {
  const pairs: Array<Pair> = []
  const { only } = detail
  // Who asks for an entry of a stream wants all that is in it.
  const wanted = only !== undefined && "id" in event && isId(event.id, only)
  const shown = new Shown(wanted ? briefly(undefined) : detail)
  for (const [name, value] of Object.entries(event) as Array<[string, unknown]>) {
    if (name === "_tag" || name === "key" || name === "scores") continue
    if (name === "pairs") pairs.push(["fields", shown.map(value as ReadonlyArray<Slice>)])
    else if (event._tag === "SortedSetMembersScored" && name === "members") {
      pairs.push([name, shown.scored(event.members, event.scores)])
    } else if (name === "shape") pairs.push(["value-type", Entry.types[(value as number) >>> 4] ?? "unknown"])
    else if (listed.has(name)) pairs.push([name, shown.list(value as ReadonlyArray<Slice | number>)])
    else pairs.push([name, shown.value(value)])
  }
  if (shown.cutBytes > 0) pairs.push(["cut-bytes", shown.cutBytes])
  if (shown.leftOut > 0) pairs.push(["left-out", shown.leftOut])
  return new MapReply(pairs)
}

/** Shows values within the bounds, and counts what is beyond them. */
class Shown {
  cutBytes = 0
  leftOut = 0
  private readonly detail: Detail
  constructor(detail: Detail) {
    this.detail = detail
  }

  value(value: unknown): Reply {
    if (value instanceof Slice) {
      const beyond = value.length - this.detail.valueBytes
      if (beyond <= 0) return value
      this.cutBytes += beyond
      return new Slice(value.bytes, value.start, this.detail.valueBytes)
    }
    if (value instanceof StreamId) return String(value)
    if (Array.isArray(value)) return this.list(value)
    if (typeof value === "number" && !Number.isInteger(value)) return new Double(value)
    if (typeof value === "object" && value !== null) {
      return new MapReply(Object.entries(value).map(([name, field]) => [name, this.value(field)]))
    }
    return value as Reply
  }

  list(values: ReadonlyArray<unknown>): ReadonlyArray<Reply> {
    return this.within(values, (value) => value, (value) => this.value(value))
  }

  map(pairs: ReadonlyArray<Slice>): MapReply {
    const places = Array.from({ length: Math.floor(pairs.length / 2) }, (_, i) => 2 * i)
    return new MapReply(
      this.within(places, (at) => pairs[at], (at) => [this.value(pairs[at]), this.value(pairs[at + 1])] as const)
    )
  }

  scored(members: ReadonlyArray<Slice>, scores: ReadonlyArray<number>): MapReply {
    const places = members.map((_, i) => i)
    const score = (i: number): Reply => scores[i] === undefined ? null : new Double(scores[i])
    return new MapReply(this.within(places, (i) => members[i], (i) => [this.value(members[i]), score(i)] as const))
  }

  private within<A, B>(all: ReadonlyArray<A>, nameOf: (item: A) => unknown, show: (item: A) => B): Array<B> {
    const { elements, only } = this.detail
    const wanted = only === undefined
      ? all
      : all.filter((item) => {
        const name = nameOf(item)
        return !(name instanceof Slice) || isName(name, only)
      })
    this.leftOut += Math.max(0, wanted.length - elements)
    return wanted.slice(0, elements).map(show)
  }
}

/** Events that change a key as a whole, and with it whatever is in it. */
const whole = new Set<EventTag>([
  "KeyDeleted",
  "KeyExpired",
  "KeyEvicted",
  "KeyRenamed",
  "KeyCopied",
  "KeyMoved",
  "DatabaseFlushed",
  "KeyspaceFlushed",
  "DatabasesSwapped",
  "StringSet",
  "StringsCombined",
  "CollectionRestored",
  // Which members or elements those were stands nowhere.
  "SortedSetRangeRemoved",
  "ListTrimmed",
  "StreamTrimmed"
])

/** Whether an id is written like this. */
const isId = (id: unknown, text: Uint8Array): boolean =>
  id instanceof StreamId && isName(Slice.latin1(String(id)), text)

/** Whether an event concerns one field, member, element or entry of a stream: it names it, or changes the key as a whole. */
export const concernsField = (event: Event, field: Uint8Array): boolean => {
  if (whole.has(event._tag)) return true
  for (const [name, value] of Object.entries(event) as Array<[string, unknown]>) {
    if (name === "element" && isName(value as Slice, field)) return true
    if (name === "id" && isId(value, field)) return true
    if (name === "ids" && (value as ReadonlyArray<unknown>).some((id) => isId(id, field))) return true
    if (name === "pairs") {
      if ((value as ReadonlyArray<Slice>).some((slice, i) => i % 2 === 0 && isName(slice, field))) return true
    } else if (listed.has(name) && Array.isArray(value)) {
      if (value.some((item) => item instanceof Slice && isName(item, field))) return true
    }
  }
  return false
}
