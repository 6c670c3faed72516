import { tags } from "../../src/log/events/catalog.ts"
import { openLog } from "../../src/log/store.ts"
import { randomEvent } from "./events.ts"
import { endOfFrames, type FrameFacts, framesOf, headerOf, segmentHeaderBytes, segmentsOf } from "./frames.ts"
import { FakeClock, logOptions, Writer } from "./log-writer.ts"
import { Random } from "./random.ts"
import type { SimDisk } from "./sim-disk.ts"
import { SimDisk as Disk } from "./sim-disk.ts"

/** A log to damage, with what an undamaged reading gives. */
export interface SampleLog {
  /** The disk, everything on it durable. Fork it with `settled()`. */
  readonly disk: SimDisk
  readonly lines: ReadonlyArray<string>
  /** The segment that takes writes: its file, bytes and frames. */
  readonly active: string
  readonly bytes: Uint8Array
  readonly frames: ReadonlyArray<FrameFacts>
  /** Sealed segments, oldest first. */
  readonly sealed: ReadonlyArray<string>
}

export const sampleOptions = logOptions({ segmentBytes: 64 * 1024, chainInterval: { ms: 900, bytes: 1 << 20 } })

/** Options for a sample that rotates. */
export const smallSegments = logOptions({ segmentBytes: 4096 })

/**
 * A log of about `bytes` that holds every kind of event and every kind of frame a running server writes, synced now and
 * then. `closed`: shut down cleanly, or left as a killed server leaves it.
 */
export const sampleLog = (
  seed: number,
  how: { readonly closed: boolean; readonly bytes: number; readonly options?: typeof sampleOptions }
): SampleLog => {
  const options = how.options ?? sampleOptions
  const random = new Random(seed)
  const disk = new Disk()
  const clock = new FakeClock()
  const writer = new Writer(openLog(disk, clock, options), clock, random)
  const pass = (ms: number, sync: boolean): void => {
    for (let left = ms; left > 0; left -= 50) {
      clock.advance(50)
      writer.tick()
      if (sync) disk.runPending()
    }
  }
  let next = 0
  while (disk.used() < how.bytes) {
    const frame = random.between(1, 4)
    const before = next
    for (let i = 0; i < frame; i++) {
      const tag = tags[next++ % tags.length]!
      writer.append(random.chance(0.3) ? 4 : 1, (random) => small(random, tag))
      clock.advance(random.below(4))
    }
    writer.commit()
    if (random.chance(0.25)) pass(1050, true)
    else if (random.chance(0.1)) pass(300, true) // idle long enough for a SYNC frame
    if (Math.floor(next / 23) > Math.floor(before / 23)) clock.wall -= 5000
  }
  if (how.closed) writer.log.close()
  else {
    pass(1050, true)
    for (let i = 0; i < 5; i++) { // written, never synced
      writer.append(i % 2 === 0 ? 1 : 3, (random) => small(random, tags[i]!))
      writer.commit()
    }
    pass(200, false) // the manifest learns of a segment begun last
    writer.log.abandon()
  }
  disk.runPending()
  const settled = disk.settled()
  const segments = segmentsOf(settled.files())
  const active = segments.at(-1)!
  const bytes = settled.bytes(active)
  return { disk: settled, lines: writer.lines, active, bytes, frames: framesOf(bytes), sealed: segments.slice(0, -1) }
}

const small = (random: Random, tag: typeof tags[number]) => {
  for (;;) {
    const event = randomEvent(random, tag)
    let bytes = 0
    for (const value of Object.values(event)) bytes += (value as { length?: number } | null)?.length ?? 0
    if (bytes < 150 + "StringFloatIncremented".length) return event
  }
}

/** The same disk with one file replaced, or removed. */
export const withFile = (disk: SimDisk, name: string, bytes: Uint8Array | undefined): SimDisk => {
  const copy = disk.settled()
  copy.remove(name)
  if (bytes !== undefined) copy.put(name, bytes)
  return copy
}

/** Takes the witness away, so that only the frames themselves tell what was durable. */
export const withoutManifest = (disk: SimDisk): SimDisk => {
  const copy = disk.settled()
  copy.remove("MANIFEST")
  copy.remove("MANIFEST.prev")
  return copy
}

/** How many batches a segment holds up to a byte position, given those before it. */
export const sequenceAt = (bytes: Uint8Array, frames: ReadonlyArray<FrameFacts>, position: number): number => {
  let sequence = headerOf(bytes).sequence - 1
  for (const frame of frames) {
    if (frame.position + frame.length > position) break
    sequence += frame.type === "BATCHES" ? frame.count : 0
  }
  return sequence
}

/** The durable mark in the file, as the frames at these positions tell. */
export const markOf = (frames: ReadonlyArray<FrameFacts>, manifestMark: number): number =>
  frames.reduce((mark, frame) => Math.max(mark, frame.position - frame.lag), Math.max(segmentHeaderBytes, manifestMark))

/** The manifest's durable mark as a byte position in a segment file; 0 without a manifest. */
export const manifestMark = (disk: SimDisk, segment: Uint8Array): number => {
  if (!disk.files().includes("MANIFEST")) return 0
  const lines = Buffer.from(disk.bytes("MANIFEST")).toString("utf8").split("\n")
  const state = JSON.parse(lines[1]!) as { durable: { lsn: number } }
  return state.durable.lsn - headerOf(segment).lsn + segmentHeaderBytes
}

export { endOfFrames }
