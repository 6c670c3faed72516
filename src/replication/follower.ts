/**
 * The replica's side: keeps a link to the primary, says where this log ends, and takes what comes: checked, appended,
 * folded, frame by frame, so that whatever happens to the link the log ends with a whole frame and memory is its fold.
 * Plain and without a clock of its own: `tick` is called again and again by a fiber.
 */
import type { PublishedTo } from "../commands/pubsub/subscriptions.ts"
import type { FollowTarget, PrimaryStatus } from "../commands/replication/port.ts"
import { CheckpointUnusable } from "../log/checkpoint-file.ts"
import { FrameRefused } from "../log/following-writer.ts"
import { type FrameHeader, sequencesOf } from "../log/frame.ts"
import type { Slice } from "../projections/memory/slice.ts"
import { type FollowerHost, LinkEnded } from "./follower-host.ts"
import { ackEveryMs, Following } from "./following.ts"
import { type FullAnswer, FullSync } from "./full-sync.ts"
import {
  type KeepAlive,
  parseAnswer,
  printFollow,
  StreamDamaged,
  type StreamHandler,
  StreamReader
} from "./protocol.ts"

/** See the head of this file. */
export class Follower extends Following implements StreamHandler {
  primarySequence = 0
  /** What the other server, a replica so far, is told: to lead from the end of this log. */
  handover: string | undefined = undefined
  private readonly host: FollowerHost
  private reader: StreamReader
  /** What the primary was told last that this disk has. */
  private durableSaid = 0
  private ackDue = false
  /** A full sync under way. */
  private full: FullSync | undefined = undefined
  /** After a full sync, until all is here that the primary had. */
  catchingUp = false
  private held = false
  /** Something goes on in slices; what comes waits until it is over. */
  private working = false

  constructor(host: FollowerHost) {
    super(host, { whom: "primary", retryMs: 100, longestRetryMs: 2000 })
    this.host = host
    this.reader = new StreamReader(this)
  }

  get status(): PrimaryStatus | undefined {
    const { full, host: { mirror }, linkStatus: status, target } = this
    if (status === undefined || target === undefined) return undefined
    const { syncIoSeconds: lastIoSeconds, ...link } = status
    return {
      ...link,
      readLsn: mirror.position.lsn + (link.state === "connected" ? this.reader.waiting : 0),
      foreign: false,
      sync: link.state !== "sync" ? undefined : {
        totalBytes: Math.max(0, full?.answer.bytes ?? 0),
        readBytes: full?.read ?? 0,
        lastIoSeconds
      },
      primarySequence: this.primarySequence,
      delayMs: target.delayMs,
      until: target.until
    }
  }

  /** Follows another server from now on. */
  start(target: FollowTarget): void {
    this.stop()
    this.begin(target)
  }

  /** Follows nobody any more. */
  stop(): void {
    this.target = undefined
    this.handover = undefined
    this.catchingUp = false
    this.end()
  }

  /** Time passes. */
  tick(): void {
    const { host, target } = this
    if (target === undefined || this.pinned) return
    const now = host.monotonic()
    if (this.working) {
      this.stayKnown(now)
      return
    }
    if (this.link === undefined) return this.connectWhenDue(target)
    if (this.held) this.guarded(() => this.resume())
    if (!this.held && this.failWhenSilent(now)) return
    const due = this.ackDue || now - this.lastAck >= ackEveryMs || host.mirror.durable !== this.durableSaid
    if (this.reader.mode === "lines" || this.full !== undefined) this.stayKnown(now)
    else if (due) this.acknowledge()
  }

  /** However long a full sync takes, the primary is not to think that nobody is there any more. */
  private stayKnown(now: number): void {
    // Part of an answer is no sign that the rest will come.
    const begun = this.working || this.full !== undefined || (this.asked[0] === "follow" && this.reader.waiting === 0)
    if (!begun || now - this.lastAck < ackEveryMs) return
    this.lastAck = now
    this.send(["REPLCONF", "ACK", "-1"]) // what this server has at the moment is not to be counted on
  }

  protected anew(): void {
    this.reader = new StreamReader(this)
    this.held = false
  }

  protected take(bytes: Uint8Array, length: number): void {
    this.reader.push(bytes, length)
  }

