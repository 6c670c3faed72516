/**
 * Which segments of a log that is not open are damaged or missing, by everything that vouches for them: their frames, the
 * chain of hashes, the manifest; and putting sound ones, as another server has them, in their place.
 */
import { type CompressedFile, isCompressed, isWhole, openSegment } from "./compressed-file.ts"
import { type Disk, DiskError, type DiskFile } from "./disk.ts"
import { LogCorrupt } from "./errors.ts"
import { readFooterTail } from "./footer.ts"
import { readRetrying } from "./frame-cursor.ts"
import { readReplication } from "./lineage.ts"
import { readManifest } from "./manifest.ts"
import { segmentFiles } from "./recovery-files.ts"
import { sealSize } from "./rotation.ts"
import { scanSegment, verdictOf } from "./scan.ts"
import { decodeSegmentHeader, hex, type SegmentHeader, segmentHeaderSize, segmentName } from "./segment.ts"

/** A segment of a log, and what the rest of the log says about it. */
export interface Slot {
  readonly first: number
  /** Undefined where the file is missing. */
  readonly name: string | undefined
  readonly storeId: string
  /** Where it has to begin: lsn, and hex of the chain value there; undefined where nothing tells. */
  readonly begins: { readonly lsn: number; readonly chain: string } | undefined
  /** Where it has to end; undefined of the last one. */
  readonly ends: { readonly lsn: number; readonly chain: string; readonly cut: boolean } | undefined
  /** Of the last one: below this everything was on disk. */
  readonly durable: number
  /** What the frames say of that proves nothing: they are another server's. */
  readonly foreign: boolean
}

/** A damaged or missing segment. */
export interface Fault extends Slot {
  readonly why: string
}

/** The header at the beginning of a segment's bytes; a string says what is wrong with it. */
const headerOf = (file: DiskFile): SegmentHeader | string => {
  const bytes = new Uint8Array(segmentHeaderSize)
  const length = readRetrying(file, bytes, 0, bytes.length, 0)
  const reading = decodeSegmentHeader(bytes.subarray(0, length))
  return reading.kind === "header"
    ? reading.header
    : reading.kind === "bad"
    ? reading.reason
    : "it is of a newer format"
}

/** Runs something that reads a segment; what cannot be read is damage like any other. */
const reading = <A>(disk: Disk, name: string, run: (file: DiskFile) => A): A | string => {
  try {
    const file = openSegment(disk, name)
    try {
      return run(file)
    } finally {
      file.close()
    }
  } catch (error) {
    if (error instanceof LogCorrupt) return error.reason
    if (error instanceof DiskError && error.operation === "read") return `the disk cannot read it (${error.message})`
    throw error
  }
}

/** What is wrong with the bytes of a segment, given its place in the log; undefined when nothing is. */
export const faultOf = (file: DiskFile, slot: Slot): string | undefined => {
  const { begins, durable, ends, first, foreign, storeId } = slot
  const header = headerOf(file)
  if (typeof header === "string") return header
  if (hex(header.storeId) !== storeId) return `it belongs to the store ${hex(header.storeId)}`
  if (header.firstSequence !== first) return `it says that it begins with sequence ${header.firstSequence}`
  const fits = begins === undefined || (header.lsn === begins.lsn && hex(header.chain) === begins.chain)
  if (!fits) return "it does not continue the segment before it"
  const size = file.size()
  const scan = scanSegment(file, header, readFooterTail(file, size)?.start ?? size, 1 << 20)
  const lsnAt = (position: number): number => header.lsn + position - segmentHeaderSize
  const reason = scan.bad?.reason ?? "frames are missing at its end"
  if (ends === undefined) {
    const mark = Math.max(foreign ? 0 : scan.mark, durable)
    const badLsn = scan.bad === undefined ? undefined : lsnAt(scan.bad.position)
    // Behind the last SEAL stands what is left of a footer.
    const whole = scan.sealedTo === scan.end && lsnAt(scan.end) >= mark
    return scan.bad?.tampered !== true && (whole || verdictOf(badLsn, lsnAt(scan.end), mark) !== "corrupt")
      ? undefined
      : reason
  }
  // The one after it took over after a failed fsync: what stands behind that place does not count.
  if (ends.cut && scan.sealedTo !== scan.end) return lsnAt(scan.end) >= ends.lsn - sealSize ? undefined : reason
  return scan.sealedTo === scan.end && lsnAt(scan.end) === ends.lsn && hex(scan.chain) === ends.chain
    ? undefined
    : reason
}

