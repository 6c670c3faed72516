/**
 * What is done to sealed segments while the log is open. Everything that changes which files make up the log happens
 * in one turn and in this order: the new state is in place and synced, memory follows, the manifest says so, and only
 * then are files removed, one per tick, for removing a large one takes milliseconds.
 */
import type { Retention } from "../config/value-lists.ts"
import { type CompressionTools, compressSegment, discard, NotCompressed, publishCompressed } from "./compression.ts"
import { type Disk, DiskError } from "./disk.ts"
import { dropBody, type DroppedSegment } from "./drop-record.ts"
import { segmentsToDrop } from "./retention.ts"
import type { SealedSegment } from "./rotation.ts"
import { compressedName, segmentHeaderSize } from "./segment.ts"

/** The log these segments belong to. */
export interface UpkeepHost {
  readonly disk: Disk
  /** Oldest first. */
  readonly sealed: Array<SealedSegment>
  /** False when the manifest could not be written. */
  readonly saveManifest: () => boolean
  /** Monotonic ms. */
  readonly monotonic: () => number
  /** Whether the log takes writes. */
  readonly healthy: () => boolean
  /** Of the segment being written. */
  readonly activeBytes: () => number
  /** Newest sequence. */
  readonly sequence: () => number
  /** Writes a CONTROL record; the lsn behind it, undefined when that failed. */
  readonly control: (body: Uint8Array) => number | undefined
  /** Lsn below which everything is synced. */
  readonly durable: () => number
  /** Of a log that follows another's: what that has dropped, and a position behind the records. */
  readonly recorded: () => { readonly drops: ReadonlyArray<DroppedSegment>; readonly lsn: number } | undefined
  /** Starts a sync of what is written. */
  readonly sync: () => void
  readonly warn: (message: string) => void
}

/** A disk that refused something is asked again after this long. */
const retryEveryMs = 1000

/** What a compression achieved; bytes. */
export interface Compressed {
  readonly segment: string
  readonly before: number
  readonly after: number
}

const droppedOf = ({ bytes, end, header, stored, summary }: SealedSegment, reason: string): DroppedSegment => ({
  first: header.firstSequence,
  last: summary.lastSequence,
  lsn: header.lsn,
  endLsn: header.lsn + end - segmentHeaderSize,
  bytes: stored ?? bytes,
  sha256: summary.sha256,
  chain: summary.chain,
  reason
})

/** Keeps the sealed segments of an open log. */
export class Upkeep {
  private readonly host: UpkeepHost
  /** Files that are not part of the log any more. */
  private readonly doomed: Array<string> = []
  /** Records of dropped segments that wait to be synced: how many of the oldest segments, and the lsn behind them. */
  private dropping: { readonly count: number; readonly lsn: number } | undefined = undefined
  private manifestDue = false
  private folderSyncDue = false
  private lastTry = -Infinity
  private complained = false
  private compressing = false
  private closed = false
  /** First sequences of segments that are better left alone. */
  private readonly refused = new Set<number>()

  constructor(host: UpkeepHost) {
    this.host = host
  }

  /**
   * Drops the oldest segments that a rule no longer keeps, as far as the checkpoints cover them (`covered`: all of them
   * hold everything up to there; 0: nothing goes). The drop is recorded now; once the record is synced the segments
   * cannot be read any more, and their files go in the following ticks. Returns what was recorded. `now` is unix ms.
   */
  retain(rule: Retention, covered: number, now: number): ReadonlyArray<DroppedSegment> {
    const { activeBytes, control, sealed, sequence } = this.host
    if (this.dropping !== undefined || !this.proceed()) return []
    const recorded = this.host.recorded()
    if (recorded !== undefined) return this.dropLike(recorded.drops, recorded.lsn, covered)
    const facts = { sealed, activeBytes: activeBytes(), sequence: sequence(), covered, now }
    const dropped: Array<DroppedSegment> = []
    for (const [i, reason] of segmentsToDrop(rule, facts).entries()) {
      const drop = droppedOf(sealed[i]!, reason)
      const lsn = control(dropBody(drop))
      if (lsn === undefined) break
      dropped.push(drop)
      this.dropping = { count: dropped.length, lsn }
    }
    this.tick()
    return dropped
  }

  /** A replica drops what its primary has dropped, and what came before that, once its own checkpoints cover it. */
  private dropLike(drops: ReadonlyArray<DroppedSegment>, lsn: number, covered: number): ReadonlyArray<DroppedSegment> {
    const { sealed } = this.host
    const last = Math.min(covered, drops.at(-1)?.last ?? 0)
    const gone = sealed.slice(0, -1).filter(({ summary }) => summary.lastSequence <= last)
    if (gone.length === 0) return []
    this.dropping = { count: gone.length, lsn }
    this.tick()
    return gone.map((segment) => droppedOf(segment, "the primary has dropped it"))
  }

