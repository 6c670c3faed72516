/**
 * The primary's side: every replica has a feed, which sends what the log holds from the place where the replica's own
 * ends. A replica that keeps up gets each frame right after it was written, from memory. One that does not is left to
 * itself until its socket has room, and is then served from disk: what waits for it never takes more than a few MiB.
 */
import type { StreamOutlet, StreamOwner } from "../commands/ports.ts"
import type { ReplicaStatus } from "../commands/replication/port.ts"
import { DiskError } from "../log/disk.ts"
import { LogCorrupt } from "../log/errors.ts"
import { BytesDropped, type FrameSource } from "../log/frame-source.ts"
import { type CheckpointBytes, GrowingBytes } from "../log/incoming-log.ts"
import type { LogMirror, LogTap } from "../log/mirror.ts"
import { encodeKeepAlive, pieceHeaderSize, writePieceHeader } from "./protocol.ts"

/** More than this waiting to be sent, and the feed goes on from disk. */
const liveBytes = 1 << 20
/** Read from disk at a time, and sent in one turn at most. */
const pieceBytes = 256 << 10
const bytesPerTurn = 1 << 20

/** Read from disk into, one piece after the other; it is sent before anything else is read. */
const piece = new Uint8Array(pieceBytes)
/** The same with room before it for what stands before a piece of a checkpoint. */
const announced = new Uint8Array(pieceHeaderSize + pieceBytes)
const announcedBody = announced.subarray(pieceHeaderSize)

/** What a replica hears that waits for a checkpoint to be made. */
const emptyLine = Buffer.from("\r\n")

/** What feeds need of the server. */
export interface FeedHost {
  readonly mirror: LogMirror
  /** Unix ms. */
  readonly now: () => number
  /** Milliseconds of a clock that never steps. */
  readonly monotonic: () => number
  /** Runs something after what the sockets have brought was looked at. */
  readonly later: (run: () => void) => void
  readonly warn: (text: string) => void
  readonly report: (text: string) => void
  /** A replica said how far it is, came or went. */
  readonly changed: () => void
  /** There are replicas now, or none any more. */
  readonly listened: (any: boolean) => void
}

/** Of messages, kept for a replica that is served from disk. */
const mostLate = 1 << 20

const nothingLate = () => ({ pieces: new Array<Uint8Array>(), bytes: 0, dropping: false })

/** Who the replica says it is. */
export interface ReplicaName {
  readonly address: string
  readonly port: number
}

/** A replica, of whatever kind, as the others see it. */
export interface Fed extends StreamOwner {
  readonly name: ReplicaName
  /** Up to where it has said that it has the log, and that it has synced it. */
  readonly acked: number
  readonly durable: number
  /** Gets each frame as it is written. */
  readonly live: boolean
  readonly over: boolean
  /** Whether it is a server that can take over. */
  readonly canLead: boolean
  /** It follows: what it says that it has, it has got from here. */
  readonly online: boolean
  readonly status: ReplicaStatus
  /** Milliseconds since it last said how far it is. */
  readonly silentMs: number
  open(outlet: StreamOutlet): void
  acknowledge(position: number, durable: number): void
  /** Says that this server lives; `wantsAck` asks the replica to say at once how far it is. */
  sign(wantsAck: boolean): void
  /** A frame was written to the log; `lsn` is the position behind it. */
  frame(bytes: Uint8Array, length: number, lsn: number): void
  /** A segment begins. */
  segment(header: Uint8Array): void
  /** Messages were published. */
  messages(bytes: Uint8Array, length: number): void
  /** Goes on with what comes from disk, if there is something and the socket has room. */
  pump(): void
  /** Ends the connection: the replica will come again. */
  end(): void
}

/** One replica that is a server of this kind. */
export class Feed implements Fed {
  readonly name: ReplicaName
  /** What it has said that it has, and that it has synced. */
  acked = 0
  durable = 0
  ackedAt: number
  /** Bytes sent. */
  sent = 0
  /** Gets each frame as it is written. */
  live = false
  over = false
  readonly canLead = true
  private started = false
  private readonly host: FeedHost
  private readonly hub: Feeds
  private outlet: StreamOutlet | undefined = undefined
  private source: FrameSource | undefined = undefined
  private checkpoint: CheckpointBytes | GrowingBytes | undefined = undefined
  /** A turn of sending is due. */
  private pumping = false
  /** Messages that wait until it has what was written before them. */
  private late = nothingLate()
  /** It is to be asked how far it is as soon as it follows. */
  private ackWanted = false

