/**
 * Changes to the files of a log that is not open: cutting off its end, and putting a received log in its place. Both are
 * announced in REPLICATION before they begin, may be interrupted anywhere and begun again, and delete nothing that was
 * part of a log: that goes to quarantine/.
 */
import { checkpointFolder, checkpointName, CheckpointUnusable } from "./checkpoint-file.ts"
import { CheckpointReader } from "./checkpoint-reader.ts"
import { openSegment } from "./compressed-file.ts"
import { type Disk, DiskError, type DiskFile } from "./disk.ts"
import { beginsFooter } from "./footer.ts"
import { FrameCursor, readRetrying } from "./frame-cursor.ts"
import { type Manifest, readManifest, writeManifest } from "./manifest.ts"
import { findSegments, segmentFiles } from "./recovery-files.ts"
import { decodeSegmentHeader, hex, type SegmentHeader, segmentHeaderSize, segmentName } from "./segment.ts"

/** Where a received log waits until it is complete. */
export const incomingFolder = "incoming"
/** The received segment's name there. */
export const incomingSegment = `${incomingFolder}/segment`

/** Whether a frame of a segment begins at this position of the log, or the last one ends there. Throws `DiskError`. */
export const fitsCut = (
  disk: Disk,
  { end, header, name }: { readonly name: string; readonly header: SegmentHeader; readonly end: number },
  lsn: number
): boolean => {
  const position = segmentHeaderSize + lsn - header.lsn
  if (position < segmentHeaderSize || position >= end) return position === end
  const file = openSegment(disk, name)
  try {
    return new FrameCursor(file, position, end).advance() === "frame"
  } finally {
    file.close()
  }
}

/** Copies part of a file into a new one, and fsyncs that. */
const copyRange = (disk: Disk, from: DiskFile, start: number, end: number, name: string): void => {
  const copy = disk.open(name, "create")
  try {
    const buffer = new Uint8Array(Math.min(1 << 20, Math.max(1, end - start)))
    for (let position = start; position < end;) {
      const n = readRetrying(from, buffer, 0, Math.min(buffer.length, end - position), position)
      if (n === 0) break
      const written = copy.write(buffer, 0, n, position - start)
      if (written < n) throw new DiskError("ENOSPC", "write", name, `${written} of ${n} bytes`)
      position += n
    }
    copy.sync()
  } finally {
    copy.close()
  }
}

/** Moves a file; what stands there already under that name was moved before and stays. */
const moveTo = (disk: Disk, name: string, folder: string): void => {
  const base = name.slice(name.lastIndexOf("/") + 1)
  if (disk.exists(`${folder}/${base}`)) disk.unlink(name)
  else disk.rename(name, `${folder}/${base}`)
}

const syncFolders = (disk: Disk, ...folders: ReadonlyArray<string>): void => {
  for (const folder of folders) disk.syncFolder(folder)
}

/** Lsn of a checkpoint; undefined when it cannot be read. */
const checkpointLsn = (disk: Disk, base: string): number | undefined => {
  try {
    const reader = new CheckpointReader(disk, base)
    reader.close()
    return reader.header.lsn
  } catch (error) {
    if (error instanceof CheckpointUnusable) return undefined
    throw error
  }
}

const moveCheckpoints = (disk: Disk, to: string, goes: (lsn: number, base: string) => boolean): void => {
  if (!disk.exists(checkpointFolder)) return
  for (const base of disk.list(checkpointFolder)) {
    if (base.endsWith(".evs") && goes(checkpointLsn(disk, base) ?? Infinity, base)) {
      moveTo(disk, `${checkpointFolder}/${base}`, to)
    }
  }
  disk.syncFolder(checkpointFolder)
}

/**
 * Cuts a log at a position where a frame begins or ends. What stood behind it goes to the folder `to`: the end of the
 * segment it lies in as `<first sequence>.<lsn>.cut`, later segments and checkpoints whole. The segment it lies in is the
 * newest then, and open. Throws `DiskError` and what reading the log throws.
 */