/** All segments there are or should be, oldest first. Throws `LogCorrupt` when nothing says whose log it is. */
export const slotsOf = (disk: Disk): ReadonlyArray<Slot> => {
  const found = readManifest(disk)
  const manifest = found.kind === "manifest" ? found.manifest : undefined
  const oldest = manifest?.oldest ?? 0
  const files = new Map(segmentFiles(disk).segments.map(({ name, sequence }) => [sequence, name]))
  const known = new Map((manifest?.sealed ?? []).map((line) => [line.first, line]))
  const firsts = [
    ...new Set([...files.keys(), ...known.keys(), ...(manifest === undefined ? [] : [manifest.active.first])])
  ]
    .filter((first) => first >= oldest).sort((a, b) => a - b)
  const headers = new Map<number, SegmentHeader>()
  for (const [first, name] of files) {
    const header = reading(disk, name, headerOf)
    if (typeof header !== "string") headers.set(first, header)
  }
  const storeId = manifest?.storeId ?? [...headers.values()].map((header) => hex(header.storeId))[0] ?? ""
  const foreign = readReplication(disk)?.following !== undefined
  const zeros = "0".repeat(64)
  return firsts.map((first, i) => {
    const [before, after] = [firsts[i - 1], firsts[i + 1]]
    const lineBefore = before === undefined ? undefined : known.get(before)
    const next = after === undefined ? undefined : headers.get(after)
    const line = known.get(first)
    const start = first === 1 ? { lsn: 0, chain: zeros } : before === undefined ? manifest?.start : undefined
    return {
      first,
      name: files.get(first),
      storeId,
      begins: start ?? (lineBefore === undefined ? undefined : { lsn: lineBefore.end, chain: lineBefore.chain }),
      ends: next !== undefined
        ? { lsn: next.lsn, chain: hex(next.chain), cut: next.afterCut }
        : line !== undefined && after !== undefined
        ? { lsn: line.end, chain: line.chain, cut: false }
        : undefined,
      durable: manifest?.durableLsn ?? 0,
      foreign
    }
  })
}

/** Reads the whole log and returns what is damaged or missing, oldest first. Changes nothing. */
export const findFaults = (disk: Disk): ReadonlyArray<Fault> =>
  slotsOf(disk).flatMap((slot) => {
    const why = slot.name === undefined
      ? "it is missing"
      : reading(disk, slot.name, (file) =>
        isCompressed(slot.name!) && !isWhole(file as CompressedFile)
          ? "its compressed form is damaged"
          : faultOf(file, slot))
    return why === undefined ? [] : [{ ...slot, why }]
  })

/** Another server's segment is not what this log had there. */
export class NotTheSame extends Error {
  override readonly name = "NotTheSame"
}

/**
 * Puts a segment as another server has it, its header and frames, in the place of a damaged one, which goes to the folder
 * `to`. Of the newest one, what this log has beyond the other server's end stays. Throws `NotTheSame` when the segment
 * does not fit the rest of this log, and `DiskError`; then nothing has changed.
 */
export const mend = (disk: Disk, fault: Fault, bytes: Uint8Array, to: string): void => {
  const name = segmentName(fault.first)
  const temporary = `${name}.tmp`
  const write = (...parts: ReadonlyArray<Uint8Array>): string | undefined => {
    const file = disk.open(temporary, "create")
    try {
      let position = 0
      for (const part of parts) {
        const written = file.write(part, 0, part.length, position)
        if (written < part.length) {
          throw new DiskError("ENOSPC", "write", temporary, `${written} of ${part.length} bytes`)
        }
        position += part.length
      }
      file.sync()
    } finally {
      file.close()
    }
    return reading(disk, temporary, (made) => faultOf(made, fault))
  }
  const own = fault.ends === undefined && fault.name !== undefined ? ownBytes(disk, fault.name) : new Uint8Array(0)
  if (fault.ends === undefined) compareBeginning(disk, fault, bytes)
  let wrong = write(bytes)
  if (wrong !== undefined && own.length > bytes.length) wrong = write(bytes, own.subarray(bytes.length))
  if (wrong !== undefined) {
    disk.unlink(temporary)
    throw new NotTheSame(`what the other server has of ${name} does not fit this log: ${wrong}`)
  }
  disk.makeFolder(to)
  disk.syncFolder("")
  disk.syncFolder("quarantine")
  if (fault.name !== undefined) disk.rename(fault.name, `${to}/${fault.name.slice("log/".length)}`)
  disk.rename(temporary, name)
  disk.syncFolder(to)
  disk.syncFolder("log")
}

const ownBytes = (disk: Disk, name: string): Uint8Array => {
  const bytes = reading(disk, name, (file) => {
    const all = new Uint8Array(file.size())
    return all.subarray(0, readRetrying(file, all, 0, all.length, 0))
  })
  return typeof bytes === "string" ? new Uint8Array(0) : bytes
}

/** Of the newest segment no hash is known: what is intact here has to be the same there. */
const compareBeginning = (disk: Disk, { first, name }: Fault, bytes: Uint8Array): void => {
  if (name === undefined) return
  const intact = reading(disk, name, (file) => {
    const header = headerOf(file)
    return typeof header === "string" ? header : scanSegment(file, header, file.size(), 1 << 20).end
  })
  if (typeof intact === "string") return
  const own = ownBytes(disk, name)
  const length = Math.min(intact, bytes.length, own.length)
  if (Buffer.compare(own.subarray(0, length), bytes.subarray(0, length)) === 0) return
  throw new NotTheSame(`the other server's segment of sequence ${first} begins otherwise: it is of another history`)
}
