/**
 * Start-up: the newest checkpoint that is sound, then the log after it, in slices, so that the server can answer that it
 * is loading. A checkpoint that cannot be used is reported and the one before it tried, at the price of a longer replay;
 * without any the whole log is folded, and where the log does not reach back that far, the data cannot be had.
 */
import { CheckpointUnusable } from "../log/checkpoint-file.ts"
import type { CheckpointReader } from "../log/checkpoint-reader.ts"
import type { CheckpointFiles, CheckpointInfo } from "../log/checkpoint-store.ts"
import { logCorrupt } from "../log/errors.ts"
import type { EventLog } from "../log/event-log.ts"
import { CheckpointLoad } from "../projections/checkpoint-load.ts"
import type { Keyspace } from "../projections/keyspace.ts"
import type { HashSeed } from "../projections/memory/hash.ts"
import { Replay } from "../projections/replay.ts"

/** Work per slice: frames of a checkpoint, events of the log. */
const framesPerSlice = 16
const eventsPerSlice = 16_384

/** What start-up reads from and fills. */
export interface StartUpParts {
  /** Empty, with the key `hashKey` gave, or holding what is `loaded`. */
  readonly keyspace: Keyspace
  /** Sequence of the checkpoint whose data the keyspace holds already. */
  readonly loaded?: number | undefined
  readonly log: EventLog["Service"]
  readonly store: CheckpointFiles
  readonly warn: (message: string) => void
}

/** The hash key under which the newest readable checkpoint loads fastest; a fresh one when there is none. */
export const hashKey = (store: CheckpointFiles, fresh: () => HashSeed): HashSeed => {
  for (const { sequence } of store.list().toReversed()) {
    try {
      const reader = store.open(sequence)
      reader.close()
      return reader.header.hashSeed
    } catch (error) {
      if (!(error instanceof CheckpointUnusable)) throw error
    }
  }
  return fresh()
}

/** See the head of this file. */
export class StartUp {
  /** Bytes of the checkpoint and the log to go through, and how many are done: an estimate within the log. */
  totalBytes = 0
  /** Keys that came from the checkpoint. */
  keysLoaded = 0
  /** The checkpoint that was used. */
  checkpoint: CheckpointInfo | undefined = undefined
  private readonly parts: StartUpParts
  private readonly candidates: Array<CheckpointInfo>
  private readonly refused: Array<{ readonly sequence: number; readonly reason: string; readonly damaged: boolean }> =
    []
  private loading: { readonly load: CheckpointLoad; readonly reader: CheckpointReader } | undefined = undefined
  private tail: Replay | undefined = undefined
  private done = false
  private given: number | undefined

  constructor(parts: StartUpParts) {
    this.parts = parts
    this.given = parts.loaded
    this.candidates = [...parts.store.list()]
    this.totalBytes = (this.candidates.at(-1)?.bytes ?? 0) + parts.log.lsn() - (this.candidates.at(-1)?.lsn ?? 0)
  }

  /** Sequence, batches and events of the log that were folded. */
  get replayed(): { readonly sequence: number; readonly events: number } {
    const sequence = this.tail?.sequence ?? 0
    return { sequence: sequence === 0 ? this.checkpoint?.sequence ?? 0 : sequence, events: this.tail?.events ?? 0 }
  }

  get loadedBytes(): number {
    if (this.done) return this.totalBytes
    if (this.loading !== undefined) return this.loading.reader.position
    const { tail } = this
    if (tail === undefined) return 0
    const from = this.checkpoint?.sequence ?? 0
    const last = this.parts.log.sequence()
    const before = this.checkpoint?.bytes ?? 0
    const part = last <= from ? 1 : Math.max(0, tail.sequence - from) / (last - from)
    return Math.floor(before + (this.totalBytes - before) * part)
  }

