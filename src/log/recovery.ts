/**
 * Opening a log: which files there are, whether they fit together, and what the end of the last one means.
 *
 *     found                                                            verdict    action
 *     every frame valid to the end, end ≥ durable mark                 clean      start
 *     first bad frame ≥ mark                                           torn tail  copy what follows to quarantine/, cut it
 *     first bad frame < mark; a clean end below it; a hole between
 *     segments; another store's id; a chain value that does not fit    corrupt    LogCorrupt, nothing is touched
 *     a newer format                                                   refuse     LogFormatTooNew, nothing is touched
 *
 * Everything is fsynced before it is trusted. Whatever recovery changes it can be interrupted in and repeat.
 */
import { ActiveSegment, createSegment, publishSegment } from "./active-segment.ts"
import { neededFrom } from "./checkpoint-keeping.ts"
import { isCompressed } from "./compressed-file.ts"
import { type Disk, DiskError, type DiskFile } from "./disk.ts"
import { formatTooNew, logCorrupt } from "./errors.ts"
import { beginsFooter, readFooterTail } from "./footer.ts"
import { readRetrying } from "./frame-cursor.ts"
import { describeGap, gapsIn } from "./gaps.ts"
import type { Epoch } from "./lineage.ts"
import { type Manifest, type ManifestCheckpoint, readManifest } from "./manifest.ts"
import { checkAgainstManifest, findSegments, type Found, removeTemporaries, segmentFiles } from "./recovery-files.ts"
import { damaged, joinSealed, type RecoveryOptions } from "./recovery-sealed.ts"
import { alreadyDropped, beginningOf } from "./recovery-start.ts"
import type { SealedSegment } from "./rotation.ts"
import { scanSegment, verdictOf } from "./scan.ts"
import { formatVersion, sameBytes, type SegmentHeader, segmentHeaderSize } from "./segment.ts"

/** Footers of the newest segments are checked in full; older ones by their tails, and in full when they are used. */
const checkedFooters = 8

/** What recovery hands to the log. */
export interface Recovered {
  readonly verdict: "new" | "clean" | "torn"
  readonly sealed: Array<SealedSegment>
  readonly active: ActiveSegment
  /** What the manifest says of checkpoints. */
  readonly checkpoints: ReadonlyArray<ManifestCheckpoint>
  readonly tornBytes: number
  readonly quarantine: string | undefined
  /** Files that are not part of the log any more, to be removed once the manifest says so. */
  readonly leftovers: Array<string>
  /** The last frame is the SEAL of a clean shutdown, or there is none: nothing can have been lost. */
  readonly shutDown: boolean
  /** Epochs that begin inside of the newest segment. */
  readonly epochs: ReadonlyArray<Epoch>
}

/** What the segments alone tell. */
type RecoveredLog = Omit<Recovered, "checkpoints">

/** Recovers the log of a directory whose lock is held. */
export const recoverLog = (disk: Disk, options: RecoveryOptions): Recovered => {
  disk.makeFolder("log")
  disk.syncFolder("")
  const reading = readManifest(disk)
  if (reading.kind === "newer") throw formatTooNew("MANIFEST", reading.oldestReader, formatVersion)
  const manifest = reading.kind === "manifest" ? reading.manifest : undefined
  const files = segmentFiles(disk)
  const all = findSegments(disk, files)
  if (all.length === 0 && manifest === undefined) {
    if (reading.kind === "none" && reading.damaged) {
      throw logCorrupt({ ...nowhere, reason: "no segment is left, and the manifest is damaged", segment: "MANIFEST" })
    }
    removeTemporaries(disk)
    return { ...begin(disk, options), checkpoints: [] }
  }
  if (reading.kind === "none") {
    options.warn(`the manifest is ${reading.damaged ? "damaged" : "missing"}: it is rebuilt from the segments`)
  } else if (reading.previous) options.warn("the manifest is missing or damaged: the one before it is used")
  const { dropped, found } = beginningOf(disk, all, manifest)
  checkAgainstManifest(found, manifest)
  removeTemporaries(disk)
  const recovered = { ...join(disk, found, manifest, options), checkpoints: manifest?.checkpoints ?? [] }
  recovered.leftovers.push(...files.superseded, ...dropped)
  warnOfGaps(disk, recovered, options.warn)
  return recovered
}

