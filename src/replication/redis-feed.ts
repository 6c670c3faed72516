/**
 * A replica that is a Redis, or one of its tools: it gets an RDB file of the data as they were after one batch, made out of
 * a checkpoint while the server goes on, and then what happens from there on as commands. What waits to be sent never
 * takes more than about a MiB: one that does not keep up is served from disk, as it has room.
 */
import type { StreamOutlet } from "../commands/ports.ts"
import type { ReplicaStatus } from "../commands/replication/port.ts"
import { CheckpointUnusable } from "../log/checkpoint-file.ts"
import type { CheckpointReader } from "../log/checkpoint-reader.ts"
import type { CheckpointInfo } from "../log/checkpoint-store.ts"
import { DiskError } from "../log/disk.ts"
import { HistoryDropped, LogCorrupt } from "../log/errors.ts"
import type { Batch } from "../log/event-log.ts"
import { FrameDecoder } from "../log/frame-decoder.ts"
import { FrameHeader, frameType, readFrameHeader } from "../log/frame.ts"
import type { Keyspace } from "../projections/keyspace.ts"
import { CheckpointRdb } from "../rdb/checkpoint-rdb.ts"
import { RdbFileWriter } from "../rdb/file-writer.ts"
import { PassingOn } from "../rdb/passing-on.ts"
import { RequestBytes } from "../rdb/requests.ts"
import type { Fed, FeedHost, Feeds, ReplicaName } from "./feed.ts"

/** More than this waiting to be sent, and the feed goes on from disk. */
const liveBytes = 1 << 20
/** Made and sent in one turn at most, or so many milliseconds. */
const bytesPerTurn = 512 << 10
const msPerTurn = 1
/** Waiting to be sent, and no more is made. */
const enoughBytes = 256 << 10
const batchesPerStep = 64

const emptyLine = Buffer.from("\n")

/** What such feeds need of the server besides. */
export interface RedisFeedHost extends FeedHost {
  readonly keyspace: Keyspace
  /** Sequence of the newest batch that memory holds. */
  readonly head: () => number
  /** The committed batches from a sequence on. */
  readonly read: (from: number) => Iterable<Batch>
  /** Throws `DiskError` or `CheckpointUnusable`. */
  readonly openCheckpoint: (info: CheckpointInfo) => CheckpointReader
  /** Whether memory follows the log, rather than the other way round. */
  readonly follows: () => boolean
  /** 40 hexadecimal digits. */
  readonly mark: () => string
}

/** How it asked: SYNC is not answered by a line, and who does not know `$EOF:` has to be told how long the file is. */
export interface RedisRequest {
  readonly psync: boolean
  readonly knowsEof: boolean
}

/** See the head of this file. */
export class RedisFeed implements Fed {
  readonly name: ReplicaName
  acked = 0
  /** A Redis of 7.0 does not say what it has synced. */
  readonly durable = 0
  live = false
  over = false
  readonly canLead = false
  /** Bytes of commands sent: what the replica counts. */
  private offset = 0
  /** Offsets and what of the log was sent up to there, of what is not acknowledged yet. */
  private readonly marks: Array<{ readonly offset: number; readonly lsn: number }> = []
  private ackedAt: number
  private started = false
  private readonly host: RedisFeedHost
  private readonly hub: Feeds
  private readonly request: RedisRequest
  private outlet: StreamOutlet | undefined = undefined
  private rdb: Generator<void, void> | undefined = undefined
  /** A file that its mark ends must be the last that comes, until the replica has said that it has it. */
  private awaited = false
  private closeRdb = (): void => {}
  private batches: Iterator<Batch> | undefined = undefined
  /** The next batch to send. */
  private next = 0
  private pumping = false
  private readonly out = new RequestBytes()
  private readonly passing: PassingOn
  private readonly decoder = new FrameDecoder(new Map(), true)
  private readonly header = new FrameHeader()

  constructor(host: RedisFeedHost, hub: Feeds, name: ReplicaName, request: RedisRequest) {
    this.host = host
    this.hub = hub
    this.name = name
    this.request = request
    this.ackedAt = host.monotonic()
    this.passing = new PassingOn(this.out, host.keyspace)
  }

  open(outlet: StreamOutlet): void {
    this.outlet = outlet
  }

  /** Begins with this checkpoint. */
  start(info: CheckpointInfo, replicationId: string): void {
    this.started = true
    this.next = info.sequence + 1
    this.offset = info.lsn
    if (this.request.psync) this.sendText(`+FULLRESYNC ${replicationId} ${info.lsn}\r\n`)
    this.rdb = this.file(info)
    this.pump()
  }

  /** Makes and sends the file. */
  private *file(info: CheckpointInfo): Generator<void, void> {
    const mark = this.host.mark()
    if (this.request.knowsEof) this.sendText(`$EOF:${mark}\r\n`)
    else {
      let size = 0
      yield* this.write(info, (bytes) => void (size += bytes.length))
      this.sendText(`$${size}\r\n`)
    }
    yield* this.write(info, (bytes) => this.send(bytes, bytes.length))
    if (!this.request.knowsEof) return
    this.awaited = true
    this.sendText(mark)
  }

