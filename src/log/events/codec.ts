import type { Slice } from "../../projections/memory/slice.ts"
import { cases, codes, type Event, type EventOf, type EventTag, tags } from "./catalog.ts"
import { ListSide, readPolicy, StreamId, writePolicy } from "./fields.ts"
import { type ByteReader, type ByteWriter, WireError, wireOf } from "./wire.ts"

/** Writes and reads the payload of one kind of event (its number is written by `encodeEvent`). */
export interface EventCodec<E extends Event = Event> {
  readonly write: (out: ByteWriter, event: E) => void
  readonly read: (from: ByteReader) => E
}
type Codecs = { readonly [Tag in EventTag]: EventCodec<EventOf<Tag>> }

const derive = (tag: EventTag): EventCodec<never> => {
  const fields = Object.entries(cases[tag].fields)
    .filter(([name]) => name !== "_tag")
    .map(([name, schema]) => [name, wireOf(schema)] as const)
  return {
    write: (out, event) => {
      for (const [name, wire] of fields) wire.write(out, (event as Record<string, unknown>)[name])
    },
    read: (from) => {
      const event: Record<string, unknown> = { _tag: tag }
      for (const [name, wire] of fields) event[name] = wire.read(from)
      return event as never
    }
  }
}

/** A codec for every event, walking the fields its schema declares, in their order. */
export const derived = Object.fromEntries(tags.map((tag) => [tag, derive(tag)])) as unknown as Codecs

const writeSlices = (out: ByteWriter, slices: ReadonlyArray<Slice>): void => {
  out.varint(slices.length)
  for (let i = 0; i < slices.length; i++) out.blob(slices[i]!)
}

const readMembers = wireOf(cases.SortedSetMembersScored.fields.members).read as (from: ByteReader) => Array<Slice>
const readId = wireOf(StreamId).read as (from: ByteReader) => StreamId
const readIds = wireOf(cases.StreamEntriesAcknowledged.fields.ids).read as (from: ByteReader) => Array<StreamId>
const readSide = wireOf(ListSide).read as (from: ByteReader) => ListSide
const readScores = wireOf(cases.SortedSetMembersScored.fields.scores).read as (from: ByteReader) => Array<number>

const writeId = (out: ByteWriter, id: StreamId): void => {
  out.varint64(id.msHigh, id.msLow)
  out.varint64(id.seqHigh, id.seqLow)
}

const writeIds = (out: ByteWriter, ids: ReadonlyArray<StreamId>): void => {
  out.varint(ids.length)
  for (let i = 0; i < ids.length; i++) writeId(out, ids[i]!)
}