  protected knows(error: unknown): error is Error {
    return error instanceof FrameRefused
  }

  protected settled(): void {
    this.host.folded() // also what came before the link was given up
  }

  protected lost(): void {
    this.held = false
    this.full?.discard()
    this.full = undefined
  }

  // ——— the conversation before the stream

  protected introduced(): void {
    this.ask("replconf", "REPLCONF", "capa", "pieces")
    if (this.handover !== undefined) this.ask("replconf", "REPLCONF", "failover", this.handover)
  }

  /** `anew`: all of it, because what this server has is of no use. */
  private askForLog(anew = false): void {
    const { position } = this.host.mirror
    const empty = position.sequence === 0 && position.epochs.length === 1
    this.ask("follow", "LOG.FOLLOW", ...printFollow(position, anew || empty))
  }

  line(text: string): void {
    if (text === "") return // a sign of life while a checkpoint is being made
    const kind = this.asked.shift()
    if (kind === undefined) throw new StreamDamaged("a reply that nobody asked for")
    if (kind !== "follow") {
      if (text.startsWith("-")) throw new LinkEnded(`it refuses ${kind}: ${text.slice(1)}`)
      if (!text.startsWith("+")) throw new StreamDamaged(`a reply to ${kind} that makes no sense`)
      if (this.asked.length === 0) this.askForLog() // not before: what it would begin must not be in vain
      return
    }
    if (/^-ERR unknown command/i.test(text)) return this.host.foundRedis(this.target!)
    if (text.startsWith("-")) throw new LinkEnded(`it refuses to be followed: ${text.slice(1)}`)
    const answer = parseAnswer(text)
    if (answer === undefined) throw new StreamDamaged("an answer that is damaged")
    if (answer.kind === "rewind") this.rewind(answer.lsn)
    else if (answer.kind === "continue") this.continue(answer.lsn)
    else this.takeAll(answer)
  }

  private continue(lsn: number): void {
    const { mirror, report } = this.host
    if (lsn !== mirror.position.lsn) throw new StreamDamaged("it would continue elsewhere")
    this.reader.mode = "stream"
    this.up()
    report(`following ${this.target!.host}:${this.target!.port} from sequence ${mirror.position.sequence}, lsn ${lsn}`)
  }

  private up(): void {
    this.handover = undefined
    this.isUp(this.catchingUp ? "sync" : "connected")
    this.acknowledge()
  }

  private rewind(lsn: number): void {
    const { mirror, reload, setAside } = this.host
    const { lsn: end, segmentLsn } = mirror.position
    const behind = lsn < end || (lsn === end && segmentLsn === end)
    if (!behind) throw new StreamDamaged("a place to go back to that is not behind")
    if (!mirror.reaches(lsn)) {
      this.askForLog(true)
      return
    }
    setAside(mirror.rewind(lsn), "the primary does not have them")
    this.work()
    reload(() => this.worked(() => this.askForLog()))
  }

  // ——— a full sync

  private takeAll(answer: FullAnswer): void {
    if (answer.sequence > (this.target!.until ?? Infinity)) {
      throw new LinkEnded(`what it has to offer begins with sequence ${answer.sequence}`)
    }
    this.state = "sync"
    this.full = new FullSync(answer, this.host.mirror.receive(), this.host.blank)
    this.reader.mode = "stream"
    this.reader.inPieces = answer.bytes < 0
    this.reader.checkpointLeft = Math.max(0, answer.bytes)
    this.host.report(
      answer.bytes !== 0
        ? `full sync: a checkpoint of sequence ${answer.sequence}, `
          + (answer.bytes > 0 ? `${answer.bytes} bytes` : "which is being made") + ", and the log after it"
        : "full sync: the primary's log from its beginning"
    )
  }

  checkpoint(bytes: Uint8Array, start: number, length: number): void {
    try {
      this.full?.checkpoint(bytes, start, length)
    } catch (error) {
      if (!(error instanceof CheckpointUnusable)) throw error
      throw new LinkEnded(`the checkpoint is not usable: ${error.message}`)
    }
  }