  constructor(host: FeedHost, hub: Feeds, name: ReplicaName) {
    this.host = host
    this.hub = hub
    this.name = name
    this.ackedAt = host.monotonic()
  }

  /** The replica waits for its answer, here. */
  open(outlet: StreamOutlet): void {
    this.outlet = outlet
  }

  /** Begins: `answer` is the line the replica waits for, and what follows it comes from these. */
  start(answer: string, source: FrameSource | undefined, checkpoint?: CheckpointBytes | GrowingBytes): void {
    this.started = true
    this.source = source
    this.checkpoint = checkpoint
    const line = Buffer.from(`${answer}\r\n`, "latin1")
    this.send(line, line.length)
    this.pump()
  }

  /** It follows: what it says that it has, it has got from here. */
  get online(): boolean {
    return this.started && this.checkpoint === undefined
  }

  get status(): ReplicaStatus {
    const { acked, host, name, online, started } = this
    return {
      ...name,
      state: online ? "online" : started ? "send_bulk" : "wait_bgsave",
      lsn: acked,
      lagSeconds: Math.floor((host.monotonic() - this.ackedAt) / 1000)
    }
  }

  /** Milliseconds since it last said how far it is. */
  get silentMs(): number {
    return this.host.monotonic() - this.ackedAt
  }

  acknowledge(lsn: number, durable: number): void {
    if (lsn >= 0) this.acked = lsn
    if (durable >= 0) this.durable = durable
    this.ackedAt = this.host.monotonic()
  }

  /** Says that this server lives; `wantsAck` asks the replica to say at once how far it is. */
  sign(wantsAck: boolean): void {
    const { host: { mirror, now } } = this
    if (!this.live) {
      this.ackWanted ||= wantsAck // between pieces from disk there is no place for it
      if (!this.started) this.send(emptyLine, emptyLine.length)
      return
    }
    const { lsn, sequence } = mirror.position
    const bytes = encodeKeepAlive({ wantsAck, lsn, end: lsn, sequence, time: now() })
    this.send(bytes, bytes.length)
  }

  /** A frame was written to the log. */
  frame(bytes: Uint8Array, length: number, lsn: number): void {
    if (!this.live) return
    if (this.outlet!.waiting <= liveBytes) {
      this.send(bytes, length)
      return
    }
    this.fallBehind(lsn - length)
  }

  /** Messages, to be heard after what was written so far. */
  messages(bytes: Uint8Array, length: number): void {
    const { late, outlet } = this
    if (this.live && outlet!.waiting <= liveBytes) this.send(bytes, length)
    else if (late.bytes + length <= mostLate) {
      late.pieces.push(bytes.slice(0, length))
      late.bytes += length
      // Whatever is written from now on has to come before them.
      if (this.live) this.fallBehind(this.host.mirror.position.lsn)
    } else if (!late.dropping) {
      late.dropping = true
      this.host.warn(
        `the replica ${this.name.address}:${this.name.port} is too far behind for messages: it misses some`
      )
    }
  }

  private fallBehind(lsn: number): void {
    const { mirror } = this.host
    this.live = false
    this.source = mirror.source(lsn, mirror.position.segmentLsn)
  }

  /** A segment begins. */
  segment(header: Uint8Array): void {
    if (this.live) this.send(header, header.length)
  }

  drained(): void {
    this.pump()
  }

  closed(): void {
    if (this.over) return
    this.over = true
    this.live = false
    this.source?.close()
    this.checkpoint?.close()
    this.hub.remove(this)
  }

  /** Ends the connection: the replica will come again. */
  end(): void {
    const { outlet } = this
    this.closed()
    outlet?.destroy()
  }

  private send(bytes: Uint8Array, length: number): void {
    this.sent += length
    this.hub.outputBytes += length
    this.outlet!.send(bytes, length)
  }

