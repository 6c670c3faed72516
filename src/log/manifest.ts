/**
 * MANIFEST: which segments there are and how far the log is known to be durable. One JSON object per line:
 *
 *     {"annals":"manifest","version":1,"oldestReader":1,"storeId":"…","replicationId":"…","epoch":1}
 *     {"durable":{"lsn":0,"sequence":0},"oldest":1,"clean":false,"start":{"chain":"…","lsn":0}}   start: of a log
 *                                              that begins after 1, chain value and lsn with which its first segment begins
 *     {"segment":"<20 digits>.evl","first":1,"last":99,"lsn":0,"end":4096,"chain":"…"}      sealed (.evz), oldest first
 *     {"checkpoint":"<20 digits>.evs","sequence":80,"lsn":3000,"bytes":9000,"created":…,"sha256":"…"}  oldest first
 *     {"active":"<20 digits>.evl","first":100,"lsn":4096}
 *     {"crc32":"89abcdef"}                                                                  of every byte before
 *
 * It is an accelerator and a witness: every line can be rebuilt from the files, but a segment it names must be there and
 * what it calls durable must be readable. It is replaced by write-temporary, fsync, rename, directory fsync; the one
 * before stays as MANIFEST.prev.
 */
import { crc32 } from "node:zlib"
import { sequenceOfCheckpoint } from "./checkpoint-file.ts"
import { type Disk, DiskError } from "./disk.ts"
import { readRetrying } from "./frame-cursor.ts"
import { compressedSequenceOf, formatVersion, sequenceOfName } from "./segment.ts"

export interface ManifestSegment {
  /** Base name. */
  readonly name: string
  readonly first: number
  readonly last: number
  readonly lsn: number
  /** Lsn of the first frame after it. */
  readonly end: number
  /** Hex. */
  readonly chain: string
}

/** A checkpoint that was complete and checked when the manifest was written. */
export interface ManifestCheckpoint {
  /** Base name. */
  readonly name: string
  readonly sequence: number
  readonly lsn: number
  readonly bytes: number
  /** Unix milliseconds. */
  readonly created: number
  /** Hex; "" when nobody remembers. */
  readonly sha256: string
}

export interface Manifest {
  /** Hex. */
  readonly storeId: string
  readonly replicationId: string
  readonly epoch: number
  readonly durableLsn: number
  readonly durableSequence: number
  /** First sequence that retention has left. */
  readonly oldest: number
  /** Chain value (hex) and lsn where the log begins; undefined in one that begins with sequence 1. */
  readonly start: { readonly chain: string; readonly lsn: number } | undefined
  /** Whether the log was closed in order. */
  readonly clean: boolean
  readonly sealed: ReadonlyArray<ManifestSegment>
  readonly checkpoints: ReadonlyArray<ManifestCheckpoint>
  /** Base name, first sequence and lsn of the segment being written. */
  readonly active: { readonly name: string; readonly first: number; readonly lsn: number }
}

/** A manifest as found: itself, absent, unreadable, or from a newer program. */
export type ManifestReading =
  | { readonly kind: "manifest"; readonly manifest: Manifest; readonly previous: boolean }
  | { readonly kind: "none"; readonly damaged: boolean }
  | { readonly kind: "newer"; readonly oldestReader: number }

const current = "MANIFEST"
const previous = "MANIFEST.prev"
/** Nothing larger is read: a line per segment of 64 MiB, so this is more than a hundred terabytes of log. */
const largest = 512 << 20

export const encodeManifest = (manifest: Manifest): Uint8Array => {
  const lines: Array<unknown> = [
    {
      annals: "manifest",
      version: formatVersion,
      oldestReader: formatVersion,
      storeId: manifest.storeId,
      replicationId: manifest.replicationId,
      epoch: manifest.epoch
    },
    {
      durable: { lsn: manifest.durableLsn, sequence: manifest.durableSequence },
      oldest: manifest.oldest,
      clean: manifest.clean,
      ...(manifest.start === undefined ? {} : { start: manifest.start })
    }
  ]
  for (const { name, first, last, lsn, end, chain } of manifest.sealed) {
    lines.push({ segment: name, first, last, lsn, end, chain })
  }
  for (const { name, sequence, lsn, bytes, created, sha256 } of manifest.checkpoints) {
    lines.push({ checkpoint: name, sequence, lsn, bytes, created, sha256 })
  }
  const { name, first, lsn } = manifest.active
  lines.push({ active: name, first, lsn })
  const text = Buffer.from(lines.map((line) => `${JSON.stringify(line)}\n`).join(""), "utf8")
  const sum = crc32(text).toString(16).padStart(8, "0")
  return Buffer.concat([text, Buffer.from(`{"crc32":"${sum}"}\n`, "latin1")])
}

const isCount = (value: unknown): value is number => Number.isSafeInteger(value) && (value as number) >= 0
const isHex = (value: unknown, bytes: number): value is string =>
  typeof value === "string" && value.length === bytes * 2 && /^[0-9a-f]*$/.test(value)
const isSegment = (name: unknown, first: unknown): boolean =>
  typeof name === "string" && isCount(first) && (sequenceOfName(name) ?? compressedSequenceOf(name)) === first

const checkpointOf = (line: Record<string, unknown>): ManifestCheckpoint | undefined => {
  const { bytes, checkpoint, created, lsn, sequence, sha256 } = line
  const named = typeof checkpoint === "string" && isCount(sequence) && sequenceOfCheckpoint(checkpoint) === sequence
  if (!named || !isCount(lsn) || !isCount(bytes) || !isCount(created)) return undefined
  if (sha256 !== "" && !isHex(sha256, 32)) return undefined
  return { name: checkpoint, sequence, lsn, bytes, created, sha256 }
}

