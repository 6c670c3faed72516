/**
 * The end of a primary: writes are held back until every replica has everything, as long as `shutdown-timeout` allows. So
 * whoever ends a primary and promotes a replica loses nothing, as with Redis since 7.0.
 */
import type { Gate } from "../commands/executor/gate.ts"
import type { ConnectionPort, OtherWait, OtherWaitsPort } from "../commands/ports.ts"
import type { LeavingPort } from "../commands/replication/port.ts"
import type { LogMirror } from "../log/mirror.ts"
import { ReplyError } from "../net/resp/reply.ts"
import type { Fed, Feeds } from "./feed.ts"

/** What the end needs of replication. */
export interface LeavingHost {
  readonly feeds: Feeds
  readonly gate: Gate
  readonly mirror: Pick<LogMirror, "end">
  readonly monotonic: () => number
  /** How long to wait for replicas at most, ms. */
  readonly shutdownMs: () => number
  readonly waits: OtherWaitsPort
  readonly pauseWrites: () => void
  readonly unpause: () => void
  /** Commits what this turn appended. */
  readonly flush: () => void
  readonly report: (text: string) => void
  readonly warn: (text: string) => void
}

/** A replica that has lost what it was asked is asked again after so long. */
const askAgainMs = 500

const givenUp = new ReplyError("ERR Errors trying to SHUTDOWN. Check logs.")

/** A client that has said SHUTDOWN: nothing behind it is run. */
class Asking implements OtherWait {
  readonly until = Infinity
  readonly unblockable = false
  readonly connection: ConnectionPort
  constructor(connection: ConnectionPort) {
    this.connection = connection
  }
  /** Nobody is there any more to hear how it ends. */
  over(): void {}
}

/** See the head of this file. */
export class Leaving implements LeavingPort {
  private readonly host: LeavingHost
  private done: (() => void) | undefined
  private until = 0
  private askAt = 0
  private asking: Array<Asking> = []

  constructor(host: LeavingHost) {
    this.host = host
  }

  begin(done: () => void, connection?: ConnectionPort): void {
    const { flush, monotonic, pauseWrites, report, shutdownMs, waits } = this.host
    const first = this.done === undefined
    this.done = done
    if (first) {
      flush()
      this.until = monotonic() + shutdownMs()
      this.askAt = 0
    }
    if (this.look()) return
    if (connection !== undefined) {
      const asking = new Asking(connection)
      waits.add(connection, asking)
      this.asking.push(asking)
    }
    if (!first) return
    pauseWrites()
    report(`shutting down once the replicas have everything, in ${shutdownMs() / 1000} s at the latest`)
    this.tick()
  }

  abort(): boolean {
    if (this.done === undefined) return false
    this.done = undefined
    this.host.unpause()
    for (const asking of this.asking) {
      if (this.host.waits.remove(asking.connection, asking)) asking.connection.answer(givenUp)
    }
    this.asking = []
    this.host.report("the shutdown is given up, as was asked")
    return true
  }

  /** Time passes: asks the replicas how far they are. */
  tick(): void {
    if (this.done === undefined) return
    const now = this.host.monotonic()
    if (now >= this.askAt) {
      this.askAt = now + askAgainMs
      this.host.feeds.sign(true)
    }
    this.look()
  }

  /** Somebody got further; true when the end has come. */
  look(): boolean {
    const { done } = this
    if (done === undefined) return false
    const { gate, mirror, monotonic, warn } = this.host
    // Who follows has nothing that its primary has not.
    const behind: ReadonlyArray<Fed> = gate.replica
      ? []
      : [...this.host.feeds.all].filter(({ acked, over }) => !over && acked < mirror.end)
    if (behind.length > 0 && monotonic() < this.until) return false
    for (const { acked, name } of behind) {
      warn(`the replica ${name.address}:${name.port} has not got everything: it has said ${acked} of ${mirror.end}`)
    }
    this.done = undefined
    done()
    return true
  }
}
