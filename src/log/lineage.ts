/**
 * Of which epochs a log consists. An epoch is a stretch of the log with one writer that lost nothing in between: bytes at
 * one position of one epoch are the same wherever they are kept. A new one begins when a replica becomes a primary, when
 * a primary with replicas starts without having been shut down in order, and when frames had to be moved after a failed
 * fsync. It begins with a CONTROL record in the log:
 *
 *     varint kind | varint epoch | replication id (20) | text why
 *
 * The list of them stands beside the log in REPLICATION, with what a replica has to know when it starts: one JSON object,
 * and a line with the crc32 of the first. A store that never had to do with replication has no such file and one epoch.
 */
import { crc32 } from "node:zlib"
import type { Disk } from "./disk.ts"
import { logCorrupt } from "./errors.ts"
import { ByteReader, ByteWriter, WireError } from "./events/wire.ts"
import { controlKind, type FrameHeader, frameHeaderSize } from "./frame.ts"
import { hex } from "./segment.ts"

/** One epoch of a log. */
export interface Epoch {
  readonly number: number
  /** Hex, 40 digits: tells apart what two servers began under the same number. */
  readonly replicationId: string
  /** Where it begins. */
  readonly lsn: number
}

/** What has to be done to the files before the log can be opened: it was begun and may have been interrupted. */
export type Pending =
  /** Everything from this position on goes to the folder `to`. */
  | { readonly kind: "rewind"; readonly lsn: number; readonly to: string }
  /** All of the log and the checkpoints go to the folder `to`, and what was received takes their place. */
  | { readonly kind: "replace"; readonly to: string; readonly checkpoint: number | undefined }

/** The content of REPLICATION. */
export interface ReplicationState {
  readonly epochs: ReadonlyArray<Epoch>
  /**
   * Whom this server follows, as REPLICAOF was told; undefined for a primary. Where it is set, frames may be another
   * server's: what they say about the disk they were first written to proves nothing about this one.
   */
  readonly following: string | undefined
  readonly pending: Pending | undefined
}

/** Name of the file. */
export const replicationFile = "REPLICATION"

/** Body of the CONTROL record that begins an epoch. */
export const epochBody = (number: number, replicationId: Uint8Array, why: string): Uint8Array => {
  const out = new ByteWriter(96)
  out.varint(controlKind.epoch)
  out.varint(number)
  out.raw(replicationId, 0, 20)
  out.text(why)
  return out.toBytes()
}

/** What the CONTROL frame at `at`, checked before, begins; undefined when it is one of another kind. */
export const readEpoch = (
  bytes: Uint8Array,
  at: number,
  header: FrameHeader
): { readonly number: number; readonly replicationId: Uint8Array } | undefined => {
  try {
    const from = new ByteReader(bytes, at + frameHeaderSize, at + header.length)
    if (from.varint() !== controlKind.epoch) return undefined
    const number = from.varint()
    if (from.end - from.offset < 20 || number !== header.epoch) return undefined
    return { number, replicationId: bytes.slice(from.offset, from.offset + 20) }
  } catch (error) {
    if (error instanceof WireError) return undefined
    throw error
  }
}

/** Where an epoch of a list ends, in a log that ends at `end`. */
const endOf = (epochs: ReadonlyArray<Epoch>, index: number, end: number): number => epochs[index + 1]?.lsn ?? end

/**
 * Up to which position two logs, given by their epochs and their ends, are the same; undefined when they have nothing in
 * common.
 */
export const commonEnd = (
  mine: ReadonlyArray<Epoch>,
  myEnd: number,
  theirs: ReadonlyArray<Epoch>,
  theirEnd: number
): number | undefined => {
  let common: number | undefined
  for (let i = 0; i < mine.length && i < theirs.length; i++) {
    const [a, b] = [mine[i]!, theirs[i]!]
    if (a.number !== b.number || a.replicationId !== b.replicationId || a.lsn !== b.lsn) break
    common = Math.min(endOf(mine, i, myEnd), endOf(theirs, i, theirEnd))
    if (endOf(mine, i, myEnd) !== endOf(theirs, i, theirEnd)) break
  }
  return common
}

