/**
 * Writes one checkpoint file: events gather in a frame, full frames go to the disk in the background from a few buffers
 * used in turn, so that a slow disk holds up whoever walks the data and nobody else. When all buffers are on their way
 * and an entry must be saved at once, because a client is about to change it, its frame is written on the spot.
 */
import { createHash } from "node:crypto"
import { closeItem, metaDb, metaEvents, metaExtension, metaOrigin } from "./batch.ts"
import {
  type CheckpointEnd,
  checkpointFolder,
  type CheckpointHeader,
  checkpointHeaderSize,
  checkpointName,
  clocksExtension,
  type DatabaseCount,
  encodeCheckpointEnd,
  encodeCheckpointHeader
} from "./checkpoint-file.ts"
import { type Disk, DiskError, type DiskFile } from "./disk.ts"
import { origins } from "./event-log.ts"
import type { Event } from "./events/catalog.ts"
import { encodeEvent } from "./events/codec.ts"
import { ByteWriter } from "./events/wire.ts"
import { buildFrame, FrameHeader, frameHeaderSize, frameType, paddedSize, put32, writeFrameHeader } from "./frame.ts"

/** A frame is closed when it has grown to this many bytes. */
export const checkpointFrameBytes = 128 << 10
/** Frames on their way to the disk at a time, while whoever writes them can wait, and while clients are the reason. */
const mostInFlight = 8
const mostForClients = 32
/** A buffer larger than this is not kept: one huge value must not hold memory. */
const keptCapacity = 1 << 20
/**
 * The system is asked to write out what it has buffered every so many bytes: the last fsync has less to wait for, and so
 * has that of the log when a segment ends meanwhile (with 32 MiB it took 100 ms).
 */
const syncEvery = 4 << 20
/** Batches a frame's header can count. */
const mostItems = 0xfff0
const admin = origins.indexOf("admin")

/** A checkpoint file being written, under a temporary name. No member throws `DiskError`; see `failure`. */
export class CheckpointWriter {
  readonly header: CheckpointHeader
  /** Bytes handed to the disk so far. */
  bytes = checkpointHeaderSize
  events = 0
  frames = 0
  /** The first thing that went wrong; whatever is added afterwards is dropped. */
  failure: DiskError | undefined = undefined
  sha256 = new Uint8Array(32)

  private readonly disk: Disk
  private readonly blocking: boolean
  private readonly file: DiskFile
  private readonly hash = createHash("sha256")
  private frame = newFrame()
  private readonly spare: Array<ByteWriter> = []
  /** Where the writes on their way to the disk begin. */
  private readonly underWay: Array<number> = []
  private ended = false
  private syncedBytes = 0
  private syncing = false

  // The batch in hand: all its events are of one database.
  private readonly item = new ByteWriter(2 * checkpointFrameBytes)
  private clocks = new Uint32Array(1024)
  private db = 0
  private count = 0
  private items = 0
  private readonly frameHeader = new FrameHeader()

  /** Creates the temporary file; `blocking`: nothing is left to the background. Throws `DiskError`. */
  constructor(disk: Disk, header: CheckpointHeader, blocking: boolean) {
    this.disk = disk
    this.blocking = blocking
    this.header = header
    const bytes = encodeCheckpointHeader(header)
    this.hash.update(bytes)
    this.file = disk.open(this.temporary, "create")
    try {
      const written = this.file.write(bytes, 0, bytes.length, 0)
      if (written < bytes.length) throw new DiskError("ENOSPC", "write", this.temporary, `${written} bytes`)
    } catch (error) {
      this.file.close()
      throw error
    }
  }

  get temporary(): string {
    return `${checkpointFolder}/${checkpointName(this.header.sequence)}.tmp`
  }

  /** Whether the disk is behind: whoever can wait should. */
  get congested(): boolean {
    return this.underWay.length >= mostInFlight
  }

  /** Whether nothing is on its way to the disk. */
  get idle(): boolean {
    return this.underWay.length === 0 && !this.syncing
  }

  /** So many bytes stand in the file, from its beginning on without a gap. */
  get settledBytes(): number {
    return this.underWay.reduce((least, position) => Math.min(least, position), this.bytes)
  }

  /** The file once more, for reading. Throws `DiskError`. */
  reopen(): DiskFile {
    return this.disk.open(this.temporary, "read")
  }

  /** Whether all of it stands in the file. */
  get whole(): boolean {
    return this.ended && this.underWay.length === 0
  }

  /** Adds an event that makes part of a database's data. `clock` is the access clock of its entry. */
  add(db: number, clock: number, event: Event): void {
    if (this.failure !== undefined) return
    if (db !== this.db) {
      this.closeItem()
      this.db = db
    }
    encodeEvent(this.item, event)
    if (this.count === this.clocks.length) {
      const larger = new Uint32Array(this.clocks.length * 2)
      larger.set(this.clocks)
      this.clocks = larger
    }
    this.clocks[this.count++] = clock
    this.events++
    if (this.frame.length + this.item.length >= checkpointFrameBytes || this.items >= mostItems) this.closeFrame()
  }

