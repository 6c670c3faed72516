/**
 * When checkpoints are made, one at a time: on request, by the `save` rules, when the log has grown, at shutdown. Plain
 * and without a clock of its own: `step` is called again and again by a fiber (service.ts), or until it is done by SAVE.
 */
import type { BackgroundAnswer, PersistencePort, PersistenceStatus } from "../commands/ports.ts"
import type { SaveRule } from "../config/value-lists.ts"
import type { DatabaseCount } from "../log/checkpoint-file.ts"
import type { CheckpointFiles } from "../log/checkpoint-store.ts"
import type { CheckpointWriter } from "../log/checkpoint-writer.ts"
import { DiskError } from "../log/disk.ts"
import type { EventLog } from "../log/event-log.ts"
import type { Keyspace } from "../projections/keyspace.ts"
import { CheckpointRun } from "./checkpoint-run.ts"
import { hashKey, StartUp } from "./start-up.ts"

/** What the configuration says at the moment. */
export interface CheckpointSettings {
  /** After so many seconds, if at least so many batches were written. */
  readonly rules: ReadonlyArray<SaveRule>
  /** Log written since the last checkpoint, in percent of that checkpoint's size; 0 for never. */
  readonly growthPercentage: number
  /** … and at least so many bytes of it. */
  readonly growthBytes: number
}

/** What the checkpointer needs. */
export interface CheckpointerParts {
  readonly keyspace: Keyspace
  readonly log: EventLog["Service"]
  readonly store: CheckpointFiles
  /** Unix milliseconds. */
  readonly now: () => number
  readonly monotonic: () => number
  readonly settings: () => CheckpointSettings
  /** One line for the operator. */
  readonly report: (message: string, failed: boolean) => void
  readonly startedAt: number
  /** Whether a batch is being put together whose events are folded already: an EXEC at work. */
  readonly batchOpen: () => boolean
  /** All data was replaced by the same data loaded anew. */
  readonly replaced: () => void
  /** Whether the last checkpoint in the background was made is known anew: `saved` says so. */
  readonly settled: () => void
}

/** Why a checkpoint is made: the two kinds that INFO keeps apart. */
type Kind = "save" | "rewrite"

/** After a failure no rule starts another one for so long, as in Redis. */
const retryAfterMs = 5000

/** Figures of one kind of checkpoint. */
class Figures {
  startedAt = 0
  lastSeconds = -1
  ok = true
  count = 0
  failuresInARow = 0
}

/** See the head of this file. */
export class Checkpointer implements PersistencePort {
  private readonly parts: CheckpointerParts
  private run:
    | { readonly run: CheckpointRun; readonly kind: Kind; readonly why: string; readonly blocking: boolean }
    | undefined = undefined
  private readonly wanted = new Map<Kind, string>()
  private lastFailure = ""
  private skipAtEnd = false
  /** Whether the outcome of the run was taken note of. */
  private settled = true
  private readonly figures = { save: new Figures(), rewrite: new Figures() }
  private lastSaveAt: number
  private lastTryAt = -Infinity
  /** Newest sequence that is in a checkpoint, or was there at the start when there is none. */
  private covered: number
  private loading: StartUp | undefined = undefined
  private loadingSince = 0
  private loadingSinceMonotonic = 0
  private keysLoaded = 0

  constructor(parts: CheckpointerParts) {
    this.parts = parts
    const newest = parts.store.list().at(-1)
    this.lastSaveAt = newest?.created ?? parts.startedAt
    this.covered = newest?.sequence ?? 0
  }

  // ——— loading

  /** The data is being loaded: `status` shows how far. */
  beginLoading(startUp: StartUp): void {
    this.loading = startUp
    this.loadingSince = this.parts.now()
    this.loadingSinceMonotonic = this.parts.monotonic()
  }

  endLoading(): void {
    this.keysLoaded = this.loading?.keysLoaded ?? 0
    this.loading = undefined
    // What the disk lost or a damaged file no longer covers.
    this.covered = this.parts.store.list().at(-1)?.sequence ?? 0
  }

  // ——— requests

  save(): string | undefined {
    if (this.saving) return "Background save already in progress"
    this.stopRun() // one because of the log's growth has no purpose beside this one
    if (!this.begin("save", "requested", true)) return this.lastFailure
    const { run } = this.run!
    while (this.step() !== "wait");
    return run.outcome?.kind === "published" ? undefined : this.lastFailure
  }

  backgroundSave(schedule: boolean): BackgroundAnswer {
    if (this.saving) return "running"
    const other = this.run !== undefined && this.run.run.outcome === undefined
    if (other && !schedule) return "other"
    this.wanted.set("save", "requested")
    return other ? "scheduled" : "started"
  }

  rewrite(): BackgroundAnswer {
    if (this.run?.kind === "rewrite" && this.run.run.outcome === undefined) return "running"
    const other = this.saving
    this.wanted.set("rewrite", "requested")
    return other ? "scheduled" : "started"
  }