  /**
   * Does some milliseconds' work; true when all data is there. Throws `LogCorrupt` when the log is damaged or does not
   * reach back far enough, and what the log throws.
   */
  slice(): boolean {
    if (this.done) return true
    if (this.tail !== undefined) {
      if (!this.tail.slice(eventsPerSlice)) return false
      this.finish()
      return true
    }
    if (this.given !== undefined) {
      this.takeGiven(this.given)
      return false
    }
    if (this.loading === undefined && !this.next()) {
      this.replayFrom(undefined)
      return false
    }
    const { loading } = this
    if (loading === undefined) return false
    try {
      for (let i = 0; i < framesPerSlice; i++) {
        if (!loading.load.slice()) continue
        loading.reader.close()
        this.loading = undefined
        this.replayAfter(this.candidates.pop()!)
        break
      }
    } catch (error) {
      loading.reader.close()
      this.loading = undefined
      this.refuse(this.candidates.pop()!, error)
      this.parts.keyspace.clear()
    }
    return false
  }

  /** All slices at once. */
  run(): void {
    while (!this.slice());
  }

  /** Closes what is open: start-up was interrupted. */
  stop(): void {
    this.loading?.reader.close()
    this.tail?.stop()
  }

  /** The keyspace holds what a checkpoint of this sequence does, if that is still the newest one. */
  private takeGiven(sequence: number): void {
    this.given = undefined
    if (this.candidates.at(-1)?.sequence === sequence) this.replayAfter(this.candidates.pop()!)
    else this.parts.keyspace.clear()
  }

  private replayAfter(info: CheckpointInfo): void {
    this.keysLoaded = this.parts.keyspace.databases.reduce((sum, database) => sum + database.size, 0)
    this.replayFrom(info)
  }

  /** Opens the newest checkpoint that is left; false when none is. */
  private next(): boolean {
    const info = this.candidates.at(-1)
    if (info === undefined) return false
    const { keyspace, log, store } = this.parts
    try {
      if (info.sequence > log.sequence()) {
        // Left there, it would seem to fit once the log has grown past it, with another history.
        throw new CheckpointUnusable(`it is ahead of the log, which ends with ${log.sequence()}`)
      }
      const reader = store.open(info.sequence)
      this.loading = { reader, load: new CheckpointLoad(keyspace, reader) }
      this.totalBytes = reader.size + log.lsn() - reader.header.lsn
    } catch (error) {
      this.refuse(this.candidates.pop()!, error)
    }
    return true
  }

  private refuse({ sequence }: CheckpointInfo, error: unknown): void {
    if (!(error instanceof CheckpointUnusable)) throw error
    this.refused.push({ sequence, reason: error.message, damaged: error.damaged })
    this.parts.warn(
      `the checkpoint of sequence ${sequence} cannot be used: ${error.message}; `
        + (this.candidates.length > 0
          ? `trying that of ${this.candidates.at(-1)!.sequence}`
          : "the log is folded instead")
    )
  }

  private replayFrom(info: CheckpointInfo | undefined): void {
    const { log } = this.parts
    const first = (info?.sequence ?? 0) + 1
    const oldest = log.status().oldestSequence
    if (oldest > first) throw this.tooShort(first, oldest)
    this.checkpoint = info
    this.tail = new Replay(this.parts.keyspace, log.read(first))
  }

  private tooShort(first: number, oldest: number): Error {
    const tried = this.refused.map(({ reason, sequence }) => `the checkpoint of ${sequence}: ${reason}`).join("; ")
    return logCorrupt({
      reason: `the log begins with sequence ${oldest} and no checkpoint covers what came before`
        + (tried === "" ? "" : ` (${tried})`),
      segment: "checkpoints",
      position: 0,
      lsn: 0,
      sequence: first,
      lastSequence: oldest - 1,
      bytesLost: 0
    })
  }

  private finish(): void {
    this.done = true
    if (this.checkpoint !== undefined) this.parts.store.confirm(this.checkpoint.sequence)
    // Only now: had start-up failed, everything would have to be as it was.
    for (const { damaged, sequence } of this.refused) if (damaged) this.parts.store.setAside(sequence)
  }
}