  /** Removes files that are not part of the log, once the manifest says so; `saved`: it does already. */
  remove(names: ReadonlyArray<string>, saved: boolean): void {
    this.doomed.push(...names)
    if (!saved && names.length > 0) this.manifestDue = true
  }

  /** The log was opened anew, over other files. */
  renew(leftovers: ReadonlyArray<string>): void {
    this.dropping = undefined
    this.doomed.length = 0
    this.refused.clear()
    this.remove(leftovers, false)
  }

  /** The oldest sealed segment that could be compressed when the newest `raw` (at least 1) stay as they are. */
  compressible(raw: number): SealedSegment | undefined {
    const { sealed } = this.host
    const end = sealed.length - Math.max(1, raw) // the newest may still be sealed anew after a failed fsync
    for (let i = 0; i < end; i++) {
      const segment = sealed[i]!
      if (segment.stored === undefined && !this.refused.has(segment.header.firstSequence)) return segment
    }
    return undefined
  }

  /**
   * Compresses one segment, if there is one that `compressible` names; undefined when there is nothing to do or it was
   * given up. One at a time. Rejects with `DiskError` when the disk fails; then everything is as before.
   */
  async compress(raw: number, tools: CompressionTools): Promise<Compressed | undefined> {
    const { disk, sealed, warn } = this.host
    const segment = this.compressible(raw)
    if (segment === undefined || this.compressing || !this.proceed()) return undefined
    this.compressing = true
    try {
      const pause = async (): Promise<boolean> => await tools.pause() && this.proceed()
      const stored = await compressSegment(disk, segment, { ...tools, pause })
      const first = segment.header.firstSequence
      const at = sealed.indexOf(segment)
      if (at < 0 || !this.proceed()) { // dropped meanwhile, or no time to change files
        if (!this.closed) discard(disk, `${compressedName(first)}.tmp`)
        return undefined
      }
      if (stored >= segment.bytes) {
        this.refused.add(first)
        discard(disk, `${compressedName(first)}.tmp`)
        return undefined
      }
      const name = publishCompressed(disk, first)
      sealed[at] = { ...segment, name, stored }
      this.doomed.push(segment.name)
      this.manifestDue = true
      return { segment: name, before: segment.bytes, after: stored }
    } catch (error) {
      if (!(error instanceof NotCompressed)) throw error
      if (error.final) {
        this.refused.add(segment.header.firstSequence)
        warn(`${segment.name} is not compressed: ${error.message}`)
      }
      return undefined
    } finally {
      this.compressing = false
    }
  }

  /** Time passes: does what is due. */
  tick(): void {
    if (this.closed) return
    if (this.dropping !== undefined) this.drop(this.dropping)
    if (!(this.manifestDue || this.folderSyncDue || this.doomed.length > 0)) return
    const now = this.host.monotonic()
    if (now - this.lastTry < retryEveryMs) return
    if (!this.step()) this.lastTry = now
  }

  /** Does all that is due now; what fails stays due. */
  settle(): void {
    while ((this.manifestDue || this.folderSyncDue || this.doomed.length > 0) && this.step());
  }

  /** The log is closed: no file is touched any more. */
  close(): void {
    this.closed = true
  }

  /** Lets go of segments whose records are synced by now. */
  private drop({ count, lsn }: { readonly count: number; readonly lsn: number }): void {
    const { durable, sealed, sync } = this.host
    if (durable() < lsn) {
      if (this.proceed()) sync()
      if (durable() < lsn) return
    }
    this.dropping = undefined
    for (const { name } of sealed.splice(0, count)) this.doomed.push(name)
    this.manifestDue = true
  }

  private proceed(): boolean {
    return !this.closed && this.host.healthy()
  }

  /** One step; false when it failed and has to wait. */
  private step(): boolean {
    const { disk, saveManifest, warn } = this.host
    if (this.manifestDue) {
      this.manifestDue = !saveManifest()
      return !this.manifestDue
    }
    const name = this.doomed[0]
    try {
      if (name === undefined) {
        disk.syncFolder("log")
        this.folderSyncDue = false
        return true
      }
      disk.unlink(name)
    } catch (error) {
      if (!(error instanceof DiskError)) throw error
      if (error.code !== "ENOENT") {
        if (!this.complained) warn(`${error.message}: a file that is not needed any more stays for now`)
        this.complained = true
        return false
      }
    }
    this.complained = false
    this.doomed.shift()
    this.folderSyncDue = true
    return true
  }
}
