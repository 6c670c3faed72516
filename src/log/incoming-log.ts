/** Checkpoints and segments on their way from one server to another, as bytes: read here, written there. */
import { checkpointFolder, checkpointName, CheckpointUnusable, type DatabaseCount } from "./checkpoint-file.ts"
import { CheckpointReader } from "./checkpoint-reader.ts"
import type { CheckpointInfo } from "./checkpoint-store.ts"
import type { CheckpointWriter } from "./checkpoint-writer.ts"
import { type Disk, DiskError, type DiskFile } from "./disk.ts"
import { incomingFolder, incomingSegment, removeIncoming } from "./surgery.ts"

/** The disk is asked to write out what it has buffered every so many bytes: the fsync at the end has less to wait for. */
const syncEvery = 8 << 20

/** A log being received: a checkpoint, and the segment around it up to the checkpoint's position. */
export class IncomingLog {
  private readonly disk: Disk
  /** Sequence of the checkpoint, once it is begun. */
  checkpoint: number | undefined = undefined
  private file: DiskFile | undefined = undefined
  private name = ""
  private size = 0
  /** As far as that file was synced, or is being. */
  private synced = 0
  private syncing = false
  private failure: DiskError | undefined = undefined

  constructor(disk: Disk) {
    this.disk = disk
  }

  /** The bytes from now on are those of the checkpoint of this sequence, or, where it is undefined, of the segment. */
  begin(checkpoint: number | undefined): void {
    this.finish()
    this.checkpoint ??= checkpoint
    this.name = checkpoint === undefined ? incomingSegment : `${incomingFolder}/${checkpointName(checkpoint)}`
    this.file = this.disk.open(this.name, "create")
    this.size = this.synced = 0
  }

  /**
   * Reads the checkpoint back that is being received, as far as it is there; `size` as in `CheckpointReader`. Throws
   * `CheckpointUnusable`.
   */
  reader(size: number): CheckpointReader {
    return new CheckpointReader(this.disk, checkpointName(this.checkpoint!), incomingFolder, size)
  }

  /** Throws `DiskError`, also for what was written before and could not be synced. */
  write(bytes: Uint8Array, start: number, length: number): void {
    const file = this.file!
    const written = file.write(bytes, start, length, this.size)
    if (written < length) throw new DiskError("ENOSPC", "write", this.name, `${written} of ${length} bytes`)
    this.size += length
    if (this.failure !== undefined) throw this.failure
    if (this.syncing || this.size - this.synced < syncEvery) return
    this.syncing = true
    this.synced = this.size
    file.datasync((error) => {
      this.syncing = false
      this.failure ??= error
    })
  }

  /** Syncs and closes the file in hand. */
  finish(): void {
    const { file } = this
    if (file === undefined) return
    this.file = undefined
    try {
      file.sync()
    } finally {
      file.close()
    }
    this.disk.syncFolder(incomingFolder)
  }

  /** Gives up: what was received goes. */
  discard(): void {
    this.file?.close()
    this.file = undefined
    try {
      removeIncoming(this.disk)
    } catch (error) {
      if (!(error instanceof DiskError)) throw error // it goes when the log is opened next
    }
  }
}

/** The bytes of a checkpoint that is still being written, for sending them as they come. */
export class GrowingBytes {
  private readonly writer: CheckpointWriter
  private readonly file: DiskFile
  private position = 0

  /** Throws `DiskError`. */
  constructor(writer: CheckpointWriter) {
    this.writer = writer
    this.file = writer.reopen()
  }

  /** Fills `into` with what comes next, as far as it is there. Throws `DiskError`, also when it will not be finished. */
  read(into: Uint8Array): number {
    const { failure, settledBytes } = this.writer
    if (failure !== undefined) throw failure
    const n = this.file.read(into, 0, Math.min(into.length, settledBytes - this.position), this.position)
    this.position += n
    return n
  }

  /** Whether all of it was read. */
  get over(): boolean {
    return this.writer.whole && this.position === this.writer.bytes
  }

  close(): void {
    this.file.close()
  }
}

/** What a checkpoint says that it holds; nothing where it cannot be read: whoever gets its bytes will find out. */
const countsOf = (disk: Disk, sequence: number): ReadonlyArray<DatabaseCount> => {
  try {
    const reader = new CheckpointReader(disk, checkpointName(sequence))
    const counts = reader.countsAhead()
    reader.close()
    return counts
  } catch (error) {
    if (!(error instanceof CheckpointUnusable)) throw error
    return []
  }
}

/** The bytes of a checkpoint, for sending them. */
export class CheckpointBytes {
  readonly info: CheckpointInfo
  readonly size: number
  /** How much the databases hold, as far as its end says so. */
  readonly counts: ReadonlyArray<DatabaseCount>
  private readonly file: DiskFile
  private position = 0

  /** Throws `DiskError`. */
  constructor(disk: Disk, info: CheckpointInfo) {
    this.info = info
    this.file = disk.open(`${checkpointFolder}/${checkpointName(info.sequence)}`, "read")
    this.size = this.file.size()
    this.counts = countsOf(disk, info.sequence)
  }

  /** Fills `into` with what comes next; 0 at the end. */
  read(into: Uint8Array): number {
    const n = this.file.read(into, 0, Math.min(into.length, this.size - this.position), this.position)
    this.position += n
    return n
  }

  close(): void {
    this.file.close()
  }
}