export const rewindFiles = (disk: Disk, lsn: number, to: string): void => {
  disk.makeFolder(to)
  syncFolders(disk, "", "quarantine")
  const found = findSegments(disk, segmentFiles(disk))
  const keep = Math.max(0, found.findLastIndex(({ header }) => header.lsn < lsn))
  const manifest = readManifest(disk)
  if (manifest.kind === "manifest") writeManifest(disk, cutManifest(manifest.manifest, found[keep]!.header, lsn))
  moveCheckpoints(disk, to, (end) => end > lsn)
  for (const { name } of found.slice(keep + 1).toReversed()) moveTo(disk, name, to)
  const { header, name, size } = found[keep]!
  const position = segmentHeaderSize + lsn - header.lsn
  const file = openSegment(disk, name)
  try {
    const head = new Uint8Array(8)
    const read = readRetrying(file, head, 0, head.length, Math.min(position, size))
    const cursor = new FrameCursor(file, position, size)
    const fits = position === size || (read === 8 && beginsFooter(head)) || cursor.advance() === "frame"
    if (position > size || !fits) {
      throw new DiskError("EINVAL", "cut", name, `no frame begins at lsn ${lsn}`)
    }
    if (position < size) {
      const kept = `${to}/${String(header.firstSequence).padStart(20, "0")}.${lsn}.cut`
      copyRange(disk, file, position, size, `${kept}.tmp`)
      disk.rename(`${kept}.tmp`, kept)
    }
    const raw = segmentName(header.firstSequence)
    if (name === raw) {
      const handle = disk.open(name, "write")
      try {
        handle.truncate(position)
        handle.sync()
      } finally {
        handle.close()
      }
    } else {
      copyRange(disk, file, 0, position, `${raw}.tmp`)
      disk.rename(`${raw}.tmp`, raw)
      disk.unlink(name)
    }
  } finally {
    file.close()
  }
  syncFolders(disk, to, "log")
}

/** What a manifest says once the log ends at `lsn`, in the segment with this header. */
const cutManifest = (
  manifest: Manifest,
  { firstSequence, lsn: begin }: { readonly firstSequence: number; readonly lsn: number },
  lsn: number
): Manifest => ({
  ...manifest,
  durableLsn: Math.min(manifest.durableLsn, lsn),
  durableSequence: Math.min(manifest.durableSequence, firstSequence - 1),
  clean: false,
  sealed: manifest.sealed.filter(({ first }) => first < firstSequence),
  checkpoints: manifest.checkpoints.filter((checkpoint) => checkpoint.lsn <= lsn),
  active: { name: segmentName(firstSequence).slice("log/".length), first: firstSequence, lsn: begin }
})

/**
 * Puts the received segment, and the checkpoint of that sequence if there is one, in the place of the whole log, which
 * goes to the folder `to`. Throws `DiskError`.
 */
export const replaceFiles = (disk: Disk, to: string, checkpoint: number | undefined): void => {
  // The last thing to move: where it is gone, everything is done.
  if (!disk.exists(incomingSegment)) return
  disk.makeFolder(to)
  disk.makeFolder("log")
  syncFolders(disk, "", "quarantine")
  for (const base of disk.list("log")) moveTo(disk, `log/${base}`, to)
  // Begun before: what is not in its folder any more is in place already.
  const placed = checkpoint === undefined || disk.exists(`${incomingFolder}/${checkpointName(checkpoint)}`)
    ? ""
    : checkpointName(checkpoint)
  moveCheckpoints(disk, to, (_lsn, base) => base !== placed)
  for (const name of ["MANIFEST", "MANIFEST.prev"]) if (disk.exists(name)) moveTo(disk, name, to)
  syncFolders(disk, "", "log", to)
  if (checkpoint !== undefined && placed === "") {
    const base = checkpointName(checkpoint)
    disk.makeFolder(checkpointFolder)
    disk.rename(`${incomingFolder}/${base}`, `${checkpointFolder}/${base}`)
    syncFolders(disk, "", checkpointFolder, incomingFolder)
  }
  const header = decodeSegmentHeader(disk.readFile(incomingSegment).subarray(0, segmentHeaderSize))
  if (header.kind !== "header") throw new DiskError("EINVAL", "read", incomingSegment, "no segment header")
  const { chain, epoch, firstSequence, lsn, replicationId, storeId } = header.header
  const name = segmentName(firstSequence)
  writeManifest(disk, {
    storeId: hex(storeId),
    replicationId: hex(replicationId),
    epoch,
    durableLsn: lsn,
    durableSequence: firstSequence - 1,
    oldest: firstSequence,
    start: firstSequence === 1 ? undefined : { chain: hex(chain), lsn },
    clean: false,
    sealed: [],
    checkpoints: [],
    active: { name: name.slice("log/".length), first: firstSequence, lsn }
  })
  disk.rename(incomingSegment, name)
  syncFolders(disk, "log", incomingFolder)
}

/** Removes what was received and never put in place. */
export const removeIncoming = (disk: Disk): void => {
  for (const base of disk.list(incomingFolder)) disk.unlink(`${incomingFolder}/${base}`)
}
