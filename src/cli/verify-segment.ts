/** One segment checked byte for byte: header, frames, SEALs, footer. Nothing is decoded that need not be. */
import { openCompressed } from "../log/compressed-file.ts"
import { type Disk, DiskError, type DiskFile } from "../log/disk.ts"
import { LogCorrupt } from "../log/errors.ts"
import { beginsFooter, type FooterTail, readFooter, readFooterTail } from "../log/footer.ts"
import { chainValue, FrameCursor, readRetrying } from "../log/frame-cursor.ts"
import { frameHeaderSize, frameType } from "../log/frame.ts"
import { scanSegment } from "../log/scan.ts"
import { SegmentHash } from "../log/segment-hash.ts"
import { compressedName, sameBytes, type SegmentHeader, segmentHeaderSize, segmentName } from "../log/segment.ts"

/** What is wrong: with bytes, with the order and completeness of the log, with its last write, with a checkpoint. */
export type FindingKind = "checksum" | "chain" | "torn-tail" | "checkpoint"

/** Something that is not as it was written. */
export interface Finding {
  readonly kind: FindingKind
  readonly reason: string
  /** The file, in the data directory. */
  readonly file: string
  /** Byte position in the segment. */
  readonly offset: number
  readonly lsn: number
  /** First sequence that cannot be trusted, and the last where that is known. */
  readonly sequence: number
  readonly last: number | undefined
}

/** A SEAL: everything up to a sequence stands behind this chain value. */
export interface Head {
  readonly sequence: number
  readonly chain: Uint8Array
}

/** What one segment turned out to be. */
export interface SegmentReport {
  readonly file: string
  readonly header: SegmentHeader
  /** Position after the last good frame. */
  readonly end: number
  readonly lastSequence: number
  /** Chain value at its end, as far as it is sealed. */
  readonly chain: Uint8Array
  /** SHA-256 of everything up to `end`. */
  readonly sha256: Uint8Array
  /** Position after the last SEAL; 0: none. */
  readonly sealedTo: number
  readonly heads: ReadonlyArray<Head>
  /** Highest lsn that was synced, by what its frames say. */
  readonly mark: number
  readonly finding: Finding | undefined
  /** Behind the frames: a footer, nothing, or what there is instead. */
  readonly footer: "whole" | "absent" | "cut short" | "damaged"
}

/** What is known about a segment's place in the log. */
export interface Place {
  /** Position at which the next one says that this one ends; undefined: it is the last. */
  readonly end: number | undefined
  /** The one after it took over after a failed fsync: it has no SEAL at its end. */
  readonly cut: boolean
  /** The last but one may still get its footer. */
  readonly footerDue: boolean
}

/** Opens either form of a segment. Throws `DiskError` ENOENT when neither is there. */
export const openEither = (disk: Disk, first: number): { readonly file: DiskFile; readonly name: string } => {
  try {
    const name = segmentName(first)
    return { file: disk.open(name, "read"), name }
  } catch (error) {
    if (!(error instanceof DiskError) || error.code !== "ENOENT") throw error
  }
  const name = compressedName(first)
  return { file: openCompressed(disk, name), name }
}

/** A look again may find what was being written when the first one came upon it. */
const looksAgain = 5

/** Checks one segment; `read` is told how many bytes of it are done. */
export class SegmentCheck {
  private readonly file: DiskFile
  private readonly name: string
  private readonly header: SegmentHeader
  private readonly place: Place
  private readonly hash = new SegmentHash()
  private readonly heads: Array<Head> = []
  private chain: Uint8Array
  private end = segmentHeaderSize
  private sealedTo = 0
  private sealedSequence: number
  private nextSequence: number
  private sealedHash: Uint8Array = new Uint8Array(32)
  private mark = 0
  private finding: Finding | undefined = undefined

