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
import { ActiveSegment, createSegment, IndexCatchUp, publishSegment } from "./active-segment.ts"
import { type Disk, DiskError, type DiskFile } from "./disk.ts"
import { type Damage, formatTooNew, logCorrupt } from "./errors.ts"
import { beginsFooter, encodeFooter, type FooterTail, readFooter, readFooterTail } from "./footer.ts"
import { chainValue, digestOf, readRetrying } from "./frame-cursor.ts"
import { type Manifest, readManifest } from "./manifest.ts"
import { sealCut } from "./repair.ts"
import { type SealedSegment, sealSize, summaryOf } from "./rotation.ts"
import { type Scan, scanSegment, verdictOf } from "./scan.ts"
import {
  decodeSegmentHeader,
  formatVersion,
  hex,
  sameBytes,
  type SegmentHeader,
  segmentHeaderSize,
  segmentName,
  sequenceOfName
} from "./segment.ts"

/** Footers of the newest segments are checked in full; older ones by their tails, and in full when they are used. */
const checkedFooters = 8

/** What recovery hands to the log. */
export interface Recovered {
  readonly verdict: "new" | "clean" | "torn"
  readonly sealed: Array<SealedSegment>
  readonly active: ActiveSegment
  readonly oldest: number
  readonly tornBytes: number
  readonly quarantine: string | undefined
}

export interface RecoveryOptions {
  readonly segmentBytes: number
  /** 36 random bytes. */
  readonly randomId: () => Uint8Array
  /** Unix ms, for the header of a new segment. */
  readonly now: number
  readonly warn: (message: string) => void
}

interface Found {
  readonly name: string
  readonly header: SegmentHeader
  readonly size: number
}

/** Recovers the log of a directory whose lock is held. */
export const recoverLog = (disk: Disk, options: RecoveryOptions): Recovered => {
  disk.makeFolder("log")
  disk.syncFolder("")
  const reading = readManifest(disk)
  if (reading.kind === "newer") throw formatTooNew("MANIFEST", reading.oldestReader, formatVersion)
  const manifest = reading.kind === "manifest" ? reading.manifest : undefined
  const found = findSegments(disk)
  if (found.length === 0 && manifest === undefined) {
    if (reading.kind === "none" && reading.damaged) {
      throw logCorrupt({ ...nowhere, reason: "no segment is left, and the manifest is damaged", segment: "MANIFEST" })
    }
    removeTemporaries(disk)
    return begin(disk, options)
  }
  if (reading.kind === "none") {
    options.warn(`the manifest is ${reading.damaged ? "damaged" : "missing"}: it is rebuilt from the segments`)
  } else if (reading.previous) options.warn("the manifest is missing or damaged: the one before it is used")
  checkAgainstManifest(found, manifest)
  removeTemporaries(disk)
  return join(disk, found, manifest, options)
}

const nowhere = { position: 0, lsn: 0, sequence: 1, bytesLost: 0 }

/** Every segment with its header. */
const findSegments = (disk: Disk): Array<Found> => {
  const found: Array<Found> = []
  for (const base of disk.list("log")) {
    const sequence = sequenceOfName(base)
    if (sequence === undefined) continue
    const name = segmentName(sequence)
    const file = disk.open(name, "read")
    try {
      const size = file.size()
      const bytes = new Uint8Array(segmentHeaderSize)
      const length = readRetrying(file, bytes, 0, segmentHeaderSize, 0)
      const reading = decodeSegmentHeader(bytes.subarray(0, length))
      if (reading.kind === "newer") throw formatTooNew(name, reading.oldestReader, formatVersion)
      const damage = { segment: name, position: 0, lsn: 0, sequence, bytesLost: size }
      if (reading.kind === "bad") throw logCorrupt({ ...damage, reason: reading.reason })
      if (reading.header.firstSequence !== sequence) {
        throw logCorrupt({ ...damage, reason: `the file says that it begins with ${reading.header.firstSequence}` })
      }
      found.push({ name, header: reading.header, size })
    } finally {
      file.close()
    }
  }
  const first = found[0]?.header
  for (const { name, header, size } of found) {
    if (!sameBytes(header.storeId, first!.storeId)) {
      const reason = `the segment belongs to the store ${hex(header.storeId)}, the first one to ${hex(first!.storeId)}`
      throw logCorrupt({ ...damageAt(name, header), reason, bytesLost: size })
    }
  }
  return found
}

const damageAt = (name: string, header: SegmentHeader): Omit<Damage, "reason" | "bytesLost"> => ({
  segment: name,
  position: 0,
  lsn: header.lsn,
  sequence: header.firstSequence
})