/** Written by hand for the events a profile shows; a test holds each to its derived twin, byte for byte. */
export const tuned: { readonly [Tag in EventTag]?: EventCodec<EventOf<Tag>> } = {
  StringSet: {
    write: (out, event) => {
      out.blob(event.key)
      out.blob(event.value)
      if (event.expireAt === null) out.u8(0)
      else {
        out.u8(1)
        out.varint(event.expireAt)
      }
    },
    read: (from) => ({
      _tag: "StringSet",
      key: from.blob(),
      value: from.blob(),
      expireAt: from.u8() === 0 ? null : from.varint()
    })
  },
  StringIncremented: {
    write: (out, event) => {
      out.blob(event.key)
      out.int64(event.value)
    },
    read: (from) => ({ _tag: "StringIncremented", key: from.blob(), value: from.int64() })
  },
  StringRangeSet: {
    write: (out, event) => {
      out.blob(event.key)
      out.varint(event.offset)
      out.blob(event.value)
    },
    read: (from) => ({ _tag: "StringRangeSet", key: from.blob(), offset: from.varint(), value: from.blob() })
  },
  StringSpliced: {
    write: (out, event) => {
      out.blob(event.key)
      out.varint(event.offset)
      out.varint(event.removed)
      out.blob(event.value)
    },
    read: (from) => ({
      _tag: "StringSpliced",
      key: from.blob(),
      offset: from.varint(),
      removed: from.varint(),
      value: from.blob()
    })
  },
  KeyDeleted: {
    write: (out, event) => out.blob(event.key),
    read: (from) => ({ _tag: "KeyDeleted", key: from.blob() })
  },
  KeyExpired: {
    write: (out, event) => out.blob(event.key),
    read: (from) => ({ _tag: "KeyExpired", key: from.blob() })
  },
  ListPushed: {
    write: (out, event) => {
      out.blob(event.key)
      out.u8(event.side === "left" ? 0 : 1)
      writeSlices(out, event.elements)
    },
    read: (from) => ({ _tag: "ListPushed", key: from.blob(), side: readSide(from), elements: readMembers(from) })
  },
  ListPopped: {
    write: (out, event) => {
      out.blob(event.key)
      out.u8(event.side === "left" ? 0 : 1)
      writeSlices(out, event.elements)
    },
    read: (from) => ({ _tag: "ListPopped", key: from.blob(), side: readSide(from), elements: readMembers(from) })
  },
  SetMembersAdded: {
    write: (out, event) => {
      out.blob(event.key)
      writeSlices(out, event.members)
    },
    read: (from) => ({ _tag: "SetMembersAdded", key: from.blob(), members: readMembers(from) })
  },
  SetMembersRemoved: {
    write: (out, event) => {
      out.blob(event.key)
      writeSlices(out, event.members)
    },
    read: (from) => ({ _tag: "SetMembersRemoved", key: from.blob(), members: readMembers(from) })
  },
  HashFieldsSet: {
    write: (out, event) => {
      out.blob(event.key)
      writeSlices(out, event.pairs)
    },
    read: (from) => ({ _tag: "HashFieldsSet", key: from.blob(), pairs: readMembers(from) })
  },
  HashFieldsUpdated: {
    write: (out, event) => {
      out.blob(event.key)
      writeSlices(out, event.pairs)
    },
    read: (from) => ({ _tag: "HashFieldsUpdated", key: from.blob(), pairs: readMembers(from) })
  },
  SortedSetMembersScored: {
    write: (out, { key, members, scores }) => {
      out.blob(key)
      writeSlices(out, members)
      out.varint(scores.length)
      for (let i = 0; i < scores.length; i++) out.f64(scores[i]!)
    },
    read: (from) => ({
      _tag: "SortedSetMembersScored",
      key: from.blob(),
      members: readMembers(from),
      scores: readScores(from)
    })
  },
  SortedSetMembersRemoved: {
    write: (out, event) => {
      out.blob(event.key)
      writeSlices(out, event.members)
    },
    read: (from) => ({ _tag: "SortedSetMembersRemoved", key: from.blob(), members: readMembers(from) })
  },
  StreamEntryAdded: {
    write: (out, event) => {
      out.blob(event.key)
      writeId(out, event.id)
      writeSlices(out, event.pairs)
    },
    read: (from) => ({ _tag: "StreamEntryAdded", key: from.blob(), id: readId(from), pairs: readMembers(from) })
  },
  StreamEntriesDelivered: {
    write: (out, event) => {
      out.blob(event.key)
      out.blob(event.group)
      out.blob(event.consumer)
      writeIds(out, event.ids)
      writeId(out, event.lastDelivered)
      if (event.entriesRead === null) out.u8(0)
      else {
        out.u8(1)
        out.int64(event.entriesRead)
      }
      out.varint(event.time)
    },
    read: (from) => ({
      _tag: "StreamEntriesDelivered",
      key: from.blob(),
      group: from.blob(),
      consumer: from.blob(),
      ids: readIds(from),
      lastDelivered: readId(from),
      entriesRead: from.u8() === 0 ? null : from.int64(),
      time: from.varint()
    })
  },
  StreamEntriesAcknowledged: {
    write: (out, event) => {
      out.blob(event.key)
      out.blob(event.group)
      writeIds(out, event.ids)
    },
    read: (from) => ({
      _tag: "StreamEntriesAcknowledged",
      key: from.blob(),
      group: from.blob(),
      ids: readIds(from)
    })
  },
  KeyEvicted: {
    write: (out, event) => {
      out.blob(event.key)
      writePolicy(out, event.policy)
    },
    read: (from) => ({ _tag: "KeyEvicted", key: from.blob(), policy: readPolicy(from) })
  }
}