  constructor(file: DiskFile, name: string, header: SegmentHeader, place: Place) {
    this.file = file
    this.name = name
    this.header = header
    this.place = place
    this.chain = header.chain
    this.nextSequence = header.firstSequence
    this.sealedSequence = header.firstSequence - 1
  }

  /** Goes through it. `again` waits a moment before a torn end is looked at once more; undefined: nobody is writing. */
  run(read: (bytes: number) => void, again: (() => void) | undefined): SegmentReport {
    const { file, place } = this
    let footer: SegmentReport["footer"] = "absent"
    try {
      const size = file.size()
      const tail = readFooterTail(file, size)
      const sealed = tail?.summary.firstSequence === this.header.firstSequence ? tail : undefined
      const whole = sealed !== undefined && readFooter(file, size) !== undefined
      const framesEnd = Math.min(place.end ?? Infinity, sealed?.start ?? size)
      const head = new Uint8Array(segmentHeaderSize)
      readRetrying(file, head, 0, segmentHeaderSize, 0)
      this.hash.update(head)
      this.frames(framesEnd, read, sealed === undefined && place.end === undefined ? again : undefined)
      if (sealed === undefined) footer = this.remains(size)
      else footer = whole ? "whole" : "damaged"
      if (this.finding === undefined) this.conclude(size, sealed, footer)
    } catch (error) {
      if (error instanceof LogCorrupt) this.found("checksum", error.reason, this.end)
      else if (error instanceof DiskError && error.code === "EIO") {
        this.found("checksum", `the disk cannot read it (${error.message})`, this.end)
      } else throw error
    }
    return {
      file: this.name,
      header: this.header,
      end: this.end,
      lastSequence: this.nextSequence - 1,
      chain: this.chain,
      sha256: this.hash.digest(),
      sealedTo: this.sealedTo,
      heads: this.heads,
      mark: this.mark,
      finding: this.finding,
      footer
    }
  }

  private frames(until: number, read: (bytes: number) => void, again: (() => void) | undefined): void {
    const { file, hash, header } = this
    const cursor = new FrameCursor(file, segmentHeaderSize, until)
    let tries = again === undefined ? looksAgain : 0
    for (let n = 0;; n++) {
      const step = cursor.advance()
      if (step === "end") return
      if (step === "bad" && tries++ < looksAgain) {
        again!()
        cursor.reopen(file)
        cursor.seek(this.end)
        cursor.end = file.size()
        if (cursor.end > until + (64 << 20)) return // it grows faster than it is read: enough was seen
        continue
      }
      const frame = cursor.header
      const count = step === "frame" ? cursor.sequences() : undefined
      if (step === "bad") return this.bad(cursor.reason)
      if (count === undefined) return this.bad("frame body does not decode")
      if (frame.sequence !== this.nextSequence) {
        return this.found(
          "chain",
          `sequence ${frame.sequence} where ${this.nextSequence} should follow`,
          this.end,
          frame.sequence - 1
        )
      }
      if (frame.type === frameType.seal && !this.seal(cursor)) return
      hash.update(cursor.at === 0 ? cursor.bytes : cursor.bytes.subarray(cursor.at), frame.length)
      if (frame.lag < 0xffff_ffff * 8) {
        this.mark = Math.max(this.mark, header.lsn + cursor.position - segmentHeaderSize - frame.lag)
      }
      this.nextSequence += count
      this.end = cursor.next
      if ((n & 255) === 0) read(this.end)
    }
  }

  private seal(cursor: FrameCursor): boolean {
    const body = cursor.at + frameHeaderSize
    const sha256 = this.hash.digest()
    const chain = chainValue(this.chain, sha256)
    const fits = cursor.header.length === frameHeaderSize + 64
      && sameBytes(sha256, cursor.bytes.subarray(body, body + 32))
      && sameBytes(chain, cursor.bytes.subarray(body + 32, body + 64))
    if (!fits) {
      const from = this.sealedTo === 0 ? 0 : this.sealedTo
      this.nextSequence = this.sealedSequence + 1
      this.found(
        "chain",
        `the bytes ${from} to ${cursor.position} are not those that the SEAL behind them was made of`,
        from,
        cursor.header.sequence - 1
      )
      this.end = Math.max(segmentHeaderSize, from)
      return false
    }
    this.chain = chain
    this.sealedHash = sha256
    this.sealedTo = cursor.next
    this.sealedSequence = this.nextSequence - 1
    this.heads.push({ sequence: this.sealedSequence, chain })
    return true
  }

