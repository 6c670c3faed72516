/**
 * Files of Redis made a new data directory: RDB files, append-only files with and without an RDB file at their head, and
 * those in several parts. What they say becomes batches of the log, of origin `import`; a checkpoint at the end spares
 * the first start the replay.
 */
import { type Disk, DiskError } from "../log/disk.ts"
import type { Event } from "../log/events/catalog.ts"
import { type OpenedLog, openLog } from "../log/store.ts"
import { CheckpointRun } from "../persistence/checkpoint-run.ts"
import { evolve } from "../projections/evolve.ts"
import { Keyspace } from "../projections/keyspace.ts"
import { AofReader, truncated } from "./aof-reader.ts"
import { BadFile, type ByteSource, rdbVersion, RdbWalk } from "./file-reader.ts"
import { Intake } from "./intake.ts"
import { Refused, Relay } from "./relay.ts"

/** One of the files. */
export interface ImportFile extends ByteSource {
  readonly name: string
}

/** What the surroundings give. */
export interface ImportHost {
  /** The new data directory, empty. */
  readonly disk: Disk
  readonly now: () => number
  readonly monotonic: () => number
  readonly randomId: () => Uint8Array
  readonly seed: number
  /** One line for the operator. */
  readonly warn: (text: string) => void
}

/** What was imported. */
export interface Imported {
  readonly keys: number
  /** Keys left out because their deadline had passed. */
  readonly dead: number
  /** Requests of append-only files. */
  readonly requests: number
  /** Sequence of the log, which counts batches. */
  readonly sequence: number
  /** The newest Redis that wrote one of the files, as far as they tell. */
  readonly redisVersion: string | undefined
}

/** It cannot be done: what is wrong, in which file and where. */
export class ImportFailed extends Error {
  override readonly name = "ImportFailed"
}

/** Bytes of a file between two commits, about. */
const bytesPerCommit = 512 << 10
/** Requests between two looks at how far the file is. */
const requestsPerLook = 64
/** As many as usual; more come to be where a file speaks of them. */
const usualDatabases = 16
const largestHead = 9

/** One import. */
class Import {
  readonly keyspace: Keyspace
  readonly log: OpenedLog
  keys = 0
  dead = 0
  requests = 0
  redisVersion: string | undefined = undefined
  /** Bytes of the files before the one at hand. */
  private before = 0
  private committedAt = 0
  private readonly host: ImportHost
  private readonly relay: Relay

  constructor(host: ImportHost) {
    const { disk, monotonic, now, randomId, seed, warn } = host
    this.host = host
    this.keyspace = new Keyspace(usualDatabases, { k0: seed >>> 0, k1: Math.imul(seed, 0x9e37_79b1) >>> 0 })
    this.log = openLog(disk, { now, monotonic }, { policy: "no", randomId, warn })
    this.relay = new Relay({
      keyspace: this.keyspace,
      log: this.log,
      monotonic,
      now,
      origin: "import",
      seed,
      source: ""
    })
  }

  /** Takes the files in, one after the other; yields how many of their bytes are done. */
  *run(files: ReadonlyArray<ImportFile>): Generator<number, void> {
    for (const [i, file] of files.entries()) {
      this.relay.beginChunk()
      try {
        const head = new Uint8Array(largestHead)
        const length = file.read(head, 0, largestHead, 0)
        let position = 0
        if (length >= 5 && rdbVersion(head) !== undefined) {
          if (i > 0) throw new BadFile("an RDB file where only requests are expected", 0)
          position = yield* this.rdb(file, files.length > 1)
          if (position < file.size()) yield* this.requestsOf(file, position)
        } else if (length > 0) yield* this.requestsOf(file, 0)
        else if (files.length === 1) throw new BadFile("the file is empty", 0)
      } catch (error) {
        if (!(error instanceof BadFile)) throw error
        throw new ImportFailed(`${file.name}: ${error.message}`)
      }
      this.before += file.size()
      yield this.before
    }
    this.commit()
  }

