/**
 * The checkpoints of a store: which there are, how one is made, published and read. A new one becomes a checkpoint in
 * these steps, each of which leaves the older ones as they are: temporary file, fsync, read back and check, rename,
 * fsync of the folder, manifest; only then is the oldest removed. The interface speaks of sequences, not of files.
 */
import * as Context from "effect/Context"
import {
  checkpointFolder,
  type CheckpointHeader,
  checkpointName,
  CheckpointUnusable,
  sequenceOfCheckpoint
} from "./checkpoint-file.ts"
import { checkpointsToKeep, type LogBeginning, neededFrom } from "./checkpoint-keeping.ts"
import { CheckpointReader } from "./checkpoint-reader.ts"
import { CheckpointWriter } from "./checkpoint-writer.ts"
import { type Disk, DiskError } from "./disk.ts"
import type { ManifestCheckpoint } from "./manifest.ts"
import { hex, sameBytes } from "./segment.ts"

/** A checkpoint that was verified when it was made. */
export interface CheckpointInfo {
  readonly sequence: number
  /** Lsn after the last batch in it. */
  readonly lsn: number
  readonly bytes: number
  /** Unix milliseconds. */
  readonly created: number
  /** Hex. */
  readonly sha256: string
}

/** Who the store is, for headers. */
export interface StoreIdentity {
  readonly storeId: Uint8Array
  readonly replicationId: Uint8Array
  readonly epoch: number
}

/** What a checkpoint is told when it begins. */
export interface CheckpointStart {
  readonly sequence: number
  readonly lsn: number
  /** Unix milliseconds. */
  readonly created: number
  /** Hex. */
  readonly chain: string
  readonly hashSeed: { readonly k0: number; readonly k1: number }
  /** Every write at once on the spot, none in the background. */
  readonly blocking: boolean
}

/** The checkpoints of one store, over its directory. */
export class CheckpointFiles {
  private readonly disk: Disk
  private readonly identity: () => StoreIdentity
  private readonly manifestSteps: () => Generator<void, boolean>
  private readonly saveManifest: () => boolean
  private readonly warn: (message: string) => void
  private readonly beginning: () => LogBeginning
  /** Bytes of log between checkpoints of the past. */
  private readonly spacing: number
  /** Oldest first. */
  private infos: Array<CheckpointInfo> = []
  private listener: (sequence: number) => void = () => {}
  /** Rises when the files have changed behind the back of whoever makes a checkpoint. */
  private generation = 0
  /** Checkpoints of this list that were made, or loaded, since the log was opened. */
  private readonly proved = new Set<number>()

  constructor(
    disk: Disk,
    identity: () => StoreIdentity,
    manifestSteps: () => Generator<void, boolean>,
    saveManifest: () => boolean,
    known: ReadonlyArray<ManifestCheckpoint>,
    warn: (message: string) => void,
    beginning: () => LogBeginning,
    spacing: number
  ) {
    this.beginning = beginning
    this.spacing = spacing
    this.disk = disk
    this.identity = identity
    this.manifestSteps = manifestSteps
    this.saveManifest = saveManifest
    this.warn = warn
    this.find(known)
  }

  /** What is there when the log is opened: files tell, and the manifest is the witness of those that should be. */
  private find(known: ReadonlyArray<ManifestCheckpoint>): void {
    const byName = new Map(known.map((info) => [info.name, info]))
    for (const base of this.disk.list(checkpointFolder)) {
      const sequence = sequenceOfCheckpoint(base)
      if (sequence === undefined) continue
      const info = byName.get(base)
      byName.delete(base)
      if (info !== undefined) {
        this.infos.push(info)
        continue
      }
      // Published, but the manifest was not written any more: it was checked before it got its name.
      try {
        const reader = new CheckpointReader(this.disk, base)
        reader.close()
        const { created, lsn } = reader.header
        this.infos.push({ sequence, lsn, bytes: reader.size, created, sha256: "" })
      } catch (error) {
        if (!(error instanceof CheckpointUnusable)) throw error
        this.warn(`the checkpoint of sequence ${sequence} is passed over: ${error.message}`)
      }
    }
    for (const name of byName.keys()) this.warn(`the checkpoint ${name} of the manifest is missing`)
    this.infos.sort((a, b) => a.sequence - b.sequence)
  }

  /** The files have changed: looks again what is there. */
  renew(known: ReadonlyArray<ManifestCheckpoint>): void {
    this.generation++
    this.infos = []
    this.proved.clear()
    this.find(known)
  }

  /** The checkpoints there are, oldest first. */
  list(): ReadonlyArray<CheckpointInfo> {
    return this.infos
  }

  /** Start-up has loaded this checkpoint. */
  confirm(sequence: number): void {
    this.proved.add(sequence)
  }

  /**
   * Retention may drop the log up to here: the checkpoints that starts need cover it, and one at least has proved sound
   * since the log was opened; 0 otherwise.
   */
  covered(): number {
    return this.infos.some(({ sequence }) => this.proved.has(sequence)) ? neededFrom(this.infos) : 0
  }

