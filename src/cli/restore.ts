/**
 * `annals restore`: a new data directory whose server holds exactly what was there after one batch. It is the beginning
 * of the log, byte for byte, its segments and the checkpoints that cover it, the last segment cut where it has to end. The
 * chain of the new log goes through the same values as that of the old one, up to the segment that was cut.
 *
 * The files are written to a folder of their own first, then the manifest, which names them all, then they are moved to
 * their places: no server starts on a directory that is not complete.
 */
import { randomBytes } from "node:crypto"
import type { SegmentPart } from "../history/batches.ts"
import type { LogView } from "../history/log-view.ts"
import type { Moment } from "../history/moment.ts"
import { checkpointsOf, timeOf } from "../history/past.ts"
import { createSegment, publishSegment } from "../log/active-segment.ts"
import { checkpointFolder, checkpointName, CheckpointUnusable } from "../log/checkpoint-file.ts"
import { CheckpointReader } from "../log/checkpoint-reader.ts"
import { type Disk, DiskError, type DiskFile } from "../log/disk.ts"
import {
  type Manifest,
  type ManifestCheckpoint,
  type ManifestSegment,
  readManifest,
  writeManifest
} from "../log/manifest.ts"
import { sealCut } from "../log/repair.ts"
import { sealSize } from "../log/rotation.ts"
import { compressedName, hex, type SegmentHeader, segmentHeaderSize, segmentName } from "../log/segment.ts"
import { type Context, exitCodes, Failed, UsageError } from "./context.ts"
import { inBytes, isoTime, toJson } from "./printing.ts"
import { Progress } from "./progress.ts"
import { copyBytes, cutAfter, writeAll } from "./restore-frames.ts"
import { openSource, type Source } from "./source.ts"
import type { Input } from "./spec.ts"
import type { restoreSpec } from "./specs.ts"
import { verifyLog } from "./verify-log.ts"

const unfinished = "restore.partial"
/** As many as a server keeps. */
const keptCheckpoints = 2

/** What was restored. */
export interface Restored {
  readonly sequence: number
  /** Unix ms of that batch; 0: there is none. */
  readonly time: number
  readonly segments: number
  readonly checkpoints: ReadonlyArray<number>
  readonly bytes: number
}

export const run = (context: Context, { options }: Input<typeof restoreSpec.options>): number => {
  if (options.out === undefined) throw new UsageError("--out is missing")
  const moment = momentOf(options.to, options.before)
  const source = openSource(context, options.dir)
  const view = source.directory.view()
  const sequence = view.sequenceAt(moment, context.now())
  const target = context.target(options.out, source.name)
  let restored: Restored
  try {
    restored = new Restore(context, source, view, target.disk, sequence).run()
  } catch (error) {
    target.discard()
    throw error
  }
  target.complete()
  const { bytes, checkpoints, segments, time } = restored
  if (options.json) {
    const at = time === 0 ? null : time
    context.write(`${toJson({ out: options.out, sequence, time: at, segments, checkpoints, bytes })}\n`)
    return exitCodes.ok
  }
  const when = time === 0 ? "" : `, of ${isoTime(time)}`
  context.write(
    `Restored ${source.name} as it was after sequence ${sequence}${when} into ${options.out}: `
      + `${counted(segments, "segment")}, ${counted(checkpoints.length, "checkpoint")}, ${inBytes(bytes)}.\n`
      + `Serve it: annals server --dir ${options.out}\n`
  )
  return exitCodes.ok
}

const counted = (count: number, what: string): string => `${count} ${what}${count === 1 ? "" : "s"}`

/** What `--to` or `--before` say. */
const momentOf = (to: Moment | undefined, before: Moment | undefined): Moment => {
  if ((to === undefined) === (before === undefined)) throw new UsageError("it takes either --to or --before")
  if (to !== undefined) return to
  if (before!.kind === "time") return { kind: "time", time: before!.time - 1 }
  if (before!.sequence === 0) throw new UsageError("nothing was before sequence 0")
  return { kind: "sequence", sequence: before!.sequence - 1 }
}

/** The same disk, its names in a folder. */
const within = (disk: Disk, folder: string): Disk => {
  const at = (name: string): string => name === "" ? folder : `${folder}/${name}`
  return {
    open: (name, how) => disk.open(at(name), how),
    list: (name) => disk.list(at(name)),
    exists: (name) => disk.exists(at(name)),
    readFile: (name) => disk.readFile(at(name)),
    rename: (from, to) => disk.rename(at(from), at(to)),
    unlink: (name) => disk.unlink(at(name)),
    makeFolder: (name) => disk.makeFolder(at(name)),
    syncFolder: (name) => disk.syncFolder(at(name)),
    lock: (name) => disk.lock(at(name)),
    writeFileAtomic: (name, bytes) => disk.writeFileAtomic(at(name), bytes)
  }
}

