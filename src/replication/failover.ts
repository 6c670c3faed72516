/**
 * FAILOVER: this primary hands over to a replica. Writes are held back until the replica has everything; then this server
 * follows it, and, as it introduces itself, tells it to lead from exactly there. What the replica refuses or does not
 * hear is said again at each attempt, until it has happened or is aborted.
 */
import type { FailoverOptions, FollowTarget } from "../commands/replication/port.ts"
import type { Fed, Feeds } from "./feed.ts"

/** What a failover needs of replication. */
export interface FailoverHost {
  readonly feeds: Feeds
  readonly monotonic: () => number
  /** Lsn behind what the log has. */
  readonly end: () => number
  readonly isReplica: () => boolean
  readonly pauseWrites: () => void
  /** Commits what this turn appended. */
  readonly flush: () => void
  readonly unpause: () => void
  /** Follows the replica, telling it to lead, with `force` wherever it is. The reason why not, or undefined. */
  readonly follow: (target: FollowTarget, force: boolean) => string | undefined
  /** Whether the new primary is followed. */
  readonly followed: () => boolean
  readonly lead: () => string | undefined
  readonly report: (text: string) => void
}

/** See the head of this file. */
export class Failover {
  state: "no-failover" | "waiting-for-sync" | "failover-in-progress" = "no-failover"
  private readonly host: FailoverHost
  private options: FailoverOptions = { to: undefined, force: false, timeoutMs: 0 }
  private until = Infinity

  constructor(host: FailoverHost) {
    this.host = host
  }

  /** Begins; the reason why not, or undefined. The words are those of Redis. */
  begin(options: FailoverOptions): string | undefined {
    const { feeds, isReplica, monotonic, pauseWrites } = this.host
    if (this.state !== "no-failover") return "FAILOVER already in progress."
    if (isReplica()) return "FAILOVER is not valid when server is a replica."
    // A Redis that follows cannot lead: it has no log that this server could go on with.
    if (![...feeds.all].some(({ canLead }) => canLead)) return "FAILOVER requires connected replicas."
    if (options.force && (options.timeoutMs === 0 || options.to === undefined)) {
      return "FAILOVER with force option requires both a timeout and target HOST and IP."
    }
    if (options.to !== undefined) {
      const feed = this.find(options.to)
      if (feed === undefined) return "FAILOVER target HOST and PORT is not a replica."
      if (!feed.online) return "FAILOVER target replica is not online."
      if (!feed.canLead) return "FAILOVER target replica is a Redis, which cannot lead a server of this kind."
    }
    this.options = options
    this.until = options.timeoutMs === 0 ? Infinity : monotonic() + options.timeoutMs
    this.state = "waiting-for-sync"
    pauseWrites()
    this.host.flush()
    return undefined
  }

  /** Gives it up; false when none is under way. */
  abort(why: string): boolean {
    if (this.state === "no-failover") return false
    const { lead, report, unpause } = this.host
    if (this.state === "failover-in-progress") lead()
    this.state = "no-failover"
    unpause()
    report(`the failover is given up: ${why}`)
    return true
  }

  /** Time passes: asks the replicas how far they are. */
  tick(): void {
    if (this.state === "waiting-for-sync") this.host.feeds.sign(true)
    this.look()
  }

  /** Somebody got further. Nobody is asked: each answer would call for as many more as there are replicas. */
  look(): void {
    const { end, feeds, flush, followed, monotonic, report, unpause } = this.host
    if (this.state === "no-failover") return
    if (this.state === "failover-in-progress") {
      if (!followed()) return
      this.state = "no-failover"
      unpause()
      report("the failover is complete")
      return
    }
    const { force, to } = this.options
    const candidates = to === undefined ? [...feeds.all] : [this.find(to)]
    const ready = candidates.find((feed) => feed !== undefined && feed.canLead && feed.live && feed.acked === end())
    if (ready !== undefined) {
      flush() // CLIENT UNPAUSE may have let clients write again, in this turn
      if (ready.acked === end()) this.proceed(ready.name)
      return
    }
    if (monotonic() < this.until) return
    if (force) this.proceed({ address: to!.host, port: to!.port })
    else this.abort("no replica caught up in time")
  }

  private proceed({ address, port }: Fed["name"]): void {
    this.state = "failover-in-progress"
    const { force } = this.options
    const refused = this.host.follow({ host: address, port, delayMs: 0, until: undefined }, force)
    if (refused !== undefined) this.abort(refused)
  }

  private find({ host, port }: { readonly host: string; readonly port: number }): Fed | undefined {
    return [...this.host.feeds.all].find(({ name }) => name.port === port && name.address === host)
  }
}
