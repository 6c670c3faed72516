/**
 * Batches inside the body of a BATCHES frame: a run of items, ended by the frame's padding (a zero byte) or its end.
 *
 *     batch    length | meta | [session ref] [ms since the previous batch] [db] [origin] | command
 *                     | [number of events] [extension length, extension] | events
 *     session  length | 80   | ref, client id, address, local address, user, name, library, protocol, connected ms
 *
 * Lengths and numbers are varints, texts UTF-8 with their length, `meta`, 80 and origin are bytes. Bits of meta: 1 the
 * session changed, 2 the time changed, 4 the db changed, 8 the origin is not a client, 16 more or less than one event,
 * 32 an extension to skip. Session (ref 0: nobody), time (from the frame's header) and db (0) carry over inside a frame
 * and start afresh in each, so any frame decodes alone. A session record defines or redefines a ref until the end of
 * the segment. An event is its number and its fields (events/codec.ts).
 *
 * A batch with events of several databases (EXEC with a SELECT inside) has between two events of different databases a
 * switch: 0, which is no event's number, and the db of those that follow, up to the next switch or the end of the batch.
 * The envelope's db is that of the first event, and it is the one that carries over to the next batch. A switch is not
 * counted among the events. It is no extension, because a reader that skips it would fold events into the wrong database;
 * one that does not know it stops at an event without a number.
 */
import type { ByteWriter } from "./events/wire.ts"

export const metaSession = 1
export const metaTime = 2
/** Bits of a batch's meta byte that checkpoints write too; see the head of this file. */
export const metaDb = 4
export const metaOrigin = 8
export const metaEvents = 16
export const metaExtension = 32
export const metaRecord = 0x80

/** Stands where an event's number would: what follows is of another database. */
export const databaseSwitch = 0

/** Bytes a varint takes. */
export const varintSize = (value: number): number => {
  let size = 1
  while (value > 0x7f) {
    value = value > 0x7fff_ffff ? Math.floor(value / 128) : value >>> 7
    size++
  }
  return size
}

/** Writes the length of the item begun at `at`, moving its content when the room reserved for it does not fit. */
export const closeItem = (out: ByteWriter, at: number, reserved: number): void => {
  const length = out.length - at - reserved
  const size = length < 0x80 ? 1 : varintSize(length)
  if (size !== reserved) {
    out.need(size)
    out.bytes.copyWithin(at + size, at + reserved, out.length)
  }
  out.length = at
  out.varint(length)
  out.length = at + size + length
}
