/** The heads of a checkpoint's batches: as in the log (batch.ts), but without sessions and times, and always with a database. */
import type { Slice } from "../projections/memory/slice.ts"
import { metaDb, metaEvents, metaExtension, metaOrigin } from "./batch.ts"
import { type ByteReader, WireError } from "./events/wire.ts"

/** The head of one batch after the other. */
export class CheckpointBatch {
  db = 0
  /** Number of events. */
  count = 0
  /** Where in the bytes the batch ends. */
  end = 0
  extension: Slice | undefined = undefined

  /** Reads a head; the events follow, up to the reader's end. Throws `WireError`. */
  open(wire: ByteReader, frameEnd: number): void {
    wire.end = frameEnd
    const length = wire.varint()
    this.end = wire.offset + length
    if (length === 0 || this.end > frameEnd) throw new WireError(`item of ${length} bytes exceeds its frame`)
    wire.end = this.end
    const meta = wire.u8()
    if ((meta & ~(metaDb | metaOrigin | metaEvents | metaExtension)) !== 0 || (meta & metaDb) === 0) {
      throw new WireError(`unexpected meta ${meta}`)
    }
    this.db = wire.varint()
    if ((meta & metaOrigin) !== 0) wire.u8()
    wire.varint() // the command
    this.count = (meta & metaEvents) === 0 ? 1 : wire.varint()
    if (this.count > length) throw new WireError(`${this.count} events in ${length} bytes`)
    this.extension = (meta & metaExtension) === 0 ? undefined : wire.blob()
  }

  /** To be called when the events were read. Throws `WireError` when that is not all of the batch. */
  close(wire: ByteReader): void {
    if (wire.offset !== this.end) throw new WireError(`${this.end - wire.offset} bytes left over in a batch`)
  }
}