/** What a salvage could not keep is said at every start. Only segments whose footer announces gaps are read for it. */
const warnOfGaps = (disk: Disk, { active, sealed }: Recovered, warn: (message: string) => void): void => {
  const segments = sealed.filter(({ summary }) => summary.gaps).map(({ end, name }) => ({ end, name }))
  if (active.index.gaps) segments.push({ end: active.end, name: active.name })
  try {
    for (const gap of gapsIn(disk, segments)) warn(`the log has a gap: ${describeGap(gap)}`)
  } catch (error) {
    if (!(error instanceof DiskError)) throw error
    warn(`the log has gaps that cannot be named: ${error.message}`)
  }
}

const nowhere = { position: 0, lsn: 0, sequence: 1, bytesLost: 0 }

const begin = (disk: Disk, options: RecoveryOptions): RecoveredLog => {
  const ids = options.randomId()
  const header: SegmentHeader = {
    storeId: ids.slice(0, 16),
    replicationId: ids.slice(16, 36),
    epoch: 1,
    firstSequence: 1,
    lsn: 0,
    created: options.now,
    chain: new Uint8Array(32),
    afterCut: false
  }
  const active = new ActiveSegment(createAndPublish(disk, header), header, options.segmentBytes)
  return {
    verdict: "new",
    sealed: [],
    active,
    tornBytes: 0,
    quarantine: undefined,
    leftovers: [],
    shutDown: true,
    epochs: []
  }
}

const createAndPublish = (disk: Disk, header: SegmentHeader): DiskFile => {
  const file = createSegment(disk, header)
  try {
    const published = publishSegment(disk, header, file)
    disk.syncFolder("log")
    return published
  } catch (error) {
    file.close()
    throw error
  }
}

/** Fits the segments together and decides about the end of the last one. */
const join = (
  disk: Disk,
  found: Array<Found>,
  manifest: Manifest | undefined,
  options: RecoveryOptions
): RecoveredLog => {
  const repairs: Array<() => void> = []
  const sealed: Array<SealedSegment> = []
  let last = found.at(-1)!
  for (let i = 0; i < found.length - 1; i++) {
    const segment = joinSealed(
      disk,
      found[i]!,
      found[i + 1]!,
      manifest,
      options,
      repairs,
      i + checkedFooters >= found.length
    )
    if (segment === undefined) {
      // The next file was begun but never used: this one goes on, as if the rotation had not been tried.
      const leftover = last
      repairs.push(() => {
        disk.unlink(leftover.name)
        disk.syncFolder("log")
      })
      last = found[i]!
      break
    }
    sealed.push(segment)
  }
  if (isCompressed(last.name)) {
    const { header, name } = last
    throw logCorrupt({
      reason: "the segments after it are missing: the newest ones are never compressed",
      segment: name,
      position: 0,
      lsn: header.lsn,
      sequence: header.firstSequence,
      bytesLost: 0
    })
  }
  const file = disk.open(last.name, "write")
  try {
    file.sync()
    const tail = readFooterTail(file, last.size)
    if (tail !== undefined && tail.summary.firstSequence === last.header.firstSequence) {
      const whole = { name: last.name, header: last.header, end: tail.start, bytes: last.size, summary: tail.summary }
      const end = last.header.lsn + tail.start - segmentHeaderSize
      if (end >= (manifest?.durableLsn ?? 0) && options.foreign !== true) {
        return goOnAfter(disk, file, whole, sealed, repairs, options)
      }
    }
    return reopenLast(disk, file, last, sealed, manifest, options, repairs)
  } catch (error) {
    file.close()
    throw error
  }
}

/** The last segment is sealed but has no successor: the rotation was interrupted here, and is completed. */
const goOnAfter = (
  disk: Disk,
  file: DiskFile,
  whole: SealedSegment,
  sealed: Array<SealedSegment>,
  repairs: ReadonlyArray<() => void>,
  options: RecoveryOptions
): RecoveredLog => {
  const { summary } = whole
  for (const repair of repairs) repair()
  const header: SegmentHeader = {
    ...whole.header,
    epoch: options.epoch?.number ?? whole.header.epoch,
    replicationId: options.epoch === undefined
      ? whole.header.replicationId
      : Buffer.from(options.epoch.replicationId, "hex"),
    firstSequence: summary.lastSequence + 1,
    lsn: whole.header.lsn + whole.end - segmentHeaderSize,
    created: options.now,
    chain: summary.chain,
    afterCut: false
  }
  const active = new ActiveSegment(createAndPublish(disk, header), header, options.segmentBytes)
  active.lastTime = summary.lastTime
  file.close()
  sealed.push(whole)
  return {
    verdict: "clean",
    sealed,
    active,
    tornBytes: 0,
    quarantine: undefined,
    leftovers: [],
    shutDown: false,
    epochs: []
  }
}

