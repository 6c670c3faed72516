/** Streams in digests; see digest.ts. */
import { rootOf } from "./collection.ts"
import type { Database } from "./database.ts"
import { mix, sha1, sha1Of } from "./digest-parts.ts"
import type { Pointer } from "./memory/arena.ts"
import { compareSlices, Slice } from "./memory/slice.ts"
import { greatestId, leastId, StreamId } from "./memory/stream-id.ts"
import { PendingRange } from "./stream-pending.ts"
import * as Streams from "./stream-read.ts"

const range = new Streams.EntryRange()
const pending = new PendingRange()
const id = new StreamId()
const name = new Slice()

const mixText = (digest: Uint8Array, text: string): void => mix(digest, sha1(Buffer.from(text)))

/** Mixes the entries in, as Redis does. */
export const mixStream = (digest: Uint8Array, db: Database, p: Pointer): void => {
  range.start(db, p, leastId, greatestId)
  while (range.next()) {
    mixText(digest, String(range.id).replace("-", "."))
    while (range.nextPair()) {
      mix(digest, sha1Of(range.field))
      mix(digest, sha1Of(range.value))
    }
  }
}

/** Mixes in what a stream is besides its entries, but for when consumers asked for entries: that is no event. */
export const mixStreamState = (digest: Uint8Array, db: Database, p: Pointer): void => {
  mixText(digest, `${Streams.lastId(db, p, id)}`)
  mixText(digest, `${Streams.maxDeletedId(db, p, id)}`)
  mixText(digest, `${Streams.length(db, p)} ${Streams.entriesAdded(db, p)}`)
  for (const g of Streams.groups(db, p)) mixGroup(digest, db, g)
  mixProducers(digest, db, p)
}

const mixGroup = (digest: Uint8Array, db: Database, g: Pointer): void => {
  mix(digest, sha1Of(Streams.groupName(db, g, name)))
  mixText(digest, `${Streams.lastDelivered(db, g, id)} ${Streams.entriesRead(db, g)} ${Streams.releasedCount(db, g)}`)
  for (const c of Streams.consumers(db, g)) {
    mix(digest, sha1Of(Streams.consumerName(db, c, name)))
    mixText(digest, `${Streams.activeAt(db, c)} ${Streams.consumerPending(db, c)}`)
  }
  pending.start(db, g, 0, leastId, greatestId)
  while (pending.next()) {
    mixText(digest, `${pending.id} ${pending.deliveredAt} ${pending.deliveries}`)
    if (pending.consumer === 0) mixText(digest, "nobody")
    else mix(digest, sha1Of(Streams.consumerName(db, pending.consumer, name)))
  }
}

const mixProducers = (digest: Uint8Array, db: Database, p: Pointer): void => {
  const { producers } = db.structures.streams
  const figures = producers.figures(rootOf(db, p))
  if (figures === undefined) return
  mixText(digest, Object.values(figures).join(" "))
  const named = producers.list(rootOf(db, p)).map((producer) => ({
    producer,
    name: producers.producerName(producer, new Slice())
  }))
  for (const one of named.sort((a, b) => compareSlices(a.name, b.name))) {
    mix(digest, sha1Of(one.name))
    producers.eachName(one.producer, (iid, added, time) => {
      mix(digest, sha1Of(iid))
      mixText(digest, `${added} ${time}`)
    })
  }
}