  /** The newest checkpoint's sequence, -1 when there is none. */
  newest(): number {
    return this.infos.at(-1)?.sequence ?? -1
  }

  /** Called with the sequence of each checkpoint once it is published, in the manifest too. One listener. */
  onCheckpoint(listener: (sequence: number) => void): void {
    this.listener = listener
  }

  /** Begins a checkpoint under a temporary name. Throws `DiskError`. */
  begin(start: CheckpointStart): CheckpointWriter {
    if (!this.disk.exists(checkpointFolder)) {
      this.disk.makeFolder(checkpointFolder)
      this.disk.syncFolder("") // or a power cut could take the folder with everything in it
    }
    const { blocking, chain, created, hashSeed, lsn, sequence } = start
    const header: CheckpointHeader = {
      ...this.identity(),
      sequence,
      lsn,
      created,
      chain: Uint8Array.from(Buffer.from(chain.padEnd(64, "0"), "hex")),
      hashSeed
    }
    return new CheckpointWriter(this.disk, header, blocking)
  }

  /** The file just written, for reading it back. Throws `CheckpointUnusable`. */
  readBack(writer: CheckpointWriter): CheckpointReader {
    return new CheckpointReader(this.disk, `${checkpointName(writer.header.sequence)}.tmp`)
  }

  /**
   * Makes a file that was written, synced and read back a checkpoint, and removes those that are one too many: a step at a
   * time, each of which waits for the disk once. Once begun it has to be brought to its end. Throws `DiskError`, also when
   * the log was opened anew between two steps; the older checkpoints are then as before.
   */
  *publishing(writer: CheckpointWriter): Generator<void, CheckpointInfo> {
    const { created, lsn, sequence } = writer.header
    const { generation } = this
    const name = `${checkpointFolder}/${checkpointName(sequence)}`
    this.disk.rename(writer.temporary, name)
    this.disk.syncFolder(checkpointFolder)
    yield
    this.sameSince(generation, name)
    const info = { sequence, lsn, bytes: writer.bytes, created, sha256: hex(writer.sha256) }
    const all = [...this.infos.filter((other) => other.sequence !== sequence), info]
      .toSorted((a, b) => a.sequence - b.sequence)
    // The manifest first: it must not name what is not there any more.
    this.infos = checkpointsToKeep(all, this.beginning(), this.spacing)
    const gone = all.filter((other) => !this.infos.includes(other))
    this.proved.add(sequence)
    const saved = yield* this.manifestSteps()
    this.sameSince(generation, name)
    if (!saved) {
      this.infos = all // it stays on the list; nothing is removed on its account
      return info
    }
    yield* this.removing(gone, generation)
    this.sameSince(generation, name)
    this.listener(sequence)
    return info
  }

  /** Throws `DiskError` when this file may be elsewhere by now: a log that was cut or replaced takes checkpoints along. */
  private sameSince(generation: number, name: string): void {
    if (this.generation === generation) return
    throw new DiskError("ESTALE", "publish", name, "the log was cut or replaced meanwhile")
  }

  private *removing(old: ReadonlyArray<CheckpointInfo>, generation: number): Generator<void, void> {
    if (old.length === 0) return
    try {
      for (const { sequence } of old) {
        yield
        if (this.generation !== generation) return
        this.disk.unlink(`${checkpointFolder}/${checkpointName(sequence)}`)
      }
      yield
      this.disk.syncFolder(checkpointFolder)
    } catch (error) {
      if (!(error instanceof DiskError)) throw error
      this.warn(`an old checkpoint could not be removed: ${error.message}`)
    }
  }

  /** Opens a checkpoint for loading. Throws `CheckpointUnusable`, also when it is of another store. */
  open(sequence: number): CheckpointReader {
    const reader = new CheckpointReader(this.disk, checkpointName(sequence))
    const { header } = reader
    const mine = sameBytes(header.storeId, this.identity().storeId)
    if (mine && header.sequence === sequence) return reader
    reader.close()
    throw new CheckpointUnusable(
      mine
        ? `it says that it is of sequence ${header.sequence}`
        : `it belongs to the store ${hex(header.storeId)}, the log to ${hex(this.identity().storeId)}`
    )
  }

  /** Moves a checkpoint that is damaged out of the way, to quarantine/. */
  setAside(sequence: number): void {
    const base = checkpointName(sequence)
    this.infos = this.infos.filter((info) => info.sequence !== sequence)
    try {
      this.disk.makeFolder("quarantine")
      this.disk.syncFolder("")
      this.disk.rename(`${checkpointFolder}/${base}`, `quarantine/${base}`)
      this.disk.syncFolder(checkpointFolder)
      this.disk.syncFolder("quarantine")
    } catch (error) {
      if (!(error instanceof DiskError)) throw error
      this.warn(`the checkpoint ${base} could not be moved to quarantine/: ${error.message}`)
    }
    this.saveManifest()
  }
}

/** The checkpoints of the log that is open, as a service. */
export class CheckpointStore extends Context.Service<CheckpointStore, CheckpointFiles>()(
  "annals/log/CheckpointStore"
) {}