/** The epochs that begin before a position; the first one in any case. */
export const epochsBefore = (epochs: ReadonlyArray<Epoch>, lsn: number): ReadonlyArray<Epoch> =>
  epochs.filter((epoch, index) => index === 0 || epoch.lsn < lsn)

/** A list of epochs as words of a message: `number:id:lsn`, joined by commas. */
export const printEpochs = (epochs: ReadonlyArray<Epoch>): string =>
  epochs.map(({ lsn, number, replicationId }) => `${number}:${replicationId}:${lsn}`).join(",")

/** The inverse; undefined when it is none. */
export const parseEpochs = (text: string): ReadonlyArray<Epoch> | undefined => {
  const epochs: Array<Epoch> = []
  for (const part of text.split(",")) {
    const match = /^(\d{1,10}):([0-9a-f]{40}):(\d{1,16})$/.exec(part)
    if (match === null) return undefined
    const epoch = { number: Number(match[1]), replicationId: match[2]!, lsn: Number(match[3]) }
    const before = epochs.at(-1)
    if (before !== undefined && (epoch.number <= before.number || epoch.lsn < before.lsn)) return undefined
    epochs.push(epoch)
  }
  return epochs
}

export const encodeReplication = ({ epochs, following, pending }: ReplicationState): Uint8Array => {
  const state = { annals: "replication", version: 1, epochs: printEpochs(epochs), following, pending }
  const text = `${JSON.stringify(state)}\n`
  return Buffer.from(`${text}{"crc32":"${crc32(text).toString(16).padStart(8, "0")}"}\n`, "utf8")
}

/** Reads what `encodeReplication` wrote; a string says what is wrong. */
export const decodeReplication = (bytes: Uint8Array): ReplicationState | string => {
  const [text = "", sum = ""] = Buffer.from(bytes).toString("utf8").split("\n", 2)
  const match = /^\{"crc32":"([0-9a-f]{8})"\}$/.exec(sum)
  if (match === null || Number.parseInt(match[1]!, 16) !== crc32(`${text}\n`)) return "its checksum does not fit"
  const state = JSON.parse(text) as Record<string, unknown>
  const epochs = typeof state["epochs"] === "string" ? parseEpochs(state["epochs"]) : undefined
  if (state["version"] !== 1 || epochs === undefined) return "it is of another version"
  return {
    epochs,
    following: state["following"] as string | undefined,
    pending: state["pending"] as Pending | undefined
  }
}

/** Reads REPLICATION; undefined when there is none. Throws `LogCorrupt` when it is damaged, and `DiskError`. */
export const readReplication = (disk: Disk): ReplicationState | undefined => {
  if (!disk.exists(replicationFile)) return undefined
  const found = decodeReplication(disk.readFile(replicationFile))
  if (typeof found !== "string") return found
  throw logCorrupt({
    reason:
      `${replicationFile} cannot be used: ${found}. It says whether this server is a replica; where it certainly is `
      + "not one, removing the file makes it a primary with a history of its own",
    segment: replicationFile,
    position: 0,
    lsn: 0,
    sequence: 1,
    bytesLost: 0
  })
}

/** Replaces REPLICATION as one step, durably. Throws `DiskError`; then the one before is still there. */
export const writeReplication = (disk: Disk, state: ReplicationState): void =>
  disk.writeFileAtomic(replicationFile, encodeReplication(state))

/** The only epoch of a log that never had to do with replication. */
export const firstEpoch = (header: { readonly epoch: number; readonly replicationId: Uint8Array }): Epoch => ({
  number: header.epoch,
  replicationId: hex(header.replicationId),
  lsn: 0
})