  private *write(info: CheckpointInfo, drain: (bytes: Uint8Array) => void): Generator<void, void> {
    const created = info.created
    const writer = new RdbFileWriter(drain, { created, fieldDeadlines: "left out" })
    // What is dead by now is said to be dead by what follows: it has to be there for that.
    const rdb = new CheckpointRdb(this.host.openCheckpoint(info), writer, 0)
    this.closeRdb = () => rdb.close()
    try {
      yield* rdb.steps()
    } finally {
      rdb.close()
      this.closeRdb = () => {}
    }
  }

  get online(): boolean {
    return this.started && this.rdb === undefined && !this.awaited
  }

  get status(): ReplicaStatus {
    return {
      ...this.name,
      state: this.online ? "online" : this.started ? "send_bulk" : "wait_bgsave",
      lsn: this.acked,
      lagSeconds: Math.floor(this.silentMs / 1000)
    }
  }

  get silentMs(): number {
    // While the file is on its way nothing is heard of it.
    return this.online ? this.host.monotonic() - this.ackedAt : 0
  }

  acknowledge(offset: number, _durable: number): void {
    this.ackedAt = this.host.monotonic()
    const { marks } = this
    let done = 0
    while (done < marks.length && marks[done]!.offset <= offset) this.acked = marks[done++]!.lsn
    marks.splice(0, done)
    if (!this.awaited || this.rdb !== undefined) return
    this.awaited = false
    this.hub.host.changed()
    this.pump()
  }

  sign(wantsAck: boolean): void {
    if (!this.started) {
      this.outlet!.send(emptyLine, emptyLine.length)
      return
    }
    if (!this.online) return
    if (wantsAck) this.out.request("REPLCONF", "GETACK", "*")
    else this.out.request("PING")
    this.flush()
  }

  segment(): void {}

  /** Messages travel between servers of this kind only. */
  messages(): void {}

  drained(): void {
    this.pump()
  }

  closed(): void {
    if (this.over) return
    this.over = true
    this.live = false
    this.batches?.return?.()
    this.closeRdb()
    this.hub.remove(this)
  }

  end(): void {
    const { outlet } = this
    this.closed()
    outlet?.destroy()
  }

  private sendText(text: string): void {
    const bytes = Buffer.from(text, "latin1")
    this.send(bytes, bytes.length)
  }

  private send(bytes: Uint8Array, length: number): void {
    this.hub.outputBytes += length
    this.outlet!.send(bytes, length)
  }

  /** Sends the commands that have gathered. */
  private flush(): void {
    const { out } = this
    if (out.length === 0) return
    this.offset += out.length
    this.send(out.bytes, out.length)
    out.clear()
  }

  private mark(lsn: number): void {
    const { marks, offset } = this
    if (marks.at(-1)?.offset === offset) marks.pop()
    marks.push({ offset, lsn })
  }

  frame(bytes: Uint8Array, length: number, lsn: number): void {
    if (!this.live) return
    const { decoder, header, host, outlet } = this
    if (outlet!.waiting > liveBytes || host.follows()) {
      this.live = false
      this.later()
      return
    }
    readFrameHeader(bytes, 0, header)
    if (header.type === frameType.batches) {
      decoder.open(bytes.subarray(0, length), 0, header)
      const head = host.head()
      while (decoder.next()) this.put(decoder.batch, head)
      this.flush()
    }
    this.mark(lsn)
  }

  private put(batch: Batch, head: number): void {
    if (batch.sequence < this.next) return
    this.next = batch.sequence + 1
    this.passing.batch(batch, Math.max(head, batch.sequence))
  }

  private later(): void {
    if (this.pumping) return
    this.pumping = true
    this.host.later(() => {
      this.pumping = false
      this.run()
    })
  }

  pump(): void {
    // What comes from a primary is in memory only after this turn's work.
    if (this.host.follows()) this.later()
    else this.run()
  }

  private run(): void {
    const { host, outlet } = this
    const done = this.awaited && this.rdb === undefined
    if (this.pumping || this.over || this.live || !this.started || done) return
    const until = host.monotonic() + msPerTurn
    const before = this.hub.outputBytes
    try {
      while (outlet!.waiting < enoughBytes) {
        if (!this.step() || this.over) return
        if (this.hub.outputBytes - before < bytesPerTurn && host.monotonic() < until) continue
        this.later()
        return
      }
    } catch (error) {
      host.warn(`the replica ${this.name.address}:${this.name.port} cannot be served: ${(error as Error).message}`)
      const known = error instanceof CheckpointUnusable || error instanceof DiskError || error instanceof HistoryDropped
        || error instanceof LogCorrupt
      if (!known) throw error
      this.end()
    }
  }

  /** Some of the file, or some batches; false when there is nothing more for now. */
  private step(): boolean {
    if (this.rdb !== undefined) {
      if (this.rdb.next().done !== true) return true
      this.rdb = undefined
      this.ackedAt = this.host.monotonic()
      this.hub.host.changed()
      return !this.awaited
    }
    const { host } = this
    this.batches ??= host.read(this.next)[Symbol.iterator]()
    const head = host.head()
    for (let left = batchesPerStep; left > 0; left--) {
      const step = this.batches.next()
      if (step.done === true) {
        this.batches = undefined
        this.flush()
        this.goLive()
        return false
      }
      this.put(step.value, head)
    }
    this.flush()
    return true
  }

  private goLive(): void {
    const { lsn, sequence } = this.host.mirror.position
    this.mark(lsn)
    // What memory follows is folded after it is written: each time it is read again.
    this.live = this.next > sequence && !this.host.follows()
  }
}