  /** A frame is not whole. In the last segment recovery's verdict counts, which looks at what stands behind it. */
  private bad(reason: string): void {
    this.found("checksum", reason, this.end)
  }

  /** What stands behind the frames of a segment without a footer. */
  private remains(size: number): SegmentReport["footer"] {
    const from = this.place.end ?? this.end
    if (size <= from) return "absent"
    const bytes = new Uint8Array(Math.min(8, size - from))
    readRetrying(this.file, bytes, 0, bytes.length, from)
    return beginsFooter(bytes) ? "cut short" : "damaged"
  }

  private conclude(size: number, tail: FooterTail | undefined, footer: SegmentReport["footer"]): void {
    const { place } = this
    if (tail !== undefined) {
      const { chain, lastSequence, sha256 } = tail.summary
      if (footer === "damaged") this.found("checksum", "the footer is damaged", tail.start)
      else if (this.sealedTo !== this.end || tail.start !== this.end) {
        this.found("chain", "its footer stands where no SEAL is", this.end)
      } else if (!sameBytes(chain, this.chain) || lastSequence !== this.nextSequence - 1) {
        this.found("chain", "its footer is that of another segment", tail.start)
      } else if (!sameBytes(sha256, this.sealedHash)) this.found("chain", "its footer states another hash", tail.start)
      return
    }
    if (place.end === undefined) return
    if (this.end < place.end) {
      return this.found("chain", `${place.end - this.end} bytes are missing at its end`, this.end)
    }
    // A segment that was cut after a failed fsync may wait for its SEAL, the last but one for its footer.
    if (place.cut) return
    if (this.sealedTo !== this.end) this.found("chain", "it was never sealed, but another follows", this.end)
    else if (!place.footerDue && footer !== "absent") this.found("checksum", "the footer is damaged", this.end)
    else if (footer === "damaged" && size > this.end) this.found("checksum", "the footer is damaged", this.end)
  }

  private found(kind: FindingKind, reason: string, offset: number, last?: number): void {
    const { header, name, nextSequence } = this
    this.finding = {
      kind,
      reason,
      file: name,
      offset,
      lsn: header.lsn + Math.max(0, offset - segmentHeaderSize),
      sequence: nextSequence,
      last: last !== undefined && last >= nextSequence ? last : undefined
    }
  }
}

/** Recovery's verdict on the end of the last segment: torn, or damaged where it was safe. */
export const endVerdict = (
  file: DiskFile,
  { finding, header, mark }: SegmentReport,
  durableLsn: number
): Finding | undefined => {
  if (finding === undefined) return undefined
  const scan = scanSegment(file, header, file.size(), 4096)
  if (scan.bad === undefined) return undefined // whole by now: it was being written
  const at = header.lsn + scan.end - segmentHeaderSize
  const safe = Math.max(scan.mark, mark, durableLsn)
  if (!scan.bad.tampered && at >= safe) {
    const bytes = file.size() - scan.end
    return {
      ...finding,
      kind: "torn-tail",
      reason: `the last ${bytes} bytes were never safely on disk (${finding.reason})`
    }
  }
  const short = /^the file (ends|is shorter)/.test(finding.reason)
  if (finding.kind === "chain") return finding
  return short
    ? { ...finding, kind: "chain", reason: `${safe - at} bytes that were safely on disk are missing at the end` }
    : { ...finding, last: scan.bad.lastSequence }
}
