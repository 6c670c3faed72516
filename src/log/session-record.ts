/** Session records: who the refs in a segment are. Their bytes are described in batch.ts. */
import { closeItem, metaRecord } from "./batch.ts"
import type { Author } from "./event-log.ts"
import { type ByteReader, ByteWriter } from "./events/wire.ts"

/** A body that defines these sessions, for a frame without batches. */
export const sessionsBody = (sessions: Sessions): Uint8Array => {
  const body = new ByteWriter(1024)
  for (const [ref, author] of sessions) writeSession(body, ref, author)
  return body.toBytes()
}

/** Writes a session record: from here on `ref` is that author. */
export const writeSession = (out: ByteWriter, ref: number, author: Author): void => {
  const at = out.length
  out.need(2)
  out.length++
  out.u8(metaRecord)
  out.varint(ref)
  out.varint(author.clientId)
  out.text(author.address)
  out.text(author.localAddress)
  out.text(author.user)
  out.text(author.name)
  out.text(author.library)
  out.varint(author.protocol)
  out.varint(author.connectedAt)
  closeItem(out, at, 1)
}

/** Reads a session record behind its meta byte: the ref it defines, and who that is. */
export const readSession = (from: ByteReader): [ref: number, author: Author] => [
  from.varint(),
  {
    clientId: from.varint(),
    address: from.text(),
    localAddress: from.text(),
    user: from.text(),
    name: from.text(),
    library: from.text(),
    protocol: from.varint(),
    connectedAt: from.varint(),
    revision: 0,
    logged: { segment: 0, revision: -1, ref: 0 }
  }
]

/** The sessions of one segment, by ref. */
export type Sessions = Map<number, Author>