  checkpointEnd(): void {
    const { full } = this
    full!.check(this.host.later, () => this.full === full, (wrong) => {
      this.worked(() => {
        if (wrong !== undefined) this.fail(`the checkpoint is not usable: ${wrong}`)
      })
    })
    this.work()
  }

  segment(header: Uint8Array): void {
    const { full, host: { mirror } } = this
    if (full === undefined) mirror.beginSegment(header)
    else if (full.segment(header)) this.adopt(full)
  }

  /** What was received takes the place of the log, and memory follows. */
  private adopt({ answer: { epochs }, incoming, loaded }: FullSync): void {
    const { host } = this
    this.full = undefined
    const before = host.mirror.position.sequence
    const what = host.mirror.replace(incoming, epochs)
    if (before > 0) host.setAside(what, "they are of another history than the primary's")
    this.fullSyncs++
    this.catchingUp = true
    this.work()
    host.reload(() => this.worked(() => this.up()), loaded)
  }

  // ——— the stream

  frame(bytes: Uint8Array, at: number, header: FrameHeader): boolean {
    const { full, host } = this
    if (full !== undefined) {
      if (full.frame(bytes, at, header)) this.adopt(full)
      return true
    }
    if (this.early(header.time)) return this.hold()
    const { until = Infinity } = this.target!
    const last = header.sequence + sequencesOf(header, bytes, at) - 1
    const batches = last > until
      ? host.mirror.appendPart(bytes, at, header, until)
      : host.mirror.appendFrame(bytes, at, header)
    for (const batch of batches) host.fold(batch)
    if (!this.pinned) return true
    this.reader.paused = true
    this.end()
    host.report(`stopped at sequence ${until}`)
    return true
  }

  /** Whether this server is where it was told to stop: it needs no link any more. */
  get pinned(): boolean {
    const until = this.target?.until
    return until !== undefined && this.full === undefined && this.host.mirror.position.sequence >= until
  }

  /** What the primary's clients have published. */
  message(to: PublishedTo, channel: Slice, text: Slice, time: number): boolean {
    if (this.full !== undefined) throw new StreamDamaged("a message within a full sync")
    if (this.early(time)) return this.hold()
    this.host.publish(to, channel, text)
    return true
  }

  /** Whether something of this moment is to come later: this server stays behind. */
  private early(time: number): boolean {
    const { delayMs } = this.target!
    return delayMs > 0 && time + delayMs > this.host.now()
  }

  private hold(): false {
    if (this.catchingUp) this.caughtUp() // as far as it is to go for now
    if (!this.held) this.link?.pause()
    this.held = true
    return false
  }

  /** What goes on now takes several turns: nothing is taken in meanwhile. */
  private work(): void {
    this.working = true
    this.reader.paused = true
    this.link?.pause()
  }

  /** It is over. */
  private worked(next: () => void): void {
    this.working = false
    if (this.link === undefined) return
    this.reader.paused = false
    this.guarded(() => {
      next()
      if (this.link !== undefined && !this.working) this.resume()
    })
  }

  private resume(): void {
    this.held = false
    this.reader.resume()
    if (this.held || this.working) return
    this.lastIo = this.host.monotonic() // until now nothing was to come
    this.link?.resume()
  }

  keepAlive(sign: KeepAlive): void {
    const { mirror } = this.host
    if (this.full === undefined && sign.lsn !== mirror.position.lsn) {
      throw new StreamDamaged(`the stream is at lsn ${sign.lsn}, this log ends at ${mirror.position.lsn}`)
    }
    this.primarySequence = sign.sequence
    if (sign.wantsAck) this.ackDue = true
    if (this.catchingUp && sign.lsn === sign.end) this.caughtUp()
    if (this.ackDue) this.acknowledge()
  }

  /** All that the primary had is here. */
  private caughtUp(): void {
    this.catchingUp = false
    this.state = "connected"
    this.host.changed()
    this.host.report(`the full sync is complete: sequence ${this.host.mirror.position.sequence}`)
  }

  /** Says how far this server is. */
  acknowledge(): void {
    const { durable, position } = this.host.mirror
    this.lastAck = this.host.monotonic()
    this.ackDue = false
    this.durableSaid = durable
    this.send(["REPLCONF", "ACK", `${position.lsn}`, "FACK", `${durable}`])
  }
}