  private *rdb(file: ImportFile, more: boolean): Generator<number, number> {
    const { keyspace, log } = this
    const { now, warn } = this.host
    const time = now()
    const intake = new Intake({
      keyspace,
      // Requests that follow may have given a key that is dead by now another deadline.
      now: more || this.followed(file) ? 0 : time,
      warn,
      apply: (db: number, events: ReadonlyArray<Event>) => {
        keyspace.turn.next(time)
        log.append(time, db, "import", 0, undefined, events, events.length)
        for (const event of events) evolve(keyspace, db, event)
      }
    })
    const walk = new RdbWalk(file, intake)
    for (const _ of walk.steps()) if (this.looked(walk.position)) yield this.before + walk.position
    this.keys += intake.keys
    this.dead += intake.dead
    this.redisVersion = intake.facts.get("redis-ver") ?? this.redisVersion
    return walk.position
  }

  /** Whether requests follow the RDB file at the head: servers say so there. */
  private followed(file: ImportFile): boolean {
    const head = Buffer.alloc(Math.min(file.size(), 1024))
    file.read(head, 0, head.length, 0)
    return ["aof-preamble", "aof-base"].some((name) => head.includes(Buffer.from([...Buffer.from(name), 0xc0, 1])))
  }

  private *requestsOf(file: ImportFile, from: number): Generator<number, void> {
    const { relay } = this
    const reader = new AofReader(file, from)
    let position = from
    let transactionAt = from
    while (reader.next()) {
      try {
        relay.run(reader.argv)
      } catch (error) {
        if (!(error instanceof Refused)) throw error
        throw new BadFile(`a request that is refused here, ${error.message}`, position)
      }
      this.requests++
      if (!relay.inTransaction) transactionAt = reader.position
      position = reader.position
      if (this.requests % requestsPerLook === 0 && this.looked(position)) yield this.before + position
    }
    if (relay.inTransaction) throw truncated("the last transaction is not whole", transactionAt)
  }

  /** Commits now and then; true when it did. */
  private looked(position: number): boolean {
    const done = this.before + position
    if (done - this.committedAt < bytesPerCommit) return false
    this.committedAt = done
    this.commit()
    this.relay.beginChunk()
    return true
  }

  private commit(): void {
    const { log } = this
    log.commit()
    log.tick()
    const failure = log.failure()
    if (failure !== undefined) throw new ImportFailed(`the log cannot be written: ${failure.reason}`)
  }

  /** Makes a checkpoint of everything. */
  checkpoint(): void {
    const { keyspace, log } = this
    const { monotonic, now } = this.host
    const run = new CheckpointRun({ keyspace, log, store: log.checkpoints, created: now(), monotonic, blocking: true })
    while (run.step() !== "done");
    if (run.outcome?.kind === "failed") throw new ImportFailed(`the checkpoint failed: ${run.outcome.reason}`)
  }
}

/**
 * Imports files, in their order, into an empty data directory. Yields how many of their bytes are done. Throws
 * `ImportFailed`, and `LogLocked` when somebody uses the directory; what is then in it is of no use.
 */
export function* importing(host: ImportHost, files: ReadonlyArray<ImportFile>): Generator<number, Imported> {
  let work: Import | undefined
  let done = false
  try {
    work = new Import(host)
    yield* work.run(files)
    work.checkpoint()
    work.log.close()
    done = true
    const { dead, keys, keyspace, log, redisVersion, requests } = work
    const all = keyspace.databases.reduce((sum, { size }) => sum + size, 0)
    const most = keyspace.databases.findLastIndex(({ size }) => size > 0) + 1
    if (most > usualDatabases) host.warn(`keys are in database ${most - 1}: start the server with --databases ${most}`)
    return { keys: requests > 0 ? all : keys, dead, requests, sequence: log.sequence(), redisVersion }
  } catch (error) {
    if (!(error instanceof DiskError)) throw error
    throw new ImportFailed(error.message)
  } finally {
    if (!done) work?.log.abandon()
  }
}