class Restore {
  private readonly context: Context
  private readonly source: Source
  private readonly view: LogView
  private readonly root: Disk
  private readonly disk: Disk
  private readonly sequence: number
  private readonly sealed: Array<ManifestSegment> = []
  private bytes = 0
  private progress: Progress

  constructor(context: Context, source: Source, view: LogView, root: Disk, sequence: number) {
    this.context = context
    this.source = source
    this.view = view
    this.root = root
    this.disk = within(root, unfinished)
    this.sequence = sequence
    this.progress = new Progress(context, "copying", 1)
  }

  run(): Restored {
    const { context, disk, root, sequence, view } = this
    const parts = view.parts.filter(({ segment }) => segment.first <= sequence)
    const checkpoints = this.checkpoints()
    if (view.beginsLater && checkpoints.length === 0) {
      throw new Failed(
        `the log begins with sequence ${view.oldest}, and no checkpoint at or before ${sequence} covers what came before`
      )
    }
    this.progress = new Progress(context, "copying", parts.reduce((sum, { end }) => sum + end, 0))
    root.writeFileAtomic("MANIFEST", Buffer.from("annals restore has not finished writing this directory\n"))
    root.makeFolder(unfinished)
    disk.makeFolder("log")
    for (let i = 0; i < parts.length; i++) this.copy(parts[i]!, view.parts[i + 1])
    const active = this.active(parts)
    const copied = this.copyCheckpoints(checkpoints)
    this.progress.end()
    disk.syncFolder("log")
    const manifest = this.manifest(active, copied)
    writeManifest(disk, manifest)
    // Only what proves whole is given its place.
    const { findings } = verifyLog(context, disk)
    const [finding] = findings
    if (finding !== undefined) {
      throw new Failed(
        `the log is damaged: ${finding.reason} (${finding.file}, byte ${finding.offset}, sequence ${finding.sequence})`,
        exitCodes.damaged
      )
    }
    writeManifest(root, manifest)
    this.move()
    return {
      sequence,
      time: timeOf(view, sequence),
      segments: this.sealed.length + 1,
      checkpoints: copied.map((each) => each.sequence),
      bytes: this.bytes
    }
  }

  /** Checkpoints that may be used, the newest of them. */
  private checkpoints(): Array<number> {
    const { sequence, source, view } = this
    const usable = checkpointsOf(view).filter((each) => each <= sequence && each + 1 >= view.oldest)
    const sound = usable.toReversed().filter((each) => {
      try {
        const reader = new CheckpointReader(source.disk, checkpointName(each))
        try {
          while (reader.next());
          const store = view.parts[0]?.segment.header.storeId
          return reader.header.sequence === each && (store === undefined || hex(reader.header.storeId) === hex(store))
        } finally {
          reader.close()
        }
      } catch (error) {
        if (error instanceof CheckpointUnusable) return false
        throw error
      }
    })
    return sound.slice(0, keptCheckpoints).reverse()
  }

  private copy(part: SegmentPart, next: SegmentPart | undefined): void {
    const { segment } = part
    if (next === undefined || part.lastSequence > this.sequence || next.segment.first > this.sequence + 1) {
      this.cut(part)
    } else if (segment.summary !== undefined) this.whole(part, next)
    else this.unsealed(part, next)
  }

  /** A sealed segment, in the form it has on disk. */
  private whole(part: SegmentPart, next: SegmentPart): void {
    const { source } = this
    const { first } = part.segment
    for (let tries = 0;; tries++) {
      const name = tries % 2 === 0 ? segmentName(first) : compressedName(first)
      let file: DiskFile
      try {
        file = source.disk.open(name, "read")
      } catch (error) {
        if (!(error instanceof DiskError) || error.code !== "ENOENT" || tries === 3) throw error
        continue
      }
      try {
        this.write(name, (to) => copyBytes(file, to, file.size(), name, (bytes) => this.note(bytes)))
      } finally {
        file.close()
      }
      this.noteSealed(name, part.segment.header, part.lastSequence, next.segment.header)
      return
    }
  }

  /** One that has a successor but no footer: the server writes that later, or seals it first when it starts. */
  private unsealed(part: SegmentPart, next: SegmentPart): void {
    const { header } = part.segment
    const name = segmentName(header.firstSequence)
    this.copyFrames(part, part.end, undefined)
    if (
      next.segment.header.afterCut && part.end + sealSize === segmentHeaderSize + next.segment.header.lsn - header.lsn
    ) {
      this.seal(header, part.end, part.lastSequence)
    }
    this.noteSealed(name, header, part.lastSequence, next.segment.header)
  }

  /** The segment that holds the last batch, or the one that is being written. */
  private cut(part: SegmentPart): void {
    const { segment } = part
    const file = this.view.open(part)
    let end: number
    try {
      const { frame, whole } = cutAfter(file, part.end, this.sequence)
      this.copyFrames(part, whole, frame)
      end = whole + (frame?.length ?? 0)
    } finally {
      file.close()
    }
    const chain = this.seal(segment.header, end, this.sequence)
    const { firstSequence: first, lsn } = segment.header
    const name = segmentName(first).slice("log/".length)
    this.sealed.push({
      name,
      first,
      last: this.sequence,
      lsn,
      end: lsn + end + sealSize - segmentHeaderSize,
      chain: hex(chain)
    })
  }

