/** Checkpoints and segments on their way from one server to another, as bytes: read here, written there. */
import { checkpointFolder, checkpointName } from "./checkpoint-file.ts"
import { CheckpointReader } from "./checkpoint-reader.ts"
import type { CheckpointInfo } from "./checkpoint-store.ts"
import { type Disk, DiskError, type DiskFile } from "./disk.ts"
import { incomingFolder, incomingSegment, removeIncoming } from "./surgery.ts"

/** A log being received: a checkpoint, and the segment around it up to the checkpoint's position. */
export class IncomingLog {
  private readonly disk: Disk
  /** Sequence of the checkpoint, once it is begun. */
  checkpoint: number | undefined = undefined
  private file: DiskFile | undefined = undefined
  private name = ""
  private size = 0

  constructor(disk: Disk) {
    this.disk = disk
  }

  /** The bytes from now on are those of the checkpoint of this sequence, or, where it is undefined, of the segment. */
  begin(checkpoint: number | undefined): void {
    this.finish()
    this.checkpoint ??= checkpoint
    this.name = checkpoint === undefined ? incomingSegment : `${incomingFolder}/${checkpointName(checkpoint)}`
    this.file = this.disk.open(this.name, "create")
    this.size = 0
  }

  /** Reads the received checkpoint back, a piece at a time. Throws `CheckpointUnusable` unless it is what it should be. */
  *check(sequence: number): Generator<void, void> {
    const reader = new CheckpointReader(this.disk, checkpointName(sequence), incomingFolder)
    try {
      while (reader.next()) yield
    } finally {
      reader.close()
    }
  }

  write(bytes: Uint8Array, start: number, length: number): void {
    const written = this.file!.write(bytes, start, length, this.size)
    if (written < length) throw new DiskError("ENOSPC", "write", this.name, `${written} of ${length} bytes`)
    this.size += length
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

/** The bytes of a checkpoint, for sending them. */
export class CheckpointBytes {
  readonly info: CheckpointInfo
  readonly size: number
  private readonly file: DiskFile
  private position = 0

  /** Throws `DiskError`. */
  constructor(disk: Disk, info: CheckpointInfo) {
    this.info = info
    this.file = disk.open(`${checkpointFolder}/${checkpointName(info.sequence)}`, "read")
    this.size = this.file.size()
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
