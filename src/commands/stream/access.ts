/** What the commands of streams share: finding streams and groups, and what is said when there is none. */
import { ReplyError } from "../../net/resp/reply.ts"
import * as Entry from "../../projections/entry.ts"
import type { Pointer } from "../../projections/memory/arena.ts"
import type { Slice } from "../../projections/memory/slice.ts"
import * as Stream from "../../projections/stream-read.ts"
import { shown } from "../arguments.ts"
import { readableOf, writableOf } from "../collections.ts"
import type { Decision } from "../decision.ts"

/** The stream of a key that is read, 0 when absent; refuses other types. */
export const readableStream = (d: Decision, key: Slice): Pointer => readableOf(d, key, Entry.Type.stream)

/** The stream of a key that is changed, 0 when absent; refuses other types. */
export const writableStream = (d: Decision, key: Slice): Pointer => writableOf(d, key, Entry.Type.stream)

/** The refusal where neither the key may be missing nor the group. */
export const noGroup = (key: Slice, group: Slice): ReplyError =>
  new ReplyError(`NOGROUP No such key '${shown(key)}' or consumer group '${shown(group)}'`)

/** The refusal where the key is there. */
export const noGroupAt = (key: Slice, group: Slice): ReplyError =>
  new ReplyError(`NOGROUP No such consumer group '${shown(group)}' for key name '${shown(key)}'`)

/** A stream and one of its groups. */
export interface Grouped {
  readonly p: Pointer
  readonly group: Pointer
}

/** The group of a stream, which must both be there. */
export const groupOf = (d: Decision, key: Slice, name: Slice): Grouped => groupAt(d, readableStream(d, key), key, name)

/** The same, where the stream has been looked up: 0 if it is not there. */
export const groupAt = (d: Decision, p: Pointer, key: Slice, name: Slice): Grouped => {
  const group = p === 0 ? 0 : Stream.findGroup(d.db, p, name)
  if (group === 0) throw noGroup(key, name)
  return { p, group }
}

/** A consumer that asks for entries now; 0 when there is none yet, which then comes to be with what it gets. */
export const askingConsumer = (d: Decision, group: Pointer, name: Slice): Pointer => {
  const found = Stream.findConsumer(d.db, group, name)
  if (found !== 0) Stream.noteSeen(d.db, found, d.time)
  return found
}

/** A consumer that acts now, 0 when there is none yet: then it comes to be. To be called before events about what it does. */
export const actingConsumer = (d: Decision, key: Slice, groupName: Slice, group: Pointer, name: Slice): Pointer => {
  const found = Stream.findConsumer(d.db, group, name)
  if (found === 0) d.emit({ _tag: "StreamConsumerCreated", key, group: groupName, consumer: name, time: d.time })
  else Stream.noteSeen(d.db, found, d.time)
  return found
}
