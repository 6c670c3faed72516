import type { Session } from "./session.ts"

/** What the end of a turn needs of the log. */
export interface TurnLog {
  readonly commit: (patient: boolean) => boolean
  readonly sequence: () => number
  readonly lsn: () => number
  readonly released: () => number
  readonly failure: () => unknown
}

/**
 * One event-loop turn, one frame: when all sockets that had something have been read, what was appended is committed
 * with one write, and then the replies leave, or wait for the sync they depend on.
 */
export class Turn {
  private dirty: Array<Session> = []
  private other: Array<Session> = []
  private readonly waiting = new Set<Session>()
  private scheduled = false
  private committed = 0
  /** The log waits for the end of this turn to start a sync. */
  private unsynced = false
  private readonly log: TurnLog
  private resuming: Array<Session> = []
  private afterwards: Array<() => void> = []
  /** Called when the log may have committed or released more; must be quick. */
  onProgress: (() => void) | undefined = undefined
  private readonly lastWords: () => boolean
  private readonly end = () => {
    this.finish()
    if (this.resuming.length > 0) this.resume()
  }

  /** @param lastWords called before the replies leave: what it has to send joins them; true when it has more, for the next turn */
  constructor(log: TurnLog, lastWords: () => boolean = () => false) {
    this.log = log
    this.lastWords = lastWords
    this.committed = log.sequence()
  }

  /** The session has replies: they leave at the end of this turn. */
  add(session: Session): void {
    this.dirty.push(session)
    this.schedule()
  }

  /** Makes sure the turn is ended: called too when something was appended without a reply. */
  schedule(): void {
    if (this.scheduled) return
    this.scheduled = true
    setImmediate(this.end)
  }

  /** The session goes on after this turn: never inside the command of another one, which may be what ended its wait. */
  later(session: Session): void {
    this.resuming.push(session)
    this.schedule()
  }

  /** Calls `action` once what this turn has appended is committed, before its replies leave. */
  afterCommit(action: () => void): void {
    this.afterwards.push(action)
    this.schedule()
  }

  private runAfterwards(): void {
    const actions = this.afterwards
    this.afterwards = []
    for (const action of actions) action()
  }

  private resume(): void {
    const sessions = this.resuming
    this.resuming = []
    for (const session of sessions) session.resume()
  }

  /** Commits and lets the replies go. Also called directly by shutdown. */
  finish(): void {
    this.scheduled = false
    const log = this.log
    if (this.unsynced || log.sequence() !== this.committed) {
      this.unsynced = log.commit(true)
      this.committed = log.sequence()
      if (this.unsynced) this.schedule()
      this.onProgress?.()
    }
    if (this.afterwards.length > 0) this.runAfterwards()
    if (this.lastWords()) this.schedule()
    const released = log.released()
    if (this.waiting.size > 0) this.releaseWaiting(released)
    // While the log is failing, replies to those that wrote wait for its recovery; reads must not.
    const failing = log.failure() !== undefined
    const lsn = log.lsn()
    const sessions = this.dirty
    this.dirty = this.other
    this.other = sessions
    for (let i = 0; i < sessions.length; i++) {
      const session = sessions[i]!
      const { client } = session
      if (session.release(released, failing && !client.wrote ? released : lsn)) this.waiting.add(session)
      if (client.wrote) {
        client.wrote = false
        client.writtenLsn = lsn
      }
    }
    sessions.length = 0
  }

  /** The log has released more: a sync finished, or a failed write was made good. */
  released(): void {
    this.onProgress?.()
    this.releaseWaiting(this.log.released())
    // What was written meanwhile wants a sync of its own, after a look at what these clients send next.
    this.unsynced = true
    this.schedule()
  }

  private releaseWaiting(released: number): void {
    for (const session of this.waiting) if (!session.releaseHeld(released)) this.waiting.delete(session)
  }

  forget(session: Session): void {
    this.waiting.delete(session)
  }
}