  private copyFrames(part: SegmentPart, length: number, frame: Uint8Array | undefined): void {
    const name = segmentName(part.segment.first)
    const file = this.view.open(part)
    try {
      this.write(name, (to) => {
        copyBytes(file, to, length, name, (bytes) => this.note(bytes))
        if (frame !== undefined) writeAll(to, frame, length, name)
      })
    } finally {
      file.close()
    }
  }

  /** Seals a copied segment at its end; the chain value there. */
  private seal(header: SegmentHeader, end: number, lastSequence: number): Uint8Array {
    const summary = {
      chain: header.chain,
      sha256: header.chain,
      firstSequence: header.firstSequence,
      lastSequence,
      firstTime: 0,
      lastTime: 0,
      gaps: false
    }
    const name = segmentName(header.firstSequence)
    return sealCut(this.disk, { name, header, end, bytes: end, summary }, end).summary.chain
  }

  private noteSealed(name: string, header: SegmentHeader, last: number, next: SegmentHeader): void {
    this.sealed.push({
      name: name.slice("log/".length),
      first: header.firstSequence,
      last,
      lsn: header.lsn,
      end: next.lsn,
      chain: hex(next.chain)
    })
  }

  /** The segment that the server will write to. */
  private active(parts: ReadonlyArray<SegmentPart>): SegmentHeader {
    const { context, disk, sealed, sequence, view } = this
    const before = sealed.at(-1)
    const model = (parts.at(-1) ?? view.parts[0])!.segment.header
    const header: SegmentHeader = {
      storeId: model.storeId,
      // From here on it is another history: nobody who followed the old one may go on with it.
      replicationId: randomBytes(20),
      epoch: model.epoch,
      firstSequence: sequence + 1,
      lsn: before === undefined ? model.lsn : before.end,
      created: context.now(),
      chain: before === undefined ? model.chain : Buffer.from(before.chain, "hex"),
      afterCut: false
    }
    publishSegment(disk, header, createSegment(disk, header)).close()
    this.bytes += segmentHeaderSize
    return header
  }

  private copyCheckpoints(sequences: ReadonlyArray<number>): Array<ManifestCheckpoint> {
    const { disk, source } = this
    if (sequences.length > 0) disk.makeFolder(checkpointFolder)
    return sequences.map((sequence) => {
      const name = checkpointName(sequence)
      const file = source.disk.open(`${checkpointFolder}/${name}`, "read")
      try {
        this.write(
          `${checkpointFolder}/${name}`,
          (to) => copyBytes(file, to, file.size(), name, (bytes) => this.note(bytes))
        )
      } finally {
        file.close()
      }
      const reader = new CheckpointReader(disk, name)
      try {
        while (reader.next());
        const { created, lsn } = reader.header
        return { name, sequence, lsn, bytes: reader.size, created, sha256: hex(reader.end!.sha256) }
      } finally {
        reader.close()
      }
    })
  }

  private write(name: string, fill: (file: DiskFile) => void): void {
    const file = this.disk.open(name, "create")
    try {
      fill(file)
      file.sync()
    } finally {
      file.close()
    }
  }

  private note(bytes: number): void {
    this.bytes += bytes
    this.progress.at(this.bytes)
  }

  private manifest(active: SegmentHeader, checkpoints: ReadonlyArray<ManifestCheckpoint>): Manifest {
    const { sealed, sequence, source, view } = this
    const reading = readManifest(source.disk)
    const first = view.parts[0]?.segment.header
    const start = reading.kind === "manifest" && reading.manifest.oldest === view.oldest
      ? reading.manifest.start
      : view.beginsLater && first !== undefined
      ? { chain: hex(first.chain), lsn: first.lsn }
      : undefined
    return {
      storeId: hex(active.storeId),
      replicationId: hex(active.replicationId),
      epoch: active.epoch,
      durableLsn: active.lsn,
      durableSequence: sequence,
      oldest: sealed[0]?.first ?? active.firstSequence,
      start,
      clean: true,
      sealed,
      checkpoints,
      active: {
        name: segmentName(active.firstSequence).slice("log/".length),
        first: active.firstSequence,
        lsn: active.lsn
      }
    }
  }

  /** Gives every file its place. */
  private move(): void {
    const { root } = this
    for (const folder of ["log", checkpointFolder]) {
      const names = root.list(`${unfinished}/${folder}`)
      if (names.length === 0) continue
      root.makeFolder(folder)
      for (const name of names) root.rename(`${unfinished}/${folder}/${name}`, `${folder}/${name}`)
      root.syncFolder(folder)
    }
    root.syncFolder("")
  }
}