  /** Goes on with what comes from disk, if there is something and the socket has room. */
  pump(): void {
    const { outlet } = this
    if (this.pumping || this.over || this.live || !this.started) return
    try {
      for (let sent = 0; outlet!.waiting < pieceBytes;) {
        if (this.checkpoint instanceof GrowingBytes) {
          const growing = this.growing(this.checkpoint)
          if (growing === 0) return // `tend` goes on when there is more of it
          sent += growing
          continue
        }
        const n = this.checkpoint?.read(piece) ?? 0
        if (n === 0 && this.checkpoint !== undefined) {
          this.checkpoint.close()
          this.checkpoint = undefined
          continue
        }
        const length = n > 0 ? n : this.source?.read(piece) ?? 0
        if (length === 0) {
          this.goLive()
          return
        }
        this.send(piece, length)
        sent += length
        if (sent < bytesPerTurn) continue
        this.pumping = true
        this.host.later(() => {
          this.pumping = false
          this.pump()
        })
        return
      }
    } catch (error) {
      if (!(error instanceof BytesDropped || error instanceof DiskError || error instanceof LogCorrupt)) throw error
      this.host.warn(`the replica ${this.name.address}:${this.name.port} cannot be served: ${error.message}`)
      this.end()
    }
  }

  /** Sends the next piece of a checkpoint that is being made; how many bytes, 0 when there is nothing yet. */
  private growing(checkpoint: GrowingBytes): number {
    const n = checkpoint.read(announcedBody)
    const { over } = checkpoint
    if (n === 0 && !over) return 0
    writePieceHeader(announced, n, over)
    this.send(announced, pieceHeaderSize + n)
    if (over) {
      checkpoint.close()
      this.checkpoint = undefined
    }
    return pieceHeaderSize + n
  }

  private goLive(): void {
    if (this.source?.atEnd() !== true) return // the end of a segment is being repaired; the next frame will tell
    this.source.close()
    this.source = undefined
    this.live = true
    const { pieces } = this.late
    this.late = nothingLate()
    for (const bytes of pieces) this.send(bytes, bytes.length)
    this.sign(this.ackWanted)
    this.ackWanted = false
  }
}

/** All replicas of this server. Listens to the log only while there are any. */
export class Feeds implements LogTap {
  readonly all = new Set<Fed>()
  outputBytes = 0
  readonly host: FeedHost

  constructor(host: FeedHost) {
    this.host = host
  }

  add(feed: Fed): void {
    this.all.add(feed)
    this.host.mirror.listen(this)
    this.host.listened(true)
    this.host.changed()
  }

  remove(feed: Fed): void {
    this.all.delete(feed)
    if (this.all.size === 0) {
      this.host.mirror.listen(undefined)
      this.host.listened(false)
    }
    this.host.changed()
  }

  readonly frame = (bytes: Uint8Array, length: number, lsn: number): void => {
    for (const feed of this.all) {
      if (feed.live) feed.frame(bytes, length, lsn)
      else feed.pump()
    }
  }

  readonly segment = (header: Uint8Array): void => {
    for (const feed of this.all) feed.segment(header)
  }

  messages(bytes: Uint8Array, length: number): void {
    for (const feed of this.all) feed.messages(bytes, length)
  }

  readonly broken = (): void => this.endAll()

  /** Ends all connections. */
  endAll(): void {
    for (const feed of this.all) feed.end()
  }

  sign(wantsAck: boolean): void {
    for (const feed of this.all) feed.sign(wantsAck)
  }

  /** Ends the connections of replicas that have said nothing for so long. */
  endSilent(timeoutMs: number): void {
    for (const feed of this.all) {
      if (feed.silentMs <= timeoutMs) continue
      this.host.warn(`the replica ${feed.name.address}:${feed.name.port} has been silent too long: its link is closed`)
      feed.end()
    }
  }

  /** How many have at least this, or with `durable` have it on disk. */
  having(lsn: number, durable: boolean): number {
    let count = 0
    for (const feed of this.all) if (feed.online && (durable ? feed.durable : feed.acked) >= lsn) count++
    return count
  }

  /** How many follow and were heard of within so many milliseconds. */
  good(withinMs: number): number {
    let count = 0
    for (const feed of this.all) if (feed.online && feed.silentMs <= withinMs) count++
    return count
  }
}