  /** Writes what is left and the end record. To be followed by `sync` once it is idle. */
  end(databases: ReadonlyArray<DatabaseCount>): void {
    this.closeFrame()
    this.sha256 = new Uint8Array(this.hash.digest())
    const { events, frames, sha256 } = this
    const end: CheckpointEnd = { frames, events, databases, sha256 }
    this.prepareHeader()
    this.frameHeader.type = frameType.control
    const frame = buildFrame(this.frameHeader, encodeCheckpointEnd(end))
    if (this.blocking) this.writeNow(frame, frame.length)
    else this.writeLater(frame, frame.length, () => {}) // a write from here would wait for those on their way
    this.ended = true
  }

  /** Asynchronous fsync of the whole file; call it when idle. `done` gets the first failure of all. */
  syncLater(done: (failure: DiskError | undefined) => void): void {
    this.file.datasync((error) => {
      this.failure ??= error
      done(this.failure)
    })
  }

  /** Blocking fsync of the whole file. */
  syncNow(): void {
    try {
      this.file.sync()
    } catch (error) {
      this.failed(error)
    }
  }

  /** Closes the file. */
  close(): void {
    this.file.close()
  }

  /** Closes and removes the file: it will not become a checkpoint. */
  discard(): void {
    this.failure ??= new DiskError("ECANCELED", "write", this.temporary)
    this.file.close()
    try {
      this.disk.unlink(this.temporary)
    } catch {
      // Removed when the log is opened next.
    }
  }

  private closeItem(): void {
    const { count, db, frame, item } = this
    if (count === 0) return
    const at = frame.length
    const reserved = 3
    frame.need(reserved + 32 + 4 * count + item.length)
    frame.length += reserved
    frame.u8(metaDb | metaOrigin | metaEvents | metaExtension)
    frame.varint(db)
    frame.u8(admin)
    frame.varint(0)
    frame.varint(count)
    frame.varint(1 + 4 * count)
    frame.u8(clocksExtension)
    for (let i = 0; i < count; i++) {
      put32(frame.bytes, frame.length, this.clocks[i]!)
      frame.length += 4
    }
    frame.raw(item.bytes, 0, item.length)
    closeItem(frame, at, reserved)
    this.items++
    this.count = 0
    item.length = 0
  }

  private prepareHeader(): void {
    const { frameHeader, header } = this
    frameHeader.type = frameType.batches
    frameHeader.sequence = header.sequence
    frameHeader.count = 0
    frameHeader.time = header.created
    frameHeader.flags = 0
    frameHeader.epoch = header.epoch
    frameHeader.lag = 0
  }

  private closeFrame(): void {
    this.closeItem()
    if (this.items === 0) return
    const { frame, frameHeader } = this
    this.prepareHeader()
    frameHeader.count = this.items
    frameHeader.length = paddedSize(frame.length)
    while (frame.length < frameHeader.length) frame.u8(0)
    writeFrameHeader(frame.bytes, frameHeader)
    this.hash.update(frame.bytes.subarray(0, frame.length))
    this.frames++
    this.items = 0
    if (this.blocking || this.underWay.length >= mostForClients) {
      this.writeNow(frame.bytes, frame.length)
      frame.length = frameHeaderSize
      return
    }
    this.frame = this.spare.pop() ?? newFrame()
    this.writeLater(frame.bytes, frame.length, () => {
      if (frame.bytes.length <= keptCapacity && this.spare.length < mostInFlight) {
        frame.length = frameHeaderSize
        this.spare.push(frame)
      }
      this.syncSome()
    })
  }

  private writeLater(bytes: Uint8Array, length: number, done: () => void): void {
    const position = this.bytes
    this.bytes += length
    this.underWay.push(position)
    this.file.writeLater(bytes, 0, length, position, (error) => {
      this.underWay.splice(this.underWay.indexOf(position), 1)
      this.failure ??= error
      done()
    })
  }

  private syncSome(): void {
    if (this.syncing || this.failure !== undefined || this.bytes - this.syncedBytes < syncEvery) return
    this.syncing = true
    this.syncedBytes = this.bytes
    this.file.datasync((error) => {
      this.syncing = false
      this.failure ??= error
    })
  }

  private writeNow(bytes: Uint8Array, length: number): void {
    if (this.failure !== undefined) return
    const position = this.bytes
    this.bytes += length
    try {
      const written = this.file.write(bytes, 0, length, position)
      if (written < length) throw new DiskError("ENOSPC", "write", this.temporary, `${written} of ${length} bytes`)
    } catch (error) {
      this.failed(error)
    }
  }

  private failed(error: unknown): void {
    if (!(error instanceof DiskError)) throw error
    this.failure ??= error
  }
}

const newFrame = (): ByteWriter => {
  const out = new ByteWriter(checkpointFrameBytes + (checkpointFrameBytes >>> 1))
  out.length = frameHeaderSize
  return out
}
