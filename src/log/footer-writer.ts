/**
 * The footer of a segment that was sealed a moment ago, written behind the back of the next one: megabytes of key filter
 * and the sync of them would hold up whoever writes. Until it is there the segment is one without a footer, which
 * recovery knows how to read and to complete; frames and SEAL were synced before the next segment began.
 */
import { crc32 } from "node:zlib"
import type { ActiveSegment } from "./active-segment.ts"
import { type Disk, DiskError } from "./disk.ts"
import { type FooterParts, footerParts } from "./footer.ts"
import { type SealedSegment, summaryOf } from "./rotation.ts"

/** Written in one step. */
const pieceBytes = 256 << 10
/** What failed is tried again after this long, monotonic ms. */
const retryEveryMs = 1000

/** See the head of this file. The segment's file is this one's to close. */
export class FooterWriter {
  readonly segment: ActiveSegment
  private readonly disk: Disk
  private readonly warn: (message: string) => void
  private readonly whole: (sealed: SealedSegment) => void
  private parts: FooterParts | undefined = undefined
  /** The tail, once everything before it is written. */
  private tail: Uint8Array | undefined = undefined
  /** Bytes written, of the part `part` only those before `at`, and their checksum. */
  private written = 0
  private part = 0
  private at = 0
  private crc = 0
  private syncing = false
  /** Something failed: after a failed fsync the next must be of another descriptor, and of everything written again. */
  private reopenNeeded = false
  private triedAt = -Infinity
  private warned = false
  done = false

  /** @param whole called with the segment as it is once its footer is safely on disk */
  constructor(
    disk: Disk,
    segment: ActiveSegment,
    hooks: { readonly warn: (message: string) => void; readonly whole: (sealed: SealedSegment) => void }
  ) {
    this.disk = disk
    this.segment = segment
    this.warn = hooks.warn
    this.whole = hooks.whole
  }

  /** Writes the next piece, or starts the sync. `now`: monotonic ms. */
  step(now: number): void {
    if (this.done || this.syncing || now - this.triedAt < retryEveryMs) return
    try {
      this.prepare()
      const enough = this.written + pieceBytes
      while (this.piece()) if (this.written >= enough) return
      this.syncing = true
      this.segment.file.datasync((error) => {
        this.syncing = false
        if (this.done) return
        if (error === undefined) this.finished()
        else this.failed(error, now)
      })
    } catch (error) {
      this.failed(error, now)
    }
  }

  /** All that is left at once; false when the disk refuses, and the next start has to complete the segment. */
  finish(): boolean {
    if (this.done) return true
    try {
      // A sync under way could take the error of this one: a second handle has its own view of what went wrong.
      this.reopenNeeded ||= this.syncing
      this.prepare()
      while (this.piece());
      this.segment.file.sync()
      this.finished()
      return true
    } catch (error) {
      this.failed(error, 0)
      this.close()
      return false
    }
  }

  /** Gives the file back as it is. */
  close(): void {
    if (this.done) return
    this.done = true
    this.segment.file.close()
  }

  private prepare(): void {
    this.parts ??= footerParts(summaryOf(this.segment), this.segment.index)
    if (!this.reopenNeeded) return
    const again = this.disk.open(this.segment.name, "write")
    this.segment.file.close()
    this.segment.file = again
    this.reopenNeeded = false
    this.written = this.crc = 0
    this.part = this.at = 0
  }

  /** Writes a piece; false when none was left. */
  private piece(): boolean {
    const { body, tail } = this.parts!
    const inBody = this.part < body.length
    if (this.part > body.length) return false
    const part = body[this.part] ?? (this.tail ??= tail(this.crc))
    const piece = part.subarray(this.at, this.at + pieceBytes)
    this.segment.put(piece, piece.length, this.written)
    if (inBody) this.crc = crc32(piece, this.crc)
    this.written += piece.length
    this.at += piece.length
    if (this.at < part.length) return true
    this.part++
    this.at = 0
    return true
  }

  private finished(): void {
    const { segment } = this
    this.close()
    segment.index.recycle()
    this.whole({
      name: segment.name,
      header: segment.header,
      end: segment.end,
      bytes: segment.end + this.written,
      summary: summaryOf(segment)
    })
  }

  private failed(error: unknown, now: number): void {
    if (!(error instanceof DiskError)) throw error
    this.triedAt = now
    this.reopenNeeded = true
    if (this.warned) return
    this.warned = true
    this.warn(`the footer of ${this.segment.name} cannot be written yet, its data is safe: ${error.message}`)
  }
}