/** What the manifest calls sealed or active has to be there, and be what it was. */
const checkAgainstManifest = (found: ReadonlyArray<Found>, manifest: Manifest | undefined): void => {
  if (manifest === undefined) return
  const { sealed, active } = manifest
  const byFirst = new Map(found.map((segment) => [segment.header.firstSequence, segment]))
  for (const { first, lsn, last, end } of [...sealed, { ...active, last: undefined, end: manifest.durableLsn }]) {
    const name = segmentName(first)
    const segment = byFirst.get(first)
    const damage = {
      segment: name,
      position: 0,
      lsn,
      sequence: first,
      lastSequence: last,
      bytesLost: Math.max(0, end - lsn)
    }
    if (segment === undefined) {
      throw logCorrupt({ ...damage, reason: "the manifest names this segment, but it is missing" })
    }
    if (hex(segment.header.storeId) !== manifest.storeId) {
      throw logCorrupt({
        ...damage,
        reason: `the segment belongs to another store than the manifest (${manifest.storeId})`
      })
    }
    if (segment.header.lsn !== lsn) {
      throw logCorrupt({
        ...damage,
        reason: `the segment begins at lsn ${segment.header.lsn}, in the manifest at ${lsn}`
      })
    }
  }
}

/** Leftovers of something that was interrupted; none of them was ever part of the log. */
const removeTemporaries = (disk: Disk): void => {
  for (const folder of ["", "log", "quarantine"]) {
    for (const base of disk.list(folder)) {
      if (base.endsWith(".tmp") && (folder !== "" || base.startsWith("MANIFEST"))) {
        disk.unlink(folder === "" ? base : `${folder}/${base}`)
      }
    }
  }
}

