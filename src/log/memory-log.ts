import type { Author, Batch, EventLog, Origin } from "./event-log.ts"
import type { Event } from "./events/catalog.ts"
import { decodeEvent, encodeEvent } from "./events/codec.ts"
import { ByteReader, ByteWriter } from "./events/wire.ts"

interface Entry {
  readonly sequence: number
  readonly time: number
  readonly db: number
  readonly dbs: ReadonlyArray<number> | undefined
  readonly origin: Origin
  readonly command: number
  readonly author: Author | undefined
  readonly count: number
  /** The events as bytes: what was appended may point into buffers that are used again. */
  readonly bytes: Uint8Array
}

/**
 * A log that lives and dies with the process, behind the same interface: for tests and for a server that is to keep
 * nothing. What is committed counts as released and durable at once.
 */
export const memoryLog = (): EventLog["Service"] => {
  const entries: Array<Entry> = []
  const out = new ByteWriter()
  let lastTime = 0
  let committed = 0
  let lsn = 0
  let open = 0

  /** Names as they were when the batch was written. */
  const copies = new WeakMap<Author, { readonly revision: number; readonly copy: Author }>()
  const copyOf = (author: Author): Author => {
    const known = copies.get(author)
    if (known?.revision === author.revision) return known.copy
    const copy = { ...author, logged: { segment: 0, revision: -1, ref: 0 } }
    copies.set(author, { revision: author.revision, copy })
    return copy
  }

  function* read(from: number): Generator<Batch> {
    const events: Array<Event> = []
    const batch = { events, last: false } as unknown as Batch & { events: Array<Event> }
    for (let i = Math.max(0, from - 1); i < committed; i++) {
      const { bytes, count, ...envelope } = entries[i]!
      const reader = new ByteReader(bytes)
      events.length = count
      for (let n = 0; n < count; n++) events[n] = decodeEvent(reader)
      yield Object.assign(batch, envelope)
    }
  }

  return {
    append: (time, db, origin, command, author, events, count, dbs) => {
      lastTime = Math.max(lastTime, time)
      out.length = 0
      for (let i = 0; i < count; i++) encodeEvent(out, events[i]!)
      const bytes = out.toBytes()
      open += bytes.length + 8
      const sequence = entries.length + 1
      const by = author === undefined ? undefined : copyOf(author)
      entries.push({
        sequence,
        time: lastTime,
        db,
        dbs: dbs?.slice(0, count),
        origin,
        command,
        author: by,
        count,
        bytes
      })
      return sequence
    },
    commit: () => {
      committed = entries.length
      lsn += open
      open = 0
      return false
    },
    sequence: () => entries.length,
    lsn: () => lsn,
    released: () => lsn,
    onReleased: () => {},
    observe: () => {},
    failure: () => undefined,
    read: (from) => ({ [Symbol.iterator]: () => read(from) }),
    openSegment: () => undefined,
    status: () => ({
      sequence: entries.length,
      time: lastTime,
      lsn,
      durableLsn: lsn,
      oldestSequence: 1,
      segments: 0,
      bytes: lsn,
      originalBytes: lsn,
      compressedSegments: 0,
      tornBytes: 0,
      chainHead: "",
      lastWriteOk: true,
      fsyncs: 0,
      fsyncPending: false,
      delayedFsyncs: 0
    }),
    sync: () => true,
    setPolicy: () => {}
  }
}