/** Reads a manifest's bytes; a string says what is wrong, a number is the version of reader it needs. */
export const decodeManifest = (bytes: Uint8Array): Manifest | string | number => {
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length)
  const cut = text.lastIndexOf("\n{\"crc32\":\"") + 1
  const sum = /^\{"crc32":"([0-9a-f]{8})"\}\n$/.exec(text.toString("latin1", cut))
  if (cut === 0 || sum === null) return "no checksum line"
  if (crc32(text.subarray(0, cut)) !== Number.parseInt(sum[1]!, 16)) return "checksum"
  let lines: Array<Record<string, unknown> | null>
  try {
    lines = text.toString("utf8", 0, cut - 1).split("\n").map((line) => JSON.parse(line))
  } catch {
    return "not JSON"
  }
  if (lines.some((line) => typeof line !== "object" || line === null)) return "a line is not an object"
  const [head, state, ...rest] = lines as Array<Record<string, unknown>>
  if (head?.["annals"] !== "manifest" || !isCount(head["oldestReader"])) return "first line"
  if (head["oldestReader"] > formatVersion) return head["oldestReader"]
  if (!isHex(head["storeId"], 16) || !isHex(head["replicationId"], 20) || !isCount(head["epoch"])) return "ids"
  const durable = state?.["durable"] as Record<string, unknown> | null | undefined
  if (typeof durable !== "object" || durable === null || !isCount(durable["lsn"]) || !isCount(durable["sequence"])) {
    return "durable mark"
  }
  if (!isCount(state!["oldest"])) return "oldest sequence"
  const start = state!["start"] as Record<string, unknown> | null | undefined
  if (start !== undefined && (start === null || !isHex(start["chain"], 32) || !isCount(start["lsn"]))) return "start"
  const active = rest.pop()
  if (active === undefined || !isSegment(active["active"], active["first"]) || !isCount(active["lsn"])) {
    return "active segment"
  }
  const checkpoints: Array<ManifestCheckpoint> = []
  const sealed: Array<ManifestSegment> = []
  for (const line of rest) {
    if ("checkpoint" in line) {
      const checkpoint = checkpointOf(line)
      if (checkpoint === undefined) return "checkpoint line"
      checkpoints.push(checkpoint)
      continue
    }
    const { segment, first, last, lsn, end, chain } = line
    if (!isSegment(segment, first) || !isCount(last) || !isCount(lsn) || !isCount(end) || !isHex(chain, 32)) {
      return "segment line"
    }
    const before = sealed.at(-1)
    if (before !== undefined && (first as number) !== before.last + 1) return "segments out of order"
    sealed.push({ name: segment as string, first: first as number, last, lsn, end, chain })
  }
  return {
    storeId: head["storeId"],
    replicationId: head["replicationId"],
    epoch: head["epoch"],
    durableLsn: durable["lsn"],
    durableSequence: durable["sequence"],
    oldest: state!["oldest"],
    start: start === undefined ? undefined : { chain: start["chain"] as string, lsn: start["lsn"] as number },
    clean: state!["clean"] === true,
    sealed,
    checkpoints,
    active: { name: active["active"] as string, first: active["first"] as number, lsn: active["lsn"] }
  }
}

/** Reads MANIFEST, or MANIFEST.prev where that is missing or damaged. Throws `DiskError` when the disk fails. */
export const readManifest = (disk: Disk): ManifestReading => {
  let damaged = false
  for (const name of [current, previous]) {
    if (!disk.exists(name)) continue
    const file = disk.open(name, "read")
    let bytes: Uint8Array | undefined
    try {
      const size = file.size()
      if (size <= largest) {
        bytes = new Uint8Array(size)
        bytes = bytes.subarray(0, readRetrying(file, bytes, 0, size, 0))
      }
    } finally {
      file.close()
    }
    const found = bytes === undefined ? "too large" : decodeManifest(bytes)
    if (typeof found === "number") return { kind: "newer", oldestReader: found }
    if (typeof found !== "string") return { kind: "manifest", manifest: found, previous: name === previous }
    damaged = true
  }
  return { kind: "none", damaged }
}

/** Replaces the manifest. Throws `DiskError`; then the one before is still there, under either name. */
export const writeManifest = (disk: Disk, manifest: Manifest): void => {
  for (const _ of manifestSteps(disk, manifest, () => true));
}

/**
 * The same a step at a time, each of which waits for the disk once, so that others get their turn in between. `newest`
 * is asked before the manifest is replaced: false when another has been since, which stays. All go through one temporary
 * file, so what replaces it is always the latest written. At the end it is durable, whoever put it there.
 */
export function* manifestSteps(disk: Disk, manifest: Manifest, newest: () => boolean): Generator<void, void> {
  const bytes = encodeManifest(manifest)
  const temporary = `${current}.tmp`
  try {
    const file = disk.open(temporary, "create")
    try {
      const written = file.write(bytes, 0, bytes.length, 0)
      if (written !== bytes.length) throw new DiskError("ENOSPC", "write", temporary, "short write")
      file.sync()
    } finally {
      file.close()
    }
    yield
    if (newest()) {
      // A damaged MANIFEST must not push out the good one before it.
      if (disk.exists(current) && typeof decodeManifest(disk.readFile(current)) === "object") {
        disk.rename(current, previous)
      }
      disk.rename(temporary, current)
    }
  } catch (error) {
    try {
      disk.unlink(temporary)
    } catch {
      // Removed when the log is opened next.
    }
    throw error
  }
  yield
  disk.syncFolder("")
}