const begin = (disk: Disk, options: RecoveryOptions): Recovered => {
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
  return { verdict: "new", sealed: [], active, oldest: 1, tornBytes: 0, quarantine: undefined }
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
): Recovered => {
  const repairs: Array<() => void> = []
  const sealed: Array<SealedSegment> = []
  const oldest = Math.max(manifest?.oldest ?? 0, found[0]!.header.firstSequence)
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
  const file = disk.open(last.name, "write")
  try {
    file.sync()
    const tail = readFooterTail(file, last.size)
    if (tail !== undefined && tail.summary.firstSequence === last.header.firstSequence) {
      const whole = { name: last.name, header: last.header, end: tail.start, bytes: last.size, summary: tail.summary }
      const end = last.header.lsn + tail.start - segmentHeaderSize
      if (end >= (manifest?.durableLsn ?? 0)) return goOnAfter(disk, file, whole, sealed, oldest, repairs, options)
    }
    return reopenLast(disk, file, last, sealed, oldest, manifest, options, repairs)
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
  oldest: number,
  repairs: ReadonlyArray<() => void>,
  options: RecoveryOptions
): Recovered => {
  const { summary } = whole
  for (const repair of repairs) repair()
  const header: SegmentHeader = {
    ...whole.header,
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
  return { verdict: "clean", sealed, active, oldest, tornBytes: 0, quarantine: undefined }
}

/** A segment's footer, checked in full or only by its tail. */
const footerOf = (file: DiskFile, size: number, whole: boolean): FooterTail | undefined => {
  const tail = readFooterTail(file, size)
  return tail === undefined || !whole || readFooter(file, size) !== undefined ? tail : undefined
}

/** Checks one segment against the next; undefined when the next is an unused leftover and this one the last in truth. */
const joinSealed = (
  disk: Disk,
  segment: Found,
  next: Found,
  manifest: Manifest | undefined,
  options: RecoveryOptions,
  repairs: Array<() => void>,
  whole: boolean
): SealedSegment | undefined => {
  const { name, header, size } = segment
  const file = disk.open(name, "read")
  try {
    const tail = footerOf(file, size, whole)
    const line = manifest?.sealed.find((entry) => entry.first === header.firstSequence)
    let sealed: SealedSegment
    if (tail !== undefined && tail.summary.firstSequence === header.firstSequence) {
      sealed = { name, header, end: tail.start, bytes: size, summary: tail.summary }
    } else {
      const rebuilt = withoutFooter(disk, file, segment, next, options, repairs)
      if (rebuilt === undefined) return undefined
      sealed = rebuilt
    }
    const { summary, end } = sealed
    const endLsn = header.lsn + end - segmentHeaderSize
    const damage = {
      segment: next.name,
      position: 0,
      lsn: endLsn,
      sequence: summary.lastSequence + 1,
      lastSequence: next.header.firstSequence - 1,
      timeBefore: summary.lastTime,
      timeAfter: next.header.created,
      bytesLost: Math.max(0, next.header.lsn - endLsn)
    }
    if (next.header.firstSequence !== summary.lastSequence + 1 || next.header.lsn !== endLsn) {
      const reason = `after ${name}, which ends with sequence ${summary.lastSequence}, lsn ${endLsn}, the log goes on `
        + `with sequence ${next.header.firstSequence}, lsn ${next.header.lsn}`
      throw logCorrupt({ ...damage, reason })
    }
    if (!sameBytes(next.header.chain, summary.chain) || (line !== undefined && line.chain !== hex(summary.chain))) {
      throw logCorrupt({ ...damage, reason: `the chain value does not continue that of ${name}` })
    }
    return sealed
  } finally {
    file.close()
  }
}

/** A segment that has a successor but no valid footer: its frames decide; if they are whole the footer is rebuilt. */
const withoutFooter = (
  disk: Disk,
  file: DiskFile,
  segment: Found,
  next: Found,
  options: RecoveryOptions,
  repairs: Array<() => void>
): SealedSegment | undefined => {
  const { name, header, size } = segment
  if (next.header.afterCut) return cutBefore(disk, file, segment, next, options, repairs)
  const scan = scanSegment(file, header, size, options.segmentBytes)
  const endLsn = header.lsn + scan.end - segmentHeaderSize
  if (next.size === segmentHeaderSize && endLsn > next.header.lsn) return undefined
  if (endLsn < next.header.lsn) {
    throw damaged(segment, scan, next.header.firstSequence - 1, next.header.created, "frames are missing at its end")
  }
  if (scan.sha256 === undefined || scan.sealedTo !== scan.end) {
    throw damaged(segment, scan, next.header.firstSequence - 1, next.header.created, "it was never sealed")
  }
  const active = new ActiveSegment(file, header, options.segmentBytes, scan)
  const summary = summaryOf(active)
  let bytes = size
  repairs.push(() => {
    const handle = disk.open(name, "write")
    try {
      active.file = handle
      const catchUp = new IndexCatchUp(active)
      catchUp.slice(Infinity)
      const footer = encodeFooter(summary, active.index)
      active.cut()
      active.put(footer, footer.length)
      handle.sync()
      bytes = active.end + footer.length
      options.warn(`the footer of ${name} was damaged; it is rebuilt from the frames, which are intact`)
    } finally {
      handle.close()
    }
  })
  return {
    name,
    header,
    end: scan.end,
    get bytes() {
      return bytes
    },
    summary
  }
}

/** The next segment took over after a failed fsync: this one counts up to there, and may still have to be cut. */
const cutBefore = (
  disk: Disk,
  file: DiskFile,
  segment: Found,
  next: Found,
  options: RecoveryOptions,
  repairs: Array<() => void>
): SealedSegment => {
  const { name, header } = segment
  const end = next.header.lsn - sealSize - header.lsn + segmentHeaderSize
  const scan = scanSegment(file, header, Math.max(segmentHeaderSize, Math.min(end, segment.size)), options.segmentBytes)
  const last = next.header.firstSequence - 1
  if (scan.end !== end || scan.nextSequence !== last + 1) {
    throw damaged(segment, scan, last, next.header.created, "frames are missing at its end")
  }
  const sha256 = digestOf(scan.hash)
  const chain = chainValue(scan.chain, sha256)
  if (!sameBytes(chain, next.header.chain)) {
    throw damaged(segment, scan, last, next.header.created, "its chain value is another")
  }
  const summary = { ...summaryOf(new ActiveSegment(file, header, options.segmentBytes, scan)), chain, sha256 }
  let whole: SealedSegment | undefined
  repairs.push(() => {
    whole = sealCut(disk, { name, header, end, bytes: end, summary }, options.segmentBytes)
    options.warn(`${name} was cut at lsn ${next.header.lsn - sealSize} after a failed fsync; it is sealed now`)
  })
  return {
    name,
    header,
    end: end + sealSize,
    get bytes() {
      return whole?.bytes ?? end
    },
    summary
  }
}

/** `LogCorrupt` for what a scan found. */
const damaged = (
  segment: Found,
  scan: Scan,
  lastKnown: number | undefined,
  timeAfter: number | undefined,
  otherwise: string
): Error => {
  const { bad } = scan
  const position = bad?.position ?? scan.end
  const last = Math.max(bad?.lastSequence ?? 0, lastKnown ?? 0)
  return logCorrupt({
    reason: bad?.reason ?? otherwise,
    segment: segment.name,
    position,
    lsn: segment.header.lsn + position - segmentHeaderSize,
    sequence: scan.nextSequence,
    lastSequence: last >= scan.nextSequence ? last : undefined,
    timeBefore: scan.lastTime === 0 ? undefined : scan.lastTime,
    timeAfter: bad?.next?.time ?? timeAfter,
    bytesLost: Math.max(
      (bad?.next?.position ?? segment.size) - position,
      scan.mark - (segment.header.lsn + position - segmentHeaderSize)
    )
  })
}

/** Decides about the end of the log and opens its last segment for writing. */
const reopenLast = (
  disk: Disk,
  file: DiskFile,
  last: Found,
  sealed: Array<SealedSegment>,
  oldest: number,
  manifest: Manifest | undefined,
  options: RecoveryOptions,
  repairs: ReadonlyArray<() => void>
): Recovered => {
  const { header, size, name } = last
  const scan = scanSegment(file, header, size, options.segmentBytes)
  scan.mark = Math.max(scan.mark, manifest?.durableLsn ?? 0)
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
  return { verdict: tornBytes > 0 ? "torn" : "clean", sealed, active, oldest, tornBytes, quarantine }
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