const codecs: Codecs = { ...derived, ...tuned }
const byCode: Array<EventCodec | undefined> = []
for (const tag of tags) byCode[codes[tag]] = codecs[tag] as unknown as EventCodec

const {
  HashFieldsSet,
  HashFieldsUpdated,
  KeyDeleted,
  KeyEvicted,
  KeyExpired,
  ListPopped,
  ListPushed,
  SetMembersAdded,
  SetMembersRemoved,
  SortedSetMembersRemoved,
  SortedSetMembersScored,
  StreamEntriesAcknowledged,
  StreamEntriesDelivered,
  StreamEntryAdded,
  StringIncremented,
  StringRangeSet,
  StringSet,
  StringSpliced
} = codecs

/** Writes an event: its number as varint, then its payload. */
export const encodeEvent = (out: ByteWriter, event: Event): void => {
  switch (event._tag) { // the frequent ones, spared two keyed loads and a call that nobody can see through
    case "StringSet":
      out.u8(codes.StringSet)
      return StringSet.write(out, event)
    case "StringIncremented":
      out.u8(codes.StringIncremented)
      return StringIncremented.write(out, event)
    case "StringRangeSet":
      out.u8(codes.StringRangeSet)
      return StringRangeSet.write(out, event)
    case "StringSpliced":
      out.u8(codes.StringSpliced)
      return StringSpliced.write(out, event)
    case "ListPushed":
      out.u8(codes.ListPushed)
      return ListPushed.write(out, event)
    case "ListPopped":
      out.u8(codes.ListPopped)
      return ListPopped.write(out, event)
    case "SetMembersAdded":
      out.u8(codes.SetMembersAdded)
      return SetMembersAdded.write(out, event)
    case "HashFieldsSet":
      out.u8(codes.HashFieldsSet)
      return HashFieldsSet.write(out, event)
    case "HashFieldsUpdated":
      out.u8(codes.HashFieldsUpdated)
      return HashFieldsUpdated.write(out, event)
    case "SortedSetMembersScored":
      out.u8(codes.SortedSetMembersScored)
      return SortedSetMembersScored.write(out, event)
    case "StreamEntryAdded":
      out.u8(codes.StreamEntryAdded)
      return StreamEntryAdded.write(out, event)
    case "StreamEntriesDelivered":
      out.u8(codes.StreamEntriesDelivered)
      return StreamEntriesDelivered.write(out, event)
    case "StreamEntriesAcknowledged":
      out.u8(codes.StreamEntriesAcknowledged)
      return StreamEntriesAcknowledged.write(out, event)
    case "KeyEvicted": // at the memory limit as frequent as writes
      out.u8(codes.KeyEvicted)
      return KeyEvicted.write(out, event)
    case "KeyExpired":
      out.u8(codes.KeyExpired)
      return KeyExpired.write(out, event)
    case "KeyDeleted":
      out.u8(codes.KeyDeleted)
      return KeyDeleted.write(out, event)
    case "SetMembersRemoved":
      out.u8(codes.SetMembersRemoved)
      return SetMembersRemoved.write(out, event)
    case "SortedSetMembersRemoved":
      out.u8(codes.SortedSetMembersRemoved)
      return SortedSetMembersRemoved.write(out, event)
  }
  out.varint(codes[event._tag])
  ;(codecs[event._tag] as unknown as EventCodec<never>).write(out, event as never)
}

/** Reads one event; throws `WireError` on an unknown number or a payload that ends early. */
export const decodeEvent = (from: ByteReader): Event => {
  const code = from.varint()
  const codec = byCode[code]
  if (codec === undefined) throw new WireError(`unknown event number ${code} at offset ${from.offset}`)
  return codec.read(from)
}