/** Decides about the end of the log and opens its last segment for writing. */
const reopenLast = (
  disk: Disk,
  file: DiskFile,
  last: Found,
  sealed: Array<SealedSegment>,
  manifest: Manifest | undefined,
  options: RecoveryOptions,
  repairs: ReadonlyArray<() => void>
): RecoveredLog => {
  const { header, size, name } = last
  const scan = scanSegment(file, header, size, options.segmentBytes)
  scan.mark = Math.max(options.foreign === true ? 0 : scan.mark, manifest?.durableLsn ?? 0)
  const lsnAt = (position: number): number => header.lsn + position - segmentHeaderSize
  const badLsn = scan.bad === undefined ? undefined : lsnAt(scan.bad.position)
  const verdict = scan.bad?.tampered === true ? "corrupt" : verdictOf(badLsn, lsnAt(scan.end), scan.mark)
  if (verdict === "corrupt") {
    const known = manifest === undefined ? undefined : manifest.durableSequence
    throw damaged(last, scan, known, undefined, "the log ends before what was safely on disk")
  }
  for (const repair of repairs) repair()
  let quarantine: string | undefined
  let tornBytes = 0
  if (scan.bad !== undefined) {
    const torn = size - scan.end
    const head = new Uint8Array(Math.min(8, torn))
    readRetrying(file, head, 0, head.length, scan.end)
    if (scan.sealedTo !== scan.end || !beginsFooter(head)) { // a half footer is no loss: it is written again
      tornBytes = torn
      quarantine = copyTail(disk, file, header, scan.end, size, lsnAt(scan.end))
      options.warn(
        `torn tail: ${tornBytes} bytes after sequence ${scan.nextSequence - 1} of ${name} (lsn ${
          lsnAt(scan.end)
        }) were `
          + `never safely on disk (${scan.bad.reason}); cut, and kept as ${quarantine}`
      )
    }
    file.truncate(scan.end)
    file.sync()
  }
  disk.syncFolder("log")
  const active = new ActiveSegment(file, header, options.segmentBytes, scan)
  if (!active.hasBatches) active.lastTime = sealed.at(-1)?.summary.lastTime ?? 0
  // Recorded before the files were to go: that has to be finished.
  const covered = options.shared === true ? neededFrom(manifest?.checkpoints ?? []) : Infinity
  const gone = sealed.splice(0, alreadyDropped(sealed, scan.dropped, covered))
  const leftovers = gone.map((segment) => segment.name)
  return {
    verdict: tornBytes > 0 ? "torn" : "clean",
    sealed,
    active,
    tornBytes,
    quarantine,
    leftovers,
    shutDown: scan.clean && tornBytes === 0,
    epochs: scan.epochs
  }
}

/** Copies the end of a segment to quarantine/ and fsyncs it; the same cut made twice gives one file. */
const copyTail = (
  disk: Disk,
  file: DiskFile,
  header: SegmentHeader,
  from: number,
  to: number,
  lsn: number
): string => {
  disk.makeFolder("quarantine")
  disk.syncFolder("")
  const name = `quarantine/${String(header.firstSequence).padStart(20, "0")}.${lsn}.torn`
  const temporary = `${name}.tmp`
  const copy = disk.open(temporary, "create")
  try {
    const buffer = new Uint8Array(Math.min(1 << 20, to - from))
    for (let position = from; position < to;) {
      const n = readRetrying(file, buffer, 0, Math.min(buffer.length, to - position), position)
      if (n === 0) break
      const written = copy.write(buffer, 0, n, position - from)
      if (written < n) throw new DiskError("ENOSPC", "write", temporary, `${written} of ${n} bytes`)
      position += n
    }
    copy.sync()
  } finally {
    copy.close()
  }
  let target = name
  for (let i = 2; disk.exists(target) && !sameBytes(disk.readFile(target), disk.readFile(temporary)); i++) {
    target = `${name}.${i}`
  }
  disk.rename(temporary, target)
  disk.syncFolder("quarantine")
  return target
}
