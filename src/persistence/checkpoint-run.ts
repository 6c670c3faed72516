/**
 * One checkpoint from its beginning to its publication, as a machine that is told to go on: each step takes well under a
 * millisecond or says that it waits for the disk. In order: walk the data into a temporary file; write the end; fsync;
 * wait until the log is durable to the checkpoint's sequence, because a checkpoint must never know more than the log;
 * read the file back and check it; publish.
 */
import { CheckpointUnusable } from "../log/checkpoint-file.ts"
import type { CheckpointReader } from "../log/checkpoint-reader.ts"
import type { CheckpointFiles, CheckpointInfo } from "../log/checkpoint-store.ts"
import type { CheckpointWriter } from "../log/checkpoint-writer.ts"
import { DiskError } from "../log/disk.ts"
import type { EventLog } from "../log/event-log.ts"
import { CheckpointWalk } from "../projections/checkpoint.ts"
import type { Keyspace } from "../projections/keyspace.ts"

/**
 * Entries and bytes saved per step, at most: about half a millisecond. The first steps run code that is not compiled yet
 * and takes ten times as long: so the number follows from the time that steps take.
 */
const mostEntries = 800
const leastEntries = 50
const longStepMs = 0.8
const sliceBytes = 256 << 10
/** Frames read back per step. */
const framesPerStep = 4

/** What a step says: call again at once, call again later, or over. */
export type Step = "again" | "wait" | "done"

/** How a checkpoint ended. */
export type Outcome =
  | { readonly kind: "published"; readonly info: CheckpointInfo }
  | { readonly kind: "failed"; readonly reason: string }
  | { readonly kind: "cancelled" }

/** What a checkpoint is made of and from. */
export interface RunParts {
  readonly keyspace: Keyspace
  readonly log: EventLog["Service"]
  readonly store: CheckpointFiles
  /** Unix milliseconds. */
  readonly created: number
  readonly monotonic: () => number
  /** Nothing in the background: for whoever steps until it is done. */
  readonly blocking: boolean
}

/** See the head of this file. */
export class CheckpointRun {
  readonly walk: CheckpointWalk
  readonly writer: CheckpointWriter
  /** Known as soon as it is decided; steps may be left even then. */
  outcome: Outcome | undefined = undefined
  private readonly parts: RunParts
  private phase: "walk" | "drain" | "sync" | "log" | "verify" | "publish" | "over" = "walk"
  private walked = false
  private entries = leastEntries
  private synced = false
  private reader: CheckpointReader | undefined
  private publishing: Generator<void, CheckpointInfo> | undefined

  /** Begins at the log's newest sequence, between batches. Throws `DiskError`; then nothing has begun. */
  constructor(parts: RunParts) {
    const { blocking, created, keyspace, log, store } = parts
    this.parts = parts
    log.commit()
    const { chainHead, lsn, sequence } = log.status()
    this.writer = store.begin({ sequence, lsn, created, chain: chainHead, hashSeed: keyspace.seed, blocking })
    this.walk = new CheckpointWalk(keyspace, this.writer)
  }

  get sequence(): number {
    return this.writer.header.sequence
  }

  /** Whether its file has the name yet under which it is written. */
  get unpublished(): boolean {
    return this.outcome === undefined && this.phase !== "publish" && this.phase !== "over"
  }

  /** Goes on by one step. */
  step(): Step {
    try {
      return this.go()
    } catch (error) {
      if (!(error instanceof DiskError || error instanceof CheckpointUnusable)) throw error
      this.fail({ kind: "failed", reason: error.message })
      return "again"
    }
  }

  /** Gives it up. Steps are still due: the marks of the entries have to be brought in order. */
  cancel(): void {
    while (this.phase === "publish") this.step() // too late
    if (this.outcome === undefined) this.fail({ kind: "cancelled" })
  }

  private fail(outcome: Outcome): void {
    this.outcome = outcome
    this.reader?.close()
    this.reader = undefined
    this.writer.discard()
    this.walk.giveUp()
    this.phase = this.walked ? "over" : "walk"
  }

  private go(): Step {
    const { parts, walk, writer } = this
    if (this.outcome === undefined && writer.failure !== undefined) throw writer.failure
    switch (this.phase) {
      case "walk": {
        const saving = this.outcome === undefined
        if (saving && writer.congested) return "wait"
        const began = parts.monotonic()
        this.walked = walk.slice(this.entries, sliceBytes)
        const took = parts.monotonic() - began
        if (took > longStepMs) this.entries = Math.max(leastEntries, this.entries >>> 1)
        else if (took < longStepMs / 2) this.entries = Math.min(mostEntries, this.entries * 2)
        if (!this.walked) return "again"
        if (saving) writer.end(walk.databases)
        this.phase = saving ? "drain" : "over"
        return "again"
      }
      case "drain":
        if (!writer.idle) return "wait"
        this.phase = "sync"
        if (parts.blocking) writer.syncNow()
        else {
          writer.syncLater(() => {
            this.synced = true
          })
        }
        if (parts.blocking) this.synced = true
        return "again"
      case "sync":
        if (!this.synced) return "wait"
        writer.close()
        this.phase = "log"
        return "again"
      case "log": {
        if (!this.logDurable()) return "wait"
        this.reader = parts.store.readBack(writer)
        this.phase = "verify"
        return "again"
      }
      case "verify": {
        const reader = this.reader!
        for (let i = 0; i < framesPerStep; i++) if (!reader.next()) return this.verified(reader)
        return "again"
      }
      case "publish": {
        const step = this.publishing!.next()
        if (step.done !== true) return "again"
        this.outcome = { kind: "published", info: step.value }
        this.phase = "over"
        return "done"
      }
      case "over":
        return "done"
    }
  }

  private logDurable(): boolean {
    const { blocking, log } = this.parts
    const durable = (): boolean => log.status().durableLsn >= this.writer.header.lsn
    if (durable()) return true
    const failure = log.failure()
    if (failure !== undefined) throw new CheckpointUnusable(`the log cannot be written: ${failure.reason}`, false)
    log.sync(blocking)
    if (durable()) return true
    if (blocking) throw new CheckpointUnusable("the log cannot be synced", false)
    return false
  }

  private verified(reader: CheckpointReader): Step {
    const { events, sha256 } = reader.end!
    const { writer } = this
    reader.close()
    this.reader = undefined
    if (events !== writer.events || Buffer.compare(sha256, writer.sha256) !== 0) {
      throw new CheckpointUnusable("what was read back is not what was written")
    }
    this.publishing = this.parts.store.publishing(writer)
    this.phase = "publish"
    return "again"
  }
}
