/** WAIT and WAITAOF: connections that wait until enough replicas, and disks, have what they wrote. */
import type { ConnectionPort, OtherWait, OtherWaitsPort } from "../commands/ports.ts"
import type { WantedReplicas } from "../commands/replication/port.ts"
import { type Reply, ReplyError } from "../net/resp/reply.ts"

/** What waits need of replication. */
export interface WaitHost {
  readonly waits: OtherWaitsPort
  /** The clock of waits, ms. */
  readonly waitClock: () => number
  /** Runs something once what this turn appends is committed. */
  readonly afterCommit: (run: () => void) => void
  /** Lsn behind what the log has. */
  readonly end: () => number
  /** Lsn below which this server's disk has everything. */
  readonly durable: () => number
  /** Replicas that have everything below a position, with `durable` on disk. */
  readonly having: (lsn: number, durable: boolean) => number
  /** Asks the replicas how far they are, and with `durable` this server's disk to sync. */
  readonly hurry: (durable: boolean) => void
}

const unblocked = new ReplyError("UNBLOCKED client unblocked via CLIENT UNBLOCK")

/** One connection's wait. */
class Waiting implements OtherWait {
  readonly unblockable = true
  readonly connection: ConnectionPort
  readonly wanted: WantedReplicas
  readonly until: number
  /** What the replicas have to have; Infinity until the turn is over in which the connection wrote it. */
  lsn: number
  ended = false
  private readonly answer: (waiting: Waiting) => Reply

  constructor(
    connection: ConnectionPort,
    wanted: WantedReplicas,
    until: number,
    lsn: number,
    answer: (waiting: Waiting) => Reply
  ) {
    this.connection = connection
    this.wanted = wanted
    this.until = until
    this.lsn = lsn
    this.answer = answer
  }

  over(how: "timeout" | "error" | "gone"): void {
    this.ended = true
    if (how !== "gone") this.connection.answer(how === "error" ? unblocked : this.answer(this))
  }
}

/** See the head of this file. */
export class Waits {
  private readonly host: WaitHost
  private all: Array<Waiting> = []

  constructor(host: WaitHost) {
    this.host = host
  }

  /** The reply, or undefined: it comes later. `mayWait` is false inside a transaction, which answers at once. */
  begin(connection: ConnectionPort, wanted: WantedReplicas, mayWait: boolean): Reply | undefined {
    const { client } = connection
    const { host } = this
    if (!mayWait || (!client.wrote && this.reached(client.writtenLsn, wanted))) {
      return this.answer(client.writtenLsn, wanted)
    }
    const until = wanted.timeoutMs === 0 ? Infinity : host.waitClock() + wanted.timeoutMs
    const lsn = client.wrote ? Infinity : client.writtenLsn
    const waiting = new Waiting(connection, wanted, until, lsn, () => this.answer(waiting.lsn, wanted))
    host.waits.add(connection, waiting)
    this.all.push(waiting)
    host.afterCommit(() => {
      // What the connection wrote in this turn stands in the log by now.
      if (waiting.lsn === Infinity) waiting.lsn = host.end()
      host.hurry(wanted.durable)
      this.check()
    })
    return undefined
  }

  /** Somebody has got further: answers those who have waited for it. */
  check(): void {
    if (this.all.length === 0) return
    const { waits } = this.host
    this.all = this.all.filter((waiting) => {
      const { connection, lsn, wanted } = waiting
      if (waiting.ended) return false
      if (!this.reached(lsn, wanted)) return true
      if (waits.remove(connection, waiting)) connection.answer(this.answer(lsn, wanted))
      return false
    })
  }

  private reached(lsn: number, { durable, local, replicas }: WantedReplicas): boolean {
    const { host } = this
    return host.having(lsn, durable) >= replicas && (!local || host.durable() >= lsn)
  }

  private answer(lsn: number, { durable }: WantedReplicas): Reply {
    const { host } = this
    const count = host.having(lsn, durable)
    return durable ? [host.durable() >= lsn ? 1 : 0, count] : count
  }
}