  cancel(): "cancelled" | "unscheduled" | "none" {
    if (this.run?.kind === "save" && this.run.run.outcome === undefined) {
      this.wanted.delete("save")
      this.run.run.cancel()
      this.settle()
      return "cancelled"
    }
    return this.wanted.delete("save") ? "unscheduled" : "none"
  }

  /** Whether the newest checkpoint that was tried in the background was made; true while there was none. */
  get saved(): boolean {
    return this.figures.save.ok
  }

  lastSave(): number {
    return Math.floor(this.lastSaveAt / 1000)
  }

  /** Saves, then replaces the data by what a start would load. The reason why not, or undefined. */
  reload(save: boolean): string | undefined {
    const { batchOpen, keyspace, log, replaced, store } = this.parts
    if (batchOpen()) return "not possible inside a transaction, whose batch is not in the log yet"
    if (save) {
      this.stopRun()
      const refused = this.save()
      if (refused !== undefined) return refused
    }
    log.commit()
    const failure = log.failure()
    if (failure !== undefined) return failure.reason
    this.stopRun()
    const fresh = keyspace.blank()
    const startUp = new StartUp({
      keyspace: fresh,
      log,
      store,
      warn: (message) => this.parts.report(message, true)
    })
    startUp.run()
    keyspace.adopt(fresh)
    replaced()
    this.keysLoaded = startUp.keysLoaded
    return undefined
  }

  /**
   * Replaces the data by what a start would load, a slice at a time; meanwhile nothing may be appended to the log, and
   * what memory holds is of no use. `loaded`: what one of the checkpoints holds, in a keyspace made by `blank`. Throws
   * what loading throws.
   */
  *reloading(loaded?: { readonly sequence: number; readonly keyspace: Keyspace }): Generator<void, void> {
    const { keyspace, log, replaced, report, store } = this.parts
    log.commit()
    this.stopRun()
    this.wanted.clear()
    const fresh = loaded?.keyspace ?? keyspace.blank(hashKey(store, () => keyspace.seed))
    const warn = (message: string): void => report(message, true)
    const startUp = new StartUp({ keyspace: fresh, log, store, warn, loaded: loaded?.sequence })
    this.beginLoading(startUp)
    try {
      keyspace.clear()
      while (!startUp.slice()) yield
    } finally {
      this.endLoading()
    }
    keyspace.adopt(fresh)
    replaced()
  }

  /** Gives up the checkpoint under way and finishes with the marks of its entries. */
  stopRun(): void {
    this.run?.run.cancel()
    this.settle()
    while (this.run !== undefined) if (this.run.run.step() === "done") this.run = undefined
  }

  // ——— progress

  /** Goes on with the checkpoint under way, or begins one that is due. "wait": nothing to do for a few milliseconds. */
  step(): "again" | "wait" {
    if (this.loading !== undefined) return "wait"
    if (this.run === undefined) return this.beginDue() ? "again" : "wait"
    const step = this.run.run.step()
    this.settle()
    if (step === "done") {
      this.run = undefined
      return "wait"
    }
    return step
  }

  /** Whether a checkpoint is under way or asked for. */
  get busy(): boolean {
    return this.run !== undefined || this.wanted.size > 0
  }

  /** The checkpoint under way: how much it will hold, and its file as it grows. */
  get underWay(): { readonly writer: CheckpointWriter; readonly counts: ReadonlyArray<DatabaseCount> } | undefined {
    const run = this.run?.run
    return run?.unpublished === true ? { writer: run.writer, counts: run.walk.databases } : undefined
  }

  // ——— the end

  beforeShutdown(save: boolean | undefined): boolean {
    if (this.loading !== undefined || save === false) {
      this.skipAtEnd = true
      return true
    }
    if (save === undefined && this.parts.settings().rules.length === 0) return true
    this.wanted.clear()
    this.stopRun()
    if (this.save() !== undefined) return false
    this.skipAtEnd = true
    return true
  }

  /** The server ends: with `save` rules and something to save, as in Redis, by a last checkpoint. */
  close(): void {
    const { log, settings } = this.parts
    const due = !this.skipAtEnd && this.loading === undefined && settings().rules.length > 0
      && log.sequence() > this.covered && log.failure() === undefined
    if (!due) {
      this.run?.run.cancel()
      return
    }
    this.wanted.clear()
    this.stopRun()
    this.save()
  }

  private get saving(): boolean {
    return (this.run?.kind === "save" && this.run.run.outcome === undefined) || this.wanted.has("save")
  }

  private beginDue(): boolean {
    for (const kind of ["save", "rewrite"] as const) {
      const why = this.wanted.get(kind)
      if (why === undefined) continue
      this.wanted.delete(kind)
      return this.begin(kind, why, false)
    }
    const why = this.dueByRule()
    if (why === undefined || this.parts.log.failure() !== undefined) return false
    return this.begin(why.kind, why.text, false)
  }

  private dueByRule(): { readonly kind: Kind; readonly text: string } | undefined {
    const { log, monotonic, now, settings, startedAt, store } = this.parts
    const changes = log.sequence() - this.covered
    if (changes <= 0) return undefined
    if (monotonic() - this.lastTryAt < retryAfterMs && !(this.figures.save.ok && this.figures.rewrite.ok)) {
      return undefined
    }
    const { growthBytes, growthPercentage, rules } = settings()
    const elapsed = now() - Math.max(this.lastSaveAt, startedAt) // a start is no reason to save at once
    for (const rule of rules) {
      if (changes >= rule.changes && elapsed >= rule.seconds * 1000) {
        return { kind: "save", text: `${rule.changes} changes in ${rule.seconds} seconds` }
      }
    }
    if (growthPercentage === 0) return undefined
    const newest = store.list().at(-1)
    const grown = log.lsn() - (newest?.lsn ?? 0)
    if (grown < Math.max(growthBytes, (newest?.bytes ?? 0) * growthPercentage / 100)) return undefined
    return { kind: "rewrite", text: `${grown} bytes of log since the last one` }
  }

  private begin(kind: Kind, why: string, blocking: boolean): boolean {
    const { keyspace, log, monotonic, now, store } = this.parts
    const figures = this.figures[kind]
    figures.startedAt = monotonic()
    this.lastTryAt = figures.startedAt
    try {
      const run = new CheckpointRun({ keyspace, log, store, created: now(), monotonic, blocking })
      this.run = { run, kind, why, blocking }
      this.settled = false
      return true
    } catch (error) {
      if (!(error instanceof DiskError)) throw error
      this.failed(figures, error.message, blocking)
      return false
    }
  }

  /** Takes note of the outcome, once. */
  private settle(): void {
    const { run } = this
    const outcome = run?.run.outcome
    if (run === undefined || outcome === undefined || this.settled) return
    this.settled = true
    const figures = this.figures[run.kind]
    const seconds = (this.parts.monotonic() - figures.startedAt) / 1000
    if (outcome.kind === "cancelled") {
      this.parts.report(`the checkpoint of sequence ${run.run.sequence} was cancelled`, false)
      return
    }
    figures.lastSeconds = Math.floor(seconds)
    if (outcome.kind === "failed") {
      this.failed(figures, outcome.reason, run.blocking)
      return
    }
    const { bytes, sequence } = outcome.info
    // Of whatever kind: all data is in it.
    figures.ok = this.figures.save.ok = true
    figures.failuresInARow = 0
    figures.count++
    this.covered = sequence
    this.lastSaveAt = this.parts.now()
    this.parts.settled()
    const { savedBefore, total } = run.run.walk
    this.parts.report(
      `checkpoint of sequence ${sequence} (${run.why}): ${total} keys, ${savedBefore} of them ahead of a write, ${bytes} `
        + `bytes in ${seconds.toFixed(2)} s`,
      false
    )
  }

  /** As in Redis, SAVE that fails tells so to whoever asked, and the status of saves in the background stays. */
  private failed(figures: Figures, reason: string, blocking: boolean): void {
    this.lastFailure = reason
    if (!blocking) {
      figures.ok = false
      figures.failuresInARow++
      this.parts.settled()
    }
    this.parts.report(`a checkpoint failed, the one before stays: ${reason}`, true)
  }

  // ——— figures

  status(): PersistenceStatus {
    const { figures, loading, parts, run } = this
    const active = run !== undefined && run.run.outcome === undefined ? run : undefined
    const kind = active?.kind
    const seconds = (of: Kind): number =>
      kind === of ? Math.floor((parts.monotonic() - figures[of].startedAt) / 1000) : -1
    const elapsed = loading === undefined ? 0 : (parts.monotonic() - this.loadingSinceMonotonic) / 1000
    const total = loading?.totalBytes ?? 0
    const loaded = loading?.loadedBytes ?? 0
    return {
      loading: loading === undefined ? undefined : {
        startedAt: Math.floor(this.loadingSince / 1000),
        totalBytes: total,
        loadedBytes: loaded,
        etaSeconds: loaded === 0 ? 1 : Math.round(elapsed * Math.max(0, total - loaded) / loaded)
      },
      changesSinceLastSave: Math.max(0, parts.log.sequence() - this.covered),
      save: {
        inProgress: kind === "save" || this.wanted.has("save"),
        ok: figures.save.ok,
        lastSeconds: figures.save.lastSeconds,
        currentSeconds: seconds("save"),
        count: figures.save.count
      },
      rewrite: {
        inProgress: kind === "rewrite",
        scheduled: this.wanted.has("rewrite"),
        ok: figures.rewrite.ok,
        lastSeconds: figures.rewrite.lastSeconds,
        currentSeconds: seconds("rewrite"),
        count: figures.rewrite.count,
        failuresInARow: figures.rewrite.failuresInARow
      },
      keysProcessed: active?.run.walk.processed ?? 0,
      keysTotal: active?.run.walk.total ?? 0,
      keysLoaded: this.keysLoaded,
      lastSaveAt: this.lastSave(),
      checkpoints: parts.store.list()
    }
  }
}
